//! Judging a whole ledger from its files: nothing is written, nothing is believed.
//!
//! Every record is read, decrypted, and hashed into a tree of our own; that tree must give the root
//! of every head that was signed, each sealed by the key of its epoch.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use proof::seal::{GENESIS, Genesis, SEAL_ROTATED, SealRotated};
use proof::{Checkpoint, Finding, Frontier, Hash, MacKey, Note, Policy, Verdict, VerifyingKey};

use crate::crypt::Secret;
use crate::error::Error;
use crate::heads::{self, Head};
use crate::ids::Ids;
use crate::io::{Io, Open};
use crate::journal::Tail;
use crate::keys::{Keys, hex};
use crate::open::files;
use crate::record::{Batch, Part};
use crate::segment::Segment;
use crate::tiles;

/// Blocks that are checked at once, by all threads together.
const WAVE: usize = 64;
/// Findings after which the rest is only counted.
const MAX_FINDINGS: usize = 20;

/// What the verifier knows beforehand.
#[derive(Default)]
pub struct Known<'a> {
    /// Whose ledger it should be.
    pub organisation: &'a str,
    /// The key-encryption key. Without it bodies cannot be read, and the verdict is "cannot check".
    pub kek: Option<Secret>,
    /// Which keys to trust; else the identity key that lies with the ledger, which whoever changed
    /// the ledger could have changed too.
    pub policy: Option<&'a Policy>,
    /// Checkpoints that someone kept outside.
    pub checkpoints: &'a [String],
    /// Folder with the second copy of the heads.
    pub heads_copy: Option<&'a Path>,
    /// Checks the tag of every leaf that has one of this key.
    pub hmac_key: Option<&'a MacKey>,
}

/// How far the verifier is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Leaves hashed.
    pub done: u64,
    /// Leaves in all, as far as the heads say.
    pub total: u64,
}

/// What the verifier found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What speaks against the ledger, at most about twenty of each kind.
    pub findings: Vec<Finding>,
    /// What is worth knowing and changes nothing: a torn frame, hashes that will be made anew.
    pub notes: Vec<String>,
    /// Name of the ledger.
    pub origin: String,
    /// Its identity key.
    pub identity: Option<VerifyingKey>,
    /// Leaves that were hashed.
    pub size: u64,
    /// The newest signed head.
    pub head: Option<Head>,
    /// Heads whose signatures and roots were checked.
    pub heads: u64,
    /// Epochs of seal keys.
    pub epochs: u64,
    /// Sections that were erased.
    pub erased: u64,
    /// Tags that were checked.
    pub tags: u64,
}

impl Report {
    /// The gravest of the findings.
    pub fn verdict(&self) -> Verdict {
        self.findings.iter().map(|f| f.verdict).fold(Verdict::Verified, Verdict::worst)
    }

    fn find(&mut self, verdict: Verdict, what: impl Into<String>) {
        let alike = self.findings.iter().filter(|f| f.verdict == verdict).count();
        match alike.cmp(&MAX_FINDINGS) {
            std::cmp::Ordering::Less => self.findings.push(Finding::new(verdict, what)),
            std::cmp::Ordering::Equal => self.findings.push(Finding::new(verdict, "and more of these")),
            std::cmp::Ordering::Greater => {}
        }
    }

    fn error(&mut self, error: &Error) {
        self.find(error.verdict(), error.to_string());
    }
}

/// Judges the ledger in `dir`, also while another process writes to it.
pub fn verify(io: &Arc<dyn Io>, dir: &Path, known: &Known<'_>, progress: &mut dyn FnMut(Progress)) -> Report {
    let mut report = Report::default();
    let mut tries = 0;
    loop {
        let outcome = Check::run(io, dir, known, progress);
        match outcome {
            Ok(report) => return report,
            // The writer sealed a journal and removed it under our eyes.
            Err(Error::NotFound(_) | Error::Incomplete(_)) if tries < 3 && tries_again(io, dir) => {
                tries += 1;
                io.pause(20 * tries);
            }
            Err(e) => {
                report.error(&e);
                compare_unread(io, dir, known, &mut report);
                return report;
            }
        }
    }
}

/// Only a ledger that someone writes to can change under our eyes.
fn tries_again(io: &Arc<dyn Io>, dir: &Path) -> bool {
    io.open(&dir.join("keys"), Open::Read).is_ok()
}

