//! What is around every page: who is signed in, whose ledger they look at, where they can go.

use access::{Organisations, Permission, Viewer};
use indelible::{DEFAULT, Indelible, SYSTEM};

use crate::assets;
use crate::question::encode;
use crate::visitor::Visitor;

/// What is around a page.
pub(crate) struct Frame {
    pub(crate) title: String,
    /// Beginning of the addresses of style sheet and scripts.
    pub(crate) assets: &'static str,
    /// Nothing before somebody has signed in.
    pub(crate) inside: Option<Inside>,
}

/// What only somebody sees who has signed in.
pub(crate) struct Inside {
    pub(crate) name: String,
    pub(crate) roles: String,
    pub(crate) form_token: String,
    /// Whose ledger the page is about.
    pub(crate) organisation: String,
    /// Where else they could look; none if there is no choice.
    pub(crate) organisations: Vec<Link>,
    pub(crate) entries: Vec<Link>,
}

/// A place to go to.
pub(crate) struct Link {
    pub(crate) text: String,
    pub(crate) place: String,
    pub(crate) is_here: bool,
}

/// Pages in the navigation, with what it takes to see any of them.
const ENTRIES: &[(&str, &str, Permission)] = &[
    ("Overview", "/overview", Permission::ReadEvents),
    ("Search", "/search", Permission::ReadEvents),
    ("Integrity", "/integrity", Permission::Proofs),
    ("Administration", "/admin", Permission::ReadState),
];
/// Organisations that are listed; whoever has more writes the name into the address.
const LISTED: usize = 200;

impl Frame {
    /// Before somebody has signed in.
    pub(crate) fn closed(title: &str) -> Frame {
        Frame { title: title.to_owned(), assets: assets::prefix(), inside: None }
    }

    /// For somebody who looks at an organisation's ledger, on the page at `here`.
    pub(crate) fn open(
        title: impl Into<String>,
        product: &Indelible,
        visitor: &Visitor,
        organisation: &str,
        here: &str,
    ) -> Frame {
        let viewer = &visitor.viewer;
        let mut names = readable(product, viewer);
        names.truncate(LISTED);
        // The same page about the other one, where it is about a whole organisation.
        let page = if ENTRIES.iter().any(|(_, place, _)| *place == here) { here } else { "/search" };
        let link = |name: &String| Link {
            text: name.clone(),
            place: format!("{page}?organisation={}", encode(name)),
            is_here: name == organisation,
        };
        let is_choice = names.len() > 1 || names.first().is_some_and(|name| name != organisation);
        let organisations = if is_choice { names.iter().map(link).collect() } else { Vec::new() };
        let may_somewhere =
            |permission| viewer.organisations_for(permission) != Organisations::These(Vec::new());
        let entries = ENTRIES.iter().filter(|(.., permission)| may_somewhere(*permission));
        let entry = |(text, place, _): &(&str, &str, Permission)| Link {
            text: (*text).to_owned(),
            place: format!("{place}?organisation={}", encode(organisation)),
            is_here: *place == here,
        };
        let inside = Inside {
            name: name(viewer),
            roles: roles(viewer),
            form_token: visitor.form_token.clone(),
            organisation: organisation.to_owned(),
            organisations,
            entries: entries.map(entry).collect(),
        };
        Frame { title: title.into(), assets: assets::prefix(), inside: Some(inside) }
    }
}

/// Whose ledger is meant: the one that is named, else the only one in which they may look, else `default`.
pub(crate) fn organisation(viewer: &Viewer, named: Option<&str>) -> String {
    match (named, viewer.organisations_for(Permission::ReadEvents)) {
        (Some(name), _) => name.to_owned(),
        (None, Organisations::These(names)) if names.len() == 1 => names.into_iter().collect(),
        _ => DEFAULT.to_owned(),
    }
}

/// The ledgers that they may look into.
fn readable(product: &Indelible, viewer: &Viewer) -> Vec<String> {
    match viewer.organisations_for(Permission::ReadEvents) {
        Organisations::These(names) => names,
        Organisations::All => {
            let known = product.organisations_of(viewer).unwrap_or_default();
            let known = known.into_iter().filter(|organisation| !organisation.deleted).map(|known| known.id);
            let mut names: Vec<String> = known.filter(|name| name != SYSTEM).collect();
            names.sort();
            names.push(SYSTEM.to_owned());
            names
        }
    }
}

fn name(viewer: &Viewer) -> String {
    let said = [viewer.email.as_deref(), Some(viewer.name.as_str()), Some(viewer.id.as_str())];
    said.into_iter().flatten().find(|name| !name.is_empty()).unwrap_or("somebody").to_owned()
}

/// `auditor of acme, admin everywhere`.
pub(crate) fn roles(viewer: &Viewer) -> String {
    let role = |grant: &access::Grant| match grant.organisation.as_str() {
        "*" => format!("{} everywhere", grant.role.name()),
        name => format!("{} of {name}", grant.role.name()),
    };
    let roles: Vec<String> = viewer.grants.iter().map(role).collect();
    if roles.is_empty() { "no role".to_owned() } else { roles.join(", ") }
}
