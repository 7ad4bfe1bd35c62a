//! `/api/audit-logs`: what tools written for Bifrost's audit log ask, as specification 002 has it and as the product of
//! today does. `/api/enterprise/audit-logs` is the same.

use std::sync::Arc;

use access::{Permission, Viewer};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use compat::bifrost::{Wrong, cadf, error, is_cadf, seed};
use event::{Value, json};
use indelible::{
    Arranged, AskError, Error, Indelible, Order, PAGE_MOST, Paging, Question, Rows, RowsPage, SORTED_MOST,
    prove, verify_text,
};
use query::{Expr, Filter};

use crate::auth::Caller;
use crate::body::receive;
use crate::dialect::Dialect;
use crate::door::Door;
use crate::export::{Lines, export};
use crate::params::{Params, readable};
use crate::problem::{Problem, shown};
use crate::stream::place;

/// Most bytes of the body of a question.
const BODY_MOST: usize = 64 << 10;

const JSON: Lines = Lines {
    media_type: "application/json",
    file_name: "attachment; filename=\"audit-logs.json\"",
    start: "[",
    first: "\n",
    next: ",\n",
    end: "\n]\n",
    write: |event, out| cadf::event(event).write_jcs(out),
};
const JSONL: Lines = Lines {
    media_type: "application/x-ndjson",
    file_name: "attachment; filename=\"audit-logs.jsonl\"",
    start: "",
    first: "",
    next: "",
    end: "",
    write: |event, out| {
        cadf::event(event).write_jcs(out);
        out.push(b'\n');
    },
};
const SYSLOG: Lines = Lines {
    media_type: "text/plain; charset=utf-8",
    file_name: "attachment; filename=\"audit-logs.log\"",
    write: cadf::line,
    ..JSONL
};

/// What went wrong, as Bifrost says it.
pub(crate) struct Said(Response);

impl From<Problem> for Said {
    fn from(problem: Problem) -> Said {
        Said(Dialect::Bifrost.say(problem))
    }
}

impl From<Wrong> for Said {
    fn from(wrong: Wrong) -> Said {
        let body = error(400, "parameter", &wrong.message, Some(wrong.parameter));
        Said(shown(StatusCode::BAD_REQUEST, &body))
    }
}

impl IntoResponse for Said {
    fn into_response(self) -> Response {
        self.0
    }
}

/// `GET /api/audit-logs`, of either contract.
pub(crate) async fn list(State(door): State<Arc<Door>>, caller: Caller, uri: Uri) -> Result<Response, Said> {
    let params = Params::read_any(&uri)?;
    if is_cadf(params.pairs())? {
        let asked = cadf::Asked::read(params.pairs())?;
        let answer = door.read(move |product| {
            let key = |event: &Value<'_>| asked.sort.of(event);
            let order = match asked.sort {
                cadf::Sort::EventTime => Arranged::ByTime { descending: asked.descending },
                _ => Arranged::By { key: &key, descending: asked.descending },
            };
            let rows = Rows { order, skip: asked.skip(), limit: asked.limit, below: asked.below() };
            let found = page(product, &caller.viewer, &params, asked.filter.clone(), &rows)?;
            Ok(shown(StatusCode::OK, &cadf::page(&found.events, found.total, &asked, found.searchable)))
        });
        return Ok(answer.await?);
    }
    let asked = seed::Asked::read(params.pairs())?;
    Ok(seed_page(door, caller, params, asked).await?)
}

