//! How a ledger stands: what is signed, what only a checkpoint kept elsewhere still protects, what lies on the disk. And a
//! look at all of it, now.

use access::{Permission, Reach, Viewer};
use event::Value;
use ledger::{Head, Ledger, Stats};
use proof::Verdict;

use crate::ask::AskError;
use crate::audit::Asked;
use crate::indexing::Lag;
use crate::organisations::Indelible;
use crate::verify::{Checked, verify_data};

/// How a ledger stands.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Name of the ledger in its checkpoints.
    pub origin: String,
    /// Its identity key, as a policy file takes it.
    pub identity: String,
    /// The newest signed head; nothing before the first second is over.
    pub head: Option<Head>,
    /// The last head whose seal key is destroyed: what is below it can't be signed anew by whoever has today's keys.
    pub sealed_off: Option<Head>,
    /// When the first leaf above that was received, milliseconds since 1970; nothing if there is none.
    pub exposed_since_ms: Option<u64>,
    /// Whether signed heads are written to a second folder as well.
    pub has_heads_copy: bool,
    /// Figures about the files.
    pub stats: Stats,
}

/// What follows a ledger, and what all of it takes on the disk.
#[derive(Clone, Debug)]
pub struct Upkeep {
    /// Of the index.
    pub lag: Lag,
    /// Whether the ledger is small enough to be read through for each question, and has no index.
    pub is_scanned: bool,
    /// Whether a change of the administration is recorded and does not hold yet.
    pub change_waits: bool,
    /// Figures about the ledger's files.
    pub stats: Stats,
    /// Leaves that were received within the last day and the last seven; nothing if the ledger is younger than that.
    pub grown: [Option<u64>; 2],
}

const DAY_MS: u64 = 86_400_000;

impl Indelible {
    /// How an organisation's ledger stands.
    pub fn standing(&self, viewer: &Viewer, organisation: &str) -> Result<Standing, AskError> {
        let permission = Permission::Proofs;
        self.admit(viewer, &Asked { kind: "audit.read", permission, organisation, text: "integrity" })?;
        let ledger = self.ledger(organisation)?;
        let sealed_off = ledger.epoch_ends().pop();
        let first_open = sealed_off.as_ref().map_or(0, |head| head.size);
        let exposed_since_ms = match first_open < ledger.size() {
            true => Some(ledger.record(first_open)?.received_ms()),
            false => None,
        };
        Ok(Standing {
            origin: ledger.origin().to_owned(),
            identity: ledger.identity().to_string(),
            head: ledger.head(),
            sealed_off,
            exposed_since_ms,
            has_heads_copy: self.settings.heads_copy.is_some(),
            stats: ledger.stats()?,
        })
    }

    /// How what follows an organisation's ledger is, and what it takes on the disk.
    pub fn upkeep(&self, viewer: &Viewer, organisation: &str) -> Result<Upkeep, AskError> {
        let reach = Reach::One(organisation.to_owned());
        let lag = self.stats(viewer, &reach)?.pop().ok_or(AskError::NotFound)?;
        let folding = self.folding.lock().expect("no panic while a change is folded");
        let change_waits = folding.get(organisation).is_some_and(Option::is_some);
        drop(folding);
        let ledger = self.ledger(organisation)?;
        let now_ms = self.io.wall_ms();
        let grown = |days: u64| -> Result<Option<u64>, AskError> {
            let before = received_before(&ledger, now_ms.saturating_sub(days * DAY_MS))?;
            Ok((before > 0).then(|| ledger.size().saturating_sub(before)))
        };
        Ok(Upkeep {
            is_scanned: lag.bytes == 0 && lag.searchable == Some(lag.size),
            lag,
            change_waits,
            stats: ledger.stats()?,
            grown: [grown(1)?, grown(7)?],
        })
    }

    /// Reads and checks every byte of an organisation's ledger, against the checkpoint that this process signed last as well.
    /// `progress` is told the leaves that are done and how many there are. That it was done, by whom, and what came of it is on
    /// record when this returns. It takes as long as reading all of it does; nobody waits for it meanwhile.
    pub fn verify_now(
        &self,
        viewer: &Viewer,
        organisation: &str,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Checked, AskError> {
        self.permit(viewer, Permission::Proofs, organisation)?;
        let known: Vec<String> =
            self.ledger(organisation)?.head().map(|head| head.note).into_iter().collect();
        let begun_ms = self.io.monotonic_ms();
        let mut tell = |_: &str, now: ledger::Progress| progress(now.done, now.total);
        let checked = verify_data(&self.io, &self.settings, Some(organisation), None, &known, &mut tell);
        let checked = checked.map_err(|error| AskError::Ledger(ledger::Error::Io(error.to_string())))?;
        let checked = checked.into_iter().next().ok_or(AskError::NotFound)?;
        let verdict = checked.verdict();
        let attributes = vec![
            ("verdict", Value::from(verdict.word())),
            ("leaves", Value::from(checked.leaves.to_string())),
            ("milliseconds", Value::from(self.io.monotonic_ms().saturating_sub(begun_ms).to_string())),
        ];
        let status = if verdict == Verdict::Verified { "success" } else { "failed" };
        let mut value = self.own_event("audit.verified", status, Some(viewer), attributes);
        if let (Value::Object(members), true) = (&mut value, verdict != Verdict::Verified) {
            members.insert("severity", Value::from("critical"));
        }
        if !self.read_only() {
            self.note(organisation, value).map_err(AskError::NotRecorded)?;
        }
        Ok(checked)
    }
}

/// How many leaves were received before a moment. Times of receipt never decrease, so that halving finds it.
fn received_before(ledger: &Ledger, ms: u64) -> Result<u64, AskError> {
    let (mut low, mut high) = (0, ledger.size());
    while low < high {
        let middle = low + (high - low) / 2;
        match ledger.block(middle)?.unchecked(middle)?.received_ms() < ms {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    Ok(low)
}
