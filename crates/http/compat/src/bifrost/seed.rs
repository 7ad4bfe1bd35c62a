//! The contract of specification 002.

use event::{Object, Value, outcome};
use query::Expr;

use super::values::{every, last, limit, page as page_number, texts, time, word};
use super::words::{
    action, event_type, of_action, of_address, of_event_type, of_resource, of_severity, of_status, resource,
    severity, status,
};
use super::{Pairs, Wrong, wrong};
use crate::expr::{all, any, is};
use crate::moment::between;
use crate::project::{object, or_null, text, whole};
use crate::scope::audited_and_read;

/// Where the next page is asked for.
const NEXT: &str = "/api/enterprise/audit-logs";

/// What rows are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Sort {
    Timestamp,
    EventId,
    EventType,
    Action,
    Status,
    Severity,
    UserId,
}

impl Sort {
    /// Every one, as parameters name it.
    pub const ALL: [(&'static str, Sort); 7] = [
        ("timestamp", Sort::Timestamp),
        ("event_id", Sort::EventId),
        ("event_type", Sort::EventType),
        ("action", Sort::Action),
        ("status", Sort::Status),
        ("severity", Sort::Severity),
        ("user_id", Sort::UserId),
    ];

    /// What is compared.
    pub fn of(self, event: &Value<'_>) -> String {
        match self {
            Sort::Timestamp => text(event, "time").unwrap_or_default().to_owned(),
            Sort::EventId => text(event, "id").unwrap_or_default().to_owned(),
            Sort::EventType => event_type(event).to_owned(),
            Sort::Action => action(event).to_owned(),
            Sort::Status => status(event).to_owned(),
            // From `info` to `critical`.
            Sort::Severity => outcome::severity_code(severity(event)).to_string(),
            Sort::UserId => text(event, "actor.id").unwrap_or_default().to_owned(),
        }
    }
}

/// A question.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Number of the page, from 1.
    pub page: u64,
    /// Rows of a page.
    pub limit: usize,
    /// Which events.
    pub filter: Expr,
    /// What rows are sorted by.
    pub sort: Sort,
    /// The greatest first.
    pub descending: bool,
    /// Whether rows have `details`.
    pub details: bool,
    /// Everything but the page, as parameters of a GET that asks the same.
    again: Vec<(&'static str, String)>,
}

/// Lists of a question: what they are called in the query, and in `filters` of the body.
const LISTS: [(&str, &str); 7] = [
    ("event_type", "event_types"),
    ("user_id", "user_ids"),
    ("ip_address", "ip_addresses"),
    ("action", "actions"),
    ("status", "status"),
    ("severity", "severity"),
    ("resource_type", "resource_types"),
];

/// Everything that is said, as text.
#[derive(Default)]
struct Said {
    /// In the order of [`LISTS`].
    lists: [Vec<String>; 7],
    start: Option<String>,
    end: Option<String>,
    sort: Option<String>,
    order: Option<String>,
    limit: Option<String>,
    page: Option<String>,
    details: Option<String>,
    include: Option<String>,
}

impl Asked {
    /// Reads the parameters of `GET /api/audit-logs`. A parameter that is there several times asks for any of its values;
    /// names that are not known are passed over.
    pub fn read(pairs: &Pairs) -> Result<Asked, Wrong> {
        let one = |name| last(pairs, name).map(str::to_owned);
        let mut said = Said {
            start: one("start_date"),
            end: one("end_date"),
            sort: one("sort"),
            order: one("order"),
            limit: one("limit"),
            page: one("page"),
            details: one("include_details"),
            include: one("include"),
            ..Said::default()
        };
        for (list, (name, _)) in said.lists.iter_mut().zip(LISTS) {
            *list = every(pairs, name)?;
        }
        // It is named both ways in what is written about it.
        said.lists[2].extend(every(pairs, "ip")?);
        Asked::new(said)
    }

