//! An API key as text: `ind_<env>_<key id>_<secret><check>`.
//!
//! The beginning is for people and for scanners that look for leaked secrets, the key id for looking the key up, and the
//! check (CRC-32C) tells a mistyped key apart from a wrong one without asking anybody.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

const KEY_ID: usize = 12;
const SECRET: usize = 43;
const CHECK: usize = 6;
/// `ind_live_`, and `ind_test_`.
const HEAD: usize = 9;
/// Every credential has this length.
const LENGTH: usize = HEAD + KEY_ID + 1 + SECRET + CHECK;
const PREFIX: usize = HEAD + KEY_ID;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What a key is meant for. Both work alike; the word is there for people and scanners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// Real events.
    Live,
    /// Trials.
    Test,
}

/// A new API key. Dropping it overwrites the secret; `Debug` does not show it.
pub struct Credential {
    text: Zeroizing<String>,
}

/// A credential that somebody sent, well formed. Whether it is right is for the keyed hash to say.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Parsed<'t> {
    /// What it is meant for.
    pub environment: Environment,
    /// Which key it claims to be: 12 of `0-9 A-Z a-z`.
    pub key_id: &'t str,
    text: &'t str,
}

/// Why a text is no credential. Never repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// It does not begin with `ind_live_` or `ind_test_`: it is somebody else's, or no key at all.
    NotOurs,
    /// Too short, too long, or with characters that no key has.
    Form,
    /// The check at its end is not that of the rest: mistyped, or cut and filled.
    Check,
}

impl Environment {
    /// The word in the credential.
    pub fn name(self) -> &'static str {
        match self {
            Environment::Live => "live",
            Environment::Test => "test",
        }
    }
}

impl Credential {
    /// Bytes of chance that [`Credential::generate`] needs.
    pub const RANDOM: usize = 16 + Credential::RANDOM_SECRET;
    /// Bytes of chance that [`Credential::renew`] needs.
    pub const RANDOM_SECRET: usize = 32;

    /// A new key. `random` must come from the system's generator, and nobody may have seen it.
    pub fn generate(environment: Environment, mut random: [u8; Credential::RANDOM]) -> Credential {
        let (id, secret) = random.split_at(16);
        // 128 bits onto 62^12 ids: no id is likelier than another by more than 2^-56.
        let key_id = base62::<KEY_ID>(id);
        let credential = build(environment, &key_id, secret);
        random.zeroize();
        credential
    }

    /// A new secret for a key that there is, for its rotation. `None` if that is no key id.
    pub fn renew(
        environment: Environment,
        key_id: &str,
        mut random: [u8; Credential::RANDOM_SECRET],
    ) -> Option<Credential> {
        let fits = key_id.len() == KEY_ID && key_id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let credential = fits.then(|| build(environment, key_id.as_bytes(), &random));
        random.zeroize();
        credential
    }

    /// Reads what somebody sent as a key. Looks at no more than 71 bytes.
    pub fn parse(text: &str) -> Result<Parsed<'_>, Malformed> {
        let environment = match text.as_bytes().get(..HEAD) {
            Some(b"ind_live_") => Environment::Live,
            Some(b"ind_test_") => Environment::Test,
            _ => return Err(Malformed::NotOurs),
        };
        let is_digit =
            |at: usize, byte: u8| if at == PREFIX { byte == b'_' } else { byte.is_ascii_alphanumeric() };
        let fits =
            text.len() == LENGTH && text.bytes().enumerate().skip(HEAD).all(|(at, byte)| is_digit(at, byte));
        if !fits {
            return Err(Malformed::Form);
        }
        let (body, check) = text.split_at(LENGTH - CHECK);
        if check.as_bytes() != checksum(body.as_bytes()) {
            return Err(Malformed::Check);
        }
        Ok(Parsed { environment, key_id: &text[HEAD..PREFIX], text })
    }

    /// Which key it is: 12 of `0-9 A-Z a-z`.
    pub fn key_id(&self) -> &str {
        &self.text[HEAD..PREFIX]
    }

    /// The part that may be shown in lists: `ind_live_` and the key id.
    pub fn prefix(&self) -> &str {
        &self.text[..PREFIX]
    }

    /// What the keyed hash is made over: the whole text.
    pub fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// The whole text, to be shown once to whoever asked for the key. There is no second time: this takes the credential.
    pub fn reveal(mut self) -> String {
        std::mem::take(&mut *self.text)
    }
}

impl<'t> Parsed<'t> {
    /// What the keyed hash is made over: the whole text.
    pub fn bytes(&self) -> &'t [u8] {
        self.text.as_bytes()
    }

    /// The part that may be shown: `ind_live_` and the key id.
    pub fn prefix(&self) -> &'t str {
        &self.text[..PREFIX]
    }
}

fn build(environment: Environment, key_id: &[u8], secret: &[u8]) -> Credential {
    // All of the room at once: a string that grows leaves its former self in memory.
    let mut text = Zeroizing::new(String::with_capacity(LENGTH));
    let secret = Zeroizing::new(base62::<SECRET>(secret));
    text.push_str("ind_");
    text.push_str(environment.name());
    text.push('_');
    text.extend(key_id.iter().copied().map(char::from));
    text.push('_');
    text.extend(secret.iter().copied().map(char::from));
    let check = checksum(text.as_bytes());
    text.extend(check.map(char::from));
    Credential { text }
}

