use proptest::prelude::*;

use super::write::write_double;
use super::*;
use crate::refusal::Code;

/// Canonical text, or the refusal's code and sentence.
fn told(input: impl AsRef<[u8]>, limits: &Limits) -> String {
    match parse(input.as_ref(), limits) {
        Ok(value) => String::from_utf8(value.to_jcs()).unwrap(),
        Err(refusal) => format!("{}: {refusal}", refusal.code),
    }
}

fn check(input: impl AsRef<[u8]>, expect: &str) {
    assert_eq!(told(input, &Limits::default()), expect);
}

#[test]
fn writes_canonically() {
    check(
        r#" { "b" : [ 1 , 2.50 , -0 , -0.0, 1e2 ] , "a" : { } , "c": [ ] } "#,
        r#"{"a":{},"b":[1,2.5,0,0,100],"c":[]}"#,
    );
    check(
        r#""\u00e9\u0041\/\"\\\b\f\n\r\t\u0000\u001F\u007f""#,
        "\"éA/\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f\u{7f}\"",
    );
    check(r#""\ud83d\ude00""#, "\"😀\"");
    check("true", "true");
    check("null", "null");
    check("9007199254740991", "9007199254740991");
    check("-9007199254740991", "-9007199254740991");
    check("9007199254740991.0", "9007199254740991");
    check("0.000001", "0.000001");
    check("0.0000001", "1e-7");
    check("1e-400", "0");
}

#[test]
fn the_samples_of_rfc_8785() {
    // Section 3.2.2, but for 333333333.33333329 kept and 1E30 and 2e-3 as the range allows.
    check(
        r#"{"numbers": [333333333.33333329, 4.50, 2e-3, 0.000000000000000000000000001],
            "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}"#,
        r#"{"literals":[null,true,false],"numbers":[333333333.3333333,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#,
    );
    // Section 3.2.3.
    check(
        r#"{"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
            "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"}"#,
        "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\",\
         \"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}",
    );
    // Appendix B, which goes beyond what we read.
    for (bits, expect) in [
        (0x0000_0000_0000_0000, "0"),
        (0x8000_0000_0000_0000, "0"),
        (0x0000_0000_0000_0001, "5e-324"),
        (0x8000_0000_0000_0001, "-5e-324"),
        (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
        (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
        (0x4340_0000_0000_0000, "9007199254740992"),
        (0xc340_0000_0000_0000, "-9007199254740992"),
        (0x4430_0000_0000_0000, "295147905179352830000"),
        (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
        (0x44b5_2d02_c7e1_4af6, "1e+23"),
        (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
        (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
        (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
        (0x444b_1ae4_d6e2_ef50, "1e+21"),
        (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
        (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
        (0x41b3_de43_5555_5553, "333333333.3333332"),
        (0x41b3_de43_5555_5554, "333333333.33333325"),
        (0x41b3_de43_5555_5555, "333333333.3333333"),
        (0x41b3_de43_5555_5556, "333333333.3333334"),
        (0x41b3_de43_5555_5557, "333333333.33333343"),
        (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
        (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
    ] {
        let mut out = Vec::new();
        write_double(f64::from_bits(bits), &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expect, "{bits:016x}");
    }
}

#[test]
fn refuses_what_readers_disagree_about() {
    check(r#"{"a":1,"b":2,"a":3}"#, "duplicate_key: /a: the same key twice in one object (byte 14)");
    check(
        r#"{"x":[0,{"a":1,"\u0061":2}]}"#,
        "duplicate_key: /x/1/a: the same key twice in one object (byte 8)",
    );
    check(r#"{"x":{"\u0061":1,"a":2}}"#, "duplicate_key: /x/a: the same key twice in one object (byte 18)");
    check("[9007199254740992]", "number_range: /0: a number beyond ±(2^53−1): send it as a string (byte 1)");
    check(
        "-9007199254740992",
        "number_range: event: a number beyond ±(2^53−1): send it as a string (byte 0)",
    );
    check(
        "123456789012345678901234567890",
        "number_range: event: a number beyond ±(2^53−1): send it as a string (byte 0)",
    );
    check(r#"{"n":1e16}"#, "number_range: /n: a number beyond ±(2^53−1): send it as a string (byte 5)");
    check(
        r#"{"n":9007199254740991.7}"#,
        "number_range: /n: a number beyond ±(2^53−1): send it as a string (byte 5)",
    );
    check(r#"{"n":-1e400}"#, "number_range: /n: a number too large to be finite (byte 5)");
    check(
        r#"["\ud800"]"#,
        "lone_surrogate: /0: a \\u escape of half a character (a lone surrogate) (byte 2)",
    );
    check(
        r#"["\udc00\ud800"]"#,
        "lone_surrogate: /0: a \\u escape of half a character (a lone surrogate) (byte 2)",
    );
    check(
        r#"["ok \ud800\u0041"]"#,
        "lone_surrogate: /0: a \\u escape of half a character (a lone surrogate) (byte 5)",
    );
    check(b"{\"a\":[\"\xff\"]}", "invalid_utf8: /a/0: not UTF-8 (byte 7)");
    check(b"{\"a\":[\"\xed\xa0\x80\"]}", "invalid_utf8: /a/0: not UTF-8 (byte 7)");
    check(b"{\"a\":[\"\xc0\xaf\"]}", "invalid_utf8: /a/0: not UTF-8 (byte 7)");
    check(b"{} \xff", "invalid_utf8: event: not UTF-8 (byte 3)");
    check(b"{\"a\":tru, \"b\":\"\xff\"}", "syntax: /a: expected a JSON value (byte 5)");
}

#[test]
fn refuses_what_is_not_json() {
    check("", "syntax: event: ends too early (byte 0)");
    check("{\"a\":", "syntax: /a: ends too early (byte 5)");
    check("{\"a\":\"b", "syntax: /a: ends too early (byte 7)");
    check("{\"a\":\"b\\", "syntax: /a: ends too early (byte 8)");
    check("[tru", "syntax: /0: ends too early (byte 4)");
    check("[1,]", "syntax: /1: expected a JSON value (byte 3)");
    check("{\"a\":1,}", "syntax: event: expected a key in quotes (byte 7)");
    check("{a:1}", "syntax: event: expected a key in quotes (byte 1)");
    check("{\"a\" 1}", "syntax: /a: expected a colon after the key (byte 5)");
    check("[1 2]", "syntax: event: expected a comma or the end of the array (byte 3)");
    check("{} {}", "syntax: event: something after the end of the JSON (byte 3)");
    check("\u{feff}{}", "syntax: event: a byte order mark before the JSON (byte 0)");
    check("[01]", "syntax: /0: a number with a leading zero (byte 1)");
    check("[-]", "syntax: /0: expected a digit (byte 2)");
    check("[1.]", "syntax: /0: expected a digit (byte 3)");
    check("[1e+]", "syntax: /0: expected a digit (byte 4)");
    check("[.5]", "syntax: /0: expected a JSON value (byte 1)");
    check("[+1]", "syntax: /0: expected a JSON value (byte 1)");
    check("[NaN]", "syntax: /0: expected a JSON value (byte 1)");
    check("[-Infinity]", "syntax: /0: expected a digit (byte 2)");
    check("[1] // one", "syntax: event: something after the end of the JSON (byte 4)");
    check("['a']", "syntax: /0: expected a JSON value (byte 1)");
    check("[\"a\tb\"]", "syntax: /0: a control character in a string, unescaped (byte 3)");
    check("[\"\\x41\"]", "syntax: /0: an escape that JSON does not know (byte 3)");
    check("[\"\\u00g0\"]", "syntax: /0: expected four hexadecimal digits after \\u (byte 6)");
}

#[test]
fn pointers_are_escaped_and_bounded() {
    check(r#"{"a/b~c":{"\n":x}}"#, "syntax: /a~1b~0c/\u{fffd}: expected a JSON value (byte 15)");
    let long = format!("{{\"{}\":x}}", "k".repeat(10_000));
    let refusal = parse(long.as_bytes(), &Limits::default()).unwrap_err();
    assert_eq!(refusal.pointer.chars().count(), 130);
}

#[test]
fn limits_hold() {
    // What the promise about memory in `parse` is reckoned from: "[0]," becomes one item and room for four.
    assert_eq!(size_of::<Value<'_>>(), 32);
    let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    let limits = Limits::default();
    assert!(parse(nested(64).as_bytes(), &limits).is_ok());
    assert_eq!(parse(nested(65).as_bytes(), &limits).unwrap_err().code, Code::TooDeep);
    // A caller cannot ask for more stack than there is.
    let deep = Limits { max_bytes: usize::MAX, max_depth: usize::MAX };
    assert!(parse(nested(128).as_bytes(), &deep).is_ok());
    assert_eq!(parse(nested(129).as_bytes(), &deep).unwrap_err().code, Code::TooDeep);
    assert_eq!(parse("[".repeat(1_000_000).as_bytes(), &deep).unwrap_err().code, Code::TooDeep);

    let small = Limits { max_bytes: 4, max_depth: 64 };
    assert_eq!(told("1234", &small), "1234");
    assert_eq!(told("12345", &small), "too_large: event: 5 bytes, the limit is 4 (byte 4)");
    let text = nested(64);
    for n in 0..70 {
        let value = parse(text.as_bytes(), &limits).unwrap();
        assert_eq!(depth(&value, n), (n >= 64).then_some(64));
    }
}

#[test]
fn values_are_read_by_name_and_pointer() {
    let value = parse(br#"{"a":[{"b/c":1.5},true],"":"x","n":-7}"#, &Limits::default()).unwrap();
    assert_eq!(value.pointer("/a/0/b~1c").and_then(Value::as_f64), Some(1.5));
    assert_eq!(value.pointer("/a/1").and_then(Value::as_bool), Some(true));
    assert_eq!(value.pointer("/").and_then(Value::as_str), Some("x"));
    assert_eq!(value.pointer("/n").and_then(Value::as_i64), Some(-7));
    assert_eq!(value.pointer("/a/0/b~1c").and_then(Value::as_i64), None);
    for nowhere in ["a", "/a/00", "/a/+1", "/a/2", "/a/-", "/a/0/b", "/n/0"] {
        assert!(value.pointer(nowhere).is_none(), "{nowhere}");
    }
    assert_eq!(value.pointer(""), Some(&value));
}

#[test]
fn values_are_built_by_adapters() {
    let value =
        Value::object([("b", Value::from("text".to_string())), ("a", vec![Value::from(1u32)].into())])
            .unwrap();
    assert_eq!(value.to_jcs(), br#"{"a":[1],"b":"text"}"#);
    assert_eq!(Value::object([("a", Value::Null), ("a", Value::Null)]).unwrap_err().key, "a");
    assert!(Value::integer(INTEGER_MAX).is_some() && Value::integer(INTEGER_MAX + 1).is_none());
    assert!(Value::integer(i64::MIN).is_none());
    assert!(Value::number(f64::NAN).is_none() && Value::number(f64::INFINITY).is_none());
    assert_eq!(Value::number(-0.0).unwrap().to_jcs(), b"0");

    let mut members = Object::new();
    assert_eq!(members.insert("z", true), None);
    assert_eq!(members.insert("a", "x"), None);
    assert_eq!(members.insert("z", false), Some(Value::Bool(true)));
    assert_eq!(members.remove("a"), Some(Value::from("x")));
    assert_eq!(members.remove("a"), None);
    assert_eq!(format!("{members:?}"), r#"{"z": Bool(false)}"#);
}

#[test]
fn strings_end_where_they_end() {
    // The eight-at-once search against the obvious one, for every byte at every place.
    for length in 0..24 {
        for place in 0..length {
            for byte in 0..=255u8 {
                let mut bytes = vec![0xa1; length];
                bytes[place] = byte;
                let obvious = bytes.iter().position(|b| matches!(b, b'"' | b'\\' | ..0x20)).unwrap_or(length);
                assert_eq!(plain_run(&bytes), obvious, "{byte} at {place} of {length}");
            }
        }
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z_]{0,8}",
        2 => any::<String>(),
        // Both sides of the border where UTF-16 and UTF-8 sort differently, and everything that is escaped.
        1 => "[\u{0}-\u{1f}\"\\\\/\u{7f}\u{80}\u{d7ff}\u{e000}\u{fb33}\u{ffff}\u{10000}\u{1f600}\u{10ffff}]{0,4}",
    ]
}

fn number() -> impl Strategy<Value = Value<'static>> {
    let range = INTEGER_MAX;
    prop_oneof![
        (-range..=range).prop_map(|n| Value::integer(n).unwrap()),
        (-1000i32..1000).prop_map(Value::from),
        any::<f64>().prop_filter_map("in range", Value::number),
        (-1e9..1e9).prop_map(|n: f64| Value::number(n).unwrap()),
    ]
}

fn value() -> impl Strategy<Value = Value<'static>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number(),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..8).prop_map(|members| {
                let mut object = Object::new();
                for (key, value) in members {
                    object.insert(key, value);
                }
                Value::Object(object)
            }),
        ]
    })
}

/// What JSON is made of, whole and in halves.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\"a\"",
    "\"a\":",
    "\"b\":",
    "{\"a\":",
    "[1,",
    "1",
    "0",
    "-",
    ".",
    "5",
    "e",
    "E+",
    "-0",
    "12345678",
    "true",
    "false",
    "null",
    "nul",
    " ",
    "\n",
    "\t",
    "\\",
    "\\u",
    "\\ud83d",
    "\\ude00",
    "00e9",
    "\\n",
    "é",
    "😀",
    "\u{0}",
    "\u{7f}",
    "/",
    "//",
    "x",
    "{}",
    "[]",
    "\"\\u0041\"",
    "1e5",
    "0.1",
    "1e400",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn what_is_written_is_read_back(value in value()) {
        let bytes = value.to_jcs();
        let back = parse(&bytes, &Limits::default()).unwrap();
        prop_assert_eq!(&back, &value);
        prop_assert_eq!(&back.to_jcs(), &bytes);
        prop_assert_eq!(back.into_owned(), value);
    }

    #[test]
    fn others_write_the_same_canonical_bytes(value in value()) {
        let bytes = value.to_jcs();
        let theirs: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        prop_assert_eq!(serde_json_canonicalizer::to_vec(&theirs).unwrap(), bytes.clone());
        // And from text that was not canonical to begin with.
        let pretty = serde_json::to_vec_pretty(&theirs).unwrap();
        prop_assert_eq!(parse(&pretty, &Limits::default()).unwrap().to_jcs(), bytes);
    }

    #[test]
    fn others_read_what_we_read(pieces in prop::collection::vec(prop::sample::select(PIECES), 1..12)) {
        let text = pieces.concat();
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        match (parse(text.as_bytes(), &Limits::default()), theirs) {
            (Ok(ours), Ok(theirs)) => prop_assert_eq!(serde_json_canonicalizer::to_vec(&theirs).unwrap(), ours.to_jcs()),
            (Ok(_), Err(error)) => prop_assert!(false, "only we read {text:?}: {error}"),
            // We are the stricter one, but not about the grammar.
            (Err(refusal), Ok(_)) => {
                prop_assert!(matches!(refusal.code, Code::DuplicateKey | Code::NumberRange), "{text:?}: {refusal}")
            }
            (Err(_), Err(_)) => {}
        }
    }

    #[test]
    fn keys_are_ordered_as_utf_16(a in text(), b in text()) {
        prop_assert_eq!(compare_keys(&a, &b), a.encode_utf16().cmp(b.encode_utf16()));
    }
}

#[test]
fn others_formats_may_say_more() {
    #[track_caller]
    fn check(text: &str, expect: &str) {
        let limits = Limits::default();
        parse(text.as_bytes(), &limits).unwrap_err();
        let told = match parse_loosely(text.as_bytes(), &limits) {
            Ok(value) => String::from_utf8(value.to_jcs()).unwrap(),
            Err(refusal) => refusal.code.to_string(),
        };
        assert_eq!(told, expect, "{text}");
    }
    check("1795309341496492000", r#""1795309341496492000""#);
    check("[-9223372036854775808,1e300,1e999]", r#"["-9223372036854775808","1e300","1e999"]"#);
    check(r#""a\ud83d""#, "\"a\u{fffd}\"");
    check(r#""\ud83d\ud83d\ude00\ude00""#, "\"\u{fffd}😀\u{fffd}\"");
    check(r#""\ud83dx""#, "\"\u{fffd}x\"");
    check(r#""\ud83d\n""#, "\"\u{fffd}\\n\"");
    // The rest is as strict as ever.
    check(r#"{"a":1,"a":2}"#, "duplicate_key");
    check(r#""\ud83d\u00g0""#, "syntax");
    check("01", "syntax");
}
