//! The index follows the ledgers: what is recorded becomes searchable, within a second.
//!
//! A small ledger is scanned and has no index. Indexes are opened when they are needed, and few are open at once. The index
//! only says where an event is; what it means and whether it is true is read from the ledger.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use event::Value;
use index::{Budget, Cache, Cursor, Histogram, Index, Scope, Stats};
use ledger::{Error, Ledger, Record, Section};
use query::Filter;

use crate::ask::{
    AskError, Count, Facet, Found, Group, Interval, Measure, Order, Paging, Question, Slot, Total,
    cursor_after,
};
use crate::decimal::Decimal;
use crate::organisations::Indelible;
use crate::scan::{SLOTS, wrong_cursor};
use crate::show::{document, parse_id};

/// Indexes that are open at once.
const OPEN: usize = 64;
/// Events added before they are committed, at most: they are held in memory.
const WAITING: usize = 16_384;
/// How long an erasure that was announced may take.
const ERASURE_MS: u64 = 60_000;
/// Events read at once.
const STEP: usize = 2048;
/// Events that may share a sender's id and are listed.
const SAME_ID: usize = 100;
/// How often somebody who waits for the index looks again.
const LOOK_MS: u64 = 1;
/// How long one question may confirm what the index cannot tell exactly.
const CONFIRM_MS: u64 = 10_000;

/// The indexes of a product.
pub(crate) struct Indexing {
    cache: Arc<Cache>,
    open: Mutex<HashMap<String, Held>>,
    clock: AtomicU64,
    /// Whether somebody waits for what was recorded to be found.
    hurry: (Mutex<bool>, Condvar),
}

struct Held {
    indexed: Arc<Indexed>,
    used: u64,
}

/// One organisation's index.
pub(crate) struct Indexed {
    index: Index,
    /// When the oldest event that waits to be committed was added.
    waiting_since_ms: Mutex<Option<u64>>,
    /// The erasure that is waited for, and since when.
    erasing: Mutex<Option<(u64, u64)>>,
    /// Somebody waits for what was added.
    is_wanted: AtomicU64,
}

/// What a ledger has, and its index lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lag {
    /// Whose.
    pub organisation: String,
    /// Leaves of the ledger.
    pub size: u64,
    /// Leaves that can be found; `None` if its index is not open now.
    pub searchable: Option<u64>,
    /// Bytes of the index on the disk; 0 for a small ledger, which is scanned and has none.
    pub bytes: u64,
}

impl Indexing {
    pub(crate) fn new(cache_bytes: usize) -> Indexing {
        Indexing {
            cache: Arc::new(Cache::new(cache_bytes)),
            open: Mutex::default(),
            clock: AtomicU64::new(0),
            hurry: Default::default(),
        }
    }
}

impl Indelible {
    /// The index of an organisation; `None` if its ledger is small enough to be scanned, or may only be read.
    pub(crate) fn index_of(
        &self,
        organisation: &str,
        ledger: &Ledger,
    ) -> Result<Option<Arc<Indexed>>, AskError> {
        if self.read_only() || ledger.size() < self.settings.scan_below {
            return Ok(None);
        }
        let used = self.indexing.clock.fetch_add(1, Ordering::Relaxed);
        let mut open = self.indexing.open.lock().expect("no panic while indexes are held");
        if let Some(slot) = open.get_mut(organisation) {
            slot.used = used;
            return Ok(Some(slot.indexed.clone()));
        }
        if open.len() >= OPEN
            && let Some(oldest) = open.iter().min_by_key(|(_, slot)| slot.used).map(|(name, _)| name.clone())
        {
            // What it has not committed is read again when it is opened again.
            open.remove(&oldest);
        }
        let indexed = Arc::new(self.open_index(organisation, ledger)?);
        open.insert(organisation.to_owned(), Held { indexed: indexed.clone(), used });
        Ok(Some(indexed))
    }

