//! What was promised: the events that were acknowledged and the heads that were handed out.

use std::collections::BTreeMap;

use ledger::{Ledger, Record, SECTIONS, Section};
use proof::Hash;

use crate::story;

/// A recorded event.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub number: u64,
    pub id: [u8; 16],
    pub leaf_hash: Hash,
    /// Sections, by bit, whose erasure was acknowledged or has been seen.
    pub erased: u8,
    /// Sections, by bit, whose erasure was asked for and not acknowledged.
    pub perhaps_erased: u8,
}

/// A batch that was handed in and neither acknowledged nor refused: it is there whole or not at all.
#[derive(Clone, Debug)]
pub struct Limbo {
    pub numbers: Vec<u64>,
    /// Those that were handed in with a fingerprint.
    pub fingerprinted: Vec<u64>,
    /// It cannot lie before this position.
    pub first_position: u64,
}

/// What a ledger must show after any crash.
#[derive(Clone, Debug, Default)]
pub struct Model {
    pub seed: u64,
    /// Creation was acknowledged.
    pub created: bool,
    pub events: BTreeMap<u64, Recorded>,
    /// Fingerprinted numbers and where they are.
    pub known: BTreeMap<u64, u64>,
    pub limbo: Vec<Limbo>,
    /// Size and root of each signed head that was handed out.
    pub heads: BTreeMap<u64, Hash>,
    /// The newest of them as a note.
    pub newest: Option<String>,
    pub identity: Option<String>,
}

impl Model {
    /// Leaves that must be there: what was acknowledged or signed.
    pub fn floor(&self) -> u64 {
        let events = self.events.keys().next_back().map_or(0, |position| position + 1);
        events.max(self.heads.keys().next_back().copied().unwrap_or(0))
    }

    /// Someone was shown this head.
    pub fn saw(&mut self, head: &ledger::Head) -> Result<(), String> {
        match self.heads.insert(head.size, head.root) {
            Some(root) if root != head.root => {
                return Err(format!(
                    "two heads of {} leaves with different roots were handed out",
                    head.size
                ));
            }
            _ => {}
        }
        if self.heads.keys().next_back() == Some(&head.size) {
            self.newest = Some(head.note.clone());
        }
        Ok(())
    }

    /// Compares a record with what was promised about its position.
    pub fn check_record(&mut self, record: &Record) -> Result<(), String> {
        let position = record.position;
        if proof::leaf_hash(&record.leaf()) != record.leaf_hash {
            return Err(format!("position {position}: the leaf does not give its hash"));
        }
        let promised = self.events.get_mut(&position);
        if record.is_control() {
            return match promised {
                None if record.kind().starts_with("ledger.") => Ok(()),
                None => Err(format!("position {position}: a control leaf of type {}", record.kind())),
                Some(p) => {
                    Err(format!("position {position} holds a control leaf, event {} was promised", p.number))
                }
            };
        }
        let Some(promised) = promised else {
            return Err(format!(
                "position {position} holds event {}, which was never promised",
                record.producer_seq()
            ));
        };
        let entry = story::event(self.seed, promised.number);
        let same = record.producer_seq() == promised.number
            && record.leaf_hash == promised.leaf_hash
            && *record.id() == promised.id
            && record.kind() == entry.kind
            && record.producer() == entry.producer
            && (record.status(), record.severity(), record.sender_auth(), record.retention())
                == (entry.status, entry.severity, entry.sender_auth, entry.retention)
            && entry.time_ns.is_none_or(|ns| ns == record.time_ns());
        if !same {
            return Err(format!("position {position} does not hold event {} as promised", promised.number));
        }
        let mut expected = [None; SECTIONS.len()];
        entry.bodies.iter().for_each(|(slot, body)| expected[slot] = Some(body));
        for (slot, expected) in expected.into_iter().enumerate() {
            let bit = 1 << slot;
            match (record.section(slot), expected) {
                (Section::Absent, None) => {}
                (Section::Present { body, .. }, Some(expected)) if body == expected => {
                    if promised.erased & bit != 0 {
                        return Err(format!("position {position}: section {slot} was erased and is back"));
                    }
                }
                (Section::Erased, Some(_)) if (promised.erased | promised.perhaps_erased) & bit != 0 => {
                    promised.erased |= bit;
                }
                (section, _) => {
                    return Err(format!("position {position}: section {slot} is {section:?}"));
                }
            }
        }
        Ok(())
    }

