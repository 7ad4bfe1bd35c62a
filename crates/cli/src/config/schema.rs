//! The JSON Schema of the file, written from the table.

use event::{Object, Value};

use crate::config::settings::{SETTINGS, Setting, TABLES};
use crate::config::shape::{DAYS_LEAST, Shape};
use crate::output::object;

/// JSON Schema 2020-12 of the file.
pub(crate) fn schema() -> Value<'static> {
    let mut root = level("");
    root.insert("$schema", "https://json-schema.org/draft/2020-12/schema");
    root.insert("title", "Configuration of Indelible");
    Value::Object(root)
}

/// The object that a table is.
fn level(table: &str) -> Object<'static> {
    let below = |path: &str| match table {
        "" => Some(path.to_owned()),
        table => path.strip_prefix(table)?.strip_prefix('.').map(str::to_owned),
    };
    let mut properties = Object::new();
    for setting in SETTINGS {
        let Some(rest) = below(setting.path) else { continue };
        match rest.split_once('.') {
            None => drop(properties.insert(rest, Value::Object(property(setting)))),
            Some((name, _)) if properties.get(name).is_some() => {}
            Some((name, _)) => {
                let inner = if table.is_empty() { name.to_owned() } else { format!("{table}.{name}") };
                let mut object = level(&inner);
                if let Some((_, about)) = TABLES.iter().find(|(name, _)| *name == inner) {
                    object.insert("description", *about);
                }
                properties.insert(name.to_owned(), Value::Object(object));
            }
        }
    }
    let mut out = Object::new();
    out.insert("type", "object");
    out.insert("additionalProperties", Value::Bool(false));
    out.insert("properties", Value::Object(properties));
    out
}

fn property(setting: &Setting) -> Object<'static> {
    let mut out = Object::from_members(shape(&setting.shape)).expect("our names are distinct");
    out.insert("description", setting.about);
    if let Some(held) = setting.default() {
        out.insert("default", held.value());
    }
    out.insert("examples", Value::Array(vec![setting.example().value()]));
    out
}

fn shape(shape: &Shape) -> Vec<(&'static str, Value<'static>)> {
    let whole =
        |n: u64| i64::try_from(n).ok().and_then(Value::integer).expect("bounds of settings are below 2^53");
    let text =
        |rest: Vec<(&'static str, Value<'static>)>| [vec![("type", Value::from("string"))], rest].concat();
    let range = |least: u64, most: u64| {
        vec![("type", Value::from("integer")), ("minimum", whole(least)), ("maximum", whole(most))]
    };
    let or_text = |range: Vec<(&'static str, Value<'static>)>, pattern: &'static str| {
        vec![(
            "anyOf",
            Value::Array(vec![object(range), object(text(vec![("pattern", Value::from(pattern))]))]),
        )]
    };
    let list = |item: Value<'static>| {
        vec![("type", Value::from("array")), ("maxItems", whole(256)), ("items", item)]
    };
    let filled = || ("minLength", whole(1));
    match shape {
        Shape::Text(most) => text(vec![filled(), ("maxLength", whole(*most as u64))]),
        Shape::Name => text(vec![("pattern", Value::from("^[A-Za-z0-9_.-]{1,64}$"))]),
        Shape::Rate => text(vec![("pattern", Value::from("^[0-9]+ */ *[0-9]+ *(ms|s|m|h|d)$"))]),
        Shape::Origin => text(vec![("pattern", Value::from("^[!-*,-~]{1,200}$"))]),
        Shape::Path | Shape::Address | Shape::KeyFile | Shape::Filter => text(vec![filled()]),
        Shape::Switch => vec![("type", Value::from("boolean"))],
        Shape::Whole(least, most) => range(*least, *most),
        Shape::Bytes(least, most) => or_text(range(*least, *most), "^[0-9]+ *(B|KiB|MiB|GiB|TiB)$"),
        Shape::Time(least, most) => or_text(range(*least, *most), "^[0-9]+ *(ms|s|m|h|d)$"),
        Shape::Days => vec![(
            "anyOf",
            Value::Array(vec![object(vec![("const", whole(0))]), object(range(DAYS_LEAST, 366_000))]),
        )],
        Shape::Choice(choices) => {
            vec![("enum", Value::Array(choices.iter().map(|choice| Value::from(choice.0)).collect()))]
        }
        Shape::Secret => text(vec![("pattern", Value::from("^(env\\.[A-Za-z_][A-Za-z0-9_]*|file:.+)$"))]),
        Shape::Networks | Shape::Filters => list(object(text(vec![filled()]))),
        Shape::Rows(columns) => {
            let needed = columns.iter().filter(|column| column.default.is_none());
            let item = object(vec![
                ("type", Value::from("object")),
                ("additionalProperties", Value::Bool(false)),
                ("required", Value::Array(needed.map(|column| Value::from(column.path)).collect())),
                (
                    "properties",
                    object(
                        columns.iter().map(|column| (column.path, Value::Object(property(column)))).collect(),
                    ),
                ),
            ]);
            list(item)
        }
    }
}
