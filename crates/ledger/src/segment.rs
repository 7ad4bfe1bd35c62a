//! Sealed segments: a full journal, rewritten once into compressed blocks, and immutable after that.
//!
//! A block lays its rows out by column and its bodies by path ([`crate::columns`]) before zstd sees
//! them, which is what makes an event a quarter of its size; then it is encrypted.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use proof::{Hash, Mac};

use crate::columns;
use crate::crypt::{Salts, Sealer, Secret, TAG, WRAPPED};
use crate::error::Error;
use crate::io::{File, Io, Open, read_full};
use crate::keys::{Places, Reader, crc_around, newer};
use crate::record::{Batch, Fingerprint, Part, Row, Span};

const MAGIC: &[u8; 8] = b"IDLSEGM1";
const BLOCK_MAGIC: u32 = u32::from_le_bytes(*b"IDBL");
const INDEX_MAGIC: &[u8; 8] = b"IDLINDX1";
const HEADER: usize = 12 + 16 + 8 + 8 + 1 + 2 * WRAPPED;
const BLOCK_HEADER: usize = 52;
const TRAILER: usize = 8 + 4 + 4 + 8;
/// Uncompressed bytes of a block; more compresses better, less reads one event faster.
const BLOCK_TARGET: usize = 128 << 10;
/// Refused before allocating: no block of ours decodes to more.
const BLOCK_LIMIT: usize = 64 << 20;
const LAYOUT: u8 = 1;
/// Bytes of an id that hold time, version and counter; the rest is random.
const ID_COUNTED: usize = 10;

/// A sealed segment, open for reading.
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    pub(crate) first: u64,
    pub(crate) count: u64,
    /// Bytes on disk.
    pub(crate) size: u64,
    blocks: Vec<BlockAt>,
    file: Box<dyn File>,
    sealer: Sealer,
    /// Gone once a section of the segment was erased.
    salts: Option<Salts>,
}

#[derive(Clone, Copy, Debug)]
struct BlockAt {
    first: u64,
    count: u32,
    offset: u64,
    len: u32,
    first_id: [u8; 16],
}

pub(crate) fn name(first: u64) -> String {
    format!("segment-{first:020}")
}

