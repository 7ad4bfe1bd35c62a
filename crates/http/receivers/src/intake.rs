//! From what an adapter has read to the ledger, without HTTP: what is good is recorded, a commit at a time, and of what is
//! wrong the reasons are kept.

use std::cell::OnceCell;
use std::rc::Rc;

use event::{Event, Object, Refusal, Value};
use indelible::{DEFAULT, Error, Indelible, Ledger, Outcome, RecordError, Refused, Sender};

/// Events of one commit. LiteLLM sends 512 calls at a time.
const COMMIT: usize = 512;
/// Refusals that are kept word for word; the others are counted.
const REFUSALS_KEPT: usize = 1000;
/// Refused items whose bytes are kept, and how many bytes: as much as the quarantine takes.
const BYTES_KEPT: usize = 100;
const BYTES_MOST: usize = 256 << 10;

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
    pub refused: Vec<RefusedItem>,
    /// How many more there were.
    pub refused_more: usize,
    /// Position of the last event, also if it had been recorded before.
    pub last: Option<u64>,
}

impl Received {
    /// Puts what was refused into the quarantine, sent by this key or way.
    pub fn set_aside(&self, product: &Indelible, sender: &Sender, by: &str) {
        let refused: Vec<Refused<'_>> =
            self.refused.iter().map(|one| Refused { bytes: &one.bytes, refusal: &one.refusal }).collect();
        product.quarantine(sender, by, &refused);
    }
}

/// An item of a body.
#[derive(Clone, Copy)]
pub struct Item<'b> {
    /// Its number, from 0.
    pub index: usize,
    /// Its bytes, which are wanted if it is refused; none if nothing of it may be kept.
    pub bytes: &'b dyn Fn() -> Vec<u8>,
}

impl Item<'_> {
    /// One of which nothing may be kept: it holds what a model was told.
    pub fn secret(index: usize) -> Item<'static> {
        Item { index, bytes: &Vec::new }
    }
}

/// An item that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedItem {
    /// Its number, from 0.
    pub index: usize,
    /// Its bytes, of the first hundred; of the others, and of what may not be kept, none.
    pub bytes: Vec<u8>,
    /// Why. The pointer is a place in the item.
    pub refusal: Refusal,
}

/// A body on its way into the ledger of one organisation.
pub struct Intake<'p> {
    product: &'p Indelible,
    sender: Sender,
    organisation: String,
    /// Only when it is wanted: a body in which nothing is right does not create an organisation.
    ledger: Rc<OnceCell<Result<Ledger, Error>>>,
    events: Vec<Event<'static>>,
    from_item: Vec<usize>,
    received: Received,
}

impl<'p> Intake<'p> {
    /// Begins. Whether the sender is an adapter is said of each event.
    pub fn new(product: &'p Indelible, sender: &Sender) -> Intake<'p> {
        Intake {
            product,
            sender: sender.clone(),
            organisation: sender.organisation.clone().unwrap_or_else(|| DEFAULT.to_owned()),
            ledger: Rc::default(),
            events: Vec::new(),
            from_item: Vec::new(),
            received: Received::default(),
        }
    }

    /// The organisation's keyed fingerprints of texts. If its ledger can't be opened, the next item that is taken says so,
    /// before anything is recorded.
    pub fn keyed(&self) -> impl Fn(&[u8]) -> String + use<'p> {
        let (product, organisation, ledger) = (self.product, self.organisation.clone(), self.ledger.clone());
        move |text| match ledger.get_or_init(|| product.create(&organisation)) {
            Ok(ledger) => ledger.text_fingerprint(text),
            Err(_) => "unknown".into(),
        }
    }

    /// Takes what became of an item: the events that an adapter of ours made of it with [`keyed`](Intake::keyed) fingerprints.
    pub fn take_mapped(
        &mut self,
        item: Item<'_>,
        mapped: Result<Vec<Event<'static>>, Refusal>,
    ) -> Result<(), RecordError> {
        self.take(item, mapped, true)
    }

    /// Takes an event as its sender wrote it; what stands in it as a fingerprint is not ours.
    pub fn take_sent(&mut self, item: Item<'_>, event: Event<'static>) -> Result<(), RecordError> {
        self.take(item, Ok(vec![event]), false)
    }

    /// Busy means that the body must be sent again.
    fn take(
        &mut self,
        item: Item<'_>,
        mapped: Result<Vec<Event<'static>>, Refusal>,
        is_adapter: bool,
    ) -> Result<(), RecordError> {
        if let Some(Err(error)) = self.ledger.get() {
            return Err(RecordError::Busy { reason: error.to_string(), retry_after_ms: 5000 });
        }
        let events = mapped.and_then(|events| {
            events.iter().try_for_each(|event| self.sender.organisation_of(event).map(drop))?;
            Ok(events)
        });
        match events {
            Ok(events) => {
                if self.sender.is_adapter != is_adapter {
                    self.record()?;
                    self.sender.is_adapter = is_adapter;
                }
                self.from_item.extend(events.iter().map(|_| item.index));
                self.events.extend(events);
            }
            Err(refusal) => self.refuse(item, refusal),
        }
        if self.events.len() >= COMMIT { self.record() } else { Ok(()) }
    }

    /// An item that could not be read.
    pub fn refuse(&mut self, item: Item<'_>, refusal: Refusal) {
        let count = self.received.refused.len();
        if count >= REFUSALS_KEPT {
            self.received.refused_more += 1;
            return;
        }
        let bytes = if count < BYTES_KEPT { (item.bytes)() } else { Vec::new() };
        let bytes = if bytes.len() <= BYTES_MOST { bytes } else { Vec::new() };
        self.received.refused.push(RefusedItem { index: item.index, bytes, refusal });
    }

    /// Records what is left, and says what became of everything.
    pub fn finish(mut self) -> Result<Received, RecordError> {
        self.record()?;
        Ok(self.received)
    }

    fn record(&mut self) -> Result<(), RecordError> {
        if self.events.is_empty() {
            return Ok(());
        }
        let recorded = self.product.record(std::mem::take(&mut self.events), &self.sender)?;
        for (recorded, item) in recorded.iter().zip(self.from_item.drain(..)) {
            match recorded.outcome {
                Outcome::Recorded(_) => self.received.accepted += 1,
                Outcome::Duplicate(_) => self.received.duplicates += 1,
                Outcome::Conflict(_) => self.received.conflicts.push(item),
            }
            self.received.last = self.received.last.max(Some(recorded.receipt().position));
        }
        Ok(())
    }
}

/// An entry of an event's `redactions`: what was left out on the way, and how large it was.
pub(crate) fn left_out(path: &'static str, rule: &'static str, bytes: usize) -> Value<'static> {
    let mut entry = Object::new();
    entry.insert("path", path);
    entry.insert("rule", rule);
    entry.insert("action", "drop");
    if let Some(bytes) = i64::try_from(bytes).ok().and_then(Value::integer) {
        entry.insert("size", bytes);
    }
    Value::Object(entry)
}
