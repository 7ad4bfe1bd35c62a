//! A filter becomes sets of documents of one part.
//!
//! Terms and columns cannot tell everything (`term`), so there may be two sets: what surely fits, and what may fit. Most
//! filters are told exactly and have one. `Not` exchanges the two, so that neither a negation nor anything else loses an
//! event or shows a wrong one: what lies between the sets is decided by the event itself (`query::Predicate`).

use std::io;
use std::net::IpAddr;
use std::ops::Bound as Limit;

use event::{Value, outcome, time};
use ipnet::IpNet;
use query::{Bound, Expr, Kind, Literal, Test, Text};

use crate::dictionary::Listed;
use crate::error::Error;
use crate::ids::{ELSEWHERE, Hashes, Tag};
use crate::part::Part;
use crate::schema::{Column, NUMBER_COLUMNS, Place, Unit, place};
use crate::term;
use crate::window::Node;

/// More terms than this are put into one bitmap at once.
const TERMS_APART: usize = 8;

/// The documents of a part for a filter.
pub(crate) struct Sets {
    /// What may fit.
    pub(crate) upper: Node,
    /// What surely fits, if that is not the same.
    pub(crate) lower: Option<Node>,
}

/// Compiles a filter in canonical form.
pub(crate) fn compile(part: &Part, hashes: Hashes, expr: &Expr) -> Result<Sets, Error> {
    let mut compiler = Compiler { part, hashes, exact: true };
    let upper = compiler.expr(expr, Side::Upper)?;
    let lower = if compiler.exact { None } else { Some(compiler.expr(expr, Side::Lower)?) };
    Ok(Sets { upper, lower })
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Upper,
    Lower,
}

impl Side {
    fn other(self) -> Side {
        if self == Side::Upper { Side::Lower } else { Side::Upper }
    }
}

struct Compiler<'a> {
    part: &'a Part,
    hashes: Hashes,
    /// Whether no leaf of the filter was in doubt.
    exact: bool,
}

/// Bounds of terms that follow a prefix.
type Limits<'a> = (Limit<&'a [u8]>, Limit<&'a [u8]>);
const EVERY: Limits<'static> = (Limit::Unbounded, Limit::Unbounded);

