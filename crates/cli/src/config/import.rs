//! `config import`: what another product's audit-log settings are here.
//!
//! What has no counterpart is said in a comment. What would mean less of an audit log than before, or a secret in a file,
//! is refused: it is said in a comment and on standard error.

use std::path::{Path, PathBuf};

use crate::config::file::{self, Member, What};
use crate::config::secret::Environment;
use crate::config::settings::nearest_of;
use crate::config::shape::{DAYS_LEAST, Reference, toml_text};
use crate::input;
use crate::output::{printable, short};

#[derive(clap::Args)]
pub(crate) struct Import {
    /// Whose settings
    #[arg(long, value_enum)]
    from: From,
    /// Read the variables of the environment
    #[arg(long, conflicts_with = "file", required_unless_present = "file")]
    env: bool,
    /// Bifrost's configuration, JSON
    file: Option<PathBuf>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum From {
    Bifrost,
    Litellm,
}

/// TOML to be printed, and what was refused.
#[derive(Debug, Default)]
pub(crate) struct Imported {
    settings: Vec<(&'static str, &'static str, String)>,
    notes: Vec<String>,
    /// What could not be carried over as it was said.
    pub(crate) refused: Vec<String>,
}

impl Import {
    pub(crate) fn run(&self, env: &Environment) -> anyhow::Result<Imported> {
        match (self.from, &self.file) {
            (From::Bifrost, Some(path)) => bifrost_file(path),
            (From::Bifrost, None) => Ok(bifrost_variables(env)),
            (From::Litellm, None) => Ok(litellm(env)),
            (From::Litellm, Some(_)) => {
                anyhow::bail!("LiteLLM says whether it stores audit logs in the environment; use --env")
            }
        }
    }
}

impl Imported {
    fn set(&mut self, table: &'static str, name: &'static str, value: impl Into<String>) {
        self.settings.push((table, name, value.into()));
    }

    fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    fn refuse(&mut self, text: impl Into<String>) {
        self.refused.push(text.into());
    }

    /// `retention.days` from theirs, which has the same meaning of 0.
    fn days(&mut self, whose: &str, days: i64) {
        match u64::try_from(days) {
            Ok(days) if days == 0 || days >= DAYS_LEAST => self.set("retention", "days", days.to_string()),
            Ok(days) => {
                self.set("retention", "days", days.to_string());
                self.refuse(format!(
                    "{whose} is {days}: events are kept at least {DAYS_LEAST} days here. `config check` refuses the line \
                     below until you choose {DAYS_LEAST} or more, or 0 to keep them for good"
                ));
            }
            Err(_) => self.refuse(format!("{whose} is {days}: a number of days is not below zero")),
        }
    }

