//! What comes out.

use super::*;

fn ids(answer: &Answer) -> Vec<String> {
    let json = answer.json();
    let events = json.get("events").and_then(Value::as_array).unwrap().iter();
    events.map(|event| event.get("source_id").and_then(Value::as_str).unwrap_or("").to_owned()).collect()
}

#[tokio::test]
async fn pages_go_through_everything_once() {
    let server = Server::new();
    for batch in 0..5 {
        let lines: String =
            (0..50).map(|n| format!("{{\"type\":\"a.b\",\"id\":\"{}\"}}\n", batch * 50 + n)).collect();
        assert_eq!(server.post(lines).await.told(), "200 50 0");
    }
    let mut seen = Vec::new();
    let mut path = "/v1/events?type=a.b&limit=7".to_owned();
    loop {
        let answer = server.get(&path).await;
        seen.extend(ids(&answer));
        match answer.json().get("next").and_then(Value::as_str) {
            Some(next) => path = format!("/v1/events?type=a.b&limit=7&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, (0..250).rev().map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_page_of_large_events_ends_early() {
    let server = Server::new();
    let large = "x".repeat(200 << 10);
    for n in 0..3 {
        let lines: String = (0..20)
            .map(|m| {
                format!("{{\"type\":\"a.b\",\"id\":\"{n}-{m}\",\"attributes\":{{\"x\":\"{large}\"}}}}\n")
            })
            .collect();
        assert_eq!(server.post(lines).await.told(), "200 20 0");
    }
    let answer = server.get("/v1/events?type=a.b&limit=1000").await;
    assert!(ids(&answer).len() < 60 && answer.text.len() < 10 << 20);
    let next = answer.json().get("next").and_then(Value::as_str).unwrap().to_owned();
    let rest = server.get(&format!("/v1/events?type=a.b&limit=1000&cursor={next}")).await;
    assert_eq!(ids(&answer).len() + ids(&rest).len(), 60);
}

#[tokio::test]
async fn questions() {
    let server = Server::new();
    let body = r#"[
        {"id":"1","type":"auth.login","time":"2026-01-01T00:00:00Z","status":"success","actor":{"id":"alice"}},
        {"id":"2","type":"auth.login","time":"2026-01-02T00:00:00Z","status":"failed","actor":{"id":"bob","email":"b@x.org"}},
        {"id":"3","type":"auth.logout","time":"2026-01-03T00:00:00Z","status":"weird","actor":{"id":"alice"}}]"#;
    assert_eq!(server.post(body).await.told(), "200 3 0");
    assert_eq!(
        server.ask("POST", "/v1/events?organisation=acme", r#"{"id":"4","type":"auth.login"}"#).await.status,
        200
    );
    for (question, expect) in [
        ("type=auth.login", "2,1"),
        ("type=auth.*", "3,2,1"),
        ("type=auth.*&actor=alice&limit=&status=", "3,1"),
        ("actor=b%40x.org", "2"),
        ("status=failed", "2"),
        ("status=weird", "3"),
        ("type=auth.*&from=2026-01-02T00:00:00Z", "3,2"),
        ("type=auth.*&to=2026-01-02T00:00:00Z", "1"),
        ("type=auth.*&from=2026-01-02T01:00:00%2B01:00&to=2026-01-02T00:00:01Z", "2"),
        ("type=auth.*&organisation=acme", "4"),
        ("type=none", ""),
    ] {
        assert_eq!(ids(&server.get(&format!("/v1/events?{question}")).await).join(","), expect, "{question}");
    }
    for question in [
        "typ=x",
        "type=a&type=b",
        "limit=0",
        "limit=1001",
        "limit=x",
        "from=yesterday",
        "to=2026-01-01",
        "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
        "organisation=A",
        "organisation=..",
    ] {
        assert_eq!(
            server.get(&format!("/v1/events?{question}")).await.problem(),
            "400 parameter",
            "{question}"
        );
    }
    assert_eq!(server.get("/v1/events?cursor=-1").await.problem(), "400 wrong");
    assert_eq!(server.get("/v1/events?organisation=nobody").await.problem(), "404 not_found");
}

#[tokio::test]
async fn an_empty_server_has_no_events_and_no_checkpoint() {
    let server = Server::new();
    let nothing = r#"{"events":[],"next":null,"searchable":0,"size":0,"total":{"exact":true,"value":0}}"#;
    assert_eq!(server.get("/v1/events").await.text, nothing);
    assert_eq!(
        server.get("/v1/events?count=no").await.text,
        r#"{"events":[],"next":null,"searchable":0,"size":0}"#
    );
    assert_eq!(server.get("/v1/events/count").await.text, r#"{"total":{"exact":true,"value":0}}"#);
    assert_eq!(server.get("/v1/events/facets").await.text, r#"{"facets":[]}"#);
    assert_eq!(server.get("/v1/events/histogram").await.text, r#"{"intervals":[]}"#);
    assert_eq!(
        server.get("/v1/events/top?group=type").await.text,
        r#"{"exact":true,"field":"type","groups":[]}"#
    );
    for path in ["/v1/keys", "/v1/views", "/v1/quarantine"] {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
    assert_eq!(server.get("/v1/events?organisation=default").await.problem(), "404 not_found");
    assert_eq!(server.get("/v1/checkpoint").await.problem(), "404 not_found");
    assert_eq!(server.get("/v1/events/0").await.problem(), "404 not_found");
    assert_eq!(server.get("/v1/events/0/proof").await.problem(), "404 not_found");
}

#[tokio::test]
async fn one_event_and_its_proof() {
    let server = Server::new();
    let answer = server.post(r#"{"id":"mine","type":"auth.login","message":"hello"}"#).await;
    let id = answer.json().pointer("/receipts/0/id").and_then(Value::as_str).unwrap().to_owned();
    let position = answer.json().pointer("/receipts/0/position").and_then(Value::as_i64).unwrap();

    let durable = server.get(&format!("/v1/events/{id}")).await;
    assert_eq!(durable.json().get("state").and_then(Value::as_str), Some("durable"));
    assert!(durable.json().get("proof").unwrap().is_null());
    assert_eq!(durable.json().get("retry_after_ms").and_then(Value::as_i64), Some(1000));
    assert_eq!(server.get(&format!("/v1/events/{id}?wait=long")).await.problem(), "400 parameter");

    // Somebody signs while another waits.
    let path = format!("/v1/events/{id}?wait=proved");
    let (proved, ()) = tokio::join!(server.get(&path), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.product.ledger("default").unwrap().sign().unwrap();
    });
    let json = proved.json();
    assert_eq!(json.get("state").and_then(Value::as_str), Some("proved"));
    assert_eq!(json.pointer("/event/verification/state").and_then(Value::as_str), Some("proved"));
    let proof = json.get("proof").and_then(Value::as_str).unwrap();
    assert_eq!(indelible::verify_text(proof, None, &[]).verdict().exit_code(), 0);

    for path in [
        format!("/v1/events/{id}/proof"),
        "/v1/events/mine/proof".into(),
        format!("/v1/events/{position}/proof"),
    ] {
        let file = server.get(&path).await;
        assert_eq!(file.text, proof);
        assert_eq!(file.header("content-type"), "text/plain; charset=utf-8");
        assert_eq!(file.header("content-disposition"), format!("attachment; filename=\"{id}.tlog-proof\""));
    }
    let accepts = with_token("GET", "/v1/events/mine")
        .header("accept", "text/html, application/vnd.c2sp.tlog-proof;q=0.9");
    assert_eq!(server.send(accepts.body(Body::empty()).unwrap()).await.text, proof);

    let checkpoint = server.get("/v1/checkpoint").await;
    assert_eq!(checkpoint.header("content-type"), "text/plain; charset=utf-8");
    assert!(proof.ends_with(&checkpoint.text));
    assert_eq!(server.get("/v1/events/nothing").await.problem(), "404 not_found");
    assert_eq!(server.get("/v1/events/99").await.problem(), "404 not_found");
}

#[tokio::test]
async fn an_id_of_two_producers_lists_both() {
    let server = Server::new();
    let body = r#"[{"type":"a.b","id":"x","producer":"one"},{"type":"a.b","id":"x","producer":"two"}]"#;
    assert_eq!(server.post(body).await.told(), "200 2 0");
    assert_eq!(ids(&server.get("/v1/events/x").await), ["x", "x"]);
    let answer = server.get("/v1/events/x/proof").await;
    assert_eq!(answer.problem(), "409 ambiguous");
    assert_eq!(answer.json().get("positions").and_then(Value::as_array).unwrap().len(), 2);
}

#[tokio::test]
async fn a_proof_that_does_not_come_is_asked_for_again() {
    let server = Server::new();
    assert_eq!(server.post(r#"{"id":"mine","type":"a.b"}"#).await.status, 200);
    let answer = server.get("/v1/events/mine/proof").await;
    assert_eq!(answer.problem(), "503 busy");
    assert_eq!(answer.header("retry-after"), "1");
}
