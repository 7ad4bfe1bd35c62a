//! Secrets and what is done with them: sealing bytes, wrapping keys, salts, keyed hashes.
//!
//! Key-encryption key → organisation key → segment keys. Each step is AES-256-GCM with the
//! purpose and the place as associated data, so that a key cannot be moved to where another belongs.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::hkdf;
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use zeroize::Zeroize;

use crate::io::Io;

/// Bytes that AES-256-GCM adds: the tag.
pub(crate) const TAG: usize = 16;
/// A wrapped 32-byte key: nonce, ciphertext, tag.
pub(crate) const WRAPPED: usize = 12 + 32 + TAG;

/// A 32-byte secret. It is wiped when dropped and never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

impl Secret {
    /// Takes the bytes of a key.
    pub fn new(bytes: [u8; 32]) -> Secret {
        Secret(bytes)
    }

    /// A fresh one.
    pub fn random(io: &dyn Io) -> Secret {
        let mut bytes = [0; 32];
        io.random(&mut bytes);
        Secret(bytes)
    }

    /// The bytes themselves.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A key for one purpose, by HKDF-SHA256 (RFC 5869) with `info` as the purpose.
    pub(crate) fn derive(&self, info: &str) -> Secret {
        let mut out = [0; 32];
        let parts = [info.as_bytes()];
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, b"indelible/v1").extract(&self.0);
        prk.expand(&parts, hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut out))
            .expect("32 bytes are one block");
        Secret(out)
    }

    /// Eight bytes that tell keys apart and say nothing about them.
    pub fn id(&self) -> [u8; 8] {
        let tag = self.derive("key-id");
        tag.0[..8].try_into().expect("8 of 32")
    }

    /// A keyed hash for one purpose.
    pub fn tag(&self, purpose: &str, bytes: &[u8]) -> [u8; 32] {
        Keyed::new(&self.derive(purpose)).tag(&[bytes])
    }

    /// Encrypts something small that is kept outside the ledger's files, for `place`: nonce, ciphertext, tag.
    /// At most 2^32 times with one key (NIST SP 800-38D, 8.3).
    pub fn seal(&self, io: &dyn Io, place: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; 12];
        io.random(&mut nonce);
        let mut body = plain.to_vec();
        Sealer::new(self).seal(nonce, place, &mut body);
        let mut sealed = nonce.to_vec();
        sealed.extend(body);
        sealed
    }

    /// Opens what [`Secret::seal`] made. `None`: another key, another place, or changed bytes.
    pub fn open(&self, place: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, body) = sealed.split_at_checked(12)?;
        let mut body = body.to_vec();
        Some(Sealer::new(self).open(nonce.try_into().ok()?, place, &mut body)?.to_vec())
    }

    /// Wraps another key under this one for `place`.
    pub(crate) fn wrap(&self, io: &dyn Io, key: &Secret, place: &[u8]) -> [u8; WRAPPED] {
        let mut out = [0; WRAPPED];
        let mut nonce = [0; 12];
        io.random(&mut nonce);
        let mut body = key.0.to_vec();
        Sealer::new(self).seal(nonce, place, &mut body);
        out[..12].copy_from_slice(&nonce);
        out[12..].copy_from_slice(&body);
        body.zeroize();
        out
    }

    /// Opens what [`Secret::wrap`] made. `None`: another key, another place, or changed bytes.
    pub(crate) fn unwrap(&self, wrapped: &[u8], place: &[u8]) -> Option<Secret> {
        let (nonce, body) = wrapped.split_at_checked(12)?;
        let mut body = body.to_vec();
        let plain = Sealer::new(self).open(nonce.try_into().ok()?, place, &mut body)?;
        let key = Secret(plain.as_ref().try_into().ok()?);
        body.zeroize();
        Some(key)
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Encrypts and decrypts with one data key. Nonces are random, 96 bits, so one key serves at most
/// a segment (thousands of frames), far from the 2^32 messages that GCM with random nonces permits.
pub(crate) struct Sealer(LessSafeKey);

impl Sealer {
    pub(crate) fn new(key: &Secret) -> Sealer {
        Sealer(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key.0).expect("32 bytes are a key")))
    }

    /// Encrypts in place and appends the tag.
    pub(crate) fn seal(&self, nonce: [u8; 12], context: &[u8], body: &mut Vec<u8>) {
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), body)
            .expect("a frame is below GCM's 64 GiB");
    }

    /// Decrypts in place. `None` if the tag does not hold: other key, other context, or changed bytes.
    pub(crate) fn open<'a>(
        &self,
        nonce: [u8; 12],
        context: &[u8],
        body: &'a mut [u8],
    ) -> Option<&'a mut [u8]> {
        self.0.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(context), body).ok()
    }
}

/// Salts of a segment's sections, from its salt key: salt of slot `s` at position `p` is the
/// AES-256-CTR keystream block `p * 8 + s`, so that a run of positions costs one pass of AES.
/// Without the key they are as good as random. Erasing a section writes the salts of its
/// neighbours out and destroys the key (format.md, 2.6).
pub(crate) struct Salts(EncryptingKey);

/// Slots reserved for each position.
pub(crate) const SLOTS: usize = 8;

impl Salts {
    pub(crate) fn new(key: &Secret) -> Salts {
        let key = UnboundCipherKey::new(&AES_256, &key.0).expect("32 bytes are a key");
        Salts(EncryptingKey::ctr(key).expect("AES-256 has a counter mode"))
    }

    /// Salts of `count` positions from `first` on; 8 of 16 bytes each.
    pub(crate) fn of(&self, first: u64, count: usize) -> Vec<[[u8; 16]; SLOTS]> {
        let counter = u128::from(first) * SLOTS as u128;
        let mut salts = vec![[[0; 16]; SLOTS]; count];
        self.0
            .less_safe_encrypt(
                salts.as_flattened_mut().as_flattened_mut(),
                EncryptionContext::Iv128(FixedLength::from(counter.to_be_bytes())),
            )
            .expect("counter mode takes any length");
        salts
    }
}

/// HMAC-SHA256 with a key that is prepared once.
pub(crate) struct Keyed(hmac::Key);

impl Keyed {
    pub(crate) fn new(key: &Secret) -> Keyed {
        Keyed(hmac::Key::new(hmac::HMAC_SHA256, &key.0))
    }

    /// The tag over `parts`, each preceded by its length so that they cannot run into each other.
    pub(crate) fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part);
        }
        context.sign().as_ref().try_into().expect("SHA-256 has 32 bytes")
    }
}
