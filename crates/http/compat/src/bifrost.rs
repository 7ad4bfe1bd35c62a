//! Bifrost's audit API, of which there are two under one path.
//!
//! * [`seed`]: as specification 002 prints it, and as older servers answer.
//! * [`cadf`]: as servers of today answer, in the manner of CADF (DSP0262).
//! * [`is_cadf`] tells from the parameters which is asked.

pub mod cadf;
pub mod seed;

mod values;
mod words;

use event::{Object, Value};

use crate::project::object;

/// Query parameters as they came, in their order; a name may be there several times.
pub type Pairs = [(String, String)];

/// Rows of a page.
const LIMIT: usize = 100;
const LIMIT_MOST: usize = 1000;
/// Values of one parameter, all together.
const VALUES_MOST: usize = 100;
/// The largest number that JSON holds exactly.
const PAGE_MOST: u64 = (1 << 53) - 1;

/// A parameter that can't be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Which.
    pub parameter: &'static str,
    /// A sentence for people. It never repeats what was sent.
    pub message: String,
}

fn wrong(parameter: &'static str, message: impl Into<String>) -> Wrong {
    Wrong { parameter, message: message.into() }
}

/// Parameters that only servers of today have.
const ONLY_CADF: &[&str] = &[
    "cursor",
    "period",
    "search",
    "sort_by",
    "sort_order",
    "tags",
    "actions",
    "event_types",
    "outcome",
    "outcomes",
    "initiator_id",
    "initiator_ids",
    "initiator_type",
    "initiator_types",
    "target_id",
    "target_ids",
    "target_type",
    "target_types",
    "request_method",
    "request_methods",
    "request_path",
    "request_paths",
    "request_ip",
    "request_ips",
];

/// Whether servers of today are asked: by `profile=cadf`, or by a parameter that only they have. `profile=seed` says no.
pub fn is_cadf(pairs: &Pairs) -> Result<bool, Wrong> {
    match values::last(pairs, "profile") {
        Some("cadf") => Ok(true),
        Some("seed") => Ok(false),
        Some(_) => Err(wrong("profile", "expected `seed` or `cadf`")),
        None => Ok(pairs.iter().any(|(name, _)| ONLY_CADF.contains(&name.as_str()))),
    }
}

/// What went wrong, as Bifrost says it. The specification has no errors of its own; these are those of today's servers.
pub fn error(status: u16, code: &str, message: &str, parameter: Option<&str>) -> Value<'static> {
    let kind = match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found",
        429 => "rate_limit_error",
        400..=499 => "invalid_request_error",
        _ => "internal_error",
    };
    let error = object([
        ("type", Value::from(kind)),
        ("code", Value::from(code.to_owned())),
        ("message", Value::from(message.to_owned())),
        ("param", parameter.map_or(Value::Null, |name| Value::from(name.to_owned()))),
    ]);
    Value::Object(object([
        ("type", Value::from(kind)),
        ("is_bifrost_error", Value::from(false)),
        ("status_code", Value::from(i32::from(status))),
        ("error", Value::Object(error)),
        ("extra_fields", Value::Object(Object::new())),
    ]))
}
