//! `POST /v1/events`: the door in.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use event::{Code, Event, Refusal};
use indelible::{Indelible, SYSTEM, Sender, check_organisation};

use crate::body::{Received, receive, tree_bytes};
use crate::cloudevents;
use crate::door::Door;
use crate::idempotency::{Asked, once};
use crate::media::Form;
use crate::params::Params;
use crate::problem::Problem;
use crate::split::split;
use crate::tally::Tally;

/// Most events of a request.
const EVENTS_MOST: usize = 10_000;

pub(crate) async fn record(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let params = Params::read(request.uri(), &["organisation"])?;
    let sender = Sender { auth: 1, organisation: Some(params.recording_organisation()?) };
    let asked = Asked::of(&request)?;
    let body = receive(&door, request, door.limits.events_body_bytes).await?;
    once(&door, asked, body, |door, body| async move {
        let estimate = tree_bytes(&body.bytes);
        if estimate > door.limits.trees_bytes {
            return Err(Problem::too_large("too many values at once; send fewer events at once"));
        }
        let room = door.room(estimate).await?;
        let tally = door
            .blocking(move |product| {
                // Also if the client goes away, memory is given back only when it is free.
                let (body, _room) = (body, room);
                take(product, &sender, &body)
            })
            .await?;
        door.metrics.events(tally.events());
        Ok(tally.answer())
    })
    .await
}

/// Records the good ones and says of the others what is wrong.
fn take(product: &Indelible, sender: &Sender, body: &Received) -> Result<Tally, Problem> {
    writable(product)?;
    let slices = split(&body.bytes, body.form, EVENTS_MOST).map_err(Problem::refused)?;
    if slices.len() > EVENTS_MOST {
        let detail =
            format!("a request may have {EVENTS_MOST} events; nothing was recorded, send fewer at once");
        return Err(Problem::too_large(detail));
    }
    let mut tally = Tally::with_receipts();
    let mut events = Vec::new();
    let mut numbers = Vec::new();
    let limits = event::Limits::default();
    for (number, slice) in slices.into_iter().enumerate() {
        let event = match body.form {
            Form::Any | Form::Lines => Event::parse(slice, &limits),
            Form::CloudEvent | Form::CloudEvents => cloudevents::read(slice, &limits),
        };
        match event.and_then(at_home) {
            Ok(event) => {
                events.push(event);
                numbers.push(number);
            }
            Err(refusal) => tally.refuse(number, &refusal),
        }
    }
    let recorded = product
        .record(&events, sender)
        .map_err(|e| Problem::not_recorded(e, |n| numbers.get(n).copied().unwrap_or(n)))?;
    for (number, recorded) in numbers.into_iter().zip(&recorded) {
        tally.record(number, recorded);
    }
    Ok(tally)
}

/// Whether the organisation that an event names can have it; one that cannot must not stop the others.
fn at_home(event: Event<'_>) -> Result<Event<'_>, Refusal> {
    let reason = match event.organisation() {
        Some(SYSTEM) => Some("\"system\" is ours; name another".to_owned()),
        Some(name) => check_organisation(name).err(),
        None => None,
    };
    match reason {
        Some(reason) => Err(Refusal::new(Code::BadValue, "/organisation", reason)),
        None => Ok(event),
    }
}

/// A product that was opened beside another one records nothing.
pub(crate) fn writable(product: &Indelible) -> Result<(), Problem> {
    match product.read_only() {
        true => Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "read_only",
            "this server only reads; send it to the one that writes",
        )),
        false => Ok(()),
    }
}
