//! One event that passed the door, and the bytes that are kept of it.

use std::borrow::Cow;

use crate::field::{self, Section};
use crate::json::{self, Limits, Object, Value, compare_keys};
use crate::kind::Kind;
use crate::refusal::{Code, Fault, Refusal};
use crate::{outcome, time, validate};

/// The leaf's type for an event whose own type does not fit there.
pub(crate) const OTHER_KIND: &str = "other";

/// One event that passed the door: well formed, every name known, every value in its shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Event<'a> {
    tree: Object<'a>,
    core: Core<'a>,
}

/// What the leaf carries: nothing of it can be erased, and nothing of it is personal.
#[derive(Clone, Debug, PartialEq)]
pub struct Core<'a> {
    /// The type, if it matches `[a-z0-9_.]{1,64}`; else `other`, and the sender's word is in section `what`.
    pub kind: Cow<'a, str>,
    /// When it happened, in nanoseconds since 1970; `None` if the sender did not say.
    pub time_ns: Option<i64>,
    /// See [`outcome::STATUSES`]; 0 = not said, 255 = other.
    pub status: u8,
    /// See [`outcome::SEVERITIES`]; 0 = not said, 255 = other.
    pub severity: u8,
    /// Who sends; empty if it did not say.
    pub producer: Cow<'a, str>,
    /// The producer's counter; 0 if it does not count.
    pub producer_seq: u64,
}

impl<'a> Event<'a> {
    /// Parses one event strictly. Strings are borrowed from `bytes` where they hold no escapes.
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Event<'a>, Refusal> {
        json::read(bytes, limits).and_then(accept).map_err(|fault| fault.into_refusal())
    }

    /// An event from a tree that an adapter built. The same rules, and the same limits, hold.
    pub fn from_value(value: Value<'a>, limits: &Limits) -> Result<Event<'a>, Refusal> {
        if json::depth(&value, limits.max_depth).is_none() {
            return Err(Refusal::new(Code::TooDeep, "", "nested too deeply"));
        }
        let size = value.to_jcs().len();
        if size > limits.max_bytes {
            let reason = format!("{size} bytes, the limit is {}", limits.max_bytes);
            return Err(Refusal::new(Code::TooLarge, "", reason));
        }
        accept(value).map_err(|fault| fault.into_refusal())
    }

    /// What the leaf carries.
    pub fn core(&self) -> &Core<'a> {
        &self.core
    }

    /// The kind in our table, if it is one that we know.
    pub fn kind(&self) -> Option<&'static Kind> {
        Kind::find(&self.core.kind)
    }

    /// The type in the sender's own word.
    pub fn type_said(&self) -> &str {
        self.text("type").unwrap_or(OTHER_KIND)
    }

    /// The organisation the sender named.
    pub fn organisation(&self) -> Option<&str> {
        self.text("organisation")
    }

    /// The sender's own id, whether sent as `source_id` or as `id`.
    pub fn source_id(&self) -> Option<&str> {
        self.text("source_id")
    }

    /// The retention class the sender asked for.
    pub fn retention(&self) -> Option<&str> {
        self.text("retention")
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.tree.get(name).and_then(Value::as_str)
    }

    /// The event as it came, checked: members in order, nulls gone, `id` renamed to `source_id`.
    pub fn tree(&self) -> &Object<'a> {
        &self.tree
    }

    /// The same, for redaction to change. The rules of the door no longer hold for what is put there (a mask is no IP
    /// address), and the core stays what it was. Take [`Event::submitted`] first.
    pub fn tree_mut(&mut self) -> &mut Object<'a> {
        &mut self.tree
    }

    /// The event without borrowing from the bytes it was parsed from.
    pub fn into_owned(self) -> Event<'static> {
        let core = Core {
            kind: Cow::Owned(self.core.kind.into_owned()),
            producer: Cow::Owned(self.core.producer.into_owned()),
            ..self.core
        };
        Event { tree: self.tree.into_owned(), core }
    }

    /// Canonical bytes of the event as submitted, without anything that we mint: what a duplicate is told apart from a
    /// conflict by.
    pub fn submitted(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1024);
        self.tree.write_jcs(&mut out);
        out
    }

    /// The sections that this event has and their canonical bodies, in ascending order of name.
    pub fn sections(&self) -> Vec<(&'static str, Vec<u8>)> {
        let mut bodies = SectionBodies::default();
        self.write_sections(&mut bodies);
        let named = SectionBodies::NAMES.iter().copied().zip(bodies.0);
        named.filter(|(_, body)| !body.is_empty()).collect()
    }

    /// The same into `bodies`, where the event before may have left its own: their memory is used again.
    pub fn write_sections(&self, bodies: &mut SectionBodies) {
        bodies.0.iter_mut().for_each(Vec::clear);
        // In order on both sides, as at the door.
        let mut expected = field::ROOT.children.iter().peekable();
        for (name, value) in self.tree.iter() {
            while expected.next_if(|child| compare_keys(child.name, name).is_lt()).is_some() {}
            let node = expected.next_if(|child| child.name == name);
            let body = &mut bodies.0[match node.map_or(Section::What, |node| node.section) {
                Section::Ledger => continue,
                Section::Core if !self.is_beside_leaf(name) => continue,
                Section::Content => 0,
                Section::Redactions => 1,
                Section::Core | Section::What => 2,
                Section::Who => 3,
            }];
            body.push(if body.is_empty() { b'{' } else { b',' });
            json::write_string(name, body);
            body.push(b':');
            value.write_jcs(body);
        }
        bodies.0.iter_mut().filter(|body| !body.is_empty()).for_each(|body| body.push(b'}'));
    }

    /// Whether a core field is also kept in `what`: a word that the leaf has no number for.
    fn is_beside_leaf(&self, name: &str) -> bool {
        match name {
            "type" => self.type_said() != self.core.kind,
            "status" => self.core.status == outcome::OTHER,
            "severity" => self.core.severity == outcome::OTHER,
            _ => false,
        }
    }
}

