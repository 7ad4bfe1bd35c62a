//! Sending events over HTTP, and counting what becomes of them.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bench::data::Generator;

use crate::client::{Connection, member, percent};
use crate::events::DataHash;
use crate::figures::Figures;
use crate::server::Server;

/// Bodies of requests, made beforehand so that making them is not measured.
pub(crate) struct Bodies {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    batch: usize,
    events: usize,
    pub(crate) hash: DataHash,
}

impl Bodies {
    pub(crate) fn make(generator: &mut Generator, events: usize, batch: usize) -> Bodies {
        let mut bodies = Bodies {
            bytes: Vec::with_capacity(900 * events),
            ends: Vec::with_capacity(events.div_ceil(batch)),
            batch,
            events,
            hash: DataHash::new(),
        };
        for number in 1..=events {
            let start = bodies.bytes.len();
            generator.next(&mut bodies.bytes);
            bodies.hash.add(&bodies.bytes[start..]);
            bodies.bytes.push(b'\n');
            if number % batch == 0 || number == events {
                bodies.ends.push(bodies.bytes.len());
            }
        }
        bodies
    }

    /// Number of bodies.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Events of a body.
    pub(crate) fn batch(&self) -> usize {
        self.batch
    }

    pub(crate) fn events(&self) -> usize {
        self.events
    }

    /// Bytes of all events, without the ends of lines.
    pub(crate) fn json_bytes(&self) -> usize {
        self.bytes.len() - self.events
    }

    fn get(&self, number: usize) -> &[u8] {
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.bytes[start..self.ends[number]]
    }

    fn events_in(&self, number: usize) -> usize {
        if number + 1 == self.len() { self.events - number * self.batch } else { self.batch }
    }

    /// `source_id` of the first event of a body.
    fn source_id(&self, number: usize) -> &str {
        let start = b"{\"source_id\":\"".len();
        std::str::from_utf8(&self.get(number)[start..start + 36]).expect("ids are ASCII")
    }
}

/// A server that breaks this many connections of one sender is gone.
const BREAKS_MOST: u64 = 600;

/// How they are sent.
pub(crate) struct Load {
    pub(crate) connections: usize,
    /// Events a second, whether the server keeps up or not; as many as go if absent.
    pub(crate) rate: Option<f64>,
    /// End then, whatever is left; and never mind what the server says about coming back later.
    pub(crate) rude_for: Option<Duration>,
    /// Ask again and again for events that were just acknowledged.
    pub(crate) search: bool,
}

/// What became of them.
pub(crate) struct Sent {
    /// Events whose sender was told that they are recorded.
    pub(crate) acknowledged: u64,
    /// Events of requests that nobody answered, even when they were sent again.
    pub(crate) unknown: u64,
    /// Answers by status.
    pub(crate) answers: BTreeMap<u16, u64>,
    /// Connections that broke.
    pub(crate) broken: u64,
    /// Milliseconds from when a request was due to its acknowledgement.
    pub(crate) latency: Figures,
    /// Milliseconds of refusals.
    pub(crate) refusal: Figures,
    pub(crate) wall: Duration,
    /// Milliseconds from an acknowledgement until a search finds the event; none if the server does not search.
    pub(crate) search_lag: Option<Figures>,
    /// Questions that were asked for it.
    pub(crate) questions: u64,
    /// There was nothing left to send before the time was over.
    pub(crate) ran_out: bool,
}

/// What the connections share.
struct Shared<'s> {
    server: &'s Server,
    bodies: &'s Bodies,
    load: &'s Load,
    started: Instant,
    next: AtomicUsize,
    /// Turns of a load with a rate.
    turns: AtomicU64,
    again: Mutex<Vec<usize>>,
    ran_out: AtomicBool,
    done: AtomicBool,
    /// An event that was just acknowledged, and when.
    newest: Mutex<Option<(usize, Instant)>>,
}

#[derive(Default)]
struct Counts {
    acknowledged: u64,
    unknown: BTreeMap<usize, u64>,
    answers: BTreeMap<u16, u64>,
    broken: u64,
    latency: Vec<f64>,
    refusal: Vec<f64>,
}

pub(crate) fn send(server: &Server, bodies: &Bodies, load: &Load) -> Result<Sent> {
    let shared = Shared {
        server,
        bodies,
        load,
        started: Instant::now(),
        next: AtomicUsize::new(0),
        turns: AtomicU64::new(0),
        again: Mutex::new(Vec::new()),
        ran_out: AtomicBool::new(false),
        done: AtomicBool::new(false),
        newest: Mutex::new(None),
    };
    let (counts, wall, search) = thread::scope(|scope| {
        let spawn = |_| {
            // Hundreds of them, and none needs much of a stack.
            let thread = thread::Builder::new().name("sender".into()).stack_size(256 << 10);
            thread.spawn_scoped(scope, || shared.connection()).expect("a thread can be started")
        };
        let senders: Vec<_> = (0..load.connections).map(spawn).collect();
        let prober = load.search.then(|| scope.spawn(|| shared.probe()));
        let counts: Vec<_> =
            senders.into_iter().map(|sender| sender.join().expect("no sender panics")).collect();
        let wall = shared.started.elapsed();
        shared.done.store(true, Ordering::Relaxed);
        (counts, wall, prober.map(|prober| prober.join().expect("the prober does not panic")))
    });
    let mut all = Counts::default();
    for counts in counts {
        let counts = counts?;
        all.acknowledged += counts.acknowledged;
        all.unknown.extend(counts.unknown);
        counts.answers.into_iter().for_each(|(status, n)| *all.answers.entry(status).or_default() += n);
        all.broken += counts.broken;
        all.latency.extend(counts.latency);
        all.refusal.extend(counts.refusal);
    }
    let (search_lag, questions) = match search.transpose()? {
        Some((lag, questions)) => (lag, questions),
        None => (None, 0),
    };
    Ok(Sent {
        acknowledged: all.acknowledged,
        unknown: all.unknown.values().sum(),
        answers: all.answers,
        broken: all.broken,
        latency: Figures(all.latency),
        refusal: Figures(all.refusal),
        wall,
        search_lag,
        questions,
        ran_out: shared.ran_out.into_inner(),
    })
}

