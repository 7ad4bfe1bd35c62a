//! What Bifrost calls things that we call otherwise. Every word is there twice: as what an event is shown with, and as the
//! filter that finds exactly the events that are shown with it.

use event::Value;
use event::kind::{Category, category_of};
use query::{Expr, Test};

use super::{Wrong, wrong};
use crate::expr::{all, any, area, exists, field, is, not};
use crate::project::{self, kind, text};

/// The words of specification 002 for what an event is about.
const ABOUT: [&str; 5] =
    ["authentication", "authorization", "configuration_change", "data_access", "security_incident"];

/// What an event is about.
pub(super) fn event_type<'v>(event: &'v Value<'_>) -> &'v str {
    let kind = kind(event);
    if let Some(word) = ABOUT.iter().find(|word| word.eq_ignore_ascii_case(kind)) {
        return word;
    }
    if kind.eq_ignore_ascii_case("audit.denied") {
        return "authorization";
    }
    match project::area(kind) {
        area if area.eq_ignore_ascii_case("audit") => "data_access",
        area if area.eq_ignore_ascii_case("alert") => "security_incident",
        _ => category_of(kind).bifrost().unwrap_or(category_of(kind).name()),
    }
}

/// Events that are shown with this `event_type`, and those of a type of ours.
pub(super) fn of_event_type(said: &str) -> Expr {
    let of_ours = any(ABOUT.map(|word| is("type", word)).into_iter().chain([area("audit"), area("alert")]));
    let word = said.to_ascii_lowercase();
    let alike = |category: &&Category| category.bifrost().unwrap_or(category.name()) == word;
    let categories = Category::ALL.iter().filter(alike).map(|category| is("category", category.name()));
    let special = match word.as_str() {
        "authorization" => is("type", "audit.denied"),
        "data_access" => all([area("audit"), not(is("type", "audit.denied"))]),
        "security_incident" => area("alert"),
        _ => any([]),
    };
    any([all([any(categories), not(of_ours)]), special, is("type", said)])
}

/// What they call some of our types, where an event has no `action` of its own.
const ACTIONS: &[(&str, &str)] = &[
    ("auth.login", "user_login"),
    ("auth.logout", "user_logout"),
    ("authz.denied", "access_denied"),
    ("audit.denied", "access_denied"),
];

/// What was done: the sender's own word, else theirs, else our type.
pub(super) fn action<'v>(event: &'v Value<'_>) -> &'v str {
    let kind = kind(event);
    let theirs = || ACTIONS.iter().find(|(ours, _)| ours.eq_ignore_ascii_case(kind)).map(|(_, word)| *word);
    text(event, "action").or_else(theirs).unwrap_or(kind)
}

pub(super) fn of_action(said: &str) -> Expr {
    let theirs =
        ACTIONS.iter().filter(|(_, word)| word.eq_ignore_ascii_case(said)).map(|(kind, _)| is("type", kind));
    let renamed = any(ACTIONS.iter().map(|(kind, _)| is("type", kind)));
    let by_type = any([any(theirs), all([is("type", said), not(renamed)])]);
    any([is("action", said), all([not(exists("action")), by_type])])
}

pub(super) fn status<'v>(event: &'v Value<'_>) -> &'v str {
    text(event, "status").unwrap_or("unknown")
}

pub(super) fn of_status(said: &str) -> Expr {
    let unsaid = if said == "unknown" { not(exists("status")) } else { any([]) };
    any([is("status", said), unsaid])
}

pub(super) fn severity<'v>(event: &'v Value<'_>) -> &'v str {
    text(event, "severity").unwrap_or("info")
}

pub(super) fn of_severity(said: &str) -> Expr {
    let unsaid = if said == "info" { not(exists("severity")) } else { any([]) };
    any([is("severity", said), unsaid])
}

/// Bifrost's types of things, and what we call those things in `targets[].type` or in the area of a type.
pub(super) const RESOURCES: &[(&str, &[&str])] = &[
    ("user", &["user"]),
    ("api_key", &["api_key"]),
    ("provider", &["provider", "provider_key"]),
    ("virtual_key", &["virtual_key", "key"]),
    ("team", &["team"]),
    ("customer", &["customer"]),
    ("role", &["role"]),
    ("permission", &["permission", "authz"]),
    ("guardrail", &["guardrail", "guardrail_config"]),
    ("mcp_client", &["mcp_client", "mcp_server"]),
    ("mcp_tool_group", &["mcp_tool_group"]),
    ("plugin", &["plugin", "integration"]),
    (
        "config",
        &["config", "settings", "budget", "rate_limit", "retention", "routing", "policy", "oidc", "scim"],
    ),
    ("session", &["session", "auth"]),
    ("inference", &["inference", "llm", "rag", "model", "tool", "mcp", "agent"]),
];

/// What it was done to, in our word: the type of the first target, else the area of the event's type.
pub(super) fn resource<'v>(event: &'v Value<'_>) -> &'v str {
    text(event, "targets.type").unwrap_or(project::area(kind(event)))
}

/// What it was done to, in Bifrost's word; `system` is everything that it has no word for.
pub(super) fn resource_type(ours: &str) -> &'static str {
    let named = RESOURCES.iter().find(|(_, words)| words.iter().any(|word| word.eq_ignore_ascii_case(ours)));
    named.map_or("system", |(theirs, _)| theirs)
}

fn of_our_word(word: &str) -> Expr {
    any([is("targets.type", word), all([not(exists("targets.type")), area(word)])])
}

/// Events about things of a type, whoever's word it is. A key is a key, whether it is called a virtual one.
pub(super) fn of_resource(said: &str) -> Expr {
    let same = ["virtual_key", "key"];
    match same.iter().any(|word| word.eq_ignore_ascii_case(said)) {
        true => any(same.map(of_our_word)),
        false => of_our_word(said),
    }
}

/// Events about things of a type in Bifrost's word, with or without `bifrost/` before it.
pub(super) fn of_resource_type(parameter: &'static str, said: &str) -> Result<Expr, Wrong> {
    let said = said.strip_prefix("bifrost/").unwrap_or(said);
    if said == "system" {
        let known = RESOURCES.iter().flat_map(|(_, words)| words.iter()).map(|word| of_our_word(word));
        return Ok(not(any(known)));
    }
    match RESOURCES.iter().find(|(theirs, _)| *theirs == said) {
        Some((_, words)) => Ok(any(words.iter().map(|word| of_our_word(word)))),
        None => Err(unknown_resource(parameter)),
    }
}

pub(super) fn unknown_resource(parameter: &'static str) -> Wrong {
    let known: Vec<&str> = RESOURCES.iter().map(|(theirs, _)| *theirs).collect();
    wrong(parameter, format!("expected system, {}", known.join(", ")))
}

/// Events from an address or a network.
pub(super) fn of_address(parameter: &'static str, said: &str) -> Result<Expr, Wrong> {
    let bad = || wrong(parameter, "expected an IP address, or a network such as 203.0.113.0/24");
    match said.contains('/') {
        true => Ok(field("actor.ip", Test::Cidr(said.parse().map_err(|_| bad())?))),
        false => {
            query::address(said).ok_or_else(bad)?;
            Ok(field("actor.ip", Test::Is(said.to_owned())))
        }
    }
}
