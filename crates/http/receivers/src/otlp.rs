//! What speaks OTLP, as our events: spans and log records of applications, agents, gateways and collectors, in protobuf or
//! JSON.
//!
//! Pure: [`count`] checks the outside of a body, [`each`] reads it a record at a time, [`map`] turns a record into an event,
//! or says why it is none. What is kept is a list, as the sender is not trusted to have redacted anything: names with a home
//! ([`event::otel`]), words, numbers and truth values under names that we do not know, and texts that are content where a
//! policy may keep them. `README.md` beside this file has the contract.

mod answer;
mod content;
mod frame;
mod genai;
mod homes;
mod identity;
mod json;
mod kinds;
mod litellm;
mod log;
mod protobuf;
mod reading;
pub mod receive;
mod record;
mod span;

#[cfg(test)]
mod tests;

use event::{Event, Refusal};

pub use crate::kept::Fingerprint;
pub use answer::{answer, status};
pub use frame::unframe;
pub use identity::Identities;
pub use kinds::Noise;
pub use protobuf::base64;
pub use record::{Form, Group, Record, Signal};

/// Most records of a body; more are not looked at.
pub const RECORDS_MOST: usize = 100_000;

/// What a record is.
#[derive(Debug)]
pub enum Mapped {
    /// Something that belongs in an audit log.
    Event(Box<Event<'static>>),
    /// Nothing of the kind, by a rule.
    Noise(Noise),
}

/// How many records a body has. Refused: a body that is not what it should be on the outside, or has too many.
///
/// A record that is wrong inside does not refuse the body. JSON is read whole here, so it is handed on.
pub fn open<'a>(form: Form, signal: Signal, body: &'a [u8]) -> Result<Opened<'a>, Refusal> {
    match form {
        Form::Protobuf => {
            protobuf::count(body).map(|records| Opened { records, inside: Inside::Protobuf(body) })
        }
        Form::Json => {
            let (records, groups) = json::open(body, signal)?;
            Ok(Opened { records, inside: Inside::Json(groups) })
        }
    }
}

/// A body whose outside is right.
pub struct Opened<'a> {
    /// How many records it has.
    pub records: usize,
    inside: Inside<'a>,
}

enum Inside<'a> {
    Protobuf(&'a [u8]),
    Json(Vec<json::Entries<'a>>),
}

impl<'a> Opened<'a> {
    /// Reads the records in order, each with what all records around it share. What is wrong with one is told in its place.
    pub fn each<E>(
        self,
        signal: Signal,
        mut take: impl FnMut(&Group<'a>, Result<Record<'a>, Refusal>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self.inside {
            Inside::Protobuf(body) => protobuf::each(body, signal, &mut take),
            Inside::Json(groups) => json::each(groups, signal, &mut take),
        }
    }
}

/// A record as an event, or why it is none. The pointer of a refusal is a place in the record.
pub fn map(
    group: &Group<'_>,
    record: Record<'_>,
    identities: &mut Identities,
    keyed: &Fingerprint<'_>,
) -> Result<Mapped, Refusal> {
    match record {
        Record::Span(span) => span::map(group, *span, keyed),
        Record::Log(log) => log::map(group, *log, identities, keyed),
    }
}
