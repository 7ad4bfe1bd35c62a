//! Who looks at a page: whoever has a session. Forms are taken only from our own pages.

use std::net::IpAddr;
use std::sync::Arc;

use access::Viewer;
use axum::extract::{Form, FromRequest, FromRequestParts, Request};
use axum::http::header::{HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::uri::Scheme;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use indelible::AuthError;

use crate::answer::{html, see_other};
use crate::desk::Desk;
use crate::door::{Return, session};
use crate::fault::Fault;
use crate::frame::Frame;
use crate::question::encode;

/// Somebody who has signed in.
#[derive(Clone)]
pub(crate) struct Visitor {
    pub(crate) viewer: Arc<Viewer>,
    /// Stands in each form.
    pub(crate) form_token: String,
    /// The name of the session.
    pub(crate) session: String,
    pub(crate) address: IpAddr,
}

/// How a request came; the server says so.
pub(crate) fn came(parts: &Parts) -> (IpAddr, bool) {
    let address = parts.extensions.get::<IpAddr>().copied();
    let is_https = parts.extensions.get::<Scheme>() == Some(&Scheme::HTTPS);
    (address.unwrap_or(IpAddr::from([0, 0, 0, 0])), is_https)
}

impl FromRequestParts<Arc<Desk>> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, desk: &Arc<Desk>) -> Result<Visitor, Response> {
        let (address, is_https) = came(parts);
        if let Some(name) = session(&parts.headers, is_https) {
            let asked = name.clone();
            let found = desk.read(move |product| Ok(product.session(&asked, Some(address)))).await;
            match found.map_err(IntoResponse::into_response)? {
                Ok(found) => {
                    let (viewer, form_token) = (Arc::new(found.viewer), found.form_token);
                    return Ok(Visitor { viewer, form_token, session: name, address });
                }
                Err(AuthError::Unavailable(reason)) => {
                    tracing::error!(reason, "nobody can be let in");
                    return Err(Fault::unavailable().into_response());
                }
                Err(AuthError::Refused(_)) => {}
            }
        } else if is_from_elsewhere(parts) {
            // Browsers keep our cookie back when another site led here. Asked again by ourselves, they send it.
            return Err(html(
                StatusCode::OK,
                &Return { frame: Frame::closed("One moment"), place: String::new() },
            ));
        }
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        Err(match parts.method == Method::GET && path != "/" {
            true => see_other(&format!("/login?next={}", encode(path))),
            false => see_other("/login"),
        })
    }
}

/// Whether a link on another site led here.
fn is_from_elsewhere(parts: &Parts) -> bool {
    let said = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    parts.method == Method::GET
        && matches!(said("sec-fetch-site"), Some("cross-site" | "same-site"))
        && said("sec-fetch-mode") == Some("navigate")
}

/// Whether a form was sent by one of our own pages. Browsers say which site a request is from; old ones, and those that
/// talk to us without encryption from another machine, at least the origin. What says neither is no browser.
pub(crate) fn is_our_form(headers: &HeaderMap) -> bool {
    let said = |name| headers.get(name).map(|value: &axum::http::HeaderValue| value.as_bytes());
    match (said("sec-fetch-site"), said(ORIGIN.as_str()), said(HOST.as_str())) {
        (Some(site), ..) => site == b"same-origin",
        (None, None, _) => true,
        (None, Some(origin), Some(host)) => {
            let origin = origin.strip_prefix(b"http://").or_else(|| origin.strip_prefix(b"https://"));
            origin == Some(host)
        }
        (None, Some(_), None) => false,
    }
}

/// What a form of ours says.
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(crate) async fn receive(request: Request) -> Result<Fields, Fault> {
        if !is_our_form(request.headers()) {
            return Err(Fault::foreign_form());
        }
        match Form::<Vec<(String, String)>>::from_request(request, &()).await {
            Ok(Form(fields)) => Ok(Fields(fields)),
            Err(error) => Err(Fault::unreadable_form(error.status())),
        }
    }

    /// Everything that a field of several values says.
    pub(crate) fn all<'f>(&'f self, name: &'static str) -> impl Iterator<Item = &'f str> {
        self.0.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// What a field says, without spaces around it; empty if it is not there.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value.trim())
    }
}

/// A form that somebody sent who has signed in, from one of our pages.
pub(crate) struct Posted {
    pub(crate) visitor: Visitor,
    pub(crate) fields: Fields,
}

impl FromRequest<Arc<Desk>> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, desk: &Arc<Desk>) -> Result<Posted, Response> {
        let (mut parts, body) = request.into_parts();
        if !is_our_form(&parts.headers) {
            return Err(Fault::foreign_form().into_response());
        }
        let visitor = Visitor::from_request_parts(&mut parts, desk).await?;
        let fields = Fields::receive(Request::from_parts(parts, body)).await;
        let fields = fields.map_err(IntoResponse::into_response)?;
        match desk.product().is_form_token(&visitor.session, fields.get("form")) {
            true => Ok(Posted { visitor, fields }),
            false => Err(Fault::foreign_form().into_response()),
        }
    }
}
