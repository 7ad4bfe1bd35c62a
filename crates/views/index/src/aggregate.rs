//! Counts, facets, charts and top lists over everything that matches.
//!
//! A part is gone through in windows, by two threads where there is enough of it; each thread has its own sums for each
//! part, which are put together by value at the end. Where a filter leaves events in doubt, one thread goes through all
//! and reads those; when the budget is used up, what is in doubt counts as not matching, and the answer says "at least".

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use query::{Bound, Expr, Literal, Test};
use tantivy::columnar::{Column, StrColumn};

use crate::compile::{Sets, compile};
use crate::error::{Error, Failed};
use crate::index::Index;
use crate::part::Part;
use crate::question::{
    Amount, BUCKETS, Chart, Confirm, Facet, Group, Histogram, Measure, Relation, Scope, Top, Total,
};
use crate::schema::{FACETS, NUMBER_COLUMNS, NUMBERS, TIME, Unit, column_name, place};
use crate::search::{Asked, Decider, Decision};
use crate::term;
use crate::window::{LARGEST, Window};

/// Below this many documents a second thread does not pay.
const WORTH_A_THREAD: u64 = 1 << 18;
const THREADS: usize = 2;
/// Pairs of group and value that are told apart when different values are counted.
const PAIRS: usize = 4_000_000;

/// What is summed up over one part.
trait Sums: Send {
    /// Takes in the documents of a window, which are in `documents` too.
    fn take(&mut self, window: &Window, documents: &[u32]);
}

/// Parts, with what was summed up over each; a part may be there once for each thread.
type Summed<S> = Vec<(Arc<Part>, S)>;

impl Index {
    /// How many events match.
    pub fn count<E>(&self, scope: &Scope<'_>, confirm: &Confirm<'_, E>) -> Result<Total, Failed<E>> {
        struct Counted(u64);
        impl Sums for Counted {
            fn take(&mut self, window: &Window, _: &[u32]) {
                self.0 += u64::from(window.count());
            }
        }
        let asked = Asked::new(scope.expr);
        let mut known = Some(0);
        for part in self.parts() {
            let sets = compile(&part, self.hashes(), &asked.expr)?;
            let exactly = sets.lower.is_none().then(|| sets.upper.known_count(part.len())).flatten();
            known = known.zip(exactly).map(|(sum, count)| sum + u64::from(count));
        }
        if let Some(value) = known {
            return Ok(Total { value, relation: Relation::Exact });
        }
        let (sums, relation) = self.sum(scope, &asked, confirm, |_| Ok(Counted(0)))?;
        Ok(Total { value: sums.iter().map(|(_, counted)| counted.0).sum(), relation })
    }

    /// The most frequent values of some of [`FACETS`], at most `n` each.
    pub fn facets<E>(
        &self,
        scope: &Scope<'_>,
        fields: &[&str],
        n: usize,
        confirm: &Confirm<'_, E>,
    ) -> Result<Vec<Facet>, Failed<E>> {
        fields.iter().try_for_each(|field| known_facet(field))?;
        let asked = Asked::new(scope.expr);
        let (sums, relation) = self.sum(scope, &asked, confirm, |part| {
            fields.iter().map(|field| Counts::new(part, field)).collect::<Result<Vec<_>, _>>()
        })?;
        let mut facets = Vec::with_capacity(fields.len());
        for (at, field) in fields.iter().enumerate() {
            let missing = sums.iter().map(|(_, counts)| counts[at].missing).sum();
            let (mut values, mut all) = (Vec::new(), 0);
            let columns: Vec<_> = sums
                .iter()
                .map(|(_, counts)| Values::of(counts[at].column.as_ref(), |o| counts[at].counts[o] > 0))
                .collect::<Result<_, _>>()?;
            merged(columns, |value, places| {
                let count = places.iter().map(|(part, o)| u64::from(sums[*part].1[at].counts[*o])).sum();
                all += count;
                values.push((value.to_owned(), count));
            });
            let values = greatest(values, n);
            let other = all - values.iter().map(|(_, count)| count).sum::<u64>();
            facets.push(Facet { field: (*field).to_owned(), values, other, missing, relation });
        }
        Ok(facets)
    }

