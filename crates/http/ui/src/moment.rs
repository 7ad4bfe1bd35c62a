//! Times as people read them. All are in UTC, and the pages say so: an auditor in another zone sees the same.

use event::time;
use query::Filter;

pub(crate) const SECOND: i64 = 1_000_000_000;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];

/// Beginning and end of a stretch of time, as an address says them.
pub(crate) type Bounds = (String, String);

/// A stretch of time that is asked about.
#[derive(Clone, Debug)]
pub(crate) struct Period {
    pub(crate) from_ns: Option<i64>,
    pub(crate) to_ns: Option<i64>,
    /// When the page was made.
    pub(crate) now_ns: i64,
    pub(crate) name: String,
    pub(crate) filter: Filter,
}

impl Period {
    /// As long before it, and as long after if that is not the future: beginnings and ends as an address says them.
    pub(crate) fn neighbours(&self) -> Option<(Bounds, Option<Bounds>)> {
        let (from, to) = (self.from_ns?, self.to_ns.unwrap_or(self.now_ns));
        let length = to.checked_sub(from)?;
        let pair = |from: i64, to: i64| (whole_second(from), whole_second(to));
        let later = (to < self.now_ns).then(|| to.checked_add(length).map(|end| pair(to, end)));
        Some((pair(from.checked_sub(length)?, from), later.flatten()))
    }
}

/// A moment to the second, as an address says it.
pub(crate) fn whole_second(ns: i64) -> String {
    time::format_ns(ns.div_euclid(SECOND) * SECOND)
}

/// `20 Nov 2026, 10:30`.
pub(crate) fn show_minute(ns: i64) -> String {
    let text = time::format_ns(ns);
    format!("{}, {}", show_day(&text), text.get(11..16).unwrap_or_default())
}

/// `20 Nov 2026`, of a time as RFC 3339.
pub(crate) fn show_day(text: &str) -> String {
    let part = |from, to| text.get(from..to).unwrap_or_default();
    let month = part(5, 7).parse::<usize>().ok().and_then(|n| MONTHS.get(n.checked_sub(1)?));
    format!("{} {} {}", part(8, 10).trim_start_matches('0'), month.unwrap_or(&"?"), part(0, 4))
}

/// `Friday, 20 Nov 2026`.
pub(crate) fn show_weekday(ns: i64) -> String {
    let day = ns.div_euclid(86_400 * SECOND).rem_euclid(7);
    let name = usize::try_from(day).map_or("", |day| DAYS[day]);
    format!("{name}, {}", show_day(&time::format_ns(ns)))
}

/// `10:30:45` and `.123`, of a time as RFC 3339.
pub(crate) fn show_clock(text: &str) -> (&str, &str) {
    let seconds = text.get(11..19).unwrap_or_default();
    let fraction = text.get(19..).unwrap_or_default().trim_end_matches('Z');
    (seconds, fraction.get(..4).unwrap_or(fraction))
}

/// The width of an interval, in words for a table.
pub(crate) fn show_length(ns: i64) -> String {
    let seconds = ns / SECOND;
    let units = [(604_800, "week"), (86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
    let (size, name) = units.into_iter().find(|(size, _)| seconds % size == 0).unwrap_or((1, "second"));
    match seconds / size {
        1 => name.to_owned(),
        n => format!("{n} {name}s"),
    }
}

/// A stretch of time to two units, as people say it: `3 h 12 min`, `4 days`.
pub(crate) fn show_span(ns: i64) -> String {
    let ms = ns / 1_000_000;
    let units = [(86_400_000, "days"), (3_600_000, "h"), (60_000, "min"), (1000, "s"), (1, "ms")];
    let Some(at) = units.iter().position(|(size, _)| ms >= *size) else { return "less than 1 ms".to_owned() };
    let (size, name) = units[at];
    let many = ms / size;
    let name = if many == 1 && name == "days" { "day" } else { name };
    match units.get(at + 1).map(|(small, unit)| (ms % size / small, unit)) {
        // Below a second nobody needs the second unit.
        Some((rest, unit)) if rest > 0 && *unit != "ms" => format!("{many} {name} {rest} {unit}"),
        _ => format!("{many} {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_shown() {
        let ns = time::parse("2026-11-20T10:30:45.123456Z").unwrap();
        assert_eq!(show_minute(ns), "20 Nov 2026, 10:30");
        assert_eq!(show_weekday(ns), "Friday, 20 Nov 2026");
        assert_eq!(show_weekday(0), "Thursday, 1 Jan 1970");
        assert_eq!(show_weekday(-1), "Wednesday, 31 Dec 1969");
        assert_eq!(show_clock("2026-11-20T10:30:45.123456Z"), ("10:30:45", ".123"));
        assert_eq!(show_clock("2026-11-20T10:30:45Z"), ("10:30:45", ""));
        assert_eq!(show_clock("x"), ("", ""));
        assert_eq!(whole_second(ns), "2026-11-20T10:30:45Z");
        assert_eq!(show_length(3600 * SECOND), "hour");
        assert_eq!(show_length(3 * 3600 * SECOND), "3 hours");
        assert_eq!(show_length(14 * 86_400 * SECOND), "2 weeks");
        for (ms, span) in [
            (0, "less than 1 ms"),
            (12, "12 ms"),
            (1500, "1 s"),
            (90_000, "1 min 30 s"),
            (3_600_000 * 3 + 60_000 * 12, "3 h 12 min"),
            (86_400_000, "1 day"),
            (86_400_000 * 4 + 3_600_000, "4 days 1 h"),
        ] {
            assert_eq!(show_span(ms * 1_000_000), span);
        }
    }
}