    /// Takes in what a reopened ledger shows of the batches whose fate was not known, then holds
    /// every position against what was promised.
    pub fn check_all(&mut self, ledger: &Ledger) -> Result<(), String> {
        let say = |e: ledger::Error| format!("{e} ({e:?})");
        let size = ledger.size();
        if size < self.floor() {
            return Err(format!("{size} leaves, and {} were promised", self.floor()));
        }
        let mut found: Vec<(u64, u64, [u8; 16], Hash)> = Vec::new();
        let (mut position, mut last_id) = (0, [0; 16]);
        while position < size {
            let block = ledger.block(position).map_err(say)?;
            let positions = block.positions();
            if !positions.contains(&position) {
                return Err(format!("the block of position {position} covers {positions:?}"));
            }
            for at in position..positions.end.min(size) {
                let record = block.record(at).map_err(say)?;
                if record.position != at || *record.id() <= last_id {
                    return Err(format!("position {at}: ids do not rise"));
                }
                last_id = *record.id();
                if !record.is_control() && !self.events.contains_key(&at) {
                    found.push((at, record.producer_seq(), *record.id(), record.leaf_hash));
                }
                if (at == 0) != (record.kind() == "ledger.genesis") {
                    return Err(format!("position {at} is of type {}", record.kind()));
                }
            }
            position = positions.end;
        }
        self.adopt(&found)?;
        for at in 0..size {
            self.check_record(&ledger.record(at).map_err(say)?)?;
        }
        for (at, root) in &self.heads {
            if ledger.root(*at).map_err(say)? != *root {
                return Err(format!("the head of {at} leaves that was handed out is not of this history"));
            }
        }
        let newest = self.heads.keys().next_back().copied().unwrap_or(0);
        let head = ledger.head().map_or(0, |head| head.size);
        if head < newest {
            return Err(format!("the newest head is of {head} leaves, and one of {newest} was handed out"));
        }
        if self.identity.get_or_insert_with(|| ledger.identity().to_string())
            != &ledger.identity().to_string()
        {
            return Err("the identity key has changed".into());
        }
        Ok(())
    }

    /// Batches in limbo are there whole or not at all, and one that is not there stays away.
    fn adopt(&mut self, found: &[(u64, u64, [u8; 16], Hash)]) -> Result<(), String> {
        let limbo = std::mem::take(&mut self.limbo);
        let mut left: Vec<_> = found.to_vec();
        for batch in limbo {
            let here: Vec<_> =
                left.iter().filter(|(_, number, ..)| batch.numbers.contains(number)).copied().collect();
            if here.is_empty() {
                continue;
            }
            let whole = here.len() == batch.numbers.len()
                && here.iter().zip(&batch.numbers).all(|((_, number, ..), n)| number == n)
                && here.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0)
                && here[0].0 >= batch.first_position;
            if !whole {
                return Err(format!("a batch of {} is there in part: {}", batch.numbers.len(), here.len()));
            }
            for (position, number, id, leaf_hash) in &here {
                let recorded = Recorded {
                    number: *number,
                    id: *id,
                    leaf_hash: *leaf_hash,
                    erased: 0,
                    perhaps_erased: 0,
                };
                self.events.insert(*position, recorded);
                if batch.fingerprinted.contains(number) {
                    self.known.insert(*number, *position);
                }
            }
            left.retain(|(_, number, ..)| !batch.numbers.contains(number));
        }
        match left.first() {
            None => Ok(()),
            Some((position, number, ..)) => Err(format!(
                "position {position} holds event {number}, which was refused, lost or never sent"
            )),
        }
    }
}
