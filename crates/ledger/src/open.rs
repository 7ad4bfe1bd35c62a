//! Creating and opening a ledger; recovery is opening.
//!
//! Order matters: keys, heads, sealed segments, then the journals. Frames past the last signed head
//! were acknowledged and are kept; a ledger with less than its signed head is not opened.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, RwLock, RwLockReadGuard, RwLockWriteGuard};

use proof::{MacKey, NoteSigner, VerifyingKey};

use crate::append::{Queue, Sequencer};
use crate::blocks::Blocks;
use crate::clock::{Clock, Minter};
use crate::crypt::{Keyed, Secret};
use crate::error::Error;
use crate::heads::{self, Head, Heads};
use crate::ids::{Ids, Known};
use crate::io::{Io, Lock, Open};
use crate::journal::{self, Journal, Tail};
use crate::keys::{Keys, Places};
use crate::record::{Batch, Row};
use crate::segment::{self, Segment};
use crate::tiles::Tiles;

/// How a ledger is to be run. Sizes are in bytes, times in milliseconds.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whose ledger it is. A folder that was renamed to another organisation's does not open.
    pub organisation: String,
    /// Name of a new ledger in its checkpoints, fixed for good; a random one if absent.
    pub origin: Option<String>,
    /// The key-encryption key.
    pub kek: Secret,
    /// Key for a tag on every event; no tags if absent.
    pub hmac_key: Option<Arc<MacKey>>,
    /// Folder for a second copy of every signed head.
    pub heads_copy: Option<PathBuf>,
    /// A seal key lives this long.
    pub epoch_ms: u64,
    /// A ledger to which nothing was added for so long says so.
    pub heartbeat_ms: u64,
    /// A step of the wall clock by more than this is held and recorded.
    pub clock_step_ms: u64,
    /// Size of the first journal; each is twice the one before.
    pub journal_min: u64,
    /// Size of the largest journal.
    pub journal_max: u64,
    /// Events that wait for a commit may take this much memory.
    pub queue_bytes: usize,
    /// Where blocks that were read are kept for the next who reads them; several ledgers may share it.
    pub blocks: Arc<Blocks>,
}

impl Options {
    /// The defaults of design.md.
    pub fn new(organisation: &str, kek: Secret) -> Options {
        Options {
            organisation: organisation.to_owned(),
            origin: None,
            kek,
            hmac_key: None,
            heads_copy: None,
            epoch_ms: 24 * 3600 * 1000,
            heartbeat_ms: 24 * 3600 * 1000,
            clock_step_ms: 5 * 60 * 1000,
            journal_min: 256 << 10,
            journal_max: 64 << 20,
            queue_bytes: 64 << 20,
            blocks: Arc::new(Blocks::new(8 << 20)),
        }
    }
}

/// An open ledger. Clones are handles to the same one; it closes when the last is dropped.
#[derive(Clone)]
pub struct Ledger(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) io: Arc<dyn Io>,
    pub(crate) dir: PathBuf,
    pub(crate) options: Options,
    pub(crate) places: Places,
    pub(crate) origin: String,
    pub(crate) identity: VerifyingKey,
    pub(crate) duplicates: Keyed,
    pub(crate) texts: Keyed,
    views: Secret,
    pub(crate) queue: Mutex<Queue>,
    sequencer: Mutex<Sequencer>,
    signer: Mutex<Signer>,
    shape: RwLock<Shape>,
    /// Held while a journal is sealed or a segment rewritten, so that two never do the same.
    pub(crate) sealing: Mutex<()>,
    /// Durable size, for those who follow.
    pub(crate) grown: (Mutex<u64>, Condvar),
    /// Under which its blocks are held in memory; another one after an erasure.
    pub(crate) number_in_blocks: AtomicU64,
    pub(crate) closed: OnceLock<String>,
    /// What opening had to put right.
    pub(crate) opened: Opened,
    /// `None` for a read-only snapshot.
    lock: Option<Box<dyn Lock>>,
}

