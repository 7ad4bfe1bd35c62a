//! Who somebody is, from what the administration knows.

use std::fmt;
use std::net::IpAddr;

use access::{Grant, Reach, SecretHash, Viewer, ViewerKind};

use crate::record::ApiKey;
use crate::store::{Memory, State};

/// Why a key or user is not let in. For our own records; whoever asks is told no more than that they are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no such key or user.
    Unknown,
    /// The key is there, and the secret is not its.
    WrongSecret,
    /// The key may not be used from there.
    Address,
    /// The key was revoked.
    Revoked,
    /// The key works only later.
    NotYet,
    /// The key has expired.
    Expired,
    /// The user, or the one the key belongs to, is disabled or deleted.
    UserDisabled,
    /// The organisation the key is for was deleted.
    OrganisationDeleted,
}

impl Refused {
    /// A word for it.
    pub fn name(self) -> &'static str {
        match self {
            Refused::Unknown => "unknown",
            Refused::WrongSecret => "wrong_secret",
            Refused::Address => "address_not_allowed",
            Refused::Revoked => "revoked",
            Refused::NotYet => "not_yet_valid",
            Refused::Expired => "expired",
            Refused::UserDisabled => "user_disabled",
            Refused::OrganisationDeleted => "organisation_deleted",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refused::Unknown => "no such key or user",
            Refused::WrongSecret => "the secret is not the key's",
            Refused::Address => "the key may not be used from this address",
            Refused::Revoked => "the key was revoked",
            Refused::NotYet => "the key is not valid yet",
            Refused::Expired => "the key has expired",
            Refused::UserDisabled => "the user is disabled or deleted",
            Refused::OrganisationDeleted => "the organisation was deleted",
        })
    }
}

impl std::error::Error for Refused {}

impl State {
    /// Whose key this is, if it works now and from there. `hash` is the keyed hash of the whole credential; `address` is
    /// `None` where there is none, which no allow list lets through. From memory; hashes are compared in constant time.
    pub fn authenticate(
        &self,
        key_id: &str,
        hash: &SecretHash,
        address: Option<IpAddr>,
        now_ms: u64,
    ) -> Result<Viewer, Refused> {
        let memory = self.memory();
        let known = memory.keys.get(key_id).ok_or(Refused::Unknown)?;
        let key = &known.key;
        let overlaps = key.old_expires_ms.is_some_and(|end| now_ms < end);
        let is_old = known.hashes.old.is_some_and(|old| old == *hash);
        // Before anything else: whoever does not know the secret learns nothing about the key's state.
        if known.hashes.current != *hash && !(is_old && overlaps) {
            return Err(if is_old { Refused::Expired } else { Refused::WrongSecret });
        }
        let allowed = match address {
            Some(address) => key.ip_allow.allows(address),
            None => key.ip_allow.is_empty(),
        };
        if !allowed {
            return Err(Refused::Address);
        }
        memory.viewer_of_key(key, now_ms)
    }

    /// Who somebody with this key is, at a time in milliseconds since 1970. Says nothing about the secret:
    /// [`State::authenticate`] does.
    pub fn viewer_of_key(&self, key: &ApiKey, now_ms: u64) -> Result<Viewer, Refused> {
        self.memory().viewer_of_key(key, now_ms)
    }

    /// Who a user is who has signed in. From memory.
    pub fn viewer_of_user(&self, id: &str) -> Result<Viewer, Refused> {
        let memory = self.memory();
        let user = memory.users.get(id).ok_or(Refused::Unknown)?;
        if user.disabled {
            return Err(Refused::UserDisabled);
        }
        let grants = memory.grants.get(id).map_or(&[][..], Vec::as_slice);
        let grants = grants.iter().filter(|grant| !memory.is_deleted(&grant.organisation));
        let grants = grants.map(|grant| Grant { organisation: grant.organisation.clone(), role: grant.role });
        Ok(Viewer {
            id: user.id.clone(),
            kind: ViewerKind::User,
            name: user.name.clone(),
            email: user.email.clone(),
            user: Some(user.id.clone()),
            grants: grants.collect(),
            scopes: None,
            key_id: None,
        })
    }
}

impl Memory {
    fn viewer_of_key(&self, key: &ApiKey, now_ms: u64) -> Result<Viewer, Refused> {
        if key.revoked_ms.is_some() {
            return Err(Refused::Revoked);
        }
        if key.starts_ms.is_some_and(|start| now_ms < start) {
            return Err(Refused::NotYet);
        }
        if key.expires_ms.is_some_and(|end| now_ms >= end) {
            return Err(Refused::Expired);
        }
        if self.is_deleted(&key.organisation) {
            return Err(Refused::OrganisationDeleted);
        }
        let email = match &key.user {
            None => None,
            Some(user) => match self.users.get(user) {
                Some(user) if !user.disabled => user.email.clone(),
                _ => return Err(Refused::UserDisabled),
            },
        };
        Ok(Viewer {
            id: key.key_id.clone(),
            kind: ViewerKind::ApiKey,
            name: key.name.clone(),
            email,
            user: key.user.clone(),
            grants: vec![Grant { organisation: key.organisation.clone(), role: key.role }],
            scopes: key.scopes.clone(),
            key_id: Some(key.key_id.clone()),
        })
    }

    fn is_deleted(&self, reach: &Reach) -> bool {
        match reach {
            Reach::All => false,
            Reach::One(name) => self.organisations.get(name).is_some_and(|found| found.deleted),
        }
    }
}
