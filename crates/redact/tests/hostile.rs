//! No input makes it panic, and none makes it slow.
#![allow(clippy::disallowed_methods)]

use std::time::Duration;

use event::{Event, Limits, Object, Value};
use proptest::prelude::*;
use redact::{Keys, Origin, Policy, Redactor};

struct Fixed;

impl Keys for Fixed {
    fn text(&self, _: &str, _: &[u8]) -> String {
        format!("hmac-sha256:{}", "a".repeat(64))
    }
}

fn policies() -> Vec<Policy> {
    let read = |text: &str| {
        Policy::from_value(&event::json::parse(text.as_bytes(), &Limits::default()).unwrap()).unwrap()
    };
    vec![
        read("{}"),
        read(r#"{"content":"keep","ip":"truncate","pii":{"email":"drop","phone":"hash"}}"#),
        read(
            r#"{"ip":"drop","rules":[{"path":"/attributes/*","action":"hash"},{"path":"/message","class":"any","action":"keep"}]}"#,
        ),
    ]
}

/// Pieces of what the rules look for, so that chance finds their edges.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "\\PC{0,12}",
        "[0-9 .-]{1,24}",
        "[A-Za-z0-9+/_=-]{1,40}",
        Just("4111 1111 1111 1111".to_owned()),
        Just("DE89370400440532013000".to_owned()),
        Just("password=".to_owned()),
        Just("{\"token\":\"".to_owned()),
        Just("-----BEGIN PRIVATE KEY-----".to_owned()),
        Just("%41%zz%".to_owned()),
        Just("ä@é.example".to_owned()),
        Just("[redacted:card]".to_owned()),
        Just("::ffff:1.2.3.4:80".to_owned()),
        Just("\"\\\"[{".to_owned()),
        Just("sk-ant-eyJ://:@".to_owned()),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn value() -> impl Strategy<Value = Value<'static>> {
    let leaf = prop_oneof![
        text().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (0i64..9_000_000_000_000_000).prop_map(|n| Value::integer(n).unwrap()),
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        let name = prop_oneof![
            text(),
            Just("password".to_owned()),
            Just("name".to_owned()),
            Just("value".to_owned()),
            Just("messages".to_owned()),
            "part[0-9]{1,12}"
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..6)
                .prop_map(|members| Value::object(members).unwrap()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_is_survived(text in text()) {
        for policy in policies() {
            Redactor::new(&policy).unwrap().text(&text);
        }
    }

    #[test]
    fn any_event_is_survived_and_stays_an_event(value in value(), message in text()) {
        for policy in policies() {
            let mut tree = Object::new();
            tree.insert("type", "x");
            tree.insert("message", message.clone());
            tree.insert("attributes", Value::object([("a", value.clone())]).unwrap());
            let mut event = Event::from_value(Value::Object(tree), &Limits::default()).unwrap();
            let redactor = Redactor::new(&policy).unwrap();
            let previewed = redactor.preview(&event).len();
            redactor.apply(&mut event, &Fixed, Origin::Sender);
            let rows = event.tree().get("redactions").and_then(Value::as_array).map_or(0, <[_]>::len);
            prop_assert_eq!(rows, previewed);
            let bytes = event.submitted();
            let limits = Limits { max_bytes: 1 << 24, max_depth: 128 };
            Event::parse(&bytes, &limits).expect("what is left can be read again");
        }
    }
}

/// Time that this thread spent computing, however busy the machine is; counted in ticks of a few milliseconds.
fn computed() -> Duration {
    let spent =
        std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux says what a thread has used");
    Duration::from_nanos(spent.split(' ').next().unwrap().parse().unwrap())
}

/// One long text takes about as long as eight that are an eighth of it. If time were quadratic, it would take eight times
/// as long.
#[test]
fn time_grows_with_the_text_and_no_faster() {
    let redactor = Redactor::new(&Policy { ip: redact::Ip::Truncate, ..Policy::default() }).unwrap();
    let patterns = [
        "a@",
        "a@a.aa ",
        "4 ",
        "4111 ",
        "411111111111111 ",
        "-----BEGIN PRIVATE KEY-----",
        "eyJ",
        "eyJaaaaaaaaaa.",
        "%25",
        "A/",
        "AAAAAAAAAAAAAAAA-",
        "password=\"",
        "pwd='",
        "token=",
        "://a:",
        "://:a@",
        "cookie: ",
        "authorization: ",
        "DE89 ",
        "+1 ",
        "(",
        "sk-",
        "SG.a.",
        "account number ",
        "phone ",
        "[",
        "{\"a\":",
        "\\\"",
        "1.2.3.4:",
        "::1 ",
        "bearer ",
        "AccountKey=",
        "é",
        "\u{a0}4",
    ];
    let time = |text: &str, times: usize| {
        let start = computed();
        for _ in 0..times {
            redactor.text(text);
        }
        computed() - start
    };
    let mut slow = Vec::new();
    for pattern in patterns {
        let of = |bytes: usize| pattern.repeat(bytes / pattern.len());
        let (eight, one) = (time(&of(32 * 1024), 8), time(&of(256 * 1024), 1));
        if one > eight * 3 + Duration::from_millis(30) {
            slow.push(format!("{pattern:?}: {eight:?} for eight parts, {one:?} for the whole"));
        }
    }
    assert!(slow.is_empty(), "{slow:#?}");
}
