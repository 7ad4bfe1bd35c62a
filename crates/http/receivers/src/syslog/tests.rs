use event::{Event, Limits, Value};
use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

fn fingerprint(bytes: &[u8]) -> String {
    format!("test:{}", bytes.len())
}

fn told(bytes: &[u8]) -> String {
    let framed = Framed { bytes: bytes.to_vec(), cut: 0 };
    let show = |event: Event<'_>| String::from_utf8(Value::Object(event.tree().clone()).to_jcs()).unwrap();
    match map(&framed, "fw", Some("192.0.2.7"), &fingerprint) {
        Ok(Mapped::Sent(event)) => format!("sent {}", show(event)),
        Ok(Mapped::Made(event)) => show(event),
        Err(refusal) => refusal.to_string(),
    }
}

fn check(text: &str, expect: Expect) {
    expect.assert_eq(&told(text.as_bytes()));
}

/// RFC 5424, 6.5.
#[test]
fn the_examples_of_rfc_5424() {
    check(
        "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \u{feff}'su root' failed for lonvick on /dev/pts/8",
        expect![[
            r#"{"attributes":{"app":"su","facility":"auth","host":"mymachine.example.com","message_id":"ID47","peer":"192.0.2.7"},"message":"'su root' failed for lonvick on /dev/pts/8","producer":"fw","severity":"critical","source_id":"syslog:test:110","time":"2003-10-11T22:14:15.003Z","type":"log.entry"}"#
        ]],
    );
    check(
        "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts.",
        expect![[
            r#"{"attributes":{"app":"myproc","facility":"local4","host":"192.0.2.1","peer":"192.0.2.7","process":"8710"},"message":"%% It's time to make the do-nuts.","producer":"fw","severity":"low","source_id":"syslog:test:99","time":"2003-08-24T12:14:15.000003Z","type":"log.entry"}"#
        ]],
    );
    check(
        r#"<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3" eventSource="Application" eventID="1011"] BOMAn application event log entry..."#,
        expect![[
            r#"{"attributes":{"app":"evntslog","facility":"local4","host":"mymachine.example.com","message_id":"ID47","peer":"192.0.2.7","structured_data":{"exampleSDID@32473":{"eventID":"1011","eventSource":"Application","iut":"3"}}},"message":"BOMAn application event log entry...","producer":"fw","severity":"low","source_id":"syslog:test:175","time":"2003-10-11T22:14:15.003Z","type":"log.entry"}"#
        ]],
    );
    check(
        r#"<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3" iut="4" q="a\"b\]c\\d\e"][examplePriority@32473 class="high"]"#,
        expect![[
            r#"{"attributes":{"app":"evntslog","facility":"local4","host":"mymachine.example.com","message_id":"ID47","peer":"192.0.2.7","structured_data":{"examplePriority@32473":{"class":"high"},"exampleSDID@32473":{"iut":["3","4"],"q":"a\"b]c\\d\\e"}}},"producer":"fw","severity":"low","source_id":"syslog:test:158","time":"2003-10-11T22:14:15.003Z","type":"log.entry"}"#
        ]],
    );
    check(
        "<165>1 - - - - - -",
        expect![[
            r#"{"attributes":{"facility":"local4","peer":"192.0.2.7"},"producer":"fw","severity":"low","type":"log.entry"}"#
        ]],
    );
}

/// RFC 3164, 5.4, and what rsyslog and others make of it.
#[test]
fn older_messages_are_read_loosely() {
    check(
        "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
        expect![[
            r#"{"attributes":{"app":"su","facility":"auth","host":"mymachine","peer":"192.0.2.7","time_said":"Oct 11 22:14:15"},"message":"'su root' failed for lonvick on /dev/pts/8","producer":"fw","severity":"critical","type":"log.entry"}"#
        ]],
    );
    check(
        "<13>Feb  5 17:32:18 10.0.0.99 Use the BFG!",
        expect![[
            r#"{"attributes":{"facility":"user","host":"10.0.0.99","peer":"192.0.2.7","time_said":"Feb  5 17:32:18"},"message":"Use the BFG!","producer":"fw","severity":"low","type":"log.entry"}"#
        ]],
    );
    check(
        "<86>2026-11-22T10:00:00.123456+01:00 gw sshd[812]: Accepted publickey for alice",
        expect![[
            r#"{"attributes":{"app":"sshd","facility":"authpriv","host":"gw","peer":"192.0.2.7","process":"812"},"message":"Accepted publickey for alice","producer":"fw","severity":"info","source_id":"syslog:test:79","time":"2026-11-22T09:00:00.123456Z","type":"log.entry"}"#
        ]],
    );
    check(
        "<13>Oct  1 00:00:00 app[7]: no host",
        expect![[
            r#"{"attributes":{"app":"app","facility":"user","peer":"192.0.2.7","process":"7","time_said":"Oct  1 00:00:00"},"message":"no host","producer":"fw","severity":"low","type":"log.entry"}"#
        ]],
    );
    check(
        "no head at all",
        expect![[
            r#"{"attributes":{"peer":"192.0.2.7"},"message":"no head at all","producer":"fw","type":"log.entry"}"#
        ]],
    );
    check(
        "<999>not a priority",
        expect![[
            r#"{"attributes":{"peer":"192.0.2.7"},"message":"<999>not a priority","producer":"fw","type":"log.entry"}"#
        ]],
    );
    check(
        "<165>1 not-a-time host app - - - x",
        expect![[
            r#"{"attributes":{"facility":"local4","peer":"192.0.2.7"},"message":"1 not-a-time host app - - - x","producer":"fw","severity":"low","type":"log.entry"}"#
        ]],
    );
}

