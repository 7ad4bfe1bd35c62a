//! `POST /v1/events`: the door in.

use std::sync::Arc;

use access::{Organisations, Permission, Viewer};
use axum::extract::{Request, State};
use axum::http::header::{ALLOW, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use event::{Code, Event, Object, Refusal, Value};
use indelible::{AUTH_KEY, DEFAULT, Indelible, RecordError, Refused, SYSTEM, Sender};
use receivers::cloudevents;

use crate::auth::Caller;
use crate::body::{Received, receive, tree_bytes};
use crate::door::Door;
use crate::idempotency::{Asked, once};
use crate::media::Form;
use crate::params::{Params, wrong};
use crate::problem::{Problem, json, whole};
use crate::split::split;
use crate::tally::{Tally, object};

/// Most events of a request.
const EVENTS_MOST: usize = 10_000;

pub(crate) async fn record(
    State(door): State<Arc<Door>>,
    caller: Caller,
    mut request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request.uri(), &["organisation", "atomic", "wait"])?;
    let sender = sender(&params, &caller.viewer)?;
    let is_atomic = params.flag("atomic")?;
    let waits = match params.get("wait") {
        None | Some("durable") => false,
        Some("proved") => true,
        Some("witnessed") => {
            return Err(wrong("wait", "no witness is configured; ask for `proved`, or leave it out"));
        }
        Some(_) => return Err(wrong("wait", "expected `durable`, `proved` or `witnessed`")),
    };
    let mut asked = Asked::of(&request)?;
    let headers: Vec<_> =
        request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let head = cloudevents::in_headers(&headers).transpose().map_err(Problem::refused)?;
    if let Some(head) = &head {
        // It is a part of what is asked, and says in its own way what the body is.
        asked.iter_mut().for_each(|asked| asked.also(&Value::Object(head.clone()).to_jcs()));
        request.headers_mut().remove(CONTENT_TYPE);
    }
    let body = receive(&door, request, door.limits.events_body_bytes).await?;
    once(&door, asked, body, move |door, body| async move {
        let estimate = tree_bytes(&body.bytes);
        if estimate > door.limits.trees_bytes {
            return Err(Problem::too_large("too many values at once; send fewer events at once"));
        }
        let room = door.room(estimate).await?;
        let outcome = door
            .blocking(move |product| {
                // Also if the client goes away, memory is given back only when it is free.
                let (body, _room) = (body, room);
                take(product, &caller.viewer, &sender, (head, &body), is_atomic, waits)
            })
            .await?;
        Ok(match outcome {
            Taken::All(tally) => {
                door.metrics.events(tally.events());
                tally.answer()
            }
            Taken::Skipped(events) => {
                let members = object([
                    ("accepted", whole(0)),
                    ("skipped", whole(events as u64)),
                    (
                        "reason",
                        Value::from("nothing can be recorded now; for these events best effort is enough"),
                    ),
                ]);
                json(StatusCode::ACCEPTED, members)
            }
        })
    })
    .await
}

/// Who sends, and for which organisation.
pub(crate) fn sender(params: &Params, viewer: &Viewer) -> Result<Sender, Problem> {
    let permission = Permission::RecordEvents;
    let organisation = params.organisation(viewer, permission)?;
    // Who may not record there anyway is told that, as everywhere.
    if organisation == SYSTEM && viewer.check(permission, SYSTEM).is_ok() {
        return Err(wrong("organisation", "\"system\" is ours; name another"));
    }
    // Somebody who may write everywhere may name an organisation in each event.
    let anywhere = viewer.organisations_for(permission) == Organisations::All;
    Ok(Sender { auth: AUTH_KEY, organisation: Some(organisation), anywhere, is_adapter: false })
}

