//! The binary `indelible`: settings from the command line and the environment, and a command each
//! in a file of its own.
//!
//! Exit codes: 0 done; 1 something was refused or did not work, and standard error says what;
//! 2 the command was wrong; of `verify`: 0 verified, 10 cannot check, 11 damaged, 20 incomplete,
//! 30 tampered, 40 rolled back, 50 split view.

#![allow(clippy::print_stdout, clippy::print_stderr)]

mod administration;
mod append;
mod config;
mod demo;
mod export;
mod health;
mod input;
mod keys;
mod output;
mod prove;
mod quarantine;
mod query;
mod redact;
mod serve;
mod show;
mod sources;
mod stats;
mod verify;

use std::process::ExitCode;
use std::sync::Arc;

use clap::{ArgMatches, Args, FromArgMatches, Parser, Subcommand};
use indelible::{Indelible, Settings};
use ledger::io::{Io, OsIo};

use crate::config::{Config, Environment, Given};

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
    /// Find events; count, sum and sort them into days
    Query(query::Query),
    /// Find where a text was sent or answered, by its keyed fingerprint
    FindText(query::FindText),
    /// Take events out in a file
    Export(export::Export),
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
    /// Say what the redaction policy would take out of events; records nothing
    Redact(redact::Redact),
    /// Look at what was refused at the door
    Quarantine(quarantine::Quarantine),
    /// API keys; also the way back in for an administrator who has none
    Keys(administration::Keys),
    /// Users and their roles
    Users(administration::Users),
    /// Organisations
    Organisations(administration::Organisations),
    /// Put another key-encryption key in the place of the present one
    RotateKey(keys::RotateKey),
    /// Check, show and describe the configuration, or import another product's
    Config(config::Command),
    /// Say what each way of sending can tell, and what it cannot
    Sources(sources::Sources),
    /// Serve events over HTTP
    Serve(serve::Serve),
    /// Ask a server whether it works; for containers
    Health(health::Health),
    /// Record the week of an organisation that does not exist, to try things on
    Demo(demo::Demo),
}

/// Where the data lies, what it takes to open it, and what may be kept: the same configuration for every command, so that
/// `append` keeps no more than `serve` does.
#[derive(Clone)]
struct Data(Given);

impl Data {
    fn config(&self) -> anyhow::Result<Config> {
        Config::of_command(&self.0, &Environment::of_the_process())
    }

    fn settings(&self) -> anyhow::Result<Settings> {
        self.config()?.settings(&Environment::of_the_process())
    }

    fn open(&self) -> anyhow::Result<Indelible> {
        Ok(Indelible::open(io(), self.settings()?)?)
    }

    fn read(&self) -> anyhow::Result<Indelible> {
        Ok(Indelible::open_read_only(io(), self.settings()?)?)
    }
}

impl Args for Data {
    fn augment_args(command: clap::Command) -> clap::Command {
        let flags = Given::augment_args(clap::Command::new(""));
        // All work before and after the second word of commands such as `keys list`. What says nothing to anyone but
        // `serve` is understood too, as it may stand in a script for all commands.
        let flag = |flag: &clap::Arg| flag.clone().global(true).hide(flag.get_id() == "listen");
        command.args(flags.get_arguments().map(flag))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Data::augment_args(command)
    }
}

impl FromArgMatches for Data {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Data, clap::Error> {
        Given::from_arg_matches(matches).map(Data)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}

fn io() -> Arc<dyn Io> {
    Arc::new(OsIo::new())
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Init(command) => command.run(),
        Command::Append(command) => command.run(),
        Command::Import(command) => command.run(),
        Command::Show(command) => command.run(),
        Command::Tail(command) => command.run(),
        Command::Query(command) => command.run(),
        Command::FindText(command) => command.run(),
        Command::Export(command) => command.run(),
        Command::Prove(command) => command.run(),
        Command::Verify(command) => command.run(),
        Command::Checkpoint(command) => command.run(),
        Command::Stats(command) => command.run(),
        Command::Erase(command) => command.run(),
        Command::Redact(command) => command.run(),
        Command::Quarantine(command) => command.run(),
        Command::Keys(command) => command.run(),
        Command::Users(command) => command.run(),
        Command::Organisations(command) => command.run(),
        Command::RotateKey(command) => command.run(),
        Command::Config(command) => command.run(),
        Command::Sources(command) => command.run(),
        Command::Serve(command) => command.run(),
        Command::Health(command) => command.run(),
        Command::Demo(command) => command.run(),
    };
    outcome.unwrap_or_else(|error| {
        // Lines of ours stay lines: a filter with marks under what is wrong, a configuration with all that is.
        for (n, line) in format!("{error:#}").lines().enumerate() {
            eprintln!("{}{}", if n == 0 { "indelible: " } else { "" }, output::printable(line));
        }
        ExitCode::from(1)
    })
}
