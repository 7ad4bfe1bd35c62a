//! The one mutable file: which parts there are. Data and position change together, when it is replaced.
//!
//! ```text
//! "IDLIDXM1"
//! nonce (12)
//! AES-256-GCM of: schema (8), for each part: id (16), key (32), from, to (u64), time from, to (i64)
//! ```

use std::io;
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf;
use ledger::io::{Io, read_all, replace};
use zeroize::Zeroizing;

use crate::file::FileKey;

pub(crate) const NAME: &str = "manifest";
const MAGIC: &[u8; 8] = b"IDLIDXM1";
const ENTRY: usize = 16 + 32 + 4 * 8;
/// A hundred thousand parts.
const LIMIT: u64 = 8 << 20;

/// One part, as the manifest knows it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) file: FileKey,
    /// Positions it holds: all of them.
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// Earliest and latest time of its events; the first is the greater one if none has a time.
    pub(crate) time: (i64, i64),
}

/// What the index's key is used for.
pub(crate) struct Keys {
    seal: LessSafeKey,
    /// For the hashes of ids.
    pub(crate) hash: [u8; 16],
}

impl Keys {
    pub(crate) fn new(key: &[u8; 32]) -> Keys {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"indelible/index/v1").extract(key);
        let derive = |purpose: &[u8]| {
            let mut out = Zeroizing::new([0; 32]);
            root.expand(&[purpose], hkdf::HKDF_SHA256)
                .and_then(|okm| okm.fill(&mut *out))
                .expect("32 bytes are one block");
            out
        };
        let seal = UnboundKey::new(&AES_256_GCM, &*derive(b"manifest")).expect("32 bytes are a key");
        let hash = derive(b"ids")[..16].try_into().expect("16 of 32");
        Keys { seal: LessSafeKey::new(seal), hash }
    }
}

/// The parts, oldest first; `None` if there is no manifest, or none that can be read with this key and schema.
pub(crate) fn read(io: &dyn Io, dir: &Path, keys: &Keys, schema: u64) -> Option<Vec<Entry>> {
    let bytes = read_all(io, &dir.join(NAME), LIMIT).ok()?;
    let (nonce, body) = bytes.strip_prefix(MAGIC)?.split_first_chunk::<12>()?;
    let mut body = Zeroizing::new(body.to_vec());
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let plain = keys.seal.open_in_place(nonce, Aad::from(MAGIC), &mut body).ok()?;
    let (of, entries) = plain.split_first_chunk::<8>()?;
    let (entries, rest) = entries.as_chunks::<ENTRY>();
    if u64::from_le_bytes(*of) != schema || !rest.is_empty() {
        return None;
    }
    let entries: Vec<Entry> = entries.iter().map(unpack).collect();
    let mut at = 0;
    for entry in &entries {
        if entry.from != at || entry.to <= entry.from {
            return None;
        }
        at = entry.to;
    }
    Some(entries)
}

/// Puts a new list in place of the old one, which is overwritten: it had the keys of parts that are gone.
pub(crate) fn write(io: &dyn Io, dir: &Path, keys: &Keys, schema: u64, entries: &[Entry]) -> io::Result<()> {
    let mut body = Zeroizing::new(Vec::with_capacity(24 + entries.len() * ENTRY));
    body.extend(schema.to_le_bytes());
    for entry in entries {
        body.extend(entry.file.id);
        body.extend(entry.file.key);
        body.extend(entry.from.to_le_bytes());
        body.extend(entry.to.to_le_bytes());
        body.extend(entry.time.0.to_le_bytes());
        body.extend(entry.time.1.to_le_bytes());
    }
    let mut nonce = [0; 12];
    io.random(&mut nonce);
    keys.seal
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(MAGIC), &mut *body)
        .map_err(|_| io::Error::other("the manifest is too long to seal"))?;
    let mut bytes = MAGIC.to_vec();
    bytes.extend(nonce);
    bytes.extend(&*body);
    replace(io, dir, NAME, &bytes)
}

fn unpack(bytes: &[u8; ENTRY]) -> Entry {
    let u64_at = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
    let file = FileKey {
        id: bytes[..16].try_into().expect("16 bytes"),
        key: bytes[16..48].try_into().expect("32 bytes"),
    };
    Entry { file, from: u64_at(48), to: u64_at(56), time: (u64_at(64) as i64, u64_at(72) as i64) }
}
