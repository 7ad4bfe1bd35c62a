//! The events of the data set as others would send them: as much of each as their form can say.

use std::fmt::Write;

use event::{Limits, Object, Value, json, time};

/// One of the events, with what several forms need of it.
pub(crate) struct Said<'e> {
    event: Value<'e>,
    id: &'e str,
    time: &'e str,
    time_ns: i64,
    kind: &'e str,
}

impl<'e> Said<'e> {
    pub(crate) fn read(bytes: &'e [u8]) -> Said<'e> {
        let event = json::parse(bytes, &Limits::default()).expect("the data set is JSON");
        // Nothing of these is escaped, so they lie in the bytes.
        let text = |name: &str| {
            let text = event.get(name).and_then(Value::as_str).expect("every event of the data set has one");
            let all = std::str::from_utf8(bytes).expect("JSON is UTF-8");
            &all[all.find(text).expect("it is written plainly")..][..text.len()]
        };
        let (id, time, kind) = (text("source_id"), text("time"), text("type"));
        Said { id, time, time_ns: time::parse(time).expect("a time of the data set"), kind, event }
    }

    fn text(&self, pointer: &str) -> &str {
        self.event.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    fn number(&self, pointer: &str) -> i64 {
        self.event.pointer(pointer).and_then(Value::as_i64).unwrap_or(0)
    }

    fn object(&self) -> Object<'static> {
        self.event.as_object().expect("an event is an object").clone().into_owned()
    }

    /// What the conventions of OpenTelemetry have a name for.
    fn named(&self) -> Vec<(&'static str, Value<'_>)> {
        const TEXTS: [(&str, &str); 8] = [
            ("user.id", "/actor/id"),
            ("client.address", "/actor/ip"),
            ("user_agent.original", "/actor/user_agent"),
            ("session.id", "/actor/session_id"),
            ("gen_ai.provider.name", "/llm/provider"),
            ("gen_ai.request.model", "/llm/model"),
            ("app.region", "/attributes/region"),
            ("app.ticket", "/attributes/ticket"),
        ];
        const NUMBERS: [(&str, &str); 2] = [
            ("gen_ai.usage.input_tokens", "/llm/tokens_input"),
            ("gen_ai.usage.output_tokens", "/llm/tokens_output"),
        ];
        let texts = TEXTS.map(|(name, pointer)| (name, Value::from(self.text(pointer))));
        let texts = texts.into_iter().filter(|(_, value)| value.as_str() != Some(""));
        let numbers = NUMBERS.iter().filter(|(_, pointer)| self.event.pointer(pointer).is_some());
        texts.chain(numbers.map(|(name, pointer)| (*name, whole(self.number(pointer))))).collect()
    }
}

fn whole(n: i64) -> Value<'static> {
    Value::integer(n).expect("numbers of the data set are small")
}

/// One a line.
fn lines(all: &[Said<'_>], one: impl Fn(&Said<'_>) -> Value<'static>) -> Vec<u8> {
    let mut out = Vec::new();
    for said in all {
        one(said).write_jcs(&mut out);
        out.push(b'\n');
    }
    out
}

