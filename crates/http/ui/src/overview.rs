//! The overview: what went on in a stretch of time, in figures. Each leads to the search that shows its events.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use indelible::{AskError, Facet, Indelible, Interval, Measure, Question, Survey, Upkeep};
use query::{Expr, Filter};

use crate::answer::html;
use crate::bars::{self, Chart};
use crate::desk::Desk;
use crate::fault::{Fault, sentence};
use crate::figures::{brief, bytes, change, money, nano};
use crate::frame::{Frame, Link, organisation};
use crate::moment::Period;
use crate::narrow::{Narrow, clause};
use crate::question::{Ask, LATELY, Pairs, encode};
use crate::row::{grouped, short};
use crate::visitor::Visitor;

/// `/overview`
pub(crate) const HERE: &str = "/overview";
/// Values of a table.
const ROWS: usize = 6;
/// Values whose tokens are looked up beside their cost.
const MANY: usize = 500;

/// What did not go as it should, other than by somebody's rule.
const FAILURES: &str = "status:(failed OR error OR timeout)";
/// What a guardrail kept back.
const BLOCKS: &str = "category:guardrail status:blocked";
/// Everything about a model.
const MODELS: &str = "exists:llm";
/// Done by whoever has no e-mail address.
const WITHOUT_ADDRESS: &str = "-exists:actor.email exists:actor.id";
/// What is asked often: in words, and as a filter.
const OFTEN: &[(&str, &str)] = &[
    ("Sign-ins that failed", "type:auth.* status:(failed OR error OR blocked)"),
    ("Budgets that were changed", "type:budget.*"),
    (
        "Keys, roles and users that were changed",
        "type:(key.* OR user.* OR authz.role_changed OR authz.permission_* OR config.*)",
    ),
    ("Done by agents for somebody", "exists:actor.on_behalf_of"),
    ("Data that was taken out", "type:(data.exported OR audit.export)"),
    ("High and critical", "severity>=high"),
];
/// Prices that are not in dollars, which are summed as if they were.
const OTHER_MONEY: &str = "exists:llm.cost exists:llm.currency -llm.currency:USD";

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    frame: Frame,
    organisation: String,
    /// The hidden fields of the form that searches in this time.
    hidden: Vec<(&'static str, String)>,
    period: String,
    choices: Vec<Link>,
    earlier: Option<String>,
    later: Option<String>,
    is_own_only: bool,
    figures: Vec<Figure>,
    chart: Option<Chart>,
    splits: Vec<Link>,
    rankings: Vec<Ranking>,
    /// Where prices are that are not in dollars, and how many.
    other_money: Option<Link>,
    upkeep: Option<Kept>,
}

/// A number in large type.
struct Figure {
    name: &'static str,
    value: String,
    change: String,
    place: String,
    is_bad: bool,
}

/// A table of values, the largest first.
struct Ranking {
    heading: &'static str,
    /// What the rows are, and what the numbers.
    columns: Vec<&'static str>,
    rows: Vec<Ranked>,
    /// What is said instead of rows.
    nothing: &'static str,
    is_bad: bool,
    /// What all addresses end with: said once.
    domain: String,
}

impl Ranking {
    fn of(path: &str, mut rows: Vec<Ranked>) -> Ranking {
        let domains = rows.iter().filter_map(|row| Some(row.name.split_once('@')?.1));
        let domain = domains.clone().next().filter(|first| domains.clone().all(|domain| domain == *first));
        let domain = domain.filter(|_| path == "actor.email").unwrap_or_default().to_owned();
        for row in rows.iter_mut().filter(|_| !domain.is_empty()) {
            if let Some((name, _)) = row.name.split_once('@') {
                row.shown = name.to_owned();
            }
        }
        Ranking { heading: "", columns: Vec::new(), rows, nothing: "", is_bad: false, domain }
    }
}

struct Ranked {
    /// As it is shown.
    shown: String,
    /// The whole.
    name: String,
    place: String,
    /// Of the largest, in parts of a hundred.
    share: u64,
    cells: Vec<String>,
}

