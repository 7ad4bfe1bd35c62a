//! Sorted byte strings, each with something beside it: terms with their lists, or the texts of a column.
//!
//! They are written in blocks; in a block each key only has what differs from the one before it:
//!
//! ```text
//! entry:  shared bytes (varint), further bytes (varint), those bytes, what is beside it
//! fence:  for each block: bytes of its first key (varint), that key, its number (varint), bytes of the block (varint);
//!         at the end how many keys there are (u64)
//! ```
//!
//! The fence is in memory while the dictionary is open, so that finding a key reads one block.

use std::io::{self, Write};
use std::marker::PhantomData;

use bytes::Bytes;

use crate::file::{Reader, Shared, StreamWriter, damaged};
use crate::varint;

/// A block ends when it has so many bytes.
const BLOCK: usize = 2 << 10;

/// What is beside a key.
pub(crate) trait Beside: Copy {
    fn write(self, out: &mut Vec<u8>);
    fn take(from: &mut &[u8]) -> Option<Self>;
}

/// Nothing: the key's number is enough.
impl Beside for () {
    fn write(self, _: &mut Vec<u8>) {}
    fn take(_: &mut &[u8]) -> Option<()> {
        Some(())
    }
}

/// Where the documents with a term are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listed {
    /// There is one, this.
    One(u32),
    /// So many, in bytes of the lists' stream.
    Many { count: u32, at: u64, len: u32 },
}

impl Beside for Listed {
    fn write(self, out: &mut Vec<u8>) {
        match self {
            Listed::One(document) => {
                varint::put(out, 1);
                varint::put(out, u64::from(document));
            }
            Listed::Many { count, at, len } => {
                varint::put(out, u64::from(count));
                varint::put(out, at);
                varint::put(out, u64::from(len));
            }
        }
    }

    fn take(from: &mut &[u8]) -> Option<Listed> {
        let count = u32::try_from(varint::take(from)?).ok()?;
        let at = varint::take(from)?;
        if count == 1 {
            return Some(Listed::One(u32::try_from(at).ok()?));
        }
        Some(Listed::Many { count, at, len: u32::try_from(varint::take(from)?).ok()? })
    }
}

fn fence_of(name: &str) -> String {
    format!("{name}.fence")
}

/// Writes a dictionary in the order of its keys.
pub(crate) struct DictionaryWriter {
    keys: StreamWriter,
    fence: StreamWriter,
    block: Vec<u8>,
    first: Vec<u8>,
    last: Vec<u8>,
    first_number: u64,
    count: u64,
}

impl DictionaryWriter {
    pub(crate) fn new(to: &Shared, name: &str) -> DictionaryWriter {
        DictionaryWriter {
            keys: to.stream(name),
            fence: to.stream(&fence_of(name)),
            block: Vec::with_capacity(BLOCK + 256),
            first: Vec::new(),
            last: Vec::new(),
            first_number: 0,
            count: 0,
        }
    }

    pub(crate) fn push(&mut self, key: &[u8], beside: impl Beside) -> io::Result<()> {
        debug_assert!(self.count == 0 || *self.last < *key, "keys come in order");
        let shared = if self.block.is_empty() {
            self.first.clear();
            self.first.extend_from_slice(key);
            self.first_number = self.count;
            0
        } else {
            self.last.iter().zip(key).take_while(|(a, b)| a == b).count()
        };
        varint::put(&mut self.block, shared as u64);
        varint::put(&mut self.block, (key.len() - shared) as u64);
        self.block.extend_from_slice(&key[shared..]);
        beside.write(&mut self.block);
        self.last.truncate(shared);
        self.last.extend_from_slice(&key[shared..]);
        self.count += 1;
        if self.block.len() >= BLOCK { self.end_block() } else { Ok(()) }
    }

    fn end_block(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let mut entry = Vec::with_capacity(self.first.len() + 20);
        varint::put(&mut entry, self.first.len() as u64);
        entry.extend_from_slice(&self.first);
        varint::put(&mut entry, self.first_number);
        varint::put(&mut entry, self.block.len() as u64);
        self.fence.write_all(&entry)?;
        self.keys.write_all(&self.block)?;
        self.block.clear();
        Ok(())
    }

    pub(crate) fn end(mut self) -> io::Result<()> {
        self.end_block()?;
        self.keys.end()?;
        self.fence.write_all(&self.count.to_le_bytes())?;
        self.fence.end()
    }
}

#[derive(Debug)]
struct Block {
    first: Box<[u8]>,
    /// Number of the first key.
    number: u64,
    at: usize,
    len: usize,
}

/// A dictionary, open.
#[derive(Debug)]
pub(crate) struct Dictionary<B> {
    stream: u32,
    blocks: Vec<Block>,
    count: u64,
    beside: PhantomData<B>,
}

