//! Server-sent events: a ledger as it grows, one event after another for as long as the client listens.
//!
//! `id:` is the position, so that a client that was cut off says in `Last-Event-ID` where to go on, and misses nothing. A
//! client that is slower than its buffer is waited for, since the ledger keeps everything; one that takes nothing for a
//! while is let go with a last `event: lag`, which says the same position. A comment is sent while nothing happens, or a
//! proxy would think the connection dead.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use futures_core::Stream;
use hyper::body::{Bytes, Frame};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep, timeout};

use crate::problem::Problem;

/// How a client is listened to.
#[derive(Clone, Debug)]
pub(crate) struct Patience {
    /// A comment this often, while nothing else is sent.
    pub(crate) keep_alive: Duration,
    /// Bytes that wait for the client at most; one event is always let through.
    pub(crate) buffer_bytes: usize,
    /// How long the buffer may be full without anything being taken from it.
    pub(crate) lag_time: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            keep_alive: Duration::from_secs(15),
            buffer_bytes: 1 << 20,
            lag_time: Duration::from_secs(30),
        }
    }
}

/// The position after the last one that the client has, if it was here before.
pub(crate) fn resume_from(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    const LAST: HeaderName = HeaderName::from_static("last-event-id");
    let Some(header) = headers.get(LAST) else { return Ok(None) };
    let text = header.to_str().unwrap_or("?").trim();
    let next = text.parse::<u64>().ok().and_then(|position| position.checked_add(1));
    match (text, next) {
        // What a client has before its first event.
        ("", _) => Ok(None),
        (_, Some(next)) => Ok(Some(next)),
        (_, None) => Err(Problem::bad(
            "parameter",
            "the header Last-Event-ID: expected the `id` of an event of this stream",
        )),
    }
}

