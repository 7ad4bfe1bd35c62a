//! Exports: many events in one answer, in the form that other programs want.
//!
//! They are read and written on a thread that may block, a piece at a time, and no piece is made before the client has
//! taken the ones before it. An export that cannot be finished is broken off, so that half of one never looks whole.

use std::borrow::Cow;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, TRAILER};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use event::Value;
use hyper::body::{Bytes, Frame};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;

/// How events are written in numbers, here and by `indelible export`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Ndjson,
    /// One JSON array.
    Json,
    /// RFC 4180, the most asked-for fields in columns, the first row their names.
    Csv,
}

impl Format {
    /// Every format, by name.
    pub const ALL: [(&'static str, Format); 3] =
        [("ndjson", Format::Ndjson), ("json", Format::Json), ("csv", Format::Csv)];

    pub(crate) fn named(name: &str) -> Option<Format> {
        Format::ALL.iter().find(|(known, _)| *known == name).map(|(_, format)| *format)
    }

    /// Writes what comes before the first event.
    pub fn write_start(self, out: &mut Vec<u8>) {
        match self {
            Format::Ndjson => {}
            Format::Json => out.push(b'['),
            Format::Csv => row(COLUMNS.iter().map(|column| Cow::Borrowed(column.name)), out),
        }
    }

    /// Writes an event.
    pub fn write_event(self, event: &Value<'_>, is_first: bool, out: &mut Vec<u8>) {
        match self {
            Format::Ndjson => {
                event.write_jcs(out);
                out.push(b'\n');
            }
            Format::Json => {
                out.extend_from_slice(if is_first { b"\n" } else { b",\n" });
                event.write_jcs(out);
            }
            Format::Csv => row(COLUMNS.iter().map(|column| column.cell(event)), out),
        }
    }

    /// Writes what comes after the last event.
    pub fn write_end(self, out: &mut Vec<u8>) {
        if self == Format::Json {
            out.extend_from_slice(b"\n]\n");
        }
    }
}

/// How an answer of many events is written.
pub(crate) trait Written: Copy + Send + 'static {
    fn media_type(self) -> &'static str;
    fn file_name(self) -> &'static str;
    /// What comes before the first event.
    fn write_start(self, out: &mut Vec<u8>);
    fn write_event(self, event: &Value<'_>, is_first: bool, out: &mut Vec<u8>);
    /// What comes after the last event.
    fn write_end(self, out: &mut Vec<u8>);
}

impl Written for Format {
    fn media_type(self) -> &'static str {
        match self {
            Format::Ndjson => "application/x-ndjson",
            Format::Json => "application/json",
            Format::Csv => "text/csv; charset=utf-8; header=present",
        }
    }

    fn file_name(self) -> &'static str {
        match self {
            Format::Ndjson => "attachment; filename=\"events.ndjson\"",
            Format::Json => "attachment; filename=\"events.json\"",
            Format::Csv => "attachment; filename=\"events.csv\"",
        }
    }

    fn write_start(self, out: &mut Vec<u8>) {
        Format::write_start(self, out);
    }

    fn write_event(self, event: &Value<'_>, is_first: bool, out: &mut Vec<u8>) {
        Format::write_event(self, event, is_first, out);
    }

    fn write_end(self, out: &mut Vec<u8>) {
        Format::write_end(self, out);
    }
}

/// A way of writing of one of our neighbours.
pub(crate) struct Lines {
    pub(crate) media_type: &'static str,
    pub(crate) file_name: &'static str,
    pub(crate) start: &'static str,
    /// Before the first event, and before every other one.
    pub(crate) first: &'static str,
    pub(crate) next: &'static str,
    pub(crate) end: &'static str,
    pub(crate) write: fn(&Value<'_>, &mut Vec<u8>),
}

impl Written for &'static Lines {
    fn media_type(self) -> &'static str {
        self.media_type
    }

    fn file_name(self) -> &'static str {
        self.file_name
    }

    fn write_start(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.start.as_bytes());
    }

    fn write_event(self, event: &Value<'_>, is_first: bool, out: &mut Vec<u8>) {
        out.extend_from_slice(if is_first { self.first } else { self.next }.as_bytes());
        (self.write)(event, out);
    }

    fn write_end(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.end.as_bytes());
    }
}

