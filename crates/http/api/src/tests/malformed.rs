//! Whatever is sent: an answer, and never one that says that something broke.

use std::collections::BTreeMap;

use super::matrix::wide;
use super::*;
use crate::routes::ROUTES;

/// Numbers that look random, and are the same each time.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, n: usize) -> usize {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % n
    }

    pub(super) fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.below(from.len())]
    }
}

fn values() -> Vec<String> {
    let mut values: Vec<String> = [
        "",
        "0",
        "-1",
        "1",
        "1.5",
        "1e9",
        "18446744073709551616",
        "%00",
        "%ff",
        "%F0%9F%92%A9",
        "%2A",
        "..%2F..",
        "'",
        "%22",
        "type:",
        "type:(",
        "NOT",
        "((((",
        "a:b:c",
        "actor.id:*",
        "content.x:1",
        "2026-01-01T00:00:00Z",
        "2026-99-99T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "1s",
        "9999w",
        "0d",
        "d",
        "true",
        "null",
        "csv",
        "proved",
        "time",
        "actor.id",
        "llm.cost",
        "type,type,type",
        ",,,",
        "system",
        "default",
        "DEFAULT",
        "_",
        "view_0",
        "1_1",
        "-9223372036854775808_18446744073709551615",
        "00000000-0000-0000-0000-000000000000",
    ]
    .map(str::to_owned)
    .into();
    values.push("x".repeat(5000));
    values.push("(".repeat(2000));
    values.push("NOT%20".repeat(600));
    values.push("a%20OR%20".repeat(400));
    values
}

