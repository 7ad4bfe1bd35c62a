//! Log records.

use expect_test::expect_file;

use super::*;

#[test]
fn every_sort_of_record() {
    let mut all = String::new();
    for (case, event, attributes) in [
        (
            "a call",
            "gen_ai.client.inference.operation.details",
            r#"{"gen_ai.operation.name":"chat","gen_ai.provider.name":"openai","gen_ai.request.model":"gpt-4o","gen_ai.usage.input_tokens":3,
                "gen_ai.input.messages":[{"role":"user","parts":[{"type":"text","content":"hi"}]}],"gen_ai.output.messages":[{"role":"assistant","parts":[{"type":"text","content":"hello"}],"finish_reason":"stop"}],
                "session.id":"s","bifrost.request.id":"r-1","http.request.header.x-team":"a"}"#,
        ),
        (
            "an evaluation",
            "gen_ai.evaluation.result",
            r#"{"gen_ai.evaluation.name":"relevance","gen_ai.evaluation.score.value":0.9,"gen_ai.evaluation.score.label":"good","gen_ai.evaluation.explanation":"because it says","gen_ai.response.id":"r"}"#,
        ),
        (
            "an exception",
            "gen_ai.client.operation.exception",
            r#"{"exception.type":"RateLimitError","exception.message":"what it says","exception.stacktrace":"at line 1"}"#,
        ),
        ("a message", "gen_ai.user.message", r#"{"gen_ai.system":"openai"}"#),
        ("a line of a log", "", r#"{"code.function.name":"main"}"#),
        (
            "a failed log-in",
            "auth.failed_attempt",
            r#"{"user.email":"alice@example.com","client.address":"203.0.113.42","user_agent.original":"Mozilla/5.0 (X11)","actor.auth_method":"password","event.outcome":"failure","reason":"the password was wrong","attempts":3,
                "targets":[{"type":"user"}],"nested":{"a":[1,{"b":2}]}}"#,
        ),
        (
            "an event of somebody's own",
            "payment.made",
            r#"{"amount":"12.50","enduser.id":"u1","log.record.uid":"pay-1","status":"success"}"#,
        ),
        ("a name that is none of ours", "User Logged In!", "{}"),
        ("an older name", "", r#"{"event.name":"auth.logout","user.id":"u"}"#),
        ("an audit record without a name", "", r#"{"log.type":"audit","user.id":"u","event.id":"e-1"}"#),
        ("our own", "audit.read", "{}"),
        (
            "a fingerprint that a stranger made",
            "app.asked",
            r#"{"llm.prompt_fingerprint":"hmac-sha256:00","actor.api_key_hash":"abc","llm.cost":0.5,"producer":"me","source_id":"x"}"#,
        ),
    ] {
        all += &format!(
            "{case}: {}",
            told(mapped(&Group::default(), Record::Log(Box::new(log(event, attributes)))))
        );
    }
    let mut full = log("settings.changed", "{}");
    (full.trace, full.span) = ("5b8efff798038103d269b633813fc60c".into(), "eee19b7ec3c1b174".into());
    (full.severity, full.body) = (17, Value::from("somebody changed it"));
    all += &format!("with a body: {}", told(mapped(&Group::default(), Record::Log(Box::new(full)))));
    let mut nested = log("settings.changed", "{}");
    nested.body = Value::Object(object(r#"{"a":{"b":[1]}}"#));
    all += &format!(
        "with a body that is an object: {}",
        told(mapped(&Group::default(), Record::Log(Box::new(nested))))
    );
    let audit = Group { is_audit: true, ..Group::default() };
    all += &format!(
        "by the audit door: {}",
        told(mapped(&audit, Record::Log(Box::new(log("", r#"{"a":"b"}"#)))))
    );
    expect_file!["../snapshots/logs.txt"].assert_eq(&all);
    assert!(!all.contains("what it says") && !all.contains("because it says"));
}

#[test]
fn a_record_that_is_sent_again_is_the_same() {
    let source = |identities: &mut Identities, group: &Group<'_>, log: Log<'static>| match map(
        group,
        Record::Log(Box::new(log)),
        identities,
        &fingerprint,
    ) {
        Ok(Mapped::Event(event)) => event.source_id().unwrap().to_owned(),
        other => panic!("{other:?}"),
    };
    let login = || log("auth.login", r#"{"user.id":"alice"}"#);
    let group = Group::default();
    let (mut first, mut again) = (Identities::default(), Identities::default());
    let sent: Vec<_> = (0..3).map(|_| source(&mut first, &group, login())).collect();
    // Three alike are three, and the same three when they are sent again.
    assert_eq!(sent, (0..3).map(|_| source(&mut again, &group, login())).collect::<Vec<_>>());
    assert!(sent[0] != sent[1] && sent[1] != sent[2]);
    // Whatever is different makes another record.
    let mut different: Vec<String> = vec![sent[0].clone()];
    let changes: [fn(&mut Log<'static>); 8] = [
        |log| log.time += 1,
        |log| log.observed = 1,
        |log| log.severity = 9,
        |log| log.body = Value::from("x"),
        |log| log.attributes = object(r#"{"user.id":"bob"}"#),
        |log| log.trace = "5b8efff798038103d269b633813fc60c".into(),
        |log| log.span = "eee19b7ec3c1b174".into(),
        |log| log.event = "auth.logout".into(),
    ];
    for change in changes {
        let mut log = login();
        change(&mut log);
        different.push(source(&mut Identities::default(), &group, log));
    }
    different.push(source(&mut Identities::default(), &super::group("", r#"{"host.name":"b"}"#), login()));
    different.push(source(&mut Identities::default(), &super::group("b", "{}"), login()));
    let count = different.len();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), count);
    // The sender's own id, if there is one.
    let own = log("auth.login", r#"{"log.record.uid":"01J"}"#);
    assert_eq!(source(&mut first, &group, own.clone()), "log:01J");
    assert_eq!(source(&mut first, &group, own), "log:01J");
}
