//! The file, and what of it is held in memory.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use event::{Limits, Value};
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::Error;
use crate::record::{ApiKey, KeyHashes, Organisation, RoleGrant, Unreadable, User};

/// "INDS": tells our file from somebody else's.
const APPLICATION: i64 = 0x494e_4453;
/// Raised whenever the tables change, or what is folded into them. A file of another version is made anew.
const VERSION: i64 = 1;

/// One row per thing there is, and in it the JSON of the last event about it.
const SCHEMA: &str = "
CREATE TABLE records (
    -- organisation, user, grant, api_key, view, settings, redaction, retention, source
    entity TEXT NOT NULL,
    -- Whose ledger it is folded from; '*': the ledger `system`.
    organisation TEXT NOT NULL,
    id TEXT NOT NULL,
    -- Of a key, grant or view the user; of a user the folded address; else empty.
    owner TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (entity, organisation, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX records_by_owner ON records (entity, owner);
CREATE INDEX records_by_id ON records (entity, id);
CREATE TABLE key_hashes (
    organisation TEXT NOT NULL,
    id TEXT NOT NULL,
    hash BLOB NOT NULL,
    old BLOB,
    PRIMARY KEY (organisation, id)
) STRICT, WITHOUT ROWID;
-- The next position of each ledger to fold.
CREATE TABLE folded (ledger TEXT PRIMARY KEY, next INTEGER NOT NULL) STRICT, WITHOUT ROWID;
-- Ledgers that may hold a change that is not folded yet.
CREATE TABLE pending (ledger TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
-- Not folded, and lost with the file.
CREATE TABLE last_used (key_id TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
";

/// Most bytes of a row's JSON: that of an event.
const RECORD: Limits = Limits { max_bytes: 256 * 1024, max_depth: 64 };

/// The state: organisations, users, grants, keys, views, settings and sources. Shared by reference; every method may be
/// called from any thread.
#[derive(Debug)]
pub struct State {
    /// Taken before `memory`, and held while both are changed.
    file: Mutex<Connection>,
    memory: RwLock<Memory>,
}

/// Whatever is asked for with every request.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) keys: HashMap<String, KnownKey>,
    pub(crate) users: HashMap<String, User>,
    /// By user.
    pub(crate) grants: HashMap<String, Vec<RoleGrant>>,
    pub(crate) organisations: BTreeMap<String, Organisation>,
    /// Key and time of the last use that was stored.
    pub(crate) used: HashMap<String, u64>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KnownKey {
    pub(crate) key: ApiKey,
    pub(crate) hashes: KeyHashes,
}

impl State {
    /// Opens the file, or makes it; the folder must be there. [`Error::Unusable`]: delete [`State::files`] and fold anew.
    pub fn open(path: &Path) -> Result<State, Error> {
        let file = Connection::open(path)?;
        file.busy_timeout(Duration::from_secs(5))?;
        // A power cut may take the last commits away, never half of one; `mark_pending` syncs what must not be lost.
        file.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0))?;
        file.execute_batch("PRAGMA synchronous = NORMAL")?;
        State::with(file)
    }

    /// A state that is gone when it is dropped: to rebuild and compare, and for tests.
    pub fn in_memory() -> Result<State, Error> {
        State::with(Connection::open_in_memory()?)
    }

    /// The file and those that SQLite keeps beside it, to be deleted together.
    pub fn files(path: &Path) -> [PathBuf; 3] {
        ["", "-wal", "-shm"].map(|end| {
            let mut name = path.as_os_str().to_owned();
            name.push(end);
            name.into()
        })
    }

    fn with(file: Connection) -> Result<State, Error> {
        let number = |sql| file.query_row(sql, [], |row| row.get::<_, i64>(0));
        let found = (
            number("PRAGMA application_id")?,
            number("PRAGMA user_version")?,
            number("SELECT count(*) FROM sqlite_schema")?,
        );
        match found {
            (0, 0, 0) => file.execute_batch(&format!(
                "BEGIN; {SCHEMA} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT"
            ))?,
            (APPLICATION, VERSION, _) => {}
            (APPLICATION, version, _) => {
                return Err(Error::unusable(format!("version {version}, and this program knows {VERSION}")));
            }
            _ => return Err(Error::unusable("not a state file")),
        }
        let sound: String = file.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if sound != "ok" {
            return Err(Error::unusable(format!("damaged: {sound}")));
        }
        let memory = Memory::load(&file)?;
        Ok(State { file: Mutex::new(file), memory: RwLock::new(memory) })
    }

    pub(crate) fn file(&self) -> MutexGuard<'_, Connection> {
        self.file.lock().expect("no panic while the state is held")
    }

    /// The file, if nobody else has it now.
    pub(crate) fn file_if_free(&self) -> Option<MutexGuard<'_, Connection>> {
        self.file.try_lock().ok()
    }

    pub(crate) fn memory(&self) -> RwLockReadGuard<'_, Memory> {
        self.memory.read().expect("no panic while the state is held")
    }

    pub(crate) fn memory_mut(&self) -> RwLockWriteGuard<'_, Memory> {
        self.memory.write().expect("no panic while the state is held")
    }

    /// The next position of a ledger to fold; `None` if nothing of it was folded.
    pub fn folded(&self, ledger: &str) -> Result<Option<u64>, Error> {
        next(&self.file(), ledger)
    }

    /// Notes that there is nothing to fold before a position. Never goes back.
    pub fn set_folded(&self, ledger: &str, position: u64) -> Result<(), Error> {
        set_next(&self.file(), ledger, position)
    }

    /// Notes, synced, that a ledger may soon hold a change that is not folded. Before the change is recorded.
    pub fn mark_pending(&self, ledger: &str) -> Result<(), Error> {
        let file = self.file();
        // Were this lost in a power cut that spared the event, nobody would look for the event.
        file.execute_batch("PRAGMA synchronous = FULL")?;
        let marked = file.execute("INSERT INTO pending VALUES (?1) ON CONFLICT DO NOTHING", params![ledger]);
        file.execute_batch("PRAGMA synchronous = NORMAL")?;
        marked?;
        Ok(())
    }

    /// Everything the ledger holds is folded.
    pub fn clear_pending(&self, ledger: &str) -> Result<(), Error> {
        // If this is lost, the ledger is looked at once more than needed; a fold before it can't be lost without it.
        self.file().execute("DELETE FROM pending WHERE ledger = ?1", params![ledger])?;
        Ok(())
    }

    /// Ledgers that may hold a change that is not folded, in order of name.
    pub fn pending(&self) -> Result<Vec<String>, Error> {
        let file = self.file();
        let mut query = file.prepare_cached("SELECT ledger FROM pending ORDER BY ledger")?;
        let ledgers = query.query_map([], |row| row.get(0))?;
        Ok(ledgers.collect::<Result<_, _>>()?)
    }
}

