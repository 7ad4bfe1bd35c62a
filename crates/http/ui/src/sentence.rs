//! An event as a sentence: who did what to what. The words are ours, for the kinds that we know; for others the type is
//! taken apart. What failed or was stopped is never told as if it had been done.

use event::Value;

/// A part of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) text: String,
    /// `who`, `what`, `how`, or nothing for the words between.
    pub(crate) role: &'static str,
}

/// Kinds whose words are not to be had from their type: type, what was done, what was tried.
/// `{target}`, `{model}`, `{tool}` and the like are put in; the second form is empty where nothing is tried.
#[rustfmt::skip]
const KINDS: &[(&str, &str, &str)] = &[
    ("agent.action", "acted: {action}", "act: {action}"),
    ("agent.decision", "decided about {target}", "decide about {target}"),
    ("agent.delegated", "delegated work to {target}", "delegate work to {target}"),
    ("agent.handoff", "handed over to {target}", "hand over to {target}"),
    ("agent.memory_read", "read its memory", "read its memory"),
    ("agent.memory_written", "wrote to its memory", "write to its memory"),
    ("agent.memory_deleted", "deleted from its memory", "delete from its memory"),
    ("agent.message", "sent a message to {target}", "send a message to {target}"),
    ("agent.plan", "made a plan", "make a plan"),
    ("agent.run", "set agent {agent} to work", "set agent {agent} to work"),
    ("agent.step", "took a step", "take a step"),
    ("agent.workflow", "ran a workflow", "run a workflow"),
    ("agent.evaluation", "evaluated {target}", "evaluate {target}"),
    ("approval.requested", "asked for approval of {target}", "ask for approval of {target}"),
    ("approval.granted", "approved {target}", "approve {target}"),
    ("approval.denied", "refused to approve {target}", ""),
    ("approval.expired", "waited in vain for approval of {target}", ""),
    ("approval.cancelled", "took back the request for {target}", ""),
    ("alert.raised", "raised alert {target}", "raise alert {target}"),
    ("audit.denied", "asked for what they may not see", ""),
    ("audit.export", "exported events", "export events"),
    ("audit.read", "searched the audit log", "search the audit log"),
    ("audit.tail_started", "began to follow the audit log", ""),
    ("audit.tail_ended", "stopped following the audit log", ""),
    ("audit.proof_issued", "was given a proof", ""),
    ("audit.bundle_issued", "was given evidence", ""),
    ("audit.disclosed", "disclosed a section", "disclose a section"),
    ("audit.verified", "verified the ledger", "verify the ledger"),
    ("audit.erased", "erased sections of events", "erase sections of events"),
    ("audit.decrypted", "looked at captured text", "look at captured text"),
    ("audit.quarantined", "sent what was put into quarantine", ""),
    ("audit.refused", "sent what was refused", ""),
    ("audit.conflict", "sent an id again with another content", ""),
    ("auth.login", "signed in", "sign in"),
    ("auth.login_failed", "signed in", "sign in"),
    ("auth.failed_attempt", "failed to authenticate", ""),
    ("auth.lockout", "was locked out", ""),
    ("auth.unlocked", "was let in again", ""),
    ("auth.logout", "signed out", "sign out"),
    ("auth.mfa_enabled", "set up a second factor", "set up a second factor"),
    ("auth.mfa_disabled", "removed a second factor", "remove a second factor"),
    ("auth.mfa_verified", "confirmed a second factor", "confirm a second factor"),
    ("auth.session_created", "began a session", "begin a session"),
    ("auth.session_expired", "left a session that ended by time", ""),
    ("auth.session_revoked", "ended a session", "end a session"),
    ("auth.sso_login", "signed in by single sign-on", "sign in by single sign-on"),
    ("auth.sso_redirect", "was sent to the identity provider", ""),
    ("auth.token_issued", "was issued a token", "get a token"),
    ("auth.method_changed", "changed how they sign in", "change how they sign in"),
    ("authz.api_access", "called API {target}", "call API {target}"),
    ("authz.budget_check", "passed the check of budget {target}", "pass the check of budget {target}"),
    ("authz.budget_exceeded", "ran out of budget {target}", ""),
    ("authz.denied", "asked for {target} without permission", ""),
    ("authz.key_used", "used key {target}", "use key {target}"),
    ("authz.model_access", "got access to {target}", "get access to {target}"),
    ("authz.provider_check", "passed the check of {target}", "pass the check of {target}"),
    ("authz.rate_limited", "asked too often", ""),
    ("budget.threshold_reached", "used up most of budget {target}", ""),
    ("config.in_force", "started with this configuration", ""),
    ("data.accessed", "read {target}", "read {target}"),
    ("data.config_read", "read settings {target}", "read settings {target}"),
    ("data.consent_recorded", "recorded consent of {target}", "record consent of {target}"),
    ("data.consent_withdrawn", "withdrew consent {target}", "withdraw consent {target}"),
    ("data.exported", "exported {target}", "export {target}"),
    ("data.key_exposed", "exposed key {target}", ""),
    ("data.log_queried", "searched log {target}", "search log {target}"),
    ("data.log_read", "read log {target}", "read log {target}"),
    ("data.pii_detected", "sent personal data", ""),
    ("data.query_executed", "ran query {target}", "run query {target}"),
    ("data.subject_request", "asked about their own data", ""),
    ("error.callback", "met an error in a callback", ""),
    ("error.internal", "met an internal error", ""),
    ("error.provider", "met an error of {provider}", ""),
    ("error.raised", "met an error", ""),
    ("error.timeout", "waited too long for {model}", ""),
    ("error.validation", "sent what could not be taken", ""),
    ("guardrail.allow", "passed guardrail {guardrail}", ""),
    ("guardrail.block", "was stopped by guardrail {guardrail}", ""),
    ("guardrail.check", "was checked by guardrail {guardrail}", ""),
    ("guardrail.error", "met an error in guardrail {guardrail}", ""),
    ("guardrail.escalate", "was reported by guardrail {guardrail}", ""),
    ("guardrail.flag", "was flagged by guardrail {guardrail}", ""),
    ("guardrail.modify", "was changed by guardrail {guardrail}", ""),
    ("ledger.closed", "closed the ledger", ""),
    ("ledger.created", "created the ledger", ""),
    ("ledger.genesis", "began", ""),
    ("ledger.heartbeat", "lost nothing", ""),
    ("ledger.opened", "opened the ledger", ""),
    ("ledger.seal_rotated", "changed its seal key", ""),
    ("ledger.clock_stepped", "saw the clock jump", ""),
    ("ledger.erased", "erased sections of events", ""),
    ("llm.completion", "called {model}", "call {model}"),
    ("llm.request", "called {model}", "call {model}"),
    ("llm.response", "was answered by {model}", "get an answer from {model}"),
    ("llm.embedding", "embedded text with {model}", "embed text with {model}"),
    ("llm.image", "made an image with {model}", "make an image with {model}"),
    ("llm.moderation", "had text checked by {model}", "have text checked by {model}"),
    ("llm.rerank", "ranked documents with {model}", "rank documents with {model}"),
    ("llm.speech", "made speech with {model}", "make speech with {model}"),
    ("llm.transcription", "transcribed speech with {model}", "transcribe speech with {model}"),
    ("llm.translation", "translated with {model}", "translate with {model}"),
    ("llm.search", "searched with {model}", "search with {model}"),
    ("llm.count_tokens", "counted tokens for {model}", "count tokens for {model}"),
    ("llm.batch", "sent a batch to {model}", "send a batch to {model}"),
    ("llm.fine_tune", "fine-tuned {model}", "fine-tune {model}"),
    ("llm.assistant", "used an assistant of {model}", "use an assistant of {model}"),
    ("llm.file", "sent a file to {model}", "send a file to {model}"),
    ("llm.ocr", "read text from a picture with {model}", "read text from a picture with {model}"),
    ("llm.passthrough", "called {provider} directly", "call {provider} directly"),
    ("llm.video", "made a video with {model}", "make a video with {model}"),
    ("llm.realtime", "talked to {model}", "talk to {model}"),
    ("mcp.call", "called tool {tool}", "call tool {tool}"),
    ("mcp.list", "listed the tools of {server}", "list the tools of {server}"),
    ("mcp.prompt", "fetched a prompt from {server}", "fetch a prompt from {server}"),
    ("mcp.resource_read", "read resource {target}", "read resource {target}"),
    ("mcp.session", "connected to {server}", "connect to {server}"),
    ("rag.retrieval", "retrieved documents from {source}", "retrieve documents from {source}"),
    ("rag.indexed", "indexed {target}", "index {target}"),
    ("report.failed", "could not make report {target}", ""),
    ("report.attested", "attested report {target}", "attest report {target}"),
    ("security.breach", "is part of a breach", ""),
    ("security.data_leak", "leaked data", ""),
    ("security.geo_anomaly", "was noticed: an unusual place", ""),
    ("security.guardrail_violation", "was noticed: a guardrail violated", ""),
    ("security.incident", "is part of incident {target}", ""),
    ("security.jailbreak", "was noticed: a jailbreak", ""),
    ("security.key_abuse", "was noticed: abuse of key {target}", ""),
    ("security.off_hours", "was noticed: an unusual hour", ""),
    ("security.policy_violation", "was noticed: a policy violated", ""),
    ("security.prompt_injection", "was noticed: a prompt injection", ""),
    ("security.rate_limit_violation", "was noticed: asking too often", ""),
    ("security.repeated_failures", "was noticed: repeated failures", ""),
    ("security.suspicious_ip", "was noticed: a suspicious address", ""),
    ("security.unexpected_provider", "was noticed: an unexpected provider", ""),
    ("security.unusual_access", "was noticed: unusual access", ""),
    ("security.unusual_volume", "was noticed: an unusual volume", ""),
    ("sink.failing", "cannot deliver to {target}", ""),
    ("sink.recovered", "delivers to {target} again", ""),
    ("system.started", "started", "start"),
    ("system.stopped", "stopped", "stop"),
    ("system.upgraded", "was upgraded", ""),
    ("tool.call", "called tool {tool}", "call tool {tool}"),
    ("user.invited", "invited user {target}", "invite user {target}"),
];

