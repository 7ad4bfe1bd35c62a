//! A part: all documents of consecutive positions, in one file that never changes.
//!
//! Documents lie in descending order of position, without a gap, so that a document's number tells its position and
//! "newest first" is the order in which lists are read. A part is written from a batch, or merged from neighbours.
//! Its streams: a dictionary of `terms` with their `lists`, the run of `ids`, and for each column of numbers its values,
//! for each one of texts a dictionary and the numbers in it.

use std::collections::HashSet;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use ledger::io::Io;

use crate::batch::Batch;
use crate::cache::Cache;
use crate::column::{Column, ColumnWriter};
use crate::dictionary::{Dictionary, DictionaryWriter, Listed, Walk};
use crate::error::Error;
use crate::file::{FileKey, Reader, Shared, StreamWriter, Writer};
use crate::ids::{self, Ids};
use crate::manifest::Entry;
use crate::postings::{self, Postings};
use crate::schema::{FACETS, NUMBER_COLUMNS};
use crate::window::Window;

/// What a merge keeps in memory of what it reads: it goes through each stream once.
const MERGE_CACHE: usize = 8 << 20;
const TERMS: &str = "terms";
const LISTS: &str = "lists";

fn numbers_of(column: usize) -> String {
    format!("number.{column}")
}

fn texts_of(column: usize) -> String {
    format!("text.{column}")
}

fn text_numbers_of(column: usize) -> String {
    format!("text.{column}.number")
}

/// A part, open.
pub(crate) struct Part {
    pub(crate) entry: Entry,
    pub(crate) reader: Arc<Reader>,
    pub(crate) terms: Dictionary<Listed>,
    lists: u32,
    pub(crate) ids: Ids,
}

/// A column of texts, open: which text a document has, and the texts.
pub(crate) struct Texts {
    pub(crate) numbers: Column,
    pub(crate) dictionary: Dictionary<()>,
}

impl Part {
    pub(crate) fn open(io: &dyn Io, dir: &Path, entry: Entry, cache: Arc<Cache>) -> Result<Part, Error> {
        let reader = Reader::open(io, dir, &entry.file, cache)?;
        let ids = Ids::open(&reader)?;
        let terms = Dictionary::open(&reader, TERMS)?;
        let (lists, _) = reader.stream(LISTS).ok_or_else(|| Error::Damaged("a part has no lists".into()))?;
        u32::try_from(entry.to - entry.from).map_err(|_| Error::Damaged("a part is too large".into()))?;
        Ok(Part { entry, reader: Arc::new(reader), terms, lists, ids })
    }

    /// Number of documents.
    pub(crate) fn len(&self) -> u32 {
        (self.entry.to - self.entry.from) as u32
    }

    /// The position of a document.
    pub(crate) fn position(&self, document: u32) -> u64 {
        self.entry.to - 1 - u64::from(document)
    }

    /// The documents of a term.
    pub(crate) fn postings(&self, listed: Listed) -> io::Result<Postings> {
        self.read_postings(&self.reader, listed)
    }

    fn read_postings(&self, reader: &Reader, listed: Listed) -> io::Result<Postings> {
        Ok(match listed {
            Listed::One(document) => Postings::single(document, self.len()),
            Listed::Many { count, at, len } => {
                let list = reader.read(self.lists, at as usize..at as usize + len as usize)?;
                Postings::new(list, count, self.len())
            }
        })
    }

    /// A column of [`NUMBER_COLUMNS`].
    pub(crate) fn numbers(&self, column: usize) -> io::Result<Column> {
        Column::open(&self.reader, &numbers_of(column), self.len())
    }

    /// A column of [`FACETS`].
    pub(crate) fn texts(&self, column: usize) -> io::Result<Texts> {
        Ok(Texts { numbers: self.text_numbers(column)?, dictionary: self.dictionary(column)? })
    }

    /// The texts of a column of [`FACETS`].
    pub(crate) fn dictionary(&self, column: usize) -> io::Result<Dictionary<()>> {
        Dictionary::open(&self.reader, &texts_of(column))
    }

    /// Which of its texts a document has.
    fn text_numbers(&self, column: usize) -> io::Result<Column> {
        Column::open(&self.reader, &text_numbers_of(column), self.len())
    }

