//! A provider on this machine that says what it is told to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaKeyPair,
};
use aws_lc_rs::{hmac, rsa};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::base64url::encode;

/// A key that signs.
pub(super) struct Signer {
    pub(super) id: String,
    pub(super) algorithm: &'static str,
    /// As a set has it.
    jwk: String,
    public: Vec<u8>,
    key: Secret,
}

enum Secret {
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Rsa(Box<RsaKeyPair>, bool),
    Mac(Box<hmac::Key>),
}

impl Signer {
    pub(super) fn es256(id: &str) -> Signer {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let public = key.public_key().as_ref().to_vec();
        let jwk = format!(
            r#"{{"kty":"EC","crv":"P-256","kid":"{id}","use":"sig","x":"{}","y":"{}"}}"#,
            encode(&public[1..33]),
            encode(&public[33..])
        );
        Signer { id: id.to_owned(), algorithm: "ES256", jwk, public, key: Secret::Ec(key) }
    }

    pub(super) fn ed25519(id: &str) -> Signer {
        let key = Ed25519KeyPair::generate().unwrap();
        let public = key.public_key().as_ref().to_vec();
        let jwk = format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"{id}","x":"{}"}}"#, encode(&public));
        Signer { id: id.to_owned(), algorithm: "EdDSA", jwk, public, key: Secret::Ed(key) }
    }

    pub(super) fn rs256(id: &str) -> Signer {
        Signer::rsa(id, "RS256", false)
    }

    pub(super) fn ps256(id: &str) -> Signer {
        Signer::rsa(id, "PS256", true)
    }

    fn rsa(id: &str, algorithm: &'static str, is_pss: bool) -> Signer {
        let key = rsa::KeyPair::generate(KeySize::Rsa2048).unwrap();
        let public = key.public_key();
        // RFC 8017's RSAPublicKey in DER, of this size: SEQUENCE { INTEGER n, INTEGER e }.
        let der = public.as_ref();
        assert_eq!((&der[..9], &der[265..267]), (&[0x30, 0x82, 1, 10, 2, 0x82, 1, 1, 0][..], &[2, 3][..]));
        let (n, e) = (&der[9..265], &der[267..270]);
        let jwk = format!(
            r#"{{"kty":"RSA","kid":"{id}","alg":"{algorithm}","n":"{}","e":"{}"}}"#,
            encode(n),
            encode(e)
        );
        let public = public.as_ref().to_vec();
        Signer { id: id.to_owned(), algorithm, jwk, public, key: Secret::Rsa(Box::new(key), is_pss) }
    }

    /// A MAC whose secret is what everybody knows.
    pub(super) fn as_mac(&self) -> Signer {
        let key = Secret::Mac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, &self.public)));
        Signer { id: self.id.clone(), algorithm: "HS256", jwk: String::new(), public: Vec::new(), key }
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            Secret::Ec(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Secret::Ed(key) => key.sign(message).as_ref().to_vec(),
            Secret::Mac(key) => hmac::sign(key, message).as_ref().to_vec(),
            Secret::Rsa(key, is_pss) => {
                let mut signature = vec![0; key.public_modulus_len()];
                match is_pss {
                    true => key.sign(&RSA_PSS_SHA256, &random, message, &mut signature).unwrap(),
                    false => key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap(),
                }
                signature
            }
        }
    }
}

/// Something that it was asked.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) path: String,
    pub(super) headers: String,
    pub(super) body: String,
}

#[derive(Default)]
struct Said {
    keys: String,
    token: String,
    /// Instead of what is right, by path.
    answers: HashMap<String, String>,
    requests: Vec<Asked>,
}

/// The provider.
pub(super) struct Fake {
    issuer: String,
    said: Arc<Mutex<Said>>,
}