    /// Reads the body of `POST /api/audit-logs/query`. Members that are not known are refused: a filter with a typing error
    /// in its name would find everything.
    pub fn read_body(body: &Value<'_>) -> Result<Asked, Wrong> {
        const TOP: [&str; 7] =
            ["filters", "sort", "limit", "page", "include_details", "include", "organisation"];
        let nothing = Object::new();
        let body = body.as_object().ok_or_else(|| wrong("body", "expected an object"))?;
        known("body", body, &TOP)?;
        let block = |of: &Object<'_>, name: &'static str, members: &[&str]| match of.get(name) {
            None | Some(Value::Null) => Ok(nothing.clone()),
            Some(Value::Object(inner)) => {
                known(name, inner, members)?;
                Ok(inner.clone().into_owned())
            }
            Some(_) => Err(wrong(name, "expected an object")),
        };
        let filters = block(
            body,
            "filters",
            &["event_types", "date_range", "actors", "status", "severity", "actions", "resource_types"],
        )?;
        let range = block(&filters, "date_range", &["start", "end", "start_date", "end_date"])?;
        let actors = block(&filters, "actors", &["user_ids", "ip_addresses"])?;
        let sort = block(body, "sort", &["field", "order"])?;
        let mut said = Said {
            start: scalar(&range, "start")?.or(scalar(&range, "start_date")?),
            end: scalar(&range, "end")?.or(scalar(&range, "end_date")?),
            sort: scalar(&sort, "field")?,
            order: scalar(&sort, "order")?,
            limit: scalar(body, "limit")?,
            page: scalar(body, "page")?,
            details: scalar(body, "include_details")?,
            include: scalar(body, "include")?,
            ..Said::default()
        };
        for (list, (_, name)) in said.lists.iter_mut().zip(LISTS) {
            *list = texts(if actors.get(name).is_some() { &actors } else { &filters }, name)?;
        }
        Asked::new(said)
    }

    fn new(said: Said) -> Result<Asked, Wrong> {
        let [types, users, addresses, actions, statuses, severities, resources] = &said.lists;
        let (from, to) = (time("start_date", said.start.as_deref())?, time("end_date", said.end.as_deref())?);
        let everything = word("include", said.include.as_deref(), &[("audit", false), ("all", true)], false)?;
        let mut filter = vec![between(from, to)];
        if !everything && types.is_empty() {
            filter.push(audited_and_read());
        }
        let mut among = |values: &[String], of: &dyn Fn(&str) -> Result<Expr, Wrong>| {
            if !values.is_empty() {
                let parts = values.iter().map(|value| of(value)).collect::<Result<Vec<_>, _>>()?;
                filter.push(any(parts));
            }
            Ok(())
        };
        among(types, &|said| Ok(of_event_type(said)))?;
        among(users, &|said| Ok(is("actor.id", said)))?;
        among(addresses, &|said| of_address("ip_address", said))?;
        among(actions, &|said| Ok(of_action(said)))?;
        among(statuses, &|said| Ok(of_status(said)))?;
        among(severities, &|said| Ok(of_severity(said)))?;
        among(resources, &|said| Ok(of_resource(said)))?;
        Ok(Asked {
            page: page_number(said.page.as_deref())?,
            limit: limit(said.limit.as_deref())?,
            filter: all(filter),
            sort: word("sort", said.sort.as_deref(), &Sort::ALL, Sort::Timestamp)?,
            descending: word("order", said.order.as_deref(), &[("asc", false), ("desc", true)], true)?,
            details: word(
                "include_details",
                said.details.as_deref(),
                &[("true", true), ("false", false)],
                true,
            )?,
            again: again(said),
        })
    }

