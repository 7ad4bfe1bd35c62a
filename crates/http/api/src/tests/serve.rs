//! The real thing, on a real socket.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::serve_with;

struct Running {
    server: Server,
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

async fn start(limits: Limits) -> Running {
    let server = Server::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let product = server.product.clone();
    let admin = product.token_hash(TOKEN);
    let task = tokio::spawn(serve_with(listener, product, admin, limits, async { drop(stopped.await) }));
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
