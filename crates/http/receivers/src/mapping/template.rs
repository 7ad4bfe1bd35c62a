//! Text with places of the record in it: `"aws.{eventSource:first}.{eventName:snake}"`, `"{actor.login | actor.id}"`.

use std::borrow::Cow;
use std::net::IpAddr;

use event::json::{self, Limits};
use event::{Number, Value};

use super::path::Path;
use crate::litellm::Fingerprint;

/// Text, and places in it.
#[derive(Debug)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Text(String),
    Place(Place),
}

/// The first of some places that says something, and what is done with it.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) paths: Vec<Path>,
    pub(super) filter: Option<Filter>,
}

/// What is done with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    /// Small letters.
    Lower,
    /// `ConsoleLogin` as `console_login`; everything but letters, digits and dots as `_`.
    Snake,
    /// Up to the first dot.
    First,
    /// Behind the last slash.
    Last,
    /// An address without its port; nothing if it is none.
    Ip,
    /// A number or a truth value as text.
    Text,
    /// Text that is a number.
    Number,
    /// Text that is JSON.
    Json,
    /// The organisation's keyed fingerprint of it.
    Hash,
}

/// Name, filter, and what it does.
pub(super) const FILTERS: &[(&str, Filter, &str)] = &[
    ("lower", Filter::Lower, "small letters"),
    ("snake", Filter::Snake, "`ConsoleLogin` as `console_login`, all but letters, digits and dots as `_`"),
    ("first", Filter::First, "up to the first dot"),
    ("last", Filter::Last, "behind the last slash"),
    ("ip", Filter::Ip, "an address without port and brackets; nothing if it is none"),
    ("text", Filter::Text, "a number or a truth value as text"),
    ("number", Filter::Number, "text that is a number, as a number"),
    ("json", Filter::Json, "text that is JSON, as what it says"),
    ("hash", Filter::Hash, "the organisation's keyed fingerprint; the value itself is not kept"),
];

/// What was found, and where.
pub(super) struct Found<'v, 'a> {
    pub(super) path: &'v Path,
    pub(super) value: Cow<'v, Value<'a>>,
    /// Whether the value is all that the place said.
    pub(super) is_whole: bool,
}

impl Template {
    /// Reads one. Braces are doubled where they are meant.
    pub(super) fn parse(text: &str) -> Result<Template, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let (brace, after) = rest[at..].split_at(1);
            if let Some(after) = after.strip_prefix(brace) {
                plain.push_str(brace);
                rest = after;
                continue;
            }
            let end = match (brace, after.find('}')) {
                ("{", Some(end)) => end,
                ("{", None) => return Err(format!("{text:?}: a brace is not closed; write {{{{ for one")),
                _ => return Err(format!("{text:?}: a brace closes nothing; write }}}} for one")),
            };
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Place(Place::parse(&after[..end])?));
            rest = &after[end + 1..];
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Template { parts })
    }

    /// The place, if the template is that and nothing else.
    pub(super) fn place(&self) -> Option<&Place> {
        match self.parts.as_slice() {
            [Part::Place(place)] => Some(place),
            _ => None,
        }
    }

    /// The text, if there is no place in it.
    pub(super) fn constant(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The text with what the record says; nothing if one of its places says nothing.
    pub(super) fn text(&self, record: &Value<'_>, fingerprint: &Fingerprint<'_>) -> Option<String> {
        self.parts.iter().try_fold(String::new(), |out, part| match part {
            Part::Text(text) => Some(out + text),
            Part::Place(place) => {
                let found = place.find(record, fingerprint)?;
                Some(out + &text_of(&found.value)?)
            }
        })
    }

    /// Every place in it, as written.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.parts.iter().flat_map(|part| match part {
            Part::Text(_) => [].iter(),
            Part::Place(place) => place.paths.iter(),
        })
    }
}

