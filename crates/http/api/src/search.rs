//! Questions about events: pages, counts, facets, histograms, tops, and where a text was.

use std::sync::Arc;

use access::Permission;
use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use event::{Object, Value, time};
use indelible::{Count, Facet, Group, Interval, Measure, Page, Question, Slot, Total};

use crate::auth::Caller;
use crate::door::Door;
use crate::params::{Params, QUESTION, wrong};
use crate::problem::{Problem, json, whole};
use crate::strict::Members;
use crate::tally::object;

/// Fields of one question about facets.
const FACETS_MOST: usize = 20;
/// Groups of one facet or top.
const GROUPS_MOST: usize = 1000;
/// Bytes of a body with a text to look for: a long prompt, with room for its escapes.
const TEXT_MOST: usize = 4 << 20;
const SECOND_NS: i64 = 1_000_000_000;

/// `GET /v1/events`
pub(crate) async fn search(
    State(door): State<Arc<Door>>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Problem> {
    let params = Params::read_both(&uri, QUESTION, &["limit", "cursor", "count", "sort"])?;
    let question = params.question(&caller.viewer, Permission::ReadEvents)?;
    let paging = params.paging()?;
    door.read(move |product| {
        let found = product.search(&caller.viewer, &question, &paging).map(Some);
        let page = params.or_nothing(found)?.unwrap_or_else(|| nothing(paging.count));
        Ok(json(StatusCode::OK, shown(page)))
    })
    .await
}

/// The page of a ledger in which nothing was ever recorded.
fn nothing(count: Count) -> Page {
    let total = (count != Count::No).then_some(Total { value: 0, is_exact: true });
    Page { total, ..Page::default() }
}

fn shown(page: Page) -> Object<'static> {
    let mut members = object([
        ("events", Value::Array(page.events)),
        ("next", page.next.map_or(Value::Null, Value::from)),
        ("searchable", whole(page.searchable)),
        ("size", whole(page.size)),
    ]);
    if let Some(found) = page.total {
        members.insert("total", total(found));
    }
    members
}

