//! What of a stranger's values may be kept, and in which form.

use event::json::Limits;
use event::{Event, Object, Refusal, Value};

use crate::redactions::Why;

/// A keyed fingerprint of some bytes, such as `hmac-sha256:…`: 1 to 256 of `A-Z a-z 0-9 : . _ = + / -`.
pub type Fingerprint<'f> = dyn Fn(&[u8]) -> String + 'f;

/// More items of a list than this are dropped.
pub(crate) const ITEMS_MAX: usize = 64;

/// The last check is the event's own. It knows the event's places, not the item's, and those that it finds wrong here
/// were put there by us.
pub(crate) fn event(tree: Object<'static>) -> Result<Event<'static>, Refusal> {
    Event::from_value(Value::Object(tree), &Limits::default()).map_err(|refusal| {
        let reason = format!("does not fit an event, at {:?}: {}", refusal.pointer, refusal.reason);
        Refusal::new(refusal.code, "", reason)
    })
}

/// Puts a value under a key, if there is one.
pub(crate) fn put(
    members: &mut Object<'static>,
    key: &'static str,
    value: Option<impl Into<Value<'static>>>,
) {
    if let Some(value) = value {
        members.insert(key, value);
    }
}

/// Puts a block under a key, if anything is in it.
pub(crate) fn put_block(members: &mut Object<'static>, key: &'static str, block: Object<'static>) {
    if !block.is_empty() {
        members.insert(key, block);
    }
}

/// Nothing was said: many write `null`, `""`, `[]` and objects of them for what they do not know.
pub(crate) fn is_nothing(value: &Value<'_>) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.iter().all(|(_, value)| is_nothing(value)),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

pub(crate) fn short_text(text: &str, chars: usize) -> Result<String, Why> {
    if text.chars().nth(chars).is_some() {
        return Err(Why::TooLarge);
    }
    if text.chars().any(char::is_control) {
        return Err(Why::BadValue);
    }
    Ok(text.to_owned())
}

/// A word has no blanks, so it is no sentence.
pub(crate) fn is_word(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.:/@+=-()#".contains(&b))
}

/// A hash of a key as LiteLLM makes them, or its name for the master key. `None` for what may be a key.
pub(crate) fn hashed_key(text: &str) -> Option<String> {
    let is_hash = text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (is_hash || text == "litellm_proxy_master_key").then(|| text.to_owned())
}

/// An amount of money as a decimal without an exponent: the shortest that reads back as the same double.
pub(crate) fn money(amount: f64) -> String {
    // Rust writes doubles so. Zero has no sign here.
    format!("{}", amount + 0.0)
}

/// The same with at most 18 digits after the point, as `llm.cost` has it.
pub(crate) fn money_18(amount: f64) -> String {
    let exact = money(amount);
    match exact.split_once('.') {
        Some((_, fraction)) if fraction.len() > 18 => {
            let rounded = format!("{amount:.18}");
            let rounded = rounded.trim_end_matches('0').trim_end_matches('.');
            if rounded == "-0" { "0".to_owned() } else { rounded.to_owned() }
        }
        _ => exact,
    }
}

/// Seconds as milliseconds, to the microsecond: further digits are noise of the subtraction.
pub(crate) fn milliseconds(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e3
}

/// An address without user, password, query and fragment; `None` if it is not one. And whether anything was left out.
pub(crate) fn bare_url(text: &str) -> Option<(String, bool)> {
    let (scheme, rest) = text.split_once("://")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    if scheme.is_empty() || !scheme.chars().all(plain) || text.contains(|c: char| c <= ' ' || c == '\u{7f}') {
        return None;
    }
    let kept = rest.split(['?', '#']).next().unwrap_or("");
    let (authority, path) = kept.find('/').map_or((kept, ""), |slash| kept.split_at(slash));
    let host = authority.rsplit('@').next().unwrap_or("");
    let bare = format!("{scheme}://{host}{path}");
    let masked = bare.len() != text.len();
    Some((bare, masked))
}
