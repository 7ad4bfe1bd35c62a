//! The table of routes, and the router that is made of it. What the table says of a route is also what
//! `GET /openapi.json` and `GET /docs` say of it.

use std::borrow::Cow;
use std::sync::Arc;

use access::Permission;
use axum::Router;
use axum::http::{Method, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};
use indelible::Indelible;

use crate::administration::ADMINISTRATION;
use crate::auth::guard;
use crate::collect_routes::COLLECT;
use crate::compat_routes::COMPAT;
use crate::door::{Door, Settings};
use crate::problem::Problem;
use crate::{docs, health, litellm, metrics, openapi, otlp, read, record, search, serve, stream};

/// One thing that can be asked for.
#[derive(Clone, Copy)]
pub struct Route {
    /// `GET`, `POST`, `PATCH` or `DELETE`.
    pub method: &'static str,
    /// Path, with `{names}` of its variable parts.
    pub path: &'static str,
    /// Its name in generated clients.
    pub id: &'static str,
    /// What it is about: `record`, `read`, `check`, `access`, `views`, `quarantine` or `run`; or whose way of asking or
    /// sending it is: `litellm`, `bifrost` or `splunk`.
    pub tag: &'static str,
    /// What it takes to be answered.
    pub needs: Needs,
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
    pub(crate) handler: fn() -> MethodRouter<Arc<Door>>,
}

/// What it takes to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: anybody is answered.
    Nothing,
    /// A key that works.
    Key,
    /// A key whose role and scopes have this permission in the organisation that is asked about.
    May(Permission),
    /// A key whose role and scopes have this permission everywhere: it is about the whole product.
    Everywhere(Permission),
}

impl Needs {
    /// Whether it takes a key.
    pub fn key(self) -> bool {
        self != Needs::Nothing
    }

    /// What it takes, in words: a permission and perhaps `everywhere`, `a key`, or nothing.
    pub fn name(self) -> Cow<'static, str> {
        match self {
            Needs::Nothing => "".into(),
            Needs::Key => "a key".into(),
            Needs::May(permission) => permission.name().into(),
            Needs::Everywhere(permission) => format!("{}, everywhere", permission.name()).into(),
        }
    }
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

pub(crate) const TEXT: &str = r#"{"type":"string"}"#;
pub(crate) const TIME: &str = r#"{"format":"date-time","type":"string"}"#;

pub(crate) const fn parameter(
    name: &'static str,
    place: &'static str,
    schema: &'static str,
    about: &'static str,
) -> Parameter {
    Parameter { name, place, schema, about }
}

pub(crate) const fn answer(media: &'static [(&'static str, &'static str)], about: &'static str) -> Answer {
    Answer { status: 200, media, about }
}

pub(crate) const ORGANISATION: Parameter = parameter(
    "organisation",
    "query",
    TEXT,
    "whose ledger; if it is not given, the only one in which the key may do this, else `default`",
);
const ID: Parameter =
    parameter("id", "path", TEXT, "our id of an event, its position, or its sender's own id");
pub(crate) const KEY: Parameter = parameter(
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

const TRACES_SENT: Sent = Sent {
    media: &[("application/json", OTLP), ("application/x-protobuf", BYTES)],
    about: "`ExportTraceServiceRequest` of OTLP 1: at most 64 MiB and 100 000 spans.",
    example: r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"assistant"}}]},"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"chat gpt-5.2","kind":3,"startTimeUnixNano":"1767225600000000000","endTimeUnixNano":"1767225601250000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},{"key":"gen_ai.request.model","value":{"stringValue":"gpt-5.2"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"12"}}]}]}]}]}"#,
};

const LOGS_SENT: Sent = Sent {
    media: &[("application/json", OTLP), ("application/x-protobuf", BYTES)],
    about: "`ExportLogsServiceRequest` of OTLP 1: at most 64 MiB and 100 000 records.",
    example: r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"portal"}}]},"scopeLogs":[{"logRecords":[{"timeUnixNano":"1767225600000000000","severityNumber":13,"eventName":"auth.failed_attempt","attributes":[{"key":"user.email","value":{"stringValue":"alice@company.com"}},{"key":"client.address","value":{"stringValue":"203.0.113.42"}}]}]}]}]}"#,
};

