//! docs/reference/configuration.md, written from the table.

use std::fmt::Write;

use crate::config::settings::{SETTINGS, Short, choices_to_tell, table_about};
use crate::config::shape::{Choice, Shape};

/// docs/reference/configuration.md
pub(crate) fn reference() -> String {
    let mut out = String::from(HEAD);
    write_reference(&mut out).expect("writing to a string does not fail");
    out
}

const HEAD: &str = "\
<!-- Written from the table in crates/cli/src/config/settings.rs. To change it, change that and run `UPDATE_EXPECT=1 cargo test -p cli`. -->

# Configuration

Indelible needs no configuration to start.
What it is told comes from four layers; each overrules those before it:

1. the defaults below;
2. one file, TOML, or JSON if its name ends in `.json`: `--config FILE`, else `INDELIBLE_CONFIG`, else `indelible.toml` in the working folder if it is there;
3. variables of the environment: `INDELIBLE__SERVER__LISTEN` is `server.listen`, two underscores for each dot;
4. flags: those named below, and `--set NAME=VALUE` for any setting.

[deploy/indelible.toml](../../deploy/indelible.toml) is an example with every setting; the container image, the systemd unit and the Kubernetes manifest beside it use it.

| command | |
|---|---|
| `indelible config check` | says everything that is wrong, with file, line, name, and what was probably meant; the exit code is 1 if anything is. `--without-secrets` does not look whether secrets are there |
| `indelible config show` | the settings in force and where each comes from; `--json` for programs. Of a secret it shows where it is |
| `indelible config schema` | JSON Schema 2020-12 of the file, for editors |
| `indelible config example` | the example, `config reference` this page |
| `indelible config import` | what another product's audit-log settings are here (below) |

## Rules

- A name that is not below is refused, and so is a value that does not fit. Nothing is guessed, nothing is ignored.
- Sizes are text with a unit (`B`, `KiB`, `MiB`, `GiB`, `TiB`) or a number of bytes; times are text with a unit (`ms`, `s`, `m`, `h`, `d`) or a number of seconds.
- Lists in the environment and in flags are written as in TOML (`[\"10.0.0.0/8\", \"fd00::/8\"]`); networks also with commas between them.
- A variable that is set and empty is refused: unset it.
- A secret is never in the file, the environment's `INDELIBLE__…` or a flag, only where it is: `env.NAME`, a variable, or `file:/path`, a file (without the end of its last line). Only settings of the form *secret* take these.
- Plain HTTP beyond the loopback is refused without `server.insecure`.
- Relative paths start at the working folder.
- `redaction`, `retention` and `recording` say what holds from the start on; they never change what is already recorded.
";

fn write_reference(out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n## Settings")?;
    let mut table = None;
    for (at, setting) in SETTINGS.iter().enumerate() {
        if table != Some(setting.table()) {
            table = Some(setting.table());
            match setting.table() {
                "" => writeln!(out)?,
                table => writeln!(out, "\n### {table}\n\n{}\n", table_about(table))?,
            }
            writeln!(out, "| setting | form | default | what it does |\n|---|---|---|---|")?;
        }
        let default = match setting.default() {
            Some(held) => format!("`{}`", cell(&held.to_string())),
            None => "none".into(),
        };
        let mut about = setting.about.to_owned();
        if setting.default != Some(setting.example) {
            write!(about, " Example: `{}`.", setting.example())?;
        }
        for Choice(word, means) in choices_to_tell(at) {
            write!(about, "<br>`{word}`: {means}.")?;
        }
        if let Shape::Rows(columns) = &setting.shape {
            for column in *columns {
                let default = column.default().map(|held| format!(" Default: `{held}`.")).unwrap_or_default();
                write!(about, "<br>`{}` ({}): {}{default}", column.path, form(&column.shape), column.about)?;
                if let Shape::Choice(choices) = &column.shape {
                    let choices: Vec<String> =
                        choices.iter().map(|Choice(word, means)| format!("`{word}`: {means}")).collect();
                    write!(about, " {}.", choices.join("; "))?;
                }
            }
        }
        writeln!(
            out,
            "| `{}` | {} | {default} | {} |",
            setting.path,
            cell(&form(&setting.shape)),
            cell(&about)
        )?;
    }
    writeln!(out, "\n## Shorter names\n\n| setting | flag | in the environment, too |\n|---|---|---|")?;
    for setting in SETTINGS {
        let flag = setting.flag.map(|flag| format!("`--{flag}`")).unwrap_or_default();
        let short = match setting.short {
            Short::No => continue,
            Short::Same(name) => format!("`{name}`"),
            Short::Secret(name) => format!("`{name}`, which holds the secret itself"),
        };
        writeln!(out, "| `{}` | {flag} | {short} |", setting.path)?;
    }
    out.push_str(IMPORT);
    Ok(())
}

/// What a setting may be, in a few words.
fn form(shape: &Shape) -> String {
    match shape {
        Shape::Secret => "secret: `env.NAME` or `file:/path`".into(),
        Shape::KeyFile => "secret: a path, `file:/path` or `env.NAME`".into(),
        Shape::Choice(choices) => {
            choices.iter().map(|choice| format!("`{:?}`", choice.0)).collect::<Vec<_>>().join(" or ")
        }
        Shape::Rows(columns) => {
            format!(
                "list of tables: {}",
                columns.iter().map(|column| column.path).collect::<Vec<_>>().join(", ")
            )
        }
        Shape::Networks => "list of networks".into(),
        Shape::Filters => "list of filters".into(),
        Shape::Filter => "filter".into(),
        Shape::Address => "address and port".into(),
        Shape::Bytes(..) | Shape::Time(..) => {
            shape.expected().split(',').next().unwrap_or_default().to_owned()
        }
        shape => shape.expected(),
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

const IMPORT: &str = "
## Coming from Bifrost or LiteLLM

`indelible config import --from bifrost FILE.json` reads the `audit_logs` block of Bifrost's configuration, `--from bifrost --env` its variables, and `--from litellm --env` LiteLLM's; each prints TOML.
What cannot be carried over as it was said stands in a comment and on standard error, and the exit code is 1.

| theirs | here |
|---|---|
| `audit_logs.disabled`, `BIFROST_AUDIT_LOGS_ENABLED` | nothing: Indelible is not switched off by a file; not starting it is how it is off. `disabled: true` is refused |
| `audit_logs.hmac_key` | `keys.hmac_key`. A key written out in the file is not copied |
| `audit_logs.retention_days`, `BIFROST_AUDIT_RETENTION_DAYS` | `retention.days`; 0 keeps for good in both, 1 to 89 is refused |
| `BIFROST_AUDIT_ARCHIVE_DAYS` | no counterpart yet; kept as a comment |
| `BIFROST_AUDIT_AUTH_EVENTS`, `BIFROST_AUDIT_CONFIG_CHANGES`, `BIFROST_AUDIT_SECURITY_EVENTS` | nothing: every event that is sent is recorded. `false` is refused; a gateway that is not to record them does not send them |
| `BIFROST_AUDIT_IMMUTABLE` | nothing: it always is. `false` is refused |
| `audit_logs.siem_integration`, `audit_logs.webhooks` | no setting: sinks are administration and arrive with a command of their own; kept as a comment without addresses and tokens |
| `LITELLM_STORE_AUDIT_LOGS` | nothing: what LiteLLM sends to `/ingest/litellm` is recorded. `false` is refused |
";
