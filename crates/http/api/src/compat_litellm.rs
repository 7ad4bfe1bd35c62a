//! `GET /audit` and `GET /audit/{id}`: what tools written for LiteLLM's audit log ask.

use std::sync::Arc;

use access::Permission;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use compat::litellm::{Asked, Column, found_by, invalid, page, row};
use indelible::{Arranged, Count, Paging, Question, Rows};
use query::Filter;

use crate::auth::Caller;
use crate::dialect::Dialect;
use crate::door::Door;
use crate::params::{Params, readable};
use crate::problem::{Problem, shown};

/// What went wrong, as LiteLLM says it.
pub(crate) struct Said(Response);

impl From<Problem> for Said {
    fn from(problem: Problem) -> Said {
        Said(Dialect::Litellm.say(problem))
    }
}

impl IntoResponse for Said {
    fn into_response(self) -> Response {
        self.0
    }
}

/// `GET /audit`
pub(crate) async fn list(State(door): State<Arc<Door>>, caller: Caller, uri: Uri) -> Result<Response, Said> {
    let params = Params::read_any(&uri)?;
    let organisation = params.organisation(&caller.viewer, Permission::ReadEvents)?;
    let answer = door.read(move |product| {
        let viewer = &caller.viewer;
        let keyed = |hash: &str| {
            viewer.check(Permission::ReadEvents, &organisation).ok()?;
            Some(product.ledger(&organisation).ok()?.text_fingerprint(hash.as_bytes()))
        };
        let asked = match Asked::read(&|name| params.said(name), &keyed) {
            Ok(asked) => asked,
            Err(wrong) => return Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &invalid(&wrong))),
        };
        let filter = Filter::from(asked.filter.clone());
        let question = Question { organisation: organisation.clone(), filter, consistent: true };
        let descending = asked.descending;
        let column = |event: &event::Value<'_>| asked.sort.of(event);
        let order = match asked.sort {
            Column::UpdatedAt => Arranged::ByTime { descending },
            _ => Arranged::By { key: &column, descending },
        };
        let size = asked.page_size;
        let rows =
            Rows { order, skip: (asked.page - 1).saturating_mul(size as u64), limit: size, below: None };
        let found = params.or_nothing(product.rows(viewer, &question, &rows))?;
        let logs = found.events.iter().map(row).collect();
        Ok(shown(StatusCode::OK, &page(logs, found.total, &asked)))
    });
    Ok(answer.await?)
}

/// `GET /audit/{id}`
pub(crate) async fn one(
    State(door): State<Arc<Door>>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Said> {
    let params = Params::read_any(&uri)?;
    let organisation = params.organisation(&caller.viewer, Permission::ReadEvents)?;
    let id = readable(id)?;
    let missing = format!("Audit log with ID {id} not found");
    let answer = door.read(move |product| {
        let question = Question { organisation, filter: Filter::from(found_by(&id)), consistent: true };
        let paging = Paging { limit: 1, count: Count::No, ..Paging::default() };
        let found = params.or_nothing(product.search(&caller.viewer, &question, &paging))?;
        Ok(found.events.first().map(row))
    });
    Ok(match answer.await? {
        Some(row) => shown(StatusCode::OK, &row),
        None => shown(StatusCode::NOT_FOUND, &compat::litellm::detail(&missing)),
    })
}
