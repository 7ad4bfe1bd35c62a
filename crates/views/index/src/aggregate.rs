//! Counts, facets, charts and top lists over everything that matches.
//!
//! A part is gone through in windows, by two threads where there is enough of it; each thread has its own sums for each
//! part, which are put together by value at the end. Of a part in which everything matches, most sums are known and it is
//! not gone through ([`Part::counts`]): so the whole time costs no more than its edges. Where a filter leaves events in
//! doubt, one thread goes through all and reads those; when the budget is used up, what is in doubt counts as not
//! matching, and the answer says "at least".

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use query::{Bound, Expr, Literal, Test};

use crate::column::{Chosen, Column, count_of};
use crate::compile::{Sets, compile};
use crate::dictionary::Dictionary;
use crate::error::{Error, Failed};
use crate::index::Index;
use crate::part::{Part, Texts};
use crate::question::{
    Amount, BUCKETS, Chart, Confirm, Facet, Group, Histogram, Measure, Relation, Scope, Top, Total,
};
use crate::schema::{FACETS, NUMBER_COLUMNS, NUMBERS, TIME, Unit, place};
use crate::search::{Asked, Decider, Decision};
use crate::term;
use crate::window::{LARGEST, Node, Window};

/// Below this many documents a second thread does not pay.
const WORTH_A_THREAD: u64 = 1 << 18;
const THREADS: usize = 2;
/// Pairs of group and value that are told apart when different values are counted.
const PAIRS: usize = 4_000_000;

/// What is summed up over one part.
trait Sums: Send {
    /// Takes in the documents of a window.
    fn take(&mut self, window: &Window);
}

/// Sums over all documents of a part, where these are known without going through it.
type OfAll<'a, S> = &'a (dyn Fn(&Part) -> Result<S, Error> + Sync);

/// Parts, with what was summed up over each; a part may be there once for each thread.
type Summed<S> = Vec<(Arc<Part>, S)>;