    /// Numbers of events by time.
    pub fn histogram<E>(
        &self,
        scope: &Scope<'_>,
        chart: &Histogram<'_>,
        confirm: &Confirm<'_, E>,
    ) -> Result<Chart, Failed<E>> {
        let (from, to) = (chart.from, chart.to.max(chart.from));
        let span = to.saturating_sub(from);
        // Rounded up, so that no more buckets are needed.
        let step = chart.step.max(1).max(span / BUCKETS + i64::from(span % BUCKETS > 0));
        let buckets = (span / step + i64::from(span % step > 0)) as usize;
        let edge = |ns, inclusive| Some(Bound { value: Literal::Time(ns), inclusive });
        let within = Test::Range { from: edge(from, true), to: edge(to, false) };
        let expr = Expr::And(vec![scope.expr.clone(), Expr::Field { path: "time".into(), test: within }]);
        let scope = Scope { expr: &expr, budget: scope.budget };
        let apart: Vec<String> = match chart.split {
            Some((field, n)) => {
                let facet = self.facets(&scope, &[field], n, confirm)?.pop();
                facet.map_or_else(Vec::new, |f| f.values.into_iter().map(|(value, _)| value).collect())
            }
            None => Vec::new(),
        };
        let asked = Asked::new(&expr);
        let (sums, relation) = self.sum(&scope, &asked, confirm, |part| {
            let split = chart.split.map(|(field, _)| split(part, field, &apart)).transpose()?.flatten();
            let times = number_column(part, TIME)?;
            let rows = vec![vec![0; buckets]; apart.len() + 1];
            Ok(Buckets { from, step, times, split, rows, values: Read::default(), ordinals: Read::default() })
        })?;
        let mut rows = vec![vec![0u64; buckets]; apart.len() + 1];
        for (_, sums) in &sums {
            for (row, more) in rows.iter_mut().zip(&sums.rows) {
                row.iter_mut().zip(more).for_each(|(sum, count)| *sum += u64::from(*count));
            }
        }
        let mut total = vec![0; buckets];
        for row in &rows {
            total.iter_mut().zip(row).for_each(|(sum, count)| *sum += count);
        }
        let other = rows.pop().unwrap_or_default();
        Ok(Chart { from, step, total, series: apart.into_iter().zip(rows).collect(), other, relation })
    }

    /// The greatest groups of one of [`FACETS`] by a measure.
    pub fn top<E>(
        &self,
        scope: &Scope<'_>,
        group: &str,
        measure: Measure<'_>,
        n: usize,
        confirm: &Confirm<'_, E>,
    ) -> Result<Top, Failed<E>> {
        known_facet(group)?;
        let number = match measure {
            Measure::Count => None,
            Measure::Cardinality(field) => {
                known_facet(field)?;
                None
            }
            Measure::Sum(field) | Measure::Avg(field) => {
                let column = NUMBER_COLUMNS.iter().position(|c| c.path == field && NUMBERS.contains(&c.path));
                Some(column.ok_or_else(|| Error::NotAColumn(field.to_owned()))?)
            }
        };
        let asked = Asked::new(scope.expr);
        let (sums, relation) = self.sum(scope, &asked, confirm, |part| {
            let groups = text_column(part, group)?;
            let count = groups.as_ref().map_or(0, |g| g.num_terms());
            Ok(Grouped {
                groups: groups.as_ref().map(|g| g.ords().clone()),
                dictionary: groups,
                measured: match (measure, number) {
                    (_, Some(column)) => Measured::Number(number_column(part, column)?),
                    (Measure::Cardinality(field), _) => Measured::Text(text_column(part, field)?),
                    _ => Measured::Nothing,
                },
                events: vec![0; count],
                sums: vec![(0, 0); if number.is_some() { count } else { 0 }],
                pairs: HashSet::new(),
                total: (0, 0),
                by_group: Read::default(),
                by_value: Read::default(),
            })
        })?;
        let scale = number.map_or(0, |column| match NUMBER_COLUMNS[column].unit {
            Unit::Time => 9,
            Unit::Scaled(scale) | Unit::Decimal(scale) => scale,
        });
        let mut inexact = false;
        if let Some(column) = number {
            let opaque = term::term(term::OPAQUE, place(NUMBER_COLUMNS[column].path).hash, b"");
            for (part, _) in &sums {
                inexact |= part.terms.terms().get(&opaque).map_err(Error::Io)?.is_some();
            }
        }
        let mut relation = relation;
        let mut total = Amount { scale, inexact, ..Amount::default() };
        let mut different: HashMap<String, HashSet<String>> = HashMap::new();
        let mut columns = Vec::with_capacity(sums.len());
        for (_, sums) in &sums {
            total.units += sums.total.0;
            total.of += sums.total.1;
            columns.push(Values::of(sums.dictionary.as_ref(), |ordinal| sums.events[ordinal] > 0)?);
            if let (Some(groups), Measured::Text(Some(values))) = (&sums.dictionary, &sums.measured) {
                sums.add_different(groups, values, &mut different)?;
                if sums.pairs.len() >= PAIRS {
                    relation = Relation::AtLeast;
                }
            }
        }
        let mut groups: Vec<Group> = Vec::new();
        merged(columns, |value, places| {
            let mut group = Group {
                value: value.to_owned(),
                events: 0,
                amount: Amount { scale, inexact, ..Amount::default() },
            };
            for (part, ordinal) in places {
                let sums = &sums[*part].1;
                group.events += u64::from(sums.events[*ordinal]);
                if let Some((units, of)) = sums.sums.get(*ordinal) {
                    group.amount.units += units;
                    group.amount.of += u64::from(*of);
                }
            }
            match measure {
                Measure::Count => {
                    (group.amount.units, group.amount.of) = (i128::from(group.events), group.events)
                }
                Measure::Cardinality(_) => {
                    let count = different.get(value).map_or(0, HashSet::len);
                    (group.amount.units, group.amount.of) = (count as i128, group.events);
                }
                Measure::Sum(_) | Measure::Avg(_) => {}
            }
            groups.push(group);
        });
        let of_groups = groups.len() as u64;
        let before = |a: &Group, b: &Group| {
            let by_measure = match measure {
                // a/b > c/d without dividing.
                Measure::Avg(_) => {
                    let (x, y) = (i128::from(a.amount.of.max(1)), i128::from(b.amount.of.max(1)));
                    (b.amount.units * x).cmp(&(a.amount.units * y))
                }
                _ => b.amount.units.cmp(&a.amount.units),
            };
            by_measure.then_with(|| b.events.cmp(&a.events)).then_with(|| a.value.cmp(&b.value))
        };
        if groups.len() > n && n > 0 {
            groups.select_nth_unstable_by(n - 1, before);
        }
        groups.truncate(n);
        groups.sort_by(before);
        Ok(Top { groups, total, of_groups, relation })
    }

