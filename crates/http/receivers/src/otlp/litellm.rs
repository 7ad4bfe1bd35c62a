//! LiteLLM's two dialects of spans: the first with everything flattened into `metadata.*`, the second
//! (`LITELLM_OTEL_V2`) with `litellm.*`.

use event::{Object, Value};

use super::genai::{on_behalf_of, target};
use super::homes::{decimal, set};
use super::kinds::{Family, Noise, What, what};
use super::reading::{Reading, plain};
use super::record::{FAILED, Group, SERVER, Span};
use crate::kept::{hashed_key, is_word};
use crate::redactions::{Done, Why, join};

/// Steps of the proxy that have a span in the first dialect.
const STEPS: [&str; 4] = ["auth", "proxy_pre_call", "router", "self"];

/// What a call of the management API does: its route, the function behind it (by which the first dialect names some), the
/// kind of event, and what it is done to.
const MANAGEMENT: &[(&str, &str, &str, &str)] = &[
    ("/key/generate", "generate_key_fn", "key.created", "key"),
    ("/key/service-account/generate", "generate_service_account_key_fn", "key.created", "key"),
    ("/key/update", "update_key_fn", "key.updated", "key"),
    ("/key/bulk_update", "bulk_update_keys", "key.updated", "key"),
    ("/key/delete", "delete_key_fn", "key.deleted", "key"),
    ("/key/regenerate", "regenerate_key_fn", "key.rotated", "key"),
    ("/key/{key}/regenerate", "regenerate_key_fn", "key.rotated", "key"),
    ("/key/block", "block_key", "key.blocked", "key"),
    ("/key/unblock", "unblock_key", "key.unblocked", "key"),
    ("/team/new", "new_team", "team.created", "team"),
    ("/team/update", "update_team", "team.updated", "team"),
    ("/team/delete", "delete_team", "team.deleted", "team"),
    ("/team/block", "block_team", "team.updated", "team"),
    ("/team/unblock", "unblock_team", "team.updated", "team"),
    ("/team/member_add", "team_member_add", "team.member_added", "team"),
    ("/team/bulk_member_add", "bulk_team_member_add", "team.member_added", "team"),
    ("/team/member_delete", "team_member_delete", "team.member_removed", "team"),
    ("/team/member_update", "team_member_update", "team.member_updated", "team"),
    ("/team/model/add", "team_model_add", "team.updated", "team"),
    ("/team/model/delete", "team_model_delete", "team.updated", "team"),
    ("/user/new", "new_user", "user.created", "user"),
    ("/user/update", "user_update", "user.updated", "user"),
    ("/user/bulk_update", "bulk_user_update", "user.updated", "user"),
    ("/user/delete", "delete_user", "user.deleted", "user"),
    ("/invitation/new", "new_invitation", "user.invited", "user"),
    ("/organization/new", "new_organization", "organisation.created", "organisation"),
    ("/organization/update", "update_organization", "organisation.updated", "organisation"),
    ("/organization/delete", "delete_organization", "organisation.deleted", "organisation"),
    ("/organization/member_add", "organization_member_add", "organisation.member_added", "organisation"),
    ("/organization/member_update", "organization_member_update", "organisation.updated", "organisation"),
    (
        "/organization/member_delete",
        "organization_member_delete",
        "organisation.member_removed",
        "organisation",
    ),
    ("/project/new", "new_project", "project.created", "project"),
    ("/project/update", "update_project", "project.updated", "project"),
    ("/project/delete", "delete_project", "project.deleted", "project"),
    ("/customer/new", "new_end_user", "customer.created", "customer"),
    ("/customer/update", "update_end_user", "customer.updated", "customer"),
    ("/customer/delete", "delete_end_user", "customer.deleted", "customer"),
    ("/customer/block", "block_user", "customer.updated", "customer"),
    ("/customer/unblock", "unblock_user", "customer.updated", "customer"),
    ("/budget/new", "new_budget", "budget.created", "budget"),
    ("/budget/update", "update_budget", "budget.updated", "budget"),
    ("/budget/delete", "delete_budget", "budget.deleted", "budget"),
    ("/model/new", "add_new_model", "model.created", "model"),
    ("/model/update", "update_model", "model.updated", "model"),
    ("/model/{model_id}/update", "patch_model", "model.updated", "model"),
    ("/model/delete", "delete_model", "model.deleted", "model"),
    ("/credentials", "create_credential", "provider_key.created", "provider_key"),
    ("/vector_store/new", "new_vector_store", "vector_store.created", "vector_store"),
    ("/vector_store/update", "update_vector_store", "vector_store.updated", "vector_store"),
    ("/vector_store/delete", "delete_vector_store", "vector_store.deleted", "vector_store"),
    ("/config/update", "update_config", "settings.changed", "settings"),
];

