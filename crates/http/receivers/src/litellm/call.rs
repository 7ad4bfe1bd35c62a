//! A call that went through LiteLLM (`StandardLoggingPayload`), as our events.

use std::net::{IpAddr, SocketAddr};

use event::{Code, Event, Object, Refusal, Value};

use super::{fields, wire};
use crate::kept::{
    self, Fingerprint, ITEMS_MAX, hashed_key, is_nothing, is_word, milliseconds, money, money_18, put,
    put_block, short_text,
};
use crate::redactions::{Done, Redactions, Why};

pub(super) fn map(
    item: &Value<'_>,
    producer: &str,
    fingerprint: &Fingerprint<'_>,
) -> Result<Vec<Event<'static>>, Refusal> {
    let mut reading = Reading { item, fingerprint, redactions: Redactions::of("litellm") };
    let call = reading.call()?;
    let members = item.as_object().expect("the caller looked");
    let kept = fields::keep(fields::PAYLOAD, members, "", &mut reading.redactions);
    let guardrails = reading.guardrails();

    let mut shared = Object::new();
    put(&mut shared, "producer", Some(producer.to_owned()));
    put(&mut shared, "time", reading.time()?);
    put(&mut shared, "request_id", Some(call.id.clone()));
    put(&mut shared, "trace_id", reading.id("/trace_id"));
    put(&mut shared, "project", reading.id("/metadata/user_api_key_project_id"));
    put_block(&mut shared, "actor", reading.actor(call.refused_key));
    put(&mut shared, "targets", reading.targets());

    let mut main = shared.clone();
    put(&mut main, "type", Some(call.kind()));
    put(&mut main, "status", Some(call.outcome().to_owned()));
    put(&mut main, "source_id", Some(format!("{}:{}", call.id, call.status)));
    let mut llm = reading.llm();
    put(&mut llm, "operation", operation_of(call.call_type()));
    let mut shared_llm = Object::new();
    for name in ["provider", "model", "requested_model"] {
        put(&mut shared_llm, name, llm.get(name).cloned());
    }
    put(&mut llm, "guardrails", guardrails.clone());
    put_block(&mut main, "llm", llm);
    put_block(&mut main, "tool", reading.tool(&call));
    put_block(&mut main, "error", reading.error());
    let mut attributes = kept;
    put(&mut attributes, "tools_declared", reading.declared_tools());
    put(&mut attributes, "response_cost", reading.unrounded_cost());
    put_attributes(&mut main, attributes);
    // Last: until here something may have been left out.
    put(&mut main, "redactions", reading.redactions.to_value(""));
    let mut events = vec![kept::event(main)?];

    if let Some(verdict) = reading.verdict(&call) {
        let mut guardrail = shared;
        put(&mut guardrail, "type", Some(verdict.kind));
        put(&mut guardrail, "status", Some(verdict.status));
        put(&mut guardrail, "source_id", Some(format!("{}:{}:guardrail", call.id, call.status)));
        put(&mut shared_llm, "guardrails", guardrails);
        put_block(&mut guardrail, "llm", shared_llm);
        let mut attributes = Object::new();
        put(&mut attributes, "call_type", call.call_type.clone().filter(|word| is_word(word)));
        let said = events[0].tree().get("attributes").and_then(|a| a.get("litellm"));
        for name in ["guardrail_information", "applied_guardrails", "status_fields"] {
            put(&mut attributes, name, said.and_then(|said| said.get(name)).cloned());
        }
        put_attributes(&mut guardrail, attributes);
        put(&mut guardrail, "redactions", reading.redactions.to_value("/guardrail_information"));
        events.push(kept::event(guardrail)?);
    }
    Ok(events)
}

fn put_attributes(event: &mut Object<'static>, attributes: Object<'static>) {
    if !attributes.is_empty() {
        let mut litellm = Object::new();
        litellm.insert("litellm", attributes);
        event.insert("attributes", litellm);
    }
}

/// What must be there for anything to be said about a call.
struct Call {
    id: String,
    status: String,
    call_type: Option<String>,
    /// The proxy refused the caller before any model was asked.
    refused_key: bool,
    /// What the guardrails said together, in LiteLLM's word.
    guardrail_status: Option<String>,
}

