//! Times as RFC 3339 text, and as nanoseconds since 1970.

use jiff::civil;
use jiff::fmt::temporal::DateTimePrinter;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

/// First and last year an event may say: what fits 64-bit nanoseconds, without the broken year at the end.
pub const YEARS: std::ops::RangeInclusive<i16> = 1970..=2261;

/// Reads RFC 3339 as nanoseconds since 1970-01-01T00:00:00Z, or says what is wrong with it.
///
/// Strict: a capital `T`, an offset (`Z` or `±hh:mm`), at most nine digits of a second's fraction, no leap second, years
/// 1970 to 2261.
pub fn parse(text: &str) -> Result<i64, &'static str> {
    let b = text.as_bytes();
    // 2024-01-15T10:30:00 and at least a Z.
    if b.len() < 20 || b[4] != b'-' || b[7] != b'-' || b[13] != b':' || b[16] != b':' {
        return Err("not an RFC 3339 time, such as 2024-01-15T10:30:00.123Z");
    }
    if b[10] != b'T' {
        return Err("date and time are joined by a capital T");
    }
    let number = |from: usize, to: usize| -> Result<i16, &'static str> {
        b[from..to].iter().try_fold(0i16, |n, d| match d {
            b'0'..=b'9' => Ok(n * 10 + i16::from(d - b'0')),
            _ => Err("not an RFC 3339 time: a digit is missing"),
        })
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);

    let mut at = 19;
    let mut nanos = 0i32;
    if b[at] == b'.' {
        at += 1;
        let start = at;
        while let Some(d @ b'0'..=b'9') = b.get(at) {
            if at - start == 9 {
                return Err("more than nine digits in the fraction of a second");
            }
            nanos = nanos * 10 + i32::from(d - b'0');
            at += 1;
        }
        if at == start {
            return Err("not an RFC 3339 time: no digits after the point");
        }
        nanos *= 10i32.pow(9 - (at - start) as u32);
    }
    let offset = match &b[at..] {
        b"Z" => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let (hours, minutes) = (number(at + 1, at + 3)?, number(at + 4, at + 6)?);
            if hours > 23 || minutes > 59 {
                return Err("the offset from UTC is out of range");
            }
            let seconds = i32::from(hours) * 3600 + i32::from(minutes) * 60;
            if *sign == b'-' { -seconds } else { seconds }
        }
        [] => return Err("an offset from UTC is missing: end it with Z or ±hh:mm"),
        _ => return Err("not an RFC 3339 offset: Z or ±hh:mm is expected after the seconds"),
    };
    if !YEARS.contains(&year) {
        return Err("the year is not within 1970 to 2261");
    }
    if second == 60 {
        return Err("a leap second: say the second before or after");
    }
    let local =
        civil::DateTime::new(year, month as i8, day as i8, hour as i8, minute as i8, second as i8, nanos)
            .map_err(|_| "there is no such date or time of day")?;
    let offset = Offset::from_seconds(offset).map_err(|_| "the offset from UTC is out of range")?;
    let time = offset.to_timestamp(local).map_err(|_| "there is no such date or time of day")?;
    match i64::try_from(time.as_nanosecond()) {
        Ok(ns) if ns >= 0 => Ok(ns),
        _ => Err("the year is not within 1970 to 2261"),
    }
}

/// Whether a text that [`parse`] reads is what [`format_ns`] writes for that time.
pub fn is_shortest(text: &str) -> bool {
    let fraction = text.as_bytes().get(20..).and_then(|rest| rest.strip_suffix(b"Z"));
    match fraction {
        // No room for one.
        None => text.len() == 20 && text.ends_with('Z'),
        Some(digits) => matches!(digits.len(), 3 | 6 | 9) && !digits.ends_with(b"000"),
    }
}

/// Nanoseconds since 1970 as RFC 3339 in UTC, with as many digits of fraction as needed out of 0, 3, 6 and 9.
pub fn format_ns(ns: i64) -> String {
    let digits = match ns {
        _ if ns % 1_000_000_000 == 0 => 0,
        _ if ns % 1_000_000 == 0 => 3,
        _ if ns % 1_000 == 0 => 6,
        _ => 9,
    };
    let time = Timestamp::UNIX_EPOCH + SignedDuration::from_nanos(ns);
    print(time, digits)
}