    /// A page that was found, as it is answered.
    pub fn page(&self, events: &[Value<'static>], total: u64, organisation: Option<&str>) -> Value<'static> {
        let is_last = self.page.saturating_mul(self.limit as u64) >= total;
        Value::Object(object([
            ("total_count", whole(total)),
            ("returned_count", whole(events.len() as u64)),
            ("page", whole(self.page)),
            ("audit_logs", Value::Array(events.iter().map(|event| row(event, self.details)).collect())),
            ("next_page", if is_last { Value::Null } else { Value::from(self.next(organisation)) }),
        ]))
    }

    fn next(&self, organisation: Option<&str>) -> String {
        let mut url = format!("{NEXT}?page={}", self.page + 1);
        let own = organisation.map(|name| ("organisation", name.to_owned()));
        for (name, value) in self.again.iter().chain(&own) {
            url += &format!("&{name}={}", encoded(value));
        }
        url
    }
}

fn again(said: Said) -> Vec<(&'static str, String)> {
    let lists = said.lists.into_iter().zip(LISTS);
    let mut pairs: Vec<(&'static str, String)> =
        lists.flat_map(|(values, (name, _))| values.into_iter().map(move |value| (name, value))).collect();
    let others = [
        ("start_date", said.start),
        ("end_date", said.end),
        ("sort", said.sort),
        ("order", said.order),
        ("limit", said.limit),
        ("include_details", said.details),
        ("include", said.include),
    ];
    pairs.extend(others.into_iter().filter_map(|(name, value)| Some((name, value?))));
    pairs
}

/// RFC 3986: everything but the unreserved characters in percent-encoding.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out += &format!("%{byte:02X}"),
        }
    }
    out
}

fn known(place: &'static str, members: &Object<'_>, names: &[&str]) -> Result<(), Wrong> {
    match members.iter().all(|(name, _)| names.contains(&name)) {
        true => Ok(()),
        false => Err(wrong(place, format!("a member is not known; known here: {}", names.join(", ")))),
    }
}

/// A text, a whole number, or true or false, as text.
fn scalar(members: &Object<'_>, name: &'static str) -> Result<Option<String>, Wrong> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone().into_owned())),
        Some(Value::Bool(is)) => Ok(Some(is.to_string())),
        Some(Value::Number(n)) => match n.as_i64() {
            Some(n) => Ok(Some(n.to_string())),
            None => Err(wrong(name, "expected a whole number")),
        },
        Some(_) => Err(wrong(name, "expected a text or a number")),
    }
}

/// What has a place of its own in the row.
const IN_THE_ROW: &[&str] =
    &["id", "time", "action", "status", "severity", "actor", "attributes", "verification"];

/// An event as they show it.
pub fn row(event: &Value<'_>, with_details: bool) -> Value<'static> {
    let said = |path| or_null(text(event, path));
    let actor = object([
        ("user_id", said("actor.id")),
        ("email", said("actor.email")),
        ("ip_address", said("actor.ip")),
    ]);
    let mut members = object([
        ("event_id", said("id")),
        ("timestamp", said("time")),
        ("event_type", Value::from(event_type(event).to_owned())),
        ("action", Value::from(action(event).to_owned())),
        ("status", Value::from(status(event).to_owned())),
        ("severity", Value::from(severity(event).to_owned())),
        ("actor", Value::Object(actor)),
        ("verification", event.get("verification").map_or(Value::Null, |value| value.clone().into_owned())),
    ]);
    if with_details {
        members.insert("details", details(event));
    }
    Value::Object(members)
}

/// Everything else that the event says: its attributes, then its other fields where they do not hide one of those.
fn details(event: &Value<'_>) -> Object<'static> {
    let mut details = match event.get("attributes") {
        Some(Value::Object(attributes)) => attributes.clone().into_owned(),
        _ => Object::new(),
    };
    let mut add = |name: &str, value: Value<'static>| {
        if details.get(name).is_none() {
            details.insert(name.to_owned(), value);
        }
    };
    for (name, value) in event.as_object().into_iter().flat_map(Object::iter) {
        if !IN_THE_ROW.contains(&name) {
            add(name, value.clone().into_owned());
        }
    }
    for (name, value) in event.get("actor").and_then(Value::as_object).into_iter().flat_map(Object::iter) {
        match name {
            "id" | "email" | "ip" => {}
            "type" => add("actor_type", value.clone().into_owned()),
            "name" => add("actor_name", value.clone().into_owned()),
            name => add(name, value.clone().into_owned()),
        }
    }
    add("resource_type", Value::from(resource(event).to_owned()));
    details
}

#[cfg(test)]
mod tests {
    use event::{Limits, json};

    use super::*;

    fn read(body: &str) -> Result<Asked, Wrong> {
        Asked::read_body(&json::parse(body.as_bytes(), &Limits::default()).unwrap())
    }

    /// Among the parameters of the next page it would be nothing, and that page would be of something else.
    #[test]
    fn an_empty_text_in_a_list_is_refused() {
        for list in [r#"["authentication",""]"#, r#"[""]"#, r#""""#] {
            let wrong = read(&format!(r#"{{"filters":{{"event_types":{list}}}}}"#)).unwrap_err();
            assert_eq!(wrong.parameter, "event_types", "{list}");
        }
        for list in [r#"["authentication"]"#, r#""authentication""#, "[]", "null"] {
            assert!(read(&format!(r#"{{"filters":{{"event_types":{list}}}}}"#)).is_ok(), "{list}");
        }
    }
}
