//! The predicate beside an evaluator that is as simple as the rules are: it lists all values and looks at each.

use std::net::{IpAddr, Ipv6Addr};

use event::{Value, outcome, time};
use proptest::prelude::*;
use query::{Bound, Expr, Filter, Kind, Literal, Test, Text, kind_of, visit};

use crate::generate;

fn passes(expr: &Expr, leaves: &[(String, Value<'_>)]) -> bool {
    match expr {
        Expr::All => true,
        Expr::And(parts) => parts.iter().all(|part| passes(part, leaves)),
        Expr::Or(parts) => parts.iter().any(|part| passes(part, leaves)),
        Expr::Not(inner) => !passes(inner, leaves),
        Expr::Field { path, test: Test::Exists } => {
            leaves.iter().any(|(at, _)| at == path || at.starts_with(&format!("{path}.")))
        }
        Expr::Field { path, test } => leaves.iter().any(|(at, value)| at == path && one(path, test, value)),
        Expr::Text(text) => leaves.iter().any(|(path, value)| says(text, kind_of(path), value)),
    }
}

fn one(path: &str, test: &Test, value: &Value<'_>) -> bool {
    let kind = kind_of(path);
    match (test, value) {
        (Test::Is(text), value) if kind == Kind::Prose => says(&Text::Phrase(text.clone()), kind, value),
        (Test::Is(wanted), Value::String(text)) => {
            lower(wanted) == lower(text)
                || (kind != Kind::Id && number(wanted).is_some() && number(wanted) == number(text))
                || (kind == Kind::Ip && ip(wanted).is_some() && ip(wanted) == ip(text))
        }
        (Test::Is(wanted), Value::Number(n)) => kind != Kind::Id && number(wanted) == Some(n.as_f64()),
        (Test::Is(wanted), Value::Bool(b)) => lower(wanted) == b.to_string(),
        (Test::Like(parts), Value::String(text)) => like(&lower(&parts.join("\u{0}")), &lower(text)),
        (Test::Like(parts), value) => {
            like(&lower(&parts.join("\u{0}")), &String::from_utf8(value.to_jcs()).unwrap())
        }
        (Test::Range { from, to }, value) => {
            let holds = |bound: &Option<Bound>, sign: i8| {
                bound.as_ref().is_none_or(|bound| match compare(path, value, &bound.value) {
                    Some(0) => bound.inclusive,
                    Some(found) => found == sign,
                    None => false,
                })
            };
            holds(from, 1) && holds(to, -1)
        }
        (Test::Cidr(network), Value::String(text)) => ip(text).is_some_and(|ip| network.contains(&ip)),
        _ => false,
    }
}

fn compare(path: &str, value: &Value<'_>, literal: &Literal) -> Option<i8> {
    let text = value.as_str();
    let ordering = match literal {
        Literal::Number(edge) => match value {
            Value::Number(n) => n.as_f64().partial_cmp(edge),
            _ => number(text?)?.partial_cmp(edge),
        },
        Literal::Time(ns) => Some(time::parse(text?).ok()?.cmp(ns)),
        Literal::Severity(edge) if path == "severity" => match outcome::severity_code(text?) {
            0 | 255 => None,
            code => Some(code.cmp(edge)),
        },
        Literal::Text(edge) => Some(lower(text?).chars().cmp(lower(edge).chars())),
        Literal::Now(_) | Literal::Severity(_) => None,
    };
    ordering.map(|ordering| ordering as i8)
}

fn says(text: &Text, kind: Kind, value: &Value<'_>) -> bool {
    let Value::String(value) = value else { return false };
    let whole = match kind {
        Kind::Id => true,
        Kind::Keyword | Kind::Prose | Kind::Open | Kind::Ip => unique(value),
        Kind::Number | Kind::Decimal | Kind::Time => return false,
    };
    match text {
        Text::Phrase(phrase) if whole => lower(phrase) == lower(value),
        Text::Phrase(phrase) => {
            let (phrase, words) = (words(phrase), words(value));
            !phrase.is_empty() && words.windows(phrase.len()).any(|window| window == phrase)
        }
        Text::Prefix(start) => !whole && words(value).iter().any(|word| word.starts_with(&lower(start))),
    }
}

fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

fn words(text: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    for c in text.chars().chain([' ']) {
        if c.is_alphanumeric() {
            word.push(c);
        } else if !word.is_empty() {
            let mut folded = lower(&std::mem::take(&mut word));
            while folded.len() > 64 {
                folded.pop();
            }
            words.push(folded);
        }
    }
    words
}

fn unique(text: &str) -> bool {
    let count = |test: fn(&char) -> bool| text.chars().filter(test).count();
    let (all, hex, digits) =
        (text.chars().count(), count(char::is_ascii_hexdigit), count(char::is_ascii_digit));
    let named = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let groups: Vec<_> = text.split('-').map(str::len).collect();
    let uuid = groups == [8, 4, 4, 4, 12] && hex == 32;
    uuid || (all >= 16 && hex == all) || (all >= 20 && named && digits * 4 >= all)
}

fn number(text: &str) -> Option<f64> {
    let signs = text.chars().all(|c| c.is_ascii_digit() || ".eE+-".contains(c));
    let odd = text.starts_with(['.', '+'])
        || text.ends_with('.')
        || ["-.", ".e", ".E"].iter().any(|odd| text.contains(odd));
    let n: f64 = text.parse().ok().filter(|_| signs && !odd)?;
    (n.abs() < 9_007_199_254_740_992.0).then_some(n)
}

fn ip(text: &str) -> Option<IpAddr> {
    match text.parse().ok()? {
        IpAddr::V6(v6) => Some(match v6.octets() {
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d] => IpAddr::from([a, b, c, d]),
            octets => IpAddr::V6(Ipv6Addr::from(octets)),
        }),
        v4 => Some(v4),
    }
}

/// The pattern's wildcards are U+0000, which no event holds here.
fn like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('\u{0}') {
        None => pattern == text,
        Some((first, rest)) => text.strip_prefix(first).is_some_and(|text| {
            (0..=text.len()).any(|at| text.get(at..).is_some_and(|text| like(rest, text)))
        }),
    }
}

