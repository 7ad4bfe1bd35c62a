//! TLS, with certificates made for the occasion.

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::serve::{Running, start_with};
use super::*;
use crate::{Tls, TlsError};

struct Certificate {
    pem: String,
    der: CertificateDer<'static>,
    key: String,
}

fn certificate() -> Certificate {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    Certificate { pem: cert.pem(), der: cert.der().clone(), key: signing_key.serialize_pem() }
}

impl Certificate {
    fn tls(&self) -> Tls {
        Tls::new(self.pem.as_bytes(), self.key.as_bytes()).unwrap()
    }

    /// Connects as a client that trusts this certificate alone.
    async fn connect(
        &self,
        running: &Running,
        versions: &[&'static SupportedProtocolVersion],
        protocols: &[&str],
    ) -> io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let stream = TcpStream::connect(running.address).await?;
        TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await
    }
}

async fn health(mut stream: TlsStream<TcpStream>) -> String {
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

const BOTH: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

async fn start(tls: Tls, limits: Limits) -> Running {
    start_with(Serving { limits, tls: Some(tls), ..Serving::default() }).await
}

#[tokio::test]
async fn both_versions_are_spoken() {
    let certificate = certificate();
    let running = start(certificate.tls(), Limits::default()).await;
    for version in BOTH {
        let stream = certificate.connect(&running, &[version], &["h2", "http/1.1"]).await.unwrap();
        let session = stream.get_ref().1;
        assert_eq!(session.protocol_version(), Some(version.version));
        assert_eq!(session.alpn_protocol(), Some(&b"http/1.1"[..]));
        let answer = health(stream).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("strict-transport-security: max-age="), "{answer}");
    }
    // gRPC's clients speak nothing but HTTP/2.
    let stream = certificate.connect(&running, BOTH, &["h2"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let mut client = http2::Client::over(stream).await;
    let called = client.call(crate::otlp::LOGS_EXPORT, "application/grpc", &[0; 5]).await;
    assert_eq!(called, (200, "0".into()));
    assert!(
        certificate.connect(&running, BOTH, &["spdy/3"]).await.is_err(),
        "what is not spoken is not agreed on"
    );
    let plain = TcpStream::connect(running.address).await.unwrap();
    let (mut read, mut write) = plain.into_split();
    write.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = read.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "no plain HTTP beside it");
    running.stop.send(()).unwrap();
    running.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn certificates_are_changed_while_serving() {
    let (old, new) = (certificate(), certificate());
    let tls = old.tls();
    let running = start(tls.clone(), Limits::default()).await;
    let mut kept = old.connect(&running, BOTH, &[]).await.unwrap();
    assert_eq!(kept.get_ref().1.protocol_version(), Some(ProtocolVersion::TLSv1_3));

    assert_eq!(tls.reload(b"nonsense", new.key.as_bytes()), Err(TlsError::NoCertificate));
    assert_eq!(tls.reload(new.pem.as_bytes(), b"nonsense"), Err(TlsError::NoKey));
    assert!(matches!(tls.reload(new.pem.as_bytes(), old.key.as_bytes()), Err(TlsError::Unfit(_))));
    assert!(health(old.connect(&running, BOTH, &[]).await.unwrap()).await.starts_with("HTTP/1.1 200"));

    tls.reload(new.pem.as_bytes(), new.key.as_bytes()).unwrap();
    assert!(old.connect(&running, BOTH, &[]).await.is_err());
    assert!(health(new.connect(&running, BOTH, &[]).await.unwrap()).await.starts_with("HTTP/1.1 200"));
    // What was open stays open.
    kept.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(kept.read(&mut [0; 1024]).await.unwrap() > 0);
    running.stop.send(()).unwrap();
    running.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_connection_that_is_never_opened_is_not_waited_for() {
    let certificate = certificate();
    let limits = Limits { handshake_time: Duration::from_millis(200), connections: 1, ..Limits::default() };
    let running = start(certificate.tls(), limits).await;
    let silent = TcpStream::connect(running.address).await.unwrap();
    let stream = tokio::time::timeout(Duration::from_secs(5), certificate.connect(&running, BOTH, &[])).await;
    assert!(health(stream.unwrap().unwrap()).await.starts_with("HTTP/1.1 200"), "its place is free again");
    drop(silent);
    running.stop.send(()).unwrap();
    running.task.await.unwrap().unwrap();

    let limits = Limits { handshake_time: Duration::from_secs(60), ..Limits::default() };
    let running = start(certificate.tls(), limits).await;
    let silent = TcpStream::connect(running.address).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    running.stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(5), running.task).await.unwrap().unwrap().unwrap();
    drop(silent);
}

#[test]
fn keys_are_never_shown() {
    let certificate = certificate();
    assert_eq!(format!("{:?}", certificate.tls()), "Tls(..)");
    let two = format!("{0}{0}", certificate.key);
    assert_eq!(Tls::new(certificate.pem.as_bytes(), two.as_bytes()).err(), Some(TlsError::NoKey));
    assert_eq!(Tls::new(b"", certificate.key.as_bytes()).err(), Some(TlsError::NoCertificate));
}