    fn open_index(&self, organisation: &str, ledger: &Ledger) -> Result<Indexed, AskError> {
        let views = self.settings.data.join("views");
        let folder = views.join("index").join(organisation);
        for dir in [&views, &views.join("index"), &folder] {
            self.io.create_dir(dir).map_err(|e| {
                AskError::Ledger(Error::Io(format!("couldn't create {}: {e}", dir.display())))
            })?;
        }
        let key = ledger.view_key("index");
        let index = Index::open(self.io.clone(), &folder, key.bytes(), self.indexing.cache.clone())
            .map_err(|e| failed(organisation, &e))?;
        if index.next() > ledger.size() {
            // It knows of events that the ledger does not have: it belongs to another history.
            tracing::error!(
                organisation,
                next = index.next(),
                size = ledger.size(),
                "the index is ahead of the ledger"
            );
            return Err(AskError::Ledger(Error::RolledBack(format!(
                "the index has {} events, the ledger {}",
                index.next(),
                ledger.size()
            ))));
        }
        if index.rebuilt() || index.next() == 0 {
            tracing::info!(organisation, events = ledger.size(), "the index is made anew");
        }
        Ok(Indexed {
            index,
            waiting_since_ms: Mutex::default(),
            erasing: Mutex::default(),
            is_wanted: AtomicU64::new(0),
        })
    }

    /// Waits until somebody needs what was recorded to be found at once, or for `most`.
    pub fn index_rest(&self, most: Duration) {
        let (hurry, signal) = &self.indexing.hurry;
        let hurry = hurry.lock().expect("no panic while it is held");
        let waited = signal.wait_timeout_while(hurry, most, |hurry| !*hurry);
        *waited.expect("no panic while it is held").0 = false;
    }

    /// Adds some of what the open ledgers have and their indexes lack: whether there is more to do at once.
    /// One thread calls this, and waits a little when there is nothing.
    pub fn index_step(&self) -> bool {
        let mut more = false;
        for (organisation, ledger) in self.open_now() {
            match self.index_some(&organisation, &ledger) {
                Ok(left) => more |= left,
                Err(error) => {
                    tracing::error!(organisation, %error, "the index could not follow its ledger; it is made anew");
                    self.indexing.open.lock().expect("no panic while indexes are held").remove(&organisation);
                }
            }
        }
        more
    }

    fn index_some(&self, organisation: &str, ledger: &Ledger) -> Result<bool, AskError> {
        let Some(indexed) = self.index_of(organisation, ledger)? else { return Ok(false) };
        let index = &indexed.index;
        let before = index.next();
        let end = ledger.size();
        let records = read(ledger, before, end)?;
        let mut is_held_up = false;
        // One after the other: what an event is made of is small and still near when it is let go.
        for record in &records {
            let event = document(organisation, record)?;
            if let Some(range) = erased_range(&event)
                && !self.follow_erasure(organisation, ledger, &indexed, (record.position, &event), range)?
            {
                is_held_up = true;
                break;
            }
            index.add(&[(record.position, event)]).map_err(|e| failed(organisation, &e))?;
        }
        let now_ms = self.io.monotonic_ms();
        let left = index.next() < ledger.size() && !is_held_up;
        let mut since = indexed.waiting_since_ms.lock().expect("no panic while it is held");
        if index.waiting() == 0 {
            *since = None;
            return Ok(left);
        }
        let waited_ms = now_ms.saturating_sub(*since.get_or_insert(now_ms));
        let commit_ms = self.settings.index_commit_ms;
        let is_due = waited_ms >= commit_ms || indexed.is_wanted.load(Ordering::Relaxed) > index.searchable();
        if index.waiting() >= WAITING || (is_due && !left) || waited_ms >= 2 * commit_ms {
            index.commit().map_err(|e| failed(organisation, &e))?;
            *since = None;
        }
        Ok(left)
    }

