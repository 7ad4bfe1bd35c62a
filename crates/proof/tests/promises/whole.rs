//! One event's proof, checked whole.

use crate::world::*;
use proof::compare::{ConsistencyFile, compare, compare_newest};
use proof::verify::verify_consistency_file;
use proof::*;

fn verdict(proof: &TlogProof) -> Verdict {
    verify_proof(&proof.to_string(), &Trust::new(&policy())).verdict
}

fn edited(proof: &TlogProof, change: impl FnOnce(&mut Extra)) -> TlogProof {
    let mut extra = Extra::decode(proof.extra.as_ref().unwrap()).unwrap();
    change(&mut extra);
    TlogProof { extra: Some(extra.encode()), ..proof.clone() }
}

#[test]
fn a_good_proof_tells_all() {
    let world = World::new();
    let policy = policy();
    let mut note = world.head(12);
    note.push(witness(1).sign(note.text(), 7)).unwrap();
    let text = world.event_proof(10, &note).to_string();
    let report = verify_proof(&text, &Trust { require_seal: true, ..Trust::new(&policy) });
    assert_eq!(report.verdict, Verdict::Verified, "{report:?}");
    assert_eq!((report.position, report.epoch), (Some(10), Some(3)));
    assert_eq!(report.leaf, Some(Leaf::decode(&event(10).0).unwrap()));
    assert_eq!(report.sections, event(10).1);
    assert_eq!(report.checkpoint, Some(world.checkpoint(12)));
    assert!(report.witnesses.is_empty(), "not in the policy");
    assert_eq!(TlogProof::parse(&text).unwrap().to_string(), text);
    // An event of a closed epoch, in a later checkpoint: whoever has today's keys could have made it.
    let report = verify_proof(&world.event_proof(2, &note).to_string(), &Trust::new(&policy));
    assert_eq!(report.verdict, Verdict::Incomplete);
    assert!(report.findings.iter().any(|finding| finding.what.contains("is of epoch 1")));
}

#[test]
fn each_contradiction_is_tampering_and_each_gap_is_not() {
    let world = World::new();
    let good = world.event_proof(10, &world.head(12));
    assert_eq!(verdict(&good), Verdict::Verified);
    let withheld = edited(&good, |extra| drop(extra.sections.remove("who")));
    assert_eq!(verdict(&withheld), Verdict::Verified);

    let tampered = [
        edited(&good, |extra| extra.sections.get_mut("who").unwrap().body.push(' ')),
        edited(&good, |extra| extra.sections.get_mut("who").unwrap().salt[0] ^= 1),
        edited(&good, |extra| {
            let who = extra.sections.remove("who").unwrap();
            extra.sections.insert("what".into(), who);
        }),
        edited(&good, |extra| extra.leaf[30] ^= 1),
        edited(&good, |extra| extra.leaf.push(0)),
        TlogProof { index: 9, ..good.clone() },
        TlogProof { index: 12, ..good.clone() },
        TlogProof { path: good.path[1..].to_vec(), ..good.clone() },
        TlogProof { checkpoint: good.checkpoint.replace("\n12\n", "\n13\n"), ..good.clone() },
        TlogProof { checkpoint: world.signed(12, &[&identity(), &seal(2)]).to_string(), ..good.clone() },
    ];
    for proof in tampered {
        assert_eq!(verdict(&proof), Verdict::Tampered, "{proof}");
    }
    let incomplete = [
        TlogProof { checkpoint: world.signed(12, &[&identity()]).to_string(), ..good.clone() },
        TlogProof { checkpoint: world.signed(12, &[&seal(3)]).to_string(), ..good.clone() },
        TlogProof { extra: None, ..good.clone() },
    ];
    for proof in incomplete {
        assert_eq!(verdict(&proof), Verdict::Incomplete, "{proof}");
    }
    let no_keychain = edited(&good, |extra| extra.keychain.clear());
    assert_eq!(verdict(&no_keychain), Verdict::Verified);
    let policy = policy();
    let strict = Trust { require_seal: true, ..Trust::new(&policy) };
    assert_eq!(verify_proof(&no_keychain.to_string(), &strict).verdict, Verdict::Incomplete);
    let remembered = Trust { genesis: Some(empty_root()), ..strict };
    assert_eq!(verify_proof(&good.to_string(), &remembered).verdict, Verdict::SplitView);
    assert_eq!(verify_proof("", &strict).verdict, Verdict::CannotCheck);
    assert_eq!(verify_proof(&good.to_string()[..900], &strict).verdict, Verdict::CannotCheck);
    let foreign = Policy::of_log(seal(1).verifying_key().clone()).unwrap();
    assert_eq!(verify_proof(&good.to_string(), &Trust::new(&foreign)).verdict, Verdict::Incomplete);
}

