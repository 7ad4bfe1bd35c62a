//! Attributes that have a home in our event, by the one table of OpenTelemetry's names.

use std::net::{IpAddr, SocketAddr};

use event::field::{self, Shape};
use event::json::{Limits, parse};
use event::otel::{self, Age};
use event::{Object, Value};

use super::reading::{Reading, number, plain, text};
use crate::kept::{ITEMS_MAX, money_18};
use crate::redactions::Why;

/// Homes that take more than copying; whoever knows them fills them.
const SPECIAL: [&str; 5] =
    ["error.message", "llm.documents[]", "llm.parameters", "llm.time_to_first_token_ms", "producer"];

/// Puts attributes into the places that are free. Current names come before older ones, and those before others'.
/// `skip` says which places are not for this event.
pub(super) fn fill(event: &mut Object<'static>, reading: &mut Reading<'_, '_>, skip: impl Fn(&str) -> bool) {
    let mut found: Vec<&'static otel::Name> =
        reading.attributes.iter().filter_map(|(name, _)| otel::find(name)).collect();
    found.sort_by_key(|name| match name.age {
        Age::Current => 0,
        Age::Older => 1,
        Age::Vendor => 2,
    });
    for name in found {
        let is_content = name.ours.starts_with("content.");
        let is_kind = name.otel == "openinference.span.kind";
        if is_content || is_kind || SPECIAL.contains(&name.ours) || skip(name.ours) {
            continue;
        }
        put_home(event, reading, name.otel, name.ours);
    }
}

/// Places of ours that hold structures, without fingerprints in them that we would have to have made.
const BLOCKS: [&str; 7] = [
    "changes.after",
    "changes.before",
    "content.input",
    "content.output",
    "content.prompt",
    "content.response",
    "targets[]",
];

/// Puts attributes that are named as our own fields are where they are named.
pub(super) fn fill_own(event: &mut Object<'static>, reading: &mut Reading<'_, '_>) {
    // What the record itself says, and what others must be able to trust.
    const NOT: [&str; 9] = [
        "attributes",
        "id",
        "organisation",
        "producer",
        "producer_seq",
        "source_id",
        "span_id",
        "time",
        "trace_id",
    ];
    let names: Vec<String> = reading.attributes.iter().map(|(name, _)| name.to_owned()).collect();
    for name in names {
        let Some(field) = field::find(&name).or_else(|| field::find(&format!("{name}[]"))) else { continue };
        let first = field.path.split('.').next().unwrap_or("");
        let is_whole = field.path.trim_end_matches("[]") == name;
        if is_whole && BLOCKS.contains(&field.path) {
            // As it comes: whoever uses our names is told if the event does not fit.
            if let Some(value) = reading.take(&name) {
                set(event, field.path, value.into_owned());
            }
            continue;
        }
        if is_whole && !NOT.contains(&first) && first != "redactions" && first != "type" {
            put_home(event, reading, &name, field.path);
        }
    }
}

fn put_home(event: &mut Object<'static>, reading: &mut Reading<'_, '_>, theirs: &str, ours: &'static str) {
    let Some(field) = field::find(ours) else { return };
    let is_list = ours.ends_with("[]");
    let value = reading.convert(theirs, |value| match is_list {
        true => list(field.shape, value),
        false => convert(field.shape, value),
    });
    if let Some(value) = value {
        set(event, ours, value);
    }
}

/// A value in the form that a field has.
fn convert(shape: Shape, value: &Value<'_>) -> Result<Value<'static>, Why> {
    match shape {
        Shape::Text(chars) => text(value, chars).map(Value::from),
        Shape::Id => text(value, 256).map(Value::from),
        Shape::Count => {
            let whole = number(value).filter(|n| *n >= 0.0 && n.fract() == 0.0);
            whole.and_then(Value::number).ok_or(Why::WrongType)
        }
        Shape::Number => number(value).and_then(Value::number).ok_or(Why::WrongType),
        Shape::Decimal => decimal(value).map(Value::from).ok_or(Why::WrongType),
        Shape::Bool => match value {
            Value::Bool(truth) => Ok(Value::Bool(*truth)),
            Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(Value::Bool(true)),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(Value::Bool(false)),
            _ => Err(Why::WrongType),
        },
        Shape::Ip => {
            let text = text(value, 64)?;
            let ip = text.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|at| at.ip()));
            ip.map(|ip| Value::from(ip.to_string())).map_err(|_| Why::BadValue)
        }
        Shape::Open => plain(value),
        // A fingerprint of a stranger's is none; the others are not copied.
        Shape::Ordinal
        | Shape::Time
        | Shape::Fingerprint
        | Shape::Producer
        | Shape::Class
        | Shape::Block
        | Shape::Any => Err(Why::WrongType),
    }
}

/// A list, a list as JSON in a text, or a single value.
fn list(shape: Shape, value: &Value<'_>) -> Result<Value<'static>, Why> {
    let read;
    let items = match value {
        Value::Array(items) => items.as_slice(),
        Value::String(text) if text.starts_with('[') => {
            read = parse(text.as_bytes(), &Limits::default()).map_err(|_| Why::BadValue)?;
            read.as_array().unwrap_or_default()
        }
        one => std::slice::from_ref(one),
    };
    let items: Vec<_> = items.iter().take(ITEMS_MAX).filter_map(|item| convert(shape, item).ok()).collect();
    if items.is_empty() { Err(Why::WrongType) } else { Ok(Value::Array(items)) }
}

/// An amount of money: at most 18 digits before and after the point.
pub(super) fn decimal(value: &Value<'_>) -> Option<String> {
    let amount = number(value)?;
    let text = money_18(amount);
    (text.trim_start_matches('-').split('.').next()?.len() <= 18).then_some(text)
}

/// Puts a value at a path of ours, if nothing is there. Of a list of blocks, its first is meant.
pub(super) fn set(event: &mut Object<'static>, path: &str, value: Value<'static>) {
    let Some((part, rest)) = path.split_once('.') else {
        let name = path.trim_end_matches("[]");
        if event.get(name).is_none() {
            event.insert(name.to_owned(), value);
        }
        return;
    };
    let (name, is_list) = part.strip_suffix("[]").map_or((part, false), |name| (name, true));
    if event.get(name).is_none() {
        let block = Value::Object(Object::new());
        event.insert(name.to_owned(), if is_list { Value::Array(vec![block]) } else { block });
    }
    let block = match event.get_mut(name) {
        Some(Value::Array(items)) => items.first_mut(),
        other => other,
    };
    if let Some(Value::Object(block)) = block {
        set(block, rest, value);
    }
}
