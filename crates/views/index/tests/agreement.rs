//! The index and the predicate give the same answers, whatever the events and the filters.
//!
//! `INDEX_PAIRS` says how many pairs of event and filter to try (60 000).

use std::collections::HashMap;
use std::sync::Arc;

use event::{Value, time};
use index::{
    Budget, Cache, Count, Cursor, FACETS, Histogram, Index, Measure, NUMBERS, Order, Question, Relation,
    Scope,
};
use ledger::io::OsIo;
use query::{Bound, Expr, Filter, Literal, Test, Text};

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// Strings that are near each other in every way that matters.
const STRINGS: &[&str] = &[
    "alice",
    "Alice",
    "alice@Example.com",
    "bob smith",
    "Bob  Smith",
    "ÉTÉ 東京",
    "été",
    "İstanbul",
    "5",
    "5.0",
    "05",
    "5e0",
    "-1.5",
    "404",
    "9007199254740993",
    "1234567890123456",
    "1234567890123456.0",
    "true",
    "FALSE",
    "null",
    "10.0.0.1",
    "::ffff:10.0.0.1",
    "10.0.0.200",
    "2001:db8::1",
    "2001:DB8:0::1",
    "2026-01-05T08:00:00Z",
    "2026-01-05T09:00:00+01:00",
    "2026-01-05T08:00:00.000Z",
    "2026-01-05t08:00:00z",
    "2026-02-01T00:00:00.5Z",
    "2026-02-01T00:00:00.500Z",
    "550e8400-e29b-41d4-a716-446655440000",
    "550E8400-E29B-41D4-A716-446655440000",
    "0123456789abcdef",
    "chatcmpl-0123456789abc",
    "high",
    "low",
    "HIGH",
    "auth.login",
    "auth.logout",
    "llm.completion",
    "success",
    "failed",
    "the quick brown fox",
    "quick brown",
    "brown quick fox the",
    "",
    " ",
    "—!",
    "a\u{0}b",
    "zz",
];

const PATHS: &[&str] = &[
    "type",
    "status",
    "severity",
    "category",
    "id",
    "source_id",
    "request_id",
    "position",
    "received",
    "time",
    "producer",
    "producer_seq",
    "action",
    "project",
    "environment",
    "message",
    "organisation",
    "actor",
    "actor.id",
    "actor.email",
    "actor.name",
    "actor.ip",
    "actor.user_agent",
    "actor.session_id",
    "actor.api_key_hash",
    "actor.roles",
    "targets",
    "targets.id",
    "targets.name",
    "targets.attributes.x",
    "llm.model",
    "llm.provider",
    "llm.tokens_input",
    "llm.tokens_output",
    "llm.cost",
    "llm.latency_ms",
    "llm.stream",
    "llm.documents.score",
    "llm.documents.id",
    "llm.tools.id",
    "tool.name",
    "error.code",
    "error.message",
    "attributes",
    "attributes.a",
    "attributes.a.b",
    "attributes.c",
    "attributes.list",
    "changes.before.x",
    "changes.after.x",
    "content.prompt",
    "erased",
    "redactions.path",
    "llm.unknown",
];

fn string(r: &mut Random) -> String {
    match r.below(12) {
        0 => format!("{} {}", r.pick(STRINGS), r.pick(STRINGS)),
        1 => "long ".repeat(30 + r.below(20)) + r.pick(STRINGS),
        2 => format!("{:032x}", r.below(20)),
        3 => format!("{}", r.below(30) as f64 / 4.0),
        _ => r.pick(STRINGS).to_owned(),
    }
}

fn number(r: &mut Random) -> f64 {
    match r.below(6) {
        0 => r.below(10) as f64 / 4.0,
        1 => -(r.below(5) as f64),
        2 => 9_007_199_254_740_991.0,
        3 => 1e-7,
        4 => 0.1 + 0.2,
        _ => r.below(12) as f64,
    }
}

