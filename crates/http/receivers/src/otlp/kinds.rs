//! What a span is: which kind of event, or why none.

use event::kind::Kind;

use super::litellm;
use super::reading::Reading;
use super::record::{Group, SERVER, Span};

/// What an event is about, as far as it decides where its texts belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// A model or an agent was asked something and answered.
    Model,
    /// Something was looked for and found.
    Retrieval,
    /// A tool got arguments and gave a result.
    Tool,
    /// A guardrail had a say.
    Guardrail,
    /// Anything else; its texts are dropped.
    Other,
}

/// A kind of event, and what else the name of an operation tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct What {
    pub(super) kind: String,
    pub(super) family: Family,
}

/// Why a record is no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Noise {
    /// A request or an answer of HTTP or RPC in which no model, tool or agent is named.
    Transport,
    /// A query of a database.
    Database,
    /// A step inside a gateway or a library.
    Step,
    /// It says again what another span or record says.
    Repeat,
    /// A message of a conversation whose call is told by another record.
    Message,
    /// A line of a program's own log.
    Diagnostics,
    /// Nothing that is known here.
    Unknown,
}

impl Noise {
    /// All of them, in order.
    pub const ALL: [Noise; 7] = [
        Noise::Transport,
        Noise::Database,
        Noise::Step,
        Noise::Repeat,
        Noise::Message,
        Noise::Diagnostics,
        Noise::Unknown,
    ];

    /// Its name in metrics and answers.
    pub fn name(self) -> &'static str {
        match self {
            Noise::Transport => "transport",
            Noise::Database => "database",
            Noise::Step => "step",
            Noise::Repeat => "repeat",
            Noise::Message => "message",
            Noise::Diagnostics => "diagnostics",
            Noise::Unknown => "unknown",
        }
    }
}

/// `gen_ai.operation.name`, of the conventions and of those who have more operations than they.
const OPERATIONS: &[(&str, &str, Family)] = &[
    ("apply_guardrail", "guardrail.check", Family::Guardrail),
    ("chat", "llm.completion", Family::Model),
    ("create_agent", "agent.created", Family::Other),
    ("create_memory", "agent.memory_written", Family::Other),
    ("create_memory_store", "agent.memory_written", Family::Other),
    ("delete_memory", "agent.memory_deleted", Family::Other),
    ("delete_memory_store", "agent.memory_deleted", Family::Other),
    ("embedding", "llm.embedding", Family::Model),
    ("embeddings", "llm.embedding", Family::Model),
    ("evaluate", "agent.evaluation", Family::Other),
    ("execute_guardrail", "guardrail.check", Family::Guardrail),
    ("execute_tool", "tool.call", Family::Tool),
    ("fetch_response", "llm.response", Family::Model),
    ("generate_content", "llm.completion", Family::Model),
    ("guardrail", "guardrail.check", Family::Guardrail),
    ("handoff", "agent.handoff", Family::Model),
    ("image_generation", "llm.image", Family::Model),
    ("invoke_agent", "agent.run", Family::Model),
    ("invoke_workflow", "agent.workflow", Family::Model),
    ("litellm.moderation", "llm.moderation", Family::Model),
    ("moderation", "llm.moderation", Family::Model),
    ("plan", "agent.plan", Family::Model),
    ("rerank", "llm.rerank", Family::Retrieval),
    ("retrieval", "rag.retrieval", Family::Retrieval),
    ("search_memory", "agent.memory_read", Family::Other),
    ("speech", "llm.speech", Family::Model),
    ("text_completion", "llm.completion", Family::Model),
    ("transcription", "llm.transcription", Family::Model),
    ("update_memory", "agent.memory_written", Family::Other),
    ("upsert_memory", "agent.memory_written", Family::Other),
];

