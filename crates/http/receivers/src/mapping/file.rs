//! Reads a mapping file. Every name in it is known, and every field of the event exists: what is wrong is told with its
//! line, all of it at once.

use event::field::{self, Shape};
use event::{Object, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::path::Path;
use super::template::{Place, Template};
use super::value::{Expression, Lookup, TIMES, What};
use super::{BYTES_MOST, Mapping, Wrong, is_name};

/// Most things that are told at once.
const WRONG_MOST: usize = 50;

/// A block of the event, and what is in it.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub(super) members: Vec<(String, Member)>,
}

#[derive(Debug)]
pub(super) enum Member {
    One(Expression),
    Block(Block),
    /// Blocks of a list.
    List(Vec<Item>),
}

/// A block of a list: one, or one for each item of a list of the record.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) each: Option<Path>,
    pub(super) block: Block,
}

impl Block {
    /// The fields it fills, with what they are filled.
    pub(super) fn tell(&self, before: &str, fields: &mut Vec<(String, String)>) {
        for (name, member) in &self.members {
            let path = format!("{before}{name}");
            match member {
                Member::One(expression) => fields.push((path, expression.about())),
                Member::Block(block) => block.tell(&format!("{path}."), fields),
                Member::List(items) => {
                    for item in items {
                        item.block.tell(&format!("{path}[]."), fields);
                    }
                }
            }
        }
    }

    /// What `type` may become, as far as it is a word of the file.
    pub(super) fn types(&self) -> Vec<String> {
        let kind = self.members.iter().find(|(name, _)| name == "type");
        let Some((_, Member::One(expression))) = kind else { return Vec::new() };
        let mut words: Vec<&str> = match &expression.what {
            What::Constant(_) => Vec::new(),
            What::Template(template) => template.constant().into_iter().collect(),
            What::Lookup(lookup) => {
                let templates = lookup.map.iter().map(|(_, template)| template);
                let templates = templates.chain(&lookup.otherwise).chain(&lookup.missing);
                templates.filter_map(Template::constant).collect()
            }
        };
        words.sort_unstable();
        words.dedup();
        words.into_iter().map(str::to_owned).collect()
    }
}

type Key<'t> = Spanned<std::borrow::Cow<'t, str>>;
type Node<'t> = Spanned<DeValue<'t>>;

pub(super) fn parse(text: &str) -> Result<Mapping, Vec<Wrong>> {
    if text.len() > BYTES_MOST {
        let what = format!("{} bytes; a mapping file has at most {BYTES_MOST}", text.len());
        return Err(vec![Wrong { line: 1, what }]);
    }
    let ends: Vec<usize> = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at).collect();
    let mut reader = Reader { ends, wrong: Vec::new() };
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let at = error.span().map_or(0, |span| span.start);
        reader.wrong(at, format!("not TOML: {}", error.message()));
    }
    let mapping = if errors.is_empty() { reader.mapping(table.get_ref()) } else { None };
    reader.wrong.sort_by_key(|wrong| wrong.line);
    match (reader.wrong.is_empty(), mapping) {
        (true, Some(mapping)) => Ok(mapping),
        _ => Err(reader.wrong),
    }
}

struct Reader {
    /// Where lines end.
    ends: Vec<usize>,
    wrong: Vec<Wrong>,
}

impl Reader {
    fn line(&self, at: usize) -> usize {
        self.ends.partition_point(|end| *end < at) + 1
    }

    fn wrong(&mut self, at: usize, what: impl Into<String>) {
        if self.wrong.len() < WRONG_MOST {
            let line = self.line(at);
            self.wrong.push(Wrong { line, what: what.into() });
        }
    }

