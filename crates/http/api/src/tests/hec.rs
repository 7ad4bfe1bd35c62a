//! `/services/collector`, as clients of Splunk see it.

use access::{Reach, Role, Viewer};
use indelible::NewKey;

use super::matrix::new_key;
use super::*;

const CHANNEL: &str = "FE0ECFAD-13D5-401B-847D-77833BD77131";

async fn ask(server: &Server, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    let request = Request::builder().method("POST").uri(path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    server.send(request.body(body.into()).unwrap()).await
}

fn splunk() -> String {
    format!("Splunk {TOKEN}")
}

async fn collect(server: &Server, path: &str, body: impl Into<Body>) -> Answer {
    ask(server, path, &[("authorization", &splunk())], body).await
}

fn told(answer: &Answer) -> String {
    assert_eq!(answer.header("content-type"), "application/json", "{}", answer.text);
    format!("{} {}", answer.status.as_u16(), answer.text)
}

async fn count(server: &Server, filter: &str) -> i64 {
    let answer = server.get(&format!("/v1/events/count?q={filter}")).await;
    answer.json().pointer("/total/value").and_then(Value::as_i64).unwrap()
}

#[tokio::test]
async fn events_are_recorded_and_known_again() {
    let server = Server::new();
    let body = r#"{"time":1426279439.5,"host":"gw-1","event":"hello"}{"time":1426279439.5,"host":"gw-1","event":"hello"}
        {"event":{"type":"auth.login","actor":{"id":"alice"},"source_id":"7"},"time":"1426279440"}"#;
    for path in ["/services/collector", "/services/collector/event", "/services/collector/event/1.0"] {
        assert_eq!(told(&collect(&server, path, body).await), r#"200 {"code":0,"text":"Success"}"#);
    }
    assert_eq!(count(&server, "type:log.entry").await, 2);
    assert_eq!(count(&server, "type:auth.login").await, 1);
    // What says no time may well have happened twice.
    for _ in 0..2 {
        assert_eq!(collect(&server, "/services/collector", r#"{"event":"again"}"#).await.status, 200);
    }
    assert_eq!(count(&server, "type:log.entry").await, 4);
    let event = server.get("/v1/events?q=attributes.host:gw-1&limit=1").await;
    let json = event.json();
    assert_eq!(json.pointer("/events/0/message").and_then(Value::as_str), Some("hello"));
    assert_eq!(json.pointer("/events/0/time").and_then(Value::as_str), Some("2015-03-13T20:43:59.500Z"));
}

#[tokio::test]
async fn a_compressed_body_of_any_content_type_is_taken() {
    use std::io::Write;
    let server = Server::new();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(br#"{"event":"a"} {"event":"b"}"#).unwrap();
    let body = gzip.finish().unwrap();
    let token = splunk();
    let headers = [
        ("content-encoding", "gzip"),
        ("content-type", "text/plain; charset=latin1"),
        ("authorization", &token),
    ];
    assert_eq!(ask(&server, "/services/collector", &headers, body).await.status, 200);
    assert_eq!(count(&server, "type:log.entry").await, 2);
}

#[tokio::test]
async fn who_shows_what_is_told_by_the_table_of_codes() {
    let server = Server::new();
    let path = "/services/collector/event";
    let check = async |headers: &[(&str, &str)], query: &str, expect: &str| {
        let answer = ask(&server, &format!("{path}{query}"), headers, r#"{"event":"x"}"#).await;
        assert_eq!(told(&answer), expect, "{headers:?} {query}");
    };
    let basic = "Basic eDpiYWQ="; // x:bad
    check(&[], "", r#"401 {"code":2,"text":"Token is required"}"#).await;
    check(&[("authorization", "Splunk")], "", r#"401 {"code":3,"text":"Invalid authorization"}"#).await;
    check(&[("authorization", TOKEN)], "", r#"401 {"code":3,"text":"Invalid authorization"}"#).await;
    check(&[("authorization", "Splunk bad")], "", r#"403 {"code":4,"text":"Invalid token"}"#).await;
    check(&[("authorization", basic)], "", r#"403 {"code":4,"text":"Invalid token"}"#).await;
    // The token comes before the channel, and before where it stands.
    let channel = ("x-splunk-request-channel", "nonsense");
    check(&[("authorization", "Splunk bad"), channel], "", r#"403 {"code":4,"text":"Invalid token"}"#).await;
    check(&[("authorization", &splunk()), channel], "", r#"400 {"code":11,"text":"Invalid data channel"}"#)
        .await;
    check(&[], "?token=bad", r#"403 {"code":4,"text":"Invalid token"}"#).await;
    let refused = r#"400 {"code":16,"text":"Query string authorization is not enabled"}"#;
    check(&[], &format!("?token={TOKEN}"), refused).await;
    check(&[("authorization", &splunk())], "?token=bad", r#"200 {"code":0,"text":"Success"}"#).await;
    assert_eq!(count(&server, "type:log.entry").await, 1);

    let command = Viewer::command("test");
    let viewer: NewKey = new_key("reader", Reach::All, Role::Viewer, None);
    let (_, secret) = server.product.create_key(&command, viewer).unwrap();
    let reader = format!("Splunk {secret}");
    check(&[("authorization", &reader)], "", r#"403 {"code":1,"text":"Token disabled"}"#).await;
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_told_by_the_table_of_codes() {
    let server = Server::new();
    let check = async |path: &str, body: &str, expect: &str| {
        assert_eq!(told(&collect(&server, path, body.to_owned()).await), expect, "{body}");
    };
    let event = "/services/collector/event";
    check(event, "", r#"400 {"code":5,"text":"No data"}"#).await;
    check(event, " \n", r#"400 {"code":5,"text":"No data"}"#).await;
    check("/services/collector/raw", "\n", r#"400 {"code":5,"text":"No data"}"#).await;
    check(event, "[]", r#"400 {"code":6,"invalid-event-number":0,"text":"Invalid data format"}"#).await;
    check(
        event,
        r#"{"event":"good"}{"event":""}{"event":"good too"}{}"#,
        r#"400 {"code":13,"invalid-event-number":1,"text":"Event field cannot be blank"}"#,
    )
    .await;
    check(
        event,
        r#"{"host":"h"}"#,
        r#"400 {"code":12,"invalid-event-number":0,"text":"Event field is required"}"#,
    )
    .await;
    check(
        event,
        r#"{"event":1,"index":7}"#,
        r#"400 {"code":7,"invalid-event-number":0,"text":"Incorrect index"}"#,
    )
    .await;
    check(
        event,
        r#"{"event":1,"fields":{"a":{}}}"#,
        r#"400 {"code":15,"invalid-event-number":0,"text":"Error in handling indexed fields"}"#,
    )
    .await;
    // A key that may write everywhere names the organisation in the address, not in an event.
    check(
        event,
        r#"{"event":{"type":"a.b","organisation":"acme"}}"#,
        r#"400 {"code":6,"invalid-event-number":0,"text":"Invalid data format"}"#,
    )
    .await;
    // The good ones beside the bad ones were recorded, the bad ones are in quarantine.
    assert_eq!(count(&server, "type:log.entry").await, 2);
    let kept = server.get("/v1/quarantine").await;
    assert!(kept.text.contains("/fields"), "{}", kept.text);
    // What Splunk has no code for has its form all the same.
    let token = splunk();
    let encoding = [("content-encoding", "br"), ("authorization", token.as_str())];
    assert_eq!(ask(&server, event, &encoding, "x").await.text, r#"{"code":6,"text":"Invalid data format"}"#);
    let answer = server.ask("GET", event, "").await;
    assert_eq!(told(&answer), r#"405 {"code":6,"text":"Invalid data format"}"#);
}

#[tokio::test]
async fn an_acknowledgement_is_true_once_it_is_on_the_disk() {
    let server = Server::new();
    let token = splunk();
    let headers = [("authorization", token.as_str()), ("x-splunk-request-channel", CHANNEL)];
    let body = r#"{"time":1,"event":"a"}{"time":1,"event":"b"}"#;
    let answer = ask(&server, "/services/collector/event", &headers, body).await;
    let id = answer.json().get("ackId").and_then(Value::as_i64).unwrap();
    // Sent again, as after a lost answer, it is the same id.
    let again = ask(&server, "/services/collector/event", &headers, body).await;
    assert_eq!(again.json().get("ackId").and_then(Value::as_i64), Some(id));
    let acks = format!(r#"{{"acks":[{id},{},-1,0]}}"#, id + 1_000_000);
    let answer = ask(&server, "/services/collector/ack", &headers, acks).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let json = answer.json();
    for (ack, expect) in [(id, true), (id + 1_000_000, false), (-1, false), (0, true)] {
        let told = json.pointer(&format!("/acks/{ack}")).and_then(Value::as_bool);
        assert_eq!(told, Some(expect), "{ack}: {}", answer.text);
    }

    let channel = format!("/services/collector/ack?channel={CHANNEL}");
    assert_eq!(collect(&server, &channel, r#"{"acks":[0]}"#).await.text, r#"{"acks":{"0":true}}"#);
    let missing = collect(&server, "/services/collector/ack", r#"{"acks":[0]}"#).await;
    assert_eq!(told(&missing), r#"400 {"code":10,"text":"Data channel is missing"}"#);
    for wrong in [r#"{"acks":7}"#, r#"{"acks":["0"]}"#, "", "{}"] {
        let answer = ask(&server, "/services/collector/ack", &headers, wrong).await;
        assert_eq!(told(&answer), r#"400 {"code":6,"text":"Invalid data format"}"#, "{wrong}");
    }
    // Of an organisation that has recorded nothing, nothing is on the disk.
    let nowhere = "/services/collector/ack?organisation=nowhere";
    assert_eq!(ask(&server, nowhere, &headers, r#"{"acks":[0]}"#).await.text, r#"{"acks":{"0":false}}"#);
}

#[tokio::test]
async fn lines_are_events_with_what_the_address_says() {
    let server = Server::new();
    let path = format!("/services/collector/raw?channel={CHANNEL}&sourcetype=syslog&host=h1&unknown=1");
    let answer = collect(&server, &path, "one\ntwo\r\n\n{\"type\":\"auth.logout\"}").await;
    assert!(answer.json().get("ackId").is_some(), "{}", answer.text);
    assert_eq!(count(&server, "attributes.sourcetype:syslog%20attributes.host:h1").await, 3);
    assert_eq!(count(&server, "type:auth.logout").await, 1);
    assert_eq!(collect(&server, "/services/collector/raw/1.0", "three").await.status, 200);
}

#[tokio::test]
async fn later_is_503_and_nine() {
    let server = Server::new();
    assert_eq!(collect(&server, "/services/collector", r#"{"event":"x"}"#).await.status, 200);
    server.broken.store(true, Ordering::Relaxed);
    for query in ["", "?organisation=new"] {
        let path = format!("/services/collector{query}");
        let answer = collect(&server, &path, r#"{"event":"x","time":1}"#).await;
        assert_eq!(told(&answer), r#"503 {"code":9,"text":"Server is busy"}"#);
        assert_ne!(answer.header("retry-after"), "");
    }
}

#[tokio::test]
async fn health_is_told_to_everybody() {
    let server = Server::new();
    for path in ["/services/collector/health", "/services/collector/health/1.0"] {
        let answer = server.send(Request::builder().uri(path).body(Body::empty()).unwrap()).await;
        assert_eq!(told(&answer), r#"200 {"code":17,"text":"HEC is healthy"}"#);
    }
    server.door.drain();
    let answer = server.get("/services/collector/health").await;
    assert_eq!(told(&answer), r#"503 {"code":23,"text":"Server is shutting down"}"#);
    assert_eq!(collect(&server, "/services/collector", r#"{"event":"x"}"#).await.status, 503);
}

#[tokio::test]
async fn too_much_at_once_is_refused_whole() {
    let server = Server::with(Limits { events_body_bytes: 4 << 20, ..Limits::default() });
    let answer = collect(&server, "/services/collector", r#"{"event":1}"#.repeat(100_001)).await;
    assert_eq!(told(&answer), r#"413 {"code":6,"text":"Invalid data format"}"#);
    let answer = collect(&server, "/services/collector/raw", "x".repeat((4 << 20) + 1)).await;
    assert_eq!(answer.status, 413);
    assert!(server.product.ledger("default").is_err(), "nothing was recorded");
}
