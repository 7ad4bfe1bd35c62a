//! Proof that a leaf is in a tree.

use crate::error::{Error, contradicts};
use crate::hash::{Hash, node_hash};
use crate::tree::{Nodes, range_root, split};

/// The inclusion proof for the leaf at `index` in the tree of `size` leaves: `PATH(index, D[size])`
/// of RFC 6962, section 2.1.1, sibling of the leaf first. At most 64 hashes.
///
/// For an `index` not below `size` there is no proof; what is returned then is empty, and
/// [`verify_inclusion`] refuses it.
pub fn inclusion_proof<N: Nodes + ?Sized>(index: u64, size: u64, nodes: &N) -> Result<Vec<Hash>, N::Error> {
    let mut proof = Vec::new();
    if index >= size {
        return Ok(proof);
    }
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            proof.push(range_root(middle, end, nodes)?);
            end = middle;
        } else {
            proof.push(range_root(start, middle, nodes)?);
            start = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that the leaf with `leaf_hash` is at `index` in the tree of `size` leaves with `root`
/// (RFC 9162, section 2.1.3.2).
///
/// A proof does not bind the size: take `size` and `root` from a checkpoint whose signatures were
/// checked, never from where the proof came from.
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf_hash: &Hash,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), Error> {
    if index >= size {
        return Err(contradicts("the position is not in the tree"));
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf_hash;
    for sibling in proof {
        if last == 0 {
            return Err(contradicts("the inclusion proof is too long"));
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(contradicts("the inclusion proof is too short"));
    }
    if hash != *root {
        return Err(contradicts("the leaf and its inclusion proof do not give the root"));
    }
    Ok(())
}
