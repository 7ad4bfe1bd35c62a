//! Splunk's HTTP Event Collector under `/services/collector`: whatever can write to Splunk can write here. Its answers have
//! its form, also those of the guard, and its codes.

use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderName, StatusCode, Uri};
use axum::response::Response;
use event::{Object, Value, json as parse};
use receivers::hec::receive::{Failed, Form, first_refused, receive as take};
use receivers::hec::{Code, Metadata};

use crate::auth::Caller;
use crate::body::{receive, tree_bytes};
use crate::dialect;
use crate::door::Door;
use crate::params::Params;
use crate::problem::{Problem, json, whole};
use crate::record::sender;
use crate::tally::{Tally, object};

const CHANNEL: HeaderName = HeaderName::from_static("x-splunk-request-channel");
/// Most acknowledgements that are asked for at once.
const ACKS_MOST: usize = 10_000;
const PROBLEM: &str = "application/problem+json";

/// How a request to the collector shows its token. Looked at before anything else, and once.
pub(crate) enum Asked {
    /// Not at all.
    Nothing,
    /// In a header that shows none.
    Malformed,
    /// As `Splunk …`, `Bearer …` or the password of `Basic …`.
    Header(String),
    /// In the address.
    Address(String),
}

impl Asked {
    /// Of a request to the collector; `None` of any other.
    pub(crate) fn of(request: &Request) -> Option<Asked> {
        let path = request.uri().path();
        let rest = path.strip_prefix("/services/collector")?;
        if !(rest.is_empty() || rest.starts_with('/')) {
            return None;
        }
        Some(match request.headers().contains_key(AUTHORIZATION) {
            true => match dialect::shown(request.headers(), "splunk") {
                Some(token) if !token.is_empty() => Asked::Header(token),
                _ => Asked::Malformed,
            },
            false => match named(request.uri(), "token") {
                Some(token) => Asked::Address(token),
                None => Asked::Nothing,
            },
        })
    }

    /// What it shows.
    pub(crate) fn token(&self) -> Option<String> {
        match self {
            Asked::Header(token) | Asked::Address(token) => Some(token.clone()),
            Asked::Nothing | Asked::Malformed => None,
        }
    }

    /// An answer as the collector gives it. Ours are left as they are, but for problems.
    pub(crate) fn in_kind(&self, response: Response) -> Response {
        if response.headers().get(CONTENT_TYPE).is_none_or(|kind| kind != PROBLEM) {
            return response;
        }
        let told = match (response.status().as_u16(), self) {
            (401, Asked::Nothing) => Code::TOKEN_IS_REQUIRED,
            (401, Asked::Malformed) => Code::INVALID_AUTHORIZATION,
            (401, _) => Code::INVALID_TOKEN,
            (403, _) => Code::TOKEN_DISABLED,
            (429 | 503, _) => Code::SERVER_IS_BUSY,
            (500, _) => Code::INTERNAL_SERVER_ERROR,
            // Not of Splunk's table, which has no word for it: 404, 405, 408, 413, 415.
            (status, _) if status != 400 => Code { status, ..Code::INVALID_DATA_FORMAT },
            _ => Code::INVALID_DATA_FORMAT,
        };
        let (mut head, _) = response.into_parts();
        let (told, body) = said(told, Object::new()).into_parts();
        head.status = told.status;
        head.headers.extend(told.headers);
        head.headers.remove(CONTENT_LENGTH);
        Response::from_parts(head, body)
    }
}

/// A code in HEC's words, with further members.
fn said(code: Code, mut members: Object<'static>) -> Response {
    members.insert("text", code.text);
    members.insert("code", i32::from(code.code));
    json(StatusCode::from_u16(code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), members)
}

fn bare(code: Code) -> Response {
    said(code, Object::new())
}

/// The first parameter of a name.
fn named(uri: &Uri, name: &str) -> Option<String> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).ok()?;
    pairs.into_iter().find(|(other, value)| other == name && !value.is_empty()).map(|(_, value)| value)
}