/// `openinference.span.kind`.
const OPENINFERENCE: &[(&str, &str, Family)] = &[
    ("AGENT", "agent.run", Family::Model),
    ("EMBEDDING", "llm.embedding", Family::Model),
    ("EVALUATOR", "agent.evaluation", Family::Other),
    ("GUARDRAIL", "guardrail.check", Family::Guardrail),
    ("LLM", "llm.completion", Family::Model),
    ("RERANKER", "llm.rerank", Family::Retrieval),
    ("RETRIEVER", "rag.retrieval", Family::Retrieval),
    ("TOOL", "tool.call", Family::Tool),
];

/// `llm.request.type` of OpenLLMetry.
const REQUEST_TYPES: &[(&str, &str, Family)] = &[
    ("chat", "llm.completion", Family::Model),
    ("completion", "llm.completion", Family::Model),
    ("embedding", "llm.embedding", Family::Model),
    ("rerank", "llm.rerank", Family::Retrieval),
];

/// `traceloop.span.kind`.
const TRACELOOP: &[(&str, &str, Family)] = &[
    ("agent", "agent.run", Family::Model),
    ("tool", "tool.call", Family::Tool),
    ("workflow", "agent.workflow", Family::Model),
];

/// `mcp.method.name`. The lists are told with what they list.
const MCP: &[(&str, &str)] = &[
    ("completion/complete", "mcp.call"),
    ("elicitation/create", "mcp.call"),
    ("initialize", "mcp.session"),
    ("prompts/get", "mcp.prompt"),
    ("prompts/list", "mcp.list"),
    ("resources/list", "mcp.list"),
    ("resources/read", "mcp.resource_read"),
    ("resources/subscribe", "mcp.resource_read"),
    ("resources/templates/list", "mcp.list"),
    ("sampling/createMessage", "mcp.call"),
    ("tools/call", "tool.call"),
    ("tools/list", "mcp.list"),
];

/// Databases whose queries are retrievals.
const VECTOR_STORES: &[&str] =
    &["chroma", "chromadb", "lancedb", "marqo", "milvus", "pinecone", "qdrant", "turbopuffer", "weaviate"];

fn find(table: &[(&str, &str, Family)], word: &str) -> Option<What> {
    let (_, kind, family) = table.iter().find(|(theirs, ..)| *theirs == word)?;
    Some(What { kind: (*kind).to_owned(), family: *family })
}

pub(super) fn what(kind: &str, family: Family) -> What {
    What { kind: kind.to_owned(), family }
}

/// What a span is.
pub(super) fn of_span(
    group: &Group<'_>,
    span: &Span<'_>,
    reading: &mut Reading<'_, '_>,
) -> Result<What, Noise> {
    if let Some(said) = litellm::of_span(group, span, reading) {
        return said;
    }
    let is_bifrost = group.resource.get("telemetry.sdk.name").and_then(|v| v.as_str()) == Some("bifrost");
    if is_bifrost && span.kind == SERVER {
        // The request around the calls; it has their attributes, too.
        return Err(Noise::Repeat);
    }
    if is_bifrost && span.name.starts_with("plugin.") {
        return Err(Noise::Step);
    }
    of_attributes(reading)
}

