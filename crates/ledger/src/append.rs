//! Taking events: one sequencer, group commit, and no answer before the sync.
//!
//! Callers put their events in a queue and then ask for the sequencer. Whoever gets it commits
//! everything that waits, so that under load one sync serves many callers.

use std::sync::{Arc, Mutex};

use proof::{Hash, Kind, LeafRef, Sections};

use crate::clock::{Clock, Minter};
use crate::error::{AppendError, Error};
use crate::ids::{Known, KnownIds};
use crate::journal::{self, BLOCK, Journal};
use crate::keys::push_hex;
use crate::open::{Inner, Ledger, Shape};
use crate::record::{Entry, Fingerprint, SECTIONS, id_ms};

/// A frame is closed at about this size, so that one commit of many events is a few frames.
const FRAME_TARGET: usize = 8 << 20;

/// Proof of delivery: what the producer may keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Position in the ledger.
    pub position: u64,
    /// The id we minted, a UUIDv7.
    pub id: [u8; 16],
    /// Hash of the leaf; a proof for it can be had once a signed head covers the position.
    pub leaf_hash: Hash,
    /// When it was received, milliseconds since 1970.
    pub received_ms: u64,
}

/// What became of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is on the disk.
    Recorded(Receipt),
    /// It had been recorded before; this is where.
    Duplicate(Receipt),
    /// Its producer has used the same id for something else, recorded here. This one is not kept.
    Conflict(Receipt),
}

impl Outcome {
    /// The receipt; of the earlier event if this one was a duplicate or in conflict.
    pub fn receipt(&self) -> &Receipt {
        match self {
            Outcome::Recorded(receipt) | Outcome::Duplicate(receipt) | Outcome::Conflict(receipt) => receipt,
        }
    }
}

/// Batches that wait for the sequencer.
#[derive(Default)]
pub(crate) struct Queue {
    waiting: Vec<Waiting>,
    bytes: usize,
}

struct Waiting {
    entries: Vec<Entry>,
    bytes: usize,
    answer: Arc<Mutex<Option<Answer>>>,
}

type Answer = Result<Vec<Outcome>, AppendError>;

/// State of the one writer.
pub(crate) struct Sequencer {
    pub(crate) clock: Clock,
    minter: Minter,
    /// Set when a new journal could not be made: the old one may not be used again, because the
    /// new one could already lie on the disk.
    must_roll: bool,
    pub(crate) last_append_ms: u64,
}

impl Sequencer {
    pub(crate) fn new(clock: Clock, minter: Minter, last_append_ms: u64) -> Sequencer {
        Sequencer { clock, minter, must_roll: false, last_append_ms }
    }
}

/// A frame in the making.
struct Draft {
    first: u64,
    first_id: [u8; 16],
    plain: Vec<u8>,
    hashes: Vec<Hash>,
    known: KnownIds,
    /// Where leaves are encoded, one after the other.
    leaf: Vec<u8>,
}

/// What the ledger says about itself.
pub(crate) struct Control {
    pub(crate) kind: &'static str,
    pub(crate) body: String,
}

/// An entry's outcome before the sync, when receipts of duplicates are not looked up yet.
enum Drafted {
    Recorded(Receipt),
    Duplicate(u64),
    Conflict(u64),
}

impl Ledger {
    /// Keyed hashes by which the ledger recognises an event that is sent twice: of the producer and
    /// its own id for the event, and of the canonical bytes as they were submitted.
    pub fn fingerprint(&self, producer: &str, source_id: &str, submitted: &[u8]) -> Fingerprint {
        let key = self.0.duplicates.tag(&[b"id", producer.as_bytes(), source_id.as_bytes()]);
        let digest = self.0.duplicates.tag(&[b"submitted", submitted]);
        Fingerprint {
            key: key[..14].try_into().expect("14 of 32"),
            digest: digest[..12].try_into().expect("12 of 32"),
        }
    }

