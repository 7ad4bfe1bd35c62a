//! A filter at work on one part: sets of documents, a window at a time.
//!
//! A window is a bitmap over consecutive documents. Every node does one thing: it removes from a window the documents
//! that do not fit. `And` lets its parts do so one after the other, cheapest first; what few documents are left are then
//! looked up one by one, and what many are decoded in bulk. Nodes go forward only.

use std::ops::{Range, RangeInclusive};

use tantivy::TERMINATED;
use tantivy::columnar::{Column, ColumnIndex};
use tantivy::postings::BlockSegmentPostings;

/// Documents of a window, at most: 8 KiB of bitmap.
pub(crate) const LARGEST: u32 = 1 << 16;

/// Some consecutive documents, and which of them are still in.
#[derive(Clone)]
pub(crate) struct Window {
    pub(crate) start: u32,
    pub(crate) end: u32,
    words: Vec<u64>,
}

impl Window {
    /// All documents from `start` to before `end` are in.
    pub(crate) fn full(start: u32, end: u32) -> Window {
        let len = end - start;
        let mut words = vec![u64::MAX; len.div_ceil(64) as usize];
        if let Some(last) = words.last_mut()
            && !len.is_multiple_of(64)
        {
            *last = (1 << (len % 64)) - 1;
        }
        Window { start, end, words }
    }

    fn empty_like(&self) -> Window {
        Window { start: self.start, end: self.end, words: vec![0; self.words.len()] }
    }

    fn insert(&mut self, document: u32) {
        let at = document - self.start;
        self.words[(at / 64) as usize] |= 1 << (at % 64);
    }

    pub(crate) fn contains(&self, document: u32) -> bool {
        let at = document - self.start;
        self.words[(at / 64) as usize] & 1 << (at % 64) != 0
    }

    pub(crate) fn count(&self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    fn clear(&mut self) {
        self.words.fill(0);
    }

    fn and(&mut self, other: &Window) {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a &= b);
    }

    fn and_not(&mut self, other: &Window) {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a &= !b);
    }

    fn or(&mut self, other: &Window) {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a |= b);
    }

    pub(crate) fn retain(&mut self, mut keep: impl FnMut(u32) -> bool) {
        for (at, word) in (0..).zip(&mut self.words) {
            let mut rest = *word;
            while rest != 0 {
                let bit = rest.trailing_zeros();
                rest &= rest - 1;
                if !keep(self.start + at * 64 + bit) {
                    *word &= !(1 << bit);
                }
            }
        }
    }

    /// Puts the documents that are in into a list, in order.
    pub(crate) fn list(&self, into: &mut Vec<u32>) {
        into.clear();
        if self.count() == self.end - self.start {
            into.extend(self.start..self.end);
        } else {
            into.extend(self.iter());
        }
    }

    /// The documents that are in, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0u32..).zip(&self.words).flat_map(move |(at, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                (rest != 0).then(|| {
                    let bit = rest.trailing_zeros();
                    rest &= rest - 1;
                    self.start + at * 64 + bit
                })
            })
        })
    }
}

/// A set of documents of one part.
pub(crate) enum Node {
    None,
    All,
    /// Those in a list, which is in order.
    List(Vec<u32>),
    /// Those in a bitmap of the whole part.
    Bits(Vec<u64>),
    /// Those with a term.
    Postings(Box<Postings>),
    /// Those whose number in a column is in a range.
    Within(Column<i64>, RangeInclusive<i64>),
    /// Those with a value in a column.
    HasValue(ColumnIndex),
    /// Consecutive ones.
    Span(Range<u32>),
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
}

impl Node {
    pub(crate) fn and(nodes: Vec<Node>) -> Node {
        let mut some = Vec::with_capacity(nodes.len());
        for node in nodes {
            match node {
                Node::None => return Node::None,
                Node::All => {}
                Node::And(inner) => some.extend(inner),
                node => some.push(node),
            }
        }
        some.sort_by_key(Node::cost);
        if some.len() > 1 { Node::And(some) } else { some.pop().unwrap_or(Node::All) }
    }

