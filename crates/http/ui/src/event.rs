//! One event: the sentence first, then everything it says, what is related to it, and its proof.

use std::sync::Arc;

use access::Permission;
use askama::Template;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use event::{Value, time};
use indelible::{AskError, Indelible};
use query::Filter;

use crate::answer::html;
use crate::desk::Desk;
use crate::diff::{Line, diff};
use crate::facts::{Group, groups};
use crate::fault::Fault;
use crate::frame::{Frame, organisation};
use crate::moment::{show_clock, show_weekday};
use crate::narrow::clause;
use crate::pretty::pretty;
use crate::question::{Ask, Pairs, encode};
use crate::row::{Severity, Status, currency, grouped, place};
use crate::search::HERE;
use crate::sentence::{Part, label, sentence, text};
use crate::timeline;
use crate::visitor::Visitor;

/// Events with one id that are listed; two producers may use the same.
const SAME_ID: usize = 50;
/// Bytes of JSON that are shown; the API has all of it.
const JSON: usize = 512 << 10;

#[derive(Template)]
#[template(path = "event.html")]
struct Page {
    frame: Frame,
    shown: Shown,
}

/// An event without what is around a page, for the side of the search.
#[derive(Template)]
#[template(path = "event_body.html")]
struct Shown {
    id: String,
    place: String,
    position: String,
    sentence: Vec<Part>,
    status: Option<Status>,
    severity: Option<Severity>,
    time: String,
    day: String,
    clock: String,
    fraction: String,
    received: String,
    message: String,
    figures: Vec<(&'static str, String)>,
    groups: Vec<Group>,
    chain: Vec<Link>,
    claimed: Option<String>,
    changes: Vec<Line>,
    /// How many places of the change are the same before and after.
    same: usize,
    erased: Vec<String>,
    hidden: Vec<String>,
    redactions: Vec<Taken>,
    related: Vec<Related>,
    json: String,
    is_cut: bool,
    /// The same as text of a filter, and the search for it.
    query: String,
    query_place: String,
    proof: Option<Proof>,
}

/// Somebody in a chain of delegation.
struct Link {
    name: String,
    place: Option<String>,
}

/// What was taken out at the door.
struct Taken {
    path: String,
    rule: String,
    action: String,
    how_much: String,
}

/// Other events that share something with it.
struct Related {
    name: &'static str,
    value: String,
    place: String,
    /// The same in time order.
    line: Option<String>,
    /// With this one.
    count: String,
    is_alone: bool,
}

/// Where its proof is, for whoever may have it.
struct Proof {
    state: String,
    leaf_hash: String,
    file: String,
    file_name: String,
    checkpoint: String,
}

#[derive(Template)]
#[template(path = "events.html")]
struct Several {
    frame: Frame,
    id: String,
    rows: Vec<crate::row::Row>,
}

/// `GET /events/{id}`
pub(crate) async fn event(
    State(desk): State<Arc<Desk>>,
    visitor: Visitor,
    id: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Response {
    let Ok(Path(id)) = id else {
        return Fault::not_found("The id in the address can't be read.").into_response();
    };
    let pairs = Pairs::of(&uri);
    let organisation = organisation(&visitor.viewer, pairs.get("organisation"));
    let is_part = pairs.get("part") == Some("body");
    let made = desk.read(move |product| {
        let frame = |title: &str| Frame::open(title, product, &visitor, &organisation, HERE);
        let fault = |error: AskError| match error {
            AskError::NotFound => {
                Fault::not_found("There is no event of this id or position that you may see.")
            }
            error => Fault::asked(error, &visitor.viewer),
        };
        let asked = Asked { product, visitor: &visitor, organisation: &organisation };
        asked.page(&id, is_part).map_err(|error| fault(error).framed(frame))
    });
    made.await.unwrap_or_else(IntoResponse::into_response)
}

struct Asked<'p> {
    product: &'p Indelible,
    visitor: &'p Visitor,
    organisation: &'p str,
}

impl Asked<'_> {
    fn page(&self, id: &str, is_part: bool) -> Result<Response, AskError> {
        let (product, organisation, viewer) = (self.product, self.organisation, &self.visitor.viewer);
        let (positions, granted) = product.find(viewer, organisation, id, Permission::ReadEvents)?;
        let frame = |title: &str| Frame::open(title, product, self.visitor, organisation, HERE);
        if positions.len() > 1 {
            let ask = Ask::read(&Pairs::of(&Uri::from_static("/search")));
            let rows = crate::row::Rows { narrow: crate::narrow::Narrow::new(""), ask: &ask, organisation };
            let events =
                positions.iter().take(SAME_ID).map(|at| product.event_at(organisation, *at, &granted));
            let rows = events.map(|event| Ok(rows.row(&event?))).collect::<Result<_, AskError>>()?;
            let several = Several { frame: frame("Several events"), id: id.to_owned(), rows };
            return Ok(html(StatusCode::OK, &several));
        }
        let position = positions.first().ok_or(AskError::NotFound)?;
        let event = product.event_at(organisation, *position, &granted)?;
        let shown = self.shown(&event)?;
        if is_part {
            return Ok(html(StatusCode::OK, &shown));
        }
        let title: Vec<&str> = shown.sentence.iter().map(|part| part.text.as_str()).collect();
        Ok(html(StatusCode::OK, &Page { frame: frame(&title.join(" ")), shown }))
    }