/// Who may sign, and what was signed.
pub(crate) struct Signer {
    pub(crate) keys: Keys,
    /// The key-encryption key in force, which may have been changed since the ledger was opened.
    pub(crate) kek: Secret,
    pub(crate) heads: Heads,
    /// Positions up to here were read back and hashed again.
    pub(crate) checked: u64,
    pub(crate) signed_at_ms: u64,
}

/// Journals that may wait to be sealed: what they hold is read again after a crash, which shall not
/// take more than two seconds.
const MOST_JOURNALS: usize = 8;

/// Everything readers look at.
pub(crate) struct Shape {
    pub(crate) segments: Vec<Arc<Segment>>,
    pub(crate) journals: Vec<Arc<Journal>>,
    pub(crate) tiles: Tiles,
    pub(crate) ids: Ids,
    pub(crate) head: Option<Head>,
    /// The last head of each epoch that has ended. Its seal key is destroyed, so nobody can make
    /// another: events of the epoch are proved in it.
    pub(crate) epoch_ends: Vec<Head>,
}

impl Shape {
    /// Number of durable leaves.
    pub(crate) fn size(&self) -> u64 {
        self.tiles.size()
    }

    pub(crate) fn sealed(&self) -> u64 {
        self.segments.last().map_or(0, |s| s.end())
    }

    /// Whether so many journals wait to be sealed that no other may be begun.
    pub(crate) fn is_behind(&self) -> bool {
        self.journals.len() > MOST_JOURNALS
    }
}

/// What opening found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// The ledger was created by this call.
    pub created: bool,
    /// Acknowledged events that were not yet under a signed head.
    pub kept: u64,
    /// A frame that a crash had cut short was cleared. It was never acknowledged.
    pub torn: bool,
    /// Views that were missing or wrong and were made anew from the records.
    pub rebuilt: Vec<String>,
}

/// The newest leaf, as far as opening needs it.
pub(crate) struct LastRow {
    id: [u8; 16],
    pub(crate) kind: String,
    /// Of a control leaf.
    pub(crate) body: String,
}

impl LastRow {
    fn of(batch: &Batch, row: &Row) -> LastRow {
        let body = String::from_utf8_lossy(batch.slice(row.body)).into_owned();
        LastRow { id: row.id, kind: batch.text(row.kind).to_owned(), body }
    }
}

