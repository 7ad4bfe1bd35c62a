//! Organisations: one ledger each.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use event::Value;

use crate::auth::Caller;
use crate::door::Door;
use crate::params::{Params, readable};
use crate::problem::{Problem, json, nothing, or_not_found, shown};
use crate::strict::Members;
use crate::tally::object;

const MISSING: &str = "there is no such organisation";

/// `GET /v1/organisations`
pub(crate) async fn list(
    State(door): State<Arc<Door>>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Problem> {
    Params::read(&uri, &[])?;
    door.read(move |product| {
        let seen = product.organisations_of(&caller.viewer)?;
        let seen = seen.iter().map(|organisation| organisation.to_value()).collect();
        Ok(json(StatusCode::OK, object([("organisations", Value::Array(seen))])))
    })
    .await
}

/// `POST /v1/organisations`
pub(crate) async fn create(
    State(door): State<Arc<Door>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri(), &[])?;
    let sent = Members::receive(&door, request, &["id", "name"]).await?;
    let (id, name) = (sent.needed("id")?.to_owned(), sent.needed("name")?.to_owned());
    door.read(move |product| {
        let organisation = product.create_organisation(&caller.viewer, &id, &name)?;
        Ok(shown(StatusCode::CREATED, &organisation.to_value()))
    })
    .await
}

/// `PATCH /v1/organisations/{id}`
pub(crate) async fn rename(
    State(door): State<Arc<Door>>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri(), &[])?;
    let id = readable(id)?;
    let name = Members::receive(&door, request, &["name"]).await?.needed("name")?.to_owned();
    door.read(move |product| {
        let renamed = or_not_found(product.rename_organisation(&caller.viewer, &id, &name), MISSING)?;
        Ok(shown(StatusCode::OK, &renamed.to_value()))
    })
    .await
}

/// `DELETE /v1/organisations/{id}`
pub(crate) async fn delete(
    State(door): State<Arc<Door>>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    Params::read(&uri, &[])?;
    let id = readable(id)?;
    door.read(move |product| {
        or_not_found(product.delete_organisation(&caller.viewer, &id), MISSING)?;
        Ok(nothing())
    })
    .await
}
