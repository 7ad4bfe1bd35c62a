//! Signing in: to the provider, and back with a code that is changed for a token.

use access::Grant;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use event::{Limits, Value, json};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::base64url;
use crate::client::Call;
use crate::metadata::Metadata;
use crate::place::encode;
use crate::provider::{Failure, Provider};
use crate::token::{Expected, Unverified};

/// Longest code that is sent on.
const CODE: usize = 4096;
/// Longest id, name and address, as our users have them.
const NAME: usize = 256;

/// What binds an answer to the browser that asked: secrets that only this browser and we can know, different for each
/// sign-in. The caller makes them of what is in the browser's cookie.
#[derive(Clone)]
pub struct Bound {
    /// Comes back with the answer; the caller compares it.
    pub state: String,
    /// Comes back in the token.
    pub nonce: String,
    /// 43 to 128 unreserved characters, which change the code for a token (RFC 7636, 4.1).
    pub verifier: Zeroizing<String>,
}

/// What a browser comes back with.
#[derive(Clone)]
pub struct Returned {
    /// To be changed for a token.
    pub code: String,
    /// Who says so (RFC 9207).
    pub issuer: Option<String>,
}

/// Who somebody is, as the provider says and we believe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The id of our user.
    pub user: String,
    /// Name for people.
    pub name: String,
    /// Their address, if it is theirs: the provider verified it, or is trusted with it.
    pub email: Option<String>,
    /// What their groups make them here, perhaps nothing; `None` if groups say nothing about roles.
    pub grants: Option<Vec<Grant>>,
}

