//! Texts: what a model was sent and answered, what a tool got and gave, what was looked for. They go where a policy decides
//! about them; what says them a second time is dropped.

use event::json::{Limits, parse};
use event::{Object, Value};

use super::homes::set;
use super::kinds::Family;
use super::reading::Reading;
use super::record::SpanEvent;
use crate::kept::{ITEMS_MAX, is_nothing, is_word};
use crate::redactions::Why;

/// More bytes of text than this, all together, are only fingerprinted: they would not fit into an event.
const KEPT_BYTES: usize = 128 << 10;
/// JSON in a text, and how deep it may be to fit into an event.
const JSON: Limits = Limits { max_bytes: 4 << 20, max_depth: 48 };

/// Where a text may stand.
#[derive(Clone, Copy)]
enum Place {
    /// Under a name.
    Name(&'static str),
    /// In many attributes: `prefix.0.role`, `prefix.0.content`, …
    Indexed(&'static str),
}
use Place::{Indexed, Name};

// The first that says something is taken.
const PROMPTS: &[Place] = &[
    Name("gen_ai.input.messages"),
    Indexed("gen_ai.prompt"),
    Indexed("llm.input_messages"),
    Indexed("llm.prompts"),
    Name("gen_ai.prompt"),
    Name("gen_ai.input.text"),
    Name("gen_ai.request.prompt"),
    Name("gen_ai.input.speech"),
    Name("gen_ai.input.embedding"),
    Name("ai.prompt.messages"),
    Name("ai.prompt"),
    Indexed("embedding.embeddings"),
    Name("embedding.text"),
    Name("input.value"),
    Name("traceloop.entity.input"),
];
const ANSWERS: &[Place] = &[
    Name("gen_ai.output.messages"),
    Indexed("gen_ai.completion"),
    Indexed("llm.output_messages"),
    Indexed("llm.choices"),
    Name("gen_ai.completion"),
    Name("gen_ai.output.text"),
    Name("ai.response.text"),
    Name("output.value"),
    Name("traceloop.entity.output"),
];
const ARGUMENTS: &[Place] = &[
    Name("gen_ai.tool.call.arguments"),
    Name("tool.parameters"),
    Name("tool_call.function.arguments"),
    Name("ai.toolCall.args"),
    Name("mcp.tool.arguments"),
    Name("mcp.request.arguments"),
    Name("input.value"),
    Name("traceloop.entity.input"),
];
const RESULTS: &[Place] = &[
    Name("gen_ai.tool.call.result"),
    Name("ai.toolCall.result"),
    Name("mcp.tool.result"),
    Name("mcp.response.value"),
    Name("output.value"),
    Name("traceloop.entity.output"),
];
const QUERIES: &[Place] = &[
    Name("gen_ai.retrieval.query.text"),
    Name("gen_ai.retrieval.query"),
    Name("reranker.query"),
    Name("db.query.text"),
    Name("db.statement"),
    Name("input.value"),
    Name("traceloop.entity.input"),
];
const FOUND: &[Place] = &[
    Indexed("retrieval.documents"),
    Indexed("reranker.output_documents"),
    Name("output.value"),
    Name("traceloop.entity.output"),
];
/// Names of everything above, and of what goes with it, by what it is.
const TEXTS: &[(&[Place], Why)] = &[
    (PROMPTS, Why::Prompt),
    (ANSWERS, Why::Response),
    (ARGUMENTS, Why::ToolText),
    (RESULTS, Why::ToolText),
    (QUERIES, Why::RetrievalText),
    (FOUND, Why::RetrievalText),
    (
        &[
            Name("gen_ai.system_instructions"),
            Name("gen_ai.request.instructions"),
            Name("gen_ai.request.suffix"),
            Name("gen_ai.raw_request"),
            Name("llm.prompt_template.template"),
            Name("llm.prompt_template.variables"),
            Indexed("gen_ai.prompt.variables"),
        ],
        Why::Prompt,
    ),
    (
        &[
            Name("gen_ai.raw_response"),
            Name("gen_ai.responses.reasoning"),
            Name("ai.response.object"),
            Name("ai.response.toolCalls"),
        ],
        Why::Response,
    ),
    (
        &[
            Name("gen_ai.tool.definitions"),
            Name("gen_ai.tool.description"),
            Name("gen_ai.request.tools"),
            Name("gen_ai.responses.tools"),
            Name("tool.description"),
            Name("tool.json_schema"),
            Name("llm.function_call"),
            Indexed("llm.tools"),
            Indexed("llm.request.functions"),
            Indexed("gen_ai.tool.definitions"),
            Indexed("mcp.request.argument"),
        ],
        Why::ToolText,
    ),
    (
        &[
            Indexed("reranker.input_documents"),
            Indexed("retrieval.query"),
            Name("gen_ai.memory.query.text"),
            Name("gen_ai.memory.records"),
        ],
        Why::RetrievalText,
    ),
    (
        &[
            Name("gen_ai.guardrail.result.reason"),
            Name("gen_ai.guardrail.result.value"),
            Name("gen_ai.evaluation.explanation"),
            Name("guardrail_request"),
            Name("guardrail_response"),
            Name("litellm.guardrail.response"),
            Name("match_details"),
            Name("classification"),
        ],
        Why::GuardrailText,
    ),
    (
        &[
            Name("error"),
            Name("error.message"),
            Name("error.stack_trace"),
            Name("exception"),
            Name("exception.message"),
            Name("gen_ai.error"),
            Name("otel.status_description"),
            Name("litellm.provider.error.stack_trace"),
        ],
        Why::ErrorText,
    ),
    (
        &[
            Name("llm.headers"),
            Indexed("http.request.header"),
            Indexed("http.response.header"),
            Indexed("rpc.grpc.request.metadata"),
        ],
        Why::Headers,
    ),
    (
        &[
            Name("metadata"),
            Name("gen_ai.responses.metadata"),
            Name("litellm.team.metadata"),
            Indexed("traceloop.association.properties"),
            Indexed("litellm.metadata"),
        ],
        Why::ClientMetadata,
    ),
    (&[Name("url.query"), Name("hidden_params"), Name("llm.openai.stringified_raw_response")], Why::Noise),
];

/// What went in and what came out, still to be looked at.
#[derive(Default)]
pub(super) struct Texts {
    pub(super) input: Option<Value<'static>>,
    pub(super) output: Option<Value<'static>>,
}

/// Takes out the texts that belong to a family, and drops all others.
pub(super) fn gather(reading: &mut Reading<'_, '_>, family: Family, events: &[SpanEvent<'_>]) -> Texts {
    let (inputs, outputs) = match family {
        Family::Model => (PROMPTS, ANSWERS),
        Family::Tool => (ARGUMENTS, RESULTS),
        Family::Retrieval => (QUERIES, FOUND),
        Family::Guardrail => (PROMPTS, &[][..]),
        Family::Other => (&[][..], &[][..]),
    };
    let mut texts = Texts { input: first(reading, inputs), output: first(reading, outputs) };
    let is_asked = matches!(family, Family::Model | Family::Guardrail);
    if is_asked && let Some(instructions) = reading.take("gen_ai.system_instructions") {
        let mut both = Object::new();
        both.insert("system_instructions", decoded(instructions));
        if let Some(messages) = texts.input.take() {
            both.insert("messages", messages);
        }
        texts.input = Some(Value::Object(both));
    }
    if family == Family::Model {
        from_events(&mut texts, events);
    }
    for (places, why) in TEXTS {
        for place in *places {
            match place {
                Name(name) => reading.drop(name, *why),
                Indexed(prefix) => reading.drop_under(prefix, *why),
            }
        }
    }
    texts
}

/// Puts the texts where a policy decides about them, unless they are too large to be there.
pub(super) fn put(event: &mut Object<'static>, reading: &mut Reading<'_, '_>, family: Family, texts: Texts) {
    let [input, output] = match family {
        Family::Tool | Family::Retrieval => ["input", "output"],
        _ => ["prompt", "response"],
    };
    let size = |text: &Option<Value<'_>>| text.as_ref().map_or(0, |text| text.to_jcs().len());
    let fits = size(&texts.input) + size(&texts.output) <= KEPT_BYTES;
    for (name, text) in [(input, texts.input), (output, texts.output)] {
        let Some(text) = text else { continue };
        if fits {
            set(event, &format!("content.{name}"), text);
            continue;
        }
        let (home, why) = match name {
            "prompt" => ("llm.prompt_fingerprint", Why::Prompt),
            "response" => ("llm.response_fingerprint", Why::Response),
            "input" => ("tool.arguments_fingerprint", Why::ToolText),
            _ => ("tool.result_fingerprint", Why::ToolText),
        };
        let fingerprint = reading.fingerprint_of(&format!("/content/{name}"), &text, why);
        set(event, home, Value::from(fingerprint));
    }
}

fn first(reading: &mut Reading<'_, '_>, places: &[Place]) -> Option<Value<'static>> {
    places.iter().find_map(|place| match place {
        Name(name) => reading.take(name).map(decoded),
        Indexed(prefix) => indexed(reading, prefix),
    })
}

/// A text that is JSON is read: the same messages have the same fingerprint however they were sent.
fn decoded(value: Value<'_>) -> Value<'static> {
    if let Value::String(text) = &value
        && text.starts_with(['[', '{'])
        && let Ok(read) = parse(text.as_bytes(), &JSON)
        && !is_nothing(&read)
    {
        return read.into_owned();
    }
    value.into_owned()
}

/// `prefix.0.role`, `prefix.0.content`, `prefix.1.…` as a list of objects, their names without prefix and number.
fn indexed(reading: &mut Reading<'_, '_>, prefix: &str) -> Option<Value<'static>> {
    // `gen_ai.prompt.name` and the like are no messages.
    let is_numbered = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    let mut items: std::collections::BTreeMap<u32, Object<'static>> = std::collections::BTreeMap::new();
    let mut back = Vec::new();
    for (rest, value) in reading.take_under(prefix) {
        let (number, name) = rest.split_once('.').unwrap_or((&rest, "text"));
        match number.parse() {
            Ok(number) if is_numbered(&rest) => {
                if !is_nothing(&value) {
                    items.entry(number).or_default().insert(name.to_owned(), value.into_owned());
                }
            }
            _ => back.push((format!("{prefix}.{rest}"), value)),
        }
    }
    for (name, value) in back {
        reading.attributes.insert(name, value);
    }
    let items: Vec<_> = items.into_values().map(Value::Object).collect();
    (!items.is_empty()).then_some(Value::Array(items))
}

/// Messages that older conventions told in events of the span.
fn from_events(texts: &mut Texts, events: &[SpanEvent<'_>]) {
    let (mut asked, mut answered) = (Vec::new(), Vec::new());
    for event in events {
        let said = |names: &[&str]| {
            let found = names.iter().find_map(|name| event.attributes.get(name));
            found.filter(|value| !is_nothing(value)).map(|value| decoded(value.clone()))
        };
        let (list, value) = match event.name.as_ref() {
            "gen_ai.content.prompt" => (&mut asked, said(&["gen_ai.prompt"])),
            "gen_ai.content.completion" => (&mut answered, said(&["gen_ai.completion"])),
            "gen_ai.client.inference.operation.details" => {
                answered.extend(said(&["gen_ai.output.messages"]));
                (&mut asked, said(&["gen_ai.input.messages"]))
            }
            "gen_ai.choice" => (&mut answered, said(&["gen_ai.event.content", "message", "content"])),
            "gen_ai.system.message"
            | "gen_ai.user.message"
            | "gen_ai.assistant.message"
            | "gen_ai.tool.message" => (&mut asked, said(&["gen_ai.event.content", "content"])),
            _ => continue,
        };
        list.extend(value);
    }
    for (text, mut said) in [(&mut texts.input, asked), (&mut texts.output, answered)] {
        if text.is_none() && !said.is_empty() {
            *text = Some(if said.len() == 1 { said.remove(0) } else { Value::Array(said) });
        }
    }
}

/// Names and ids of the tools that an answer wants called, in the forms of the conventions, OpenLLMetry, OpenInference and
/// the providers.
pub(super) fn called_tools(output: Option<&Value<'_>>) -> Option<Vec<Value<'static>>> {
    let mut tools = Vec::new();
    let mut add = |name: Option<&Value<'_>>, id: Option<&Value<'_>>| {
        let word = |value: Option<&Value<'_>>| {
            value.and_then(Value::as_str).filter(|text| is_word(text)).map(str::to_owned)
        };
        if let Some(name) = word(name)
            && tools.len() < ITEMS_MAX
        {
            let mut tool = Object::new();
            tool.insert("name", name);
            if let Some(id) = word(id) {
                tool.insert("id", id);
            }
            tools.push(Value::Object(tool));
        }
    };
    for message in messages(output) {
        for part in message.get("parts").and_then(Value::as_array).unwrap_or_default() {
            if part.get("type").and_then(Value::as_str) == Some("tool_call") {
                add(part.get("name"), part.get("id"));
            }
        }
        let calls = message.get("tool_calls").or_else(|| message.pointer("/message/tool_calls"));
        for call in calls.and_then(Value::as_array).unwrap_or_default() {
            add(call.pointer("/function/name").or_else(|| call.get("name")), call.get("id"));
        }
        for n in 0..ITEMS_MAX {
            let at = |name: &str| message.get(name);
            let (llmetry, inference) =
                (format!("tool_calls.{n}"), format!("message.tool_calls.{n}.tool_call"));
            let name = at(&format!("{llmetry}.name")).or_else(|| at(&format!("{inference}.function.name")));
            if name.is_none() {
                break;
            }
            add(name, at(&format!("{llmetry}.id")).or_else(|| at(&format!("{inference}.id"))));
        }
    }
    (!tools.is_empty()).then_some(tools)
}

/// Why each choice of an answer stopped.
pub(super) fn finish_reasons(output: Option<&Value<'_>>) -> Option<Vec<Value<'static>>> {
    let reasons = messages(output).iter().filter_map(|message| {
        let reason = message.get("finish_reason").or_else(|| message.get("message.finish_reason"));
        reason.and_then(Value::as_str).filter(|text| is_word(text)).map(|text| Value::from(text.to_owned()))
    });
    let reasons: Vec<_> = reasons.take(ITEMS_MAX).collect();
    (!reasons.is_empty()).then_some(reasons)
}

fn messages<'v, 'a>(output: Option<&'v Value<'a>>) -> &'v [Value<'a>] {
    match output {
        Some(Value::Array(items)) => items,
        Some(one @ Value::Object(_)) => std::slice::from_ref(one),
        _ => &[],
    }
}
