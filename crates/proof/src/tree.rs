//! The tree of RFC 6962, section 2.1, kept as its frontier: one hash for each complete subtree on
//! its right edge. That is all it takes to append and to know the root.

use crate::error::{Error, malformed};
use crate::hash::{Hash, empty_root, node_hash};

/// The largest tree this crate appends to. Checking knows no limit.
pub const MAX_SIZE: u64 = 1 << 62;

/// The right edge of a tree: the roots of the complete subtrees it is made of, largest (leftmost)
/// first, one for each one-bit of the size. At most 63 hashes.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    hashes: Vec<Hash>,
}

impl Frontier {
    /// The empty tree.
    pub fn new() -> Frontier {
        Frontier::default()
    }

    /// A tree of which only the right edge is known. Refused if the number of hashes is not the
    /// number of one-bits of `size`, or `size` is above [`MAX_SIZE`]. Whether the hashes are the
    /// right ones only the root can tell.
    pub fn from_parts(size: u64, hashes: Vec<Hash>) -> Result<Frontier, Error> {
        if size > MAX_SIZE {
            return Err(malformed("a tree larger than 2^62 leaves"));
        }
        if hashes.len() != size.count_ones() as usize {
            return Err(malformed("the number of subtrees does not fit the tree size"));
        }
        Ok(Frontier { size, hashes })
    }

    /// Adds a leaf on the right, by its leaf hash. One node hash on average, at most 62.
    pub fn append(&mut self, leaf_hash: Hash) {
        let mut hash = leaf_hash;
        // Each trailing one-bit of the size is a complete subtree as large as what we hold: join them.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.hashes.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.hashes.push(hash);
        self.size += 1;
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The subtree roots, largest first.
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// The root hash, `MTH` of RFC 6962, section 2.1.
    pub fn root(&self) -> Hash {
        root_from_subtrees(&self.hashes)
    }
}

/// The root over adjacent subtrees, largest (leftmost) first, of which all are complete and each
/// is smaller than the one before. The empty tree's root for none.
pub fn root_from_subtrees(subtrees: &[Hash]) -> Hash {
    match subtrees.split_last() {
        None => empty_root(),
        Some((last, rest)) => rest.iter().rev().fold(*last, |right, left| node_hash(left, &right)),
    }
}

/// Where the hashes of complete subtrees come from.
///
/// A closure `Fn(u32, u64) -> Result<Hash, E>` is one; [`TileNodes`](crate::tile::TileNodes)
/// makes one from hash tiles.
pub trait Nodes {
    /// Why a hash could not be had.
    type Error;

    /// The root of the complete subtree over the `2^level` leaves that start at
    /// `index * 2^level`. Asked only for subtrees wholly inside the tree.
    fn node(&self, level: u32, index: u64) -> Result<Hash, Self::Error>;
}

impl<F, E> Nodes for F
where
    F: Fn(u32, u64) -> Result<Hash, E> + ?Sized,
{
    type Error = E;

    fn node(&self, level: u32, index: u64) -> Result<Hash, E> {
        self(level, index)
    }
}

/// The root of the tree's first `size` leaves. Reads one node for each one-bit of `size`.
pub fn root<N: Nodes + ?Sized>(size: u64, nodes: &N) -> Result<Hash, N::Error> {
    range_root(0, size, nodes)
}

/// The frontier of the tree's first `size` leaves, which must not be above [`MAX_SIZE`] if it is
/// to be appended to.
pub fn frontier<N: Nodes + ?Sized>(size: u64, nodes: &N) -> Result<Frontier, N::Error> {
    Ok(Frontier { size, hashes: subtrees(0, size, nodes)? })
}

/// `MTH(D[start:end])`, where `start` is a multiple of the smallest power of two not below
/// `end - start`, as it is wherever RFC 6962 splits a tree.
pub(crate) fn range_root<N: Nodes + ?Sized>(start: u64, end: u64, nodes: &N) -> Result<Hash, N::Error> {
    Ok(root_from_subtrees(&subtrees(start, end, nodes)?))
}

fn subtrees<N: Nodes + ?Sized>(start: u64, end: u64, nodes: &N) -> Result<Vec<Hash>, N::Error> {
    let mut hashes = Vec::with_capacity(end.saturating_sub(start).count_ones() as usize);
    let mut at = start;
    while at < end {
        let level = (end - at).ilog2();
        hashes.push(nodes.node(level, at >> level)?);
        at += 1 << level;
    }
    Ok(hashes)
}

/// The largest power of two below `n`, for `n` of at least 2 (RFC 6962, section 2.1).
pub(crate) fn split(n: u64) -> u64 {
    1 << n.saturating_sub(1).max(1).ilog2()
}
