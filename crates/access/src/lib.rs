//! Who may see what? Credentials, roles and scopes become a viewer.
//!
//! * [`Permission`] is what can be asked for, [`Role`] who may ask: one table ([`may`](Role::may)).
//! * [`Scope`] narrows what an API key may do below its role.
//! * [`Viewer`] is who asks. [`Viewer::check`] answers with what was [`Granted`], the rows included, or why it was [`Denied`].
//! * [`Credential`] is an API key as text, [`SecretHash`] what is kept of it, [`AllowList`] where it may come from.
//!
//! There is no I/O, no clock and no randomness here: bytes of chance and the keyed hash are handed in.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod allow;
mod credential;
mod granted;
mod hash;
mod reference;
mod rights;
mod scope;
mod viewer;

pub use allow::{AllowList, BadAllowList};
pub use credential::{Credential, Environment, Malformed, Parsed};
pub use granted::Granted;
pub use hash::SecretHash;
pub use reference::reference;
pub use rights::{Permission, Role};
pub use scope::Scope;
pub use viewer::{Denied, Grant, Organisations, Reach, Reason, Viewer, ViewerKind};
