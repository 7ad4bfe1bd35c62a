//! Any filter and any event, from small vocabularies so that they meet, and with odd text between.

use event::{Value, json};
use proptest::prelude::*;
use proptest::sample::select;
use query::{Bound, Expr, Kind, Literal, Test, Text, fields, kind_of};

/// Text that filters and events share: numbers, addresses, times, ids and words that are equal in more than one way.
#[rustfmt::skip]
const SHARED: &[&str] = &[
    "alice", "Alice", "alice@example.com", "Blue Team", "blue", "team blue team", "pii_detected", "gpt-4o", "u-1", "true",
    "5", "5.0", "05", "-5", "5e0", "1200", "9007199254740993", "10.0.0.1", "::ffff:10.0.0.1", "2001:db8::1", "0.0031",
    "2026-11-22T10:30:00Z", "2026-11-22T11:30:00+01:00", "2026-11-22", "now", "now-7d", "-24h",
    "4bf92f3577b34da6a3ce929d0e0e4736", "550e8400-e29b-41d4-a716-446655440000", "ord_1234567890abcdefgh",
    "ÅNGSTRÖM", "ångström", "ΣΑΣ", "İ", "K", "東京 都",
];

/// Sentences, of which some are in others, and begin in them more than once; words around the length they are cut to; and ids
/// around the share of digits that makes them ids.
#[rustfmt::skip]
const PROSE: &[&str] = &[
    "a", "a b a c", "a b a b a c", "A-B, a b.", "b a", "a a b", "aaa a a a b",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxyy a",
    "abcdefghijklmno12345", "abcdefghijklmnop1234", "abcdefghijklmno-12345 a",
];

/// Text that means something in a filter.
#[rustfmt::skip]
const ODD: &[&str] = &[
    "", " ", "a b", "\"", "\\", "\\\\", "a\\", "\\*", "*", "a*b", "AND", "or", "NOT", "TO", "..", "1..2", ":", "a:b", "status:x",
    "-x", "!x", "(", ")", "[1 TO 2]", "{", "]", ">5", "=", "!=", "/", "10.0.0.0/8", "\n", "\t", "—", "x.y", "%41", "+",
];

pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => select(SHARED).prop_map(str::to_string),
        2 => select(PROSE).prop_map(str::to_string),
        2 => select(ODD).prop_map(str::to_string),
        1 => "\\PC{0,8}",
    ]
}

/// One or two of each kind, so that a filter often asks for what an event has.
const OFTEN: &[&str] = &[
    "actor.id",
    "actor.ip",
    "trace_id",
    "message",
    "llm.tokens_total",
    "llm.cost",
    "time",
    "status",
    "severity",
    "targets.id",
    "llm.stream",
];

/// Paths of open fields, with keys that hold dots and signs.
const OPEN: &[&str] = &[
    "attributes.a",
    "attributes.a.b",
    "attributes.a.b.c",
    "attributes.A",
    "attributes.a b",
    "attributes.x[0]",
    "attributes.\"",
    "attributes.a.",
    "attributes..a",
    "changes.before.a",
    "changes.after",
    "targets.attributes.a",
    "llm.parameters.a",
    "content.prompt",
];

const BLOCKS: &[&str] = &["actor", "llm", "agent", "attributes", "llm.tools", "changes", "llm.parameters"];

fn path() -> impl Strategy<Value = String> {
    let known: Vec<String> = fields().iter().map(|info| info.path.clone()).collect();
    let known =
        known.into_iter().filter(|path| !BLOCKS.contains(&path.as_str()) && path != "targets.attributes");
    prop_oneof![
        4 => select(OFTEN).prop_map(str::to_string),
        3 => select(OPEN).prop_map(str::to_string),
        1 => select(known.collect::<Vec<_>>()),
    ]
}

/// A single clause.
pub(crate) fn clause() -> impl Strategy<Value = Expr> {
    prop_oneof![
        6 => path().prop_flat_map(|path| test(&path).prop_map(move |test| Expr::Field { path: path.clone(), test })),
        1 => select(BLOCKS).prop_map(|block| Expr::Field { path: block.to_string(), test: Test::Exists }),
        2 => text().prop_filter("words", |text| !text.trim().is_empty()).prop_map(|text| Expr::Text(Text::Phrase(text))),
        1 => select(vec!["al", "AND", "not", "5", "Å", "東", "Σ", "4bf92f", "to", "x"])
            .prop_map(|start: &str| Expr::Text(Text::Prefix(start.to_string()))),
    ]
}

