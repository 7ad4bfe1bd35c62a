//! Every call of one fixed life fails once, in every way.

use sim::script::{Case, cases, check};

fn share(part: usize) {
    let cases: Vec<Case> = cases().unwrap();
    assert!(cases.len() > 1000, "only {} cases", cases.len());
    let wrong: Vec<String> =
        cases.iter().skip(part).step_by(4).filter_map(|case| check(*case).err()).take(5).collect();
    assert!(wrong.is_empty(), "of {} cases: {wrong:#?}", cases.len());
}

#[test]
fn every_call_may_fail_first_quarter() {
    share(0);
}

#[test]
fn every_call_may_fail_second_quarter() {
    share(1);
}

#[test]
fn every_call_may_fail_third_quarter() {
    share(2);
}

#[test]
fn every_call_may_fail_last_quarter() {
    share(3);
}
