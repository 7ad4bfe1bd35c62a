//! Whatever call on the disk is the last one before a crash, the index goes on from what was committed: no document is
//! missing, none is there twice.
#![allow(clippy::disallowed_methods)]

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use event::Value;
use index::{Budget, Cache, Count, Index, Order, Question, Scope};
use ledger::io::{File, Io, Lock, Open, OsIo};
use query::Filter;

/// A machine that stops at the n-th call that changes something: that one is done by half, later ones not at all.
struct Failing {
    inner: OsIo,
    left: Arc<AtomicU64>,
}

fn stopped() -> io::Error {
    io::Error::other("the machine stopped")
}

/// How many bytes of `len` may still be written.
fn step(left: &AtomicU64, len: usize) -> usize {
    match left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)) {
        Ok(1) => len / 2,
        Ok(_) => len,
        Err(_) => 0,
    }
}

fn alive(left: &AtomicU64) -> io::Result<()> {
    if step(left, 2) == 2 { Ok(()) } else { Err(stopped()) }
}

struct FailingFile(Box<dyn File>, Arc<AtomicU64>);

impl File for FailingFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buf, offset)
    }
    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        let some = step(&self.1, buf.len());
        self.0.write_at(&buf[..some], offset)?;
        if some < buf.len() { Err(stopped()) } else { Ok(()) }
    }
    fn sync(&self) -> io::Result<()> {
        alive(&self.1)?;
        self.0.sync()
    }
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        alive(&self.1)?;
        self.0.set_len(len)
    }
}

impl Io for Failing {
    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn File>> {
        if how == Open::Create {
            alive(&self.left)?;
        }
        Ok(Box::new(FailingFile(self.inner.open(path, how)?, self.left.clone())))
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.inner.list(dir)
    }
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.inner.create_dir(dir)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        alive(&self.left)?;
        self.inner.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        alive(&self.left)?;
        self.inner.remove(path)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        alive(&self.left)?;
        self.inner.sync_dir(dir)
    }
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        self.inner.lock(path)
    }
    fn wall_ms(&self) -> u64 {
        0
    }
    fn monotonic_ms(&self) -> u64 {
        0
    }
    fn random(&self, out: &mut [u8]) {
        self.inner.random(out);
    }
    fn pause(&self, _: u64) {}
}

fn event(position: u64, generation: u64) -> (u64, Value<'static>) {
    let members = [
        ("id", Value::from(format!("019a0000-0000-7000-8000-{position:012x}"))),
        ("position", Value::integer(position as i64).unwrap()),
        ("type", Value::from(if position.is_multiple_of(3) { "auth.login" } else { "llm.completion" })),
        ("message", Value::from(format!("number{position} generation{generation}"))),
        ("time", Value::from(event::time::format_ns(1_767_600_000_000_000_000 + position as i64))),
    ];
    (position, Value::object(members).unwrap())
}

fn open(io: Arc<dyn Io>, dir: &Path) -> Result<Index, index::Error> {
    Index::open(io, dir, &[3; 32], Arc::new(Cache::new(1 << 20)))
}

