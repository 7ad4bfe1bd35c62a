//! What went wrong, as RFC 9457 has it. The one place where errors become status codes.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use event::{Object, Refusal, Value};
use indelible::{AskError, Error, RecordError, without_secrets};

use crate::otlp::Told;

/// An answer that is not what was asked for. It says what to do and never quotes what was sent.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    /// A word for programs.
    code: &'static str,
    /// A sentence for people.
    detail: Cow<'static, str>,
    retry_after_ms: Option<u64>,
    /// Further members.
    more: Object<'static>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// A code, the status it comes with, and what it means.
pub(crate) struct Known {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) about: &'static str,
}

const fn known(status: u16, code: &'static str, about: &'static str) -> Known {
    Known { status, code, about }
}

/// Every code of our own. Beside them stand those of [`event::Code`], with status 400.
pub(crate) const CODES: &[Known] = &[
    known(400, "body", "the body ended early"),
    known(400, "encoding", "the body is not what its `Content-Encoding` says"),
    known(400, "idempotency_key", "the `Idempotency-Key` is empty, too long, or there twice"),
    known(
        400,
        "filter",
        "the filter can't be read; `from` and `to` say where, `suggestion` what may have been meant",
    ),
    known(400, "wrong", "what is asked makes no sense; `detail` says why"),
    known(400, "parameter", "a query parameter or header is not known, there twice, or has a wrong value"),
    known(400, "path", "a part of the path can't be read"),
    known(400, "rejected", "none of the events was recorded; `rejected` says what is wrong where"),
    known(401, "unauthorized", "no key, or one that does not work"),
    known(403, "forbidden", "the key's role or scopes do not allow this here; `detail` says what it needs"),
    known(404, "not_found", "there is nothing here"),
    known(405, "method_not_allowed", "this path is not asked with this method; see `Allow`"),
    known(408, "timeout", "the body took too long"),
    known(409, "ambiguous", "several events have this id"),
    known(409, "conflict", "other events were recorded with these ids"),
    known(409, "in_flight", "a request with this `Idempotency-Key` is being answered now; ask again later"),
    known(413, "too_large", "more bytes, events or values than one request may have"),
    known(415, "encoding", "this `Content-Encoding` is not taken; see `Accept-Encoding`"),
    known(415, "media_type", "this `Content-Type` is not taken; see `Accept`"),
    known(422, "idempotency_key", "this `Idempotency-Key` was used with another request"),
    known(429, "rate_limited", "too many requests; try again after `Retry-After` seconds"),
    known(500, "internal", "something broke; the server's own log says what"),
    known(500, "ledger_not_intact", "the ledger is not what was written"),
    known(501, "not_implemented", "this is known and can't be done yet"),
    known(503, "busy", "not now; try again after `Retry-After` seconds"),
];

fn is_known(status: StatusCode, code: &str) -> bool {
    let status = status.as_u16();
    CODES.iter().any(|known| known.status == status && known.code == code)
        || status == 400 && event::Code::ALL.iter().any(|known| known.as_str() == code)
}

impl Problem {
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Problem {
        debug_assert!(is_known(status, code), "{status} {code} is not in the table of codes");
        let (detail, more) = (detail.into(), Object::new());
        Problem { status, code, detail, retry_after_ms: None, more, headers: Vec::new() }
    }

