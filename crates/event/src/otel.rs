//! Where OpenTelemetry's names live here: the GenAI conventions, what older emitters still send, and a few general names.
//!
//! It is a table and nothing more; units that differ (OpenTelemetry counts durations in seconds) are the receiver's work.

/// How current a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// In the conventions today.
    Current,
    /// Renamed since; emitters pinned to an older version keep sending it.
    Older,
    /// Never in the conventions, but sent.
    Vendor,
}

/// One OpenTelemetry attribute.
#[derive(Debug)]
pub struct Name {
    /// Its name there.
    pub otel: &'static str,
    /// The path here, which [`crate::field::find`] knows.
    pub ours: &'static str,
    /// How current the name is.
    pub age: Age,
}

/// The path here of an OpenTelemetry attribute. Names without a home go to `attributes` under their own name.
pub fn home_of(otel_name: &str) -> Option<&'static str> {
    find(otel_name).map(|name| name.ours)
}

/// The row of an OpenTelemetry attribute.
pub fn find(otel_name: &str) -> Option<&'static Name> {
    NAMES.binary_search_by(|name| name.otel.cmp(otel_name)).ok().map(|at| &NAMES[at])
}

const fn name(otel: &'static str, ours: &'static str) -> Name {
    Name { otel, ours, age: Age::Current }
}

const fn older(otel: &'static str, ours: &'static str) -> Name {
    Name { otel, ours, age: Age::Older }
}

const fn vendor(otel: &'static str, ours: &'static str) -> Name {
    Name { otel, ours, age: Age::Vendor }
}