    /// How many documents have each of `texts` texts of a column of [`FACETS`]. They are counted once and kept as long
    /// as the cache has room; then nothing of the column is read.
    pub(crate) fn counts(&self, column: usize, texts: usize) -> io::Result<Vec<u32>> {
        let stream = self.reader.stream(&text_numbers_of(column)).map(|(stream, _)| stream);
        if let Some(kept) = stream.and_then(|stream| self.reader.kept(stream)) {
            return Ok(kept.as_chunks::<4>().0.iter().map(|count| u32::from_le_bytes(*count)).collect());
        }
        let (mut numbers, mut counts) = (self.text_numbers(column)?, vec![0u32; texts]);
        for (block, documents) in Window::full(0, self.len()).blocks() {
            numbers.each(block, &documents, |_, text| counts[text as usize] += 1);
        }
        if let Some(stream) = stream {
            let bytes: Vec<u8> = counts.iter().flat_map(|count| count.to_le_bytes()).collect();
            self.reader.keep(stream, Bytes::from(bytes));
        }
        Ok(counts)
    }
}

/// Writes terms in order, with their lists.
struct TermsWriter {
    terms: DictionaryWriter,
    lists: StreamWriter,
    at: u64,
    list: Vec<u8>,
}

impl TermsWriter {
    fn new(to: &Shared) -> TermsWriter {
        let (terms, lists) = (DictionaryWriter::new(to, TERMS), to.stream(LISTS));
        TermsWriter { terms, lists, at: 0, list: Vec::new() }
    }

    fn push(&mut self, term: &[u8], documents: &[u32]) -> io::Result<()> {
        match documents {
            [] => Ok(()),
            [one] => self.terms.push(term, Listed::One(*one)),
            many => {
                self.list.clear();
                postings::encode(many, &mut self.list);
                self.lists.write_all(&self.list)?;
                let len = self.list.len() as u32;
                let at = self.at;
                self.at += u64::from(len);
                self.terms.push(term, Listed::Many { count: many.len() as u32, at, len })
            }
        }
    }

    fn end(mut self) -> io::Result<()> {
        self.terms.end()?;
        self.lists.end()
    }
}

/// Writes a part from events at positions from `from` to before `to`, usually all of them.
pub(crate) fn build(
    io: &dyn Io,
    dir: &Path,
    (from, to): (u64, u64),
    mut batch: Batch,
) -> Result<Entry, Error> {
    let documents = (to - from) as u32;
    let document = |at: u32| documents - 1 - at;
    let time = batch.times().fold((i64::MAX, i64::MIN), |(min, max), t| (min.min(t), max.max(t)));
    let file = FileKey::random(io);
    let shared = Shared::new(Writer::create(io, dir, &file)?);
    ids::write(&shared, std::mem::take(&mut batch.ids))?;

    let lists = batch.lists();
    let mut terms = TermsWriter::new(&shared);
    let mut list = Vec::new();
    for (term, events) in lists.terms {
        list.clear();
        list.extend(lists.events[events].iter().rev().map(|at| document(*at)));
        terms.push(&term, &list)?;
    }
    terms.end()?;

    for (column, values) in batch.numbers.iter().enumerate() {
        write_column(
            &shared,
            &numbers_of(column),
            documents,
            values.iter().rev().map(|(at, n)| (document(*at), *n)),
        )?;
    }
    for (column, texts) in batch.facets.into_iter().enumerate() {
        let mut sorted: Vec<_> = texts.texts.into_iter().collect();
        sorted.sort_unstable();
        let mut dictionary = DictionaryWriter::new(&shared, &texts_of(column));
        let mut places = vec![0; sorted.len()];
        for (place, (text, number)) in sorted.iter().enumerate() {
            dictionary.push(text.as_bytes(), ())?;
            places[*number as usize] = place as i64;
        }
        dictionary.end()?;
        let values = texts.values.iter().rev().map(|(at, number)| (document(*at), places[*number as usize]));
        write_column(&shared, &text_numbers_of(column), documents, values)?;
    }
    shared.finish()?;
    Ok(Entry { file, from, to, time })
}

