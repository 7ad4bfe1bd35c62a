//! The real server over HTTP: what it records is found, proved, and checked by strangers when it is gone.

use std::fs;

use event::Value;

use crate::client::Client;
use crate::program::{Place, Server, TOKEN, files, number, numbered, parse, root, text};

const LINES: &str = "tests/fixtures/litellm/litellm-1.105.3-generic_api.ndjson";
const ARRAY: &str = "tests/fixtures/litellm/litellm-1.105.3-generic_api-json_array.json";

#[test]
fn a_token_is_shown_once_and_opens_the_door() {
    let place = Place::new();
    let token =
        |printed: &str| printed.lines().find_map(|l| l.trim().strip_prefix("ind_").map(str::to_owned));
    let server = Server::start_in(&place, &[]);
    let address = server.address;
    // It was printed before the line that said where the server listens.
    let printed = server.stop().1;
    let shown = format!("ind_{}", token(&printed).expect("the first start shows a token"));
    assert!(shown.len() >= 32 + 4, "{shown}");

    let server = Server::start_in(&place, &[]);
    assert_ne!(server.address, address, "a port of its own each time");
    Client::with_token(server.address, &shown).get("/v1/events").is(200);
    let reply = Client::with_token(server.address, TOKEN).get("/v1/events").is(401);
    assert!(reply.head.contains("www-authenticate: Bearer"), "{}", reply.head);
    Client::with_token(server.address, TOKEN).post("/v1/events", numbered(1).as_bytes()).is(401);
    Client::with_token(server.address, TOKEN).post("/ingest/litellm", b"[]").is(401);
    Client::with_token(server.address, TOKEN).get("/healthz").is(200);
    let (status, printed) = server.stop();
    assert!(status.success());
    assert_eq!(token(&printed), None, "the second start shows none: {printed}");
    for file in files(&place.data()) {
        let bytes = fs::read(&file).unwrap();
        assert!(!holds(&bytes, shown.as_bytes()), "{} holds the token", file.display());
    }

    // A short one of the operator's is refused.
    let short =
        place.feed_in(&["serve", "--listen", "127.0.0.1:0"], b"", &[("INDELIBLE_BOOTSTRAP_TOKEN", "short")]);
    assert!(short.is(1).err.contains("at least 32"));
}

#[test]
fn events_come_in_in_three_shapes_and_are_found() {
    let place = Place::new();
    let server = Server::start(&place);
    let mut client = Client::new(server.address);
    let one = client.post("/v1/events", numbered(1).as_bytes()).is(200).json();
    let array = format!("[{},{}]", numbered(2), numbered(3));
    client.post("/v1/events", array.as_bytes()).is(200);
    let lines: String = (4..=9).map(numbered).collect();
    let answer = client.post("/v1/events", lines.as_bytes()).is(200).json();
    assert_eq!(answer.pointer("/receipts").and_then(Value::as_array).unwrap().len(), 6);

    // A receipt for each, that holds.
    let id = text(&one, "/receipts/0/id");
    let found = client.get(&format!("/v1/events/{id}?wait=proved")).is(200).json();
    assert_eq!(text(&found, "/state"), "proved");
    assert_eq!(
        text(&found, "/event/verification/hash"),
        format!("sha256:{}", text(&one, "/receipts/0/leaf_hash"))
    );
    assert_eq!(found.pointer("/event/verification/verified"), Some(&Value::from(true)));
    assert_eq!(text(&found, "/event/source_id"), "1");

    // Newest first, a page at a time.
    let mut seen = Vec::new();
    let mut path = "/v1/events?limit=4&type=auth.*&status=success".to_owned();
    loop {
        let page = client.get(&path).is(200).json();
        let events = page.pointer("/events").and_then(Value::as_array).unwrap();
        seen.extend(events.iter().map(|e| text(e, "/source_id")));
        match text(&page, "/next").as_str() {
            "" => break,
            next => path = format!("/v1/events?limit=4&type=auth.*&status=success&cursor={next}"),
        }
    }
    assert_eq!(seen, ["9", "8", "7", "6", "5", "4", "3", "2", "1"]);
    let page = client.get("/v1/events?actor=user-3").is(200).json();
    assert_eq!(text(&page, "/events/0/source_id"), "3");
    let page = client.get("/v1/events?to=2020-01-01T00:00:00Z&type=auth.*").is(200).json();
    assert_eq!(page.pointer("/events").and_then(Value::as_array).unwrap().len(), 0);

    // Bad ones are named, and cost only themselves.
    let mixed = format!("{}{{\"type\":7}}\n{}", numbered(1), numbered(10));
    let answer = client.post("/v1/events", mixed.as_bytes()).is(200).json();
    assert_eq!((number(&answer, "/accepted"), number(&answer, "/duplicates")), (1, 1));
    assert_eq!(
        (number(&answer, "/rejected/0/index"), text(&answer, "/rejected/0/pointer")),
        (1, "/type".into())
    );
    let conflict = numbered(10).replace("success", "failed");
    client.post("/v1/events", conflict.as_bytes()).is(409);
    client.post("/v1/events", b"{").is(400);
    client.get("/v1/events/no-such-event").is(404);
    client.get("/v1/events?typ=auth.login").is(400);
    client.get("/v2/events").is(404);

    // What the newest checkpoint covers is what was acknowledged.
    let checkpoint = client.get("/v1/checkpoint").is(200).text();
    assert_eq!(checkpoint.lines().count(), 6, "{checkpoint}");
    let (status, printed) = server.stop();
    assert!(status.success(), "{printed}");
    let known = place.write("known", &checkpoint);
    assert_eq!(place.verify(&["--known", &known]).0, 0);
}

