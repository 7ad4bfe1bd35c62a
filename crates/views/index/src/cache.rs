//! Decrypted blocks in memory, and what was worked out of them, shared by all indexes of the process.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

/// What was read from the disk and decrypted or counted, up to a number of bytes; what was not used for longest goes
/// first.
///
/// One for the process: every [`crate::Index`] is opened with it.
pub struct Cache {
    capacity: usize,
    next_file: AtomicU64,
    inner: Mutex<Inner>,
}

/// Figures of a [`Cache`] since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// Reads answered from memory.
    pub hits: u64,
    /// Reads that went to the disk.
    pub misses: u64,
    /// Bytes held now.
    pub bytes: u64,
}

/// Consecutive blocks of one stream of one file; none of them is what was worked out of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) file: u64,
    pub(crate) stream: u32,
    pub(crate) block: u32,
    pub(crate) count: u32,
}

#[derive(Default)]
struct Inner {
    held: HashMap<Place, (Bytes, u64)>,
    /// By the moment of their last use.
    order: BTreeMap<u64, Place>,
    now: u64,
    stats: CacheStats,
}

impl Cache {
    /// A cache of at most `bytes` bytes. 256 MiB serve a server well.
    pub fn new(bytes: usize) -> Cache {
        Cache { capacity: bytes, next_file: AtomicU64::new(0), inner: Mutex::default() }
    }

    /// How well it does.
    pub fn stats(&self) -> CacheStats {
        self.lock().stats
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        // Nothing in here stops half way.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number for a file, never given out before.
    pub(crate) fn file(&self) -> u64 {
        self.next_file.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn get(&self, place: Place) -> Option<Bytes> {
        let inner = &mut *self.lock();
        inner.now += 1;
        let now = inner.now;
        let Some((bytes, used)) = inner.held.get_mut(&place) else {
            inner.stats.misses += 1;
            return None;
        };
        inner.order.remove(used);
        inner.order.insert(now, place);
        *used = now;
        inner.stats.hits += 1;
        Some(bytes.clone())
    }

    pub(crate) fn put(&self, place: Place, bytes: Bytes) {
        if bytes.len() > self.capacity {
            return;
        }
        let inner = &mut *self.lock();
        inner.now += 1;
        let now = inner.now;
        inner.stats.bytes += bytes.len() as u64;
        inner.order.insert(now, place);
        if let Some((old, used)) = inner.held.insert(place, (bytes, now)) {
            inner.stats.bytes -= old.len() as u64;
            inner.order.remove(&used);
        }
        while inner.stats.bytes > self.capacity as u64
            && let Some((_, oldest)) = inner.order.pop_first()
            && let Some((bytes, _)) = inner.held.remove(&oldest)
        {
            inner.stats.bytes -= bytes.len() as u64;
        }
    }

    /// Drops everything of a file that is gone.
    pub(crate) fn forget(&self, file: u64) {
        let inner = &mut *self.lock();
        let Inner { held, order, stats, .. } = inner;
        held.retain(|place, (bytes, used)| {
            if place.file == file {
                order.remove(used);
                stats.bytes -= bytes.len() as u64;
            }
            place.file != file
        });
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("capacity", &self.capacity).field("stats", &self.stats()).finish()
    }
}