impl Shared<'_> {
    /// One connection, opened again when it breaks.
    fn connection(&self) -> Result<Counts> {
        let mut counts = Counts::default();
        let mut connection: Option<Connection> = None;
        while let Some((body, due)) = self.turn() {
            ensure!(counts.broken < BREAKS_MOST, "one connection broke {BREAKS_MOST} times");
            let sent = match &mut connection {
                Some(connection) => connection.post_events(self.bodies.get(body)),
                none => match self.server.connect() {
                    Ok(opened) => none.insert(opened).post_events(self.bodies.get(body)),
                    Err(_) => {
                        counts.broken += 1;
                        self.put_back(body);
                        thread::sleep(Duration::from_millis(50));
                        continue;
                    }
                },
            };
            let events = self.bodies.events_in(body) as u64;
            let Ok(answer) = sent else {
                // Nobody knows whether it was recorded. It is sent again, and may then be a duplicate.
                counts.broken += 1;
                counts.unknown.insert(body, events);
                connection = None;
                self.put_back(body);
                continue;
            };
            *counts.answers.entry(answer.status).or_default() += 1;
            if answer.status == 200 {
                let of = |name| member(answer.body, name).unwrap_or(0);
                let (accepted, duplicates) = (of("accepted"), of("duplicates"));
                ensure!(
                    accepted + duplicates == events,
                    "{events} sent, {accepted} accepted and {duplicates} duplicates: {}",
                    String::from_utf8_lossy(&answer.body[..answer.body.len().min(500)])
                );
                counts.acknowledged += events;
                counts.unknown.remove(&body);
                counts.latency.push(due.elapsed().as_secs_f64() * 1e3);
                *self.newest.lock().expect("no panic") = Some((body, Instant::now()));
                continue;
            }
            counts.refusal.push(answer.total.as_secs_f64() * 1e3);
            ensure!(
                matches!(answer.status, 429 | 503),
                "the answer is {}: {}",
                answer.status,
                String::from_utf8_lossy(&answer.body[..answer.body.len().min(500)])
            );
            let pause = answer.retry_after.unwrap_or(Duration::from_secs(1)).min(Duration::from_secs(2));
            self.put_back(body);
            if self.load.rude_for.is_none() {
                thread::sleep(pause);
            }
        }
        Ok(counts)
    }

    /// The next body to send, and when it is due; `None` at the end.
    fn turn(&self) -> Option<(usize, Instant)> {
        let is_over = || self.load.rude_for.is_some_and(|most| self.started.elapsed() >= most);
        if is_over() {
            return None;
        }
        let mut due = Instant::now();
        if let Some(rate) = self.load.rate {
            let turn = self.turns.fetch_add(1, Ordering::Relaxed);
            let scheduled =
                self.started + Duration::from_secs_f64(turn as f64 * self.bodies.batch as f64 / rate);
            thread::sleep(scheduled.saturating_duration_since(due));
            // Without manners there are always turns that nobody took in time; what waits is not the server's fault.
            due = if self.load.rude_for.is_some() { Instant::now() } else { scheduled };
            if is_over() {
                return None;
            }
        }
        if let Some(body) = self.again.lock().expect("no panic").pop() {
            return Some((body, due));
        }
        let body = self.next.fetch_add(1, Ordering::Relaxed);
        if body < self.bodies.len() {
            return Some((body, due));
        }
        if self.load.rude_for.is_some() {
            self.ran_out.store(true, Ordering::Relaxed);
        }
        None
    }

    fn put_back(&self, body: usize) {
        self.again.lock().expect("no panic").push(body);
    }

    /// Looks for what was just acknowledged until it is found. `None` if the server does not search by filter.
    fn probe(&self) -> Result<(Option<Figures>, u64)> {
        let (mut lag, mut questions) = (Figures::default(), 0);
        let mut connection = self.server.connect()?;
        while !self.done.load(Ordering::Relaxed) {
            let newest = self.newest.lock().expect("no panic").take();
            let Some((body, acknowledged)) = newest else {
                thread::sleep(Duration::from_millis(1));
                continue;
            };
            let filter = percent(&format!("source_id:\"{}\"", self.bodies.source_id(body)));
            let path = format!("/v1/events?q={filter}&limit=1");
            loop {
                questions += 1;
                let answer = connection.get(&path)?;
                match answer.status {
                    200 if answer.body.windows(36).any(|id| id == self.bodies.source_id(body).as_bytes()) => {
                        break;
                    }
                    200 | 429 | 503 if acknowledged.elapsed() < Duration::from_secs(60) => {
                        thread::sleep(Duration::from_millis(10));
                    }
                    200 => anyhow::bail!("an acknowledged event is not found within a minute"),
                    _ => return Ok((None, questions)),
                }
            }
            lag.push(acknowledged.elapsed().as_secs_f64() * 1e3);
        }
        Ok((Some(lag), questions))
    }
}