fn write_column(
    to: &Shared,
    name: &str,
    documents: u32,
    values: impl Iterator<Item = (u32, i64)>,
) -> io::Result<()> {
    let mut column = ColumnWriter::new(to, name);
    let mut next = 0;
    for (document, value) in values {
        column.skip((document - next) as usize)?;
        column.push(Some(value))?;
        next = document + 1;
    }
    column.skip((documents - next) as usize)?;
    column.end()
}

/// Merges neighbours, oldest first, into one part.
pub(crate) fn merge(io: &dyn Io, dir: &Path, parts: &[Arc<Part>]) -> Result<Entry, Error> {
    let (Some(oldest), Some(newest)) = (parts.first(), parts.last()) else {
        return Err(Error::Damaged("nothing to merge".into()));
    };
    let none = HashSet::new();
    let sources: Vec<_> = parts.iter().rev().map(|part| (&**part, &none)).collect();
    write_merged(io, dir, (oldest.entry.from, newest.entry.to), &sources)
}

/// A part as it was, but with the documents of `fresh` in place of those at some positions, given relative to the first.
/// `fresh` is of the same positions, and has nothing but those.
pub(crate) fn replace(
    io: &dyn Io,
    dir: &Path,
    old: &Part,
    fresh: &Part,
    positions: &HashSet<u32>,
) -> Result<Entry, Error> {
    let others = (0..old.len()).filter(|at| !positions.contains(at)).collect();
    write_merged(io, dir, (old.entry.from, old.entry.to), &[(old, positions), (fresh, &others)])
}

/// A part that is read once, from the first document to the last.
struct Source<'a> {
    part: &'a Part,
    reader: Reader,
    /// What to add to its documents' numbers.
    add: u32,
    /// Documents that are not taken over.
    without: HashSet<u32>,
}

impl Source<'_> {
    fn takes(&self, document: u32) -> bool {
        self.without.is_empty() || !self.without.contains(&document)
    }
}

/// Merges parts, newest first, without some of their positions. They follow one another, or are of the same positions.
fn write_merged(
    io: &dyn Io,
    dir: &Path,
    (from, to): (u64, u64),
    parts: &[(&Part, &HashSet<u32>)],
) -> Result<Entry, Error> {
    let time = parts.iter().fold((i64::MAX, i64::MIN), |(min, max), (part, _)| {
        (min.min(part.entry.time.0), max.max(part.entry.time.1))
    });
    // What a merge reads once shall not drive out what questions read often.
    let cache = Arc::new(Cache::new(MERGE_CACHE));
    let mut sources = Vec::with_capacity(parts.len());
    for (part, without) in parts {
        let reader = Reader::open(io, dir, &part.entry.file, cache.clone())?;
        let without = without.iter().map(|at| part.len() - 1 - at).collect();
        sources.push(Source { part, reader, add: (to - part.entry.to) as u32, without });
    }
    let file = FileKey::random(io);
    let shared = Shared::new(Writer::create(io, dir, &file)?);

    let leave_out: Vec<_> = parts
        .iter()
        .map(|(_, without)| move |at: u32| !without.is_empty() && without.contains(&at))
        .collect();
    let runs: Vec<ids::Source<'_>> = (sources.iter().zip(&leave_out))
        .map(|(source, leave_out)| ids::Source {
            ids: &source.part.ids,
            reader: &source.reader,
            add: (source.part.entry.from - from) as u32,
            leave_out,
        })
        .collect();
    ids::merge(&shared, &runs)?;
    merge_terms(&shared, &sources)?;
    let documents = (to - from) as u32;
    for column in 0..NUMBER_COLUMNS.len() {
        let name = numbers_of(column);
        let columns = open_columns(&sources, &name)?;
        merge_columns(&shared, &name, documents, &sources, columns, |_, value| value)?;
    }
    for column in 0..FACETS.len() {
        merge_texts(&shared, column, documents, &sources)?;
    }
    shared.finish()?;
    Ok(Entry { file, from, to, time })
}