    /// What a new leaf says was erased is taken out of the index too, down to its terms on the disk. The leaf comes before
    /// the deed: until it is done, the leaf and what follows it wait, and the answer is false.
    fn follow_erasure(
        &self,
        organisation: &str,
        ledger: &Ledger,
        indexed: &Indexed,
        (position, event): (u64, &Value<'_>),
        (first, last): (u64, u64),
    ) -> Result<bool, AskError> {
        if !is_erased(ledger, event, first, last)? && !indexed.has_waited(position, self.io.monotonic_ms()) {
            return Ok(false);
        }
        let index = &indexed.index;
        let end = last.saturating_add(1).min(index.next());
        let mut from = first;
        while from < end {
            let some = read(ledger, from, end)?;
            from += some.len() as u64;
            index.rebuild_range(&documents(organisation, &some)?).map_err(|e| failed(organisation, &e))?;
        }
        Ok(true)
    }

    /// Merges some parts of some index: whether there was anything to do. One thread calls this, beside the one that adds.
    pub fn index_merge(&self) -> bool {
        let all: Vec<_> = {
            let open = self.indexing.open.lock().expect("no panic while indexes are held");
            open.iter().map(|(name, slot)| (name.clone(), slot.indexed.clone())).collect()
        };
        let mut merged = false;
        for (organisation, indexed) in all {
            match indexed.index.merge_some() {
                Ok(done) => merged |= done,
                Err(error) => {
                    tracing::error!(organisation, %error, "parts of the index could not be merged");
                    self.indexing.open.lock().expect("no panic while indexes are held").remove(&organisation);
                }
            }
        }
        merged
    }

    /// Waits until everything that is recorded now can be found: whether it can.
    pub(crate) fn catch_up(
        &self,
        organisation: &str,
        ledger: &Ledger,
        patience_ms: u64,
    ) -> Result<bool, AskError> {
        let Some(indexed) = self.index_of(organisation, ledger)? else { return Ok(true) };
        let wanted = ledger.size();
        let until_ms = self.io.monotonic_ms() + patience_ms;
        indexed.is_wanted.fetch_max(wanted, Ordering::Relaxed);
        while indexed.index.searchable() < wanted {
            let (hurry, signal) = &self.indexing.hurry;
            *hurry.lock().expect("no panic while it is held") = true;
            signal.notify_one();
            if self.io.monotonic_ms() >= until_ms {
                return Ok(false);
            }
            self.io.pause(LOOK_MS);
        }
        Ok(true)
    }

    /// What an index has; `None` if it is not open, or there is none.
    pub(crate) fn index_stats(&self, organisation: &str) -> Option<Stats> {
        let open = self.indexing.open.lock().expect("no panic while indexes are held");
        open.get(organisation).map(|held| held.indexed.index.stats())
    }

    /// Hits, misses and bytes of the cache of decrypted index blocks.
    pub fn index_cache(&self) -> (u64, u64, u64) {
        let stats = self.indexing.cache.stats();
        (stats.hits, stats.misses, stats.bytes)
    }

    /// The positions of the events with an id: ours, the sender's own, or a position.
    pub(crate) fn positions_of(
        &self,
        ledger: &Ledger,
        organisation: &str,
        id: &str,
    ) -> Result<Vec<u64>, AskError> {
        if let Some(id) = parse_id(id)
            && let Some(position) = ledger.find(&id)?
        {
            return Ok(vec![position]);
        }
        let expr = query::Expr::Field { path: "source_id".into(), test: query::Test::Is(id.to_owned()) };
        let question =
            Question { organisation: organisation.to_owned(), filter: Filter::from(expr), consistent: true };
        let paging = Paging { limit: SAME_ID, count: Count::No, ..Paging::default() };
        let mut positions = self.found(ledger, &question, &paging)?.positions;
        if positions.is_empty() {
            // It may have come just now.
            self.catch_up(organisation, ledger, 1000)?;
            positions = self.found(ledger, &question, &paging)?.positions;
        }
        if let Ok(position) = id.parse::<u64>()
            && position < ledger.size()
            && !positions.contains(&position)
        {
            positions.insert(0, position);
        }
        Ok(positions)
    }
}

/// The positions that a `ledger.erased` speaks of; nothing if it is another event.
fn erased_range(event: &Value<'_>) -> Option<(u64, u64)> {
    if event.get("type").and_then(Value::as_str) != Some("ledger.erased") {
        return None;
    }
    let bound = |name: &str| event.get("attributes")?.get(name)?.as_str()?.parse().ok();
    Some((bound("first")?, bound("last")?))
}

/// Whether the sections that a `ledger.erased` names are gone, from the first to the last event.
fn is_erased(ledger: &Ledger, event: &Value<'_>, first: u64, last: u64) -> Result<bool, Error> {
    let named = event.pointer("/attributes/sections").and_then(Value::as_array).unwrap_or_default();
    let is_named = |name: &str| named.iter().any(|one| one.as_str() == Some(name));
    for position in [first, last] {
        let record = ledger.block(position)?.unchecked(position)?;
        let is_there = |(name, section): (&str, Section<'_>)| is_named(name) && !section.is_empty();
        if record.sections().any(is_there) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Records from `first` on; some of those before `end`.
fn read(ledger: &Ledger, first: u64, end: u64) -> Result<Vec<Record>, Error> {
    let mut records = Vec::new();
    let mut at = first;
    while at < end && records.len() < STEP {
        let block = ledger.block_in_passing(at)?;
        for position in at..block.positions().end.min(end) {
            records.push(block.unchecked(position)?);
        }
        at = block.positions().end;
    }
    Ok(records)
}

/// Records as filters see them.
fn documents<'a>(organisation: &'a str, records: &'a [Record]) -> Result<Vec<(u64, Value<'a>)>, Error> {
    records.iter().map(|record| Ok((record.position, document(organisation, record)?))).collect()
}

impl Indexed {
    /// Whether an erasure was waited for long enough: one that a crash left undone holds nothing up for good.
    fn has_waited(&self, position: u64, now_ms: u64) -> bool {
        let mut erasing = self.erasing.lock().expect("no panic while it is held");
        match *erasing {
            Some((at, since_ms)) if at == position => now_ms.saturating_sub(since_ms) >= ERASURE_MS,
            _ => {
                *erasing = Some((position, now_ms));
                false
            }
        }
    }

    pub(crate) fn page(
        &self,
        product: &Indelible,
        ledger: &Ledger,
        question: &Question,
        paging: &Paging,
    ) -> Result<Found, AskError> {
        let by_time = paging.order != Order::Newest;
        let answer = self
            .index
            .search(
                &index::Question {
                    scope: scope(product, question),
                    order: match paging.order {
                        Order::Newest => index::Order::Newest,
                        Order::Time => index::Order::ByTime { descending: true },
                        Order::Oldest => index::Order::ByTime { descending: false },
                    },
                    after: paging.cursor.as_deref().map(|text| cursor(text, by_time)).transpose()?,
                    // One more, to know whether another page follows.
                    limit: paging.limit + 1,
                    count: match paging.count {
                        Count::No => index::Count::No,
                        Count::Estimate => index::Count::Estimate,
                        Count::Exact => index::Count::Exact,
                    },
                },
                &|position| confirm(ledger, question, position),
            )
            .map_err(|e| broken(question, e))?;
        let mut positions = answer.positions;
        let mut next = answer.next.filter(|_| answer.truncated);
        if positions.len() > paging.limit {
            positions.truncate(paging.limit);
            let last = positions.last().map(|at| ledger.block(*at)?.unchecked(*at)).transpose()?;
            next = last.map(|last| Cursor { position: last.position, time: last.time_ns() });
        }
        Ok(Found {
            next: next.map(|next| cursor_after(paging.order, next.position, next.time)),
            total: answer.total.map(total),
            searchable: self.index.searchable(),
            positions,
        })
    }

    pub(crate) fn total(
        &self,
        product: &Indelible,
        ledger: &Ledger,
        question: &Question,
    ) -> Result<Total, AskError> {
        let counted =
            self.index.count(&scope(product, question), &|position| confirm(ledger, question, position));
        counted.map(total).map_err(|e| broken(question, e))
    }

    pub(crate) fn facets(
        &self,
        product: &Indelible,
        ledger: &Ledger,
        question: &Question,
        fields: &[String],
        most: usize,
    ) -> Result<Vec<Facet>, AskError> {
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        let facets = self
            .index
            .facets(&scope(product, question), &fields, most, &|position| confirm(ledger, question, position))
            .map_err(|e| broken(question, e))?;
        let facet = |facet: index::Facet| {
            let mut groups: Vec<Group> =
                facet.values.into_iter().map(|(key, count)| group(Some(key), count)).collect();
            if facet.missing > 0 {
                groups.push(group(None, facet.missing));
            }
            groups.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.key.cmp(&b.key)));
            groups.truncate(most);
            Facet { field: facet.field, groups, is_exact: facet.relation == index::Relation::Exact }
        };
        Ok(facets.into_iter().map(facet).collect())
    }

    pub(crate) fn histogram(
        &self,
        product: &Indelible,
        ledger: &Ledger,
        question: &Question,
        interval: &Interval,
    ) -> Result<Vec<Slot>, AskError> {
        let step = interval.step_ns;
        let from = match interval.from_ns {
            Some(from) => from,
            // Whole steps since 1970, so that days begin at midnight.
            None => match self.edge(product, ledger, question, false)? {
                Some(first) => first.div_euclid(step) * step,
                None => return Ok(Vec::new()),
            },
        };
        let to = match interval.to_ns {
            Some(to) => to,
            None => match self.edge(product, ledger, question, true)? {
                Some(last) => last.saturating_add(1),
                None => return Ok(Vec::new()),
            },
        };
        if to <= from {
            return Ok(Vec::new());
        }
        if to.saturating_sub(from) / step > SLOTS as i64 {
            return Err(AskError::Wrong(format!(
                "more than {SLOTS} intervals; ask for wider ones or a shorter time"
            )));
        }
        let split = interval.by.as_ref().map(|(field, most)| (field.as_str(), *most));
        let chart = self
            .index
            .histogram(&scope(product, question), &Histogram { from, to, step, split }, &|position| {
                confirm(ledger, question, position)
            })
            .map_err(|e| broken(question, e))?;
        let slot = |(n, count): (usize, &u64)| Slot {
            from_ns: chart.from + n as i64 * chart.step,
            count: *count,
            split: chart
                .series
                .iter()
                .filter(|(_, counts)| counts[n] > 0)
                .map(|(key, counts)| group(Some(key.clone()), counts[n]))
                .collect(),
        };
        Ok(chart.total.iter().enumerate().filter(|(_, count)| **count > 0).map(slot).collect())
    }

    /// The time of the first or the last event that a question finds.
    fn edge(
        &self,
        product: &Indelible,
        ledger: &Ledger,
        question: &Question,
        descending: bool,
    ) -> Result<Option<i64>, AskError> {
        let asked = index::Question {
            scope: scope(product, question),
            order: index::Order::ByTime { descending },
            after: None,
            limit: 1,
            count: index::Count::No,
        };
        let answer = self
            .index
            .search(&asked, &|position| confirm(ledger, question, position))
            .map_err(|e| broken(question, e))?;
        Ok(answer.positions.first().map(|at| ledger.record(*at)).transpose()?.map(|record| record.time_ns()))
    }

    pub(crate) fn top(
        &self,
        product: &Indelible,
        ledger: &Ledger,
        question: &Question,
        by: &str,
        measure: &Measure,
        most: usize,
    ) -> Result<Facet, AskError> {
        let (wanted, is_sum) = match measure {
            Measure::Count => (index::Measure::Count, false),
            Measure::Sum(field) => (index::Measure::Sum(field), true),
        };
        let top = self
            .index
            .top(&scope(product, question), by, wanted, most, &|position| confirm(ledger, question, position))
            .map_err(|e| broken(question, e))?;
        let groups = top.groups.into_iter().map(|found| Group {
            key: Some(found.value),
            count: found.events,
            sum: is_sum.then(|| nano(&found.amount).to_string()),
        });
        Ok(Facet {
            field: by.to_owned(),
            groups: groups.collect(),
            is_exact: top.relation == index::Relation::Exact,
        })
    }
}

fn scope<'a>(product: &Indelible, question: &'a Question) -> Scope<'a> {
    let until_ms = Some(product.io.monotonic_ms() + CONFIRM_MS);
    Scope { expr: question.filter.expr(), budget: Budget { until_ms, ..Budget::default() } }
}

