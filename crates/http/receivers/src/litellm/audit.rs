//! A row of LiteLLM's own audit log, as our event: a change of a key, team, user, model or setting.

use event::json::{self, Limits};
use event::kind::Kind;
use event::{Code, Event, Object, Refusal, Value};

use super::wire;
use crate::kept::{self, Fingerprint, hashed_key, is_nothing, is_word, put, put_block, short_text};
use crate::redactions::{Done, Redactions, Why, join};

/// Most canonical bytes of the values before, and of those after.
const VALUES_BYTES_MAX: usize = 64 * 1024;
/// Deeper than this is left out. LiteLLM itself goes ten deep.
const DEPTH_MAX: usize = 32;

pub(super) fn map(
    item: &Value<'_>,
    producer: &str,
    fingerprint: &Fingerprint<'_>,
) -> Result<Event<'static>, Refusal> {
    let id = required(item, "id", 200)?;
    let action = required(item, "action", 64)?;
    let table = required(item, "table_name", 128)?;
    let object_id = optional(item, "object_id")?;
    let time = match optional(item, "updated_at")? {
        Some(text) => Some(
            wire::time_from_text(text)
                .map_err(|reason| Refusal::new(Code::BadValue, "/updated_at", reason))?,
        ),
        None => None,
    };
    let mut redactions = Redactions::of("litellm");

    let thing = thing(table);
    let mut event = Object::new();
    put(&mut event, "type", Some(kind(thing, action)));
    put(&mut event, "status", Some("success"));
    if action == "kill_switch_fired" {
        put(&mut event, "severity", Some("high"));
    }
    put(&mut event, "action", Some(action.to_owned()));
    put(&mut event, "time", time);
    put(&mut event, "producer", Some(producer.to_owned()));
    put(&mut event, "source_id", Some(format!("audit:{id}")));

    let mut key = |name: &'static str, text: &str| {
        hashed_key(text).unwrap_or_else(|| {
            redactions.note_size(&join("", name), Why::Secret, Done::Hashed, text.len());
            fingerprint(text.as_bytes())
        })
    };
    let mut actor = Object::new();
    let by = optional(item, "changed_by")?;
    let by_key = optional(item, "changed_by_api_key")?.map(|text| key("changed_by_api_key", text));
    let actor_type = if by.is_some() { Some("user") } else { by_key.is_some().then_some("api_key") };
    put(&mut actor, "type", actor_type);
    put(&mut actor, "api_key_hash", by_key);
    // The token itself has been seen here where a hash was meant.
    let object_id =
        object_id.map(|text| if text.starts_with("sk-") { key("object_id", text) } else { text.to_owned() });
    let mut name = |name: &'static str, text: String| match short_text(&text, 256) {
        Ok(text) => Some(text),
        Err(why) => {
            redactions.dropped(&join("", name), why, &Value::from(text));
            None
        }
    };
    put(&mut actor, "id", by.and_then(|text| name("changed_by", text.to_owned())));
    put_block(&mut event, "actor", actor);

    let mut target = Object::new();
    put(&mut target, "type", Some(thing.target));
    put(&mut target, "id", object_id.and_then(|text| name("object_id", text)));
    let mut changes = Object::new();
    for (ours, theirs) in [("before", "before_value"), ("after", "updated_values")] {
        let values = item.get(theirs).and_then(|value| values(value, &join("", theirs), &mut redactions));
        if let Some(values) = values {
            let alias = thing.alias.and_then(|alias| values.get(alias)).and_then(Value::as_str);
            put(&mut target, "name", alias.and_then(|text| short_text(text, 256).ok()));
            changes.insert(ours, values);
        }
    }
    put(&mut event, "targets", Some(vec![Value::Object(target)]));
    put_block(&mut event, "changes", changes);

    let mut litellm = Object::new();
    put(&mut litellm, "table_name", Some(table.to_owned()));
    let mut attributes = Object::new();
    attributes.insert("litellm", litellm);
    event.insert("attributes", attributes);

    for (name, value) in item.as_object().expect("the caller looked").iter() {
        if !COLUMNS.contains(&name) {
            redactions.dropped(&join("", name), Why::UnknownField, value);
        }
    }
    put(&mut event, "redactions", redactions.to_value(""));
    kept::event(event)
}

