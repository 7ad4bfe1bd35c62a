//! A record as people and programs see it.

use event::{Object, Stored, Value, json};
use ledger::{Error, Ledger, Record, Section};

/// A record as an event with everything that is stored of it, and the verification that was just done.
pub fn show(ledger: &Ledger, organisation: &str, record: &Record) -> Result<Value<'static>, Error> {
    show_without(ledger, organisation, record, &[])
}

/// A record as an event, without the members that may not be seen; their names are listed under `hidden`.
pub(crate) fn show_without(
    ledger: &Ledger,
    organisation: &str,
    record: &Record,
    hidden: &[&str],
) -> Result<Value<'static>, Error> {
    let mut value = document(organisation, record)?.into_owned();
    let Value::Object(members) = &mut value else { return Ok(value) };
    let taken = hidden.iter().filter(|name| members.remove(name).is_some());
    let taken: Vec<Value<'static>> = taken.map(|name| Value::from((*name).to_owned())).collect();
    if !taken.is_empty() {
        members.insert("hidden", Value::Array(taken));
    }
    // `Block::record` hashed it again and compared it with the tree, or there would be nothing to show.
    let proved = ledger.head().is_some_and(|head| record.position < head.size);
    let verification = [
        ("hash", Value::from(format!("sha256:{}", record.leaf_hash))),
        ("verified", Value::from(true)),
        ("state", Value::from(if proved { "proved" } else { "durable" })),
    ];
    members.insert("verification", Value::Object(Object::from_members(verification).expect("distinct")));
    Ok(value)
}

/// What filters are asked about: the event, and nothing about how it is stored.
pub(crate) fn document<'a>(organisation: &'a str, record: &'a Record) -> Result<Value<'a>, Error> {
    let sections: Vec<(&str, Option<&[u8]>)> = record
        .sections()
        .map(|(name, section)| match section {
            Section::Present { body, .. } => (name, Some(body)),
            _ => (name, None),
        })
        .collect();
    let stored = Stored {
        id: *record.id(),
        position: record.position,
        received_ms: record.received_ms(),
        time_ns: record.time_ns(),
        kind: record.kind(),
        status: record.status(),
        severity: record.severity(),
        producer: record.producer(),
        producer_seq: record.producer_seq(),
        sections,
        organisation,
    };
    let unreadable = |e: event::Refusal| {
        Error::Tampered(format!("position {}: a body is not what was written: {e}", record.position))
    };
    let mut value = event::assemble(&stored).map_err(unreadable)?;
    if let Value::Object(members) = &mut value
        && record.is_control()
    {
        let body = json::parse(record.body(), &event::Limits::default()).map_err(unreadable)?;
        members.insert("attributes", body);
    }
    Ok(value)
}

/// An id from its text.
pub(crate) fn parse_id(text: &str) -> Option<[u8; 16]> {
    let dashes = |n: usize| [8, 13, 18, 23].contains(&n);
    if text.len() != 36 || text.bytes().enumerate().any(|(n, b)| (b == b'-') != dashes(n)) {
        return None;
    }
    let hex: Vec<u8> = text.bytes().filter(|b| *b != b'-').collect();
    let mut id = [0; 16];
    for (byte, pair) in id.iter_mut().zip(hex.chunks(2)) {
        let pair = std::str::from_utf8(pair).ok().filter(|p| p.bytes().all(|b| b.is_ascii_hexdigit()))?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(id)
}
