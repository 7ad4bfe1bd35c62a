//! Many events in one answer: exports, and a ledger as it grows.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use access::Permission;
use axum::extract::{Request, State};
use axum::http::Uri;
use axum::response::Response;
use futures_core::Stream;
use indelible::Tail;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::auth::Caller;
use crate::door::Door;
use crate::export::{Format, export};
use crate::params::{Params, QUESTION};
use crate::problem::Problem;
use crate::tail::{follow, resume_from};

/// How long to wait for the next event before looking whether anybody still listens.
const PAUSE: Duration = Duration::from_millis(200);

/// `GET /v1/events/export`
pub(crate) async fn take_out(
    State(door): State<Arc<Door>>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Problem> {
    let params = Params::read_both(&uri, QUESTION, &["format", "sort"])?;
    let format = params.get("format").unwrap_or("ndjson");
    let format = Format::named(format)
        .ok_or_else(|| Problem::bad("parameter", "format: expected `ndjson`, `json` or `csv`"))?;
    let question = params.question(&caller.viewer, Permission::Export)?;
    let order = params.order()?;
    let place = place(&door.exports, "too many exports at once; try again later")?;
    let product = door.product.clone();
    let events = door.read(move |_| {
        let events = product.export(&caller.viewer, &question, order);
        Ok(params.or_nothing(events.map(Some))?)
    });
    let events = events.await?;
    let total = events.as_ref().map_or(0, |events| events.total().value);
    Ok(export(events.into_iter().flatten(), format, Some(total), place))
}

/// `GET /v1/events/tail`
pub(crate) async fn listen(
    State(door): State<Arc<Door>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read_both(request.uri(), QUESTION, &["at", "follow"])?;
    let question = params.question(&caller.viewer, Permission::Tail)?;
    let at = match params.get("at") {
        Some(text) => Some(
            text.parse().map_err(|_| Problem::bad("parameter", "at: expected the position of an event"))?,
        ),
        None => None,
    };
    // A browser that comes back sends both; the header is newer.
    let at = resume_from(request.headers())?.or(at);
    let place = place(&door.tails, "too many clients listen already; try again later")?;
    let product = door.product.clone();
    let follows = params.get("follow").is_none() || params.flag("follow")?;
    let tail = door.read(move |_| Ok(product.tail(&caller.viewer, &question, at)?)).await?;
    let until = (!follows).then(|| tail.size());
    let (out, events) = channel(1);
    let patience = door.patience.clone();
    tokio::spawn(read_on(door, tail, until, out, place));
    Ok(follow(Events(events), patience))
}

/// Hands over what is recorded until nobody takes it, the server stops, or what is before `until` was looked at.
async fn read_on(
    door: Arc<Door>,
    mut tail: Tail,
    until: Option<u64>,
    out: Sender<(u64, Vec<u8>)>,
    _place: OwnedSemaphorePermit,
) {
    let is_over = |tail: &Tail| until.is_some_and(|until| tail.at() >= until);
    while !door.is_draining() && !out.is_closed() && !is_over(&tail) {
        let step = tokio::task::spawn_blocking(move || {
            let step = tail.next(PAUSE);
            (tail, step)
        });
        // What is wrong is in our own log; the client comes back and is told.
        let Ok((back, step)) = step.await else { return };
        tail = back;
        let step = match step {
            Ok(step) => step,
            Err(error) => {
                tracing::error!(%error, "a tail was broken off");
                break;
            }
        };
        for (position, event) in step {
            if out.send((position, event.to_jcs())).await.is_err() {
                break;
            }
        }
    }
    // That it ended is recorded, which takes a thread that may wait for the disk.
    let _ = tokio::task::spawn_blocking(move || drop(tail)).await;
}

/// What [`read_on`] hands over.
struct Events(Receiver<(u64, Vec<u8>)>);

impl Stream for Events {
    type Item = (u64, Vec<u8>);

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}

/// Room for one more, if there is any.
pub(crate) fn place(places: &Arc<Semaphore>, full: &'static str) -> Result<OwnedSemaphorePermit, Problem> {
    places.clone().try_acquire_owned().map_err(|_| Problem::busy(full, 5000))
}
