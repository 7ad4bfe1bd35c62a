//! `kill -9` of the real binary while it indexes: what it finds afterwards is what a scan of the ledger finds.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::sleep;
use std::time::{Duration, Instant};

use event::{Value, time};
use query::Filter;

use crate::client::{Client, encoded};
use crate::kill::Chance;
use crate::program::{Place, Server, TOKEN, files, number, parse, text};

const CYCLES: u64 = 100;
const SEED: u64 = 20_261_123;
/// Every so many cycles everything is asked, and compared with a scan.
const CHECK_EVERY: u64 = 10;
/// Indexed from the first event on.
const SETTINGS: &[(&str, &str)] =
    &[("INDELIBLE_BOOTSTRAP_TOKEN", TOKEN), ("INDELIBLE__INDEX__SCAN_BELOW", "0")];
/// First time of an event, 2026-01-05 in nanoseconds since 1970; the others are in the 30 days after it.
const BEGAN_NS: i64 = 1_767_571_200_000_000_000;
const HOUR_NS: i64 = 3_600_000_000_000;
/// Events that are sent for each question that is answered under load, about.
const SENT_FOR_AN_ANSWER: u64 = 40;
/// Events of a page.
const LIMIT: usize = 200;

/// One or more of every way in which the index finds something: terms, words, phrases, prefixes, patterns, numbers, decimals,
/// times, networks, hash runs, open fields, what is missing; and what stops early beside what has to count.
const QUESTIONS: &[&str] = &[
    "",
    "type:llm.completion",
    "type:llm.* status:failed",
    "-status:success",
    "NOT (type:auth.* OR status:success)",
    "actor.id:user-7",
    "actor.email:user-11@example.com status:(failed OR blocked)",
    "user:nobody",
    "harbour",
    "\"copper harbour\"",
    "lant*",
    "message:\"velvet lantern\" -granite",
    "actor.id:user-1*",
    "severity>=high",
    "llm.tokens_total:[500 TO 900}",
    "llm.tokens_total:77",
    "llm.cost>0.05 model:gpt-4o",
    "time:[2026-01-10 TO 2026-01-12]",
    "time<2026-01-06T06:00:00Z",
    "actor.ip:10.3.0.0/16",
    "actor.ip:2001:db8:5::/48",
    "-actor.ip:10.0.0.0/8 exists:actor.ip",
    "trace_id:trace-000000000000000000000123",
    "session:session-41",
    "source_id:777",
    "attributes.tenant.name:acme",
    "attributes.score>5",
    "attributes.score:\"7\"",
    "-exists:llm",
    "exists:attributes.tenant targets.type:document",
    "targets.id:doc-5 -harbour (type:llm.* OR severity:low)",
    "position:[50 TO 900] type:auth.login",
    "type:audit.read",
];

