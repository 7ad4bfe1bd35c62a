//! What was refused at the door: seen, mended and sent again, or thrown away.

use std::sync::Arc;

use access::Permission;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use event::{Event, Limits, Value};

use crate::auth::Caller;
use crate::body::receive;
use crate::door::Door;
use crate::media::{Form, unknown};
use crate::params::{Params, readable};
use crate::problem::{Problem, json, nothing, or_not_found, shown};
use crate::tally::{Tally, object};

/// Entries of one answer.
const MOST: usize = 1000;
const MISSING: &str = "there is no such entry; it may have been sent again or thrown away";

/// `GET /v1/quarantine`
pub(crate) async fn list(
    State(door): State<Arc<Door>>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Problem> {
    let params = Params::read(&uri, &["organisation", "limit"])?;
    let organisation = params.organisation(&caller.viewer, Permission::ReadQuarantine)?;
    let limit = params.number("limit", 100, MOST)?;
    door.read(move |product| {
        let entries = params.or_nothing(product.quarantined(&caller.viewer, &organisation, limit))?;
        Ok(json(StatusCode::OK, object([("entries", Value::Array(entries))])))
    })
    .await
}

/// `GET /v1/quarantine/{id}`
pub(crate) async fn one(
    State(door): State<Arc<Door>>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    let organisation =
        Params::read(&uri, &["organisation"])?.organisation(&caller.viewer, Permission::ReadQuarantine)?;
    let id = number(id)?;
    door.read(move |product| {
        let entry = or_not_found(product.quarantined_one(&caller.viewer, &organisation, id), MISSING)?;
        Ok(shown(StatusCode::OK, &entry))
    })
    .await
}

/// `POST /v1/quarantine/{id}/resend`
pub(crate) async fn resend(
    State(door): State<Arc<Door>>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let organisation = Params::read(request.uri(), &["organisation"])?
        .organisation(&caller.viewer, Permission::Quarantine)?;
    let id = number(id)?;
    let limits = Limits::default();
    let body = receive(&door, request, limits.max_bytes).await?;
    if body.form != Form::Any {
        return Err(unknown("this content type is not taken here"));
    }
    door.read(move |product| {
        let event = match Event::parse(&body.bytes, &limits) {
            Ok(event) => event,
            Err(refusal) => {
                let mut tally = Tally::default();
                tally.refuse(0, &refusal);
                return Ok(tally.answer());
            }
        };
        let recorded = or_not_found(product.resend(&caller.viewer, &organisation, id, event), MISSING)?;
        let mut tally = Tally::with_receipts();
        tally.record(0, &recorded, "durable");
        Ok(tally.answer())
    })
    .await
}

/// `DELETE /v1/quarantine/{id}`
pub(crate) async fn discard(
    State(door): State<Arc<Door>>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    let organisation =
        Params::read(&uri, &["organisation"])?.organisation(&caller.viewer, Permission::Quarantine)?;
    let id = number(id)?;
    door.read(move |product| {
        or_not_found(product.discard(&caller.viewer, &organisation, id), MISSING)?;
        Ok(nothing())
    })
    .await
}

/// What is no number is the number of no entry, which is told to those who may know.
fn number(id: Result<Path<String>, PathRejection>) -> Result<i64, Problem> {
    Ok(readable(id)?.parse().unwrap_or(-1))
}
