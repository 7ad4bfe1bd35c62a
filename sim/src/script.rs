//! One fixed life, in which each single call to the machine goes wrong once, in every way.

use crate::machine::{End, MISHAPS, Mishap, Weather};
use crate::world::{Setup, Told, World};

/// One call of the script and what befalls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    pub call: u64,
    pub mishap: Mishap,
    pub end: End,
}

/// Every case of the script, in order.
pub fn cases() -> Result<Vec<Case>, String> {
    let mut world = begin();
    world.machine.start_trace();
    live(&mut world)?;
    let mut cases = Vec::new();
    for line in world.machine.take_trace() {
        let mut words = line.split(' ');
        let Some(call) = words.next().and_then(|word| word.parse().ok()) else { continue };
        // A read changes nothing: that it was done is of no interest, nor is how the process ends.
        let reads = words.next().is_some_and(|kind| ["Read", "Len", "List"].contains(&kind));
        if reads {
            cases.push(Case { call, mishap: Mishap::Fail, end: End::Killed });
            cases.push(Case { call, mishap: Mishap::CrashBefore, end: End::PowerLost });
            continue;
        }
        for mishap in MISHAPS {
            for end in [End::Killed, End::PowerLost] {
                cases.push(Case { call, mishap, end });
            }
        }
    }
    Ok(cases)
}

/// Runs a case; the error says which promise was broken.
pub fn check(case: Case) -> Told {
    let mut world = begin();
    world.fate = Some(case.end);
    world.machine.set_weather(Weather { at: Some((case.call, case.mishap)), ..Weather::default() });
    live(&mut world).map_err(|why| format!("{case:?}: {why}"))
}

fn begin() -> World {
    World::new(4711, Setup { epoch_ms: 60_000, heads_copy: true, ..Setup::small() })
}

fn live(world: &mut World) -> Told {
    let steps: [fn(&mut World) -> Told; 17] = [
        World::start,
        |world| world.append(3, false),
        |world| world.append(5, true),
        World::sign,
        // More than a journal holds.
        |world| world.append(70, true),
        |world| {
            world.machine.advance(2_000);
            world.tend()
        },
        World::seal,
        |world| world.append(4, true),
        |world| {
            // The epoch ends.
            world.machine.advance(61_000);
            world.tend()
        },
        |world| world.erase(2, 6, 0b1001),
        World::rewrap,
        |world| world.append(10, true),
        World::read,
        |world| {
            world.machine.advance(61_000);
            world.tend()
        },
        |world| {
            // Old heads are thinned out.
            world.machine.advance(10 * 24 * 3600 * 1000);
            world.tend()
        },
        |world| {
            world.ledger = None;
            world.start()
        },
        |world| world.append(3, true),
    ];
    for step in steps {
        step(world)?;
        world.recover()?;
    }
    world.finish()
}
