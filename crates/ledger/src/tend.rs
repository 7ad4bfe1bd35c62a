//! What a ledger does when nobody asks it to: sign, seal, beat, change its seal key.
//!
//! There is no thread in here. Whoever runs ledgers calls [`Ledger::tend`] about once a second.

use std::sync::Arc;

use proof::Checkpoint;
use proof::seal::{GENESIS, Genesis, SEAL_ROTATED, SealRotated, seal_name};

use crate::append::{Control, Sequencer};
use crate::crypt::Secret;
use crate::error::{AppendError, Error};
use crate::heads::Head;
use crate::journal;
use crate::open::{Inner, LastRow, Ledger, Signer, signer};
use crate::segment::{self, Segment};

/// A head is signed at most this often.
const SIGN_MS: u64 = 1000;

/// What a round of tending did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tended {
    /// A head over this many leaves was signed.
    pub signed: Option<u64>,
    /// Journals that were sealed into segments.
    pub sealed: usize,
    /// A leaf was added to say that nothing else was.
    pub heartbeat: bool,
    /// The seal key of this epoch was destroyed and the next one took over.
    pub epoch_ended: Option<u64>,
}

/// Figures about a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Durable leaves.
    pub size: u64,
    /// Leaves under the newest signed head.
    pub signed: u64,
    /// Leaves in sealed segments.
    pub sealed: u64,
    /// Sealed segments.
    pub segments: u64,
    /// Bytes of sealed segments.
    pub segment_bytes: u64,
    /// Bytes of hash tiles.
    pub tile_bytes: u64,
    /// Bytes of the index of duplicates.
    pub id_bytes: u64,
    /// Bytes of signed heads.
    pub head_bytes: u64,
    /// Bytes of journals, zero-filled ahead of time.
    pub journal_bytes: u64,
    /// Epoch of the seal key.
    pub epoch: u64,
    /// The wall clock jumped and is not being followed.
    pub clock_held: bool,
}

impl Ledger {
    /// One round: signs if a second has passed and there is something to sign, seals full journals,
    /// adds a heartbeat or ends an epoch when it is time.
    pub fn tend(&self) -> Result<Tended, Error> {
        self.0.check_open()?;
        let mut done = Tended::default();
        // What is refused for want of room must not keep us from signing and sealing, which make room.
        let mut trouble = Ok(());
        let now_ms = {
            let mut sequencer = self.0.sequencer();
            let (now_ms, _) = sequencer.clock.now(&*self.0.io);
            if now_ms.saturating_sub(sequencer.last_append_ms) >= self.0.options.heartbeat_ms {
                let body = format!(
                    r#"{{"since_ms":{},"size":"{}"}}"#,
                    sequencer.last_append_ms,
                    self.0.shape().size()
                );
                let beat = Control { kind: "ledger.heartbeat", body };
                match self.0.control(&mut sequencer, now_ms, &[beat]) {
                    Ok(()) => done.heartbeat = true,
                    Err(e) => trouble = Err(refused(e)),
                }
            }
            now_ms
        };
        let (due, ends) = {
            let signer = self.0.signer();
            let waits = self.0.shape().size() > signer.heads.last().map_or(0, |h| h.size);
            let age = now_ms.saturating_sub(signer.keys.epoch_started_ms);
            let due = now_ms.saturating_sub(signer.signed_at_ms) >= SIGN_MS || now_ms < signer.signed_at_ms;
            (waits && due, age >= self.0.options.epoch_ms)
        };
        if ends {
            match self.end_epoch() {
                Ok(epoch) => done.epoch_ended = Some(epoch),
                Err(e) => trouble = trouble.and(Err(e)),
            }
        }
        if due && done.epoch_ended.is_none() {
            done.signed = self.sign()?.map(|h| h.size);
        }
        self.0.check_open()?;
        self.0.prepare_journal();
        while self.seal_one()? {
            done.sealed += 1;
            self.0.prepare_journal();
        }
        self.0.signer().heads.prune(&*self.0.io, now_ms)?;
        trouble.map(|()| done)
    }