    fn mapping(&mut self, table: &DeTable<'_>) -> Option<Mapping> {
        const NAMES: [&str; 9] =
            ["name", "about", "observed", "cannot", "producer", "records", "drop", "rest", "event"];
        for key in table.keys().filter(|key| !NAMES.contains(&&**key.get_ref())) {
            self.wrong(
                key.span().start,
                format!("{:?} is not known; there are {}", key.get_ref(), NAMES.join(", ")),
            );
        }
        let get = |name: &str| table.iter().find(|(key, _)| key.get_ref() == name).map(|(_, node)| node);
        let mut text = |name: &str| match get(name) {
            None => {
                self.wrong(0, format!("{name} is missing"));
                String::new()
            }
            Some(node) => self.text(name, node).unwrap_or_default(),
        };
        let (name, about, observed, producer) =
            (text("name"), text("about"), text("observed"), text("producer"));
        if let Some(node) = get("name").filter(|_| !name.is_empty() && !is_name(&name)) {
            self.wrong(node.span().start, "name: expected 1 to 40 of a-z 0-9 _ -");
        }
        let is_producer = |c: char| c.is_ascii_alphanumeric() || "._:/-".contains(c);
        if let Some(node) =
            get("producer").filter(|_| producer.len() > 64 || !producer.chars().all(is_producer))
        {
            self.wrong(node.span().start, "producer: expected 1 to 64 of A-Z a-z 0-9 . _ : / -");
        }
        let mut texts = |name: &str| get(name).map(|node| self.texts(name, node)).unwrap_or_default();
        let cannot = texts("cannot").into_iter().map(|(_, text)| text).collect();
        let (records, drop) = (texts("records"), texts("drop"));
        let mut paths = |texts: Vec<(usize, String)>| -> Vec<Path> {
            let read = |(at, text): (usize, String)| match Path::parse(&text) {
                Ok(path) => Some(path),
                Err(what) => {
                    self.wrong(at, what);
                    None
                }
            };
            texts.into_iter().filter_map(read).collect()
        };
        let (records, drop) = (paths(records), paths(drop));
        let keeps_rest = match get("rest").map(|node| (node, node.get_ref())) {
            None => true,
            Some((_, DeValue::String(word))) if word == "keep" || word == "drop" => word == "keep",
            Some((node, _)) => {
                self.wrong(node.span().start, "rest: expected \"keep\" or \"drop\"");
                true
            }
        };
        let event = match get("event").map(|node| (node, node.get_ref())) {
            Some((_, DeValue::Table(table))) => self.block(table, ""),
            Some((node, _)) => {
                self.wrong(node.span().start, "event: expected a table of fields");
                Block::default()
            }
            None => {
                self.wrong(0, "event is missing: a table of the event's fields");
                Block::default()
            }
        };
        if get("event").is_some() && !event.members.iter().any(|(name, _)| name == "type") {
            self.wrong(0, "event.type is missing: every event has a type");
        }
        Some(Mapping { name, about, observed, cannot, producer, records, drop, keeps_rest, event })
    }

    fn text(&mut self, name: &str, node: &Node<'_>) -> Option<String> {
        match node.get_ref() {
            DeValue::String(text) if !text.is_empty() => Some(text.to_string()),
            _ => {
                self.wrong(node.span().start, format!("{name}: expected text that is not empty"));
                None
            }
        }
    }

    /// A list of texts, or one.
    fn texts(&mut self, name: &str, node: &Node<'_>) -> Vec<(usize, String)> {
        match node.get_ref() {
            DeValue::Array(items) => {
                items.iter().filter_map(|item| Some((item.span().start, self.text(name, item)?))).collect()
            }
            _ => self.text(name, node).map(|text| (node.span().start, text)).into_iter().collect(),
        }
    }

    /// A block of fields; `before` is its path, with a dot at its end.
    fn block(&mut self, table: &DeTable<'_>, before: &str) -> Block {
        let mut block = Block::default();
        for (key, node) in table {
            if let Some(member) = self.member(key, node, before) {
                block.members.push((key.get_ref().to_string(), member));
            }
        }
        block
    }

