//! The provider's document about itself (OpenID Connect Discovery 1.0, section 3).

use event::{Limits, Value, json};

use crate::place::Place;

/// What is taken from it.
#[derive(Clone, Debug)]
pub(crate) struct Metadata {
    pub(crate) authorization: Place,
    pub(crate) token: Place,
    pub(crate) keys: Place,
    pub(crate) end_session: Option<Place>,
    /// Whether a client may say its secret in the header, which is so unless the document says otherwise.
    pub(crate) takes_basic: bool,
    /// The response names the issuer (RFC 9207).
    pub(crate) says_issuer: bool,
}

impl Metadata {
    /// Reads it; or says in words why it can't be used.
    pub(crate) fn read(bytes: &[u8], issuer: &str) -> Result<Metadata, String> {
        let document = json::parse(bytes, &Limits::default()).map_err(|error| format!("no JSON: {error}"))?;
        let text = |name: &str| document.get(name).and_then(Value::as_str);
        // Section 4.3: exactly the one that was asked for, or somebody else may speak for it.
        match text("issuer") {
            Some(said) if said == issuer => {}
            Some(_) => return Err("its document names another issuer than oidc.issuer".to_owned()),
            None => return Err("its document names no issuer".to_owned()),
        }
        let place = |name: &str| match text(name) {
            Some(place) => Place::parse(place).map_err(|why| format!("{name}: {why}")),
            None => Err(format!("its document has no {name}")),
        };
        let lists = |name: &str, word: &str| {
            let list = document.get(name).and_then(Value::as_array);
            list.map(|list| list.iter().any(|item| item.as_str() == Some(word)))
        };
        if lists("response_types_supported", "code") == Some(false) {
            return Err("it does not know the authorization code flow".to_owned());
        }
        if lists("code_challenge_methods_supported", "S256") == Some(false) {
            return Err("it does not know PKCE with S256".to_owned());
        }
        Ok(Metadata {
            authorization: place("authorization_endpoint")?,
            token: place("token_endpoint")?,
            keys: place("jwks_uri")?,
            end_session: text("end_session_endpoint").and_then(|place| Place::parse(place).ok()),
            takes_basic: lists("token_endpoint_auth_methods_supported", "client_secret_basic")
                .unwrap_or(true),
            says_issuer: document
                .get("authorization_response_iss_parameter_supported")
                .and_then(Value::as_bool)
                .unwrap_or(false),
        })
    }
}
