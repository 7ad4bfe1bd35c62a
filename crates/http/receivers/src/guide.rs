//! Entries as a guide to audit logs for LLM applications prints them (specification 001), and rows of LiteLLM's audit log
//! (specification 000), where they are sent as events are. They are told apart from ours by names that we do not have.
//!
//! Where each of their fields goes is said in `event::spec::HOMES`.

use event::json::{self, Limits};
use event::{Event, Object, Refusal, Value};

use crate::litellm::{self, Fingerprint};

/// A field of theirs, the block it goes to (empty: the event itself), and its name there.
const FIELDS: &[(&str, &str, &str)] = &[
    ("timestamp", "", "time"),
    ("event_id", "", "source_id"),
    ("event_type", "", "type"),
    ("user_id", "actor", "id"),
    ("session_id", "actor", "session_id"),
    ("ip_address", "actor", "ip"),
    ("user_agent", "actor", "user_agent"),
    ("model", "llm", "model"),
    ("model_version", "llm", "model_version"),
    ("provider", "llm", "provider"),
    ("prompt_hash", "llm", "prompt_fingerprint"),
    ("response_hash", "llm", "response_fingerprint"),
    ("content_hash", "llm", "prompt_fingerprint"),
    ("tokens_input", "llm", "tokens_input"),
    ("tokens_output", "llm", "tokens_output"),
    ("latency_ms", "llm", "latency_ms"),
];
/// Lists of names, and what the name is called in the blocks that they become.
const LISTS: &[(&str, &str, &str)] = &[
    ("rag_documents", "documents", "id"),
    ("tools_called", "tools", "name"),
    ("guardrails_triggered", "guardrails", "name"),
];

/// Names of the guide's fields, and the paths of ours.
pub fn homes() -> impl Iterator<Item = (&'static str, String)> {
    let join =
        |block: &str, name: &str| if block.is_empty() { name.to_owned() } else { format!("{block}.{name}") };
    let fields = FIELDS.iter().map(move |(theirs, block, ours)| (*theirs, join(block, ours)));
    fields.chain(LISTS.iter().map(|(theirs, list, name)| (*theirs, format!("llm.{list}[].{name}"))))
}

/// Reads an entry of one of the two; `None` if it is neither.
pub fn read(
    bytes: &[u8],
    limits: &Limits,
    fingerprint: &Fingerprint<'_>,
) -> Option<Result<Event<'static>, Refusal>> {
    let Value::Object(members) = json::parse(bytes, limits).ok()?.into_owned() else { return None };
    of(members, limits, fingerprint)
}

/// [`read`], of what somebody else has parsed.
pub fn of(
    members: Object<'static>,
    limits: &Limits,
    fingerprint: &Fingerprint<'_>,
) -> Option<Result<Event<'static>, Refusal>> {
    let has = |name: &str| members.get(name).is_some_and(|value| !value.is_null());
    if has("table_name") && has("object_id") {
        let row = Value::Object(members);
        return Some(litellm::map(&row, fingerprint).and_then(|events| {
            let missing = || Refusal::new(event::Code::Missing, "", "the row gives no event");
            events.into_iter().next().ok_or_else(missing)
        }));
    }
    if has("event_type") && !has("type") {
        return Some(Event::from_value(Value::Object(map(members)), limits));
    }
    None
}

