//! How much is found, and how much is found that is nothing: measured on a labelled set that is made from public formats
//! with a seed. `docs/reference/redaction.md` is written from it.
#![allow(clippy::disallowed_methods, clippy::print_stdout)]

mod numbers;
mod reference;
mod samples;

use numbers::Chance;
use redact::{Policy, RULES, Redactor};
use samples::{NEGATIVES, positive};

/// Of each rule, and of each kind of negative.
const POSITIVES: usize = 60;
const NEGATIVES_EACH: usize = 250;

/// What a rule was measured to do.
pub(crate) struct Measured {
    pub(crate) rule: &'static str,
    pub(crate) positives: usize,
    /// Nothing of the secret was left, whichever rule took it out.
    pub(crate) removed: usize,
    /// This rule found something where there was something.
    pub(crate) right: usize,
    /// This rule found something where there was nothing.
    pub(crate) wrong: usize,
}

impl Measured {
    pub(crate) fn recall(&self) -> f64 {
        self.removed as f64 / self.positives as f64
    }

    pub(crate) fn precision(&self) -> f64 {
        self.right as f64 / (self.right + self.wrong).max(1) as f64
    }
}

pub(crate) struct Measurement {
    pub(crate) rules: Vec<Measured>,
    pub(crate) negatives: usize,
    /// Negatives of which anything was taken out, by kind.
    pub(crate) wrong: Vec<(&'static str, usize)>,
    /// Examples, for whoever has to find out why.
    examples: Vec<String>,
}

fn measure() -> Measurement {
    let redactor = Redactor::new(&Policy::default()).unwrap();
    let mut chance = Chance::new(20_261_102);
    let mut examples = Vec::new();
    let mut rules: Vec<Measured> = Vec::new();
    for rule in RULES {
        let mut measured = Measured { rule: rule.id, positives: 0, removed: 0, right: 0, wrong: 0 };
        for _ in 0..POSITIVES {
            let sample =
                positive(rule.id, &mut chance).unwrap_or_else(|| panic!("no samples for {}", rule.id));
            assert!(sample.text.contains(&sample.secret), "{}: a sample without its secret", rule.id);
            let (text, findings) = redactor.text(&sample.text);
            measured.positives += 1;
            if text.contains(&sample.secret) || findings.is_empty() {
                examples.push(format!("{} missed in {:?} -> {text:?}", rule.id, sample.text));
            } else {
                measured.removed += 1;
            }
            measured.right += usize::from(findings.iter().any(|finding| finding.rule == rule.id));
        }
        rules.push(measured);
    }
    let mut wrong = Vec::new();
    for (kind, make) in NEGATIVES {
        let mut touched = 0;
        for _ in 0..NEGATIVES_EACH {
            let sample = make(&mut chance);
            let (_, findings) = redactor.text(&sample);
            touched += usize::from(!findings.is_empty());
            for finding in findings {
                examples.push(format!("{} in {kind}: {sample:?}", finding.rule));
                if let Some(measured) = rules.iter_mut().find(|measured| measured.rule == finding.rule) {
                    measured.wrong += 1;
                }
            }
        }
        wrong.push((*kind, touched));
    }
    Measurement { rules, negatives: NEGATIVES.len() * NEGATIVES_EACH, wrong, examples }
}

#[test]
fn every_rule_keeps_its_floor_and_the_reference_is_current() {
    let measured = measure();
    let positives: usize = measured.rules.iter().map(|rule| rule.positives).sum();
    let touched: usize = measured.wrong.iter().map(|(_, n)| n).sum();
    println!("{positives} positives, {} negatives, {touched} of them touched", measured.negatives);
    for rule in &measured.rules {
        let (recall, precision) = (rule.recall(), rule.precision());
        println!("{:20} recall {recall:.3} precision {precision:.3} ({} wrong)", rule.rule, rule.wrong);
    }
    let shown = || measured.examples.iter().take(60).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(positives >= 2000 && measured.negatives >= 5000);
    for rule in &measured.rules {
        assert!(rule.recall() >= 0.99, "{} has recall {:.3}\n{}", rule.rule, rule.recall(), shown());
        // A number of 16 digits that no more than looks like a card is a card for us; see the reference.
        let floor = if rule.rule == "card" { 0.85 } else { 0.99 };
        assert!(
            rule.precision() >= floor,
            "{} has precision {:.3}\n{}",
            rule.rule,
            rule.precision(),
            shown()
        );
    }
    assert!(touched * 500 <= measured.negatives, "{touched} negatives touched\n{}", shown());

    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/redaction.md");
    let current = reference::reference(&measured);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path, &current).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == current, "{path} is stale: run UPDATE_EXPECT=1 cargo test -p redact");
}
