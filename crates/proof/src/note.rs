//! Signed notes (C2SP signed-note v1.0.0): text, and lines that say who signed it.

use crate::b64;
use crate::cosignature;
use crate::error::{Error, contradicts, malformed, missing};
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest, Sha256};

/// Longest note, in bytes.
pub const MAX_NOTE: usize = 1_000_000;
/// Most signature lines.
pub const MAX_SIGNATURES: usize = 100;

/// A note as it was read. Its text means nothing until [`Note::verify`] said who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One signature line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    /// Key name.
    pub name: String,
    /// First four bytes of a hash over name and key; see [`VerifyingKey::id`].
    pub key_id: [u8; 4],
    /// What follows the key id: as the signature's type has it.
    pub bytes: Vec<u8>,
}

/// One of the keys given to [`Note::verify`] that did sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed<'k> {
    /// The key.
    pub key: &'k VerifyingKey,
    /// For a cosignature, when the witness says it saw the checkpoint: seconds since 1970.
    pub time_s: Option<u64>,
}

impl Note {
    /// An unsigned note, for [`Note::push`] to sign. The text ends in a newline and has no control
    /// character beside newlines.
    pub fn new(text: impl Into<String>) -> Result<Note, Error> {
        let text = text.into();
        check_text(&text)?;
        if !text.ends_with('\n') {
            return Err(malformed("a note's text does not end in a newline"));
        }
        Ok(Note { text, signatures: Vec::new() })
    }

    /// A note over `text`, signed by each of `signers` in order.
    pub fn sign(text: impl Into<String>, signers: &[&NoteSigner]) -> Result<Note, Error> {
        let mut note = Note::new(text)?;
        for signer in signers {
            note.signatures.push(signer.sign(&note.text));
        }
        Ok(note)
    }

    /// Adds a signature line, unless it is there already. Refused if there are 100.
    pub fn push(&mut self, signature: NoteSignature) -> Result<(), Error> {
        if self.signatures.contains(&signature) {
            return Ok(());
        }
        if self.signatures.len() >= MAX_SIGNATURES {
            return Err(malformed("a note has more than 100 signatures"));
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// Reads a note: at most 1 000 000 bytes, UTF-8, no control characters but newline, text and
    /// signatures parted by the last empty line, 1 to 100 signature lines. Checks no signature.
    pub fn parse(bytes: impl AsRef<[u8]>) -> Result<Note, Error> {
        let bytes = bytes.as_ref();
        if bytes.len() > MAX_NOTE {
            return Err(malformed("a note is longer than 1000000 bytes"));
        }
        let whole = std::str::from_utf8(bytes).map_err(|_| malformed("a note is not UTF-8"))?;
        check_text(whole)?;
        let blank =
            whole.rfind("\n\n").ok_or_else(|| malformed("a note has no empty line before its signatures"))?;
        let (text, lines) = (&whole[..=blank], &whole[blank + 2..]);
        let lines = lines.strip_suffix('\n').ok_or_else(|| malformed("a note does not end in a newline"))?;
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            if signatures.len() == MAX_SIGNATURES {
                return Err(malformed("a note has more than 100 signatures"));
            }
            signatures.push(NoteSignature::parse(line)?);
        }
        Ok(Note { text: text.to_owned(), signatures })
    }

    /// The text, with its last newline: the bytes that are signed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines, none of them checked.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Says which of `keys` signed, each once, in the order of `keys`; for a witness that signed
    /// several times, its first line's time. Lines of other keys are ignored.
    ///
    /// [`Error::Contradicts`] if a line of one of `keys` does not hold: then no line of the note is
    /// believed. The result may be empty: whoever calls requires what it needs, as [`Note::require`].
    pub fn verify<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k VerifyingKey>,
    ) -> Result<Vec<Signed<'k>>, Error> {
        let mut signed = Vec::new();
        for key in keys {
            let mut first = None;
            for line in self.signatures.iter().filter(|line| line.is_by(key)) {
                let time_s = key.verify(&self.text, &line.bytes)?;
                first = first.or(Some(Signed { key, time_s }));
            }
            signed.extend(first);
        }
        Ok(signed)
    }

    /// Requires that `key` signed. [`Error::Missing`] if it did not, [`Error::Contradicts`] if its
    /// line does not hold.
    pub fn require(&self, key: &VerifyingKey) -> Result<(), Error> {
        match self.verify([key])?.is_empty() {
            false => Ok(()),
            true => Err(missing(format!("there is no signature by {}", key.name()))),
        }
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)?;
        f.write_str("\n")?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

impl NoteSignature {
    /// Reads one line, without its newline.
    pub fn parse(line: &str) -> Result<NoteSignature, Error> {
        let bad = || malformed("not a signature line");
        let (name, signature) =
            line.strip_prefix("\u{2014} ").and_then(|rest| rest.split_once(' ')).ok_or_else(bad)?;
        check_name(name)?;
        let bytes = b64::decode(signature).ok_or_else(bad)?;
        match bytes.split_first_chunk::<4>() {
            Some((key_id, rest)) if !rest.is_empty() => {
                Ok(NoteSignature { name: name.to_owned(), key_id: *key_id, bytes: rest.to_vec() })
            }
            _ => Err(bad()),
        }
    }

    fn is_by(&self, key: &VerifyingKey) -> bool {
        self.name == key.name && self.key_id == key.id
    }
}

impl std::fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = [self.key_id.as_slice(), &self.bytes].concat();
        write!(f, "\u{2014} {} {}", self.name, b64::encode(bytes))
    }
}

/// How a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyType {
    /// 0x01: Ed25519 over the text (C2SP signed-note).
    Ed25519,
    /// 0x04: a witness's Ed25519 over the text and a time (C2SP tlog-cosignature, v1).
    CosignatureV1,
}

