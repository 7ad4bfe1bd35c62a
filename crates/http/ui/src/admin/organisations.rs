//! Organisations: one ledger each.

use std::sync::Arc;

use access::Permission;
use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use indelible::Indelible;

use super::{Asked, Head, change, needed, show};
use crate::desk::Desk;
use crate::fault::Fault;
use crate::frame::Frame;
use crate::moment::show_minute;
use crate::question::encode;
use crate::visitor::{Fields, Posted, Visitor};

const PLACE: &str = "/admin/organisations";

#[derive(Template)]
#[template(path = "admin_organisations.html")]
pub(crate) struct Organisations {
    frame: Frame,
    head: Head,
    organisations: Vec<Shown>,
    id: String,
    name: String,
    is_open: bool,
}

struct Shown {
    id: String,
    name: String,
    created: String,
    deleted: bool,
    place: String,
}

/// `GET /admin/organisations`
pub(crate) async fn organisations(State(desk): State<Arc<Desk>>, visitor: Visitor, uri: Uri) -> Response {
    show(desk, visitor, uri, page).await
}

fn page(asked: &Asked<'_>) -> Result<Organisations, Fault> {
    let viewer = &asked.visitor.viewer;
    // The list is of those that somebody may see anything of, whatever else they may; the administration is more.
    viewer
        .check(Permission::ReadState, &asked.organisation)
        .map_err(|denied| asked.fault(indelible::AskError::Denied(denied)))?;
    let mut known = asked.product.organisations_of(viewer).map_err(|error| asked.fault(error))?;
    known.sort_by(|a, b| (a.deleted, &a.id).cmp(&(b.deleted, &b.id)));
    let shown = known.into_iter().map(|one| Shown {
        place: format!("/search?organisation={}", encode(&one.id)),
        created: show_minute(i64::try_from(one.created_ms).unwrap_or(i64::MAX).saturating_mul(1_000_000)),
        id: one.id,
        name: one.name,
        deleted: one.deleted,
    });
    Ok(Organisations {
        frame: asked.frame("Organisations"),
        head: asked.head(PLACE, asked.may_everywhere(Permission::ManageOrganisations)),
        organisations: shown.collect(),
        id: asked.written("id"),
        name: asked.written("name"),
        is_open: asked.wrong.is_some(),
    })
}

/// `POST /admin/organisations`
pub(crate) async fn create(State(desk): State<Arc<Desk>>, posted: Posted) -> Response {
    let work = |product: &Indelible, visitor: &Visitor, fields: &Fields| {
        let id = needed(fields, "id")?;
        let name = Some(fields.get("name")).filter(|name| !name.is_empty()).unwrap_or(&id).to_owned();
        product.create_organisation(&visitor.viewer, &id, &name).map(drop)
    };
    change(desk, posted, (PLACE, "organisation-created"), work, page).await
}

/// `POST /admin/organisations/rename`
pub(crate) async fn rename(State(desk): State<Arc<Desk>>, posted: Posted) -> Response {
    let work = |product: &Indelible, visitor: &Visitor, fields: &Fields| {
        let name = needed(fields, "name")?;
        product.rename_organisation(&visitor.viewer, fields.get("id"), &name).map(drop)
    };
    change(desk, posted, (PLACE, "organisation-renamed"), work, page).await
}

/// `POST /admin/organisations/delete`
pub(crate) async fn delete(State(desk): State<Arc<Desk>>, posted: Posted) -> Response {
    let work = |product: &Indelible, visitor: &Visitor, fields: &Fields| {
        product.delete_organisation(&visitor.viewer, fields.get("id"))
    };
    change(desk, posted, (PLACE, "organisation-deleted"), work, page).await
}
