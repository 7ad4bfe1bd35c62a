//! OpenTelemetry's protocol through the whole door: HTTP in both encodings, and gRPC.

use axum::http::header::CONTENT_TYPE;
use receivers::otlp::Form;

use super::*;
use crate::encoding::tests::{gzip, zstd};
use crate::otlp::{LOGS_EXPORT, TRACE_EXPORT};
use crate::rates::Rate;

const SAID: &str = "what nobody may read";

/// A model's call; `n` makes it another one.
fn call(n: u32) -> String {
    format!(
        r#"{{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"{n:016x}","name":"chat gpt-5.2","kind":3,"startTimeUnixNano":"1767225600000000000","endTimeUnixNano":"1767225601250000000","attributes":[{{"key":"gen_ai.operation.name","value":{{"stringValue":"chat"}}}},{{"key":"gen_ai.request.model","value":{{"stringValue":"gpt-5.2"}}}},{{"key":"gen_ai.usage.input_tokens","value":{{"intValue":"12"}}}},{{"key":"gen_ai.input.messages","value":{{"stringValue":"{SAID}"}}}}]}}"#
    )
}

fn traces(spans: &[String]) -> String {
    format!(
        r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"assistant"}}}}]}},"scopeSpans":[{{"spans":[{}]}}]}}]}}"#,
        spans.join(",")
    )
}

fn logs(records: &str) -> String {
    format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{records}]}}]}}]}}"#)
}

/// The same call as [`call`], in protobuf.
fn binary(n: u8) -> Vec<u8> {
    fn part(field: u8, inside: &[u8]) -> Vec<u8> {
        let mut out = vec![field << 3 | 2];
        let len = inside.len();
        assert!(len < 16_384);
        if len >= 0x80 {
            out.push(len as u8 | 0x80);
            out.push((len >> 7) as u8);
        } else {
            out.push(len as u8);
        }
        out.extend(inside);
        out
    }
    let text = |key: &str, text: &str| {
        part(9, &[part(1, key.as_bytes()), part(2, &part(1, text.as_bytes()))].concat())
    };
    let time = |field: u8, ns: u64| [vec![field << 3 | 1], ns.to_le_bytes().to_vec()].concat();
    let trace: Vec<u8> = (0..32)
        .step_by(2)
        .map(|at| u8::from_str_radix(&"5b8efff798038103d269b633813fc60c"[at..at + 2], 16).unwrap())
        .collect();
    let span = [
        part(1, &trace),
        part(2, &[0, 0, 0, 0, 0, 0, 0, n]),
        part(5, b"chat gpt-5.2"),
        vec![6 << 3, 3],
        time(7, 1_767_225_600_000_000_000),
        time(8, 1_767_225_601_250_000_000),
        text("gen_ai.operation.name", "chat"),
        text("gen_ai.request.model", "gpt-5.2"),
        part(9, &[part(1, b"gen_ai.usage.input_tokens"), part(2, &[3 << 3, 12])].concat()),
        text("gen_ai.input.messages", SAID),
    ]
    .concat();
    let resource = part(1, &[part(1, b"service.name"), part(2, &part(1, b"assistant"))].concat());
    part(1, &[part(1, &resource), part(2, &part(2, &span))].concat())
}

fn request(path: &str, media: &str) -> axum::http::request::Builder {
    with_token("POST", path).header(CONTENT_TYPE, media)
}

async fn post(server: &Server, path: &str, body: impl Into<Body>) -> Answer {
    server.send(request(path, "application/json").body(body.into()).unwrap()).await
}

/// Status, content type and bytes.
async fn raw(server: &Server, request: Request<Body>) -> (u16, HeaderMap, Vec<u8>) {
    let response = server.router.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    (head.status.as_u16(), head.headers, body.collect().await.unwrap().to_bytes().to_vec())
}

