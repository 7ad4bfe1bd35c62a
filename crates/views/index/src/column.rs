//! A number for each document that has one, read by the document.
//!
//! ```text
//! for each 1024 documents: which have a value (u8: none, all, or a bitmap of 128 bytes follows), and if any has
//!                          lowest (i64), step (u64), bits (u8), and value = lowest + step × packed
//! end of each of those blocks (u32)
//! documents (u32), how many have a value (u32), lowest and highest (i64)
//! ```
//!
//! Steps make times of whole milliseconds short.

use std::io::{self, Write};
use std::ops::{Range, RangeInclusive};

use bytes::Bytes;

use crate::file::{Reader, Shared, StreamWriter, damaged};
use crate::window::Window;

/// Documents of a block.
const BLOCK: usize = 1024;
const WORDS: usize = BLOCK / 64;
const NONE: u8 = 0;
const ALL: u8 = 1;
const SOME: u8 = 2;
/// Lowest, step and bits.
const HEAD: usize = 8 + 8 + 1;
const TRAILER: usize = 4 + 4 + 8 + 8;
/// Wider numbers are not packed: one is read as part of eight bytes.
const WIDEST: u32 = 56;

/// Writes a column, document by document.
pub(crate) struct ColumnWriter {
    to: StreamWriter,
    ends: Vec<u8>,
    bytes: u32,
    /// Of the block: how many documents, which of them have a value, and those values.
    documents: usize,
    present: [u64; WORDS],
    values: Vec<i64>,
    /// Of the column.
    all: u32,
    with_value: u32,
    lowest: i64,
    highest: i64,
}

impl ColumnWriter {
    pub(crate) fn new(to: &Shared, name: &str) -> ColumnWriter {
        ColumnWriter {
            to: to.stream(name),
            ends: Vec::new(),
            bytes: 0,
            documents: 0,
            present: [0; WORDS],
            values: Vec::with_capacity(BLOCK),
            all: 0,
            with_value: 0,
            lowest: i64::MAX,
            highest: i64::MIN,
        }
    }

    pub(crate) fn push(&mut self, value: Option<i64>) -> io::Result<()> {
        if let Some(value) = value {
            self.present[self.documents / 64] |= 1 << (self.documents % 64);
            self.values.push(value);
        }
        self.documents += 1;
        if self.documents == BLOCK { self.end_block() } else { Ok(()) }
    }

    /// As many documents without a value.
    pub(crate) fn skip(&mut self, documents: usize) -> io::Result<()> {
        (0..documents).try_for_each(|_| self.push(None))
    }

    fn end_block(&mut self) -> io::Result<()> {
        let mut out = Vec::with_capacity(HEAD + 1 + BLOCK / 8 + self.values.len() * 8);
        if self.values.is_empty() {
            out.push(NONE);
        } else if self.values.len() == self.documents {
            out.push(ALL);
        } else {
            out.push(SOME);
            out.extend(self.present.iter().flat_map(|word| word.to_le_bytes()));
        }
        if let Some((lowest, highest)) = pack(&self.values, &mut out) {
            self.lowest = self.lowest.min(lowest);
            self.highest = self.highest.max(highest);
        }
        self.all += self.documents as u32;
        self.with_value += self.values.len() as u32;
        self.bytes += out.len() as u32;
        self.ends.extend(self.bytes.to_le_bytes());
        self.documents = 0;
        self.present = [0; WORDS];
        self.values.clear();
        self.to.write_all(&out)
    }

    pub(crate) fn end(mut self) -> io::Result<()> {
        if self.documents > 0 {
            self.end_block()?;
        }
        self.ends.extend(self.all.to_le_bytes());
        self.ends.extend(self.with_value.to_le_bytes());
        self.ends.extend(self.lowest.to_le_bytes());
        self.ends.extend(self.highest.to_le_bytes());
        self.to.write_all(&self.ends)?;
        self.to.end()
    }
}

/// Packs values; the lowest and the highest of them.
fn pack(values: &[i64], out: &mut Vec<u8>) -> Option<(i64, i64)> {
    let lowest = *values.iter().min()?;
    let highest = *values.iter().max()?;
    let above = |value: &i64| value.wrapping_sub(lowest) as u64;
    let mut step = 0;
    for value in values {
        step = divisor(step, above(value));
        if step == 1 {
            break;
        }
    }
    let step = step.max(1);
    let needed = 64 - (above(&highest) / step).leading_zeros();
    let bits = if needed > WIDEST { 64 } else { needed };
    out.extend(lowest.to_le_bytes());
    out.extend(step.to_le_bytes());
    out.push(bits as u8);
    let (mut held, mut filled) = (0u128, 0);
    for value in values {
        held |= u128::from(above(value) / step) << filled;
        filled += bits;
        while filled >= 8 {
            out.push(held as u8);
            held >>= 8;
            filled -= 8;
        }
    }
    if filled > 0 {
        out.push(held as u8);
    }
    // So that the last one can be read as part of eight bytes too.
    out.extend([0; 8]);
    Some((lowest, highest))
}

fn divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Unpacks as many values as there is room for; `None` if there are fewer.
fn unpack(bytes: &[u8], into: &mut [i64]) -> Option<()> {
    let (lowest, bytes) = bytes.split_first_chunk::<8>()?;
    let (step, bytes) = bytes.split_first_chunk::<8>()?;
    let (bits, packed) = bytes.split_first()?;
    let (lowest, step, bits) = (i64::from_le_bytes(*lowest), u64::from_le_bytes(*step), usize::from(*bits));
    if packed.len() < (into.len() * bits).div_ceil(8) + 8 || bits > 64 {
        return None;
    }
    let mask = if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
    for (n, value) in into.iter_mut().enumerate() {
        let at = n * bits;
        let eight = packed[at / 8..at / 8 + 8].try_into().expect("eight bytes");
        // Those of 64 bits begin with a byte.
        let unit = u64::from_le_bytes(eight) >> (at % 8) & mask;
        *value = lowest.wrapping_add(unit.wrapping_mul(step) as i64);
    }
    Some(())
}

