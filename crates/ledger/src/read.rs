//! Reading: by position, by id, in blocks, and with proof. What is shown was hashed again.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use proof::Hash;

use crate::append::Receipt;
use crate::error::Error;
use crate::heads::Head;
use crate::open::{Inner, Ledger};
use crate::record::{Batch, Part, Row, SECTIONS, id_ms};

/// A run of neighbouring records that were decoded together.
pub struct Block<'a> {
    inner: &'a Inner,
    batch: Arc<Batch>,
}

/// One record.
pub struct Record {
    batch: Arc<Batch>,
    at: usize,
    /// Position in the ledger.
    pub position: u64,
    /// Hash of its leaf, which the tree holds at this position.
    pub leaf_hash: Hash,
}

/// One section of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section<'a> {
    /// The event has no such section.
    Absent,
    /// Its stored bytes, and the salt with which they give the leaf's commitment.
    Present {
        /// 16 bytes.
        salt: &'a [u8; 16],
        /// JCS JSON.
        body: &'a [u8],
    },
    /// It was erased; the leaf still commits to what it was.
    Erased,
}

impl Section<'_> {
    /// Bytes of its body; none if it has none.
    pub fn len(&self) -> usize {
        match self {
            Section::Present { body, .. } => body.len(),
            Section::Absent | Section::Erased => 0,
        }
    }

    /// Whether there is no body.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Ledger {
    /// Number of durable leaves.
    pub fn size(&self) -> u64 {
        self.0.shape().size()
    }

    /// Whether so many journals wait to be sealed that no other will be begun. What is left of the present one can still
    /// be filled: whoever waits a little before recording is not turned away.
    pub fn is_behind(&self) -> bool {
        self.0.shape().is_behind()
    }

    /// The newest signed head.
    pub fn head(&self) -> Option<Head> {
        self.0.shape().head.clone()
    }

    /// The record at a position.
    pub fn record(&self, position: u64) -> Result<Record, Error> {
        self.block(position)?.record(position)
    }

    /// The block in which a position lies, for reading its neighbours at little cost.
    pub fn block(&self, position: u64) -> Result<Block<'_>, Error> {
        Ok(Block { inner: &self.0, batch: self.0.batch(position)? })
    }

    /// The same for those who go through a ledger from one end to the other: what they read is not kept for others.
    pub fn block_in_passing(&self, position: u64) -> Result<Block<'_>, Error> {
        let batch = match self.0.held(position) {
            Some(batch) => batch,
            None => Arc::new(self.0.load(position)?),
        };
        Ok(Block { inner: &self.0, batch })
    }

    /// Where the event with an id of ours is. Ids rise with the position, so no index is needed.
    pub fn find(&self, id: &[u8; 16]) -> Result<Option<u64>, Error> {
        self.0.find(id)
    }

    /// Waits until the ledger has more than `size` leaves, or for `timeout`, and says how many it has.
    pub fn wait(&self, size: u64, timeout: Duration) -> u64 {
        let (grown, signal) = &self.0.grown;
        let guard = grown.lock().expect("followers do not panic");
        let waited = signal.wait_timeout_while(guard, timeout, |now| *now <= size);
        *waited.expect("followers do not panic").0
    }

    /// Inclusion proof for a position: in the head that ended the event's epoch, whose seal nobody
    /// can make again, or in the newest head if the epoch is still open.
    pub fn inclusion(&self, position: u64) -> Result<(Head, Vec<Hash>), Error> {
        match self.0.inclusion(position) {
            Err(Error::Damaged(_)) if self.0.heal()? => self.0.inclusion(position),
            other => other,
        }
    }

    /// Consistency proof between two sizes, the newer at most the size of the newest signed head.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, Error> {
        match self.0.consistency(old, new) {
            Err(Error::Damaged(_)) if self.0.heal()? => self.0.consistency(old, new),
            other => other,
        }
    }

    /// Root of the tree of the first `size` leaves.
    pub fn root(&self, size: u64) -> Result<Hash, Error> {
        let shape = self.0.shape();
        match size <= shape.size() {
            true => shape.tiles.root(size),
            false => Err(not_there(size, shape.size())),
        }
    }

    /// Hashes of a tile: those of `level` in `range`, which lies within one tile of 256.
    pub fn tile(&self, level: usize, range: Range<u64>) -> Result<Vec<Hash>, Error> {
        self.0.shape().tiles.read(level, range.start, range.end - range.start)
    }

    /// The heads that ended epochs, oldest first.
    pub fn epoch_ends(&self) -> Vec<Head> {
        self.0.shape().epoch_ends.clone()
    }

    /// Every signed head that is kept, oldest first.
    pub fn heads(&self) -> Result<Vec<Head>, Error> {
        crate::open::all_heads(&*self.0.io, &self.0.dir)
    }
}