    /// The configuration.
    pub(crate) fn toml(&self) -> String {
        let mut out =
            String::from("# Imported by `indelible config import`. Whatever is not here has its default.\n");
        for text in &self.refused {
            out.push_str(&format!("#\n# REFUSED: {}\n", printable(text)));
        }
        for text in &self.notes {
            out.push_str(&format!("#\n# {}\n", printable(text)));
        }
        let mut table = "";
        for (of, name, value) in &self.settings {
            if *of != table {
                table = of;
                out.push_str(&format!("\n[{table}]\n"));
            }
            out.push_str(&format!("{name} = {value}\n"));
        }
        out
    }
}

/// The `audit_logs` block of Bifrost's configuration.
fn bifrost_file(path: &Path) -> anyhow::Result<Imported> {
    let bytes = input::whole(path, file::BYTES_MOST)?;
    let place = |line: Option<usize>| match line {
        Some(line) => format!("{}:{line}", path.display()),
        None => path.display().to_string(),
    };
    let members = file::json(&bytes).map_err(|faults| {
        let faults: Vec<String> =
            faults.iter().map(|fault| format!("{}: {}", place(fault.line), fault.what)).collect();
        anyhow::anyhow!("{}", faults.join("\n"))
    })?;
    match members.into_iter().find(|member| member.key == "audit_logs") {
        Some(Member { node, .. }) => match node.what {
            What::Table(block) => bifrost(block),
            other => anyhow::bail!(
                "{}: audit_logs: expected an object, not {}",
                place(Some(node.line)),
                other.name()
            ),
        },
        None => anyhow::bail!("{} has no audit_logs", path.display()),
    }
}

const BLOCK: [&str; 5] = ["disabled", "hmac_key", "retention_days", "siem_integration", "webhooks"];
/// Proposed where a key was written out in the file.
const HMAC_VARIABLE: &str = "AUDIT_HMAC_KEY";

fn bifrost(block: Vec<Member>) -> anyhow::Result<Imported> {
    let mut out = Imported::default();
    for Member { key, line, node } in block {
        match (key.as_str(), node.what) {
            ("disabled", What::Switch(true)) => out.refuse(off("audit_logs.disabled is true")),
            ("disabled", What::Switch(false)) => out.note("audit_logs.disabled is false: nothing to set."),
            ("hmac_key", What::Text(text)) => match Reference::parse(&text) {
                Some(reference) => out.set("keys", "hmac_key", toml_text(&reference.to_string())),
                None => {
                    out.set("keys", "hmac_key", toml_text(&format!("env.{HMAC_VARIABLE}")));
                    out.refuse(format!(
                        "audit_logs.hmac_key is written out in the file, and is not copied from there. Put it into the \
                         variable {HMAC_VARIABLE}, and consider a new one: a key in a file has been seen"
                    ));
                }
            },
            ("retention_days", What::Whole(days)) => out.days("audit_logs.retention_days", days),
            ("siem_integration", What::Table(sinks)) => sinks_note(&mut out, "siem_integration", sinks),
            ("webhooks", What::Table(hooks)) => sinks_note(&mut out, "webhooks", hooks),
            (known, what) if BLOCK.contains(&known) => {
                anyhow::bail!("line {line}: audit_logs.{known} can't be {}", what.name())
            }
            (unknown, _) => {
                let near = nearest_of(unknown, BLOCK.into_iter());
                let hint = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
                anyhow::bail!("line {line}: audit_logs.{} is not known{hint}", short(unknown, 60))
            }
        }
    }
    // One table of TOML each, whatever the order in the file was.
    out.settings.sort_by_key(|(table, name, _)| (*table, *name));
    Ok(out)
}

/// Says which destinations there were. Their addresses and tokens stay where they are.
fn sinks_note(out: &mut Imported, block: &str, members: Vec<Member>) {
    let is_off = |member: &Member| match &member.node.what {
        What::Table(inner) => {
            inner.iter().any(|inner| inner.key == "enabled" && matches!(inner.node.what, What::Switch(false)))
        }
        _ => false,
    };
    let mut names: Vec<String> = Vec::new();
    for member in &members {
        match (&member.node.what, member.key.as_str()) {
            (What::Table(_), name) if is_off(member) => {
                names.push(format!("{} (not enabled)", short(name, 60)))
            }
            (What::Table(_), name) => names.push(short(name, 60)),
            (What::List(hooks), _) => names.extend(hooks.iter().filter_map(|hook| match &hook.what {
                What::Table(inner) => {
                    inner.iter().find_map(|inner| match (&inner.node.what, inner.key.as_str()) {
                        (What::Text(name), "name") => Some(short(name, 60)),
                        _ => None,
                    })
                }
                _ => None,
            })),
            _ => {}
        }
    }
    out.note(format!(
        "audit_logs.{block} delivers to: {}. No setting does that: sinks are administration, which is recorded, and arrive \
         with a command of their own.",
        if names.is_empty() { "nobody by name".to_owned() } else { names.join(", ") }
    ));
}

fn off(whose: &str) -> String {
    format!("{whose}: Indelible is not switched off by a file. It is off when it is not started")
}

/// What a variable of Bifrost's says.
enum Says {
    /// It is off.
    Off,
    /// `retention.days`.
    Days,
    /// No counterpart yet.
    Archive,
    /// These events are not captured.
    Without(&'static str),
    /// What is recorded can be changed.
    Mutable,
}

const BIFROST: &[(&str, Says)] = &[
    ("BIFROST_AUDIT_LOGS_ENABLED", Says::Off),
    ("BIFROST_AUDIT_RETENTION_DAYS", Says::Days),
    ("BIFROST_AUDIT_ARCHIVE_DAYS", Says::Archive),
    ("BIFROST_AUDIT_AUTH_EVENTS", Says::Without("authentication events")),
    ("BIFROST_AUDIT_CONFIG_CHANGES", Says::Without("configuration changes")),
    ("BIFROST_AUDIT_SECURITY_EVENTS", Says::Without("security events")),
    ("BIFROST_AUDIT_IMMUTABLE", Says::Mutable),
];

fn bifrost_variables(env: &Environment) -> Imported {
    let mut out = Imported::default();
    for name in env.names("BIFROST_AUDIT_") {
        let Some((_, says)) = BIFROST.iter().find(|(known, _)| *known == name) else {
            let near = nearest_of(name, BIFROST.iter().map(|(known, _)| *known));
            let hint = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            out.refuse(format!("{} is not known{hint}", short(name, 80)));
            continue;
        };
        let text = match env.get(name) {
            Ok(text) => text,
            Err(what) => {
                out.refuse(what);
                continue;
            }
        };
        match says {
            Says::Days | Says::Archive => match (text.trim().parse::<i64>(), says) {
                (Ok(days), Says::Days) => out.days(name, days),
                (Ok(days), _) => out.note(format!("{name} is {days}: archiving after some days has no counterpart yet.")),
                (Err(_), _) => out.refuse(format!("{name} is {:?}: a number of days is expected", short(text, 40))),
            },
            _ => match (is_true(text), says) {
                (None, _) => out.refuse(format!("{name} is {:?}: true or false is expected", short(text, 40))),
                (Some(false), Says::Off) => out.refuse(off(&format!("{name} is false"))),
                (Some(false), Says::Without(what)) => out.refuse(format!(
                    "{name} is false: every event that is sent is recorded. To leave out {what}, don't send them"
                )),
                (Some(false), _) => {
                    out.refuse(format!("{name} is false: what is recorded can't be changed, and that can't be switched off"));
                }
                (Some(true), _) => out.note(format!("{name} is true: nothing to set, it always is.")),
            },
        }
    }
    if out.settings.is_empty() && out.notes.is_empty() && out.refused.is_empty() {
        out.note("No variable BIFROST_AUDIT_… is set.");
    }
    out
}

fn litellm(env: &Environment) -> Imported {
    const NAME: &str = "LITELLM_STORE_AUDIT_LOGS";
    let mut out = Imported::default();
    match env.has(NAME).then(|| env.get(NAME)) {
        None => out.note(format!(
            "{NAME} is not set, which is false to LiteLLM: it sends no audit logs until it is true."
        )),
        Some(Err(what)) => out.refuse(what),
        Some(Ok(text)) => match is_true(text) {
            Some(true) => {
                out.note(format!("{NAME} is true: nothing to set, whatever LiteLLM sends is recorded."))
            }
            Some(false) => out.refuse(off(&format!("{NAME} is false"))),
            None => out.refuse(format!("{NAME} is {:?}: true or false is expected", short(text, 40))),
        },
    }
    out.note("Point LiteLLM's generic API callback at /ingest/litellm; the README has the lines for its config.yaml.");
    out
}

/// As Go and Python read it.
fn is_true(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "t" | "1" | "yes" | "on" => Some(true),
        "false" | "f" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}
