//! CloudEvents 1.0: the envelope that brokers and functions put around what they say, in JSON or in the headers `ce-…` of a
//! request whose body is `data`.
//!
//! Pure: [`read`] reads an envelope in JSON, [`in_headers`] and [`read_binary`] one in headers. `cloudevents/README.md` has the
//! subset.
//!
//! | theirs | ours |
//! |---|---|
//! | `type`, `time` | the same |
//! | `id` | `source_id` |
//! | `source` | `producer`, so that `source` and `id` together are recorded once, as the specification has it |
//! | `subject` | `targets[0].id` |
//! | `traceparent` | `trace_id`, `parent_span_id` |
//! | `data` | `attributes.data`; or the fields of the event itself, if `dataschema` is [`SCHEMA`] |
//! | everything else | `attributes` under its own name |

use event::{Code, Event, Object, Refusal, Value, json};
use sha2::{Digest, Sha256};

use crate::otlp::base64;
use crate::sources::Source;

/// Says of `data` that it is an event of ours, without what the envelope says already.
pub const SCHEMA: &str = "urn:indelible:event:1";
/// Names of ours that the envelope speaks for.
const ENVELOPE: [&str; 5] = ["type", "time", "id", "source_id", "producer"];

/// What their attributes are here, as the table above has it.
const HOMES: &[(&str, &str)] = &[
    ("type", "type"),
    ("time", "time"),
    ("id", "source_id"),
    ("source", "producer"),
    ("subject", "targets[].id"),
    ("traceparent", "trace_id"),
    ("traceparent", "parent_span_id"),
    ("data", "attributes.data"),
];

/// What this way of sending can tell.
pub fn source() -> Source {
    Source {
        name: "cloudevents",
        door: "`POST /v1/events`, structured, batched or with the envelope in headers".to_owned(),
        about: "CloudEvents 1.0, as brokers and functions send them".to_owned(),
        fields: HOMES.iter().map(|(theirs, ours)| ((*ours).to_owned(), format!("`{theirs}`"))).collect(),
        kinds: Vec::new(),
        cannot: vec![
            "anything beside its envelope, unless `dataschema` says that `data` is an event of ours: then all of it".to_owned(),
            "a gap: `sequence` is an extension that few set, and it is kept as an attribute".to_owned(),
        ],
    }
}

/// Reads one event in its envelope. What is wrong is told by their names.
pub fn read<'a>(bytes: &'a [u8], limits: &json::Limits) -> Result<Event<'a>, Refusal> {
    let envelope = match json::parse(bytes, limits)? {
        Value::Object(envelope) => envelope,
        _ => return Err(Refusal::new(Code::WrongType, "", "expected an object: one CloudEvent")),
    };
    Event::from_value(Value::Object(unwrap(envelope)?), limits)
}

/// The envelope in the headers of a request in binary mode; `None` if it is in another. Names are in lower case, as HTTP's
/// libraries have them.
pub fn in_headers(headers: &[(&str, &[u8])]) -> Option<Result<Object<'static>, Refusal>> {
    let first = |wanted: &str| headers.iter().find(|(name, _)| *name == wanted);
    let said = first("content-type").and_then(|(_, value)| printable(value)).unwrap_or_default();
    let is_structured = said.trim_start().to_ascii_lowercase().starts_with("application/cloudevents");
    (first("ce-specversion").is_some() && !is_structured).then(|| {
        let mut envelope = Object::new();
        for (name, value) in headers {
            let Some(name) = name.strip_prefix("ce-") else { continue };
            let wrong = |why: &str| Refusal::new(Code::BadValue, format!("/{name}"), why.to_owned());
            if matches!(name, "data" | "data_base64" | "datacontenttype") {
                return Err(wrong("is no attribute in this mode: `data` is the body"));
            }
            let text = printable(value).and_then(decoded);
            let text =
                text.ok_or_else(|| wrong("expected printable ASCII, and UTF-8 after percent-decoding"))?;
            if envelope.insert(name.to_owned(), text).is_some() {
                return Err(wrong("stands in two headers"));
            }
        }
        if !said.is_empty() {
            envelope.insert("datacontenttype", said.to_owned());
        }
        Ok(envelope)
    })
}

