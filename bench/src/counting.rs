//! The real machine, counting what the ledger asks of it.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ledger::io::{File, Io, Lock, Open, OsIo};

/// What was asked for since the machine was made.
#[derive(Default)]
pub(crate) struct Counts {
    /// Syncs of frames in a journal: what an acknowledgement waits for.
    commits: AtomicU64,
    commit_nanos: AtomicU64,
    /// Syncs of everything else: new journals, segments, tiles, runs, heads, folders.
    others: AtomicU64,
    /// Filling new journals with zeros, sync included.
    fill_nanos: AtomicU64,
    written: AtomicU64,
}

#[derive(Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) commits: u64,
    pub(crate) committing: Duration,
    pub(crate) other_syncs: u64,
    pub(crate) filling: Duration,
    pub(crate) written: u64,
}

impl Counts {
    pub(crate) fn read(&self) -> Counted {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counted {
            commits: get(&self.commits),
            committing: Duration::from_nanos(get(&self.commit_nanos)),
            other_syncs: get(&self.others),
            filling: Duration::from_nanos(get(&self.fill_nanos)),
            written: get(&self.written),
        }
    }
}

pub(crate) struct Counting {
    machine: OsIo,
    counts: Arc<Counts>,
}

impl Counting {
    pub(crate) fn machine() -> (Arc<dyn Io>, Arc<Counts>) {
        let counts = Arc::new(Counts::default());
        (Arc::new(Counting { machine: OsIo::new(), counts: counts.clone() }), counts)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    NewJournal,
    Other,
}

struct CountedFile {
    file: Box<dyn File>,
    kind: Kind,
    counts: Arc<Counts>,
    /// A new journal is a journal after its first sync.
    filled: AtomicU64,
}

impl Io for Counting {
    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn File>> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let journal = name.starts_with("journal-") && how != Open::Read;
        let kind = if journal { Kind::NewJournal } else { Kind::Other };
        let filled = AtomicU64::new(u64::from(how != Open::Create));
        let file = self.machine.open(path, how)?;
        Ok(Box::new(CountedFile { file, kind, counts: self.counts.clone(), filled }))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.machine.list(dir)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.machine.create_dir(dir)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.machine.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.machine.remove(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.counts.others.fetch_add(1, Ordering::Relaxed);
        self.machine.sync_dir(dir)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        self.machine.lock(path)
    }

    fn wall_ms(&self) -> u64 {
        self.machine.wall_ms()
    }

    fn monotonic_ms(&self) -> u64 {
        self.machine.monotonic_ms()
    }

    fn random(&self, out: &mut [u8]) {
        self.machine.random(out);
    }

    fn pause(&self, ms: u64) {
        self.machine.pause(ms);
    }
}

impl File for CountedFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buf, offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.counts.written.fetch_add(buf.len() as u64, Ordering::Relaxed);
        let started = Instant::now();
        let done = self.file.write_at(buf, offset);
        if self.kind == Kind::NewJournal && self.filled.load(Ordering::Relaxed) == 0 {
            add(&self.counts.fill_nanos, started);
        }
        done
    }

    fn sync(&self) -> io::Result<()> {
        let started = Instant::now();
        let done = self.file.sync();
        if self.kind != Kind::NewJournal {
            self.counts.others.fetch_add(1, Ordering::Relaxed);
        } else if self.filled.swap(1, Ordering::Relaxed) == 0 {
            self.counts.others.fetch_add(1, Ordering::Relaxed);
            add(&self.counts.fill_nanos, started);
        } else {
            self.counts.commits.fetch_add(1, Ordering::Relaxed);
            add(&self.counts.commit_nanos, started);
        }
        done
    }

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }
}

fn add(nanos: &AtomicU64, started: Instant) {
    nanos.fetch_add(started.elapsed().as_nanos() as u64, Ordering::Relaxed);
}