    /// Sums up what matches, part by part.
    fn sum<S: Sums, E>(
        &self,
        scope: &Scope<'_>,
        asked: &Asked,
        confirm: &Confirm<'_, E>,
        new: impl Fn(&Part) -> Result<S, Error> + Sync,
    ) -> Result<(Summed<S>, Relation), Failed<E>> {
        let parts = self.parts();
        let documents: u64 = parts.iter().map(|part| u64::from(part.len())).sum();
        let threads = if documents >= WORTH_A_THREAD { THREADS } else { 1 };
        // Windows are handed out in order, so that each thread's sets go forward.
        let windows: Vec<u64> = parts.iter().map(|part| u64::from(part.len().div_ceil(LARGEST))).collect();
        let (next, doubt) = (AtomicU64::new(0), AtomicBool::new(false));
        let work = || -> Result<Vec<(Arc<Part>, S)>, Error> {
            let mut done: Vec<(Arc<Part>, S)> = Vec::new();
            let mut open: Option<(usize, Sets)> = None;
            let mut list = Vec::new();
            while !doubt.load(Ordering::Relaxed) {
                let mut number = next.fetch_add(1, Ordering::Relaxed);
                let mut at = 0;
                while windows.get(at).is_some_and(|count| number >= *count) {
                    number -= windows[at];
                    at += 1;
                }
                let Some(part) = parts.get(at) else { break };
                if open.as_ref().is_none_or(|(of, _)| *of != at) {
                    let sets = compile(part, self.hashes(), &asked.expr)?;
                    if sets.lower.is_some() {
                        doubt.store(true, Ordering::Relaxed);
                        break;
                    }
                    open = Some((at, sets));
                    done.push((part.clone(), new(part)?));
                }
                let (Some((_, sets)), Some((_, sums))) = (&mut open, done.last_mut()) else { break };
                let start = number as u32 * LARGEST;
                let mut window = Window::full(start, (start + LARGEST).min(part.len()));
                sets.upper.restrict(&mut window);
                window.list(&mut list);
                if !list.is_empty() {
                    sums.take(&window, &list);
                }
            }
            Ok(done)
        };
        let done = std::thread::scope(|threads_scope| {
            let others: Vec<_> = (1..threads).map(|_| threads_scope.spawn(work)).collect();
            let mut done = work()?;
            for other in others {
                let more = other
                    .join()
                    .map_err(|_| Error::Damaged("a thread that was summing up panicked".into()))?;
                done.extend(more?);
            }
            Ok::<_, Error>(done)
        })?;
        if !doubt.into_inner() {
            return Ok((done, Relation::Exact));
        }
        self.sum_with_doubt(scope, asked, confirm, &parts, new)
    }