impl KeyType {
    fn byte(self) -> u8 {
        match self {
            KeyType::Ed25519 => 1,
            KeyType::CosignatureV1 => 4,
        }
    }
}

/// A public key with its name: a `vkey`.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    name: String,
    id: [u8; 4],
    key_type: KeyType,
    key: ed25519_dalek::VerifyingKey,
}

impl VerifyingKey {
    /// A key from its parts. Refused if the name is empty or has a space or plus in it, or if the
    /// bytes are no Ed25519 key or one of the few that verify anything.
    pub fn new(
        name: impl Into<String>,
        key_type: KeyType,
        public_key: &[u8; 32],
    ) -> Result<VerifyingKey, Error> {
        let name = name.into();
        check_name(&name)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(public_key)
            .ok()
            .filter(|key| !key.is_weak())
            .ok_or_else(|| malformed(format!("the key named {name} is not an ed25519 key")))?;
        let hash = Sha256::new()
            .chain_update(&name)
            .chain_update([b'\n', key_type.byte()])
            .chain_update(public_key)
            .finalize();
        Ok(VerifyingKey { name, id: [hash[0], hash[1], hash[2], hash[3]], key_type, key })
    }

    /// Reads a vkey: `name "+" hex(keyid) "+" b64(type || public key)`. Types other than 0x01 and
    /// 0x04, and a key id that is not the key's, are refused.
    pub fn parse(vkey: &str) -> Result<VerifyingKey, Error> {
        let bad = || malformed("not a vkey");
        let (name, rest) = vkey.split_once('+').ok_or_else(bad)?;
        let (id, key) = rest.split_once('+').ok_or_else(bad)?;
        let key = b64::decode(key).ok_or_else(bad)?;
        let (key_type, public_key) = key.split_first().ok_or_else(bad)?;
        let key_type = match key_type {
            1 => KeyType::Ed25519,
            4 => KeyType::CosignatureV1,
            other => return Err(malformed(format!("a vkey of type 0x{other:02x} is not supported"))),
        };
        let parsed = VerifyingKey::new(name, key_type, public_key.try_into().map_err(|_| bad())?)?;
        if id != parsed.hex_id() {
            return Err(malformed(format!("the vkey of {name} has another key id than its key")));
        }
        Ok(parsed)
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of `SHA-256(name || 0x0A || type || public key)`.
    pub fn id(&self) -> [u8; 4] {
        self.id
    }

    /// How it signs.
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The 32 bytes of the Ed25519 public key.
    pub fn public_key(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    fn hex_id(&self) -> String {
        format!("{:08x}", u32::from_be_bytes(self.id))
    }

    /// Checks the bytes of a line known to be by this key; gives a cosignature's time.
    pub(crate) fn verify(&self, text: &str, bytes: &[u8]) -> Result<Option<u64>, Error> {
        let bad = || contradicts(format!("the signature by {} does not hold", self.name));
        match self.key_type {
            KeyType::Ed25519 => self.verify_ed25519(text.as_bytes(), bytes).then_some(None),
            KeyType::CosignatureV1 => bytes.split_first_chunk::<8>().and_then(|(time_s, signature)| {
                let time_s = u64::from_be_bytes(*time_s);
                let message = cosignature::message(time_s, text);
                self.verify_ed25519(message.as_bytes(), signature).then_some(Some(time_s))
            }),
        }
        .ok_or_else(bad)
    }

    fn verify_ed25519(&self, message: &[u8], signature: &[u8]) -> bool {
        ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }
}

/// Writes the vkey.
impl std::fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let typed = [&[self.key_type.byte()], self.public_key().as_slice()].concat();
        write!(f, "{}+{}+{}", self.name, self.hex_id(), b64::encode(typed))
    }
}

impl std::fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for VerifyingKey {
    type Err = Error;

    fn from_str(vkey: &str) -> Result<VerifyingKey, Error> {
        VerifyingKey::parse(vkey)
    }
}

/// A private Ed25519 key (type 0x01) with its name. Wiped from memory when dropped, never shown.
#[derive(Clone)]
pub struct NoteSigner {
    key: SigningKey,
    verifying_key: VerifyingKey,
}

impl NoteSigner {
    /// A signer from its 32-byte seed (RFC 8032, section 5.1.5). The name as for
    /// [`VerifyingKey::new`].
    pub fn from_seed(name: impl Into<String>, seed: &[u8; 32]) -> Result<NoteSigner, Error> {
        let key = SigningKey::from_bytes(seed);
        let verifying_key = VerifyingKey::new(name, KeyType::Ed25519, key.verifying_key().as_bytes())?;
        Ok(NoteSigner { key, verifying_key })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.verifying_key.name
    }

    /// The public half.
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying_key
    }

    /// Signs a note's text, which ends in a newline.
    pub fn sign(&self, text: &str) -> NoteSignature {
        NoteSignature {
            name: self.verifying_key.name.clone(),
            key_id: self.verifying_key.id,
            bytes: self.key.sign(text.as_bytes()).to_bytes().to_vec(),
        }
    }
}

impl std::fmt::Debug for NoteSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NoteSigner({})", self.verifying_key)
    }
}

/// Key names are not empty and have neither Unicode spaces nor plus in them.
fn check_name(name: &str) -> Result<(), Error> {
    let bad = |c: char| c == '+' || c.is_whitespace() || c.is_ascii_control();
    if name.is_empty() || name.contains(bad) {
        return Err(malformed("a key name is empty or has a space or plus in it"));
    }
    Ok(())
}

fn check_text(text: &str) -> Result<(), Error> {
    if text.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
        return Err(malformed("a note has a control character in it"));
    }
    Ok(())
}
