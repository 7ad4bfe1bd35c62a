//! What LiteLLM tells people: its budget webhook, and its alerts in the shape that Slack takes. Neither has an id or a date,
//! so it is recorded as often as it is sent, at the time of its receipt.

use event::{Code, Event, Object, Refusal, Value};

use super::Fingerprint;
use crate::intake::left_out;
use crate::kept::{hashed_key, money, short_text};

/// The budget webhook's words, our type for them, the status and the severity.
pub const BUDGET_EVENTS: &[(&str, &str, Option<&str>, &str)] = &[
    ("budget_crossed", "authz.budget_check", Some("blocked"), "high"),
    ("max_budget_alert", "authz.budget_check", None, "medium"),
    ("soft_budget_crossed", "authz.budget_check", None, "medium"),
    ("threshold_crossed", "authz.budget_check", None, "medium"),
    ("projected_limit_exceeded", "authz.budget_check", None, "medium"),
    ("spend_tracked", "authz.budget_check", Some("success"), "info"),
    ("key_created", "key.created", Some("success"), "low"),
    ("key_rotated", "key.rotated", Some("success"), "low"),
    ("internal_user_created", "user.created", Some("success"), "low"),
];

/// Types of alerts, and our types for them; any other is [`ALERT`].
pub const ALERT_TYPES: &[(&str, &str)] = &[
    ("llm_exceptions", "error.provider"),
    ("llm_too_slow", "error.timeout"),
    ("llm_requests_hanging", "error.timeout"),
    ("outage_alerts", "error.provider"),
    ("region_outage_alerts", "error.provider"),
    ("cooldown_deployment", "error.provider"),
    ("db_exceptions", "error.internal"),
    ("failed_tracking_spend", "error.internal"),
    ("budget_alerts", "authz.budget_check"),
    ("new_virtual_key_created", "key.created"),
    ("virtual_key_updated", "key.updated"),
    ("virtual_key_deleted", "key.deleted"),
    ("new_team_created", "team.created"),
    ("team_updated", "team.updated"),
    ("team_deleted", "team.deleted"),
    ("new_internal_user_created", "user.created"),
    ("internal_user_updated", "user.updated"),
    ("internal_user_deleted", "user.deleted"),
    ("new_model_added", "model.created"),
];

/// The type of an alert that is not in the table.
pub const ALERT: &str = "litellm.alert";

/// Fields of the webhook that are money.
const AMOUNTS: [&str; 4] = ["spend", "max_budget", "soft_budget", "projected_spend"];
/// What the budget is of: field of the id, our word, field of the name.
const WHOSE: [(&str, &str, &str); 5] = [
    ("token", "key", "key_alias"),
    ("user_id", "user", "user_email"),
    ("team_id", "team", "team_alias"),
    ("organization_id", "organisation", ""),
    ("customer_id", "customer", ""),
];

/// Whether it is one of the two, and neither a call nor a row of the audit log.
pub(super) fn is_notice(members: &Object<'_>) -> bool {
    let has = |name: &str| members.get(name).is_some_and(|value| !value.is_null());
    let is_call = has("litellm_call_id") || has("call_type") || has("table_name");
    !is_call && (is_budget(members) || members.get("text").is_some_and(|text| text.as_str().is_some()))
}

fn is_budget(members: &Object<'_>) -> bool {
    let is_text = |name: &str| members.get(name).is_some_and(|value| value.as_str().is_some());
    is_text("event") && is_text("event_group")
}

pub(super) fn map(
    members: &Object<'_>,
    producer: &str,
    fingerprint: &Fingerprint<'_>,
) -> Result<Event<'static>, Refusal> {
    match is_budget(members) {
        true => budget(members, producer, fingerprint),
        false => alert(members, producer, fingerprint),
    }
}

