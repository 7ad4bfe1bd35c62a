//! From the bytes of an event to its receipt, synced: batches of several sizes, one and two callers.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use ledger::{AppendError, Entry, Ledger, Outcome};

use crate::counting::{Counted, Counting};
use crate::disk::{self, Folder, Tender};
use crate::door;
use crate::events::Events;
use crate::figures::{Figures, micros_each, one, per_second, two, whole};
use crate::meter::{Meter, Spent, thread_cpu};
use crate::table::Table;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) batch: usize,
    pub(crate) callers: usize,
    /// The entries were made beforehand: the ledger alone is measured.
    ready: bool,
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for callers in [1, 2] {
        cases.extend([1, 100, 1000, 10_000].map(|batch| Case { batch, callers, ready: false }));
    }
    cases.extend([1, 2].map(|callers| Case { batch: 1000, callers, ready: true }));
    cases
}

pub(crate) struct Run {
    events: usize,
    /// Until the last event was acknowledged.
    acknowledged: Spent,
    /// Of which in the callers' threads; the rest signs and seals.
    callers_cpu: Duration,
    /// Until nothing but sealed segments remained.
    sealed: Spent,
    counted: Counted,
    busy: usize,
}

/// One run in a fresh folder.
pub(crate) fn run(parent: &Path, case: Case, events: &Events) -> Result<Run> {
    // One event a sync is slow, and as steady after a few thousand as after a million.
    let count = events.len().min(match case.batch {
        1 => 4000 * case.callers,
        100 => 100_000,
        _ => events.len(),
    });
    let folder = Folder::new(parent, "append")?;
    let (io, counts) = Counting::machine();
    let ledger = disk::create(&io, &folder)?;
    let numbers = |at: usize| at * case.batch..count.min((at + 1) * case.batch);
    let make = |at: usize| -> Vec<Entry> {
        numbers(at).map(|number| door::entry(&ledger, events.get(number))).collect()
    };
    let batches = count.div_ceil(case.batch);
    let ready: Vec<_> =
        (0..batches).map(|at| Mutex::new(if case.ready { make(at) } else { Vec::new() })).collect();

    let before = counts.read();
    let tender = Tender::start(&ledger);
    let (next, busy) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || -> Result<Duration> {
        let started = thread_cpu();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= batches {
                return Ok(thread_cpu().saturating_sub(started));
            }
            let mut entries = match case.ready {
                true => std::mem::take(&mut *ready[at].lock().expect("no caller panics")),
                false => make(at),
            };
            while !append(&ledger, entries)? {
                busy.fetch_add(1, Ordering::Relaxed);
                entries = make(at);
            }
        }
    };
    let meter = Meter::start();
    let callers_cpu: Result<Duration> = thread::scope(|scope| {
        // Named for whoever looks at a profile.
        let name = if case.ready { "ready" } else { "caller" };
        let spawn = |_| thread::Builder::new().name(name.into()).spawn_scoped(scope, work);
        let callers: Vec<_> = (0..case.callers).map(|n| spawn(n).expect("a thread can be started")).collect();
        callers.into_iter().map(|caller| caller.join().expect("no caller panics")).sum()
    });
    let acknowledged = meter.read();
    let counted = counts.read();
    tender.stop()?;
    ledger.seal()?;
    let sealed = meter.read();
    // The genesis leaf is the one that nobody sent.
    ensure!(ledger.size() == count as u64 + 1, "acknowledged {count}, stored {}", ledger.size() - 1);
    Ok(Run {
        events: count,
        acknowledged,
        callers_cpu: callers_cpu?,
        sealed,
        counted: Counted {
            commits: counted.commits - before.commits,
            committing: counted.committing.saturating_sub(before.committing),
            other_syncs: counted.other_syncs - before.other_syncs,
            filling: counted.filling.saturating_sub(before.filling),
            written: counted.written - before.written,
        },
        busy: busy.into_inner(),
    })
}

/// Whether it was recorded; if not, the ledger was busy and said when to come back.
pub(crate) fn append(ledger: &Ledger, entries: Vec<Entry>) -> Result<bool> {
    match ledger.append(entries) {
        Ok(outcomes) => {
            let all = outcomes.iter().all(|outcome| matches!(outcome, Outcome::Recorded(_)));
            ensure!(all, "an event of the data set was taken for one that had been sent before");
            Ok(true)
        }
        Err(AppendError::Busy { retry_after_ms, .. }) => {
            thread::sleep(Duration::from_millis(retry_after_ms));
            Ok(false)
        }
        Err(other) => Err(other.into()),
    }
}

pub(crate) fn table(measured: &[(Case, Vec<Run>)]) -> Table {
    let mut table = Table::new(
        "Append, class D+",
        "From the JSON bytes of an event to its receipt: parse, fingerprint, cut into sections, hash into the tree, \
         encrypt, write, `fdatasync`.\n\
         A second thread signs each second and seals full journals, as the server does. \
         *Sealed* counts until every journal was compressed into a segment, so it is what can be kept up for ever.\n\
         Processor time is of all threads, sealing included; *callers* is the part before the receipt.\n\
         The last two rows hand over entries that were parsed beforehand.",
        &[
            "batch × callers",
            "events/s, acknowledged",
            "events/s, sealed",
            "CPU µs/event",
            "of these callers",
            "syncs per 1000 events",
            "mean sync, ms",
            "filling journals, share of wall",
            "bytes written/event",
            "busy",
        ],
    );
    for (case, runs) in measured {
        let figures = |figure: &dyn Fn(&Run) -> f64| runs.iter().map(figure).collect::<Figures>();
        let name = format!(
            "{} × {}{}",
            whole(case.batch as f64),
            case.callers,
            if case.ready { ", entries ready" } else { "" }
        );
        let share =
            |run: &Run| 100.0 * run.counted.filling.as_secs_f64() / run.acknowledged.wall.as_secs_f64();
        table.row([
            name,
            figures(&|run| per_second(run.events, run.acknowledged.wall)).spread(whole),
            figures(&|run| per_second(run.events, run.sealed.wall)).spread(whole),
            figures(&|run| micros_each(run.sealed.cpu, run.events)).spread(one),
            one(figures(&|run| micros_each(run.callers_cpu, run.events)).median()),
            two(figures(&|run| 1000.0 * run.counted.commits as f64 / run.events as f64).median()),
            two(figures(&|run| micros_each(run.counted.committing, run.counted.commits as usize) / 1e3)
                .median()),
            format!("{:.0} %", figures(&share).median()),
            whole(figures(&|run| run.counted.written as f64 / run.events as f64).median()),
            whole(runs.iter().map(|run| run.busy as f64).sum()),
        ]);
    }
    table.after(
        "Counted in each run: what was acknowledged is what is stored, and nothing was taken for a duplicate. \
         *Busy* is how often in all rounds the ledger sent a caller away because sealing was behind.",
    );
    table
}
