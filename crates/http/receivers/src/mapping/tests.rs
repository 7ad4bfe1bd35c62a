use event::kind::Kind;
use event::{Event, Limits, Value, json};
use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::template::FILTERS;
use super::value::TIMES;
use super::*;

fn fingerprint(bytes: &[u8]) -> String {
    format!("test:{}", bytes.len())
}

fn records(mapping: &Mapping, document: &str) -> String {
    let document = json::parse(document.as_bytes(), &DOCUMENT_LIMITS).unwrap();
    let records = match mapping.records(&document) {
        Ok(records) => records,
        Err(refusal) => return refusal.to_string(),
    };
    let told = records.into_iter().map(|record| match mapping.map(record, &fingerprint) {
        Ok(event) => String::from_utf8(Value::Object(event.tree().clone()).to_jcs()).unwrap(),
        Err(refusal) => format!("{} {refusal}", refusal.code),
    });
    told.collect::<Vec<_>>().join("\n")
}

fn check(name: &str, document: &str, expect: Expect) {
    expect.assert_eq(&records(shipped(name).unwrap(), document));
}

const CLOUDTRAIL: &str = r#"{"Records":[
    {"eventVersion":"1.08","userIdentity":{"type":"IAMUser","principalId":"EXAMPLE6E4XEGITWATV6R","arn":"arn:aws:iam::123456789012:user/Mary","accountId":"123456789012","userName":"Mary"},
     "eventTime":"2023-07-19T21:44:40Z","eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.0","userAgent":"Mozilla/5.0",
     "errorMessage":"Failed authentication","requestParameters":null,"responseElements":{"ConsoleLogin":"Failure"},"additionalEventData":{"MobileVersion":"No","MFAUsed":"Yes"},
     "eventID":"b7d0a5f2-0000-4b92-a4a3-6b1f0f2a1c11","readOnly":false,"eventType":"AwsConsoleSignIn","managementEvent":true,"recipientAccountId":"123456789012","eventCategory":"Management"},
    {"eventVersion":"1.09","userIdentity":{"type":"AssumedRole","principalId":"AROA:app","arn":"arn:aws:sts::111122223333:assumed-role/app/i-1","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE",
     "sessionContext":{"sessionIssuer":{"type":"Role","userName":"app"},"attributes":{"creationDate":"2026-01-01T00:00:00Z","mfaAuthenticated":"false"}}},
     "eventTime":"2026-01-01T10:00:00Z","eventSource":"bedrock.amazonaws.com","eventName":"InvokeModel","awsRegion":"us-west-2","sourceIPAddress":"cloudformation.amazonaws.com","userAgent":"Boto3/1.40",
     "errorCode":"AccessDenied","errorMessage":"not authorized to perform: bedrock:InvokeModel","requestParameters":{"modelId":"anthropic.claude-sonnet-5"},"responseElements":null,"requestID":"r-1","eventID":"e-2",
     "resources":[{"accountId":"111122223333","type":"AWS::Bedrock::FoundationModel","ARN":"arn:aws:bedrock:us-west-2::foundation-model/x"},{"accountId":"1"}],"readOnly":true},
    {"eventTime":"2026-01-01T10:00:00Z","eventName":"PutBucketPolicy","eventSource":"s3.amazonaws.com","eventID":"e-3","userIdentity":{"type":"Root","arn":"arn:aws:iam::1:root"}},
    {"eventTime":"2026-01-01T10:00:00Z","eventName":"X"},
    {"eventTime":"yesterday","eventName":"X","eventID":"e-4"},
    7
]}"#;

