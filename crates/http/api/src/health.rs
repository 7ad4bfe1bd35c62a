//! How the server is: for load balancers, and for those who run it.

use std::sync::Arc;

use access::{Organisations, Permission, Reach};
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use event::Value;
use indelible::Lag;

use crate::auth::Caller;
use crate::door::Door;
use crate::params::Params;
use crate::problem::{Problem, json, whole};
use crate::tally::object;

/// `GET /healthz`
pub(crate) async fn health(State(door): State<Arc<Door>>) -> Response {
    match door.is_draining() {
        true => status(StatusCode::SERVICE_UNAVAILABLE, "draining"),
        false => status(StatusCode::OK, "ok"),
    }
}

/// `GET /readyz`
pub(crate) async fn ready(State(door): State<Arc<Door>>) -> Result<Response, Problem> {
    if door.is_draining() {
        return Ok(status(StatusCode::SERVICE_UNAVAILABLE, "draining"));
    }
    door.blocking(|product| {
        if !product.can_write() {
            return Ok(status(StatusCode::SERVICE_UNAVAILABLE, "read_only"));
        }
        let behind: u64 = product.lags().iter().filter_map(lag).sum();
        let members = object([("status", Value::from("ready")), ("searchable_lag", whole(behind))]);
        Ok(json(StatusCode::OK, members))
    })
    .await
}

fn status(status: StatusCode, word: &'static str) -> Response {
    json(status, object([("status", Value::from(word))]))
}

/// Events that are recorded and cannot be found yet; `None` if nobody looked.
pub(crate) fn lag(lag: &Lag) -> Option<u64> {
    lag.searchable.map(|searchable| lag.size.saturating_sub(searchable))
}

/// `GET /v1/stats`
pub(crate) async fn stats(
    State(door): State<Arc<Door>>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Problem> {
    let params = Params::read(&uri, &["organisation"])?;
    let everywhere = caller.viewer.organisations_for(Permission::Health) == Organisations::All;
    let reach = match params.get("organisation") {
        None if everywhere => Reach::All,
        _ => params.reach(&caller.viewer, Permission::Health)?,
    };
    door.read(move |product| {
        let lags = params.or_nothing(product.stats(&caller.viewer, &reach))?;
        let organisations = lags.into_iter().map(|lag| {
            Value::Object(object([
                ("organisation", Value::from(lag.organisation)),
                ("size", whole(lag.size)),
                ("searchable", lag.searchable.map_or(Value::Null, whole)),
                ("index_bytes", whole(lag.bytes)),
            ]))
        });
        let mut members = object([("organisations", Value::Array(organisations.collect()))]);
        if reach == Reach::All {
            let (refused, skipped) = product.unrecorded();
            let unrecorded = object([("refused", whole(refused)), ("skipped", whole(skipped))]);
            members.insert("unrecorded", unrecorded);
        }
        Ok(json(StatusCode::OK, members))
    })
    .await
}