impl Compiler<'_> {
    fn expr(&mut self, expr: &Expr, side: Side) -> io::Result<Node> {
        Ok(match expr {
            Expr::All => Node::All,
            Expr::And(parts) => {
                Node::and(parts.iter().map(|part| self.expr(part, side)).collect::<io::Result<_>>()?)
            }
            Expr::Or(parts) => {
                Node::or(parts.iter().map(|part| self.expr(part, side)).collect::<io::Result<_>>()?)
            }
            Expr::Not(inner) => Node::not(self.expr(inner, side.other())?),
            Expr::Text(Text::Phrase(text)) => self.phrase(text, side)?,
            Expr::Text(Text::Prefix(start)) => {
                let mut prefix = vec![term::WORD];
                prefix.extend_from_slice(query::fold(start).as_bytes());
                self.terms(&prefix, EVERY, |_| true)?
            }
            Expr::Field { path, test } => self.field(path, test, side)?,
        })
    }

    /// What surely fits, and what may fit besides.
    fn decide(
        &mut self,
        side: Side,
        sure: Node,
        maybe: impl FnOnce(&mut Self) -> io::Result<Node>,
    ) -> io::Result<Node> {
        // Whether there is a doubt is known when the upper side was compiled; within a negation that begins here.
        if side == Side::Lower && !self.exact {
            return Ok(sure);
        }
        let maybe = maybe(self)?;
        if matches!(maybe, Node::None) {
            return Ok(sure);
        }
        self.exact = false;
        Ok(if side == Side::Lower { sure } else { Node::or(vec![sure, maybe]) })
    }

    fn phrase(&mut self, text: &str, side: Side) -> io::Result<Node> {
        let whole = self.ids(self.hashes.text(&query::fold(text)), |_| true)?;
        let words: Vec<_> = query::words(text).collect();
        match words.as_slice() {
            [] => Ok(whole),
            [word] => Ok(Node::or(vec![self.one(&term::word(word))?, whole])),
            _ => self.decide(side, whole, |this| this.words(text)),
        }
    }

    /// All of the words, in any place.
    fn words(&self, text: &str) -> io::Result<Node> {
        let words = query::words(text).map(|word| self.one(&term::word(&word)));
        Ok(Node::and(words.collect::<io::Result<_>>()?))
    }

    fn field(&mut self, path: &str, test: &Test, side: Side) -> io::Result<Node> {
        // Shown with an event, and not of it.
        if matches!(path.split('.').next(), Some("leaf_hash" | "state" | "verification")) {
            return Ok(Node::None);
        }
        let place = place(path);
        if let Test::Exists = test {
            return self.exists(&place);
        }
        match place.column {
            Column::Position => self.position(test, &place, side),
            Column::Number(column) => self.number(column, test, &place, side),
            Column::None | Column::Facet(_) => match query::kind_of(path) {
                Kind::Id => self.id(test, &place, side),
                Kind::Prose => self.prose(test, &place, side),
                kind => self.value(path, kind, test, &place, side),
            },
        }
    }

    fn exists(&self, place: &Place) -> io::Result<Node> {
        let noted = self.one(&term::term(term::PRESENT, place.hash, b""))?;
        Ok(match place.column {
            Column::Position => Node::All,
            Column::None => noted,
            Column::Facet(column) => Node::or(vec![has_value(self.part.texts(column)?.numbers), noted]),
            Column::Number(column) => Node::or(vec![has_value(self.part.numbers(column)?), noted]),
        })
    }

    fn opaque(&self, place: &Place) -> io::Result<Node> {
        self.one(&term::term(term::OPAQUE, place.hash, b""))
    }

    /// `position`, which is where the document is.
    fn position(&mut self, test: &Test, place: &Place, side: Side) -> io::Result<Node> {
        let (first, end) = (self.part.entry.from as f64, self.part.entry.to as f64);
        let (low, high) = match test {
            Test::Is(said) => match query::decimal(said) {
                Some(n) => ((n, true), (n, true)),
                None => return self.decide(side, Node::None, |this| this.opaque(place)),
            },
            Test::Range { from, to } => match (edge(from), edge(to)) {
                (Edge::Open, Edge::Open) => ((first, true), (end, true)),
                (Edge::Number(low, i), Edge::Open) => ((low, i), (end, true)),
                (Edge::Open, Edge::Number(high, i)) => ((first, true), (high, i)),
                (Edge::Number(low, i), Edge::Number(high, j)) => ((low, i), (high, j)),
                _ => return self.decide(side, Node::None, |this| this.opaque(place)),
            },
            Test::Like(_) => return self.decide(side, Node::None, |_| Ok(Node::All)),
            Test::Cidr(_) | Test::Exists => return self.decide(side, Node::None, |this| this.opaque(place)),
        };
        // Positions from the first one that is not below, to before the first one that is above.
        let reach = |limit: f64, whole_too: bool| {
            let whole = if whole_too { limit.floor() + 1.0 } else { limit.ceil() };
            whole.clamp(first, end) as u64
        };
        let (from, to) = (reach(low.0, !low.1), reach(high.0, high.1));
        let span = if from < to {
            let document = |position: u64| (self.part.entry.to - position) as u32;
            Node::Span(document(to)..document(from))
        } else {
            Node::None
        };
        let opaque = self.opaque(place)?;
        if matches!(opaque, Node::None) {
            return Ok(span);
        }
        // Some event says another position than its own.
        self.exact = false;
        Ok(match side {
            Side::Upper => Node::or(vec![span, opaque]),
            Side::Lower => Node::and(vec![span, Node::not(opaque)]),
        })
    }

    /// A path whose values are in a column of numbers.
    fn number(&mut self, column: usize, test: &Test, place: &Place, side: Side) -> io::Result<Node> {
        let unit = NUMBER_COLUMNS[column].unit;

        let wanted = match test {
            Test::Is(said) => match unit {
                Unit::Time => {
                    let ns = time::parse(&said.to_ascii_uppercase()).ok();
                    // The text itself must be equal, and ours is written in one way.
                    ns.filter(|ns| query::fold(&time::format_ns(*ns)) == query::fold(said)).map(|ns| (ns, ns))
                }
                Unit::Scaled(scale) | Unit::Decimal(scale) => {
                    query::decimal(said).and_then(|n| units_within(scale, Some((n, true)), Some((n, true))))
                }
            },
            Test::Range { from, to } => match (unit, edge(from), edge(to)) {
                (_, Edge::Nothing, _) | (_, _, Edge::Nothing) => return Ok(Node::None),
                (Unit::Time, from @ (Edge::Time(..) | Edge::Open), to @ (Edge::Time(..) | Edge::Open)) => {
                    let low = match from {
                        Edge::Time(ns, inclusive) => ns.checked_add(i64::from(!inclusive)),
                        _ => Some(i64::MIN),
                    };
                    let high = match to {
                        Edge::Time(ns, inclusive) => ns.checked_sub(i64::from(!inclusive)),
                        _ => Some(i64::MAX),
                    };
                    low.zip(high).filter(|(low, high)| low <= high)
                }
                (
                    Unit::Scaled(scale) | Unit::Decimal(scale),
                    from @ (Edge::Number(..) | Edge::Open),
                    to @ (Edge::Number(..) | Edge::Open),
                ) => units_within(scale, from.number(), to.number()),
                // Text, for what is no text but in events that are not as they should be.
                (Unit::Scaled(_), ..) => None,
                (Unit::Time, Edge::Number(..), _) | (Unit::Time, _, Edge::Number(..)) => None,
                (Unit::Decimal(_), Edge::Time(..), _) | (Unit::Decimal(_), _, Edge::Time(..)) => None,
                _ => return self.decide(side, Node::None, |this| this.exists(place)),
            },
            Test::Like(_) => return self.decide(side, Node::None, |this| this.exists(place)),
            Test::Cidr(_) | Test::Exists => None,
        };
        let found = match wanted {
            Some((low, high)) => {
                let column = self.part.numbers(column)?;
                if column.is_empty() || high < column.lowest || low > column.highest {
                    Node::None
                } else if low <= column.lowest && high >= column.highest {
                    has_value(column)
                } else {
                    Node::Within(Box::new(column), low..=high)
                }
            }
            None => Node::None,
        };
        let opaque = self.opaque(place)?;
        if matches!(opaque, Node::None) {
            return Ok(found);
        }
        self.exact = false;
        Ok(match side {
            Side::Upper => Node::or(vec![found, opaque]),
            // What the column says of those was rounded.
            Side::Lower => Node::and(vec![found, Node::not(opaque)]),
        })
    }

    fn id(&mut self, test: &Test, place: &Place, side: Side) -> io::Result<Node> {
        match test {
            Test::Is(said) => {
                let tag = place.tag;
                let found = self.ids(self.hashes.text(&query::fold(said)), |t| t == tag)?;
                Ok(Node::or(vec![found, self.bool(said, place)?]))
            }
            _ => self.decide(side, Node::None, |this| this.exists(place)),
        }
    }

    fn prose(&mut self, test: &Test, place: &Place, side: Side) -> io::Result<Node> {
        match test {
            Test::Is(said) => {
                let tag = place.tag;
                let whole = self.ids(self.hashes.text(&query::fold(said)), |t| t == tag)?;
                if query::words(said).next().is_none() {
                    return Ok(whole);
                }
                self.decide(side, whole, |this| Ok(Node::and(vec![this.words(said)?, this.exists(place)?])))
            }
            _ => self.decide(side, Node::None, |this| this.exists(place)),
        }
    }

    /// A path whose values have terms.
    fn value(&mut self, path: &str, kind: Kind, test: &Test, place: &Place, side: Side) -> io::Result<Node> {
        match test {
            Test::Is(said) => self.is(said, kind, place, side),
            Test::Like(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| query::fold(part).into_owned()).collect();
                let fits = |text: &str| fits(&parts, &query::fold(text));
                let mut prefix = term::term(term::STRING, place.hash, b"");
                prefix.extend_from_slice(parts.first().map_or("", String::as_str).as_bytes());
                let sure = Node::or(vec![
                    self.terms(&prefix, EVERY, |rest| {
                        // The rest follows the first part.
                        let rest = std::str::from_utf8(rest).unwrap_or_default();
                        fits(&format!("{}{rest}", parts.first().map_or("", String::as_str)))
                    })?,
                    self.decoded(place, fits)?,
                    self.scan(term::NUMBER, place, |bytes| {
                        bytes.try_into().is_ok_and(|b| {
                            let number = Value::number(term::number_of(b)).map(|n| n.to_jcs());
                            number.is_some_and(|text| fits(&String::from_utf8_lossy(&text)))
                        })
                    })?,
                    self.scan(term::BOOL, place, |bytes| fits(if bytes == [1] { "true" } else { "false" }))?,
                ]);
                self.decide(side, sure, |this| this.opaque(place))
            }
            Test::Cidr(network) => {
                let (first, last) = match network {
                    IpNet::V4(v4) => (IpAddr::V4(v4.network()), IpAddr::V4(v4.broadcast())),
                    IpNet::V6(v6) => (IpAddr::V6(v6.network()), IpAddr::V6(v6.broadcast())),
                };
                let (first, last) = (term::address(first), term::address(last));
                let limits: Limits<'_> = (Limit::Included(&first), Limit::Included(&last));
                // Networks of version 6 do not hold addresses of version 4, although theirs are mapped into it.
                let same_version =
                    |bytes: &[u8]| bytes.try_into().is_ok_and(|b| network.contains(&term::address_of(b)));
                let canonical =
                    self.terms(&term::term(term::ADDRESS, place.hash, b""), limits, same_version)?;
                let others =
                    self.terms(&term::term(term::ADDRESS_OF, place.hash, b""), limits, same_version)?;
                Ok(Node::or(vec![canonical, others]))
            }
            Test::Range { from, to } => self.range(path, edge(from), edge(to), place, side),
            Test::Exists => self.exists(place),
        }
    }

    fn is(&mut self, said: &str, kind: Kind, place: &Place, side: Side) -> io::Result<Node> {
        let folded = query::fold(said);
        let mut any = vec![
            self.one(&term::term(term::STRING, place.hash, folded.as_bytes()))?,
            self.bool(&folded, place)?,
        ];
        // The classes of what has no term as a string.
        if let Ok(ns) = time::parse(&said.to_ascii_uppercase())
            && query::fold(&time::format_ns(ns)) == folded
        {
            any.push(self.one(&term::term(term::TIME, place.hash, &term::time(ns)))?);
        }
        if let Some(address) = query::address(said) {
            let bytes = term::address(address);
            if kind == Kind::Ip || address.to_string() == *folded {
                any.push(self.one(&term::term(term::ADDRESS, place.hash, &bytes))?);
            }
            if kind == Kind::Ip {
                any.push(self.one(&term::term(term::ADDRESS_OF, place.hash, &bytes))?);
            }
        }
        // What is unique is told by field and value, or in the open blocks by value alone.
        let mut maybe = Vec::new();
        let mut unique = |this: &Self, hash| -> io::Result<()> {
            let tag = place.tag;
            let found = this.ids(hash, |t| t == tag)?;
            if tag == ELSEWHERE {
                maybe.push(found)
            } else {
                any.push(found)
            }
            Ok(())
        };
        if query::is_unique(&folded) {
            unique(self, self.hashes.text(&folded))?;
        }
        if let Some(n) = query::decimal(said) {
            unique(self, self.hashes.number(n))?;
            any.push(self.one(&term::term(term::NUMBER, place.hash, &term::number(n)))?);
            any.push(self.one(&term::term(term::DECIMAL, place.hash, &term::number(n)))?);
        }
        if folded.len() > term::LONGEST {
            maybe.push(self.opaque(place)?);
        }
        self.decide(side, Node::or(any), |_| Ok(Node::or(maybe)))
    }

    fn bool(&self, said: &str, place: &Place) -> io::Result<Node> {
        match &*query::fold(said) {
            "true" => self.one(&term::term(term::BOOL, place.hash, &[1])),
            "false" => self.one(&term::term(term::BOOL, place.hash, &[0])),
            _ => Ok(Node::None),
        }
    }

    fn range(
        &mut self,
        path: &str,
        from: Edge<'_>,
        to: Edge<'_>,
        place: &Place,
        side: Side,
    ) -> io::Result<Node> {
        let severities = |edge: &Edge<'_>| matches!(edge, Edge::Severity(..));
        match (&from, &to) {
            (Edge::Nothing, _) | (_, Edge::Nothing) => Ok(Node::None),
            _ if (severities(&from) || severities(&to)) && path != "severity" => Ok(Node::None),
            (Edge::Number(..), Edge::Number(..) | Edge::Open) | (Edge::Open, Edge::Number(..)) => {
                let bytes = |edge: Edge<'_>| edge.number().map(|(n, inclusive)| (term::number(n), inclusive));
                let (from, to) = (bytes(from), bytes(to));
                let limits = (limit(from.as_ref()), limit(to.as_ref()));
                let sure = Node::or(vec![
                    self.terms(&term::term(term::NUMBER, place.hash, b""), limits, |_| true)?,
                    self.terms(&term::term(term::DECIMAL, place.hash, b""), limits, |_| true)?,
                ]);
                self.decide(side, sure, |this| this.opaque(place))
            }
            (Edge::Time(..), Edge::Time(..) | Edge::Open) | (Edge::Open, Edge::Time(..)) => {
                let bytes = |edge: &Edge<'_>| match edge {
                    Edge::Time(ns, inclusive) => Some((term::time(*ns), *inclusive)),
                    _ => None,
                };
                let (from, to) = (bytes(&from), bytes(&to));
                let limits = (limit(from.as_ref()), limit(to.as_ref()));
                Ok(Node::or(vec![
                    self.terms(&term::term(term::TIME, place.hash, b""), limits, |_| true)?,
                    self.terms(&term::term(term::TIME_OF, place.hash, b""), limits, |_| true)?,
                ]))
            }
            (Edge::Severity(..), Edge::Severity(..) | Edge::Open) | (Edge::Open, Edge::Severity(..)) => {
                let code = |edge: &Edge<'_>| match edge {
                    Edge::Severity(code, inclusive) => Some((*code, *inclusive)),
                    _ => None,
                };
                let (from, to) = (code(&from), code(&to));
                self.scan(term::STRING, place, |text| {
                    let code = outcome::severity_code(std::str::from_utf8(text).unwrap_or_default());
                    code != outcome::OTHER
                        && from.is_none_or(|(edge, inclusive)| code > edge || (inclusive && code == edge))
                        && to.is_none_or(|(edge, inclusive)| code < edge || (inclusive && code == edge))
                })
            }
            (Edge::Text(..), Edge::Text(..) | Edge::Open) | (Edge::Open, Edge::Text(..)) => {
                let text = |edge: &Edge<'_>| match edge {
                    Edge::Text(text, inclusive) => Some((query::fold(text).into_owned(), *inclusive)),
                    _ => None,
                };
                let (from, to) = (text(&from), text(&to));
                let limits = (limit(from.as_ref()), limit(to.as_ref()));
                let sure = Node::or(vec![
                    self.terms(&term::term(term::STRING, place.hash, b""), limits, |_| true)?,
                    self.decoded(place, |text| {
                        let text = query::fold(text);
                        from.as_ref().is_none_or(|(edge, i)| *text > **edge || (*i && *text == **edge))
                            && to.as_ref().is_none_or(|(edge, i)| *text < **edge || (*i && *text == **edge))
                    })?,
                ]);
                self.decide(side, sure, |this| this.opaque(place))
            }
            // Ends of different kinds: some text may be between both.
            _ => self.decide(side, Node::None, |this| this.exists(place)),
        }
    }

    /// Times and addresses whose text passes; they have no terms as strings.
    fn decoded(&self, place: &Place, passes: impl Fn(&str) -> bool) -> io::Result<Node> {
        let times = self.scan(term::TIME, place, |bytes| {
            bytes.try_into().is_ok_and(|b| passes(&time::format_ns(term::time_of(b))))
        })?;
        let addresses = self.scan(term::ADDRESS, place, |bytes| {
            bytes.try_into().is_ok_and(|b| passes(&term::address_of(b).to_string()))
        })?;
        Ok(Node::or(vec![times, addresses]))
    }

    fn scan(&self, class: u8, place: &Place, passes: impl Fn(&[u8]) -> bool) -> io::Result<Node> {
        self.terms(&term::term(class, place.hash, b""), EVERY, passes)
    }

    /// The documents with one term.
    fn one(&self, term: &[u8]) -> io::Result<Node> {
        let Some((_, listed)) = self.part.terms.get(&self.part.reader, term)? else { return Ok(Node::None) };
        self.listed(listed)
    }

    fn listed(&self, listed: Listed) -> io::Result<Node> {
        Ok(match listed {
            Listed::One(document) => Node::List(vec![document]),
            Listed::Many { count, .. } if count == self.part.len() => Node::All,
            many => Node::Postings(Box::new(self.part.postings(many)?)),
        })
    }

    /// The documents with any term that begins with a prefix, goes on within limits, and passes from there.
    fn terms(
        &self,
        prefix: &[u8],
        (from, to): Limits<'_>,
        passes: impl Fn(&[u8]) -> bool,
    ) -> io::Result<Node> {
        let start = match from {
            Limit::Included(end) | Limit::Excluded(end) => [prefix, end].concat(),
            Limit::Unbounded => prefix.to_vec(),
        };
        let mut walk = self.part.terms.walk(&self.part.reader, &start)?;
        let mut apart = Vec::new();
        let mut together: Option<Vec<u64>> = None;
        while let Some((term, _, listed)) = walk.current() {
            let Some(rest) = term.strip_prefix(prefix) else { break };
            let is_beyond = match to {
                Limit::Included(end) => rest > end,
                Limit::Excluded(end) => rest >= end,
                Limit::Unbounded => false,
            };
            if is_beyond {
                break;
            }
            if !matches!(from, Limit::Excluded(end) if rest == end) && passes(rest) {
                match &mut together {
                    Some(bits) => self.mark(listed, bits)?,
                    None => apart.push(listed),
                }
                if apart.len() > TERMS_APART {
                    let bits = together.insert(vec![0; self.part.len().div_ceil(64) as usize]);
                    apart.drain(..).try_for_each(|listed| self.mark(listed, bits))?;
                }
            }
            walk.advance()?;
        }
        Ok(match together {
            Some(bits) => Node::Bits(bits),
            None => Node::or(apart.into_iter().map(|listed| self.listed(listed)).collect::<io::Result<_>>()?),
        })
    }

    /// Puts the documents of a term into a bitmap of the whole part.
    fn mark(&self, listed: Listed, bits: &mut [u64]) -> io::Result<()> {
        self.part.postings(listed)?.drain(|documents| {
            for document in documents {
                bits[(document / 64) as usize] |= 1 << (document % 64);
            }
        });
        Ok(())
    }

    /// The documents with a unique value.
    fn ids(&self, hash: u64, wanted: impl Fn(Tag) -> bool) -> io::Result<Node> {
        let mut found = Vec::new();
        self.part.ids.find(&self.part.reader, hash, wanted, &mut found)?;
        if found.is_empty() {
            return Ok(Node::None);
        }
        let last = self.part.len() - 1;
        let mut documents: Vec<u32> = found.into_iter().map(|position| last - position).collect();
        documents.sort_unstable();
        documents.dedup();
        Ok(Node::List(documents))
    }
}

