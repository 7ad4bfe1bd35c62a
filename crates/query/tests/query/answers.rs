//! Filters, and the events that they find.

use event::{Limits, Value, json};
use query::Filter;

/// `n` in the lists of [`check`].
const EVENTS: [&str; 5] = [
    r#"{"id":"0192f0c1-2b3c-7d4e-8f50-123456789abc","position":0,"received":"2026-11-22T10:30:01.000Z",
        "time":"2026-11-22T10:30:00Z","organisation":"acme","type":"auth.login","status":"failed","severity":"high",
        "actor":{"id":"u-1","email":"Alice@Example.com","name":"Alice Ångström","ip":"203.0.113.42",
                 "user_agent":"Mozilla/5.0 (X11; Linux)","roles":["admin","Auditor"]},
        "error":{"type":"BadPassword","code":"401","message":"Wrong password, try again."}}"#,
    r#"{"id":"0192f0c1-2b3c-7d4e-8f50-123456789abd","position":1,"received":"2026-11-22T11:00:00.000Z",
        "time":"2026-11-22T23:59:59.999999999Z","organisation":"acme","type":"llm.completion","status":"success",
        "severity":"info","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736",
        "actor":{"id":"u-2","ip":"::ffff:10.1.2.3","api_key_hash":"sha256:AbC="},
        "targets":[{"type":"model","id":"gpt-4o","attributes":{"Tier":"gold"}},{"type":"team","id":"t-7","name":"Blue Team"}],
        "llm":{"model":"gpt-4o","provider":"openai","cost":"0.0031","tokens_total":1200,"latency_ms":2500.5,"stream":true,
               "tools":[{"name":"search","id":"call-1"}],"parameters":{"temperature":0.7}}}"#,
    r#"{"position":2,"received":"2026-11-23T00:00:00.000Z","time":"2026-11-23T00:00:00Z","type":"budget.updated",
        "status":"success","severity":"low","actor":{"id":"admin","ip":"2001:db8::1"},
        "changes":{"before":{"max_budget":100},"after":{"max_budget":"250.0","tags":["a b","c"]}},
        "attributes":{"tenant":{"name":"Acme Corp","Id":7},"gen_ai.system":"openai","order":"ord_1234567890abcdefgh",
                      "expires":"2026-12-01T00:00:00+01:00","empty":{},"none":null,"flag":false}}"#,
    r#"{"position":3,"received":"2026-11-23T01:00:00.000Z","time":"2026-11-23T01:00:00Z","type":"payment.made",
        "status":"exploded","severity":"debug","request_id":"5.0","erased":["who","content"],"state":{"proved":true},"leaf_hash":"00"}"#,
    r#"{"position":4,"received":"2026-12-01T00:00:00.000Z","time":"2026-12-01T00:00:00Z","type":"guardrail.block",
        "status":"blocked","severity":"critical","message":"prompt injection: ignore previous instructions",
        "llm":{"guardrails":[{"name":"lakera","verdict":"deny","score":0.98,"categories":["pii_detected"]}]}}"#,
];

/// 2026-12-01T12:00:00Z
const NOW: i64 = 1_796_126_400_000_000_000;

#[track_caller]
fn check(filter: &str, found: &[usize]) {
    let parsed = Filter::parse(filter).unwrap_or_else(|error| panic!("{filter}: {error}"));
    let again = Filter::parse(&parsed.to_string()).unwrap_or_else(|error| panic!("{parsed}: {error}"));
    assert_eq!(again, parsed, "{filter} is printed as {parsed}");
    let predicate = parsed.at(NOW).predicate();
    let passes = |n: &usize| predicate.matches(&event(EVENTS[*n]));
    assert_eq!((0..EVENTS.len()).filter(passes).collect::<Vec<_>>(), found, "{filter}");
}

fn event(text: &str) -> Value<'_> {
    json::parse(text.as_bytes(), &Limits::default()).unwrap()
}

#[test]
fn everything_and_nothing() {
    check("", &[0, 1, 2, 3, 4]);
    check("  ", &[0, 1, 2, 3, 4]);
    check("*", &[0, 1, 2, 3, 4]);
    check("NOT *", &[]);
    check("status:failed OR *", &[0, 1, 2, 3, 4]);
}

#[test]
fn values_are_equal() {
    check("actor.email:alice@example.COM", &[0]);
    check("actor.name:\"alice ångström\"", &[0]);
    check("actor.name:alice", &[]);
    check("actor.roles:auditor", &[0]);
    check("targets.id:t-7", &[1]);
    check("targets.attributes.Tier:gold", &[1]);
    check("targets.attributes.tier:gold", &[]);
    check("llm.documents[].id:x OR llm.tools[].name:search", &[1]);
    check("error.code:401", &[0]);
    check("error.code:401.0", &[0]);
    check("llm.cost:0.00310", &[1]);
    check("llm.tokens_total=1200", &[1]);
    check("llm.stream:TRUE", &[1]);
    check("attributes.flag:false", &[2]);
    check("attributes.tenant.Id:7", &[2]);
    check("changes.after.max_budget:250", &[2]);
    check("changes.after.tags:\"A B\"", &[2]);
    check("attributes.gen_ai.system:openai", &[2]);
    check("attributes.tenant:acme", &[]);
    check("key:\"sha256:abc=\"", &[1]);
    check("position:3", &[3]);
    check("erased:who", &[3]);
    // Ids are text only.
    check("request_id:5.0", &[3]);
    check("request_id:5", &[]);
    check("id:0192F0C1-2b3c-7d4e-8f50-123456789ABC", &[0]);
}

