//! Several figures of one question: asked once, recorded once, and each about a part of what was asked.
//!
//! A page of figures asks a dozen things about the same stretch of time. What is recorded is the question around all of
//! them; a part can only make it narrower.

use access::{Granted, Viewer};
use ledger::Ledger;
use query::Filter;

use crate::ask::{AskError, Facet, Interval, Measure, Order, Paging, Question, Slot, Total};
use crate::found::{countable, measurable};
use crate::organisations::Indelible;

/// A question that was let in, and whose parts can be asked about.
pub struct Survey<'p> {
    product: &'p Indelible,
    granted: Granted,
    ledger: Ledger,
    /// With the filter of what the asker may see.
    question: Question,
}

impl Indelible {
    /// Lets a question in, of which several figures are wanted. It is on record when this returns.
    pub fn survey(&self, viewer: &Viewer, question: &Question) -> Result<Survey<'_>, AskError> {
        let (granted, ledger, question) = self.begin(viewer, question)?;
        Ok(Survey { product: self, granted, ledger, question })
    }
}

impl Survey<'_> {
    /// Whether the asker sees the events of everybody.
    pub fn sees_every_row(&self) -> bool {
        self.granted.sees_every_row()
    }

    /// How many events of a part there are.
    pub fn total(&self, part: &Filter) -> Result<Total, AskError> {
        self.product.found_total(&self.ledger, &self.part(part)?)
    }

    /// The most frequent values of some fields in a part.
    pub fn facets(&self, part: &Filter, fields: &[&str], most: usize) -> Result<Vec<Facet>, AskError> {
        fields.iter().try_for_each(|field| countable(field))?;
        let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
        self.product.found_facets(&self.ledger, &self.part(part)?, &fields, most)
    }

    /// The values of a field that measure most in a part. Events without a value are in none of them.
    pub fn top(&self, part: &Filter, group: &str, measure: &Measure, most: usize) -> Result<Facet, AskError> {
        countable(group)?;
        measurable(measure)?;
        self.product.found_top(&self.ledger, &self.part(part)?, group, measure, most)
    }

    /// How many events of a part there are in each interval of time.
    pub fn histogram(&self, part: &Filter, interval: &Interval) -> Result<Vec<Slot>, AskError> {
        interval.by.iter().try_for_each(|(field, _)| countable(field))?;
        self.product.found_histogram(&self.ledger, &self.part(part)?, interval)
    }

    /// The first event of a part in some order.
    pub(crate) fn first(&self, part: &Filter, order: Order) -> Result<Option<ledger::Record>, AskError> {
        let paging = Paging { order, limit: 1, ..Paging::default() };
        let found = self.product.found(&self.ledger, &self.part(part)?, &paging)?;
        let position = found.positions.first();
        position.map(|position| self.ledger.record(*position)).transpose().map_err(AskError::from)
    }

    fn part(&self, part: &Filter) -> Result<Question, AskError> {
        self.granted.may_ask(part.expr()).map_err(AskError::Denied)?;
        let filter = self.question.filter.clone().and(part.at(self.product.now_ns()));
        Ok(Question { filter, ..self.question.clone() })
    }
}