fn printable(value: &[u8]) -> Option<&str> {
    let is_printable = value.iter().all(|b| matches!(b, b'\t' | b' '..=b'~'));
    std::str::from_utf8(value).ok().filter(|_| is_printable)
}

/// A header's value as the binding for HTTP has it: characters beyond ASCII, blanks, quotes and percent signs are
/// percent-encoded; older senders put quotes around it.
fn decoded(value: &str) -> Option<String> {
    let bare = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    let bytes = bare.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digit = |n: usize| bytes.get(at + n).and_then(|b| char::from(*b).to_digit(16));
        match (byte, digit(1), digit(2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).ok()
}

/// Reads one event in binary mode: its envelope, and the body.
pub fn read_binary(
    mut envelope: Object<'static>,
    body: &[u8],
    limits: &json::Limits,
) -> Result<Event<'static>, Refusal> {
    if body.len() > limits.max_bytes {
        let reason = format!("{} bytes, the limit is {}", body.len(), limits.max_bytes);
        return Err(Refusal::new(Code::TooLarge, "/data", reason));
    }
    let media = envelope.get("datacontenttype").and_then(Value::as_str).unwrap_or_default();
    let essence = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = essence.ends_with("/json") || essence.ends_with("+json");
    let data = match std::str::from_utf8(body) {
        _ if body.is_empty() => None,
        _ if is_json => {
            let within =
                |refusal: Refusal| Refusal { pointer: format!("/data{}", refusal.pointer), ..refusal };
            Some(("data", json::parse(body, limits).map_err(within)?.into_owned()))
        }
        Ok(text) => Some(("data", Value::from(text.to_owned()))),
        Err(_) => Some(("data_base64", Value::from(base64(body)))),
    };
    if let Some((name, data)) = data {
        envelope.insert(name, data);
    }
    Event::from_value(Value::Object(unwrap(envelope)?), limits)
}

fn unwrap<'a>(mut envelope: Object<'a>) -> Result<Object<'a>, Refusal> {
    if envelope.remove("specversion").as_ref().and_then(Value::as_str) != Some("1.0") {
        return Err(Refusal::new(Code::BadValue, "/specversion", "expected \"1.0\""));
    }
    let mut required = |name: &'static str| match envelope.remove(name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        Some(_) => Err(Refusal::new(Code::WrongType, format!("/{name}"), "expected text that is not empty")),
        None => Err(Refusal::new(Code::Missing, format!("/{name}"), "a CloudEvent must have it")),
    };
    let (kind, id, source) = (required("type")?, required("id")?, required("source")?);
    let is_ours = envelope.get("dataschema").and_then(Value::as_str) == Some(SCHEMA);
    let data = envelope.remove("data").filter(|data| !data.is_null());
    let mut event = match (is_ours, data) {
        (true, Some(Value::Object(event))) => event,
        (true, Some(_)) => return Err(Refusal::new(Code::WrongType, "/data", "expected an object")),
        (true, None) => Object::new(),
        (false, Some(data)) => {
            envelope.insert("data", data);
            Object::new()
        }
        (false, None) => Object::new(),
    };
    if is_ours {
        envelope.remove("dataschema");
        envelope.remove("datacontenttype");
    }
    if let Some(name) = ENVELOPE.into_iter().find(|name| event.get(name).is_some()) {
        let reason = "the envelope says it already; leave it out";
        return Err(Refusal::new(Code::Conflict, format!("/data/{name}"), reason));
    }
    match envelope.remove("subject") {
        None | Some(Value::Null) => {}
        Some(subject) => {
            let target = Object::from_members([("id", subject)]).expect("one member");
            if event.insert("targets", Value::Array(vec![Value::Object(target)])).is_some() {
                let reason = "`subject` says it already; leave one of them out";
                return Err(Refusal::new(Code::Conflict, "/data/targets", reason));
            }
        }
    }
    if let Some(Value::String(parent)) = envelope.get("traceparent")
        && let Some((trace, span)) = trace(parent)
    {
        envelope.remove("traceparent");
        event.insert("trace_id", trace);
        event.insert("parent_span_id", span);
    }
    if let Some(source) = producer(&source) {
        event.insert("producer", source);
    } else {
        // A hash of it still tells one sender from another.
        let hash = Sha256::digest(source.as_bytes());
        let hash: String = hash[..16].iter().map(|b| format!("{b:02x}")).collect();
        event.insert("producer", format!("cloudevents:{hash}"));
        envelope.insert("source", source);
    }
    event.insert("type", kind);
    event.insert("source_id", id);
    if let Some(time) = envelope.remove("time") {
        event.insert("time", time);
    }
    if !envelope.is_empty() {
        let mut attributes = match event.remove("attributes") {
            None | Some(Value::Null) => Object::new(),
            Some(Value::Object(attributes)) => attributes,
            Some(_) => return Err(Refusal::new(Code::WrongType, "/data/attributes", "expected an object")),
        };
        for (name, value) in envelope {
            if attributes.insert(name, value).is_some() {
                let reason = "has a name that the envelope has too; rename one of them";
                return Err(Refusal::new(Code::Conflict, "/data/attributes", reason));
            }
        }
        event.insert("attributes", attributes);
    }
    Ok(event)
}