/// A filter's expression, such as parsing can give, but not in canonical form.
pub(crate) fn expr() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![9 => clause(), 1 => Just(Expr::All)];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Expr::And),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Expr::Or),
            inner.prop_map(|inner| Expr::Not(Box::new(inner))),
        ]
    })
}

fn test(path: &str) -> BoxedStrategy<Test> {
    let kind = kind_of(path);
    let is_bool = fields().iter().any(|info| info.path == path && info.values == ["true", "false"]);
    let like = prop::collection::vec(text(), 2..4).prop_map(Test::Like);
    let number = select(vec!["5", "5.0", "-5", "1200", "0.0031", "1e3", "007"]);
    let address = select(vec!["10.0.0.1", "::ffff:10.0.0.1", "2001:db8::1", "2001:DB8:0::1"]);
    let network = select(vec![
        "10.0.0.0/8",
        "10.0.0.1/31",
        "::ffff:10.0.0.0/100",
        "2001:db8::/32",
        "::/0",
        "0.0.0.0/0",
    ])
    .prop_map(|network: &str| Test::Cidr(network.parse().unwrap()));
    let is = |text: &str| Test::Is(text.to_string());
    let said = || text().prop_map(Test::Is);
    let words = || text().prop_filter("has a word", |text| text.chars().any(char::is_alphanumeric));
    let (numbers, times, texts) = (
        prop_oneof![select(vec![5.0, -5.0, 0.0031, 1200.0, 0.0]), -1e6..1e6].prop_map(Literal::Number),
        prop_oneof![
            (0i64..2_000_000_000).prop_map(|s| Literal::Time(s * 1_000_000_000)),
            Just(Literal::Time(1_795_343_400_000_000_000)),
            any::<i32>().prop_map(|n| Literal::Now(i64::from(n) * 1_000)),
            any::<i32>().prop_map(|n| Literal::Now(i64::from(n % 100_000) * 60_000_000_000)),
        ],
        text().prop_map(Literal::Text),
    );
    let exists = Just(Test::Exists);
    match (kind, path) {
        (_, "category") => prop_oneof![exists, like, select(vec!["llm", "other"]).prop_map(is)].boxed(),
        (_, "status") => prop_oneof![exists, like, said(), Just(is("Failure"))].boxed(),
        (_, "severity") => {
            let severities = (1u8..=5).prop_map(Literal::Severity);
            prop_oneof![exists, like, said(), Just(is("WARN")), range(severities.boxed())].boxed()
        }
        _ if is_bool => prop_oneof![exists, like, select(vec!["true", "false"]).prop_map(is)].boxed(),
        (Kind::Id, _) => {
            prop_oneof![exists, like, said(), range(texts.boxed()), range(numbers.boxed())].boxed()
        }
        (Kind::Keyword, _) => {
            prop_oneof![exists, like, said(), network, range(texts.boxed()), range(numbers.boxed())].boxed()
        }
        (Kind::Open, _) => {
            let ranges = prop_oneof![range(texts.boxed()), range(numbers.boxed()), range(times.boxed())];
            prop_oneof![exists, like, said(), said(), network, ranges].boxed()
        }
        (Kind::Ip, _) => prop_oneof![exists, like, address.prop_map(is), network].boxed(),
        (Kind::Number | Kind::Decimal, _) => {
            prop_oneof![exists, like, number.prop_map(is), range(numbers.boxed())].boxed()
        }
        (Kind::Time, _) => prop_oneof![exists, like, range(times.boxed())].boxed(),
        (Kind::Prose, _) => {
            prop_oneof![exists, like, words().prop_map(Test::Is), range(texts.boxed())].boxed()
        }
    }
}

fn range(literal: BoxedStrategy<Literal>) -> BoxedStrategy<Test> {
    let bound = (literal, any::<bool>()).prop_map(|(value, inclusive)| Bound { value, inclusive });
    let bound = prop::option::weighted(0.8, bound);
    (bound.clone(), bound).prop_map(|(from, to)| Test::Range { from, to }).boxed()
}

