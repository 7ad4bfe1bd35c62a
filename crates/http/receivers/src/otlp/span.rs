//! A span, as an event.

use event::{Code, Object, Refusal, Value, time};

use super::genai::{self, Base};
use super::reading::Reading;
use super::record::{FAILED, Group, Span};
use super::{Mapped, kinds};
use crate::kept::{Fingerprint, put, short_text};
use crate::redactions::Why;

pub(super) fn map(group: &Group<'_>, span: Span<'_>, keyed: &Fingerprint<'_>) -> Result<Mapped, Refusal> {
    let Span { attributes, .. } = span;
    let span = Span { attributes: Object::new(), ..span };
    let mut reading = Reading::new(attributes, keyed);
    let what = match kinds::of_span(group, &span, &mut reading) {
        Ok(what) => what,
        Err(noise) => return Ok(Mapped::Noise(noise)),
    };
    if span.trace.is_empty() {
        return Err(Refusal::new(Code::Missing, "/trace_id", "a span has one that is not all zeros"));
    }
    if span.span.is_empty() {
        return Err(Refusal::new(Code::Missing, "/span_id", "a span has one that is not all zeros"));
    }
    let mut event = Object::new();
    put(&mut event, "source_id", Some(format!("{}:{}", span.trace, span.span)));
    put(&mut event, "trace_id", Some(span.trace.clone()));
    put(&mut event, "span_id", Some(span.span.clone()));
    put(&mut event, "parent_span_id", Some(span.parent.clone()).filter(|id| !id.is_empty()));
    let ended = time_of(span.end);
    let took = (ended.is_some() && span.start > 0 && span.end >= span.start).then(|| span.end - span.start);
    put(&mut event, "time", ended.or_else(|| time_of(span.start)));
    match short_text(&span.name, 256) {
        Ok(name) if !name.trim().is_empty() => put(&mut event, "action", Some(name)),
        Ok(_) => {}
        Err(why) => reading.redactions.dropped("/name", why, &Value::from(span.name.clone())),
    }
    reading.redactions.dropped("/status/message", Why::ErrorText, &Value::from(span.status_message.clone()));
    let base = Base { event, took, failed: span.status == FAILED };
    let event = genai::event(group, base, what, reading, &span.events)?;
    Ok(Mapped::Event(Box::new(event)))
}

/// Nanoseconds since 1970 as text; nothing if no time was said, or one that no calendar here has.
pub(super) fn time_of(ns: u64) -> Option<String> {
    let ns = i64::try_from(ns).ok().filter(|ns| *ns > 0)?;
    let text = time::format_ns(ns);
    time::parse(&text).is_ok().then_some(text)
}
