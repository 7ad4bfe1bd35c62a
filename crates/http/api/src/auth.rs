//! Who is asking? One administrator, for now, by a bearer token.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::door::Door;
use crate::problem::Problem;
use crate::routes::is_open;

/// What is kept of a token: [`indelible::Indelible::token_hash`].
pub type TokenHash = [u8; 32];

/// Stands before every route, and before the answer that there is none.
pub(crate) async fn guard(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    // The route, not the path: strangers put anything into a path, tokens too.
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let mut response = match check(&door, &request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    tracing::debug!(%method, route, status = response.status().as_u16(), "answered");
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn check(door: &Door, request: &Request) -> Result<(), Problem> {
    if is_open(request.uri().path()) {
        return Ok(());
    }
    if !is_admin(door, request.headers()) {
        let detail = "send the token as `authorization: Bearer …`";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail));
    }
    if door.is_draining() {
        return Err(Problem::busy("the server is stopping; send it again", 5000));
    }
    Ok(())
}

fn is_admin(door: &Door, headers: &HeaderMap) -> bool {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let (Some(header), None) = (given.next(), given.next()) else { return false };
    let Some((scheme, token)) = header.to_str().ok().and_then(|text| text.split_once(' ')) else {
        return false;
    };
    // Two keyed hashes: how long the comparison takes says nothing about either token.
    scheme.eq_ignore_ascii_case("bearer") && door.product.token_hash(token.trim()) == door.admin
}
