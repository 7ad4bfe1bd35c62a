//! The administration: keys, users, organisations, what was refused at the door, and what is configured.
//!
//! A page asks and changes what the API asks and changes, by the same calls, with the same rights, and so with the same
//! events on record. Whoever may only look sees no forms; the product decides, not the page.

mod configuration;
mod keys;
mod organisations;
mod quarantine;
mod users;

use std::sync::Arc;

use access::{Organisations, Permission, Reach, Role};
use askama::Template;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use indelible::{AskError, Indelible, SYSTEM};

use crate::answer::{html, see_other};
use crate::desk::Desk;
use crate::fault::{Fault, sentence};
use crate::frame::{Frame, Link, organisation};
use crate::question::{Pairs, encode};
use crate::visitor::{Fields, Posted, Visitor};

pub(crate) use configuration::configuration;
pub(crate) use keys::{create as create_key, keys, revoke as revoke_key, rotate as rotate_key};
pub(crate) use organisations::{
    create as create_organisation, delete as delete_organisation, organisations,
    rename as rename_organisation,
};
pub(crate) use quarantine::{discard, entry, quarantine, resend};
pub(crate) use users::{
    create as create_user, delete as delete_user, grant as grant_role, revoke as revoke_role,
    update as update_user, users,
};

/// Where the administration begins, in the navigation and in an address.
pub(crate) const HERE: &str = "/admin";

/// Its pages: name, place, what it takes to see it.
const TABS: &[(&str, &str, Permission)] = &[
    ("Keys", "/admin/keys", Permission::ReadState),
    ("Users", "/admin/users", Permission::ReadState),
    ("Organisations", "/admin/organisations", Permission::ReadState),
    ("Quarantine", "/admin/quarantine", Permission::ReadQuarantine),
    ("Configuration", "/admin/configuration", Permission::ReadState),
];

/// What was done, as an address says it and as people are told. Nothing else is taken from an address.
const DONE: &[(&str, &str)] = &[
    ("key-revoked", "The key was revoked. It opens nothing any more."),
    (
        "user-created",
        "The user was created. They see nothing until they have a role, or a key of theirs has one.",
    ),
    ("user-updated", "The user was changed."),
    ("user-deleted", "The user was deleted, with their roles and keys."),
    ("role-granted", "The role was granted."),
    ("role-revoked", "The role was revoked."),
    ("organisation-created", "The organisation was created, with a ledger of its own."),
    ("organisation-renamed", "The organisation was renamed."),
    (
        "organisation-deleted",
        "The organisation was deleted. Its keys and roles hold no more; its ledger stays.",
    ),
    ("resent", "The event was recorded, and is out of quarantine."),
    ("discarded", "The entry was thrown away. That it was refused stays on record."),
];

/// What every page of the administration begins with.
pub(crate) struct Head {
    pub(crate) organisation: String,
    pub(crate) form_token: String,
    pub(crate) tabs: Vec<Link>,
    /// What was done.
    pub(crate) done: Option<&'static str>,
    /// Why something was not done.
    pub(crate) wrong: Option<String>,
    /// They may look, and change nothing.
    pub(crate) is_read_only: bool,
}

/// What a page is asked for, whether with `GET` or after a form that changed nothing.
pub(crate) struct Asked<'p> {
    pub(crate) product: &'p Indelible,
    pub(crate) visitor: &'p Visitor,
    pub(crate) organisation: String,
    pub(crate) done: Option<&'static str>,
    pub(crate) wrong: Option<String>,
    /// What was written into the form that changed nothing.
    pub(crate) written: Option<&'p Fields>,
}

impl Asked<'_> {
    pub(crate) fn frame(&self, title: &str) -> Frame {
        Frame::open(title, self.product, self.visitor, &self.organisation, HERE)
    }

    pub(crate) fn fault(&self, error: AskError) -> Fault {
        Fault::asked(error, &self.visitor.viewer).framed(|title| self.frame(title))
    }

    /// Whether they may do this here.
    pub(crate) fn may(&self, permission: Permission) -> bool {
        self.visitor.viewer.check(permission, &self.organisation).is_ok()
    }

    /// Whether they may do this in all of the product.
    pub(crate) fn may_everywhere(&self, permission: Permission) -> bool {
        self.visitor.viewer.check(permission, SYSTEM).is_ok()
    }

    /// What was written into a field of a form that changed nothing.
    pub(crate) fn written(&self, name: &str) -> String {
        self.written.map(|fields| fields.get(name).to_owned()).unwrap_or_default()
    }

    pub(crate) fn head(&self, here: &str, may_change: bool) -> Head {
        let somewhere = |permission| {
            self.visitor.viewer.organisations_for(permission) != Organisations::These(Vec::new())
        };
        let tabs = TABS.iter().filter(|(.., permission)| somewhere(*permission));
        let tab = |(name, place, _): &(&str, &str, Permission)| Link {
            text: (*name).to_owned(),
            place: of(place, &self.organisation),
            is_here: *place == here,
        };
        Head {
            organisation: self.organisation.clone(),
            form_token: self.visitor.form_token.clone(),
            tabs: tabs.map(tab).collect(),
            done: self.done,
            wrong: self.wrong.clone(),
            is_read_only: !may_change,
        }
    }
}

