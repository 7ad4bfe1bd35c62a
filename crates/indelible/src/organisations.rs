//! Many ledgers, few of them open.
//!
//! A ledger is opened when it is first needed and closed when others are needed more; thousands
//! that hold a few events each cost a folder and nothing else.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use ledger::io::{Io, Lock, Open};
use ledger::{Blocks, Error, Ledger, Options, Record, Secret};
use proof::{MacKey, leaf};
use query::Filter;
use redact::{Policy, Redactor};
use state::{Small, State};

use crate::audit::Audit;
use crate::indexing::Indexing;
use crate::keys::{KeySource, load_kek};
use crate::quarantine::QuarantinePolicy;
use crate::recording::Recording;
use crate::sessions::Sessions;

/// Ledgers that are open at once, each with a handful of file handles.
const OPEN: usize = 256;

/// How the product is to be run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Folder of everything.
    pub data: PathBuf,
    /// Where the key-encryption key lies; `kek` in the data folder if absent.
    pub key: Option<KeySource>,
    /// Tags every event with HMAC-SHA256; at least 32 bytes.
    pub hmac_key: Option<Arc<MacKey>>,
    /// Folder for a second copy of signed heads.
    pub heads_copy: Option<PathBuf>,
    /// Names of new ledgers begin with this; a random one each if absent.
    pub origin: Option<String>,
    /// What may be kept of an event.
    pub redaction: Policy,
    /// Events for which best effort is enough when they cannot be recorded; all must be if absent.
    pub best_effort: Option<Filter>,
    /// What is kept of refused events.
    pub quarantine: QuarantinePolicy,
    /// Ledgers with fewer leaves are scanned, and have no index.
    pub scan_below: u64,
    /// Most bytes of decrypted index in memory, for all organisations together.
    pub index_cache_bytes: usize,
    /// Milliseconds that what is added to an index waits at most to be found, if the machine keeps up.
    pub index_commit_ms: u64,
    /// A step of the wall clock by more than this is held and recorded, in milliseconds.
    pub clock_step_ms: u64,
    /// Bytes of blocks of ledgers that may be held in memory, of all organisations together.
    pub blocks_bytes: usize,
}

impl Settings {
    /// Defaults over a data folder.
    pub fn new(data: impl Into<PathBuf>) -> Settings {
        Settings {
            data: data.into(),
            key: None,
            hmac_key: None,
            heads_copy: None,
            origin: None,
            redaction: Policy::default(),
            best_effort: None,
            quarantine: QuarantinePolicy::default(),
            scan_below: 2000,
            index_cache_bytes: 256 << 20,
            index_commit_ms: 500,
            clock_step_ms: 5 * 60 * 1000,
            blocks_bytes: 64 << 20,
        }
    }
}

/// Why the product does not start: what is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartError {
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub advice: String,
}

impl StartError {
    pub(crate) fn new(what: impl Into<String>, advice: impl Into<String>) -> StartError {
        StartError { what: what.into(), advice: advice.into() }
    }
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}; {}", self.what, self.advice)
    }
}

impl std::error::Error for StartError {}

/// The product, running on one data folder.
pub struct Indelible {
    pub(crate) io: Arc<dyn Io>,
    pub(crate) settings: Settings,
    pub(crate) kek: Secret,
    slots: Mutex<HashMap<String, Arc<Slot>>>,
    clock: AtomicU64,
    pub(crate) rota: Mutex<crate::tend::Rota>,
    pub(crate) recording: Recording,
    pub(crate) audit: Audit,
    pub(crate) sessions: Sessions,
    pub(crate) indexing: Indexing,
    /// Blocks that were read, of all ledgers.
    blocks: Arc<Blocks>,
    /// Administration as it is now; empty and unused in a folder that is only read.
    pub(crate) state: State,
    /// One change at a time: what it is checked against must still hold when it is recorded.
    pub(crate) changing: Mutex<()>,
    /// Held while somebody comes by single sign-on.
    pub(crate) settling: Mutex<()>,
    /// Ledgers that are marked as perhaps not folded, with the first position that could not be; held while a change is
    /// recorded and folded.
    pub(crate) folding: Mutex<HashMap<String, Option<u64>>>,
    /// Hashes the secrets of API keys.
    pub(crate) credentials: OnceLock<Secret>,
    pub(crate) small: Small,
    /// When the disk was tried last, and whether it could be written to.
    pub(crate) tried: Mutex<Option<(u64, bool)>>,
    redactor: Redactor,
    /// `None` when it was opened for reading beside a running server.
    lock: Option<Box<dyn Lock>>,
}

