//! Builds an index of the stated data set and asks it questions.
//!
//! ```text
//! bench data --events 2000000 | cargo run --release -p index --example speed -- FOLDER
//! ```
//!
//! Figures are microseconds of CPU for an event (of the whole process, from `/proc/self/stat`), and milliseconds of wall
//! time for a question: the median of eleven, the first of which is shown too.
#![allow(clippy::print_stdout, clippy::disallowed_methods)]

use std::io::BufRead;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use event::{Limits, Value, json, time};
use index::{Budget, Cache, Count, Histogram, Index, Measure, Order, Question, Scope};
use ledger::io::OsIo;
use query::{Expr, Filter};

const BATCH: usize = 16_384;

fn main() {
    let dir: PathBuf = std::env::args_os().nth(1).expect("a folder").into();
    let cache = Arc::new(Cache::new(256 << 20));
    let index = Index::open(Arc::new(OsIo::new()), &dir, &[7; 32], cache.clone()).expect("opens");
    build(&index);
    let stats = index.stats();
    println!(
        "{} events, {} parts, {:.1} bytes/event",
        stats.events,
        stats.parts,
        per(stats.bytes, stats.events)
    );
    ask(&index);
    println!("{:?}, resident {} MiB", cache.stats(), resident() >> 20);
}

fn build(index: &Index) {
    let mut lines = std::io::stdin().lock();
    let (mut text, mut ends) = (Vec::new(), Vec::new());
    let (mut parse, mut add, mut commit, mut merge) = (0, 0, 0, 0);
    loop {
        text.clear();
        ends.clear();
        while ends.len() < BATCH && lines.read_until(b'\n', &mut text).expect("reads") > 0 {
            ends.push(text.len());
        }
        if ends.is_empty() {
            break;
        }
        let first = index.next();
        let mut at = cpu();
        let mut lap = |sum: &mut u64| {
            let now = cpu();
            *sum += now - std::mem::replace(&mut at, now);
        };
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let events: Vec<(u64, Value<'_>)> =
            (first..).zip(starts.zip(&ends).map(|(from, to)| &text[from..*to])).map(event).collect();
        lap(&mut parse);
        index.add(&events).expect("adds");
        lap(&mut add);
        index.commit().expect("commits");
        lap(&mut commit);
        while index.merge_some().expect("merges") {}
        lap(&mut merge);
    }
    let events = index.searchable().max(1);
    // A tick of /proc/self/stat is 10 ms.
    let us = |ticks: u64| ticks as f64 * 10_000.0 / events as f64;
    println!(
        "CPU us/event: parse {:.2}, add {:.2}, commit {:.2}, merge {:.2}; resident {} MiB",
        us(parse),
        us(add),
        us(commit),
        us(merge),
        resident() >> 20
    );
}

fn event((position, line): (u64, &[u8])) -> (u64, Value<'_>) {
    let Ok(Value::Object(mut event)) = json::parse(line.trim_ascii_end(), &Limits::default()) else {
        panic!("not an event")
    };
    if event.get("status").and_then(Value::as_str) == Some("failure") {
        event.insert("status", "failed");
    }
    event.insert("id", format!("019a0000-0000-7000-8000-{position:012x}"));
    event.insert("position", Value::integer(position as i64).expect("small"));
    let time = event.get("time").and_then(|time| time::parse(time.as_str()?).ok()).expect("a time");
    event.insert("time", time::format_ns(time));
    event.insert("received", time::format_ns(time));
    event.insert("organisation", "default");
    (position, Value::Object(event))
}

fn ask(index: &Index) {
    let confirm = |_: u64| -> Result<Value<'static>, ()> { Err(()) };
    let filters = [
        ("newest 100 of everything", ""),
        ("one type", "type:auth.login"),
        ("type and status", "type:llm.completion status:failed"),
        ("common user", "actor.id:usr_e220a839"),
        ("rare user", "actor.email:anna.almeida49990@acme.io OR actor.email:ben.castro31001@acme.io"),
        ("two words", "baba bace"),
        ("network /24", "actor.ip:10.3.7.0/24"),
        ("network /16", "actor.ip:10.3.0.0/16"),
        ("severity", "severity>=high"),
        ("not", "-type:llm.completion -status:success"),
        ("tokens", "llm.tokens_input>7000"),
        ("cost", "llm.cost>0.05 status:failed"),
        ("time", "time>=2026-01-05T09:00:00Z time<2026-01-05T10:00:00Z type:tool.call"),
        ("attribute", "attributes.region:eu-west-1 attributes.mfa:true"),
        ("prefix", "bra* type:auth.login"),
        ("id", "id:019a0000-0000-7000-8000-000000012345"),
    ];
    for (name, text) in filters {
        let filter = Filter::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        let scope = Scope { expr: filter.expr(), budget: Budget::default() };
        let question = |count| Question { scope, order: Order::Newest, after: None, limit: 100, count };
        let mut found = 0;
        let page =
            timed(|| found = index.search(&question(Count::No), &confirm).expect("answers").positions.len());
        let mut total = 0;
        let count = timed(|| total = index.count(&scope, &confirm).expect("counts").value);
        println!("{name}: newest {found} {page}; count {total} {count}");
    }
    let all = Scope { expr: &Expr::All, budget: Budget::default() };
    let by_time = Question {
        scope: all,
        order: Order::ByTime { descending: true },
        after: None,
        limit: 100,
        count: Count::No,
    };
    println!("by time: {}", timed(|| drop(index.search(&by_time, &confirm))));
    let five = ["type", "status", "severity", "llm.model", "environment"];
    println!("five facets: {}", timed(|| drop(index.facets(&all, &five, 10, &confirm))));
    println!("facet of users: {}", timed(|| drop(index.facets(&all, &["actor.id"], 10, &confirm))));
    let day = 86_400_000_000_000;
    let from = 1_767_571_200_000_000_000;
    let chart = Histogram { from, to: from + 3 * day, step: day / 24, split: Some(("type", 10)) };
    println!("histogram by type: {}", timed(|| drop(index.histogram(&all, &chart, &confirm))));
    let plain = Histogram { split: None, ..chart };
    println!("histogram: {}", timed(|| drop(index.histogram(&all, &plain, &confirm))));
    let cost = Measure::Sum("llm.cost");
    println!("cost by user: {}", timed(|| drop(index.top(&all, "actor.id", cost, 10, &confirm))));
    println!("cost by model: {}", timed(|| drop(index.top(&all, "llm.model", cost, 10, &confirm))));
}

fn timed(mut work: impl FnMut()) -> String {
    let mut times: Vec<f64> = (0..11)
        .map(|_| {
            let at = Instant::now();
            work();
            at.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    let first = times[0];
    times.sort_by(f64::total_cmp);
    format!("{:.3} ms (first {first:.2})", times[5])
}

fn per(a: u64, b: u64) -> f64 {
    a as f64 / b.max(1) as f64
}

/// User and system time of the process, in ticks.
fn cpu() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    after.split_ascii_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum()
}

fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split_ascii_whitespace().nth(1).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) * 4096
}
