//! Who is asking, and how often? Whoever has a key, by a bearer token, or by a session on our own pages.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, RETRY_AFTER, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use access::Viewer;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use indelible::AuthError;
use sha2::{Digest, Sha256};

use crate::dialect::Dialect;
use crate::door::Door;
use crate::hec;
use crate::otlp;
use crate::pages::Pages;
use crate::problem::Problem;
use crate::proxies::{client, is_https};
use crate::rates::{Rates, Taken, jittered, neighbourhood};
use crate::routes::{self, ROUTES};

/// Tells one key from another, and nothing else about it.
pub(crate) type KeyHash = [u8; 32];

/// Who asks, for handlers. Put into every request that is let in with a key.
#[derive(Clone)]
pub(crate) struct Caller {
    /// With everything that decides what they may.
    pub(crate) viewer: Arc<Viewer>,
    pub(crate) key: KeyHash,
}

/// Load balancers ask them, often, and from the address that everybody comes from.
const PROBES: [&str; 2] = ["/healthz", "/readyz"];
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LEFT: HeaderName = HeaderName::from_static("ratelimit");

/// Stands before every route, and before the answer that there is none.
pub(crate) async fn guard(State(door): State<Arc<Door>>, mut request: Request, next: Next) -> Response {
    let began = door.now();
    let method = request.method().clone();
    // The route, not the path: strangers put anything into a path, tokens too.
    let path = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let address = client(request.extensions(), request.headers(), &door.trusted_proxies);
    let route = routes::number(&method, &path);
    let sender = route.and_then(|n| otlp::dialect(&ROUTES[n], request.headers()));
    let too_often = route.map_or(StatusCode::TOO_MANY_REQUESTS, |n| ROUTES[n].too_often);
    let dialect = Dialect::of(route.map(|n| &ROUTES[n]));
    let splunk = hec::Asked::of(&request);
    let token = splunk.as_ref().map_or_else(|| dialect.token(request.headers()), hec::Asked::token);
    let is_https = is_https(request.extensions(), request.headers(), &door.trusted_proxies, door.is_secure);
    let person = door.pages.as_ref().filter(|_| Pages::are_asked(&request));
    let mut gate =
        Gate { door: &door, address, is_https, token, too_often, now: began, left: HeaderMap::new() };
    let checked = match person {
        Some(_) => gate.check_person(&mut request),
        None => gate.check(&mut request).await,
    };
    let mut response = match checked {
        Ok(()) => next.run(request).await,
        Err(problem) => refused(problem, dialect, person),
    };
    if person.is_some()
        && response.status() == StatusCode::UNAUTHORIZED
        && let Err(problem) = gate.take(&door.logins, &neighbourhood(address))
    {
        response = refused(problem, dialect, person);
    }
    let left = gate.left;
    let ended = door.now();
    let took = ended.saturating_sub(began);
    door.metrics.answered(route, response.status(), took);
    tracing::debug!(%method, route = path, status = response.status().as_u16(), "answered");
    let headers = response.headers_mut();
    headers.extend(left);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if door.is_secure {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    if let Some(seconds) = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok()) {
        headers.insert(RETRY_AFTER, HeaderValue::from(jittered(seconds, address, ended)));
    }
    match (sender, splunk) {
        (Some(sender), _) => otlp::in_kind(sender, response),
        (None, Some(asked)) => asked.in_kind(response),
        (None, None) => response,
    }
}

/// What is wrong, in words for whoever asks.
fn refused(problem: Problem, dialect: Dialect, person: Option<&Pages>) -> Response {
    let Some(pages) = person else { return dialect.say(problem) };
    let (status, seconds) = problem.told();
    let mut response = (pages.refuse)(status, seconds);
    *response.status_mut() = status;
    if let Some(seconds) = seconds {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// What a request has to get past.
struct Gate<'d> {
    door: &'d Arc<Door>,
    address: IpAddr,
    /// What is shown.
    token: Option<String>,
    is_https: bool,
    /// How one is told that it comes too often.
    too_often: StatusCode,
    now: Duration,
    /// What is left to it, as headers.
    left: HeaderMap,
}

impl Gate<'_> {
    async fn check(&mut self, request: &mut Request) -> Result<(), Problem> {
        let door = self.door;
        let path = request.uri().path();
        if PROBES.contains(&path) {
            return Ok(());
        }
        let neighbourhood = neighbourhood(self.address);
        self.take(&door.addresses, &neighbourhood)?;
        if routes::is_open(request.method(), path) {
            return Ok(());
        }
        let token = self.token.take();
        let session = match &door.pages {
            Some(pages) if token.is_none() && !request.headers().contains_key(AUTHORIZATION) => {
                pages.session_for_api(request, self.is_https)
            }
            _ => None,
        };
        let address = self.address;
        let caller = door
            .blocking(move |product| {
                let viewer = match session {
                    Some(session) => product.session(&session, Some(address)).map(|session| session.viewer),
                    None => product.authenticate(token.as_deref().unwrap_or_default(), Some(address)),
                };
                match viewer {
                    Ok(viewer) => Ok(Some(Caller { key: key_hash(&viewer), viewer: Arc::new(viewer) })),
                    Err(AuthError::Refused(_)) => Ok(None),
                    Err(AuthError::Unavailable(reason)) => {
                        tracing::error!(reason, "nobody can be let in");
                        Err(Problem::busy("keys can't be checked now; try again later", 1000))
                    }
                }
            })
            .await?;
        let Some(caller) = caller else {
            self.take(&door.logins, &neighbourhood)?;
            let detail = "send a key that works as `authorization: Bearer …`";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail));
        };
        let key = caller.key;
        self.take(&door.keys, &key)?;
        if door.is_draining() {
            return Err(Problem::busy("the server is stopping; send it again", 5000));
        }
        request.extensions_mut().insert(caller);
        Ok(())
    }

    /// For a page, which asks by itself who it is; for nothing there is, there is only this.
    fn check_person(&mut self, request: &mut Request) -> Result<(), Problem> {
        self.take(&self.door.addresses, &neighbourhood(self.address))?;
        if request.extensions().get::<MatchedPath>().is_none() {
            return Err(Problem::not_found("there is nothing at this path"));
        }
        if self.door.is_draining() {
            return Err(Problem::busy("the server is stopping; send it again", 5000));
        }
        Pages::introduce(request, self.address, self.is_https);
        Ok(())
    }

    /// Takes a request from a quota. What is told to the client is what was taken from last: its own key, if it has one.
    fn take<K: Eq + std::hash::Hash + Clone>(&mut self, rates: &Rates<K>, client: &K) -> Result<(), Problem> {
        let taken: Taken = rates.take(client, self.now);
        self.left.insert(POLICY, rates.policy());
        self.left.insert(LEFT, rates.left(&taken));
        if taken.is_allowed {
            return Ok(());
        }
        self.door.metrics.limited(rates.name);
        let ms = u64::try_from(taken.retry_after.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
        Err(Problem::limited(self.too_often, ms))
    }
}

fn key_hash(viewer: &Viewer) -> KeyHash {
    Sha256::digest(viewer.key_id.as_deref().unwrap_or(&viewer.id)).into()
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Caller, Problem> {
        let caller = parts.extensions.get::<Caller>().cloned();
        caller.ok_or_else(|| Problem::internal("a route that needs a key was reached without one"))
    }
}
