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
        let ((first, calls), (again, same)) = (sim::run::trace(seed), sim::run::trace(seed));
        assert_eq!(format!("{first:?}"), format!("{again:?}"));
        assert!(calls == same, "seed {seed} does not repeat itself");
    }
}
