//! gRPC on a real socket, beside HTTP/1.1 on the same port.

use axum::http::Method;
use h2::client::{self, SendRequest};
use hyper::body::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::serve::{Running, start_with};
use super::*;
use crate::otlp::{LOGS_EXPORT, TRACE_EXPORT};

const SOON: Duration = Duration::from_secs(5);

pub(super) struct Client {
    send: SendRequest<Bytes>,
    pub(super) connection: JoinHandle<Result<(), h2::Error>>,
}

impl Client {
    pub(super) async fn over<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S) -> Client {
        let (send, connection) = client::handshake(stream).await.unwrap();
        Client { send, connection: tokio::spawn(connection) }
    }

    async fn new(running: &Running) -> Client {
        Client::over(TcpStream::connect(running.address).await.unwrap()).await
    }

    /// Status of HTTP, and what gRPC says in its trailers or in their place.
    pub(super) async fn call(&mut self, path: &str, media: &str, body: &[u8]) -> (u16, String) {
        let (response, mut stream) = self.begin(path, media);
        stream.send_data(Bytes::copy_from_slice(body), true).unwrap();
        finish(response).await
    }

    fn begin(&mut self, path: &str, media: &str) -> (client::ResponseFuture, h2::SendStream<Bytes>) {
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("http://x{path}"))
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("content-type", media)
            .header("te", "trailers")
            .body(())
            .unwrap();
        self.send.send_request(request, false).unwrap()
    }
}

async fn finish(response: client::ResponseFuture) -> (u16, String) {
    let (head, mut body) = timeout(SOON, response).await.unwrap().unwrap().into_parts();
    while let Some(data) = timeout(SOON, body.data()).await.unwrap() {
        let len = data.unwrap().len();
        body.flow_control().release_capacity(len).unwrap();
    }
    let trailers = body.trailers().await.unwrap().unwrap_or_default();
    let status = trailers.get("grpc-status").or(head.headers.get("grpc-status"));
    (head.status.as_u16(), status.map_or(String::new(), |code| code.to_str().unwrap().to_owned()))
}

/// A log record with an event's name, in a frame of gRPC.
fn login() -> Vec<u8> {
    let mut record = vec![0x62, 10];
    record.extend(b"auth.login");
    let wrap = |tag: u8, inside: &[u8]| [&[tag, inside.len() as u8][..], inside].concat();
    let body = wrap(0x0a, &wrap(0x12, &wrap(0x12, &record)));
    [&[0][..], &(body.len() as u32).to_be_bytes(), &body].concat()
}

const EMPTY: &[u8] = &[0; 5];

#[tokio::test]
async fn both_are_spoken_on_one_port() {
    let running = start_with(Serving::default()).await;
    let mut client = Client::new(&running).await;
    assert_eq!(client.call(LOGS_EXPORT, "application/grpc", &login()).await, (200, "0".into()));
    // On the same connection, and several at once.
    assert_eq!(client.call(TRACE_EXPORT, "application/grpc+proto", EMPTY).await, (200, "0".into()));
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let (response, mut stream) = client.begin(LOGS_EXPORT, "application/grpc");
            stream.send_data(Bytes::copy_from_slice(EMPTY), true).unwrap();
            response
        })
        .collect();
    for call in calls {
        assert_eq!(finish(call).await, (200, "0".into()));
    }
    assert_eq!(client.call("/opentelemetry.proto.None/Export", "application/grpc", EMPTY).await.1, "");
    // Everything else is asked over HTTP/1.1.
    assert_eq!(client.call("/v1/events", "application/json", b"[]").await.0, 505);
    let mut plain = TcpStream::connect(running.address).await.unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    plain.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // A request whose first letters are those of the preface.
    let mut odd = TcpStream::connect(running.address).await.unwrap();
    for part in [&b"PR"[..], b"I * HTTP/1.1\r\n", b"host: x\r\nconnection: close\r\n\r\n"] {
        odd.write_all(part).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    answer.clear();
    odd.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    drop(client);
    running.stop.send(()).unwrap();
    timeout(SOON, running.task).await.unwrap().unwrap().unwrap();
    let found = running.server.get("/v1/events/count?type=auth.login").await;
    assert_eq!(found.json().pointer("/total/value").and_then(Value::as_i64), Some(1), "{}", found.text);
}

#[tokio::test]
async fn a_call_that_has_begun_is_finished() {
    let running = start_with(Serving::default()).await;
    let mut client = Client::new(&running).await;
    let idle = Client::new(&running).await;
    let (response, mut stream) = client.begin(LOGS_EXPORT, "application/grpc");
    let body = login();
    stream.send_data(Bytes::copy_from_slice(&body[..9]), false).unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    running.stop.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(TcpStream::connect(running.address).await.is_err(), "nobody new is let in");
    stream.send_data(Bytes::copy_from_slice(&body[9..]), true).unwrap();
    assert_eq!(finish(response).await, (200, "0".into()));
    timeout(SOON, running.task).await.unwrap().unwrap().unwrap();
    drop((client, idle));
    let found = running.server.get("/v1/events/count?type=auth.login").await;
    assert_eq!(found.json().pointer("/total/value").and_then(Value::as_i64), Some(1), "{}", found.text);
}

#[tokio::test]
async fn who_asks_nothing_does_not_stay() {
    let limits = Limits { head_time: Duration::from_millis(200), ..Limits::default() };
    let running = start_with(Serving { limits, ..Serving::default() }).await;
    // Silent from the first byte, silent within the preface, and silent after a call.
    let mut silent = TcpStream::connect(running.address).await.unwrap();
    let mut begun = TcpStream::connect(running.address).await.unwrap();
    begun.write_all(b"PRI * HT").await.unwrap();
    let mut client = Client::new(&running).await;
    assert_eq!(client.call(LOGS_EXPORT, "application/grpc", EMPTY).await, (200, "0".into()));
    for stream in [&mut silent, &mut begun] {
        assert_eq!(timeout(SOON, stream.read(&mut [0; 16])).await.unwrap().unwrap_or(0), 0);
    }
    timeout(SOON, client.connection).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_body_that_does_not_end_is_not_waited_for() {
    let limits = Limits { body_time: Duration::from_millis(200), ..Limits::default() };
    let running = start_with(Serving { limits, ..Serving::default() }).await;
    let mut client = Client::new(&running).await;
    let (response, mut stream) = client.begin(LOGS_EXPORT, "application/grpc");
    stream.send_data(Bytes::from_static(&[0]), false).unwrap();
    assert_eq!(finish(response).await, (200, "4".into()));
    let limits = Limits { litellm_body_bytes: 1000, ..Limits::default() };
    let running = start_with(Serving { limits, ..Serving::default() }).await;
    let mut client = Client::new(&running).await;
    let (response, mut stream) = client.begin(LOGS_EXPORT, "application/grpc");
    stream.send_data(Bytes::from(vec![0; 2000]), false).unwrap();
    assert_eq!(finish(response).await, (200, "8".into()));
}
