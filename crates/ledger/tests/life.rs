//! A ledger's life on a real disk: record, read, sign, seal, close, open, erase, verify.

#![allow(clippy::disallowed_methods)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ledger::io::{Io, OsIo};
use ledger::{Bodies, Entry, Erasure, Error, Known, Ledger, Options, Outcome, Secret, Section, verify};
use proof::Verdict;

fn io() -> Arc<dyn Io> {
    Arc::new(OsIo::new())
}

fn options() -> Options {
    let mut options = Options::new("acme", Secret::new([7; 32]));
    options.journal_max = 1 << 20;
    options
}

fn entry(n: u64) -> Entry {
    let who = format!(r#"{{"actor":{{"email":"user{}@example.com","id":"u-{}"}}}}"#, n % 50, n % 50);
    let what = format!(
        r#"{{"action":"generate","llm":{{"model":"gpt-4o","tokens_input":{}}},"source_id":"{n:032x}"}}"#,
        n * 7 % 4001
    );
    let content = format!(r#"{{"message":"request {n} was answered in good time"}}"#);
    Entry {
        kind: "llm.completion".into(),
        producer: "gateway-1".into(),
        producer_seq: n + 1,
        status: 1,
        severity: 1,
        bodies: Bodies::new([Some(content.as_bytes()), None, Some(what.as_bytes()), Some(who.as_bytes())]),
        ..Entry::default()
    }
}

fn with_id(ledger: &Ledger, n: u64) -> Entry {
    let mut entry = entry(n);
    entry.fingerprint = Some(ledger.fingerprint("gateway-1", &format!("{n}"), &n.to_be_bytes()));
    entry
}

fn judge(dir: &Path) -> ledger::Report {
    let known = Known { organisation: "acme", kek: Some(Secret::new([7; 32])), ..Known::default() };
    verify(&io(), dir, &known, &mut |_| {})
}

fn check_reads(ledger: &Ledger, count: u64) {
    let mut ids = Vec::new();
    for n in 0..count {
        let record = ledger.record(n + 1).unwrap();
        assert_eq!(record.producer_seq(), n + 1);
        let Section::Present { body, .. } = record.section(0) else { panic!("content of {n}") };
        assert!(String::from_utf8_lossy(body).contains(&format!("request {n} was")));
        ids.push(*record.id());
    }
    for (n, id) in ids.iter().enumerate().step_by(97) {
        assert_eq!(ledger.find(id).unwrap(), Some(n as u64 + 1));
    }
    assert_eq!(ledger.find(&[0x11; 16]).unwrap(), None);
}

#[test]
fn what_is_recorded_is_read_sealed_and_verified() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::create(io(), dir.path(), options()).unwrap();
    for n in (0..6000).step_by(100) {
        let entries = (n..n + 100).map(|n| with_id(&ledger, n)).collect();
        let outcomes = ledger.append(entries).unwrap();
        assert!(outcomes.iter().all(|o| matches!(o, Outcome::Recorded(_))));
    }
    check_reads(&ledger, 6000);
    ledger.sign().unwrap();
    ledger.tend().unwrap();
    assert!(ledger.stats().unwrap().segments >= 2, "{:?}", ledger.stats());
    check_reads(&ledger, 6000);
    let (head, _) = ledger.inclusion(4321).unwrap();
    assert_eq!(head.size, 6001);

    let again = ledger.append(vec![with_id(&ledger, 17), with_id(&ledger, 5999)]).unwrap();
    assert!(
        matches!(&again[..], [Outcome::Duplicate(a), Outcome::Duplicate(b)] if a.position == 18 && b.position == 6000)
    );
    let mut other = with_id(&ledger, 17);
    other.fingerprint = Some(ledger.fingerprint("gateway-1", "17", b"something else"));
    assert!(matches!(&ledger.append(vec![other]).unwrap()[..], [Outcome::Conflict(r)] if r.position == 18));

    ledger.seal().unwrap();
    check_reads(&ledger, 6000);
    let report = judge(dir.path());
    assert_eq!(report.verdict(), Verdict::Verified, "{:?}", report.findings);
    assert_eq!((report.size, report.notes.len()), (6001, 0), "{:?}", report.notes);
    drop(ledger);

    let ledger = Ledger::open(io(), dir.path(), options()).unwrap();
    assert_eq!(ledger.opened().rebuilt, Vec::<String>::new());
    check_reads(&ledger, 6000);
    let again = ledger.append(vec![with_id(&ledger, 3000)]).unwrap();
    assert!(matches!(&again[..], [Outcome::Duplicate(a)] if a.position == 3001));
    ledger.append(vec![entry(6000)]).unwrap();
    let snapshot = Ledger::open_read_only(io(), dir.path(), options()).unwrap();
    assert_eq!(snapshot.size(), 6002);
    assert!(Ledger::open(io(), dir.path(), options()).is_err(), "two writers");
}

#[test]
fn erasing_leaves_every_proof_and_the_neighbours() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::create(io(), dir.path(), options()).unwrap();
    ledger.append((0..500).map(|n| with_id(&ledger, n)).collect()).unwrap();
    ledger.sign().unwrap();
    let root = ledger.root(501).unwrap();
    let erasure = Erasure { first: 100, last: 120, sections: vec![0, 3], request: "dsr-17".into() };
    ledger.erase(&erasure).unwrap();
    assert_eq!(ledger.root(501).unwrap(), root);
    for position in [99, 100, 120, 121] {
        let record = ledger.record(position).unwrap();
        let erased = (100..=120).contains(&position);
        assert_eq!(record.section(3) == Section::Erased, erased, "position {position}");
        assert!(matches!(record.section(2), Section::Present { .. }));
    }
    let report = judge(dir.path());
    assert_eq!(report.verdict(), Verdict::Verified, "{:?}", report.findings);
    assert_eq!(report.erased, 42);
    drop(ledger);
    let ledger = Ledger::open(io(), dir.path(), options()).unwrap();
    let again = ledger.append(vec![with_id(&ledger, 105)]).unwrap();
    assert!(matches!(&again[..], [Outcome::Duplicate(_)]), "an erased event is still known");
}

