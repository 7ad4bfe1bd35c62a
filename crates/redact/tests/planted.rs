//! Secrets planted in every field, wrapped in every way: none is left. A harmless text planted likewise is left alone.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use event::field::{FIELDS, Shape};
use event::{Event, Limits, Object, Value};
use redact::{Keys, Origin, Policy, Redactor};

struct Fixed;

impl Keys for Fixed {
    fn text(&self, _: &str, _: &[u8]) -> String {
        format!("hmac-sha256:{}", "a".repeat(64))
    }
}

/// What is written, and the part of it that must be gone.
const SECRETS: &[(&str, &str)] = &[
    ("password=hunter2-plum-Orchard", "hunter2-plum-Orchard"),
    ("4111111111111111", "4111111111111111"),
    ("DE89370400440532013000", "DE89370400440532013000"),
    (
        concat!("sk-proj-", "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9"),
        "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9",
    ),
    (
        concat!("sk-ant-api03-", "Zk3vQ9tYpL1xWc8RbN5mHs2JdF7gUaE4oKiTqXyV"),
        "Zk3vQ9tYpL1xWc8RbN5mHs2JdF7gUaE4oKiTqXyV",
    ),
    (concat!("ghp_", "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17"), "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17"),
    (concat!("AKIA", "IOSFODNN7EXAMPLE"), "IOSFODNN7EXAMPLE"),
    (concat!("xoxb-", "123456789012-1234567890123-aB3dE5fG7hJ9kL1mN3pQ5rS7"), "aB3dE5fG7hJ9kL1mN3pQ5rS7"),
    (concat!("sk_live_", "51aB3dE5fG7hJ9kL1mN3pQ5r"), "51aB3dE5fG7hJ9kL1mN3pQ5r"),
    (
        concat!(
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.",
            "eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
        ),
        "eyJzdWIiOiIxMjM0NTY3ODkwIn0",
    ),
    (
        concat!(
            "-----BEGIN PRIVATE ",
            "KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----"
        ),
        "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC",
    ),
    ("postgres://app:s3cr3t-Plum@db.internal/prod", "s3cr3t-Plum"),
    ("Authorization: Bearer 9f86d081884c7d659a2feaa0c55ad015", "9f86d081884c7d659a2feaa0c55ad015"),
];

const CONTROL: &str = "control value of the third kind";

type Wrap = fn(&str) -> Value<'static>;

const FORMS: &[(&str, Wrap)] = &[
    ("plain", |text| Value::from(text.to_owned())),
    ("sentence", |text| Value::from(format!("we saw {text} today"))),
    ("json", |text| Value::from(object("note", Value::from(text.to_owned())))),
    ("json twice", |text| Value::from(object("a", Value::from(object("b", Value::from(text.to_owned())))))),
    ("base64", |text| Value::from(STANDARD.encode(text))),
    ("base64url of json", |text| {
        Value::from(URL_SAFE_NO_PAD.encode(object("a", Value::from(text.to_owned()))))
    }),
    ("base64 in a sentence", |text| {
        Value::from(format!("got data:text/plain;base64,{} here", STANDARD.encode(text)))
    }),
    ("percent", |text| Value::from(text.bytes().map(|b| format!("%{b:02X}")).collect::<String>())),
    ("array", |text| Value::from(vec![Value::from(CONTROL), Value::from(text.to_owned())])),
    ("split", |text| Value::from(pieces(text).into_iter().map(Value::from).collect::<Vec<_>>())),
    ("numbered", |text| {
        let parts =
            pieces(text).into_iter().enumerate().map(|(n, part)| (format!("part{n}"), Value::from(part)));
        Value::object(parts).unwrap()
    }),
    ("key", |text| Value::object([(text.to_owned(), Value::from(true))]).unwrap()),
    ("deep", |text| {
        (0..20)
            .fold(Value::from(text.to_owned()), |v, _| Value::from(vec![Value::object([("a", v)]).unwrap()]))
    }),
];

fn object(name: &'static str, value: Value<'static>) -> String {
    String::from_utf8(Value::object([(name, value)]).unwrap().to_jcs()).unwrap()
}

fn pieces(text: &str) -> Vec<String> {
    let quarter = text.len().div_ceil(4);
    text.as_bytes().chunks(quarter).map(|piece| String::from_utf8(piece.to_vec()).unwrap()).collect()
}

/// The pieces of a text that have anything of its secret part.
fn pieces_of(text: &str, part: &str) -> Vec<String> {
    let start = text.find(part).unwrap();
    let mut at = 0;
    let mut pieces = pieces(text);
    pieces.retain(|piece| {
        at += piece.len();
        at > start && at - piece.len() < start + part.len()
    });
    pieces
}

/// An event with `value` at a path of the table, past the door's checks of shape: an adapter may put anything there.
fn planted(path: &str, value: Value<'static>) -> Event<'static> {
    let mut event = Event::parse(br#"{"type":"x","producer":"p"}"#, &Limits::default()).unwrap().into_owned();
    let mut tree = std::mem::take(event.tree_mut());
    put(&mut tree, path, value);
    *event.tree_mut() = tree;
    event
}

fn put(tree: &mut Object<'static>, path: &str, value: Value<'static>) {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let below = match rest {
        None => value,
        Some(rest) => {
            let mut block = Object::new();
            put(&mut block, rest, value);
            Value::Object(block)
        }
    };
    match name.strip_suffix("[]") {
        Some(name) => tree.insert(name.to_owned(), vec![below]),
        None => tree.insert(name.to_owned(), below),
    };
}

fn redacted(mut event: Event<'static>, policy: &Policy) -> (String, bool) {
    Redactor::new(policy).unwrap().apply(&mut event, &Fixed, Origin::Sender);
    let noted = event.tree().get("redactions").is_some();
    (String::from_utf8(event.submitted()).unwrap(), noted)
}

fn fields() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().filter(|field| field.shape != Shape::Block).map(|field| field.path)
}

#[test]
fn no_secret_is_left_in_any_field_or_wrapping() {
    let keep = Policy { content: redact::Content::Keep, ..Policy::default() };
    let mut left = Vec::new();
    let mut tried = 0;
    for path in fields() {
        for (form, wrap) in FORMS {
            for (secret, part) in SECRETS {
                for policy in [&Policy::default(), &keep] {
                    tried += 1;
                    let (text, noted) = redacted(planted(path, wrap(secret)), policy);
                    let encoded = STANDARD.encode(part);
                    let whole = text.contains(part) || text.contains(&encoded[2..encoded.len() - 4]);
                    let in_pieces = matches!(*form, "split" | "numbered")
                        && pieces_of(secret, part).iter().any(|piece| text.contains(&format!("\"{piece}\"")));
                    if whole || in_pieces || !noted {
                        left.push(format!("{path} {form}: {} -> {text}", &secret[..8]));
                    }
                }
            }
        }
    }
    assert!(tried > 30_000, "only {tried} planted");
    assert!(left.is_empty(), "{} of {tried} left:\n{}", left.len(), left[..left.len().min(20)].join("\n"));
}

#[test]
fn a_harmless_text_is_left_alone() {
    for path in fields().filter(|path| !path.starts_with("content.") && !path.ends_with("fingerprint")) {
        // What stands for a hash is hashed again.
        if path == "actor.api_key_hash" {
            continue;
        }
        for (form, wrap) in FORMS {
            let event = planted(path, wrap(CONTROL));
            let before = String::from_utf8(event.submitted()).unwrap();
            let (after, _) = redacted(event, &Policy::default());
            assert_eq!(after, before, "{path} {form}");
        }
    }
}
