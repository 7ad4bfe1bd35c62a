//! Who gets in, and what is said to those who do not.

use super::*;
use crate::rates::Rate;
use crate::routes::ROUTES;

#[tokio::test]
async fn every_route_but_the_open_ones_needs_the_token() {
    let many = Rate { quota: 10_000, window: Duration::from_secs(1) };
    let server = Server::with(Limits { login_rate: many, ..Limits::default() });
    let right = format!("bearer  {TOKEN}");
    let wrong = [None, Some("Bearer"), Some("Bearer "), Some("Bearer x"), Some("Basic abc"), Some(TOKEN)];
    for route in ROUTES {
        let path = route.path.replace("{id}", "1");
        let ask = async |header: Option<&str>| {
            let request = Request::builder().method(route.method).uri(&path);
            let request = header.iter().fold(request, |r, header| r.header("authorization", *header));
            server.send(request.body(Body::empty()).unwrap()).await
        };
        for header in wrong {
            let answer = ask(header).await;
            match !route.needs.key() {
                true => assert_eq!(answer.status.as_u16(), 200, "{path} {header:?}"),
                false if route.tag == "splunk" => {
                    let expect = if header == Some("Bearer x") { 403 } else { 401 };
                    assert_eq!(answer.status, expect, "{path} {header:?}");
                }
                false => {
                    match route.tag {
                        "litellm" | "bifrost" => assert_eq!(answer.status, 401, "{path} {header:?}"),
                        _ => assert_eq!(answer.problem(), "401 unauthorized", "{path} {header:?}"),
                    }
                    assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"indelible\"");
                }
            }
        }
        assert!(![401, 403].contains(&ask(Some(&right)).await.status.as_u16()), "{path}");
    }
    for (method, path) in [("GET", "/v1"), ("DELETE", "/v1/events"), ("GET", "/healthz/")] {
        let answer =
            server.send(Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.problem(), "401 unauthorized", "{method} {path}");
    }
    let twice = with_token("GET", "/v1/checkpoint").header("authorization", format!("Bearer {TOKEN}"));
    assert_eq!(server.send(twice.body(Body::empty()).unwrap()).await.status, 401);
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let server = Server::new();
    assert_eq!(server.get("/nowhere").await.problem(), "404 not_found");
    let answer = server.ask("DELETE", "/v1/events", "").await;
    assert_eq!(answer.problem(), "405 method_not_allowed");
    assert_eq!(answer.header("allow"), "POST,GET,HEAD,OPTIONS");
    assert_eq!(server.get("/v1/events/%ff").await.problem(), "400 path");
    for path in ["/healthz", "/nowhere", "/v1/events"] {
        let answer = server.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn a_server_that_stops_says_so() {
    let server = Server::new();
    assert_eq!(server.get("/healthz").await.text, r#"{"status":"ok"}"#);
    server.door.drain();
    let answer = server.get("/healthz").await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (503, r#"{"status":"draining"}"#));
    let answer = server.post(r#"{"type":"a.b"}"#).await;
    assert_eq!(answer.problem(), "503 busy");
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((5..=7).contains(&wait), "{wait}");
}

#[tokio::test]
async fn bodies_are_bounded_one_by_one_and_together() {
    let mib = 1 << 20;
    let limits = Limits { events_body_bytes: mib, bodies_bytes: 2 * mib, ..Limits::default() };
    let server = Server::with(limits);
    let body = |bytes: usize| vec![b' '; bytes];
    assert_eq!(server.post(body(mib)).await.problem(), "400 syntax");
    assert_eq!(server.post(body(mib + 1)).await.problem(), "413 too_large");
    // By its own account, before a byte is read.
    let large = with_token("POST", "/v1/events").header("content-length", "99999999999");
    assert_eq!(server.send(large.body(Body::empty()).unwrap()).await.problem(), "413 too_large");

    let held = server.door.bodies.clone().try_acquire_many_owned(1536).unwrap();
    assert_eq!(server.post(r#"{"type":"a.b"}"#).await.status, 200);
    let answer = server.post(body(mib)).await;
    assert_eq!(answer.problem(), "503 busy");
    assert_eq!(answer.header("retry-after"), "1");
    let announced = with_token("POST", "/v1/events").header("content-length", "1000000");
    assert_eq!(server.send(announced.body(Body::empty()).unwrap()).await.problem(), "503 busy");
    drop(held);
    assert_eq!(server.post(body(mib)).await.problem(), "400 syntax");
    assert_eq!(server.door.bodies.available_permits(), 2048, "what was claimed is given back");
}

#[tokio::test]
async fn a_body_that_would_fill_the_memory_as_values_is_refused() {
    let server = Server::with(Limits { trees_bytes: 1 << 20, ..Limits::default() });
    let dense = format!("{{\"type\":\"a.b\",\"attributes\":{{\"x\":[{}1]}}}}", "[],".repeat(40_000));
    assert_eq!(server.post(dense).await.problem(), "413 too_large");
    assert_eq!(server.post(r#"{"type":"a.b"}"#).await.status, 200);
}

#[tokio::test]
async fn a_key_and_an_address_may_ask_so_often() {
    let rate = |quota| Rate { quota, window: Duration::from_secs(60) };
    let limits = Limits { key_rate: rate(3), address_rate: rate(5), ..Limits::default() };
    let server = Server::with(limits);
    let answer = server.get("/v1/events").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("ratelimit-policy"), "\"key\";q=3;w=60");
    assert_eq!(answer.header("ratelimit"), "\"key\";r=2;t=20");
    assert_eq!(server.get("/v1/events").await.status, 200);
    assert_eq!(server.post(r#"{"type":"a.b"}"#).await.status, 200);
    let answer = server.get("/v1/events").await;
    assert_eq!(answer.problem(), "429 rate_limited");
    assert_eq!(answer.header("ratelimit"), "\"key\";r=0;t=60");
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((20..=31).contains(&wait), "{wait}");
    // A client that would lose what it sent is told to come back instead.
    let answer = server.ask("POST", "/ingest/litellm", "[]").await;
    assert_eq!(answer.problem(), "503 busy");
    // Health costs nothing; everything else comes from one address.
    assert_eq!(server.get("/healthz").await.status, 200);
    let answer = server.get("/docs").await;
    assert_eq!(
        (answer.problem().as_str(), answer.header("ratelimit-policy")),
        ("429 rate_limited", "\"address\";q=5;w=60")
    );
    server.pass(20_000);
    assert_eq!(server.get("/v1/events").await.status, 200);
    assert_eq!(server.get("/v1/events").await.status, 429);
    let told = server.door.metrics.clone();
    assert_eq!(told.limited_by("key"), 2);
    assert_eq!(told.limited_by("address"), 2);
}

#[tokio::test]
async fn guessing_tokens_is_slow_and_locks_nobody_out() {
    let limits =
        Limits { login_rate: Rate { quota: 2, window: Duration::from_secs(60) }, ..Limits::default() };
    let server = Server::with(limits);
    let guess = async || {
        let request = Request::builder().uri("/v1/events").header("authorization", "Bearer guess");
        server.send(request.body(Body::empty()).unwrap()).await.problem()
    };
    assert_eq!(guess().await, "401 unauthorized");
    assert_eq!(guess().await, "401 unauthorized");
    assert_eq!(guess().await, "429 rate_limited");
    assert_eq!(server.get("/v1/events").await.status, 200);
    server.pass(30_000);
    assert_eq!(guess().await, "401 unauthorized");
}

#[tokio::test]
async fn clients_behind_a_proxy_are_told_apart_only_if_it_is_trusted() {
    let ask = async |server: &Server, peer: &str, forwarded: &str| {
        let mut request = with_token("GET", "/v1/events").header("x-forwarded-for", forwarded);
        let peer = std::net::SocketAddr::new(peer.parse().unwrap(), 9);
        request.extensions_mut().unwrap().insert(crate::proxies::Peer(peer));
        server.send(request.body(Body::empty()).unwrap()).await.status.as_u16()
    };
    let limits =
        || Limits { address_rate: Rate { quota: 1, window: Duration::from_secs(60) }, ..Limits::default() };
    let trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    let server = Server::serving(Serving { limits: limits(), trusted_proxies, ..Serving::default() });
    assert_eq!(ask(&server, "10.0.0.1", "203.0.113.1").await, 200);
    assert_eq!(ask(&server, "10.0.0.1", "203.0.113.2").await, 200);
    assert_eq!(ask(&server, "10.0.0.2", "203.0.113.2").await, 429);
    assert_eq!(ask(&server, "192.0.2.1", "203.0.113.3").await, 200);
    assert_eq!(ask(&server, "192.0.2.1", "203.0.113.4").await, 429, "a stranger may not choose who it is");
    let server = Server::with(limits());
    assert_eq!(ask(&server, "10.0.0.1", "203.0.113.1").await, 200);
    assert_eq!(ask(&server, "10.0.0.1", "203.0.113.2").await, 429);
}
