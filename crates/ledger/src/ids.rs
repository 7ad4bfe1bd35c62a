//! Which (producer, id) pairs were recorded, for the ledger's life: sorted runs of keyed hashes.
//!
//! What is not sealed yet is a map in memory. When a journal is sealed its entries become a run;
//! a run that is as long as the one before it is merged with it, so there are about log2(n) of them.
//! A look-up asks a Bloom filter, then reads one page of the run. Filters of very long runs stay on
//! disk, and merging goes piece by piece, which bounds the memory whatever the ledger's age. Runs can be rebuilt from the segments.
//!
//! The filter is one of blocks of a cache line each (Putze, Sanders and Singler, 2007), and a key's block follows from its
//! first bytes, so that a run, which is sorted, fills its filter from one end to the other.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Error;
use crate::io::{File, Io, Open, read_full};
use crate::keys::{Reader, crc_around};
use crate::record::Fingerprint;

const MAGIC: &[u8; 8] = b"IDLIDRN2";
const HEADER: usize = 12 + 16 + 8 * 4;
const ENTRY: usize = 32;
const PAGE: usize = 4096;
/// 127 entries and a checksum.
const PER_PAGE: usize = (PAGE - 4) / ENTRY;
/// Pages that are read or written at once.
const PIECE: usize = 64;
/// Runs up to this many entries keep their filter in memory: 10 bits an entry.
const FILTERED: u64 = 32 << 20;
const FILTER_BITS: u64 = 10;
/// Bytes of a block of the filter.
const BLOCK: usize = 64;

/// A pair as it lies in a run: key, digest, position. They are in the order of these bytes.
type Entry = [u8; ENTRY];

/// One recorded pair: fingerprint and position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) position: u64,
}

/// Digest and position by key.
pub(crate) type KnownIds = HashMap<[u8; 14], ([u8; 12], u64), BuildHasherDefault<KeyItself>>;

/// A key is a keyed hash already, which nobody outside can choose: its first bytes serve.
#[derive(Default)]
pub(crate) struct KeyItself(u64);

impl Hasher for KeyItself {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _: usize) {
        // The length, which is the same for all.
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// All recorded pairs of a ledger.
pub(crate) struct Ids {
    dir: PathBuf,
    ledger: [u8; 16],
    /// Oldest first, each covering positions up to where the next begins.
    runs: Vec<Arc<Run>>,
    recent: KnownIds,
}

/// A sorted file of pairs.
pub(crate) struct Run {
    path: PathBuf,
    from: u64,
    to: u64,
    count: u64,
    file: Box<dyn File>,
    /// First eight bytes of each page's first key.
    fence: Vec<u64>,
    filter: Option<Vec<u8>>,
}

fn name(from: u64, to: u64) -> String {
    format!("ids-{from:020}-{to:020}")
}

/// The positions a run's name says it covers.
pub(crate) fn covers(name: &str) -> Option<(u64, u64)> {
    let (from, to) = name.strip_prefix("ids-")?.split_once('-')?;
    (from.len() == 20 && to.len() == 20).then_some(())?;
    Some((from.parse().ok()?, to.parse().ok()?))
}

impl Ids {
    pub(crate) fn empty(dir: &Path, ledger: [u8; 16]) -> Ids {
        Ids { dir: dir.to_owned(), ledger, runs: Vec::new(), recent: KnownIds::default() }
    }

    /// Opens the runs that cover positions 0 to `sealed` without a gap. Stops at the first that is
    /// missing or damaged: [`Ids::end`] says from where they must be rebuilt.
    pub(crate) fn open(io: &dyn Io, dir: &Path, ledger: [u8; 16], sealed: u64) -> Result<Ids, Error> {
        let mut ids = Ids::empty(dir, ledger);
        let names = io.list(dir).map_err(|e| Error::io("list", dir, &e))?;
        let mut found: Vec<(u64, u64)> = names.iter().filter_map(|n| covers(n)).collect();
        // Of two that begin alike, the longer is the merged one.
        found.sort_by_key(|(from, to)| (*from, std::cmp::Reverse(*to)));
        for (from, to) in found {
            let path = dir.join(name(from, to));
            if from == ids.end()
                && to <= sealed
                && let Some(run) = Run::open(io, &path, &ledger)?
            {
                ids.runs.push(Arc::new(run));
            } else {
                io.remove(&path).map_err(|e| Error::io("remove", &path, &e))?;
            }
        }
        Ok(ids)
    }