/// The first is the shape of the documentation's example of a console sign-in.
#[test]
fn records_of_cloudtrail() {
    check(
        "cloudtrail",
        CLOUDTRAIL,
        expect![[r#"
            {"action":"ConsoleLogin","actor":{"auth_method":"mfa","id":"Mary","ip":"192.0.2.0","type":"user","user_agent":"Mozilla/5.0"},"attributes":{"cloudtrail":{"additionalEventData":{"MFAUsed":"Yes","MobileVersion":"No"},"awsRegion":"us-east-1","eventCategory":"Management","eventSource":"signin.amazonaws.com","eventType":"AwsConsoleSignIn","eventVersion":"1.08","managementEvent":true,"readOnly":false,"recipientAccountId":"123456789012","responseElements":{"ConsoleLogin":"Failure"},"userIdentity":{"accountId":"123456789012","arn":"arn:aws:iam::123456789012:user/Mary","principalId":"EXAMPLE6E4XEGITWATV6R","type":"IAMUser"}}},"error":{"message":"Failed authentication"},"producer":"aws.cloudtrail","source_id":"b7d0a5f2-0000-4b92-a4a3-6b1f0f2a1c11","status":"failed","time":"2023-07-19T21:44:40Z","type":"auth.login"}
            {"action":"InvokeModel","actor":{"api_key_hash":"test:11","id":"arn:aws:sts::111122223333:assumed-role/app/i-1","name":"app","type":"service","user_agent":"Boto3/1.40"},"attributes":{"cloudtrail":{"awsRegion":"us-west-2","eventSource":"bedrock.amazonaws.com","eventVersion":"1.09","readOnly":true,"resources":[{"accountId":"111122223333"},{"accountId":"1"}],"sourceIPAddress":"cloudformation.amazonaws.com","userIdentity":{"accountId":"111122223333","principalId":"AROA:app","sessionContext":{"attributes":{"creationDate":"2026-01-01T00:00:00Z","mfaAuthenticated":"false"},"sessionIssuer":{"type":"Role"}},"type":"AssumedRole"}}},"error":{"code":"AccessDenied","message":"not authorized to perform: bedrock:InvokeModel"},"llm":{"model":"anthropic.claude-sonnet-5","provider":"aws.bedrock"},"producer":"aws.cloudtrail","request_id":"r-1","source_id":"e-2","status":"blocked","targets":[{"id":"arn:aws:bedrock:us-west-2::foundation-model/x","type":"AWS::Bedrock::FoundationModel"}],"time":"2026-01-01T10:00:00Z","type":"llm.completion"}
            {"action":"PutBucketPolicy","actor":{"id":"arn:aws:iam::1:root","type":"user"},"attributes":{"cloudtrail":{"eventSource":"s3.amazonaws.com","userIdentity":{"type":"Root"}}},"producer":"aws.cloudtrail","source_id":"e-3","status":"success","time":"2026-01-01T10:00:00Z","type":"aws.s3.put_bucket_policy"}
            missing /eventID: mapping cloudtrail, line 16: the record says nothing there
            bad_value /eventTime: mapping cloudtrail, line 17: not an RFC 3339 time, such as 2024-01-15T10:30:00.123Z
            wrong_type event: expected an object, found a number"#]],
    );
    check(
        "cloudtrail",
        r#"{"detail":{"eventTime":"2026-01-01T10:00:00Z","eventName":"X","eventSource":"a.b","eventID":"1"}}"#,
        expect![[
            r#"{"action":"X","attributes":{"cloudtrail":{"eventSource":"a.b"}},"producer":"aws.cloudtrail","source_id":"1","status":"success","time":"2026-01-01T10:00:00Z","type":"aws.a.x"}"#
        ]],
    );
}

const GITHUB: &str = r#"{"@timestamp":1606929874512,"action":"team.add_member","actor":"octocat","actor_ip":"88.1.2.3","actor_location":{"country_code":"US"},"created_at":1606929874512,
    "_document_id":"xJJFlFOhQ6b-5vaAFy9Rjw","org":"octo-corp","team":"octo-corp/example-team","user":"monalisa","user_agent":"curl/8","hashed_token":"4Y1G3dpTyAbRe3tZ3Bo2MVc2hNgUTmsO1gwCIt7wQ8w=","operation_type":"create"}"#;

#[test]
fn entries_of_github() {
    check(
        "github",
        GITHUB,
        expect![[
            r#"{"action":"team.add_member","actor":{"api_key_hash":"4Y1G3dpTyAbRe3tZ3Bo2MVc2hNgUTmsO1gwCIt7wQ8w=","id":"octocat","ip":"88.1.2.3","type":"user","user_agent":"curl/8"},"attributes":{"github":{"actor_location":{"country_code":"US"},"created_at":1606929874512,"operation_type":"create"}},"producer":"github.audit","source_id":"xJJFlFOhQ6b-5vaAFy9Rjw","status":"success","targets":[{"id":"monalisa","type":"user"},{"id":"octo-corp/example-team","type":"team"},{"id":"octo-corp","type":"organisation"}],"time":"2020-12-02T17:24:34.512Z","type":"team.member_added"}"#
        ]],
    );
    check(
        "github",
        r#"{"@timestamp":1606929874512,"action":"protected_branch.policy_override","_document_id":"1","actor":"a","repo":"o/r","old_permission":"read","permission":"admin","actor_is_bot":true}"#,
        expect![[
            r#"{"action":"protected_branch.policy_override","actor":{"id":"a","type":"service"},"attributes":{"github":{"actor_is_bot":true}},"changes":{"after":"admin","before":"read"},"producer":"github.audit","source_id":"1","status":"success","targets":[{"id":"o/r","type":"repository"}],"time":"2020-12-02T17:24:34.512Z","type":"github.protected_branch.policy_override"}"#
        ]],
    );
}

const OKTA: &str = r#"{"actor":{"id":"00uttidj01jqL21aM1d6","type":"User","alternateId":"john.doe@example.com","displayName":"John Doe","detailEntry":null},
    "client":{"userAgent":{"rawUserAgent":"Mozilla/5.0","os":"Mac OS X","browser":"CHROME"},"zone":"null","device":"Computer","id":null,"ipAddress":"10.0.0.1","geographicalContext":{"city":"New York","geolocation":{"lat":40.3157,"lon":-74.01}}},
    "device":null,"authenticationContext":{"authenticationProvider":null,"credentialType":null,"authenticationStep":0,"externalSessionId":"102bZDNFfWaQSyEZQuDgWt-uQ"},
    "displayMessage":"User login to Okta","eventType":"user.session.start","outcome":{"result":"FAILURE","reason":"INVALID_CREDENTIALS"},"published":"2017-09-30T22:23:07.777Z",
    "securityContext":{"asNumber":394089,"isProxy":false},"severity":"WARN","debugContext":{"debugData":{"requestUri":"/api/v1/authn"}},"legacyEventType":"core.user_auth.login_failed",
    "transaction":{"type":"WEB","id":"WcazN5Ti2q","detail":{}},"uuid":"dc9fd3c0-598c-11ef-8478-2b7584bf8d5a","version":"0","target":[{"id":"t1","type":"AppInstance","displayName":"Portal"},{"id":"t2","type":"User","alternateId":"x@example.com"}]}"#;

