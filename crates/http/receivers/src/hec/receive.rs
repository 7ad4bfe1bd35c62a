//! From a body to the ledger, without HTTP: what `/services/collector` does once it has the bytes.

use event::Refusal;
use indelible::{Indelible, RecordError, Sender};

use super::{ENVELOPE_LIMITS, EVENTS_MOST, Mapped, Mapping, Metadata, envelopes, lines};
use crate::intake::{Intake, Item, Received};

/// What a body is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form<'m> {
    /// Envelopes, as for `/event`.
    Envelopes,
    /// Lines, as for `/raw`, with what the request's address says of them.
    Lines(&'m Metadata),
}

/// Why nothing of a body was taken.
#[derive(Debug)]
pub enum Failed {
    /// There is no event in it.
    Empty,
    /// It has more events than a request may have.
    TooMany,
    /// It was not recorded; if busy, it must be sent again.
    NotRecorded(RecordError),
}

impl From<RecordError> for Failed {
    fn from(error: RecordError) -> Failed {
        Failed::NotRecorded(error)
    }
}

/// Records what is good of a body. An event that is wrong costs only itself, where its end can be found.
pub fn receive(
    product: &Indelible,
    sender: &Sender,
    body: &[u8],
    form: Form<'_>,
) -> Result<Received, Failed> {
    let count = match form {
        Form::Envelopes => envelopes(body).take(EVENTS_MOST + 1).count(),
        Form::Lines(_) => lines(body).take(EVENTS_MOST + 1).count(),
    };
    match count {
        0 => return Err(Failed::Empty),
        n if n > EVENTS_MOST => return Err(Failed::TooMany),
        _ => {}
    }
    let mut intake = Intake::new(product, sender);
    let keyed = intake.keyed();
    let mut mapping = Mapping::new(&keyed);
    let mut one = |item: Item<'_>, mapped: Result<Mapped, Refusal>| match mapped {
        Ok(Mapped::Sent(event)) => intake.take_sent(item, event),
        Ok(Mapped::Made(events)) => intake.take_mapped(item, Ok(events)),
        Err(refusal) => intake.take_mapped(item, Err(refusal)),
    };
    match form {
        Form::Envelopes => {
            for (index, bytes) in envelopes(body).enumerate() {
                let mapped = mapping.envelope(&body[bytes.clone()], &ENVELOPE_LIMITS);
                one(Item { index, bytes: &|| body[bytes.clone()].to_vec() }, mapped)?;
            }
        }
        Form::Lines(metadata) => {
            for (index, bytes) in lines(body).enumerate() {
                let mapped = mapping.line(&body[bytes.clone()], metadata, &ENVELOPE_LIMITS);
                one(Item { index, bytes: &|| body[bytes.clone()].to_vec() }, mapped)?;
            }
        }
    }
    Ok(intake.finish()?)
}

/// The number of the first event that was refused, and why.
pub fn first_refused(received: &Received) -> Option<(usize, super::Code)> {
    let first = received.refused.iter().min_by_key(|refused| refused.index)?;
    Some((first.index, super::code_of(&first.refusal)))
}

#[cfg(test)]
mod tests {
    use event::Code;

    use super::*;

    #[test]
    fn the_first_refusal_is_told() {
        let refused = |index: usize, pointer: &str, code: Code| crate::intake::RefusedItem {
            index,
            bytes: Vec::new(),
            refusal: Refusal::new(code, pointer, "why"),
        };
        let mut received = Received::default();
        assert_eq!(first_refused(&received), None);
        received.refused = vec![refused(7, "/time", Code::BadValue), refused(3, "/event", Code::Missing)];
        assert_eq!(first_refused(&received), Some((3, super::super::Code::EVENT_IS_REQUIRED)));
    }
}
