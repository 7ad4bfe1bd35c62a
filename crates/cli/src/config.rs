//! `config`: what the program is told, checked and shown; and the [`Config`] it makes of it.
//!
//! One table says which settings there are ([`settings`]) and each has a shape ([`shape`]). They are read in layers
//! ([`load`]), compared with each other ([`rules`]), and become the [`Config`] that the program takes ([`typed`]). The
//! schema, the example and the reference are written from the same table.

mod example;
mod file;
mod import;
mod load;
mod oidc;
mod reference;
mod rules;
mod schema;
mod secret;
mod settings;
mod shape;
mod typed;

#[cfg(test)]
mod tests;

use std::process::ExitCode;

use clap::Subcommand;

use crate::output;
pub(crate) use load::{Effective, Given, Source};
pub(crate) use secret::Environment;
pub(crate) use shape::{Held, Shape};
pub(crate) use typed::{Config, Log, Tls};

use load::Problem;

#[derive(clap::Args)]
pub(crate) struct Command {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Say everything that is wrong with the configuration
    Check {
        #[command(flatten)]
        given: Given,
        /// Don't look whether secrets are there and fit
        #[arg(long)]
        without_secrets: bool,
    },
    /// Show the settings in force and where each comes from; secrets stay where they are
    Show {
        #[command(flatten)]
        given: Given,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Print a JSON Schema of the file
    Schema,
    /// Print an example with every setting
    Example,
    /// Print what every setting does, in Markdown
    Reference,
    /// Print another product's audit-log settings as a configuration
    Import(import::Import),
}

impl Command {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let env = Environment::of_the_process();
        match self.what {
            What::Check { given, without_secrets } => Ok(check(&given, &env, !without_secrets)),
            What::Show { given, json } => Ok(show(&given, &env, json)),
            What::Schema => {
                output::json(&schema::schema());
                Ok(ExitCode::SUCCESS)
            }
            What::Example => {
                output::print(example::example());
                Ok(ExitCode::SUCCESS)
            }
            What::Reference => {
                output::print(reference::reference());
                Ok(ExitCode::SUCCESS)
            }
            What::Import(import) => {
                let imported = import.run(&env)?;
                output::print(imported.toml());
                Ok(said(&imported.refused))
            }
        }
    }
}

fn check(given: &Given, env: &Environment, with_secrets: bool) -> ExitCode {
    let (effective, problems) = Config::check(given, env, with_secrets);
    if problems.is_empty() {
        let set = effective.entries().iter().filter(|entry| entry.source != Source::Default).count();
        let file = effective.file.map_or("no file".into(), |file| file.display().to_string());
        output::line(format_args!("{}: nothing wrong, {set} settings given", output::printable(&file)));
    }
    said(&problems.iter().map(Problem::to_string).collect::<Vec<_>>())
}

fn show(given: &Given, env: &Environment, json: bool) -> ExitCode {
    let (effective, problems) = load::load(given, env);
    let entries = effective.entries();
    if json {
        let member = |entry: &load::Entry| {
            let value = entry.held.as_ref().map_or(event::Value::Null, Held::value);
            let said =
                output::object(vec![("from", output::text(entry.source.to_string())), ("value", value)]);
            (entry.setting.path, said)
        };
        output::json(&output::object(entries.iter().map(member).collect()));
    } else {
        let mut rows = vec![["setting", "value", "from"].map(String::from).to_vec()];
        rows.extend(entries.iter().map(|entry| {
            let held = entry.held.as_ref().map_or_else(|| "none".to_owned(), Held::to_string);
            vec![entry.setting.path.to_owned(), output::printable(&held), entry.source.to_string()]
        }));
        output::table(&rows);
    }
    said(&problems.iter().map(Problem::to_string).collect::<Vec<_>>())
}

/// Says what is wrong on standard error, if anything is.
fn said(wrong: &[String]) -> ExitCode {
    for line in wrong {
        eprintln!("indelible: {}", output::printable(line));
    }
    ExitCode::from(u8::from(!wrong.is_empty()))
}