fn budget(
    members: &Object<'_>,
    producer: &str,
    fingerprint: &Fingerprint<'_>,
) -> Result<Event<'static>, Refusal> {
    let text = |name: &str| members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let said = text("event").unwrap_or_default();
    let known = BUDGET_EVENTS.iter().find(|(word, ..)| *word == said);
    let (_, kind, status, severity) = *known.unwrap_or(&("", "authz.budget_check", None, "medium"));
    let mut event = Object::new();
    event.insert("type", kind);
    event.insert("severity", severity);
    event.insert("producer", producer.to_owned());
    event.insert("action", word("/event", said)?);
    if let Some(status) = status {
        event.insert("status", status);
    }
    if let Some(message) = text("event_message").and_then(|text| short_text(text, 1024).ok()) {
        event.insert("message", message);
    }
    let mut targets = Vec::new();
    for (id, whose, name) in WHOSE {
        let Some(said) = text(id) else { continue };
        let mut target = Object::new();
        target.insert("type", whose);
        // The token itself has been seen where a hash was meant.
        let hash = || hashed_key(said).unwrap_or_else(|| fingerprint(said.as_bytes()));
        match if id == "token" { Ok(hash()) } else { short_text(said, 256) } {
            Ok(id) => drop(target.insert("id", id)),
            Err(_) => continue,
        }
        if let Some(name) = text(name).and_then(|name| short_text(name, 256).ok()) {
            target.insert("name", name);
        }
        targets.push(Value::Object(target));
    }
    if !targets.is_empty() {
        event.insert("targets", targets);
    }
    let mut litellm = Object::new();
    litellm.insert("event_group", word("/event_group", text("event_group").unwrap_or_default())?);
    for name in AMOUNTS {
        if let Some(Value::Number(amount)) = members.get(name) {
            litellm.insert(name, money(amount.as_f64()));
        }
    }
    if let Some(date) = text("projected_exceeded_date").and_then(|text| short_text(text, 64).ok()) {
        litellm.insert("projected_exceeded_date", date);
    }
    finish(event, litellm)
}

/// An alert is text for people, with the prompt in it if a call failed: of it only the words at its head are taken.
fn alert(
    members: &Object<'_>,
    producer: &str,
    fingerprint: &Fingerprint<'_>,
) -> Result<Event<'static>, Refusal> {
    let text = members.get("text").and_then(Value::as_str).unwrap_or_default();
    let (head, rest) = text.split_once("\n\n").unwrap_or((text, ""));
    let said = |label: &str| {
        let line = head.lines().find_map(|line| line.trim().strip_prefix(label))?;
        let word = line.trim().trim_matches('`');
        let is_word = word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        (is_word && (1..=64).contains(&word.len())).then(|| word.to_owned())
    };
    let alert = said("Alert type:");
    let known = ALERT_TYPES.iter().find(|(word, _)| Some(*word) == alert.as_deref());
    let kind = known.map_or(ALERT, |(_, kind)| kind);
    let mut event = Object::new();
    event.insert("type", kind);
    event.insert("producer", producer.to_owned());
    event.insert("status", if kind.starts_with("error.") { "error" } else { "success" });
    if let Some(level) = said("Level:").map(|level| level.to_lowercase())
        && event::outcome::severity_code(&level) != event::outcome::OTHER
    {
        event.insert("severity", level);
    }
    let mut litellm = Object::new();
    // Anybody who knows the address can write one, and LiteLLM itself puts strangers' words into it.
    litellm.insert("assurance", "low");
    if let Some(alert) = alert {
        event.insert("action", alert.clone());
        litellm.insert("alert_type", alert);
    }
    if let Some(time) = head.lines().find_map(|line| line.trim().strip_prefix("Timestamp:")) {
        // A time of day without a date or a zone.
        if let Ok(time) = short_text(time.trim().trim_matches('`'), 32) {
            litellm.insert("time_of_day", time);
        }
    }
    // Only alerts about changes name who did it, and only they have no prompt in them.
    if !kind.starts_with("error.") && kind != ALERT {
        let mut claimed = Object::new();
        for (label, field) in [("created_by_user_id:", "id"), ("created_by_key_alias:", "name")] {
            let value = rest.lines().find_map(|line| line.trim().strip_prefix(label));
            let value = value.map(|value| value.trim().trim_matches('`'));
            if let Some(Ok(value)) =
                value.filter(|v| !v.is_empty() && *v != "None").map(|v| short_text(v, 256))
            {
                claimed.insert(field, value);
            }
        }
        if !claimed.is_empty() {
            let mut actor = Object::new();
            actor.insert("claimed", claimed);
            event.insert("actor", actor);
        }
    }
    if !rest.is_empty() {
        litellm.insert("text_fingerprint", fingerprint(rest.as_bytes()));
        event.insert("redactions", vec![left_out("/text", "litellm.error_text", rest.len())]);
    }
    finish(event, litellm)
}

fn finish(mut event: Object<'static>, litellm: Object<'static>) -> Result<Event<'static>, Refusal> {
    let mut attributes = Object::new();
    attributes.insert("litellm", litellm);
    event.insert("attributes", attributes);
    crate::kept::event(event)
}

