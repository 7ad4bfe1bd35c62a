//! The server over HTTP: how much it takes in, how long an acknowledgement takes, when an event is found, what it costs,
//! and what happens when ten times as much comes.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bench::data::Generator;
use event::Value;

use crate::args::Args;
use crate::client::{member, percent};
use crate::disk::Folder;
use crate::figures::{Figures, micros_each, one, per_second, two, whole};
use crate::floors;
use crate::load::{self, Bodies, Load, Sent};
use crate::saved::{self, number};
use crate::server::{JOURNALS, Server};
use crate::table::Table;

/// Times the capacity that is offered in an overload.
const OVER: f64 = 10.0;
/// The names that the data set's producers have (`bench::data`).
const PRODUCERS: &str = "producer:(gateway-eu-1 OR gateway-eu-2 OR gateway-us-1 OR console)";

pub(crate) fn measure(args: &Args, machine: &str) -> Result<()> {
    let batch = args.batch.unwrap_or(500);
    // Declared first, so that it is removed after the server has stopped.
    let folder = Folder::new(&args.dir, "http")?;
    eprintln!("making {} events…", whole(args.events as f64));
    let mut generator = Generator::new(args.seed);
    let bodies = Bodies::make(&mut generator, args.events, batch);
    let floor = floors::commit(&args.dir, bodies.json_bytes() * batch / bodies.events())?;
    let server = match &args.url {
        Some(url) => Server::running(url, &args.token()?, args.pid, args.data.as_deref())?,
        None => Server::start(&args.server()?, folder.path(), &args.log())?,
    };
    let before = stored(&server)?;
    server.reset_peak_memory();
    let load = Load { connections: args.connections, rate: args.rate, rude_for: None, search: true };
    eprintln!("sending…");
    let cpu = server.cpu();
    let sent = load::send(&server, &bodies, &load)?;
    let cpu_sent = spent(cpu, server.cpu());
    ensure!(sent.acknowledged == bodies.events() as u64, "{} acknowledged", sent.acknowledged);
    server.wait_until_quiet();
    let cpu_all = spent(cpu, server.cpu());
    let counted = verify(&server, before, &sent)?;
    let taken = Taken { sent, cpu_sent, cpu_all, peak: server.peak_memory(), floor, counted };
    let mut tables = vec![taken.table(args, &bodies)];
    let folders = server.folders()?;
    if !folders.is_empty() {
        tables.push(on_disk(&folders, &bodies));
    }
    let capacity = per_second(bodies.events(), taken.sent.wall);
    if let Some(seconds) = args.overload {
        tables.push(overload(args, &server, &mut generator, batch, capacity, seconds)?);
    }
    tables.iter().for_each(|table| println!("{}", table.plain()));
    if let Some(path) = &args.save {
        let bytes: u64 = folders.iter().filter(|(part, _)| **part != JOURNALS).map(|(_, bytes)| bytes).sum();
        let ingest = saved::object([
            ("events_per_second", number(capacity)),
            (
                "cpu_seconds_per_million",
                cpu_all.map_or(Value::Null, |cpu| number(micros_each(cpu, bodies.events()))),
            ),
            ("bytes_per_event", number(bytes as f64 / bodies.events() as f64)),
            ("how", Value::from(format!("HTTP, {batch} a request, {} connections", args.connections))),
        ]);
        let of = saved::Source { machine, events: bodies.events(), seed: args.seed, hash: bodies.hash.0 };
        saved::write_tables(path, &of, &tables, Some(ingest))?;
    }
    server.stop()
}

fn spent(from: Option<Duration>, to: Option<Duration>) -> Option<Duration> {
    Some(to?.saturating_sub(from?))
}

/// How the events that are stored are counted.
#[derive(Clone, Copy)]
enum Stored {
    /// By a question.
    Count(u64),
    /// By the size of the tree, in which there are leaves of the server's own, too.
    Leaves(u64),
}

fn stored(server: &Server) -> Result<Stored> {
    let mut connection = server.connect()?;
    let answer = connection.get(&format!("/v1/events/count?q={}", percent(PRODUCERS)))?;
    if answer.status == 200 {
        let count = member(answer.body, "value").or_else(|| member(answer.body, "count"));
        return Ok(Stored::Count(
            count.or_else(|| member(answer.body, "total")).context("the answer has no count")?,
        ));
    }
    let answer = connection.get("/v1/checkpoint")?;
    let text = String::from_utf8_lossy(answer.body);
    match answer.status {
        200 => Ok(Stored::Leaves(
            text.lines().nth(1).and_then(|line| line.parse().ok()).context("no tree size")?,
        )),
        404 => Ok(Stored::Leaves(0)),
        status => bail!("neither a count nor a checkpoint: {status}"),
    }
}