/// `POST /api/audit-logs/query`
pub(crate) async fn query(
    State(door): State<Arc<Door>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Said> {
    let params = Params::read_any(request.uri())?;
    let body = receive(&door, request, BODY_MOST).await?;
    let limits = json::Limits { max_bytes: BODY_MOST, max_depth: 8 };
    let body = json::parse(&body.bytes, &limits).map_err(Problem::refused)?;
    let asked = seed::Asked::read_body(&body)?;
    let params = match body.get("organisation").and_then(Value::as_str) {
        Some(name) => params.and("organisation", name),
        None => params,
    };
    Ok(seed_page(door, caller, params, asked).await?)
}

async fn seed_page(
    door: Arc<Door>,
    caller: Caller,
    params: Params,
    asked: seed::Asked,
) -> Result<Response, Problem> {
    let answer = door.read(move |product| {
        let key = |event: &Value<'_>| asked.sort.of(event);
        let order = match asked.sort {
            seed::Sort::Timestamp => Arranged::ByTime { descending: asked.descending },
            _ => Arranged::By { key: &key, descending: asked.descending },
        };
        let skip = (asked.page - 1).saturating_mul(asked.limit as u64);
        let rows = Rows { order, skip, limit: asked.limit, below: None };
        let found = page(product, &caller.viewer, &params, asked.filter.clone(), &rows)?;
        let page = asked.page(&found.events, found.total, params.get("organisation"));
        Ok(shown(StatusCode::OK, &page))
    });
    answer.await
}

fn question(
    viewer: &Viewer,
    params: &Params,
    permission: Permission,
    filter: Expr,
) -> Result<Question, Problem> {
    let organisation = params.organisation(viewer, permission)?;
    Ok(Question { organisation, filter: Filter::from(filter), consistent: true })
}

fn page(
    product: &Indelible,
    viewer: &Viewer,
    params: &Params,
    filter: Expr,
    rows: &Rows<'_>,
) -> Result<RowsPage, Problem> {
    let question = question(viewer, params, Permission::ReadEvents, filter)?;
    Ok(params.or_nothing(product.rows(viewer, &question, rows))?)
}

/// `GET /api/audit-logs/filterdata`: of the newest events, as many as are ever sorted.
pub(crate) async fn values(
    State(door): State<Arc<Door>>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Said> {
    let params = Params::read_any(&uri)?;
    let mut values = cadf::Values::read(params.pairs())?;
    let filter = cadf::Asked::read(params.pairs())?.filter;
    let answer = door.read(move |product| {
        let question = question(&caller.viewer, &params, Permission::ReadEvents, filter)?;
        let mut paging = Paging { limit: PAGE_MOST, ..Paging::default() };
        let mut left = SORTED_MOST;
        loop {
            let page = params.or_nothing(product.search(&caller.viewer, &question, &paging))?;
            page.events.iter().for_each(|event| values.add(event));
            left = left.saturating_sub(page.events.len());
            paging.cursor = page.next;
            if paging.cursor.is_none() || left == 0 {
                return Ok(shown(StatusCode::OK, &values.answer()));
            }
        }
    });
    Ok(answer.await?)
}

/// `GET /api/audit-logs/export`
pub(crate) async fn take_out(
    State(door): State<Arc<Door>>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Said> {
    let params = Params::read_any(&uri)?;
    let lines = match cadf::format(params.pairs()) {
        cadf::Format::Json => &JSON,
        cadf::Format::Jsonl => &JSONL,
        cadf::Format::Syslog => &SYSLOG,
    };
    let filter = cadf::Asked::read(params.pairs())?.filter;
    let question = question(&caller.viewer, &params, Permission::Export, filter)?;
    let place = place(&door.exports, "too many exports at once; try again later")?;
    let product = door.product.clone();
    let events = door.read(move |_| {
        let events = product.export(&caller.viewer, &question, Order::Time);
        Ok(params.or_nothing(events.map(Some))?)
    });
    let events = events.await?;
    let total = events.as_ref().map_or(0, |events| events.total().value);
    Ok(export(events.into_iter().flatten(), lines, Some(total), place))
}

/// `GET /api/audit-logs/{id}`
pub(crate) async fn one(
    State(door): State<Arc<Door>>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Said> {
    let params = Params::read_any(&uri)?;
    let id = readable(id)?;
    let answer = door.read(move |product| {
        let permission = Permission::ReadEvents;
        let organisation = params.organisation(&caller.viewer, permission)?;
        let (positions, granted) =
            product.find(&caller.viewer, &organisation, &id, permission).map_err(missing)?;
        let event = product.event_at(&organisation, positions[0], &granted)?;
        Ok(shown(StatusCode::OK, &cadf::one(&event)))
    });
    Ok(answer.await?)
}

/// `GET /api/audit-logs/{id}/verify`: the proof is made and checked as a stranger would.
pub(crate) async fn verify(
    State(door): State<Arc<Door>>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Said> {
    let params = Params::read_any(&uri)?;
    let id = readable(id)?;
    let answer = door.read(move |product| {
        let permission = Permission::Proofs;
        let organisation = params.organisation(&caller.viewer, permission)?;
        let (positions, _) = product.find(&caller.viewer, &organisation, &id, permission).map_err(missing)?;
        let checked = checked(product, &organisation, positions[0])?;
        Ok(shown(StatusCode::OK, &checked))
    });
    Ok(answer.await?)
}

fn checked(product: &Indelible, organisation: &str, position: u64) -> Result<Value<'static>, Problem> {
    let ledger = product.ledger(organisation).map_err(Problem::from)?;
    let record = match ledger.record(position) {
        Ok(record) => record,
        // What was found is not shown; that it is not what was recorded is what was asked.
        Err(error @ (Error::Damaged(_) | Error::Tampered(_) | Error::Incomplete(_))) => {
            tracing::error!(%error, position, "an event is not what was recorded");
            let reason = "the stored event is not what was recorded; run `indelible verify`".to_owned();
            return Ok(cadf::verified(false, "", reason));
        }
        Err(error) => return Err(error.into()),
    };
    let hash = format!("sha256:{}", record.leaf_hash);
    let with_tag = match product.tag_holds(&ledger, &record) {
        Some(false) => {
            tracing::error!(position, "the HMAC tag of an event does not hold");
            let reason =
                "the HMAC tag does not hold: whoever wrote this leaf did not have the key".to_owned();
            return Ok(cadf::verified(false, &hash, reason));
        }
        Some(true) => "HMAC tag, leaf",
        None => "leaf",
    };
    match prove(&ledger, position) {
        Ok(proof) => {
            let checked = verify_text(&proof, None, &[]);
            let is_valid = checked.verdict().exit_code() == 0;
            let reason = match is_valid {
                true => format!("{with_tag}, inclusion proof and signed checkpoint hold"),
                false => checked
                    .findings
                    .iter()
                    .map(|finding| finding.what.as_str())
                    .collect::<Vec<_>>()
                    .join("; "),
            };
            Ok(cadf::verified(is_valid, &hash, reason))
        }
        // It was hashed again and compared with the tree; a checkpoint is signed within a second.
        Err(Error::NotYetProved) => {
            let reason = format!("{with_tag}: what there is holds; no signed checkpoint covers it yet");
            Ok(cadf::verified(true, &hash, reason))
        }
        Err(error) => Err(error.into()),
    }
}

fn missing(error: AskError) -> Problem {
    match error {
        AskError::NotFound => Problem::not_found("there is no event with this id"),
        error => error.into(),
    }
}

/// `POST /api/enterprise/audit-logs/reports`
pub(crate) async fn reports(_: Caller) -> Problem {
    let detail = "reports can't be made yet; export the events with GET /api/audit-logs/export instead";
    Problem::new(StatusCode::NOT_IMPLEMENTED, "not_implemented", detail)
}
