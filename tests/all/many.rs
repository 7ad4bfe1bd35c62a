//! Thousands of organisations in one process: few files open, little memory, a quick start.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use access::Viewer;
use event::{Event, Limits};
use indelible::{Indelible, Paging, Question, Sender, Settings, verify_data};
use ledger::io::{Io, OsIo};
use proof::Verdict;
use query::Filter;
use tempfile::TempDir;

const ORGANISATIONS: usize = 5000;
const EVENTS: usize = 3;
const SENDERS: usize = 4;
const FILES_MOST: usize = 256 * 12 + 100;
const MEMORY_MOST_KIB: u64 = 400 << 10;

fn name(n: usize) -> String {
    format!("tenant-{n:04}")
}

fn events(n: usize) -> Vec<String> {
    let event =
        |i: usize| format!(r#"{{"source_id":"{i}","type":"auth.login","actor":{{"id":"user-{n}-{i}"}}}}"#);
    (0..EVENTS).map(event).collect()
}

fn record(product: &Indelible, n: usize) {
    let texts = events(n);
    let limits = Limits::default();
    let events: Vec<Event<'_>> = texts.iter().map(|t| Event::parse(t.as_bytes(), &limits).unwrap()).collect();
    product.record(events, &Sender::local(name(n))).unwrap();
}

/// Open files of this process, and its memory in KiB.
fn usage() -> (usize, u64) {
    let files = fs::read_dir("/proc/self/fd").unwrap().count();
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    (files, line.split_whitespace().nth(1).unwrap().parse().unwrap())
}

#[test]
fn five_thousand_organisations_cost_a_folder_each_and_nothing_else() {
    let temp = TempDir::new().unwrap();
    let io: Arc<dyn Io> = Arc::new(OsIo::new());
    let settings = Settings::new(temp.path());
    let started = Instant::now();
    let (mut files, mut memory) = (0, 0);
    let product = Indelible::open(io.clone(), settings.clone()).unwrap();
    let watch = |files: &mut usize, memory: &mut u64| {
        let (now_files, now_memory) = usage();
        (*files, *memory) = ((*files).max(now_files), (*memory).max(now_memory));
    };
    // A new ledger is some twenty syncs, one after the other; several senders at once wait less.
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let send = || {
            while let Some(n) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|n| *n < ORGANISATIONS) {
                record(&product, n);
            }
        };
        let senders = [(); SENDERS].map(|()| scope.spawn(send));
        while senders.iter().any(|sender| !sender.is_finished()) {
            product.tend();
            watch(&mut files, &mut memory);
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    product.close().unwrap();
    drop(product);
    let created = started.elapsed();

    let started = Instant::now();
    let product = Indelible::open(io.clone(), settings.clone()).unwrap();
    assert_eq!(product.organisations().len(), ORGANISATIONS + 1, "and the system's");
    let opened = started.elapsed();

    // Everybody once more, in another order, so that ledgers are closed and opened again.
    let started = Instant::now();
    for n in (0..ORGANISATIONS).map(|n| n * 1789 % ORGANISATIONS).step_by(5) {
        let filter = Filter::parse("type:auth.login").unwrap();
        let question = Question { organisation: name(n), filter, consistent: true };
        let page = product.search(&Viewer::command("test"), &question, &Paging::default()).unwrap();
        let ids: Vec<&str> = page.events.iter().filter_map(|e| e.pointer("/actor/id")?.as_str()).collect();
        assert_eq!(ids, [format!("user-{n}-2"), format!("user-{n}-1"), format!("user-{n}-0")]);
        // What was sent before is known, also by a ledger that was closed in between.
        record(&product, n);
        watch(&mut files, &mut memory);
    }
    let read = started.elapsed();
    product.close().unwrap();
    drop(product);

    let started = Instant::now();
    for n in (0..ORGANISATIONS).step_by(ORGANISATIONS / 50) {
        let all = verify_data(&io, &settings, Some(&name(n)), None, &[], &mut |_, _| {}).unwrap();
        assert!(all.iter().all(|c| c.verdict() == Verdict::Verified), "{all:?}");
        assert_eq!(all[0].leaves, EVENTS as u64 + 2, "its genesis, its events and the question");
    }
    let verified = started.elapsed();
    let bytes: u64 = crate::program::files(temp.path()).iter().map(|f| fs::metadata(f).unwrap().len()).sum();
    eprintln!(
        "{ORGANISATIONS} organisations of {EVENTS} events: made in {created:.1?}, started in {opened:.1?}, a fifth of them read and written in {read:.1?}, 50 verified in {verified:.1?}; at most {files} files open, {} MiB of memory, {} KiB on disk each",
        memory >> 10,
        (bytes / ORGANISATIONS as u64) >> 10,
    );
    assert!(files <= FILES_MOST, "{files} files are open");
    assert!(memory <= MEMORY_MOST_KIB, "{memory} KiB of memory");
    assert!(opened.as_secs() < 2, "{opened:?} to start");
}
