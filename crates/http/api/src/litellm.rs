//! `POST /ingest/litellm`: what a LiteLLM proxy sends.
//!
//! It sends again only after a timeout, a broken connection or a 5xx, and forgets the batch after a 4xx. So "later" is
//! 503 and never 429, and a batch with anything good in it is a success.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use receivers::litellm::receive::receive as take;

use crate::auth::Caller;
use crate::body::{receive, tree_bytes};
use crate::door::Door;
use crate::idempotency::{Asked, once};
use crate::media::Form;
use crate::params::Params;
use crate::problem::Problem;
use crate::record::sender;
use crate::tally::Tally;

pub(crate) async fn ingest(
    State(door): State<Arc<Door>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let sender = sender(&Params::read(request.uri(), &["organisation"])?, &caller.viewer)?;
    let asked = Asked::of(&request)?;
    let body = receive(&door, request, door.limits.litellm_body_bytes).await?;
    if matches!(body.form, Form::CloudEvent | Form::CloudEvents) {
        return Err(Problem::bad(
            "wrong_type",
            "LiteLLM's own objects go here; send CloudEvents to /v1/events",
        ));
    }
    once(&door, asked, body, |door, body| async move {
        // Items are read one at a time, so a body takes less than it is estimated at.
        let room = door.room(tree_bytes(&body.bytes).min(door.limits.trees_bytes)).await?;
        let received = door
            .blocking(move |product| {
                let (body, _room) = (body, room);
                product.may_record(&caller.viewer, &sender)?;
                if body.bytes.trim_ascii().is_empty() {
                    return Err(Problem::bad(
                        "syntax",
                        "the body is empty; send an object, an array or lines",
                    ));
                }
                let received =
                    take(product, &sender, &body.bytes).map_err(|e| Problem::not_recorded(e, |n| n))?;
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
