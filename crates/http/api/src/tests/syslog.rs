//! Syslog over real sockets.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::serve::{Running, start_with};
use super::*;
use crate::{Syslog, SyslogLimits, Tls};

const MESSAGE: &str = "<34>1 2026-03-01T10:00:00.5Z gw su - ID47 - 'su root' failed for alice";

async fn start(tls: Option<Tls>, limits: SyslogLimits) -> (Running, std::net::SocketAddr) {
    let place = Syslog::bind("127.0.0.1:0".parse().unwrap(), tls, "acme", "fw").await.unwrap();
    let address = place.address().unwrap();
    let serving = Serving { syslog: vec![place], syslog_limits: limits, ..Serving::default() };
    (start_with(serving).await, address)
}

/// Waits until so many events of a filter are recorded.
async fn events(running: &Running, filter: &str, expect: i64) -> Value<'static> {
    let mut told = String::new();
    for _ in 0..200 {
        let path = format!("/v1/events?organisation=acme&count=exact&consistent=true&q={filter}");
        let answer = running.server.get(&path).await;
        told = answer.text.clone();
        if answer.status == 200 {
            let json = answer.json();
            if json.pointer("/total/value").and_then(Value::as_i64) == Some(expect) {
                return json.into_owned();
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not {expect} of {filter}: {told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_are_recorded_in_the_order_of_both_framings() {
    let (running, address) = start(None, SyslogLimits::default()).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let counted = format!("{} {MESSAGE}", MESSAGE.len());
    // Sent again, as a sender does that is not sure.
    for text in [counted.as_str(), "<13>Feb  5 17:32:18 host app: a line\n", &counted, "<13>cut in t"] {
        stream.write_all(text.as_bytes()).await.unwrap();
    }
    stream.shutdown().await.unwrap();
    let found = events(&running, "producer:fw", 3).await;
    let said: Vec<&str> = (0..3)
        .filter_map(|n| found.pointer(&format!("/events/{n}/message")).and_then(Value::as_str))
        .collect();
    assert_eq!(said, ["cut in t", "a line", "'su root' failed for alice"]);
    assert_eq!(found.pointer("/events/0/attributes/peer").and_then(Value::as_str), Some("127.0.0.1"));
    assert_eq!(found.pointer("/events/2/severity").and_then(Value::as_str), Some("critical"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_waits_while_nothing_can_be_recorded() {
    let (running, address) = start(None, SyslogLimits::default()).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"<13>first\n").await.unwrap();
    events(&running, "message:first", 1).await;
    running.server.broken.store(true, Ordering::Relaxed);
    // It has a time by which it is known again: what was written and could not be synced may be found on the disk later, and
    // is tried again all the same.
    stream.write_all(b"<13>1 2026-11-22T09:00:00.123456Z host app - - - second\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(700)).await;
    // More than the systems' buffers hold: what is not read stops the sender.
    let flood = "<13>flood\n".repeat(100_000);
    let mut written = 0;
    while let Ok(Ok(len)) =
        tokio::time::timeout(Duration::from_millis(300), stream.write(flood.as_bytes())).await
    {
        written += len;
        assert!(written < 64 << 20, "nobody stops it");
    }
    running.server.broken.store(false, Ordering::Relaxed);
    events(&running, "message:second", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sent_before_a_stop_is_recorded() {
    let (running, address) = start(None, SyslogLimits::default()).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"<13>one\n").await.unwrap();
    events(&running, "message:one", 1).await;
    running.stop.send(()).unwrap();
    // It is told by the end of what we say, and finishes its sentence.
    assert_eq!(stream.read(&mut [0; 16]).await.unwrap(), 0);
    stream.write_all(b"<13>two\n<13>three\n").await.unwrap();
    drop(stream);
    tokio::time::timeout(Duration::from_secs(20), running.task).await.unwrap().unwrap().unwrap();
    let ledger = running.server.product.ledger("acme").unwrap();
    let texts = (0..ledger.size()).map(|position| {
        let record = ledger.record(position).unwrap();
        String::from_utf8(indelible::show(&ledger, "acme", &record).unwrap().to_jcs()).unwrap()
    });
    let found =
        texts.filter(|text| text.contains(r#""message":"two""#) || text.contains(r#""message":"three""#));
    assert_eq!(found.count(), 2);
}

/// There is always something to read from it, and still it is told, so that nothing is on its way when the server ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_that_never_pauses_hears_of_a_stop() {
    let (running, address) = start(None, SyslogLimits::default()).await;
    let (mut hears, mut says) = TcpStream::connect(address).await.unwrap().into_split();
    let told = Arc::new(AtomicBool::new(false));
    let is_told = told.clone();
    // Long messages, of which few fill the systems' buffers.
    let long = "x".repeat(30_000);
    let sender = tokio::spawn(async move {
        let mut sent = 0;
        while !is_told.load(Ordering::Relaxed) {
            says.write_all(format!("<13>{sent} {long}\n").as_bytes()).await.unwrap();
            sent += 1;
        }
        sent
    });
    events(&running, "message:0", 1).await;
    running.stop.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    // Half of what a stop may take.
    running.server.pass(5000);
    let ended = tokio::time::timeout(Duration::from_secs(8), hears.read(&mut [0; 16])).await;
    assert_eq!(ended.expect("it is told before the server gives up").unwrap(), 0);
    told.store(true, Ordering::Relaxed);
    let sent: u64 = sender.await.unwrap();
    tokio::time::timeout(Duration::from_secs(30), running.task).await.unwrap().unwrap().unwrap();
    let ledger = running.server.product.ledger("acme").unwrap();
    let kinds = (0..ledger.size()).map(|position| ledger.record(position).unwrap().kind().to_owned());
    assert_eq!(kinds.filter(|kind| kind == "log.entry").count() as u64, sent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_allowed_is_not_heard() {
    let limits = SyslogLimits { allow: vec!["192.0.2.0/24".parse().unwrap()], ..SyslogLimits::default() };
    let (running, address) = start(None, limits).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let _ = stream.write_all(b"<13>hello\n").await;
    let ended = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut [0; 16])).await.unwrap();
    assert!(matches!(ended, Ok(0) | Err(_)));
    assert!(running.server.product.ledger("acme").is_err());
    let silent = SyslogLimits { idle: Duration::from_millis(100), ..SyslogLimits::default() };
    let (_running, address) = start(None, silent).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut [0; 16])).await;
    assert!(ended.is_ok(), "a silent connection is closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tls_a_sender_may_need_a_certificate() {
    let mut ca = CertificateParams::new(vec![]).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate().unwrap()).unwrap();
    let issue = |name: &str| {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &ca).unwrap();
        (certificate, key)
    };
    let (server, server_key) = issue("localhost");
    let (client, client_key) = issue("sender");
    let pem = ca.pem();
    let tls =
        Tls::for_syslog(server.pem().as_bytes(), server_key.serialize_pem().as_bytes(), Some(pem.as_bytes()));
    let (running, address) = start(Some(tls.unwrap()), SyslogLimits::default()).await;

    let send = async |certified: bool, text: &str| -> io::Result<()> {
        let mut roots = RootCertStore::empty();
        roots.add(ca.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(roots);
        let config = match certified {
            true => {
                let key = PrivateKeyDer::try_from(client_key.serialize_der()).unwrap();
                config.with_client_auth_cert(vec![CertificateDer::from(client.der().to_vec())], key).unwrap()
            }
            false => config.with_no_client_auth(),
        };
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        stream.write_all(text.as_bytes()).await?;
        stream.shutdown().await?;
        // TLS 1.3 tells a client only afterwards that its certificate was missed.
        stream.read(&mut [0; 16]).await.map(drop)
    };
    send(true, &format!("{} {MESSAGE}", MESSAGE.len())).await.unwrap();
    events(&running, "producer:fw", 1).await;
    assert!(send(false, "<13>stranger\n").await.is_err());
    events(&running, "message:stranger", 0).await;
}
