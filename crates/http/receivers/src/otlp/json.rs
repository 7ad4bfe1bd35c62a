//! OTLP in JSON: protobuf's JSON, save that ids are hexadecimal and enumerations are numbers.
//!
//! A number of 64 bits may be a number or text, names are in lowerCamelCase, and what is not known is passed over. Names as
//! protobuf's own definition has them (`trace_id`) are taken too: the specification has no use for them, and a sender that
//! writes them would otherwise lose everything without a word.

use std::borrow::Cow;

use event::json::{Limits, parse_loosely};
use event::{Code, Object, Refusal, Value};

use super::RECORDS_MOST;
use super::protobuf::base64;
use super::record::{
    Budget, DEPTH_MOST, Group, Log, Record, SPAN_BYTES, Signal, Span, SpanEvent, TRACE_BYTES, double, id,
    integer, members, too_deep,
};

/// Depth of a body: each value is an object in an object in a list.
const LIMITS: Limits = Limits { max_bytes: usize::MAX, max_depth: 128 };

/// Records that share a resource and a scope, not yet read.
pub(super) struct Entries<'a> {
    resource: Option<Value<'a>>,
    scope: Option<Value<'a>>,
    records: Vec<Value<'a>>,
}

pub(super) fn too_many() -> String {
    format!("a request may have {RECORDS_MOST} records; nothing was recorded, send fewer at once")
}

/// Reads a body as far as its records.
pub(super) fn open(body: &[u8], signal: Signal) -> Result<(usize, Vec<Entries<'_>>), Refusal> {
    let [groups, scopes, records] = match signal {
        Signal::Traces => ["resourceSpans", "scopeSpans", "spans"],
        Signal::Logs | Signal::Audit => ["resourceLogs", "scopeLogs", "logRecords"],
    };
    let Value::Object(mut request) = parse_loosely(body, &LIMITS)? else {
        return Err(Refusal::new(Code::WrongType, "", "expected an object"));
    };
    let is_empty = request.is_empty();
    let found = take(&mut request, groups);
    if found.is_none() && !is_empty && !request.iter().all(|(_, value)| value.is_null()) {
        // The other signal's body, most likely; to take it for an empty one would lose it without a word.
        return Err(Refusal::new(Code::Missing, format!("/{groups}"), "expected a list of resources"));
    }
    let mut all = Vec::new();
    let mut count = 0;
    for (n, group) in array(found, &format!("/{groups}"))?.into_iter().enumerate() {
        let at = format!("/{groups}/{n}");
        let mut group = object(group, &at)?;
        let resource = take(&mut group, "resource");
        for (n, scope) in array(take(&mut group, scopes), &format!("{at}/{scopes}"))?.into_iter().enumerate()
        {
            let at = format!("{at}/{scopes}/{n}");
            let mut inside = object(scope, &at)?;
            let records = array(take(&mut inside, records), &format!("{at}/{records}"))?;
            count += records.len();
            all.push(Entries { resource: resource.clone(), scope: take(&mut inside, "scope"), records });
        }
    }
    match count {
        0..=RECORDS_MOST => Ok((count, all)),
        _ => Err(Refusal::new(Code::TooLarge, "", too_many())),
    }
}

pub(super) fn each<'a, E>(
    groups: Vec<Entries<'a>>,
    signal: Signal,
    mut take: impl FnMut(&Group<'a>, Result<Record<'a>, Refusal>) -> Result<(), E>,
) -> Result<(), E> {
    for entries in groups {
        let shared = group(entries.resource, entries.scope, signal == Signal::Audit);
        for value in entries.records {
            match &shared {
                Ok(shared) => take(shared, record(value, signal))?,
                Err(refusal) => take(&Group::default(), Err(refusal.clone()))?,
            }
        }
    }
    Ok(())
}

fn group<'a>(
    resource: Option<Value<'a>>,
    scope: Option<Value<'a>>,
    is_audit: bool,
) -> Result<Group<'a>, Refusal> {
    let mut group = Group { is_audit, ..Group::default() };
    if let Some(resource) = resource {
        let mut resource = object(resource, "/resource")?;
        group.resource =
            attributes(take(&mut resource, "attributes"), "/resource/attributes", &mut Budget::new())?;
    }
    if let Some(scope) = scope {
        let mut scope = object(scope, "/scope")?;
        group.scope = text(take(&mut scope, "name"), "/scope/name")?;
        group.scope_version = text(take(&mut scope, "version"), "/scope/version")?;
    }
    Ok(group)
}