/// All names that have a home, in order.
pub static NAMES: &[Name] = &[
    vendor("agent.name", "agent.name"),
    vendor("ai.toolCall.id", "tool.call_id"),
    vendor("ai.toolCall.name", "tool.name"),
    name("app.version", "app_version"),
    name("client.address", "actor.ip"),
    older("deployment.environment", "environment"),
    name("deployment.environment.name", "environment"),
    vendor("embedding.model_name", "llm.model"),
    name("enduser.id", "actor.id"),
    name("error.type", "error.type"),
    name("exception.message", "error.message"),
    name("exception.type", "error.type"),
    name("gen_ai.agent.id", "agent.id"),
    name("gen_ai.agent.name", "agent.name"),
    name("gen_ai.agent.version", "agent.version"),
    older("gen_ai.completion", "content.response"),
    name("gen_ai.conversation.id", "actor.session_id"),
    name("gen_ai.data_source.id", "llm.documents[].source"),
    name("gen_ai.guardrail.action.type", "llm.guardrails[].action"),
    name("gen_ai.guardrail.component.name", "llm.guardrails[].name"),
    name("gen_ai.guardrail.policy.id", "llm.guardrails[].rule"),
    name("gen_ai.guardrail.result.type", "llm.guardrails[].verdict"),
    name("gen_ai.guardrail.verdict.type", "llm.guardrails[].verdict"),
    name("gen_ai.input.messages", "content.prompt"),
    name("gen_ai.operation.name", "llm.operation"),
    name("gen_ai.output.messages", "content.response"),
    name("gen_ai.output.type", "llm.parameters.output_type"),
    older("gen_ai.prompt", "content.prompt"),
    name("gen_ai.provider.name", "llm.provider"),
    name("gen_ai.request.choice.count", "llm.parameters.n"),
    name("gen_ai.request.encoding_formats", "llm.parameters.encoding_formats"),
    name("gen_ai.request.frequency_penalty", "llm.parameters.frequency_penalty"),
    name("gen_ai.request.max_tokens", "llm.parameters.max_tokens"),
    name("gen_ai.request.model", "llm.requested_model"),
    name("gen_ai.request.presence_penalty", "llm.parameters.presence_penalty"),
    name("gen_ai.request.seed", "llm.parameters.seed"),
    name("gen_ai.request.stop_sequences", "llm.parameters.stop"),
    name("gen_ai.request.stream", "llm.stream"),
    name("gen_ai.request.temperature", "llm.parameters.temperature"),
    name("gen_ai.request.top_k", "llm.parameters.top_k"),
    name("gen_ai.request.top_p", "llm.parameters.top_p"),
    name("gen_ai.response.finish_reasons", "llm.finish_reasons[]"),
    name("gen_ai.response.id", "llm.response_id"),
    name("gen_ai.response.model", "llm.model"),
    name("gen_ai.response.time_to_first_chunk", "llm.time_to_first_token_ms"),
    name("gen_ai.retrieval.documents", "llm.documents[]"),
    name("gen_ai.retrieval.query.text", "content.input"),
    name("gen_ai.security.policy.id", "llm.guardrails[].rule"),
    name("gen_ai.security.risk.category", "llm.guardrails[].categories[]"),
    name("gen_ai.security.risk.score", "llm.guardrails[].score"),
    older("gen_ai.system", "llm.provider"),
    name("gen_ai.system_instructions", "content.prompt"),
    name("gen_ai.tool.call.arguments", "content.input"),
    name("gen_ai.tool.call.id", "tool.call_id"),
    name("gen_ai.tool.call.result", "content.output"),
    name("gen_ai.tool.name", "tool.name"),
    name("gen_ai.tool.type", "tool.type"),
    name("gen_ai.usage.cache_read.input_tokens", "llm.tokens_cached"),
    vendor("gen_ai.usage.cache_read_input_tokens", "llm.tokens_cached"),
    vendor("gen_ai.usage.completion_token_details.reasoning_tokens", "llm.tokens_reasoning"),
    older("gen_ai.usage.completion_tokens", "llm.tokens_output"),
    vendor("gen_ai.usage.cost", "llm.cost"),
    name("gen_ai.usage.input_tokens", "llm.tokens_input"),
    name("gen_ai.usage.output_tokens", "llm.tokens_output"),
    vendor("gen_ai.usage.prompt_token_details.cached_read_tokens", "llm.tokens_cached"),
    older("gen_ai.usage.prompt_tokens", "llm.tokens_input"),
    name("gen_ai.usage.reasoning.output_tokens", "llm.tokens_reasoning"),
    vendor("gen_ai.usage.reasoning_tokens", "llm.tokens_reasoning"),
    vendor("gen_ai.usage.total_tokens", "llm.tokens_total"),
    name("gen_ai.workflow.name", "agent.name"),
    vendor("input.value", "content.prompt"),
    name("jsonrpc.request.id", "request_id"),
    vendor("litellm.request.streaming", "llm.stream"),
    vendor("llm.cost.total", "llm.cost"),
    vendor("llm.invocation_parameters", "llm.parameters"),
    vendor("llm.is_streaming", "llm.stream"),
    vendor("llm.model_name", "llm.model"),
    vendor("llm.provider", "llm.provider"),
    vendor("llm.system", "llm.provider"),
    vendor("llm.token_count.completion", "llm.tokens_output"),
    vendor("llm.token_count.completion_details.reasoning", "llm.tokens_reasoning"),
    vendor("llm.token_count.prompt", "llm.tokens_input"),
    vendor("llm.token_count.prompt_details.cache_read", "llm.tokens_cached"),
    vendor("llm.token_count.total", "llm.tokens_total"),
    vendor("llm.usage.total_tokens", "llm.tokens_total"),
    name("mcp.method.name", "tool.method"),
    name("mcp.session.id", "actor.session_id"),
    vendor("openinference.span.kind", "llm.operation"),
    vendor("output.value", "content.response"),
    vendor("reranker.model_name", "llm.model"),
    name("service.name", "producer"),
    name("service.version", "app_version"),
    name("session.id", "actor.session_id"),
    vendor("tool.name", "tool.name"),
    vendor("tool_call.function.name", "tool.name"),
    vendor("tool_call.id", "tool.call_id"),
    name("user.email", "actor.email"),
    name("user.full_name", "actor.name"),
    name("user.id", "actor.id"),
    name("user.roles", "actor.roles[]"),
    name("user_agent.original", "actor.user_agent"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        for w in NAMES.windows(2) {
            assert!(w[0].otel < w[1].otel, "{} comes before {}", w[1].otel, w[0].otel);
        }
        assert_eq!(home_of("gen_ai.usage.prompt_tokens"), Some("llm.tokens_input"));
        assert_eq!(home_of("gen_ai.system"), Some("llm.provider"));
        assert_eq!(home_of("http.route"), None);
    }
}
