//! The large ledger that is recovered, measured, read and verified.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, ensure};
use bench::data::Generator;
use ledger::io::{Io, OsIo};

use crate::append::append;
use crate::disk::{self, Folder, Tender};
use crate::door;
use crate::events::{DataHash, Events};
use crate::figures::per_second;
use crate::meter::{self, Meter};

const BATCH: usize = 1000;

pub(crate) struct Large {
    pub(crate) folder: Folder,
    pub(crate) io: Arc<dyn Io>,
    pub(crate) events: usize,
    pub(crate) json_bytes: u64,
    pub(crate) hash: DataHash,
    /// Largest resident set while it was written at full speed.
    pub(crate) peak_memory: u64,
    /// Events a second while it was written, generator included.
    pub(crate) written: f64,
    generator: Generator,
}

impl Large {
    /// Appends all events at full speed, and stops as a crash would: nothing is signed or sealed at the end.
    pub(crate) fn build(parent: &Path, seed: u64, events: usize) -> Result<Large> {
        let folder = Folder::new(parent, "large")?;
        let io: Arc<dyn Io> = Arc::new(OsIo::new());
        let ledger = disk::create(&io, &folder)?;
        let mut generator = Generator::new(seed);
        let (mut hash, mut json_bytes) = (DataHash::new(), 0);
        meter::reset_peak_memory();
        let meter = Meter::start();
        let tender = Tender::start(&ledger);
        let mut left = events;
        while left > 0 {
            let batch = Events::next(&mut generator, left.min(BATCH));
            hash.add(batch.bytes());
            json_bytes += batch.bytes().len() as u64;
            left -= batch.len();
            while !append(&ledger, batch.iter().map(|json| door::entry(&ledger, json)).collect())? {}
        }
        let written = per_second(events, meter.read().wall);
        let peak_memory = meter::peak_memory();
        tender.stop()?;
        ensure!(ledger.size() == events as u64 + 1, "acknowledged {events}, stored {}", ledger.size() - 1);
        Ok(Large { folder, io, events, json_bytes, hash, peak_memory, written, generator })
    }

    /// Appends to a copy without ever tending, until the ledger sends us away: no crash leaves more to recover.
    pub(crate) fn worst(&mut self, parent: &Path) -> Result<Folder> {
        let folder = Folder::copy(parent, "worst", self.folder.path())?;
        let ledger = disk::open(&self.io, &folder)?;
        // Four million events would not be sent away, and not be worth waiting for.
        for _ in 0..4000 {
            let batch = Events::next(&mut self.generator, BATCH);
            if !append(&ledger, batch.iter().map(|json| door::entry(&ledger, json)).collect())? {
                break;
            }
        }
        Ok(folder)
    }
}
