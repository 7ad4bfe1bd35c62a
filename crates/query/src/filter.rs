//! A filter: an expression in canonical form.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use event::Value;
use event::kind::Category;
use event::outcome;
use ipnet::{IpNet, Ipv4Net};

use crate::ast::{Bound, Expr, Literal, Test};
use crate::parse;
use crate::predicate::Predicate;

/// What is asked of events. Its text is canonical: parsing what it prints gives an equal filter.
///
/// The expression inside is flat (no `And` within `And`, no `Not` of `Not`, nothing of one part) and uses the canonical
/// words for status, severity and category.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    expr: Expr,
}

impl Filter {
    /// Reads a filter. Text of more than 4 KiB (as it came, or with every name written out), more than 200 clauses, and
    /// more than 32 levels are refused. Empty text passes every event.
    pub fn parse(text: &str) -> Result<Filter, Error> {
        parse::parse(text)
    }

    /// The filter that passes every event.
    pub fn all() -> Filter {
        Filter { expr: Expr::All }
    }

    /// Whether it passes every event because it asks nothing.
    pub fn is_all(&self) -> bool {
        self.expr == Expr::All
    }

    /// The expression.
    pub fn expr(&self) -> &Expr {
        &self.expr
    }

    /// What passes both.
    pub fn and(self, other: Filter) -> Filter {
        Filter::from(Expr::And(vec![self.expr, other.expr]))
    }

    /// The same with `now` put in: nanoseconds since 1970.
    pub fn at(&self, now_ns: i64) -> Filter {
        Filter { expr: at(&self.expr, now_ns) }
    }

    /// The filter made ready to be asked of many events.
    pub fn predicate(&self) -> Predicate {
        Predicate::new(&self.expr)
    }

    /// Whether one event passes. For many, make a [`Filter::predicate`] once.
    pub fn matches(&self, event: &Value<'_>) -> bool {
        self.predicate().matches(event)
    }

    /// The text as a value in the query of a URL: everything but RFC 3986's unreserved characters in percent-encoding.
    pub fn to_url_query(&self) -> String {
        let mut out = String::new();
        for byte in self.to_string().bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    out.push(char::from(byte))
                }
                _ => {
                    out.push('%');
                    for nibble in [byte >> 4, byte & 15] {
                        out.push(char::from(b"0123456789ABCDEF"[usize::from(nibble)]));
                    }
                }
            }
        }
        out
    }

    /// Reads what [`Filter::to_url_query`] or an HTML form wrote (a form writes spaces as `+`). Places in an [`Error`] are
    /// those of the decoded text, save when the encoding itself is wrong.
    pub fn from_url_query(encoded: &str) -> Result<Filter, Error> {
        let wrong = || Error::new(0..encoded.len(), "the filter's percent-encoding is broken");
        let mut bytes = encoded.bytes();
        let mut text = Vec::with_capacity(encoded.len().min(parse::MAX_BYTES + 1));
        while let Some(byte) = bytes.next() {
            if text.len() > parse::MAX_BYTES {
                break;
            }
            text.push(match byte {
                b'+' => b' ',
                b'%' => {
                    let mut nibble = || char::from(bytes.next()?).to_digit(16);
                    let (high, low) = (nibble().ok_or_else(wrong)?, nibble().ok_or_else(wrong)?);
                    (high << 4 | low) as u8
                }
                byte => byte,
            });
        }
        if text.len() > parse::MAX_BYTES {
            return Err(parse::too_long(parse::MAX_BYTES..encoded.len()));
        }
        Filter::parse(&String::from_utf8(text).map_err(|_| wrong())?)
    }
}

impl Default for Filter {
    fn default() -> Filter {
        Filter::all()
    }
}

impl FromStr for Filter {
    type Err = Error;

    fn from_str(text: &str) -> Result<Filter, Error> {
        Filter::parse(text)
    }
}

impl From<Expr> for Filter {
    /// Brings the expression into canonical form. An `And` of nothing passes everything, an `Or` of nothing passes nothing
    /// (which is `Not(All)`).
    fn from(expr: Expr) -> Filter {
        Filter { expr: canonical(expr) }
    }
}

/// Why a text is no filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The bytes of the text it is about.
    pub span: Range<usize>,
    /// What is wrong, in a sentence without a full stop.
    pub message: String,
    /// What may have been meant instead of those bytes.
    pub suggestion: Option<String>,
}

