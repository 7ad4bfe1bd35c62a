//! `append` and `import`: events from files.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use event::{Event, Limits, Refusal, Value};
use indelible::{DEFAULT, Indelible, RecordError, Recorded, Sender};
use indicatif::{ProgressBar, ProgressStyle};
use ledger::Outcome;
use receivers::litellm;
use receivers::mapping::{self, Mapping};

use crate::Data;
use crate::input;
use crate::output::{count, grouped, json, line, object, printable, text};

/// Events recorded with one sync.
const BATCH: usize = 1000;
/// Refused lines that are shown; the rest is counted.
const SHOWN: usize = 20;

#[derive(clap::Args)]
pub(crate) struct Append {
    #[command(flatten)]
    data: Data,
    /// File of events, one JSON object a line; `-` is standard input
    #[arg(default_value = "-")]
    file: PathBuf,
    /// Organisation of events that name none
    #[arg(long, default_value = DEFAULT)]
    organisation: String,
    /// Largest event taken, in bytes
    #[arg(long, default_value_t = Limits::default().max_bytes)]
    max_event_bytes: usize,
    /// Print a summary as JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub(crate) struct Import {
    #[command(flatten)]
    data: Data,
    /// Whose format it is, and the file; `-` is standard input. With `--mapping` only the file
    #[arg(required = true, num_args = 1..=2, value_names = ["FORMAT", "FILE"])]
    what: Vec<PathBuf>,
    /// A mapping file that says what the records mean (crates/http/receivers/src/mapping/README.md)
    #[arg(long)]
    mapping: Option<PathBuf>,
    /// Organisation of the events
    #[arg(long, default_value = DEFAULT)]
    organisation: String,
    /// Print a summary as JSON
    #[arg(long)]
    json: bool,
}

/// What the file holds.
enum Format {
    /// Payloads of LiteLLM's generic_api callback, rows of its audit log, or its webhooks.
    Litellm,
    /// What a mapping file reads.
    Mapped(Box<Mapping>),
    /// What a mapping reads that comes with us.
    Shipped(&'static Mapping),
}

/// What became of the lines.
#[derive(Default)]
struct Summary {
    recorded: u64,
    duplicates: u64,
    conflicts: u64,
    refused: u64,
    /// Line, place and reason, as far as they are shown.
    reasons: Vec<(u64, String, String)>,
    first: Option<u64>,
    last: Option<u64>,
}

impl Append {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let product = self.data.open()?;
        let (mut input, len) = input::open(&self.file)?;
        let sender = Sender::local(&self.organisation);
        let limits = Limits { max_bytes: self.max_event_bytes, ..Limits::default() };
        let bar = progress(len, self.json);
        let mut summary = Summary::default();
        tending(&product, || {
            let mut number = 0;
            loop {
                let mut lines = Vec::with_capacity(BATCH);
                while lines.len() < BATCH {
                    let Some(line) = input::line(&mut *input, limits.max_bytes)? else { break };
                    number += 1;
                    bar.inc(line.len);
                    if !line.bytes.iter().all(u8::is_ascii_whitespace) {
                        lines.push((number, line.bytes));
                    }
                }
                if lines.is_empty() {
                    return Ok(());
                }
                record_lines(&product, &lines, &limits, &sender, &mut summary)?;
                bar.set_message(format!("{} recorded", grouped(summary.recorded)));
            }
        })?;
        bar.finish_and_clear();
        summary.finish(&product, &self.organisation, self.json)
    }
}

fn record_lines(
    product: &Indelible,
    lines: &[(u64, Vec<u8>)],
    limits: &Limits,
    sender: &Sender,
    summary: &mut Summary,
) -> anyhow::Result<()> {
    let (mut events, mut numbers) = (Vec::with_capacity(lines.len()), Vec::with_capacity(lines.len()));
    for (number, bytes) in lines {
        match Event::parse(bytes, limits) {
            Ok(event) => {
                events.push(event);
                numbers.push(*number);
            }
            Err(refusal) => summary.refuse(*number, &refusal.pointer, &refusal.reason),
        }
    }
    while !events.is_empty() {
        match record(product, &events, sender) {
            Ok(recorded) => {
                for (number, recorded) in numbers.iter().zip(&recorded) {
                    summary.take(*number, recorded);
                }
                return Ok(());
            }
            Err(RecordError::Rejected(n, why)) => {
                summary.refuse(numbers.remove(n), "", &why);
                events.remove(n);
            }
            Err(busy) => return Err(busy.into()),
        }
    }
    Ok(())
}

