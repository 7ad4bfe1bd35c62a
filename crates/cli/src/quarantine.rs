//! `quarantine`: what was refused at the door, on a data folder that no server uses.

use std::process::ExitCode;

use access::Viewer;
use event::Value;
use indelible::DEFAULT;

use crate::Data;
use crate::output::{json, line, short, table};
use crate::show::people;

#[derive(clap::Args)]
pub(crate) struct Quarantine {
    #[command(flatten)]
    data: Data,
    /// Whose
    #[arg(long, global = true, default_value = DEFAULT)]
    organisation: String,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// The newest entries
    List {
        /// How many
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// One entry, with what is kept of it
    Show {
        /// As the list shows it
        id: i64,
    },
    /// Throw an entry away
    Discard {
        /// As the list shows it
        id: i64,
    },
}

impl Quarantine {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let product = self.data.open()?;
        let viewer = Viewer::command("quarantine");
        match self.what {
            What::List { limit } => {
                let entries = product.quarantined(&viewer, &self.organisation, limit)?;
                match self.json {
                    true => json(&Value::Array(entries)),
                    false => print(&entries),
                }
            }
            What::Show { id } => {
                let entry = product.quarantined_one(&viewer, &self.organisation, id)?;
                match self.json {
                    true => json(&entry),
                    false => people(&entry, 0),
                }
            }
            What::Discard { id } => {
                product.discard(&viewer, &self.organisation, id)?;
                line(format_args!("discarded {id}"));
            }
        }
        product.close()?;
        Ok(ExitCode::SUCCESS)
    }
}

fn print(entries: &[Value<'_>]) {
    let columns = ["id", "received", "by", "pointer", "reason"];
    let mut rows = vec![columns.map(str::to_owned).to_vec()];
    rows.extend(entries.iter().map(|entry| {
        columns
            .iter()
            .map(|column| short(entry.get(column).and_then(Value::as_str).unwrap_or_default(), 60))
            .collect()
    }));
    table(&rows);
}
