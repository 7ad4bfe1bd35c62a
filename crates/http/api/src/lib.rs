//! Who do we talk to? Our own API over HTTP, and the one place where the product's answers become status codes.
//!
//! * [`serve()`] listens until it is told to stop, and then stops in order.
//! * [`router`] is what it serves: the table [`ROUTES`], behind a token.
//!
//! No clock, no randomness and no file is touched here, and nothing that blocks runs on the threads that serve.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod auth;
mod body;
mod door;
mod litellm;
mod params;
mod problem;
mod read;
mod record;
mod routes;
mod serve;
mod split;
mod tally;

#[cfg(test)]
mod tests;

pub use auth::TokenHash;
pub use door::Limits;
pub use routes::{ROUTES, Route, router};
pub use serve::{serve, serve_with};
