//! What a value means for the field it is compared with.

use event::kind::Category;
use event::outcome::{self, SEVERITIES};
use ipnet::IpNet;

use crate::ast::{Bound, Literal, Test};
use crate::field::{Kind, is_bool, nearest_word};
use crate::filter::Error;
use crate::scan::Piece;
use crate::time::{When, milliseconds, when};
use crate::words::{address, decimal, words};

/// An end of a range as it was written: a value, or a whole day, month or year.
pub(crate) enum Edge {
    Point(Literal),
    Period(i64, i64),
}

/// `field:value` and `field=value`.
pub(crate) fn equal(path: &str, kind: Kind, piece: &Piece) -> Result<Test, Error> {
    if piece.is_anything() {
        return Ok(Test::Exists);
    }
    let Some(text) = piece.text() else { return Ok(Test::Like(piece.parts.clone())) };
    if let Some(range) = dotted_range(path, kind, piece, text) {
        return range;
    }
    let wrong = |message: String| Err(Error::new(piece.span.clone(), message));
    match kind {
        Kind::Time => Ok(match edge(path, kind, piece)? {
            // Nothing happens exactly seven days ago: it is the beginning of the time asked about.
            Edge::Point(Literal::Now(after)) => range(Some((Edge::Point(Literal::Now(after)), true)), None),
            Edge::Point(at) => range(Some((Edge::Point(at.clone()), true)), Some((Edge::Point(at), true))),
            Edge::Period(first, next) => {
                range(Some((Edge::Period(first, next), true)), Some((Edge::Period(first, next), true)))
            }
        }),
        Kind::Number | Kind::Decimal => match (decimal(text), length(path, kind, text)) {
            (Some(_), _) => Ok(Test::Is(text.to_string())),
            (None, Some(ms)) => Ok(Test::Is(ms.to_string())),
            (None, None) => wrong(no_number(path, kind, text)),
        },
        Kind::Ip => match (text.parse::<IpNet>(), address(text)) {
            (Ok(network), _) => Ok(Test::Cidr(network)),
            (_, Some(_)) => Ok(Test::Is(text.to_string())),
            _ => wrong(format!(
                "`{text}` is neither an address such as 203.0.113.7 nor a network such as 203.0.113.0/24"
            )),
        },
        Kind::Prose if words(text).next().is_none() => {
            wrong(format!("there is no word to look for in `{text}`"))
        }
        Kind::Keyword if path == "category" && Category::named(&text.to_ascii_lowercase()).is_none() => {
            let names = Category::ALL.iter().map(|category| category.name());
            Err(Error::new(piece.span.clone(), format!("there is no category `{text}`"))
                .suggest(nearest_word(text, names)))
        }
        Kind::Keyword if is_bool(path) => match text.to_ascii_lowercase() {
            word if word == "true" || word == "false" => Ok(Test::Is(word)),
            _ => wrong(format!("`{path}` is true or false, not `{text}`")),
        },
        Kind::Keyword | Kind::Open if !piece.quoted && text.contains('/') => Ok(match text.parse() {
            Ok(network) => Test::Cidr(network),
            Err(_) => Test::Is(text.to_string()),
        }),
        Kind::Keyword | Kind::Open | Kind::Id | Kind::Prose => Ok(Test::Is(text.to_string())),
    }
}

/// `a..b`, `a..` and `..b`: where the field has an order, and elsewhere if the ends are numbers or times.
fn dotted_range(path: &str, kind: Kind, piece: &Piece, text: &str) -> Option<Result<Test, Error>> {
    let (from, to) = text.split_once("..").filter(|_| !piece.quoted && !piece.escaped)?;
    let ordered = |end: &str| end.is_empty() || decimal(end).is_some() || event::time::parse(end).is_ok();
    let is_range = match kind {
        Kind::Number | Kind::Decimal | Kind::Time => true,
        Kind::Keyword | Kind::Open => path == "severity" || (ordered(from) && ordered(to)),
        Kind::Id | Kind::Ip | Kind::Prose => false,
    };
    if !is_range || text == ".." {
        return None;
    }
    let end = |end: &str, at: usize| match end {
        "" => Ok(None),
        end => {
            let span = at..at + end.len();
            let piece = Piece { span, parts: vec![end.to_string()], quoted: false, escaped: false };
            edge(path, kind, &piece).map(|edge| Some((edge, true)))
        }
    };
    let start = piece.span.start;
    Some(end(from, start).and_then(|low| Ok(range(low, end(to, start + from.len() + 2)?))))
}

