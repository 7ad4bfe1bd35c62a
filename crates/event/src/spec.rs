//! The four specifications the product was asked for in, and where each field of their examples lives here.

/// One of the four documents in which features were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Spec {
    /// 000: LiteLLM's enterprise audit log.
    Litellm,
    /// 001: a guide to audit logs for LLM applications.
    Guide,
    /// 002: Bifrost's audit log.
    Bifrost,
    /// 003: an organisation product's audit-log page.
    Organisation,
}

impl Spec {
    /// All four, in order.
    pub const ALL: &'static [Spec] = &[Spec::Litellm, Spec::Guide, Spec::Bifrost, Spec::Organisation];

    /// The number it is known by.
    pub fn number(self) -> &'static str {
        match self {
            Spec::Litellm => "000",
            Spec::Guide => "001",
            Spec::Bifrost => "002",
            Spec::Organisation => "003",
        }
    }

    /// What it is.
    pub fn title(self) -> &'static str {
        match self {
            Spec::Litellm => "LiteLLM's enterprise audit log",
            Spec::Guide => "a guide to audit logs for LLM applications",
            Spec::Bifrost => "Bifrost's audit log",
            Spec::Organisation => "an organisation product's audit-log page",
        }
    }
}

/// Where one field of a specification's examples lives.
#[derive(Debug)]
pub struct Home {
    /// The specification.
    pub spec: Spec,
    /// The field as that specification names it.
    pub theirs: &'static str,
    /// The path of our field, which [`crate::field::find`] knows.
    pub ours: &'static str,
    /// What an adapter has to do besides copying; empty if nothing.
    pub note: &'static str,
}

const fn home(spec: Spec, theirs: &'static str, ours: &'static str, note: &'static str) -> Home {
    Home { spec, theirs, ours, note }
}

/// Every field of the four specifications' examples.
pub static HOMES: &[Home] = {
    use Spec::*;
    &[
        home(Litellm, "id", "source_id", ""),
        home(Litellm, "updated_at", "time", ""),
        home(Litellm, "changed_by", "actor.id", "a `LiteLLM-Changed-By` header goes to `actor.claimed.id`"),
        home(Litellm, "changed_by_api_key", "actor.api_key_hash", ""),
        home(Litellm, "action", "action", ""),
        home(
            Litellm,
            "table_name",
            "targets[].type",
            "also decides `type`: `LiteLLM_TeamTable` and `updated` give `team.updated`",
        ),
        home(Litellm, "object_id", "targets[].id", ""),
        home(
            Litellm,
            "before_value",
            "changes.before",
            "sent as a JSON string: read, or kept as text if it is not JSON",
        ),
        home(Litellm, "updated_values", "changes.after", "the same"),
        home(Guide, "timestamp", "time", ""),
        home(Guide, "event_id", "source_id", ""),
        home(Guide, "event_type", "type", ""),
        home(Guide, "user_id", "actor.id", ""),
        home(Guide, "session_id", "actor.session_id", ""),
        home(Guide, "ip_address", "actor.ip", ""),
        home(Guide, "user_agent", "actor.user_agent", ""),
        home(Guide, "action", "action", ""),
        home(Guide, "model", "llm.model", ""),
        home(Guide, "prompt_hash", "llm.prompt_fingerprint", ""),
        home(Guide, "response_hash", "llm.response_fingerprint", ""),
        home(Guide, "tokens_input", "llm.tokens_input", ""),
        home(Guide, "tokens_output", "llm.tokens_output", ""),
        home(Guide, "rag_documents", "llm.documents[].id", "a list of ids becomes a list of documents"),
        home(Guide, "tools_called", "llm.tools[].name", "a list of names becomes a list of tools"),
        home(Guide, "status", "status", ""),
        home(Guide, "latency_ms", "llm.latency_ms", ""),
        home(
            Guide,
            "guardrails_triggered",
            "llm.guardrails[].name",
            "a list of names becomes a list of guardrails",
        ),
        home(Guide, "environment", "environment", ""),
        home(Guide, "app_version", "app_version", ""),
        home(Guide, "trace_id", "trace_id", ""),
        home(Guide, "rule_triggered", "llm.guardrails[].rule", ""),
        home(Guide, "content_hash", "llm.prompt_fingerprint", ""),
        home(Guide, "tool name", "tool.name", "of the tool call's own event"),
        home(
            Guide,
            "tool parameters",
            "tool.arguments_fingerprint",
            "the arguments themselves go to `content.input`, if a policy keeps them",
        ),
        home(Guide, "relevance scores", "llm.documents[].score", ""),
        home(Guide, "model version", "llm.model_version", ""),
        home(Guide, "error type", "error.type", ""),
        home(
            Guide,
            "stack trace",
            "error.stack_fingerprint",
            "the trace itself goes to `content.output`, if a policy keeps it",
        ),
        home(Bifrost, "event_id", "source_id", ""),
        home(Bifrost, "timestamp", "time", ""),
        home(
            Bifrost,
            "event_type",
            "type",
            "theirs is our category; with `action` it gives a kind: `authentication` and `user_login` give `auth.login`",
        ),
        home(Bifrost, "action", "action", ""),
        home(Bifrost, "status", "status", ""),
        home(Bifrost, "severity", "severity", ""),
        home(Bifrost, "actor.user_id", "actor.id", ""),
        home(Bifrost, "actor.email", "actor.email", ""),
        home(Bifrost, "actor.ip_address", "actor.ip", ""),
        home(Bifrost, "details.auth_method", "actor.auth_method", ""),
        home(Bifrost, "details.failure_reason", "attributes.failure_reason", ""),
        home(Bifrost, "details.attempts_count", "attributes.attempts_count", ""),
        home(Bifrost, "resource_type", "targets[].type", "a filter in their examples"),
        home(Bifrost, "verification.hash", "", "not sent: the leaf hash, shown with the proof"),
        home(Bifrost, "verification.verified", "", "not sent: said when the event is shown, by checking it"),
        home(Organisation, "user_email", "actor.email", ""),
        home(Organisation, "user_id", "actor.id", ""),
        home(Organisation, "query_text", "content.prompt", "erasable, and off unless a policy keeps it"),
        home(Organisation, "provider", "llm.provider", ""),
        home(Organisation, "created_at", "time", ""),
        home(Organisation, "total_cost", "llm.cost", "a decimal string"),
        home(Organisation, "query_id", "request_id", ""),
        home(Organisation, "action", "action", ""),
        home(Organisation, "resource_type", "targets[].type", ""),
        home(Organisation, "created_by", "actor.id", ""),
        home(Organisation, "Date", "time", ""),
        home(Organisation, "User", "actor.email", ""),
        home(Organisation, "Action", "action", ""),
        home(Organisation, "Details", "message", ""),
    ]
};