fn any(r: &mut Random, depth: usize) -> Value<'static> {
    match r.below(if depth > 2 { 5 } else { 9 }) {
        0 => Value::Null,
        1 => Value::Bool(r.one_in(2)),
        2 => Value::number(number(r)).unwrap(),
        3..=5 => Value::from(string(r)),
        6 => Value::Array((0..r.below(4)).map(|_| any(r, depth + 1)).collect()),
        _ => {
            let keys = ["a", "b", "c", "x", "list", "a.b"];
            let mut members: HashMap<&str, Value<'static>> = HashMap::new();
            for _ in 0..r.below(4) {
                members.insert(r.pick(&keys), any(r, depth + 1));
            }
            Value::object(members).unwrap()
        }
    }
}

/// A value of the form that the field should have, or now and then of any other.
fn of_field(r: &mut Random, proper: impl FnOnce(&mut Random) -> Value<'static>) -> Value<'static> {
    if r.one_in(40) { any(r, 1) } else { proper(r) }
}

type Make = fn(&mut Random) -> Value<'static>;

fn event(r: &mut Random, position: u64) -> Value<'static> {
    fn text(r: &mut Random) -> Value<'static> {
        Value::from(string(r))
    }
    fn word<'a>(words: &'static [&'static str]) -> impl FnOnce(&mut Random) -> Value<'static> + 'a {
        move |r| Value::from(r.pick(words))
    }
    fn count(r: &mut Random) -> Value<'static> {
        Value::integer(r.below(12) as i64).unwrap()
    }
    fn real(r: &mut Random) -> Value<'static> {
        Value::number(number(r)).unwrap()
    }
    fn when(r: &mut Random) -> Value<'static> {
        Value::from(time::format_ns(1_767_600_000_000_000_000 + r.below(2000) as i64 * 1_234_567_891_011))
    }
    fn cost(r: &mut Random) -> Value<'static> {
        match r.below(8) {
            0 => Value::from("0.12345678912345"),
            1 => Value::from("1e-3"),
            2 => Value::from("0.10"),
            _ => Value::from(format!("{}.{:06}", r.below(3), r.below(4) * 250_000)),
        }
    }
    let mut e = event::Object::new();
    e.insert("id", format!("019a0000-0000-7000-8000-{position:012x}"));
    let said = if r.one_in(200) { position + 1 } else { position };
    e.insert("position", Value::integer(said as i64).unwrap());
    e.insert("received", time::format_ns(1_767_600_000_000_000_000 + position as i64 * 1_000_000));
    e.insert("organisation", "default");
    e.insert("type", of_field(r, word(&["auth.login", "auth.logout", "llm.completion", "strange.kind"])));
    if !r.one_in(20) {
        e.insert("time", of_field(r, when));
    }
    let mut maybe = |name: &str, one_in: usize, make: Make, r: &mut Random| {
        if r.one_in(one_in) {
            let value = of_field(r, make);
            e.insert(name.to_owned(), value);
        }
    };
    maybe("status", 2, |r| Value::from(r.pick(&["success", "failed", "blocked", "other"])), r);
    maybe("severity", 2, |r| Value::from(r.pick(&["info", "low", "high", "critical", "other"])), r);
    maybe("source_id", 2, text, r);
    maybe("request_id", 3, text, r);
    maybe("producer", 2, text, r);
    maybe("producer_seq", 2, count, r);
    maybe("action", 2, text, r);
    maybe("project", 3, text, r);
    maybe("environment", 3, text, r);
    maybe("message", 2, text, r);
    maybe("attributes", 1, |r| any(r, 0), r);
    maybe("erased", 9, |r| Value::Array(vec![Value::from(r.pick(&["who", "content"]))]), r);
    let mut block = |name: &str, one_in: usize, fields: &[(&str, Make)], r: &mut Random| {
        if r.one_in(one_in) {
            return;
        }
        let mut members = event::Object::new();
        for (field, make) in fields {
            if r.one_in(2) {
                members.insert((*field).to_owned(), of_field(r, make));
            }
        }
        let value = Value::Object(members);
        e.insert(name.to_owned(), if r.one_in(60) { any(r, 1) } else { value });
    };
    block(
        "actor",
        5,
        &[
            ("id", text),
            ("email", text),
            ("name", text),
            ("ip", |r| {
                Value::from(r.pick(&[
                    "10.0.0.1",
                    "::ffff:10.0.0.1",
                    "10.0.0.200",
                    "2001:DB8::1",
                    "192.168.1.1",
                ]))
            }),
            ("user_agent", text),
            ("session_id", text),
            ("api_key_hash", |r| Value::from(format!("{:064x}", r.below(6)))),
            ("roles", |r| Value::Array((0..r.below(3)).map(|_| text(r)).collect())),
        ],
        r,
    );
    block(
        "llm",
        3,
        &[
            ("model", text),
            ("provider", text),
            ("tokens_input", count),
            ("tokens_output", count),
            ("cost", cost),
            ("latency_ms", real),
            ("stream", |r| Value::Bool(r.one_in(2))),
            ("tools", |r| Value::Array(vec![Value::object([("id", text(r))]).unwrap()])),
            ("documents", |r| {
                let one = |r: &mut Random| Value::object([("id", text(r)), ("score", real(r))]).unwrap();
                Value::Array((0..r.below(3)).map(|_| one(r)).collect())
            }),
        ],
        r,
    );
    block("tool", 3, &[("name", text)], r);
    block("error", 3, &[("code", text), ("message", text)], r);
    block("changes", 2, &[("before", |r| any(r, 1)), ("after", |r| any(r, 1))], r);
    block("content", 2, &[("prompt", |r| any(r, 1))], r);
    if r.one_in(2) {
        let one = |r: &mut Random| {
            Value::object([("id", text(r)), ("name", text(r)), ("attributes", any(r, 1))]).unwrap()
        };
        e.insert("targets", Value::Array((0..r.below(3)).map(|_| one(r)).collect()));
    }
    Value::Object(e)
}