/// A column of the CSV: its name, and where in an event its value lies.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pointer: &'static str,
}

const fn column(name: &'static str, pointer: &'static str) -> Column {
    Column { name, pointer }
}

/// The columns of the CSV. They are a promise to spreadsheets: new ones come at the end. Lists and objects are in their
/// cells as JSON, as is `attributes`.
pub(crate) const COLUMNS: &[Column] = &[
    column("position", "/position"),
    column("id", "/id"),
    column("time", "/time"),
    column("received", "/received"),
    column("organisation", "/organisation"),
    column("type", "/type"),
    column("status", "/status"),
    column("severity", "/severity"),
    column("action", "/action"),
    column("message", "/message"),
    column("actor_type", "/actor/type"),
    column("actor_id", "/actor/id"),
    column("actor_email", "/actor/email"),
    column("actor_name", "/actor/name"),
    column("actor_ip", "/actor/ip"),
    column("actor_user_agent", "/actor/user_agent"),
    column("targets", "/targets"),
    column("changes", "/changes"),
    column("project", "/project"),
    column("environment", "/environment"),
    column("producer", "/producer"),
    column("producer_seq", "/producer_seq"),
    column("source_id", "/source_id"),
    column("request_id", "/request_id"),
    column("trace_id", "/trace_id"),
    column("llm_provider", "/llm/provider"),
    column("llm_model", "/llm/model"),
    column("llm_tokens_input", "/llm/tokens_input"),
    column("llm_tokens_output", "/llm/tokens_output"),
    column("llm_tokens_total", "/llm/tokens_total"),
    column("llm_cost", "/llm/cost"),
    column("llm_currency", "/llm/currency"),
    column("llm_latency_ms", "/llm/latency_ms"),
    column("error_type", "/error/type"),
    column("error_message", "/error/message"),
    column("attributes", "/attributes"),
];

impl Column {
    fn cell<'v>(&self, event: &'v Value<'_>) -> Cow<'v, str> {
        match event.pointer(self.pointer) {
            None | Some(Value::Null) => Cow::Borrowed(""),
            Some(Value::String(text)) => Cow::Borrowed(text),
            // Canonical JSON is UTF-8; of a number it is the number.
            Some(other) => Cow::Owned(String::from_utf8(other.to_jcs()).unwrap_or_default()),
        }
    }
}

