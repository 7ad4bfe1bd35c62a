//! API keys: who has which, and their secrets, which are told once.

use std::sync::Arc;

use access::{AllowList, Permission, Scope};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use event::{Code, Value, time};
use indelible::{ApiKey, NewKey};

use crate::auth::Caller;
use crate::door::Door;
use crate::params::{Params, readable};
use crate::problem::{Problem, json, nothing, or_not_found};
use crate::strict::{Members, wrong};
use crate::tally::object;

/// How long the secret before a rotation may work on: 30 days.
const OVERLAP_MOST: u32 = 30 * 24 * 3600;
const MISSING: &str = "there is no such key";

/// `GET /v1/keys`
pub(crate) async fn list(
    State(door): State<Arc<Door>>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Problem> {
    let params = Params::read(&uri, &["organisation"])?;
    let reach = params.reach(&caller.viewer, Permission::ReadState)?;
    door.read(move |product| {
        let keys = params.or_nothing(product.keys(&caller.viewer, &reach))?;
        let keys = keys.into_iter().map(|(key, used_ms)| {
            let mut shown = key.to_value();
            if let (Value::Object(members), Some(used_ms)) = (&mut shown, used_ms) {
                members.insert("last_used", time::format_ms(used_ms));
            }
            shown
        });
        Ok(json(StatusCode::OK, object([("keys", Value::Array(keys.collect()))])))
    })
    .await
}

/// `POST /v1/keys`
pub(crate) async fn create(
    State(door): State<Arc<Door>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri(), &[])?;
    let known = ["name", "organisation", "role", "scopes", "user", "expires", "ip_allow"];
    let sent = Members::receive(&door, request, &known).await?;
    let scope = |name: &str| {
        Scope::named(name).ok_or_else(|| {
            let names: Vec<&str> = Scope::ALL.iter().map(|scope| scope.name()).collect();
            wrong(Code::BadValue, "scopes", &format!("expected some of {}", names.join(", ")))
        })
    };
    let networks = sent.list("ip_allow")?.unwrap_or_default();
    let new = NewKey {
        name: sent.needed("name")?.to_owned(),
        organisation: sent.reach("organisation")?,
        role: sent.role("role")?,
        scopes: match sent.list("scopes")? {
            Some(names) => Some(names.into_iter().map(scope).collect::<Result<_, _>>()?),
            None => None,
        },
        user: sent.text("user")?.map(str::to_owned),
        expires_ms: sent.time_ms("expires")?,
        ip_allow: AllowList::parse(networks)
            .map_err(|_| wrong(Code::BadValue, "ip_allow", "expected at most 64 addresses and networks"))?,
    };
    door.read(move |product| {
        let (key, secret) = product.create_key(&caller.viewer, new)?;
        Ok(told(StatusCode::CREATED, &key, secret))
    })
    .await
}

/// `POST /v1/keys/{id}/rotate`
pub(crate) async fn rotate(
    State(door): State<Arc<Door>>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri(), &[])?;
    let id = readable(id)?;
    let sent = Members::receive(&door, request, &["overlap_seconds"]).await?;
    let overlap = sent.seconds("overlap_seconds", OVERLAP_MOST)?.filter(|overlap| !overlap.is_zero());
    door.read(move |product| {
        let (key, secret) = or_not_found(product.rotate_key(&caller.viewer, &id, overlap), MISSING)?;
        Ok(told(StatusCode::OK, &key, secret))
    })
    .await
}

/// `DELETE /v1/keys/{id}`
pub(crate) async fn revoke(
    State(door): State<Arc<Door>>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    Params::read(&uri, &[])?;
    let id = readable(id)?;
    door.read(move |product| {
        or_not_found(product.revoke_key(&caller.viewer, &id), MISSING)?;
        Ok(nothing())
    })
    .await
}

fn told(status: StatusCode, key: &ApiKey, secret: String) -> Response {
    json(status, object([("key", key.to_value()), ("secret", Value::from(secret))]))
}
