//! Requests that say by a key which request they are.

use super::*;

async fn send(server: &Server, path: &str, key: &str, body: impl Into<Body>) -> Answer {
    let request = with_token("POST", path).header("idempotency-key", key);
    server.send(request.body(body.into()).unwrap()).await
}

fn recorded(server: &Server) -> u64 {
    server.product.ledger("default").map_or(0, |ledger| ledger.size())
}

#[tokio::test]
async fn what_is_sent_again_is_answered_again() {
    let server = Server::new();
    // No id: without the key it would be two events.
    let body = r#"{"type":"a.b"}"#;
    let first = send(&server, "/v1/events", "k1", body).await;
    assert_eq!((first.told().as_str(), first.header("idempotency-replayed")), ("200 1 0", ""));
    let size = recorded(&server);
    let again = send(&server, "/v1/events", "\"k1\"", body).await;
    assert_eq!((again.text.as_str(), again.header("idempotency-replayed")), (first.text.as_str(), "true"));
    assert_eq!(again.header("content-type"), "application/json");
    assert_eq!(recorded(&server), size);
    // Compressed or not, it is the same request.
    let packed =
        with_token("POST", "/v1/events").header("idempotency-key", "k1").header("content-encoding", "gzip");
    let packed = packed.body(Body::from(crate::encoding::tests::gzip(body.as_bytes()))).unwrap();
    assert_eq!(server.send(packed).await.header("idempotency-replayed"), "true");

    for (path, other) in [
        ("/v1/events", r#"{"type":"a.c"}"#),
        ("/v1/events?organisation=acme", body),
        ("/ingest/litellm", body),
    ] {
        assert_eq!(send(&server, path, "k1", other).await.problem(), "422 idempotency_key", "{path}");
    }
    assert_eq!(send(&server, "/v1/events", "k2", body).await.told(), "200 1 0");
    assert!(recorded(&server) > size);

    server.pass(24 * 60 * 60 * 1000);
    let late = send(&server, "/v1/events", "k1", body).await;
    assert_eq!((late.told().as_str(), late.header("idempotency-replayed")), ("200 1 0", ""));
}

#[tokio::test]
async fn a_refusal_is_remembered_and_a_failure_is_not() {
    let server = Server::new();
    let refused = send(&server, "/v1/events", "k", "{}").await;
    assert_eq!(refused.problem(), "400 rejected");
    let again = send(&server, "/v1/events", "k", "{}").await;
    assert_eq!((again.problem().as_str(), again.header("idempotency-replayed")), ("400 rejected", "true"));

    assert_eq!(server.post(r#"{"type":"a.b"}"#).await.status, 200);
    let held = server.door.room(server.door.limits.trees_bytes - (64 << 10)).await.unwrap();
    let large = format!(r#"{{"type":"a.b","message":"{}"}}"#, "x".repeat(50_000));
    assert_eq!(send(&server, "/v1/events", "busy", large.clone()).await.problem(), "503 busy");
    drop(held);
    let answer = send(&server, "/v1/events", "busy", large).await;
    assert_eq!((answer.told().as_str(), answer.header("idempotency-replayed")), ("200 1 0", ""));
    for wrong in ["", "\"\"", &"x".repeat(256)] {
        assert_eq!(send(&server, "/v1/events", wrong, "{}").await.problem(), "400 idempotency_key");
    }
}

#[tokio::test]
async fn two_at_once_are_one() {
    let server = Arc::new(Server::new());
    assert_eq!(server.post(r#"{"type":"a.b"}"#).await.status, 200);
    let size = recorded(&server);
    // The first waits for memory, and its client does not wait for it.
    let held = server.door.room(server.door.limits.trees_bytes).await.unwrap();
    let body = r#"{"type":"a.b"}"#;
    let (at, began) = (server.clone(), body.to_owned());
    let first = tokio::spawn(async move { send(&at, "/v1/events", "k", began).await.status });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(send(&server, "/v1/events", "k", body).await.problem(), "409 in_flight");
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    assert_eq!(
        send(&server, "/v1/events", "k", body).await.problem(),
        "409 in_flight",
        "it goes on all the same"
    );
    drop(held);
    for _ in 0..100 {
        let answer = send(&server, "/v1/events", "k", body).await;
        if answer.status == 200 {
            assert_eq!(answer.header("idempotency-replayed"), "true");
            assert_eq!(recorded(&server), size + 1);
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never answered");
}