#[test]
fn a_hundred_kills_while_it_indexes_leave_search_equal_to_a_scan() {
    let place = Place::new();
    let load = Load::default();
    let mut scan = Scan::default();
    let mut chance = Chance(SEED);
    let mut done = Done::default();
    let started = Instant::now();
    // Whether something of the index was committed since it was deleted: then nothing may make it anew.
    let mut is_kept = false;
    for cycle in 0..CYCLES {
        let context = format!("cycle {cycle}, seed {SEED}");
        let is_deleted = cycle % 9 == 4;
        if is_deleted {
            fs::remove_dir_all(place.data().join("views/index")).expect("there is an index to delete");
            is_kept = false;
            done.deleted += 1;
        }
        let mut was_asked = true;
        let printed = match cycle % CHECK_EVERY {
            9 => {
                let server = Server::start_in(&place, SETTINGS);
                let answers = ask_everything(server.address);
                let printed = server.kill();
                scan.read(&place);
                done.compared += scan.compare(&answers, &context);
                done.compared_under_load += scan.compare_under_load(&load, &context);
                done.most_files = done.most_files.max(files(&place.data().join("views/index")).len());
                eprintln!(
                    "{context}: {} events after {:.1} s",
                    scan.events.len(),
                    started.elapsed().as_secs_f64()
                );
                printed
            }
            // While it starts, and opens what the kill before left.
            3 => {
                was_asked = false;
                start_and_kill(&place, Duration::from_millis(chance.below(80)))
            }
            // While it catches up with what was never indexed, or makes anew what was deleted.
            n if n == 6 || is_deleted => {
                was_asked = false;
                let server = Server::start_in(&place, SETTINGS);
                sleep(Duration::from_millis(chance.below(60)));
                server.kill()
            }
            _ => under_load(&place, &load, &mut chance),
        };
        assert!(!printed.contains("ERROR") && !printed.contains("panicked"), "{context}: {printed}");
        let made_anew = "is made anew organisation=\"default\"";
        assert!(!is_kept || !printed.contains(made_anew), "{context}: {printed}");
        // Each answer waited for a commit.
        is_kept |= was_asked;
    }
    let running = started.elapsed();
    assert_eq!(place.verify(&[]).0, 0);

    // The same questions to the command that scans, so that not only this file says what a scan is.
    let server = Server::start_in(&place, SETTINGS);
    let answers = ask_commands(server.address, &place);
    server.kill();
    for (question, found, scanned) in answers {
        assert_eq!(found, scanned, "{question}");
    }
    let commits = load.commits.into_inner();
    assert!(commits > CYCLES, "hardly anything was committed under load: {commits}");
    assert!((done.most_files as u64) < commits / 4, "nothing was merged: {} files", done.most_files);
    assert!(done.compared > 500 && done.compared_under_load > CYCLES, "{done:?}");
    eprintln!(
        "{CYCLES} kills in {:.1} s: {} events, {commits} commits waited for, at most {} index files, {done:?}",
        running.as_secs_f64(),
        scan.events.len(),
        done.most_files
    );
}

#[derive(Debug, Default)]
struct Done {
    deleted: u32,
    compared: u64,
    compared_under_load: u64,
    most_files: usize,
}

