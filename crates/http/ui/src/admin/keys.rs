//! API keys: which there are, and new ones, whose secret is shown once.

use std::sync::Arc;

use access::{AllowList, Permission, Reach, Scope};
use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use event::time;
use indelible::{ApiKey, AskError, NewKey};

use super::{Asked, Head, RoleChoice, attempt, change, needed, of, places, reach, role, roles, show};
use crate::answer::html;
use crate::desk::Desk;
use crate::fault::Fault;
use crate::frame::{Frame, Link};
use crate::moment::{show_minute, show_span};
use crate::question::with_zone;
use crate::visitor::{Fields, Posted, Visitor};

const PLACE: &str = "/admin/keys";
/// Longest time for which the secret before works on, in hours: 30 days, as for the API.
const OVERLAP_MOST: u64 = 30 * 24;

#[derive(Template)]
#[template(path = "admin_keys.html")]
pub(crate) struct Keys {
    frame: Frame,
    head: Head,
    lists: Vec<List>,
    places: Vec<Link>,
    roles: Vec<RoleChoice>,
    scopes: Vec<(&'static str, bool)>,
    /// What was written into the form for a new key.
    name: String,
    user: String,
    expires: String,
    networks: String,
    /// The form is open, because it was filled in.
    is_open: bool,
}

/// Keys that hold at the same place.
struct List {
    title: String,
    keys: Vec<Key>,
    may_change: bool,
}

struct Key {
    id: String,
    name: String,
    prefix: String,
    role: &'static str,
    scopes: String,
    user: String,
    networks: String,
    used: Option<String>,
    created: String,
    /// Works, or why not any more.
    state: String,
    works: bool,
    can_rotate: bool,
}

/// A secret, on the only page that ever has it.
#[derive(Template)]
#[template(path = "admin_secret.html")]
struct Secret {
    frame: Frame,
    head: Head,
    name: String,
    secret: String,
    says: String,
    back: String,
}

/// `GET /admin/keys`
pub(crate) async fn keys(State(desk): State<Arc<Desk>>, visitor: Visitor, uri: Uri) -> Response {
    show(desk, visitor, uri, page).await
}

fn page(asked: &Asked<'_>) -> Result<Keys, Fault> {
    let viewer = &asked.visitor.viewer;
    let now_ms = asked.product.now_ms();
    let list = |reach: &Reach, title: String, may_change: bool| -> Result<List, AskError> {
        let mut keys = asked.product.keys(viewer, reach)?;
        // Asked for everywhere, the product gives those of every organisation, too.
        keys.retain(|(key, _)| key.organisation == *reach);
        // The newest first; what works no more at the end.
        keys.sort_by_key(|(key, _)| (!works(key, now_ms), std::cmp::Reverse(key.created_ms)));
        let keys = keys.into_iter().map(|(key, used_ms)| shown(key, used_ms, now_ms)).collect();
        Ok(List { title, keys, may_change })
    };
    let everywhere = || {
        let may_change = asked.may_everywhere(Permission::ManageKeys);
        list(&Reach::All, "Keys that hold everywhere".to_owned(), may_change)
    };
    let mut lists = Vec::new();
    if asked.organisation != indelible::SYSTEM {
        let own = Reach::One(asked.organisation.clone());
        let title = format!("Keys of {}", asked.organisation);
        let may_change = asked.may(Permission::ManageKeys);
        match list(&own, title, may_change) {
            // Nothing was ever recorded there; whoever may look everywhere still sees the rest.
            Err(AskError::NotFound) if asked.may_everywhere(Permission::ReadState) => {}
            own => lists.push(own.map_err(|error| asked.fault(error))?),
        }
    }
    if asked.may_everywhere(Permission::ReadState) || lists.is_empty() {
        lists.push(everywhere().map_err(|error| asked.fault(error))?);
    }
    let may_change = asked.may(Permission::ManageKeys) || asked.may_everywhere(Permission::ManageKeys);
    let is_chosen = |scope: &Scope| {
        asked.written.is_some_and(|fields| fields.all("scope").any(|name| name == scope.name()))
    };
    Ok(Keys {
        frame: asked.frame("Keys"),
        head: asked.head(PLACE, may_change),
        lists,
        places: places(asked, Permission::ManageKeys),
        roles: roles(&asked.written("role")),
        scopes: Scope::ALL.iter().map(|scope| (scope.name(), is_chosen(scope))).collect(),
        name: asked.written("name"),
        user: asked.written("user"),
        expires: asked.written("expires"),
        networks: asked.written("networks"),
        is_open: asked.wrong.is_some(),
    })
}

fn works(key: &ApiKey, now_ms: u64) -> bool {
    key.revoked_ms.is_none() && key.expires_ms.is_none_or(|end| now_ms < end)
}

fn shown(key: ApiKey, used_ms: Option<u64>, now_ms: u64) -> Key {
    let minute = |ms: u64| show_minute(ns(ms));
    let state = match (key.revoked_ms, key.expires_ms) {
        (Some(ms), _) => format!("revoked {}", minute(ms)),
        (None, Some(end)) if now_ms >= end => format!("expired {}", minute(end)),
        (None, Some(end)) => format!("until {}", minute(end)),
        (None, None) => match key.old_expires_ms {
            Some(end) if now_ms < end => format!("works; the secret before until {}", minute(end)),
            _ => "works".to_owned(),
        },
    };
    let ago = |ms: u64| match ns(now_ms.saturating_sub(ms)) {
        ago if ago < 60_000_000_000 => "just now".to_owned(),
        ago => format!("{} ago", show_span(ago)),
    };
    Key {
        works: works(&key, now_ms),
        can_rotate: key.prefix.starts_with("ind_"),
        scopes: key
            .scopes
            .unwrap_or_default()
            .iter()
            .map(|scope| scope.name())
            .collect::<Vec<_>>()
            .join(", "),
        networks: key.ip_allow.entries().collect::<Vec<_>>().join(", "),
        used: used_ms.map(ago),
        created: minute(key.created_ms),
        role: key.role.name(),
        user: key.user.unwrap_or_default(),
        id: key.key_id,
        name: key.name,
        prefix: key.prefix,
        state,
    }
}

fn ns(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX).saturating_mul(1_000_000)
}