fn checksum(body: &[u8]) -> [u8; CHECK] {
    // 62^6 is more than 2^32, so no two checksums share their digits.
    base62(&crc32c::crc32c(body).to_be_bytes())
}

/// The lowest `N` digits to base 62 of a number, highest first. The number is at most 32 bytes, highest first.
fn base62<const N: usize>(number: &[u8]) -> [u8; N] {
    let mut left = Zeroizing::new([0; 32]);
    left[..number.len()].copy_from_slice(number);
    let mut digits = [0; N];
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0;
        for byte in &mut left[..number.len()] {
            let part = remainder << 8 | usize::from(*byte);
            *byte = (part / 62) as u8;
            remainder = part % 62;
        }
        *digit = DIGITS[remainder];
    }
    digits
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({}_…)", self.prefix())
    }
}

impl fmt::Debug for Parsed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parsed({}_…)", self.prefix())
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Malformed::NotOurs => "not one of our keys: they begin with ind_live_ or ind_test_",
            Malformed::Form => "not a whole key: a key has 71 characters",
            Malformed::Check => "a mistyped key: its last six characters do not fit the rest",
        })
    }
}

impl std::error::Error for Malformed {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn random<const N: usize>(seed: u32) -> [u8; N] {
        // A linear congruential generator: any bytes will do.
        let mut state = seed;
        std::array::from_fn(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
    }

    fn new(seed: u32) -> Credential {
        let environment = if seed.is_multiple_of(2) { Environment::Live } else { Environment::Test };
        Credential::generate(environment, random(seed))
    }

    #[test]
    fn ten_thousand_keys_parse_and_differ() {
        let mut ids = BTreeSet::new();
        for seed in 0..10_000 {
            let key = new(seed);
            let (id, prefix) = (key.key_id().to_owned(), key.prefix().to_owned());
            let hashed = key.bytes().to_owned();
            let text = key.reveal();
            let parsed = Credential::parse(&text).unwrap();
            assert_eq!((parsed.key_id, parsed.prefix(), parsed.bytes()), (&*id, &*prefix, &*hashed));
            assert_eq!(text.len(), 71);
            assert!(ids.insert(id), "an id twice");
        }
    }

    #[test]
    fn every_change_of_one_character_is_malformed() {
        let text = new(4711).reveal();
        let mut checks = 0;
        for at in 0..text.len() {
            for other in (0..=127).map(char::from) {
                let mut changed: Vec<char> = text.chars().collect();
                if std::mem::replace(&mut changed[at], other) == other {
                    continue;
                }
                let changed: String = changed.into_iter().collect();
                checks += usize::from(Credential::parse(&changed).expect_err(&changed) == Malformed::Check);
            }
        }
        // 61 other digits at each place but the head and the underscore: no CRC-32 misses a single byte.
        assert_eq!(checks, 61 * (71 - 9 - 1));
    }

    #[test]
    fn cut_grown_and_strange_texts_are_malformed() {
        let text = new(1).reveal();
        for end in 0..text.len() {
            assert!(Credential::parse(&text[..end]).is_err());
        }
        for (wrong, why) in [
            (format!("{text}0"), Malformed::Form),
            (text.replace("ind_test", "ind_live"), Malformed::Check),
            (text.replace("ind_", "IND_"), Malformed::NotOurs),
            ("sk-1234567890".into(), Malformed::NotOurs),
            (format!("ind_test_{}", "é".repeat(31)), Malformed::Form),
            (format!("ind_test_{}", "_".repeat(62)), Malformed::Form),
        ] {
            assert_eq!(Credential::parse(&wrong), Err(why), "{wrong}");
        }
    }

    #[test]
    fn the_text_is_what_it_was() {
        // Reckoned by a second program, from the format. Keys in the field must go on to parse.
        let text = Credential::generate(Environment::Live, std::array::from_fn(|i| i as u8)).reveal();
        assert_eq!(text, "ind_live_xkEgOGusQGwp_3oDH4mEVFvp7u7ED6UzpF5eHPrBI5AHumY7UBpOQIJz459rpA");
    }

    #[test]
    fn a_rotated_key_keeps_its_id() {
        let old = new(2);
        let renewed = Credential::renew(Environment::Live, old.key_id(), random(99)).unwrap();
        assert_eq!(renewed.key_id(), old.key_id());
        assert_ne!(renewed.bytes(), old.bytes());
        assert!(Credential::parse(&renewed.reveal()).is_ok());
        for wrong in ["", "short", "0123456789_1", "0123456789ABC", "éééééé"] {
            assert!(Credential::renew(Environment::Live, wrong, random(1)).is_none());
        }
    }

    #[test]
    fn the_secret_is_not_in_debug() {
        let key = new(3);
        let shown = format!("{key:?}");
        let text = key.reveal();
        let parsed = format!("{:?}", Credential::parse(&text).unwrap());
        assert_eq!(shown, format!("Credential({}_…)", &text[..21]));
        assert_eq!(parsed, format!("Parsed({}_…)", &text[..21]));
    }

    #[test]
    fn extremes_of_chance_have_the_same_length() {
        for bytes in [[0; 48], [255; 48]] {
            assert!(Credential::parse(&Credential::generate(Environment::Live, bytes).reveal()).is_ok());
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,90}", tail in "[0-9A-Za-z_]{0,80}") {
            let _ = Credential::parse(&text);
            let _ = Credential::parse(&format!("ind_live_{tail}"));
            let _ = Credential::renew(Environment::Test, &text, [7; 32]);
        }
    }
}
