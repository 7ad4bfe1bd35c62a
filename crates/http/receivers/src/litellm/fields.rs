//! The one table of what is done with each field of LiteLLM's payload. What is not here is dropped.
//!
//! `README.md` shows it; a test writes it there.

use event::{Object, Value};

use crate::kept::{ITEMS_MAX, bare_url, is_nothing, is_word, money, short_text};
use crate::redactions::{Done, Redactions, Why, join};

use Form::*;
use Rule::*;

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) rule: Rule,
}

#[derive(Debug)]
pub(super) enum Rule {
    /// It has a home in our event, and `call` puts it there.
    Home(&'static str),
    /// Its keyed fingerprint has.
    Hash(&'static str, Why),
    /// Kept under LiteLLM's name, in this form.
    Keep(Form),
    /// Another field says it too.
    Same(&'static str),
    Drop(Why),
    /// An object; what is kept of it stays an object of that name.
    Block(&'static [Field]),
    /// An object; what is kept of it stands beside it.
    Flat(&'static [Field]),
    /// A list of objects, or one.
    List(&'static [Field]),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// Text of at most 256 characters without control characters.
    Text,
    /// One word: 1 to 128 of `A-Z a-z 0-9 _ . : / @ + = - ( ) #`.
    Word,
    /// Words.
    Words,
    /// Text of at most 128 characters each, without the sender's own noise.
    Tags,
    Bool,
    Number,
    /// A number that is money: kept as a decimal.
    Money,
    /// Numbers under names that are words.
    Counts,
    /// Without user, password, query and fragment.
    Url,
}

impl Form {
    pub(super) fn name(self) -> &'static str {
        match self {
            Text => "text up to 256 characters",
            Word => "one word",
            Words => "words",
            Tags => "texts up to 128 characters",
            Bool => "true or false",
            Number => "number",
            Money => "decimal",
            Counts => "numbers under words",
            Url => "URL without user, query and fragment",
        }
    }
}

const fn f(name: &'static str, rule: Rule) -> Field {
    Field { name, rule }
}

pub(super) static PAYLOAD: &[Field] = &[
    f("id", Home("llm.response_id")),
    f("litellm_call_id", Home("source_id, request_id")),
    f("call_id", Same("litellm_call_id")),
    f("trace_id", Home("trace_id")),
    f("session_id", Home("actor.session_id")),
    // Its meaning is the event's type.
    f("call_type", Keep(Word)),
    f("stream", Home("llm.stream")),
    f("status", Home("status, source_id")),
    f("status_fields", Block(&[f("llm_api_status", Keep(Word)), f("guardrail_status", Keep(Word))])),
    f("custom_llm_provider", Home("llm.provider")),
    f("model", Home("llm.model")),
    f("model_group", Home("llm.requested_model")),
    f("model_id", Keep(Word)),
    f("api_base", Keep(Url)),
    f("total_tokens", Home("llm.tokens_total")),
    f("prompt_tokens", Home("llm.tokens_input")),
    f("completion_tokens", Home("llm.tokens_output")),
    f("response_cost", Home("llm.cost")),
    f("saved_cache_cost", Keep(Money)),
    f("cost_breakdown", Block(COST)),
    f("cost_finalized", Keep(Bool)),
    f("response_cost_failure_debug_info", Drop(Why::ErrorText)),
    f("zero_cost_diagnostic", Drop(Why::Noise)),
    f("autorouter_savings", Drop(Why::Noise)),
    f("autorouter_savings_estimate", Drop(Why::Noise)),
    f("autorouter_baseline_observation", Drop(Why::Noise)),
    f("classifier_input", Drop(Why::Prompt)),
    f("originating_request_masked", Drop(Why::Prompt)),
    f("startTime", Home("llm.latency_ms")),
    f("endTime", Home("time, llm.latency_ms")),
    f("completionStartTime", Home("llm.time_to_first_token_ms")),
    f("response_time", Home("llm.latency_ms")),
    f("model_map_information", Drop(Why::PriceTable)),
    f("cache_hit", Home("llm.cache_hit")),
    // SHA-256 of prompt and parameters, without a key.
    f("cache_key", Drop(Why::UnkeyedHash)),
    f("request_tags", Keep(Tags)),
    f("request_model_access_groups", Keep(Words)),
    f("end_user", Home("actor.on_behalf_of[].id")),
    f("requester_ip_address", Home("actor.ip")),
    f("user_agent", Home("actor.user_agent")),
    f("messages", Hash("llm.prompt_fingerprint", Why::Prompt)),
    f("response", Hash("llm.response_fingerprint", Why::Response)),
    f("model_parameters", Home("llm.parameters")),
    f("error_str", Drop(Why::ErrorText)),
    f("error_information", Block(ERROR)),
    f("hidden_params", Block(HIDDEN)),
    f("guardrail_information", List(GUARDRAIL)),
    f("standard_built_in_tools_params", Drop(Why::Parameter)),
    f("metadata", Flat(METADATA)),
];

static COST: &[Field] = &[
    f("input_cost", Keep(Money)),
    f("cache_read_cost", Keep(Money)),
    f("cache_creation_cost", Keep(Money)),
    f("output_cost", Keep(Money)),
    f("reasoning_cost", Keep(Money)),
    f("total_cost", Keep(Money)),
    f("tool_usage_cost", Keep(Money)),
    f("guardrail_cost", Keep(Money)),
    f("original_cost", Keep(Money)),
    f("discount_percent", Keep(Number)),
    f("discount_amount", Keep(Money)),
    f("margin_percent", Keep(Number)),
    f("margin_fixed_amount", Keep(Money)),
    f("margin_total_amount", Keep(Money)),
    f("additional_costs", Drop(Why::Noise)),
    f("service_tier", Keep(Word)),
    f("data_residency", Keep(Word)),
    f("vertex_location", Keep(Word)),
];

static ERROR: &[Field] = &[
    f("error_class", Home("error.type")),
    f("error_code", Home("error.code")),
    f("error_message", Drop(Why::ErrorText)),
    f("traceback", Hash("error.stack_fingerprint", Why::ErrorText)),
    f("llm_provider", Same("custom_llm_provider")),
    f("normalized_error", Keep(Word)),
    f("error_provider_request_id", Keep(Word)),
    f("error_rate_limit_category", Keep(Word)),
    f("error_rate_limit_type", Keep(Word)),
    f("error_budget_entity_type", Keep(Word)),
    f("error_budget_entity_id", Keep(Text)),
    f("error_budget_limit", Keep(Money)),
    f("error_budget_spend", Keep(Money)),
    f("error_cooldown_deployments", Drop(Why::Noise)),
];

static HIDDEN: &[Field] = &[
    f("model_id", Same("model_id")),
    f("cache_key", Drop(Why::UnkeyedHash)),
    f("api_base", Keep(Url)),
    f("response_cost", Same("response_cost")),
    f("litellm_overhead_time_ms", Keep(Number)),
    f("litellm_model_name", Same("model")),
    f("upstream_provider", Keep(Word)),
    f("usage_object", Same("metadata.usage_object")),
    f("batch_models", Keep(Words)),
    f("batch_successful_requests", Keep(Number)),
    f("batch_failed_requests", Keep(Number)),
    f("additional_headers", Drop(Why::Headers)),
];

static METADATA: &[Field] = &[
    f("user_api_key_hash", Home("actor.api_key_hash")),
    f("user_api_key_alias", Keep(Text)),
    f("user_api_key_spend", Keep(Money)),
    f("user_api_key_max_budget", Keep(Money)),
    f("user_api_key_budget_reset_at", Keep(Text)),
    f("user_api_key_user_spend", Keep(Money)),
    f("user_api_key_user_max_budget", Keep(Money)),
    f("user_api_key_team_spend", Keep(Money)),
    f("user_api_key_team_max_budget", Keep(Money)),
    f("user_api_key_org_id", Home("targets[].id")),
    f("user_api_key_org_alias", Home("targets[].name")),
    f("user_api_key_team_id", Home("targets[].id")),
    f("user_api_key_team_alias", Home("targets[].name")),
    f("user_api_key_project_id", Home("project, targets[].id")),
    f("user_api_key_project_alias", Home("targets[].name")),
    f("user_api_key_user_id", Home("actor.id")),
    f("user_api_key_user_email", Home("actor.email")),
    f("user_api_key_end_user_id", Same("end_user")),
    f("user_api_key_request_route", Keep(Text)),
    f("user_api_key_auth_metadata", Drop(Why::ClientMetadata)),
    f("spend_logs_metadata", Drop(Why::ClientMetadata)),
    f("requester_ip_address", Same("requester_ip_address")),
    f("user_agent", Same("user_agent")),
    f("requester_metadata", Home("actor.session_id")),
    f("requester_custom_headers", Drop(Why::Headers)),
    f(
        "prompt_management_metadata",
        Block(&[
            f("prompt_id", Keep(Text)),
            f("prompt_integration", Keep(Word)),
            f("prompt_variables", Drop(Why::Prompt)),
        ]),
    ),
    f("mcp_tool_call_metadata", Block(MCP)),
    f("vector_store_request_metadata", List(VECTOR_STORE)),
    f("routing_decision", Drop(Why::Noise)),
    f("applied_guardrails", Keep(Words)),
    f("usage_object", Block(USAGE)),
    f("cold_storage_object_key", Keep(Text)),
    f("team_id", Same("metadata.user_api_key_team_id")),
    f("team_alias", Same("metadata.user_api_key_team_alias")),
    f("used_client_oauth_token", Keep(Bool)),
];

static USAGE: &[Field] = &[
    f("prompt_tokens", Same("prompt_tokens")),
    f("completion_tokens", Same("completion_tokens")),
    f("total_tokens", Same("total_tokens")),
    f("cost", Same("response_cost")),
    f("cache_creation_input_tokens", Keep(Number)),
    f("cache_read_input_tokens", Home("llm.tokens_cached")),
    f(
        "prompt_tokens_details",
        Block(&[
            f("cached_tokens", Home("llm.tokens_cached")),
            f("cache_creation_tokens", Keep(Number)),
            f("audio_tokens", Keep(Number)),
            f("text_tokens", Keep(Number)),
            f("image_tokens", Keep(Number)),
            f("video_tokens", Keep(Number)),
        ]),
    ),
    f(
        "completion_tokens_details",
        Block(&[
            f("reasoning_tokens", Home("llm.tokens_reasoning")),
            f("accepted_prediction_tokens", Keep(Number)),
            f("rejected_prediction_tokens", Keep(Number)),
            f("audio_tokens", Keep(Number)),
            f("text_tokens", Keep(Number)),
            f("image_tokens", Keep(Number)),
            f("video_tokens", Keep(Number)),
        ]),
    ),
];

static MCP: &[Field] = &[
    f("name", Home("tool.name")),
    f("arguments", Hash("tool.arguments_fingerprint", Why::ToolText)),
    f("result", Hash("tool.result_fingerprint", Why::ToolText)),
    f("mcp_server_name", Home("tool.server")),
    f("namespaced_tool_name", Keep(Word)),
    f("mcp_session_id", Keep(Word)),
    f("mcp_auth_mode", Keep(Word)),
    f("mcp_server_logo_url", Drop(Why::Noise)),
    f("mcp_server_cost_info", Drop(Why::Noise)),
];

static VECTOR_STORE: &[Field] = &[
    f("vector_store_id", Home("llm.documents[].source")),
    f("custom_llm_provider", Keep(Word)),
    f("query", Drop(Why::RetrievalText)),
    f("start_time", Keep(Number)),
    f("end_time", Keep(Number)),
    f(
        "vector_store_search_response",
        Block(&[
            f("object", Drop(Why::Noise)),
            f("search_query", Drop(Why::RetrievalText)),
            f(
                "data",
                List(&[
                    f("file_id", Home("llm.documents[].id")),
                    f("filename", Home("llm.documents[].name")),
                    f("score", Home("llm.documents[].score")),
                    f("content", Drop(Why::RetrievalText)),
                    f("attributes", Drop(Why::RetrievalText)),
                ]),
            ),
        ]),
    ),
];

static GUARDRAIL: &[Field] = &[
    f("guardrail_name", Home("llm.guardrails[].name")),
    f("guardrail_provider", Home("llm.guardrails[].provider")),
    f("guardrail_mode", Home("llm.guardrails[].mode")),
    f("guardrail_status", Home("llm.guardrails[].verdict")),
    f("guardrail_action", Home("llm.guardrails[].action")),
    f("policy_template", Home("llm.guardrails[].rule")),
    f("confidence_score", Home("llm.guardrails[].score")),
    f("violation_categories", Home("llm.guardrails[].categories[]")),
    f("guardrail_request", Drop(Why::GuardrailText)),
    f("guardrail_response", Drop(Why::GuardrailText)),
    f("match_details", Drop(Why::GuardrailText)),
    f("classification", Drop(Why::GuardrailText)),
    f("alert_recipients", Drop(Why::GuardrailText)),
    f("guardrail_id", Keep(Word)),
    f("detection_method", Keep(Word)),
    f("risk_score", Keep(Number)),
    f("patterns_checked", Keep(Number)),
    f("masked_entity_count", Keep(Counts)),
    f("start_time", Keep(Number)),
    f("end_time", Keep(Number)),
    f("duration", Keep(Number)),
    f("guardrail_cost", Keep(Money)),
    f("guardrail_usage", Keep(Counts)),
];

/// `model_parameters`, into `llm.parameters`.
pub(super) static PARAMETERS: &[Field] = &[
    f("temperature", Keep(Number)),
    f("top_p", Keep(Number)),
    f("top_k", Keep(Number)),
    f("min_p", Keep(Number)),
    f("max_tokens", Keep(Number)),
    f("max_completion_tokens", Keep(Number)),
    f("max_output_tokens", Keep(Number)),
    f("n", Keep(Number)),
    f("seed", Keep(Number)),
    f("presence_penalty", Keep(Number)),
    f("frequency_penalty", Keep(Number)),
    f("repetition_penalty", Keep(Number)),
    f("logprobs", Keep(Bool)),
    f("top_logprobs", Keep(Number)),
    f("parallel_tool_calls", Keep(Bool)),
    f("max_tool_calls", Keep(Number)),
    f("timeout", Keep(Number)),
    f("max_retries", Keep(Number)),
    f("dimensions", Keep(Number)),
    f("store", Keep(Bool)),
    f("background", Keep(Bool)),
    f("reasoning_effort", Keep(Word)),
    f("verbosity", Keep(Word)),
    f("service_tier", Keep(Word)),
    f("truncation", Keep(Word)),
    f("encoding_format", Keep(Word)),
    f("size", Keep(Word)),
    f("quality", Keep(Word)),
    f("style", Keep(Word)),
    f("voice", Keep(Word)),
    f("tool_choice", Keep(Word)),
    f("modalities", Keep(Words)),
    f("stream", Home("llm.stream")),
    f("stream_options", Block(&[f("include_usage", Keep(Bool))])),
    // The rest of it is a schema, which can describe what is asked for.
    f("response_format", Block(&[f("type", Keep(Word)), f("json_schema", Drop(Why::Parameter))])),
    f("user", Same("end_user")),
    // Their names: `attributes.litellm.tools_declared`.
    f("tools", Drop(Why::ToolText)),
    f("functions", Drop(Why::ToolText)),
    f("function_call", Drop(Why::Parameter)),
    f("stop", Drop(Why::Parameter)),
    f("logit_bias", Drop(Why::Parameter)),
    f("prediction", Drop(Why::Prompt)),
    f("instructions", Drop(Why::Prompt)),
    f("metadata", Drop(Why::ClientMetadata)),
    f("extra_headers", Drop(Why::Headers)),
    f("extra_body", Drop(Why::Parameter)),
];

/// What is kept of an object under LiteLLM's own names. Fields with a home are left alone.
pub(super) fn keep(
    table: &[Field],
    members: &Object<'_>,
    path: &str,
    redactions: &mut Redactions,
) -> Object<'static> {
    let mut kept = Object::new();
    for (name, value) in members.iter() {
        if is_nothing(value) {
            continue;
        }
        let path = join(path, name);
        let Some(field) = table.iter().find(|field| field.name == name) else {
            redactions.dropped(&path, Why::UnknownField, value);
            continue;
        };
        match &field.rule {
            Home(_) | Hash(..) | Same(_) => {}
            Drop(why) => redactions.dropped(&path, *why, value),
            Keep(form) => {
                if let Some(value) = in_form(*form, value, &path, redactions) {
                    kept.insert(field.name, value);
                }
            }
            Block(table) | Flat(table) => {
                let Value::Object(members) = value else {
                    redactions.dropped(&path, Why::WrongType, value);
                    continue;
                };
                let inner = keep(table, members, &path, redactions);
                if matches!(field.rule, Flat(_)) {
                    // Names at the top come first: they are what LiteLLM documents.
                    for (name, value) in inner {
                        if kept.get(&name).is_none() {
                            kept.insert(name, value);
                        }
                    }
                } else if !inner.is_empty() {
                    kept.insert(field.name, inner);
                }
            }
            List(table) => {
                let inner: Vec<Value<'static>> = blocks(value, &path, redactions)
                    .into_iter()
                    .map(|(path, members)| keep(table, members, &path, redactions))
                    .filter(|inner| !inner.is_empty())
                    .map(Value::Object)
                    .collect();
                if !inner.is_empty() {
                    kept.insert(field.name, inner);
                }
            }
        }
    }
    kept
}

/// The objects of a list, or the one object that older versions sent in its place, with their paths.
pub(super) fn blocks<'v, 'a>(
    value: &'v Value<'a>,
    path: &str,
    redactions: &mut Redactions,
) -> Vec<(String, &'v Object<'a>)> {
    match value {
        Value::Object(members) => vec![(path.to_owned(), members)],
        Value::Array(items) => {
            let mut found = Vec::new();
            for (at, item) in items.iter().enumerate() {
                let path = format!("{path}/{at}");
                match item {
                    Value::Object(members) if at < ITEMS_MAX => found.push((path, members)),
                    Value::Object(_) => redactions.dropped(&path, Why::TooLarge, item),
                    _ => redactions.dropped(&path, Why::WrongType, item),
                }
            }
            found
        }
        _ => {
            redactions.dropped(path, Why::WrongType, value);
            Vec::new()
        }
    }
}

fn in_form(form: Form, value: &Value<'_>, path: &str, redactions: &mut Redactions) -> Option<Value<'static>> {
    let kept = match (form, value) {
        (Bool, Value::Bool(b)) => Ok(Value::Bool(*b)),
        (Number, Value::Number(n)) => Ok(Value::Number(*n)),
        (Money, Value::Number(n)) => Ok(Value::from(money(n.as_f64()))),
        (Text, Value::String(text)) => short_text(text, 256).map(Value::from),
        (Word, Value::String(text)) if is_word(text) => Ok(Value::from(text.clone().into_owned())),
        (Word, Value::String(_)) => Err(Why::BadValue),
        (Url, Value::String(text)) => match bare_url(text) {
            Some((bare, masked)) => short_text(&bare, 256).map(|bare| {
                if masked {
                    redactions.note(path, Why::Secret, Done::Masked, value);
                }
                Value::from(bare)
            }),
            None => Err(Why::BadValue),
        },
        (Words | Tags, Value::Array(items)) => {
            return some(list(form, items, path, redactions)).map(Value::Array);
        }
        (Counts, Value::Object(members)) => {
            let mut counts = Object::new();
            for (at, (name, count)) in members.iter().filter(|(_, count)| !is_nothing(count)).enumerate() {
                match count {
                    Value::Number(n) if is_word(name) && at < ITEMS_MAX => {
                        counts.insert(name.to_owned(), *n);
                    }
                    Value::Number(_) => redactions.dropped(&join(path, name), Why::BadValue, count),
                    _ => redactions.dropped(&join(path, name), Why::WrongType, count),
                }
            }
            return (!counts.is_empty()).then_some(Value::Object(counts));
        }
        _ => Err(Why::WrongType),
    };
    kept.map_err(|why| redactions.dropped(path, why, value)).ok()
}

fn list(form: Form, items: &[Value<'_>], path: &str, redactions: &mut Redactions) -> Vec<Value<'static>> {
    let mut kept = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let why = match item {
            // LiteLLM adds the user agent, whole and in part, to the client's tags.
            Value::String(tag) if matches!(form, Tags) && tag.starts_with("User-Agent: ") => continue,
            Value::String(_) if kept.len() == ITEMS_MAX => Why::TooLarge,
            Value::String(text) if matches!(form, Tags) => match short_text(text, 128) {
                Ok(tag) => {
                    kept.push(Value::from(tag));
                    continue;
                }
                Err(why) => why,
            },
            Value::String(text) if is_word(text) => {
                kept.push(Value::from(text.clone().into_owned()));
                continue;
            }
            Value::String(_) => Why::BadValue,
            _ => Why::WrongType,
        };
        redactions.dropped(&format!("{path}/{at}"), why, item);
    }
    kept
}

fn some<T>(items: Vec<T>) -> Option<Vec<T>> {
    (!items.is_empty()).then_some(items)
}

/// What is done with each field, as a table in Markdown.
pub fn field_table() -> String {
    fn rows(table: &[Field], path: &str, out: &mut String) {
        for field in table {
            let path = format!("{path}{}", field.name);
            let mut row = |what: String| *out += &format!("| `{path}` | {what} |\n");
            match &field.rule {
                Home(ours) => row(format!("`{}`", ours.replace(", ", "`, `"))),
                Hash(ours, why) => row(format!("`{ours}`; rule `litellm.{}`", why.name())),
                Keep(form) => row(format!("kept: {}", form.name())),
                Same(other) => row(format!("said by `{other}`")),
                Drop(why) => row(format!("dropped: rule `litellm.{}`", why.name())),
                Block(table) => rows(table, &format!("{path}."), out),
                Flat(table) => rows(table, &format!("{path}."), out),
                List(table) => rows(table, &format!("{path}[]."), out),
            }
        }
    }
    let mut out = "| LiteLLM's field | ours |\n|---|---|\n".to_owned();
    rows(PAYLOAD, "", &mut out);
    rows(PARAMETERS, "model_parameters.", &mut out);
    out
}

/// The event's fields that calls fill, and what with.
pub fn homes() -> Vec<(String, String)> {
    fn walk(table: &[Field], path: &str, out: &mut Vec<(String, String)>) {
        for field in table {
            let path = format!("{path}{}", field.name);
            match &field.rule {
                Home(ours) | Hash(ours, _) => {
                    out.extend(ours.split(", ").map(|ours| (ours.to_owned(), format!("`{path}`"))));
                }
                Block(table) | Flat(table) => walk(table, &format!("{path}."), out),
                List(table) => walk(table, &format!("{path}[]."), out),
                Keep(_) => out
                    .push(("attributes.litellm".to_owned(), "what is kept under LiteLLM's names".to_owned())),
                Same(_) | Drop(_) => {}
            }
        }
    }
    let mut out = vec![("type".to_owned(), "`call_type`".to_owned())];
    walk(PAYLOAD, "", &mut out);
    walk(PARAMETERS, "model_parameters.", &mut out);
    out
}
