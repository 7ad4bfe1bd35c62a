//! People whom an identity provider vouches for: one of our users each, with the roles that their groups give.
//!
//! What changes by it is administration like any other, recorded and then folded: who was given which role, and when, is in
//! the ledger. Where groups give roles, groups alone do: at each sign-in the user has exactly those, and what was given by
//! hand is taken away. See `docs/decisions/0007-single-sign-on.md`.

use std::net::IpAddr;

use access::{Grant, Reach, Viewer};
use event::Value;
use state::{RoleGrant, User};

use crate::SYSTEM;
use crate::admin::AuthError;
use crate::ask::AskError;
use crate::organisations::Indelible;
use crate::sessions::Who;

/// Somebody whom an identity provider vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouched {
    /// The id of the user.
    pub user: String,
    /// Name for people.
    pub name: String,
    /// Their address, if it is known to be theirs.
    pub email: Option<String>,
    /// Their roles, perhaps none; `None` if roles are given by hand.
    pub grants: Option<Vec<Grant>>,
    /// Who vouches.
    pub provider: String,
}

impl Indelible {
    /// Begins a session for somebody whom an identity provider vouches for, and gives its name. Who comes for the first
    /// time becomes a user, if a role is theirs. Refused are `no_role`: their groups give none; `no_user`: roles are given
    /// by hand, and there is no such user; and `user_disabled`. Either is on record when this returns.
    pub fn sign_in_vouched(&self, vouched: &Vouched, address: Option<IpAddr>) -> Result<String, AuthError> {
        let viewer = self.settle(vouched).map_err(|error| match error {
            Unsettled::Refused(reason) => {
                let from = address.map_or_else(|| "unknown".to_owned(), |address| address.to_string());
                self.note_failed_sign_on(&from, reason, &vouched.user, &vouched.provider);
                AuthError::Refused(reason)
            }
            Unsettled::Unavailable(why) => AuthError::Unavailable(why),
        })?;
        let how = ("provider", vouched.provider.clone());
        self.begin_session(&viewer, Who::User(vouched.user.clone()), how, address)
    }

    /// Makes the user what the provider says, and says who that is.
    fn settle(&self, vouched: &Vouched) -> Result<Viewer, Unsettled> {
        // Two at once must not both create the user, or take away what the other gave.
        let _one = self.settling.lock().expect("no panic while somebody signs in");
        let by = Viewer::command("single sign-on");
        let id = vouched.user.as_str();
        let known = self.state.user(id);
        if known.as_ref().is_some_and(|user| user.disabled) {
            return Err(Unsettled::Refused("user_disabled"));
        }
        match (&known, vouched.grants.as_deref()) {
            (None, None) => return Err(Unsettled::Refused("no_user")),
            (None, Some([])) => return Err(Unsettled::Refused("no_role")),
            (None, Some(_)) => {
                let (name, email) = (vouched.name.clone(), vouched.email.clone());
                self.create_user(&by, User { id: id.to_owned(), name, email, ..User::default() })?;
            }
            (Some(user), _) => {
                let email = vouched.email.clone().or_else(|| user.email.clone());
                if user.name != vouched.name || user.email != email {
                    self.update_user(&by, id, |user| {
                        (user.name, user.email) = (vouched.name.clone(), email)
                    })?;
                }
            }
        }
        let Some(grants) = &vouched.grants else {
            return self.state.viewer_of_user(id).map_err(|refused| Unsettled::Refused(refused.name()));
        };
        // An organisation that the configuration names and that is not there gives nobody anything yet.
        let exists = |grant: &&Grant| match &grant.organisation {
            Reach::All => true,
            Reach::One(name) => self.state.organisation(name).is_some_and(|found| !found.deleted),
        };
        let of = |grant: &Grant| RoleGrant {
            user: id.to_owned(),
            organisation: grant.organisation.clone(),
            role: grant.role,
        };
        let wanted: Vec<RoleGrant> = grants.iter().filter(exists).map(of).collect();
        let has = self.state.grants_of(id);
        for gone in has.iter().filter(|grant| !wanted.contains(grant)) {
            self.revoke_role(&by, gone.clone())?;
        }
        for new in wanted.iter().filter(|grant| !has.contains(grant)) {
            self.grant_role(&by, new.clone())?;
        }
        match wanted.is_empty() {
            true => Err(Unsettled::Refused("no_role")),
            false => self.state.viewer_of_user(id).map_err(|refused| Unsettled::Refused(refused.name())),
        }
    }

    /// Records that somebody came with an identity that was not believed, or that is nobody's here.
    pub fn note_failed_sign_on(&self, address: &str, reason: &'static str, user: &str, provider: &str) {
        let mut attributes = vec![
            ("reason", Value::from(reason)),
            ("address", Value::from(address.to_owned())),
            ("provider", Value::from(provider.to_owned())),
        ];
        if !user.is_empty() {
            attributes.push(("user", Value::from(user.to_owned())));
        }
        self.note_refused(SYSTEM, "auth.login_failed", address.to_owned(), reason, None, attributes);
    }
}

/// Why nobody was made of somebody.
enum Unsettled {
    Refused(&'static str),
    Unavailable(String),
}

impl From<AskError> for Unsettled {
    fn from(error: AskError) -> Unsettled {
        match error {
            // An id that differs from another's in case only, or a name with a secret in it.
            AskError::Wrong(why) => {
                tracing::warn!(why, "somebody who came by single sign-on can't be a user");
                Unsettled::Refused("not_a_user")
            }
            error => Unsettled::Unavailable(error.to_string()),
        }
    }
}
