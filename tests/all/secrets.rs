//! Secrets sent to the real binary wherever something can be put: none is anywhere afterwards. A harmless text that is put
//! in the same places is found, by the same scan, wherever it should be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use event::Value;

use crate::client::{Client, encoded};
use crate::planting::{CONTROL, COUNTED, SECRETS, Sender};
use crate::program::{Place, Server, TOKEN, copy, files, number, text};

#[test]
fn no_secret_is_anywhere() {
    nothing_is_left("fingerprint");
}

#[test]
fn no_secret_is_anywhere_when_prompts_are_kept() {
    nothing_is_left("keep");
}

fn nothing_is_left(content: &str) {
    let place = Place::new();
    let settings = [
        ("INDELIBLE_BOOTSTRAP_TOKEN", TOKEN),
        ("INDELIBLE__RECORDING__CONTENT", content),
        ("INDELIBLE__LOG__LEVEL", "trace"),
        ("INDELIBLE__INDEX__SCAN_BELOW", "0"),
        ("INDELIBLE__SERVER__RATE__FAILED_LOGINS", "1000000/1s"),
        ("INDELIBLE__SERVER__RATE__PER_ADDRESS", "1000000/1s"),
        ("INDELIBLE__SERVER__RATE__PER_KEY", "1000000/1s"),
    ];
    let server = Server::start_in(&place, &settings);
    let mut sender = Sender::new(server.address);
    let mut tokens = vec![TOKEN.to_owned()];
    for (nth, (secret, part)) in SECRETS.iter().enumerate() {
        let organisation = organisation(nth);
        sender.token = sender.writer(&organisation);
        tokens.push(sender.token.clone());
        sender.events(&organisation, nth, secret);
        sender.litellm(&organisation, nth, secret);
        sender.malformed(&organisation, secret);
        sender.headers(&organisation, secret);
        sender.token = TOKEN.to_owned();
        sender.questions(&organisation, secret, part);
        sender.administration(&organisation, secret);
        sender.read_back(&organisation);
    }
    for path in ["/metrics", "/v1/stats?organisation=*", "/v1/keys?organisation=*", "/v1/users", "/readyz"] {
        sender.get(path);
    }
    let counted = std::mem::take(&mut sender.counted);
    let (status, printed) = server.stop();
    assert!(status.success(), "{printed}");
    assert!(!printed.contains("ERROR") && !printed.contains("panicked"), "{printed}");

    // Everything that anybody could read.
    let mut scanned = Scanned::default();
    for (what, text) in sender.answers {
        scanned.add(&what, &text);
    }
    assert!(printed.contains("DEBUG") && printed.contains("/ingest/litellm"), "the log says everything");
    scanned.add("log", &printed);
    for nth in 0..SECRETS.len() {
        stopped(&place, &organisation(nth), &mut scanned);
    }
    for file in files(&place.data()) {
        let name = file.strip_prefix(place.data()).unwrap().to_str().unwrap();
        let kind = match name {
            name if name.starts_with("views/state") => "state view",
            name if name.starts_with("views/index") => "index on the disk",
            name if name.starts_with("views/") => "quarantine on the disk",
            _ => "ledger on the disk",
        };
        scanned.add(kind, &String::from_utf8_lossy(&fs::read(&file).unwrap()));
    }
    found_by_search(&place, &settings, &mut scanned);

    let leaks = scanned.leaks(&tokens);
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks[..leaks.len().min(100)].join("\n"));
    for what in [
        "receipt",
        "event",
        "quarantine",
        "tail",
        "export",
        "proof",
        "query",
        "state view",
        "quarantine on the disk",
        "keys",
        "search",
    ] {
        assert!(scanned.has_control(what), "the control is not in what is called {what}");
    }
    // Not even what is kept of events lies on the disk in the clear, and the log holds no event.
    for what in ["log", "ledger on the disk", "index on the disk", "metrics"] {
        assert!(scanned.places.contains_key(what), "{what} was not looked at");
        assert!(!scanned.has_control(what), "the control is in what is called {what}");
    }
    let bytes: usize = scanned.places.values().flatten().map(String::len).sum();
    eprintln!("{content}: {counted:?}; {} MB looked through, no secret", bytes >> 20);
    assert!(counted[&200] > 300 && counted[&400] > 300 && counted[&401] > 20, "{counted:?}");
}

fn organisation(nth: usize) -> String {
    format!("planted-{nth}")
}

