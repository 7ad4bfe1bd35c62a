//! The identity token (OpenID Connect Core 1.0, section 3.1.3.7): what must hold before a word of it is believed.

use event::{Limits, Value, json};
use subtle::ConstantTimeEq;

use crate::base64url::decode;
use crate::keys::{Algorithm, Key};

/// Longest token. Those with many groups have some kilobytes.
const TOKEN: usize = 64 << 10;
/// How far apart two clocks may be.
const SKEW_S: i64 = 60;
/// A token is made when somebody signs in, and used at once.
const OLDEST_S: i64 = 600;

/// A token that was taken apart, and of which nothing is believed yet.
pub(crate) struct Unverified<'t> {
    signed: &'t str,
    signature: Vec<u8>,
    algorithm: Algorithm,
    key_id: Option<String>,
    claims: Value<'static>,
}

/// What a token must say.
pub(crate) struct Expected<'e> {
    pub(crate) issuer: &'e str,
    pub(crate) client_id: &'e str,
    pub(crate) nonce: &'e str,
    pub(crate) now_ms: u64,
}

impl<'t> Unverified<'t> {
    /// Takes a token apart; or says in words why it is none.
    pub(crate) fn read(token: &'t str) -> Result<Unverified<'t>, String> {
        if token.len() > TOKEN {
            return Err("the identity token is too long".to_owned());
        }
        let (signed, signature) = token.rsplit_once('.').ok_or("the identity token is none")?;
        let (header, claims) = signed.split_once('.').ok_or("the identity token is none")?;
        let read = |part: &str| -> Option<Value<'static>> {
            let value = json::parse(&decode(part)?, &Limits::default()).ok()?.into_owned();
            value.as_object().is_some().then_some(value)
        };
        let header = read(header).ok_or("the header of the identity token can't be read")?;
        // What says that there is more to be understood is not half understood (RFC 7515, 4.1.11).
        if header.get("crit").is_some() {
            return Err("the identity token asks for an extension that is not known".to_owned());
        }
        let algorithm = header.get("alg").and_then(Value::as_str).and_then(Algorithm::named);
        Ok(Unverified {
            signature: decode(signature).ok_or("the signature of the identity token can't be read")?,
            algorithm: algorithm.ok_or(
                "the identity token is signed in a way that is not taken; RS256, PS256, ES256 and EdDSA are",
            )?,
            key_id: header.get("kid").and_then(Value::as_str).map(str::to_owned),
            claims: read(claims).ok_or("the claims of the identity token can't be read")?,
            signed,
        })
    }

    /// Whether one of these keys signed it: the one that it names, or any if it names none.
    pub(crate) fn is_signed_by(&self, keys: &[Key]) -> bool {
        let is_named = |key: &&Key| self.key_id.is_none() || key.id == self.key_id;
        let message = self.signed.as_bytes();
        keys.iter().filter(is_named).any(|key| key.has_signed(self.algorithm, message, &self.signature))
    }

    /// The claims, if one of these keys signed them and they are about what is expected.
    pub(crate) fn verify(self, keys: &[Key], expected: &Expected<'_>) -> Result<Value<'static>, String> {
        if !self.is_signed_by(keys) {
            return Err("the identity token is not signed by the provider".to_owned());
        }
        check(&self.claims, expected)?;
        Ok(self.claims)
    }
}

fn check(claims: &Value<'_>, expected: &Expected<'_>) -> Result<(), String> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(expected.issuer) {
        return Err("the identity token is of another issuer".to_owned());
    }
    let audiences: Vec<&str> = match claims.get("aud") {
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        Some(one) => one.as_str().into_iter().collect(),
        None => Vec::new(),
    };
    if !audiences.contains(&expected.client_id) {
        return Err("the identity token is meant for another client".to_owned());
    }
    let azp = text("azp");
    if azp.is_some_and(|azp| azp != expected.client_id) || (audiences.len() > 1 && azp.is_none()) {
        return Err("the identity token was given to another client".to_owned());
    }
    let now = i64::try_from(expected.now_ms / 1000).unwrap_or(i64::MAX);
    let second = |name: &str| claims.get(name).and_then(Value::as_f64).map(|second| second as i64);
    match second("exp") {
        Some(end) if now < end.saturating_add(SKEW_S) => {}
        Some(_) => return Err("the identity token has expired".to_owned()),
        None => return Err("the identity token does not say when it expires".to_owned()),
    }
    match second("iat") {
        Some(made) if made > now.saturating_add(SKEW_S) => {
            return Err("the identity token is from the future; compare the clocks".to_owned());
        }
        Some(made) if made < now.saturating_sub(OLDEST_S) => {
            return Err("the identity token is old".to_owned());
        }
        Some(_) => {}
        None => return Err("the identity token does not say when it was made".to_owned()),
    }
    if second("nbf").is_some_and(|begin| begin > now.saturating_add(SKEW_S)) {
        return Err("the identity token is not valid yet".to_owned());
    }
    let nonce = text("nonce").unwrap_or_default();
    match bool::from(nonce.as_bytes().ct_eq(expected.nonce.as_bytes())) {
        true => Ok(()),
        false => Err("the identity token belongs to another sign-in".to_owned()),
    }
}
