//! Following a ledger, and taking events out of it in numbers.

use std::sync::Arc;
use std::time::Duration;

use access::{Granted, Permission, Viewer};
use event::Value;
use ledger::Ledger;
use query::Predicate;

use crate::ask::{AskError, Order, PAGE_MOST, Paging, Question, Total};
use crate::organisations::Indelible;
use crate::show::{document, show_without};

/// Records looked at in one step, so that a filter that nothing fits does not hold a thread for long.
const STEP: u64 = 4096;
/// Bytes of events handed over in one step, more or less.
const STEP_BYTES: usize = 1 << 20;

/// Somebody who follows a ledger. That it began and that it ended are recorded.
pub struct Tail {
    product: Arc<Indelible>,
    viewer: Viewer,
    organisation: String,
    ledger: Ledger,
    predicate: Predicate,
    granted: Granted,
    at: u64,
    size: u64,
    shown: u64,
}

impl Indelible {
    /// Follows an organisation's events that a filter holds for, from a position on; from the next one if `None`.
    pub fn tail(
        self: &Arc<Indelible>,
        viewer: &Viewer,
        question: &Question,
        from: Option<u64>,
    ) -> Result<Tail, AskError> {
        let (granted, ledger, question) =
            self.narrowed(viewer, question, "audit.tail_started", Permission::Tail)?;
        Ok(Tail {
            product: self.clone(),
            viewer: viewer.clone(),
            // Relative times in a filter that is followed mean the time at which it began.
            predicate: question.filter.at(self.now_ns()).predicate(),
            at: from.unwrap_or(ledger.size()).min(ledger.size()),
            size: ledger.size(),
            granted,
            organisation: question.organisation,
            ledger,
            shown: 0,
        })
    }

    /// Takes events out, newest first, page by page, in one answer.
    pub fn export(
        self: &Arc<Indelible>,
        viewer: &Viewer,
        question: &Question,
        order: Order,
    ) -> Result<Export, AskError> {
        let (granted, ledger, mut question) =
            self.narrowed(viewer, question, "audit.export", Permission::Export)?;
        // What is exported is what there was when it began.
        question.filter = question.filter.at(self.now_ns());
        let paging = Paging { order, limit: PAGE_MOST, ..Paging::default() };
        self.wait_for_index(&question, &ledger)?;
        let total = self.found_total(&ledger, &question)?;
        Ok(Export {
            product: self.clone(),
            granted,
            question,
            ledger,
            paging,
            total,
            is_done: false,
            ready: Vec::new(),
        })
    }
}

impl Tail {
    /// The next events and their positions; none if there was nothing within `patience`.
    pub fn next(&mut self, patience: Duration) -> Result<Vec<(u64, Value<'static>)>, AskError> {
        let size = self.ledger.wait(self.at, patience);
        let end = size.min(self.at + STEP);
        let mut found = Vec::new();
        let mut bytes = 0;
        while self.at < end && bytes < STEP_BYTES {
            let block = self.ledger.block(self.at)?;
            for position in self.at..block.positions().end.min(end) {
                self.at = position + 1;
                let record = block.unchecked(position)?;
                if !self.predicate.matches(&document(&self.organisation, &record)?) {
                    continue;
                }
                let record = block.record(position)?;
                let value = show_without(&self.ledger, &self.organisation, &record, self.granted.hides())?;
                bytes += 1024;
                found.push((position, value));
            }
        }
        self.shown += found.len() as u64;
        Ok(found)
    }

    /// The first position that was not looked at.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// Leaves of the ledger when it began.
    pub fn size(&self) -> u64 {
        self.size
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        if self.product.read_only() {
            return;
        }
        let attributes = vec![
            ("shown", Value::from(self.shown.to_string())),
            ("to_position", Value::from(self.at.to_string())),
        ];
        let value = self.product.own_event("audit.tail_ended", "success", Some(&self.viewer), attributes);
        if let Err(error) = self.product.note(&self.organisation, value) {
            tracing::warn!(organisation = self.organisation, %error, "the end of a tail could not be recorded");
        }
    }
}

/// Events on their way out.
pub struct Export {
    product: Arc<Indelible>,
    granted: Granted,
    question: Question,
    ledger: Ledger,
    paging: Paging,
    total: Total,
    is_done: bool,
    /// Events of the page, last first.
    ready: Vec<Value<'static>>,
}

impl Export {
    /// How many events it will be, as far as that is known at the beginning.
    pub fn total(&self) -> Total {
        self.total
    }
}

impl Iterator for Export {
    type Item = Result<Value<'static>, AskError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() && !self.is_done {
            let page = self.product.page(&self.ledger, &self.question, &self.paging, &self.granted);
            match page {
                Ok(page) => {
                    self.ready = page.events;
                    self.ready.reverse();
                    self.is_done = page.next.is_none();
                    self.paging.cursor = page.next;
                }
                Err(error) => {
                    self.is_done = true;
                    return Some(Err(error));
                }
            }
        }
        self.ready.pop().map(Ok)
    }
}