/// What the commands say of a folder that is not served.
fn stopped(place: &Place, organisation: &str, scanned: &mut Scanned) {
    let run =
        |arguments: &[&str]| place.run(&[arguments, &["--organisation", organisation]].concat()).is(0).out;
    let all = run(&["tail", "--json", "-n", "1000000"]);
    let last = all.lines().count() - 1;
    scanned.add("tail", &all);
    scanned.add("export", &run(&["export", "--format", "csv"]));
    scanned.add("quarantine", &run(&["quarantine", "list", "--json", "--limit", "1000"]));
    scanned.add("query", &run(&["query", "--facets", COUNTED, "--limit", "1000"]));
    // The bodies as they were hashed, byte for byte.
    let evidence = format!("evidence-{organisation}");
    run(&["prove", &format!("0..{last}"), "-o", &evidence]);
    for file in files(&place.path(&evidence)) {
        let bytes = fs::read(&file).unwrap();
        let is_proof = file.extension().is_some_and(|end| end == "tlog-proof");
        let disclosed = match is_proof {
            true => crate::tamper::disclosed(&String::from_utf8(bytes).unwrap()),
            false => bytes,
        };
        scanned.add("proof", &String::from_utf8_lossy(&disclosed));
    }
    fs::remove_dir_all(place.path(&evidence)).unwrap();
}

/// Whether a search for a secret's own words finds anything: what is no term of the index cannot be found. Asked of a copy,
/// since what is asked is recorded, and words by themselves are no secret.
fn found_by_search(place: &Place, settings: &[(&str, &str)], scanned: &mut Scanned) {
    let other = Place::new();
    copy(&place.data(), &other.data());
    let server = Server::start_in(&other, settings);
    let mut client = Client::new(server.address);
    let mut find = |filter: String, organisation: &str| {
        let filter = format!("({filter}) -type:audit.*");
        let path = format!("/v1/events?consistent=true&count=exact&organisation={organisation}");
        client.get(&format!("{path}&q={}", encoded(&filter))).is(200).json()
    };
    let total = |page: &Value<'_>| number(page, "/total/value");
    for (nth, (_, part)) in SECRETS.iter().enumerate() {
        let organisation = organisation(nth);
        let start: String = part.chars().take_while(|c| c.is_alphanumeric()).collect();
        for filter in [
            format!("\"{part}\""),
            format!("{start}*"),
            format!("exists:\"attributes.{part}\""),
            format!("actor.id:{start}*"),
            format!("attributes.note:\"{part}\""),
        ] {
            let found = find(filter.clone(), &organisation);
            assert_eq!(total(&found), 0, "{filter} finds {}", text(&found, "/events"));
        }
        let found = find(format!("\"{CONTROL}\""), &organisation);
        assert!(total(&found) > 20, "the control is found {} times in {organisation}", total(&found));
        scanned.add("search", &text(&found, ""));
    }
    let (status, printed) = server.stop();
    assert!(status.success(), "{printed}");
}

/// All that was looked at, by what it is called, in small letters: an index folds them.
#[derive(Default)]
struct Scanned {
    places: BTreeMap<String, Vec<String>>,
}

impl Scanned {
    fn add(&mut self, what: &str, text: &str) {
        self.places.entry(what.to_owned()).or_default().push(text.to_ascii_lowercase());
    }

    fn has_control(&self, what: &str) -> bool {
        self.places.get(what).is_some_and(|texts| texts.iter().any(|text| text.contains(CONTROL)))
    }

    /// Where any secret is, plainly or in one of the usual codes, and any token.
    fn leaks(&self, tokens: &[String]) -> Vec<String> {
        let mut needles: BTreeSet<(String, &str)> =
            tokens.iter().map(|token| (token.to_ascii_lowercase(), "token")).collect();
        for (_, part) in SECRETS {
            needles.insert((part.to_ascii_lowercase(), part));
            needles.insert((encoded(part).to_ascii_lowercase(), part));
            needles.insert((part.bytes().map(|b| format!("{b:02x}")).collect(), part));
            needles.insert((part.bytes().map(|b| format!("%{b:02x}")).collect(), part));
            // The same letters at each of the three places at which base64 can begin.
            for shift in 0..3 {
                let code = STANDARD.encode([&[b'x'; 2][..shift], part.as_bytes()].concat());
                needles.insert((code[4..code.len() - 4].to_ascii_lowercase(), part));
            }
        }
        let mut leaks = BTreeSet::new();
        for (what, texts) in &self.places {
            for text in texts {
                for (needle, secret) in &needles {
                    if let Some(at) = text.find(needle.as_str()) {
                        let from = text.floor_char_boundary(at.saturating_sub(160));
                        let to = text.ceil_char_boundary((at + needle.len() + 40).min(text.len()));
                        leaks.insert(format!("{what} ({secret:.12}): {}", text[from..to].escape_debug()));
                    }
                }
            }
        }
        leaks.into_iter().collect()
    }
}
