//! `export`: events in a file, in the forms that the API writes.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use access::Viewer;
use anyhow::Context;
use api::Format;
use indelible::{DEFAULT, Export as Events, Order, Question};
use indicatif::ProgressBar;

use crate::Data;
use crate::append::progress;
use crate::input::NewFile;
use crate::output::{grouped, line};
use crate::show::parsed;

/// Bytes that are handed over at once.
const PIECE: usize = 64 << 10;

#[derive(clap::Args)]
pub(crate) struct Export {
    #[command(flatten)]
    data: Data,
    /// Which events; all if left out (docs/reference/query.md)
    #[arg(default_value = "", allow_hyphen_values = true)]
    filter: String,
    /// ndjson, json or csv
    #[arg(long, default_value = "ndjson", value_parser = format)]
    format: Format,
    /// The file, which must not be there yet; standard output if left out
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Whose ledger
    #[arg(long, default_value = DEFAULT)]
    organisation: String,
}

fn format(name: &str) -> Result<Format, String> {
    let found = Format::ALL.iter().find(|(known, _)| *known == name);
    found.map(|(_, format)| *format).ok_or_else(|| "expected ndjson, json or csv".to_owned())
}

impl Export {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let filter = parsed(&self.filter)?;
        let product = Arc::new(self.data.read()?);
        let question = Question { organisation: self.organisation.clone(), filter, consistent: false };
        let events = product.export(&Viewer::command("export"), &question, Order::Newest)?;
        match &self.out {
            Some(path) => {
                let mut file = NewFile::begin(path)?;
                let bar = progress(Some(events.total().value), false);
                let written = self.write(events, &mut file, &bar);
                bar.finish_and_clear();
                let written = written?;
                file.finish()?;
                line(format_args!("{} events in {}", grouped(written), path.display()));
            }
            None => {
                let mut out = std::io::stdout().lock();
                match self.write(events, &mut out, &ProgressBar::hidden()) {
                    // A reader that has seen enough, such as `head`.
                    Err(error) if is_broken_pipe(&error) => {}
                    written => drop(written?),
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    /// How many were written.
    fn write(&self, events: Events, out: &mut dyn Write, bar: &ProgressBar) -> anyhow::Result<u64> {
        let mut bytes = Vec::with_capacity(PIECE);
        let mut written = 0;
        self.format.write_start(&mut bytes);
        for event in events {
            self.format.write_event(&event?, written == 0, &mut bytes);
            written += 1;
            if bytes.len() >= PIECE {
                out.write_all(&bytes).context("couldn't write")?;
                bytes.clear();
                bar.set_position(written);
            }
        }
        self.format.write_end(&mut bytes);
        out.write_all(&bytes).context("couldn't write")?;
        out.flush().context("couldn't write")?;
        Ok(written)
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}
