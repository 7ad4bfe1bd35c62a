//! What tools written for LiteLLM's and Bifrost's audit logs ask, as specifications 000 and 002 print it, and what they are
//! answered.

use super::matrix::wide;
use super::*;

/// A row as LiteLLM's own audit log has it.
const ROW: &str = r#"{"id":"0d3c1f0e-6f3b-4a3c-9d37-0b5f6a1c2e44","updated_at":"2026-01-15T10:30:00.123000Z","changed_by":"alice",
    "changed_by_api_key":"88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b","action":"updated",
    "table_name":"LiteLLM_TeamTable","object_id":"team-7","before_value":{"team_id":"team-7","max_budget":100.0},
    "updated_values":{"max_budget":250.0}}"#;
/// The table of specification 000.
const COLUMNS: [&str; 9] = [
    "id",
    "updated_at",
    "changed_by",
    "changed_by_api_key",
    "action",
    "table_name",
    "object_id",
    "before_value",
    "updated_values",
];
/// The answer that specification 002 prints is about this event.
const LOGIN: &str = r#"{"type":"auth.login","action":"user_login","status":"failed","severity":"medium",
    "time":"2024-01-15T10:30:00.123Z","source_id":"evt_001",
    "actor":{"id":"user-alice-001","email":"alice@company.com","ip":"203.0.113.42","auth_method":"password"},
    "attributes":{"failure_reason":"invalid_password","attempts_count":3}}"#;
const OTHERS: &str = r#"[
    {"type":"authz.denied","status":"blocked","severity":"high","time":"2024-01-16T09:00:00Z","actor":{"id":"user-bob-002","ip":"203.0.113.9"}},
    {"type":"key.created","status":"success","time":"2024-01-17T09:00:00Z","actor":{"id":"carol"},"targets":[{"type":"virtual_key","id":"vk_9","name":"billing"}],
     "changes":{"before":{"max_budget":1},"after":{"max_budget":2}}},
    {"type":"llm.completion","status":"success","time":"2024-01-18T09:00:00Z","actor":{"id":"carol"},"llm":{"model":"gpt-5.2","latency_ms":12.4}},
    {"type":"auth.login","status":"success","time":"2024-03-18T09:00:00Z","actor":{"id":"user-alice-001"}}]"#;
/// The body of the advanced query of specification 002.
const QUERY: &str = r#"{
    "filters": {
      "event_types": ["authentication", "authorization"],
      "date_range": {
        "start": "2024-01-01T00:00:00Z",
        "end": "2024-01-31T23:59:59Z"
      },
      "actors": {
        "user_ids": ["user-alice-001", "user-bob-002"],
        "ip_addresses": ["203.0.113.0/24"]
      },
      "status": ["failed", "blocked"],
      "severity": ["medium", "high", "critical"]
    },
    "sort": {
      "field": "timestamp",
      "order": "desc"
    },
    "limit": 1000,
    "include_details": true
  }"#;
/// The body of the report of specification 002.
const REPORT: &str = r#"{"report_type": "compliance_audit", "compliance_framework": "soc2_type2",
    "date_range": {"start_date": "2024-01-01T00:00:00Z", "end_date": "2024-03-31T23:59:59Z"},
    "include_sections": ["authentication_events", "authorization_events", "configuration_changes", "security_incidents"],
    "format": "pdf", "include_evidence": true}"#;

async fn filled() -> Server {
    let server = Server::with(wide());
    assert_eq!(server.ask("POST", "/ingest/litellm", ROW).await.told(), "200 1 0");
    assert_eq!(server.post(LOGIN).await.told(), "200 1 0");
    assert_eq!(server.post(OTHERS).await.told(), "200 4 0");
    server.product.ledger("default").unwrap().sign().unwrap();
    server
}

fn names<'v>(value: &'v Value<'_>) -> Vec<&'v str> {
    value.as_object().unwrap().iter().map(|(name, _)| name).collect()
}

fn logs<'v>(value: &'v Value<'_>) -> &'v [Value<'v>] {
    value.get("audit_logs").and_then(Value::as_array).unwrap()
}

