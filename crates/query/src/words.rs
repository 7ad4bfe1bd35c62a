//! Text as it is compared and searched. The index makes its terms with these same functions, so that it and the
//! predicate cannot differ.

use std::borrow::Cow;
use std::net::IpAddr;

use event::Number;

/// A longer word is cut to so many bytes (at a character), in events and in filters alike.
pub const WORD_BYTES: usize = 64;

/// Text without regard to case: Unicode lowercase, character by character, so that it does not depend on neighbours.
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_folded) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().flat_map(char::to_lowercase).collect())
}

fn is_folded(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_uppercase();
    }
    let mut lower = c.to_lowercase();
    lower.next() == Some(c) && lower.next().is_none()
}

/// Whether `text` folds to `folded`.
pub(crate) fn folds_to(text: &str, folded: &str) -> bool {
    if text.is_ascii() {
        return text.eq_ignore_ascii_case(folded);
    }
    text.chars().flat_map(char::to_lowercase).eq(folded.chars())
}

/// The words of a text: runs of letters and digits (`char::is_alphanumeric`), folded, then cut to [`WORD_BYTES`].
pub fn words(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    runs(text).map(word)
}

fn runs(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty())
}

fn word(run: &str) -> Cow<'_, str> {
    let cut = |text: &str| text.floor_char_boundary(WORD_BYTES);
    match fold(run) {
        Cow::Borrowed(text) => Cow::Borrowed(&text[..cut(text)]),
        Cow::Owned(mut text) => {
            text.truncate(cut(&text));
            Cow::Owned(text)
        }
    }
}

/// Whether a value is an id rather than text, so that it is searched whole and never by its words: a UUID, 16 or more
/// hexadecimal digits, or 20 or more of `A-Z a-z 0-9 _ -` of which at least a quarter are digits.
pub fn is_unique(value: &str) -> bool {
    let bytes = value.as_bytes();
    if bytes.len() < 16 || !bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')) {
        return false;
    }
    if bytes.iter().all(u8::is_ascii_hexdigit) {
        return true;
    }
    let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
    (bytes.len() >= 20 && digits * 4 >= bytes.len()) || is_uuid(bytes)
}

fn is_uuid(bytes: &[u8]) -> bool {
    let at = |(i, b): (usize, &u8)| match i {
        8 | 13 | 18 | 23 => *b == b'-',
        _ => b.is_ascii_hexdigit(),
    };
    bytes.len() == 36 && bytes.iter().enumerate().all(at)
}

/// The number that a text is, the only such reading there is: `-?digits(.digits)?(e±digits)?`, of at most 2^53 − 1 in size,
/// never −0. Larger ones are ids, of which a double would take two for one; they are compared as text.
pub fn decimal(text: &str) -> Option<f64> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let unsigned = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let well_formed = match unsigned.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(unsigned),
    } && exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e)));
    if !well_formed {
        return None;
    }
    text.parse().ok().and_then(Number::from_f64).map(Number::as_f64)
}

/// The address that a text is; an IPv4 address written as IPv6 (`::ffff:10.0.0.1`) is the IPv4 address.
pub fn address(text: &str) -> Option<IpAddr> {
    // The longest is an IPv6 address with the last four bytes in decimal.
    if text.len() > 45 || !text.contains(['.', ':']) {
        return None;
    }
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// Words that are looked for one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Phrase {
    words: Vec<String>,
    /// Knuth, Morris and Pratt: how many words of the phrase still match where word `i` does not, so that a text is read
    /// once however often the phrase begins in it.
    fallback: Vec<usize>,
}

impl Phrase {
    pub(crate) fn new(text: &str) -> Phrase {
        let words: Vec<String> = words(text).map(Cow::into_owned).collect();
        let mut fallback = vec![0; words.len()];
        let mut matched = 0;
        for at in 1..words.len() {
            fallback[at] = matched;
            while matched > 0 && words[at] != words[matched] {
                matched = fallback[matched];
            }
            matched += usize::from(words[at] == words[matched]);
        }
        Phrase { words, fallback }
    }