    /// A keyed hash of a text that is not kept, by which it can be found again:
    /// `hmac-sha256:` and 64 hex digits. Nobody without the organisation's key can guess the text.
    pub fn text_fingerprint(&self, text: &[u8]) -> String {
        self.keyed_fingerprint("text", text)
    }

    /// The same for another purpose: what is hashed for one purpose cannot be looked up for another.
    pub fn keyed_fingerprint(&self, purpose: &str, bytes: &[u8]) -> String {
        let tag = self.0.texts.tag(&[purpose.as_bytes(), bytes]);
        let mut text = String::with_capacity(12 + 2 * tag.len());
        text.push_str("hmac-sha256:");
        push_hex(&mut text, &tag);
        text
    }

    /// Records events, in order, and returns once they are synced: one outcome for each.
    ///
    /// A batch of up to 4 MiB is recorded whole or not at all. Events of a larger one may be
    /// recorded in part when the ledger closes on the way; sending them again is safe if they
    /// carry fingerprints.
    pub fn append(&self, entries: Vec<Entry>) -> Result<Vec<Outcome>, AppendError> {
        for (n, entry) in entries.iter().enumerate() {
            entry.check().map_err(|reason| AppendError::Rejected { entry: n, reason })?;
        }
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        if self.read_only() {
            return Err(AppendError::Closed("this is a read-only snapshot".into()));
        }
        let answer = Arc::new(Mutex::new(None));
        let bytes = entries.iter().map(Entry::len).sum();
        {
            let mut queue = self.0.queue.lock().expect("no panic while the queue is held");
            if queue.bytes > 0 && queue.bytes + bytes > self.0.options.queue_bytes {
                return Err(AppendError::Busy { reason: "too many events wait".into(), retry_after_ms: 100 });
            }
            queue.bytes += bytes;
            queue.waiting.push(Waiting { entries, bytes, answer: answer.clone() });
        }
        let mut sequencer = self.0.sequencer();
        if let Some(answer) = answer.lock().expect("answers are only moved").take() {
            return answer;
        }
        let waiting = {
            let mut queue = self.0.queue.lock().expect("no panic while the queue is held");
            queue.bytes = 0;
            std::mem::take(&mut queue.waiting)
        };
        let mut mine = None;
        for group in groups(waiting) {
            let answers = self.0.commit(&mut sequencer, &group);
            for (waiting, outcome) in group.into_iter().zip(answers) {
                match Arc::ptr_eq(&waiting.answer, &answer) {
                    true => mine = Some(outcome),
                    false => *waiting.answer.lock().expect("answers are only moved") = Some(outcome),
                }
            }
        }
        mine.expect("what was queued under the sequencer's lock is committed by it")
    }
}

/// Cuts the queue into commits of about a frame each; a large batch is one on its own.
fn groups(waiting: Vec<Waiting>) -> Vec<Vec<Waiting>> {
    let mut groups: Vec<Vec<Waiting>> = Vec::new();
    let mut bytes = 0;
    for batch in waiting {
        bytes += batch.bytes;
        match groups.last_mut() {
            Some(group) if bytes <= FRAME_TARGET => group.push(batch),
            _ => {
                bytes = batch.bytes;
                groups.push(vec![batch]);
            }
        }
    }
    groups
}

