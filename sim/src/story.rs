//! Events whose contents follow from their number, so that a model need only remember the number.

use ledger::{Bodies, Entry, SECTIONS};

use crate::chance::Chance;

/// Contents of event `number` in the run of `seed`. The number travels as `producer_seq`.
pub fn event(seed: u64, number: u64) -> Entry {
    let mut chance = Chance::new(seed ^ number.wrapping_mul(0xd6e8_feb8_6659_fd93));
    let mut sections: [Option<Vec<u8>>; SECTIONS.len()] = Default::default();
    for (slot, section) in sections.iter_mut().enumerate() {
        if chance.one_in(4) {
            continue;
        }
        let len = match chance.below(40) {
            0 => chance.within(5_000, 40_000),
            1..6 => 0,
            6..12 => chance.within(200, 2000),
            _ => chance.below(120),
        };
        let mut words = format!(r#"{{"n":{number},"slot":{slot},"text":""#);
        while (words.len() as u64) < len {
            words.push_str(["alpha ", "bravo ", "charlie ", "delta "][chance.below(4) as usize]);
            if chance.one_in(8) {
                words.push_str(&format!("{:016x}", chance.word()));
            }
        }
        words.push_str(r#""}"#);
        *section = Some(words.into_bytes());
    }
    let kinds = ["llm.completion", "auth.login", "tool.call", "config.changed"];
    Entry {
        kind: kinds[chance.below(4) as usize].into(),
        time_ns: chance.one_in(3).then(|| chance.below(1 << 60) as i64 - (1 << 59)),
        retention: chance.below(4) as u16,
        status: chance.below(9) as u8,
        severity: chance.below(6) as u8,
        sender_auth: chance.below(6) as u8,
        producer: ["", "gateway-1", "gateway-2"][chance.below(3) as usize].into(),
        producer_seq: number,
        bodies: Bodies::new(sections.each_ref().map(Option::as_deref)),
        fingerprint: None,
    }
}
