//! OpenTelemetry's protocol, over HTTP and gRPC: `POST /v1/traces`, `/v1/logs`, `/v1/audit` (logs of somebody who sends
//! nothing but audit records) and the `Export` methods of its two services.
//!
//! A sender is told in its own encoding, whatever went wrong: `google.rpc.Status` in protobuf or JSON, or gRPC's trailers.
//! "Later" is 503 or `UNAVAILABLE`, since not every exporter tries again after 429. What is wrong with some records costs
//! only them: the answer is a success that says how many were not taken, and is not to be sent again.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use indelible::Refused;
use receivers::otlp::receive::{Failed, receive};
use receivers::otlp::{Form, Signal, answer, status};

use crate::auth::Caller;
use crate::body::{read, tree_bytes};
use crate::door::Door;
use crate::encoding::Encoding;
use crate::grpc;
use crate::metrics::Events;
use crate::params::Params;
use crate::problem::Problem;
use crate::record::sender;
use crate::routes::Route;

/// Bytes that a record of protobuf takes while it is mapped, as a multiple of its own; records are read one at a time.
const WORK: usize = 4;
/// Longest sentence of an answer.
const MESSAGE_CHARS: usize = 4096;

/// How a request is to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Http(Form),
    Grpc,
}

/// What went wrong, for whoever says it in a sender's own encoding. Problems carry it into the response.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) detail: Cow<'static, str>,
    pub(crate) retry_after_ms: Option<u64>,
}

pub(crate) const TRACE_EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
pub(crate) const LOGS_EXPORT: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

/// The paths of OTLP over HTTP.
pub(crate) const SENT_TO: [&str; 3] = ["/v1/traces", "/v1/logs", "/v1/audit"];

fn signal(path: &str) -> Signal {
    match path {
        "/v1/traces" | TRACE_EXPORT => Signal::Traces,
        "/v1/audit" => Signal::Audit,
        _ => Signal::Logs,
    }
}

/// How a request to a route is to be answered, if it is one of these and says what it speaks.
pub(crate) fn dialect(route: &Route, headers: &HeaderMap) -> Option<Dialect> {
    let is_grpc = matches!(route.path, TRACE_EXPORT | LOGS_EXPORT);
    if !is_grpc && !SENT_TO.contains(&route.path) {
        return None;
    }
    let mut given = headers.get_all(CONTENT_TYPE).iter();
    let (Some(header), None) = (given.next(), given.next()) else { return None };
    let essence = header.to_str().ok()?.split(';').next()?.trim().to_ascii_lowercase();
    match (is_grpc, essence.as_str()) {
        (true, "application/grpc" | "application/grpc+proto") => Some(Dialect::Grpc),
        (false, "application/x-protobuf") => Some(Dialect::Http(Form::Protobuf)),
        (false, "application/json") => Some(Dialect::Http(Form::Json)),
        _ => None,
    }
}

/// Says a problem in the sender's own encoding. Anything else is left as it is.
pub(crate) fn in_kind(dialect: Dialect, response: Response) -> Response {
    let Some(told) = response.extensions().get::<Told>().cloned() else { return response };
    let code = grpc::code(response.status());
    // What the header says has been spread out, so that not all come back at once.
    let after =
        response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let retry_ms = told.retry_after_ms.map(|ms| after.map_or(ms, |seconds| seconds.saturating_mul(1000)));
    let Dialect::Http(form) = dialect else { return grpc::failed(code, &told.detail, retry_ms) };
    let (mut head, _) = response.into_parts();
    head.headers.insert(CONTENT_TYPE, media(form));
    Response::from_parts(head, Body::from(status(form, code, &told.detail, retry_ms)))
}

fn media(form: Form) -> HeaderValue {
    HeaderValue::from_static(match form {
        Form::Protobuf => "application/x-protobuf",
        Form::Json => "application/json",
    })
}

/// `POST /v1/traces`, `/v1/logs` and `/v1/audit`.
pub(crate) async fn export(
    State(door): State<Arc<Door>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let form = match request.headers().get(CONTENT_TYPE) {
        Some(_) => form(request.headers())?,
        None => return Err(unknown_media()),
    };
    let params = Params::read(request.uri(), &["organisation"])?;
    let signal = signal(request.uri().path());
    let encoding = Encoding::of(request.headers())?;
    let held = read(&door, request, encoding, door.limits.litellm_body_bytes).await?;
    let answer = take(&door, caller, &params, form, signal, held.bytes, held.memory).await?;
    let mut response = Response::new(Body::from(answer));
    response.headers_mut().insert(CONTENT_TYPE, media(form));
    Ok(response)
}