impl Inner {
    /// Commits batches as one frame, or as several if one batch is larger than a frame.
    fn commit(&self, sequencer: &mut Sequencer, group: &[Waiting]) -> Vec<Answer> {
        match self.try_commit(sequencer, group) {
            Ok(mut outcomes) => {
                let mut answers = Vec::with_capacity(group.len());
                for waiting in group {
                    let rest = outcomes.split_off(waiting.entries.len());
                    answers.push(Ok(std::mem::replace(&mut outcomes, rest)));
                }
                answers
            }
            Err(error) => group.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    fn try_commit(&self, sequencer: &mut Sequencer, group: &[Waiting]) -> Answer {
        let (now_ms, step) = sequencer.clock.now(&*self.io);
        if let Some(step) = step {
            let body = format!(r#"{{"from_ms":{},"to_ms":{}}}"#, step.from_ms, step.to_ms);
            self.control(sequencer, now_ms, &[Control { kind: "ledger.clock_stepped", body }])?;
            sequencer.clock.noted();
        }
        let mut outcomes = Vec::new();
        let mut entries = group.iter().flat_map(|w| &w.entries).peekable();
        while entries.peek().is_some() {
            let (mut frame, mut bytes) = (Vec::new(), 0);
            while let Some(entry) = entries.next_if(|e| frame.is_empty() || bytes + e.len() <= FRAME_TARGET) {
                bytes += entry.len();
                frame.push(entry);
            }
            let journal = self.room(sequencer, bytes)?;
            let first = self.shape().size();
            let salts = journal.salts(first, frame.len());
            let mut random = vec![0u8; 6 * frame.len()];
            self.io.random(&mut random);
            let mut draft = Draft::new(first, bytes);
            let mut drafted = Vec::with_capacity(frame.len());
            {
                let shape = self.shape();
                for entry in frame {
                    drafted.push(self.draft(
                        &shape,
                        sequencer,
                        now_ms,
                        &mut draft,
                        entry,
                        &salts,
                        &mut random,
                    )?);
                }
            }
            // Before the write: once something is recorded, nothing may fail that says it was not.
            let from = outcomes.len();
            for drafted in drafted {
                let outcome = self.outcome(drafted, &outcomes[from..])?;
                outcomes.push(outcome);
            }
            self.write(&journal, draft)?;
        }
        sequencer.last_append_ms = now_ms;
        Ok(outcomes)
    }

    /// Adds one entry to the frame, unless it is there already.
    #[allow(clippy::too_many_arguments)]
    fn draft(
        &self,
        shape: &Shape,
        sequencer: &mut Sequencer,
        now_ms: u64,
        draft: &mut Draft,
        entry: &Entry,
        salts: &[[[u8; 16]; 8]],
        random: &mut Vec<u8>,
    ) -> Result<Drafted, AppendError> {
        let position = draft.first + draft.hashes.len() as u64;
        if let Some(fingerprint) = &entry.fingerprint {
            let earlier = match draft.known.get(&fingerprint.key) {
                Some(known) => Some(*known),
                None => {
                    let known = shape.ids.find(&fingerprint.key);
                    let known = known.map_err(|e| self.unreadable(&self.doubt_ids(e)))?;
                    known.map(|k| (k.fingerprint.digest, k.position))
                }
            };
            match earlier {
                Some((digest, at)) if digest == fingerprint.digest => return Ok(Drafted::Duplicate(at)),
                Some((_, at)) => return Ok(Drafted::Conflict(at)),
                None => draft.known.insert(fingerprint.key, (fingerprint.digest, position)),
            };
        }
        let tail = random.split_off(random.len() - 6);
        let id = sequencer.minter.mint(now_ms, tail.try_into().expect("6"));
        let time_ns = entry.time_ns.unwrap_or(id_ms(&id) as i64 * 1_000_000);
        let salts = &salts[draft.hashes.len()];
        let mut sections = Sections::new();
        for (slot, body) in entry.bodies.iter() {
            let name = SECTIONS[slot];
            let commitment = proof::commitment(&salts[slot], name, body);
            sections.push(name, commitment).expect("the table is in ascending order");
        }
        let leaf = LeafRef {
            kind: Kind::Event,
            id,
            time_ns,
            received_ms: id_ms(&id),
            retention: entry.retention,
            status: entry.status,
            severity: entry.severity,
            sender_auth: entry.sender_auth,
            type_name: &entry.kind,
            producer: &entry.producer,
            producer_seq: entry.producer_seq,
            sections,
            body: &[],
            mac: None,
        };
        let (leaf_hash, mac) = self.hash(&leaf, &mut draft.leaf)?;
        journal::encode_event(&mut draft.plain, &id, time_ns, entry, mac.as_ref());
        draft.push(id, leaf_hash);
        Ok(Drafted::Recorded(Receipt { position, id, leaf_hash, received_ms: id_ms(&id) }))
    }

    /// Records leaves of the ledger's own, in a frame of their own.
    pub(crate) fn control(
        &self,
        sequencer: &mut Sequencer,
        now_ms: u64,
        controls: &[Control],
    ) -> Result<(), AppendError> {
        let journal = self.room(sequencer, controls.iter().map(|c| 256 + c.body.len()).sum())?;
        let mut draft = Draft::new(self.shape().size(), 1024);
        for control in controls {
            let mut random = [0; 6];
            self.io.random(&mut random);
            let id = sequencer.minter.mint(now_ms, random);
            let time_ns = id_ms(&id) as i64 * 1_000_000;
            let entry = Entry { kind: control.kind.into(), status: 1, severity: 1, ..Entry::default() };
            let leaf = LeafRef {
                kind: Kind::Control,
                id,
                time_ns,
                received_ms: id_ms(&id),
                retention: 0,
                status: entry.status,
                severity: entry.severity,
                sender_auth: 0,
                type_name: &entry.kind,
                producer: "",
                producer_seq: 0,
                sections: Sections::new(),
                body: control.body.as_bytes(),
                mac: None,
            };
            let (leaf_hash, mac) = self.hash(&leaf, &mut draft.leaf)?;
            journal::encode_control(
                &mut draft.plain,
                &id,
                time_ns,
                &entry,
                control.body.as_bytes(),
                mac.as_ref(),
            );
            draft.push(id, leaf_hash);
        }
        sequencer.last_append_ms = now_ms;
        self.write(&journal, draft)
    }

    /// Hash of a leaf, with its tag if there is a key for it. `bytes` is where it is encoded.
    fn hash(
        &self,
        leaf: &LeafRef<'_>,
        bytes: &mut Vec<u8>,
    ) -> Result<(Hash, Option<proof::Mac>), AppendError> {
        bytes.clear();
        let mac = match &self.options.hmac_key {
            Some(key) => leaf.encode_with_mac(key, &self.origin, bytes).map(Some),
            None => leaf.encode(bytes).map(|()| None),
        };
        // Entries were checked when they came, so that every one makes a leaf.
        let mac = mac.map_err(|e| AppendError::Closed(e.to_string()))?;
        Ok((proof::leaf_hash(bytes), mac))
    }

    /// Makes a frame durable, and then known.
    fn write(&self, journal: &Journal, draft: Draft) -> Result<(), AppendError> {
        if draft.hashes.is_empty() {
            return Ok(());
        }
        self.check_open().map_err(|_| self.closed_error())?;
        let mut nonce = [0; 12];
        self.io.random(&mut nonce);
        let count = draft.hashes.len() as u32;
        if let Err(e) = journal.write(nonce, draft.first, count, draft.first_id, draft.plain) {
            // Part of the frame may be on the disk, and a later sync could succeed without it.
            self.close(&format!("couldn't write {}: {e}", journal.path.display()));
            return Err(self.closed_error());
        }
        let size = {
            let mut shape = self.shape_mut();
            for hash in draft.hashes {
                shape.tiles.append(hash);
            }
            for (key, (digest, position)) in draft.known {
                shape.ids.insert(Known { fingerprint: Fingerprint { key, digest }, position });
            }
            shape.size()
        };
        *self.grown.0.lock().expect("followers do not panic") = size;
        self.grown.1.notify_all();
        Ok(())
    }

    /// The journal, with room for a frame of `bytes`; a new one if the old is full.
    fn room(&self, sequencer: &mut Sequencer, bytes: usize) -> Result<Arc<Journal>, AppendError> {
        self.check_open().map_err(|_| self.closed_error())?;
        let frame = Journal::frame_size(bytes) as u64;
        let (last, size, is_behind) = {
            let shape = self.shape();
            (shape.journals.last().cloned(), shape.size(), shape.is_behind())
        };
        if let Some(journal) = &last
            && !sequencer.must_roll
            && journal.tail() + frame <= journal.len
        {
            return Ok(journal.clone());
        }
        if is_behind {
            let reason = "sealing is behind".to_owned();
            return Err(AppendError::Busy { reason, retry_after_ms: 200 });
        }
        self.new_journal(sequencer, last.map(|j| j.len), size, frame)
    }

    /// Leaves the present journal, so that it can be sealed.
    pub(crate) fn roll(&self, sequencer: &mut Sequencer) -> Result<(), AppendError> {
        let size = self.shape().size();
        self.new_journal(sequencer, None, size, 0).map(drop)
    }

    fn new_journal(
        &self,
        sequencer: &mut Sequencer,
        previous: Option<u64>,
        size: u64,
        frame: u64,
    ) -> Result<Arc<Journal>, AppendError> {
        sequencer.must_roll = true;
        let len = self.next_journal_len(previous, frame);
        let journal = Journal::create(&*self.io, &self.dir, &self.places, size, len);
        let journal = Arc::new(journal.map_err(|e| AppendError::Busy {
            reason: format!("no room for more events: {e}"),
            retry_after_ms: 5000,
        })?);
        sequencer.must_roll = false;
        let mut shape = self.shape_mut();
        // One in which nothing was written is named after the same position, and its file is gone.
        shape.journals.pop_if(|empty| empty.first == size);
        shape.journals.push(journal.clone());
        drop(shape);
        Ok(journal)
    }

    /// Each journal is twice as long as the one before, and holds at least one frame.
    pub(crate) fn next_journal_len(&self, previous: Option<u64>, frame: u64) -> u64 {
        let options = &self.options;
        let larger = previous.map_or(options.journal_min, |len| (len * 2).min(options.journal_max));
        larger.max((BLOCK as u64 + frame).next_multiple_of(BLOCK as u64))
    }

    /// `frame`: outcomes of the entries before this one that go into the same frame.
    fn outcome(&self, drafted: Drafted, frame: &[Outcome]) -> Result<Outcome, AppendError> {
        let earlier = |position| {
            let here = frame.iter().find_map(|outcome| match outcome {
                Outcome::Recorded(receipt) if receipt.position == position => Some(receipt.clone()),
                _ => None,
            });
            match here {
                Some(receipt) => Ok(receipt),
                None => self.receipt(position).map_err(|e| self.unreadable(&e)),
            }
        };
        Ok(match drafted {
            Drafted::Recorded(receipt) => Outcome::Recorded(receipt),
            Drafted::Duplicate(position) => Outcome::Duplicate(earlier(position)?),
            Drafted::Conflict(position) => Outcome::Conflict(earlier(position)?),
        })
    }

    fn closed_error(&self) -> AppendError {
        AppendError::Closed(self.closed.get().cloned().unwrap_or_default())
    }

    /// The past could not be read, so it is not known whether the event is new.
    fn unreadable(&self, error: &Error) -> AppendError {
        if let Error::Closed(why) = error {
            return AppendError::Closed(why.clone());
        }
        AppendError::Busy {
            reason: format!("couldn't tell whether the event is new: {error}"),
            retry_after_ms: 5000,
        }
    }
}

impl Draft {
    fn new(first: u64, bytes: usize) -> Draft {
        Draft {
            first,
            first_id: [0; 16],
            plain: Vec::with_capacity(bytes + BLOCK),
            hashes: Vec::new(),
            known: KnownIds::default(),
            leaf: Vec::new(),
        }
    }

    fn push(&mut self, id: [u8; 16], leaf_hash: Hash) {
        if self.hashes.is_empty() {
            self.first_id = id;
        }
        self.hashes.push(leaf_hash);
    }
}
