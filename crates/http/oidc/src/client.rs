//! Calls to the provider: few, small, and over soon, whatever it answers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use crate::place::Place;
use crate::settings::Unfit;

/// The whole of a call: name, connection, handshake, request, answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Largest answer. Documents and sets of keys of the large providers are below 20 kB.
const ANSWER: usize = 256 << 10;

/// Something that is sent.
pub(crate) struct Call<'c> {
    pub(crate) place: &'c Place,
    /// A form; without one it is a `GET`.
    pub(crate) form: Option<Zeroizing<String>>,
    pub(crate) authorization: Option<Zeroizing<String>>,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

/// Makes calls.
pub(crate) struct Client {
    /// Nobody vouches for anybody if the machine has no list of authorities.
    tls: TlsConnector,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client(..)")
    }
}

impl Client {
    /// With certificates in PEM of whoever may have signed the provider's; the system's if there are none.
    pub(crate) fn new(authorities: Option<&[u8]>, is_encrypted: bool) -> Result<Client, Unfit> {
        let mut roots = RootCertStore::empty();
        match authorities {
            Some(pem) => {
                for certificate in CertificateDer::pem_slice_iter(pem) {
                    let unfit = |why: String| {
                        Unfit::new("authorities", format!("a certificate can't be used: {why}"))
                    };
                    let certificate = certificate.map_err(|error| unfit(error.to_string()))?;
                    roots.add(certificate).map_err(|error| unfit(error.to_string()))?;
                }
                if roots.is_empty() {
                    return Err(Unfit::new("authorities", "the file holds no certificate in PEM"));
                }
            }
            None if is_encrypted => {
                let found = rustls_native_certs::load_native_certs();
                roots.add_parsable_certificates(found.certs);
                if roots.is_empty() {
                    let why = "this machine has no list of certificate authorities; name a file with the provider's";
                    return Err(Unfit::new("authorities", why));
                }
            }
            None => {}
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Unfit::new("authorities", error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Client { tls: TlsConnector::from(Arc::new(config)) })
    }

    /// Sends something, and gives the answer; or says in words why there is none.
    pub(crate) async fn send(&self, call: Call<'_>) -> Result<Answer, String> {
        let host = call.place.authority.clone();
        match tokio::time::timeout(PATIENCE, self.exchange(call)).await {
            Ok(answer) => answer.map_err(|why| format!("{host}: {why}")),
            Err(_) => Err(format!("{host}: no answer within {} s", PATIENCE.as_secs())),
        }
    }

    async fn exchange(&self, call: Call<'_>) -> Result<Answer, String> {
        let place = call.place;
        let stream = TcpStream::connect((place.host.as_str(), place.port)).await;
        let stream = stream.map_err(|error| format!("no connection: {error}"))?;
        if !place.is_encrypted {
            return speak(stream, call).await;
        }
        let name =
            ServerName::try_from(place.host.clone()).map_err(|_| "this is no name of a server".to_owned())?;
        let stream = self.tls.connect(name, stream).await;
        speak(stream.map_err(|error| format!("no encrypted connection: {error}"))?, call).await
    }
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    call: Call<'_>,
) -> Result<Answer, String> {
    let failed = |error: hyper::Error| format!("the exchange failed: {error}");
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(64 << 10)
        .handshake::<_, Full<Bytes>>(TokioIo::new(stream))
        .await
        .map_err(failed)?;
    let request = request(call)?;
    let exchange = async move {
        let answer = sender.send_request(request).await.map_err(failed)?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER).collect().await;
        let body = body.map_err(|error| match error.is::<http_body_util::LengthLimitError>() {
            true => format!("the answer is larger than {ANSWER} bytes"),
            false => format!("the answer broke off: {error}"),
        })?;
        Ok(Answer { status, body: body.to_bytes() })
    };
    // The connection moves the bytes, and ends with the exchange: both are dropped together, whoever is slow.
    tokio::pin!(exchange);
    tokio::select! {
        answer = &mut exchange => answer,
        ended = connection => match ended {
            Ok(()) => exchange.await,
            Err(error) => Err(failed(error)),
        },
    }
}

fn request(call: Call<'_>) -> Result<Request<Full<Bytes>>, String> {
    let strange = |_| "the request can't be written".to_owned();
    let mut request = Request::new(Full::new(Bytes::new()));
    *request.uri_mut() = call.place.path.parse().map_err(|_| "the request can't be written".to_owned())?;
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::try_from(&call.place.authority).map_err(strange)?);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static("indelible"));
    if let Some(said) = call.authorization {
        let mut said = HeaderValue::try_from(said.as_str()).map_err(strange)?;
        said.set_sensitive(true);
        headers.insert(AUTHORIZATION, said);
    }
    if let Some(form) = call.form {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        *request.method_mut() = Method::POST;
        *request.body_mut() = Full::new(Bytes::copy_from_slice(form.as_bytes()));
    }
    Ok(request)
}