fn form(headers: &HeaderMap) -> Result<Form, Problem> {
    let essence = |value: &HeaderValue| {
        value
            .to_str()
            .ok()
            .and_then(|text| text.split(';').next())
            .map(|text| text.trim().to_ascii_lowercase())
    };
    let mut given = headers.get_all(CONTENT_TYPE).iter();
    match (given.next().and_then(essence).as_deref(), given.next()) {
        (Some("application/x-protobuf"), None) => Ok(Form::Protobuf),
        (Some("application/json"), None) => Ok(Form::Json),
        _ => Err(unknown_media()),
    }
}

fn unknown_media() -> Problem {
    let detail = "this content type is not taken; send application/x-protobuf or application/json";
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", detail)
        .with_header(ACCEPT, HeaderValue::from_static("application/x-protobuf, application/json"))
}

/// The `Export` methods over gRPC.
pub(crate) async fn call(
    State(door): State<Arc<Door>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request.uri(), &["organisation"])?;
    let signal = signal(request.uri().path());
    let deadline = grpc::deadline(request.headers())?;
    let exported = async {
        let held = grpc::message(&door, request, door.limits.litellm_body_bytes).await?;
        take(&door, caller, &params, Form::Protobuf, signal, held.bytes, held.memory).await
    };
    let late = || {
        let detail = "it took longer than the deadline; send less at once, or allow more time";
        Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout", detail)
    };
    let answer = match deadline {
        Some(Duration::ZERO) => return Err(late()),
        // What was begun is finished, and recognised when it is sent again.
        Some(deadline) => tokio::time::timeout(deadline, exported).await.map_err(|_| late())??,
        None => exported.await?,
    };
    Ok(grpc::answered(&answer))
}

/// Records a body, and writes the answer to it.
async fn take(
    door: &Arc<Door>,
    caller: Caller,
    params: &Params,
    form: Form,
    signal: Signal,
    bytes: Vec<u8>,
    memory: tokio::sync::OwnedSemaphorePermit,
) -> Result<Vec<u8>, Problem> {
    let sender = sender(params, &caller.viewer)?;
    let estimate = match form {
        Form::Protobuf => (WORK * bytes.len()).min(door.limits.trees_bytes),
        Form::Json => tree_bytes(&bytes),
    };
    if estimate > door.limits.trees_bytes {
        return Err(Problem::too_large("too many values at once; send fewer records at once"));
    }
    let room = door.room(estimate).await?;
    let received = door
        .blocking(move |product| {
            // Also if the client goes away, memory is given back only when it is free.
            let (bytes, _memory, _room) = (bytes, memory, room);
            product.may_record(&caller.viewer, &sender)?;
            let received = match receive(product, &sender, form, signal, &bytes) {
                Ok(received) => received,
                Err(Failed::Undecodable(refusal)) if refusal.code == event::Code::TooLarge => {
                    return Err(Problem::too_large(refusal.reason));
                }
                Err(Failed::Undecodable(refusal)) => return Err(Problem::refused(refusal)),
                Err(Failed::NotRecorded(error)) => return Err(Problem::not_recorded(error, |n| n)),
            };
            // A record may hold whole prompts, so only why it was refused is kept of it.
            let refused: Vec<Refused<'_>> =
                received.refused.iter().map(|(_, refusal)| Refused { bytes: b"", refusal }).collect();
            product.quarantine(&sender, &caller.viewer.id, &refused);
            Ok(received)
        })
        .await?;
    let (accepted, duplicates, conflicts) = (received.accepted, received.duplicates, received.conflicts);
    let refused = received.refused.len() + received.refused_more;
    door.metrics.events(Events { accepted, duplicates, conflicts, refused });
    door.metrics.noise(&received.noise);
    let message: String = received.message().chars().take(MESSAGE_CHARS).collect();
    Ok(answer(form, signal, received.rejected(), &message))
}