fn map(mut theirs: Object<'static>) -> Object<'static> {
    let mut ours = Object::new();
    let mut put = |block: &'static str, name: &'static str, value: Value<'static>| {
        if block.is_empty() {
            ours.insert(name, value);
            return;
        }
        match ours.get_mut(block) {
            Some(Value::Object(members)) => drop(members.insert(name, value)),
            _ => {
                let mut members = Object::new();
                members.insert(name, value);
                ours.insert(block, Value::Object(members));
            }
        }
    };
    for (name, block, field) in FIELDS {
        if let Some(value) = theirs.remove(name).filter(|value| !value.is_null()) {
            put(block, field, value);
        }
    }
    for (name, field, key) in LISTS {
        let Some(Value::Array(items)) = theirs.remove(name) else { continue };
        if !items.is_empty() {
            put("llm", field, Value::Array(items.into_iter().map(|item| named(item, key)).collect()));
        }
    }
    if let Some(rule) = theirs.remove("rule_triggered") {
        put("llm", "guardrails", Value::Array(vec![named(rule, "rule")]));
    }
    // What has the same name here, and what has none: the table of fields decides, and attributes take the rest.
    let mut attributes = Object::new();
    for (name, value) in theirs {
        match event::field::find(&name) {
            Some(_) => drop(ours.insert(name, value)),
            None => drop(attributes.insert(name, value)),
        }
    }
    if !attributes.is_empty() {
        ours.insert("attributes", Value::Object(attributes));
    }
    ours
}

/// A name as a block that has it; a block stays one.
fn named(item: Value<'static>, key: &'static str) -> Value<'static> {
    match item {
        Value::Object(members) => Value::Object(members),
        name => {
            let mut members = Object::new();
            members.insert(key, name);
            Value::Object(members)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The entry as specification 001 prints it, comments taken out.
    const PRINTED: &str = r#"{
        "timestamp": "2024-01-15T10:30:45.123Z", "event_id": "evt_abc123xyz", "event_type": "llm.completion",
        "user_id": "user_456", "session_id": "sess_789", "ip_address": "192.168.1.100", "user_agent": "Mozilla/5.0...",
        "action": "generate", "model": "gpt-4-turbo", "prompt_hash": "sha256:abc123...",
        "tokens_input": 150, "tokens_output": 280, "rag_documents": ["doc_123", "doc_456"],
        "tools_called": ["search_database"], "status": "success", "latency_ms": 1250, "guardrails_triggered": [],
        "environment": "production", "app_version": "2.1.0", "trace_id": "trace_xyz789"}"#;

    fn map_text(text: &str) -> Option<String> {
        let keyed = |_: &[u8]| "hmac-sha256:00".to_owned();
        let event = read(text.as_bytes(), &Limits::default(), &keyed)?.unwrap();
        Some(String::from_utf8(Value::Object(event.tree().clone()).to_jcs()).unwrap())
    }

    #[test]
    fn the_printed_entry_is_an_event() {
        expect_test::expect![[r#"{"action":"generate","actor":{"id":"user_456","ip":"192.168.1.100","session_id":"sess_789","user_agent":"Mozilla/5.0..."},"app_version":"2.1.0","environment":"production","llm":{"documents":[{"id":"doc_123"},{"id":"doc_456"}],"latency_ms":1250,"model":"gpt-4-turbo","prompt_fingerprint":"sha256:abc123...","tokens_input":150,"tokens_output":280,"tools":[{"name":"search_database"}]},"source_id":"evt_abc123xyz","status":"success","time":"2024-01-15T10:30:45.123Z","trace_id":"trace_xyz789","type":"llm.completion"}"#]]
        .assert_eq(&map_text(PRINTED).unwrap());
    }

    #[test]
    fn a_row_of_litellm_s_audit_log_is_an_event() {
        let row = r#"{"id":"9f","updated_at":"2026-01-01T00:00:00Z","changed_by":"alice","changed_by_api_key":"88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b",
            "action":"updated","table_name":"LiteLLM_TeamTable","object_id":"team-1","before_value":{"max_budget":10},"updated_values":{"max_budget":20}}"#;
        let event = map_text(row).unwrap();
        assert!(event.contains(r#""type":"team.updated""#), "{event}");
        assert!(event.contains(r#""before":{"max_budget":10}"#), "{event}");
    }

    #[test]
    fn ours_are_left_alone() {
        assert_eq!(map_text(r#"{"type":"auth.login"}"#), None);
        assert_eq!(map_text("[1]"), None);
        assert_eq!(map_text("nonsense"), None);
    }
}
