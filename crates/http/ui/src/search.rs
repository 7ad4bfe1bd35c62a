//! The search: a filter, a time, and what is found. It is one form that is sent with `GET`; without a script everything
//! on it works.

use std::sync::Arc;

use access::{Permission, Viewer};
use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use event::outcome::{SEVERITIES, STATUSES};
use indelible::{AskError, Count, Indelible, Interval, Order, Page, Paging, Question, View};
use query::Filter;

use crate::answer::{html, see_other};
use crate::bars::{self, Chart};
use crate::desk::Desk;
use crate::facets::{self, FACETS, Shown, VALUES};
use crate::fault::{Fault, sentence};
use crate::frame::{Frame, Link, organisation};
use crate::moment::Period;
use crate::narrow::{BUILDER, Narrow, put_together, take_apart};
use crate::question::{Ask, COLUMNS, LATELY, PAGE, Pairs, SPLITS, encode};
use crate::row::{Row, Rows, grouped};
use crate::sentence::text;
use crate::visitor::Visitor;

/// `/search`
pub(crate) const HERE: &str = "/search";
/// That somebody asked this log; it is an event like any other, and seldom the one that is looked for.
const READING: &str = "audit.read";
const DAY_NS: i64 = 86_400 * 1_000_000_000;

#[derive(Template)]
#[template(path = "search.html")]
struct Search {
    frame: Frame,
    ask: Ask,
    organisation: String,
    form_token: String,
    /// Why the filter or the time can't be read.
    wrong: Option<Wrong>,
    times: Times,
    builder: Vec<Field>,
    builder_rest: String,
    columns: Vec<(&'static str, &'static str, bool)>,
    splits: Vec<Link>,
    views: Vec<Saved>,
    may_save: bool,
    may_export: bool,
    may_tail: bool,
    /// The viewer sees only what they did themselves.
    is_own_only: bool,
    found: Option<Found>,
}

/// What was found.
struct Found {
    days: Vec<Day>,
    /// How many there are, in words.
    total: String,
    /// Where the exact number is, if it isn't said.
    exact: Option<String>,
    newer: Option<String>,
    older: Option<String>,
    chart: Option<Chart>,
    facets: Vec<Shown>,
    /// Events that can't be found yet.
    unsearchable: Option<String>,
    /// The question without those that were asked of this log, if some are on the page.
    without_reading: Option<String>,
    /// Nothing was ever recorded.
    is_new: bool,
    /// What might find something: in words, where.
    wider: Vec<Link>,
    /// Files of exactly this question.
    exports: Vec<Link>,
    /// The rows as they come.
    tail: String,
    columns: usize,
}

/// Rows of one day.
struct Day {
    name: String,
    rows: Vec<Row>,
}

/// Text in which something is wrong.
struct Wrong {
    before: String,
    here: String,
    after: String,
    says: String,
    /// What may have been meant, and where it leads.
    meant: Option<Link>,
}

