//! The door out: questions about events, asked by somebody.
//!
//! Every question passes the same three steps. The asker's role is checked and becomes a filter that is ANDed into what is
//! asked; the question is recorded; then the index, or a scan of a small ledger, finds positions, and the ledger tells.

use std::sync::atomic::{AtomicBool, Ordering};

use access::{Denied, Granted, Permission, Viewer};
use event::Value;
use ledger::{Error, Ledger};
use query::Filter;

use crate::audit::Asked;
use crate::found::{countable, measurable};
use crate::organisations::{Indelible, check_organisation};
use crate::record::RecordError;
use crate::show::{document, show_without};

/// Most events of a page.
pub const PAGE_MOST: usize = 1000;
/// Bytes of bodies on a page, more or less, so that a page of large events does not fill the memory.
const PAGE_BYTES: usize = 8 << 20;
/// Where fingerprints of texts are.
const FINGERPRINTS: [&str; 4] = [
    "llm.prompt_fingerprint",
    "llm.response_fingerprint",
    "tool.arguments_fingerprint",
    "tool.result_fingerprint",
];
/// How long a question waits for the index to have what was acknowledged before it.
const CONSISTENT_MS: u64 = 10_000;

/// Why a question is not answered.
#[derive(Clone, Debug, PartialEq)]
pub enum AskError {
    /// The asker may not.
    Denied(Denied),
    /// There is no such thing, or the asker may not know of it.
    NotFound,
    /// The question makes no sense; a sentence says why.
    Wrong(String),
    /// The ledger cannot be read.
    Ledger(Error),
    /// What cannot be recorded is not answered.
    NotRecorded(RecordError),
    /// The index does not have what was acknowledged before the question in time.
    Behind,
}

impl std::fmt::Display for AskError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            AskError::Denied(denied) => write!(f, "{denied}"),
            AskError::NotFound => f.write_str("there is no such event, or no such organisation"),
            AskError::Wrong(why) => f.write_str(why),
            AskError::Ledger(error) => write!(f, "{error}"),
            AskError::NotRecorded(error) => write!(f, "the question could not be recorded: {error}"),
            AskError::Behind => f.write_str("the index is behind; ask again later, or without `consistent`"),
        }
    }
}

impl std::error::Error for AskError {}

impl From<Error> for AskError {
    fn from(error: Error) -> AskError {
        match error {
            Error::NotFound(_) => AskError::NotFound,
            error => AskError::Ledger(error),
        }
    }
}

/// The order of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// By position, newest first.
    #[default]
    Newest,
    /// By the sender's time, newest first.
    Time,
    /// By the sender's time, oldest first.
    Oldest,
}

/// Whether a page says how many events there are in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Count {
    /// No.
    No,
    /// If it costs little; otherwise at least how many.
    #[default]
    Estimate,
    /// Exactly, whatever it costs.
    Exact,
}

/// What is asked of which organisation.
#[derive(Clone, Debug)]
pub struct Question {
    /// Whose ledger.
    pub organisation: String,
    /// Which events.
    pub filter: Filter,
    /// Whether the answer must have everything that was acknowledged before it.
    pub consistent: bool,
}

/// Which page of the events that a question finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paging {
    /// In which order.
    pub order: Order,
    /// The cursor of the page before.
    pub cursor: Option<String>,
    /// Events of the page: at most [`PAGE_MOST`], 100 if 0.
    pub limit: usize,
    /// Whether the page says how many there are in all.
    pub count: Count,
}

/// Events, and where to go on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The events, each hashed again on the way out.
    pub events: Vec<Value<'static>>,
    /// For [`Paging::cursor`]; nothing if there is no more.
    pub next: Option<String>,
    /// How many there are in all, if that was asked.
    pub total: Option<Total>,
    /// Positions below this one could be found; the ledger may have more that the index does not have yet.
    pub searchable: u64,
    /// Leaves of the ledger.
    pub size: u64,
}

/// A number of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    /// The number.
    pub value: u64,
    /// Whether it is exact; otherwise there are at least so many.
    pub is_exact: bool,
}

/// Events that share a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The value; `None` for events that have none.
    pub key: Option<String>,
    /// How many events.
    pub count: u64,
    /// Sum of the field that was to be summed, as a decimal.
    pub sum: Option<String>,
}

/// Values of one field with their counts, most frequent first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facet {
    /// The field.
    pub field: String,
    /// The values.
    pub groups: Vec<Group>,
    /// Whether every event was looked at.
    pub is_exact: bool,
}

/// Events of one interval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its beginning, nanoseconds since 1970.
    pub from_ns: i64,
    /// How many events.
    pub count: u64,
    /// How many of each value of the field that it was to be split by.
    pub split: Vec<Group>,
}

/// What is to be measured of the events that share a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measure {
    /// How many there are.
    Count,
    /// The sum of a field.
    Sum(String),
}

impl Indelible {
    /// A page of the events that a question finds.
    pub fn search(&self, viewer: &Viewer, question: &Question, paging: &Paging) -> Result<Page, AskError> {
        let (granted, ledger, question) = self.begin(viewer, question)?;
        self.page(&ledger, &question, paging, &granted)
    }