/// `GET /v1/events/count`
pub(crate) async fn count(
    State(door): State<Arc<Door>>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Problem> {
    let params = Params::read(&uri, QUESTION)?;
    let question = params.question(&caller.viewer, Permission::ReadEvents)?;
    door.read(move |product| {
        let none = Total { value: 0, is_exact: true };
        let counted = params.or_nothing(product.count(&caller.viewer, &question).map(Some))?.unwrap_or(none);
        Ok(json(StatusCode::OK, object([("total", total(counted))])))
    })
    .await
}

/// `GET /v1/events/facets`
pub(crate) async fn facets(
    State(door): State<Arc<Door>>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Problem> {
    let params = Params::read_both(&uri, QUESTION, &["field", "n"])?;
    let question = params.question(&caller.viewer, Permission::ReadEvents)?;
    let fields: Vec<String> = params
        .get("field")
        .unwrap_or("type,status,severity,actor.id,llm.model")
        .split(',')
        .map(str::to_owned)
        .collect();
    if fields.len() > FACETS_MOST {
        return Err(wrong("field", &format!("at most {FACETS_MOST} fields")));
    }
    let most = params.number("n", 10, GROUPS_MOST)?;
    door.read(move |product| {
        let facets = params.or_nothing(product.facets(&caller.viewer, &question, &fields, most))?;
        let facets = facets.into_iter().map(|facet| Value::Object(one_facet(facet))).collect();
        Ok(json(StatusCode::OK, object([("facets", Value::Array(facets))])))
    })
    .await
}

/// `GET /v1/events/top`
pub(crate) async fn top(
    State(door): State<Arc<Door>>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Problem> {
    let params = Params::read_both(&uri, QUESTION, &["group", "sum", "n"])?;
    let question = params.question(&caller.viewer, Permission::ReadEvents)?;
    let group = params.get("group").ok_or_else(|| wrong("group", "say by which field"))?.to_owned();
    let measure = params.get("sum").map_or(Measure::Count, |field| Measure::Sum(field.to_owned()));
    let most = params.number("n", 10, GROUPS_MOST)?;
    door.read(move |product| {
        let top = product.top(&caller.viewer, &question, &group, &measure, most);
        let none = Facet { field: group, groups: Vec::new(), is_exact: true };
        let top = params.or_nothing(top.map(Some))?.unwrap_or(none);
        Ok(json(StatusCode::OK, one_facet(top)))
    })
    .await
}

/// `GET /v1/events/histogram`
pub(crate) async fn histogram(
    State(door): State<Arc<Door>>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Problem> {
    let params = Params::read_both(&uri, QUESTION, &["interval", "by", "n"])?;
    let question = params.question(&caller.viewer, Permission::ReadEvents)?;
    let step_ns = interval(params.get("interval").unwrap_or("1d"))?;
    let (from_ns, to_ns) = (params.time("from")?, params.time("to")?);
    let most = params.number("n", 10, 100)?;
    let by = params.get("by").map(|field| (field.to_owned(), most));
    door.read(move |product| {
        let interval = Interval { from_ns, to_ns, step_ns, by };
        let slots = params.or_nothing(product.histogram(&caller.viewer, &question, &interval))?;
        let slots = slots.into_iter().map(slot).collect();
        Ok(json(StatusCode::OK, object([("intervals", Value::Array(slots))])))
    })
    .await
}

/// `POST /v1/find-text`: the text is in the body, so that it is in no log of a proxy.
pub(crate) async fn find_text(
    State(door): State<Arc<Door>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request.uri(), &["organisation", "limit", "cursor"])?;
    let organisation = params.organisation(&caller.viewer, Permission::FindText)?;
    let paging = params.paging()?;
    let sent = Members::receive_at_most(&door, request, &["text"], TEXT_MOST).await?;
    let text = sent.needed("text")?.to_owned();
    door.read(move |product| {
        let filter = product.text_filter(&caller.viewer, &organisation, &text);
        let Some(filter) = params.or_nothing(filter.map(Some))? else {
            return Ok(json(StatusCode::OK, shown(nothing(paging.count))));
        };
        let question = Question { organisation, filter, consistent: true };
        let page = product.search(&caller.viewer, &question, &paging)?;
        Ok(json(StatusCode::OK, shown(page)))
    })
    .await
}

/// `GET /v1/filter`: what a filter means, or what is wrong with it, and what could stand at the cursor.
pub(crate) async fn filter(_: Caller, uri: Uri) -> Result<Response, Problem> {
    let params = Params::read(&uri, &["q", "at"])?;
    let text = params.get("q").unwrap_or_default();
    let at = match params.get("at") {
        Some(at) => at.parse().map_err(|_| wrong("at", "expected the byte of the cursor"))?,
        None => text.len(),
    };
    let completions = query::complete(text, at).into_iter().take(50).map(|one| {
        Value::Object(object([
            ("insert", Value::from(one.insert)),
            ("about", Value::from(one.about)),
            ("from", whole(one.replace.start as u64)),
            ("to", whole(one.replace.end as u64)),
        ]))
    });
    let mut members = object([("completions", Value::Array(completions.collect()))]);
    match query::Filter::parse(text) {
        Ok(filter) => drop(members.insert("canonical", filter.to_string())),
        Err(error) => {
            let mut wrong = object([
                ("message", Value::from(error.message)),
                ("from", whole(error.span.start as u64)),
                ("to", whole(error.span.end as u64)),
            ]);
            if let Some(suggestion) = error.suggestion {
                wrong.insert("suggestion", suggestion);
            }
            members.insert("error", Value::Object(wrong));
        }
    }
    Ok(json(StatusCode::OK, members))
}

fn total(total: Total) -> Value<'static> {
    Value::Object(object([("value", whole(total.value)), ("exact", Value::from(total.is_exact))]))
}

fn one_facet(facet: Facet) -> Object<'static> {
    object([
        ("field", Value::from(facet.field)),
        ("groups", Value::Array(facet.groups.into_iter().map(group).collect())),
        ("exact", Value::from(facet.is_exact)),
    ])
}

fn group(group: Group) -> Value<'static> {
    let mut members =
        object([("value", group.key.map_or(Value::Null, Value::from)), ("count", whole(group.count))]);
    if let Some(sum) = group.sum {
        members.insert("sum", sum);
    }
    Value::Object(members)
}

fn slot(slot: Slot) -> Value<'static> {
    let mut members =
        object([("from", Value::from(time::format_ns(slot.from_ns))), ("count", whole(slot.count))]);
    if !slot.split.is_empty() {
        members.insert("by", Value::Array(slot.split.into_iter().map(group).collect()));
    }
    Value::Object(members)
}

/// `15m`, `1h`, `1d`, `1w`.
fn interval(text: &str) -> Result<i64, Problem> {
    let bad = || wrong("interval", "expected a number and s, m, h, d or w, such as `1h`");
    let unit = text.chars().next_back().ok_or_else(bad)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return Err(bad()),
    };
    let number: i64 = text[..text.len() - 1].parse().map_err(|_| bad())?;
    match number {
        1..=10_000 => Ok(number * seconds * SECOND_NS),
        _ => Err(bad()),
    }
}