impl Ledger {
    /// Creates the ledger in `dir` if there is none, and opens it otherwise.
    pub fn open_or_create(io: Arc<dyn Io>, dir: &Path, options: Options) -> Result<Ledger, Error> {
        match io.open(&dir.join("keys"), Open::Read) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ledger::create(io, dir, options),
            _ => Ledger::open(io, dir, options),
        }
    }

    /// Creates a ledger. Fails if `dir` holds one.
    pub fn create(io: Arc<dyn Io>, dir: &Path, options: Options) -> Result<Ledger, Error> {
        io.create_dir(dir).map_err(|e| Error::io("create", dir, &e))?;
        let lock = lock(&*io, dir)?;
        let names = io.list(dir).map_err(|e| Error::io("list", dir, &e))?;
        if let Some(name) = names.iter().find(|n| *n != "lock" && !n.ends_with(".new")) {
            return Err(Error::Io(format!("{} is not empty: it has {name}", dir.display())));
        }
        if let Some(origin) = &options.origin {
            // The seal keys' names are made from it.
            signer(&proof::seal::seal_name(origin, 1), &Secret::new([1; 32]))
                .map_err(|e| Error::Io(format!("origin: {e}")))?;
        }
        let keys = Keys::create(&*io, &options.organisation, options.origin.as_deref());
        keys.store(&*io, dir, &options.kek)?;
        if let Some(parent) = dir.parent() {
            io.sync_dir(parent).map_err(|e| Error::io("sync", parent, &e))?;
        }
        drop(keys);
        Ledger::assemble(io, dir, options, Some(lock))
    }

    /// Opens a ledger for reading and writing, and recovers what a crash left.
    pub fn open(io: Arc<dyn Io>, dir: &Path, options: Options) -> Result<Ledger, Error> {
        if let Err(e) = io.open(&dir.join("keys"), Open::Read)
            && e.kind() == std::io::ErrorKind::NotFound
        {
            return Err(Error::NotFound(format!("no ledger at {}", dir.display())));
        }
        let lock = lock(&*io, dir)?;
        Ledger::assemble(io, dir, options, Some(lock))
    }

    /// Opens a snapshot for reading, also while another process writes.
    pub fn open_read_only(io: Arc<dyn Io>, dir: &Path, options: Options) -> Result<Ledger, Error> {
        let mut tries = 0;
        loop {
            match Ledger::assemble(io.clone(), dir, options.clone(), None) {
                // The writer sealed a journal and removed it under our eyes.
                Err(Error::NotFound(_) | Error::Incomplete(_) | Error::Io(_)) if tries < 5 => {
                    tries += 1;
                    io.pause(10 * tries);
                }
                other => return other,
            }
        }
    }

    fn assemble(
        io: Arc<dyn Io>,
        dir: &Path,
        options: Options,
        lock: Option<Box<dyn Lock>>,
    ) -> Result<Ledger, Error> {
        let writable = lock.is_some();
        let keys = Keys::load(&*io, dir, &options.kek)?;
        if keys.organisation != options.organisation {
            return Err(Error::Tampered(format!(
                "{} holds the ledger of {:?}, not of {:?}",
                dir.display(),
                keys.organisation,
                options.organisation
            )));
        }
        let identity = signer(&keys.origin, &keys.identity)?.verifying_key().clone();
        if writable {
            // A process that was killed, or a sync that failed, leaves in the cache what is not on
            // the disk. Nothing may be built on that: names here, the last head and frame below.
            io.sync_dir(dir).map_err(|e| Error::io("sync", dir, &e))?;
            if let Some(parent) = dir.parent().filter(|_| !keys.born) {
                io.sync_dir(parent).map_err(|e| Error::io("sync", parent, &e))?;
            }
        }
        // Heads before records: what is read after them can only be more.
        let heads = Heads::open(&*io, dir, &keys.ledger, options.heads_copy.as_deref())?;
        if let Some(head) = heads.last() {
            check_head(head, &keys.origin, &identity)?;
        }
        if writable {
            heads.write_again(&*io)?;
        }
        let mut opened = Opened { created: !keys.born && heads.last().is_none(), ..Opened::default() };
        let (segments, journals) = files(&*io, dir, &keys.places(), writable)?;
        let sealed = segments.last().map_or(0, |s: &Arc<Segment>| s.end());

        let mut tiles = match Tiles::open(&io, dir, sealed)? {
            Some(tiles) => tiles,
            None => {
                opened.rebuilt.push("hash tiles".into());
                rebuild_tiles(&io, dir, &segments, writable)?
            }
        };
        let mut ids = Ids::empty(dir, keys.ledger);
        if writable {
            ids = Ids::open(&*io, dir, keys.ledger, sealed)?;
            if ids.end() < sealed {
                opened.rebuilt.push("duplicate index".into());
                rebuild_ids(&*io, &mut ids, &segments)?;
            }
        }
        let mut last_row: Option<LastRow> = None;
        for (n, journal) in journals.iter().enumerate() {
            let next = journals.get(n + 1).map(|j| j.first);
            let tail = journal.scan(&*io, next, |batch| {
                for (row, hash) in batch.rows.iter().zip(batch.leaf_hashes()?) {
                    if let Some(fingerprint) = row.fingerprint {
                        ids.insert(Known { fingerprint, position: tiles.size() });
                    }
                    tiles.append(hash);
                }
                last_row = batch.rows.last().map(|row| LastRow::of(&batch, row));
                Ok(())
            })?;
            if tail == Tail::Torn && writable {
                journal.clear_tail()?;
                opened.torn = true;
            }
        }
        if let Some(segment) = segments.last().filter(|_| journals.iter().all(|j| j.end() == j.first)) {
            let batch = segment.read(segment.blocks() - 1)?;
            last_row = batch.rows.last().map(|row| LastRow::of(&batch, row));
        }

        if let Some(head) = heads.last() {
            if tiles.size() < head.size {
                return Err(Error::Incomplete(format!(
                    "{}: positions {} to {} are missing, and a signed head covers them",
                    dir.display(),
                    tiles.size(),
                    head.size - 1
                )));
            }
            if tiles.root(head.size)? != head.root {
                // The tiles may be at fault, and they can be made anew. The records cannot.
                let mut anew = rebuild_tiles(&io, dir, &segments, false)?;
                for position in sealed..tiles.size() {
                    anew.append(tiles.leaf_hash(position)?);
                }
                if anew.root(head.size)? != head.root {
                    return Err(Error::Tampered(format!(
                        "{}: the records do not give the root that was signed for {} events",
                        dir.display(),
                        head.size
                    )));
                }
                if writable {
                    anew.flush(sealed)?;
                }
                opened.rebuilt.push("hash tiles".into());
                tiles = anew;
            }
        } else if keys.born {
            return Err(Error::Incomplete(format!("{}: its signed heads are gone", dir.display())));
        }
        opened.kept = tiles.size() - heads.last().map_or(0, |h| h.size);
        if let Some(journal) = journals.last().filter(|_| writable && opened.kept > 0) {
            journal.write_again()?;
        }

        let epoch_ends: Vec<Head> = heads::all(&*io, dir)?.into_iter().filter(|h| h.ends_epoch).collect();
        // Keys and heads of different days would sign with a key that is not in force any more.
        let ended = epoch_ends.len() as u64;
        let in_force = keys.epoch == ended + 1 || keys.epoch == ended && keys.next_seal.is_some();
        if writable && !in_force {
            return Err(Error::RolledBack(format!(
                "{}: the keys are of epoch {}, and by the signed heads {ended} have ended; one of the two files is an older copy",
                dir.display(),
                keys.epoch
            )));
        }
        // The scan has read everything back that a head does not cover yet.
        let checked = tiles.size();
        let last_id = last_row.as_ref().map(|row| &row.id);
        let clock = Clock::new(&*io, last_id.map_or(0, crate::record::id_ms), options.clock_step_ms);
        let sequencer =
            Sequencer::new(clock, Minter::after(last_id), last_id.map_or(0, crate::record::id_ms));
        let (duplicates, texts, views) = (keys.duplicates(), keys.texts(), keys.views());
        let inner = Inner {
            dir: dir.to_owned(),
            places: keys.places(),
            origin: keys.origin.clone(),
            identity,
            duplicates,
            texts,
            views,
            queue: Mutex::default(),
            sequencer: Mutex::new(sequencer),
            sealing: Mutex::default(),
            grown: (Mutex::new(tiles.size()), Condvar::new()),
            number_in_blocks: AtomicU64::new(options.blocks.number()),
            closed: OnceLock::new(),
            shape: RwLock::new(Shape {
                segments,
                journals,
                tiles,
                ids,
                head: heads.last().cloned(),
                epoch_ends,
            }),
            signer: Mutex::new(Signer { keys, kek: options.kek.clone(), heads, checked, signed_at_ms: 0 }),
            opened,
            lock,
            io,
            options,
        };
        let ledger = Ledger(Arc::new(inner));
        if writable {
            ledger.settle(last_row)?;
        }
        Ok(ledger)
    }

    /// What opening found and did.
    pub fn opened(&self) -> &Opened {
        &self.0.opened
    }

    /// Name of the ledger in its checkpoints.
    pub fn origin(&self) -> &str {
        &self.0.origin
    }

    /// The key of a view that follows this ledger. It is the same after a restart and after the key-encryption key was
    /// changed, and says nothing about the ledger's other keys.
    pub fn view_key(&self, view: &str) -> Secret {
        self.0.views.derive(view)
    }

    /// The identity key, to be pinned by whoever will verify.
    pub fn identity(&self) -> &VerifyingKey {
        &self.0.identity
    }

    /// Whether nobody else holds a handle to this ledger, so that dropping this one closes it.
    pub fn is_only_handle(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// Whether this handle may only read.
    pub fn read_only(&self) -> bool {
        self.0.lock.is_none()
    }
}

