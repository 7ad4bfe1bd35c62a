//! The grammar, by recursive descent. `docs/reference/query.md` says it in words.
//!
//! ```text
//! any     = all ("OR" all)*
//! all     = one (("AND")? one)*
//! one     = ("NOT" | "-" | "!") one | "(" any ")" | clause
//! clause  = name operator value | "exists:" name | word | "quoted text"
//! value   = word | "quoted text" | "(" any ")" | ("[" | "{") edge "TO" edge ("]" | "}")
//! ```
//!
//! In the parentheses of a value, what stands for a clause is a value of the same field.

use std::ops::Range;

use crate::ast::{Expr, Test, Text};
use crate::field::{Kind, Named, inside, nearest, resolve};
use crate::filter::{Error, Filter};
use crate::scan::{Piece, Scanner, operator_follows, quote};
use crate::value::{Edge, comparable, edge, equal, range};
use crate::words::{WORD_BYTES, fold, words};

/// A longer text is refused.
pub(crate) const MAX_BYTES: usize = 4096;
const MAX_DEPTH: usize = 32;
const MAX_CLAUSES: usize = 200;

pub(crate) fn parse(text: &str) -> Result<Filter, Error> {
    if text.len() > MAX_BYTES {
        return Err(too_long(MAX_BYTES..text.len()));
    }
    let mut parser = Parser { scan: Scanner::new(text), depth: 0, clauses: 0 };
    parser.scan.skip_space();
    if parser.scan.rest().is_empty() {
        return Ok(Filter::all());
    }
    let expr = parser.any(Scope::Event)?;
    // `any` stops at the end or at a parenthesis that closes nothing.
    if !parser.scan.rest().is_empty() {
        return Err(Error::new(
            parser.scan.at..parser.scan.at + 1,
            "a parenthesis is closed that was never opened",
        ));
    }
    let filter = Filter::from(expr);
    // So that whatever was accepted is accepted again when it is stored as canonical text.
    if text.len() > MAX_BYTES / 16 && filter.to_string().len() > MAX_BYTES {
        return Err(too_long(0..text.len()));
    }
    Ok(filter)
}

pub(crate) fn too_long(span: Range<usize>) -> Error {
    Error::new(span, format!("a filter has at most {MAX_BYTES} bytes, with every name written out"))
}

struct Parser<'a> {
    scan: Scanner<'a>,
    depth: usize,
    clauses: usize,
}

/// What a word is about where it stands.
#[derive(Clone, Copy)]
enum Scope<'f> {
    /// The whole event: it is a clause, or text.
    Event,
    /// The values of a field.
    Values(&'f Field),
    /// The names of fields.
    Names,
}

struct Field {
    named: Named,
    /// As it was written.
    name: String,
    span: Range<usize>,
}

