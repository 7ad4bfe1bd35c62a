//! What one actor, session, trace, agent run or target did, or what was done to it: in time order, by day and session, with
//! the hours in which nothing happened, and who acted for whom.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use event::{Value, time};
use indelible::{AskError, Count, Group, Indelible, Measure, Order, Paging};
use query::{Expr, Filter, Test};

use crate::answer::html;
use crate::desk::Desk;
use crate::fault::{Fault, sentence as capital};
use crate::frame::{Frame, Link, organisation};
use crate::moment::{SECOND, show_minute, show_span};
use crate::narrow::Narrow;
use crate::question::{Ask, LATELY, Pairs, encode};
use crate::row::{Row, Rows, Status, currency, grouped};
use crate::search::HERE;
use crate::sentence::{label, text};
use crate::visitor::Visitor;

/// Events of a page.
const PAGE: usize = 200;
/// Longest id that is asked about.
const ID: usize = 1024;
/// Chains of delegation that are told.
const CHAINS: usize = 8;
/// Values that are told apart when all of them are added up: there are fewer statuses.
const STATUSES: usize = 300;

/// What a timeline may be of.
pub(crate) struct Kind {
    /// The word in the address.
    pub(crate) name: &'static str,
    /// `Timeline of actor`.
    title: &'static str,
    /// Where events say it.
    paths: &'static [&'static str],
    /// How long nothing must happen to be told.
    gap_ns: i64,
    /// From its beginning on, and at any time; else the newest of the last days.
    is_whole: bool,
}

impl Kind {
    /// The field that names it.
    pub(crate) fn path(&self) -> &'static str {
        self.paths[0]
    }
}

const MINUTE: i64 = 60 * SECOND;

/// Every kind. What acts is asked by all the names that events give it, and for whom it was done counts, too.
pub(crate) const KINDS: &[Kind] = &[
    Kind {
        name: "actor",
        title: "actor",
        paths: &["actor.id", "actor.email", "actor.on_behalf_of.id", "actor.on_behalf_of.email"],
        gap_ns: 60 * MINUTE,
        is_whole: false,
    },
    Kind {
        name: "target",
        title: "target",
        paths: &["targets.id", "targets.name"],
        gap_ns: 60 * MINUTE,
        is_whole: false,
    },
    Kind {
        name: "session",
        title: "session",
        paths: &["actor.session_id"],
        gap_ns: 5 * MINUTE,
        is_whole: true,
    },
    Kind { name: "trace", title: "trace", paths: &["trace_id"], gap_ns: 10 * SECOND, is_whole: true },
    Kind { name: "run", title: "agent run", paths: &["agent.run_id"], gap_ns: 5 * MINUTE, is_whole: true },
];

/// Where the timeline of something is.
pub(crate) fn place(kind: &str, id: &str, organisation: &str) -> String {
    format!("/timeline?by={kind}&id={}&organisation={}", encode(id), encode(organisation))
}

/// By what an actor's timeline is asked for.
pub(crate) fn name_of(someone: &Value<'_>) -> Option<String> {
    let said = ["id", "email"].into_iter().filter_map(|name| someone.get(name)?.as_str());
    said.map(str::to_owned).find(|name| !name.is_empty() && name.len() <= ID)
}