/// Even a ledger that cannot be read through has heads that can be compared with what is known.
fn compare_unread(io: &Arc<dyn Io>, dir: &Path, known: &Known<'_>, report: &mut Report) {
    // Heads that cannot be read say nothing about how far the ledger had come.
    let Ok(all) = heads::all(&**io, dir) else { return };
    let newest = all.into_iter().next_back();
    let size = newest.map_or(0, |h| h.size);
    for text in known.checkpoints {
        if let Ok((checkpoint, _)) = Checkpoint::read(text)
            && checkpoint.size > size
        {
            report.find(
                Verdict::RolledBack,
                format!(
                    "the newest head is of {size} leaves, and a checkpoint of {} is known",
                    checkpoint.size
                ),
            );
        }
    }
}

struct Check<'a> {
    known: &'a Known<'a>,
    report: Report,
    origin: String,
    identity: VerifyingKey,
    heads: Vec<Head>,
    next_head: usize,
    /// Roots at the sizes of heads and of known checkpoints, as the records give them.
    roots: Vec<(u64, Hash)>,
    sizes: Vec<u64>,
    tree: Frontier,
    /// (size at its end, key) of each epoch; the last is open.
    epochs: Vec<(u64, VerifyingKey)>,
    last_id: [u8; 16],
    /// Set when records are missing: what follows cannot be put into the tree.
    broken: bool,
    stored: StoredTiles,
}

/// What is learnt of a batch by one of the threads.
struct Learnt {
    first: u64,
    hashes: Vec<Hash>,
    /// First and last id, if they rise strictly in between.
    ids: Option<([u8; 16], [u8; 16])>,
    controls: Vec<(u64, String, Vec<u8>)>,
    erased: u64,
    tags: u64,
    bad_tags: Vec<u64>,
}