impl Parser<'_> {
    fn any(&mut self, scope: Scope<'_>) -> Result<Expr, Error> {
        let mut parts = vec![self.all(scope)?];
        while self.take_word("OR") {
            parts.push(self.all(scope)?);
        }
        Ok(if parts.len() > 1 { Expr::Or(parts) } else { parts.remove(0) })
    }

    fn all(&mut self, scope: Scope<'_>) -> Result<Expr, Error> {
        let mut parts = Vec::new();
        loop {
            parts.push(self.one(scope)?);
            self.scan.skip_space();
            let ends = self.scan.rest().is_empty() || self.scan.peek() == Some(')') || self.at_word("OR");
            if ends {
                break;
            }
            self.take_word("AND");
        }
        Ok(if parts.len() > 1 { Expr::And(parts) } else { parts.remove(0) })
    }

    fn one(&mut self, scope: Scope<'_>) -> Result<Expr, Error> {
        self.scan.skip_space();
        let start = self.scan.at;
        let rest = self.scan.rest();
        let signed = rest.strip_prefix(['-', '!']).is_some_and(|after| {
            let lonely = after.is_empty() || after.starts_with(|c: char| c.is_whitespace() || c == ')');
            !lonely && !rest.starts_with("!=")
        });
        if self.take_word("NOT") {
            return self.nested(start, |parser| parser.one(scope)).map(not);
        }
        if signed {
            self.scan.at += 1;
            return self.nested(start, |parser| parser.one(scope)).map(not);
        }
        match self.scan.peek() {
            Some('(') => self.group(scope),
            _ => match scope {
                Scope::Event => self.clause(),
                Scope::Values(field) => self.value(field),
                Scope::Names => self.name_that_exists(),
            },
        }
    }

    /// `(…)`, of which the opening parenthesis is next.
    fn group(&mut self, scope: Scope<'_>) -> Result<Expr, Error> {
        let start = self.scan.at;
        self.scan.at += 1;
        let expr = self.nested(start, |parser| {
            parser.scan.skip_space();
            if parser.scan.peek() == Some(')') {
                return Err(Error::new(
                    start..parser.scan.at + 1,
                    "there is nothing between the parentheses",
                ));
            }
            parser.any(scope)
        })?;
        if !self.scan.take(")") {
            return Err(Error::new(start..start + 1, "a parenthesis is opened and never closed"));
        }
        Ok(expr)
    }

    fn nested(
        &mut self,
        start: usize,
        parse: impl FnOnce(&mut Self) -> Result<Expr, Error>,
    ) -> Result<Expr, Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("a filter goes at most {MAX_DEPTH} levels deep");
            return Err(Error::new(start..self.text_end(start), message));
        }
        let expr = parse(self)?;
        self.depth -= 1;
        Ok(expr)
    }

    /// A word or quoted text: with an operator after it the name of a field, and free text without.
    fn clause(&mut self) -> Result<Expr, Error> {
        let name = match self.scan.peek() {
            Some('"') => self.scan.quoted()?,
            _ => self.scan.bare(operator_follows),
        };
        let mut ahead = self.scan.clone();
        if !name.quoted {
            ahead.skip_space();
        }
        let operator = match self.scan.take(":") {
            true => Some(":"),
            // A space before a comparison does not make the name free text.
            false => ahead.take_comparison().inspect(|_| self.scan.at = ahead.at),
        };
        let Some(operator) = operator else {
            self.clauses(1, &name.span)?;
            self.ends_here(&name)?;
            return free_text(&name);
        };
        let field = match name.text() {
            Some("") => {
                let span = name.span.start..self.scan.at;
                return Err(Error::new(span, format!("the name of a field is missing before `{operator}`")));
            }
            Some("exists" | "has") if operator == ":" && !name.quoted => {
                self.scan.skip_space();
                return match self.scan.peek() {
                    Some('(') => self.group(Scope::Names),
                    _ => self.name_that_exists(),
                };
            }
            Some(text) => match resolve_written(text, name.quoted) {
                Some(named) => Field { named, name: text.to_string(), span: name.span },
                None => return Err(self.unknown(text, &name, operator)),
            },
            None => {
                let message = "the name of a field cannot have a wildcard";
                return Err(Error::new(name.span, message));
            }
        };
        self.compared(&field, operator)
    }

    /// What follows `name:` or `name>`.
    fn compared(&mut self, field: &Field, operator: &'static str) -> Result<Expr, Error> {
        self.scan.skip_space();
        let operator = match operator {
            ":" => self.scan.take_comparison().unwrap_or("="),
            operator => operator,
        };
        self.scan.skip_space();
        match operator {
            "=" => self.equal(field),
            "!=" => self.nested(self.scan.at, |parser| parser.equal(field)).map(not),
            comparison => self.comparison(field, comparison),
        }
    }

    fn equal(&mut self, field: &Field) -> Result<Expr, Error> {
        match self.scan.peek() {
            Some('(') => self.group(Scope::Values(field)),
            _ => self.value(field),
        }
    }

    /// A value of a field where a clause could stand, or after its operator.
    fn value(&mut self, field: &Field) -> Result<Expr, Error> {
        if let Some(comparison) = self.scan.take_comparison() {
            self.scan.skip_space();
            return match comparison {
                "=" => self.value(field),
                "!=" => self.nested(self.scan.at, |parser| parser.value(field)).map(not),
                comparison => self.comparison(field, comparison),
            };
        }
        if matches!(self.scan.peek(), Some('[' | '{')) {
            return self.range(field);
        }
        let piece = self.piece(field, |_| false)?;
        if let (Some(text), false) = (piece.text(), piece.quoted)
            && let Some((name, _)) = text.split_once(':')
            && name != field.name
            && resolve(name).is_some_and(|_| !piece.escaped)
        {
            let message = format!(
                "a value of `{}` looks like a clause about `{name}`; quote it if it is a value",
                field.name
            );
            return Err(Error::new(piece.span.clone(), message).suggest(Some(quote(text))));
        }
        if piece.is_anything() && !piece.quoted {
            return self.existing(&field.named, &piece.span);
        }
        self.each(field, &piece.span, |path, kind| equal(path, kind, &piece))
    }

    fn comparison(&mut self, field: &Field, comparison: &str) -> Result<Expr, Error> {
        if self.scan.peek() == Some('(') {
            let message =
                format!("`{comparison}` compares with one value; in parentheses it goes with each: (>1 <9)");
            return Err(Error::new(self.scan.at..self.scan.at + 1, message));
        }
        let piece = self.piece(field, |_| false)?;
        self.each(field, &piece.span, |path, kind| {
            let edge = edge(path, kind, &piece)?;
            Ok(match comparison {
                ">" => range(Some((edge, false)), None),
                ">=" => range(Some((edge, true)), None),
                "<" => range(None, Some((edge, false))),
                _ => range(None, Some((edge, true))),
            })
        })
    }

    /// `[a TO b]`, of which the opening bracket is next.
    fn range(&mut self, field: &Field) -> Result<Expr, Error> {
        let start = self.scan.at;
        let from_included = self.scan.take("[");
        self.scan.at = start + 1;
        let low = self.range_end(field)?;
        if !self.take_word("TO") {
            let advice = "a range is written [a TO b], with `*` for an end that is open";
            return Err(Error::new(start..self.scan.at, advice));
        }
        let high = self.range_end(field)?;
        self.scan.skip_space();
        let to_included = match self.scan.peek() {
            Some(']') => true,
            Some('}') => false,
            _ => {
                return Err(Error::new(
                    start..self.scan.at,
                    "a range is opened and never closed with ] or }",
                ));
            }
        };
        self.scan.at += 1;
        let span = start..self.scan.at;
        if low.is_anything() && high.is_anything() {
            return self.existing(&field.named, &span);
        }
        self.each(field, &span, |path, kind| {
            let end = |piece: &Piece| -> Result<Option<Edge>, Error> {
                if piece.is_anything() { Ok(None) } else { edge(path, kind, piece).map(Some) }
            };
            let (from, to) = (end(&low)?, end(&high)?);
            if let (Some(from), Some(to)) = (&from, &to)
                && !comparable(from, to)
            {
                let message =
                    "the two ends of the range cannot be compared; quote both to compare them as text";
                return Err(Error::new(span.clone(), message));
            }
            Ok(range(from.map(|edge| (edge, from_included)), to.map(|edge| (edge, to_included))))
        })
    }

    fn range_end(&mut self, field: &Field) -> Result<Piece, Error> {
        self.scan.skip_space();
        self.piece(field, |rest| rest.starts_with([']', '}']))
    }

    /// The next word or quoted text as a value of the field.
    fn piece(&mut self, field: &Field, ends: fn(&str) -> bool) -> Result<Piece, Error> {
        let piece = match self.scan.peek() {
            Some('"') => self.scan.quoted()?,
            _ => self.scan.bare(ends),
        };
        if !piece.quoted
            && (piece.span.is_empty() || ["AND", "OR", "NOT"].iter().any(|word| piece.is_word(word)))
        {
            let span = field.span.start..piece.span.end;
            return Err(Error::new(span, format!("a value is missing after `{}`", field.name)));
        }
        if !ends(self.scan.rest()) {
            self.ends_here(&piece)?;
        }
        Ok(piece)
    }

    /// A test of each field that a name stands for: any of them.
    fn each(
        &mut self,
        field: &Field,
        span: &Range<usize>,
        test: impl Fn(&str, Kind) -> Result<Test, Error>,
    ) -> Result<Expr, Error> {
        let fields = &field.named.fields;
        if fields.is_empty() {
            let block = field.named.block.as_deref().unwrap_or_default();
            let advice = match inside(block).take(3).collect::<Vec<_>>() {
                of_it if of_it.is_empty() => format!("ask for something in it, as in {block}.name"),
                of_it => format!("ask for one of them, such as {}", of_it.join(", ")),
            };
            let message = format!("`{}` is a block of fields: {advice}", field.name);
            return Err(Error::new(field.span.clone(), message));
        }
        self.any_of(fields, span, test)
    }

    fn existing(&mut self, named: &Named, span: &Range<usize>) -> Result<Expr, Error> {
        match &named.block {
            Some(block) => self.any_of(&[(block.clone(), Kind::Open)], span, |_, _| Ok(Test::Exists)),
            None => self.any_of(&named.fields, span, |_, _| Ok(Test::Exists)),
        }
    }

    fn any_of(
        &mut self,
        fields: &[(String, Kind)],
        span: &Range<usize>,
        test: impl Fn(&str, Kind) -> Result<Test, Error>,
    ) -> Result<Expr, Error> {
        self.clauses(fields.len(), span)?;
        let clause =
            |(path, kind): &(String, Kind)| Ok(Expr::Field { path: path.clone(), test: test(path, *kind)? });
        match fields {
            [field] => clause(field),
            // Written out, these need parentheses.
            _ => {
                self.nested(span.start, |_| fields.iter().map(clause).collect::<Result<_, _>>().map(Expr::Or))
            }
        }
    }

    /// The name in `exists:name`.
    fn name_that_exists(&mut self) -> Result<Expr, Error> {
        let piece = match self.scan.peek() {
            Some('"') => self.scan.quoted()?,
            _ => self.scan.bare(|_| false),
        };
        self.ends_here(&piece)?;
        match piece.text() {
            Some("") => Err(Error::new(piece.span, "the name of a field is missing")),
            Some(text) => match resolve_written(text, piece.quoted) {
                Some(named) => self.existing(&named, &piece.span),
                None => Err(no_such_field(text, piece.span.clone(), nearest(text))),
            },
            None => Err(Error::new(piece.span, "the name of a field cannot have a wildcard")),
        }
    }

    /// Whether a word stands here by itself.
    fn at_word(&self, word: &str) -> bool {
        let after = self.scan.rest().strip_prefix(word);
        after.is_some_and(|after| {
            after.is_empty() || after.starts_with(|c: char| c.is_whitespace() || matches!(c, '(' | ')'))
        })
    }

    fn take_word(&mut self, word: &str) -> bool {
        self.scan.skip_space();
        let there = self.at_word(word);
        self.scan.at += if there { word.len() } else { 0 };
        there
    }

    /// What touches the end of a word or quoted text is a mistake more often than not.
    fn ends_here(&self, piece: &Piece) -> Result<(), Error> {
        let touches = |c: char| !c.is_whitespace() && c != ')';
        match self.scan.peek() {
            Some('*') if piece.quoted => {
                let message = "a wildcard cannot follow a quote: leave the quotes out, and put a backslash before spaces";
                Err(Error::new(piece.span.start..self.scan.at + 1, message))
            }
            Some(c) if touches(c) => {
                let span = piece.span.start..self.scan.at + c.len_utf8();
                Err(Error::new(span, format!("a space is missing before `{c}`, or quotes around the whole")))
            }
            _ => Ok(()),
        }
    }

    fn clauses(&mut self, more: usize, span: &Range<usize>) -> Result<(), Error> {
        self.clauses += more;
        if self.clauses > MAX_CLAUSES {
            return Err(Error::new(span.clone(), format!("a filter has at most {MAX_CLAUSES} clauses")));
        }
        Ok(())
    }

    /// No field has the name. If it looks like text that happens to hold an operator, the advice is to quote it.
    fn unknown(&mut self, text: &str, name: &Piece, operator: &str) -> Error {
        let meant = nearest(text);
        let after = self.scan.rest();
        let is_name = text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'[' | b']'));
        if meant.is_some() && !after.starts_with("//") {
            return no_such_field(text, name.span.clone(), meant);
        }
        self.scan.bare(|_| false);
        let whole = name.span.start..self.scan.at;
        let written = &self.scan.text[whole.clone()];
        if is_name && operator == ":" && !after.starts_with("//") && !written[text.len() + 1..].contains(':')
        {
            return no_such_field(text, name.span.clone(), None);
        }
        let message = format!(
            "text with `{operator}` in it must be quoted, unless what is before it is a field, and `{text}` is not"
        );
        Error::new(whole, message).suggest(Some(quote(written)))
    }

    fn text_end(&self, start: usize) -> usize {
        self.scan.text[start..].chars().next().map_or(start, |c| start + c.len_utf8())
    }
}