struct Verdict {
    kind: &'static str,
    status: &'static str,
}

/// LiteLLM's words for what was called, without the `a` of the asynchronous ones.
pub(super) const CALL_TYPES: &[(&str, &str)] = &[
    ("completion", "llm.completion"),
    ("text_completion", "llm.completion"),
    ("anthropic_messages", "llm.completion"),
    ("generate_content", "llm.completion"),
    ("generate_content_stream", "llm.completion"),
    ("responses", "llm.response"),
    ("embedding", "llm.embedding"),
    ("image_generation", "llm.image"),
    ("image_edit", "llm.image"),
    ("image_variation", "llm.image"),
    ("moderation", "llm.moderation"),
    ("transcription", "llm.transcription"),
    ("speech", "llm.speech"),
    ("rerank", "llm.rerank"),
    ("ocr", "llm.ocr"),
    ("search", "llm.search"),
    ("create_video", "llm.video"),
    ("create_batch", "llm.batch"),
    ("retrieve_batch", "llm.batch"),
    ("create_file", "llm.file"),
    ("file_content", "llm.file"),
    ("create_fine_tuning_job", "llm.fine_tune"),
    ("realtime", "llm.realtime"),
    ("_realtime", "llm.realtime"),
    ("_arealtime", "llm.realtime"),
    ("pass_through_endpoint", "llm.passthrough"),
    ("llm_passthrough_route", "llm.passthrough"),
    ("count_tokens", "llm.count_tokens"),
    ("call_mcp_tool", "tool.call"),
    ("list_mcp_tools", "mcp.list"),
    ("vector_store_search", "rag.retrieval"),
    ("send_message", "agent.message"),
];

/// A call type as the table has it.
fn base(call_type: &str) -> &str {
    let known = |word: &str| CALL_TYPES.iter().any(|(theirs, _)| *theirs == word);
    match call_type.strip_prefix('a') {
        Some(stripped) if !known(call_type) && known(stripped) => stripped,
        _ => call_type,
    }
}

/// The kind of event that a call of a type is.
pub(crate) fn kind_of(call_type: &str) -> String {
    let base = base(call_type);
    if let Some((_, kind)) = CALL_TYPES.iter().find(|(theirs, _)| *theirs == base) {
        return (*kind).to_owned();
    }
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    match base {
        "" => "llm.request".to_owned(),
        base if base.len() <= 60 && base.bytes().all(plain) => format!("llm.{base}"),
        _ => "llm.request".to_owned(),
    }
}

/// OpenTelemetry's word for a call type, if it has one.
pub(crate) fn operation_of(call_type: &str) -> Option<&'static str> {
    match base(call_type) {
        "text_completion" => Some("text_completion"),
        "generate_content" | "generate_content_stream" => Some("generate_content"),
        "completion" | "anthropic_messages" | "responses" => Some("chat"),
        "embedding" => Some("embeddings"),
        "call_mcp_tool" => Some("execute_tool"),
        _ => None,
    }
}

impl Call {
    fn call_type(&self) -> &str {
        self.call_type.as_deref().unwrap_or("")
    }

    fn kind(&self) -> String {
        match self.refused_key {
            true => "auth.failed_attempt".to_owned(),
            false => kind_of(self.call_type()),
        }
    }

    fn outcome(&self) -> &str {
        match self.status.as_str() {
            "failure" if self.guardrail_status.as_deref() == Some("guardrail_intervened") => "blocked",
            "failure" => "failed",
            status => status,
        }
    }
}

struct Reading<'r, 'a> {
    item: &'r Value<'a>,
    fingerprint: &'r Fingerprint<'r>,
    redactions: Redactions,
}

