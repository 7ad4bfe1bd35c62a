//! What makes a log record the same one when it is sent again: it has no id of its own.

use std::collections::HashMap;

use event::{Object, Value};

use super::record::{Group, Log};
use crate::kept::{Fingerprint, short_text};

/// The records of one request that are alike.
#[derive(Default)]
pub struct Identities(HashMap<String, u32>);

/// Attributes in which senders say an id: that of the conventions, and what others use.
const IDS: [&str; 2] = ["log.record.uid", "event.id"];

impl Identities {
    /// An id of a record: its own if it says one, else a keyed fingerprint of all that it says. Of records that say the
    /// same in one request, each has its own: they are told apart by their order, which a retry keeps.
    pub(super) fn of(&mut self, group: &Group<'_>, log: &mut Log<'_>, keyed: &Fingerprint<'_>) -> String {
        for name in IDS {
            if let Some(Value::String(id)) = log.attributes.get(name)
                && !id.trim().is_empty()
                && short_text(id, 200).is_ok()
            {
                let id = format!("log:{id}");
                log.attributes.remove(name);
                return id;
            }
        }
        let id = format!("log:{}", keyed(&said(group, log)));
        let seen = self.0.entry(id.clone()).or_default();
        *seen += 1;
        match *seen {
            1 => id,
            n => format!("{id}:{n}"),
        }
    }
}

fn said(group: &Group<'_>, log: &Log<'_>) -> Vec<u8> {
    let mut all = Object::new();
    all.insert("resource", group.resource.clone());
    all.insert("scope", group.scope.clone());
    all.insert("time", log.time.to_string());
    all.insert("observed", log.observed.to_string());
    all.insert("severity", log.severity.to_string());
    all.insert("severity_text", log.severity_text.clone());
    all.insert("body", log.body.clone());
    all.insert("attributes", log.attributes.clone());
    all.insert("trace", log.trace.clone());
    all.insert("span", log.span.clone());
    all.insert("event", log.event.clone());
    Value::Object(all).to_jcs()
}