fn flatten<'v>(path: &str, value: &Value<'v>, leaves: &mut Vec<(String, Value<'v>)>) {
    match value {
        Value::Null => {}
        Value::Array(items) => items.iter().for_each(|item| flatten(path, item, leaves)),
        Value::Object(members) => {
            for (name, value) in members.iter() {
                if path.is_empty() && ["leaf_hash", "state", "verification"].contains(&name) {
                    continue;
                }
                let below = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
                flatten(&below, value, leaves);
            }
        }
        value => leaves.push((path.to_string(), value.clone())),
    }
}

fn leaves<'v>(event: &Value<'v>) -> Vec<(String, Value<'v>)> {
    let mut leaves = Vec::new();
    flatten("", event, &mut leaves);
    let category = match event.get("type").and_then(Value::as_str) {
        Some("llm.completion") => "llm",
        Some("auth.login") => "authentication",
        _ => "other",
    };
    leaves.push(("category".to_string(), Value::from(category)));
    leaves
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn the_predicate_does_what_the_rules_say(
        events in prop::collection::vec(generate::event(), 8),
        clauses in prop::collection::vec(generate::clause(), 24),
        exprs in prop::collection::vec(generate::expr(), 4),
    ) {
        let leaves: Vec<_> = events.iter().map(leaves).collect();
        for expr in clauses.into_iter().chain(exprs) {
            let filter = Filter::from(expr.clone()).at(1_795_343_400_000_000_000);
            let predicate = filter.predicate();
            for (event, leaves) in events.iter().zip(&leaves) {
                let (said, found) = (predicate.matches(event), passes(filter.expr(), leaves));
                prop_assert_eq!(said, found, "{} of {:?}", filter, event);
            }
        }
    }

    #[test]
    fn every_value_is_visited_once(event in generate::event()) {
        let mut visited = Vec::new();
        visit(&event, &mut |leaf| {
            assert_eq!(leaf.kind, kind_of(leaf.path), "{}", leaf.path);
            visited.push((leaf.path.to_string(), leaf.value.clone().into_owned()));
        });
        prop_assert_eq!(visited, leaves(&event));
    }
}

#[test]
fn the_generators_meet() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut found = 0;
    for _ in 0..2_000 {
        let event = generate::event().new_tree(&mut runner).unwrap().current();
        let clause = generate::clause().new_tree(&mut runner).unwrap().current();
        found += usize::from(Filter::from(clause).matches(&event));
    }
    // A comparison of two evaluators that only ever say no proves nothing.
    assert!((150..1_800).contains(&found), "{found} of 2000");
}