impl Inner {
    /// The one writer. Locks are taken in the order sequencer, signer, shape.
    pub(crate) fn sequencer(&self) -> MutexGuard<'_, Sequencer> {
        self.sequencer.lock().expect("the sequencer does not panic")
    }

    pub(crate) fn signer(&self) -> MutexGuard<'_, Signer> {
        self.signer.lock().expect("the signer does not panic")
    }

    pub(crate) fn shape(&self) -> RwLockReadGuard<'_, Shape> {
        self.shape.read().expect("no panic while the shape changes")
    }

    pub(crate) fn shape_mut(&self) -> RwLockWriteGuard<'_, Shape> {
        self.shape.write().expect("no panic while the shape changes")
    }

    /// After this nothing is written any more: it is not known what is on the disk.
    pub(crate) fn close(&self, why: &str) {
        let _ = self.closed.set(why.to_owned());
    }

    /// Whether anything may be written.
    pub(crate) fn check_open(&self) -> Result<(), Error> {
        if self.lock.is_none() {
            return Err(Error::Io("this is a read-only snapshot".into()));
        }
        self.closed.get().map_or(Ok(()), |why| Err(Error::Closed(why.clone())))
    }
}

fn lock(io: &dyn Io, dir: &Path) -> Result<Box<dyn Lock>, Error> {
    let path = dir.join("lock");
    io.lock(&path).map_err(|e| Error::io("lock", &path, &e))?.ok_or_else(|| {
        Error::Locked(format!(
            "{} is open in another process; stop it, or use a command that only reads",
            dir.display()
        ))
    })
}

