//! Mapping files: what a source's records are as our events, said in TOML, so that a new source needs no code.
//!
//! [`Mapping::parse`] reads one and says everything that is wrong with it, with its line; [`Mapping::map`] turns one record
//! into an event. `README.md` beside this file has the language; [`shipped`] has those that come with us.

mod apply;
mod file;
mod path;
pub mod receive;
mod template;
mod value;

#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use event::json::Limits;
use event::{Code, Refusal, Value};

use file::Block;
use path::Path;

/// How much one document of records may be, beside what the door allows.
pub const DOCUMENT_LIMITS: Limits = Limits { max_bytes: 1 << 30, max_depth: 96 };

/// Largest mapping file, in bytes.
pub const BYTES_MOST: usize = 256 << 10;

/// A mapping, ready to be used.
#[derive(Debug)]
pub struct Mapping {
    /// Its name: `[a-z0-9_-]{1,40}`.
    pub name: String,
    /// What it reads.
    pub about: String,
    /// The version of the source it was written for, and where its documentation is.
    pub observed: String,
    /// What the source can't tell, a sentence each.
    pub cannot: Vec<String>,
    /// The producer that events name.
    producer: String,
    /// Where in a document the records lie; the first that is there.
    records: Vec<Path>,
    /// What is not kept of a record.
    drop: Vec<Path>,
    /// Whether what has no home is kept, in `attributes` under the mapping's name.
    keeps_rest: bool,
    event: Block,
}

/// Something that is wrong with a mapping file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Line of the file, from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub what: String,
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl Mapping {
    /// Reads a mapping file. Everything that is wrong with it, if anything is.
    pub fn parse(text: &str) -> Result<Mapping, Vec<Wrong>> {
        file::parse(text)
    }

    /// The records of a document: where the mapping says that they lie, else the document itself.
    pub fn records<'v, 'a>(&self, document: &'v Value<'a>) -> Result<Vec<&'v Value<'a>>, Refusal> {
        for path in &self.records {
            match path.find(document) {
                Some(Value::Array(items)) => return Ok(items.iter().collect()),
                Some(one @ Value::Object(_)) => return Ok(vec![one]),
                _ => {}
            }
        }
        match document {
            Value::Object(_) if self.records.is_empty() => Ok(vec![document]),
            Value::Object(_) => {
                let places: Vec<String> = self.records.iter().map(|path| format!("`{path}`")).collect();
                let reason = format!("mapping {}: no records at {}", self.name, places.join(" or "));
                Err(Refusal::new(Code::Missing, "", reason))
            }
            other => Err(Refusal::new(
                Code::WrongType,
                "",
                format!("expected an object, found {}", other.type_name()),
            )),
        }
    }

    /// The event's fields that it fills, and what it fills them with, in words.
    pub fn fields(&self) -> Vec<(String, String)> {
        let mut fields = vec![("producer".to_owned(), format!("`{}`", self.producer))];
        self.event.tell("", &mut fields);
        if self.keeps_rest {
            fields.push((format!("attributes.{}", self.name), "what has no home".to_owned()));
        }
        fields
    }

    /// The types that it gives events by name.
    pub fn types(&self) -> Vec<String> {
        self.event.types()
    }
}

/// An address without port and brackets, as the filter `ip` reads it.
pub(crate) fn ip(text: &str) -> Option<String> {
    template::ip(text).map(|address| address.to_string())
}

/// Whether a mapping may have this name.
pub fn is_name(name: &str) -> bool {
    (1..=40).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'))
}

/// Mappings that come with us, and their text.
pub const SHIPPED: &[(&str, &str)] = &[
    ("cloudtrail", include_str!("mapping/shipped/cloudtrail.toml")),
    ("github", include_str!("mapping/shipped/github.toml")),
    ("okta", include_str!("mapping/shipped/okta.toml")),
];

/// The mapping of that name that comes with us.
pub fn shipped(name: &str) -> Option<&'static Mapping> {
    static ALL: OnceLock<Vec<Mapping>> = OnceLock::new();
    let read = |(name, text): &(&str, &str)| {
        Mapping::parse(text)
            .unwrap_or_else(|wrong| panic!("the mapping {name} that comes with us: {wrong:?}"))
    };
    ALL.get_or_init(|| SHIPPED.iter().map(read).collect()).iter().find(|mapping| mapping.name == name)
}
