//! From a body to the ledger, without HTTP: what `POST /ingest/litellm` does once it has the bytes.

use indelible::{Indelible, RecordError, Sender};

use super::{ITEM_LIMITS, items, map};
use crate::intake::{Intake, Item, Received};

/// Records the items of a body, skipping those that are wrong.
///
/// Busy means that the body must be sent again: what of it was recorded before is then recognised, since every event
/// has an id of LiteLLM's.
pub fn receive(product: &Indelible, sender: &Sender, body: &[u8]) -> Result<Received, RecordError> {
    let mut intake = Intake::new(product, sender);
    let keyed = intake.keyed();
    for item in items(body, &ITEM_LIMITS) {
        match item {
            Ok(item) => {
                let mapped = map(&item.value, &keyed);
                intake.take_mapped(Item::secret(item.index), mapped)?;
            }
            Err(error) => intake.refuse(Item::secret(error.index), error.refusal),
        }
    }
    intake.finish()
}
