//! Times as people write them in filters, and lengths of time.

use std::fmt::Write;

use event::time;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// What a text says about time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum When {
    /// One moment: nanoseconds since 1970.
    Moment(i64),
    /// A day, month or year in UTC: its first nanosecond, and the first one after it.
    Period(i64, i64),
    /// So many nanoseconds after `now`.
    Relative(i64),
}

const UNITS: [(&str, i64); 8] = [
    ("w", 7 * 86_400_000_000_000),
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Reads RFC 3339, a date, month or year, or a time relative to `now`.
pub(crate) fn when(text: &str) -> Result<When, String> {
    let small = text.to_ascii_lowercase();
    if let Some(after) = relative(&small) {
        return Ok(When::Relative(after));
    }
    if let Some((first, next)) = period(&small) {
        return Ok(When::Period(first, next));
    }
    let capital = text.to_ascii_uppercase();
    time::parse(&capital).map(When::Moment).map_err(|reason| {
        if time::parse(&format!("{capital}Z")).is_ok() {
            format!("`{text}` lacks an offset from UTC: end it with Z or ±hh:mm")
        } else if capital.contains('T') && text.starts_with(|c: char| c.is_ascii_digit()) {
            format!("`{text}` is not a time: {reason}")
        } else {
            format!("`{text}` is not a time: write 2026-11-22T10:30:00Z, 2026-11-22, 2026-11, now-7d or -24h")
        }
    })
}

/// `now`, `now-7d`, `now+90s`, `-24h`.
fn relative(small: &str) -> Option<i64> {
    let offset = small.strip_prefix("now").unwrap_or(small);
    match offset.split_at_checked(1) {
        None => small.starts_with("now").then_some(0),
        Some(("+", length)) => whole_length(length),
        Some(("-", length)) => whole_length(length).map(|ns| -ns),
        Some(_) => None,
    }
}

fn whole_length(text: &str) -> Option<i64> {
    let (number, unit) = split_unit(text)?;
    number.parse::<i64>().ok()?.checked_mul(unit)
}

/// A length of time in milliseconds: `2s`, `1.5h`, `300ms`.
pub(crate) fn milliseconds(text: &str) -> Option<f64> {
    let small = text.to_ascii_lowercase();
    let (number, unit) = split_unit(&small)?;
    let number = crate::decimal(number).filter(|n| *n >= 0.0)?;
    // Units are whole milliseconds or whole parts of one, so that `2s` is exactly 2000.
    let ms = if unit >= 1_000_000 {
        number * (unit / 1_000_000) as f64
    } else {
        number / (1_000_000 / unit) as f64
    };
    event::Number::from_f64(ms).map(event::Number::as_f64)
}

fn split_unit(small: &str) -> Option<(&str, i64)> {
    let unit = small.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number = &small[..small.len() - unit.len()];
    let (_, ns) = UNITS.iter().find(|(name, _)| *name == unit)?;
    number.bytes().any(|b| b.is_ascii_digit()).then_some((number, *ns))
}

/// `2026`, `2026-11`, `2026-11-22`.
fn period(text: &str) -> Option<(i64, i64)> {
    let number = |part: &str, digits: usize| -> Option<i16> {
        (part.len() == digits && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok())?
    };
    let mut parts = text.split('-');
    let year = number(parts.next()?, 4).filter(|year| time::YEARS.contains(year))?;
    let month = parts.next().map(|part| number(part, 2));
    let day = parts.next().map(|part| number(part, 2));
    let (month, day, length) = match (month, day, parts.next()) {
        (None, None, None) => (1, 1, 1.year()),
        (Some(month), None, None) => (month?, 1, 1.month()),
        (Some(month), Some(day), None) => (month?, day?, 1.day()),
        _ => return None,
    };
    let first = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let ns = |date: Date| -> Option<i64> {
        let midnight = date.to_zoned(TimeZone::UTC).ok()?;
        i64::try_from(midnight.timestamp().as_nanosecond()).ok()
    };
    // The end of the last year is a moment that an event may not say; the nanosecond before it is.
    let next = first.checked_add(length).ok()?;
    let last = if next.year() > *time::YEARS.end() { 1 } else { 0 };
    Some((ns(first)?, ns(next)? - last))
}

/// A time relative to `now`, as [`when`] reads it, in the largest unit that divides it.
pub(crate) fn print_relative(out: &mut impl Write, after_ns: i64) -> std::fmt::Result {
    out.write_str("now")?;
    if after_ns == 0 {
        return Ok(());
    }
    // Weeks are understood, but days are what people count in.
    let mut units = UNITS.iter().filter(|(name, _)| *name != "w");
    let (name, unit) = units.find(|(_, unit)| after_ns % unit == 0).expect("everything is whole nanoseconds");
    let sign = if after_ns < 0 { '-' } else { '+' };
    write!(out, "{sign}{}{name}", after_ns.unsigned_abs() / unit.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        let check = |text: &str, expect: &str| {
            let got = match when(text) {
                Ok(When::Moment(ns)) => time::format_ns(ns),
                Ok(When::Period(from, to)) => format!("{} {}", time::format_ns(from), time::format_ns(to)),
                Ok(When::Relative(ns)) => {
                    let mut out = String::new();
                    print_relative(&mut out, ns).unwrap();
                    assert_eq!(when(&out), Ok(When::Relative(ns)));
                    out
                }
                Err(reason) => reason,
            };
            assert_eq!(got, expect, "{text}");
        };
        check("2026-11-22T10:30:00.5Z", "2026-11-22T10:30:00.500Z");
        check("2026-11-22t12:30:00+02:00", "2026-11-22T10:30:00Z");
        check("2026-11-22", "2026-11-22T00:00:00Z 2026-11-23T00:00:00Z");
        check("2024-02", "2024-02-01T00:00:00Z 2024-03-01T00:00:00Z");
        check("2026", "2026-01-01T00:00:00Z 2027-01-01T00:00:00Z");
        check("2261", "2261-01-01T00:00:00Z 2261-12-31T23:59:59.999999999Z");
        check("now", "now");
        check("NOW-2w", "now-14d");
        check("now+90m", "now+90m");
        check("-24h", "now-1d");
        check("now-1500ms", "now-1500ms");
        check("now-9223372036854775807ns", "now-9223372036854775807ns");
        check(
            "2026-11-22T10:30:00",
            "`2026-11-22T10:30:00` lacks an offset from UTC: end it with Z or ±hh:mm",
        );
        let advice = "is not a time: write 2026-11-22T10:30:00Z, 2026-11-22, 2026-11, now-7d or -24h";
        for text in [
            "yesterday",
            "",
            "-",
            "now-",
            "now-7",
            "now-d",
            "now-1.5d",
            "1e3",
            "now-9999999999999999w",
            "24h",
        ] {
            check(text, &format!("`{text}` {advice}"));
        }
        check("2026-13-01", &format!("`2026-13-01` {advice}"));
        check(
            "2026-02-30T10:00:00Z",
            "`2026-02-30T10:00:00Z` is not a time: there is no such date or time of day",
        );
    }

    #[test]
    fn lengths_are_read() {
        assert_eq!(milliseconds("2s"), Some(2000.0));
        assert_eq!(milliseconds("1.5H"), Some(5_400_000.0));
        assert_eq!(milliseconds("300ms"), Some(300.0));
        assert_eq!(milliseconds("250us"), Some(0.25));
        for text in ["", "s", "2", "-2s", "2 s", "2x", ".s", "1.2.3s", "99999999999999w"] {
            assert_eq!(milliseconds(text), None, "{text}");
        }
    }
}
