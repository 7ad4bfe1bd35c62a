//! An event in the manner of CADF.

use event::{Object, Value};

use super::words::{METHODS, PATHS, action, event_type, initiator, initiator_type, outcome, tags, target};
use crate::bifrost::words::{resource, resource_type};
use crate::project::{object, text};

const TYPE_URI: &str = "http://schemas.bifrost.io/audit/api/v1";
/// Who observed it, where no producer is named.
const OURSELVES: &str = "indelible";

/// The event. `signature` is the hash of its leaf, which is what the ledger signs; nothing is signed with a shared secret.
pub fn event(event: &Value<'_>) -> Value<'static> {
    let owned = |text: &str| Value::from(text.to_owned());
    let said = |path: &str| text(event, path).map(owned);
    let hash = text(event, "verification.hash").unwrap_or_default();
    let mut members = object([
        ("id", owned(text(event, "id").unwrap_or_default())),
        ("typeURI", Value::from(TYPE_URI)),
        ("eventType", Value::from(event_type(event))),
        ("eventTime", owned(text(event, "time").unwrap_or_default())),
        ("action", Value::from(action(event))),
        ("outcome", Value::from(outcome(event))),
        ("signature", owned(hash)),
        ("createdAt", owned(text(event, "received").unwrap_or_default())),
        ("tags", Value::Array(tags(event).into_iter().map(Value::from).collect())),
    ]);
    let names = [said("actor.name").or(said("actor.email")), said("actor.ip")];
    members.insert(
        "initiator",
        thing(initiator(event), initiator_type(event), ["name", "host"].into_iter().zip(names)),
    );
    let name = said("targets.name");
    members.insert("target", thing(target(event), resource_type(resource(event)), [("name", name)]));
    members.insert("observer", thing(text(event, "producer").unwrap_or(OURSELVES), "system", []));
    let reason = [
        ("reasonCode", said("error.code")),
        ("reasonType", said("error.type")),
        ("message", said("error.message").or(said("message"))),
    ];
    let reason = present(reason);
    if !reason.is_empty() {
        members.insert("reason", reason);
    }
    let attachments = [("diff", "/changes"), ("attributes", "/attributes")]
        .into_iter()
        .filter_map(|(name, place)| Some(attachment(name, event.pointer(place)?)));
    let attachments: Vec<Value<'static>> = attachments.collect();
    if !attachments.is_empty() {
        members.insert("attachments", attachments);
    }
    let more = [
        ("requestMethod", METHODS.iter().find_map(|path| said(path))),
        ("requestPath", PATHS.iter().find_map(|path| said(path))),
        ("requestIP", said("actor.ip")),
        ("userAgent", said("actor.user_agent")),
        ("duration", duration(event)),
    ];
    for (name, value) in present(more) {
        members.insert(name, value);
    }
    Value::Object(members)
}

fn thing(
    id: &str,
    kind: &str,
    more: impl IntoIterator<Item = (&'static str, Option<Value<'static>>)>,
) -> Object<'static> {
    let mut members =
        object([("id", Value::from(id.to_owned())), ("typeURI", Value::from(format!("bifrost/{kind}")))]);
    for (name, value) in present(more) {
        members.insert(name, value);
    }
    members
}

fn present(members: impl IntoIterator<Item = (&'static str, Option<Value<'static>>)>) -> Object<'static> {
    let there = members.into_iter().filter_map(|(name, value)| Some((name, value?)));
    Object::from_members(there).expect("our names are distinct")
}

/// Something that has no place of its own, as JSON in a text.
fn attachment(name: &'static str, content: &Value<'_>) -> Value<'static> {
    let text = String::from_utf8(content.to_jcs()).unwrap_or_default();
    Value::Object(object([
        ("name", Value::from(name)),
        ("contentType", Value::from("application/json")),
        ("content", Value::from(text)),
    ]))
}

/// Whole milliseconds.
fn duration(event: &Value<'_>) -> Option<Value<'static>> {
    let ms = event.pointer("/llm/latency_ms").or(event.pointer("/tool/latency_ms"))?.as_f64()?;
    (0.0..1e15).contains(&ms).then(|| Value::integer(ms.round() as i64)).flatten()
}

/// The answer about one event that was checked: whether it is what was recorded, and how that is known. Both hashes are of
/// the leaf, and public.
pub fn verified(is_valid: bool, hash: &str, reason: String) -> Value<'static> {
    Value::Object(object([
        ("valid", Value::from(is_valid)),
        ("computed", Value::from(hash.to_owned())),
        ("stored", Value::from(hash.to_owned())),
        ("reason", Value::from(reason)),
    ]))
}
