//! How do you ask? Filter text becomes a tree, and the tree a predicate over one event.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod ast;

pub use ast::{Bound, Expr, Literal, Test, Text};
