//! OTLP in protobuf. Only the fields that are wanted are read; all others are passed over.
//!
//! A reader of our own rather than generated types: a body of empty messages takes two bytes for each, and types that
//! hold the whole body would take a hundred times as many. This one holds a record at a time.

use std::borrow::Cow;

use event::{Code, Object, Refusal, Value};

use super::RECORDS_MOST;
use super::record::{
    Budget, DEPTH_MOST, Group, Log, Record, SPAN_BYTES, Signal, Span, SpanEvent, TRACE_BYTES, double, id,
    integer, members, too_deep,
};

// Numbers of fields, as opentelemetry-proto 1.11 has them.
const GROUPS: u32 = 1; // Export…ServiceRequest.resource_…
const RESOURCE: u32 = 1; // Resource….resource
const SCOPES: u32 = 2; // Resource….scope_…
const SCOPE: u32 = 1; // Scope….scope
const RECORDS: u32 = 2; // ScopeSpans.spans, ScopeLogs.log_records

/// One field of a message.
enum Field<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32,
    Bytes(&'a [u8]),
}

/// The fields of a message, in order.
struct Fields<'a>(&'a [u8]);

fn broken(reason: &'static str) -> Refusal {
    Refusal::new(Code::Syntax, "", format!("not protobuf: {reason}"))
}

impl<'a> Fields<'a> {
    /// Number and value of the next field.
    fn next(&mut self) -> Result<Option<(u32, Field<'a>)>, Refusal> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let tag = u32::try_from(self.varint()?).map_err(|_| broken("a field with too large a number"))?;
        let field = match tag & 7 {
            0 => Field::Varint(self.varint()?),
            1 => {
                let bytes = self.take(8)?;
                Field::Fixed64(u64::from_le_bytes(bytes.try_into().expect("eight bytes")))
            }
            2 => {
                let len = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
                Field::Bytes(self.take(len)?)
            }
            5 => {
                self.take(4)?;
                Field::Fixed32
            }
            _ => return Err(broken("a field of a kind that is not used")),
        };
        match tag >> 3 {
            0 => Err(broken("a field without a number")),
            number => Ok(Some((number, field))),
        }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Refusal> {
        let (taken, left) = self.0.split_at_checked(len).ok_or_else(|| broken("it ends too early"))?;
        self.0 = left;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<u64, Refusal> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            // Of the tenth byte only one bit has room.
            if shift == 63 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(broken("a number that is too long"))
    }
}

impl<'a> Field<'a> {
    fn bytes(self) -> Result<&'a [u8], Refusal> {
        match self {
            Field::Bytes(bytes) => Ok(bytes),
            _ => Err(broken("a field of another kind than it should be")),
        }
    }

    fn text(self) -> Result<Cow<'a, str>, Refusal> {
        let bytes = self.bytes()?;
        let text = std::str::from_utf8(bytes);
        text.map(Cow::Borrowed).map_err(|_| Refusal::new(Code::InvalidUtf8, "", "a text that is not UTF-8"))
    }

    fn varint(self) -> Result<u64, Refusal> {
        match self {
            Field::Varint(n) => Ok(n),
            _ => Err(broken("a field of another kind than it should be")),
        }
    }

    /// An enumeration: 32 bits, however many are sent.
    fn word(self) -> Result<i64, Refusal> {
        Ok(i64::from(self.varint()? as i32))
    }

    fn fixed(self) -> Result<u64, Refusal> {
        match self {
            Field::Fixed64(n) => Ok(n),
            _ => Err(broken("a field of another kind than it should be")),
        }
    }
}

/// Looks at the outside of a body: how many records there are.
pub(super) fn count(body: &[u8]) -> Result<usize, Refusal> {
    let mut records = 0;
    let mut groups = Fields(body);
    while let Some((number, group)) = groups.next()? {
        if number != GROUPS {
            continue;
        }
        let mut scopes = Fields(group.bytes()?);
        while let Some((number, scope)) = scopes.next()? {
            if number != SCOPES {
                continue;
            }
            let mut inside = Fields(scope.bytes()?);
            while let Some((number, record)) = inside.next()? {
                if number == RECORDS {
                    record.bytes()?;
                    records += 1;
                }
            }
        }
    }
    match records {
        0..=RECORDS_MOST => Ok(records),
        _ => Err(Refusal::new(Code::TooLarge, "", super::json::too_many())),
    }
}

