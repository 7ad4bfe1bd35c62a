//! What was refused at the door, kept so that people can see it, mend it and send it again.
//!
//! Not part of the ledger, and it may be lost. The bodies have had every secret and every personal detail taken out of
//! their text, are encrypted with a key of their organisation, and go after some days.

use access::{Permission, Viewer};
use event::{Event, Limits, Refusal, Value, json, time};
use ledger::Outcome;
use state::{QuarantineError, Quarantined};

use crate::ask::AskError;
use crate::audit::Asked;
use crate::organisations::Indelible;
use crate::record::{RecordError, Recorded, Sender, object};
use crate::secrets::in_pointer;

/// How long and how much is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantinePolicy {
    /// Whether bodies are kept, or only why they were refused.
    pub keep_bodies: bool,
    /// Days until an entry goes.
    pub days: u32,
    /// Most bytes of bodies of one organisation; the oldest go first.
    pub max_bytes: u64,
}

impl Default for QuarantinePolicy {
    fn default() -> QuarantinePolicy {
        QuarantinePolicy { keep_bodies: true, days: 7, max_bytes: 64 << 20 }
    }
}

/// One event that was refused.
#[derive(Debug)]
pub struct Refused<'a> {
    /// Its bytes, as they came.
    pub bytes: &'a [u8],
    /// What is wrong with it.
    pub refusal: &'a Refusal,
}

const DAY_MS: u64 = 24 * 3600 * 1000;
/// Entries of one request that are kept one by one; of more, only the number is recorded.
const KEPT: usize = 100;
/// Largest body that is kept.
const BODY: usize = 256 << 10;