/// An answer that goes on while `events` does: position and JSON of each.
pub(crate) fn follow<S>(events: S, patience: Patience) -> Response
where
    S: Stream<Item = (u64, Vec<u8>)> + Send + 'static,
{
    let (out, waiting) = unbounded_channel();
    // Something to send at once: a client learns that it is connected.
    drop(out.send((Bytes::from_static(b": listening\n\n"), None)));
    let idle = Box::pin(sleep(patience.keep_alive));
    let body = Framed { waiting, idle, keep_alive: patience.keep_alive };
    tokio::spawn(pump(events, patience, out));
    let mut response = Response::new(Body::new(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // nginx would hold the stream back until its buffer is full.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// One frame, and its place in the buffer.
type Waiting = (Bytes, Option<OwnedSemaphorePermit>);

/// Brings events into the buffer until they end, the client goes, or it takes nothing for too long.
async fn pump<S: Stream<Item = (u64, Vec<u8>)>>(
    events: S,
    patience: Patience,
    out: UnboundedSender<Waiting>,
) {
    let places = Arc::new(Semaphore::new(patience.buffer_bytes));
    let mut events = pin!(events);
    loop {
        let next = tokio::select! {
            next = poll_fn(|context| events.as_mut().poll_next(context)) => next,
            () = out.closed() => return,
        };
        let Some((position, json)) = next else { return };
        let frame = frame(position, &json);
        let size = u32::try_from(frame.len().min(patience.buffer_bytes)).unwrap_or(u32::MAX);
        let place = tokio::select! {
            place = timeout(patience.lag_time, places.clone().acquire_many_owned(size)) => place,
            () = out.closed() => return,
        };
        match place {
            Ok(place) => drop(out.send((frame, place.ok()))),
            Err(_) => {
                tracing::debug!(position, "a listener was too slow");
                let last = format!("event: lag\ndata: {{\"position\":{position}}}\n\n");
                drop(out.send((last.into(), None)));
                return;
            }
        }
    }
}

/// A line end within the JSON would end the field early: each line is a field of its own.
fn frame(position: u64, json: &[u8]) -> Bytes {
    let mut frame = format!("id: {position}\n").into_bytes();
    for line in json.split(|b| matches!(b, b'\n' | b'\r')) {
        frame.extend_from_slice(b"data: ");
        frame.extend_from_slice(line);
        frame.push(b'\n');
    }
    frame.push(b'\n');
    frame.into()
}

struct Framed {
    waiting: UnboundedReceiver<Waiting>,
    idle: Pin<Box<Sleep>>,
    keep_alive: Duration,
}

impl hyper::body::Body for Framed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        let bytes = match this.waiting.poll_recv(context) {
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Ready(Some((bytes, _place))) => bytes,
            Poll::Pending => {
                ready!(this.idle.as_mut().poll(context));
                Bytes::from_static(b": nothing new\n\n")
            }
        };
        this.idle.set(sleep(this.keep_alive));
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    /// Events that come through a channel.
    struct Given(UnboundedReceiver<(u64, Vec<u8>)>);

    impl Stream for Given {
        type Item = (u64, Vec<u8>);

        fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            self.0.poll_recv(context)
        }
    }

    fn patience(buffer_bytes: usize) -> Patience {
        let (keep_alive, lag_time) = (Duration::from_millis(80), Duration::from_millis(200));
        Patience { keep_alive, buffer_bytes, lag_time }
    }

    async fn next(body: &mut Body) -> String {
        match body.frame().await {
            Some(frame) => String::from_utf8(frame.unwrap().into_data().unwrap().to_vec()).unwrap(),
            None => "end".to_owned(),
        }
    }

    #[tokio::test]
    async fn events_are_framed_and_the_silence_between_them_filled() {
        let (give, given) = unbounded_channel();
        let response = follow(Given(given), patience(1 << 20));
        assert_eq!(response.headers()[CONTENT_TYPE], "text/event-stream");
        let mut body = response.into_body();
        assert_eq!(next(&mut body).await, ": listening\n\n");
        give.send((7, b"{\"type\":\"a.b\"}".to_vec())).unwrap();
        give.send((9, b"[1,\n2]".to_vec())).unwrap();
        assert_eq!(next(&mut body).await, "id: 7\ndata: {\"type\":\"a.b\"}\n\n");
        assert_eq!(next(&mut body).await, "id: 9\ndata: [1,\ndata: 2]\n\n");
        assert_eq!(next(&mut body).await, ": nothing new\n\n");
        assert_eq!(next(&mut body).await, ": nothing new\n\n");
        drop(give);
        assert_eq!(next(&mut body).await, "end");
    }

    #[tokio::test]
    async fn a_listener_that_takes_nothing_is_let_go_and_told_where_to_go_on() {
        let (give, given) = unbounded_channel();
        let mut body = follow(Given(given), patience(30)).into_body();
        for position in 0..100 {
            give.send((position, b"{}".to_vec())).unwrap();
        }
        // 15 or 16 bytes each: one waits in the buffer, the next has no place. Not so long by the clock: on a busy machine
        // both timers could be over at once, and the buffer emptied before it was found full.
        timeout(Duration::from_secs(20), give.closed()).await.unwrap();
        let mut all = Vec::new();
        while all.last().is_none_or(|last| last != "end") {
            all.push(next(&mut body).await);
        }
        let kept = all.iter().filter(|one| one.starts_with("id: ")).count();
        assert!(kept <= 2, "{all:?}");
        assert_eq!(all[kept + 1], format!("event: lag\ndata: {{\"position\":{kept}}}\n\n"));
        assert!(give.is_closed(), "nobody reads the ledger for it any longer");
    }

    #[tokio::test]
    async fn a_slow_listener_gets_everything() {
        let (give, given) = unbounded_channel();
        let mut body = follow(Given(given), patience(30)).into_body();
        (0..40).for_each(|position| give.send((position, b"{}".to_vec())).unwrap());
        drop(give);
        let mut seen = 0;
        loop {
            sleep(Duration::from_millis(10)).await;
            match next(&mut body).await.as_str() {
                "end" => break,
                text => seen += usize::from(text.starts_with("id: ")),
            }
        }
        assert_eq!(seen, 40);
    }

    #[tokio::test]
    async fn a_listener_that_goes_away_is_noticed() {
        let (give, given) = unbounded_channel();
        let body = follow(Given(given), patience(30)).into_body();
        drop(body);
        timeout(Duration::from_secs(5), give.closed()).await.unwrap();
    }

    #[test]
    fn where_to_go_on_is_read_from_the_header() {
        let check = |value: Option<&str>, expect: Result<Option<u64>, ()>| {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert("last-event-id", value.parse().unwrap());
            }
            assert_eq!(resume_from(&headers).map_err(drop), expect, "{value:?}");
        };
        check(None, Ok(None));
        check(Some(""), Ok(None));
        check(Some("41"), Ok(Some(42)));
        check(Some("18446744073709551615"), Err(()));
        check(Some("-1"), Err(()));
        check(Some("x"), Err(()));
    }
}
