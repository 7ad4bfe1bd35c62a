//! `stats`: figures about the ledgers.

use std::process::ExitCode;

use event::Value;
use ledger::Stats as Figures;

use crate::Data;
use crate::output::{count, grouped, json, line, object, table, text};

#[derive(clap::Args)]
pub(crate) struct Stats {
    #[command(flatten)]
    data: Data,
    /// Whose ledger; all of them if absent
    #[arg(long)]
    organisation: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Stats {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let product = self.data.read()?;
        let names = match &self.organisation {
            Some(name) => vec![name.clone()],
            None => product.organisations(),
        };
        let mut all = Vec::new();
        for name in names {
            let ledger = product.ledger(&name)?;
            all.push((name, ledger.origin().to_owned(), ledger.identity().to_string(), ledger.stats()?));
            drop(ledger);
            // One at a time: there may be thousands.
            product.close()?;
        }
        match self.json {
            true => print_json(&all),
            false => print(&all),
        }
        Ok(ExitCode::SUCCESS)
    }
}

type Row = (String, String, String, Figures);

/// Bytes a sealed event takes, with its share of hashes and index.
fn bytes_an_event(figures: &Figures) -> Option<u64> {
    (figures.segment_bytes + figures.tile_bytes + figures.id_bytes).checked_div(figures.sealed)
}

fn print(all: &[Row]) {
    let heading = [
        "organisation",
        "leaves",
        "signed",
        "sealed",
        "segments",
        "bytes/event",
        "segment bytes",
        "hash bytes",
        "id bytes",
        "journal bytes",
        "epoch",
    ];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    for (name, _, _, f) in all {
        rows.push(vec![
            name.clone(),
            grouped(f.size),
            grouped(f.signed),
            grouped(f.sealed),
            grouped(f.segments),
            bytes_an_event(f).map_or("-".into(), grouped),
            grouped(f.segment_bytes),
            grouped(f.tile_bytes),
            grouped(f.id_bytes),
            grouped(f.journal_bytes),
            grouped(f.epoch),
        ]);
    }
    table(&rows);
    for (name, origin, key, _) in all.iter().filter(|_| all.len() == 1) {
        line(format_args!("\n{name} is {origin}\nkey {key}"));
    }
}

fn print_json(all: &[Row]) {
    let rows = all.iter().map(|(name, origin, key, f)| {
        object(vec![
            ("organisation", text(&**name)),
            ("origin", text(&**origin)),
            ("key", text(&**key)),
            ("leaves", count(f.size)),
            ("signed", count(f.signed)),
            ("sealed", count(f.sealed)),
            ("segments", count(f.segments)),
            ("bytes_per_event", bytes_an_event(f).map_or(Value::Null, count)),
            ("segment_bytes", count(f.segment_bytes)),
            ("tile_bytes", count(f.tile_bytes)),
            ("id_bytes", count(f.id_bytes)),
            ("head_bytes", count(f.head_bytes)),
            ("journal_bytes", count(f.journal_bytes)),
            ("epoch", count(f.epoch)),
        ])
    });
    json(&Value::Array(rows.collect()));
}
