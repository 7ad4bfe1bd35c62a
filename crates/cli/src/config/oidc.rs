//! Single sign-on, as the configuration says it.

use std::path::PathBuf;

use ::oidc::{Mapping, Provider, Settings};

use crate::config::secret::Environment;
use crate::config::shape::Reference;
use crate::input;

/// Largest file of certificates: the lists of whole machines are of this size.
const AUTHORITIES_MOST: u64 = 1 << 20;

/// `[oidc]`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Oidc {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<Reference>,
    pub(crate) public_url: String,
    pub(crate) name: String,
    pub(crate) scopes: String,
    pub(crate) user_claim: String,
    pub(crate) groups_claim: String,
    pub(crate) roles: Vec<Mapping>,
    pub(crate) trust_email: bool,
    pub(crate) authorities: Option<PathBuf>,
}

impl Oidc {
    /// Nothing, if no provider is named.
    pub(crate) fn if_given(self) -> Option<Oidc> {
        Some(self).filter(|oidc| !oidc.issuer.is_empty())
    }

    /// The provider; reads the secret and the certificates. What is told if that fails never holds the secret.
    pub(crate) fn provider(&self, env: &Environment) -> Result<Provider, String> {
        let secret = self.client_secret.as_ref().map(|secret| env.secret(secret)).transpose();
        let authorities =
            self.authorities.as_ref().map(|path| input::whole(path, AUTHORITIES_MOST)).transpose();
        Provider::new(Settings {
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            client_secret: secret.map_err(|what| format!("oidc.client_secret: {what}"))?,
            public_url: self.public_url.clone(),
            scopes: self.scopes.clone(),
            user_claim: self.user_claim.clone(),
            groups_claim: self.groups_claim.clone(),
            mappings: self.roles.clone(),
            trust_email: self.trust_email,
            authorities: authorities.map_err(|error| format!("oidc.authorities: {error:#}"))?,
        })
        .map_err(|unfit| unfit.to_string())
    }
}