#[derive(Default)]
struct Slot {
    ledger: Mutex<Option<Ledger>>,
    used: AtomicU64,
}

impl Indelible {
    /// Opens a data folder for reading and writing, creating it and its key if it is new.
    pub fn open(io: Arc<dyn Io>, settings: Settings) -> Result<Indelible, StartError> {
        let data = settings.data.clone();
        let failed = |e: std::io::Error| {
            StartError::new(
                format!("couldn't use the data folder {}: {e}", data.display()),
                "check that it exists and belongs to you",
            )
        };
        io.create_dir(&data.join("ledgers")).map_err(failed)?;
        if let Some(copy) = &settings.heads_copy {
            io.create_dir(copy).map_err(|e| {
                StartError::new(
                    format!("couldn't use {} for copies of signed heads: {e}", copy.display()),
                    "check that it belongs to you",
                )
            })?;
        }
        let lock = io.lock(&data.join("lock")).map_err(failed)?.ok_or_else(|| {
            StartError::new(
                format!("{} is in use by another process", data.display()),
                "use its API, or stop it first; commands that only read work beside it",
            )
        })?;
        io.sync_dir(&data).map_err(failed)?;
        if let Some(copy) = &settings.heads_copy {
            io.create_dir(copy).map_err(|e| {
                StartError::new(
                    format!("couldn't use {} for the second copy of signed heads: {e}", copy.display()),
                    "check that it can be written to",
                )
            })?;
        }
        Indelible::with(io, settings, Some(lock))
    }

    /// Opens a data folder for reading, also while a server writes to it.
    pub fn open_read_only(io: Arc<dyn Io>, settings: Settings) -> Result<Indelible, StartError> {
        Indelible::with(io, settings, None)
    }

    fn with(
        io: Arc<dyn Io>,
        settings: Settings,
        lock: Option<Box<dyn Lock>>,
    ) -> Result<Indelible, StartError> {
        let fresh = list(&*io, &settings.data).is_empty();
        let source = settings.key.clone().unwrap_or_else(|| KeySource::File(settings.data.join("kek")));
        let kek = load_kek(&*io, &source, fresh && lock.is_some())?;
        let redactor = Redactor::new(&settings.redaction).map_err(|e| {
            StartError::new(
                format!("the redaction policy can't be used: {e}"),
                "mend it in the configuration",
            )
        })?;
        let views = settings.data.join("views");
        let (state, small) = match &lock {
            Some(_) => {
                io.create_dir(&views).map_err(|e| {
                    StartError::new(format!("couldn't create {}: {e}", views.display()), "check its owner")
                })?;
                (open_state(&*io, &views)?, open_small(&*io, &views)?)
            }
            None => (State::in_memory().map_err(no_state)?, Small::in_memory().map_err(no_small)?),
        };
        let product = Indelible {
            io,
            recording: settings.best_effort.as_ref().map_or_else(Recording::default, Recording::best_effort),
            audit: Audit::default(),
            sessions: Sessions::default(),
            indexing: Indexing::new(settings.index_cache_bytes),
            blocks: Arc::new(Blocks::new(settings.blocks_bytes)),
            state,
            changing: Mutex::default(),
            settling: Mutex::default(),
            folding: Mutex::default(),
            credentials: OnceLock::new(),
            small,
            tried: Mutex::default(),
            redactor,
            settings,
            kek,
            slots: Mutex::default(),
            clock: AtomicU64::new(1),
            rota: Mutex::default(),
            lock,
        };
        if product.lock.is_some() {
            product.fold_what_is_missing()?;
        }
        Ok(product)
    }

    /// What decides what may be kept.
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Organisations that have a ledger, sorted.
    pub fn organisations(&self) -> Vec<String> {
        list(&*self.io, &self.settings.data)
    }

    /// Whether this one may only read.
    pub fn read_only(&self) -> bool {
        self.lock.is_none()
    }

    /// Folder of an organisation's ledger.
    pub fn dir(&self, organisation: &str) -> PathBuf {
        self.settings.data.join("ledgers").join(organisation)
    }

    /// The ledger of an organisation that has one.
    pub fn ledger(&self, organisation: &str) -> Result<Ledger, Error> {
        self.get(organisation, false)
    }

    /// Creates the ledger of an organisation, or opens it.
    pub fn create(&self, organisation: &str) -> Result<Ledger, Error> {
        self.get(organisation, true)
    }