fn whole(value: &Value<'_>, name: &str) -> i64 {
    value.get(name).and_then(Value::as_i64).unwrap_or_else(|| panic!("{name}"))
}

#[tokio::test]
async fn litellm_s_parameters_find_the_row_that_was_sent() {
    let server = filled().await;
    // Every parameter of specification 000 and of the program, with a value that fits and one that does not.
    for (name, fits, fails) in [
        ("changed_by", "alice", "bob"),
        ("changed_by_api_key", "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b", "88dc"),
        ("action", "update", "create"),
        ("action", "updated", "deleted"),
        ("table_name", "LiteLLM_TeamTable", "LiteLLM_UserTable"),
        ("object_id", "team-7", "team"),
        ("start_date", "2026-01-15", "2026-01-16"),
        ("start_date", "2026-01-15T10:30:00.123Z", "2026-01-15T10:30:00.124Z"),
        ("end_date", "2026-01-15", "2025-01-14"),
        ("end_date", "2026-01-15T10:30:00.123%2B00:00", "2026-01-15T10:30:00.122"),
        ("object_team_id", "team-7", "team-8"),
        ("object_team_id", "eam", "x"),
        ("search", "0d3c1f0e-6f3b-4a3c-9d37-0b5f6a1c2e44", "0d3c"),
        ("search", "team-7", "team-"),
        ("search", "alice", "alic"),
    ] {
        for (value, total) in [(fits, 1), (fails, 0)] {
            let path = format!("/audit?object_id=team-7&table_name=LiteLLM_TeamTable&{name}={value}");
            let path = if name.starts_with("object_i") || name == "table_name" {
                format!("/audit?changed_by=alice&{name}={value}")
            } else {
                path
            };
            let answer = server.get(&path).await;
            assert_eq!(answer.status, 200, "{path} {}", answer.text);
            assert_eq!(whole(&answer.json(), "total"), total, "{path} {}", answer.text);
        }
    }
    let answer =
        server.get("/audit?page=1&page_size=10&sort_by=updated_at&sort_order=desc&action=update").await;
    let page = answer.json();
    assert_eq!(names(&page), ["audit_logs", "page", "page_size", "total", "total_pages"]);
    assert_eq!(["total", "page", "page_size", "total_pages"].map(|name| whole(&page, name)), [1, 1, 10, 1]);
    let row = &logs(&page)[0];
    let sent = json::parse(ROW.as_bytes(), &json::Limits::default()).unwrap();
    for column in COLUMNS.into_iter().filter(|column| *column != "changed_by_api_key") {
        assert_eq!(row.get(column), sent.get(column), "{column}");
    }
    // The hash was hashed again with our key, and is found by what LiteLLM calls it.
    let hash = row.get("changed_by_api_key").and_then(Value::as_str).unwrap();
    assert!(hash.starts_with("hmac-sha256:"), "{hash}");
    assert_eq!(whole(&server.get(&format!("/audit?changed_by_api_key={hash}")).await.json(), "total"), 1);
    assert_eq!(row.pointer("/indelible/verification/verified"), Some(&Value::from(true)));
    assert_eq!(row.pointer("/indelible/verification/state"), Some(&Value::from("proved")));

    let one = server.get("/audit/0d3c1f0e-6f3b-4a3c-9d37-0b5f6a1c2e44").await;
    assert_eq!(&one.json(), row);
    let missing = server.get("/audit/11111111-2222-3333-4444-555555555555").await;
    assert_eq!(
        (missing.status.as_u16(), missing.text.as_str()),
        (404, r#"{"detail":{"message":"Audit log with ID 11111111-2222-3333-4444-555555555555 not found"}}"#)
    );
}

#[tokio::test]
async fn litellm_s_pages_are_counted_as_it_counts_them() {
    let server = Server::with(wide());
    let page = async |query: &str| {
        let answer = server.get(&format!("/audit?{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let json = answer.json();
        let names =
            logs(&json).iter().map(|row| row.get("object_id").and_then(Value::as_str).unwrap().to_owned());
        let numbers = ["total", "page", "page_size", "total_pages"].map(|name| whole(&json, name));
        (names.collect::<Vec<_>>().join(" "), numbers)
    };
    // A server to which nothing was ever sent.
    assert_eq!(page("").await, (String::new(), [0, 1, 10, 0]));
    let events: Vec<String> = (0..25)
        .map(|n| {
            // Later ones happened earlier; two at a time at once.
            let time = format!("2026-01-01T00:00:{:02}Z", 30 - n / 2);
            format!(r#"{{"type":"key.created","time":"{time}","targets":[{{"type":"key","id":"k{n}"}}]}}"#)
        })
        .collect();
    server.post(events.join("\n")).await;
    assert_eq!(page("").await, ("k1 k0 k3 k2 k5 k4 k7 k6 k9 k8".into(), [25, 1, 10, 3]));
    assert_eq!(page("page=3").await, ("k21 k20 k23 k22 k24".into(), [25, 3, 10, 3]));
    assert_eq!(page("page=3&sort_order=asc&page_size=11").await, ("k3 k0 k1".into(), [25, 3, 11, 3]));
    assert_eq!(page("page=4").await, (String::new(), [25, 4, 10, 3]));
    assert_eq!(page("page=9007199254740991").await, (String::new(), [25, 9_007_199_254_740_991, 10, 3]));
    assert_eq!(page("page=100000&page_size=100").await, (String::new(), [25, 100_000, 100, 1]));
    assert_eq!(page("sort_by=object_id&sort_order=asc&page_size=4").await.0, "k0 k1 k10 k11");
    assert_eq!(page("sort_by=object_id&page_size=4").await.0, "k9 k8 k7 k6");
    assert_eq!(page("sort_by=action&page_size=2").await.0, "k24 k23");
}

#[tokio::test]
async fn litellm_s_envelopes_say_what_is_wrong() {
    let server = filled().await;
    let check = async |query: &str, expect: &str| {
        let answer = server.get(&format!("/audit?{query}")).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (422, expect), "{query}");
    };
    check(
        "page=0",
        r#"{"detail":[{"loc":["query","page"],"msg":"Input should be greater than or equal to 1","type":"greater_than_equal"}]}"#,
    )
    .await;
    check(
        "page_size=101&page=-1",
        r#"{"detail":[{"loc":["query","page"],"msg":"Input should be greater than or equal to 1","type":"greater_than_equal"},{"loc":["query","page_size"],"msg":"Input should be less than or equal to 100","type":"less_than_equal"}]}"#,
    )
    .await;
    check(
        "page=x",
        r#"{"detail":[{"loc":["query","page"],"msg":"Input should be a valid integer, unable to parse string as an integer","type":"int_parsing"}]}"#,
    )
    .await;
    check(
        "sort_by=password&sort_order=up",
        r#"{"detail":[{"loc":["query","sort_by"],"msg":"Input should be 'id', 'updated_at', 'changed_by', 'changed_by_api_key', 'action', 'table_name', 'object_id'","type":"literal_error"},{"loc":["query","sort_order"],"msg":"Input should be 'asc', 'desc'","type":"literal_error"}]}"#,
    )
    .await;
    check(
        "start_date=yesterday",
        r#"{"detail":[{"loc":["query","start_date"],"msg":"Input should be a valid datetime, not a date such as 2024-01-15, nor an RFC 3339 time such as 2024-01-15T10:30:00Z","type":"datetime_parsing"}]}"#,
    )
    .await;
    let without = Request::builder().uri("/audit").body(Body::empty()).unwrap();
    let answer = server.send(without).await;
    assert_eq!(
        (answer.status.as_u16(), answer.text.as_str()),
        (
            401,
            r#"{"error":{"code":"401","message":"Authentication Error, send a key that works as `authorization: Bearer …`","param":null,"type":"auth_error"}}"#
        )
    );
    assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"indelible\"");
}

#[tokio::test]
async fn keys_come_in_the_headers_that_tools_send() {
    let server = filled().await;
    let basic = |text: &str| {
        use base64::Engine;
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
    };
    let ask = async |path: &str, name: &str, value: &str| {
        let request = Request::builder().uri(path).header(name, value).body(Body::empty()).unwrap();
        server.send(request).await.status.as_u16()
    };
    assert_eq!(ask("/audit", "x-litellm-api-key", TOKEN).await, 200);
    assert_eq!(ask("/audit", "x-litellm-api-key", &format!("Bearer {TOKEN}")).await, 200);
    assert_eq!(ask("/audit", "x-litellm-api-key", "sk-1234").await, 401);
    assert_eq!(ask("/api/audit-logs", "authorization", &basic(&format!("admin:{TOKEN}"))).await, 200);
    assert_eq!(ask("/api/audit-logs", "authorization", &basic("admin:admin")).await, 401);
    assert_eq!(ask("/api/audit-logs", "authorization", "Basic %%%").await, 401);
    // Elsewhere they mean nothing.
    assert_eq!(ask("/v1/events", "x-litellm-api-key", TOKEN).await, 401);
    assert_eq!(ask("/audit", "authorization", &basic(&format!("admin:{TOKEN}"))).await, 401);
}

#[tokio::test]
async fn the_requests_of_specification_002_are_answered_as_it_says() {
    let server = filled().await;
    for prefix in ["/api/audit-logs", "/api/enterprise/audit-logs"] {
        for (query, expect) in [
            ("event_type=authentication&start_date=2024-01-01&end_date=2024-01-31", vec!["user_login"]),
            ("user_id=user-alice-001&limit=100", vec!["user_login", "user_login"]),
            ("action=access_denied&severity=high", vec!["access_denied"]),
            ("event_type=configuration_change&resource_type=virtual_key", vec!["key.created"]),
        ] {
            let answer = server.get(&format!("{prefix}?{query}")).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            let page = answer.json();
            let actions: Vec<&str> =
                logs(&page).iter().map(|log| log.get("action").and_then(Value::as_str).unwrap()).collect();
            assert_eq!(actions, expect, "{query}");
            assert_eq!(
                names(&page),
                ["audit_logs", "next_page", "page", "returned_count", "total_count"],
                "{query}"
            );
        }
        let answer = server.ask("POST", &format!("{prefix}/query"), QUERY).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let page = answer.json();
        assert_eq!(["total_count", "returned_count", "page"].map(|name| whole(&page, name)), [2, 2, 1]);
        assert!(page.get("next_page").unwrap().is_null());
        let login = &logs(&page)[1];
        assert_eq!(
            names(login),
            [
                "action",
                "actor",
                "details",
                "event_id",
                "event_type",
                "severity",
                "status",
                "timestamp",
                "verification"
            ]
        );
        for (place, value) in [
            ("/timestamp", "2024-01-15T10:30:00.123Z"),
            ("/event_type", "authentication"),
            ("/action", "user_login"),
            ("/status", "failed"),
            ("/severity", "medium"),
            ("/actor/user_id", "user-alice-001"),
            ("/actor/email", "alice@company.com"),
            ("/actor/ip_address", "203.0.113.42"),
            ("/details/auth_method", "password"),
            ("/details/failure_reason", "invalid_password"),
            ("/details/source_id", "evt_001"),
            ("/verification/state", "proved"),
        ] {
            assert_eq!(login.pointer(place).and_then(Value::as_str), Some(value), "{place}");
        }
        assert_eq!(login.pointer("/details/attempts_count").and_then(Value::as_i64), Some(3));
        assert_eq!(login.pointer("/verification/verified"), Some(&Value::from(true)));
        let hash = login.pointer("/verification/hash").and_then(Value::as_str).unwrap();
        assert!(hash.starts_with("sha256:") && hash.len() == 71, "{hash}");

        let answer = server.ask("POST", &format!("{prefix}/reports"), REPORT).await;
        assert_eq!(answer.problem(), "501 not_implemented");
    }
    // The rows of a page lead to the next one, also from a POST.
    let body = r#"{"filters":{"status":["success","failed"],"date_range":{"start":"2024-01-01"}},"limit":1,"include_details":false}"#;
    let mut seen = Vec::new();
    let mut answer = server.ask("POST", "/api/audit-logs/query", body).await;
    loop {
        let page = answer.json();
        assert_eq!(whole(&page, "returned_count"), 1, "{}", answer.text);
        assert_eq!(whole(&page, "page"), seen.len() as i64 + 1);
        let log = &logs(&page)[0];
        assert!(log.get("details").is_none());
        seen.push(log.get("timestamp").and_then(Value::as_str).unwrap().to_owned());
        let Some(next) = page.get("next_page").and_then(Value::as_str) else { break };
        assert!(next.starts_with(&format!("/api/enterprise/audit-logs?page={}", seen.len() + 1)), "{next}");
        answer = server.get(next).await;
        if seen.len() > 20 {
            panic!("there is no end to it");
        }
    }
    // Whoever asks is on record, and reading the log is part of Bifrost's log: those come first, being newest.
    let own: Vec<&String> = seen.iter().filter(|time| time.as_str() < "2026-02").collect();
    assert_eq!(
        own,
        [
            "2026-01-15T10:30:00.123Z",
            "2024-03-18T09:00:00Z",
            "2024-01-17T09:00:00Z",
            "2024-01-15T10:30:00.123Z"
        ]
    );
}

#[tokio::test]
async fn servers_of_today_are_asked_in_the_manner_of_cadf() {
    let server = filled().await;
    let answer = server.get("/api/audit-logs?target_type=virtual_key&outcome=success&limit=1").await;
    let page = answer.json();
    assert_eq!(names(&page), ["audit_logs", "has_more", "limit", "page", "total", "total_pages"]);
    let log = &logs(&page)[0];
    for (place, value) in [
        ("/typeURI", "http://schemas.bifrost.io/audit/api/v1"),
        ("/eventType", "activity"),
        ("/eventTime", "2024-01-17T09:00:00Z"),
        ("/action", "create"),
        ("/outcome", "success"),
        ("/initiator/id", "carol"),
        ("/initiator/typeURI", "bifrost/user"),
        ("/target/id", "vk_9"),
        ("/target/typeURI", "bifrost/virtual_key"),
        ("/target/name", "billing"),
        ("/observer/id", "indelible"),
        ("/attachments/0/name", "diff"),
        ("/attachments/0/content", r#"{"after":{"max_budget":2},"before":{"max_budget":1}}"#),
        ("/tags/0", "configuration"),
    ] {
        assert_eq!(log.pointer(place).and_then(Value::as_str), Some(value), "{place} {}", answer.text);
    }
    let id = log.get("id").and_then(Value::as_str).unwrap();
    assert_eq!(server.get(&format!("/api/audit-logs/{id}")).await.json().get("audit_log"), Some(log));
    let verified = server.get(&format!("/api/audit-logs/{id}/verify")).await;
    let verified = verified.json();
    assert_eq!(verified.get("valid"), Some(&Value::from(true)));
    assert_eq!(verified.get("stored"), log.get("signature"));
    assert_eq!(
        verified.get("reason").and_then(Value::as_str),
        Some("leaf, inclusion proof and signed checkpoint hold")
    );
    let missing = server.get("/api/audit-logs/nothing").await;
    assert_eq!(
        (missing.status.as_u16(), missing.text.as_str()),
        (
            404,
            r#"{"error":{"code":"not_found","message":"there is no event with this id","param":null,"type":"not_found"},"extra_fields":{},"is_bifrost_error":false,"status_code":404,"type":"not_found"}"#
        )
    );

    let values = server
        .get("/api/audit-logs/filterdata?dimensions=actions,outcomes,initiators,target_types&end_date=2026-02-01")
        .await;
    assert_eq!(
        values.text,
        r#"{"actions":["authenticate","authorize","create","update"],"initiators":[{"id":"alice","name":"alice"},{"id":"carol","name":"carol"},{"id":"user-alice-001","name":"user-alice-001"},{"id":"user-bob-002","name":"user-bob-002"}],"outcomes":["failure","success"],"target_types":["permission","session","team","virtual_key"]}"#
    );
    let values =
        server.get("/api/audit-logs/filterdata?dimensions=actions&q=AUTHE&end_date=2026-02-01").await;
    assert_eq!(values.text, r#"{"actions":["authenticate"]}"#);

    let export = async |format: &str| {
        server
            .get(&format!("/api/audit-logs/export?format={format}&end_date=2026-02-01&action=authenticate"))
            .await
    };
    let json = export("json").await;
    assert_eq!(json.header("content-disposition"), "attachment; filename=\"audit-logs.json\"");
    let array = json.json();
    assert_eq!(array.as_array().unwrap().len(), 2);
    assert_eq!(export("anything").await.text, json.text);
    let lines = export("jsonl").await;
    assert_eq!(lines.text.lines().count(), 2);
    let first = json::parse(lines.text.lines().next().unwrap().as_bytes(), &json::Limits::default()).unwrap();
    assert_eq!(first, array.as_array().unwrap()[0]);
    let syslog = export("syslog").await.text;
    assert!(
        syslog.starts_with("<110>1 2024-03-18T09:00:00Z - indelible - auth.login [audit@32473 id="),
        "{syslog}"
    );
    assert_eq!(syslog.lines().count(), 2);
}

#[tokio::test]
async fn what_is_recorded_meanwhile_does_not_shift_what_a_cursor_leads_to() {
    let server = filled().await;
    let first = server.get("/api/audit-logs?profile=cadf&limit=2&include=all").await;
    let first = first.json();
    let mut seen: Vec<String> = Vec::new();
    let mut cursor = first.get("next_cursor").and_then(Value::as_str).unwrap().to_owned();
    let ids = |page: &Value<'_>| -> Vec<String> {
        logs(page).iter().map(|log| log.get("id").and_then(Value::as_str).unwrap().to_owned()).collect()
    };
    seen.extend(ids(&first));
    let total = whole(&first, "total");
    loop {
        server.post(r#"{"type":"auth.login","actor":{"id":"late"}}"#).await;
        let answer = server.get(&format!("/api/audit-logs?limit=2&include=all&cursor={cursor}")).await;
        let page = answer.json();
        assert_eq!(whole(&page, "total"), total, "{}", answer.text);
        seen.extend(ids(&page));
        match page.get("next_cursor").and_then(Value::as_str) {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen.len() as i64, total);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len() as i64, total);
}

#[tokio::test]
async fn a_question_is_on_record_once_however_many_pages_are_turned() {
    let server = filled().await;
    let reads = async || {
        let answer = server.get("/v1/events/count?type=audit.read&q=attributes.question:*target*").await;
        answer.json().pointer("/total/value").and_then(Value::as_i64).unwrap()
    };
    // Itself.
    assert_eq!(reads().await, 1);
    for page in 1..=3 {
        server.get(&format!("/audit?object_id=team-7&page_size=1&page={page}")).await;
    }
    assert_eq!(reads().await, 2);
    for page in 1..=3 {
        server.get(&format!("/api/audit-logs?target_id=vk_9&limit=1&page={page}")).await;
    }
    assert_eq!(reads().await, 3);
}

#[tokio::test]
async fn calls_of_models_are_shown_to_whoever_asks_for_them() {
    let server = filled().await;
    let total = async |path: &str| {
        let answer = server.get(path).await;
        let json = answer.json();
        ["total", "total_count"].iter().find_map(|name| json.get(name)).and_then(Value::as_i64).unwrap()
    };
    assert_eq!(total("/audit?changed_by=carol").await, 1);
    assert_eq!(total("/audit?changed_by=carol&include=all").await, 2);
    assert_eq!(total("/audit?changed_by=carol&table_name=llm").await, 1);
    assert_eq!(total("/api/audit-logs?user_id=carol").await, 1);
    assert_eq!(total("/api/audit-logs?user_id=carol&include=all").await, 2);
    assert_eq!(total("/api/audit-logs?user_id=carol&event_type=llm").await, 1);
    assert_eq!(total("/api/audit-logs?initiator_id=carol").await, 1);
    assert_eq!(total("/api/audit-logs?initiator_id=carol&include=all").await, 2);
}

#[tokio::test]
async fn nothing_hostile_breaks_anything() {
    const VALUES: &[&str] = &[
        "",
        "0",
        "-1",
        "1e9",
        "99999999999999999999999999999999999999999999",
        "18446744073709551615",
        "9223372036854775807",
        "%00",
        "%FF%FE",
        "%F0%9F%92%A9",
        "'%20OR%201=1--",
        "%22%3B%20DROP%20TABLE%20%22LiteLLM_AuditLog%22%3B",
        "..%2F..%2Fetc%2Fpasswd",
        "2024-13-45",
        "0000-00-00",
        "2024-01-15T10:30:00%2B99:99",
        "%5B%5B%5B%5B%5B%5B%5B%5B",
        "%5B1,null%5D",
        "%5B%22%2A%22%5D",
        "203.0.113.0/99",
        "::/0",
        "9999999999999999d",
        "18446744073709551615-18446744073709551615",
        "*",
    ];
    let server = filled().await;
    let mut statuses = std::collections::BTreeMap::<u16, u32>::new();
    let theirs = crate::ROUTES.iter().filter(|route| matches!(route.tag, "litellm" | "bifrost"));
    // The other paths have the same handlers.
    for route in theirs.filter(|route| !route.path.starts_with("/api/enterprise")) {
        let long = "x".repeat(2000);
        for parameter in route.parameters {
            for value in VALUES.iter().copied().chain([long.as_str()]) {
                let (mut path, mut body) = (route.path.to_owned(), String::new());
                match parameter.place {
                    // An empty one is another path.
                    "path" if value.is_empty() => continue,
                    "path" => path = path.replace("{id}", &value.replace('/', "%2F")),
                    _ => path = format!("{}?{}={value}", path.replace("{id}", "0"), parameter.name),
                }
                if route.method == "POST" {
                    body = "{}".to_owned();
                }
                let answer = server.ask(route.method, &path, body).await;
                let status = answer.status.as_u16();
                *statuses.entry(status).or_default() += 1;
                assert!(matches!(status, 200 | 400 | 404 | 422), "{path} {status} {}", answer.text);
                if status == 200 {
                    continue;
                }
                let json = answer.json();
                match route.tag {
                    "litellm" => assert!(json.get("detail").is_some(), "{path} {}", answer.text),
                    _ => {
                        assert_eq!(json.get("status_code").and_then(Value::as_i64), Some(status.into()));
                        assert!(json.pointer("/error/message").and_then(Value::as_str).is_some(), "{path}");
                    }
                }
            }
        }
    }
    for body in [
        "",
        "[]",
        "null",
        "{",
        r#"{"filters":[]}"#,
        r#"{"filters":{"event_type":["authentication"]}}"#,
        r#"{"filters":{"status":[1]}}"#,
        r#"{"filters":{"actors":{"ip_addresses":["203.0.113.0/33"]}}}"#,
        r#"{"filters":{"date_range":{"start":"2024-02-31"}}}"#,
        r#"{"limit":1001}"#,
        r#"{"limit":-1}"#,
        r#"{"limit":1.5}"#,
        r#"{"page":1e300}"#,
        r#"{"sort":{"field":"password"}}"#,
        r#"{"sort":{"order":"up"}}"#,
        r#"{"limit":1,"limit":2}"#,
        &format!(r#"{{"filters":{{"status":[{}"x"]}}}}"#, r#""x","#.repeat(200)),
        &"[".repeat(10_000),
    ] {
        let answer = server.ask("POST", "/api/audit-logs/query", body.to_owned()).await;
        assert_eq!(answer.status, 400, "{body} {}", answer.text);
        assert_eq!(answer.json().get("status_code").and_then(Value::as_i64), Some(400), "{body}");
    }
    assert!(statuses[&200] > 100 && statuses[&400] > 100 && statuses[&422] > 20, "{statuses:?}");
}
