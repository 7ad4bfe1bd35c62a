//! The table of routes, and the router that is made of it. What the table says of a route is also what
//! `GET /openapi.json` and `GET /docs` say of it.

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};
use indelible::Indelible;

use crate::auth::{TokenHash, guard};
use crate::door::{Door, Settings};
use crate::problem::Problem;
use crate::{docs, litellm, metrics, openapi, read, record, serve, stream};

/// One thing that can be asked for.
pub struct Route {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Path, with `{names}` of its variable parts.
    pub path: &'static str,
    /// Its name in generated clients.
    pub id: &'static str,
    /// What it is about: `record`, `read`, `check` or `run`.
    pub tag: &'static str,
    /// What a caller must be allowed to do. `None`: it is answered without a token.
    pub permission: Option<&'static str>,
    /// What it does, in a line.
    pub about: &'static str,
    /// What may stand in the query, the path and the headers.
    pub parameters: &'static [Parameter],
    /// The body that it takes.
    pub sent: Option<&'static Sent>,
    /// What it answers when all is well.
    pub answers: &'static [Answer],
    /// The statuses of its problems, beside those that every route has.
    pub problems: &'static [u16],
    /// The status of "too often": 429, or 503 where senders understand only that.
    pub(crate) too_often: StatusCode,
    handler: fn() -> MethodRouter<Arc<Door>>,
}

/// What may stand in a query, a path or a header.
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// `query`, `path` or `header`.
    pub place: &'static str,
    /// Its schema, as JSON.
    pub schema: &'static str,
    /// What it says.
    pub about: &'static str,
}

/// A body that is taken.
pub struct Sent {
    /// Media types, and the name of the schema or the schema itself as JSON; the first is the usual one.
    pub media: &'static [(&'static str, &'static str)],
    /// What it says.
    pub about: &'static str,
    /// One, as it is sent in the first media type.
    pub example: &'static str,
}

/// An answer that is no problem.
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Media types, and the name of the schema or the schema itself as JSON.
    pub media: &'static [(&'static str, &'static str)],
    /// What it says.
    pub about: &'static str,
}

const TEXT: &str = r#"{"type":"string"}"#;
const TIME: &str = r#"{"format":"date-time","type":"string"}"#;

const fn parameter(
    name: &'static str,
    place: &'static str,
    schema: &'static str,
    about: &'static str,
) -> Parameter {
    Parameter { name, place, schema, about }
}

const fn answer(media: &'static [(&'static str, &'static str)], about: &'static str) -> Answer {
    Answer { status: 200, media, about }
}

const ORGANISATION: Parameter =
    parameter("organisation", "query", TEXT, "whose ledger; `default` if it is not given");
const ID: Parameter =
    parameter("id", "path", TEXT, "our id of an event, its position, or its sender's own id");
const KEY: Parameter = parameter(
    "Idempotency-Key",
    "header",
    r#"{"maxLength":255,"minLength":1,"type":"string"}"#,
    "a name for this request: sent again within 24 hours, it is answered again and not carried out again",
);
const TYPE: Parameter =
    parameter("type", "query", TEXT, "only events of this type, or with `.*` at its end of these types");
const ACTOR: Parameter =
    parameter("actor", "query", TEXT, "only events whose actor has this id, e-mail address or name");
const STATUS: Parameter = parameter("status", "query", TEXT, "only events with this status");
const FROM: Parameter = parameter("from", "query", TIME, "only events that happened at this time or later");
const TO: Parameter = parameter("to", "query", TIME, "only events that happened before this time");

