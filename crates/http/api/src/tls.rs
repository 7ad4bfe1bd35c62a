//! TLS: certificate and key as PEM, and how to change them while serving.

use std::fmt;
use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// Certificate and key that connections are opened with. Clones share them, so that one kept back can
/// [`reload`](Tls::reload) those of a running server.
#[derive(Clone)]
pub struct Tls(Arc<Mutex<Arc<ServerConfig>>>);

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
        Ok(Tls(Arc::new(Mutex::new(config(certificates, key)?))))
    }

    /// Uses others from the next connection on. If they are not fit, the old ones stay.
    pub fn reload(&self, certificates: &[u8], key: &[u8]) -> Result<(), TlsError> {
        let config = config(certificates, key)?;
        *self.0.lock().unwrap_or_else(|broken| broken.into_inner()) = config;
        Ok(())
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.0.lock().unwrap_or_else(|broken| broken.into_inner()).clone())
    }
}

fn config(certificates: &[u8], key: &[u8]) -> Result<Arc<ServerConfig>, TlsError> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(certificates)
        .collect::<Result<_, _>>()
        .map_err(|_| TlsError::NoCertificate)?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate);
    }
    let mut keys = PrivateKeyDer::pem_slice_iter(key);
    let (Some(Ok(key)), None) = (keys.next(), keys.next()) else { return Err(TlsError::NoKey) };
    let unfit = |error: rustls::Error| TlsError::Unfit(error.to_string());
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(unfit)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(unfit)?;
    // Of what a client can speak, the first here is spoken: HTTP/2 only with those who speak nothing else.
    config.alpn_protocols = vec![b"http/1.1".to_vec(), b"h2".to_vec()];
    Ok(Arc::new(config))
}