fn merge_terms(to: &Shared, sources: &[Source<'_>]) -> io::Result<()> {
    let walks = sources.iter().map(|s| s.part.terms.walk(&s.reader, b"")).collect::<io::Result<Vec<_>>>()?;
    let mut terms = TermsWriter::new(to);
    let mut documents = Vec::new();
    each_key(walks, |term, places| {
        documents.clear();
        for (source, _, listed) in places {
            let source = &sources[*source];
            source.part.read_postings(&source.reader, *listed)?.drain(|some| {
                let taken = some.iter().filter(|document| source.takes(**document));
                documents.extend(taken.map(|document| document + source.add));
            });
        }
        // Parts of the same positions mix.
        if !documents.is_sorted() {
            documents.sort_unstable();
        }
        terms.push(term, &documents)
    })?;
    terms.end()
}

/// Calls back with each key of some dictionaries, in order, and where it is: which dictionary, its number, what is beside.
fn each_key<B: crate::dictionary::Beside>(
    mut walks: Vec<Walk<'_, B>>,
    mut each: impl FnMut(&[u8], &[(usize, u64, B)]) -> io::Result<()>,
) -> io::Result<()> {
    let (mut key, mut places) = (Vec::new(), Vec::new());
    loop {
        let Some((first, ..)) = walks.iter().filter_map(Walk::current).min_by(|a, b| a.0.cmp(b.0)) else {
            return Ok(());
        };
        key.clear();
        key.extend_from_slice(first);
        places.clear();
        for (source, walk) in walks.iter_mut().enumerate() {
            if let Some((found, number, beside)) = walk.current()
                && *found == *key
            {
                places.push((source, number, beside));
                walk.advance()?;
            }
        }
        each(&key, &places)?;
    }
}

fn open_columns(sources: &[Source<'_>], name: &str) -> io::Result<Vec<Column>> {
    sources.iter().map(|source| Column::open(&source.reader, name, source.part.len())).collect()
}

/// Merges columns, with what becomes of a value of a source.
fn merge_columns(
    to: &Shared,
    name: &str,
    documents: u32,
    sources: &[Source<'_>],
    mut columns: Vec<Column>,
    value: impl Fn(usize, i64) -> i64,
) -> io::Result<()> {
    let mut merged = ColumnWriter::new(to, name);
    let mut current = 0;
    for document in 0..documents {
        // The source that has it: mostly that of the one before.
        let has = |source: &Source<'_>| {
            let within = document.wrapping_sub(source.add);
            within < source.part.len() && source.takes(within)
        };
        if !has(&sources[current]) {
            current = sources.iter().position(has).unwrap_or(current);
        }
        let source = &sources[current];
        let found = if has(source) { columns[current].value(document - source.add) } else { None };
        merged.push(found.map(|found| value(current, found)))?;
    }
    merged.end()
}

fn merge_texts(to: &Shared, column: usize, documents: u32, sources: &[Source<'_>]) -> io::Result<()> {
    let name = text_numbers_of(column);
    let mut columns = open_columns(sources, &name)?;
    let dictionaries = (sources.iter())
        .map(|source| Dictionary::<()>::open(&source.reader, &texts_of(column)))
        .collect::<io::Result<Vec<_>>>()?;
    // Texts that no document has any more are not taken over.
    let mut numbers: Vec<Vec<Option<i64>>> = dictionaries.iter().map(|d| vec![None; d.count()]).collect();
    for ((source, numbers), column) in sources.iter().zip(&mut numbers).zip(&mut columns) {
        if source.without.is_empty() {
            numbers.fill(Some(0));
            continue;
        }
        for document in (0..source.part.len()).filter(|document| source.takes(*document)) {
            if let Some(number) = column.value(document) {
                numbers[number as usize] = Some(0);
            }
        }
    }
    let walks = (sources.iter().zip(&dictionaries))
        .map(|(source, dictionary)| dictionary.walk(&source.reader, b""))
        .collect::<io::Result<Vec<_>>>()?;
    let mut dictionary = DictionaryWriter::new(to, &texts_of(column));
    let mut next = 0;
    each_key(walks, |text, places| {
        let mut is_used = false;
        for (source, number, ()) in places {
            if let Some(new) = &mut numbers[*source][*number as usize] {
                *new = next;
                is_used = true;
            }
        }
        if is_used {
            next += 1;
            dictionary.push(text, ())?;
        }
        Ok(())
    })?;
    dictionary.end()?;
    merge_columns(to, &name, documents, sources, columns, |source, number| {
        numbers[source][number as usize].unwrap_or(0)
    })
}
