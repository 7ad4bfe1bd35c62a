use super::*;
use crate::field::{FIELDS, Node, Shape};
use crate::spec::{HOMES, Spec};
use crate::{Stored, assemble};

/// Core and sections of an event, or why it was refused.
fn told(input: &str) -> String {
    let event = match Event::parse(input.as_bytes(), &Limits::default()) {
        Ok(event) => event,
        Err(refusal) => return format!("{}: {refusal}", refusal.code),
    };
    let core = event.core();
    let time = core.time_ns.map_or("-".to_string(), time::format_ns);
    let mut out = format!(
        "{} {time} status={} severity={} producer={}#{}",
        core.kind, core.status, core.severity, core.producer, core.producer_seq
    );
    for (name, body) in event.sections() {
        out += &format!("\n{name} {}", String::from_utf8(body).unwrap());
    }
    out
}

#[track_caller]
fn check(input: &str, expect: &str) {
    assert_eq!(told(input), expect);
}

#[test]
fn an_event_is_split_into_core_and_sections() {
    check(r#"{"type":"auth.login"}"#, "auth.login - status=0 severity=1 producer=#0");
    check(
        r#"{"type":"key.updated","time":"2024-01-15T11:30:00.5+01:00","status":"success","severity":"high",
            "producer":"gateway-1","producer_seq":7,"organisation":"acme","source_id":"evt_1","message":"raised a limit",
            "actor":{"ip":"203.0.113.42","email":"alice@company.com"},"targets":[{"type":"key","id":"k1"}],
            "changes":{"before":null,"after":{"max_budget":"50"}},"redactions":[{"path":"/message","rule":"email"}],
            "attributes":{"b":1,"a":[null]}}"#,
        r#"key.updated 2024-01-15T10:30:00.500Z status=1 severity=4 producer=gateway-1#7
content {"changes":{"after":{"max_budget":"50"},"before":null},"message":"raised a limit"}
redactions {"redactions":[{"path":"/message","rule":"email"}]}
what {"attributes":{"a":[null],"b":1},"source_id":"evt_1","targets":[{"id":"k1","type":"key"}]}
who {"actor":{"email":"alice@company.com","ip":"203.0.113.42"}}"#,
    );
}