#[test]
fn litellm_s_traffic_is_found_proved_and_checked_by_strangers_and_holds_nothing_that_was_said() {
    let place = Place::new();
    let server = Server::start(&place);
    let mut client = Client::new(server.address);
    let body = fs::read(root().join(LINES)).unwrap();
    let answer = client.post("/ingest/litellm", &body).is(200).json();
    let accepted = number(&answer, "/accepted");
    assert!(accepted >= 4, "{}", text(&answer, ""));
    // LiteLLM sends again what it is not sure of; the other shape is the same traffic.
    let answer = client.post("/ingest/litellm", &body).is(200).json();
    assert_eq!((number(&answer, "/accepted"), number(&answer, "/duplicates")), (0, accepted));
    let array = client.post("/ingest/litellm", &fs::read(root().join(ARRAY)).unwrap()).is(200).json();
    assert_eq!(number(&array, "/accepted"), 0, "{}", text(&array, ""));
    client.post("/v1/events", numbered(1).as_bytes()).is(200);
    // Somebody sends a prompt where it does not belong: the answer, and our log, must not repeat it.
    client.post("/ingest/litellm", br#"[{"id":"x","messages":"My SSN is 123-45-6789, hi"}]"#).is(400);
    // What is asked is recorded, redacted; a text that must not be is looked for by its fingerprint.
    let searched = client.get("/v1/events?q=123-45-6789").is(200).json();
    assert_eq!(searched.pointer("/events").and_then(Value::as_array).unwrap().len(), 0);

    let page = client.get("/v1/events?type=llm.completion&status=success").is(200).json();
    let calls = page.pointer("/events").and_then(Value::as_array).unwrap();
    let call = calls.iter().find(|e| text(e, "/actor/user_agent") == "probe/1").expect("the call is found");
    let id = text(call, "/id");
    let proof = client.get(&format!("/v1/events/{id}/proof")).is(200);
    assert!(proof.head.contains(&format!("{id}.tlog-proof")), "{}", proof.head);
    let checkpoint = client.get("/v1/checkpoint").is(200).text();
    place.write("event.tlog-proof", &proof.body);
    place.write("checkpoint", &checkpoint);
    let (status, printed) = server.stop();
    assert!(status.success(), "{printed}");

    // The server is gone. Our binary and the one from the format's description agree.
    let policy = place.policy("policy");
    assert_eq!(
        place
            .verify(&["--policy", &policy, "--known", &place.arg("checkpoint"), "--organisation", "default"])
            .0,
        0
    );
    place.run(&["verify", "event.tlog-proof", "--policy", &policy]).is(0);
    place.python(&["event.tlog-proof", "--policy", &policy, "--require-seal"]).is(0);
    let events = place.all();
    let last = events.len() - 1;
    place.run(&["prove", &format!("0..{last}"), "-o", "evidence"]).is(0);
    place.run(&["verify", "evidence", "--policy", &policy]).is(0);
    place.python(&["evidence", "--policy", &policy, "--require-seal"]).is(0);

    // Everything that anyone could read: every body decrypted, as shown and as disclosed; what the server said of
    // itself; and every file as it lies on the disk, with its leaves and headers.
    let said = said(&body);
    assert!(said.iter().any(|text| text.contains("123-45-6789")), "{said:?}");
    assert!(said.iter().any(|text| text == "Hello from the mock"), "{said:?}");
    let mut shown = Vec::new();
    let organisations = fs::read_dir(place.data().join("ledgers")).unwrap();
    for organisation in organisations.map(|entry| entry.unwrap().file_name().into_string().unwrap()) {
        shown.extend(
            place
                .run(&["tail", "--json", "-n", "100000", "--organisation", &organisation])
                .is(0)
                .out
                .into_bytes(),
        );
    }
    let mut disclosed = Vec::new();
    for file in files(&place.path("evidence")) {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        disclosed.extend(match name.ends_with(".tlog-proof") {
            true => crate::tamper::disclosed(&fs::read_to_string(&file).unwrap()),
            false => fs::read(&file).unwrap(),
        });
    }
    let proved = crate::tamper::disclosed(&String::from_utf8(place.read("event.tlog-proof")).unwrap());
    let mut scanned =
        vec![("shown", shown), ("disclosed", disclosed), ("proof", proved), ("log", printed.into_bytes())];
    // The same scan finds what should be there.
    for control in ["probe/1", "end-user-7"] {
        for (what, bytes) in &scanned[..3] {
            assert!(holds(bytes, control.as_bytes()), "{control} is not in what is {what}");
        }
    }
    for file in files(&place.data()) {
        scanned.push(("on the disk", fs::read(file).unwrap()));
    }
    for (what, bytes) in &scanned {
        for text in &said {
            assert!(!holds(bytes, text.as_bytes()), "{text:?} is in what is {what}");
        }
        assert!(!holds(bytes, TOKEN.as_bytes()), "the token is in what is {what}");
    }
    // On the disk not even what is kept lies in clear.
    for (_, bytes) in &scanned[4..] {
        assert!(!holds(bytes, b"probe/1") && !holds(bytes, b"end-user-7"));
    }
}

/// What people and models said in a capture: the contents of messages and answers, whole and in telling parts.
/// One-word prompts ("x", "fail") are words of the format, too, and are looked for as the JSON that holds them.
fn said(capture: &[u8]) -> Vec<String> {
    let mut all = Vec::new();
    for line in capture.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        let item = parse(std::str::from_utf8(line).unwrap());
        for list in ["/messages", "/response/choices"] {
            contents(item.pointer(list).unwrap_or(&Value::Null), &mut all);
        }
    }
    all.sort();
    all.dedup();
    let words = |text: &str| text.split_whitespace().count();
    let mut told: Vec<String> = all.iter().filter(|text| words(text) > 1).cloned().collect();
    told.extend(all.iter().filter(|text| words(text) == 1).map(|text| format!("\"content\":\"{text}\"")));
    told.extend(["123-45-6789", "My SSN", "stream please", "from the mock"].map(str::to_owned));
    told
}