/// Past and present of the verbs at the ends of types.
#[rustfmt::skip]
const VERBS: &[(&str, &str)] = &[
    ("accepted", "accept"), ("accessed", "access"), ("acknowledged", "acknowledge"), ("added", "add"),
    ("archived", "archive"), ("attested", "attest"), ("blocked", "block"), ("cancelled", "cancel"),
    ("changed", "change"), ("completed", "complete"), ("configured", "configure"), ("created", "create"),
    ("deleted", "delete"), ("denied", "deny"), ("deprovisioned", "deprovision"), ("disabled", "disable"),
    ("downloaded", "download"), ("enabled", "enable"), ("executed", "execute"), ("exported", "export"),
    ("generated", "generate"), ("granted", "grant"), ("imported", "import"), ("indexed", "index"),
    ("installed", "install"), ("invited", "invite"), ("issued", "issue"), ("joined", "join"), ("left", "leave"),
    ("merged", "merge"), ("moved", "move"), ("opened", "open"), ("placed", "place"), ("processed", "process"),
    ("provisioned", "provision"), ("published", "publish"), ("raised", "raise"), ("read", "read"),
    ("registered", "register"), ("released", "release"), ("removed", "remove"), ("renamed", "rename"),
    ("requested", "request"), ("reset", "reset"), ("resolved", "resolve"), ("restored", "restore"),
    ("revoked", "revoke"), ("rotated", "rotate"), ("saved", "save"), ("sent", "send"), ("silenced", "silence"),
    ("started", "start"), ("stopped", "stop"), ("tested", "test"), ("transferred", "transfer"),
    ("unblocked", "unblock"), ("updated", "update"), ("uploaded", "upload"), ("viewed", "view"),
    ("withdrawn", "withdraw"), ("written", "write"),
];

