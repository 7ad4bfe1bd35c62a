//! SHA-256, told apart by what it is over.

use crate::b64;
use crate::error::{Error, malformed};
use sha2::{Digest, Sha256};

/// A SHA-256 hash: of a leaf, of a tree node, or of a section with its salt.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads a hash from exactly 32 bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Hash> {
        bytes.try_into().ok().map(Hash)
    }

    /// Standard base64 with padding: 44 characters.
    pub fn to_b64(&self) -> String {
        b64::encode(self.0)
    }

    /// Reads what [`Hash::to_b64`] writes, and nothing else.
    pub fn from_b64(text: &str) -> Result<Hash, Error> {
        if text.len() != 44 {
            return Err(malformed("a hash is not 44 characters of base64"));
        }
        let bytes = b64::decode(text).ok_or_else(|| malformed("a hash is not base64"))?;
        Hash::from_slice(&bytes).ok_or_else(|| malformed("a hash is not 32 bytes"))
    }
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // One of these is in every receipt: by hand, as formatting byte by byte takes thirty times as long.
        let mut digits = [0; 64];
        for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(self.0) {
            *pair = [byte >> 4, byte & 15].map(|nibble| b"0123456789abcdef"[usize::from(nibble)]);
        }
        f.write_str(std::str::from_utf8(&digits).expect("digits are ASCII"))
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// The hash of a leaf: `SHA-256(0x00 || leaf)` (RFC 6962, section 2.1).
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Hash(Sha256::new().chain_update([0]).chain_update(leaf).finalize().into())
}

/// The hash of an inner node: `SHA-256(0x01 || left || right)` (RFC 6962, section 2.1).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut input = [1; 65];
    input[1..33].copy_from_slice(&left.0);
    input[33..].copy_from_slice(&right.0);
    Hash(Sha256::digest(input).into())
}

/// The root of the empty tree: `SHA-256("")` (RFC 6962, section 2.1).
pub const fn empty_root() -> Hash {
    Hash([
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
        0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_rfc_6962_does() {
        assert_eq!(empty_root(), Hash(Sha256::digest(b"").into()));
        // From the test data of certificate-transparency: an empty leaf, and the node over it and 0x00.
        let empty = leaf_hash(b"");
        assert_eq!(empty.to_string(), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
        assert_eq!(
            node_hash(&empty, &leaf_hash(&[0])).to_string(),
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
        );
    }

    #[test]
    fn base64_is_read_strictly() {
        let text = leaf_hash(b"x").to_b64();
        assert_eq!(Hash::from_b64(&text), Ok(leaf_hash(b"x")));
        assert!(Hash::from_b64(text.trim_end_matches('=')).is_err());
        assert!(Hash::from_b64(&format!("{text}=")).is_err());
        assert!(Hash::from_b64(&format!(" {}", &text[1..])).is_err());
        // The last character before the padding carries four bits; the other two must be zero.
        let stray: String = text[..42].to_owned() + "B=";
        assert!(Hash::from_b64(&stray).is_err());
    }
}
