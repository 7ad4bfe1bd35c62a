//! CADF's words. As for the other contract: what an event is shown with, and the filter that finds exactly those events.

use event::Value;
use event::kind::{Category, category_of};
use query::Expr;

use crate::bifrost::words::{resource, resource_type};
use crate::bifrost::{Wrong, wrong};
use crate::expr::{all, any, area, begins, ends, exists, holds, is, not};
use crate::project::{self, kind, text};

const EVENT_TYPES: [&str; 3] = ["activity", "monitor", "control"];
/// Decisions by a rule.
const CONTROL: &[Category] = &[Category::Authorization, Category::Guardrail, Category::Approval];
/// Areas of types that say how something is, and not what somebody did.
const MONITOR: [&str; 5] = ["error", "alert", "ledger", "sink", "system"];

pub(super) fn event_type(event: &Value<'_>) -> &'static str {
    let kind = kind(event);
    let area = project::area(kind);
    if MONITOR.iter().any(|monitor| monitor.eq_ignore_ascii_case(area)) {
        "monitor"
    } else if CONTROL.contains(&category_of(kind)) {
        "control"
    } else {
        "activity"
    }
}

pub(super) fn of_event_type(said: &str) -> Result<Expr, Wrong> {
    let monitor = any(MONITOR.map(area));
    let control = any(CONTROL.iter().map(|category| is("category", category.name())));
    match said {
        "monitor" => Ok(monitor),
        "control" => Ok(all([control, not(monitor)])),
        "activity" => Ok(all([not(control), not(monitor)])),
        _ => Err(wrong("event_type", format!("expected {}", EVENT_TYPES.join(", ")))),
    }
}

/// The last word of a type, and what was done.
const VERBS: &[(&str, &str)] = &[
    ("created", "create"),
    ("added", "create"),
    ("invited", "create"),
    ("issued", "create"),
    ("placed", "create"),
    ("provisioned", "create"),
    ("registered", "create"),
    ("saved", "create"),
    ("changed", "update"),
    ("configured", "update"),
    ("reset", "update"),
    ("rotated", "update"),
    ("updated", "update"),
    ("deleted", "delete"),
    ("deprovisioned", "delete"),
    ("erased", "delete"),
    ("removed", "delete"),
    ("revoked", "delete"),
    ("read", "read"),
    ("retrieval", "read"),
    ("viewed", "read"),
    ("queried", "read"),
    ("downloaded", "read"),
    ("login", "authenticate"),
    ("logout", "authenticate"),
    ("denied", "authorize"),
    ("enabled", "enable"),
    ("unblocked", "enable"),
    ("unlocked", "enable"),
    ("blocked", "disable"),
    ("disabled", "disable"),
    ("lockout", "disable"),
    ("silenced", "disable"),
    ("opened", "start"),
    ("started", "start"),
    ("closed", "stop"),
    ("ended", "stop"),
    ("stopped", "stop"),
    ("archived", "backup"),
    ("restored", "restore"),
    ("export", "export"),
    ("exported", "export"),
    ("imported", "import"),
];
/// What was done where the type does not say it; `access` for all others.
const BY_CATEGORY: &[(Category, &str)] = &[
    (Category::Authentication, "authenticate"),
    (Category::Authorization, "authorize"),
    (Category::Guardrail, "authorize"),
    (Category::Approval, "authorize"),
    (Category::Configuration, "update"),
    (Category::Administration, "update"),
];
const ACTIONS: [&str; 15] = [
    "create",
    "read",
    "update",
    "delete",
    "authenticate",
    "authorize",
    "access",
    "enable",
    "disable",
    "start",
    "stop",
    "backup",
    "restore",
    "export",
    "import",
];

pub(super) fn action(event: &Value<'_>) -> &'static str {
    let kind = kind(event);
    let last = kind.rsplit(['.', '_']).next().unwrap_or(kind);
    let verb = VERBS.iter().find(|(word, _)| word.eq_ignore_ascii_case(last)).map(|(_, action)| *action);
    let category = category_of(kind);
    let usual = BY_CATEGORY.iter().find(|(of, _)| *of == category).map_or("access", |(_, action)| *action);
    verb.unwrap_or(usual)
}

pub(super) fn of_action(said: &str) -> Result<Expr, Wrong> {
    if !ACTIONS.contains(&said) {
        return Err(wrong("action", format!("expected {}", ACTIONS.join(", "))));
    }
    let ends_in = |word: &str| {
        any([ends("type", &format!(".{word}")), ends("type", &format!("_{word}")), is("type", word)])
    };
    let verbs = VERBS.iter().filter(|(_, action)| *action == said).map(|(word, _)| ends_in(word));
    let category = |(category, _): &(Category, &str)| is("category", category.name());
    let usual = match said {
        "access" => not(any(BY_CATEGORY.iter().map(category))),
        said => any(BY_CATEGORY.iter().filter(|(_, action)| *action == said).map(category)),
    };
    let no_verb = not(any(VERBS.iter().map(|(word, _)| ends_in(word))));
    Ok(any([any(verbs), all([usual, no_verb])]))
}

/// Our words for how it went. What is not said, or not in our words, is unknown.
const OUTCOMES: [(&str, &[&str]); 3] = [
    ("success", &["success", "partial"]),
    ("failure", &["failed", "blocked", "error", "cancelled", "timeout"]),
    ("pending", &["pending"]),
];

pub(super) fn outcome(event: &Value<'_>) -> &'static str {
    let status = text(event, "status").unwrap_or_default();
    OUTCOMES.iter().find(|(_, words)| words.contains(&status)).map_or("unknown", |(outcome, _)| outcome)
}

pub(super) fn of_outcome(said: &str) -> Result<Expr, Wrong> {
    let statuses = |words: &[&str]| any(words.iter().map(|word| is("status", word)));
    match OUTCOMES.iter().find(|(outcome, _)| *outcome == said) {
        Some((_, words)) => Ok(statuses(words)),
        None if said == "unknown" => Ok(not(any(OUTCOMES.map(|(_, words)| statuses(words))))),
        None => Err(wrong("outcome", "expected success, failure, pending or unknown")),
    }
}

/// Who did it, by the first of these that is there.
const INITIATOR: [&str; 3] = ["actor.id", "actor.email", "actor.api_key_hash"];
pub(super) const NOBODY: &str = "unknown";

pub(super) fn initiator<'v>(event: &'v Value<'_>) -> &'v str {
    INITIATOR.iter().find_map(|path| text(event, path)).unwrap_or(NOBODY)
}

pub(super) fn of_initiator(said: &str) -> Expr {
    let by = |n: usize| {
        let none_before = INITIATOR[..n].iter().map(|path| not(exists(path)));
        all(none_before.chain([is(INITIATOR[n], said)]))
    };
    let nobody = match said {
        NOBODY => not(any(INITIATOR.map(exists))),
        _ => any([]),
    };
    any([by(0), by(1), by(2), nobody])
}

pub(super) fn initiator_type(event: &Value<'_>) -> &'static str {
    match text(event, "actor.type").map(str::to_ascii_lowercase).as_deref() {
        Some("user") => "user",
        Some("api_key") => "api_key",
        Some(_) => "system",
        None if text(event, "actor.id").or(text(event, "actor.email")).is_some() => "user",
        None => "system",
    }
}

pub(super) fn of_initiator_type(said: &str) -> Result<Expr, Wrong> {
    let is_user = || {
        let named = any([exists("actor.id"), exists("actor.email")]);
        any([is("actor.type", "user"), all([not(exists("actor.type")), named])])
    };
    let is_key = || is("actor.type", "api_key");
    match said.strip_prefix("bifrost/").unwrap_or(said) {
        "user" => Ok(is_user()),
        "api_key" => Ok(is_key()),
        "system" => Ok(not(any([is_user(), is_key()]))),
        _ => Err(wrong("initiator_type", "expected user, api_key or system")),
    }
}

/// What it was done to: the first target, else the model, else the area of the type.
pub(super) fn target<'v>(event: &'v Value<'_>) -> &'v str {
    let named = text(event, "targets.id").or(text(event, "llm.model"));
    named.unwrap_or(project::area(kind(event)))
}

pub(super) fn of_target(said: &str) -> Expr {
    any([
        is("targets.id", said),
        all([not(exists("targets.id")), is("llm.model", said)]),
        all([not(exists("targets.id")), not(exists("llm.model")), area(said)]),
    ])
}

/// Where senders put the method and the path of the request, which have no field of their own.
pub(super) const METHODS: [&str; 2] = ["attributes.request_method", "attributes.http.request.method"];
pub(super) const PATHS: [&str; 4] =
    ["attributes.request_path", "attributes.url.path", "attributes.http.route", "attributes.litellm.route"];

pub(super) fn of_method(said: &str) -> Expr {
    any(METHODS.map(|path| is(path, said)))
}

/// The path begins so.
pub(super) fn of_path(said: &str) -> Expr {
    any(PATHS.map(|path| begins(path, said)))
}

pub(super) fn of_tag(said: &str) -> Expr {
    any([is("attributes.tags", said), is("category", said)])
}

/// What `search` looks at.
const SEARCHED: [&str; 6] =
    ["actor.id", "actor.email", "actor.name", "targets.id", "targets.name", "actor.ip"];

pub(super) fn of_search(said: &str) -> Expr {
    any(SEARCHED.iter().chain(&PATHS).map(|path| holds(path, said)))
}

/// The tags that a sender gave it, and what it is about.
pub(super) fn tags(event: &Value<'_>) -> Vec<String> {
    let mut tags = Vec::new();
    query::visit(event, &mut |leaf| {
        if let ("attributes.tags", Value::String(tag)) = (leaf.path, leaf.value) {
            tags.push(tag.to_string());
        }
    });
    tags.push(category_of(kind(event)).name().to_owned());
    tags
}

/// The values that an event has in a dimension, each perhaps with a name.
type Of = fn(&Value<'_>) -> Vec<(String, Option<String>)>;

/// What menus are filled with.
pub(super) const DIMENSIONS: &[(&str, Of)] = &[
    ("actions", |event| plain(Some(action(event)))),
    ("outcomes", |event| plain(Some(outcome(event)))),
    ("event_types", |event| plain(Some(event_type(event)))),
    ("initiator_types", |event| plain(Some(initiator_type(event)))),
    ("target_types", |event| plain(Some(resource_type(resource(event))))),
    ("request_methods", |event| plain(METHODS.iter().find_map(|path| text(event, path)))),
    ("request_paths", |event| plain(PATHS.iter().find_map(|path| text(event, path)))),
    ("request_ips", |event| plain(text(event, "actor.ip"))),
    ("tags", |event| tags(event).into_iter().map(|tag| (tag, None)).collect()),
    ("initiators", |event| named(initiator(event), text(event, "actor.name"))),
    ("targets", |event| named(target(event), text(event, "targets.name"))),
];

fn plain(value: Option<&str>) -> Vec<(String, Option<String>)> {
    value.map(|value| (value.to_owned(), None)).into_iter().collect()
}

fn named(id: &str, name: Option<&str>) -> Vec<(String, Option<String>)> {
    vec![(id.to_owned(), name.map(str::to_owned))]
}
