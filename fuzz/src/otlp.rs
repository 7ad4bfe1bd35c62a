//! What speaks OTLP, in protobuf and JSON, and gRPC's frame around it.

use std::convert::Infallible;

use event::{Limits, Object, Value};
use receivers::otlp::{Form, Identities, Mapped, Signal, map, open, unframe};
use redact::Origin;

use crate::check::{self, PROMPT};
use crate::protobuf::{Written, written};

/// Attributes that hold what a model was told or said.
const PROMPTS: &[&str] = &[
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.prompt",
    "gen_ai.completion",
    "input.value",
    "output.value",
    "llm.prompts",
];

fn decode(bytes: &[u8], form: Form, signal: Signal, body: &[u8]) {
    let Ok(opened) = open(form, signal, body) else { return };
    let mut identities = Identities::default();
    let Ok(()) = opened.each(signal, |group, record| {
        let mapped = record.and_then(|record| map(group, record, &mut identities, &check::fingerprint));
        if let Ok(Mapped::Event(event)) = mapped {
            check::event(bytes, &event, Origin::Adapter);
        }
        Ok::<(), Infallible>(())
    });
}

/// The first byte says what the others are.
fn signal(bytes: &[u8]) -> Option<(Signal, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let signal = match first % 3 {
        0 => Signal::Traces,
        1 => Signal::Logs,
        _ => Signal::Audit,
    };
    Some((signal, rest))
}

pub fn protobuf(bytes: &[u8]) {
    if let Some((signal, body)) = signal(bytes) {
        decode(bytes, Form::Protobuf, signal, body);
    }
}

pub fn json(bytes: &[u8]) {
    let Some((signal, body)) = signal(bytes) else { return };
    decode(bytes, Form::Json, signal, body);
    // Again, with something in each place for a prompt.
    if let Ok(mut value) = event::json::parse_loosely(body, &Limits { max_bytes: 1 << 20, max_depth: 64 }) {
        put_prompts(&mut value);
        decode(bytes, Form::Json, signal, &value.to_jcs());
    }
}

fn put_prompts(value: &mut Value<'_>) {
    match value {
        Value::Object(members) => {
            if members.get("key").and_then(Value::as_str).is_some_and(|key| PROMPTS.contains(&key)) {
                let mut text = Object::new();
                text.insert("stringValue", PROMPT);
                members.insert("value", text);
            }
            members.iter_mut().for_each(|(_, value)| put_prompts(value));
        }
        Value::Array(items) => items.iter_mut().for_each(put_prompts),
        _ => {}
    }
}

pub fn grpc(bytes: &[u8]) {
    let Some((first, body)) = bytes.split_first() else { return };
    if let Ok((is_packed, message)) = unframe(body, first & 1 == 1) {
        assert!(message.len() + 5 == body.len() && (!is_packed || first & 1 == 1));
        if !is_packed {
            protobuf(message);
        }
    }
}

pub fn protobuf_seeds() -> Vec<Vec<u8>> {
    all().iter().map(|(signal, written)| [&[*signal], &written.protobuf[..]].concat()).collect()
}

pub fn json_seeds() -> Vec<Vec<u8>> {
    all().iter().map(|(signal, written)| [&[*signal], &written.json[..]].concat()).collect()
}

pub fn grpc_seeds() -> Vec<Vec<u8>> {
    let framed = |body: Vec<u8>| {
        let length = u32::try_from(body.len()).expect("a seed is short").to_be_bytes();
        [&[0, 0], &length[..], &body].concat()
    };
    let mut seeds: Vec<Vec<u8>> = protobuf_seeds().into_iter().map(framed).collect();
    seeds.push(vec![1, 1, 0, 0, 0, 1, 7]);
    seeds
}

/// Spans as a LiteLLM proxy sent them, one a request, and those of others.
fn all() -> Vec<(u8, Written)> {
    const CAPTURED: &str = include_str!("../../tests/fixtures/litellm/litellm-1.105.3-otlp-decoded.txt");
    let mut seeds = Vec::new();
    for block in CAPTURED.split("\nSPAN ").skip(1) {
        let mut lines = block.lines();
        let Some((_, name)) = lines.next().and_then(|head| head.split_once(' ')) else { continue };
        let (name, _) = name.split_once(" kind ").unwrap_or((name, ""));
        let attributes: Vec<(&str, Value<'_>)> = lines.filter_map(attribute).collect();
        seeds.push((0, written(name, "litellm", &attributes, false)));
    }
    let of = |pairs: &[(&'static str, &'static str)]| -> Vec<(&'static str, Value<'static>)> {
        pairs
            .iter()
            .map(|(name, value)| (*name, Value::from(value.replace("SECRET", check::SECRET))))
            .collect()
    };
    let made = [
        of(&[
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.provider.name", "openai"),
            ("gen_ai.request.model", "m"),
            (
                "gen_ai.input.messages",
                "[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"p\"}]}]",
            ),
            ("user.id", "SECRET"),
            ("error.type", "timeout"),
        ]),
        of(&[
            ("gen_ai.operation.name", "execute_tool"),
            ("gen_ai.tool.name", "search"),
            ("gen_ai.tool.call.id", "c"),
            ("gen_ai.tool.call.arguments", "{\"q\":1}"),
            ("mcp.method.name", "tools/call"),
            ("mcp.session.id", "SECRET"),
        ]),
        of(&[
            ("openinference.span.kind", "RETRIEVER"),
            ("input.value", "q"),
            ("retrieval.documents.0.document.id", "d"),
            ("llm.model_name", "m"),
            ("session.id", "s"),
        ]),
        of(&[
            ("traceloop.span.kind", "agent"),
            ("gen_ai.agent.name", "a"),
            ("gen_ai.conversation.id", "c"),
            ("app.note", "SECRET"),
        ]),
        of(&[
            ("litellm.call_id", "c"),
            ("litellm.guardrail.name", "g"),
            ("litellm.guardrail.status", "guardrail_intervened"),
            ("litellm.guardrail.response", "r"),
            ("litellm.team.id", "t"),
        ]),
        of(&[
            ("event.name", "auth.login"),
            ("user.id", "u"),
            ("log.record.uid", "1"),
            ("client.address", "203.0.113.7"),
            ("exception.message", "SECRET"),
        ]),
    ];
    for attributes in &made {
        seeds.push((0, written("chat m", "service", attributes, false)));
        seeds.push((1, written("auth.login", "service", attributes, true)));
        seeds.push((2, written("key.created", "service", attributes, true)));
    }
    seeds
}

fn attribute(line: &str) -> Option<(&str, Value<'_>)> {
    let (name, value) = line.strip_prefix("     ")?.split_once(" = ")?;
    let (kind, text) = value.split_once(' ').unwrap_or((value, ""));
    let value = match kind {
        "int_value" => Value::integer(text.parse().ok()?)?,
        "double_value" => Value::number(text.parse().ok()?)?,
        "bool_value" => Value::Bool(text == "True"),
        _ => Value::from(text),
    };
    Some((name, value))
}
