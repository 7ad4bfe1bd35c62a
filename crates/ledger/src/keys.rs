//! A ledger's own keys, wrapped, in the file `keys`.
//!
//! The key-encryption key is the operator's and is handed in. It wraps the organisation key, and
//! that wraps or derives everything else. Changing the key-encryption key re-wraps 32 bytes.

use std::path::Path;

use crate::crypt::{Keyed, Secret, WRAPPED};
use crate::error::Error;
use crate::io::{self, Io};

const MAGIC: &[u8; 8] = b"IDLKEYS1";
const NAME: &str = "keys";

/// Everything secret about one ledger, opened.
#[derive(Debug)]
pub(crate) struct Keys {
    /// Random, fixed at creation; part of every file's associated data, so that files of two
    /// ledgers cannot be exchanged.
    pub(crate) ledger: [u8; 16],
    pub(crate) origin: String,
    pub(crate) organisation: String,
    organisation_key: Secret,
    /// Seed of the identity key, which never changes.
    pub(crate) identity: Secret,
    /// The epoch whose seal key this is, from 1.
    pub(crate) epoch: u64,
    pub(crate) epoch_started_ms: u64,
    pub(crate) seal: Secret,
    /// Whether the ledger has its first signed head. One that has must have leaves.
    pub(crate) born: bool,
    /// The next epoch's seal key, once its hand-over leaf may be in the ledger.
    pub(crate) next_seal: Option<Secret>,
}

impl Keys {
    /// Fresh keys for a new ledger.
    pub(crate) fn create(io: &dyn Io, organisation: &str, origin: Option<&str>) -> Keys {
        let mut ledger = [0; 16];
        io.random(&mut ledger);
        let origin = origin.map_or_else(|| format!("indelible.local/{}", hex(&ledger)), str::to_owned);
        Keys {
            ledger,
            origin,
            organisation: organisation.to_owned(),
            organisation_key: Secret::random(io),
            identity: Secret::random(io),
            epoch: 1,
            epoch_started_ms: io.wall_ms(),
            seal: Secret::random(io),
            born: false,
            next_seal: None,
        }
    }

    /// What wraps the data keys of journals and segments.
    pub(crate) fn places(&self) -> Places {
        Places { ledger: self.ledger, wrapping: self.organisation_key.derive("segment-keys") }
    }

    /// Recognises events sent twice.
    pub(crate) fn duplicates(&self) -> Keyed {
        Keyed::new(&self.organisation_key.derive("duplicates"))
    }

    /// Fingerprints texts that are not kept.
    pub(crate) fn texts(&self) -> Keyed {
        Keyed::new(&self.organisation_key.derive("texts"))
    }

    /// What the keys of views are derived from.
    pub(crate) fn views(&self) -> Secret {
        self.organisation_key.derive("views")
    }

    /// Writes the file, in place of the old one, whose bytes are overwritten.
    pub(crate) fn store(&self, io: &dyn Io, dir: &Path, kek: &Secret) -> Result<(), Error> {
        let mut body = Vec::with_capacity(512);
        body.extend(self.ledger);
        put_text(&mut body, &self.organisation);
        put_text(&mut body, &self.origin);
        body.extend(kek.id());
        body.extend(kek.wrap(io, &self.organisation_key, &self.who("organisation")));
        let own = self.organisation_key.derive("ledger-keys");
        body.extend(own.wrap(io, &self.identity, &self.who("identity")));
        body.extend(self.epoch.to_le_bytes());
        body.extend(self.epoch_started_ms.to_le_bytes());
        body.extend(own.wrap(io, &self.seal, &self.who(&format!("seal {}", self.epoch))));
        body.push(u8::from(self.born));
        body.push(u8::from(self.next_seal.is_some()));
        if let Some(next) = &self.next_seal {
            body.extend(own.wrap(io, next, &self.who(&format!("seal {}", self.epoch + 1))));
        }
        let mut file = MAGIC.to_vec();
        file.extend([0; 4]);
        file.extend((body.len() as u32).to_le_bytes());
        file.extend(body);
        let crc = crc_around(&file);
        file[8..12].copy_from_slice(&crc.to_le_bytes());
        io::replace(io, dir, NAME, &file).map_err(|e| Error::io("write", &dir.join(NAME), &e))
    }