/// Who did it, in the word by which people know them.
pub(crate) fn actor(event: &Value<'_>) -> String {
    let Some(actor) = event.get("actor") else {
        return match text(event, "/type").starts_with("ledger.") {
            true => "The ledger".to_owned(),
            false => "Somebody".to_owned(),
        };
    };
    label(actor).unwrap_or_else(|| match actor.get("type").and_then(Value::as_str) {
        Some("anonymous") | None => match actor.get("ip").and_then(Value::as_str) {
            Some(address) => format!("Somebody at {address}"),
            None => "Somebody".to_owned(),
        },
        Some(kind) => format!("An unnamed {}", kind.replace('_', " ")),
    })
}

/// E-mail address, name or id.
pub(crate) fn label(someone: &Value<'_>) -> Option<String> {
    let said = ["email", "name", "id"].into_iter().filter_map(|name| someone.get(name)?.as_str());
    said.map(str::to_owned).find(|text| !text.is_empty())
}

/// Name or id of what it was done to, and how many more there are.
pub(crate) fn target(event: &Value<'_>) -> Option<(String, usize)> {
    let targets = event.get("targets")?.as_array()?;
    let first = targets.first()?;
    let said = ["name", "id", "type"].into_iter().filter_map(|name| first.get(name)?.as_str());
    let text = said.map(str::to_owned).find(|text| !text.is_empty())?;
    Some((text, targets.len() - 1))
}