    pub(crate) fn or(nodes: Vec<Node>) -> Node {
        let mut some = Vec::with_capacity(nodes.len());
        for node in nodes {
            match node {
                Node::All => return Node::All,
                Node::None => {}
                Node::Or(inner) => some.extend(inner),
                node => some.push(node),
            }
        }
        if some.len() > 1 { Node::Or(some) } else { some.pop().unwrap_or(Node::None) }
    }

    pub(crate) fn not(node: Node) -> Node {
        match node {
            Node::None => Node::All,
            Node::All => Node::None,
            Node::Not(inner) => *inner,
            node => Node::Not(Box::new(node)),
        }
    }

    /// About how many documents it must touch; the cheapest go first.
    fn cost(&self) -> u64 {
        match self {
            Node::None | Node::All | Node::Span(_) => 0,
            Node::List(list) => list.len() as u64,
            Node::Postings(postings) => u64::from(postings.count),
            Node::Bits(_) => 1 << 20,
            Node::HasValue(_) => 1 << 33,
            Node::Within(..) => 1 << 34,
            Node::And(nodes) => nodes.iter().map(Node::cost).min().unwrap_or(0),
            Node::Or(nodes) => nodes.iter().map(Node::cost).sum(),
            // What is not in a set is mostly everything.
            Node::Not(node) => (1 << 32) + node.cost() / 4,
        }
    }

    /// How many documents there are, if that is known without looking at them.
    pub(crate) fn known_count(&self, documents: u32) -> Option<u32> {
        match self {
            Node::None => Some(0),
            Node::All => Some(documents),
            Node::List(list) => Some(list.len() as u32),
            Node::Bits(bits) => Some(bits.iter().map(|word| word.count_ones()).sum()),
            Node::Postings(postings) => Some(postings.count),
            Node::Span(span) => Some(span.end - span.start),
            Node::Not(node) => Some(documents - node.known_count(documents)?),
            Node::Within(..) | Node::HasValue(_) | Node::And(_) | Node::Or(_) => None,
        }
    }

    /// A document, `from` or later, before which there is none; [`TERMINATED`] if there is none at all.
    pub(crate) fn next(&mut self, from: u32) -> u32 {
        match self {
            Node::None => TERMINATED,
            Node::All | Node::Within(..) | Node::HasValue(_) | Node::Not(_) => from,
            Node::List(list) => list.get(list.partition_point(|d| *d < from)).copied().unwrap_or(TERMINATED),
            Node::Bits(bits) => {
                let mut at = (from / 64) as usize;
                let mut mask = u64::MAX << (from % 64);
                while let Some(word) = bits.get(at) {
                    if word & mask != 0 {
                        return at as u32 * 64 + (word & mask).trailing_zeros();
                    }
                    (at, mask) = (at + 1, u64::MAX);
                }
                TERMINATED
            }
            Node::Postings(postings) => postings.seek(from),
            Node::Span(span) if from >= span.end => TERMINATED,
            Node::Span(span) => from.max(span.start),
            Node::And(nodes) => {
                nodes.iter_mut().fold(from, |at, node| if at == TERMINATED { at } else { node.next(at) })
            }
            Node::Or(nodes) => nodes.iter_mut().map(|node| node.next(from)).min().unwrap_or(TERMINATED),
        }
    }

