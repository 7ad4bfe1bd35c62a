use rusqlite::ErrorCode;

/// Why the state could not be read or changed, told by what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is damaged, or of another version. Delete it ([`State::files`](crate::State::files)) and fold every ledger
    /// again; nothing is lost.
    #[error("the state file can't be used and has to be made anew: {reason}")]
    Unusable {
        /// What is wrong with it.
        reason: String,
    },
    /// The disk is full, the file is locked or may not be opened. Nothing was changed; trying again may help.
    #[error("couldn't use the state file: {0}")]
    Store(rusqlite::Error),
}

impl Error {
    pub(crate) fn unusable(reason: impl Into<String>) -> Error {
        Error::Unusable { reason: reason.into() }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Error {
        use rusqlite::Error::{
            FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error,
        };
        let damaged = match &error {
            // What we wrote is not there any more, or not in the shape we wrote it.
            FromSqlConversionFailure(..)
            | IntegralValueOutOfRange(..)
            | InvalidColumnType(..)
            | Utf8Error(..) => true,
            // `Unknown` is a table or column that is not there, among others.
            error => matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown)
            ),
        };
        if damaged { Error::unusable(error.to_string()) } else { Error::Store(error) }
    }
}