/// The sentence.
pub(crate) fn sentence(event: &Value<'_>) -> Vec<Part> {
    let mut parts = vec![Part { text: actor(event), role: "who" }];
    let kind = text(event, "/type");
    let (done, tried) = match KINDS.iter().find(|(known, ..)| *known == kind) {
        Some((_, done, tried)) => ((*done).to_owned(), (*tried).to_owned()),
        None => taken_apart(&kind, event),
    };
    let before = match text(event, "/status").as_str() {
        _ if tried.is_empty() => "",
        "failed" | "error" | "timeout" => "could not",
        "blocked" => "was not allowed to",
        "cancelled" => "did not",
        "pending" => "began to",
        _ => "",
    };
    let phrase = if before.is_empty() { done } else { format!("{before} {tried}") };
    fill(&phrase, event, &mut parts);
    if let Some(whom) = event.pointer("/actor/on_behalf_of/0").and_then(label) {
        push(&mut parts, "for", "");
        push(&mut parts, &whom, "who");
    }
    if let Some(change) = change(event) {
        push(&mut parts, &change, "how");
    }
    parts
}

/// `provider_key.rotated`, `team.member_added`: the verb is at the end, and what is before it is the object.
fn taken_apart(kind: &str, event: &Value<'_>) -> (String, String) {
    let (area, last) = kind.split_once('.').unwrap_or(("", kind));
    let (noun, verb) = match last.rsplit_once('_') {
        Some((noun, verb)) if VERBS.iter().any(|(past, _)| *past == verb) => (noun, verb),
        _ => (area, last),
    };
    let Some((past, present)) = VERBS.iter().find(|(past, _)| *past == verb) else {
        let said = text(event, "/action");
        let said = if said.is_empty() { kind.to_owned() } else { said };
        return (format!("did “{said}” {{target}}"), String::new());
    };
    let noun = noun.replace(['_', '.'], " ");
    (format!("{past} {noun} {{target}}"), format!("{present} {noun} {{target}}"))
}

/// Puts what the event says into a phrase. A placeholder for what it does not say is left out, with the small word that
/// led to it.
fn fill(phrase: &str, event: &Value<'_>, parts: &mut Vec<Part>) {
    let mut rest = phrase;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        match value(name, event) {
            Some(text) => {
                push(parts, before, "");
                push(parts, &text, "what");
            }
            None => {
                let words = before.trim_end();
                let leads = ["of", "to", "with", "by", "from", "about", "for", "in", "access to", ":"];
                let cut = leads.iter().find_map(|lead| {
                    let kept = words.strip_suffix(lead)?;
                    (*lead == ":" || kept.ends_with(' ') || kept.is_empty()).then_some(kept)
                });
                push(parts, cut.unwrap_or(words), "");
                if cut.is_some() && name == "model" {
                    push(parts, "with a model", "");
                } else if words == "called" || words.ends_with(" call") {
                    push(parts, "a model", "");
                }
            }
        }
        rest = after;
    }
    push(parts, rest, "");
}

fn value(name: &str, event: &Value<'_>) -> Option<String> {
    let first =
        |pointers: &[&str]| pointers.iter().map(|pointer| text(event, pointer)).find(|text| !text.is_empty());
    match name {
        "target" => target(event).map(|(text, more)| match more {
            0 => text,
            1 => format!("{text} and another"),
            more => format!("{text} and {more} others"),
        }),
        "model" => first(&["/llm/model", "/llm/requested_model"]),
        "provider" => first(&["/llm/provider"]),
        "tool" => first(&["/tool/name", "/llm/tools/0/name", "/action"]),
        "server" => first(&["/tool/server"]),
        "source" => first(&["/llm/documents/0/source", "/targets/0/name", "/targets/0/id"]),
        "guardrail" => first(&["/llm/guardrails/0/name"]),
        "agent" => first(&["/agent/name", "/agent/id", "/targets/0/name", "/targets/0/id"]),
        "action" => first(&["/action"]),
        _ => None,
    }
}

/// What a small change changed: `max_budget 60.00 → 300.00`.
fn change(event: &Value<'_>) -> Option<String> {
    let before = event.pointer("/changes/before")?.as_object()?;
    let after = event.pointer("/changes/after")?.as_object()?;
    let small = |value: &Value<'_>| match value {
        Value::String(text) if text.chars().count() <= 40 => Some(text.to_string()),
        Value::Number(_) | Value::Bool(_) => Some(plain(value)),
        _ => None,
    };
    let mut changed = after.iter().filter(|(name, value)| before.get(name).is_some_and(|was| was != *value));
    let (name, now) = changed.next()?;
    if changed.next().is_some() {
        return None;
    }
    Some(format!("{name} {} → {}", small(before.get(name)?)?, small(now)?))
}

