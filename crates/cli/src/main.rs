//! The binary `indelible`: settings from the command line and the environment, and a command each
//! in a file of its own.
//!
//! Exit codes: 0 done; 1 something was refused or did not work, and standard error says what;
//! 2 the command was wrong; of `verify`: 0 verified, 10 cannot check, 11 damaged, 20 incomplete,
//! 30 tampered, 40 rolled back, 50 split view.

#![allow(clippy::print_stdout, clippy::print_stderr)]

mod append;
mod config;
mod demo;
mod input;
mod keys;
mod output;
mod prove;
mod serve;
mod show;
mod stats;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use indelible::{Indelible, KeySource, Settings};
use ledger::io::{Io, OsIo};

/// The audit log for AI systems: records who did what, and proves that nothing was changed,
/// removed or left out.
#[derive(Parser)]
#[command(
    name = "indelible",
    version,
    after_help = "Exit codes: 0 done, 1 refused or failed, 2 wrong command. \
of verify: 0 verified, 10 cannot check, 11 damaged, 20 incomplete, 30 tampered, 40 rolled back, 50 split view."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Create a data folder, its key and the ledger of an organisation
    Init(keys::Init),
    /// Record events, one JSON object a line
    Append(append::Append),
    /// Record what another product has written down
    Import(append::Import),
    /// Show one event
    Show(show::Show),
    /// Show the newest events
    Tail(show::Tail),
    /// Write the proof of one event, or the evidence for a range
    Prove(prove::Prove),
    /// Check ledgers, a proof file or an evidence folder; works offline
    Verify(verify::Verify),
    /// Print the newest signed checkpoint
    Checkpoint(prove::CheckpointCommand),
    /// Print figures about the ledgers
    Stats(stats::Stats),
    /// Erase sections of events; every proof still holds
    Erase(keys::Erase),
    /// Put another key-encryption key in the place of the present one
    RotateKey(keys::RotateKey),
    /// Check, show and describe the configuration, or import another product's
    Config(config::Command),
    /// Serve events over HTTP
    Serve(serve::Serve),
    /// Record the week of an organisation that does not exist, to try things on
    Demo(demo::Demo),
}

/// Where the data lies and what it takes to open it.
#[derive(Args, Clone)]
struct Data {
    /// Folder of everything
    #[arg(long = "data", value_name = "DIR", env = "INDELIBLE_DATA", default_value = "data")]
    data: PathBuf,
    /// The key-encryption key: a file of 64 hex digits, or env.NAME [default: DIR/kek]
    #[arg(long, value_name = "FILE|env.NAME", env = "INDELIBLE_KEY_FILE")]
    key_file: Option<String>,
    /// Tag every event with HMAC-SHA256 under this key of at least 32 bytes: env.NAME
    #[arg(long, value_name = "env.NAME", env = "INDELIBLE_HMAC_KEY")]
    hmac_key: Option<String>,
    /// Keep a second copy of every signed head here, best on another volume
    #[arg(long, value_name = "DIR", env = "INDELIBLE_HEADS_COPY")]
    heads_copy: Option<PathBuf>,
    /// Names of new ledgers begin with this, for example audit.example.com [default: random]
    #[arg(long, value_name = "NAME", env = "INDELIBLE_ORIGIN")]
    origin: Option<String>,
}

impl Data {
    fn settings(&self) -> anyhow::Result<Settings> {
        let mut settings = Settings::new(&self.data);
        settings.key = self.key_file.as_deref().map(key_source).transpose()?;
        if let Some(reference) = &self.hmac_key {
            let key = proof::MacKey::new(secret(reference)?.as_bytes());
            settings.hmac_key = Some(Arc::new(key.map_err(|e| anyhow::anyhow!("--hmac-key: {}", e.what()))?));
        }
        settings.heads_copy.clone_from(&self.heads_copy);
        settings.origin.clone_from(&self.origin);
        Ok(settings)
    }

    fn open(&self) -> anyhow::Result<Indelible> {
        Ok(Indelible::open(io(), self.settings()?)?)
    }

    fn read(&self) -> anyhow::Result<Indelible> {
        Ok(Indelible::open_read_only(io(), self.settings()?)?)
    }
}

fn io() -> Arc<dyn Io> {
    Arc::new(OsIo::new())
}

fn key_source(reference: &str) -> anyhow::Result<KeySource> {
    match reference.strip_prefix("env.") {
        Some(_) => Ok(KeySource::given(reference, &secret(reference)?)?),
        None => Ok(KeySource::File(PathBuf::from(reference))),
    }
}

/// The value of `env.NAME`. Secrets are never given on the command line, where others can read them.
fn secret(reference: &str) -> anyhow::Result<String> {
    let name = reference
        .strip_prefix("env.")
        .ok_or_else(|| anyhow::anyhow!("expected env.NAME, the name of an environment variable"))?;
    std::env::var(name).map_err(|_| anyhow::anyhow!("the environment variable {name} is not set"))
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Init(command) => command.run(),
        Command::Append(command) => command.run(),
        Command::Import(command) => command.run(),
        Command::Show(command) => command.run(),
        Command::Tail(command) => command.run(),
        Command::Prove(command) => command.run(),
        Command::Verify(command) => command.run(),
        Command::Checkpoint(command) => command.run(),
        Command::Stats(command) => command.run(),
        Command::Erase(command) => command.run(),
        Command::RotateKey(command) => command.run(),
        Command::Config(command) => command.run(),
        Command::Serve(command) => command.run(),
        Command::Demo(command) => command.run(),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("indelible: {}", output::printable(&format!("{error:#}")));
        ExitCode::from(1)
    })
}