impl Segment {
    /// Writes rows as a segment, durable and in place when this returns. An older segment of the
    /// same name is replaced, and its keys are overwritten.
    ///
    /// `salt_key`: derives the salts; `None` writes every salt out, for a segment from which
    /// something was erased.
    pub(crate) fn write(
        io: &dyn Io,
        dir: &Path,
        keys: &Places,
        (first, count): (u64, u64),
        salt_key: Option<&Secret>,
        batches: impl Iterator<Item = Result<Batch, Error>>,
    ) -> Result<(), Error> {
        let path = dir.join(name(first));
        let fresh = dir.join(format!("{}.new", name(first)));
        let failed = |e: std::io::Error| Error::io("write", &fresh, &e);
        let data_key = Secret::random(io);
        let sealer = Sealer::new(&data_key);
        let mut header = Vec::with_capacity(HEADER);
        header.extend(MAGIC);
        header.extend([0; 4]);
        header.extend(keys.ledger);
        header.extend(first.to_le_bytes());
        header.extend(count.to_le_bytes());
        header.push(u8::from(salt_key.is_some()));
        header.extend(keys.wrap(io, &data_key, "segment data", first));
        match salt_key {
            Some(key) => header.extend(keys.wrap(io, key, "salts", first)),
            None => header.extend([0; WRAPPED]),
        }
        let crc = crc_around(&header);
        header[8..12].copy_from_slice(&crc.to_le_bytes());

        let old = io.open(&path, Open::Write).ok();
        let file = io.open(&fresh, Open::Create).map_err(failed)?;
        file.write_at(&header, 0).map_err(failed)?;
        let mut offset = header.len() as u64;
        let mut index: Vec<BlockAt> = Vec::new();
        let mut press = zstd::bulk::Compressor::new(1).map_err(failed)?;
        let mut flush = |pending: &mut Vec<Batch>, from: u64| -> Result<u64, Error> {
            let rows: usize = pending.iter().map(|b| b.rows.len()).sum();
            if rows == 0 {
                return Ok(from);
            }
            let streams = encode(pending, rows, salt_key.is_none());
            let (numbers, text) = (
                press.compress(&streams.numbers).map_err(failed)?,
                press.compress(&streams.text).map_err(failed)?,
            );
            let mut body = Vec::with_capacity(16 + numbers.len() + text.len() + streams.raw.len() + TAG);
            for len in [streams.numbers.len(), numbers.len(), streams.text.len(), text.len()] {
                body.extend((len as u32).to_le_bytes());
            }
            body.extend(numbers);
            body.extend(text);
            body.extend(streams.raw);
            let mut nonce = [0; 12];
            io.random(&mut nonce);
            let mut head = [0u8; BLOCK_HEADER];
            head[..4].copy_from_slice(&BLOCK_MAGIC.to_le_bytes());
            head[8..16].copy_from_slice(&from.to_le_bytes());
            head[16..20].copy_from_slice(&(rows as u32).to_le_bytes());
            head[20..24].copy_from_slice(&((body.len() + TAG) as u32).to_le_bytes());
            head[24..36].copy_from_slice(&nonce);
            let first_id = pending.iter().find_map(|b| b.rows.first()).expect("rows > 0").id;
            head[36..52].copy_from_slice(&first_id);
            sealer.seal(nonce, &head[8..], &mut body);
            let crc = crc32c::crc32c_append(crc32c::crc32c(&head[8..]), &body);
            head[4..8].copy_from_slice(&crc.to_le_bytes());
            let mut block = head.to_vec();
            block.extend(&body);
            file.write_at(&block, offset).map_err(failed)?;
            index.push(BlockAt { first: from, count: rows as u32, offset, len: body.len() as u32, first_id });
            offset += block.len() as u64;
            pending.clear();
            Ok(from + rows as u64)
        };
        let (mut pending, mut bytes, mut from) = (Vec::new(), 0, first);
        for batch in batches {
            for piece in cut(batch?) {
                bytes += piece.bytes.len();
                pending.push(piece);
                if bytes >= BLOCK_TARGET {
                    from = flush(&mut pending, from)?;
                    bytes = 0;
                }
            }
        }
        from = flush(&mut pending, from)?;
        if from != first + count {
            return Err(Error::Incomplete(format!(
                "positions {from} to {} are missing while sealing",
                first + count
            )));
        }
        let mut tail = INDEX_MAGIC.to_vec();
        tail.extend([0; 4]);
        tail.extend((index.len() as u32).to_le_bytes());
        for block in &index {
            tail.extend(block.first.to_le_bytes());
            tail.extend(block.count.to_le_bytes());
            tail.extend(block.offset.to_le_bytes());
            tail.extend(block.len.to_le_bytes());
            tail.extend(block.first_id);
        }
        let crc = crc_around(&tail);
        tail[8..12].copy_from_slice(&crc.to_le_bytes());
        let len = tail.len() as u32;
        tail.extend(offset.to_le_bytes());
        tail.extend(len.to_le_bytes());
        let crc = crc32c::crc32c(&tail[len as usize..]);
        tail.extend(crc.to_le_bytes());
        tail.extend(b"IDLSGEND");
        file.write_at(&tail, offset).map_err(failed)?;
        file.sync().map_err(failed)?;
        io.rename(&fresh, &path).map_err(failed)?;
        io.sync_dir(dir).map_err(failed)?;
        if let Some(old) = old {
            // What was erased must not be readable from the blocks that the file system freed.
            old.write_at(&[0; HEADER], 0).and_then(|()| old.sync()).map_err(failed)?;
        }
        Ok(())
    }