/// Milliseconds since 1970 as RFC 3339 in UTC, always with three digits of fraction; what no calendar holds is the last
/// time it does.
pub fn format_ms(ms: u64) -> String {
    let time = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    print(time.unwrap_or(Timestamp::MAX), 3)
}

fn print(time: Timestamp, digits: u8) -> String {
    DateTimePrinter::new().precision(Some(digits)).timestamp_to_string(&time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_times() {
        let check = |text: &str, expect: &str| {
            let got = parse(text).map(format_ns).unwrap_or_else(|reason| reason.to_string());
            assert_eq!(got, expect, "{text}");
            if parse(text).is_ok() {
                assert_eq!(is_shortest(text), got == text, "{text}");
            }
        };
        check("2024-01-15T10:30:45.123Z", "2024-01-15T10:30:45.123Z");
        check("2024-01-15T10:30:45Z", "2024-01-15T10:30:45Z");
        check("2024-01-15T10:30:45.1Z", "2024-01-15T10:30:45.100Z");
        check("2024-01-15T10:30:45.123456789Z", "2024-01-15T10:30:45.123456789Z");
        check("2024-01-15T10:30:45.12345Z", "2024-01-15T10:30:45.123450Z");
        check("2024-01-15T10:30:45.000001Z", "2024-01-15T10:30:45.000001Z");
        check("2024-01-15T10:30:45.120000Z", "2024-01-15T10:30:45.120Z");
        check("2024-01-15T10:30:45.000000000Z", "2024-01-15T10:30:45Z");
        check("2024-01-15T10:30:45.120+00:00", "2024-01-15T10:30:45.120Z");
        check("2024-01-15T12:30:45+02:00", "2024-01-15T10:30:45Z");
        check("2024-01-15T00:30:45-05:30", "2024-01-15T06:00:45Z");
        check("2024-01-15T10:30:45-00:00", "2024-01-15T10:30:45Z");
        check("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z");
        check("2261-12-31T23:59:59.999999999Z", "2261-12-31T23:59:59.999999999Z");
        check("2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z");

        check("1970-01-01T00:00:00+01:00", "the year is not within 1970 to 2261");
        check("1969-12-31T23:59:59Z", "the year is not within 1970 to 2261");
        check("2262-01-01T00:00:00Z", "the year is not within 1970 to 2261");
        check("2023-02-29T00:00:00Z", "there is no such date or time of day");
        check("2023-13-01T00:00:00Z", "there is no such date or time of day");
        check("2023-12-01T24:00:00Z", "there is no such date or time of day");
        check("2016-12-31T23:59:60Z", "a leap second: say the second before or after");
        check("2024-01-15T10:30:45.1234567891Z", "more than nine digits in the fraction of a second");
        check("2024-01-15T10:30:45.Z", "not an RFC 3339 time: no digits after the point");
        check("2024-01-15T10:30:45.5", "an offset from UTC is missing: end it with Z or ±hh:mm");
        check("2024-01-15 10:30:45Z", "date and time are joined by a capital T");
        check("2024-01-15t10:30:45Z", "date and time are joined by a capital T");
        check("2024-01-15T10:30:45z", "not an RFC 3339 offset: Z or ±hh:mm is expected after the seconds");
        check(
            "2024-01-15T10:30:45+0200",
            "not an RFC 3339 offset: Z or ±hh:mm is expected after the seconds",
        );
        check("2024-01-15T10:30:45+25:00", "the offset from UTC is out of range");
        check("2024-01-15T1x:30:45Z", "not an RFC 3339 time: a digit is missing");
        check("1705314645", "not an RFC 3339 time, such as 2024-01-15T10:30:00.123Z");
        check("", "not an RFC 3339 time, such as 2024-01-15T10:30:00.123Z");
    }

    #[test]
    fn writes_received() {
        assert_eq!(format_ms(1_705_314_645_000), "2024-01-15T10:30:45.000Z");
        assert_eq!(format_ms(u64::MAX), "9999-12-30T22:00:00.999Z");
        assert_eq!(format_ns(i64::MIN), "1677-09-21T00:12:43.145224192Z");
    }
}
