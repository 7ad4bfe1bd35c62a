//! Pieces of filter text: bare words with wildcards and escapes, and quoted text.

use std::ops::Range;

use crate::filter::Error;

/// A word or a quoted text.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) span: Range<usize>,
    /// What stands before, between and after the wildcards; one part if there are none.
    pub(crate) parts: Vec<String>,
    pub(crate) quoted: bool,
    /// A character was made literal with a backslash.
    pub(crate) escaped: bool,
}

impl Piece {
    /// The text, if it has no wildcard.
    pub(crate) fn text(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [text] => Some(text),
            _ => None,
        }
    }

    /// Only wildcards.
    pub(crate) fn is_anything(&self) -> bool {
        self.parts.len() > 1 && self.parts.iter().all(String::is_empty)
    }

    /// A bare word, as operators are.
    pub(crate) fn is_word(&self, word: &str) -> bool {
        !self.quoted && !self.escaped && self.text() == Some(word)
    }
}

/// A place in the text.
#[derive(Clone, Debug)]
pub(crate) struct Scanner<'a> {
    pub(crate) text: &'a str,
    pub(crate) at: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Scanner<'a> {
        Scanner { text, at: 0 }
    }

    pub(crate) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(crate) fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Goes past `what` if it is next.
    pub(crate) fn take(&mut self, what: &str) -> bool {
        let there = self.rest().starts_with(what);
        self.at += if there { what.len() } else { 0 };
        there
    }

    /// A comparison, if it is next.
    pub(crate) fn take_comparison(&mut self) -> Option<&'static str> {
        [">=", "<=", "!=", ">", "<", "="].into_iter().find(|comparison| self.take(comparison))
    }

    /// A bare word up to space, a parenthesis, a quote, or where `ends` says so of what follows. It may be empty.
    ///
    /// A backslash before a letter or digit is itself (`CORP\alice`); before anything else it makes that literal.
    pub(crate) fn bare(&mut self, ends: fn(&str) -> bool) -> Piece {
        let start = self.at;
        let mut parts = vec![String::new()];
        let mut escaped = false;
        while let Some(c) = self.peek() {
            if c.is_whitespace() || matches!(c, '(' | ')' | '"') || ends(self.rest()) {
                break;
            }
            self.at += c.len_utf8();
            let literal = match (c, self.peek()) {
                ('*', _) => {
                    parts.push(String::new());
                    continue;
                }
                ('\\', Some(next)) if !next.is_alphanumeric() => {
                    self.at += next.len_utf8();
                    escaped = true;
                    next
                }
                (c, _) => c,
            };
            parts.last_mut().expect("there is one from the start").push(literal);
        }
        Piece { span: start..self.at, parts, quoted: false, escaped }
    }

    /// A quoted text, of which the opening quote is next. `\"` is a quote and `\\` a backslash; before anything else a
    /// backslash is itself.
    pub(crate) fn quoted(&mut self) -> Result<Piece, Error> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let Some(c) = self.peek() else {
                return Err(Error::new(start..self.text.len(), "a quote is opened and never closed"));
            };
            self.at += c.len_utf8();
            match (c, self.peek()) {
                ('"', _) => break,
                ('\\', Some(next @ ('"' | '\\'))) => {
                    self.at += 1;
                    text.push(next);
                }
                (c, _) => text.push(c),
            }
        }
        Ok(Piece { span: start..self.at, parts: vec![text], quoted: true, escaped: false })
    }
}

/// Where the name in `name:value` or `name>value` ends.
pub(crate) fn operator_follows(rest: &str) -> bool {
    rest.starts_with([':', '>', '<', '=']) || rest.starts_with("!=")
}

/// A quoted text that [`Scanner::quoted`] reads back.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}
