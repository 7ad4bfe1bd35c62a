//! A call of a model, a retrieval, a tool call, a guardrail's verdict or an agent at work: what spans and log records of
//! them have in common.

use event::{Event, Object, Refusal, Value};

use super::content;
use super::homes::{self, set};
use super::kinds::{Family, What};
use super::litellm;
use super::reading::{Reading, number, plain};
use super::record::{Group, SpanEvent};
use crate::kept::{self, ITEMS_MAX, is_nothing, is_word, milliseconds, put, short_text};
use crate::redactions::{Why, join};

/// What a record says of itself beside its attributes.
pub(super) struct Base {
    /// `source_id`, times and ids.
    pub(super) event: Object<'static>,
    /// Nanoseconds it took, if that is known.
    pub(super) took: Option<u64>,
    /// Whether the record itself says that it failed.
    pub(super) failed: bool,
}

/// More bytes of attributes without a home than this are dropped.
const REST_BYTES: usize = 32 << 10;
/// Parts of the resource that tell where something ran.
const RESOURCE: [&str; 8] = [
    "cloud.account.id",
    "cloud.region",
    "host.name",
    "k8s.cluster.name",
    "k8s.namespace.name",
    "k8s.pod.name",
    "service.instance.id",
    "service.namespace",
];

pub(super) fn event(
    group: &Group<'_>,
    base: Base,
    what: What,
    mut reading: Reading<'_, '_>,
    events: &[SpanEvent<'_>],
) -> Result<Event<'static>, Refusal> {
    let Base { mut event, took, failed } = base;
    let What { mut kind, family } = what;
    shared(&mut event, group);
    // An agent's own figures are sums of its calls', which tell theirs.
    let is_sum = kind.starts_with("agent.");

    let is_litellm = litellm::fill(&mut event, &mut reading);
    bifrost(&mut event, &mut reading);
    // Of what an application associates with its traces, these have a home.
    for (theirs, ours) in [("user_id", "actor.id"), ("session_id", "actor.session_id")] {
        if let Some(id) = reading.id(&format!("traceloop.association.properties.{theirs}")) {
            set(&mut event, ours, Value::from(id));
        }
    }
    if let Some(name) = reading.id("traceloop.entity.name") {
        // OpenLLMetry has one name for whatever it is that works.
        let home = if family == Family::Tool { "tool.name" } else { "agent.name" };
        set(&mut event, home, Value::from(name));
    }
    let mut texts = content::gather(&mut reading, family, events);
    let documents = documents(&mut reading, &mut texts, events);
    put_list(&mut event, "llm.documents[]", documents);
    if family == Family::Model {
        put_list(&mut event, "llm.tools[]", content::called_tools(texts.output.as_ref()));
    }
    let operation = reading.peek("gen_ai.operation.name").map(str::to_owned);
    homes::fill(&mut event, &mut reading, |ours| {
        is_sum && (ours.starts_with("llm.tokens_") || ours == "llm.cost")
    });
    if family == Family::Model {
        put_list(&mut event, "llm.finish_reasons[]", content::finish_reasons(texts.output.as_ref()));
    }
    units(&mut event, &mut reading);
    parameters(&mut event, &mut reading);
    exception(&mut event, &mut reading, events);

    match operation.as_deref() {
        Some(theirs) if is_litellm => {
            let ours = crate::litellm::operation_of(theirs).unwrap_or(theirs).to_owned();
            if let Some(Value::Object(llm)) = event.get_mut("llm") {
                llm.insert("operation", ours);
            }
        }
        None if kind == "llm.completion" => set(&mut event, "llm.operation", Value::from("chat")),
        None if kind == "llm.embedding" => set(&mut event, "llm.operation", Value::from("embeddings")),
        _ => {}
    }
    if kind.starts_with("mcp.") || event.get("tool").is_some_and(|tool| tool.get("method").is_some()) {
        set(&mut event, "tool.type", Value::from("mcp"));
    }
    let failed = failed || event.get("error").is_some_and(|error| error.get("type").is_some());
    if family == Family::Guardrail {
        kind = verdict(&event, failed).to_owned();
    }
    let status = match kind.as_str() {
        "guardrail.block" | "authz.budget_exceeded" | "authz.rate_limited" => "blocked",
        "guardrail.error" => "error",
        _ if failed => status_of(&event),
        _ => "success",
    };
    set(&mut event, "status", Value::from(status));
    // Whoever names the model only once means the one that answered.
    let requested = event.get("llm").and_then(|llm| llm.get("requested_model")).cloned();
    if let (Some(requested), "success", Family::Model) = (requested, status, family) {
        set(&mut event, "llm.model", requested);
    }
    if let Some(took) = took.map(|ns| milliseconds(ns as f64 / 1e9)).and_then(Value::number) {
        let home = match family {
            Family::Model if !is_sum => "llm.latency_ms",
            Family::Tool => "tool.latency_ms",
            _ => "attributes.duration_ms",
        };
        set(&mut event, home, took);
    }
    put(&mut event, "type", Some(kind));
    content::put(&mut event, &mut reading, family, texts);
    who(&mut event);
    rest(&mut event, reading, 128);
    kept::event(event)
}

