//! What clients of Splunk's HTTP Event Collector (HEC) send, as our events.
//!
//! Pure: [`envelopes`] and [`lines`] split a body, [`Mapping::map`] turns one envelope into events. `README.md` beside this
//! file has the subset, field by field.

mod map;
pub mod receive;
mod wire;

#[cfg(test)]
mod tests;

pub use map::{FIELDS, Mapped, Mapping, Metadata, TYPE};
pub use wire::{envelopes, lines};

use event::json::Limits;

/// The producer that events name, unless they are events of ours with another.
pub const PRODUCER: &str = "splunk-hec";

/// How much one envelope may be. What is kept of it must fit an event.
pub const ENVELOPE_LIMITS: Limits = Limits { max_bytes: 1 << 20, max_depth: 64 };

/// Most events of a request.
pub const EVENTS_MOST: usize = 100_000;

/// A code of HEC's table: what a client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// HEC's number.
    pub code: u16,
    /// The status of HTTP that it comes with.
    pub status: u16,
    /// HEC's words.
    pub text: &'static str,
}

const fn code(code: u16, status: u16, text: &'static str) -> Code {
    Code { code, status, text }
}

impl Code {
    /// All is well.
    pub const SUCCESS: Code = code(0, 200, "Success");
    /// The key is one of ours and may not record here.
    pub const TOKEN_DISABLED: Code = code(1, 403, "Token disabled");
    /// There is no `Authorization`.
    pub const TOKEN_IS_REQUIRED: Code = code(2, 401, "Token is required");
    /// There is one, and it shows no token.
    pub const INVALID_AUTHORIZATION: Code = code(3, 401, "Invalid authorization");
    /// It is no key of ours, or one that does not work.
    pub const INVALID_TOKEN: Code = code(4, 403, "Invalid token");
    /// The body has no event.
    pub const NO_DATA: Code = code(5, 400, "No data");
    /// The body, or an envelope of it, can't be read.
    pub const INVALID_DATA_FORMAT: Code = code(6, 400, "Invalid data format");
    /// `index` is no text.
    pub const INCORRECT_INDEX: Code = code(7, 400, "Incorrect index");
    /// Something broke.
    pub const INTERNAL_SERVER_ERROR: Code = code(8, 500, "Internal server error");
    /// Not now; send it again.
    pub const SERVER_IS_BUSY: Code = code(9, 503, "Server is busy");
    /// Acknowledgements are asked for without a channel.
    pub const CHANNEL_IS_MISSING: Code = code(10, 400, "Data channel is missing");
    /// The channel is no GUID.
    pub const INVALID_CHANNEL: Code = code(11, 400, "Invalid data channel");
    /// An envelope has no `event`.
    pub const EVENT_IS_REQUIRED: Code = code(12, 400, "Event field is required");
    /// An envelope has an empty `event`.
    pub const EVENT_IS_BLANK: Code = code(13, 400, "Event field cannot be blank");
    /// `fields` is not flat.
    pub const INDEXED_FIELDS: Code = code(15, 400, "Error in handling indexed fields");
    /// The token stands in the address, where it ends up in logs.
    pub const QUERY_STRING_AUTHORIZATION: Code = code(16, 400, "Query string authorization is not enabled");
    /// The server takes events.
    pub const HEALTHY: Code = code(17, 200, "HEC is healthy");
    /// The server can't record now.
    pub const UNHEALTHY: Code = code(18, 503, "HEC is unhealthy, queues are full");
    /// The server is stopping.
    pub const SHUTTING_DOWN: Code = code(23, 503, "Server is shutting down");
}

/// What a client is told of an envelope that was refused.
pub fn code_of(refusal: &event::Refusal) -> Code {
    match (refusal.pointer.as_str(), refusal.code) {
        ("/event", event::Code::Missing) => Code::EVENT_IS_REQUIRED,
        ("/event", event::Code::BadValue) => Code::EVENT_IS_BLANK,
        ("/index", _) => Code::INCORRECT_INDEX,
        (pointer, _) if pointer.starts_with("/fields") => Code::INDEXED_FIELDS,
        _ => Code::INVALID_DATA_FORMAT,
    }
}