    fn sum_with_doubt<S: Sums, E>(
        &self,
        scope: &Scope<'_>,
        asked: &Asked,
        confirm: &Confirm<'_, E>,
        parts: &[Arc<Part>],
        new: impl Fn(&Part) -> Result<S, Error>,
    ) -> Result<(Summed<S>, Relation), Failed<E>> {
        let mut decider = Decider::new(self, asked, scope.budget, confirm);
        let mut relation = Relation::Exact;
        let mut done = Vec::new();
        let mut list = Vec::new();
        // The newest are the ones to be sure about, if not all can be.
        for part in parts.iter().rev() {
            let Sets { mut upper, mut lower } = compile(part, self.hashes(), &asked.expr)?;
            let mut sums = new(part)?;
            let mut at = 0;
            loop {
                let start = upper.next(at);
                if start >= part.len() {
                    break;
                }
                at = start.saturating_add(LARGEST).min(part.len());
                let mut window = Window::full(start, at);
                upper.restrict(&mut window);
                let mut sure = window.clone();
                if let Some(lower) = &mut lower {
                    lower.restrict(&mut sure);
                }
                let mut failed = None;
                window.retain(|document| {
                    if sure.contains(document) {
                        return true;
                    }
                    if relation == Relation::AtLeast || failed.is_some() {
                        return false;
                    }
                    match decider.decide(part.position(document)) {
                        Ok(Decision::In) => true,
                        Ok(Decision::Out) => false,
                        Ok(Decision::Spent) => {
                            relation = Relation::AtLeast;
                            false
                        }
                        Err(e) => {
                            failed = Some(e);
                            false
                        }
                    }
                });
                if let Some(e) = failed {
                    return Err(e);
                }
                window.list(&mut list);
                if !list.is_empty() {
                    sums.take(&window, &list);
                }
            }
            done.push((part.clone(), sums));
        }
        Ok((done, relation))
    }
}

fn known_facet(field: &str) -> Result<(), Error> {
    if FACETS.contains(&field) { Ok(()) } else { Err(Error::NotAColumn(field.to_owned())) }
}

fn text_column(part: &Part, field: &str) -> Result<Option<StrColumn>, Error> {
    Ok(part.segment.fast_fields().str(&column_name(field))?)
}

fn number_column(part: &Part, column: usize) -> Result<Option<Column<i64>>, Error> {
    Ok(part.segment.fast_fields().column_opt::<i64>(&column_name(NUMBER_COLUMNS[column].path))?)
}

/// Values of a column for documents that have one, read many at a time.
#[derive(Default)]
struct Read<T> {
    documents: Vec<u32>,
    rows: Vec<u32>,
    values: Vec<T>,
}

impl<T: Copy + Default + PartialOrd + Debug + Send + Sync + 'static> Read<T> {
    fn read(&mut self, column: &Column<T>, window: &Window, documents: &[u32]) {
        self.documents.clear();
        self.rows.clear();
        let all = window.start..window.end;
        if documents.len() == all.len() {
            // The values of consecutive documents are consecutive.
            let rows = column.index.docid_range_to_rowids(all);
            self.documents.extend(rows.clone());
            column.index.select_batch_in_place(window.start, &mut self.documents);
            self.values.resize(rows.len(), T::default());
            if !rows.is_empty() {
                column.values.get_range(u64::from(rows.start), &mut self.values);
            }
            return;
        }
        column.row_ids_for_docs(documents, &mut self.documents, &mut self.rows);
        self.values.resize(self.rows.len(), T::default());
        column.values.get_vals(&self.rows, &mut self.values);
    }

    fn iter(&self) -> impl Iterator<Item = (u32, T)> + '_ {
        self.documents.iter().copied().zip(self.values.iter().copied())
    }
}

