//! Opening a ledger that nobody closed.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::disk::{self, Folder};
use crate::figures::{Figures, three, two, whole};
use crate::large::Large;
use crate::meter::Meter;
use crate::table::Table;

const TIMES: usize = 3;

struct Opening {
    wall: Figures,
    cpu: Figures,
    size: u64,
    unsealed: u64,
    unsigned: u64,
}

/// Must come before the large ledger is sealed.
pub(crate) fn table(parent: &Path, large: &mut Large) -> Result<Table> {
    let mut table = Table::new(
        "Recovery",
        "Seconds from `Ledger::open` to a ledger that takes events, of a folder whose writer vanished. \
         Whatever is not sealed is read, decrypted and hashed again, and put under a signed head; the page cache is warm.\n\
         *Worst* is a ledger to which was appended without sealing anything until it refused to take more.",
        &["state", "events", "of these not sealed", "not signed", "seconds", "CPU seconds"],
    );
    let crashed = open(parent, large, large.folder.path())?;
    row(&mut table, "crashed under full load", &crashed);
    let worst = large.worst(parent)?;
    let opening = open(parent, large, worst.path())?;
    row(&mut table, "worst", &opening);
    drop(worst);
    let sealed = disk::open(&large.io, &large.folder)?;
    sealed.seal()?;
    drop(sealed);
    row(&mut table, "everything sealed", &open(parent, large, large.folder.path())?);
    Ok(table)
}

fn open(parent: &Path, large: &Large, from: &Path) -> Result<Opening> {
    let mut opening =
        Opening { wall: Figures::default(), cpu: Figures::default(), size: 0, unsealed: 0, unsigned: 0 };
    for _ in 0..TIMES {
        let copy = Folder::copy(parent, "copy", from)?;
        let meter = Meter::start();
        let ledger = disk::open(&large.io, &copy)?;
        let spent = meter.read();
        opening.wall.push(spent.wall.as_secs_f64());
        opening.cpu.push(spent.cpu.as_secs_f64());
        let stats = ledger.stats()?;
        ensure!(stats.size > large.events as u64, "acknowledged events are gone");
        ensure!(stats.signed == stats.size, "what was kept is not signed");
        (opening.size, opening.unsealed) = (stats.size, stats.size - stats.sealed);
        opening.unsigned = ledger.opened().kept;
    }
    // Writing the copies back must not disturb what is measured next.
    std::thread::sleep(Duration::from_millis(200));
    Ok(opening)
}

fn row(table: &mut Table, state: &str, opening: &Opening) {
    table.row([
        state.into(),
        whole(opening.size as f64),
        whole(opening.unsealed as f64),
        whole(opening.unsigned as f64),
        opening.wall.spread(three),
        opening.cpu.spread(two),
    ]);
}
