//! From the bytes a client sends to what the ledger takes, as the server does it.

use event::{Event, Limits, SectionBodies};
use ledger::{Bodies, Entry, Ledger};

pub(crate) fn entry(ledger: &Ledger, json: &[u8]) -> Entry {
    let event = parse(json);
    let core = event.core();
    let source_id = event.source_id().expect("every event of the data set has one");
    let fingerprint = ledger.fingerprint(&core.producer, source_id, &event.submitted());
    let mut bodies = SectionBodies::default();
    event.write_sections(&mut bodies);
    Entry {
        kind: core.kind.to_string(),
        time_ns: core.time_ns,
        status: core.status,
        severity: core.severity,
        producer: core.producer.to_string(),
        producer_seq: core.producer_seq,
        bodies: Bodies::new(bodies.get()),
        fingerprint: Some(fingerprint),
        ..Entry::default()
    }
}

pub(crate) fn parse(json: &[u8]) -> Event<'_> {
    Event::parse(json, &Limits::default()).expect("the data set is valid")
}
