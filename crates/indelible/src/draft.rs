//! Events on their way into ledgers: redacted and made into entries one by one, then recorded together.

use std::borrow::Cow;

use event::{Event, Refusal, SectionBodies, Value};
use ledger::{Bodies, Entry, Error, Ledger, Outcome, Receipt};
use redact::Origin;

use crate::Indelible;
use crate::record::{AUTH_SELF, LedgerKeys, RecordError, Recorded, Sender, object, plain_entry};

/// Events that are to be recorded together, in the order in which they were added. Each is let go as soon as what is kept
/// of it is known, so that whoever reads a body one event after the other holds only one at a time. Nothing is recorded
/// before [`Draft::record`]; a draft that is dropped leaves nothing but, perhaps, a new organisation's empty ledger.
pub struct Draft<'p, 'e> {
    product: &'p Indelible,
    sender: Sender,
    groups: Vec<Group<'e>>,
    /// In which group each event is.
    places: Vec<usize>,
    scratch: Scratch,
}

/// Where each event is written, one after the other in the same memory.
#[derive(Default)]
struct Scratch {
    submitted: Vec<u8>,
    bodies: SectionBodies,
}

/// Events for one ledger.
struct Group<'e> {
    organisation: String,
    /// Or why it can't be opened.
    ledger: Result<Ledger, Error>,
    entries: Vec<Entry>,
    named: Vec<Named<'e>>,
    count: usize,
    /// Whether best effort is enough for all of them.
    is_skippable: bool,
}

/// What an event calls itself, after redaction.
struct Named<'e> {
    producer: Cow<'e, str>,
    source_id: Option<Value<'e>>,
}

impl Indelible {
    /// Begins with nothing, and room for `count` events.
    pub fn draft(&self, sender: &Sender, count: usize) -> Draft<'_, '_> {
        Draft {
            product: self,
            sender: sender.clone(),
            groups: Vec::new(),
            places: Vec::with_capacity(count),
            scratch: Scratch::default(),
        }
    }
}

impl<'e> Draft<'_, 'e> {
    /// Redacts an event and adds what may be kept of it, or says why this sender may not send it.
    pub fn add(&mut self, event: Event<'e>) -> Result<(), Refusal> {
        let place = {
            let organisation = self.sender.organisation_of(&event)?;
            match self.groups.iter().position(|group| group.organisation == organisation) {
                Some(place) => place,
                None => {
                    // Nearly always all are of one organisation.
                    let room = if self.groups.is_empty() { self.places.capacity() } else { 0 };
                    let group = Group::begin(self.product, organisation, room);
                    self.groups.push(group);
                    self.groups.len() - 1
                }
            }
        };
        self.groups[place].add(self.product, event, &self.sender, &mut self.scratch);
        self.places.push(place);
        Ok(())
    }

    /// Records them, and returns when they are on the disk: one outcome for each, in order.
    pub fn record(self) -> Result<Vec<Recorded>, RecordError> {
        let Draft { product, groups, places, .. } = self;
        let mut recorded = Vec::with_capacity(groups.len());
        for (n, group) in groups.into_iter().enumerate() {
            let organisation = group.organisation.clone();
            let outcomes = group.record(product).map_err(|error| match error {
                RecordError::Rejected(at, why) => {
                    let mut mine = (0..places.len()).filter(|event| places[*event] == n);
                    RecordError::Rejected(mine.nth(at).unwrap_or(at), why)
                }
                other => other,
            })?;
            recorded.push((organisation, outcomes.into_iter()));
        }
        let outcome_of = |place: usize| {
            let (organisation, outcomes) = &mut recorded[place];
            let outcome = outcomes.next().expect("each event has an outcome");
            Recorded { organisation: organisation.clone(), outcome }
        };
        Ok(places.into_iter().map(outcome_of).collect())
    }
}

impl<'e> Group<'e> {
    fn begin(product: &Indelible, organisation: &str, room: usize) -> Group<'e> {
        Group {
            organisation: organisation.to_owned(),
            ledger: product.create(organisation),
            entries: Vec::with_capacity(room),
            named: Vec::with_capacity(room),
            count: 0,
            is_skippable: true,
        }
    }

    fn add(&mut self, product: &Indelible, mut event: Event<'e>, sender: &Sender, scratch: &mut Scratch) {
        self.count += 1;
        // Asked before redaction, as the filter of a class speaks of the event that was sent.
        self.is_skippable = self.is_skippable && product.recording.may_skip(&event);
        let Ok(ledger) = &self.ledger else { return };
        // Before anything is taken out of it: an honest retry must not conflict because a policy changed.
        let fingerprint = event.source_id().map(|id| {
            scratch.submitted.clear();
            event.tree().write_jcs(&mut scratch.submitted);
            ledger.fingerprint(&event.core().producer, id, &scratch.submitted)
        });
        let origin = if sender.is_adapter { Origin::Adapter } else { Origin::Sender };
        product.redactor().apply(&mut event, &LedgerKeys(ledger), origin);
        // Not as it was sent: people put anything into an id, and keys into the name of a producer.
        let source_id = event.tree().get("source_id").cloned();
        self.named.push(Named { producer: event.core().producer.clone(), source_id });
        self.entries.push(Entry { fingerprint, ..plain_entry(&event, sender.auth, &mut scratch.bodies) });
    }

    fn record(self, product: &Indelible) -> Result<Vec<Outcome>, RecordError> {
        let Group { organisation, ledger, entries, named, count, is_skippable } = self;
        let ledger = ledger.map_err(|e| {
            tracing::error!(organisation, error = %e, "the ledger can't be opened");
            product.degraded(&organisation, e.to_string(), 5000, count, is_skippable)
        })?;
        let outcomes = product.append(&organisation, &ledger, entries).map_err(|e| match e {
            RecordError::Busy { reason, retry_after_ms } => {
                product.degraded(&organisation, reason, retry_after_ms, count, is_skippable)
            }
            other => other,
        })?;
        let conflicts: Vec<Entry> = named
            .iter()
            .zip(&outcomes)
            .filter_map(|(named, outcome)| match outcome {
                Outcome::Conflict(earlier) => Some(conflict(named, earlier)),
                _ => None,
            })
            .collect();
        if !conflicts.is_empty() {
            product.append(&organisation, &ledger, conflicts)?;
        }
        product.healthy_again(&organisation);
        Ok(outcomes)
    }
}

/// The same id with another content: somebody errs or cheats, and either is worth a record.
fn conflict(named: &Named<'_>, earlier: &Receipt) -> Entry {
    let text = |text: &str| Value::from(text.to_owned());
    let source_id = named.source_id.as_ref().and_then(Value::as_str).unwrap_or_default();
    let what = object([(
        "attributes",
        object([
            ("earlier_position", text(&earlier.position.to_string())),
            ("producer", text(&named.producer)),
            ("source_id", text(source_id)),
        ]),
    )]);
    Entry {
        kind: "audit.conflict".into(),
        status: 3,
        severity: 4,
        sender_auth: AUTH_SELF,
        bodies: Bodies::new([None, None, Some(&what.to_jcs()), None]),
        ..Entry::default()
    }
}
