//! `POST /ingest/litellm`, with what a real proxy sent.

use super::*;

const ARRAY: &str =
    include_str!("../../../../../tests/fixtures/litellm/litellm-1.105.3-generic_api-json_array.json");
const LINES: &str = include_str!("../../../../../tests/fixtures/litellm/litellm-1.105.3-generic_api.ndjson");
/// Said in prompts and answers of the capture.
const SAID: &[&str] = &["123-45-6789", "stream please", "My SSN"];

async fn ingest(server: &Server, body: impl Into<Body>) -> Answer {
    server.ask("POST", "/ingest/litellm", body).await
}

#[tokio::test]
async fn a_capture_is_recorded_found_and_proved() {
    let server = Server::new();
    assert_eq!(ingest(&server, ARRAY).await.told(), "200 4 0");
    // The client does not hear the answer and sends again, in its other format.
    assert_eq!(ingest(&server, LINES).await.told(), "200 0 4");

    let page = server.get("/v1/events?type=llm.*").await;
    let json = page.json();
    let events = json.get("events").and_then(Value::as_array).unwrap();
    assert_eq!(events.len(), 3);
    for said in SAID {
        assert!(!page.text.contains(said), "{said}");
    }
    // The control of the same scan: what should be kept is found by it.
    assert!(page.text.contains("957df36f-7c03-4a29-a230-fb30107a594a"));
    let found = server.get("/v1/events/957df36f-7c03-4a29-a230-fb30107a594a:success").await;
    let fingerprint =
        found.json().pointer("/event/llm/prompt_fingerprint").and_then(Value::as_str).unwrap().to_owned();
    assert!(fingerprint.starts_with("hmac-sha256:"), "{fingerprint}");
    assert_eq!(
        server
            .get("/v1/events?type=auth.failed_attempt")
            .await
            .json()
            .get("events")
            .and_then(Value::as_array)
            .unwrap()
            .len(),
        1
    );

    server.product.ledger("default").unwrap().sign().unwrap();
    for event in events {
        let proof = server
            .get(&format!("/v1/events/{}/proof", event.get("id").and_then(Value::as_str).unwrap()))
            .await;
        assert_eq!(proof.status, 200);
        let checked = indelible::verify_text(&proof.text, None, &[]);
        assert_eq!(checked.verdict().exit_code(), 0, "{:?}", checked.findings);
        for said in SAID {
            assert!(!proof.text.contains(said));
        }
    }
}

#[tokio::test]
async fn the_same_prompt_has_the_same_fingerprint_in_one_organisation_only() {
    let server = Server::new();
    let call = |id: &str| LINES.lines().next().unwrap().replace("957df36f-7c03-4a29-a230-fb30107a594a", id);
    for (organisation, id) in [("one", "a"), ("one", "b"), ("two", "c")] {
        let path = format!("/ingest/litellm?organisation={organisation}");
        assert_eq!(server.ask("POST", &path, call(id)).await.told(), "200 1 0");
    }
    let fingerprint = async |organisation: &str, id: &str| {
        let answer = server.get(&format!("/v1/events/{id}:success?organisation={organisation}")).await;
        answer.json().pointer("/event/llm/prompt_fingerprint").and_then(Value::as_str).unwrap().to_owned()
    };
    assert_eq!(fingerprint("one", "a").await, fingerprint("one", "b").await);
    assert_ne!(fingerprint("one", "a").await, fingerprint("two", "c").await);
}

#[tokio::test]
async fn what_is_wrong_costs_only_itself() {
    let server = Server::new();
    let good = LINES.lines().next().unwrap();
    assert_eq!(ingest(&server, format!("[null,{good},{{\"id\":1}},7]")).await.status, 200);
    assert_eq!(ingest(&server, "[null,null]").await.told(), "200 0 0");
    assert_eq!(ingest(&server, "[]").await.told(), "200 0 0");
    let answer = ingest(&server, "[7,{\"id\":").await;
    assert_eq!(answer.status, 400);
    answer.problem();
    assert_eq!(ingest(&server, "  ").await.problem(), "400 syntax");
    assert_eq!(
        server.ask("POST", "/ingest/litellm?organisation=system", good.to_owned()).await.problem(),
        "400 parameter"
    );
    // That nothing of it was right is on record, in the ledger it was meant for.
    assert_eq!(server.ask("POST", "/ingest/litellm?organisation=none", "[7]").await.status, 400);
    let refused = server.get("/v1/events/count?organisation=none&type=audit.quarantined").await;
    assert_eq!(refused.json().pointer("/total/value").and_then(Value::as_i64), Some(1));
    let many = ingest(&server, "7\n".repeat(5000)).await;
    assert_eq!(many.json().get("rejected_omitted").and_then(Value::as_i64), Some(4000));
}

#[tokio::test]
async fn later_is_503() {
    let server = Server::new();
    assert_eq!(ingest(&server, ARRAY).await.status, 200);
    server.broken.store(true, Ordering::Relaxed);
    for path in ["/ingest/litellm", "/ingest/litellm?organisation=new"] {
        let answer = server.ask("POST", path, LINES.replace("957df36f", "957df370")).await;
        assert_eq!(answer.problem(), "503 busy");
        assert_ne!(answer.header("retry-after"), "");
    }
}

#[tokio::test]
async fn what_it_tells_people_is_recorded_too() {
    let server = Server::new();
    // LiteLLM is told nothing but an address; what stands before its `@` is sent as `Basic`: x:TOKEN.
    use base64::Engine;
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("x:{TOKEN}"));
    let send = async |path: &str, body: &'static str| {
        let request =
            Request::builder().method("POST").uri(path).header("authorization", format!("Basic {basic}"));
        server.send(request.header("content-type", "application/json").body(Body::from(body)).unwrap()).await
    };
    let budget = r#"{"event":"budget_crossed","event_group":"team","team_id":"blue","spend":2}"#;
    let alert = r#"{"text":"Alert type: `llm_exceptions`\nLevel: `High`\nTimestamp: `01:02:21`\n\nMessage: the prompt"}"#;
    for path in ["/ingest/litellm/budget", "/ingest/litellm"] {
        assert_eq!(send(path, budget).await.told(), "200 1 0", "{path}");
    }
    for path in ["/ingest/litellm/slack", "/ingest/litellm"] {
        assert_eq!(send(path, alert).await.told(), "200 1 0", "{path}");
    }
    let found = server.get("/v1/events?q=attributes.litellm.assurance:low").await;
    let json = found.json();
    assert_eq!(json.get("events").and_then(Value::as_array).unwrap().len(), 2);
    let print =
        json.pointer("/events/0/attributes/litellm/text_fingerprint").and_then(Value::as_str).unwrap();
    assert!(print.starts_with("hmac-sha256:"), "{print}");
    assert!(!found.text.contains("the prompt"), "{}", found.text);
    let total =
        server.get("/v1/events/count?q=type:authz.budget_check%20status:blocked%20targets.id:blue").await;
    assert_eq!(total.json().pointer("/total/value").and_then(Value::as_i64), Some(2));
}