#[test]
fn a_known_checkpoint_is_compared() {
    let world = World::new();
    let policy = policy();
    let text = world.event_proof(10, &world.head(12)).to_string();
    let with = |known: &Note, consistency: Option<&[Hash]>| {
        let known = known.to_string();
        verify_proof(&text, &Trust { known: Some(&known), consistency, ..Trust::new(&policy) }).verdict
    };
    let mut other = World::new();
    other.leaves[3] = event(99).0;
    let Ok(link) = consistency_proof(7, 12, &world);
    assert_eq!(with(&world.head(12), None), Verdict::Verified);
    assert_eq!(with(&world.head(7), None), Verdict::Incomplete);
    assert_eq!(with(&world.head(7), Some(&link)), Verdict::Verified);
    assert_eq!(with(&other.head(7), Some(&link)), Verdict::Tampered);
    assert_eq!(with(&other.head(12), None), Verdict::SplitView);
    assert_eq!(with(&world.signed(12, &[&seal(3)]), None), Verdict::CannotCheck);

    let (small, large) = (world.checkpoint(7), world.checkpoint(12));
    assert_eq!(compare_newest(&large, &small, Some(&link)).verdict, Verdict::RolledBack);
    assert_eq!(compare_newest(&small, &large, Some(&link)).verdict, Verdict::Verified);
    assert_eq!(compare(&large, &small, Some(&link)).verdict, Verdict::Verified);
    let foreign = Checkpoint::new("other", 7, small.root);
    assert_eq!(compare(&large, &foreign, Some(&link)).verdict, Verdict::CannotCheck);

    let file = ConsistencyFile { old_size: 7, proof: link, checkpoint: world.head(12).to_string() };
    assert_eq!(ConsistencyFile::parse(&file.to_string()), Ok(file.clone()));
    let checked = |old: &Note| verify_consistency_file(&file.to_string(), &old.to_string(), &policy).verdict;
    assert_eq!(checked(&world.head(7)), Verdict::Verified);
    assert_eq!(checked(&other.head(7)), Verdict::Tampered);
    assert_eq!(checked(&world.head(6)), Verdict::Incomplete);
}

#[test]
fn disclosures_are_read_as_they_are_written() {
    let shown = event(3).1;
    let line = disclosure::encode_line(u64::MAX, &shown);
    assert_eq!(disclosure::decode_line(&line), Ok((u64::MAX, shown)));
    for bad in [
        "{}",
        r#"{"position":3,"sections":{}}"#,
        r#"{"position":"03","sections":{}}"#,
        r#"{"position":"3","sections":{},"more":"x"}"#,
        r#"{"position":"3","sections":{"who":{"body":"x"}}}"#,
        r#"{"position":"3","sections":{"who":{"body":"x","salt":"AAAA"}}}"#,
        r#"{"position":"3","sections":{"who":{},"who":{}}}"#,
    ] {
        assert!(disclosure::decode_line(bad).is_err(), "{bad}");
    }
}
