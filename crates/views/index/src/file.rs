//! A part's file: several streams of bytes in encrypted blocks, in one file.
//!
//! ```text
//! "IDLIDXP1"
//! blocks       each AES-256-GCM of up to BLOCK bytes of one stream, in the order they were filled
//! contents     one more such block: name, length and block offsets of each stream
//! end          u64 offset and u32 length of the contents
//! ```
//!
//! Each file has a random key, which is kept in the manifest: a file that was removed cannot be read even where the
//! disk still has its bytes. The nonce is the number of the block; file id and number are the associated data, so a
//! block cannot stand in for another. A block is only as long as it must be, and streams of different length grow
//! side by side, since several are written at once.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use bytes::Bytes;
use ledger::io::{File, Io, Open};
use zeroize::Zeroize;

use crate::cache::{Cache, Place};

/// Bytes of plain text in a full block.
const BLOCK: usize = 32 << 10;
const TAG: usize = 16;
const MAGIC: &[u8; 8] = b"IDLIDXP1";
const END: usize = 12;
/// More than the contents of any file we write: 16 GiB of blocks.
const CONTENTS_MAX: usize = 8 << 20;

/// Names and opens one file.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct FileKey {
    pub(crate) id: [u8; 16],
    pub(crate) key: [u8; 32],
}

impl FileKey {
    pub(crate) fn random(io: &dyn Io) -> FileKey {
        let mut fresh = FileKey { id: [0; 16], key: [0; 32] };
        io.random(&mut fresh.id);
        io.random(&mut fresh.key);
        fresh
    }

    pub(crate) fn name(&self) -> String {
        format!("part-{:032x}", u128::from_be_bytes(self.id))
    }
}

impl Drop for FileKey {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// Seals and opens the blocks of one file.
struct Blocks {
    key: LessSafeKey,
    id: [u8; 16],
}

impl Blocks {
    fn new(of: &FileKey) -> Blocks {
        let key = UnboundKey::new(&AES_256_GCM, &of.key).expect("32 bytes are a key");
        Blocks { key: LessSafeKey::new(key), id: of.id }
    }

    fn nonce_and_context(&self, number: u64) -> (Nonce, Aad<[u8; 24]>) {
        let mut nonce = [0; 12];
        nonce[..8].copy_from_slice(&number.to_le_bytes());
        let mut context = [0; 24];
        context[..16].copy_from_slice(&self.id);
        context[16..].copy_from_slice(&number.to_le_bytes());
        // The key is this file's alone, and a file's blocks are numbered.
        (Nonce::assume_unique_for_key(nonce), Aad::from(context))
    }

    fn seal(&self, number: u64, block: &mut Vec<u8>) {
        let (nonce, context) = self.nonce_and_context(number);
        self.key
            .seal_in_place_append_tag(nonce, context, block)
            .expect("a block is below the limit of the cipher");
    }

    fn open<'a>(&self, number: u64, block: &'a mut [u8]) -> io::Result<&'a [u8]> {
        let (nonce, context) = self.nonce_and_context(number);
        let opened = self.key.open_in_place(nonce, context, block);
        opened.map(|plain| &*plain).map_err(|_| damaged("a block does not open with its key"))
    }
}

pub(crate) fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// One stream: its length, and number and offset of each block. All blocks but the last are full.
#[derive(Clone, Default)]
struct Stream {
    len: u64,
    blocks: Vec<(u64, u64)>,
}

/// A file being written.
pub(crate) struct Writer {
    file: Box<dyn File>,
    blocks: Blocks,
    at: u64,
    next: u64,
    streams: BTreeMap<String, Stream>,
}

impl Writer {
    pub(crate) fn create(io: &dyn Io, dir: &Path, key: &FileKey) -> io::Result<Writer> {
        let file = io.open(&dir.join(key.name()), Open::Create)?;
        file.write_at(MAGIC, 0)?;
        Ok(Writer { file, blocks: Blocks::new(key), at: 8, next: 0, streams: BTreeMap::new() })
    }

