//! One organisation's index: parts, a manifest that names them, and what was added since.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use event::Value;
use ledger::io::Io;

use crate::batch::Batch;
use crate::cache::Cache;
use crate::error::Error;
use crate::file::FileKey;
use crate::ids::Hashes;
use crate::manifest::{self, Entry, Keys};
use crate::part::{self, Part};

/// A part is merged no further once it has so many documents.
const LARGE: u64 = 1 << 20;
/// No merge makes a larger part.
const LARGEST: u64 = 2 << 20;
/// So many neighbours of a size become one.
const FAN_IN: usize = 8;
/// Parts below this are all of one size.
const SMALL: u64 = 1 << 13;

/// Finds the positions of one organisation's events that fit a filter.
///
/// It follows a ledger: feed it with [`Index::add`] and [`Index::commit`] from [`Index::next`] on. All methods take
/// `&self`: one thread may feed, another merge, and any number ask. It holds nothing that the ledger does not, so that
/// its folder may be removed at any time while it is closed.
pub struct Index {
    pub(crate) io: Arc<dyn Io>,
    dir: PathBuf,
    keys: Keys,
    cache: Arc<Cache>,
    schema: u64,
    rebuilt: bool,
    /// Oldest first. The lock is held only to look and to put in place.
    parts: RwLock<Vec<Arc<Part>>>,
    waiting: Mutex<Waiting>,
    /// Held while the manifest is replaced, and the parts in memory after it.
    manifest: Mutex<()>,
    /// One commit at a time, since parts follow one another.
    committing: Mutex<()>,
    /// One merge or rebuild at a time.
    merging: Mutex<()>,
}

/// Events that are in no part yet.
struct Waiting {
    next: u64,
    batch: Batch,
}

