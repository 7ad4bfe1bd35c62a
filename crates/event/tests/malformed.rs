//! Acceptance 6: at least 20 000 malformed inputs, generated and from a public corpus, no panic, and a reason each.

use std::collections::BTreeMap;

use event::{Code, Event, Limits, Refusal, Stored, Value, assemble, json};
use expect_test::expect;

const CALL: &str = r#"{"type":"llm.completion","time":"2026-11-02T10:30:45.123Z","status":"success","source_id":"evt_1","producer":"gateway-1","producer_seq":18,"organisation":"acme","message":"Grüße \"😀\"\n\u00e9\ud83d\ude00","actor":{"type":"user","id":"user_4561","email":"alice@company.example","ip":"203.0.113.42","roles":["admin","member"],"on_behalf_of":[{"id":"bob"}]},"changes":{"before":{"a":[1,2.5,null]},"after":true},"llm":{"provider":"openai","tokens_input":150,"cost":"0.003175","latency_ms":1250.5,"stream":false,"documents":[{"id":"doc_123","score":0.87e-3}]},"attributes":{"team":"care","deep":[[[{"a":{"b":[-1e3]}}]]]},"redactions":[{"path":"/message","rule":"email","size":12}]}"#;
const LOGIN: &str = r#" { "type" : "auth.login", "severity" : "high" , "actor" : { "email" : "a@b.example", "ip" : "2001:db8::1" } , "attributes" : { } } "#;
const PLAIN: &str = r#"{"type":"Odd Type"}"#;

/// Whatever comes in: an event that survives the round trip, or a refusal with a reason and a place. True if taken.
fn survives(input: &[u8]) -> Result<(), Refusal> {
    let limits = Limits::default();
    let event = match Event::parse(input, &limits) {
        Ok(event) => event,
        Err(refusal) => {
            refused_properly(input, &refusal);
            return Err(refusal);
        }
    };
    let submitted = event.submitted();
    let again = Event::parse(&submitted, &limits).expect("what was accepted is accepted again");
    assert_eq!(again, event);
    assert_eq!(again.submitted(), submitted);
    let (core, sections) = (event.core(), event.sections());
    let stored = Stored {
        id: [7; 16],
        position: 0,
        received_ms: 0,
        time_ns: core.time_ns.unwrap_or(0),
        kind: &core.kind,
        status: core.status,
        severity: core.severity,
        producer: &core.producer,
        producer_seq: core.producer_seq,
        sections: sections.iter().map(|(name, body)| (*name, Some(body.as_slice()))).collect(),
        organisation: "acme",
    };
    let shown = assemble(&stored).expect("sections are well formed");
    assert_eq!(shown.get("type").and_then(Value::as_str), Some(event.type_said()));
    Ok(())
}

fn refused_properly(input: &[u8], refusal: &Refusal) {
    let at = || format!("{refusal} for {}", String::from_utf8_lossy(&input[..input.len().min(300)]));
    assert!(!refusal.reason.is_empty() && refusal.reason.len() < 300, "{}", at());
    assert!(refusal.pointer.is_empty() || refusal.pointer.starts_with('/'), "{}", at());
    assert!(!refusal.to_string().chars().any(char::is_control), "{}", at());
    assert!(refusal.offset.is_none_or(|offset| offset <= input.len()), "{}", at());
    // What is wrong about a field is where the pointer says.
    if matches!(refusal.code, Code::WrongType | Code::BadValue) {
        let tree = json::parse(input, &Limits::default()).expect("the JSON is fine");
        assert!(tree.pointer(&refusal.pointer).is_some(), "{}", at());
    }
}

/// SplitMix64: the same inputs on every machine.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    fn one_of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }
}

const WAYS: usize = 13;