    /// Writes the next block of a stream: full, unless it is the stream's last.
    fn push(&mut self, stream: &str, mut block: Vec<u8>) -> io::Result<()> {
        let (number, offset, len) = (self.next, self.at, block.len() as u64);
        self.blocks.seal(number, &mut block);
        self.file.write_at(&block, offset)?;
        self.next += 1;
        self.at += block.len() as u64;
        let stream = self.streams.entry(stream.to_owned()).or_default();
        stream.len += len;
        stream.blocks.push((number, offset));
        Ok(())
    }

    /// Writes the contents and syncs. Its length in bytes.
    fn finish(mut self) -> io::Result<u64> {
        let mut contents = Vec::new();
        for (name, stream) in &self.streams {
            contents.push(name.len() as u8);
            contents.extend(name.as_bytes());
            contents.extend(stream.len.to_le_bytes());
            for (number, offset) in &stream.blocks {
                contents.extend(&number.to_le_bytes()[..5]);
                contents.extend(&offset.to_le_bytes()[..6]);
            }
        }
        let (number, offset) = (self.next, self.at);
        self.blocks.seal(number, &mut contents);
        // The number of the contents' block follows from nothing else.
        contents.extend(offset.to_le_bytes());
        contents.extend((number as u32).to_le_bytes());
        self.at += contents.len() as u64;
        self.file.write_at(&contents, offset)?;
        self.file.sync()?;
        Ok(self.at)
    }
}

/// A writer that several streams share.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<Option<Writer>>>);

impl Shared {
    pub(crate) fn new(writer: Writer) -> Shared {
        Shared(Arc::new(Mutex::new(Some(writer))))
    }

    pub(crate) fn stream(&self, name: &str) -> StreamWriter {
        StreamWriter { to: self.clone(), name: name.to_owned(), buffer: Vec::new() }
    }

    /// Ends the file; streams that were not ended are not in it whole.
    pub(crate) fn finish(&self) -> io::Result<u64> {
        let writer = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        writer.ok_or_else(|| io::Error::other("the file was ended before"))?.finish()
    }

    fn push(&self, stream: &str, block: Vec<u8>) -> io::Result<()> {
        let mut writer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        writer.as_mut().ok_or_else(|| io::Error::other("the file was ended before"))?.push(stream, block)
    }
}

/// Writes one stream. Nothing is kept of it unless [`StreamWriter::end`] is called.
pub(crate) struct StreamWriter {
    to: Shared,
    name: String,
    buffer: Vec<u8>,
}

impl StreamWriter {
    pub(crate) fn end(&mut self) -> io::Result<()> {
        // Also when it is empty: the stream is then known, with nothing in it.
        self.to.push(&self.name, std::mem::take(&mut self.buffer))
    }
}

impl io::Write for StreamWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while self.buffer.len() + rest.len() > BLOCK {
            let (now, later) = rest.split_at(BLOCK - self.buffer.len());
            self.buffer.extend_from_slice(now);
            let full = std::mem::replace(&mut self.buffer, Vec::with_capacity(BLOCK + TAG));
            self.to.push(&self.name, full)?;
            rest = later;
        }
        self.buffer.extend_from_slice(rest);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file that is whole, for reading.
pub(crate) struct Reader {
    file: Box<dyn File>,
    blocks: Blocks,
    len: u64,
    streams: Vec<(String, Stream)>,
    cache: Arc<Cache>,
    in_cache: u64,
}

impl Reader {
    pub(crate) fn open(io: &dyn Io, dir: &Path, key: &FileKey, cache: Arc<Cache>) -> io::Result<Reader> {
        let file = io.open(&dir.join(key.name()), Open::Read)?;
        let blocks = Blocks::new(key);
        let len = file.len()?;
        let end_at = len.checked_sub(END as u64).ok_or_else(|| damaged("a file is too short"))?;
        let mut end = [0; END];
        read_exact(&*file, &mut end, end_at)?;
        let offset = u64::from_le_bytes(end[..8].try_into().expect("8 of 12"));
        let number = u32::from_le_bytes(end[8..].try_into().expect("4 of 12"));
        let size = end_at.checked_sub(offset).filter(|size| *size <= CONTENTS_MAX as u64);
        let mut contents =
            vec![0; size.ok_or_else(|| damaged("a file's contents are out of place"))? as usize];
        read_exact(&*file, &mut contents, offset)?;
        let streams = read_contents(blocks.open(u64::from(number), &mut contents)?)
            .ok_or_else(|| damaged("a file's contents are not readable"))?;
        let in_cache = cache.file();
        Ok(Reader { file, blocks, len, streams, cache, in_cache })
    }

