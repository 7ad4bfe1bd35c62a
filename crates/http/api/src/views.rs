//! Saved views: filters that somebody asks again and again.

use std::sync::Arc;

use access::Permission;
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

const MISSING: &str = "there is no such view of yours here";

/// `GET /v1/views`
pub(crate) async fn list(
    State(door): State<Arc<Door>>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Problem> {
    let params = Params::read(&uri, &["organisation"])?;
    let organisation = params.organisation(&caller.viewer, Permission::ReadEvents)?;
    door.read(move |product| {
        let views = params.or_nothing(product.views(&caller.viewer, &organisation))?;
        let views = views.iter().map(|view| view.to_value()).collect();
        Ok(json(StatusCode::OK, object([("views", Value::Array(views))])))
    })
    .await
}

/// `POST /v1/views`
pub(crate) async fn save(
    State(door): State<Arc<Door>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request.uri(), &["organisation"])?;
    let organisation = params.organisation(&caller.viewer, Permission::ManageViews)?;
    let sent = Members::receive(&door, request, &["name", "filter", "shared", "id"]).await?;
    let id = sent.text("id")?.map(str::to_owned);
    let (name, filter) = (sent.needed("name")?.to_owned(), sent.needed("filter")?.to_owned());
    let shared = sent.flag("shared")?.unwrap_or(false);
    door.read(move |product| {
        let saved = product.save_view(&caller.viewer, &organisation, id.as_deref(), &name, &filter, shared);
        let saved = or_not_found(saved, MISSING)?;
        let status = if id.is_some() { StatusCode::OK } else { StatusCode::CREATED };
        Ok(shown(status, &saved.to_value()))
    })
    .await
}

/// `DELETE /v1/views/{id}`
pub(crate) async fn delete(
    State(door): State<Arc<Door>>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    let organisation =
        Params::read(&uri, &["organisation"])?.organisation(&caller.viewer, Permission::ManageViews)?;
    let id = readable(id)?;
    door.read(move |product| {
        or_not_found(product.delete_view(&caller.viewer, &organisation, &id), MISSING)?;
        Ok(nothing())
    })
    .await
}
