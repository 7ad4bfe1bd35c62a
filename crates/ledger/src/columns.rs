//! Lays the bodies of a block out by column, so that compression sees like beside like.
//!
//! Row by row, zstd at level 1 pays a few bytes for each field of each event to say "as before", and more than
//! five bits for each hexadecimal digit. Here structure is stored once for a block, a value seen before costs one
//! byte, and identifiers become binary. Bytes an event on `bench::data` (744 of bodies, 80 of them identifiers that
//! nothing can shrink), with zstd-1, for blocks of 64, 128 and 256 KiB of bodies:
//!
//! | layout | 64 | 128 | 256 |
//! |---|---|---|---|
//! | row by row | 195 | 183 | 175 |
//! | this, compressed as one piece | 159 | 144 | 134 |
//! | this, `numbers` and `text` compressed each by itself, `packed` as it is | 141 | 128 | 121 |
//!
//! The pieces matter because zstd has one table of byte frequencies for up to 128 KiB: counts, words and random
//! bytes in one table spoil each other.
//!
//! # The format
//!
//! Any cutting of a body into literals and values gives the same body back, so the decoder knows nothing of JSON:
//! only `encode` does, to cut well. A body it can't cut is one literal. Integers are LEB128 varints of at most 5
//! bytes. Three streams follow each other, each compressible best by itself:
//!
//! ```text
//! varint  bytes of `numbers`
//! varint  bytes of `text`
//! numbers:
//!   varint  literals       then for each: varint length
//!   varint  nodes          then for each, numbered from 1: varint (own number - 1 - parent), varint literal,
//!                          varint column, from 1; 0 = the body ends after the literal. Parent 0 is the start.
//!   varint  columns        then for each: varint parts (0: its values are text), for each part varint length of
//!                          its fixed text, varint hex pairs; varint bytes of data; varint codes
//!   for each body: varint  its last node, as an index into the nodes with column 0
//!   for each column: its codes, a byte each
//! text:    the literals; then for each column the fixed text of its parts, or else its data
//! packed:  for each column with parts its data
//! ```
//!
//! A body is read along the nodes from the start to its last one: the node's literal, then the next value of the
//! node's column. That value is told by the column's next code: 0 takes a new value from the column's data, k > 0
//! repeats the column's k-th new value. Only the first 255 new values can be repeated. New values are, in text,
//! the bytes up to a newline (which JSON never contains raw); with parts, for each part its fixed text and then
//! the lower-case hexadecimal digits of as many bytes of data as it says.
//!
//! Values are numbered as they come, so columns that depend on each other (a user's id, name and address) have the
//! same codes, and compression finds the second to be a copy of the first.

use std::collections::HashMap;
use std::ops::Range;

/// The input isn't what [`encode`] writes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Where the second and the third stream begin in `out`: best compress `..text` and `text..packed` each by itself,
/// and the rest not at all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Streams {
    pub(crate) text: usize,
    pub(crate) packed: usize,
}

/// A column number that stands for the end of a body.
const END: u32 = 0;
/// New values of a column that a code can name.
const NAMED: usize = 255;
/// Children of a node that are tried before a new one is made: bounds the work on hostile bodies.
const TRIED: usize = 16;