const OTLP: &str = r#"{"type":"object"}"#;
const BYTES: &str = r#"{"format":"binary","type":"string"}"#;
const EXPORTED: Answer = answer(
    &[("application/json", OTLP), ("application/x-protobuf", BYTES)],
    "What was good is on the disk. `partialSuccess` says how many records were refused, and which were no events; \
     none of them is to be sent again.",
);
const CALLED: Answer = answer(
    &[("application/grpc", BYTES)],
    "What was good is on the disk. What went wrong is told in the trailers, with `RetryInfo` if it helps to try again.",
);

const Q: Parameter = parameter(
    "q",
    "query",
    r#"{"example":"type:auth.* AND status:failed","maxLength":4096,"type":"string"}"#,
    "only events that this filter holds for (docs/reference/query.md)",
);
const CONSISTENT: Parameter = parameter(
    "consistent",
    "query",
    r#"{"default":false,"type":"boolean"}"#,
    "waits until everything that was acknowledged before can be found",
);
const LIMIT: Parameter = parameter(
    "limit",
    "query",
    r#"{"default":100,"maximum":1000,"minimum":1,"type":"integer"}"#,
    "events of a page",
);
const CURSOR: Parameter = parameter("cursor", "query", TEXT, "`next` of the page before");
const SORT: Parameter = parameter(
    "sort",
    "query",
    r#"{"default":"newest","enum":["newest","time"],"type":"string"}"#,
    "newest first by position, or by the sender's time",
);
const GROUPS: Parameter = parameter(
    "n",
    "query",
    r#"{"default":10,"maximum":1000,"minimum":1,"type":"integer"}"#,
    "values that are listed",
);

const TEXT_SENT: Sent = Sent {
    media: &[(
        "application/json",
        r#"{"properties":{"text":{"type":"string"}},"required":["text"],"type":"object"}"#,
    )],
    about: "The text, exactly as it was sent or answered.",
    example: r#"{"text":"What is the capital of France?"}"#,
};

/// Everything that can be asked for. Not a constant: whoever names one needs its value, and handlers are part of it, so that
/// the optimising compiler goes round in a circle.
pub static ROUTES: &[Route] = &{
    let tables = [EVENTS, COLLECT, ADMINISTRATION, COMPAT];
    let mut all = [EVENTS[0]; EVENTS.len() + COLLECT.len() + ADMINISTRATION.len() + COMPAT.len()];
    let (mut at, mut table) = (0, 0);
    while table < tables.len() {
        let mut row = 0;
        while row < tables[table].len() {
            all[at] = tables[table][row];
            at += 1;
            row += 1;
        }
        table += 1;
    }
    all
};

