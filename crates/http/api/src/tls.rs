//! TLS: certificate and key as PEM, and how to change them while serving.

use std::fmt;
use std::sync::{Arc, Mutex};

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

/// Certificate and key that connections are opened with. Clones share them, so that one kept back can
/// [`reload`](Tls::reload) those of a running server.
#[derive(Clone)]
pub struct Tls {
    config: Arc<Mutex<Arc<ServerConfig>>>,
    /// Of whom senders of syslog must have a certificate; `None` for HTTP.
    syslog: Option<Clients>,
}

/// Which clients are let in.
#[derive(Clone)]
enum Clients {
    All,
    /// Those with a certificate that one of these signed, PEM.
    SignedBy(Arc<[u8]>),
}

/// Why a certificate or key is not taken. It quotes neither.
#[derive(Debug, PartialEq, Eq)]
pub enum TlsError {
    /// The first text holds no certificate in PEM.
    NoCertificate,
    /// The second text holds no private key in PEM, or not exactly one.
    NoKey,
    /// They do not belong together, or are of a kind that is not known. With the reason.
    Unfit(String),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsError::NoCertificate => f.write_str(
                "there is no certificate in PEM; expected the server's own, then those that signed it",
            ),
            TlsError::NoKey => f.write_str("expected one private key in PEM, not encrypted"),
            TlsError::Unfit(why) => write!(f, "certificate and key can't be used: {why}"),
        }
    }
}

impl std::error::Error for TlsError {}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(..)")
    }
}

impl Tls {
    /// `certificates`: PEM, the server's own first, then the chain. `key`: PEM, PKCS #8, PKCS #1 or SEC1.
    /// TLS 1.2 and 1.3 are spoken, and HTTP/1.1 within; gRPC over HTTP/2.
    pub fn new(certificates: &[u8], key: &[u8]) -> Result<Tls, TlsError> {
        let config = config(certificates, key, None)?;
        Ok(Tls { config: Arc::new(Mutex::new(config)), syslog: None })
    }

    /// For syslog: no HTTP within, and, with `authorities` in PEM, only clients that one of them has signed.
    pub fn for_syslog(certificates: &[u8], key: &[u8], authorities: Option<&[u8]>) -> Result<Tls, TlsError> {
        let clients = authorities.map_or(Clients::All, |pem| Clients::SignedBy(pem.into()));
        let config = config(certificates, key, Some(&clients))?;
        Ok(Tls { config: Arc::new(Mutex::new(config)), syslog: Some(clients) })
    }

    /// Uses others from the next connection on. If they are not fit, the old ones stay.
    pub fn reload(&self, certificates: &[u8], key: &[u8]) -> Result<(), TlsError> {
        let config = config(certificates, key, self.syslog.as_ref())?;
        *self.config.lock().unwrap_or_else(|broken| broken.into_inner()) = config;
        Ok(())
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.lock().unwrap_or_else(|broken| broken.into_inner()).clone())
    }
}

fn config(certificates: &[u8], key: &[u8], syslog: Option<&Clients>) -> Result<Arc<ServerConfig>, TlsError> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(certificates)
        .collect::<Result<_, _>>()
        .map_err(|_| TlsError::NoCertificate)?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate);
    }
    let mut keys = PrivateKeyDer::pem_slice_iter(key);
    let (Some(Ok(key)), None) = (keys.next(), keys.next()) else { return Err(TlsError::NoKey) };
    let unfit = |error: rustls::Error| TlsError::Unfit(error.to_string());
    let provider = Arc::new(default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(unfit)?;
    let builder = match syslog {
        Some(Clients::SignedBy(pem)) => {
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(pem) {
                roots.add(certificate.map_err(|_| TlsError::NoCertificate)?).map_err(unfit)?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| TlsError::Unfit(error.to_string()))?)
        }
        _ => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key).map_err(unfit)?;
    if syslog.is_none() {
        // Of what a client can speak, the first here is spoken: HTTP/2 only with those who speak nothing else.
        config.alpn_protocols = vec![b"http/1.1".to_vec(), b"h2".to_vec()];
    }
    Ok(Arc::new(config))
}
