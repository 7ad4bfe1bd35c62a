//! Verifying a whole ledger, beside the hashes that nobody can save.

use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use bench::data::Generator;
use ledger::{Known, verify};
use proof::Verdict;

use crate::disk::{self, ORGANISATION};
use crate::events::Events;
use crate::figures::{Figures, micros_each, one, per_second, two, whole};
use crate::floors::{bodies, hash_event};
use crate::large::Large;
use crate::meter::Meter;
use crate::table::Table;

const TIMES: usize = 3;
const SAMPLE: usize = 50_000;

pub(crate) fn table(large: &Large, seed: u64) -> Result<Table> {
    let threads = thread::available_parallelism()?.get();
    let mut table = Table::new(
        "Verification",
        "A whole ledger from its files: every record is read, decrypted, decompressed and hashed into a tree of the \
         verifier's own, and every signed head is checked. The floor is only the SHA-256 of the same bytes \
         (sections, leaf, one node an event) on as many threads. The two take turns.",
        &["what", "events/s", "CPU µs/event", "seconds for a million"],
    );
    let sample = bodies(&Events::next(&mut Generator::new(seed), SAMPLE), SAMPLE);
    let (mut ours, mut floor) = (Columns::default(), Columns::default());
    for _ in 0..TIMES {
        let meter = Meter::start();
        let known = Known { organisation: ORGANISATION, kek: Some(disk::kek()), ..Known::default() };
        let report = verify(&large.io, large.folder.path(), &known, &mut |_| {});
        let spent = meter.read();
        ensure!(report.verdict() == Verdict::Verified, "honest data: {:?}", report.findings);
        ensure!(report.size > large.events as u64, "verified {}", report.size);
        ours.push(report.size as usize, spent.wall, spent.cpu);

        let meter = Meter::start();
        let rounds = 4;
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| (0..rounds).for_each(|_| sample.iter().for_each(hash_event)));
            }
        });
        let spent = meter.read();
        floor.push(rounds * threads * SAMPLE, spent.wall, spent.cpu);
    }
    table.row(ours.row(format!("verify, {threads} threads")));
    table.row(floor.row(format!("floor: SHA-256, {threads} threads")));
    let pairs = ours.rate.0.iter().zip(&floor.rate.0).map(|(ours, floor)| floor / ours);
    let ratio: Figures = pairs.collect();
    table.after(format!(
        "The floor is {} times as fast. By its processor time alone, verifying could do {} events/s on {threads} \
         cores that nobody else uses.",
        ratio.spread(one),
        whole(1e6 * threads as f64 / ours.cpu.median())
    ));
    Ok(table)
}

#[derive(Default)]
struct Columns {
    rate: Figures,
    cpu: Figures,
}

impl Columns {
    fn push(&mut self, events: usize, wall: Duration, cpu: Duration) {
        self.rate.push(per_second(events, wall));
        self.cpu.push(micros_each(cpu, events));
    }

    fn row(&self, what: String) -> [String; 4] {
        [what, self.rate.spread(whole), self.cpu.spread(two), two(1e6 / self.rate.median())]
    }
}
