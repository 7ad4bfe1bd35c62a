//! CloudEvents 1.0 in JSON: the envelope that brokers and functions put around what they say.
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

/// Says of `data` that it is an event of ours, without what the envelope says already.
pub(crate) const SCHEMA: &str = "urn:indelible:event:1";
/// Names of ours that the envelope speaks for.
const ENVELOPE: [&str; 5] = ["type", "time", "id", "source_id", "producer"];

/// Reads one event in its envelope. What is wrong is told by their names.
pub(crate) fn read<'a>(bytes: &'a [u8], limits: &json::Limits) -> Result<Event<'a>, Refusal> {
    let envelope = match json::parse(bytes, limits)? {
        Value::Object(envelope) => envelope,
        _ => return Err(Refusal::new(Code::WrongType, "", "expected an object: one CloudEvent")),
    };
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
