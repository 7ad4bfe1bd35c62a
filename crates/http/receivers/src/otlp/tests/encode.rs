//! Writes OTLP in both encodings, for tests. Not from the code under test: protobuf as its definition has it.

use event::{Object, Value};

use super::super::record::{Log, Span};
use super::Signal;

pub(super) enum Records<'r> {
    Spans(&'r [Span<'r>]),
    Logs(&'r [Log<'r>]),
}

impl Records<'_> {
    pub(super) fn signal(&self) -> Signal {
        match self {
            Records::Spans(_) => Signal::Traces,
            Records::Logs(_) => Signal::Logs,
        }
    }
}

fn varint(mut n: u64, out: &mut Vec<u8>) {
    loop {
        let byte = (n & 0x7f) as u8;
        n >>= 7;
        if n == 0 {
            return out.push(byte);
        }
        out.push(byte | 0x80);
    }
}

fn number(field: u64, n: u64, out: &mut Vec<u8>) {
    if n != 0 {
        varint(field << 3, out);
        varint(n, out);
    }
}

fn fixed(field: u64, n: u64, out: &mut Vec<u8>) {
    if n != 0 {
        varint(field << 3 | 1, out);
        out.extend(n.to_le_bytes());
    }
}

fn bytes(field: u64, inside: &[u8], out: &mut Vec<u8>) {
    varint(field << 3 | 2, out);
    varint(inside.len() as u64, out);
    out.extend(inside);
}

fn text(field: u64, text: &str, out: &mut Vec<u8>) {
    if !text.is_empty() {
        bytes(field, text.as_bytes(), out);
    }
}

fn id(field: u64, hex: &str, out: &mut Vec<u8>) {
    let digits: Vec<u8> = hex.chars().map(|c| c.to_digit(16).unwrap() as u8).collect();
    let all: Vec<u8> = digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    if !all.is_empty() {
        bytes(field, &all, out);
    }
}

fn any(value: &Value<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    match value {
        Value::Null => {}
        Value::String(text) => bytes(1, text.as_bytes(), &mut out),
        Value::Bool(truth) => {
            varint(2 << 3, &mut out);
            varint(u64::from(*truth), &mut out);
        }
        Value::Number(n) => match n.as_i64() {
            Some(n) => {
                varint(3 << 3, &mut out);
                varint(n as u64, &mut out);
            }
            None => {
                varint(4 << 3 | 1, &mut out);
                out.extend(n.as_f64().to_bits().to_le_bytes());
            }
        },
        Value::Array(items) => {
            let mut inside = Vec::new();
            items.iter().for_each(|item| bytes(1, &any(item), &mut inside));
            bytes(5, &inside, &mut out);
        }
        Value::Object(members) => {
            let mut inside = Vec::new();
            attributes(1, members, &mut inside);
            bytes(6, &inside, &mut out);
        }
    }
    out
}

fn attributes(field: u64, members: &Object<'_>, out: &mut Vec<u8>) {
    for (name, value) in members.iter() {
        let mut pair = Vec::new();
        text(1, name, &mut pair);
        bytes(2, &any(value), &mut pair);
        bytes(field, &pair, out);
    }
}

fn span(span: &Span<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    id(1, &span.trace, &mut out);
    id(2, &span.span, &mut out);
    text(3, "a state that nobody reads", &mut out);
    id(4, &span.parent, &mut out);
    text(5, &span.name, &mut out);
    number(6, span.kind as u64, &mut out);
    fixed(7, span.start, &mut out);
    fixed(8, span.end, &mut out);
    attributes(9, &span.attributes, &mut out);
    number(10, 3, &mut out);
    for event in &span.events {
        let mut inside = Vec::new();
        fixed(1, span.end, &mut inside);
        text(2, &event.name, &mut inside);
        attributes(3, &event.attributes, &mut inside);
        bytes(11, &inside, &mut out);
    }
    bytes(13, b"", &mut out);
    let mut status = Vec::new();
    text(2, &span.status_message, &mut status);
    number(3, span.status as u64, &mut status);
    bytes(15, &status, &mut out);
    // flags, fixed32
    varint(16 << 3 | 5, &mut out);
    out.extend(1u32.to_le_bytes());
    out
}

fn log(log: &Log<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    fixed(1, log.time, &mut out);
    number(2, log.severity as u64, &mut out);
    text(3, &log.severity_text, &mut out);
    if log.body != Value::Null {
        bytes(5, &any(&log.body), &mut out);
    }
    attributes(6, &log.attributes, &mut out);
    id(9, &log.trace, &mut out);
    id(10, &log.span, &mut out);
    fixed(11, log.observed, &mut out);
    text(12, &log.event, &mut out);
    out
}

pub(super) fn protobuf(resource: &Object<'_>, scope: &str, records: &Records<'_>) -> Vec<u8> {
    let mut scopes = Vec::new();
    let mut name = Vec::new();
    text(1, scope, &mut name);
    text(2, "1.2.3", &mut name);
    bytes(1, &name, &mut scopes);
    match records {
        Records::Spans(spans) => spans.iter().for_each(|one| bytes(2, &span(one), &mut scopes)),
        Records::Logs(logs) => logs.iter().for_each(|one| bytes(2, &log(one), &mut scopes)),
    }
    let mut inside = Vec::new();
    let mut of = Vec::new();
    attributes(1, resource, &mut of);
    bytes(1, &of, &mut inside);
    bytes(2, &scopes, &mut inside);
    text(3, "https://opentelemetry.io/schemas/1.40.0", &mut inside);
    let mut out = Vec::new();
    bytes(1, &inside, &mut out);
    out
}

