//! `kill -9` of the real binary under load: what was acknowledged is there, once, and nobody is accused.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use event::Value;

use crate::client::Client;
use crate::program::{Place, Server, TOKEN, numbered, text};

const CYCLES: u64 = 100;
const SENDERS: u64 = 4;
/// Ids that were in doubt and are sent again in the next cycle, so that duplicates are tried.
const AGAIN: usize = 40;

/// SplitMix64: the same moments for a seed.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// What the server said of an event.
#[derive(Clone, Debug, PartialEq)]
struct Receipt {
    position: String,
    leaf_hash: String,
    id: String,
}

#[derive(Default)]
struct Senders {
    next: AtomicU64,
    acknowledged: Mutex<HashMap<u64, Receipt>>,
    /// Sent, and the connection broke before the answer.
    doubtful: Mutex<Vec<u64>>,
    duplicates: AtomicU64,
}

impl Senders {
    /// Posts batches until the server is gone. `heard` is told of each answer.
    fn send(&self, server: std::net::SocketAddr, seed: u64, heard: &Sender<()>) {
        let mut chance = Chance(seed);
        let Ok(mut client) = Client::connect(server, TOKEN) else { return };
        loop {
            let mut numbers: Vec<u64> = {
                let mut doubtful = self.doubtful.lock().unwrap();
                let keep = doubtful.len().saturating_sub(AGAIN);
                doubtful.split_off(keep)
            };
            let count = [1, 1, 5, 50, 300][chance.below(5) as usize];
            let first = self.next.fetch_add(count, Ordering::Relaxed);
            numbers.extend(first..first + count);
            let lines: String = numbers.iter().map(|n| numbered(*n)).collect();
            let reply = match client.ask("POST", "/v1/events", lines.as_bytes()) {
                Ok(reply) if reply.status == 200 => reply.json(),
                // Neither yes nor no, as if nothing had come.
                Ok(reply) if reply.status == 503 => {
                    self.doubtful.lock().unwrap().extend(numbers);
                    continue;
                }
                Ok(reply) => panic!("{}: {}", reply.status, reply.text()),
                Err(_) => {
                    self.doubtful.lock().unwrap().extend(numbers);
                    return;
                }
            };
            let receipts = reply.pointer("/receipts").and_then(Value::as_array).expect("a receipt for each");
            assert_eq!(receipts.len(), numbers.len());
            for (number, receipt) in numbers.into_iter().zip(receipts) {
                let member = |name: &str| text(receipt, name);
                let outcome = member("/outcome");
                assert!(["recorded", "duplicate"].contains(&outcome.as_str()), "event {number}: {outcome}");
                self.duplicates.fetch_add(u64::from(outcome == "duplicate"), Ordering::Relaxed);
                let receipt = Receipt {
                    position: member("/position"),
                    leaf_hash: member("/leaf_hash"),
                    id: member("/id"),
                };
                let before = self.acknowledged.lock().unwrap().insert(number, receipt.clone());
                assert!(before.is_none_or(|before| before == receipt), "event {number} has two receipts");
            }
            let _ = heard.send(());
        }
    }
}

