//! Heads: every checkpoint that was ever signed, appended to `heads` before anyone sees it.

use std::path::{Path, PathBuf};

use proof::Hash;

use crate::error::Error;
use crate::io::{self, File, Io, Open, read_full};
use crate::keys::{Reader, hex};

const MAGIC: u32 = u32::from_le_bytes(*b"IDHD");
const SECTOR: usize = 512;
const HEADER: usize = 28;
const NAME: &str = "heads";
const WEEK_MS: u64 = 7 * 24 * 3600 * 1000;
const HOUR_MS: u64 = 3600 * 1000;
/// A head is a checkpoint of ours with room for cosignatures.
const MAX_NOTE: usize = 64 << 10;

/// A signed checkpoint and when it was signed, by our clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Leaves under it.
    pub size: u64,
    /// Root of the tree of these leaves.
    pub root: Hash,
    /// When it was signed, milliseconds since 1970. Not part of what is signed.
    pub time_ms: u64,
    /// Whether it is the last of its epoch; such a head is kept for good.
    pub ends_epoch: bool,
    /// The signed note.
    pub note: String,
}

/// The file, open for appending, and where its second copy lies.
pub(crate) struct Heads {
    dir: PathBuf,
    end: u64,
    last: Option<Head>,
    copy: Option<PathBuf>,
    oldest_ms: u64,
    /// Set when a rewrite failed: either file may be in place.
    unsure: bool,
}

impl Heads {
    /// Reads the last head and finds the end. A head that a crash cut short was seen by nobody and
    /// is cut off. With a second copy: whichever is ahead tells whether this one was rolled back.
    pub(crate) fn open(
        io: &dyn Io,
        dir: &Path,
        ledger: &[u8; 16],
        copy: Option<&Path>,
    ) -> Result<Heads, Error> {
        let (all, end) = read(io, &dir.join(NAME))?;
        let copy = copy.map(|dir| dir.join(format!("{}.heads", hex(ledger))));
        if let Some(path) = &copy {
            let (copied, _) = read(io, path)?;
            if let Some(ahead) = copied.last()
                && all.last().is_none_or(|own| own.size < ahead.size)
            {
                return Err(Error::RolledBack(format!(
                    "{} holds {} events under a signed head, and the copy in {} had {}; restore the missing ones, nothing is signed until then",
                    dir.display(),
                    all.last().map_or(0, |h| h.size),
                    path.display(),
                    ahead.size
                )));
            }
        }
        let oldest_ms = all.first().map_or(0, |h| h.time_ms);
        Ok(Heads {
            dir: dir.to_owned(),
            end,
            last: all.into_iter().next_back(),
            copy,
            oldest_ms,
            unsure: false,
        })
    }

    pub(crate) fn last(&self) -> Option<&Head> {
        self.last.as_ref()
    }

    /// Writes the last head once more, and waits for the disk: it may have been seen in the cache only.
    pub(crate) fn write_again(&self, io: &dyn Io) -> Result<(), Error> {
        let own = (self.dir.join(NAME), self.last.clone(), self.end);
        let mut places = vec![own];
        if let Some(path) = &self.copy {
            let (all, end) = read(io, path)?;
            places.push((path.clone(), all.into_iter().next_back(), end));
        }
        for (path, last, end) in places {
            let Some(head) = last else { continue };
            let again = || -> std::io::Result<()> {
                io.sync_dir(path.parent().expect("a file has a folder"))?;
                let file = io.open(&path, Open::Write)?;
                let bytes = encode(&head);
                file.write_at(&bytes, end - bytes.len() as u64)?;
                if file.len()? > end {
                    file.set_len(end)?;
                }
                file.sync()
            };
            again().map_err(|e| Error::io("write", &path, &e))?;
        }
        Ok(())
    }

    /// Stores a head, durable in both places when this returns.
    pub(crate) fn append(&mut self, io: &dyn Io, head: Head) -> Result<(), Error> {
        let bytes = encode(&head);
        let path = self.dir.join(NAME);
        if self.unsure {
            io.sync_dir(&self.dir).map_err(|e| Error::io("sync", &self.dir, &e))?;
            self.end = read(io, &path)?.1;
            self.unsure = false;
        }
        put(io, &path, &bytes, self.end).map_err(|e| Error::io("write", &path, &e))?;
        if let Some(copy) = &self.copy {
            let put_copy = || -> std::io::Result<()> {
                let (_, end) = read(io, copy).map_err(|e| std::io::Error::other(e.to_string()))?;
                put(io, copy, &bytes, end)
            };
            put_copy().map_err(|e| Error::io("write", copy, &e))?;
        }
        self.end += bytes.len() as u64;
        self.last = Some(head);
        Ok(())
    }

    /// Drops heads older than a week, but for one an hour and the last of each epoch.
    pub(crate) fn prune(&mut self, io: &dyn Io, now_ms: u64) -> Result<(), Error> {
        // An eighth day is allowed to pass, so that the file is rewritten once a day at most.
        if now_ms.saturating_sub(self.oldest_ms) < WEEK_MS + 24 * HOUR_MS {
            return Ok(());
        }
        let (all, _) = read(io, &self.dir.join(NAME))?;
        let mut hour = None;
        let mut bytes = Vec::new();
        let count = all.len();
        for (n, head) in all.iter().enumerate() {
            let fresh = now_ms.saturating_sub(head.time_ms) < WEEK_MS || n + 1 == count;
            let first_of_hour = hour.replace(head.time_ms / HOUR_MS) != Some(head.time_ms / HOUR_MS);
            if fresh || first_of_hour || head.ends_epoch {
                bytes.extend(encode(head));
            }
        }
        self.unsure = true;
        io::replace(io, &self.dir, NAME, &bytes)
            .map_err(|e| Error::io("rewrite", &self.dir.join(NAME), &e))?;
        self.unsure = false;
        self.end = bytes.len() as u64;
        self.oldest_ms = now_ms.saturating_sub(WEEK_MS);
        Ok(())
    }
}

