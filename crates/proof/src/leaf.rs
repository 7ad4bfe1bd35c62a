//! The leaf: what an event leaves in the tree, for ever (docs/format.md 1.2 to 1.4).

use crate::error::{Error, malformed};
use crate::hash::Hash;
use crate::mac::{Mac, MacKey};
use sha2::{Digest, Sha256};

/// Longest leaf, in bytes.
pub const MAX_LEAF: usize = 65_535;
/// Most sections a leaf can name.
pub const MAX_SECTIONS: usize = 8;
/// The sections of an event in version 1, in the order they have in a leaf.
pub const SECTION_NAMES: [&str; 4] = ["content", "redactions", "what", "who"];

/// What a status code says, where it is in the table of docs/format.md 1.3. Frozen.
pub fn status_word(code: u8) -> Option<&'static str> {
    let words =
        ["not said", "success", "failed", "blocked", "error", "pending", "partial", "cancelled", "timeout"];
    if code == 255 { Some("other") } else { words.get(usize::from(code)).copied() }
}

/// What a severity code says, where it is in the table of docs/format.md 1.3. Frozen.
pub fn severity_word(code: u8) -> Option<&'static str> {
    let words = ["not said", "info", "low", "medium", "high", "critical"];
    if code == 255 { Some("other") } else { words.get(usize::from(code)).copied() }
}

/// What a leaf is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something a producer told us.
    Event,
    /// Something the ledger says about itself.
    Control,
}

/// A leaf that owns its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Event or control.
    pub kind: Kind,
    /// UUIDv7 minted by the ledger.
    pub id: [u8; 16],
    /// When it happened, as the sender says: nanoseconds since 1970.
    pub time_ns: i64,
    /// When the ledger took it: milliseconds since 1970.
    pub received_ms: u64,
    /// Retention class.
    pub retention: u16,
    /// See [`status_word`].
    pub status: u8,
    /// See [`severity_word`].
    pub severity: u8,
    /// How the sender proved itself: 0 not known, 1 bearer key, 2 HMAC, 3 Ed25519, 4 TLS
    /// certificate, 5 local command.
    pub sender_auth: u8,
    /// `[a-z0-9_.]{1,64}`.
    pub type_name: String,
    /// `[A-Za-z0-9._:/-]{0,64}`; empty if none was named.
    pub producer: String,
    /// The producer's own counter, from 1; 0 = not numbered.
    pub producer_seq: u64,
    /// Name and commitment of each section, names strictly ascending by bytes.
    pub sections: Vec<(String, Hash)>,
    /// A control leaf's JCS JSON; empty and not encoded for an event.
    pub body: Vec<u8>,
    /// Tag by an `hmac_key`, if there is one.
    pub mac: Option<Mac>,
}

/// A leaf whose parts lie elsewhere: what encoding takes and decoding gives, without allocating.
///
/// Fields as in [`Leaf`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct LeafRef<'a> {
    pub kind: Kind,
    pub id: [u8; 16],
    pub time_ns: i64,
    pub received_ms: u64,
    pub retention: u16,
    pub status: u8,
    pub severity: u8,
    pub sender_auth: u8,
    pub type_name: &'a str,
    pub producer: &'a str,
    pub producer_seq: u64,
    pub sections: Sections<'a>,
    pub body: &'a [u8],
    pub mac: Option<Mac>,
}

/// Up to eight section names with their commitments.
#[derive(Clone, Copy)]
pub struct Sections<'a> {
    items: [(&'a str, Hash); MAX_SECTIONS],
    len: usize,
}

impl<'a> Sections<'a> {
    /// No sections.
    pub const fn new() -> Sections<'a> {
        Sections { items: [("", Hash([0; 32])); MAX_SECTIONS], len: 0 }
    }

    /// Adds one. Refused if there are eight, if the name is not `[a-z_]{1,16}`, or if it does not
    /// sort after the one before.
    pub fn push(&mut self, name: &'a str, commitment: Hash) -> Result<(), Error> {
        let lawful = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        if !(1..=16).contains(&name.len()) || !name.bytes().all(lawful) {
            return Err(malformed("a section name is not [a-z_]{1,16}"));
        }
        if self.as_slice().last().is_some_and(|(before, _)| *before >= name) {
            return Err(malformed("section names do not rise"));
        }
        let slot = self.items.get_mut(self.len).ok_or_else(|| malformed("more than 8 sections"))?;
        *slot = (name, commitment);
        self.len += 1;
        Ok(())
    }

    /// Name and commitment of each, names ascending.
    pub fn as_slice(&self) -> &[(&'a str, Hash)] {
        &self.items[..self.len]
    }

    /// The commitment of the section with this name.
    pub fn get(&self, name: &str) -> Option<Hash> {
        self.as_slice().iter().find(|(own, _)| *own == name).map(|(_, commitment)| *commitment)
    }
}

impl Default for Sections<'_> {
    fn default() -> Self {
        Sections::new()
    }
}

