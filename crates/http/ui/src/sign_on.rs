//! Signing in by a provider of identities, and what comes back from it.
//!
//! What binds the answer to the browser is made of a cookie that only this browser has: `state`, `nonce` and the verifier of
//! PKCE are keyed hashes of it. So nothing is kept here for somebody who never comes back, and an answer that was meant for
//! another browser opens nothing.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use indelible::{AuthError, Indelible, Vouched};
use oidc::{Bound, Failure, Returned};
use zeroize::Zeroizing;

use crate::answer::{html, see_other};
use crate::desk::{Desk, SignOn};
use crate::door::{Return, cookie_of, door_page, inside, let_in, or_first, set_with};
use crate::fault::Fault;
use crate::frame::Frame;
use crate::question::{Pairs, encode};
use crate::visitor::came;

/// Names of the cookie, over http and https. It comes back with the answer, so it is not bound to our own pages.
const COOKIE: [&str; 2] = ["indelible_oidc", "__Host-indelible_oidc"];
/// How long somebody may take at the provider.
const SECONDS: u32 = 600;
/// Longest cookie: a name of 64, and where to go then.
const COOKIE_BYTES: usize = 2048;
/// Longest code that is looked at; the provider's crate looks closer.
const CODE: usize = 4096;

/// `GET /login/oidc`
pub(crate) async fn begin(State(desk): State<Arc<Desk>>, uri: Uri, request: Request) -> Response {
    let Some(sign_on) = desk.sign_on() else { return missing() };
    let (_, is_https) = came(&request.into_parts().0);
    let next = Pairs::of(&uri).get("next").map(inside).unwrap_or_default();
    let name = desk.product().random_name();
    let Ok(bound) = bound(desk.product(), &name) else { return Fault::unavailable().into_response() };
    let place = match sign_on.provider.authorization(&bound, desk.product().now_ms()).await {
        Ok(place) => place,
        Err(failure) => return unreachable(sign_on, &failure).into_response(),
    };
    let next = Some(encode(&next)).filter(|next| name.len() + next.len() < COOKIE_BYTES).unwrap_or_default();
    let mut response = see_other(&place);
    let value = format!("{name}.{next}");
    set_with(&mut response, (COOKIE[usize::from(is_https)], &value), SECONDS, is_https, "Lax");
    response
}

/// `GET /login/oidc/return`
pub(crate) async fn finish(State(desk): State<Arc<Desk>>, uri: Uri, request: Request) -> Response {
    let Some(sign_on) = desk.sign_on() else { return missing() };
    let (parts, _) = request.into_parts();
    let (address, is_https) = came(&parts);
    let pairs = Pairs::of(&uri);
    let kept = cookie_of(&parts.headers, COOKIE[usize::from(is_https)], COOKIE_BYTES).unwrap_or_default();
    let (name, next) = kept.split_once('.').unwrap_or_default();
    let next = inside(&decoded(next));
    let door = |wrong: &'static str, status: StatusCode| {
        let mut response = door_page(&desk, &parts.headers, is_https, next.clone(), Some(wrong), None);
        *response.status_mut() = status;
        forget(&mut response, is_https);
        response
    };
    let Ok(bound) = bound(desk.product(), name) else { return Fault::unavailable().into_response() };
    let said = pairs.get("state").unwrap_or_default();
    if name.is_empty() || !same(said, &bound.state) {
        return door(STALE, StatusCode::BAD_REQUEST);
    }
    if let Some(error) = pairs.get("error") {
        return match error {
            "access_denied" => door(DENIED, StatusCode::UNAUTHORIZED),
            _ => door(REFUSED, StatusCode::UNAUTHORIZED),
        };
    }
    let returned = Returned {
        code: pairs.get("code").filter(|code| code.len() <= CODE).unwrap_or_default().to_owned(),
        issuer: pairs.get("iss").map(str::to_owned),
    };
    let identity = match sign_on.provider.identify(&returned, &bound, desk.product().now_ms()).await {
        Ok(identity) => identity,
        Err(Failure::Refused(why)) => {
            tracing::warn!(issuer = sign_on.provider.issuer(), why, "somebody was not believed");
            let issuer = sign_on.provider.issuer().to_owned();
            let noted = desk.read(move |product| {
                product.note_failed_sign_on(&address.to_string(), "identity", "", &issuer);
                Ok(())
            });
            let _ = noted.await;
            return door(REFUSED, StatusCode::UNAUTHORIZED);
        }
        Err(failure) => {
            let mut response = unreachable(sign_on, &failure).into_response();
            forget(&mut response, is_https);
            return response;
        }
    };
    let vouched = Vouched {
        user: identity.user,
        name: identity.name,
        email: identity.email,
        grants: identity.grants,
        provider: sign_on.provider.issuer().to_owned(),
    };
    let entered = desk.read(move |product| Ok(product.sign_in_vouched(&vouched, Some(address)))).await;
    match entered {
        Err(fault) => fault.into_response(),
        Ok(Ok(session)) => {
            // Led on by a page of ours: a browser that comes from elsewhere would keep our cookie back.
            let place = or_first(&next).to_owned();
            let mut response = html(StatusCode::OK, &Return { frame: Frame::closed("One moment"), place });
            let_in(&mut response, &session, is_https);
            forget(&mut response, is_https);
            response
        }
        Ok(Err(AuthError::Refused(reason))) => door(
            match reason {
                "no_role" => NO_ROLE,
                "no_user" => NO_USER,
                "user_disabled" => DISABLED,
                _ => REFUSED,
            },
            StatusCode::FORBIDDEN,
        ),
        Ok(Err(AuthError::Unavailable(reason))) => {
            tracing::error!(reason, "nobody can be let in");
            Fault::unavailable().into_response()
        }
    }
}

