//! What was refused at the door: why, mended and recorded, or thrown away.

use std::sync::Arc;

use access::Permission;
use askama::Template;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use event::{Event, Limits, Value, json, time};
use indelible::{AskError, Indelible, Outcome};

use super::{Asked, Head, attempt, change, of, show};
use crate::answer::{html, see_other};
use crate::desk::Desk;
use crate::fault::{Fault, sentence};
use crate::frame::Frame;
use crate::moment::show_minute;
use crate::pretty::pretty;
use crate::question::encode;
use crate::row::grouped;
use crate::sentence::text;
use crate::visitor::{Fields, Posted, Visitor};

const PLACE: &str = "/admin/quarantine";
/// Entries that are listed; the API has up to a thousand.
const LISTED: usize = 200;

#[derive(Template)]
#[template(path = "admin_quarantine.html")]
pub(crate) struct Quarantine {
    frame: Frame,
    head: Head,
    entries: Vec<Entry>,
    is_cut: bool,
}

/// One refused event.
struct Entry {
    id: String,
    received: String,
    by: String,
    code: String,
    pointer: String,
    reason: String,
    size: String,
    has_body: bool,
    place: String,
}

#[derive(Template)]
#[template(path = "admin_entry.html")]
pub(crate) struct OneEntry {
    frame: Frame,
    head: Head,
    entry: Entry,
    body: String,
    back: String,
}

/// `GET /admin/quarantine`
pub(crate) async fn quarantine(State(desk): State<Arc<Desk>>, visitor: Visitor, uri: Uri) -> Response {
    show(desk, visitor, uri, list).await
}

fn list(asked: &Asked<'_>) -> Result<Quarantine, Fault> {
    let found = asked.product.quarantined(&asked.visitor.viewer, &asked.organisation, LISTED + 1);
    let mut found = match found {
        // Nothing was ever sent there, so nothing was refused.
        Err(AskError::NotFound) => Vec::new(),
        found => found.map_err(|error| asked.fault(error))?,
    };
    let is_cut = found.len() > LISTED;
    found.truncate(LISTED);
    Ok(Quarantine {
        frame: asked.frame("Quarantine"),
        head: asked.head(PLACE, asked.may(Permission::Quarantine)),
        entries: found.iter().map(|entry| shown(entry, &asked.organisation)).collect(),
        is_cut,
    })
}

fn shown(entry: &Value<'_>, organisation: &str) -> Entry {
    let said = |pointer: &str| text(entry, pointer);
    let received = said("/received");
    Entry {
        place: format!("{PLACE}/{}?organisation={}", encode(&said("/id")), encode(organisation)),
        id: said("/id"),
        received: time::parse(&received).map(show_minute).unwrap_or(received),
        by: said("/by"),
        code: said("/code"),
        pointer: said("/pointer"),
        reason: sentence(&said("/reason")),
        size: grouped(&said("/size")),
        has_body: entry.get("has_body").and_then(Value::as_bool).unwrap_or(false),
    }
}

/// `GET /admin/quarantine/{id}`
pub(crate) async fn entry(
    State(desk): State<Arc<Desk>>,
    visitor: Visitor,
    id: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Response {
    // What is no number is the number of no entry.
    let id = id.ok().and_then(|Path(id)| id.parse().ok()).unwrap_or(-1);
    show(desk, visitor, uri, move |asked| one(asked, id)).await
}

fn one(asked: &Asked<'_>, id: i64) -> Result<OneEntry, Fault> {
    let found = asked.product.quarantined_one(&asked.visitor.viewer, &asked.organisation, id);
    let found = found.map_err(|error| match error {
        AskError::NotFound => Fault::not_found(
            "There is no such entry. It may have been sent again, thrown away, or gone by time.",
        )
        .framed(|title| asked.frame(title)),
        error => asked.fault(error),
    })?;
    let kept = text(&found, "/body");
    let body = match asked.written {
        Some(fields) => fields.get("event").to_owned(),
        None => json::parse(kept.as_bytes(), &Limits::default()).map(|value| pretty(&value)).unwrap_or(kept),
    };
    Ok(OneEntry {
        frame: asked.frame("A refused event"),
        head: asked.head(PLACE, asked.may(Permission::Quarantine)),
        entry: shown(&found, &asked.organisation),
        back: of(PLACE, &asked.organisation),
        body,
    })
}

fn number(fields: &Fields) -> i64 {
    fields.get("id").parse().unwrap_or(-1)
}

/// `POST /admin/quarantine/resend`
pub(crate) async fn resend(State(desk): State<Arc<Desk>>, posted: Posted) -> Response {
    let id = number(&posted.fields);
    let organisation = super::home_of(&posted);
    let (name, back) = (organisation.clone(), of(PLACE, &organisation));
    let work = move |product: &Indelible, visitor: &Visitor, fields: &Fields| {
        // Asked before the text is looked at: whoever may not mend learns nothing else.
        visitor.viewer.check(Permission::Quarantine, &name).map_err(AskError::Denied)?;
        let event = Event::parse(fields.get("event").as_bytes(), &Limits::default());
        let event = event.map_err(|refusal| {
            let place =
                if refusal.pointer.is_empty() { String::new() } else { format!(" ({})", refusal.pointer) };
            AskError::Wrong(format!("{}{place}", refusal.reason))
        })?;
        let recorded = product.resend(&visitor.viewer, &name, id, event)?;
        match recorded.outcome {
            Outcome::Conflict(_) => Err(AskError::Wrong(
                "source_id: another event was recorded under this id, so this one was not; give it an id of its own".into(),
            )),
            _ => Ok(()),
        }
    };
    match attempt(desk, posted, work, move |asked| one(asked, id)).await {
        Ok(Ok(())) => see_other(&format!("{back}&done=resent")),
        Ok(Err(page)) => html(StatusCode::BAD_REQUEST, &page),
        Err(fault) => fault.into_response(),
    }
}

/// `POST /admin/quarantine/discard`
pub(crate) async fn discard(State(desk): State<Arc<Desk>>, posted: Posted) -> Response {
    let work = |product: &Indelible, visitor: &Visitor, fields: &Fields| {
        let organisation = crate::frame::organisation(&visitor.viewer, Some(fields.get("organisation")));
        product.discard(&visitor.viewer, &organisation, number(fields))
    };
    change(desk, posted, (PLACE, "discarded"), work, list).await
}
