//! The pages as browsers see them: requests in, pages out, over a product in a folder of its own.

mod admin;
mod door;
mod hostile;
mod matrix;
mod overview;
mod pages;
mod timeline;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use access::{AllowList, Reach, Role, Viewer};
use axum::Router;
use axum::body::Body;
use axum::http::uri::Scheme;
use axum::http::{HeaderMap, Request, StatusCode};
use event::{Event, Limits, json};
use http_body_util::BodyExt;
use indelible::{Indelible, NewKey, Sender, Settings};
use ledger::io::OsIo;
use tempfile::TempDir;
use tower::ServiceExt;

use crate::desk::Desk;
use crate::routes::pages;

struct Site {
    _dir: TempDir,
    product: Arc<Indelible>,
    router: Router,
    command: Viewer,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
    bytes: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The value of a cookie that is set, with its attributes.
    fn cookie(&self, name: &str) -> Option<String> {
        let set = self.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
        set.filter_map(|value| value.strip_prefix(&format!("{name}="))).next_back().map(str::to_owned)
    }
}

/// Somebody's browser: what it sends with every request.
#[derive(Clone, Default)]
struct Browser {
    session: String,
    form: String,
}

impl Site {
    fn new() -> Site {
        let dir = TempDir::new().unwrap();
        let settings = Settings::new(dir.path().join("data"));
        let product = Arc::new(Indelible::open(Arc::new(OsIo::new()), settings).unwrap());
        let router = pages(Desk::new(product.clone(), None, Arc::new(AtomicBool::new(false))));
        Site { _dir: dir, product, router, command: Viewer::command("test") }
    }

    fn key(&self, reach: Reach, role: Role, user: Option<&str>) -> (String, String) {
        let new = NewKey {
            name: role.name().to_owned(),
            organisation: reach,
            role,
            scopes: None,
            user: user.map(str::to_owned),
            expires_ms: None,
            ip_allow: AllowList::default(),
        };
        let (key, secret) = self.product.create_key(&self.command, new).unwrap();
        (key.key_id, secret)
    }

    fn record(&self, organisation: &str, events: &[&str]) {
        let parse = |text: &&str| {
            let value = json::parse(text.as_bytes(), &Limits::default()).unwrap().into_owned();
            Event::from_value(value, &Limits::default()).unwrap_or_else(|e| panic!("{e}: {text}"))
        };
        let events = events.iter().map(parse).collect();
        self.product.record(events, &Sender::local(organisation)).unwrap();
    }

    /// A session of whoever has the key.
    fn browser(&self, secret: &str) -> Browser {
        let session = self.product.sign_in(secret, Some(IpAddr::from([192, 0, 2, 9]))).unwrap();
        Browser { form: self.product.form_token(&session).unwrap(), session }
    }

    /// A session of somebody with this role everywhere.
    fn somebody(&self, role: Role) -> Browser {
        self.browser(&self.key(Reach::All, role, None).1)
    }

    async fn send(&self, mut request: Request<Body>) -> Answer {
        request.extensions_mut().insert(IpAddr::from([192, 0, 2, 9]));
        if request.headers().contains_key("x-test-https") {
            request.extensions_mut().insert(Scheme::HTTPS);
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let is_stream = head.headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
        let bytes = if is_stream { Default::default() } else { body.collect().await.unwrap().to_bytes() };
        Answer {
            status: head.status,
            headers: head.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
            bytes: bytes.to_vec(),
        }
    }

    async fn get(&self, browser: &Browser, path: &str) -> Answer {
        let request = Request::get(path).header("cookie", format!("indelible={}", browser.session));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn post(&self, browser: &Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_with(browser, path, fields, &[("sec-fetch-site", "same-origin")]).await
    }

    async fn post_with(
        &self,
        browser: &Browser,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Answer {
        let encode = crate::question::encode;
        let body: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let mut request = Request::post(path)
            .header("host", "audit.test")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("cookie", format!("indelible={}", browser.session));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body.join("&"))).unwrap()).await
    }
}