/// `OPTIONS /v1/events`: a broker that delivers CloudEvents asks whether, and how often, it may (HTTP 1.1 Web Hooks for
/// Event Delivery 1.0, section 4). Deliveries need a key all the same.
pub(crate) async fn agree(State(door): State<Arc<Door>>, headers: HeaderMap) -> Response {
    let rate = &door.limits.key_rate;
    let per_minute =
        u64::from(rate.quota) * 60_000 / u64::try_from(rate.window.as_millis()).unwrap_or(1).max(1);
    let per_minute = per_minute.max(1);
    let mut response = json(StatusCode::OK, object([("requests_per_minute", whole(per_minute))]));
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS, POST"));
    let fits = |origin: &&HeaderValue| {
        let is_name = |b: &u8| b.is_ascii_alphanumeric() || b".-_:/*".contains(b);
        (1..=255).contains(&origin.len()) && origin.as_bytes().iter().all(is_name)
    };
    if let Some(origin) = headers.get("webhook-request-origin").filter(fits) {
        let answer = response.headers_mut();
        answer.insert("webhook-allowed-origin", origin.clone());
        answer.insert("webhook-allowed-rate", HeaderValue::from(per_minute));
    }
    response
}

/// What became of a request.
enum Taken {
    All(Tally),
    /// So many events were let go.
    Skipped(usize),
}

/// Records the good ones, and says of the others what is wrong and keeps them aside.
fn take(
    product: &Indelible,
    viewer: &Viewer,
    sender: &Sender,
    (head, body): (Option<Object<'static>>, &Received),
    is_atomic: bool,
    waits: bool,
) -> Result<Taken, Problem> {
    product.may_record(viewer, sender)?;
    let slices = match head {
        Some(_) => vec![&*body.bytes],
        None => split(&body.bytes, body.form, EVENTS_MOST).map_err(Problem::refused)?,
    };
    if slices.len() > EVENTS_MOST {
        let detail =
            format!("a request may have {EVENTS_MOST} events; nothing was recorded, send fewer at once");
        return Err(Problem::too_large(detail));
    }
    let mut tally = Tally::with_receipts();
    let mut draft = product.draft(sender, slices.len());
    let mut numbers = Vec::new();
    let mut refused: Vec<(&[u8], Refusal)> = Vec::new();
    let limits = event::Limits::default();
    for (number, slice) in slices.into_iter().enumerate() {
        let event = match (&head, body.form) {
            (Some(head), _) => cloudevents::read_binary(head.clone(), slice, &limits),
            (None, Form::Any | Form::Lines) => read(product, sender, slice, &limits),
            (None, Form::CloudEvent | Form::CloudEvents) => cloudevents::read(slice, &limits),
        };
        match event.and_then(|event| draft.add(event)) {
            Ok(()) => numbers.push(number),
            Err(refusal) => {
                tally.refuse(number, &refusal);
                refused.push((slice, refusal));
            }
        }
    }
    let aside: Vec<Refused<'_>> = refused.iter().map(|(bytes, refusal)| Refused { bytes, refusal }).collect();
    product.quarantine(sender, &viewer.id, &aside);
    if is_atomic && !refused.is_empty() {
        // The good ones wait for the bad ones to be mended.
        return Ok(Taken::All(tally));
    }
    let recorded = match draft.record() {
        Ok(recorded) => recorded,
        Err(RecordError::Skipped { .. }) => return Ok(Taken::Skipped(numbers.len())),
        Err(error) => {
            return Err(Problem::not_recorded(error, |n| numbers.get(n).copied().unwrap_or(n)));
        }
    };
    let proved = waits && product.wait_proved(&recorded)?;
    for (number, recorded) in numbers.into_iter().zip(&recorded) {
        tally.record(number, recorded, if proved { "proved" } else { "durable" });
    }
    Ok(Taken::All(tally))
}

/// An event of ours, or an entry as the specifications print it, told apart by their members.
fn read<'a>(
    product: &Indelible,
    sender: &Sender,
    slice: &'a [u8],
    limits: &event::Limits,
) -> Result<Event<'a>, Refusal> {
    match Event::parse(slice, limits) {
        Err(refusal) if matches!(refusal.code, Code::UnknownField | Code::Missing) => {
            let organisation = sender.organisation.as_deref().unwrap_or(DEFAULT);
            let keyed = |text: &[u8]| product.text_fingerprint(organisation, text).unwrap_or_default();
            receivers::guide::read(slice, limits, &keyed).unwrap_or(Err(refusal))
        }
        event => event,
    }
}