fn literal(r: &mut Random) -> Literal {
    match r.below(10) {
        0..4 => Literal::Number(number(r)),
        4 | 5 => Literal::Time(1_767_600_000_000_000_000 + r.below(2000) as i64 * 1_234_567_891_011),
        6 => Literal::Severity(r.below(7) as u8),
        7 if r.one_in(4) => Literal::Now(0),
        _ => Literal::Text(string(r)),
    }
}

fn test(r: &mut Random, path: &str, seen: &[String]) -> Test {
    let said = |r: &mut Random| match r.below(4) {
        0 if !seen.is_empty() => seen[r.below(seen.len())].clone(),
        1 => format!("{}", number(r)),
        _ => string(r),
    };
    match r.below(12) {
        0 => Test::Exists,
        1..5 => Test::Is(said(r)),
        5 | 6 => {
            let text = said(r);
            let cut = text.floor_char_boundary(r.below(text.len() + 1));
            match r.below(3) {
                0 => Test::Like(vec![text[..cut].to_owned(), String::new()]),
                1 => Test::Like(vec![String::new(), text[cut..].to_owned()]),
                _ => Test::Like(vec![text[..cut].to_owned(), "0".into(), String::new()]),
            }
        }
        7 => Test::Cidr(
            r.pick(&["10.0.0.0/24", "10.0.0.1/32", "0.0.0.0/0", "2001:db8::/32", "::/0"]).parse().unwrap(),
        ),
        _ => {
            let same = r.below(8) > 0;
            let from = match path {
                "severity" if r.one_in(2) => Literal::Severity(r.below(6) as u8),
                "time" | "received" if r.one_in(2) => literal_time(r),
                _ => literal(r),
            };
            let to = match &from {
                Literal::Number(_) if same => Literal::Number(number(r)),
                Literal::Time(_) if same => literal_time(r),
                Literal::Text(_) if same => Literal::Text(string(r)),
                _ => literal(r),
            };
            let bound =
                |r: &mut Random, value| (!r.one_in(3)).then(|| Bound { value, inclusive: r.one_in(2) });
            Test::Range { from: bound(r, from), to: bound(r, to) }
        }
    }
}