#[test]
fn a_hundred_kills_of_the_server_under_load_lose_nothing() {
    let place = Place::new();
    let senders = Senders::default();
    let seed = 20_261_122;
    let mut chance = Chance(seed);
    let started = Instant::now();
    let mut checkpoints = Vec::new();
    for cycle in 0..CYCLES {
        let server = Server::start(&place);
        let address = server.address;
        let (heard, answers) = channel();
        let moment = Duration::from_millis(20 + chance.below(130));
        let seeds: Vec<u64> = (0..SENDERS).map(|_| chance.below(u64::MAX)).collect();
        std::thread::scope(|scope| {
            for seed in seeds {
                let (heard, senders) = (heard.clone(), &senders);
                scope.spawn(move || senders.send(address, seed, &heard));
            }
            answers.recv_timeout(Duration::from_secs(60)).expect("somebody is answered");
            // Now and then someone outside asks for a checkpoint: it was signed, so it must stay true.
            if cycle % 5 == 0 {
                let reply = Client::new(address).get("/v1/checkpoint");
                checkpoints.extend((reply.status == 200).then(|| reply.text()));
            }
            std::thread::sleep(moment);
            let printed = server.kill();
            assert!(
                !printed.contains("ERROR") && !printed.contains("panicked"),
                "cycle {cycle}, seed {seed}: {printed}"
            );
        });
        // A verdict in between, with nothing repaired yet.
        if cycle % 20 == 7 {
            let (code, value) = place.verify(&[]);
            assert_eq!(code, 0, "after kill {cycle}, seed {seed}: {}", text(&value, ""));
        }
    }
    let running = started.elapsed();

    let known: Vec<String> =
        checkpoints.iter().enumerate().map(|(n, c)| place.write(&format!("known-{n}"), c)).collect();
    assert!(!known.is_empty());
    let with_known: Vec<&str> = known.iter().flat_map(|file| ["--known", file]).collect();
    let check = |when: &str| {
        let (code, value) = place.verify(&[&["--organisation", "default"], &with_known[..]].concat());
        assert_eq!(code, 0, "{when}, seed {seed}: {}", text(&value, ""));
    };
    check("as the last kill left it");
    // Whoever starts next recovers and signs; then everything is under a head.
    let server = Server::start(&place);
    Client::new(server.address).get("/v1/events?limit=1").is(200);
    let (status, printed) = server.stop();
    assert!(status.success(), "{printed}");
    check("recovered");
    assert_eq!(place.verify(&[]).0, 0);

    let acknowledged = senders.acknowledged.into_inner().unwrap();
    let sent = senders.next.into_inner();
    let mut found: HashMap<u64, Receipt> = HashMap::new();
    for event in place.all() {
        let Ok(number) = text(&event, "/source_id").parse() else { continue };
        let receipt = Receipt {
            position: text(&event, "/position"),
            leaf_hash: text(&event, "/verification/hash").trim_start_matches("sha256:").to_owned(),
            id: text(&event, "/id"),
        };
        assert_eq!(text(&event, "/verification/state"), "proved");
        assert!(found.insert(number, receipt).is_none(), "event {number} is there twice, seed {seed}");
    }
    let lost: Vec<&u64> =
        acknowledged.iter().filter(|(n, r)| found.get(n) != Some(r)).map(|(n, _)| n).collect();
    assert!(
        lost.is_empty(),
        "{} of {} lost or changed, seed {seed}: {lost:?}",
        lost.len(),
        acknowledged.len()
    );
    assert!(acknowledged.len() as u64 > CYCLES, "hardly anything was acknowledged");
    eprintln!(
        "{CYCLES} kills in {:.1} s: {sent} sent, {} acknowledged, 0 lost, {} recognised as duplicates, {} recorded and never acknowledged, {} checkpoints held",
        running.as_secs_f64(),
        acknowledged.len(),
        senders.duplicates.into_inner(),
        found.len() - acknowledged.len(),
        known.len(),
    );
}

#[test]
fn a_killed_append_can_be_given_the_same_file_again() {
    let place = Place::new();
    place.run(&["init"]).is(0);
    let mut chance = Chance(7);
    let mut kills = 0;
    let total = 30_000u64;
    // The file comes by a pipe that stays open, so there is always something to kill.
    for round in 1..=10u64 {
        let mut command = place.command(&["append"]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let lines: String = (0..total * round / 10).map(numbered).collect();
        let writer = std::thread::spawn(move || {
            let _ = stdin.write_all(lines.as_bytes());
            stdin
        });
        std::thread::sleep(Duration::from_millis(30 + chance.below(300)));
        child.kill().unwrap();
        let stdin = writer.join().unwrap();
        drop(stdin);
        let ended = child.wait().unwrap();
        kills += u64::from(ended.code().is_none());
        let said: Vec<String> =
            BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok).collect();
        assert!(!said.iter().any(|line| line.contains("panicked")), "{said:?}");
        let (code, value) = place.verify(&[]);
        assert_eq!(code, 0, "round {round}: {}", text(&value, ""));
    }
    assert!(kills >= 5, "only {kills} were killed while they ran");
    place.append(0..=total - 1);
    assert_eq!(place.verify(&[]).0, 0);
    let mut numbers: Vec<u64> =
        place.all().iter().filter_map(|e| text(e, "/source_id").parse().ok()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers.len() as u64, total, "each exactly once");
    assert!(numbers.windows(2).all(|w| w[0] + 1 == w[1]));
}
