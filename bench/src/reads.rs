//! Reading single events out of the large ledger.

use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::disk;
use crate::figures::{Figures, two};
use crate::large::Large;
use crate::table::Table;

/// Single reads of each kind.
const READS: u64 = 400;

pub(crate) fn table(large: &Large, seed: u64) -> Result<Table> {
    let ledger = disk::open(&large.io, &large.folder)?;
    let size = ledger.size();
    // An odd factor visits positions all over the ledger, and rarely a block that is still decoded.
    let position = |n: u64| (n.wrapping_add(seed)).wrapping_mul(0x9e37_79b9_7f4a_7c15) % size;
    let mut table = Table::new(
        "Reading",
        format!(
            "{READS} reads of each kind at positions scattered over the ledger, all sealed, one thread. The page cache is \
             warm, our own cache of decoded blocks is of no use. Each record read is hashed again and compared with the \
             tree. Milliseconds each."
        ),
        &["what", "median, ms", "99th percentile, ms"],
    );
    let mut add = |what: &str, read: &mut dyn FnMut(u64) -> Result<()>| -> Result<()> {
        let mut figures = Figures::default();
        for n in 0..READS {
            let started = Instant::now();
            read(n)?;
            figures.push(started.elapsed().as_secs_f64() * 1e3);
        }
        table.row([what.into(), two(figures.median()), two(figures.quantile(0.99))]);
        Ok(())
    };
    let mut ids = Vec::new();
    add("a record by position", &mut |n| {
        ids.push((*ledger.record(position(n))?.id(), position(n)));
        Ok(())
    })?;
    ids.reverse();
    add("the position of an id", &mut |n| {
        let (id, expected) = ids[n as usize];
        let found = ledger.find(&id)?.context("an id that was read is not found")?;
        ensure!(found == expected, "an id is found elsewhere");
        Ok(())
    })?;
    add("a record with its inclusion proof", &mut |n| {
        let position = position(n + READS);
        let _ = (ledger.record(position)?, ledger.inclusion(position)?);
        Ok(())
    })?;
    add("100 neighbours", &mut |n| {
        let start = position(n + 2 * READS).min(size - 100);
        (start..start + 100).try_for_each(|position| ledger.record(position).map(drop))?;
        Ok(())
    })?;
    Ok(table)
}
