//! Events become terms, ids and values of columns, gathered until they are written as a part.
//!
//! Most values were seen a moment ago at the same path: what follows from a path and a value is worked out once
//! ([`Effect`]) and then only looked up. Pairs of term and event are noted in the order in which they come, and put in
//! the order of the terms by counting when the part is written ([`Batch::lists`]).

use std::collections::HashMap;

use event::{Value, time};
use foldhash::quality::RandomState;
use query::{Kind, Leaf, Searched};
use smallvec::SmallVec;

use crate::ids::{Hashes, Id};
use crate::schema::{Column, FACETS, NUMBER_COLUMNS, PLACES, Place, TIME, Unit, elsewhere};
use crate::term;

/// A whole number that a double holds, whatever it is divided by.
const EXACT: i64 = (1 << 53) - 1;
/// Longest text in a column.
const LONGEST_FACET: usize = 512;
/// Longer values are rarely seen again.
const LONGEST_KEPT: usize = 128;

/// Seeded anew in each process, as the keys are what strangers wrote.
type Map<K, V> = HashMap<K, V, RandomState>;

/// Most are short and lie in the table itself: one that is looked up is not somewhere else in memory.
type Key = SmallVec<[u8; 24]>;

/// A number of a term or a text, in the order in which they were first seen.
type Number = u32;

/// What the index keeps of some events, until it is written.
pub(crate) struct Batch {
    hashes: Hashes,
    /// How many events were added.
    pub(crate) count: usize,
    terms: Map<Key, Number>,
    /// Terms of events, in the order of the events: which term, which event.
    pairs: Vec<(Number, u32)>,
    /// Values, by column and in the order of the events.
    pub(crate) numbers: Vec<Vec<(u32, i64)>>,
    pub(crate) facets: Vec<Texts>,
    pub(crate) ids: Vec<Id>,
    /// By value, for each field: most have few, which stay near.
    effects: Vec<Map<Key, Effect>>,
    /// By path and value, for the other paths.
    effects_elsewhere: Map<Key, Effect>,
    /// Terms of all effects.
    effect_terms: Vec<Number>,
    /// The term that says that there is something at a path.
    present: Map<Box<str>, Number>,
    /// The path above the last leaf: the next is mostly beside it.
    beside: String,
    key: Vec<u8>,
    bytes: Vec<u8>,
}

/// A column of text.
#[derive(Default)]
pub(crate) struct Texts {
    pub(crate) texts: Map<Box<str>, Number>,
    /// Which event, which text; in the order of the events.
    pub(crate) values: Vec<(u32, Number)>,
}

/// What follows from a value at a path, whatever else is in the event.
#[derive(Clone, Copy)]
struct Effect {
    /// Where its terms are among those of all.
    from: usize,
    to: usize,
    /// The text, for a column of texts.
    text: Option<Number>,
}

/// A term and the events that have it, ascending.
pub(crate) struct Lists {
    /// Sorted, with a range of `events`.
    pub(crate) terms: Vec<(Key, std::ops::Range<usize>)>,
    pub(crate) events: Vec<u32>,
}

impl Batch {
    pub(crate) fn new(hashes: Hashes) -> Batch {
        Batch::with_room(hashes, 0)
    }

    /// One for the events that come after these: there will be about as many.
    pub(crate) fn next(&self) -> Batch {
        Batch::with_room(self.hashes, self.pairs.len())
    }

    fn with_room(hashes: Hashes, pairs: usize) -> Batch {
        Batch {
            hashes,
            count: 0,
            terms: Map::default(),
            pairs: Vec::with_capacity(pairs),
            numbers: vec![Vec::new(); NUMBER_COLUMNS.len()],
            facets: FACETS.iter().map(|_| Texts::default()).collect(),
            ids: Vec::new(),
            effects: PLACES.iter().map(|_| Map::default()).collect(),
            effects_elsewhere: Map::default(),
            effect_terms: Vec::new(),
            present: Map::default(),
            beside: String::new(),
            key: Vec::new(),
            bytes: Vec::new(),
        }
    }

