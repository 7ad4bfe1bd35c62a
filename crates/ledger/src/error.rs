//! What can go wrong, told by what to do about it.

use std::io;
use std::path::Path;

use proof::Verdict;

/// Why a ledger could not be opened, read or proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// Something could not be read or written: a permission, a missing file, a failing disk.
    /// Nothing is known about the ledger's truth.
    Io(String),
    /// Another process has the ledger open.
    Locked(String),
    /// The key given does not open this ledger.
    ForeignKey(String),
    /// Written by a newer release than this one.
    NewerFormat(String),
    /// Bytes contradict their own checksum.
    Damaged(String),
    /// Something that a checkpoint covers is not there.
    Incomplete(String),
    /// Intact bytes contradict a signature or a hash.
    Tampered(String),
    /// The ledger is older than a checkpoint that is known to have been signed.
    RolledBack(String),
    /// The ledger closed itself after a failed write or sync. Opening it again recovers.
    Closed(String),
    /// There is no such position, id or ledger.
    NotFound(String),
    /// The event is recorded and not yet under a signed checkpoint; it will be within a second.
    NotYetProved,
}

impl Error {
    pub(crate) fn io(doing: &str, path: &Path, error: &io::Error) -> Error {
        Error::Io(format!("couldn't {doing} {}: {error}", path.display()))
    }

    /// The verdict a verifier gives when this stops it.
    pub fn verdict(&self) -> Verdict {
        match self {
            Error::Damaged(_) => Verdict::Damaged,
            Error::Incomplete(_) => Verdict::Incomplete,
            Error::Tampered(_) => Verdict::Tampered,
            Error::RolledBack(_) => Verdict::RolledBack,
            _ => Verdict::CannotCheck,
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Error::Io(what)
            | Error::Locked(what)
            | Error::ForeignKey(what)
            | Error::NewerFormat(what)
            | Error::Damaged(what)
            | Error::Incomplete(what)
            | Error::Tampered(what)
            | Error::RolledBack(what)
            | Error::NotFound(what) => f.write_str(what),
            Error::Closed(what) => {
                write!(f, "the ledger has closed itself: {what}; open it again to recover")
            }
            Error::NotYetProved => f.write_str("not yet under a signed checkpoint; try again in a second"),
        }
    }
}

impl std::error::Error for Error {}

/// Why an append did not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppendError {
    /// The caller's fault; sending it again will not help. Nothing was recorded.
    Rejected {
        /// Which of the entries.
        entry: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Full, or out of disk. Nothing was recorded; try again after the pause.
    Busy {
        /// What is full.
        reason: String,
        /// Milliseconds to wait before another try.
        retry_after_ms: u64,
    },
    /// It is no longer known what is on the disk. The ledger has closed itself; opening recovers.
    Closed(String),
}

impl std::fmt::Display for AppendError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            AppendError::Rejected { entry, reason } => write!(f, "event {entry}: {reason}"),
            AppendError::Busy { reason, retry_after_ms } => {
                write!(f, "{reason}; try again in {retry_after_ms} ms")
            }
            AppendError::Closed(why) => {
                write!(f, "the ledger has closed itself: {why}; open it again to recover")
            }
        }
    }
}

impl std::error::Error for AppendError {}
