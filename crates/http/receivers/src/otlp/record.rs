//! Spans and log records as both encodings give them.

use std::borrow::Cow;

use event::{Code, Object, Refusal, Value, json};

/// What a body holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// `ExportTraceServiceRequest`.
    Traces,
    /// `ExportLogsServiceRequest`.
    Logs,
    /// The same, from somebody who sends nothing but audit records.
    Audit,
}

/// How a body is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `application/x-protobuf`.
    Protobuf,
    /// `application/json`.
    Json,
}

/// What records have in common: the resource that made them, and the library that saw them.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Group<'a> {
    pub(super) resource: Object<'a>,
    pub(super) scope: Cow<'a, str>,
    pub(super) scope_version: Cow<'a, str>,
    /// Whether they came as audit records.
    pub(super) is_audit: bool,
}

/// One record.
#[derive(Clone, Debug, PartialEq)]
pub enum Record<'a> {
    /// Something that took time.
    Span(Box<Span<'a>>),
    /// Something that was said.
    Log(Box<Log<'a>>),
}

#[derive(Clone, Debug, PartialEq, Default)]
pub struct Span<'a> {
    pub(super) trace: Id,
    pub(super) span: Id,
    pub(super) parent: Id,
    pub(super) name: Cow<'a, str>,
    pub(super) kind: i64,
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) attributes: Object<'a>,
    pub(super) events: Vec<SpanEvent<'a>>,
    pub(super) status: i64,
    pub(super) status_message: Cow<'a, str>,
}

#[derive(Clone, Debug, PartialEq, Default)]
pub(super) struct SpanEvent<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) attributes: Object<'a>,
}

#[derive(Clone, Debug, PartialEq, Default)]
pub struct Log<'a> {
    pub(super) time: u64,
    pub(super) observed: u64,
    pub(super) severity: i64,
    pub(super) severity_text: Cow<'a, str>,
    pub(super) body: Value<'a>,
    pub(super) attributes: Object<'a>,
    pub(super) trace: Id,
    pub(super) span: Id,
    pub(super) event: Cow<'a, str>,
}

/// [`Span::kind`] of a span that answered somebody else.
pub(super) const SERVER: i64 = 2;
/// [`Span::status`] of a span that failed.
pub(super) const FAILED: i64 = 2;

/// An id in lower case hexadecimal; empty if it is not there.
pub(super) type Id = String;

/// An id of so many bytes. All zeros mean that there is none.
pub(super) fn id(bytes: &[u8], len: usize) -> Option<Id> {
    match bytes.len() {
        0 => Some(String::new()),
        n if n == len && bytes.iter().all(|b| *b == 0) => Some(String::new()),
        n if n == len => Some(bytes.iter().map(|b| format!("{b:02x}")).collect()),
        _ => None,
    }
}

pub(super) const TRACE_BYTES: usize = 16;
pub(super) const SPAN_BYTES: usize = 8;

/// How many values a record may have, and how deep they may lie inside one another.
pub(super) struct Budget {
    left: usize,
}

/// Values inside one another.
pub(super) const DEPTH_MOST: usize = 24;
/// Attributes, items and members of one record. The SDKs' own limit is 128 attributes.
const VALUES_MOST: usize = 16_384;

impl Budget {
    pub(super) fn new() -> Budget {
        Budget { left: VALUES_MOST }
    }

    pub(super) fn spend(&mut self) -> Result<(), Refusal> {
        self.left = self.left.checked_sub(1).ok_or_else(|| {
            Refusal::new(Code::TooLarge, "", format!("more than {VALUES_MOST} values in one record"))
        })?;
        Ok(())
    }
}

pub(super) fn too_deep() -> Refusal {
    Refusal::new(Code::TooDeep, "", format!("more than {DEPTH_MOST} values inside one another"))
}

/// Members whose keys may be there twice, although they must not: the last one counts.
pub(super) fn members<'a>(mut all: Vec<(Cow<'a, str>, Value<'a>)>) -> Object<'a> {
    all.sort_by(|a, b| json::compare_keys(&a.0, &b.0));
    // Of equal neighbours, `dedup_by` keeps the first.
    all.reverse();
    all.dedup_by(|a, b| a.0 == b.0);
    Object::from_members(all).expect("no key is there twice")
}

/// A whole number; as text if JSON cannot hold it.
pub(super) fn integer<'a>(n: i64) -> Value<'a> {
    Value::integer(n).unwrap_or_else(|| Value::from(n.to_string()))
}

/// A number; as text if JSON cannot hold it.
pub(super) fn double<'a>(n: f64) -> Value<'a> {
    Value::number(n).unwrap_or_else(|| match n {
        n if n.is_nan() => Value::from("NaN"),
        n if n == f64::INFINITY => Value::from("Infinity"),
        n if n == f64::NEG_INFINITY => Value::from("-Infinity"),
        n => Value::from(format!("{n:e}")),
    })
}
