//! Bodies: never more bytes than the limit, nor more of them at once than there is memory for.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use crate::door::{Door, UNIT};
use crate::encoding::Encoding;
use crate::media::{Form, form};
use crate::problem::Problem;

/// What even the smallest body is reckoned at, and the least step by which one grows.
const STEP: usize = 64 << 10;

/// A body as it was meant, and the memory it has been given.
pub(crate) struct Received {
    pub(crate) bytes: Vec<u8>,
    pub(crate) form: Form,
    _memory: OwnedSemaphorePermit,
}

/// The bytes of a body, and the memory they have been given.
pub(crate) struct Held {
    pub(crate) bytes: Vec<u8>,
    pub(crate) memory: OwnedSemaphorePermit,
}

/// Reads a body whole. What is too large by its own account is not read at all, nor what comes in a form or an encoding
/// that is not taken.
pub(crate) async fn receive(door: &Arc<Door>, request: Request, most: usize) -> Result<Received, Problem> {
    let encoding = Encoding::of(request.headers())?;
    let form = form(request.headers())?;
    let Held { bytes, memory } = read(door, request, encoding, most).await?;
    Ok(Received { bytes, form, _memory: memory })
}

/// [`receive`] of a form that somebody else knows.
///
/// A compressed body is undone when all of it is here: while a slow client sends, it holds no thread.
pub(crate) async fn read(
    door: &Arc<Door>,
    request: Request,
    encoding: Encoding,
    most: usize,
) -> Result<Held, Problem> {
    let (head, body) = request.into_parts();
    let announced = announced(&head.headers).unwrap_or(0);
    if announced > most as u64 {
        return Err(too_large(most));
    }
    // For what there is no memory now, none of it need come. But what is announced and does not come takes nothing from
    // others: a few slow clients with large words would keep everybody out.
    if door.bodies.available_permits() < (announced as usize).div_ceil(UNIT) {
        return Err(busy());
    }
    let mut memory = claim(door, STEP)?;
    let bytes = match timeout(door.limits.body_time, collect(door, body, most, &mut memory)).await {
        Ok(bytes) => bytes?,
        Err(_) => {
            let detail = "the body took too long; send less at once";
            return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout", detail));
        }
    };
    door.metrics.received(bytes.len());
    let held = Held { bytes, memory };
    if encoding == Encoding::Identity { Ok(held) } else { unpack(door, held, encoding, most).await }
}

/// Undoes a compression.
pub(crate) async fn unpack(
    door: &Arc<Door>,
    packed: Held,
    encoding: Encoding,
    most: usize,
) -> Result<Held, Problem> {
    let at = door.clone();
    door.blocking(move |_| {
        let _work_memory = claim(&at, encoding.work_bytes())?;
        let mut memory = claim(&at, 0)?;
        let bytes = encoding.decode(&packed.bytes, most, |more| {
            memory.merge(claim(&at, more)?);
            Ok(())
        })?;
        Ok(Held { bytes, memory })
    })
    .await
}

async fn collect(
    door: &Arc<Door>,
    mut body: Body,
    most: usize,
    memory: &mut OwnedSemaphorePermit,
) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::bad("body", "the body ended early; send it again"))?;
        let Ok(data) = frame.into_data() else { continue };
        let len = bytes.len() + data.len();
        if len > most {
            return Err(too_large(most));
        }
        if len > memory.num_permits() * UNIT {
            memory.merge(claim(door, (len - memory.num_permits() * UNIT).max(bytes.len()).max(STEP))?);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn claim(door: &Arc<Door>, bytes: usize) -> Result<OwnedSemaphorePermit, Problem> {
    let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
    door.bodies.clone().try_acquire_many_owned(units).map_err(|_| busy())
}

fn busy() -> Problem {
    Problem::busy("too many bodies at once; send it again later", 1000)
}

fn too_large(most: usize) -> Problem {
    Problem::too_large(format!("a body may have {most} bytes; send fewer events at once"))
}

/// Bytes that the values of a JSON text take at most once it is read, more or less: what separates or begins values is
/// counted, also in strings, and each reckoned at what a member of an object takes.
pub(crate) fn tree_bytes(text: &[u8]) -> usize {
    let is_mark = |b: &u8| (*b == b',') | (*b == b':') | (*b == b'[') | (*b == b'{');
    // In pieces whose count fits a byte, so that the compiler takes many bytes at once.
    let marks = |piece: &[u8]| usize::from(piece.iter().map(|b| u8::from(is_mark(b))).sum::<u8>());
    3 * text.len() + 48 * text.chunks(128).map(marks).sum::<usize>()
}
