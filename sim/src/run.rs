//! A run from a seed: a ledger's life with everything that can befall it.

use crate::chance::Chance;
use crate::machine::{End, MISHAPS, Machine, Weather};
use crate::rot;
use crate::world::{Setup, Told, World};

/// What a run came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    pub events: u64,
    pub heads: u64,
    pub restarts: u64,
    pub calls: u64,
    pub mishaps: u64,
}

/// Runs a seed. The error says which promise was broken.
pub fn run(seed: u64) -> Result<Figures, String> {
    start(seed, false).0
}

/// Runs a seed and gives everything the ledger asked of the machine.
pub fn trace(seed: u64) -> (Result<Figures, String>, Vec<String>) {
    let (result, machine) = start(seed, true);
    (result, machine.take_trace())
}

fn start(seed: u64, trace: bool) -> (Result<Figures, String>, Machine) {
    let mut chance = Chance::new(seed);
    let mut world = World::new(seed, Setup::any(&mut chance));
    if trace {
        world.machine.start_trace();
    }
    let result = live(&mut world, &mut chance).map(|()| Figures {
        events: world.model.events.len() as u64,
        heads: world.model.heads.len() as u64,
        restarts: world.restarts,
        calls: world.machine.calls(),
        mishaps: world.machine.mishaps(),
    });
    (result, world.machine)
}

fn live(world: &mut World, chance: &mut Chance) -> Told {
    if chance.one_in(4) {
        arm(world, chance, 60);
    }
    world.start()?;
    for _ in 0..chance.within(10, 60) {
        act(world, chance)?;
        world.recover()?;
    }
    world.finish()?;
    match chance.one_in(3) {
        true => rot::strike(world, chance),
        false => Ok(()),
    }
}

fn act(world: &mut World, chance: &mut Chance) -> Told {
    match chance.below(100) {
        0..30 => {
            let count = match chance.below(12) {
                0 => chance.within(50, 250),
                1..4 => chance.within(5, 30),
                _ => chance.within(1, 4),
            };
            world.append(count, true)
        }
        30..36 => world.sign(),
        36..50 => {
            let ms = [200, 1_100, 1_100, 7_000, 70_000, 3 * 3600 * 1000][chance.below(6) as usize];
            // Now and then so long that old heads are thinned out.
            world.machine.advance(if chance.one_in(20) { 9 * 24 * 3600 * 1000 } else { ms });
            world.tend()
        }
        50..53 => world.seal(),
        53..57 => {
            let size = world.model.floor();
            let first = chance.below(size);
            let last = first + chance.below(20);
            world.erase(first, last, chance.within(1, 15) as u8)
        }
        57..59 => world.rewrap(),
        59..69 => world.read(),
        69..72 => world.compare_heads(),
        72..75 => world.snapshot(),
        75..77 => match world.machine.dead() {
            true => Ok(()),
            false => world.check_verdict("while it runs"),
        },
        77..80 => {
            // A clean stop, and perhaps the power goes while nothing runs.
            world.ledger = None;
            if chance.one_in(2) { world.end(Some(End::PowerLost)) } else { Ok(()) }
        }
        80..83 => world.end(None),
        83..89 => {
            arm(world, chance, 120);
            Ok(())
        }
        89..94 => {
            let mut weather = world.machine.weather();
            weather.fails_one_in = [0, 0, 20, 60, 200][chance.below(5) as usize];
            weather.short_reads = chance.one_in(2);
            world.machine.set_weather(weather);
            Ok(())
        }
        94..97 => {
            let mut weather = world.machine.weather();
            weather.capacity = match weather.capacity {
                None => Some(world.machine.used() + chance.below(200 << 10)),
                Some(_) => None,
            };
            world.machine.set_weather(weather);
            Ok(())
        }
        _ => {
            let minutes = [3, 20, 600, 20_000][chance.below(4) as usize];
            world.machine.jump(if chance.one_in(2) { minutes * 60_000 } else { -minutes * 60_000 });
            if let Some(ledger) = world.ledger.as_ref().filter(|_| chance.one_in(3)) {
                ledger.confirm_clock();
            }
            Ok(())
        }
    }
}

/// Something will happen to one of the next calls.
fn arm(world: &mut World, chance: &mut Chance, within: u64) {
    let at = world.machine.calls() + chance.within(1, within);
    let mishap = MISHAPS[chance.below(4) as usize];
    let weather = Weather { at: Some((at, mishap)), ..world.machine.weather() };
    world.machine.set_weather(weather);
}