/// What the resource and the scope say.
pub(super) fn shared(event: &mut Object<'static>, group: &Group<'_>) {
    let said = |name: &str| group.resource.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    put(event, "producer", Some(producer(said("service.name"))));
    let id = |text: Option<&str>| text.and_then(|text| short_text(text, 256).ok());
    put(event, "app_version", id(said("service.version")));
    let environment = said("deployment.environment.name").or_else(|| said("deployment.environment"));
    put(event, "environment", id(environment));
    for name in RESOURCE {
        if let Some(value) = group.resource.get(name).and_then(|value| plain(value).ok()) {
            put_attribute(event, name, value);
        }
    }
    if is_word(&group.scope) {
        put_attribute(event, "otel.scope.name", Value::from(group.scope.clone().into_owned()));
    }
}

pub(super) fn put_attribute(event: &mut Object<'static>, name: &str, value: Value<'static>) {
    if event.get("attributes").is_none() {
        event.insert("attributes", Object::new());
    }
    if let Some(Value::Object(attributes)) = event.get_mut("attributes")
        && attributes.get(name).is_none()
    {
        attributes.insert(name.to_owned(), value);
    }
}

fn put_list(event: &mut Object<'static>, path: &str, list: Option<Vec<Value<'static>>>) {
    if let Some(list) = list {
        set(event, path, Value::Array(list));
    }
}

/// A service's name as a producer's: what that may not have becomes a dash.
fn producer(service: Option<&str>) -> String {
    let Some(service) = service.filter(|name| !name.trim().is_empty()) else { return "otlp".to_owned() };
    let fits = |c: char| c.is_ascii_alphanumeric() || "._:/-".contains(c);
    service.chars().take(64).map(|c| if fits(c) { c } else { '-' }).collect()
}

/// An id of somebody makes them a user, if nobody says what they are.
pub(super) fn who(event: &mut Object<'static>) {
    if let Some(Value::Object(actor)) = event.get_mut("actor")
        && actor.get("type").is_none()
        && (actor.get("id").is_some() || actor.get("email").is_some())
    {
        actor.insert("type", "user");
    }
}

/// Names of Bifrost's, in the place that older versions gave them and in the one that newer do.
fn bifrost(event: &mut Object<'static>, reading: &mut Reading<'_, '_>) {
    for (kind, older, newer) in [
        ("key", "gen_ai.virtual_key", "bifrost.virtual_key"),
        ("provider_key", "gen_ai.selected_key", "bifrost.selected_key"),
        ("routing_rule", "gen_ai.routing_rule", "bifrost.routing_rule"),
        ("team", "gen_ai.team", "bifrost.team"),
        ("customer", "gen_ai.customer", "bifrost.customer"),
    ] {
        let either = |reading: &mut Reading<'_, '_>, what: &str| {
            let newer =
                reading.id(&format!("{newer}.{what}")).or_else(|| reading.id(&format!("{newer}_{what}")));
            newer.or_else(|| reading.id(&format!("{older}_{what}")))
        };
        let (id, name) = (either(reading, "id"), either(reading, "name"));
        target(event, kind, id, name);
    }
    if let Some(id) = reading.id("bifrost.request.id").or_else(|| reading.id("gen_ai.request_id")) {
        set(event, "request_id", Value::from(id));
    }
    if let Some(user) = reading.id("gen_ai.request.user") {
        on_behalf_of(event, user);
    }
    // One reason, where the conventions have a list.
    if let Some(reason) = reading.word("gen_ai.response.finish_reason") {
        set(event, "llm.finish_reasons[]", Value::Array(vec![Value::from(reason)]));
    }
}