    pub(crate) fn bad(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, code, detail)
    }

    pub(crate) fn not_found(detail: &'static str) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    pub(crate) fn too_large(detail: impl Into<Cow<'static, str>>) -> Problem {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    }

    /// Never 429 where LiteLLM sends: it drops a batch for it, and tries again after 503.
    pub(crate) fn busy(detail: impl Into<Cow<'static, str>>, retry_after_ms: u64) -> Problem {
        let mut problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail);
        problem.retry_after_ms = Some(retry_after_ms);
        problem
    }

    /// Too often. With a status of its own, since some senders understand only 503.
    pub(crate) fn limited(status: StatusCode, retry_after_ms: u64) -> Problem {
        let detail = "too many requests; try again later, and send more events at once";
        let mut problem = match status {
            StatusCode::SERVICE_UNAVAILABLE => Problem::busy(detail, retry_after_ms),
            _ => Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail),
        };
        problem.retry_after_ms = Some(retry_after_ms);
        problem
    }

    pub(crate) fn internal(detail: &'static str) -> Problem {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    /// A body that could not be taken apart.
    pub(crate) fn refused(refusal: Refusal) -> Problem {
        let mut problem = Problem::bad(refusal.code.as_str(), refusal.reason);
        if let Some(offset) = refusal.offset {
            problem.more.insert("offset", whole(offset as u64));
        }
        problem
    }

    /// Its status, and the seconds after which it may be tried again: what there is to tell a person.
    pub(crate) fn told(&self) -> (StatusCode, Option<u64>) {
        (self.status, self.retry_after_ms.map(|ms| ms.div_ceil(1000).max(1)))
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value<'static>>) -> Problem {
        self.more.insert(name, value);
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// The same problem in a neighbour's words, with our headers.
    pub(crate) fn in_words_of(self, status: StatusCode, body: &Value<'_>) -> Response {
        let mut response = self.into_response();
        *response.status_mut() = status;
        *response.body_mut() = Body::from(body.to_jcs());
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Problem {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn with_all(mut self, members: Object<'static>) -> Problem {
        for (name, value) in members {
            self.more.insert(name, value);
        }
        self
    }

    /// Why events were not recorded. `index` turns the number of a recorded event into that of the one sent.
    pub(crate) fn not_recorded(error: RecordError, index: impl Fn(usize) -> usize) -> Problem {
        match error {
            RecordError::Rejected(n, why) => {
                tracing::warn!(reason = why, "an event that had passed the door was rejected");
                Problem::bad("rejected", why).with("index", whole(index(n) as u64))
            }
            RecordError::Busy { reason, retry_after_ms } => {
                tracing::warn!(reason, "not recorded");
                Problem::busy("nothing of this request is acknowledged; send it again", retry_after_ms)
            }
            RecordError::Skipped { reason } => {
                tracing::warn!(reason, "not recorded");
                Problem::busy("it could not be recorded", 1000)
            }
        }
    }
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Problem {
        match error {
            AskError::Denied(denied) => Problem::new(StatusCode::FORBIDDEN, "forbidden", denied.to_string()),
            AskError::NotFound => Error::NotFound(String::new()).into(),
            // It may quote what was asked.
            AskError::Wrong(why) => Problem::bad("wrong", without_secrets(&why)),
            AskError::Ledger(error) => error.into(),
            AskError::NotRecorded(RecordError::Rejected(_, why)) => Problem::bad("rejected", why),
            AskError::NotRecorded(error) => {
                tracing::warn!(%error, "a question could not be recorded");
                Problem::busy("what can't be recorded is not answered; try again later", 1000)
            }
            AskError::Behind => Problem::busy(error.to_string(), 1000),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        match error {
            Error::NotFound(_) => Problem::not_found("there is no such event, or no such organisation"),
            Error::NotYetProved => {
                Problem::busy("not yet under a signed checkpoint; ask again in a second", 1000)
            }
            Error::Io(_) | Error::Locked(_) | Error::Closed(_) => {
                tracing::error!(%error, "couldn't read a ledger");
                Problem::busy("the ledger can't be read now; ask again later", 5000)
            }
            Error::ForeignKey(_) | Error::NewerFormat(_) => {
                tracing::error!(%error, "couldn't read a ledger");
                Problem::internal("the ledger can't be opened; the server's own log says why")
            }
            Error::Damaged(_) | Error::Incomplete(_) | Error::Tampered(_) | Error::RolledBack(_) => {
                tracing::error!(%error, "a ledger is not what it was");
                Problem::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "ledger_not_intact",
                    "the ledger is not what was written; run `indelible verify`, and keep the data folder as it is",
                )
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let told = Told { detail: self.detail.clone(), retry_after_ms: self.retry_after_ms };
        let mut members = self.more;
        members.insert("type", "about:blank");
        members.insert("title", self.status.canonical_reason().unwrap_or("Error"));
        members.insert("status", i32::from(self.status.as_u16()));
        members.insert("code", self.code);
        members.insert("detail", self.detail);
        if let Some(ms) = self.retry_after_ms {
            members.insert("retry_after_ms", whole(ms));
        }
        let mut response = json(self.status, members);
        response.extensions_mut().insert(told);
        let headers = response.headers_mut();
        headers.extend(self.headers);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(ms) = self.retry_after_ms {
            headers.insert(RETRY_AFTER, HeaderValue::from(ms.div_ceil(1000).max(1)));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"indelible\""));
        }
        response
    }
}

/// What somebody asked for, or that there is no such thing, in words that fit it.
pub(crate) fn or_not_found<T>(found: Result<T, AskError>, missing: &'static str) -> Result<T, Problem> {
    found.map_err(|error| match error {
        AskError::NotFound => Problem::not_found(missing),
        error => error.into(),
    })
}

/// Done, and nothing to say about it.
pub(crate) fn nothing() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// An answer in JSON.
pub(crate) fn json(status: StatusCode, members: Object<'_>) -> Response {
    shown(status, &Value::Object(members))
}

/// An answer that is a value as it is.
pub(crate) fn shown(status: StatusCode, value: &Value<'_>) -> Response {
    let mut response = Response::new(Body::from(value.to_jcs()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A whole number, as text if JSON cannot hold it.
pub(crate) fn whole(n: u64) -> Value<'static> {
    match i64::try_from(n).ok().and_then(Value::integer) {
        Some(number) => number,
        None => Value::from(n.to_string()),
    }
}
