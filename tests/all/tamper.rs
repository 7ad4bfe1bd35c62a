//! What a hand does to files, and what `verify` of the real binary says. The simulator has the whole matrix.

use std::fs;
use std::path::Path;

use crate::program::{Place, copy, files, numbered, restore, text};

/// Verdicts by their exit codes (docs/format.md, 1.12).
const CANNOT_CHECK: i32 = 10;
const DAMAGED: i32 = 11;
const INCOMPLETE: i32 = 20;
const TAMPERED: i32 = 30;
const ROLLED_BACK: i32 = 40;
const SPLIT_VIEW: i32 = 50;

#[track_caller]
fn verdict(place: &Place, more: &[&str], expected: &[i32]) {
    let (code, value) = place.verify(more);
    assert!(expected.contains(&code), "{code} is not of {expected:?}: {}", text(&value, ""));
}

/// The only file of the ledger whose name begins so.
fn file(dir: &Path, start: &str) -> std::path::PathBuf {
    let all = files(dir);
    let found = all.iter().find(|f| f.file_name().unwrap().to_str().unwrap().starts_with(start));
    found.unwrap_or_else(|| panic!("no {start} among {all:?}")).clone()
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1 << (at % 8);
    fs::write(path, bytes).unwrap();
}

#[test]
fn yesterday_s_copy_is_rolled_back_to_whoever_kept_a_checkpoint() {
    let place = Place::with_events(100);
    copy(&place.data(), &place.path("yesterday"));
    let old = place.keep_checkpoint("old");
    place.append(101..=150);
    let new = place.keep_checkpoint("new");
    verdict(&place, &["--known", &old, "--known", &new], &[0]);
    restore(&place.path("yesterday"), &place.data());
    verdict(&place, &[], &[0]);
    verdict(&place, &["--known", &old], &[0]);
    verdict(&place, &["--known", &new], &[ROLLED_BACK]);

    // It goes on from there, and signs another truth.
    for n in 201..=260 {
        if n % 10 == 0 {
            place.append(n - 9..=n);
        }
    }
    verdict(&place, &[], &[0]);
    verdict(&place, &["--known", &old], &[0]);
    verdict(&place, &["--known", &new], &[SPLIT_VIEW]);
    // Both truths, side by side, from evidence alone.
    place.run(&["prove", "50..140", "-o", "evidence"]).is(0);
    place.run(&["verify", "evidence", "--known", &new]).is(SPLIT_VIEW);
    place.run(&["verify", "evidence", "--known", &old]).is(0);
}

#[test]
fn two_ledgers_that_changed_places_are_found() {
    let place = Place::new();
    for name in ["acme", "umbrella"] {
        let lines: String = (1..=50).map(numbered).collect();
        place.feed(&["append", "--organisation", name], lines.as_bytes()).is(0);
    }
    let ledgers = place.data().join("ledgers");
    let swap = |one: &Path, other: &Path| {
        fs::rename(one, place.path("between")).unwrap();
        fs::rename(other, one).unwrap();
        fs::rename(place.path("between"), other).unwrap();
    };
    let (acme, umbrella) = (ledgers.join("acme"), ledgers.join("umbrella"));
    swap(&acme, &umbrella);
    verdict(&place, &[], &[TAMPERED]);
    verdict(&place, &["--organisation", "acme"], &[TAMPERED]);
    let answer = place.feed(&["append", "--organisation", "acme"], numbered(51).as_bytes());
    assert_ne!(answer.code, 0, "nothing is written into another's ledger");
    swap(&acme, &umbrella);
    verdict(&place, &[], &[0]);
    // Only the records, under the other's keys.
    swap(&file(&acme, "journal-"), &file(&umbrella, "journal-"));
    verdict(&place, &[], &[TAMPERED]);
}

#[test]
fn a_ledger_that_was_taken_away_is_missed() {
    let place = Place::with_events(5);
    place.feed(&["append", "--organisation", "acme"], numbered(1).as_bytes()).is(0);
    verdict(&place, &[], &[0]);
    fs::remove_dir_all(place.data().join("ledgers/acme")).unwrap();
    verdict(&place, &[], &[INCOMPLETE]);
    verdict(&place, &["--organisation", "default"], &[0]);
}

