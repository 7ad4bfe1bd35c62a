//! The contract of today's servers: events in the manner of CADF (DSP0262).

mod ask;
mod event;
mod syslog;
mod words;

pub use ask::{Asked, Format, Sort, format};
pub use event::{event, verified};
pub use syslog::line;

use ::event::{Object, Value};

use super::{Pairs, Wrong, values, wrong};
use crate::project::{object, whole};

/// A page that was found, as it is answered. `searchable` is where the ledger ended for the first page.
pub fn page(events: &[Value<'static>], total: u64, asked: &Asked, searchable: u64) -> Value<'static> {
    let limit = asked.limit as u64;
    let end = asked.skip().saturating_add(limit);
    let has_more = end < total;
    let mut members = object([
        ("audit_logs", Value::Array(events.iter().map(event).collect())),
        ("total", whole(total)),
        ("page", whole(asked.page())),
        ("limit", whole(limit)),
        ("total_pages", whole(total.div_ceil(limit))),
        ("has_more", Value::from(has_more)),
    ]);
    if has_more {
        members.insert("next_cursor", asked.cursor(end, searchable));
    }
    Value::Object(members)
}

/// `GET /api/audit-logs/{id}`
pub fn one(shown: &Value<'_>) -> Value<'static> {
    Value::Object(object([("audit_log", event(shown))]))
}

/// Which values events have, for menus.
pub struct Values {
    dimensions: Vec<&'static str>,
    holds: String,
    found: Vec<std::collections::BTreeMap<String, Option<String>>>,
}

/// Different values of one dimension that are listed.
const VALUES_MOST: usize = 1000;

impl Values {
    /// Reads `dimensions`, with commas between them, and `q`, which every value must hold.
    pub fn read(pairs: &Pairs) -> Result<Values, Wrong> {
        let known = || words::DIMENSIONS.iter().map(|(name, _)| *name);
        let dimensions: Vec<&'static str> = match values::last(pairs, "dimensions") {
            None => known().collect(),
            Some(text) => {
                let named = text.split(',').take(words::DIMENSIONS.len() + 1).map(|name| {
                    known().find(|known| *known == name.trim()).ok_or_else(|| {
                        let all: Vec<&str> = known().collect();
                        wrong("dimensions", format!("expected {}", all.join(", ")))
                    })
                });
                named.collect::<Result<_, _>>()?
            }
        };
        let holds = query::fold(values::last(pairs, "q").unwrap_or_default()).into_owned();
        let found = vec![Default::default(); dimensions.len()];
        Ok(Values { dimensions, holds, found })
    }

    /// Takes in the values of an event.
    pub fn add(&mut self, shown: &Value<'_>) {
        for (dimension, found) in self.dimensions.iter().zip(&mut self.found) {
            let Some((_, of)) = words::DIMENSIONS.iter().find(|(name, _)| name == dimension) else {
                continue;
            };
            for (value, name) in of(shown) {
                let fits = |text: &str| query::fold(text).contains(&self.holds);
                let is_asked = fits(&value) || name.as_deref().is_some_and(fits);
                if is_asked && (found.len() < VALUES_MOST || found.contains_key(&value)) {
                    let held = found.entry(value).or_default();
                    *held = held.take().or(name);
                }
            }
        }
    }

    /// As they are answered: texts in order, and `{id, name}` of who did it and what it was done to.
    pub fn answer(self) -> Value<'static> {
        let mut members = Object::new();
        for (dimension, found) in self.dimensions.into_iter().zip(self.found) {
            let is_named = ["initiators", "targets"].contains(&dimension);
            let one = |(value, name): (String, Option<String>)| match is_named {
                true => {
                    let name = name.unwrap_or_else(|| value.clone());
                    Value::Object(object([("id", Value::from(value)), ("name", Value::from(name))]))
                }
                false => Value::from(value),
            };
            members.insert(dimension, Value::Array(found.into_iter().map(one).collect()));
        }
        Value::Object(members)
    }
}