/// Lays `bodies` out by column and appends them to `out`. [`decode`] gives back exactly the same bytes, whatever
/// they were. Expects less than 4 GiB.
pub(crate) fn encode(bodies: &[&[u8]], out: &mut Vec<u8>) -> Streams {
    let mut cutter = Cutter::new(bodies.len());
    let mut last_nodes = Vec::with_capacity(2 * bodies.len());
    for body in bodies {
        let last = cutter.cut(body);
        varint(cutter.nodes[last].ending, &mut last_nodes);
    }

    // More than most blocks need.
    let size = bodies.iter().map(|body| body.len()).sum::<usize>() / 2;
    let (mut numbers, mut text) = (Vec::with_capacity(size / 4), Vec::with_capacity(size));
    let mut packed = Vec::with_capacity(size / 4);
    varint(cutter.literals.len(), &mut numbers);
    for literal in &cutter.literals {
        varint(literal.len(), &mut numbers);
        text.extend_from_slice(literal);
    }
    varint(cutter.nodes.len() - 1, &mut numbers);
    for (before, node) in cutter.nodes[1..].iter().enumerate() {
        varint(before - node.parent as usize, &mut numbers);
        varint(node.literal_number, &mut numbers);
        varint(node.column as usize, &mut numbers);
    }
    varint(cutter.columns.len(), &mut numbers);
    let mut dictionary = Dictionary::default();
    let mut codes = Vec::with_capacity(cutter.values.len());
    for column in &cutter.columns {
        let (text_before, packed_before, codes_before) = (text.len(), packed.len(), codes.len());
        dictionary.clear();
        let mut at = column.first;
        while let Some(value) = cutter.values.get(at as usize) {
            let code = dictionary.code(value.bytes);
            codes.push(code);
            if code == 0 {
                text.extend_from_slice(value.bytes);
                text.push(b'\n');
            }
            at = value.next;
        }
        let parts = parts(&text[text_before..]);
        if !parts.is_empty() && pack(&text[text_before..], &parts, &mut packed) {
            varint(parts.len(), &mut numbers);
            let mut fixed = Vec::new();
            for part in &parts {
                varint(part.fixed.len(), &mut numbers);
                varint(part.pairs, &mut numbers);
                fixed.extend_from_slice(part.fixed);
            }
            varint(packed.len() - packed_before, &mut numbers);
            text.truncate(text_before);
            text.extend_from_slice(&fixed);
        } else {
            packed.truncate(packed_before);
            varint(0, &mut numbers);
            varint(text.len() - text_before, &mut numbers);
        }
        varint(codes.len() - codes_before, &mut numbers);
    }
    varint(numbers.len() + last_nodes.len() + codes.len(), out);
    varint(text.len(), out);
    out.extend_from_slice(&numbers);
    out.extend_from_slice(&last_nodes);
    out.extend_from_slice(&codes);
    let text_at = out.len();
    out.extend_from_slice(&text);
    let packed_at = out.len();
    out.extend_from_slice(&packed);
    Streams { text: text_at, packed: packed_at }
}

/// The bodies of a block, in order.
#[derive(Debug)]
pub(crate) struct Bodies {
    /// One after the other.
    bytes: Vec<u8>,
    /// Where each body ends.
    ends: Vec<usize>,
}

impl Bodies {
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        (0..self.ends.len()).map(|number| {
            let start = if number == 0 { 0 } else { self.ends[number - 1] };
            &self.bytes[start..self.ends[number]]
        })
    }
}