impl Indelible {
    /// Keeps refused events, and records that there were some. Never fails: an event that was refused must not make the
    /// good ones beside it fail, and that it was refused is in the answer too.
    pub fn quarantine(&self, sender: &Sender, by: &str, refused: &[Refused<'_>]) {
        if refused.is_empty() || self.read_only() {
            return;
        }
        let organisation = sender.organisation.as_deref().unwrap_or(crate::DEFAULT);
        if let Err(error) = self.keep(organisation, by, refused) {
            tracing::warn!(organisation, %error, "refused events could not be put into quarantine");
        }
        let mut codes: Vec<&str> = refused.iter().map(|one| one.refusal.code.as_str()).collect();
        codes.sort_unstable();
        codes.dedup();
        let value = self.own_event(
            "audit.quarantined",
            "failed",
            None,
            vec![
                ("count", Value::from(refused.len().to_string())),
                ("kept", Value::from(refused.len().min(KEPT).to_string())),
                ("codes", Value::Array(codes.into_iter().map(|code| Value::from(code.to_owned())).collect())),
                ("by", Value::from(by.to_owned())),
            ],
        );
        if let Err(error) = self.note(organisation, value) {
            tracing::warn!(organisation, %error, "that events were refused could not be recorded");
        }
    }

    fn keep(&self, organisation: &str, by: &str, refused: &[Refused<'_>]) -> Result<(), QuarantineError> {
        let ledger = self.create(organisation).map_err(|e| QuarantineError::Unavailable(e.to_string()))?;
        let key = ledger.view_key("quarantine");
        let now_ms = self.io.wall_ms();
        let policy = &self.settings.quarantine;
        let texts = if policy.keep_bodies { self.texts_to_keep(refused) } else { Vec::new() };
        let entries = refused.iter().take(KEPT).enumerate().map(|(n, one)| {
            let text = texts.get(n).and_then(Option::as_ref);
            let body = text.map(|text| key.seal(&*self.io, organisation.as_bytes(), text.as_bytes()));
            // A pointer and a reason can quote names of members, which strangers choose.
            let pointer = in_pointer(&one.refusal.pointer, |name| self.redactor().text(name).0);
            let (reason, _) = self.redactor().text(&one.refusal.reason);
            Quarantined {
                id: 0,
                organisation: organisation.to_owned(),
                received_ms: now_ms,
                by: by.to_owned(),
                code: one.refusal.code.as_str().to_owned(),
                pointer,
                reason,
                size: one.bytes.len() as u64,
                hash: ledger.keyed_fingerprint("quarantine", one.bytes),
                body,
            }
        });
        let oldest_ms = now_ms.saturating_sub(u64::from(policy.days) * DAY_MS);
        self.small.put_quarantined(&entries.collect::<Vec<_>>(), oldest_ms, policy.max_bytes)
    }

    /// What may be kept of the bodies of a request.
    fn texts_to_keep(&self, refused: &[Refused<'_>]) -> Vec<Option<String>> {
        let wanted = refused.iter().take(KEPT).map(|one| {
            let fits = !one.bytes.is_empty() && one.bytes.len() <= BODY;
            fits.then(|| without_content(one.bytes))
        });
        let whole: Vec<Option<_>> = wanted.collect();
        let redacted: Vec<Option<String>> =
            whole.iter().map(|text| text.as_ref().map(|text| self.redactor().text(text).0)).collect();
        // A private key is of several lines, and lines are events: each for itself looks like nothing.
        let together = whole.iter().flatten().map(|text| &**text).collect::<Vec<_>>().join("\n");
        let apart = redacted.iter().flatten().map(String::as_str).collect::<Vec<_>>().join("\n");
        match self.redactor().text(&together).0 == apart {
            true => redacted,
            false => vec![None; redacted.len()],
        }
    }

    /// What is in quarantine, newest first.
    pub fn quarantined(
        &self,
        viewer: &Viewer,
        organisation: &str,
        limit: usize,
    ) -> Result<Vec<Value<'static>>, AskError> {
        self.admit_quarantine(viewer, organisation, "quarantine")?;
        let entries = self.small.quarantined(organisation, limit).map_err(unavailable)?;
        Ok(entries.iter().map(|entry| shown(entry, None)).collect())
    }

    /// One entry, with its body as far as it is kept.
    pub fn quarantined_one(
        &self,
        viewer: &Viewer,
        organisation: &str,
        id: i64,
    ) -> Result<Value<'static>, AskError> {
        self.admit_quarantine(viewer, organisation, &format!("quarantine {id}"))?;
        let entry =
            self.small.quarantined_one(organisation, id).map_err(unavailable)?.ok_or(AskError::NotFound)?;
        let key = self.ledger(organisation)?.view_key("quarantine");
        let body = entry.body.as_deref().and_then(|sealed| key.open(organisation.as_bytes(), sealed));
        Ok(shown(&entry, body.as_deref().map(String::from_utf8_lossy).as_deref()))
    }

    /// Records what a refused event should have been, and takes the entry out of quarantine unless it is in conflict.
    pub fn resend(
        &self,
        viewer: &Viewer,
        organisation: &str,
        id: i64,
        event: Event<'_>,
    ) -> Result<Recorded, AskError> {
        self.admit_quarantine_change(viewer, organisation, &format!("resend quarantine {id}"))?;
        self.small.quarantined_one(organisation, id).map_err(unavailable)?.ok_or(AskError::NotFound)?;
        let sender = Sender { anywhere: false, ..Sender::local(organisation) };
        let mut recorded = self.record(vec![event], &sender).map_err(AskError::NotRecorded)?;
        let recorded = recorded.pop().ok_or(AskError::NotFound)?;
        // Of one in conflict with another event nothing new was recorded.
        if !matches!(recorded.outcome, Outcome::Conflict(_)) {
            self.small.discard_quarantined(organisation, id).map_err(unavailable)?;
        }
        Ok(recorded)
    }

    /// Throws an entry away.
    pub fn discard(&self, viewer: &Viewer, organisation: &str, id: i64) -> Result<(), AskError> {
        self.admit_quarantine_change(viewer, organisation, &format!("discard quarantine {id}"))?;
        match self.small.discard_quarantined(organisation, id).map_err(unavailable)? {
            true => Ok(()),
            false => Err(AskError::NotFound),
        }
    }

    fn admit_quarantine(&self, viewer: &Viewer, organisation: &str, text: &str) -> Result<(), AskError> {
        let kind = "audit.read";
        self.admit(viewer, &Asked { kind, permission: Permission::ReadQuarantine, organisation, text })
            .map(drop)
    }

    fn admit_quarantine_change(
        &self,
        viewer: &Viewer,
        organisation: &str,
        text: &str,
    ) -> Result<(), AskError> {
        let kind = "audit.read";
        self.admit(viewer, &Asked { kind, permission: Permission::Quarantine, organisation, text }).map(drop)
    }
}

/// The text of a refused event, without captured text if that can be told: an event that is no JSON is kept as it is.
fn without_content(bytes: &[u8]) -> String {
    match json::parse(bytes, &Limits::default()) {
        Ok(Value::Object(mut members)) => {
            members.remove("content");
            String::from_utf8_lossy(&Value::Object(members).to_jcs()).into_owned()
        }
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// How an entry is shown: a list has no bodies.
fn shown(entry: &Quarantined, body: Option<&str>) -> Value<'static> {
    let text = |text: &str| Value::from(text.to_owned());
    let mut value = object([
        ("id", text(&entry.id.to_string())),
        ("received", Value::from(time::format_ms(entry.received_ms))),
        ("by", text(&entry.by)),
        ("code", text(&entry.code)),
        ("pointer", text(&entry.pointer)),
        ("reason", text(&entry.reason)),
        ("size", text(&entry.size.to_string())),
        ("hash", text(&entry.hash)),
        ("has_body", Value::from(entry.body.is_some())),
    ]);
    if let (Value::Object(members), Some(body)) = (&mut value, body) {
        members.insert("body", text(body));
    }
    value
}

fn unavailable(error: QuarantineError) -> AskError {
    AskError::NotRecorded(RecordError::Busy { reason: error.to_string(), retry_after_ms: 1000 })
}