/// A signer from a stored seed.
pub(crate) fn signer(name: &str, seed: &Secret) -> Result<NoteSigner, Error> {
    NoteSigner::from_seed(name, seed.bytes()).map_err(|e| Error::Damaged(format!("key {name}: {e}")))
}

fn check_head(head: &Head, origin: &str, identity: &VerifyingKey) -> Result<(), Error> {
    let forged = |why: String| Error::Tampered(format!("the head of {} events: {why}", head.size));
    let (checkpoint, _) =
        proof::Checkpoint::open(&head.note, identity).map_err(|e| forged(e.what().to_owned()))?;
    match checkpoint.origin == origin {
        true => Ok(()),
        false => Err(forged(format!("is of {}, not of {origin}", checkpoint.origin))),
    }
}

/// Opens segments and journals, checks that they follow each other, and clears away what a crash
/// left half done.
#[allow(clippy::type_complexity)]
pub(crate) fn files(
    io: &dyn Io,
    dir: &Path,
    keys: &Places,
    writable: bool,
) -> Result<(Vec<Arc<Segment>>, Vec<Arc<Journal>>), Error> {
    let names = io.list(dir).map_err(|e| Error::io("list", dir, &e))?;
    let (mut segments, mut journals) = (Vec::new(), Vec::new());
    let mut position = 0;
    let follows = |what: &str, first: u64, position: u64| match first == position {
        true => Ok(()),
        false => Err(Error::Incomplete(format!(
            "{}: positions {position} to {} are missing before {what}",
            dir.display(),
            first.saturating_sub(1)
        ))),
    };
    let known = |name: &String, of: fn(u64) -> String, prefix: &str| {
        name.strip_prefix(prefix).and_then(|n| n.parse().ok()).is_some_and(|n| of(n) == *name)
    };
    for name in names.iter().filter(|n| known(n, segment::name, "segment-")) {
        let segment = Segment::open(io, &dir.join(name), keys)?;
        follows(name, segment.first, position)?;
        position = segment.end();
        segments.push(Arc::new(segment));
    }
    for name in names.iter().filter(|n| known(n, journal::name, "journal-")) {
        let how = if writable { Open::Write } else { Open::Read };
        let journal = Journal::open(io, &dir.join(name), keys, how)?;
        if journal.first < position {
            // Sealed, and the crash came before it was removed.
            if writable {
                journal.destroy(io)?;
            }
            continue;
        }
        if journals.is_empty() {
            follows(name, journal.first, position)?;
        }
        journals.push(Arc::new(journal));
    }
    if writable {
        for name in names.iter().filter(|n| n.ends_with(".new")) {
            let path = dir.join(name);
            io.remove(&path).map_err(|e| Error::io("remove", &path, &e))?;
        }
    }
    Ok((segments, journals))
}

