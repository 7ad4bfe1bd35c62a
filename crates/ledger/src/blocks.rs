//! Blocks that were read, decrypted and unpacked, in memory.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::record::{Batch, Row};

/// Blocks of all ledgers that share it, up to a number of bytes; what was not used for longest goes first.
///
/// What somebody looks at is mostly looked at again: the next page, the same question a little later, the proof of a row.
pub struct Blocks {
    capacity: usize,
    next: AtomicU64,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// By the ledger's number and the first position, with the moment of the last use.
    blocks: BTreeMap<(u64, u64), (Arc<Batch>, u64)>,
    /// By the moment of their last use.
    order: BTreeMap<u64, (u64, u64)>,
    now: u64,
    bytes: usize,
}

impl Blocks {
    /// Room for so many bytes.
    pub fn new(bytes: usize) -> Blocks {
        Blocks { capacity: bytes, next: AtomicU64::new(0), held: Mutex::default() }
    }

    /// A number for a ledger, never given out before. What is held under an older one is not found again.
    pub(crate) fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Nothing in here stops half way.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The block of a ledger in which a position lies.
    pub(crate) fn get(&self, ledger: u64, position: u64) -> Option<Arc<Batch>> {
        let held = &mut *self.held();
        let (at, (batch, used)) = held.blocks.range_mut(..=(ledger, position)).next_back()?;
        if at.0 != ledger || position >= batch.first + batch.rows.len() as u64 {
            return None;
        }
        held.now += 1;
        held.order.remove(used);
        held.order.insert(held.now, *at);
        *used = held.now;
        Some(batch.clone())
    }

    pub(crate) fn put(&self, ledger: u64, batch: Arc<Batch>) {
        let held = &mut *self.held();
        let at = (ledger, batch.first);
        held.now += 1;
        held.bytes += bytes_of(&batch);
        held.order.insert(held.now, at);
        if let Some((old, used)) = held.blocks.insert(at, (batch, held.now)) {
            held.bytes -= bytes_of(&old);
            held.order.remove(&used);
        }
        while held.bytes > self.capacity
            && let Some((_, oldest)) = held.order.pop_first()
            && let Some((batch, _)) = held.blocks.remove(&oldest)
        {
            held.bytes -= bytes_of(&batch);
        }
    }
}

fn bytes_of(batch: &Batch) -> usize {
    batch.bytes.capacity() + batch.rows.capacity() * size_of::<Row>()
}

impl fmt::Debug for Blocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocks").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}
