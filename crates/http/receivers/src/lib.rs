//! Who do we talk to? Others' ways of sending.
//!
//! Every neighbour has a module that is a pure, tested mapping from its wire format to our events. Nothing of a neighbour
//! leaves its module but under its own name, in `attributes`.
//!
//! * [`cloudevents`]: the envelope that brokers and functions put around what they say.
//! * [`guide`]: the entries that the specifications print, sent as events are.
//! * [`hec`]: clients of Splunk's HTTP Event Collector.
//! * [`litellm`]: the `generic_api` callback of the LiteLLM proxy, and rows of its audit log.
//! * [`mapping`]: any JSON, by a file that says what it means.
//! * [`otlp`]: spans and log records of OpenTelemetry, in protobuf or JSON.
//! * [`syslog`]: messages of RFC 5424 and 3164, with CEF and LEEF in them.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod cloudevents;
pub mod guide;
pub mod hec;
pub mod intake;
pub mod litellm;
pub mod mapping;
pub mod otlp;
pub mod sources;
pub mod syslog;

mod epoch;
mod kept;
mod redactions;