    /// Opens a segment: header and block index.
    pub(crate) fn open(io: &dyn Io, path: &Path, keys: &Places) -> Result<Segment, Error> {
        let file = io.open(path, Open::Read).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => Error::NotFound(format!("{} is not there", path.display())),
            _ => Error::io("open", path, &e),
        })?;
        let failed = |e: std::io::Error| Error::io("read", path, &e);
        let damaged = |why: &str| Error::Damaged(format!("{}: {why}", path.display()));
        let forged = |why: &str| Error::Tampered(format!("{}: {why}", path.display()));
        let mut header = vec![0; HEADER];
        let got = read_full(&*file, &mut header, 0).map_err(failed)?;
        if got < HEADER || crc_around(&header) != u32::from_le_bytes(header[8..12].try_into().expect("4")) {
            return Err(damaged("header does not match its checksum"));
        }
        if header[..8] != *MAGIC {
            return Err(match newer(&header[..8], MAGIC) {
                true => Error::NewerFormat(format!("{} was written by a newer release", path.display())),
                false => damaged("not a segment"),
            });
        }
        let short = || damaged("header is short");
        let mut at = Reader(&header[12..]);
        let ledger: [u8; 16] = at.array().ok_or_else(short)?;
        let first = at.u64().ok_or_else(short)?;
        let count = at.u64().ok_or_else(short)?;
        let has_salts = at.u8().ok_or_else(short)? == 1;
        if ledger != keys.ledger {
            return Err(forged("belongs to another ledger"));
        }
        if path.file_name().and_then(|n| n.to_str()) != Some(&name(first)) {
            return Err(forged("was renamed"));
        }
        let data_key = keys
            .unwrap(at.take(WRAPPED).ok_or_else(short)?, "segment data", first)
            .ok_or_else(|| forged("its data key was changed"))?;
        let wrapped = at.take(WRAPPED).ok_or_else(short)?;
        let salt_key = match has_salts {
            true => {
                Some(keys.unwrap(wrapped, "salts", first).ok_or_else(|| forged("its salt key was changed"))?)
            }
            false => None,
        };

        let size = file.len().map_err(failed)?;
        let mut trailer = [0; TRAILER];
        let at_trailer = size.checked_sub(TRAILER as u64).ok_or_else(short)?;
        read_full(&*file, &mut trailer, at_trailer).map_err(failed)?;
        let index_at = u64::from_le_bytes(trailer[..8].try_into().expect("8"));
        let index_len = u32::from_le_bytes(trailer[8..12].try_into().expect("4"));
        let whole = crc32c::crc32c(&trailer[..12]).to_le_bytes() == trailer[12..16]
            && trailer[16..] == *b"IDLSGEND"
            && index_at.checked_add(u64::from(index_len)) == Some(at_trailer);
        if !whole {
            return Err(damaged("its end was cut or changed"));
        }
        let mut index = vec![0; index_len as usize];
        read_full(&*file, &mut index, index_at).map_err(failed)?;
        let blocks = parse_index(&index).ok_or_else(|| damaged("its index does not match its checksum"))?;
        let mut next = (first, HEADER as u64);
        for block in &blocks {
            if (block.first, block.offset) != next {
                return Err(forged("a block was taken out of its index"));
            }
            next = (
                block.first + u64::from(block.count),
                block.offset + BLOCK_HEADER as u64 + u64::from(block.len),
            );
        }
        if next != (first + count, index_at) {
            return Err(forged("a block was taken off its end"));
        }
        Ok(Segment {
            path: path.to_owned(),
            first,
            count,
            size,
            blocks,
            file,
            sealer: Sealer::new(&data_key),
            salts: salt_key.as_ref().map(Salts::new),
        })
    }

    pub(crate) fn end(&self) -> u64 {
        self.first + self.count
    }

    pub(crate) fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// Number of the block that holds `position`.
    pub(crate) fn block_of(&self, position: u64) -> Option<usize> {
        let at = self.blocks.partition_point(|b| b.first <= position).checked_sub(1)?;
        (position < self.blocks[at].first + u64::from(self.blocks[at].count)).then_some(at)
    }

    /// Number of the only block that can hold `id`: ids rise with the position.
    pub(crate) fn block_of_id(&self, id: &[u8; 16]) -> Option<usize> {
        self.blocks.partition_point(|b| b.first_id <= *id).checked_sub(1)
    }

    pub(crate) fn first_id(&self) -> Option<[u8; 16]> {
        self.blocks.first().map(|b| b.first_id)
    }

    /// Reads, checks and decodes a block.
    pub(crate) fn read(&self, number: usize) -> Result<Batch, Error> {
        let at = &self.blocks[number];
        let damaged = || {
            Error::Damaged(format!(
                "{}: the block at byte {} does not match its checksum",
                self.path.display(),
                at.offset
            ))
        };
        let forged = || {
            Error::Tampered(format!(
                "{}: the block at byte {} has a good checksum and was changed all the same",
                self.path.display(),
                at.offset
            ))
        };
        let mut bytes = vec![0; BLOCK_HEADER + at.len as usize];
        let got = read_full(&*self.file, &mut bytes, at.offset);
        let got = got.map_err(|e| Error::io("read", &self.path, &e))?;
        let crc = u32::from_le_bytes(bytes[4..8].try_into().expect("4"));
        if got < bytes.len() || bytes[..4] != BLOCK_MAGIC.to_le_bytes() || crc32c::crc32c(&bytes[8..]) != crc
        {
            return Err(damaged());
        }
        let (head, body) = bytes.split_at_mut(BLOCK_HEADER);
        let mut fields = Reader(&head[8..]);
        let expected =
            (fields.u64(), fields.u32(), fields.u32()) == (Some(at.first), Some(at.count), Some(at.len));
        if !expected {
            return Err(forged());
        }
        let nonce = head[24..36].try_into().expect("12");
        let body = self.sealer.open(nonce, &head[8..], body).ok_or_else(forged)?;
        unpack(body)
            .and_then(|(numbers, text, raw)| {
                decode([&numbers, &text, raw], at.first, at.count as usize, self.salts.as_ref())
            })
            .ok_or_else(forged)
    }
}

