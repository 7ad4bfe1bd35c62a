//! An event becomes a document: terms, ids and values of columns.

use std::borrow::Cow;
use std::fmt;

use event::{Value, time};
use query::{Kind, Leaf, Searched};
use tantivy::schema::Field;
use tantivy::schema::document::{Document as TantivyDocument, ReferenceValue, ReferenceValueLeaf};

use crate::ids::Hashes;
use crate::schema::{Column, NUMBER_COLUMNS, PLACES, Place, SCHEMA, TIME, Unit};
use crate::term;

/// A whole number that a double holds, whatever it is divided by.
const EXACT: i64 = (1 << 53) - 1;
/// Longest text in a column.
const LONGEST_FACET: usize = 512;

/// What the index keeps of one event.
pub(crate) struct Document {
    pub(crate) position: u64,
    terms: Terms,
    numbers: Vec<(u8, i64)>,
    facets: Vec<(u8, Box<str>)>,
    /// Hashes with their tags.
    pub(crate) ids: Vec<u64>,
}

#[derive(Default)]
struct Terms {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Terms {
    fn push(&mut self, class: u8, path: [u8; 8], value: &[u8]) {
        term::push(&mut self.bytes, class, path, value);
        self.ends.push(self.bytes.len() as u32);
    }

    fn word(&mut self, word: &str) {
        self.bytes.push(term::WORD);
        self.bytes.extend_from_slice(word.as_bytes());
        self.ends.push(self.bytes.len() as u32);
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(from, to)| &self.bytes[from as usize..*to as usize])
    }
}

impl Document {
    /// The document of an event at a position.
    pub(crate) fn new(position: u64, event: &Value<'_>, hashes: Hashes) -> Document {
        let mut maker = Maker {
            hashes,
            above: Vec::new(),
            beside: String::new(),
            document: Document {
                position,
                terms: Terms::default(),
                numbers: Vec::with_capacity(8),
                facets: Vec::with_capacity(12),
                ids: Vec::with_capacity(8),
            },
        };
        query::visit(event, &mut |leaf| maker.leaf(leaf));
        maker.document
    }

    /// Its time, in nanoseconds since 1970.
    pub(crate) fn time(&self) -> Option<i64> {
        self.numbers.iter().find(|(column, _)| usize::from(*column) == TIME).map(|(_, ns)| *ns)
    }
}

struct Maker {
    hashes: Hashes,
    /// Hashes of the paths above leaves that were noted as present.
    above: Vec<[u8; 8]>,
    /// The path above the last leaf: the next is mostly beside it.
    beside: String,
    document: Document,
}

impl Maker {
    fn leaf(&mut self, leaf: Leaf<'_>) {
        let place = crate::schema::place(leaf.path);
        self.present_above(leaf.path);
        match place.column {
            Column::Position => {
                if leaf.value.as_i64() != i64::try_from(self.document.position).ok() {
                    self.opaque(&place);
                }
            }
            Column::Number(column) => self.number(column, &place, leaf.value),
            Column::Facet(column) => {
                self.facet(column, &place, leaf.value);
                self.value(&leaf, &place);
            }
            Column::None => {
                self.document.terms.push(term::PRESENT, place.hash, b"");
                self.value(&leaf, &place);
            }
        }
        match leaf.searched() {
            Searched::Not | Searched::Whole(_) => {}
            Searched::Words(text) => query::words(text).for_each(|word| self.document.terms.word(&word)),
        }
    }

    /// Everything above a leaf is there too.
    fn present_above(&mut self, path: &str) {
        let Some((above, _)) = path.rsplit_once('.') else { return };
        if self.beside == above {
            return;
        }
        self.beside.clear();
        self.beside.push_str(above);
        for (dot, _) in path.match_indices('.') {
            let hash = PLACES.get(&path[..dot]).map_or_else(|| term::path_hash(&path[..dot]), |p| p.hash);
            if !self.above.contains(&hash) {
                self.above.push(hash);
                self.document.terms.push(term::PRESENT, hash, b"");
            }
        }
    }

    /// Only the event itself tells what is there.
    fn opaque(&mut self, place: &Place) {
        self.document.terms.push(term::OPAQUE, place.hash, b"");
        if place.column != Column::None {
            self.document.terms.push(term::PRESENT, place.hash, b"");
        }
    }

