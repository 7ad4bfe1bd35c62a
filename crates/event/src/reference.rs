//! `docs/reference/event.md`, written from the tables.

use std::fmt::Write;

use crate::field::{self, FIELDS, Field, Shape};
use crate::kind::{Category, KINDS};
use crate::otel::{self, Age};
use crate::outcome::{self, Word};
use crate::refusal::Code;
use crate::spec::{HOMES, Spec};

/// The reference of events: kinds, fields, words, where the specifications' and OpenTelemetry's fields live, and refusals.
pub fn reference() -> String {
    let mut out = String::from(HEAD);
    write_all(&mut out).expect("writing to a string does not fail");
    out
}

const HEAD: &str = "\
<!-- Written from the tables in crates/event. To change it, change them and run `UPDATE_EXPECT=1 cargo test -p event`. -->

# Events, version 1

An event is one JSON object. Only `type` must be there:

```json
{\"type\": \"auth.login\", \"status\": \"failed\", \"actor\": {\"email\": \"alice@company.com\", \"ip\": \"203.0.113.42\"}}
```

Events are read strictly, once.
What JSON readers disagree about is refused: the same key twice, whole numbers beyond ±(2^53−1), halves of characters, more than 64 levels.
So is a name that is not in the table of fields; `attributes` takes whatever has no field of its own.
A `null` says nothing: the member is dropped, except inside `changes`, `content` and objects with any members.
Money and 64-bit ids travel as strings.
Events are kept as canonical JSON (RFC 8785), each field in the leaf or in one of four sections (`docs/format.md`, 1.2 and 1.4).
";

fn write_all(out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n## Fields\n")?;
    writeln!(out, "`[]` after a name: a list, of which the rest of the path describes one item.\n")?;
    writeln!(out, "| field | form | kept in | what it says | asked by | OpenTelemetry |")?;
    writeln!(out, "|---|---|---|---|---|---|")?;
    for Field { path, shape, section, about } in FIELDS {
        let form = match shape {
            Shape::Text(max) => format!("text {max}"),
            shape => shape.name().to_string(),
        };
        let (section, asked, otel) = (section.name(), asked_by(path), otel_names(path));
        writeln!(out, "| `{path}` | {form} | {section} | {about} | {asked} | {otel} |")?;
    }
    writeln!(out, "\n| form | |\n|---|---|")?;
    for shape in Shape::ALL {
        let about = match shape {
            Shape::Text(_) => "text of at most so many characters".to_string(),
            shape => shape.about(),
        };
        writeln!(out, "| {} | {about} |", shape.name())?;
    }
    writeln!(
        out,
        "\nShown beside them, and never sent: `id` (ours, a UUIDv7), `position`, `received`, and `erased`, the names of sections that are gone."
    )?;

    writeln!(out, "\n## Status and severity\n")?;
    writeln!(
        out,
        "Upper and lower case are one. A synonym is recorded as the word in the first column; any other word is kept as it came, with code {}.\n",
        outcome::OTHER
    )?;
    words(out, "status", outcome::STATUSES)?;
    writeln!(out)?;
    words(out, "severity", outcome::SEVERITIES)?;

    writeln!(out, "\n## Kinds\n")?;
    writeln!(
        out,
        "A type that is not here is kept as it came. It takes the category of its area (the name up to the first point), and no severity unless the sender says one."
    )?;
    for category in Category::ALL {
        let bifrost = category.bifrost().map_or(String::new(), |name| format!(" (Bifrost: `{name}`)"));
        writeln!(out, "\n### {}{bifrost}\n", category.name())?;
        writeln!(out, "| type | severity | what happened | asked by |\n|---|---|---|---|")?;
        for kind in KINDS.iter().filter(|kind| kind.category == *category) {
            let asked = numbers(kind.asked_by.iter().copied());
            writeln!(out, "| `{}` | {} | {} | {asked} |", kind.name, kind.severity.name(), kind.about)?;
        }
    }

    writeln!(out, "\n## Every field of the four specifications' examples\n")?;
    writeln!(out, "| specification | their field | lives in | note |\n|---|---|---|---|")?;
    for home in HOMES {
        let ours = if home.ours.is_empty() { "–".to_string() } else { format!("`{}`", home.ours) };
        writeln!(out, "| {} | `{}` | {ours} | {} |", home.spec.number(), home.theirs, home.note)?;
    }
    writeln!(out)?;
    for spec in Spec::ALL {
        writeln!(out, "* {}: {}", spec.number(), spec.title())?;
    }

    writeln!(out, "\n## OpenTelemetry\n")?;
    writeln!(out, "Attributes that are not here go to `attributes` under their own name.\n")?;
    writeln!(out, "| attribute | lives in | |\n|---|---|---|")?;
    for name in otel::NAMES {
        let age = match name.age {
            Age::Current => "",
            Age::Older => "older name",
            Age::Vendor => "not in the conventions",
        };
        writeln!(out, "| `{}` | `{}` | {age} |", name.otel, name.ours)?;
    }

    writeln!(out, "\n## Refusals\n")?;
    writeln!(out, "A refusal says a code, a place (JSON pointer) and a reason; it never quotes a value.\n")?;
    writeln!(out, "| code | what is wrong |\n|---|---|")?;
    for code in Code::ALL {
        writeln!(out, "| `{code}` | {} |", code.about())?;
    }
    Ok(())
}

fn words(out: &mut String, title: &str, table: &[Word]) -> std::fmt::Result {
    writeln!(out, "| {title} | code | also understood | what it says |\n|---|---|---|---|")?;
    for word in table {
        writeln!(out, "| `{}` | {} | {} | {} |", word.name, word.code, word.synonyms.join(", "), word.about)?;
    }
    Ok(())
}

fn asked_by(path: &str) -> String {
    let mut specs: Vec<_> = HOMES
        .iter()
        .filter(|home| field::find(home.ours).is_some_and(|found| found.path == path))
        .map(|home| home.spec)
        .collect();
    specs.sort();
    specs.dedup();
    numbers(specs.into_iter())
}

fn otel_names(path: &str) -> String {
    let names = otel::NAMES.iter().filter(|name| name.ours == path && name.age == Age::Current);
    names.map(|name| format!("`{}`", name.otel)).collect::<Vec<_>>().join(", ")
}

fn numbers(specs: impl Iterator<Item = Spec>) -> String {
    specs.map(Spec::number).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods)]
    fn the_committed_reference_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/event.md");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(path, reference()).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == reference(), "{path} is stale: run UPDATE_EXPECT=1 cargo test -p event");
    }
}