/// `POST /services/collector/event`
pub(crate) async fn event(
    State(door): State<Arc<Door>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    collect(door, caller, request, None).await
}

/// `POST /services/collector/raw`
pub(crate) async fn raw(
    State(door): State<Arc<Door>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let mut metadata = Metadata::default();
    if let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(request.uri()) {
        pairs.into_iter().for_each(|(name, value)| metadata.say(&name, value));
    }
    collect(door, caller, request, Some(metadata)).await
}

async fn collect(
    door: Arc<Door>,
    caller: Caller,
    mut request: Request,
    metadata: Option<Metadata>,
) -> Result<Response, Problem> {
    if let Some(Asked::Address(_)) = Asked::of(&request) {
        return Ok(bare(Code::QUERY_STRING_AUTHORIZATION));
    }
    let has_channel = match channel(&request) {
        Ok(channel) => channel.is_some(),
        Err(code) => return Ok(bare(code)),
    };
    let params = Params::read_any(request.uri())?;
    let mut sender = sender(&params, &caller.viewer)?;
    // An acknowledgement is a position in one ledger.
    sender.anywhere = false;
    // It says whatever the client's library says of everything.
    request.headers_mut().remove(CONTENT_TYPE);
    let body = receive(&door, request, door.limits.events_body_bytes).await?;
    let room = door.room(tree_bytes(&body.bytes).min(door.limits.trees_bytes)).await?;
    let taken = door
        .blocking(move |product| {
            let (body, _room) = (body, room);
            product.may_record(&caller.viewer, &sender)?;
            let form = metadata.as_ref().map_or(Form::Envelopes, Form::Lines);
            let received = match take(product, &sender, &body.bytes, form) {
                Ok(received) => received,
                Err(failed) => return Ok(Err(failed)),
            };
            received.set_aside(product, &sender, &caller.viewer.id);
            Ok(Ok(received))
        })
        .await?;
    let received = match taken {
        Ok(received) => received,
        Err(Failed::Empty) => return Ok(bare(Code::NO_DATA)),
        Err(Failed::TooMany) => {
            return Err(Problem::too_large("too many events at once; nothing was recorded, send fewer"));
        }
        Err(Failed::NotRecorded(error)) => return Err(Problem::not_recorded(error, |n| n)),
    };
    let tally = Tally::of(&received);
    door.metrics.events(tally.events());
    Ok(match (first_refused(&received), received.last) {
        // What is good of it is recorded, and known again if it is sent again.
        (Some((index, code)), _) => said(code, object([("invalid-event-number", whole(index as u64))])),
        (None, Some(position)) if has_channel => said(Code::SUCCESS, object([("ackId", whole(position))])),
        (None, _) => bare(Code::SUCCESS),
    })
}

/// The channel of a request: a GUID in the header or the address, if it has one.
fn channel(request: &Request) -> Result<Option<String>, Code> {
    let header = request.headers().get(CHANNEL).map(|value| value.to_str().unwrap_or("?").to_owned());
    let Some(channel) = header.or_else(|| named(request.uri(), "channel")) else { return Ok(None) };
    let groups: Vec<&str> = channel.split('-').collect();
    let is_hex = |group: &&str| group.bytes().all(|b| b.is_ascii_hexdigit());
    let is_guid = groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(is_hex);
    if is_guid { Ok(Some(channel)) } else { Err(Code::INVALID_CHANNEL) }
}

