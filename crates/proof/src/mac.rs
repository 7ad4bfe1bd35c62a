//! HMAC-SHA256 (RFC 2104) over leaves: says to holders of the key that a leaf was made by one of them.

use crate::error::{Error, contradicts, malformed};
use crate::hash::Hash;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

/// An `hmac_key`: at least 32 bytes, wiped from memory when dropped, never shown.
#[derive(Clone)]
pub struct MacKey {
    /// The key as HMAC uses it: padded with zeros to one block, or hashed first if longer.
    block: Zeroizing<[u8; 64]>,
    id: [u8; 8],
}

/// A leaf's tag, and which key made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mac {
    /// [`MacKey::id`] of the key.
    pub key_id: [u8; 8],
    /// HMAC-SHA256.
    pub tag: [u8; 32],
}

impl MacKey {
    /// Takes a key. Refused below 32 bytes.
    pub fn new(key: &[u8]) -> Result<MacKey, Error> {
        if key.len() < 32 {
            return Err(malformed("an hmac key needs at least 32 bytes"));
        }
        let digest = Sha256::new().chain_update(b"indelible/mac-key\0").chain_update(key).finalize();
        let mut id = [0; 8];
        id.copy_from_slice(&digest[..8]);
        Ok(MacKey { block: key_block(key), id })
    }

    /// Names the key without giving it away: the first 8 bytes of
    /// `SHA-256("indelible/mac-key" || 0x00 || key)`.
    pub fn id(&self) -> [u8; 8] {
        self.id
    }

    /// The tag over a leaf's bytes before `has_mac`, in the ledger named `origin`
    /// (docs/format.md 1.2). An origin is shorter than 65 536 bytes.
    pub fn tag(&self, origin: &str, leaf_before_mac: &[u8]) -> Mac {
        let len = u16::try_from(origin.len()).unwrap_or(u16::MAX).to_be_bytes();
        let tag = hmac(&self.block, &[b"indelible/mac/v1\0", &len, origin.as_bytes(), leaf_before_mac]);
        Mac { key_id: self.id, tag: tag.0 }
    }

    /// Checks a tag, in constant time. [`Error::Missing`] if another key made it.
    pub fn verify(&self, origin: &str, leaf_before_mac: &[u8], mac: &Mac) -> Result<(), Error> {
        if mac.key_id != self.id {
            return Err(Error::Missing("the leaf's tag was made with another hmac key".into()));
        }
        let expected = self.tag(origin, leaf_before_mac);
        if bool::from(expected.tag.ct_eq(&mac.tag)) {
            Ok(())
        } else {
            Err(contradicts("the leaf contradicts its hmac tag"))
        }
    }
}

impl std::fmt::Debug for MacKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MacKey({:016x})", u64::from_be_bytes(self.id))
    }
}

fn key_block(key: &[u8]) -> Zeroizing<[u8; 64]> {
    let mut block = Zeroizing::new([0; 64]);
    if key.len() <= 64 {
        block[..key.len()].copy_from_slice(key);
    } else {
        block[..32].copy_from_slice(&Sha256::digest(key));
    }
    block
}

/// `H(K ^ opad || H(K ^ ipad || message))` (RFC 2104, section 2).
fn hmac(key: &[u8; 64], message: &[&[u8]]) -> Hash {
    let mut pad = key.map(|byte| byte ^ 0x36);
    let mut inner = Sha256::new().chain_update(pad);
    for part in message {
        inner.update(part);
    }
    pad = key.map(|byte| byte ^ 0x5c);
    let outer = Sha256::new().chain_update(pad).chain_update(inner.finalize());
    pad.zeroize();
    Hash(outer.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(key: &[u8], message: &[u8], expected: &str) {
        assert_eq!(hmac(&key_block(key), &[message]).to_string(), expected);
    }

    #[test]
    fn rfc_4231_vectors() {
        check(&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
        check(
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        );
        check(&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
        check(
            &(1..=25).collect::<Vec<u8>>(),
            &[0xcd; 50],
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
        );
        check(
            &[0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        );
        check(
            &[0xaa; 131],
            b"This is a test using a larger than block-size key and a larger than block-size data. \
              The key needs to be hashed before being used by the HMAC algorithm.",
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
        );
    }

    #[test]
    fn a_short_key_is_refused_and_no_key_is_shown() {
        assert!(MacKey::new(&[7; 31]).is_err());
        let key = MacKey::new(&[7; 32]).unwrap();
        assert!(!format!("{key:?}").contains("7, 7"));
    }

    #[test]
    fn a_tag_holds_for_one_ledger_only() {
        let key = MacKey::new(&[7; 32]).unwrap();
        let mac = key.tag("a.example/1", b"leaf");
        assert_eq!(key.verify("a.example/1", b"leaf", &mac), Ok(()));
        assert!(matches!(key.verify("a.example/2", b"leaf", &mac), Err(Error::Contradicts(_))));
        assert!(matches!(key.verify("a.example/1", b"leaves", &mac), Err(Error::Contradicts(_))));
        let other = MacKey::new(&[8; 32]).unwrap();
        assert!(matches!(other.verify("a.example/1", b"leaf", &mac), Err(Error::Missing(_))));
    }
}