fn confirm(ledger: &Ledger, question: &Question, position: u64) -> Result<Value<'static>, Error> {
    let record = ledger.block(position)?.unchecked(position)?;
    Ok(document(&question.organisation, &record)?.into_owned())
}

fn cursor(text: &str, by_time: bool) -> Result<Cursor, AskError> {
    let number = |text: &str| text.parse::<i64>().map_err(|_| wrong_cursor());
    match (by_time, text.split_once('_')) {
        (false, None) => Ok(Cursor { position: text.parse().map_err(|_| wrong_cursor())?, time: 0 }),
        (true, Some((time, position))) => {
            Ok(Cursor { position: position.parse().map_err(|_| wrong_cursor())?, time: number(time)? })
        }
        _ => Err(wrong_cursor()),
    }
}

fn total(total: index::Total) -> Total {
    Total { value: total.value, is_exact: total.relation == index::Relation::Exact }
}

fn group(key: Option<String>, count: u64) -> Group {
    Group { key, count, sum: None }
}

fn nano(amount: &index::Amount) -> Decimal {
    let places = i32::try_from(amount.scale).unwrap_or(0);
    Decimal::from_nano(match 9 - places {
        0 => amount.units,
        up if up > 0 => amount.units.saturating_mul(10i128.pow(up.unsigned_abs())),
        down => amount.units / 10i128.pow(down.unsigned_abs().min(38)),
    })
}

fn failed(organisation: &str, error: &index::Error) -> AskError {
    match error {
        index::Error::NotAColumn(field) => {
            AskError::Wrong(format!("{field}: events are not counted by this field"))
        }
        error => AskError::Ledger(Error::Io(format!("the index of {organisation}: {error}"))),
    }
}

fn broken(question: &Question, error: index::Failed<Error>) -> AskError {
    match error {
        index::Failed::Index(error) => failed(&question.organisation, &error),
        index::Failed::Confirm(error) => AskError::Ledger(error),
    }
}
