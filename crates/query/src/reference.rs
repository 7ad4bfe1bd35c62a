//! `docs/reference/query.md`, written from the tables.

use std::fmt::Write;

use event::kind::Category;
use event::outcome::{SEVERITIES, STATUSES};

use crate::field::{ALIASES, SEVERAL, fields};

/// The reference of the filter language, for `docs/reference/query.md`.
pub fn reference() -> String {
    let mut out = String::from(HEAD);
    write_all(&mut out).expect("writing to a string does not fail");
    out
}

const HEAD: &str = r#"<!-- Written from the tables in crates/query. To change it, change them and run `UPDATE_EXPECT=1 cargo test -p query`. -->

# Filters

One language asks everywhere: search, export, tail, sinks, alert rules, row scopes of roles, retention rules, saved views and URLs.

```
actor.id:alice -status:success type:auth.* severity>=high ip:203.0.113.0/24 time:-7d "free text"
```

Clauses next to each other must all hold. Nothing but keys inside open fields is sensitive to case.

## Clauses

| written | finds events where |
|---|---|
| `field:value` | the field has the value; in a list, one of its items |
| `field:"two words"` | the same, with spaces or signs in the value; inside of quotes `\"` is a quote and `\\` a backslash |
| `field:(a OR b)` | one of the values; `(a b)` both, in a list; `(a -b)` one and not the other |
| `field:val*`, `field:*mid*dle` | the value fits, with anything for each `*` (`\*` is an asterisk, `\ ` a space) |
| `field:*`, `exists:field`, `has:field` | there is a value, or one below it: `exists:llm` |
| `field>5`, `>=`, `<`, `<=` | the value compares so; `field:>5` is the same, and spaces around the sign are allowed |
| `field=a`, `field!=a` | the same as `field:a` and `-field:a` |
| `field:[a TO b]`, `{a TO b}`, `[a TO b}` | from a to b, with `[ ]` including and `{ }` excluding the end; `*` for an open end |
| `field:a..b`, `a..`, `..b` | the same as `[a TO b]`, for numbers, times and severities |
| `actor.ip:203.0.113.0/24` | the address is in the network |
| `word`, `"some words"` | some text of the event holds these words, one after the other |
| `fail*` | some text holds a word that begins so |
| `*` | every event |

| combined | |
|---|---|
| `a b`, `a AND b` | both |
| `a OR b` | either; binds less than AND |
| `NOT a`, `-a`, `!a` | not; binds most |
| `( … )` | grouped |

`AND`, `OR`, `NOT` and `TO` are capital; small `and`, `or` and `not` by themselves are refused rather than guessed at.
Text that holds `:`, `=`, `<` or `>` must be quoted (URLs, IPv6 addresses), unless it is a value after the name of a field.

## Values

**Equality.** Text without regard to case. A value that is a number equals numbers of that value and text that is a decimal: `5` finds `5`, `5.0` and `"5"`; numbers beyond ±(2^53−1) are compared as text. `true` and `false` find booleans. Ids are text only. Prose (`message`, `error.message` and the like) is searched for the words as a phrase. For an address every way to write it is the same, also IPv4 written as IPv6.

**Times.** RFC 3339 (`2026-11-22T10:30:00Z`); a day, month or year in UTC (`2026-11-22`, `2026-11`, `2026`), which is all of it: `time>2026-11` begins in December, `time<=2026-11` ends with November; relative to now: `now`, `now-7d`, `now+90m`, `-24h`, in units `s`, `m`, `h`, `d`, `w` (`ms`, `us`, `ns` too). `time:-24h` is the last 24 hours.

**Lengths of time.** Fields that end in `_ms` take `2s`, `1.5m`, `300ms`.

**Comparison.** Numbers with numbers and decimals as text. In open fields, a bare RFC 3339 time or `now-7d` is compared as a time; a date there as text. Anything else, and whatever is quoted, is compared as text by code point. A value that does not compare does not match. `severity` is ordered `info` < `low` < `medium` < `high` < `critical`.

**Free text.** Words are runs of letters and digits, kept to 64 bytes. Searched are keywords, addresses, prose and open fields, by their words; ids and fingerprints, and values that look like ids (UUIDs, 16 or more hexadecimal digits, 20 or more of `A-Z a-z 0-9 _ -` with a quarter digits), only as a whole. Numbers and times are not searched as text.

**Open fields.** Below them any path may be asked about: `attributes.tenant.name:acme` finds `{"tenant": {"name": "Acme"}}` and `{"tenant.name": "Acme"}`. A name with unusual characters is quoted: `"attributes.cost center":42`.

A name that is no field is an error with a suggestion, never an empty result.
Limits: 4096 bytes (also with every name written out), 200 clauses, 32 levels.
Printed filters are canonical: names and words as in the tables below, and parsing them again gives the same filter.
"#;

fn write_all(out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n## Fields\n")?;
    writeln!(out, "| field | kind | also | what it says |\n|---|---|---|---|")?;
    for info in fields() {
        let also: Vec<_> = info.aliases.iter().map(|alias| format!("`{alias}`")).collect();
        writeln!(out, "| `{}` | {} | {} | {} |", info.path, info.kind.name(), also.join(", "), info.about)?;
    }

    writeln!(out, "\n## Other names\n")?;
    writeln!(out, "They are printed back as the field.\n")?;
    writeln!(out, "| name | asks |\n|---|---|")?;
    let several = SEVERAL.iter().map(|(name, of)| (*name, of.join("` or `")));
    let mut names: Vec<_> = ALIASES.iter().map(|(name, of)| (*name, of.to_string())).chain(several).collect();
    names.sort();
    for (name, of) in names {
        writeln!(out, "| `{name}` | `{of}` |")?;
    }

    writeln!(out, "\n## Words\n")?;
    writeln!(
        out,
        "A synonym is understood and printed back as the word. `type` takes the kinds of `event.md`, and any other.\n"
    )?;
    writeln!(out, "| field | word | also understood | what it says |\n|---|---|---|---|")?;
    for (field, words) in [("status", STATUSES), ("severity", SEVERITIES)] {
        for word in words {
            writeln!(out, "| {field} | `{}` | {} | {} |", word.name, word.synonyms.join(", "), word.about)?;
        }
    }
    for category in Category::ALL {
        let also = category.bifrost().filter(|name| *name != category.name());
        let also = also.filter(|name| Category::named(name) == Some(*category)).unwrap_or_default();
        writeln!(out, "| category | `{}` | {also} | |", category.name())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Filter;

    #[test]
    #[allow(clippy::disallowed_methods)]
    fn the_committed_reference_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/query.md");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(path, reference()).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == reference(), "{path} is stale: run UPDATE_EXPECT=1 cargo test -p query");
    }

    #[test]
    fn the_examples_are_filters() {
        let example = HEAD.split("```").nth(1).unwrap();
        assert!(Filter::parse(example).is_ok());
        for example in
            [r#""attributes.cost center":42"#, "attributes.tenant.name:acme", "time<=2026-11", "exists:llm"]
        {
            assert!(HEAD.contains(example) && Filter::parse(example).is_ok(), "{example}");
        }
    }
}