const COLUMNS: [&str; 9] = [
    "id",
    "updated_at",
    "changed_by",
    "changed_by_api_key",
    "action",
    "table_name",
    "object_id",
    "before_value",
    "updated_values",
];

/// What a table holds.
#[derive(Clone, Copy)]
struct Thing {
    table: &'static str,
    /// First word of the type; `settings` know only that they were changed.
    resource: &'static str,
    target: &'static str,
    /// The column with a name for people.
    alias: Option<&'static str>,
}

const fn t(
    table: &'static str,
    resource: &'static str,
    target: &'static str,
    alias: Option<&'static str>,
) -> Thing {
    Thing { table, resource, target, alias }
}

const THINGS: &[Thing] = &[
    t("LiteLLM_VerificationToken", "key", "key", Some("key_alias")),
    t("LiteLLM_TeamTable", "team", "team", Some("team_alias")),
    t("LiteLLM_UserTable", "user", "user", Some("user_alias")),
    t("LiteLLM_ProxyModelTable", "model", "model", Some("model_name")),
    t("LiteLLM_OrganizationTable", "organisation", "organisation", Some("organization_alias")),
    t("LiteLLM_AgentsTable", "agent", "agent", Some("agent_name")),
    t("LiteLLM_SSOConfig", "oidc", "sso", None),
    t("LiteLLM_Config", "settings", "settings", None),
    t("LiteLLM_CacheConfig", "settings", "cache_settings", None),
    t("LiteLLM_ConfigOverrides", "settings", "config_overrides", None),
    t("LiteLLM_UISettings", "settings", "ui_settings", None),
];

fn thing(table: &str) -> Thing {
    THINGS.iter().copied().find(|thing| thing.table == table).unwrap_or(t("", "settings", "other", None))
}

/// Every kind that a row can become.
pub(super) fn kinds() -> Vec<String> {
    let actions = ["created", "updated", "deleted", "rotated", "blocked", "unblocked"];
    let things = THINGS.iter().flat_map(|thing| actions.map(|action| kind(*thing, action)));
    things.filter(|kind| Kind::find(kind).is_some()).collect()
}

fn kind(thing: Thing, action: &str) -> String {
    if thing.resource == "settings" {
        return "settings.changed".to_owned();
    }
    let verb = match action {
        "create" | "created" => "created",
        "delete" | "deleted" => "deleted",
        "rotate" | "rotated" | "regenerated" => "rotated",
        "block" | "blocked" => "blocked",
        "unblock" | "unblocked" => "unblocked",
        _ => "updated",
    };
    let kind = format!("{}.{verb}", thing.resource);
    // A team that was blocked was changed; `action` says how.
    if Kind::find(&kind).is_some() { kind } else { format!("{}.updated", thing.resource) }
}