/// Canonical bodies of an event's sections.
#[derive(Debug, Default)]
pub struct SectionBodies([Vec<u8>; 4]);

impl SectionBodies {
    /// Names of the sections, ascending.
    pub const NAMES: [&'static str; 4] =
        [Section::Content.name(), Section::Redactions.name(), Section::What.name(), Section::Who.name()];

    /// The bodies in the order of [`SectionBodies::NAMES`]; `None` where the event has no such section.
    pub fn get(&self) -> [Option<&[u8]>; 4] {
        self.0.each_ref().map(|body| (!body.is_empty()).then_some(&**body))
    }
}

fn accept(value: Value<'_>) -> Result<Event<'_>, Box<Fault>> {
    let Value::Object(mut tree) = value else {
        return Err(Fault::new(Code::WrongType, format!("expected an object, found {}", value.type_name())));
    };
    validate::block(&field::ROOT, &mut tree)?;
    if let Some(id) = tree.remove("id") {
        match tree.get("source_id") {
            Some(source_id) if *source_id != id => {
                let reason = "`id` and `source_id` are two names for one thing, and differ";
                return Err(Fault::new(Code::Conflict, reason).under("id"));
            }
            _ => tree.insert("source_id", id),
        };
    }
    let core = core(&tree)?;
    Ok(Event { tree, core })
}

fn core<'a>(tree: &Object<'a>) -> Result<Core<'a>, Box<Fault>> {
    let text = |name: &str| match tree.get(name) {
        Some(Value::String(text)) => Some(text.clone()),
        _ => None,
    };
    let Some(said) = text("type") else {
        return Err(Fault::new(Code::Missing, "an event says at least its type").under("type"));
    };
    let kind = if fits_leaf(&said) { said } else { Cow::Borrowed(OTHER_KIND) };
    let producer = text("producer").unwrap_or_default();
    let producer_seq = tree.get("producer_seq").and_then(Value::as_i64).map_or(0, i64::unsigned_abs);
    if producer_seq > 0 && producer.is_empty() {
        let reason = "a number in a producer's sequence, but no `producer`";
        return Err(Fault::new(Code::Conflict, reason).under("producer_seq"));
    }
    Ok(Core {
        time_ns: match text("time") {
            Some(text) => {
                let read = time::parse(&text);
                Some(read.map_err(|reason| Fault::new(Code::BadValue, reason).under("time"))?)
            }
            None => None,
        },
        status: text("status").map_or(outcome::NOT_SAID, |word| outcome::status_code(&word)),
        severity: match text("severity") {
            Some(word) => outcome::severity_code(&word),
            None => Kind::find(&kind).map_or(outcome::NOT_SAID, |kind| kind.severity.code()),
        },
        kind,
        producer,
        producer_seq,
    })
}

/// `[a-z0-9_.]{1,64}`
fn fits_leaf(kind: &str) -> bool {
    (1..=64).contains(&kind.len())
        && kind.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.'))
}

#[cfg(test)]
mod tests;