impl<B: Beside> Dictionary<B> {
    pub(crate) fn open(reader: &Reader, name: &str) -> io::Result<Dictionary<B>> {
        let wrong = || damaged("a dictionary is not whole");
        let (stream, len) = reader.stream(name).ok_or_else(wrong)?;
        let (fence, fence_len) = reader.stream(&fence_of(name)).ok_or_else(wrong)?;
        let fence = reader.read(fence, 0..fence_len)?;
        let (mut rest, count) = fence.split_last_chunk::<8>().ok_or_else(wrong)?;
        let (mut blocks, mut at) = (Vec::new(), 0usize);
        while !rest.is_empty() {
            let block = block(&mut rest, at).ok_or_else(wrong)?;
            at = at.checked_add(block.len).ok_or_else(wrong)?;
            blocks.push(block);
        }
        if at != len {
            return Err(wrong());
        }
        Ok(Dictionary { stream, blocks, count: u64::from_le_bytes(*count), beside: PhantomData })
    }

    /// How many keys there are; their numbers are those below.
    pub(crate) fn count(&self) -> usize {
        self.count as usize
    }

    /// Goes through the keys from `key` on.
    pub(crate) fn walk<'a>(&'a self, reader: &'a Reader, key: &[u8]) -> io::Result<Walk<'a, B>> {
        let block = self.blocks.partition_point(|block| *block.first <= *key).saturating_sub(1);
        let mut walk = self.walk_block(reader, block)?;
        while walk.current().is_some_and(|(found, ..)| found < key) {
            walk.advance()?;
        }
        Ok(walk)
    }

    /// Goes through the keys from the one with this number on.
    pub(crate) fn walk_from<'a>(&'a self, reader: &'a Reader, number: u64) -> io::Result<Walk<'a, B>> {
        let block = self.blocks.partition_point(|block| block.number <= number).saturating_sub(1);
        let mut walk = self.walk_block(reader, block)?;
        while walk.current().is_some_and(|(_, at, _)| at < number) {
            walk.advance()?;
        }
        Ok(walk)
    }

    fn walk_block<'a>(&'a self, reader: &'a Reader, block: usize) -> io::Result<Walk<'a, B>> {
        let mut walk = Walk {
            of: self,
            reader,
            next_block: block,
            bytes: Bytes::new(),
            at: 0,
            key: Vec::new(),
            number: 0,
            beside: None,
        };
        walk.advance()?;
        Ok(walk)
    }

    /// A key's number and what is beside it.
    pub(crate) fn get(&self, reader: &Reader, key: &[u8]) -> io::Result<Option<(u64, B)>> {
        let walk = self.walk(reader, key)?;
        Ok(walk.current().filter(|(found, ..)| *found == key).map(|(_, number, beside)| (number, beside)))
    }
}

fn block(rest: &mut &[u8], at: usize) -> Option<Block> {
    let len = usize::try_from(varint::take(rest)?).ok()?;
    let (first, after) = rest.split_at_checked(len)?;
    *rest = after;
    let number = varint::take(rest)?;
    Some(Block { first: first.into(), number, at, len: usize::try_from(varint::take(rest)?).ok()? })
}

/// Keys in order.
pub(crate) struct Walk<'a, B> {
    of: &'a Dictionary<B>,
    reader: &'a Reader,
    next_block: usize,
    bytes: Bytes,
    at: usize,
    key: Vec<u8>,
    /// Of the key after the current one.
    number: u64,
    beside: Option<B>,
}

impl<B: Beside> Walk<'_, B> {
    /// The key, its number and what is beside it; `None` after the last one.
    pub(crate) fn current(&self) -> Option<(&[u8], u64, B)> {
        self.beside.map(|beside| (&*self.key, self.number - 1, beside))
    }

    pub(crate) fn advance(&mut self) -> io::Result<()> {
        if self.at == self.bytes.len() {
            let Some(block) = self.of.blocks.get(self.next_block) else {
                self.beside = None;
                return Ok(());
            };
            self.bytes = self.reader.read(self.of.stream, block.at..block.at + block.len)?;
            (self.at, self.number) = (0, block.number);
            self.next_block += 1;
        }
        let mut rest = &self.bytes[self.at..];
        self.beside = entry(&mut rest, &mut self.key);
        self.at = self.bytes.len() - rest.len();
        self.number += 1;
        if self.beside.is_none() { Err(damaged("a block of a dictionary is not whole")) } else { Ok(()) }
    }
}

fn entry<B: Beside>(rest: &mut &[u8], key: &mut Vec<u8>) -> Option<B> {
    let shared = usize::try_from(varint::take(rest)?).ok().filter(|shared| *shared <= key.len())?;
    let further = usize::try_from(varint::take(rest)?).ok()?;
    let (bytes, after) = rest.split_at_checked(further)?;
    key.truncate(shared);
    key.extend_from_slice(bytes);
    *rest = after;
    B::take(rest)
}
