//! Events over time as bars: an inline SVG of links, and a table that says the same.

use indelible::{Group, Slot};

use crate::moment::{Period, SECOND, show_length, show_minute, whole_second};
use crate::narrow::Narrow;
use crate::question::Ask;
use crate::row::{Status, grouped};

/// Widths of an interval, in seconds.
const STEPS: &[i64] = &[
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 14_400, 21_600, 43_200, 86_400,
    172_800, 604_800, 1_209_600, 2_419_200, 7_257_600, 31_536_000,
];
/// Bars, at most.
const BARS: i64 = 96;
/// Values that are told apart; the rest are one.
pub(crate) const SPLIT: usize = 5;
/// Of the picture, whose width is ten for each bar.
const HEIGHT: u64 = 72;

/// How a stretch of time is cut: the begin of the first interval, the end of the last, and their width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) from_ns: i64,
    pub(crate) to_ns: i64,
    pub(crate) step_ns: i64,
}

/// Into as many intervals as fit, at round times.
pub(crate) fn cut(from_ns: i64, to_ns: i64) -> Cut {
    let length = to_ns.saturating_sub(from_ns).max(1);
    let fits = |step: &&i64| length / (**step * SECOND) < BARS;
    let step_ns = STEPS.iter().find(fits).unwrap_or(&STEPS[STEPS.len() - 1]).saturating_mul(SECOND);
    let from = from_ns.div_euclid(step_ns).saturating_mul(step_ns);
    let steps = to_ns.saturating_sub(from).max(1).saturating_add(step_ns - 1) / step_ns;
    Cut { from_ns: from, to_ns: from.saturating_add(steps.saturating_mul(step_ns)), step_ns }
}

/// One value by which bars are split.
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) count: String,
    /// Of the style sheet.
    pub(crate) class: String,
    /// Name of the symbol, for a status.
    pub(crate) shape: Option<&'static str>,
    /// Only events with it.
    pub(crate) only: Option<String>,
}

/// A rectangle of the picture.
pub(crate) struct Block {
    pub(crate) y: u64,
    pub(crate) height: u64,
    pub(crate) class: String,
}

/// An interval.
pub(crate) struct Bar {
    pub(crate) x: usize,
    pub(crate) blocks: Vec<Block>,
    /// The question, for this interval.
    pub(crate) place: String,
    pub(crate) begin: String,
    pub(crate) count: String,
    /// Of each series, in their order.
    pub(crate) counts: Vec<String>,
    pub(crate) is_empty: bool,
}

/// The whole.
pub(crate) struct Chart {
    pub(crate) width: usize,
    pub(crate) height: u64,
    pub(crate) bars: Vec<Bar>,
    pub(crate) series: Vec<Series>,
    pub(crate) most: String,
    pub(crate) step: String,
    /// Times along the axis, evenly spread.
    pub(crate) ticks: Vec<String>,
    pub(crate) total: String,
    pub(crate) from: String,
    pub(crate) to: String,
}

