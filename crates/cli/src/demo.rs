//! `demo`: a week in the life of an organisation that does not exist, to look at and to try questions on.
//!
//! Marlow & Finch makes thermostats in seven cities. Twenty-five people, five programs and three gateways leave some
//! seven thousand events in a week and the day that has begun. In one of the nights a contractor's key is used by
//! somebody else: `incident.rs` tells how it goes.

mod agents;
mod cast;
mod chance;
mod everyday;
mod incident;
mod office;
mod week;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::process::ExitCode;

use event::{Event, Limits, Value};
use indelible::{DEFAULT, Error, Indelible, SYSTEM, Sender};
use ledger::Outcome;

use crate::append::{record, tending, while_tended};
use crate::output::{grouped, line, print};
use crate::{Data, io};

/// Events recorded with one sync.
const BATCH: usize = 500;

#[derive(clap::Args)]
pub(crate) struct Demo {
    #[command(flatten)]
    data: Data,
    /// Organisation whose week it is
    #[arg(long, default_value = DEFAULT)]
    organisation: String,
    /// The same number gives the same week, on the same day
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print the events, one a line, and record nothing; for `POST /v1/events` of a server that runs
    #[arg(long)]
    print: bool,
}

impl Demo {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let events: Vec<_> = week(self.seed, io().wall_ms()).collect();
        if self.print {
            print(String::from_utf8_lossy(&ndjson(&events)));
            return Ok(ExitCode::SUCCESS);
        }
        let product = self.data.open()?;
        let sender = Sender::local(self.organisation.clone());
        let mut counted = (0, 0);
        tending(&product, || {
            counted = record_all(&product, &events, &sender)?;
            Ok(())
        })?;
        summary(&events, counted.0, counted.1);
        print_filters();
        Ok(ExitCode::SUCCESS)
    }
}

/// Records the week in a data folder that is new; leaves one alone that holds it; refuses one that holds anything else.
pub(crate) fn fill(product: &Indelible) -> anyhow::Result<()> {
    let events: Vec<_> = week(1, io().wall_ms()).collect();
    match first_sent(product)? {
        Some(producer) if events.iter().any(|event| producer_of(event) == producer) => return Ok(()),
        Some(_) => anyhow::bail!("{OTHERS}"),
        None if product.organisations().iter().any(|name| name != DEFAULT && name != SYSTEM) => {
            anyhow::bail!("{OTHERS}")
        }
        None => {}
    }
    line(format_args!(
        "Recording the week of an organisation that does not exist ({} events) …",
        grouped(events.len() as u64)
    ));
    let (new, old) = while_tended(product, || record_all(product, &events, &Sender::local(DEFAULT)))?;
    // So that the first question has an answer.
    while product.index_step() {}
    // So that the first question has an answer.
    while product.index_step() {}
    summary(&events, new, old);
    Ok(())
}

const OTHERS: &str =
    "the data folder holds other events than the demonstration's; name a new one, such as --data demo-data";

/// The producer of the first event that somebody sent, if anybody did.
fn first_sent(product: &Indelible) -> anyhow::Result<Option<String>> {
    let ledger = match product.ledger(DEFAULT) {
        Ok(ledger) => ledger,
        Err(Error::NotFound(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let is_ours = |kind: &str| ["audit.", "config.", "ledger."].iter().any(|ours| kind.starts_with(ours));
    for position in 0..ledger.size() {
        let record = ledger.record(position)?;
        if !is_ours(record.kind()) {
            return Ok(Some(record.producer().to_owned()));
        }
    }
    Ok(None)
}

fn producer_of<'e>(event: &'e Value<'_>) -> &'e str {
    event.get("producer").and_then(Value::as_str).unwrap_or_default()
}

/// How many were new, and how many there before.
fn record_all(product: &Indelible, events: &[Value<'static>], sender: &Sender) -> anyhow::Result<(u64, u64)> {
    let (mut new, mut old) = (0, 0);
    for batch in events.chunks(BATCH) {
        let parsed = batch.iter().map(|value| Event::from_value(value.clone(), &Limits::default()));
        let parsed = parsed.collect::<Result<Vec<_>, _>>()?;
        for recorded in record(product, &parsed, sender)? {
            match recorded.outcome {
                Outcome::Recorded(_) => new += 1,
                Outcome::Duplicate(_) | Outcome::Conflict(_) => old += 1,
            }
        }
    }
    Ok((new, old))
}

/// What to try on a server with the week in it. The administrator's key is known only at its first start.
pub(crate) fn suggest(address: &str, key: Option<&str>) {
    print_filters();
    let key = key.unwrap_or("$INDELIBLE_TOKEN");
    let [(filter, _), ..] = filters();
    line("\nOne of them, asked with curl:\n");
    line(format_args!(
        "  curl -sG -H \"Authorization: Bearer {key}\" --data-urlencode 'q={filter}' {address}/v1/events\n"
    ));
}

/// The week before `end_ms` (milliseconds since 1970) and the day that has begun then, in order of time: events for the
/// door, valid and of documented types. A seed gives the same events for every end within one day (UTC), cut off there.
pub(crate) fn week(seed: u64, end_ms: u64) -> impl Iterator<Item = Value<'static>> {
    let mut week = week::Week::new(seed, end_ms);
    everyday::write(&mut week);
    agents::write(&mut week);
    office::write(&mut week);
    incident::write(&mut week);
    week.events(end_ms).into_iter()
}

/// The events one a line, as `POST /v1/events` takes them (at most 10 000 at once).
pub(crate) fn ndjson(events: &[Value<'_>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(1000 * events.len());
    for event in events {
        event.write_jcs(&mut out);
        out.push(b'\n');
    }
    out
}

/// Three filters, each with what it shows.
pub(crate) fn filters() -> [(String, &'static str); 3] {
    let network = incident::NETWORK;
    [
        (
            // Not by the key's hash, which the door hashes again with a key of the ledger.
            format!("actor.id:u-901 actor.ip:{network}"),
            "what was done with the stolen key, by somebody else",
        ),
        (format!("attributes.incident:{}", incident::NAME), "how it was found out, stopped and reviewed"),
        (
            "type:approval.granted actor.id:u-102 attributes.requested_by:u-102".to_owned(),
            "somebody approved what he had asked for himself",
        ),
    ]
}

fn print_filters() {
    line("\nThree filters worth trying:");
    for (filter, shows) in filters() {
        line(format_args!("  {filter}\n      {shows}"));
    }
}

fn summary(events: &[Value<'_>], new: u64, old: u64) {
    let distinct = |pointer: &str| {
        events.iter().filter_map(|event| event.pointer(pointer)?.as_str()).collect::<BTreeSet<_>>().len()
    };
    let time = |event: Option<&Value<'_>>| match event.and_then(|event| event.get("time")) {
        Some(time) => time.as_str().unwrap_or_default().to_owned(),
        None => String::new(),
    };
    line(format_args!("{} events recorded, {} already there", grouped(new), grouped(old)));
    line(format_args!("from {} to {}", time(events.first()), time(events.last())));
    line(format_args!(
        "{} types, {} people and programs, {} models",
        distinct("/type"),
        distinct("/actor/id"),
        distinct("/llm/model")
    ));
}
