//! What the machine itself takes for the same bytes: nothing that is durable and provable can be quicker.

use std::fs::{File, OpenOptions};
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::disk::Folder;
use crate::door;
use crate::events::Events;
use crate::figures::{Figures, micros_each, two, whole};
use crate::meter::Meter;
use crate::table::Table;

const BLOCK: usize = 128 << 10;
const JOURNAL: usize = 64 << 20;

/// Bytes per sync, and how often it is done in a round.
fn sync_sizes(event: usize) -> [(String, usize, usize); 4] {
    [
        ("1 event, a block of 4 KiB".into(), 4096, 200),
        ("100 events".into(), 100 * event, 100),
        (format!("{} events", whole(1000.0)), 1000 * event, 40),
        (format!("{} events", whole(10_000.0)), 10_000 * event, 8),
    ]
}

/// Figures over all rounds.
pub(crate) struct Floors {
    event: usize,
    /// What, and CPU µs an event.
    cpu: Vec<(String, Figures)>,
    /// Per size: ms into written blocks, ms into a growing file.
    syncs: Vec<(Figures, Figures)>,
}

impl Floors {
    pub(crate) fn new(events: &Events) -> Floors {
        let event = events.bytes().len() / events.len();
        Floors { event, cpu: Vec::new(), syncs: vec![Default::default(); 4] }
    }

