//! Every dialect, a span each: what becomes of it.

use super::super::record::{SERVER, SpanEvent};
use expect_test::expect_file;

use super::*;

/// Name of the case, scope, resource, the span's name, its kind, its attributes.
type Case = (&'static str, &'static str, &'static str, &'static str, i64, &'static str);

const NONE: &str = "{}";
const LITELLM: &str = r#"{"service.name":"litellm"}"#;
const BIFROST: &str =
    r#"{"service.name":"bifrost","service.version":"1.4.2","telemetry.sdk.name":"bifrost"}"#;

const CASES: &[Case] = &[
    (
        "conventions, chat",
        "opentelemetry.instrumentation.openai_v2",
        r#"{"service.name":"support assistant","service.version":"2.1","deployment.environment.name":"production","k8s.pod.name":"web-0","process.command_args":["a secret word"]}"#,
        "chat gpt-4o",
        3,
        r#"{"gen_ai.operation.name":"chat","gen_ai.provider.name":"openai","gen_ai.request.model":"gpt-4o","gen_ai.response.model":"gpt-4o-2024-08-06",
            "gen_ai.response.id":"chatcmpl-1","gen_ai.response.finish_reasons":["stop"],"gen_ai.usage.input_tokens":120,"gen_ai.usage.output_tokens":"30",
            "gen_ai.usage.cache_read.input_tokens":100,"gen_ai.usage.reasoning.output_tokens":8,"gen_ai.request.temperature":0.2,"gen_ai.request.max_tokens":500,
            "gen_ai.request.stop_sequences":["a stop of several words"],"gen_ai.request.stream":true,"gen_ai.response.time_to_first_chunk":0.25,
            "gen_ai.conversation.id":"conv-1","user.id":"alice","client.address":"203.0.113.9","server.address":"api.openai.com","server.port":443,
            "gen_ai.system_instructions":[{"type":"text","content":"be kind"}],
            "gen_ai.input.messages":"[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"hi\"}]}]",
            "gen_ai.output.messages":[{"role":"assistant","finish_reason":"tool_call","parts":[{"type":"tool_call","id":"c1","name":"weather","arguments":{"city":"Paris"}}]}],
            "gen_ai.tool.definitions":[{"name":"weather","description":"what it does"}],"app.note":"several words","app.tier":"gold"}"#,
    ),
    (
        "conventions of 1.27: other names",
        "",
        NONE,
        "chat gpt-4",
        3,
        r#"{"gen_ai.operation.name":"chat","gen_ai.system":"openai","gen_ai.request.model":"gpt-4","gen_ai.usage.prompt_tokens":5,"gen_ai.usage.completion_tokens":7,
            "gen_ai.prompt":"the prompt","gen_ai.completion":"the answer"}"#,
    ),
    (
        "a current name comes before an older one",
        "",
        NONE,
        "chat",
        3,
        r#"{"gen_ai.operation.name":"chat","gen_ai.system":"old","gen_ai.provider.name":"new","gen_ai.usage.prompt_tokens":1,"gen_ai.usage.input_tokens":2,"llm.token_count.prompt":3}"#,
    ),
    (
        "conventions, embeddings that timed out",
        "",
        NONE,
        "embeddings m",
        3,
        r#"{"gen_ai.operation.name":"embeddings","gen_ai.provider.name":"cohere","gen_ai.request.model":"embed-v4","error.type":"timeout","gen_ai.usage.input_tokens":4}"#,
    ),
    (
        "conventions, an image",
        "",
        NONE,
        "generate_content m",
        3,
        r#"{"gen_ai.operation.name":"generate_content","gen_ai.output.type":"image","gen_ai.request.model":"gpt-image-1"}"#,
    ),
    (
        "conventions, an operation that nobody knows",
        "",
        NONE,
        "ponder m",
        3,
        r#"{"gen_ai.operation.name":"ponder","gen_ai.request.model":"m"}"#,
    ),
    (
        "conventions, retrieval",
        "",
        NONE,
        "retrieval kb",
        3,
        r#"{"gen_ai.operation.name":"retrieval","gen_ai.data_source.id":"kb-1","gen_ai.retrieval.query.text":"what is asked","gen_ai.retrieval.documents":"[{\"id\":\"doc-1\",\"score\":0.75},{\"id\":\"doc-2\"}]","gen_ai.request.top_k":3}"#,
    ),
    (
        "conventions, a tool",
        "",
        NONE,
        "execute_tool weather",
        1,
        r#"{"gen_ai.operation.name":"execute_tool","gen_ai.tool.name":"weather","gen_ai.tool.type":"function","gen_ai.tool.call.id":"c1","gen_ai.tool.description":"what it does",
            "gen_ai.tool.call.arguments":"{\"city\":\"Paris\"}","gen_ai.tool.call.result":{"degrees":21},"gen_ai.agent.name":"planner"}"#,
    ),
    (
        "conventions, an agent: its figures are sums",
        "",
        NONE,
        "invoke_agent planner",
        1,
        r#"{"gen_ai.operation.name":"invoke_agent","gen_ai.agent.id":"a1","gen_ai.agent.name":"planner","gen_ai.agent.version":"3","gen_ai.agent.description":"what it does","gen_ai.usage.input_tokens":900,"gen_ai.usage.output_tokens":80,"gen_ai.usage.cost":0.1,"gen_ai.request.model":"m","gen_ai.input.messages":"[{\"role\":\"user\",\"content\":\"do it\"}]"}"#,
    ),
    (
        "conventions, an agent is made",
        "",
        NONE,
        "create_agent a",
        3,
        r#"{"gen_ai.operation.name":"create_agent","gen_ai.agent.name":"a"}"#,
    ),
    (
        "conventions, a workflow",
        "",
        NONE,
        "w",
        1,
        r#"{"gen_ai.operation.name":"invoke_workflow","gen_ai.workflow.name":"claims"}"#,
    ),
    (
        "conventions, memory",
        "",
        NONE,
        "m",
        1,
        r#"{"gen_ai.operation.name":"search_memory","gen_ai.memory.query.text":"what is asked","gen_ai.memory.store.id":"s1"}"#,
    ),
    (
        "conventions, a guardrail that blocked",
        "",
        NONE,
        "apply_guardrail pii",
        1,
        r#"{"gen_ai.operation.name":"apply_guardrail","gen_ai.guardrail.component.name":"pii","gen_ai.guardrail.verdict.type":"deny","gen_ai.guardrail.action.type":"block","gen_ai.guardrail.policy.id":"p-7","gen_ai.security.risk.score":0.9,"gen_ai.security.risk.category":"pii","gen_ai.guardrail.result.reason":"it says a name"}"#,
    ),
    (
        "conventions, a guardrail that masked",
        "",
        NONE,
        "g",
        1,
        r#"{"gen_ai.guardrail.component.name":"mask","gen_ai.guardrail.verdict.type":"modify"}"#,
    ),
    (
        "MCP, a tool",
        "",
        NONE,
        "tools/call search",
        3,
        r#"{"mcp.method.name":"tools/call","gen_ai.operation.name":"execute_tool","gen_ai.tool.name":"search","mcp.session.id":"s-1","mcp.protocol.version":"2025-06-18","jsonrpc.request.id":7,"network.transport":"pipe","gen_ai.tool.call.arguments":"{}","gen_ai.tool.call.result":"[]"}"#,
    ),
    ("MCP, a list", "", NONE, "tools/list", 2, r#"{"mcp.method.name":"tools/list"}"#),
    (
        "MCP, a resource that is not there",
        "",
        NONE,
        "resources/read",
        3,
        r#"{"mcp.method.name":"resources/read","mcp.resource.uri":"file:///a.txt","rpc.response.status_code":"-32002","error.type":"-32002"}"#,
    ),
    ("MCP, a session", "", NONE, "initialize", 3, r#"{"mcp.method.name":"initialize"}"#),
    ("MCP, a notification", "", NONE, "n", 3, r#"{"mcp.method.name":"notifications/progress"}"#),
    (
        "OpenInference, a call",
        "openinference.instrumentation.openai",
        NONE,
        "ChatCompletion",
        1,
        r#"{"openinference.span.kind":"LLM","llm.provider":"openai","llm.system":"openai","llm.model_name":"gpt-4o","llm.token_count.prompt":9,"llm.token_count.completion":4,"llm.token_count.total":13,"llm.token_count.prompt_details.cache_read":3,
            "llm.invocation_parameters":"{\"temperature\":0.5,\"model\":\"gpt-4o\",\"stop\":[\"some stop words\"]}","llm.input_messages.0.message.role":"user","llm.input_messages.0.message.content":"hi",
            "llm.output_messages.0.message.role":"assistant","llm.output_messages.0.message.tool_calls.0.tool_call.id":"c9","llm.output_messages.0.message.tool_calls.0.tool_call.function.name":"lookup",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments":"{}","llm.tools.0.tool.json_schema":"{}","input.value":"{\"messages\":[]}","input.mime_type":"application/json","output.value":"{}",
            "session.id":"s","user.id":"u","metadata":"{\"a\":1}","tag.tags":["blue"]}"#,
    ),
    (
        "OpenInference, a retriever",
        "",
        NONE,
        "retrieve",
        1,
        r#"{"openinference.span.kind":"RETRIEVER","input.value":"what is asked","retrieval.documents.0.document.id":"d1","retrieval.documents.0.document.score":0.5,"retrieval.documents.0.document.content":"what it says","retrieval.documents.1.document.id":"d2"}"#,
    ),
    (
        "OpenInference, a tool",
        "",
        NONE,
        "t",
        1,
        r#"{"openinference.span.kind":"TOOL","tool.name":"calc","tool.description":"what it does","tool.parameters":"{\"a\":1}","output.value":"2"}"#,
    ),
    (
        "OpenInference, an agent",
        "",
        NONE,
        "a",
        1,
        r#"{"openinference.span.kind":"AGENT","agent.name":"planner","input.value":"do it","output.value":"done"}"#,
    ),
    (
        "OpenInference, a guardrail",
        "",
        NONE,
        "g",
        1,
        r#"{"openinference.span.kind":"GUARDRAIL","input.value":"a text"}"#,
    ),
    (
        "OpenInference, a chain",
        "",
        NONE,
        "c",
        1,
        r#"{"openinference.span.kind":"CHAIN","input.value":"a text"}"#,
    ),
    (
        "OpenLLMetry, a call",
        "opentelemetry.instrumentation.openai",
        NONE,
        "openai.chat",
        3,
        r#"{"llm.request.type":"chat","gen_ai.system":"openai","gen_ai.request.model":"gpt-4o","gen_ai.response.model":"gpt-4o-2024","gen_ai.prompt.0.role":"user","gen_ai.prompt.0.content":"hi","gen_ai.completion.0.role":"assistant","gen_ai.completion.0.content":"hello","gen_ai.completion.0.finish_reason":"stop",
            "gen_ai.completion.0.tool_calls.0.name":"lookup","gen_ai.completion.0.tool_calls.0.id":"c1","gen_ai.completion.0.tool_calls.0.arguments":"{}","llm.request.functions.0.name":"lookup","llm.request.functions.0.description":"what it does","llm.usage.total_tokens":12,"gen_ai.usage.prompt_tokens":7,"gen_ai.usage.completion_tokens":5,
            "gen_ai.usage.cache_read_input_tokens":2,"llm.headers":"{'a': 'b'}","llm.is_streaming":false,"traceloop.workflow.name":"claims","traceloop.association.properties.user_id":"u"}"#,
    ),
    (
        "OpenLLMetry, a workflow",
        "",
        NONE,
        "w.workflow",
        1,
        r#"{"traceloop.span.kind":"workflow","traceloop.entity.name":"claims","traceloop.entity.input":"{\"a\":\"a text\"}"}"#,
    ),
    (
        "OpenLLMetry, a tool",
        "",
        NONE,
        "t.tool",
        1,
        r#"{"traceloop.span.kind":"tool","traceloop.entity.name":"calc","traceloop.entity.input":"{}","traceloop.entity.output":"2"}"#,
    ),
    ("OpenLLMetry, a task", "", NONE, "t.task", 1, r#"{"traceloop.span.kind":"task"}"#),
    (
        "OpenLLMetry, a vector store",
        "",
        NONE,
        "pinecone.query",
        3,
        r#"{"db.system":"pinecone","db.operation":"query","db.statement":"what is asked","db.pinecone.query.top_k":3}"#,
    ),
    (
        "OpenLLMetry, a vector store is filled",
        "",
        NONE,
        "chroma.add",
        3,
        r#"{"db.system":"chroma","db.operation":"add"}"#,
    ),
    (
        "Bifrost, a call",
        "bifrost",
        BIFROST,
        "llm.call",
        3,
        r#"{"gen_ai.provider.name":"anthropic","gen_ai.request.model":"claude-sonnet-4","gen_ai.response.finish_reason":"stop","gen_ai.usage.prompt_tokens":5,"gen_ai.usage.completion_tokens":7,"gen_ai.usage.input_tokens":5,"gen_ai.usage.output_tokens":7,"gen_ai.usage.total_tokens":12,"gen_ai.usage.cost":0.00042,
            "gen_ai.virtual_key_id":"vk-1","gen_ai.virtual_key_name":"research","gen_ai.selected_key_id":"k-1","gen_ai.team_id":"t-1","gen_ai.team_name":"Research","gen_ai.customer_id":"c-1","gen_ai.number_of_retries":1,"gen_ai.fallback_index":0,"gen_ai.request.user":"erin",
            "gen_ai.input.messages":"[{\"role\":\"user\",\"content\":\"hi\"}]","gen_ai.output.messages":"[{\"role\":\"assistant\",\"content\":\"hello\"}]","gen_ai.request.temperature":0.1}"#,
    ),
    (
        "Bifrost, a call that failed",
        "bifrost",
        BIFROST,
        "llm.call",
        3,
        r#"{"gen_ai.provider.name":"openai","gen_ai.request.model":"m","gen_ai.error":"what it says","gen_ai.error.type":"rate_limit_error","gen_ai.error.code":"429"}"#,
    ),
    (
        "Bifrost, the request around it",
        "bifrost",
        BIFROST,
        "/v1/chat/completions",
        SERVER,
        r#"{"gen_ai.provider.name":"openai","gen_ai.request.model":"m"}"#,
    ),
    ("Bifrost, a plugin", "bifrost", BIFROST, "plugin.governance.prehook", 1, r#"{"plugin.error_count":0}"#),
    (
        "LiteLLM's second dialect, a call",
        "litellm",
        LITELLM,
        "chat gpt-4o",
        3,
        r#"{"gen_ai.operation.name":"chat","gen_ai.provider.name":"openai","gen_ai.request.model":"smart","gen_ai.response.model":"gpt-4o-2024","litellm.provider.model":"openai/gpt-4o","gen_ai.usage.input_tokens":3,"gen_ai.usage.output_tokens":4,"litellm.call_id":"call-1","litellm.call_type":"acompletion","litellm.team.id":"t1","litellm.team.alias":"Research","litellm.team.metadata":"{\"a\":1}","litellm.api_key.hash":"88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b","litellm.end_user.id":"erin","litellm.request.route":"/v1/chat/completions","litellm.request.streaming":true,"litellm.cost.total":0.0021,"litellm.cost.input":0.0001}"#,
    ),
    (
        "LiteLLM's second dialect, a key that is no hash",
        "litellm",
        LITELLM,
        "chat m",
        3,
        r#"{"gen_ai.operation.name":"chat","gen_ai.request.model":"m","litellm.api_key.hash":"sk-not-a-hash"}"#,
    ),
    (
        "LiteLLM's second dialect, a guardrail",
        "litellm",
        LITELLM,
        "execute_guardrail pii",
        1,
        r#"{"litellm.guardrail.name":"pii","litellm.guardrail.mode":"pre_call","litellm.guardrail.status":"guardrail_intervened","litellm.guardrail.provider":"presidio","litellm.guardrail.action":"blocked","litellm.guardrail.violation_categories":["pii","email"],"litellm.guardrail.confidence_score":0.8,"litellm.guardrail.risk_score":7,"litellm.guardrail.response":"what it says","litellm.guardrail.masked_entity_count":"{\"EMAIL\": 2}","litellm.guardrail.duration":0.01}"#,
    ),
    (
        "LiteLLM's second dialect, a tool of MCP",
        "litellm",
        LITELLM,
        "tools/call crm-lookup",
        3,
        r#"{"gen_ai.operation.name":"execute_tool","mcp.method.name":"tools/call","gen_ai.tool.name":"lookup","litellm.mcp.server.name":"crm","gen_ai.tool.call.arguments":"{\"q\":1}","litellm.call_id":"c"}"#,
    ),
    (
        "LiteLLM's second dialect, who was let in",
        "litellm",
        LITELLM,
        "auth /v1/chat/completions",
        1,
        r#"{"litellm.call_type":"auth"}"#,
    ),
    (
        "LiteLLM's second dialect, who was not",
        "litellm",
        LITELLM,
        "auth /v1/chat/completions",
        1,
        r#"{"error.type":"ProxyException"}"#,
    ),
    (
        "LiteLLM's second dialect, its database",
        "litellm",
        LITELLM,
        "postgres select",
        3,
        r#"{"db.system.name":"postgresql","litellm.service.name":"postgres"}"#,
    ),
    (
        "LiteLLM's second dialect, a change of a team",
        "opentelemetry.instrumentation.fastapi",
        LITELLM,
        "POST /team/new",
        SERVER,
        r#"{"http.route":"/team/new","http.request.method":"POST","http.response.status_code":200,"url.path":"/team/new"}"#,
    ),
    (
        "LiteLLM's first dialect, a guardrail",
        "litellm",
        LITELLM,
        "guardrail",
        1,
        r#"{"guardrail_name":"pii","guardrail_mode":"pre_call","guardrail_status":"success","guardrail_response":"what it says"}"#,
    ),
    (
        "LiteLLM's first dialect, a key is made",
        "litellm",
        LITELLM,
        "generate_key_fn",
        1,
        r#"{"request.key_alias":"ci","request.models":"['gpt-4o', 'a b']","request.max_budget":10,"request.key":"sk-chosen-by-hand","request.team_id":"t1","response.token_id":"88dc28d0","response.key_name":"sk-...abcd","response.user_id":"None"}"#,
    ),
    (
        "LiteLLM's first dialect, an endpoint that nobody knows",
        "litellm",
        LITELLM,
        "/brand/new",
        1,
        r#"{"request.a":"b"}"#,
    ),
    (
        "Vercel's SDK, a tool",
        "ai",
        NONE,
        "ai.toolCall",
        1,
        r#"{"ai.toolCall.name":"weather","ai.toolCall.id":"c1","ai.toolCall.args":"{}","ai.toolCall.result":"{}"}"#,
    ),
    ("a web server", "", NONE, "GET /", SERVER, r#"{"http.request.method":"GET","url.path":"/"}"#),
    ("a database", "", NONE, "SELECT", 3, r#"{"db.system":"postgresql","db.statement":"select 1"}"#),
    ("anything", "", NONE, "work", 1, r#"{"a":1}"#),
];

#[test]
fn every_dialect() {
    let mut all = String::new();
    for (case, scope, resource, name, kind, attributes) in CASES {
        let record = Record::Span(Box::new(span(name, *kind, attributes)));
        all += &format!("{case}: {}", told(mapped(&group(scope, resource), record)));
    }
    expect_file!["../snapshots/dialects.txt"].assert_eq(&all);
}

#[test]
fn texts_go_where_a_policy_decides_about_them() {
    const KEPT: [&str; 3] = ["gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.tool.call.arguments"];
    for (case, scope, resource, name, kind, attributes) in CASES {
        let record = Record::Span(Box::new(span(name, *kind, attributes)));
        let Ok(Mapped::Event(event)) = mapped(&group(scope, resource), record) else { continue };
        let mut tree = event.tree().clone();
        let content = tree.remove("content");
        assert!(content.is_some() || KEPT.iter().all(|name| !attributes.contains(name)), "{case}");
        let rest = String::from_utf8(Value::Object(tree).to_jcs()).unwrap();
        for text in [
            "\"hi\"",
            "hello",
            "what it says",
            "what it does",
            "what is asked",
            "a text",
            "do it",
            "the prompt",
            "the answer",
            "several words",
            "it says a name",
            "Paris",
            "be kind",
            "sk-chosen",
            "sk-not-a-hash",
            "secret word",
        ] {
            assert!(!rest.contains(text), "{case}: {text} in {rest}");
        }
    }
}

#[test]
fn events_of_a_span_are_part_of_it() {
    let event = |name: &'static str, attributes: &str| SpanEvent {
        name: name.into(),
        attributes: object(attributes),
    };
    let mut all = String::new();
    for (case, status, events) in [
        (
            "messages",
            0,
            vec![
                event(
                    "gen_ai.user.message",
                    r#"{"gen_ai.event.content":"{\"role\":\"user\",\"content\":\"hi\"}"}"#,
                ),
                event(
                    "gen_ai.choice",
                    r#"{"gen_ai.event.content":"{\"finish_reason\":\"stop\",\"message\":{\"content\":\"hello\"}}"}"#,
                ),
            ],
        ),
        (
            "texts",
            0,
            vec![
                event("gen_ai.content.prompt", r#"{"gen_ai.prompt":"the prompt"}"#),
                event("gen_ai.content.completion", r#"{"gen_ai.completion":"the answer"}"#),
            ],
        ),
        (
            "an exception",
            2,
            vec![event(
                "exception",
                r#"{"exception.type":"openai.RateLimitError","exception.message":"what it says","exception.stacktrace":"at line 1"}"#,
            )],
        ),
    ] {
        let mut span = span("chat m", 3, r#"{"gen_ai.operation.name":"chat","gen_ai.request.model":"m"}"#);
        span.events = events;
        span.status = status;
        span.status_message = "what it says".into();
        all += &format!("{case}: {}", told(mapped(&Group::default(), Record::Span(Box::new(span)))));
    }
    expect_file!["../snapshots/events.txt"].assert_eq(&all);
    assert!(!all.contains("what it says"));
}

#[test]
fn a_span_has_ids_and_perhaps_times() {
    let call = r#"{"gen_ai.operation.name":"chat"}"#;
    let check = |change: fn(&mut Span<'static>), expect: &str| {
        let mut span = span("chat", 3, call);
        change(&mut span);
        let told = match mapped(&Group::default(), Record::Span(Box::new(span))) {
            Err(refusal) => format!("{} {}", refusal.code, refusal.pointer),
            Ok(Mapped::Event(event)) => {
                let text =
                    |name: &str| event.tree().get(name).and_then(Value::as_str).unwrap_or("-").to_owned();
                let took =
                    event.tree().get("llm").and_then(|llm| llm.get("latency_ms")).and_then(Value::as_f64);
                format!("{} {} {took:?} {}", text("source_id"), text("time"), text("parent_span_id"))
            }
            Ok(Mapped::Noise(noise)) => noise.name().to_owned(),
        };
        assert_eq!(told, expect);
    };
    const ID: &str = "5b8efff798038103d269b633813fc60c:eee19b7ec3c1b174";
    check(|_| {}, &format!("{ID} 2026-01-01T00:00:01.250Z Some(1250.0) -"));
    check(
        |s| s.parent = "0102030405060708".into(),
        &format!("{ID} 2026-01-01T00:00:01.250Z Some(1250.0) 0102030405060708"),
    );
    check(|s| s.end = 0, &format!("{ID} 2026-01-01T00:00:00Z None -"));
    check(|s| s.end = u64::MAX, &format!("{ID} 2026-01-01T00:00:00Z None -"));
    check(|s| (s.start, s.end) = (0, 0), &format!("{ID} - None -"));
    check(|s| s.trace.clear(), "missing /trace_id");
    check(|s| s.span.clear(), "missing /span_id");
    // What is no event needs no ids.
    check(|s| (s.attributes, s.trace) = (Object::new(), String::new()), "unknown");
}

#[test]
fn a_service_has_a_name_that_fits() {
    for (resource, expect) in [
        ("{}", "otlp"),
        (r#"{"service.name":" "}"#, "otlp"),
        (r#"{"service.name":"unknown_service:python"}"#, "unknown_service:python"),
        (r#"{"service.name":"Support Assistant (über)"}"#, "Support-Assistant---ber-"),
        (r#"{"service.name":7}"#, "otlp"),
    ] {
        let record = Record::Span(Box::new(span("chat", 3, r#"{"gen_ai.operation.name":"chat"}"#)));
        let Ok(Mapped::Event(event)) = mapped(&group("", resource), record) else { panic!() };
        assert_eq!(event.core().producer, expect);
    }
}