    /// How many events a question finds.
    pub fn count(&self, viewer: &Viewer, question: &Question) -> Result<Total, AskError> {
        let (_, ledger, question) = self.begin(viewer, question)?;
        self.found_total(&ledger, &question)
    }

    /// How many events each of several filters finds, as one question: that of all of them together.
    pub fn counts(
        &self,
        viewer: &Viewer,
        organisation: &str,
        filters: &[Filter],
    ) -> Result<Vec<Total>, AskError> {
        let any = query::Expr::Or(filters.iter().map(|filter| filter.expr().clone()).collect());
        let question =
            Question { organisation: organisation.to_owned(), filter: any.into(), consistent: false };
        let (granted, ledger, _) = self.narrowed(viewer, &question, "audit.read", Permission::ReadEvents)?;
        let count = |filter: &Filter| {
            let filter = Filter::from(granted.filter()).and(filter.at(self.now_ns()));
            self.found_total(&ledger, &Question { filter, ..question.clone() })
        };
        filters.iter().map(count).collect()
    }

    /// The machine's wall clock, milliseconds since 1970: what `now` in a filter means.
    pub fn now_ms(&self) -> u64 {
        self.io.wall_ms()
    }

    /// The most frequent values of some fields, among the events that a question finds.
    pub fn facets(
        &self,
        viewer: &Viewer,
        question: &Question,
        fields: &[String],
        most: usize,
    ) -> Result<Vec<Facet>, AskError> {
        fields.iter().try_for_each(|field| countable(field))?;
        let (_, ledger, question) = self.begin(viewer, question)?;
        self.found_facets(&ledger, &question, fields, most)
    }

    /// How many events a question finds in each interval of time.
    pub fn histogram(
        &self,
        viewer: &Viewer,
        question: &Question,
        interval: &Interval,
    ) -> Result<Vec<Slot>, AskError> {
        interval.by.iter().try_for_each(|(field, _)| countable(field))?;
        let (_, ledger, question) = self.begin(viewer, question)?;
        self.found_histogram(&ledger, &question, interval)
    }

    /// The values of a field that measure most, among the events that a question finds.
    pub fn top(
        &self,
        viewer: &Viewer,
        question: &Question,
        group: &str,
        measure: &Measure,
        most: usize,
    ) -> Result<Facet, AskError> {
        countable(group)?;
        measurable(measure)?;
        let (_, ledger, question) = self.begin(viewer, question)?;
        self.found_top(&ledger, &question, group, measure, most)
    }

    /// The positions of the events with an id, of those that the asker may see: ours, the sender's own, of which there may
    /// be several because two producers can use the same, or a position.
    pub fn find(
        &self,
        viewer: &Viewer,
        organisation: &str,
        id: &str,
        permission: Permission,
    ) -> Result<(Vec<u64>, Granted), AskError> {
        let kind = if permission == Permission::Proofs { "audit.proof_issued" } else { "audit.read" };
        let granted = self.admit(viewer, &Asked { kind, permission, organisation, text: id })?;
        let ledger = self.ledger(organisation)?;
        let mut positions = self.positions_of(&ledger, organisation, id)?;
        if !granted.sees_every_row() {
            let predicate = Filter::from(granted.filter()).predicate();
            let mut seen = Vec::new();
            for position in positions {
                let record = ledger.record(position)?;
                if predicate.matches(&document(organisation, &record)?) {
                    seen.push(position);
                }
            }
            positions = seen;
        }
        match positions.is_empty() {
            true => Err(AskError::NotFound),
            false => Ok((positions, granted)),
        }
    }