/// A value of 64 bits, as text or as a number.
fn wide(n: u64, as_text: bool) -> String {
    if as_text { format!("\"{n}\"") } else { n.to_string() }
}

fn json_text(text: &str) -> String {
    String::from_utf8(Value::from(text).to_jcs()).unwrap()
}

fn json_any(value: &Value<'_>, as_text: bool) -> String {
    match value {
        Value::Null => "{}".into(),
        Value::String(text) => format!("{{\"stringValue\":{}}}", json_text(text)),
        Value::Bool(truth) => format!("{{\"boolValue\":{truth}}}"),
        Value::Number(n) => match n.as_i64() {
            Some(n) if as_text => format!("{{\"intValue\":\"{n}\"}}"),
            Some(n) => format!("{{\"intValue\":{n}}}"),
            None => format!("{{\"doubleValue\":{}}}", n.as_f64()),
        },
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| json_any(item, as_text)).collect();
            format!("{{\"arrayValue\":{{\"values\":[{}]}}}}", items.join(","))
        }
        Value::Object(members) => {
            format!("{{\"kvlistValue\":{{\"values\":{}}}}}", json_attributes(members, as_text))
        }
    }
}

fn json_attributes(members: &Object<'_>, as_text: bool) -> String {
    let pair = |(name, value): (&str, &Value<'_>)| {
        format!("{{\"key\":{},\"value\":{}}}", json_text(name), json_any(value, as_text))
    };
    format!("[{}]", members.iter().map(pair).collect::<Vec<_>>().join(","))
}

/// The same in JSON: numbers of 64 bits as text or not, names as they should be or as protobuf's definition has them.
pub(super) fn json(
    resource: &Object<'_>,
    scope: &str,
    records: &Records<'_>,
    as_text: bool,
    is_snake: bool,
) -> String {
    let span = |span: &Span<'_>| {
        let events: Vec<_> = span
            .events
            .iter()
            .map(|event| {
                format!(
                    "{{\"name\":{},\"attributes\":{}}}",
                    json_text(&event.name),
                    json_attributes(&event.attributes, as_text)
                )
            })
            .collect();
        format!(
            "{{\"traceId\":\"{}\",\"spanId\":\"{}\",\"parentSpanId\":\"{}\",\"name\":{},\"kind\":{},\"startTimeUnixNano\":{},\
             \"endTimeUnixNano\":{},\"attributes\":{},\"events\":[{}],\"status\":{{\"code\":{},\"message\":{}}},\
             \"somethingNew\":{{\"a\":[1]}},\"links\":null}}",
            span.trace.to_ascii_uppercase(),
            span.span,
            span.parent,
            json_text(&span.name),
            span.kind,
            wide(span.start, as_text),
            wide(span.end, as_text),
            json_attributes(&span.attributes, as_text),
            events.join(","),
            span.status,
            json_text(&span.status_message)
        )
    };
    let log = |log: &Log<'_>| {
        format!(
            "{{\"timeUnixNano\":{},\"observedTimeUnixNano\":{},\"severityNumber\":{},\"severityText\":{},\"body\":{},\
             \"attributes\":{},\"traceId\":\"{}\",\"spanId\":\"{}\",\"eventName\":{}}}",
            wide(log.time, as_text),
            wide(log.observed, as_text),
            log.severity,
            json_text(&log.severity_text),
            json_any(&log.body, as_text),
            json_attributes(&log.attributes, as_text),
            log.trace,
            log.span,
            json_text(&log.event)
        )
    };
    let ([groups, scopes, name], all): (_, Vec<String>) = match records {
        Records::Spans(spans) => (["resourceSpans", "scopeSpans", "spans"], spans.iter().map(span).collect()),
        Records::Logs(logs) => (["resourceLogs", "scopeLogs", "logRecords"], logs.iter().map(log).collect()),
    };
    let text = format!(
        "{{\"{groups}\":[{{\"resource\":{{\"attributes\":{}}},\"{scopes}\":[{{\"scope\":{{\"name\":{},\"version\":\"1.2.3\"}},\
         \"{name}\":[{}]}}]}}]}}",
        json_attributes(resource, as_text),
        json_text(scope),
        all.join(",")
    );
    if !is_snake {
        return text;
    }
    const NAMES: [(&str, &str); 17] = [
        ("\"resourceSpans\"", "\"resource_spans\""),
        ("\"scopeSpans\"", "\"scope_spans\""),
        ("\"resourceLogs\"", "\"resource_logs\""),
        ("\"scopeLogs\"", "\"scope_logs\""),
        ("\"logRecords\"", "\"log_records\""),
        ("\"traceId\"", "\"trace_id\""),
        ("\"spanId\"", "\"span_id\""),
        ("\"parentSpanId\"", "\"parent_span_id\""),
        ("\"startTimeUnixNano\"", "\"start_time_unix_nano\""),
        ("\"endTimeUnixNano\"", "\"end_time_unix_nano\""),
        ("\"timeUnixNano\"", "\"time_unix_nano\""),
        ("\"observedTimeUnixNano\"", "\"observed_time_unix_nano\""),
        ("\"severityNumber\"", "\"severity_number\""),
        ("\"severityText\"", "\"severity_text\""),
        ("\"eventName\"", "\"event_name\""),
        ("\"stringValue\"", "\"string_value\""),
        ("\"kvlistValue\"", "\"kvlist_value\""),
    ];
    NAMES.iter().fold(text, |text, (camel, snake)| text.replace(camel, snake))
}