fn bodies() -> Vec<Vec<u8>> {
    let mut bodies: Vec<Vec<u8>> = [
        "", " ", "{", "[", "null", "[]", "{}", "\"\"", "0", "[[]]", "[{}]", "{\"type\":\"a.b\"}", "{\"text\":\"x\"}",
        "{\"type\":\"a\",\"type\":\"b\"}", "{\"name\":null}", "{\"name\":1e999}", "{\"name\":\"\\ud800\"}",
        "{\"overlap_seconds\":1.5}", "{\"overlap_seconds\":99999999999}", "\u{feff}{}", "{}\0", "{} {}",
        "{\"name\":\"\\u0000\",\"organisation\":\"*\",\"role\":\"admin\"}",
        "{\"name\":\"n\",\"organisation\":\"*\",\"role\":\"admin\",\"scopes\":[]}",
        "{\"name\":\"n\",\"organisation\":\"default\",\"role\":\"admin\",\"expires\":\"2999-01-01T00:00:00Z\"}",
        "{\"id\":\"\",\"name\":\"\"}", "{\"id\":\"../..\",\"name\":\"x\"}", "{\"id\":\"system\",\"name\":\"x\"}",
        "{\"name\":\"v\",\"filter\":\"\"}", "{\"name\":\"v\",\"filter\":\"((\",\"shared\":7}",
        "{\"organisation\":\"*\",\"role\":\"member\"}", "{\"specversion\":\"1.0\"}",
        "{\"event_type\":\"x\",\"timestamp\":7}", "{\"table_name\":1,\"object_id\":{}}",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into();
    bodies.push(b"{\"name\":\"\xff\"}".to_vec());
    bodies.push("[".repeat(100_000).into_bytes());
    bodies.push("{\"a\":".repeat(5000).into_bytes());
    bodies.push(format!("{{\"name\":\"{}\"}}", "x".repeat(40_000)).into_bytes());
    bodies.push(b"\x1f\x8b\x08\x00garbage".to_vec());
    bodies
}

const HEADERS: &[(&str, &[u8])] = &[
    ("content-type", b"application/json"),
    ("content-type", b"application/x-ndjson"),
    ("content-type", b"application/cloudevents+json"),
    ("content-type", b"application/cloudevents-batch+json"),
    ("content-type", b"\xff"),
    ("content-type", b"text/html"),
    ("content-encoding", b"gzip"),
    ("content-encoding", b"zstd"),
    ("content-encoding", b"deflate"),
    ("content-encoding", b"br"),
    ("content-length", b"18446744073709551615"),
    ("content-length", b"x"),
    ("idempotency-key", b""),
    ("idempotency-key", b"one"),
    ("idempotency-key", b"\xff"),
    ("last-event-id", b"x"),
    ("last-event-id", b"18446744073709551615"),
    ("accept", b"application/vnd.c2sp.tlog-proof"),
    ("accept", b"\xff,;;,"),
    ("authorization", b"Bearer"),
    ("x-forwarded-for", b"1.2.3.4, x, ::"),
    ("range", b"bytes=0-1"),
    ("expect", b"100-continue"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_sent_breaks_anything() {
    let server = Server::with(wide());
    assert_eq!(server.post(r#"{"type":"a.b","source_id":"1","actor":{"id":"a"}}"#).await.status, 200);
    server.product.ledger("default").unwrap().sign().unwrap();
    server.post("{}").await;
    let (values, bodies) = (values(), bodies());
    let mut dice = Dice(0x1234_5678_9ABC_DEF1);
    let rounds = if std::env::var_os("INDELIBLE_LONG").is_some() { 20_000 } else { 3000 };
    let mut statuses = BTreeMap::<u16, u32>::new();
    for round in 0..rounds {
        let route =
            &ROUTES[if round < 4 * ROUTES.len() { round % ROUTES.len() } else { dice.below(ROUTES.len()) }];
        let id = dice.pick(&values).clone();
        let mut path = route.path.replace("{id}", if id.is_empty() { "1" } else { &id });
        let mut sign = '?';
        for parameter in route.parameters.iter().filter(|one| one.place == "query") {
            if dice.below(3) == 0 {
                path += &format!("{sign}{}={}", parameter.name, dice.pick(&values));
                sign = '&';
            }
        }
        if dice.below(20) == 0 {
            path += &format!("{sign}{}", dice.pick(&values));
        }
        let mut request = Request::builder().method(route.method).uri(&path);
        if dice.below(20) > 0 {
            request = request.header("authorization", format!("Bearer {TOKEN}"));
        }
        for _ in 0..dice.below(3) {
            let (name, value) = dice.pick(HEADERS);
            request = request.header(*name, *value);
        }
        let mut body = dice.pick(&bodies).clone();
        if dice.below(4) == 0 && !body.is_empty() {
            let at = dice.below(body.len());
            body[at] = dice.below(256) as u8;
        }
        let Ok(request) = request.body(Body::from(body)) else { continue };
        let response = server.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let what = format!("{} {path}", route.method);
        let theirs = matches!(route.tag, "litellm" | "bifrost" | "splunk");
        assert!(status < 500 || status == 503 || theirs && status == 501, "{what}: {status}");
        *statuses.entry(status).or_default() += 1;
        let kind = response.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
        if status >= 400 && route.path != "/readyz" {
            // Neighbours say it in their own words, but for what can't be done yet, or no route is found for; and
            // OpenTelemetry's senders are told in what they speak.
            let others = theirs && ![404, 405, 501].contains(&status);
            let is_otlp =
                route.tag == "record" && route.path.starts_with("/v1/") && route.path != "/v1/events";
            let fits = match kind.as_deref() {
                Some("application/problem+json") => !others,
                Some("application/json") => theirs || is_otlp,
                Some("application/x-protobuf") => is_otlp,
                _ => false,
            };
            assert!(fits, "{what}: {status} {kind:?}");
        }
        if kind.as_deref() == Some("text/event-stream") {
            continue;
        }
        response.into_body().collect().await.unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    assert!(statuses[&200] > 50 && statuses[&400] > 500, "{statuses:?}");
    assert_eq!(server.get("/v1/events?limit=1").await.status, 200, "it still works");
}
