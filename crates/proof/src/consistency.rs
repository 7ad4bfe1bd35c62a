//! Proof that an older tree is the beginning of a newer one.

use crate::error::{Error, contradicts, malformed};
use crate::hash::{Hash, node_hash};
use crate::tree::{Nodes, range_root, split};

/// The consistency proof from the tree's first `old` leaves to its first `new` leaves:
/// `PROOF(old, D[new])` of RFC 6962, section 2.1.2. At most 65 hashes; empty if the sizes are equal.
///
/// There is none from 0, nor to a smaller tree; what is returned then is empty, and
/// [`verify_consistency`] refuses it.
pub fn consistency_proof<N: Nodes + ?Sized>(old: u64, new: u64, nodes: &N) -> Result<Vec<Hash>, N::Error> {
    let mut proof = Vec::new();
    if old == 0 || old >= new {
        return Ok(proof);
    }
    let (mut start, mut end) = (0, new);
    while end != old {
        let middle = start + split(end - start);
        if old <= middle {
            proof.push(range_root(middle, end, nodes)?);
            end = middle;
        } else {
            proof.push(range_root(start, middle, nodes)?);
            start = middle;
        }
    }
    // The verifier knows the old root already; any other subtree that ends the old tree it must be told.
    if start != 0 {
        proof.push(range_root(start, end, nodes)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that the tree of `old` leaves with `old_root` is the beginning of the tree of `new`
/// leaves with `new_root` (RFC 9162, section 2.1.4.2).
///
/// A proof from size 0 is refused: it would hold for any tree. Between equal sizes the proof must be
/// empty and the roots equal.
pub fn verify_consistency(
    old: u64,
    new: u64,
    proof: &[Hash],
    old_root: &Hash,
    new_root: &Hash,
) -> Result<(), Error> {
    if old == 0 {
        return Err(malformed("a consistency proof from size 0 says nothing"));
    }
    if old > new {
        return Err(malformed("a consistency proof goes from a smaller tree to a larger one"));
    }
    if old == new {
        if !proof.is_empty() {
            return Err(malformed("a consistency proof between equal sizes is empty"));
        }
        if old_root != new_root {
            return Err(contradicts("two trees of the same size have different roots"));
        }
        return Ok(());
    }
    let mut rest = proof.iter();
    // The root of a complete old tree is where the proof starts, and is not repeated in it.
    let first = if old.is_power_of_two() { Some(old_root) } else { rest.next() };
    let Some(first) = first else { return Err(contradicts("the consistency proof is too short")) };

    let (mut node, mut last) = (old - 1, new - 1);
    let shift = node.trailing_ones();
    node >>= shift;
    last >>= shift;
    let (mut old_hash, mut new_hash) = (*first, *first);
    for hash in rest {
        if last == 0 {
            return Err(contradicts("the consistency proof is too long"));
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(hash, &old_hash);
            new_hash = node_hash(hash, &new_hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, hash);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(contradicts("the consistency proof is too short"));
    }
    if old_hash != *old_root {
        return Err(contradicts("the consistency proof does not give the old root"));
    }
    if new_hash != *new_root {
        return Err(contradicts("the consistency proof does not give the new root"));
    }
    Ok(())
}
