//! `verify`: the verdict, what speaks for it, and an exit code that says it too.

use std::path::PathBuf;
use std::process::ExitCode;

use event::Value;
use indelible::{Checked, What, verify_data, verify_evidence, verify_text};
use indicatif::{ProgressBar, ProgressStyle};
use proof::{Policy, Verdict};

use crate::output::{count, grouped, json, line, object, printable, text};
use crate::{Data, input, io};

#[derive(clap::Args)]
pub(crate) struct Verify {
    /// A `.tlog-proof` file or an evidence folder; without it the ledgers of the data folder
    path: Option<PathBuf>,
    #[command(flatten)]
    data: Data,
    /// Whose ledger; all of them if absent
    #[arg(long)]
    organisation: Option<String>,
    /// Keys to trust, as a tlog-policy file. Without it the keys that lie with the data are believed
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// A checkpoint that was kept outside; may be given several times
    #[arg(long, value_name = "FILE")]
    known: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self.check() {
            Ok(all) => {
                let verdict =
                    all.iter().map(Checked::verdict).reduce(Verdict::worst).unwrap_or(Verdict::CannotCheck);
                match self.json {
                    true => print_json(&all, verdict),
                    false => print(&all, verdict),
                }
                Ok(ExitCode::from(verdict.exit_code()))
            }
            // What was asked for could not be read: that is a verdict as well.
            Err(error) => {
                eprintln!("indelible: {}", printable(&format!("{error:#}")));
                Ok(ExitCode::from(Verdict::CannotCheck.exit_code()))
            }
        }
    }

    fn check(&self) -> anyhow::Result<Vec<Checked>> {
        let text = |path: &PathBuf| -> anyhow::Result<String> {
            String::from_utf8(input::whole(path, 64 << 20)?)
                .map_err(|_| anyhow::anyhow!("{} is not text", path.display()))
        };
        let policy = match &self.policy {
            None => None,
            Some(path) => Some(
                Policy::parse(text(path)?)
                    .map_err(|e| anyhow::anyhow!("{}: {}", path.display(), e.what()))?,
            ),
        };
        let known: Vec<String> = self.known.iter().map(text).collect::<anyhow::Result<_>>()?;
        let Some(path) = &self.path else { return self.ledgers(policy.as_ref(), &known) };
        let io = io();
        if io.list(path).is_ok() {
            return Ok(vec![verify_evidence(&*io, path, policy.as_ref(), &known)]);
        }
        Ok(vec![verify_text(&text(path)?, policy.as_ref(), &known)])
    }

    fn ledgers(&self, policy: Option<&Policy>, known: &[String]) -> anyhow::Result<Vec<Checked>> {
        let bar = if self.json { ProgressBar::hidden() } else { ProgressBar::new(0) };
        let bar = bar.with_style(
            ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}, {eta} left").expect("it is ours"),
        );
        let all = verify_data(
            &io(),
            &self.data.settings()?,
            self.organisation.as_deref(),
            policy,
            known,
            &mut |name, progress| {
                bar.set_length(progress.total);
                bar.set_position(progress.done);
                bar.set_message(format!("{name}: {} leaves", grouped(progress.done)));
            },
        )?;
        bar.finish_and_clear();
        Ok(all)
    }
}

fn name(what: &What) -> String {
    match what {
        What::Ledger(organisation) => format!("ledger of {organisation}"),
        What::Proof => "proof".into(),
        What::Evidence => "evidence".into(),
    }
}

fn print(all: &[Checked], verdict: Verdict) {
    for checked in all {
        line(format_args!("{}: {}", printable(&name(&checked.what)), checked.verdict().word()));
        if let Some((origin, key)) = &checked.origin {
            line(format_args!("  {}", printable(origin)));
            line(format_args!("  key {}", printable(key)));
        }
        for finding in &checked.findings {
            let word = match finding.verdict {
                Verdict::Verified => String::new(),
                verdict => format!("{}: ", verdict.word()),
            };
            line(format_args!("  {word}{}", printable(&finding.what)));
        }
        for note in &checked.notes {
            line(format_args!("  note: {}", printable(note)));
        }
    }
    line(format_args!("{}", verdict.word()));
}

fn print_json(all: &[Checked], verdict: Verdict) {
    let checks = all.iter().map(|checked| {
        let findings = checked.findings.iter().map(|finding| {
            object(vec![("verdict", text(finding.verdict.word())), ("what", text(&*finding.what))])
        });
        let (origin, key) = match &checked.origin {
            Some((origin, key)) => (text(&**origin), text(&**key)),
            None => (Value::Null, Value::Null),
        };
        object(vec![
            ("what", text(name(&checked.what))),
            ("verdict", text(checked.verdict().word())),
            ("origin", origin),
            ("key", key),
            ("leaves", count(checked.leaves)),
            ("findings", Value::Array(findings.collect())),
            ("notes", Value::Array(checked.notes.iter().map(|n| text(&**n)).collect())),
        ])
    });
    json(&object(vec![
        ("verdict", text(verdict.word())),
        ("exit_code", count(u64::from(verdict.exit_code()))),
        ("checked", Value::Array(checks.collect())),
    ]));
}
