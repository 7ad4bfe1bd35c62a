//! The table of routes, and the router that is made of it.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};
use indelible::Indelible;

use crate::auth::{TokenHash, guard};
use crate::door::{Door, Limits};
use crate::problem::Problem;
use crate::{litellm, read, record};

/// One thing that can be asked for.
pub struct Route {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Path, with `{names}` of its variable parts.
    pub path: &'static str,
    /// Answered without a token.
    pub open: bool,
    /// What it does, in a line.
    pub about: &'static str,
    handler: fn() -> MethodRouter<Arc<Door>>,
}

/// Everything that can be asked for.
pub const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/healthz",
        open: true,
        about: "whether the server takes requests",
        handler: || get(read::health),
    },
    Route {
        method: "POST",
        path: "/v1/events",
        open: false,
        about: "records one event, an array of them, or one a line",
        handler: || post(record::record),
    },
    Route {
        method: "GET",
        path: "/v1/events",
        open: false,
        about: "events, newest first, filtered by a few fields",
        handler: || get(read::search),
    },
    Route {
        method: "GET",
        path: "/v1/events/{id}",
        open: false,
        about: "one event with its proof, by our id, its position or its sender's id",
        handler: || get(read::one),
    },
    Route {
        method: "GET",
        path: "/v1/events/{id}/proof",
        open: false,
        about: "the proof of one event, as a file to check without us",
        handler: || get(read::proof),
    },
    Route {
        method: "GET",
        path: "/v1/checkpoint",
        open: false,
        about: "the newest signed head of a ledger",
        handler: || get(read::checkpoint),
    },
    Route {
        method: "POST",
        path: "/ingest/litellm",
        open: false,
        about: "records what the `generic_api` callback of a LiteLLM proxy sends",
        handler: || post(litellm::ingest),
    },
];

/// The API over a product, for an administrator with the token of this hash.
pub fn router(product: Arc<Indelible>, admin: TokenHash) -> Router {
    router_of(Door::new(product, admin, Limits::default()))
}

pub(crate) fn router_of(door: Arc<Door>) -> Router {
    let routes =
        ROUTES.iter().fold(Router::new(), |router, route| router.route(route.path, (route.handler)()));
    routes
        .fallback(async || Problem::not_found("there is nothing at this path"))
        .method_not_allowed_fallback(async || {
            let detail = "this path is not asked with this method";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
        })
        .layer(from_fn_with_state(door.clone(), guard))
        .with_state(door)
}

pub(crate) fn is_open(path: &str) -> bool {
    ROUTES.iter().any(|route| route.open && route.path == path)
}