#[test]
fn a_tail_that_was_cut_is_missed() {
    let place = Place::with_events(100);
    let known = place.keep_checkpoint("known");
    let journal = file(&place.ledger(), "journal-");
    let whole = fs::read(&journal).unwrap();
    let used = whole.len() - whole.iter().rev().take_while(|b| **b == 0).count();
    // The last frame begins at the last multiple of 4096 with its magic.
    let last = (0..used).step_by(4096).rev().find(|at| whole[*at..].starts_with(b"IDFR")).unwrap();
    for from in [last, last + 4096.min(used - last) / 2, 4096] {
        let mut cut = whole.clone();
        cut[from..].fill(0);
        fs::write(&journal, &cut).unwrap();
        verdict(&place, &[], &[INCOMPLETE, DAMAGED]);
        // With nothing left but the beginning, it is also older than what is known, which is graver.
        verdict(&place, &["--known", &known], &[INCOMPLETE, DAMAGED, ROLLED_BACK]);
        let answer = place.feed(&["append"], numbered(101).as_bytes());
        assert_ne!(answer.code, 0, "nothing is added to what has a hole: {}", answer.out);
        fs::write(&journal, &whole).unwrap();
    }
    fs::write(&journal, &whole[..last]).unwrap();
    verdict(&place, &[], &[INCOMPLETE, DAMAGED]);
    fs::write(&journal, &whole).unwrap();
    verdict(&place, &["--known", &known], &[0]);
}

#[test]
fn a_tail_that_was_cut_with_its_heads_is_missed_by_whoever_kept_a_checkpoint() {
    let place = Place::with_events(100);
    let (heads, journal) = (place.ledger().join("heads"), file(&place.ledger(), "journal-"));
    let (old_heads, old_journal) = (fs::read(&heads).unwrap(), fs::read(&journal).unwrap());
    place.append(101..=120);
    let known = place.keep_checkpoint("known");
    fs::write(&heads, old_heads).unwrap();
    fs::write(&journal, old_journal).unwrap();
    verdict(&place, &["--known", &known], &[ROLLED_BACK]);
}

#[test]
fn a_missing_file_is_incomplete_and_a_flipped_bit_is_damage() {
    let place = Place::with_events(400);
    // A second kind of file: what was erased from is sealed first.
    place.run(&["erase", "10..20", "--request", "R"]).is(0);
    verdict(&place, &[], &[0]);
    copy(&place.data(), &place.path("good"));
    let mut kinds = Vec::new();
    for path in files(&place.ledger()) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let bytes = fs::read(&path).unwrap();
        let is_view = ["tiles-", "ids-", "lock"].iter().any(|view| name.starts_with(view));
        // The next journal, made beforehand: no frame is in it yet.
        let is_empty = name.starts_with("journal-") && bytes[4096..].iter().all(|b| *b == 0);
        kinds.push(name.split('-').next().unwrap().to_owned());

        fs::remove_file(&path).unwrap();
        let expected = match name.as_str() {
            _ if is_view || is_empty => 0,
            // Without its keys nothing of a ledger can be read, and whose it was cannot be told.
            "keys" => CANNOT_CHECK,
            _ => INCOMPLETE,
        };
        let (code, value) = place.verify(&["--organisation", "default"]);
        let right = code == expected || (name == "keys" && code == INCOMPLETE);
        assert!(right, "without {name} it is {code}: {}", text(&value, ""));
        fs::write(&path, &bytes).unwrap();

        let used = bytes.len() - bytes.iter().rev().take_while(|b| **b == 0).count();
        for share in 0..8 {
            let Some(at) = (used > 0).then(|| (used - 1) * share / 7) else { continue };
            flip(&path, at);
            let expected = if is_view { 0 } else { DAMAGED };
            let (code, value) = place.verify(&["--organisation", "default"]);
            assert_eq!(code, expected, "{name} at {at} of {used}: {}", text(&value, ""));
            flip(&path, at);
        }
    }
    for kind in ["keys", "heads", "journal", "segment", "tiles"] {
        assert!(kinds.iter().any(|k| k == kind), "{kind} was not among {kinds:?}");
    }
    verdict(&place, &[], &[0]);
    // Damage is found when it is read, too, and not answered with something else.
    let segment = file(&place.ledger(), "segment-");
    let len = fs::metadata(&segment).unwrap().len() as usize;
    flip(&segment, len / 2);
    let answer = place.run(&["tail", "--json", "-n", "1000"]);
    assert_eq!(answer.code, 1, "{}", answer.out);
}