impl Error {
    pub(crate) fn new(span: Range<usize>, message: impl Into<String>) -> Error {
        Error { span, message: message.into(), suggestion: None }
    }

    pub(crate) fn suggest(mut self, suggestion: Option<impl Into<String>>) -> Error {
        self.suggestion = suggestion.map(Into::into);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, "; did you mean `{suggestion}`?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

fn nothing() -> Expr {
    Expr::Not(Box::new(Expr::All))
}

fn canonical(expr: Expr) -> Expr {
    match expr {
        Expr::And(parts) => {
            let mut flat = Vec::with_capacity(parts.len());
            for part in parts {
                match canonical(part) {
                    Expr::All => {}
                    Expr::And(inner) => flat.extend(inner),
                    part if part == nothing() => return part,
                    part => flat.push(part),
                }
            }
            if flat.len() > 1 { Expr::And(flat) } else { flat.pop().unwrap_or(Expr::All) }
        }
        Expr::Or(parts) => {
            let mut flat = Vec::with_capacity(parts.len());
            for part in parts {
                match canonical(part) {
                    Expr::All => return Expr::All,
                    Expr::Or(inner) => flat.extend(inner),
                    part if part == nothing() => {}
                    part => flat.push(part),
                }
            }
            if flat.len() > 1 { Expr::Or(flat) } else { flat.pop().unwrap_or_else(nothing) }
        }
        Expr::Not(inner) => match canonical(*inner) {
            Expr::Not(inner) => *inner,
            inner => Expr::Not(Box::new(inner)),
        },
        Expr::Field { path, test } => {
            let test = canonical_test(&path, test);
            Expr::Field { path, test }
        }
        leaf @ (Expr::All | Expr::Text(_)) => leaf,
    }
}

fn canonical_test(path: &str, test: Test) -> Test {
    match test {
        Test::Is(said) => {
            let word = match path {
                "status" => outcome::status_name(outcome::status_code(&said)),
                "severity" => outcome::severity_name(outcome::severity_code(&said)),
                "category" => Category::named(&said.to_ascii_lowercase()).map(Category::name),
                _ => None,
            };
            Test::Is(word.map_or(said, str::to_string))
        }
        Test::Like(parts) => {
            let last = parts.len().saturating_sub(1);
            let kept = |(at, part): &(usize, String)| *at == 0 || *at == last || !part.is_empty();
            let mut parts: Vec<String> =
                parts.into_iter().enumerate().filter(kept).map(|(_, part)| part).collect();
            match parts.len() {
                0 | 1 => Test::Is(parts.pop().unwrap_or_default()),
                2 if parts.iter().all(String::is_empty) => Test::Exists,
                _ => Test::Like(parts),
            }
        }
        Test::Range { from: None, to: None } => Test::Exists,
        Test::Cidr(network) => Test::Cidr(canonical_network(network)),
        test @ (Test::Exists | Test::Range { .. }) => test,
    }
}

/// Without bits of a host, and IPv4 where it is IPv4 written as IPv6, as [`crate::address`] reads it.
fn canonical_network(network: IpNet) -> IpNet {
    if let IpNet::V6(v6) = network
        && let (Some(address), Some(length)) = (v6.addr().to_ipv4_mapped(), v6.prefix_len().checked_sub(96))
        && let Ok(v4) = Ipv4Net::new(address, length)
    {
        return IpNet::V4(v4.trunc());
    }
    network.trunc()
}

fn at(expr: &Expr, now_ns: i64) -> Expr {
    let all = |parts: &[Expr]| parts.iter().map(|part| at(part, now_ns)).collect();
    let bound = |bound: &Option<Bound>| {
        bound.clone().map(|bound| match bound.value {
            Literal::Now(after) => Bound { value: Literal::Time(now_ns.saturating_add(after)), ..bound },
            _ => bound,
        })
    };
    match expr {
        Expr::And(parts) => Expr::And(all(parts)),
        Expr::Or(parts) => Expr::Or(all(parts)),
        Expr::Not(inner) => Expr::Not(Box::new(at(inner, now_ns))),
        Expr::Field { path, test: Test::Range { from, to } } => {
            Expr::Field { path: path.clone(), test: Test::Range { from: bound(from), to: bound(to) } }
        }
        other => other.clone(),
    }
}
