//! What the server tells of itself: its metrics and its documents.

use std::collections::BTreeMap;

use super::*;

/// Samples by name and labels; the form is checked.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let mut types: BTreeMap<&str, &str> = BTreeMap::new();
    let mut samples = BTreeMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(types.insert(name, kind).is_none(), "{name} is declared twice");
        } else if !line.starts_with("# HELP ") {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let family = name.split('{').next().unwrap();
            let bare = ["_bucket", "_sum", "_count"].iter().find_map(|end| family.strip_suffix(end));
            let kind = types.get(family).or(bare.and_then(|name| types.get(name))).expect(line);
            assert_eq!(*kind == "counter", family.ends_with("_total"), "{line}");
            assert!(
                samples.insert(name.to_owned(), value.parse().unwrap()).is_none(),
                "{line} is there twice"
            );
        }
    }
    assert!(text.ends_with('\n'));
    samples
}

#[tokio::test]
async fn what_happened_is_counted() {
    let more =
        Arc::new(|| "# TYPE indelible_view_lag gauge\nindelible_view_lag{view=\"index\"} 3\n".to_owned());
    let server = Server::serving(Serving { more_metrics: Some(more), ..Serving::default() });
    let body = r#"[{"type":"a.b","source_id":"1"},{"type":"a.b","source_id":"1"},{}]"#;
    assert_eq!(server.post(body).await.status, 200);
    assert_eq!(server.post(r#"{"type":"a.c","source_id":"1"}"#).await.status, 409);
    server.get("/secret-path?token=x").await;
    server.ask("BREW", "/v1/events", "").await;
    server.send(Request::builder().uri("/v1/events").body(Body::empty()).unwrap()).await;
    let held = server.door.bodies.clone().try_acquire_many_owned(64).unwrap();
    let answer = server.get("/metrics").await;
    drop(held);
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let samples = samples(&answer.text);
    let check =
        |name: &str, expect: f64| assert_eq!(samples.get(name), Some(&expect), "{name}\n{}", answer.text);
    check("indelible_http_requests_total{method=\"POST\",route=\"/v1/events\",status=\"2xx\"}", 1.0);
    check("indelible_http_requests_total{method=\"POST\",route=\"/v1/events\",status=\"4xx\"}", 1.0);
    check("indelible_http_requests_total{method=\"GET\",route=\"/v1/events\",status=\"4xx\"}", 1.0);
    check("indelible_http_requests_total{method=\"\",route=\"none\",status=\"4xx\"}", 2.0);
    check("indelible_http_request_duration_seconds_count{method=\"POST\",route=\"/v1/events\"}", 2.0);
    check(
        "indelible_http_request_duration_seconds_bucket{method=\"POST\",route=\"/v1/events\",le=\"+Inf\"}",
        2.0,
    );
    check("indelible_http_received_bytes_total", (body.len() + 30) as f64);
    check("indelible_http_events_total{outcome=\"accepted\"}", 1.0);
    check("indelible_http_events_total{outcome=\"duplicate\"}", 1.0);
    check("indelible_http_events_total{outcome=\"conflict\"}", 1.0);
    check("indelible_http_events_total{outcome=\"refused\"}", 1.0);
    check("indelible_http_bodies_bytes", 65_536.0);
    check("indelible_http_connections", 0.0);
    check("indelible_http_limited_total{policy=\"key\"}", 0.0);
    check("indelible_view_lag{view=\"index\"}", 3.0);
    assert!(!answer.text.contains("secret") && !answer.text.contains("BREW"));
}

#[tokio::test]
async fn latencies_fall_into_buckets() {
    let server = Server::new();
    let metrics = &server.door.metrics;
    for micros in [0, 500, 501, 2_000_000, 60_000_000] {
        metrics.answered(Some(0), StatusCode::OK, Duration::from_micros(micros));
    }
    let answer = server.get("/metrics").await;
    let samples = samples(&answer.text);
    let name = "indelible_http_request_duration_seconds";
    let labels = "method=\"POST\",route=\"/v1/events\"";
    let bucket = |end: &str| samples[&format!("{name}_bucket{{{labels},le=\"{end}\"}}")];
    assert_eq!(["0.0005", "0.001", "1", "2.5", "10", "+Inf"].map(bucket), [2.0, 3.0, 3.0, 4.0, 4.0, 5.0]);
    assert_eq!(samples[&format!("{name}_sum{{{labels}}}")], 62.001001);
}

#[tokio::test]
async fn documents_are_open_to_everybody() {
    let server = Server::new();
    let get = async |path: &str| server.send(Request::builder().uri(path).body(Body::empty()).unwrap()).await;
    let answer = get("/openapi.json").await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.json(), crate::openapi());
    let answer = get("/docs").await;
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert!(answer.header("content-security-policy").starts_with("default-src 'none'; style-src 'self';"));
    assert_eq!(answer.header("x-frame-options"), "DENY");
    assert_eq!(get("/docs/app.css").await.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(get("/metrics").await.problem(), "401 unauthorized");
}

#[tokio::test]
async fn every_route_answers_what_the_document_says() {
    let server = Server::new();
    server.post(r#"{"type":"a.b","source_id":"1"}"#).await;
    let document = crate::openapi();
    for route in crate::ROUTES {
        let path = route.path.replace("{id}", "1");
        let request = with_token(route.method, &path).body(Body::from("[]")).unwrap();
        let response = server.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let pointer = format!(
            "/paths/{}/{}/responses/{status}",
            route.path.replace('/', "~1"),
            route.method.to_ascii_lowercase()
        );
        let said = document.pointer(&pointer).unwrap_or_else(|| panic!("{pointer}"));
        if status == 204 {
            continue;
        }
        let kind = response.headers()["content-type"].to_str().unwrap().split(';').next().unwrap();
        if let Some(content) = said.get("content").and_then(Value::as_object) {
            assert!(content.get(kind).is_some(), "{pointer} {kind}");
        } else {
            let theirs = matches!(route.tag, "litellm" | "bifrost") && status != 501;
            let problem = if theirs { "application/json" } else { "application/problem+json" };
            assert_eq!(kind, problem, "{pointer}");
        }
    }
}