    /// Removes from the window what is not in the set.
    pub(crate) fn restrict(&mut self, window: &mut Window) {
        match self {
            Node::None => window.clear(),
            Node::All => {}
            Node::List(list) => {
                let mut kept = window.empty_like();
                let within =
                    list.partition_point(|d| *d < window.start)..list.partition_point(|d| *d < window.end);
                list[within].iter().for_each(|document| kept.insert(*document));
                window.and(&kept);
            }
            Node::Bits(bits) => {
                window.retain(|document| bits[(document / 64) as usize] & 1 << (document % 64) != 0);
            }
            Node::Postings(postings) => postings.restrict(window),
            Node::Within(column, range) => within(column, range, window),
            Node::HasValue(index) => window.retain(|document| index.has_value(document)),
            Node::Span(span) => window.retain(|document| span.contains(&document)),
            Node::And(nodes) => {
                for node in nodes {
                    node.restrict(window);
                    if window.is_empty() {
                        return;
                    }
                }
            }
            Node::Or(nodes) => {
                // Each only has to look at what the ones before it did not take.
                let (mut taken, mut left) = (window.empty_like(), window.clone());
                for node in nodes {
                    let mut part = left.clone();
                    node.restrict(&mut part);
                    left.and_not(&part);
                    taken.or(&part);
                    if left.is_empty() {
                        break;
                    }
                }
                window.and(&taken);
            }
            Node::Not(node) => {
                let mut out = window.clone();
                node.restrict(&mut out);
                window.and_not(&out);
            }
        }
    }
}

fn within(column: &Column<i64>, range: &RangeInclusive<i64>, window: &mut Window) {
    let all = window.count() * 4 > window.end - window.start;
    if !all {
        return window.retain(|document| column.first(document).is_some_and(|value| range.contains(&value)));
    }
    let mut found = Vec::new();
    column.get_docids_for_value_range(range.clone(), window.start..window.end, &mut found);
    let mut kept = window.empty_like();
    found.into_iter().for_each(|document| kept.insert(document));
    window.and(&kept);
}

/// The documents with a term, in blocks of 128.
pub(crate) struct Postings {
    blocks: BlockSegmentPostings,
    /// How many documents there are.
    count: u32,
    /// Of how many.
    of: u32,
}

impl Postings {
    pub(crate) fn new(blocks: BlockSegmentPostings, of: u32) -> Postings {
        Postings { count: blocks.doc_freq(), blocks, of }
    }

    /// Puts all documents that are left into a bitmap of the whole part.
    pub(crate) fn drain_into(mut self, bits: &mut [u64]) {
        while self.blocks.block_len() > 0 {
            for document in self.blocks.docs() {
                bits[(document / 64) as usize] |= 1 << (document % 64);
            }
            self.blocks.advance();
        }
    }

    fn last_of_block(&self) -> u32 {
        self.blocks.docs().last().copied().unwrap_or(TERMINATED)
    }

    /// The first document from `target` on.
    fn seek(&mut self, target: u32) -> u32 {
        if self.blocks.block_len() == 0 {
            return TERMINATED;
        }
        let at = if self.last_of_block() >= target {
            self.blocks.docs().partition_point(|d| *d < target)
        } else {
            self.blocks.seek(target)
        };
        self.blocks.docs().get(at).copied().unwrap_or(TERMINATED)
    }

    fn restrict(&mut self, window: &mut Window) {
        let expected =
            u64::from(self.count) * u64::from(window.end - window.start) / u64::from(self.of.max(1));
        // Decoding a block costs about as much as 64 documents, and each look-up may have to decode one.
        if u64::from(window.count()) * 64 < expected {
            return window.retain(|document| self.seek(document) == document);
        }
        let mut kept = window.empty_like();
        if self.seek(window.start) != TERMINATED {
            loop {
                let docs = self.blocks.docs();
                let from = docs.partition_point(|d| *d < window.start);
                let to = docs.partition_point(|d| *d < window.end);
                docs[from..to].iter().for_each(|document| kept.insert(*document));
                // What is beyond the window is for the next one.
                if to < docs.len() {
                    break;
                }
                self.blocks.advance();
                if self.blocks.block_len() == 0 {
                    break;
                }
            }
        }
        window.and(&kept);
    }
}