/// One word of LiteLLM's.
fn word(pointer: &str, text: &str) -> Result<String, Refusal> {
    let fits = (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    match fits {
        true => Ok(text.to_owned()),
        false => Err(Refusal::new(Code::BadValue, pointer, "expected one word")),
    }
}

#[cfg(test)]
mod tests {
    use event::json;
    use expect_test::{Expect, expect};

    use super::super::{ITEM_LIMITS, map};
    use super::*;

    fn check(text: &str, expect: Expect) {
        let keyed = |bytes: &[u8]| format!("test:{}", bytes.len());
        let item = json::parse(text.as_bytes(), &ITEM_LIMITS).unwrap();
        let told = match map(&item, &keyed) {
            Ok(events) => {
                assert_eq!(events.len(), 1);
                String::from_utf8(Value::Object(events[0].tree().clone()).to_jcs()).unwrap()
            }
            Err(refusal) => refusal.to_string(),
        };
        expect.assert_eq(&told);
    }

    #[test]
    fn the_budget_webhook() {
        let hash = "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b";
        let body = format!(
            r#"{{"spend":1.5,"max_budget":1,"soft_budget":null,"token":"{hash}","customer_id":null,"user_id":"alice","team_id":"t1",
            "team_alias":"blue","organization_id":null,"user_email":"alice@example.com","key_alias":"prod",
            "projected_exceeded_date":null,"projected_spend":null,"event":"budget_crossed","event_group":"key",
            "event_message":"Key Budget: Budget Crossed"}}"#
        );
        check(
            &body,
            expect![[
                r#"{"action":"budget_crossed","attributes":{"litellm":{"event_group":"key","max_budget":"1","spend":"1.5"}},"message":"Key Budget: Budget Crossed","producer":"litellm","severity":"high","status":"blocked","targets":[{"id":"88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b","name":"prod","type":"key"},{"id":"alice","name":"alice@example.com","type":"user"},{"id":"t1","name":"blue","type":"team"}],"type":"authz.budget_check"}"#
            ]],
        );
        check(
            &body.replace(hash, "sk-1234").replace("budget_crossed", "key_created"),
            expect![[
                r#"{"action":"key_created","attributes":{"litellm":{"event_group":"key","max_budget":"1","spend":"1.5"}},"message":"Key Budget: Budget Crossed","producer":"litellm","severity":"low","status":"success","targets":[{"id":"test:7","name":"prod","type":"key"},{"id":"alice","name":"alice@example.com","type":"user"},{"id":"t1","name":"blue","type":"team"}],"type":"key.created"}"#
            ]],
        );
        check(r#"{"event":"so much\n","event_group":"key"}"#, expect!["/event: expected one word"]);
    }

    /// The first as a proxy sent it, 1.105.3.
    #[test]
    fn alerts_for_slack() {
        check(
            r#"{"text":"Alert type: `llm_exceptions`\nLevel: `High`\nTimestamp: `01:02:21`\n\nMessage: LLM API call failed: `the prompt`"}"#,
            expect![[
                r#"{"action":"llm_exceptions","attributes":{"litellm":{"alert_type":"llm_exceptions","assurance":"low","text_fingerprint":"test:42","time_of_day":"01:02:21"}},"producer":"litellm","redactions":[{"action":"drop","path":"/text","rule":"litellm.error_text","size":42}],"severity":"high","status":"error","type":"error.provider"}"#
            ]],
        );
        check(
            r#"{"text":"Alert type: `new_virtual_key_created`\nLevel: `Low`\nTimestamp: `01:02:21`\n\nMessage: `New Virtual Key Created`\n*Action Done by:*\ncreated_by_user_id: `admin-7`\ncreated_by_user_role: `proxy_admin`\ncreated_by_key_alias: `None`\n\n*Arguments passed:*\nkey_alias: `prod`"}"#,
            expect![[
                r#"{"action":"new_virtual_key_created","actor":{"claimed":{"id":"admin-7"}},"attributes":{"litellm":{"alert_type":"new_virtual_key_created","assurance":"low","text_fingerprint":"test:186","time_of_day":"01:02:21"}},"producer":"litellm","redactions":[{"action":"drop","path":"/text","rule":"litellm.error_text","size":186}],"severity":"low","status":"success","type":"key.created"}"#
            ]],
        );
        check(
            r#"{"text":"hello\n\nsecret prompt"}"#,
            expect![[
                r#"{"attributes":{"litellm":{"assurance":"low","text_fingerprint":"test:13"}},"producer":"litellm","redactions":[{"action":"drop","path":"/text","rule":"litellm.error_text","size":13}],"status":"success","type":"litellm.alert"}"#
            ]],
        );
    }
}
