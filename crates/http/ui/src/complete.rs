//! What may come next in a filter, for whoever types one: names, operators and words of the language, and values that
//! events have.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use event::{Object, Value};
use indelible::{AskError, Facet};
use query::Filter;

use crate::answer::written;
use crate::desk::Desk;
use crate::fault::Fault;
use crate::frame::organisation;
use crate::narrow::clause;
use crate::question::{Ask, Pairs};
use crate::visitor::Visitor;

/// Offers in all, and values that are counted for them.
const OFFERS: usize = 12;
const VALUES: usize = 200;

struct Offer {
    insert: String,
    about: String,
    from: usize,
    to: usize,
}

/// `GET /search/complete`: `q` is the text, `at` the byte of the cursor in it.
pub(crate) async fn complete(State(desk): State<Arc<Desk>>, visitor: Visitor, uri: Uri) -> Response {
    let pairs = Pairs::of(&uri);
    let ask = Ask::read(&pairs);
    let at = pairs.get("at").and_then(|at| at.parse().ok()).unwrap_or(ask.q.len());
    let offers = desk.read(move |product| {
        let mut offers: Vec<Offer> = query::complete(&ask.q, at)
            .into_iter()
            .map(|one| Offer {
                insert: one.insert,
                about: one.about,
                from: one.replace.start,
                to: one.replace.end,
            })
            .collect();
        if let Some((paths, place)) = query::value_at(&ask.q, at) {
            let organisation = organisation(&visitor.viewer, ask.organisation.as_deref());
            let now_ns = i64::try_from(product.now_ms()).unwrap_or(i64::MAX).saturating_mul(1_000_000);
            if let Ok(period) = ask.period(now_ns) {
                let question = ask.question(&organisation, Filter::all(), &period);
                for path in paths.iter().rev() {
                    let fields = std::slice::from_ref(path);
                    let counted = match product.facets(&visitor.viewer, &question, fields, VALUES) {
                        // Not every field is counted, and nothing may be there yet.
                        Err(AskError::Wrong(_) | AskError::NotFound) => Vec::new(),
                        counted => counted.map_err(|error| Fault::asked(error, &visitor.viewer))?,
                    };
                    offers.splice(0..0, values(path, &ask.q[place.clone()], place.clone(), counted));
                }
            }
        }
        let mut seen = std::collections::HashSet::new();
        offers.retain(|offer| seen.insert(offer.insert.clone()));
        offers.truncate(OFFERS);
        Ok(offers)
    });
    match offers.await {
        Ok(offers) => {
            let offers = offers.into_iter().map(|offer| Value::Object(shown(offer))).collect::<Vec<_>>();
            written(StatusCode::OK, "application/json", Value::from(offers).to_jcs())
        }
        Err(fault) => fault.into_response(),
    }
}

/// Values of a field that events have, and that hold what was typed; the most frequent first.
fn values(path: &str, typed: &str, place: std::ops::Range<usize>, counted: Vec<Facet>) -> Vec<Offer> {
    let typed = query::fold(typed.trim_matches('"')).into_owned();
    let groups = counted.into_iter().flat_map(|facet| facet.groups);
    let known = groups.filter_map(|group| Some((group.key?, group.count)));
    let fits = known.filter(|(value, _)| query::fold(value).contains(&typed));
    let offer = |(value, count): (String, u64)| {
        let text = clause(path, Some(&value));
        let insert = text.strip_prefix(path).and_then(|rest| rest.strip_prefix(':'))?.to_owned();
        let about = if count == 1 { "1 event".to_owned() } else { format!("{count} events") };
        Some(Offer { insert, about, from: place.start, to: place.end })
    };
    fits.filter_map(offer).take(OFFERS).collect()
}

fn shown(offer: Offer) -> Object<'static> {
    let place = |at: usize| Value::integer(i64::try_from(at).unwrap_or(0)).unwrap_or(Value::Null);
    let mut members = Object::new();
    members.insert("insert", offer.insert);
    members.insert("about", offer.about);
    members.insert("from", place(offer.from));
    members.insert("to", place(offer.to));
    members
}
