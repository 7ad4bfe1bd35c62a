//! What is asked: the filters of today's servers.

use event::Value;
use query::{Bound, Expr, Literal, Test};

use super::words::{
    action, event_type, initiator, of_action, of_event_type, of_initiator, of_initiator_type, of_method,
    of_outcome, of_path, of_search, of_tag, of_target, outcome, target,
};
use crate::bifrost::values::{array, either, last, limit, page, time, word};
use crate::bifrost::words::{of_address, of_resource_type};
use crate::bifrost::{Pairs, Wrong, wrong};
use crate::expr::{all, any, field};
use crate::moment::between;
use crate::project::text;
use crate::scope::audited_and_read;

/// Longest period: a hundred years.
const PERIOD_DAYS: i64 = 36_525;

/// What events are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Sort {
    EventTime,
    CreatedAt,
    Action,
    Outcome,
    EventType,
    InitiatorId,
    TargetId,
}

impl Sort {
    /// Every one, as parameters name it.
    pub const ALL: [(&'static str, Sort); 7] = [
        ("event_time", Sort::EventTime),
        ("created_at", Sort::CreatedAt),
        ("action", Sort::Action),
        ("outcome", Sort::Outcome),
        ("event_type", Sort::EventType),
        ("initiator_id", Sort::InitiatorId),
        ("target_id", Sort::TargetId),
    ];

    /// What is compared.
    pub fn of(self, event: &Value<'_>) -> String {
        let text = match self {
            Sort::EventTime => text(event, "time").unwrap_or_default(),
            Sort::CreatedAt => text(event, "received").unwrap_or_default(),
            Sort::Action => action(event),
            Sort::Outcome => outcome(event),
            Sort::EventType => event_type(event),
            Sort::InitiatorId => initiator(event),
            Sort::TargetId => target(event),
        };
        text.to_owned()
    }
}

/// A question.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Events of a page.
    pub limit: usize,
    /// Which events.
    pub filter: Expr,
    /// What they are sorted by.
    pub sort: Sort,
    /// The greatest first.
    pub descending: bool,
    page: u64,
    /// Where the ledger ended for the first page, and events before this page.
    cursor: Option<(u64, u64)>,
}

impl Asked {
    /// Reads the parameters. Names that are not known are passed over.
    pub fn read(pairs: &Pairs) -> Result<Asked, Wrong> {
        Ok(Asked {
            limit: limit(last(pairs, "limit"))?,
            filter: filter(pairs)?,
            sort: word("sort_by", last(pairs, "sort_by"), &Sort::ALL, Sort::EventTime)?,
            descending: word(
                "sort_order",
                last(pairs, "sort_order"),
                &[("asc", false), ("desc", true)],
                true,
            )?,
            page: page(last(pairs, "page"))?,
            cursor: last(pairs, "cursor").map(cursor).transpose()?,
        })
    }

    /// Events before the page.
    pub fn skip(&self) -> u64 {
        match self.cursor {
            Some((_, skip)) => skip,
            None => (self.page - 1).saturating_mul(self.limit as u64),
        }
    }

    /// Only events at positions below this are meant: what came since the first page does not shift those that follow.
    pub fn below(&self) -> Option<u64> {
        self.cursor.map(|(below, _)| below)
    }

    /// The number of the page, from 1.
    pub(super) fn page(&self) -> u64 {
        self.skip() / self.limit as u64 + 1
    }

    /// Where the next page begins.
    pub(super) fn cursor(&self, skip: u64, searchable: u64) -> String {
        format!("{}-{skip}", self.below().unwrap_or(searchable))
    }
}

fn cursor(text: &str) -> Result<(u64, u64), Wrong> {
    let parts =
        text.split_once('-').and_then(|(below, skip)| Some((below.parse().ok()?, skip.parse().ok()?)));
    parts.ok_or_else(|| wrong("cursor", "send `next_cursor` of the page before"))
}

/// How an export is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON array.
    Json,
    /// One event a line.
    Jsonl,
    /// RFC 5424, one message a line.
    Syslog,
}

/// The format of an export; one that is not known is the same as `json`, as Bifrost has it.
pub fn format(pairs: &Pairs) -> Format {
    match last(pairs, "format") {
        Some("jsonl") => Format::Jsonl,
        Some("syslog") => Format::Syslog,
        _ => Format::Json,
    }
}

fn filter(pairs: &Pairs) -> Result<Expr, Wrong> {
    let everything = word("include", last(pairs, "include"), &[("audit", false), ("all", true)], false)?;
    let mut filter = Vec::new();
    if !everything {
        filter.push(audited_and_read());
    }
    filter.push(match last(pairs, "period") {
        Some(period) => since(period)?,
        None => between(
            time("start_date", last(pairs, "start_date"))?,
            time("end_date", last(pairs, "end_date"))?,
        ),
    });
    let mut among = |singular, plural, of: &dyn Fn(&str) -> Result<Expr, Wrong>| {
        let values = either(pairs, singular, plural)?;
        if !values.is_empty() {
            filter.push(any(values.iter().map(|value| of(value)).collect::<Result<Vec<_>, _>>()?));
        }
        Ok(())
    };
    among("action", "actions", &of_action)?;
    among("outcome", "outcomes", &of_outcome)?;
    among("event_type", "event_types", &of_event_type)?;
    among("initiator_id", "initiator_ids", &|said| Ok(of_initiator(said)))?;
    among("initiator_type", "initiator_types", &of_initiator_type)?;
    among("target_id", "target_ids", &|said| Ok(of_target(said)))?;
    among("target_type", "target_types", &|said| of_resource_type("target_type", said))?;
    among("request_method", "request_methods", &|said| Ok(of_method(said)))?;
    among("request_path", "request_paths", &|said| Ok(of_path(said)))?;
    among("request_ip", "request_ips", &|said| of_address("request_ip", said))?;
    if let Some(text) = last(pairs, "tags") {
        let tags = array("tags", text)?;
        filter.push(any(tags.iter().map(|tag| of_tag(tag))));
    }
    if let Some(text) = last(pairs, "search") {
        filter.push(of_search(text));
    }
    Ok(all(filter))
}

/// `24h`, `7d`: so long before now.
fn since(period: &str) -> Result<Expr, Wrong> {
    let bad = || wrong("period", "expected a number and m, h, d or w, such as `24h` or `7d`");
    let unit = period.chars().next_back().ok_or_else(bad)?;
    let seconds: i64 = match unit {
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return Err(bad()),
    };
    let number: i64 = period[..period.len() - 1].parse().map_err(|_| bad())?;
    let seconds = number.checked_mul(seconds).filter(|s| (1..=PERIOD_DAYS * 86_400).contains(s));
    let from = Literal::Now(-seconds.ok_or_else(bad)? * 1_000_000_000);
    Ok(field("time", Test::Range { from: Some(Bound { value: from, inclusive: true }), to: None }))
}