impl Inner {
    /// Makes the stored hashes anew if they are at fault, and says whether they were.
    fn heal(&self) -> Result<bool, Error> {
        let _one = self.sealing.lock().expect("sealing does not panic");
        self.remake_tiles()
    }

    fn inclusion(&self, position: u64) -> Result<(Head, Vec<Hash>), Error> {
        let shape = self.shape();
        if position >= shape.size() {
            return Err(not_there(position, shape.size()));
        }
        let ends = shape.epoch_ends.partition_point(|h| h.size <= position);
        let head = shape.epoch_ends.get(ends).or(shape.head.as_ref()).filter(|h| position < h.size);
        let head = head.cloned().ok_or(Error::NotYetProved)?;
        let proof = proof::inclusion_proof(position, head.size, &shape.tiles)?;
        let leaf = shape.tiles.leaf_hash(position)?;
        // The tiles could be damaged on the disk; a proof that does not hold is given to nobody.
        match proof::verify_inclusion(position, head.size, &leaf, &proof, &head.root) {
            Ok(()) => Ok((head, proof)),
            Err(_) => Err(Error::Damaged(format!(
                "the stored hashes do not prove position {position}; opening the ledger makes them anew"
            ))),
        }
    }

    fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, Error> {
        let shape = self.shape();
        if old == 0 || old > new || new > shape.size() {
            return Err(Error::NotFound(format!("no proof from {old} to {new} leaves")));
        }
        let proof = proof::consistency_proof(old, new, &shape.tiles)?;
        let (old_root, new_root) = (shape.tiles.root(old)?, shape.tiles.root(new)?);
        match proof::verify_consistency(old, new, &proof, &old_root, &new_root) {
            Ok(()) => Ok(proof),
            Err(_) => Err(Error::Damaged(format!("the stored hashes do not connect {old} and {new} leaves"))),
        }
    }

    fn batch(&self, position: u64) -> Result<Arc<Batch>, Error> {
        // Taken before reading: what is erased meanwhile is kept under a number that is no longer ours.
        let number = self.number_in_blocks.load(Ordering::Acquire);
        if let Some(batch) = self.options.blocks.get(number, position) {
            return Ok(batch);
        }
        let batch = Arc::new(self.load(position)?);
        self.options.blocks.put(number, batch.clone());
        Ok(batch)
    }

    fn held(&self, position: u64) -> Option<Arc<Batch>> {
        self.options.blocks.get(self.number_in_blocks.load(Ordering::Acquire), position)
    }

    /// Finds nothing again of what was held in memory: it may have more than there is now.
    pub(crate) fn forget_blocks(&self) {
        self.number_in_blocks.store(self.options.blocks.number(), Ordering::Release);
    }

    fn load(&self, position: u64) -> Result<Batch, Error> {
        let (segment, journal) = {
            let shape = self.shape();
            if position >= shape.size() {
                return Err(not_there(position, shape.size()));
            }
            let at = shape.segments.partition_point(|s| s.end() <= position);
            let segment = shape.segments.get(at).cloned();
            let at = shape.journals.partition_point(|j| j.first <= position);
            (segment, at.checked_sub(1).map(|at| shape.journals[at].clone()))
        };
        if let Some(segment) = segment
            && let Some(block) = segment.block_of(position)
        {
            return segment.read(block);
        }
        let journal = journal.and_then(|j| Some((j.clone(), j.frame_of(position)?)));
        let (journal, frame) =
            journal.ok_or_else(|| Error::Incomplete(format!("position {position} is missing")))?;
        journal.read(&frame)
    }

    pub(crate) fn receipt(&self, position: u64) -> Result<Receipt, Error> {
        let record = Block { inner: self, batch: self.batch(position)? }.record(position)?;
        Ok(Receipt {
            position,
            id: *record.id(),
            leaf_hash: record.leaf_hash,
            received_ms: record.received_ms(),
        })
    }

    fn find(&self, id: &[u8; 16]) -> Result<Option<u64>, Error> {
        let position = {
            let shape = self.shape();
            let journal = shape.journals.iter().rev().find_map(|j| {
                let frames = j.frames();
                let at = frames.partition_point(|f| f.first_id <= *id).checked_sub(1)?;
                Some(frames[at].first)
            });
            let at = shape.segments.partition_point(|s| s.first_id().is_some_and(|first| first <= *id));
            let segment = at.checked_sub(1).map(|at| shape.segments[at].clone());
            match (journal, segment) {
                (Some(first), _) => Some(first),
                (None, Some(segment)) => {
                    drop(shape);
                    let block = segment.block_of_id(id);
                    let batch = block.map(|block| segment.read(block)).transpose()?;
                    batch.map(|batch| batch.first)
                }
                (None, None) => None,
            }
        };
        let Some(mut first) = position else { return Ok(None) };
        loop {
            // What is cached may be a frame of the journal that the block was made of, and end
            // before the block does.
            let batch = self.batch(first)?;
            let end = batch.first + batch.rows.len() as u64;
            match batch.rows.binary_search_by(|row| row.id.cmp(id)) {
                Ok(at) => return Ok(Some(batch.first + at as u64)),
                Err(at) if at == batch.rows.len() && end < self.shape().size() => first = end,
                Err(_) => return Ok(None),
            }
        }
    }
}

