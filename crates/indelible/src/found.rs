//! Where the events are that a question finds: by the index, or by a scan where there is none.

use ledger::Ledger;

use crate::ask::{AskError, Facet, Found, Interval, Measure, Paging, Question, Slot, Total};
use crate::organisations::Indelible;
use crate::scan::Scan;

impl Indelible {
    pub(crate) fn found(
        &self,
        ledger: &Ledger,
        question: &Question,
        paging: &Paging,
    ) -> Result<Found, AskError> {
        match self.index_of(&question.organisation, ledger)? {
            Some(index) => index.page(self, ledger, question, paging),
            None => Scan::new(ledger, question).page(paging),
        }
    }

    pub(crate) fn found_total(&self, ledger: &Ledger, question: &Question) -> Result<Total, AskError> {
        match self.index_of(&question.organisation, ledger)? {
            Some(index) => index.total(self, ledger, question),
            None => Scan::new(ledger, question).total(),
        }
    }

    pub(crate) fn found_facets(
        &self,
        ledger: &Ledger,
        question: &Question,
        fields: &[String],
        most: usize,
    ) -> Result<Vec<Facet>, AskError> {
        match self.index_of(&question.organisation, ledger)? {
            Some(index) => index.facets(self, ledger, question, fields, most),
            None => Scan::new(ledger, question).facets(fields, most),
        }
    }

    pub(crate) fn found_histogram(
        &self,
        ledger: &Ledger,
        question: &Question,
        interval: &Interval,
    ) -> Result<Vec<Slot>, AskError> {
        match self.index_of(&question.organisation, ledger)? {
            Some(index) => index.histogram(self, ledger, question, interval),
            None => Scan::new(ledger, question).histogram(interval),
        }
    }

    pub(crate) fn found_top(
        &self,
        ledger: &Ledger,
        question: &Question,
        group: &str,
        measure: &Measure,
        most: usize,
    ) -> Result<Facet, AskError> {
        match self.index_of(&question.organisation, ledger)? {
            Some(index) => index.top(self, ledger, question, group, measure, most),
            None => Scan::new(ledger, question).top(group, measure, most),
        }
    }
}

/// Whether events are counted by this field. The same ones with and without an index, and without a ledger, so that an
/// answer does not depend on how many events there are.
pub(crate) fn countable(field: &str) -> Result<(), AskError> {
    match index::FACETS.contains(&field) {
        true => Ok(()),
        false => {
            let known = index::FACETS.join(", ");
            Err(AskError::Wrong(format!("fields by which events are counted are {known}")))
        }
    }
}

/// Whether something can be measured: not every field is a number.
pub(crate) fn measurable(measure: &Measure) -> Result<(), AskError> {
    match measure {
        Measure::Sum(field) if !index::NUMBERS.contains(&field.as_str()) => {
            let known = index::NUMBERS.join(", ");
            Err(AskError::Wrong(format!("sum: fields that are summed are {known}")))
        }
        _ => Ok(()),
    }
}