/// Spoils an event in the given way.
fn spoil(way: usize, corpus: &[(String, Vec<u8>)], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = chance.one_of(&[CALL, CALL, CALL, LOGIN, PLAIN]).as_bytes().to_vec();
    let at = chance.below(bytes.len());
    let mut put = |at: usize, piece: &[u8]| drop(bytes.splice(at..at, piece.iter().copied()));
    match way {
        0 => bytes.truncate(at),
        1 => bytes[at] ^= 1 << chance.below(8),
        2 => put(at, &[chance.below(256) as u8]),
        3 => drop(bytes.drain(at..(at + 1 + chance.below(8)).min(bytes.len()))),
        // A piece of it again, somewhere else: often a member twice.
        4 => {
            let piece = bytes[at..(at + chance.below(80)).min(bytes.len())].to_vec();
            let to = chance.below(bytes.len());
            bytes.splice(to..to, piece);
        }
        // Not UTF-8, in the ways there are: a lone continuation, overlong, a surrogate, beyond Unicode, cut short.
        5 => put(
            at,
            chance.one_of(&[
                b"\x80".as_slice(),
                b"\xc0\xaf",
                b"\xed\xa0\x80",
                b"\xf4\x90\x80\x80",
                b"\xe2\x82",
                b"\xff\xfe",
            ]),
        ),
        // Halves of characters, and escapes that are none; inside a string where there is one.
        6 => {
            let at = bytes[..at].iter().rposition(|b| *b == b'"').map_or(1, |quote| quote + 1);
            put_in(
                &mut bytes,
                at,
                chance.one_of(&[
                    "\\ud800",
                    "\\udfff",
                    "\\ud83d\\u0041",
                    "\\u12",
                    "\\x41",
                    "\\",
                    "\u{1}",
                    "\n",
                    "\\u0000",
                ]),
            );
        }
        // Depth.
        7 => {
            return wrapped(&nested(
                chance.one_of(&["[", "{\"a\":"]),
                1 + chance.below(300),
                chance.below(2) == 0,
            ));
        }
        // Numbers.
        8 => {
            let numbers = [
                "9007199254740992",
                "-9007199254740993",
                "1e400",
                "-1E+999",
                "1e22",
                "01",
                "1.",
                ".1",
                "+1",
                "--1",
                "0x10",
                "NaN",
                "Infinity",
                "1e",
                "1_000",
                "123456789012345678901234567890",
            ];
            return wrapped(numbers[chance.below(numbers.len())]);
        }
        // The same key twice.
        9 => {
            let names = ["type", "actor", "attributes", "\\u0074ype", "x", ""];
            let name = names[chance.below(names.len())];
            put_in(&mut bytes, 1, &format!("\"{name}\":1,\"{name}\":2,"));
        }
        // A good name with a bad value, a bad name, or both.
        10 => {
            let names = [
                "time",
                "source_id",
                "id",
                "producer",
                "producer_seq",
                "actor",
                "llm",
                "targets",
                "tpye",
                "trace_id",
                "retention",
                "__proto__",
            ];
            let values = [
                "\"\"",
                "5",
                "\"s2\"",
                "0",
                "-1",
                "1.5",
                "true",
                "[]",
                "[1]",
                "{\"x\":1}",
                "\"2024-02-30T00:00:00Z\"",
                "\"\\u0000\"",
                "\"a b\"",
                "{\"ip\":\"1.2.3\"}",
                "{\"cost\":\"1e5\"}",
            ];
            let (name, value) = (names[chance.below(names.len())], values[chance.below(values.len())]);
            let start = chance.one_of(&["\"type\":\"a.b\",", "\"type\":\"a.b\",\"source_id\":\"s1\",", ""]);
            return format!("{{{start}\"{name}\":{value}}}").into_bytes();
        }
        // Noise.
        11 => bytes = (0..chance.below(200)).map(|_| chance.below(256) as u8).collect(),
        // An input of the corpus, as an attribute.
        _ => {
            let (_, input) = &corpus[chance.below(corpus.len())];
            return [b"{\"type\":\"a\",\"attributes\":{\"x\":", input.as_slice(), b"}}"].concat();
        }
    }
    bytes
}

fn put_in(bytes: &mut Vec<u8>, at: usize, piece: &str) {
    let at = at.min(bytes.len());
    bytes.splice(at..at, piece.bytes());
}

fn wrapped(attribute: &str) -> Vec<u8> {
    format!("{{\"type\":\"a\",\"attributes\":{{\"x\":{attribute}}}}}").into_bytes()
}

fn nested(open: &str, depth: usize, closed: bool) -> String {
    let close = if open == "[" { "]" } else { "}" };
    format!("{}1{}", open.repeat(depth), if closed { close.repeat(depth) } else { String::new() })
}