/// An end of a range.
pub(crate) fn edge(path: &str, kind: Kind, piece: &Piece) -> Result<Edge, Error> {
    let wrong = |message: String| Err(Error::new(piece.span.clone(), message));
    let Some(text) = piece.text() else {
        return wrong("a wildcard has no place in a comparison".to_string());
    };
    let literal = match kind {
        Kind::Time => match when(text) {
            Ok(When::Moment(ns)) => Literal::Time(ns),
            Ok(When::Relative(after)) => Literal::Now(after),
            Ok(When::Period(first, next)) => return Ok(Edge::Period(first, next)),
            Err(message) => return wrong(message),
        },
        Kind::Number | Kind::Decimal => match decimal(text).or_else(|| length(path, kind, text)) {
            Some(number) => Literal::Number(number),
            None => return wrong(no_number(path, kind, text)),
        },
        Kind::Ip => {
            return wrong(format!("addresses are compared by network: {path}:203.0.113.0/24"));
        }
        Kind::Keyword if path == "severity" => match outcome::severity_code(text) {
            outcome::OTHER => {
                let words = SEVERITIES.iter().flat_map(|word| word.synonyms.iter().chain([&word.name]));
                let error = Error::new(
                    piece.span.clone(),
                    format!("`{text}` is not a severity: info, low, medium, high or critical"),
                );
                return Err(error.suggest(nearest_word(text, words.copied())));
            }
            code => Literal::Severity(code),
        },
        Kind::Keyword if matches!(path, "status" | "category") || is_bool(path) => {
            return wrong(format!(
                "the values of `{path}` have no order; ask for the ones you mean, {path}:(a OR b)"
            ));
        }
        _ if piece.quoted => Literal::Text(text.to_string()),
        Kind::Open if text.to_ascii_lowercase().starts_with("now") && when(text).is_ok() => {
            match when(text) {
                Ok(When::Relative(after)) => Literal::Now(after),
                _ => Literal::Text(text.to_string()),
            }
        }
        _ => match (decimal(text), event::time::parse(&text.to_ascii_uppercase())) {
            (Some(number), _) => Literal::Number(number),
            (_, Ok(ns)) if kind == Kind::Open => Literal::Time(ns),
            _ => Literal::Text(text.to_string()),
        },
    };
    Ok(Edge::Point(literal))
}

/// A range from one edge to another, each with whether it is within. A period is within as a whole, or not at all.
pub(crate) fn range(from: Option<(Edge, bool)>, to: Option<(Edge, bool)>) -> Test {
    let bound = |value: Literal, inclusive: bool| Bound { value, inclusive };
    Test::Range {
        from: from.map(|(edge, inclusive)| match edge {
            Edge::Point(value) => bound(value, inclusive),
            Edge::Period(first, next) => bound(Literal::Time(if inclusive { first } else { next }), true),
        }),
        to: to.map(|(edge, inclusive)| match edge {
            Edge::Point(value) => bound(value, inclusive),
            Edge::Period(first, next) => bound(Literal::Time(if inclusive { next } else { first }), false),
        }),
    }
}

/// Whether both ends of a range can be within it.
pub(crate) fn comparable(from: &Edge, to: &Edge) -> bool {
    let order = |edge: &Edge| match edge {
        Edge::Point(Literal::Number(_)) => 0,
        Edge::Point(Literal::Time(_) | Literal::Now(_)) | Edge::Period(..) => 1,
        Edge::Point(Literal::Severity(_)) => 2,
        Edge::Point(Literal::Text(_)) => 3,
    };
    order(from) == order(to)
}

/// A length of time, for fields that count milliseconds.
fn length(path: &str, kind: Kind, text: &str) -> Option<f64> {
    milliseconds(text).filter(|_| kind == Kind::Number && path.ends_with("_ms"))
}

fn no_number(path: &str, kind: Kind, text: &str) -> String {
    match kind {
        Kind::Number if path.ends_with("_ms") => {
            format!(
                "`{path}` is a number of milliseconds, or a length of time such as 2s; `{text}` is neither"
            )
        }
        _ => format!("`{path}` is a number, and `{text}` is not"),
    }
}
