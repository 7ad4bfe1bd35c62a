//! What stands where in an event, in the same places in which a filter looks.

use event::{Object, Value};

/// The first text at a path, as a filter would find it: lists are looked into, and keys may hold points.
pub(crate) fn text<'v>(event: &'v Value<'_>, path: &str) -> Option<&'v str> {
    match event {
        Value::Array(items) => items.iter().find_map(|item| text(item, path)),
        Value::Object(members) => {
            if let Some(found) = members.get(path).and_then(first_text) {
                return Some(found);
            }
            let mut dots = path.match_indices('.');
            dots.find_map(|(dot, _)| text(members.get(&path[..dot])?, &path[dot + 1..]))
        }
        _ => None,
    }
}

fn first_text<'v>(value: &'v Value<'_>) -> Option<&'v str> {
    match value {
        Value::String(text) => Some(text),
        Value::Array(items) => items.iter().find_map(first_text),
        _ => None,
    }
}

/// The event's type.
pub(crate) fn kind<'v>(event: &'v Value<'_>) -> &'v str {
    event.get("type").and_then(Value::as_str).unwrap_or_default()
}

/// The name of a type up to its first point.
pub(crate) fn area(kind: &str) -> &str {
    kind.split_once('.').map_or(kind, |(area, _)| area)
}

/// The name of a type after its last point.
pub(crate) fn verb(kind: &str) -> &str {
    kind.rsplit_once('.').map_or(kind, |(_, verb)| verb)
}

/// A value that is an object; anything else in an object of its own.
pub(crate) fn as_object(value: &Value<'_>) -> Value<'static> {
    match value {
        Value::Null => Value::Null,
        Value::Object(_) => value.clone().into_owned(),
        other => {
            let mut members = Object::new();
            members.insert("value", other.clone().into_owned());
            Value::Object(members)
        }
    }
}

pub(crate) fn object<const N: usize>(members: [(&'static str, Value<'static>); N]) -> Object<'static> {
    Object::from_members(members).expect("our names are distinct")
}

pub(crate) fn or_null(text: Option<&str>) -> Value<'static> {
    text.map_or(Value::Null, |text| Value::from(text.to_owned()))
}

/// A whole number, as text where JSON cannot hold it.
pub(crate) fn whole(n: u64) -> Value<'static> {
    match i64::try_from(n).ok().and_then(Value::integer) {
        Some(number) => number,
        None => Value::from(n.to_string()),
    }
}
