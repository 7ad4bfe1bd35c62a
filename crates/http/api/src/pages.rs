//! Pages for people, beside the API. Another crate makes them; this one serves them through the same door: the same
//! limits, the same count of requests, the same stop.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::header::ACCEPT;
use axum::http::uri::Scheme;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;

use crate::routes::ROUTES;

/// Pages, and what the door has to know of them.
#[derive(Clone)]
pub struct Pages {
    /// Their routes; none may be in the table of the API. Among the extensions of a request a handler finds who the
    /// client is, as an [`IpAddr`], and how it came, as a [`Scheme`]. They ask by themselves who it is.
    /// An answer of 401 is counted as a wrong key.
    pub router: Router,
    /// The name of the session that a request came with, if it came by `https` or not. Whoever has one may ask the API
    /// what is asked with `GET`, so that a page can link to an export or a proof.
    pub session: fn(&HeaderMap, bool) -> Option<String>,
    /// What a person is told who is turned away, with the seconds to wait; in the place of a problem in JSON.
    pub refuse: fn(StatusCode, Option<u64>) -> Response,
    /// Set when the server begins to stop: what is followed is to end.
    pub stopping: Arc<AtomicBool>,
}

impl Pages {
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether a person asks, and not a program: for a page, or for nothing there is, with a browser.
    pub(crate) fn are_asked(request: &Request) -> bool {
        match request.extensions().get::<MatchedPath>() {
            Some(path) => is_page(path.as_str()),
            None => {
                let accept = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok());
                request.method() == Method::GET && accept.is_some_and(|accept| accept.contains("text/html"))
            }
        }
    }

    /// Tells a page's handler who asks, and how.
    pub(crate) fn introduce(request: &mut Request, address: IpAddr, is_https: bool) {
        let scheme = if is_https { Scheme::HTTPS } else { Scheme::HTTP };
        request.extensions_mut().insert(address);
        request.extensions_mut().insert(scheme);
    }

    /// The session of a request to the API. Only what changes nothing may be asked with it, and only by our own pages:
    /// browsers say which page a request is from.
    pub(crate) fn session_for_api(&self, request: &Request, is_https: bool) -> Option<String> {
        let site = request.headers().get("sec-fetch-site").map(|site| site.as_bytes());
        let is_ours = matches!(site, None | Some(b"same-origin" | b"none"));
        let changes_nothing = matches!(*request.method(), Method::GET | Method::HEAD);
        (is_ours && changes_nothing).then(|| (self.session)(request.headers(), is_https))?
    }
}

/// Whether a route that there is belongs to the pages.
fn is_page(matched: &str) -> bool {
    !ROUTES.iter().any(|route| route.path == matched)
}
