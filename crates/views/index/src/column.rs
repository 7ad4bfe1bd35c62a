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
pub(crate) const WORDS: usize = BLOCK / 64;
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

/// Packed values, ready to be read.
struct Packed<'p> {
    lowest: i64,
    step: u64,
    bits: usize,
    packed: &'p [u8],
}

impl Packed<'_> {
    /// The `count` values that [`pack`] wrote; `None` if there are fewer.
    fn open(bytes: &[u8], count: usize) -> Option<Packed<'_>> {
        let (lowest, bytes) = bytes.split_first_chunk::<8>()?;
        let (step, bytes) = bytes.split_first_chunk::<8>()?;
        let (bits, packed) = bytes.split_first()?;
        let (lowest, step) = (i64::from_le_bytes(*lowest), u64::from_le_bytes(*step));
        let bits = usize::from(*bits);
        let is_whole = bits <= 64 && packed.len() >= (count * bits).div_ceil(8) + 8;
        is_whole.then_some(Packed { lowest, step, bits, packed })
    }

    /// Between these are all values: the lowest is the lowest, no value is higher than the highest.
    fn edges(&self) -> RangeInclusive<i64> {
        let highest = i128::from(self.mask()).saturating_mul(i128::from(self.step));
        let highest = highest.saturating_add(i128::from(self.lowest));
        self.lowest..=i64::try_from(highest).unwrap_or(i64::MAX)
    }

    fn mask(&self) -> u64 {
        if self.bits == 64 { u64::MAX } else { (1 << self.bits) - 1 }
    }

    fn eight_bytes(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.packed[at..at + 8].try_into().expect("eight bytes"))
    }

    fn of_units(&self, units: u64) -> i64 {
        self.lowest.wrapping_add(units.wrapping_mul(self.step) as i64)
    }

    /// The `n`th value.
    fn value(&self, n: usize) -> i64 {
        let at = n * self.bits;
        // Those of 64 bits begin with a byte.
        self.of_units(self.eight_bytes(at / 8) >> (at % 8) & self.mask())
    }

    /// The first values, as many as there is room for.
    fn all(&self, into: &mut [i64]) {
        if self.bits > 8 {
            return into.iter_mut().enumerate().for_each(|(n, value)| *value = self.value(n));
        }
        // Eight of them begin with a byte and are within eight.
        let mask = self.mask();
        for (group, values) in into.chunks_mut(8).enumerate() {
            let mut eight = self.eight_bytes(group * self.bits);
            for value in values {
                *value = self.of_units(eight & mask);
                eight >>= self.bits;
            }
        }
    }
}

/// Which documents of a block.
pub(crate) type Chosen = [u64; WORDS];
/// One value in so many is looked up; of more, all are unpacked.
const WORTH_UNPACKING: u32 = 16;