#[test]
fn events_of_okta() {
    check(
        "okta",
        OKTA,
        expect![[
            r#"{"action":"user.session.start","actor":{"email":"john.doe@example.com","id":"00uttidj01jqL21aM1d6","ip":"10.0.0.1","name":"John Doe","session_id":"102bZDNFfWaQSyEZQuDgWt-uQ","type":"user","user_agent":"Mozilla/5.0"},"attributes":{"okta":{"actor":{"type":"User"},"authenticationContext":{"authenticationStep":0},"client":{"device":"Computer","geographicalContext":{"city":"New York","geolocation":{"lat":40.3157,"lon":-74.01}},"userAgent":{"browser":"CHROME","os":"Mac OS X"},"zone":"null"},"debugContext":{"debugData":{"requestUri":"/api/v1/authn"}},"legacyEventType":"core.user_auth.login_failed","outcome":{"result":"FAILURE"},"securityContext":{"asNumber":394089,"isProxy":false},"severity":"WARN","transaction":{"type":"WEB"},"version":"0"}},"error":{"message":"INVALID_CREDENTIALS"},"message":"User login to Okta","producer":"okta.system","request_id":"WcazN5Ti2q","severity":"medium","source_id":"dc9fd3c0-598c-11ef-8478-2b7584bf8d5a","status":"failed","targets":[{"id":"t1","name":"Portal","type":"AppInstance"},{"id":"t2","name":"x@example.com","type":"User"}],"time":"2017-09-30T22:23:07.777Z","type":"auth.login"}"#
        ]],
    );
    check(
        "okta",
        r#"{"data":{"events":[{"uuid":"1","published":"2026-01-01T00:00:00Z","eventType":"app.oauth2.token.grant","outcome":{"result":"ALLOW"},"severity":"DEBUG","actor":{"id":"a","type":"PublicClientApp"}}]}}"#,
        expect![[
            r#"{"action":"app.oauth2.token.grant","actor":{"id":"a","type":"service"},"attributes":{"okta":{"actor":{"type":"PublicClientApp"},"outcome":{"result":"ALLOW"},"severity":"DEBUG"}},"producer":"okta.system","severity":"info","source_id":"1","status":"success","time":"2026-01-01T00:00:00Z","type":"okta.app.oauth2.token.grant"}"#
        ]],
    );
}

