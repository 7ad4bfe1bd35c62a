//! What checking came to, in words, numbers and order.

/// What a check came to (docs/format.md 1.12).
///
/// Ordered by gravity, from `Verified` to `SplitView`: where several hold, the greatest is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Everything asked for was checked and held.
    Verified,
    /// The command was wrong; nothing was checked.
    Usage,
    /// Something needed could not be read: a file, a key, a permission, a newer format.
    CannotCheck,
    /// What is there holds, but something a checkpoint or policy demands is missing.
    Incomplete,
    /// Bytes contradict their own checksum; accident and hand cannot be told apart.
    Damaged,
    /// Intact bytes contradict a signature or a hash.
    Tampered,
    /// The ledger is older than a checkpoint someone holds.
    RolledBack,
    /// Two signed checkpoints of one ledger that cannot both be true.
    SplitView,
}

impl Verdict {
    /// The exit code of a program that ends with this verdict. Frozen.
    pub fn exit_code(self) -> u8 {
        match self {
            Verdict::Verified => 0,
            Verdict::Usage => 2,
            Verdict::CannotCheck => 10,
            Verdict::Damaged => 11,
            Verdict::Incomplete => 20,
            Verdict::Tampered => 30,
            Verdict::RolledBack => 40,
            Verdict::SplitView => 50,
        }
    }

    /// The verdict in words, for people and for JSON. Frozen.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Verified => "verified",
            Verdict::Usage => "usage",
            Verdict::CannotCheck => "cannot check",
            Verdict::Damaged => "damaged",
            Verdict::Incomplete => "incomplete",
            Verdict::Tampered => "tampered",
            Verdict::RolledBack => "rolled back",
            Verdict::SplitView => "split view",
        }
    }

    /// The graver of two.
    pub fn worst(self, other: Verdict) -> Verdict {
        self.max(other)
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// One thing that was found, good or bad.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it amounts to alone. `Verified` marks a remark that takes nothing away.
    pub verdict: Verdict,
    /// What was found, for a person: lower case, no full stop.
    pub what: String,
}

impl Finding {
    /// A finding with this verdict and text.
    pub fn new(verdict: Verdict, what: impl Into<String>) -> Finding {
        Finding { verdict, what: what.into() }
    }
}

impl From<crate::Error> for Finding {
    fn from(error: crate::Error) -> Finding {
        Finding::new(error.verdict(), error.what())
    }
}

/// The gravest of many; `Verified` if there are none.
pub fn worst(findings: &[Finding]) -> Verdict {
    findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Verified)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_wins_as_the_format_says() {
        use Verdict::*;
        let by_gravity = [SplitView, RolledBack, Tampered, Damaged, Incomplete, CannotCheck];
        assert_eq!(by_gravity.map(Verdict::exit_code), [50, 40, 30, 11, 20, 10]);
        for (i, grave) in by_gravity.iter().enumerate() {
            for lesser in &by_gravity[i..] {
                assert_eq!(grave.worst(*lesser), *grave);
                assert_eq!(lesser.worst(*grave), *grave);
            }
            assert_eq!(grave.worst(Verified), *grave);
        }
        assert_eq!(worst(&[]), Verified);
    }
}
