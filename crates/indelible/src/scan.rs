//! Questions answered by reading the ledger: what a small one needs no index for, and what a folder that may only be read
//! has none for.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use event::Value;
use ledger::Ledger;
use query::Predicate;

use crate::ask::{
    AskError, Count, Facet, Found, Group, Interval, Measure, Order, Paging, Question, Slot, Total,
    cursor_after,
};
use crate::decimal::Decimal;
use crate::show::document;

/// Most slots of a histogram.
pub(crate) const SLOTS: usize = 10_000;
/// Different values that are counted.
const VALUES: usize = 100_000;

/// A ledger and what is asked of it.
pub(crate) struct Scan<'a> {
    ledger: &'a Ledger,
    organisation: &'a str,
    predicate: Predicate,
    size: u64,
}

impl<'a> Scan<'a> {
    pub(crate) fn new(ledger: &'a Ledger, question: &'a Question) -> Scan<'a> {
        Scan {
            ledger,
            organisation: &question.organisation,
            predicate: question.filter.predicate(),
            size: ledger.size(),
        }
    }

    /// Calls `each` for every event that the filter holds for, newest first from below `before`, until it says to stop.
    fn each(&self, before: u64, mut each: impl FnMut(u64, &Value<'_>) -> bool) -> Result<(), AskError> {
        let mut at = before.min(self.size);
        while at > 0 {
            let block = self.ledger.block_in_passing(at - 1)?;
            let first = block.positions().start;
            for position in (first..at).rev() {
                let record = block.unchecked(position)?;
                let value = document(self.organisation, &record)?;
                if self.predicate.matches(&value) && !each(position, &value) {
                    return Ok(());
                }
            }
            at = first;
        }
        Ok(())
    }

    pub(crate) fn page(&self, paging: &Paging) -> Result<Found, AskError> {
        let mut found = match paging.order {
            Order::Newest => self.by_position(paging)?,
            Order::Time | Order::Oldest => self.by_time(paging)?,
        };
        if found.total.is_some() {
            // It was counted on the way.
        } else if paging.count == Count::Exact || (paging.count == Count::Estimate && found.next.is_none()) {
            found.total = Some(self.total()?);
        } else if paging.count == Count::Estimate {
            found.total = Some(Total { value: found.positions.len() as u64, is_exact: false });
        }
        Ok(found)
    }

    fn by_position(&self, paging: &Paging) -> Result<Found, AskError> {
        let before = match paging.cursor.as_deref() {
            Some(cursor) => cursor.parse().map_err(|_| wrong_cursor())?,
            None => u64::MAX,
        };
        let mut positions = Vec::new();
        let mut next = None;
        self.each(before, |position, _| {
            if positions.len() == paging.limit {
                next = positions.last().map(|last| cursor_after(Order::Newest, *last, 0));
                return false;
            }
            positions.push(position);
            true
        })?;
        Ok(Found { positions, next, total: None, searchable: self.size })
    }

    fn by_time(&self, paging: &Paging) -> Result<Found, AskError> {
        let oldest_first = paging.order == Order::Oldest;
        let after = match paging.cursor.as_deref() {
            Some(cursor) => {
                let (time, position) = cursor.split_once('_').ok_or_else(wrong_cursor)?;
                let time: i64 = time.parse().map_err(|_| wrong_cursor())?;
                let position: u64 = position.parse().map_err(|_| wrong_cursor())?;
                Some((time, position))
            }
            None => None,
        };
        // The first of those that come after the cursor, as many as fit, and one more to know that there is one.
        let mut first: BTreeSet<(i64, u64)> = BTreeSet::new();
        let mut value = 0;
        self.each(u64::MAX, |position, event| {
            value += 1;
            let key = (time_ns(event), position);
            let comes_after = |after| if oldest_first { key > after } else { key < after };
            if after.is_none_or(comes_after) {
                first.insert(key);
                if first.len() > paging.limit + 1 {
                    if oldest_first {
                        first.pop_last()
                    } else {
                        first.pop_first()
                    };
                }
            }
            true
        })?;
        let has_more = first.len() > paging.limit;
        let mut page: Vec<(i64, u64)> = first.into_iter().collect();
        if !oldest_first {
            page.reverse();
        }
        page.truncate(paging.limit);
        let next = page.last().filter(|_| has_more).map(|(time, at)| cursor_after(paging.order, *at, *time));
        let total = (paging.count != Count::No).then_some(Total { value, is_exact: true });
        let positions = page.into_iter().map(|(_, position)| position).collect();
        Ok(Found { positions, next, total, searchable: self.size })
    }

    pub(crate) fn total(&self) -> Result<Total, AskError> {
        let mut value = 0;
        self.each(u64::MAX, |_, _| {
            value += 1;
            true
        })?;
        Ok(Total { value, is_exact: true })
    }

    pub(crate) fn facets(&self, fields: &[String], most: usize) -> Result<Vec<Facet>, AskError> {
        let mut counts: Vec<HashMap<Option<String>, u64>> = vec![HashMap::new(); fields.len()];
        let mut is_exact = true;
        self.each(u64::MAX, |_, value| {
            for (field, counts) in fields.iter().zip(&mut counts) {
                for key in keys(value, field) {
                    match counts.len() < VALUES || counts.contains_key(&key) {
                        true => *counts.entry(key).or_default() += 1,
                        false => is_exact = false,
                    }
                }
            }
            true
        })?;
        let facet = |(field, counts): (&String, HashMap<Option<String>, u64>)| {
            let mut groups: Vec<Group> =
                counts.into_iter().map(|(key, count)| Group { key, count, sum: None }).collect();
            groups.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.key.cmp(&b.key)));
            groups.truncate(most);
            Facet { field: field.clone(), groups, is_exact }
        };
        Ok(fields.iter().zip(counts).map(facet).collect())
    }

    pub(crate) fn histogram(&self, interval: &Interval) -> Result<Vec<Slot>, AskError> {
        let mut slots: BTreeMap<i64, (u64, HashMap<Option<String>, u64>)> = BTreeMap::new();
        let mut too_many = false;
        self.each(u64::MAX, |_, value| {
            let time = time_ns(value);
            if interval.from_ns.is_some_and(|from| time < from) || interval.to_ns.is_some_and(|to| time >= to)
            {
                return true;
            }
            let origin = interval.from_ns.unwrap_or(0);
            let from = (time - origin).div_euclid(interval.step_ns) * interval.step_ns + origin;
            let slot = slots.entry(from).or_default();
            slot.0 += 1;
            if let Some((field, _)) = &interval.by {
                for key in keys(value, field) {
                    *slot.1.entry(key).or_default() += 1;
                }
            }
            too_many = slots.len() > SLOTS;
            !too_many
        })?;
        if too_many {
            return Err(AskError::Wrong(format!(
                "more than {SLOTS} intervals; ask for wider ones or a shorter time"
            )));
        }
        let most = interval.by.as_ref().map_or(0, |(_, most)| *most);
        let slot = |(from_ns, (count, split)): (i64, (u64, HashMap<Option<String>, u64>))| {
            let mut split: Vec<Group> =
                split.into_iter().map(|(key, count)| Group { key, count, sum: None }).collect();
            split.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.key.cmp(&b.key)));
            split.truncate(most);
            Slot { from_ns, count, split }
        };
        Ok(slots.into_iter().map(slot).collect())
    }

    pub(crate) fn top(&self, group: &str, measure: &Measure, most: usize) -> Result<Facet, AskError> {
        let mut all: HashMap<Option<String>, (u64, Decimal)> = HashMap::new();
        let mut is_exact = true;
        self.each(u64::MAX, |_, value| {
            let measured = match measure {
                Measure::Count => Decimal::default(),
                Measure::Sum(field) => sum_of(value, field),
            };
            for key in keys(value, group) {
                match all.len() < VALUES || all.contains_key(&key) {
                    true => {
                        let entry = all.entry(key).or_default();
                        entry.0 += 1;
                        entry.1.add(measured);
                    }
                    false => is_exact = false,
                }
            }
            true
        })?;
        let mut all: Vec<_> = all.into_iter().collect();
        match measure {
            Measure::Count => all.sort_by(|a, b| b.1.0.cmp(&a.1.0).then_with(|| a.0.cmp(&b.0))),
            Measure::Sum(_) => all.sort_by(|a, b| b.1.1.cmp(&a.1.1).then_with(|| a.0.cmp(&b.0))),
        }
        all.truncate(most);
        let is_sum = matches!(measure, Measure::Sum(_));
        let groups = all
            .into_iter()
            .map(|(key, (count, sum))| Group { key, count, sum: is_sum.then(|| sum.to_string()) })
            .collect();
        Ok(Facet { field: group.to_owned(), groups, is_exact })
    }
}