pub(super) fn record(value: Value<'_>, signal: Signal) -> Result<Record<'_>, Refusal> {
    let record = object(value, "")?;
    match signal {
        Signal::Traces => span(record).map(|span| Record::Span(Box::new(span))),
        Signal::Logs | Signal::Audit => log(record).map(|log| Record::Log(Box::new(log))),
    }
}

fn span(mut from: Object<'_>) -> Result<Span<'_>, Refusal> {
    let mut budget = Budget::new();
    let mut span = Span {
        trace: hex_id(take(&mut from, "traceId"), TRACE_BYTES, "/traceId")?,
        span: hex_id(take(&mut from, "spanId"), SPAN_BYTES, "/spanId")?,
        parent: hex_id(take(&mut from, "parentSpanId"), SPAN_BYTES, "/parentSpanId")?,
        name: text(take(&mut from, "name"), "/name")?,
        kind: word(take(&mut from, "kind"), KINDS, "/kind")?,
        start: time(take(&mut from, "startTimeUnixNano"), "/startTimeUnixNano")?,
        end: time(take(&mut from, "endTimeUnixNano"), "/endTimeUnixNano")?,
        attributes: attributes(take(&mut from, "attributes"), "/attributes", &mut budget)?,
        ..Span::default()
    };
    for (n, event) in array(take(&mut from, "events"), "/events")?.into_iter().enumerate() {
        budget.spend()?;
        let at = format!("/events/{n}");
        let mut event = object(event, &at)?;
        span.events.push(SpanEvent {
            name: text(take(&mut event, "name"), &format!("{at}/name"))?,
            attributes: attributes(take(&mut event, "attributes"), &format!("{at}/attributes"), &mut budget)?,
        });
    }
    if let Some(status) = take(&mut from, "status") {
        let mut status = object(status, "/status")?;
        span.status = word(take(&mut status, "code"), CODES, "/status/code")?;
        span.status_message = text(take(&mut status, "message"), "/status/message")?;
    }
    Ok(span)
}

fn log(mut from: Object<'_>) -> Result<Log<'_>, Refusal> {
    let mut budget = Budget::new();
    // A log record need not belong to a trace.
    let loose_id = |value: Option<Value<'_>>, len| hex_id(value, len, "").unwrap_or_default();
    Ok(Log {
        time: time(take(&mut from, "timeUnixNano"), "/timeUnixNano")?,
        observed: time(take(&mut from, "observedTimeUnixNano"), "/observedTimeUnixNano")?,
        severity: word(take(&mut from, "severityNumber"), &[], "/severityNumber")?,
        severity_text: text(take(&mut from, "severityText"), "/severityText")?,
        body: match take(&mut from, "body") {
            Some(body) => any(body, "/body", DEPTH_MOST, &mut budget)?,
            None => Value::Null,
        },
        attributes: attributes(take(&mut from, "attributes"), "/attributes", &mut budget)?,
        trace: loose_id(take(&mut from, "traceId"), TRACE_BYTES),
        span: loose_id(take(&mut from, "spanId"), SPAN_BYTES),
        event: text(take(&mut from, "eventName"), "/eventName")?,
    })
}

/// Names of enumerations, which some write although they must not.
const KINDS: &[&str] = &[
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
];
const CODES: &[&str] = &["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"];

/// Takes a member out, under its name in lowerCamelCase or as protobuf's definition has it. `null` is not there.
fn take<'a>(from: &mut Object<'a>, name: &str) -> Option<Value<'a>> {
    let found = from.remove(name).filter(|value| !value.is_null());
    if found.is_some() || !name.bytes().any(|b| b.is_ascii_uppercase()) {
        return found;
    }
    let mut snake = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    from.remove(&snake).filter(|value| !value.is_null())
}

fn wrong(at: &str, expected: &str, found: &Value<'_>) -> Refusal {
    Refusal::new(Code::WrongType, at, format!("expected {expected}, found {}", found.type_name()))
}

fn bad(at: &str, expected: &str) -> Refusal {
    Refusal::new(Code::BadValue, at, format!("expected {expected}"))
}

fn object<'a>(value: Value<'a>, at: &str) -> Result<Object<'a>, Refusal> {
    match value {
        Value::Object(members) => Ok(members),
        other => Err(wrong(at, "an object", &other)),
    }
}

fn array<'a>(value: Option<Value<'a>>, at: &str) -> Result<Vec<Value<'a>>, Refusal> {
    match value {
        None => Ok(Vec::new()),
        Some(Value::Array(items)) => Ok(items),
        Some(other) => Err(wrong(at, "a list", &other)),
    }
}

fn text<'a>(value: Option<Value<'a>>, at: &str) -> Result<Cow<'a, str>, Refusal> {
    match value {
        None => Ok(Cow::Borrowed("")),
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(wrong(at, "text", &other)),
    }
}

fn hex_id(value: Option<Value<'_>>, len: usize, at: &str) -> Result<String, Refusal> {
    let text = text(value, at)?;
    let wrong = || bad(at, &format!("{len} bytes in hexadecimal"));
    if text.len() != 2 * len && !text.is_empty() {
        return Err(wrong());
    }
    let digits = text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8));
    let digits: Vec<u8> = digits.collect::<Option<_>>().ok_or_else(wrong)?;
    let bytes: Vec<u8> = digits.chunks(2).map(|pair| pair[0] << 4 | pair[pair.len() - 1]).collect();
    id(&bytes, len).ok_or_else(wrong)
}