/// One row. A cell that a spreadsheet would take for a formula begins with a quote mark instead.
fn row<'c>(cells: impl Iterator<Item = Cow<'c, str>>, out: &mut Vec<u8>) {
    for (n, cell) in cells.enumerate() {
        if n > 0 {
            out.push(b',');
        }
        let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let is_quoted = cell.contains(['"', ',', '\r', '\n']);
        let guard = if is_formula { "'" } else { "" };
        match is_quoted {
            true => out.extend_from_slice(format!("\"{guard}{}\"", cell.replace('"', "\"\"")).as_bytes()),
            false => {
                out.extend_from_slice(guard.as_bytes());
                out.extend_from_slice(cell.as_bytes());
            }
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// How large pieces are, how many wait for the client, and how long for it to take one.
const PIECE: usize = 64 << 10;
const PIECES_WAITING: usize = 2;
const TAKE_TIME: Duration = Duration::from_secs(60);

/// How many events there will be at most, as far as that is known before they are read.
const ESTIMATE: HeaderName = HeaderName::from_static("x-indelible-estimated-events");
/// How many there were: a trailer, for clients that said `TE: trailers`.
const EVENTS: HeaderName = HeaderName::from_static("x-indelible-events");

/// Why an export was broken off; told to nobody but our own log.
#[derive(Debug)]
pub(crate) struct Broken;

/// An answer of all the events there are, written while they are read. `held` is let go of when that has ended.
///
/// To be called within the runtime, since it takes one of its blocking threads.
pub(crate) fn export<E: std::fmt::Display>(
    events: impl Iterator<Item = Result<Value<'static>, E>> + Send + 'static,
    format: impl Written,
    estimate: Option<u64>,
    held: impl Send + 'static,
) -> Response {
    let (out, pieces) = channel(PIECES_WAITING);
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || {
        let _held = held;
        write(events, format, &Pieces { runtime, out });
    });
    let mut response = Response::new(Body::new(Streamed { pieces, is_whole: false }));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static(format.file_name()));
    headers.insert(TRAILER, HeaderValue::from_static("X-Indelible-Events"));
    if let Some(estimate) = estimate {
        headers.insert(ESTIMATE, HeaderValue::from(estimate));
    }
    response
}

enum Piece {
    Bytes(Vec<u8>),
    /// The end, and how many events there were.
    End(u64),
}

struct Pieces {
    runtime: Handle,
    out: Sender<Piece>,
}

impl Pieces {
    /// Whether the client took it, or will. A thread is not held by one who takes nothing.
    fn send(&self, piece: Piece) -> bool {
        self.runtime.block_on(timeout(TAKE_TIME, self.out.send(piece))).is_ok_and(|sent| sent.is_ok())
    }
}

fn write<E: std::fmt::Display>(
    events: impl Iterator<Item = Result<Value<'static>, E>>,
    format: impl Written,
    pieces: &Pieces,
) {
    let mut bytes = Vec::with_capacity(PIECE);
    let mut count = 0;
    format.write_start(&mut bytes);
    for event in events {
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                tracing::error!(%error, "an export was broken off");
                return;
            }
        };
        format.write_event(&event, count == 0, &mut bytes);
        count += 1;
        if bytes.len() >= PIECE && !pieces.send(Piece::Bytes(std::mem::take(&mut bytes))) {
            return;
        }
    }
    format.write_end(&mut bytes);
    if pieces.send(Piece::Bytes(bytes)) {
        pieces.send(Piece::End(count));
    }
}

struct Streamed {
    pieces: Receiver<Piece>,
    is_whole: bool,
}

impl hyper::body::Body for Streamed {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = self.get_mut();
        if this.is_whole {
            return Poll::Ready(None);
        }
        this.pieces.poll_recv(context).map(|piece| match piece {
            Some(Piece::Bytes(bytes)) => Some(Ok(Frame::data(bytes.into()))),
            Some(Piece::End(count)) => {
                this.is_whole = true;
                let mut trailers = HeaderMap::new();
                trailers.insert(EVENTS, HeaderValue::from(count));
                Some(Ok(Frame::trailers(trailers)))
            }
            // Not a whole one: the connection is broken off, rather than the body ended.
            None => Some(Err(Broken)),
        })
    }
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the export could not be finished")
    }
}