/// How many documents these are.
pub(crate) fn count_of(chosen: &Chosen) -> u32 {
    chosen.iter().map(|word| word.count_ones()).sum()
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
    present: Chosen,
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

    /// The documents of a block that have a value, and the values, packed; `None` if none has.
    fn packed(&self, block: usize) -> Option<(Chosen, &[u8])> {
        let (kind, rest) = self.bytes.get(self.span(block)).and_then(<[u8]>::split_first)?;
        let mut present = [0; WORDS];
        match *kind {
            ALL => {
                let documents = (self.documents as usize - block * BLOCK).min(BLOCK);
                for (at, word) in present.iter_mut().enumerate() {
                    let bits = documents.saturating_sub(at * 64).min(64);
                    *word = if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
                }
                Some((present, rest))
            }
            SOME => {
                let (bitmap, packed) = rest.split_at_checked(BLOCK / 8)?;
                for (word, bytes) in present.iter_mut().zip(bitmap.as_chunks::<8>().0) {
                    *word = u64::from_le_bytes(*bytes);
                }
                Some((present, packed))
            }
            _ => None,
        }
    }

    /// The documents of a block that have a value, and edges between which all their values are, without unpacking any.
    /// `None` if there is no such document.
    pub(crate) fn outline(&self, block: usize) -> Option<(Chosen, RangeInclusive<i64>)> {
        let (present, packed) = self.packed(block)?;
        Some((present, Packed::open(packed, 0)?.edges()))
    }

    fn load(&mut self, block: usize) {
        self.block = block;
        let mut values = std::mem::take(&mut self.values);
        // What is not as it was written would have failed to decrypt; nothing is there then, rather than a panic.
        self.present = self.unpack(block, &mut values).unwrap_or_default();
        self.values = values;
    }

    /// Puts each value of a block where its document is in it; the documents that have one.
    fn unpack(&self, block: usize, values: &mut [i64]) -> Option<Chosen> {
        let (present, packed) = self.packed(block)?;
        let count = count_of(&present) as usize;
        let packed = Packed::open(packed, count)?;
        let documents = (self.documents as usize - block * BLOCK).min(BLOCK);
        if count == documents {
            packed.all(&mut values[..documents]);
            return Some(present);
        }
        let mut dense = [0; BLOCK];
        packed.all(&mut dense[..count]);
        let mut dense = dense.iter();
        for (at, word) in present.iter().enumerate() {
            let mut bits = *word;
            while bits != 0
                && let Some(value) = dense.next()
            {
                values[at * 64 + bits.trailing_zeros() as usize] = *value;
                bits &= bits - 1;
            }
        }
        Some(present)
    }

    /// A document's value. Cheap for documents that are near the last one.
    pub(crate) fn value(&mut self, document: u32) -> Option<i64> {
        let (block, at) = (document as usize / BLOCK, document as usize % BLOCK);
        if block != self.block {
            self.load(block);
        }
        (self.present[at / 64] & 1 << (at % 64) != 0).then(|| self.values[at])
    }

    /// Calls back with each document that was chosen of a block and has a value, and the value. How many these are.
    pub(crate) fn each(&mut self, block: usize, chosen: &Chosen, mut each: impl FnMut(u32, i64)) -> u32 {
        if block != self.block {
            if let Some(count) = self.each_of_few(block, chosen, &mut each) {
                return count;
            }
            self.load(block);
        }
        let mut count = 0;
        let words = self.values.as_chunks::<64>().0.iter().zip(self.present.iter().zip(chosen));
        for (first, (values, (present, chosen))) in ((block * BLOCK) as u32..).step_by(64).zip(words) {
            let mut bits = present & chosen;
            count += bits.count_ones();
            if bits == u64::MAX {
                (first..).zip(values).for_each(|(document, value)| each(document, *value));
                continue;
            }
            while bits != 0 {
                let bit = bits.trailing_zeros();
                each(first + bit, values[bit as usize]);
                bits &= bits - 1;
            }
        }
        count
    }

    /// The same without unpacking the block, if so few are wanted that it does not pay.
    fn each_of_few(&self, block: usize, chosen: &Chosen, each: &mut impl FnMut(u32, i64)) -> Option<u32> {
        let Some((present, packed)) = self.packed(block) else { return Some(0) };
        let count = count_of(&present);
        let mut wanted = *chosen;
        wanted.iter_mut().zip(present).for_each(|(wanted, present)| *wanted &= present);
        let found = count_of(&wanted);
        if found * WORTH_UNPACKING > count {
            return None;
        }
        let packed = Packed::open(packed, count as usize)?;
        let mut before = 0;
        for (at, (present, wanted)) in present.iter().zip(wanted).enumerate() {
            let mut bits = wanted;
            while bits != 0 {
                let bit = bits.trailing_zeros();
                bits &= bits - 1;
                let n = before + (present & ((1 << bit) - 1)).count_ones();
                each((block * BLOCK + at * 64) as u32 + bit, packed.value(n as usize));
            }
            before += present.count_ones();
        }
        Some(found)
    }

    /// Removes from a window the documents without a value in a range.
    pub(crate) fn restrict(&mut self, range: &RangeInclusive<i64>, window: &mut Window) {
        let (mut at, mut rest) = window.words();
        while !rest.is_empty() {
            let (block, within) = (at / WORDS, at % WORDS);
            let (chosen, after) = rest.split_at_mut((WORDS - within).min(rest.len()));
            at += chosen.len();
            rest = after;
            if chosen.iter().any(|word| *word != 0) {
                self.restrict_block(range, block, within, chosen);
            }
        }
    }

    /// The same for documents of one block, from one of its words on.
    fn restrict_block(
        &mut self,
        range: &RangeInclusive<i64>,
        block: usize,
        within: usize,
        chosen: &mut [u64],
    ) {
        let outline = self.outline(block);
        let Some((present, edges)) = outline.filter(|(_, edges)| {
            // Else none of its values can be in the range.
            range.start() <= edges.end() && edges.start() <= range.end()
        }) else {
            return chosen.fill(0);
        };
        let are_all = range.contains(edges.start()) && range.contains(edges.end());
        if !are_all && block != self.block {
            self.load(block);
        }
        for (word, chosen) in (within..).zip(chosen) {
            *chosen &= present[word];
            if are_all {
                continue;
            }
            let mut bits = *chosen;
            while bits != 0 {
                let bit = bits.trailing_zeros();
                bits &= bits - 1;
                if !range.contains(&self.values[word * 64 + bit as usize]) {
                    *chosen &= !(1 << bit);
                }
            }
        }
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
            for shift in [0, 1, 7, 8, 9, 30, 55, 56, 57, 60, 63] {
                for step in [1, 3, 1_000_000] {
                    let values: Vec<i64> = (0..count).map(|_| (next() >> shift).wrapping_mul(step)).collect();
                    let (mut bytes, mut back) = (Vec::new(), vec![0; count]);
                    let packed = pack(&values, &mut bytes);
                    let (lowest, highest) = packed.unwrap();
                    assert_eq!(packed, values.iter().copied().min().zip(values.iter().copied().max()));
                    let open = Packed::open(&bytes, count).unwrap();
                    let edges = open.edges();
                    assert!(*edges.start() == lowest && *edges.end() >= highest, "{edges:?} {highest}");
                    open.all(&mut back);
                    assert_eq!(back, values);
                    assert!((0..count).all(|n| open.value(n) == values[n]));
                    assert!(Packed::open(&bytes[..bytes.len() - 1], count).is_none());
                }
            }
        }
    }
}
