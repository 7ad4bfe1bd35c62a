//! Listening, and stopping in order.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::{TowerToHyperService, TowerToHyperServiceFuture};
use indelible::Indelible;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::door::{Clock, Door, Settings};
use crate::http2;
use crate::proxies::Peer;
use crate::routes::router_of;
use crate::stall::Stall;
use crate::syslog;
use crate::tls::Tls;

const TEND_EVERY: Duration = Duration::from_millis(250);
/// How often somebody looks whether there is something new to index, and whether there is something to merge.
const INDEX_PAUSE: Duration = Duration::from_millis(20);
const MERGE_PAUSE: Duration = Duration::from_millis(100);
/// After the system refused us a connection: it has too few file handles, and they are not back at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// Most bytes of a request's head.
const HEAD_BYTES: usize = 64 << 10;

/// Serves until `shutdown` resolves. Then nothing new is let in, what has begun is finished (for at most ten seconds),
/// and the product is closed. Meanwhile it looks after the ledgers and their indexes: without that nothing is signed, and
/// nothing new is found.
pub async fn serve(
    listener: TcpListener,
    product: Arc<Indelible>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    serve_with(listener, product, Settings::default(), shutdown).await
}

/// [`serve`], with other settings than the defaults.
pub async fn serve_with(
    listener: TcpListener,
    product: Arc<Indelible>,
    settings: Settings,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let tls = settings.tls.clone();
    let places = settings.syslog.clone();
    let door = Door::new(product.clone(), settings, clock());
    let (stop_syslog, syslog_stopped) = watch::channel(false);
    let mut listening = JoinSet::new();
    for place in places {
        listening.spawn(syslog::listen(door.clone(), place, syslog_stopped.clone()));
    }
    let mut tending = Tending::start("tend", product.clone(), tend)?;
    let indexing = Tending::start("index", product.clone(), index)?;
    let merging = Tending::start("merge", product.clone(), merge)?;
    let tending_ended = async { drop((&mut tending.ended).await) };
    let was_told = accept(listener, &door, tls, shutdown, tending_ended, stop_syslog).await;
    if timeout(2 * door.limits.drain_time, async { while listening.join_next().await.is_some() {} })
        .await
        .is_err()
    {
        tracing::warn!("given up: connections of syslog did not end in time");
    }
    // From here on nobody is let in, and nothing that has begun is waited for any longer.
    let closed = tokio::task::spawn_blocking(move || {
        for thread in [tending, indexing, merging] {
            thread.stop();
        }
        product.close()
    });
    closed
        .await
        .map_err(|_| io::Error::other("something broke while the ledgers were closed"))?
        .map_err(io::Error::other)?;
    match was_told {
        true => Ok(()),
        false => Err(io::Error::other("the thread that signs heads has ended")),
    }
}

