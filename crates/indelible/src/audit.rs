//! Reading is recorded too: once for each question, without feeding itself.
//!
//! A question is an organisation, a filter and somebody who asks. Its pages, counts and facets share one `audit.read` for
//! ten minutes. What cannot be recorded is not answered.

use std::collections::HashMap;
use std::sync::Mutex;

use access::{Denied, Granted, Permission, Viewer, ViewerKind};
use event::{Value, time};

use crate::SYSTEM;
use crate::ask::AskError;
use crate::organisations::{Indelible, check_organisation};
use crate::record::object;

/// How long the pages, counts and facets of a question share its record.
const SHARED_MS: u64 = 10 * 60 * 1000;
/// Questions that are remembered. The oldest are forgotten, and recorded again when they are asked again.
const REMEMBERED: usize = 10_000;
/// Denied attempts of one asker and one reason are recorded one by one up to this many a minute, and then counted.
const DENIED_EACH: u64 = 5;
const MINUTE_MS: u64 = 60_000;
/// Askers whose denied attempts are told apart; those beyond share one count.
const DENIED_ASKERS: usize = 1000;
/// Longest text of a question that is recorded.
const TEXT: usize = 2000;

/// What was asked and refused lately.
#[derive(Default)]
pub(crate) struct Audit {
    asked: Mutex<HashMap<(String, String, String), u64>>,
    denied: Mutex<HashMap<(String, &'static str), Denials>>,
}

/// Denied attempts of one asker within a minute.
struct Denials {
    since_ms: u64,
    recorded: u64,
    counted: u64,
}

/// What somebody wants to do, in the words of the record.
pub(crate) struct Asked<'a> {
    /// The type of the event that says so: `audit.read`, `audit.export`, `audit.proof_issued` and the like.
    pub(crate) kind: &'static str,
    /// What it takes.
    pub(crate) permission: Permission,
    /// Whose ledger.
    pub(crate) organisation: &'a str,
    /// What was asked: a filter, an id. Redacted before it is recorded.
    pub(crate) text: &'a str,
}

impl Indelible {
    /// Lets somebody ask, or says why not. Either is on the disk when this returns.
    pub(crate) fn admit(&self, viewer: &Viewer, asked: &Asked<'_>) -> Result<Granted, AskError> {
        check_organisation(asked.organisation).map_err(AskError::Wrong)?;
        let granted = self.permit(viewer, asked.permission, asked.organisation)?;
        if self.read_only() {
            // Whoever has the folder's key reads it with whatever program they like.
            return Ok(granted);
        }
        // Nobody learns by asking which organisations there are, and none is created by asking.
        self.ledger(asked.organisation)?;
        let now_ms = self.io.monotonic_ms();
        let key =
            (viewer.id.clone(), asked.organisation.to_owned(), format!("{} {}", asked.kind, asked.text));
        if asked.kind == "audit.read" && self.audit.is_shared(&key, now_ms) {
            return Ok(granted);
        }
        let (text, _) = self.redactor().text(cut(asked.text));
        let mut attributes = vec![("question", Value::from(text))];
        attributes.push(("permission", Value::from(asked.permission.name())));
        let value = self.own_event(asked.kind, "success", Some(viewer), attributes);
        self.note(asked.organisation, value).map_err(AskError::NotRecorded)?;
        if asked.kind == "audit.read" {
            self.audit.remember(key, now_ms);
        }
        Ok(granted)
    }

    /// What somebody may see of an organisation, if they may do this there. Who may not is on record when this returns.
    pub(crate) fn permit(
        &self,
        viewer: &Viewer,
        permission: Permission,
        organisation: &str,
    ) -> Result<Granted, AskError> {
        viewer.check(permission, organisation).map_err(|denied| {
            self.note_denied(viewer, organisation, &denied);
            AskError::Denied(denied)
        })
    }

    /// Records that somebody was not let in: in the organisation's ledger if they have any role there, else in the system's.
    /// Strangers write nothing into anybody's ledger, and their names are told to nobody else.
    fn note_denied(&self, viewer: &Viewer, organisation: &str, denied: &Denied) {
        let belongs = viewer.grants.iter().any(|grant| grant.organisation.covers(organisation));
        let home = if belongs && self.ledger(organisation).is_ok() { organisation } else { SYSTEM };
        let attributes = vec![
            ("permission", Value::from(denied.permission.name())),
            ("organisation", Value::from(cut(organisation).to_owned())),
        ];
        self.note_refused(home, "audit.denied", viewer.id.clone(), "permission", Some(viewer), attributes);
    }