/// What a span is, if only LiteLLM's dialects say it.
pub(super) fn of_span(
    group: &Group<'_>,
    span: &Span<'_>,
    reading: &mut Reading<'_, '_>,
) -> Option<Result<What, Noise>> {
    if is_refused_key(reading) {
        // The attempt is told by the request's own span; this one, whichever it is, tells whose key and from where.
        return Some(Ok(what("authz.key_used", Family::Model)));
    }
    if group.scope == "litellm" {
        return of_litellm(span, reading);
    }
    // The web framework's spans around it.
    let is_litellm = group.resource.get("service.name").and_then(Value::as_str) == Some("litellm");
    if is_litellm && span.kind == SERVER && reading.peek("mcp.method.name").is_none() {
        let route = reading.peek("http.route").unwrap_or("");
        let reads = matches!(reading.peek("http.request.method"), None | Some("GET" | "HEAD" | "OPTIONS"));
        return Some(match MANAGEMENT.iter().any(|(known, ..)| *known == route) && !reads {
            // The first dialect tells what was done in a span of its own, the second only here.
            true => Ok(what("authz.api_access", Family::Other)),
            false => Err(Noise::Transport),
        });
    }
    None
}

/// Whether the proxy refused the caller of what looks like a call.
fn is_refused_key(reading: &Reading<'_, '_>) -> bool {
    let is_proxys = reading.peek("error.type").is_some_and(|kind| kind.ends_with("ProxyException"));
    let code = reading.peek("error.code").and_then(|code| code.parse().ok());
    let code = code.or_else(|| reading.attributes.get("http.response.status_code").and_then(Value::as_i64));
    let message = reading.peek("error.message").unwrap_or("").trim();
    // A proxy without a database knows no key but the master key, and says this about every other.
    let is_key = matches!(code, Some(401 | 403)) || message == NO_DATABASE;
    is_proxys && is_key && reading.has("metadata.user_api_key_hash")
}

const NO_DATABASE: &str = "No connected db.";

fn of_litellm(span: &Span<'_>, reading: &mut Reading<'_, '_>) -> Option<Result<What, Noise>> {
    let name = span.name.as_ref();
    if reading.has("guardrail_name") || reading.has("litellm.guardrail.name") {
        return Some(Ok(what("guardrail.check", Family::Guardrail)));
    }
    match name {
        // Without a span of its own, a call is told on this one.
        "Received Proxy Server Request" if !reading.has("gen_ai.request.model") => {
            return Some(of_request(reading));
        }
        "Failed Proxy Server Request" | "raw_gen_ai_request" => return Some(Err(Noise::Repeat)),
        _ if STEPS.contains(&name) || reading.has("litellm.service.name") => return Some(Err(Noise::Step)),
        _ => {}
    }
    if name.starts_with("auth ") {
        return Some(match span.status == FAILED || reading.has("error.type") {
            true => Ok(what("auth.failed_attempt", Family::Other)),
            false => Err(Noise::Step),
        });
    }
    if ["gen_ai.operation.name", "mcp.method.name", "db.system", "db.system.name"]
        .iter()
        .any(|at| reading.has(at))
    {
        return None;
    }
    if reading.has("service") && reading.has("call_type") {
        return Some(Err(Noise::Step));
    }
    if let Some((.., kind, thing)) =
        MANAGEMENT.iter().find(|(route, function, ..)| *route == name || *function == name)
    {
        reading.managed = Some(thing);
        return Some(Ok(what(kind, Family::Other)));
    }
    let is_managed = name.starts_with('/')
        || reading.has("exception")
        || reading.attributes.iter().any(|(at, _)| at.starts_with("request.") || at.starts_with("response."));
    if is_managed {
        // A route of the management API that is not in the table.
        reading.managed = Some("settings");
        return Some(Ok(what("authz.api_access", Family::Other)));
    }
    None
}

/// The span around a request of the first dialect. It is told where nothing inside it is: when the proxy itself refused.
fn of_request(reading: &Reading<'_, '_>) -> Result<What, Noise> {
    let Some(error) = reading.peek("error.type") else { return Err(Noise::Transport) };
    if reading.has("error.llm_provider") {
        // The call's own span says so.
        return Err(Noise::Repeat);
    }
    let message = reading.peek("error.message").unwrap_or("");
    let code = reading.attributes.get("http.response.status_code").and_then(Value::as_i64).unwrap_or(0);
    let unknown_key = [NO_DATABASE, "No api key passed in."].contains(&message.trim())
        || message.trim_start().starts_with("Authentication Error");
    let kind = match (error, code) {
        _ if unknown_key => "auth.failed_attempt",
        ("BudgetExceededError", _) => "authz.budget_exceeded",
        (_, 401 | 403) => "auth.failed_attempt",
        (_, 429) => "authz.rate_limited",
        // What was tried is told by its own span.
        _ if reading
            .peek("http.route")
            .is_some_and(|at| MANAGEMENT.iter().any(|(route, ..)| *route == at)) =>
        {
            return Err(Noise::Repeat);
        }
        (_, 400..=499) => "error.validation",
        _ => "error.internal",
    };
    Ok(what(kind, Family::Other))
}