/// Undoes [`encode`] for `count` bodies of at most `limit` bytes together. Never panics; allocates less than
/// twice `limit` and a multiple of the input's length.
pub(crate) fn decode(input: &[u8], count: usize, limit: usize) -> Result<Bodies, Malformed> {
    let mut rest = Reader(input);
    let (numbers, text) = (rest.varint()?, rest.varint()?);
    let (mut numbers, mut text) = (Reader(rest.take(numbers)?), Reader(rest.take(text)?));
    let mut packed = rest;

    let mut literals = Vec::new();
    for _ in 0..numbers.varint()? {
        literals.push(text.take(numbers.varint()?)?);
    }
    // Parent, literal and column of each node.
    let mut nodes: Vec<(usize, &[u8], usize)> = vec![(0, &[], 0)];
    let mut last_nodes = Vec::new();
    for before in 0..numbers.varint()? {
        let parent = before.checked_sub(numbers.varint()?).ok_or(Malformed)?;
        let literal = literals.get(numbers.varint()?).ok_or(Malformed)?;
        let column = numbers.varint()?;
        if column == END as usize {
            last_nodes.push(nodes.len());
        }
        nodes.push((parent, literal, column));
    }
    let mut columns = Vec::new();
    for _ in 0..numbers.varint()? {
        let mut parts = Vec::new();
        for _ in 0..numbers.varint()? {
            parts.push(Part { fixed: text.take(numbers.varint()?)?, pairs: numbers.varint()? });
        }
        let from = if parts.is_empty() { &mut text } else { &mut packed };
        let data = Reader(from.take(numbers.varint()?)?);
        columns.push((Column { parts, data, codes: Reader(&[]), named: Vec::new() }, numbers.varint()?));
    }
    let mut bodies = Vec::new();
    for _ in 0..count {
        bodies.push(*last_nodes.get(numbers.varint()?).ok_or(Malformed)?);
    }
    for (column, codes) in &mut columns {
        column.codes = Reader(numbers.take(*codes)?);
    }

    let mut out = Output { bytes: Vec::with_capacity(limit.min(input.len().saturating_mul(8))), limit };
    let mut ends = Vec::with_capacity(bodies.len());
    let mut chain = Vec::new();
    for last in bodies {
        // A parent's number is smaller than its child's, so this ends. Each value takes a code from the input,
        // so a long chain can't be used often.
        let mut node = last;
        while node != 0 {
            chain.push(node);
            node = nodes[node].0;
        }
        for node in chain.drain(..).rev() {
            let (_, literal, column) = nodes[node];
            out.put(literal)?;
            if column != END as usize {
                columns.get_mut(column - 1).ok_or(Malformed)?.0.next(&mut out)?;
            }
        }
        ends.push(out.bytes.len());
    }
    let done = |reader: &Reader<'_>| reader.0.is_empty();
    let all_read = columns.iter().all(|(column, _)| done(&column.data) && done(&column.codes));
    if all_read && done(&numbers) && done(&text) && done(&packed) {
        Ok(Bodies { bytes: out.bytes, ends })
    } else {
        Err(Malformed)
    }
}

/// Cuts bodies into literals and values. The literals form a tree, so that a body like an earlier one is cut by
/// comparing it with what came then, not by reading JSON again.
struct Cutter<'a> {
    nodes: Vec<Node<'a>>,
    endings: usize,
    literals: Vec<&'a [u8]>,
    literal_numbers: HashMap<&'a [u8], usize>,
    /// Parent and column of each place in the documents; 0 is the whole document.
    places: Vec<(u32, u32)>,
    /// By parent and key: every element of an array is at the same place.
    place_numbers: HashMap<(u32, &'a [u8]), u32>,
    columns: Vec<Chain>,
    values: Vec<Value<'a>>,
}

#[derive(Default)]
struct Node<'a> {
    parent: u32,
    literal: &'a [u8],
    literal_number: usize,
    column: u32,
    place: u32,
    /// Number among the nodes at which a body ends, if this is one.
    ending: usize,
    /// The child used last, and the next of the parent's children; 0 = none.
    child: u32,
    sibling: u32,
}

/// The first and the last of a column's values.
struct Chain {
    first: u32,
    last: u32,
}

struct Value<'a> {
    bytes: &'a [u8],
    /// The next value of the same column.
    next: u32,
}

