use std::collections::BTreeSet;

use event::{Event, Value, json};
use expect_test::{Expect, expect, expect_file};
use proptest::prelude::*;

use super::*;
use crate::kept::{money, money_18};

const ARRAY: &[u8] =
    include_bytes!("../../../../../tests/fixtures/litellm/litellm-1.105.3-generic_api-json_array.json");
const NDJSON: &[u8] =
    include_bytes!("../../../../../tests/fixtures/litellm/litellm-1.105.3-generic_api.ndjson");

/// Not keyed: what it is made of does not matter here, only that it is not the text.
fn fingerprint(bytes: &[u8]) -> String {
    let fnv = |hash: u64, b: &u8| (hash ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3);
    format!("test:{:016x}", bytes.iter().fold(0xcbf2_9ce4_8422_2325, fnv))
}

fn events(body: &[u8]) -> Vec<Event<'static>> {
    items(body, &ITEM_LIMITS).flat_map(|item| map(&item.unwrap().value, &fingerprint).unwrap()).collect()
}

/// Canonical bytes, a member a line to be read by people.
fn shown(event: &Event<'_>) -> String {
    fn show(value: &Value<'_>, indent: usize, out: &mut String) {
        let pad = "  ".repeat(indent + 1);
        match value {
            Value::Object(members) if value.to_jcs().len() > 90 => {
                *out += "{\n";
                for (name, value) in members.iter() {
                    *out += &format!("{pad}{name}: ");
                    show(value, indent + 1, out);
                    *out += "\n";
                }
                *out += &format!("{}}}", "  ".repeat(indent));
            }
            Value::Array(items) if value.to_jcs().len() > 90 => {
                *out += "[\n";
                for value in items {
                    *out += &pad;
                    show(value, indent + 1, out);
                    *out += "\n";
                }
                *out += &format!("{}]", "  ".repeat(indent));
            }
            value => *out += &String::from_utf8(value.to_jcs()).unwrap(),
        }
    }
    let mut out = String::new();
    show(&Value::Object(event.tree().clone()), 0, &mut out);
    out
}

