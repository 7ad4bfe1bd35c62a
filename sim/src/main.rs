//! `sim --seeds 2000 [--from N] [--threads 2]` runs seeds; `sim --seed 4711 [--trace]` replays one.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use sim::run::{self, Figures};

struct Arguments {
    seed: Option<u64>,
    seeds: u64,
    from: u64,
    threads: u64,
    trace: bool,
}

fn arguments() -> Result<Arguments, String> {
    let mut out = Arguments { seed: None, seeds: 2000, from: 0, threads: 2, trace: false };
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        let mut number = || -> Result<u64, String> {
            let text = given.next().ok_or(format!("{name} needs a number"))?;
            text.parse().map_err(|_| format!("{name}: {text:?} is not a number"))
        };
        match name.as_str() {
            "--seed" => out.seed = Some(number()?),
            "--seeds" => out.seeds = number()?,
            "--from" => out.from = number()?,
            "--threads" => out.threads = number()?.max(1),
            "--trace" => out.trace = true,
            _ => return Err(format!("unknown argument {name:?}")),
        }
    }
    Ok(out)
}

fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(why) => {
            eprintln!(
                "{why}\nusage: sim --seeds COUNT [--from SEED] [--threads N] | sim --seed SEED [--trace]"
            );
            return ExitCode::from(2);
        }
    };
    match arguments.seed {
        Some(seed) => one(seed, arguments.trace),
        None => many(&arguments),
    }
}

fn one(seed: u64, trace: bool) -> ExitCode {
    let (result, calls) = if trace { run::trace(seed) } else { (run::run(seed), Vec::new()) };
    calls.iter().for_each(|call| println!("{call}"));
    match result {
        Ok(figures) => {
            println!("seed {seed} held: {figures:?}");
            ExitCode::SUCCESS
        }
        Err(why) => fail(seed, &why),
    }
}

fn fail(seed: u64, why: &str) -> ExitCode {
    println!("seed {seed} failed: {why}; replay: cargo run --release -p sim -- --seed {seed} --trace");
    ExitCode::FAILURE
}

fn many(arguments: &Arguments) -> ExitCode {
    let next = AtomicU64::new(arguments.from);
    let end = arguments.from + arguments.seeds;
    let (total, failures) = (Mutex::new(Figures::default()), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    // A panic is a broken promise like any other; its message has gone to stderr.
                    let result = std::panic::catch_unwind(|| run::run(seed));
                    match result.unwrap_or_else(|_| Err("it panicked".into())) {
                        Ok(figures) => {
                            let mut total = total.lock().expect("adding does not panic");
                            total.events += figures.events;
                            total.heads += figures.heads;
                            total.restarts += figures.restarts;
                            total.calls += figures.calls;
                            total.mishaps += figures.mishaps;
                        }
                        Err(why) => {
                            fail(seed, &why);
                            failures.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    let failures = failures.into_inner();
    println!(
        "{} seeds, {failures} failed: {:?}",
        arguments.seeds,
        total.into_inner().expect("threads ended")
    );
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
