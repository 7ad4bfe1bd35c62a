//! In which form a body comes: what its `Content-Type` says, as far as we take that form.

use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};

use crate::problem::Problem;

/// How the events of a body are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// One object, an array, or one a line: the bytes decide.
    Any,
    /// One JSON value a line.
    Lines,
    /// One event in the envelope of CloudEvents 1.0.
    CloudEvent,
    /// An array of those.
    CloudEvents,
}

/// Media types that are taken. LiteLLM and many a script say `application/json` of lines, so that one promises nothing.
/// The form's one is what `curl -d` says when nobody says anything; a body is never read as a form.
const TAKEN: &[(&str, Form)] = &[
    ("application/json", Form::Any),
    ("application/x-www-form-urlencoded", Form::Any),
    ("application/x-ndjson", Form::Lines),
    ("application/ndjson", Form::Lines),
    ("application/jsonl", Form::Lines),
    ("application/x-jsonlines", Form::Lines),
    ("application/cloudevents+json", Form::CloudEvent),
    ("application/cloudevents-batch+json", Form::CloudEvents),
];

/// The form of a body. No `Content-Type` is the same as saying nothing about it.
pub(crate) fn form(headers: &HeaderMap) -> Result<Form, Problem> {
    let mut given = headers.get_all(CONTENT_TYPE).iter();
    let header = match (given.next(), given.next()) {
        (None, _) => return Ok(Form::Any),
        (Some(header), None) => header,
        (Some(_), Some(_)) => return Err(unknown("more than one content type")),
    };
    let text = header.to_str().map_err(|_| unknown("the content type can't be read"))?;
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next().unwrap_or("");
    let Some((_, form)) = TAKEN.iter().find(|(name, _)| name.eq_ignore_ascii_case(essence)) else {
        return Err(unknown("this content type is not taken"));
    };
    for (name, value) in parts.filter_map(|part| part.split_once('=')) {
        let value = value.trim().trim_matches('"');
        if name.trim().eq_ignore_ascii_case("charset") && !value.eq_ignore_ascii_case("utf-8") {
            return Err(unknown("another charset than UTF-8 is not taken"));
        }
    }
    Ok(*form)
}

pub(crate) fn unknown(what: &str) -> Problem {
    let detail =
        format!("{what}; send application/json, application/x-ndjson or application/cloudevents+json");
    let taken = "application/json, application/x-ndjson, application/cloudevents+json, application/cloudevents-batch+json";
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", detail)
        .with_header(ACCEPT, HeaderValue::from_static(taken))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[&str], expect: Option<Form>) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CONTENT_TYPE, value.parse().unwrap());
        }
        assert_eq!(form(&headers).ok(), expect, "{values:?}");
    }

    #[test]
    fn a_content_type_is_known_or_refused() {
        check(&[], Some(Form::Any));
        check(&["application/json"], Some(Form::Any));
        check(&["Application/JSON ; charset=\"UTF-8\""], Some(Form::Any));
        check(&["application/json;charset=utf-8;x=y"], Some(Form::Any));
        check(&["application/x-www-form-urlencoded"], Some(Form::Any));
        check(&["application/x-ndjson"], Some(Form::Lines));
        check(&["application/jsonl"], Some(Form::Lines));
        check(&["application/cloudevents+json"], Some(Form::CloudEvent));
        check(&["application/cloudevents-batch+json; charset=utf-8"], Some(Form::CloudEvents));
        check(&["application/json; charset=latin1"], None);
        check(&["text/plain"], None);
        check(&["application/xml"], None);
        check(&[""], None);
        check(&["application/json", "application/json"], None);
    }
}