fn everything(events: &[Event<'_>]) -> String {
    let mut all = String::new();
    for event in events {
        all += &String::from_utf8(event.submitted()).unwrap();
        for (_, body) in event.sections() {
            all += &String::from_utf8(body).unwrap();
        }
        all += &format!("{:?}", event.core());
    }
    all
}

#[test]
fn the_captured_traffic() {
    let all: Vec<String> = events(ARRAY).iter().map(shown).collect();
    assert_eq!(all.len(), 4);
    expect_file!["snapshots/captured.txt"].assert_eq(&(all.join("\n\n") + "\n"));
    let times: Vec<_> = events(ARRAY).iter().map(|e| e.core().time_ns.unwrap()).collect();
    assert_eq!(times[1], 1_795_309_341_496_492_000);
    // The same calls, sent by the other callback of the same proxy.
    assert_eq!(events(NDJSON).iter().map(shown).collect::<Vec<_>>(), all);
}

#[test]
fn no_prompt_or_answer_is_in_any_event() {
    for body in [ARRAY, NDJSON] {
        let all = everything(&events(body));
        for text in [
            "SSN",
            "123-45-6789",
            "Hello from",
            "mock",
            "stream please",
            "Connection error",
            "No connected db",
            "x-custom-hdr",
            "foo",
            "_trimmed",
            "<trimmed>",
            "\"fail\"",
        ] {
            assert!(!all.contains(text), "{text}");
        }
        // The same search finds what is kept.
        for text in ["probe/1", "end-user-7", "search_db", "sess-1", "0.0000135", "fake-gpt"] {
            assert!(all.contains(text), "{text}");
        }
    }
}

/// A payload with all that the captured ones do not have.
const FULL: &str = r#"{
    "id": "resp-1", "litellm_call_id": "call-1", "trace_id": "trace-1", "session_id": "session-1",
    "call_type": "call_mcp_tool", "status": "failure", "cache_hit": true, "stream": false,
    "status_fields": {"llm_api_status": "failure", "guardrail_status": "guardrail_intervened"},
    "startTime": 1795309340.25, "endTime": 1795309341, "completionStartTime": 1795309340.5, "response_time": 0.75,
    "model": "gpt-4o", "model_group": "smart", "model_id": "m1", "custom_llm_provider": "azure",
    "api_base": "https://user:pass@host.example/v1?key=abc", "cache_key": "0123abcd",
    "response_cost": 12, "saved_cache_cost": 1e-7, "cost_breakdown": {"total_cost": 12.5, "additional_costs": {"fee": 1}},
    "total_tokens": 3, "prompt_tokens": 1, "completion_tokens": 2,
    "request_tags": ["blue", "User-Agent: curl"], "request_model_access_groups": ["beta"],
    "end_user": "erin", "requester_ip_address": "203.0.113.9:4711", "user_agent": "curl/8",
    "messages": [{"role": "user", "content": "the prompt"}],
    "response": {"id": "r", "choices": [{"finish_reason": "tool_calls", "message": {"content": "the answer",
        "tool_calls": [{"id": "call_9", "type": "function", "function": {"name": "lookup", "arguments": "{\"q\":\"args\"}"}}]}}]},
    "model_parameters": {"temperature": 0.2, "max_tokens": 9, "stop": ["the stop"], "user": "erin", "tool_choice": "auto",
        "response_format": {"type": "json_schema", "json_schema": {"name": "the schema"}}, "new_one": "the unknown",
        "tools": [{"type": "function", "function": {"name": "lookup", "description": "the description"}}, {"type": "web_search"}]},
    "error_str": "the error", "error_information": {"error_code": "400", "error_class": "ContentPolicyViolationError",
        "error_message": "the message", "traceback": "the trace", "error_budget_limit": 0.1, "normalized_error": "400_X"},
    "hidden_params": {"api_base": "https://host.example", "additional_headers": {"x": "y"}, "litellm_overhead_time_ms": 1.5},
    "model_map_information": {"model_map_key": "k", "model_map_value": {"input_cost_per_token": 1}},
    "guardrail_information": [{"guardrail_name": "pii", "guardrail_provider": "presidio", "guardrail_mode": ["pre_call", "post_call"],
        "guardrail_status": "guardrail_intervened", "guardrail_request": {"text": "the prompt"}, "guardrail_response": "the quote",
        "match_details": ["the match"], "classification": "the class", "masked_entity_count": {"EMAIL": 2, "a name": 1},
        "risk_score": 7, "confidence_score": 0.9, "violation_categories": ["pii"], "policy_template": "EU AI Act Article 5",
        "guardrail_action": "blocked", "duration": 0.01, "alert_recipients": ["bob@example.com"], "guardrail_cost": 1e-5},
        {"guardrail_name": "toxic", "guardrail_status": "success"}],
    "metadata": {"user_api_key_hash": "sk-not-a-hash", "user_api_key_alias": "ci", "user_api_key_spend": 1.25,
        "user_api_key_team_id": "t-1", "user_api_key_team_alias": "Research", "user_api_key_org_id": "o-1",
        "user_api_key_project_id": "p-1", "user_api_key_user_id": "alice", "user_api_key_user_email": "alice@example.com",
        "user_api_key_auth_metadata": {"a": "the auth"}, "spend_logs_metadata": {"a": "the spend"},
        "requester_metadata": {"session_id": "s-2", "note": "the note", "headers": {"x": "the header"}},
        "requester_custom_headers": {"x-a": "the header"}, "applied_guardrails": ["pii"],
        "prompt_management_metadata": {"prompt_id": "greeting", "prompt_variables": {"name": "the variable"}},
        "mcp_tool_call_metadata": {"name": "lookup", "mcp_server_name": "crm", "namespaced_tool_name": "crm-lookup",
            "arguments": {"q": "the argument"}, "result": "the result", "mcp_session_id": "mcp-1"},
        "vector_store_request_metadata": [{"vector_store_id": "vs-1", "query": "the query", "start_time": 1.5,
            "vector_store_search_response": {"search_query": "the query", "data": [
                {"file_id": "doc-1", "filename": "handbook.pdf", "score": 0.75, "content": [{"text": "the passage"}]}]}}],
        "usage_object": {"prompt_tokens_details": {"cached_tokens": 1}, "completion_tokens_details": {"reasoning_tokens": 2}},
        "routing_decision": {"why": "the reason"}},
    "a_new_field": "the unknown", "a name that quotes the prompt": 1
}"#;

