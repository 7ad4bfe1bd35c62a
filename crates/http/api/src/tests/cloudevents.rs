//! CloudEvents in the headers of a request, and the agreement before.

use super::*;

fn binary(id: &str) -> axum::http::request::Builder {
    with_token("POST", "/v1/events")
        .header("ce-specversion", "1.0")
        .header("ce-type", "com.example.login")
        .header("ce-source", "/auth/eu")
        .header("ce-id", id)
}

#[tokio::test]
async fn an_event_in_the_headers_is_recorded_once() {
    let server = Server::new();
    for (media, body) in [("application/json", r#"{"user":"alice"}"#), ("text/plain; charset=utf-8", "alice")]
    {
        let request = || binary(media).header("content-type", media).body(Body::from(body)).unwrap();
        assert_eq!(server.send(request()).await.told(), "200 1 0");
        assert_eq!(server.send(request()).await.told(), "200 0 1");
    }
    let found = server.get("/v1/events?q=attributes.data.user:alice").await;
    assert_eq!(found.json().pointer("/events/0/producer").and_then(Value::as_str), Some("/auth/eu"));
    // Nothing is sent but the envelope.
    assert_eq!(server.send(binary("bare").body(Body::empty()).unwrap()).await.told(), "200 1 0");
}

#[tokio::test]
async fn what_is_wrong_with_one_is_told() {
    let server = Server::new();
    let request = binary("1").header("content-type", "application/json").body(Body::from("{\"a\":")).unwrap();
    assert_eq!(server.send(request).await.told(), "400 0 0 0:syntax@/data/a");
    let request = binary("1").header("ce-subject", "%ff").body(Body::empty()).unwrap();
    assert_eq!(server.send(request).await.problem(), "400 bad_value");
    let request = binary("1").body(Body::from("x".repeat(300 << 10))).unwrap();
    assert_eq!(server.send(request).await.told(), "400 0 0 0:too_large@/data");
    assert_eq!(
        server
            .get("/v1/events/count?q=type:com.example.login")
            .await
            .json()
            .pointer("/total/value")
            .and_then(Value::as_i64),
        Some(0)
    );
}

#[tokio::test]
async fn two_envelopes_around_one_body_are_two_requests() {
    let server = Server::new();
    let send = async |id: &str| {
        let request = binary(id).header("idempotency-key", "k").body(Body::from("same")).unwrap();
        server.send(request).await
    };
    assert_eq!(send("1").await.status, 200);
    assert_eq!(send("1").await.header("idempotency-replayed"), "true");
    assert_eq!(send("2").await.problem(), "422 idempotency_key");
}

#[tokio::test]
async fn a_broker_is_told_that_it_may() {
    let server = Server::new();
    let ask = async |origin: Option<&str>| {
        let request = Request::builder().method("OPTIONS").uri("/v1/events");
        let request =
            origin.iter().fold(request, |request, name| request.header("webhook-request-origin", *name));
        server.send(request.header("webhook-request-rate", "120").body(Body::empty()).unwrap()).await
    };
    let answer = ask(Some("eventemitter.example.com")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("webhook-allowed-origin"), "eventemitter.example.com");
    assert_eq!(answer.header("webhook-allowed-rate"), "60000");
    assert!(answer.header("allow").contains("POST"));
    for origin in [None, Some("a b"), Some("")] {
        let answer = ask(origin).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("webhook-allowed-origin")),
            (200, ""),
            "{origin:?}"
        );
    }
    // It opens nothing else.
    for method in ["GET", "POST", "DELETE"] {
        let request = Request::builder().method(method).uri("/v1/events").body(Body::empty()).unwrap();
        assert_eq!(server.send(request).await.problem(), "401 unauthorized", "{method}");
    }
}