#[tokio::test]
async fn spans_are_recorded_once_in_whatever_encoding() {
    let server = Server::new();
    let answer = post(&server, "/v1/traces", traces(&[call(1), call(2)])).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, "{}"));
    assert_eq!(answer.header("content-type"), "application/json");
    // The same again: as text, in protobuf, and compressed.
    assert_eq!(post(&server, "/v1/traces", traces(&[call(1), call(2)])).await.text, "{}");
    for body in [binary(1), binary(2)] {
        let plain = request("/v1/traces", "application/x-protobuf").body(Body::from(body.clone())).unwrap();
        let packed = request("/v1/traces", "application/x-protobuf").header("content-encoding", "gzip");
        let packed = packed.body(Body::from(gzip(&body))).unwrap();
        let other = request("/v1/traces", "application/x-protobuf").header("content-encoding", "zstd");
        let other = other.body(Body::from(zstd(&body, 20))).unwrap();
        for sent in [plain, packed, other] {
            let (status, headers, bytes) = raw(&server, sent).await;
            assert_eq!((status, bytes.as_slice()), (200, &b""[..]));
            assert_eq!(headers[CONTENT_TYPE], "application/x-protobuf");
        }
    }
    let page = server.get("/v1/events?type=llm.*").await;
    assert_eq!(page.json().get("events").and_then(Value::as_array).unwrap().len(), 2, "{}", page.text);
    assert!(!page.text.contains(SAID));
    let found = server.get("/v1/events/5b8efff798038103d269b633813fc60c:0000000000000001").await;
    let json = found.json();
    let at =
        |pointer: &str| json.pointer(&format!("/event{pointer}")).cloned().unwrap_or_default().into_owned();
    assert_eq!(at("/producer"), Value::from("assistant"));
    assert_eq!(at("/llm/latency_ms").as_f64(), Some(1250.0));
    // What the redactor makes of the text is what one finds it by.
    let fingerprint = server.product.text_fingerprint("default", SAID.as_bytes()).unwrap();
    assert_eq!(at("/llm/prompt_fingerprint"), Value::from(fingerprint));
    let metrics = server.get("/metrics").await.text;
    assert!(metrics.contains("indelible_http_events_total{outcome=\"duplicate\"} 8\n"), "{metrics}");
    assert!(metrics.contains("indelible_http_events_total{outcome=\"conflict\"} 0\n"));
}

