//! Checking, for whoever does not trust us: ledgers, single proofs, evidence folders.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use event::Value;
use ledger::io::{Io, read_all};
use ledger::{Known, Progress};
use proof::tile::{entries, tile_hashes, tiles_for_consistency, tiles_for_range};
use proof::{
    Bundle, Checkpoint, Finding, Hash, Keychain, LeafRef, Policy, TileNodes, TlogProof, Trust, Verdict,
};

use crate::SYSTEM;
use crate::organisations::{Indelible, Settings, StartError};
use crate::show::document;

/// Largest file of an evidence folder that is read whole.
const MOST: u64 = 1 << 30;

/// What was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// An organisation's ledger.
    Ledger(String),
    /// A proof file.
    Proof,
    /// An evidence folder.
    Evidence,
}

/// What came of one check.
#[derive(Clone, Debug)]
pub struct Checked {
    /// What was checked.
    pub what: What,
    /// What was found. Those of verdict `Verified` say what held.
    pub findings: Vec<Finding>,
    /// What is worth knowing.
    pub notes: Vec<String>,
    /// Name of the ledger and its identity key, if they could be read.
    pub origin: Option<(String, String)>,
    /// Leaves that were checked.
    pub leaves: u64,
}

impl Checked {
    fn new(what: What) -> Checked {
        Checked { what, findings: Vec::new(), notes: Vec::new(), origin: None, leaves: 0 }
    }

    /// The gravest of the findings; nothing found is nothing checked.
    pub fn verdict(&self) -> Verdict {
        self.findings.iter().map(|f| f.verdict).reduce(Verdict::worst).unwrap_or(Verdict::CannotCheck)
    }

    fn find(&mut self, verdict: Verdict, what: impl Into<String>) {
        self.findings.push(Finding::new(verdict, what));
    }
}

/// Checks the ledgers of a data folder, or of one organisation in it, also beside a running server.
/// `known`: checkpoints that someone kept, each for the ledger whose origin it names.
pub fn verify_data(
    io: &Arc<dyn Io>,
    settings: &Settings,
    organisation: Option<&str>,
    policy: Option<&Policy>,
    known: &[String],
    progress: &mut dyn FnMut(&str, Progress),
) -> Result<Vec<Checked>, StartError> {
    let product = Indelible::open_read_only(io.clone(), settings.clone())?;
    if let Some(copy) = &settings.heads_copy {
        io.list(copy).map_err(|e| {
            StartError::new(
                format!("couldn't read the second copy of signed heads in {}: {e}", copy.display()),
                "name the folder that the server was given",
            )
        })?;
    }
    let registered = if organisation.is_none() { registered(&product) } else { HashMap::new() };
    let mut names = match organisation {
        Some(name) => vec![name.to_owned()],
        None => product.organisations(),
    };
    names.extend(
        registered
            .keys()
            .filter(|name| organisation.is_none() && !names.contains(name))
            .cloned()
            .collect::<Vec<_>>(),
    );
    let mut all = Vec::new();
    let mut used = vec![false; known.len()];
    for name in names {
        let mut checked = Checked::new(What::Ledger(name.clone()));
        let dir = product.dir(&name);
        if io.list(&dir).is_err() {
            let why = match registered.contains_key(&name) {
                true => (
                    Verdict::Incomplete,
                    format!("the ledger of {name} is gone; the system's ledger says that it was created"),
                ),
                false => (Verdict::CannotCheck, format!("there is no ledger of {name}")),
            };
            checked.find(why.0, why.1);
            all.push(checked);
            continue;
        }
        let options = product.options(&name);
        // A checkpoint kept outside is compared with the ledger that bears its name.
        let own = ledger_origin(io, &dir, &options);
        let mut checkpoints = Vec::new();
        for (text, used) in known.iter().zip(&mut used) {
            let of = Checkpoint::read(text).map(|(c, _)| c.origin).ok();
            if organisation.is_some() || own.is_none() || of == own {
                checkpoints.push(text.clone());
                *used = true;
            }
        }
        let beforehand = Known {
            organisation: &name,
            kek: Some(options.kek.clone()),
            policy: policy
                .filter(|p| organisation.is_some() || own.as_ref().is_none_or(|o| p.log(o).is_some())),
            checkpoints: &checkpoints,
            heads_copy: settings.heads_copy.as_deref(),
            hmac_key: settings.hmac_key.as_deref(),
        };
        let report = ledger::verify(io, &dir, &beforehand, &mut |p| progress(&name, p));
        checked.leaves = report.size;
        checked.origin = report.identity.as_ref().map(|key| (report.origin.clone(), key.to_string()));
        checked.notes.extend(report.notes.iter().cloned());
        if let Some(expected) = registered.get(&name)
            && !report.origin.is_empty()
            && *expected != report.origin
        {
            checked.find(
                Verdict::Tampered,
                format!(
                    "the ledger is {}, and the system's ledger says that {name} has {expected}",
                    report.origin
                ),
            );
        }
        checked.findings.extend(report.findings.iter().cloned());
        if checked.findings.is_empty() {
            let epochs =
                if report.epochs == 1 { "1 epoch".into() } else { format!("{} epochs", report.epochs) };
            checked.find(
                Verdict::Verified,
                format!("{} leaves under {} signed heads of {epochs} hold", report.size, report.heads),
            );
        }
        if policy.is_none() {
            checked
                .notes
                .push("the identity key was taken from the ledger itself; pin it with --policy".into());
        }
        all.push(checked);
    }
    for (text, used) in known.iter().zip(used) {
        if !used {
            let origin = Checkpoint::read(text).map_or("?".into(), |(c, _)| c.origin);
            let mut checked = Checked::new(What::Ledger(origin.clone()));
            checked.find(
                Verdict::Incomplete,
                format!("a checkpoint of {origin} is known, and no ledger here bears that name"),
            );
            all.push(checked);
        }
    }
    Ok(all)
}