/// The views and the disk.
struct Kept {
    lag: String,
    is_behind: bool,
    administration: &'static str,
    parts: Vec<(&'static str, String)>,
    total: String,
    growth: String,
}

/// `GET /overview`
pub(crate) async fn overview(State(desk): State<Arc<Desk>>, visitor: Visitor, uri: Uri) -> Response {
    let mut ask = Ask::read(&Pairs::of(&uri)).with_q("");
    if ask.from == "all" {
        ask.from = LATELY[3].0.to_owned();
    }
    (ask.by, ask.is_dense) = ("status", false);
    match desk.read(move |product| page(product, &visitor, &ask)).await {
        Ok(page) => html(StatusCode::OK, &page),
        Err(fault) => fault.into_response(),
    }
}

fn page(product: &Indelible, visitor: &Visitor, ask: &Ask) -> Result<Overview, Fault> {
    let viewer = &visitor.viewer;
    let organisation = organisation(viewer, ask.organisation.as_deref());
    let frame = |title: &str| Frame::open(title, product, visitor, &organisation, HERE);
    let now_ns = i64::try_from(product.now_ms()).unwrap_or(i64::MAX).saturating_mul(1_000_000);
    let period = ask.period(now_ns).map_err(|why| Fault::wrong(sentence(&why)).framed(frame))?;
    let place = |from: &str, to: &str| {
        let mut pairs = ask.pairs_without(&["from", "to"]);
        pairs.push(("from", from.to_owned()));
        pairs.extend((!to.is_empty()).then(|| ("to", to.to_owned())));
        let pairs: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        format!("{HERE}?{}", pairs.join("&"))
    };
    let choice = |(value, name): &(&'static str, &'static str)| Link {
        text: (*name).to_owned(),
        place: place(value, ""),
        is_here: ask.from == *value && ask.to.is_empty(),
    };
    let neighbours = period.neighbours();
    let mut page = Overview {
        frame: frame("Overview"),
        hidden: ask.pairs_without(&["q"]),
        choices: LATELY.iter().filter(|(value, _)| *value != "all").map(choice).collect(),
        earlier: neighbours.as_ref().map(|((from, to), _)| place(from, to)),
        later: neighbours.and_then(|(_, later)| later).map(|(from, to)| place(&from, &to)),
        period: period.name.clone(),
        is_own_only: viewer
            .check(access::Permission::ReadEvents, &organisation)
            .is_ok_and(|granted| !granted.sees_every_row()),
        figures: Vec::new(),
        chart: None,
        splits: Vec::new(),
        rankings: Vec::new(),
        other_money: None,
        upkeep: None,
        organisation: organisation.clone(),
    };
    let before = before(ask, &period);
    let both = match &before {
        Some(before) => Filter::from(Expr::Or(vec![before.expr().clone(), period.filter.expr().clone()])),
        None => period.filter.clone(),
    };
    let question = Question { organisation: organisation.clone(), filter: both, consistent: false };
    match product.survey(viewer, &question) {
        Ok(survey) => {
            let look = Look { survey: &survey, ask, period: &period, before };
            look.fill(&mut page).map_err(|error| Fault::asked(error, viewer).framed(frame))?;
        }
        // Nothing was ever recorded: the page says so.
        Err(AskError::NotFound) if ask.organisation.is_none() => {}
        Err(error) => return Err(Fault::asked(error, viewer).framed(frame)),
    }
    if viewer.check(access::Permission::Health, &organisation).is_ok() {
        page.upkeep = match product.upkeep(viewer, &organisation) {
            Err(AskError::NotFound) => None,
            upkeep => Some(kept(&upkeep.map_err(|error| Fault::asked(error, viewer).framed(frame))?)),
        };
    }
    Ok(page)
}

/// As long before: with the same words, where the time is relative, so that it is the same question each time.
fn before(ask: &Ask, period: &Period) -> Option<Filter> {
    let twice = |from: &str| {
        let length = from.strip_prefix("now-")?;
        let at = length.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = length.split_at(at);
        Some(format!("now-{}{unit}", number.parse::<u32>().ok()?.checked_mul(2)?))
    };
    let (from, to) = match twice(&ask.from) {
        Some(from) if ask.to.is_empty() => (from, ask.from.clone()),
        _ => period.neighbours()?.0,
    };
    Filter::parse(&format!("time>={from} time<{to}")).ok()
}

/// A survey of a stretch of time and the one before it.
struct Look<'l> {
    survey: &'l Survey<'l>,
    ask: &'l Ask,
    period: &'l Period,
    before: Option<Filter>,
}

