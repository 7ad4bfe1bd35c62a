//! One event's proof, checked whole: every byte of it against the keys a verifier trusts.

use crate::checkpoint::Checkpoint;
use crate::compare::{ConsistencyFile, compare};
use crate::disclosure::{self, Disclosure, Extra};
use crate::error::Error;
use crate::hash::{Hash, leaf_hash};
use crate::inclusion::verify_inclusion;
use crate::leaf::{Leaf, LeafRef, verify_mac};
use crate::mac::MacKey;
use crate::note::Note;
use crate::policy::Policy;
use crate::seal::{GENESIS, Keychain};
use crate::tlog_proof::TlogProof;
use crate::verdict::{Finding, Verdict, worst};

/// What a verifier brings along.
#[derive(Clone, Copy, Debug)]
pub struct Trust<'a> {
    /// Logs and witnesses; [`Policy::of_log`] for a single key.
    pub policy: &'a Policy,
    /// Whether a proof without a keychain is incomplete. Otherwise that is only remarked on.
    pub require_seal: bool,
    /// A keychain checked before; used instead of the proof's own.
    pub keychain: Option<&'a Keychain>,
    /// The genesis leaf's hash as remembered ([`Keychain::genesis`]).
    pub genesis: Option<Hash>,
    /// A checkpoint that someone kept: a signed note.
    pub known: Option<&'a str>,
    /// A consistency proof between the known checkpoint and the proof's own.
    pub consistency: Option<&'a [Hash]>,
    /// The key of the leaves' tags; tags are not looked at without.
    pub mac_key: Option<&'a MacKey>,
}

impl<'a> Trust<'a> {
    /// Trusts a policy and nothing else.
    pub fn new(policy: &'a Policy) -> Trust<'a> {
        Trust {
            policy,
            require_seal: false,
            keychain: None,
            genesis: None,
            known: None,
            consistency: None,
            mac_key: None,
        }
    }
}

/// What came of checking a proof. All but `verdict` and `findings` is what the proof *says*, as far
/// as it could be read: believe it only if the verdict is `Verified`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The gravest of the findings.
    pub verdict: Verdict,
    /// What was found, in the order in which it was checked.
    pub findings: Vec<Finding>,
    /// Position of the leaf.
    pub position: Option<u64>,
    /// The checkpoint it was proved in.
    pub checkpoint: Option<Checkpoint>,
    /// The leaf.
    pub leaf: Option<Leaf>,
    /// The sections that are shown. Those the leaf names beside were withheld or erased.
    pub sections: Disclosure,
    /// Witnesses that cosigned: the policy's name for each, and when, in seconds since 1970.
    pub witnesses: Vec<(String, u64)>,
    /// The epoch whose key sealed the checkpoint, if that was checked.
    pub epoch: Option<u64>,
}

/// Checks a `.tlog-proof`.
///
/// A file that cannot be read is `CannotCheck`; a signature the policy demands that is not there is
/// `Incomplete`; a signature, hash or rule that does not hold is `Tampered`; two checkpoints of one
/// size and different roots are `SplitView`.
pub fn verify_proof(text: &str, trust: &Trust<'_>) -> Report {
    let mut report = Report {
        verdict: Verdict::CannotCheck,
        findings: Vec::new(),
        position: None,
        checkpoint: None,
        leaf: None,
        sections: Disclosure::new(),
        witnesses: Vec::new(),
        epoch: None,
    };
    if let Err(error) = check(text, trust, &mut report) {
        report.findings.push(error.into());
    }
    report.verdict = worst(&report.findings);
    report
}

/// Stops at what makes everything after it meaningless, and notes the rest as it goes.
fn check(text: &str, trust: &Trust<'_>, report: &mut Report) -> Result<(), Error> {
    let proof = TlogProof::parse(text)?;
    report.position = Some(proof.index);
    let (checkpoint, note) =
        Checkpoint::read(&proof.checkpoint).map_err(|error| error.within("checkpoint"))?;
    report.checkpoint = Some(checkpoint.clone());
    match trust.policy.check(&note) {
        Ok(endorsed) => {
            let by = endorsed.witnesses.iter().map(|(name, time_s)| ((*name).to_owned(), *time_s));
            report.witnesses = by.collect();
            report
                .good(format!("the checkpoint of size {} is signed as the policy demands", checkpoint.size));
        }
        Err(error) => report.findings.push(error.into()),
    }

    let extra = proof.extra.as_deref().ok_or_else(|| Error::Missing("the proof has no leaf in it".into()))?;
    let extra = Extra::decode(extra)?;
    verify_inclusion(proof.index, checkpoint.size, &leaf_hash(&extra.leaf), &proof.path, &checkpoint.root)?;
    report.good(format!("the leaf is at position {}", proof.index));
    // From here on the leaf is what the checkpoint vouches for, whatever it says.
    let leaf = LeafRef::decode(&extra.leaf)?;
    report.leaf = Some(leaf.to_owned());
    if (leaf.type_name == GENESIS) != (proof.index == 0) {
        report.findings.push(Finding::new(Verdict::Tampered, "genesis is at position 0, and only there"));
    }
    match disclosure::check(&extra.sections, &leaf) {
        Ok(()) => {
            let (shown, named) = (extra.sections.len(), leaf.sections.as_slice().len());
            report.good(format!("{shown} of {named} sections are shown and are the ones committed to"));
        }
        Err(error) => report.findings.push(error.into()),
    }
    report.sections = extra.sections;
    if let Some(key) = trust.mac_key {
        match verify_mac(&extra.leaf, key, &checkpoint.origin) {
            Ok(()) => report.good("the leaf's hmac tag holds"),
            Err(error) => report.findings.push(error.into()),
        }
    }
    check_seal(&extra.keychain, &checkpoint, &note, proof.index, trust, report);
    if let Some(known) = trust.known {
        match known_checkpoint(known, trust.policy) {
            Ok(known) => report.findings.push(compare(&known, &checkpoint, trust.consistency)),
            Err(error) => report.findings.push(error.into()),
        }
    }
    Ok(())
}

