//! What was decided? Administration, folded from `config.*` events.
//!
//! There is no other way to change who may do what than to record a [`Change`]: the façade records
//! [`change.to_event()`](Change::to_event), and [`State::fold`] reads what the ledger then holds. The file (SQLite) may be
//! deleted: folding every ledger from its beginning gives the same state, byte for byte ([`State::dump`]).
//!
//! How a change is made so that a crash at any point loses nothing:
//!
//! 1. [`State::mark_pending`] notes, synced, that a ledger may soon hold a change that is not folded.
//! 2. The event is recorded. From here on the change holds.
//! 3. [`State::fold`] applies what the ledger holds, and [`State::clear_pending`] takes the note away.
//!
//! At start, every ledger in [`State::pending`] is folded from [`State::folded`] on before anybody is let in.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod change;
pub mod record;

mod error;
mod fold;
mod read;
mod small;
mod store;
mod viewer;

pub use change::Change;
pub use error::Error;
pub use record::{ApiKey, Area, KeyHashes, Organisation, RoleGrant, Setting, Source, User, View};
pub use small::{QuarantineError, Quarantined, Small};
pub use store::State;
pub use viewer::Refused;

/// The ledger of what belongs to no organisation: organisations and users themselves, and whatever holds everywhere (`*`).
pub const SYSTEM: &str = "system";

#[cfg(test)]
mod tests;