#[tokio::test]
async fn what_is_wrong_or_no_event_is_told_and_the_rest_recorded() {
    let server = Server::new();
    let spans = traces(&[
        call(1),
        r#"{"name":"GET /","attributes":[{"key":"http.route","value":{"stringValue":"/"}}]}"#.into(),
        r#"{"traceId":7}"#.into(),
        call(2).replace("5b8efff798038103d269b633813fc60c", "00000000000000000000000000000000"),
    ]);
    let answer = post(&server, "/v1/traces", spans).await;
    let json = answer.json();
    let text = |name: &str| json.pointer(&format!("/partialSuccess/{name}")).and_then(Value::as_str).unwrap();
    assert_eq!((answer.status.as_u16(), text("rejectedSpans")), (200, "2"));
    assert_eq!(
        text("errorMessage"),
        "2 refused, record 2/traceId: expected text, found a number, record 3/trace_id: a span has one that is not all zeros; \
         1 are no events and were not recorded (1 transport)"
    );
    // Only noise: a remark, and nothing refused.
    let answer = post(&server, "/v1/logs", logs(r#"{"body":{"stringValue":"started"}}"#)).await;
    assert_eq!(
        answer.text,
        r#"{"partialSuccess":{"errorMessage":"1 are no events and were not recorded (1 diagnostics)","rejectedLogRecords":"0"}}"#
    );
    // The audit door takes it.
    assert_eq!(post(&server, "/v1/audit", logs(r#"{"body":{"stringValue":"started"}}"#)).await.text, "{}");
    // Types of our own are not for others.
    let answer =
        post(&server, "/v1/logs", logs(r#"{"eventName":"audit.read"},{"eventName":"auth.login"}"#)).await;
    assert_eq!(
        answer.json().pointer("/partialSuccess/rejectedLogRecords").and_then(Value::as_str),
        Some("1")
    );
    let page = server.get("/v1/events?q=type:other%20OR%20type:auth.login%20OR%20type:llm.completion").await;
    assert_eq!(page.json().get("events").and_then(Value::as_array).unwrap().len(), 3, "{}", page.text);
    let refused = server.get("/v1/events/count?type=audit.quarantined").await;
    assert_eq!(refused.json().pointer("/total/value").and_then(Value::as_i64), Some(2), "{}", refused.text);
    let metrics = server.get("/metrics").await.text;
    assert!(metrics.contains("indelible_otlp_dropped_total{rule=\"transport\"} 1\n"), "{metrics}");
    assert!(metrics.contains("indelible_otlp_dropped_total{rule=\"diagnostics\"} 1\n"));
    // Another content under the same id stays refused, and is on record.
    let other = call(1).replace("\"12\"", "\"13\"");
    let answer = post(&server, "/v1/traces", traces(&[other])).await;
    assert_eq!(answer.json().pointer("/partialSuccess/rejectedSpans").and_then(Value::as_str), Some("1"));
}

#[tokio::test]
async fn errors_are_told_in_the_encoding_of_the_request() {
    let server = Server::new();
    let answer = post(&server, "/v1/traces", "{").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (400, "application/json"));
    assert_eq!(answer.json().get("code").and_then(Value::as_i64), Some(3));
    let broken = request("/v1/traces", "application/x-protobuf").body(Body::from("{")).unwrap();
    let (status, headers, bytes) = raw(&server, broken).await;
    assert_eq!((status, &headers[CONTENT_TYPE]), (400, &"application/x-protobuf".parse().unwrap()));
    assert_eq!(bytes[..2], [0x08, 3]);
    // Without a key, before anything else is looked at.
    let nobody =
        Request::builder().method("POST").uri("/v1/logs").header(CONTENT_TYPE, "application/x-protobuf");
    let (status, headers, bytes) = raw(&server, nobody.body(Body::empty()).unwrap()).await;
    assert_eq!((status, bytes[..2].to_vec()), (401, vec![0x08, 16]));
    assert!(headers.contains_key("www-authenticate"));
    // What speaks nothing of the kind is told as everywhere.
    let unknown = request("/v1/traces", "text/plain").body(Body::from("x")).unwrap();
    assert_eq!(server.send(unknown).await.problem(), "415 media_type");
    let many =
        format!("{{\"resourceSpans\":[{{\"scopeSpans\":[{{\"spans\":[{}{{}}]}}]}}]}}", "{},".repeat(100_000));
    assert_eq!(post(&server, "/v1/traces", many).await.status, 413);
}

#[tokio::test]
async fn later_says_when() {
    let server = Server::new();
    assert_eq!(post(&server, "/v1/traces", traces(&[call(1)])).await.text, "{}");
    server.broken.store(true, Ordering::Relaxed);
    let answer = post(&server, "/v1/traces", traces(&[call(2)])).await;
    assert_eq!(answer.status, 503);
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    let json = answer.json();
    assert_eq!(json.get("code").and_then(Value::as_i64), Some(14));
    let delay = json.pointer("/details/0/retryDelay").and_then(Value::as_str).unwrap();
    assert_eq!(delay, format!("{seconds}.000s"));

    // Too often is "later", too: not every exporter tries again after 429.
    let rate = Rate { quota: 1, window: Duration::from_secs(60) };
    let server = Server::with(Limits { key_rate: rate, ..Limits::default() });
    assert_eq!(post(&server, "/v1/logs", "{}").await.status, 200);
    let answer = post(&server, "/v1/logs", "{}").await;
    assert_eq!(answer.status, 503);
    assert_ne!(answer.header("retry-after"), "");
    assert!(answer.text.contains("google.rpc.RetryInfo"), "{}", answer.text);
}

/// A message in a frame of gRPC.
fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    [&[flag][..], &(message.len() as u32).to_be_bytes(), message].concat()
}

/// `grpc-status` from the headers or the trailers, the message's bytes, and the headers.
async fn called(server: &Server, request: Request<Body>) -> (String, Vec<u8>, HeaderMap) {
    let response = server.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let (head, body) = response.into_parts();
    assert_eq!(head.headers[CONTENT_TYPE], "application/grpc");
    let body = body.collect().await.unwrap();
    let trailers = body.trailers().cloned().unwrap_or_default();
    let bytes = body.to_bytes().to_vec();
    let status = head.headers.get("grpc-status").or(trailers.get("grpc-status")).unwrap();
    (status.to_str().unwrap().to_owned(), bytes, head.headers)
}

#[tokio::test]
async fn grpc_has_frames_and_trailers() {
    let server = Server::new();
    let grpc = |path: &str| request(path, "application/grpc").header("te", "trailers");
    let (status, bytes, _) =
        called(&server, grpc(TRACE_EXPORT).body(Body::from(framed(0, &binary(1)))).unwrap()).await;
    assert_eq!((status.as_str(), bytes), ("0", framed(0, b"")));
    for (name, packed) in [("gzip", gzip(&binary(1))), ("zstd", zstd(&binary(1), 20))] {
        let packed =
            grpc(TRACE_EXPORT).header("grpc-encoding", name).body(Body::from(framed(1, &packed))).unwrap();
        assert_eq!(called(&server, packed).await.0, "0");
    }
    // A span of a web server is a remark in the answer.
    let (status, bytes, _) =
        called(&server, grpc(LOGS_EXPORT).body(Body::from(framed(0, b""))).unwrap()).await;
    assert_eq!((status.as_str(), bytes.len()), ("0", 5));
    let page = server.get("/v1/events?type=llm.*").await;
    assert_eq!(page.json().get("events").and_then(Value::as_array).unwrap().len(), 1);

    let failing: [(Vec<u8>, &str); 6] = [
        (b"".to_vec(), "3"),
        (framed(0, b"{"), "3"),
        (framed(1, b""), "3"),
        (framed(2, b""), "3"),
        (framed(0, b"")[..4].to_vec(), "3"),
        ([framed(0, b""), framed(0, b"")].concat(), "3"),
    ];
    for (body, expect) in failing {
        let (status, bytes, headers) =
            called(&server, grpc(TRACE_EXPORT).body(Body::from(body)).unwrap()).await;
        assert_eq!((status.as_str(), bytes.len()), (expect, 0));
        assert!(headers.contains_key("grpc-message") && headers.contains_key("grpc-status-details-bin"));
    }
    let snappy =
        grpc(TRACE_EXPORT).header("grpc-encoding", "snappy").body(Body::from(framed(1, b"x"))).unwrap();
    assert_eq!(called(&server, snappy).await.0, "12");
    let late =
        grpc(TRACE_EXPORT).header("grpc-timeout", "0n").body(Body::from(framed(0, &binary(2)))).unwrap();
    assert_eq!(called(&server, late).await.0, "4");
    let nobody = Request::builder().method("POST").uri(TRACE_EXPORT).header(CONTENT_TYPE, "application/grpc");
    assert_eq!(called(&server, nobody.body(Body::empty()).unwrap()).await.0, "16");

    server.broken.store(true, Ordering::Relaxed);
    let (status, _, headers) =
        called(&server, grpc(TRACE_EXPORT).body(Body::from(framed(0, &binary(3)))).unwrap()).await;
    assert_eq!(status, "14");
    // `RetryInfo`, in base64.
    let details = headers["grpc-status-details-bin"].to_str().unwrap();
    let seconds: u64 = headers.get("retry-after").map_or(0, |value| value.to_str().unwrap().parse().unwrap());
    assert_eq!(seconds, 0, "gRPC has its own way");
    assert!(details.len() > 60, "{details}");
    let plain = receivers::otlp::status(
        Form::Protobuf,
        14,
        "nothing of this request is acknowledged; send it again",
        None,
    );
    assert!(details.len() > receivers::otlp::base64(&plain).len());
}
