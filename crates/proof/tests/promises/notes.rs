//! Notes, keys, checkpoints, cosignatures and policies.

use crate::world::{ORIGIN, World, identity, witness};
use proof::policy::Policy;
use proof::*;
use signed_note::{StandardVerifier, VerifierList};

/// The note in the documentation of Go's golang.org/x/mod/sumdb/note.
const GO_VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\n\
    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn their_verdict(note: &str, keys: &[&VerifyingKey]) -> bool {
    let verifiers = keys.iter().map(|key| {
        Box::new(StandardVerifier::new(&key.to_string()).unwrap()) as Box<dyn signed_note::Verifier>
    });
    let list = VerifierList::new(verifiers.collect());
    signed_note::Note::from_bytes(note.as_bytes()).is_ok_and(|note| note.verify(&list).is_ok())
}

fn our_verdict(note: &str, keys: &[&VerifyingKey]) -> bool {
    Note::parse(note).and_then(|note| note.verify(keys.iter().copied()).map(|by| !by.is_empty())) == Ok(true)
}

fn check(note: &str, keys: &[&VerifyingKey], expected: bool) {
    assert_eq!(our_verdict(note, keys), expected, "ours: {note}");
    assert_eq!(their_verdict(note, keys), expected, "theirs: {note}");
}

#[test]
fn the_note_of_the_go_documentation_holds() {
    let key = VerifyingKey::parse(GO_VKEY).unwrap();
    assert_eq!(key.to_string(), GO_VKEY);
    check(GO_NOTE, &[&key], true);
    assert_eq!(Note::parse(GO_NOTE).unwrap().to_string(), GO_NOTE);
    check(&GO_NOTE.replace("answer", "Answer"), &[&key], false);
}

#[test]
fn notes_are_judged_as_signed_note_judges_them() {
    let (a, b) = (identity(), NoteSigner::from_seed("other.example/b", &[2; 32]).unwrap());
    let same_name = NoteSigner::from_seed(ORIGIN, &[3; 32]).unwrap();
    let keys = [a.verifying_key(), b.verifying_key()];
    let note = Note::sign("text\n\nmore\n", &[&a, &b]).unwrap().to_string();
    check(&note, &keys, true);
    check(&note, &keys[1..], true);
    check(&note, &[same_name.verifying_key()], false);
    // A line of a stranger with our name is a stranger's.
    check(&Note::sign("text\n", &[&same_name, &a]).unwrap().to_string(), &keys, true);
    check(&Note::sign("text\n", &[&same_name]).unwrap().to_string(), &keys, false);
    // One bad line of a known key spoils the note, however good the others.
    let other_text = Note::sign("texts\n", &[&b]).unwrap().to_string();
    let bad_line = other_text.lines().last().unwrap();
    check(&format!("text\n\n{}\n{bad_line}\n", a.sign("text\n")), &keys, false);
    check(&format!("text\n\n{}\n{bad_line}\n", a.sign("text\n")), &keys[..1], true);
    let line = a.sign("text\n").to_string();
    check(&format!("text\n\n{line}\n{line}\n"), &keys, true);
    for bad in [
        format!("text\n\n{line}"),
        format!("text\n{line}\n"),
        format!("text\n\n{}\n", line.replace('\u{2014}', "-")),
        format!("text\n\n{}\n", line.replace('\u{2014}', "\u{2013}")),
        format!("text\n\n{}\n", line.replacen(' ', "  ", 1)),
        format!("text\n\n{line}\r\n"),
        format!("te\txt\n\n{line}\n"),
        format!("text\n\n{line}\nnot a line\n"),
        format!("text\n\n{}\n", line.trim_end_matches('=')),
        format!("text\n\n\u{2014} a+b {}\n", line.rsplit(' ').next().unwrap()),
        format!("text\n\n\u{2014} a\u{a0}b {}\n", line.rsplit(' ').next().unwrap()),
        "text\n\n\u{2014} name AAAAAA==\n".to_owned(),
        String::new(),
        "\n\n".to_owned(),
    ] {
        check(&bad, &keys, false);
        assert!(Note::parse(&bad).is_err(), "{bad}");
    }
    assert!(Note::parse(b"\xff\n\n").is_err());
}

