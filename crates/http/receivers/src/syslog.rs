//! Syslog messages (RFC 5424, and RFC 3164 as far as senders agree about it), with bodies in CEF, LEEF or JSON, as our events.
//!
//! Pure: [`Decoder`] finds the messages in a stream (RFC 6587), [`map`] turns one into an event. `README.md` beside this file
//! has the subset, and what syslog over TCP can lose.

mod cef;
mod frame;
mod leef;
mod map;
mod message;

#[cfg(test)]
mod tests;

pub use frame::{Decoder, Framed};
pub use map::{CEF_HOMES, FIELDS, LEEF_HOMES, Mapped, TYPE, map};

/// Most bytes of a message; what is longer is cut off, and that is said.
pub const MESSAGE_MOST: usize = 64 << 10;