/// A source that is fit to be a producer's name: most are.
fn producer(source: &str) -> Option<String> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'/' | b'-');
    (source.len() <= 64 && source.bytes().all(fits)).then(|| source.to_owned())
}

/// Trace and span of a `traceparent` of W3C's Trace Context, version 00.
fn trace(parent: &str) -> Option<(String, String)> {
    let mut parts = parent.split('-');
    let (Some("00"), Some(trace), Some(span), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let is_id = |id: &str, len| id.len() == len && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (is_id(trace, 32) && is_id(span, 16)).then(|| (trace.to_owned(), span.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let told = match read(text.as_bytes(), &json::Limits::default()) {
            Ok(event) => String::from_utf8(Value::Object(event.tree().clone()).to_jcs()).unwrap(),
            Err(refusal) => format!("{} {}", refusal.code, refusal.pointer),
        };
        assert_eq!(told, expect, "{text}");
    }

    #[test]
    fn an_envelope_becomes_an_event() {
        check(
            r#"{"specversion":"1.0","type":"com.example.login","source":"/auth/eu","id":"A1","time":"2026-03-01T10:00:00Z",
                "subject":"u1","datacontenttype":"application/json","partitionkey":"p",
                "traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","data":{"x":[1]}}"#,
            r#"{"attributes":{"data":{"x":[1]},"datacontenttype":"application/json","partitionkey":"p"},"parent_span_id":"b7ad6b7169203331","producer":"/auth/eu","source_id":"A1","targets":[{"id":"u1"}],"time":"2026-03-01T10:00:00Z","trace_id":"0af7651916cd43dd8448eb211c80319c","type":"com.example.login"}"#,
        );
        check(
            r#"{"specversion":"1.0","type":"auth.login","source":"gateway","id":"1","dataschema":"urn:indelible:event:1",
                "data":{"status":"failed","actor":{"id":"alice"},"attributes":{"a":1}},"ext":true}"#,
            r#"{"actor":{"id":"alice"},"attributes":{"a":1,"ext":true},"producer":"gateway","source_id":"1","status":"failed","type":"auth.login"}"#,
        );
        check(
            r#"{"specversion":"1.0","type":"a.b","source":"https://example.com/?q=1","id":"1"}"#,
            r#"{"attributes":{"source":"https://example.com/?q=1"},"producer":"cloudevents:2adae9772e1a55f605d8c71d7b74313f","source_id":"1","type":"a.b"}"#,
        );
        check(
            r#"{"specversion":"1.0","type":"a.b","source":"s","id":"1","traceparent":"nonsense","data_base64":"AA=="}"#,
            r#"{"attributes":{"data_base64":"AA==","traceparent":"nonsense"},"producer":"s","source_id":"1","type":"a.b"}"#,
        );
    }

    fn check_binary(headers: &[(&str, &str)], body: &[u8], expect: &str) {
        let said: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        let event = in_headers(&said).map(|envelope| read_binary(envelope?, body, &json::Limits::default()));
        let told = match event {
            None => "another mode".to_owned(),
            Some(Ok(event)) => String::from_utf8(Value::Object(event.tree().clone()).to_jcs()).unwrap(),
            Some(Err(refusal)) => format!("{} {}", refusal.code, refusal.pointer),
        };
        assert_eq!(told, expect, "{headers:?}");
    }

    /// The example of the binding for HTTP, 3.1.4, and what else may stand there.
    #[test]
    fn an_envelope_may_be_in_the_headers() {
        const BASE: [(&str, &str); 4] = [
            ("ce-specversion", "1.0"),
            ("ce-type", "com.example.someevent"),
            ("ce-id", "1234-1234-1234"),
            ("ce-source", "/mycontext/subcontext"),
        ];
        let with = |more: &[(&'static str, &'static str)]| [&BASE[..], more].concat();
        check_binary(
            &with(&[
                ("ce-time", "2018-04-05T03:56:24Z"),
                ("content-type", "application/json; charset=utf-8"),
            ]),
            br#"{"a":1}"#,
            r#"{"attributes":{"data":{"a":1},"datacontenttype":"application/json; charset=utf-8"},"producer":"/mycontext/subcontext","source_id":"1234-1234-1234","time":"2018-04-05T03:56:24Z","type":"com.example.someevent"}"#,
        );
        check_binary(
            &with(&[("ce-subject", "Euro%20%E2%82%AC%20%f0%9f%98%80"), ("ce-ext", "\"100%\"")]),
            b"plain",
            r#"{"attributes":{"data":"plain","ext":"100%"},"producer":"/mycontext/subcontext","source_id":"1234-1234-1234","targets":[{"id":"Euro € 😀"}],"type":"com.example.someevent"}"#,
        );
        check_binary(
            &with(&[("content-type", "application/octet-stream")]),
            b"\xff\x00",
            r#"{"attributes":{"data_base64":"/wA=","datacontenttype":"application/octet-stream"},"producer":"/mycontext/subcontext","source_id":"1234-1234-1234","type":"com.example.someevent"}"#,
        );
        check_binary(
            &with(&[("ce-dataschema", SCHEMA), ("content-type", "application/json")]),
            br#"{"status":"failed","actor":{"id":"alice"}}"#,
            r#"{"actor":{"id":"alice"},"producer":"/mycontext/subcontext","source_id":"1234-1234-1234","status":"failed","type":"com.example.someevent"}"#,
        );
        check_binary(&with(&[("content-type", "application/json")]), b"{", "syntax /data");
        check_binary(&with(&[("ce-subject", "%ff")]), b"", "bad_value /subject");
        check_binary(&with(&[("ce-subject", "\u{e9}")]), b"", "bad_value /subject");
        check_binary(&with(&[("ce-id", "2")]), b"", "bad_value /id");
        check_binary(&with(&[("ce-data", "2")]), b"", "bad_value /data");
        check_binary(&BASE[..3], b"", "missing /source");
        check_binary(&[("ce-specversion", "0.3")], b"", "bad_value /specversion");
        check_binary(&BASE[1..], b"{}", "another mode");
        check_binary(&with(&[("content-type", "application/cloudevents+json")]), b"{}", "another mode");
    }

    #[test]
    fn what_is_no_envelope_is_refused() {
        check("[]", "wrong_type ");
        check("{}", "bad_value /specversion");
        check(r#"{"specversion":"0.3","type":"a","source":"s","id":"1"}"#, "bad_value /specversion");
        check(r#"{"specversion":"1.0","source":"s","id":"1"}"#, "missing /type");
        check(r#"{"specversion":"1.0","type":"a","source":"s"}"#, "missing /id");
        check(r#"{"specversion":"1.0","type":"a","id":"1"}"#, "missing /source");
        check(r#"{"specversion":"1.0","type":"a","source":7,"id":"1"}"#, "wrong_type /source");
        check(r#"{"specversion":"1.0","type":"a","source":"s","id":"1","time":"noon"}"#, "bad_value /time");
        let ours = |data: &str| {
            format!(
                r#"{{"specversion":"1.0","type":"a","source":"s","id":"1","subject":"u","dataschema":"{SCHEMA}","data":{data}}}"#
            )
        };
        check(&ours(r#"{"type":"b"}"#), "conflict /data/type");
        check(&ours(r#"{"targets":[{"id":"1"}]}"#), "conflict /data/targets");
        check(&ours(r#"{"typ":"b"}"#), "unknown_field /typ");
        check(&ours("1"), "wrong_type /data");
        check(
            &ours(r#"{"attributes":1}"#).replace("\"subject\"", "\"other\""),
            "wrong_type /data/attributes",
        );
    }
}