    fn member(&mut self, key: &Key<'_>, node: &Node<'_>, before: &str) -> Option<Member> {
        let (name, at) = (key.get_ref(), key.span().start);
        let path = format!("{before}{name}");
        if matches!(&*path, "producer" | "organisation" | "redactions") {
            let why =
                if path == "producer" { "stands above `[event]`" } else { "is not for a mapping to say" };
            self.wrong(at, format!("event.{path} {why}"));
            return None;
        }
        let list = field::find(&format!("{path}[]"));
        match (field::find(&path), list, node.get_ref()) {
            (Some(field), _, DeValue::Table(table)) if field.shape == Shape::Block => {
                Some(Member::Block(self.block(table, &format!("{path}."))))
            }
            (Some(field), _, DeValue::Table(table))
                if matches!(field.shape, Shape::Open | Shape::Any) && !is_lookup(table) =>
            {
                Some(Member::Block(self.open(table, &path)))
            }
            (Some(field), _, _) if field.shape == Shape::Block => {
                self.wrong(at, format!("event.{path}: expected a table of fields"));
                None
            }
            (None, Some(field), DeValue::Array(items)) if field.shape == Shape::Block => {
                Some(Member::List(items.iter().filter_map(|item| self.item(item, &path)).collect()))
            }
            (None, Some(field), _) if field.shape == Shape::Block => {
                self.wrong(at, format!("event.{path}: expected a list of tables, [[event.{path}]]"));
                None
            }
            (Some(_), _, _) | (None, Some(_), _) => self.expression(node, &path).map(Member::One),
            (None, None, _) => {
                let what = "is no field of an event; what has none goes in `attributes`, and docs/reference/event.md has them all";
                self.wrong(at, format!("event.{path} {what}"));
                None
            }
        }
    }

    /// A block of a list of them.
    fn item(&mut self, node: &Node<'_>, path: &str) -> Option<Item> {
        let DeValue::Table(table) = node.get_ref() else {
            self.wrong(node.span().start, format!("event.{path}: expected a table of fields"));
            return None;
        };
        let (mut each, mut block) = (None, Block::default());
        for (key, node) in table {
            if key.get_ref() == "each" {
                match self.text("each", node).map(|text| Path::parse(&text)) {
                    Some(Ok(path)) => each = Some(path),
                    Some(Err(what)) => self.wrong(node.span().start, what),
                    None => {}
                }
            } else if let Some(member) = self.member(key, node, &format!("{path}[].")) {
                block.members.push((key.get_ref().to_string(), member));
            }
        }
        Some(Item { each, block })
    }

    /// Members whose names are free.
    fn open(&mut self, table: &DeTable<'_>, path: &str) -> Block {
        let mut block = Block::default();
        for (key, node) in table {
            let path = format!("{path}.{}", key.get_ref());
            let member = match node.get_ref() {
                DeValue::Table(table) if !is_lookup(table) => Some(Member::Block(self.open(table, &path))),
                _ => self.expression(node, &path).map(Member::One),
            };
            block.members.extend(member.map(|member| (key.get_ref().to_string(), member)));
        }
        block
    }

    fn expression(&mut self, node: &Node<'_>, path: &str) -> Option<Expression> {
        let at = node.span().start;
        let line = self.line(at);
        let (what, required) = match node.get_ref() {
            DeValue::Table(table) => self.lookup(table, path, at)?,
            DeValue::String(text) => (What::Template(self.template(at, text, path)?), false),
            other => match constant(other) {
                Some(value) => (What::Constant(value), false),
                None => {
                    self.wrong(at, format!("event.{path}: expected text with places in it, a table with `from`, or a constant"));
                    return None;
                }
            },
        };
        Some(Expression { line, what, required: required || path == "type" })
    }

    fn template(&mut self, at: usize, text: &str, path: &str) -> Option<Template> {
        Template::parse(text).map_err(|what| self.wrong(at, format!("event.{path}: {what}"))).ok()
    }

