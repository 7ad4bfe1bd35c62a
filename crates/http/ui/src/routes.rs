//! The table of pages, and the router that is made of it.

use std::sync::Arc;

use access::Permission;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodRouter, get, post};

use crate::desk::Desk;
use crate::{
    admin, assets, complete, door, event, integrity, overview, search, sign_on, tail, timeline, views,
};

/// Bytes of a form: a filter of 4 KiB may be three times as long when it is encoded.
const FORM_BYTES: usize = 64 << 10;
/// Bytes of a form with an event: the event may have 256 KiB, and be three times as long when it is encoded.
const EVENT_BYTES: usize = 800 << 10;

/// One thing that a browser can ask for.
pub struct Page {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Path, with `{names}` of its variable parts.
    pub path: &'static str,
    /// What it takes to be answered.
    pub needs: Needs,
    handler: fn() -> MethodRouter<Arc<Desk>>,
}

/// What it takes to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: anybody is answered.
    Nothing,
    /// A session. Whoever has none is led to the door.
    Session,
    /// A session of somebody who may do this in the organisation that is asked about.
    May(Permission),
    /// A session of somebody who may do this in every organisation.
    Everywhere(Permission),
}

const fn page(
    method: &'static str,
    path: &'static str,
    needs: Needs,
    handler: fn() -> MethodRouter<Arc<Desk>>,
) -> Page {
    Page { method, path, needs, handler }
}

/// Everything that a browser can ask for.
pub const ROUTES: &[Page] = &[
    page("GET", "/", Needs::Session, || get(door::home)),
    page("GET", "/login", Needs::Nothing, || get(door::ask)),
    page("POST", "/login", Needs::Nothing, || post(door::enter)),
    page("GET", "/login/oidc", Needs::Nothing, || get(sign_on::begin)),
    page("GET", "/login/oidc/return", Needs::Nothing, || get(sign_on::finish)),
    page("POST", "/logout", Needs::Session, || post(door::leave)),
    page("GET", "/overview", Needs::May(Permission::ReadEvents), || get(overview::overview)),
    page("GET", "/search", Needs::May(Permission::ReadEvents), || get(search::search)),
    page("GET", "/search/build", Needs::Session, || get(search::build)),
    page("GET", "/search/complete", Needs::Session, || get(complete::complete)),
    page("GET", "/search/tail", Needs::May(Permission::Tail), || get(tail::tail)),
    page("POST", "/views", Needs::May(Permission::ManageViews), || post(views::save)),
    page("POST", "/views/delete", Needs::May(Permission::ManageViews), || post(views::delete)),
    page("GET", "/events/{id}", Needs::May(Permission::ReadEvents), || get(event::event)),
    page("GET", "/integrity", Needs::May(Permission::Proofs), || get(integrity::integrity)),
    page("GET", "/integrity/evidence", Needs::May(Permission::Proofs), || get(integrity::evidence)),
    page("POST", "/integrity/verify", Needs::May(Permission::Proofs), || post(integrity::verify)),
    page("GET", "/timeline", Needs::May(Permission::ReadEvents), || get(timeline::timeline)),
    page("GET", "/admin", Needs::Session, || get(admin::home)),
    page("GET", "/admin/keys", Needs::May(Permission::ReadState), || get(admin::keys)),
    page("POST", "/admin/keys", Needs::May(Permission::ManageKeys), || post(admin::create_key)),
    page("POST", "/admin/keys/rotate", Needs::May(Permission::ManageKeys), || post(admin::rotate_key)),
    page("POST", "/admin/keys/revoke", Needs::May(Permission::ManageKeys), || post(admin::revoke_key)),
    page("GET", "/admin/users", Needs::Everywhere(Permission::ReadState), || get(admin::users)),
    page("POST", "/admin/users", Needs::Everywhere(Permission::ManageUsers), || post(admin::create_user)),
    page("POST", "/admin/users/update", Needs::Everywhere(Permission::ManageUsers), || {
        post(admin::update_user)
    }),
    page("POST", "/admin/users/delete", Needs::Everywhere(Permission::ManageUsers), || {
        post(admin::delete_user)
    }),
    page("POST", "/admin/users/roles", Needs::May(Permission::ManageUsers), || post(admin::grant_role)),
    page("POST", "/admin/users/roles/revoke", Needs::May(Permission::ManageUsers), || {
        post(admin::revoke_role)
    }),
    page("GET", "/admin/organisations", Needs::May(Permission::ReadState), || get(admin::organisations)),
    page("POST", "/admin/organisations", Needs::Everywhere(Permission::ManageOrganisations), || {
        post(admin::create_organisation)
    }),
    page("POST", "/admin/organisations/rename", Needs::Everywhere(Permission::ManageOrganisations), || {
        post(admin::rename_organisation)
    }),
    page("POST", "/admin/organisations/delete", Needs::Everywhere(Permission::ManageOrganisations), || {
        post(admin::delete_organisation)
    }),
    page("GET", "/admin/quarantine", Needs::May(Permission::ReadQuarantine), || get(admin::quarantine)),
    page("GET", "/admin/quarantine/{id}", Needs::May(Permission::ReadQuarantine), || get(admin::entry)),
    page("POST", "/admin/quarantine/resend", Needs::May(Permission::Quarantine), || {
        post(admin::resend).layer(DefaultBodyLimit::max(EVENT_BYTES))
    }),
    page("POST", "/admin/quarantine/discard", Needs::May(Permission::Quarantine), || post(admin::discard)),
    page("GET", "/admin/configuration", Needs::Everywhere(Permission::ReadState), || {
        get(admin::configuration)
    }),
    page("GET", "/assets/{version}/{name}", Needs::Nothing, || get(assets::asset)),
];

/// The pages over a desk.
pub fn pages(desk: Arc<Desk>) -> Router {
    let routes = ROUTES.iter().fold(Router::new(), |router, page| router.route(page.path, (page.handler)()));
    routes.layer(DefaultBodyLimit::max(FORM_BYTES)).with_state(desk)
}
