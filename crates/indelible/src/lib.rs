//! The product without a network. A list of steps; the parts that know how are below.
//!
//! * In: [`Indelible::record`] redacts, records and answers with receipts; what is refused goes to [`Indelible::quarantine`].
//! * Out: [`Indelible::search`] and its neighbours ask for somebody ([`access::Viewer`]); every question is checked, made
//!   narrower by the asker's role, and recorded.
//! * [`Indelible::authenticate`] says who asks; keys, users and settings change only by events.
//! * [`Indelible::tend`] signs and seals, [`Indelible::index_step`] makes searchable: somebody calls them all the time.

#![warn(missing_docs)]

mod admin;
mod ask;
mod audit;
mod decimal;
mod draft;
mod evidence;
mod found;
mod health;
mod indexing;
mod keys;
mod organisations;
mod quarantine;
mod record;
mod recording;
mod rows;
mod scan;
mod secrets;
mod sequences;
mod sessions;
mod show;
mod sign_on;
mod standing;
mod survey;
mod tail;
mod tar;
mod tend;
mod verify;

pub use admin::{AuthError, NewKey};
pub use ask::{
    AskError, Count, Facet, Group, Interval, Measure, Order, PAGE_MOST, Page, Paging, Question, Slot, Total,
};
pub use draft::Draft;
pub use event::show_id;
pub use evidence::{EVIDENCE_MOST, prove, write_evidence};
pub use indexing::Lag;
pub use keys::{KeySource, load_kek};
pub use organisations::{Indelible, Settings, StartError, check_organisation};
pub use quarantine::{QuarantinePolicy, Refused};
pub use record::{AUTH_KEY, AUTH_LOCAL, RecordError, Recorded, Sender};
pub use rows::{Arranged, ROWS_MOST, Rows, RowsPage, SORTED_MOST};
pub use secrets::{pointer_without_secrets, without_secrets};
pub use sequences::Sequence;
pub use sessions::Session;
pub use show::show;
pub use sign_on::Vouched;
pub use standing::{Standing, Upkeep};
pub use survey::Survey;
pub use tail::{Export, Tail};
pub use verify::{Checked, What, verify_data, verify_evidence, verify_text};

/// What the ledger answers with, for those who may not look into it themselves.
pub use ledger::{Error, Head, Ledger, Outcome, Receipt, Stats};
/// What there is of the administration.
pub use state::{ApiKey, Organisation, RoleGrant, User, View};

/// The organisation of events that name none.
pub const DEFAULT: &str = "default";
/// The ledger of what belongs to no organisation.
pub const SYSTEM: &str = "system";