impl std::error::Error for Broken {}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use event::json;
    use http_body_util::BodyExt;

    use super::*;

    fn event(text: &str) -> Value<'static> {
        json::parse(text.as_bytes(), &json::Limits::default()).unwrap().into_owned()
    }

    fn events(texts: &[&str]) -> impl Iterator<Item = Result<Value<'static>, String>> + Send + 'static {
        texts.iter().map(|text| Ok(event(text))).collect::<Vec<_>>().into_iter()
    }

    async fn whole(response: Response) -> (String, u64) {
        let body = response.into_body().collect().await.unwrap();
        let count = body.trailers().unwrap()[EVENTS].to_str().unwrap().parse().unwrap();
        (String::from_utf8(body.to_bytes().to_vec()).unwrap(), count)
    }

    #[tokio::test]
    async fn lines_and_arrays_hold_every_event() {
        let given = [r#"{"type":"a.b","position":1}"#, r#"{"type":"a.c","position":2}"#];
        let response = export(events(&given), Format::Ndjson, Some(2), ());
        assert_eq!(response.headers()[ESTIMATE], "2");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/x-ndjson");
        let (text, count) = whole(response).await;
        assert_eq!(
            (text.as_str(), count),
            ("{\"position\":1,\"type\":\"a.b\"}\n{\"position\":2,\"type\":\"a.c\"}\n", 2)
        );
        let (text, _) = whole(export(events(&given), Format::Json, None, ())).await;
        assert_eq!(text, "[\n{\"position\":1,\"type\":\"a.b\"},\n{\"position\":2,\"type\":\"a.c\"}\n]\n");
        assert_eq!(event(&text).as_array().unwrap().len(), 2);
        assert_eq!(whole(export(events(&[]), Format::Json, None, ())).await, ("[\n]\n".to_owned(), 0));
        assert_eq!(whole(export(events(&[]), Format::Ndjson, None, ())).await, (String::new(), 0));
    }

    #[tokio::test]
    async fn spreadsheets_get_one_row_each_and_no_formulas() {
        let given = [
            r#"{"type":"a.b","position":7,"message":"two\r\nlines, \"quoted\"","actor":{"id":"=cmd()","name":"+1"},
                "action":"@x","project":"-1","llm":{"latency_ms":-5.5},"targets":[{"id":"k,1"}],"attributes":{"a":[1]}}"#,
            r#"{"type":"ünïcode"}"#,
        ];
        let (text, count) = whole(export(events(&given), Format::Csv, None, ())).await;
        assert_eq!(count, 2);
        let mut rows = text.split_terminator("\r\n");
        let names: Vec<&str> = rows.next().unwrap().split(',').collect();
        assert_eq!(names, COLUMNS.iter().map(|column| column.name).collect::<Vec<_>>());
        assert!(text.contains("\"two\r\nlines, \"\"quoted\"\"\""));
        for guarded in [",'=cmd(),", ",'+1,", ",'@x,", ",'-1,", ",'-5.5,"] {
            assert!(text.contains(guarded), "{guarded} {text}");
        }
        assert!(text.contains(r#""[{""id"":""k,1""}]""#), "{text}");
        assert!(text.contains(",\"{\"\"a\"\":[1]}\"\r\n"), "{text}");
        assert!(text.ends_with(&format!("{}\r\n", ",".repeat(COLUMNS.len() - 6))), "{text}");
        assert!(text.contains("ünïcode"));
    }

    #[test]
    fn cells_are_quoted_where_rfc_4180_says() {
        let check = |cell: &str, expect: &str| {
            let mut out = Vec::new();
            row([Cow::Borrowed(cell)].into_iter(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), format!("{expect}\r\n"));
        };
        check("", "");
        check("plain text", "plain text");
        check("a,b", "\"a,b\"");
        check("a\"b", "\"a\"\"b\"");
        check("a\nb", "\"a\nb\"");
        check("\rb", "\"'\rb\"");
        check("\tb", "'\tb");
        check("=1,2", "\"'=1,2\"");
        check("a=1", "a=1");
    }

    #[test]
    fn every_column_is_a_field_of_events() {
        for column in COLUMNS {
            let path = column.pointer[1..].replace('/', ".");
            let shown = ["position", "received"].contains(&path.as_str());
            let list = format!("{path}[]");
            assert!(shown || event::field::find(&path).or(event::field::find(&list)).is_some(), "{path}");
        }
    }

    #[tokio::test]
    async fn an_export_that_breaks_does_not_look_whole() {
        let broken = events(&[r#"{"type":"a.b"}"#]).chain([Err("the disk".to_owned())]);
        let body = export(broken, Format::Ndjson, None, ()).into_body();
        assert!(body.collect().await.is_err());
    }

    #[tokio::test]
    async fn nothing_is_read_that_the_client_has_no_room_for() {
        let read = Arc::new(AtomicUsize::new(0));
        let counter = read.clone();
        let large = event(&format!(r#"{{"type":"{}"}}"#, "x".repeat(PIECE)));
        let events = (0..1000).map(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
            Ok::<_, String>(large.clone())
        });
        let held = Arc::new(());
        let mut body = export(events, Format::Ndjson, None, held.clone()).into_body();
        body.frame().await.unwrap().unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(read.load(Ordering::Relaxed) <= PIECES_WAITING + 2, "{}", read.load(Ordering::Relaxed));
        assert_eq!(Arc::strong_count(&held), 2);
        drop(body);
        for _ in 0..100 {
            if Arc::strong_count(&held) == 1 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the client is gone, and its thread is not");
    }
}
