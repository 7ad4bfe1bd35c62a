//! Reading parameters.

use event::json;
use event::{Object, Value};

use super::{LIMIT, LIMIT_MOST, PAGE_MOST, Pairs, VALUES_MOST, Wrong, wrong};
use crate::moment::Moment;

/// The last of a name that says something.
pub(super) fn last<'p>(pairs: &'p Pairs, name: &str) -> Option<&'p str> {
    let mut named = pairs.iter().rev().filter(|(other, value)| other == name && !value.is_empty());
    named.next().map(|(_, value)| value.as_str())
}

/// Every one of a name.
pub(super) fn every(pairs: &Pairs, name: &'static str) -> Result<Vec<String>, Wrong> {
    let named = pairs.iter().filter(|(other, value)| other == name && !value.is_empty());
    few(name, named.map(|(_, value)| value.clone()).collect())
}

/// The values of a JSON array under `plural`, which decides; else every one of `singular`.
pub(super) fn either(
    pairs: &Pairs,
    singular: &'static str,
    plural: &'static str,
) -> Result<Vec<String>, Wrong> {
    match last(pairs, plural) {
        Some(text) => array(plural, text),
        None => every(pairs, singular),
    }
}

/// A JSON array of texts.
pub(super) fn array(name: &'static str, text: &str) -> Result<Vec<String>, Wrong> {
    let bad = || wrong(name, "expected a JSON array of texts");
    let limits = json::Limits { max_bytes: 64 << 10, max_depth: 4 };
    let value = json::parse(text.as_bytes(), &limits).map_err(|_| bad())?;
    let items = value.as_array().ok_or_else(bad)?.iter();
    let texts = items.map(|item| item.as_str().map(str::to_owned).ok_or_else(bad));
    few(name, texts.collect::<Result<_, _>>()?)
}

/// A member that is a text or a list of texts; none is an empty list. An empty text asks for nothing that there is, and among
/// parameters it would ask for everything.
pub(super) fn texts(members: &Object<'_>, name: &'static str) -> Result<Vec<String>, Wrong> {
    let bad = || wrong(name, "expected a list of texts that are not empty");
    let text =
        |item: &Value<'_>| item.as_str().filter(|text| !text.is_empty()).map(str::to_owned).ok_or_else(bad);
    match members.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => few(name, items.iter().map(text).collect::<Result<_, _>>()?),
        Some(one) => Ok(vec![text(one)?]),
    }
}

fn few(name: &'static str, values: Vec<String>) -> Result<Vec<String>, Wrong> {
    match values.len() <= VALUES_MOST {
        true => Ok(values),
        false => Err(wrong(name, format!("at most {VALUES_MOST} values"))),
    }
}

pub(super) fn time(name: &'static str, text: Option<&str>) -> Result<Option<Moment>, Wrong> {
    text.map(Moment::parse).transpose().map_err(|why| wrong(name, why))
}

pub(super) fn page(text: Option<&str>) -> Result<u64, Wrong> {
    match text.map_or(Ok(1), str::parse) {
        Ok(page @ 1..=PAGE_MOST) => Ok(page),
        _ => Err(wrong("page", format!("expected 1 to {PAGE_MOST}"))),
    }
}

pub(super) fn limit(text: Option<&str>) -> Result<usize, Wrong> {
    match text.map_or(Ok(LIMIT), str::parse) {
        Ok(limit @ 1..=LIMIT_MOST) => Ok(limit),
        _ => Err(wrong("limit", format!("expected 1 to {LIMIT_MOST}"))),
    }
}

/// Which of the known words is said.
pub(super) fn word<T: Copy>(
    name: &'static str,
    said: Option<&str>,
    known: &[(&'static str, T)],
    usual: T,
) -> Result<T, Wrong> {
    let Some(said) = said else { return Ok(usual) };
    known.iter().find(|(word, _)| *word == said).map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<String> = known.iter().map(|(word, _)| format!("`{word}`")).collect();
        wrong(name, format!("expected {}", words.join(", ")))
    })
}