    /// What is wrong with the runs on the disk, without changing them.
    pub(crate) fn check(io: &dyn Io, dir: &Path, ledger: [u8; 16]) -> Vec<String> {
        let names = io.list(dir).unwrap_or_default();
        let mut wrong = Vec::new();
        for name in names.iter().filter(|n| covers(n).is_some()) {
            match Run::open(io, &dir.join(name), &ledger).map(|run| run.map(|run| run.check())) {
                Ok(Some(Ok(()))) => {}
                // It was merged into another while we looked.
                Err(_) if io.open(&dir.join(name), Open::Read).is_err() => {}
                _ => wrong
                    .push(format!("{name}, an index of ids that were sent, does not match its checksums")),
            }
        }
        wrong
    }

    /// Position up to which runs cover the ledger.
    pub(crate) fn end(&self) -> u64 {
        self.runs.last().map_or(0, |run| run.to)
    }

    /// Remembers a pair that is durable in a journal.
    pub(crate) fn insert(&mut self, known: Known) {
        self.recent.insert(known.fingerprint.key, (known.fingerprint.digest, known.position));
    }

    /// The pair recorded under this key.
    pub(crate) fn find(&self, key: &[u8; 14]) -> Result<Option<Known>, Error> {
        if let Some((digest, position)) = self.recent.get(key) {
            let fingerprint = Fingerprint { key: *key, digest: *digest };
            return Ok(Some(Known { fingerprint, position: *position }));
        }
        for run in self.runs.iter().rev() {
            if let Some(known) = run.find(key)? {
                return Ok(Some(known));
            }
        }
        Ok(None)
    }

    /// Begins to turn the pairs at positions [from, to) into a run, which must follow the last one.
    /// `known`: these pairs, for a rebuild; the ones in memory otherwise. The work is done in
    /// [`Sealing::write`], which needs no hold of the ledger.
    pub(crate) fn seal(&self, (from, to): (u64, u64), known: Option<Vec<Known>>) -> Sealing {
        assert_eq!(from, self.end(), "runs cover the ledger without a gap");
        let mut entries = known.unwrap_or_else(|| {
            let within = self.recent.iter().filter(|(_, (_, p))| (from..to).contains(p));
            within
                .map(|(key, (digest, position))| Known {
                    fingerprint: Fingerprint { key: *key, digest: *digest },
                    position: *position,
                })
                .collect()
        });
        entries.sort_unstable_by_key(|k| k.fingerprint.key);
        let mut merged = Vec::new();
        let mut length = entries.len() as u64;
        for run in self.runs.iter().rev() {
            if run.count > 2 * length {
                break;
            }
            length += run.count;
            merged.push(run.clone());
        }
        let start = merged.last().map_or(from, |run| run.from);
        Sealing { dir: self.dir.clone(), ledger: self.ledger, covers: (start, to), entries, merged }
    }

