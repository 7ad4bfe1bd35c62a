//! What is kept in columns, besides the terms.

use std::collections::HashMap;
use std::hash::Hasher;
use std::sync::LazyLock;

use foldhash::fast::RandomState;
use siphasher::sip::SipHasher13;

use crate::ids::Tag;

/// Fields to group by: facets, the split of a chart, top lists. Each is a column of text.
pub const FACETS: &[&str] = &[
    "type",
    "status",
    "severity",
    "category",
    "action",
    "environment",
    "project",
    "producer",
    "actor.id",
    "actor.email",
    "llm.provider",
    "llm.model",
    "tool.name",
];

/// Fields to sum, each a column of whole numbers.
pub const NUMBERS: &[&str] = &[
    "llm.tokens_input",
    "llm.tokens_output",
    "llm.tokens_total",
    "llm.tokens_cached",
    "llm.tokens_reasoning",
    "llm.cost",
    "llm.latency_ms",
    "llm.time_to_first_token_ms",
    "tool.latency_ms",
];

/// What a column of numbers holds of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Times, in nanoseconds since 1970.
    Time,
    /// Numbers, multiplied by 10 to this power.
    Scaled(u32),
    /// Decimals in text, multiplied by 10 to this power.
    Decimal(u32),
}

/// A column of numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NumberColumn {
    pub(crate) path: &'static str,
    pub(crate) unit: Unit,
}

/// All of them, by number.
pub(crate) static NUMBER_COLUMNS: &[NumberColumn] = &[
    number("time", Unit::Time),
    number("received", Unit::Time),
    number("producer_seq", Unit::Scaled(0)),
    number("llm.tokens_input", Unit::Scaled(0)),
    number("llm.tokens_output", Unit::Scaled(0)),
    number("llm.tokens_total", Unit::Scaled(0)),
    number("llm.tokens_cached", Unit::Scaled(0)),
    number("llm.tokens_reasoning", Unit::Scaled(0)),
    number("llm.cost", Unit::Decimal(9)),
    number("llm.latency_ms", Unit::Scaled(3)),
    number("llm.time_to_first_token_ms", Unit::Scaled(3)),
    number("tool.latency_ms", Unit::Scaled(3)),
];

const fn number(path: &'static str, unit: Unit) -> NumberColumn {
    NumberColumn { path, unit }
}

/// The column `time`, which is the first.
pub(crate) const TIME: usize = 0;

/// How the values at a path are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// Terms only.
    None,
    /// Terms, and column of text.
    Facet(usize),
    /// Column of numbers, no terms.
    Number(usize),
    /// It is the event's place among the documents.
    Position,
}

/// What is known of a path ahead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) hash: [u8; 8],
    pub(crate) column: Column,
    pub(crate) tag: Tag,
}

/// The fields, by their number; other paths are in open blocks.
pub(crate) static PLACES: LazyLock<Vec<Place>> = LazyLock::new(|| {
    let fields = query::fields();
    assert!(fields.len() < usize::from(crate::ids::ELSEWHERE), "a tag for each field");
    let place = |(tag, path): (usize, &'static str)| {
        let facet = FACETS.iter().position(|p| *p == path).map(Column::Facet);
        let number = NUMBER_COLUMNS.iter().position(|c| c.path == path).map(Column::Number);
        let column = match path {
            "position" => Column::Position,
            _ => facet.or(number).unwrap_or(Column::None),
        };
        Place { hash: crate::term::path_hash(path), column, tag: tag as Tag }
    };
    fields.iter().map(|field| field.path.as_str()).enumerate().map(place).collect()
});

static BY_PATH: LazyLock<HashMap<&'static str, usize, RandomState>> =
    LazyLock::new(|| query::fields().iter().enumerate().map(|(n, field)| (field.path.as_str(), n)).collect());

/// What is known of any path.
pub(crate) fn place(path: &str) -> Place {
    BY_PATH.get(path).map_or_else(|| elsewhere(path), |field| PLACES[*field])
}

/// What is known of a path that is not a field's.
pub(crate) fn elsewhere(path: &str) -> Place {
    Place { hash: crate::term::path_hash(path), column: Column::None, tag: crate::ids::ELSEWHERE }
}

/// Changes with whatever decides what is written: an index of another one begins anew. The number is to be raised
/// when events are written otherwise.
pub(crate) fn version() -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(b"3");
    for field in query::fields() {
        hasher.write(field.path.as_bytes());
        hasher.write(field.kind.name().as_bytes());
    }
    for path in FACETS {
        hasher.write(path.as_bytes());
    }
    for column in NUMBER_COLUMNS {
        hasher.write(format!("{column:?}").as_bytes());
    }
    hasher.finish()
}