    fn number(&mut self, column: usize, place: &Place, value: &Value<'_>) {
        let taken = self.document.numbers.iter().any(|(c, _)| usize::from(*c) == column);
        match units(NUMBER_COLUMNS[column].unit, value) {
            Some((units, exact)) if !taken => {
                self.document.numbers.push((column as u8, units));
                if !exact {
                    self.opaque(place);
                }
            }
            _ => self.opaque(place),
        }
    }

    fn facet(&mut self, column: usize, place: &Place, value: &Value<'_>) {
        let taken = self.document.facets.iter().any(|(c, _)| usize::from(*c) == column);
        match value {
            Value::String(text) if !taken => {
                let text = &text[..text.floor_char_boundary(LONGEST_FACET)];
                self.document.facets.push((column as u8, text.into()));
            }
            _ => self.opaque(place),
        }
    }

    fn value(&mut self, leaf: &Leaf<'_>, place: &Place) {
        let terms = &mut self.document.terms;
        let path = place.hash;
        let text = match leaf.value {
            Value::Bool(b) => return terms.push(term::BOOL, path, &[u8::from(*b)]),
            Value::Number(n) => {
                terms.push(term::NUMBER, path, &term::number(n.as_f64()));
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
            let folded = query::fold(text);
            self.document.ids.push(self.hashes.text(&folded) | u64::from(place.tag));
            if leaf.kind != Kind::Id {
                if let Some(n) = query::decimal(text) {
                    self.document.ids.push(self.hashes.number(n) | u64::from(place.tag));
                }
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
            terms.push(term::DECIMAL, path, &term::number(n));
        }
        if let Ok(ns) = time::parse(text) {
            let ours = time::format_ns(ns) == **text;
            terms.push(if ours { term::TIME } else { term::TIME_OF }, path, &term::time(ns));
            if ours {
                return;
            }
        } else if let Some(address) = query::address(text) {
            let ours = address.to_string() == **text;
            let bytes = term::address(address);
            terms.push(if ours { term::ADDRESS } else { term::ADDRESS_OF }, path, &bytes);
            if ours {
                return;
            }
        }
        let folded: Cow<'_, str> = query::fold(text);
        if folded.len() > term::LONGEST {
            self.opaque(place);
        } else {
            terms.push(term::STRING, path, folded.as_bytes());
        }
    }
}

/// What a column of numbers holds for a value, and whether that tells the value exactly.
fn units(unit: Unit, value: &Value<'_>) -> Option<(i64, bool)> {
    match (unit, value) {
        (Unit::Time, Value::String(text)) => {
            let ns = time::parse(text).ok()?;
            Some((ns, time::format_ns(ns) == **text))
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

/// One value, as tantivy takes it.
#[derive(Clone, Copy)]
pub(crate) enum Part<'a> {
    Term(&'a [u8]),
    Text(&'a str),
    Number(i64),
    Position(u64),
}

impl fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What events say is not for our diagnostics.
        f.write_str("Part")
    }
}

impl<'a> tantivy::schema::Value<'a> for Part<'a> {
    type ArrayIter = std::iter::Empty<Self>;
    type ObjectIter = std::iter::Empty<(&'a str, Self)>;

    fn as_value(&self) -> ReferenceValue<'a, Self> {
        ReferenceValue::Leaf(match self {
            Part::Term(term) => ReferenceValueLeaf::Bytes(term),
            Part::Text(text) => ReferenceValueLeaf::Str(text),
            Part::Number(n) => ReferenceValueLeaf::I64(*n),
            Part::Position(position) => ReferenceValueLeaf::U64(*position),
        })
    }
}

impl TantivyDocument for Document {
    type Value<'a> = Part<'a>;
    type FieldsValuesIter<'a> = Box<dyn Iterator<Item = (Field, Part<'a>)> + 'a>;

    fn iter_fields_and_values(&self) -> Self::FieldsValuesIter<'_> {
        let fields = &*SCHEMA;
        let terms = self.terms.iter().map(|term| (fields.term, Part::Term(term)));
        let position = std::iter::once((fields.position, Part::Position(self.position)));
        let numbers = self.numbers.iter().map(|(c, n)| (fields.numbers[usize::from(*c)], Part::Number(*n)));
        let facets = self.facets.iter().map(|(c, text)| (fields.facets[usize::from(*c)], Part::Text(text)));
        Box::new(terms.chain(position).chain(numbers).chain(facets))
    }
}
