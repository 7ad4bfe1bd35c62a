//! `GET /v1/whoami`: who a key is, and what it may where.

use access::{Permission, Viewer, ViewerKind};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use event::{Object, Value};

use crate::auth::Caller;
use crate::params::Params;
use crate::problem::{Problem, json};
use crate::tally::object;

pub(crate) async fn whoami(caller: Caller, uri: Uri) -> Result<Response, Problem> {
    Params::read(&uri, &[])?;
    let viewer = &caller.viewer;
    let mut members = object([
        ("id", Value::from(viewer.id.clone())),
        ("kind", Value::from(kind(viewer.kind))),
        ("name", Value::from(viewer.name.clone())),
        ("roles", Value::Object(by_organisation(viewer, roles))),
        ("permissions", Value::Object(by_organisation(viewer, permissions))),
        ("scopes", Value::Null),
    ]);
    let optional = [("user", &viewer.user), ("email", &viewer.email), ("key_id", &viewer.key_id)];
    for (name, text) in optional {
        if let Some(text) = text {
            members.insert(name, text.clone());
        }
    }
    if let Some(scopes) = &viewer.scopes {
        members.insert("scopes", names(scopes.iter().map(|scope| scope.name())));
    }
    Ok(json(StatusCode::OK, members))
}

fn kind(kind: ViewerKind) -> &'static str {
    match kind {
        ViewerKind::ApiKey => "api_key",
        ViewerKind::User => "user",
        ViewerKind::Bootstrap => "bootstrap",
        ViewerKind::Command => "command",
    }
}

/// Something of every organisation in which they have a role; `*` is all of them.
fn by_organisation(viewer: &Viewer, what: fn(&Viewer, &str) -> Value<'static>) -> Object<'static> {
    let mut all = Object::new();
    for grant in &viewer.grants {
        let name = grant.organisation.as_str();
        all.insert(name.to_owned(), what(viewer, name));
    }
    all
}

fn roles(viewer: &Viewer, organisation: &str) -> Value<'static> {
    let here = viewer.grants.iter().filter(|grant| grant.organisation.as_str() == organisation);
    names(here.map(|grant| grant.role.name()))
}

fn permissions(viewer: &Viewer, organisation: &str) -> Value<'static> {
    let may = |permission: &Permission| viewer.check(*permission, organisation).is_ok();
    names(Permission::ALL.into_iter().filter(may).map(Permission::name))
}

fn names(names: impl Iterator<Item = &'static str>) -> Value<'static> {
    Value::Array(names.map(Value::from).collect())
}