    /// Length of the whole file on the disk.
    pub(crate) fn bytes(&self) -> u64 {
        self.len
    }

    /// Number and length of a stream.
    pub(crate) fn stream(&self, name: &str) -> Option<(u32, usize)> {
        let at = self.streams.binary_search_by(|(n, _)| n.as_str().cmp(name)).ok()?;
        Some((at as u32, self.streams[at].1.len as usize))
    }

    /// What was worked out of a whole stream, and kept: a file never changes.
    pub(crate) fn kept(&self, stream: u32) -> Option<Bytes> {
        self.cache.get(self.outcome_of(stream))
    }

    /// Keeps what was worked out of a whole stream, as long as there is room.
    pub(crate) fn keep(&self, stream: u32, outcome: Bytes) {
        self.cache.put(self.outcome_of(stream), outcome);
    }

    /// Where no bytes of the stream itself are: these are never none.
    fn outcome_of(&self, stream: u32) -> Place {
        Place { file: self.in_cache, stream, block: 0, count: 0 }
    }

    /// Bytes of a stream. Those of one block, or of blocks that were read together before, are not copied.
    pub(crate) fn read(&self, stream: u32, range: Range<usize>) -> io::Result<Bytes> {
        let found = &self.streams[stream as usize].1;
        if range.start >= range.end {
            return Ok(Bytes::new());
        }
        if range.end as u64 > found.len {
            return Err(damaged("a read beyond the end of a stream"));
        }
        let (first, last) = (range.start / BLOCK, (range.end - 1) / BLOCK);
        let place =
            Place { file: self.in_cache, stream, block: first as u32, count: (last - first + 1) as u32 };
        let within = range.start - first * BLOCK..range.end - first * BLOCK;
        if let Some(bytes) = self.cache.get(place) {
            return Ok(bytes.slice(within));
        }
        let plain = ((last + 1) * BLOCK).min(found.len as usize) - first * BLOCK;
        let mut out = Vec::with_capacity(plain);
        let mut block = Vec::with_capacity(BLOCK + TAG);
        for at in first..=last {
            let (number, offset) = found.blocks[at];
            block.resize(BLOCK.min(found.len as usize - at * BLOCK) + TAG, 0);
            read_exact(&*self.file, &mut block, offset)?;
            out.extend_from_slice(self.blocks.open(number, &mut block)?);
        }
        if out.len() != plain {
            return Err(damaged("a block is of another length"));
        }
        let bytes = Bytes::from(out);
        self.cache.put(place, bytes.clone());
        Ok(bytes.slice(within))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.cache.forget(self.in_cache);
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reader({} bytes)", self.len)
    }
}

fn read_contents(mut rest: &[u8]) -> Option<Vec<(String, Stream)>> {
    let mut streams = Vec::new();
    while let Some((name_len, after)) = rest.split_first() {
        let (name, after) = after.split_at_checked(usize::from(*name_len))?;
        let (len, after) = after.split_first_chunk::<8>()?;
        let len = u64::from_le_bytes(*len);
        // An empty stream has one empty block.
        let count = usize::try_from(len.div_ceil(BLOCK as u64).max(1)).ok()?;
        let (blocks, after) = after.split_at_checked(count.checked_mul(11)?)?;
        let number = |bytes: &[u8]| bytes.iter().rev().fold(0u64, |n, byte| n << 8 | u64::from(*byte));
        let blocks = blocks.as_chunks::<11>().0.iter().map(|b| (number(&b[..5]), number(&b[5..]))).collect();
        streams.push((String::from_utf8(name.to_vec()).ok()?, Stream { len, blocks }));
        rest = after;
    }
    Some(streams)
}

pub(crate) fn read_exact(file: &dyn File, buf: &mut [u8], offset: u64) -> io::Result<()> {
    let mut done = 0;
    while done < buf.len() {
        match file.read_at(&mut buf[done..], offset + done as u64) {
            Ok(0) => return Err(damaged("a file ends too soon")),
            Ok(n) => done += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}