#[test]
fn words_the_leaf_has_no_number_for_are_kept() {
    check(
        r#"{"type":"Payment Made","status":"exploded","severity":"debug"}"#,
        "other - status=255 severity=255 producer=#0\nwhat {\"severity\":\"debug\",\"status\":\"exploded\",\"type\":\"Payment Made\"}",
    );
    check(r#"{"type":"payment.made"}"#, "payment.made - status=0 severity=0 producer=#0");
    check(
        r#"{"type":"a.b","status":"Failure","severity":"WARNING"}"#,
        "a.b - status=2 severity=3 producer=#0",
    );
    check(r#"{"type":"other"}"#, "other - status=0 severity=1 producer=#0");
    let long = "a".repeat(65);
    check(
        &format!(r#"{{"type":"{long}"}}"#),
        &format!("other - status=0 severity=1 producer=#0\nwhat {{\"type\":\"{long}\"}}"),
    );
}

#[test]
fn an_id_is_a_source_id() {
    let what = "auth.login - status=0 severity=1 producer=#0\nwhat {\"source_id\":\"x\"}";
    check(r#"{"type":"auth.login","id":"x"}"#, what);
    check(r#"{"type":"auth.login","id":"x","source_id":"x"}"#, what);
    check(
        r#"{"type":"auth.login","id":"x","source_id":"y"}"#,
        "conflict: /id: `id` and `source_id` are two names for one thing, and differ",
    );
}

#[test]
fn null_says_nothing() {
    check(
        r#"{"type":"auth.login","time":null,"actor":{"id":"a","email":null,"claimed":null},"llm":null,"content":{"prompt":null},"attributes":{"a":null}}"#,
        "auth.login - status=0 severity=1 producer=#0\ncontent {\"content\":{\"prompt\":null}}\nwhat {\"attributes\":{\"a\":null}}\nwho {\"actor\":{\"id\":\"a\"}}",
    );
    check(r#"{"type":null}"#, "missing: /type: an event says at least its type");
    check(
        r#"{"type":"a","targets":[null]}"#,
        "wrong_type: /targets/0: expected an object with only the fields of this table, found null",
    );
}

#[test]
fn what_does_not_fit_is_refused_with_its_place() {
    check("[]", "wrong_type: event: expected an object, found an array");
    check("{}", "missing: /type: an event says at least its type");
    check(
        r#"{"type":""}"#,
        "bad_value: /type: not a name or id of 1 to 256 characters, no control characters",
    );
    check(
        r#"{"type":"a\nb"}"#,
        "bad_value: /type: not a name or id of 1 to 256 characters, no control characters",
    );
    check(
        r#"{"type":7}"#,
        "wrong_type: /type: expected a name or id of 1 to 256 characters, no control characters, found a number",
    );
    check(r#"{"type":"a","actor":{"ip":"localhost"}}"#, "bad_value: /actor/ip: not an IP address");
    check(
        r#"{"type":"a","time":"yesterday"}"#,
        "bad_value: /time: not an RFC 3339 time, such as 2024-01-15T10:30:00.123Z",
    );
    check(
        r#"{"type":"a","time":1705314645}"#,
        "wrong_type: /time: expected a time as RFC 3339 with an offset, found a number",
    );
    check(
        r#"{"type":"a","llm":{"tokens_input":-1}}"#,
        "bad_value: /llm/tokens_input: not a whole number from 0 to 2^53−1",
    );
    check(
        r#"{"type":"a","llm":{"tokens_input":1.5}}"#,
        "bad_value: /llm/tokens_input: not a whole number from 0 to 2^53−1",
    );
    check(
        r#"{"type":"a","llm":{"stream":"yes"}}"#,
        "wrong_type: /llm/stream: expected true or false, found a string",
    );
    check(
        r#"{"type":"a","llm":{"cost":0.0031}}"#,
        "wrong_type: /llm/cost: expected a decimal as a string, such as \"0.0031\", found a number",
    );
    for cost in [
        "",
        "-",
        ".5",
        "1.",
        "1e5",
        "+1",
        "1,5",
        "1234567890123456789",
        "1.1234567890123456789",
        "1.2.3",
        "٣",
    ] {
        check(
            &format!(r#"{{"type":"a","llm":{{"cost":"{cost}"}}}}"#),
            "bad_value: /llm/cost: not a decimal as a string, such as \"0.0031\"",
        );
    }
    check(
        r#"{"type":"a","llm":{"documents":[{"id":"d"},{"score":"high"}]}}"#,
        "wrong_type: /llm/documents/1/score: expected a number, found a string",
    );
    check(
        r#"{"type":"a","llm":{"documents":{}}}"#,
        "wrong_type: /llm/documents: expected an array, found an object",
    );
    check(
        r#"{"type":"a","producer":"a b"}"#,
        "bad_value: /producer: not a producer's name: 1 to 64 of A-Z a-z 0-9 . _ : / -",
    );
    check(
        r#"{"type":"a","producer":"p","producer_seq":0}"#,
        "bad_value: /producer_seq: not a whole number from 1 to 2^53−1",
    );
    check(
        r#"{"type":"a","producer_seq":1}"#,
        "conflict: /producer_seq: a number in a producer's sequence, but no `producer`",
    );
    check(
        r#"{"type":"a","retention":"Long"}"#,
        "bad_value: /retention: not a retention class: 1 to 32 of a-z 0-9 _ -",
    );
}

#[test]
fn unknown_names_get_a_hint() {
    check(
        r#"{"type":"a","tpye":"b"}"#,
        "unknown_field: /tpye: not a field here; what has no field of its own goes in `attributes`",
    );
    check(
        r#"{"type":"a","mesage":"b"}"#,
        "unknown_field: /mesage: not a field here; `message` is near; anything else goes in `attributes`",
    );
    check(
        r#"{"type":"a","timestamp":"b"}"#,
        "unknown_field: /timestamp: not a field here; its home is `time`",
    );
    check(
        r#"{"type":"a","prompt_hash":"b"}"#,
        "unknown_field: /prompt_hash: not a field here; its home is `llm.prompt_fingerprint`",
    );
    check(
        r#"{"type":"a","actor":{"user_id":"b"}}"#,
        "unknown_field: /actor/user_id: not a field here; its home is `actor.id`",
    );
    check(
        r#"{"type":"a","llm":{"tokens_inputs":1}}"#,
        "unknown_field: /llm/tokens_inputs: not a field here; `tokens_input` is near; anything else goes in `attributes`",
    );
    check(
        r#"{"type":"a","tenant":"b"}"#,
        "unknown_field: /tenant: not a field here; what has no field of its own goes in `attributes`",
    );
    check(
        &format!(r#"{{"type":"a","{}":1}}"#, "x".repeat(300)),
        &format!(
            "unknown_field: /{}…: not a field here; what has no field of its own goes in `attributes`",
            "x".repeat(128)
        ),
    );
    // A name that sorts between ours, or before and after them all.
    for name in ["", "!", "type\u{0}", "zzz", "\u{fb33}", "😀", "Type"] {
        let tree = Value::object([("type", Value::from("a")), (name, Value::from(1))]).unwrap();
        assert_eq!(
            Event::from_value(tree, &Limits::default()).unwrap_err().code,
            Code::UnknownField,
            "{name:?}"
        );
    }
}

#[test]
fn adapters_are_held_to_the_same_limits() {
    let nested = (0..63).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
    let event = |attribute: Value<'static>| {
        let attributes = Value::object([("a", attribute)]).unwrap();
        Event::from_value(
            Value::object([("type", Value::from("x")), ("attributes", attributes)]).unwrap(),
            &Limits::default(),
        )
    };
    assert!(event(nested.clone()).is_err_and(|refusal| refusal.code == Code::TooDeep));
    let Value::Array(mut nested) = nested else { unreachable!() };
    assert!(event(nested.pop().unwrap()).is_ok());
    assert!(event("x".repeat(256 * 1024).into()).is_err_and(|refusal| refusal.code == Code::TooLarge));
}

#[test]
fn submitted_does_not_depend_on_how_it_was_written() {
    let read = |text: &str| Event::parse(text.as_bytes(), &Limits::default()).unwrap().submitted();
    let one =
        read(r#"{"type":"a.b","id":"1","attributes":{"x":1.0,"y":"\u0041"},"actor":{"id":"a","name":null}}"#);
    let same =
        read(r#" { "actor" : {"id":"a"}, "attributes":{"y":"A","x":1e0}, "source_id":"1", "type":"a.b" }"#);
    assert_eq!(one, same);
    assert_ne!(one, read(r#"{"type":"a.b","id":"1","attributes":{"x":1.5,"y":"A"},"actor":{"id":"a"}}"#));
}

fn stored<'a>(core: &'a Core<'a>, sections: &'a [(&'static str, Vec<u8>)]) -> Stored<'a> {
    Stored {
        id: *b"\x01\x93\x0f\xb9\x7f\xe0\x7a\xbc\x8d\xef\x01\x23\x45\x67\x89\xab",
        position: 42,
        received_ms: 1_705_314_646_001,
        time_ns: core.time_ns.unwrap_or(0),
        kind: &core.kind,
        status: core.status,
        severity: core.severity,
        producer: &core.producer,
        producer_seq: core.producer_seq,
        sections: sections.iter().map(|(name, body)| (*name, Some(body.as_slice()))).collect(),
        organisation: "acme",
    }
}

#[test]
fn what_was_stored_is_shown_again() {
    let text = br#"{"type":"Odd Type","status":"exploded","time":"2024-01-15T10:30:45Z","id":"evt","producer":"p","producer_seq":3,"message":"m","actor":{"id":"a"}}"#;
    let event = Event::parse(text, &Limits::default()).unwrap();
    let sections = event.sections();
    let mut stored = stored(event.core(), &sections);
    let shown = |stored: &Stored<'_>| String::from_utf8(assemble(stored).unwrap().to_jcs()).unwrap();
    assert_eq!(
        shown(&stored),
        r#"{"actor":{"id":"a"},"id":"01930fb9-7fe0-7abc-8def-0123456789ab","message":"m","organisation":"acme","position":42,"producer":"p","producer_seq":3,"received":"2024-01-15T10:30:46.001Z","severity":"info","source_id":"evt","status":"exploded","time":"2024-01-15T10:30:45Z","type":"Odd Type"}"#
    );
    for section in &mut stored.sections {
        section.1 = None;
    }
    assert_eq!(
        shown(&stored),
        r#"{"erased":["content","what","who"],"id":"01930fb9-7fe0-7abc-8def-0123456789ab","organisation":"acme","position":42,"producer":"p","producer_seq":3,"received":"2024-01-15T10:30:46.001Z","severity":"info","status":"other","time":"2024-01-15T10:30:45Z","type":"other"}"#
    );
    // Beyond what JSON numbers hold, and a number of a later version.
    stored.position = u64::MAX;
    stored.status = 77;
    let value = assemble(&stored).unwrap();
    assert_eq!(value.get("position").and_then(Value::as_str), Some("18446744073709551615"));
    assert_eq!(value.get("status").and_then(Value::as_str), Some("other"));
    stored.sections = vec![("who", Some(b"[]"))];
    assert!(assemble(&stored).is_err());
    stored.sections = vec![("who", Some(b"{"))];
    assert!(assemble(&stored).is_err());
}

#[test]
fn redaction_changes_sections_but_not_the_core() {
    let text = br#"{"type":"a.b","status":"ok","actor":{"ip":"203.0.113.42"},"message":"m"}"#;
    let mut event = Event::parse(text, &Limits::default()).unwrap().into_owned();
    let core = event.core().clone();
    event.tree_mut().insert("actor", Value::object([("ip", Value::from("[ip]"))]).unwrap());
    event.tree_mut().remove("message");
    event.tree_mut().remove("status");
    assert_eq!(*event.core(), core);
    assert_eq!(event.sections(), [("who", br#"{"actor":{"ip":"[ip]"}}"#.to_vec())]);
}

// The four specifications.

/// The dotted names of all that an example says.
fn leaves(value: &Value<'_>, prefix: &str, out: &mut Vec<String>) {
    let Value::Object(members) = value else { return out.push(prefix.to_string()) };
    for (name, value) in members.iter() {
        let path = if prefix.is_empty() { name.to_string() } else { format!("{prefix}.{name}") };
        leaves(value, &path, out);
    }
}

#[test]
fn every_field_of_the_specifications_examples_has_a_home() {
    let guide = r#"{"timestamp":"2024-01-15T10:30:45.123Z","event_id":"evt_abc123xyz","event_type":"llm.completion",
        "user_id":"user_456","session_id":"sess_789","ip_address":"192.168.1.100","user_agent":"Mozilla/5.0...",
        "action":"generate","model":"gpt-4-turbo","prompt_hash":"sha256:abc123...","tokens_input":150,"tokens_output":280,
        "rag_documents":["doc_123","doc_456"],"tools_called":["search_database"],"status":"success","latency_ms":1250,
        "guardrails_triggered":[],"environment":"production","app_version":"2.1.0","trace_id":"trace_xyz789"}"#;
    let guide_logger = r#"{"timestamp":"","event_type":"llm.completion","user_id":"","session_id":"","model":"",
        "prompt_hash":"","response_hash":"","tokens_input":0,"tokens_output":0,"latency_ms":0,"rag_documents":[],
        "tools_called":[],"guardrails_triggered":[],"status":"success"}"#;
    let guide_guardrail = r#"{"timestamp":"","event_type":"guardrail.block","user_id":"","rule_triggered":"","content_hash":""}"#;
    let bifrost = r#"{"event_id":"evt_001","timestamp":"2024-01-15T10:30:00.123Z","event_type":"authentication",
        "action":"user_login","status":"failed","severity":"medium",
        "actor":{"user_id":"user-alice-001","email":"alice@company.com","ip_address":"203.0.113.42"},
        "details":{"auth_method":"password","failure_reason":"invalid_password","attempts_count":3},
        "verification":{"hash":"sha256:abc123...","verified":true}}"#;
    let litellm = r#"{"id":"","updated_at":"","changed_by":"","changed_by_api_key":"","action":"","table_name":"",
        "object_id":"","before_value":0,"updated_values":0}"#;
    let organisation = r#"{"user_email":"","query_text":"","provider":"","created_at":"","total_cost":"","user_id":"",
        "query_id":"","action":"","created_by":"","resource_type":"","Date":"","User":"","Action":"","Details":""}"#;
    for (spec, example) in [
        (Spec::Guide, guide),
        (Spec::Guide, guide_logger),
        (Spec::Guide, guide_guardrail),
        (Spec::Bifrost, bifrost),
        (Spec::Litellm, litellm),
        (Spec::Organisation, organisation),
    ] {
        let mut names = Vec::new();
        leaves(&json::parse(example.as_bytes(), &Limits::default()).unwrap(), "", &mut names);
        assert!(names.len() >= 5);
        for name in names {
            assert!(
                HOMES.iter().any(|home| home.spec == spec && home.theirs == name),
                "{} {name}",
                spec.number()
            );
        }
    }
}

#[test]
fn the_specifications_examples_fit_in_our_words() {
    check(
        r#"{"time":"2024-01-15T10:30:45.123Z","source_id":"evt_abc123xyz","type":"llm.completion","action":"generate",
        "actor":{"id":"user_456","session_id":"sess_789","ip":"192.168.1.100","user_agent":"Mozilla/5.0..."},
        "llm":{"model":"gpt-4-turbo","prompt_fingerprint":"sha256:abc123...","tokens_input":150,"tokens_output":280,
        "documents":[{"id":"doc_123"},{"id":"doc_456"}],"tools":[{"name":"search_database"}],"latency_ms":1250,"guardrails":[]},
        "status":"success","environment":"production","app_version":"2.1.0","trace_id":"trace_xyz789"}"#,
        r#"llm.completion 2024-01-15T10:30:45.123Z status=1 severity=1 producer=#0
what {"action":"generate","app_version":"2.1.0","environment":"production","llm":{"documents":[{"id":"doc_123"},{"id":"doc_456"}],"guardrails":[],"latency_ms":1250,"model":"gpt-4-turbo","prompt_fingerprint":"sha256:abc123...","tokens_input":150,"tokens_output":280,"tools":[{"name":"search_database"}]},"source_id":"evt_abc123xyz","trace_id":"trace_xyz789"}
who {"actor":{"id":"user_456","ip":"192.168.1.100","session_id":"sess_789","user_agent":"Mozilla/5.0..."}}"#,
    );
    check(
        r#"{"source_id":"evt_001","time":"2024-01-15T10:30:00.123Z","type":"auth.login","action":"user_login",
        "status":"failed","severity":"medium","actor":{"id":"user-alice-001","email":"alice@company.com",
        "ip":"203.0.113.42","auth_method":"password"},
        "attributes":{"failure_reason":"invalid_password","attempts_count":3}}"#,
        r#"auth.login 2024-01-15T10:30:00.123Z status=2 severity=3 producer=#0
what {"action":"user_login","attributes":{"attempts_count":3,"failure_reason":"invalid_password"},"source_id":"evt_001"}
who {"actor":{"auth_method":"password","email":"alice@company.com","id":"user-alice-001","ip":"203.0.113.42"}}"#,
    );
}

// The table of fields, as a source of events.

/// A value that fits a field; `seed` decides which.
fn fitting(node: &Node, seed: &mut u64) -> Value<'static> {
    if node.list {
        return Value::Array((0..next(seed) % 4).map(|_| fitting_one(node, seed)).collect());
    }
    fitting_one(node, seed)
}

fn fitting_one(node: &Node, seed: &mut u64) -> Value<'static> {
    let n = next(seed);
    let pick = |choices: &[&str]| Value::from(choices[n as usize % choices.len()].to_string());
    match node.shape {
        Shape::Block => {
            let mut members = Object::new();
            for child in &node.children {
                if !next(seed).is_multiple_of(3) {
                    members.insert(child.name, fitting(child, seed));
                }
            }
            Value::Object(members)
        }
        Shape::Text(_) => pick(&["", "Guten Tag, \"Welt\"\n", "日本語 😀", "\u{0}\u{1f}\u{7f}\u{80}"]),
        Shape::Id => {
            pick(&["success", "high", "a b", "x", "éclair 😀", "llm.completion", "Odd Type", "DENIED"])
        }
        Shape::Count | Shape::Number if n.is_multiple_of(2) => Value::from((n % 100_000) as u32),
        Shape::Count | Shape::Ordinal => Value::integer(json::INTEGER_MAX - (n % 1000) as i64).unwrap(),
        Shape::Number => Value::number(n as f64 / 1e15).unwrap(),
        Shape::Decimal => pick(&["0", "0.0031", "-12.50", "999999999999999999.999999999999999999"]),
        Shape::Time => Value::from(time::format_ns((n % 9_000_000_000_000_000_000) as i64)),
        Shape::Bool => Value::from(n.is_multiple_of(2)),
        Shape::Ip => pick(&["203.0.113.42", "2001:db8::1", "::ffff:10.0.0.1"]),
        Shape::Fingerprint => pick(&["sha256:9f86d081884c7d65", "hmac:k1:+/=", "0123456789abcdef"]),
        Shape::Producer => pick(&["gateway-1", "urn:x/y.z_1"]),
        Shape::Class => pick(&["standard", "seven_years", "short-1"]),
        Shape::Open => Value::object([("any", Value::Null), ("\u{fb33}", Value::from(n as u32))]).unwrap(),
        Shape::Any => pick(&["text"]),
    }
}

/// SplitMix64.
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*seed ^ (*seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// An event that the table of fields allows.
fn allowed(mut seed: u64) -> Object<'static> {
    let Value::Object(mut tree) = fitting_one(&field::ROOT, &mut seed) else { unreachable!() };
    tree.insert("type", ["auth.login", "Odd Type", "payment.made"][seed as usize % 3]);
    tree.insert("producer", "gateway-1");
    tree.remove("id");
    tree
}

#[test]
fn whatever_the_table_allows_is_kept_and_shown_again() {
    for seed in 0..2000 {
        let tree = allowed(seed);
        let bytes = Value::Object(tree.clone()).to_jcs();
        let event = Event::parse(&bytes, &Limits::default()).unwrap_or_else(|r| panic!("seed {seed}: {r}"));
        assert_eq!(event, Event::from_value(Value::Object(tree.clone()), &Limits::default()).unwrap());
        assert_eq!(event.submitted(), bytes, "seed {seed}");
        assert_eq!(event.clone().into_owned(), event);

        let sections = event.sections();
        assert!(sections.is_sorted_by_key(|(name, _)| *name));
        for (name, body) in &sections {
            let parsed = json::parse(body, &Limits::default()).unwrap();
            assert_eq!(parsed.to_jcs(), *body, "seed {seed}: section {name} is canonical");
            assert!(parsed.as_object().is_some_and(|members| !members.is_empty()));
        }
        let stored = stored(event.core(), &sections);
        let Value::Object(mut shown) = assemble(&stored).unwrap() else { unreachable!() };
        // What is ours, and what may be said in another word.
        for name in ["id", "position", "received", "organisation", "time", "status", "severity"] {
            shown.remove(name);
        }
        let mut sent = tree;
        for name in ["organisation", "time", "status", "severity"] {
            sent.remove(name);
        }
        assert_eq!(shown, sent, "seed {seed}");
    }
}

#[test]
fn every_field_refuses_what_does_not_fit_at_its_own_place() {
    for field in FIELDS.iter().filter(|field| field.shape != Shape::Any) {
        let wrong = match field.shape {
            Shape::Block | Shape::Open => Value::from(1),
            _ => Value::Object(Object::new()),
        };
        let mut pointer = String::new();
        let tree = field.path.rsplit('.').fold(wrong, |inner, part| {
            let (name, list) = part.strip_suffix("[]").map_or((part, false), |name| (name, true));
            pointer = format!("/{name}{}{pointer}", if list { "/0" } else { "" });
            let value = if list { Value::Array(vec![inner]) } else { inner };
            Value::object([(name, value)]).unwrap()
        });
        let refusal = Event::from_value(tree, &Limits::default()).unwrap_err();
        assert_eq!((refusal.code, refusal.pointer), (Code::WrongType, pointer), "{}", field.path);
    }
}
