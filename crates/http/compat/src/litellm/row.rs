//! Any event as a row of LiteLLM's table `LiteLLM_AuditLog`.

use event::{Object, Value, time};
use query::fold;

use super::ask::Column;
use crate::project::{area, as_object, kind, text, verb};

/// Where an event that came out of LiteLLM's audit log keeps the name of its table.
pub(super) const TABLE: &str = "attributes.litellm.table_name";
/// What the receiver puts before the id of such a row.
pub(super) const ROW_ID: &str = "audit:";

/// Areas of our types, and the table in which LiteLLM keeps such things.
pub(super) const TABLES: &[(&str, &str)] = &[
    ("key", "LiteLLM_VerificationToken"),
    ("team", "LiteLLM_TeamTable"),
    ("user", "LiteLLM_UserTable"),
    ("model", "LiteLLM_ProxyModelTable"),
    ("organisation", "LiteLLM_OrganizationTable"),
    ("agent", "LiteLLM_AgentsTable"),
    ("oidc", "LiteLLM_SSOConfig"),
    ("settings", "LiteLLM_Config"),
];

/// Words of LiteLLM's documentation, of its program, and ours, that mean the same.
pub(super) const SYNONYMS: &[&[&str]] = &[
    &["create", "created"],
    &["update", "updated", "changed"],
    &["delete", "deleted"],
    &["block", "blocked"],
    &["unblock", "unblocked"],
    &["rotate", "rotated", "regenerated"],
];

/// What stands in columns of its own, or is about how the event is kept.
const NOT_VALUES: &[&str] = &[
    "id",
    "position",
    "received",
    "organisation",
    "time",
    "changes",
    "verification",
    "hidden",
    "erased",
    "redactions",
];