/// Records, waiting while sealing is behind: a person who appends a file has time.
pub(crate) fn record(
    product: &Indelible,
    events: &[Event<'_>],
    sender: &Sender,
) -> Result<Vec<Recorded>, RecordError> {
    let mut tries = 0;
    loop {
        match product.record(events.to_vec(), sender) {
            Err(RecordError::Busy { retry_after_ms, .. })
                if tries < 50 && all_open(product, events, sender) =>
            {
                tries += 1;
                thread::sleep(Duration::from_millis(retry_after_ms.min(1000)));
            }
            other => return other,
        }
    }
}

/// Whether the ledgers can be opened. One that is damaged, or whose key is another, does not get better by waiting.
fn all_open(product: &Indelible, events: &[Event<'_>], sender: &Sender) -> bool {
    let mut names =
        events.iter().map(|e| e.organisation().or(sender.organisation.as_deref()).unwrap_or(DEFAULT));
    names.all(|name| product.create(name).is_ok())
}

/// Does `work` while another thread signs and seals, and closes everything.
pub(crate) fn tending(product: &Indelible, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let outcome = while_tended(product, work);
    let closed = product.close();
    outcome?;
    closed.context("everything is recorded, and not all of it is under a signed head yet")
}

/// Does `work` while another thread signs and seals.
pub(crate) fn while_tended<T>(product: &Indelible, work: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                product.tend();
                thread::sleep(Duration::from_millis(50));
            }
        });
        let outcome = work();
        done.store(true, Ordering::Relaxed);
        outcome
    })
}

impl Import {
    /// The format that was named, and the file.
    fn format(&self) -> anyhow::Result<(Format, &Path)> {
        Ok(match (&self.mapping, self.what.as_slice()) {
            (Some(mapping), [file]) => (Format::Mapped(Box::new(input::mapping(mapping)?)), file),
            (None, [name, file]) => match name.to_str() {
                Some("litellm") => (Format::Litellm, file),
                name => {
                    let mapping = name.and_then(mapping::shipped).with_context(|| {
                        let known: Vec<&str> = mapping::SHIPPED.iter().map(|(name, _)| *name).collect();
                        format!(
                            "no such format; there are litellm, {}, or use --mapping FILE",
                            known.join(", ")
                        )
                    })?;
                    (Format::Shipped(mapping), file)
                }
            },
            (Some(_), _) => anyhow::bail!("with --mapping only the file is named"),
            (None, _) => anyhow::bail!("name the format and the file, or --mapping FILE and the file"),
        })
    }

    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let (format, file) = self.format()?;
        let product = self.data.open()?;
        let body = input::whole(file, 1 << 30)?;
        let sender = Sender::local(&self.organisation).by_adapter();
        let mut summary = Summary::default();
        tending(&product, || {
            // One look-up of the key for all texts.
            let keyed = |text: &[u8]| product.text_fingerprint(&self.organisation, text).unwrap_or_default();
            product.text_fingerprint(&self.organisation, b"")?;
            let mut take = |number: u64, mapped: Result<Vec<Event<'static>>, Refusal>| {
                match mapped.map(|events| record(&product, &events, &sender)) {
                    Ok(Ok(all)) => all.iter().for_each(|recorded| summary.take(number, recorded)),
                    Ok(Err(RecordError::Rejected(_, why))) => summary.refuse(number, "", &why),
                    Ok(Err(busy)) => return Err(anyhow::Error::from(busy)),
                    Err(refusal) => summary.refuse(number, &refusal.pointer, &refusal.reason),
                }
                Ok(())
            };
            let mapping = match &format {
                Format::Litellm => None,
                Format::Mapped(mapping) => Some(&**mapping),
                Format::Shipped(mapping) => Some(*mapping),
            };
            let limits = mapping.map_or(litellm::ITEM_LIMITS, |_| mapping::DOCUMENT_LIMITS);
            let mut number = 0;
            for item in litellm::items(&body, &limits) {
                let item = match item {
                    Ok(item) => item,
                    Err(error) => {
                        number += 1;
                        take(number, Err(error.refusal))?;
                        continue;
                    }
                };
                match mapping.map(|mapping| (mapping, mapping.records(&item.value))) {
                    None => {
                        number += 1;
                        take(number, litellm::map(&item.value, &keyed))?;
                    }
                    Some((_, Err(refusal))) => {
                        number += 1;
                        take(number, Err(refusal))?;
                    }
                    Some((mapping, Ok(records))) => {
                        for value in records {
                            number += 1;
                            take(number, mapping.map(value, &keyed).map(|event| vec![event]))?;
                        }
                    }
                }
            }
            Ok(())
        })?;
        summary.finish(&product, &self.organisation, self.json)
    }
}

