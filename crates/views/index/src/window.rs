//! A filter at work on one part: sets of documents, a window at a time.
//!
//! A window is a bitmap over consecutive documents. Every node does one thing: it removes from a window the documents
//! that do not fit. `And` lets its parts do so one after the other, cheapest first; what few documents are left are then
//! looked up one by one, and what many are decoded in bulk. Nodes go forward only.

use std::ops::{Range, RangeInclusive};

use crate::column::{Chosen, Column, WORDS};
use crate::postings::{END, Postings};

/// Documents of a window, at most: 8 KiB of bitmap.
pub(crate) const LARGEST: u32 = 1 << 16;

/// Documents of a word of a bitmap.
const WORD: u32 = u64::BITS;

/// Some consecutive documents, and which of them are still in.
#[derive(Clone)]
pub(crate) struct Window {
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// The first one is that of `start`; each begins with a multiple of 64, as the words of other bitmaps do.
    words: Vec<u64>,
}

impl Window {
    /// All documents from `start` to before `end` are in.
    pub(crate) fn full(start: u32, end: u32) -> Window {
        let mut words = vec![u64::MAX; (end.div_ceil(WORD).saturating_sub(start / WORD)) as usize];
        if let Some(first) = words.first_mut() {
            *first &= u64::MAX << (start % WORD);
        }
        if let Some(last) = words.last_mut()
            && !end.is_multiple_of(WORD)
        {
            *last &= (1 << (end % WORD)) - 1;
        }
        Window { start, end, words }
    }

    pub(crate) fn empty_like(&self) -> Window {
        Window { start: self.start, end: self.end, words: vec![0; self.words.len()] }
    }

    fn word_of(&self, document: u32) -> usize {
        (document / WORD - self.start / WORD) as usize
    }

    pub(crate) fn insert(&mut self, document: u32) {
        let at = self.word_of(document);
        self.words[at] |= 1 << (document % WORD);
    }

    pub(crate) fn contains(&self, document: u32) -> bool {
        self.words[self.word_of(document)] & 1 << (document % WORD) != 0
    }

    /// The documents as words of 64, and the number of the first word among those of the whole part.
    pub(crate) fn words(&mut self) -> (usize, &mut [u64]) {
        ((self.start / WORD) as usize, &mut self.words)
    }

    /// The documents that are in, by the blocks of columns; blocks without any are left out.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (usize, Chosen)> + '_ {
        let first = (self.start / WORD) as usize;
        let end = first + self.words.len();
        (first / WORDS..end.div_ceil(WORDS)).filter_map(move |block| {
            let mut chosen = [0; WORDS];
            for (at, word) in (block * WORDS..).zip(&mut chosen) {
                *word = at.checked_sub(first).and_then(|at| self.words.get(at)).copied().unwrap_or(0);
            }
            chosen.iter().any(|word| *word != 0).then_some((block, chosen))
        })
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

    pub(crate) fn and(&mut self, other: &Window) {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a &= b);
    }

    fn and_not(&mut self, other: &Window) {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a &= !b);
    }

    fn or(&mut self, other: &Window) {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a |= b);
    }

    pub(crate) fn retain(&mut self, mut keep: impl FnMut(u32) -> bool) {
        for (at, word) in (self.start / WORD..).zip(&mut self.words) {
            let mut rest = *word;
            while rest != 0 {
                let bit = rest.trailing_zeros();
                rest &= rest - 1;
                if !keep(at * WORD + bit) {
                    *word &= !(1 << bit);
                }
            }
        }
    }

    /// The documents that are in, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (self.start / WORD..).zip(&self.words).flat_map(|(at, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                (rest != 0).then(|| {
                    let bit = rest.trailing_zeros();
                    rest &= rest - 1;
                    at * WORD + bit
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
    Within(Box<Column>, RangeInclusive<i64>),
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
            Node::Within(..) | Node::And(_) | Node::Or(_) => None,
        }
    }

    /// A document, `from` or later, before which there is none; [`END`] if there is none at all.
    pub(crate) fn next(&mut self, from: u32) -> u32 {
        match self {
            Node::None => END,
            Node::All | Node::Within(..) | Node::Not(_) => from,
            Node::List(list) => list.get(list.partition_point(|d| *d < from)).copied().unwrap_or(END),
            Node::Bits(bits) => {
                let mut at = (from / 64) as usize;
                let mut mask = u64::MAX << (from % 64);
                while let Some(word) = bits.get(at) {
                    if word & mask != 0 {
                        return at as u32 * 64 + (word & mask).trailing_zeros();
                    }
                    (at, mask) = (at + 1, u64::MAX);
                }
                END
            }
            Node::Postings(postings) => postings.seek(from),
            Node::Span(span) if from >= span.end => END,
            Node::Span(span) => from.max(span.start),
            Node::And(nodes) => {
                nodes.iter_mut().fold(from, |at, node| if at == END { at } else { node.next(at) })
            }
            Node::Or(nodes) => nodes.iter_mut().map(|node| node.next(from)).min().unwrap_or(END),
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
                let (first, words) = window.words();
                words.iter_mut().zip(&bits[first..]).for_each(|(word, bits)| *word &= bits);
            }
            Node::Postings(postings) => postings.restrict(window),
            Node::Within(column, range) => column.restrict(range, window),
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