fn check_seal(
    own: &[String],
    checkpoint: &Checkpoint,
    note: &Note,
    position: u64,
    trust: &Trust<'_>,
    report: &mut Report,
) {
    let opened;
    let keychain = match (trust.keychain, trust.policy.log(&checkpoint.origin)) {
        (Some(keychain), _) => keychain,
        (None, Some(identity)) if !own.is_empty() => match Keychain::verify(own, identity) {
            Ok(keychain) => {
                opened = keychain;
                &opened
            }
            Err(error) => return report.findings.push(error.within("keychain").into()),
        },
        _ => {
            let verdict = if trust.require_seal { Verdict::Incomplete } else { Verdict::Verified };
            let what = "the seal was not checked: there is no keychain";
            return report.findings.push(Finding::new(verdict, what));
        }
    };
    if trust.genesis.is_some_and(|genesis| genesis != keychain.genesis()) {
        let what = "the ledger begins with another genesis leaf than the one remembered";
        report.findings.push(Finding::new(Verdict::SplitView, what));
    }
    let ended = keychain.epochs().iter().filter_map(|epoch| epoch.closed_by.as_ref());
    if ended.clone().any(|end| end.size == checkpoint.size && end.root != checkpoint.root) {
        let what = format!("the epoch that ended at {} leaves ended with another root", checkpoint.size);
        report.findings.push(Finding::new(Verdict::SplitView, what));
    }
    match keychain.check_seal(checkpoint, note) {
        Ok(epoch) => {
            report.epoch = Some(epoch);
            report.good(format!("sealed by the key of epoch {epoch}"));
            let own_epoch = keychain.epoch_of(position.saturating_add(1)).map_or(epoch, |own| own.number);
            if own_epoch < epoch {
                let what = format!(
                    "the event is of epoch {own_epoch}; only a proof in a checkpoint of that epoch would \
                     show that it was not rewritten in epoch {epoch}"
                );
                report.findings.push(Finding::new(Verdict::Incomplete, what));
            }
        }
        Err(error) => report.findings.push(error.into()),
    }
}

/// A checkpoint that someone kept is as good as the log's signature on it; witnesses are not asked for.
fn known_checkpoint(text: &str, policy: &Policy) -> Result<Checkpoint, Error> {
    let place = "known checkpoint";
    let (checkpoint, note) = Checkpoint::read(text).map_err(|error| error.within(place))?;
    let signed = note.verify(policy.log(&checkpoint.origin)).map_err(|error| error.within(place))?;
    match signed.is_empty() {
        false => Ok(checkpoint),
        true => Err(Error::Malformed(format!("{place}: no log the policy trusts signed it"))),
    }
}

/// Checks that the checkpoint in a consistency file continues an older one (docs/format.md 1.11).
/// Returns both checkpoints' comparison, or why one of them is not believed.
pub fn verify_consistency_file(file: &str, old: &str, policy: &Policy) -> Finding {
    let result = ConsistencyFile::parse(file).and_then(|file| {
        let old = known_checkpoint(old, policy)?;
        let (new, note) = Checkpoint::read(&file.checkpoint)?;
        policy.check(&note)?;
        if file.old_size != old.size {
            return Err(Error::Missing(format!(
                "the proof is from size {}, not {}",
                file.old_size, old.size
            )));
        }
        Ok(crate::compare::compare_newest(&old, &new, Some(&file.proof)))
    });
    result.unwrap_or_else(Finding::from)
}

impl Report {
    fn good(&mut self, what: impl Into<String>) {
        self.findings.push(Finding::new(Verdict::Verified, what));
    }
}
