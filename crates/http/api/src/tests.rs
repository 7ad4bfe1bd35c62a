//! The API as its clients see it: requests in, answers out, over a product in a folder of its own.

mod administration;
mod bodies;
mod cloudevents;
mod compat_examples;
mod compat_model;
mod doors;
mod encrypted;
mod hec;
mod http2;
mod isolation;
mod keyed;
mod litellm;
mod malformed;
mod mapping;
mod matrix;
mod otlp;
mod pages;
mod read;
mod record;
mod secrets;
mod serve;
mod stream;
mod syslog;
mod told;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use event::{Value, json};
use http_body_util::BodyExt;
use indelible::{Indelible, Settings};
use ledger::io::{File, Io, Lock, Open, OsIo};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::door::{Door, Limits, Settings as Serving};
use crate::routes::router_of;

const TOKEN: &str = "a-token-of-the-tests-0123456789abcdef";

struct Server {
    dir: TempDir,
    product: Arc<Indelible>,
    door: Arc<Door>,
    router: Router,
    /// Every sync fails while this is set.
    broken: Arc<AtomicBool>,
    /// Milliseconds on the clock that rates and remembered answers go by. It stands still.
    clock: Arc<AtomicU64>,
}

struct Indexing {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Indexing {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Server {
    fn new() -> Server {
        Server::with(Limits::default())
    }

    fn with(limits: Limits) -> Server {
        Server::serving(Serving { limits, ..Serving::default() })
    }

    fn serving(settings: Serving) -> Server {
        let dir = TempDir::new().unwrap();
        let broken = Arc::new(AtomicBool::new(false));
        let io = Arc::new(Machine { os: OsIo::new(), broken: broken.clone() });
        let product = Arc::new(Indelible::open(io, Settings::new(dir.path().join("data"))).unwrap());
        Server::over(dir, product, settings, broken)
    }

    fn over(dir: TempDir, product: Arc<Indelible>, settings: Serving, broken: Arc<AtomicBool>) -> Server {
        let clock = Arc::new(AtomicU64::new(1_000_000));
        let now = clock.clone();
        let now = Arc::new(move || Duration::from_millis(now.load(Ordering::Relaxed)));
        if !product.read_only() {
            product.bootstrap(Some(TOKEN)).unwrap();
        }
        let door = Door::new(product.clone(), settings, now);
        let router = router_of(door.clone());
        Server { dir, product, door, router, broken, clock }
    }

    /// Makes searchable what is recorded, until it is dropped.
    fn indexing(&self) -> Indexing {
        let (product, stop) = (self.product.clone(), Arc::new(AtomicBool::new(false)));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                if !product.index_step() {
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
        });
        Indexing { stop, thread: Some(thread) }
    }

    fn pass(&self, ms: u64) {
        self.clock.fetch_add(ms, Ordering::Relaxed);
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: head.status,
            headers: head.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    async fn ask(&self, method: &str, path: &str, body: impl Into<Body>) -> Answer {
        self.send(with_token(method, path).body(body.into()).unwrap()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "").await
    }

    async fn post(&self, body: impl Into<Body>) -> Answer {
        self.ask("POST", "/v1/events", body).await
    }
}

impl Answer {
    fn json(&self) -> Value<'_> {
        let limits = json::Limits { max_bytes: 64 << 20, max_depth: 128 };
        json::parse(self.text.as_bytes(), &limits).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// `status accepted duplicates index:code,…`
    fn told(&self) -> String {
        let json = self.json();
        let number = |name: &str| json.get(name).and_then(Value::as_i64).unwrap_or(-1);
        let rejected = json.get("rejected").and_then(Value::as_array).unwrap_or_default().iter().map(|one| {
            let index = one.get("index").and_then(Value::as_i64).unwrap();
            let text = |name: &str| one.get(name).and_then(Value::as_str).unwrap().to_owned();
            format!("{index}:{}@{}", text("code"), text("pointer"))
        });
        let rejected = rejected.collect::<Vec<_>>().join(",");
        format!("{} {} {} {rejected}", self.status.as_u16(), number("accepted"), number("duplicates"))
            .trim_end()
            .to_owned()
    }

    /// `status code` of a problem, whose form is checked.
    fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        let json = self.json();
        let code = json.get("code").and_then(Value::as_str).unwrap();
        let detail = json.get("detail").and_then(Value::as_str).unwrap();
        assert!(detail.starts_with(|c: char| !c.is_uppercase()) && !detail.ends_with('.'), "{detail}");
        assert_eq!(json.get("status").and_then(Value::as_i64), Some(i64::from(self.status.as_u16())));
        assert_eq!(json.get("type").and_then(Value::as_str), Some("about:blank"));
        format!("{} {code}", self.status.as_u16())
    }
}

fn with_token(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header("authorization", format!("Bearer {TOKEN}"))
}

/// The machine, whose disk can be broken.
struct Machine {
    os: OsIo,
    broken: Arc<AtomicBool>,
}

struct MachineFile {
    file: Box<dyn File>,
    broken: Arc<AtomicBool>,
}

fn sound(broken: &AtomicBool) -> io::Result<()> {
    match broken.load(Ordering::Relaxed) {
        true => Err(io::Error::other("the disk is broken, and /secret/path is told to nobody")),
        false => Ok(()),
    }
}

impl File for MachineFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buf, offset)
    }
    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_at(buf, offset)
    }
    fn sync(&self) -> io::Result<()> {
        sound(&self.broken)?;
        self.file.sync()
    }
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }
}

impl Io for Machine {
    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn File>> {
        let file = self.os.open(path, how)?;
        Ok(Box::new(MachineFile { file, broken: self.broken.clone() }))
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.os.list(dir)
    }
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.os.create_dir(dir)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.os.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.os.remove(path)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        sound(&self.broken)?;
        self.os.sync_dir(dir)
    }
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        self.os.lock(path)
    }
    fn wall_ms(&self) -> u64 {
        self.os.wall_ms()
    }
    fn monotonic_ms(&self) -> u64 {
        self.os.monotonic_ms()
    }
    fn random(&self, out: &mut [u8]) {
        self.os.random(out);
    }
    fn pause(&self, ms: u64) {
        self.os.pause(ms);
    }
}
