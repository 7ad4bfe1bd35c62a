//! Checks what an Indelible audit ledger claims, without trusting it.
//!
//! One hash (SHA-256), one signature (Ed25519), no I/O, no clock, no randomness. The bytes are those
//! of docs/format.md, part 1: the tree of RFC 6962 and RFC 9162, the notes, checkpoints,
//! cosignatures, tiles, proofs and policies of C2SP, and our leaf, section commitments and seals.
//!
//! Nothing here panics on any input, nor allocates more than in proportion to it.
//!
//! From the ground up: [`hash`], [`tree`], [`inclusion`], [`consistency`], [`tile`]; then [`leaf`]
//! with [`mac`]; [`note`], [`checkpoint`], [`cosignature`], [`policy`]; then the files
//! [`tlog_proof`], [`disclosure`], [`compare`], the keys over time in [`seal`], and on top of all
//! [`verify`] with its [`verdict`].

#![warn(missing_docs)]

mod b64;
pub mod checkpoint;
pub mod compare;
pub mod consistency;
pub mod cosignature;
pub mod disclosure;
mod error;
pub mod hash;
pub mod inclusion;
mod json;
pub mod leaf;
pub mod mac;
pub mod note;
pub mod policy;
pub mod seal;
pub mod tile;
pub mod tlog_proof;
pub mod tree;
pub mod verdict;
pub mod verify;

pub use checkpoint::Checkpoint;
pub use consistency::{consistency_proof, verify_consistency};
pub use cosignature::Cosigner;
pub use disclosure::{Disclosed, Disclosure, Extra};
pub use error::Error;
pub use hash::{Hash, empty_root, leaf_hash, node_hash};
pub use inclusion::{inclusion_proof, verify_inclusion};
pub use leaf::{Kind, Leaf, LeafRef, Sections, commitment};
pub use mac::{Mac, MacKey};
pub use note::{KeyType, Note, NoteSignature, NoteSigner, VerifyingKey};
pub use policy::Policy;
pub use seal::Keychain;
pub use tile::{Bundle, Tile, TileNodes};
pub use tlog_proof::TlogProof;
pub use tree::{Frontier, Nodes};
pub use verdict::{Finding, Verdict};
pub use verify::{Report, Trust, verify_proof};
