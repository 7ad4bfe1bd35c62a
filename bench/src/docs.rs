//! Writes docs/performance.md.

use std::path::Path;

use anyhow::{Context, Result};

use crate::saved;
use crate::table::Table;

/// Where and on what it was measured.
pub(crate) struct Setting {
    pub(crate) machine: String,
    pub(crate) data: String,
    pub(crate) rounds: String,
}

const BEFORE: &str = "\
# Performance

Written by `cargo run --release -p bench -- --write-docs`; do not edit.

Figures carry a class. **D+** is synced to the disk and tamper-evident before the answer: everything we do by default. \
**D** is synced, **V** is volatile: the answer comes while the data is in memory or in the page cache. \
Figures of different classes are not comparable, whatever their size.

Figures are medians, with the least and the greatest in brackets. \
Wall figures on a shared machine are lower bounds; microseconds of processor time survive noise. \
The floors were measured in the same process, taking turns with what they belong to.

";

pub(crate) const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/performance.md");

/// Between these stands what was measured in other runs and saved.
const SAVED: &str = "<!-- saved -->\n\n";
const SAVED_END: &str = "<!-- end of saved -->\n\n";

const AFTER: &str = "\
## What we lose

- One event a sync is bound by the disk, not by us: who waits for each event gets the disk's latency and little more. \
More callers share syncs.
- A columnar log store without proofs, encryption or receipts keeps similar events in about 150 bytes (class V), \
and one that may answer from memory takes single events a hundred times faster. That is the price of D+.
- Every event is written about twice: to a journal at once, and compressed to a segment later. \
The second costs processor time that the callers do not wait for as long as there is a second core.
- Compressed blocks make one random read as dear as its whole block. Neighbours are then nearly free.
";

pub(crate) fn write(path: &Path, setting: &Setting, tables: &[Table]) -> Result<()> {
    let mut text = BEFORE.to_owned();
    text += &format!(
        "- Machine: {}\n- Data: {}\n- Rounds: {}\n\n",
        setting.machine, setting.data, setting.rounds
    );
    tables.iter().for_each(|table| text += &table.markdown());
    text += &format!("{SAVED}{}{SAVED_END}", saved::markdown()?);
    text += AFTER;
    std::fs::write(path, text).with_context(|| format!("couldn't write {}", path.display()))
}

/// Only the part that was saved; the rest of the document stays.
pub(crate) fn write_saved(path: &Path) -> Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| format!("couldn't read {}", path.display()))?;
    let text =
        with_saved(&text, &saved::markdown()?).context("the document was not written by `--write-docs`")?;
    std::fs::write(path, text).with_context(|| format!("couldn't write {}", path.display()))
}

/// Puts `saved` between its marks, or before the last part of a document that has none yet.
fn with_saved(text: &str, saved: &str) -> Option<String> {
    let (before, after) = match text.split_once(SAVED) {
        Some((before, rest)) => (before, rest.split_once(SAVED_END)?.1),
        None => text.split_at(text.find(AFTER)?),
    };
    Some(format!("{before}{SAVED}{saved}{SAVED_END}{after}"))
}

/// Processor, cores, kernel and load.
pub(crate) fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let model = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("\t: unknown");
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg");
    format!(
        "{}, {} cores, Linux {}, load at the start {}.",
        model.trim_start_matches(['\t', ' ', ':']),
        std::thread::available_parallelism().map_or(1, usize::from),
        kernel.trim(),
        load.split(' ').next().unwrap_or("unknown")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_saved_takes_the_place_of_what_was_there() {
        let first = with_saved(&format!("# Performance\n\n{AFTER}"), "## One\n\n").unwrap();
        assert!(first.contains("## One") && first.ends_with(AFTER));
        let second = with_saved(&first, "## Two\n\n").unwrap();
        assert_eq!(second, first.replace("## One", "## Two"));
        assert_eq!(with_saved("# Something else\n", ""), None);
    }
}