/// `POST /admin/keys`
pub(crate) async fn create(State(desk): State<Arc<Desk>>, posted: Posted) -> Response {
    told(desk, posted, "was created", |product, visitor, fields| {
        let wrong = |why: &str| AskError::Wrong(why.to_owned());
        let scopes: Vec<&str> = fields.all("scope").collect();
        let scopes = scopes.iter().map(|name| Scope::named(name)).collect::<Option<Vec<_>>>();
        let scopes = scopes.ok_or_else(|| wrong("scopes: there is no such scope"))?;
        let expires_ms = match fields.get("expires") {
            "" => None,
            text => {
                let ms = time::parse(&with_zone(text)).ok().and_then(|ns| u64::try_from(ns / 1_000_000).ok());
                Some(ms.ok_or_else(|| wrong("expires: that is no time"))?)
            }
        };
        let networks = fields.get("networks").split([',', ' ', '\n', '\r']).filter(|text| !text.is_empty());
        let new = NewKey {
            name: needed(fields, "name")?,
            organisation: reach(fields)?,
            role: role(fields)?,
            scopes: Some(scopes).filter(|scopes| !scopes.is_empty()),
            user: Some(fields.get("user").to_owned()).filter(|user| !user.is_empty()),
            expires_ms,
            ip_allow: AllowList::parse(networks)
                .map_err(|error| AskError::Wrong(format!("where it may be used from: {error}")))?,
        };
        product.create_key(&visitor.viewer, new)
    })
    .await
}

/// `POST /admin/keys/rotate`
pub(crate) async fn rotate(State(desk): State<Arc<Desk>>, posted: Posted) -> Response {
    told(desk, posted, "has a new secret", |product, visitor, fields| {
        let hours: u64 = match fields.get("overlap") {
            "" => 0,
            text => text.parse().ok().filter(|hours| *hours <= OVERLAP_MOST).ok_or_else(|| {
                AskError::Wrong(format!("hours: a number from 0 to {OVERLAP_MOST} is expected"))
            })?,
        };
        let overlap = (hours > 0).then(|| std::time::Duration::from_secs(hours * 3600));
        product.rotate_key(&visitor.viewer, fields.get("id"), overlap)
    })
    .await
}

/// Answers with the page that has a secret; it is not led to, since no address may give a secret twice.
async fn told(
    desk: Arc<Desk>,
    posted: Posted,
    done: &'static str,
    work: impl FnOnce(&indelible::Indelible, &Visitor, &Fields) -> Result<(ApiKey, String), AskError>
    + Send
    + 'static,
) -> Response {
    let (visitor, organisation) = (posted.visitor.clone(), super::home_of(&posted));
    let secret = match attempt(desk.clone(), posted, work, page).await {
        Ok(Ok((key, secret))) => (key, secret),
        Ok(Err(page)) => return html(StatusCode::BAD_REQUEST, &page),
        Err(fault) => return fault.into_response(),
    };
    let made = desk.read(move |product| {
        let (key, secret) = secret;
        let asked =
            Asked { product, visitor: &visitor, organisation, done: None, wrong: None, written: None };
        let place = match &key.organisation {
            Reach::All => "everywhere".to_owned(),
            Reach::One(name) => format!("in {name}"),
        };
        let role = key.role.name();
        Ok(Secret {
            frame: asked.frame("A new secret"),
            head: asked.head(PLACE, true),
            back: of(PLACE, &asked.organisation),
            says: format!("The key {done}: {role} {place}."),
            name: key.name,
            secret,
        })
    });
    match made.await {
        Ok(page) => html(StatusCode::OK, &page),
        Err(fault) => fault.into_response(),
    }
}

/// `POST /admin/keys/revoke`
pub(crate) async fn revoke(State(desk): State<Arc<Desk>>, posted: Posted) -> Response {
    let work = |product: &indelible::Indelible, visitor: &Visitor, fields: &Fields| {
        product.revoke_key(&visitor.viewer, fields.get("id"))
    };
    change(desk, posted, (PLACE, "key-revoked"), work, page).await
}
