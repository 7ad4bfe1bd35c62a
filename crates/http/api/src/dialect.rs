//! How a neighbour's tools say who they are, and how they want to be told what went wrong.

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::problem::Problem;
use crate::routes::Route;

/// LiteLLM's own header for keys, which it looks at first.
const LITELLM_KEY: HeaderName = HeaderName::from_static("x-litellm-api-key");
/// More than any key of ours with a name before it.
const BASIC_MOST: usize = 4096;

/// Whose way of asking a route is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Ours,
    Litellm,
    Bifrost,
}

impl Dialect {
    pub(crate) fn of(route: Option<&Route>) -> Dialect {
        match route.map(|route| route.tag) {
            Some("litellm") => Dialect::Litellm,
            Some("bifrost") => Dialect::Bifrost,
            _ => Dialect::Ours,
        }
    }

    /// The key that a request brings.
    pub(crate) fn token(self, headers: &HeaderMap) -> Option<String> {
        match self {
            // Some senders are told nothing but an address, and put what stands before its `@` into `Basic`.
            Dialect::Ours => bearer(headers).or_else(|| basic(headers)),
            Dialect::Litellm => match only(headers, &LITELLM_KEY) {
                Some(text) => Some(text.strip_prefix("Bearer ").unwrap_or(text).trim().to_owned()),
                None => bearer(headers),
            },
            Dialect::Bifrost => bearer(headers).or_else(|| basic(headers)),
        }
    }

    /// What went wrong, in its words.
    pub(crate) fn say(self, problem: Problem) -> Response {
        let status = problem.status();
        match self {
            Dialect::Ours => problem.into_response(),
            Dialect::Litellm => {
                let told = litellm_status(status);
                let body = match told.as_u16() {
                    401 => {
                        let message = format!("Authentication Error, {}", problem.detail());
                        compat::litellm::error(401, &message)
                    }
                    422 => compat::litellm::invalid(&[compat::litellm::Invalid {
                        kind: "value_error",
                        // Of the parameters that are not LiteLLM's own there is one that can be wrong.
                        parameter: if problem.code() == "parameter" { "organisation" } else { "page" },
                        message: problem.detail().to_owned(),
                    }]),
                    429 => compat::litellm::error(429, problem.detail()),
                    _ => compat::litellm::detail(problem.detail()),
                };
                problem.in_words_of(told, &body)
            }
            Dialect::Bifrost => {
                let (code, detail) = (problem.code(), problem.detail());
                let parameter = (code == "parameter").then_some("organisation");
                let body = compat::bifrost::error(status.as_u16(), code, detail, parameter);
                problem.in_words_of(status, &body)
            }
        }
    }
}

/// LiteLLM answers 401 also to a key whose role is not enough, and 422 to whatever a parameter can't be.
fn litellm_status(status: StatusCode) -> StatusCode {
    match status {
        StatusCode::FORBIDDEN => StatusCode::UNAUTHORIZED,
        StatusCode::BAD_REQUEST => StatusCode::UNPROCESSABLE_ENTITY,
        other => other,
    }
}

/// A header that is there once.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut given = headers.get_all(name).iter();
    let (Some(header), None) = (given.next(), given.next()) else { return None };
    header.to_str().ok()
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    by_scheme(headers, "bearer")
}

/// The key, where a neighbour has a scheme of its own for it beside ours.
pub(crate) fn shown(headers: &HeaderMap, scheme: &str) -> Option<String> {
    by_scheme(headers, scheme).or_else(|| bearer(headers)).or_else(|| basic(headers))
}

fn by_scheme(headers: &HeaderMap, name: &str) -> Option<String> {
    let (scheme, token) = only(headers, &AUTHORIZATION)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case(name).then(|| token.trim().to_owned())
}

/// RFC 7617: the key is the password, whatever the name is.
fn basic(headers: &HeaderMap) -> Option<String> {
    let (scheme, text) = only(headers, &AUTHORIZATION)?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || text.len() > BASIC_MOST {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()?;
    decoded.split_once(':').map(|(_, password)| password.to_owned())
}