#[test]
fn a_blocked_call_with_everything() {
    let events = events(FULL.as_bytes());
    let all = everything(&events);
    for text in
        ["\"the ", "the prompt", "args", "sk-not", "user:pass", "key=abc", "bob@", "0123abcd", "a name"]
    {
        assert!(!all.contains(text), "{text}");
    }
    let all: Vec<String> = events.iter().map(shown).collect();
    expect_file!["snapshots/blocked.txt"].assert_eq(&(all.join("\n\n") + "\n"));
}

#[track_caller]
fn check_call(change: &str, expect: Expect) {
    let body = format!(
        r#"{{"litellm_call_id":"c","status":"success","call_type":"acompletion","endTime":1.5{change}}}"#
    );
    let item = json::parse(body.as_bytes(), &ITEM_LIMITS).unwrap();
    let said = match map(&item, &fingerprint) {
        Ok(events) => {
            let all: Vec<String> =
                events.iter().map(|event| String::from_utf8(event.submitted()).unwrap()).collect();
            all.join("\n").replace(r#","producer":"litellm""#, "").replace(r#","request_id":"c""#, "")
        }
        Err(refusal) => format!("{} {refusal}", refusal.code),
    };
    expect.assert_eq(&said);
}

#[test]
fn guardrails_have_an_event_of_their_own() {
    check_call(
        r#","status_fields":{"guardrail_status":"guardrail_flagged"},"guardrail_information":{"guardrail_name":"old shape"}"#,
        expect![[r#"
            {"actor":{"type":"anonymous"},"attributes":{"litellm":{"call_type":"acompletion","status_fields":{"guardrail_status":"guardrail_flagged"}}},"llm":{"guardrails":[{"name":"old shape"}],"operation":"chat"},"source_id":"c:success","status":"success","time":"1970-01-01T00:00:01.500000Z","type":"llm.completion"}
            {"actor":{"type":"anonymous"},"attributes":{"litellm":{"call_type":"acompletion","status_fields":{"guardrail_status":"guardrail_flagged"}}},"llm":{"guardrails":[{"name":"old shape"}]},"source_id":"c:success:guardrail","status":"success","time":"1970-01-01T00:00:01.500000Z","type":"guardrail.flag"}"#]],
    );
    check_call(
        r#","guardrail_information":[{"guardrail_status":"success"},{"guardrail_status":"guardrail_failed_to_respond"}]"#,
        expect![[r#"
            {"actor":{"type":"anonymous"},"attributes":{"litellm":{"call_type":"acompletion"}},"llm":{"guardrails":[{"verdict":"allow"},{"verdict":"error"}],"operation":"chat"},"source_id":"c:success","status":"success","time":"1970-01-01T00:00:01.500000Z","type":"llm.completion"}
            {"actor":{"type":"anonymous"},"attributes":{"litellm":{"call_type":"acompletion"}},"llm":{"guardrails":[{"verdict":"allow"},{"verdict":"error"}]},"source_id":"c:success:guardrail","status":"error","time":"1970-01-01T00:00:01.500000Z","type":"guardrail.error"}"#]],
    );
}

#[test]
fn what_is_not_as_it_should_be() {
    check_call(
        r#","user_agent":7,"model":{"a":1},"total_tokens":-1,"metadata":"x""#,
        expect![[
            r#"{"actor":{"type":"anonymous"},"attributes":{"litellm":{"call_type":"acompletion"}},"llm":{"operation":"chat"},"redactions":[{"action":"drop","path":"/metadata","rule":"litellm.wrong_type","size":4},{"action":"drop","path":"/model","rule":"litellm.wrong_type","size":8},{"action":"drop","path":"/total_tokens","rule":"litellm.wrong_type","size":2},{"action":"drop","path":"/user_agent","rule":"litellm.wrong_type","size":1}],"source_id":"c:success","status":"success","time":"1970-01-01T00:00:01.500000Z","type":"llm.completion"}"#
        ]],
    );
    check_call(
        r#","requester_ip_address":"not an address","call_id":3"#,
        expect![[
            r#"{"actor":{"type":"anonymous"},"attributes":{"litellm":{"call_type":"acompletion"}},"llm":{"operation":"chat"},"redactions":[{"action":"drop","path":"/requester_ip_address","rule":"litellm.bad_value","size":16}],"source_id":"c:success","status":"success","time":"1970-01-01T00:00:01.500000Z","type":"llm.completion"}"#
        ]],
    );
    for body in [
        r#"{"status":"success"}"#,
        r#"{"litellm_call_id":7,"status":"success"}"#,
        r#"{"litellm_call_id":"c"}"#,
        r#"{"litellm_call_id":"c","status":"It went well"}"#,
        r#"{"litellm_call_id":"c","status":"success","endTime":"2026-01-01"}"#,
        r#"{"litellm_call_id":"c","status":"success","endTime":1795309340051}"#,
        r#"{"litellm_call_id":"c","status":"success","endTime":-1}"#,
        r#"{"litellm_call_id":"c","status":"success","call_type":[1]}"#,
        r#"{"id":"x","call_type":"acompletion","startTime":"2026-01-01 00:00:00","metadata":"{}","modelParameters":"{}","cost":"0.1"}"#,
        r#"{"table_name":"LiteLLM_TeamTable","id":"1"}"#,
        r#"{"table_name":"LiteLLM_TeamTable","id":"1","action":"updated","updated_at":"yesterday"}"#,
        "7",
        "[]",
    ] {
        let item = json::parse(body.as_bytes(), &ITEM_LIMITS).unwrap();
        map(&item, &fingerprint).expect_err(body);
    }
}

#[test]
fn refusals_name_the_place() {
    let check = |body: &str, expect: Expect| {
        let item = json::parse(body.as_bytes(), &ITEM_LIMITS).unwrap();
        let refusal = map(&item, &fingerprint).unwrap_err();
        expect.assert_eq(&format!("{} {refusal}", refusal.code));
    };
    check(r#"{"status":"success"}"#, expect!["missing /litellm_call_id: a call has an id"]);
    check(
        r#"{"litellm_call_id":"c","status":"success","endTime":1795309340051}"#,
        expect!["bad_value /endTime: not a time in seconds since 1970: milliseconds?"],
    );
    check(
        r#"{"id":"x","modelParameters":"{}","startTime":"2026"}"#,
        expect![
            "bad_value event: a version 1 payload, all of it turned into text: unset litellm.generic_api_use_v1"
        ],
    );
    check(
        r#"{"table_name":"LiteLLM_TeamTable","id":"1"}"#,
        expect!["missing /action: a row of the audit log has it"],
    );
}

#[test]
fn rows_of_the_audit_log() {
    let check = |body: &str, expect: Expect| {
        let events = events(body.as_bytes());
        expect.assert_eq(&shown(&events[0]));
    };
    check(
        r#"{"id":"0d3c1f0e","updated_at":"2026-01-15T10:30:00.123000Z","changed_by":"alice",
            "changed_by_api_key":"88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b","action":"updated",
            "table_name":"LiteLLM_VerificationToken","object_id":"88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b",
            "before_value":{"token":"88dc","key_alias":"ci","max_budget":10,"metadata":{"webhook_secret":"w","owner":"bob"},
                "litellm_params":"{\"api_key\": \"sk-1\", \"model\": \"m\"}","note":"use sk-live-9f"},
            "updated_values":"{\"key_alias\": \"ci-2\", \"max_budget\": 20, \"key\": \"sk-...\"}","new":1}"#,
        expect![[r#"
            {
              action: "updated"
              actor: {
                api_key_hash: "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b"
                id: "alice"
                type: "user"
              }
              attributes: {"litellm":{"table_name":"LiteLLM_VerificationToken"}}
              changes: {
                after: {"key_alias":"ci-2","max_budget":20}
                before: {
                  key_alias: "ci"
                  litellm_params: "{\"model\":\"m\"}"
                  max_budget: 10
                  metadata: {"owner":"bob"}
                }
              }
              producer: "litellm"
              redactions: [
                {
                  action: "drop"
                  path: "/before_value/litellm_params/api_key"
                  rule: "litellm.secret"
                  size: 8
                }
                {
                  action: "drop"
                  path: "/before_value/metadata/webhook_secret"
                  rule: "litellm.secret"
                  size: 4
                }
                {"action":"drop","path":"/before_value/note","rule":"litellm.secret","size":16}
                {"action":"drop","path":"/before_value/token","rule":"litellm.secret","size":8}
                {"action":"drop","path":"/new","rule":"litellm.unknown_field","size":1}
                {"action":"drop","path":"/updated_values/key","rule":"litellm.secret","size":8}
              ]
              source_id: "audit:0d3c1f0e"
              status: "success"
              targets: [
                {
                  id: "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b"
                  name: "ci-2"
                  type: "key"
                }
              ]
              time: "2026-01-15T10:30:00.123Z"
              type: "key.updated"
            }"#]],
    );
    check(
        r#"{"id":"2","updated_at":"2026-01-15 10:30:00.5","changed_by":"","changed_by_api_key":"","action":"blocked",
            "table_name":"LiteLLM_TeamTable","object_id":"t-1","before_value":null,"updated_values":"Updated 7 users"}"#,
        expect![[r#"
            {
              action: "blocked"
              attributes: {"litellm":{"table_name":"LiteLLM_TeamTable"}}
              producer: "litellm"
              redactions: [{"action":"drop","path":"/updated_values","rule":"litellm.bad_value","size":32}]
              source_id: "audit:2"
              status: "success"
              targets: [{"id":"t-1","type":"team"}]
              time: "2026-01-15T10:30:00.500Z"
              type: "team.updated"
            }"#]],
    );
    let kinds = |table: &str, action: &str| {
        let row = format!(r#"{{"id":"1","action":"{action}","table_name":"{table}"}}"#);
        events(row.as_bytes())[0].core().kind.to_string()
    };
    assert_eq!(kinds("LiteLLM_VerificationToken", "rotated"), "key.rotated");
    assert_eq!(kinds("LiteLLM_VerificationToken", "unblocked"), "key.unblocked");
    assert_eq!(kinds("LiteLLM_UserTable", "create"), "user.created");
    assert_eq!(kinds("LiteLLM_ProxyModelTable", "deleted"), "model.deleted");
    assert_eq!(kinds("LiteLLM_ProxyModelTable", "blocked"), "model.updated");
    assert_eq!(kinds("LiteLLM_AgentsTable", "kill_switch_fired"), "agent.updated");
    assert_eq!(kinds("LiteLLM_SSOConfig", "updated"), "oidc.updated");
    assert_eq!(kinds("LiteLLM_Config", "deleted"), "settings.changed");
    assert_eq!(kinds("LiteLLM_Tomorrow", "created"), "settings.changed");
}

#[test]
fn call_types() {
    let kinds = |call_type: &str| {
        let body = format!(r#"{{"litellm_call_id":"c","status":"success","call_type":"{call_type}"}}"#);
        events(body.as_bytes())[0].core().kind.to_string()
    };
    for (call_type, kind) in [
        ("acompletion", "llm.completion"),
        ("completion", "llm.completion"),
        ("anthropic_messages", "llm.completion"),
        ("aembedding", "llm.embedding"),
        ("aresponses", "llm.response"),
        ("call_mcp_tool", "tool.call"),
        ("avector_store_search", "rag.retrieval"),
        ("asend_message", "agent.message"),
        ("amoderation", "llm.moderation"),
        ("teleport", "llm.teleport"),
        ("My SSN is", "llm.request"),
    ] {
        assert_eq!(kinds(call_type), kind, "{call_type}");
    }
}

#[test]
fn bodies() {
    let check = |body: &str, expect: Expect| {
        let said: Vec<String> = items(body.as_bytes(), &ITEM_LIMITS)
            .map(|item| match item {
                Ok(Item { index, value }) => {
                    format!("{index} {}", String::from_utf8(value.to_jcs()).unwrap())
                }
                Err(ItemError { index, refusal }) => format!("{index} {}: {refusal}", refusal.code),
            })
            .collect();
        expect.assert_eq(&said.join("\n"));
    };
    check("", expect![""]);
    check(" [] ", expect![""]);
    check("null", expect![""]);
    check(
        r#" [ {"a":"],[\"}"} , null, {"a":2} ] "#,
        expect![[r#"
        0 {"a":"],[\"}"}
        2 {"a":2}"#]],
    );
    check(
        "[{\"a\":1},{\"a\":1,\"a\":2},nul,{\"a\":4}]",
        expect![[r#"
        0 {"a":1}
        1 duplicate_key: /a: the same key twice in one object (byte 17)
        2 syntax: event: ends too early (byte 26)
        3 {"a":4}"#]],
    );
    check(
        "[{\"a\":1},]",
        expect![[r#"
        0 {"a":1}
        1 syntax: event: ends too early (byte 9)"#]],
    );
    check(
        "[{\"a\":1}",
        expect![[r#"
        0 {"a":1}
        1 syntax: event: the array is not ended (byte 8)"#]],
    );
    check(
        "[{\"a\":1},{\"a\"",
        expect![[r#"
        0 {"a":1}
        1 syntax: /a: ends too early (byte 13)"#]],
    );
    check("[null] x", expect!["1 syntax: event: something after the end of the array (byte 7)"]);
    check(
        "[{\"a\":1}][{\"a\":1}]",
        expect![[r#"
        0 {"a":1}
        1 syntax: event: something after the end of the array (byte 9)"#]],
    );
    check(
        "{\"a\":1}\n{\"a\":2}\r\n\n null \n{\"a\":3}",
        expect![[r#"
        0 {"a":1}
        1 {"a":2}
        3 {"a":3}"#]],
    );
    check(
        "{\"a\":1}\ngarbage\n{\"a\":3}\n",
        expect![[r#"
        0 {"a":1}
        1 syntax: event: expected a JSON value (byte 8)
        2 {"a":3}"#]],
    );
    check(
        "{\"a\": \"cut\n{\"a\":2}\n",
        expect![[r#"
        0 syntax: /a: ends too early (byte 10)
        1 {"a":2}"#]],
    );
    check("{\"a\":\n {\"b\": [\n1]}\n}\n", expect![[r#"0 {"a":{"b":[1]}}"#]]);
    check(
        "garbage\n{\"a\":2}",
        expect![[r#"
        0 syntax: event: expected a JSON value (byte 0)
        1 {"a":2}"#]],
    );
    check(
        "[{\"n\":9007199254740993},{\"s\":\"\\ud800\"},{\"n\":NaN},{}]",
        expect![[r#"
        0 number_range: /n: a number beyond ±(2^53−1): send it as a string (byte 6)
        1 lone_surrogate: /s: a \u escape of half a character (a lone surrogate) (byte 30)
        2 syntax: /n: expected a JSON value (byte 44)
        3 {}"#]],
    );
    let long = format!("[\"{}\",{{}}]", "x".repeat(ITEM_LIMITS.max_bytes));
    check(
        &long,
        expect![[r#"
        0 too_large: event: 16777218 bytes, the limit is 16777216 (byte 16777217)
        1 {}"#]],
    );
}

#[test]
fn times_and_money() {
    let time = |n: f64| wire::time_from_seconds(n).unwrap_or_else(str::to_owned);
    assert_eq!(time(1795309340.051111), "2026-11-22T01:02:20.051111Z");
    assert_eq!(time(1795309340.9999998), "2026-11-22T01:02:21.000000Z");
    assert_eq!(time(0.0), "1970-01-01T00:00:00.000000Z");
    assert!(wire::time_from_seconds(-0.5).is_err());
    assert!(wire::time_from_seconds(9e15).is_err());
    // Every microsecond of a second comes back as it was.
    for micros in (0..1_000_000).step_by(37) {
        let text = format!("1795309340.{micros:06}");
        assert!(time(text.parse().unwrap()).ends_with(&format!(".{micros:06}Z")), "{text}");
    }
    let text = |t: &str| wire::time_from_text(t).unwrap_or_else(str::to_owned);
    assert_eq!(text("2026-01-15T10:30:00.123000+00:00"), "2026-01-15T10:30:00.123Z");
    assert_eq!(text("2026-01-15 10:30:00"), "2026-01-15T10:30:00Z");
    for (amount, exact, rounded) in [
        (1.35e-05, "0.0000135", "0.0000135"),
        (3.7499999999999997e-06, "0.0000037499999999999997", "0.00000375"),
        (0.1 + 0.2, "0.30000000000000004", "0.30000000000000004"),
        (0.0, "0", "0"),
        (-0.0, "0", "0"),
        (1e-30, "0.000000000000000000000000000001", "0"),
        (-1e-30, "-0.000000000000000000000000000001", "0"),
        (9007199254740991.0, "9007199254740991", "9007199254740991"),
        (12.0, "12", "12"),
    ] {
        assert_eq!(money(amount), exact);
        assert_eq!(money_18(amount), rounded);
    }
}

fn payloads() -> Vec<Value<'static>> {
    let full = json::parse(FULL.as_bytes(), &ITEM_LIMITS).unwrap();
    let row = r#"{"id":"1","updated_at":"2026-01-15T10:30:00Z","changed_by":"a","changed_by_api_key":"b","action":"updated",
        "table_name":"LiteLLM_TeamTable","object_id":"t","before_value":{"a":{"b":[1]}},"updated_values":"{\"a\":1}"}"#;
    let row = json::parse(row.as_bytes(), &ITEM_LIMITS).unwrap();
    let captured = items(ARRAY, &ITEM_LIMITS).map(|item| item.unwrap().value);
    captured.chain([full, row]).collect::<Vec<_>>().into_iter().map(Value::into_owned).collect()
}

/// Every place in a value, as keys and indices.
fn places(value: &Value<'_>, path: &str, out: &mut Vec<String>) {
    out.push(path.to_owned());
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| places(value, &format!("{path}/{name}"), out));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, value)| places(value, &format!("{path}/{at}"), out));
        }
        _ => {}
    }
}

fn set(value: &mut Value<'static>, path: &str, new: Value<'static>) {
    let Some((first, rest)) =
        path.strip_prefix('/').map(|p| p.split_once('/').map_or((p, ""), |(f, _)| (f, &p[f.len()..])))
    else {
        *value = new;
        return;
    };
    match value {
        Value::Object(members) => set(members.get_mut(first).unwrap(), rest, new),
        Value::Array(items) => set(&mut items[first.parse::<usize>().unwrap()], rest, new),
        _ => unreachable!(),
    }
}

/// Events, or a refusal that says where.
fn stands(item: &Value<'_>) {
    match map(item, &fingerprint) {
        Ok(events) => assert!(!events.is_empty()),
        Err(refusal) => {
            assert!(!refusal.reason.is_empty());
            let at_top = item.as_object().is_none() || refusal.reason.starts_with("a version 1");
            assert!(at_top || refusal.pointer.starts_with('/'), "{refusal:?}");
        }
    }
}

#[test]
fn any_field_may_be_anything() {
    let odd = [
        "null",
        "true",
        "0",
        "-1",
        "1.5",
        "9007199254740991",
        "1e-300",
        "\"\"",
        "\"text\"",
        "\"\\u0000\\n\"",
        "[]",
        "[null,1,\"a\",[],{}]",
        "{}",
        "{\"a\":{\"b\":[1]},\"\":null,\"~/\":1}",
    ]
    .map(|text| json::parse(text.as_bytes(), &ITEM_LIMITS).unwrap());
    let long = Value::from("long ".repeat(100_000));
    let many = Value::from(vec![Value::from("word"); 10_000]);
    for payload in payloads() {
        let mut all = Vec::new();
        places(&payload, "", &mut all);
        for place in &all {
            for new in odd.iter().chain([&long, &many]) {
                let mut item = payload.clone();
                set(&mut item, place, new.clone());
                stands(&item);
            }
        }
    }
}

/// Which fields a sentence can come through, if a sender puts one there: to be read, and to be kept short.
#[test]
fn where_a_sentence_comes_through() {
    let sentence = "My SSN is 123-45-6789, hi";
    let mut through = BTreeSet::new();
    let all = payloads();
    for payload in &all[..all.len() - 1] {
        let mut paths = Vec::new();
        places(payload, "", &mut paths);
        for path in paths {
            let mut item = payload.clone();
            set(&mut item, &path, Value::from(sentence));
            if let Ok(events) = map(&item, &fingerprint)
                && everything(&events).contains("123-45")
            {
                let generic: Vec<&str> =
                    path.split('/').map(|p| if p.parse::<usize>().is_ok() { "[]" } else { p }).collect();
                through.insert(generic.join("/"));
            }
        }
    }
    let through: Vec<String> = through.into_iter().collect();
    expect![[r#"
        /end_user
        /error_information/error_budget_entity_id
        /guardrail_information/[]/guardrail_name
        /guardrail_information/[]/policy_template
        /id
        /litellm_call_id
        /metadata/cold_storage_object_key
        /metadata/mcp_tool_call_metadata/mcp_server_name
        /metadata/mcp_tool_call_metadata/name
        /metadata/prompt_management_metadata/prompt_id
        /metadata/requester_metadata/session_id
        /metadata/team_alias
        /metadata/team_id
        /metadata/user_api_key_alias
        /metadata/user_api_key_budget_reset_at
        /metadata/user_api_key_end_user_id
        /metadata/user_api_key_org_alias
        /metadata/user_api_key_org_id
        /metadata/user_api_key_project_alias
        /metadata/user_api_key_project_id
        /metadata/user_api_key_request_route
        /metadata/user_api_key_team_alias
        /metadata/user_api_key_team_id
        /metadata/user_api_key_user_email
        /metadata/user_api_key_user_id
        /metadata/vector_store_request_metadata/[]/vector_store_id
        /metadata/vector_store_request_metadata/[]/vector_store_search_response/data/[]/file_id
        /metadata/vector_store_request_metadata/[]/vector_store_search_response/data/[]/filename
        /model
        /model_group
        /request_tags/[]
        /session_id
        /trace_id
        /user_agent"#]]
    .assert_eq(&through.join("\n"));
}

/// Nor does a key come through as a name, wherever it is put.
#[test]
fn names_of_strangers_are_not_quoted() {
    for payload in payloads() {
        let mut paths = Vec::new();
        places(&payload, "", &mut paths);
        for path in paths {
            let Some(Value::Object(members)) = payload.pointer(&path) else { continue };
            // What a change changed is kept with its names.
            if path.starts_with("/before_value") || path.starts_with("/updated_values") {
                continue;
            }
            let mut members = members.clone();
            members.insert("My SSN is 123-45-6789", "x");
            let mut item = payload.clone();
            set(&mut item, &path, Value::Object(members));
            let events = map(&item, &fingerprint).unwrap();
            assert!(!everything(&events).contains("123-45"), "{path}");
        }
    }
}

#[test]
fn a_deep_prompt_is_only_hashed() {
    let nested = |depth: usize| {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        format!(r#"{{"litellm_call_id":"c","status":"success","messages":{open}1{close}}}"#)
    };
    assert!(everything(&events(nested(127).as_bytes())).contains("prompt_fingerprint"));
    let refusal = items(nested(128).as_bytes(), &ITEM_LIMITS).next().unwrap().unwrap_err().refusal;
    assert_eq!(refusal.code, Code::TooDeep);
}

#[test]
fn many_unknown_fields_are_counted() {
    let mut item = payloads().remove(0);
    let Value::Object(members) = &mut item else { unreachable!() };
    for n in 0..100_000 {
        members.insert(format!("zz{n:06}"), "x");
    }
    let events = map(&item, &fingerprint).unwrap();
    let redactions = events[0].tree().get("redactions").unwrap().as_array().unwrap();
    assert_eq!(redactions.len(), 129);
    assert!(redactions[128].get("count").unwrap().as_i64().unwrap() > 99_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn bodies_of_any_bytes(body in prop::collection::vec(prop_oneof![
        any::<u8>(), Just(b'{'), Just(b'}'), Just(b'['), Just(b']'), Just(b','), Just(b'"'), Just(b'\n'), Just(b'1'), Just(b':'),
    ], 0..200)) {
        for (count, item) in items(&body, &ITEM_LIMITS).enumerate() {
            prop_assert!(count <= body.len() + 1);
            if let Ok(item) = item { let _ = map(&item.value, &fingerprint); }
        }
    }

    #[test]
    fn captured_bodies_with_bytes_changed(at in 0usize..17_000, byte in any::<u8>(), cut in 0usize..17_000) {
        for captured in [ARRAY, NDJSON] {
            let mut body = captured.to_vec();
            body[at] = byte;
            for body in [&body[..], &body[..cut]] {
                items(body, &ITEM_LIMITS).flatten().for_each(|item| stands(&item.value));
            }
        }
    }
}

#[test]
fn every_home_is_a_field() {
    for line in field_table().lines().filter(|line| !line.contains(" kept: ") && !line.contains("said by")) {
        for ours in line.split('`').skip(3).step_by(2).filter(|word| !word.starts_with("litellm.")) {
            assert!(event::field::find(ours).is_some(), "{line}");
        }
    }
}

#[test]
fn the_readme_has_the_table() {
    const BEGIN: &str = "<!-- fields: written by a test -->\n";
    const END: &str = "<!-- end of fields -->";
    let readme = include_str!("README.md");
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    expect_file!["README.md"].assert_eq(&format!("{before}{BEGIN}{}{END}{after}", field_table()));
}