    /// One round; a warm-up is measured and forgotten.
    pub(crate) fn round(&mut self, parent: &Path, events: &Events, warm_up: bool) -> Result<()> {
        let count = events.len().min(100_000);
        let bodies = bodies(events, count);
        let mut measure = |what: &str, work: &mut dyn FnMut()| {
            let meter = Meter::start();
            // Long enough for a clock that ticks a hundred times a second.
            let mut times = 0;
            while times < 3 || meter.read().wall < Duration::from_millis(300) {
                work();
                times += 1;
            }
            if !warm_up {
                let figure = micros_each(meter.read().cpu, times * count);
                match self.cpu.iter_mut().find(|(own, _)| own == what) {
                    Some((_, figures)) => figures.push(figure),
                    None => self.cpu.push((what.into(), [figure].into_iter().collect())),
                }
            }
        };
        let json = &events.bytes()[..(0..count).map(|n| events.get(n).len()).sum()];
        let mut copy = vec![0; json.len()];
        measure("memcpy of the JSON", &mut || copy.copy_from_slice(black_box(json)));
        measure("SHA-256 of the JSON, an event at a time", &mut || {
            for number in 0..count {
                black_box(proof::leaf_hash(events.get(number)));
            }
        });
        measure("the hashes a leaf needs: its sections, itself, a node", &mut || {
            for parts in &bodies {
                hash_event(parts);
            }
        });
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).expect("32 bytes are a key"));
        measure("AES-256-GCM of the JSON, 1 MiB at a time", &mut || {
            for chunk in copy.chunks_mut(1 << 20) {
                let nonce = Nonce::assume_unique_for_key([1; NONCE_LEN]);
                let tag = key.seal_in_place_separate_tag(nonce, Aad::empty(), chunk);
                black_box(tag.is_ok());
            }
        });
        let rows: Vec<u8> = bodies.iter().flatten().flat_map(|(_, body)| body).copied().collect();
        let mut press = zstd::bulk::Compressor::new(1)?;
        let mut packed = 0;
        measure("zstd-1 of the bodies, row by row in 128 KiB blocks", &mut || {
            packed = rows.chunks(BLOCK).map(|block| press.compress(block).map_or(0, |out| out.len())).sum();
        });
        measure("the door: parse, canonical bytes, sections", &mut || {
            for number in 0..count {
                let event = door::parse(events.get(number));
                black_box((event.submitted(), event.sections()));
            }
        });
        measure("  of which parsing", &mut || {
            for number in 0..count {
                black_box(door::parse(events.get(number)));
            }
        });
        black_box(packed);
        self.sync_round(parent, warm_up)
    }

    fn sync_round(&mut self, parent: &Path, warm_up: bool) -> Result<()> {
        let folder = Folder::new(parent, "floor")?;
        let create = |name: &str| -> Result<File> {
            Ok(OpenOptions::new().write(true).create(true).truncate(true).open(folder.path().join(name))?)
        };
        let bytes: Vec<u8> = (0..JOURNAL).map(|n| ((n * 31) >> 3) as u8).collect();
        let written = create("written")?;
        written.write_all_at(&vec![0; JOURNAL], 0)?;
        written.sync_data()?;
        let growing = create("growing")?;
        let mut end = 0;
        for ((_, size, times), figures) in sync_sizes(self.event).iter().zip(&mut self.syncs) {
            let aligned = size.next_multiple_of(4096);
            let mut at = 0;
            // A and B take turns, so that a noisy minute hits both.
            for _ in 0..*times {
                if at + aligned > JOURNAL {
                    at = 0;
                }
                let into_written = sync_once(&written, &bytes[..*size], at as u64)?;
                let into_growing = sync_once(&growing, &bytes[..*size], end)?;
                at += aligned;
                end += *size as u64;
                if !warm_up {
                    figures.0.push(into_written);
                    figures.1.push(into_growing);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn tables(&self) -> Vec<Table> {
        let mut cpu = Table::new(
            "Floors: processor",
            "One thread, the same events, measured in turn with the runs above. \
             The last two rows are no floors but the part of our own cost that is not the ledger's.",
            &["what", "CPU µs/event"],
        );
        for (what, figures) in &self.cpu {
            cpu.row([what.clone(), figures.spread(two)]);
        }
        let mut disk = Table::new(
            "Floors: disk",
            "A write and `fdatasync`, into blocks that were written before (as our journals are) and at the end of a \
             growing file, taking turns. Milliseconds, median (99th percentile).",
            &["bytes", "written blocks, ms", "growing file, ms", "events/s that written blocks permit"],
        );
        for ((what, size, _), (written, growing)) in sync_sizes(self.event).iter().zip(&self.syncs) {
            let both = |f: &Figures| format!("{} ({})", two(f.median()), two(f.quantile(0.99)));
            // The least that can be synced is a block, also for a single event.
            let events = if *size == 4096 { 1.0 } else { (*size / self.event) as f64 };
            disk.row([what.clone(), both(written), both(growing), whole(events * 1e3 / written.median())]);
        }
        vec![cpu, disk]
    }
}

/// Milliseconds of writing and syncing so many bytes into blocks that were written before.
pub(crate) fn commit(parent: &Path, bytes: usize) -> Result<Figures> {
    const TIMES: usize = 60;
    let folder = Folder::new(parent, "commit")?;
    let file = File::create(folder.path().join("written"))?;
    let step = bytes.next_multiple_of(4096);
    file.write_all_at(&vec![0; TIMES * step], 0)?;
    file.sync_data()?;
    let bytes: Vec<u8> = (0..bytes).map(|n| ((n * 31) >> 3) as u8).collect();
    (0..TIMES).map(|time| sync_once(&file, &bytes, (time * step) as u64)).collect()
}

/// Milliseconds of one write and sync.
fn sync_once(file: &File, bytes: &[u8], at: u64) -> Result<f64> {
    let started = Instant::now();
    file.write_all_at(bytes, at)?;
    file.sync_data()?;
    Ok(started.elapsed().as_secs_f64() * 1e3)
}

pub(crate) type Sections = Vec<(&'static str, Vec<u8>)>;

pub(crate) fn bodies(events: &Events, count: usize) -> Vec<Sections> {
    (0..count).map(|number| door::parse(events.get(number)).sections()).collect()
}

/// The calls of SHA-256 that no implementation of our format can do without.
pub(crate) fn hash_event(sections: &Sections) {
    // Core, then a name of a few bytes and a hash for each section.
    let mut leaf = [0u8; 400];
    let mut len = 100;
    for (name, body) in sections {
        let commitment = proof::commitment(&[7; 16], name, body);
        leaf[len..len + 32].copy_from_slice(commitment.as_bytes());
        len += 1 + name.len() + 32;
    }
    let hash = proof::leaf_hash(&leaf[..len]);
    black_box(proof::node_hash(&hash, &hash));
}