/// One side of a change, with what looks secret left out. `GET /audit` sends objects, the callback JSON in a string.
fn values(value: &Value<'_>, path: &str, redactions: &mut Redactions) -> Option<Value<'static>> {
    let limits = Limits { max_depth: DEPTH_MAX, max_bytes: super::ITEM_LIMITS.max_bytes };
    let parsed;
    let value = match value {
        Value::String(text) => match json::parse(text.as_bytes(), &limits) {
            Ok(inner) => {
                parsed = inner;
                &parsed
            }
            Err(_) => {
                redactions.dropped(path, Why::BadValue, value);
                return None;
            }
        },
        value => value,
    };
    if is_nothing(value) {
        return None;
    }
    if !matches!(value, Value::Object(_) | Value::Array(_)) {
        redactions.dropped(path, Why::WrongType, value);
        return None;
    }
    let clean = without_secrets(value, path, DEPTH_MAX, redactions)?;
    if clean.to_jcs().len() > VALUES_BYTES_MAX {
        redactions.dropped(path, Why::TooLarge, value);
        return None;
    }
    Some(clean)
}

fn without_secrets(
    value: &Value<'_>,
    path: &str,
    depth: usize,
    redactions: &mut Redactions,
) -> Option<Value<'static>> {
    if depth == 0 {
        redactions.dropped(path, Why::TooLarge, value);
        return None;
    }
    match value {
        Value::Null => Some(Value::Null),
        Value::Bool(b) => Some(Value::Bool(*b)),
        Value::Number(n) => Some(Value::Number(*n)),
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => {
            text_without_secrets(text, path, depth, redactions).map(Value::from)
        }
        Value::String(text) if is_secret_value(text) => {
            redactions.dropped(path, Why::Secret, value);
            None
        }
        Value::String(text) => Some(Value::from(text.clone().into_owned())),
        Value::Array(items) => {
            let kept = items.iter().enumerate();
            let kept = kept.filter_map(|(at, item)| {
                without_secrets(item, &format!("{path}/{at}"), depth - 1, redactions)
            });
            Some(Value::Array(kept.collect()))
        }
        Value::Object(members) => {
            let mut kept = Object::new();
            for (name, member) in members.iter() {
                let path = join(path, name);
                // Of a secret only a text or a structure of them can be one.
                let can_be = matches!(member, Value::String(_) | Value::Array(_) | Value::Object(_));
                if (can_be && is_secret_name(name)) || is_secret_value(name) {
                    redactions.dropped(&path, Why::Secret, member);
                } else if let Some(member) = without_secrets(member, &path, depth - 1, redactions) {
                    kept.insert(name.to_owned(), member);
                }
            }
            Some(Value::Object(kept))
        }
    }
}

/// Several columns hold JSON as text; of those only what is not secret is kept.
fn text_without_secrets(text: &str, path: &str, depth: usize, redactions: &mut Redactions) -> Option<String> {
    let limits = Limits { max_depth: DEPTH_MAX, max_bytes: VALUES_BYTES_MAX };
    match json::parse(text.as_bytes(), &limits) {
        Ok(inner) => {
            let clean = without_secrets(&inner, path, depth - 1, redactions)?;
            if clean == inner {
                return Some(text.to_owned());
            }
            String::from_utf8(clean.to_jcs()).ok()
        }
        // It looks like JSON and cannot be looked into.
        Err(_) => {
            redactions.dropped(path, Why::BadValue, &Value::from(text));
            None
        }
    }
}

/// Names, split at underscores, dashes, dots and capitals, with one of these words in them.
const SECRET_WORDS: &[&str] = &[
    "apikey",
    "auth",
    "authorization",
    "bearer",
    "cookie",
    "cookies",
    "credential",
    "credentials",
    "creds",
    "env",
    "headers",
    "jwt",
    "key",
    "keys",
    "pass",
    "passphrase",
    "passwd",
    "password",
    "passwords",
    "private",
    "pwd",
    "secret",
    "secrets",
    "signature",
    "token",
    "tokens",
    "webhook",
];

/// Names with such a word that are none: people search by them.
const NO_SECRETS: &[&str] = &["key_alias", "key_type", "api_key_alias", "key_rotation_at", "auth_method"];

fn is_secret_name(name: &str) -> bool {
    if NO_SECRETS.contains(&name) {
        return false;
    }
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        let starts_word = c.is_uppercase() && was_lower;
        was_lower = c.is_lowercase() || c.is_ascii_digit();
        if !c.is_alphanumeric() || starts_word {
            words.push(String::new());
        }
        if c.is_alphanumeric() {
            words.last_mut().expect("never empty").extend(c.to_lowercase());
        }
    }
    let is_one = |word: &String| {
        SECRET_WORDS.contains(&word.as_str())
            || ["secret", "password", "passwd", "apikey", "credential", "privatekey", "accesskey"]
                .iter()
                .any(|part| word.contains(part))
            || (word.len() > 5 && word.ends_with("token"))
    };
    words.iter().any(is_one)
}

