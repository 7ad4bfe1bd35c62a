//! Who do we talk to? Others' ways of asking.
//!
//! Every neighbour has a module that turns its questions into our one filter, and our events into its rows. Both are pure:
//! what is asked, and what is answered with, is `api`'s. Nothing of a neighbour leaves its module.
//!
//! * [`bifrost`]: `/api/audit-logs`, as specification 002 has it and as the product of today does.
//! * [`litellm`]: `GET /audit` and `GET /audit/{id}` of the LiteLLM proxy.
//!
//! `docs/reference/compat.md` says what is the same as in the originals, and what differs.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod bifrost;
pub mod litellm;

mod expr;
mod moment;
mod project;
mod scope;

/// What one parameter says; `None` if it is not there.
pub type Get<'a> = dyn Fn(&str) -> Option<&'a str> + 'a;