/// The three streams of a block's body.
fn unpack(body: &[u8]) -> Option<(Vec<u8>, Vec<u8>, &[u8])> {
    let mut at = Reader(body);
    let lens = [at.u32()?, at.u32()?, at.u32()?, at.u32()?].map(|len| len as usize);
    let mut press = zstd::bulk::Decompressor::new().ok()?;
    let mut inflate = |packed: usize, plain: usize| {
        let packed = at.take(packed).filter(|_| plain <= BLOCK_LIMIT)?;
        press.decompress(packed, plain).ok().filter(|p| p.len() == plain)
    };
    let numbers = inflate(lens[1], lens[0])?;
    let text = inflate(lens[3], lens[2])?;
    Some((numbers, text, at.0))
}

fn parse_index(bytes: &[u8]) -> Option<Vec<BlockAt>> {
    let crc = u32::from_le_bytes(bytes.get(8..12)?.try_into().ok()?);
    if bytes[..8] != *INDEX_MAGIC || crc_around(bytes) != crc {
        return None;
    }
    let mut at = Reader(&bytes[12..]);
    let count = at.u32()? as usize;
    let mut blocks = Vec::with_capacity(count.min(at.0.len() / 40));
    for _ in 0..count {
        blocks.push(BlockAt {
            first: at.u64()?,
            count: at.u32()?,
            offset: at.u64()?,
            len: at.u32()?,
            first_id: at.array()?,
        });
    }
    at.0.is_empty().then_some(blocks)
}

/// Cuts a batch that is much larger than a block.
fn cut(batch: Batch) -> Vec<Batch> {
    if batch.bytes.len() <= BLOCK_TARGET * 3 / 2 {
        return vec![batch];
    }
    let mut pieces = Vec::new();
    let mut piece = Batch { first: batch.first, ..Batch::default() };
    for (n, row) in batch.rows.iter().enumerate() {
        let mut copy = row.clone();
        let mut put = |span: &mut Span| {
            let start = piece.bytes.len() as u32;
            piece.bytes.extend_from_slice(batch.slice(*span));
            span.start = start;
        };
        put(&mut copy.kind);
        put(&mut copy.producer);
        put(&mut copy.body);
        for part in &mut copy.parts {
            if let Part::Present { body, .. } = part {
                put(body);
            }
        }
        piece.rows.push(copy);
        if piece.bytes.len() >= BLOCK_TARGET {
            let next = Batch { first: batch.first + n as u64 + 1, ..Batch::default() };
            pieces.push(std::mem::replace(&mut piece, next));
        }
    }
    pieces.push(piece);
    pieces
}

/// A block in three streams: counts and codes, words, and bytes that nothing can shrink. zstd keeps
/// one table of byte frequencies, and each of them spoils it for the others.
#[derive(Default)]
struct Streams {
    numbers: Vec<u8>,
    text: Vec<u8>,
    raw: Vec<u8>,
}