/// All heads of a ledger, oldest first.
pub(crate) fn all(io: &dyn Io, dir: &Path) -> Result<Vec<Head>, Error> {
    Ok(read(io, &dir.join(NAME))?.0)
}

fn put(io: &dyn Io, path: &Path, bytes: &[u8], at: u64) -> std::io::Result<()> {
    let file = match io.open(path, Open::Write) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let file = io.open(path, Open::Create)?;
            io.sync_dir(path.parent().expect("a file has a folder"))?;
            file
        }
        other => other?,
    };
    file.write_at(bytes, at)?;
    file.sync()
}

/// A record: whole sectors, so that a crash while one is written cannot touch the one before it.
fn encode(head: &Head) -> Vec<u8> {
    let mut out = MAGIC.to_le_bytes().to_vec();
    out.extend([0; 4]);
    out.extend((head.note.len() as u32).to_le_bytes());
    out.extend(u32::from(head.ends_epoch).to_le_bytes());
    out.extend(head.time_ms.to_le_bytes());
    // Of its own, so that a flipped length does not pass for a record that a crash cut short.
    out.extend(crc32c::crc32c(&out[8..24]).to_le_bytes());
    out.extend(head.note.as_bytes());
    out.resize(out.len().next_multiple_of(SECTOR), b'\n');
    let crc = crc32c::crc32c(&out[8..]);
    out[4..8].copy_from_slice(&crc.to_le_bytes());
    out
}

pub(crate) fn read(io: &dyn Io, path: &Path) -> Result<(Vec<Head>, u64), Error> {
    let file = match io.open(path, Open::Read) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
        Err(e) => return Err(Error::io("open", path, &e)),
    };
    read_from(&*file, path)
}

fn read_from(file: &dyn File, path: &Path) -> Result<(Vec<Head>, u64), Error> {
    let failed = |e: std::io::Error| Error::io("read", path, &e);
    let len = file.len().map_err(failed)?;
    let mut bytes = vec![0; len as usize];
    let got = read_full(file, &mut bytes, 0).map_err(failed)?;
    bytes.truncate(got);
    let damaged = |at: usize| {
        Error::Damaged(format!("{}: the head at byte {at} does not match its checksum", path.display()))
    };
    let (mut heads, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        match decode(&bytes[at..]) {
            Decoded::Head(head, size) => {
                heads.push(*head);
                at += size;
            }
            // Each head is synced before the next is written, so only the last can be torn.
            Decoded::Torn if bytes[at..].len() <= MAX_NOTE && !later_head(&bytes[at..]) => break,
            _ => return Err(damaged(at)),
        }
    }
    Ok((heads, at as u64))
}

enum Decoded {
    Head(Box<Head>, usize),
    /// A sector is missing or was never written.
    Torn,
    Bad,
}

fn decode(bytes: &[u8]) -> Decoded {
    let zero = |sector: &[u8]| sector.iter().all(|b| *b == 0);
    if bytes.len() < SECTOR || zero(&bytes[..SECTOR]) {
        return Decoded::Torn;
    }
    let mut at = Reader(bytes);
    let (magic, crc) = (at.u32().unwrap_or(0), at.u32().unwrap_or(0));
    let len = at.u32().unwrap_or(u32::MAX) as usize;
    let own = u32::from_le_bytes(bytes[24..28].try_into().expect("4"));
    if magic != MAGIC || len > MAX_NOTE || crc32c::crc32c(&bytes[8..24]) != own {
        return Decoded::Bad;
    }
    let size = (HEADER + len).next_multiple_of(SECTOR);
    if bytes.len() < size {
        return Decoded::Torn;
    }
    if crc32c::crc32c(&bytes[8..size]) != crc {
        return if bytes[..size].chunks(SECTOR).any(zero) { Decoded::Torn } else { Decoded::Bad };
    }
    let ends_epoch = at.u32() == Some(1);
    let time_ms = at.u64().unwrap_or(0);
    let note = &bytes[HEADER..HEADER + len];
    let head = String::from_utf8(note.to_vec()).ok().and_then(|note| {
        let (_, size, root) = split(&note)?;
        Some(Head { size, root, time_ms, ends_epoch, note })
    });
    head.map_or(Decoded::Bad, |head| Decoded::Head(Box::new(head), size))
}

fn later_head(bytes: &[u8]) -> bool {
    bytes.chunks(SECTOR).skip(1).any(|sector| sector.starts_with(&MAGIC.to_le_bytes()))
}

/// Origin, size and root of a checkpoint, whose signatures are checked elsewhere.
pub(crate) fn split(note: &str) -> Option<(&str, u64, Hash)> {
    let mut lines = note.split('\n');
    let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
    Some((origin, size.parse().ok()?, Hash::from_b64(root).ok()?))
}
