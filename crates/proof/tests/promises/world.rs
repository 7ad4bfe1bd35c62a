//! A small ledger in memory, with seeds instead of chance.

use proof::seal::{GENESIS, Genesis, SEAL_ROTATED, SealRotated, seal_name};
use proof::*;
use std::convert::Infallible;

pub(crate) const ORIGIN: &str = "indelible.example/6f1a";

pub(crate) fn identity() -> NoteSigner {
    NoteSigner::from_seed(ORIGIN, &[1; 32]).unwrap()
}

pub(crate) fn seal(epoch: u64) -> NoteSigner {
    NoteSigner::from_seed(seal_name(ORIGIN, epoch), &[100 + epoch as u8; 32]).unwrap()
}

pub(crate) fn witness(number: u8) -> Cosigner {
    Cosigner::from_seed(format!("witness{number}.example"), &[200 + number; 32]).unwrap()
}

pub(crate) fn policy() -> Policy {
    Policy::of_log(identity().verifying_key().clone()).unwrap()
}

/// The bytes of an event's leaf and what its sections are.
pub(crate) fn event(number: u64) -> (Vec<u8>, Disclosure) {
    let mut shown = Disclosure::new();
    let mut sections = Sections::new();
    for name in ["content", "who"] {
        let section = Disclosed { body: format!("{{\"{name}\":{number}}}"), salt: [number as u8; 16] };
        let (name_in_leaf, hash) = (name, commitment(&section.salt, name, section.body.as_bytes()));
        sections.push(name_in_leaf, hash).unwrap();
        shown.insert(name.to_owned(), section);
    }
    let leaf = LeafRef {
        kind: Kind::Event,
        id: [number as u8; 16],
        time_ns: 1_700_000_000_000_000_000,
        received_ms: 1_700_000_000_000 + number,
        retention: 1,
        status: 1,
        severity: 1,
        sender_auth: 1,
        type_name: "authentication.user_login",
        producer: "gateway-1",
        producer_seq: number,
        sections,
        body: b"",
        mac: None,
    };
    let mut bytes = Vec::new();
    leaf.encode(&mut bytes).unwrap();
    (bytes, shown)
}

pub(crate) fn control(type_name: &str, body: &str) -> Vec<u8> {
    let leaf = LeafRef {
        kind: Kind::Control,
        id: [9; 16],
        time_ns: 0,
        received_ms: 1_700_000_000_000,
        retention: 0,
        status: 0,
        severity: 0,
        sender_auth: 0,
        type_name,
        producer: "",
        producer_seq: 0,
        sections: Sections::new(),
        body: body.as_bytes(),
        mac: None,
    };
    let mut bytes = Vec::new();
    leaf.encode(&mut bytes).unwrap();
    bytes
}

pub(crate) fn genesis() -> Vec<u8> {
    let body = Genesis {
        created_ms: 1_700_000_000_000,
        identity: identity().verifying_key().clone(),
        seal: seal(1).verifying_key().clone(),
    };
    control(GENESIS, &body.to_json())
}

pub(crate) fn rotation(epoch: u64) -> Vec<u8> {
    let body = SealRotated { epoch, next: seal(epoch + 1).verifying_key().clone() };
    control(SEAL_ROTATED, &body.to_json())
}

/// Leaves in order; events are numbered by position.
pub(crate) struct World {
    pub(crate) leaves: Vec<Vec<u8>>,
}

/// Genesis, and epochs that end at sizes 5 and 9, in a tree of 12 leaves.
pub(crate) const ENDS: [u64; 2] = [5, 9];

impl World {
    pub(crate) fn new() -> World {
        let leaf = |position| match position {
            0 => genesis(),
            4 => rotation(1),
            8 => rotation(2),
            other => event(other).0,
        };
        World { leaves: (0..12).map(leaf).collect() }
    }

    pub(crate) fn checkpoint(&self, size: u64) -> Checkpoint {
        let Ok(root) = tree::root(size, self);
        Checkpoint::new(ORIGIN, size, root)
    }

    pub(crate) fn signed(&self, size: u64, signers: &[&NoteSigner]) -> Note {
        self.checkpoint(size).sign(signers).unwrap()
    }

    /// Signed as it should be.
    pub(crate) fn head(&self, size: u64) -> Note {
        let epoch = 1 + ENDS.iter().filter(|end| size > **end).count() as u64;
        self.signed(size, &[&identity(), &seal(epoch)])
    }

    pub(crate) fn proof(&self, index: u64, note: &Note, extra: Extra) -> TlogProof {
        let size = Checkpoint::parse(note.text()).unwrap().size;
        let Ok(path) = inclusion_proof(index, size, self);
        let extra = Extra { leaf: self.leaves[index as usize].clone(), ..extra };
        TlogProof { extra: Some(extra.encode()), index, path, checkpoint: note.to_string() }
    }

    pub(crate) fn keychain(&self) -> Vec<String> {
        let link = |index, size| self.proof(index, &self.head(size), Extra::default()).to_string();
        vec![link(0, 1), link(4, 5), link(8, 9)]
    }

    /// The proof of an event with all it has.
    pub(crate) fn event_proof(&self, index: u64, note: &Note) -> TlogProof {
        let extra = Extra { keychain: self.keychain(), sections: event(index).1, ..Extra::default() };
        self.proof(index, note, extra)
    }
}

impl Nodes for World {
    type Error = Infallible;

    fn node(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
        if level == 0 {
            return Ok(leaf_hash(&self.leaves[index as usize]));
        }
        let (Ok(left), Ok(right)) = (self.node(level - 1, 2 * index), self.node(level - 1, 2 * index + 1));
        Ok(node_hash(&left, &right))
    }
}