/// The row. Beside LiteLLM's nine columns it has `indelible`, with what they have no place for.
pub fn row(event: &Value<'_>) -> Value<'static> {
    let mut members = Object::new();
    for (name, column) in Column::ALL {
        members.insert(name, cell(event, column));
    }
    let changed = |name| event.pointer(name).map_or(Value::Null, as_object);
    let (before, mut after) = (changed("/changes/before"), changed("/changes/after"));
    // Whether a log-in succeeded has no column. What is no change is shown whole.
    if !is_row(event) && before.is_null() && after.is_null() {
        after = values(event);
    }
    members.insert("before_value", before);
    members.insert("updated_values", after);
    let ours = ["type", "status", "severity", "verification"];
    let ours = ours.into_iter().filter_map(|name| Some((name, event.get(name)?.clone().into_owned())));
    members.insert("indelible", Object::from_members(ours).expect("distinct names"));
    Value::Object(members)
}

fn cell(event: &Value<'_>, column: Column) -> String {
    match column {
        Column::Id => id(event).to_owned(),
        Column::UpdatedAt => updated_at(event),
        Column::ChangedBy => {
            text(event, "actor.id").or(text(event, "actor.email")).unwrap_or_default().to_owned()
        }
        Column::ChangedByApiKey => text(event, "actor.api_key_hash").unwrap_or_default().to_owned(),
        Column::Action => action(event).to_owned(),
        Column::TableName => table(event).to_owned(),
        Column::ObjectId => text(event, "targets.id").unwrap_or_default().to_owned(),
    }
}

impl Column {
    /// What rows are sorted by.
    pub fn of(self, event: &Value<'_>) -> String {
        cell(event, self)
    }
}

fn is_row(event: &Value<'_>) -> bool {
    text(event, TABLE).is_some_and(|table| fold(table).starts_with("litellm_"))
        && text(event, "action").is_some()
}

/// The id that LiteLLM gave it; else ours.
fn id<'v>(event: &'v Value<'_>) -> &'v str {
    let theirs = text(event, "source_id").and_then(|id| id.strip_prefix(ROW_ID));
    match theirs.filter(|_| is_row(event)) {
        Some(theirs) => theirs,
        None => event.get("id").and_then(Value::as_str).unwrap_or_default(),
    }
}

/// As Python prints a time in UTC: with six digits of the second's fraction, or with none.
fn updated_at(event: &Value<'_>) -> String {
    let said = event.get("time").and_then(Value::as_str).unwrap_or_default();
    let Ok(ns) = time::parse(said) else { return said.to_owned() };
    let whole = time::format_ns(ns - ns.rem_euclid(1_000_000_000));
    match ns.rem_euclid(1_000_000_000) / 1000 {
        0 => whole,
        micros => format!("{}.{micros:06}Z", whole.trim_end_matches('Z')),
    }
}

fn action<'v>(event: &'v Value<'_>) -> &'v str {
    match is_row(event) {
        true => text(event, "action").unwrap_or_default(),
        false => verb(kind(event)),
    }
}

fn table<'v>(event: &'v Value<'_>) -> &'v str {
    if is_row(event) {
        return text(event, TABLE).unwrap_or_default();
    }
    let area = area(kind(event));
    TABLES.iter().find(|(name, _)| name.eq_ignore_ascii_case(area)).map_or(area, |(_, table)| table)
}

fn values(event: &Value<'_>) -> Value<'static> {
    let mut members = event.as_object().cloned().map(Object::into_owned).unwrap_or_default();
    members.retain(|name, _| !NOT_VALUES.contains(&name));
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use event::json;

    use super::*;

    fn shown(text: &str) -> String {
        let event = json::parse(text.as_bytes(), &json::Limits::default()).unwrap();
        String::from_utf8(row(&event).to_jcs()).unwrap()
    }

    #[test]
    fn a_row_of_theirs_is_the_row_that_it_was() {
        let event = r#"{"id":"018f","type":"team.updated","status":"success","time":"2026-01-15T10:30:00.123Z","action":"updated",
            "source_id":"audit:0d3c1f0e","actor":{"type":"user","id":"alice","api_key_hash":"88dc"},
            "targets":[{"type":"team","id":"team-7"}],"changes":{"before":{"max_budget":100},"after":{"max_budget":250}},
            "attributes":{"litellm":{"table_name":"LiteLLM_TeamTable"}},"verification":{"hash":"sha256:00","verified":true}}"#;
        assert_eq!(
            shown(event),
            r#"{"action":"updated","before_value":{"max_budget":100},"changed_by":"alice","changed_by_api_key":"88dc","id":"0d3c1f0e","indelible":{"status":"success","type":"team.updated","verification":{"hash":"sha256:00","verified":true}},"object_id":"team-7","table_name":"LiteLLM_TeamTable","updated_at":"2026-01-15T10:30:00.123000Z","updated_values":{"max_budget":250}}"#
        );
    }

    #[test]
    fn any_other_event_is_a_row_too() {
        let login = r#"{"id":"018f","type":"auth.login","status":"failed","time":"2026-01-15T10:30:00Z","actor":{"email":"a@x.org"}}"#;
        assert_eq!(
            shown(login),
            r#"{"action":"login","before_value":null,"changed_by":"a@x.org","changed_by_api_key":"","id":"018f","indelible":{"status":"failed","type":"auth.login"},"object_id":"","table_name":"auth","updated_at":"2026-01-15T10:30:00Z","updated_values":{"actor":{"email":"a@x.org"},"status":"failed","type":"auth.login"}}"#
        );
        let key = r#"{"id":"018f","type":"key.created","time":"2026-01-15T10:30:00Z","targets":[{"id":"vk_9"},{"id":"b"}],"changes":{"after":["x"]}}"#;
        let row = shown(key);
        assert!(
            row.contains(r#""table_name":"LiteLLM_VerificationToken""#)
                && row.contains(r#""object_id":"vk_9""#)
        );
        assert!(row.contains(r#""updated_values":{"value":["x"]}"#), "{row}");
    }

    #[test]
    fn what_is_not_an_event_makes_no_trouble() {
        for odd in [
            "{}",
            r#"{"type":1,"time":[],"targets":{"id":{}}}"#,
            "[]",
            r#"{"attributes":{"litellm.table_name":["LiteLLM_X"]}}"#,
        ] {
            assert!(shown(odd).contains("updated_at"));
        }
    }
}
