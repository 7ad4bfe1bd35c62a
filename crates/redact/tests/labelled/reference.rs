//! `docs/reference/redaction.md`, written from the tables and from what was measured.

use std::fmt::Write;

use redact::{Kind, NAMED, RULES};

use crate::Measurement;

pub(crate) fn reference(measured: &Measurement) -> String {
    let mut out = String::from(HEAD);
    write_all(&mut out, measured).expect("writing to a string does not fail");
    out
}

const HEAD: &str = "\
<!-- Written from the tables in crates/redact and a measurement. To change it, change them and run `UPDATE_EXPECT=1 cargo test -p redact`. -->

# Redaction

What may not be kept is taken out before an event is recorded; the sender is not trusted to have done it.
What was taken out is noted in the event's `redactions`: place, rule, action, how often, and the size rounded up to a power of two; never the value.
After 256 rows one last row with rule `more` counts the rest.

## Never kept

Passwords, keys to services, tokens, cookies, private keys, card numbers and IBANs, in every field, in names of members as well as in values.
There is no setting for it.
A marker such as `[redacted:card]` stands in their place.
Keys become keyed fingerprints (`[hmac-sha256:…]`; without brackets where a field is named after a key), so that uses of one key can be told from those of another.
A number counts as a card if issuer's range, length and Luhn check agree; of random numbers with 16 digits about one in thirty does, and is taken out too.

They are also found
- by the name of the field: `password`, `userPassword`, `X-Api-Key`, `client_secret`, pairs such as `[\"authorization\", \"…\"]` and `{\"name\": \"token\", \"value\": \"…\"}`;
- in JSON, base64 (both alphabets) and percent-encoding, up to four inside one another; what was percent-encoded is then kept decoded;
- split over the items of an array, or over members that are numbered (`part1`, `part2`), up to 64 of them.

They are not found in what is encrypted, compressed, written backwards, in hexadecimal or in pictures; nor, outside a field that is named so, if they look like any other word.

If a secret stands in `type`, `status`, `severity`, `producer` or `organisation`, the field becomes `redacted.<rule>`; a `source_id` becomes its keyed fingerprint, so that two of them stay two; a `retention` is dropped.

## Prompts, responses, arguments and results

`content.prompt`, `content.response`, `content.input` and `content.output` are dropped, and so are members of `attributes` with names such as `messages`, `completion` or `gen_ai.input.messages`.
Their keyed fingerprints are kept in `llm.prompt_fingerprint`, `llm.response_fingerprint`, `tool.arguments_fingerprint` and `tool.result_fingerprint`, unless the event brought one along.
The fingerprint is over the text itself, or over the canonical JSON (RFC 8785) of anything else.
A second text of a kind becomes its own fingerprint where it stands.
With `content = \"keep\"` the text stays, less secrets and personal data, and the fingerprint is kept beside it.

A fingerprint or hash that a sender computed is hashed again with our key (action `rekey`): from an unkeyed hash a short prompt can be guessed.
Only what one of our own adapters made, and looks like `hmac-sha256:` and 64 hexadecimal digits, is left as it is.

## Policy

| key | values | default | |
|---|---|---|---|
| `content` | `fingerprint`, `keep` | `fingerprint` | see above |
| `ip` | `keep`, `truncate`, `drop` | `keep` | `actor.ip`, and addresses in free text; truncated to /24 and /48 |
| `pii.email`, `.phone`, `.national_id`, `.person`, `.health`, `.account` | `keep`, `mask`, `hash`, `drop` | `mask` | personal data in free text |
| `rules` | list of `{path, class, action}` | none | exceptions by place; the first that matches decides |

Free text is `message`, `action`, `changes`, `error.message`, `attributes`, `content`, `actor.user_agent`, `approval.reason`, `llm.parameters` and `targets[].attributes`.
In fields that say who and what (`actor`, `targets`, ids) personal data is kept: an audit log must say who.
A rule can change that: `{\"path\": \"/actor/name\", \"action\": \"hash\"}`.

`path` is a JSON pointer; `*` stands for one name, `**` at the end for a place and all below it.
`class` is one of the six, or `any` for the whole value at that place (with `keep`: no personal data is looked for there).
`drop` takes out the whole value in which something is found; an item of an array becomes `null`.
Unknown keys are refused.
";

fn write_all(out: &mut String, measured: &Measurement) -> std::fmt::Result {
    writeln!(out, "\n## Rules for text\n")?;
    let positives: usize = measured.rules.iter().map(|rule| rule.positives).sum();
    let touched: usize = measured.wrong.iter().map(|(_, n)| n).sum();
    writeln!(
        out,
        "Measured on {positives} generated texts with something in them, {} of each rule, and {} without.",
        measured.rules[0].positives, measured.negatives
    )?;
    writeln!(
        out,
        "They are made from public formats with a seed by `crates/redact/tests/labelled`; no text of a real user is among them, so the figures are an upper bound."
    )?;
    writeln!(
        out,
        "*Removed*: nothing of it was left, whichever rule took it out. *By name*: this rule gave its name to it. *Wrong*: texts without anything in which this rule found something.\n"
    )?;
    writeln!(
        out,
        "| rule | class | what it finds | removed | by name | wrong | precision |\n|---|---|---|---|---|---|---|"
    )?;
    for (rule, row) in RULES.iter().zip(&measured.rules) {
        let class = match rule.kind {
            Kind::Secret => "secret",
            Kind::Key => "key",
            Kind::Pii(class) => class.name(),
        };
        let about = rule.about.replace('|', "\\|");
        let share = |n: usize| format!("{:.1} %", 100.0 * n as f64 / row.positives as f64);
        let (removed, right, precision) = (share(row.removed), share(row.right), 100.0 * row.precision());
        writeln!(
            out,
            "| `{}` | {class} | {about} | {removed} | {right} | {} | {precision:.1} % |",
            rule.id, row.wrong
        )?;
    }
    writeln!(out, "\nOf the {} texts without anything, {touched} were touched:\n", measured.negatives)?;
    writeln!(out, "| kind | touched of {} |\n|---|---|", measured.negatives / measured.wrong.len())?;
    for (kind, touched) in &measured.wrong {
        writeln!(out, "| {kind} | {touched} |")?;
    }
    writeln!(out, "\n## Rules for names of fields\n\n| rule | what such a field holds |\n|---|---|")?;
    for (rule, about) in NAMED {
        writeln!(out, "| `{rule}` | {about} |")?;
    }
    writeln!(
        out,
        "\nFurther rules in `redactions`: `prompt`, `response`, `arguments`, `result` (see above), `unkeyed_hash` (hashed again), `ip`, and `policy` (a place that a policy names)."
    )?;
    Ok(())
}
