//! From a body to the ledger, without HTTP: what `POST /ingest/{name}` does once it has the bytes.

use indelible::{Indelible, RecordError, Sender};

use super::{DOCUMENT_LIMITS, Mapping};
use crate::intake::{Intake, Item, Received};
use crate::litellm;

/// Records what a mapping makes of the records of a body: of one document, an array of them, or one a line. What is wrong
/// costs only itself.
pub fn receive(
    product: &Indelible,
    sender: &Sender,
    mapping: &Mapping,
    body: &[u8],
) -> Result<Received, RecordError> {
    let mut intake = Intake::new(product, sender);
    let keyed = intake.keyed();
    let mut index = 0;
    for document in litellm::items(body, &DOCUMENT_LIMITS) {
        let (document, number) = match document {
            Ok(document) => (document.value, document.index),
            Err(error) => {
                intake.refuse(Item::secret(index.max(error.index)), error.refusal);
                index += 1;
                continue;
            }
        };
        match mapping.records(&document) {
            Ok(records) => {
                for record in records {
                    let item = Item { index, bytes: &|| record.to_jcs() };
                    intake.take_mapped(item, mapping.map(record, &keyed).map(|event| vec![event]))?;
                    index += 1;
                }
            }
            Err(refusal) => {
                intake.refuse(Item { index: index.max(number), bytes: &|| document.to_jcs() }, refusal);
                index += 1;
            }
        }
    }
    intake.finish()
}
