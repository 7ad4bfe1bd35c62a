//! Exports, and ledgers that are followed.

use super::*;

fn lines(n: std::ops::Range<u32>) -> String {
    n.map(|n| format!("{{\"type\":\"a.b\",\"source_id\":\"{n}\",\"message\":\"=m{n}\"}}\n")).collect()
}

#[tokio::test]
async fn an_export_is_everything_that_fits() {
    let server = Server::new();
    assert_eq!(server.get("/v1/events/export").await.text, "", "nothing was ever recorded");
    assert_eq!(server.get("/v1/events/export?organisation=default").await.problem(), "404 not_found");
    assert_eq!(server.post(lines(0..2500)).await.status, 200);
    let indexing = server.indexing();
    let answer = server.get("/v1/events/export?type=a.b&consistent=true").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/x-ndjson"));
    let estimate: usize = answer.header("x-indelible-estimated-events").parse().unwrap();
    assert!(estimate >= 2500);
    let ids: Vec<String> = answer
        .text
        .lines()
        .map(|line| {
            let event = json::parse(line.as_bytes(), &json::Limits::default()).unwrap();
            event.get("source_id").and_then(Value::as_str).unwrap().to_owned()
        })
        .collect();
    assert_eq!(ids, (0..2500).rev().map(|n| n.to_string()).collect::<Vec<_>>());
    let answer = server.get("/v1/events/export?type=a.b&format=json").await;
    assert_eq!(answer.json().as_array().unwrap().len(), 2500);
    let answer = server.get("/v1/events/export?type=a.b&format=csv").await;
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"events.csv\"");
    assert_eq!(answer.text.matches("\r\n").count(), 2501);
    assert!(answer.text.contains(",'=m7,"));
    assert_eq!(server.get("/v1/events/export?format=xml").await.problem(), "400 parameter");
    assert_eq!(server.get("/v1/events/export?limit=3").await.problem(), "400 parameter");

    drop(indexing);
    // The thread of the last one is about to end.
    let held = server.door.exports.clone().acquire_many_owned(4).await.unwrap();
    assert_eq!(server.get("/v1/events/export").await.problem(), "503 busy");
    drop(held);
    assert_eq!(server.get("/v1/events/export").await.status, 200);
}

/// The frames of a stream, until one holds `last`.
async fn frames(body: &mut Body, last: &str) -> String {
    let mut text = String::new();
    let read = async {
        while !text.contains(last) {
            let frame = body.frame().await.expect("it goes on").unwrap();
            text += std::str::from_utf8(frame.data_ref().unwrap()).unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(10), read).await.expect("it comes");
    text
}

#[tokio::test]
async fn a_ledger_is_followed_and_gone_on_with() {
    let server = Server::new();
    assert_eq!(server.post(lines(0..3)).await.status, 200);
    let listen = async |path: &str, last: Option<&str>| {
        let request = last.iter().fold(with_token("GET", path), |r, last| r.header("last-event-id", *last));
        let response = server.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        response.into_body()
    };
    let mut body = listen("/v1/events/tail", None).await;
    assert_eq!(frames(&mut body, "\n\n").await, ": listening\n\n");
    assert_eq!(server.post(lines(3..5)).await.status, 200);
    let text = frames(&mut body, "\"source_id\":\"4\"").await;
    assert!(!text.contains("\"source_id\":\"2\""), "it begins with what is new");
    let positions: Vec<u64> =
        text.lines().filter_map(|line| line.strip_prefix("id: ")).map(|id| id.parse().unwrap()).collect();
    assert!(positions.windows(2).all(|pair| pair[0] + 1 == pair[1]));

    let at = positions[0].to_string();
    let mut again = listen("/v1/events/tail?at=0", Some(&at)).await;
    let text = frames(&mut again, "\"source_id\":\"4\"").await;
    assert!(!text.contains("\"source_id\":\"3\""), "{text}");
    let mut from = listen("/v1/events/tail?at=0", None).await;
    let text = frames(&mut from, "\"source_id\":\"4\"").await;
    assert!((0..5).all(|n| text.contains(&format!("\"source_id\":\"{n}\""))), "{text}");

    // Three listen; what they held is free when they are gone.
    assert_eq!(server.door.tails.available_permits(), server.door.limits.tails - 3);
    drop((body, again, from));
    for _ in 0..100 {
        if server.door.tails.available_permits() == server.door.limits.tails {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(server.door.tails.available_permits(), server.door.limits.tails);
    assert_eq!(server.get("/v1/events/tail?at=x").await.problem(), "400 parameter");
    assert_eq!(server.get("/v1/events/tail?organisation=nobody").await.problem(), "404 not_found");
    let held = server.door.tails.clone().try_acquire_many_owned(64).unwrap();
    assert_eq!(server.get("/v1/events/tail").await.problem(), "503 busy");
    drop(held);
}

#[tokio::test]
async fn who_does_not_follow_gets_what_there_is() {
    let server = Server::new();
    assert_eq!(server.post(lines(0..3)).await.status, 200);
    let answer = server.get("/v1/events/tail?at=0&follow=false&q=source_id:*").await;
    let text = &answer.text;
    assert_eq!(text.matches("\nid: ").count(), 3, "{text}");
    assert!(text.contains("\"source_id\":\"2\""), "{text}");
    let answer = server.get("/v1/events/tail?follow=false").await;
    assert_eq!(answer.text, ": listening\n\n", "there is nothing after the newest");
    assert_eq!(server.get("/v1/events/tail?follow=maybe").await.problem(), "400 parameter");
    assert_eq!(server.door.tails.available_permits(), server.door.limits.tails);
}

#[tokio::test]
async fn a_stop_ends_what_is_followed() {
    let server = Server::new();
    assert_eq!(server.post(lines(0..1)).await.status, 200);
    let request = with_token("GET", "/v1/events/tail").body(Body::empty()).unwrap();
    let body = server.router.clone().oneshot(request).await.unwrap().into_body();
    server.door.drain();
    tokio::time::timeout(Duration::from_secs(5), body.collect()).await.unwrap().unwrap();
}
