//! What is asked: parameters of `GET /audit`, their defaults and limits, as a filter.

use query::Expr;

use super::row::{ROW_ID, SYNONYMS, TABLE, TABLES};
use crate::Get;
use crate::expr::{all, any, area, begins, exists, holds, is, not, nothing, verb};
use crate::moment::{Moment, between};
use crate::scope::audited;

/// Rows of a page.
const PAGE_SIZE: usize = 10;
const PAGE_SIZE_MOST: i128 = 100;
/// The largest number that JSON holds exactly, in which the page is answered.
const PAGE_MOST: i128 = (1 << 53) - 1;

/// A question.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Number of the page, from 1.
    pub page: u64,
    /// Rows of a page.
    pub page_size: usize,
    /// Which events.
    pub filter: Expr,
    /// By which column rows are sorted.
    pub sort: Column,
    /// The greatest first.
    pub descending: bool,
}

/// A column that rows are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Column {
    Id,
    UpdatedAt,
    ChangedBy,
    ChangedByApiKey,
    Action,
    TableName,
    ObjectId,
}

impl Column {
    /// Every one, as parameters name it.
    pub const ALL: [(&'static str, Column); 7] = [
        ("id", Column::Id),
        ("updated_at", Column::UpdatedAt),
        ("changed_by", Column::ChangedBy),
        ("changed_by_api_key", Column::ChangedByApiKey),
        ("action", Column::Action),
        ("table_name", Column::TableName),
        ("object_id", Column::ObjectId),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Column::ALL.iter().find(|(_, column)| *column == self).map_or("", |(name, _)| name)
    }
}

/// A parameter that can't be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// A word for programs, as pydantic has them.
    pub kind: &'static str,
    /// Which parameter.
    pub parameter: &'static str,
    /// A sentence for people. It never repeats what was sent.
    pub message: String,
}

impl Asked {
    /// Reads the parameters. Names that are not known are passed over, as LiteLLM does; an empty text is the same as none,
    /// but for the numbers.
    ///
    /// `keyed` says what became of the hash of a key when it was recorded: it was hashed again, with a key of ours.
    pub fn read(get: &Get<'_>, keyed: &dyn Fn(&str) -> Option<String>) -> Result<Asked, Vec<Invalid>> {
        let mut wrong = Vec::new();
        let mut number = |name, usual, most| {
            let read = get(name).map_or(Ok(usual), |text| number(name, text, most));
            read.map_err(|why| wrong.push(why)).unwrap_or(usual)
        };
        let page = number("page", 1, PAGE_MOST);
        let page_size = number("page_size", PAGE_SIZE as i128, PAGE_SIZE_MOST);
        let said = |name: &str| get(name).filter(|text| !text.is_empty());
        let mut time = |name: &'static str| match said(name).map(Moment::parse) {
            None => None,
            Some(Ok(moment)) => Some(moment),
            Some(Err(why)) => {
                let message = format!("Input should be a valid datetime, {why}");
                wrong.push(Invalid { kind: "datetime_parsing", parameter: name, message });
                None
            }
        };
        let (from, to) = (time("start_date"), time("end_date"));
        let mut word = |name: &'static str, known: &[&str], usual: usize| match said(name) {
            None => usual,
            Some(text) => known.iter().position(|known| *known == text).unwrap_or_else(|| {
                let known: Vec<String> = known.iter().map(|known| format!("'{known}'")).collect();
                let message = format!("Input should be {}", known.join(", "));
                wrong.push(Invalid { kind: "literal_error", parameter: name, message });
                usual
            }),
        };
        let columns = Column::ALL.map(|(name, _)| name);
        let sort = Column::ALL[word("sort_by", &columns, 1)].1;
        let descending = word("sort_order", &["asc", "desc"], 1) == 1;
        let everything = word("include", &["audit", "all"], 0) == 1;
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let mut filter = vec![between(from, to)];
        if !everything && said("table_name").is_none() {
            filter.push(any([is_row(), audited()]));
        }
        let by_key = |text: &str| any(keyed(text).as_deref().into_iter().chain([text]).map(by_api_key));
        let mut only = |name: &str, of: &dyn Fn(&str) -> Expr| filter.extend(said(name).map(of));
        only("changed_by", &changed_by);
        only("changed_by_api_key", &by_key);
        only("action", &action);
        only("table_name", &table);
        only("object_id", &|text| is("targets.id", text));
        only("object_team_id", &team);
        only("object_key_hash", &key_hash);
        only("search", &|text| any([found_by(text), changed_by(text), is("targets.id", text), by_key(text)]));
        Ok(Asked { page: page as u64, page_size: page_size as usize, filter: all(filter), sort, descending })
    }
}