/// Waits until what was acknowledged is what is stored, and says how that was found out.
fn verify(server: &Server, before: Stored, sent: &Sent) -> Result<String> {
    let (least, most) = (sent.acknowledged, sent.acknowledged + sent.unknown);
    let started = Instant::now();
    loop {
        let (grown, allowed, how) = match (before, stored(server)?) {
            (Stored::Count(before), Stored::Count(now)) => (now - before, most, "counted by a question"),
            // Besides: the first leaf, reads that are on record, heartbeats.
            (Stored::Leaves(before), Stored::Leaves(now)) => {
                (now - before, most + sent.questions + 1000, "by the size of the tree, own leaves included")
            }
            // The index may have come up in between.
            (Stored::Leaves(_), Stored::Count(now)) => (now, most, "counted by a question"),
            (Stored::Count(_), Stored::Leaves(_)) => bail!("the server no longer counts"),
        };
        if grown >= least {
            ensure!(grown <= allowed, "acknowledged {least}, unknown {}, stored {grown}", sent.unknown);
            return Ok(format!(
                "acknowledged {}, stored {} ({how})",
                whole(least as f64),
                whole(grown as f64)
            ));
        }
        ensure!(started.elapsed() < Duration::from_secs(120), "acknowledged {least}, stored only {grown}");
        thread::sleep(Duration::from_millis(250));
    }
}

/// What was measured while the events went in.
struct Taken {
    sent: Sent,
    cpu_sent: Option<Duration>,
    /// Until everything is sealed and indexed.
    cpu_all: Option<Duration>,
    peak: Option<u64>,
    /// Milliseconds of writing and syncing as many bytes as a request has.
    floor: Figures,
    counted: String,
}

impl Taken {
    fn table(&self, args: &Args, bodies: &Bodies) -> Table {
        let how = match args.rate {
            Some(rate) => format!(
                "{} events a second are due, whether the server keeps up or not; latency counts from when a request was \
                 due",
                whole(rate)
            ),
            None => "each connection sends the next request when the last is acknowledged".to_owned(),
        };
        let mut table = Table::new(
            format!("Over HTTP, class D+, {} events", whole(bodies.events() as f64)),
            format!(
                "`POST /v1/events` of {} events of {} bytes, {} a request, by {} connections of a process of its own on \
                 the same machine; {how}. An acknowledgement comes after `fdatasync`. *Found* is the time from an \
                 acknowledgement until a search for the event's id finds it, asked every 10 ms during the load.",
                whole(bodies.events() as f64),
                whole(bodies.json_bytes() as f64 / bodies.events() as f64),
                whole(bodies.batch() as f64),
                args.connections
            ),
            &["what", "figure"],
        );
        let millis = |figures: &Figures| {
            let [middle, late, most] = [0.5, 0.99, 1.0].map(|share| two(figures.quantile(share)));
            format!("{middle} / {late} / {most} ms")
        };
        let mut row = |what: &str, figure: String| table.row([what.to_owned(), figure]);
        row("events/s, acknowledged", whole(per_second(bodies.events(), self.sent.wall)));
        row("acknowledgement of a request, p50 / p99 / most", millis(&self.sent.latency));
        row("bare write and `fdatasync` of as many bytes, p50 / p99 / most", millis(&self.floor));
        let found = match &self.sent.search_lag {
            Some(lag) => format!("{} ({} times)", millis(lag), whole(lag.0.len() as f64)),
            None => "the server does not search by filter".to_owned(),
        };
        row("acknowledged until found, p50 / p99 / most", found);
        if let (Some(sent), Some(all)) = (self.cpu_sent, self.cpu_all) {
            let seconds = |cpu| one(micros_each(cpu, bodies.events()));
            row("server's processor seconds a million, until acknowledged", seconds(sent));
            row("the same until sealed and indexed", seconds(all));
        }
        if let Some(peak) = self.peak {
            row("server's memory at most", format!("{} MB", whole(peak as f64 / 1e6)));
        }
        let refused = self.sent.answers.iter().filter(|(status, _)| **status != 200).map(|(_, n)| n);
        row("requests that were refused and sent again", whole(refused.sum::<u64>() as f64));
        table.after(format!("Counted: {}.", self.counted));
        table
    }
}