impl<'r, 'a> Reading<'r, 'a> {
    fn call(&mut self) -> Result<Call, Refusal> {
        // Older versions have neither or only the one; a provider's id is then better than none.
        let id_at = ["/litellm_call_id", "/call_id", "/id"].into_iter().find(|at| self.at(at).is_some());
        let Some(id_at) = id_at else {
            return Err(Refusal::new(Code::Missing, "/litellm_call_id", "a call has an id"));
        };
        let id = self.required(id_at, |text| {
            text.chars().count() <= 200 && !text.trim().is_empty() && !text.chars().any(char::is_control)
        })?;
        let status = self.required("/status", |text| {
            text.len() <= 32 && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        })?;
        let call_type = match self.at("/call_type") {
            None => None,
            Some(_) => Some(self.required("/call_type", |_| true)?),
        };
        let said = |at: &str| self.at(at).and_then(Value::as_str);
        let is_proxys = said("/error_information/error_class") == Some("ProxyException");
        let refused_key = status == "failure"
            && is_proxys
            && match said("/error_information/error_code") {
                Some("401" | "403") => true,
                // A proxy without a database knows no key but the master key, and says this about every other.
                Some("400") => ["/error_information/error_message", "/error_str"]
                    .iter()
                    .any(|at| said(at).is_some_and(|text| text.trim() == "No connected db.")),
                _ => false,
            };
        Ok(Call { id, status, call_type, refused_key, guardrail_status: self.guardrail_status() })
    }

    /// What the guardrails said together: what LiteLLM says they did, else the gravest of what each said.
    fn guardrail_status(&self) -> Option<String> {
        if let Some(status) = self.at("/status_fields/guardrail_status").and_then(Value::as_str) {
            return Some(status.to_owned());
        }
        let each = match self.at("/guardrail_information")? {
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        let said = |word: &str| {
            each.iter().any(|each| each.get("guardrail_status").and_then(Value::as_str) == Some(word))
        };
        ["guardrail_intervened", "guardrail_flagged", "guardrail_failed_to_respond"]
            .into_iter()
            .find(|word| said(word))
            .map(str::to_owned)
    }

    fn verdict(&self, call: &Call) -> Option<Verdict> {
        match call.guardrail_status.as_deref()? {
            "guardrail_intervened" => Some(Verdict { kind: "guardrail.block", status: "blocked" }),
            "guardrail_flagged" => Some(Verdict { kind: "guardrail.flag", status: "success" }),
            "guardrail_failed_to_respond" => Some(Verdict { kind: "guardrail.error", status: "error" }),
            _ => None,
        }
    }

    fn time(&self) -> Result<Option<String>, Refusal> {
        for at in ["/endTime", "/startTime"] {
            match self.at(at) {
                None => {}
                Some(Value::Number(seconds)) => {
                    let read = wire::time_from_seconds(seconds.as_f64());
                    return read.map(Some).map_err(|reason| Refusal::new(Code::BadValue, at, reason));
                }
                Some(other) => {
                    let reason = format!("expected seconds since 1970, found {}", other.type_name());
                    return Err(Refusal::new(Code::WrongType, at, reason));
                }
            }
        }
        Ok(None)
    }

    fn actor(&mut self, refused_key: bool) -> Object<'static> {
        let mut actor = Object::new();
        let user = self.id("/metadata/user_api_key_user_id");
        let key = self.api_key();
        let kind = match (&user, &key) {
            (Some(_), _) => "user",
            (None, Some(_)) if !refused_key => "api_key",
            _ => "anonymous",
        };
        put(&mut actor, "type", Some(kind));
        put(&mut actor, "id", user);
        put(&mut actor, "email", self.id("/metadata/user_api_key_user_email"));
        put(&mut actor, "api_key_hash", key);
        put(&mut actor, "ip", self.ip());
        let user_agent = self.first(&["/user_agent", "/metadata/user_agent"]);
        put(&mut actor, "user_agent", user_agent.and_then(|at| self.text(at, 1024)));
        put(&mut actor, "session_id", self.session());
        if let Some(at) = self.first(&["/end_user", "/metadata/user_api_key_end_user_id"])
            && let Some(id) = self.id(at)
        {
            let mut end_user = Object::new();
            end_user.insert("type", "end_user");
            end_user.insert("id", id);
            actor.insert("on_behalf_of", vec![Value::Object(end_user)]);
        }
        actor
    }

