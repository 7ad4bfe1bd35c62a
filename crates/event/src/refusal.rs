//! Why an event was not taken, and where.

use std::borrow::Cow;
use std::fmt;

/// What an event was refused for, in a word that programs can act on. The words are frozen: clients match on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Code {
    /// More bytes than the limit.
    TooLarge,
    /// Arrays and objects nested deeper than the limit.
    TooDeep,
    /// Not JSON.
    Syntax,
    /// Not UTF-8.
    InvalidUtf8,
    /// A `\u` escape of half a character.
    LoneSurrogate,
    /// The same key twice in one object.
    DuplicateKey,
    /// A number that JSON readers do not agree about: beyond ±(2^53−1), or not finite.
    NumberRange,
    /// A name that is not in the table of fields.
    UnknownField,
    /// A field that must be there is not.
    Missing,
    /// Another kind of JSON value than the field holds.
    WrongType,
    /// The right kind of JSON value, with a content that the field does not hold.
    BadValue,
    /// Two fields that contradict each other.
    Conflict,
}

impl Code {
    /// Every code there is, for documentation and tests.
    pub const ALL: &'static [Code] = &[
        Code::TooLarge,
        Code::TooDeep,
        Code::Syntax,
        Code::InvalidUtf8,
        Code::LoneSurrogate,
        Code::DuplicateKey,
        Code::NumberRange,
        Code::UnknownField,
        Code::Missing,
        Code::WrongType,
        Code::BadValue,
        Code::Conflict,
    ];

    /// The word for it in answers and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::TooLarge => "too_large",
            Code::TooDeep => "too_deep",
            Code::Syntax => "syntax",
            Code::InvalidUtf8 => "invalid_utf8",
            Code::LoneSurrogate => "lone_surrogate",
            Code::DuplicateKey => "duplicate_key",
            Code::NumberRange => "number_range",
            Code::UnknownField => "unknown_field",
            Code::Missing => "missing",
            Code::WrongType => "wrong_type",
            Code::BadValue => "bad_value",
            Code::Conflict => "conflict",
        }
    }

    /// What it means, in a line.
    pub fn about(self) -> &'static str {
        match self {
            Code::TooLarge => "more bytes than the limit (256 KiB unless set otherwise)",
            Code::TooDeep => "arrays and objects nested deeper than 64",
            Code::Syntax => "not JSON as RFC 8259 has it",
            Code::InvalidUtf8 => "not UTF-8",
            Code::LoneSurrogate => "a `\\u` escape of half a character",
            Code::DuplicateKey => "the same key twice in one object",
            Code::NumberRange => "a whole number beyond ±(2^53−1), or a number that is not finite",
            Code::UnknownField => "a name that is not in the table of fields",
            Code::Missing => "a field that must be there is not",
            Code::WrongType => "another kind of JSON value than the field holds",
            Code::BadValue => "a value that the field does not hold",
            Code::Conflict => "two fields that contradict each other",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why an event was not taken, and where. It never quotes a value (it might be a secret), only names of fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The reason as a word for programs.
    pub code: Code,
    /// Where, as a JSON pointer (RFC 6901); empty for the whole document.
    /// Control characters in names are shown as U+FFFD and long names cut, so it may be written to a log as it is.
    pub pointer: String,
    /// The reason as a sentence for people, lower case, without a full stop.
    pub reason: String,
    /// The byte in the input where it was noticed; `None` for what is wrong about a field rather than about the JSON.
    pub offset: Option<usize>,
}

impl Refusal {
    /// A refusal of a field, at `pointer`.
    pub fn new(code: Code, pointer: impl Into<String>, reason: impl Into<String>) -> Refusal {
        Refusal { code, pointer: pointer.into(), reason: reason.into(), offset: None }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "event" } else { &self.pointer };
        write!(f, "{place}: {}", self.reason)?;
        match self.offset {
            Some(offset) => write!(f, " (byte {offset})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Refusal {}

/// A refusal on its way up: the path is gathered while the calls return, so that input which is fine pays nothing for it.
#[derive(Debug)]
pub(crate) struct Fault {
    code: Code,
    reason: Cow<'static, str>,
    offset: Option<usize>,
    /// Innermost first.
    path: Vec<String>,
}

impl Fault {
    #[cold]
    pub(crate) fn new(code: Code, reason: impl Into<Cow<'static, str>>) -> Box<Fault> {
        Box::new(Fault { code, reason: reason.into(), offset: None, path: Vec::new() })
    }

    #[cold]
    pub(crate) fn at(offset: usize, code: Code, reason: impl Into<Cow<'static, str>>) -> Box<Fault> {
        Box::new(Fault { code, reason: reason.into(), offset: Some(offset), path: Vec::new() })
    }

    /// Says something else instead if it was noticed at `offset`.
    pub(crate) fn if_at(mut self: Box<Fault>, offset: usize, code: Code, reason: &'static str) -> Box<Fault> {
        if self.offset == Some(offset) {
            self.code = code;
            self.reason = Cow::Borrowed(reason);
        }
        self
    }

    #[cold]
    pub(crate) fn under(mut self: Box<Fault>, name: &str) -> Box<Fault> {
        self.path.push(segment(name));
        self
    }

    #[cold]
    pub(crate) fn under_index(mut self: Box<Fault>, index: usize) -> Box<Fault> {
        self.path.push(index.to_string());
        self
    }

    #[cold]
    pub(crate) fn into_refusal(self) -> Refusal {
        let mut pointer = String::new();
        for part in self.path.iter().rev() {
            pointer.push('/');
            pointer.push_str(part);
        }
        Refusal { code: self.code, pointer, reason: self.reason.into_owned(), offset: self.offset }
    }
}

/// Longest piece of a name that a pointer shows: names come from strangers too.
const SEGMENT_CHARS_MAX: usize = 128;

fn segment(name: &str) -> String {
    let mut shown = String::with_capacity(name.len().min(SEGMENT_CHARS_MAX) + 4);
    for (count, c) in name.chars().enumerate() {
        if count == SEGMENT_CHARS_MAX {
            shown.push('…');
            break;
        }
        match c {
            '~' => shown.push_str("~0"),
            '/' => shown.push_str("~1"),
            c if c.is_control() => shown.push('\u{fffd}'),
            c => shown.push(c),
        }
    }
    shown
}