fn number(name: &'static str, text: &str, most: i128) -> Result<i128, Invalid> {
    let digits = text.trim();
    let digits = digits.strip_prefix(['+', '-']).unwrap_or(digits);
    if digits.is_empty() || digits.len() > 4096 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        let message = "Input should be a valid integer, unable to parse string as an integer".to_owned();
        return Err(Invalid { kind: "int_parsing", parameter: name, message });
    }
    let is_negative = text.trim().starts_with('-');
    // Digits that no number of ours holds are many.
    match digits.parse::<i128>() {
        Ok(n) if (1..=most).contains(&n) && !is_negative => Ok(n),
        Ok(0) => Err(too("greater", name, 1)),
        _ if is_negative => Err(too("greater", name, 1)),
        _ => Err(too("less", name, most)),
    }
}

fn too(side: &'static str, name: &'static str, bound: i128) -> Invalid {
    let kind = if side == "greater" { "greater_than_equal" } else { "less_than_equal" };
    let message = format!("Input should be {side} than or equal to {bound}");
    Invalid { kind, parameter: name, message }
}

/// Events that came out of LiteLLM's audit log.
fn is_row() -> Expr {
    all([begins(TABLE, "LiteLLM_"), exists("action")])
}

fn changed_by(text: &str) -> Expr {
    any([is("actor.id", text), all([not(exists("actor.id")), is("actor.email", text)])])
}

/// Of one event, or of the row that it was.
fn action(said: &str) -> Expr {
    let same = SYNONYMS.iter().find(|words| words.iter().any(|word| word.eq_ignore_ascii_case(said)));
    let one = |word: &str| any([all([is_row(), is("action", word)]), all([not(is_row()), verb(word)])]);
    match same {
        Some(words) => any(words.iter().map(|word| one(word))),
        None => one(said),
    }
}

fn table(said: &str) -> Expr {
    let named = TABLES.iter().find(|(_, table)| table.eq_ignore_ascii_case(said));
    let of_others = match named {
        Some((name, _)) => area(name),
        None if TABLES.iter().any(|(name, _)| name.eq_ignore_ascii_case(said)) => nothing(),
        None => area(said),
    };
    any([all([is_row(), is(TABLE, said)]), all([not(is_row()), of_others])])
}

/// Part of the team's id in the values before or after.
fn team(text: &str) -> Expr {
    any(["changes.before.team_id", "changes.after.team_id"].map(|path| holds(path, text)))
}

/// Part of the hash of a key. What comes from LiteLLM says it in `object_id`, for the value named `token` is taken out at
/// the door.
fn key_hash(text: &str) -> Expr {
    any([
        holds("changes.before.token", text),
        holds("changes.after.token", text),
        all([area("key"), holds("targets.id", text)]),
    ])
}

fn by_api_key(hash: &str) -> Expr {
    is("actor.api_key_hash", hash)
}

/// Events that a row's `id` stands for, and those that have this id by our account or their sender's.
pub fn found_by(id: &str) -> Expr {
    let as_row = all([is_row(), is("source_id", &format!("{ROW_ID}{id}"))]);
    any([is("id", id), is("source_id", id), as_row])
}
