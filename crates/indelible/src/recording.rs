//! What happens when recording fails, and what is said about it afterwards.
//!
//! An event that must be recorded is refused, so that its sender tries again or stops. One for which best effort is enough
//! is let go, so that its sender is never held up. Either way the ledger says later from when to when it was, and how many.

use std::collections::HashMap;
use std::sync::Mutex;

use event::{Event, Value, time};
use query::{Filter, Predicate};

use crate::organisations::Indelible;
use crate::record::{RecordError, object};

/// Which events may be lost when they cannot be recorded. All others are refused.
#[derive(Debug, Default)]
pub(crate) struct Recording {
    best_effort: Option<Predicate>,
    degraded: Mutex<HashMap<String, Degraded>>,
}

/// A period in which an organisation's events could not be recorded.
#[derive(Debug)]
struct Degraded {
    since_ms: u64,
    reason: String,
    /// Events whose senders were told to try again.
    refused: u64,
    /// Events that were let go.
    skipped: u64,
}

impl Recording {
    /// Best effort is enough for the events that a filter holds for.
    pub(crate) fn best_effort(filter: &Filter) -> Recording {
        Recording { best_effort: Some(filter.predicate()), degraded: Mutex::default() }
    }

    /// Whether best effort is enough for this one.
    pub(crate) fn may_skip(&self, event: &Event<'_>) -> bool {
        let matches = |predicate: &Predicate| predicate.matches(&Value::Object(event.tree().clone()));
        self.best_effort.as_ref().is_some_and(matches)
    }
}

impl Indelible {
    /// Counts events that were not recorded, and says what their sender is to be told.
    pub(crate) fn degraded(
        &self,
        organisation: &str,
        reason: String,
        retry_after_ms: u64,
        events: usize,
        skippable: bool,
    ) -> RecordError {
        let mut all = self.recording.degraded.lock().expect("no panic while it is held");
        let period = all.entry(organisation.to_owned()).or_insert_with(|| Degraded {
            since_ms: self.io.wall_ms(),
            reason: reason.clone(),
            refused: 0,
            skipped: 0,
        });
        match skippable {
            true => {
                period.skipped += events as u64;
                RecordError::Skipped { reason }
            }
            false => {
                period.refused += events as u64;
                RecordError::Busy { reason, retry_after_ms }
            }
        }
    }

    /// Says what was not recorded, now that something was. Counts that are in memory when the process dies are lost; that
    /// it died is told by `ledger.recovered`, and what a producer that counts its events lost by the gap in its numbers.
    pub(crate) fn healthy_again(&self, organisation: &str) {
        let period = {
            let mut all = self.recording.degraded.lock().expect("no panic while it is held");
            match all.is_empty() {
                true => return,
                false => all.remove(organisation),
            }
        };
        let Some(period) = period else { return };
        let text = |text: String| Value::from(text);
        let value = object([
            ("type", Value::from("ledger.degraded")),
            ("status", Value::from("failed")),
            (
                "message",
                text(format!(
                    "{} events were refused and {} let go while nothing could be recorded: {}",
                    period.refused, period.skipped, period.reason
                )),
            ),
            (
                "attributes",
                object([
                    ("from", text(time::format_ms(period.since_ms))),
                    ("to", text(time::format_ms(self.io.wall_ms()))),
                    ("refused", text(period.refused.to_string())),
                    ("skipped", text(period.skipped.to_string())),
                ]),
            ),
        ]);
        if let Err(error) = self.note(organisation, value) {
            tracing::warn!(organisation, %error, "a degraded period could not be recorded yet");
            let mut all = self.recording.degraded.lock().expect("no panic while it is held");
            all.entry(organisation.to_owned()).or_insert(period);
        }
    }

    /// Events that were refused and let go since the last time something was recorded, of all organisations.
    pub fn unrecorded(&self) -> (u64, u64) {
        let all = self.recording.degraded.lock().expect("no panic while it is held");
        all.values().fold((0, 0), |sum, period| (sum.0 + period.refused, sum.1 + period.skipped))
    }
}