    /// Adds an event: its position, and the same relative to the part's first one. Later ones are greater.
    pub(crate) fn add(&mut self, position: u64, at: u32, event: &Value<'_>) {
        self.count += 1;
        self.beside.clear();
        query::visit(event, &mut |leaf| self.leaf(&leaf, position, at));
    }

    /// The times of its events.
    pub(crate) fn times(&self) -> impl Iterator<Item = i64> + '_ {
        self.numbers[TIME].iter().map(|(_, time)| *time)
    }

    /// Its terms in their order, each with its events. Nothing is left of them here.
    pub(crate) fn lists(&mut self) -> Lists {
        let mut ends = vec![0usize; self.terms.len() + 1];
        for (term, _) in &self.pairs {
            ends[*term as usize + 1] += 1;
        }
        for n in 1..ends.len() {
            ends[n] += ends[n - 1];
        }
        // Where the next event of a term goes; afterwards, where its events end.
        let mut next = ends.clone();
        let mut events = vec![0u32; self.pairs.len()];
        for (term, at) in std::mem::take(&mut self.pairs) {
            let place = &mut next[term as usize];
            // A word may be twice in an event.
            if *place > ends[term as usize] && events[*place - 1] == at {
                continue;
            }
            events[*place] = at;
            *place += 1;
        }
        let mut terms: Vec<_> = std::mem::take(&mut self.terms)
            .into_iter()
            .map(|(term, number)| (term, ends[number as usize]..next[number as usize]))
            .filter(|(_, events)| !events.is_empty())
            .collect();
        terms.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Lists { terms, events }
    }

    fn leaf(&mut self, leaf: &Leaf<'_>, position: u64, at: u32) {
        self.present_above(leaf, at);
        let place = leaf.field.map_or_else(|| elsewhere(leaf.path), |field| PLACES[field]);
        match place.column {
            Column::Position => {
                if leaf.value.as_i64() != i64::try_from(position).ok() {
                    self.opaque_at(&place, at);
                }
            }
            Column::Number(column) => self.number(column, &place, leaf.value, at),
            Column::None | Column::Facet(_) => self.value(leaf, &place, at),
        }
    }

    /// Everything above a leaf is there too.
    fn present_above(&mut self, leaf: &Leaf<'_>, at: u32) {
        let Leaf { path, above, .. } = *leaf;
        // A name may have dots in it, and is then found by what stands before them as well.
        let is_plain = !path.as_bytes()[above.len()..].iter().skip(1).any(|b| *b == b'.');
        if is_plain && self.beside == above {
            return;
        }
        self.beside.clear();
        if is_plain {
            self.beside.push_str(above);
        }
        for (dot, _) in path.match_indices('.') {
            let path = &path[..dot];
            let term = match self.present.get(path) {
                Some(term) => *term,
                None => {
                    let term = self.term(term::PRESENT, term::path_hash(path), b"");
                    self.present.insert(path.into(), term);
                    term
                }
            };
            self.pairs.push((term, at));
        }
    }

    /// A value that has terms.
    fn value(&mut self, leaf: &Leaf<'_>, place: &Place, at: u32) {
        let is_facet = matches!(place.column, Column::Facet(_));
        let whole = match leaf.searched() {
            Searched::Whole(text) => Some(text),
            _ => None,
        };
        if let Some(text) = whole {
            self.unique(leaf.kind, text, place, at);
        }
        // Bytes that no text has tell the kinds of values apart.
        let (said, is_kept): (&[u8], _) = match leaf.value {
            Value::String(_) if whole.is_some() && !is_facet => (&[0xfe], true),
            Value::String(text) => {
                let is_seen_again = whole.is_some() || leaf.kind != Kind::Prose;
                (text.as_bytes(), is_seen_again && text.len() <= LONGEST_KEPT)
            }
            Value::Bool(said) => (if *said { &[0xfd] } else { &[0xfc] }, true),
            _ => (&[], false),
        };
        let effect = if is_kept { self.kept_effect(leaf, place, said) } else { self.follow(leaf, place) };
        let terms = &self.effect_terms[effect.from..effect.to];
        self.pairs.extend(terms.iter().map(|term| (*term, at)));
        if !is_kept {
            self.effect_terms.truncate(effect.from);
        }
        if let Column::Facet(column) = place.column {
            let values = &mut self.facets[column].values;
            match effect.text {
                Some(text) if values.last().is_none_or(|(last, _)| *last != at) => values.push((at, text)),
                // A column has room for one.
                _ => self.opaque_at(place, at),
            }
        }
    }

    /// What follows from a value, worked out the first time that it is seen.
    fn kept_effect(&mut self, leaf: &Leaf<'_>, place: &Place, said: &[u8]) -> Effect {
        let mut key = std::mem::take(&mut self.key);
        let (effects, said) = match leaf.field {
            Some(field) => (&self.effects[field], said),
            None => {
                key.clear();
                key.extend_from_slice(leaf.path.as_bytes());
                key.push(0xff);
                key.extend_from_slice(said);
                (&self.effects_elsewhere, &*key)
            }
        };
        let effect = match effects.get(said) {
            Some(effect) => *effect,
            None => {
                let effect = self.follow(leaf, place);
                let effects = match leaf.field {
                    Some(field) => &mut self.effects[field],
                    None => &mut self.effects_elsewhere,
                };
                effects.insert(Key::from_slice(said), effect);
                effect
            }
        };
        self.key = key;
        effect
    }

    /// A value that is found as a whole.
    fn unique(&mut self, kind: Kind, text: &str, place: &Place, at: u32) {
        self.ids.push((self.hashes.text(&query::fold(text)) | u64::from(place.tag), at));
        if kind != Kind::Id
            && let Some(n) = query::decimal(text)
        {
            self.ids.push((self.hashes.number(n) | u64::from(place.tag), at));
        }
    }

    /// Works out what follows from a value. Its terms are put after those of other effects.
    fn follow(&mut self, leaf: &Leaf<'_>, place: &Place) -> Effect {
        let from = self.effect_terms.len();
        let text = match (place.column, leaf.value) {
            (Column::Facet(column), Value::String(text)) => {
                let text = &text[..text.floor_char_boundary(LONGEST_FACET)];
                let texts = &mut self.facets[column].texts;
                Some(match texts.get(text) {
                    Some(number) => *number,
                    None => {
                        let number = texts.len() as Number;
                        texts.insert(text.into(), number);
                        number
                    }
                })
            }
            _ => None,
        };
        if place.column == Column::None {
            self.effect(term::PRESENT, place.hash, b"");
        }
        self.terms_of(leaf, place);
        if let Searched::Words(text) = leaf.searched() {
            for word in query::words(text) {
                let mut bytes = std::mem::take(&mut self.bytes);
                bytes.clear();
                bytes.push(term::WORD);
                bytes.extend_from_slice(word.as_bytes());
                let number = self.number_of(&bytes);
                self.bytes = bytes;
                self.effect_terms.push(number);
            }
        }
        Effect { from, to: self.effect_terms.len(), text }
    }

    fn terms_of(&mut self, leaf: &Leaf<'_>, place: &Place) {
        let path = place.hash;
        let text = match leaf.value {
            Value::Bool(b) => return self.effect(term::BOOL, path, &[u8::from(*b)]),
            Value::Number(n) => {
                self.effect(term::NUMBER, path, &term::number(n.as_f64()));
                // Kinds that are not asked for numbers look at the event.
                if matches!(leaf.kind, Kind::Prose | Kind::Id) {
                    self.opaque(place);
                }
                return;
            }
            Value::String(text) => text,
            Value::Null | Value::Array(_) | Value::Object(_) => return,
        };
        if let Searched::Whole(_) = leaf.searched() {
            if leaf.kind != Kind::Id {
                self.opaque(place);
            }
            return;
        }
        if leaf.kind == Kind::Prose {
            // Its words are looked for; whatever else is asked, the event answers.
            if query::decimal(text).is_some() || query::address(text).is_some() {
                self.opaque(place);
            }
            return;
        }
        if let Some(n) = query::decimal(text) {
            self.effect(term::DECIMAL, path, &term::number(n));
        }
        if let Ok(ns) = time::parse(text) {
            let ours = time::is_shortest(text);
            self.effect(if ours { term::TIME } else { term::TIME_OF }, path, &term::time(ns));
            if ours {
                return;
            }
        } else if let Some(address) = query::address(text) {
            let ours = address.to_string() == **text;
            let bytes = term::address(address);
            self.effect(if ours { term::ADDRESS } else { term::ADDRESS_OF }, path, &bytes);
            if ours {
                return;
            }
        }
        let folded = query::fold(text);
        if folded.len() > term::LONGEST {
            self.opaque(place);
        } else {
            self.effect(term::STRING, path, folded.as_bytes());
        }
    }

    /// Only the event itself tells what is there.
    fn opaque(&mut self, place: &Place) {
        self.effect(term::OPAQUE, place.hash, b"");
        if place.column != Column::None {
            self.effect(term::PRESENT, place.hash, b"");
        }
    }

    fn opaque_at(&mut self, place: &Place, at: u32) {
        let from = self.effect_terms.len();
        self.opaque(place);
        self.pairs.extend(self.effect_terms.drain(from..).map(|term| (term, at)));
    }

    /// A value in a column of numbers.
    fn number(&mut self, column: usize, place: &Place, value: &Value<'_>, at: u32) {
        let is_taken = self.numbers[column].last().is_some_and(|(last, _)| *last == at);
        match units(NUMBER_COLUMNS[column].unit, value) {
            Some((units, exact)) if !is_taken => {
                self.numbers[column].push((at, units));
                if !exact {
                    self.opaque_at(place, at);
                }
            }
            _ => self.opaque_at(place, at),
        }
    }

    fn effect(&mut self, class: u8, path: [u8; 8], value: &[u8]) {
        let number = self.term(class, path, value);
        self.effect_terms.push(number);
    }

    fn term(&mut self, class: u8, path: [u8; 8], value: &[u8]) -> Number {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        term::push(&mut bytes, class, path, value);
        let number = self.number_of(&bytes);
        self.bytes = bytes;
        number
    }

    fn number_of(&mut self, term: &[u8]) -> Number {
        if let Some(number) = self.terms.get(term) {
            return *number;
        }
        let number = self.terms.len() as Number;
        self.terms.insert(Key::from_slice(term), number);
        number
    }
}

