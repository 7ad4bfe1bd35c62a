//! Users, and the roles they have.

use std::sync::Arc;

use access::{Permission, Role};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use event::Value;
use indelible::{RoleGrant, User};

use crate::auth::Caller;
use crate::door::Door;
use crate::params::{Params, readable, wrong};
use crate::problem::{Problem, json, nothing, or_not_found, shown};
use crate::strict::{self, Members};
use crate::tally::object;

const MISSING: &str = "there is no such user";

/// `GET /v1/users`
pub(crate) async fn list(
    State(door): State<Arc<Door>>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Problem> {
    Params::read(&uri, &[])?;
    door.read(move |product| {
        let users = product.users(&caller.viewer)?.into_iter().map(|(user, roles)| {
            let mut shown_user = user.to_value();
            if let Value::Object(members) = &mut shown_user {
                let role = |grant: RoleGrant| {
                    Value::Object(object([
                        ("organisation", Value::from(grant.organisation.as_str().to_owned())),
                        ("role", Value::from(grant.role.name())),
                    ]))
                };
                members.insert("roles", Value::Array(roles.into_iter().map(role).collect()));
            }
            shown_user
        });
        Ok(json(StatusCode::OK, object([("users", Value::Array(users.collect()))])))
    })
    .await
}

/// `POST /v1/users`
pub(crate) async fn create(
    State(door): State<Arc<Door>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri(), &[])?;
    let sent = Members::receive(&door, request, &["id", "name", "email"]).await?;
    let user = User {
        id: sent.needed("id")?.to_owned(),
        name: sent.needed("name")?.to_owned(),
        email: sent.text("email")?.map(str::to_owned),
        ..User::default()
    };
    door.read(move |product| {
        let user = product.create_user(&caller.viewer, user)?;
        Ok(shown(StatusCode::CREATED, &user.to_value()))
    })
    .await
}

/// `PATCH /v1/users/{id}`
pub(crate) async fn update(
    State(door): State<Arc<Door>>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri(), &[])?;
    let id = readable(id)?;
    let sent = Members::receive(&door, request, &["name", "email", "disabled"]).await?;
    let name = sent.text("name")?.map(str::to_owned);
    let email = sent.text("email")?.map(str::to_owned);
    let disabled = sent.flag("disabled")?;
    let takes_email = email.is_some() || sent.is_null("email");
    door.read(move |product| {
        let update = |user: &mut User| {
            user.name = name.unwrap_or_else(|| user.name.clone());
            user.disabled = disabled.unwrap_or(user.disabled);
            if takes_email {
                user.email = email;
            }
        };
        let user = or_not_found(product.update_user(&caller.viewer, &id, update), MISSING)?;
        Ok(shown(StatusCode::OK, &user.to_value()))
    })
    .await
}

/// `DELETE /v1/users/{id}`
pub(crate) async fn delete(
    State(door): State<Arc<Door>>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    Params::read(&uri, &[])?;
    let id = readable(id)?;
    door.read(move |product| {
        or_not_found(product.delete_user(&caller.viewer, &id), MISSING)?;
        Ok(nothing())
    })
    .await
}

/// `POST /v1/users/{id}/roles`
pub(crate) async fn grant(
    State(door): State<Arc<Door>>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri(), &[])?;
    let user = readable(id)?;
    let sent = Members::receive(&door, request, &["organisation", "role"]).await?;
    let grant = RoleGrant { user, organisation: sent.reach("organisation")?, role: sent.role("role")? };
    door.read(move |product| {
        or_not_found(product.grant_role(&caller.viewer, grant.clone()), MISSING)?;
        Ok(shown(StatusCode::CREATED, &grant.to_value()))
    })
    .await
}

/// `DELETE /v1/users/{id}/roles`
pub(crate) async fn revoke(
    State(door): State<Arc<Door>>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    let params = Params::read(&uri, &["organisation", "role"])?;
    let user = readable(id)?;
    let role = params.get("role").and_then(Role::named).ok_or_else(|| wrong("role", &strict::roles()))?;
    let organisation = params.reach(&caller.viewer, Permission::ManageUsers)?;
    door.read(move |product| {
        let grant = RoleGrant { user, organisation, role };
        or_not_found(product.revoke_role(&caller.viewer, grant), "the user does not have this role")?;
        Ok(nothing())
    })
    .await
}