#[test]
fn words_are_canonical() {
    check("status:failure", &[0]);
    check("result:DENIED", &[4]);
    check("status:exploded", &[3]);
    check("severity:warning", &[]);
    check("severity:fatal", &[4]);
    check("category:authentication", &[0]);
    check("category:Configuration_Change", &[2]);
    check("category:other", &[3]);
    check("category:auth*", &[0]);
    check("category:*", &[0, 1, 2, 3, 4]);
    check("type:auth.*", &[0]);
    check("event_type:*.updated", &[2]);
    check("type:*l*l*", &[1, 4]);
}

#[test]
fn clauses_are_combined() {
    check("status:success severity:low", &[2]);
    check("status:success AND severity:low", &[2]);
    check("status:failed OR status:success severity:low", &[0, 2]);
    check("(status:failed OR status:success) severity:low", &[2]);
    check("-status:success", &[0, 3, 4]);
    check("!status:success NOT severity:high", &[3, 4]);
    check("NOT NOT status:success", &[1, 2]);
    check("status!=success", &[0, 3, 4]);
    check("status:(failed OR blocked)", &[0, 4]);
    check("status!=(failed OR blocked)", &[1, 2, 3]);
    check("targets.id:(gpt-4o AND t-7)", &[1]);
    check("targets.id:(gpt-4o -t-7)", &[]);
    check("type:(auth.* -auth.logout)", &[0]);
    check("actor:admin", &[2]);
    check("user:(u-1 OR alice*)", &[0]);
    check("target:\"blue team\"", &[1]);
}

#[test]
fn values_are_compared() {
    check("severity>=high", &[0, 4]);
    check("severity < medium", &[1, 2]);
    check("severity:>low", &[0, 4]);
    check("severity:low..high", &[0, 2]);
    check("severity:[info TO high}", &[1, 2]);
    check("llm.latency_ms>2s", &[1]);
    check("latency:[1s TO 2.5s]", &[]);
    check("latency:[1s TO 2501ms]", &[1]);
    check("cost>0.003 cost<=0.0031", &[1]);
    check("cost<0.0031", &[]);
    check("tokens:1000..2000", &[1]);
    check("tokens:1201..", &[]);
    check("tokens:(>1000 <1300)", &[1]);
    check("error.code>=400", &[0]);
    check("error.code>=\"40\"", &[0]);
    check("attributes.tenant.Id>6", &[2]);
    check("attributes.tenant.name>\"acme\"", &[2]);
    check("changes.after.max_budget>100", &[2]);
    check("attributes.expires>2026-11-30T22:59:59Z", &[2]);
    check("attributes.expires>2026-11-30T23:00:00Z", &[]);
    check("attributes.expires<now", &[2]);
    check("llm.guardrails.score>=0.98", &[4]);
    check("llm.model>=gpt", &[1]);
    check("position:{1 TO 3}", &[2]);
    check("position:[* TO 1]", &[0, 1]);
    check("position:[* TO *]", &[0, 1, 2, 3, 4]);
}

#[test]
fn times_are_compared() {
    check("time:2026-11-22", &[0, 1]);
    check("time:2026-11", &[0, 1, 2, 3]);
    check("time>2026-11-22", &[2, 3, 4]);
    check("time>=2026-11-22", &[0, 1, 2, 3, 4]);
    check("time<=2026-11-22", &[0, 1]);
    check("time:[2026-11-22 TO 2026-11-22]", &[0, 1]);
    check("time:[2026-11-22 TO 2026-11-23}", &[0, 1]);
    check("ts:2026-11-22T11:30:00+01:00", &[0]);
    check("time!=2026-11-22T10:30:00Z", &[1, 2, 3, 4]);
    check("time:2026-11-22T10:30:00Z..2026-11-23", &[0, 1, 2, 3]);
    check("received:..2026-11-22", &[0, 1]);
}

#[test]
fn now_is_put_in() {
    check("time:-24h", &[4]);
    check("time>=now-24h", &[4]);
    check("time:[now-9d TO now-12h]", &[1, 2, 3, 4]);
    check("time:[now-9d TO now-12h}", &[1, 2, 3]);
    check("time:now-8d..", &[4]);
    check("received<now-1w", &[0, 1, 2, 3]);
    let unresolved = Filter::parse("time<now").unwrap();
    assert!(EVENTS.iter().all(|text| !unresolved.matches(&event(text))));
}