struct Times {
    name: String,
    choices: Vec<Link>,
    /// As a browser's fields for a moment take them.
    from: String,
    to: String,
    earlier: Option<String>,
    later: Option<String>,
    hidden: Vec<(&'static str, String)>,
}

/// A field of the builder.
struct Field {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    value: String,
    /// Words to choose from; any text if there are none.
    words: Vec<&'static str>,
}

/// A view that was saved.
struct Saved {
    id: String,
    name: String,
    place: String,
    shared: bool,
    is_own: bool,
}

/// `GET /search`
pub(crate) async fn search(State(desk): State<Arc<Desk>>, visitor: Visitor, uri: Uri) -> Response {
    let ask = Ask::read(&Pairs::of(&uri));
    match desk.read(move |product| page(product, &visitor, ask)).await {
        Ok((status, page)) => html(status, &page),
        Err(fault) => fault.into_response(),
    }
}

fn page(product: &Indelible, visitor: &Visitor, ask: Ask) -> Result<(StatusCode, Search), Fault> {
    let viewer = &visitor.viewer;
    let organisation = organisation(viewer, ask.organisation.as_deref());
    let frame = |title: &str| Frame::open(title, product, visitor, &organisation, HERE);
    let fault = |error: AskError| Fault::asked(error, viewer).framed(frame);
    let now_ns = i64::try_from(product.now_ms()).unwrap_or(i64::MAX).saturating_mul(1_000_000);

    let (filter, period) = (Filter::parse(&ask.q), ask.period(now_ns));
    let shown = period.clone().ok();
    let (wrong, readable) = match (filter, period) {
        (Ok(filter), Ok(period)) => (None, Some((filter, period))),
        (Err(error), _) => (Some(unreadable(&ask, &error)), None),
        (_, Err(says)) => (Some(wrong_time(&ask, says)), None),
    };
    // Asked first: it says whether they may look here at all, and whether there is such an organisation.
    let found = match &readable {
        Some((filter, period)) => {
            let question = ask.question(&organisation, filter.clone(), period);
            match find(product, viewer, &ask, &question, period) {
                Err(AskError::NotFound) if ask.organisation.is_none() => Some(nothing_yet()),
                found => Some(found.map_err(fault)?),
            }
        }
        None => None,
    };
    let granted = viewer
        .check(Permission::ReadEvents, &organisation)
        .map_err(|denied| fault(AskError::Denied(denied)))?;
    let may = |permission| viewer.check(permission, &organisation).is_ok();
    let views = match product.views(viewer, &organisation) {
        Err(AskError::NotFound) => Vec::new(),
        views => views.map_err(fault)?,
    };
    let (values, builder_rest) = take_apart(&ask.q);
    let columns = COLUMNS.iter().map(|(path, name)| (*path, *name, ask.columns.contains(path))).collect();
    let split = |(path, name): &(&'static str, &'static str)| Link {
        text: (*name).to_owned(),
        place: ask.with(|ask| ask.by = path).link(),
        is_here: ask.by == *path,
    };
    let status = if wrong.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let page = Search {
        frame: frame("Search"),
        form_token: visitor.form_token.clone(),
        times: times(&ask, shown.as_ref()),
        builder: BUILDER.iter().zip(values).map(field).collect(),
        builder_rest,
        columns,
        splits: SPLITS.iter().map(split).collect(),
        views: views.into_iter().map(|view| saved(view, &ask, viewer)).collect(),
        may_save: may(Permission::ManageViews),
        may_export: may(Permission::Export),
        may_tail: may(Permission::Tail),
        is_own_only: !granted.sees_every_row(),
        wrong,
        found,
        organisation,
        ask,
    };
    Ok((status, page))
}

fn find(
    product: &Indelible,
    viewer: &Viewer,
    ask: &Ask,
    question: &Question,
    period: &Period,
) -> Result<Found, AskError> {
    let paging = Paging {
        order: ask.order,
        cursor: ask.cursor.clone(),
        limit: PAGE,
        count: if ask.is_exact { Count::Exact } else { Count::Estimate },
    };
    let page = product.search(viewer, question, &paging)?;
    let fields: Vec<String> = FACETS.iter().map(|(field, ..)| (*field).to_owned()).collect();
    let facets = product.facets(viewer, question, &fields, VALUES)?;
    let narrow = Narrow::new(&ask.q);
    let chart = over_time(product, viewer, ask, question, period, &narrow)?;
    let rows = Rows { ask, narrow: Narrow::new(&ask.q), organisation: &question.organisation };
    let mut days: Vec<Day> = Vec::new();
    for event in &page.events {
        let row = rows.row(event);
        match days.last_mut() {
            Some(day) if day.name == row.day => day.rows.push(row),
            _ => days.push(Day { name: row.day.clone(), rows: vec![row] }),
        }
    }
    let is_empty = page.events.is_empty();
    let (total, exact) = total(&page, ask);
    let filter = question.filter.to_string();
    let exports = [("CSV", "csv"), ("JSON", "json"), ("NDJSON", "ndjson")].map(|(name, format)| Link {
        text: name.to_owned(),
        place: format!(
            "/v1/events/export?format={format}&organisation={}&q={}{}",
            encode(&question.organisation),
            encode(&filter),
            if ask.order == Order::Time { "&sort=time" } else { "" },
        ),
        is_here: false,
    });
    Ok(Found {
        days,
        total,
        exact,
        newer: ask.newer().map(|ask| ask.link()),
        older: page.next.clone().map(|cursor| ask.older(cursor).link()),
        chart,
        facets: facets::shown(facets, ask, &narrow),
        without_reading: page
            .events
            .iter()
            .any(|event| text(event, "/type") == READING)
            .then(|| ask.with_q(narrow.exclude("type", Some(READING))).link()),
        unsearchable: (page.searchable < page.size)
            .then(|| grouped(&(page.size - page.searchable).to_string())),
        is_new: false,
        wider: if is_empty { wider(ask, &narrow) } else { Vec::new() },
        exports: exports.into(),
        tail: tail(ask, &question.organisation),
        columns: 4 + ask.columns.len(),
    })
}

/// Nothing was ever recorded here.
fn nothing_yet() -> Found {
    Found {
        days: Vec::new(),
        total: "0 events".to_owned(),
        exact: None,
        newer: None,
        older: None,
        chart: None,
        facets: Vec::new(),
        unsearchable: None,
        without_reading: None,
        is_new: true,
        wider: Vec::new(),
        exports: Vec::new(),
        tail: String::new(),
        columns: 4,
    }
}

fn over_time(
    product: &Indelible,
    viewer: &Viewer,
    ask: &Ask,
    question: &Question,
    period: &Period,
    narrow: &Narrow,
) -> Result<Option<Chart>, AskError> {
    let by = Some((ask.by.to_owned(), bars::SPLIT + 3));
    let from_ns = match period.from_ns {
        Some(from_ns) => from_ns,
        None => {
            // Without a beginning, the first day that has an event is it.
            let days = Interval { from_ns: None, to_ns: period.to_ns, step_ns: DAY_NS, by: None };
            match product.histogram(viewer, question, &days)?.first() {
                Some(slot) => slot.from_ns,
                None => return Ok(None),
            }
        }
    };
    let cut = bars::cut(from_ns, period.to_ns.unwrap_or(period.now_ns).max(from_ns.saturating_add(1)));
    let interval = Interval { from_ns: Some(cut.from_ns), to_ns: Some(cut.to_ns), step_ns: cut.step_ns, by };
    let slots = product.histogram(viewer, question, &interval)?;
    Ok(bars::chart(&slots, cut, ask, narrow, period))
}

fn total(page: &Page, ask: &Ask) -> (String, Option<String>) {
    let Some(total) = page.total else { return (String::new(), None) };
    let events = if total.value == 1 { "event" } else { "events" };
    let number = grouped(&total.value.to_string());
    match total.is_exact {
        true => (format!("{number} {events}"), None),
        false => {
            let exact = Ask { is_exact: true, ..ask.clone() };
            (format!("at least {number} {events}"), Some(exact.link()))
        }
    }
}

/// What might find something where nothing was found.
fn wider(ask: &Ask, narrow: &Narrow) -> Vec<Link> {
    let mut links = Vec::new();
    let mut add = |text: String, ask: Ask| {
        links.push(Link { text, place: ask.link(), is_here: false });
    };
    if ask.from != "all" || !ask.to.is_empty() {
        add(
            "The same at any time".to_owned(),
            ask.with(|ask| {
                ask.from = "all".to_owned();
                ask.to.clear();
            }),
        );
    }
    let each = narrow.without_each();
    if each.len() > 1 {
        for (clause, rest) in each.into_iter().take(6) {
            add(format!("Without {clause}"), ask.with_q(rest));
        }
    }
    if !ask.q.is_empty() {
        add("Everything in this time".to_owned(), ask.with_q(""));
    }
    links
}

fn tail(ask: &Ask, organisation: &str) -> String {
    let columns: String = ask.columns.iter().map(|column| format!("&col={}", encode(column))).collect();
    let columns = if columns.is_empty() { "&col=none".to_owned() } else { columns };
    format!("/search/tail?organisation={}&q={}{columns}", encode(organisation), encode(&ask.q))
}

fn unreadable(ask: &Ask, error: &query::Error) -> Wrong {
    let text = &ask.q;
    let (start, end) = (text.floor_char_boundary(error.span.start), text.ceil_char_boundary(error.span.end));
    let (before, here, after) = (&text[..start], &text[start..end.max(start)], &text[end.max(start)..]);
    let meant = error.suggestion.as_ref().map(|suggestion| {
        let text = format!("{before}{suggestion}{after}");
        Link { place: ask.with_q(&*text).link(), text, is_here: false }
    });
    Wrong {
        before: before.to_owned(),
        here: if here.is_empty() { " ".to_owned() } else { here.to_owned() },
        after: after.to_owned(),
        says: sentence(&error.message),
        meant,
    }
}

fn wrong_time(ask: &Ask, says: String) -> Wrong {
    let meant = ask.with(|ask| {
        ask.from = LATELY[3].0.to_owned();
        ask.to.clear();
    });
    let (before, after) = (String::new(), String::new());
    let here = format!("{} {}", ask.from, ask.to);
    let meant = Link { text: LATELY[3].1.to_owned(), place: meant.link(), is_here: false };
    Wrong { before, here, after, says: sentence(&format!("the time: {says}")), meant: Some(meant) }
}

fn times(ask: &Ask, period: Option<&Period>) -> Times {
    let choice = |(value, name): &(&str, &str)| Link {
        text: (*name).to_owned(),
        place: ask.with(|ask| (ask.from, ask.to) = ((*value).to_owned(), String::new())).link(),
        is_here: ask.from == *value && ask.to.is_empty(),
    };
    let field =
        |ns: Option<i64>| ns.map(|ns| event::time::format_ns(ns).get(..16).unwrap_or_default().to_owned());
    let link = |(from, to)| ask.with(|ask| (ask.from, ask.to) = (from, to)).link();
    let (earlier, later) = match period.and_then(Period::neighbours) {
        Some((earlier, later)) => (Some(link(earlier)), later.map(link)),
        None => (None, None),
    };
    Times {
        name: period.map_or_else(|| "Time".to_owned(), |period| period.name.clone()),
        choices: LATELY.iter().map(choice).collect(),
        from: period.and_then(|period| field(period.from_ns)).unwrap_or_default(),
        to: period.and_then(|period| field(period.to_ns.or(Some(period.now_ns)))).unwrap_or_default(),
        earlier,
        later,
        hidden: ask.pairs_without(&["from", "to"]),
    }
}

fn field(
    ((name, label, _, hint), value): (&(&'static str, &'static str, &'static str, &'static str), String),
) -> Field {
    let words = match *name {
        "status" => STATUSES.iter().map(|word| word.name).collect(),
        "severity" => SEVERITIES.iter().map(|word| word.name).collect(),
        _ => Vec::new(),
    };
    Field { name, label, hint, value, words }
}

fn saved(view: View, ask: &Ask, viewer: &Viewer) -> Saved {
    let owner = viewer.user.as_deref().unwrap_or(&viewer.id);
    Saved {
        is_own: view.owner == owner,
        place: ask.with_q(&*view.filter).link(),
        id: view.id,
        name: view.name,
        shared: view.shared,
    }
}

/// `GET /search/build`: a filled-in builder becomes the filter that it means.
pub(crate) async fn build(_: Visitor, uri: Uri) -> Response {
    let pairs = Pairs::of(&uri);
    let ask = Ask::read(&pairs);
    let values: Vec<(&'static str, String)> =
        BUILDER.iter().map(|(name, ..)| (*name, pairs.get(name).unwrap_or_default().to_owned())).collect();
    match put_together(&values, pairs.get("rest").unwrap_or_default()) {
        Ok(text) => see_other(&ask.with_q(text).link()),
        Err((field, why)) => Fault::wrong(sentence(&format!("{field}: {why}"))).into_response(),
    }
}
