//! Checkpoints (C2SP tlog-checkpoint v1.0.0): a ledger's name, size and root, in a signed note.

use crate::error::{Error, malformed};
use crate::hash::Hash;
use crate::note::{Note, NoteSigner, VerifyingKey};
use crate::tile::decimal;

/// What a checkpoint says. Believe it only if a trusted key signed the note it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Names the ledger.
    pub origin: String,
    /// Number of leaves.
    pub size: u64,
    /// Root of the tree of that size.
    pub root: Hash,
    /// Lines after the root, without their newlines. Ours have none; other logs may.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// A checkpoint without extension lines.
    pub fn new(origin: impl Into<String>, size: u64, root: Hash) -> Checkpoint {
        Checkpoint { origin: origin.into(), size, root, extensions: Vec::new() }
    }

    /// Reads a note's text. Strict: it is either refused or what [`Checkpoint::to_text`] gives.
    pub fn parse(text: &str) -> Result<Checkpoint, Error> {
        let bad = || malformed("not a checkpoint");
        let mut lines = text.strip_suffix('\n').ok_or_else(bad)?.split('\n');
        let origin = lines.next().filter(|origin| !origin.is_empty()).ok_or_else(bad)?;
        let size = lines.next().and_then(decimal).ok_or_else(bad)?;
        let root = Hash::from_b64(lines.next().ok_or_else(bad)?)?;
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        if extensions.iter().any(String::is_empty) {
            return Err(bad());
        }
        Ok(Checkpoint { origin: origin.to_owned(), size, root, extensions })
    }

    /// The note's text: the bytes that are signed.
    pub fn to_text(&self) -> String {
        let mut text = format!("{}\n{}\n{}\n", self.origin, self.size, self.root.to_b64());
        for line in &self.extensions {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// Signs with each of `signers` in order: for us the identity key, then the epoch's seal key.
    pub fn sign(&self, signers: &[&NoteSigner]) -> Result<Note, Error> {
        let text = self.to_text();
        // An origin with a newline in it would say something else than it seems to.
        if Checkpoint::parse(&text)? != *self {
            return Err(malformed("a checkpoint's origin or extension has a newline in it"));
        }
        Note::sign(text, signers)
    }

    /// Reads a note and its checkpoint, checking no signature.
    pub fn read(bytes: impl AsRef<[u8]>) -> Result<(Checkpoint, Note), Error> {
        let note = Note::parse(bytes)?;
        Ok((Checkpoint::parse(note.text())?, note))
    }

    /// Reads a note that `identity`, whose name is the origin, must have signed.
    ///
    /// [`Error::Missing`] if it did not sign, or the checkpoint is of another log;
    /// [`Error::Contradicts`] if its signature does not hold.
    pub fn open(bytes: impl AsRef<[u8]>, identity: &VerifyingKey) -> Result<(Checkpoint, Note), Error> {
        let (checkpoint, note) = Checkpoint::read(bytes)?;
        note.require(identity)?;
        if checkpoint.origin != identity.name() {
            return Err(Error::Missing(format!(
                "the checkpoint is of {}, not of {}",
                checkpoint.origin,
                identity.name()
            )));
        }
        Ok((checkpoint, note))
    }
}
