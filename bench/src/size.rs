//! Bytes on the disk, by part.

use anyhow::Result;

use crate::disk;
use crate::figures::{one, whole};
use crate::large::Large;
use crate::table::Table;

pub(crate) fn table(large: &Large) -> Result<Table> {
    let ledger = disk::open(&large.io, &large.folder)?;
    ledger.seal()?;
    let stats = ledger.stats()?;
    let mut table = Table::new(
        "Size",
        "Bytes an event of a sealed ledger, encrypted and with everything that proofs and duplicates need. \
         The journal is a fixed file that stays open for the next events.",
        &["part", "bytes/event", "MB"],
    );
    let mut row = |part: &str, bytes: u64| {
        let mega = bytes as f64 / 1e6;
        table.row([part.into(), one(bytes as f64 / large.events as f64), one(mega)]);
    };
    row("segments: events, salts, ids, fingerprints", stats.segment_bytes);
    row("tiles: the tree's hashes", stats.tile_bytes);
    row("index of duplicates", stats.id_bytes);
    row("signed heads", stats.head_bytes);
    let all = stats.segment_bytes + stats.tile_bytes + stats.id_bytes + stats.head_bytes;
    row("**together**", all);
    row("the JSON as sent", large.json_bytes);
    row("journal kept open", stats.journal_bytes);
    table.after(format!(
        "That is {} of the JSON. While the ledger was written at full speed ({} events/s, generator included) \
         the process took at most {} MB of memory.",
        share(all, large.json_bytes),
        whole(large.written),
        whole(large.peak_memory as f64 / 1e6)
    ));
    Ok(table)
}

fn share(part: u64, whole: u64) -> String {
    format!("{:.0} %", 100.0 * part as f64 / whole as f64)
}