fn ledger_origin(io: &Arc<dyn Io>, dir: &Path, options: &ledger::Options) -> Option<String> {
    ledger::origin(&**io, dir, &options.kek)
}

/// Which organisations the system's ledger says were created, with the names of their ledgers.
fn registered(product: &Indelible) -> HashMap<String, String> {
    let mut all = HashMap::new();
    // A system ledger that cannot be read is reported on its own.
    let Ok(ledger) = product.ledger(SYSTEM) else { return all };
    let mut at = 0;
    while let Ok(block) = ledger.block_in_passing(at) {
        let positions = block.positions();
        for position in at..positions.end {
            let Ok(record) = block.unchecked(position) else { continue };
            if record.kind() != "config.organisation_created" {
                continue;
            }
            let Ok(event) = document(SYSTEM, &record) else { continue };
            let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
            if let (Some(name), Some(origin)) = (text("/targets/0/id"), text("/attributes/origin")) {
                all.insert(name, origin);
            }
        }
        at = positions.end;
    }
    all
}

/// Checks a `.tlog-proof`. Without a policy the log's own key, from the genesis leaf in the proof's
/// keychain, is believed, and that is said.
pub fn verify_text(text: &str, policy: Option<&Policy>, known: &[String]) -> Checked {
    let mut checked = Checked::new(What::Proof);
    let own;
    let policy = match policy {
        Some(policy) => policy,
        None => match own_policy(text) {
            Some(policy) => {
                checked
                    .notes
                    .push("the identity key was taken from the proof itself; pin it with --policy".into());
                own = policy;
                &own
            }
            None => {
                checked.find(
                    Verdict::CannotCheck,
                    "no policy was given, and the proof has no keychain that names the log's key",
                );
                return checked;
            }
        },
    };
    let mut trust = Trust::new(policy);
    trust.known = known.first().map(String::as_str);
    let report = proof::verify_proof(text, &trust);
    checked.findings = report.findings;
    checked.origin =
        report.checkpoint.as_ref().and_then(|c| Some((c.origin.clone(), policy.log(&c.origin)?.to_string())));
    checked.leaves = u64::from(report.leaf.is_some());
    if let (Some(position), Some(leaf)) = (report.position, &report.leaf) {
        checked.notes.push(format!("position {position}: {}", leaf.type_name));
        for (name, _) in &leaf.sections {
            let shown = report.sections.contains_key(name);
            checked
                .notes
                .push(format!("section {name}: {}", if shown { "shown" } else { "withheld or erased" }));
        }
    }
    checked
}

