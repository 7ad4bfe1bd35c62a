//! What this crate promises, tested from outside: one binary, one file a promise.

mod golden;
mod hostile;
mod leaves;
mod notes;
mod seals;
mod tree;
mod whole;
mod world;