pub(crate) fn next(file: &Connection, ledger: &str) -> Result<Option<u64>, Error> {
    let mut query = file.prepare_cached("SELECT next FROM folded WHERE ledger = ?1")?;
    let next: Option<i64> = query.query_row(params![ledger], |row| row.get(0)).optional()?;
    Ok(next.map(|next| u64::try_from(next).unwrap_or(0)))
}

pub(crate) fn set_next(file: &Connection, ledger: &str, position: u64) -> Result<(), Error> {
    let sql = "INSERT INTO folded VALUES (?1, ?2) ON CONFLICT DO UPDATE SET next = max(next, excluded.next)";
    file.prepare_cached(sql)?.execute(params![ledger, i64::try_from(position).unwrap_or(i64::MAX)])?;
    Ok(())
}

impl Memory {
    fn load(file: &Connection) -> Result<Memory, Error> {
        let mut memory = Memory::default();
        for user in records(file, "WHERE entity = 'user'", &[], User::from_value)? {
            memory.users.insert(user.id.clone(), user);
        }
        for grant in records(file, "WHERE entity = 'grant'", &[], RoleGrant::from_value)? {
            memory.grants.entry(grant.user.clone()).or_default().push(grant);
        }
        for organisation in records(file, "WHERE entity = 'organisation'", &[], Organisation::from_value)? {
            memory.organisations.insert(organisation.id.clone(), organisation);
        }
        for key in records(file, "WHERE entity = 'api_key'", &[], ApiKey::from_value)? {
            // The first of two organisations, should both have a key of that id.
            if let std::collections::hash_map::Entry::Vacant(entry) = memory.keys.entry(key.key_id.clone()) {
                let hashes = key_hashes(file, key.organisation.as_str(), &key.key_id)?;
                entry.insert(KnownKey { hashes, key });
            }
        }
        let mut used = file.prepare_cached("SELECT key_id, at_ms FROM last_used")?;
        let used = used.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))?;
        for row in used {
            let (key_id, at) = row?;
            memory.used.insert(key_id, u64::try_from(at).unwrap_or(0));
        }
        Ok(memory)
    }
}

/// The key of an id that counts, if there is one.
pub(crate) fn known_key(file: &Connection, key_id: &str) -> Result<Option<KnownKey>, Error> {
    let keys = records(
        file,
        "INDEXED BY records_by_id WHERE entity = 'api_key' AND id = ?1",
        &[key_id],
        ApiKey::from_value,
    )?;
    let Some(key) = keys.into_iter().next() else { return Ok(None) };
    let hashes = key_hashes(file, key.organisation.as_str(), key_id)?;
    Ok(Some(KnownKey { key, hashes }))
}

fn key_hashes(file: &Connection, organisation: &str, key_id: &str) -> Result<KeyHashes, Error> {
    let sql = "SELECT hash, old FROM key_hashes WHERE organisation = ?1 AND id = ?2";
    let row = file.prepare_cached(sql)?.query_row(params![organisation, key_id], |row| {
        Ok((row.get::<_, [u8; 32]>(0)?, row.get::<_, Option<[u8; 32]>>(1)?))
    });
    let (hash, old) = row.optional()?.ok_or_else(|| Error::unusable("a key without its hash"))?;
    Ok(KeyHashes { current: access::SecretHash::new(hash), old: old.map(access::SecretHash::new) })
}

/// The records that fit a condition, in order of organisation and id. The condition may begin with the index to take
/// (`INDEXED BY`): for the sake of the order, SQLite would rather walk through everything there is.
pub(crate) fn records<T>(
    file: &Connection,
    condition: &str,
    values: &[&str],
    read: impl Fn(&Value<'_>) -> Result<T, Unreadable>,
) -> Result<Vec<T>, Error> {
    let mut query =
        file.prepare_cached(&format!("SELECT record FROM records {condition} ORDER BY organisation, id"))?;
    let mut rows = query.query(rusqlite::params_from_iter(values))?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let text: String = row.get(0)?;
        let value = event::json::parse(text.as_bytes(), &RECORD);
        let value = value.map_err(|refusal| Error::unusable(format!("a record: {refusal}")))?;
        all.push(read(&value).map_err(|why| Error::unusable(format!("a record: {why}")))?);
    }
    Ok(all)
}
