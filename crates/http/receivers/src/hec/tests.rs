use event::Value;
use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

/// Looks like a keyed one, and says what it was made of.
fn fingerprint(bytes: &[u8]) -> String {
    let fnv = |hash: u64, b: &u8| (hash ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3);
    format!("test:{:016x}", bytes.iter().fold(0xcbf2_9ce4_8422_2325, fnv))
}

fn told(mapped: Result<Mapped, event::Refusal>) -> String {
    match mapped {
        Ok(Mapped::Sent(event)) => format!("sent {}", text(&event)),
        Ok(Mapped::Made(events)) => events.iter().map(text).collect::<Vec<_>>().join("\n"),
        Err(refusal) => format!("{} {refusal}", code_of(&refusal).code),
    }
}

fn text(event: &event::Event<'_>) -> String {
    String::from_utf8(Value::Object(event.tree().clone()).to_jcs()).unwrap()
}

fn all(body: &str) -> String {
    let mut mapping = Mapping::new(&fingerprint);
    let body = body.as_bytes();
    let told = envelopes(body).map(|range| told(mapping.envelope(&body[range], &ENVELOPE_LIMITS)));
    told.collect::<Vec<_>>().join("\n")
}

fn check(body: &str, expect: Expect) {
    expect.assert_eq(&(all(body) + "\n"));
}

