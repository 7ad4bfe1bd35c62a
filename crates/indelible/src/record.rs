//! The door in: events are redacted and become entries of their organisations' ledgers.

use access::{Permission, Viewer};
use event::{Code, Event, Object, Refusal, SectionBodies, Value, time};
use ledger::{AppendError, Bodies, Entry, Error, Ledger, Outcome, Receipt};
use redact::Keys;
use state::{Change, Organisation};

use crate::ask::AskError;
use crate::organisations::{Indelible, check_organisation};
use crate::{DEFAULT, SYSTEM};

/// How a sender proved itself (docs/format.md, 1.2): by a bearer key.
pub const AUTH_KEY: u8 = 1;
/// By being on the host, with the data folder's key.
pub const AUTH_LOCAL: u8 = 5;
/// It is we who say it. No sender can: what is folded into the administration, for one, is only what says this.
pub(crate) const AUTH_SELF: u8 = 6;
/// How long somebody waits for a signed head; one is signed about once a second.
const PROVED_MS: u64 = 3000;
/// How long somebody waits for sealing, before being told to come again.
const SEALING_MS: u64 = 2000;
/// Beginnings of the types of our own events, which nobody else may send.
const OURS: [&str; 6] = ["alert.", "audit.", "config.", "ledger.", "report.", "sink."];

/// Who sends, as far as the door could tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// [`AUTH_KEY`] or [`AUTH_LOCAL`]; 0 not at all.
    pub auth: u8,
    /// Organisation of events that name none.
    pub organisation: Option<String>,
    /// Whether events may name another organisation than that.
    pub anywhere: bool,
    /// Whether the events come from an adapter of ours, which has fingerprinted texts with our keys.
    pub is_adapter: bool,
}

impl Sender {
    /// Somebody on the host, who may write into any organisation.
    pub fn local(organisation: impl Into<String>) -> Sender {
        Sender {
            auth: AUTH_LOCAL,
            organisation: Some(organisation.into()),
            anywhere: true,
            is_adapter: false,
        }
    }

    /// The same sender, by way of an adapter of ours.
    pub fn by_adapter(self) -> Sender {
        Sender { is_adapter: true, ..self }
    }

    /// In whose ledger an event of this sender belongs, or why it may not be sent.
    pub fn organisation_of<'a>(&'a self, event: &'a Event<'_>) -> Result<&'a str, Refusal> {
        let kind = event.type_said();
        if OURS.iter().any(|ours| kind.starts_with(ours)) {
            let reason = "types that begin with alert., audit., config., ledger., report. or sink. are Indelible's own";
            return Err(Refusal::new(Code::BadValue, "/type", reason));
        }
        let own = self.organisation.as_deref().unwrap_or(DEFAULT);
        let name = event.organisation().unwrap_or(own);
        let reason = match name {
            SYSTEM => "\"system\" is ours; name another".to_owned(),
            other if other != own && !self.anywhere => {
                "this key writes into another organisation; leave it out, or use a key of that one".to_owned()
            }
            name => match check_organisation(name) {
                Ok(()) => return Ok(name),
                Err(why) => why,
            },
        };
        Err(Refusal::new(Code::BadValue, "/organisation", reason))
    }
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
        self.outcome.receipt()
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
    /// Not recorded, and by the configuration the sender need not try again: every event was one for which best effort is
    /// enough. They are counted, and `ledger.degraded` will say how many there were.
    Skipped {
        /// What is full or not working.
        reason: String,
    },
}

impl std::fmt::Display for RecordError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RecordError::Rejected(n, why) => write!(f, "event {n}: {why}"),
            RecordError::Busy { reason, .. } | RecordError::Skipped { reason } => f.write_str(reason),
        }
    }
}

impl std::error::Error for RecordError {}

impl Indelible {
    /// Redacts events, records them, and returns when they are on the disk: one outcome for each, in order.
    pub fn record(&self, events: Vec<Event<'_>>, sender: &Sender) -> Result<Vec<Recorded>, RecordError> {
        let mut draft = self.draft(sender, events.len());
        for (n, event) in events.into_iter().enumerate() {
            draft.add(event).map_err(|why| RecordError::Rejected(n, why.to_string()))?;
        }
        draft.record()
    }

    /// Whether somebody may record as this sender. Who may not is on record. To be asked before anything is read: while
    /// sealing is behind, it waits for some time, since to read what is then refused would only take time from sealing.
    pub fn may_record(&self, viewer: &Viewer, sender: &Sender) -> Result<(), AskError> {
        let organisation = sender.organisation.as_deref().unwrap_or(DEFAULT);
        self.permit(viewer, Permission::RecordEvents, organisation)?;
        let until_ms = self.io.monotonic_ms() + SEALING_MS;
        while self.ledger(organisation).is_ok_and(|ledger| ledger.is_behind())
            && self.io.monotonic_ms() < until_ms
        {
            self.io.pause(10);
        }
        Ok(())
    }

