//! The door out: events, proofs, checkpoints.

use std::sync::Arc;
use std::time::Duration;

use access::{Granted, Permission, Viewer};
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::Response;
use event::Value;
use indelible::{AskError, Error, Indelible, Ledger, prove, show_id};

use crate::auth::Caller;

use crate::door::Door;
use crate::params::{Params, readable};
use crate::problem::{Problem, json, whole};
use crate::tally::object;

/// A proof is there within a second; somebody who waits for it does not wait longer than this.
const PROOF_TRIES: u32 = 40;
const PROOF_PAUSE: Duration = Duration::from_millis(50);
const PROOF_TYPE: &str = "application/vnd.c2sp.tlog-proof";

/// `GET /v1/events/{id}`
pub(crate) async fn one(
    State(door): State<Arc<Door>>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request.uri(), &["organisation", "wait"])?;
    let permission =
        if asks_for_proof(request.headers()) { Permission::Proofs } else { Permission::ReadEvents };
    let waits = match params.get("wait") {
        None => false,
        Some("proved") => true,
        Some(_) => return Err(Problem::bad("parameter", "wait: expected `proved`")),
    };
    let organisation = params.organisation(&caller.viewer, permission)?;
    let named = Named { organisation, id: readable(id)?, viewer: caller.viewer, permission };
    if permission == Permission::Proofs {
        return proof_file(&door, named).await;
    }
    let named = Arc::new(named);
    let (found, granted) = named.find(&door).await?;
    if found.len() > 1 {
        return door.read(move |product| named.all(product, &found, &granted)).await;
    }
    let position = found[0];
    let proof = match named.proof(&door, position, if waits { PROOF_TRIES } else { 1 }).await {
        Ok(proof) => Some(proof),
        Err(Unproved::Yet) => None,
        Err(Unproved::For(problem)) => return Err(problem),
    };
    door.read(move |product| {
        let event = product.event_at(&named.organisation, position, &granted)?;
        let state = if proof.is_some() { "proved" } else { "durable" };
        let mut members = object([("state", Value::from(state))]);
        // It may have been proved since.
        members.insert("event", with_state(event, state));
        if proof.is_none() {
            members.insert("retry_after_ms", 1000);
        }
        members.insert("proof", proof.map_or(Value::Null, Value::from));
        Ok(json(StatusCode::OK, members))
    })
    .await
}

/// `GET /v1/events/{id}/proof`
pub(crate) async fn proof(
    State(door): State<Arc<Door>>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    let permission = Permission::Proofs;
    let organisation = Params::read(&uri, &["organisation"])?.organisation(&caller.viewer, permission)?;
    proof_file(&door, Named { organisation, id: readable(id)?, viewer: caller.viewer, permission }).await
}

/// `GET /v1/checkpoint`
pub(crate) async fn checkpoint(
    State(door): State<Arc<Door>>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Problem> {
    let organisation =
        Params::read(&uri, &["organisation"])?.organisation(&caller.viewer, Permission::Proofs)?;
    door.read(move |product| match product.checkpoint(&caller.viewer, &organisation)? {
        Some(note) => Ok(text(note)),
        None => Err(Problem::not_found("nothing is signed yet; ask again in a second")),
    })
    .await
}

async fn proof_file(door: &Arc<Door>, named: Named) -> Result<Response, Problem> {
    let named = Arc::new(named);
    let (found, _) = named.find(door).await?;
    if found.len() > 1 {
        let positions: Vec<_> = found.iter().map(|position| whole(*position)).collect();
        let detail = "several events have this id; ask for one of these positions";
        let problem = Problem::new(StatusCode::CONFLICT, "ambiguous", detail);
        return Err(problem.with("positions", Value::Array(positions)));
    }
    let position = found[0];
    let proof = named.proof(door, position, PROOF_TRIES).await.map_err(|unproved| match unproved {
        Unproved::Yet => Problem::from(Error::NotYetProved),
        Unproved::For(problem) => problem,
    })?;
    door.read(move |product| {
        let id = show_id(ledger(product, &named.organisation)?.record(position)?.id());
        let mut response = text(proof);
        let name = HeaderValue::try_from(format!("attachment; filename=\"{id}.tlog-proof\""));
        response.headers_mut().insert(CONTENT_DISPOSITION, name.expect("digits and dashes"));
        Ok(response)
    })
    .await
}

/// An event by one of its names.
struct Named {
    organisation: String,
    id: String,
    viewer: Arc<Viewer>,
    permission: Permission,
}

enum Unproved {
    Yet,
    For(Problem),
}

impl Named {
    /// Where it is, of those that the asker may see; never nowhere.
    async fn find(self: &Arc<Named>, door: &Arc<Door>) -> Result<(Vec<u64>, Granted), Problem> {
        let named = self.clone();
        door.read(move |product| {
            match product.find(&named.viewer, &named.organisation, &named.id, named.permission) {
                Err(AskError::NotFound) => {
                    Err(Problem::not_found("there is no event with this id or position"))
                }
                found => Ok(found?),
            }
        })
        .await
    }

    async fn proof(
        self: &Arc<Named>,
        door: &Arc<Door>,
        position: u64,
        tries: u32,
    ) -> Result<String, Unproved> {
        for attempt in 0..tries {
            if attempt > 0 {
                tokio::time::sleep(PROOF_PAUSE).await;
            }
            let named = self.clone();
            let proved =
                door.read(move |product| match prove(&ledger(product, &named.organisation)?, position) {
                    Err(Error::NotYetProved) => Ok(None),
                    proof => Ok(Some(proof?)),
                });
            if let Some(proof) = proved.await.map_err(Unproved::For)? {
                return Ok(proof);
            }
        }
        Err(Unproved::Yet)
    }

    fn all(&self, product: &Indelible, positions: &[u64], granted: &Granted) -> Result<Response, Problem> {
        let shown = positions.iter().map(|at| product.event_at(&self.organisation, *at, granted));
        let events = shown.collect::<Result<_, AskError>>()?;
        Ok(json(StatusCode::OK, object([("events", Value::Array(events))])))
    }
}

fn ledger(product: &Indelible, organisation: &str) -> Result<Ledger, Problem> {
    match product.ledger(organisation) {
        Err(Error::NotFound(_)) => Err(no_ledger()),
        ledger => Ok(ledger?),
    }
}

fn no_ledger() -> Problem {
    Problem::not_found("nothing was ever recorded for this organisation")
}

fn asks_for_proof(headers: &HeaderMap) -> bool {
    let kinds =
        headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(','));
    kinds.map(|kind| kind.split(';').next().unwrap_or("").trim()).any(|kind| kind == PROOF_TYPE)
}

fn with_state(mut event: Value<'static>, state: &'static str) -> Value<'static> {
    if let Value::Object(members) = &mut event
        && let Some(Value::Object(verification)) = members.get_mut("verification")
    {
        verification.insert("state", state);
    }
    event
}

fn text(text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
