//! Others' ways of sending beside our own: events a second over HTTP, and what it costs to make events of what they send.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use aws_lc_rs::hmac;
use bench::data::Generator;
use event::{Event, Limits};
use receivers::otlp::{Form, Identities, Mapped, Signal};
use receivers::{cloudevents, guide, hec, litellm, mapping, otlp, syslog};

use crate::args::Args;
use crate::disk::Folder;
use crate::events::{DataHash, Events};
use crate::figures::{Figures, micros_each, one, per_second, two, whole};
use crate::meter::thread_cpu;
use crate::saved;
use crate::server::Server;
use crate::table::Table;
use crate::wire::{self, Said};

/// A way of sending.
struct Way {
    name: &'static str,
    /// Where it goes, and as what; none if it doesn't come over HTTP.
    door: Option<(&'static str, &'static str)>,
    write: fn(&[Said<'_>]) -> Vec<u8>,
    /// Makes events of a body, as its receiver does, and says how many.
    map: fn(&[u8]) -> usize,
}

const JSON: &str = "application/json";
const LINES: &str = "application/x-ndjson";
const PROTOBUF: &str = "application/x-protobuf";
const BATCH: &str = "application/cloudevents-batch+json";

const WAYS: &[Way] = &[
    Way { name: NATIVE, door: Some(("/v1/events", LINES)), write: wire::native, map: native },
    Way { name: "entries of the guide", door: Some(("/v1/events", LINES)), write: wire::guide, map: entries },
    Way {
        name: "CloudEvents, batches",
        door: Some(("/v1/events", BATCH)),
        write: wire::cloudevents,
        map: envelopes,
    },
    Way {
        name: "Splunk HEC",
        door: Some(("/services/collector/event", JSON)),
        write: wire::collector,
        map: collector,
    },
    Way { name: "LiteLLM, calls", door: Some(("/ingest/litellm", JSON)), write: wire::litellm, map: proxy },
    Way {
        name: "LiteLLM, rows of the audit log",
        door: Some(("/ingest/litellm", JSON)),
        write: wire::rows,
        map: proxy,
    },
    Way {
        name: "OTLP, log records, protobuf",
        door: Some(("/v1/logs", PROTOBUF)),
        write: wire::otlp_logs,
        map: logs,
    },
    Way {
        name: "OTLP, log records, JSON",
        door: Some(("/v1/logs", JSON)),
        write: wire::otlp_json,
        map: logs_json,
    },
    Way {
        name: "OTLP, spans, protobuf",
        door: Some(("/v1/traces", PROTOBUF)),
        write: wire::otlp_spans,
        map: spans,
    },
    Way {
        name: "mapping file `cloudtrail`",
        door: Some(("/ingest/cloudtrail", JSON)),
        write: wire::cloudtrail,
        map: mapped,
    },
    Way { name: "syslog with CEF", door: None, write: wire::cef, map: messages },
];
const NATIVE: &str = "ours, a line each";

/// Events that a mapping is measured with: enough to be warm, few enough for the cache to hold a part of them only.
const MAPPED: usize = 20_000;

pub(crate) fn measure(args: &Args, machine: &str) -> Result<()> {
    let batch = args.batch.unwrap_or(500);
    eprintln!("making {} events…", whole(args.events as f64));
    let events = Events::next(&mut Generator::new(args.seed), args.events);
    let mut hash = DataHash::new();
    hash.add(events.bytes());
    let mut table = Table::new(
        "Others' ways of sending",
        format!(
            "{} events, as each sender would write them, {} a request, by {} connections that each send the next request \
             when the last is acknowledged, which is after `fdatasync`; a fresh server for each. *Alone* is processor \
             time from the bytes of a body to events, without redaction, ledger and HTTP. What a form can't say is left out, \
             and calls and spans carry a prompt and an answer, so the bytes differ.",
            whole(events.len() as f64),
            whole(batch as f64),
            args.connections
        ),
        &[
            "sent as",
            "bytes an event",
            "events/s",
            "of ours",
            "server's CPU seconds a million",
            "alone, µs an event",
        ],
    );
    let mut ours = None;
    for way in WAYS {
        eprintln!("{}…", way.name);
        let all: Vec<Said<'_>> = events.iter().map(Said::read).collect();
        let bodies: Vec<Vec<u8>> = all.chunks(batch).map(way.write).collect();
        let bytes: usize = bodies.iter().map(Vec::len).sum();
        let alone = alone(way, &bodies, args.rounds, batch)?;
        let sent = way.door.map(|door| over_http(args, door, &bodies, events.len())).transpose()?;
        let rate = sent.map(|(wall, _)| per_second(events.len(), wall));
        let ours = *ours.get_or_insert(rate);
        let share = rate.zip(ours).map(|(rate, ours)| format!("{:.0} %", 100.0 * rate / ours));
        let none = || "–".to_owned();
        table.row([
            way.name.to_owned(),
            whole(bytes as f64 / events.len() as f64),
            rate.map_or_else(none, whole),
            share.unwrap_or_else(none),
            sent.map_or_else(none, |(_, cpu)| one(micros_each(cpu, events.len()))),
            alone.spread(two),
        ]);
    }
    table.after("gRPC is the same protobuf in a frame and is not measured, since the client here speaks HTTP/1.1; syslog has no acknowledgements to measure by.");
    println!("{}", table.plain());
    match &args.save {
        Some(path) => {
            let of = saved::Source { machine, events: events.len(), seed: args.seed, hash: hash.0 };
            saved::write_tables(path, &of, &[table], None)
        }
        None => Ok(()),
    }
}

/// Microseconds an event, of each round after one that is dropped.
fn alone(way: &Way, bodies: &[Vec<u8>], rounds: usize, batch: usize) -> Result<Figures> {
    let bodies = &bodies[..bodies.len().min(MAPPED.div_ceil(batch))];
    let mut figures = Figures::default();
    for round in 0..=rounds {
        let started = thread_cpu();
        let events: usize = bodies.iter().map(|body| (way.map)(body)).sum();
        let spent = thread_cpu() - started;
        ensure!(events > 0 && events <= bodies.len() * batch, "{}: {events} events", way.name);
        if round > 0 {
            figures.push(micros_each(spent, events));
        }
    }
    Ok(figures)
}

/// Until everything is acknowledged: the wall's time, and the server's processor time.
fn over_http(
    args: &Args,
    (path, kind): (&str, &str),
    bodies: &[Vec<u8>],
    events: usize,
) -> Result<(Duration, Duration)> {
    let folder = Folder::new(&args.dir, "receivers")?;
    let server = Server::start(&args.server()?, folder.path(), &args.log())?;
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(None));
    let cpu = server.cpu().unwrap_or_default();
    let started = Instant::now();
    let send = || -> Result<()> {
        let mut connection = server.connect()?;
        while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
            loop {
                let answer = connection.post(path, kind, body)?;
                match answer.status {
                    200 => break,
                    429 | 503 => {
                        thread::sleep(answer.retry_after.unwrap_or_default().min(Duration::from_secs(1)))
                    }
                    status => {
                        anyhow::bail!("{path} answered {status}: {}", String::from_utf8_lossy(answer.body))
                    }
                }
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        for _ in 0..args.connections {
            scope.spawn(|| {
                if let Err(error) = send() {
                    *failed.lock().expect("no sender panics") = Some(error);
                }
            });
        }
    });
    let (wall, cpu) = (started.elapsed(), server.cpu().unwrap_or_default().saturating_sub(cpu));
    if let Some(error) = failed.into_inner().expect("no sender panics") {
        return Err(error);
    }
    let accepted = accepted(&server)?;
    ensure!(accepted == events as u64, "{path}: {events} events sent, {accepted} accepted");
    server.stop()?;
    Ok((wall, cpu))
}

/// Events that the server took as new, by its own account.
fn accepted(server: &Server) -> Result<u64> {
    let mut connection = server.connect()?;
    let answer = connection.get("/metrics")?;
    let text = String::from_utf8_lossy(answer.body);
    let line =
        text.lines().find_map(|line| line.strip_prefix("indelible_http_events_total{outcome=\"accepted\"} "));
    Ok(line.unwrap_or("0").parse()?)
}

/// As costly as the product's: an HMAC with a key.
fn keyed(bytes: &[u8]) -> String {
    static KEY: std::sync::OnceLock<hmac::Key> = std::sync::OnceLock::new();
    let key = KEY.get_or_init(|| hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]));
    let tag = hmac::sign(key, bytes);
    tag.as_ref().iter().fold("hmac-sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

fn split(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

fn native(body: &[u8]) -> usize {
    split(body).filter(|line| Event::parse(line, &Limits::default()).is_ok()).count()
}

fn entries(body: &[u8]) -> usize {
    // The door tries ours first.
    let read = |line: &[u8]| match Event::parse(line, &Limits::default()) {
        Ok(_) => true,
        Err(_) => guide::read(line, &Limits::default(), &keyed).is_some_and(|read| read.is_ok()),
    };
    split(body).filter(|line| read(line)).count()
}

fn envelopes(body: &[u8]) -> usize {
    // The door cuts an array without reading it; this array has an envelope between each two of these.
    let text = &body[1..body.len() - 1];
    let mut count = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.windows(11).position(|part| part == b"},{\"data\":{").map_or(rest.len(), |at| at + 1);
        count += usize::from(cloudevents::read(&rest[..end], &Limits::default()).is_ok());
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    count
}

fn collector(body: &[u8]) -> usize {
    let mut mapping = hec::Mapping::new(&keyed);
    hec::envelopes(body)
        .filter(|range| mapping.envelope(&body[range.clone()], &hec::ENVELOPE_LIMITS).is_ok())
        .count()
}

fn proxy(body: &[u8]) -> usize {
    let items = litellm::items(body, &litellm::ITEM_LIMITS).flatten();
    items.filter_map(|item| litellm::map(&item.value, &keyed).ok()).map(|events| events.len()).sum()
}

fn logs(body: &[u8]) -> usize {
    records(body, Form::Protobuf, Signal::Logs)
}

fn logs_json(body: &[u8]) -> usize {
    records(body, Form::Json, Signal::Logs)
}

fn spans(body: &[u8]) -> usize {
    records(body, Form::Protobuf, Signal::Traces)
}

fn records(body: &[u8], form: Form, signal: Signal) -> usize {
    let opened = otlp::open(form, signal, body).expect("a body of ours is right on the outside");
    let (mut identities, mut count) = (Identities::default(), 0);
    let Ok(()) = opened.each(signal, |group, record| {
        let mapped = record.and_then(|record| otlp::map(group, record, &mut identities, &keyed));
        count += usize::from(matches!(mapped, Ok(Mapped::Event(_))));
        Ok::<(), std::convert::Infallible>(())
    });
    count
}

fn mapped(body: &[u8]) -> usize {
    let mapping = mapping::shipped("cloudtrail").expect("it comes with us");
    let mut count = 0;
    for document in litellm::items(body, &mapping::DOCUMENT_LIMITS).flatten() {
        let records = mapping.records(&document.value).unwrap_or_default();
        count += records.into_iter().filter(|record| mapping.map(record, &keyed).is_ok()).count();
    }
    count
}

fn messages(body: &[u8]) -> usize {
    let mut decoder = syslog::Decoder::new(syslog::MESSAGE_MOST);
    decoder.push(body);
    let framed = std::iter::from_fn(|| decoder.message());
    framed.filter(|framed| syslog::map(framed, "syslog", Some("203.0.113.7"), &keyed).is_ok()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_arrives_in_every_form() {
        let events = Events::next(&mut Generator::new(5), 300);
        let all: Vec<Said<'_>> = events.iter().map(Said::read).collect();
        for way in WAYS {
            assert_eq!((way.map)(&(way.write)(&all)), 300, "{}", way.name);
        }
    }
}
