//! The values of an event, each with its path.

use std::borrow::Cow;
use std::ops::ControlFlow;

use event::Value;
use event::kind::category_of;

use crate::field::{Kind, NOT_OF_THE_EVENT, Node, field_at, kind_at, root};
use crate::words::is_unique;

/// A value of an event that is neither `null` nor made of others.
#[derive(Clone, Copy, Debug)]
pub struct Leaf<'a> {
    /// Names joined by dots; places in lists are left out.
    pub path: &'a str,
    /// The path of the object that it is a member of: the front of `path`, empty at the top.
    pub above: &'a str,
    /// What [`crate::kind_of`] says of the path.
    pub kind: Kind,
    /// Which of [`crate::fields`] it is; none if the path is not in the table.
    pub field: Option<usize>,
    /// The value.
    pub value: &'a Value<'a>,
}

/// How free text finds a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Searched<'a> {
    /// Not at all: numbers, times, `true` and `false`.
    Not,
    /// As a whole: ids.
    Whole(&'a str),
    /// By its words.
    Words(&'a str),
}

impl<'a> Leaf<'a> {
    /// How free text finds it.
    pub fn searched(&self) -> Searched<'a> {
        searched(self.kind, self.value)
    }
}

pub(crate) fn searched<'a>(kind: Kind, value: &'a Value<'_>) -> Searched<'a> {
    match (kind, value) {
        (Kind::Id, Value::String(text)) => Searched::Whole(text),
        (Kind::Keyword | Kind::Prose | Kind::Open | Kind::Ip, Value::String(text)) => {
            if is_unique(text) {
                Searched::Whole(text)
            } else {
                Searched::Words(text)
            }
        }
        _ => Searched::Not,
    }
}

/// Walks an event once and hands out every leaf, and `category` as its type says it. `leaf_hash`, `state` and
/// `verification`, which may be shown with an event, are not of it.
pub fn visit(event: &Value<'_>, each: &mut impl FnMut(Leaf<'_>)) {
    let _ = walk(event, &mut |leaf| {
        each(leaf);
        ControlFlow::Continue(())
    });
}

/// The same, until `each` breaks.
pub(crate) fn walk(event: &Value<'_>, each: &mut impl FnMut(Leaf<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
    let Value::Object(members) = event else { return ControlFlow::Continue(()) };
    let mut path = String::with_capacity(64);
    for (name, value) in members.iter() {
        if !NOT_OF_THE_EVENT.contains(&name) {
            path.clear();
            path.push_str(name);
            descend(value, root().below(name), &mut path, 0, each)?;
        }
    }
    if let Some(category) = category(event) {
        let value = Value::String(Cow::Borrowed(category));
        let node = root().below("category");
        each(Leaf {
            path: "category",
            above: "",
            kind: kind_at(node),
            field: field_at(node),
            value: &value,
        })?;
    }
    ControlFlow::Continue(())
}

/// The category of an event's type.
pub(crate) fn category(event: &Value<'_>) -> Option<&'static str> {
    Some(category_of(event.get("type")?.as_str()?).name())
}

fn descend(
    value: &Value<'_>,
    node: Option<&Node>,
    path: &mut String,
    above: usize,
    each: &mut impl FnMut(Leaf<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    match value {
        Value::Null => ControlFlow::Continue(()),
        Value::Array(items) => items.iter().try_for_each(|item| descend(item, node, path, above, each)),
        Value::Object(members) => {
            let length = path.len();
            path.push('.');
            members.iter().try_for_each(|(name, value)| {
                path.truncate(length + 1);
                path.push_str(name);
                descend(value, node.and_then(|node| node.below(name)), path, length, each)
            })?;
            path.truncate(length);
            ControlFlow::Continue(())
        }
        value => {
            each(Leaf { path, above: &path[..above], kind: kind_at(node), field: field_at(node), value })
        }
    }
}
