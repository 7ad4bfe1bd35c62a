//! The door in: events become entries of their organisations' ledgers.

use event::{Event, Object, Value};
use ledger::{AppendError, Entry, Error, Ledger, Outcome, Receipt, SECTIONS};

use crate::organisations::{Indelible, check_organisation};
use crate::{DEFAULT, SYSTEM};

/// Who sends, as far as the door could tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    /// How it proved itself (docs/format.md, 1.2): 0 not at all, 1 bearer key, 5 local command.
    pub auth: u8,
    /// Organisation of events that name none.
    pub organisation: Option<String>,
}

/// What became of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// In whose ledger.
    pub organisation: String,
    /// New, duplicate or conflict, with the receipt.
    pub outcome: Outcome,
}

impl Recorded {
    /// The receipt; of the earlier event if this one was a duplicate or in conflict.
    pub fn receipt(&self) -> &Receipt {
        match &self.outcome {
            Outcome::Recorded(receipt) | Outcome::Duplicate(receipt) | Outcome::Conflict(receipt) => receipt,
        }
    }
}

/// Why events were not recorded. Nothing of the request is kept, unless it spans organisations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// The caller's fault: event number and reason.
    Rejected(usize, String),
    /// Try again later.
    Busy {
        /// What is full or not working.
        reason: String,
        /// Milliseconds.
        retry_after_ms: u64,
    },
}

impl std::fmt::Display for RecordError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RecordError::Rejected(n, why) => write!(f, "event {n}: {why}"),
            RecordError::Busy { reason, .. } => f.write_str(reason),
        }
    }
}

impl std::error::Error for RecordError {}

impl Indelible {
    /// Records events and returns when they are on the disk: one outcome for each, in order.
    pub fn record(&self, events: &[Event<'_>], sender: &Sender) -> Result<Vec<Recorded>, RecordError> {
        let mut groups: Vec<(&str, Vec<usize>)> = Vec::new();
        for (n, event) in events.iter().enumerate() {
            let organisation = event.organisation().or(sender.organisation.as_deref()).unwrap_or(DEFAULT);
            check_organisation(organisation).map_err(|why| RecordError::Rejected(n, why))?;
            if organisation == SYSTEM {
                let why = "organisation: \"system\" is ours";
                return Err(RecordError::Rejected(n, why.into()));
            }
            match groups.iter_mut().find(|(name, _)| *name == organisation) {
                Some((_, numbers)) => numbers.push(n),
                None => groups.push((organisation, vec![n])),
            }
        }
        let mut recorded: Vec<Option<Recorded>> = vec![None; events.len()];
        for (organisation, numbers) in groups {
            let ledger = self.create(organisation).map_err(|e| self.unavailable(organisation, &e))?;
            let entries = numbers.iter().map(|n| entry(&ledger, &events[*n], sender)).collect();
            let outcomes =
                ledger.append(entries).map_err(|e| self.not_appended(organisation, &numbers, e))?;
            let conflicts: Vec<Entry> = numbers
                .iter()
                .zip(&outcomes)
                .filter_map(|(n, outcome)| match outcome {
                    Outcome::Conflict(earlier) => Some(conflict(&events[*n], earlier)),
                    _ => None,
                })
                .collect();
            if !conflicts.is_empty() {
                ledger.append(conflicts).map_err(|e| self.not_appended(organisation, &numbers, e))?;
            }
            for (n, outcome) in numbers.into_iter().zip(outcomes) {
                recorded[n] = Some(Recorded { organisation: organisation.to_owned(), outcome });
            }
        }
        Ok(recorded.into_iter().flatten().collect())
    }

    /// A keyed fingerprint of a text that is not kept, of one organisation.
    pub fn text_fingerprint(&self, organisation: &str, text: &[u8]) -> Result<String, RecordError> {
        let ledger = self.create(organisation).map_err(|e| self.unavailable(organisation, &e))?;
        Ok(ledger.text_fingerprint(text))
    }

    fn unavailable(&self, organisation: &str, error: &Error) -> RecordError {
        tracing::error!(organisation, error = %error, "the ledger can't be opened");
        RecordError::Busy { reason: error.to_string(), retry_after_ms: 5000 }
    }

    fn not_appended(&self, organisation: &str, numbers: &[usize], error: AppendError) -> RecordError {
        match error {
            AppendError::Rejected { entry, reason } => RecordError::Rejected(numbers[entry], reason),
            AppendError::Busy { reason, retry_after_ms } => RecordError::Busy { reason, retry_after_ms },
            AppendError::Closed(why) => {
                tracing::error!(organisation, why, "the ledger has closed itself");
                self.forget(organisation);
                RecordError::Busy { reason: "the ledger is recovering".into(), retry_after_ms: 1000 }
            }
        }
    }

    /// Says in the system's ledger that an organisation has got one, and which: a ledger that is
    /// taken away whole is missed by this.
    pub(crate) fn note_created(&self, organisation: &str, ledger: &Ledger) -> Result<(), Error> {
        if organisation == SYSTEM {
            return Ok(());
        }
        let text = |text: &str| Value::from(text.to_owned());
        let target = object([("type", text("organisation")), ("id", text(organisation))]);
        let attributes =
            object([("origin", text(ledger.origin())), ("identity", text(&ledger.identity().to_string()))]);
        let value = object([
            ("type", text("config.organisation_created")),
            ("status", text("success")),
            ("targets", Value::Array(vec![target])),
            ("attributes", attributes),
        ]);
        let event = Event::from_value(value, &event::Limits::default())
            .map_err(|e| Error::Io(format!("our own event: {e}")))?;
        let system = self.create(SYSTEM)?;
        let own = Sender { auth: 5, organisation: None };
        let entry = entry(&system, &event, &own);
        system.append(vec![entry]).map(drop).map_err(|e| Error::Io(e.to_string()))
    }
}

/// An entry from an event.
fn entry(ledger: &Ledger, event: &Event<'_>, sender: &Sender) -> Entry {
    let core = event.core();
    let mut sections = [const { None }; 4];
    for (name, body) in event.sections() {
        if let Some(slot) = SECTIONS.iter().position(|s| *s == name) {
            sections[slot] = Some(body);
        }
    }
    let fingerprint = event.source_id().map(|id| ledger.fingerprint(&core.producer, id, &event.submitted()));
    Entry {
        kind: core.kind.clone().into_owned(),
        time_ns: core.time_ns,
        retention: 0,
        status: core.status,
        severity: core.severity,
        sender_auth: sender.auth,
        producer: core.producer.clone().into_owned(),
        producer_seq: core.producer_seq,
        sections,
        fingerprint,
    }
}

/// The same id with another content: somebody errs or cheats, and either is worth a record.
fn conflict(event: &Event<'_>, earlier: &Receipt) -> Entry {
    let text = |text: &str| Value::from(text.to_owned());
    let what = object([(
        "attributes",
        object([
            ("earlier_position", text(&earlier.position.to_string())),
            ("producer", text(&event.core().producer)),
            ("source_id", text(event.source_id().unwrap_or_default())),
        ]),
    )]);
    Entry {
        kind: "audit.conflict".into(),
        status: 3,
        severity: 4,
        sender_auth: 5,
        sections: [None, None, Some(what.to_jcs()), None],
        ..Entry::default()
    }
}

fn object<const N: usize>(members: [(&'static str, Value<'static>); N]) -> Value<'static> {
    Value::Object(
        Object::from_members(members.into_iter().collect::<Vec<_>>()).expect("our names are distinct"),
    )
}
