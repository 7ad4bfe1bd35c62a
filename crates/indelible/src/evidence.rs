//! Evidence for strangers: one event with its proof, or a range that is shown to be complete.

use std::path::Path;

use access::{Permission, Viewer};
use ledger::io::{Io, Open};
use ledger::{Error, Head, Ledger, Record, Section};
use proof::tile::{push_entry, tiles_for_consistency, tiles_for_range};
use proof::{Bundle, Disclosed, Disclosure, Extra, Hash, Policy, TlogProof};

use crate::ask::AskError;
use crate::audit::Asked;
use crate::organisations::Indelible;
use crate::tar::Tar;

/// Epochs whose hand-overs are put into a single proof; of an older ledger they are in the
/// evidence folder only.
const CHAIN_IN_PROOF: usize = 64;

/// The `.tlog-proof` of one event (docs/format.md, 1.8), all its sections disclosed.
/// [`Error::NotYetProved`] within the second before the next head is signed.
pub fn prove(ledger: &Ledger, position: u64) -> Result<String, Error> {
    let record = ledger.record(position)?;
    let (head, path) = ledger.inclusion(position)?;
    let mut keychain = keychain(ledger, head.size)?;
    if keychain.len() > CHAIN_IN_PROOF {
        keychain.clear();
    }
    Ok(text(position, path, &head, Extra { keychain, leaf: record.leaf(), sections: disclose(&record) }))
}

/// Writes an evidence folder (docs/format.md, 1.9) for the positions `first` to `last`, and says how
/// many files it has.
pub fn write_evidence(
    io: &dyn Io,
    ledger: &Ledger,
    first: u64,
    last: u64,
    dir: &Path,
) -> Result<usize, Error> {
    let mut folder = Folder { io, dir, files: 0 };
    evidence(ledger, first, last, &mut |name, bytes| folder.put(name, bytes))?;
    Ok(folder.files)
}

/// Takes the name of a file and what it holds.
type Put<'p> = dyn FnMut(&str, &[u8]) -> Result<(), Error> + 'p;

/// The files of an evidence folder, one after the other.
fn evidence(ledger: &Ledger, first: u64, last: u64, put: &mut Put<'_>) -> Result<(), Error> {
    if first > last || last >= ledger.size() {
        return Err(Error::NotFound(format!(
            "positions {first} to {last} are not in the ledger, which has {}",
            ledger.size()
        )));
    }
    let (head, _) = ledger.inclusion(last)?;
    put("checkpoint", head.note.as_bytes())?;
    let policy = Policy::of_log(ledger.identity().clone()).map_err(|e| Error::Io(e.to_string()))?;
    put("policy", policy.to_string().as_bytes())?;
    put("range", format!("{first} {last}\n").as_bytes())?;
    let mut tiles = tiles_for_range(first, last, head.size);
    // So that a reader can compare the tree with the checkpoint that ended each epoch of the range.
    for end in ledger.epoch_ends().iter().filter(|end| first < end.size && end.size < head.size) {
        tiles.extend(tiles_for_consistency(end.size, head.size));
        if last < end.size {
            break;
        }
    }
    tiles.sort_unstable_by_key(|tile| (tile.level, tile.index));
    tiles.dedup();
    for tile in tiles {
        let start = tile.first_hash();
        let hashes = ledger.tile(tile.level as usize, start..start + u64::from(tile.width))?;
        let bytes: Vec<u8> = hashes.iter().flat_map(|h| *h.as_bytes()).collect();
        put(&tile.path(), &bytes)?;
    }
    let mut disclosures = String::new();
    let mut position = first;
    while position <= last {
        let bundle = Bundle::of_position(position, head.size)
            .ok_or_else(|| Error::Incomplete(format!("position {position} is not under the head")))?;
        let start = bundle.first_position();
        let mut bytes = Vec::new();
        for at in start..start + u64::from(bundle.width) {
            let record = ledger.record(at)?;
            push_entry(&mut bytes, &record.leaf()).map_err(|e| Error::Io(e.to_string()))?;
            if (first..=last).contains(&at) && !record.is_control() {
                disclosures.push_str(&proof::disclosure::encode_line(at, &disclose(&record)));
                if !disclosures.ends_with('\n') {
                    disclosures.push('\n');
                }
            }
        }
        put(&bundle.path(), &bytes)?;
        position = start + u64::from(bundle.width);
    }
    put("disclosures.jsonl", disclosures.as_bytes())?;
    for (n, link) in keychain(ledger, head.size)?.iter().enumerate() {
        put(&format!("keychain/{n}.tlog-proof"), link.as_bytes())?;
    }
    Ok(())
}

/// Most events of a range whose evidence is handed out as one file, and most bytes of it.
pub const EVIDENCE_MOST: u64 = 10_000;
const EVIDENCE_BYTES: usize = 64 << 20;