#[derive(Template)]
#[template(path = "timeline.html")]
struct Timeline {
    frame: Frame,
    title: &'static str,
    name: String,
    id: String,
    organisation: String,
    period: String,
    times: Vec<Link>,
    figures: Vec<(&'static str, String)>,
    /// When what is shown begins and ends.
    span: Option<String>,
    chains: Vec<Chain>,
    /// Not all of it is on this page.
    is_part: bool,
    days: Vec<Day>,
    earlier: Option<Link>,
    later: Option<Link>,
    search: String,
}

/// Who acted for whom, the nearest first, and how often.
struct Chain {
    links: Vec<Link>,
    count: String,
}

/// A day of it.
struct Day {
    name: String,
    lines: Vec<Line>,
}

/// A line of a day.
enum Line {
    Event(Box<Row>),
    /// Nothing happened for so long.
    Gap(String),
    /// From here on in another session.
    Session {
        name: String,
        place: String,
        from: String,
    },
}

/// What the product answers.
struct Answered {
    /// Of the page, in time order.
    events: Vec<Value<'static>>,
    next: Option<String>,
    /// Of all events of the time, by status.
    tokens: Vec<Group>,
    costs: Vec<Group>,
}

/// `GET /timeline`
pub(crate) async fn timeline(State(desk): State<Arc<Desk>>, visitor: Visitor, uri: Uri) -> Response {
    match desk.read(move |product| page(product, &visitor, &Pairs::of(&uri))).await {
        Ok(page) => html(StatusCode::OK, &page),
        Err(fault) => fault.into_response(),
    }
}

fn page(product: &Indelible, visitor: &Visitor, pairs: &Pairs) -> Result<Timeline, Fault> {
    let viewer = &visitor.viewer;
    let organisation = organisation(viewer, pairs.get("organisation"));
    let frame = |title: &str| Frame::open(title, product, visitor, &organisation, HERE);
    let wrong = |says: &str| Fault::wrong(says).framed(frame);
    let kind = pairs.get("by").unwrap_or("actor");
    let kind = KINDS.iter().find(|known| known.name == kind);
    let kind = kind.ok_or_else(|| wrong("There are timelines by actor, target, session, trace and run."))?;
    let id = pairs.get("id").filter(|id| id.len() <= ID);
    let id = id.ok_or_else(|| wrong("Whose timeline? The address names no id, or one that is too long."))?;

    let mut ask = Ask::read(pairs);
    if pairs.get("from").is_none() && kind.is_whole {
        ask.from = "all".to_owned();
    }
    (ask.columns, ask.order) = (Vec::new(), Order::Time);
    let now_ns = i64::try_from(product.now_ms()).unwrap_or(i64::MAX).saturating_mul(1_000_000);
    let period = ask.period(now_ns).map_err(|says| wrong(&capital(&format!("the time: {says}"))))?;
    let is = |path: &&str| Expr::Field { path: (*path).to_owned(), test: Test::Is(id.to_owned()) };
    let filter = match kind.paths {
        [path] => is(path),
        paths => Expr::Or(paths.iter().map(is).collect()),
    };
    ask.q = Filter::from(filter.clone()).to_string();
    let question = ask.question(&organisation, filter.into(), &period);

    let order = if kind.is_whole { Order::Oldest } else { Order::Time };
    let paging = Paging { order, cursor: ask.cursor.clone(), limit: PAGE, count: Count::No };
    let asked = || -> Result<Answered, AskError> {
        let mut page = product.search(viewer, &question, &paging)?;
        if order == Order::Time {
            page.events.reverse();
        }
        let sum =
            |field: &str| product.top(viewer, &question, "status", &Measure::Sum(field.to_owned()), STATUSES);
        let (tokens, costs) = (sum("llm.tokens_total")?.groups, sum("llm.cost")?.groups);
        Ok(Answered { events: page.events, next: page.next, tokens, costs })
    };
    let Answered { events, next, tokens, costs } =
        asked().map_err(|error| Fault::asked(error, viewer).framed(frame))?;

    let told = Told { kind, id, organisation: &organisation, ask: &ask };
    let on = |ask: Ask, text: &str| Link { text: text.to_owned(), place: told.link(&ask), is_here: false };
    let (older, newer) = (next.map(|cursor| ask.older(cursor)), ask.newer());
    let is_part = older.is_some() || newer.is_some();
    let (earlier, later) = match kind.is_whole {
        true => (newer.map(|ask| on(ask, "‹ Earlier")), older.map(|ask| on(ask, "Later ›"))),
        false => (older.map(|ask| on(ask, "‹ Earlier")), newer.map(|ask| on(ask, "Later ›"))),
    };
    let choice = |(from, name): &(&str, &str)| Link {
        text: (*name).to_owned(),
        place: told.link(&ask.with(|ask| (ask.from, ask.to) = ((*from).to_owned(), String::new()))),
        is_here: ask.from == *from && ask.to.is_empty(),
    };
    let name = told.name(&events);
    let span = match (events.first().and_then(moment), events.last().and_then(moment)) {
        (Some(first), Some(last)) if last - first >= SECOND => {
            Some(format!("{} – {}, {}", show_minute(first), show_minute(last), show_span(last - first)))
        }
        (Some(first), _) => Some(show_minute(first)),
        _ => None,
    };
    Ok(Timeline {
        frame: frame(&format!("Timeline of {name}")),
        title: kind.title,
        id: if name == id { String::new() } else { id.to_owned() },
        name,
        period: period.name.clone(),
        times: LATELY.iter().map(choice).collect(),
        figures: figures(&tokens, &costs, &events),
        span,
        chains: told.chains(&events),
        is_part,
        days: told.days(&events),
        earlier,
        later,
        search: ask.with(|_| ()).link(),
        organisation,
    })
}

/// Of what it is, for everything that is told.
struct Told<'p> {
    kind: &'static Kind,
    id: &'p str,
    organisation: &'p str,
    ask: &'p Ask,
}

