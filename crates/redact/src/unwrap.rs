//! Text inside text: base64 and percent-encoding. (JSON inside text is read by `event::json`, and walked like the rest.)

/// Shorter than this, nothing that a rule could recognise fits.
pub(crate) const BASE64_MIN: usize = 16;

/// Six bits of each letter of either alphabet (RFC 4648, 4 and 5); 64 for the ends of lines in MIME, 65 for anything else.
static SIX: [u8; 256] = {
    let mut six = [65u8; 256];
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut i = 0;
    while i < letters.len() {
        six[letters[i] as usize] = i as u8;
        i += 1;
    }
    six[b'+' as usize] = 62;
    six[b'-' as usize] = 62;
    six[b'/' as usize] = 63;
    six[b'_' as usize] = 63;
    six[b'\r' as usize] = 64;
    six[b'\n' as usize] = 64;
    six
};

/// Whether a byte of a run of base64 is no letter or digit.
pub(crate) fn is_mark(byte: u8) -> bool {
    SIX[usize::from(byte)] >= 62
}

/// The text that `encoded` is base64 or base64url of, padded or not; `None` if it is not text.
///
/// Nearly everything that is asked about here is an id or a hash. Those give themselves away in the first few bytes, so it
/// gives up at the first control character or broken one.
pub(crate) fn base64(encoded: &[u8]) -> Option<String> {
    let encoded = encoded.strip_suffix(b"==").or_else(|| encoded.strip_suffix(b"=")).unwrap_or(encoded);
    if !begins_as_text(encoded) {
        return None;
    }
    let mut out = Vec::new();
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in encoded {
        match SIX[usize::from(*byte)] {
            64 => continue,
            65 => return None,
            six => bits = bits << 6 | u32::from(six),
        }
        held += 6;
        if held >= 8 {
            held -= 8;
            let byte = (bits >> held) as u8;
            bits &= (1 << held) - 1;
            if !is_in_text(byte) {
                return None;
            }
            // 80 to BF go on with a character, and nothing else does.
            let goes_on = (0x80..0xc0).contains(&byte);
            match out.last() {
                None | Some(..0x80) if goes_on => return None,
                Some(0xc0..) if !goes_on => return None,
                None => out.reserve(encoded.len() / 4 * 3 + 3),
                Some(_) => {}
            }
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

/// Whether the first twelve bytes could be those of a text. Where lines end in them is not looked at further.
fn begins_as_text(encoded: &[u8]) -> bool {
    encoded.as_chunks::<4>().0.iter().take(4).all(|four| {
        let [a, b, c, d] = four.map(|byte| u32::from(SIX[usize::from(byte)]));
        if (a | b | c | d) & 64 != 0 {
            return true;
        }
        let [_, three @ ..] = (a << 18 | b << 12 | c << 6 | d).to_be_bytes();
        three.into_iter().all(is_in_text)
    })
}

/// Control characters are not in texts, and F8 and up never in UTF-8.
fn is_in_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\r' | b'\n' | 0x20..=0x7e | 0x80..=0xf7)
}

/// The runs of base64 letters of at least [`BASE64_MIN`] in a text: start and end in bytes.
pub(crate) fn base64_runs(text: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        // A run this long covers every sixteenth byte, so most of the text need not be looked at.
        while let Some(probe) = text.get(at + BASE64_MIN - 1) {
            if SIX[usize::from(*probe)] == 65 {
                at += BASE64_MIN;
                continue;
            }
            let probe = at + BASE64_MIN - 1;
            let start =
                text[at..probe].iter().rposition(|b| SIX[usize::from(*b)] == 65).map_or(at, |n| at + n + 1);
            let after = text[probe..].iter().position(|b| SIX[usize::from(*b)] == 65);
            let end = after.map_or(text.len(), |n| probe + n);
            at = end + 1;
            if end - start >= BASE64_MIN {
                // Padding belongs to the run.
                let padding = text[end..].iter().take(2).take_while(|b| **b == b'=').count();
                return Some((start, end + padding));
            }
        }
        None
    })
}

/// The text with `%41` read as `A`; `None` if there is nothing to read, or if it is no text then.
pub(crate) fn percent(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let hex = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    let mut read = false;
    while let Some(&byte) = bytes.get(at) {
        match (byte, hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high << 4 | low) as u8);
                at += 3;
                read = true;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    if read { String::from_utf8(out).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_in_both_alphabets_and_only_if_it_is_text() {
        assert_eq!(base64(b"cGFzc3dvcmQ9aHVudGVyMg==").as_deref(), Some("password=hunter2"));
        assert_eq!(base64(b"cGFzc3dvcmQ9\r\naHVudGVyMg").as_deref(), Some("password=hunter2"));
        assert_eq!(base64("w7zDvMO8Pz8_".as_bytes()).as_deref(), Some("üüü???"));
        assert_eq!(base64(b"4bf92f3577b34da6a3ce929d0e0e4736"), None);
        assert_eq!(base64(b"a b"), None);
    }

    #[test]
    fn runs_are_found_wherever_they_lie() {
        for before in 0..40 {
            for length in 14..40 {
                let text = format!("{}{} tail", " ".repeat(before), "A".repeat(length));
                let runs: Vec<_> = base64_runs(text.as_bytes()).collect();
                let expected = if length >= BASE64_MIN { vec![(before, before + length)] } else { vec![] };
                assert_eq!(runs, expected, "{before} {length}");
            }
        }
        assert_eq!(base64_runs(b"x:AAAAAAAAAAAAAAAAAA==,y").collect::<Vec<_>>(), [(2, 22)]);
    }

    #[test]
    fn percent_is_read_once() {
        assert_eq!(percent("a%3Db%26c").as_deref(), Some("a=b&c"));
        assert_eq!(percent("100% sure"), None);
        assert_eq!(percent("%ff"), None);
    }
}