impl Index {
    /// How many events match.
    pub fn count<E>(&self, scope: &Scope<'_>, confirm: &Confirm<'_, E>) -> Result<Total, Failed<E>> {
        struct Counted(u64);
        impl Sums for Counted {
            fn take(&mut self, window: &Window) {
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
        let of_all = |part: &Part| Ok(Counted(part.len().into()));
        let (sums, relation) = self.sum(scope, &asked, confirm, |_| Ok(Counted(0)), Some(&of_all))?;
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
        let columns = fields.iter().map(|field| facet(field)).collect::<Result<Vec<_>, _>>()?;
        let asked = Asked::new(scope.expr);
        let new = |part: &Part| columns.iter().map(|column| Counts::new(part, *column)).collect();
        let of_all = |part: &Part| columns.iter().map(|column| Counts::of_all(part, *column)).collect();
        let (sums, relation): (Summed<Vec<Counts>>, _) =
            self.sum(scope, &asked, confirm, new, Some(&of_all))?;
        let mut facets = Vec::with_capacity(fields.len());
        for (at, field) in fields.iter().enumerate() {
            let missing = sums.iter().map(|(_, counts)| counts[at].missing).sum();
            let count = |of: usize, text: usize| u64::from(sums[of].1[at].counts[text]);
            let mut values = Vec::new();
            let columns: Vec<_> = sums.iter().map(|(part, counts)| (&**part, &counts[at].texts)).collect();
            let weight = |of: usize, text: usize| i128::from(count(of, text));
            heaviest(
                &columns,
                |of, text| count(of, text) > 0,
                Some(&weight),
                n,
                |value, places| {
                    let count = places.iter().map(|(of, text)| count(*of, *text)).sum();
                    values.push((value.to_owned(), count));
                },
            )?;
            let all: u64 = sums.iter().flat_map(|(_, c)| &c[at].counts).map(|count| u64::from(*count)).sum();
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
        let new = |part: &Part| {
            let split = chart.split.map(|(field, _)| Split::new(part, field, &apart)).transpose()?;
            let rows = vec![vec![0; buckets]; apart.len() + 1];
            Ok(Buckets { from, step, times: part.numbers(TIME)?, split, rows })
        };
        let (sums, relation) = self.sum(&scope, &asked, confirm, new, None)?;
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
        let group = facet(group)?;
        let number = match measure {
            Measure::Count => None,
            Measure::Cardinality(field) => {
                facet(field)?;
                None
            }
            Measure::Sum(field) | Measure::Avg(field) => {
                let column = NUMBER_COLUMNS.iter().position(|c| c.path == field && NUMBERS.contains(&c.path));
                Some(column.ok_or_else(|| Error::NotAColumn(field.to_owned()))?)
            }
        };
        let asked = Asked::new(scope.expr);
        let new = |part: &Part| {
            let groups = part.texts(group)?;
            let count = groups.dictionary.count();
            Ok(Grouped {
                groups,
                measured: match (measure, number) {
                    (_, Some(column)) => Measured::Number(part.numbers(column)?),
                    (Measure::Cardinality(field), _) => Measured::Text(part.texts(facet(field)?)?),
                    _ => Measured::Nothing,
                },
                events: vec![0; count],
                sums: vec![(0, 0); if number.is_some() { count } else { 0 }],
                pairs: HashSet::new(),
                total: (0, 0),
            })
        };
        let (sums, relation) = self.sum(scope, &asked, confirm, new, None)?;
        let scale = number.map_or(0, |column| match NUMBER_COLUMNS[column].unit {
            Unit::Time => 9,
            Unit::Scaled(scale) | Unit::Decimal(scale) => scale,
        });
        let mut inexact = false;
        if let Some(column) = number {
            let opaque = term::term(term::OPAQUE, place(NUMBER_COLUMNS[column].path).hash, b"");
            for (part, _) in &sums {
                inexact |= part.terms.get(&part.reader, &opaque).map_err(Error::from)?.is_some();
            }
        }
        let mut relation = relation;
        let mut total = Amount { scale, inexact, ..Amount::default() };
        let mut different: HashMap<String, HashSet<String>> = HashMap::new();
        for (part, sums) in &sums {
            total.units += sums.total.0;
            total.of += sums.total.1;
            if let Measured::Text(values) = &sums.measured {
                sums.add_different(part, values, &mut different)?;
                if sums.pairs.len() >= PAIRS {
                    relation = Relation::AtLeast;
                }
            }
        }
        let mut groups: Vec<Group> = Vec::new();
        let columns: Vec<_> = sums.iter().map(|(part, sums)| (&**part, &sums.groups.dictionary)).collect();
        let has_any = |at: usize, text: usize| sums[at].1.events[text] > 0;
        let weight = |at: usize, text: usize| match measure {
            Measure::Sum(_) => sums[at].1.sums[text].0,
            _ => i128::from(sums[at].1.events[text]),
        };
        // Other measures do not add up over parts.
        let adds_up = matches!(measure, Measure::Count | Measure::Sum(_));
        heaviest(&columns, has_any, adds_up.then_some(&weight as Weight<'_>), n, |value, places| {
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
        })?;
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
        Ok(Top { groups, total, relation })
    }

    /// Sums up what matches, part by part: from `new` on, or with `of_all` where that is known and everything matches.
    fn sum<S: Sums, E>(
        &self,
        scope: &Scope<'_>,
        asked: &Asked,
        confirm: &Confirm<'_, E>,
        new: impl Fn(&Part) -> Result<S, Error> + Sync,
        of_all: Option<OfAll<'_, S>>,
    ) -> Result<(Summed<S>, Relation), Failed<E>> {
        let parts = self.parts();
        let documents: u64 = parts.iter().map(|part| u64::from(part.len())).sum();
        let threads = if documents >= WORTH_A_THREAD { THREADS } else { 1 };
        // Windows are handed out in order, so that each thread's sets go forward.
        let windows: Vec<u64> = parts.iter().map(|part| u64::from(part.len().div_ceil(LARGEST))).collect();
        let (next, doubt) = (AtomicU64::new(0), AtomicBool::new(false));
        let work = || -> Result<Summed<S>, Error> {
            let mut done: Summed<S> = Vec::new();
            // The part at hand, and what matches in it; nothing if it is summed up already.
            let mut open: Option<(usize, Option<Node>)> = None;
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
                    let of_all = of_all.filter(|_| matches!(sets.upper, Node::All));
                    match of_all {
                        // By whoever has its first window.
                        Some(of_all) if number == 0 => done.push((part.clone(), of_all(part)?)),
                        Some(_) => {}
                        None => done.push((part.clone(), new(part)?)),
                    }
                    open = Some((at, of_all.is_none().then_some(sets.upper)));
                }
                let (Some((_, Some(upper))), Some((_, sums))) = (&mut open, done.last_mut()) else {
                    continue;
                };
                let start = number as u32 * LARGEST;
                let mut window = Window::full(start, (start + LARGEST).min(part.len()));
                upper.restrict(&mut window);
                sums.take(&window);
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
                sums.take(&window);
            }
            done.push((part.clone(), sums));
        }
        Ok((done, relation))
    }
}

/// The number of the column of texts of a field.
fn facet(field: &str) -> Result<usize, Error> {
    FACETS.iter().position(|f| *f == field).ok_or_else(|| Error::NotAColumn(field.to_owned()))
}

/// Texts further apart than this are looked for, rather than gone through.
const NEAR: u64 = 256;

/// Calls back with each wanted text, which are in order, and its number.
fn each_text(
    part: &Part,
    texts: &Dictionary<()>,
    wanted: impl Iterator<Item = usize>,
    mut each: impl FnMut(usize, &str),
) -> Result<(), Error> {
    let mut walk = texts.walk(&part.reader, b"")?;
    for number in wanted {
        let at = walk.current().map_or(0, |(_, at, ())| at);
        if number as u64 > at + NEAR {
            walk = texts.walk_from(&part.reader, number as u64)?;
        }
        while walk.current().is_some_and(|(_, at, ())| at < number as u64) {
            walk.advance()?;
        }
        if let Some(text) = walk.current().and_then(|(text, ..)| std::str::from_utf8(text).ok()) {
            each(number, text);
        }
    }
    Ok(())
}

/// Some texts of a column, in order, with their numbers.
#[derive(Default)]
struct Values {
    text: String,
    /// Number, and where its text ends.
    ends: Vec<(usize, usize)>,
    next: usize,
}

impl Values {
    fn of(part: &Part, texts: &Dictionary<()>, wanted: impl Fn(usize) -> bool) -> Result<Values, Error> {
        let mut values = Values::default();
        let wanted = (0..texts.count()).filter(|number| wanted(*number));
        each_text(part, texts, wanted, |number, text| {
            values.text.push_str(text);
            values.ends.push((number, values.text.len()));
        })?;
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

/// What a text of a column weighs.
type Weight<'a> = &'a dyn Fn(usize, usize) -> i128;
/// More candidates than this are not looked up one by one.
const CANDIDATES: usize = 1000;

/// Calls back with texts among which the `n` heaviest are, each with its places: number of the column, and of the text in
/// it. Only texts that `has_any` takes count. Without weights it is all of them, in order.
///
/// The `n`-th heaviest of all weighs at least as much as the `n`-th heaviest of any one column, if nothing weighs less than
/// nothing; and who weighs so much must have a fair share of it in some column.
fn heaviest(
    columns: &[(&Part, &Dictionary<()>)],
    has_any: impl Fn(usize, usize) -> bool,
    weight: Option<Weight<'_>>,
    n: usize,
    mut each: impl FnMut(&str, &[(usize, usize)]),
) -> Result<(), Error> {
    let shares = weight.and_then(|weight| candidates(columns, &has_any, weight, n)).unwrap_or_default();
    let mut found = BTreeSet::new();
    for ((part, texts), wanted) in columns.iter().zip(&shares) {
        each_text(part, texts, wanted.iter().copied(), |_, text| _ = found.insert(text.to_owned()))?;
    }
    if shares.is_empty() || found.len() > CANDIDATES {
        let values =
            columns.iter().enumerate().map(|(at, (part, texts))| Values::of(part, texts, |t| has_any(at, t)));
        merged(values.collect::<Result<_, _>>()?, each);
        return Ok(());
    }
    let mut places = Vec::new();
    for text in found {
        places.clear();
        for (at, (part, texts)) in columns.iter().enumerate() {
            if let Some((number, ())) = texts.get(&part.reader, text.as_bytes())?
                && has_any(at, number as usize)
            {
                places.push((at, number as usize));
            }
        }
        each(&text, &places);
    }
    Ok(())
}

/// The texts of each column that weigh enough to be among the `n` heaviest; `None` if these are many.
fn candidates(
    columns: &[(&Part, &Dictionary<()>)],
    has_any: &impl Fn(usize, usize) -> bool,
    weight: Weight<'_>,
    n: usize,
) -> Option<Vec<Vec<usize>>> {
    let mut least = 0;
    let mut weights = Vec::new();
    for (at, (_, texts)) in columns.iter().enumerate() {
        weights.clear();
        weights.extend((0..texts.count()).filter(|t| has_any(at, *t)).map(|text| weight(at, text)));
        if weights.iter().any(|weight| *weight < 0) {
            return None;
        }
        if n > 0 && weights.len() >= n {
            least = least.max(*weights.select_nth_unstable_by(n - 1, |a, b| b.cmp(a)).1);
        }
    }
    let share = (least + columns.len() as i128 - 1) / columns.len().max(1) as i128;
    let mut left = CANDIDATES * columns.len();
    let mut of_column = |at: usize, texts: &Dictionary<()>| -> Option<Vec<usize>> {
        let heavy = |text: &usize| has_any(at, *text) && weight(at, *text) >= share;
        let some: Vec<usize> = (0..texts.count()).filter(heavy).take(left + 1).collect();
        left = left.checked_sub(some.len())?;
        Some(some)
    };
    columns.iter().enumerate().map(|(at, (_, texts))| of_column(at, texts)).collect()
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

/// Numbers of events by text.
struct Counts {
    texts: Dictionary<()>,
    /// Which text a document has; nothing if all are counted.
    numbers: Option<Column>,
    counts: Vec<u32>,
    missing: u64,
}

impl Counts {
    fn new(part: &Part, column: usize) -> Result<Counts, Error> {
        let Texts { numbers, dictionary } = part.texts(column)?;
        let counts = vec![0; dictionary.count()];
        Ok(Counts { texts: dictionary, numbers: Some(numbers), counts, missing: 0 })
    }

    /// Those of all documents of a part.
    fn of_all(part: &Part, column: usize) -> Result<Counts, Error> {
        let texts = part.dictionary(column)?;
        let counts = part.counts(column, texts.count())?;
        let said: u64 = counts.iter().map(|count| u64::from(*count)).sum();
        Ok(Counts { texts, numbers: None, counts, missing: u64::from(part.len()).saturating_sub(said) })
    }
}

impl Sums for Vec<Counts> {
    fn take(&mut self, window: &Window) {
        // Column by column, so that the counts of one are at hand.
        for Counts { numbers, counts, missing, .. } in self {
            let Some(numbers) = numbers else { continue };
            let mut said = 0;
            for (block, documents) in window.blocks() {
                said += numbers.each(block, &documents, |_, text| counts[text as usize] += 1);
            }
            *missing += u64::from(window.count() - said);
        }
    }
}

/// By which text documents are told apart.
struct Split {
    texts: Column,
    /// The row of each text.
    rows: Vec<usize>,
    /// How many documents of a block are in each row.
    counts: Vec<u32>,
}

impl Split {
    fn new(part: &Part, field: &str, apart: &[String]) -> Result<Split, Error> {
        let texts = part.texts(facet(field)?)?;
        // What is not told apart is in the last one.
        let mut rows = vec![apart.len(); texts.dictionary.count()];
        for (row, value) in apart.iter().enumerate() {
            if let Some((number, ())) = texts.dictionary.get(&part.reader, value.as_bytes())? {
                rows[number as usize] = row;
            }
        }
        Ok(Split { texts: texts.numbers, rows, counts: vec![0; apart.len() + 1] })
    }
}

/// Numbers of events by time, and by value: the last row is that of all others.
struct Buckets {
    from: i64,
    step: i64,
    times: Column,
    split: Option<Split>,
    rows: Vec<Vec<u32>>,
}

impl Sums for Buckets {
    fn take(&mut self, window: &Window) {
        for (block, mut documents) in window.blocks() {
            let Some((timed, edges)) = self.times.outline(block) else { continue };
            documents.iter_mut().zip(timed).for_each(|(word, timed)| *word &= timed);
            let of = |time| bucket(self.from, self.step, time);
            let first = of(*edges.start());
            // Times come nearly in order: most blocks are within one bucket, and their times are not unpacked.
            if first == of(*edges.end()) {
                self.take_together(block, &documents, first);
            } else {
                self.take_apart(block, &documents);
            }
        }
    }
}

/// The number of the bucket that a time is in.
fn bucket(from: i64, step: i64, time: i64) -> usize {
    usize::try_from(time.saturating_sub(from).div_euclid(step)).unwrap_or(usize::MAX)
}

impl Buckets {
    /// Takes in documents of a block that are in one bucket.
    fn take_together(&mut self, block: usize, documents: &Chosen, bucket: usize) {
        let all = count_of(documents);
        let count =
            |row: &mut Vec<u32>, more| row.get_mut(bucket).into_iter().for_each(|count| *count += more);
        let Some(Split { texts, rows, counts }) = &mut self.split else {
            return self.rows.iter_mut().for_each(|row| count(row, all));
        };
        counts.fill(0);
        let said = texts.each(block, documents, |_, text| counts[rows[text as usize]] += 1);
        if let Some(other) = counts.last_mut() {
            *other += all - said;
        }
        self.rows.iter_mut().zip(counts).for_each(|(row, more)| count(row, *more));
    }

    /// Takes in documents of a block one by one.
    fn take_apart(&mut self, block: usize, documents: &Chosen) {
        let Buckets { from, step, times, split, rows } = self;
        let other = rows.len() - 1;
        times.each(block, documents, |document, time| {
            let text =
                split.as_mut().and_then(|split| Some(split.rows[split.texts.value(document)? as usize]));
            if let Some(count) = rows[text.unwrap_or(other)].get_mut(bucket(*from, *step, time)) {
                *count += 1;
            }
        });
    }
}

enum Measured {
    Nothing,
    Number(Column),
    Text(Texts),
}

/// Sums by group.
struct Grouped {
    groups: Texts,
    measured: Measured,
    events: Vec<u32>,
    /// Units, and of how many.
    sums: Vec<(i128, u32)>,
    /// Group and value.
    pairs: HashSet<(u32, u32)>,
    total: (i128, u64),
}

impl Grouped {
    fn add_different(
        &self,
        part: &Part,
        values: &Texts,
        different: &mut HashMap<String, HashSet<String>>,
    ) -> Result<(), Error> {
        let mut texts = HashMap::new();
        let used: HashSet<usize> = self.pairs.iter().map(|(_, value)| *value as usize).collect();
        each_text(
            part,
            &values.dictionary,
            (0..values.dictionary.count()).filter(|number| used.contains(number)),
            |number, value| {
                texts.insert(number as u32, value.to_owned());
            },
        )?;
        let mut by_group: HashMap<u32, Vec<u32>> = HashMap::new();
        for (group, value) in &self.pairs {
            by_group.entry(*group).or_default().push(*value);
        }
        each_text(
            part,
            &self.groups.dictionary,
            (0..self.groups.dictionary.count()).filter(|number| by_group.contains_key(&(*number as u32))),
            |number, group| {
                let set = different.entry(group.to_owned()).or_default();
                let mine = by_group.get(&(number as u32)).into_iter().flatten();
                set.extend(mine.filter_map(|value| texts.get(value).cloned()));
            },
        )
    }
}

impl Sums for Grouped {
    fn take(&mut self, window: &Window) {
        let Grouped { groups, measured, events, sums, pairs, total } = self;
        let groups = &mut groups.numbers;
        for (block, documents) in window.blocks() {
            groups.each(block, &documents, |_, group| events[group as usize] += 1);
            match measured {
                Measured::Nothing => {
                    let all = count_of(&documents);
                    total.0 += i128::from(all);
                    total.1 += u64::from(all);
                }
                Measured::Number(column) => {
                    total.1 += u64::from(column.each(block, &documents, |document, units| {
                        total.0 += i128::from(units);
                        if let Some(group) = groups.value(document) {
                            let sum = &mut sums[group as usize];
                            sum.0 += i128::from(units);
                            sum.1 += 1;
                        }
                    }));
                }
                Measured::Text(values) => {
                    total.1 += u64::from(values.numbers.each(block, &documents, |document, value| {
                        if let Some(group) = groups.value(document)
                            && pairs.len() < PAIRS
                        {
                            pairs.insert((group as u32, value as u32));
                        }
                    }));
                }
            }
        }
    }
}
