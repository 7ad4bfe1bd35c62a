//! What becomes of an event, case by case.

use event::{Event, Limits, Object, Value, json};
use expect_test::{Expect, expect};
use redact::{Keys, Origin, Policy, Redactor};

/// Tells purposes and bytes apart without being a hash: 64 digits, as ours have.
struct Marked;

impl Keys for Marked {
    fn text(&self, purpose: &str, bytes: &[u8]) -> String {
        let sum = bytes
            .iter()
            .fold(0xcbf2_9ce4_8422_2325u64, |sum, b| (sum ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3));
        let purpose = match purpose {
            "text" => "1",
            "key" => "2",
            "value" => "3",
            other => panic!("{other} is no purpose"),
        };
        format!("hmac-sha256:{purpose:0>48}{sum:016x}")
    }
}

fn policy(text: &str) -> Policy {
    Policy::from_value(&json::parse(text.as_bytes(), &Limits::default()).unwrap()).unwrap()
}

fn redacted(policy: &Policy, event: &str, origin: Origin) -> String {
    let mut event = Event::parse(event.as_bytes(), &Limits::default()).unwrap();
    Redactor::new(policy).unwrap().apply(&mut event, &Marked, origin);
    String::from_utf8(event.submitted()).unwrap()
}

/// Members without `type`; of fingerprints only purpose and first digits; each member on a line.
fn shown(text: &str) -> String {
    let value = json::parse(text.as_bytes(), &Limits::default()).unwrap();
    let tree = value.as_object().unwrap();
    let mut out = String::new();
    for (name, value) in tree.iter().filter(|(name, _)| *name != "type") {
        match value {
            Value::Array(rows) if name == "redactions" => {
                for row in rows {
                    let said = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or("?").to_owned();
                    let number = |name: &str| row.get(name).and_then(Value::as_i64).unwrap_or(0);
                    let (rule, action) = (said("rule"), said("action"));
                    out += &format!(
                        "- {} {rule} {action} {}x {}\n",
                        said("path"),
                        number("count"),
                        number("size")
                    );
                }
            }
            value => out += &format!("{name}: {}\n", String::from_utf8(value.to_jcs()).unwrap()),
        }
    }
    for (purpose, word) in [("1", "text"), ("2", "key"), ("3", "value")] {
        out = out.replace(&format!("hmac-sha256:{purpose:0>48}"), &format!("<{word} "));
    }
    out
}

