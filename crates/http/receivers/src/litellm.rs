//! What a LiteLLM proxy sends, as our events: bodies of the `generic_api` callback (`StandardLoggingPayload`), rows of
//! its audit log (`StandardAuditLogPayload`, `GET /audit`), its budget webhook and its alerts for Slack.
//!
//! Pure: [`items`] splits a body, [`map`] turns one item into events. The sender is not trusted to have redacted anything,
//! so what is kept is a list ([`field_table`]), and whatever is not on it is dropped and said so in the event's `redactions`.
//! `README.md` beside this file has the contract, field by field.

mod audit;
mod call;
mod fields;
pub mod notice;
pub mod receive;
mod wire;

#[cfg(test)]
mod tests;

use event::json::Limits;
use event::{Code, Event, Refusal, Value};

pub use crate::kept::Fingerprint;
pub(crate) use call::{kind_of, operation_of};
pub use fields::{field_table, homes};
pub use wire::{Item, ItemError, Items, items};

/// The kinds of events that calls become.
pub fn kinds() -> Vec<String> {
    let calls = call::CALL_TYPES.iter().map(|(_, kind)| *kind);
    let beside =
        ["auth.failed_attempt", "guardrail.block", "guardrail.flag", "guardrail.error", "llm.request"];
    calls.chain(beside).map(str::to_owned).collect()
}

/// The kinds of events that rows of the audit log become.
pub fn row_kinds() -> Vec<String> {
    audit::kinds()
}

/// The producer that events name if the door does not say another.
pub const PRODUCER: &str = "litellm";

/// How much one item may be. It holds whole prompts and answers, which are not kept, so it may be far larger than an event.
pub const ITEM_LIMITS: Limits = Limits { max_bytes: 16 * 1024 * 1024, max_depth: 128 };

/// One item as events: the call (or the change) and, if a guardrail had something to say, that.
///
/// The pointer of a refusal is a place in the item.
pub fn map(item: &Value<'_>, fingerprint: &Fingerprint<'_>) -> Result<Vec<Event<'static>>, Refusal> {
    map_from(item, PRODUCER, fingerprint)
}

/// [`map`], for a door that knows its sender by another name than [`PRODUCER`].
pub fn map_from(
    item: &Value<'_>,
    producer: &str,
    fingerprint: &Fingerprint<'_>,
) -> Result<Vec<Event<'static>>, Refusal> {
    let Some(members) = item.as_object() else {
        let reason = format!("expected an object, found {}", item.type_name());
        return Err(Refusal::new(Code::WrongType, "", reason));
    };
    let has = |name: &str| members.get(name).is_some_and(|value| !value.is_null());
    if has("table_name") && !has("litellm_call_id") && !has("call_type") {
        return audit::map(item, producer, fingerprint).map(|event| vec![event]);
    }
    if notice::is_notice(members) {
        return notice::map(members, producer, fingerprint).map(|event| vec![event]);
    }
    let is_text = |name: &str| members.get(name).is_some_and(|value| value.as_str().is_some());
    if !has("litellm_call_id") && (has("modelParameters") || (is_text("startTime") && is_text("metadata"))) {
        let reason = "a version 1 payload, all of it turned into text: unset litellm.generic_api_use_v1";
        return Err(Refusal::new(Code::BadValue, "", reason));
    }
    call::map(item, producer, fingerprint)
}