/// Returns when every connection is closed or was given up: true if it was told to stop.
async fn accept(
    listener: TcpListener,
    door: &Arc<Door>,
    tls: Option<Tls>,
    shutdown: impl Future<Output = ()>,
    tending_ended: impl Future<Output = ()>,
    stop_syslog: watch::Sender<bool>,
) -> bool {
    let router = router_of(door.clone());
    let graceful = GracefulShutdown::new();
    let (stop, stopped) = watch::channel(false);
    let places = Arc::new(Semaphore::new(door.limits.connections));
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown, tending_ended);
    let next = async || -> (TcpStream, SocketAddr, _) {
        let place = places.clone().acquire_owned().await.expect("never closed");
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => return (stream, peer, place),
                Err(error) => {
                    tracing::warn!(%error, "couldn't accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    };
    let was_told = loop {
        let (stream, peer, place) = tokio::select! {
            biased;
            () = &mut shutdown => break true,
            () = &mut tending_ended => break false,
            Some(_) = connections.join_next() => continue,
            accepted = next() => accepted,
        };
        // Answers are written in one piece; holding back small ones only makes clients wait.
        let _ = stream.set_nodelay(true);
        let stream = Stall::new(stream, door.limits.stall_time);
        let (router, peer) = (router.clone(), Peer(peer));
        let (door, watcher, tls, mut stopped) =
            (door.clone(), graceful.watcher(), tls.clone(), stopped.clone());
        connections.spawn(async move {
            let _place = place;
            let _counted = door.metrics.connection();
            let Some(tls) = tls else {
                let begun = tokio::select! {
                    begun = timeout(door.limits.head_time, http2::begin(stream)) => begun,
                    // Nothing was asked yet, so nothing is owed.
                    _ = stopped.wait_for(|stopped| *stopped) => return,
                };
                return match begun {
                    Ok(Ok((true, stream))) => {
                        // For as long as it is held, a stop waits.
                        let _watcher = watcher;
                        http2::talk(stream, router, peer, &door, stopped).await;
                    }
                    Ok(Ok((false, stream))) => talk(stream, Known::new(router, peer), &door, watcher).await,
                    Ok(Err(error)) => tracing::debug!(%error, "a connection broke"),
                    Err(_) => tracing::debug!("nothing was asked on a connection"),
                };
            };
            let opened = tokio::select! {
                opened = timeout(door.limits.handshake_time, tls.acceptor().accept(stream)) => opened,
                _ = stopped.wait_for(|stopped| *stopped) => return,
            };
            match opened {
                Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => {
                    let _watcher = watcher;
                    http2::talk(stream, router, peer, &door, stopped).await;
                }
                Ok(Ok(stream)) => talk(stream, Known::new(router, peer), &door, watcher).await,
                Ok(Err(error)) => tracing::debug!(%error, "no TLS connection came about"),
                Err(_) => tracing::debug!("a TLS connection took too long to open"),
            }
        });
    };
    stop.send_replace(true);
    stop_syslog.send_replace(true);
    door.drain();
    drop(listener);
    tracing::info!(connections = connections.len(), "stopping");
    if timeout(door.limits.drain_time, graceful.shutdown()).await.is_err() {
        tracing::warn!(connections = connections.len(), "given up: they did not end in time");
    }
    was_told
}

/// Answers what is asked on one connection.
async fn talk<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    service: Known,
    door: &Door,
    watcher: Watcher,
) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(door.limits.head_time)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection broke");
    }
}

/// The router, told with every request who is at the other end.
struct Known {
    router: TowerToHyperService<Router>,
    peer: Peer,
}

impl Known {
    fn new(router: Router, peer: Peer) -> Known {
        Known { router: TowerToHyperService::new(router), peer }
    }
}

impl Service<Request<Incoming>> for Known {
    type Response = Response;
    type Error = Infallible;
    type Future = TowerToHyperServiceFuture<Router, Request<Incoming>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer);
        self.router.call(request)
    }
}

/// The clock of the timers that are used here anyway, from when it is first looked at.
pub(crate) fn clock() -> Clock {
    let began = OnceLock::new();
    Arc::new(move || Instant::elapsed(began.get_or_init(|| sleep(Duration::ZERO).deadline())))
}

/// A thread that looks after the product.
struct Tending {
    thread: JoinHandle<()>,
    stop: Sender<()>,
    /// Resolves when the thread is gone, also by a panic.
    ended: oneshot::Receiver<()>,
}

impl Tending {
    fn start(
        name: &str,
        product: Arc<Indelible>,
        work: fn(&Indelible, &Receiver<()>),
    ) -> io::Result<Tending> {
        let (stop, stopped) = channel();
        let (alive, ended) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new().name(name.into()).spawn(move || {
            let _alive = alive;
            work(&product, &stopped);
        })?;
        Ok(Tending { thread, stop, ended })
    }

    fn stop(self) {
        let _ = self.stop.send(());
        // A panic of its was noticed by `ended`.
        let _ = self.thread.join();
    }
}

/// Signs, seals and heartbeats.
fn tend(product: &Indelible, stopped: &Receiver<()>) {
    while stopped.recv_timeout(TEND_EVERY) == Err(RecvTimeoutError::Timeout) {
        product.tend();
    }
}

/// Makes searchable what was recorded.
fn index(product: &Indelible, stopped: &Receiver<()>) {
    while stopped.try_recv() == Err(TryRecvError::Empty) {
        if !product.index_step() {
            product.index_rest(INDEX_PAUSE);
        }
    }
}

/// Keeps the indexes in few parts.
fn merge(product: &Indelible, stopped: &Receiver<()>) {
    let mut pause = MERGE_PAUSE;
    while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        pause = if product.index_merge() { Duration::ZERO } else { MERGE_PAUSE };
    }
}