impl Indelible {
    /// The evidence folder (docs/format.md, 1.9) for the positions `first` to `last`, as a tar file, for somebody who may see
    /// all of every event in it. What is not yet under a signed head is left out. That it was handed out is on record when
    /// this returns.
    pub fn evidence_file(
        &self,
        viewer: &Viewer,
        organisation: &str,
        first: u64,
        last: u64,
    ) -> Result<Vec<u8>, AskError> {
        self.permit(viewer, Permission::ReadContent, organisation)?;
        if !self.permit(viewer, Permission::ReadEvents, organisation)?.sees_every_row() {
            let why = "evidence of a range shows all of its events, and you see your own only; take the proof of each";
            return Err(AskError::Wrong(why.to_owned()));
        }
        let text = format!("positions {first} to {last}");
        let permission = Permission::Proofs;
        self.admit(viewer, &Asked { kind: "audit.bundle_issued", permission, organisation, text: &text })?;
        let ledger = self.ledger(organisation)?;
        let last = last.min(ledger.head().map_or(0, |head| head.size).saturating_sub(1));
        if first > last || last - first >= EVIDENCE_MOST {
            return Err(AskError::Wrong(format!(
                "positions: expected the first and the last of at most {EVIDENCE_MOST} signed ones; `indelible prove` takes more"
            )));
        }
        let mut file = Tar::default();
        let mut is_full = false;
        let done = evidence(&ledger, first, last, &mut |name, bytes| {
            is_full |= file.len() + bytes.len() > EVIDENCE_BYTES;
            if is_full {
                return Err(Error::Io("the evidence is too large for one file".to_owned()));
            }
            file.put(&format!("evidence/{name}"), bytes);
            Ok(())
        });
        match done {
            Err(_) if is_full => Err(AskError::Wrong(format!(
                "positions: their evidence has more than {} MiB; `indelible prove` takes more",
                EVIDENCE_BYTES >> 20
            ))),
            done => Ok(done.map(|()| file.end())?),
        }
    }
}

/// Genesis, and the hand-overs of the epochs that ended before a checkpoint of `size`.
fn keychain(ledger: &Ledger, size: u64) -> Result<Vec<String>, Error> {
    let ends: Vec<Head> = ledger.epoch_ends().into_iter().filter(|h| h.size <= size).collect();
    let link = |position: u64| -> Result<String, Error> {
        let (head, path) = ledger.inclusion(position)?;
        let leaf = ledger.record(position)?.leaf();
        Ok(text(position, path, &head, Extra { keychain: Vec::new(), leaf, sections: Disclosure::new() }))
    };
    let mut chain = vec![link(0)?];
    for end in &ends {
        chain.push(link(end.size - 1)?);
    }
    Ok(chain)
}

fn text(index: u64, path: Vec<Hash>, head: &Head, extra: Extra) -> String {
    TlogProof { extra: Some(extra.encode()), index, path, checkpoint: head.note.clone() }.to_string()
}

fn disclose(record: &Record) -> Disclosure {
    record
        .sections()
        .filter_map(|(name, section)| match section {
            Section::Present { salt, body } => {
                // Bodies are JSON that we wrote, so they are text.
                let body = String::from_utf8_lossy(body).into_owned();
                Some((name.to_owned(), Disclosed { body, salt: *salt }))
            }
            _ => None,
        })
        .collect()
}

struct Folder<'a> {
    io: &'a dyn Io,
    dir: &'a Path,
    files: usize,
}

impl Folder<'_> {
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.dir.join(name);
        let write = || -> std::io::Result<()> {
            self.io.create_dir(path.parent().unwrap_or(self.dir))?;
            let file = self.io.open(&path, Open::Create)?;
            file.write_at(bytes, 0)?;
            file.sync()
        };
        write().map_err(|e| Error::Io(format!("couldn't write {}: {e}", path.display())))?;
        self.files += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ledger::io::OsIo;
    use ledger::{Bodies, Entry, Ledger, Options, Secret};
    use proof::Verdict;

    use super::*;
    use crate::verify::{verify_evidence, verify_text};

    #[test]
    fn a_range_over_several_epochs_brings_what_compares_it_with_each_end() {
        let home = tempfile::tempdir().unwrap();
        let io: Arc<dyn Io> = Arc::new(OsIo::new());
        let mut options = Options::new("acme", Secret::new([7; 32]));
        options.epoch_ms = 0;
        let ledger = Ledger::create(io.clone(), &home.path().join("acme"), options).unwrap();
        for _ in 0..4 {
            let bodies = Bodies::new([None, None, Some(br#"{"action":"test"}"#), None]);
            let entry = Entry { kind: "auth.login".into(), bodies, ..Entry::default() };
            ledger.append(vec![entry; 400]).unwrap();
            assert!(ledger.tend().unwrap().epoch_ended.is_some());
        }
        for (n, (first, last)) in [(0, 1604), (300, 900), (410, 420), (1200, 1604)].into_iter().enumerate() {
            let dir = home.path().join(format!("evidence-{n}"));
            write_evidence(&*io, &ledger, first, last, &dir).unwrap();
            let checked = verify_evidence(&*io, &dir, None, &[]);
            assert_eq!(checked.verdict(), Verdict::Verified, "{first} to {last}: {:?}", checked.findings);
        }
        for position in [0, 1, 401, 402, 1604] {
            let checked = verify_text(&prove(&ledger, position).unwrap(), None, &[]);
            assert_eq!(checked.verdict(), Verdict::Verified, "{position}: {:?}", checked.findings);
        }
    }
}