impl Look<'_> {
    fn fill(&self, page: &mut Overview) -> Result<(), AskError> {
        let everything = self.now("");
        let interval = |cut: bars::Cut| Interval {
            from_ns: Some(cut.from_ns),
            to_ns: Some(cut.to_ns),
            step_ns: cut.step_ns,
            by: Some(("status".to_owned(), bars::SPLIT + 3)),
        };
        let from_ns = self.period.from_ns.unwrap_or(0);
        let cut = bars::cut(from_ns, self.period.to_ns.unwrap_or(self.period.now_ns).max(from_ns + 1));
        let slots = self.survey.histogram(&everything, &interval(cut))?;
        page.chart = bars::chart(&slots, cut, self.ask, &Narrow::new(""), self.period);
        page.figures = self.figures()?;
        let who = self.who(&everything)?;
        page.rankings.push(self.asked_often()?);
        let nobody = "Nobody did anything in this time.";
        page.rankings.push(self.counted("Most active people", &[who], "", nobody, false)?);
        if who != "actor.id" {
            let heading = "Most active agents and services";
            page.rankings.push(self.counted(
                heading,
                &["actor.id"],
                WITHOUT_ADDRESS,
                "None did anything in this time.",
                false,
            )?);
        }
        let (cost, tokens) = ("USD", "Tokens");
        for (heading, field) in [
            ("Cost by user", who),
            ("Cost by project", "project"),
            ("Models", "llm.model"),
            ("Providers", "llm.provider"),
        ] {
            page.rankings.push(self.paid(heading, field, &["Calls", tokens, cost])?);
        }
        let fine = "Nothing failed in this time.";
        page.rankings.push(self.counted("Failures by kind", &["type"], FAILURES, fine, true)?);
        page.rankings.push(self.counted("Failures by user", &[who], FAILURES, fine, true)?);
        let fine = "No guardrail blocked anything in this time.";
        page.rankings.push(self.counted("Guardrail blocks by user", &[who], BLOCKS, fine, true)?);
        page.rankings.push(self.counted("Guardrail blocks by project", &["project"], BLOCKS, fine, true)?);
        let other = self.survey.total(&self.now(OTHER_MONEY))?.value;
        page.other_money = (other > 0).then(|| Link {
            text: grouped(&other.to_string()),
            place: self.search(OTHER_MONEY),
            is_here: false,
        });
        Ok(())
    }

    /// The part of the time that is shown in which a filter holds.
    fn now(&self, q: &str) -> Filter {
        self.period.filter.clone().and(Filter::parse(q).unwrap_or_default())
    }

    fn search(&self, q: &str) -> String {
        self.ask.with_q(q).link()
    }

    fn figures(&self) -> Result<Vec<Figure>, AskError> {
        let mut figures = Vec::new();
        for (name, q, is_bad) in [
            ("Events", "", false),
            ("Failures", FAILURES, true),
            ("Guardrail blocks", BLOCKS, true),
            ("Model calls", MODELS, false),
        ] {
            let now = self.survey.total(&self.now(q))?.value;
            let before = match &self.before {
                Some(before) => {
                    let part = before.clone().and(Filter::parse(q).unwrap_or_default());
                    Some(self.survey.total(&part)?.value)
                }
                None => None,
            };
            figures.push(Figure {
                name,
                value: grouped(&now.to_string()),
                change: before.map_or_else(String::new, |before| change(now.into(), before.into())),
                place: self.search(q),
                is_bad: is_bad && now > 0,
            });
        }
        for (name, field) in [("Tokens", "llm.tokens_total"), ("Cost, USD", "llm.cost")] {
            let now = self.sum(&self.period.filter, field)?;
            let before = self.before.as_ref().map(|before| self.sum(before, field)).transpose()?;
            figures.push(Figure {
                name,
                value: if field == "llm.cost" {
                    money(now)
                } else {
                    brief(u64::try_from(now / SUMMED).unwrap_or(0))
                },
                change: before.map_or_else(String::new, |before| change(now, before)),
                place: self.search(&format!("exists:{field}")),
                is_bad: false,
            });
        }
        Ok(figures)
    }

    /// The sum of a field, in thousand millionths. Every event is of some category.
    fn sum(&self, time: &Filter, field: &str) -> Result<i128, AskError> {
        let part = time.clone().and(Filter::parse(MODELS).unwrap_or_default());
        let all = self.survey.top(&part, "category", &Measure::Sum(field.to_owned()), MANY)?;
        Ok(all.groups.iter().filter_map(|group| nano(group.sum.as_deref()?)).sum())
    }

    /// People by their address, or by their id where nobody has one.
    fn who(&self, part: &Filter) -> Result<&'static str, AskError> {
        let facets = self.survey.facets(part, &["actor.email"], 2)?;
        let has_address = facets.iter().flat_map(|facet| &facet.groups).any(|group| group.key.is_some());
        Ok(if has_address { "actor.email" } else { "actor.id" })
    }

    /// Questions that somebody who comes here for the first time has.
    fn asked_often(&self) -> Result<Ranking, AskError> {
        let mut rows = Vec::new();
        for (shown, q) in OFTEN {
            let count = self.survey.total(&self.now(q))?.value;
            rows.push(Ranked {
                shown: (*shown).to_owned(),
                name: (*q).to_owned(),
                place: self.search(q),
                share: 0,
                cells: vec![grouped(&count.to_string())],
            });
        }
        let (heading, columns) = ("Asked often", vec!["Question", "Events"]);
        Ok(Ranking { heading, columns, rows, nothing: "", is_bad: false, domain: String::new() })
    }

    fn counted(
        &self,
        heading: &'static str,
        field: &[&'static str; 1],
        q: &str,
        nothing: &'static str,
        is_bad: bool,
    ) -> Result<Ranking, AskError> {
        let [path] = *field;
        let facet = self.survey.facets(&self.now(q), field, ROWS)?.pop();
        let mut groups = facet.map_or_else(Vec::new, |facet| facet.groups);
        // What says nothing comes last, however many events say nothing.
        groups.sort_by_key(|group| group.key.is_none());
        let said = groups.iter().filter(|group| group.key.is_some());
        let most = said.map(|group| group.count).max().unwrap_or(0).max(1);
        let rows = groups.iter().map(|group| Ranked {
            shown: name(path, group.key.as_deref()),
            name: name(path, group.key.as_deref()),
            place: self.search(&Narrow::new(q).and(&clause(path, group.key.as_deref()))),
            share: if group.key.is_some() { group.count * 100 / most } else { 0 },
            cells: vec![grouped(&group.count.to_string())],
        });
        let columns = vec![title(path), "Events"];
        Ok(Ranking { heading, columns, nothing, is_bad, ..Ranking::of(path, rows.collect()) })
    }

    /// Who or what cost most; by tokens, where nothing has a price.
    fn paid(
        &self,
        heading: &'static str,
        path: &'static str,
        columns: &[&'static str; 3],
    ) -> Result<Ranking, AskError> {
        let part = self.now(MODELS);
        let top = |field: &str| self.survey.top(&part, path, &Measure::Sum(field.to_owned()), MANY);
        let (cost, tokens) = (top("llm.cost")?, top("llm.tokens_total")?);
        let of = |facet: &Facet, key: &Option<String>| {
            let group = facet.groups.iter().find(|group| group.key == *key)?;
            nano(group.sum.as_deref()?)
        };
        let is_priced =
            cost.groups.iter().any(|group| group.sum.as_deref().and_then(nano).is_some_and(|sum| sum != 0));
        let leading = if is_priced { &cost } else { &tokens };
        let most =
            leading.groups.iter().filter_map(|group| nano(group.sum.as_deref()?)).max().unwrap_or(0).max(1);
        let rows = leading.groups.iter().take(ROWS).map(|group| {
            let (paid, used) = (of(&cost, &group.key), of(&tokens, &group.key));
            let mine = if is_priced { paid } else { used }.unwrap_or(0).max(0);
            Ranked {
                shown: name(path, group.key.as_deref()),
                name: name(path, group.key.as_deref()),
                place: self.search(&format!("{MODELS} {}", clause(path, group.key.as_deref()))),
                share: u64::try_from(mine.saturating_mul(100) / most).unwrap_or(0),
                cells: vec![
                    grouped(&group.count.to_string()),
                    used.map_or_else(String::new, |used| brief(u64::try_from(used / SUMMED).unwrap_or(0))),
                    paid.map_or_else(String::new, money),
                ],
            }
        });
        let columns = [&[title(path)], &columns[..]].concat();
        let nothing = "No model was called in this time.";
        Ok(Ranking { heading, columns, nothing, ..Ranking::of(path, rows.collect()) })
    }
}

/// What [`nano`] multiplies by.
const SUMMED: i128 = 1_000_000_000;

fn title(path: &str) -> &'static str {
    match path {
        "actor.email" | "actor.id" => "User",
        "project" => "Project",
        "llm.model" => "Model",
        "llm.provider" => "Provider",
        _ => "Kind",
    }
}

