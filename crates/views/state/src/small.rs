//! What may be lost: refused events that are kept for a while. Nothing here is folded from a ledger, and a file that is
//! damaged is begun anew.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, Row, params};

/// One refused event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Its number; given when it is put.
    pub id: i64,
    /// Whose door it came to.
    pub organisation: String,
    /// When, in milliseconds since 1970.
    pub received_ms: u64,
    /// Who sent it: a viewer's id.
    pub by: String,
    /// Why it was refused, as a word.
    pub code: String,
    /// Where in it, as a JSON pointer.
    pub pointer: String,
    /// Why, as a sentence.
    pub reason: String,
    /// Bytes it had.
    pub size: u64,
    /// Keyed hash of these bytes.
    pub hash: String,
    /// Its text after redaction, encrypted; nothing if bodies are not kept.
    pub body: Option<Vec<u8>>,
}

/// Why the store did not do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuarantineError {
    /// The file, or what it takes to fill it, cannot be used.
    Unavailable(String),
}

impl std::fmt::Display for QuarantineError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let QuarantineError::Unavailable(what) = self;
        write!(f, "the quarantine can't be used: {what}")
    }
}

impl std::error::Error for QuarantineError {}

impl From<rusqlite::Error> for QuarantineError {
    fn from(error: rusqlite::Error) -> QuarantineError {
        // Never the statement's values.
        let what = match error.sqlite_error_code() {
            Some(code) => format!("{code:?}"),
            None => "the database answers with nonsense".into(),
        };
        QuarantineError::Unavailable(what)
    }
}

/// A small store of one process.
pub struct Small(Mutex<Connection>);

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA secure_delete = ON;
    CREATE TABLE IF NOT EXISTS quarantine (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        organisation TEXT NOT NULL,
        received_ms INTEGER NOT NULL,
        sender TEXT NOT NULL,
        code TEXT NOT NULL,
        pointer TEXT NOT NULL,
        reason TEXT NOT NULL,
        size INTEGER NOT NULL,
        hash TEXT NOT NULL,
        body BLOB
    ) STRICT;
    CREATE INDEX IF NOT EXISTS quarantine_of ON quarantine (organisation, id);
";
const COLUMNS: &str = "id, organisation, received_ms, sender, code, pointer, reason, size, hash, body";

impl Small {
    /// Opens the file, or creates it.
    pub fn open(path: &Path) -> Result<Small, QuarantineError> {
        Small::with(Connection::open(path)?)
    }

    /// One without a file.
    pub fn in_memory() -> Result<Small, QuarantineError> {
        Small::with(Connection::open_in_memory()?)
    }

    fn with(connection: Connection) -> Result<Small, QuarantineError> {
        connection.execute_batch(SCHEMA)?;
        Ok(Small(Mutex::new(connection)))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // SQLite undoes what was begun and not finished.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps refused events. Those received before `oldest_ms` go, and the oldest bodies of an organisation beyond
    /// `most_bytes`.
    pub fn put_quarantined(
        &self,
        entries: &[Quarantined],
        oldest_ms: u64,
        most_bytes: u64,
    ) -> Result<(), QuarantineError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        for entry in entries {
            transaction.execute(
                "INSERT INTO quarantine (organisation, received_ms, sender, code, pointer, reason, size, hash, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                params![
                    entry.organisation,
                    entry.received_ms as i64,
                    entry.by,
                    entry.code,
                    entry.pointer,
                    entry.reason,
                    entry.size as i64,
                    entry.hash,
                    entry.body
                ],
            )?;
        }
        transaction.execute("DELETE FROM quarantine WHERE received_ms < ?1", [oldest_ms as i64])?;
        if let Some(entry) = entries.first() {
            transaction.execute(
                "DELETE FROM quarantine WHERE organisation = ?1 AND id <= (
                     SELECT COALESCE(MAX(id), 0) FROM (
                         SELECT id, SUM(COALESCE(LENGTH(body), 0) + 512) OVER (ORDER BY id DESC) AS held
                         FROM quarantine WHERE organisation = ?1
                     ) WHERE held > ?2)",
                params![entry.organisation, most_bytes as i64],
            )?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Those of an organisation, newest first, without their bodies' bytes being opened.
    pub fn quarantined(&self, organisation: &str, limit: usize) -> Result<Vec<Quarantined>, QuarantineError> {
        let connection = self.lock();
        let sql =
            format!("SELECT {COLUMNS} FROM quarantine WHERE organisation = ?1 ORDER BY id DESC LIMIT ?2");
        let mut statement = connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params![organisation, limit as i64], read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// One of them.
    pub fn quarantined_one(
        &self,
        organisation: &str,
        id: i64,
    ) -> Result<Option<Quarantined>, QuarantineError> {
        let connection = self.lock();
        let sql = format!("SELECT {COLUMNS} FROM quarantine WHERE organisation = ?1 AND id = ?2");
        Ok(connection.prepare_cached(&sql)?.query_row(params![organisation, id], read).optional()?)
    }

    /// Throws one away: whether it was there.
    pub fn discard_quarantined(&self, organisation: &str, id: i64) -> Result<bool, QuarantineError> {
        let sql = "DELETE FROM quarantine WHERE organisation = ?1 AND id = ?2";
        Ok(self.lock().execute(sql, params![organisation, id])? > 0)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Quarantined> {
    Ok(Quarantined {
        id: row.get(0)?,
        organisation: row.get(1)?,
        received_ms: row.get::<_, i64>(2)? as u64,
        by: row.get(3)?,
        code: row.get(4)?,
        pointer: row.get(5)?,
        reason: row.get(6)?,
        size: row.get::<_, i64>(7)? as u64,
        hash: row.get(8)?,
        body: row.get(9)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(organisation: &str, received_ms: u64, body: usize) -> Quarantined {
        Quarantined {
            id: 0,
            organisation: organisation.into(),
            received_ms,
            by: "key".into(),
            code: "missing".into(),
            pointer: "/type".into(),
            reason: "an event says at least its type".into(),
            size: 10,
            hash: "hmac-sha256:0".into(),
            body: Some(vec![7; body]),
        }
    }

    #[test]
    fn the_oldest_go_first_and_others_stay_out_of_sight() {
        let small = Small::in_memory().unwrap();
        small.put_quarantined(&[entry("a", 1, 10), entry("a", 5, 10)], 0, 1 << 20).unwrap();
        small.put_quarantined(&[entry("b", 5, 10)], 2, 1 << 20).unwrap();
        let of =
            |name| small.quarantined(name, 10).unwrap().iter().map(|e| e.received_ms).collect::<Vec<_>>();
        assert_eq!((of("a"), of("b")), (vec![5], vec![5]), "what is too old is gone");
        let id = small.quarantined("a", 1).unwrap()[0].id;
        assert_eq!(
            small.quarantined_one("b", id).unwrap(),
            None,
            "another organisation's number finds nothing"
        );
        assert!(!small.discard_quarantined("b", id).unwrap());
        small.put_quarantined(&[entry("a", 6, 3000), entry("a", 7, 3000)], 0, 4000).unwrap();
        assert_eq!((of("a"), of("b")), (vec![7], vec![5]), "only as many bytes as there may be");
        let id = small.quarantined("a", 1).unwrap()[0].id;
        assert!(small.discard_quarantined("a", id).unwrap());
        assert_eq!(of("a"), Vec::<u64>::new());
    }
}
