//! The documents with a term: ascending numbers.
//!
//! ```text
//! for each 128 documents: the last of them (u32), bits of a difference (u8)
//! for each 128 documents: the differences, packed (`bitpacking`, four lanes)
//! for each one left:      the difference to the one before, as a varint
//! ```
//!
//! How many there are stands in the dictionary. The first part tells which block a document is in without unpacking any.

use bitpacking::{BitPacker, BitPacker4x};
use bytes::Bytes;

use crate::varint;
use crate::window::Window;

/// Documents of a block.
const BLOCK: usize = BitPacker4x::BLOCK_LEN;
/// Bytes that tell the last document of a block and how it is packed.
const SKIP: usize = 5;
/// No document has this number.
pub(crate) const END: u32 = u32::MAX;

/// Writes a list, which is ascending and has no number twice.
pub(crate) fn encode(documents: &[u32], out: &mut Vec<u8>) {
    let packer = BitPacker4x::new();
    let (blocks, rest) = documents.as_chunks::<BLOCK>();
    let mut before = None;
    for block in blocks {
        let last = block[BLOCK - 1];
        out.extend(last.to_le_bytes());
        out.push(packer.num_bits_strictly_sorted(before, block));
        before = Some(last);
    }
    before = None;
    for block in blocks {
        let bits = packer.num_bits_strictly_sorted(before, block);
        let start = out.len();
        out.resize(start + packed_len(bits), 0);
        packer.compress_strictly_sorted(before, block, &mut out[start..], bits);
        before = Some(block[BLOCK - 1]);
    }
    let mut before = before.unwrap_or(0);
    for document in rest {
        varint::put(out, u64::from(document - before));
        before = *document;
    }
}

fn packed_len(bits: u8) -> usize {
    BLOCK * usize::from(bits) / 8
}

/// A list at work: a block of it is unpacked, and it goes forward only.
pub(crate) struct Postings {
    list: Bytes,
    /// How many documents there are.
    pub(crate) count: u32,
    /// Of how many.
    of: u32,
    /// The block that is unpacked, and where its bytes begin.
    block: usize,
    at: usize,
    documents: [u32; BLOCK],
    len: usize,
}

impl Postings {
    /// The list of `count` documents that [`encode`] wrote, of a part of `of` documents.
    pub(crate) fn new(list: Bytes, count: u32, of: u32) -> Postings {
        let at = count as usize / BLOCK * SKIP;
        let mut postings = Postings { list, count, of, block: 0, at, documents: [0; BLOCK], len: 0 };
        postings.unpack();
        postings
    }

    /// One document, which stands in the dictionary.
    pub(crate) fn single(document: u32, of: u32) -> Postings {
        let mut documents = [0; BLOCK];
        documents[0] = document;
        Postings { list: Bytes::new(), count: 1, of, block: 0, at: 0, documents, len: 1 }
    }

    fn blocks(&self) -> usize {
        self.count as usize / BLOCK
    }

    /// The last document of a full block, and how many bits a difference has in it.
    fn skip(&self, block: usize) -> (u32, u8) {
        let entry = &self.list[block * SKIP..(block + 1) * SKIP];
        (u32::from_le_bytes([entry[0], entry[1], entry[2], entry[3]]), entry[4])
    }

    fn unpack(&mut self) {
        let before = self.block.checked_sub(1).filter(|b| *b < self.blocks()).map(|b| self.skip(b).0);
        self.len = 0;
        if self.block < self.blocks() {
            let (_, bits) = self.skip(self.block);
            let packed = &self.list[self.at..self.at + packed_len(bits)];
            BitPacker4x::new().decompress_strictly_sorted(before, packed, &mut self.documents, bits);
            self.len = BLOCK;
        } else if self.block == self.blocks() {
            let mut rest = &self.list[self.at.min(self.list.len())..];
            let mut document = before.unwrap_or(0);
            while self.len < self.count as usize % BLOCK
                && let Some(difference) = varint::take(&mut rest)
            {
                document += difference as u32;
                self.documents[self.len] = document;
                self.len += 1;
            }
        }
    }

    /// The documents of the block, none when the list has ended.
    fn documents(&self) -> &[u32] {
        &self.documents[..self.len]
    }

    fn step(&mut self) {
        if self.block < self.blocks() {
            self.at += packed_len(self.skip(self.block).1);
        }
        self.block += 1;
    }

    fn advance(&mut self) {
        self.step();
        self.unpack();
    }

    /// The first document from `target` on, [`END`] if there is none.
    pub(crate) fn seek(&mut self, target: u32) -> u32 {
        if self.documents().last().is_none_or(|last| *last < target) {
            if self.len == 0 {
                return END;
            }
            self.step();
            while self.block < self.blocks() && self.skip(self.block).0 < target {
                self.step();
            }
            self.unpack();
        }
        let at = self.documents().partition_point(|document| *document < target);
        self.documents().get(at).copied().unwrap_or(END)
    }

    /// Hands out all documents that are left.
    pub(crate) fn drain(mut self, mut each: impl FnMut(&[u32])) {
        while self.len > 0 {
            each(self.documents());
            self.advance();
        }
    }

    /// Removes from a window the documents that are not in the list.
    pub(crate) fn restrict(&mut self, window: &mut Window) {
        let expected =
            u64::from(self.count) * u64::from(window.end - window.start) / u64::from(self.of.max(1));
        // Unpacking a block costs about as much as 64 documents, and each look-up may have to unpack one.
        if u64::from(window.count()) * 64 < expected {
            return window.retain(|document| self.seek(document) == document);
        }
        let mut kept = window.empty_like();
        if self.seek(window.start) != END {
            loop {
                let documents = self.documents();
                let from = documents.partition_point(|d| *d < window.start);
                let to = documents.partition_point(|d| *d < window.end);
                documents[from..to].iter().for_each(|document| kept.insert(*document));
                // What is beyond the window is for the next one.
                if to < documents.len() {
                    break;
                }
                self.advance();
                if self.len == 0 {
                    break;
                }
            }
        }
        window.and(&kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_any_length_and_density_come_back() {
        for count in [1u32, 2, 127, 128, 129, 255, 256, 257, 1000] {
            for step in [1u32, 2, 3, 100, 100_000] {
                let list: Vec<u32> = (0..count).map(|n| n * step + n % step.min(7)).collect();
                let mut bytes = Vec::new();
                encode(&list, &mut bytes);
                let bytes = Bytes::from(bytes);
                let open = || Postings::new(bytes.clone(), count, u32::MAX);
                let mut all = Vec::new();
                open().drain(|some| all.extend_from_slice(some));
                assert_eq!(all, list, "{count} {step}");
                for stride in [1, 5, 130, 300] {
                    let mut postings = open();
                    for at in (0..list.len()).step_by(stride) {
                        assert_eq!(
                            postings.seek(list[at].saturating_sub(u32::from(at > 0 && step > 9))),
                            list[at]
                        );
                    }
                    assert_eq!(postings.seek(list[list.len() - 1] + 1), END);
                }
            }
        }
    }
}