    fn get(&self, organisation: &str, create: bool) -> Result<Ledger, Error> {
        check_organisation(organisation).map_err(Error::NotFound)?;
        let slot = {
            let mut slots = self.slots.lock().expect("no panic while slots are held");
            slots.entry(organisation.to_owned()).or_default().clone()
        };
        slot.used.store(self.clock.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        let mut held = slot.ledger.lock().expect("no panic while a ledger opens");
        if let Some(ledger) = &*held {
            return Ok(ledger.clone());
        }
        match self.open_ledger(organisation, create) {
            Ok(ledger) => {
                *held = Some(ledger.clone());
                drop(held);
                self.close_some();
                Ok(ledger)
            }
            Err(e) => {
                drop(held);
                let mut slots = self.slots.lock().expect("no panic while slots are held");
                // Unknown names must not fill the memory.
                slots.retain(|name, other| name != organisation || Arc::strong_count(other) > 2);
                Err(e)
            }
        }
    }

    fn open_ledger(&self, organisation: &str, create: bool) -> Result<Ledger, Error> {
        let dir = self.dir(organisation);
        let options = self.options(organisation);
        if self.read_only() {
            return Ledger::open_read_only(self.io.clone(), &dir, options);
        }
        let ledger = match create {
            true => Ledger::open_or_create(self.io.clone(), &dir, options)?,
            false => Ledger::open(self.io.clone(), &dir, options)?,
        };
        let opened = ledger.opened();
        if opened.torn || !opened.rebuilt.is_empty() {
            tracing::warn!(organisation, ?opened, "recovered a ledger");
        }
        if opened.created {
            self.note_created(organisation, &ledger)?;
        }
        Ok(ledger)
    }

    /// Whether the HMAC tag of a record's leaf holds. `None` if no `hmac_key` is set, or it did not make a tag of this leaf.
    pub fn tag_holds(&self, ledger: &Ledger, record: &Record) -> Option<bool> {
        let key = self.settings.hmac_key.as_deref()?;
        match leaf::verify_mac(&record.leaf(), key, ledger.origin()) {
            Ok(()) => Some(true),
            Err(proof::Error::Missing(_)) => None,
            Err(_) => Some(false),
        }
    }

    /// Settings of a ledger of this product.
    pub fn options(&self, organisation: &str) -> Options {
        let mut options = Options::new(organisation, self.kek.clone());
        options.blocks = self.blocks.clone();
        options.clock_step_ms = self.settings.clock_step_ms;
        options.hmac_key = self.settings.hmac_key.clone();
        options.heads_copy = self.settings.heads_copy.clone();
        options.origin = self.settings.origin.as_ref().map(|origin| format!("{origin}/{organisation}"));
        options
    }

    /// Forgets a ledger that closed itself, so that the next who needs it opens it and recovers.
    pub(crate) fn forget(&self, organisation: &str) {
        self.slots.lock().expect("no panic while slots are held").remove(organisation);
    }

    /// Ledgers that are open now.
    pub(crate) fn open_now(&self) -> Vec<(String, Ledger)> {
        let slots = self.slots.lock().expect("no panic while slots are held");
        slots
            .iter()
            // One that is being opened is not waited for.
            .filter_map(|(name, slot)| Some((name.clone(), slot.ledger.try_lock().ok()?.clone()?)))
            .collect()
    }

    /// Closes the ledgers that were not used for longest, signed, when too many are open.
    fn close_some(&self) {
        let mut slots = self.slots.lock().expect("no panic while slots are held");
        if slots.len() <= OPEN {
            return;
        }
        let mut ages: Vec<(u64, String)> =
            slots.iter().map(|(name, slot)| (slot.used.load(Ordering::Relaxed), name.clone())).collect();
        ages.sort();
        for (_, name) in ages.into_iter().take(OPEN / 8) {
            // Whoever still holds a handle keeps the ledger open, and a second opening would fail.
            let idle = slots.get(&name).is_some_and(|slot| {
                Arc::strong_count(slot) == 1
                    && slot
                        .ledger
                        .try_lock()
                        .is_ok_and(|held| held.as_ref().is_none_or(Ledger::is_only_handle))
            });
            if idle
                && let Some(slot) = slots.remove(&name)
                && let Ok(Some(ledger)) = slot.ledger.lock().map(|mut held| held.take())
                && let Err(e) = ledger.sign()
            {
                tracing::error!(organisation = name, error = %e, "couldn't sign while closing");
            }
        }
    }

    /// Signs and closes everything. Nothing may be recorded after this.
    /// An error says that something recorded is not under a signed head yet; the next start signs it.
    pub fn close(&self) -> Result<(), Error> {
        let mut outcome = Ok(());
        for (organisation, ledger) in self.open_now() {
            if !self.read_only()
                && let Err(e) = ledger.sign()
            {
                tracing::error!(organisation, error = %e, "couldn't sign while closing");
                outcome = outcome.and(Err(e));
            }
        }
        self.all_is_folded();
        self.slots.lock().expect("no panic while slots are held").clear();
        outcome
    }
}

/// Whether a name can be an organisation's: it is a folder, too.
pub fn check_organisation(name: &str) -> Result<(), String> {
    let good = (1..=63).contains(&name.len())
        && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
        && name.as_bytes()[0].is_ascii_alphanumeric();
    match good {
        true => Ok(()),
        false => {
            Err("organisation: expected 1 to 63 of a-z, 0-9, '-' and '_', beginning with a letter or digit"
                .into())
        }
    }
}

fn list(io: &dyn Io, data: &Path) -> Vec<String> {
    let mut names = io.list(&data.join("ledgers")).unwrap_or_default();
    names.retain(|name| check_organisation(name).is_ok());
    names
}

/// The state view. One that cannot be used is removed and made anew from the ledgers.
fn open_state(io: &dyn Io, views: &Path) -> Result<State, StartError> {
    let path = views.join("state.sqlite");
    make(io, &path)?;
    if let Ok(state) = State::open(&path) {
        return Ok(state);
    }
    tracing::warn!("the state view can't be used; it is made anew from the ledgers");
    remove_database(io, &path);
    make(io, &path)?;
    State::open(&path).map_err(no_state)
}

fn open_small(io: &dyn Io, views: &Path) -> Result<Small, StartError> {
    let path = views.join("small.sqlite");
    make(io, &path)?;
    if let Ok(small) = Small::open(&path) {
        return Ok(small);
    }
    tracing::warn!("the quarantine can't be used; it is begun anew");
    remove_database(io, &path);
    make(io, &path)?;
    Small::open(&path).map_err(no_small)
}

/// Makes an empty database that only its owner may read, if there is none: SQLite gives
/// the files beside it the same mode.
fn make(io: &dyn Io, path: &Path) -> Result<(), StartError> {
    let made = match io.open(path, Open::Read) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => io.open(path, Open::Create).map(drop),
        _ => Ok(()),
    };
    made.map_err(|e| StartError::new(format!("couldn't create {}: {e}", path.display()), "check its owner"))
}