/// The documents with a value in a column.
fn has_value(column: crate::column::Column) -> Node {
    match column {
        column if column.is_full() => Node::All,
        column if column.is_empty() => Node::None,
        column => Node::Within(Box::new(column), i64::MIN..=i64::MAX),
    }
}

/// An end of a range, read once.
#[derive(Clone, Copy)]
enum Edge<'a> {
    Open,
    Number(f64, bool),
    Time(i64, bool),
    Severity(u8, bool),
    Text(&'a str, bool),
    /// A time that was not made absolute: nothing compares with it.
    Nothing,
}

impl Edge<'_> {
    fn number(self) -> Option<(f64, bool)> {
        match self {
            Edge::Number(n, inclusive) => Some((n, inclusive)),
            _ => None,
        }
    }
}

fn edge(bound: &Option<Bound>) -> Edge<'_> {
    let Some(Bound { value, inclusive }) = bound else { return Edge::Open };
    match value {
        Literal::Number(n) if n.is_nan() => Edge::Nothing,
        Literal::Number(n) => Edge::Number(*n, *inclusive),
        Literal::Time(ns) => Edge::Time(*ns, *inclusive),
        Literal::Now(_) => Edge::Nothing,
        Literal::Severity(code) => Edge::Severity(*code, *inclusive),
        Literal::Text(text) => Edge::Text(text, *inclusive),
    }
}

