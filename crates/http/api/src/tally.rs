//! What became of the events of a request, and the answer that says so.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use event::{Object, Refusal, Value, time};
use indelible::{Outcome, Recorded, pointer_without_secrets, show_id, without_secrets};
use receivers::intake::Received;

use crate::metrics::Events;
use crate::problem::{Problem, json, whole};

/// Bytes of reasons in one answer. Further ones are counted.
const REASONS_BYTES: usize = 1 << 20;

/// Counts, in the order of the request.
#[derive(Default)]
pub(crate) struct Tally {
    accepted: usize,
    duplicates: usize,
    conflicts: usize,
    refused: usize,
    rejected: Vec<(usize, Value<'static>)>,
    rejected_bytes: usize,
    omitted: usize,
    /// None where senders have no use for them.
    receipts: Option<Vec<Value<'static>>>,
}

impl Tally {
    /// With a receipt for each event.
    pub(crate) fn with_receipts() -> Tally {
        Tally { receipts: Some(Vec::new()), ..Tally::default() }
    }

    /// Of a body of a neighbour's, without receipts.
    pub(crate) fn of(received: &Received) -> Tally {
        let mut tally =
            Tally { accepted: received.accepted, duplicates: received.duplicates, ..Tally::default() };
        received.conflicts.iter().for_each(|item| tally.conflict(*item));
        received.refused.iter().for_each(|one| tally.refuse(one.index, &one.refusal));
        tally.refused += received.refused_more;
        tally.omitted += received.refused_more;
        tally
    }

    pub(crate) fn refuse(&mut self, index: usize, refusal: &Refusal) {
        self.refused += 1;
        // Both can quote names of members, which whoever wrote the event chose.
        let pointer = pointer_without_secrets(&refusal.pointer);
        let reason = without_secrets(&refusal.reason);
        self.reject(index, &pointer, refusal.code.as_str(), &reason, refusal.offset);
    }

    pub(crate) fn conflict(&mut self, index: usize) {
        self.conflicts += 1;
        let reason = "another event was recorded with this id; that one stays, and the attempt is on record";
        self.reject(index, "/source_id", "conflict", reason, None);
    }

    pub(crate) fn record(&mut self, index: usize, recorded: &Recorded, state: &'static str) {
        let outcome = match recorded.outcome {
            Outcome::Recorded(_) => {
                self.accepted += 1;
                "recorded"
            }
            Outcome::Duplicate(_) => {
                self.duplicates += 1;
                "duplicate"
            }
            Outcome::Conflict(_) => {
                self.conflict(index);
                "conflict"
            }
        };
        let receipt = recorded.receipt();
        // In order already.
        let members = object([
            ("id", Value::from(show_id(&receipt.id))),
            ("index", whole(index as u64)),
            ("leaf_hash", Value::from(receipt.leaf_hash.to_string())),
            ("organisation", Value::from(recorded.organisation.clone())),
            ("outcome", Value::from(outcome)),
            ("position", whole(receipt.position)),
            ("received", Value::from(time::format_ms(receipt.received_ms))),
            ("state", Value::from(state)),
        ]);
        self.receipts.get_or_insert_default().push(Value::Object(members));
    }

    fn reject(
        &mut self,
        index: usize,
        pointer: &str,
        code: &'static str,
        reason: &str,
        offset: Option<usize>,
    ) {
        self.rejected_bytes += 100 + pointer.len() + reason.len();
        if self.rejected_bytes > REASONS_BYTES {
            self.omitted += 1;
            return;
        }
        let mut members = object([
            ("index", whole(index as u64)),
            ("pointer", Value::from(pointer.to_owned())),
            ("code", Value::from(code)),
            ("reason", Value::from(reason.to_owned())),
        ]);
        if let Some(offset) = offset {
            members.insert("offset", whole(offset as u64));
        }
        self.rejected.push((index, Value::Object(members)));
    }

    /// The counts, for those who add them up.
    pub(crate) fn events(&self) -> Events {
        Events {
            accepted: self.accepted,
            duplicates: self.duplicates,
            conflicts: self.conflicts,
            refused: self.refused,
        }
    }

    /// 200 if anything was taken, or there was nothing to take; else 409 if it was all in conflict, and 400.
    pub(crate) fn answer(mut self) -> Response {
        let failed = self.conflicts + self.refused;
        self.rejected.sort_by_key(|(index, _)| *index);
        let rejected: Vec<_> = self.rejected.into_iter().map(|(_, value)| value).collect();
        let mut members = object([
            ("accepted", whole(self.accepted as u64)),
            ("duplicates", whole(self.duplicates as u64)),
            ("rejected", Value::Array(rejected)),
        ]);
        if self.omitted > 0 {
            members.insert("rejected_omitted", whole(self.omitted as u64));
        }
        if let Some(receipts) = self.receipts {
            members.insert("receipts", Value::Array(receipts));
        }
        if failed == 0 || self.accepted + self.duplicates > 0 {
            return json(StatusCode::OK, members);
        }
        let problem = match self.refused {
            0 => Problem::new(
                StatusCode::CONFLICT,
                "conflict",
                "other events were recorded with these ids; send changed events under new ids",
            ),
            _ => Problem::bad("rejected", "nothing was recorded; `rejected` says what is wrong where"),
        };
        problem.with_all(members).into_response()
    }
}

pub(crate) fn object<const N: usize>(members: [(&'static str, Value<'static>); N]) -> Object<'static> {
    Object::from_members(members).expect("our names are distinct")
}
