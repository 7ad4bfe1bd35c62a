//! The product without a network: events in by [`Indelible::record`], answers out by
//! [`Indelible::find`], [`Indelible::search`] and [`Indelible::prove`]. A list of steps; the parts
//! that know how are below.

#![warn(missing_docs)]

mod evidence;
mod find;
mod keys;
mod organisations;
mod record;
mod tend;
mod verify;

pub use evidence::{prove, write_evidence};
pub use find::{Page, Question, show, show_id};
pub use keys::{KeySource, load_kek};
pub use organisations::{Indelible, Settings, StartError, check_organisation};
pub use record::{RecordError, Recorded, Sender};
pub use verify::{Checked, What, verify_data, verify_evidence, verify_text};

/// What the ledger answers with, for those who may not look into it themselves.
pub use ledger::{Error, Ledger, Outcome, Receipt};

/// The organisation of events that name none.
pub const DEFAULT: &str = "default";
/// The ledger of what belongs to no organisation.
pub const SYSTEM: &str = "system";
