//! Times as callers write them: RFC 3339, what Python and JavaScript print, and days.

use event::time;
use query::{Bound, Expr, Literal, Test};

use crate::expr::field;

/// Longest text that can be a time.
const LONGEST: usize = 40;
const DAY_NS: i64 = 86_400 * 1_000_000_000;

/// A time, or a whole day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    ns: i64,
    is_day: bool,
}

impl Moment {
    /// Reads `2024-01-15`, or a time: RFC 3339, also with a space instead of the `T`, or without an offset, which then is
    /// UTC. In a URL a `+` that was not encoded comes as a space.
    pub(crate) fn parse(text: &str) -> Result<Moment, &'static str> {
        let wrong = "not a date such as 2024-01-15, nor an RFC 3339 time such as 2024-01-15T10:30:00Z";
        if text.len() > LONGEST || !text.is_ascii() {
            return Err(wrong);
        }
        let text = text.trim();
        if text.len() == 10 {
            let ns = time::parse(&format!("{text}T00:00:00Z")).map_err(|_| wrong)?;
            return Ok(Moment { ns, is_day: true });
        }
        if text.len() < 19 {
            return Err(wrong);
        }
        let (date, clock) = text.split_at(10);
        let clock = clock[1..].to_ascii_uppercase();
        let has_offset = clock.ends_with('Z') || clock[8..].contains(['+', '-', ' ']);
        let clock = if has_offset { clock.replace(' ', "+") } else { clock + "Z" };
        if !matches!(text.as_bytes()[10], b'T' | b't' | b' ') {
            return Err(wrong);
        }
        let ns = time::parse(&format!("{date}T{clock}"))?;
        Ok(Moment { ns, is_day: false })
    }

    /// Its first nanosecond.
    pub(crate) fn start_ns(self) -> i64 {
        self.ns
    }

    /// The last nanosecond of it.
    pub(crate) fn end_ns(self) -> i64 {
        if self.is_day { self.ns.saturating_add(DAY_NS - 1) } else { self.ns }
    }
}

/// Events that happened from one moment to the end of another.
pub(crate) fn between(from: Option<Moment>, to: Option<Moment>) -> Expr {
    if from.is_none() && to.is_none() {
        return Expr::All;
    }
    let bound = |ns| Bound { value: Literal::Time(ns), inclusive: true };
    let (from, to) = (from.map(|m| bound(m.start_ns())), to.map(|m| bound(m.end_ns())));
    field("time", Test::Range { from, to })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let check = |text: &str, expect: Option<(&str, &str)>| {
            let said = Moment::parse(text).ok();
            let said = said.map(|m| (time::format_ns(m.start_ns()), time::format_ns(m.end_ns())));
            let expect = expect.map(|(from, to)| (from.to_owned(), to.to_owned()));
            assert_eq!(said, expect, "{text}");
        };
        let at = |time| Some((time, time));
        check("2024-01-15", Some(("2024-01-15T00:00:00Z", "2024-01-15T23:59:59.999999999Z")));
        check("2024-01-15T10:30:00Z", at("2024-01-15T10:30:00Z"));
        check("2024-01-15T10:30:00.123456", at("2024-01-15T10:30:00.123456Z"));
        check("2024-01-15 10:30:00", at("2024-01-15T10:30:00Z"));
        check("2024-01-15T10:30:00+02:00", at("2024-01-15T08:30:00Z"));
        check("2024-01-15T10:30:00 02:00", at("2024-01-15T08:30:00Z"));
        check("2024-01-15T10:30:00.5-01:00", at("2024-01-15T11:30:00.500Z"));
        check("2024-01-15t10:30:00z", at("2024-01-15T10:30:00Z"));
        for bad in [
            "",
            "yesterday",
            "2024-02-30",
            "2024-01-15T25:00:00Z",
            "2024-01-15T10:30",
            "1705314645",
            "'; DROP TABLE x",
            "2024-01-15T10:30:00ZZ",
            "éééééééééé",
            "2024/01/15",
            "9999-12-31",
        ] {
            check(bad, None);
        }
    }
}
