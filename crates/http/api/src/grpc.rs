//! As much of gRPC as a method with one message each way needs: its frame, its trailers and its codes.
//!
//! <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use receivers::otlp::{Form, status, unframe};

use crate::body::{Held, read, unpack};
use crate::door::Door;
use crate::encoding::Encoding;
use crate::problem::Problem;

const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const ACCEPT: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
/// Flag and length before a message.
const FRAME: usize = 5;
/// A sentence that goes into headers is no longer than this.
const MESSAGE_BYTES: usize = 1024;

/// The code that says what a status of HTTP says.
pub(crate) fn code(status: StatusCode) -> u32 {
    match status.as_u16() {
        400 | 409 | 422 => 3,  // INVALID_ARGUMENT
        401 => 16,             // UNAUTHENTICATED
        403 => 7,              // PERMISSION_DENIED
        404 | 405 | 415 => 12, // UNIMPLEMENTED
        408 => 4,              // DEADLINE_EXCEEDED
        413 => 8,              // RESOURCE_EXHAUSTED: without RetryInfo it is not to be tried again
        429 | 503 => 14,       // UNAVAILABLE
        _ => 13,               // INTERNAL
    }
}

/// How long the client will wait, if it says so: up to eight digits and a unit.
pub(crate) fn deadline(headers: &HeaderMap) -> Result<Option<Duration>, Problem> {
    let Some(header) = headers.get(TIMEOUT) else { return Ok(None) };
    let wrong = || Problem::bad("parameter", "the header grpc-timeout: expected digits and a unit");
    let text = header.to_str().map_err(|_| wrong())?;
    let (digits, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    if digits.len() > 8 {
        return Err(wrong());
    }
    let n: u64 = digits.parse().map_err(|_| wrong())?;
    Ok(Some(match unit {
        "H" => Duration::from_secs(3600 * n),
        "M" => Duration::from_secs(60 * n),
        "S" => Duration::from_secs(n),
        "m" => Duration::from_millis(n),
        "u" => Duration::from_micros(n),
        "n" => Duration::from_nanos(n),
        _ => return Err(wrong()),
    }))
}

/// The one message of a request, unpacked.
pub(crate) async fn message(door: &Arc<Door>, request: Request, most: usize) -> Result<Held, Problem> {
    let encoding = match request.headers().get(ENCODING).map(|value| value.to_str().unwrap_or("")) {
        None | Some("identity") => Encoding::Identity,
        Some("gzip") => Encoding::Gzip,
        Some("deflate") => Encoding::Deflate,
        Some("zstd") => Encoding::Zstd,
        Some(_) => {
            let detail = "this encoding is not taken; send identity, gzip, deflate or zstd";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "encoding", detail));
        }
    };
    let mut held = read(door, request, Encoding::Identity, most + FRAME).await?;
    let (is_packed, message) = unframe(&held.bytes, encoding != Encoding::Identity)
        .map_err(|what| Problem::bad("body", format!("{what}; expected one message of gRPC")))?;
    let head = held.bytes.len() - message.len();
    held.bytes.drain(..head);
    match is_packed {
        true => unpack(door, held, encoding, most).await,
        false => Ok(held),
    }
}

/// A message, and that all is well.
pub(crate) fn answered(message: &[u8]) -> Response {
    let mut framed = Vec::with_capacity(FRAME + message.len());
    framed.push(0);
    framed.extend_from_slice(&(message.len() as u32).to_be_bytes());
    framed.extend_from_slice(message);
    let mut trailers = HeaderMap::new();
    trailers.insert(STATUS, HeaderValue::from_static("0"));
    let body = Full::new(Bytes::from(framed)).with_trailers(async { Some(Ok(trailers)) });
    with_head(Body::new(body))
}

/// That something went wrong, with when to try again if that helps.
pub(crate) fn failed(code: u32, detail: &str, retry_ms: Option<u64>) -> Response {
    let mut response = with_head(Body::empty());
    let headers = response.headers_mut();
    headers.insert(STATUS, HeaderValue::from(code));
    if let Ok(message) = HeaderValue::from_str(&percent(detail)) {
        headers.insert(MESSAGE, message);
    }
    let details =
        status(Form::Protobuf, code, &detail.chars().take(MESSAGE_BYTES).collect::<String>(), retry_ms);
    if let Ok(details) = HeaderValue::from_str(&receivers::otlp::base64(&details)) {
        headers.insert(DETAILS, details);
    }
    response
}

fn with_head(body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(ACCEPT, HeaderValue::from_static("identity, gzip, deflate, zstd"));
    response
}

/// Percent-encoding, as `grpc-message` has it.
fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if out.len() >= MESSAGE_BYTES {
            break;
        }
        match byte {
            b'%' | ..0x20 | 0x7f.. => {
                let _ = write!(out, "%{byte:02X}");
            }
            byte => out.push(char::from(byte)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_read() {
        let check = |text: &'static str, expect: Option<Duration>| {
            let mut headers = HeaderMap::new();
            headers.insert(TIMEOUT, HeaderValue::from_static(text));
            assert_eq!(deadline(&headers).ok().flatten(), expect, "{text}");
        };
        check("10S", Some(Duration::from_secs(10)));
        check("99999999H", Some(Duration::from_secs(99_999_999 * 3600)));
        check("250m", Some(Duration::from_millis(250)));
        check("1u", Some(Duration::from_micros(1)));
        check("1n", Some(Duration::from_nanos(1)));
        check("2M", Some(Duration::from_secs(120)));
        for wrong in ["", "S", "10", "10s", "-1S", "100000000S"] {
            check(wrong, None);
        }
        assert_eq!(deadline(&HeaderMap::new()).unwrap(), None);
    }

    #[test]
    fn a_message_in_a_header_is_encoded() {
        assert_eq!(percent("100 % über\n"), "100 %25 %C3%BCber%0A");
        assert!(percent(&"é".repeat(10_000)).len() <= MESSAGE_BYTES + 5);
    }
}
