//! Where is it? Filters to positions; what is shown is read from the ledger.
//!
//! An [`Index`] is one organisation's. It follows the ledger, holds nothing that the ledger does not, and may be removed.
//! The way of an event: a `batch` makes terms (`term`), ids and values of columns (`schema`) of it and becomes a `part`,
//! which is one encrypted `file`: a `dictionary` of terms with their `postings`, a run of `ids`, and columns (`column`).
//! The `manifest` names the parts, and replacing it is what a commit is (`index`).
//! The way of a question: `compile` makes sets of a filter, `window` works them out a few thousand documents at a time,
//! `search` takes pages from that and `aggregate` figures.
//!
//! What a filter means is defined by `query::Predicate`. The index answers the same: what its terms leave in doubt it lets
//! the caller read ([`Confirm`]) and the predicate decide.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod aggregate;
mod batch;
mod cache;
mod column;
mod compile;
mod dictionary;
mod error;
mod file;
mod ids;
mod index;
mod manifest;
mod part;
mod postings;
mod question;
mod schema;
mod search;
mod term;
mod varint;
mod window;

pub use cache::{Cache, CacheStats};
pub use error::{Error, Failed};
pub use index::{Index, Stats};
pub use question::{
    Amount, Answer, BUCKETS, Budget, Chart, Confirm, Count, Cursor, Facet, Group, Histogram, Measure, Order,
    Question, Relation, Scope, Top, Total,
};
pub use schema::{FACETS, NUMBERS};