    /// LiteLLM's hash of the key, or its name for the master key. Anything else could be a key.
    fn api_key(&mut self) -> Option<String> {
        let at = "/metadata/user_api_key_hash";
        let text = self.text(at, usize::MAX)?;
        Some(hashed_key(&text).unwrap_or_else(|| {
            self.redactions.note_size(at, Why::Secret, Done::Hashed, text.len());
            (self.fingerprint)(text.as_bytes())
        }))
    }

    fn ip(&mut self) -> Option<String> {
        let at = self.first(&["/requester_ip_address", "/metadata/requester_ip_address"])?;
        let text = self.text(at, 64)?;
        let ip = text.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()));
        match ip {
            Ok(ip) => Some(ip.to_string()),
            Err(_) => {
                self.drop(at, Why::BadValue);
                None
            }
        }
    }

    /// The client's own word for its session; the rest of what it attached is dropped.
    fn session(&mut self) -> Option<String> {
        const METADATA: &str = "/metadata/requester_metadata";
        let said = self.first(&["/metadata/requester_metadata/session_id", "/session_id"]);
        let session = said.and_then(|at| self.id(at));
        match self.at(METADATA) {
            Some(Value::Object(members)) => {
                // The first is a copy of the request's, without `Authorization`; of the others, these are said elsewhere.
                const ELSEWHERE: [&str; 4] = ["session_id", "trace_id", "tags", "used_client_oauth_token"];
                let mut rest = members.clone();
                if let Some(headers) = rest.remove("headers") {
                    let path = format!("{METADATA}/headers");
                    self.redactions.dropped(&path, Why::Headers, &headers);
                }
                rest.retain(|name, value| !is_nothing(value) && !ELSEWHERE.contains(&name));
                self.redactions.dropped(METADATA, Why::ClientMetadata, &Value::Object(rest));
            }
            Some(other) => self.redactions.dropped(METADATA, Why::WrongType, other),
            None => {}
        }
        session
    }

    fn targets(&mut self) -> Option<Vec<Value<'static>>> {
        let mut targets = Vec::new();
        for (kind, id, name) in [
            (
                "team",
                ["/metadata/user_api_key_team_id", "/metadata/team_id"].as_slice(),
                ["/metadata/user_api_key_team_alias", "/metadata/team_alias"].as_slice(),
            ),
            ("organisation", &["/metadata/user_api_key_org_id"], &["/metadata/user_api_key_org_alias"]),
            ("project", &["/metadata/user_api_key_project_id"], &["/metadata/user_api_key_project_alias"]),
        ] {
            let id = self.first(id).and_then(|at| self.id(at));
            let name = self.first(name).and_then(|at| self.text(at, 256));
            if id.is_some() || name.is_some() {
                let mut target = Object::new();
                target.insert("type", kind);
                put(&mut target, "id", id);
                put(&mut target, "name", name);
                targets.push(Value::Object(target));
            }
        }
        (!targets.is_empty()).then_some(targets)
    }

    fn llm(&mut self) -> Object<'static> {
        let mut llm = Object::new();
        put(&mut llm, "provider", self.word("/custom_llm_provider"));
        put(&mut llm, "model", self.id("/model"));
        put(&mut llm, "requested_model", self.id("/model_group"));
        put(&mut llm, "tokens_input", self.count("/prompt_tokens"));
        put(&mut llm, "tokens_output", self.count("/completion_tokens"));
        put(&mut llm, "tokens_total", self.count("/total_tokens"));
        let cached = self.first(&[
            "/metadata/usage_object/prompt_tokens_details/cached_tokens",
            "/metadata/usage_object/cache_read_input_tokens",
        ]);
        put(&mut llm, "tokens_cached", cached.and_then(|at| self.count(at)));
        let reasoning = "/metadata/usage_object/completion_tokens_details/reasoning_tokens";
        put(&mut llm, "tokens_reasoning", self.count(reasoning));
        put(&mut llm, "cost", self.number("/response_cost").map(money_18));

        let (start, end) = (self.number("/startTime"), self.number("/endTime"));
        let first = self.number("/completionStartTime");
        let between = |from: Option<f64>, to: Option<f64>| match (from, to) {
            (Some(from), Some(to)) if to >= from => Value::number(milliseconds(to - from)),
            _ => None,
        };
        // Of a streamed answer, `response_time` ends with the first token.
        let response_time = self.number("/response_time");
        let latency = between(start, end)
            .or_else(|| response_time.and_then(|seconds| Value::number(milliseconds(seconds))));
        put(&mut llm, "latency_ms", latency);
        let stream = self.first(&["/stream", "/model_parameters/stream"]);
        let stream = stream.and_then(|at| self.bool(at));
        if stream == Some(true) {
            put(&mut llm, "time_to_first_token_ms", between(start, first));
        }
        put(&mut llm, "stream", stream);
        put(&mut llm, "cache_hit", self.bool("/cache_hit"));
        // Of a call that failed, LiteLLM says its own id here.
        if self.at("/id") != self.at("/litellm_call_id") {
            put(&mut llm, "response_id", self.id("/id"));
        }

        let messages = self.hash("/messages", self.at("/messages"), Why::Prompt);
        put(&mut llm, "prompt_fingerprint", messages);
        // What was answered, without the ids and times that make equal answers unequal.
        let answer = ["/response/choices", "/response/output", "/response"].iter().find_map(|at| self.at(at));
        let answer = self.hash("/response", answer, Why::Response);
        put(&mut llm, "response_fingerprint", answer);
        put(&mut llm, "finish_reasons", self.finish_reasons());
        put(&mut llm, "tools", self.called_tools());
        put(&mut llm, "documents", self.documents());
        match self.at("/model_parameters") {
            Some(Value::Object(members)) => {
                let table = fields::PARAMETERS;
                let kept = fields::keep(table, members, "/model_parameters", &mut self.redactions);
                put_block(&mut llm, "parameters", kept);
            }
            Some(_) => self.drop("/model_parameters", Why::WrongType),
            None => {}
        }
        llm
    }

    /// What `llm.cost` has no room for.
    fn unrounded_cost(&mut self) -> Option<String> {
        let cost = self.number("/response_cost")?;
        let exact = money(cost);
        (exact != money_18(cost)).then_some(exact)
    }

    fn choices(&self) -> &'r [Value<'a>] {
        self.at("/response/choices").and_then(Value::as_array).unwrap_or_default()
    }

    fn finish_reasons(&self) -> Option<Vec<Value<'static>>> {
        let reasons =
            self.choices().iter().take(ITEMS_MAX).filter_map(|choice| word_at(choice, "/finish_reason"));
        some(reasons.map(Value::from).collect())
    }

    /// Names and ids of the tools that the answer wants called. The rest of the answer is only hashed.
    fn called_tools(&self) -> Option<Vec<Value<'static>>> {
        let tool = |name: Option<String>, id: Option<String>| {
            let mut tool = Object::new();
            tool.insert("name", name?);
            put(&mut tool, "id", id);
            Some(Value::Object(tool))
        };
        let mut tools = Vec::new();
        for choice in self.choices() {
            let calls = choice.pointer("/message/tool_calls").and_then(Value::as_array).unwrap_or_default();
            tools.extend(calls.iter().filter_map(|c| tool(word_at(c, "/function/name"), word_at(c, "/id"))));
            if let Some(legacy) = choice.pointer("/message/function_call") {
                tools.extend(tool(word_at(legacy, "/name"), None));
            }
        }
        // The Responses API.
        let output = self.at("/response/output").and_then(Value::as_array).unwrap_or_default();
        let calls =
            output.iter().filter(|out| out.get("type").and_then(Value::as_str) == Some("function_call"));
        tools.extend(calls.filter_map(|c| tool(word_at(c, "/name"), word_at(c, "/call_id"))));
        tools.truncate(ITEMS_MAX);
        some(tools)
    }

    fn declared_tools(&self) -> Option<Vec<Value<'static>>> {
        let declared = ["/model_parameters/tools", "/model_parameters/functions"];
        let declared = declared.iter().filter_map(|at| self.at(at)).filter_map(Value::as_array).flatten();
        let name = |tool: &Value<'_>| {
            let named = word_at(tool, "/function/name").or_else(|| word_at(tool, "/name"));
            // A tool of the provider's own has only a type.
            named.or_else(|| word_at(tool, "/type"))
        };
        some(declared.filter_map(name).take(ITEMS_MAX).map(Value::from).collect())
    }

    fn documents(&mut self) -> Option<Vec<Value<'static>>> {
        let stores = self.blocks("/metadata/vector_store_request_metadata");
        let mut documents = Vec::new();
        for store in stores {
            let source = self.id(&format!("{store}/vector_store_id"));
            for found in self.blocks(&format!("{store}/vector_store_search_response/data")) {
                let mut document = Object::new();
                put(&mut document, "id", self.id(&format!("{found}/file_id")));
                put(&mut document, "name", self.text(&format!("{found}/filename"), 256));
                let score = self.number(&format!("{found}/score"));
                put(&mut document, "score", score.and_then(Value::number));
                put(&mut document, "source", source.clone());
                if !document.is_empty() && documents.len() < ITEMS_MAX {
                    documents.push(Value::Object(document));
                }
            }
        }
        some(documents)
    }

    fn guardrails(&mut self) -> Option<Vec<Value<'static>>> {
        let mut guardrails = Vec::new();
        for at in self.blocks("/guardrail_information") {
            let mut guardrail = Object::new();
            put(&mut guardrail, "name", self.id(&format!("{at}/guardrail_name")));
            put(&mut guardrail, "provider", self.word(&format!("{at}/guardrail_provider")));
            put(&mut guardrail, "mode", self.mode(&format!("{at}/guardrail_mode")));
            let verdict = self.word(&format!("{at}/guardrail_status")).map(|said| match said.as_str() {
                "success" => "allow".to_owned(),
                "guardrail_intervened" => "deny".to_owned(),
                "guardrail_flagged" => "warn".to_owned(),
                "guardrail_failed_to_respond" => "error".to_owned(),
                _ => said,
            });
            put(&mut guardrail, "verdict", verdict);
            put(&mut guardrail, "action", self.word(&format!("{at}/guardrail_action")));
            put(&mut guardrail, "rule", self.id(&format!("{at}/policy_template")));
            let score = self.number(&format!("{at}/confidence_score"));
            put(&mut guardrail, "score", score.and_then(Value::number));
            put(&mut guardrail, "categories", self.words(&format!("{at}/violation_categories")));
            if !guardrail.is_empty() {
                guardrails.push(Value::Object(guardrail));
            }
        }
        some(guardrails)
    }

    /// One mode, or several joined.
    fn mode(&mut self, at: &str) -> Option<String> {
        match self.at(at)? {
            Value::Array(_) => {
                let modes = self.words(at)?;
                let modes: Vec<&str> = modes.iter().filter_map(Value::as_str).take(8).collect();
                short_text(&modes.join(","), 256).ok()
            }
            _ => self.word(at),
        }
    }

    fn tool(&mut self, call: &Call) -> Object<'static> {
        let mut tool = Object::new();
        const AT: &str = "/metadata/mcp_tool_call_metadata";
        put(&mut tool, "name", self.id(&format!("{AT}/name")));
        put(&mut tool, "server", self.id(&format!("{AT}/mcp_server_name")));
        for (name, field) in [("arguments_fingerprint", "arguments"), ("result_fingerprint", "result")] {
            let at = format!("{AT}/{field}");
            put(&mut tool, name, self.hash(&at, self.at(&at), Why::ToolText));
        }
        if !tool.is_empty() || base(call.call_type()) == "call_mcp_tool" {
            tool.insert("type", "mcp");
        }
        tool
    }

    fn error(&mut self) -> Object<'static> {
        let mut error = Object::new();
        put(&mut error, "type", self.word("/error_information/error_class"));
        put(&mut error, "code", self.word("/error_information/error_code"));
        let at = "/error_information/traceback";
        put(&mut error, "stack_fingerprint", self.hash(at, self.at(at), Why::ErrorText));
        error
    }

    // The small questions. Each says nothing about what is not there, and notes what is there and not as it should be.

    fn at(&self, pointer: &str) -> Option<&'r Value<'a>> {
        self.item.pointer(pointer).filter(|value| !is_nothing(value))
    }

    fn first<'p>(&self, pointers: &[&'p str]) -> Option<&'p str> {
        pointers.iter().copied().find(|pointer| self.at(pointer).is_some())
    }

    fn drop(&mut self, pointer: &str, why: Why) {
        if let Some(value) = self.at(pointer) {
            self.redactions.dropped(pointer, why, value);
        }
    }

    fn required(&self, pointer: &'static str, is_fine: impl Fn(&str) -> bool) -> Result<String, Refusal> {
        match self.at(pointer) {
            None => Err(Refusal::new(Code::Missing, pointer, "a call says it")),
            Some(Value::String(text)) if is_fine(text) => Ok(text.clone().into_owned()),
            Some(Value::String(_)) => Err(Refusal::new(Code::BadValue, pointer, "not as LiteLLM writes it")),
            Some(other) => {
                let reason = format!("expected a string, found {}", other.type_name());
                Err(Refusal::new(Code::WrongType, pointer, reason))
            }
        }
    }

    fn text(&mut self, pointer: &str, chars: usize) -> Option<String> {
        let kept = match self.at(pointer)? {
            Value::String(text) => short_text(text, chars),
            _ => Err(Why::WrongType),
        };
        kept.map_err(|why| self.drop(pointer, why)).ok()
    }

    fn id(&mut self, pointer: &str) -> Option<String> {
        self.text(pointer, 256)
    }

    fn word(&mut self, pointer: &str) -> Option<String> {
        let text = self.text(pointer, 128)?;
        if !is_word(&text) {
            self.drop(pointer, Why::BadValue);
            return None;
        }
        Some(text)
    }

    fn words(&mut self, pointer: &str) -> Option<Vec<Value<'static>>> {
        let Some(items) = self.at(pointer)?.as_array() else {
            self.drop(pointer, Why::WrongType);
            return None;
        };
        let at = |n: usize| format!("{pointer}/{n}");
        some((0..items.len().min(ITEMS_MAX)).filter_map(|n| self.word(&at(n))).map(Value::from).collect())
    }

    fn number(&mut self, pointer: &str) -> Option<f64> {
        let number = self.at(pointer)?.as_f64();
        if number.is_none() {
            self.drop(pointer, Why::WrongType);
        }
        number
    }

    fn count(&mut self, pointer: &str) -> Option<Value<'static>> {
        let count = self.at(pointer)?.as_i64().filter(|n| *n >= 0).and_then(Value::integer);
        if count.is_none() {
            self.drop(pointer, Why::WrongType);
        }
        count
    }

    fn bool(&mut self, pointer: &str) -> Option<bool> {
        let truth = self.at(pointer)?.as_bool();
        if truth.is_none() {
            self.drop(pointer, Why::WrongType);
        }
        truth
    }

    fn blocks(&mut self, pointer: &str) -> Vec<String> {
        let Some(value) = self.at(pointer) else { return Vec::new() };
        let found = fields::blocks(value, pointer, &mut self.redactions);
        found.into_iter().map(|(path, _)| path).collect()
    }

    fn hash(&mut self, pointer: &str, value: Option<&Value<'_>>, why: Why) -> Option<String> {
        let bytes = value?.to_jcs();
        self.redactions.note_size(pointer, why, Done::Hashed, bytes.len());
        Some((self.fingerprint)(&bytes))
    }
}

fn word_at(value: &Value<'_>, pointer: &str) -> Option<String> {
    value.pointer(pointer).and_then(Value::as_str).filter(|text| is_word(text)).map(str::to_owned)
}

fn some<T>(items: Vec<T>) -> Option<Vec<T>> {
    (!items.is_empty()).then_some(items)
}

#[cfg(test)]
#[test]
fn every_kind_is_in_the_table() {
    for (theirs, kind) in CALL_TYPES {
        assert!(event::kind::Kind::find(kind).is_some(), "{theirs}: {kind}");
    }
}