    fn lookup(&mut self, table: &DeTable<'_>, path: &str, at: usize) -> Option<(What, bool)> {
        const NAMES: [&str; 6] = ["from", "map", "else", "missing", "time", "required"];
        for key in table.keys().filter(|key| !NAMES.contains(&&**key.get_ref())) {
            let what =
                format!("event.{path}: {:?} is not known; there are {}", key.get_ref(), NAMES.join(", "));
            self.wrong(key.span().start, what);
        }
        let get = |name: &str| table.iter().find(|(key, _)| key.get_ref() == name).map(|(_, node)| node);
        let Some(from) = get("from") else {
            self.wrong(at, format!("event.{path}: `from` is missing, the place in the record"));
            return None;
        };
        let mut place = Place { paths: Vec::new(), filter: None };
        for (at, text) in self.texts("from", from) {
            match Template::parse(&format!("{{{text}}}")) {
                Ok(template) => match template.place() {
                    Some(one) => {
                        place.paths.extend(one.paths.iter().cloned());
                        place.filter = place.filter.or(one.filter);
                    }
                    None => self.wrong(at, format!("event.{path}: `from` is a place, such as \"actor.id\"")),
                },
                Err(what) => self.wrong(at, format!("event.{path}: {what}")),
            }
        }
        let mut template = |name: &str| {
            let node = get(name)?;
            let text = self.text(name, node)?;
            self.template(node.span().start, &text, path)
        };
        let (otherwise, missing) = (template("else"), template("missing"));
        let mut map = Vec::new();
        match get("map").map(|node| (node, node.get_ref())) {
            None => {}
            Some((_, DeValue::Table(words))) => {
                for (key, node) in words {
                    let text = self.text("map", node);
                    let template = text.and_then(|text| self.template(node.span().start, &text, path));
                    map.extend(template.map(|template| (key.get_ref().to_string(), template)));
                }
            }
            Some((node, _)) => {
                self.wrong(node.span().start, format!("event.{path}: map: expected a table of words"))
            }
        }
        let time = match get("time").map(|node| (node, node.get_ref())) {
            None => None,
            Some((node, DeValue::String(word))) => {
                let time = TIMES.iter().find(|(name, _, _)| name == word).map(|(_, time, _)| *time);
                if time.is_none() {
                    let names: Vec<&str> = TIMES.iter().map(|(name, _, _)| *name).collect();
                    self.wrong(
                        node.span().start,
                        format!("event.{path}: time: expected one of {}", names.join(", ")),
                    );
                }
                time
            }
            Some((node, _)) => {
                self.wrong(node.span().start, format!("event.{path}: time: expected text"));
                None
            }
        };
        if time.is_some() && !(map.is_empty() && otherwise.is_none()) {
            self.wrong(
                at,
                format!("event.{path}: a time is read, not looked up; leave out `map` and `else`"),
            );
        }
        let required = match get("required").map(|node| (node, node.get_ref())) {
            None => false,
            Some((_, DeValue::Boolean(required))) => *required,
            Some((node, _)) => {
                self.wrong(node.span().start, format!("event.{path}: required: expected true or false"));
                false
            }
        };
        Some((What::Lookup(Lookup { from: place, map, otherwise, missing, time }), required))
    }
}

fn is_lookup(table: &DeTable<'_>) -> bool {
    table.keys().any(|key| key.get_ref() == "from")
}

/// A constant that is no text, or a list of constants.
fn constant(value: &DeValue<'_>) -> Option<Value<'static>> {
    match value {
        DeValue::Boolean(on) => Some(Value::Bool(*on)),
        DeValue::Integer(n) => Value::integer(i64::from_str_radix(n.as_str(), n.radix()).ok()?),
        DeValue::Float(n) => Value::number(n.as_str().parse().ok()?),
        DeValue::String(text) => Some(Value::from(text.to_string())),
        DeValue::Array(items) => {
            items.iter().map(|item| constant(item.get_ref())).collect::<Option<Vec<_>>>().map(Value::Array)
        }
        DeValue::Table(table) => {
            let mut members = Object::new();
            for (key, node) in table {
                members.insert(key.get_ref().to_string(), constant(node.get_ref())?);
            }
            Some(Value::Object(members))
        }
        DeValue::Datetime(_) => None,
    }
}