fn name(path: &str, key: Option<&str>) -> String {
    match key {
        Some(key) => short(key, 60),
        None if path == "actor.email" => "without an e-mail address".to_owned(),
        None => "not said".to_owned(),
    }
}

fn kept(upkeep: &Upkeep) -> Kept {
    let (stats, lag) = (&upkeep.stats, &upkeep.lag);
    let behind = lag.searchable.map(|searchable| lag.size.saturating_sub(searchable));
    let parts = [
        ("Events, sealed and compressed", stats.segment_bytes),
        ("Journals, room ahead included", stats.journal_bytes),
        ("Hashes of the tree", stats.tile_bytes),
        ("Ids that were recorded", stats.id_bytes),
        ("Signed checkpoints", stats.head_bytes),
        ("Search index", lag.bytes),
    ];
    let total: u64 = parts.iter().map(|(_, bytes)| bytes).sum();
    let lasting = stats.segment_bytes + stats.tile_bytes + stats.id_bytes;
    let each = lasting.checked_div(stats.sealed).map(|each| each + lag.bytes / lag.size.max(1));
    let rate = match upkeep.grown {
        [_, Some(week)] => Some(("seven days", week, week.saturating_mul(30) / 7)),
        [Some(day), None] => Some(("day", day, day.saturating_mul(30))),
        [None, None] => None,
    };
    let growth = match (each, rate) {
        (Some(each), Some((lately, grown, month))) => format!(
            "{} an event. {} came in the last {lately}; at this rate it grows by {} in 30 days.",
            bytes(each),
            brief(grown),
            bytes(each.saturating_mul(month))
        ),
        (Some(each), None) => {
            format!("{} an event. How fast it grows can be told when it is a day old.", bytes(each))
        }
        (None, _) => "Nothing is sealed yet, so that what an event takes can’t be told.".to_owned(),
    };
    Kept {
        lag: match behind {
            Some(0) if upkeep.is_scanned => {
                "Small enough to be read through for each question: nothing to wait for.".to_owned()
            }
            Some(0) => "Everything that is recorded can be found.".to_owned(),
            Some(1) => "1 event behind the ledger.".to_owned(),
            Some(n) => format!("{} events behind the ledger.", grouped(&n.to_string())),
            None => "Not open now; it is opened by the next question.".to_owned(),
        },
        is_behind: behind.is_some_and(|behind| behind > 10_000),
        administration: match upkeep.change_waits {
            true => "A change is recorded and does not hold yet.",
            false => "Every change that is recorded holds.",
        },
        parts: parts.iter().map(|(name, size)| (*name, bytes(*size))).collect(),
        total: bytes(total),
        growth,
    }
}
