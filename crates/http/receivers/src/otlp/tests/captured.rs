//! What a LiteLLM proxy sent, as the capture has it: long values are cut.

use super::super::record::Span;
use expect_test::expect_file;

use super::*;

const CAPTURE: &str =
    include_str!("../../../../../../tests/fixtures/litellm/litellm-1.105.3-otlp-decoded.txt");

/// Spans of the capture, with their scopes.
fn spans() -> Vec<(String, Span<'static>)> {
    let mut spans: Vec<(String, Span<'static>)> = Vec::new();
    let mut last = String::new();
    for line in CAPTURE.lines() {
        if line.starts_with("RESOURCE ") {
            last.clear();
            continue;
        }
        if let Some(rest) = line.strip_prefix("SPAN ") {
            let (scope, rest) = rest.split_once(' ').unwrap();
            let (name, rest) = rest.rsplit_once(" kind ").unwrap();
            let words: Vec<&str> = rest.split_whitespace().collect();
            let mut span = span(name, words[0].parse().unwrap(), "{}");
            span.status = words[4].parse().unwrap();
            span.span = format!("{:016x}", spans.len() + 1);
            spans.push((scope.to_owned(), span));
            last.clear();
            continue;
        }
        let Some((_, span)) = spans.last_mut() else { continue };
        let attribute = line.strip_prefix("     ").and_then(|line| line.split_once(" = "));
        let Some((name, value)) = attribute.filter(|(name, _)| !name.contains(' ')) else {
            // A value of several lines.
            if let Some(Value::String(text)) = span.attributes.get(&last).cloned() {
                span.attributes.insert(last.clone(), format!("{text}\n{line}"));
            }
            continue;
        };
        let (kind, text) = value.split_once(' ').unwrap_or((value, ""));
        let value = match kind {
            "string_value" => Value::from(text.to_owned()),
            "int_value" => Value::integer(text.parse().unwrap()).unwrap(),
            "double_value" => Value::number(text.parse().unwrap_or(0.0)).unwrap(),
            "bool_value" => Value::Bool(text == "True"),
            other => panic!("{other}"),
        };
        last = name.to_owned();
        span.attributes.insert(last.clone(), value);
    }
    spans
}

#[test]
fn the_captured_traffic() {
    let resource = r#"{"service.name":"litellm","telemetry.sdk.name":"opentelemetry"}"#;
    let mut all = String::new();
    let mut said = String::new();
    for (scope, span) in spans() {
        let name = format!("{scope} | {}", span.name);
        let mapped = mapped(&group(&scope, resource), Record::Span(Box::new(span)));
        if let Ok(Mapped::Event(event)) = &mapped {
            let mut tree = event.tree().clone();
            // A policy decides about these.
            tree.remove("content");
            said += &String::from_utf8(Value::Object(tree).to_jcs()).unwrap();
        }
        all += &format!("{name}: {}", told(mapped));
    }
    expect_file!["../snapshots/captured.txt"].assert_eq(&all);
    for text in [
        "123-45-6789",
        "stream please",
        "Hello from",
        "Connection error",
        "No connected db",
        "x-custom",
        "foo",
    ] {
        assert!(!said.contains(text), "{text}");
    }
    // The same search finds what is kept.
    for text in ["probe/1", "end-user-7", "0.0000135", "fake-gpt", "957df36f-7c03-4a29-a230-fb30107a594a"] {
        assert!(said.contains(text), "{text}");
    }
}