/// A block's plaintext: format.md, 2.5.
fn encode(batches: &[Batch], count: usize, explicit_salts: bool) -> Streams {
    let rows = || batches.iter().flat_map(|b| b.rows.iter().map(move |row| (b, row)));
    let mut names: Vec<&[u8]> = Vec::new();
    let mut known: HashMap<&[u8], u16> = HashMap::new();
    let (mut kinds, mut producers) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for (batch, row) in rows() {
        for (span, column) in [(row.kind, &mut kinds), (row.producer, &mut producers)] {
            let text = batch.slice(span);
            let number = *known.entry(text).or_insert_with(|| {
                names.push(text);
                (names.len() - 1) as u16
            });
            column.push(number);
        }
    }
    let mut streams = Streams::default();
    let Streams { numbers, text, raw } = &mut streams;
    numbers.push(LAYOUT);
    put_varint(numbers, names.len() as u64);
    for name in names {
        numbers.push(name.len() as u8);
        text.extend(name);
    }
    numbers.extend(rows().map(|(_, row)| {
        u8::from(row.control) | u8::from(row.mac.is_some()) << 1 | u8::from(row.fingerprint.is_some()) << 2
    }));
    // Byte by byte across rows: the time and version bytes of ids repeat and vanish.
    for byte in 0..ID_COUNTED {
        numbers.extend(rows().map(|(_, row)| row.id[byte]));
    }
    raw.extend(rows().flat_map(|(_, row)| row.id[ID_COUNTED..].iter().copied()));
    for column in [&kinds, &producers] {
        numbers.extend(column.iter().map(|n| *n as u8));
        numbers.extend(column.iter().map(|n| (*n >> 8) as u8));
    }
    numbers.extend(rows().map(|(_, row)| row.retention as u8));
    numbers.extend(rows().map(|(_, row)| (row.retention >> 8) as u8));
    numbers.extend(rows().map(|(_, row)| row.status));
    numbers.extend(rows().map(|(_, row)| row.severity));
    numbers.extend(rows().map(|(_, row)| row.sender_auth));
    for (_, row) in rows() {
        put_varint(numbers, zigzag(row.time_ns.wrapping_sub(received_ns(row))));
    }
    let mut previous = 0u64;
    for (_, row) in rows() {
        put_varint(numbers, zigzag(row.producer_seq.wrapping_sub(previous) as i64));
        previous = row.producer_seq;
    }
    for mac in rows().filter_map(|(_, row)| row.mac) {
        raw.extend(mac.key_id);
        raw.extend(mac.tag);
    }
    for fingerprint in rows().filter_map(|(_, row)| row.fingerprint) {
        raw.extend(fingerprint.key);
        raw.extend(fingerprint.digest);
    }
    for (batch, row) in rows().filter(|(_, row)| row.control) {
        put_varint(numbers, u64::from(row.body.len));
        text.extend(batch.slice(row.body));
    }
    for slot in 0..4 {
        numbers.extend(rows().map(|(_, row)| match row.parts[slot] {
            Part::Absent => 0,
            Part::Present { .. } if !explicit_salts => 1,
            Part::Present { .. } => 2,
            Part::Erased { .. } => 3,
        }));
        let mut bodies = Vec::with_capacity(count);
        for (batch, row) in rows() {
            match &row.parts[slot] {
                Part::Absent => {}
                Part::Present { salt, body } => {
                    if explicit_salts {
                        raw.extend(salt);
                    }
                    bodies.push(batch.slice(*body));
                }
                Part::Erased { commitment } => raw.extend(commitment.as_bytes()),
            }
        }
        let size: usize = bodies.iter().map(|b| b.len()).sum();
        let mut laid = Vec::with_capacity(size);
        let cuts = columns::encode(&bodies, &mut laid);
        let pieces = [&laid[..cuts.text], &laid[cuts.text..cuts.packed], &laid[cuts.packed..]];
        put_varint(numbers, size as u64);
        for piece in pieces {
            put_varint(numbers, piece.len() as u64);
        }
        numbers.extend(pieces[0]);
        text.extend(pieces[1]);
        raw.extend(pieces[2]);
    }
    streams
}