const STALE: &str = "Signing in took too long, was begun in another browser, or cookies are switched off. Please try once more.";
const DENIED: &str = "The provider did not let you in, or you did not agree to come here.";
const REFUSED: &str = "What came back from the provider could not be believed. Please try once more; if it stays, the \
    server’s own log says why. The attempt is on record.";
const NO_ROLE: &str = "The provider knows you, and none of your groups has a role here. Whoever administers this server can \
    map one to a role. The attempt is on record.";
const NO_USER: &str = "The provider knows you, and you are no user here. Whoever administers this server can make you one. \
    The attempt is on record.";
const DISABLED: &str =
    "You are kept out here. Whoever administers this server can let you in again. The attempt is on record.";

/// Where somebody signs out of the provider, too.
pub(crate) async fn sign_out_place(desk: &Desk) -> Option<String> {
    let now_ms = desk.product().now_ms();
    desk.sign_on()?.provider.end_session(now_ms).await
}

/// What binds an answer to the browser with this name in its cookie.
fn bound(product: &Indelible, name: &str) -> Result<Bound, AuthError> {
    Ok(Bound {
        state: product.secret_for("oidc state", name)?,
        nonce: product.secret_for("oidc nonce", name)?,
        verifier: Zeroizing::new(product.secret_for("oidc verifier", name)?),
    })
}

/// Compared without telling by the time it takes how much of it is right.
fn same(given: &str, expected: &str) -> bool {
    let differ = expected.bytes().zip(given.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b));
    given.len() == expected.len() && differ == 0
}

/// What [`encode`] made of a path; the cookie is the browser's, and could be anything.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        let Some((high, low)) = digit().zip(digit()) else { return String::new() };
        bytes.extend(u8::try_from(high * 16 + low));
    }
    String::from_utf8(bytes).unwrap_or_default()
}

/// The way back is gone once.
fn forget(response: &mut Response, is_https: bool) {
    set_with(response, (COOKIE[usize::from(is_https)], ""), 0, is_https, "Lax");
}

fn missing() -> Response {
    Fault::not_found("Single sign-on is not configured here.")
        .lead("Sign in with a key", "/login")
        .into_response()
}

fn unreachable(sign_on: &SignOn, failure: &Failure) -> Fault {
    tracing::warn!(issuer = sign_on.provider.issuer(), %failure, "nobody can sign in by the provider now");
    Fault::unavailable_because("The identity provider can't be reached, or does not answer as it should.")
        .advise(
            "Try again in a moment. The server's own log says what is wrong. A key opens the door meanwhile.",
        )
        .lead("Sign in with a key", "/login")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_put_into_a_cookie_and_taken_out_again() {
        for path in ["/search?q=type%3Aauth.*&organisation=acme", "/", ""] {
            assert_eq!(decoded(&encode(path)), path);
        }
        for strange in ["%", "%4", "%zz", "%ff"] {
            assert_eq!(decoded(strange), "", "{strange}");
        }
    }
}
