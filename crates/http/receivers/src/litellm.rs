//! What a LiteLLM proxy sends, as our events: bodies of the `generic_api` callback (`StandardLoggingPayload`) and rows of
//! its audit log (`StandardAuditLogPayload`, `GET /audit`).
//!
//! Pure: [`items`] splits a body, [`map`] turns one item into events. The sender is not trusted to have redacted anything,
//! so what is kept is a list ([`field_table`]), and whatever is not on it is dropped and said so in the event's `redactions`.
//! `README.md` beside this file has the contract, field by field.

mod audit;
mod call;
mod fields;
pub mod receive;
mod redactions;
mod wire;

#[cfg(test)]
mod tests;

use event::json::Limits;
use event::{Code, Event, Object, Refusal, Value};

pub use fields::field_table;
pub use wire::{Item, ItemError, Items, items};

/// The producer that events name if the door does not say another.
pub const PRODUCER: &str = "litellm";

/// How much one item may be. It holds whole prompts and answers, which are not kept, so it may be far larger than an event.
pub const ITEM_LIMITS: Limits = Limits { max_bytes: 16 * 1024 * 1024, max_depth: 128 };

/// A keyed fingerprint of some bytes, such as `hmac-sha256:…`: 1 to 256 of `A-Z a-z 0-9 : . _ = + / -`.
pub type Fingerprint<'f> = dyn Fn(&[u8]) -> String + 'f;

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
    let is_text = |name: &str| members.get(name).is_some_and(|value| value.as_str().is_some());
    if !has("litellm_call_id") && (has("modelParameters") || (is_text("startTime") && is_text("metadata"))) {
        let reason = "a version 1 payload, all of it turned into text: unset litellm.generic_api_use_v1";
        return Err(Refusal::new(Code::BadValue, "", reason));
    }
    call::map(item, producer, fingerprint)
}

/// The last check is the event's own. It knows the event's places, not the item's, and those that it finds wrong here
/// were put there by us.
fn event(tree: Object<'static>) -> Result<Event<'static>, Refusal> {
    Event::from_value(Value::Object(tree), &Limits::default()).map_err(|refusal| {
        let reason = format!("does not fit an event, at {:?}: {}", refusal.pointer, refusal.reason);
        Refusal::new(refusal.code, "", reason)
    })
}

/// Puts a value under a key, if there is one.
fn put(members: &mut Object<'static>, key: &'static str, value: Option<impl Into<Value<'static>>>) {
    if let Some(value) = value {
        members.insert(key, value);
    }
}

/// Puts a block under a key, if anything is in it.
fn put_block(members: &mut Object<'static>, key: &'static str, block: Object<'static>) {
    if !block.is_empty() {
        members.insert(key, block);
    }
}

/// Nothing was said: LiteLLM writes `null`, `""`, `[]` and objects of them for what it does not know.
fn is_nothing(value: &Value<'_>) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.iter().all(|(_, value)| is_nothing(value)),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
