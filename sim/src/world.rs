//! One ledger on one machine, and a model of what it promised, through every operation and crash.
//!
//! An operation may fail only when the weather is bad. What it must never do is break a promise:
//! after each crash, and at the end, everything that was acknowledged is held against the files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ledger::{
    AppendError, Entry, Erasure, Error, Known, Ledger, Options, Outcome, Receipt, Report, SECTIONS, Secret,
    verify,
};
use proof::{MacKey, Verdict};

use crate::chance::Chance;
use crate::machine::{End, Machine, Weather};
use crate::model::{Limbo, Model, Recorded};
use crate::story;

const ORGANISATION: &str = "acme";
const PRODUCER: &str = "gateway-1";

/// How the ledger of a world is set up; the sizes are small so that journals roll.
#[derive(Clone, Debug)]
pub struct Setup {
    pub journal_min: u64,
    pub journal_max: u64,
    pub epoch_ms: u64,
    pub heartbeat_ms: u64,
    pub heads_copy: bool,
    pub tags: bool,
}

impl Setup {
    pub fn small() -> Setup {
        Setup {
            journal_min: 64 << 10,
            journal_max: 64 << 10,
            epoch_ms: 24 * 3600 * 1000,
            heartbeat_ms: 24 * 3600 * 1000,
            heads_copy: false,
            tags: false,
        }
    }

    pub fn any(chance: &mut Chance) -> Setup {
        let journal_min = [16 << 10, 64 << 10, 64 << 10, 256 << 10][chance.below(4) as usize];
        Setup {
            journal_min,
            journal_max: journal_min << chance.below(3),
            epoch_ms: [0, 5_000, 60_000, 24 * 3600 * 1000][chance.below(4) as usize],
            heartbeat_ms: [3_000, 30_000, 3600 * 1000][chance.below(3) as usize],
            heads_copy: chance.one_in(3),
            tags: chance.one_in(3),
        }
    }
}

/// How one event of a batch is handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    /// Never seen; with a fingerprint or without.
    Fresh { number: u64, fingerprinted: bool },
    /// The same again: of an acknowledged event, or of an earlier one of the batch.
    Again(u64),
    /// The id of an event with other content.
    Other(u64),
}

/// A machine, a ledger on it, and what was promised.
pub struct World {
    pub machine: Machine,
    pub model: Model,
    pub ledger: Option<Ledger>,
    pub chance: Chance,
    setup: Setup,
    dir: PathBuf,
    /// Key-encryption keys that may be in force; more than one after a change that failed.
    keks: Vec<[u8; 32]>,
    next_number: u64,
    /// Something failed since the ledger was opened, and it may have closed itself over that.
    failed: bool,
    /// How every process ends that dies, and every ledger that closes itself; absent = by chance.
    pub fate: Option<End>,
    /// Times the ledger was opened.
    pub restarts: u64,
}

pub type Told<T = ()> = Result<T, String>;

