//! Unique values: a sorted run of keyed hashes in each part, in place of terms.
//!
//! An entry is 56 bits of a hash of the folded value, 8 bits that say at which path it was, and the position relative to
//! the part's first one. One run so serves "this id in that field" as well as "this id anywhere". Equal by chance are two
//! values with probability 2^-56: over a billion entries, one look-up in 10^8.
//!
//! Entries are packed in groups of [`GROUP`]: the first key, then the differences to the key before and the positions,
//! each in as many bits as the group needs; about eight bytes an entry in a part of two million events. A fence in memory
//! has the first key and the end of each group, so a look-up reads one group.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::hash::Hasher;
use std::io::{self, Write};

use siphasher::sip::SipHasher13;

use crate::file::{Reader, Shared, StreamWriter, damaged};

const STREAM: &str = "ids";
const FENCE: &str = "ids.fence";
/// Entries in a group.
const GROUP: usize = 128;
/// First key, bits of a difference, bits of a position.
const HEAD: usize = 8 + 1 + 1;

/// Where a value was: the number of a field, or [`ELSEWHERE`].
pub(crate) type Tag = u8;
/// In an open block, where there are more paths than numbers.
pub(crate) const ELSEWHERE: Tag = 255;

/// Hash and path, and position within the part.
pub(crate) type Id = (u64, u32);

/// What is looked for: a value, as text or by its number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hashes(pub(crate) [u8; 16]);

impl Hashes {
    /// Hash of a folded value; the lowest byte is free for a tag.
    pub(crate) fn text(self, folded: &str) -> u64 {
        self.hash(0, folded.as_bytes())
    }

    /// Hash of the number that a value says.
    pub(crate) fn number(self, n: f64) -> u64 {
        self.hash(1, &crate::term::number(n))
    }

    fn hash(self, space: u8, bytes: &[u8]) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        hasher.write_u8(space);
        hasher.write(bytes);
        hasher.finish() & !0xff
    }
}

/// Writes a run in order.
struct Run {
    to: StreamWriter,
    group: Vec<Id>,
    fence: Vec<u8>,
    bytes: u64,
    count: u64,
}

impl Run {
    fn new(to: &Shared) -> Run {
        Run { to: to.stream(STREAM), group: Vec::with_capacity(GROUP), fence: Vec::new(), bytes: 0, count: 0 }
    }

    fn push(&mut self, id: Id) -> io::Result<()> {
        self.group.push(id);
        self.count += 1;
        if self.group.len() == GROUP { self.end_group() } else { Ok(()) }
    }

    fn end_group(&mut self) -> io::Result<()> {
        let Some((first, _)) = self.group.first() else { return Ok(()) };
        let packed = pack(&self.group);
        self.bytes += packed.len() as u64;
        self.fence.extend(first.to_be_bytes());
        self.fence.extend(self.bytes.to_be_bytes());
        self.group.clear();
        self.to.write_all(&packed)
    }

    fn end(mut self, to: &Shared) -> io::Result<()> {
        self.end_group()?;
        self.to.end()?;
        self.fence.extend(self.count.to_be_bytes());
        let mut fence = to.stream(FENCE);
        fence.write_all(&self.fence)?;
        fence.end()
    }
}

fn width(most: u64) -> u32 {
    64 - most.leading_zeros()
}

fn pack(group: &[Id]) -> Vec<u8> {
    let differences = || group.windows(2).map(|pair| pair[1].0 - pair[0].0);
    let of_difference = width(differences().max().unwrap_or(0));
    let of_position = width(group.iter().map(|(_, position)| u64::from(*position)).max().unwrap_or(0));
    let mut out = Vec::with_capacity(HEAD + group.len() * 12);
    out.extend(group[0].0.to_be_bytes());
    out.extend([of_difference as u8, of_position as u8]);
    let (mut bits, mut held) = (0u128, 0u32);
    let values = differences().map(|d| (d, of_difference));
    let positions = group.iter().map(|(_, position)| (u64::from(*position), of_position));
    for (value, width) in values.chain(positions) {
        bits |= u128::from(value) << held;
        held += width;
        if held >= 64 {
            out.extend((bits as u64).to_le_bytes());
            bits >>= 64;
            held -= 64;
        }
    }
    out.extend(&bits.to_le_bytes()[..held.div_ceil(8) as usize]);
    out
}

/// The entries of a group of `count`; `None` if it is too short for so many.
fn unpack(bytes: &[u8], count: usize, into: &mut Vec<Id>) -> Option<()> {
    let (first, rest) = bytes.split_first_chunk::<8>()?;
    let ([of_difference, of_position], packed) = rest.split_first_chunk::<2>()?;
    let mut rest = packed;
    let (mut bits, mut held) = (0u128, 0);
    let mut next = |width: u32| -> Option<u64> {
        if held < width
            && let Some((some, others)) = rest.split_first_chunk::<8>()
        {
            bits |= u128::from(u64::from_le_bytes(*some)) << held;
            (held, rest) = (held + 64, others);
        }
        while held < width {
            let (one, others) = rest.split_first()?;
            bits |= u128::from(*one) << held;
            (held, rest) = (held + 8, others);
        }
        let value = bits & ((1 << width) - 1);
        bits >>= width;
        held -= width;
        Some(value as u64)
    };
    into.clear();
    let mut key = u64::from_be_bytes(*first);
    into.push((key, 0));
    for _ in 1..count {
        key = key.checked_add(next(u32::from(*of_difference).min(64))?)?;
        into.push((key, 0));
    }
    for (_, position) in into {
        *position = next(u32::from(*of_position).min(32))? as u32;
    }
    Some(())
}