/// An event: some fields of the table with values that suit them, and open fields with anything.
pub(crate) fn event() -> impl Strategy<Value = Value<'static>> {
    let member = path().prop_flat_map(|path| (Just(path.clone()), value(&path)));
    let kind = select(vec!["llm.completion", "auth.login", "payment.made"]);
    let open = || prop::option::of(anything());
    (kind, prop::collection::vec(member, 0..16), open(), open()).prop_map(
        |(kind, members, attributes, before)| {
            let mut event = json::Object::new();
            for (path, value) in members {
                put(&mut event, &path, value);
            }
            if let Some(attributes @ Value::Object(_)) = attributes {
                event.insert("attributes", attributes);
            }
            if let Some(before) = before {
                event.insert("content", Value::object([("prompt", before)]).unwrap());
            }
            event.insert("type", kind);
            event.insert("state", Value::object([("a", Value::from("alice"))]).unwrap());
            event.remove("category");
            Value::Object(event)
        },
    )
}

fn value(path: &str) -> BoxedStrategy<Value<'static>> {
    let kind = kind_of(path);
    let one = match kind {
        _ if path == "status" || path == "severity" => {
            let words = vec!["failed", "success", "info", "low", "Medium", "high", "CRITICAL", "other"];
            select(words).prop_map(Value::from).boxed()
        }
        Kind::Time => {
            let times =
                vec!["2026-11-22T10:30:00Z", "2026-11-22T11:30:00+01:00", "2026-11-22T10:30:00.000000001Z"];
            select(times).prop_map(Value::from).boxed()
        }
        Kind::Ip => select(vec!["10.0.0.1", "::ffff:10.0.0.1", "2001:db8::1"]).prop_map(Value::from).boxed(),
        Kind::Prose => select(PROSE).prop_map(Value::from).boxed(),
        Kind::Number => prop_oneof![number(), Just(Value::from("9007199254740993"))].boxed(),
        Kind::Open => return anything().boxed(),
        Kind::Keyword => {
            prop_oneof![4 => text().prop_map(Value::from), 1 => any::<bool>().prop_map(Value::from),
            1 => select(vec!["failed", "info", "high", "CRITICAL", "other"]).prop_map(Value::from)]
            .boxed()
        }
        _ => text().prop_map(Value::from).boxed(),
    };
    prop_oneof![4 => one.clone(), 1 => prop::collection::vec(one, 0..3).prop_map(Value::from)].boxed()
}

fn number() -> impl Strategy<Value = Value<'static>> {
    prop_oneof![select(vec![5.0, -5.0, 0.0031, 1200.0, 1e-7, 1e15]), -1e3..1e3]
        .prop_map(|n: f64| Value::number(n).unwrap())
}

/// Any JSON, with keys that make the paths of [`OPEN`] in more than one way.
fn anything() -> impl Strategy<Value = Value<'static>> {
    let leaf = prop_oneof![
        6 => text().prop_map(Value::from),
        2 => number(),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let key = select(vec!["a", "b", "c", "A", "a.b", "b.c", "a.b.c", "a b", "x[0]", "\"", "", ".a"]);
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            3 => prop::collection::btree_map(key, inner, 0..4).prop_map(|members| Value::object(members).unwrap()),
        ]
    })
}

/// Puts a value at a path, making objects, and a list where the path goes through one.
fn put(object: &mut json::Object<'static>, path: &str, value: Value<'static>) {
    let Some((first, rest)) = path.split_once('.').filter(|(first, _)| !first.is_empty()) else {
        object.insert(path.to_string(), value);
        return;
    };
    let is_list = first == "targets" || first == "tools" || first == "documents";
    let mut below = match object.remove(first) {
        Some(Value::Object(below)) => below,
        Some(Value::Array(mut items)) => match items.pop() {
            Some(Value::Object(below)) => below,
            _ => json::Object::new(),
        },
        _ => json::Object::new(),
    };
    put(&mut below, rest, value);
    let below = Value::Object(below);
    object.insert(
        first.to_string(),
        if is_list { Value::from(vec![Value::from("alice"), below]) } else { below },
    );
}
