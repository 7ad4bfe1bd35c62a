//! `prove` and `checkpoint`: what to hand to a stranger.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use access::{Permission, Viewer};
use anyhow::Context;
use indelible::{AskError, DEFAULT, Indelible, prove, write_evidence};
use ledger::Error;
use ledger::io::Open;

use crate::output::line;
use crate::show::id_text;
use crate::{Data, io};

/// While a server writes, a head is signed each second; this is patience enough.
const TRIES: u32 = 30;

#[derive(clap::Args)]
pub(crate) struct Prove {
    #[command(flatten)]
    data: Data,
    /// Our id, a position, the sender's own id, or a range of positions: 100..200, both included
    what: String,
    /// Where to write: a file, or for a range a folder; `-` prints a proof
    #[arg(short, long)]
    out: Option<PathBuf>,
    /// Whose ledger
    #[arg(long, default_value = DEFAULT)]
    organisation: String,
}

#[derive(clap::Args)]
pub(crate) struct CheckpointCommand {
    #[command(flatten)]
    data: Data,
    /// Whose ledger
    #[arg(long, default_value = DEFAULT)]
    organisation: String,
    /// Write it to a file; keep it where whoever runs the ledger cannot change it
    #[arg(short, long)]
    out: Option<PathBuf>,
}

impl Prove {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self.what.split_once("..") {
            Some((first, last)) => {
                let range = (first.parse::<u64>(), last.trim_start_matches('=').parse::<u64>());
                let (Ok(first), Ok(last)) = range else {
                    anyhow::bail!("expected a range of positions such as 100..200");
                };
                self.range(first, last)
            }
            None => self.one(),
        }
    }

    fn one(&self) -> anyhow::Result<ExitCode> {
        let text = proved(&self.data, |product| {
            let ledger = product.ledger(&self.organisation)?;
            let (found, _) = product
                .find(&Viewer::command("prove"), &self.organisation, &self.what, Permission::Proofs)
                .map_err(|e| match e {
                    AskError::Ledger(error) => error,
                    other => Error::NotFound(format!("{}: {other}", self.what)),
                })?;
            let [position] = found[..] else {
                let all: Vec<String> = found.iter().map(u64::to_string).collect();
                return Err(Error::NotFound(format!(
                    "{} events have this id; name one by its position: {}",
                    found.len(),
                    all.join(", ")
                )));
            };
            Ok((position, prove(&ledger, position)?))
        });
        let (position, text) = text?;
        let product = self.data.read()?;
        let name = id_text(&product.ledger(&self.organisation)?, position)?;
        let out = self.out.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.tlog-proof")));
        if out == Path::new("-") {
            crate::output::print(format_args!("{text}"));
        } else {
            write(&out, text.as_bytes())?;
            line(out.display());
        }
        Ok(ExitCode::SUCCESS)
    }

    fn range(&self, first: u64, last: u64) -> anyhow::Result<ExitCode> {
        let out = self.out.clone().unwrap_or_else(|| PathBuf::from(format!("evidence-{first}-{last}")));
        if io().list(&out).is_ok_and(|names| !names.is_empty()) {
            anyhow::bail!("{} is not empty; name another folder with --out", out.display());
        }
        let files = proved(&self.data, |product| {
            write_evidence(&*io(), &product.ledger(&self.organisation)?, first, last, &out)
        })?;
        line(format_args!("{} ({files} files)", out.display()));
        Ok(ExitCode::SUCCESS)
    }
}

/// Does it with a snapshot, and again with a later one while the events are not under a head yet.
/// When no server runs, nobody will sign: then the ledger is opened, which signs.
fn proved<T>(data: &Data, work: impl Fn(&Indelible) -> Result<T, Error>) -> anyhow::Result<T> {
    for _ in 0..TRIES {
        match work(&data.read()?) {
            Err(Error::NotYetProved) => {}
            other => return Ok(other?),
        }
        match data.open() {
            Ok(product) => {
                let outcome = work(&product);
                product.close()?;
                return Ok(outcome?);
            }
            Err(_) => thread::sleep(Duration::from_millis(200)),
        }
    }
    Err(Error::NotYetProved.into())
}

impl CheckpointCommand {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let product = self.data.read()?;
        let ledger = product.ledger(&self.organisation)?;
        let head = ledger.head().context("nothing is signed yet")?;
        match &self.out {
            Some(path) => {
                write(path, head.note.as_bytes())?;
                line(path.display());
            }
            None => crate::output::print(format_args!("{}", head.note)),
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let put = || -> std::io::Result<()> {
        let file = io().open(path, Open::Create)?;
        file.write_at(bytes, 0)?;
        file.sync()
    };
    put().with_context(|| format!("couldn't write {}", path.display()))
}
