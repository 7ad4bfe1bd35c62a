//! Who gets in, and what is said to those who do not.

use super::*;
use crate::routes::ROUTES;

#[tokio::test]
async fn every_route_but_the_open_ones_needs_the_token() {
    let server = Server::new();
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
            match route.open {
                true => assert_eq!(answer.status, 200, "{path} {header:?}"),
                false => {
                    assert_eq!(answer.problem(), "401 unauthorized", "{path} {header:?}");
                    assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"indelible\"");
                }
            }
        }
        assert_ne!(ask(Some(&right)).await.status, 401, "{path}");
    }
    for (method, path) in [("GET", "/"), ("GET", "/v1"), ("DELETE", "/v1/events"), ("GET", "/healthz/")] {
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
    assert_eq!(answer.header("allow"), "POST,GET,HEAD");
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
    assert_eq!(answer.header("retry-after"), "5");
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

    let packed = with_token("POST", "/v1/events").header("content-encoding", "gzip");
    assert_eq!(server.send(packed.body(Body::from("{}")).unwrap()).await.problem(), "415 encoding");
}

#[tokio::test]
async fn a_body_that_would_fill_the_memory_as_values_is_refused() {
    let server = Server::with(Limits { trees_bytes: 1 << 20, ..Limits::default() });
    let dense = format!("{{\"type\":\"a.b\",\"attributes\":{{\"x\":[{}1]}}}}", "[],".repeat(40_000));
    assert_eq!(server.post(dense).await.problem(), "413 too_large");
    assert_eq!(server.post(r#"{"type":"a.b"}"#).await.status, 200);
}