impl World {
    pub fn new(seed: u64, setup: Setup) -> World {
        let machine = Machine::new(seed);
        let io = machine.boot();
        for dir in ["/data", "/copy"] {
            io.create_dir(Path::new(dir)).expect("the machine is new");
        }
        io.sync_dir(Path::new("/")).expect("the machine is new");
        World {
            machine,
            model: Model { seed, ..Model::default() },
            ledger: None,
            chance: Chance::new(!seed),
            setup,
            dir: PathBuf::from("/data/acme"),
            keks: vec![[7; 32]],
            next_number: 1,
            failed: false,
            fate: None,
            restarts: 0,
        }
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn options(&self, kek: [u8; 32]) -> Options {
        let mut options = Options::new(ORGANISATION, Secret::new(kek));
        options.origin = Some("sim.example/acme".into());
        options.journal_min = self.setup.journal_min;
        options.journal_max = self.setup.journal_max;
        options.epoch_ms = self.setup.epoch_ms;
        options.heartbeat_ms = self.setup.heartbeat_ms;
        options.heads_copy = self.setup.heads_copy.then(|| PathBuf::from("/copy"));
        options.hmac_key = self.setup.tags.then(|| Arc::new(mac_key()));
        options
    }

    /// Whether an operation may fail.
    fn bad_weather(&self) -> bool {
        let weather = self.machine.weather();
        self.machine.dead()
            || weather.fails_one_in > 0
            || weather.capacity.is_some()
            || weather.at.is_some_and(|(at, _)| at <= self.machine.calls())
    }

    /// Does something in calm weather and brings the old weather back.
    fn calmly<T>(&mut self, act: impl FnOnce(&mut World) -> T) -> T {
        let weather = self.machine.weather();
        self.machine.set_weather(Weather::default());
        let result = act(self);
        self.machine.set_weather(weather);
        result
    }

    /// Whether an error is one that bad weather explains.
    fn excuse(&self, doing: &str, error: &Error) -> Told {
        let explained = match error {
            Error::Io(_) => self.bad_weather(),
            // It closed itself because of an earlier failure, for which there was an excuse.
            Error::Closed(_) => true,
            Error::NotFound(_) => !self.model.created,
            _ => false,
        };
        match explained {
            true => Ok(()),
            false => Err(format!("{doing}: {error} ({error:?})")),
        }
    }

    /// Opens the ledger, whatever it takes: dies with the machine, waits for better weather.
    pub fn start(&mut self) -> Told {
        for attempt in 0.. {
            if self.machine.dead() {
                self.end(None)?;
            }
            if attempt == 3 {
                self.machine.set_weather(Weather::default());
            }
            let mut opened = None;
            for kek in self.keks.clone() {
                let options = self.options(kek);
                match Ledger::open_or_create(self.machine.boot(), &self.dir, options) {
                    Err(Error::ForeignKey(_)) if self.keks.len() > 1 => {}
                    other => {
                        opened = Some((kek, other));
                        break;
                    }
                }
            }
            let (kek, result) = opened.ok_or("no key opens the ledger")?;
            match result {
                Ok(ledger) => {
                    if self.machine.dead() {
                        // It died at the very end of opening, and nobody was told that it had opened.
                        continue;
                    }
                    if self.model.created && ledger.opened().created {
                        return Err("a ledger that had been created was created anew".into());
                    }
                    self.model.created = true;
                    self.keks = vec![kek];
                    self.ledger = Some(ledger);
                    self.restarts += 1;
                    self.failed = false;
                    return self.calmly(World::check);
                }
                Err(e) => self.excuse("open", &e)?,
            }
            if attempt > 6 {
                return Err("does not open in calm weather".into());
            }
        }
        unreachable!("attempts end")
    }

    /// Opens the ledger without any expectation.
    pub fn open_quietly(&self) -> Result<Ledger, Error> {
        Ledger::open(self.machine.boot(), &self.dir, self.options(self.keks[0]))
    }

    /// Holds everything against the ledger that runs.
    pub fn check(&mut self) -> Told {
        let Some(ledger) = self.ledger.clone() else { return Ok(()) };
        self.model.check_all(&ledger)?;
        if let Some(head) = ledger.head() {
            self.model.saw(&head)?;
        }
        Ok(())
    }

    /// The verdict on the files as they lie there.
    pub fn verdict(&mut self) -> Report {
        let known_heads: Vec<String> = self.model.newest.iter().cloned().collect();
        let key = mac_key();
        let mut report = Report::default();
        for kek in self.keks.clone() {
            let known = Known {
                organisation: ORGANISATION,
                kek: Some(Secret::new(kek)),
                checkpoints: &known_heads,
                heads_copy: self.setup.heads_copy.then_some(Path::new("/copy")),
                hmac_key: self.setup.tags.then_some(&key),
                ..Known::default()
            };
            let io = self.machine.boot();
            report = self.calmly(|world| verify(&io, &world.dir, &known, &mut |_| {}));
            if report.verdict() != Verdict::CannotCheck {
                break;
            }
        }
        report
    }

    /// An honest ledger is never called anything but verified.
    pub fn check_verdict(&mut self, when: &str) -> Told {
        let report = self.verdict();
        match report.verdict() {
            Verdict::Verified => Ok(()),
            verdict => Err(format!("{when}, an honest ledger is called {verdict}: {:?}", report.findings)),
        }
    }

    /// The process ends; what it leaves must be honest.
    pub fn end(&mut self, how: Option<End>) -> Told {
        let how =
            how.or(self.fate).unwrap_or(if self.chance.one_in(2) { End::Killed } else { End::PowerLost });
        self.machine.end(how);
        self.ledger = None;
        let mut weather = self.machine.weather();
        weather.at = None;
        self.machine.set_weather(weather);
        if self.model.created && self.chance.one_in(3) {
            self.check_verdict(&format!("after {how:?}"))?;
        }
        Ok(())
    }

    /// Starts again if the process died or the ledger closed itself.
    pub fn recover(&mut self) -> Told {
        if self.machine.dead() {
            self.end(None)?;
        }
        if self.ledger.is_none() { self.start() } else { Ok(()) }
    }

    /// After an error: a ledger that closed itself is dropped and opened again.
    fn closed(&mut self, error: &Error) -> Told {
        if matches!(error, Error::Closed(_)) && !self.machine.dead() {
            self.ledger = None;
            // Time for the power to go between the failure and the next start.
            let power_goes = match self.fate {
                Some(end) => end == End::PowerLost,
                None => self.chance.one_in(4),
            };
            if power_goes {
                self.end(None)?;
            }
        }
        Ok(())
    }

    /// What is refused because sealing is behind is taken after a second and a round of tending.
    fn cure(&mut self, why: &str) -> Told {
        let Some(ledger) = self.ledger.clone() else { return Ok(()) };
        // The round that catches up may itself report what it was refused before.
        let cured = self.calmly(|world| {
            world.machine.advance(2_000);
            ledger.tend().or_else(|_| ledger.tend())
        });
        cured.map(drop).map_err(|e| format!("tending does not cure {why:?}: {e}"))
    }

    /// Runs an operation that may fail in bad weather.
    fn attempt<T>(&mut self, doing: &str, act: impl FnOnce(&Ledger) -> Result<T, Error>) -> Told<Option<T>> {
        let Some(ledger) = self.ledger.clone() else { return Ok(None) };
        self.machine.remark(|| format!("== {doing}"));
        let result = act(&ledger);
        drop(ledger);
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Error::Io(why)) if why.contains("sealing is behind") && !self.bad_weather() => {
                self.cure(&why).map(|()| None)
            }
            Err(e) => {
                self.excuse(doing, &e)?;
                self.failed = true;
                self.closed(&e)?;
                Ok(None)
            }
        }
    }

    /// Appends `count` events, a few of them seen before if `repeats`.
    pub fn append(&mut self, count: u64, repeats: bool) -> Told {
        let Some(ledger) = self.ledger.clone() else { return Ok(()) };
        let mut sent = Vec::new();
        for _ in 0..count {
            let known = self.any_known();
            let of_batch = sent.iter().rev().find_map(|s| match s {
                Sent::Fresh { number, fingerprinted: true } => Some(*number),
                _ => None,
            });
            sent.push(match (self.chance.below(if repeats { 16 } else { 1 }), known, of_batch) {
                (1, Some(number), _) | (2, _, Some(number)) => Sent::Again(number),
                (3, Some(number), _) => Sent::Other(number),
                _ => {
                    self.next_number += 1;
                    let fingerprinted = self.chance.one_in(2);
                    Sent::Fresh { number: self.next_number - 1, fingerprinted }
                }
            });
        }
        self.machine.remark(|| format!("== append {sent:?}"));
        let entries = sent.iter().map(|sent| self.entry(&ledger, *sent)).collect();
        let (before, excused) = (ledger.size(), self.bad_weather());
        let only_full = self.machine.weather().capacity.is_some() && self.machine.weather().fails_one_in == 0;
        let result = ledger.append(entries);
        let fresh = |only_known: bool| -> Vec<u64> {
            let numbers = sent.iter().filter_map(|s| match s {
                Sent::Fresh { number, fingerprinted } if *fingerprinted || !only_known => Some(*number),
                _ => None,
            });
            numbers.collect()
        };
        match result {
            Ok(outcomes) => self.acknowledge(&sent, &outcomes),
            Err(AppendError::Rejected { reason, .. }) => Err(format!("append was rejected: {reason}")),
            Err(AppendError::Busy { reason, .. }) => {
                // Nothing of it was recorded, and nothing of it may turn up later.
                let mut beyond = Vec::new();
                for at in before..ledger.size() {
                    let record = self.calmly(|_| ledger.record(at));
                    if !self.machine.dead() && !record.map_err(|e| e.to_string())?.is_control() {
                        beyond.push(at);
                    }
                }
                if !beyond.is_empty() {
                    return Err(format!("busy ({reason}), and yet events were recorded at {beyond:?}"));
                }
                if excused || self.bad_weather() || self.machine.dead() {
                    return Ok(());
                }
                // In calm weather it is full for a reason that tending cures.
                drop(ledger);
                self.cure(&reason)?;
                let Some(ledger) = self.ledger.clone() else { return Ok(()) };
                let number = self.next_number;
                self.next_number += 1;
                let again = Sent::Fresh { number, fingerprinted: true };
                let entry = self.entry(&ledger, again);
                match self.calmly(|_| ledger.append(vec![entry])) {
                    Ok(outcomes) => self.acknowledge(&[again], &outcomes),
                    Err(e) => Err(format!("tending does not cure {reason:?}: {e}")),
                }
            }
            Err(AppendError::Closed(why)) => {
                if !excused && !self.bad_weather() && !self.failed {
                    return Err(format!("the ledger closed itself in calm weather: {why}"));
                }
                if only_full && !self.machine.dead() && why.contains("no space") && why.contains("journal") {
                    return Err(format!("out of space closed the ledger: {why}"));
                }
                let limbo =
                    Limbo { numbers: fresh(false), fingerprinted: fresh(true), first_position: before };
                self.model.limbo.push(limbo);
                drop(ledger);
                self.closed(&Error::Closed(why))
            }
        }
    }

    fn any_known(&mut self) -> Option<u64> {
        let count = self.model.known.len() as u64;
        let at = self.chance.below(count) as usize;
        self.model.known.keys().nth(at).copied()
    }

    fn entry(&self, ledger: &Ledger, sent: Sent) -> Entry {
        let (number, digest) = match sent {
            Sent::Fresh { number, fingerprinted } => (number, fingerprinted.then_some(0u64)),
            Sent::Again(number) => (number, Some(0)),
            Sent::Other(number) => (number, Some(1)),
        };
        let mut entry = story::event(self.model.seed, number);
        let submitted = |digest: u64| [number.to_be_bytes(), digest.to_be_bytes()].concat();
        entry.fingerprint =
            digest.map(|digest| ledger.fingerprint(PRODUCER, &number.to_string(), &submitted(digest)));
        entry
    }

    fn acknowledge(&mut self, sent: &[Sent], outcomes: &[Outcome]) -> Told {
        if sent.len() != outcomes.len() {
            return Err(format!("{} outcomes for {} events", outcomes.len(), sent.len()));
        }
        for (sent, outcome) in sent.iter().zip(outcomes) {
            match (sent, outcome) {
                (Sent::Fresh { number, fingerprinted }, Outcome::Recorded(receipt)) => {
                    if self.model.events.keys().next_back().is_some_and(|last| *last >= receipt.position) {
                        return Err(format!("position {} was given out twice", receipt.position));
                    }
                    let recorded = Recorded {
                        number: *number,
                        id: receipt.id,
                        leaf_hash: receipt.leaf_hash,
                        erased: 0,
                        perhaps_erased: 0,
                    };
                    self.model.events.insert(receipt.position, recorded);
                    if *fingerprinted {
                        self.model.known.insert(*number, receipt.position);
                    }
                }
                (Sent::Again(number), Outcome::Duplicate(receipt))
                | (Sent::Other(number), Outcome::Conflict(receipt)) => self.same_receipt(*number, receipt)?,
                _ => return Err(format!("{sent:?} came out as {outcome:?}")),
            }
        }
        Ok(())
    }

    fn same_receipt(&self, number: u64, receipt: &Receipt) -> Told {
        let promised = self.model.known.get(&number).and_then(|at| Some((*at, self.model.events.get(at)?)));
        match promised {
            Some((at, event))
                if (at, event.id, event.leaf_hash) == (receipt.position, receipt.id, receipt.leaf_hash) =>
            {
                Ok(())
            }
            _ => {
                Err(format!("event {number} was recorded as {promised:?}, and the receipt says {receipt:?}"))
            }
        }
    }

    /// Sends a few acknowledged events again; they must be recognised.
    pub fn check_duplicates(&mut self, most: u64) -> Told {
        let Some(ledger) = self.ledger.clone() else { return Ok(()) };
        let mut sent = Vec::new();
        for _ in 0..most {
            let other = self.chance.one_in(3);
            sent.extend(self.any_known().map(|n| if other { Sent::Other(n) } else { Sent::Again(n) }));
        }
        let entries: Vec<Entry> = sent.iter().map(|sent| self.entry(&ledger, *sent)).collect();
        let mut outcomes = self.calmly(|_| ledger.append(entries.clone()));
        if let Err(AppendError::Busy { reason, .. }) = &outcomes {
            self.cure(reason)?;
            outcomes = self.calmly(|_| ledger.append(entries));
        }
        let outcomes = outcomes.map_err(|e| format!("duplicates: {e}"))?;
        self.acknowledge(&sent, &outcomes)
    }

    /// Reads the whole index of duplicates. One that rotted closes the ledger and is made anew.
    pub fn provoke(&mut self) -> Told {
        for _ in 0..2 {
            let Some(ledger) = self.ledger.clone() else { break };
            let sent: Vec<Sent> = self.model.known.keys().map(|number| Sent::Again(*number)).collect();
            let again = ledger.append(sent.iter().map(|sent| self.entry(&ledger, *sent)).collect());
            let sealed = ledger.seal();
            drop(ledger);
            match (again, sealed) {
                (Ok(outcomes), Ok(())) => return self.acknowledge(&sent, &outcomes),
                (Err(AppendError::Closed(_)), _) | (_, Err(Error::Closed(_))) => {
                    self.ledger = None;
                    self.start()?;
                }
                other => return Err(format!("a view that rotted does not heal: {other:?}")),
            }
        }
        Ok(())
    }

    pub fn sign(&mut self) -> Told {
        if let Some(Some(head)) = self.attempt("sign", Ledger::sign)? {
            self.model.saw(&head)?;
        }
        Ok(())
    }

    pub fn tend(&mut self) -> Told {
        self.attempt("tend", Ledger::tend)?;
        if let Some(head) = self.ledger.as_ref().and_then(Ledger::head) {
            self.model.saw(&head)?;
        }
        Ok(())
    }

    pub fn seal(&mut self) -> Told {
        self.attempt("seal", Ledger::seal).map(drop)
    }

    /// Erases sections of `first` to `last`, as far as they are there.
    pub fn erase(&mut self, first: u64, last: u64, mask: u8) -> Told {
        let size = self.ledger.as_ref().map_or(0, Ledger::size);
        if size == 0 {
            return Ok(());
        }
        let (first, last) = (first.min(size - 1), last.min(size - 1));
        let sections: Vec<usize> = (0..SECTIONS.len()).filter(|slot| mask & 1 << slot != 0).collect();
        for (_, event) in self.model.events.range_mut(first..=last) {
            event.perhaps_erased |= mask;
        }
        let erasure = Erasure { first, last, sections, request: "dsr-17".into() };
        if self.attempt(&format!("erase {erasure:?}"), |ledger| ledger.erase(&erasure))?.is_some() {
            for (_, event) in self.model.events.range_mut(first..=last) {
                event.erased |= mask;
            }
        }
        Ok(())
    }

    pub fn rewrap(&mut self) -> Told {
        if self.ledger.is_none() {
            return Ok(());
        }
        let mut kek = [0; 32];
        self.chance.fill(&mut kek);
        self.keks.push(kek);
        if self.attempt("rewrap", |ledger| ledger.rewrap(&Secret::new(kek)))?.is_some() {
            self.keks = vec![kek];
        }
        Ok(())
    }

    /// Reads a record, by position and by id, and proves it.
    pub fn read(&mut self) -> Told {
        let size = self.ledger.as_ref().map_or(0, Ledger::size);
        let position = self.chance.below(size);
        let Some(record) = self.attempt("read", |ledger| ledger.record(position))? else { return Ok(()) };
        self.model.check_record(&record)?;
        let id = *record.id();
        match self.attempt("find", |ledger| ledger.find(&id))? {
            Some(found) if found != Some(position) => {
                return Err(format!("position {position} is found by its id at {found:?}"));
            }
            _ => {}
        }
        let mut other = id;
        other[15] ^= 0x55;
        if let Some(Some(found)) = self.attempt("find", |ledger| ledger.find(&other))? {
            return Err(format!("an id that nothing has is found at {found}"));
        }
        let proof = self.attempt("prove", |ledger| match ledger.inclusion(position) {
            Err(Error::NotYetProved) => Ok(None),
            other => other.map(Some),
        })?;
        if let Some(Some((head, path))) = proof {
            self.model.saw(&head)?;
            proof::verify_inclusion(position, head.size, &record.leaf_hash, &path, &head.root)
                .map_err(|e| format!("the proof of position {position} does not hold: {}", e.what()))?;
        }
        Ok(())
    }

    /// Two heads that were handed out must be of one history.
    pub fn compare_heads(&mut self) -> Told {
        let count = self.model.heads.len() as u64;
        let (a, b) = (self.chance.below(count) as usize, self.chance.below(count) as usize);
        let pick = |at: usize| self.model.heads.iter().nth(at).map(|(size, root)| (*size, *root));
        let (Some(old), Some(new)) = (pick(a.min(b)), pick(a.max(b))) else { return Ok(()) };
        let path = self.attempt("compare", |ledger| ledger.consistency(old.0, new.0))?;
        match path {
            Some(path) => proof::verify_consistency(old.0, new.0, &path, &old.1, &new.1)
                .map_err(|e| format!("heads of {} and {} leaves: {}", old.0, new.0, e.what())),
            None => Ok(()),
        }
    }

    /// A second process reads while the first one writes.
    pub fn snapshot(&mut self) -> Told {
        let Some(ledger) = self.ledger.clone() else { return Ok(()) };
        let options = self.options(self.keks[0]);
        let snapshot = match Ledger::open_read_only(self.machine.boot(), &self.dir, options) {
            Ok(snapshot) => snapshot,
            // The key may just have been changed, or not.
            Err(Error::ForeignKey(_)) if self.keks.len() > 1 => return Ok(()),
            Err(e) => return self.excuse("snapshot", &e),
        };
        if !self.machine.dead() && snapshot.size() < self.model.floor() {
            return Err(format!(
                "a snapshot has {} leaves, {} were promised",
                snapshot.size(),
                self.model.floor()
            ));
        }
        for _ in 0..4 {
            let position = self.chance.below(ledger.size().min(snapshot.size()));
            match snapshot.record(position) {
                // An erasure that was not acknowledged may be seen here and not by the first process.
                Ok(record) => self.model.clone().check_record(&record)?,
                Err(e) => self.excuse("read in a snapshot", &e)?,
            }
        }
        if snapshot.sign().is_ok() || snapshot.rewrap(&Secret::new([1; 32])).is_ok() {
            return Err("a read-only snapshot writes".into());
        }
        Ok(())
    }

    /// Good weather at last: everything works again, everything is there, and nothing is left over.
    pub fn finish(&mut self) -> Told {
        if self.machine.dead() {
            self.end(None)?;
        }
        self.machine.set_weather(Weather::default());
        self.recover()?;
        self.check()?;
        self.machine.advance(5_000);
        self.tend()?;
        self.recover()?;
        self.append(3, true)?;
        self.recover()?;
        self.check_duplicates(8)?;
        self.seal()?;
        let stats =
            self.ledger.as_ref().ok_or("closed in calm weather")?.stats().map_err(|e| e.to_string())?;
        if stats.sealed != stats.size || stats.signed != stats.size {
            return Err(format!("not all is signed and sealed in the end: {stats:?}"));
        }
        self.check()?;
        self.check_verdict("at the end")?;
        self.ledger = None;
        self.start()?;
        let left = self.machine.boot().list(&self.dir).map_err(|e| e.to_string())?;
        let journals = left.iter().filter(|name| name.starts_with("journal-")).count();
        if journals > 1 || left.iter().any(|name| name.ends_with(".new") || name == "erasing") {
            return Err(format!("left over: {left:?}"));
        }
        let report = self.verdict();
        match report.verdict() == Verdict::Verified && report.notes.iter().all(|n| harmless(n)) {
            true => Ok(()),
            false => Err(format!("in the end: {:?} {:?}", report.findings, report.notes)),
        }?;
        self.check_duplicates(8)
    }
}

fn mac_key() -> MacKey {
    MacKey::new(&[9; 32]).expect("32 bytes are a key")
}

/// Notes about an honest ledger that was closed in good order.
fn harmless(note: &str) -> bool {
    note.contains("known checkpoint") || note.contains("not yet under a signed head")
}