/// The identity key that the genesis leaf of a proof's keychain names.
fn own_policy(text: &str) -> Option<Policy> {
    let proof = TlogProof::parse(text).ok()?;
    let extra = proof::Extra::decode(proof.extra.as_deref()?).ok()?;
    let genesis = TlogProof::parse(extra.keychain.first()?).ok()?;
    genesis_policy(&genesis)
}

fn genesis_policy(genesis: &TlogProof) -> Option<Policy> {
    let extra = proof::Extra::decode(genesis.extra.as_deref()?).ok()?;
    let leaf = LeafRef::decode(&extra.leaf).ok()?;
    Policy::of_log(proof::seal::Genesis::parse(leaf.body).ok()?.identity).ok()
}

/// Checks an evidence folder (docs/format.md, 1.9).
pub fn verify_evidence(io: &dyn Io, dir: &Path, policy: Option<&Policy>, known: &[String]) -> Checked {
    let mut checked = Checked::new(What::Evidence);
    if let Err(finding) = check_folder(io, dir, policy, known, &mut checked) {
        checked.findings.push(finding);
    }
    checked
}

fn check_folder(
    io: &dyn Io,
    dir: &Path,
    policy: Option<&Policy>,
    known: &[String],
    checked: &mut Checked,
) -> Result<(), Finding> {
    let read = |name: &str| -> Result<Vec<u8>, Finding> {
        read_all(io, &dir.join(name), MOST).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => Finding::new(Verdict::Incomplete, format!("{name} is missing")),
            _ => Finding::new(Verdict::CannotCheck, format!("couldn't read {name}: {e}")),
        })
    };
    let text = |name: &str| -> Result<String, Finding> {
        String::from_utf8(read(name)?)
            .map_err(|_| Finding::new(Verdict::CannotCheck, format!("{name} is not text")))
    };
    let bad = |name: &str, why: &str| Finding::new(Verdict::CannotCheck, format!("{name}: {why}"));
    let tampered = |what: String| Finding::new(Verdict::Tampered, what);

    let (checkpoint, note) = Checkpoint::read(text("checkpoint")?)?;
    let mut chain = Vec::new();
    loop {
        match text(&format!("keychain/{}.tlog-proof", chain.len())) {
            Ok(link) => chain.push(link),
            Err(end) if end.verdict == Verdict::Incomplete => break,
            Err(unreadable) => return Err(unreadable),
        }
    }
    let own;
    let policy = match policy {
        Some(policy) => policy,
        None => {
            let genesis = chain.first().and_then(|text| TlogProof::parse(text).ok());
            own = genesis.and_then(|g| genesis_policy(&g)).ok_or_else(|| {
                bad("keychain/0.tlog-proof", "names no identity key, and no policy was given")
            })?;
            checked
                .notes
                .push("the identity key was taken from the folder itself; pin it with --policy".into());
            &own
        }
    };
    let log = policy.check(&note)?.log.clone();
    checked.origin = Some((checkpoint.origin.clone(), log.to_string()));
    checked.find(
        Verdict::Verified,
        format!("the checkpoint of {} leaves is signed as the policy demands", checkpoint.size),
    );
    let keychain = Keychain::verify(&chain, &log)?;
    let epoch = keychain.check_seal(&checkpoint, &note)?;
    checked.find(
        Verdict::Verified,
        format!("it is sealed by epoch {epoch}, whose key the keychain vouches for"),
    );

    let range = text("range")?;
    let (first, last) = range
        .strip_suffix('\n')
        .and_then(|r| r.split_once(' '))
        .and_then(|(a, b)| Some((a.parse::<u64>().ok()?, b.parse::<u64>().ok()?)))
        .filter(|(a, b)| a <= b && *b < checkpoint.size)
        .ok_or_else(|| bad("range", "expected two positions under the checkpoint"))?;

    let ends: Vec<Checkpoint> = keychain
        .epochs()
        .iter()
        .filter_map(|epoch| epoch.closed_by.clone().filter(|end| epoch.after <= last && first < end.size))
        .filter(|end| end.size <= checkpoint.size)
        .collect();
    let mut needed = tiles_for_range(first, last, checkpoint.size);
    needed.extend(ends.iter().flat_map(|end| tiles_for_consistency(end.size, checkpoint.size)));
    let mut tiles: HashMap<(u32, u64), Vec<Hash>> = HashMap::new();
    for tile in needed {
        let hashes = tile_hashes(&read(&tile.path())?, tile.width)?;
        tiles.insert((tile.level, tile.index), hashes);
    }
    let nodes = TileNodes(|level: u32, start: u64, count: u64| {
        let hashes = tiles.get(&(level, start / 256));
        let from = (start % 256) as usize;
        hashes
            .and_then(|h| h.get(from..from + count as usize))
            .map(<[Hash]>::to_vec)
            .ok_or_else(|| Finding::new(Verdict::Incomplete, format!("a tile of level {level} is missing")))
    });
    let root = proof::tree::root(checkpoint.size, &nodes)?;
    if root != checkpoint.root {
        return Err(tampered("the tiles do not give the checkpoint's root".into()));
    }
    checked.find(Verdict::Verified, "the tiles give the checkpoint's root");
    // Whoever has today's keys can sign a new history and attach the genuine keychain; what ended an
    // epoch they cannot sign again.
    for end in ends {
        if proof::tree::root(end.size, &nodes)? != end.root {
            return Err(Finding::new(
                Verdict::SplitView,
                format!("the checkpoint that ended an epoch at {} leaves has another root", end.size),
            ));
        }
    }

    let mut leaves: HashMap<u64, Vec<u8>> = HashMap::new();
    let (mut position, mut received) = (first, 0);
    while position <= last {
        let bundle =
            Bundle::of_position(position, checkpoint.size).expect("the range is under the checkpoint");
        let bytes = read(&bundle.path())?;
        let start = bundle.first_position();
        let bundled = entries(&bytes)?;
        if bundled.len() != bundle.width as usize {
            return Err(Finding::new(
                Verdict::Incomplete,
                format!("{} has {} leaves", bundle.path(), bundled.len()),
            ));
        }
        for (at, bytes) in (start..).zip(bundled) {
            let path = proof::inclusion_proof(at, checkpoint.size, &nodes)?;
            proof::verify_inclusion(at, checkpoint.size, &proof::leaf_hash(bytes), &path, &checkpoint.root)
                .map_err(|e| tampered(format!("position {at}: {e}")))?;
            let leaf = LeafRef::decode(bytes)?;
            if leaf.received_ms < received {
                return Err(tampered(format!("position {at} was received before the one before it")));
            }
            received = leaf.received_ms;
            if (first..=last).contains(&at) {
                leaves.insert(at, bytes.to_vec());
            }
        }
        position = start + u64::from(bundle.width);
    }
    checked.leaves = leaves.len() as u64;
    checked.find(Verdict::Verified, format!("positions {first} to {last} are complete and in the tree"));

    let mut shown = 0u64;
    for line in text("disclosures.jsonl")?.lines() {
        let (position, sections) = proof::disclosure::decode_line(line)?;
        let bytes = leaves
            .get(&position)
            .ok_or_else(|| tampered(format!("position {position} is disclosed and not in the range")))?;
        proof::disclosure::check(&sections, &LeafRef::decode(bytes)?)
            .map_err(|e| Finding::new(e.verdict(), format!("position {position}: {e}")))?;
        shown += sections.len() as u64;
    }
    checked.find(Verdict::Verified, format!("{shown} disclosed sections match their leaves"));
    for text in known {
        let (other, note) = Checkpoint::read(text)?;
        note.require(&log).map_err(|e| bad("the known checkpoint", e.what()))?;
        let then = match other.size <= checkpoint.size {
            true => proof::tree::root(other.size, &nodes).ok(),
            false => None,
        };
        checked.findings.push(match then {
            Some(root) => {
                proof::compare::compare(&other, &Checkpoint::new(&*checkpoint.origin, other.size, root), None)
            }
            None => Finding::new(
                Verdict::Incomplete,
                format!("the tiles don't reach to the known checkpoint of {} leaves", other.size),
            ),
        });
    }
    Ok(())
}