/// A page of the administration, for an organisation.
pub(crate) fn of(place: &str, organisation: &str) -> String {
    format!("{place}?organisation={}", encode(organisation))
}

/// `GET /admin`
pub(crate) async fn home(visitor: Visitor, uri: Uri) -> Response {
    let organisation = organisation(&visitor.viewer, Pairs::of(&uri).get("organisation"));
    see_other(&of(TABS[0].1, &organisation))
}

/// Shows a page.
pub(crate) async fn show<T: Template + Send + 'static>(
    desk: Arc<Desk>,
    visitor: Visitor,
    uri: Uri,
    page: impl FnOnce(&Asked<'_>) -> Result<T, Fault> + Send + 'static,
) -> Response {
    let made = desk.read(move |product| {
        let pairs = Pairs::of(&uri);
        let done = pairs.get("done").and_then(|word| DONE.iter().find(|(known, _)| *known == word));
        page(&Asked {
            product,
            organisation: organisation(&visitor.viewer, pairs.get("organisation")),
            visitor: &visitor,
            done: done.map(|(_, says)| *says),
            wrong: None,
            written: None,
        })
    });
    match made.await {
        Ok(page) => html(StatusCode::OK, &page),
        Err(fault) => fault.into_response(),
    }
}

/// Changes something and leads to a page that says so. If what was asked for is wrong, the page says why, with the form as
/// it was filled in.
pub(crate) async fn change<T: Template + Send + 'static>(
    desk: Arc<Desk>,
    posted: Posted,
    (place, done): (&'static str, &'static str),
    work: impl FnOnce(&Indelible, &Visitor, &Fields) -> Result<(), AskError> + Send + 'static,
    page: impl FnOnce(&Asked<'_>) -> Result<T, Fault> + Send + 'static,
) -> Response {
    let back = format!("{}&done={done}", of(place, &home_of(&posted)));
    match attempt(desk, posted, work, page).await {
        Ok(Ok(())) => see_other(&back),
        Ok(Err(page)) => html(StatusCode::BAD_REQUEST, &page),
        Err(fault) => fault.into_response(),
    }
}

/// Changes something: what it gives, or the page that says what is wrong with what was asked for.
pub(crate) async fn attempt<D: Send + 'static, T: Send + 'static>(
    desk: Arc<Desk>,
    posted: Posted,
    work: impl FnOnce(&Indelible, &Visitor, &Fields) -> Result<D, AskError> + Send + 'static,
    page: impl FnOnce(&Asked<'_>) -> Result<T, Fault> + Send + 'static,
) -> Result<Result<D, T>, Fault> {
    desk.read(move |product| {
        let (visitor, fields) = (&posted.visitor, &posted.fields);
        let mut asked = Asked {
            product,
            visitor,
            organisation: home_of(&posted),
            done: None,
            wrong: None,
            written: Some(fields),
        };
        match work(product, visitor, fields) {
            Ok(done) => Ok(Ok(done)),
            Err(AskError::Wrong(why)) => {
                asked.wrong = Some(format!("{} Nothing was changed.", sentence(&why)));
                page(&asked).map(Err)
            }
            Err(error) => Err(asked.fault(error)),
        }
    })
    .await
}

/// The organisation of the page that a form was on.
fn home_of(posted: &Posted) -> String {
    organisation(
        &posted.visitor.viewer,
        Some(posted.fields.get("organisation")).filter(|name| !name.is_empty()),
    )
}

/// A field that must not be empty.
pub(crate) fn needed(fields: &Fields, name: &'static str) -> Result<String, AskError> {
    match fields.get(name) {
        "" => Err(AskError::Wrong(format!("{name}: this is needed"))),
        text => Ok(text.to_owned()),
    }
}

/// A role by its name.
pub(crate) fn role(fields: &Fields) -> Result<Role, AskError> {
    Role::named(fields.get("role")).ok_or_else(|| AskError::Wrong("role: choose one".into()))
}

/// Where something is to hold.
pub(crate) fn reach(fields: &Fields) -> Result<Reach, AskError> {
    Ok(Reach::parse(&needed(fields, "where")?))
}

/// A role to choose, with what it is for.
pub(crate) struct RoleChoice {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) is_chosen: bool,
}

pub(crate) fn roles(chosen: &str) -> Vec<RoleChoice> {
    let choice =
        |role: Role| RoleChoice { name: role.name(), about: role.about(), is_chosen: role.name() == chosen };
    Role::ALL.into_iter().map(choice).collect()
}

/// Where things may hold that somebody may manage: this organisation, or everywhere.
pub(crate) fn places(asked: &Asked<'_>, permission: Permission) -> Vec<Link> {
    let chosen = asked.written("where");
    let mut places = Vec::new();
    if asked.may(permission) && asked.organisation != SYSTEM {
        places.push(Link {
            text: format!("in {}", asked.organisation),
            place: asked.organisation.clone(),
            is_here: chosen == asked.organisation,
        });
    }
    if asked.may_everywhere(permission) {
        places.push(Link { text: "everywhere".into(), place: "*".into(), is_here: chosen == "*" });
    }
    places
}