    /// Puts a written run in the place of those it was merged from.
    pub(crate) fn install(&mut self, run: Arc<Run>) {
        self.runs.retain(|old| old.from < run.from);
        self.recent.retain(|_, (_, position)| *position >= run.to);
        self.runs.push(run);
    }
}

/// A run on its way to the disk.
pub(crate) struct Sealing {
    dir: PathBuf,
    ledger: [u8; 16],
    covers: (u64, u64),
    entries: Vec<Known>,
    merged: Vec<Arc<Run>>,
}

impl Sealing {
    /// Merges, writes and opens the run; then removes the ones it replaces. The runs are gone through piece by piece: of the
    /// new one only its filter and the first keys of its pages are in memory.
    pub(crate) fn write(self, io: &dyn Io) -> Result<Arc<Run>, Error> {
        let Sealing { dir, ledger, covers: (from, to), entries, merged } = self;
        let path = dir.join(name(from, to));
        let count = entries.len() as u64 + merged.iter().map(|run| run.count).sum::<u64>();
        let mut sources = vec![Source::of(entries.iter().map(pack).collect(), None)?];
        for run in &merged {
            sources.push(Source::of(Vec::new(), Some((run, 0)))?);
        }
        write(io, &path, &ledger, (from, to), count, sources)?;
        io.sync_dir(&dir).map_err(|e| Error::io("write", &path, &e))?;
        let run = Run::open(io, &path, &ledger)?;
        let run = run.ok_or_else(|| Error::Damaged(format!("{}: reads back wrong", path.display())))?;
        for old in &merged {
            // What stays behind is covered by the new run and removed at the next start.
            let _ = io.remove(&old.path);
        }
        Ok(Arc::new(run))
    }
}

/// What is merged, in order: entries that are at hand, and the pages of a run that come after them.
struct Source<'a> {
    entries: Vec<Entry>,
    at: usize,
    /// Of the first entry; most comparisons need no more.
    prefix: u64,
    rest: Option<(&'a Run, usize)>,
}

impl<'a> Source<'a> {
    fn of(entries: Vec<Entry>, rest: Option<(&'a Run, usize)>) -> Result<Source<'a>, Error> {
        let mut source = Source { entries, at: 0, prefix: 0, rest };
        source.settle()?;
        Ok(source)
    }

    fn first(&self) -> Option<&Entry> {
        self.entries.get(self.at)
    }

    /// Before which of the two it comes; what has nothing left comes last.
    fn order(&self, other: &Self) -> Ordering {
        self.prefix.cmp(&other.prefix).then_with(|| match (self.first(), other.first()) {
            (Some(one), Some(two)) => one.cmp(two),
            (one, two) => one.is_none().cmp(&two.is_none()),
        })
    }

    fn advance(&mut self) -> Result<(), Error> {
        self.at += 1;
        self.settle()
    }

    fn settle(&mut self) -> Result<(), Error> {
        if self.at == self.entries.len()
            && let Some((run, page)) = &mut self.rest
        {
            self.entries.clear();
            self.at = 0;
            run.pages(*page, PIECE, &mut self.entries)?;
            *page += PIECE;
        }
        self.prefix = self.first().map_or(u64::MAX, |entry| prefix(entry.first_chunk().expect("14 of 32")));
        Ok(())
    }
}

impl Run {
    /// `None` if it is not a whole run of this ledger.
    fn open(io: &dyn Io, path: &Path, ledger: &[u8; 16]) -> Result<Option<Run>, Error> {
        let failed = |e: std::io::Error| Error::io("read", path, &e);
        let file = io.open(path, Open::Read).map_err(failed)?;
        let mut header = [0; HEADER];
        let got = read_full(&*file, &mut header, 0).map_err(failed)?;
        let mut at = Reader(&header[12..]);
        let crc = u32::from_le_bytes(header[8..12].try_into().expect("4"));
        if got < HEADER || header[..8] != *MAGIC || at.take(16) != Some(ledger) || crc_around(&header) != crc
        {
            return Ok(None);
        }
        let mut next = || at.u64().unwrap_or(0);
        let (from, to, count, index_crc) = (next(), next(), next(), next());
        let pages = count.div_ceil(PER_PAGE as u64);
        let index_at = HEADER as u64 + pages * PAGE as u64;
        let filter_len = filter_len(count);
        let Some(len) = file.len().map_err(failed)?.checked_sub(index_at) else { return Ok(None) };
        if len != pages * 8 + filter_len {
            return Ok(None);
        }
        let mut index = vec![0; len as usize];
        read_full(&*file, &mut index, index_at).map_err(failed)?;
        if u64::from(crc32c::crc32c(&index)) != index_crc {
            return Ok(None);
        }
        let filter = index.split_off(pages as usize * 8);
        let fence = index.as_chunks::<8>().0.iter().map(|b| u64::from_be_bytes(*b)).collect();
        let filter = (count <= FILTERED).then_some(filter);
        Ok(Some(Run { path: path.to_owned(), from, to, count, file, fence, filter }))
    }

    fn find(&self, key: &[u8; 14]) -> Result<Option<Known>, Error> {
        if self.count == 0 || self.filter.as_ref().is_some_and(|filter| !may_hold(filter, key)) {
            return Ok(None);
        }
        let prefix = prefix(key);
        // The key may stand at the end of the page before the first one that begins with its prefix.
        let mut page = self.fence.partition_point(|first| *first < prefix).saturating_sub(1);
        let mut entries = Vec::with_capacity(PER_PAGE);
        while page < self.fence.len() && self.fence[page] <= prefix {
            entries.clear();
            self.pages(page, 1, &mut entries)?;
            if let Ok(at) = entries.binary_search_by(|entry| entry[..14].cmp(key)) {
                return Ok(Some(unpack(&entries[at])));
            }
            page += 1;
        }
        Ok(None)
    }

    /// Reads the entries of at most so many pages from `first` on; none if there are no such pages.
    fn pages(&self, first: usize, most: usize, into: &mut Vec<Entry>) -> Result<(), Error> {
        let pages = most.min(self.fence.len().saturating_sub(first));
        let mut bytes = vec![0; pages * PAGE];
        let at = (HEADER + first * PAGE) as u64;
        let got = read_full(&*self.file, &mut bytes, at).map_err(|e| Error::io("read", &self.path, &e))?;
        for (number, page) in (first..).zip(bytes.as_chunks::<PAGE>().0) {
            let count = PER_PAGE.min((self.count as usize).saturating_sub(number * PER_PAGE));
            let whole = got >= (number - first + 1) * PAGE;
            if !whole || crc32c::crc32c(&page[..PAGE - 4]).to_le_bytes() != page[PAGE - 4..] {
                let path = self.path.display();
                return Err(Error::Damaged(format!("{path}: page {number} does not match its checksum")));
            }
            into.extend(&page.as_chunks::<ENTRY>().0[..count]);
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Error> {
        let mut entries = Vec::new();
        (0..self.fence.len()).step_by(PIECE).try_for_each(|page| {
            entries.clear();
            self.pages(page, PIECE, &mut entries)
        })
    }
}

/// Writes what the sources have, `count` entries, as a run that is durable once its folder is synced.
fn write(
    io: &dyn Io,
    path: &Path,
    ledger: &[u8; 16],
    (from, to): (u64, u64),
    count: u64,
    mut sources: Vec<Source<'_>>,
) -> Result<(), Error> {
    let failed = |e: std::io::Error| Error::io("write", path, &e);
    let fresh = path.with_extension("new");
    let out = io.open(&fresh, Open::Create).map_err(failed)?;
    let mut filter = vec![0u8; filter_len(count) as usize];
    let mut index = Vec::with_capacity(8 * count.div_ceil(PER_PAGE as u64) as usize + filter.len());
    let mut pages: Vec<u8> = Vec::with_capacity(PIECE * PAGE);
    let mut offset = HEADER as u64;
    let miscounted =
        || Error::Damaged(format!("{}: what is merged has not as many ids as it says", path.display()));
    let mut in_page = 0;
    for written in 1..=count {
        let source = sources.iter_mut().min_by(|one, two| one.order(two)).ok_or_else(miscounted)?;
        let entry = *source.first().ok_or_else(miscounted)?;
        source.advance()?;
        let key = entry.first_chunk().expect("14 of 32");
        if in_page == 0 {
            index.extend(prefix(key).to_be_bytes());
        }
        pages.extend(entry);
        let (block, bits) = place(key, filter.len());
        bits.for_each(|bit| filter[block + bit / 8] |= 1 << (bit % 8));
        in_page += 1;
        if in_page == PER_PAGE || written == count {
            in_page = 0;
            let start = (pages.len() - 1) / PAGE * PAGE;
            pages.resize(start + PAGE - 4, 0);
            pages.extend(crc32c::crc32c(&pages[start..]).to_le_bytes());
        }
        if pages.len() == PIECE * PAGE || written == count {
            out.write_at(&pages, offset).map_err(failed)?;
            offset += pages.len() as u64;
            pages.clear();
        }
    }
    if sources.iter().any(|source| source.first().is_some()) {
        return Err(miscounted());
    }
    index.extend(filter);
    out.write_at(&index, offset).map_err(failed)?;
    let mut header = MAGIC.to_vec();
    header.extend([0; 4]);
    header.extend(ledger);
    for number in [from, to, count, u64::from(crc32c::crc32c(&index))] {
        header.extend(number.to_le_bytes());
    }
    let crc = crc_around(&header);
    header[8..12].copy_from_slice(&crc.to_le_bytes());
    out.write_at(&header, 0).and_then(|()| out.sync()).map_err(failed)?;
    io.rename(&fresh, path).map_err(failed)
}

fn pack(known: &Known) -> Entry {
    let mut entry = [0; ENTRY];
    entry[..14].copy_from_slice(&known.fingerprint.key);
    entry[14..26].copy_from_slice(&known.fingerprint.digest);
    entry[26..].copy_from_slice(&known.position.to_be_bytes()[2..]);
    entry
}

fn unpack(entry: &Entry) -> Known {
    let mut at = Reader(entry);
    let key = at.array().expect("14 of 32");
    let digest = at.array().expect("12 of 18");
    let mut position = [0; 8];
    position[2..].copy_from_slice(at.0);
    Known { fingerprint: Fingerprint { key, digest }, position: u64::from_be_bytes(position) }
}

fn prefix(key: &[u8; 14]) -> u64 {
    u64::from_be_bytes(key[..8].try_into().expect("8 of 14"))
}

fn filter_len(count: u64) -> u64 {
    (count * FILTER_BITS).div_ceil(8 * BLOCK as u64).max(1) * BLOCK as u64
}

/// Where the block of a key begins in a filter, and the five bits of it that the key sets: nine bits each of its last 45.
fn place(key: &[u8; 14], filter_len: usize) -> (usize, impl Iterator<Item = usize> + use<>) {
    let blocks = (filter_len / BLOCK) as u128;
    let block = ((u128::from(prefix(key)) * blocks) >> 64) as usize;
    let rest = u64::from_be_bytes(key[6..].try_into().expect("8 of 14"));
    (block * BLOCK, (0..5).map(move |n| (rest >> (9 * n)) as usize % (8 * BLOCK)))
}

fn may_hold(filter: &[u8], key: &[u8; 14]) -> bool {
    let (block, mut bits) = place(key, filter.len());
    bits.all(|bit| filter[block + bit / 8] & 1 << (bit % 8) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::OsIo;

    fn known(n: u64) -> Known {
        // Any hash does.
        let hash = proof::leaf_hash(&n.to_le_bytes());
        let key = *hash.as_bytes().first_chunk().expect("14 of 32");
        Known { fingerprint: Fingerprint { key, digest: [n as u8; 12] }, position: n }
    }

    #[test]
    fn finds_what_was_recorded_and_nothing_else_across_merges_and_restarts() {
        let dir = tempfile::tempdir().unwrap();
        let io = OsIo::new();
        let mut ids = Ids::empty(dir.path(), [7; 16]);
        let ends = [0, 1, 300, 1000, 1001, 5000, 20_000];
        for span in ends.windows(2) {
            (span[0]..span[1]).for_each(|n| ids.insert(known(n)));
            let run = ids.seal((span[0], span[1]), None).write(&io).unwrap();
            ids.install(run);
            assert!(ids.recent.is_empty());
        }
        let ids = Ids::open(&io, dir.path(), [7; 16], 20_000).unwrap();
        assert_eq!(ids.end(), 20_000);
        assert!(ids.runs.len() <= 4, "{} runs", ids.runs.len());
        for n in 0..20_000 {
            assert_eq!(ids.find(&known(n).fingerprint.key).unwrap(), Some(known(n)));
        }
        for n in 20_000..40_000 {
            assert_eq!(ids.find(&known(n).fingerprint.key).unwrap(), None);
        }
        assert_eq!(Ids::open(&io, dir.path(), [8; 16], 20_000).unwrap().end(), 0, "another ledger's runs");
    }

    #[test]
    fn a_filter_lets_few_pass_that_are_not_in_the_run() {
        let dir = tempfile::tempdir().unwrap();
        let io = OsIo::new();
        let entries = (0..50_000).map(known).collect();
        let run = Ids::empty(dir.path(), [7; 16]).seal((0, 50_000), Some(entries)).write(&io).unwrap();
        let filter = run.filter.as_ref().unwrap();
        assert!((0..50_000).all(|n| may_hold(filter, &known(n).fingerprint.key)));
        let passed = (50_000..150_000).filter(|n| may_hold(filter, &known(*n).fingerprint.key)).count();
        assert!(passed < 2_000, "{passed} of 100 000");
    }
}