#[test]
fn what_comes_with_us_is_sound() {
    for (name, _) in SHIPPED {
        let mapping = shipped(name).unwrap();
        assert_eq!(mapping.name, *name);
        for kind in mapping.types() {
            assert!(Kind::find(&kind).is_some(), "{name}: {kind} is no kind of ours");
        }
        assert!(!mapping.cannot.is_empty(), "{name}");
        for (field, from) in mapping.fields() {
            assert!(event::field::find(&field).is_some(), "{name}: {field} from {from}");
        }
    }
    assert!(shipped("nobody").is_none());
}

fn wrong(text: &str) -> String {
    let told = Mapping::parse(text).map(|_| "good".to_owned());
    told.unwrap_or_else(|wrong| wrong.iter().map(Wrong::to_string).collect::<Vec<_>>().join("\n"))
}

const HEAD: &str = "name = \"x\"\nabout = \"a\"\nobserved = \"1\"\nproducer = \"x\"\n";

#[test]
fn what_is_wrong_with_a_file_is_told_with_its_line() {
    let check = |text: &str, expect: Expect| expect.assert_eq(&wrong(text));
    check(
        "",
        expect![[r#"
        line 1: name is missing
        line 1: about is missing
        line 1: observed is missing
        line 1: producer is missing
        line 1: event is missing: a table of the event's fields"#]],
    );
    check("name = ", expect!["line 1: not TOML: string values must be quoted, expected literal string"]);
    check(
        r#"name = "No Name"
about = ""
observed = 7
producer = "a b"
nmae = 1
records = [1, "a..b"]
rest = "some"
[event]
typ = "a"
producer = "x"
id = { form = "a" }
action = "{a"
message = "{a:upper}"
severity = { from = "a", tiem = "x", time = "week", required = 1, map = 7 }
status = 2026-01-01
actor = "x"
targets = "y"
"#,
        expect![[r#"
            line 1: name: expected 1 to 40 of a-z 0-9 _ -
            line 1: event.type is missing: every event has a type
            line 2: about: expected text that is not empty
            line 3: observed: expected text that is not empty
            line 4: producer: expected 1 to 64 of A-Z a-z 0-9 . _ : / -
            line 5: "nmae" is not known; there are name, about, observed, cannot, producer, records, drop, rest, event
            line 6: records: expected text that is not empty
            line 6: "a..b" is no path: names with dots between them, such as actor.id
            line 7: rest: expected "keep" or "drop"
            line 9: event.typ is no field of an event; what has none goes in `attributes`, and docs/reference/event.md has them all
            line 10: event.producer stands above `[event]`
            line 11: event.id: "form" is not known; there are from, map, else, missing, time, required
            line 11: event.id: `from` is missing, the place in the record
            line 12: event.action: "{a": a brace is not closed; write {{ for one
            line 13: event.message: "upper" is no filter; there are lower, snake, first, last, ip, text, number, json, hash
            line 14: event.severity: "tiem" is not known; there are from, map, else, missing, time, required
            line 14: event.severity: map: expected a table of words
            line 14: event.severity: time: expected one of iso, s, ms, us, ns, any
            line 14: event.severity: required: expected true or false
            line 15: event.status: expected text with places in it, a table with `from`, or a constant
            line 16: event.actor: expected a table of fields
            line 17: event.targets: expected a list of tables, [[event.targets]]"#]],
    );
    check(
        &format!(
            "{HEAD}[event]\ntype = \"a\"\ntime = {{ from = \"a\", time = \"s\", else = \"x\" }}\n[[event.targets]]\neach = \"a..\"\nidd = \"x\"\n[event.llm]\ncost = \"{{c}}\"\ncots = 1\n"
        ),
        expect![[r#"
            line 7: event.time: a time is read, not looked up; leave out `map` and `else`
            line 9: "a.." is no path: names with dots between them, such as actor.id
            line 10: event.targets[].idd is no field of an event; what has none goes in `attributes`, and docs/reference/event.md has them all
            line 13: event.llm.cots is no field of an event; what has none goes in `attributes`, and docs/reference/event.md has them all"#]],
    );
    assert_eq!(wrong(&format!("{HEAD}[event]\ntype = \"a\"\n")), "good");
}

#[test]
fn a_record_is_mapped_by_every_rule_of_the_language() {
    let mapping = Mapping::parse(&format!(
        r#"{HEAD}
        drop = ["secret.deep"]
        [event]
        type = "{{kind}}"
        action = "{{{{{{a.b}}}}}} {{n:text}} {{flag}}"
        time = {{ from = ["t", "u"], time = "any" }}
        request_id = "{{nested | names.0}}"
        [event.actor]
        roles = "{{names}}"
        id = "{{who:lower}}"
        ip = "{{where:ip}}"
        api_key_hash = "{{key:hash}}"
        [event.llm]
        tokens_input = "{{count:number}}"
        cost = {{ from = "price:text" }}
        stream = true
        [event.attributes]
        own = {{ inner = "{{inner:json}}", dotted = "{{a\\.b}}" }}
        [event.changes]
        after = "{{nested}}"
        [[event.targets]]
        type = "fixed"
        [[event.targets]]
        each = "list"
        id = "{{id}}"
        name = "{{path:last}}"
        "#
    ))
    .unwrap();
    expect![[r#"{"action":"{x} 7 true","actor":{"api_key_hash":"test:4","id":"alice","ip":"2001:db8::1","roles":["r1","r2"]},"attributes":{"own":{"dotted":"dot","inner":{"x":[1]}},"x":{"a":{"b":"x"},"flag":true,"list":[{"more":1,"path":"a/b"},{"path":"c"},{"other":2}],"n":7,"secret":{"flat":"kept"},"who":"ALICE"}},"changes":{"after":{"y":1}},"llm":{"cost":"0.5","stream":true,"tokens_input":12},"producer":"x","redactions":[{"action":"drop","path":"/secret/deep","rule":"mapping.drop","size":3}],"targets":[{"type":"fixed"},{"id":"1","name":"b"},{"name":"c"}],"time":"2026-03-01T10:00:00.500Z","type":"my.kind"}"#]].assert_eq(&records(
        &mapping,
        r#"{"kind":"my.kind","a":{"b":"x"},"n":7,"flag":true,"u":"1772359200.5","names":["r1","r2"],"who":"ALICE","where":"[2001:db8::1]:443",
            "key":"sk-1","count":"12","price":0.5,"inner":"{\"x\":[1]}","a.b":"dot","nested":{"y":1},"list":[{"id":"1","path":"a/b","more":1},{"path":"c"},{"other":2}],
            "secret":{"deep":"s","flat":"kept"},"empty":""}"#,
    ));
    // What does not fit stays; what is not there leaves its field out.
    expect![[r#"{"actor":{"id":"7"},"attributes":{"x":{"count":"many","names":"one","t":"noon","u":1,"where":"nowhere","who":7}},"llm":{"stream":true},"producer":"x","targets":[{"type":"fixed"}],"type":"k"}"#]].assert_eq(&records(
        &mapping,
        r#"{"kind":"k","where":"nowhere","count":"many","who":7,"names":"one","t":"noon","u":1,"list":[{"id":{}}]}"#,
    ));
    expect!["wrong_type /kind: mapping x, line 8: expected a name or id of 1 to 256 characters, no control characters, found an array"].assert_eq(&records(&mapping, r#"{"kind":["k"]}"#));
    expect!["missing /kind: mapping x, line 8: the record says nothing there"]
        .assert_eq(&records(&mapping, r#"{"other":1}"#));
}

#[test]
fn a_record_of_which_nothing_fits_costs_no_more_than_others() {
    let mapping = Mapping::parse(&format!(
        "{HEAD}[event]\ntype = \"a\"\n[[event.targets]]\neach = \"l\"\nid = \"{{i}}\"\n"
    ))
    .unwrap();
    let items: Vec<String> = (0..300).map(|n| format!(r#"{{"i":[{n}]}}"#)).collect();
    let told = records(&mapping, &format!(r#"{{"l":[{}]}}"#, items.join(",")));
    assert!(told.starts_with("wrong_type "), "{told}");
}

#[test]
#[allow(clippy::disallowed_methods)]
fn the_readme_has_every_filter_and_form() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/mapping/README.md");
    let text = std::fs::read_to_string(path).unwrap();
    let filters: String =
        FILTERS.iter().map(|(name, _, about)| format!("| `{name}` | {about} |\n")).collect();
    let times: String = TIMES.iter().map(|(name, _, about)| format!("| `{name}` | {about} |\n")).collect();
    let put = |text: &str, what: &str, head: &str, rows: &str| {
        let (before, rest) = text.split_once(&format!("<!-- {what} -->\n")).unwrap();
        let (_, after) = rest.split_once(&format!("<!-- end of {what} -->")).unwrap();
        format!("{before}<!-- {what} -->\n| {head} | |\n|---|---|\n{rows}<!-- end of {what} -->{after}")
    };
    let current = put(&put(&text, "filters", "filter", &filters), "times", "time", &times);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path, &current).unwrap();
    }
    let example = text.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert_eq!(wrong(example), "good", "the example in the README");
    assert!(
        std::fs::read_to_string(path).unwrap() == current,
        "stale: run UPDATE_EXPECT=1 cargo test -p receivers"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Whatever is made of good records and good files: no panic, and what comes out is an event.
    #[test]
    fn records_that_were_changed_are_survived(
        seed in 0usize..3, edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..3), 0..16)
    ) {
        let (name, text) = [("cloudtrail", CLOUDTRAIL), ("github", GITHUB), ("okta", OKTA)][seed];
        let mut text = text.as_bytes().to_vec();
        for (at, byte, what) in edits {
            let at = at.index(text.len());
            match what { 0 => text[at] = byte, 1 => text.insert(at, byte), _ => drop(text.remove(at)) }
        }
        let Ok(document) = json::parse(&text, &DOCUMENT_LIMITS) else { return Ok(()) };
        let mapping = shipped(name).unwrap();
        for record in mapping.records(&document).unwrap_or_default() {
            if let Ok(event) = mapping.map(record, &fingerprint) {
                prop_assert!(Event::parse(&event.submitted(), &Limits::default()).is_ok());
            }
        }
    }

    #[test]
    fn values_of_any_kind_in_any_place_are_survived(picks in proptest::collection::vec(0usize..9, 24)) {
        const VALUES: [&str; 9] = ["null", "true", "7", "-1.5", "\"x\"", "\"\"", "[]", "[{\"id\":[1]},7,\"a\"]", "{\"id\":\"i\",\"type\":{}}"];
        let names = ["eventID", "eventTime", "eventName", "eventSource", "userIdentity", "sourceIPAddress", "userAgent", "resources",
            "_document_id", "@timestamp", "action", "actor", "uuid", "published", "eventType", "client", "outcome", "target", "transaction", "severity"];
        let members: Vec<String> = names.iter().zip(&picks).map(|(name, pick)| format!("\"{name}\":{}", VALUES[*pick])).collect();
        let text = format!("{{{}}}", members.join(","));
        let document = json::parse(text.as_bytes(), &DOCUMENT_LIMITS).unwrap();
        for (name, _) in SHIPPED {
            for record in shipped(name).unwrap().records(&document).unwrap_or_default() {
                let _ = shipped(name).unwrap().map(record, &fingerprint);
            }
        }
    }

    #[test]
    fn files_that_were_changed_are_survived(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), "[ -~\n]", any::<bool>()), 0..8), which in 0usize..3
    ) {
        let mut text: Vec<char> = SHIPPED[which].1.chars().collect();
        for (at, with, insert) in edits {
            let at = at.index(text.len());
            let c = with.chars().next().unwrap_or(' ');
            if insert { text.insert(at, c) } else { text[at] = c }
        }
        let text: String = text.into_iter().collect();
        if let Ok(mapping) = Mapping::parse(&text) {
            let _ = records(&mapping, [CLOUDTRAIL, GITHUB, OKTA][which]);
        }
    }
}
