//! What somebody has to say about the provider.

use std::fmt;

use access::{Grant, Reach, Role};
use zeroize::Zeroizing;

use crate::place::Place;

/// What somebody has to say about the provider. Plain values; [`Provider::new`](crate::Provider::new) checks them.
#[derive(Clone)]
pub struct Settings {
    /// Who vouches, as its document and tokens name it: `https://login.example.com/realms/acme`.
    pub issuer: String,
    /// Under which name it knows us.
    pub client_id: String,
    /// What we prove that with; without one it knows us by PKCE alone.
    pub client_secret: Option<Zeroizing<String>>,
    /// Where browsers reach us, without a path: `https://audit.example.com`.
    pub public_url: String,
    /// What is asked for, with spaces between; `openid` is always asked for.
    pub scopes: String,
    /// The claim that is the id of our user.
    pub user_claim: String,
    /// The claim that lists groups. Dots lead into objects if there is no claim of the whole name.
    pub groups_claim: String,
    /// Which group is which role. If there is none, roles are not the provider's to give.
    pub mappings: Vec<Mapping>,
    /// Whether an address is believed that the provider does not call verified.
    pub trust_email: bool,
    /// Certificates in PEM of whoever may have signed the provider's; the system's if `None`.
    pub authorities: Option<Vec<u8>>,
}

/// A group of the provider, and what its members are here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The group, exactly as the claim has it.
    pub group: String,
    /// What they are.
    pub role: Role,
    /// Where.
    pub organisation: Reach,
}

/// Why settings can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// Which one, as a member of [`Settings`].
    pub setting: &'static str,
    /// What is wrong with it, and what is expected.
    pub why: String,
}

impl Unfit {
    pub(crate) fn new(setting: &'static str, why: impl Into<String>) -> Unfit {
        Unfit { setting, why: why.into() }
    }
}

/// Whether an address may be used: `https`, or `http` on this machine alone.
pub fn check_place(text: &str) -> Result<(), String> {
    Place::parse(text).map(drop)
}

impl Settings {
    /// The provider's answer comes back to here.
    pub(crate) fn redirect_uri(&self) -> String {
        format!("{}/login/oidc/return", self.public_url.trim_end_matches('/'))
    }

    /// What somebody in these groups is, each role once; `None` if groups say nothing about roles.
    pub(crate) fn grants(&self, groups: &[String]) -> Option<Vec<Grant>> {
        if self.mappings.is_empty() {
            return None;
        }
        let fits = self.mappings.iter().filter(|mapping| groups.contains(&mapping.group));
        let mut grants: Vec<Grant> = fits
            .map(|mapping| Grant { organisation: mapping.organisation.clone(), role: mapping.role })
            .collect();
        grants.sort();
        grants.dedup();
        Some(grants)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .field("public_url", &self.public_url)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oidc.{}: {}", self.setting, self.why)
    }
}

impl std::error::Error for Unfit {}
