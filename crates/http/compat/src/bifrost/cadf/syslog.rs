//! An event as a message of syslog (RFC 5424), for exports.

use event::{Value, outcome};

use super::words::{action, event_type, initiator, outcome as result, target};
use crate::project::text;

/// Log audit (RFC 5424, 6.2.1).
const FACILITY: u8 = 13;
/// The number under which the document of the RFC is registered for examples: nobody has to register for an export.
const STRUCTURE: &str = "audit@32473";

/// Writes one line: a head, the most asked-for fields as structured data, and the event in JSON.
pub fn line(shown: &Value<'_>, out: &mut Vec<u8>) {
    // From critical (2) to informational (6).
    let severity = match text(shown, "severity").map(outcome::severity_code) {
        Some(5) => 2,
        Some(4) => 3,
        Some(3) => 4,
        Some(2) => 5,
        _ => 6,
    };
    let priority = FACILITY * 8 + severity;
    let time = text(shown, "time").map_or_else(|| "-".to_owned(), six_digits);
    let producer = name(text(shown, "producer").unwrap_or("indelible"), 48);
    let kind = name(text(shown, "type").unwrap_or_default(), 32);
    let mut line = format!("<{priority}>1 {time} - {producer} - {kind} [{STRUCTURE}");
    let said = [
        ("id", text(shown, "id").unwrap_or_default()),
        ("eventType", event_type(shown)),
        ("action", action(shown)),
        ("outcome", result(shown)),
        ("initiator", initiator(shown)),
        ("target", target(shown)),
        ("ip", text(shown, "actor.ip").unwrap_or_default()),
    ];
    for (name, value) in said.into_iter().filter(|(_, value)| !value.is_empty()) {
        line += &format!(" {name}=\"{}\"", escaped(value));
    }
    line += "] ";
    out.extend_from_slice(line.as_bytes());
    // Canonical JSON holds no line end.
    super::event(shown).write_jcs(out);
    out.push(b'\n');
}

/// A fraction of a second has at most six digits there.
fn six_digits(time: &str) -> String {
    match time.split_once('.') {
        Some((whole, fraction)) => {
            let digits = fraction.trim_end_matches('Z');
            format!("{whole}.{}Z", &digits[..digits.len().min(6)])
        }
        None => time.to_owned(),
    }
}

/// Printable ASCII without spaces; `-` if nothing is left.
fn name(text: &str, most: usize) -> String {
    let kept: String = text.chars().filter(char::is_ascii_graphic).take(most).collect();
    if kept.is_empty() { "-".to_owned() } else { kept }
}

/// RFC 5424, 6.3.3; and nothing that would end the line.
fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '"' | '\\' | ']' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use event::json;

    use super::*;

    #[test]
    fn a_line_is_one_line() {
        let text = r#"{"id":"018f","type":"auth.login","time":"2026-01-15T10:30:00.123456789Z","severity":"high","status":"failed","actor":{"id":"a\"b]\\c\nd"},"received":"2026-01-15T10:30:01Z"}"#;
        let event = json::parse(text.as_bytes(), &json::Limits::default()).unwrap();
        let mut out = Vec::new();
        line(&event, &mut out);
        let out = String::from_utf8(out).unwrap();
        assert!(
            out.starts_with(
                r#"<107>1 2026-01-15T10:30:00.123456Z - indelible - auth.login [audit@32473 id="018f" eventType="activity" action="authenticate" outcome="failure" initiator="a\"b\]\\c d" target="auth"] {"#
            ),
            "{out}"
        );
        assert_eq!(out.matches('\n').count(), 1);
    }
}
