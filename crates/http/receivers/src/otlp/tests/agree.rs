//! Both encodings say the same.

use proptest::prelude::*;

use super::super::record::{Log, Span, SpanEvent};
use super::encode::{Records, json, protobuf};
use super::*;

fn value() -> impl Strategy<Value = Value<'static>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-(1i64 << 53) + 1..1i64 << 53).prop_map(|n| Value::integer(n).unwrap()),
        // Whole ones are integers in the encoder's eyes.
        (-1e6..1e6f64).prop_map(|n| Value::number(n + 0.5).unwrap()),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            members(inner).prop_map(Value::Object),
        ]
    })
}

fn members(value: impl Strategy<Value = Value<'static>>) -> impl Strategy<Value = Object<'static>> {
    let names = prop_oneof![
        "[a-z_.]{0,12}",
        any::<String>(),
        Just("gen_ai.operation.name".to_owned()),
        Just("gen_ai.input.messages".to_owned()),
        Just("gen_ai.prompt.0.content".to_owned()),
        Just("error.type".to_owned()),
        Just("gen_ai.request.model".to_owned()),
    ];
    prop::collection::vec((names, value), 0..6).prop_map(|all| {
        let mut object = Object::new();
        for (name, value) in all {
            object.insert(name, value);
        }
        object
    })
}

fn id(bytes: usize) -> impl Strategy<Value = String> {
    let hex = move |all: Vec<u8>| all.iter().map(|b| format!("{b:02x}")).collect::<String>();
    prop::collection::vec(1u8.., bytes).prop_map(hex)
}

prop_compose! {
    fn any_span()(
        trace in id(16), span in id(8), parent in prop_oneof![Just(String::new()), id(8)], name in any::<String>(),
        kind in 0..6i64, start in any::<u64>(), end in any::<u64>(), attributes in members(value()),
        events in prop::collection::vec((any::<String>(), members(value())), 0..3),
        status in 0..3i64, status_message in any::<String>(),
    ) -> Span<'static> {
        let events = events.into_iter().map(|(name, attributes)| SpanEvent { name: name.into(), attributes });
        Span {
            trace, span, parent, name: name.into(), kind, start, end, attributes, events: events.collect(), status,
            status_message: status_message.into(),
        }
    }
}

prop_compose! {
    fn any_log()(
        time in any::<u64>(), observed in any::<u64>(), severity in 0..25i64, severity_text in any::<String>(),
        body in value(), attributes in members(value()), trace in prop_oneof![Just(String::new()), id(16)],
        span in prop_oneof![Just(String::new()), id(8)],
        event in prop_oneof![
            Just(String::new()), any::<String>(), Just("auth.login".to_owned()),
            Just("gen_ai.client.inference.operation.details".to_owned()),
        ],
    ) -> Log<'static> {
        Log {
            time, observed, severity, severity_text: severity_text.into(), body, attributes, trace, span,
            event: event.into(),
        }
    }
}

fn same(resource: &Object<'static>, scope: &str, records: &Records<'_>, expect: Vec<Record<'static>>) {
    let binary = protobuf(resource, scope, records);
    let expect: Vec<_> = expect.into_iter().map(Ok).collect();
    let read = super::records(Form::Protobuf, records.signal(), &binary);
    assert!(read.iter().all(|(group, _)| group.resource == *resource && group.scope == scope));
    assert_eq!(read.iter().map(|(_, record)| record.clone()).collect::<Vec<_>>(), expect);
    let told_binary: Vec<_> =
        read.into_iter().map(|(group, record)| told(mapped(&group, record.unwrap()))).collect();
    for (as_text, is_snake) in [(true, false), (false, false), (true, true)] {
        let text = json(resource, scope, records, as_text, is_snake);
        let read = super::records(Form::Json, records.signal(), text.as_bytes());
        assert!(read.iter().all(|(group, _)| group.resource == *resource && group.scope == scope), "{text}");
        assert_eq!(read.iter().map(|(_, record)| record.clone()).collect::<Vec<_>>(), expect, "{text}");
        let told_json: Vec<_> =
            read.into_iter().map(|(group, record)| told(mapped(&group, record.unwrap()))).collect();
        assert_eq!(told_json, told_binary);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn spans_say_the_same_in_both_encodings(
        spans in prop::collection::vec(any_span(), 0..4), resource in members(value()), scope in "[a-z]{0,8}",
    ) {
        let expect = spans.iter().cloned().map(|span| Record::Span(Box::new(span))).collect();
        same(&resource, &scope, &Records::Spans(&spans), expect);
    }

    #[test]
    fn log_records_say_the_same_in_both_encodings(
        logs in prop::collection::vec(any_log(), 0..4), resource in members(value()), scope in "[a-z]{0,8}",
    ) {
        let expect = logs.iter().cloned().map(|log| Record::Log(Box::new(log))).collect();
        same(&resource, &scope, &Records::Logs(&logs), expect);
    }

    #[test]
    fn what_was_mapped_is_an_event_and_holds_no_prompt(mut span in any_span(), model in "[a-z]{1,8}") {
        const SAID: &str = "what nobody may read";
        span.attributes.insert("gen_ai.operation.name", "chat");
        span.attributes.insert("gen_ai.request.model", model);
        span.attributes.insert("gen_ai.input.messages", SAID);
        span.attributes.insert("gen_ai.prompt.0.content", SAID);
        span.attributes.insert("an.unknown.name", SAID);
        span.attributes.insert("exception.message", SAID);
        span.status_message = SAID.into();
        if let Ok(Mapped::Event(event)) = mapped(&Group::default(), Record::Span(Box::new(span))) {
            let mut tree = event.tree().clone();
            // A policy decides about these.
            tree.remove("content");
            let all = String::from_utf8(Value::Object(tree).to_jcs()).unwrap();
            prop_assert!(!all.contains(SAID), "{}", all);
        }
    }
}