fn not(expr: Expr) -> Expr {
    Expr::Not(Box::new(expr))
}

/// `[]` after the name of a list, as the reference of events writes it, may be there; a quoted name is taken as it is.
fn resolve_written(name: &str, quoted: bool) -> Option<Named> {
    if quoted { resolve(name) } else { resolve(&name.replace("[]", "")) }
}

fn no_such_field(name: &str, span: Range<usize>, meant: Option<String>) -> Error {
    let message = match meant {
        Some(_) => format!("there is no field `{name}`"),
        None => format!(
            "there is no field `{name}`; one of your own would be `attributes.{name}`, and text must be quoted"
        ),
    };
    Error::new(span, message).suggest(meant)
}

/// A word or quoted text that is not about a field.
fn free_text(piece: &Piece) -> Result<Expr, Error> {
    let wrong = |message: &str| Error::new(piece.span.clone(), message);
    let phrase = |text: &str| Ok(Expr::Text(Text::Phrase(text.to_string())));
    let operator = |capital: &str| {
        let message = "operators are capital words; quote it to look for the word";
        Err(wrong(message).suggest(Some(capital)))
    };
    match piece.parts.as_slice() {
        [text] if (piece.quoted || piece.escaped) && text.trim().is_empty() => {
            Err(wrong("there is nothing to look for in it"))
        }
        [text] if piece.quoted => phrase(text),
        _ if piece.span.is_empty() => Err(wrong("something to look for is missing here")),
        _ if piece.is_word("AND") || piece.is_word("OR") => {
            Err(wrong("something to look for is missing before this"))
        }
        [text] if !piece.escaped => match text.as_str() {
            "&&" | "and" => operator("AND"),
            "||" | "or" => operator("OR"),
            "not" => operator("NOT"),
            text if words(text).next().is_none() => {
                Err(wrong("there is no letter or digit in it to look for"))
            }
            text => phrase(text),
        },
        [text] => phrase(text),
        [start, end] if end.is_empty() && start.is_empty() => Ok(Expr::All),
        [start, end] if end.is_empty() && start.chars().all(char::is_alphanumeric) => match fold(start).len()
        {
            ..=WORD_BYTES => Ok(Expr::Text(Text::Prefix(start.clone()))),
            _ => Err(wrong("words are kept to their first 64 bytes, and this is longer")),
        },
        _ if piece.is_anything() => Ok(Expr::All),
        _ => Err(wrong(
            "in free text a wildcard goes after the letters and digits that begin a word, as in fail*; \
             ask a field, as in error.message:*time*out*, for anything else",
        )),
    }
}
