//! `init`, `erase` and `rotate-key`: what an operator does seldom and on purpose.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use indelible::{DEFAULT, KeySource, load_kek};
use ledger::{Erasure, SECTIONS};

use crate::config::{Environment, Held, Shape};
use crate::output::line;
use crate::{Data, io};

#[derive(clap::Args)]
pub(crate) struct Init {
    #[command(flatten)]
    data: Data,
    /// Whose ledger to create
    #[arg(long, default_value = DEFAULT)]
    organisation: String,
}

#[derive(clap::Args)]
pub(crate) struct Erase {
    #[command(flatten)]
    data: Data,
    /// A position, or a range of them: 100..200, both included
    what: String,
    /// Which sections: content, redactions, what, who
    #[arg(long, value_delimiter = ',', default_value = "who,content")]
    sections: Vec<String>,
    /// The request by which it can be found in your files; it is recorded. No personal data
    #[arg(long)]
    request: String,
    /// Whose ledger
    #[arg(long, default_value = DEFAULT)]
    organisation: String,
}

#[derive(clap::Args)]
pub(crate) struct RotateKey {
    #[command(flatten)]
    data: Data,
    /// The new key: a file of 64 hex digits, made if it is not there, or env.NAME
    #[arg(long, value_name = "FILE|env.NAME")]
    new_key_file: String,
}

impl Init {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.data.config()?;
        let product = self.data.open()?;
        if product.organisations().contains(&self.organisation) {
            anyhow::bail!("{} has a ledger already", self.organisation);
        }
        let ledger = product.create(&self.organisation)?;
        line(format_args!("created the ledger of {} in {}", self.organisation, config.data.display()));
        line(format_args!("origin  {}", ledger.origin()));
        line(format_args!("key     {}", ledger.identity()));
        if config.keys.key_file.is_none() {
            line(format_args!("\nThe key-encryption key is in {}.", config.data.join("kek").display()));
            line(format_args!(
                "Keep a copy elsewhere; better still, keep it only elsewhere and name it with --key-file."
            ));
        }
        line(format_args!(
            "\nGive the line \"log {}\" to whoever will verify, as their policy file.",
            ledger.identity()
        ));
        drop(ledger);
        product.close()?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Erase {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let (first, last) = self.what.split_once("..").unwrap_or((&self.what, &self.what));
        let (Ok(first), Ok(last)) = (first.parse(), last.trim_start_matches('=').parse()) else {
            anyhow::bail!("expected a position such as 100, or a range such as 100..200");
        };
        let sections = self
            .sections
            .iter()
            .map(|name| {
                SECTIONS
                    .iter()
                    .position(|s| s == name)
                    .with_context(|| format!("no section {name:?}; there are {}", SECTIONS.join(", ")))
            })
            .collect::<anyhow::Result<Vec<usize>>>()?;
        let product = self.data.open()?;
        let ledger = product.ledger(&self.organisation)?;
        ledger.erase(&Erasure { first, last, sections, request: self.request })?;
        drop(ledger);
        product.close()?;
        line(format_args!("erased {} of positions {first} to {last}", self.sections.join(" and ")));
        Ok(ExitCode::SUCCESS)
    }
}

impl RotateKey {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let Ok(Held::Reference(reference)) = Shape::KeyFile.read_text(&self.new_key_file) else {
            anyhow::bail!("--new-key-file: expected {}", Shape::KeyFile.expected());
        };
        let source = Environment::of_the_process().key_source(&reference);
        let source = source.map_err(|what| anyhow::anyhow!("--new-key-file: {what}"))?;
        let new = load_kek(&*io(), &source, true)?;
        let product = self.data.open()?;
        let names = product.organisations();
        for name in &names {
            match product.ledger(name) {
                Ok(ledger) => ledger.rewrap(&new)?,
                // Re-wrapped before this command was interrupted and called again.
                Err(ledger::Error::ForeignKey(_))
                    if ledger::origin(&*io(), &product.dir(name), &new).is_some() => {}
                Err(e) => return Err(e.into()),
            }
        }
        product.close()?;
        let path = match source {
            KeySource::File(path) => path,
            KeySource::Given { name, .. } => PathBuf::from(name),
        };
        line(format_args!("{} ledgers are locked with {} now.", names.len(), path.display()));
        line(format_args!("Name it with --key-file from now on, and destroy the old key."));
        Ok(ExitCode::SUCCESS)
    }
}
