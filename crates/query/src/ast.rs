//! A filter as a tree.

use ipnet::IpNet;

/// What must hold of an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// Every event.
    All,
    /// All of them hold; two or more.
    And(Vec<Expr>),
    /// One of them holds; two or more.
    Or(Vec<Expr>),
    /// It does not hold.
    Not(Box<Expr>),
    /// One of the values at a path passes a test.
    Field {
        /// Canonical path without `[]`: `actor.email`, `llm.documents.id`, `attributes.tenant.name`, or `category`.
        path: String,
        /// The test.
        test: Test,
    },
    /// Some text of the event holds it, in whichever field.
    Text(Text),
}

/// A test of one value. An event passes if any value at the path does; lists are looked into.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// There is a value at all, or something below the path.
    Exists,
    /// It is this: text without regard to case, numbers by value (also when one of the two is text), `true` or `false`.
    /// For a field of prose (`Kind::Prose`): it holds these words, one after the other.
    Is(String),
    /// Text that fits a pattern of parts with anything between them, without regard to case. `["auth.", ""]` is `auth.*`.
    Like(Vec<String>),
    /// It is in the range, by the rules of [`Bound`].
    Range {
        /// From here.
        from: Option<Bound>,
        /// To here.
        to: Option<Bound>,
    },
    /// An address in a network.
    Cidr(IpNet),
}

/// An end of a range.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// The value at it.
    pub value: Literal,
    /// Whether the value itself is within.
    pub inclusive: bool,
}

/// A value that can be compared.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// Compared with numbers, and with text that is a decimal.
    Number(f64),
    /// Compared with times; nanoseconds since 1970.
    Time(i64),
    /// A time relative to the question's: so many nanoseconds after `now`. `Filter::at` makes it absolute.
    Now(i64),
    /// Code of a severity; `severity>=high`.
    Severity(u8),
    /// Compared with text, without regard to case, by code point.
    Text(String),
}

/// Words to be found in any text of an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Text {
    /// These words in this order, next to each other, in one value; or a value that is an id and is exactly this.
    Phrase(String),
    /// A word that begins so: `fail*`.
    Prefix(String),
}