    /// Signs a head over everything durable now, without waiting for its second.
    pub fn sign(&self) -> Result<Option<Head>, Error> {
        self.0.check_open()?;
        self.sign_as(&mut self.0.signer(), false)
    }

    /// Seals everything, also the journal that is being written, so that little but sealed segments
    /// remains. Signs first.
    pub fn seal(&self) -> Result<(), Error> {
        self.sign()?;
        self.0.check_open()?;
        {
            let mut sequencer = self.0.sequencer();
            let fresh = self.0.shape().journals.last().is_none_or(|j| j.end() == j.first);
            if !fresh {
                self.0.roll(&mut sequencer).map_err(refused)?;
            }
        }
        self.sign()?;
        while self.seal_one()? {}
        Ok(())
    }

    /// An operator says that the wall clock, which had jumped, is right.
    pub fn confirm_clock(&self) {
        self.0.sequencer().clock.confirm(&*self.0.io);
    }

    /// Puts another key-encryption key in the place of the present one. Nothing else is rewritten.
    pub fn rewrap(&self, kek: &Secret) -> Result<(), Error> {
        self.0.check_open()?;
        let mut signer = self.0.signer();
        signer.keys.store(&*self.0.io, &self.0.dir, kek)?;
        signer.kek = kek.clone();
        Ok(())
    }

    /// Figures about the ledger.
    pub fn stats(&self) -> Result<Stats, Error> {
        let size_of = |prefix: &str| -> Result<u64, Error> {
            let names = self.0.io.list(&self.0.dir).map_err(|e| Error::io("list", &self.0.dir, &e))?;
            let mut bytes = 0;
            for name in names.iter().filter(|n| n.starts_with(prefix)) {
                // A file may be removed while we look.
                if let Ok(file) = self.0.io.open(&self.0.dir.join(name), crate::io::Open::Read) {
                    bytes += file.len().unwrap_or(0);
                }
            }
            Ok(bytes)
        };
        let clock_held = !self.read_only() && self.0.sequencer().clock.held();
        let epoch = self.0.signer().keys.epoch;
        let shape = self.0.shape();
        Ok(Stats {
            size: shape.size(),
            signed: shape.head.as_ref().map_or(0, |h| h.size),
            sealed: shape.sealed(),
            segments: shape.segments.len() as u64,
            segment_bytes: shape.segments.iter().map(|s| s.size).sum(),
            tile_bytes: size_of("tiles-")?,
            id_bytes: size_of("ids-")?,
            head_bytes: size_of("heads")?,
            journal_bytes: size_of("journal-")? + size_of(journal::SPARE)?,
            epoch,
            clock_held,
        })
    }