/// Takes a record, or why it can't be read.
type Take<'t, 'a, E> = &'t mut dyn FnMut(&Group<'a>, Result<Record<'a>, Refusal>) -> Result<(), E>;

/// Reads the records of a body that was counted.
pub(super) fn each<'a, E>(body: &'a [u8], signal: Signal, take: Take<'_, 'a, E>) -> Result<(), E> {
    let mut groups = Fields(body);
    while let Ok(Some((number, group))) = groups.next() {
        let (GROUPS, Ok(group)) = (number, group.bytes()) else { continue };
        let resource = message(group, RESOURCE).and_then(|resource| match resource {
            Some(resource) => attributes(resource, 1, &mut Budget::new()),
            None => Ok(Object::new()),
        });
        let mut scopes = Fields(group);
        while let Ok(Some((number, scope))) = scopes.next() {
            let (SCOPES, Ok(scope)) = (number, scope.bytes()) else { continue };
            // What is wrong with what they share is wrong with each of them.
            let shared = resource.clone().and_then(|resource| {
                let (scope, scope_version) = names(scope)?;
                Ok(Group { resource, scope, scope_version, is_audit: signal == Signal::Audit })
            });
            let mut records = Fields(scope);
            while let Ok(Some((number, record))) = records.next() {
                let (RECORDS, Ok(record)) = (number, record.bytes()) else { continue };
                match &shared {
                    Ok(shared) => take(shared, self::record(record, signal))?,
                    Err(refusal) => take(&Group::default(), Err(refusal.clone()))?,
                }
            }
        }
    }
    Ok(())
}

/// The last of the messages under a number.
fn message(bytes: &[u8], wanted: u32) -> Result<Option<&[u8]>, Refusal> {
    let mut fields = Fields(bytes);
    let mut last = None;
    while let Some((number, field)) = fields.next()? {
        if number == wanted {
            last = Some(field.bytes()?);
        }
    }
    Ok(last)
}

/// Name and version of `InstrumentationScope`.
fn names(bytes: &[u8]) -> Result<(Cow<'_, str>, Cow<'_, str>), Refusal> {
    let (mut name, mut version) = (Cow::Borrowed(""), Cow::Borrowed(""));
    let mut fields = Fields(message(bytes, SCOPE)?.unwrap_or_default());
    while let Some((number, field)) = fields.next()? {
        match number {
            1 => name = field.text()?,
            2 => version = field.text()?,
            _ => {}
        }
    }
    Ok((name, version))
}

pub(super) fn record(bytes: &[u8], signal: Signal) -> Result<Record<'_>, Refusal> {
    match signal {
        Signal::Traces => span(bytes).map(|span| Record::Span(Box::new(span))),
        Signal::Logs | Signal::Audit => log(bytes).map(|log| Record::Log(Box::new(log))),
    }
}

fn span(bytes: &[u8]) -> Result<Span<'_>, Refusal> {
    let mut budget = Budget::new();
    let mut span = Span::default();
    let mut own = Vec::new();
    let mut fields = Fields(bytes);
    while let Some((number, field)) = fields.next()? {
        match number {
            1 => span.trace = required_id(field, TRACE_BYTES, "/trace_id")?,
            2 => span.span = required_id(field, SPAN_BYTES, "/span_id")?,
            4 => span.parent = required_id(field, SPAN_BYTES, "/parent_span_id")?,
            5 => span.name = field.text()?,
            6 => span.kind = field.word()?,
            7 => span.start = field.fixed()?,
            8 => span.end = field.fixed()?,
            9 => own.push(key_value(field.bytes()?, DEPTH_MOST, &mut budget)?),
            11 => {
                budget.spend()?;
                span.events.push(event(field.bytes()?, &mut budget)?);
            }
            15 => (span.status, span.status_message) = status(field.bytes()?)?,
            _ => {}
        }
    }
    span.attributes = members(own);
    Ok(span)
}

fn required_id(field: Field<'_>, len: usize, at: &'static str) -> Result<String, Refusal> {
    let wrong = || Refusal::new(Code::BadValue, at, format!("expected {len} bytes"));
    id(field.bytes()?, len).ok_or_else(wrong)
}