    /// Records that a key was not one of ours, or not any more. Floods are counted.
    pub fn note_failed_login(&self, address: &str, reason: &'static str, key_id: Option<&str>) {
        let mut attributes =
            vec![("reason", Value::from(reason)), ("address", Value::from(address.to_owned()))];
        if let Some(id) = key_id {
            attributes.push(("key_id", Value::from(cut(id).to_owned())));
        }
        self.note_refused(SYSTEM, "auth.login_failed", address.to_owned(), reason, None, attributes);
    }

    pub(crate) fn note_refused(
        &self,
        ledger: &str,
        kind: &'static str,
        who: String,
        reason: &'static str,
        viewer: Option<&Viewer>,
        mut attributes: Vec<(&'static str, Value<'static>)>,
    ) {
        if self.read_only() {
            return;
        }
        let Some(before) = self.audit.count_denial(who, reason, self.io.monotonic_ms()) else { return };
        if before > 0 {
            attributes.push(("not_recorded_before", Value::from(before.to_string())));
        }
        let value = self.own_event(kind, "failed", viewer, attributes);
        if let Err(error) = self.note(ledger, value) {
            tracing::warn!(ledger, kind, %error, "a denied attempt could not be recorded");
        }
    }

    /// An event of ours about what somebody did.
    pub(crate) fn own_event(
        &self,
        kind: &'static str,
        status: &'static str,
        viewer: Option<&Viewer>,
        attributes: Vec<(&'static str, Value<'static>)>,
    ) -> Value<'static> {
        let mut value = object([
            ("type", Value::from(kind)),
            ("status", Value::from(status)),
            ("time", Value::from(time::format_ms(self.io.wall_ms()))),
        ]);
        if let Value::Object(members) = &mut value {
            let attributes = event::Object::from_members(attributes).expect("our names are distinct");
            if !attributes.is_empty() {
                members.insert("attributes", Value::Object(attributes));
            }
            if let Some(viewer) = viewer {
                members.insert("actor", actor(viewer));
            }
        }
        value
    }
}

/// Who did it, as our events say it.
pub(crate) fn actor(viewer: &Viewer) -> Value<'static> {
    let mut actor = event::Object::new();
    actor.insert("type", Value::from(kind_name(viewer.kind)));
    actor.insert("id", Value::from(viewer.user.clone().unwrap_or_else(|| viewer.id.clone())));
    if !viewer.name.is_empty() {
        actor.insert("name", Value::from(viewer.name.clone()));
    }
    if let Some(email) = &viewer.email {
        actor.insert("email", Value::from(email.clone()));
    }
    Value::Object(actor)
}

fn kind_name(kind: ViewerKind) -> &'static str {
    match kind {
        ViewerKind::User => "user",
        ViewerKind::ApiKey | ViewerKind::Bootstrap => "api_key",
        ViewerKind::Command => "system",
    }
}

impl Audit {
    fn is_shared(&self, key: &(String, String, String), now_ms: u64) -> bool {
        let asked = self.asked.lock().expect("no panic while it is held");
        asked.get(key).is_some_and(|at| now_ms.saturating_sub(*at) < SHARED_MS)
    }

    fn remember(&self, key: (String, String, String), now_ms: u64) {
        let mut asked = self.asked.lock().expect("no panic while it is held");
        if asked.len() >= REMEMBERED {
            asked.retain(|_, at| now_ms.saturating_sub(*at) < SHARED_MS);
            if asked.len() >= REMEMBERED {
                asked.clear();
            }
        }
        asked.insert(key, now_ms);
    }

    /// Counts a denied attempt: how many were counted and not recorded before, if this one is to be recorded.
    fn count_denial(&self, who: String, reason: &'static str, now_ms: u64) -> Option<u64> {
        let mut denied = self.denied.lock().expect("no panic while it is held");
        let who = match denied.len() < DENIED_ASKERS || denied.contains_key(&(who.clone(), reason)) {
            true => who,
            false => {
                denied.retain(|_, denials| {
                    now_ms.saturating_sub(denials.since_ms) < MINUTE_MS || denials.counted > 0
                });
                String::new()
            }
        };
        let denials =
            denied.entry((who, reason)).or_insert(Denials { since_ms: now_ms, recorded: 0, counted: 0 });
        if now_ms.saturating_sub(denials.since_ms) >= MINUTE_MS {
            denials.since_ms = now_ms;
            denials.recorded = 0;
        }
        if denials.recorded >= DENIED_EACH {
            denials.counted += 1;
            return None;
        }
        denials.recorded += 1;
        Some(std::mem::take(&mut denials.counted))
    }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT)]
}
