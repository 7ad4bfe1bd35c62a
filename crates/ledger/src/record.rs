//! Events as the ledger keeps them: what is handed in, and rows decoded from frames and blocks.
//!
//! A leaf is not stored. It is derived from the row and the section bodies, so that a body that was
//! changed gives another leaf, and with it another root.

use crate::error::Error;
use proof::{Hash, Kind, LeafRef, Mac, Sections};

/// Names of the sections of version 1, in the leaf's order. The index is the salt's slot.
pub const SECTIONS: [&str; 4] = ["content", "redactions", "what", "who"];

/// Most bytes of bodies that one event may have.
pub(crate) const MAX_ENTRY: usize = 4 << 20;

/// An event to be recorded. The ledger does not know what it means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Type, `[a-z0-9_.]{1,64}`.
    pub kind: String,
    /// When it happened, nanoseconds since 1970; the time of receipt if absent.
    pub time_ns: Option<i64>,
    /// Retention class.
    pub retention: u16,
    /// Code of the status (format.md, 1.3).
    pub status: u8,
    /// Code of the severity (format.md, 1.3).
    pub severity: u8,
    /// How the sender proved itself (format.md, 1.2).
    pub sender_auth: u8,
    /// Who sent it, `[A-Za-z0-9._:/-]{0,64}`.
    pub producer: String,
    /// The producer's own count, from 1; 0 if it does not count.
    pub producer_seq: u64,
    /// JCS bodies of its sections.
    pub bodies: Bodies,
    /// Tells this event from others of its producer; see [`crate::Ledger::fingerprint`].
    pub fingerprint: Option<Fingerprint>,
}

impl Entry {
    pub(crate) fn check(&self) -> Result<(), String> {
        let good = |text: &str, most: usize, ok: fn(u8) -> bool| text.len() <= most && text.bytes().all(ok);
        if self.kind.is_empty()
            || !good(&self.kind, 64, |b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.'))
        {
            return Err("type: expected 1 to 64 of a-z, 0-9, '_' and '.'".into());
        }
        let producer =
            |b| matches!(b, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b':' | b'/' | b'-');
        if !good(&self.producer, 64, producer) {
            return Err("producer: expected at most 64 letters, digits and any of ._:/-".into());
        }
        let bytes = self.bodies.bytes.len();
        if bytes > MAX_ENTRY {
            return Err(format!("{bytes} bytes in sections, at most {MAX_ENTRY} are taken"));
        }
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        256 + self.bodies.bytes.len()
    }
}

/// Bodies of an event's sections, in one piece of memory of just their size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bodies {
    bytes: Vec<u8>,
    /// By slot: where its body ends, if it has one. It begins where the one before ended.
    ends: [Option<usize>; SECTIONS.len()],
}

impl Bodies {
    /// Bodies in the order of [`SECTIONS`]; `None` for a section that the event does not have.
    pub fn new(sections: [Option<&[u8]>; SECTIONS.len()]) -> Bodies {
        let mut bytes = Vec::with_capacity(sections.iter().flatten().map(|body| body.len()).sum());
        let ends = sections.map(|body| {
            bytes.extend_from_slice(body?);
            Some(bytes.len())
        });
        Bodies { bytes, ends }
    }

    /// The sections that there are: slot and body.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let mut start = 0;
        self.ends.iter().enumerate().filter_map(move |(slot, end)| {
            let body = &self.bytes[start..(*end)?];
            start += body.len();
            Some((slot, body))
        })
    }
}

/// Keyed hashes by which an event sent twice is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Of the organisation's producer and its own id for the event.
    pub(crate) key: [u8; 14],
    /// Of the event as it was submitted.
    pub(crate) digest: [u8; 12],
}

/// A decoded frame or block: rows that share one buffer.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) first: u64,
    pub(crate) rows: Vec<Row>,
    pub(crate) bytes: Vec<u8>,
}

/// Bytes of a batch's buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

/// One event or control leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) control: bool,
    pub(crate) id: [u8; 16],
    pub(crate) time_ns: i64,
    pub(crate) retention: u16,
    pub(crate) status: u8,
    pub(crate) severity: u8,
    pub(crate) sender_auth: u8,
    pub(crate) kind: Span,
    pub(crate) producer: Span,
    pub(crate) producer_seq: u64,
    pub(crate) parts: [Part; 4],
    /// Control leaves only.
    pub(crate) body: Span,
    pub(crate) mac: Option<Mac>,
    pub(crate) fingerprint: Option<Fingerprint>,
}

/// One section of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The event has no such section.
    Absent,
    /// Here, with its salt.
    Present { salt: [u8; 16], body: Span },
    /// Gone; what the leaf says of it remains.
    Erased { commitment: Hash },
}

impl Row {
    /// The ledger mints ids so that their time is the time of receipt.
    pub(crate) fn received_ms(&self) -> u64 {
        id_ms(&self.id)
    }
}

/// Milliseconds of a UUIDv7 (RFC 9562, 5.7).
pub(crate) fn id_ms(id: &[u8; 16]) -> u64 {
    id[..6].iter().fold(0, |ms, b| ms << 8 | u64::from(*b))
}

impl Batch {
    pub(crate) fn slice(&self, span: Span) -> &[u8] {
        &self.bytes[span.start as usize..][..span.len as usize]
    }

    pub(crate) fn text(&self, span: Span) -> &str {
        // Types and producers were checked to be ASCII when they were read.
        std::str::from_utf8(self.slice(span)).unwrap_or("")
    }

    /// What the leaf says of each section.
    fn commitments(&self, row: &Row) -> Sections<'static> {
        let mut sections = Sections::new();
        for (slot, part) in row.parts.iter().enumerate() {
            let name = SECTIONS[slot];
            let commitment = match part {
                Part::Absent => continue,
                Part::Present { salt, body } => proof::commitment(salt, name, self.slice(*body)),
                Part::Erased { commitment } => *commitment,
            };
            sections.push(name, commitment).expect("the table is in ascending order");
        }
        sections
    }

    /// The leaf, derived.
    pub(crate) fn leaf(&self, row: &Row) -> LeafRef<'_> {
        LeafRef {
            kind: if row.control { Kind::Control } else { Kind::Event },
            id: row.id,
            time_ns: row.time_ns,
            received_ms: row.received_ms(),
            retention: row.retention,
            status: row.status,
            severity: row.severity,
            sender_auth: row.sender_auth,
            type_name: self.text(row.kind),
            producer: self.text(row.producer),
            producer_seq: row.producer_seq,
            sections: self.commitments(row),
            body: self.slice(row.body),
            mac: row.mac,
        }
    }

    /// Hash of a row's leaf. A row that makes no valid leaf was not written by us.
    pub(crate) fn leaf_hash(&self, row: &Row, scratch: &mut Vec<u8>) -> Result<Hash, Error> {
        scratch.clear();
        match self.leaf(row).encode(scratch) {
            Ok(()) => Ok(proof::leaf_hash(scratch)),
            Err(e) => {
                Err(Error::Tampered(format!("a record near position {} makes no leaf: {e}", self.first)))
            }
        }
    }

    /// Leaf hashes of all rows, in order.
    pub(crate) fn leaf_hashes(&self) -> Result<Vec<Hash>, Error> {
        let mut scratch = Vec::with_capacity(512);
        self.rows.iter().map(|row| self.leaf_hash(row, &mut scratch)).collect()
    }
}
