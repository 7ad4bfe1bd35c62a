//! Whose numbers are missing. Producers number their events; a number that never came is an event that was lost on the way
//! or kept back.

use access::Viewer;
use query::{Expr, Filter, Literal, Test};

use crate::ask::{AskError, Order, Question};
use crate::organisations::Indelible;
use crate::survey::Survey;

/// Producers that are looked at.
const PRODUCERS: usize = 50;
/// Missing stretches of a producer that are named, and counts that are spent on finding them.
const GAPS: usize = 8;
const COUNTS: usize = 400;
/// How often a larger or smaller number is looked for than the one at hand.
const STEPS: usize = 64;

/// The numbers of one producer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// Who numbers.
    pub producer: String,
    /// Smallest and largest number.
    pub first: u64,
    /// The largest number.
    pub last: u64,
    /// Events with a number.
    pub seen: u64,
    /// Numbers between the first and the last that no event has; at least so many, if some were used twice.
    pub missing: u64,
    /// The first missing stretches, each with its first and last number.
    pub gaps: Vec<(u64, u64)>,
    /// Whether there are more of them.
    pub more: bool,
    /// Whether some numbers were used by several events, as after a producer began anew.
    pub repeats: bool,
}

impl Indelible {
    /// The numbers of an organisation's producers. Only whoever sees every row can be told; others get nothing.
    pub fn sequences(&self, viewer: &Viewer, organisation: &str) -> Result<Vec<Sequence>, AskError> {
        let numbered = Filter::from(Expr::Field { path: "producer_seq".to_owned(), test: Test::Exists });
        let question =
            Question { organisation: organisation.to_owned(), filter: numbered, consistent: false };
        let survey = self.survey(viewer, &question)?;
        if !survey.sees_every_row() {
            return Ok(Vec::new());
        }
        let facets = survey.facets(&Filter::all(), &["producer"], PRODUCERS)?;
        let groups = facets.into_iter().flat_map(|facet| facet.groups);
        let named = groups.filter_map(|group| group.key);
        let mut all = named
            .filter_map(|producer| sequence(&survey, producer).transpose())
            .collect::<Result<Vec<_>, _>>()?;
        all.sort_by(|a, b| b.missing.cmp(&a.missing).then_with(|| a.producer.cmp(&b.producer)));
        Ok(all)
    }
}

fn sequence(survey: &Survey<'_>, producer: String) -> Result<Option<Sequence>, AskError> {
    let own = Filter::from(Expr::Field { path: "producer".to_owned(), test: Test::Is(producer.clone()) });
    let Some(newest) = survey.first(&own, Order::Newest)? else { return Ok(None) };
    let any = newest.producer_seq();
    // The newest need not have the largest number.
    let mut last = any;
    for _ in 0..STEPS {
        let Some(above) = last.checked_add(1) else { break };
        match survey.first(&own.clone().and(between(above, None)), Order::Newest)? {
            Some(record) => last = record.producer_seq(),
            None => break,
        }
    }
    let mut first = any;
    for _ in 0..STEPS {
        let Some(below) = first.checked_sub(1) else { break };
        match survey.first(&own.clone().and(between(0, Some(below))), Order::Oldest)? {
            Some(record) => first = record.producer_seq(),
            None => break,
        }
    }
    let mut search =
        Search { survey, own: &own, left: COUNTS, gaps: Vec::new(), more: false, repeats: false };
    let seen = search.count(first, last)?;
    search.look(first, last, seen)?;
    let width = (last - first).saturating_add(1);
    let Search { gaps, more, repeats, .. } = search;
    let found: u64 = gaps.iter().map(|(from, to)| to - from + 1).sum();
    let missing = width.saturating_sub(seen).max(found);
    Ok(Some(Sequence { producer, first, last, seen, missing, gaps, more, repeats }))
}

/// Halves a stretch of numbers as long as there are fewer events than numbers.
struct Search<'s> {
    survey: &'s Survey<'s>,
    own: &'s Filter,
    left: usize,
    gaps: Vec<(u64, u64)>,
    more: bool,
    repeats: bool,
}

impl Search<'_> {
    fn count(&mut self, from: u64, to: u64) -> Result<u64, AskError> {
        self.left = self.left.saturating_sub(1);
        let part = self.own.clone().and(between(from, Some(to)));
        Ok(self.survey.total(&part)?.value)
    }

    fn look(&mut self, from: u64, to: u64, seen: u64) -> Result<(), AskError> {
        let width = (to - from).saturating_add(1);
        self.repeats |= seen > width;
        if seen >= width {
            return Ok(());
        }
        if seen == 0 {
            match self.gaps.last().copied() {
                Some((begin, end)) if end + 1 == from => {
                    self.gaps.pop();
                    self.gaps.push((begin, to));
                }
                _ if self.gaps.len() == GAPS => self.more = true,
                _ => self.gaps.push((from, to)),
            }
            return Ok(());
        }
        if self.more || self.left == 0 {
            self.more = true;
            return Ok(());
        }
        let middle = from + (to - from) / 2;
        let below = self.count(from, middle)?;
        self.look(from, middle, below)?;
        self.look(middle + 1, to, seen.saturating_sub(below))
    }
}

fn between(from: u64, to: Option<u64>) -> Filter {
    let bound = |n: u64| query::Bound { value: Literal::Number(n as f64), inclusive: true };
    let test = Test::Range { from: Some(bound(from)), to: to.map(bound) };
    Filter::from(Expr::Field { path: "producer_seq".to_owned(), test })
}
