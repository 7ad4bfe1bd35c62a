//! The attributes of a record while it is read: what is taken out of them has found its place, what is left has none.

use event::{Object, Value};

use crate::kept::{Fingerprint, ITEMS_MAX, is_nothing, is_word, short_text};
use crate::redactions::{Done, Redactions, Why, join};

pub(super) struct Reading<'r, 'a> {
    pub(super) attributes: Object<'a>,
    pub(super) keyed: &'r Fingerprint<'r>,
    pub(super) redactions: Redactions,
    /// What a call of LiteLLM's management API is about, if it is one.
    pub(super) managed: Option<&'static str>,
}

/// Where attributes stand in `redactions`.
const AT: &str = "/attributes";

impl<'r, 'a> Reading<'r, 'a> {
    pub(super) fn new(attributes: Object<'a>, keyed: &'r Fingerprint<'r>) -> Reading<'r, 'a> {
        Reading { attributes, keyed, redactions: Redactions::of("otlp"), managed: None }
    }

    /// A text that says something, and stays where it is.
    pub(super) fn peek(&self, name: &str) -> Option<&str> {
        self.attributes.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.attributes.get(name).is_some_and(|value| !is_nothing(value))
    }

    /// A value that says something.
    pub(super) fn take(&mut self, name: &str) -> Option<Value<'a>> {
        self.attributes.remove(name).filter(|value| !is_nothing(value))
    }

    /// Takes out what stands under `prefix.…`, with the rest of the names.
    pub(super) fn take_under(&mut self, prefix: &str) -> Vec<(String, Value<'a>)> {
        let mut found = Vec::new();
        self.attributes.retain(|name, value| {
            let Some(rest) = name.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.')) else {
                return true;
            };
            found.push((rest.to_owned(), std::mem::take(value)));
            false
        });
        found
    }

    pub(super) fn drop(&mut self, name: &str, why: Why) {
        if let Some(value) = self.take(name) {
            self.redactions.dropped(&join(AT, name), why, &value);
        }
    }

    pub(super) fn drop_under(&mut self, prefix: &str, why: Why) {
        let found = self.take_under(prefix);
        if !found.is_empty() {
            let size = found.iter().map(|(_, value)| value.to_jcs().len()).sum();
            self.redactions.note_size(&join(AT, prefix), why, Done::Dropped, size);
        }
    }

    /// A value in a form that makes sense of it, or nothing but the note that it had none.
    fn formed<T>(&mut self, name: &str, form: impl FnOnce(&Value<'a>) -> Result<T, Why>) -> Option<T> {
        let value = self.take(name)?;
        form(&value).map_err(|why| self.redactions.dropped(&join(AT, name), why, &value)).ok()
    }

    pub(super) fn text(&mut self, name: &str, chars: usize) -> Option<String> {
        self.formed(name, |value| text(value, chars))
    }

    pub(super) fn id(&mut self, name: &str) -> Option<String> {
        self.text(name, 256)
    }

    pub(super) fn word(&mut self, name: &str) -> Option<String> {
        self.formed(name, |value| match text(value, 128) {
            Ok(text) if is_word(&text) => Ok(text),
            Ok(_) => Err(Why::BadValue),
            Err(why) => Err(why),
        })
    }

    pub(super) fn number(&mut self, name: &str) -> Option<f64> {
        self.formed(name, |value| number(value).ok_or(Why::WrongType))
    }

    /// A text that is only kept as its fingerprint.
    pub(super) fn fingerprint(&mut self, name: &str, why: Why) -> Option<String> {
        let value = self.take(name)?;
        Some(self.fingerprint_of(&join(AT, name), &value, why))
    }

    pub(super) fn fingerprint_of(&mut self, path: &str, value: &Value<'_>, why: Why) -> String {
        let jcs;
        let bytes = match value {
            Value::String(text) => text.as_bytes(),
            other => {
                jcs = other.to_jcs();
                &jcs
            }
        };
        self.redactions.note_size(path, why, Done::Hashed, bytes.len());
        (self.keyed)(bytes)
    }

    pub(super) fn convert(
        &mut self,
        name: &str,
        form: impl FnOnce(&Value<'a>) -> Result<Value<'static>, Why>,
    ) -> Option<Value<'static>> {
        self.formed(name, form)
    }
}

/// A short text; of a number, its digits.
pub(super) fn text(value: &Value<'_>, chars: usize) -> Result<String, Why> {
    match value {
        Value::String(text) if text.trim().is_empty() => Err(Why::BadValue),
        Value::String(text) => short_text(text, chars),
        Value::Number(_) | Value::Bool(_) => String::from_utf8(value.to_jcs()).map_err(|_| Why::BadValue),
        _ => Err(Why::WrongType),
    }
}

/// A number, or the number in a text.
pub(super) fn number(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Number(n) => Some(n.as_f64()),
        Value::String(text) => text.trim().parse().ok().filter(|n: &f64| n.is_finite()),
        _ => None,
    }
}

/// What can be kept under any name: a number, a truth value, a word, or a list of them.
pub(super) fn plain(value: &Value<'_>) -> Result<Value<'static>, Why> {
    match value {
        Value::Bool(_) | Value::Number(_) => Ok(value.clone().into_owned()),
        Value::String(text) if is_word(text) => Ok(value.clone().into_owned()),
        Value::String(_) => Err(Why::BadValue),
        Value::Array(items) if items.len() > ITEMS_MAX => Err(Why::TooLarge),
        Value::Array(items) => {
            let items: Result<Vec<_>, _> = items
                .iter()
                .map(|item| if item.as_array().is_some() { Err(Why::WrongType) } else { plain(item) })
                .collect();
            items.map(Value::Array)
        }
        Value::Null | Value::Object(_) => Err(Why::WrongType),
    }
}
