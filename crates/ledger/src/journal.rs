//! The journal: where events are made durable, one frame a commit.
//!
//! A journal is a file filled with zeros ahead of time, because overwriting written blocks syncs
//! several times faster than growing a file. Frames start at multiples of 4 KiB, so no frame shares
//! a disk sector with one that was acknowledged before it.
//!
//! What a crash may leave is told apart from damage by three rules (format.md, 2.3):
//! a torn frame still has a sector of zeros in it; a frame names the end of what was synced before
//! it, so a bad one below a named end was acknowledged once; and nothing is cut off below a signed head.

use std::path::{Path, PathBuf};
use std::sync::RwLock;

use proof::Mac;

use crate::crypt::{Salts, Sealer, Secret, TAG, WRAPPED};
use crate::error::Error;
use crate::io::{File, Io, Open, read_full};
use crate::keys::{Places, Reader, crc_around, newer};
use crate::record::{Batch, Entry, Fingerprint, Part, Row, SECTIONS, Span};

const MAGIC: &[u8; 8] = b"IDLJRNL1";
/// Zeros that become the next journal.
pub(crate) const SPARE: &str = "spare";
const FRAME_MAGIC: u32 = u32::from_le_bytes(*b"IDFR");
/// Frames and the header are whole blocks.
pub(crate) const BLOCK: usize = 4096;
/// The unit a disk writes whole or not at all, as far as we rely on it.
const SECTOR: usize = 512;
const FRAME_HEADER: usize = 64;
/// A commit is cut into frames of at most this many bytes.
pub(crate) const MAX_FRAME: usize = 16 << 20;

/// An open journal.
pub(crate) struct Journal {
    pub(crate) path: PathBuf,
    pub(crate) first: u64,
    pub(crate) len: u64,
    pub(crate) salt_key: Secret,
    file: Box<dyn File>,
    id: [u8; 8],
    sealer: Sealer,
    salts: Salts,
    /// Frames that are durable. Readers look here; the sequencer adds after a sync.
    frames: RwLock<Vec<FrameAt>>,
}

/// Where a frame lies and what it holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameAt {
    pub(crate) first: u64,
    pub(crate) count: u32,
    pub(crate) offset: u64,
    /// Bytes after the header.
    pub(crate) len: u32,
    pub(crate) first_id: [u8; 16],
}

/// What a scan found at the end of a journal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    /// Zeros to the end of the file.
    Clean,
    /// A frame that a crash cut short. It was never acknowledged.
    Torn,
}

enum Found {
    Frame { first: u64, count: u32, bytes: Vec<u8> },
    Zeros,
    Torn,
    Bad,
}

pub(crate) fn name(first: u64) -> String {
    format!("journal-{first:020}")
}

impl Journal {
    /// Creates one of `len` bytes, durable when this returns.
    pub(crate) fn create(
        io: &dyn Io,
        dir: &Path,
        keys: &Places,
        first: u64,
        len: u64,
    ) -> Result<Journal, Error> {
        let path = dir.join(name(first));
        let fresh = dir.join(format!("{}.new", name(first)));
        let (data_key, salt_key) = (Secret::random(io), Secret::random(io));
        let mut id = [0; 8];
        io.random(&mut id);
        let mut header = Vec::with_capacity(BLOCK);
        header.extend(MAGIC);
        header.extend([0; 4]);
        header.extend(keys.ledger);
        header.extend(id);
        header.extend(first.to_le_bytes());
        header.extend(len.to_le_bytes());
        header.extend(keys.wrap(io, &data_key, "journal data", first));
        header.extend(keys.wrap(io, &salt_key, "salts", first));
        header.resize(BLOCK, 0);
        let crc = crc_around(&header);
        header[8..12].copy_from_slice(&crc.to_le_bytes());

        let build = || -> std::io::Result<Box<dyn File>> {
            // Taken by its name before it is opened: else one that is made ready meanwhile could be
            // renamed in the place of the one we write to.
            let taken = spare(io, dir, len)?.is_some() && io.rename(&dir.join(SPARE), &fresh).is_ok();
            let ready = if taken { Some(io.open(&fresh, Open::Write)?) } else { None };
            let file = match ready {
                Some(file) if file.len()? == len => file,
                _ => {
                    let file = io.open(&fresh, Open::Create)?;
                    fill(&*file, len)?;
                    file
                }
            };
            file.write_at(&header, 0)?;
            file.sync()?;
            io.rename(&fresh, &path)?;
            io.sync_dir(dir)?;
            Ok(file)
        };
        let file = build().map_err(|e| {
            // Leave nothing behind that eats the space which was missing.
            let _ = io.remove(&fresh);
            Error::io("create", &path, &e)
        })?;
        Ok(Journal {
            path,
            first,
            len,
            file,
            id,
            sealer: Sealer::new(&data_key),
            salts: Salts::new(&salt_key),
            salt_key,
            frames: RwLock::default(),
        })
    }

