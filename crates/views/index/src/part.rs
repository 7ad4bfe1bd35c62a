//! A part: all documents of consecutive positions, in one file that never changes.
//!
//! Documents lie in descending order of position, without a gap, so that a document's number tells its position and
//! "newest first" is the order in which tantivy reads. A part is built from a batch, or merged from neighbours; after
//! either its column of positions is compared with what it should be.

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

use ledger::io::Io;
use tantivy::directory::OwnedBytes;
use tantivy::fastfield::{AliveBitSet, write_alive_bitset};
use tantivy::index::SegmentReader;
use tantivy::indexer::merge_filtered_segments;
use tantivy::{BitSet, IndexSettings, InvertedIndexReader, Order, Segment};

use crate::cache::Cache;
use crate::directory::{Source, Target};
use crate::document::Document;
use crate::error::{Error, from_io};
use crate::file::{FileKey, Reader, Shared, Writer};
use crate::ids::{self, Ids};
use crate::manifest::Entry;
use crate::schema::{POSITION, SCHEMA};

/// What a merge keeps in memory of what it reads: it goes through each stream once.
const MERGE_CACHE: usize = 8 << 20;

/// A part, open.
pub(crate) struct Part {
    pub(crate) entry: Entry,
    pub(crate) reader: Arc<Reader>,
    pub(crate) segment: SegmentReader,
    pub(crate) terms: Arc<InvertedIndexReader>,
    pub(crate) ids: Ids,
}

impl Part {
    pub(crate) fn open(io: &dyn Io, dir: &Path, entry: Entry, cache: Arc<Cache>) -> Result<Part, Error> {
        let reader = Reader::open(io, dir, &entry.file, cache).map_err(|e| from_io(&e))?;
        let reader = Arc::new(reader);
        let segment = SegmentReader::open(&segment(&reader)?)?;
        let ids = Ids::open(&reader).map_err(|e| from_io(&e))?;
        if u64::from(segment.max_doc()) != entry.to - entry.from {
            return Err(Error::Damaged("a part has another number of documents than it should".into()));
        }
        let terms = segment.inverted_index(SCHEMA.term)?;
        Ok(Part { entry, reader, segment, terms, ids })
    }

    /// Number of documents.
    pub(crate) fn len(&self) -> u32 {
        self.segment.max_doc()
    }

    /// The position of a document.
    pub(crate) fn position(&self, document: u32) -> u64 {
        self.entry.to - 1 - u64::from(document)
    }

    /// Whether each document is at its place.
    fn verify(&self) -> Result<(), Error> {
        let positions = self.segment.fast_fields().u64(POSITION)?;
        let mut block = [0; 1024];
        for start in (0..self.len()).step_by(block.len()) {
            let block = &mut block[..(self.len() - start).min(1024) as usize];
            positions.values.get_range(u64::from(start), block);
            if !block.iter().zip(start..).all(|(position, document)| *position == self.position(document)) {
                return Err(Error::Damaged("documents are not in the order of their positions".into()));
            }
        }
        Ok(())
    }
}

fn segment(reader: &Arc<Reader>) -> Result<Segment, Error> {
    let index = tantivy::Index::open(Source(reader.clone()))?;
    let one = index.searchable_segments()?.pop();
    one.ok_or_else(|| Error::Damaged("a part without a segment".into()))
}

/// Tantivy insists on a document store; ours has an empty document for each.
fn settings() -> IndexSettings {
    IndexSettings { docstore_compress_dedicated_thread: false, ..IndexSettings::default() }
}

/// Writes a part from documents in ascending order of position, usually those of all positions from `from` on.
pub(crate) fn build(io: &dyn Io, dir: &Path, from: u64, documents: Vec<Document>) -> Result<Entry, Error> {
    let count = documents.len() as u64;
    let times = documents.iter().filter_map(Document::time);
    let time = times.fold((i64::MAX, i64::MIN), |(min, max), t| (min.min(t), max.max(t)));
    let file = FileKey::random(io);
    let shared = Shared::new(Writer::create(io, dir, &file)?);
    let ids = documents.iter().flat_map(|d| d.ids.iter().map(|id| (*id, (d.position - from) as u32)));
    ids::write(&shared, ids.collect())?;
    let target = Target::new(shared.clone());
    // Decides how large tantivy's hash table is at the start, nothing else.
    let memory = (documents.len() << 12).clamp(1 << 20, 32 << 20);
    let builder = tantivy::Index::builder().schema(SCHEMA.schema.clone()).settings(settings());
    let mut writer = builder.single_segment_index_writer::<Document>(target.clone(), memory)?;
    for document in documents.into_iter().rev() {
        writer.add_document(document)?;
    }
    writer.finalize()?;
    target.write_meta()?;
    shared.finish()?;
    Ok(Entry { file, from, to: from + count, time })
}