fn limit<B: AsRef<[u8]>>(edge: Option<&(B, bool)>) -> Limit<&[u8]> {
    match edge {
        None => Limit::Unbounded,
        Some((bytes, true)) => Limit::Included(bytes.as_ref()),
        Some((bytes, false)) => Limit::Excluded(bytes.as_ref()),
    }
}

/// First and last whole number whose value, divided by 10^scale, is within the bounds; `None` if there is none.
fn units_within(scale: u32, from: Option<(f64, bool)>, to: Option<(f64, bool)>) -> Option<(i64, i64)> {
    const MOST: i64 = 1 << 53;
    let factor = 10f64.powi(scale as i32);
    // The first number for which the condition holds: it holds from there on.
    let first = |holds: &dyn Fn(f64) -> bool| {
        let (mut low, mut high) = (-MOST, MOST + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            if holds(middle as f64 / factor) { high = middle } else { low = middle + 1 }
        }
        low
    };
    let low = from.map_or(-MOST, |(edge, i)| first(&|value| value > edge || (i && value == edge)));
    let beyond = to.map_or(MOST + 1, |(edge, i)| first(&|value| value > edge || (!i && value == edge)));
    (low < beyond).then_some((low, beyond - 1))
}

/// Whether a text is the parts in their order with anything between them, as `query::Predicate` has it.
fn fits(parts: &[String], text: &str) -> bool {
    let [first, between @ .., last] = parts else { return parts.first().is_some_and(|only| only == text) };
    let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
    for part in between {
        let Some(at) = rest.find(part.as_str()) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last.as_str())
}
