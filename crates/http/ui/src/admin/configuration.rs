//! Which configuration is in force, as the ledger has it since the start, and how it changed from start to start.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use event::{Value, time};
use indelible::{AskError, Count, Order, Paging, Question, SYSTEM};
use query::Filter;

use super::{Asked, Head, show};
use crate::desk::Desk;
use crate::diff::{Line, diff};
use crate::fault::Fault;
use crate::frame::Frame;
use crate::moment::show_minute;
use crate::row::place;
use crate::sentence::{plain, text};
use crate::visitor::Visitor;

const PLACE: &str = "/admin/configuration";
/// Starts that are looked at.
const STARTS: usize = 50;

#[derive(Template)]
#[template(path = "admin_configuration.html")]
struct Configuration {
    frame: Frame,
    head: Head,
    /// What was set, by whoever runs the server; everything else is as the program has it.
    settings: Vec<(String, String)>,
    /// What was set about how long events are kept.
    retention: Vec<(String, String)>,
    since: Option<Since>,
    changes: Vec<Change>,
}

/// The start since which it holds.
struct Since {
    time: String,
    hash: String,
    place: String,
}

/// A start at which it was another than before.
struct Change {
    time: String,
    place: String,
    lines: Vec<Line>,
}

/// `GET /admin/configuration`
pub(crate) async fn configuration(State(desk): State<Arc<Desk>>, visitor: Visitor, uri: Uri) -> Response {
    show(desk, visitor, uri, page).await
}

fn page(asked: &Asked<'_>) -> Result<Configuration, Fault> {
    let starts = starts(asked).map_err(|error| {
        asked.fault(error).advise("The configuration is of the whole server, and in the ledger `system`: to see it takes a role that holds everywhere.")
    })?;
    let settings = |event: &Value<'static>| event.pointer("/attributes/settings").cloned();
    let pairs = |value: Option<Value<'static>>| -> Vec<(String, String)> {
        let members = value.as_ref().and_then(Value::as_object);
        members
            .map(|members| members.iter().map(|(name, value)| (name.to_owned(), plain(value))).collect())
            .unwrap_or_default()
    };
    let all = pairs(starts.first().and_then(settings));
    let (retention, settings_in_force) =
        all.into_iter().partition(|(name, _)| name.starts_with("retention."));
    let moment = |event: &Value<'static>| {
        let said = text(event, "/time");
        time::parse(&said).map(show_minute).unwrap_or(said)
    };
    let since = starts.first().map(|event| Since {
        time: moment(event),
        hash: text(event, "/attributes/hash"),
        place: place(event, SYSTEM),
    });
    let changes = starts.windows(2).filter_map(|pair| {
        let (now, before) = (settings(&pair[0]), settings(&pair[1]));
        let lines: Vec<Line> =
            diff(before.as_ref(), now.as_ref()).into_iter().filter(|line| line.kind != "same").collect();
        (!lines.is_empty()).then(|| Change { time: moment(&pair[0]), place: place(&pair[0], SYSTEM), lines })
    });
    Ok(Configuration {
        frame: asked.frame("Configuration"),
        head: asked.head(PLACE, true),
        changes: changes.collect(),
        settings: settings_in_force,
        retention,
        since,
    })
}

/// What was in force since each start, the newest first.
fn starts(asked: &Asked<'_>) -> Result<Vec<Value<'static>>, AskError> {
    let viewer = &asked.visitor.viewer;
    viewer.check(access::Permission::ReadState, SYSTEM).map_err(AskError::Denied)?;
    let filter = Filter::parse("type:config.in_force").unwrap_or_default();
    let question = Question { organisation: SYSTEM.to_owned(), filter, consistent: false };
    let paging = Paging { order: Order::Newest, cursor: None, limit: STARTS, count: Count::No };
    // Nobody else can say so: senders can neither use this type nor write into this ledger.
    match asked.product.search(viewer, &question, &paging) {
        Err(AskError::NotFound) => Ok(Vec::new()),
        found => Ok(found?.events),
    }
}