#[test]
fn notes_have_limits() {
    let line = identity().sign("text\n").to_string();
    let lines = |n: usize| format!("text\n\n{}", format!("{line}\n").repeat(n));
    assert!(Note::parse(lines(100)).is_ok());
    assert!(Note::parse(lines(101)).is_err());
    assert!(Note::parse("a".repeat(1_000_001)).is_err());
    assert!(Note::new("no newline").is_err() && Note::new("a\tb\n").is_err());
}

#[test]
fn two_good_lines_of_a_key_count_once_and_one_bad_one_spoils_them() {
    let a = identity();
    let (good, bad) = (a.sign("text\n"), a.sign("other\n"));
    let twice = Note::parse(format!("text\n\n{good}\n{good}\n")).unwrap();
    assert_eq!(twice.verify([a.verifying_key()]).unwrap().len(), 1);
    let spoiled = Note::parse(format!("text\n\n{good}\n{bad}\n")).unwrap();
    assert!(matches!(spoiled.verify([a.verifying_key()]), Err(Error::Contradicts(_))));
}

#[test]
fn keys_are_read_strictly_and_never_shown() {
    let key = identity().verifying_key().clone();
    let vkey = key.to_string();
    assert_eq!(vkey.parse(), Ok(key));
    let (head, b64) = vkey.rsplit_once('+').unwrap();
    for bad in [
        vkey.replace("+", "-"),
        vkey.to_uppercase(),
        format!("{vkey}="),
        format!("+{vkey}"),
        head.to_owned(),
        format!("{}0+{b64}", &head[..head.len() - 1]),
        format!("x{vkey}"),
        "a+00000000+AQ==".into(),
        "a++".into(),
        String::new(),
    ] {
        assert!(VerifyingKey::parse(&bad).is_err(), "{bad}");
    }
    // A key of small order verifies signatures nobody made.
    let mut weak = [0; 32];
    weak[0] = 1;
    assert!(VerifyingKey::new("a", KeyType::Ed25519, &weak).is_err());
    let signer = NoteSigner::from_seed("a", &[0xab; 32]).unwrap();
    assert!(!format!("{signer:?} {:?}", witness(1)).contains("171"));
    assert!(NoteSigner::from_seed("a b", &[1; 32]).is_err() && NoteSigner::from_seed("", &[1; 32]).is_err());
}

#[test]
fn checkpoints_are_read_strictly() {
    let world = World::new();
    let text = world.checkpoint(7).to_text();
    let good = Checkpoint::parse(&text).unwrap();
    assert_eq!(good, world.checkpoint(7));
    for bad in [
        text.replace("\n7\n", "\n07\n"),
        text.replace("\n7\n", "\n+7\n"),
        text.replace("\n7\n", "\n-7\n"),
        text.replace("\n7\n", "\n\n"),
        text.replace("\n7\n", "\n18446744073709551616\n"),
        text.replace('=', ""),
        text.trim_end().to_owned(),
        format!("\n{text}"),
        format!("{text}\n"),
        text[..text.len() - 5].to_owned() + "\n",
        String::new(),
    ] {
        assert!(Checkpoint::parse(&bad).is_err(), "{bad}");
        assert!(tlog_tiles::Checkpoint::from_bytes(bad.as_bytes()).is_err(), "{bad}");
    }
    let theirs = tlog_tiles::Checkpoint::from_bytes(text.as_bytes()).unwrap();
    assert_eq!((theirs.origin(), theirs.size(), theirs.hash().0), (ORIGIN, 7, good.root.0));
    let extended = Checkpoint::parse(&format!("{text}extension\n")).unwrap();
    assert_eq!(extended.extensions, ["extension"]);
    assert!(Checkpoint::new("a\n5", 1, good.root).sign(&[&identity()]).is_err());
    assert!(matches!(
        Checkpoint::open(
            world.head(7).to_string(),
            NoteSigner::from_seed("x", &[1; 32]).unwrap().verifying_key()
        ),
        Err(Error::Missing(_))
    ));
}

#[test]
fn a_cosignature_says_when() {
    let world = World::new();
    let mut note = world.head(12);
    note.push(witness(1).sign(note.text(), 1_700_000_123)).unwrap();
    let signed = note.verify([witness(1).verifying_key()]).map(|by| by[0].time_s);
    assert_eq!(signed, Ok(Some(1_700_000_123)));
    let mut line = witness(1).sign(note.text(), 5);
    line.bytes[7] = 6;
    note.push(line).unwrap();
    assert!(matches!(note.verify([witness(1).verifying_key()]), Err(Error::Contradicts(_))));
}