impl Provider {
    /// Where a browser is to go to sign in.
    pub async fn authorization(&self, bound: &Bound, now_ms: u64) -> Result<String, Failure> {
        let metadata = self.metadata(now_ms).await?;
        let settings = &self.settings;
        let mut scopes: Vec<&str> =
            settings.scopes.split_whitespace().filter(|scope| *scope != "openid").collect();
        scopes.insert(0, "openid");
        let challenge = base64url::encode(&Sha256::digest(bound.verifier.as_bytes()));
        Ok(metadata.authorization.with(&[
            ("response_type", "code"),
            ("client_id", &settings.client_id),
            ("redirect_uri", &settings.redirect_uri()),
            ("scope", &scopes.join(" ")),
            ("state", &bound.state),
            ("nonce", &bound.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]))
    }

    /// Where a browser is to go to sign out of the provider, too; `None` if it has no such place, or can't be asked.
    pub async fn end_session(&self, now_ms: u64) -> Option<String> {
        let place = self.metadata(now_ms).await.ok()?.end_session?;
        let back = format!("{}/login", self.settings.public_url.trim_end_matches('/'));
        Some(place.with(&[("client_id", &self.settings.client_id), ("post_logout_redirect_uri", &back)]))
    }

    /// Who it is that came back. The caller has compared the state already.
    ///
    /// The token must be signed by one of the provider's keys, in a way that is taken; be of the issuer, for us, and given
    /// to us; be made within the last ten minutes and not have expired, give or take a minute; and hold the nonce.
    pub async fn identify(
        &self,
        returned: &Returned,
        bound: &Bound,
        now_ms: u64,
    ) -> Result<Identity, Failure> {
        let refused = |why: String| Failure::Refused(why);
        let metadata = self.metadata(now_ms).await?;
        match &returned.issuer {
            Some(issuer) if *issuer != self.settings.issuer => {
                return Err(refused("another issuer answered".to_owned()));
            }
            None if metadata.says_issuer => {
                return Err(refused("the answer does not say who it is from".to_owned()));
            }
            _ => {}
        }
        if returned.code.is_empty() || returned.code.len() > CODE {
            return Err(refused("the code is none".to_owned()));
        }
        let token = self.token(&metadata, &returned.code, bound).await?;
        let token = Unverified::read(&token).map_err(refused)?;
        let keys = self.keys(&metadata.keys, now_ms, |keys| token.is_signed_by(keys)).await?;
        let expected = Expected {
            issuer: &self.settings.issuer,
            client_id: &self.settings.client_id,
            nonce: &bound.nonce,
            now_ms,
        };
        let claims = token.verify(&keys, &expected).map_err(refused)?;
        self.identity(&claims).map_err(refused)
    }

    /// Changes the code for an identity token.
    async fn token(
        &self,
        metadata: &Metadata,
        code: &str,
        bound: &Bound,
    ) -> Result<Zeroizing<String>, Failure> {
        let settings = &self.settings;
        let redirect = settings.redirect_uri();
        let mut form = Zeroizing::new(String::with_capacity(CODE * 3 + 1024));
        let mut add = |name: &str, value: &str| {
            if !form.is_empty() {
                form.push('&');
            }
            form.push_str(&format!("{name}={}", encode(value)));
        };
        add("grant_type", "authorization_code");
        add("code", code);
        add("redirect_uri", &redirect);
        add("code_verifier", &bound.verifier);
        let mut authorization = None;
        match &settings.client_secret {
            Some(secret) if metadata.takes_basic => {
                // RFC 6749, 2.3.1: both in the encoding of forms before they are put together.
                let pair = Zeroizing::new(format!("{}:{}", encode(&settings.client_id), encode(secret)));
                authorization = Some(Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes()))));
            }
            Some(secret) => {
                add("client_id", &settings.client_id);
                add("client_secret", secret);
            }
            None => add("client_id", &settings.client_id),
        }
        let call = Call { place: &metadata.token, form: Some(form), authorization };
        let answer = self.client.send(call).await.map_err(Failure::Unreachable)?;
        let body = json::parse(&answer.body, &Limits::default());
        let text = |name: &str| body.as_ref().ok().and_then(|body| body.get(name)).and_then(Value::as_str);
        if !answer.status.is_success() {
            // A word of RFC 6749, 5.2; nothing else of the answer is repeated.
            let is_word =
                |word: &&str| word.len() <= 40 && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            let word = text("error").filter(is_word).unwrap_or("no reason");
            let why = format!("the code was not changed for a token: {}, {word}", answer.status.as_u16());
            return Err(match answer.status.is_server_error() {
                true => Failure::Unreachable(why),
                false => Failure::Refused(why),
            });
        }
        match text("id_token") {
            Some(token) => Ok(Zeroizing::new(token.to_owned())),
            None => Err(Failure::Unreachable("the provider gave no identity token".to_owned())),
        }
    }

    /// What the claims say that we want to know.
    fn identity(&self, claims: &Value<'_>) -> Result<Identity, String> {
        let settings = &self.settings;
        let text = |name: &str| at(claims, name).and_then(Value::as_str).filter(|text| is_name(text));
        let user = text(&settings.user_claim).ok_or_else(|| {
            format!("the identity token has no claim {} that can be an id", settings.user_claim)
        })?;
        let is_verified = match claims.get("email_verified") {
            Some(Value::Bool(verified)) => *verified,
            // Some providers write it as text.
            Some(other) => other.as_str() == Some("true"),
            None => false,
        };
        let email = text("email").filter(|_| is_verified || settings.trust_email);
        if settings.user_claim == "email" && email.is_none() {
            return Err("the address is the user's id, and the provider has not verified it".to_owned());
        }
        let name = ["name", "preferred_username"].into_iter().find_map(text).or(email).unwrap_or(user);
        let groups: Vec<String> = match at(claims, &settings.groups_claim) {
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Some(one) => one.as_str().map(str::to_owned).into_iter().collect(),
            None => Vec::new(),
        };
        Ok(Identity {
            grants: settings.grants(&groups),
            user: user.to_owned(),
            name: name.to_owned(),
            email: email.map(str::to_owned),
        })
    }
}

/// A claim of this name; if there is none, dots lead into objects.
fn at<'c, 'v>(claims: &'c Value<'v>, name: &str) -> Option<&'c Value<'v>> {
    claims.get(name).or_else(|| name.split('.').try_fold(claims, |value, part| value.get(part)))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= NAME && !text.chars().any(char::is_control)
}