    /// Whether the phrase occurs; one without words occurs nowhere.
    pub(crate) fn occurs_in(&self, text: &str) -> bool {
        let mut matched = 0;
        !self.words.is_empty()
            && runs(text).any(|run| {
                while matched > 0 && !same(run, &self.words[matched]) {
                    matched = self.fallback[matched];
                }
                matched += usize::from(same(run, &self.words[matched]));
                matched == self.words.len()
            })
    }
}

fn same(run: &str, word: &str) -> bool {
    if run.is_ascii() {
        return run[..run.len().min(WORD_BYTES)].eq_ignore_ascii_case(word);
    }
    self::word(run) == word
}

/// Whether some word of the text begins so; `start` is folded.
pub(crate) fn a_word_begins(text: &str, start: &str) -> bool {
    runs(text).any(|run| {
        if run.is_ascii() {
            let cut = run.len().min(WORD_BYTES).min(start.len());
            return run[..cut].eq_ignore_ascii_case(start);
        }
        word(run).starts_with(start)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_folded_and_cut_into_words() {
        assert_eq!(fold("Straße ΣΑΣ İ"), "straße σασ i\u{307}");
        assert!(matches!(fold("already small ß"), Cow::Borrowed(_)));
        let all = |text: &str| words(text).collect::<Vec<_>>().join("|");
        assert_eq!(all("Alice@Example.com"), "alice|example|com");
        assert_eq!(all("pii_detected: 3×, ÉTÉ 東京"), "pii|detected|3|été|東京");
        assert_eq!(all("—!"), "");
        assert_eq!(all(&"A".repeat(100)), "a".repeat(64));
        assert_eq!(all(&"é".repeat(33)), "é".repeat(32));
        assert_eq!(all(&format!("x{}", "é".repeat(33))), format!("x{}", "é".repeat(31)));
    }

    #[test]
    fn ids_are_told_from_text() {
        for id in [
            "550E8400-e29b-41d4-a716-446655440000",
            "0123456789abcdef",
            "chatcmpl-0123456789abc",
            "12345678901234567890",
            "abcdefghijklmno12345",
        ] {
            assert!(is_unique(id), "{id}");
        }
        for text in [
            "",
            "0123456789abcde",
            "0123456789abcdeg",
            "abcdefghijklmnop1234",
            "a-rather-long-slug-with-2-digits",
            "550e8400-e29b-41d4-a716-44665544000g with a space",
            "claude-sonnet-4-20250514x ",
        ] {
            assert!(!is_unique(text), "{text}");
        }
    }

    #[test]
    fn numbers_and_addresses_have_one_reading() {
        assert_eq!(decimal("5"), Some(5.0));
        assert_eq!(decimal("-5.50"), Some(-5.5));
        assert_eq!(decimal("007"), Some(7.0));
        assert_eq!(decimal("1e-7"), Some(1e-7));
        assert_eq!(decimal("-0").map(f64::to_bits), Some(0));
        assert_eq!(decimal("9007199254740991"), Some(9_007_199_254_740_991.0));
        for text in ["", "-", "+5", "5.", ".5", "1e", "0x1F", "inf", "NaN", "9007199254740992", "1e400", " 5"]
        {
            assert_eq!(decimal(text), None, "{text}");
        }
        assert_eq!(address("::ffff:10.0.0.1"), address("10.0.0.1"));
        assert_eq!(address("2001:DB8::0:1"), address("2001:db8::1"));
        assert!(
            address("10.0.0.1").is_some() && address("10.0.0").is_none() && address("localhost").is_none()
        );
    }

    #[test]
    fn a_phrase_that_repeats_itself_is_found() {
        let check = |phrase: &str, text: &str| Phrase::new(phrase).occurs_in(text);
        assert!(check("a b a c", "a b a b a c"));
        assert!(check("a a b", "a a a b"));
        assert!(!check("a b", "a c b"));
        assert!(!check("", "a"));
        assert!(a_word_begins("It Failed", "fail") && !a_word_begins("unfailing", "fail"));
        assert!(!a_word_begins("fai", "fail"));
    }
}
