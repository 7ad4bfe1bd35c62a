//! Who may see what? Credentials, roles and scopes become a viewer.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
