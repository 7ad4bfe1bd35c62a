//! What a setting may be: how it is read from a file or from text, and how it is written.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use event::Value;
use ipnet::IpNet;

use crate::config::file::{self, Node, What};
use crate::config::settings::{Setting, nearest_of};
use crate::output::{object, short};

/// What a setting may be. Ends of ranges are included.
pub(crate) enum Shape {
    /// Text of at most so many bytes.
    Text(usize),
    /// A name for people: letters, digits, `_`, `-` and `.`.
    Name,
    /// A file or folder.
    Path,
    /// Address and port.
    Address,
    /// A list of networks.
    Networks,
    /// `true` or `false`.
    Switch,
    /// A whole number from, to.
    Whole(u64, u64),
    /// A size in bytes from, to.
    Bytes(u64, u64),
    /// A time in seconds from, to.
    Time(u64, u64),
    /// How many in how much time: `600/1m`.
    Rate,
    /// Days to keep something: 0 or at least [`DAYS_LEAST`].
    Days,
    /// One of a few words.
    Choice(&'static [Choice]),
    /// Name of a ledger without its random end: a host name, perhaps with a path.
    Origin,
    /// Where a secret is. Never the secret.
    Secret,
    /// Where the key-encryption key is: like [`Shape::Secret`], or a path.
    KeyFile,
    /// A filter.
    Filter,
    /// A list of filters.
    Filters,
    /// A list of tables with these settings.
    Rows(&'static [Setting]),
}

/// A word that may be chosen, and what it means.
#[derive(Clone, Copy)]
pub(crate) struct Choice(pub(crate) &'static str, pub(crate) &'static str);

/// Nothing is kept for a shorter time, or an audit log would not be one.
pub(crate) const DAYS_LEAST: u64 = 90;
/// Beyond a thousand years somebody has mistaken the unit.
const DAYS_MOST: u64 = 366_000;
/// Longest list.
const LIST_MOST: usize = 256;
const NAME_MOST: usize = 64;
const PATH_MOST: usize = 4096;
const ORIGIN_MOST: usize = 200;

/// A setting's value. It holds no secret.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Held {
    /// Text, a path, a filter.
    Text(String),
    /// One of a few words.
    Word(&'static str),
    /// Address and port.
    Address(SocketAddr),
    /// Networks.
    Networks(Vec<IpNet>),
    /// `true` or `false`.
    Switch(bool),
    /// A whole number.
    Whole(u64),
    /// A size in bytes.
    Bytes(u64),
    /// A time.
    Time(Duration),
    /// How many in how much time.
    Rate(u32, Duration),
    /// Filters.
    Texts(Vec<String>),
    /// Where a secret is.
    Reference(Reference),
    /// Tables: name and value of each setting in them.
    Rows(Vec<Row>),
}

/// One table of a list.
pub(crate) type Row = Vec<(&'static str, Held)>;

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reference {
    /// In a variable of the environment.
    Env(String),
    /// In a file.
    File(PathBuf),
}

impl Reference {
    /// `None` if it is neither `env.NAME` nor `file:/path`.
    pub(crate) fn parse(text: &str) -> Option<Reference> {
        if let Some(name) = text.strip_prefix("env.") {
            let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            return is_name.then(|| Reference::Env(name.to_owned()));
        }
        let path = text.strip_prefix("file:")?;
        (!path.is_empty() && path.len() <= PATH_MOST && !path.contains('\0'))
            .then(|| Reference::File(path.into()))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reference::Env(name) => write!(f, "env.{name}"),
            Reference::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

/// What is wrong with a value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// Where in the value, to be put behind the setting's path: `[2].filter`, or nothing.
    pub(crate) within: String,
    /// Line of the file.
    pub(crate) line: usize,
    /// What is wrong, and what to do.
    pub(crate) what: String,
}

impl Shape {
    /// Reads a value of a file. Everything that is wrong with it, if anything is.
    pub(crate) fn read(&self, node: &Node) -> Result<Held, Vec<Wrong>> {
        match (self, &node.what) {
            (Shape::Rows(columns), What::List(items)) => rows(columns, items, node.line),
            (Shape::Networks | Shape::Filters, What::List(items)) => self.list(items, node.line),
            _ => self.one(node).map_err(|what| vec![wrong(node.line, what)]),
        }
    }

    /// Reads a value of the environment or of a flag, where everything is text: lists as in TOML, or with commas.
    pub(crate) fn read_text(&self, text: &str) -> Result<Held, Vec<Wrong>> {
        let node = |what| Node { line: 1, what };
        let texts = |parts: &mut dyn Iterator<Item = &str>| {
            What::List(parts.map(|part| node(What::Text(part.trim().to_owned()))).collect())
        };
        let what = match self {
            Shape::Switch => match text {
                "true" => What::Switch(true),
                "false" => What::Switch(false),
                _ => What::Text(text.to_owned()),
            },
            Shape::Whole(..) | Shape::Bytes(..) | Shape::Time(..) | Shape::Days => {
                text.parse().map_or_else(|_| What::Text(text.to_owned()), What::Whole)
            }
            Shape::Networks | Shape::Filters | Shape::Rows(_) if text.trim().is_empty() => {
                What::List(Vec::new())
            }
            Shape::Networks | Shape::Filters | Shape::Rows(_) if text.trim_start().starts_with('[') => {
                file::toml_value(text).map_err(|what| vec![wrong(1, what)])?
            }
            Shape::Networks => texts(&mut text.split(',')),
            // A filter may hold commas.
            Shape::Filters => texts(&mut std::iter::once(text)),
            _ => What::Text(text.to_owned()),
        };
        self.read(&node(what))
    }

    fn list(&self, items: &[Node], line: usize) -> Result<Held, Vec<Wrong>> {
        if items.len() > LIST_MOST {
            return Err(vec![wrong(line, format!("a list of at most {LIST_MOST}, not {}", items.len()))]);
        }
        let mut wrongs = Vec::new();
        let mut texts = Vec::new();
        let mut networks = Vec::new();
        for (n, item) in items.iter().enumerate() {
            let read = match (self, &item.what) {
                (Shape::Networks, What::Text(text)) => network(text).map(|network| networks.push(network)),
                (Shape::Networks, _) => Err(network_expected()),
                _ => Shape::Filter.one(item).map(|held| match held {
                    Held::Text(text) => texts.push(text),
                    _ => unreachable!("a filter is read as text"),
                }),
            };
            if let Err(what) = read {
                wrongs.push(Wrong { within: format!("[{n}]"), line: item.line, what });
            }
        }
        match (wrongs.is_empty(), self) {
            (false, _) => Err(wrongs),
            (true, Shape::Networks) => Ok(Held::Networks(networks)),
            (true, _) => Ok(Held::Texts(texts)),
        }
    }

    fn one(&self, node: &Node) -> Result<Held, String> {
        let expected = || Err(format!("expected {}, not {}", self.expected(), node.what.name()));
        match (self, &node.what) {
            (Shape::Text(most), What::Text(text)) => text_of(text, *most).map(Held::Text),
            (Shape::Path, What::Text(text)) => text_of(text, PATH_MOST).map(Held::Text),
            (Shape::Name, What::Text(text)) => {
                let fits = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
                match !text.is_empty() && text.len() <= NAME_MOST && text.chars().all(fits) {
                    true => Ok(Held::Text(text.clone())),
                    false => Err(format!("{} is no name; expected {}", quoted(text), self.expected())),
                }
            }
            (Shape::Origin, What::Text(text)) => {
                let fits = |c: char| c.is_ascii_graphic() && c != '+';
                match !text.is_empty() && text.len() <= ORIGIN_MOST && text.chars().all(fits) {
                    true => Ok(Held::Text(text.clone())),
                    false => {
                        Err(format!("{} is no name of a ledger; expected {}", quoted(text), self.expected()))
                    }
                }
            }
            (Shape::Address, What::Text(text)) => match text.parse() {
                Ok(address) => Ok(Held::Address(address)),
                Err(_) => {
                    Err(format!("{} is no address and port; expected {}", quoted(text), self.expected()))
                }
            },
            (Shape::Switch, What::Switch(on)) => Ok(Held::Switch(*on)),
            (Shape::Whole(least, most), What::Whole(n)) => match u64::try_from(*n) {
                Ok(n) if (*least..=*most).contains(&n) => Ok(Held::Whole(n)),
                _ => Err(format!("{n} is out of range; expected {}", self.expected())),
            },
            (Shape::Days, What::Whole(n)) => match u64::try_from(*n) {
                Ok(n) if n == 0 || (DAYS_LEAST..=DAYS_MOST).contains(&n) => Ok(Held::Whole(n)),
                _ => Err(format!("{n} is out of range; expected {}", self.expected())),
            },
            (Shape::Bytes(least, most), What::Whole(_) | What::Text(_)) => {
                match measured(&node.what, SIZES)? {
                    n if (*least..=*most).contains(&n) => Ok(Held::Bytes(n)),
                    n => Err(format!("{} is out of range; expected {}", in_units(n, SIZES), self.expected())),
                }
            }
            (Shape::Time(least, most), What::Whole(_) | What::Text(_)) => {
                let millis = match &node.what {
                    What::Whole(n) => measured(&What::Text(format!("{n}s")), TIMES)?,
                    text => measured(text, TIMES)?,
                };
                match (least * 1000..=most * 1000).contains(&millis) {
                    true => Ok(Held::Time(Duration::from_millis(millis))),
                    false => Err(format!(
                        "{} is out of range; expected {}",
                        in_units(millis, TIMES),
                        self.expected()
                    )),
                }
            }
            (Shape::Rate, What::Text(text)) => {
                rate(text).ok_or_else(|| format!("{} is no rate; expected {}", quoted(text), self.expected()))
            }
            (Shape::Choice(choices), What::Text(text)) => {
                if let Some(choice) = choices.iter().find(|choice| choice.0 == text) {
                    return Ok(Held::Word(choice.0));
                }
                let near = nearest_of(text, choices.iter().map(|choice| choice.0));
                let hint = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
                Err(format!("expected {}, not {}{hint}", self.expected(), quoted(text)))
            }
            // What was written may be the secret itself: it is never repeated.
            (Shape::Secret, What::Text(text)) => match Reference::parse(text) {
                Some(reference) => Ok(Held::Reference(reference)),
                None => Err(format!("expected {}", self.expected())),
            },
            (Shape::KeyFile, What::Text(text)) => {
                let looks_like_a_key = text.len() >= 32 && text.chars().all(|c| c.is_ascii_hexdigit());
                let looks_like_a_reference =
                    ["env.", "env:", "file:"].iter().any(|start| text.starts_with(start));
                match Reference::parse(text) {
                    Some(reference) => Ok(Held::Reference(reference)),
                    None if looks_like_a_key || looks_like_a_reference => {
                        Err(format!("expected {}", self.expected()))
                    }
                    None => {
                        text_of(text, PATH_MOST).map(|path| Held::Reference(Reference::File(path.into())))
                    }
                }
            }
            (Shape::Filter, What::Text(text)) => filter(text).map(|()| Held::Text(text.clone())),
            _ => expected(),
        }
    }

    /// What is expected, to be put behind "expected".
    pub(crate) fn expected(&self) -> String {
        match self {
            Shape::Text(most) => format!("text of at most {most} bytes"),
            Shape::Name => format!("at most {NAME_MOST} letters, digits, `_`, `-` and `.`"),
            Shape::Rate => "a number and the time in which so many may come, such as 600/1m".into(),
            Shape::Path => "a path".into(),
            Shape::Address => "an address and a port, such as 127.0.0.1:8080 or [::1]:8080".into(),
            Shape::Networks => "a list of networks, such as [\"10.0.0.0/8\", \"fd00::/8\"]".into(),
            Shape::Switch => "true or false".into(),
            Shape::Whole(least, most) => format!("a whole number from {least} to {most}"),
            Shape::Bytes(least, most) => {
                format!(
                    "a size from {} to {}, or bytes as a number",
                    in_units(*least, SIZES),
                    in_units(*most, SIZES)
                )
            }
            Shape::Time(least, most) => {
                let [least, most] = [least, most].map(|seconds| in_units(seconds * 1000, TIMES));
                format!("a time from {least} to {most}, or seconds as a number")
            }
            Shape::Days => format!("0, which is for good, or days from {DAYS_LEAST} to {DAYS_MOST}"),
            Shape::Choice(choices) => {
                choices.iter().map(|choice| format!("{:?}", choice.0)).collect::<Vec<_>>().join(" or ")
            }
            Shape::Origin => {
                format!("at most {ORIGIN_MOST} visible characters without `+`, such as audit.example.com")
            }
            Shape::Secret => "env.NAME or file:/path, never the secret itself".into(),
            Shape::KeyFile => "a path, file:/path or env.NAME, never the key itself".into(),
            Shape::Filter => "a filter, such as \"type:auth.*\"".into(),
            Shape::Filters => "a list of filters, such as [\"type:auth.*\"]".into(),
            Shape::Rows(columns) => {
                let names: Vec<&str> = columns.iter().map(|column| column.path).collect();
                format!("a list of tables with {}", names.join(", "))
            }
        }
    }
}

fn wrong(line: usize, what: String) -> Wrong {
    Wrong { within: String::new(), line, what }
}

fn quoted(text: &str) -> String {
    format!("{:?}", short(text, 60))
}

fn text_of(text: &str, most: usize) -> Result<String, String> {
    match text {
        "" => Err("is empty; leave it out instead".into()),
        text if text.len() > most => Err(format!("expected at most {most} bytes")),
        text if text.contains('\0') => Err("holds a zero byte".into()),
        text => Ok(text.to_owned()),
    }
}

/// At least one, in at most a day.
fn rate(text: &str) -> Option<Held> {
    let (quota, window) = text.split_once('/')?;
    let quota: u32 = quota.trim().parse().ok().filter(|quota| *quota > 0)?;
    let window = measured(&What::Text(window.to_owned()), TIMES).ok()?;
    (1..=86_400_000).contains(&window).then(|| Held::Rate(quota, Duration::from_millis(window)))
}

fn network_expected() -> String {
    "expected a network, such as \"10.0.0.0/8\"".into()
}

/// A network whose host bits are zero: with any other, somebody has mistaken the length.
fn network(text: &str) -> Result<IpNet, String> {
    let network: IpNet =
        text.parse().map_err(|_| format!("{} is no network; {}", quoted(text), network_expected()))?;
    match network.trunc() == network {
        true => Ok(network),
        false => Err(format!("{network} has bits beyond its length; write {}", network.trunc())),
    }
}

fn filter(text: &str) -> Result<(), String> {
    match text.trim() {
        "" => Err("is empty; a filter such as \"type:auth.*\" is expected".into()),
        text => query::Filter::parse(text).map(drop).map_err(|e| e.to_string()),
    }
}

/// The tables of a list. Every name in them is known, and none is missing.
fn rows(columns: &'static [Setting], items: &[Node], line: usize) -> Result<Held, Vec<Wrong>> {
    if items.len() > LIST_MOST {
        return Err(vec![wrong(line, format!("a list of at most {LIST_MOST}, not {}", items.len()))]);
    }
    let mut wrongs = Vec::new();
    let mut rows = Vec::new();
    for (n, item) in items.iter().enumerate() {
        let What::Table(members) = &item.what else {
            let what = format!("expected a table, not {}", item.what.name());
            wrongs.push(Wrong { within: format!("[{n}]"), line: item.line, what });
            continue;
        };
        for member in members.iter().filter(|member| columns.iter().all(|column| column.path != member.key)) {
            let near = nearest_of(&member.key, columns.iter().map(|column| column.path));
            let names: Vec<&str> = columns.iter().map(|column| column.path).collect();
            let hint = match near {
                Some(near) => format!("did you mean {near}?"),
                None => format!("there are {}", names.join(", ")),
            };
            let within = format!("[{n}].{}", short(&member.key, 60));
            wrongs.push(Wrong { within, line: member.line, what: format!("unknown setting; {hint}") });
        }
        let mut row = Row::new();
        for column in columns {
            let within = format!("[{n}].{}", column.path);
            let read = match (members.iter().find(|member| member.key == column.path), column.default) {
                (Some(member), _) => column.shape.read(&member.node),
                (None, Some(default)) => column.shape.read_text(default),
                (None, None) => Err(vec![wrong(item.line, "is missing".into())]),
            };
            match read {
                Ok(held) => row.push((column.path, held)),
                Err(inner) => wrongs.extend(
                    inner
                        .into_iter()
                        .map(|wrong| Wrong { within: format!("{within}{}", wrong.within), ..wrong }),
                ),
            }
        }
        rows.push(row);
    }
    if wrongs.is_empty() { Ok(Held::Rows(rows)) } else { Err(wrongs) }
}

/// A unit, and how many of the smallest it is.
type Unit = (&'static str, u64);
const SIZES: &[Unit] = &[("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];
const TIMES: &[Unit] = &[("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// A number with a unit in the smallest unit; a bare number is in it already.
fn measured(what: &What, units: &[Unit]) -> Result<u64, String> {
    let names = || units.iter().rev().map(|unit| unit.0).collect::<Vec<_>>().join(", ");
    let text = match what {
        What::Whole(n) => return u64::try_from(*n).map_err(|_| format!("{n} is below zero")),
        What::Text(text) => text.trim(),
        _ => return Err(format!("expected a number and a unit: {}", names())),
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim_start();
    let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit) else {
        return Err(format!("{} is no whole number with one of the units {}", quoted(text), names()));
    };
    let number: Option<u64> = number.parse().ok();
    number
        .and_then(|number| number.checked_mul(*factor))
        .ok_or_else(|| format!("{} is no whole number with one of the units {}", quoted(text), names()))
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A number in the largest unit that divides it.
fn in_units(n: u64, units: &[Unit]) -> String {
    match units.iter().find(|(_, factor)| n > 0 && n.is_multiple_of(*factor)) {
        Some((name, factor)) => format!("{}{name}", n / factor),
        None => format!("0{}", units[units.len() - 1].0),
    }
}

impl Held {
    /// As JSON.
    pub(crate) fn value(&self) -> Value<'static> {
        let whole = |n: u64| {
            i64::try_from(n).ok().and_then(Value::integer).expect("bounds of settings are below 2^53")
        };
        let texts =
            |texts: &[String]| Value::Array(texts.iter().map(|text| Value::from(text.clone())).collect());
        match self {
            Held::Whole(n) | Held::Bytes(n) => whole(*n),
            Held::Switch(on) => Value::Bool(*on),
            Held::Text(text) => Value::from(text.clone()),
            Held::Word(word) => Value::from(*word),
            Held::Address(address) => Value::from(address.to_string()),
            Held::Reference(reference) => Value::from(reference.to_string()),
            Held::Time(time) => Value::from(in_units(millis(*time), TIMES)),
            Held::Rate(..) => Value::from(self.to_string().trim_matches('"').to_owned()),
            Held::Networks(networks) => texts(&networks.iter().map(IpNet::to_string).collect::<Vec<_>>()),
            Held::Texts(filters) => texts(filters),
            Held::Rows(rows) => {
                let row = |row: &Row| object(row.iter().map(|(name, held)| (*name, held.value())).collect());
                Value::Array(rows.iter().map(row).collect())
            }
        }
    }
}

/// As it is written in TOML.
impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Held::Text(text) => f.write_str(&toml_text(text)),
            Held::Word(word) => write!(f, "\"{word}\""),
            Held::Address(address) => write!(f, "\"{address}\""),
            Held::Networks(networks) => {
                write!(
                    f,
                    "[{}]",
                    networks.iter().map(|network| format!("\"{network}\"")).collect::<Vec<_>>().join(", ")
                )
            }
            Held::Switch(on) => write!(f, "{on}"),
            Held::Whole(n) => write!(f, "{n}"),
            Held::Bytes(n) => write!(f, "\"{}\"", in_units(*n, SIZES)),
            Held::Time(time) => write!(f, "\"{}\"", in_units(millis(*time), TIMES)),
            Held::Rate(quota, window) => write!(f, "\"{quota}/{}\"", in_units(millis(*window), TIMES)),
            Held::Texts(texts) => {
                write!(f, "[{}]", texts.iter().map(|text| toml_text(text)).collect::<Vec<_>>().join(", "))
            }
            Held::Reference(reference) => f.write_str(&toml_text(&reference.to_string())),
            Held::Rows(rows) => {
                let row = |row: &Row| {
                    let members: Vec<String> =
                        row.iter().map(|(name, held)| format!("{name} = {held}")).collect();
                    format!("{{ {} }}", members.join(", "))
                };
                write!(f, "[{}]", rows.iter().map(row).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// A basic string of TOML.
pub(crate) fn toml_text(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
