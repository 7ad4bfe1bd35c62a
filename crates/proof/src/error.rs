use crate::verdict::Verdict;

/// Why something was not accepted, told by what it means for whoever asked.
///
/// The text says what was wrong, in lower case and without a full stop. It never repeats more
/// than a short name from the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The bytes do not follow their format, or follow a newer one. Nothing can be said about
    /// what they claim.
    Malformed(String),
    /// What is there holds, but a signature or link that is needed is not there.
    Missing(String),
    /// Intact bytes contradict a signature, a hash or a rule.
    Contradicts(String),
}

impl Error {
    /// The verdict this error alone amounts to (docs/format.md 1.12).
    pub fn verdict(&self) -> Verdict {
        match self {
            Error::Malformed(_) => Verdict::CannotCheck,
            Error::Missing(_) => Verdict::Incomplete,
            Error::Contradicts(_) => Verdict::Tampered,
        }
    }

    /// The text alone.
    pub fn what(&self) -> &str {
        match self {
            Error::Malformed(what) | Error::Missing(what) | Error::Contradicts(what) => what,
        }
    }

    /// The same error, saying where it was met: `where: what`.
    pub(crate) fn within(self, place: &str) -> Error {
        match self {
            Error::Malformed(what) => Error::Malformed(format!("{place}: {what}")),
            Error::Missing(what) => Error::Missing(format!("{place}: {what}")),
            Error::Contradicts(what) => Error::Contradicts(format!("{place}: {what}")),
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.what())
    }
}

impl std::error::Error for Error {}

pub(crate) fn malformed(what: impl Into<String>) -> Error {
    Error::Malformed(what.into())
}

pub(crate) fn missing(what: impl Into<String>) -> Error {
    Error::Missing(what.into())
}

pub(crate) fn contradicts(what: impl Into<String>) -> Error {
    Error::Contradicts(what.into())
}