fn event<'a>(bytes: &'a [u8], budget: &mut Budget) -> Result<SpanEvent<'a>, Refusal> {
    let mut name = Cow::Borrowed("");
    let mut fields = Fields(bytes);
    while let Some((number, field)) = fields.next()? {
        if number == 2 {
            name = field.text()?;
        }
    }
    Ok(SpanEvent { name, attributes: attributes(bytes, 3, budget)? })
}

fn status(bytes: &[u8]) -> Result<(i64, Cow<'_, str>), Refusal> {
    let (mut code, mut message) = (0, Cow::Borrowed(""));
    let mut fields = Fields(bytes);
    while let Some((number, field)) = fields.next()? {
        match number {
            2 => message = field.text()?,
            3 => code = field.word()?,
            _ => {}
        }
    }
    Ok((code, message))
}

fn log(bytes: &[u8]) -> Result<Log<'_>, Refusal> {
    let mut budget = Budget::new();
    let mut log = Log::default();
    let mut own = Vec::new();
    let mut fields = Fields(bytes);
    while let Some((number, field)) = fields.next()? {
        match number {
            1 => log.time = field.fixed()?,
            2 => log.severity = field.word()?,
            3 => log.severity_text = field.text()?,
            5 => log.body = any(field.bytes()?, DEPTH_MOST, &mut budget)?,
            6 => own.push(key_value(field.bytes()?, DEPTH_MOST, &mut budget)?),
            // A log record need not belong to a trace.
            9 => log.trace = id(field.bytes()?, TRACE_BYTES).unwrap_or_default(),
            10 => log.span = id(field.bytes()?, SPAN_BYTES).unwrap_or_default(),
            11 => log.observed = field.fixed()?,
            12 => log.event = field.text()?,
            _ => {}
        }
    }
    log.attributes = members(own);
    Ok(log)
}

/// The `KeyValue`s under a number.
fn attributes<'a>(bytes: &'a [u8], wanted: u32, budget: &mut Budget) -> Result<Object<'a>, Refusal> {
    list(bytes, wanted, DEPTH_MOST, budget)
}

fn list<'a>(bytes: &'a [u8], wanted: u32, depth: usize, budget: &mut Budget) -> Result<Object<'a>, Refusal> {
    let mut all = Vec::new();
    let mut fields = Fields(bytes);
    while let Some((number, field)) = fields.next()? {
        if number == wanted {
            all.push(key_value(field.bytes()?, depth, budget)?);
        }
    }
    Ok(members(all))
}

fn key_value<'a>(
    bytes: &'a [u8],
    depth: usize,
    budget: &mut Budget,
) -> Result<(Cow<'a, str>, Value<'a>), Refusal> {
    budget.spend()?;
    let (mut key, mut value) = (Cow::Borrowed(""), Value::Null);
    let mut fields = Fields(bytes);
    while let Some((number, field)) = fields.next()? {
        match number {
            1 => key = field.text()?,
            2 => value = any(field.bytes()?, depth, budget)?,
            _ => {}
        }
    }
    Ok((key, value))
}

/// `AnyValue`. Of several values the last one counts.
fn any<'a>(bytes: &'a [u8], depth: usize, budget: &mut Budget) -> Result<Value<'a>, Refusal> {
    let depth = depth.checked_sub(1).ok_or_else(too_deep)?;
    let mut value = Value::Null;
    let mut fields = Fields(bytes);
    while let Some((number, field)) = fields.next()? {
        value = match number {
            1 => Value::String(field.text()?),
            2 => Value::Bool(field.varint()? != 0),
            3 => integer(field.varint()? as i64),
            4 => double(f64::from_bits(field.fixed()?)),
            5 => {
                let mut items = Vec::new();
                let mut inside = Fields(field.bytes()?);
                while let Some((number, item)) = inside.next()? {
                    if number == 1 {
                        budget.spend()?;
                        items.push(any(item.bytes()?, depth, budget)?);
                    }
                }
                Value::Array(items)
            }
            6 => Value::Object(list(field.bytes()?, 1, depth, budget)?),
            7 => Value::from(base64(field.bytes()?)),
            _ => value,
        };
    }
    Ok(value)
}

/// RFC 4648, with padding: how JSON and gRPC's headers write bytes.
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |n: usize| u32::from(chunk.get(n).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for n in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * n) & 63) as usize];
            text.push(if n > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    text
}