impl Place {
    fn parse(text: &str) -> Result<Place, String> {
        let (paths, filter) = match text.rsplit_once(':') {
            Some((paths, filter)) => (paths, Some(Filter::named(filter.trim())?)),
            None => (text, None),
        };
        let paths = paths.split('|').map(|path| Path::parse(path.trim()));
        Ok(Place { paths: paths.collect::<Result<_, _>>()?, filter })
    }

    /// The first of the places that says something.
    pub(super) fn find<'v, 'a>(
        &'v self,
        record: &'v Value<'a>,
        fingerprint: &Fingerprint<'_>,
    ) -> Option<Found<'v, 'a>> {
        self.paths.iter().find_map(|path| {
            let value = path.find(record).filter(|value| !says_nothing(value))?;
            let Some(filter) = self.filter else {
                return Some(Found { path, value: Cow::Borrowed(value), is_whole: true });
            };
            let value = filter.apply(value, fingerprint)?;
            let is_whole = !matches!(filter, Filter::Lower | Filter::Snake | Filter::First | Filter::Last);
            Some(Found { path, value: Cow::Owned(value), is_whole })
        })
    }
}

/// What programs write for what they do not know.
pub(super) fn says_nothing(value: &Value<'_>) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A value that has a text: no list and no object.
pub(super) fn text_of(value: &Value<'_>) -> Option<String> {
    match value {
        Value::String(text) => Some(text.to_string()),
        Value::Bool(_) | Value::Number(_) => String::from_utf8(value.to_jcs()).ok(),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

impl Filter {
    pub(super) fn named(name: &str) -> Result<Filter, String> {
        let known = FILTERS.iter().find(|(known, _, _)| *known == name).map(|(_, filter, _)| *filter);
        known.ok_or_else(|| {
            let names: Vec<&str> = FILTERS.iter().map(|(name, _, _)| *name).collect();
            format!("{name:?} is no filter; there are {}", names.join(", "))
        })
    }

    fn apply(self, value: &Value<'_>, fingerprint: &Fingerprint<'_>) -> Option<Value<'static>> {
        let text = text_of(value);
        Some(match self {
            Filter::Lower => Value::from(text?.to_lowercase()),
            Filter::Snake => Value::from(snake(&text?)),
            Filter::First => Value::from(text?.split('.').next().unwrap_or_default().to_owned()),
            Filter::Last => Value::from(text?.rsplit('/').next().unwrap_or_default().to_owned()),
            Filter::Ip => Value::from(ip(&text?)?.to_string()),
            Filter::Text => Value::from(text?),
            Filter::Number => match value {
                Value::Number(number) => Value::Number(*number),
                _ => {
                    let text = text?;
                    let whole = text.parse().ok().and_then(Number::from_i64);
                    Value::Number(whole.or_else(|| Number::from_f64(text.parse().ok()?))?)
                }
            },
            Filter::Json => match value {
                Value::String(text) => {
                    let limits = Limits { max_bytes: 1 << 20, max_depth: 32 };
                    json::parse(text.as_bytes(), &limits).ok()?.into_owned()
                }
                other => other.clone().into_owned(),
            },
            Filter::Hash => Value::from(fingerprint(text?.as_bytes())),
        })
    }
}

/// Capitals become small letters with `_` before them, and what is neither letter, digit nor dot becomes `_`.
fn snake(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut before = '_';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let begins = c.is_uppercase()
            && (before.is_lowercase()
                || before.is_ascii_digit()
                || before.is_uppercase() && chars.peek().is_some_and(|next| next.is_lowercase()));
        if begins {
            out.push('_');
        }
        match c {
            '.' => out.push('.'),
            c if c.is_alphanumeric() => out.extend(c.to_lowercase()),
            _ if out.ends_with(['_', '.']) || out.is_empty() => {}
            _ => out.push('_'),
        }
        before = c;
    }
    out
}

/// An address, perhaps with a port or in brackets.
pub(super) fn ip(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => text,
    };
    bare.parse().ok().or_else(|| {
        let (host, port) = bare.rsplit_once(':')?;
        port.parse::<u16>().ok()?;
        host.parse::<std::net::Ipv4Addr>().ok().map(IpAddr::V4)
    })
}