/// Figures of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Events that can be found.
    pub events: u64,
    /// Parts they are in.
    pub parts: usize,
    /// Bytes on the disk.
    pub bytes: u64,
    /// As [`Index::next`].
    pub next: u64,
    /// As [`Index::searchable`].
    pub searchable: u64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panicking thread left half done is in files that the manifest does not name.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Index {
    /// Opens the index in a folder of its own, or begins one. Whatever cannot be read with this key, or was written by
    /// another version, is removed and the index begins anew: see [`Index::rebuilt`]. Only a disk that refuses to create
    /// files is an error.
    pub fn open(io: Arc<dyn Io>, dir: &Path, key: &[u8; 32], cache: Arc<Cache>) -> Result<Index, Error> {
        let (keys, schema) = (Keys::new(key), crate::schema::version());
        io.create_dir(dir)?;
        let names = io.list(dir)?;
        let open = |entry: Entry| Part::open(&*io, dir, entry, cache.clone()).map(Arc::new);
        let parts = manifest::read(&*io, dir, &keys, schema)
            .and_then(|entries| entries.into_iter().map(open).collect::<Result<Vec<_>, _>>().ok());
        let rebuilt = parts.is_none() && !names.is_empty();
        if parts.is_none() {
            manifest::write(&*io, dir, &keys, schema, &[])?;
        }
        let parts = parts.unwrap_or_default();
        // What a crash left behind, or what was there before.
        let known: Vec<String> = parts.iter().map(|part| part.entry.file.name()).collect();
        for name in names.iter().filter(|name| *name != manifest::NAME && !known.contains(name)) {
            // A folder or whatever else cannot be removed is not ours and does no harm.
            let _ = io.remove(&dir.join(name));
        }
        let next = parts.last().map_or(0, |part| part.entry.to);
        let batch = Batch::new(Hashes(keys.hash));
        Ok(Index {
            io,
            dir: dir.to_owned(),
            keys,
            cache,
            schema,
            rebuilt,
            parts: RwLock::new(parts),
            waiting: Mutex::new(Waiting { next, batch }),
            manifest: Mutex::new(()),
            committing: Mutex::new(()),
            merging: Mutex::new(()),
        })
    }

    /// Whether there was something that could not be used, so that the index began anew.
    pub fn rebuilt(&self) -> bool {
        self.rebuilt
    }

    /// The first position that was not added yet.
    pub fn next(&self) -> u64 {
        lock(&self.waiting).next
    }

    /// Events below this position can be found, also after a crash.
    pub fn searchable(&self) -> u64 {
        self.parts().last().map_or(0, |part| part.entry.to)
    }

    /// How many events were added that cannot be found yet. They are held in memory, some kilobytes each.
    pub fn waiting(&self) -> usize {
        lock(&self.waiting).batch.count
    }

    pub(crate) fn parts(&self) -> Vec<Arc<Part>> {
        self.parts.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn hashes(&self) -> Hashes {
        Hashes(self.keys.hash)
    }

    /// Adds events at consecutive positions from [`Index::next`] on, each as `event::assemble` gives it.
    /// They can be found after [`Index::commit`].
    pub fn add(&self, events: &[(u64, Value<'_>)]) -> Result<(), Error> {
        let expected = self.next();
        for ((position, _), expected) in events.iter().zip(expected..) {
            if *position != expected {
                return Err(Error::OutOfOrder { expected, got: *position });
            }
        }
        let mut waiting = lock(&self.waiting);
        if waiting.next != expected {
            return Err(Error::OutOfOrder { expected: waiting.next, got: expected });
        }
        for (position, event) in events {
            let at = waiting.batch.count as u32;
            waiting.batch.add(*position, at, event);
        }
        waiting.next += events.len() as u64;
        Ok(())
    }

    /// Makes everything added so far durable and searchable, at once: after a crash the index goes on from what was last
    /// committed. Events may be added meanwhile. Returns [`Index::searchable`].
    ///
    /// If it fails, what was to be committed is dropped, and [`Index::next`] is again where the committed ones end.
    pub fn commit(&self) -> Result<u64, Error> {
        let _one = lock(&self.committing);
        let from = self.searchable();
        let batch = {
            let batch = &mut lock(&self.waiting).batch;
            let next = batch.next();
            std::mem::replace(batch, next)
        };
        if batch.count == 0 {
            return Ok(from);
        }
        let to = from + batch.count as u64;
        let done = part::build(&*self.io, &self.dir, (from, to), batch).and_then(|entry| {
            let part = Part::open(&*self.io, &self.dir, entry, self.cache.clone())?;
            self.install(&[], Some(Arc::new(part)))
        });
        if let Err(e) = done {
            *lock(&self.waiting) = Waiting { next: self.searchable(), batch: Batch::new(self.hashes()) };
            return Err(e);
        }
        Ok(self.searchable())
    }

    /// Puts a part in place of neighbours, on the disk and then in memory; the files of those are removed.
    fn install(&self, old: &[Arc<Part>], new: Option<Arc<Part>>) -> Result<(), Error> {
        let _one = lock(&self.manifest);
        let mut parts = self.parts();
        parts.retain(|part| !old.iter().any(|gone| Arc::ptr_eq(gone, part)));
        if let Some(new) = new {
            let at = parts.partition_point(|part| part.entry.from < new.entry.from);
            parts.insert(at, new);
        }
        let entries: Vec<Entry> = parts.iter().map(|part| part.entry.clone()).collect();
        manifest::write(&*self.io, &self.dir, &self.keys, self.schema, &entries)?;
        *self.parts.write().unwrap_or_else(PoisonError::into_inner) = parts;
        for part in old {
            self.remove(&part.entry.file);
        }
        Ok(())
    }

    /// Removes a file that the manifest does not name. What stays behind is removed when the index is opened.
    fn remove(&self, file: &FileKey) {
        if let Err(e) = self.io.remove(&self.dir.join(file.name())) {
            tracing::warn!(file = file.name(), error = %e, "a file of the index stays until it is opened again");
        }
    }

    /// Merges some neighbouring parts into one, if there are enough of about a size; `false` if there is nothing to do.
    /// It takes seconds at most, on the thread that calls it, and hinders neither feeding nor asking.
    pub fn merge_some(&self) -> Result<bool, Error> {
        let _one = lock(&self.merging);
        let parts = self.parts();
        let sizes: Vec<u64> = parts.iter().map(|part| part.entry.to - part.entry.from).collect();
        let Some(range) = to_merge(&sizes) else { return Ok(false) };
        let old = &parts[range];
        let entry = part::merge(&*self.io, &self.dir, old)?;
        let new = Part::open(&*self.io, &self.dir, entry, self.cache.clone())?;
        self.install(old, Some(Arc::new(new)))?;
        Ok(true)
    }

    /// Replaces the documents at some positions by those of the events as they are now, after parts of them were erased.
    /// Positions are ascending and below [`Index::next`]. When it returns, no file that can be read holds a term of the
    /// old ones that no other event has. Parts are replaced one after the other: if it fails or the process ends before
    /// that, call it again.
    pub fn rebuild_range(&self, events: &[(u64, Value<'_>)]) -> Result<(), Error> {
        self.commit()?;
        let _one = lock(&self.merging);
        let hashes = self.hashes();
        for old in self.parts() {
            let within = (old.entry.from, old.entry.to);
            let mine: Vec<_> = events.iter().filter(|(p, _)| (within.0..within.1).contains(p)).collect();
            if mine.is_empty() {
                continue;
            }
            let mut batch = Batch::new(hashes);
            let mut positions = HashSet::new();
            for (position, event) in mine {
                let at = (position - within.0) as u32;
                batch.add(*position, at, event);
                positions.insert(at);
            }
            let fresh = part::build(&*self.io, &self.dir, within, batch)?;
            let fresh = Part::open(&*self.io, &self.dir, fresh, self.cache.clone())?;
            let entry = part::replace(&*self.io, &self.dir, &old, &fresh, &positions)?;
            self.remove(&fresh.entry.file);
            let new = Part::open(&*self.io, &self.dir, entry, self.cache.clone())?;
            self.install(&[old], Some(Arc::new(new)))?;
        }
        Ok(())
    }

    /// How much there is.
    pub fn stats(&self) -> Stats {
        let parts = self.parts();
        let searchable = parts.last().map_or(0, |part| part.entry.to);
        Stats {
            events: searchable,
            parts: parts.len(),
            bytes: parts.iter().map(|part| part.reader.bytes()).sum(),
            next: self.next(),
            searchable,
        }
    }
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

/// Which neighbours to merge, sizes given oldest first: [`FAN_IN`] or more of one size class, the newest such.
fn to_merge(sizes: &[u64]) -> Option<std::ops::Range<usize>> {
    // Classes by powers of the fan-in.
    let class = |size: u64| (size / SMALL).checked_ilog2().map_or(0, |log| 1 + log / FAN_IN.ilog2());
    let mut to = sizes.len();
    while to > 0 {
        if sizes[to - 1] >= LARGE {
            to -= 1;
            continue;
        }
        // Smaller ones in between go along, so that neighbours stay neighbours.
        let highest = class(sizes[to - 1]);
        let mut from = to - 1;
        let mut sum = sizes[from];
        while from > 0 && class(sizes[from - 1]) <= highest && sum + sizes[from - 1] <= LARGEST {
            from -= 1;
            sum += sizes[from];
        }
        // What would be just short of large waits for the few that it lacks, or all of it would soon be merged again.
        let many = if sum >= LARGE / 2 { 2 * FAN_IN } else { FAN_IN };
        if to - from >= many || (to - from > 1 && sum >= LARGE) {
            return Some(from..to);
        }
        to = from;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_parts_remain_and_an_event_is_merged_few_times() {
        let (mut sizes, mut written, batch) = (Vec::new(), 0, 10_000);
        for added in 1..=1000 {
            sizes.push(batch);
            while let Some(range) = to_merge(&sizes) {
                let sum: u64 = sizes[range.clone()].iter().sum();
                assert!(range.len() > 1 && sum <= LARGEST);
                written += sum;
                sizes.splice(range, [sum]);
            }
            assert!(sizes.len() <= 20 + added / 100, "{sizes:?}");
        }
        assert_eq!(sizes.iter().sum::<u64>(), 10_000_000);
        assert!(sizes.len() <= 24, "{sizes:?}");
        assert!(written <= 20_000_000, "{written}");
    }
}
