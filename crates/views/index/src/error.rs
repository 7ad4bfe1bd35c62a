use std::io;

/// Why the index did not do what it was asked to, told by what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk refused. What was committed before is as it was; try again.
    #[error("the index: {0}")]
    Io(io::Error),
    /// A file does not hold what was written to it. The index is of no more use: open it again, and it begins anew.
    #[error("the index is damaged: {0}")]
    Damaged(String),
    /// Events must come in the order of their positions, without a gap.
    #[error("the index expected position {expected}, not {got}")]
    OutOfOrder {
        /// What [`crate::Index::next`] says.
        expected: u64,
        /// What came.
        got: u64,
    },
    /// There is no column for this field, so it cannot be grouped or summed by.
    #[error("{0} is not a field to group or sum by")]
    NotAColumn(String),
}

/// An error of a file: that it does not hold what was written is told by the kind.
impl From<io::Error> for Error {
    fn from(e: io::Error) -> Error {
        match e.kind() {
            io::ErrorKind::InvalidData => Error::Damaged(e.to_string()),
            _ => Error::Io(e),
        }
    }
}

/// Why a question was not answered.
#[derive(Debug, thiserror::Error)]
pub enum Failed<E> {
    /// The index failed.
    #[error(transparent)]
    Index(#[from] Error),
    /// The event at a position could not be read, which the caller knows more about.
    #[error("an event could not be read to confirm that it matches")]
    Confirm(E),
}