/// What LiteLLM has its own names for. Whether it was LiteLLM that spoke.
pub(super) fn fill(event: &mut Object<'static>, reading: &mut Reading<'_, '_>) -> bool {
    let is_first = reading.attributes.iter().any(|(name, _)| name.starts_with("metadata.user_api_key_"));
    let is_litellm = is_first
        || reading.managed.is_some()
        || reading
            .attributes
            .iter()
            .any(|(name, _)| name.starts_with("litellm.") || name == "guardrail_name");
    if !is_litellm {
        return false;
    }
    actor(event, reading);
    for (kind, ids, names) in [
        (
            "team",
            ["metadata.user_api_key_team_id", "litellm.team.id"],
            ["metadata.user_api_key_team_alias", "litellm.team.alias"],
        ),
        (
            "organisation",
            ["metadata.user_api_key_org_id", "litellm.org.id"],
            ["metadata.user_api_key_org_alias", "litellm.org.alias"],
        ),
        (
            "project",
            ["metadata.user_api_key_project_id", "litellm.project.id"],
            ["metadata.user_api_key_project_alias", "litellm.project.alias"],
        ),
    ] {
        let id = ids.into_iter().find_map(|name| reading.id(name));
        let name = names.into_iter().find_map(|name| reading.id(name));
        if kind == "project"
            && let Some(id) = &id
        {
            set(event, "project", Value::from(id.clone()));
        }
        target(event, kind, id, name);
    }
    if let Some(id) = reading.id("litellm.call_id") {
        set(event, "request_id", Value::from(id));
    }
    if let Some(group) = reading.id("litellm.model_group") {
        // The first dialect says there what was asked for, and in the conventions' place what was sent.
        set(event, "llm.requested_model", Value::from(group));
        if let Some(sent) = reading.id("gen_ai.request.model") {
            set(event, "llm.model", Value::from(sent));
        }
        reading.attributes.remove("gen_ai.response.model");
    }
    for name in ["gen_ai.cost.total_cost", "litellm.cost.total"] {
        if let Some(cost) =
            reading.convert(name, |value| decimal(value).map(Value::from).ok_or(Why::WrongType))
        {
            set(event, "llm.cost", cost);
        }
    }
    guardrail(event, reading);
    if let Some(server) = reading.id("litellm.mcp.server.name") {
        set(event, "tool.server", Value::from(server));
    }
    if let Some(thing) = reading.managed {
        management(event, reading, thing);
    }
    for name in ["metadata.user_api_key_alias", "metadata.user_api_key_request_route"] {
        if let Some(value) = reading.id(name) {
            let name = name.trim_start_matches("metadata.");
            super::genai::put_attribute(event, &format!("litellm.{name}"), Value::from(value));
        }
    }
    // The rest of it is the client's own, figures of its key, or said elsewhere.
    reading.drop_under("metadata", Why::ClientMetadata);
    true
}

fn actor(event: &mut Object<'static>, reading: &mut Reading<'_, '_>) {
    let mut first = |names: &[&str]| names.iter().find_map(|name| reading.id(name));
    let user = first(&["metadata.user_api_key_user_id", "litellm.user.id"]);
    let email = first(&["metadata.user_api_key_user_email", "litellm.user.email"]);
    let agent = first(&["metadata.user_agent"]);
    let ip = first(&["metadata.requester_ip_address"]);
    let end_user = first(&["metadata.user_api_key_end_user_id", "litellm.end_user.id", "llm.user"]);
    reading.attributes.remove("llm.user");
    let mut key = None;
    for name in ["metadata.user_api_key_hash", "litellm.api_key.hash"] {
        if let Some(said) = reading.text(name, 4096) {
            // Anything but a hash could be the key.
            key = key.or(Some(hashed_key(&said).unwrap_or_else(|| {
                reading.redactions.note_size(
                    &join("/attributes", name),
                    Why::Secret,
                    Done::Hashed,
                    said.len(),
                );
                (reading.keyed)(said.as_bytes())
            })));
        }
    }
    let kind = match (&user, &key) {
        (Some(_), _) => Some("user"),
        (None, Some(_)) => Some("api_key"),
        (None, None) => None,
    };
    if let Some(kind) = kind {
        set(event, "actor.type", Value::from(kind));
    }
    for (path, value) in [
        ("actor.id", user),
        ("actor.email", email),
        ("actor.api_key_hash", key),
        ("actor.user_agent", agent),
        ("actor.ip", ip.filter(|ip| ip.parse::<std::net::IpAddr>().is_ok())),
    ] {
        if let Some(value) = value {
            set(event, path, Value::from(value));
        }
    }
    if let Some(id) = end_user {
        on_behalf_of(event, id);
    }
}

