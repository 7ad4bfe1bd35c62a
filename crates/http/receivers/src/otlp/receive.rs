//! From a body to the ledger, without HTTP: what `POST /v1/traces` and `/v1/logs` do once they have the bytes.

use std::cell::OnceCell;
use std::fmt::Write;

use event::{Event, Refusal};
use indelible::{DEFAULT, Error, Indelible, Ledger, Outcome, RecordError, Sender};

use super::{Form, Identities, Mapped, Noise, Signal, map, open};

/// Events of one commit, and bytes of their records.
const COMMIT: usize = 512;
const COMMIT_BYTES: usize = 2 << 20;
/// Refusals that are kept word for word; the others are counted.
const REFUSALS_KEPT: usize = 1000;
/// Refusals that are told in an answer.
const REFUSALS_TOLD: usize = 5;

/// What became of a body. All of it is durable.
#[derive(Debug, Default)]
pub struct Received {
    /// Events that are new.
    pub accepted: usize,
    /// Events that had been recorded before.
    pub duplicates: usize,
    /// Records in conflict with an earlier one of the same id.
    pub conflicts: usize,
    /// Records that could not be read or mapped, by their number; the first thousand of them.
    pub refused: Vec<(usize, Refusal)>,
    /// How many more there were.
    pub refused_more: usize,
    /// Records that are no events, by [`Noise::ALL`].
    pub noise: [usize; Noise::ALL.len()],
}

/// Why a body was not taken.
#[derive(Debug)]
pub enum Failed {
    /// It is not what it should be on the outside; nothing of it was recorded, and sending it again does not help.
    Undecodable(Refusal),
    /// It must be sent again: what of it was recorded is then recognised.
    NotRecorded(RecordError),
}

impl From<RecordError> for Failed {
    fn from(error: RecordError) -> Failed {
        Failed::NotRecorded(error)
    }
}

/// Records the events of a body, skipping what is wrong or none.
pub fn receive(
    product: &Indelible,
    sender: &Sender,
    form: Form,
    signal: Signal,
    body: &[u8],
) -> Result<Received, Failed> {
    let opened = open(form, signal, body).map_err(Failed::Undecodable)?;
    let sender = sender.clone().by_adapter();
    let organisation = sender.organisation.as_deref().unwrap_or(DEFAULT);
    // Only when it is wanted: a body without any event does not create an organisation.
    let ledger: OnceCell<Result<Ledger, Error>> = OnceCell::new();
    let keyed = |text: &[u8]| match ledger.get_or_init(|| product.create(organisation)) {
        Ok(ledger) => ledger.text_fingerprint(text),
        // Seen below, before anything is recorded with it.
        Err(_) => "unknown".into(),
    };
    let mut received = Received::default();
    let mut identities = Identities::default();
    let mut pending = Pending { product, sender: &sender, events: Vec::new(), bytes: 0 };
    let mut index = 0;
    opened.each(signal, |group, record| {
        let mapped = record.and_then(|record| map(group, record, &mut identities, &keyed));
        if let Some(Err(error)) = ledger.get() {
            return Err(RecordError::Busy { reason: error.to_string(), retry_after_ms: 5000 });
        }
        match mapped {
            Ok(Mapped::Event(event)) => match sender.organisation_of(&event) {
                Ok(_) => pending.push(*event),
                Err(refusal) => received.refuse(index, refusal),
            },
            Ok(Mapped::Noise(noise)) => received.noise[noise as usize] += 1,
            Err(refusal) => received.refuse(index, refusal),
        }
        index += 1;
        if pending.events.len() >= COMMIT || pending.bytes >= COMMIT_BYTES {
            pending.record(&mut received)?;
        }
        Ok(())
    })?;
    pending.record(&mut received)?;
    Ok(received)
}

struct Pending<'p> {
    product: &'p Indelible,
    sender: &'p Sender,
    events: Vec<Event<'static>>,
    bytes: usize,
}

impl Pending<'_> {
    fn push(&mut self, event: Event<'static>) {
        self.bytes += event.submitted().len();
        self.events.push(event);
    }

    fn record(&mut self, received: &mut Received) -> Result<(), RecordError> {
        self.bytes = 0;
        if self.events.is_empty() {
            return Ok(());
        }
        for recorded in self.product.record(std::mem::take(&mut self.events), self.sender)? {
            match recorded.outcome {
                Outcome::Recorded(_) => received.accepted += 1,
                Outcome::Duplicate(_) => received.duplicates += 1,
                Outcome::Conflict(_) => received.conflicts += 1,
            }
        }
        Ok(())
    }
}

impl Received {
    fn refuse(&mut self, index: usize, refusal: Refusal) {
        match self.refused.len() < REFUSALS_KEPT {
            true => self.refused.push((index, refusal)),
            false => self.refused_more += 1,
        }
    }

    /// How many records were refused, for whatever reason.
    pub fn rejected(&self) -> usize {
        self.refused.len() + self.refused_more + self.conflicts
    }

    /// What is to be said about the body, in a sentence or two; nothing if all of it was recorded.
    pub fn message(&self) -> String {
        let mut told = String::new();
        let mut say = |what: &str| {
            told += if told.is_empty() { "" } else { "; " };
            told += what;
        };
        if self.conflicts > 0 {
            say(&format!("{} in conflict with what was recorded under their ids", self.conflicts));
        }
        let refused = self.refused.len() + self.refused_more;
        if refused > 0 {
            let mut text = format!("{refused} refused");
            for (index, refusal) in self.refused.iter().take(REFUSALS_TOLD) {
                let at = if refusal.pointer.is_empty() { "" } else { &refusal.pointer };
                let _ = write!(text, ", record {index}{at}: {}", refusal.reason);
            }
            say(&text);
        }
        let noise: usize = self.noise.iter().sum();
        if noise > 0 {
            let each = Noise::ALL.iter().zip(&self.noise).filter(|(_, count)| **count > 0);
            let each: Vec<_> = each.map(|(noise, count)| format!("{count} {}", noise.name())).collect();
            say(&format!("{noise} are no events and were not recorded ({})", each.join(", ")));
        }
        told
    }
}
