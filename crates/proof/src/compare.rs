//! Two checkpoints of one ledger: can both be true? (docs/format.md 1.11)

use crate::checkpoint::Checkpoint;
use crate::consistency::verify_consistency;
use crate::error::{Error, malformed};
use crate::hash::Hash;
use crate::tile::decimal;
use crate::verdict::{Finding, Verdict};

/// Compares a ledger's newest checkpoint with one that someone kept. Both are signed by the
/// ledger's identity key: the caller checked that.
///
/// `RolledBack` if the ledger is now smaller; otherwise as [`compare`]. Whoever has the whole tree
/// need not make a proof: give it as `current` the checkpoint it would have had at `known.size`.
pub fn compare_newest(known: &Checkpoint, current: &Checkpoint, proof: Option<&[Hash]>) -> Finding {
    if known.origin == current.origin && current.size < known.size {
        return Finding::new(
            Verdict::RolledBack,
            format!("the ledger has {} leaves, but a checkpoint of {} is known", current.size, known.size),
        );
    }
    compare(known, current, proof)
}

/// Compares two checkpoints, either of which may be the older one, with a consistency proof between
/// their sizes. Both are signed by the ledger's identity key: the caller checked that.
///
/// `SplitView` for two roots of one size; `Incomplete` if the sizes differ and there is no proof;
/// `Tampered` if the proof does not hold, which alone does not show that none could;
/// `CannotCheck` if they are of different ledgers.
pub fn compare(a: &Checkpoint, b: &Checkpoint, proof: Option<&[Hash]>) -> Finding {
    let (old, new) = if a.size <= b.size { (a, b) } else { (b, a) };
    if old.origin != new.origin {
        return Finding::new(Verdict::CannotCheck, "the known checkpoint is of another ledger");
    }
    if old.size == new.size {
        return match old.root == new.root {
            true => Finding::new(Verdict::Verified, "the known checkpoint is the same"),
            false => Finding::new(
                Verdict::SplitView,
                format!("two signed checkpoints of size {} have different roots", old.size),
            ),
        };
    }
    if old.size == 0 {
        return Finding::new(Verdict::Verified, "one checkpoint is of the empty ledger");
    }
    let Some(proof) = proof else {
        return Finding::new(
            Verdict::Incomplete,
            format!("sizes {} and {} were not compared: that needs a consistency proof", old.size, new.size),
        );
    };
    match verify_consistency(old.size, new.size, proof, &old.root, &new.root) {
        Ok(()) => Finding::new(
            Verdict::Verified,
            format!("the tree of size {} is the beginning of the one of size {}", old.size, new.size),
        ),
        Err(error) => Finding::from(error),
    }
}

/// A consistency proof as a file: the body of a tlog-witness `add-checkpoint` request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsistencyFile {
    /// Size of the older checkpoint, which is another file.
    pub old_size: u64,
    /// The proof, at most 63 hashes.
    pub proof: Vec<Hash>,
    /// The newer checkpoint, verbatim.
    pub checkpoint: String,
}

impl ConsistencyFile {
    /// Reads a file; the checkpoint in it is not looked at.
    pub fn parse(text: &str) -> Result<ConsistencyFile, Error> {
        let (head, checkpoint) =
            text.split_once("\n\n").ok_or_else(|| malformed("a consistency proof without a checkpoint"))?;
        let mut lines = head.split('\n');
        let old_size = lines
            .next()
            .and_then(|line| line.strip_prefix("old "))
            .and_then(decimal)
            .ok_or_else(|| malformed("a consistency proof does not start with the old size"))?;
        let mut proof = Vec::new();
        for line in lines {
            if proof.len() == 63 {
                return Err(malformed("a consistency proof has more than 63 hashes"));
            }
            proof.push(Hash::from_b64(line)?);
        }
        Ok(ConsistencyFile { old_size, proof, checkpoint: checkpoint.to_owned() })
    }
}

/// Writes the file's text.
impl std::fmt::Display for ConsistencyFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "old {}", self.old_size)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", hash.to_b64()))?;
        write!(f, "\n{}", self.checkpoint)
    }
}
