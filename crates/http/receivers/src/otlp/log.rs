//! A log record, as an event: of a model's call, or whatever else its name says.

use event::{Event, Object, Refusal, Value};

use super::Mapped;
use super::genai::{self, Base};
use super::homes::{self, set};
use super::identity::Identities;
use super::kinds::{self, Family, Noise, What, what};
use super::reading::Reading;
use super::record::{Group, Log};
use super::span::time_of;
use crate::kept::{self, Fingerprint, is_nothing, put, short_text};
use crate::redactions::Why;

/// Longest text of an attribute without a home that is kept of a record that was meant as an event.
const TEXT_CHARS: usize = 4096;

pub(super) fn map(
    group: &Group<'_>,
    mut log: Log<'_>,
    identities: &mut Identities,
    keyed: &Fingerprint<'_>,
) -> Result<Mapped, Refusal> {
    if log.event.is_empty()
        && let Some(Value::String(name)) = log.attributes.remove("event.name")
    {
        // Where the name stood before it got a field of its own.
        log.event = name;
    }
    let is_audit = group.is_audit
        || ["log.type", "log_type"].iter().any(|name| {
            log.attributes
                .get(name)
                .and_then(Value::as_str)
                .is_some_and(|kind| kind.eq_ignore_ascii_case("audit"))
        });
    let said = match log.event.as_ref() {
        "" if !is_audit => return Ok(Mapped::Noise(Noise::Diagnostics)),
        "gen_ai.client.inference.operation.details" => None,
        "gen_ai.evaluation.result" => Some(what("agent.evaluation", Family::Other)),
        "gen_ai.guardrail.result" => Some(what("guardrail.check", Family::Guardrail)),
        "gen_ai.client.operation.exception" => Some(what("error.provider", Family::Other)),
        "gen_ai.execute_tool.exception" => Some(what("error.raised", Family::Other)),
        "gen_ai.choice"
        | "gen_ai.system.message"
        | "gen_ai.user.message"
        | "gen_ai.assistant.message"
        | "gen_ai.tool.message" => return Ok(Mapped::Noise(Noise::Message)),
        _ => return general(group, log, identities, keyed).map(|event| Mapped::Event(Box::new(event))),
    };
    let is_call = said.is_none();
    let source_id = match is_call && !log.trace.is_empty() && !log.span.is_empty() {
        // One record for a call.
        true => format!("{}:{}:log", log.trace, log.span),
        false => identities.of(group, &mut log, keyed),
    };
    let event = start(&log, source_id);
    let failed = log.severity >= 17;
    let mut attributes = log.attributes;
    if let (true, Value::Object(body)) = (is_call, log.body) {
        // The first version of this record said everything in its body.
        for (name, value) in body {
            if attributes.get(&name).is_none() {
                attributes.insert(name, value);
            }
        }
    }
    let reading = Reading::new(attributes, keyed);
    let what = said.unwrap_or_else(|| match kinds::of_attributes(&reading) {
        Ok(what) => what,
        Err(_) => What { kind: "llm.request".to_owned(), family: Family::Model },
    });
    let base = Base { event, took: None, failed };
    Ok(Mapped::Event(Box::new(genai::event(group, base, what, reading, &[])?)))
}

/// Times and ids.
fn start(log: &Log<'_>, source_id: String) -> Object<'static> {
    let mut event = Object::new();
    put(&mut event, "source_id", Some(source_id));
    put(&mut event, "trace_id", Some(log.trace.clone()).filter(|id| !id.is_empty()));
    put(&mut event, "span_id", Some(log.span.clone()).filter(|id| !id.is_empty()));
    put(&mut event, "time", time_of(log.time).or_else(|| time_of(log.observed)));
    event
}

/// A record of anything: its name is the type, its body the message, its attributes are named as ours are, or as
/// OpenTelemetry's, or kept as they come.
fn general(
    group: &Group<'_>,
    mut log: Log<'_>,
    identities: &mut Identities,
    keyed: &Fingerprint<'_>,
) -> Result<Event<'static>, Refusal> {
    let source_id = identities.of(group, &mut log, keyed);
    let mut event = start(&log, source_id);
    let kind = if log.event.is_empty() { "other".into() } else { log.event };
    put(&mut event, "type", Some(kind.into_owned()));
    let mut reading = Reading::new(log.attributes, keyed);
    homes::fill_own(&mut event, &mut reading);
    genai::shared(&mut event, group);
    let outcome = reading.word("event.outcome").or_else(|| reading.word("outcome"));
    if let Some(message) = reading.text("exception.message", 8192) {
        set(&mut event, "error.message", Value::from(message));
    }
    if let Some(hash) = reading.fingerprint("exception.stacktrace", Why::ErrorText) {
        set(&mut event, "error.stack_fingerprint", Value::from(hash));
    }
    homes::fill(&mut event, &mut reading, |_| false);
    let is_error = event.get("error").is_some_and(|error| error.get("type").is_some());
    if let Some(outcome) = outcome.or_else(|| is_error.then(|| "failed".to_owned())) {
        set(&mut event, "status", Value::from(outcome));
    }
    // How grave a line of a log is says little when it is not grave; what kind of event it is says more.
    let severity = match log.severity {
        21.. => Some("critical"),
        17..=20 => Some("high"),
        13..=16 => Some("medium"),
        _ => None,
    };
    if let Some(severity) = severity {
        set(&mut event, "severity", Value::from(severity));
    }
    match log.body {
        Value::String(text) if text.trim().is_empty() => {}
        Value::String(text) if text.chars().count() <= 65_536 => {
            set(&mut event, "message", Value::from(text.into_owned()));
        }
        body if is_nothing(&body) => {}
        body if body.to_jcs().len() <= 64 << 10 => {
            genai::put_attribute(&mut event, "body", body.into_owned());
        }
        body => reading.redactions.dropped("/body", Why::TooLarge, &body),
    }
    genai::who(&mut event);
    // Objects are kept as well here: whoever writes an event means what they say.
    let nested: Vec<(String, Value<'static>)> = reading
        .attributes
        .iter()
        .filter(|(_, value)| {
            matches!(value, Value::Object(_) | Value::Array(_)) && value.to_jcs().len() <= 16 << 10
        })
        .filter(|(name, _)| short_text(name, 128).is_ok())
        .map(|(name, value)| (name.to_owned(), value.clone().into_owned()))
        .collect();
    for (name, value) in nested.into_iter().take(16) {
        reading.attributes.remove(&name);
        genai::put_attribute(&mut event, &name, value);
    }
    genai::rest(&mut event, reading, TEXT_CHARS);
    kept::event(event)
}
