//! One envelope of HEC as our events.

use std::collections::HashMap;

use event::json::{self, Limits};
use event::{Code, Event, Object, Refusal, Value};

use super::PRODUCER;
use crate::epoch::{self, Unit};
use crate::litellm::{self, Fingerprint};
use crate::{guide, intake};

/// The type of events that say none: HEC carries lines of logs.
pub const TYPE: &str = "log.entry";

/// Most characters of a message; further ones are cut off, and that is said.
const MESSAGE_CHARS: usize = 65_536;

/// What HEC's envelope says, and where it stands in our event.
pub const FIELDS: &[(&str, &str)] = &[
    ("time", "time"),
    ("event", "message"),
    ("event", "attributes.event"),
    ("host", "attributes.host"),
    ("source", "attributes.source"),
    ("sourcetype", "attributes.sourcetype"),
    ("index", "attributes.index"),
    ("fields", "attributes.fields"),
    ("the envelope", "source_id"),
];

/// What the address of a request says of the lines in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata(Vec<(&'static str, String)>);

impl Metadata {
    /// What may be said there.
    pub const NAMES: [&'static str; 5] = ["time", "host", "source", "sourcetype", "index"];

    /// Says one of them; others are not known.
    pub fn say(&mut self, name: &str, value: String) {
        if let Some(name) = Self::NAMES.iter().find(|known| **known == name) {
            self.0.push((name, value));
        }
    }
}

/// What an envelope became.
#[derive(Debug)]
pub enum Mapped {
    /// The event in it was one of ours; what it says of fingerprints is its sender's word.
    Sent(Event<'static>),
    /// Events that were made of it.
    Made(Vec<Event<'static>>),
}

/// Maps the envelopes of one body, one after another.
pub struct Mapping<'f> {
    fingerprint: &'f Fingerprint<'f>,
    /// How often an envelope was there before, by the beginning of its hash.
    seen: HashMap<u64, u32>,
}

impl<'f> Mapping<'f> {
    /// Begins with a body. `fingerprint` is keyed: equal envelopes have equal ones, in one organisation.
    pub fn new(fingerprint: &'f Fingerprint<'f>) -> Mapping<'f> {
        Mapping { fingerprint, seen: HashMap::new() }
    }

    /// An envelope of `/services/collector/event`.
    pub fn envelope(&mut self, bytes: &[u8], limits: &Limits) -> Result<Mapped, Refusal> {
        match json::parse(bytes, limits)? {
            Value::Object(envelope) => self.map(envelope.into_owned()),
            other => {
                let reason = format!("expected an object, found {}", other.type_name());
                Err(Refusal::new(Code::WrongType, "", reason))
            }
        }
    }

    /// A line of `/services/collector/raw`: text, or an object as in an envelope's `event`.
    pub fn line(&mut self, bytes: &[u8], metadata: &Metadata, limits: &Limits) -> Result<Mapped, Refusal> {
        if bytes.len() > limits.max_bytes {
            let reason = format!("{} bytes, the limit is {}", bytes.len(), limits.max_bytes);
            return Err(Refusal::new(Code::TooLarge, "", reason));
        }
        let object = match bytes.first() {
            Some(b'{') => json::parse(bytes, limits).ok().map(Value::into_owned),
            _ => None,
        };
        let mut envelope = Object::new();
        for (name, value) in &metadata.0 {
            envelope.insert(*name, value.clone());
        }
        let text = String::from_utf8_lossy(bytes);
        if object.is_none() && matches!(text, std::borrow::Cow::Owned(_)) {
            envelope.insert("not_utf8", true);
        }
        envelope.insert("event", object.unwrap_or_else(|| Value::from(text.into_owned())));
        self.map(envelope)
    }

    fn map(&mut self, mut envelope: Object<'static>) -> Result<Mapped, Refusal> {
        let id = match envelope.get("time") {
            None | Some(Value::Null) => None,
            Some(_) => Some(self.id(&Value::Object(envelope.clone()).to_jcs())),
        };
        let time = match envelope.remove("time") {
            None | Some(Value::Null) => None,
            Some(time) => Some(
                epoch::read(&time, Unit::Any).map_err(|why| Refusal::new(Code::BadValue, "/time", why))?,
            ),
        };
        let event = match envelope.remove("event") {
            None | Some(Value::Null) => {
                return Err(Refusal::new(Code::Missing, "/event", "an envelope must have it"));
            }
            Some(Value::String(text)) if text.is_empty() => {
                return Err(Refusal::new(Code::BadValue, "/event", "is empty"));
            }
            Some(event) => event,
        };
        let attributes = attributes(envelope)?;
        if let Value::Object(event) = &event {
            if let Some(made) = self.litellm(event) {
                return made.map(Mapped::Made);
            }
            let limits = Limits::default();
            let ours = Event::from_value(Value::Object(event.clone()), &limits).ok();
            // Many an event of others has an `event_type`; only what fits is one of the guide's.
            let ours = ours.or_else(|| guide::of(event.clone(), &limits, self.fingerprint)?.ok());
            if let Some(ours) = ours {
                return filled(&ours, time, id, attributes).map(Mapped::Sent);
            }
        }
        let mut members = attributes;
        let mut ours = Object::new();
        ours.insert("type", TYPE);
        ours.insert("producer", PRODUCER);
        if let Some(time) = time {
            ours.insert("time", time);
        }
        if let Some(id) = id {
            ours.insert("source_id", id);
        }
        match event {
            Value::String(text) => {
                let (message, cut) = first(&text, MESSAGE_CHARS);
                if cut > 0 {
                    ours.insert(
                        "redactions",
                        Value::Array(vec![intake::left_out("/message", "hec.too_large", cut)]),
                    );
                }
                ours.insert("message", message.to_owned());
            }
            other => drop(members.insert("event", other)),
        }
        if !members.is_empty() {
            ours.insert("attributes", members);
        }
        Event::from_value(Value::Object(ours), &Limits::default())
            .map(|event| Mapped::Made(vec![event]))
            .map_err(|refusal| Refusal::new(refusal.code, "", refusal.reason))
    }

