//! `Idempotency-Key`: a request that is sent again is answered again, and not carried out again.
//!
//! As draft-ietf-httpapi-idempotency-key-header-07 has it. What is remembered is in memory only: after a restart the
//! ledger's own set of source ids still tells duplicates.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use hyper::body::Bytes;
use sha2::{Digest, Sha256};

use crate::auth::{Caller, KeyHash};
use crate::body::Received;
use crate::door::Door;
use crate::problem::Problem;

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const KEY_MOST: usize = 255;
/// How long an answer is remembered.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// What is remembered at most. The oldest goes first.
const ENTRIES_MOST: usize = 100_000;
const BYTES_MOST: usize = 64 << 20;
/// What an entry takes beside its answer, more or less.
const ENTRY_BYTES: usize = 256;

/// Who asked, and under which key, as a hash: keys are theirs to choose, and their length is not our memory's business.
type Name = [u8; 32];
type Payload = [u8; 32];

/// What was asked under a name, and the answer once there is one.
struct Entry {
    payload: Payload,
    answer: Option<Answer>,
}

#[derive(Clone)]
struct Answer {
    status: StatusCode,
    content_type: HeaderValue,
    body: Bytes,
}

#[derive(Default)]
struct Remembered {
    entries: HashMap<Name, Entry>,
    /// Names of those that have an answer, the oldest first, and when they are forgotten.
    order: VecDeque<(Duration, Name)>,
    bytes: usize,
}

/// Answers that are remembered.
#[derive(Default)]
pub(crate) struct Answers(Mutex<Remembered>);

/// Of a request with a key: who asks, and for what beside the body.
pub(crate) struct Asked {
    viewer: KeyHash,
    key: String,
    target: Vec<u8>,
}

impl Asked {
    pub(crate) fn of(request: &Request) -> Result<Option<Asked>, Problem> {
        let Some(key) = key(request.headers())?.map(str::to_owned) else { return Ok(None) };
        let viewer = request.extensions().get::<Caller>().map_or([0; 32], |caller| caller.key);
        Ok(Some(Asked { viewer, key, target: format!("{} {}", request.method(), request.uri()).into() }))
    }

    /// Something else that is a part of what is asked.
    pub(crate) fn also(&mut self, part: &[u8]) {
        self.target.push(b'\n');
        self.target.extend_from_slice(part);
    }
}

/// Answers a request, if it has a key only once.
///
/// A keyed one is carried out to its end also when the client goes away meanwhile: what it began is then remembered, and
/// asking again does not begin it again.
pub(crate) async fn once<F>(
    door: &Arc<Door>,
    asked: Option<Asked>,
    body: Received,
    answer: impl FnOnce(Arc<Door>, Received) -> F + Send + 'static,
) -> Result<Response, Problem>
where
    F: Future<Output = Result<Response, Problem>> + Send + 'static,
{
    let Some(Asked { viewer, key, target }) = asked else { return answer(door.clone(), body).await };
    let hashed = move || {
        let payload = payload(&[&target, &[body.form as u8], &body.bytes]);
        (payload, body)
    };
    let (payload, body) = door.blocking(move |_| Ok(hashed())).await?;
    match door.answers.begin(&viewer, &key, payload, door.now())? {
        Turn::Again(response) => Ok(response),
        Turn::First(ticket) => {
            let door = door.clone();
            let answered = tokio::spawn(async move {
                let response = answer(door.clone(), body).await.unwrap_or_else(Problem::into_response);
                ticket.answer(response, door.now()).await
            });
            answered.await.map_err(|_| Problem::internal("something broke; the server's own log says what"))
        }
    }
}

/// What to do with a request that has a key.
pub(crate) enum Turn {
    /// Nobody asked this before.
    First(Ticket),
    /// It was answered already.
    Again(Response),
}

/// The right to answer under a key. Dropped without an answer, it is as if nobody had asked: trying again is right.
pub(crate) struct Ticket {
    answers: Arc<Answers>,
    name: Option<Name>,
}

