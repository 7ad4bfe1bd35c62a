//! Numbers as people read them: money, bytes, how much more than before, how long ago.

use crate::row::grouped;

/// Parts of a unit that sums of money are exact to.
const NANO: i128 = 1_000_000_000;

/// A sum of money as the product gives it, in thousand millionths; nothing if it is something else.
pub(crate) fn nano(text: &str) -> Option<i128> {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    let (negative, whole) = whole.strip_prefix('-').map_or((false, whole), |whole| (true, whole));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 27 || places.len() > 9 || !digits(whole) || !digits(places) {
        return None;
    }
    let nano = whole.parse::<i128>().ok()? * NANO + format!("{places:0<9}").parse::<i128>().ok()?;
    Some(if negative { -nano } else { nano })
}

/// Money with two places; small sums with as many as say something.
pub(crate) fn money(nano: i128) -> String {
    let sign = if nano < 0 { "−" } else { "" };
    let size = nano.unsigned_abs();
    let unit = NANO.unsigned_abs();
    let places = match size {
        0 => 2,
        _ if size >= unit / 100 => 2,
        _ => 6,
    };
    let step = 10u128.pow(9 - places);
    let rounded = (size + step / 2) / step;
    let parts = 10u128.pow(places);
    let width = usize::try_from(places).unwrap_or(2);
    format!("{sign}{}.{:0width$}", grouped(&(rounded / parts).to_string()), rounded % parts)
}

/// Bytes with at most three digits, in powers of 1000.
pub(crate) fn bytes(n: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB"];
    let mut size = n as f64;
    let mut unit = 0;
    while size >= 999.5 && unit + 1 < units.len() {
        size /= 1000.0;
        unit += 1;
    }
    match unit {
        0 => format!("{n} B"),
        _ if size < 9.95 => format!("{size:.1} {}", units[unit]),
        _ => format!("{size:.0} {}", units[unit]),
    }
}

/// A number that need not be exact, with at most three digits: `1.2 M`.
pub(crate) fn brief(n: u64) -> String {
    let units = ["", " k", " M", " G", " T"];
    if n < 10_000 {
        return grouped(&n.to_string());
    }
    let mut size = n as f64;
    let mut unit = 0;
    while size >= 999.5 && unit + 1 < units.len() {
        size /= 1000.0;
        unit += 1;
    }
    if size < 9.95 { format!("{size:.1}{}", units[unit]) } else { format!("{size:.0}{}", units[unit]) }
}

/// How a number stands to what it was before, in words.
pub(crate) fn change(now: i128, before: i128) -> String {
    match (now, before) {
        (0, 0) => "none before either".to_owned(),
        (_, 0) => "none before".to_owned(),
        _ => {
            let percent = ((now - before) as f64 / before as f64 * 100.0).round();
            match percent {
                p if p >= 1000.0 => format!("{:.0} × before", now as f64 / before as f64),
                p if p > 0.0 => format!("+{p:.0} % on before"),
                p if p < 0.0 => format!("−{:.0} % on before", -p),
                _ => "as before".to_owned(),
            }
        }
    }
}

/// A length of time in its largest unit.
pub(crate) fn lasting(ms: u64) -> String {
    let units = [(86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1000, "second")];
    // Two of a unit are the least that is told in it, so that 90 minutes are no hour.
    let (size, name) = units.into_iter().find(|(size, _)| ms >= 2 * size).unwrap_or((1000, "second"));
    match ms / size {
        0 => "less than a second".to_owned(),
        1 => format!("1 {name}"),
        n => format!("{} {name}s", grouped(&n.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_exact_and_short() {
        for (text, shown) in [
            ("0", "0.00"),
            ("12.345678901", "12.35"),
            ("1234567.5", "1\u{202f}234\u{202f}567.50"),
            ("0.0234", "0.02"),
            ("0.000123", "0.000123"),
            ("-3.999", "−4.00"),
            ("0.99999", "1.00"),
        ] {
            assert_eq!(money(nano(text).unwrap()), shown, "{text}");
        }
        for wrong in ["", "x", "1.2.3", "1e5", "1.0000000001", "--1"] {
            assert_eq!(nano(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn sizes_changes_and_lengths_are_said_shortly() {
        assert_eq!(
            [bytes(0), bytes(999), bytes(1000), bytes(12_345_678)],
            ["0 B", "999 B", "1.0 kB", "12 MB"]
        );
        assert_eq!(bytes(u64::MAX), "18447 PB");
        assert_eq!([brief(9999), brief(12_345), brief(1_234_567)], ["9\u{202f}999", "12 k", "1.2 M"]);
        assert_eq!(change(150, 100), "+50 % on before");
        assert_eq!(change(50, 100), "−50 % on before");
        assert_eq!(change(5, 0), "none before");
        assert_eq!(change(5000, 10), "500 × before");
        assert_eq!(
            [lasting(0), lasting(90_000), lasting(7_200_000)],
            ["less than a second", "90 seconds", "2 hours"]
        );
    }
}
