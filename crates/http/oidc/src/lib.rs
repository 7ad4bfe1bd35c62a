//! Who does the provider say somebody is? OpenID Connect, as the side that relies on it: authorization code with PKCE.
//!
//! * [`Provider::authorization`] is where a browser is sent, [`Provider::identify`] what is made of what it comes back with.
//! * The provider's document and keys are fetched when they are needed, kept for an hour, and fetched again when a token
//!   names a key that is not known; not more than once a minute.
//! * A token is believed if everything about it holds: see [`token`](Provider::identify). Nothing about it is believed
//!   because of how it came.
//!
//! Sources: OpenID Connect Core 1.0 and Discovery 1.0, RFC 6749 (OAuth 2.0), 7517 (JWK), 7519 (JWT), 7636 (PKCE),
//! 8725 (JWT, best practices), 9207 (issuer in the response).
//!
//! The clock, and what binds an answer to a browser, are handed in. Calls to the provider are bounded in time and size, go
//! nowhere but to the addresses that it names, follow no redirection, and are encrypted unless they stay on this machine.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod base64url;
mod client;
mod flow;
mod keys;
mod metadata;
mod place;
mod provider;
mod settings;
mod token;

#[cfg(test)]
mod tests;

pub use flow::{Bound, Identity, Returned};
pub use provider::{Failure, Provider};
pub use settings::{Mapping, Settings, Unfit, check_place};
