//! Pages of positions.

use std::collections::BinaryHeap;
use std::sync::Arc;

use event::Value;
use query::{Expr, Filter, Predicate};

use crate::compile::{Sets, compile};
use crate::error::{Error, Failed};
use crate::index::Index;
use crate::part::Part;
use crate::question::{Answer, Budget, Confirm, Count, Cursor, Order, Question, Relation, Scope, Total};
use crate::schema::TIME;
use crate::window::{LARGEST, Window};

/// The first window is small, since a page is often found in it.
const FIRST: u32 = 1 << 11;
/// Documents that an estimate looks at.
const SAMPLE: u64 = 1 << 17;

/// A filter in canonical form.
pub(crate) struct Asked {
    pub(crate) expr: Expr,
    predicate: Predicate,
}

impl Asked {
    pub(crate) fn new(expr: &Expr) -> Asked {
        let filter = Filter::from(expr.clone());
        Asked { predicate: filter.predicate(), expr: filter.expr().clone() }
    }
}

/// Decides about events that the index alone cannot decide about, as long as the budget lasts.
pub(crate) struct Decider<'a, E> {
    predicate: &'a Predicate,
    confirm: &'a Confirm<'a, E>,
    index: &'a Index,
    budget: Budget,
    pub(crate) reads: u64,
}

/// What to do about an event in doubt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    In,
    Out,
    /// Stop: the budget is used up.
    Spent,
}

impl<'a, E> Decider<'a, E> {
    pub(crate) fn new(
        index: &'a Index,
        asked: &'a Asked,
        budget: Budget,
        confirm: &'a Confirm<'a, E>,
    ) -> Self {
        Decider { predicate: &asked.predicate, confirm, index, budget, reads: 0 }
    }

    pub(crate) fn decide(&mut self, position: u64) -> Result<Decision, Failed<E>> {
        if self.reads >= self.budget.reads || self.late() {
            return Ok(Decision::Spent);
        }
        self.reads += 1;
        let event: Value<'static> = (self.confirm)(position).map_err(Failed::Confirm)?;
        Ok(if self.predicate.matches(&event) { Decision::In } else { Decision::Out })
    }

    pub(crate) fn late(&self) -> bool {
        self.budget.until_ms.is_some_and(|until| self.index.io.monotonic_ms() >= until)
    }
}

/// What was found in a window: what may match, and which of that surely does.
struct Found {
    upper: Window,
    lower: Option<Window>,
}

impl Found {
    fn sure(&self, document: u32) -> bool {
        self.lower.as_ref().is_none_or(|lower| lower.contains(document))
    }
}

/// Goes through a part's documents, window by window.
struct Walk<'a> {
    part: &'a Part,
    sets: Sets,
    at: u32,
    size: u32,
}

impl Walk<'_> {
    fn next(&mut self) -> Option<Found> {
        loop {
            let start = self.sets.upper.next(self.at);
            if start >= self.part.len() {
                return None;
            }
            let end = start.saturating_add(self.size).min(self.part.len());
            self.at = end;
            self.size = (self.size * 4).min(LARGEST);
            let mut upper = Window::full(start, end);
            self.sets.upper.restrict(&mut upper);
            if upper.is_empty() {
                continue;
            }
            let lower = self.sets.lower.as_mut().map(|set| {
                let mut lower = upper.clone();
                set.restrict(&mut lower);
                lower
            });
            return Some(Found { upper, lower });
        }
    }
}

