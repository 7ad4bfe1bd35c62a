//! Strict JSON in, canonical JSON out.
//!
//! Only what every JSON reader agrees about is read (an I-JSON in the sense of RFC 7493, and then some), so that the bytes we
//! hash mean the same thing to whoever checks them later. What is written is RFC 8785 (JCS).

mod parse;
mod value;
mod write;

#[cfg(test)]
mod tests;

pub(crate) use parse::read;
pub use parse::{Limits, parse, parse_loosely};
pub(crate) use value::depth;
pub use value::{Duplicate, INTEGER_MAX, Number, Object, Value, compare_keys};
pub(crate) use write::write_string;

/// How many bytes from the start of `bytes` can stand in a JSON string as they are: up to the next quote, backslash or
/// control character. Reading and writing strings both spend their time here, so it looks at eight bytes at once.
fn plain_run(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // A byte of `x` is zero exactly if its high bit is set in the result; bytes above the first hit may be wrong, and
    // are not looked at.
    let zero = |x: u64| x.wrapping_sub(ONES) & !x & HIGH;
    let hits = |chunk: &[u8; 8]| {
        let word = u64::from_le_bytes(*chunk);
        let quote = zero(word ^ (ONES * u64::from(b'"')));
        let backslash = zero(word ^ (ONES * u64::from(b'\\')));
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        quote | backslash | control
    };
    let (chunks, rest) = bytes.as_chunks::<8>();
    for (nth, chunk) in chunks.iter().enumerate() {
        let hit = hits(chunk);
        if hit != 0 {
            return 8 * nth + (hit.trailing_zeros() / 8) as usize;
        }
    }
    // The last eight again, of which those that were looked at already are no hit.
    match bytes.last_chunk() {
        Some(last) if hits(last) == 0 => bytes.len(),
        Some(last) => bytes.len() - 8 + (hits(last).trailing_zeros() / 8) as usize,
        None => plain_run_of_few(rest),
    }
}

/// The same for fewer than eight bytes, which is what most names are.
fn plain_run_of_few(bytes: &[u8]) -> usize {
    bytes.iter().position(|b| matches!(b, b'"' | b'\\' | ..0x20)).unwrap_or(bytes.len())
}
