//! Signing in with a key, and signing out.

use std::sync::Arc;

use access::ViewerKind;
use askama::Template;
use axum::extract::{Request, State};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use indelible::AuthError;

use crate::answer::{html, see_other};
use crate::desk::Desk;
use crate::fault::Fault;
use crate::frame::{Frame, Link};
use crate::question::{Pairs, encode};
use crate::sign_on;
use crate::visitor::{Fields, Posted, Visitor, came};

/// Names of our cookies, over http and https. The prefix binds one to exactly this host and to encryption (RFC 6265bis).
const SESSION: [&str; 2] = ["indelible", "__Host-indelible"];
/// Of whoever looks at the door: what the token in its form is made of.
const FORM: [&str; 2] = ["indelible_form", "__Host-indelible_form"];
/// As long as a session lasts at most.
const SECONDS: u32 = 12 * 3600;
/// Longest key that is looked at.
const KEY: usize = 1024;
/// Where somebody is led who wants nothing in particular.
const FIRST: &str = crate::overview::HERE;
/// Longest path that somebody is led on to.
const NEXT: usize = 8192;

/// The name of the session that a request came with.
pub fn session(headers: &HeaderMap, is_https: bool) -> Option<String> {
    cookie(headers, SESSION[usize::from(is_https)])
}

/// A cookie, if it is there once: twice, somebody else may have put one beside ours.
fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    cookie_of(headers, name, 100)
}

/// The same, of at most so many bytes.
pub(crate) fn cookie_of(headers: &HeaderMap, name: &str, most: usize) -> Option<String> {
    let values = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut found = pairs.filter(|(other, _)| *other == name).map(|(_, value)| value);
    match (found.next(), found.next()) {
        (Some(value), None) if !value.is_empty() && value.len() <= most => Some(value.to_owned()),
        _ => None,
    }
}

/// Opens the door: whoever has the browser has the session.
pub(crate) fn let_in(response: &mut Response, session: &str, is_https: bool) {
    set(response, SESSION[usize::from(is_https)], session, SECONDS, is_https);
}

fn set(response: &mut Response, name: &str, value: &str, seconds: u32, is_https: bool) {
    set_with(response, (name, value), seconds, is_https, "Strict");
}