/// A column, open. It has one block unpacked.
#[derive(Clone)]
pub(crate) struct Column {
    bytes: Bytes,
    /// Where the ends of the blocks are.
    ends: usize,
    documents: u32,
    with_value: u32,
    pub(crate) lowest: i64,
    pub(crate) highest: i64,
    /// The block that is unpacked: its number, which documents have a value, and a value for each document.
    block: usize,
    present: [u64; WORDS],
    values: Vec<i64>,
}

impl Column {
    /// Opens the column of a part with so many documents.
    pub(crate) fn open(reader: &Reader, name: &str, documents: u32) -> io::Result<Column> {
        let wrong = || damaged("a column is not whole");
        let (stream, len) = reader.stream(name).ok_or_else(wrong)?;
        let bytes = reader.read(stream, 0..len)?;
        let blocks = (documents as usize).div_ceil(BLOCK);
        let ends = len.checked_sub(TRAILER + blocks * 4).ok_or_else(wrong)?;
        let trailer = &bytes[len - TRAILER..];
        let u32_at = |at: usize| u32::from_le_bytes(trailer[at..at + 4].try_into().expect("4 bytes"));
        let i64_at = |at: usize| i64::from_le_bytes(trailer[at..at + 8].try_into().expect("8 bytes"));
        if u32_at(0) != documents {
            return Err(wrong());
        }
        let (with_value, lowest, highest) = (u32_at(4), i64_at(8), i64_at(16));
        Ok(Column {
            bytes,
            ends,
            documents,
            with_value,
            lowest,
            highest,
            block: usize::MAX,
            present: [0; WORDS],
            values: vec![0; BLOCK],
        })
    }

    /// Whether no document has a value.
    pub(crate) fn is_empty(&self) -> bool {
        self.with_value == 0
    }

    /// Whether every document has a value.
    pub(crate) fn is_full(&self) -> bool {
        self.with_value == self.documents
    }

    /// Where a block's bytes are.
    fn span(&self, block: usize) -> Range<usize> {
        let end = |n: usize| {
            let at = self.ends + n * 4;
            u32::from_le_bytes(self.bytes[at..at + 4].try_into().expect("4 bytes")) as usize
        };
        let from = if block == 0 { 0 } else { end(block - 1) };
        from..end(block).min(self.ends)
    }

    fn load(&mut self, block: usize) {
        self.block = block;
        self.present = [0; WORDS];
        // What is not as it was written would have failed to decrypt; nothing is there then, rather than a panic.
        let Some((kind, mut rest)) = self.bytes.get(self.span(block)).and_then(<[u8]>::split_first) else {
            return;
        };
        let documents = (self.documents as usize - block * BLOCK).min(BLOCK);
        match *kind {
            ALL => {
                for (at, word) in self.present.iter_mut().enumerate() {
                    let bits = documents.saturating_sub(at * 64).min(64);
                    *word = if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
                }
                if unpack(rest, &mut self.values[..documents]).is_none() {
                    self.present = [0; WORDS];
                }
            }
            SOME => {
                let Some((bitmap, after)) = rest.split_at_checked(BLOCK / 8) else { return };
                rest = after;
                for (word, bytes) in self.present.iter_mut().zip(bitmap.as_chunks::<8>().0) {
                    *word = u64::from_le_bytes(*bytes);
                }
                let count = self.present.iter().map(|word| word.count_ones() as usize).sum();
                let mut dense = [0; BLOCK];
                if unpack(rest, &mut dense[..count]).is_none() {
                    self.present = [0; WORDS];
                    return;
                }
                let mut dense = dense.iter();
                for (at, word) in self.present.iter().enumerate() {
                    let mut bits = *word;
                    while bits != 0
                        && let Some(value) = dense.next()
                    {
                        self.values[at * 64 + bits.trailing_zeros() as usize] = *value;
                        bits &= bits - 1;
                    }
                }
            }
            _ => {}
        }
    }

    /// A document's value. Cheap for documents that are near the last one.
    pub(crate) fn value(&mut self, document: u32) -> Option<i64> {
        let (block, at) = (document as usize / BLOCK, document as usize % BLOCK);
        if block != self.block {
            self.load(block);
        }
        (self.present[at / 64] & 1 << (at % 64) != 0).then(|| self.values[at])
    }

    /// Removes from a window the documents without a value in a range.
    pub(crate) fn restrict(&mut self, range: &RangeInclusive<i64>, window: &mut Window) {
        window.retain(|document| self.value(document).is_some_and(|value| range.contains(&value)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_any_width_come_back() {
        let mut state = 7u64;
        let mut next = || {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            (state ^ state >> 29) as i64
        };
        for count in [1, 2, 63, 1024] {
            for shift in [0, 1, 7, 8, 9, 30, 60, 63] {
                for step in [1, 3, 1_000_000] {
                    let values: Vec<i64> = (0..count).map(|_| (next() >> shift).wrapping_mul(step)).collect();
                    let (mut bytes, mut back) = (Vec::new(), vec![0; count]);
                    let edges = pack(&values, &mut bytes);
                    assert_eq!(edges, values.iter().copied().min().zip(values.iter().copied().max()));
                    assert_eq!(unpack(&bytes, &mut back), Some(()));
                    assert_eq!(back, values);
                    assert_eq!(unpack(&bytes[..bytes.len() - 1], &mut back), None);
                }
            }
        }
    }
}