impl Told<'_> {
    /// The same timeline, of another time or page.
    fn link(&self, ask: &Ask) -> String {
        let mut link = place(self.kind.name, self.id, self.organisation);
        let mut add = |name: &str, value: &str| {
            link.push_str(&format!("&{name}={}", encode(value)));
        };
        add("from", &ask.from);
        if !ask.to.is_empty() {
            add("to", &ask.to);
        }
        ask.cursor.iter().for_each(|cursor| add("cursor", cursor));
        ask.back.iter().for_each(|cursor| add("back", cursor));
        link
    }

    /// What people call it, as far as an event says so.
    fn name(&self, events: &[Value<'_>]) -> String {
        let is_it = |someone: &&Value<'_>| {
            ["id", "email"].iter().any(|name| someone.get(name).and_then(Value::as_str) == Some(self.id))
        };
        let found = |event: &Value<'_>| match self.kind.name {
            "actor" => {
                let whom = event.pointer("/actor/on_behalf_of").and_then(Value::as_array).unwrap_or_default();
                event.get("actor").into_iter().chain(whom).find(is_it).and_then(label)
            }
            "target" => {
                let targets = event.get("targets").and_then(Value::as_array).unwrap_or_default();
                let target = targets.iter().find(is_it)?;
                target.get("name").and_then(Value::as_str).filter(|name| !name.is_empty()).map(str::to_owned)
            }
            _ => None,
        };
        events.iter().rev().find_map(found).unwrap_or_else(|| self.id.to_owned())
    }

    /// Who acted for whom in these events, the most frequent first.
    fn chains(&self, events: &[Value<'_>]) -> Vec<Chain> {
        let mut counted: BTreeMap<Vec<(String, Option<String>)>, u64> = BTreeMap::new();
        for event in events {
            let whom = event.pointer("/actor/on_behalf_of").and_then(Value::as_array).unwrap_or_default();
            let Some(actor) = event.get("actor").filter(|_| !whom.is_empty()) else { continue };
            let someone =
                |one: &Value<'_>| (label(one).unwrap_or_else(|| "somebody".to_owned()), name_of(one));
            *counted.entry(std::iter::once(actor).chain(whom).map(someone).collect()).or_default() += 1;
        }
        let mut counted: Vec<_> = counted.into_iter().collect();
        counted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let link = |(name, id): (String, Option<String>)| Link {
            is_here: self.kind.name == "actor" && id.as_deref() == Some(self.id),
            place: id.map(|id| place("actor", &id, self.organisation)).unwrap_or_default(),
            text: name,
        };
        let chain = |(links, count): (Vec<_>, u64)| Chain {
            links: links.into_iter().map(link).collect(),
            count: match count {
                1 => "once".to_owned(),
                count => format!("{} times", grouped(&count.to_string())),
            },
        };
        counted.into_iter().take(CHAINS).map(chain).collect()
    }

    fn days(&self, events: &[Value<'_>]) -> Vec<Day> {
        let rows = Rows { ask: self.ask, narrow: Narrow::new(""), organisation: self.organisation };
        let sessions: Vec<String> = events.iter().map(|event| text(event, "/actor/session_id")).collect();
        let changes = sessions.windows(2).filter(|pair| pair[0] != pair[1]).count();
        // Where every other event is of another session, headings tell nothing.
        let with_sessions = self.kind.name == "actor" && changes * 2 < events.len().max(1);
        let mut days: Vec<Day> = Vec::new();
        let mut before: Option<(i64, &str)> = None;
        for (event, session) in events.iter().zip(&sessions) {
            let mut row = rows.row(event);
            if self.kind.name == "actor" && text(event, "/actor/id") == self.id {
                row.line = None;
            }
            if days.last().is_none_or(|day| day.name != row.day) {
                days.push(Day { name: row.day.clone(), lines: Vec::new() });
            }
            let Some(day) = days.last_mut() else { continue };
            let at = moment(event);
            if let (Some((last, _)), Some(at)) = (before, at)
                && at - last >= self.kind.gap_ns
            {
                day.lines.push(Line::Gap(show_span(at - last)));
            }
            if with_sessions && !session.is_empty() && before.is_none_or(|(_, last)| last != session) {
                day.lines.push(Line::Session {
                    name: crate::row::short(session, 40),
                    place: place("session", session, self.organisation),
                    from: text(event, "/actor/ip"),
                });
            }
            day.lines.push(Line::Event(Box::new(row)));
            before = at.map(|at| (at, session.as_str())).or(before);
        }
        days
    }
}

/// When an event happened, as its sender says.
fn moment(event: &Value<'_>) -> Option<i64> {
    time::parse(&text(event, "/time")).ok()
}

/// All events of the question, not only those on the page: how many, how many went wrong, what they cost.
fn figures(tokens: &[Group], costs: &[Group], events: &[Value<'_>]) -> Vec<(&'static str, String)> {
    let is_bad =
        |group: &&Group| group.key.as_deref().and_then(Status::of).is_some_and(|status| status.is_bad);
    let count = |groups: &mut dyn Iterator<Item = &Group>| groups.map(|group| group.count).sum::<u64>();
    let total = count(&mut tokens.iter());
    let bad = count(&mut tokens.iter().filter(is_bad));
    let mut figures = vec![("events", grouped(&total.to_string()))];
    if total > 0 {
        figures.push(("did not go well", grouped(&bad.to_string())));
    }
    let used: u64 = tokens.iter().filter_map(|group| group.sum.as_deref()?.parse::<u64>().ok()).sum();
    if used > 0 {
        figures.push(("tokens", grouped(&used.to_string())));
    }
    let spent = add_decimals(costs.iter().filter_map(|group| group.sum.as_deref()));
    if spent != "0" {
        let currencies = events.iter().filter(|event| event.pointer("/llm/cost").is_some()).map(currency);
        let mut currencies: Vec<String> = currencies.collect();
        currencies.sort();
        currencies.dedup();
        let unit = match currencies.as_slice() {
            [] => "",
            [one] => one,
            _ => "in several currencies",
        };
        figures.push(("cost", format!("{spent} {unit}").trim_end().to_owned()));
    }
    figures
}

/// The sum of decimals without an exponent, exactly; what is none of these is passed over.
fn add_decimals<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    const PLACES: usize = 12;
    let read = |text: &str| {
        let (digits, sign) = text.strip_prefix('-').map_or((text, 1), |digits| (digits, -1));
        let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
        let padded = format!("{whole}{:0<PLACES$.PLACES$}", places);
        padded.parse::<i128>().ok().map(|number| sign * number)
    };
    let sum = texts.filter_map(read).fold(0_i128, i128::saturating_add);
    let unit = 10_i128.pow(PLACES as u32);
    let (whole, places) = (sum.abs() / unit, format!("{:0PLACES$}", sum.abs() % unit));
    let sign = if sum < 0 { "-" } else { "" };
    match places.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        // Money has two places at least.
        places => format!("{sign}{whole}.{places:0<2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_added_exactly() {
        for (texts, sum) in [
            (&["0.1", "0.2"][..], "0.30"),
            (&["1.5", "-0.5"], "1"),
            (&["0.000000001", "1"], "1.000000001"),
            (&["-0.25"], "-0.25"),
            (&[], "0"),
            (&["x", "", "2"], "2"),
        ] {
            assert_eq!(add_decimals(texts.iter().copied()), sum, "{texts:?}");
        }
    }

    #[test]
    fn every_kind_has_an_address() {
        for kind in KINDS {
            assert_eq!(
                place(kind.name, "a b/&", "acme"),
                format!("/timeline?by={}&id=a%20b%2F%26&organisation=acme", kind.name)
            );
        }
    }
}
