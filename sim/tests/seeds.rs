//! Lives from seeds. Each test takes a share, so that all cores have something to do.

fn check(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        if let Err(why) = sim::run::run(seed) {
            panic!("seed {seed} failed: {why}; replay: cargo run --release -p sim -- --seed {seed} --trace");
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_and_nobody_is_accused_seeds_0_to_499() {
    check(0..500);
}

#[test]
fn nothing_acknowledged_is_lost_and_nobody_is_accused_seeds_500_to_999() {
    check(500..1000);
}

#[test]
fn nothing_acknowledged_is_lost_and_nobody_is_accused_seeds_1000_to_1499() {
    check(1000..1500);
}

#[test]
fn nothing_acknowledged_is_lost_and_nobody_is_accused_seeds_1500_to_1999() {
    check(1500..2000);
}

#[test]
fn a_seed_gives_the_same_run_every_time() {
    for seed in [3, 17, 4711] {
        let (first, second) = (run(seed), run(seed));
        assert_eq!(first.0, second.0);
        let differs = first.1.iter().zip(&second.1).find(|(a, b)| a != b);
        assert!(differs.is_none(), "seed {seed} does not repeat itself: {differs:?}");
    }
}

/// A run and everything it did to the machine, but for reads: the verifier's threads overtake each other.
fn run(seed: u64) -> (String, Vec<String>) {
    let (result, mut calls) = sim::run::trace(seed);
    calls.retain(|call| !call.contains(" Read "));
    (format!("{result:?}"), calls)
}