    /// Waits until all of these are under a signed head, for some seconds: whether they are.
    pub fn wait_proved(&self, recorded: &[Recorded]) -> Result<bool, Error> {
        let until_ms = self.io.monotonic_ms() + PROVED_MS;
        for recorded in recorded.iter().rev() {
            let ledger = self.ledger(&recorded.organisation)?;
            let position = recorded.receipt().position;
            while ledger.head().is_none_or(|head| head.size <= position) {
                if self.io.monotonic_ms() >= until_ms {
                    return Ok(false);
                }
                self.io.pause(20);
            }
        }
        Ok(true)
    }

    pub(crate) fn append(
        &self,
        organisation: &str,
        ledger: &Ledger,
        entries: Vec<Entry>,
    ) -> Result<Vec<Outcome>, RecordError> {
        ledger.append(entries).map_err(|error| match error {
            AppendError::Rejected { entry, reason } => RecordError::Rejected(entry, reason),
            AppendError::Busy { reason, retry_after_ms } => RecordError::Busy { reason, retry_after_ms },
            AppendError::Closed(why) => {
                tracing::error!(organisation, why, "the ledger has closed itself");
                self.forget(organisation);
                RecordError::Busy { reason: "the ledger is recovering".into(), retry_after_ms: 1000 }
            }
        })
    }

    /// Records something that we ourselves have to say, in an organisation's ledger. It is not redacted: the caller puts
    /// nothing into it that a stranger wrote without having it redacted.
    pub(crate) fn note(&self, organisation: &str, value: Value<'static>) -> Result<Receipt, RecordError> {
        let event = Event::from_value(value, &event::Limits::default())
            .map_err(|e| RecordError::Rejected(0, format!("our own event: {e}")))?;
        let ledger = self.ledger_to_record(organisation)?;
        let entry = plain_entry(&event, AUTH_SELF, &mut SectionBodies::default());
        let outcome = self.append(organisation, &ledger, vec![entry])?.pop().expect("one entry, one outcome");
        Ok(outcome.receipt().clone())
    }

    /// A keyed fingerprint of a text that is not kept, of one organisation.
    pub fn text_fingerprint(&self, organisation: &str, text: &[u8]) -> Result<String, RecordError> {
        let ledger = self.ledger_to_record(organisation)?;
        Ok(ledger.text_fingerprint(text))
    }

    fn ledger_to_record(&self, organisation: &str) -> Result<Ledger, RecordError> {
        let busy = |e: Error| RecordError::Busy { reason: e.to_string(), retry_after_ms: 5000 };
        self.create(organisation).map_err(busy)
    }

    /// Says in the system's ledger that an organisation has got one, and which: a ledger that is
    /// taken away whole is missed by this.
    pub(crate) fn note_created(&self, organisation: &str, ledger: &Ledger) -> Result<(), Error> {
        if organisation == SYSTEM {
            return Ok(());
        }
        let after = Organisation {
            id: organisation.to_owned(),
            name: organisation.to_owned(),
            created_ms: self.io.wall_ms(),
            deleted: false,
        };
        let mut value = Change::OrganisationCreated { after }.to_event();
        let attributes = object([
            ("origin", Value::from(ledger.origin().to_owned())),
            ("identity", Value::from(ledger.identity().to_string())),
        ]);
        if let Value::Object(members) = &mut value {
            members.insert("time", time::format_ms(self.io.wall_ms()));
            members.insert("attributes", attributes);
        }
        self.record_change(SYSTEM, value).map(drop).map_err(|e| Error::Io(e.to_string()))
    }
}

/// The keys with which an organisation's texts are fingerprinted.
pub(crate) struct LedgerKeys<'a>(pub(crate) &'a Ledger);

impl Keys for LedgerKeys<'_> {
    fn text(&self, purpose: &str, bytes: &[u8]) -> String {
        self.0.keyed_fingerprint(purpose, bytes)
    }
}

/// An entry from an event as it is. `bodies` is where its sections are written, in the order in which the ledger has them.
pub(crate) fn plain_entry(event: &Event<'_>, auth: u8, bodies: &mut SectionBodies) -> Entry {
    event.write_sections(bodies);
    let core = event.core();
    Entry {
        kind: core.kind.clone().into_owned(),
        time_ns: core.time_ns,
        retention: 0,
        status: core.status,
        severity: core.severity,
        sender_auth: auth,
        producer: core.producer.clone().into_owned(),
        producer_seq: core.producer_seq,
        bodies: Bodies::new(bodies.get()),
        fingerprint: None,
    }
}

/// An object of ours.
pub(crate) fn object<const N: usize>(members: [(&'static str, Value<'static>); N]) -> Value<'static> {
    Value::Object(
        Object::from_members(members.into_iter().collect::<Vec<_>>()).expect("our names are distinct"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ledger_has_the_sections_that_events_have() {
        assert_eq!(SectionBodies::NAMES, ledger::SECTIONS);
    }
}
