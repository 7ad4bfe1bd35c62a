//! One file as a disk and its cache hold it.
//!
//! What the model takes for granted, and the ledger with it: a sector of 512 bytes is written whole
//! or not at all. Everything else is allowed. Sectors that were not synced reach the disk in any
//! order or never, a file's length apart from its contents, and after a failed sync the cache shows
//! what the disk does not have, and no later sync will write it (Rebello et al., 2020).

use std::collections::BTreeSet;

use crate::chance::Chance;

/// The unit that is written whole or not at all.
pub const SECTOR: usize = 512;

/// How much of what was not synced survives when the power goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survival {
    All,
    Nothing,
    /// One sector in two, each by itself.
    Half,
    /// Most sectors, so that only a few are torn out.
    Most,
}

impl Survival {
    pub fn any(chance: &mut Chance) -> Survival {
        match chance.below(5) {
            0 => Survival::All,
            1 => Survival::Nothing,
            2 => Survival::Most,
            _ => Survival::Half,
        }
    }

    pub fn keeps(self, chance: &mut Chance) -> bool {
        match self {
            Survival::All => true,
            Survival::Nothing => false,
            Survival::Half => chance.one_in(2),
            Survival::Most => !chance.one_in(16),
        }
    }
}

/// Contents of a file: what readers see, and what would be left without power.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    cache: Vec<u8>,
    durable: Vec<u8>,
    /// Sectors that a sync will write.
    dirty: BTreeSet<usize>,
    /// Sectors that a failed sync gave up: seen by readers, not on the disk, not dirty.
    lost: BTreeSet<usize>,
}

impl Contents {
    pub fn durable(bytes: Vec<u8>) -> Contents {
        Contents { cache: bytes.clone(), durable: bytes, ..Contents::default() }
    }

    pub fn len(&self) -> usize {
        self.cache.len()
    }

    pub fn is_empty(&self) -> bool {
        self.cache.is_empty()
    }

    pub fn bytes(&self) -> &[u8] {
        &self.cache
    }

    pub fn read(&self, out: &mut [u8], offset: usize) -> usize {
        let Some(from) = self.cache.get(offset..) else { return 0 };
        let n = from.len().min(out.len());
        out[..n].copy_from_slice(&from[..n]);
        n
    }

    pub fn write(&mut self, bytes: &[u8], offset: usize) {
        if bytes.is_empty() {
            return;
        }
        let end = offset + bytes.len();
        if end > self.cache.len() {
            self.cache.resize(end, 0);
        }
        self.cache[offset..end].copy_from_slice(bytes);
        for sector in offset / SECTOR..=(end - 1) / SECTOR {
            self.dirty.insert(sector);
            self.lost.remove(&sector);
        }
    }

    pub fn set_len(&mut self, len: usize) {
        self.cache.resize(len, 0);
        let sectors = len.div_ceil(SECTOR);
        self.dirty.retain(|s| *s < sectors);
        self.lost.retain(|s| *s < sectors);
        if !len.is_multiple_of(SECTOR) {
            self.dirty.insert(len / SECTOR);
        }
    }

    pub fn sync(&mut self) {
        self.durable.resize(self.cache.len(), 0);
        for sector in std::mem::take(&mut self.dirty) {
            self.settle(sector);
        }
    }

    /// A sync that failed: what was dirty is so no more, and some of it went to the disk.
    pub fn fail_sync(&mut self, survival: Survival, chance: &mut Chance) {
        for sector in std::mem::take(&mut self.dirty) {
            if survival.keeps(chance) && sector * SECTOR < self.durable.len() {
                self.settle(sector);
            } else {
                self.lost.insert(sector);
            }
        }
    }

    fn settle(&mut self, sector: usize) {
        let from = sector * SECTOR;
        let end = (from + SECTOR).min(self.durable.len()).min(self.cache.len());
        if from < end {
            self.durable[from..end].copy_from_slice(&self.cache[from..end]);
        }
    }

    /// The system may drop what it does not mean to write: then readers see the disk again.
    pub fn evict(&mut self, chance: &mut Chance) {
        for sector in std::mem::take(&mut self.lost) {
            if chance.one_in(2) {
                self.lost.insert(sector);
                continue;
            }
            let from = sector * SECTOR;
            let end = (from + SECTOR).min(self.cache.len());
            for at in from..end {
                self.cache[at] = self.durable.get(at).copied().unwrap_or(0);
            }
        }
    }

    /// The power goes and comes back.
    pub fn lose_power(&mut self, survival: Survival, chance: &mut Chance) {
        if self.cache.len() != self.durable.len() && survival.keeps(chance) {
            self.durable.resize(self.cache.len(), 0);
        }
        for sector in std::mem::take(&mut self.dirty) {
            if survival.keeps(chance) {
                self.settle(sector);
            }
        }
        self.lost.clear();
        self.cache.clone_from(&self.durable);
    }

    /// Flips one bit, in the cache and on the disk.
    pub fn rot(&mut self, offset: usize, bit: u8) {
        for bytes in [&mut self.cache, &mut self.durable] {
            if let Some(byte) = bytes.get_mut(offset) {
                *byte ^= 1 << bit;
            }
        }
    }
}