impl Index {
    fn walk<'a>(&self, part: &'a Part, asked: &Asked, at: u32, size: u32) -> Result<Walk<'a>, Error> {
        Ok(Walk { part, sets: compile(part, self.hashes(), &asked.expr)?, at, size })
    }

    /// A page of positions whose events match.
    pub fn search<E>(&self, question: &Question<'_>, confirm: &Confirm<'_, E>) -> Result<Answer, Failed<E>> {
        let asked = Asked::new(question.scope.expr);
        let mut decider = Decider::new(self, &asked, question.scope.budget, confirm);
        let mut answer =
            Answer { positions: Vec::new(), next: None, total: None, reads: 0, truncated: false };
        if question.limit > 0 {
            match question.order {
                Order::Newest => self.newest(question, &asked, &mut decider, &mut answer)?,
                Order::Oldest => self.oldest(question, &asked, &mut decider, &mut answer)?,
                Order::ByTime { descending } => {
                    self.by_time(question, &asked, descending, &mut decider, &mut answer)?;
                }
            }
        }
        answer.reads = decider.reads;
        answer.total = match question.count {
            Count::No => None,
            Count::Estimate => Some(self.estimate(&asked)?),
            Count::Exact => {
                let Budget { reads, until_ms } = question.scope.budget;
                let budget = Budget { reads: reads - answer.reads.min(reads), until_ms };
                Some(self.count(&Scope { expr: question.scope.expr, budget }, confirm)?)
            }
        };
        Ok(answer)
    }

    fn newest<E>(
        &self,
        question: &Question<'_>,
        asked: &Asked,
        decider: &mut Decider<'_, E>,
        answer: &mut Answer,
    ) -> Result<(), Failed<E>> {
        let before = question.after.map_or(u64::MAX, |cursor| cursor.position);
        for part in self.parts().iter().rev().filter(|part| part.entry.from < before) {
            let skip = part.entry.to.saturating_sub(before) as u32;
            let mut walk = self.walk(part, asked, skip, FIRST)?;
            while let Some(found) = walk.next() {
                for document in found.upper.iter() {
                    let position = part.position(document);
                    let decision =
                        if found.sure(document) { Decision::In } else { decider.decide(position)? };
                    match decision {
                        Decision::In => answer.positions.push(position),
                        Decision::Out => {}
                        Decision::Spent => {
                            answer.truncated = true;
                            answer.next = Some(Cursor { time: 0, position: position + 1 });
                            return Ok(());
                        }
                    }
                    if answer.positions.len() == question.limit {
                        answer.next = (position > 0).then_some(Cursor { time: 0, position });
                        return Ok(());
                    }
                }
                if decider.late() {
                    answer.truncated = true;
                    answer.next = Some(Cursor { time: 0, position: part.entry.to - u64::from(walk.at) });
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn oldest<E>(
        &self,
        question: &Question<'_>,
        asked: &Asked,
        decider: &mut Decider<'_, E>,
        answer: &mut Answer,
    ) -> Result<(), Failed<E>> {
        let from = question.after.map_or(0, |cursor| cursor.position + 1);
        let parts = self.parts();
        let end = parts.last().map_or(0, |part| part.entry.to);
        for part in parts.iter().filter(|part| part.entry.to > from) {
            // Sets go forward, which is from the newest on: a part is gone through before its last one is known.
            let mut all = Vec::new();
            let mut walk = self.walk(part, asked, 0, LARGEST)?;
            while let Some(found) = walk.next() {
                all.extend(
                    found.upper.iter().map(|document| (part.position(document), found.sure(document))),
                );
            }
            for (position, sure) in all.into_iter().rev().filter(|(position, _)| *position >= from) {
                match if sure { Decision::In } else { decider.decide(position)? } {
                    Decision::In => answer.positions.push(position),
                    Decision::Out => {}
                    Decision::Spent => {
                        answer.truncated = true;
                        // Nothing was decided before the first one.
                        let before = position.checked_sub(1).map(|position| Cursor { time: 0, position });
                        answer.next = before.or(question.after);
                        return Ok(());
                    }
                }
                if answer.positions.len() == question.limit {
                    answer.next = (position + 1 < end).then_some(Cursor { time: 0, position });
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn by_time<E>(
        &self,
        question: &Question<'_>,
        asked: &Asked,
        descending: bool,
        decider: &mut Decider<'_, E>,
        answer: &mut Answer,
    ) -> Result<(), Failed<E>> {
        let mut after = question.after;
        let mut wanted = question.limit;
        loop {
            let candidates = self.earliest(asked, after, descending, wanted)?;
            let more = candidates.len() == wanted;
            for (cursor, sure) in candidates {
                match if sure { Decision::In } else { decider.decide(cursor.position)? } {
                    Decision::In => answer.positions.push(cursor.position),
                    Decision::Out => {}
                    Decision::Spent => {
                        answer.truncated = true;
                        answer.next = after;
                        return Ok(());
                    }
                }
                after = Some(cursor);
                if answer.positions.len() == question.limit {
                    answer.next = after;
                    return Ok(());
                }
            }
            if !more {
                return Ok(());
            }
            if decider.late() {
                answer.truncated = true;
                answer.next = after;
                return Ok(());
            }
            // Few of those in doubt did match: look at more of them at once.
            wanted = (wanted * 4).min(100_000);
        }
    }

    /// The first `count` of what may match, in order of time after a cursor, each with whether it surely does.
    fn earliest(
        &self,
        asked: &Asked,
        after: Option<Cursor>,
        descending: bool,
        count: usize,
    ) -> Result<Vec<(Cursor, bool)>, Error> {
        // Smaller is earlier on the page.
        let rank = |cursor: Cursor| match descending {
            true => (!cursor.time, !cursor.position),
            false => (cursor.time, cursor.position),
        };
        let after = after.map(rank);
        let mut best: BinaryHeap<((i64, u64), Cursor, bool)> = BinaryHeap::with_capacity(count + 1);
        let mut parts: Vec<Arc<Part>> = self.parts();
        let first = |part: &Part| match descending {
            true => !part.entry.time.1,
            false => part.entry.time.0,
        };
        parts.sort_by_key(|part| first(part));
        for part in parts {
            if best.len() == count && best.peek().is_some_and(|worst| first(&part) > worst.0.0) {
                break;
            }
            let mut times = part.numbers(TIME)?;
            let mut walk = self.walk(&part, asked, 0, LARGEST)?;
            while let Some(found) = walk.next() {
                for document in found.upper.iter() {
                    let Some(time) = times.value(document) else { continue };
                    let cursor = Cursor { time, position: part.position(document) };
                    let rank = rank(cursor);
                    if after.is_some_and(|after| rank <= after) {
                        continue;
                    }
                    if best.len() == count {
                        if best.peek().is_some_and(|worst| worst.0 <= rank) {
                            continue;
                        }
                        best.pop();
                    }
                    best.push((rank, cursor, found.sure(document)));
                }
            }
        }
        Ok(best.into_sorted_vec().into_iter().map(|(_, cursor, sure)| (cursor, sure)).collect())
    }

    /// About how many events match: where terms do not tell it, from a sample of the newest.
    fn estimate(&self, asked: &Asked) -> Result<Total, Error> {
        let (mut value, mut relation) = (0u64, Relation::Exact);
        let (mut sampled, mut hits, mut left) = (0u64, 0u64, 0u64);
        for part in self.parts().iter().rev() {
            let sets = compile(part, self.hashes(), &asked.expr)?;
            if sets.lower.is_none()
                && let Some(known) = sets.upper.known_count(part.len())
            {
                value += u64::from(known);
                continue;
            }
            if sampled >= SAMPLE {
                left += u64::from(part.len());
                continue;
            }
            if sets.lower.is_some() {
                relation = Relation::Estimate;
            }
            let mut walk = Walk { part, sets, at: 0, size: LARGEST };
            let before = sampled;
            while sampled < SAMPLE
                && let Some(found) = walk.next()
            {
                hits += u64::from(found.upper.count());
                sampled = before + u64::from(walk.at);
            }
            // Whatever was skipped had nothing in it.
            if walk.at < part.len() && sampled >= SAMPLE {
                left += u64::from(part.len() - walk.at);
            } else {
                sampled = before + u64::from(part.len());
            }
        }
        if left > 0 {
            relation = Relation::Estimate;
            hits += (u128::from(hits) * u128::from(left) / u128::from(sampled.max(1))) as u64;
        }
        value += hits;
        Ok(Total { value, relation })
    }
}