impl std::fmt::Debug for Sections<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.as_slice()).finish()
    }
}

impl PartialEq for Sections<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Sections<'_> {}

impl<'a> LeafRef<'a> {
    /// Appends the leaf's bytes to `out`. Refused, with `out` as it was, if a field breaks the
    /// format: nothing is ever written that [`LeafRef::decode`] would not read.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let start = out.len();
        self.encode_before_mac(out)?;
        push_mac(out, start, self.mac)
    }

    /// As [`LeafRef::encode`], but with a fresh tag by `key` in the ledger named `origin`;
    /// `self.mac` is not looked at. Returns the tag.
    pub fn encode_with_mac(&self, key: &MacKey, origin: &str, out: &mut Vec<u8>) -> Result<Mac, Error> {
        let start = out.len();
        self.encode_before_mac(out)?;
        let mac = key.tag(origin, &out[start..]);
        push_mac(out, start, Some(mac))?;
        Ok(mac)
    }

    /// Reads a leaf. Strict: every byte string is either refused or what [`LeafRef::encode`] gives
    /// for the result.
    pub fn decode(bytes: &'a [u8]) -> Result<LeafRef<'a>, Error> {
        if bytes.len() > MAX_LEAF {
            return Err(malformed("a leaf is longer than 65535 bytes"));
        }
        let mut rest = Reader(bytes);
        let version = rest.u8()?;
        if version != 1 {
            return Err(malformed(format!("a leaf of version {version}")));
        }
        let kind = match rest.u8()? {
            1 => Kind::Event,
            2 => Kind::Control,
            other => return Err(malformed(format!("a leaf of kind {other}"))),
        };
        let id = rest.array()?;
        let time_ns = i64::from_be_bytes(rest.array()?);
        let received_ms = u64::from_be_bytes(rest.array()?);
        let retention = u16::from_be_bytes(rest.array()?);
        let [status, severity, sender_auth] = rest.array()?;
        let type_name = rest.short_text()?;
        let producer = rest.short_text()?;
        let producer_seq = u64::from_be_bytes(rest.array()?);
        let mut sections = Sections::new();
        for _ in 0..rest.u8()? {
            sections.push(rest.short_text()?, Hash(rest.array()?))?;
        }
        let body = match kind {
            Kind::Event => &[],
            Kind::Control => {
                let len = u16::from_be_bytes(rest.array()?);
                rest.take(len.into())?
            }
        };
        let mac = match rest.u8()? {
            0 => None,
            1 => Some(Mac { key_id: rest.array()?, tag: rest.array()? }),
            _ => return Err(malformed("has_mac is neither 0 nor 1")),
        };
        if !rest.0.is_empty() {
            return Err(malformed("bytes follow the leaf"));
        }
        let leaf = LeafRef {
            kind,
            id,
            time_ns,
            received_ms,
            retention,
            status,
            severity,
            sender_auth,
            type_name,
            producer,
            producer_seq,
            sections,
            body,
            mac,
        };
        leaf.check()?;
        Ok(leaf)
    }

    /// A copy that owns its parts.
    pub fn to_owned(&self) -> Leaf {
        let sections = self.sections.as_slice().iter();
        Leaf {
            kind: self.kind,
            id: self.id,
            time_ns: self.time_ns,
            received_ms: self.received_ms,
            retention: self.retention,
            status: self.status,
            severity: self.severity,
            sender_auth: self.sender_auth,
            type_name: self.type_name.to_owned(),
            producer: self.producer.to_owned(),
            producer_seq: self.producer_seq,
            sections: sections.map(|(name, commitment)| ((*name).to_owned(), *commitment)).collect(),
            body: self.body.to_vec(),
            mac: self.mac,
        }
    }

    /// The rules that the shape of the bytes does not enforce.
    fn check(&self) -> Result<(), Error> {
        let in_type = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.".contains(&byte);
        if !(1..=64).contains(&self.type_name.len()) || !self.type_name.bytes().all(in_type) {
            return Err(malformed("a type is not [a-z0-9_.]{1,64}"));
        }
        let in_producer = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/-".contains(&byte);
        if self.producer.len() > 64 || !self.producer.bytes().all(in_producer) {
            return Err(malformed("a producer is not [A-Za-z0-9._:/-]{0,64}"));
        }
        match self.kind {
            Kind::Event if !self.body.is_empty() => Err(malformed("an event's leaf has no body")),
            Kind::Control if self.sections.len > 0 => Err(malformed("a control leaf has no sections")),
            _ => Ok(()),
        }
    }

    fn encode_before_mac(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        self.check()?;
        let body_len = u16::try_from(self.body.len()).map_err(|_| malformed("a body is too long"))?;
        out.reserve(400 + self.body.len());
        out.extend_from_slice(&[1, if self.kind == Kind::Event { 1 } else { 2 }]);
        out.extend_from_slice(&self.id);
        out.extend_from_slice(&self.time_ns.to_be_bytes());
        out.extend_from_slice(&self.received_ms.to_be_bytes());
        out.extend_from_slice(&self.retention.to_be_bytes());
        out.extend_from_slice(&[self.status, self.severity, self.sender_auth]);
        // Lengths below were checked to be at most 64.
        out.push(self.type_name.len() as u8);
        out.extend_from_slice(self.type_name.as_bytes());
        out.push(self.producer.len() as u8);
        out.extend_from_slice(self.producer.as_bytes());
        out.extend_from_slice(&self.producer_seq.to_be_bytes());
        out.push(self.sections.len as u8);
        for (name, commitment) in self.sections.as_slice() {
            out.push(name.len() as u8);
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(&commitment.0);
        }
        if self.kind == Kind::Control {
            out.extend_from_slice(&body_len.to_be_bytes());
            out.extend_from_slice(self.body);
        }
        Ok(())
    }
}