fn remove_database(io: &dyn Io, path: &Path) {
    for end in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        // What is not there need not be removed; what can't be removed is reported by opening it.
        let _ = io.remove(Path::new(&name));
    }
}

fn no_state(error: state::Error) -> StartError {
    StartError::new(
        format!("the state view can't be used: {error}"),
        "check the folder `views` and its owner",
    )
}

fn no_small(error: state::QuarantineError) -> StartError {
    StartError::new(error.to_string(), "check the folder `views` and its owner")
}

#[cfg(test)]
mod tests {
    use ledger::Entry;
    use ledger::io::OsIo;

    use super::*;

    #[test]
    fn a_tag_holds_for_its_key_and_its_ledger() {
        let home = tempfile::tempdir().unwrap();
        let with = |folder: &str, key: Option<&[u8]>| {
            let hmac_key = key.map(|key| Arc::new(MacKey::new(key).unwrap()));
            let settings = Settings { hmac_key, ..Settings::new(home.path().join(folder)) };
            Indelible::open(Arc::new(OsIo::new()), settings).unwrap()
        };
        let record = |ledger: &Ledger| {
            let entry = Entry { kind: "auth.login".into(), ..Entry::default() };
            let position = ledger.append(vec![entry]).unwrap()[0].receipt().position;
            ledger.record(position).unwrap()
        };
        let (one, other) = (&[b'a'; 32][..], &[b'b'; 32][..]);
        let product = with("a", Some(one));
        let (acme, zeta) = (product.create("acme").unwrap(), product.create("zeta").unwrap());
        let (of_acme, of_zeta) = (record(&acme), record(&zeta));
        assert_eq!(product.tag_holds(&acme, &of_acme), Some(true));
        assert_eq!(product.tag_holds(&zeta, &of_zeta), Some(true));
        assert_eq!(product.tag_holds(&acme, &of_zeta), Some(false), "made for another ledger");
        assert_eq!(with("b", Some(other)).tag_holds(&acme, &of_acme), None, "another key's");
        let without = with("c", None);
        assert_eq!(without.tag_holds(&acme, &of_acme), None);
        let plain = without.create("acme").unwrap();
        assert_eq!(product.tag_holds(&plain, &record(&plain)), None, "there is no tag");
    }
}
