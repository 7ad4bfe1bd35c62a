//! Bodies in every form and encoding.

use super::*;
use crate::encoding::tests::{gzip, zlib, zstd};

async fn send(server: &Server, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    let request = with_token("POST", "/v1/events");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    server.send(request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn compressed_bodies_are_the_same_bodies() {
    let server = Server::new();
    let body = r#"[{"type":"a.b"},{"type":"a.c"}]"#;
    for (encoding, packed) in [
        ("identity", body.as_bytes().to_vec()),
        ("gzip", gzip(body.as_bytes())),
        ("deflate", zlib(body.as_bytes())),
        ("zstd", zstd(body.as_bytes(), 20)),
    ] {
        let answer = send(&server, &[("content-encoding", encoding)], packed.clone()).await;
        assert_eq!(answer.told(), "200 2 0", "{encoding}");
        if encoding != "identity" {
            let answer =
                send(&server, &[("content-encoding", encoding)], packed[..packed.len() - 3].to_vec()).await;
            assert_eq!(answer.problem(), "400 encoding", "{encoding}");
            assert_eq!(
                send(&server, &[("content-encoding", encoding)], body).await.problem(),
                "400 encoding"
            );
        }
    }
    for encoding in ["br", "gzip, gzip", "gzip, zstd"] {
        let answer = send(&server, &[("content-encoding", encoding)], "{}").await;
        assert_eq!(answer.problem(), "415 encoding", "{encoding}");
        assert_eq!(answer.header("accept-encoding"), "gzip, zstd, deflate");
    }
    // LiteLLM's door takes them as well.
    let request = with_token("POST", "/ingest/litellm").header("content-encoding", "gzip");
    let answer = server.send(request.body(Body::from(gzip(b"[]"))).unwrap()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[tokio::test]
async fn a_bomb_does_not_go_off() {
    let limits = Limits { events_body_bytes: 8 << 20, bodies_bytes: 32 << 20, ..Limits::default() };
    let server = Server::with(limits);
    let units = server.door.bodies.available_permits();
    for zeros in [4 << 20, 1 << 30] {
        let answer = send(&server, &[("content-encoding", "gzip")], gzip(&vec![b' '; zeros])).await;
        assert_eq!(answer.problem(), "413 too_large", "{zeros}");
    }
    // Within the ratio, but not within the limit.
    let mut text: Vec<u8> =
        (0..3_000_000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    text.iter_mut().for_each(|b| *b = b'a' + *b % 16);
    let answer = send(&server, &[("content-encoding", "zstd")], zstd(&text, 20)).await;
    assert_eq!(answer.problem(), "413 too_large");
    assert_eq!(server.door.bodies.available_permits(), units, "what was claimed is given back");

    // Memory that others have is not taken.
    let held = server.door.bodies.clone().try_acquire_many_owned(31 << 10).unwrap();
    let answer = send(&server, &[("content-encoding", "zstd")], zstd(b"{}", 20)).await;
    assert_eq!(answer.problem(), "503 busy", "zstd's own memory is counted");
    assert_eq!(
        send(&server, &[("content-encoding", "gzip")], gzip(b"{}")).await.told(),
        "400 0 0 0:missing@/type"
    );
    let answer = send(&server, &[("content-encoding", "gzip")], gzip(&text[..4 << 20])).await;
    assert_eq!(answer.problem(), "503 busy");
    drop(held);
    assert_eq!(server.door.bodies.available_permits(), units);
}

#[tokio::test]
async fn content_types_are_known_or_refused() {
    let server = Server::new();
    let kind = |kind: &'static str| [("content-type", kind)];
    let one = r#"{"type":"a.b"}"#;
    assert_eq!(send(&server, &kind("application/json"), one).await.told(), "200 1 0");
    assert_eq!(send(&server, &kind("application/x-www-form-urlencoded"), one).await.told(), "200 1 0");
    assert_eq!(send(&server, &kind("application/json"), format!("{one}\n{one}")).await.told(), "200 2 0");
    assert_eq!(send(&server, &kind("application/x-ndjson"), format!("{one}\n{one}")).await.told(), "200 2 0");
    assert_eq!(
        send(&server, &kind("application/x-ndjson"), format!("[{one}]")).await.told(),
        "400 0 0 0:wrong_type@"
    );
    for unknown in ["text/plain", "application/xml", "application/json; charset=utf-16"] {
        let answer = send(&server, &kind(unknown), one).await;
        assert_eq!(answer.problem(), "415 media_type", "{unknown}");
        assert!(answer.header("accept").starts_with("application/json"));
    }
}

#[tokio::test]
async fn cloudevents_are_recorded_once_for_each_source() {
    let server = Server::new();
    let event = |source: &str, id: &str| {
        format!(
            r#"{{"specversion":"1.0","type":"com.example.thing","source":"{source}","id":"{id}","subject":"s","data":{{"n":1}}}}"#
        )
    };
    let single = [("content-type", "application/cloudevents+json")];
    let batch = [("content-type", "application/cloudevents-batch+json; charset=utf-8")];
    assert_eq!(send(&server, &single, event("/a", "1")).await.told(), "200 1 0");
    assert_eq!(send(&server, &single, event("/a", "1")).await.told(), "200 0 1");
    let body = format!("[{},{},{{}}]", event("/a", "1"), event("/b", "1"));
    assert_eq!(send(&server, &batch, body).await.told(), "200 1 1 2:bad_value@/specversion");
    assert_eq!(send(&server, &batch, event("/a", "1")).await.problem(), "400 wrong_type");
    let answer = server.get("/v1/events?type=com.example.thing").await;
    let event = answer.json();
    let event = event.pointer("/events/0").unwrap();
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
    assert_eq!(
        (text("/type"), text("/producer"), text("/source_id")),
        ("com.example.thing".into(), "/b".into(), "1".into())
    );
    assert_eq!(event.pointer("/attributes/data/n").and_then(Value::as_i64), Some(1));
}
