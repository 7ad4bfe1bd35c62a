//! Integrity: what is signed, what could still be written anew, whose events are missing, and the ledger verified while one
//! looks.

use std::sync::Arc;

use access::Permission;
use askama::Template;
use axum::extract::State;
use axum::http::header::CONTENT_DISPOSITION;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use event::{Value, time};
use indelible::{AskError, Indelible, Paging, Question, Sequence, Standing};
use query::Filter;

use crate::answer::{html, see_other, written};
use crate::check::{Busy, Check, Checks, Outcome};
use crate::desk::Desk;
use crate::fault::{Fault, sentence};
use crate::figures::lasting;
use crate::frame::{Frame, organisation};
use crate::moment::show_minute;
use crate::narrow::clause;
use crate::question::{Pairs, encode};
use crate::row::{Status, grouped, place};
use crate::sentence::text;
use crate::visitor::{Posted, Visitor};

/// `/integrity`
pub(crate) const HERE: &str = "/integrity";
/// Verifications that are listed.
const VERIFIED: usize = 5;
/// Positions whose evidence is offered before somebody says which.
const RANGE: u64 = 100;
/// What says that all of a ledger was read and checked.
const CHECKED: &str = "type:(audit.verified OR ledger.scrubbed)";

#[derive(Template)]
#[template(path = "integrity.html")]
struct Page {
    frame: Frame,
    organisation: String,
    /// This page, not a part of it: a browser that is sent to a part of what it shows loads nothing.
    place: String,
    ledger: Ledger,
    check: Part,
    past: Option<Past>,
    /// The first and the last position of the newest signed events, for whoever may have evidence of a range.
    evidence: Option<(u64, u64)>,
    /// Nothing for whoever does not see every event: what is missing can't be told from what is not shown.
    sequences: Option<Vec<Numbers>>,
}

/// What is signed, in words.
struct Ledger {
    size: String,
    unsigned: u64,
    origin: String,
    identity: String,
    checkpoint: Option<Checkpoint>,
    epoch: u64,
    exposed: String,
    exposed_for: Option<String>,
    exposed_since: String,
    exposed_place: String,
    sealed_off: Option<(String, String)>,
    has_heads_copy: bool,
    clock_held: bool,
    file: String,
}

struct Checkpoint {
    size: String,
    ago: String,
    when: String,
    root: String,
    note: String,
}

/// A verification that goes on or is over.
#[derive(Template)]
#[template(path = "check.html")]
struct Part {
    organisation: String,
    form_token: String,
    running: Option<Running>,
    over: Option<Over>,
    /// Why none was begun.
    busy: Option<&'static str>,
}

struct Running {
    done: String,
    total: String,
    /// In parts of a hundred.
    share: u64,
    lasting: String,
}

struct Over {
    is_good: bool,
    verdict: String,
    findings: Vec<(String, String)>,
    notes: Vec<String>,
    ago: String,
    took: String,
}

/// Verifications that are on record.
struct Past {
    all: String,
    each: Vec<Verified>,
}

struct Verified {
    when: String,
    who: String,
    verdict: String,
    status: Option<Status>,
    leaves: String,
    place: String,
}

/// Numbers of a producer, in words.
struct Numbers {
    producer: String,
    place: String,
    first: String,
    last: String,
    seen: String,
    missing: String,
    is_whole: bool,
    repeats: bool,
    gaps: Vec<String>,
    more: bool,
}

/// `GET /integrity`; `part=check` asks for the verification alone.
pub(crate) async fn integrity(State(desk): State<Arc<Desk>>, visitor: Visitor, uri: Uri) -> Response {
    let pairs = Pairs::of(&uri);
    let named = pairs.get("organisation").map(str::to_owned);
    let is_part = pairs.get("part") == Some("check");
    let busy = match pairs.get("busy") {
        Some("elsewhere") => Some("Another ledger is being verified; one is at a time."),
        Some("lately") => Some(
            "It has just been verified. So that checking does not slow down recording, it rests for as long as it took.",
        ),
        _ => None,
    };
    let checks = desk.checks().clone();
    let made = desk.read(move |product| {
        let organisation = organisation(&visitor.viewer, named.as_deref());
        let part = Part::new(product, &checks, &visitor, &organisation, busy);
        if is_part {
            let may = visitor.viewer.check(Permission::Proofs, &organisation);
            may.map_err(|denied| Fault::asked(AskError::Denied(denied), &visitor.viewer))?;
            return Ok(html(StatusCode::OK, &part));
        }
        Ok(html(StatusCode::OK, &page(product, &visitor, &organisation, part)?))
    });
    made.await.unwrap_or_else(IntoResponse::into_response)
}

