//! What was recorded: durable, ordered, provable bytes. One ledger an organisation.
//!
//! A ledger takes [`Entry`]s, makes each a leaf of a Merkle tree, and answers only after a sync.
//! It does not know what an event means, and nobody else touches its files (docs/format.md, part 2).
//!
//! From the ground up: [`io`] is the machine; [`crypt`] and [`keys`] hold the secrets; a [`record`]
//! is written to a [`journal`], sealed into a [`segment`] by way of [`columns`], and hashed into
//! [`tiles`]; [`heads`] keeps what was signed; [`ids`] recognises what was sent twice. [`open`]
//! recovers, [`append`] sequences, [`read`] answers, [`tend`] signs and seals, [`verify`] judges.

#![warn(missing_docs)]

mod append;
mod blocks;
mod clock;
mod columns;
mod crypt;
mod erase;
mod error;
mod heads;
mod ids;
pub mod io;
mod journal;
mod keys;
mod open;
mod read;
mod record;
mod segment;
mod tend;
mod tiles;
mod verify;

pub use append::{Outcome, Receipt};
pub use blocks::Blocks;
pub use crypt::Secret;
pub use erase::Erasure;
pub use error::{AppendError, Error};
pub use heads::Head;
pub use open::{Ledger, Opened, Options, origin};
pub use read::{Block, Record, Section};
pub use record::{Bodies, Entry, Fingerprint, SECTIONS};
pub use tend::{Stats, Tended};
pub use verify::{Known, Progress, Report, verify};