fn policy_of(lines: &str) -> String {
    let mut text = format!("log {} https://log.example\n", identity().verifying_key());
    for number in 1..=5 {
        text.push_str(&format!("witness w{number} {}\n", witness(number).verifying_key()));
    }
    text + lines
}

/// Which of the five witnesses, given as bits, satisfy the policy.
fn satisfied(lines: &str) -> Vec<u8> {
    let policy = Policy::parse(policy_of(lines)).unwrap();
    assert_eq!(Policy::parse(policy.to_string()), Ok(policy.clone()));
    let world = World::new();
    let endorsed = |bits: &u8| {
        let mut note = world.head(12);
        for number in (1..=5).filter(|number| bits >> (number - 1) & 1 == 1) {
            note.push(witness(number).sign(note.text(), 7)).unwrap();
        }
        match policy.check(&note) {
            Ok(endorsed) => {
                assert_eq!(endorsed.witnesses.len(), bits.count_ones() as usize);
                true
            }
            Err(Error::Missing(_)) => false,
            Err(other) => panic!("{other}"),
        }
    };
    (0..32).filter(endorsed).collect()
}

#[test]
fn policies_count_as_they_say() {
    let all = |holds: fn(u8) -> bool| (0..32).filter(|bits| holds(*bits)).collect::<Vec<u8>>();
    assert_eq!(satisfied("quorum none\n"), all(|_| true));
    assert_eq!(satisfied("quorum w2"), all(|bits| bits & 2 != 0));
    assert_eq!(satisfied("group g any w1 w2\nquorum g\n"), all(|bits| bits & 3 != 0));
    assert_eq!(satisfied("group g all w1 w2\nquorum g\n"), all(|bits| bits & 3 == 3));
    assert_eq!(satisfied("group g 2 w1 w2 w3\nquorum g\n"), all(|bits| (bits & 7).count_ones() >= 2));
    assert_eq!(
        satisfied(
            "# two levels\n\ngroup x 2 w1 w2 w3\n\tgroup  y any w4 w5 \ngroup both all x y\nquorum both\n"
        ),
        all(|bits| (bits & 7).count_ones() >= 2 && bits & 24 != 0)
    );
}

#[test]
fn policies_that_make_no_sense_are_refused() {
    let twice = format!("witness again {}\nquorum none\n", witness(1).verifying_key());
    let log_as_witness = format!("witness l {}\nquorum none\n", identity().verifying_key());
    let witness_as_log = format!("log {}\nquorum none\n", witness(9).verifying_key());
    for bad in [
        "",
        "quorum\n",
        "quorum nobody\n",
        "quorum none\nquorum none\n",
        "quorum g\ngroup g any w1\n",
        "group g any\nquorum none\n",
        "group g 0 w1\nquorum none\n",
        "group g 2 w1\nquorum none\n",
        "group g 01 w1\nquorum none\n",
        "group g most w1\nquorum none\n",
        "group g any w1 w1\nquorum none\n",
        "group g any w1\ngroup h any w1\nquorum none\n",
        "group g any none\nquorum none\n",
        "group g any g\nquorum none\n",
        "group none any w1\nquorum none\n",
        "group w1 any w2\nquorum none\n",
        "log nonsense\nquorum none\n",
        "log\nquorum none\n",
        "quorum none\r\n",
        "elephant\nquorum none\n",
        &twice,
        &log_as_witness,
        &witness_as_log,
    ] {
        assert!(matches!(Policy::parse(policy_of(bad)), Err(Error::Malformed(_))), "{bad}");
    }
    // A witness that signed badly is not one that is missing.
    let policy = Policy::parse(policy_of("quorum none\n")).unwrap();
    let mut note = World::new().head(12);
    note.push(witness(1).sign("other\n", 7)).unwrap();
    assert!(matches!(policy.check(&note), Err(Error::Contradicts(_))));
    // Nor may the log whose checkpoint it is be another that is trusted.
    let other = NoteSigner::from_seed("other.example", &[9; 32]).unwrap();
    let policy = Policy::of_log(other.verifying_key().clone()).unwrap();
    let foreign = World::new().signed(12, &[&other]);
    assert!(matches!(policy.check(&foreign), Err(Error::Missing(_))));
}