fn contents(value: &Value<'_>, all: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| contents(item, all)),
        Value::Object(members) => {
            for (key, value) in members.iter() {
                match value {
                    Value::String(text) if key == "content" => all.push(text.to_string()),
                    other => contents(other, all),
                }
            }
        }
        _ => {}
    }
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn many_senders_at_once_get_a_receipt_each() {
    let place = Place::new();
    let server = Server::start(&place);
    let address = server.address;
    std::thread::scope(|scope| {
        for sender in 0..8u64 {
            scope.spawn(move || {
                let mut client = Client::new(address);
                for batch in 0..10 {
                    let first = sender * 1000 + batch * 20;
                    let lines: String = (first..first + 20).map(numbered).collect();
                    let answer = client.post("/v1/events", lines.as_bytes()).is(200).json();
                    assert_eq!(number(&answer, "/accepted"), 20);
                }
            });
        }
    });
    let (status, printed) = server.stop();
    assert!(status.success(), "{printed}");
    assert_eq!(place.verify(&[]).0, 0);
    let mut ids: Vec<String> =
        place.all().iter().map(|e| text(e, "/source_id")).filter(|id| !id.is_empty()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 1600);
}

#[test]
fn a_port_that_is_taken_is_said_to_be_taken() {
    let place = Place::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let answer =
        place.feed_in(&["serve", "--listen", &address], b"", &[("INDELIBLE_BOOTSTRAP_TOKEN", TOKEN)]).is(1);
    assert!(answer.err.contains("another program"), "{}", answer.err);
}