pub(super) fn target(event: &mut Object<'static>, kind: &str, id: Option<String>, name: Option<String>) {
    if id.is_none() && name.is_none() {
        return;
    }
    let mut target = Object::new();
    target.insert("type", kind.to_owned());
    put(&mut target, "id", id);
    put(&mut target, "name", name);
    if event.get("targets").is_none() {
        event.insert("targets", Value::Array(Vec::new()));
    }
    if let Some(Value::Array(targets)) = event.get_mut("targets") {
        targets.push(Value::Object(target));
    }
}

/// Whom the sender says it asked for: nobody checked that.
pub(super) fn on_behalf_of(event: &mut Object<'static>, id: String) {
    let mut user = Object::new();
    user.insert("type", "end_user");
    user.insert("id", id);
    set(event, "actor.on_behalf_of[]", Value::Array(vec![Value::Object(user)]));
}

/// Documents that were found: ids, scores and names, without what they say.
fn documents(
    reading: &mut Reading<'_, '_>,
    texts: &mut content::Texts,
    events: &[SpanEvent<'_>],
) -> Option<Vec<Value<'static>>> {
    let source = reading.id("gen_ai.data_source.id").or_else(|| reading.id("db.collection.name"));
    let mut found = Vec::new();
    let mut add = |id: Option<&Value<'_>>, score: Option<&Value<'_>>, name: Option<&Value<'_>>| {
        let text = |value: Option<&Value<'_>>, chars| super::reading::text(value?, chars).ok();
        let mut document = Object::new();
        put(&mut document, "id", text(id, 256));
        put(&mut document, "score", score.and_then(number).and_then(Value::number));
        put(&mut document, "name", text(name, 256));
        if document.is_empty() || found.len() >= ITEMS_MAX {
            return;
        }
        put(&mut document, "source", source.clone());
        found.push(Value::Object(document));
    };
    if let Some(said) = reading.take("gen_ai.retrieval.documents") {
        let read;
        let said = match &said {
            Value::String(text) => {
                read = event::json::parse(text.as_bytes(), &event::Limits::default()).unwrap_or_default();
                &read
            }
            other => other,
        };
        for document in said.as_array().unwrap_or_default() {
            let id = if document.as_object().is_some() { document.get("id") } else { Some(document) };
            add(id, document.get("score"), document.get("name"));
        }
    }
    // OpenInference's are in the text that was found; a list of documents is no text by itself.
    if let Some(Value::Array(items)) = &mut texts.output {
        for item in items.iter().filter(|item| item.as_object().is_some()) {
            add(item.get("document.id"), item.get("document.score"), None);
        }
    }
    for event in events.iter().filter(|event| event.name == "db.query.result") {
        add(event.attributes.get("db.query.result.id"), event.attributes.get("db.query.result.score"), None);
    }
    if found.is_empty()
        && let Some(source) = source
    {
        let mut document = Object::new();
        document.insert("source", source);
        found.push(Value::Object(document));
    }
    (!found.is_empty()).then_some(found)
}

/// Seconds there are milliseconds here.
fn units(event: &mut Object<'static>, reading: &mut Reading<'_, '_>) {
    if let Some(seconds) = reading.number("gen_ai.response.time_to_first_chunk")
        && let Some(ms) = Value::number(milliseconds(seconds))
    {
        set(event, "llm.time_to_first_token_ms", ms);
    }
}

/// OpenInference tells all parameters in one text.
fn parameters(event: &mut Object<'static>, reading: &mut Reading<'_, '_>) {
    let Some(said) = reading.take("llm.invocation_parameters") else { return };
    let read = match &said {
        Value::String(text) => {
            event::json::parse(text.as_bytes(), &event::Limits::default()).unwrap_or_default().into_owned()
        }
        other => other.clone().into_owned(),
    };
    const AT: &str = "/attributes/llm.invocation_parameters";
    let Value::Object(members) = read else {
        return reading.redactions.dropped(AT, Why::BadValue, &said);
    };
    for (at, (name, value)) in members.iter().enumerate() {
        match plain(value) {
            Ok(value) if is_word(name) && at < ITEMS_MAX && name != "model" => {
                set(event, "llm.parameters", Value::Object(Object::new()));
                if let Some(Value::Object(llm)) = event.get_mut("llm")
                    && let Some(Value::Object(parameters)) = llm.get_mut("parameters")
                {
                    parameters.insert(name.to_owned(), value);
                }
            }
            Ok(_) => {}
            Err(_) => reading.redactions.dropped(&join(AT, name), Why::Parameter, value),
        }
    }
}

