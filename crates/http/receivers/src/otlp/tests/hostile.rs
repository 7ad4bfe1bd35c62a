//! Bytes that nobody meant: no panic, no endless work, and nothing that grows beyond its bounds.

use super::super::record::SpanEvent;
use super::encode::{Records, json, protobuf};
use super::*;

/// A generator that always gives the same.
struct Chance(u64);

impl Chance {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below.max(1) as u64) as usize
    }
}

/// Reads and maps whatever can be read and mapped.
fn take(form: Form, signal: Signal, body: &[u8]) -> usize {
    let Ok(opened) = open(form, signal, body) else { return 0 };
    let mut events = 0;
    let mut identities = Identities::default();
    let ended = opened.each(signal, |group, record| {
        if let Ok(Mapped::Event(_)) =
            record.and_then(|record| map(group, record, &mut identities, &fingerprint))
        {
            events += 1;
        }
        Ok::<(), ()>(())
    });
    ended.unwrap();
    events
}

fn seeds() -> Vec<(Form, Signal, Vec<u8>)> {
    let resource = object(r#"{"service.name":"litellm","telemetry.sdk.name":"bifrost"}"#);
    let mut call = span(
        "litellm_request",
        3,
        r#"{"gen_ai.operation.name":"chat","gen_ai.request.model":"m","gen_ai.usage.input_tokens":12,
            "gen_ai.input.messages":"[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"hi\"}]}]",
            "gen_ai.output.messages":[{"role":"assistant","tool_calls":[{"id":"1","function":{"name":"f"}}]}],
            "metadata.user_api_key_hash":"sk-1","llm.input_messages.0.message.content":"a","llm.invocation_parameters":"{\"a\":1}",
            "gen_ai.retrieval.documents":[{"id":"d","score":0.5}],"gen_ai.usage.cost":0.25}"#,
    );
    call.events.push(SpanEvent {
        name: "exception".into(),
        attributes: object(r#"{"exception.type":"E","exception.stacktrace":"at x"}"#),
    });
    let management =
        span("/team/new", 1, r#"{"request.team_alias":"a","response.team_id":"t","exception":"x"}"#);
    let guardrail = span("g", 1, r#"{"guardrail_name":"pii","guardrail_status":"guardrail_intervened"}"#);
    let spans = [call, management, guardrail];
    let logs = [
        log(
            "gen_ai.client.inference.operation.details",
            r#"{"gen_ai.request.model":"m","gen_ai.prompt":"p"}"#,
        ),
        log(
            "auth.login",
            r#"{"user.id":"alice","actor.email":"a@example.com","targets":[{"type":"user"}],"changes.before":1}"#,
        ),
    ];
    let (spans, logs) = (Records::Spans(&spans), Records::Logs(&logs));
    let mut all = Vec::new();
    for (signal, records) in [(Signal::Traces, &spans), (Signal::Logs, &logs)] {
        all.push((Form::Protobuf, signal, protobuf(&resource, "litellm", records)));
        all.push((Form::Json, signal, json(&resource, "litellm", records, true, false).into_bytes()));
    }
    all
}

#[test]
fn mutated_bytes_break_nothing() {
    let seeds = seeds();
    for (form, signal, body) in &seeds {
        assert!(take(*form, *signal, body) >= 2, "{form:?} {signal:?}");
    }
    let rounds = if std::env::var_os("INDELIBLE_LONG").is_some() { 400_000 } else { 8_000 };
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let mut taken = 0;
    for _ in 0..rounds {
        let (form, signal, body) = &seeds[chance.next(seeds.len())];
        let mut body = body.clone();
        for _ in 0..1 + chance.next(4) {
            let at = chance.next(body.len());
            match chance.next(6) {
                0 => body[at] = chance.next(256) as u8,
                1 => body[at] ^= 1 << chance.next(8),
                2 => body.truncate(at.max(1)),
                3 => body.insert(at, chance.next(256) as u8),
                4 => drop(body.drain(at..(at + chance.next(16)).min(body.len()))),
                _ => {
                    let piece = body[at..(at + chance.next(64)).min(body.len())].to_vec();
                    let to = chance.next(body.len());
                    body.splice(to..to, piece);
                }
            }
            if body.is_empty() {
                body.push(0);
            }
        }
        taken += take(*form, *signal, &body);
    }
    // The mapping is reached, not only the readers.
    assert!(taken > rounds / 8, "{taken}");
}

#[test]
fn every_beginning_of_a_body_breaks_nothing() {
    for (form, signal, body) in seeds() {
        for end in 0..body.len() {
            take(form, signal, &body[..end]);
        }
    }
}

#[test]
fn what_is_too_much_is_refused() {
    // Two bytes for a span: none of them is kept in memory at once.
    let spans = |n: usize| {
        let scope: Vec<u8> = [0x12, 0].repeat(n);
        let wrap = |field: u8, inside: &[u8]| {
            let mut out = vec![field];
            let mut n = inside.len();
            while n >= 0x80 {
                out.push(n as u8 | 0x80);
                n >>= 7;
            }
            out.push(n as u8);
            out.extend(inside);
            out
        };
        wrap(0x0a, &wrap(0x12, &scope))
    };
    assert_eq!(open(Form::Protobuf, Signal::Traces, &spans(RECORDS_MOST)).unwrap().records, RECORDS_MOST);
    let refused = open(Form::Protobuf, Signal::Traces, &spans(RECORDS_MOST + 1)).map(drop).unwrap_err();
    assert_eq!(refused.code, event::Code::TooLarge);
    let many = format!(
        "{{\"resourceSpans\":[{{\"scopeSpans\":[{{\"spans\":[{}{{}}]}}]}}]}}",
        "{},".repeat(RECORDS_MOST)
    );
    let refused = open(Form::Json, Signal::Traces, many.as_bytes()).map(drop).unwrap_err();
    assert_eq!(refused.code, event::Code::TooLarge);

    // In a record: too many values, too deep ones.
    let mut wide = span("s", 0, "{}");
    wide.attributes.insert("a", Value::Array(vec![Value::Null; 20_000]));
    let mut deep = span("s", 0, "{}");
    deep.attributes.insert("a", (0..30).fold(Value::Null, |inner, _| Value::Array(vec![inner])));
    let deepest = (0..20).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
    let mut fine = span("s", 0, "{}");
    fine.attributes.insert("a", deepest);
    let spans = [wide, deep, fine];
    let records = Records::Spans(&spans);
    for (form, body) in [
        (Form::Protobuf, protobuf(&Object::new(), "", &records)),
        (Form::Json, json(&Object::new(), "", &records, true, false).into_bytes()),
    ] {
        let read = super::records(form, Signal::Traces, &body);
        let codes: Vec<_> = read.iter().map(|(_, record)| record.as_ref().err().map(|e| e.code)).collect();
        assert_eq!(codes, [Some(event::Code::TooLarge), Some(event::Code::TooDeep), None], "{form:?}");
    }
}

#[test]
fn an_event_of_large_texts_still_fits() {
    let text = "word ".repeat(60_000);
    for name in ["gen_ai.input.messages", "gen_ai.output.messages"] {
        let mut call = span("chat m", 3, r#"{"gen_ai.operation.name":"chat"}"#);
        call.attributes.insert(name, text.clone());
        let Ok(Mapped::Event(event)) = mapped(&Group::default(), Record::Span(Box::new(call))) else {
            panic!()
        };
        let home = if name.contains("input") { "prompt_fingerprint" } else { "response_fingerprint" };
        let kept = event.tree().get("llm").unwrap().get(home).unwrap().as_str().unwrap();
        assert_eq!(kept, fingerprint(text.as_bytes()));
        assert!(event.submitted().len() < 2000);
    }
    let mut call = span("chat m", 3, r#"{"gen_ai.operation.name":"chat"}"#);
    for n in 0..2000 {
        call.attributes.insert(format!("x.{n:04}"), "w".repeat(100));
    }
    let Ok(Mapped::Event(event)) = mapped(&Group::default(), Record::Span(Box::new(call))) else { panic!() };
    assert!(event.submitted().len() < 64 << 10);
}