#[test]
fn cef_is_read() {
    check(
        r"<134>1 2026-03-01T10:00:00Z fw cef - - - CEF:0|Security|threatmanager|1.0|100|worm successfully stopped|10|src=10.0.0.1 dst=2.1.2.2 spt=1232 suser=alice duser=root act=blocked outcome=failure externalId=77 rt=1772359200123 cs1Label=Policy Name cs1=block worms msg=Detected a \= b\\c\nnext",
        expect![[
            r#"{"action":"blocked","actor":{"id":"alice","ip":"10.0.0.1","name":"alice"},"attributes":{"app":"cef","cef":{"extension":{"Policy Name":"block worms","dst":"2.1.2.2","externalId":"77","spt":"1232"},"name":"worm successfully stopped","product":"threatmanager","signature":"100","vendor":"Security","version":"1.0"},"facility":"local0","host":"fw","peer":"192.0.2.7"},"message":"Detected a = b\\c\nnext","producer":"fw","severity":"critical","status":"failed","targets":[{"id":"root"}],"time":"2026-03-01T10:00:00.123Z","type":"log.entry"}"#
        ]],
    );
    check(
        r"CEF:0|v|p\|q|1|auth.login|logged in|Low|suser=bob cn1=5 path=/a b/c",
        expect![[
            r#"{"actor":{"id":"bob","name":"bob"},"attributes":{"cef":{"extension":{"cn1":"5","path":"/a b/c"},"product":"p|q","signature":"auth.login","vendor":"v","version":"1"},"peer":"192.0.2.7"},"message":"logged in","producer":"fw","severity":"low","type":"auth.login"}"#
        ]],
    );
    check(
        "CEF:0|too|short",
        expect![[
            r#"{"attributes":{"peer":"192.0.2.7"},"message":"CEF:0|too|short","producer":"fw","type":"log.entry"}"#
        ]],
    );
}

#[test]
fn leef_is_read() {
    check(
        "<134>Mar  1 10:00:00 host LEEF:1.0|Microsoft|MSExchange|4.0 SP1|15345|src=192.0.2.0\tdst=172.50.123.1\tsev=5\tcat=anomaly\tsrcPort=81\tusrName=joe.black",
        expect![[
            r#"{"actor":{"id":"joe.black","ip":"192.0.2.0"},"attributes":{"facility":"local0","host":"host","leef":{"event_id":"15345","extension":{"cat":"anomaly","dst":"172.50.123.1","sev":"5","srcPort":"81"},"product":"MSExchange","vendor":"Microsoft","version":"4.0 SP1"},"peer":"192.0.2.7","time_said":"Mar  1 10:00:00"},"producer":"fw","severity":"medium","type":"log.entry"}"#
        ]],
    );
    check(
        "LEEF:2.0|Lancope|StealthWatch|1.0|41|^|src=192.0.2.0^sev=8^devTime=1772359200123^resource=db 1",
        expect![[
            r#"{"actor":{"ip":"192.0.2.0"},"attributes":{"leef":{"event_id":"41","extension":{"sev":"8"},"product":"StealthWatch","vendor":"Lancope","version":"1.0"},"peer":"192.0.2.7"},"producer":"fw","severity":"high","targets":[{"id":"db 1"}],"time":"2026-03-01T10:00:00.123Z","type":"log.entry"}"#
        ]],
    );
    check(
        "LEEF:2.0|a|b|1|auth.logout|x5E|usrName=x^outcome=success",
        expect![[
            r#"{"actor":{"id":"x"},"attributes":{"leef":{"event_id":"auth.logout","product":"b","vendor":"a","version":"1"},"peer":"192.0.2.7"},"producer":"fw","status":"success","type":"auth.logout"}"#
        ]],
    );
    check(
        "LEEF:2.0|a|b|1|2|0x|x",
        expect![[
            r#"{"attributes":{"peer":"192.0.2.7"},"message":"LEEF:2.0|a|b|1|2|0x|x","producer":"fw","type":"log.entry"}"#
        ]],
    );
}

