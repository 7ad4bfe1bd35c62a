//! One event's proof as a file (C2SP tlog-proof).

use crate::b64;
use crate::error::{Error, malformed};
use crate::hash::Hash;
use crate::tile::decimal;

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1\n";

/// What a `.tlog-proof` holds. Nothing in it is believed before it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// What is needed beside: for us an [`Extra`](crate::disclosure::Extra). Not signed.
    pub extra: Option<Vec<u8>>,
    /// Position of the leaf.
    pub index: u64,
    /// Inclusion proof: sibling of the leaf first, child of the root last.
    pub path: Vec<Hash>,
    /// The checkpoint, verbatim, with all signature lines.
    pub checkpoint: String,
}

impl TlogProof {
    /// Reads a proof; the checkpoint in it is not looked at. At most 64 hashes.
    pub fn parse(text: &str) -> Result<TlogProof, Error> {
        let rest = text.strip_prefix(FIRST_LINE).ok_or_else(|| malformed("not a tlog-proof"))?;
        let (head, checkpoint) =
            rest.split_once("\n\n").ok_or_else(|| malformed("a tlog-proof without a checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        let extra = match lines.next_if(|line| line.starts_with("extra ")) {
            None => None,
            Some(line) => {
                let bytes = b64::decode(&line["extra ".len()..]);
                Some(bytes.ok_or_else(|| malformed("a tlog-proof's extra is not base64"))?)
            }
        };
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(decimal)
            .ok_or_else(|| malformed("a tlog-proof has no index"))?;
        let mut path = Vec::new();
        for line in lines {
            if path.len() == 64 {
                return Err(malformed("a tlog-proof has more than 64 hashes"));
            }
            path.push(Hash::from_b64(line)?);
        }
        Ok(TlogProof { extra, index, path, checkpoint: checkpoint.to_owned() })
    }
}

/// Writes the file's text.
impl std::fmt::Display for TlogProof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(FIRST_LINE)?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", b64::encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{}", hash.to_b64()))?;
        write!(f, "\n{}", self.checkpoint)
    }
}