/// Texts that are secrets wherever they stand: provider and virtual keys, signed tokens, private keys, URLs with a password.
fn is_secret_value(text: &str) -> bool {
    const STARTS: &[&str] = &[
        "sk-",
        "sk_",
        "pk-lf-",
        "eyJ",
        "AKIA",
        "ASIA",
        "AIza",
        "ghp_",
        "gho_",
        "ghs_",
        "github_pat_",
        "glpat-",
        "xoxb-",
        "xoxp-",
        "hf_",
        "gsk_",
        "r8_",
        "Bearer ",
        "Basic ",
    ];
    let starts_a_secret = |at: usize| STARTS.iter().any(|start| text[at..].starts_with(start));
    // At the start of any word, so that `token=sk-…` is one too.
    let mut after_gap = true;
    for (at, c) in text.char_indices() {
        if after_gap && starts_a_secret(at) {
            return true;
        }
        after_gap = !(c.is_alphanumeric() || matches!(c, '-' | '_'));
    }
    if text.contains("-----BEGIN") || text.contains("hooks.slack.com/") {
        return true;
    }
    text.split("://").skip(1).any(|rest| {
        let authority = rest.split(['/', '?', '#', ' ']).next().unwrap_or("");
        authority.contains('@')
    })
}

fn optional<'v>(item: &'v Value<'_>, name: &'static str) -> Result<Option<&'v str>, Refusal> {
    match item.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok((!text.is_empty()).then_some(text)),
        Some(other) => {
            let reason = format!("expected a string, found {}", other.type_name());
            Err(Refusal::new(Code::WrongType, format!("/{name}"), reason))
        }
    }
}

fn required<'v>(item: &'v Value<'_>, name: &'static str, chars: usize) -> Result<&'v str, Refusal> {
    let Some(text) = optional(item, name)? else {
        return Err(Refusal::new(Code::Missing, format!("/{name}"), "a row of the audit log has it"));
    };
    let is_plain = match name {
        "id" => short_text(text, chars).is_ok(),
        _ => is_word(text) && text.len() <= chars,
    };
    if !is_plain {
        return Err(Refusal::new(Code::BadValue, format!("/{name}"), "not as LiteLLM writes it"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_a_secret_by_its_name() {
        let secret = [
            "token",
            "key",
            "api_key",
            "apiKey",
            "API_KEY",
            "aws_secret_access_key",
            "vertex_credentials",
            "webhook_secret",
            "password",
            "clientSecret",
            "access-token",
            "accesstoken",
            "environment.token",
            "env",
            "extra_headers",
            "key_name",
            "OPENAI_API_KEY",
            "hashed_password",
            "private_key",
        ];
        let plain =
            ["key_alias", "team_alias", "models", "user_id", "monkey", "max_budget", "author", "keyboard"];
        assert!(secret.iter().all(|name| is_secret_name(name)), "{:?}", secret.map(is_secret_name));
        assert!(!plain.iter().any(|name| is_secret_name(name)), "{:?}", plain.map(is_secret_name));
    }

    #[test]
    fn knows_a_secret_by_its_look() {
        let secret = [
            "sk-abc",
            "use sk-abc",
            "eyJhbGciOi.x.y",
            "postgres://u:p@host/db",
            "a -----BEGIN KEY",
            "Bearer x",
            "token=sk-1",
        ];
        let plain = ["risk-averse", "task-1", "https://host/@user", "alice@example.com", "ask", "gpt-4o"];
        assert!(secret.iter().all(|text| is_secret_value(text)), "{:?}", secret.map(is_secret_value));
        assert!(!plain.iter().any(|text| is_secret_value(text)), "{:?}", plain.map(is_secret_value));
    }
}