fn start_and_kill(place: &Place, after: Duration) -> String {
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.envs(SETTINGS.iter().copied());
    command.stdin(std::process::Stdio::null());
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    sleep(after);
    child.kill().expect("it is our child");
    let output = child.wait_with_output().expect("it is our child");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// What is sent and asked while the server is killed.
#[derive(Default)]
struct Load {
    next: AtomicU64,
    /// Positions below this were acknowledged.
    acknowledged: AtomicU64,
    /// Questions that waited for what was acknowledged: each made the index commit.
    commits: AtomicU64,
    answers: Mutex<Vec<UnderLoad>>,
}

/// A page that was answered while events came in.
struct UnderLoad {
    question: usize,
    /// Everything below was acknowledged before the question.
    from: u64,
    /// Nothing at or above could be found yet.
    to: u64,
    positions: Vec<u64>,
    total: u64,
}

fn under_load(place: &Place, load: &Load, chance: &mut Chance) -> String {
    let server = Server::start_in(place, SETTINGS);
    let (address, is_over) = (server.address, AtomicBool::new(false));
    let (answered, moment) = (chance.below(5), Duration::from_millis(chance.below(40)));
    let seed = chance.below(1 << 40);
    let (heard, answers) = channel();
    std::thread::scope(|scope| {
        scope.spawn(|| load.send(address, seed, &is_over));
        scope.spawn(|| load.ask(address, seed, &is_over, &heard));
        // With the first it has caught up; each waited for a commit.
        for _ in 0..=answered {
            answers.recv_timeout(Duration::from_secs(60)).expect("somebody is answered");
        }
        sleep(moment);
        is_over.store(true, Ordering::Relaxed);
        server.kill()
    })
}

impl Load {
    /// Posts batches until the server is gone.
    fn send(&self, address: SocketAddr, seed: u64, is_over: &AtomicBool) {
        let mut chance = Chance(seed);
        let Ok(mut client) = Client::connect(address, TOKEN) else { return };
        let before = self.commits.load(Ordering::Relaxed);
        let mut sent = 0;
        while !is_over.load(Ordering::Relaxed) {
            // Not more than is indexed, or a slow machine would have much to look through afterwards.
            if sent > SENT_FOR_AN_ANSWER * (1 + self.commits.load(Ordering::Relaxed) - before) {
                sleep(Duration::from_millis(1));
                continue;
            }
            let count = [1, 2, 10, 40][chance.below(4) as usize];
            sent += count;
            let first = self.next.fetch_add(count, Ordering::Relaxed);
            let lines: String = (first..first + count).map(varied).collect();
            let Ok(reply) = client.ask("POST", "/v1/events", lines.as_bytes()) else { return };
            let receipts = reply.is(200).json();
            let receipts = receipts.pointer("/receipts").and_then(Value::as_array).expect("a receipt each");
            let last = receipts.iter().map(|receipt| number(receipt, "/position")).max().expect("one");
            self.acknowledged.fetch_max(last + 1, Ordering::Relaxed);
            sleep(Duration::from_millis(chance.below(8)));
        }
    }

    /// Asks, each time for everything that was acknowledged, until the server is gone.
    fn ask(&self, address: SocketAddr, seed: u64, is_over: &AtomicBool, heard: &Sender<()>) {
        let mut chance = Chance(!seed);
        let Ok(mut client) = Client::connect(address, TOKEN) else { return };
        while !is_over.load(Ordering::Relaxed) {
            let question = chance.below(QUESTIONS.len() as u64) as usize;
            let from = self.acknowledged.load(Ordering::Relaxed);
            let path = format!(
                "/v1/events?consistent=true&count=exact&limit={LIMIT}&q={}",
                encoded(QUESTIONS[question])
            );
            let Ok(reply) = client.ask("GET", &path, b"") else { return };
            let page = reply.is(200).json();
            assert_eq!(page.pointer("/total/exact"), Some(&Value::from(true)));
            if number(&page, "/searchable") == 0 {
                // Nothing was ever recorded.
                continue;
            }
            self.commits.fetch_add(1, Ordering::Relaxed);
            self.answers.lock().unwrap().push(UnderLoad {
                question,
                from,
                to: number(&page, "/searchable"),
                positions: positions(&page),
                total: number(&page, "/total/value"),
            });
            let _ = heard.send(());
            sleep(Duration::from_millis(chance.below(30)));
        }
    }
}

/// An event of which every part follows from its number.
fn varied(n: u64) -> String {
    const WORDS: [&str; 12] = [
        "harbour", "copper", "velvet", "lantern", "granite", "meadow", "orchid", "signal", "timber",
        "walnut", "ember", "quartz",
    ];
    let mut chance = Chance(n.wrapping_mul(0x9e37_79b9).wrapping_add(1));
    let mut pick = |from: &[&'static str]| from[chance.below(from.len() as u64) as usize];
    let kind =
        pick(&["auth.login", "auth.logout", "llm.completion", "llm.embedding", "tool.call", "key.created"]);
    let status = pick(&["success", "success", "success", "failed", "blocked", "error"]);
    let severity = pick(&["info", "info", "low", "medium", "high", "critical"]);
    let words: Vec<&str> = (0..5).map(|_| pick(&WORDS)).collect();
    let region = pick(&["eu-1", "eu-2", "us-1"]);
    let tenant = pick(&["acme", "Globex", "initech"]);
    let mut below = |bound| chance.below(bound);
    let at = BEGAN_NS + below(30 * 24 * 60) as i64 * (HOUR_NS / 60);
    let ip = match below(4) {
        0 => format!("2001:db8:{}::{}", below(16), below(200)),
        1 => format!("192.0.2.{}", below(256)),
        _ => format!("10.{}.{}.{}", below(16), below(4), below(256)),
    };
    let user = below(40);
    let mut members = format!(
        "\"source_id\":\"{n}\",\"producer\":\"load\",\"type\":\"{kind}\",\"status\":\"{status}\",\"severity\":\"{severity}\",\
         \"time\":\"{}\",\"message\":\"{}\",\"trace_id\":\"trace-{:024}\",\
         \"actor\":{{\"type\":\"user\",\"id\":\"user-{user}\",\"email\":\"user-{user}@example.com\",\"ip\":\"{ip}\",\
         \"session_id\":\"session-{}\"}},\"targets\":[{{\"type\":\"document\",\"id\":\"doc-{}\"}}]",
        time::format_ns(at),
        words.join(" "),
        n / 4,
        n % 97,
        below(30),
    );
    if kind.starts_with("llm.") {
        let model = ["gpt-4o", "claude-sonnet-4", "mistral-large"][below(3) as usize];
        let (tokens, cost) = (below(2000), below(1000));
        members +=
            &format!(",\"llm\":{{\"model\":\"{model}\",\"tokens_total\":{tokens},\"cost\":\"0.{cost:04}\"}}");
    }
    // A path whose type differs between events loses none of them.
    let score = below(12);
    let score = if n.is_multiple_of(3) { format!("\"{score}\"") } else { score.to_string() };
    members += &format!(",\"attributes\":{{\"region\":\"{region}\",\"score\":{score}");
    if n.is_multiple_of(2) {
        members += &format!(",\"tenant\":{{\"name\":\"{tenant}\"}}");
    }
    format!("{{{members}}}}}\n")
}

/// A question as it was asked over HTTP, and its answer.
struct Answered {
    ask: Ask,
    question: usize,
    answer: Value<'static>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Ask {
    /// The newest by position.
    Page,
    /// The newest by the sender's time.
    ByTime,
    /// The page after a page.
    Next,
    /// Only how many.
    Count,
    /// Of the events that were sent, since what is asked is an event too.
    Facets,
    Histogram,
}

/// The fields whose values are counted.
const FACETS: &[&str] = &["type", "status", "actor.id", "llm.model", "severity"];
/// Of the events that were sent alone.
const SENT: &str = "producer:load";

fn ask_everything(address: SocketAddr) -> Vec<Answered> {
    let mut client = Client::new(address);
    let mut answers = Vec::new();
    for (question, filter) in QUESTIONS.iter().enumerate() {
        let (all, sent) = (encoded(filter), encoded(&only_sent(filter)));
        let page = format!("consistent=true&count=exact&limit={LIMIT}");
        let mut get = |ask, path: String| {
            // On a busy machine the index may be further behind than a question waits; whoever asks is told to ask again.
            let mut reply = client.get(&path);
            for _ in 0..30 {
                if reply.status != 503 {
                    break;
                }
                sleep(Duration::from_secs(1));
                reply = client.get(&path);
            }
            let answer = reply.is(200).json();
            answers.push(Answered { ask, question, answer: answer.clone() });
            answer
        };
        let first = get(Ask::Page, format!("/v1/events?{page}&q={all}"));
        let next = text(&first, "/next");
        if !next.is_empty() {
            get(Ask::Next, format!("/v1/events?{page}&q={all}&cursor={next}"));
        }
        get(Ask::ByTime, format!("/v1/events?{page}&sort=time&q={all}"));
        get(Ask::Count, format!("/v1/events/count?consistent=true&q={sent}"));
        let fields = FACETS.join(",");
        get(Ask::Facets, format!("/v1/events/facets?consistent=true&n=1000&field={fields}&q={sent}"));
        get(Ask::Histogram, format!("/v1/events/histogram?consistent=true&interval=1d&q={sent}"));
    }
    answers
}

fn only_sent(filter: &str) -> String {
    if filter.is_empty() { SENT.to_owned() } else { format!("({filter}) {SENT}") }
}

fn positions(page: &Value<'_>) -> Vec<u64> {
    let events = page.pointer("/events").and_then(Value::as_array).expect("a page has events");
    events.iter().map(|event| number(event, "/position")).collect()
}

/// Every event of the ledger, by position, as the stopped folder tells.
#[derive(Default)]
struct Scan {
    events: Vec<Value<'static>>,
}

impl Scan {
    /// Reads what was recorded since it was last read.
    fn read(&mut self, place: &Place) {
        let stats = place.run(&["stats", "--json", "--organisation", "default"]).is(0).json();
        let size = number(&stats, "/0/leaves") as usize;
        let new = (size - self.events.len()).to_string();
        let answer = place.run(&["tail", "--json", "-n", &new]).is(0);
        for event in answer.out.lines().map(parse) {
            assert_eq!(number(&event, "/position") as usize, self.events.len());
            self.events.push(event);
        }
        assert_eq!(self.events.len(), size);
    }

    /// Positions that a filter holds for, oldest first.
    fn found(&self, filter: &str) -> Vec<u64> {
        let predicate = Filter::parse(filter).expect("the questions are right").predicate();
        (0..).zip(&self.events).filter(|(_, event)| predicate.matches(event)).map(|(at, _)| at).collect()
    }

    fn compare(&self, answers: &[Answered], context: &str) -> u64 {
        // A question by itself is an event that the next one may find; the ledger's size is in the page.
        let mut before: Vec<u64> = Vec::new();
        let all: Vec<Vec<u64>> = QUESTIONS.iter().map(|filter| self.found(filter)).collect();
        let all_sent: Vec<Vec<u64>> = QUESTIONS.iter().map(|filter| self.found(&only_sent(filter))).collect();
        for Answered { ask, question, answer } in answers {
            let sent = &all_sent[*question];
            let context = format!("{ask:?} of {:?}, {context}", QUESTIONS[*question]);
            match ask {
                Ask::Page | Ask::ByTime | Ask::Next => {
                    let size = number(answer, "/size");
                    let mut all: Vec<u64> =
                        all[*question].iter().copied().take_while(|at| *at < size).collect();
                    all.reverse();
                    assert_eq!(number(answer, "/total/value"), all.len() as u64, "{context}");
                    assert_eq!(answer.pointer("/total/exact"), Some(&Value::from(true)), "{context}");
                    assert_eq!(number(answer, "/searchable"), number(answer, "/size"), "{context}");
                    match ask {
                        Ask::ByTime => all.sort_by_key(|at| std::cmp::Reverse((self.time_ns(*at), *at))),
                        Ask::Next => all.retain(|at| Some(at) < before.last()),
                        _ => {}
                    }
                    all.truncate(LIMIT);
                    assert_eq!(positions(answer), all, "{context}");
                    before = all;
                }
                Ask::Count => {
                    assert_eq!(number(answer, "/total/value"), sent.len() as u64, "{context}");
                    assert_eq!(answer.pointer("/total/exact"), Some(&Value::from(true)), "{context}");
                }
                Ask::Facets => self.compare_facets(sent, answer, &context),
                Ask::Histogram => {
                    let mut days: BTreeMap<String, u64> = BTreeMap::new();
                    for at in sent {
                        let day = self.time_ns(*at).div_euclid(24 * HOUR_NS) * 24 * HOUR_NS;
                        *days.entry(time::format_ns(day)).or_default() += 1;
                    }
                    let slots = answer.pointer("/intervals").and_then(Value::as_array).expect("intervals");
                    let slots: BTreeMap<String, u64> =
                        slots.iter().map(|slot| (text(slot, "/from"), number(slot, "/count"))).collect();
                    assert_eq!(slots, days, "{context}");
                }
            }
        }
        answers.len() as u64
    }

    fn compare_facets(&self, found: &[u64], answer: &Value<'_>, context: &str) {
        let facets = answer.pointer("/facets").and_then(Value::as_array).expect("facets");
        assert_eq!(facets.len(), FACETS.len());
        for (field, facet) in FACETS.iter().zip(facets) {
            let pointer = format!("/{}", field.replace('.', "/"));
            let mut counts: BTreeMap<String, u64> = BTreeMap::new();
            for at in found {
                *counts.entry(text(&self.events[*at as usize], &pointer)).or_default() += 1;
            }
            let groups = facet.pointer("/groups").and_then(Value::as_array).expect("groups");
            let groups: BTreeMap<String, u64> =
                groups.iter().map(|group| (text(group, "/value"), number(group, "/count"))).collect();
            assert_eq!(groups, counts, "{field}, {context}");
            assert_eq!(facet.pointer("/exact"), Some(&Value::from(true)), "{field}, {context}");
        }
    }

    /// Each page that was answered under load is the newest of what there was at some moment between the question and the
    /// answer.
    fn compare_under_load(&self, load: &Load, context: &str) -> u64 {
        let answers = std::mem::take(&mut *load.answers.lock().unwrap());
        let all: Vec<Vec<u64>> = QUESTIONS.iter().map(|filter| self.found(filter)).collect();
        for answer in &answers {
            let filter = QUESTIONS[answer.question];
            let context =
                format!("{filter:?} from {} to {}, under load before {context}", answer.from, answer.to);
            assert!(answer.to <= self.events.len() as u64, "{context}");
            let below = |end: u64| all[answer.question].partition_point(|at| *at < end);
            let newest = answer.positions.first().map_or(0, |at| at + 1);
            let was_there = &all[answer.question][..below(newest.max(answer.from))];
            let was_there: Vec<u64> = was_there.iter().rev().copied().take(LIMIT).collect();
            assert_eq!(answer.positions, was_there, "{context}");
            let possible = below(answer.from) as u64..=below(answer.to) as u64;
            assert!(possible.contains(&answer.total), "{} of {context}", answer.total);
        }
        answers.len() as u64
    }

    fn time_ns(&self, position: u64) -> i64 {
        time::parse(&text(&self.events[position as usize], "/time")).expect("events have a time")
    }
}

/// Answers of the server, and of the command on the folder, which reads every event.
fn ask_commands(address: SocketAddr, place: &Place) -> Vec<(String, String, String)> {
    let mut client = Client::new(address);
    let mut answers = Vec::new();
    for filter in QUESTIONS.iter().step_by(4) {
        let filter = only_sent(filter);
        let (q, fields) = (encoded(&filter), FACETS.join(","));
        let asked: [(String, Vec<&str>); 4] = [
            (format!("/v1/events?limit={LIMIT}&count=exact&consistent=true&q={q}"), vec!["--limit", "200"]),
            (format!("/v1/events/count?consistent=true&q={q}"), vec!["--count"]),
            (
                format!("/v1/events/facets?consistent=true&n=200&field={fields}&q={q}"),
                vec!["--limit", "200", "--facets", &fields],
            ),
            (format!("/v1/events/histogram?consistent=true&interval=1d&q={q}"), vec!["--histogram", "1d"]),
        ];
        for (path, arguments) in asked {
            let found = client.get(&path).is(200).json();
            let scanned = place.run(&[&["query", "--json", &filter], &arguments[..]].concat()).is(0).json();
            // The ledger has grown by what was asked.
            let comparable = |value: &Value<'_>| match value.pointer("/events") {
                Some(_) => format!("{:?} {}", positions(value), text(value, "/total")),
                None => text(value, ""),
            };
            answers.push((path, comparable(&found), comparable(&scanned)));
        }
    }
    answers
}