    /// The event at a position that [`Indelible::find`] gave.
    pub fn event_at(
        &self,
        organisation: &str,
        position: u64,
        granted: &Granted,
    ) -> Result<Value<'static>, AskError> {
        let ledger = self.ledger(organisation)?;
        Ok(show_without(&ledger, organisation, &ledger.record(position)?, granted.hides())?)
    }

    /// The filter that finds where a text was sent or answered, though it was not kept: by its keyed fingerprint. The text
    /// itself is recorded nowhere; the question that is then asked with the filter is.
    pub fn text_filter(&self, viewer: &Viewer, organisation: &str, text: &str) -> Result<Filter, AskError> {
        check_organisation(organisation).map_err(AskError::Wrong)?;
        self.permit(viewer, Permission::FindText, organisation)?;
        let fingerprint = self.ledger(organisation)?.text_fingerprint(text.as_bytes());
        let field = |path: &&str| query::Expr::Field {
            path: (*path).to_owned(),
            test: query::Test::Is(fingerprint.clone()),
        };
        Ok(Filter::from(query::Expr::Or(FINGERPRINTS.iter().map(field).collect())))
    }

    /// The newest signed head of an organisation's ledger, as a note; `None` if nothing is signed yet.
    pub fn checkpoint(&self, viewer: &Viewer, organisation: &str) -> Result<Option<String>, AskError> {
        let permission = Permission::Proofs;
        self.admit(viewer, &Asked { kind: "audit.read", permission, organisation, text: "checkpoint" })?;
        Ok(self.ledger(organisation)?.head().map(|head| head.note))
    }

    pub(crate) fn begin(
        &self,
        viewer: &Viewer,
        question: &Question,
    ) -> Result<(Granted, Ledger, Question), AskError> {
        let (granted, ledger, mut question) =
            self.narrowed(viewer, question, "audit.read", Permission::ReadEvents)?;
        self.wait_for_index(&question, &ledger)?;
        question.filter = question.filter.at(self.now_ns());
        Ok((granted, ledger, question))
    }

    /// A question as its asker may ask it: recorded as an event of `kind`, and with the filter of what they may see in it.
    pub(crate) fn narrowed(
        &self,
        viewer: &Viewer,
        question: &Question,
        kind: &'static str,
        permission: Permission,
    ) -> Result<(Granted, Ledger, Question), AskError> {
        let (organisation, text) = (&question.organisation, &question.filter.to_string());
        let granted = self.admit(viewer, &Asked { kind, permission, organisation, text })?;
        granted.may_ask(question.filter.expr()).map_err(AskError::Denied)?;
        let filter = Filter::from(granted.filter()).and(question.filter.clone());
        Ok((granted, self.ledger(organisation)?, Question { filter, ..question.clone() }))
    }

    /// Waits, if the question wants it, until everything that was acknowledged before it can be found.
    pub(crate) fn wait_for_index(&self, question: &Question, ledger: &Ledger) -> Result<(), AskError> {
        match question.consistent && !self.catch_up(&question.organisation, ledger, CONSISTENT_MS)? {
            true => Err(AskError::Behind),
            false => Ok(()),
        }
    }

    /// A page of what a question finds; the asker's own filter is in it already.
    pub(crate) fn page(
        &self,
        ledger: &Ledger,
        question: &Question,
        paging: &Paging,
        granted: &Granted,
    ) -> Result<Page, AskError> {
        let limit = if paging.limit == 0 { 100 } else { paging.limit.min(PAGE_MOST) };
        let found = self.found(ledger, question, &Paging { limit, ..paging.clone() })?;
        let mut page = Page {
            next: found.next,
            total: found.total,
            searchable: found.searchable,
            size: ledger.size(),
            ..Page::default()
        };
        let positions = &found.positions;
        let is_ended = AtomicBool::new(false);
        std::thread::scope(|threads| {
            if is_scattered(positions) {
                // Many are in a block of their own, and unpacking blocks is what takes the time.
                threads.spawn(|| {
                    for position in positions.iter().rev() {
                        if is_ended.load(Ordering::Relaxed) || ledger.block(*position).is_err() {
                            break;
                        }
                    }
                });
            }
            let shown = self.show_page(ledger, question, paging, granted, positions, &mut page);
            is_ended.store(true, Ordering::Relaxed);
            shown
        })?;
        Ok(page)
    }

    fn show_page(
        &self,
        ledger: &Ledger,
        question: &Question,
        paging: &Paging,
        granted: &Granted,
        positions: &[u64],
        page: &mut Page,
    ) -> Result<(), AskError> {
        let mut bytes = 0;
        for (n, position) in positions.iter().enumerate() {
            let record = ledger.record(*position)?;
            bytes += record.sections().map(|(_, section)| section.len()).sum::<usize>();
            page.events.push(show_without(ledger, &question.organisation, &record, granted.hides())?);
            if bytes >= PAGE_BYTES && n + 1 < positions.len() {
                page.next = Some(cursor_after(paging.order, *position, record.time_ns()));
                break;
            }
        }
        Ok(())
    }

    pub(crate) fn now_ns(&self) -> i64 {
        i64::try_from(self.io.wall_ms()).unwrap_or(i64::MAX).saturating_mul(1_000_000)
    }
}

/// How a histogram is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    /// From this time on, nanoseconds since 1970; the first event's if absent.
    pub from_ns: Option<i64>,
    /// Before this time; after the last event's if absent.
    pub to_ns: Option<i64>,
    /// Width, in nanoseconds.
    pub step_ns: i64,
    /// The field by which each interval is split, and how many of its values are told apart.
    pub by: Option<(String, usize)>,
}

/// Whether positions lie so far apart that a second thread helps to read them.
fn is_scattered(positions: &[u64]) -> bool {
    let span = positions.first().zip(positions.last()).map_or(0, |(first, last)| first.abs_diff(*last));
    positions.len() >= 16 && span > 64 * positions.len() as u64
}

/// What the index or a scan found: positions, in the order asked for.
pub(crate) struct Found {
    pub(crate) positions: Vec<u64>,
    pub(crate) next: Option<String>,
    pub(crate) total: Option<Total>,
    pub(crate) searchable: u64,
}

/// Where the page after an event begins.
pub(crate) fn cursor_after(order: Order, position: u64, time_ns: i64) -> String {
    match order {
        Order::Newest => position.to_string(),
        Order::Time | Order::Oldest => format!("{time_ns}_{position}"),
    }
}
