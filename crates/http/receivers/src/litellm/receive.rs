//! From a body to the ledger, without HTTP: what `POST /ingest/litellm` does once it has the bytes.

use std::cell::OnceCell;

use event::{Event, Refusal};
use indelible::{DEFAULT, Error, Indelible, Ledger, Outcome, RecordError, Sender};

use super::{ITEM_LIMITS, ItemError, items, map};

/// Events of one commit. LiteLLM sends 512 calls at a time.
const COMMIT: usize = 512;
/// Refusals that are kept word for word; the others are counted.
const REFUSALS_KEPT: usize = 1000;

/// What became of a body. All of it is durable.
#[derive(Debug, Default)]
pub struct Received {
    /// Events that are new.
    pub accepted: usize,
    /// Events that had been recorded before.
    pub duplicates: usize,
    /// Items of which an event was in conflict with an earlier one of the same id.
    pub conflicts: Vec<usize>,
    /// Items that could not be read or mapped; the first thousand of them.
    pub refused: Vec<ItemError>,
    /// How many more there were.
    pub refused_more: usize,
}

/// Records the items of a body, skipping those that are wrong.
///
/// Busy means that the body must be sent again: what of it was recorded before is then recognised, since every event
/// has an id of LiteLLM's.
pub fn receive(product: &Indelible, sender: &Sender, body: &[u8]) -> Result<Received, RecordError> {
    let sender = sender.clone().by_adapter();
    let organisation = sender.organisation.as_deref().unwrap_or(DEFAULT);
    let mut received = Received::default();
    // Only when it is wanted: a body in which nothing is right does not create an organisation.
    let ledger: OnceCell<Result<Ledger, Error>> = OnceCell::new();
    let fingerprint = |text: &[u8]| match ledger.get_or_init(|| product.create(organisation)) {
        Ok(ledger) => ledger.text_fingerprint(text),
        // Seen below, before anything is recorded with it.
        Err(_) => "unknown".into(),
    };
    let mut events: Vec<Event<'static>> = Vec::new();
    let mut from_item = Vec::new();
    for item in items(body, &ITEM_LIMITS) {
        let item = match item {
            Ok(item) => item,
            Err(error) => {
                received.refuse(error.index, error.refusal);
                continue;
            }
        };
        let mapped = map(&item.value, &fingerprint);
        if let Some(Err(error)) = ledger.get() {
            return Err(RecordError::Busy { reason: error.to_string(), retry_after_ms: 5000 });
        }
        match mapped {
            Ok(mapped) => {
                from_item.extend(mapped.iter().map(|_| item.index));
                events.extend(mapped);
            }
            Err(refusal) => received.refuse(item.index, refusal),
        }
        if events.len() >= COMMIT {
            received.record(product, &sender, &mut events, &mut from_item)?;
        }
    }
    received.record(product, &sender, &mut events, &mut from_item)?;
    Ok(received)
}

impl Received {
    fn refuse(&mut self, index: usize, refusal: Refusal) {
        match self.refused.len() < REFUSALS_KEPT {
            true => self.refused.push(ItemError { index, refusal }),
            false => self.refused_more += 1,
        }
    }

    fn record(
        &mut self,
        product: &Indelible,
        sender: &Sender,
        events: &mut Vec<Event<'static>>,
        from_item: &mut Vec<usize>,
    ) -> Result<(), RecordError> {
        if events.is_empty() {
            return Ok(());
        }
        for (recorded, item) in product.record(std::mem::take(events), sender)?.iter().zip(from_item.iter()) {
            match recorded.outcome {
                Outcome::Recorded(_) => self.accepted += 1,
                Outcome::Duplicate(_) => self.duplicates += 1,
                Outcome::Conflict(_) => self.conflicts.push(*item),
            }
        }
        from_item.clear();
        Ok(())
    }
}