/// A whole number in a number or in text.
fn whole<T: TryFrom<i64> + std::str::FromStr>(value: &Value<'_>, at: &str) -> Result<T, Refusal> {
    const EXPECTED: &str = "a whole number of 64 bits";
    match value {
        Value::Number(n) => n.as_i64().and_then(|n| T::try_from(n).ok()).ok_or_else(|| bad(at, EXPECTED)),
        Value::String(text) => text.parse().map_err(|_| bad(at, EXPECTED)),
        other => Err(wrong(at, EXPECTED, other)),
    }
}

fn time(value: Option<Value<'_>>, at: &str) -> Result<u64, Refusal> {
    value.map_or(Ok(0), |value| whole(&value, at))
}

fn word(value: Option<Value<'_>>, names: &[&str], at: &str) -> Result<i64, Refusal> {
    let Some(value) = value else { return Ok(0) };
    if let Some(name) = value.as_str()
        && let Some(number) = names.iter().position(|known| *known == name)
    {
        return Ok(number as i64);
    }
    whole::<i64>(&value, at).map(|n| i64::from(n as i32))
}

fn attributes<'a>(value: Option<Value<'a>>, at: &str, budget: &mut Budget) -> Result<Object<'a>, Refusal> {
    list(array(value, at)?, at, DEPTH_MOST, budget)
}

fn list<'a>(
    items: Vec<Value<'a>>,
    at: &str,
    depth: usize,
    budget: &mut Budget,
) -> Result<Object<'a>, Refusal> {
    let mut all = Vec::with_capacity(items.len());
    for item in items {
        budget.spend()?;
        let mut item = object(item, at)?;
        let key = text(take(&mut item, "key"), at)?;
        let value = match take(&mut item, "value") {
            Some(value) => any(value, at, depth, budget)?,
            None => Value::Null,
        };
        all.push((key, value));
    }
    Ok(members(all))
}

/// `AnyValue`: an object with one member, whose name says what it is.
fn any<'a>(value: Value<'a>, at: &str, depth: usize, budget: &mut Budget) -> Result<Value<'a>, Refusal> {
    let depth = depth.checked_sub(1).ok_or_else(too_deep)?;
    let mut from = object(value, at)?;
    if let Some(text) = take(&mut from, "stringValue") {
        return self::text(Some(text), at).map(Value::String);
    }
    if let Some(truth) = take(&mut from, "boolValue") {
        return truth.as_bool().map(Value::Bool).ok_or_else(|| wrong(at, "true or false", &truth));
    }
    if let Some(number) = take(&mut from, "intValue") {
        return whole(&number, at).map(integer);
    }
    if let Some(number) = take(&mut from, "doubleValue") {
        return match &number {
            Value::Number(n) => Ok(double(n.as_f64())),
            // `NaN`, `Infinity` and what is too large for a number of JSON.
            Value::String(text) => text.parse().map(double).map_err(|_| bad(at, "a number")),
            other => Err(wrong(at, "a number", other)),
        };
    }
    if let Some(values) = take(&mut from, "arrayValue") {
        let mut values = object(values, at)?;
        let mut items = Vec::new();
        for item in array(take(&mut values, "values"), at)? {
            budget.spend()?;
            items.push(any(item, at, depth, budget)?);
        }
        return Ok(Value::Array(items));
    }
    if let Some(values) = take(&mut from, "kvlistValue") {
        let mut values = object(values, at)?;
        return list(array(take(&mut values, "values"), at)?, at, depth, budget).map(Value::Object);
    }
    if let Some(bytes) = take(&mut from, "bytesValue") {
        let text = text(Some(bytes), at)?;
        return from_base64(&text).map(|bytes| Value::from(base64(&bytes))).ok_or_else(|| bad(at, "base64"));
    }
    Ok(Value::Null)
}

/// Base64 of either alphabet, with or without padding.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for chunk in text.as_bytes().chunks(4) {
        let mut word = 0u32;
        for (n, digit) in chunk.iter().enumerate() {
            let value = match digit {
                b'A'..=b'Z' => digit - b'A',
                b'a'..=b'z' => digit - b'a' + 26,
                b'0'..=b'9' => digit - b'0' + 52,
                b'+' | b'-' => 62,
                b'/' | b'_' => 63,
                _ => return None,
            };
            word |= u32::from(value) << (18 - 6 * n);
        }
        let len = match chunk.len() {
            4 => 3,
            3 => 2,
            2 => 1,
            _ => return None,
        };
        bytes.extend_from_slice(&word.to_be_bytes()[1..1 + len]);
    }
    Some(bytes)
}
