//! `show` and `tail`: events for people and programs.

use std::io::Write;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use access::{Permission, Viewer};
use event::Value;
use indelible::{Count, DEFAULT, PAGE_MOST, Paging, Question, show, show_id};
use ledger::Ledger;
use query::Filter;

use crate::output::{json, line, printable, short, table};
use crate::{Data, io};

#[derive(clap::Args)]
pub(crate) struct Show {
    #[command(flatten)]
    data: Data,
    /// Our id, a position, or the sender's own id
    id: String,
    /// Whose ledger
    #[arg(long, default_value = DEFAULT)]
    organisation: String,
    /// Print JSON, one event a line
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub(crate) struct Tail {
    #[command(flatten)]
    data: Data,
    /// How many
    #[arg(short = 'n', long, default_value_t = 20)]
    count: usize,
    /// Go on as events come
    #[arg(short, long)]
    follow: bool,
    /// Only events that this filter holds for (docs/reference/query.md)
    #[arg(default_value = "", allow_hyphen_values = true)]
    filter: String,
    /// Only this type, or a beginning of one followed by `.*`
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Only this actor's: id, e-mail address or name
    #[arg(long)]
    actor: Option<String>,
    /// Whose ledger
    #[arg(long, default_value = DEFAULT)]
    organisation: String,
    /// Print JSON, one event a line
    #[arg(long)]
    json: bool,
}

impl Show {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let product = self.data.read()?;
        let ledger = product.ledger(&self.organisation)?;
        let viewer = Viewer::command("show");
        let (found, _) = product.find(&viewer, &self.organisation, &self.id, Permission::ReadEvents)?;
        for position in found {
            let record = ledger.record(position)?;
            let value = show(&ledger, &self.organisation, &record)?;
            match self.json {
                true => json(&value),
                false => people(&value, 0),
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What a reader looks for first; the rest follows by name.
const FIRST: [&str; 12] = [
    "id", "position", "time", "received", "state", "type", "status", "severity", "action", "message",
    "actor", "targets",
];

/// An event as indented lines, strings without their quotes.
pub(crate) fn people(value: &Value<'_>, indent: usize) {
    let pad = " ".repeat(indent);
    let Value::Object(members) = value else { return };
    let simple = |value: &Value<'_>| !matches!(value, Value::Object(inner) if !inner.is_empty());
    let width = members
        .iter()
        .filter(|(_, value)| simple(value))
        .map(|(key, _)| printable(key).chars().count())
        .max()
        .unwrap_or(0);
    let mut members: Vec<_> = members.iter().collect();
    if indent == 0 {
        members.sort_by_key(|(key, _)| FIRST.iter().position(|first| first == key).unwrap_or(FIRST.len()));
    }
    for (key, value) in members {
        let key = printable(key);
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                line(format_args!("{pad}{key}"));
                people(value, indent + 2);
            }
            Value::Array(items) if items.iter().any(|i| matches!(i, Value::Object(_))) => {
                for (n, item) in items.iter().enumerate() {
                    line(format_args!("{pad}{key}[{n}]"));
                    match item {
                        Value::Object(_) => people(item, indent + 2),
                        other => line(format_args!("{pad}  {}", plain(other))),
                    }
                }
            }
            other => line(format_args!("{pad}{key:width$}  {}", plain(other))),
        }
    }
}

fn plain(value: &Value<'_>) -> String {
    match value {
        Value::String(text) => printable(text),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => printable(&String::from_utf8_lossy(&other.to_jcs())),
    }
}

impl Tail {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let mut from = None;
        loop {
            // A snapshot is opened anew each time: the ledger may be another process's.
            let product = self.data.read()?;
            let ledger = product.ledger(&self.organisation)?;
            let events = match from {
                None => self.newest(&product)?,
                Some(from) => self.since(&ledger, from)?,
            };
            from = Some(ledger.size());
            self.print(&events);
            if !self.follow {
                return Ok(ExitCode::SUCCESS);
            }
            thread::sleep(Duration::from_secs(1));
        }
    }

    fn filter(&self) -> anyhow::Result<Filter> {
        let mut filter = parsed(&self.filter)?;
        for (field, value) in [("type", &self.kind), ("actor", &self.actor)] {
            if let Some(value) = value {
                // A value is quoted, and a pattern is not.
                let value = match value.strip_suffix('*') {
                    Some(_) => value.clone(),
                    None => format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
                };
                filter = filter.and(parsed(&format!("{field}:{value}"))?);
            }
        }
        Ok(filter)
    }

    fn newest(&self, product: &indelible::Indelible) -> anyhow::Result<Vec<Value<'static>>> {
        let question =
            Question { organisation: self.organisation.clone(), filter: self.filter()?, consistent: false };
        let mut paging =
            Paging { limit: self.count.clamp(1, PAGE_MOST), count: Count::No, ..Paging::default() };
        let mut events = Vec::new();
        loop {
            let page = product.search(&Viewer::command("tail"), &question, &paging)?;
            events.extend(page.events);
            paging.cursor = page.next;
            if events.len() >= self.count || paging.cursor.is_none() {
                break;
            }
        }
        events.truncate(self.count);
        events.reverse();
        Ok(events)
    }

    fn since(&self, ledger: &Ledger, from: u64) -> anyhow::Result<Vec<Value<'static>>> {
        let now_ns = i64::try_from(io().wall_ms()).unwrap_or(i64::MAX).saturating_mul(1_000_000);
        let predicate = self.filter()?.at(now_ns).predicate();
        let mut events = Vec::new();
        for position in from..ledger.size() {
            let event = show(ledger, &self.organisation, &ledger.record(position)?)?;
            if predicate.matches(&event) {
                events.push(event);
            }
        }
        Ok(events)
    }

    fn print(&self, events: &[Value<'static>]) {
        match self.json {
            true => events.iter().for_each(json),
            false => print_events(events),
        }
        let _ = std::io::stdout().flush();
    }
}

/// A table of events, a line each.
pub(crate) fn print_events(events: &[Value<'static>]) {
    let text = |event: &Value<'_>, pointer: &str| match event.pointer(pointer) {
        None => String::new(),
        Some(value) => short(&plain(value), 40),
    };
    let mut rows: Vec<Vec<String>> = events
        .iter()
        .map(|event| {
            let actor = ["/actor/email", "/actor/id", "/actor/name"]
                .iter()
                .map(|p| text(event, p))
                .find(|t| !t.is_empty())
                .unwrap_or_else(|| "-".into());
            let target = text(event, "/targets/0/id");
            let model = text(event, "/llm/model");
            vec![
                text(event, "/position"),
                text(event, "/time"),
                text(event, "/type"),
                text(event, "/status"),
                actor,
                if target.is_empty() { model } else { target },
            ]
        })
        .collect();
    if !rows.is_empty() {
        let heading = ["position", "time", "type", "status", "actor", "target"];
        rows.insert(0, heading.map(str::to_owned).to_vec());
    }
    table(&rows);
}

/// A filter, or what is wrong with it and where.
pub(crate) fn parsed(text: &str) -> anyhow::Result<Filter> {
    Filter::parse(text).map_err(|error| {
        let marks = "^".repeat(text.get(error.span.clone()).map_or(1, |part| part.chars().count().max(1)));
        let before = text.get(..error.span.start).map_or(0, |part| part.chars().count());
        anyhow::anyhow!("{error}\n  {text}\n  {}{marks}", " ".repeat(before))
    })
}

/// An id as text, for file names.
pub(crate) fn id_text(ledger: &Ledger, position: u64) -> anyhow::Result<String> {
    Ok(show_id(ledger.record(position)?.id()))
}
