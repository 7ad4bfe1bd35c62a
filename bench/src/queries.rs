//! Asking the server, over HTTP, what an auditor asks.

use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use bench::data::Generator;
use event::{Limits, Object, Value, json};

use crate::args::Args;
use crate::client::{Connection, percent};
use crate::disk::Folder;
use crate::figures::{Figures, two, whole};
use crate::load::{self, Bodies, Load};
use crate::questions::{Asked, PAGES, QUESTIONS, Question};
use crate::saved::{self, Source, number, object};
use crate::server::Server;
use crate::table::Table;

/// Times that a question is asked before it is measured.
const WARM_UP: usize = 5;
const PAGE: usize = 1000;

struct Timed {
    question: &'static Question,
    cold_ms: Option<f64>,
    first_byte: Figures,
    total: Figures,
    answer: Option<u64>,
}

pub(crate) fn measure(args: &Args, machine: &str) -> Result<()> {
    let folder = Folder::new(&args.dir, "queries")?;
    eprintln!("reading {} events for what can be asked…", whole(args.events as f64));
    let asked = Asked::of(args.events, args.seed)?;
    let data = args.data.as_deref().unwrap_or(folder.path());
    let mut server = match &args.url {
        Some(url) => Server::running(url, &args.token()?, args.pid, None)?,
        None => Server::start(&args.server()?, data, &args.log())?,
    };
    if args.url.is_none() && args.data.is_none() {
        fill(&server, args)?;
    }
    let mut connection = server.connect()?;
    let cursor = middle(&mut connection, args.events / 2)?;
    let mut visit = visitor(&server)?;
    let mut all = Vec::new();
    for question in QUESTIONS.iter().chain(PAGES) {
        let connection = if is_page(question) { &mut visit } else { &mut connection };
        eprintln!("{}…", question.about);
        let (mut first_byte, mut total) = (Figures::default(), Figures::default());
        let mut answer = None;
        for run in 0..WARM_UP + args.runs {
            let (path, expected) = asked.request(question, run, &cursor);
            let got = connection.get(&path)?;
            if run == 0 {
                ensure!(got.status == 200, "{path}: {} {}", got.status, excerpt(got.body));
                answer = if is_page(question) { None } else { number_of(got.body)? };
                if expected.is_some_and(|expected| answer != Some(expected)) {
                    eprintln!("{path}: the answer is {answer:?}, in the data there are {expected:?}");
                }
            }
            if let Some(text) = asked.must_say(question, run) {
                let said = got.status == 200 && got.body.windows(text.len()).any(|w| w == text.as_bytes());
                ensure!(said, "{path} does not say {text}: {} {}", got.status, excerpt(got.body));
            }
            if run >= WARM_UP {
                first_byte.push(got.first_byte.as_secs_f64() * 1e3);
                total.push(got.total.as_secs_f64() * 1e3);
            }
        }
        all.push(Timed { question, cold_ms: None, first_byte, total, answer });
    }
    let mut dropped = None;
    if args.url.is_none() {
        for timed in &mut all {
            server.stop()?;
            dropped = Some(drop_page_cache());
            server = Server::start(&args.server()?, data, &args.log())?;
            // Another id than the ones that are still somewhere in memory.
            let (path, _) = asked.request(timed.question, WARM_UP + args.runs, &cursor);
            let mut connection =
                if is_page(timed.question) { visitor(&server)? } else { server.connect()? };
            let got = connection.get(&path)?;
            ensure!(got.status == 200, "{path}: {} {}", got.status, excerpt(got.body));
            timed.cold_ms = Some(got.total.as_secs_f64() * 1e3);
        }
    }
    println!("{}", table(args, &all, dropped).plain());
    if let Some(path) = &args.save {
        let answers = all.iter().map(|timed| {
            let answer = object([
                ("cold_ms", timed.cold_ms.map_or(Value::Null, number)),
                ("p50_ms", number(timed.total.median())),
                ("p99_ms", number(timed.total.quantile(0.99))),
                ("first_byte_ms", number(timed.first_byte.median())),
                ("answer", timed.answer.map_or(Value::Null, |answer| number(answer as f64))),
            ]);
            (timed.question.name, answer)
        });
        let answers = Object::from_members(answers).expect("each question has its name");
        let of = Source { machine, events: asked.events, seed: asked.seed, hash: asked.hash };
        saved::write_answers(path, &of, Value::Object(answers))?;
    }
    server.stop()
}

