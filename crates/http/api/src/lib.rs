//! Who do we talk to? Our own API over HTTP, and the one place where the product's answers become status codes.
//!
//! * [`serve()`] listens until it is told to stop, and then stops in order.
//! * [`router`] is what it serves: the table [`ROUTES`], behind a key.
//!
//! No clock, no randomness and no file is touched here, and nothing that blocks runs on the threads that serve.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod administration;
mod auth;
mod body;
mod collect_routes;
mod compat_bifrost;
mod compat_litellm;
mod compat_routes;
mod compat_schema;
mod dialect;
mod docs;
mod door;
mod encoding;
mod export;
mod grpc;
mod health;
mod hec;
mod http2;
mod idempotency;
mod keys;
mod litellm;
mod mapping;
mod media;
mod metrics;
mod openapi;
mod organisations;
mod otlp;
mod pages;
mod params;
mod problem;
mod proxies;
mod quarantine;
mod rates;
mod read;
mod record;
mod routes;
mod schema;
mod search;
mod serve;
mod split;
mod stall;
mod stream;
mod strict;
mod syslog;
mod tail;
mod tally;
mod tls;
mod users;
mod views;
mod whoami;

#[cfg(test)]
mod tests;

pub use door::{Limits, MoreMetrics, Settings};
pub use export::Format;
pub use mapping::Mappings;
pub use openapi::openapi;
pub use pages::Pages;
pub use rates::Rate;
pub use routes::{Answer, Needs, Parameter, ROUTES, Route, Sent, router};
pub use serve::{serve, serve_with};
pub use syslog::{Syslog, SyslogLimits};
pub use tls::{Tls, TlsError};