fn found(index: &Index, text: &str) -> Vec<u64> {
    let filter = Filter::parse(text).unwrap();
    let scope = Scope { expr: filter.expr(), budget: Budget::default() };
    let question = Question { scope, order: Order::Newest, after: None, limit: 10_000, count: Count::Exact };
    let answer = index.search(&question, &|_| Err::<Value<'static>, _>("nothing is in doubt")).unwrap();
    assert_eq!(answer.total.unwrap().value, answer.positions.len() as u64);
    answer.positions
}

/// All that is committed is found once, by term, by word, by id.
fn check(index: &Index) {
    let end = index.searchable();
    assert_eq!(index.next(), end);
    assert_eq!(found(index, ""), (0..end).rev().collect::<Vec<_>>());
    assert_eq!(found(index, "type:auth.login"), (0..end).filter(|p| p % 3 == 0).rev().collect::<Vec<_>>());
    for position in (0..end).step_by(11) {
        assert_eq!(found(index, &format!("number{position}")), [position]);
        assert_eq!(found(index, &format!("id:019a0000-0000-7000-8000-{position:012x}")), [position]);
    }
    let mut both = found(index, "generation0");
    both.extend(found(index, "generation1"));
    both.sort_unstable();
    assert_eq!(both, (0..end).collect::<Vec<_>>(), "each document is there in one form");
}

const BATCHES: u64 = 9;
const BATCH: u64 = 8;

/// What was fed before the life that ends early: one batch short of a merge or two.
fn before(dir: &Path) {
    let index = open(Arc::new(OsIo::new()), dir).unwrap();
    for batch in 0..BATCHES - 2 {
        let events: Vec<_> =
            (batch * BATCH..(batch + 1) * BATCH).map(|position| event(position, 0)).collect();
        index.add(&events).unwrap();
        index.commit().unwrap();
    }
}

/// Feeds two batches, merges, and rebuilds some of it; says what was committed when it failed.
fn live(index: &Index, committed: &mut u64, rebuilt: &mut bool) -> Result<(), index::Error> {
    *committed = index.searchable();
    for _ in 0..2 {
        let from = index.next();
        index.add(&(from..from + BATCH).map(|position| event(position, 0)).collect::<Vec<_>>())?;
        *committed = index.commit()?;
        while index.merge_some()? {}
    }
    index.rebuild_range(&(10..20).map(|position| event(position, 1)).collect::<Vec<_>>())?;
    *rebuilt = true;
    Ok(())
}

#[test]
fn a_crash_at_any_call_loses_nothing_that_was_committed() {
    let start = tempfile::tempdir().unwrap();
    before(start.path());
    let mut calls = 0;
    for stop_after in 1.. {
        let dir = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(start.path()).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
        }
        let left = Arc::new(AtomicU64::new(stop_after));
        let (mut committed, mut rebuilt) = (0, false);
        let failing = Arc::new(Failing { inner: OsIo::new(), left: left.clone() });
        let outcome = open(failing, dir.path()).and_then(|index| live(&index, &mut committed, &mut rebuilt));
        let done = outcome.is_ok() && left.load(Ordering::SeqCst) > 0;

        let index = open(Arc::new(OsIo::new()), dir.path()).unwrap();
        assert!(!index.rebuilt(), "stopped after {stop_after}: begins anew");
        assert!(index.searchable() >= committed, "stopped after {stop_after}: {committed} were committed");
        check(&index);
        if rebuilt {
            assert_eq!(found(&index, "generation1"), (10..20).rev().collect::<Vec<_>>());
        }
        // It goes on from there.
        let from = index.next();
        index.add(&[event(from, 0), event(from + 1, 0)]).unwrap();
        index.commit().unwrap();
        check(&index);
        let files = std::fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(files, index.stats().parts + 1, "nothing is left behind");
        if done {
            break;
        }
        calls = stop_after;
    }
    assert!(calls > 100, "only {calls} calls were made to fail");
}

#[test]
fn what_cannot_be_used_is_begun_anew() {
    let dir = tempfile::tempdir().unwrap();
    let fill = || {
        let index = open(Arc::new(OsIo::new()), dir.path()).unwrap();
        let from = index.next();
        index.add(&(from..200).map(|position| event(position, 0)).collect::<Vec<_>>()).unwrap();
        index.commit().unwrap();
        assert_eq!(found(&index, "").len(), 200);
    };
    fill();
    let other =
        Index::open(Arc::new(OsIo::new()), dir.path(), &[4; 32], Arc::new(Cache::new(1 << 20))).unwrap();
    assert!(other.rebuilt() && other.next() == 0, "another key");
    drop(other);

    // A changed byte anywhere is seen when the file is opened, or when the block is read; never is an answer wrong.
    for file in 0..2 {
        for at in 0..40 {
            std::fs::remove_dir_all(dir.path()).unwrap();
            fill();
            let mut names: Vec<_> =
                std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().path()).collect();
            names.sort();
            let mut bytes = std::fs::read(&names[file]).unwrap();
            let place = bytes.len() * at / 40;
            bytes[place] ^= 1;
            std::fs::write(&names[file], bytes).unwrap();
            let index = open(Arc::new(OsIo::new()), dir.path()).unwrap();
            if index.rebuilt() {
                assert_eq!(index.next(), 0);
                continue;
            }
            let filter = Filter::parse("number77 type:llm.completion time>=2020-01-01").unwrap();
            let scope = Scope { expr: filter.expr(), budget: Budget::default() };
            let question = Question { scope, order: Order::Newest, after: None, limit: 10, count: Count::No };
            match index.search(&question, &|_| Err::<Value<'static>, _>(())) {
                Ok(answer) => assert_eq!(answer.positions, [77]),
                Err(e) => assert!(matches!(e, index::Failed::Index(index::Error::Damaged(_))), "{e}"),
            }
        }
    }
}