impl Fake {
    pub(super) async fn start(signers: &[&Signer]) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fake = Fake::at(&format!("http://{}", listener.local_addr().unwrap()), signers);
        let (said, issuer) = (fake.said.clone(), fake.issuer());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, said.clone(), issuer.clone()));
            }
        });
        fake
    }

    /// With a certificate that nobody else signed: it is given in PEM.
    pub(super) async fn start_encrypted(signers: &[&Signer]) -> (Fake, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fake = Fake::at(&format!("https://localhost:{}", listener.local_addr().unwrap().port()), signers);
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let (said, issuer) = (fake.said.clone(), fake.issuer());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, said, issuer) = (acceptor.clone(), said.clone(), issuer.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serve(stream, said, issuer).await;
                    }
                });
            }
        });
        (fake, made.cert.pem())
    }

    fn at(issuer: &str, signers: &[&Signer]) -> Fake {
        let fake = Fake { issuer: issuer.to_owned(), said: Arc::default() };
        fake.publish(signers);
        fake
    }

    pub(super) fn issuer(&self) -> String {
        self.issuer.clone()
    }

    /// These are its keys from now on, among others that are of no use.
    pub(super) fn publish(&self, signers: &[&Signer]) {
        let strange = [r#"{"kty":"oct","k":"AAAA"}"#, r#"{"kty":"EC","crv":"P-521","x":"","y":""}"#, "7"];
        let keys: Vec<&str> =
            strange.into_iter().chain(signers.iter().map(|signer| signer.jwk.as_str())).collect();
        self.said.lock().unwrap().keys = format!(r#"{{"keys":[{}]}}"#, keys.join(","));
    }

    /// This token is given for any code.
    pub(super) fn give(&self, token: String) {
        self.said.lock().unwrap().token = token;
    }

    /// A path is answered so from now on: a status, a fault, or a body.
    pub(super) fn answer(&self, path: &str, answer: &str) {
        self.said.lock().unwrap().answers.insert(path.to_owned(), answer.to_owned());
    }

    pub(super) fn requests(&self) -> Vec<Asked> {
        self.said.lock().unwrap().requests.clone()
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, said: Arc<Mutex<Said>>, issuer: String) {
    let mut bytes = Vec::new();
    let (head, length) = loop {
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).await.unwrap_or(0);
        if read == 0 {
            return;
        }
        bytes.extend(&piece[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            break (head.to_owned(), length.unwrap_or(0));
        }
    };
    while bytes.len() < head.len() + 4 + length {
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).await.unwrap_or(0);
        bytes.extend(&piece[..read]);
    }
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let body = String::from_utf8_lossy(&bytes[head.len() + 4..]).into_owned();
    let (answer, right) = {
        let mut said = said.lock().unwrap();
        said.requests.push(Asked { path: path.clone(), headers: head, body });
        let extra = match said.answers.get(&path).map(String::as_str) {
            Some("says-issuer") => r#","authorization_response_iss_parameter_supported":true"#,
            _ => "",
        };
        let right = match path.as_str() {
            "/.well-known/openid-configuration" => format!(
                r#"{{"issuer":"{issuer}","authorization_endpoint":"{issuer}/authorize","token_endpoint":"{issuer}/token","jwks_uri":"{issuer}/keys","end_session_endpoint":"{issuer}/end"{extra}}}"#
            ),
            "/keys" => said.keys.clone(),
            "/token" => {
                format!(r#"{{"access_token":"a","token_type":"Bearer","id_token":"{}"}}"#, said.token)
            }
            _ => String::new(),
        };
        (said.answers.get(&path).cloned(), right)
    };
    let reply = |status: &str, body: &str| {
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let text = match answer.as_deref() {
        None | Some("says-issuer") => reply("200 OK", &right),
        Some("slow") => return std::future::pending().await,
        Some("closed") => return,
        Some("cut") => reply("200 OK", &right).replace("content-length: ", "content-length: 9"),
        Some("huge") => reply("200 OK", &" ".repeat(300 << 10)),
        Some("302") => {
            format!("HTTP/1.1 302 Found\r\nlocation: {issuer}/elsewhere\r\ncontent-length: 0\r\n\r\n")
        }
        Some("400") => reply("400 Bad Request", r#"{"error":"invalid_grant","error_description":"<b>"}"#),
        Some(status) if status.len() == 3 => reply(&format!("{status} Status"), "{}"),
        Some(body) => reply("200 OK", body),
    };
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.shutdown().await;
}
