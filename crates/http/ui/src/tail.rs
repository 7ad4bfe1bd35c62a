//! Events as they come, as rows that are ready to be shown: the page only puts them in.
//!
//! However many come, a browser is sent at most four messages a second with at most forty rows each, the newest; of the
//! others it is told how many there were. So a thousand events a second freeze no page.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use askama::Template;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use event::Value;
use futures_core::Stream;
use indelible::{Question, Tail};
use query::Filter;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::answer::written;
use crate::desk::Desk;
use crate::fault::Fault;
use crate::frame::organisation;
use crate::narrow::Narrow;
use crate::question::{Ask, Pairs};
use crate::row::Rows;
use crate::visitor::Visitor;

/// Between two messages.
const PAUSE: Duration = Duration::from_millis(250);
/// Rows of a message.
const ROWS: usize = 40;
/// Rounds of waiting after which it is looked whether the session goes on: some ten seconds.
const LOOK: u32 = 24;

/// `GET /search/tail`
pub(crate) async fn tail(State(desk): State<Arc<Desk>>, visitor: Visitor, request: Request) -> Response {
    let ask = Ask::read(&Pairs::of(request.uri()));
    let said = request.headers().get("last-event-id").and_then(|id| id.to_str().ok());
    // A browser that was cut off says up to where it came.
    let from = said.and_then(|id| id.parse::<u64>().ok()).and_then(|last| last.checked_add(1));
    let Ok(place) = desk.tails().clone().try_acquire_owned() else {
        return refused(Fault::unavailable());
    };
    let organisation = organisation(&visitor.viewer, ask.organisation.as_deref());
    let Ok(filter) = Filter::parse(&ask.q) else { return refused(Fault::wrong("The filter can't be read.")) };
    let question = Question { organisation: organisation.clone(), filter, consistent: false };
    let (product, viewer) = (desk.product().clone(), visitor.viewer.clone());
    let begun = desk
        .read(move |_| product.tail(&viewer, &question, from).map_err(|error| Fault::asked(error, &viewer)));
    let tail = match begun.await {
        Ok(tail) => tail,
        Err(fault) => return refused(fault),
    };
    let (out, pieces) = channel(1);
    tokio::spawn(follow(desk, visitor, tail, Listener { ask, organisation, out, _place: place }));
    let mut response = written(StatusCode::OK, "text/event-stream", Body::from_stream(Pieces(pieces)));
    // nginx would hold the stream back until its buffer is full.
    response.headers_mut().insert("x-accel-buffering", axum::http::HeaderValue::from_static("no"));
    response
}

/// A stream that is refused with 204 is not asked for again.
fn refused(fault: Fault) -> Response {
    let mut response = fault.into_response();
    if response.status().is_client_error() {
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    response
}

struct Listener {
    ask: Ask,
    organisation: String,
    out: Sender<Vec<u8>>,
    _place: OwnedSemaphorePermit,
}

/// Hands over what is recorded until nobody takes it, the session is over, or the server stops.
async fn follow(desk: Arc<Desk>, visitor: Visitor, mut tail: Tail, listener: Listener) {
    let mut rounds = 0;
    // Something to send at once: the page learns that it is connected.
    let mut piece = Some(b": listening\n\n".to_vec());
    while !desk.is_stopping() {
        if let Some(piece) = piece.take()
            && listener.out.send(piece).await.is_err()
        {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        let step = tokio::task::spawn_blocking(move || {
            let step = tail.next(PAUSE);
            (tail, step)
        });
        let Ok((back, step)) = step.await else { return };
        tail = back;
        match step {
            Ok(events) if events.is_empty() => {}
            Ok(events) => piece = Some(message(&events, tail.at(), &listener)),
            Err(error) => {
                tracing::error!(%error, "a tail was broken off");
                break;
            }
        }
        rounds += 1;
        if rounds % LOOK == 0 {
            let (session, address) = (visitor.session.clone(), visitor.address);
            let lasts = desk.read(move |product| Ok(product.session_lasts(&session, Some(address)))).await;
            if !matches!(lasts, Ok(true)) {
                drop(listener.out.send(b"event: over\ndata: session\n\n".to_vec()).await);
                break;
            }
            // A proxy would think the connection dead, and we would not learn that the page is gone.
            piece = piece.or_else(|| Some(b": still here\n\n".to_vec()));
        }
    }
    // That it ended is recorded, which takes a thread that may wait for the disk.
    let _ = tokio::task::spawn_blocking(move || drop(tail)).await;
}

/// The newest rows, newest first; in the first line how many are not among them.
fn message(events: &[(u64, Value<'static>)], at: u64, listener: &Listener) -> Vec<u8> {
    let (ask, organisation) = (&listener.ask, listener.organisation.as_str());
    let rows = Rows { ask, narrow: Narrow::new(&ask.q), organisation };
    let passed_over = events.len().saturating_sub(ROWS);
    let mut text = format!("event: rows\nid: {}\ndata: {passed_over}\n", at.saturating_sub(1));
    for (_, event) in events[passed_over..].iter().rev() {
        let html = rows.row(event).render().unwrap_or_default();
        // A line end would end the field early: each line is a field of its own.
        for line in html.split(['\n', '\r']).filter(|line| !line.is_empty()) {
            text.push_str("data: ");
            text.push_str(line);
            text.push('\n');
        }
    }
    text.push('\n');
    text.into_bytes()
}

struct Pieces(Receiver<Vec<u8>>);

impl Stream for Pieces {
    type Item = Result<Vec<u8>, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|piece| piece.map(Ok))
    }
}
