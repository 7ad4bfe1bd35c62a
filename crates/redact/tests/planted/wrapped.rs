//! Ways in which a text is wrapped, and where it is put. The tests of the real binary use the same.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use event::{Object, Value};

/// Harmless: what is done to it is too much.
pub(crate) const CONTROL: &str = "control value of the third kind";

pub(crate) type Wrap = fn(&str) -> Value<'static>;

pub(crate) const FORMS: &[(&str, Wrap)] = &[
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

pub(crate) fn pieces(text: &str) -> Vec<String> {
    let quarter = text.len().div_ceil(4);
    text.as_bytes().chunks(quarter).map(|piece| String::from_utf8(piece.to_vec()).unwrap()).collect()
}

/// Puts a value at a path of the table of fields.
pub(crate) fn put(tree: &mut Object<'static>, path: &str, value: Value<'static>) {
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