/// What a record is by its attributes alone.
pub(super) fn of_attributes(reading: &Reading<'_, '_>) -> Result<What, Noise> {
    if let Some(method) = reading.peek("mcp.method.name") {
        return of_mcp(method);
    }
    if let Some(operation) = reading.peek("gen_ai.operation.name") {
        return Ok(of_operation(operation, reading.peek("gen_ai.output.type")));
    }
    if let Some(kind) = reading.peek("openinference.span.kind") {
        let kind = kind.to_ascii_uppercase();
        match kind.as_str() {
            "CHAIN" | "PROMPT" => return Err(Noise::Step),
            _ => {
                if let Some(what) = find(OPENINFERENCE, &kind) {
                    return Ok(what);
                }
            }
        }
    }
    if let Some(what) = reading.peek("llm.request.type").and_then(|word| find(REQUEST_TYPES, word)) {
        return Ok(what);
    }
    if let Some(kind) = reading.peek("traceloop.span.kind") {
        if kind == "task" {
            return Err(Noise::Step);
        }
        if let Some(what) = find(TRACELOOP, kind) {
            return Ok(what);
        }
    }
    let system = reading.peek("db.system.name").or_else(|| reading.peek("db.system"));
    if let Some(system) = system {
        if !VECTOR_STORES.contains(&system) {
            return Err(Noise::Database);
        }
        let operation = reading.peek("db.operation.name").or_else(|| reading.peek("db.operation"));
        return Ok(match operation.unwrap_or("query") {
            "add" | "insert" | "upsert" | "update" | "create" => what("rag.indexed", Family::Other),
            "delete" | "drop" => what("rag.deleted", Family::Other),
            _ => what("rag.retrieval", Family::Retrieval),
        });
    }
    let has = |names: &[&str]| names.iter().any(|name| reading.has(name));
    if has(&[
        "gen_ai.guardrail.component.name",
        "gen_ai.guardrail.verdict.type",
        "gen_ai.guardrail.result.type",
    ]) {
        return Ok(what("guardrail.check", Family::Guardrail));
    }
    if has(&["gen_ai.tool.name", "gen_ai.tool.call.id", "ai.toolCall.name"]) {
        return Ok(what("tool.call", Family::Tool));
    }
    if has(&["gen_ai.retrieval.documents", "gen_ai.retrieval.query.text"]) {
        return Ok(what("rag.retrieval", Family::Retrieval));
    }
    if has(&["gen_ai.request.model", "gen_ai.response.model", "gen_ai.response.id", "llm.model_name"]) {
        return Ok(match () {
            () if has(&["gen_ai.input.embedding"]) => what("llm.embedding", Family::Model),
            () if has(&["gen_ai.input.speech"]) => what("llm.transcription", Family::Model),
            () if has(&["gen_ai.input.messages", "gen_ai.output.messages"]) => {
                what("llm.completion", Family::Model)
            }
            () => what("llm.request", Family::Model),
        });
    }
    const TRANSPORT: [&str; 8] = [
        "http.request.method",
        "http.method",
        "http.route",
        "url.full",
        "http.url",
        "rpc.system",
        "rpc.system.name",
        "messaging.system",
    ];
    Err(if has(&TRANSPORT) { Noise::Transport } else { Noise::Unknown })
}

fn of_mcp(method: &str) -> Result<What, Noise> {
    if method == "ping" || method.starts_with("notifications/") || method.starts_with("logging/") {
        return Err(Noise::Transport);
    }
    let kind = MCP.iter().find(|(theirs, _)| *theirs == method).map_or("mcp.call", |(_, kind)| kind);
    Ok(what(kind, Family::Tool))
}

fn of_operation(operation: &str, output: Option<&str>) -> What {
    if let Some(found) = find(OPERATIONS, operation) {
        return match (operation, output) {
            ("generate_content", Some("image")) => what("llm.image", Family::Model),
            ("generate_content", Some("speech")) => what("llm.speech", Family::Model),
            _ => found,
        };
    }
    // LiteLLM's first dialect says which of its functions was called.
    let kind = crate::litellm::kind_of(operation);
    let family = match kind.split('.').next() {
        Some("tool" | "mcp") => Family::Tool,
        Some("rag") => Family::Retrieval,
        _ => Family::Model,
    };
    match Kind::find(&kind) {
        Some(_) => what(&kind, family),
        // An operation of somebody's own: its word is kept in `llm.operation`.
        None => what("llm.request", Family::Model),
    }
}

#[cfg(test)]
#[test]
fn every_kind_is_in_the_table() {
    let tables = [OPERATIONS, OPENINFERENCE, REQUEST_TYPES, TRACELOOP];
    let kinds = tables.iter().flat_map(|table| table.iter().map(|(_, kind, _)| *kind));
    for kind in kinds.chain(MCP.iter().map(|(_, kind)| *kind)) {
        assert!(Kind::find(kind).is_some(), "{kind}");
    }
}