fn on_disk(folders: &BTreeMap<&'static str, u64>, bodies: &Bodies) -> Table {
    let mut table = Table::new(
        format!("On the disk after {} events over HTTP", whole(bodies.events() as f64)),
        "Bytes of the data folder when the server had nothing left to do. The newest events are still in a journal, a fixed \
         file.",
        &["part", "bytes/event", "MB"],
    );
    for (part, bytes) in folders {
        table.row([
            (*part).to_owned(),
            one(*bytes as f64 / bodies.events() as f64),
            one(*bytes as f64 / 1e6),
        ]);
    }
    table
}

/// Ten times what it can take, from senders without manners. The more is stored, the more there is to merge: what it can
/// take is measured just before, for as long.
fn overload(
    args: &Args,
    server: &Server,
    generator: &mut Generator,
    batch: usize,
    at_first: f64,
    seconds: u64,
) -> Result<Table> {
    // More than it takes at its best, and not ten times as much: what is refused is sent again.
    let events = (at_first * seconds as f64 * 1.5) as usize + 100 * batch;
    let mut make = || {
        eprintln!("making {} more events…", whole(events as f64));
        Bodies::make(generator, events, batch)
    };
    let rude_for = Some(Duration::from_secs(seconds));
    let before = stored(server)?;
    let capacity = {
        let steady = Load { connections: args.connections, rate: None, rude_for, search: false };
        let bodies = make();
        eprintln!("as much as goes for {seconds} s…");
        let sent = load::send(server, &bodies, &steady)?;
        server.wait_until_quiet();
        verify(server, before, &sent)?;
        sent.acknowledged as f64 / sent.wall.as_secs_f64()
    };

    let bodies = make();
    let before = stored(server)?;
    server.reset_peak_memory();
    let load =
        Load { connections: args.overload_connections, rate: Some(OVER * capacity), rude_for, search: false };
    eprintln!("{OVER} times as much for {seconds} s…");
    let cpu = server.cpu();
    let sent = load::send(server, &bodies, &load)?;
    let cpu = spent(cpu, server.cpu());
    server.wait_until_quiet();
    let counted = verify(server, before, &sent)?;
    let mut table = Table::new(
        "Overload",
        format!(
            "After the events above, {} connections send as much as goes for {seconds} s; then {} connections offer ten times \
             what the server took in that time, for as long. They come back at once, whatever `Retry-After` says, on the same \
             two cores.",
            args.connections, args.overload_connections,
        ),
        &["what", "figure"],
    );
    let goodput = sent.acknowledged as f64 / sent.wall.as_secs_f64();
    let attempts: u64 = sent.answers.values().sum::<u64>() + sent.broken;
    let mut row = |what: &str, figure: String| table.row([what.to_owned(), figure]);
    row("events/s, acknowledged before", whole(capacity));
    row("events/s, offered", whole(OVER * capacity));
    row("events/s, sent", whole(attempts as f64 * batch as f64 / sent.wall.as_secs_f64()));
    row(
        "events/s, acknowledged",
        format!("{} ({:.0} % of before)", whole(goodput), 100.0 * goodput / capacity),
    );
    for (status, count) in &sent.answers {
        row(&format!("answers with {status}"), whole(*count as f64));
    }
    row("connections that broke", whole(sent.broken as f64));
    let millis =
        |figures: &Figures| format!("{} / {} ms", two(figures.median()), two(figures.quantile(0.99)));
    row("acknowledgement, p50 / p99", millis(&sent.latency));
    if !sent.refusal.0.is_empty() {
        row("refusal, p50 / p99", millis(&sent.refusal));
    }
    if let Some(cpu) = cpu {
        row("server's processor seconds a second", two(cpu.as_secs_f64() / sent.wall.as_secs_f64()));
    }
    if let Some(peak) = server.peak_memory() {
        row("server's memory at most", format!("{} MB", whole(peak as f64 / 1e6)));
    }
    if sent.ran_out {
        table.after("There was nothing left to send before the time was over.");
    }
    table.after(format!("Counted: {counted}."));
    Ok(table)
}

#[cfg(test)]
mod tests {
    use bench::data::Generator;
    use event::{Limits, json};

    use super::PRODUCERS;

    #[test]
    fn the_filter_counts_every_event_of_the_data() {
        let predicate = query::Filter::parse(PRODUCERS).unwrap().predicate();
        let (mut generator, mut line) = (Generator::new(3), Vec::new());
        for _ in 0..500 {
            line.clear();
            generator.next(&mut line);
            assert!(predicate.matches(&json::parse(&line, &Limits::default()).unwrap()));
        }
        let ours =
            json::parse(br#"{"type":"ledger.created","producer":"indelible"}"#, &Limits::default()).unwrap();
        assert!(!predicate.matches(&ours));
    }
}