    /// Opens the file of one and reads its header, not yet its frames.
    pub(crate) fn open(io: &dyn Io, path: &Path, keys: &Places, how: Open) -> Result<Journal, Error> {
        let file = io.open(path, how).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => Error::NotFound(format!("{} is not there", path.display())),
            _ => Error::io("open", path, &e),
        })?;
        let mut header = vec![0; BLOCK];
        let got = read_full(&*file, &mut header, 0).map_err(|e| Error::io("read", path, &e))?;
        let damaged = |why: &str| Error::Damaged(format!("{}: {why}", path.display()));
        if got < BLOCK || crc_around(&header) != u32::from_le_bytes(header[8..12].try_into().expect("4")) {
            return Err(damaged("header does not match its checksum"));
        }
        if header[..8] != *MAGIC {
            return Err(match newer(&header[..8], MAGIC) {
                true => Error::NewerFormat(format!("{} was written by a newer release", path.display())),
                false => damaged("not a journal"),
            });
        }
        let mut at = Reader(&header[12..]);
        let short = || damaged("header is short");
        let ledger: [u8; 16] = at.array().ok_or_else(short)?;
        let id: [u8; 8] = at.array().ok_or_else(short)?;
        let first = at.u64().ok_or_else(short)?;
        let len = at.u64().ok_or_else(short)?;
        let forged = |why: &str| Error::Tampered(format!("{}: {why}", path.display()));
        if ledger != keys.ledger {
            return Err(forged("belongs to another ledger"));
        }
        if path.file_name().and_then(|n| n.to_str()) != Some(&name(first)) {
            return Err(forged("was renamed"));
        }
        let data_key = keys
            .unwrap(at.take(WRAPPED).ok_or_else(short)?, "journal data", first)
            .ok_or_else(|| forged("its data key was changed"))?;
        let salt_key = keys
            .unwrap(at.take(WRAPPED).ok_or_else(short)?, "salts", first)
            .ok_or_else(|| forged("its salt key was changed"))?;
        Ok(Journal {
            path: path.to_owned(),
            first,
            len,
            file,
            id,
            sealer: Sealer::new(&data_key),
            salts: Salts::new(&salt_key),
            salt_key,
            frames: RwLock::default(),
        })
    }

    /// Durable frames, oldest first.
    pub(crate) fn frames(&self) -> Vec<FrameAt> {
        self.frames.read().expect("no panic while frames are changed").clone()
    }

    /// The frame that holds `position`.
    pub(crate) fn frame_of(&self, position: u64) -> Option<FrameAt> {
        let frames = self.frames.read().expect("no panic while frames are changed");
        let at = frames.partition_point(|f| f.first <= position).checked_sub(1)?;
        (position < frames[at].first + u64::from(frames[at].count)).then(|| frames[at])
    }

    /// Position after the last durable one.
    pub(crate) fn end(&self) -> u64 {
        let frames = self.frames.read().expect("no panic while frames are changed");
        frames.last().map_or(self.first, |f| f.first + u64::from(f.count))
    }

    /// Offset at which the next frame goes.
    pub(crate) fn tail(&self) -> u64 {
        let frames = self.frames.read().expect("no panic while frames are changed");
        frames.last().map_or(BLOCK as u64, |f| f.offset + (FRAME_HEADER + f.len as usize) as u64)
    }

    /// Salts of positions in this journal.
    pub(crate) fn salts(&self, first: u64, count: usize) -> Vec<[[u8; 16]; 8]> {
        self.salts.of(first, count)
    }

    /// Bytes a frame with this much plaintext takes.
    pub(crate) fn frame_size(plain: usize) -> usize {
        (FRAME_HEADER + plain + TAG).next_multiple_of(BLOCK)
    }

    /// Writes a frame and syncs. Nothing was promised before this returns; everything may be after.
    pub(crate) fn write(
        &self,
        nonce: [u8; 12],
        first: u64,
        count: u32,
        first_id: [u8; 16],
        mut plain: Vec<u8>,
    ) -> std::io::Result<()> {
        let offset = self.tail();
        let size = Journal::frame_size(plain.len());
        debug_assert!(offset + size as u64 <= self.len, "the sequencer rolls before a journal is full");
        // Filled up with encrypted zeros, so that every sector of a whole frame is non-zero.
        plain.resize(size - FRAME_HEADER - TAG, 0);
        let mut header = [0u8; FRAME_HEADER];
        header[..4].copy_from_slice(&FRAME_MAGIC.to_le_bytes());
        header[8..16].copy_from_slice(&offset.to_le_bytes());
        header[16..24].copy_from_slice(&first.to_le_bytes());
        header[24..28].copy_from_slice(&count.to_le_bytes());
        header[28..32].copy_from_slice(&((size - FRAME_HEADER) as u32).to_le_bytes());
        header[36..48].copy_from_slice(&nonce);
        header[48..56].copy_from_slice(&self.id);
        self.sealer.seal(nonce, &header[8..32], &mut plain);
        header[32..36].copy_from_slice(&crc32c::crc32c(&plain).to_le_bytes());
        let crc = crc32c::crc32c(&header[8..]);
        header[4..8].copy_from_slice(&crc.to_le_bytes());
        let mut frame = Vec::with_capacity(size);
        frame.extend(header);
        frame.extend(plain);
        self.file.write_at(&frame, offset)?;
        self.file.sync()?;
        // From here on a crash loses nothing: the frame is synced and a scan finds it.
        let at = FrameAt { first, count, offset, len: (size - FRAME_HEADER) as u32, first_id };
        self.frames.write().expect("no panic while frames are changed").push(at);
        Ok(())
    }

    /// Reads a frame back from the file.
    pub(crate) fn read(&self, frame: &FrameAt) -> Result<Batch, Error> {
        let mut bytes = vec![0; FRAME_HEADER + frame.len as usize];
        let got = read_full(&*self.file, &mut bytes, frame.offset);
        let got = got.map_err(|e| Error::io("read", &self.path, &e))?;
        let whole = got == bytes.len() && self.header_at(&bytes, frame.offset).is_some();
        if !whole || crc32c::crc32c(&bytes[FRAME_HEADER..]).to_le_bytes() != bytes[32..36] {
            return Err(self.damaged(frame.offset));
        }
        self.open_frame(bytes, frame.offset)
    }

    fn damaged(&self, offset: u64) -> Error {
        Error::Damaged(format!(
            "{}: the frame at byte {offset} does not match its checksum",
            self.path.display()
        ))
    }

    /// Decrypts and decodes a frame whose checksums hold.
    fn open_frame(&self, mut bytes: Vec<u8>, offset: u64) -> Result<Batch, Error> {
        let forged = || {
            Error::Tampered(format!(
                "{}: the frame at byte {offset} has a good checksum and was changed all the same",
                self.path.display()
            ))
        };
        let (header, body) = bytes.split_at_mut(FRAME_HEADER);
        let nonce = header[36..48].try_into().expect("12");
        let first = u64::from_le_bytes(header[16..24].try_into().expect("8"));
        let count = u32::from_le_bytes(header[24..28].try_into().expect("4"));
        let len = self.sealer.open(nonce, &header[8..32], body).ok_or_else(forged)?.len();
        // The plaintext stays where it is: these are hundreds of kilobytes.
        bytes.truncate(FRAME_HEADER + len);
        bytes.drain(..FRAME_HEADER);
        decode(bytes, first, count, &self.salts).ok_or_else(forged)
    }

    /// An intact frame header of this journal: (synced end, first, count, length).
    fn header_at(&self, bytes: &[u8], offset: u64) -> Option<(u64, u64, u32, u32)> {
        let header = bytes.get(..FRAME_HEADER)?;
        let mut at = Reader(header);
        if at.u32()? != FRAME_MAGIC || at.u32()? != crc32c::crc32c(&header[8..]) || header[48..56] != self.id
        {
            return None;
        }
        let (synced_end, first, count, len) = (at.u64()?, at.u64()?, at.u32()?, at.u32()?);
        let size = FRAME_HEADER + len as usize;
        let fits = size <= Journal::frame_size(MAX_FRAME + BLOCK) && offset + size as u64 <= self.len;
        (fits && size.is_multiple_of(BLOCK)).then_some((synced_end, first, count, len))
    }

    /// Reads all frames, handing each to `each`, and says how the journal ends.
    /// `expected_end`: the position at which the next journal begins, if there is one; then this
    /// one was complete and synced before that was created.
    ///
    /// Another process may be writing. A reader can catch a frame half written and then sees
    /// what damage looks like, so whatever looks bad is looked at again for a while.
    pub(crate) fn scan(
        &self,
        io: &dyn Io,
        expected_end: Option<u64>,
        mut each: impl FnMut(Batch) -> Result<(), Error>,
    ) -> Result<Tail, Error> {
        if self.file.len().map_err(|e| Error::io("measure", &self.path, &e))? < self.len {
            return Err(Error::Damaged(format!("{}: the file was cut", self.path.display())));
        }
        let mut frames = Vec::new();
        let (mut offset, mut position) = (BLOCK as u64, self.first);
        let mut tries = 0;
        let tail = loop {
            let end = match self.frame_at(offset)? {
                Found::Frame { first, count, bytes } => {
                    if first != position {
                        return Err(Error::Tampered(format!(
                            "{}: position {position} is followed by {first}; a record was taken out",
                            self.path.display()
                        )));
                    }
                    let len = (bytes.len() - FRAME_HEADER) as u32;
                    let batch = self.open_frame(bytes, offset)?;
                    let first_id = batch.rows.first().map_or([0; 16], |row| row.id);
                    frames.push(FrameAt { first, count, offset, len, first_id });
                    each(batch)?;
                    position += u64::from(count);
                    offset += FRAME_HEADER as u64 + u64::from(len);
                    continue;
                }
                Found::Zeros => self.look_past(offset, Tail::Clean),
                Found::Torn => self.look_past(offset, Tail::Torn),
                Found::Bad => Err(self.damaged(offset)),
            };
            match end {
                Ok(tail) => break tail,
                Err(_) if tries < 10 => {
                    tries += 1;
                    io.pause(tries);
                }
                Err(e) => return Err(e),
            }
        };
        if let Some(end) = expected_end
            && end != position
        {
            return Err(Error::Damaged(format!(
                "{}: ends at position {position}, and the next journal begins at {end}",
                self.path.display()
            )));
        }
        *self.frames.write().expect("no panic while frames are changed") = frames;
        Ok(tail)
    }

    /// What lies at an offset where a frame may begin.
    fn frame_at(&self, offset: u64) -> Result<Found, Error> {
        let read = |buf: &mut [u8]| {
            read_full(&*self.file, buf, offset).map_err(|e| Error::io("read", &self.path, &e))
        };
        let mut sector = [0u8; SECTOR];
        let got = if offset < self.len { read(&mut sector)? } else { 0 };
        if got < SECTOR || sector.iter().all(|b| *b == 0) {
            return Ok(Found::Zeros);
        }
        // A sector is written whole or not at all, so a broken header is not how a crash looks.
        let Some((_, first, count, len)) = self.header_at(&sector, offset) else { return Ok(Found::Bad) };
        let mut bytes = vec![0; FRAME_HEADER + len as usize];
        read(&mut bytes)?;
        if crc32c::crc32c(&bytes[FRAME_HEADER..]).to_le_bytes() == bytes[32..36] {
            return Ok(Found::Frame { first, count, bytes });
        }
        let torn = bytes.chunks(SECTOR).any(|s| s.iter().all(|b| *b == 0));
        Ok(if torn { Found::Torn } else { Found::Bad })
    }

    /// Looks at what lies past the last whole frame: a later frame that says this place had been
    /// synced makes it damage; anything but zeros makes the tail torn.
    fn look_past(&self, end: u64, mut tail: Tail) -> Result<Tail, Error> {
        let mut chunk = vec![0u8; 1 << 20];
        let mut at = end;
        while at < self.len {
            let got =
                read_full(&*self.file, &mut chunk, at).map_err(|e| Error::io("read", &self.path, &e))?;
            if got == 0 {
                break;
            }
            for (n, block) in chunk[..got].chunks(BLOCK).enumerate() {
                if block.iter().all(|b| *b == 0) {
                    continue;
                }
                tail = Tail::Torn;
                let offset = at + (n * BLOCK) as u64;
                if self.header_at(block, offset).is_some_and(|(synced_end, ..)| synced_end > end) {
                    return Err(self.damaged(end));
                }
            }
            at += got as u64;
        }
        Ok(tail)
    }

    /// Writes the last frame once more, and waits for the disk: it may have been seen in the cache only.
    pub(crate) fn write_again(&self) -> Result<(), Error> {
        let Some(frame) = self.frames().pop() else { return Ok(()) };
        let again = || -> std::io::Result<()> {
            let mut bytes = vec![0; FRAME_HEADER + frame.len as usize];
            let got = read_full(&*self.file, &mut bytes, frame.offset)?;
            self.file.write_at(&bytes[..got], frame.offset)?;
            self.file.sync()
        };
        again().map_err(|e| Error::io("write", &self.path, &e))
    }

    /// Zeros everything past the last whole frame, so that a torn one cannot come back to life.
    pub(crate) fn clear_tail(&self) -> Result<(), Error> {
        let clear = || -> std::io::Result<()> {
            let mut chunk = vec![0u8; 1 << 20];
            let mut at = self.tail();
            while at < self.len {
                let got = read_full(&*self.file, &mut chunk, at)?;
                if got == 0 {
                    break;
                }
                if chunk[..got].iter().any(|b| *b != 0) {
                    chunk[..got].fill(0);
                    self.file.write_at(&chunk[..got], at)?;
                }
                at += got as u64;
            }
            self.file.sync()
        };
        clear().map_err(|e| Error::io("clear the torn end of", &self.path, &e))
    }

    /// Overwrites the wrapped keys and removes the file: what it held can no longer be read.
    pub(crate) fn destroy(&self, io: &dyn Io) -> Result<(), Error> {
        destroy(io, &self.path, &*self.file)
    }
}