#[test]
fn every_part_of_a_proof_is_checked() {
    let place = Place::with_events(40);
    let policy = place.policy("policy");
    place.run(&["prove", "11", "-o", "good"]).is(0);
    place.run(&["prove", "12", "-o", "next"]).is(0);
    let good = String::from_utf8(place.read("good")).unwrap();
    let next = String::from_utf8(place.read("next")).unwrap();
    let line = |text: &str, n: usize| text.lines().nth(n).unwrap().to_owned();
    let with = |n: usize, new: &str| {
        let lines: Vec<String> =
            good.lines().enumerate().map(|(at, l)| if at == n { new.into() } else { l.into() }).collect();
        lines.join("\n") + "\n"
    };
    let blank = good.lines().position(str::is_empty).unwrap();
    let flipped = |text: &str| {
        let (start, end) = text.split_at(text.len() / 2);
        let other = if end.starts_with('A') { "B" } else { "A" };
        format!("{start}{other}{}", &end[1..])
    };
    let extra = |change: &dyn Fn(String) -> String| {
        let encoded = line(&good, 1);
        let json = String::from_utf8(from_base64(encoded.strip_prefix("extra ").unwrap())).unwrap();
        with(1, &format!("extra {}", to_base64(change(json).as_bytes())))
    };
    let root = line(&good, blank + 3);
    // What is done, the proof, and which verdicts are right.
    let cases: Vec<(&str, String, &[i32])> = vec![
        ("nothing", good.clone(), &[0]),
        ("another index", with(2, "index 12"), &[TAMPERED]),
        ("an index beyond the tree", with(2, "index 99999"), &[TAMPERED]),
        ("another event's extra", with(1, &line(&next, 1)), &[TAMPERED]),
        ("a hash of the path", with(3, &flipped(&line(&good, 3))), &[TAMPERED]),
        ("a hash too few", good.replacen(&(line(&good, 3) + "\n"), "", 1), &[TAMPERED]),
        ("a hash too many", with(3, &format!("{0}\n{0}", line(&good, 3))), &[TAMPERED]),
        ("the root", good.replacen(&root, &flipped(&root), 1), &[TAMPERED]),
        ("the size", with(blank + 2, "7"), &[TAMPERED]),
        ("the name of the log", with(blank + 1, "elsewhere.example/log"), &[INCOMPLETE, TAMPERED]),
        ("no signatures", good[..good.find('\u{2014}').unwrap()].to_owned(), &[CANNOT_CHECK, INCOMPLETE]),
        (
            "the identity's signature",
            with(blank + 5, &flipped(&line(&good, blank + 5))),
            &[TAMPERED, INCOMPLETE],
        ),
        ("the seal's signature", with(blank + 6, &flipped(&line(&good, blank + 6))), &[TAMPERED, INCOMPLETE]),
        ("half of it", good[..good.len() / 2].to_owned(), &[CANNOT_CHECK]),
        ("nothing at all", String::new(), &[CANNOT_CHECK]),
        ("a later version", good.replacen("@v1", "@v2", 1), &[CANNOT_CHECK]),
        ("a disclosed body", extra(&|json| json.replacen("user-", "usor-", 1)), &[TAMPERED]),
        (
            "a section that the leaf has not",
            extra(&|json| json.replacen("\"who\":", "\"whom\":", 1)),
            &[TAMPERED, CANNOT_CHECK],
        ),
        ("sections withheld", extra(&|json| withhold(&json)), &[0]),
    ];
    for (what, text_, expected) in cases {
        let file = place.write("changed", &text_);
        assert!(what == "nothing" || text_ != good, "{what}: nothing was changed");
        let answer = place.run(&["verify", &file, "--policy", &policy]);
        assert!(
            expected.contains(&answer.code),
            "{what}: {} is not of {expected:?}\n{}{}",
            answer.code,
            answer.out,
            answer.err
        );
        let python = place.python(&[&file, "--policy", &policy]);
        assert_eq!(python.code == 0, answer.code == 0, "{what}: Python says {}\n{}", python.code, python.out);
        assert!(!python.err.contains("Traceback"), "{what}: {}", python.err);
    }
    // A bit anywhere: never verified, unless it was in a part that nobody signed and nobody needs.
    let bytes = good.as_bytes();
    for at in (0..bytes.len()).step_by(97) {
        let mut changed = bytes.to_vec();
        changed[at] ^= 1;
        let file = place.write("changed", &changed);
        let code = place.run(&["verify", &file, "--policy", &policy]).code;
        assert_ne!(
            code,
            0,
            "byte {at} of {}: {:?}",
            bytes.len(),
            String::from_utf8_lossy(&bytes[at.saturating_sub(20)..at])
        );
    }
}

