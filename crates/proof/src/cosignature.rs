//! Cosignatures v1 (C2SP tlog-cosignature): a witness says that, at a time, the checkpoint was the
//! newest it knew of the log, and consistent with all before.

use crate::error::Error;
use crate::note::{KeyType, NoteSignature, VerifyingKey};
use ed25519_dalek::{Signer as _, SigningKey};

/// A witness's private Ed25519 key (type 0x04) with its name. Wiped when dropped, never shown.
///
/// Its key must serve nothing else: what it signs does not name the witness.
#[derive(Clone)]
pub struct Cosigner {
    key: SigningKey,
    verifying_key: VerifyingKey,
}

impl Cosigner {
    /// A cosigner from its 32-byte seed. The name as for [`VerifyingKey::new`].
    pub fn from_seed(name: impl Into<String>, seed: &[u8; 32]) -> Result<Cosigner, Error> {
        let key = SigningKey::from_bytes(seed);
        let verifying_key = VerifyingKey::new(name, KeyType::CosignatureV1, key.verifying_key().as_bytes())?;
        Ok(Cosigner { key, verifying_key })
    }

    /// The public half. [`Note::verify`](crate::note::Note::verify) checks its lines.
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying_key
    }

    /// Cosigns a checkpoint's text at `time_s`, seconds since 1970. Whoever calls has checked the
    /// log's signature and consistency, and has stored what it signs before it lets go of it.
    pub fn sign(&self, checkpoint_text: &str, time_s: u64) -> NoteSignature {
        let signature = self.key.sign(message(time_s, checkpoint_text).as_bytes());
        NoteSignature {
            name: self.verifying_key.name().to_owned(),
            key_id: self.verifying_key.id(),
            bytes: [time_s.to_be_bytes().as_slice(), &signature.to_bytes()].concat(),
        }
    }
}

impl std::fmt::Debug for Cosigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cosigner({})", self.verifying_key)
    }
}

/// The bytes that are signed.
pub(crate) fn message(time_s: u64, checkpoint_text: &str) -> String {
    format!("cosignature/v1\ntime {time_s}\n{checkpoint_text}")
}