fn not_there(position: u64, size: u64) -> Error {
    Error::NotFound(format!("there is no position {position}; the ledger has {size}"))
}

impl Block<'_> {
    /// Positions in the block.
    pub fn positions(&self) -> Range<u64> {
        self.batch.first..self.batch.first + self.batch.rows.len() as u64
    }

    /// A record of the block, its leaf hashed again and compared with the tree's.
    pub fn record(&self, position: u64) -> Result<Record, Error> {
        let record = self.unchecked(position)?;
        let hash = self.batch.leaf_hash(record.row(), &mut Vec::with_capacity(512))?;
        // The stored hashes can be at fault as well as the record; the signed head tells which.
        if self.inner.shape().tiles.leaf_hash(position)? != hash
            && !(self.inner.heal()? && self.inner.shape().tiles.leaf_hash(position)? == hash)
        {
            return Err(Error::Tampered(format!(
                "what is stored at position {position} does not give the leaf that the tree holds"
            )));
        }
        Ok(Record { leaf_hash: hash, ..record })
    }

    /// A record for looking at while searching. It must be read with [`Block::record`] before it
    /// is shown to anyone: its hash was not checked, and reads as zero.
    pub fn unchecked(&self, position: u64) -> Result<Record, Error> {
        let at = position.checked_sub(self.batch.first).filter(|at| (*at as usize) < self.batch.rows.len());
        let at = at.ok_or_else(|| Error::NotFound(format!("position {position} is not in this block")))?;
        Ok(Record { batch: self.batch.clone(), at: at as usize, position, leaf_hash: Hash([0; 32]) })
    }
}

impl Record {
    fn row(&self) -> &Row {
        &self.batch.rows[self.at]
    }

    /// Whether it is the ledger's own note about itself.
    pub fn is_control(&self) -> bool {
        self.row().control
    }

    /// The UUIDv7 we minted.
    pub fn id(&self) -> &[u8; 16] {
        &self.row().id
    }

    /// Milliseconds since 1970 when it was received.
    pub fn received_ms(&self) -> u64 {
        id_ms(self.id())
    }

    /// Nanoseconds since 1970 when it happened, as its sender says.
    pub fn time_ns(&self) -> i64 {
        self.row().time_ns
    }

    /// Its type.
    pub fn kind(&self) -> &str {
        self.batch.text(self.row().kind)
    }

    /// Who sent it.
    pub fn producer(&self) -> &str {
        self.batch.text(self.row().producer)
    }

    /// The producer's count, 0 if it does not count.
    pub fn producer_seq(&self) -> u64 {
        self.row().producer_seq
    }

    /// Code of the status.
    pub fn status(&self) -> u8 {
        self.row().status
    }

    /// Code of the severity.
    pub fn severity(&self) -> u8 {
        self.row().severity
    }

    /// How its sender proved itself.
    pub fn sender_auth(&self) -> u8 {
        self.row().sender_auth
    }

    /// Retention class.
    pub fn retention(&self) -> u16 {
        self.row().retention
    }

    /// Body of a control leaf; empty for an event.
    pub fn body(&self) -> &[u8] {
        self.batch.slice(self.row().body)
    }

    /// A section, by its number in [`SECTIONS`].
    pub fn section(&self, slot: usize) -> Section<'_> {
        match &self.row().parts[slot] {
            Part::Absent => Section::Absent,
            Part::Present { salt, body } => Section::Present { salt, body: self.batch.slice(*body) },
            Part::Erased { .. } => Section::Erased,
        }
    }

    /// All sections that the event has or had, with their names, in order.
    pub fn sections(&self) -> impl Iterator<Item = (&'static str, Section<'_>)> {
        SECTIONS
            .iter()
            .enumerate()
            .map(|(slot, name)| (*name, self.section(slot)))
            .filter(|(_, s)| *s != Section::Absent)
    }

    /// The leaf's bytes, as they were hashed.
    pub fn leaf(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(512);
        self.batch.leaf(self.row()).encode(&mut bytes).expect("it was encoded to be checked");
        bytes
    }
}