/// What a column of numbers holds for a value, and whether that tells the value exactly.
fn units(unit: Unit, value: &Value<'_>) -> Option<(i64, bool)> {
    match (unit, value) {
        (Unit::Time, Value::String(text)) => {
            let ns = time::parse(text).ok()?;
            Some((ns, time::is_shortest(text)))
        }
        (Unit::Scaled(scale), Value::Number(n)) => {
            let factor = 10f64.powi(scale as i32);
            let units = (n.as_f64() * factor).round();
            (units.abs() <= EXACT as f64).then(|| (units as i64, units / factor == n.as_f64()))
        }
        (Unit::Decimal(scale), Value::String(text)) => {
            let n = query::decimal(text)?;
            match plain_decimal(text, scale) {
                Some(units) if units.abs() <= EXACT => Some((units, true)),
                _ => {
                    let units = (n * 10f64.powi(scale as i32)).round();
                    (units.abs() <= EXACT as f64).then_some((units as i64, false))
                }
            }
        }
        _ => None,
    }
}

/// A decimal without an exponent and with at most `scale` digits that matter after the point, multiplied by 10^scale.
fn plain_decimal(text: &str, scale: u32) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    let missing = scale.checked_sub(u32::try_from(fraction.len()).ok()?)?;
    let whole: i64 = whole.parse().ok()?;
    let fraction: i64 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let units = whole.checked_mul(10i64.pow(scale))?.checked_add(fraction * 10i64.pow(missing))?;
    Some(sign * units)
}