/// What broke, without what it says about it: errors of providers quote prompts.
fn exception(event: &mut Object<'static>, reading: &mut Reading<'_, '_>, events: &[SpanEvent<'_>]) {
    for name in ["gen_ai.error.type", "litellm.provider.error.type"] {
        if let Some(kind) = reading.word(name) {
            set(event, "error.type", Value::from(kind));
        }
    }
    for name in ["error.code", "gen_ai.error.code", "litellm.provider.error.code", "rpc.response.status_code"]
    {
        if let Some(code) = reading.word(name) {
            set(event, "error.code", Value::from(code));
        }
    }
    if let Some(hash) = reading.fingerprint("exception.stacktrace", Why::ErrorText) {
        set(event, "error.stack_fingerprint", Value::from(hash));
    }
    for raised in events.iter().filter(|event| event.name == "exception") {
        let text = |name: &str| raised.attributes.get(name).and_then(Value::as_str);
        if let Some(kind) = text("exception.type").filter(|kind| is_word(kind)) {
            set(event, "error.type", Value::from(kind.to_owned()));
        }
        if let Some(stack) = raised.attributes.get("exception.stacktrace").filter(|value| !is_nothing(value))
        {
            let hash =
                reading.fingerprint_of("/events/exception/exception.stacktrace", stack, Why::ErrorText);
            set(event, "error.stack_fingerprint", Value::from(hash));
        }
        if let Some(message) = raised.attributes.get("exception.message") {
            reading.redactions.dropped("/events/exception/exception.message", Why::ErrorText, message);
        }
    }
}

/// How something failed, as far as its error tells.
fn status_of(event: &Object<'_>) -> &'static str {
    let error = |name: &str| event.get("error").and_then(|error| error.get(name)).and_then(Value::as_str);
    let kind = error("type").unwrap_or("").to_ascii_lowercase();
    match (kind.as_str(), error("code")) {
        ("timeout" | "deadline_exceeded", _) | (_, Some("408" | "504")) => "timeout",
        (kind, _) if kind.ends_with("timeout") || kind.ends_with("timeouterror") => "timeout",
        ("cancelled" | "canceled" | "cancellederror", _) => "cancelled",
        _ => "failed",
    }
}

/// What a guardrail found, as a kind of event: the gravest of what it says.
fn verdict(event: &Object<'_>, failed: bool) -> &'static str {
    let guardrails = event.get("llm").and_then(|llm| llm.get("guardrails")).and_then(Value::as_array);
    let said = |name: &str| {
        let first = guardrails.and_then(|guardrails| guardrails.first());
        first
            .and_then(|guardrail| guardrail.get(name))
            .and_then(Value::as_str)
            .unwrap_or("")
            .to_ascii_lowercase()
    };
    let (verdict, action) = (said("verdict"), said("action"));
    let word = |words: &[&str]| words.contains(&verdict.as_str()) || words.contains(&action.as_str());
    if word(&["deny", "denied", "block", "blocked", "fail", "failed", "reject", "guardrail_intervened"]) {
        "guardrail.block"
    } else if word(&["modify", "modified", "mask", "masked", "redact", "redacted"]) {
        "guardrail.modify"
    } else if word(&["escalate"]) {
        "guardrail.escalate"
    } else if word(&["warn", "flag", "flagged", "guardrail_flagged"]) {
        "guardrail.flag"
    } else if failed || word(&["error", "guardrail_failed_to_respond"]) {
        "guardrail.error"
    } else if word(&["allow", "allowed", "pass", "passed", "success"]) {
        "guardrail.allow"
    } else {
        "guardrail.check"
    }
}

/// Keeps what has no home under its own name, if it is a word or a number; and at last says what was left out.
pub(super) fn rest(event: &mut Object<'static>, mut reading: Reading<'_, '_>, chars: usize) {
    let mut bytes = 0;
    for (name, value) in std::mem::take(&mut reading.attributes) {
        if is_nothing(&value) {
            continue;
        }
        let kept = match &value {
            Value::String(text) if chars > 128 => short_text(text, chars).map(Value::from),
            other => plain(other),
        };
        match kept {
            Ok(value) if is_word(&name) => {
                bytes += name.len() + value.to_jcs().len();
                if bytes <= REST_BYTES {
                    put_attribute(event, &name, value);
                    continue;
                }
                reading.redactions.dropped(&join("/attributes", &name), Why::TooLarge, &value);
            }
            Ok(value) => reading.redactions.dropped(&join("/attributes", &name), Why::BadValue, &value),
            Err(why) => reading.redactions.dropped(&join("/attributes", &name), why, &value),
        }
    }
    put(event, "redactions", reading.redactions.to_value(""));
}