    /// Reads and opens the file.
    pub(crate) fn load(io: &dyn Io, dir: &Path, kek: &Secret) -> Result<Keys, Error> {
        let path = dir.join(NAME);
        let bytes = io::read_all(io, &path, 1 << 16).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => Error::NotFound(format!("no ledger at {}", dir.display())),
            _ => Error::io("read", &path, &e),
        })?;
        Keys::parse(&bytes, kek, &path)
    }

    fn parse(bytes: &[u8], kek: &Secret, path: &Path) -> Result<Keys, Error> {
        let damaged = |why: &str| Error::Damaged(format!("{}: {why}", path.display()));
        let magic = bytes.get(..8).ok_or_else(|| damaged("too short"))?;
        if magic != MAGIC {
            // The checksum covers the magic, so a flipped bit does not read as "newer".
            return Err(match newer(magic, MAGIC) && checksum(bytes).is_some() {
                true => Error::NewerFormat(format!("{} was written by a newer release", path.display())),
                false => damaged("not a key file"),
            });
        }
        let body = checksum(bytes).ok_or_else(|| damaged("checksum does not match"))?;
        let mut at = Reader(body);
        let short = || damaged("too short");
        let ledger: [u8; 16] = at.take(16).ok_or_else(short)?.try_into().expect("16");
        let organisation = at.text().ok_or_else(short)?;
        let origin = at.text().ok_or_else(short)?;
        let kek_id = at.take(8).ok_or_else(short)?;
        if kek_id != kek.id() {
            return Err(Error::ForeignKey(format!(
                "{} is locked with another key-encryption key than the one given",
                path.display()
            )));
        }
        // The right key, and yet a lock does not open: the bytes were changed by someone who
        // also made the checksum fit.
        let forged = || Error::Tampered(format!("{}: a wrapped key was changed", path.display()));
        let who = |purpose: &str| who(&ledger, &organisation, &origin, purpose);
        let wrapped = at.take(WRAPPED).ok_or_else(short)?;
        let organisation_key = kek.unwrap(wrapped, &who("organisation")).ok_or_else(forged)?;
        let own = organisation_key.derive("ledger-keys");
        let identity =
            own.unwrap(at.take(WRAPPED).ok_or_else(short)?, &who("identity")).ok_or_else(forged)?;
        let epoch = at.u64().ok_or_else(short)?;
        let epoch_started_ms = at.u64().ok_or_else(short)?;
        let seal = own.unwrap(at.take(WRAPPED).ok_or_else(short)?, &who(&format!("seal {epoch}")));
        let seal = seal.ok_or_else(forged)?;
        let born = at.u8().ok_or_else(short)? != 0;
        let next_seal = match at.take(1).ok_or_else(short)?[0] {
            0 => None,
            _ => {
                let wrapped = at.take(WRAPPED).ok_or_else(short)?;
                Some(own.unwrap(wrapped, &who(&format!("seal {}", epoch + 1))).ok_or_else(forged)?)
            }
        };
        Ok(Keys {
            ledger,
            origin,
            organisation,
            organisation_key,
            identity,
            epoch,
            epoch_started_ms,
            seal,
            born,
            next_seal,
        })
    }

    fn who(&self, purpose: &str) -> Vec<u8> {
        who(&self.ledger, &self.organisation, &self.origin, purpose)
    }
}

/// Wraps the keys that lie in a ledger's other files, each for the one place where it belongs.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    pub(crate) ledger: [u8; 16],
    wrapping: Secret,
}

impl Places {
    pub(crate) fn wrap(&self, io: &dyn Io, key: &Secret, purpose: &str, first: u64) -> [u8; WRAPPED] {
        self.wrapping.wrap(io, key, &self.place(purpose, first))
    }

    pub(crate) fn unwrap(&self, wrapped: &[u8], purpose: &str, first: u64) -> Option<Secret> {
        self.wrapping.unwrap(wrapped, &self.place(purpose, first))
    }

    fn place(&self, purpose: &str, first: u64) -> Vec<u8> {
        let mut place = self.ledger.to_vec();
        place.extend(first.to_le_bytes());
        place.extend(purpose.as_bytes());
        place
    }
}

/// Binds a wrapped key to its ledger, organisation and origin: a folder that is renamed to another
/// organisation's does not open.
fn who(ledger: &[u8; 16], organisation: &str, origin: &str, purpose: &str) -> Vec<u8> {
    let mut place = ledger.to_vec();
    put_text(&mut place, organisation);
    put_text(&mut place, origin);
    place.extend(purpose.as_bytes());
    place
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u16).to_le_bytes());
    out.extend(text.as_bytes());
}

/// CRC-32C of a file whose bytes 8 to 12 hold that checksum.
pub(crate) fn crc_around(file: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&file[..8]), &file[12..])
}

/// The body of a small file: magic, CRC-32C of all the rest, length, body, and nothing after it.
fn checksum(bytes: &[u8]) -> Option<&[u8]> {
    let crc = u32::from_le_bytes(bytes.get(8..12)?.try_into().ok()?);
    let len = u32::from_le_bytes(bytes.get(12..16)?.try_into().ok()?) as usize;
    let body = bytes.get(16..)?;
    (body.len() == len && crc_around(bytes) == crc).then_some(body)
}

/// Whether a magic differs from ours only in its last byte, the version, and is above it.
pub(crate) fn newer(magic: &[u8], ours: &[u8; 8]) -> bool {
    magic.len() == 8 && magic[..7] == ours[..7] && magic[7] > ours[7] && magic[7] <= b'9'
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    push_hex(&mut text, bytes);
    text
}

/// Appends two digits for each byte.
pub(crate) fn push_hex(text: &mut String, bytes: &[u8]) {
    for chunk in bytes.chunks(32) {
        let mut digits = [0; 64];
        for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(chunk) {
            *pair = [byte >> 4, byte & 15].map(|nibble| b"0123456789abcdef"[usize::from(nibble)]);
        }
        text.push_str(std::str::from_utf8(&digits[..2 * chunk.len()]).expect("digits are ASCII"));
    }
}

/// Takes bytes off the front; `None` when there are not enough.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(n)?;
        self.0 = tail;
        Some(head)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|b| b[0])
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|b| u16::from_le_bytes(b.try_into().expect("2")))
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.take(4).map(|b| u32::from_le_bytes(b.try_into().expect("4")))
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.take(8).map(|b| u64::from_le_bytes(b.try_into().expect("8")))
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N).map(|b| b.try_into().expect("N"))
    }

    /// Up to 64 KiB of UTF-8 after a length.
    pub(crate) fn text(&mut self) -> Option<String> {
        let len = self.u16()? as usize;
        String::from_utf8(self.take(len)?.to_vec()).ok()
    }
}
