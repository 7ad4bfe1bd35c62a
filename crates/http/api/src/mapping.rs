//! `POST /ingest/{name}`: records of a source that a mapping file explains.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use receivers::mapping::receive::receive as take;
use receivers::mapping::{Mapping, shipped};

use crate::auth::Caller;
use crate::body::{receive, tree_bytes};
use crate::door::Door;
use crate::idempotency::{Asked, once};
use crate::params::{Params, readable};
use crate::problem::Problem;
use crate::record::sender;
use crate::tally::Tally;

/// Mappings of the configuration, by the name they are asked for with. They come before those that come with us.
pub type Mappings = Arc<Vec<(String, Mapping)>>;

pub(crate) async fn ingest(
    State(door): State<Arc<Door>>,
    name: Result<Path<String>, PathRejection>,
    caller: Caller,
    mut request: Request,
) -> Result<Response, Problem> {
    let name = readable(name)?;
    let sender = sender(&Params::read(request.uri(), &["organisation"])?, &caller.viewer)?;
    let configured = door.mappings.iter().position(|(known, _)| *known == name);
    if configured.is_none() && shipped(&name).is_none() {
        // Whoever may not record here is told that first.
        door.blocking(move |product| Ok(product.may_record(&caller.viewer, &sender)?)).await?;
        return Err(Problem::not_found(
            "there is no mapping of this name; `ingest.mappings` names those there are",
        ));
    }
    let asked = Asked::of(&request)?;
    // What a source says of its own bodies is no promise.
    request.headers_mut().remove(CONTENT_TYPE);
    let body = receive(&door, request, door.limits.litellm_body_bytes).await?;
    once(&door, asked, body, move |door, body| async move {
        let estimate = tree_bytes(&body.bytes);
        if estimate > door.limits.trees_bytes {
            return Err(Problem::too_large("too many values at once; send fewer records at once"));
        }
        let room = door.room(estimate).await?;
        let mappings = door.mappings.clone();
        let received = door
            .blocking(move |product| {
                let (body, _room) = (body, room);
                product.may_record(&caller.viewer, &sender)?;
                if body.bytes.trim_ascii().is_empty() {
                    return Err(Problem::bad(
                        "syntax",
                        "the body is empty; send a document, an array or lines",
                    ));
                }
                let mapping = configured.map(|at| &mappings[at].1).or_else(|| shipped(&name));
                let mapping = mapping.ok_or_else(|| Problem::internal("a mapping is gone"))?;
                let received = take(product, &sender, mapping, &body.bytes)
                    .map_err(|error| Problem::not_recorded(error, |n| n))?;
                received.set_aside(product, &sender, &caller.viewer.id);
                Ok(received)
            })
            .await?;
        let tally = Tally::of(&received);
        door.metrics.events(tally.events());
        Ok(tally.answer())
    })
    .await
}
