//! What happened?
//!
//! An event as the people who send it think of it, parsed strictly, once, at the door, and written as canonical bytes.
//! After this crate nothing needs to ask whether an event is well formed, and nothing serialises it a second time.
//!
//! * [`json`] reads strict JSON and writes RFC 8785.
//! * [`kind`] is the one table of kinds, [`field`] the one table of fields, [`outcome`] the words for status and severity.
//! * [`Event`] is one event that passed: its core (for the leaf) and its sections. [`assemble`] is the way back.
//! * [`otel`] says where OpenTelemetry's names live here, [`spec`] where the fields of the four specifications live.
//! * [`reference()`] renders all these tables as `docs/reference/event.md`.
//!
//! There is no I/O, no clock and no randomness here: the ledger mints ids and the time of receipt.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod field;
pub mod json;
pub mod kind;
pub mod otel;
pub mod outcome;
pub mod spec;
pub mod time;

mod event;
mod reference;
mod refusal;
mod stored;
mod validate;

pub use event::{Core, Event, SectionBodies};
pub use json::{Limits, Number, Object, Value};
pub use reference::reference;
pub use refusal::{Code, Refusal};
pub use stored::{Stored, assemble, show_id};
