//! What may be asked, and how it is answered.

use query::Expr;

use event::Value;

/// Reads the event at a position from the ledger, as `event::assemble` gives it, to see whether it matches.
pub type Confirm<'a, E> = dyn Fn(u64) -> Result<Value<'static>, E> + 'a;

/// Which events a question is about, and what it may cost.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The filter, with the viewer's own already in it, and times made absolute.
    pub expr: &'a Expr,
    /// What it may cost to look at events that the index alone cannot decide about.
    pub budget: Budget,
}

/// Where to stop looking at events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Events read, at most.
    pub reads: u64,
    /// No longer than this, by `ledger::io::Io::monotonic_ms`.
    pub until_ms: Option<u64>,
}

impl Default for Budget {
    /// 50 000 events, however long it takes.
    fn default() -> Budget {
        Budget { reads: 50_000, until_ms: None }
    }
}

/// A page of what matches.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What must match.
    pub scope: Scope<'a>,
    /// In which order.
    pub order: Order,
    /// Go on after this; `None` begins.
    pub after: Option<Cursor>,
    /// Positions on the page, at most.
    pub limit: usize,
    /// Whether to count what matches in all.
    pub count: Count,
}

/// The order of positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Descending. As cheap as can be.
    Newest,
    /// Ascending.
    Oldest,
    /// By the sender's `time`, and by position where it is equal; events without a time do not appear. It has to look at
    /// everything that matches.
    ByTime {
        /// Latest first.
        descending: bool,
    },
}

/// The end of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor {
    /// Time of the last event in nanoseconds since 1970; 0 where the order is by position.
    pub time: i64,
    /// Its position.
    pub position: u64,
}

/// Whether to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// No.
    No,
    /// If it costs next to nothing; otherwise from a sample of the newest.
    Estimate,
    /// All of them.
    Exact,
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Positions of events that match, in the order asked for.
    pub positions: Vec<u64>,
    /// Where to go on, if there may be more.
    pub next: Option<Cursor>,
    /// How many match in all, if that was asked.
    pub total: Option<Total>,
    /// Events that were read to decide.
    pub reads: u64,
    /// The budget ran out before the page was full: ask again, from `next` on.
    pub truncated: bool,
}

/// A number of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    /// The number.
    pub value: u64,
    /// How it relates to the true one.
    pub relation: Relation,
}

/// How a figure relates to the true one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// It is the true one.
    Exact,
    /// The true one is not smaller: the budget ran out.
    AtLeast,
    /// It was made from a sample.
    Estimate,
}

/// The values of a field, most frequent first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facet {
    /// The field.
    pub field: String,
    /// Value, as it was said, and number of events.
    pub values: Vec<(String, u64)>,
    /// Events with any other value.
    pub other: u64,
    /// Events without a value.
    pub missing: u64,
    /// Of all the numbers.
    pub relation: Relation,
}

/// What a chart is to show.
#[derive(Clone, Copy, Debug)]
pub struct Histogram<'a> {
    /// From this `time` on, in nanoseconds since 1970.
    pub from: i64,
    /// To before this.
    pub to: i64,
    /// Nanoseconds in a bucket; raised where there would be more than [`BUCKETS`].
    pub step: i64,
    /// A field to split by, and how many of its values, the most frequent ones, to tell apart.
    pub split: Option<(&'a str, usize)>,
}

/// Buckets in a chart, at most.
pub const BUCKETS: i64 = 10_000;

/// Numbers of events over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// Where the first bucket begins.
    pub from: i64,
    /// Nanoseconds in a bucket.
    pub step: i64,
    /// All events, by bucket.
    pub total: Vec<u64>,
    /// Those with each of the values that are told apart, by bucket.
    pub series: Vec<(String, Vec<u64>)>,
    /// Those with another value, or with none, by bucket.
    pub other: Vec<u64>,
    /// Of all the numbers.
    pub relation: Relation,
}

/// What to rank groups by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure<'a> {
    /// Number of events.
    Count,
    /// Sum of one of [`crate::NUMBERS`].
    Sum(&'a str),
    /// Mean of one of [`crate::NUMBERS`] over the events that have it.
    Avg(&'a str),
    /// Different values of one of [`crate::FACETS`].
    Cardinality(&'a str),
}

/// Groups, the greatest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Top {
    /// The groups.
    pub groups: Vec<Group>,
    /// Over all events that match, also those without a group. For `Cardinality`, only `of` is meant.
    pub total: Amount,
    /// Of all the numbers.
    pub relation: Relation,
}

/// One group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The value they have in common.
    pub value: String,
    /// Number of events.
    pub events: u64,
    /// What was measured.
    pub amount: Amount,
}

/// An exact amount: `units / 10^scale`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// In units of 10^-scale. For a mean this is still the sum: divide by `of`.
    pub units: i128,
    /// Digits after the point.
    pub scale: u32,
    /// Events with a value.
    pub of: u64,
    /// Some event's value has more digits than the index keeps, or is no number; the sum has it rounded or left out.
    pub inexact: bool,
}