/// The way back. `None` if it is not a block of ours.
fn decode(streams: [&[u8]; 3], first: u64, count: usize, salts: Option<&Salts>) -> Option<Batch> {
    let [mut at, mut text, mut raw] = streams.map(Reader);
    if at.u8()? != LAYOUT || count > at.0.len() / 20 {
        return None;
    }
    let mut bytes = Vec::with_capacity(BLOCK_TARGET * 5 / 4);
    let put = |bytes: &mut Vec<u8>, text: &[u8]| {
        let span = Span { start: bytes.len() as u32, len: text.len() as u32 };
        bytes.extend_from_slice(text);
        span
    };
    let mut names = Vec::new();
    for _ in 0..varint(&mut at)? {
        let len = at.u8()? as usize;
        names.push(put(&mut bytes, text.take(len)?));
    }
    let flags = at.take(count)?;
    let ids = at.take(ID_COUNTED * count)?;
    let random = raw.take((16 - ID_COUNTED) * count)?;
    let mut numbers = || -> Option<Vec<Span>> {
        let (low, high) = (at.take(count)?, at.take(count)?);
        low.iter()
            .zip(high)
            .map(|(l, h)| names.get(usize::from(*l) | usize::from(*h) << 8).copied())
            .collect()
    };
    let (kinds, producers) = (numbers()?, numbers()?);
    let (retention_low, retention_high) = (at.take(count)?, at.take(count)?);
    let (statuses, severities, auths) = (at.take(count)?, at.take(count)?, at.take(count)?);
    let mut rows: Vec<Row> = (0..count)
        .map(|n| Row {
            control: flags[n] & 1 != 0,
            id: std::array::from_fn(|byte| match byte.checked_sub(ID_COUNTED) {
                None => ids[byte * count + n],
                Some(byte) => random[n * (16 - ID_COUNTED) + byte],
            }),
            time_ns: 0,
            retention: u16::from(retention_low[n]) | u16::from(retention_high[n]) << 8,
            status: statuses[n],
            severity: severities[n],
            sender_auth: auths[n],
            kind: kinds[n],
            producer: producers[n],
            producer_seq: 0,
            parts: [Part::Absent; 4],
            body: Span::default(),
            mac: None,
            fingerprint: None,
        })
        .collect();
    for row in &mut rows {
        row.time_ns = received_ns(row).wrapping_add(unzigzag(varint(&mut at)?));
    }
    let mut previous = 0u64;
    for row in &mut rows {
        previous = previous.wrapping_add(unzigzag(varint(&mut at)?) as u64);
        row.producer_seq = previous;
    }
    for (row, _) in rows.iter_mut().zip(flags).filter(|(_, f)| **f & 2 != 0) {
        row.mac = Some(Mac { key_id: raw.array()?, tag: raw.array()? });
    }
    for (row, _) in rows.iter_mut().zip(flags).filter(|(_, f)| **f & 4 != 0) {
        row.fingerprint = Some(Fingerprint { key: raw.array()?, digest: raw.array()? });
    }
    for row in rows.iter_mut().filter(|row| row.control) {
        let len = varint(&mut at)? as usize;
        row.body = put(&mut bytes, text.take(len)?);
    }
    let salts = salts.map(|salts| salts.of(first, count));
    let mut laid = Vec::new();
    for slot in 0..4 {
        let states = at.take(count)?;
        for (n, state) in states.iter().enumerate() {
            rows[n].parts[slot] = match state {
                0 => Part::Absent,
                1 => Part::Present { salt: salts.as_ref()?[n][slot], body: Span::default() },
                2 => Part::Present { salt: raw.array()?, body: Span::default() },
                3 => Part::Erased { commitment: Hash(raw.array()?) },
                _ => return None,
            };
        }
        let present = states.iter().filter(|s| matches!(s, 1 | 2)).count();
        let size = usize::try_from(varint(&mut at)?).ok().filter(|size| *size <= BLOCK_LIMIT)?;
        let lens = [varint(&mut at)?, varint(&mut at)?, varint(&mut at)?];
        laid.clear();
        for (stream, len) in [&mut at, &mut text, &mut raw].into_iter().zip(lens) {
            laid.extend_from_slice(stream.take(usize::try_from(len).ok()?)?);
        }
        let bodies = columns::decode(&laid, present, size).ok()?;
        let parts = rows.iter_mut().filter_map(|row| match &mut row.parts[slot] {
            Part::Present { body, .. } => Some(body),
            _ => None,
        });
        for (span, body) in parts.zip(bodies.iter()) {
            *span = put(&mut bytes, body);
        }
    }
    let whole = at.0.is_empty() && text.0.is_empty() && raw.0.is_empty();
    whole.then_some(Batch { first, rows, bytes })
}

fn received_ns(row: &Row) -> i64 {
    (row.received_ms() as i64).wrapping_mul(1_000_000)
}

fn zigzag(n: i64) -> u64 {
    (n << 1 ^ n >> 63) as u64
}

fn unzigzag(n: u64) -> i64 {
    (n >> 1) as i64 ^ -((n & 1) as i64)
}

fn put_varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn varint(at: &mut Reader<'_>) -> Option<u64> {
    let mut n = 0;
    for shift in (0..64).step_by(7) {
        let byte = at.u8()?;
        n |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(n);
        }
    }
    None
}