/// Examples of Splunk's page "Format events for HTTP Event Collector".
#[test]
fn the_examples_of_splunk_s_documentation() {
    check(
        r#"{
            "time": 1426279439, // is not JSON
            "host": "localhost"
        }"#,
        expect![[r#"
            6 event: expected a key in quotes (byte 34)
        "#]],
    );
    check(
        r#"{
            "time": 1426279439.123,
            "host": "localhost",
            "source": "random-data-generator",
            "sourcetype": "my_sample_data",
            "index": "main",
            "event":  "Hello world!"
        }"#,
        expect![[r#"
            {"attributes":{"host":"localhost","index":"main","source":"random-data-generator","sourcetype":"my_sample_data"},"message":"Hello world!","producer":"splunk-hec","source_id":"hec:test:b9fb0df4d7e99406","time":"2015-03-13T20:43:59.123Z","type":"log.entry"}
        "#]],
    );
    check(
        r#"{"event":"event 1"}{"event":"event 2", "time":1447828325}"#,
        expect![[r#"
            {"message":"event 1","producer":"splunk-hec","type":"log.entry"}
            {"message":"event 2","producer":"splunk-hec","source_id":"hec:test:253bfab07d2db482","time":"2015-11-18T06:32:05Z","type":"log.entry"}
        "#]],
    );
    check(
        r#"{"event": {"message": "Access log test message!","severity": "info"}, "fields": {"club":"glee", "wins":["regionals","nationals"]}}"#,
        expect![[r#"
            {"attributes":{"event":{"message":"Access log test message!","severity":"info"},"fields":{"club":"glee","wins":["regionals","nationals"]}},"producer":"splunk-hec","type":"log.entry"}
        "#]],
    );
}

#[test]
fn events_of_ours_and_of_neighbours_are_what_they_are() {
    check(
        r#"{"time":"1426279439.5","host":"gw-1","event":{"type":"auth.login","actor":{"id":"alice"},"attributes":{"host":"mine"}}}
           {"time":1426279439,"event":{"type":"auth.login","source_id":"7","producer":"app","time":"2026-01-01T00:00:00Z"}}
           {"event":{"id":"9f","updated_at":"2026-01-01T00:00:00Z","changed_by":"alice","action":"updated","table_name":"LiteLLM_TeamTable","object_id":"team-1"}}
           {"event":{"event_type":"llm.completion","user_id":"u","model":"m"}}
           {"event":{"event_type":"click","latency_ms":"fast"}}
           {"event":{"type":"click","x":1}}"#,
        expect![[r#"
            sent {"actor":{"id":"alice"},"attributes":{"host":"mine"},"producer":"splunk-hec","source_id":"hec:test:de79a7a85a424893","time":"2015-03-13T20:43:59.500Z","type":"auth.login"}
            sent {"producer":"app","source_id":"7","time":"2026-01-01T00:00:00Z","type":"auth.login"}
            {"action":"updated","actor":{"id":"alice","type":"user"},"attributes":{"litellm":{"table_name":"LiteLLM_TeamTable"}},"producer":"litellm","source_id":"audit:9f","status":"success","targets":[{"id":"team-1","type":"team"}],"time":"2026-01-01T00:00:00Z","type":"team.updated"}
            sent {"actor":{"id":"u"},"llm":{"model":"m"},"producer":"splunk-hec","type":"llm.completion"}
            {"attributes":{"event":{"event_type":"click","latency_ms":"fast"}},"producer":"splunk-hec","type":"log.entry"}
            {"attributes":{"event":{"type":"click","x":1}},"producer":"splunk-hec","type":"log.entry"}
        "#]],
    );
}

#[test]
fn what_is_wrong_is_told_by_the_table_of_codes() {
    let code = |body: &str| all(body).split(' ').next().unwrap().to_owned();
    assert_eq!(code(r#"{"event":""}"#), "13");
    assert_eq!(code(r#"{"event":null}"#), "12");
    assert_eq!(code(r#"{"host":"a"}"#), "12");
    assert_eq!(code(r#"{"event":1,"index":7}"#), "7");
    assert_eq!(code(r#"{"event":1,"fields":{"a":{"b":1}}}"#), "15");
    assert_eq!(code(r#"{"event":1,"fields":"a=b"}"#), "15");
    assert_eq!(code(r#"{"event":1,"time":"noon"}"#), "6");
    assert_eq!(code(r#"{"event":1,"host":{}}"#), "6");
    assert_eq!(code(r#"[{"event":1}]"#), "6");
    assert_eq!(code("nonsense"), "6");
}

#[test]
fn equal_envelopes_of_a_body_are_told_apart_and_equal_bodies_are_not() {
    let body = r#"{"time":1,"event":"a"}{"event":"a","time":1} {"time":1,"event":"b"}{"event":"a"}"#;
    let ids = |body: &str| -> Vec<String> {
        let mut mapping = Mapping::new(&fingerprint);
        let id = |range: std::ops::Range<usize>| match mapping
            .envelope(&body.as_bytes()[range], &ENVELOPE_LIMITS)
            .unwrap()
        {
            Mapped::Made(events) => events[0].source_id().unwrap_or("none").to_owned(),
            Mapped::Sent(_) => panic!("none of these is ours"),
        };
        envelopes(body.as_bytes()).map(id).collect()
    };
    let first = ids(body);
    assert_eq!(first, ids(body));
    assert_eq!(first[1], format!("{}:2", first[0]));
    assert_ne!(first[2], first[0]);
    assert_eq!(first[3], "none");
}

#[test]
fn lines_become_messages() {
    let mut metadata = Metadata::default();
    metadata.say("host", "h".into());
    metadata.say("sourcetype", "linux_secure".into());
    metadata.say("nonsense", "x".into());
    let body = b"one\r\n\n  \n{\"type\":\"auth.login\"}\n{\"a\":\n\xff\xfe two".as_slice();
    let mut mapping = Mapping::new(&fingerprint);
    let told: Vec<String> =
        lines(body).map(|range| told(mapping.line(&body[range], &metadata, &ENVELOPE_LIMITS))).collect();
    expect![[r#"
        {"attributes":{"host":"h","sourcetype":"linux_secure"},"message":"one","producer":"splunk-hec","type":"log.entry"}
        sent {"attributes":{"host":"h","sourcetype":"linux_secure"},"producer":"splunk-hec","type":"auth.login"}
        {"attributes":{"host":"h","sourcetype":"linux_secure"},"message":"{\"a\":","producer":"splunk-hec","type":"log.entry"}
        {"attributes":{"host":"h","not_utf8":true,"sourcetype":"linux_secure"},"message":"�� two","producer":"splunk-hec","type":"log.entry"}"#]]
    .assert_eq(&told.join("\n"));
}

#[test]
fn a_long_message_is_cut_off_and_that_is_said() {
    let told = all(&format!(r#"{{"event":"{}é"}}"#, "x".repeat(65_536)));
    assert!(
        told.contains(
            r#""redactions":[{"action":"drop","path":"/message","rule":"hec.too_large","size":2}]"#
        )
    );
    assert!(all(&format!(r#"{{"event":["{}"]}}"#, "x".repeat(300_000))).starts_with("6 "));
}

#[test]
fn envelopes_are_found_also_after_broken_ones() {
    let found = |body: &str| -> Vec<String> {
        envelopes(body.as_bytes()).map(|range| body[range].trim_end().to_owned()).collect()
    };
    assert_eq!(found(r#"{"a":"}{"}{}  {"b":[{}]}"#), [r#"{"a":"}{"}"#, "{}", r#"{"b":[{}]}"#]);
    assert_eq!(found("{\"a\":\"cut\n{\"b\":1}{}"), ["{\"a\":\"cut", "{\"b\":1}", "{}"]);
    assert_eq!(found("{\"a\":[1\n{\"b\":1}\n{}"), ["{\"a\":[1", "{\"b\":1}", "{}"]);
    assert_eq!(found("junk {}\n{}"), ["junk {}", "{}"]);
    assert_eq!(found(" \n\t"), Vec::<String>::new());
    assert_eq!(found("}{"), ["}{"]);
}

#[test]
fn a_body_that_opens_and_never_closes_is_read_in_one_pass() {
    let body = "{\n".repeat(1 << 20);
    assert_eq!(envelopes(body.as_bytes()).count(), 1 << 20);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Whatever is made of good bodies: no panic, every byte that is no blank lies in one envelope, and what comes out is
    /// an event.
    #[test]
    fn bodies_that_were_changed_are_survived(
        seed in 0usize..4, edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..3), 0..12)
    ) {
        const SEEDS: [&str; 4] = [
            r#"{"time":1426279439.123,"host":"h","event":"Hello"}{"event":{"type":"auth.login"},"fields":{"a":["b"]}}"#,
            "{\"event\":1}\n{\"event\":\"\\u00e9\\\"\"}\r\n{\"event\":[{}]}",
            r#"{"event":{"event_type":"llm.completion","user_id":"u","tools_called":["t"]},"time":"1"}"#,
            "line one\nline two {\"event\":1}\n\n",
        ];
        let mut body = SEEDS[seed].as_bytes().to_vec();
        for (at, byte, what) in edits {
            if body.is_empty() { break }
            let at = at.index(body.len());
            match what { 0 => body[at] = byte, 1 => body.insert(at, byte), _ => drop(body.remove(at)) }
        }
        let mut mapping = Mapping::new(&fingerprint);
        let mut covered = 0;
        for range in envelopes(&body) {
            prop_assert!(body[covered..range.start].iter().all(u8::is_ascii_whitespace));
            covered = range.end;
            let limits = Limits::default();
            if let Ok(Mapped::Made(events)) = mapping.envelope(&body[range], &limits) {
                for event in events {
                    prop_assert!(event::Event::parse(&event.submitted(), &limits).is_ok());
                }
            }
        }
        prop_assert!(body[covered..].iter().all(u8::is_ascii_whitespace));
        for range in lines(&body) {
            let _ = mapping.line(&body[range], &Metadata::default(), &Limits::default());
        }
    }
}
