//! Does an event pass? This is what a filter means; the index has to give the same answers.

use std::cmp::Ordering;
use std::net::IpAddr;
use std::ops::ControlFlow;

use event::{Value, outcome, time};
use ipnet::IpNet;

use crate::ast::{Bound, Expr, Literal, Test, Text};
use crate::field::{Kind, NOT_OF_THE_EVENT, kind_of};
use crate::leaf::{Searched, category, searched, walk};
use crate::words::{Phrase, a_word_begins, address, decimal, fold, folds_to};

/// A filter made ready to be asked of many events.
#[derive(Clone, Debug)]
pub struct Predicate {
    check: Check,
}

impl Predicate {
    /// Whether the event passes. A time relative to `now` that [`crate::Filter::at`] did not resolve compares with nothing.
    pub fn matches(&self, event: &Value<'_>) -> bool {
        self.check.passes(event)
    }

    /// The expression must be in the form that [`crate::Filter`] gives it.
    pub(crate) fn new(expr: &Expr) -> Predicate {
        Predicate { check: Check::new(expr) }
    }
}

#[derive(Clone, Debug)]
enum Check {
    All,
    Nothing,
    And(Vec<Check>),
    Or(Vec<Check>),
    Not(Box<Check>),
    /// Some value at the path passes.
    At(String, One),
    /// The category of the event's type passes.
    Category(One),
    /// There is a category.
    HasCategory,
    /// There is a value at the path or below it.
    Exists(String),
    Phrase(Whole),
    Prefix(String),
}

/// A phrase, which finds ids as a whole and other text by its words.
#[derive(Clone, Debug)]
struct Whole {
    folded: String,
    phrase: Phrase,
}

/// A test of one value.
#[derive(Clone, Debug)]
enum One {
    Is { folded: String, number: Option<f64>, address: Option<IpAddr> },
    Says(Whole),
    Like(Vec<String>),
    Range { from: Option<(Edge, bool)>, to: Option<(Edge, bool)> },
    Cidr(IpNet),
}

#[derive(Clone, Debug)]
enum Edge {
    Number(f64),
    Time(i64),
    Severity(u8),
    Text(String),
    /// What nothing compares with.
    Nothing,
}

impl Check {
    fn new(expr: &Expr) -> Check {
        match expr {
            Expr::All => Check::All,
            Expr::And(all) => Check::And(cheapest_first(all)),
            Expr::Or(any) => Check::Or(cheapest_first(any)),
            Expr::Not(inner) => Check::Not(Box::new(Check::new(inner))),
            Expr::Text(Text::Phrase(text)) => Check::Phrase(Whole::new(text)),
            Expr::Text(Text::Prefix(start)) => Check::Prefix(fold(start).into_owned()),
            Expr::Field { path, test } => match (path.as_str(), test) {
                ("category", Test::Exists) => Check::HasCategory,
                ("category", test) => Check::Category(One::new(path, test)),
                (path, _) if not_of_the_event(path) => Check::Nothing,
                (path, Test::Exists) => Check::Exists(path.to_string()),
                (path, test) => Check::At(path.to_string(), One::new(path, test)),
            },
        }
    }

    fn passes(&self, event: &Value<'_>) -> bool {
        match self {
            Check::All => true,
            Check::Nothing => false,
            Check::And(all) => all.iter().all(|check| check.passes(event)),
            Check::Or(any) => any.iter().any(|check| check.passes(event)),
            Check::Not(inner) => !inner.passes(event),
            Check::At(path, one) => any_at(event, path, &|value| one.passes(value)),
            Check::Category(one) => category(event).is_some_and(|name| one.passes(&Value::from(name))),
            Check::HasCategory => category(event).is_some(),
            Check::Exists(path) => exists(event, path),
            Check::Phrase(whole) => some_text(event, |text| whole.passes(text)),
            Check::Prefix(start) => {
                some_text(event, |text| matches!(text, Searched::Words(text) if a_word_begins(text, start)))
            }
        }
    }

    /// Looking a path up is some twenty times cheaper than reading all the text.
    fn reads_text(&self) -> bool {
        match self {
            Check::Phrase(_) | Check::Prefix(_) => true,
            Check::And(of) | Check::Or(of) => of.iter().any(Check::reads_text),
            Check::Not(inner) => inner.reads_text(),
            _ => false,
        }
    }
}

fn cheapest_first(exprs: &[Expr]) -> Vec<Check> {
    let mut checks: Vec<Check> = exprs.iter().map(Check::new).collect();
    checks.sort_by_key(Check::reads_text);
    checks
}

fn not_of_the_event(path: &str) -> bool {
    let first = path.split_once('.').map_or(path, |(first, _)| first);
    NOT_OF_THE_EVENT.contains(&first)
}

/// Whether a leaf with this path passes. A key may hold dots, so each dot of the path may or may not divide keys. The work
/// is bounded by the size of the event, since different ways to divide lead to different values.
fn any_at(value: &Value<'_>, path: &str, passes: &impl Fn(&Value<'_>) -> bool) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| any_at(item, path, passes)),
        Value::Object(members) => {
            members.get(path).is_some_and(|value| any_of(value, passes))
                || path.match_indices('.').any(|(dot, _)| {
                    members.get(&path[..dot]).is_some_and(|value| any_at(value, &path[dot + 1..], passes))
                })
        }
        _ => false,
    }
}

/// Whether the value, or one in this list of values, passes.
fn any_of(value: &Value<'_>, passes: &impl Fn(&Value<'_>) -> bool) -> bool {
    match value {
        Value::Null | Value::Object(_) => false,
        Value::Array(items) => items.iter().any(|item| any_of(item, passes)),
        value => passes(value),
    }
}