#[test]
fn epochs_change_keys_and_old_heads_stay_theirs() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = options();
    options.epoch_ms = 0;
    let ledger = Ledger::create(io(), dir.path(), options).unwrap();
    for n in 0..5 {
        ledger.append(vec![entry(n)]).unwrap();
        assert_eq!(ledger.tend().unwrap().epoch_ended, Some(n + 1));
    }
    let report = judge(dir.path());
    assert_eq!(report.verdict(), Verdict::Verified, "{:?}", report.findings);
    assert_eq!(report.epochs, 6);
}

#[test]
fn each_way_of_being_wrong_has_its_own_answer() {
    let home = tempfile::tempdir().unwrap();
    let (dir, copy) = (home.path().join("acme"), home.path().join("copy"));
    std::fs::create_dir(&copy).unwrap();
    let mut options = options();
    options.heads_copy = Some(copy.clone());
    let open = |options: &Options| Ledger::open(io(), &dir, options.clone()).map(drop);
    assert!(matches!(open(&options), Err(Error::NotFound(_))), "nothing there");

    let ledger = Ledger::create(io(), &dir, options.clone()).unwrap();
    ledger.append((0..50).map(entry).collect()).unwrap();
    ledger.seal().unwrap();
    assert!(matches!(open(&options), Err(Error::Locked(_))), "a second process");
    let yesterday: Vec<(PathBuf, Vec<u8>)> =
        files(&dir).into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect();
    ledger.append((50..100).map(entry).collect()).unwrap();
    ledger.sign().unwrap();
    drop(ledger);

    let foreign = Options { kek: Secret::new([8; 32]), ..options.clone() };
    assert!(matches!(open(&foreign), Err(Error::ForeignKey(_))), "another key");
    let other = Options { organisation: "globex".into(), ..options.clone() };
    assert!(matches!(open(&other), Err(Error::Tampered(_))), "another organisation's folder");

    for name in ["keys", "journal-00000000000000000051", "segment-00000000000000000000"] {
        let path = dir.join(name);
        let good = std::fs::read(&path).unwrap();
        let mut newer = good.clone();
        newer[7] = b'2';
        // Where the header ends: the checksum is over all of `keys`, and a block or less of the others.
        let end = match name {
            "keys" => newer.len(),
            _ if name.starts_with("journal") => 4096,
            _ => 165,
        };
        let crc = crc32c::crc32c_append(crc32c::crc32c(&newer[..8]), &newer[12..end]);
        newer[8..12].copy_from_slice(&crc.to_le_bytes());
        std::fs::write(&path, &newer).unwrap();
        assert!(matches!(open(&options), Err(Error::NewerFormat(_))), "{name}: {:?}", open(&options));
        newer[7] = b'3';
        std::fs::write(&path, &newer).unwrap();
        assert!(matches!(open(&options), Err(Error::Damaged(_))), "{name}: a flipped bit is no newer format");
        std::fs::write(&path, &good).unwrap();
    }
    open(&options).unwrap();

    for path in files(&dir) {
        std::fs::remove_file(path).unwrap();
    }
    for (path, bytes) in yesterday {
        std::fs::write(path, bytes).unwrap();
    }
    assert!(matches!(open(&options), Err(Error::RolledBack(_))), "the copy of the heads is ahead");
    let known = Known {
        organisation: "acme",
        kek: Some(Secret::new([7; 32])),
        heads_copy: Some(&copy),
        ..Known::default()
    };
    assert_eq!(verify(&io(), &dir, &known, &mut |_| {}).verdict(), Verdict::RolledBack);
}

#[test]
fn tags_hold_after_erasure_and_not_under_another_key() {
    let dir = tempfile::tempdir().unwrap();
    let key = |byte| Arc::new(proof::MacKey::new(&[byte; 32]).unwrap());
    let tagged = Options { hmac_key: Some(key(1)), ..options() };
    let ledger = Ledger::create(io(), dir.path(), tagged).unwrap();
    ledger.append((0..20).map(entry).collect()).unwrap();
    ledger.erase(&Erasure { first: 3, last: 9, sections: vec![3], request: "dsr-1".into() }).unwrap();
    let check = |key: &proof::MacKey| {
        let known = Known {
            organisation: "acme",
            kek: Some(Secret::new([7; 32])),
            hmac_key: Some(key),
            ..Known::default()
        };
        let report = verify(&io(), dir.path(), &known, &mut |_| {});
        assert_eq!(report.verdict(), Verdict::Verified, "{:?}", report.findings);
        report.tags
    };
    assert_eq!(check(&key(1)), 22, "genesis, twenty events, the erasure");
    assert_eq!(check(&key(2)), 0, "another key's tags are not looked at");
}

fn files(dir: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect()
}
