//! The door out: by id or position, or newest first by a few fields, by scan.

use event::{Stored, Value, json, outcome};
use ledger::{Error, Ledger, Record, Section};

use crate::organisations::Indelible;

/// Records looked at for one page. A longer search goes on from the cursor it is given.
const SCAN: u64 = 500_000;
/// Most events of a page.
const MOST: usize = 1000;
/// Bytes of bodies on a page, more or less, so that a page of large events does not fill the memory.
const PAGE_BYTES: usize = 8 << 20;
const WHO: usize = 3;
const WHAT: usize = 2;

/// What is asked for. Everything given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// A type, or the beginning of one followed by `.*`.
    pub kind: Option<String>,
    /// Id, e-mail address or name of the actor.
    pub actor: Option<String>,
    /// A status by its name.
    pub status: Option<String>,
    /// Happened at or after, nanoseconds since 1970.
    pub from_ns: Option<i64>,
    /// Happened before, nanoseconds since 1970.
    pub to_ns: Option<i64>,
    /// Positions below this one; the cursor of the page before.
    pub before: Option<u64>,
    /// Events of a page: 100 if absent, at most 1000.
    pub limit: Option<usize>,
}

/// Events, newest first by position, and where to go on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// As [`show`] gives them.
    pub events: Vec<Value<'static>>,
    /// For [`Question::before`]; nothing if the ledger was searched to its beginning.
    pub next: Option<u64>,
}

impl Indelible {
    /// Searches an organisation's ledger, newest first. A page may hold fewer events than asked for,
    /// or none, and still have a cursor: so much was searched at once, and no more.
    pub fn search(&self, organisation: &str, question: &Question) -> Result<Page, Error> {
        let ledger = self.ledger(organisation)?;
        let limit = question.limit.unwrap_or(100).clamp(1, MOST);
        let mut page = Page::default();
        let mut bytes = 0;
        let mut at = question.before.unwrap_or(u64::MAX).min(ledger.size());
        let floor = at.saturating_sub(SCAN);
        while at > floor {
            let block = ledger.block(at - 1)?;
            let positions = block.positions();
            for position in (positions.start.max(floor)..at).rev() {
                if !question.holds(&block.unchecked(position)?) {
                    continue;
                }
                let record = block.record(position)?;
                bytes += record.sections().map(|(_, section)| section_bytes(section)).sum::<usize>();
                page.events.push(show(&ledger, organisation, &record)?);
                if page.events.len() == limit || bytes >= PAGE_BYTES {
                    page.next = Some(position).filter(|p| *p > 0);
                    return Ok(page);
                }
            }
            at = positions.start.max(floor);
        }
        page.next = Some(at).filter(|at| *at > 0);
        Ok(page)
    }

    /// Positions of the events with an id: ours, a position, or the sender's own, of which there may
    /// be several because two producers can use the same.
    pub fn find(&self, organisation: &str, id: &str) -> Result<Vec<u64>, Error> {
        let ledger = self.ledger(organisation)?;
        if let Some(id) = parse_uuid(id)
            && let Some(position) = ledger.find(&id)?
        {
            return Ok(vec![position]);
        }
        if let Ok(position) = id.parse::<u64>()
            && position < ledger.size()
        {
            return Ok(vec![position]);
        }
        let needle = Value::from(id.to_owned()).to_jcs();
        let mut found = Vec::new();
        let mut at = ledger.size();
        while at > 0 {
            let block = ledger.block(at - 1)?;
            for position in block.positions().rev() {
                let record = block.unchecked(position)?;
                let Section::Present { body, .. } = record.section(WHAT) else { continue };
                // The text is looked for before the JSON is parsed: most records are not the one.
                if body.windows(needle.len()).any(|w| w == needle)
                    && member(body, &["source_id"]).as_deref() == Some(id)
                {
                    found.push(position);
                }
            }
            at = block.positions().start;
        }
        match found.is_empty() {
            true => Err(Error::NotFound(format!("no event {id:?} in the ledger of {organisation}"))),
            false => Ok(found),
        }
    }
}