/// Calls back with each wanted ordinal and its text, in order.
fn each_value(
    column: &StrColumn,
    wanted: impl Fn(usize) -> bool,
    mut each: impl FnMut(usize, &str),
) -> Result<(), Error> {
    let ordinals: Vec<u64> = (0..column.num_terms() as u64).filter(|o| wanted(*o as usize)).collect();
    let mut at = ordinals.iter();
    let mut call = |bytes: &[u8]| {
        if let (Some(ordinal), Ok(text)) = (at.next(), std::str::from_utf8(bytes)) {
            each(*ordinal as usize, text);
        }
    };
    column.dictionary().sorted_ords_to_term_cb(&ordinals, &mut call)?;
    Ok(())
}

/// Some texts of a column, in order, with their ordinals.
#[derive(Default)]
struct Values {
    text: String,
    /// Ordinal, and where its text ends.
    ends: Vec<(usize, usize)>,
    next: usize,
}

impl Values {
    fn of(column: Option<&StrColumn>, wanted: impl Fn(usize) -> bool) -> Result<Values, Error> {
        let mut values = Values::default();
        if let Some(column) = column {
            each_value(column, wanted, |ordinal, text| {
                values.text.push_str(text);
                values.ends.push((ordinal, values.text.len()));
            })?;
        }
        Ok(values)
    }

    fn peek(&self) -> Option<(&str, usize)> {
        let (ordinal, end) = *self.ends.get(self.next)?;
        let start = if self.next == 0 { 0 } else { self.ends[self.next - 1].1 };
        Some((&self.text[start..end], ordinal))
    }
}

/// Calls back with each text and its places: number of the column, and ordinal. Columns are few, and each is in order.
fn merged(mut columns: Vec<Values>, mut each: impl FnMut(&str, &[(usize, usize)])) {
    let (mut places, mut text) = (Vec::new(), String::new());
    loop {
        let Some((first, _)) = columns.iter().filter_map(Values::peek).min() else { return };
        text.clear();
        text.push_str(first);
        places.clear();
        for (number, column) in columns.iter_mut().enumerate() {
            if let Some((value, ordinal)) = column.peek()
                && value == text
            {
                places.push((number, ordinal));
                column.next += 1;
            }
        }
        each(&text, &places);
    }
}

fn greatest(mut values: Vec<(String, u64)>, n: usize) -> Vec<(String, u64)> {
    let before = |a: &(String, u64), b: &(String, u64)| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0));
    if values.len() > n && n > 0 {
        values.select_nth_unstable_by(n - 1, before);
    }
    values.truncate(n);
    values.sort_by(before);
    values
}

/// Numbers of events by ordinal.
struct Counts {
    column: Option<StrColumn>,
    counts: Vec<u32>,
    missing: u64,
    values: Read<u64>,
}

impl Counts {
    fn new(part: &Part, field: &str) -> Result<Counts, Error> {
        let column = text_column(part, field)?;
        let counts = vec![0; column.as_ref().map_or(0, |c| c.num_terms())];
        Ok(Counts { column, counts, missing: 0, values: Read::default() })
    }
}

impl Sums for Vec<Counts> {
    fn take(&mut self, window: &Window, documents: &[u32]) {
        for Counts { column, counts, missing, values } in self {
            let Some(column) = column else {
                *missing += documents.len() as u64;
                continue;
            };
            values.read(column.ords(), window, documents);
            *missing += (documents.len() - values.values.len()) as u64;
            values.values.iter().for_each(|ordinal| counts[*ordinal as usize] += 1);
        }
    }
}

/// Ordinals of the values that are told apart, with the row of each.
type Split = (Column<u64>, HashMap<u64, usize>);

fn split(part: &Part, field: &str, apart: &[String]) -> Result<Option<Split>, Error> {
    let Some(column) = text_column(part, field)? else { return Ok(None) };
    let mut rows = HashMap::new();
    for (row, value) in apart.iter().enumerate() {
        if let Some(ordinal) = column.dictionary().term_ord(value)? {
            rows.insert(ordinal, row);
        }
    }
    Ok(Some((column.ords().clone(), rows)))
}

/// Numbers of events by time, and by value: the last row is that of all others.
struct Buckets {
    from: i64,
    step: i64,
    times: Option<Column<i64>>,
    split: Option<Split>,
    rows: Vec<Vec<u32>>,
    values: Read<i64>,
    ordinals: Read<u64>,
}

