//! Filters that are kept under a name.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};

use crate::answer::see_other;
use crate::desk::Desk;
use crate::fault::Fault;
use crate::frame::Frame;
use crate::search::HERE;
use crate::visitor::Posted;

/// `POST /views`
pub(crate) async fn save(State(desk): State<Arc<Desk>>, posted: Posted) -> Response {
    changed(desk, posted, |product, posted| {
        let (visitor, fields) = (&posted.visitor, &posted.fields);
        let (name, filter, shared) =
            (fields.get("name"), fields.get("filter"), fields.get("shared") == "yes");
        product.save_view(&visitor.viewer, fields.get("organisation"), None, name, filter, shared).map(drop)
    })
    .await
}

/// `POST /views/delete`
pub(crate) async fn delete(State(desk): State<Arc<Desk>>, posted: Posted) -> Response {
    changed(desk, posted, |product, posted| {
        let (visitor, fields) = (&posted.visitor, &posted.fields);
        product.delete_view(&visitor.viewer, fields.get("organisation"), fields.get("id"))
    })
    .await
}

/// Changes something, and leads back to the search it was sent from.
async fn changed(
    desk: Arc<Desk>,
    posted: Posted,
    change: impl FnOnce(&indelible::Indelible, &Posted) -> Result<(), indelible::AskError> + Send + 'static,
) -> Response {
    let back = posted.fields.get("back").to_owned();
    let done = desk.read(move |product| {
        change(product, &posted).map_err(|error| {
            let organisation = posted.fields.get("organisation");
            let frame = |title: &str| Frame::open(title, product, &posted.visitor, organisation, HERE);
            Fault::asked(error, &posted.visitor.viewer).framed(frame)
        })
    });
    match done.await {
        Ok(()) if back == HERE || back.starts_with("/search?") => see_other(&back),
        Ok(()) => see_other(HERE),
        Err(fault) => fault.into_response(),
    }
}
