//! Pages by number: what others' APIs have instead of cursors, with the exact number of all rows, in an order of time or of
//! the asker's own.

use access::{Granted, Viewer};
use event::Value;
use ledger::{Error, Ledger, Record};
use query::{Bound, Expr, Filter, Literal, Test};

use crate::ask::{AskError, Count, Order, Paging, Question};
use crate::organisations::Indelible;
use crate::show::show_without;

/// The last row that a page by time may end at. Whoever wants those behind it asks for a shorter time, or from the other end.
pub const ROWS_MOST: u64 = 100_000;
/// Most events that are put into an order of the asker's own: every one of them is read for it.
pub const SORTED_MOST: usize = 10_000;
/// Most bytes of bodies on a page, more or less. Of a page by number no row may be missing, so a larger one is refused.
const PAGE_BYTES: usize = 64 << 20;

/// Which rows of what a question finds.
pub struct Rows<'a> {
    /// In which order.
    pub order: Arranged<'a>,
    /// Rows before the page.
    pub skip: u64,
    /// Rows of the page.
    pub limit: usize,
    /// Only events at positions below this one: what has been recorded since then does not shift the rows.
    pub below: Option<u64>,
}

/// An order of rows. Where it says nothing, rows are in order of position, in the same direction.
pub enum Arranged<'a> {
    /// By the sender's time.
    ByTime {
        /// Newest first.
        descending: bool,
    },
    /// By a text that the asker makes of each event, compared by code point. At most [`SORTED_MOST`] events.
    By {
        /// What is compared.
        key: &'a dyn Fn(&Value<'_>) -> String,
        /// The greatest first.
        descending: bool,
    },
}

/// A page by number.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowsPage {
    /// The events of the page: each hashed again on the way out, and its proof checked if a signed head covers it.
    pub events: Vec<Value<'static>>,
    /// How many rows there are in all, exactly.
    pub total: u64,
    /// Positions below this one could be found.
    pub searchable: u64,
}

impl Indelible {
    /// A page, by its number, of the events that a question finds. [`AskError::Wrong`] if it lies beyond [`ROWS_MOST`], or
    /// more than [`SORTED_MOST`] events would have to be put in order.
    pub fn rows(&self, viewer: &Viewer, question: &Question, rows: &Rows<'_>) -> Result<RowsPage, AskError> {
        let (granted, ledger, mut question) = self.begin(viewer, question)?;
        if let Some(below) = rows.below {
            question.filter = question.filter.and(positions_below(below));
        }
        match &rows.order {
            Arranged::ByTime { descending } => {
                let order = if *descending { Order::Time } else { Order::Oldest };
                self.rows_by_time(&granted, &ledger, &question, rows, order)
            }
            Arranged::By { key, descending } => {
                self.rows_by_key(&granted, &ledger, &question, rows, key, *descending)
            }
        }
    }

    fn rows_by_time(
        &self,
        granted: &Granted,
        ledger: &Ledger,
        question: &Question,
        rows: &Rows<'_>,
        order: Order,
    ) -> Result<RowsPage, AskError> {
        let end = rows.skip.saturating_add(rows.limit as u64);
        let reach = if end <= ROWS_MOST { end as usize } else { 1 };
        let paging = Paging { order, cursor: None, limit: reach, count: Count::Exact };
        let found = self.found(ledger, question, &paging)?;
        let total = found.total.filter(|total| total.is_exact).ok_or_else(takes_long)?.value;
        let mut page = RowsPage { total, searchable: found.searchable, ..RowsPage::default() };
        if rows.skip >= total {
            return Ok(page);
        }
        if end > ROWS_MOST {
            return Err(AskError::Wrong(format!(
                "pages end at row {ROWS_MOST}; ask for a shorter time, or in the other order"
            )));
        }
        if found.positions.len() < reach && found.next.is_some() {
            return Err(takes_long());
        }
        let skip = usize::try_from(rows.skip).unwrap_or(usize::MAX);
        page.events =
            self.shown_rows(granted, ledger, question, found.positions.iter().skip(skip).copied())?;
        Ok(page)
    }

    fn rows_by_key(
        &self,
        granted: &Granted,
        ledger: &Ledger,
        question: &Question,
        rows: &Rows<'_>,
        key: &dyn Fn(&Value<'_>) -> String,
        descending: bool,
    ) -> Result<RowsPage, AskError> {
        let paging = Paging { order: Order::Newest, cursor: None, limit: SORTED_MOST, count: Count::No };
        let found = self.found(ledger, question, &paging)?;
        if found.next.is_some() {
            return Err(AskError::Wrong(format!(
                "more than {SORTED_MOST} events, which are not sorted by this column; ask for fewer, or sort by time"
            )));
        }
        let mut keyed = Vec::with_capacity(found.positions.len());
        for position in &found.positions {
            let value =
                show_without(ledger, &question.organisation, &ledger.record(*position)?, granted.hides())?;
            keyed.push((key(&value), *position));
        }
        keyed.sort();
        if descending {
            keyed.reverse();
        }
        let skip = usize::try_from(rows.skip).unwrap_or(usize::MAX);
        let page = keyed.iter().skip(skip).take(rows.limit).map(|(_, position)| *position);
        Ok(RowsPage {
            events: self.shown_rows(granted, ledger, question, page)?,
            total: keyed.len() as u64,
            searchable: found.searchable,
        })
    }

    fn shown_rows(
        &self,
        granted: &Granted,
        ledger: &Ledger,
        question: &Question,
        positions: impl Iterator<Item = u64>,
    ) -> Result<Vec<Value<'static>>, AskError> {
        let mut bytes = 0;
        let mut events = Vec::new();
        for position in positions {
            let record = ledger.record(position)?;
            bytes += record.sections().map(|(_, section)| section.len()).sum::<usize>();
            if bytes > PAGE_BYTES {
                return Err(AskError::Wrong("a page of too many bytes; ask for fewer rows".into()));
            }
            check_proof(ledger, &record)?;
            events.push(show_without(ledger, &question.organisation, &record, granted.hides())?);
        }
        Ok(events)
    }
}

/// That the leaf, which was hashed again when the record was read, is under a signed head; before the first head covers it
/// there is nothing to check.
fn check_proof(ledger: &Ledger, record: &Record) -> Result<(), AskError> {
    match ledger.inclusion(record.position) {
        Ok(_) | Err(Error::NotYetProved) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn positions_below(end: u64) -> Filter {
    // Positions are counted in a number that holds every whole one up to 2^53, which is as many as JSON knows.
    let to = Some(Bound { value: Literal::Number(end as f64), inclusive: false });
    Filter::from(Expr::Field { path: "position".into(), test: Test::Range { from: None, to } })
}

fn takes_long() -> AskError {
    AskError::Wrong("this takes too long to count; ask for a shorter time, or for less".into())
}