fn push(parts: &mut Vec<Part>, text: &str, role: &'static str) {
    let text = text.trim();
    if !text.is_empty() {
        parts.push(Part { text: text.to_owned(), role });
    }
}

/// A member as text; empty if it is not there.
pub(crate) fn text(event: &Value<'_>, pointer: &str) -> String {
    event.pointer(pointer).map(plain).unwrap_or_default()
}

/// A value as a person reads it.
pub(crate) fn plain(value: &Value<'_>) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.to_string(),
        other => String::from_utf8(other.to_jcs()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use event::{Limits, json};

    use super::*;

    fn check(event: &str, expect: &str) {
        let event = json::parse(event.as_bytes(), &Limits::default()).unwrap();
        let words: Vec<String> = sentence(&event)
            .into_iter()
            .map(|part| if part.role.is_empty() { part.text } else { format!("[{}]", part.text) })
            .collect();
        assert_eq!(words.join(" "), expect);
    }

    #[test]
    fn events_read_as_sentences() {
        let alice = r#""actor":{"email":"alice@acme.example","id":"u-1"}"#;
        let told = |rest: &str, expect: &str| {
            check(&format!("{{{alice},{rest}}}"), &format!("[alice@acme.example] {expect}"));
        };
        told(
            r#""type":"key.rotated","status":"success","targets":[{"type":"key","id":"sk-…9f"}]"#,
            "rotated key [sk-…9f]",
        );
        told(
            r#""type":"key.rotated","status":"blocked","targets":[{"id":"sk-…9f"}]"#,
            "was not allowed to rotate key [sk-…9f]",
        );
        told(r#""type":"auth.login","status":"success""#, "signed in");
        told(r#""type":"auth.login","status":"failed""#, "could not sign in");
        told(r#""type":"llm.completion","status":"success","llm":{"model":"gpt-5.2"}"#, "called [gpt-5.2]");
        told(r#""type":"llm.completion","status":"timeout""#, "could not call a model");
        told(
            r#""type":"team.member_added","status":"success","targets":[{"name":"Bob"},{"name":"Eve"},{"name":"Kim"}]"#,
            "added member [Bob and 2 others]",
        );
        told(
            r#""type":"budget.updated","changes":{"before":{"max":"60","p":1},"after":{"max":"300","p":1}},"targets":[{"name":"Contractors"}]"#,
            "updated budget [Contractors] [max 60 → 300]",
        );
        told(r#""type":"something.odd","action":"frobnicate""#, "did “frobnicate”");
        told(r#""type":"something.odd","targets":[{"id":"x"}]"#, "did “something.odd” [x]");
        told(r#""type":"approval.granted""#, "approved");
        told(
            r#""type":"authz.denied","status":"blocked","targets":[{"id":"/key/list"}]"#,
            "asked for [/key/list] without permission",
        );
        check(
            r#"{"type":"tool.call","actor":{"type":"agent","id":"a-1","on_behalf_of":[{"email":"kim@x"}]},"tool":{"name":"grep"}}"#,
            "[a-1] called tool [grep] for [kim@x]",
        );
        check(r#"{"type":"ledger.heartbeat"}"#, "[The ledger] lost nothing");
        check(r#"{"type":"auth.logout","actor":{"type":"api_key"}}"#, "[An unnamed api key] signed out");
        check(r#"{"type":"auth.logout","erased":["who"]}"#, "[Somebody] signed out");
        check(r#"{"type":"auth.logout","actor":{"ip":"192.0.2.1"}}"#, "[Somebody at 192.0.2.1] signed out");
    }

    #[test]
    fn every_kind_has_words() {
        let mut odd = Vec::new();
        for kind in event::kind::KINDS {
            let event = format!(r#"{{"type":"{}","status":"success"}}"#, kind.name);
            let event = json::parse(event.as_bytes(), &Limits::default()).unwrap();
            let words: Vec<String> = sentence(&event).into_iter().map(|part| part.text).collect();
            let words = words.join(" ");
            let is_known = kind.name == "other" || kind.name.starts_with("ledger.");
            if words.contains("did “") && !is_known || words.contains('{') {
                odd.push(format!("{}: {words}", kind.name));
            }
        }
        assert!(odd.is_empty(), "{}", odd.join("\n"));
        for (name, ..) in KINDS {
            let ours = ["ledger.", "auth.login_failed"];
            let known = event::kind::KINDS.iter().any(|kind| kind.name == *name);
            assert!(known || ours.iter().any(|ours| name.starts_with(ours)), "{name} is no kind");
        }
    }
}