    /// What opening has left to do: the genesis leaf, a hand-over of seal keys that a crash
    /// interrupted, an erasure that it interrupted, and a head over what had been acknowledged.
    pub(crate) fn settle(&self, last: Option<LastRow>) -> Result<(), Error> {
        let Some(last) = last else { return self.genesis() };
        let handed_over = {
            let keys = &self.0.signer().keys;
            last.kind == SEAL_ROTATED
                && keys.next_seal.is_some()
                && last.body.starts_with(&format!(r#"{{"epoch":{},"#, keys.epoch))
        };
        match handed_over {
            true => self.hand_over(&mut self.0.signer())?,
            false => drop(self.sign()?),
        }
        if !self.0.signer().keys.born {
            self.born()?;
        }
        self.finish_erasure()
    }

    fn genesis(&self) -> Result<(), Error> {
        let mut sequencer = self.0.sequencer();
        let (now_ms, _) = sequencer.clock.now(&*self.0.io);
        let body = {
            let keys = &self.0.signer().keys;
            let seal = signer(&seal_name(&keys.origin, 1), &keys.seal)?;
            let seal = seal.verifying_key().clone();
            Genesis { created_ms: now_ms, identity: self.0.identity.clone(), seal }.to_json()
        };
        let genesis = Control { kind: GENESIS, body };
        self.0.control(&mut sequencer, now_ms, &[genesis]).map_err(refused)?;
        drop(sequencer);
        self.sign()?;
        self.born()
    }

    /// From here on a ledger without leaves is one from which they were taken.
    fn born(&self) -> Result<(), Error> {
        let mut signer = self.0.signer();
        signer.keys.born = true;
        signer.keys.store(&*self.0.io, &self.0.dir, &signer.kek)
    }

    fn sign_as(&self, signer_state: &mut Signer, ends_epoch: bool) -> Result<Option<Head>, Error> {
        let size = self.0.shape().size();
        if signer_state.heads.last().is_some_and(|h| h.size >= size) {
            return Ok(None);
        }
        self.read_back(signer_state, size)?;
        let keys = &signer_state.keys;
        let root = self.0.shape().tiles.root(size)?;
        let identity = signer(&keys.origin, &keys.identity)?;
        let seal = signer(&seal_name(&keys.origin, keys.epoch), &keys.seal)?;
        let note = Checkpoint::new(&*keys.origin, size, root)
            .sign(&[&identity, &seal])
            .map_err(|e| Error::Io(format!("couldn't sign: {e}")))?;
        let time_ms = self.0.io.wall_ms();
        let head = Head { size, root, time_ms, ends_epoch, note: note.to_string() };
        // Nobody sees a head before it is stored: else a crash could make us sign another history.
        if let Err(e) = signer_state.heads.append(&*self.0.io, head.clone()) {
            self.0.close(&e.to_string());
            return Err(e);
        }
        signer_state.signed_at_ms = time_ms;
        let mut shape = self.0.shape_mut();
        if ends_epoch {
            shape.epoch_ends.push(head.clone());
        }
        shape.head = Some(head.clone());
        Ok(Some(head))
    }

    /// Reads what is about to be signed back from the files and hashes it again. One flipped bit in
    /// memory would otherwise be signed for good (as befell a Certificate Transparency log in 2022).
    fn read_back(&self, signer: &mut Signer, size: u64) -> Result<(), Error> {
        let journals = self.0.shape().journals.clone();
        for journal in journals.iter().filter(|j| j.end() > signer.checked) {
            for frame in journal.frames() {
                if frame.first < signer.checked || frame.first >= size {
                    continue;
                }
                let hashes = journal.read(&frame).and_then(|batch| batch.leaf_hashes());
                let shape = self.0.shape();
                let same = hashes.and_then(|hashes| {
                    for (position, hash) in (frame.first..).zip(hashes) {
                        if shape.tiles.leaf_hash(position)? != hash {
                            return Err(Error::Damaged(format!(
                                "position {position} reads back otherwise than it was written"
                            )));
                        }
                    }
                    Ok(())
                });
                drop(shape);
                if let Err(e) = same {
                    self.0.close(&format!("nothing was signed: {e}"));
                    return Err(e);
                }
            }
        }
        signer.checked = size;
        Ok(())
    }

    /// Ends the epoch: the old seal key's last act is to sign the leaf that names the next.
    fn end_epoch(&self) -> Result<u64, Error> {
        let mut sequencer = self.0.sequencer();
        // Held to the end, so that nobody signs the last leaf of the epoch as if it were any other.
        let mut state = self.0.signer();
        let (epoch, body) = {
            if state.keys.next_seal.is_none() {
                state.keys.next_seal = Some(Secret::random(&*self.0.io));
                if let Err(e) = state.keys.store(&*self.0.io, &self.0.dir, &state.kek) {
                    // A leaf may name only a key that is on the disk.
                    state.keys.next_seal = None;
                    return Err(e);
                }
            }
            let keys = &state.keys;
            let name = seal_name(&keys.origin, keys.epoch + 1);
            let next = signer(&name, keys.next_seal.as_ref().expect("it was just set"))?;
            let rotated = SealRotated { epoch: keys.epoch, next: next.verifying_key().clone() };
            (keys.epoch, rotated.to_json())
        };
        let (now_ms, _) = sequencer.clock.now(&*self.0.io);
        let handover = Control { kind: SEAL_ROTATED, body };
        self.0.control(&mut sequencer, now_ms, &[handover]).map_err(refused)?;
        // Nothing may be appended before the head that ends here is signed: the sequencer is held.
        if let Err(e) = self.hand_over(&mut state) {
            self.0.close(&e.to_string());
            return Err(e);
        }
        Ok(epoch)
    }

    fn hand_over(&self, signer: &mut Signer) -> Result<(), Error> {
        self.sign_as(signer, true)?;
        let keys = &mut signer.keys;
        keys.seal = keys.next_seal.take().expect("a hand-over has a next key");
        keys.epoch += 1;
        keys.epoch_started_ms = self.0.io.wall_ms();
        // The old key is overwritten with this.
        keys.store(&*self.0.io, &self.0.dir, &signer.kek)
    }

    /// Seals the oldest full journal, if it is under a signed head. Says whether it did.
    pub(crate) fn seal_one(&self) -> Result<bool, Error> {
        let inner = &*self.0;
        let _one = inner.sealing.lock().expect("sealing does not panic");
        let journal = {
            let shape = inner.shape();
            let signed = shape.head.as_ref().map_or(0, |h| h.size);
            let oldest = shape.journals.first().filter(|j| shape.journals.len() > 1 && j.end() <= signed);
            match oldest {
                Some(journal) => journal.clone(),
                None => return Ok(false),
            }
        };
        let (from, to) = (journal.first, journal.end());
        if from < to {
            // Hashes first: opening uses of them only what is sealed.
            inner.shape_mut().tiles.flush(to)?;
            let frames = journal.frames();
            let batches = frames.iter().map(|frame| journal.read(frame));
            Segment::write(
                &*inner.io,
                &inner.dir,
                &inner.places,
                (from, to - from),
                Some(&journal.salt_key),
                batches,
            )?;
            let segment = self.open_written(from)?;
            let run = inner.shape().ids.seal((from, to), None);
            let run = run.write(&*inner.io).map_err(|e| inner.doubt_ids(e))?;
            let mut shape = inner.shape_mut();
            shape.ids.install(run);
            shape.segments.push(segment);
            shape.journals.remove(0);
        } else {
            inner.shape_mut().journals.remove(0);
        }
        journal.destroy(&*inner.io)?;
        Ok(true)
    }

    /// Opens a segment that was just written, and trusts it only after hashing it again.
    pub(crate) fn open_written(&self, first: u64) -> Result<Arc<Segment>, Error> {
        let inner = &*self.0;
        let path = inner.dir.join(segment::name(first));
        let segment = Segment::open(&*inner.io, &path, &inner.places)?;
        for block in 0..segment.blocks() {
            let batch = segment.read(block)?;
            let hashes = batch.leaf_hashes()?;
            let same = || inner.shape().tiles.leaves_are(batch.first, &hashes);
            // The stored hashes can be at fault as well.
            let good = same()? || inner.remake_tiles()? && same()?;
            if !good {
                let why = format!(
                    "{} was sealed otherwise than it was recorded, near position {}",
                    segment.path.display(),
                    batch.first
                );
                inner.close(&why);
                return Err(Error::Damaged(why));
            }
        }
        Ok(Arc::new(segment))
    }

    /// Adds a leaf about the ledger itself and puts it under a signed head.
    pub(crate) fn note(&self, kind: &'static str, body: String) -> Result<(), Error> {
        let mut sequencer: std::sync::MutexGuard<'_, Sequencer> = self.0.sequencer();
        let (now_ms, _) = sequencer.clock.now(&*self.0.io);
        self.0.control(&mut sequencer, now_ms, &[Control { kind, body }]).map_err(refused)?;
        drop(sequencer);
        self.sign().map(drop)
    }
}

impl Inner {
    /// Has the next journal ready when the present one is half full. Without it the sequencer makes
    /// one itself, so failing is no harm.
    fn prepare_journal(&self) {
        // Two at once would share one file, and the slower could write its zeros over the other's frames.
        let _one = self.sealing.lock().expect("sealing does not panic");
        let last = self.shape().journals.last().cloned();
        if let Some(journal) = last.filter(|j| j.tail() > j.len / 2 || j.len == self.options.journal_max) {
            let _ = journal::prepare(&*self.io, &self.dir, self.next_journal_len(Some(journal.len), 0));
        }
    }
}

fn refused(error: AppendError) -> Error {
    match error {
        AppendError::Closed(why) => Error::Closed(why),
        other => Error::Io(other.to_string()),
    }
}
