//! Syslog over TCP (RFC 6587) and TLS (RFC 5425). The protocol has no answers: a sender is made to wait by not being read,
//! and what it wrote before a stop is read to its end.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use indelible::Sender;
use ipnet::IpNet;
use receivers::intake::{Intake, Item, Received};
use receivers::syslog::{Decoder, Framed, MESSAGE_MOST, Mapped, map};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::door::Door;
use crate::problem::Problem;
use crate::tally::Tally;
use crate::tls::Tls;

/// Bytes that are read at once.
const PIECE: usize = 64 << 10;
/// Messages of one commit: they are recorded together or not at all, so that trying again doubles nothing.
const COMMIT: usize = 500;
/// Pause before what could not be recorded is tried again.
const PAUSE: Duration = Duration::from_millis(500);
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// How much senders may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyslogLimits {
    /// Networks from which connections are taken: the protocol has no key.
    pub allow: Vec<IpNet>,
    /// Connections that are open at once; more wait in the system's queue.
    pub connections: usize,
    /// How long a connection may say nothing.
    pub idle: Duration,
}

impl Default for SyslogLimits {
    fn default() -> SyslogLimits {
        let loopback = ["127.0.0.0/8", "::1/128"].map(|net| net.parse().expect("a network"));
        SyslogLimits { allow: loopback.into(), connections: 64, idle: Duration::from_secs(3600) }
    }
}

/// A place where syslog is taken.
#[derive(Clone)]
pub struct Syslog {
    listener: Arc<TcpListener>,
    tls: Option<Tls>,
    sender: Sender,
    producer: String,
}

