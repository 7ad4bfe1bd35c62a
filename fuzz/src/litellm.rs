//! What a LiteLLM proxy sends.

use event::Value;
use receivers::litellm::{ITEM_LIMITS, items, map};
use redact::Origin;

use crate::check;

/// Members of a call that hold what a model was told or said, and what guardrails quote of it.
const PROMPTS: &[&str] = &[
    "messages",
    "response",
    "guardrail_request",
    "guardrail_response",
    "match_details",
    "classification",
    "classifier_input",
];

pub fn callback(bytes: &[u8]) {
    for item in items(bytes, &ITEM_LIMITS).flatten() {
        let mut value = item.value;
        check::put_prompts(&mut value, PROMPTS);
        one(bytes, &value);
    }
}

pub fn callback_seeds() -> Vec<Vec<u8>> {
    const ARRAY: &[u8] =
        include_bytes!("../../tests/fixtures/litellm/litellm-1.105.3-generic_api-json_array.json");
    const LINES: &[u8] = include_bytes!("../../tests/fixtures/litellm/litellm-1.105.3-generic_api.ndjson");
    let mut seeds = vec![ARRAY.to_vec(), LINES.to_vec()];
    seeds.extend(LINES.split(|b| *b == b'\n').map(<[u8]>::to_vec));
    seeds.extend(check::texts(&[
        r#"{"id":"resp-1","litellm_call_id":"call-1","call_type":"acompletion","status":"failure","error_str":"bad SECRET","error_information":{"error_code":"401","error_class":"ProxyException","error_message":"SECRET"},"guardrail_information":[{"guardrail_name":"g","guardrail_status":"guardrail_intervened","guardrail_request":"p","match_details":["m"],"masked_entity_count":{"EMAIL":2}}],"metadata":{"user_api_key_hash":"SECRET","user_api_key_alias":"SECRET","requester_metadata":{"x":"SECRET"},"mcp_tool_call_metadata":{"name":"t","arguments":{"a":1},"result":"r"},"vector_store_request_metadata":[{"query":"q","vector_store_id":"v"}]},"startTime":1795309341.496492,"endTime":1795309342.5,"request_tags":["SECRET","a"],"messages":"p","response":{"choices":[]},"model_parameters":{"tools":[{"function":{"name":"f"}}]},"response_cost":1e-9,"end_user":"SECRET"}"#,
    ]));
    seeds
}

/// Rows of the audit log, in which values are objects or JSON in a text.
pub fn audit(bytes: &[u8]) {
    for item in items(bytes, &ITEM_LIMITS).flatten() {
        if let Value::Object(mut row) = item.value {
            row.remove("litellm_call_id");
            row.remove("call_type");
            if row.get("table_name").is_none() {
                row.insert("table_name", "LiteLLM_VerificationToken");
            }
            one(bytes, &Value::Object(row));
        }
    }
}

pub fn audit_seeds() -> Vec<Vec<u8>> {
    check::texts(&[
        r#"{"id":"9f","updated_at":"2026-01-01T00:00:00.123000Z","changed_by":"alice","changed_by_api_key":"88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b","action":"updated","table_name":"LiteLLM_TeamTable","object_id":"team-1","before_value":{"max_budget":10,"key":"SECRET"},"updated_values":{"max_budget":20}}"#,
        r#"{"id":"a0","updated_at":"2026-01-01T00:00:00","changed_by":"","action":"rotated","table_name":"LiteLLM_VerificationToken","object_id":"SECRET","before_value":"{\"token\": \"abc\", \"models\": [\"m\"]}","updated_values":"{\"key\": \"sk-a****wxyz\"}"}"#,
        r#"[{"action":"deleted","table_name":"LiteLLM_UserTable","object_id":"u","before_value":null,"updated_values":"{}"},{"action":"kill_switch_fired","table_name":"LiteLLM_AgentsTable","object_id":"a"}]"#,
    ])
}

/// The budget webhook and alerts.
pub fn notice(bytes: &[u8]) {
    for item in items(bytes, &ITEM_LIMITS).flatten() {
        one(bytes, &item.value);
    }
}

pub fn notice_seeds() -> Vec<Vec<u8>> {
    check::texts(&[
        r#"{"spend":10.5,"max_budget":10,"token":"88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b","user_id":"u","team_id":"t","team_alias":"T","user_email":"a@example.com","key_alias":"SECRET","projected_exceeded_date":"2026-01-01","projected_spend":1e3,"event":"budget_crossed","event_group":"key","event_message":"Budget SECRET crossed"}"#,
        r#"{"text":"Alert type: `llm_exceptions`\nLevel: `High`\nTimestamp: `01:02:21`\n\nMessage: SECRET failed"}"#,
        r#"{"text":"[Num Alerts: 3]\n\nAlert type: `new_virtual_key_created`\nLevel: `Low`\nTimestamp: `01:02:21`\n\nMessage: *New key*\ncreated_by_user_id: alice\nkey_alias: SECRET"}"#,
    ])
}

fn one(bytes: &[u8], value: &Value<'_>) {
    for event in map(value, &check::fingerprint).into_iter().flatten() {
        check::event(bytes, &event, Origin::Adapter);
    }
}