impl Question {
    /// Whether a record is among what is asked for.
    pub fn holds(&self, record: &Record) -> bool {
        let time = record.time_ns();
        self.from_ns.is_none_or(|from| time >= from)
            && self.to_ns.is_none_or(|to| time < to)
            && self.kind.as_deref().is_none_or(|kind| kind_matches(kind, record.kind()))
            && self.status.as_deref().is_none_or(|status| {
                let code = outcome::status_code(status);
                code == record.status() && (code != outcome::OTHER || self.other_status(record, status))
            })
            && self.actor.as_deref().is_none_or(|actor| is_actor(record, actor))
    }

    fn other_status(&self, record: &Record, status: &str) -> bool {
        match record.section(WHAT) {
            Section::Present { body, .. } => member(body, &["status"]).as_deref() == Some(status),
            _ => false,
        }
    }
}

fn kind_matches(asked: &str, kind: &str) -> bool {
    match asked.strip_suffix(".*") {
        Some(area) => kind.strip_prefix(area).is_some_and(|rest| rest.starts_with('.')),
        None => asked == kind,
    }
}

fn is_actor(record: &Record, actor: &str) -> bool {
    let Section::Present { body, .. } = record.section(WHO) else { return false };
    ["id", "email", "name"].iter().any(|name| member(body, &["actor", name]).as_deref() == Some(actor))
}

fn section_bytes(section: Section<'_>) -> usize {
    match section {
        Section::Present { body, .. } => body.len(),
        _ => 0,
    }
}

/// A text member of a body.
fn member(body: &[u8], path: &[&str]) -> Option<String> {
    let limits = event::Limits { max_bytes: 64 << 20, max_depth: 128 };
    let value = json::parse(body, &limits).ok()?;
    path.iter().try_fold(&value, |value, name| value.get(name))?.as_str().map(str::to_owned)
}

/// A record as its readers see it: the event, and what the ledger says of it.
pub fn show(ledger: &Ledger, organisation: &str, record: &Record) -> Result<Value<'static>, Error> {
    let sections = record
        .sections()
        .map(|(name, section)| match section {
            Section::Present { body, .. } => (name, Some(body)),
            _ => (name, None),
        })
        .collect();
    let stored = Stored {
        id: *record.id(),
        position: record.position,
        received_ms: record.received_ms(),
        time_ns: record.time_ns(),
        kind: record.kind(),
        status: record.status(),
        severity: record.severity(),
        producer: record.producer(),
        producer_seq: record.producer_seq(),
        sections,
        organisation,
    };
    let unreadable = |e: event::Refusal| {
        Error::Tampered(format!("position {}: a body is not what was written: {e}", record.position))
    };
    let mut value = event::assemble(&stored).map_err(unreadable)?.into_owned();
    let Value::Object(members) = &mut value else { return Ok(value) };
    if record.is_control() {
        let limits = event::Limits::default();
        let body = json::parse(record.body(), &limits).map_err(unreadable)?.into_owned();
        members.insert("attributes", body);
    }
    members.insert("leaf_hash", Value::from(record.leaf_hash.to_string()));
    let proved = ledger.head().is_some_and(|head| record.position < head.size);
    members.insert("state", Value::from(if proved { "proved" } else { "durable" }));
    Ok(value)
}

/// An id as text (RFC 9562, 4).
pub fn show_id(id: &[u8; 16]) -> String {
    let hex: String = id.iter().map(|b| format!("{b:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let dashes = |n: usize| [8, 13, 18, 23].contains(&n);
    if text.len() != 36 || text.bytes().enumerate().any(|(n, b)| (b == b'-') != dashes(n)) {
        return None;
    }
    let hex: Vec<u8> = text.bytes().filter(|b| *b != b'-').collect();
    let mut id = [0; 16];
    for (byte, pair) in id.iter_mut().zip(hex.chunks(2)) {
        let pair = std::str::from_utf8(pair).ok().filter(|p| p.bytes().all(|b| b.is_ascii_hexdigit()))?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(id)
}
