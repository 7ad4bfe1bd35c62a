//! HTTP/2, as far as gRPC needs it. Everything else is asked over HTTP/1.1, which clients that can do both are led to by
//! TLS: here a client that takes nothing of a large answer could not be told from one that is slow.

use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::door::Door;
use crate::proxies::Peer;

/// What a client says first that speaks HTTP/2 without having been asked (RFC 9113, 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Requests of one connection that are answered at once.
const STREAMS: u32 = 32;
/// Bytes that a connection, and one request of it, may send before they are read.
const CONNECTION_BYTES: u32 = 512 << 10;
const STREAM_BYTES: u32 = 256 << 10;
/// Most bytes of a request's headers, as HTTP/2 counts them.
const HEAD_BYTES: u32 = 16 << 10;
/// How often a silent client is asked whether it is there, and how long it may take to say so.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_TIME: Duration = Duration::from_secs(20);

/// A stream of which the beginning has been read already.
pub(crate) struct Begun<S> {
    stream: S,
    start: Vec<u8>,
}

/// Reads as much as it takes to tell whether HTTP/2 is spoken.
pub(crate) async fn begin<S: AsyncRead + Unpin>(mut stream: S) -> io::Result<(bool, Begun<S>)> {
    let mut start = Vec::with_capacity(PREFACE.len());
    while start.len() < PREFACE.len() && PREFACE.starts_with(&start) {
        let mut rest = [0; PREFACE.len()];
        let most = PREFACE.len() - start.len();
        match stream.read(&mut rest[..most]).await? {
            0 => break,
            len => start.extend_from_slice(&rest[..len]),
        }
    }
    Ok((start == PREFACE, Begun { stream, start }))
}

impl<S: AsyncRead + Unpin> AsyncRead for Begun<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.start.is_empty() {
            return Pin::new(&mut this.stream).poll_read(context, into);
        }
        let len = this.start.len().min(into.remaining());
        into.put_slice(&this.start[..len]);
        this.start.drain(..len);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Begun<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

/// Answers what is called on one connection, until it ends, is told to, or has had nothing to do for as long as a
/// connection of HTTP/1.1 may.
pub(crate) async fn talk<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    router: Router,
    peer: Peer,
    door: &Door,
    mut stopped: watch::Receiver<bool>,
) {
    let calls = Calls { router: TowerToHyperService::new(router), peer, work: Arc::default() };
    let work = calls.work.clone();
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .initial_connection_window_size(CONNECTION_BYTES)
        .initial_stream_window_size(STREAM_BYTES)
        .max_header_list_size(HEAD_BYTES)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_TIME)
        .serve_connection(TokioIo::new(stream), calls);
    let mut connection = pin!(connection);
    let mut seen = work.begun.load(Ordering::Relaxed);
    let ended = loop {
        tokio::select! {
            ended = &mut connection => break Some(ended),
            _ = stopped.wait_for(|stopped| *stopped) => break None,
            () = sleep(door.limits.head_time) => {
                let begun = work.begun.load(Ordering::Relaxed);
                if begun == seen && work.now.load(Ordering::Relaxed) == 0 {
                    break None;
                }
                seen = begun;
            }
        }
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            // What has begun is finished; a client that does not take the answer is not waited for for ever.
            connection.as_mut().graceful_shutdown();
            let most = door.limits.stall_time.max(door.limits.body_time);
            match timeout(most, connection).await {
                Ok(ended) => ended,
                Err(_) => return tracing::debug!("a connection did not end, and was broken off"),
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}

/// The router, told with every call who is at the other end.
struct Calls {
    router: TowerToHyperService<Router>,
    peer: Peer,
    work: Arc<Work>,
}

/// Calls of a connection.
#[derive(Default)]
struct Work {
    begun: AtomicUsize,
    now: AtomicUsize,
}

/// A call, for as long as it takes.
struct Busy(Arc<Work>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Service<Request<Incoming>> for Calls {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        self.work.begun.fetch_add(1, Ordering::Relaxed);
        self.work.now.fetch_add(1, Ordering::Relaxed);
        let busy = Busy(self.work.clone());
        let media = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !media.is_some_and(|media| media.starts_with("application/grpc")) {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::HTTP_VERSION_NOT_SUPPORTED;
            return Box::pin(async { Ok(response) });
        }
        request.extensions_mut().insert(self.peer);
        let answer = self.router.call(request);
        Box::pin(async move {
            let _busy = busy;
            answer.await
        })
    }
}
