//! What every request shares: the product, the token, what is remembered and counted, and how much of the machine
//! requests may have.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use std::net::IpAddr;

use indelible::Indelible;
use ipnet::IpNet;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::auth::KeyHash;
use crate::idempotency::Answers;
use crate::mapping::Mappings;
use crate::metrics::{LIMITS, Metrics};
use crate::pages::Pages;
use crate::problem::Problem;
use crate::rates::{Rate, Rates};
use crate::syslog::{Syslog, SyslogLimits};
use crate::tail::Patience;
use crate::tls::Tls;

/// More lines for `GET /metrics`, in the same format; asked on a thread that may block.
pub type MoreMetrics = Arc<dyn Fn() -> String + Send + Sync>;

/// How to serve.
#[derive(Clone, Default)]
pub struct Settings {
    /// How much of the machine requests may have.
    pub limits: Limits,
    /// Networks of the proxies before us. Only what comes from one of them may say in `X-Forwarded-For` or `Forwarded`
    /// who the client is; from anybody else the headers are ignored. None by default.
    pub trusted_proxies: Vec<IpNet>,
    /// Mappings for `POST /ingest/{name}`, beside those that come with us.
    pub mappings: Mappings,
    /// Certificate and key. Without them the server speaks plain HTTP.
    pub tls: Option<Tls>,
    /// Where syslog is taken.
    pub syslog: Vec<Syslog>,
    /// How much its senders may have.
    pub syslog_limits: SyslogLimits,
    /// What else `GET /metrics` tells.
    pub more_metrics: Option<MoreMetrics>,
    /// Pages beside the API.
    pub pages: Option<Pages>,
}

/// A clock that never steps: the time since some moment.
pub(crate) type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// How much of the machine requests may have. The defaults suit a machine with 4 GiB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of a body of `POST /v1/events`.
    pub events_body_bytes: usize,
    /// Most bytes of a body of `POST /ingest/…` and of OTLP, which hold whole prompts.
    pub litellm_body_bytes: usize,
    /// Bytes of all bodies that are in memory at once. Beyond it the answer is 503.
    pub bodies_bytes: usize,
    /// Bytes that events read from bodies may take at once, as estimated before reading them.
    pub trees_bytes: usize,
    /// Requests whose events are recorded at once. More wait, and then the answer is 503.
    pub writers: usize,
    /// Questions that are answered at once. More wait.
    pub readers: usize,
    /// Exports that are written at once. Beyond it the answer is 503.
    pub exports: usize,
    /// Clients that follow a ledger at once. Beyond it the answer is 503.
    pub tails: usize,
    /// Connections that are open at once. More wait in the system's queue.
    pub connections: usize,
    /// Requests of one key.
    pub key_rate: Rate,
    /// Requests from one address, or one IPv6 network of 64 bits.
    pub address_rate: Rate,
    /// Requests without a right token from one address. Whoever has a right one is let in all the same, so that nobody
    /// can lock out others behind the same address.
    pub login_rate: Rate,
    /// How long opening a TLS connection may take.
    pub handshake_time: Duration,
    /// How long a client may take nothing of an answer before the connection is broken off.
    pub stall_time: Duration,
    /// How long the head of a request may take. A kept-alive connection is closed after this, too: longer than senders
    /// keep theirs (LiteLLM 5 s), or their next batch would meet a closed door.
    pub head_time: Duration,
    /// How long a body may take.
    pub body_time: Duration,
    /// How long a stop waits for requests that have begun.
    pub drain_time: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            events_body_bytes: 32 << 20,
            litellm_body_bytes: 64 << 20,
            bodies_bytes: 256 << 20,
            trees_bytes: 1 << 30,
            writers: 16,
            readers: 16,
            exports: 4,
            tails: 64,
            connections: 512,
            key_rate: Rate { quota: 60_000, window: Duration::from_secs(60) },
            address_rate: Rate { quota: 60_000, window: Duration::from_secs(60) },
            login_rate: Rate { quota: 60, window: Duration::from_secs(60) },
            handshake_time: Duration::from_secs(10),
            stall_time: Duration::from_secs(60),
            head_time: Duration::from_secs(75),
            body_time: Duration::from_secs(120),
            drain_time: Duration::from_secs(10),
        }
    }
}

