//! The commands, as a person at a terminal and a script see them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::Instant;

use crate::client::Client;
use crate::program::{Place, Server, files, number, numbered, parse, root, text};

const LITELLM: [&str; 2] =
    ["litellm-1.105.3-generic_api.ndjson", "litellm-1.105.3-generic_api-json_array.json"];

#[test]
fn init_creates_once_and_says_what_to_keep() {
    let place = Place::new();
    let answer = place.run(&["init"]).is(0);
    let key = answer.out.lines().find_map(|line| line.strip_prefix("key ")).unwrap().trim().to_owned();
    assert!(answer.out.contains(&format!("log {key}")), "the policy line: {}", answer.out);
    assert!(answer.out.contains("kek"), "where the key is: {}", answer.out);
    let mode = fs::metadata(place.data().join("kek")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the key is its owner's");
    for file in files(&place.data()) {
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} can be read by others", file.display());
    }

    let again = place.run(&["init"]).is(1);
    assert!(again.err.contains("has a ledger already"), "{}", again.err);
    place.run(&["init", "--organisation", "acme"]).is(0);
    let stats = place.run(&["stats", "--json"]).is(0).json();
    let mut names: Vec<String> = stats.as_array().unwrap().iter().map(|s| text(s, "/organisation")).collect();
    names.sort();
    assert_eq!(names, ["acme", "default", "system"]);
}

#[test]
fn a_wrong_command_is_said_to_be_wrong() {
    let place = Place::new();
    for arguments in [&["verfy"][..], &[], &["verify", "--nonsense"], &["prove"], &["tail", "-n", "many"]] {
        let answer = place.run(arguments).is(2);
        assert!(answer.err.contains("--help"), "{}", answer.err);
    }
    let answer = place.run(&["--help"]).is(0);
    assert!(answer.out.contains("50 split view"), "the exit codes are in the help");
}

#[test]
fn bad_lines_are_named_and_good_ones_kept() {
    let place = Place::new();
    let too_deep = format!("{{\"type\":\"a.b\",\"attributes\":{}1{}}}", "{\"a\":".repeat(70), "}".repeat(70));
    let too_long = format!("{{\"type\":\"a.b\",\"message\":\"{}\"}}", "x".repeat(300 << 10));
    let lines: Vec<Vec<u8>> = vec![
        br#"{"type":"auth.login","source_id":"good-1"}"#.to_vec(),
        br#"{"type":"auth.login","#.to_vec(),                      // 2
        b"".to_vec(),                                              // 3: blank, nothing wrong
        br#"{"type":"auth.login","type":"auth.logout"}"#.to_vec(), // 4
        br#"{"type":"auth.login","attributes":{"n":9007199254740993}}"#.to_vec(), // 5
        br#"{"type":"auth.login","message":"\ud800"}"#.to_vec(),   // 6
        b"{\"type\":\"auth.login\",\"message\":\"\xff\"}".to_vec(), // 7
        too_deep.into_bytes(),                                     // 8
        too_long.into_bytes(),                                     // 9
        br#"{"type":"auth.login","time":"yesterday"}"#.to_vec(),   // 10
        br#"{"type":"auth.login","actor":{"id":7}}"#.to_vec(),     // 11
        br#"[1]"#.to_vec(),                                        // 12
        b"{\"type\":\"auth.login\",\"source_id\":\"good-2\"}\r".to_vec(), // 13: a line end of Windows
    ];
    let input = lines.join(&b'\n');
    let answer = place.feed(&["append", "--json"], &input).is(1);
    let summary = answer.json();
    assert_eq!((number(&summary, "/recorded"), number(&summary, "/refused")), (2, 10), "{}", answer.out);
    let reasons: Vec<(u64, String, String)> = summary
        .pointer("/reasons")
        .and_then(|r| r.as_array())
        .unwrap()
        .iter()
        .map(|r| (number(r, "/line"), text(r, "/pointer"), text(r, "/reason")))
        .collect();
    let expected: [(u64, &str); 10] = [
        (2, ""),
        (4, "/type"),
        (5, "/attributes/n"),
        (6, "/message"),
        (7, "/message"),
        (8, "/attributes"),
        (9, ""),
        (10, "/time"),
        (11, "/actor/id"),
        (12, ""),
    ];
    for ((line, pointer, reason), (expected, place)) in reasons.iter().zip(expected) {
        assert_eq!(*line, expected, "{reasons:#?}");
        assert!(pointer.starts_with(place), "line {line}: {pointer} is not {place}");
        assert!(!reason.is_empty());
        assert!(answer.err.contains(&format!("line {line}: ")), "{}", answer.err);
    }
    for id in ["good-1", "good-2"] {
        place.run(&["show", id]).is(0);
    }
    // A limit of one's own.
    let short = r#"{"type":"auth.login","message":"far too long for this"}"#;
    place.feed(&["append", "--max-event-bytes", "30"], short.as_bytes()).is(1);
    assert_eq!(place.verify(&[]).0, 0);
}

