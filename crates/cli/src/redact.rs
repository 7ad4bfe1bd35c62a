//! `redact`: what the policy would take out of events. Nothing is recorded, and no value is shown.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use event::{Event, Limits, Value, json};
use redact::{Finding, Policy, Redactor};

use crate::Data;
use crate::input;
use crate::output::{count, grouped, json as print_json, line, object, printable, short, table, text};

/// Largest file of a policy.
const POLICY_MOST: u64 = 1 << 20;

#[derive(clap::Args)]
pub(crate) struct Redact {
    #[command(flatten)]
    data: Data,
    /// Events, one JSON object a line; `-` is standard input
    #[arg(default_value = "-")]
    file: PathBuf,
    /// A policy as a JSON object (docs/reference/redaction.md), rather than the configuration's
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Print JSON, an object for each event
    #[arg(long)]
    json: bool,
}

impl Redact {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let redactor = Redactor::new(&self.policy()?)?;
        let (mut input, _) = input::open(&self.file)?;
        let limits = Limits::default();
        let (mut events, mut changed, mut refused) = (0, 0, 0);
        let (mut number, mut rows) = (0, Vec::new());
        while let Some(line) = input::line(&mut *input, limits.max_bytes)? {
            number += 1;
            if line.bytes.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let event = match Event::parse(&line.bytes, &limits) {
                Ok(event) => event,
                Err(refusal) => {
                    refused += 1;
                    // A refusal may quote a name, and names come from strangers.
                    let (reason, _) = redactor.text(&refusal.to_string());
                    eprintln!("line {number}: {}", printable(&reason));
                    continue;
                }
            };
            let findings = redactor.preview(&event);
            events += 1;
            changed += u64::from(!findings.is_empty());
            match self.json {
                true => {
                    let findings = Value::Array(findings.iter().map(shown).collect());
                    print_json(&object(vec![("line", count(number)), ("findings", findings)]));
                }
                false => rows.extend(findings.iter().map(|finding| row(number, finding))),
            }
        }
        if !self.json {
            if !rows.is_empty() {
                rows.insert(0, ["line", "place", "rule", "action", "times"].map(str::to_owned).to_vec());
                table(&rows);
            }
            line(format_args!(
                "{} of {} events would be changed, {} refused",
                grouped(changed),
                grouped(events),
                grouped(refused)
            ));
        }
        Ok(ExitCode::from(u8::from(refused > 0)))
    }

    fn policy(&self) -> anyhow::Result<Policy> {
        let Some(path) = &self.policy else { return Ok(self.data.config()?.redaction) };
        let bytes = input::whole(path, POLICY_MOST)?;
        let value = json::parse(&bytes, &Limits::default()).with_context(|| path.display().to_string())?;
        Policy::from_value(&value).with_context(|| path.display().to_string())
    }
}

fn shown(finding: &Finding) -> Value<'static> {
    object(vec![
        ("path", text(finding.path.clone())),
        ("rule", text(finding.rule)),
        ("action", text(finding.action.name())),
        ("count", count(finding.count)),
        ("size_class", count(finding.size_class)),
    ])
}

fn row(number: u64, finding: &Finding) -> Vec<String> {
    vec![
        number.to_string(),
        short(&finding.path, 60),
        finding.rule.to_owned(),
        finding.action.name().to_owned(),
        finding.count.to_string(),
    ]
}
