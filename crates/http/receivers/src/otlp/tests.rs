mod agree;
mod bodies;
mod captured;
mod dialects;
mod encode;
mod hostile;
mod logs;

use event::json::{Limits, parse};
use event::{Object, Value};

use super::record::{Log, Span};
use super::*;

/// Not keyed: what it is made of does not matter here, only that it is not the text.
fn fingerprint(bytes: &[u8]) -> String {
    let fnv = |hash: u64, b: &u8| (hash ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3);
    format!("test:{:016x}", bytes.iter().fold(0xcbf2_9ce4_8422_2325, fnv))
}

fn object(text: &str) -> Object<'static> {
    let limits = Limits { max_bytes: 4 << 20, max_depth: 128 };
    match parse(text.as_bytes(), &limits).unwrap_or_else(|e| panic!("{e}: {text}")).into_owned() {
        Value::Object(members) => members,
        other => panic!("{other:?}"),
    }
}

/// A span that took 1.25 seconds.
fn span(name: &str, kind: i64, attributes: &str) -> Span<'static> {
    Span {
        trace: "5b8efff798038103d269b633813fc60c".into(),
        span: "eee19b7ec3c1b174".into(),
        name: name.to_owned().into(),
        kind,
        start: 1_767_225_600_000_000_000,
        end: 1_767_225_601_250_000_000,
        attributes: object(attributes),
        ..Span::default()
    }
}

fn group(scope: &str, resource: &str) -> Group<'static> {
    Group { resource: object(resource), scope: scope.to_owned().into(), ..Group::default() }
}

fn mapped(group: &Group<'_>, record: Record<'_>) -> Result<Mapped, Refusal> {
    map(group, record, &mut Identities::default(), &fingerprint)
}

/// What became of a record: canonical bytes, a member a line to be read by people, without what [`span`] and [`group`] say.
fn told(mapped: Result<Mapped, Refusal>) -> String {
    match mapped {
        Err(refusal) => format!("refused: {} at {:?}: {}\n", refusal.code, refusal.pointer, refusal.reason),
        Ok(Mapped::Noise(noise)) => format!("noise: {}\n", noise.name()),
        Ok(Mapped::Event(event)) => {
            let mut tree = event.tree().clone();
            for name in ["time", "trace_id", "span_id"] {
                tree.remove(name);
            }
            if tree.get("source_id").and_then(Value::as_str)
                == Some("5b8efff798038103d269b633813fc60c:eee19b7ec3c1b174")
            {
                tree.remove("source_id");
            }
            if tree.get("producer").and_then(Value::as_str) == Some("otlp") {
                tree.remove("producer");
            }
            let mut out = String::new();
            show(&Value::Object(tree), 0, &mut out);
            out + "\n"
        }
    }
}

fn show(value: &Value<'_>, indent: usize, out: &mut String) {
    let pad = "  ".repeat(indent + 1);
    match value {
        Value::Object(members) if value.to_jcs().len() > 100 || indent == 0 => {
            *out += "{\n";
            for (name, value) in members.iter() {
                *out += &format!("{pad}{name}: ");
                show(value, indent + 1, out);
                *out += "\n";
            }
            *out += &format!("{}}}", "  ".repeat(indent));
        }
        Value::Array(items) if value.to_jcs().len() > 100 => {
            *out += "[\n";
            for value in items {
                *out += &pad;
                show(value, indent + 1, out);
                *out += "\n";
            }
            *out += &format!("{}]", "  ".repeat(indent));
        }
        value => *out += &String::from_utf8(value.to_jcs()).unwrap(),
    }
}

/// Records of a body.
fn records(form: Form, signal: Signal, body: &[u8]) -> Vec<(Group<'_>, Result<Record<'_>, Refusal>)> {
    let mut all = Vec::new();
    let opened = open(form, signal, body).unwrap_or_else(|e| panic!("{e}"));
    let count = opened.records;
    opened
        .each(signal, |group, record| {
            all.push((group.clone(), record));
            Ok::<(), ()>(())
        })
        .unwrap();
    assert_eq!(all.len(), count);
    all
}

fn log(event: &str, attributes: &str) -> Log<'static> {
    Log {
        time: 1_767_225_600_000_000_000,
        event: event.to_owned().into(),
        attributes: object(attributes),
        ..Log::default()
    }
}