pub(crate) fn native(all: &[Said<'_>]) -> Vec<u8> {
    lines(all, |said| said.event.clone().into_owned())
}

/// As specification 001 prints entries.
pub(crate) fn guide(all: &[Said<'_>]) -> Vec<u8> {
    const NAMES: [(&str, &str); 7] = [
        ("user_id", "/actor/id"),
        ("ip_address", "/actor/ip"),
        ("user_agent", "/actor/user_agent"),
        ("session_id", "/actor/session_id"),
        ("provider", "/llm/provider"),
        ("model", "/llm/model"),
        ("status", "/status"),
    ];
    lines(all, |said| {
        let mut entry = Object::new();
        entry.insert("event_id", said.id.to_owned());
        entry.insert("event_type", said.kind.to_owned());
        entry.insert("timestamp", said.time.to_owned());
        for (name, pointer) in NAMES {
            if let Some(value) = said.event.pointer(pointer) {
                entry.insert(name, value.clone().into_owned());
            }
        }
        if said.event.get("llm").is_some() {
            entry.insert("tokens_input", whole(said.number("/llm/tokens_input")));
            entry.insert("tokens_output", whole(said.number("/llm/tokens_output")));
            entry.insert("prompt_hash", said.text("/llm/prompt_fingerprint").to_owned());
        }
        Value::Object(entry)
    })
}

/// A batch of CloudEvents, each with the whole event as its data.
pub(crate) fn cloudevents(all: &[Said<'_>]) -> Vec<u8> {
    let envelope = |said: &Said<'_>| {
        let mut data = said.object();
        let mut envelope = Object::new();
        envelope.insert("specversion", "1.0");
        envelope.insert("dataschema", "urn:indelible:event:1");
        for (theirs, ours) in
            [("type", "type"), ("time", "time"), ("id", "source_id"), ("source", "producer")]
        {
            envelope.insert(theirs, data.remove(ours).expect("every event of the data set has it"));
        }
        envelope.insert("data", data);
        Value::Object(envelope)
    };
    Value::Array(all.iter().map(envelope).collect()).to_jcs()
}

/// Envelopes of Splunk's collector around the events.
pub(crate) fn collector(all: &[Said<'_>]) -> Vec<u8> {
    lines(all, |said| {
        let mut envelope = Object::new();
        envelope.insert("event", said.object());
        envelope.insert("host", "gateway");
        envelope.insert("sourcetype", "gateway:audit");
        Value::Object(envelope)
    })
}

/// Calls as a LiteLLM proxy sent one, with the names and numbers of the event.
pub(crate) fn litellm(all: &[Said<'_>]) -> Vec<u8> {
    const CAPTURED: &[u8] =
        include_bytes!("../../tests/fixtures/litellm/litellm-1.105.3-generic_api-json_array.json");
    let captured = json::parse(CAPTURED, &Limits { max_bytes: 1 << 20, max_depth: 64 }).expect("it is JSON");
    let call = captured.as_array().and_then(|all| all.first()).expect("it has a call").as_object();
    let call = call.expect("a call is an object").clone().into_owned();
    lines(all, |said| {
        let mut call = call.clone();
        let seconds = said.time_ns as f64 / 1e9;
        call.insert("litellm_call_id", said.id.to_owned());
        call.insert("id", format!("chatcmpl-{}", said.id));
        call.insert("startTime", Value::number(seconds - 0.5).expect("a number"));
        call.insert("endTime", Value::number(seconds).expect("a number"));
        call.insert("end_user", said.text("/actor/id").to_owned());
        call.insert("requester_ip_address", said.text("/actor/ip").to_owned());
        call.insert("model", said.text("/llm/model").to_owned());
        call.insert("prompt_tokens", whole(said.number("/llm/tokens_input")));
        call.insert("completion_tokens", whole(said.number("/llm/tokens_output")));
        Value::Object(call)
    })
}

/// Rows of LiteLLM's audit log.
pub(crate) fn rows(all: &[Said<'_>]) -> Vec<u8> {
    lines(all, |said| {
        let mut row = Object::new();
        row.insert("id", said.id.to_owned());
        row.insert("updated_at", said.time.to_owned());
        row.insert("changed_by", said.text("/actor/id").to_owned());
        row.insert("changed_by_api_key", said.text("/llm/prompt_fingerprint").to_owned());
        row.insert("action", "updated");
        row.insert("table_name", "LiteLLM_TeamTable");
        row.insert("object_id", said.text("/actor/session_id").to_owned());
        row.insert("before_value", r#"{"max_budget": 100.0, "team_alias": "assistant"}"#);
        row.insert("updated_values", r#"{"max_budget": 250.0}"#);
        Value::Object(row)
    })
}

/// Records as CloudTrail writes them.
pub(crate) fn cloudtrail(all: &[Said<'_>]) -> Vec<u8> {
    let record = |said: &Said<'_>| {
        let mut user = Object::new();
        user.insert("type", "IAMUser");
        user.insert("userName", said.text("/actor/id").to_owned());
        user.insert("arn", format!("arn:aws:iam::123456789012:user/{}", said.text("/actor/id")));
        user.insert("accountId", "123456789012");
        let mut record = Object::new();
        record.insert("eventVersion", "1.11");
        record.insert("eventID", said.id.to_owned());
        record.insert("eventTime", said.time.to_owned());
        record.insert("eventSource", "bedrock.amazonaws.com");
        record.insert("eventName", "InvokeModel");
        record.insert("awsRegion", said.text("/attributes/region").to_owned());
        record.insert("sourceIPAddress", said.text("/actor/ip").to_owned());
        record.insert("userAgent", said.text("/actor/user_agent").to_owned());
        record.insert("userIdentity", user);
        Value::Object(record)
    };
    let mut document = Object::new();
    document.insert("Records", Value::Array(all.iter().map(record).collect()));
    Value::Object(document).to_jcs()
}

/// A message of syslog with a body in CEF, one a line.
pub(crate) fn cef(all: &[Said<'_>]) -> Vec<u8> {
    let mut out = String::new();
    for said in all {
        let _ = writeln!(
            out,
            "<134>1 {} gateway audit - - - CEF:0|Gateway|Gateway|1.0|{}|event|3|suser={} src={} externalId={} \
             requestClientApplication={} cs1Label=model cs1={}",
            said.time,
            said.kind,
            said.text("/actor/id"),
            said.text("/actor/ip"),
            said.id,
            said.text("/actor/user_agent").replace('=', "\\="),
            said.text("/llm/model"),
        );
    }
    out.into_bytes()
}

/// Log records of OpenTelemetry in JSON.
pub(crate) fn otlp_json(all: &[Said<'_>]) -> Vec<u8> {
    let pair = |name: &str, value: Value<'static>| {
        let (kind, value) = match value.as_i64() {
            Some(n) => ("intValue", Value::from(n.to_string())),
            None => ("stringValue", value),
        };
        let mut said = Object::new();
        said.insert(kind, value);
        let mut pair = Object::new();
        pair.insert("key", name.to_owned());
        pair.insert("value", said);
        Value::Object(pair)
    };
    let record = |said: &Said<'_>| {
        let mut attributes = vec![pair("log.record.uid", Value::from(said.id.to_owned()))];
        attributes.extend(said.named().into_iter().map(|(name, value)| pair(name, value.into_owned())));
        let mut record = Object::new();
        record.insert("timeUnixNano", said.time_ns.to_string());
        record.insert("severityNumber", whole(9));
        record.insert("eventName", said.kind.to_owned());
        record.insert("traceId", said.text("/trace_id").to_owned());
        record.insert("attributes", attributes);
        Value::Object(record)
    };
    let inside = |name: &'static str, value: Value<'static>| {
        let mut members = Object::new();
        members.insert(name, value);
        members
    };
    let mut scope = inside("logRecords", Value::Array(all.iter().map(record).collect()));
    scope.insert("scope", inside("name", Value::from("bench")));
    let mut resource = inside("scopeLogs", Value::from(vec![Value::Object(scope)]));
    resource.insert(
        "resource",
        inside("attributes", Value::from(vec![pair("service.name", Value::from("gateway"))])),
    );
    Value::Object(inside("resourceLogs", Value::from(vec![Value::Object(resource)]))).to_jcs()
}

/// The same in protobuf.
pub(crate) fn otlp_logs(all: &[Said<'_>]) -> Vec<u8> {
    request(all, |said| {
        let mut record = Vec::new();
        fixed(1, said.time_ns as u64, &mut record);
        varint(2 << 3, &mut record);
        varint(9, &mut record);
        bytes(6, &pair("log.record.uid", &Value::from(said.id)), &mut record);
        said.named().iter().for_each(|(name, value)| bytes(6, &pair(name, value), &mut record));
        bytes(9, &hex(said.text("/trace_id")), &mut record);
        bytes(12, said.kind.as_bytes(), &mut record);
        record
    })
}

/// Spans of calls to a model, with a prompt and an answer, in protobuf.
pub(crate) fn otlp_spans(all: &[Said<'_>]) -> Vec<u8> {
    const PROMPT: &str = r#"[{"role":"user","parts":[{"type":"text","content":"Which of our suppliers changed their terms last week, and for which of them do we have to answer before Friday?"}]}]"#;
    const ANSWER: &str = r#"[{"role":"assistant","parts":[{"type":"text","content":"Two of them: the answer to the first is due on Thursday."}],"finish_reason":"stop"}]"#;
    request(all, |said| {
        let id = hex(&said.id.replace('-', ""));
        let mut span = Vec::new();
        bytes(1, &hex(said.text("/trace_id")), &mut span);
        // The end of a random UUID.
        bytes(2, &id[8..], &mut span);
        bytes(5, b"chat", &mut span);
        varint(6 << 3, &mut span);
        varint(3, &mut span);
        fixed(7, said.time_ns as u64 - 500_000_000, &mut span);
        fixed(8, said.time_ns as u64, &mut span);
        let model = [
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.input.messages", PROMPT),
            ("gen_ai.output.messages", ANSWER),
        ];
        model.iter().for_each(|(name, value)| bytes(9, &pair(name, &Value::from(*value)), &mut span));
        said.named().iter().for_each(|(name, value)| bytes(9, &pair(name, value), &mut span));
        span
    })
}

/// One resource, one scope, and the records in it.
fn request(all: &[Said<'_>], record: impl Fn(&Said<'_>) -> Vec<u8>) -> Vec<u8> {
    let (mut resource, mut scope, mut scoped, mut group, mut out) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    bytes(1, &pair("service.name", &Value::from("gateway")), &mut resource);
    bytes(1, b"bench", &mut scope);
    bytes(1, &scope, &mut scoped);
    all.iter().for_each(|said| bytes(2, &record(said), &mut scoped));
    bytes(1, &resource, &mut group);
    bytes(2, &scoped, &mut group);
    bytes(1, &group, &mut out);
    out
}

fn varint(mut n: u64, out: &mut Vec<u8>) {
    while n > 0x7f {
        out.push((n & 0x7f) as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn bytes(field: u64, inside: &[u8], out: &mut Vec<u8>) {
    varint(field << 3 | 2, out);
    varint(inside.len() as u64, out);
    out.extend(inside);
}

fn fixed(field: u64, n: u64, out: &mut Vec<u8>) {
    varint(field << 3 | 1, out);
    out.extend(n.to_le_bytes());
}

fn pair(name: &str, value: &Value<'_>) -> Vec<u8> {
    let mut said = Vec::new();
    match value.as_i64() {
        Some(n) => {
            varint(3 << 3, &mut said);
            varint(n as u64, &mut said);
        }
        None => bytes(1, value.as_str().unwrap_or_default().as_bytes(), &mut said),
    }
    let mut out = Vec::new();
    bytes(1, name.as_bytes(), &mut out);
    bytes(2, &said, &mut out);
    out
}

fn hex(digits: &str) -> Vec<u8> {
    let byte = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).expect("digits are ASCII");
        u8::from_str_radix(text, 16).expect("hexadecimal digits")
    };
    digits.as_bytes().chunks(2).map(byte).collect()
}
