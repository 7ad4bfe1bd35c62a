//! LiteLLM's audit API, as `litellm-enterprise` 0.1.82 answers it: `GET /audit` and `GET /audit/{id}`.
//!
//! * [`Asked::read`] turns the parameters into a filter, a page and an order.
//! * [`row`] makes a row of any event: of one that came out of LiteLLM's own audit log the row that it was.
//! * [`page`], [`invalid`], [`detail`] and [`error`] are what is answered.

mod ask;
mod row;

pub use ask::{Asked, Column, Invalid, found_by};
pub use row::row;

use event::Value;

use crate::project::{object, whole};

/// Rows of a page, as they are answered.
pub fn page(rows: Vec<Value<'static>>, total: u64, asked: &Asked) -> Value<'static> {
    let size = asked.page_size as u64;
    Value::Object(object([
        ("audit_logs", Value::Array(rows)),
        ("total", whole(total)),
        ("page", whole(asked.page)),
        ("page_size", whole(size)),
        ("total_pages", whole(total.div_ceil(size))),
    ]))
}

/// Parameters that can't be taken, as FastAPI says it: the body of a 422.
pub fn invalid(all: &[Invalid]) -> Value<'static> {
    let one = |one: &Invalid| {
        let place = vec![Value::from("query"), Value::from(one.parameter)];
        Value::Object(object([
            ("type", Value::from(one.kind)),
            ("loc", Value::Array(place)),
            ("msg", Value::from(one.message.clone())),
        ]))
    };
    Value::Object(object([("detail", Value::Array(all.iter().map(one).collect()))]))
}

/// What a handler of LiteLLM says when it can't answer: the body of a 404 or 500.
pub fn detail(message: &str) -> Value<'static> {
    let message = object([("message", Value::from(message.to_owned()))]);
    Value::Object(object([("detail", Value::Object(message))]))
}

/// What LiteLLM says before a handler is reached: the body of a 401 or 429. `code` is a string.
pub fn error(status: u16, message: &str) -> Value<'static> {
    let kind = match status {
        401 => "auth_error",
        429 => "throttling_error",
        _ => "internal_server_error",
    };
    let error = object([
        ("message", Value::from(message.to_owned())),
        ("type", Value::from(kind)),
        ("param", Value::Null),
        ("code", Value::from(status.to_string())),
    ]);
    Value::Object(object([("error", Value::Object(error))]))
}
