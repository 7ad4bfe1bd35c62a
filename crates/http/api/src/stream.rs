//! Many events in one answer: exports, and a ledger as it grows.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::Uri;
use axum::response::Response;
use event::Value;
use futures_core::Stream;
use indelible::{Error, Indelible, Question, show};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::door::Door;
use crate::export::{Format, export};
use crate::params::Params;
use crate::problem::Problem;
use crate::read::ledger;
use crate::tail::{follow, resume_from};

/// Events read at once, and how long to wait when there is none.
const STEP: u64 = 256;
const PAUSE: Duration = Duration::from_millis(200);

/// `GET /v1/export`
pub(crate) async fn take_out(State(door): State<Arc<Door>>, uri: Uri) -> Result<Response, Problem> {
    let params = Params::read(&uri, &["format", "type", "actor", "status", "from", "to", "organisation"])?;
    let format = params.get("format").unwrap_or("ndjson");
    let format = Format::named(format)
        .ok_or_else(|| Problem::bad("parameter", "format: expected `ndjson`, `json` or `csv`"))?;
    let (organisation, question) = (params.organisation()?, params.question()?);
    let place = place(&door.exports, "too many exports at once; try again later")?;
    let size = {
        let organisation = organisation.clone();
        door.read(move |product| Ok(ledger(product, &organisation)?.size())).await?
    };
    let pages = Pages {
        product: door.product.clone(),
        organisation,
        question: Question { before: Some(size), limit: Some(1000), ..question },
        page: Vec::new().into_iter(),
        is_last: false,
    };
    Ok(export(pages, format, Some(size), place))
}

/// The events that a question finds, page after page.
struct Pages {
    product: Arc<Indelible>,
    organisation: String,
    question: Question,
    page: std::vec::IntoIter<Value<'static>>,
    is_last: bool,
}

impl Iterator for Pages {
    type Item = Result<Value<'static>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(event) = self.page.next() {
                return Some(Ok(event));
            }
            if self.is_last {
                return None;
            }
            match self.product.search(&self.organisation, &self.question) {
                Ok(page) => {
                    self.page = page.events.into_iter();
                    self.question.before = page.next;
                    self.is_last = page.next.is_none();
                }
                Err(error) => {
                    self.is_last = true;
                    return Some(Err(error));
                }
            }
        }
    }
}

/// `GET /v1/tail`
pub(crate) async fn listen(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let params = Params::read(request.uri(), &["from", "organisation"])?;
    let organisation = params.organisation()?;
    let from = match params.get("from") {
        Some(text) => Some(
            text.parse().map_err(|_| Problem::bad("parameter", "from: expected the position of an event"))?,
        ),
        None => None,
    };
    // A browser that comes back sends both; the header is newer.
    let from = resume_from(request.headers())?.or(from);
    let place = place(&door.tails, "too many clients listen already; try again later")?;
    let size = {
        let organisation = organisation.clone();
        door.read(move |product| Ok(ledger(product, &organisation)?.size())).await?
    };
    let (out, events) = channel(1);
    let patience = door.patience.clone();
    tokio::spawn(read_on(door, organisation, from.unwrap_or(size), out, place));
    Ok(follow(Events(events), patience))
}

/// Hands over what is recorded, from a position on, until nobody takes it or the server stops.
async fn read_on(
    door: Arc<Door>,
    organisation: String,
    mut at: u64,
    out: Sender<(u64, Vec<u8>)>,
    _place: OwnedSemaphorePermit,
) {
    while !door.is_draining() && !out.is_closed() {
        let name = organisation.clone();
        let step = door.read(move |product| {
            let ledger = ledger(product, &name)?;
            let shown = (at..ledger.size().min(at.saturating_add(STEP)))
                .map(|position| Ok((position, show(&ledger, &name, &ledger.record(position)?)?.to_jcs())));
            Ok(shown.collect::<Result<Vec<_>, Error>>()?)
        });
        // What is wrong is in our own log; the client comes back and is told.
        let Ok(step) = step.await else { return };
        if step.is_empty() {
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = out.closed() => return,
            }
        }
        for (position, json) in step {
            if out.send((position, json)).await.is_err() {
                return;
            }
            at = position + 1;
        }
    }
}

/// What [`read_on`] hands over.
struct Events(Receiver<(u64, Vec<u8>)>);

impl Stream for Events {
    type Item = (u64, Vec<u8>);

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}

fn place(places: &Arc<Semaphore>, full: &'static str) -> Result<OwnedSemaphorePermit, Problem> {
    places.clone().try_acquire_owned().map_err(|_| Problem::busy(full, 5000))
}