/// Sets a cookie. `Lax` comes with a press on a link elsewhere, too; `Strict` only from our own pages.
pub(crate) fn set_with(
    response: &mut Response,
    (name, value): (&str, &str),
    seconds: u32,
    is_https: bool,
    same_site: &str,
) {
    let secure = if is_https { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite={same_site}{secure}");
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}

#[derive(Template)]
#[template(path = "login.html")]
struct Login {
    frame: Frame,
    next: String,
    form_token: String,
    /// What went wrong, and what to do.
    wrong: Option<&'static str>,
    sign_on: Option<Link>,
    /// They have signed out here, and may do so there, too.
    elsewhere: Option<String>,
}

/// Asks the browser to come again by itself.
#[derive(Template)]
#[template(path = "return.html")]
pub(crate) struct Return {
    pub(crate) frame: Frame,
    /// To this place; the same, if it is empty.
    pub(crate) place: String,
}

/// `GET /`
pub(crate) async fn home(_: Visitor) -> Response {
    see_other(FIRST)
}

/// `GET /login`
pub(crate) async fn ask(
    State(desk): State<Arc<Desk>>,
    visitor: Result<Visitor, Response>,
    headers: HeaderMap,
    uri: Uri,
    request: Request,
) -> Response {
    let next = Pairs::of(&uri).get("next").map(inside).unwrap_or_default();
    if visitor.is_ok() {
        return see_other(or_first(&next));
    }
    let (_, is_https) = came(&request.into_parts().0);
    let elsewhere = match Pairs::of(&uri).get("left") {
        Some("provider") => sign_on::sign_out_place(&desk).await,
        _ => None,
    };
    door_page(&desk, &headers, is_https, next, None, elsewhere)
}

/// `POST /login`
pub(crate) async fn enter(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let ((address, is_https), headers) = (came(&parts), parts.headers.clone());
    let fields = match Fields::receive(Request::from_parts(parts, body)).await {
        Ok(fields) => fields,
        Err(fault) => return fault.into_response(),
    };
    let next = inside(fields.get("next"));
    let name = cookie(&headers, FORM[usize::from(is_https)]).unwrap_or_default();
    let (token, key) = (fields.get("form").to_owned(), fields.get("key").to_owned());
    let entered = desk.read(move |product| {
        if name.is_empty() || !product.is_form_token(&name, &token) {
            return Ok(None);
        }
        if key.is_empty() || key.len() > KEY {
            return Ok(Some(Err(AuthError::Refused("empty"))));
        }
        Ok(Some(product.sign_in(&key, Some(address))))
    });
    match entered.await {
        Err(fault) => fault.into_response(),
        Ok(None) => door_page(&desk, &headers, is_https, next, Some(STALE), None),
        Ok(Some(Err(AuthError::Refused(_)))) => {
            let mut response = door_page(&desk, &headers, is_https, next, Some(WRONG), None);
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            response
        }
        Ok(Some(Err(AuthError::Unavailable(reason)))) => {
            tracing::error!(reason, "nobody can be let in");
            Fault::unavailable().into_response()
        }
        Ok(Some(Ok(session))) => {
            let mut response = see_other(or_first(&next));
            let_in(&mut response, &session, is_https);
            set(&mut response, FORM[usize::from(is_https)], "", 0, is_https);
            response
        }
    }
}

const WRONG: &str = "That key does not open this door. It may be mistyped, revoked or expired, or not meant for this \
    address. The attempt is on record.";
const STALE: &str = "This page was open too long, or cookies are switched off. Please try once more.";

/// `POST /logout`
pub(crate) async fn leave(State(desk): State<Arc<Desk>>, posted: Posted) -> Response {
    let Visitor { session, address, viewer, .. } = posted.visitor;
    let left = desk.read(move |product| Ok(product.sign_out(&session, Some(address)))).await;
    if let Ok(Err(error)) = left {
        tracing::warn!(?error, "that somebody signed out could not be recorded");
    }
    // Whoever came by single sign-on is still signed in there: the next press would lead in again.
    let is_vouched = viewer.kind == ViewerKind::User && desk.sign_on().is_some();
    let mut response = see_other(if is_vouched { "/login?left=provider" } else { "/login" });
    for is_https in [false, true] {
        set(&mut response, SESSION[usize::from(is_https)], "", 0, is_https);
    }
    response
}

pub(crate) fn door_page(
    desk: &Desk,
    headers: &HeaderMap,
    is_https: bool,
    next: String,
    wrong: Option<&'static str>,
    elsewhere: Option<String>,
) -> Response {
    // The one that is there is kept: somebody may have the door open twice.
    let known = cookie(headers, FORM[usize::from(is_https)]);
    let name = known.clone().unwrap_or_else(|| desk.product().random_name());
    let Ok(form_token) = desk.product().form_token(&name) else {
        return Fault::unavailable().into_response();
    };
    let sign_on = desk.sign_on().map(|sign_on| Link {
        text: sign_on.name.clone(),
        place: match next.is_empty() {
            true => "/login/oidc".to_owned(),
            false => format!("/login/oidc?next={}", encode(&next)),
        },
        is_here: false,
    });
    let page = Login { frame: Frame::closed("Sign in"), next, form_token, wrong, sign_on, elsewhere };
    let mut response = html(StatusCode::OK, &page);
    if known.is_none() {
        set(&mut response, FORM[usize::from(is_https)], &name, SECONDS, is_https);
    }
    response
}

pub(crate) fn or_first(next: &str) -> &str {
    if next.is_empty() { FIRST } else { next }
}

/// A path of ours to be led on to, or nothing: never another site. Browsers read `\` as `/`, skip tabs and line ends, and
/// take `//name` for a site.
pub(crate) fn inside(next: &str) -> String {
    let plain = |c: char| c.is_ascii_graphic() && c != '\\';
    let is_ours = next.starts_with('/') && !next.starts_with("//") && next.chars().all(plain);
    let is_door = ["/login", "/logout", "/assets"].iter().any(|door| next.starts_with(door));
    match is_ours && !is_door && next.len() <= NEXT {
        true => next.to_owned(),
        false => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_to_another_site() {
        for next in ["/search?q=type%3Aauth.*", "/events/7?organisation=acme", "/search#results"] {
            assert_eq!(inside(next), next);
        }
        for next in [
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n//evil.example",
            " //evil.example",
            "javascript:alert(1)",
            "search",
            "",
            "/login?next=/login",
            "/search?q=é",
        ] {
            assert_eq!(inside(next), "", "{next:?}");
        }
        assert_eq!(inside(&format!("/{}", "a".repeat(NEXT))), "");
    }

    #[test]
    fn a_cookie_that_is_there_twice_is_none() {
        let check = |given: &[&str], expect: Option<&str>| {
            let mut headers = HeaderMap::new();
            for value in given {
                headers.append(COOKIE, value.parse().unwrap());
            }
            assert_eq!(session(&headers, false).as_deref(), expect, "{given:?}");
        };
        check(&["indelible=abc"], Some("abc"));
        check(&["a=b; indelible=abc; c=d"], Some("abc"));
        check(&["indelible=abc; indelible=def"], None);
        check(&["indelible=abc", "indelible=def"], None);
        check(&["indelible="], None);
        check(&["__Host-indelible=abc"], None);
        check(&["indelible_form=abc"], None);
        check(&[], None);
    }
}
