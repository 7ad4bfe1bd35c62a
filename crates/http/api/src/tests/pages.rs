//! Pages beside the API: what the door does for them, and what a session of theirs may ask of the API.

use axum::http::HeaderValue;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::net::IpAddr;

use super::*;
use crate::pages::Pages;
use crate::rates::Rate;

/// The cookie is the session's name, and nothing else is in it.
fn session(headers: &HeaderMap, is_https: bool) -> Option<String> {
    let cookie = headers.get("cookie").and_then(|value| value.to_str().ok())?;
    (!is_https).then(|| cookie.to_owned())
}

fn refuse(status: StatusCode, seconds: Option<u64>) -> Response {
    format!("<p>{status} {seconds:?}").into_response()
}

fn server(limits: Limits) -> Server {
    let router = Router::new()
        .route("/page", get(async |address: axum::Extension<IpAddr>| format!("<p>for {}", address.0)))
        .route("/wrong", get(async || (StatusCode::UNAUTHORIZED, "<p>wrong key")));
    let pages = Pages { router, session, refuse, stopping: Arc::default() };
    Server::serving(Serving { limits, pages: Some(pages), ..Serving::default() })
}

async fn ask(server: &Server, method: &str, path: &str, headers: &[(&'static str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, HeaderValue::from_str(value).unwrap());
    }
    server.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_session_may_ask_what_changes_nothing_and_only_from_our_own_pages() {
    let server = server(Limits::default());
    assert_eq!(server.post(r#"{"type":"a.b","source_id":"1"}"#).await.status, 200);
    server.product.ledger("default").unwrap().sign().unwrap();
    let session = server.product.sign_in(TOKEN, None).unwrap();
    let cookie = ("cookie", session.as_str());
    let status = async |method: &str, path: &str, headers: &[(&'static str, &str)]| {
        ask(&server, method, path, headers).await.status.as_u16()
    };
    for path in ["/v1/events", "/v1/events/export", "/v1/events/1/proof", "/v1/whoami"] {
        assert_eq!(status("GET", path, &[cookie]).await, 200, "{path}");
        assert_eq!(status("GET", path, &[cookie, ("sec-fetch-site", "same-origin")]).await, 200, "{path}");
        assert_eq!(status("GET", path, &[cookie, ("sec-fetch-site", "cross-site")]).await, 401, "{path}");
        assert_eq!(status("GET", path, &[cookie, ("sec-fetch-site", "same-site")]).await, 401, "{path}");
        assert_eq!(status("GET", path, &[("cookie", "0123")]).await, 401, "{path}");
        // A key that is sent along is what counts, also if it is wrong.
        assert_eq!(status("GET", path, &[cookie, ("authorization", "Bearer nobody")]).await, 401, "{path}");
    }
    for (method, path) in [("POST", "/v1/events"), ("POST", "/v1/keys"), ("DELETE", "/v1/users/x")] {
        assert_eq!(status(method, path, &[cookie, ("sec-fetch-site", "same-origin")]).await, 401, "{path}");
    }
    server.product.sign_out(&session, None).unwrap();
    assert_eq!(status("GET", "/v1/events", &[cookie]).await, 401);
}

#[tokio::test]
async fn people_are_turned_away_in_words_for_people() {
    let few = Rate { quota: 2, window: Duration::from_secs(60) };
    let server = server(Limits { login_rate: few, ..Limits::default() });
    let html = ("accept", "text/html,*/*");
    let page = ask(&server, "GET", "/page", &[]).await;
    assert_eq!((page.status.as_u16(), page.text.as_str()), (200, "<p>for 0.0.0.0"));
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    let nothing = ask(&server, "GET", "/nothing", &[html]).await;
    assert_eq!((nothing.status.as_u16(), nothing.text.as_str()), (404, "<p>404 Not Found None"));
    assert_eq!(ask(&server, "GET", "/nothing", &[]).await.problem(), "401 unauthorized", "a program");
    assert_eq!(ask(&server, "GET", "/v1/events", &[html]).await.problem(), "401 unauthorized", "no page");
    // The program's wrong key and the page's are counted together.
    let wrong = ask(&server, "GET", "/wrong", &[]).await;
    assert_eq!(wrong.status.as_u16(), 429, "{}", wrong.text);
    assert!(wrong.text.starts_with("<p>429") && !wrong.header("retry-after").is_empty(), "{}", wrong.text);
    server.door.drain();
    let stopping = &server.door.pages.as_ref().unwrap().stopping;
    assert!(stopping.load(Ordering::Relaxed), "whoever follows is told");
    assert_eq!(ask(&server, "GET", "/page", &[]).await.text, "<p>503 Service Unavailable Some(5)");
}
