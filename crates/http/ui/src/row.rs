//! One event as a row of a list.

use askama::Template;
use event::{Value, outcome, time};

use crate::moment::{show_clock, show_weekday};
use crate::narrow::{Narrow, clause};
use crate::question::{Ask, COLUMNS, encode};
use crate::sentence::{Part, actor, plain, sentence, text};
use crate::timeline;

/// Longest text of a cell, and of what an event says beside its sentence.
const CELL: usize = 80;
const SAYS: usize = 200;

/// How it went, as a word and a shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) word: String,
    /// Name of the symbol.
    pub(crate) shape: &'static str,
    /// Whether it did not go as it should.
    pub(crate) is_bad: bool,
}

impl Status {
    pub(crate) fn of(word: &str) -> Option<Status> {
        let known = outcome::status_name(outcome::status_code(word));
        let is_bad = matches!(known, Some("failed" | "blocked" | "error" | "timeout"));
        (!word.is_empty()).then(|| Status { word: word.to_owned(), shape: known.unwrap_or("other"), is_bad })
    }
}

/// How much it matters, as a word and as so many of five bars.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Severity {
    pub(crate) word: String,
    pub(crate) level: u8,
}

impl Severity {
    pub(crate) fn of(word: &str) -> Option<Severity> {
        let code = outcome::severity_code(word);
        let level = if code == outcome::OTHER { 0 } else { code };
        (!word.is_empty()).then(|| Severity { word: word.to_owned(), level })
    }
}

/// A column that was chosen.
pub(crate) struct Cell {
    pub(crate) heading: &'static str,
    pub(crate) text: String,
    /// The same question, only about events with this value.
    pub(crate) only: Option<String>,
}

/// One event as a row.
#[derive(Template)]
#[template(path = "row.html")]
pub(crate) struct Row {
    pub(crate) position: String,
    pub(crate) place: String,
    pub(crate) time: String,
    pub(crate) clock: String,
    pub(crate) fraction: String,
    pub(crate) day: String,
    pub(crate) sentence: Vec<Part>,
    /// Who did it, and the timeline of what they did.
    pub(crate) line: Option<(String, String)>,
    /// What else the event says, in short.
    pub(crate) says: String,
    pub(crate) status: Option<Status>,
    pub(crate) severity: Option<Severity>,
    pub(crate) cells: Vec<Cell>,
}

/// What all rows of a page share.
pub(crate) struct Rows<'p> {
    pub(crate) ask: &'p Ask,
    pub(crate) narrow: Narrow,
    pub(crate) organisation: &'p str,
}

impl Rows<'_> {
    pub(crate) fn row(&self, event: &Value<'_>) -> Row {
        let moment = text(event, "/time");
        let (clock, fraction) = show_clock(&moment);
        Row {
            place: place(event, self.organisation),
            position: text(event, "/position"),
            clock: clock.to_owned(),
            fraction: fraction.to_owned(),
            day: time::parse(&moment).map(show_weekday).unwrap_or_default(),
            time: moment,
            sentence: sentence(event),
            line: event
                .get("actor")
                .and_then(timeline::name_of)
                .map(|id| (actor(event), timeline::place("actor", &id, self.organisation))),
            says: says(event),
            status: Status::of(&text(event, "/status")),
            severity: Severity::of(&text(event, "/severity")),
            cells: self.ask.columns.iter().map(|path| self.cell(path, event)).collect(),
        }
    }

    fn cell(&self, path: &'static str, event: &Value<'_>) -> Cell {
        let heading = COLUMNS.iter().find(|(known, _)| *known == path).map_or("", |(_, heading)| *heading);
        let found = at(event, path).map(plain).unwrap_or_default();
        let is_value =
            !matches!(path, "message" | "llm.latency_ms" | "llm.tokens_total" | "llm.cost" | "position");
        let only = (is_value && !found.is_empty())
            .then(|| self.ask.with_q(self.narrow.and(&clause(path, Some(&found)))).link());
        let text = match (path, found.as_str()) {
            (_, "") => String::new(),
            ("llm.latency_ms", ms) => format!("{ms} ms"),
            ("llm.cost", cost) => format!("{cost} {}", currency(event)),
            (_, text) => short(text, CELL),
        };
        Cell { heading, text, only }
    }
}

/// The first value at a path of filters, which leaves out that there are lists.
pub(crate) fn at<'e, 'v>(event: &'e Value<'v>, path: &str) -> Option<&'e Value<'v>> {
    path.split('.').try_fold(event, |value, name| match value.as_array() {
        Some(items) => items.first()?.get(name),
        None => value.get(name),
    })
}

/// Where an event's own page is.
pub(crate) fn place(event: &Value<'_>, organisation: &str) -> String {
    format!("/events/{}?organisation={}", encode(&text(event, "/id")), encode(organisation))
}

pub(crate) fn currency(event: &Value<'_>) -> String {
    let said = text(event, "/llm/currency");
    if said.is_empty() { "USD".to_owned() } else { said }
}

/// Its message, what broke, or what a call cost.
fn says(event: &Value<'_>) -> String {
    let said = [
        "/message",
        "/error/message",
        "/attributes/failure_reason",
        "/approval/reason",
        "/attributes/question",
    ];
    let said = said.into_iter().map(|pointer| text(event, pointer)).find(|text| !text.is_empty());
    if let Some(said) = said {
        return short(&said, SAYS);
    }
    let tokens = text(event, "/llm/tokens_total");
    let cost = text(event, "/llm/cost");
    let mut parts = Vec::new();
    if !tokens.is_empty() {
        parts.push(format!("{} tokens", grouped(&tokens)));
    }
    if !cost.is_empty() {
        parts.push(format!("{cost} {}", currency(event)));
    }
    parts.join(", ")
}

/// A whole number with a thin space between thousands.
pub(crate) fn grouped(digits: &str) -> String {
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return digits.to_owned();
    }
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 * 3);
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// At most so many characters, on one line.
pub(crate) fn short(text: &str, most: usize) -> String {
    let flat = |c: char| if c.is_control() { ' ' } else { c };
    let mut letters = text.chars().map(flat);
    let start: String = letters.by_ref().take(most).collect();
    match letters.next() {
        Some(_) => format!("{start}…"),
        None => start,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_are_made_readable() {
        assert_eq!(grouped("1234567"), "1\u{202f}234\u{202f}567");
        assert_eq!(grouped("999"), "999");
        assert_eq!(grouped("-5"), "-5");
        assert_eq!(short("a\r\nb", 10), "a  b");
        assert_eq!(short("äöüß", 3), "äöü…");
    }

    #[test]
    fn every_status_and_severity_has_a_shape() {
        for word in outcome::STATUSES {
            assert_eq!(Status::of(word.name).unwrap().shape, word.name);
            let symbols = include_str!("../templates/symbols.svg");
            assert!(symbols.contains(&format!("id=\"i-{}\"", word.name)), "{}", word.name);
        }
        assert_eq!(Status::of("weird").unwrap().shape, "other");
        assert_eq!(Status::of(""), None);
        assert_eq!(
            outcome::SEVERITIES.iter().map(|word| Severity::of(word.name).unwrap().level).max(),
            Some(5)
        );
        assert_eq!(Severity::of("weird").unwrap().level, 0);
    }
}