/// Ends the leaf that starts at `start`, or takes it back if it is too long.
fn push_mac(out: &mut Vec<u8>, start: usize, mac: Option<Mac>) -> Result<(), Error> {
    match mac {
        None => out.push(0),
        Some(mac) => {
            out.push(1);
            out.extend_from_slice(&mac.key_id);
            out.extend_from_slice(&mac.tag);
        }
    }
    if out.len() - start > MAX_LEAF {
        out.truncate(start);
        return Err(malformed("a leaf is longer than 65535 bytes"));
    }
    Ok(())
}

impl Leaf {
    /// As [`LeafRef::encode`].
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        self.borrowed()?.encode(out)
    }

    /// As [`LeafRef::encode_with_mac`].
    pub fn encode_with_mac(&self, key: &MacKey, origin: &str, out: &mut Vec<u8>) -> Result<Mac, Error> {
        self.borrowed()?.encode_with_mac(key, origin, out)
    }

    /// As [`LeafRef::decode`].
    pub fn decode(bytes: &[u8]) -> Result<Leaf, Error> {
        LeafRef::decode(bytes).map(|leaf| leaf.to_owned())
    }

    /// The same leaf without its own storage. Refused if the sections break the format.
    pub fn borrowed(&self) -> Result<LeafRef<'_>, Error> {
        let mut sections = Sections::new();
        for (name, commitment) in &self.sections {
            sections.push(name, *commitment)?;
        }
        Ok(LeafRef {
            kind: self.kind,
            id: self.id,
            time_ns: self.time_ns,
            received_ms: self.received_ms,
            retention: self.retention,
            status: self.status,
            severity: self.severity,
            sender_auth: self.sender_auth,
            type_name: &self.type_name,
            producer: &self.producer,
            producer_seq: self.producer_seq,
            sections,
            body: &self.body,
            mac: self.mac,
        })
    }
}

/// Checks the tag of a leaf given as bytes, in the ledger named `origin`. [`Error::Missing`] if it
/// has none or another key made it.
pub fn verify_mac(leaf: &[u8], key: &MacKey, origin: &str) -> Result<(), Error> {
    let mac = LeafRef::decode(leaf)?.mac;
    let mac = mac.ok_or_else(|| Error::Missing("the leaf has no hmac tag".into()))?;
    // A decoded leaf with a tag ends in has_mac, key_id and tag: 41 bytes.
    let before_mac = leaf.len().saturating_sub(1 + 8 + 32);
    key.verify(origin, &leaf[..before_mac], &mac)
}

/// What a leaf says about a section (docs/format.md 1.4): binding, and hiding as long as nobody
/// knows the salt. `name` is one a leaf can hold.
pub fn commitment(salt: &[u8; 16], name: &str, body: &[u8]) -> Hash {
    let hash = Sha256::new()
        .chain_update(b"indelible/section/v1\0")
        .chain_update(salt)
        .chain_update([u8::try_from(name.len()).unwrap_or(u8::MAX)])
        .chain_update(name)
        .chain_update((body.len() as u64).to_be_bytes())
        .chain_update(body)
        .finalize();
    Hash(hash.into())
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or_else(cut_off)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or_else(cut_off)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn u8(&mut self) -> Result<u8, Error> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn short_text(&mut self) -> Result<&'a str, Error> {
        let len = self.u8()?;
        std::str::from_utf8(self.take(len.into())?).map_err(|_| malformed("a name in a leaf is not text"))
    }
}

fn cut_off() -> Error {
    malformed("a leaf is cut off")
}
