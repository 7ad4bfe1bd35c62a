//! What may be kept? An event and a policy give an event that may be recorded, and a note of what was taken out.
//!
//! * [`RULES`] is the one table of what is looked for in text; [`NAMED`] what is known by the name of its field.
//! * [`Policy`] says what is done about personal data, prompts and addresses. Secrets are no matter of policy.
//! * [`Redactor`] is a compiled policy: it walks an event, opens JSON, base64 and percent-encoding on the way, and leaves
//!   markers and keyed fingerprints.
//!
//! There is no I/O, no clock and no randomness here, and no key: [`Keys`] is handed in.
//! `docs/reference/redaction.md` says what is found, and how well.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod check;
mod names;
mod note;
mod place;
mod policy;
mod redactor;
mod rules;
mod scan;
mod text;
mod unwrap;

pub use names::NAMED;
pub use note::{Done, Finding};
pub use policy::{Action, Content, Ip, PathRule, Pii, PiiClass, Policy, PolicyError};
pub use redactor::{Keys, Origin, Redactor};
pub use rules::{Kind, RULES, Rule, When};