/// Without the disclosed sections.
fn withhold(json: &str) -> String {
    let at = json.find("\"sections\":").unwrap();
    format!("{}\"sections\":{{}}}}", &json[..at])
}

#[test]
fn every_file_of_an_evidence_folder_is_checked() {
    let place = Place::with_events(300);
    let policy = place.policy("policy");
    place.run(&["prove", "100..270", "-o", "good"]).is(0);
    let good = files(&place.path("good"));
    assert!(good.len() >= 7, "{good:?}");
    for path in &good {
        let name = path.strip_prefix(place.path("good")).unwrap().to_str().unwrap().to_owned();
        let bytes = fs::read(path).unwrap();
        // The writer's policy is advice; whoever checks has its own.
        let is_advice = name == "policy";
        for share in 1..4 {
            let mut changed = bytes.clone();
            changed[bytes.len() * share / 4] ^= 1;
            fs::write(path, &changed).unwrap();
            let answer = place.run(&["verify", "good", "--policy", &policy]);
            let python = place.python(&["good", "--policy", &policy]);
            if name == "range" {
                // It says what is in the folder, and both say what they checked. Another range that the bundles
                // cover is as true; one that they do not cover fails.
                let [first, last] = numbers(&changed).unwrap_or([0, 0]);
                let said = format!("positions {first} to {last} are complete");
                assert!(answer.code != 0 || answer.out.contains(&said), "{}", answer.out);
                let said = [first, last].iter().all(|at| python.out.contains(&at.to_string()));
                assert!(python.code != 0 || said, "{}", python.out);
                assert_eq!(python.code == 0, answer.code == 0, "{}{}", python.out, answer.out);
                continue;
            }
            assert_eq!(answer.code == 0, is_advice, "{name}, {share}/4: {}{}", answer.out, answer.err);
            assert_eq!(python.code == 0, is_advice, "{name}, {share}/4: {}", python.out);
        }
        fs::remove_file(path).unwrap();
        let answer = place.run(&["verify", "good", "--policy", &policy]);
        assert_eq!(answer.code == 0, is_advice, "without {name}: {}", answer.out);
        fs::write(path, bytes).unwrap();
    }
    place.run(&["verify", "good", "--policy", &policy]).is(0);
}

/// The two positions that a `range` file names.
fn numbers(range: &[u8]) -> Option<[u64; 2]> {
    let (first, last) = std::str::from_utf8(range).ok()?.strip_suffix('\n')?.split_once(' ')?;
    Some([first.parse().ok()?, last.parse().ok()?])
}

/// What a proof discloses, in clear: its `extra`, and those of the proofs in its keychain.
pub(crate) fn disclosed(proof: &str) -> Vec<u8> {
    let extra = proof.lines().find_map(|line| line.strip_prefix("extra ")).expect("our proofs have one");
    from_base64(extra)
}

fn from_base64(text: &str) -> Vec<u8> {
    let digit = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u8> = text.bytes().filter(|c| *c != b'=').map(digit).collect();
    let bits = digits.chunks(4).flat_map(|group| {
        let whole = group.iter().fold(0u32, |sum, d| sum << 6 | u32::from(*d)) << (6 * (4 - group.len()));
        whole.to_be_bytes()[1..group.len()].to_vec()
    });
    bits.collect()
}

fn to_base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let whole = group.iter().fold(0u32, |sum, b| sum << 8 | u32::from(*b)) << (8 * (3 - group.len()));
        for n in 0..4 {
            let digit = DIGITS[(whole >> (18 - 6 * n)) as usize & 63];
            text.push(if n <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}