/// Whether there is a leaf with this path, or with a path that goes on from it after a dot.
fn exists(value: &Value<'_>, path: &str) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| exists(item, path)),
        Value::Object(members) => members.iter().any(|(name, value)| {
            if let Some(rest) = path.strip_prefix(name) {
                match rest.strip_prefix('.') {
                    Some(rest) => exists(value, rest),
                    None => rest.is_empty() && has_leaf(value),
                }
            } else {
                name.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')) && has_leaf(value)
            }
        }),
        _ => false,
    }
}

fn has_leaf(value: &Value<'_>) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => items.iter().any(has_leaf),
        Value::Object(members) => members.iter().any(|(_, value)| has_leaf(value)),
        _ => true,
    }
}

fn some_text(event: &Value<'_>, passes: impl Fn(Searched<'_>) -> bool) -> bool {
    walk(event, &mut |leaf| match passes(leaf.searched()) {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    })
    .is_break()
}

impl Whole {
    fn new(text: &str) -> Whole {
        Whole { folded: fold(text).into_owned(), phrase: Phrase::new(text) }
    }

    fn passes(&self, text: Searched<'_>) -> bool {
        match text {
            Searched::Not => false,
            Searched::Whole(id) => folds_to(id, &self.folded),
            Searched::Words(text) => self.phrase.occurs_in(text),
        }
    }
}

impl One {
    fn new(path: &str, test: &Test) -> One {
        let kind = kind_of(path);
        let edge = |bound: &Option<Bound>| bound.as_ref().map(|b| (Edge::new(path, &b.value), b.inclusive));
        match test {
            Test::Is(text) if kind == Kind::Prose => One::Says(Whole::new(text)),
            Test::Is(text) => One::Is {
                folded: fold(text).into_owned(),
                number: decimal(text).filter(|_| kind != Kind::Id),
                address: address(text).filter(|_| kind == Kind::Ip),
            },
            // `Check::new` has taken it; as a test of a value that is there it is true.
            Test::Exists => One::Like(vec![String::new(), String::new()]),
            Test::Like(parts) => One::Like(parts.iter().map(|part| fold(part).into_owned()).collect()),
            Test::Range { from, to } => One::Range { from: edge(from), to: edge(to) },
            Test::Cidr(network) => One::Cidr(*network),
        }
    }

    /// `value` is a leaf.
    fn passes(&self, value: &Value<'_>) -> bool {
        match self {
            One::Is { folded, number, address: wanted } => match value {
                Value::String(text) => {
                    folds_to(text, folded)
                        || number.is_some_and(|number| decimal(text) == Some(number))
                        || wanted.is_some_and(|wanted| address(text) == Some(wanted))
                }
                Value::Number(n) => *number == Some(n.as_f64()),
                Value::Bool(b) => folded == if *b { "true" } else { "false" },
                _ => false,
            },
            One::Says(whole) => whole.passes(searched(Kind::Prose, value)),
            One::Like(parts) => match value {
                Value::String(text) => fits(parts, &fold(text)),
                Value::Number(_) | Value::Bool(_) => {
                    String::from_utf8(value.to_jcs()).is_ok_and(|text| fits(parts, &text))
                }
                _ => false,
            },
            One::Range { from, to } => {
                let within = |edge: &Option<(Edge, bool)>, beyond: Ordering| {
                    edge.as_ref().is_none_or(|(edge, inclusive)| match edge.compare(value) {
                        Some(Ordering::Equal) => *inclusive,
                        Some(ordering) => ordering == beyond,
                        None => false,
                    })
                };
                within(from, Ordering::Greater) && within(to, Ordering::Less)
            }
            One::Cidr(network) => match value {
                Value::String(text) => address(text).is_some_and(|address| network.contains(&address)),
                _ => false,
            },
        }
    }
}

impl Edge {
    fn new(path: &str, literal: &Literal) -> Edge {
        match literal {
            Literal::Number(n) => Edge::Number(*n),
            Literal::Time(ns) => Edge::Time(*ns),
            Literal::Severity(code) if path == "severity" => Edge::Severity(*code),
            Literal::Severity(_) | Literal::Now(_) => Edge::Nothing,
            Literal::Text(text) => Edge::Text(fold(text).into_owned()),
        }
    }

    /// Where the value lies as seen from the edge; `None` if they do not compare.
    fn compare(&self, value: &Value<'_>) -> Option<Ordering> {
        match (self, value) {
            (Edge::Number(edge), Value::Number(n)) => n.as_f64().partial_cmp(edge),
            (Edge::Number(edge), Value::String(text)) => decimal(text)?.partial_cmp(edge),
            (Edge::Time(edge), Value::String(text)) => Some(time::parse(text).ok()?.cmp(edge)),
            (Edge::Severity(edge), Value::String(text)) => match outcome::severity_code(text) {
                outcome::OTHER => None,
                code => Some(code.cmp(edge)),
            },
            (Edge::Text(edge), Value::String(text)) => Some(fold(text).as_ref().cmp(edge)),
            _ => None,
        }
    }
}

/// Whether a text is the parts in their order with anything between them, beginning with the first and ending with the last.
fn fits(parts: &[String], text: &str) -> bool {
    let [first, between @ .., last] = parts else { return parts.first().is_some_and(|only| only == text) };
    let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
    for part in between {
        let Some(at) = rest.find(part.as_str()) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last.as_str())
}
