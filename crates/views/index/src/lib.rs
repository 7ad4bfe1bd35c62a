//! Where is it? Filters to positions; what is shown is read from the ledger.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod aggregate;
mod cache;
mod compile;
mod directory;
mod document;
mod error;
mod file;
mod ids;
mod index;
mod manifest;
mod part;
mod question;
mod schema;
mod search;
mod term;
mod window;

pub use cache::{Cache, CacheStats};
pub use error::{Error, Failed};
pub use index::{Index, Stats};
pub use question::{
    Amount, Answer, BUCKETS, Budget, Chart, Confirm, Count, Cursor, Facet, Group, Histogram, Measure, Order,
    Question, Relation, Scope, Top, Total,
};
pub use schema::{FACETS, NUMBERS};
