//! One message as our event.

use event::json::{self, Limits};
use event::kind::Kind;
use event::{Event, Object, Refusal, Value, outcome};

use super::message::{Message, read};
use super::{Framed, cef, leef};
use crate::epoch::{self, Unit};
use crate::intake::left_out;
use crate::litellm::Fingerprint;

/// The type of messages that say none.
pub const TYPE: &str = "log.entry";

/// What a message says, and where it stands in our event.
pub const FIELDS: &[(&str, &str)] = &[
    ("TIMESTAMP", "time"),
    ("PRI", "severity"),
    ("MSG", "message"),
    ("PRI", "attributes.facility"),
    ("HOSTNAME", "attributes.host"),
    ("APP-NAME or tag", "attributes.app"),
    ("PROCID", "attributes.process"),
    ("MSGID", "attributes.message_id"),
    ("STRUCTURED-DATA", "attributes.structured_data"),
    ("the peer", "attributes.peer"),
    ("the message", "source_id"),
];

/// Keys of CEF's extension, and where they stand in our event.
pub const CEF_HOMES: &[(&str, &str)] = &[
    ("rt", "time"),
    ("end", "time"),
    ("start", "time"),
    ("act", "action"),
    ("outcome", "status"),
    ("msg", "message"),
    ("suid", "actor.id"),
    ("suser", "actor.id"),
    ("suser", "actor.name"),
    ("src", "actor.ip"),
    ("sourceTranslatedAddress", "actor.ip"),
    ("requestClientApplication", "actor.user_agent"),
    ("duid", "targets[].id"),
    ("duser", "targets[].id"),
    ("reason", "error.message"),
];

/// Keys of LEEF's attributes, and where they stand in our event.
pub const LEEF_HOMES: &[(&str, &str)] = &[
    ("devTime", "time"),
    ("action", "action"),
    ("outcome", "status"),
    ("usrName", "actor.id"),
    ("accountName", "actor.name"),
    ("src", "actor.ip"),
    ("identSrc", "actor.ip"),
    ("resource", "targets[].id"),
    ("reason", "error.message"),
];