#[track_caller]
fn check_with(policy_text: &str, members: &str, expected: Expect) {
    let event = format!(r#"{{"type":"x",{members}}}"#);
    expected.assert_eq(&shown(&redacted(&policy(policy_text), &event, Origin::Sender)));
}

#[track_caller]
fn check(members: &str, expected: Expect) {
    check_with("{}", members, expected);
}

#[test]
fn ordinary_events_are_left_alone() {
    let event = r#"{"action":"generate","actor":{"email":"alice@company.example","id":"user_4561","ip":"203.0.113.42","name":"Alice Muster","type":"user"},"attributes":{"cached":false,"max_tokens":4096,"order":"ORD-2026-000123456","team":"care","uuid":"550e8400-e29b-41d4-a716-446655440000"},"llm":{"cost":"0.003175","model":"gpt-4o-2024-08-06","tokens_input":150},"message":"finished in 1250.5 ms at 2026-11-02 10:30:45","time":"2026-11-02T10:30:45.123456Z","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","type":"llm.completion"}"#;
    assert_eq!(redacted(&Policy::default(), event, Origin::Sender), event);
}

#[test]
fn secrets_go_by_name_and_keys_are_hashed() {
    check(
        r#""attributes":{"password":"swordfish","db":{"userPassword":"x","api_key":"abcdefgh12345678","pin":1234},"headers":[["authorization","Bearer abc"],["accept","*/*"]],"env":[{"name":"GITHUB_TOKEN","value":"hunter2hunter2"},{"name":"LANG","value":"C.UTF-8"}],"credentials":{"username":"bob","enabled":true},"token":"expired","password_policy":"strict"}"#,
        expect![[r#"
            attributes: {"credentials":{"enabled":true,"username":"[redacted:credential_field]"},"db":{"api_key":"<key 7b041b95f50f7305","pin":"[redacted:password_field]","userPassword":"[redacted:password_field]"},"env":[{"name":"GITHUB_TOKEN","value":"<key 5fcc128861ed0dd9"},{"name":"LANG","value":"C.UTF-8"}],"headers":[["authorization","[redacted:credential_field]"],["accept","*/*"]],"password":"[redacted:password_field]","password_policy":"strict","token":"expired"}
            - /attributes/credentials/username credential_field mask 1x 4
            - /attributes/db/api_key key_field hash 1x 16
            - /attributes/db/pin password_field mask 1x 4
            - /attributes/db/userPassword password_field mask 1x 1
            - /attributes/env/0/value key_field hash 1x 16
            - /attributes/headers/0/1 credential_field mask 1x 16
            - /attributes/password password_field mask 1x 16
        "#]],
    );
}

#[test]
fn secrets_go_by_look_wherever_they_stand() {
    check(
        concat!(
            r#""message":"card 4111 1111 1111 1111, key sk-"#,
            r#"ant-api03-Zk3vQ9tYpL1xWc8RbN5mHs2JdF7gUaE4oKiTqXyV and postgres://app:hunter2@db/prod","changes":{"before":null,"after":{"card":4111111111111111,"note":"IBAN DE89 3704 0044 0532 0130 00"}},"targets":[{"id":"4111111111111111","name":"alice@company.example"}]"#
        ),
        expect![[r#"
            changes: {"after":{"card":"[redacted:card]","note":"IBAN [redacted:iban]"},"before":null}
            message: "card [redacted:card], key [<key e1591710f4a6a231] and postgres://[redacted:url_userinfo]@db/prod"
            - /changes/after/card card mask 1x 16
            - /changes/after/note iban mask 1x 32
            - /message card mask 1x 32
            - /message anthropic_key hash 1x 64
            - /message url_userinfo mask 1x 16
            - /targets/0/id card mask 1x 16
            targets: [{"id":"[redacted:card]","name":"alice@company.example"}]
        "#]],
    );
}

#[test]
fn wrapping_does_not_hide_a_secret() {
    check(
        r#""attributes":{"json":"{\"user\":\"a\",\"password\":\"x\"}","twice":"\"{\\\"pin\\\":\\\"1234\\\"}\"","base64":"data cGFzc3dvcmQ9aHVudGVyMg== end","percent":"q=1&password%3Dhunter2","split":["4111","1111","1111","1111"],"halves":["sk-proj-aB3dE5fG7hJ9kL1m","N3pQ5rS7tU9vW1xY3zA5bC7dE9"],"part1":"4111 1111","part2":"1111 1111","4111111111111111":{"a":1},"x4111111111111111":1}"#,
        expect![[r#"
            attributes: {"[redacted:card]":{"a":1},"base64":"data [redacted:password] end","halves":["[redacted:openai_key]","[redacted:openai_key]"],"json":"{\"password\":\"[redacted:password_field]\",\"user\":\"a\"}","part1":"[redacted:card]","part2":"[redacted:card]","percent":"q=1&password=[redacted:password]","split":["[redacted:card]","[redacted:card]","[redacted:card]","[redacted:card]"],"twice":"\"{\\\"pin\\\":\\\"[redacted:password_field]\\\"}\"","x4111111111111111":1}
            - /attributes card mask 1x 32
            - /attributes/[redacted:card] card mask 1x 16
            - /attributes/base64 password mask 1x 32
            - /attributes/halves openai_key mask 1x 64
            - /attributes/json password_field mask 1x 1
            - /attributes/percent password mask 1x 8
            - /attributes/split card mask 1x 16
            - /attributes/twice password_field mask 1x 4
        "#]],
    );
}

#[test]
fn prompts_become_fingerprints() {
    check(
        r#""content":{"prompt":"What is my card limit?","response":[{"role":"assistant","text":"9"}],"input":{"a":1},"output":"done"},"attributes":{"messages":[{"role":"user","content":"hi"}],"completion":"x","gen_ai.prompt.0.content":"hi","team":"care"}"#,
        expect![[r#"
            attributes: {"completion":"<text af63f54c86021707","gen_ai.prompt.0.content":"<text 08ba5f07b55ec3da","messages":"<text ffe5d7aaf984468c","team":"care"}
            llm: {"prompt_fingerprint":"<text 35a2f909dff69fdb","response_fingerprint":"<text 194365fc51463aa7"}
            - /content/prompt prompt hash 1x 32
            - /content/response response hash 1x 64
            - /content/input arguments hash 1x 8
            - /content/output result hash 1x 4
            - /attributes/completion response hash 1x 1
            - /attributes/gen_ai.prompt.0.content prompt hash 1x 2
            - /attributes/messages prompt hash 1x 32
            tool: {"arguments_fingerprint":"<text 9c3e82dd6fcae8b1","result_fingerprint":"<text dc51fb6761fd6e91"}
        "#]],
    );
    check(
        r#""tool":{"name":"search"},"attributes":{"input":"weather","output":{"rain":true},"temperature":0.2}"#,
        expect![[r#"
            attributes: {"temperature":0.2}
            - /attributes/input arguments hash 1x 8
            - /attributes/output result hash 1x 16
            tool: {"arguments_fingerprint":"<text 3838e32475f27053","name":"search","result_fingerprint":"<text 6f590d930a9b0a39"}
        "#]],
    );
    check_with(
        r#"{"content":"keep"}"#,
        r#""content":{"prompt":"I am alice@example.com, password=hunter2"},"attributes":{"response":"ok"}"#,
        expect![[r#"
            attributes: {"response":"ok"}
            content: {"prompt":"I am [redacted:email], password=[redacted:password]"}
            llm: {"prompt_fingerprint":"<text 4e9a5c59716d5c4f","response_fingerprint":"<text 08b05d07b5566bef"}
            - /content/prompt email mask 1x 32
            - /content/prompt password mask 1x 8
        "#]],
    );
}

#[test]
fn the_senders_hashes_are_hashed_again() {
    check(
        r#""actor":{"api_key_hash":"sha256:9f86d081884c7d65"},"llm":{"prompt_fingerprint":"hmac-sha256:0000000000000000000000000000000000000000000000000000000000000000"},"attributes":{"prompt_hash":"9f86d081884c7d65"}"#,
        expect![[r#"
            actor: {"api_key_hash":"<text 506feb7f0b910975"}
            attributes: {"prompt_hash":"<text 470feec951702f80"}
            llm: {"prompt_fingerprint":"<text 9f1669b88b1c88b0"}
            - /actor/api_key_hash unkeyed_hash rekey 1x 32
            - /attributes/prompt_hash unkeyed_hash rekey 1x 16
            - /llm/prompt_fingerprint unkeyed_hash rekey 1x 128
        "#]],
    );
    check(
        concat!(r#""actor":{"api_key_hash":"sk-"#, r#"proj-aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9"}"#),
        expect![[r#"
            actor: {"api_key_hash":"<key f8fc5951a42b372d"}
            - /actor/api_key_hash openai_key hash 1x 64
        "#]],
    );
}

#[test]
fn an_adapters_own_fingerprints_are_left_alone() {
    let event = r#"{"llm":{"prompt_fingerprint":"hmac-sha256:0000000000000000000000000000000000000000000000000000000000000000"},"type":"x"}"#;
    assert_eq!(redacted(&Policy::default(), event, Origin::Adapter), event);
    assert_ne!(redacted(&Policy::default(), event, Origin::Sender), event);
    let foreign = r#"{"llm":{"prompt_fingerprint":"sha256:00"},"type":"x"}"#;
    assert_ne!(redacted(&Policy::default(), foreign, Origin::Adapter), foreign);
}

#[test]
fn personal_data_goes_from_free_text_and_stays_with_who() {
    check(
        r#""actor":{"id":"alice@company.example","name":"Alice","user_agent":"curl bob@example.com"},"message":"mail bob@example.com, call +49 170 1234567, SSN 123-45-6789","error":{"message":"MRN: 00482913"},"attributes":{"first_name":"Bob","phones":["0170 1234567"],"bob@example.com":1,"ssn":123456789}"#,
        expect![[r#"
            actor: {"id":"alice@company.example","name":"Alice","user_agent":"curl [redacted:email]"}
            attributes: {"[redacted:email]":1,"first_name":"[redacted:person_field]","phones":["[redacted:phone_field]"],"ssn":"[redacted:national_id_field]"}
            error: {"message":"MRN: [redacted:mrn]"}
            message: "mail [redacted:email], call [redacted:phone], SSN [redacted:us_ssn]"
            - /actor/user_agent email mask 1x 16
            - /attributes/[redacted:email] email mask 1x 16
            - /attributes/first_name person_field mask 1x 4
            - /attributes/phones/0 phone_field mask 1x 16
            - /attributes/ssn national_id_field mask 1x 16
            - /error/message mrn mask 1x 8
            - /message email mask 1x 16
            - /message phone mask 1x 16
            - /message us_ssn mask 1x 16
        "#]],
    );
}

#[test]
fn a_policy_decides_by_class_and_by_place() {
    check_with(
        r#"{"pii":{"email":"hash","phone":"keep"},"rules":[{"path":"/attributes/keep/**","class":"email","action":"keep"},{"path":"/actor/name","action":"hash"},{"path":"/attributes/gone","action":"drop"},{"path":"/actor/email","class":"email","action":"mask"},{"path":"/attributes/list/*","class":"email","action":"drop"}]}"#,
        r#""actor":{"name":"Alice","email":"a@b.example","id":"c@d.example"},"message":"a@b.example +49 170 1234567","attributes":{"keep":{"x":["a@b.example"]},"gone":{"a":[1]},"list":["a@b.example",7]}"#,
        expect![[r#"
            actor: {"email":"[redacted:email]","id":"c@d.example","name":"<value 123909cb9f15d167"}
            attributes: {"keep":{"x":["a@b.example"]},"list":[null,7]}
            message: "[<value 1951fcc27736c1ca] +49 170 1234567"
            - /actor/email email mask 1x 16
            - /actor/name policy hash 1x 8
            - /attributes/gone policy drop 1x 16
            - /attributes/list/0 email drop 1x 16
            - /message email hash 1x 16
        "#]],
    );
}

#[test]
fn addresses_are_kept_cut_or_dropped() {
    let members = r#""actor":{"ip":"203.0.113.42"},"message":"from 203.0.113.42:443 and 2001:db8:1:2::3, v1.2.3.4 at 10:30""#;
    check_with(
        r#"{"ip":"keep"}"#,
        members,
        expect![[r#"
        actor: {"ip":"203.0.113.42"}
        message: "from 203.0.113.42:443 and 2001:db8:1:2::3, v1.2.3.4 at 10:30"
    "#]],
    );
    check_with(
        r#"{"ip":"truncate"}"#,
        members,
        expect![[r#"
        actor: {"ip":"203.0.113.0"}
        message: "from 203.0.113.0:443 and 2001:db8:1::, v1.2.3.4 at 10:30"
        - /actor/ip ip truncate 1x 16
        - /message ip truncate 2x 32
    "#]],
    );
    check_with(
        r#"{"ip":"drop"}"#,
        members,
        expect![[r#"
        actor: {}
        message: "from [redacted:ip]:443 and [redacted:ip], v1.2.3.4 at 10:30"
        - /actor/ip ip drop 1x 16
        - /message ip mask 2x 32
    "#]],
    );
}

#[test]
fn the_leaf_follows_what_was_taken_out() {
    let event = r#"{"type":"4111111111111111","producer":"4111111111111111","producer_seq":3,"severity":"high","source_id":"4111111111111111","retention":"4111111111111111","time":"2026-11-02T10:30:45Z"}"#;
    let mut event = Event::parse(event.as_bytes(), &Limits::default()).unwrap();
    let before = event.core().clone();
    Redactor::new(&Policy::default()).unwrap().apply(&mut event, &Marked, Origin::Sender);
    let core = event.core();
    assert_eq!((core.kind.as_ref(), core.producer.as_ref()), ("redacted.card", "redacted.card"));
    assert_eq!(
        (core.time_ns, core.producer_seq, core.severity),
        (before.time_ns, before.producer_seq, before.severity)
    );
    assert_eq!(event.retention(), None);
    assert!(event.source_id().unwrap().starts_with("hmac-sha256:"));
}

#[test]
fn doing_it_twice_changes_nothing() {
    let event = concat!(
        r#"{"type":"x","message":"password=hunter2 a@b.example 4111111111111111","actor":{"ip":"203.0.113.42"},"attributes":{"api_key":"abcdefgh12345678","password":"x","t":"{\"token\":\"abcdefgh12345678\"}","key":"sk-"#,
        r#"proj-aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9","messages":["hi"]},"content":{"output":"y"}}"#
    );
    let policy = policy(r#"{"ip":"truncate"}"#);
    let once = redacted(&policy, event, Origin::Sender);
    assert_eq!(redacted(&policy, &once, Origin::Adapter), once);
}

#[test]
fn a_flood_of_findings_ends_in_one_row() {
    let many: Vec<Value<'_>> = (0..5000).map(|n| Value::from(format!("u{n}@example.com"))).collect();
    let mut tree = Object::new();
    tree.insert("type", "x");
    tree.insert("attributes", Value::object([("many", Value::from(many))]).unwrap());
    let mut event = Event::from_value(Value::Object(tree), &Limits::default()).unwrap();
    Redactor::new(&Policy::default()).unwrap().apply(&mut event, &Marked, Origin::Sender);
    let rows = event.tree().get("redactions").unwrap().as_array().unwrap();
    assert_eq!(rows.len(), 257);
    assert_eq!(rows[256].get("rule").and_then(Value::as_str), Some("more"));
    assert_eq!(rows[256].get("count").and_then(Value::as_i64), Some(5000 - 256));
}

#[test]
fn rows_that_are_there_are_added_to() {
    check(
        r#""message":"a@b.example","redactions":[{"path":"/metadata","rule":"litellm.headers","action":"drop","size":64},{"path":"/message","rule":"email","action":"mask","count":2,"size":32},{"path":"/c@d.example","rule":"x"}]"#,
        expect![[r#"
            message: "[redacted:email]"
            - /metadata litellm.headers drop 0x 64
            - /message email mask 3x 48
            - /[redacted:email] x ? 0x 0
            - /redactions/2/path email mask 1x 16
        "#]],
    );
}

#[test]
fn a_preview_says_what_would_go_and_changes_nothing() {
    let text = r#"{"type":"x","message":"password=hunter2 a@b.example","content":{"prompt":"hi"}}"#;
    let event = Event::parse(text.as_bytes(), &Limits::default()).unwrap();
    let before = event.submitted();
    let found = Redactor::new(&Policy::default()).unwrap().preview(&event);
    let found: Vec<_> =
        found.iter().map(|f| (f.path.as_str(), f.rule, f.action.name(), f.size_class)).collect();
    assert_eq!(
        found,
        [
            ("/content/prompt", "prompt", "hash", 2),
            ("/message", "password", "mask", 8),
            ("/message", "email", "mask", 16)
        ]
    );
    assert_eq!(event.submitted(), before);
}

#[test]
fn any_text_can_be_asked_about() {
    let redactor = Redactor::new(&Policy::default()).unwrap();
    let (text, found) = redactor.text(r#"{"password":"hunter2","note":"a@b.example"}"#);
    assert_eq!(text, r#"{"note":"[redacted:email]","password":"[redacted:password_field]"}"#);
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|finding| finding.path.is_empty()));
    let (text, _) =
        redactor.text(r#"{"password":"hunter2","password":"hunter3", broken 4111-1111-1111-1111"#);
    expect![[
        r#"{"password":"[redacted:password]","password":"[redacted:password]", broken [redacted:card]"#
    ]]
    .assert_eq(&text);
    assert_eq!(redactor.text("nothing here"), ("nothing here".to_owned(), vec![]));
}

#[test]
fn what_is_secret_stays_so_below_other_names() {
    check_with(
        r#"{"pii":{"phone":"keep","person":"keep"}}"#,
        r#""attributes":{"credentials":{"phone":"0170 1234567","deep":[{"first_name":"x"}]},"phones":["4111","1111","1111","1111"]}"#,
        expect![[r#"
            attributes: {"credentials":{"deep":[{"first_name":"[redacted:credential_field]"}],"phone":"[redacted:credential_field]"},"phones":["[redacted:card]","[redacted:card]","[redacted:card]","[redacted:card]"]}
            - /attributes/credentials/deep/0/first_name credential_field mask 1x 1
            - /attributes/credentials/phone credential_field mask 1x 16
            - /attributes/phones card mask 1x 16
        "#]],
    );
}
