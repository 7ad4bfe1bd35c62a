//! The way back: what a leaf and its sections say, as one event.

use std::borrow::Cow;

use crate::event::OTHER_KIND;
use crate::json::{self, INTEGER_MAX, Limits, Object, Value};
use crate::outcome::{self, NOT_SAID};
use crate::refusal::{Code, Refusal};
use crate::time;

/// An event as the ledger has it: the leaf's fields and the sections' bodies.
#[derive(Clone, Debug)]
pub struct Stored<'a> {
    /// The id minted for it.
    pub id: [u8; 16],
    /// Its position in the ledger.
    pub position: u64,
    /// When the ledger took it, in milliseconds since 1970.
    pub received_ms: u64,
    /// When it happened, in nanoseconds since 1970.
    pub time_ns: i64,
    /// The leaf's type.
    pub kind: &'a str,
    /// The leaf's status.
    pub status: u8,
    /// The leaf's severity.
    pub severity: u8,
    /// The leaf's producer; empty if none.
    pub producer: &'a str,
    /// The producer's counter; 0 if none.
    pub producer_seq: u64,
    /// Name and body of each section that the leaf lists; no body if it was erased or may not be seen.
    pub sections: Vec<(&'a str, Option<&'a [u8]>)>,
    /// The organisation whose ledger it is in.
    pub organisation: &'a str,
}

/// Limits for bodies that we wrote ourselves: redaction may have made them longer than what came in.
const BODY: Limits = Limits { max_bytes: 64 * 1024 * 1024, max_depth: 128 };

/// More than most events have.
const MEMBERS: usize = 40;

/// One event to show: the names of the table of fields, `id`, `position` and `received` of ours, and `erased` with the
/// names of sections that are gone. It fails only if a body is not what [`crate::Event::sections`] writes.
pub fn assemble<'a>(stored: &Stored<'a>) -> Result<Value<'a>, Refusal> {
    let mut members: Vec<(Cow<'a, str>, Value<'a>)> = Vec::with_capacity(MEMBERS);
    let mut erased = Vec::new();
    for (name, body) in &stored.sections {
        match body {
            None => erased.push(Value::from(*name)),
            Some(body) => match json::parse(body, &BODY)? {
                Value::Object(section) => members.extend(section),
                _ => {
                    return Err(Refusal::new(
                        Code::WrongType,
                        "",
                        format!("section {name} is not an object"),
                    ));
                }
            },
        }
    }
    let said = |members: &[(Cow<'_, str>, Value<'_>)], name: &str| members.iter().any(|(key, _)| key == name);
    let mut put = |name: &'static str, value: Value<'a>| members.push((name.into(), value));
    put("id", show_id(&stored.id).into());
    put("position", whole(stored.position));
    put("received", time::format_ms(stored.received_ms).into());
    put("time", time::format_ns(stored.time_ns).into());
    put("organisation", stored.organisation.into());
    if !stored.producer.is_empty() {
        put("producer", stored.producer.into());
    }
    if stored.producer_seq > 0 {
        put("producer_seq", whole(stored.producer_seq));
    }
    if !erased.is_empty() {
        put("erased", erased.into());
    }
    // `what` has the sender's word where the leaf only says "other"; if `what` is gone, "other" is all that is known.
    if stored.kind != OTHER_KIND || !said(&members, "type") {
        members.push(("type".into(), stored.kind.into()));
    }
    for (name, code, known) in [
        ("status", stored.status, outcome::status_name(stored.status)),
        ("severity", stored.severity, outcome::severity_name(stored.severity)),
    ] {
        match (code, known) {
            (NOT_SAID, _) => {}
            (_, Some(word)) => members.push((name.into(), word.into())),
            // Also for a number that a later version gave out.
            _ if !said(&members, name) => members.push((name.into(), "other".into())),
            _ => {}
        }
    }
    // What is ours is said last, and stays.
    Ok(Value::Object(Object::from_members_last(members)))
}

/// A whole number, as text if JSON cannot hold it.
fn whole(n: u64) -> Value<'static> {
    match i64::try_from(n) {
        Ok(n) if n <= INTEGER_MAX => Value::integer(n).expect("in range"),
        _ => Value::String(Cow::Owned(n.to_string())),
    }
}

/// An id as text (RFC 9562, 4).
pub fn show_id(id: &[u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (i, byte) in id.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).expect("a nibble"));
        }
    }
    text
}