    /// A name for an envelope: the same if it is sent again, another for each of several equal ones in one body.
    fn id(&mut self, bytes: &[u8]) -> String {
        let fingerprint = (self.fingerprint)(bytes);
        let digits = fingerprint.rsplit(':').next().unwrap_or_default();
        let begin = digits.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or(0);
        let seen = self.seen.entry(begin).or_default();
        *seen += 1;
        match *seen {
            1 => format!("hec:{fingerprint}"),
            n => format!("hec:{fingerprint}:{n}"),
        }
    }

    /// A call of LiteLLM's, or a row of its audit log; nothing if it is neither.
    fn litellm(&self, event: &Object<'static>) -> Option<Result<Vec<Event<'static>>, Refusal>> {
        let within = |refusal: Refusal| Refusal { pointer: format!("/event{}", refusal.pointer), ..refusal };
        let has = |name: &str| event.get(name).is_some_and(|value| !value.is_null());
        let is_call = has("litellm_call_id") && has("call_type");
        let is_row = has("table_name") && has("object_id") && has("action");
        (is_call || is_row)
            .then(|| litellm::map(&Value::Object(event.clone()), self.fingerprint).map_err(within))
    }
}

/// An event of ours, with what its envelope says and it does not.
fn filled(
    event: &Event<'_>,
    time: Option<String>,
    id: Option<String>,
    mut attributes: Object<'static>,
) -> Result<Event<'static>, Refusal> {
    let mut ours = event.tree().clone().into_owned();
    if let (None, Some(time)) = (ours.get("time"), time) {
        ours.insert("time", time);
    }
    if let (None, None, Some(id)) = (ours.get("id"), ours.get("source_id"), id) {
        ours.insert("source_id", id);
    }
    if ours.get("producer").is_none() {
        ours.insert("producer", PRODUCER);
    }
    if let Some(Value::Object(own)) = ours.remove("attributes") {
        for (name, value) in own {
            attributes.insert(name, value);
        }
    }
    if !attributes.is_empty() {
        ours.insert("attributes", attributes);
    }
    Event::from_value(Value::Object(ours), &Limits::default())
}

/// What the envelope says beside time and event. What it does not say is left out; what HEC does not know stays.
fn attributes(envelope: Object<'static>) -> Result<Object<'static>, Refusal> {
    let mut kept = Object::new();
    for (name, value) in envelope {
        match (&*name, &value) {
            (_, Value::Null) => continue,
            ("fields", Value::Object(fields)) => {
                if let Some((name, _)) = fields.iter().find(|(_, value)| !is_flat(value)) {
                    let reason = format!("{name:?} is not flat");
                    return Err(Refusal::new(Code::WrongType, "/fields", reason));
                }
                if fields.is_empty() {
                    continue;
                }
            }
            ("fields", _) => return Err(Refusal::new(Code::WrongType, "/fields", "expected an object")),
            ("host" | "source" | "sourcetype" | "index", Value::String(text)) if text.is_empty() => continue,
            ("host" | "source" | "sourcetype" | "index", Value::String(_)) => {}
            ("host" | "source" | "sourcetype" | "index", _) => {
                return Err(Refusal::new(Code::WrongType, format!("/{name}"), "expected text"));
            }
            _ => {}
        }
        kept.insert(name, value);
    }
    Ok(kept)
}

/// One value, or a list of them, as HEC's indexed fields are.
fn is_flat(value: &Value<'_>) -> bool {
    let is_one = |value: &Value<'_>| !matches!(value, Value::Object(_) | Value::Array(_));
    is_one(value) || value.as_array().is_some_and(|items| items.iter().all(is_one))
}

/// The first characters of a text, and how many bytes the others have.
fn first(text: &str, chars: usize) -> (&str, usize) {
    match text.char_indices().nth(chars) {
        Some((end, _)) => (&text[..end], text.len() - end),
        None => (text, 0),
    }
}