/// `None` if there is nothing to show.
pub(crate) fn chart(slots: &[Slot], cut: Cut, ask: &Ask, narrow: &Narrow, period: &Period) -> Option<Chart> {
    let total: u64 = slots.iter().map(|slot| slot.count).sum();
    if total == 0 {
        return None;
    }
    let mut sums: Vec<(Option<String>, u64)> = Vec::new();
    for group in slots.iter().flat_map(|slot| &slot.split) {
        match sums.iter_mut().find(|(key, _)| *key == group.key) {
            Some((_, sum)) => *sum += group.count,
            None => sums.push((group.key.clone(), group.count)),
        }
    }
    sums.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let named: u64 = sums.iter().take(SPLIT).map(|(_, sum)| sum).sum();
    let keys: Vec<Option<String>> = sums.iter().take(SPLIT).map(|(key, _)| key.clone()).collect();
    let class = |n: usize, key: &Option<String>| match key.as_deref().and_then(Status::of) {
        Some(status) if ask.by == "status" => format!("s-{}", status.shape),
        _ => format!("k-{n}"),
    };
    let mut series: Vec<Series> = keys
        .iter()
        .zip(&sums)
        .enumerate()
        .map(|(n, (key, (_, sum)))| {
            let shape =
                key.as_deref().and_then(Status::of).filter(|_| ask.by == "status").map(|status| status.shape);
            Series {
                name: key.clone().unwrap_or_else(|| "none".to_owned()),
                count: grouped(&sum.to_string()),
                class: class(n, key),
                shape,
                only: Some(ask.with_q(narrow.include(ask.by, key.as_deref())).link()),
            }
        })
        .collect();
    // Events with several values are counted once for each.
    let rest = total.saturating_sub(named);
    if rest > 0 {
        let (class, count) = ("k-rest".to_owned(), grouped(&rest.to_string()));
        series.push(Series { name: "others".into(), count, class, shape: None, only: None });
    }
    let length = cut.to_ns.saturating_sub(cut.from_ns);
    let intervals = usize::try_from(length / cut.step_ns).unwrap_or(0).clamp(1, 1000);
    let most = slots.iter().map(|slot| slot.count).max().unwrap_or(1).max(1);
    let mut bars = Vec::with_capacity(intervals);
    for n in 0..intervals {
        let begin = cut.from_ns.saturating_add(cut.step_ns.saturating_mul(n as i64));
        let slot = slots.iter().find(|slot| slot.from_ns == begin);
        // Not wider than what is asked about already.
        let from = begin.max(period.from_ns.unwrap_or(begin));
        let to = begin.saturating_add(cut.step_ns).min(period.to_ns.unwrap_or(i64::MAX));
        bars.push(bar(n, begin, (whole_second(from), whole_second(to)), slot, &keys, &series, most, ask));
    }
    let tick = |n: usize| {
        let at = cut.from_ns.saturating_add(length / 4 * n as i64);
        let text = show_minute(at);
        let (day, clock) = text.split_once(", ").unwrap_or((&text, ""));
        let day = day.rsplit_once(' ').map_or(day, |(day, _)| day);
        if length > 4 * 86_400 * SECOND { day.to_owned() } else { format!("{day}, {clock}") }
    };
    Some(Chart {
        width: intervals * 10,
        height: HEIGHT,
        bars,
        series,
        most: grouped(&most.to_string()),
        step: show_length(cut.step_ns),
        ticks: (0..5).map(tick).collect(),
        total: grouped(&total.to_string()),
        from: whole_second(cut.from_ns),
        to: whole_second(cut.to_ns),
    })
}

#[allow(clippy::too_many_arguments)]
fn bar(
    n: usize,
    begin: i64,
    (from, to): (String, String),
    slot: Option<&Slot>,
    keys: &[Option<String>],
    series: &[Series],
    most: u64,
    ask: &Ask,
) -> Bar {
    let count = slot.map_or(0, |slot| slot.count);
    let of = |key: &Option<String>| {
        let split = slot.map_or(&[][..], |slot| &slot.split);
        split.iter().find(|group: &&Group| group.key == *key).map_or(0, |group| group.count)
    };
    let mut counts: Vec<u64> = keys.iter().map(of).collect();
    if series.len() > keys.len() {
        counts.push(count.saturating_sub(counts.iter().sum()));
    }
    let mut blocks = Vec::new();
    let mut top = HEIGHT;
    for (count, series) in counts.iter().zip(series).filter(|(count, _)| **count > 0) {
        // One event among many is still to be seen.
        let height = (count * HEIGHT / most).max(2).min(top);
        top -= height;
        blocks.push(Block { y: top, height, class: series.class.clone() });
    }
    Bar {
        x: n * 10 + 1,
        blocks,
        place: ask.with(|ask| (ask.from, ask.to) = (from, to)).link(),
        begin: show_minute(begin),
        count: grouped(&count.to_string()),
        counts: counts.iter().map(|count| grouped(&count.to_string())).collect(),
        is_empty: count == 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_stretch_of_time_is_cut_into_few_round_intervals() {
        for seconds in [1, 59, 900, 3600, 86_400, 7 * 86_400, 90 * 86_400, 3_000_000_000] {
            let from = 1_795_000_123 * SECOND;
            let cut = cut(from, from + seconds * SECOND);
            let bars = (cut.to_ns - cut.from_ns) / cut.step_ns;
            assert!((1..=BARS + 2).contains(&bars), "{seconds}: {bars}");
            assert!(cut.from_ns <= from && from + seconds * SECOND <= cut.to_ns, "{seconds}");
            assert_eq!(cut.from_ns % cut.step_ns, 0);
        }
        cut(i64::MIN, i64::MAX);
        cut(0, 0);
        cut(5, 1);
    }
}