/// `POST /integrity/verify`
pub(crate) async fn verify(State(desk): State<Arc<Desk>>, posted: Posted) -> Response {
    let organisation = posted.fields.get("organisation").to_owned();
    let (checks, product) = (desk.checks().clone(), desk.product().clone());
    let begun = desk.read(move |_| {
        let (visitor, name) = (&posted.visitor, posted.fields.get("organisation"));
        let fault = |error| {
            let frame = |title: &str| Frame::open(title, &product, visitor, name, HERE);
            Fault::asked(error, &visitor.viewer).framed(frame)
        };
        let may = visitor.viewer.check(Permission::Proofs, name);
        may.map_err(|denied| fault(AskError::Denied(denied)))?;
        product.ledger(name).map_err(|error| fault(error.into()))?;
        Ok(checks.begin(&product, visitor.viewer.clone(), name))
    });
    let busy = match begun.await {
        Err(fault) => return fault.into_response(),
        Ok(Ok(()) | Err(Busy::Here)) => "",
        Ok(Err(Busy::Elsewhere)) => "&busy=elsewhere",
        Ok(Err(Busy::Lately)) => "&busy=lately",
    };
    see_other(&format!("{HERE}?organisation={}{busy}#check", encode(&organisation)))
}

/// `GET /integrity/evidence`
pub(crate) async fn evidence(State(desk): State<Arc<Desk>>, visitor: Visitor, uri: Uri) -> Response {
    let pairs = Pairs::of(&uri);
    let position = |name: &str| pairs.get(name).and_then(|text| text.parse::<u64>().ok());
    let (first, last) = (position("first").unwrap_or(0), position("last").unwrap_or(u64::MAX));
    let named = pairs.get("organisation").map(str::to_owned);
    let made = desk.read(move |product| {
        let organisation = organisation(&visitor.viewer, named.as_deref());
        let frame = |title: &str| Frame::open(title, product, &visitor, &organisation, HERE);
        let fault = |error| Fault::asked(error, &visitor.viewer).framed(frame);
        let file = product.evidence_file(&visitor.viewer, &organisation, first, last).map_err(fault)?;
        let mut response = written(StatusCode::OK, "application/x-tar", file);
        let name = format!("attachment; filename=\"evidence-{}-{first}.tar\"", encode(&organisation));
        if let Ok(name) = HeaderValue::try_from(name) {
            response.headers_mut().insert(CONTENT_DISPOSITION, name);
        }
        Ok(response)
    });
    made.await.unwrap_or_else(IntoResponse::into_response)
}

fn page(product: &Indelible, visitor: &Visitor, organisation: &str, check: Part) -> Result<Page, Fault> {
    let viewer = &visitor.viewer;
    let frame = |title: &str| Frame::open(title, product, visitor, organisation, HERE);
    let fault = |error: AskError| Fault::asked(error, viewer).framed(frame);
    let standing = product.standing(viewer, organisation).map_err(fault)?;
    let sees_all = viewer.check(Permission::ReadEvents, organisation).map(|granted| granted.sees_every_row());
    let past = match sees_all {
        Ok(_) => Some(past(product, visitor, organisation).map_err(fault)?),
        Err(_) => None,
    };
    let sequences = match sees_all {
        Ok(true) => {
            let all = product.sequences(viewer, organisation).map_err(fault)?;
            Some(all.into_iter().map(|one| numbers(one, organisation)).collect())
        }
        _ => None,
    };
    let signed = standing.head.as_ref().map_or(0, |head| head.size);
    let may_have_all = sees_all == Ok(true) && viewer.check(Permission::ReadContent, organisation).is_ok();
    Ok(Page {
        evidence: (may_have_all && signed > 0).then(|| (signed.saturating_sub(RANGE), signed - 1)),
        frame: frame("Integrity"),
        ledger: ledger(&standing, product.now_ms(), organisation),
        check,
        past,
        sequences,
        place: format!("{HERE}?organisation={}", encode(organisation)),
        organisation: organisation.to_owned(),
    })
}

fn ledger(standing: &Standing, now_ms: u64, organisation: &str) -> Ledger {
    let stats = &standing.stats;
    let open = stats.size - standing.sealed_off.as_ref().map_or(0, |head| head.size).min(stats.size);
    let first = standing.sealed_off.as_ref().map_or(0, |head| head.size);
    let checkpoint = standing.head.as_ref().map(|head| Checkpoint {
        size: grouped(&head.size.to_string()),
        ago: lasting(now_ms.saturating_sub(head.time_ms)),
        when: moment(head.time_ms),
        root: head.root.to_string(),
        note: head.note.clone(),
    });
    Ledger {
        size: grouped(&stats.size.to_string()),
        unsigned: stats.size.saturating_sub(stats.signed),
        origin: standing.origin.clone(),
        identity: standing.identity.clone(),
        checkpoint,
        epoch: stats.epoch,
        exposed: grouped(&open.to_string()),
        exposed_for: standing.exposed_since_ms.map(|since| lasting(now_ms.saturating_sub(since))),
        exposed_since: standing.exposed_since_ms.map(moment).unwrap_or_default(),
        exposed_place: search(organisation, &format!("position>={first}")),
        sealed_off: standing
            .sealed_off
            .as_ref()
            .map(|head| (grouped(&head.size.to_string()), moment(head.time_ms))),
        has_heads_copy: standing.has_heads_copy,
        clock_held: stats.clock_held,
        file: format!("/v1/checkpoint?organisation={}", encode(organisation)),
    }
}