impl<'a> Cutter<'a> {
    fn new(bodies: usize) -> Cutter<'a> {
        Cutter {
            nodes: vec![Node::default()],
            endings: 0,
            literals: Vec::new(),
            literal_numbers: HashMap::new(),
            places: vec![(0, END)],
            place_numbers: HashMap::new(),
            columns: Vec::new(),
            values: Vec::with_capacity(16 * bodies),
        }
    }

    /// Notes the values of `body` and returns the node at which it ends.
    fn cut(&mut self, body: &'a [u8]) -> usize {
        let values_before = self.values.len();
        let (mut node, mut at) = (0, 0);
        loop {
            let known = self.known_child(node, &body[at..]);
            let Some(child) = known.or_else(|| self.read_child(node, body, at)) else { break };
            at += self.nodes[child].literal.len();
            let column = self.nodes[child].column;
            if column == END {
                self.link(values_before);
                return child;
            }
            let string = at > 0 && body[at - 1] == b'"';
            let end = if string { string_end(body, at) } else { Some(scalar_end(body, at)) };
            let Some(end) = end else { break };
            // The column for now: `link` puts it in its place once the whole body is understood.
            self.values.push(Value { bytes: &body[at..end], next: column });
            (node, at) = (child, end);
        }
        self.values.truncate(values_before);
        self.add_child(0, body, None)
    }

    fn link(&mut self, from: usize) {
        for number in from..self.values.len() {
            let column = &mut self.columns[self.values[number].next as usize - 1];
            self.values[number].next = u32::MAX;
            let last = std::mem::replace(&mut column.last, number as u32);
            match self.values.get_mut(last as usize) {
                Some(last) => last.next = number as u32,
                None => column.first = number as u32,
            }
        }
    }

    fn known_child(&mut self, node: usize, rest: &[u8]) -> Option<usize> {
        let (mut previous, mut child) = (0, self.nodes[node].child as usize);
        for _ in 0..TRIED {
            if child == 0 {
                break;
            }
            let Node { literal, column, sibling, .. } = self.nodes[child];
            let fits = rest.starts_with(literal)
                && match column {
                    END => rest.len() == literal.len(),
                    _ => literal.ends_with(b"\"") || rest.get(literal.len()).is_some_and(starts_scalar),
                };
            if fits {
                if previous != 0 {
                    self.nodes[previous].sibling = sibling;
                    self.nodes[child].sibling = self.nodes[node].child;
                    self.nodes[node].child = child as u32;
                }
                return Some(child);
            }
            (previous, child) = (child, sibling as usize);
        }
        None
    }

    /// Reads JSON from the end of a value at `node` (or from the start) up to the next value.
    fn read_child(&mut self, node: usize, body: &'a [u8], from: usize) -> Option<usize> {
        let mut place = self.nodes[node].place;
        let mut container = self.places[place as usize].0;
        // The quote that closes the value before.
        let closing = node != 0 && body.get(from) == Some(&b'"');
        let mut at = from + usize::from(closing);
        while let Some(byte) = body.get(at) {
            match byte {
                b'{' | b'[' => {
                    container = place;
                    if *byte == b'[' {
                        place = self.place(container, b"[");
                    }
                }
                b'}' | b']' => {
                    place = container;
                    container = self.places[place as usize].0;
                }
                b',' | b':' => {}
                b'"' => {
                    let end = string_end(body, at + 1)?;
                    if body.get(end + 1) != Some(&b':') {
                        return Some(self.add_child(node, &body[from..=at], Some(place)));
                    }
                    place = self.place(container, &body[at + 1..end]);
                    at = end + 1;
                }
                _ if starts_scalar(byte) => return Some(self.add_child(node, &body[from..at], Some(place))),
                _ => return None,
            }
            at += 1;
        }
        Some(self.add_child(node, &body[from..], None))
    }

    fn place(&mut self, parent: u32, key: &'a [u8]) -> u32 {
        *self.place_numbers.entry((parent, key)).or_insert_with(|| {
            self.places.push((parent, END));
            self.places.len() as u32 - 1
        })
    }

    /// Adds a child with a value at `place`, or one at which the body ends.
    fn add_child(&mut self, node: usize, literal: &'a [u8], place: Option<u32>) -> usize {
        let literal_number = *self.literal_numbers.entry(literal).or_insert_with(|| {
            self.literals.push(literal);
            self.literals.len() - 1
        });
        let column = match place {
            None => END,
            Some(place) => {
                let column = &mut self.places[place as usize].1;
                if *column == END {
                    self.columns.push(Chain { first: u32::MAX, last: u32::MAX });
                    *column = self.columns.len() as u32;
                }
                *column
            }
        };
        let ending = self.endings;
        self.endings += usize::from(column == END);
        let child = self.nodes.len();
        let sibling = std::mem::replace(&mut self.nodes[node].child, child as u32);
        let place = place.unwrap_or(0);
        let parent = node as u32;
        self.nodes.push(Node { parent, literal, literal_number, column, place, ending, child: 0, sibling });
        child
    }
}

fn starts_scalar(byte: &u8) -> bool {
    matches!(byte, b'-' | b'0'..=b'9' | b't' | b'f' | b'n')
}