    fn shown(&self, event: &Value<'_>) -> Result<Shown, AskError> {
        let organisation = self.organisation;
        let said = |pointer: &str| text(event, pointer);
        let (moment, position) = (said("/time"), said("/position"));
        let (clock, fraction) = show_clock(&moment);
        let changes = diff(event.pointer("/changes/before"), event.pointer("/changes/after"));
        let names = |name: &str| {
            let names = event.get(name).and_then(Value::as_array).unwrap_or_default();
            names.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let mut json = pretty(event);
        let is_cut = json.len() > JSON;
        json.truncate(json.floor_char_boundary(JSON));
        let query = like_this(event);
        Ok(Shown {
            id: said("/id"),
            place: place(event, organisation),
            sentence: sentence(event),
            status: Status::of(&said("/status")),
            severity: Severity::of(&said("/severity")),
            day: time::parse(&moment).map(show_weekday).unwrap_or_default(),
            clock: clock.to_owned(),
            fraction: fraction.to_owned(),
            received: said("/received"),
            message: said("/message"),
            figures: figures(event),
            groups: groups(event, |q| self.search(q)),
            chain: self.chain(event),
            claimed: event.pointer("/actor/claimed").and_then(label),
            same: changes.iter().filter(|line| line.kind == "same").count(),
            changes,
            erased: names("erased"),
            hidden: names("hidden"),
            redactions: redactions(event),
            related: self.related(event)?,
            json,
            is_cut,
            query_place: self.search(&query),
            query,
            proof: self.proof(event, &position),
            time: moment,
            position,
        })
    }

    /// Where a filter's answer is, at any time.
    fn search(&self, q: &str) -> String {
        format!("/search?organisation={}&from=all&q={}", encode(self.organisation), encode(q))
    }

    /// Who acted for whom, the nearest first.
    fn chain(&self, event: &Value<'_>) -> Vec<Link> {
        let whom = event.pointer("/actor/on_behalf_of").and_then(Value::as_array).unwrap_or_default();
        if whom.is_empty() {
            return Vec::new();
        }
        let link = |someone: &Value<'_>| Link {
            name: label(someone).unwrap_or_else(|| "somebody".to_owned()),
            place: timeline::name_of(someone).map(|id| timeline::place("actor", &id, self.organisation)),
        };
        event.get("actor").into_iter().chain(whom).map(link).collect()
    }