fn guardrail(event: &mut Object<'static>, reading: &mut Reading<'_, '_>) {
    for (ours, names) in [
        ("name", ["guardrail_name", "litellm.guardrail.name"]),
        ("provider", ["guardrail_provider", "litellm.guardrail.provider"]),
        ("mode", ["guardrail_mode", "litellm.guardrail.mode"]),
        ("verdict", ["guardrail_status", "litellm.guardrail.status"]),
        ("action", ["guardrail_action", "litellm.guardrail.action"]),
        ("rule", ["policy_template", "litellm.guardrail.policy_template"]),
    ] {
        let said = names
            .into_iter()
            .find_map(|name| if ours == "rule" { reading.id(name) } else { reading.word(name) });
        let said = match (ours, said) {
            ("verdict", Some(said)) => Some(match said.as_str() {
                "success" => "allow".to_owned(),
                "guardrail_intervened" => "deny".to_owned(),
                "guardrail_flagged" => "warn".to_owned(),
                "guardrail_failed_to_respond" => "error".to_owned(),
                _ => said,
            }),
            (_, said) => said,
        };
        if let Some(said) = said {
            set(event, &format!("llm.guardrails[].{ours}"), Value::from(said));
        }
    }
    if let Some(score) = reading.number("litellm.guardrail.confidence_score").and_then(Value::number) {
        set(event, "llm.guardrails[].score", score);
    }
    let categories = reading.convert("litellm.guardrail.violation_categories", |value| match plain(value)? {
        list @ Value::Array(_) => Ok(list),
        one => Ok(Value::Array(vec![one])),
    });
    if let Some(Value::Array(categories)) = categories {
        let words: Vec<_> = categories.into_iter().filter(|word| word.as_str().is_some()).collect();
        if !words.is_empty() {
            set(event, "llm.guardrails[].categories[]", Value::Array(words));
        }
    }
}

/// Names of fields that hold keys; requests are sent with them.
const SECRETS: [&str; 12] = [
    "access_token",
    "api_key",
    "aws_secret_access_key",
    "credential_values",
    "generic_client_secret",
    "key",
    "keys",
    "litellm_params",
    "password",
    "refresh_token",
    "secret",
    "token",
];

/// What a change was asked for with, and what came of it.
fn management(event: &mut Object<'static>, reading: &mut Reading<'_, '_>, thing: &'static str) {
    let mut after = Object::new();
    let (mut id, mut name) = (None, None);
    for (part, fields) in
        [("response", reading.take_under("response")), ("request", reading.take_under("request"))]
    {
        for (field, value) in fields {
            let path = join("/attributes", &format!("{part}.{field}"));
            if SECRETS.contains(&field.as_str()) {
                reading.redactions.dropped(&path, Why::Secret, &value);
                continue;
            }
            let text = value.as_str().filter(|text| !text.is_empty() && *text != "None" && text.len() <= 256);
            let base = if thing == "organisation" { "organization" } else { thing };
            if field == format!("{base}_id") || thing == "key" && field == "token_id" {
                id = id.or(text.map(str::to_owned));
            }
            if field == format!("{base}_alias")
                || field == "user_email" && thing == "user"
                || field == "model_name"
            {
                name = name.or(text.map(str::to_owned));
            }
            let is_said = !matches!(&value, Value::Null)
                && value.as_str() != Some("")
                && value.as_str() != Some("None");
            if part == "request" && is_said {
                match plain(&value) {
                    Ok(value) if is_word(&field) && after.len() < 64 => {
                        after.insert(field, value);
                    }
                    Ok(value) => reading.redactions.dropped(&path, Why::TooLarge, &value),
                    Err(why) => reading.redactions.dropped(&path, why, &value),
                }
            }
        }
    }
    let clean = |text: Option<String>| text.filter(|text| !text.chars().any(char::is_control));
    target(event, thing, clean(id), clean(name));
    if !after.is_empty() {
        set(event, "changes.after", Value::Object(after));
    }
}

#[cfg(test)]
#[test]
fn every_kind_is_in_the_table() {
    for (route, _, kind, _) in MANAGEMENT {
        assert!(event::kind::Kind::find(kind).is_some(), "{route}: {kind}");
    }
}