#[test]
fn sending_again_changes_nothing_and_another_content_is_a_conflict() {
    let place = Place::with_events(5);
    let lines: String = (1..=6).map(numbered).collect();
    let file = place.write("events", &lines);
    let summary = place.run(&["append", "--json", &file]).is(0).json();
    assert_eq!((number(&summary, "/recorded"), number(&summary, "/duplicates")), (1, 5));

    let other = numbered(3).replace("success", "failed");
    let answer = place.feed(&["append", "--json"], other.as_bytes()).is(1);
    assert_eq!(number(&answer.json(), "/conflicts"), 1, "{}", answer.out);
    assert!(answer.err.contains("another content"), "{}", answer.err);
    assert_eq!(text(&place.run(&["show", "3", "--json"]).is(0).json(), "/type"), "auth.login");

    // The attempt is on record, and the first event is as it was.
    let events = place.all();
    let conflict = events.iter().find(|e| text(e, "/type") == "audit.conflict").expect("it is recorded");
    assert_eq!(text(conflict, "/attributes/source_id"), "3");
    let third = events.iter().filter(|e| text(e, "/source_id") == "3").collect::<Vec<_>>();
    assert_eq!(third.len(), 1);
    assert_eq!(text(third[0], "/status"), "success");
}

#[test]
fn an_event_is_shown_by_its_id_its_position_and_its_sender_s_id() {
    let place = Place::new();
    let event = r#"{"type":"auth.login","source_id":"login/77","actor":{"id":"alice"}}"#;
    place.feed(&["append"], event.as_bytes()).is(0);
    let by_sender = place.run(&["show", "login/77", "--json"]).is(0);
    let value = by_sender.json();
    for name in [text(&value, "/id"), text(&value, "/position")] {
        assert_eq!(place.run(&["show", &name, "--json"]).is(0).out, by_sender.out);
    }
    assert_eq!(text(&value, "/actor/id"), "alice");
    let people = place.run(&["show", "login/77"]).is(0);
    assert!(people.out.contains("alice"), "{}", people.out);
    let answer = place.run(&["show", "nobody"]).is(1);
    assert!(answer.err.contains("no such event"), "{}", answer.err);
    place.run(&["show", "login/77", "--organisation", "acme"]).is(1);
}

#[test]
fn hostile_text_does_not_reach_the_terminal() {
    let place = Place::new();
    // Names and ids with control characters are refused; free text, and what only turns direction, is taken.
    let bad = r#"{"type":"auth.login","actor":{"id":"\u001b[2Jroot"}}"#;
    let answer = place.feed(&["append"], bad.as_bytes()).is(1);
    assert!(answer.err.contains("/actor/id"), "{}", answer.err);
    let event = r#"{"type":"auth.login","source_id":"hostile","message":"\u001b]0;owned\u0007 \u202etxt","actor":{"id":"root\u202e"},"attributes":{"\u001b[2J":"\u009b31m\r\nroot","\u0007":1}}"#;
    place.feed(&["append"], event.as_bytes()).is(0);
    for arguments in
        [&["tail"][..], &["show", "hostile"], &["tail", "--json"], &["show", "hostile", "--json"]]
    {
        let answer = place.run(arguments).is(0);
        let hostile = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        // What is for programs is RFC 8785, which escapes ASCII's control characters and no others.
        let json = arguments.contains(&"--json");
        let found = answer.out.chars().find(|c| hostile(*c) && (c.is_ascii() || !json));
        assert_eq!(found, None, "{arguments:?}: {:?}", answer.out);
        assert!(answer.out.contains("root"), "it is shown, made visible: {}", answer.out);
    }
    // The reasons for refusing quote nothing that could harm.
    let bad = "{\"type\":\"auth.login\",\"\u{202e}\\u001b[2J\":1}";
    let answer = place.feed(&["append"], bad.as_bytes()).is(1);
    assert!(!answer.err.contains('\u{1b}') && !answer.err.contains('\u{202e}'), "{:?}", answer.err);
}

