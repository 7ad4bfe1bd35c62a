//! A configuration file as a tree that knows its lines, from TOML or from JSON.

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// A value, and the line it begins on.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) what: What,
}

/// A value.
#[derive(Debug)]
pub(crate) enum What {
    Text(String),
    Whole(i64),
    Switch(bool),
    List(Vec<Node>),
    Table(Vec<Member>),
    /// What no setting is, by name.
    Other(&'static str),
}

/// A member of a table, and the line of its key.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) key: String,
    pub(crate) line: usize,
    pub(crate) node: Node,
}

impl What {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            What::Text(_) => "text",
            What::Whole(_) => "a number",
            What::Switch(true) => "true",
            What::Switch(false) => "false",
            What::List(_) => "a list",
            What::Table(_) => "a table",
            What::Other(name) => name,
        }
    }
}

/// Something that is no TOML or no JSON.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) line: Option<usize>,
    pub(crate) what: String,
}

/// Largest file, in bytes.
pub(crate) const BYTES_MOST: u64 = 1 << 20;
/// Settings lie four deep.
const DEPTH_MOST: usize = 16;

/// Reads TOML; all that is wrong with it, if anything is.
pub(crate) fn toml(text: &str) -> Result<Vec<Member>, Vec<Fault>> {
    let lines = Lines::new(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(toml_table(table.get_ref(), &lines));
    }
    let fault = |error: &toml::de::Error| Fault {
        line: error.span().map(|span| lines.at(span.start)),
        what: format!("not TOML: {}", error.message()),
    };
    let mut faults: Vec<Fault> = errors.iter().map(fault).collect();
    faults.sort_by_key(|fault| fault.line);
    Err(faults)
}

/// Reads one value of TOML, for instance a list.
pub(crate) fn toml_value(text: &str) -> Result<What, String> {
    let lines = Lines::new(text);
    match DeValue::parse(text) {
        Ok(value) => Ok(toml_node(&value, &lines).what),
        Err(error) => Err(format!("not a value of TOML: {}", error.message())),
    }
}

fn toml_table(table: &DeTable<'_>, lines: &Lines) -> Vec<Member> {
    let member = |(key, value): (&Spanned<std::borrow::Cow<'_, str>>, &Spanned<DeValue<'_>>)| Member {
        key: key.get_ref().to_string(),
        line: lines.at(key.span().start),
        node: toml_node(value, lines),
    };
    let mut members: Vec<Member> = table.iter().map(member).collect();
    members.sort_by_key(|member| member.line);
    members
}

fn toml_node(value: &Spanned<DeValue<'_>>, lines: &Lines) -> Node {
    let list = |items: &DeArray<'_>| items.iter().map(|item| toml_node(item, lines)).collect();
    let what = match value.get_ref() {
        DeValue::String(text) => What::Text(text.to_string()),
        DeValue::Integer(n) => match i64::from_str_radix(n.as_str(), n.radix()) {
            Ok(n) => What::Whole(n),
            Err(_) => What::Other("a number beyond 64 bits"),
        },
        DeValue::Float(_) => What::Other("a number with a fraction"),
        DeValue::Boolean(on) => What::Switch(*on),
        DeValue::Datetime(_) => What::Other("a date"),
        DeValue::Array(items) => What::List(list(items)),
        DeValue::Table(table) => What::Table(toml_table(table, lines)),
    };
    Node { line: lines.at(value.span().start), what }
}

/// Where lines begin.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Lines {
        Lines(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect())
    }

    /// Line of a byte, from 1.
    fn at(&self, byte: usize) -> usize {
        self.0.partition_point(|end| *end < byte) + 1
    }
}

/// Reads JSON as strictly as events are read: a key that stands twice is refused.
pub(crate) fn json(bytes: &[u8]) -> Result<Vec<Member>, Vec<Fault>> {
    let limits = event::Limits { max_bytes: BYTES_MOST as usize, max_depth: DEPTH_MOST };
    if let Err(refusal) = event::json::parse(bytes, &limits) {
        let line =
            refusal.offset.map(|offset| 1 + bytes.iter().take(offset).filter(|byte| **byte == b'\n').count());
        return Err(vec![Fault { line, what: format!("not JSON: {}", refusal.reason) }]);
    }
    let text = std::str::from_utf8(bytes).expect("JSON is UTF-8");
    let node = Json { text, at: 0, line: 1 }.value();
    match node.what {
        What::Table(members) => Ok(members),
        other => {
            Err(vec![Fault { line: Some(1), what: format!("expected an object, not {}", other.name()) }])
        }
    }
}

/// Walks JSON that is known to be well formed and not deep, for the sake of the lines.
struct Json<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl Json<'_> {
    fn value(&mut self) -> Node {
        let first = self.peek();
        let line = self.line;
        let what = match first {
            b'{' => {
                let mut members = Vec::new();
                self.each(b'}', |json| {
                    let (line, key) = (json.line, json.scalar());
                    json.peek();
                    json.at += 1; // The colon.
                    let What::Text(key) = key else { unreachable!("a key is text") };
                    members.push(Member { key, line, node: json.value() });
                });
                What::Table(members)
            }
            b'[' => {
                let mut items = Vec::new();
                self.each(b']', |json| items.push(json.value()));
                What::List(items)
            }
            _ => self.scalar(),
        };
        Node { line, what }
    }

    /// Goes through what lies between brackets.
    fn each(&mut self, end: u8, mut item: impl FnMut(&mut Self)) {
        self.at += 1;
        loop {
            match self.peek() {
                b',' => self.at += 1,
                byte if byte == end => break,
                _ => item(self),
            }
        }
        self.at += 1;
    }

    /// The next byte that is no space.
    fn peek(&mut self) -> u8 {
        loop {
            match self.text.as_bytes()[self.at] {
                b'\n' => self.line += 1,
                b' ' | b'\t' | b'\r' => {}
                byte => return byte,
            }
            self.at += 1;
        }
    }

    fn scalar(&mut self) -> What {
        let rest = &self.text.as_bytes()[self.at..];
        let len = match rest[0] {
            b'"' => {
                let mut end = 1;
                while rest[end] != b'"' {
                    end += if rest[end] == b'\\' { 2 } else { 1 };
                }
                end + 1
            }
            _ => rest.iter().position(|byte| b",]} \t\r\n".contains(byte)).unwrap_or(rest.len()),
        };
        let scalar = &self.text.as_bytes()[self.at..self.at + len];
        self.at += len;
        let limits = event::Limits { max_bytes: scalar.len(), max_depth: 1 };
        match event::json::parse(scalar, &limits).expect("it was read as a part of the whole") {
            event::Value::String(text) => What::Text(text.into_owned()),
            event::Value::Bool(on) => What::Switch(on),
            event::Value::Null => What::Other("null"),
            number => number.as_i64().map_or(What::Other("a number with a fraction"), What::Whole),
        }
    }
}
