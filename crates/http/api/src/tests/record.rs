//! `POST /v1/events`.

use super::*;

#[tokio::test]
async fn the_shapes_of_a_body() {
    let server = Server::new();
    let check = async |body: &str, expect: &str| {
        let answer = server.post(body.to_owned()).await;
        assert_eq!(answer.told(), expect, "{body}");
        if answer.status != 200 {
            answer.problem();
        }
    };
    check(r#"{"type":"a.b"}"#, "200 1 0").await;
    check("\n {\n\"type\":\n\"a.b\"\n}\n", "200 1 0").await;
    check(r#"[{"type":"a.b"},{"type":"a.c"}]"#, "200 2 0").await;
    check("{\"type\":\"a.b\"}\n\r\n{\"type\":\"a.c\"}\n", "200 2 0").await;
    check("[]", "200 0 0").await;
    check("", "400 -1 -1").await;
    check("[{\"type\":\"a.b\"}", "400 -1 -1").await;

    check("{}", "400 0 0 0:missing@/type").await;
    check("null", "400 0 0 0:wrong_type@").await;
    check(r#"[{"type":"a.b"},null]"#, "200 1 0 1:wrong_type@").await;
    check(
        r#"[{"type":"a.b","typ":1},{"type":"a.b"},{"type":}]"#,
        "200 1 0 0:unknown_field@/typ,2:syntax@/type",
    )
    .await;
    check(r#"[{"type":"a.b","type":"a.b"}]"#, "400 0 0 0:duplicate_key@/type").await;
    check(r#"{"type":"a.b","actor":{"ip":"nope"}}"#, "400 0 0 0:bad_value@/actor/ip").await;
    check(r#"{"type":"a.b","attributes":{"n":9007199254740993}}"#, "400 0 0 0:number_range@/attributes/n")
        .await;
    check(r#"[{"type":"a.b","organisation":"system"},{"type":"a.b"}]"#, "200 1 0 0:bad_value@/organisation")
        .await;
    check(r#"[{"type":"a.b","organisation":"../up"},{"type":"a.b"}]"#, "200 1 0 0:bad_value@/organisation")
        .await;
    let large = format!(r#"{{"type":"a.b","message":"{}"}}"#, "x".repeat(256 << 10));
    check(&format!("{large}\n{{\"type\":\"a.b\"}}"), "200 1 0 0:too_large@").await;
}

#[tokio::test]
async fn an_answer_quotes_nothing_that_was_sent() {
    let server = Server::new();
    let answer = server
        .post(r#"[{"type":"a.b","actor":{"ip":"hunter2"}},{"type":"a.b","time":"hunter2"}, hunter2]"#)
        .await;
    assert_eq!(answer.status, 400);
    assert!(!answer.text.contains("hunter2"), "{}", answer.text);
    // Names of members are chosen by whoever writes them, and filters are quoted.
    let named = r#"{"type":"a.b","postgres://app:hunter2-Plum@db/prod":1,"a":9007199254740993}"#;
    let answer = server.post(named).await;
    assert!(answer.status == 400 && !answer.text.contains("hunter2"), "{}", answer.text);
    let named = r#"{"postgres://app:hunter2-Plum@db/prod":9007199254740993}"#;
    let answer = server.post(named).await;
    assert!(answer.status == 400 && answer.text.contains("/postgres:~1~1"), "{}", answer.text);
    assert!(!answer.text.contains("hunter2"), "{}", answer.text);
    let answer = server.get("/v1/events?q=password%3Dhunter2-plum-Orchard").await;
    assert_eq!(answer.problem(), "400 filter");
    assert!(answer.text.contains("suggestion") && !answer.text.contains("hunter2"), "{}", answer.text);
    for path in [
        "/v1/events/top?group=hunter2",
        "/v1/events/facets?field=hunter2",
        "/v1/events/histogram?by=hunter2",
        "/v1/events/top?group=type&sum=hunter2",
        "/v1/events?hunter2=1",
        "/v1/events?from=hunter2",
        "/v1/events?limit=hunter2",
        "/v1/events/hunter2",
        "/v1/events?cursor=hunter2",
        "/v1/events?organisation=hunter2/",
        "/v1/checkpoint?organisation=hunter2",
        "/hunter2",
    ] {
        let answer = server.get(path).await;
        assert!(
            answer.status.is_client_error() && !answer.text.contains("hunter2"),
            "{path}: {}",
            answer.text
        );
    }
}

#[tokio::test]
async fn receipts_lead_to_what_was_recorded() {
    let server = Server::new();
    let answer = server
        .post(r#"[{"type":"auth.login","id":"mine"},{"bad":1},{"type":"a.b","organisation":"acme"}]"#)
        .await;
    let json = answer.json();
    let receipts = json.get("receipts").and_then(Value::as_array).unwrap();
    let text =
        |receipt: &Value<'_>, name: &str| receipt.get(name).and_then(Value::as_str).unwrap().to_owned();
    assert_eq!(
        receipts.iter().map(|r| r.get("index").and_then(Value::as_i64).unwrap()).collect::<Vec<_>>(),
        [0, 2]
    );
    for (receipt, organisation) in receipts.iter().zip(["default", "acme"]) {
        assert_eq!(text(receipt, "organisation"), organisation);
        assert_eq!((text(receipt, "state"), text(receipt, "outcome")), ("durable".into(), "recorded".into()));
        let id = text(receipt, "id");
        let found = server.get(&format!("/v1/events/{id}?organisation={organisation}")).await;
        let found = found.json();
        assert_eq!(
            found.pointer("/event/verification/hash").and_then(Value::as_str),
            Some(format!("sha256:{}", text(receipt, "leaf_hash")).as_str())
        );
        for name in ["id", "received"] {
            let at = format!("/event/{name}");
            assert_eq!(
                found.pointer(&at).and_then(Value::as_str),
                Some(text(receipt, name).as_str()),
                "{name}"
            );
        }
        assert_eq!(found.pointer("/event/position"), receipt.get("position"));
    }
}

#[tokio::test]
async fn the_same_again_is_a_duplicate_and_something_else_a_conflict() {
    let server = Server::new();
    let one = r#"{"id":"1","type":"auth.login","message":"a"}"#;
    let other = r#"{"id":"1","type":"auth.login","message":"b"}"#;
    assert_eq!(server.post(one).await.told(), "200 1 0");
    assert_eq!(server.post(one).await.told(), "200 0 1");
    assert_eq!(server.post(format!("[{one},{one}]")).await.told(), "200 0 2");
    let answer = server.post(other).await;
    assert_eq!(answer.told(), "409 0 0 0:conflict@/source_id");
    assert_eq!(answer.problem(), "409 conflict");
    assert_eq!(
        server.post(format!("[{other},{{\"type\":\"a.b\"}}]")).await.told(),
        "200 1 0 0:conflict@/source_id"
    );
    assert_eq!(
        server.post(format!("[{other},{{}}]")).await.told(),
        "400 0 0 0:conflict@/source_id,1:missing@/type"
    );
    let recorded = server.get("/v1/events?type=audit.conflict").await;
    assert_eq!(recorded.json().get("events").and_then(Value::as_array).unwrap().len(), 3);
}

#[tokio::test]
async fn ten_thousand_events_and_no_more() {
    let server = Server::new();
    let line = "{\"type\":\"a.b\"}\n";
    assert_eq!(server.post(line.repeat(10_000)).await.told(), "200 10000 0");
    assert_eq!(server.post(line.repeat(10_001)).await.problem(), "413 too_large");
    assert_eq!(server.post(format!("[{}{{}}]", "{},".repeat(10_000))).await.problem(), "413 too_large");
    // Reasons are cut short, and counted.
    let long = format!(
        "{{\"type\":\"a.b\",\"attributes\":{{\"{0}\":{{\"{0}\":9007199254740993}}}}}}\n",
        "k".repeat(120)
    );
    let answer = server.post(long.repeat(10_000)).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text.len() < 4 << 20);
    let json = answer.json();
    let told = json.get("rejected").and_then(Value::as_array).unwrap().len() as i64;
    assert_eq!(told + json.get("rejected_omitted").and_then(Value::as_i64).unwrap(), 10_000);
}

#[tokio::test]
async fn a_broken_disk_is_no_success_and_told_to_come_back() {
    let server = Server::new();
    let event = r#"{"type":"a.b","id":"1"}"#;
    assert_eq!(server.post(r#"{"type":"a.b","id":"0"}"#).await.told(), "200 1 0");
    server.broken.store(true, Ordering::Relaxed);
    for path in ["/v1/events", "/v1/events?organisation=new"] {
        let answer = server.ask("POST", path, event).await;
        assert_eq!(answer.problem(), "503 busy");
        assert!(answer.header("retry-after").parse::<u32>().unwrap() >= 1);
        assert!(!answer.text.contains("secret"), "{}", answer.text);
    }
    server.broken.store(false, Ordering::Relaxed);
    assert_eq!(server.post(event).await.status, 200);
    assert_eq!(server.post(event).await.told(), "200 0 1");
}

#[tokio::test]
async fn a_snapshot_lets_nobody_in() {
    let Server { dir, product, .. } = Server::new();
    let data = dir.path().join("data");
    product.close().unwrap();
    let reader = Indelible::open_read_only(Arc::new(OsIo::new()), Settings::new(data)).unwrap();
    let server = Server::over(dir, Arc::new(reader), Serving::default(), Arc::default());
    assert_eq!(server.get("/v1/events").await.problem(), "401 unauthorized");
    let answer = server.get("/readyz").await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (503, r#"{"status":"read_only"}"#));
}