/// `POST /services/collector/ack`: an id is the position of the last event of its request, so it is true for what is on
/// the disk, also after a restart, and nothing is remembered for it.
pub(crate) async fn ack(
    State(door): State<Arc<Door>>,
    caller: Caller,
    mut request: Request,
) -> Result<Response, Problem> {
    if let Some(Asked::Address(_)) = Asked::of(&request) {
        return Ok(bare(Code::QUERY_STRING_AUTHORIZATION));
    }
    match channel(&request) {
        Ok(Some(_)) => {}
        Ok(None) => return Ok(bare(Code::CHANNEL_IS_MISSING)),
        Err(code) => return Ok(bare(code)),
    }
    let params = Params::read_any(request.uri())?;
    let sender = sender(&params, &caller.viewer)?;
    request.headers_mut().remove(CONTENT_TYPE);
    let body = receive(&door, request, 1 << 20).await?;
    let Some(ids) = ids(&body.bytes) else { return Ok(bare(Code::INVALID_DATA_FORMAT)) };
    let size = door
        .blocking(move |product| {
            product.may_record(&caller.viewer, &sender)?;
            let organisation = sender.organisation.as_deref().unwrap_or(indelible::DEFAULT);
            match product.ledger(organisation) {
                Ok(ledger) => Ok(ledger.size()),
                Err(indelible::Error::NotFound(_)) => Ok(0),
                Err(error) => Err(error.into()),
            }
        })
        .await?;
    let mut acks = Object::new();
    for id in ids {
        acks.insert(id.to_string(), Value::Bool(u64::try_from(id).is_ok_and(|id| id < size)));
    }
    Ok(json(StatusCode::OK, object([("acks", Value::Object(acks))])))
}

fn ids(body: &[u8]) -> Option<Vec<i64>> {
    let value = parse::parse(body, &parse::Limits { max_bytes: 1 << 20, max_depth: 4 }).ok()?;
    let ids = value.get("acks")?.as_array().filter(|ids| ids.len() <= ACKS_MOST)?;
    ids.iter().map(Value::as_i64).collect()
}

/// `GET /services/collector/health`
pub(crate) async fn health(State(door): State<Arc<Door>>) -> Result<Response, Problem> {
    if door.is_draining() {
        return Ok(bare(Code::SHUTTING_DOWN));
    }
    let can_write = door.blocking(|product| Ok(product.can_write())).await?;
    Ok(bare(if can_write { Code::HEALTHY } else { Code::UNHEALTHY }))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn asked(uri: &str, header: Option<&str>) -> String {
        let request = Request::builder().uri(uri);
        let request = header.iter().fold(request, |request, value| request.header(AUTHORIZATION, *value));
        match Asked::of(&request.body(Body::empty()).unwrap()) {
            None => "elsewhere".to_owned(),
            Some(Asked::Nothing) => "nothing".to_owned(),
            Some(Asked::Malformed) => "malformed".to_owned(),
            Some(Asked::Header(token)) => format!("header {token}"),
            Some(Asked::Address(token)) => format!("address {token}"),
        }
    }

    #[test]
    fn a_token_is_shown_in_one_of_these_ways() {
        assert_eq!(asked("/services/collector", Some("Splunk abc")), "header abc");
        assert_eq!(asked("/services/collector/raw/1.0", Some("splunk  abc ")), "header abc");
        assert_eq!(asked("/services/collector/event", Some("Bearer abc")), "header abc");
        // x:abc
        assert_eq!(asked("/services/collector/event", Some("Basic eDphYmM=")), "header abc");
        assert_eq!(asked("/services/collector/event?token=q", Some("Splunk abc")), "header abc");
        assert_eq!(asked("/services/collector/event?token=q", None), "address q");
        assert_eq!(asked("/services/collector/event?token=", None), "nothing");
        assert_eq!(asked("/services/collector/event", None), "nothing");
        for wrong in ["Splunk", "Splunk ", "abc", "Digest abc", "Basic ?", "Basic YWJj"] {
            assert_eq!(asked("/services/collector/event", Some(wrong)), "malformed", "{wrong}");
        }
        assert_eq!(asked("/services/collectors", Some("Splunk abc")), "elsewhere");
        assert_eq!(asked("/v1/events", Some("Splunk abc")), "elsewhere");
    }
}