/// What a message became.
#[derive(Debug)]
pub enum Mapped {
    /// Its body was an event of ours; what it says of fingerprints is its sender's word.
    Sent(Event<'static>),
    /// An event that was made of it.
    Made(Event<'static>),
}

/// One message as an event of a producer. `peer` is the address that it came from.
///
/// A time with a fraction of a second makes it known again if it is sent again; without one it may well have happened twice.
pub fn map(
    framed: &Framed,
    producer: &str,
    peer: Option<&str>,
    fingerprint: &Fingerprint<'_>,
) -> Result<Mapped, Refusal> {
    let text = String::from_utf8_lossy(&framed.bytes);
    let message = read(&text);
    let mut head = attributes(&message, peer);
    if matches!(text, std::borrow::Cow::Owned(_)) {
        head.insert("not_utf8", true);
    }
    let id = message.is_fine.then(|| format!("syslog:{}", fingerprint(&framed.bytes)));
    let body = message.body.trim_start();
    if body.starts_with('{')
        && let Some(event) = sent(body, &message, producer, &id, &head)
    {
        return event.map(Mapped::Sent);
    }
    let mut event = Object::new();
    let mut say = |name: &'static str, value: Option<String>| {
        if let Some(value) = value {
            event.insert(name, value);
        }
    };
    say("type", Some(TYPE.to_owned()));
    say("time", message.time.clone());
    say("severity", message.severity().map(str::to_owned));
    say("source_id", id);
    say("producer", Some(producer.to_owned()));
    if let Some(cef) = cef::read(body) {
        from_cef(cef, &mut event, &mut head);
    } else if let Some(leef) = leef::read(body) {
        from_leef(leef, &mut event, &mut head);
    } else if !message.body.is_empty() {
        event.insert("message", message.body.to_owned());
    }
    if framed.cut > 0 {
        event.insert("redactions", vec![left_out("/message", "syslog.too_large", framed.cut)]);
    }
    event.insert("attributes", head);
    fitting(event).map(Mapped::Made)
}

fn attributes(message: &Message<'_>, peer: Option<&str>) -> Object<'static> {
    let mut attributes = Object::new();
    let said = [
        ("peer", peer),
        ("facility", message.facility()),
        ("time_said", message.time_said),
        ("host", message.host),
        ("app", message.app),
        ("process", message.process),
        ("message_id", message.id),
    ];
    for (name, value) in said {
        if let Some(value) = value {
            attributes.insert(name, value.to_owned());
        }
    }
    if !message.data.is_empty() {
        attributes.insert("structured_data", message.data.clone());
    }
    attributes
}

/// An event of ours in JSON, with what the message's head says and it does not; nothing if it is none.
fn sent(
    body: &str,
    message: &Message<'_>,
    producer: &str,
    id: &Option<String>,
    head: &Object<'static>,
) -> Option<Result<Event<'static>, Refusal>> {
    let limits = Limits::default();
    let value = json::parse(body.trim_end().as_bytes(), &limits).ok()?.into_owned();
    let mut ours = Event::from_value(value, &limits).ok()?.tree().clone();
    if let (None, Some(time)) = (ours.get("time"), &message.time) {
        ours.insert("time", time.clone());
    }
    if let (None, None, Some(id)) = (ours.get("id"), ours.get("source_id"), id) {
        ours.insert("source_id", id.clone());
    }
    if ours.get("producer").is_none() {
        ours.insert("producer", producer.to_owned());
    }
    let mut all = head.clone();
    if let Some(Value::Object(own)) = ours.remove("attributes") {
        for (name, value) in own {
            all.insert(name, value);
        }
    }
    ours.insert("attributes", all);
    Some(Event::from_value(Value::Object(ours), &limits))
}

fn from_cef(cef: cef::Cef, event: &mut Object<'static>, head: &mut Object<'static>) {
    let [vendor, product, version, signature, name, severity] = cef.head;
    let mut members = cef.extension;
    known_type(&signature, event);
    if let Some(severity) = cef_severity(&severity) {
        event.insert("severity", severity);
    }
    if !name.is_empty() {
        event.insert("message", name.clone());
    }
    homes(CEF_HOMES, &mut members, event);
    let name = Some(name).filter(|name| event.get("message").and_then(Value::as_str) != Some(name.as_str()));
    let said = [("vendor", vendor), ("product", product), ("version", version), ("signature", signature)];
    let name = name.map(|name| ("name", name));
    head.insert("cef", described(said.into_iter().chain(name), members));
}

fn from_leef(leef: leef::Leef, event: &mut Object<'static>, head: &mut Object<'static>) {
    let [vendor, product, version, id] = leef.head;
    let mut members = leef.attributes;
    known_type(&id, event);
    if let Some(severity) = members.get("sev").and_then(Value::as_str).and_then(cef_severity) {
        event.insert("severity", severity);
    }
    homes(LEEF_HOMES, &mut members, event);
    let said = [("vendor", vendor), ("product", product), ("version", version), ("event_id", id)];
    head.insert("leef", described(said.into_iter(), members));
}

fn described(
    said: impl Iterator<Item = (&'static str, String)>,
    mut members: Object<'static>,
) -> Object<'static> {
    let mut all = Object::new();
    for (name, value) in said.filter(|(_, value)| !value.is_empty()) {
        all.insert(name, value);
    }
    members.retain(|_, value| value.as_str() != Some(""));
    if !members.is_empty() {
        all.insert("extension", members);
    }
    all
}

/// A signature that is one of our kinds says what happened: our own sinks write it so.
fn known_type(signature: &str, event: &mut Object<'static>) {
    if let Some(kind) = Kind::find(signature) {
        event.insert("type", kind.name);
    }
}

/// Puts what has a home there, and takes it out of what has none.
fn homes(table: &[(&str, &str)], members: &mut Object<'static>, event: &mut Object<'static>) {
    let mut used = Vec::new();
    for (theirs, ours) in table {
        let Some(text) = members.get(theirs).and_then(Value::as_str).filter(|text| !text.is_empty()) else {
            continue;
        };
        let value = match *ours {
            "time" => {
                epoch::read(&Value::from(text.to_owned()), Unit::Any).or_else(|_| epoch::iso(text)).ok()
            }
            "status" => status(text).map(str::to_owned),
            "actor.ip" => crate::mapping::ip(text),
            _ => Some(text.to_owned()),
        };
        let Some(value) = value else { continue };
        if put(event, ours, value) {
            used.push(*theirs);
        }
    }
    members.retain(|name, _| !used.contains(&name));
}

/// Puts a value into its field, if it fits there and nobody was there before; `time` is the device's rather than the relay's.
fn put(event: &mut Object<'static>, path: &str, value: String) -> bool {
    let fits = match path {
        "message" => true,
        "actor.user_agent" => value.chars().count() <= 1024,
        "error.message" => value.chars().count() <= 8192,
        _ => value.chars().count() <= 256 && !value.chars().any(char::is_control),
    };
    if !fits {
        return false;
    }
    let (block, name) = path.rsplit_once('.').unwrap_or(("", path));
    let name = name.to_owned();
    match block {
        "" => {
            let replaces = matches!(path, "time" | "message" | "source_id" | "status");
            if replaces || event.get(&name).is_none() {
                event.insert(name, value);
                return true;
            }
            false
        }
        "targets[]" => {
            let mut target = Object::new();
            target.insert(name, value);
            match event.get_mut("targets") {
                Some(Value::Array(targets)) => targets.push(Value::Object(target)),
                _ => drop(event.insert("targets", vec![Value::Object(target)])),
            }
            true
        }
        block => {
            if event.get(block).is_none() {
                event.insert(block.to_owned(), Object::new());
            }
            let Some(Value::Object(members)) = event.get_mut(block) else { return false };
            let is_new = members.get(&name).is_none();
            if is_new {
                members.insert(name, value);
            }
            is_new
        }
    }
}

fn status(word: &str) -> Option<&'static str> {
    outcome::status_name(outcome::status_code(word.trim()))
}

/// CEF and LEEF count from 0 or 1 to 10, or say a word.
fn cef_severity(said: &str) -> Option<&'static str> {
    match said.trim().parse::<u8>() {
        Ok(0 | 1) => Some("info"),
        Ok(2 | 3) => Some("low"),
        Ok(4..=6) => Some("medium"),
        Ok(7 | 8) => Some("high"),
        Ok(9 | 10) => Some("critical"),
        Ok(_) => None,
        Err(_) => match said.trim().to_ascii_lowercase().as_str() {
            "low" => Some("low"),
            "medium" => Some("medium"),
            "high" => Some("high"),
            "very-high" => Some("critical"),
            _ => None,
        },
    }
}

fn fitting(event: Object<'static>) -> Result<Event<'static>, Refusal> {
    Event::from_value(Value::Object(event), &Limits::default())
        .map_err(|refusal| Refusal::new(refusal.code, "", refusal.reason))
}