fn literal_time(r: &mut Random) -> Literal {
    Literal::Time(1_767_600_000_000_000_000 + r.below(2000) as i64 * 1_234_567_891_011)
}

fn expr(r: &mut Random, depth: usize, seen: &[String]) -> Expr {
    match r.below(if depth > 2 { 8 } else { 12 }) {
        0..7 => {
            let path = r.pick(PATHS);
            Expr::Field { path: path.to_owned(), test: test(r, path, seen) }
        }
        7 => {
            let text =
                if r.one_in(2) && !seen.is_empty() { seen[r.below(seen.len())].clone() } else { string(r) };
            if r.one_in(3) {
                let cut = text.floor_char_boundary(3);
                Expr::Text(Text::Prefix(text[..cut].to_owned()))
            } else {
                Expr::Text(Text::Phrase(text))
            }
        }
        8 => Expr::Not(Box::new(expr(r, depth + 1, seen))),
        9 => Expr::Or((0..2 + r.below(2)).map(|_| expr(r, depth + 1, seen)).collect()),
        10 if r.one_in(4) => Expr::All,
        _ => Expr::And((0..2 + r.below(2)).map(|_| expr(r, depth + 1, seen)).collect()),
    }
}

/// The text of every leaf, to ask for what is there.
fn seen(events: &[Value<'static>]) -> Vec<String> {
    let mut all = Vec::new();
    for event in events {
        query::visit(event, &mut |leaf| {
            all.push(match leaf.value {
                Value::String(text) => text.to_string(),
                other => String::from_utf8(other.to_jcs()).unwrap(),
            });
        });
    }
    all
}

fn pairs() -> usize {
    std::env::var("INDEX_PAIRS").ok().and_then(|n| n.parse().ok()).unwrap_or(60_000)
}

struct World {
    events: Vec<Value<'static>>,
    index: Index,
    _dir: tempfile::TempDir,
}

/// Events in an index of several parts, some merged, some rebuilt.
fn world(r: &mut Random, count: usize) -> World {
    let dir = tempfile::tempdir().unwrap();
    let index =
        Index::open(Arc::new(OsIo::new()), dir.path(), &[1; 32], Arc::new(Cache::new(1 << 20))).unwrap();
    let mut events: Vec<Value<'static>> = (0..count as u64).map(|position| event(r, position)).collect();
    while (index.next() as usize) < count {
        let from = index.next() as usize;
        let to = (from + 1 + r.below(count / 8)).min(count);
        let batch: Vec<_> = (from..to).map(|p| (p as u64, events[p].clone())).collect();
        index.add(&batch).unwrap();
        index.commit().unwrap();
        if r.one_in(3) {
            while index.merge_some().unwrap() {}
        }
    }
    let mut changed: Vec<(u64, Value<'static>)> = Vec::new();
    for (position, old) in events.iter_mut().enumerate() {
        if r.one_in(10) {
            let Value::Object(object) = old else { unreachable!() };
            object.remove("actor");
            object.insert("erased", vec![Value::from("who")]);
            changed.push((position as u64, old.clone()));
        }
    }
    if r.one_in(2) {
        index.rebuild_range(&changed).unwrap();
        assert_eq!(index.searchable() as usize, count);
    } else {
        for (position, _) in changed {
            let mut again = Random(position);
            events[position as usize] = event(&mut again, position);
            index.rebuild_range(&[(position, events[position as usize].clone())]).unwrap();
            if position > 40 {
                // One after the other is slow; a few will do. The rest must be what was indexed.
                break;
            }
        }
        let all: Vec<_> = (0u64..).zip(events.iter().cloned()).collect();
        index.rebuild_range(&all).unwrap();
    }
    World { events, index, _dir: dir }
}

#[test]
fn the_index_finds_what_the_predicate_passes() {
    const EVENTS: usize = 400;
    let seed = std::env::var("INDEX_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let mut r = Random(seed);
    let (mut tried, mut matched, mut reads, mut in_doubt) = (0, 0u64, 0u64, 0u64);
    while tried < pairs() {
        let World { events, index, _dir } = world(&mut r, EVENTS);
        let seen = seen(&events);
        for _ in 0..150 {
            let expr = expr(&mut r, 0, &seen);
            let filter = Filter::from(expr.clone());
            let predicate = filter.predicate();
            let expected: Vec<u64> =
                (0..EVENTS as u64).rev().filter(|p| predicate.matches(&events[*p as usize])).collect();
            let confirm = |position: u64| Ok::<_, ()>(events[position as usize].clone());
            let scope = Scope { expr: &expr, budget: Budget::default() };
            let question =
                Question { scope, order: Order::Newest, after: None, limit: EVENTS, count: Count::Exact };
            let answer = index.search(&question, &confirm).unwrap();
            if answer.positions != expected {
                let wrong = answer.positions.iter().chain(&expected);
                let wrong =
                    wrong.filter(|p| answer.positions.contains(p) != expected.contains(p)).min().unwrap();
                panic!(
                    "{filter} ({expr:?})\nfound {}, not {}; event {wrong} (expected: {}):\n{}",
                    answer.positions.len(),
                    expected.len(),
                    expected.contains(wrong),
                    String::from_utf8(events[*wrong as usize].to_jcs()).unwrap()
                );
            }
            assert_eq!(answer.total.unwrap().value, expected.len() as u64, "{filter}");
            assert_eq!(answer.total.unwrap().relation, Relation::Exact);
            // Pages in other orders hold the same.
            let limit = 1 + r.below(100);
            let mut paged = pages(&index, &expr, Order::Oldest, limit, &confirm);
            paged.reverse();
            assert_eq!(paged, expected, "oldest first: {filter}");
            assert_eq!(pages(&index, &expr, Order::Newest, limit, &confirm), expected, "pages: {filter}");
            tried += EVENTS;
            matched += expected.len() as u64;
            reads += answer.reads;
            in_doubt += u64::from(answer.reads > 0);
        }
    }
    assert!(matched * 20 > tried as u64 && matched < tried as u64, "{matched} of {tried} is no test");
    assert!(in_doubt > 0 && reads > in_doubt, "some filters leave events in doubt");
}

fn pages(
    index: &Index,
    expr: &Expr,
    order: Order,
    limit: usize,
    confirm: &dyn Fn(u64) -> Result<Value<'static>, ()>,
) -> Vec<u64> {
    let scope = Scope { expr, budget: Budget { reads: 60, until_ms: None } };
    let (mut all, mut after): (Vec<u64>, Option<Cursor>) = (Vec::new(), None);
    for _ in 0..2000 {
        let question = Question { scope, order, after, limit, count: Count::No };
        let answer = index.search(&question, confirm).unwrap();
        assert!(answer.positions.len() <= limit && answer.reads <= 60);
        all.extend(answer.positions);
        match answer.next {
            Some(next) => after = Some(next),
            None => return all,
        }
    }
    panic!("pages without end: {expr:?}");
}

#[test]
fn figures_are_those_of_a_scan() {
    const EVENTS: usize = 600;
    let mut r = Random(7);
    for _ in 0..4 {
        let World { events, index, _dir } = world(&mut r, EVENTS);
        let seen = seen(&events);
        let confirm = |position: u64| Ok::<_, ()>(events[position as usize].clone());
        let text = |event: &Value<'_>, path: &str| -> Option<String> {
            let mut first = None;
            query::visit(event, &mut |leaf| {
                if leaf.path == path
                    && first.is_none()
                    && let Value::String(text) = leaf.value
                {
                    first = Some(text[..text.floor_char_boundary(512)].to_owned());
                }
            });
            first
        };
        for _ in 0..40 {
            let expr = expr(&mut r, 1, &seen);
            let filter = Filter::from(expr.clone());
            let predicate = filter.predicate();
            let matching: Vec<&Value<'_>> = events.iter().filter(|event| predicate.matches(event)).collect();
            let scope = Scope { expr: &expr, budget: Budget::default() };

            let facets = index.facets(&scope, FACETS, 3, &confirm).unwrap();
            for facet in facets {
                let mut counts: HashMap<String, u64> = HashMap::new();
                matching
                    .iter()
                    .filter_map(|event| text(event, &facet.field))
                    .for_each(|v| *counts.entry(v).or_default() += 1);
                let all: u64 = counts.values().sum();
                let mut sorted: Vec<_> = counts.into_iter().collect();
                sorted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
                sorted.truncate(3);
                assert_eq!(facet.values, sorted, "{} of {filter}", facet.field);
                assert_eq!(facet.other, all - sorted.iter().map(|(_, n)| n).sum::<u64>());
                assert_eq!(facet.missing, matching.len() as u64 - all);
                assert_eq!(facet.relation, Relation::Exact);
            }

            let from = 1_767_600_000_000_000_000;
            let chart = Histogram {
                from,
                to: from + 2_000_000_000_000_000,
                step: 86_400_000_000_000,
                split: Some(("type", 2)),
            };
            let drawn = index.histogram(&scope, &chart, &confirm).unwrap();
            let mut total = vec![0; drawn.total.len()];
            for event in &matching {
                let mut ns = None;
                query::visit(event, &mut |leaf| {
                    if leaf.path == "time" && ns.is_none() {
                        ns = leaf.value.as_str().and_then(|text| time::parse(text).ok());
                    }
                });
                if let Some(bucket) =
                    ns.filter(|ns| (from..chart.to).contains(ns)).map(|ns| (ns - from) / drawn.step)
                {
                    total[bucket as usize] += 1;
                }
            }
            assert_eq!(drawn.total, total, "{filter}");
            let by_part: u64 = drawn.series.iter().map(|(_, row)| row.iter().sum::<u64>()).sum();
            assert_eq!(by_part + drawn.other.iter().sum::<u64>(), total.iter().sum::<u64>());

            for number in NUMBERS {
                let top = index.top(&scope, "type", Measure::Sum(number), 100, &confirm).unwrap();
                let events: u64 = top.groups.iter().map(|group| group.events).sum();
                assert_eq!(
                    events,
                    matching.iter().filter(|event| text(event, "type").is_some()).count() as u64
                );
                if !top.total.inexact {
                    let mut sum = 0.0;
                    for event in &matching {
                        query::visit(event, &mut |leaf| {
                            if leaf.path == *number {
                                sum += leaf
                                    .value
                                    .as_f64()
                                    .or_else(|| query::decimal(leaf.value.as_str()?))
                                    .unwrap_or(0.0);
                            }
                        });
                    }
                    let got = top.total.units as f64 / 10f64.powi(top.total.scale as i32);
                    assert!((got - sum).abs() <= sum.abs() * 1e-9 + 1e-9, "{number} {got} {sum}");
                }
            }
            let different =
                index.top(&scope, "type", Measure::Cardinality("actor.id"), 100, &confirm).unwrap();
            for group in different.groups {
                let mut ids: Vec<_> = matching
                    .iter()
                    .filter(|event| text(event, "type").as_ref() == Some(&group.value))
                    .filter_map(|event| text(event, "actor.id"))
                    .collect();
                ids.sort();
                ids.dedup();
                assert_eq!(group.amount.units, ids.len() as i128, "{filter}");
            }

            let by_time =
                pages(&index, &expr, Order::ByTime { descending: r.one_in(2) }, 1 + r.below(50), &confirm);
            let timed = matching.iter().filter(|event| {
                let mut any = false;
                query::visit(event, &mut |leaf| {
                    any |= leaf.path == "time"
                        && leaf.value.as_str().is_some_and(|text| time::parse(text).is_ok());
                });
                any
            });
            assert_eq!(by_time.len(), timed.count(), "{filter}");
        }
    }
}