fn scalar_end(body: &[u8], from: usize) -> usize {
    let inside = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'.' | b'+' | b'-' | b'E');
    from + body[from..].iter().take_while(|byte| inside(byte)).count()
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const HIGH: u64 = ONES << 7;

/// Marks (at least) the first byte of `word` that is zero.
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGH
}

/// Where the string that goes on at `at` has its closing quote. None if it has none, or contains a newline.
fn string_end(body: &[u8], mut at: usize) -> Option<usize> {
    loop {
        while let Some(bytes) = body.get(at..).and_then(<[u8]>::first_chunk) {
            let word = u64::from_le_bytes(*bytes);
            let special = |byte: u8| zeros(word ^ (ONES * u64::from(byte)));
            let found = special(b'"') | special(b'\\') | special(b'\n');
            if found != 0 {
                at += found.trailing_zeros() as usize / 8;
                break;
            }
            at += 8;
        }
        match body.get(at)? {
            b'"' => return Some(at),
            b'\n' => return None,
            b'\\' if body.get(at + 1) == Some(&b'\n') => return None,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Numbers the values of a column that were seen before. Cleared, not made anew, for each column.
struct Dictionary<'a> {
    named: Vec<(u32, &'a [u8])>,
    /// By hash, then linearly: 0 is free, k is the k-th named value. Half of it stays free.
    slots: [u8; 512],
    repeats: bool,
}

impl Default for Dictionary<'_> {
    fn default() -> Self {
        Dictionary { named: Vec::with_capacity(NAMED), slots: [0; 512], repeats: false }
    }
}

impl<'a> Dictionary<'a> {
    fn clear(&mut self) {
        self.named.clear();
        self.slots.fill(0);
        self.repeats = false;
    }

    fn code(&mut self, value: &'a [u8]) -> u8 {
        // Identifiers never repeat: after 48 different values looking costs more than it finds.
        if self.named.len() >= 48 && !self.repeats {
            return 0;
        }
        let hash = hash(value);
        let mut slot = hash as usize >> 23;
        while self.slots[slot] != 0 {
            let code = self.slots[slot];
            if self.named[code as usize - 1] == (hash, value) {
                self.repeats = true;
                return code;
            }
            slot = (slot + 1) % 512;
        }
        if self.named.len() < NAMED {
            self.named.push((hash, value));
            self.slots[slot] = self.named.len() as u8;
        }
        0
    }
}

/// Any hash will do, since it isn't stored and the search is short whatever it is: this one is quick.
fn hash(value: &[u8]) -> u32 {
    let step = |hash: u64, word: [u8; 8]| {
        (hash.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(0x517c_c1b7_2722_0a95)
    };
    let (words, rest) = value.as_chunks();
    let hash = words.iter().fold(value.len() as u64, |hash, word| step(hash, *word));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    (step(hash, last) >> 32) as u32
}

/// A piece of every value of a column: fixed text, then hexadecimal digits.
struct Part<'a> {
    fixed: &'a [u8],
    pairs: usize,
}

/// What the first of the newline-terminated values in `text` looks like, if it ends in groups of hexadecimal
/// digits with dashes between. Empty if it doesn't, or if there are too few values or digits to gain from it.
fn parts(text: &[u8]) -> Vec<Part<'_>> {
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let hex = |byte: &u8| NIBBLES[*byte as usize] < 16;
    let mut at = first.iter().rposition(|byte| !hex(byte) && *byte != b'-').map_or(0, |last| last + 1);
    let (mut parts, mut from) = (Vec::new(), 0);
    while at < first.len() {
        at += first[at..].iter().take_while(|byte| **byte == b'-').count();
        let digits = first[at..].iter().take_while(|byte| hex(byte)).count();
        if digits == 0 || digits % 2 != 0 {
            return Vec::new();
        }
        parts.push(Part { fixed: &first[from..at], pairs: digits / 2 });
        at += digits;
        from = at;
    }
    let pairs: usize = parts.iter().map(|part| part.pairs).sum();
    if pairs < 4 || text.len() < 4 * (first.len() + 1) { Vec::new() } else { parts }
}

/// Appends the digits of the values in `text` as binary; false if one of them has another form than `parts`.
fn pack(text: &[u8], parts: &[Part<'_>], packed: &mut Vec<u8>) -> bool {
    let length = parts.iter().map(|part| part.fixed.len() + 2 * part.pairs).sum::<usize>() + 1;
    let mut all = 0;
    for value in text.chunks(length) {
        let mut rest = value;
        for part in parts {
            let Some(after) = rest.strip_prefix(part.fixed) else { return false };
            let Some((digits, after)) = after.split_at_checked(2 * part.pairs) else { return false };
            packed.extend(digits.as_chunks().0.iter().map(|[high, low]| {
                let (high, low) = (NIBBLES[*high as usize], NIBBLES[*low as usize]);
                all |= high | low;
                high << 4 | low
            }));
            rest = after;
        }
        if rest != b"\n" || all > 15 {
            return false;
        }
    }
    true
}

/// The value of each lower-case hexadecimal digit; 255 for other bytes.
const NIBBLES: [u8; 256] = {
    let mut table = [255; 256];
    let mut value = 0;
    while value < 16 {
        table[b"0123456789abcdef"[value] as usize] = value as u8;
        value += 1;
    }
    table
};

fn varint(mut value: usize, out: &mut Vec<u8>) {
    while value >= 128 {
        out.push(value as u8 | 128);
        value >>= 7;
    }
    out.push(value as u8);
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Malformed> {
        let (byte, rest) = self.0.split_first().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*byte)
    }

    fn varint(&mut self) -> Result<usize, Malformed> {
        let mut value = 0;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte()?;
            value |= usize::from(byte & 127) << shift;
            if byte < 128 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    /// The bytes before the next newline.
    fn line(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.0.iter().position(|byte| *byte == b'\n').ok_or(Malformed)?;
        let line = self.take(length)?;
        self.byte()?;
        Ok(line)
    }
}

struct Output {
    bytes: Vec<u8>,
    limit: usize,
}

impl Output {
    fn room(&self, length: usize) -> Result<(), Malformed> {
        if length <= self.limit - self.bytes.len() { Ok(()) } else { Err(Malformed) }
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        self.room(bytes.len())?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn put_hex(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        self.room(2 * bytes.len())?;
        let pairs = bytes.iter().map(|byte| [DIGITS[(byte >> 4) as usize], DIGITS[(byte & 15) as usize]]);
        self.bytes.extend(pairs.flatten());
        Ok(())
    }
}

/// A column being decoded.
struct Column<'a> {
    parts: Vec<Part<'a>>,
    data: Reader<'a>,
    codes: Reader<'a>,
    /// Where the values that codes name are in the output.
    named: Vec<Range<usize>>,
}

impl Column<'_> {
    fn next(&mut self, out: &mut Output) -> Result<(), Malformed> {
        let code = self.codes.byte()?;
        if code > 0 {
            let value = self.named.get(code as usize - 1).ok_or(Malformed)?.clone();
            out.room(value.len())?;
            out.bytes.extend_from_within(value);
            return Ok(());
        }
        let start = out.bytes.len();
        if self.parts.is_empty() {
            out.put(self.data.line()?)?;
        }
        for part in &self.parts {
            out.put(part.fixed)?;
            out.put_hex(self.data.take(part.pairs)?)?;
        }
        if self.named.len() < NAMED {
            self.named.push(start..out.bytes.len());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn check(bodies: &[&[u8]]) -> Vec<u8> {
        let mut encoded = Vec::new();
        encode(bodies, &mut encoded);
        let all = bodies.concat();
        let decoded = decode(&encoded, bodies.len(), all.len()).expect("just encoded");
        assert_eq!(decoded.iter().collect::<Vec<_>>(), bodies);
        if !all.is_empty() {
            assert_eq!(decode(&encoded, bodies.len(), all.len() - 1).unwrap_err(), Malformed);
        }
        encoded
    }

    #[test]
    fn writes_the_documented_format() {
        let body = |id: &str| format!(r#"{{"id":"{id}","n":1}}"#);
        let bodies = ["00ff00ff", "00000001", "00000002", "00ff00ff", "00000003"].map(body);
        let encoded = check(&bodies.each_ref().map(String::as_bytes));
        let mut numbers = vec![3, 7, 6, 1]; // Three literals.
        numbers.extend([3, 0, 0, 1, 0, 1, 2, 0, 2, 0]); // Three nodes: before the id, before n, the end.
        numbers.extend([2, 1, 0, 4, 16, 5, 0, 2, 5]); // Two columns: the id is one part of 4 pairs; n is text.
        numbers.extend([0, 0, 0, 0, 0]); // The only last node, for each body.
        numbers.extend([0, 0, 0, 1, 0]); // The fourth id repeats the first.
        numbers.extend([0, 1, 1, 1, 1]);
        let text = b"{\"id\":\"\",\"n\":}1\n";
        let packed = [0, 255, 0, 255, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        let lengths = [numbers.len() as u8, text.len() as u8];
        let expected = [&lengths[..], &numbers, text, &packed].concat();
        assert_eq!(encoded, expected);
    }

    #[test]
    fn gives_back_what_is_no_json() {
        check(&[]);
        check(&[
            b"",
            b"",
            b"\n",
            b"\"",
            b"\"\\",
            b"\"a\\\nb\"",
            b"\"a\nb\"",
            b"[",
            b"]]}",
            b"{\"a\":\"",
            b"1",
            b"12-",
        ]);
        check(&[
            br#"{"a":["x","y"]}"#,
            br#"{"a":["x"]}"#,
            br#"{"a":[]}"#,
            br#"{"a":[1,{"b":null}]}"#,
            br#"{"a":{"#,
        ]);
        // More values than can be named, repeated; more shapes than are tried.
        let many: Vec<_> =
            (0..2000).map(|n| format!(r#"{{"k{}":"v{}"}}"#, n % 40, n % 300).into_bytes()).collect();
        check(&many.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }

    fn json() -> impl Strategy<Value = String> {
        let scalar = prop_oneof![
            r#""([a-f0-9]{8}|[ !#-\[\]-~é]{0,20}|(\\n|\\"|\\\\|x){0,5})""#,
            r"-?[1-9][0-9]{0,15}|0\.[0-9]{1,5}e[+-]7|true|false|null",
            "\"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{12}\"",
        ];
        scalar.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..6).prop_map(|items| format!("[{}]", items.join(","))),
                vec((prop_oneof!["[a-e]", r#"(\\"|[\[\]{},:é]){0,3}"#], inner), 0..6).prop_map(|fields| {
                    let fields: Vec<_> =
                        fields.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
                    format!("{{{}}}", fields.join(","))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn gives_back_any_bytes(bodies in vec(vec(any::<u8>(), 0..40), 0..30)) {
            check(&bodies.iter().map(Vec::as_slice).collect::<Vec<_>>());
        }

        #[test]
        fn gives_back_what_looks_like_json(bodies in vec(r#"[{}\[\]":,\\a1\n-]{0,30}"#, 0..30)) {
            check(&bodies.iter().map(String::as_bytes).collect::<Vec<_>>());
        }

        #[test]
        fn gives_back_json(bodies in vec(json(), 0..20)) {
            check(&bodies.iter().map(String::as_bytes).collect::<Vec<_>>());
        }

        #[test]
        fn survives_damage(
            bodies in vec(json(), 1..12),
            damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
            cut in any::<Option<prop::sample::Index>>(),
            count in 0..14_usize,
        ) {
            let mut encoded = check(&bodies.iter().map(String::as_bytes).collect::<Vec<_>>());
            for (at, byte) in damage {
                let at = at.index(encoded.len());
                encoded[at] = byte;
            }
            encoded.truncate(cut.map_or(encoded.len(), |cut| cut.index(encoded.len())));
            if let Ok(decoded) = decode(&encoded, count, 4000) {
                assert!(decoded.bytes.len() <= 4000);
                assert_eq!(decoded.ends.len(), count);
            }
        }
    }
}