fn rebuild_tiles(
    io: &Arc<dyn Io>,
    dir: &Path,
    segments: &[Arc<Segment>],
    store: bool,
) -> Result<Tiles, Error> {
    let mut tiles = Tiles::empty(io, dir);
    for segment in segments {
        for block in 0..segment.blocks() {
            segment.read(block)?.leaf_hashes()?.into_iter().for_each(|hash| tiles.append(hash));
        }
        if store {
            let size = tiles.size();
            tiles.flush(size)?;
        }
    }
    Ok(tiles)
}

impl Inner {
    /// Makes the hash tiles anew if the records give the root that was signed, and says whether they
    /// do: then the stored hashes were at fault and not the records. The caller holds `sealing`.
    pub(crate) fn remake_tiles(&self) -> Result<bool, Error> {
        let (segments, head) = {
            let shape = self.shape();
            (shape.segments.clone(), shape.head.clone())
        };
        let mut anew = rebuild_tiles(&self.io, &self.dir, &segments, false)?;
        let mut shape = self.shape_mut();
        let sealed = anew.size();
        for position in sealed..shape.size() {
            anew.append(shape.tiles.leaf_hash(position)?);
        }
        let Some(head) = head.filter(|head| head.size >= sealed) else { return Ok(false) };
        if anew.root(head.size)? != head.root {
            return Ok(false);
        }
        if self.lock.is_some() {
            anew.flush(sealed)?;
        }
        shape.tiles = anew;
        Ok(true)
    }
}

fn rebuild_ids(io: &dyn Io, ids: &mut Ids, segments: &[Arc<Segment>]) -> Result<(), Error> {
    for segment in segments.iter().filter(|s| s.end() > ids.end()).collect::<Vec<_>>() {
        let from = ids.end();
        let mut known = Vec::new();
        for block in 0..segment.blocks() {
            let batch = segment.read(block)?;
            for (position, row) in (batch.first..).zip(&batch.rows) {
                if let Some(fingerprint) = row.fingerprint.filter(|_| position >= from) {
                    known.push(Known { fingerprint, position });
                }
            }
        }
        let run = ids.seal((from, segment.end()), Some(known)).write(io)?;
        ids.install(run);
    }
    Ok(())
}

/// The name of the ledger in `dir`, if its keys can be read.
pub fn origin(io: &dyn Io, dir: &Path, kek: &Secret) -> Option<String> {
    Keys::load(io, dir, kek).ok().map(|keys| keys.origin.clone())
}

impl Inner {
    /// What is damaged in the index of duplicates is made anew at the next start: it is removed, and
    /// the ledger closes, because nobody can say until then what was sent before.
    pub(crate) fn doubt_ids(&self, error: Error) -> Error {
        let Error::Damaged(why) = error else { return error };
        for name in self.io.list(&self.dir).unwrap_or_default() {
            if crate::ids::covers(&name).is_some() {
                let _ = self.io.remove(&self.dir.join(name));
            }
        }
        self.close(&why);
        Error::Closed(why)
    }
}

/// Every head that was ever signed and kept, oldest first.
pub(crate) fn all_heads(io: &dyn Io, dir: &Path) -> Result<Vec<Head>, Error> {
    heads::all(io, dir)
}
