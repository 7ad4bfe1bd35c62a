//! When an event was received, and the ids that carry it.
//!
//! `received` never falls, and a wall clock that jumps (by more than five minutes, if not told otherwise) is not followed:
//! time goes on by the monotonic clock until the wall clock comes back or an operator confirms it.

use crate::io::Io;

/// The ledger's sense of time.
#[derive(Debug)]
pub(crate) struct Clock {
    /// A larger jump is not believed.
    step_ms: u64,
    wall_ms: u64,
    monotonic_ms: u64,
    last_ms: u64,
    held: bool,
    /// Seen and not yet in the ledger.
    step: Option<Step>,
}

/// A jump of the wall clock that was not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) from_ms: u64,
    pub(crate) to_ms: u64,
}

impl Clock {
    /// `last_ms`: time of receipt of the newest leaf, 0 for an empty ledger.
    pub(crate) fn new(io: &dyn Io, last_ms: u64, step_ms: u64) -> Clock {
        let wall_ms = io.wall_ms();
        // A clock that was set back while we were stopped is a step like any other.
        let expected = if last_ms > wall_ms.saturating_add(step_ms) { last_ms } else { wall_ms };
        Clock {
            step_ms,
            wall_ms: expected,
            monotonic_ms: io.monotonic_ms(),
            last_ms,
            held: false,
            step: None,
        }
    }

    /// Time of receipt for what is committed now, and a step that the ledger does not say yet.
    pub(crate) fn now(&mut self, io: &dyn Io) -> (u64, Option<Step>) {
        let (wall, monotonic) = (io.wall_ms(), io.monotonic_ms());
        let expected = self.wall_ms + monotonic.saturating_sub(self.monotonic_ms);
        let off = wall.abs_diff(expected) > self.step_ms;
        if off && !self.held {
            self.step = Some(Step { from_ms: expected, to_ms: wall });
        }
        self.held = off;
        if !off {
            (self.wall_ms, self.monotonic_ms) = (wall, monotonic);
        }
        self.last_ms = self.last_ms.max(if off { expected } else { wall });
        (self.last_ms, self.step)
    }

    /// The step was recorded.
    pub(crate) fn noted(&mut self) {
        self.step = None;
    }

    /// Whether the wall clock is not being followed.
    pub(crate) fn held(&self) -> bool {
        self.held
    }

    /// An operator says that the wall clock is right.
    pub(crate) fn confirm(&mut self, io: &dyn Io) {
        (self.wall_ms, self.monotonic_ms, self.held) = (io.wall_ms(), io.monotonic_ms(), false);
    }
}

/// Mints UUIDv7 (RFC 9562, 5.7 and 6.2 method 1) that rise strictly: 48 bits of milliseconds, a
/// counter of 26 bits within one millisecond, 48 random bits.
#[derive(Debug)]
pub(crate) struct Minter {
    ms: u64,
    counter: u32,
}

impl Minter {
    /// Goes on after the id of the newest leaf.
    pub(crate) fn after(last: Option<&[u8; 16]>) -> Minter {
        let Some(id) = last else { return Minter { ms: 0, counter: 0 } };
        let high = u32::from(id[6] & 0x0f) << 8 | u32::from(id[7]);
        let low = u32::from(id[8] & 0x3f) << 8 | u32::from(id[9]);
        Minter { ms: crate::record::id_ms(id), counter: high << 14 | low }
    }

    /// The next id. `now_ms` must not fall.
    pub(crate) fn mint(&mut self, now_ms: u64, random: [u8; 6]) -> [u8; 16] {
        if now_ms > self.ms {
            (self.ms, self.counter) = (now_ms, 0);
        } else {
            // 67 million events in one millisecond are beyond any machine we know.
            self.counter += 1;
        }
        let mut id = [0; 16];
        id[..6].copy_from_slice(&self.ms.to_be_bytes()[2..]);
        id[6] = 0x70 | (self.counter >> 22) as u8 & 0x0f;
        id[7] = (self.counter >> 14) as u8;
        id[8] = 0x80 | (self.counter >> 8) as u8 & 0x3f;
        id[9] = self.counter as u8;
        id[10..].copy_from_slice(&random);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_and_carry_their_time() {
        let mut minter = Minter::after(None);
        let mut last = [0; 16];
        for n in 0..200_000u64 {
            let id = minter.mint(1_700_000_000_000 + n / 70_000, [255 - n as u8; 6]);
            assert!(id > last, "id {n} does not rise");
            assert_eq!((id[6] >> 4, id[8] >> 6), (7, 2));
            assert_eq!(crate::record::id_ms(&id), 1_700_000_000_000 + n / 70_000);
            last = id;
        }
        assert!(Minter::after(Some(&last)).mint(0, [0; 6]) > last, "goes on after a restart");
    }
}