impl Part {
    fn new(
        product: &Indelible,
        checks: &Checks,
        visitor: &Visitor,
        organisation: &str,
        busy: Option<&'static str>,
    ) -> Part {
        let now_ms = product.now_ms();
        let check = checks.last(organisation);
        let outcome = check.as_ref().and_then(|check| check.outcome());
        let running = match (&check, &outcome) {
            (Some(check), None) => Some(running(check, now_ms)),
            _ => None,
        };
        let over = check.zip(outcome).map(|(check, outcome)| over(&check, outcome, now_ms));
        let (organisation, form_token) = (organisation.to_owned(), visitor.form_token.clone());
        Part { organisation, form_token, running, over, busy }
    }
}

fn running(check: &Check, now_ms: u64) -> Running {
    let (done, total) = check.progress();
    Running {
        done: grouped(&done.to_string()),
        total: grouped(&total.to_string()),
        share: (done * 100).checked_div(total).unwrap_or(0).min(100),
        lasting: lasting(now_ms.saturating_sub(check.began_ms)),
    }
}

fn over(check: &Check, outcome: Outcome, now_ms: u64) -> Over {
    let (ago, took) = (
        lasting(now_ms.saturating_sub(outcome.ended_ms)),
        lasting(outcome.ended_ms.saturating_sub(check.began_ms)),
    );
    match outcome.checked {
        Ok(checked) => Over {
            is_good: checked.verdict().exit_code() == 0,
            verdict: capital(checked.verdict().word()),
            findings: checked
                .findings
                .iter()
                .map(|finding| (finding.verdict.word().to_owned(), sentence(&finding.what)))
                .collect(),
            notes: checked.notes.iter().map(|note| sentence(note)).collect(),
            ago,
            took,
        },
        Err(why) => Over {
            is_good: false,
            verdict: "Not verified".to_owned(),
            findings: vec![(String::new(), why)],
            notes: Vec::new(),
            ago,
            took,
        },
    }
}

fn past(product: &Indelible, visitor: &Visitor, organisation: &str) -> Result<Past, AskError> {
    let filter = Filter::parse(CHECKED).unwrap_or_default();
    let question = Question { organisation: organisation.to_owned(), filter, consistent: false };
    let found =
        product.search(&visitor.viewer, &question, &Paging { limit: VERIFIED, ..Paging::default() })?;
    let verified = |event: &Value<'_>| {
        let who = ["/actor/email", "/actor/name", "/actor/id"].into_iter().map(|at| text(event, at));
        Verified {
            when: time::parse(&text(event, "/time")).map(show_minute).unwrap_or_default(),
            who: who.into_iter().find(|who| !who.is_empty()).unwrap_or_else(|| "this server".to_owned()),
            verdict: text(event, "/attributes/verdict"),
            status: Status::of(&text(event, "/status")),
            leaves: grouped(&text(event, "/attributes/leaves")),
            place: place(event, organisation),
        }
    };
    Ok(Past { all: search(organisation, CHECKED), each: found.events.iter().map(verified).collect() })
}

fn numbers(one: Sequence, organisation: &str) -> Numbers {
    let gap = |(from, to): &(u64, u64)| match from == to {
        true => grouped(&from.to_string()),
        false => format!("{} to {}", grouped(&from.to_string()), grouped(&to.to_string())),
    };
    Numbers {
        place: search(
            organisation,
            &format!("{} exists:producer_seq", clause("producer", Some(&one.producer))),
        ),
        first: grouped(&one.first.to_string()),
        last: grouped(&one.last.to_string()),
        seen: grouped(&one.seen.to_string()),
        missing: grouped(&one.missing.to_string()),
        is_whole: one.missing == 0,
        repeats: one.repeats,
        gaps: one.gaps.iter().map(gap).collect(),
        more: one.more,
        producer: one.producer,
    }
}

/// Where a filter's answer is, at any time.
fn search(organisation: &str, q: &str) -> String {
    format!("/search?organisation={}&from=all&q={}", encode(organisation), encode(q))
}

fn capital(word: &str) -> String {
    sentence(word).trim_end_matches('.').to_owned()
}

fn moment(ms: u64) -> String {
    show_minute(i64::try_from(ms).unwrap_or(i64::MAX).saturating_mul(1_000_000))
}
