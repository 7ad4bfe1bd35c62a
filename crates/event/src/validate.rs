//! The strict door: walks an event along the table of fields.
//!
//! Members are in order on both sides, so this is a merge; it looks at every member once and allocates nothing for an
//! event that is fine.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::net::IpAddr;

use crate::field::{self, Node, Shape};
use crate::json::{Object, Value, compare_keys};
use crate::refusal::{Code, Fault};
use crate::spec;

type Check = Result<(), Box<Fault>>;

/// Checks an object against a block of the table. A `null` says nothing, as if it were not there, and is taken out:
/// many senders' serialisers write it for what they do not know.
pub(crate) fn block(node: &Node, members: &mut Object<'_>) -> Check {
    let mut expected = node.children.iter();
    let mut nulls = false;
    for (name, value) in members.iter_mut() {
        let ahead = expected.find_map(|child| match compare_keys(child.name, name) {
            Ordering::Less => None,
            order => Some((child, order)),
        });
        let Some((child, Ordering::Equal)) = ahead else { return Err(unknown(node, name)) };
        if value.is_null() && child.shape != Shape::Any {
            nulls = true;
            continue;
        }
        field(child, value).map_err(|fault| fault.under(name))?;
    }
    if nulls {
        members.retain(|name, value| {
            !value.is_null() || node.child(name).is_some_and(|c| c.shape == Shape::Any)
        });
    }
    Ok(())
}

fn field(node: &Node, value: &mut Value<'_>) -> Check {
    if !node.list {
        return one(node, value);
    }
    match value {
        Value::Array(items) => items
            .iter_mut()
            .enumerate()
            .try_for_each(|(i, item)| one(node, item).map_err(|fault| fault.under_index(i))),
        _ => Err(wrong_type("an array", value)),
    }
}

fn one(node: &Node, value: &mut Value<'_>) -> Check {
    let shape = node.shape;
    match (shape, value) {
        (Shape::Any, _) | (Shape::Open, Value::Object(_)) | (Shape::Bool, Value::Bool(_)) => Ok(()),
        (Shape::Block, Value::Object(members)) => block(node, members),
        (Shape::Number, Value::Number(_)) => Ok(()),
        (Shape::Count, Value::Number(n)) => require(shape, n.as_i64().is_some_and(|n| n >= 0)),
        (Shape::Ordinal, Value::Number(n)) => require(shape, n.as_i64().is_some_and(|n| n >= 1)),
        (_, Value::String(text)) => string(shape, text),
        (_, value) => Err(wrong_type(&shape.about(), value)),
    }
}

fn string(shape: Shape, text: &str) -> Check {
    match shape {
        Shape::Text(max) => require(shape, at_most(text, max)),
        Shape::Id => require(shape, !text.is_empty() && at_most(text, 256) && !has_control(text)),
        Shape::Decimal => require(shape, is_decimal(text)),
        // Read, and refused, where its value is wanted: in the event's core.
        Shape::Time => Ok(()),
        Shape::Ip => require(shape, text.parse::<IpAddr>().is_ok()),
        Shape::Fingerprint => require(shape, made_of(text, 256, &FINGERPRINT)),
        Shape::Producer => require(shape, made_of(text, 64, &PRODUCER)),
        Shape::Class => {
            require(shape, made_of(text, 32, &CLASS) && !text.bytes().any(|b| b.is_ascii_uppercase()))
        }
        Shape::Count
        | Shape::Ordinal
        | Shape::Number
        | Shape::Bool
        | Shape::Block
        | Shape::Open
        | Shape::Any => Err(wrong_type(&shape.about(), &Value::String(Cow::Borrowed("")))),
    }
}

fn require(shape: Shape, holds: bool) -> Check {
    if holds { Ok(()) } else { Err(bad_value(shape)) }
}

#[cold]
fn bad_value(shape: Shape) -> Box<Fault> {
    let reason = match shape {
        Shape::Ip => "not an IP address".to_string(),
        _ => format!("not {}", shape.about()),
    };
    Fault::new(Code::BadValue, reason)
}

#[cold]
fn wrong_type(expected: &str, found: &Value<'_>) -> Box<Fault> {
    Fault::new(Code::WrongType, format!("expected {expected}, found {}", found.type_name()))
}

fn at_most(text: &str, chars: usize) -> bool {
    // Never more characters than bytes, so most texts need no counting.
    text.len() <= chars || text.chars().count() <= chars
}

fn has_control(text: &str) -> bool {
    // Nearly every id is printable ASCII, and that is quick to see, many bytes at once.
    let is_printable = text.bytes().fold(true, |all, b| all & matches!(b, 0x20..=0x7e));
    !is_printable && text.chars().any(char::is_control)
}

/// Bytes that a text may have.
type Bytes = [bool; 256];

static FINGERPRINT: Bytes = alphanumeric_and(b":._=+/-");
static PRODUCER: Bytes = alphanumeric_and(b"._:/-");
static CLASS: Bytes = alphanumeric_and(b"_-");

const fn alphanumeric_and(marks: &[u8]) -> Bytes {
    let mut bytes = [false; 256];
    let mut byte = 0;
    while byte < bytes.len() {
        bytes[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut mark = 0;
    while mark < marks.len() {
        bytes[marks[mark] as usize] = true;
        mark += 1;
    }
    bytes
}

fn made_of(text: &str, max: usize, bytes: &Bytes) -> bool {
    (1..=max).contains(&text.len()) && text.bytes().all(|b| bytes[usize::from(b)])
}

/// `-?\d{1,18}(\.\d{1,18})?`
fn is_decimal(text: &str) -> bool {
    let digits = |part: &str| (1..=18).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    match text.split_once('.') {
        None => digits(text),
        Some((whole, fraction)) => digits(whole) && digits(fraction),
    }
}

/// Names what the sender may have meant: a field of this block a letter or two away, the home of a specification's field
/// of that name, or else `attributes`.
#[cold]
fn unknown(node: &Node, name: &str) -> Box<Fault> {
    let near = node
        .children
        .iter()
        .map(|child| (distance(child.name, name), child.name))
        .filter(|(far, child)| *far <= 2 && *far * 3 <= child.len())
        .min();
    let home = || spec::HOMES.iter().find(|home| home.theirs == name && field::find(home.ours).is_some());
    let hint = match (near, home()) {
        (_, Some(home)) if near.is_none_or(|(far, _)| far > 1) => format!("its home is `{}`", home.ours),
        (Some((_, near)), _) => format!("`{near}` is near; anything else goes in `attributes`"),
        _ => "what has no field of its own goes in `attributes`".to_string(),
    };
    Fault::new(Code::UnknownField, format!("not a field here; {hint}")).under(name)
}

/// Edits from one name to the other: letters put in, taken out, changed. Names from strangers may be long, so anything
/// longer than our longest name is simply far.
fn distance(ours: &str, theirs: &str) -> usize {
    if theirs.len() > 40 {
        return usize::MAX / 4;
    }
    let (a, b) = (ours.as_bytes(), theirs.as_bytes());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(!x.eq_ignore_ascii_case(y));
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
