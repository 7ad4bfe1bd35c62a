//! Times as other programs count them: seconds, milliseconds and so on since 1970.

use event::{Value, time};

const REASON: &str = "not a time since 1970";

/// The unit of a number of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    Millis,
    Micros,
    Nanos,
    /// Whichever of them gives a year between 1973 and 5138: so much do they differ.
    Any,
}

impl Unit {
    /// Digits after the point that make nanoseconds.
    fn digits(self, whole: u64) -> u32 {
        match self {
            Unit::Seconds => 9,
            Unit::Millis => 6,
            Unit::Micros => 3,
            Unit::Nanos => 0,
            Unit::Any => match whole {
                0..100_000_000_000 => 9,
                100_000_000_000..100_000_000_000_000 => 6,
                100_000_000_000_000..100_000_000_000_000_000 => 3,
                _ => 0,
            },
        }
    }
}

/// A number, or a decimal as text, as RFC 3339. Exact for text and whole numbers; of other numbers to the microsecond, as
/// a double holds no more of today's seconds.
pub(crate) fn read(value: &Value<'_>, unit: Unit) -> Result<String, &'static str> {
    match value {
        Value::String(text) => decimal(text.trim(), unit),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => decimal(&whole.to_string(), unit),
            None => decimal(&format!("{:.6}", number.as_f64()), unit),
        },
        _ => Err(REASON),
    }
}

/// ISO 8601 as programs write it, as RFC 3339: a blank for the `T`, no offset (then it is UTC), an offset without a colon,
/// more than nine digits of a fraction.
pub(crate) fn iso(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    let (date, clock) = text.split_once(['T', 't', ' ']).ok_or("expected a date and a time of day")?;
    let end = clock.find(['Z', 'z', '+', '-']).unwrap_or(clock.len());
    let (clock, offset) = clock.split_at(end);
    let offset = match offset {
        "" | "Z" | "z" => "Z".to_owned(),
        offset if offset.len() == 5 && offset.is_ascii() && !offset.contains(':') => {
            format!("{}:{}", &offset[..3], &offset[3..])
        }
        offset if offset.len() == 3 => format!("{offset}:00"),
        offset => offset.to_owned(),
    };
    let clock = clock.trim_end();
    let clock = match clock.split_once(['.', ',']) {
        Some((clock, fraction)) if fraction.bytes().all(|b| b.is_ascii_digit()) && !fraction.is_empty() => {
            format!("{clock}.{}", &fraction[..fraction.len().min(9)])
        }
        _ => clock.to_owned(),
    };
    time::parse(&format!("{date}T{clock}{offset}")).map(time::format_ns)
}

fn decimal(text: &str, unit: Unit) -> Result<String, &'static str> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty()
        || whole.len() > 19
        || !is_digits(whole)
        || fraction.len() > 32
        || !is_digits(fraction)
    {
        return Err(REASON);
    }
    let whole: u64 = whole.parse().map_err(|_| REASON)?;
    let digits = unit.digits(whole);
    // What is smaller than a nanosecond is cut off.
    let mut fraction: String = fraction.chars().take(digits as usize).collect();
    while fraction.len() < digits as usize {
        fraction.push('0');
    }
    let part: i64 = if fraction.is_empty() { 0 } else { fraction.parse().map_err(|_| REASON)? };
    let ns = i64::try_from(whole).ok().and_then(|n| n.checked_mul(10i64.pow(digits))?.checked_add(part));
    let text = time::format_ns(ns.ok_or(REASON)?);
    // The calendar of events ends before that of the numbers.
    time::parse(&text).map(|_| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_is_read_as_programs_write_it() {
        let check = |text: &str, expect: &str| {
            assert_eq!(iso(text).unwrap_or_else(|e| e.to_owned()), expect, "{text}")
        };
        check("2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z");
        check(" 2026-03-01 10:00:00.5 ", "2026-03-01T10:00:00.500Z");
        check("2026-03-01T10:00:00,123+0100", "2026-03-01T09:00:00.123Z");
        check("2026-03-01T10:00:00-01", "2026-03-01T11:00:00Z");
        check("2026-03-01T10:00:00.1234567891+01:00", "2026-03-01T09:00:00.123456789Z");
        for wrong in ["2026-03-01", "", "T", "noon today", "2026-13-01T10:00:00Z", "2026-03-01T10:00:00+é9é"]
        {
            assert!(iso(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_are_times() {
        let check = |value: Value<'_>, unit: Unit, expect: &str| {
            assert_eq!(read(&value, unit).unwrap_or_else(str::to_owned), expect, "{value:?} {unit:?}");
        };
        let number = |n: f64| Value::number(n).unwrap();
        check("1433188255.500".into(), Unit::Any, "2015-06-01T19:50:55.500Z");
        check(number(1433188255.5), Unit::Seconds, "2015-06-01T19:50:55.500Z");
        check(number(1433188255.0), Unit::Any, "2015-06-01T19:50:55Z");
        check(number(1433188255500.0), Unit::Any, "2015-06-01T19:50:55.500Z");
        check("1433188255500123".into(), Unit::Any, "2015-06-01T19:50:55.500123Z");
        check("1433188255500123456".into(), Unit::Any, "2015-06-01T19:50:55.500123456Z");
        check("1433188255500123456".into(), Unit::Nanos, "2015-06-01T19:50:55.500123456Z");
        check(number(1433188255500.25), Unit::Millis, "2015-06-01T19:50:55.500250Z");
        check("0.9999999999".into(), Unit::Seconds, "1970-01-01T00:00:00.999999999Z");
        check("7".into(), Unit::Micros, "1970-01-01T00:00:00.000007Z");
        for wrong in ["", "-1", "1e9", "now", ".5", "99999999999999999999", "1.2.3", "9223372036854775807.5"]
        {
            check(wrong.into(), Unit::Seconds, REASON);
        }
        check(number(-1.0), Unit::Any, REASON);
        check(Value::Null, Unit::Any, REASON);
    }
}