#[test]
fn an_event_of_ours_is_one() {
    check(
        r#"<134>1 2026-03-01T10:00:00.5Z h a - - - {"type":"auth.login","actor":{"id":"alice"},"attributes":{"app":"mine"}}"#,
        expect![[
            r#"sent {"actor":{"id":"alice"},"attributes":{"app":"mine","facility":"local0","host":"h","peer":"192.0.2.7"},"producer":"fw","source_id":"syslog:test:112","time":"2026-03-01T10:00:00.500Z","type":"auth.login"}"#
        ]],
    );
    check(
        r#"<134>1 2026-03-01T10:00:00Z h a - - - {"user":"alice"}"#,
        expect![[
            r#"{"attributes":{"app":"a","facility":"local0","host":"h","peer":"192.0.2.7"},"message":"{\"user\":\"alice\"}","producer":"fw","severity":"info","time":"2026-03-01T10:00:00Z","type":"log.entry"}"#
        ]],
    );
}

#[test]
fn bytes_that_are_no_text_are_replaced_and_that_is_said() {
    let told = told(b"<13>Feb  5 17:32:18 host app: caf\xe9");
    assert!(told.contains("\"not_utf8\":true") && told.contains("caf\u{fffd}"), "{told}");
}

fn framed(pieces: &[&[u8]], most: usize) -> Vec<(String, usize)> {
    let mut decoder = Decoder::new(most);
    let mut out = Vec::new();
    let show = |message: Framed| (String::from_utf8_lossy(&message.bytes).into_owned(), message.cut);
    for piece in pieces {
        decoder.push(piece);
        out.extend(std::iter::from_fn(|| decoder.message()).map(show));
    }
    out.extend(decoder.end().map(show));
    out
}

#[test]
fn messages_are_found_in_a_stream() {
    let check = |stream: &[u8], expect: &[(&str, usize)]| {
        let expect: Vec<(String, usize)> =
            expect.iter().map(|(text, cut)| ((*text).to_owned(), *cut)).collect();
        assert_eq!(framed(&[stream], 16), expect, "{}", String::from_utf8_lossy(stream));
        // However it is cut into pieces, it is the same.
        for size in 1..stream.len() {
            let pieces: Vec<&[u8]> = stream.chunks(size).collect();
            assert_eq!(framed(&pieces, 16), expect, "in pieces of {size}");
        }
    };
    check(b"5 <13>a6 <13>b\n4 <1>c", &[("<13>a", 0), ("<13>b\n", 0), ("<1>c", 0)]);
    check(b"<13>one\n<13>two\r\n\n\0<13>three", &[("<13>one", 0), ("<13>two", 0), ("<13>three", 0)]);
    check(b"7 <13>a\nb<13>line\n5 <13>c", &[("<13>a\nb", 0), ("<13>line", 0), ("<13>c", 0)]);
    check(b"20 <13>0123456789abcdefX<1>y\n", &[("<13>0123456789ab", 4), ("X<1>y", 0)]);
    check(b"<13>0123456789abcdef\nz", &[("<13>0123456789ab", 4), ("z", 0)]);
    check(b"9 <13>ab", &[("<13>ab", 3)]);
    check(b"2026-01-01 text\n12345678 x\n", &[("2026-01-01 text", 0), ("12345678 x", 0)]);
    check(b"123", &[("123", 0)]);
    check(b"\n \r\n", &[]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Whatever is made of good streams: no panic, no byte too many, and what comes out is an event.
    #[test]
    fn streams_that_were_changed_are_survived(
        seed in 0usize..5, edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..3), 0..10)
    ) {
        const SEEDS: [&str; 5] = [
            "<165>1 2003-10-11T22:14:15.003Z host app 1 ID47 [x@1 a=\"b\" c=\"d\\\"\"][y z=\"1\"] body\n",
            "71 <34>Oct 11 22:14:15 mymachine su[12]: 'su root' failed for lonvick on /\n<13>x",
            "<1>CEF:0|v|p|1|100|name|5|src=10.0.0.1 cs1Label=L cs1=v w msg=a\\=b rt=1772359200123 suser=a\n",
            "<1>LEEF:2.0|v|p|1|7|^|src=1.2.3.4^devTime=1772359200123^usrName=b^sev=7\n",
            "<1>1 2026-03-01T10:00:00.5Z h a - - - {\"type\":\"auth.login\",\"actor\":{\"id\":\"a\"}}\n",
        ];
        let mut stream = SEEDS[seed].as_bytes().to_vec();
        for (at, byte, what) in edits {
            if stream.is_empty() { break }
            let at = at.index(stream.len());
            match what { 0 => stream[at] = byte, 1 => stream.insert(at, byte), _ => drop(stream.remove(at)) }
        }
        let mut decoder = Decoder::new(4096);
        decoder.push(&stream);
        let mut messages: Vec<Framed> = std::iter::from_fn(|| decoder.message()).collect();
        messages.extend(decoder.end());
        let bytes: usize = messages.iter().map(|message| message.bytes.len()).sum();
        prop_assert!(bytes <= stream.len());
        for message in &messages {
            if let Ok(Mapped::Made(event)) = map(message, "p", None, &fingerprint) {
                prop_assert!(Event::parse(&event.submitted(), &Limits::default()).is_ok());
            }
        }
    }
}