/// The values of a field in an event, each once; one `None` if it has none.
fn keys(value: &Value<'_>, field: &str) -> Vec<Option<String>> {
    let mut keys = Vec::new();
    query::visit(value, &mut |leaf| {
        if leaf.path == field {
            let key = match leaf.value {
                Value::String(text) => text.to_string(),
                other => String::from_utf8_lossy(&other.to_jcs()).into_owned(),
            };
            if !keys.contains(&Some(key.clone())) {
                keys.push(Some(key));
            }
        }
    });
    if keys.is_empty() {
        keys.push(None);
    }
    keys
}

fn sum_of(value: &Value<'_>, field: &str) -> Decimal {
    let mut sum = Decimal::default();
    query::visit(value, &mut |leaf| {
        if leaf.path == field {
            match leaf.value {
                Value::String(text) => sum.add(Decimal::parse(text).unwrap_or_default()),
                other => {
                    sum.add(Decimal::parse(&String::from_utf8_lossy(&other.to_jcs())).unwrap_or_default())
                }
            }
        }
    });
    sum
}

fn time_ns(value: &Value<'_>) -> i64 {
    value.get("time").and_then(Value::as_str).and_then(|text| event::time::parse(text).ok()).unwrap_or(0)
}

pub(crate) fn wrong_cursor() -> AskError {
    AskError::Wrong("cursor: send `next` of the page before".into())
}
