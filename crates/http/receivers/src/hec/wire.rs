//! HEC's bodies: envelopes one after another, with or without anything between them, or lines of text.

use std::ops::Range;

/// Where each envelope of a body begins and ends. What is no object is found as well, up to the next line; whether an
/// envelope is JSON is for the parser to say.
///
/// Linear: after one that is closed nowhere, every further line is taken for an envelope.
pub fn envelopes(body: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = 0;
    let mut by_line = false;
    std::iter::from_fn(move || {
        at += body[at..].iter().take_while(|b| matches!(b, b' ' | b'\n' | b'\r' | b'\t')).count();
        if at == body.len() {
            return None;
        }
        let start = at;
        at += match body[start] {
            b'{' if !by_line => object(&body[start..]).unwrap_or_else(|| {
                by_line = true;
                line(&body[start..])
            }),
            _ => line(&body[start..]),
        };
        Some(start..at)
    })
}

/// Where each line of a body begins and ends that is more than blanks.
pub fn lines(body: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < body.len() {
            let start = at;
            at += line(&body[start..]);
            let end = start + body[start..at].trim_ascii_end().len();
            if !body[start..end].trim_ascii_start().is_empty() {
                return Some(start..end);
            }
        }
        None
    })
}

/// Bytes up to the end of the line and with it.
fn line(bytes: &[u8]) -> usize {
    bytes.iter().position(|b| *b == b'\n').map_or(bytes.len(), |end| end + 1)
}

/// Bytes of the object that begins here, if it is closed anywhere. No string holds the end of a line: one that does was cut
/// off there.
fn object(bytes: &[u8]) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        match (in_string, byte) {
            (true, b'\n') => return Some(at + 1),
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (true, b'"') => in_string = false,
            (true, _) => {}
            (false, b'"') => in_string = true,
            (false, b'{' | b'[') => depth += 1,
            (false, b'}' | b']') => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            (false, _) => {}
        }
    }
    None
}