fn is_page(question: &Question) -> bool {
    PAGES.iter().any(|page| page.name == question.name)
}

/// A connection of somebody who has signed in.
fn visitor(server: &Server) -> Result<Connection> {
    let mut connection = server.connect()?;
    connection.sign_in().context("nobody can sign in")?;
    Ok(connection)
}

/// Records the data.
fn fill(server: &Server, args: &Args) -> Result<()> {
    eprintln!("recording them…");
    let bodies = Bodies::make(&mut Generator::new(args.seed), args.events, args.batch.unwrap_or(500));
    // One after the other: a page in the middle must hold the same events for every system.
    let load = Load { connections: 1, rate: None, rude_for: None, search: false };
    let sent = load::send(server, &bodies, &load)?;
    ensure!(sent.acknowledged == args.events as u64, "{} acknowledged", sent.acknowledged);
    server.wait_until_quiet();
    Ok(())
}

/// A cursor behind the newest `events` events.
fn middle(connection: &mut Connection, events: usize) -> Result<String> {
    let mut cursor = String::new();
    let mut left = events;
    while left > 0 {
        let limit = left.min(PAGE);
        let more = if cursor.is_empty() { String::new() } else { format!("&cursor={}", percent(&cursor)) };
        let answer = connection.get(&format!("/v1/events?limit={limit}{more}"))?;
        ensure!(answer.status == 200, "a page was refused: {} {}", answer.status, excerpt(answer.body));
        let page = read(answer.body)?;
        left -= limit;
        match page.get("next").and_then(Value::as_str) {
            Some(next) => cursor = next.to_owned(),
            None if left == 0 => break,
            None => bail!("there are fewer events than that"),
        }
    }
    Ok(cursor)
}

/// How many events there are, as far as the answer says it.
fn number_of(body: &[u8]) -> Result<Option<u64>> {
    let answer = read(body)?;
    let total = answer.get("total").and_then(|total| total.get("value").or(Some(total)));
    Ok(total.and_then(Value::as_i64).map(i64::unsigned_abs))
}

fn read(body: &[u8]) -> Result<Value<'_>> {
    let limits = Limits { max_bytes: 64 << 20, ..Limits::default() };
    json::parse(body, &limits)
        .map_err(|refusal| anyhow::anyhow!("{}", refusal.reason))
        .context("not an answer of ours")
}

fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned()
}

/// Whether the system let us. Not everybody may, and then cold means only a server that has just started.
fn drop_page_cache() -> bool {
    let written = Command::new("sync").status().is_ok_and(|status| status.success());
    written && std::fs::write("/proc/sys/vm/drop_caches", "1").is_ok()
}

fn table(args: &Args, all: &[Timed], dropped: Option<bool>) -> Table {
    let cold = match dropped {
        None => "*Cold* was not measured: the server is not ours to stop.",
        Some(true) => "*Cold* is the first question after a start, with the page cache dropped.",
        Some(false) => "*Cold* is the first question after a start; the page cache could not be dropped.",
    };
    let mut table = Table::new(
        "Questions over HTTP",
        format!(
            "{} events, one connection, each question asked {} times. Milliseconds until the last byte. Every event shown \
             was read from the ledger, decrypted, hashed and compared with the tree. {cold}",
            whole(args.events as f64),
            args.runs
        ),
        &["question", "cold", "first byte, p50", "p50", "p99", "number found"],
    );
    for timed in all {
        table.row([
            timed.question.about.to_owned(),
            timed.cold_ms.map_or_else(|| "–".to_owned(), two),
            two(timed.first_byte.median()),
            two(timed.total.median()),
            two(timed.total.quantile(0.99)),
            timed.answer.map_or_else(|| "–".to_owned(), |answer| whole(answer as f64)),
        ]);
    }
    table
}
