//! The real thing, on a real socket.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::serve_with;

pub(super) struct Running {
    pub(super) server: Server,
    pub(super) address: std::net::SocketAddr,
    pub(super) stop: oneshot::Sender<()>,
    pub(super) task: JoinHandle<io::Result<()>>,
}

async fn start(limits: Limits) -> Running {
    start_with(Serving { limits, ..Serving::default() }).await
}

pub(super) async fn start_with(settings: Serving) -> Running {
    let server = Server::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let product = server.product.clone();
    product.bootstrap(Some(TOKEN)).unwrap();
    let task = tokio::spawn(serve_with(listener, product, settings, async { drop(stopped.await) }));
    Running { server, address, stop, task }
}

async fn say(address: std::net::SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    read_all(stream).await
}

async fn read_all(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn post(body: &str) -> String {
    let len = body.len();
    format!(
        "POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\ncontent-length: {len}\r\nconnection: close\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn what_has_begun_is_finished_and_signed() {
    let running = start(Limits::default()).await;
    let answer = say(running.address, &post(r#"{"id":"1","type":"a.b"}"#)).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    // One connection is silent, one is in the middle of its body, one has had its answer and is kept alive.
    let silent = TcpStream::connect(running.address).await.unwrap();
    let mut kept = TcpStream::connect(running.address).await.unwrap();
    kept.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(kept.read(&mut [0; 1024]).await.unwrap() > 0);
    let mut slow = TcpStream::connect(running.address).await.unwrap();
    let text = post(r#"{"id":"2","type":"a.b"}"#);
    let (first, second) = text.split_at(text.len() - 5);
    slow.write_all(first.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    running.stop.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(TcpStream::connect(running.address).await.is_err(), "nobody new is let in");
    slow.write_all(second.as_bytes()).await.unwrap();
    let answer = read_all(slow).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // Silent connections are not waited for.
    tokio::time::timeout(Duration::from_secs(5), running.task).await.unwrap().unwrap().unwrap();
    drop((silent, kept));

    let ledger = running.server.product.ledger("default").unwrap();
    assert_eq!(ledger.head().unwrap().size, ledger.size(), "closed, with all of it signed");
    assert_eq!(running.server.get("/v1/events/2").await.status, 200);
}

#[tokio::test]
async fn a_stop_is_not_held_up_for_ever() {
    let limits = Limits { drain_time: Duration::from_millis(300), ..Limits::default() };
    let running = start(limits).await;
    let mut slow = TcpStream::connect(running.address).await.unwrap();
    slow.write_all(&post("{}").as_bytes()[..post("{}").len() - 1]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    running.stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(5), running.task).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn heads_are_signed_while_it_serves() {
    let running = start(Limits::default()).await;
    say(running.address, &post(r#"{"id":"1","type":"a.b"}"#)).await;
    let get = format!(
        "GET /v1/events/1?wait=proved HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\nconnection: close\r\n\r\n"
    );
    let answer = say(running.address, &get).await;
    assert!(answer.contains(r#""state":"proved""#), "{answer}");
    running.stop.send(()).unwrap();
    running.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_head_that_does_not_end_is_not_waited_for() {
    let limits = Limits {
        head_time: Duration::from_millis(200),
        body_time: Duration::from_millis(200),
        ..Limits::default()
    };
    let running = start(limits).await;
    let answer = say(running.address, "GET /healthz HTTP/1.1\r\nhost:").await;
    assert!(!answer.contains("200"), "{answer}");
    let text = post("{}");
    let answer = say(running.address, &text[..text.len() - 1]).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    running.stop.send(()).unwrap();
    running.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused() {
    let running = start(Limits::default()).await;
    let long = format!("GET /healthz HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "a".repeat(128 << 10));
    assert!(refused(running.address, &long).await.starts_with("HTTP/1.1 431"));
    let many = format!("GET /healthz HTTP/1.1\r\nhost: x\r\n{}\r\n", "x: y\r\n".repeat(200));
    assert!(refused(running.address, &many).await.starts_with("HTTP/1.1 431"));
    let long = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(100 << 10));
    let answer = refused(running.address, &long).await;
    assert!(answer.starts_with("HTTP/1.1 414") || answer.starts_with("HTTP/1.1 431"), "{answer}");
    let fits = format!(
        "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx: {}\r\n\r\n",
        "a".repeat(32 << 10)
    );
    assert!(say(running.address, &fits).await.starts_with("HTTP/1.1 200"));
    for nonsense in ["\r\n\r\nnonsense\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\u{0}"] {
        let answer = refused(running.address, nonsense).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{nonsense:?} {answer}");
    }
    running.stop.send(()).unwrap();
    running.task.await.unwrap().unwrap();
}

/// What is answered to somebody who is hung up on while sending: the rest of what it sent is not read.
async fn refused(address: std::net::SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.shutdown().await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_body_that_trickles_is_not_waited_for() {
    let limits = Limits { body_time: Duration::from_millis(500), ..Limits::default() };
    let running = start(limits).await;
    let text = post("{}");
    let stream = TcpStream::connect(running.address).await.unwrap();
    let (mut read, mut write) = stream.into_split();
    write.write_all(text.replace("content-length: 2", "content-length: 1000").as_bytes()).await.unwrap();
    let trickle = tokio::spawn(async move {
        while write.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let mut answer = String::new();
    let _ = tokio::time::timeout(Duration::from_secs(5), read.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    trickle.abort();
    running.stop.send(()).unwrap();
    running.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn bodies_that_are_announced_and_do_not_come_keep_nobody_out() {
    let limits = Limits { events_body_bytes: 1 << 20, bodies_bytes: 2 << 20, ..Limits::default() };
    let running = start(limits).await;
    let mut silent = Vec::new();
    for _ in 0..8 {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        let head = post("").replace("content-length: 0", "content-length: 1000000");
        stream.write_all(head.as_bytes()).await.unwrap();
        silent.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let large = format!("{{\"type\":\"a.b\",\"message\":\"{}\"}}", "x".repeat(60_000));
    let answer = say(running.address, &post(&format!("{large}\n").repeat(10))).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop(silent);
    running.stop.send(()).unwrap();
    running.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn who_takes_nothing_of_an_answer_is_let_go() {
    let limits = Limits { stall_time: Duration::from_millis(300), connections: 1, ..Limits::default() };
    let running = start(limits).await;
    let large: String = (0..200)
        .map(|n| {
            format!("{{\"type\":\"a.b\",\"source_id\":\"{n}\",\"message\":\"{}\"}}\n", "x".repeat(60_000))
        })
        .collect();
    assert!(say(running.address, &post(&large)).await.starts_with("HTTP/1.1 200"));
    let mut greedy = TcpStream::connect(running.address).await.unwrap();
    let ask = format!("GET /v1/events/export HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\n\r\n");
    greedy.write_all(ask.as_bytes()).await.unwrap();
    // There is one place; the next one gets it when the first is let go.
    let get = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answer = tokio::time::timeout(Duration::from_secs(10), say(running.address, get)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let mut taken = Vec::new();
    let _ = greedy.read_to_end(&mut taken).await;
    assert!(taken.len() < large.len(), "an export that was not taken is not whole");
    assert!(!taken.ends_with(b"0\r\n\r\n"));
    running.stop.send(()).unwrap();
    running.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_other_end_of_a_connection_is_known() {
    let rate = crate::rates::Rate { quota: 2, window: Duration::from_secs(600) };
    let settings = Serving {
        limits: Limits { address_rate: rate, ..Limits::default() },
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
        ..Serving::default()
    };
    let running = start_with(settings).await;
    let from = |client: &str| {
        format!(
            "GET /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\nx-forwarded-for: {client}\r\nconnection: close\r\n\r\n"
        )
    };
    for (client, expect) in
        [("203.0.113.1", "200"), ("203.0.113.1", "200"), ("203.0.113.1", "429"), ("203.0.113.2", "200")]
    {
        let answer = say(running.address, &from(client)).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {expect}")), "{client} {answer}");
    }
    running.stop.send(()).unwrap();
    running.task.await.unwrap().unwrap();
}