#[test]
fn addresses_are_compared() {
    check("ip:203.0.113.0/24", &[0]);
    check("actor.ip:10.0.0.0/8", &[1]);
    check("actor.ip:10.1.2.3", &[1]);
    check("actor.ip:::ffff:10.0.0.0/104", &[1]);
    check("actor.ip:\"2001:db8::/32\"", &[2]);
    check("actor.ip:2001:DB8:0::1", &[2]);
    check("ip:(10.0.0.0/8 OR 2001:db8::1)", &[1, 2]);
    check("ip:10.*", &[]);
    check("ip:203.0.*", &[0]);
    check("actor.ip:0.0.0.0/0", &[0, 1]);
}

#[test]
fn things_exist() {
    check("exists:actor", &[0, 1, 2]);
    check("has:llm.tools", &[1]);
    check("exists:agent", &[]);
    check("llm:*", &[1, 4]);
    check("attributes:*", &[2]);
    check("exists:attributes.empty", &[]);
    check("exists:attributes.none", &[]);
    check("exists:attributes.gen_ai", &[2]);
    check("exists:attributes.tenant", &[2]);
    check("-exists:(actor OR llm)", &[3]);
    check("exists:(actor llm)", &[1]);
    check("exists:user", &[0, 1, 2]);
}

#[test]
fn text_is_searched() {
    check("password", &[0]);
    check("\"wrong PASSWORD try\"", &[0]);
    check("\"password wrong\"", &[]);
    check("ångström", &[0]);
    check("alice@example.com", &[0]);
    check("example.com", &[0]);
    check("fail*", &[0]);
    check("pass* wrong", &[0]);
    check("injection -alice", &[4]);
    check("pii", &[4]);
    check("openai", &[1, 2]);
    check("203.0.113.42", &[0]);
    // Ids are found whole.
    check("4bf92f3577b34da6a3ce929d0e0e4736", &[1]);
    check("4bf92f*", &[]);
    check("call-1", &[1]);
    check("call", &[]);
    check("ord_1234567890ABCDEFGH", &[2]);
    check("ord", &[]);
    check("\"sha256:abc=\"", &[1]);
    // Neither numbers nor times are text, nor is what is only shown with an event.
    check("1200", &[]);
    check("59", &[]);
    check("true", &[]);
    check("proved", &[]);
    check("other", &[3]);
    check("error.message:\"try AGAIN\"", &[0]);
    check("error.message:wrong*again.", &[0]);
    check("user_agent:linux", &[0]);
}

#[test]
fn values_with_signs_are_taken_as_they_are() {
    check(r#"attributes.path:"C:\\temp\\x""#, &[]);
    check(r"attributes.tenant.name:acme\ c*", &[2]);
    check(r#""attributes.tenant.name":"acme corp""#, &[2]);
    check(r#""attributes.a key: odd":(x OR "y \"z\"")"#, &[]);
    check("targets.name:../etc/passwd", &[]);
    check(r"attributes.user:CORP\alice", &[]);
}

#[test]
fn canonical_text() {
    let check = |text: &str, canonical: &str| {
        assert_eq!(Filter::parse(text).unwrap().to_string(), canonical);
    };
    check("", "");
    check("*", "");
    check(
        "outcome:failure AND NOT (ip:10.1.2.3/8 OR (ip:10.0.0.1))",
        "status:failed -(actor.ip:10.0.0.0/8 OR actor.ip:10.0.0.1)",
    );
    check("user:x", "actor.id:x OR actor.email:x OR actor.name:x");
    check("a user:x", "a (actor.id:x OR actor.email:x OR actor.name:x)");
    check("latency > 1.5s", "llm.latency_ms>1500");
    check("time:2026-11-22", "time:[2026-11-22T00:00:00Z TO 2026-11-23T00:00:00Z}");
    check("time:-48h", "time>=now-2d");
    check("severity!=warn", "-severity:medium");
    check("severity:warn..", "severity>=medium");
    check("\"one\" \"two words\" \"AND\" \"-x\" fail*", "one \"two words\" \"AND\" \"-x\" fail*");
    check("exists:Actor has:IP", "actor:* actor.ip:*");
    check(r"targets.name:a\*b* targets.name:a\ b", r#"targets.name:a\*b* targets.name:"a b""#);
    check("attributes.x:[1 TO *]", "attributes.x>=1");
    check("attributes.x:{a TO b]", "attributes.x:{\"a\" TO \"b\"]");
    check("NOT * OR x", "x");
    check("* OR x", "");
    check("x -*", "-*");
}

#[test]
fn urls() {
    let filter = Filter::parse("actor.email:alice@x.com \"naïve +1\" severity>=high").unwrap();
    let query = filter.to_url_query();
    assert_eq!(query, "actor.email%3Aalice%40x.com%20%22na%C3%AFve%20%2B1%22%20severity%3E%3Dhigh");
    assert_eq!(Filter::from_url_query(&query), Ok(filter));
    assert_eq!(Filter::from_url_query("a+b%2bc").map(|f| f.to_string()).unwrap(), "a b+c");
    for broken in ["%", "%4", "%zz", "%ff"] {
        assert_eq!(Filter::from_url_query(broken).unwrap_err().span, 0..broken.len());
    }
    assert!(Filter::from_url_query(&"a".repeat(5000)).is_err());
}
