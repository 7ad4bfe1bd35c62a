//! What is kept of a secret.

use std::fmt;

use subtle::ConstantTimeEq;

/// A keyed hash (HMAC-SHA-256) of a credential's whole text, made by whoever holds the key.
///
/// Two of them are compared in constant time. `Debug` shows nothing.
#[derive(Clone, Copy)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// From the bytes of the keyed hash.
    pub fn new(bytes: [u8; 32]) -> SecretHash {
        SecretHash(bytes)
    }

    /// The bytes, to be kept.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 lower-case hex digits.
    pub fn to_hex(&self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digits = self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
    }

    /// From 64 hex digits.
    pub fn from_hex(text: &str) -> Option<SecretHash> {
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != 32 || !rest.is_empty() {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(SecretHash(bytes))
    }
}

impl PartialEq for SecretHash {
    fn eq(&self, other: &SecretHash) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretHash {}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_goes_there_and_back_and_anything_else_is_refused() {
        let hash = SecretHash::new(std::array::from_fn(|i| (i * 37) as u8));
        assert_eq!(SecretHash::from_hex(&hash.to_hex()), Some(hash));
        assert_eq!(&hash.to_hex()[..8], "00254a6f");
        for wrong in
            ["", "00", &"0".repeat(63), &"0".repeat(65), &"+0".repeat(32), &"g0".repeat(32), &"é".repeat(32)]
        {
            assert_eq!(SecretHash::from_hex(wrong), None, "{wrong}");
        }
        assert_ne!(hash, SecretHash::new([0; 32]));
        assert_eq!(format!("{hash:?}"), "SecretHash(…)");
    }
}