impl Summary {
    fn take(&mut self, number: u64, recorded: &Recorded) {
        match &recorded.outcome {
            Outcome::Recorded(receipt) => {
                self.recorded += 1;
                self.first.get_or_insert(receipt.position);
                self.last = Some(receipt.position);
            }
            Outcome::Duplicate(_) => self.duplicates += 1,
            Outcome::Conflict(earlier) => {
                self.conflicts += 1;
                let why = format!("position {} has this id with another content", earlier.position);
                self.refuse(number, "/source_id", &why);
            }
        }
    }

    fn refuse(&mut self, line: u64, pointer: &str, reason: &str) {
        self.refused += 1;
        if self.reasons.len() < SHOWN {
            self.reasons.push((line, pointer.to_owned(), reason.to_owned()));
        }
    }

    fn finish(self, product: &Indelible, organisation: &str, as_json: bool) -> anyhow::Result<ExitCode> {
        for (line, pointer, reason) in &self.reasons {
            let place = if pointer.is_empty() { String::new() } else { format!("{pointer}: ") };
            eprintln!("line {line}: {}", printable(&format!("{place}{reason}")));
        }
        if self.refused > SHOWN as u64 {
            eprintln!("… and {} more", self.refused - SHOWN as u64);
        }
        let head = product.ledger(organisation).ok().and_then(|ledger| ledger.head());
        if as_json {
            let position = |p: Option<u64>| p.map_or(Value::Null, count);
            let reasons = self.reasons.iter().map(|(line, pointer, reason)| {
                object(vec![
                    ("line", count(*line)),
                    ("pointer", text(&**pointer)),
                    ("reason", text(&**reason)),
                ])
            });
            json(&object(vec![
                ("recorded", count(self.recorded)),
                ("duplicates", count(self.duplicates)),
                ("conflicts", count(self.conflicts)),
                ("refused", count(self.refused)),
                ("reasons", Value::Array(reasons.collect())),
                ("first", position(self.first)),
                ("last", position(self.last)),
                ("checkpoint", head.map_or(Value::Null, |head| text(head.note))),
            ]));
        } else {
            line(format_args!(
                "{} recorded, {} already there, {} refused",
                grouped(self.recorded),
                grouped(self.duplicates),
                grouped(self.refused)
            ));
            if let (Some(first), Some(last)) = (self.first, self.last) {
                line(format_args!("positions {first} to {last}"));
            }
        }
        Ok(ExitCode::from(u8::from(self.refused > 0)))
    }
}

/// A bar on standard error, where the end is known.
pub(crate) fn progress(len: Option<u64>, quiet: bool) -> ProgressBar {
    let bar = match len {
        _ if quiet => ProgressBar::hidden(),
        Some(len) => ProgressBar::new(len),
        None => ProgressBar::no_length(),
    };
    let template = match len {
        Some(_) => "{bar:30} {percent:>3} %  {msg}, {eta} left",
        None => "{spinner} {msg}",
    };
    bar.with_style(ProgressStyle::with_template(template).expect("the template is ours"))
}
