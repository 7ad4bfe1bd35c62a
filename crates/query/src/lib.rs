//! How do you ask? Filter text becomes a tree, and the tree a predicate over one event.
//!
//! * [`Filter::parse`] reads the language of `docs/reference/query.md`; [`Filter::expr`] is the tree ([`Expr`]), in
//!   canonical form, and printing a filter gives text that parses to it again.
//! * [`Filter::predicate`] answers for one event. It defines what a filter means.
//! * [`visit`], [`kind_of`], [`fold`], [`words`], [`is_unique`], [`decimal`] and [`address`] are what it is made of, for
//!   whoever wants the same answers by other means (the index).
//! * [`fields`], [`complete`], [`value_at`] and [`reference()`] are for people who write filters.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod ast;
mod complete;
mod field;
mod filter;
mod leaf;
mod parse;
mod predicate;
mod print;
mod reference;
mod scan;
mod time;
mod value;
mod words;

pub use ast::{Bound, Expr, Literal, Test, Text};
pub use complete::{Completion, complete, value_at};
pub use field::{FieldInfo, Kind, fields, kind_of};
pub use filter::{Error, Filter};
pub use leaf::{Leaf, Searched, visit};
pub use predicate::Predicate;
pub use reference::reference;
pub use words::{WORD_BYTES, address, decimal, fold, is_unique, words};
