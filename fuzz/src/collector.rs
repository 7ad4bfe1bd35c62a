//! Splunk's HTTP Event Collector.

use receivers::hec::{ENVELOPE_LIMITS, Mapped, Mapping, Metadata, envelopes, lines};
use redact::Origin;

use crate::check;

fn mapped(bytes: &[u8], mapped: Mapped) {
    match mapped {
        Mapped::Sent(event) => check::event(bytes, &event, Origin::Sender),
        Mapped::Made(events) => events.iter().for_each(|event| check::event(bytes, event, Origin::Adapter)),
    }
}

pub fn event(bytes: &[u8]) {
    let mut mapping = Mapping::new(&check::fingerprint);
    let mut end = 0;
    for range in envelopes(bytes) {
        assert!(range.start >= end && range.end > range.start, "envelopes follow one another");
        end = range.end;
        if let Ok(made) = mapping.envelope(&bytes[range], &ENVELOPE_LIMITS) {
            mapped(bytes, made);
        }
    }
}

pub fn event_seeds() -> Vec<Vec<u8>> {
    check::texts(&[
        r#"{"time":1426279439.123,"host":"h","source":"s","sourcetype":"st","index":"main","event":"Hello SECRET","fields":{"a":"SECRET","b":["1"]}}{"event":{"x":1}}"#,
        "{\"time\":\"1426279439123\",\"event\":{\"type\":\"auth.login\",\"actor\":{\"id\":\"SECRET\"}}}\n\n{\"event\":{\"event_type\":\"llm_request\",\"user_id\":\"u\"}}\r\n{\"event\":\"\"} {\"event\":[1,2,\"}\"]}",
        r#"{"event":{"litellm_call_id":"c","call_type":"acompletion","status":"success","messages":"m","id":"i"}}{"event":{"table_name":"LiteLLM_TeamTable","object_id":"t","action":"created"}}"#,
        "{\"event\":\"cut {\n{\"event\":1}",
    ])
}

/// The first line is what the address says.
pub fn raw(bytes: &[u8]) {
    let (head, body) = bytes.split_at(bytes.iter().position(|b| *b == b'\n').unwrap_or(0));
    let mut metadata = Metadata::default();
    for pair in String::from_utf8_lossy(head).split('&') {
        if let Some((name, value)) = pair.split_once('=') {
            metadata.say(name, value.to_owned());
        }
    }
    let mut mapping = Mapping::new(&check::fingerprint);
    for range in lines(body) {
        if let Ok(made) = mapping.line(&body[range], &metadata, &ENVELOPE_LIMITS) {
            mapped(bytes, made);
        }
    }
}

pub fn raw_seeds() -> Vec<Vec<u8>> {
    check::texts(&[
        "host=h&sourcetype=st&time=1426279439\nfirst line SECRET\nsecond\r\n\n{\"type\":\"auth.login\",\"actor\":{\"id\":\"a\"}}\n",
        "\n{\"event_type\":\"llm_request\",\"user_id\":\"SECRET\"}\nlast",
    ])
}
