//! What a hand or an accident does to a finished ledger of 2 000 events, and what the verdict is.
//! `INDELIBLE_LONG=1` flips a bit of every byte of every file; otherwise of a sample.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use sim::chance::Chance;
use sim::machine::Machine;
use sim::tamper::{attacks, bytes, exhibit, flip, judge};

#[test]
fn every_attack_on_the_files_gets_its_verdict() {
    let (ours, theirs) = (exhibit(1, "acme"), exhibit(2, "umbrella"));
    let mut wrong = Vec::new();
    for attack in attacks(&ours, &theirs) {
        let machine = Machine::holding(3, &attack.files);
        let report = judge(&machine, attack.organisation, &attack.known);
        if !attack.expected.contains(&report.verdict()) {
            wrong.push(format!("{}: {} {:?}", attack.name, report.verdict(), report.findings));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_flipped_bit_is_damage_in_truth_and_a_note_in_views() {
    let long = std::env::var_os("INDELIBLE_LONG").is_some();
    let exhibit = exhibit(1, "acme");
    let mut places = Vec::new();
    let mut chance = Chance::new(5);
    for (path, len) in bytes(&exhibit) {
        if long {
            places.extend((0..len).map(|offset| (path.clone(), offset)));
        } else {
            // The ends are where headers and indexes lie.
            places.extend((0..len.min(24)).chain(len.saturating_sub(24)..len).map(|at| (path.clone(), at)));
            places.extend((0..48).map(|_| (path.clone(), chance.below(len as u64) as usize)));
        }
    }
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let machine = Machine::holding(3, &exhibit.files);
                while let Some((path, offset)) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(why) = flip(&machine, path, *offset, (offset % 8) as u8) {
                        wrong.lock().unwrap().push(why);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(
        wrong.is_empty(),
        "{} of {} flips: {:#?}",
        wrong.len(),
        places.len(),
        &wrong[..wrong.len().min(10)]
    );
}