impl Syslog {
    /// Listens on an address for one organisation; events name the producer. With `tls`, nothing else is spoken.
    pub async fn bind(
        address: SocketAddr,
        tls: Option<Tls>,
        organisation: &str,
        producer: &str,
    ) -> io::Result<Syslog> {
        let listener = Arc::new(TcpListener::bind(address).await?);
        let sender = Sender {
            auth: 0,
            organisation: Some(organisation.to_owned()),
            anywhere: false,
            is_adapter: true,
        };
        Ok(Syslog { listener, tls, sender, producer: producer.to_owned() })
    }

    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Takes connections until it is told to stop, and then returns when all that was sent on them is recorded, or time is up.
pub(crate) async fn listen(door: Arc<Door>, place: Syslog, mut stopped: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(door.syslog.connections));
    let mut connections = JoinSet::new();
    let next = async || {
        let turn = places.clone().acquire_owned().await.expect("never closed");
        loop {
            match place.listener.accept().await {
                Ok((stream, peer)) if is_allowed(&door, peer.ip()) => return (stream, peer.ip(), turn),
                Ok((_, peer)) => tracing::warn!(%peer, "syslog from outside `syslog.allow` was refused"),
                Err(error) => {
                    tracing::warn!(%error, "couldn't accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    };
    loop {
        let (stream, peer, turn) = tokio::select! {
            biased;
            _ = stopped.wait_for(|stopped| *stopped) => break,
            Some(_) = connections.join_next() => continue,
            accepted = next() => accepted,
        };
        let (door, place, mut stopped) = (door.clone(), place.clone(), stopped.clone());
        connections.spawn(async move {
            let _turn = turn;
            let peer = peer.to_canonical().to_string();
            let connection =
                Connection { door: door.clone(), sender: place.sender, producer: place.producer, peer };
            let Some(tls) = place.tls else { return connection.take(stream, stopped).await };
            let opened = tokio::select! {
                opened = timeout(door.limits.handshake_time, tls.acceptor().accept(stream)) => opened,
                _ = stopped.wait_for(|stopped| *stopped) => return,
            };
            match opened {
                Ok(Ok(stream)) => connection.take(stream, stopped).await,
                Ok(Err(error)) => {
                    tracing::warn!(peer = connection.peer, %error, "no TLS connection for syslog came about")
                }
                Err(_) => tracing::warn!(
                    peer = connection.peer,
                    "a TLS connection for syslog took too long to open"
                ),
            }
        });
    }
    while connections.join_next().await.is_some() {}
}

/// Resolves when a stop is asked for.
async fn told(stopped: &mut watch::Receiver<bool>) {
    drop(stopped.wait_for(|stopped| *stopped).await);
}

fn is_allowed(door: &Door, peer: IpAddr) -> bool {
    let peer = peer.to_canonical();
    door.syslog.allow.iter().any(|network| network.contains(&peer))
}

/// One sender.
struct Connection {
    door: Arc<Door>,
    sender: Sender,
    producer: String,
    peer: String,
}

impl Connection {
    async fn take<S: AsyncRead + AsyncWrite + Unpin>(
        self,
        mut stream: S,
        mut stopped: watch::Receiver<bool>,
    ) {
        let mut decoder = Decoder::new(MESSAGE_MOST);
        let mut piece = vec![0; PIECE];
        // When a stop was heard of, and until when it is read what was on its way, once the sender is told.
        let (mut heard, mut until): (Option<Duration>, Option<Duration>) = (None, None);
        let drain = self.door.limits.drain_time;
        loop {
            if *stopped.borrow() && heard.is_none() {
                heard = Some(self.door.now());
            }
            let read = match until {
                Some(until) => {
                    let left = until.saturating_sub(self.door.now());
                    timeout(left, stream.read(&mut piece)).await
                }
                // One that never pauses must hear of the stop, too.
                None if heard.is_some_and(|heard| self.door.now() >= heard + drain / 2) => {
                    let _ = stream.shutdown().await;
                    until = heard.map(|heard| heard + drain);
                    continue;
                }
                None => tokio::select! {
                    // A sender that hears of the end may forget what lies in its system's buffers (rsyslog does, over TLS): it
                    // is told when there is nothing to read.
                    biased;
                    read = timeout(self.door.syslog.idle, stream.read(&mut piece)) => read,
                    () = told(&mut stopped) => {
                        // Whoever looks sees that nobody will read on; what is on its way is still read.
                        let _ = stream.shutdown().await;
                        until = Some(heard.unwrap_or(self.door.now()) + drain);
                        continue;
                    }
                },
            };
            let (len, is_over) = match read {
                Ok(Ok(0)) => (0, true),
                Ok(Ok(len)) => (len, false),
                Ok(Err(error)) => {
                    tracing::debug!(peer = self.peer, %error, "a connection of syslog broke");
                    (0, true)
                }
                Err(_) => {
                    tracing::debug!(peer = self.peer, "a connection of syslog said nothing for too long");
                    (0, true)
                }
            };
            self.door.metrics.received(len);
            decoder.push(&piece[..len]);
            let mut messages = Vec::new();
            loop {
                match decoder.message().or_else(|| if is_over { decoder.end() } else { None }) {
                    Some(message) => messages.push(message),
                    None if messages.is_empty() => break,
                    None => {
                        self.record(std::mem::take(&mut messages), &stopped).await;
                        break;
                    }
                }
                if messages.len() == COMMIT {
                    self.record(std::mem::take(&mut messages), &stopped).await;
                }
            }
            if is_over {
                // A sender may wait to be told that all of it was read.
                let _ = timeout(self.door.limits.handshake_time, stream.shutdown()).await;
                return;
            }
        }
    }

    /// Records messages, trying until it is done: meanwhile nothing is read. Only a stop that can't wait any longer gives up.
    async fn record(&self, messages: Vec<Framed>, stopped: &watch::Receiver<bool>) {
        let messages = Arc::new(messages);
        let mut until: Option<Duration> = None;
        loop {
            let problem = match self.try_to(messages.clone()).await {
                Ok(received) => {
                    self.door.metrics.events(Tally::of(&received).events());
                    return;
                }
                Err(problem) => problem,
            };
            if *stopped.borrow() {
                let now = self.door.now();
                if now >= *until.get_or_insert(now + self.door.limits.drain_time) {
                    let messages = messages.len();
                    tracing::error!(
                        peer = self.peer,
                        messages,
                        "messages of syslog are lost: they could not be recorded"
                    );
                    return;
                }
            }
            tracing::warn!(peer = self.peer, ?problem, "syslog waits");
            sleep(PAUSE).await;
        }
    }

    async fn try_to(&self, messages: Arc<Vec<Framed>>) -> Result<Received, Problem> {
        let bytes = messages.iter().map(|message| message.bytes.len()).sum::<usize>();
        let room = self.door.room(8 * bytes + (64 << 10)).await?;
        let (sender, producer, peer) = (self.sender.clone(), self.producer.clone(), self.peer.clone());
        self.door
            .blocking(move |product| {
                let _room = room;
                let mut intake = Intake::new(product, &sender);
                let keyed = intake.keyed();
                let failed = |error| Problem::not_recorded(error, |n| n);
                for (index, message) in messages.iter().enumerate() {
                    let item = Item { index, bytes: &|| message.bytes.clone() };
                    match map(message, &producer, Some(&peer), &keyed) {
                        Ok(Mapped::Sent(event)) => intake.take_sent(item, event).map_err(failed)?,
                        Ok(Mapped::Made(event)) => {
                            intake.take_mapped(item, Ok(vec![event])).map_err(failed)?
                        }
                        Err(refusal) => intake.refuse(item, refusal),
                    }
                }
                let received = intake.finish().map_err(failed)?;
                received.set_aside(product, &sender, "syslog");
                Ok(received)
            })
            .await
    }
}