/// Permits are counted in KiB: a semaphore of bytes would not hold as many.
pub(crate) const UNIT: usize = 1024;
/// How long a body waits for its turn, and for memory to be read into events.
const ROOM_TIME: Duration = Duration::from_secs(5);

/// A turn at recording, and memory for the events.
pub(crate) struct Room {
    _turn: OwnedSemaphorePermit,
    _memory: OwnedSemaphorePermit,
}

pub(crate) struct Door {
    pub(crate) product: Arc<Indelible>,
    pub(crate) limits: Limits,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) mappings: Mappings,
    pub(crate) syslog: SyslogLimits,
    pub(crate) is_secure: bool,
    pub(crate) more_metrics: Option<MoreMetrics>,
    pub(crate) pages: Option<Pages>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) answers: Arc<Answers>,
    pub(crate) keys: Rates<KeyHash>,
    pub(crate) addresses: Rates<IpAddr>,
    pub(crate) logins: Rates<IpAddr>,
    pub(crate) clock: Clock,
    pub(crate) patience: Patience,
    pub(crate) bodies: Arc<Semaphore>,
    pub(crate) exports: Arc<Semaphore>,
    pub(crate) tails: Arc<Semaphore>,
    trees: Arc<Semaphore>,
    writers: Arc<Semaphore>,
    readers: Semaphore,
    draining: AtomicBool,
}

impl Door {
    pub(crate) fn new(product: Arc<Indelible>, settings: Settings, clock: Clock) -> Arc<Door> {
        let Settings {
            limits,
            trusted_proxies,
            mappings,
            tls,
            syslog: _,
            syslog_limits,
            more_metrics,
            pages,
        } = settings;
        let [key, address, login] = LIMITS;
        Arc::new(Door {
            product,
            trusted_proxies,
            mappings,
            syslog: syslog_limits,
            is_secure: tls.is_some(),
            more_metrics,
            pages,
            metrics: Metrics::new(),
            answers: Arc::default(),
            keys: Rates::new(key, limits.key_rate),
            addresses: Rates::new(address, limits.address_rate),
            logins: Rates::new(login, limits.login_rate),
            clock,
            patience: Patience::default(),
            bodies: Arc::new(Semaphore::new(limits.bodies_bytes / UNIT)),
            exports: Arc::new(Semaphore::new(limits.exports)),
            tails: Arc::new(Semaphore::new(limits.tails)),
            trees: Arc::new(Semaphore::new(limits.trees_bytes / UNIT)),
            writers: Arc::new(Semaphore::new(limits.writers)),
            readers: Semaphore::new(limits.readers),
            draining: AtomicBool::new(false),
            limits,
        })
    }

    pub(crate) fn now(&self) -> Duration {
        (self.clock)()
    }

    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
        if let Some(pages) = &self.pages {
            pages.stop();
        }
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// A turn at recording, in the order of asking, and memory for as many bytes as the events are estimated to take.
    /// Few at once fill the machine; more would take memory and make everybody wait for everybody.
    pub(crate) async fn room(&self, bytes: usize) -> Result<Room, Problem> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let room = async {
            let _turn = self.writers.clone().acquire_owned().await.ok()?;
            let _memory = self.trees.clone().acquire_many_owned(units).await.ok()?;
            Some(Room { _turn, _memory })
        };
        match timeout(ROOM_TIME, room).await {
            Ok(Some(room)) => Ok(room),
            _ => Err(Problem::busy("too many requests at once; try again later", 1000)),
        }
    }

    /// Does what blocks, on a thread that may.
    pub(crate) async fn blocking<T: Send + 'static>(
        self: &Arc<Door>,
        work: impl FnOnce(&Indelible) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let door = self.clone();
        match tokio::task::spawn_blocking(move || work(&door.product)).await {
            Ok(done) => done,
            Err(error) => {
                tracing::error!(%error, "a request panicked");
                Err(Problem::internal("something broke; the server's own log says what"))
            }
        }
    }

    /// Answers a question, when it is its turn.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Door>,
        work: impl FnOnce(&Indelible) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let _turn = self.readers.acquire().await.expect("never closed");
        self.blocking(work).await
    }
}
