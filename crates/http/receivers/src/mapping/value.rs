//! What a field of an event is made of.

use std::borrow::Cow;

use event::Value;

use super::path::Path;
use super::template::{Found, Place, Template, text_of};
use crate::epoch::{self, Unit};
use crate::litellm::Fingerprint;

/// What a field is made of, and the line that says so.
#[derive(Debug)]
pub(super) struct Expression {
    pub(super) line: usize,
    pub(super) what: What,
    /// A record without it is refused.
    pub(super) required: bool,
}

#[derive(Debug)]
pub(super) enum What {
    /// The same for every record.
    Constant(Value<'static>),
    /// Text with places in it; alone, a place keeps the kind of its value.
    Template(Template),
    /// A place whose value is looked up.
    Lookup(Lookup),
}

/// `{ from = …, map = { … }, else = …, missing = …, time = … }`
#[derive(Debug)]
pub(super) struct Lookup {
    pub(super) from: Place,
    /// By the text of the value.
    pub(super) map: Vec<(String, Template)>,
    /// For a value that is not in the map; without it, the value itself if there is no map.
    pub(super) otherwise: Option<Template>,
    /// For a place that says nothing.
    pub(super) missing: Option<Template>,
    pub(super) time: Option<Time>,
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Time {
    /// ISO 8601, as far as programs agree about it.
    Iso,
    /// A number of them since 1970.
    Epoch(Unit),
}

/// Name of a form of times, and what it is.
pub(super) const TIMES: &[(&str, Time, &str)] = &[
    ("iso", Time::Iso, "ISO 8601; without an offset it is UTC"),
    ("s", Time::Epoch(Unit::Seconds), "seconds since 1970, with or without a fraction"),
    ("ms", Time::Epoch(Unit::Millis), "milliseconds since 1970"),
    ("us", Time::Epoch(Unit::Micros), "microseconds since 1970"),
    ("ns", Time::Epoch(Unit::Nanos), "nanoseconds since 1970"),
    ("any", Time::Epoch(Unit::Any), "any of these numbers, told apart by its size"),
];

/// What a record says of a field.
pub(super) struct Said<'v> {
    pub(super) value: Value<'static>,
    /// Where it stands, if all that stands there is in the value.
    pub(super) whole: Option<&'v Path>,
}

impl Expression {
    /// What a record says; why not, if what it says can't be read.
    pub(super) fn say<'v>(
        &'v self,
        record: &'v Value<'_>,
        fingerprint: &Fingerprint<'_>,
    ) -> Result<Option<Said<'v>>, (&'v Path, String)> {
        let said = |value: Value<'static>| Said { value, whole: None };
        Ok(match &self.what {
            What::Constant(value) => Some(said(value.clone())),
            What::Template(template) => match template.place() {
                Some(place) => place.find(record, fingerprint).map(Found::said),
                None => template.text(record, fingerprint).map(|text| said(Value::from(text))),
            },
            What::Lookup(lookup) => lookup.say(record, fingerprint)?,
        })
    }

    /// Every place it looks at.
    pub(super) fn paths(&self) -> Vec<&Path> {
        match &self.what {
            What::Constant(_) => Vec::new(),
            What::Template(template) => template.paths().collect(),
            What::Lookup(lookup) => {
                let templates = lookup.map.iter().map(|(_, template)| template);
                let templates = templates.chain(&lookup.otherwise).chain(&lookup.missing);
                lookup.from.paths.iter().chain(templates.flat_map(Template::paths)).collect()
            }
        }
    }

    /// In words, for tables.
    pub(super) fn about(&self) -> String {
        if let What::Constant(value) = &self.what {
            return format!("always `{}`", text_of(value).unwrap_or_else(|| "a list".to_owned()));
        }
        let mut paths: Vec<String> = Vec::new();
        for path in self.paths() {
            let path = format!("`{path}`");
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        match (paths.is_empty(), &self.what) {
            (true, What::Template(template)) => {
                format!("always `{}`", template.constant().unwrap_or_default())
            }
            _ => paths.join(", "),
        }
    }
}

impl<'v> Found<'v, '_> {
    fn said(self) -> Said<'v> {
        Said { value: self.value.into_owned().into_owned(), whole: self.is_whole.then_some(self.path) }
    }
}

impl Lookup {
    fn say<'v>(
        &'v self,
        record: &'v Value<'_>,
        fingerprint: &Fingerprint<'_>,
    ) -> Result<Option<Said<'v>>, (&'v Path, String)> {
        let text = |template: &Option<Template>| {
            let text = template.as_ref()?.text(record, fingerprint)?;
            Some(Said { value: Value::from(text), whole: None })
        };
        let Some(found) = self.from.find(record, fingerprint) else { return Ok(text(&self.missing)) };
        if let Some(time) = self.time {
            let read = match (time, &*found.value) {
                (Time::Iso, Value::String(text)) => epoch::iso(text),
                (Time::Iso, _) => Err("expected text"),
                (Time::Epoch(unit), value) => epoch::read(value, unit),
            };
            let path = found.path;
            let value = read.map_err(|why| (path, why.to_owned()))?;
            return Ok(Some(Said { value: Value::from(value), whole: Some(path) }));
        }
        let key: Cow<'_, str> = text_of(&found.value).unwrap_or_default().into();
        if let Some((_, template)) = self.map.iter().find(|(value, _)| *value == key) {
            let value = template.text(record, fingerprint).map(Value::from);
            return Ok(value.map(|value| Said { value, whole: None }));
        }
        Ok(match (&self.otherwise, self.map.is_empty()) {
            (Some(_), _) => text(&self.otherwise),
            (None, true) => Some(found.said()),
            (None, false) => None,
        })
    }
}
