//! Who do we talk to? Others' ways of sending.
//!
//! Every neighbour has a module that is a pure, tested mapping from its wire format to our events. Nothing of a neighbour
//! leaves its module but under its own name, in `attributes`.
//!
//! * [`guide`]: the entries that the specifications print, sent as events are.
//! * [`litellm`]: the `generic_api` callback of the LiteLLM proxy, and rows of its audit log.
//! * [`otlp`]: spans and log records of OpenTelemetry, in protobuf or JSON.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod guide;
pub mod litellm;
pub mod otlp;

mod kept;
mod redactions;