impl<'a> Check<'a> {
    fn run(
        io: &Arc<dyn Io>,
        dir: &Path,
        known: &'a Known<'a>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Report, Error> {
        let kek = known.kek.as_ref().ok_or_else(|| {
            Error::Io("the bodies are encrypted, and no key-encryption key was given".into())
        })?;
        let keys = Keys::load(&**io, dir, kek)?;
        let signer = crate::open::signer(&keys.origin, &keys.identity)?;
        let identity = signer.verifying_key().clone();
        let heads = heads::all(&**io, dir)?;
        let mut sizes: Vec<u64> = heads.iter().map(|h| h.size).collect();
        for text in known.checkpoints {
            if let Ok((checkpoint, _)) = Checkpoint::read(text) {
                sizes.push(checkpoint.size);
            }
        }
        sizes.sort_unstable();
        sizes.dedup();
        let report = Report {
            origin: keys.origin.clone(),
            identity: Some(identity.clone()),
            head: heads.last().cloned(),
            ..Report::default()
        };
        let mut check = Check {
            known,
            report,
            origin: keys.origin.clone(),
            identity,
            heads,
            next_head: 0,
            roots: Vec::new(),
            sizes,
            tree: Frontier::new(),
            epochs: Vec::new(),
            last_id: [0; 16],
            broken: false,
            stored: StoredTiles::open(&**io, dir),
        };
        if keys.organisation != known.organisation {
            check.report.find(
                Verdict::Tampered,
                format!("the ledger is of {:?}, not of {:?}", keys.organisation, known.organisation),
            );
        }
        if check.heads.is_empty() && keys.born {
            check.report.find(Verdict::Incomplete, "the signed heads are gone");
        }
        check.records(io, dir, &keys, progress)?;
        check.finish_heads();
        check.compare_known();
        check.compare_copy(io, &keys);
        check.views(io, dir, &keys);
        check.report.size = check.tree.size();
        check.report.epochs = check.epochs.len() as u64;
        let signed = check.heads.last().map_or(0, |h| h.size);
        if check.tree.size() > signed && !check.broken {
            let fresh = check.tree.size() - signed;
            check.report.notes.push(format!("{fresh} leaves are durable and not yet under a signed head"));
        }
        Ok(check.report)
    }

    fn records(
        &mut self,
        io: &Arc<dyn Io>,
        dir: &Path,
        keys: &Keys,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), Error> {
        let total = self.heads.last().map_or(0, |h| h.size);
        let (segments, journals) = files(&**io, dir, &keys.places(), false)?;
        let jobs: Vec<(Arc<Segment>, usize)> =
            segments.iter().flat_map(|s| (0..s.blocks()).map(|block| (s.clone(), block))).collect();
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        for wave in jobs.chunks(WAVE) {
            let learn = |(segment, block): &(Arc<Segment>, usize)| {
                segment.read(*block).and_then(|batch| self.learn(&batch))
            };
            let learnt: Vec<Result<Learnt, Error>> = thread::scope(|scope| {
                let parts = wave.chunks(wave.len().div_ceil(threads));
                let workers: Vec<_> =
                    parts.map(|part| scope.spawn(|| part.iter().map(learn).collect::<Vec<_>>())).collect();
                workers
                    .into_iter()
                    .flat_map(|w| w.join().expect("a verifier thread does not panic"))
                    .collect()
            });
            for learnt in learnt {
                self.take(learnt);
            }
            progress(Progress { done: self.tree.size(), total: total.max(self.tree.size()) });
        }
        for (n, journal) in journals.iter().enumerate() {
            let next = journals.get(n + 1).map(|j| j.first);
            let scanned = journal.scan(&**io, next, |batch| {
                let learnt = self.learn(&batch);
                self.take(learnt);
                progress(Progress { done: self.tree.size(), total: total.max(self.tree.size()) });
                Ok(())
            });
            match scanned {
                Ok(Tail::Clean) => {}
                Ok(Tail::Torn) => self.report.notes.push(format!(
                    "{} ends in a frame that a crash cut short; it was never acknowledged",
                    journal.path.display()
                )),
                Err(e @ Error::NotFound(_)) => return Err(e),
                Err(e) => {
                    self.report.error(&e);
                    self.broken = true;
                }
            }
        }
        Ok(())
    }

    /// What one batch says, without looking at any other.
    fn learn(&self, batch: &Batch) -> Result<Learnt, Error> {
        let mut learnt = Learnt {
            first: batch.first,
            hashes: Vec::with_capacity(batch.rows.len()),
            ids: batch.rows.first().map(|row| row.id).zip(batch.rows.last().map(|row| row.id)),
            controls: Vec::new(),
            erased: 0,
            tags: 0,
            bad_tags: Vec::new(),
        };
        if batch.rows.windows(2).any(|pair| pair[0].id >= pair[1].id) {
            learnt.ids = None;
        }
        let mut leaf = Vec::with_capacity(512);
        for (position, row) in (batch.first..).zip(&batch.rows) {
            learnt.hashes.push(batch.leaf_hash(row, &mut leaf)?);
            if row.control {
                let body = batch.slice(row.body).to_vec();
                learnt.controls.push((position, batch.text(row.kind).to_owned(), body));
            }
            learnt.erased += row.parts.iter().filter(|p| matches!(p, Part::Erased { .. })).count() as u64;
            if let (Some(key), Some(mac)) = (self.known.hmac_key, row.mac)
                && mac.key_id == key.id()
            {
                learnt.tags += 1;
                if proof::leaf::verify_mac(&leaf, key, &self.origin).is_err() {
                    learnt.bad_tags.push(position);
                }
            }
        }
        Ok(learnt)
    }

    /// Puts a batch into the tree, in order.
    fn take(&mut self, learnt: Result<Learnt, Error>) {
        let learnt = match learnt {
            Ok(learnt) => learnt,
            Err(e) => {
                self.report.error(&e);
                self.broken = true;
                return;
            }
        };
        if self.broken {
            // Later batches were still read, so that all that is damaged is named.
            return;
        }
        if learnt.first != self.tree.size() {
            let (have, next) = (self.tree.size(), learnt.first);
            self.report.find(Verdict::Tampered, format!("position {have} is followed by position {next}"));
            self.broken = true;
            return;
        }
        match learnt.ids {
            Some((first, last)) if first > self.last_id || learnt.first == 0 => self.last_id = last,
            _ => self.report.find(
                Verdict::Tampered,
                format!("ids, and with them times of receipt, do not rise after position {}", learnt.first),
            ),
        }
        for (position, kind, body) in &learnt.controls {
            self.control(*position, kind, body);
        }
        if learnt.first == 0 && self.epochs.is_empty() {
            self.report.find(Verdict::Tampered, "position 0 is not the genesis leaf");
        }
        for position in &learnt.bad_tags {
            self.report.find(Verdict::Tampered, format!("the tag of position {position} does not hold"));
        }
        self.report.tags += learnt.tags;
        self.report.erased += learnt.erased;
        for hash in learnt.hashes {
            self.tree.append(hash);
            self.stored.compare(self.tree.size() - 1, hash);
            while self.sizes.get(self.next_head) == Some(&self.tree.size()) {
                self.roots.push((self.tree.size(), self.tree.root()));
                self.next_head += 1;
            }
        }
    }

    fn control(&mut self, position: u64, kind: &str, body: &[u8]) {
        let tampered = |e: &proof::Error| format!("position {position}: {kind}: {}", e.what());
        match kind {
            GENESIS => match Genesis::parse(body) {
                Ok(genesis) if position == 0 && genesis.identity == self.identity => {
                    self.epochs = vec![(u64::MAX, genesis.seal)];
                }
                Ok(_) => self.report.find(
                    Verdict::Tampered,
                    format!("position {position}: a genesis leaf of another ledger or in another place"),
                ),
                Err(e) => self.report.find(Verdict::Tampered, tampered(&e)),
            },
            SEAL_ROTATED => match SealRotated::parse(body, &self.origin) {
                Ok(rotated) if rotated.epoch == self.epochs.len() as u64 => {
                    if let Some(last) = self.epochs.last_mut() {
                        last.0 = position + 1;
                    }
                    self.epochs.push((u64::MAX, rotated.next));
                }
                Ok(rotated) => self.report.find(
                    Verdict::Tampered,
                    format!(
                        "position {position} ends epoch {}, and {} is in force",
                        rotated.epoch,
                        self.epochs.len()
                    ),
                ),
                Err(e) => self.report.find(Verdict::Tampered, tampered(&e)),
            },
            _ => {}
        }
    }

    fn root_at(&self, size: u64) -> Option<Hash> {
        self.roots.binary_search_by_key(&size, |(s, _)| *s).ok().map(|at| self.roots[at].1)
    }

    /// Every head: signed by the identity, sealed by the key of its epoch and no other, and over
    /// the root that the records give.
    fn finish_heads(&mut self) {
        let heads = std::mem::take(&mut self.heads);
        let mut before = 0;
        let mut findings = Vec::new();
        for head in &heads {
            if head.size < before {
                findings.push((
                    Verdict::Tampered,
                    format!("a head of {} leaves follows one of {before}", head.size),
                ));
            }
            before = head.size;
            if let Err((verdict, why)) = self.head(head) {
                findings.push((verdict, format!("the head of {} leaves: {why}", head.size)));
            }
        }
        for (verdict, what) in findings {
            self.report.find(verdict, what);
        }
        self.report.heads = heads.len() as u64;
        self.heads = heads;
    }

    fn head(&self, head: &Head) -> Result<(), (Verdict, String)> {
        let of = |e: proof::Error| (e.verdict().worst(Verdict::Tampered), e.what().to_owned());
        let (checkpoint, note) = Checkpoint::open(&head.note, &self.identity).map_err(of)?;
        if checkpoint.origin != self.origin {
            return Err((Verdict::Tampered, format!("is of {}", checkpoint.origin)));
        }
        if let Some(policy) = self.known.policy {
            let newest = self.heads.last().is_none_or(|h| h.size == head.size);
            match policy.log(&self.origin) {
                Some(key) if *key == self.identity => {}
                _ => {
                    return Err((
                        Verdict::Tampered,
                        "is signed by a log that the policy does not name".into(),
                    ));
                }
            }
            // Older heads may have gone unwitnessed; what counts is what is claimed now.
            if newest {
                policy.check(&note).map_err(|e| (e.verdict(), e.what().to_owned()))?;
            }
        }
        self.seal(checkpoint.size, &note)?;
        match self.root_at(checkpoint.size) {
            Some(root) if root == checkpoint.root => Ok(()),
            Some(_) => Err((Verdict::Tampered, "the records give another root".into())),
            // Damage was found before this place; it says more than what follows from it.
            None if self.broken => Ok(()),
            None => Err((
                Verdict::Incomplete,
                format!("positions {} to {} are missing", self.tree.size(), checkpoint.size - 1),
            )),
        }
    }

    /// The rule of format.md 1.7.
    fn seal(&self, size: u64, note: &Note) -> Result<(), (Verdict, String)> {
        let due = self.epochs.iter().position(|(end, _)| size <= *end);
        let Some(due) = due.filter(|_| !self.broken) else { return Ok(()) };
        for (n, (_, key)) in self.epochs.iter().enumerate() {
            let named =
                note.signatures().iter().any(|line| line.name == key.name() && line.key_id == key.id());
            if n == due {
                match named {
                    true => note.require(key).map_err(|e| (Verdict::Tampered, e.what().to_owned()))?,
                    false => return Err((Verdict::Incomplete, format!("is not sealed by epoch {}", n + 1))),
                }
            } else if named {
                let why = format!("is sealed by the key of epoch {} and belongs to epoch {}", n + 1, due + 1);
                return Err((Verdict::Tampered, why));
            }
        }
        Ok(())
    }

    fn compare_known(&mut self) {
        let (have, broken) = (self.tree.size(), self.broken);
        for text in self.known.checkpoints {
            let (checkpoint, _) = match Checkpoint::open(text, &self.identity) {
                Ok(opened) => opened,
                Err(e) => {
                    let what = format!("the known checkpoint is not of this ledger: {}", e.what());
                    self.report.find(Verdict::Tampered, what);
                    continue;
                }
            };
            let size = checkpoint.size;
            match self.root_at(size) {
                Some(root) if root == checkpoint.root => {
                    self.report
                        .notes
                        .push(format!("the known checkpoint of {size} leaves is part of this history"));
                }
                Some(_) => self.report.find(
                    Verdict::SplitView,
                    format!("a signed checkpoint of {size} leaves is known that this history contradicts"),
                ),
                None if broken && size <= self.heads.last().map_or(0, |h| h.size) => {}
                None => self.report.find(
                    Verdict::RolledBack,
                    format!("the ledger has {have} leaves, and a checkpoint of {size} is known"),
                ),
            }
        }
    }

    fn compare_copy(&mut self, io: &Arc<dyn Io>, keys: &Keys) {
        let Some(copy) = self.known.heads_copy else { return };
        let path: PathBuf = copy.join(format!("{}.heads", hex(&keys.ledger)));
        match heads::read(&**io, &path) {
            Ok((all, _)) => {
                let (ours, theirs) =
                    (self.heads.last().map_or(0, |h| h.size), all.last().map_or(0, |h| h.size));
                if theirs > ours {
                    self.report.find(
                        Verdict::RolledBack,
                        format!("the newest head is of {ours} leaves, and the copy has one of {theirs}"),
                    );
                }
            }
            Err(e) => self.report.error(&e),
        }
    }

    /// Views that can be made anew do not change the verdict; they are named.
    fn views(&mut self, io: &Arc<dyn Io>, dir: &Path, keys: &Keys) {
        if self.stored.wrong > 0 {
            let wrong = self.stored.wrong;
            self.report.notes.push(format!(
                "{wrong} stored tree hashes are missing or wrong; the next start makes them anew, and this check did not use them"
            ));
        }
        for what in Ids::check(&**io, dir, keys.ledger) {
            self.report.notes.push(format!("{what}; the next start makes it anew"));
        }
    }
}

/// The hash tiles as they lie on the disk, compared while the tree is hashed anew.
struct StoredTiles {
    levels: Vec<Option<Vec<u8>>>,
    wrong: u64,
    /// Roots of full tiles on their way up.
    rows: Vec<Vec<Hash>>,
}

impl StoredTiles {
    fn open(io: &dyn Io, dir: &Path) -> StoredTiles {
        let read = |level| crate::io::read_all(io, &dir.join(tiles::name(level)), 1 << 40).ok();
        let levels = (0..8).map(read).take_while(Option::is_some).collect();
        StoredTiles { levels, wrong: 0, rows: Vec::new() }
    }

    fn compare(&mut self, position: u64, hash: Hash) {
        let (mut index, mut hash) = (position, hash);
        for level in 0.. {
            if let Some(Some(bytes)) = self.levels.get(level)
                && let Some(stored) = bytes.get(index as usize * 32..index as usize * 32 + 32)
                && stored != hash.as_bytes()
            {
                self.wrong += 1;
            }
            if self.rows.len() == level {
                self.rows.push(Vec::with_capacity(256));
            }
            let row = &mut self.rows[level];
            row.push(hash);
            if row.len() < 256 {
                return;
            }
            hash = tiles::fold(row);
            row.clear();
            index /= 256;
        }
    }
}