impl Sums for Buckets {
    fn take(&mut self, window: &Window, documents: &[u32]) {
        let Buckets { from, step, times, split, rows, values, ordinals } = self;
        let Some(times) = times else { return };
        values.read(times, window, documents);
        let other = rows.len() - 1;
        let mut splits = match split {
            Some((column, _)) => {
                ordinals.read(column, window, documents);
                ordinals.iter()
            }
            None => {
                ordinals.documents.clear();
                ordinals.iter()
            }
        }
        .peekable();
        let mut last = (u64::MAX, other);
        // Times come nearly in order: most are in the bucket of the one before.
        let mut bucket = (0, 0, 0usize);
        for (document, time) in values.iter() {
            if !(bucket.0..bucket.1).contains(&time) {
                let at = (time - *from).div_euclid(*step);
                bucket = (*from + at * *step, (*from + at * *step).saturating_add(*step), at as usize);
            }
            let mut row = other;
            while splits.next_if(|(d, _)| *d < document).is_some() {}
            if let (Some((_, ordinal)), Some((_, apart))) = (splits.next_if(|(d, _)| *d == document), &*split)
            {
                if ordinal != last.0 {
                    last = (ordinal, apart.get(&ordinal).copied().unwrap_or(other));
                }
                row = last.1;
            }
            if let Some(count) = rows[row].get_mut(bucket.2) {
                *count += 1;
            }
        }
    }
}

enum Measured {
    Nothing,
    Number(Option<Column<i64>>),
    Text(Option<StrColumn>),
}

/// Sums by group.
struct Grouped {
    dictionary: Option<StrColumn>,
    groups: Option<Column<u64>>,
    measured: Measured,
    events: Vec<u32>,
    /// Units, and of how many.
    sums: Vec<(i128, u32)>,
    /// Group and value.
    pairs: HashSet<(u32, u32)>,
    total: (i128, u64),
    by_group: Read<u64>,
    by_value: Read<u64>,
}

impl Grouped {
    fn add_different(
        &self,
        groups: &StrColumn,
        values: &StrColumn,
        different: &mut HashMap<String, HashSet<String>>,
    ) -> Result<(), Error> {
        let mut texts = HashMap::new();
        let used: HashSet<usize> = self.pairs.iter().map(|(_, value)| *value as usize).collect();
        each_value(
            values,
            |ordinal| used.contains(&ordinal),
            |ordinal, value| {
                texts.insert(ordinal as u32, value.to_owned());
            },
        )?;
        let mut by_group: HashMap<u32, Vec<u32>> = HashMap::new();
        for (group, value) in &self.pairs {
            by_group.entry(*group).or_default().push(*value);
        }
        each_value(
            groups,
            |ordinal| by_group.contains_key(&(ordinal as u32)),
            |ordinal, group| {
                let set = different.entry(group.to_owned()).or_default();
                let mine = by_group.get(&(ordinal as u32)).into_iter().flatten();
                set.extend(mine.filter_map(|value| texts.get(value).cloned()));
            },
        )
    }
}

impl Sums for Grouped {
    fn take(&mut self, window: &Window, documents: &[u32]) {
        let Grouped { groups, measured, events, sums, pairs, total, by_group, by_value, .. } = self;
        if let Some(groups) = groups {
            by_group.read(groups, window, documents);
            by_group.values.iter().for_each(|group| events[*group as usize] += 1);
        }
        match measured {
            Measured::Nothing => {
                total.0 += documents.len() as i128;
                total.1 += documents.len() as u64;
            }
            Measured::Number(None) | Measured::Text(None) => {}
            Measured::Number(Some(column)) => {
                let mut values = Read::default();
                values.read(column, window, documents);
                let mut in_group = by_group.iter().peekable();
                for (document, units) in values.iter() {
                    total.0 += i128::from(units);
                    total.1 += 1;
                    while in_group.next_if(|(d, _)| *d < document).is_some() {}
                    if let Some((_, group)) = in_group.next_if(|(d, _)| *d == document) {
                        let sum = &mut sums[group as usize];
                        sum.0 += i128::from(units);
                        sum.1 += 1;
                    }
                }
            }
            Measured::Text(Some(column)) => {
                by_value.read(column.ords(), window, documents);
                total.1 += by_value.values.len() as u64;
                let mut in_group = by_group.iter().peekable();
                for (document, value) in by_value.iter() {
                    while in_group.next_if(|(d, _)| *d < document).is_some() {}
                    if let Some((_, group)) = in_group.next_if(|(d, _)| *d == document)
                        && pairs.len() < PAIRS
                    {
                        pairs.insert((group as u32, value as u32));
                    }
                }
            }
        }
    }
}