#[test]
fn twenty_thousand_malformed_inputs_get_a_reason_each() {
    let corpus = corpus();
    let mut chance = Chance(2);
    let (mut refused, mut taken) = (BTreeMap::<&str, usize>::new(), 0);
    for round in 0.. {
        match survives(&spoil(round % WAYS, &corpus, &mut chance)) {
            Ok(()) => taken += 1,
            Err(refusal) => *refused.entry(refusal.code.as_str()).or_default() += 1,
        }
        if refused.values().sum::<usize>() == 20_000 {
            break;
        }
    }
    // Every way of being wrong but size, which has its own test below.
    let mut missing: Vec<_> =
        Code::ALL.iter().map(|code| code.as_str()).filter(|code| !refused.contains_key(code)).collect();
    missing.retain(|code| *code != "too_large");
    assert!(missing.is_empty(), "never seen: {missing:?}");
    assert!(taken > 1000, "some of it is well formed after all: {taken}");
    expect![[r#"
        {
            "bad_value": 412,
            "conflict": 14,
            "duplicate_key": 1433,
            "invalid_utf8": 3791,
            "lone_surrogate": 463,
            "missing": 56,
            "number_range": 682,
            "syntax": 9601,
            "too_deep": 1355,
            "unknown_field": 1240,
            "wrong_type": 953,
        }
    "#]]
    .assert_debug_eq(&refused);
}

#[test]
fn every_prefix_and_every_flipped_bit_of_an_event() {
    let bytes = CALL.as_bytes();
    for end in 0..bytes.len() {
        assert!(survives(&bytes[..end]).is_err());
    }
    for at in 0..bytes.len() * 8 {
        let mut bytes = bytes.to_vec();
        bytes[at / 8] ^= 1 << (at % 8);
        let _ = survives(&bytes);
    }
}

#[test]
fn size_is_refused_before_anything_is_read() {
    let large = wrapped(&format!("\"{}\"", "x".repeat(256 * 1024)));
    assert_eq!(survives(&large).unwrap_err().code, Code::TooLarge);
    assert_eq!(survives(&vec![0xff; 256 * 1024 + 1]).unwrap_err().code, Code::TooLarge);
    assert!(survives(&wrapped(&format!("\"{}\"", "x".repeat(255 * 1024)))).is_ok());
}

/// The corpus, with the two large inputs that the file leaves out.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let mut inputs: Vec<_> = include_str!("corpus/json_test_suite.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (name, escaped) = line.split_once('\t').expect("name, tab, bytes");
            (name.to_string(), unescaped(escaped))
        })
        .collect();
    inputs.push(("n_structure_100000_opening_arrays".into(), "[".repeat(100_000).into_bytes()));
    inputs.push(("n_structure_open_array_object".into(), "[{\"\":".repeat(50_000).into_bytes()));
    inputs
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'\\' if rest.clone().next() == Some(b'\\') => bytes.extend(rest.next()),
            b'\\' => {
                assert_eq!(rest.next(), Some(b'x'));
                let mut digit = || char::from(rest.next().unwrap()).to_digit(16).unwrap() as u8;
                bytes.push(digit() << 4 | digit());
            }
            _ => bytes.push(byte),
        }
    }
    bytes
}

#[test]
fn the_json_test_suite_is_read_as_it_says() {
    let mut stricter = String::new();
    let mut lenient = String::new();
    let (mut must, mut must_not) = (0, 0);
    for (name, input) in corpus() {
        let read = json::parse(&input, &Limits::default());
        match (&read, name.as_bytes()[0]) {
            (Ok(value), b'y') => {
                must += 1;
                assert_eq!(json::parse(&value.to_jcs(), &Limits::default()).as_ref(), Ok(value));
            }
            (Err(_), b'n') => must_not += 1,
            (Ok(_), b'n') => panic!("{name} is not JSON"),
            (Err(refusal), b'y') => stricter += &format!("{name}: {}\n", refusal.code),
            (Ok(_), _) => lenient += &format!("{name}\n"),
            (Err(_), _) => {}
        }
        if let Err(refusal) = &read {
            refused_properly(&input, refusal);
        }
        let _ = survives(&input);
    }
    assert_eq!((must, must_not), (88, 188));
    // What every JSON reader should take, and we do not, by rule.
    expect![[r#"
        y_number: number_range
        y_number_real_capital_e: number_range
        y_number_real_exponent: number_range
        y_number_real_fraction_exponent: number_range
        y_object_duplicated_key: duplicate_key
        y_object_duplicated_key_and_value: duplicate_key
        y_object_extreme_numbers: number_range
    "#]]
    .assert_eq(&stricter);
    // What a JSON reader may take or refuse, and we take.
    expect![[r#"
        i_number_double_huge_neg_exp
        i_number_real_underflow
    "#]]
    .assert_eq(&lenient);
}