const EVENTS_SENT: Sent = Sent {
    media: &[
        (
            "application/json",
            r##"{"oneOf":[{"$ref":"#/components/schemas/Event"},{"items":{"$ref":"#/components/schemas/Event"},"type":"array"}]}"##,
        ),
        ("application/x-ndjson", r#"{"description":"one event a line","type":"string"}"#),
        ("application/cloudevents+json", "CloudEvent"),
        (
            "application/cloudevents-batch+json",
            r##"{"items":{"$ref":"#/components/schemas/CloudEvent"},"type":"array"}"##,
        ),
    ],
    about: "One event, an array of them, or one a line: at most 10 000 events and 32 MiB. \
            `Content-Encoding` may be `gzip`, `zstd` or `deflate`.",
    example: r#"{"type":"auth.login","status":"failed","source_id":"7f3c","actor":{"email":"alice@company.com","ip":"203.0.113.42"}}"#,
};

const LITELLM_SENT: Sent = Sent {
    media: &[
        ("application/json", r#"{"items":{"additionalProperties":true,"type":"object"},"type":"array"}"#),
        ("application/x-ndjson", r#"{"description":"one object a line","type":"string"}"#),
    ],
    about: "What LiteLLM's `generic_api` callback sends, of calls and of its own audit log: at most 64 MiB.",
    example: r#"[{"id":"chatcmpl-1","call_type":"acompletion","status":"success","model":"gpt-5.2","startTime":1767225600.0}]"#,
};

/// Everything that can be asked for.
pub const ROUTES: &[Route] = &[
    Route {
        method: "POST",
        path: "/v1/events",
        id: "recordEvents",
        tag: "record",
        permission: Some("events:write"),
        about: "records one event, an array of them, or one a line",
        parameters: &[ORGANISATION, KEY],
        sent: Some(&EVENTS_SENT),
        answers: &[answer(
            &[("application/json", "Recorded")],
            "Every event of it that was good is on the disk; `rejected` says what is wrong with the others.",
        )],
        problems: &[400, 408, 409, 413, 415, 422],
        too_often: StatusCode::TOO_MANY_REQUESTS,
        handler: || post(record::record),
    },
    Route {
        method: "POST",
        path: "/ingest/litellm",
        id: "recordLitellm",
        tag: "record",
        permission: Some("events:write"),
        about: "records what the `generic_api` callback of a LiteLLM proxy sends",
        parameters: &[ORGANISATION, KEY],
        sent: Some(&LITELLM_SENT),
        answers: &[answer(
            &[("application/json", "Recorded")],
            "What was good is on the disk. There are no receipts.",
        )],
        problems: &[400, 408, 409, 413, 415, 422],
        // It drops a batch for 429, and sends it again after 503.
        too_often: StatusCode::SERVICE_UNAVAILABLE,
        handler: || post(litellm::ingest),
    },
    Route {
        method: "GET",
        path: "/v1/events",
        id: "findEvents",
        tag: "read",
        permission: Some("events:read"),
        about: "events, newest first, filtered by a few fields",
        parameters: &[
            ORGANISATION,
            TYPE,
            ACTOR,
            STATUS,
            FROM,
            TO,
            parameter(
                "limit",
                "query",
                r#"{"default":100,"maximum":1000,"minimum":1,"type":"integer"}"#,
                "events of a page",
            ),
            parameter("cursor", "query", TEXT, "`next` of the page before"),
        ],
        sent: None,
        answers: &[answer(
            &[("application/json", "Found")],
            "A page. It may hold fewer events than asked for and still have a `next`.",
        )],
        problems: &[400, 404],
        too_often: StatusCode::TOO_MANY_REQUESTS,
        handler: || get(read::search),
    },
    Route {
        method: "GET",
        path: "/v1/events/{id}",
        id: "getEvent",
        tag: "read",
        permission: Some("events:read"),
        about: "one event with its proof, by our id, its position or its sender's id",
        parameters: &[
            ID,
            ORGANISATION,
            parameter("wait", "query", r#"{"enum":["proved"],"type":"string"}"#, "waits until it is proved"),
        ],
        sent: None,
        answers: &[answer(
            &[("application/json", "One"), ("application/vnd.c2sp.tlog-proof", TEXT)],
            "The event, or all events if several have this id. With the other media type in `Accept`, its proof alone.",
        )],
        problems: &[400, 404, 409],
        too_often: StatusCode::TOO_MANY_REQUESTS,
        handler: || get(read::one),
    },
    Route {
        method: "GET",
        path: "/v1/export",
        id: "exportEvents",
        tag: "read",
        permission: Some("events:export"),
        about: "all events that fit, newest first, as lines, an array or a table",
        parameters: &[
            ORGANISATION,
            parameter(
                "format",
                "query",
                r#"{"default":"ndjson","enum":["ndjson","json","csv"],"type":"string"}"#,
                "how they are written",
            ),
            TYPE,
            ACTOR,
            STATUS,
            FROM,
            TO,
        ],
        sent: None,
        answers: &[answer(
            &[
                ("application/x-ndjson", r#"{"description":"one event a line","type":"string"}"#),
                ("application/json", r##"{"items":{"$ref":"#/components/schemas/Shown"},"type":"array"}"##),
                (
                    "text/csv",
                    r#"{"description":"RFC 4180, UTF-8, a row of names first; a cell that a spreadsheet would take for a formula begins with a quote mark","type":"string"}"#,
                ),
            ],
            "Written while it is read. `X-Indelible-Estimated-Events` says how many events there are at most, the \
             trailer `X-Indelible-Events` how many there were. An export that can't be finished breaks the connection off.",
        )],
        problems: &[400, 404],
        too_often: StatusCode::TOO_MANY_REQUESTS,
        handler: || get(stream::take_out),
    },
    Route {
        method: "GET",
        path: "/v1/tail",
        id: "followEvents",
        tag: "read",
        permission: Some("events:read"),
        about: "events as they are recorded, as server-sent events",
        parameters: &[
            ORGANISATION,
            parameter(
                "from",
                "query",
                r#"{"minimum":0,"type":"integer"}"#,
                "begins at this position; at the next event if it is not given",
            ),
            parameter("Last-Event-ID", "header", TEXT, "goes on after this position"),
        ],
        sent: None,
        answers: &[answer(
            &[("text/event-stream", TEXT)],
            "`id` is the position, `data` the event. A comment comes every 15 seconds in which nothing else does. \
             `event: lag` ends the stream of a client that takes nothing; it may go on from the position in it.",
        )],
        problems: &[400, 404],
        too_often: StatusCode::TOO_MANY_REQUESTS,
        handler: || get(stream::listen),
    },
    Route {
        method: "GET",
        path: "/v1/events/{id}/proof",
        id: "getProof",
        tag: "check",
        permission: Some("proofs:read"),
        about: "the proof of one event, as a file to check without us",
        parameters: &[ID, ORGANISATION],
        sent: None,
        answers: &[answer(&[("text/plain", TEXT)], "The proof (C2SP tlog-proof).")],
        problems: &[400, 404, 409],
        too_often: StatusCode::TOO_MANY_REQUESTS,
        handler: || get(read::proof),
    },
    Route {
        method: "GET",
        path: "/v1/checkpoint",
        id: "getCheckpoint",
        tag: "check",
        permission: Some("proofs:read"),
        about: "the newest signed head of a ledger",
        parameters: &[ORGANISATION],
        sent: None,
        answers: &[answer(&[("text/plain", TEXT)], "The checkpoint (C2SP tlog-checkpoint).")],
        problems: &[400, 404],
        too_often: StatusCode::TOO_MANY_REQUESTS,
        handler: || get(read::checkpoint),
    },
    Route {
        method: "GET",
        path: "/healthz",
        id: "health",
        tag: "run",
        permission: None,
        about: "whether the server takes requests",
        parameters: &[],
        sent: None,
        answers: &[
            answer(&[("application/json", "Health")], "It does."),
            Answer {
                status: 503,
                media: &[("application/json", "Health")],
                about: "It is stopping, and takes no more.",
            },
        ],
        problems: &[],
        too_often: StatusCode::TOO_MANY_REQUESTS,
        handler: || get(read::health),
    },
    Route {
        method: "GET",
        path: "/metrics",
        id: "metrics",
        tag: "run",
        permission: Some("health:read"),
        about: "what is counted, for Prometheus",
        parameters: &[],
        sent: None,
        answers: &[answer(&[("text/plain", TEXT)], "Prometheus' text format 0.0.4.")],
        problems: &[400],
        too_often: StatusCode::TOO_MANY_REQUESTS,
        handler: || get(metrics::metrics),
    },
    Route {
        method: "GET",
        path: "/openapi.json",
        id: "openapi",
        tag: "run",
        permission: None,
        about: "this table, for programs",
        parameters: &[],
        sent: None,
        answers: &[answer(&[("application/json", r#"{"type":"object"}"#)], "OpenAPI 3.1.")],
        problems: &[],
        too_often: StatusCode::TOO_MANY_REQUESTS,
        handler: || get(openapi::document),
    },
    Route {
        method: "GET",
        path: "/docs",
        id: "docs",
        tag: "run",
        permission: None,
        about: "this table, for people",
        parameters: &[],
        sent: None,
        answers: &[answer(&[("text/html", TEXT)], "One page, without anything from elsewhere.")],
        problems: &[],
        too_often: StatusCode::TOO_MANY_REQUESTS,
        handler: || get(docs::page),
    },
    Route {
        method: "GET",
        path: "/docs/app.css",
        id: "docsStyle",
        tag: "run",
        permission: None,
        about: "how that page looks",
        parameters: &[],
        sent: None,
        answers: &[answer(&[("text/css", TEXT)], "A style sheet.")],
        problems: &[],
        too_often: StatusCode::TOO_MANY_REQUESTS,
        handler: || get(docs::style),
    },
];

/// The API over a product, for an administrator with the token of this hash. Requests that do not come through
/// [`serve`](crate::serve()) have no peer, and all count as one client.
pub fn router(product: Arc<Indelible>, admin: TokenHash) -> Router {
    router_of(Door::new(product, admin, Settings::default(), serve::clock()))
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
    ROUTES.iter().any(|route| route.permission.is_none() && route.path == path)
}

/// The number of a route in the table, by its method and its path as the table has it.
pub(crate) fn number(method: &Method, path: &str) -> Option<usize> {
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    ROUTES.iter().position(|route| route.method == method && route.path == path)
}