/// The key of a request, if it has one: with or without the quotes of a structured field.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let wrong = || {
        let detail =
            format!("the header Idempotency-Key: expected one of 1 to {KEY_MOST} printable characters");
        Problem::bad("idempotency_key", detail)
    };
    let mut given = headers.get_all(HEADER).iter();
    let header = match (given.next(), given.next()) {
        (None, _) => return Ok(None),
        (Some(header), None) => header,
        (Some(_), Some(_)) => return Err(wrong()),
    };
    let text = header.to_str().map_err(|_| wrong())?.trim();
    let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    match bare.len() {
        1..=KEY_MOST => Ok(Some(bare)),
        _ => Err(wrong()),
    }
}

/// What a request asks for, in a hash: method, target and body, as they mean the same thing.
pub(crate) fn payload(parts: &[&[u8]]) -> Payload {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

impl Answers {
    /// Takes the turn of a viewer's request under a key.
    pub(crate) fn begin(
        self: &Arc<Answers>,
        viewer: &[u8],
        key: &str,
        payload: Payload,
        now: Duration,
    ) -> Result<Turn, Problem> {
        let name = self::payload(&[viewer, key.as_bytes()]);
        let mut remembered = self.lock();
        remembered.forget(now);
        match remembered.entries.get(&name) {
            None => {
                remembered.entries.insert(name, Entry { payload, answer: None });
                Ok(Turn::First(Ticket { answers: self.clone(), name: Some(name) }))
            }
            Some(entry) if entry.payload != payload => {
                let detail = "this key was used with another request; use a new key for each";
                Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key", detail))
            }
            Some(Entry { answer: Some(answer), .. }) => Ok(Turn::Again(answer.replay())),
            Some(_) => {
                let detail = "a request with this key is being answered now; ask again later";
                Err(Problem::new(StatusCode::CONFLICT, "in_flight", detail))
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(|broken| broken.into_inner())
    }
}

impl Ticket {
    /// Remembers an answer and hands it back. One that says "not now" is not remembered: it is meant to change.
    pub(crate) async fn answer(mut self, response: Response, now: Duration) -> Response {
        if response.status().is_server_error() {
            return response;
        }
        let (head, body) = response.into_parts();
        // Answers here are written in one piece; there is nothing to wait for, and nothing to fail.
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let content_type =
            head.headers.get(CONTENT_TYPE).cloned().unwrap_or(HeaderValue::from_static("application/json"));
        let answer = Answer { status: head.status, content_type, body: body.clone() };
        if let Some(name) = self.name.take() {
            self.answers.lock().keep(name, answer, now);
        }
        Response::from_parts(head, Body::from(body))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(name) = self.name.take() {
            self.answers.lock().entries.remove(&name);
        }
    }
}

impl Remembered {
    fn keep(&mut self, name: Name, answer: Answer, now: Duration) {
        let Some(entry) = self.entries.get_mut(&name) else { return };
        self.bytes += ENTRY_BYTES + answer.body.len();
        entry.answer = Some(answer);
        self.order.push_back((now.saturating_add(KEPT), name));
        self.forget(now);
    }

    /// Lets go of what is too old, and of the oldest while there is too much.
    fn forget(&mut self, now: Duration) {
        while let Some((until, name)) = self.order.front() {
            if *until > now && self.order.len() <= ENTRIES_MOST && self.bytes <= BYTES_MOST {
                break;
            }
            if let Some(Entry { answer: Some(answer), .. }) = self.entries.remove(name) {
                self.bytes -= ENTRY_BYTES + answer.body.len();
            }
            self.order.pop_front();
        }
    }
}

impl Answer {
    fn replay(&self) -> Response {
        let mut response = Response::new(Body::from(self.body.clone()));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, self.content_type.clone());
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1000);

    fn first(answers: &Arc<Answers>, key: &str, now: Duration) -> Ticket {
        match answers.begin(b"viewer", key, payload(&[b"body"]), now) {
            Ok(Turn::First(ticket)) => ticket,
            Ok(Turn::Again(_)) => panic!("{key} was remembered"),
            Err(problem) => panic!("{key}: {problem:?}"),
        }
    }

    fn is_remembered(answers: &Arc<Answers>, key: &str, now: Duration) -> bool {
        matches!(answers.begin(b"viewer", key, payload(&[b"body"]), now), Ok(Turn::Again(_)))
    }

    fn ok(bytes: usize) -> Response {
        Response::new(Body::from(vec![b'x'; bytes]))
    }

    #[tokio::test]
    async fn an_answer_is_remembered_for_a_day_and_for_one_viewer() {
        let answers = Arc::new(Answers::default());
        first(&answers, "k", NOW).answer(ok(1), NOW).await;
        assert!(is_remembered(&answers, "k", NOW + KEPT - Duration::from_secs(1)));
        assert!(matches!(answers.begin(b"other", "k", payload(&[b"body"]), NOW), Ok(Turn::First(_))));
        let differs = answers.begin(b"viewer", "k", payload(&[b"other"]), NOW).err().unwrap();
        assert!(format!("{differs:?}").contains("422"));
        assert!(!is_remembered(&answers, "k", NOW + KEPT));
        assert_eq!(answers.lock().bytes, 0);
        assert!(answers.lock().order.is_empty());
    }

    #[tokio::test]
    async fn what_is_being_answered_is_not_answered_twice() {
        let answers = Arc::new(Answers::default());
        let ticket = first(&answers, "k", NOW);
        let busy = answers.begin(b"viewer", "k", payload(&[b"body"]), NOW).err().unwrap();
        assert!(format!("{busy:?}").contains("in_flight"));
        drop(ticket);
        let mut unavailable = ok(1);
        *unavailable.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        first(&answers, "k", NOW).answer(unavailable, NOW).await;
        first(&answers, "k", NOW).answer(ok(1), NOW).await;
        assert!(is_remembered(&answers, "k", NOW));
    }

    #[tokio::test]
    async fn memory_is_bounded_and_the_oldest_go_first() {
        let answers = Arc::new(Answers::default());
        for n in 0..70 {
            first(&answers, &n.to_string(), NOW).answer(ok(1 << 20), NOW).await;
        }
        assert!(answers.lock().bytes <= BYTES_MOST);
        let kept = answers.lock().order.len();
        assert_eq!(answers.lock().entries.len(), kept);
        assert!(!is_remembered(&answers, "0", NOW));
        assert!(is_remembered(&answers, "69", NOW));

        let answers = Arc::new(Answers::default());
        for n in 0..ENTRIES_MOST + 10 {
            first(&answers, &n.to_string(), NOW).answer(ok(1), NOW).await;
        }
        assert_eq!(answers.lock().entries.len(), ENTRIES_MOST);
        assert!(!is_remembered(&answers, "9", NOW));
        assert!(is_remembered(&answers, "10", NOW));
    }

    #[test]
    fn keys_are_read_with_and_without_quotes() {
        let check = |values: &[&str], expect: Option<&str>| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(HEADER, value.parse().unwrap());
            }
            assert_eq!(key(&headers).ok().flatten(), expect, "{values:?}");
            assert_eq!(key(&headers).is_ok(), expect.is_some() || values.is_empty());
        };
        let (long, longer) = ("x".repeat(255), "x".repeat(256));
        check(&[], None);
        check(&["8e03978e-40d5-43e8-bc93-6894a57f9324"], Some("8e03978e-40d5-43e8-bc93-6894a57f9324"));
        check(&["\"a b\""], Some("a b"));
        check(&[&long], Some(&long));
        check(&[&longer], None);
        check(&[""], None);
        check(&["\"\""], None);
        check(&["a", "b"], None);
    }
}
