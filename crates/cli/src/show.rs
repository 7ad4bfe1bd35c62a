//! `show` and `tail`: events for people and programs.

use std::io::Write;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use event::Value;
use indelible::{DEFAULT, Question, show, show_id};
use ledger::Ledger;

use crate::Data;
use crate::output::{json, line, printable, short, table};

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
        for position in product.find(&self.organisation, &self.id)? {
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
fn people(value: &Value<'_>, indent: usize) {
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

    fn newest(&self, product: &indelible::Indelible) -> anyhow::Result<Vec<Value<'static>>> {
        let mut question = Question {
            kind: self.kind.clone(),
            actor: self.actor.clone(),
            limit: Some(self.count.min(1000)),
            ..Question::default()
        };
        let mut events = Vec::new();
        loop {
            let page = product.search(&self.organisation, &question)?;
            events.extend(page.events);
            question.before = page.next;
            if events.len() >= self.count || page.next.is_none() {
                break;
            }
        }
        events.truncate(self.count);
        events.reverse();
        Ok(events)
    }

    fn since(&self, ledger: &Ledger, from: u64) -> anyhow::Result<Vec<Value<'static>>> {
        let mut events = Vec::new();
        for position in from..ledger.size() {
            let record = ledger.record(position)?;
            let question =
                Question { kind: self.kind.clone(), actor: self.actor.clone(), ..Question::default() };
            if question.holds(&record) {
                events.push(show(ledger, &self.organisation, &record)?);
            }
        }
        Ok(events)
    }

    fn print(&self, events: &[Value<'static>]) {
        if self.json {
            events.iter().for_each(json);
        } else {
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
        let _ = std::io::stdout().flush();
    }
}

/// An id as text, for file names.
pub(crate) fn id_text(ledger: &Ledger, position: u64) -> anyhow::Result<String> {
    Ok(show_id(ledger.record(position)?.id()))
}
