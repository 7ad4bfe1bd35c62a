//! `sources`: what each way of sending can tell, beside what an event can say, and what it cannot.

use std::fmt::Write;
use std::process::ExitCode;

use event::Value;
use event::field::{FIELDS, Field, Section, Shape};
use receivers::sources::{Source, sources};

use crate::output::{json, line, object, print, table, text};

#[derive(clap::Args)]
pub(crate) struct Sources {
    /// One of them, with what each field is filled with
    name: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print all of it as Markdown, as in docs/reference/sources.md
    #[arg(long, conflicts_with_all = ["json", "name"])]
    markdown: bool,
}

impl Sources {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        if self.markdown {
            print(page());
            return Ok(ExitCode::SUCCESS);
        }
        let mut all = sources();
        if let Some(name) = &self.name {
            let names: Vec<&str> = all.iter().map(|source| source.name).collect();
            anyhow::ensure!(names.contains(&name.as_str()), "no such source; there are {}", names.join(", "));
            all.retain(|source| source.name == name);
        }
        match (self.json, self.name) {
            (true, _) => json(&Value::Array(all.iter().map(value).collect())),
            (false, Some(_)) => all.iter().for_each(one),
            (false, None) => {
                table(&coverage(&all));
                all.iter().for_each(cannot);
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Fields that a sender can fill, blocks apart.
fn fields() -> impl Iterator<Item = &'static Field> {
    FIELDS.iter().filter(|field| {
        field.shape != Shape::Block
            && !matches!(field.section, Section::Redactions | Section::Ledger)
            && field.path != "id"
    })
}

fn coverage(all: &[Source]) -> Vec<Vec<String>> {
    let head = std::iter::once("field").chain(all.iter().map(|source| source.name));
    let mut rows = vec![head.map(str::to_owned).collect::<Vec<_>>()];
    for field in fields() {
        let marks = all.iter().map(|source| if source.fills(field.path) { "yes" } else { "" }.to_owned());
        rows.push(std::iter::once(field.path.to_owned()).chain(marks).collect());
    }
    rows
}

fn cannot(source: &Source) {
    line(format_args!("\n{} can't tell", source.name));
    source.cannot.iter().for_each(|text| line(format_args!("  - {text}")));
}

fn one(source: &Source) {
    line(format_args!("{}: {}\n{}\n", source.name, source.about, source.door));
    let row = |(ours, theirs): &(String, String)| vec![ours.clone(), theirs.clone()];
    let head = vec!["field".to_owned(), "from".to_owned()];
    table(&std::iter::once(head).chain(source.fields.iter().map(row)).collect::<Vec<_>>());
    if !source.kinds.is_empty() {
        line(format_args!("\nkinds: {}", source.kinds.join(", ")));
    }
    cannot(source);
}

fn value(source: &Source) -> Value<'static> {
    let texts = |texts: &[String]| Value::Array(texts.iter().map(|one| text(one.clone())).collect());
    let field = |(ours, theirs): &(String, String)| {
        object(vec![("field", text(ours.clone())), ("from", text(theirs.clone()))])
    };
    object(vec![
        ("name", text(source.name)),
        ("door", text(source.door.clone())),
        ("about", text(source.about.clone())),
        ("fields", Value::Array(source.fields.iter().map(field).collect())),
        ("kinds", texts(&source.kinds)),
        ("cannot", texts(&source.cannot)),
    ])
}

const HEAD: &str = "\
<!-- Written from the adapters' own tables. To change it, change those and run `UPDATE_EXPECT=1 cargo test -p cli`. -->

# Sources

What each way of sending can tell, beside what an event can say, and what it cannot: `indelible sources` on the command line.
Events of our own (`POST /v1/events`) can say everything in [event.md](event.md).
What a sender does not say is never guessed: the field is not there.

## Coverage

A mark says that the adapter has a place for the field, not that every sender fills it.

";

/// docs/reference/sources.md
fn page() -> String {
    let all = sources();
    let mut out = HEAD.to_owned();
    write_page(&all, &mut out).expect("writing to a string does not fail");
    out
}

fn write_page(all: &[Source], out: &mut String) -> std::fmt::Result {
    for (n, row) in coverage(all).iter().enumerate() {
        let cells = row.iter().enumerate().map(|(column, cell)| match (n, column, cell.as_str()) {
            (0, ..) => cell.clone(),
            (_, 0, _) => format!("`{cell}`"),
            (_, _, "yes") => "●".to_owned(),
            _ => String::new(),
        });
        writeln!(out, "| {} |", cells.collect::<Vec<_>>().join(" | "))?;
        if n == 0 {
            writeln!(out, "|{}", "---|".repeat(row.len()))?;
        }
    }
    for source in all {
        writeln!(out, "\n## {}\n\n{}.\nComes in by {}.\n", source.name, source.about, source.door)?;
        writeln!(out, "It can't tell\n")?;
        source.cannot.iter().try_for_each(|text| writeln!(out, "- {text}"))?;
        if !source.kinds.is_empty() {
            let kinds: Vec<String> = source.kinds.iter().map(|kind| format!("`{kind}`")).collect();
            writeln!(out, "\nKinds: {}.", kinds.join(", "))?;
        }
        writeln!(out, "\n| field | from |\n|---|---|")?;
        source
            .fields
            .iter()
            .try_for_each(|(ours, theirs)| writeln!(out, "| `{ours}` | {} |", theirs.replace('|', "\\|")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use event::spec::HOMES;

    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods)]
    fn the_page_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/sources.md");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(path, page()).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == page(), "{path} is stale: run UPDATE_EXPECT=1 cargo test -p cli");
    }

    #[test]
    fn what_is_marked_is_a_field() {
        let all = sources();
        let rows = coverage(&all);
        for (n, source) in all.iter().enumerate() {
            assert!(rows.iter().any(|row| row[n + 1] == "yes"), "{} fills nothing", source.name);
        }
        // What the specifications print has a home, so somebody fills it.
        for home in HOMES.iter().filter(|home| !home.ours.starts_with("attributes")) {
            let path = home.ours;
            let is_filled = all.iter().any(|source| source.fills(path));
            assert!(is_filled || fields().all(|field| field.path != path), "nobody fills {path}");
        }
    }
}
