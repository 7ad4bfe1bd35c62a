//! The frame that gRPC puts around a message.

/// Flag and length before a message.
const HEAD: usize = 5;

/// The one message of a body, and whether it is compressed, which is only fine if the headers say how.
///
/// <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>, `Length-Prefixed-Message`.
pub fn unframe(body: &[u8], may_be_packed: bool) -> Result<(bool, &[u8]), &'static str> {
    let Some((head, message)) = body.split_first_chunk::<HEAD>() else {
        return Err("the body is too short");
    };
    let len = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
    if len != message.len() {
        return Err("the body is not as long as it says");
    }
    match head[0] {
        0 => Ok((false, message)),
        1 if may_be_packed => Ok((true, message)),
        _ => Err("the message says that it is compressed, and not how"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_has_one_message() {
        assert_eq!(unframe(&[0, 0, 0, 0, 2, 7, 8], false), Ok((false, &[7, 8][..])));
        assert_eq!(unframe(&[1, 0, 0, 0, 1, 7], true), Ok((true, &[7][..])));
        assert_eq!(unframe(&[0, 0, 0, 0, 0], true), Ok((false, &[][..])));
        assert!(unframe(&[1, 0, 0, 0, 1, 7], false).is_err());
        assert!(unframe(&[2, 0, 0, 0, 1, 7], true).is_err());
        assert!(unframe(&[0, 255, 255, 255, 255, 7], true).is_err());
        assert!(unframe(&[0, 0, 0, 0, 1, 7, 8], true).is_err(), "a second message");
        assert!(unframe(&[0, 0, 0, 0], true).is_err());
    }
}
