//! Users and their roles. They belong to no one organisation, so to see them takes a role everywhere.

use std::sync::Arc;

use access::Permission;
use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use indelible::{Indelible, RoleGrant, User};

use super::{Asked, Head, RoleChoice, change, needed, reach, role, roles, show};
use crate::desk::Desk;
use crate::fault::Fault;
use crate::frame::Frame;
use crate::moment::show_minute;
use crate::timeline;
use crate::visitor::{Fields, Posted, Visitor};

const PLACE: &str = "/admin/users";

#[derive(Template)]
#[template(path = "admin_users.html")]
pub(crate) struct Users {
    frame: Frame,
    head: Head,
    users: Vec<Shown>,
    roles: Vec<RoleChoice>,
    /// Where a role may be given.
    organisations: Vec<String>,
    id: String,
    name: String,
    email: String,
    is_open: bool,
}

struct Shown {
    id: String,
    name: String,
    email: String,
    disabled: bool,
    created: String,
    /// Role, and where: as people read it, and as a form sends it.
    roles: Vec<(&'static str, String, String)>,
    line: String,
}

/// `GET /admin/users`
pub(crate) async fn users(State(desk): State<Arc<Desk>>, visitor: Visitor, uri: Uri) -> Response {
    show(desk, visitor, uri, page).await
}

fn page(asked: &Asked<'_>) -> Result<Users, Fault> {
    let viewer = &asked.visitor.viewer;
    let users = asked.product.users(viewer).map_err(|error| {
        asked
            .fault(error)
            .advise("Users belong to no one organisation: to see them takes a role that holds everywhere.")
    })?;
    let known = asked.product.organisations_of(viewer).map_err(|error| asked.fault(error))?;
    let organisations = known.into_iter().filter(|known| !known.deleted).map(|known| known.id);
    let may_change = asked.may_everywhere(Permission::ManageUsers);
    let shown = |(user, grants): (User, Vec<RoleGrant>)| {
        let role = |grant: RoleGrant| {
            let place = grant.organisation.as_str().to_owned();
            let said = if place == "*" { "everywhere".to_owned() } else { format!("in {place}") };
            (grant.role.name(), said, place)
        };
        Shown {
            line: timeline::place("actor", &user.id, &asked.organisation),
            created: show_minute(
                i64::try_from(user.created_ms).unwrap_or(i64::MAX).saturating_mul(1_000_000),
            ),
            id: user.id,
            name: user.name,
            email: user.email.unwrap_or_default(),
            disabled: user.disabled,
            roles: grants.into_iter().map(role).collect(),
        }
    };
    Ok(Users {
        frame: asked.frame("Users"),
        head: asked.head(PLACE, may_change),
        users: users.into_iter().map(shown).collect(),
        roles: roles(""),
        organisations: organisations.collect(),
        id: asked.written("id"),
        name: asked.written("name"),
        email: asked.written("email"),
        is_open: asked.wrong.is_some(),
    })
}

fn email(fields: &Fields) -> Option<String> {
    Some(fields.get("email").to_owned()).filter(|email| !email.is_empty())
}

/// `POST /admin/users`
pub(crate) async fn create(State(desk): State<Arc<Desk>>, posted: Posted) -> Response {
    let work = |product: &Indelible, visitor: &Visitor, fields: &Fields| {
        let id = needed(fields, "id")?;
        let name = Some(fields.get("name")).filter(|name| !name.is_empty()).unwrap_or(&id).to_owned();
        let user = User { id, name, email: email(fields), ..User::default() };
        product.create_user(&visitor.viewer, user).map(drop)
    };
    change(desk, posted, (PLACE, "user-created"), work, page).await
}

/// `POST /admin/users/update`
pub(crate) async fn update(State(desk): State<Arc<Desk>>, posted: Posted) -> Response {
    let work = |product: &Indelible, visitor: &Visitor, fields: &Fields| {
        let update = |user: &mut User| {
            user.name = fields.get("name").to_owned();
            user.email = email(fields);
            user.disabled = fields.get("disabled") == "yes";
        };
        product.update_user(&visitor.viewer, fields.get("id"), update).map(drop)
    };
    change(desk, posted, (PLACE, "user-updated"), work, page).await
}

/// `POST /admin/users/delete`
pub(crate) async fn delete(State(desk): State<Arc<Desk>>, posted: Posted) -> Response {
    let work = |product: &Indelible, visitor: &Visitor, fields: &Fields| {
        product.delete_user(&visitor.viewer, fields.get("id"))
    };
    change(desk, posted, (PLACE, "user-deleted"), work, page).await
}

/// `POST /admin/users/roles`
pub(crate) async fn grant(State(desk): State<Arc<Desk>>, posted: Posted) -> Response {
    let work = |product: &Indelible, visitor: &Visitor, fields: &Fields| {
        product.grant_role(&visitor.viewer, role_of(fields)?)
    };
    change(desk, posted, (PLACE, "role-granted"), work, page).await
}

/// `POST /admin/users/roles/revoke`
pub(crate) async fn revoke(State(desk): State<Arc<Desk>>, posted: Posted) -> Response {
    let work = |product: &Indelible, visitor: &Visitor, fields: &Fields| {
        product.revoke_role(&visitor.viewer, role_of(fields)?)
    };
    change(desk, posted, (PLACE, "role-revoked"), work, page).await
}

fn role_of(fields: &Fields) -> Result<RoleGrant, indelible::AskError> {
    Ok(RoleGrant { user: needed(fields, "id")?, organisation: reach(fields)?, role: role(fields)? })
}