    fn related(&self, event: &Value<'_>) -> Result<Vec<Related>, AskError> {
        const SHARED: &[(&str, &str, &str)] = &[
            ("Same trace", "/trace_id", "trace_id"),
            ("Same request", "/request_id", "request_id"),
            ("Same session", "/actor/session_id", "actor.session_id"),
            ("Same agent run", "/agent/run_id", "agent.run_id"),
            ("Same approval", "/approval/id", "approval.id"),
            ("Same actor", "/actor/id", "actor.id"),
            ("Same address", "/actor/ip", "actor.ip"),
            ("Same key", "/actor/api_key_hash", "actor.api_key_hash"),
            ("Same target", "/targets/0/id", "targets.id"),
            ("Same incident", "/attributes/incident", "attributes.incident"),
        ];
        let shared = SHARED.iter().map(|(name, pointer, path)| (*name, text(event, pointer), *path));
        let shared: Vec<_> = shared.filter(|(_, value, _)| !value.is_empty()).collect();
        let filter = |value: &str, path: &str| Filter::parse(&clause(path, Some(value))).unwrap_or_default();
        let filters: Vec<Filter> = shared.iter().map(|(_, value, path)| filter(value, path)).collect();
        if filters.is_empty() {
            return Ok(Vec::new());
        }
        let counts = self.product.counts(&self.visitor.viewer, self.organisation, &filters)?;
        let related =
            shared.into_iter().zip(filters).zip(counts).map(|(((name, value, path), filter), total)| {
                Related {
                    name,
                    place: self.search(&filter.to_string()),
                    line: kind_of(path).map(|kind| timeline::place(kind, &value, self.organisation)),
                    value,
                    count: grouped(&total.value.to_string()),
                    is_alone: total.value <= 1,
                }
            });
        Ok(related.collect())
    }

    fn proof(&self, event: &Value<'_>, position: &str) -> Option<Proof> {
        self.visitor.viewer.check(Permission::Proofs, self.organisation).ok()?;
        let organisation = encode(self.organisation);
        Some(Proof {
            state: text(event, "/verification/state"),
            leaf_hash: text(event, "/verification/hash"),
            file: format!("/v1/events/{position}/proof?organisation={organisation}"),
            file_name: format!("{}.tlog-proof", text(event, "/id")),
            checkpoint: format!("/v1/checkpoint?organisation={organisation}"),
        })
    }
}

/// What a timeline of the values of a field is called.
fn kind_of(path: &str) -> Option<&'static str> {
    timeline::KINDS.iter().find(|kind| kind.path() == path).map(|kind| kind.name)
}

/// The filter that finds what is like an event: the same kind, by the same, to the same.
fn like_this(event: &Value<'_>) -> String {
    let same = [("/type", "type"), ("/actor/id", "actor.id"), ("/targets/0/id", "targets.id")];
    let said = same.into_iter().map(|(pointer, path)| (text(event, pointer), path));
    let clauses: Vec<String> =
        said.filter(|(value, _)| !value.is_empty()).map(|(value, path)| clause(path, Some(&value))).collect();
    clauses.join(" ")
}

/// Numbers of a model call worth a large type.
fn figures(event: &Value<'_>) -> Vec<(&'static str, String)> {
    let number = |pointer: &str| grouped(&text(event, pointer));
    let mut figures = vec![
        ("tokens", number("/llm/tokens_total")),
        ("tokens in", number("/llm/tokens_input")),
        ("tokens out", number("/llm/tokens_output")),
    ];
    let cost = text(event, "/llm/cost");
    if !cost.is_empty() {
        figures.push(("cost", format!("{cost} {}", currency(event))));
    }
    for (name, pointer) in [("latency", "/llm/latency_ms"), ("first token", "/llm/time_to_first_token_ms")] {
        if let Some(ms) = event.pointer(pointer).and_then(Value::as_f64) {
            figures.push((
                name,
                if ms < 1000.0 { format!("{ms:.0} ms") } else { format!("{:.1} s", ms / 1000.0) },
            ));
        }
    }
    figures.retain(|(_, text)| !text.is_empty());
    figures
}

fn redactions(event: &Value<'_>) -> Vec<Taken> {
    let all = event.get("redactions").and_then(Value::as_array).unwrap_or_default();
    let taken = |one: &Value<'_>| Taken {
        path: text(one, "/path"),
        rule: text(one, "/rule"),
        action: text(one, "/action"),
        how_much: [(text(one, "/count"), "times"), (text(one, "/size"), "bytes")]
            .into_iter()
            .filter(|(number, _)| !number.is_empty())
            .map(|(number, unit)| format!("{number} {unit}"))
            .collect::<Vec<_>>()
            .join(", "),
    };
    all.iter().map(taken).collect()
}
