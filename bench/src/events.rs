//! Events of the stated data set, kept in memory so that making them is not measured.

use bench::data::Generator;

pub(crate) struct Events {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Events {
    pub(crate) fn next(generator: &mut Generator, count: usize) -> Events {
        let mut events = Events { bytes: Vec::with_capacity(900 * count), ends: Vec::with_capacity(count) };
        for _ in 0..count {
            generator.next(&mut events.bytes);
            events.ends.push(events.bytes.len());
        }
        events
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// All of them, one after the other.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn get(&self, number: usize) -> &[u8] {
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.bytes[start..self.ends[number]]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|number| self.get(number))
    }
}

/// FNV-1a, by which the data set is known (`bench::data`).
#[derive(Clone, Copy)]
pub(crate) struct DataHash(pub(crate) u64);

impl DataHash {
    pub(crate) fn new() -> DataHash {
        DataHash(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) fn add(&mut self, bytes: &[u8]) {
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        self.0 = bytes.iter().fold(self.0, step);
    }
}