/// Merges neighbours, oldest first, into one part.
pub(crate) fn merge(io: &dyn Io, dir: &Path, parts: &[Arc<Part>]) -> Result<Entry, Error> {
    let (Some(oldest), Some(newest)) = (parts.first(), parts.last()) else {
        return Err(Error::Damaged("nothing to merge".into()));
    };
    let (from, to) = (oldest.entry.from, newest.entry.to);
    let sources: Vec<_> = parts.iter().rev().map(|part| (&**part, None)).collect();
    write_merged(io, dir, (from, to), &sources, settings())
}

/// A part as it was, but with the documents of `fresh` in place of those at its positions. `fresh` was built with the
/// first position of `old`, and may have gaps.
pub(crate) fn replace(
    io: &dyn Io,
    dir: &Path,
    old: &Part,
    fresh: &Part,
    positions: &[u64],
) -> Result<Entry, Error> {
    let gone: HashSet<u64> = positions.iter().copied().collect();
    let order = tantivy::IndexSortByField { field: POSITION.to_owned(), order: Order::Desc };
    let settings = IndexSettings { sort_by_field: Some(order), ..settings() };
    write_merged(io, dir, (old.entry.from, old.entry.to), &[(old, Some(&gone)), (fresh, None)], settings)
}

/// Merges parts without some positions, in the order given or in that of the settings, and verifies the order.
fn write_merged(
    io: &dyn Io,
    dir: &Path,
    (from, to): (u64, u64),
    sources: &[(&Part, Option<&HashSet<u64>>)],
    settings: IndexSettings,
) -> Result<Entry, Error> {
    let time = sources.iter().fold((i64::MAX, i64::MIN), |(min, max), (part, _)| {
        (min.min(part.entry.time.0), max.max(part.entry.time.1))
    });
    // What a merge reads once shall not drive out what questions read often.
    let cache = Arc::new(Cache::new(MERGE_CACHE));
    let open = |part: &Part| Reader::open(io, dir, &part.entry.file, cache.clone()).map(Arc::new);
    let readers = sources.iter().map(|(part, _)| open(part)).collect::<io::Result<Vec<_>>>();
    let readers = readers.map_err(|e| from_io(&e))?;

    let file = FileKey::random(io);
    let shared = Shared::new(Writer::create(io, dir, &file)?);
    let leave_out: Vec<_> = sources
        .iter()
        .map(|(part, gone)| {
            move |at: u32| gone.is_some_and(|g| g.contains(&(part.entry.from + u64::from(at))))
        })
        .collect();
    let runs: Vec<ids::Source<'_>> = (sources.iter().zip(&readers).zip(&leave_out))
        .map(|(((part, _), reader), leave_out)| ids::Source {
            ids: &part.ids,
            reader,
            add: (part.entry.from - from) as u32,
            leave_out,
        })
        .collect();
    ids::merge(&shared, &runs).map_err(|e| from_io(&e))?;

    let segments = readers.iter().map(segment).collect::<Result<Vec<_>, _>>()?;
    let alive = sources.iter().map(|(part, gone)| gone.map(|gone| alive(part, gone))).collect();
    let target = Target::new(shared.clone());
    merge_filtered_segments(&segments, settings, alive, target.clone())?;
    target.write_meta()?;
    shared.finish()?;
    let merged = Part::open(io, dir, Entry { file, from, to, time }, cache)?;
    merged.verify()?;
    Ok(merged.entry)
}

fn alive(part: &Part, gone: &HashSet<u64>) -> AliveBitSet {
    let mut alive = BitSet::with_max_value_and_full(part.len());
    for position in gone {
        if (part.entry.from..part.entry.to).contains(position) {
            alive.remove((part.entry.to - 1 - position) as u32);
        }
    }
    let mut bytes = Vec::new();
    write_alive_bitset(&alive, &mut bytes).expect("a vector takes everything");
    AliveBitSet::open(OwnedBytes::new(bytes))
}