#[test]
fn tail_filters_and_counts() {
    let place = Place::with_events(30);
    place.feed(&["append"], br#"{"type":"key.created","actor":{"id":"bob"}}"#).is(0);
    let lines = |arguments: &[&str]| place.run(arguments).is(0).out.lines().count();
    assert_eq!(lines(&["tail", "-n", "7", "--json"]), 7);
    assert_eq!(lines(&["tail", "--type", "key.*", "--json"]), 1);
    assert_eq!(lines(&["tail", "--actor", "bob", "--json"]), 1);
    assert_eq!(lines(&["tail", "--actor", "user-3", "--json", "-n", "100"]), 4);
    let newest = place.run(&["tail", "-n", "2", "--json"]).is(0);
    let positions: Vec<u64> = newest.out.lines().map(|l| number(&parse(l), "/position")).collect();
    assert!(positions.windows(2).all(|w| w[0] < w[1]), "oldest first: {positions:?}");
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    // More than a pipe holds.
    let place = Place::with_events(1000);
    let mut command = place.command(&["tail", "--json", "-n", "1000"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut first).unwrap();
    assert!(first.starts_with('{'), "{first}");
    drop(out);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
}

#[test]
fn an_hmac_key_tags_every_event() {
    let place = Place::new();
    let keys =
        [("GOOD", "a key of at least thirty-two bytes"), ("BAD", "another key, that long as well, is it?")];
    let with = |arguments: &[&str], key: &str, input: &str| {
        place.feed_in(&[arguments, &["--hmac-key", key]].concat(), input.as_bytes(), &keys)
    };
    let lines: String = (1..=5).map(numbered).collect();
    with(&["append"], "env.GOOD", &lines).is(0);
    for key in ["env.GOOD", "env.BAD"] {
        // Tags of another key are nobody's business.
        with(&["verify"], key, "").is(0);
    }
    place.run(&["prove", "3", "-o", "proof"]).is(0);
    place.run(&["verify", "proof"]).is(0);
    let policy = place.policy("policy");
    place.python(&["proof", "--policy", &policy]).is(0);
    with(&["append"], "env.NONE", "").is(1);
    with(&["append"], "a key on the command line", "").is(1);
    place.feed_in(&["append", "--hmac-key", "env.SHORT"], b"", &[("SHORT", "short")]).is(1);
    for file in files(&place.data()) {
        let bytes = fs::read(&file).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("thirty-two"), "{} holds the key", file.display());
    }
}

#[test]
fn a_proof_is_checked_without_the_ledger() {
    let place = Place::with_events(20);
    let policy = place.policy("policy");
    // Somebody else's key, and the same name with another key.
    let other = Place::with_events(1);
    let foreign = place.write("foreign", other.read_policy());
    place.run(&["prove", "7", "-o", "event.tlog-proof"]).is(0);
    let id = text(&place.run(&["show", "7", "--json"]).is(0).json(), "/id");
    let answer = place.run(&["prove", &id]).is(0);
    assert_eq!(answer.out.trim(), format!("{id}.tlog-proof"));
    assert_eq!(place.read(&format!("{id}.tlog-proof")), place.read("event.tlog-proof"));
    let printed = place.run(&["prove", "7", "-o", "-"]).is(0);
    assert_eq!(printed.out.as_bytes(), place.read("event.tlog-proof"));

    // Nothing of the ledger is left.
    fs::remove_dir_all(place.data()).unwrap();
    let answer = place.run(&["verify", "event.tlog-proof"]).is(0);
    assert!(
        answer.out.ends_with("verified\n") && answer.out.contains("pin it with --policy"),
        "{}",
        answer.out
    );
    let answer = place.run(&["verify", "event.tlog-proof", "--policy", &policy]).is(0);
    assert!(!answer.out.contains("pin it"), "{}", answer.out);
    place.run(&["verify", "event.tlog-proof", "--policy", &foreign]).is(20);
    place.run(&["verify", "no-such.tlog-proof"]).is(10);
    place.python(&["event.tlog-proof", "--policy", &policy, "--require-seal"]).is(0);
    place.python(&["event.tlog-proof", "--policy", &foreign]).is(20);
}

#[test]
fn evidence_for_a_range_is_checked_without_the_ledger() {
    // More than a full tile, so that both kinds of tiles are in the folder.
    let place = Place::with_events(700);
    let policy = place.policy("policy");
    let known = place.keep_checkpoint("known");
    place.append(701..=720);
    let size =
        number(&place.run(&["stats", "--json", "--organisation", "default"]).is(0).json(), "/0/leaves");
    place.run(&["prove", "200..600", "-o", "evidence"]).is(0);
    let last = format!("3..{}", size - 1);
    place.run(&["prove", &last, "-o", "everything"]).is(0);
    place.run(&["prove", "200..600", "-o", "evidence"]).is(1);
    place.run(&["prove", "600..200", "-o", "backwards"]).is(1);
    place.run(&["prove", &format!("1..{size}"), "-o", "beyond"]).is(1);

    fs::remove_dir_all(place.data()).unwrap();
    for folder in ["evidence", "everything"] {
        let answer = place.run(&["verify", folder, "--policy", &policy, "--known", &known]).is(0);
        assert!(answer.out.contains("complete and in the tree"), "{}", answer.out);
        let python = place.python(&[folder, "--policy", &policy, "--require-seal"]).is(0);
        assert!(python.out.ends_with("verified\n"), "{}", python.out);
    }
    let disclosed = place.read("evidence/disclosures.jsonl");
    assert_eq!(String::from_utf8(disclosed).unwrap().lines().count(), 401);
}

#[test]
fn a_second_process_is_told_that_the_folder_is_in_use() {
    let place = Place::with_events(3);
    let server = Server::start(&place);
    let answer = place.feed(&["append"], numbered(9).as_bytes()).is(1);
    assert!(answer.err.contains("in use by another process"), "{}", answer.err);
    // Whoever only reads may.
    for arguments in [&["tail"][..], &["show", "2"], &["stats"], &["checkpoint"], &["verify"]] {
        place.run(arguments).is(0);
    }
    place.run(&["prove", "2", "-o", "proof"]).is(0);
    place.run(&["verify", "proof"]).is(0);
    let (status, _) = server.stop();
    assert!(status.success());
    place.feed(&["append"], numbered(9).as_bytes()).is(0);
}

#[test]
fn the_key_can_be_changed_and_the_old_one_opens_nothing() {
    let place = Place::with_events(10);
    place.run(&["init", "--organisation", "acme"]).is(0);
    fs::copy(place.data().join("kek"), place.path("old")).unwrap();
    place.run(&["prove", "4", "-o", "before"]).is(0);
    place.run(&["rotate-key", "--new-key-file", "new"]).is(0);
    // Interrupted after it was done, and called again.
    place.run(&["rotate-key", "--new-key-file", "new"]).is(0);
    fs::remove_file(place.data().join("kek")).unwrap();
    let (old, new) = (place.arg("old"), place.arg("new"));
    assert_eq!(place.verify(&["--key-file", &new]).0, 0);
    assert_eq!(place.verify(&["--key-file", &old]).0, 10);
    assert_eq!(place.verify(&[]).0, 10, "there is no key any more");
    place.run(&["tail", "--key-file", &old]).is(1);
    place.feed(&["append", "--key-file", &new], numbered(11).as_bytes()).is(0);
    place.run(&["verify", "before"]).is(0);

    // A key from the environment.
    let hex = String::from_utf8(place.read("new")).unwrap();
    let answer = place.feed_in(&["verify", "--key-file", "env.KEY"], b"", &[("KEY", hex.trim())]);
    answer.is(0);
    place.feed_in(&["verify", "--key-file", "env.KEY"], b"", &[("KEY", "short")]).is(10);
    place.run(&["verify", "--key-file", "env.MISSING"]).is(10);
}

#[test]
fn a_wrong_key_file_accuses_nobody() {
    let place = Place::with_events(10);
    let wrong = place.write("wrong", "ab".repeat(32));
    let (code, value) = place.verify(&["--key-file", &wrong]);
    assert_eq!(code, 10, "{}", text(&value, ""));
    let nonsense = place.write("nonsense", "not a key");
    assert_eq!(place.verify(&["--key-file", &nonsense]).0, 10);
    let started = Instant::now();
    let answer = place.feed(&["append", "--key-file", &wrong], numbered(11).as_bytes());
    assert!(started.elapsed().as_secs() < 20, "waiting makes no key better: {:?}", started.elapsed());
    assert_eq!(answer.code, 1, "{}{}", answer.out, answer.err);
    assert_eq!(place.verify(&[]).0, 0);
    assert_eq!(
        place.all().len() as u64,
        number(&place.run(&["stats", "--json", "--organisation", "default"]).json(), "/0/leaves")
    );
}

#[test]
fn what_is_erased_is_gone_and_every_proof_holds() {
    let place = Place::new();
    let secret = "Kasimir Unverwechselbar";
    let lines: String = (1..=300)
        .map(|n| {
            format!(
                "{{\"source_id\":\"{n}\",\"type\":\"auth.login\",\"message\":\"{secret} {n}\",\"actor\":{{\"id\":\"u{n}\",\"name\":\"{secret}\"}},\"attributes\":{{\"kept\":\"yes\"}}}}\n"
            )
        })
        .collect();
    place.feed(&["append"], lines.as_bytes()).is(0);
    let policy = place.policy("policy");
    let known = place.keep_checkpoint("known");
    let position = text(&place.run(&["show", "150", "--json"]).is(0).json(), "/position");
    let (first, last) = (100, 200);
    place.run(&["prove", &position, "-o", "before"]).is(0);
    place.run(&["erase", &format!("{first}..{last}"), "--request", "DSR-7"]).is(0);

    let (code, value) = place.verify(&["--known", &known]);
    assert_eq!(code, 0, "{}", text(&value, ""));
    for at in [first, 150, last] {
        let event = place.run(&["show", &at.to_string(), "--json"]).is(0);
        let value = event.json();
        assert!(!event.out.contains(secret), "{}", event.out);
        assert_eq!(text(&value, "/erased"), r#"["content","who"]"#);
        assert_eq!(text(&value, "/attributes/kept"), "yes");
    }
    for at in [first - 1, last + 1] {
        assert!(place.run(&["show", &at.to_string(), "--json"]).is(0).out.contains(secret));
    }
    // Who was given it before can still prove it; who asks now gets the rest.
    place.run(&["prove", &position, "-o", "after"]).is(0);
    for (proof, shown) in [("before", true), ("after", false)] {
        let answer = place.run(&["verify", proof, "--policy", &policy]).is(0);
        assert_eq!(answer.out.contains("section who: shown"), shown, "{}", answer.out);
        place.python(&[proof, "--policy", &policy]).is(0);
    }
    place.run(&["prove", "90..210", "-o", "evidence"]).is(0);
    place.run(&["verify", "evidence", "--policy", &policy, "--known", &known]).is(0);
    place.python(&["evidence", "--policy", &policy, "--require-seal"]).is(0);
    // The erased event is still known by its id.
    let again = lines.lines().nth(149).unwrap();
    let summary = place.feed(&["append", "--json"], again.as_bytes()).is(0).json();
    assert_eq!(number(&summary, "/duplicates"), 1);
    let erased = place.run(&["tail", "--type", "ledger.erased", "--json"]).is(0);
    assert!(erased.out.contains("DSR-7"), "{}", erased.out);
    place.run(&["erase", "100000", "--request", "DSR-8"]).is(1);
    place.run(&["erase", "1", "--request", "DSR-8", "--sections", "where"]).is(1);
}

#[test]
fn figures_are_for_programs_too() {
    let place = Place::with_events(50);
    let stats = place.run(&["stats", "--json", "--organisation", "default"]).is(0).json();
    let leaves = number(&stats, "/0/leaves");
    assert!(leaves > 50, "events and genesis: {leaves}");
    assert_eq!(number(&stats, "/0/signed"), leaves, "all of it is signed when a command has ended");
    assert_eq!(number(&stats, "/0/epoch"), 1);
    let people = place.run(&["stats"]).is(0);
    assert!(people.out.contains("organisation") && people.out.contains("system"), "{}", people.out);
    let checkpoint = place.run(&["checkpoint"]).is(0).out;
    assert_eq!(checkpoint.lines().nth(1), Some(leaves.to_string().as_str()), "{checkpoint}");
    assert_eq!(checkpoint.lines().next().unwrap(), text(&stats, "/0/origin"));
}

#[test]
fn litellm_s_records_are_imported_without_what_was_said() {
    for name in LITELLM {
        let place = Place::new();
        let file = root().join("tests/fixtures/litellm").join(name);
        let file = file.to_str().unwrap();
        let summary = place.run(&["import", "litellm", file, "--json"]).is(0).json();
        let recorded = number(&summary, "/recorded");
        assert!(recorded >= 4, "{name}: {recorded}");
        let again = place.run(&["import", "litellm", file, "--json"]).is(0).json();
        assert_eq!((number(&again, "/recorded"), number(&again, "/duplicates")), (0, recorded), "{name}");

        let all = place.run(&["tail", "--json", "-n", "1000"]).is(0).out;
        for control in ["probe/1", "end-user-7"] {
            assert!(all.contains(control), "{name}: {control} should be kept");
        }
        for said in ["123-45-6789", "My SSN", "Hello from the mock", "stream please"] {
            assert!(!all.contains(said), "{name}: {said:?} was kept");
        }
        let found = place.run(&["tail", "--type", "llm.*", "--json"]).is(0);
        assert!(found.out.contains("gpt-4o-mini"), "{}", found.out);
        assert_eq!(place.verify(&[]).0, 0);
    }
    let place = Place::new();
    let bad = place.write("bad", "{\"id\":1}\nnot json\n");
    let answer = place.run(&["import", "litellm", &bad]).is(1);
    assert!(answer.err.contains("line 1") && answer.err.contains("line 2"), "{}", answer.err);
}

#[test]
fn records_of_others_are_imported_by_a_mapping() {
    let place = Place::new();
    let records = r#"[{"uuid":"1","published":"2026-01-01T00:00:00Z","eventType":"user.session.start","outcome":{"result":"SUCCESS"}},{"uuid":"2"}]"#;
    let records = place.write("okta.json", records);
    let summary = place.run(&["import", "okta", &records, "--json"]).is(1);
    let json = summary.json();
    assert_eq!((number(&json, "/recorded"), number(&json, "/refused")), (1, 1), "{}", summary.out);
    assert!(summary.err.contains("line 2: /published: mapping okta, line "), "{}", summary.err);

    let mapping = "name = \"door\"\nabout = \"a\"\nobserved = \"1\"\nproducer = \"door\"\n[event]\ntype = \"door.{what}\"\nsource_id = \"{n:text}\"\n";
    let good = place.write("door.toml", mapping);
    let lines = place.write("door.json", "{\"what\":\"opened\",\"n\":1}\n{\"what\":\"closed\",\"n\":2}\n");
    let summary = place.run(&["import", "--mapping", &good, &lines, "--json"]).is(0).json();
    assert_eq!(number(&summary, "/recorded"), 2);
    let again = place.run(&["import", "--mapping", &good, &lines, "--json"]).is(0).json();
    assert_eq!(number(&again, "/duplicates"), 2);
    let found = place.run(&["tail", "--type", "door.*", "--json"]).is(0).out;
    assert!(found.contains("door.opened") && found.contains("door.closed"), "{found}");

    let bad = place.write("bad.toml", mapping.replace("source_id", "sourceid"));
    let answer = place.run(&["import", "--mapping", &bad, &lines]).is(1);
    assert!(answer.err.contains("bad.toml:7: event.sourceid is no field"), "{}", answer.err);
    assert!(
        place
            .run(&["import", "nobody", &lines])
            .is(1)
            .err
            .contains("there are litellm, cloudtrail, github, okta")
    );
    place.run(&["import", "--mapping", &good, "okta", &lines]).is(1);

    let sources = place.run(&["sources"]).is(0).out;
    assert!(sources.contains("litellm_audit can't tell") && sources.contains("actor.ip"), "{sources}");
    let sources = place.run(&["sources", "hec", "--json"]).is(0).json();
    assert_eq!(text(&sources, "/0/name"), "hec");
    place.run(&["sources", "nobody"]).is(1);
}

#[test]
fn heads_have_a_second_copy_that_notices_a_cut() {
    let place = Place::new();
    let copy = place.arg("heads");
    let append = |n: u64| place.feed(&["append", "--heads-copy", &copy], numbered(n).as_bytes());
    append(1).is(0);
    let yesterday = place.path("yesterday");
    crate::program::copy(&place.data(), &yesterday);
    append(2).is(0);
    assert_eq!(place.verify(&["--heads-copy", &copy]).0, 0);
    crate::program::restore(&yesterday, &place.data());
    assert_eq!(place.verify(&[]).0, 0, "alone it verifies");
    assert_eq!(place.verify(&["--heads-copy", &copy]).0, 40);
    let answer = append(3).is(1);
    assert!(answer.err.contains("nothing is signed until then"), "{}", answer.err);
    let nowhere = place.arg("nowhere");
    assert_eq!(place.verify(&["--heads-copy", &nowhere]).0, 10, "what is to be compared must be there");
    let file = place.write("file", "");
    place.feed(&["append", "--heads-copy", &file], numbered(3).as_bytes()).is(1);
}

#[test]
fn questions_are_answered_from_the_folder() {
    let place = Place::with_events(30);
    place.feed(&["append"], br#"{"type":"llm.completion","status":"error","actor":{"id":"bot"},"llm":{"model":"gpt-5","cost":"0.25"}}"#).is(0);
    place
        .feed(
            &["append"],
            br#"{"type":"llm.completion","actor":{"id":"bot"},"llm":{"model":"gpt-5","cost":"0.5"}}"#,
        )
        .is(0);

    let first = place.run(&["query", "actor.id:user-3", "--limit", "3", "--json"]).is(0).json();
    let ids = |page: &event::Value<'_>| -> Vec<String> {
        page.pointer("/events")
            .and_then(|e| e.as_array())
            .unwrap()
            .iter()
            .map(|e| text(e, "/source_id"))
            .collect()
    };
    assert_eq!(ids(&first), ["24", "17", "10"], "newest first");
    assert_eq!(number(&first, "/total/value"), 4);
    let next = text(&first, "/next");
    let rest =
        place.run(&["query", "actor.id:user-3", "--limit", "3", "--json", "--cursor", &next]).is(0).json();
    assert_eq!((ids(&rest), text(&rest, "/next")), (vec!["3".to_owned()], String::new()));
    let people = place.run(&["query", "actor.id:user-3", "--limit", "3"]).is(0);
    assert!(people.out.contains("auth.login") && people.out.contains("--cursor"), "{}", people.out);

    assert_eq!(place.run(&["query", "-type:ledger.*", "--count"]).is(0).out.trim(), "32");
    let top = place
        .run(&["query", "--top", "actor.id", "--sum", "llm.cost", "--limit", "1", "--json"])
        .is(0)
        .json();
    assert_eq!((text(&top, "/groups/0/value"), text(&top, "/groups/0/sum")), ("bot".into(), "0.75".into()));
    let facets = place.run(&["query", "type:llm.*", "--facets", "status,llm.model", "--json"]).is(0).json();
    assert_eq!(number(&facets, "/facets/1/groups/0/count"), 2, "{}", text(&facets, ""));
    let days = place.run(&["query", "type:auth.*", "--histogram", "366d", "--json"]).is(0).json();
    let counts = days.pointer("/intervals").and_then(|i| i.as_array()).unwrap();
    assert_eq!(counts.iter().map(|slot| number(slot, "/count")).sum::<u64>(), 30);
    assert_eq!(
        place.run(&["query", "severity>=HIGH  type:auth.*", "--explain"]).is(0).out.lines().count(),
        1
    );

    // What is wrong is shown where it is.
    let wrong = place.run(&["query", "type:auth.* AND -status:"]).is(1);
    let lines: Vec<&str> = wrong.err.lines().collect();
    assert!(lines.len() == 3 && lines[2].trim_start().starts_with('^'), "{}", wrong.err);
    place.run(&["query", "--top", "message"]).is(1);
    place.run(&["query", "--histogram", "soon"]).is(1);
    place.run(&["query", "--count", "--explain"]).is(2);
}

#[test]
fn a_text_is_found_by_its_fingerprint_and_by_nothing_else() {
    let place = Place::new();
    let event =
        r#"{"type":"llm.completion","source_id":"asked","content":{"prompt":"what is in the vault?"}}"#;
    place.feed(&["append"], event.as_bytes()).is(0);
    assert!(!place.run(&["show", "asked", "--json"]).is(0).out.contains("vault"), "the text is not kept");
    let found = |arguments: &[&str], input: &str| {
        let arguments = [&["find-text", "--json"], arguments].concat();
        let page = place.feed(&arguments, input.as_bytes()).is(0).json();
        page.pointer("/events")
            .and_then(|e| e.as_array())
            .unwrap()
            .iter()
            .map(|e| text(e, "/source_id"))
            .collect::<Vec<_>>()
    };
    assert_eq!(found(&["what is in the vault?"], ""), ["asked"]);
    assert_eq!(found(&["-"], "what is in the vault?\n"), ["asked"]);
    assert_eq!(found(&["what is in the vault"], ""), [""; 0]);
}

#[test]
fn an_export_is_whole_or_not_there() {
    let place = Place::with_events(300);
    let out = place.arg("events.csv");
    let answer = place.run(&["export", "type:auth.*", "--format", "csv", "--out", &out]).is(0);
    assert!(answer.out.contains("300 events"), "{}", answer.out);
    let csv = String::from_utf8(place.read("events.csv")).unwrap();
    assert_eq!(csv.lines().count(), 301, "a heading and a row each");
    assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    let again = place.run(&["export", "--out", &out]).is(1);
    assert!(again.err.contains("is there already"), "{}", again.err);
    assert_eq!(place.read("events.csv"), csv.as_bytes(), "it is as it was");
    assert!(!place.path("events.csv.part").exists());

    let lines = place.run(&["export", "type:auth.*"]).is(0);
    assert_eq!(lines.out.lines().map(|line| text(&parse(line), "/source_id")).next().unwrap(), "300");
    let array = place.run(&["export", "actor.id:user-1", "--format", "json"]).is(0).json();
    assert_eq!(array.as_array().unwrap().len(), 43);
    place.run(&["export", "--format", "xml"]).is(2);
}

#[test]
fn an_administrator_without_a_key_gets_in_again() {
    let place = Place::new();
    let server = Server::start(&place);
    let answer = place.run(&["keys", "create", "--role", "admin", "--name", "recovery"]).is(1);
    assert!(answer.err.contains("in use") && answer.err.contains("API"), "{}", answer.err);
    server.stop();

    let made = place.run(&["keys", "create", "--role", "admin", "--name", "recovery", "--json"]).is(0).json();
    let (id, secret) = (text(&made, "/key/key_id"), text(&made, "/secret"));
    let listed = place.run(&["keys", "list", "--json"]).is(0);
    assert!(listed.out.contains("recovery") && !listed.out.contains(&secret), "{}", listed.out);
    let server = Server::start(&place);
    let mut client = Client::with_token(server.address, &secret);
    client.get("/v1/keys").is(200);
    // It is on record who made it.
    let record = client.get("/v1/events?organisation=system&type=config.key_created").is(200).json();
    assert_eq!(text(&record, "/events/0/actor/name"), "keys", "{}", text(&record, ""));
    server.stop();

    let turned = place.run(&["keys", "rotate", &id, "--json"]).is(0).json();
    let newer = text(&turned, "/secret");
    let server = Server::start(&place);
    Client::with_token(server.address, &secret).get("/v1/keys").is(401);
    Client::with_token(server.address, &newer).get("/v1/keys").is(200);
    server.stop();
    place.run(&["keys", "revoke", &id]).is(0);
    place.run(&["keys", "revoke", &id]).is(1);
    place.run(&["keys", "create", "--role", "boss", "--name", "x"]).is(2);
}

#[test]
fn users_get_roles_and_lose_them() {
    let place = Place::new();
    place.run(&["init", "--organisation", "acme"]).is(0);
    place.run(&["users", "create", "u-1", "--name", "Ada", "--email", "ada@example.com"]).is(0);
    place.run(&["users", "create", "u-1", "--name", "Ada"]).is(1);
    place.run(&["users", "grant", "u-1", "--role", "auditor", "--organisation", "acme"]).is(0);
    place.run(&["users", "grant", "u-1", "--role", "auditor", "--organisation", "nowhere"]).is(1);
    place.run(&["users", "grant", "u-2", "--role", "auditor", "--organisation", "acme"]).is(1);
    let table = place.run(&["users", "list"]).is(0);
    assert!(table.out.contains("auditor in acme"), "{}", table.out);
    place.run(&["users", "revoke", "u-1", "--role", "auditor", "--organisation", "acme"]).is(0);
    let users = place.run(&["users", "list", "--json"]).is(0).json();
    assert_eq!((text(&users, "/0/id"), text(&users, "/0/roles")), ("u-1".into(), "[]".into()));
    let organisations = place.run(&["organisations", "list", "--json"]).is(0).json();
    assert_eq!(text(&organisations, "/0/id"), "acme");
    let types = place.run(&["query", "type:config.*", "--organisation", "acme", "--json"]).is(0).json();
    assert_eq!(text(&types, "/events/0/type"), "config.role_revoked", "{}", text(&types, ""));
}

#[test]
fn a_dry_run_says_what_would_go_and_never_what_it_is() {
    let place = Place::new();
    let secret = "sk-live-4242424242424242424242424242";
    let events = format!(
        "{{\"type\":\"llm.completion\",\"message\":\"ask bob@example.com with {secret}\",\"content\":{{\"prompt\":\"a riddle\"}}}}\n{{\"type\":\"auth.login\"}}\n"
    );
    let file = place.write("events", &events);
    let answer = place.run(&["redact", &file]).is(0);
    for word in ["/message", "email", "/content/prompt", "1 of 2 events"] {
        assert!(answer.out.contains(word), "{word}: {}", answer.out);
    }
    for value in ["bob@", secret, "riddle"] {
        assert!(!answer.out.contains(value), "{value}: {}", answer.out);
    }
    let kept = place.run(&["redact", &file, "--json", "--set", "redaction.pii.email=keep"]).is(0);
    assert!(!kept.out.contains("\"email\""), "{}", kept.out);
    let policy = place.write("policy", r#"{"pii":{"email":"drop"}}"#);
    let dropped = place.run(&["redact", &file, "--policy", &policy]).is(0);
    assert!(dropped.out.lines().any(|l| l.contains("email") && l.contains("drop")), "{}", dropped.out);
    let wrong = place.write("wrong", r#"{"pii":{"emial":"drop"}}"#);
    place.run(&["redact", &file, "--policy", &wrong]).is(1);
    assert!(!place.data().exists(), "nothing is recorded");
}

#[test]
fn what_was_refused_can_be_looked_at_and_thrown_away() {
    let place = Place::new();
    let server = Server::start(&place);
    Client::new(server.address).post("/v1/events", br#"{"type":"auth.login","actr":{"id":"x"}}"#).is(400);
    server.stop();
    let list = place.run(&["quarantine", "list", "--json"]).is(0).json();
    let id = text(&list, "/0/id");
    assert!(text(&list, "/0/reason").contains("actor"), "{}", text(&list, ""));
    let one = place.run(&["quarantine", "show", &id]).is(0);
    assert!(one.out.contains("auth.login"), "{}", one.out);
    place.run(&["quarantine", "discard", &id]).is(0);
    place.run(&["quarantine", "show", &id]).is(1);
}

#[test]
fn the_demonstration_s_filters_find_what_was_recorded() {
    let place = Place::new();
    let answer = place.run(&["demo"]).is(0);
    let (_, filters) = answer.out.split_once("Three filters worth trying:\n").expect("filters to try");
    let filters: Vec<&str> = filters.lines().filter(|line| !line.starts_with("   ")).map(str::trim).collect();
    assert_eq!(filters.len(), 3, "{filters:?}");
    for filter in filters {
        let found = place.run(&["query", filter, "--count", "--json"]).is(0).json();
        assert!(number(&found, "/total/value") > 0, "{filter}");
    }
    // Nobody's own events are mixed with it.
    place.feed(&["append", "--data", "own"], numbered(1).as_bytes()).is(0);
    let refused = place.run(&["serve", "--demo", "--data", "own", "--listen", "127.0.0.1:0"]).is(1);
    assert!(refused.err.contains("other events"), "{}", refused.err);
}