/// Sorts and writes a run.
pub(crate) fn write(to: &Shared, mut ids: Vec<Id>) -> io::Result<()> {
    ids.sort_unstable();
    ids.dedup();
    let mut run = Run::new(to);
    for id in ids {
        run.push(id)?;
    }
    run.end(to)
}

/// A run to be merged.
pub(crate) struct Source<'a> {
    pub(crate) ids: &'a Ids,
    pub(crate) reader: &'a Reader,
    /// What to add to its positions.
    pub(crate) add: u32,
    /// Which positions, before adding, to leave out.
    pub(crate) leave_out: &'a dyn Fn(u32) -> bool,
}

/// Merges runs into one.
pub(crate) fn merge(to: &Shared, runs: &[Source<'_>]) -> io::Result<()> {
    let mut heads = BinaryHeap::new();
    let mut cursors: Vec<_> =
        runs.iter().map(|source| Cursor { source, group: Vec::new(), next: 0 }).collect();
    for (number, cursor) in cursors.iter_mut().enumerate() {
        heads.extend(cursor.next()?.map(|(hash, position)| Reverse((hash, position, number))));
    }
    let mut run = Run::new(to);
    while let Some(mut head) = heads.peek_mut() {
        let Reverse((hash, position, number)) = *head;
        run.push((hash, position))?;
        match cursors[number].next()? {
            Some((hash, position)) => *head = Reverse((hash, position, number)),
            None => drop(PeekMut::pop(head)),
        }
    }
    run.end(to)
}

struct Cursor<'a> {
    source: &'a Source<'a>,
    group: Vec<Id>,
    next: usize,
}

impl Cursor<'_> {
    fn next(&mut self) -> io::Result<Option<Id>> {
        let Source { ids, reader, add, leave_out } = self.source;
        while self.next < ids.count {
            let within = self.next % GROUP;
            if within == 0 {
                ids.group(reader, self.next / GROUP, &mut self.group)?;
            }
            self.next += 1;
            let (key, position) = self.group[within];
            if !leave_out(position) {
                return Ok(Some((key, position + add)));
            }
        }
        Ok(None)
    }
}

/// A part's run.
#[derive(Debug)]
pub(crate) struct Ids {
    stream: u32,
    count: usize,
    /// First key and end of each group.
    fence: Vec<(u64, u64)>,
}

impl Ids {
    pub(crate) fn open(reader: &Reader) -> io::Result<Ids> {
        let missing = || damaged("a part has no ids");
        let (stream, len) = reader.stream(STREAM).ok_or_else(missing)?;
        let (fence, fence_len) = reader.stream(FENCE).ok_or_else(missing)?;
        let fence = reader.read(fence, 0..fence_len)?;
        let number = |bytes: &[u8]| bytes.iter().fold(0, |n, byte| n << 8 | u64::from(*byte));
        let (groups, count) = fence.as_chunks::<16>();
        let groups: Vec<_> = groups.iter().map(|b| (number(&b[..8]), number(&b[8..]))).collect();
        let count = number(count) as usize;
        if groups.last().map_or(0, |(_, end)| *end) != len as u64 || count.div_ceil(GROUP) != groups.len() {
            return Err(missing());
        }
        Ok(Ids { stream, count, fence: groups })
    }

    fn group(&self, reader: &Reader, group: usize, into: &mut Vec<Id>) -> io::Result<()> {
        let from = if group == 0 { 0 } else { self.fence[group - 1].1 };
        let bytes = reader.read(self.stream, from as usize..self.fence[group].1 as usize)?;
        let count = GROUP.min(self.count - group * GROUP);
        unpack(&bytes, count, into).ok_or_else(|| damaged("a group of ids is too short"))
    }

    /// Positions, relative to the part's first, of the entries with this hash and a tag that `wanted` takes.
    pub(crate) fn find(
        &self,
        reader: &Reader,
        hash: u64,
        wanted: impl Fn(Tag) -> bool,
        found: &mut Vec<u32>,
    ) -> io::Result<()> {
        // The first may be in the group before the one that begins with it.
        let first = self.fence.partition_point(|(first, _)| *first < hash).saturating_sub(1);
        let mut group = Vec::with_capacity(GROUP);
        for at in first..self.fence.len() {
            if self.fence[at].0 > hash | 0xff {
                break;
            }
            self.group(reader, at, &mut group)?;
            let start = group.partition_point(|(key, _)| *key < hash);
            let same = group[start..].iter().take_while(|(key, _)| *key <= hash | 0xff);
            found.extend(same.filter(|(key, _)| wanted(*key as u8)).map(|(_, position)| *position));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_any_width_come_back() {
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            state ^ state >> 29
        };
        for count in [1, 2, 3, 127, 128] {
            for shift in [0, 1, 8, 20, 40, 63] {
                let mut group: Vec<Id> =
                    (0..count).map(|_| (next() >> shift, (next() >> 32 >> (shift % 32)) as u32)).collect();
                group.sort_unstable();
                let (packed, mut back) = (pack(&group), Vec::new());
                assert_eq!(unpack(&packed, count, &mut back), Some(()));
                assert_eq!(back, group);
                assert_eq!(unpack(&packed[..packed.len() - 1], count, &mut back), None);
            }
        }
    }
}