/// Makes a file of zeros ready, so that the sequencer need not wait for it when the journal is full.
pub(crate) fn prepare(io: &dyn Io, dir: &Path, len: u64) -> Result<(), Error> {
    let (path, fresh) = (dir.join(SPARE), dir.join(format!("{SPARE}.new")));
    let make = || -> std::io::Result<()> {
        if spare(io, dir, len)?.is_some() {
            return Ok(());
        }
        let file = io.open(&fresh, Open::Create)?;
        fill(&*file, len)?;
        file.sync()?;
        io.rename(&fresh, &path)?;
        io.sync_dir(dir)
    };
    make().map_err(|e| {
        let _ = io.remove(&fresh);
        Error::io("prepare", &path, &e)
    })
}

/// The file of zeros, if one of this length is ready.
fn spare(io: &dyn Io, dir: &Path, len: u64) -> std::io::Result<Option<Box<dyn File>>> {
    match io.open(&dir.join(SPARE), Open::Write) {
        Ok(file) => Ok((file.len()? == len).then_some(file)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

fn fill(file: &dyn File, len: u64) -> std::io::Result<()> {
    let zeros = vec![0u8; 1 << 20];
    let mut at = 0;
    while at < len {
        let n = zeros.len().min((len - at) as usize);
        file.write_at(&zeros[..n], at)?;
        at += n as u64;
    }
    Ok(())
}

/// Overwrites a file's first block, where its keys lie, and removes it.
pub(crate) fn destroy(io: &dyn Io, path: &Path, file: &dyn File) -> Result<(), Error> {
    let gone = || -> std::io::Result<()> {
        // Removed first: a crash in between must not leave a file whose header is zeros.
        io.remove(path)?;
        io.sync_dir(path.parent().expect("a file has a folder"))?;
        file.write_at(&[0; BLOCK], 0)?;
        file.sync()
    };
    gone().map_err(|e| Error::io("remove", path, &e))
}

/// Adds a row to a frame's plaintext.
pub(crate) fn encode_event(out: &mut Vec<u8>, id: &[u8; 16], time_ns: i64, entry: &Entry, mac: Option<&Mac>) {
    encode_core(out, false, id, time_ns, entry, mac);
    out.push(entry.bodies.iter().count() as u8);
    for (slot, body) in entry.bodies.iter() {
        out.push(slot as u8);
        out.extend((body.len() as u32).to_le_bytes());
        out.extend(body);
    }
}

/// Adds a control leaf to a frame's plaintext.
pub(crate) fn encode_control(
    out: &mut Vec<u8>,
    id: &[u8; 16],
    time_ns: i64,
    entry: &Entry,
    body: &[u8],
    mac: Option<&Mac>,
) {
    encode_core(out, true, id, time_ns, entry, mac);
    out.extend((body.len() as u16).to_le_bytes());
    out.extend(body);
}

fn encode_core(
    out: &mut Vec<u8>,
    control: bool,
    id: &[u8; 16],
    time_ns: i64,
    entry: &Entry,
    mac: Option<&Mac>,
) {
    let flags = u8::from(control) | u8::from(mac.is_some()) << 1 | u8::from(entry.fingerprint.is_some()) << 2;
    out.push(flags);
    out.extend(id);
    out.extend(time_ns.to_le_bytes());
    out.extend(entry.retention.to_le_bytes());
    out.extend([entry.status, entry.severity, entry.sender_auth, entry.kind.len() as u8]);
    out.extend(entry.kind.as_bytes());
    out.push(entry.producer.len() as u8);
    out.extend(entry.producer.as_bytes());
    out.extend(entry.producer_seq.to_le_bytes());
    if let Some(mac) = mac {
        out.extend(mac.key_id);
        out.extend(mac.tag);
    }
    if let Some(fingerprint) = &entry.fingerprint {
        out.extend(fingerprint.key);
        out.extend(fingerprint.digest);
    }
}

/// Decodes a frame's plaintext. `None` if it is not one.
fn decode(plain: Vec<u8>, first: u64, count: u32, salts: &Salts) -> Option<Batch> {
    // A row takes at least 40 bytes; a count that could not fit is refused before allocating.
    if count as usize > plain.len() / 40 {
        return None;
    }
    let salts = salts.of(first, count as usize);
    let mut rows = Vec::with_capacity(count as usize);
    let mut at = Reader(&plain);
    let whole = plain.len();
    for salts in &salts {
        let flags = at.u8()?;
        let control = flags & 1 != 0;
        let id = at.array()?;
        let time_ns = at.u64()? as i64;
        let retention = at.u16()?;
        let [status, severity, sender_auth] = at.array()?;
        let span = |at: &mut Reader<'_>, len: usize| {
            let start = (whole - at.0.len()) as u32;
            at.take(len).map(|_| Span { start, len: len as u32 })
        };
        let len = at.u8()? as usize;
        let kind = span(&mut at, len)?;
        let len = at.u8()? as usize;
        let producer = span(&mut at, len)?;
        let producer_seq = at.u64()?;
        let mac = match flags & 2 != 0 {
            true => Some(Mac { key_id: at.array()?, tag: at.array()? }),
            false => None,
        };
        let fingerprint = match flags & 4 != 0 {
            true => Some(Fingerprint { key: at.array()?, digest: at.array()? }),
            false => None,
        };
        let mut parts = [Part::Absent; 4];
        let mut body = Span::default();
        if control {
            let len = at.u16()? as usize;
            body = span(&mut at, len)?;
        } else {
            for _ in 0..at.u8()? {
                let slot = at.u8()? as usize;
                let len = at.u32()? as usize;
                let body = span(&mut at, len)?;
                *parts.get_mut(slot).filter(|_| slot < SECTIONS.len())? =
                    Part::Present { salt: salts[slot], body };
            }
        }
        rows.push(Row {
            control,
            id,
            time_ns,
            retention,
            status,
            severity,
            sender_auth,
            kind,
            producer,
            producer_seq,
            parts,
            body,
            mac,
            fingerprint,
        });
    }
    // What is left is the padding to a whole block.
    at.0.iter().all(|b| *b == 0).then_some(Batch { first, rows, bytes: plain })
}
