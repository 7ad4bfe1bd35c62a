//! Measures the ledger beside the floors of the machine it runs on, and the server over HTTP beside other systems.

#![allow(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)]

mod append;
mod args;
mod client;
mod counting;
mod disk;
mod docs;
mod door;
mod events;
mod figures;
mod floors;
mod http;
mod judge;
mod large;
mod load;
mod meter;
mod queries;
mod questions;
mod reads;
mod receivers;
mod recover;
mod saved;
mod server;
mod size;
mod table;
mod wire;

use std::io::Write;

use anyhow::Result;
use bench::data::Generator;

use crate::args::{Args, USAGE, What};
use crate::events::{DataHash, Events};
use crate::figures::whole;
use crate::floors::Floors;
use crate::large::Large;
use crate::table::Table;

/// The data set, for programs that take it from a pipe.
fn print_data(args: &Args) -> Result<()> {
    let mut out = std::io::BufWriter::with_capacity(1 << 20, std::io::stdout());
    let mut generator = Generator::new(args.seed);
    let mut event = Vec::new();
    for _ in 0..args.events {
        event.clear();
        generator.next(&mut event);
        event.push(b'\n');
        out.write_all(&event)?;
    }
    Ok(out.flush()?)
}

fn main() -> Result<()> {
    let Some(args) = Args::read(std::env::args().skip(1))? else {
        println!("{USAGE}");
        return Ok(());
    };
    match args.what {
        What::Data => return print_data(&args),
        What::Questions => return questions::print(args.events, args.seed),
        What::Docs => return docs::write_saved(docs::PATH.as_ref()),
        _ => {}
    }
    let machine = docs::machine();
    println!("{machine}");
    match args.what {
        What::Http => return http::measure(&args, &machine),
        What::Queries => return queries::measure(&args, &machine),
        What::Receivers => return receivers::measure(&args, &machine),
        _ => {}
    }
    // First, so that its memory is not what an earlier measurement left behind.
    let mut large = match args.what {
        What::Append => None,
        _ => {
            eprintln!("building a ledger of {} events…", whole(args.events as f64));
            Some(Large::build(&args.dir, args.seed, args.events)?)
        }
    };
    let mut tables = Vec::new();
    if matches!(args.what, What::Append | What::All) {
        let found = measure_append(&args)?;
        show(&mut tables, found);
    }
    let mut data = String::new();
    if let Some(large) = &mut large {
        data = format!(
            "`bench/src/data.rs`, seed {}: {} events, {} bytes of JSON each on average, FNV-1a {:016x}.",
            args.seed,
            whole(large.events as f64),
            whole(large.json_bytes as f64 / large.events as f64),
            large.hash.0
        );
        println!("{data}");
        let wants = |what| args.what == what || args.what == What::All;
        if wants(What::Recover) {
            let found = recover::table(&args.dir, large)?;
            show(&mut tables, vec![found]);
        }
        // Seals the ledger, which the others need.
        let size = size::table(large)?;
        if wants(What::Verify) {
            let found = judge::table(large, args.seed)?;
            show(&mut tables, vec![found]);
        }
        if wants(What::Read) {
            let found = reads::table(large, args.seed)?;
            show(&mut tables, vec![found]);
        }
        if wants(What::Size) {
            show(&mut tables, vec![size]);
        }
    }
    if args.write_docs {
        let rounds = format!(
            "{} for append and its floors after one that was dropped, each of up to {} events in a fresh folder; \
             3 for recovery and verification.",
            args.rounds,
            whole(args.append as f64)
        );
        let setting = docs::Setting { machine, data, rounds };
        docs::write(docs::PATH.as_ref(), &setting, &tables)?;
    }
    Ok(())
}

fn show(tables: &mut Vec<Table>, found: Vec<Table>) {
    for table in found {
        println!("{}", table.plain());
        tables.push(table);
    }
}

fn measure_append(args: &Args) -> Result<Vec<Table>> {
    let events = Events::next(&mut Generator::new(args.seed), args.append);
    let mut hash = DataHash::new();
    hash.add(events.bytes());
    println!("append: {} events, FNV-1a {:016x}", whole(events.len() as f64), hash.0);
    let wanted = |case: &append::Case| {
        args.batch.is_none_or(|batch| batch == case.batch)
            && args.callers.is_none_or(|callers| callers == case.callers)
    };
    let mut measured: Vec<_> =
        append::cases().into_iter().filter(wanted).map(|case| (case, Vec::new())).collect();
    let mut floors = Floors::new(&events);
    for round in 0..=args.rounds {
        eprintln!("append, round {round} of {}…", args.rounds);
        for (case, runs) in &mut measured {
            let run = append::run(&args.dir, *case, &events)?;
            if round > 0 {
                runs.push(run);
            }
        }
        floors.round(&args.dir, &events, round == 0)?;
    }
    let mut tables = vec![append::table(&measured)];
    tables.extend(floors.tables());
    Ok(tables)
}