/// Events in and out, and the server itself.
const EVENTS: &[Route] = &[
    Route {
        method: "POST",
        path: "/v1/events",
        id: "recordEvents",
        tag: "record",
        needs: Needs::May(Permission::RecordEvents),
        about: "records one event, an array of them, or one a line",
        parameters: &[
            ORGANISATION,
            KEY,
            parameter(
                "atomic",
                "query",
                r#"{"default":false,"type":"boolean"}"#,
                "one event that is refused refuses all",
            ),
            parameter(
                "wait",
                "query",
                r#"{"default":"durable","enum":["durable","proved","witnessed"],"type":"string"}"#,
                "what must have become of the events before the answer",
            ),
        ],
        sent: Some(&EVENTS_SENT),
        answers: &[
            answer(
                &[("application/json", "Recorded")],
                "Every event of it that was good is on the disk; `rejected` says what is wrong with the others.",
            ),
            Answer {
                status: 202,
                media: &[("application/json", "Skipped")],
                about: "Nothing can be recorded now, and the configuration says that best effort is enough for these events.",
            },
        ],
        problems: &[400, 408, 409, 413, 415, 422],
        too_often: StatusCode::TOO_MANY_REQUESTS,
        handler: || post(record::record),
    },
    Route {
        method: "POST",
        path: "/ingest/litellm",
        id: "recordLitellm",
        tag: "record",
        needs: Needs::May(Permission::RecordEvents),
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
        method: "POST",
        path: "/v1/traces",
        id: "recordTraces",
        tag: "record",
        needs: Needs::May(Permission::RecordEvents),
        about: "records what spans of OpenTelemetry tell of models, tools, agents and guardrails",
        parameters: &[ORGANISATION],
        sent: Some(&TRACES_SENT),
        answers: &[EXPORTED],
        problems: &[400, 408, 413, 415],
        // Not every exporter tries again after 429.
        too_often: StatusCode::SERVICE_UNAVAILABLE,
        handler: || post(otlp::export),
    },
    Route {
        method: "POST",
        path: "/v1/logs",
        id: "recordLogs",
        tag: "record",
        needs: Needs::May(Permission::RecordEvents),
        about: "records what log records of OpenTelemetry tell, if they have an event's name",
        parameters: &[ORGANISATION],
        sent: Some(&LOGS_SENT),
        answers: &[EXPORTED],
        problems: &[400, 408, 413, 415],
        // Not every exporter tries again after 429.
        too_often: StatusCode::SERVICE_UNAVAILABLE,
        handler: || post(otlp::export),
    },
    Route {
        method: "POST",
        path: "/v1/audit",
        id: "recordAudit",
        tag: "record",
        needs: Needs::May(Permission::RecordEvents),
        about: "records log records of OpenTelemetry, all of them",
        parameters: &[ORGANISATION],
        sent: Some(&LOGS_SENT),
        answers: &[EXPORTED],
        problems: &[400, 408, 413, 415],
        // Not every exporter tries again after 429.
        too_often: StatusCode::SERVICE_UNAVAILABLE,
        handler: || post(otlp::export),
    },
    Route {
        method: "POST",
        path: otlp::TRACE_EXPORT,
        id: "callTraces",
        tag: "record",
        needs: Needs::May(Permission::RecordEvents),
        about: "the same as `/v1/traces`, over gRPC",
        parameters: &[ORGANISATION],
        sent: None,
        answers: &[CALLED],
        problems: &[400, 408, 413, 415],
        // Not every exporter tries again after 429.
        too_often: StatusCode::SERVICE_UNAVAILABLE,
        handler: || post(otlp::call),
    },
    Route {
        method: "POST",
        path: otlp::LOGS_EXPORT,
        id: "callLogs",
        tag: "record",
        needs: Needs::May(Permission::RecordEvents),
        about: "the same as `/v1/logs`, over gRPC",
        parameters: &[ORGANISATION],
        sent: None,
        answers: &[CALLED],
        problems: &[400, 408, 413, 415],
        // Not every exporter tries again after 429.
        too_often: StatusCode::SERVICE_UNAVAILABLE,
        handler: || post(otlp::call),
    },
    Route {
        method: "GET",
        path: "/v1/events",
        id: "findEvents",
        tag: "read",
        needs: Needs::May(Permission::ReadEvents),
        about: "events that a filter holds for, newest first",
        parameters: &[
            Q,
            ORGANISATION,
            TYPE,
            ACTOR,
            STATUS,
            FROM,
            TO,
            CONSISTENT,
            LIMIT,
            CURSOR,
            SORT,
            parameter(
                "count",
                "query",
                r#"{"default":"estimate","enum":["exact","estimate","no"],"type":"string"}"#,
                "whether the number of all of them is said, and how exactly",
            ),
        ],
        sent: None,
        answers: &[answer(
            &[("application/json", "Found")],
            "A page. It may hold fewer events than asked for and still have a `next`.",
        )],
        problems: &[400, 404],
        too_often: StatusCode::TOO_MANY_REQUESTS,
        handler: || get(search::search),
    },
    Route {
        method: "GET",
        path: "/v1/events/count",
        id: "countEvents",
        tag: "read",
        needs: Needs::May(Permission::ReadEvents),
        about: "how many events a filter holds for",
        parameters: &[Q, ORGANISATION, TYPE, ACTOR, STATUS, FROM, TO, CONSISTENT],
        sent: None,
        answers: &[answer(&[("application/json", "Counted")], "The number, and whether it is exact.")],
        problems: &[400, 404],
        too_often: StatusCode::TOO_MANY_REQUESTS,
        handler: || get(search::count),
    },
    Route {
        method: "GET",
        path: "/v1/events/facets",
        id: "countValues",
        tag: "read",
        needs: Needs::May(Permission::ReadEvents),
        about: "the most frequent values of some fields",
        parameters: &[
            Q,
            ORGANISATION,
            TYPE,
            ACTOR,
            STATUS,
            FROM,
            TO,
            CONSISTENT,
            parameter("field", "query", TEXT, "fields, with commas between them"),
            GROUPS,
        ],
        sent: None,
        answers: &[answer(
            &[("application/json", "Facets")],
            "The values of each field, most frequent first.",
        )],
        problems: &[400, 404],
        too_often: StatusCode::TOO_MANY_REQUESTS,
        handler: || get(search::facets),
    },
    Route {
        method: "GET",
        path: "/v1/events/histogram",
        id: "countIntervals",
        tag: "read",
        needs: Needs::May(Permission::ReadEvents),
        about: "how many events there are in each interval of time",
        parameters: &[
            Q,
            ORGANISATION,
            TYPE,
            ACTOR,
            STATUS,
            FROM,
            TO,
            CONSISTENT,
            parameter(
                "interval",
                "query",
                r#"{"default":"1d","pattern":"^[0-9]{1,5}[smhdw]$","type":"string"}"#,
                "width of an interval",
            ),
            parameter("by", "query", TEXT, "the field by whose values each interval is split"),
            GROUPS,
        ],
        sent: None,
        answers: &[answer(
            &[("application/json", "Histogram")],
            "The intervals that have events, earliest first.",
        )],
        problems: &[400, 404],
        too_often: StatusCode::TOO_MANY_REQUESTS,
        handler: || get(search::histogram),
    },
    Route {
        method: "GET",
        path: "/v1/events/top",
        id: "rankValues",
        tag: "read",
        needs: Needs::May(Permission::ReadEvents),
        about: "the values of a field with most events, or with the largest sum of another field",
        parameters: &[
            Q,
            ORGANISATION,
            TYPE,
            ACTOR,
            STATUS,
            FROM,
            TO,
            CONSISTENT,
            parameter(
                "group",
                "query",
                r#"{"example":"actor.id","type":"string"}"#,
                "the field whose values are ranked",
            ),
            parameter(
                "sum",
                "query",
                r#"{"example":"llm.cost","type":"string"}"#,
                "the field that is summed; events are counted if it is not given",
            ),
            GROUPS,
        ],
        sent: None,
        answers: &[answer(&[("application/json", "Facet")], "The values, largest first.")],
        problems: &[400, 404],
        too_often: StatusCode::TOO_MANY_REQUESTS,
        handler: || get(search::top),
    },
    Route {
        method: "POST",
        path: "/v1/find-text",
        id: "findText",
        tag: "read",
        needs: Needs::May(Permission::FindText),
        about: "where a prompt or an answer was, by its keyed fingerprint",
        parameters: &[ORGANISATION, LIMIT, CURSOR],
        sent: Some(&TEXT_SENT),
        answers: &[answer(
            &[("application/json", "Found")],
            "The events in which it was the prompt, the answer, an argument or a result.",
        )],
        problems: &[400, 404, 408, 413, 415],
        too_often: StatusCode::TOO_MANY_REQUESTS,
        handler: || post(search::find_text),
    },
    Route {
        method: "GET",
        path: "/v1/filter",
        id: "explainFilter",
        tag: "read",
        needs: Needs::Key,
        about: "what a filter means, what is wrong with it, and what could come next",
        parameters: &[
            Q,
            parameter(
                "at",
                "query",
                r#"{"minimum":0,"type":"integer"}"#,
                "the byte of the cursor; the end if it is not given",
            ),
        ],
        sent: None,
        answers: &[answer(
            &[("application/json", "Filter")],
            "The filter as we would write it, or what is wrong with it.",
        )],
        problems: &[400],
        too_often: StatusCode::TOO_MANY_REQUESTS,
        handler: || get(search::filter),
    },
    Route {
        method: "GET",
        path: "/v1/events/{id}",
        id: "getEvent",
        tag: "read",
        needs: Needs::May(Permission::ReadEvents),
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
        path: "/v1/events/export",
        id: "exportEvents",
        tag: "read",
        needs: Needs::May(Permission::Export),
        about: "all events that fit, newest first, as lines, an array or a table",
        parameters: &[
            ORGANISATION,
            parameter(
                "format",
                "query",
                r#"{"default":"ndjson","enum":["ndjson","json","csv"],"type":"string"}"#,
                "how they are written",
            ),
            Q,
            CONSISTENT,
            SORT,
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
            "Written while it is read. `X-Indelible-Estimated-Events` says about how many events there will be, the \
             trailer `X-Indelible-Events` how many there were. An export that can't be finished breaks the connection off.",
        )],
        problems: &[400, 404],
        too_often: StatusCode::TOO_MANY_REQUESTS,
        handler: || get(stream::take_out),
    },
    Route {
        method: "GET",
        path: "/v1/events/tail",
        id: "followEvents",
        tag: "read",
        needs: Needs::May(Permission::Tail),
        about: "events as they are recorded, as server-sent events",
        parameters: &[
            Q,
            TYPE,
            ACTOR,
            STATUS,
            FROM,
            TO,
            CONSISTENT,
            ORGANISATION,
            parameter(
                "at",
                "query",
                r#"{"minimum":0,"type":"integer"}"#,
                "begins at this position; at the next event if it is not given",
            ),
            parameter(
                "follow",
                "query",
                r#"{"default":true,"type":"boolean"}"#,
                "whether the stream goes on with what is recorded later; if not, it ends after what there is",
            ),
            parameter("Last-Event-ID", "header", TEXT, "goes on after this position"),
        ],
        sent: None,
        answers: &[answer(
            // A stream of events has no schema in OpenAPI 3.1; what is in `data` is an event.
            &[("text/event-stream", "{}")],
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
        needs: Needs::May(Permission::Proofs),
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
        needs: Needs::May(Permission::Proofs),
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
        needs: Needs::Nothing,
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
        handler: || get(health::health),
    },
    Route {
        method: "GET",
        path: "/readyz",
        id: "ready",
        tag: "run",
        needs: Needs::Nothing,
        about: "whether the server can record",
        parameters: &[],
        sent: None,
        answers: &[
            answer(&[("application/json", "Ready")], "It can."),
            Answer {
                status: 503,
                media: &[("application/json", "Ready")],
                about: "It is stopping, or its data folder can't be written to.",
            },
        ],
        problems: &[],
        too_often: StatusCode::TOO_MANY_REQUESTS,
        handler: || get(health::ready),
    },
    Route {
        method: "GET",
        path: "/v1/stats",
        id: "stats",
        tag: "run",
        needs: Needs::May(Permission::Health),
        about: "how large ledgers are, and how far their indexes are behind",
        parameters: &[parameter(
            "organisation",
            "query",
            TEXT,
            "whose ledger, or `*` for all that are open; as for events if it is not given, but `*` for a key that may everywhere",
        )],
        sent: None,
        answers: &[answer(&[("application/json", "Stats")], "The ledgers, by name.")],
        problems: &[400, 404],
        too_often: StatusCode::TOO_MANY_REQUESTS,
        handler: || get(health::stats),
    },
    Route {
        method: "GET",
        path: "/metrics",
        id: "metrics",
        tag: "run",
        needs: Needs::Everywhere(Permission::Health),
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
        needs: Needs::Nothing,
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
        needs: Needs::Nothing,
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
        needs: Needs::Nothing,
        about: "how that page looks",
        parameters: &[],
        sent: None,
        answers: &[answer(&[("text/css", TEXT)], "A style sheet.")],
        problems: &[],
        too_often: StatusCode::TOO_MANY_REQUESTS,
        handler: || get(docs::style),
    },
];

/// The API over a product. Requests that do not come through
/// [`serve`](crate::serve()) have no peer, and all count as one client.
pub fn router(product: Arc<Indelible>) -> Router {
    router_of(Door::new(product, Settings::default(), serve::clock()))
}

pub(crate) fn router_of(door: Arc<Door>) -> Router {
    let routes =
        ROUTES.iter().fold(Router::new(), |router, route| router.route(route.path, (route.handler)()));
    let pages = door.pages.as_ref().map(|pages| pages.router.clone()).unwrap_or_default();
    routes
        .fallback(async || Problem::not_found("there is nothing at this path"))
        .method_not_allowed_fallback(async || {
            let detail = "this path is not asked with this method";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
        })
        .with_state(door.clone())
        .merge(pages)
        .layer(from_fn_with_state(door, guard))
}

/// Whether everybody may ask this: whatever its method, if nobody needs a key at its path.
pub(crate) fn is_open(method: &Method, path: &str) -> bool {
    let here = || ROUTES.iter().filter(|route| route.path == path);
    let is_open = |route: &Route| !route.needs.key();
    here().any(is_open)
        && (here().all(is_open) || here().any(|route| is_open(route) && method == route.method))
}

/// The number of a route in the table, by its method and its path as the table has it.
pub(crate) fn number(method: &Method, path: &str) -> Option<usize> {
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    ROUTES.iter().position(|route| route.method == method && route.path == path)
}
