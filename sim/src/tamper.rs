//! A finished ledger of 2 000 events and what a hand could do to its files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ledger::io::Io;
use ledger::{Bodies, Entry, Erasure, Known, Ledger, Options, Report, Secret, verify};
use proof::Verdict::{self, *};

use crate::machine::Machine;
use crate::rot::{Class, class, used};

pub type Files = BTreeMap<PathBuf, Vec<u8>>;

const DAY_MS: u64 = 24 * 3600 * 1000;
pub const DIR: &str = "/data/acme";

/// The files of a ledger, now and yesterday, and the checkpoints that were kept outside.
pub struct Exhibit {
    pub files: Files,
    pub checkpoint: String,
    pub yesterday: Files,
    pub old_checkpoint: String,
}

fn kek() -> Secret {
    Secret::new([7; 32])
}

fn options(organisation: &str) -> Options {
    let mut options = Options::new(organisation, kek());
    (options.journal_min, options.journal_max) = (64 << 10, 64 << 10);
    options.heartbeat_ms = 400 * DAY_MS;
    options
}

/// Small, so that there are few bytes to flip.
fn entry(ledger: &Ledger, number: u64) -> Entry {
    let who = format!(r#"{{"id":"u-{}"}}"#, number % 40);
    let what = format!(r#"{{"n":{number}}}"#);
    Entry {
        kind: "llm.completion".into(),
        producer: "gateway-1".into(),
        producer_seq: number + 1,
        status: 1,
        bodies: Bodies::new([None, None, Some(what.as_bytes()), Some(who.as_bytes())]),
        fingerprint: Some(ledger.fingerprint("gateway-1", &number.to_string(), &number.to_be_bytes())),
        ..Entry::default()
    }
}

fn append(ledger: &Ledger, numbers: std::ops::Range<u64>) {
    for first in numbers.clone().step_by(50) {
        let batch = (first..numbers.end.min(first + 50)).map(|number| entry(ledger, number)).collect();
        ledger.append(batch).expect("nothing fails here");
    }
}

/// A ledger with every kind of file: segments, one with an erasure, two epochs, views, and a journal
/// whose frames are under a signed head.
pub fn exhibit(seed: u64, organisation: &str) -> Exhibit {
    let machine = Machine::new(seed);
    let io = machine.boot();
    io.create_dir(Path::new("/data")).expect("nothing fails here");
    let ledger = Ledger::create(io, Path::new(DIR), options(organisation)).expect("nothing fails here");
    append(&ledger, 0..600);
    ledger.seal().expect("nothing fails here");
    let erasure = Erasure { first: 10, last: 20, sections: vec![3], request: "dsr-1".into() };
    ledger.erase(&erasure).expect("nothing fails here");
    machine.advance(DAY_MS);
    ledger.tend().expect("nothing fails here");
    append(&ledger, 600..1300);
    ledger.seal().expect("nothing fails here");
    append(&ledger, 1300..1350);
    ledger.sign().expect("nothing fails here");
    let (yesterday, old) = (machine.files(), ledger.head().expect("it was signed").note);
    append(&ledger, 1350..1800);
    ledger.seal().expect("nothing fails here");
    for first in (1800..2000).step_by(40) {
        append(&ledger, first..first + 40);
        ledger.sign().expect("nothing fails here");
    }
    let checkpoint = ledger.head().expect("it was signed").note;
    Exhibit { files: machine.files(), checkpoint, yesterday, old_checkpoint: old }
}

/// Yesterday's files, restored by someone who went on from there: another history.
pub fn fork(exhibit: &Exhibit) -> Files {
    let machine = Machine::holding(99, &exhibit.yesterday);
    machine.advance(DAY_MS / 2);
    let ledger = Ledger::open(machine.boot(), Path::new(DIR), options("acme")).expect("it is a whole copy");
    append(&ledger, 5000..6000);
    ledger.sign().expect("nothing fails here");
    machine.files()
}

/// The verdict on these files.
pub fn judge(machine: &Machine, organisation: &str, checkpoints: &[String]) -> Report {
    let known = Known { organisation, kek: Some(kek()), checkpoints, ..Known::default() };
    let io: Arc<dyn Io> = machine.boot();
    verify(&io, Path::new(DIR), &known, &mut |_| {})
}

/// One thing that was done to the files, and what may be said of it.
pub struct Attack {
    pub name: String,
    pub files: Files,
    pub organisation: &'static str,
    pub known: Vec<String>,
    pub expected: Vec<Verdict>,
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

fn kind(path: &Path) -> &str {
    name(path).split('-').next().unwrap_or_default()
}

/// Every structural attack on an exhibit. `other`: a ledger of another organisation under the same key.
pub fn attacks(exhibit: &Exhibit, other: &Exhibit) -> Vec<Attack> {
    let mut all = Vec::new();
    let mut add = |name: String, files: Files, known: &[&String], expected: &[Verdict]| {
        let known = known.iter().map(|note| (*note).clone()).collect();
        all.push(Attack { name, files, organisation: "acme", known, expected: expected.to_vec() });
    };
    let whole = &exhibit.files;
    let with = |path: &PathBuf, bytes: Option<Vec<u8>>| {
        let mut files = whole.clone();
        match bytes {
            Some(bytes) => files.insert(path.clone(), bytes),
            None => files.remove(path),
        };
        files
    };
    let (now, then) = (&exhibit.checkpoint, &exhibit.old_checkpoint);
    add("nothing".into(), whole.clone(), &[now, then], &[Verified]);

    for (path, bytes) in whole.iter().filter(|(path, _)| class(path) != Class::Empty) {
        let what = name(path);
        let missing: &[Verdict] = match kind(path) {
            "keys" => &[CannotCheck],
            "tiles" | "ids" => &[Verified],
            _ => &[Incomplete],
        };
        add(format!("{what} is deleted"), with(path, None), &[], missing);
        let cut: &[Verdict] = match kind(path) {
            "tiles" | "ids" => &[Verified],
            // Its last record looks like one that a crash cut short.
            "heads" => &[Verified],
            _ => &[Damaged],
        };
        let short = bytes[..bytes.len() - 100].to_vec();
        add(format!("{what} loses its last 100 bytes"), with(path, Some(short)), &[], cut);
        let zeros = vec![0; bytes.len()];
        let zeroed: &[Verdict] = match kind(path) {
            "tiles" | "ids" => &[Verified],
            // So does a file of zeros, where a head was to come; but there must be heads.
            "heads" => &[Incomplete],
            _ => &[Damaged],
        };
        add(format!("{what} is zeros"), with(path, Some(zeros)), &[], zeroed);
        let empty: &[Verdict] = match kind(path) {
            "tiles" | "ids" => &[Verified],
            "heads" => &[Incomplete],
            _ => &[Damaged],
        };
        add(format!("{what} is empty"), with(path, Some(Vec::new())), &[], empty);
        if let Some(theirs) = other.files.get(path) {
            let expected: &[Verdict] = match kind(path) {
                "tiles" | "ids" => &[Verified],
                _ => &[Tampered],
            };
            add(format!("{what} is another ledger's"), with(path, Some(theirs.clone())), &[], expected);
        }
        if let Some(old) = exhibit.yesterday.get(path).filter(|old| *old != bytes) {
            let expected: &[Verdict] = match kind(path) {
                // Older keys of the same ledger open everything, and so do older views.
                "keys" | "tiles" | "ids" | "heads" => &[Verified],
                _ => &[Incomplete],
            };
            add(format!("{what} is yesterday's"), with(path, Some(old.clone())), &[], expected);
        }
    }

    let heads = Path::new(DIR).join("heads");
    let records = records(&whole[&heads]);
    let put = |parts: Vec<&[u8]>| with(&heads, Some(parts.concat()));
    let (first, last) = (&records[..records.len() - 1], records[records.len() - 1]);
    add("the last head is cut off".into(), put(first.to_vec()), &[], &[Verified]);
    add("the last head is cut off, and known".into(), put(first.to_vec()), &[now], &[Verified]);
    let mut swapped = records.clone();
    swapped.swap(1, 2);
    add("two heads are swapped".into(), put(swapped), &[], &[Tampered]);
    let mut doubled = records.clone();
    doubled.push(last);
    add("the last head is doubled".into(), put(doubled), &[], &[Verified]);
    let mut fewer = records.clone();
    fewer.remove(1);
    add("a head in the middle is taken out".into(), put(fewer), &[], &[Verified]);
    let mut foreign = records.clone();
    let theirs = self::records(&other.files[&heads]);
    foreign.push(theirs[theirs.len() - 1]);
    add("another ledger's head is added".into(), put(foreign), &[], &[Tampered]);

    let journals: Vec<&PathBuf> = whole.keys().filter(|path| kind(path) == "journal").collect();
    let journal = journals[0];
    let bytes = &whole[journal];
    let frames = frames(bytes);
    let rebuilt = |order: &[usize]| {
        let mut file = bytes[..4096].to_vec();
        order.iter().for_each(|at| file.extend(frames[*at]));
        file.resize(bytes.len(), 0);
        with(journal, Some(file))
    };
    let order: Vec<usize> = (0..frames.len()).collect();
    let count = order.len();
    let mut swapped = order.clone();
    swapped.swap(1, 2);
    add("two frames are swapped".into(), rebuilt(&swapped), &[], &[Tampered]);
    let mut fewer = order.clone();
    fewer.remove(1);
    add("a frame is taken out".into(), rebuilt(&fewer), &[], &[Tampered]);
    add("the last frame is taken off".into(), rebuilt(&order[..count - 1]), &[], &[Incomplete]);
    let mut doubled = order.clone();
    doubled.push(count - 1);
    add("the last frame is doubled".into(), rebuilt(&doubled), &[], &[Tampered]);
    let mut holed = bytes.clone();
    let at = 4096 + frames[0].len();
    holed[at..at + frames[1].len()].fill(0);
    add("a frame in the middle is zeros".into(), with(journal, Some(holed)), &[], &[Damaged]);
    add("a journal is cut".into(), with(journal, Some(bytes[..at].to_vec())), &[], &[Damaged]);

    let segments: Vec<&PathBuf> = whole.keys().filter(|path| kind(path) == "segment").collect();
    let (a, b) = (segments[0], segments[1]);
    let mut crossed = whole.clone();
    crossed.insert(a.clone(), whole[b].clone());
    crossed.insert(b.clone(), whole[a].clone());
    add("two segments have changed names".into(), crossed, &[], &[Tampered]);
    let mut grown = whole[a].clone();
    grown.extend([0; 512]);
    add("a segment has grown".into(), with(a, Some(grown)), &[], &[Damaged]);

    add("yesterday's copy".into(), exhibit.yesterday.clone(), &[then], &[Verified]);
    add(
        "yesterday's copy, against today's checkpoint".into(),
        exhibit.yesterday.clone(),
        &[now],
        &[RolledBack],
    );
    let forked = fork(exhibit);
    add("another history, alone".into(), forked.clone(), &[then], &[Verified]);
    add("another history, against today's checkpoint".into(), forked, &[now], &[SplitView]);
    let mut cut = whole.clone();
    cut.remove(journal);
    cut.insert(heads.clone(), records[..records.len() - 5].concat());
    add("the tail is cut, heads and all".into(), cut.clone(), &[], &[Verified]);
    add("the tail is cut, against today's checkpoint".into(), cut, &[now], &[RolledBack]);
    all.push(Attack {
        name: "the folder has another organisation's name".into(),
        files: whole.clone(),
        organisation: "umbrella",
        known: Vec::new(),
        expected: vec![Tampered],
    });
    all
}

/// The records of a `heads` file.
fn records(bytes: &[u8]) -> Vec<&[u8]> {
    let mut starts: Vec<usize> =
        (0..bytes.len()).step_by(512).filter(|at| bytes[*at..].starts_with(b"IDHD")).collect();
    starts.push(bytes.len());
    starts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

/// The frames of a journal.
fn frames(bytes: &[u8]) -> Vec<&[u8]> {
    let end = used(Path::new("journal-"), bytes);
    let mut starts: Vec<usize> =
        (4096..end).step_by(4096).filter(|at| bytes[*at..].starts_with(b"IDFR")).collect();
    starts.push(end);
    starts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

/// Flips a bit, judges, and flips it back. The error says what the verdict should have been.
pub fn flip(machine: &Machine, path: &Path, offset: usize, bit: u8) -> Result<(), String> {
    machine.rot(path, offset, bit);
    let report = judge(machine, "acme", &[]);
    machine.rot(path, offset, bit);
    let verdict = report.verdict();
    let good = match class(path) {
        Class::View => verdict == Verified && !report.notes.is_empty(),
        _ => verdict == Damaged,
    };
    match good {
        true => Ok(()),
        false => Err(format!(
            "bit {bit} of byte {offset} of {} was flipped: {verdict}, {:?} {:?}",
            path.display(),
            report.findings,
            report.notes
        )),
    }
}

/// Bytes of an exhibit that mean something, as (file, length).
pub fn bytes(exhibit: &Exhibit) -> Vec<(PathBuf, usize)> {
    let files = exhibit.files.iter().filter(|(path, _)| class(path) != Class::Empty);
    files.map(|(path, bytes)| (path.clone(), used(path, bytes))).collect()
}
