//! Canonical text: names written out, quotes where they are needed, parentheses only for `OR` inside of something.

use std::fmt;

use event::{outcome, time};

use crate::ast::{Bound, Expr, Literal, Test, Text};
use crate::filter::Filter;
use crate::scan::quote;
use crate::time::print_relative;

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.expr() {
            Expr::All => Ok(()),
            expr => print(f, expr),
        }
    }
}

fn print(f: &mut fmt::Formatter<'_>, expr: &Expr) -> fmt::Result {
    match expr {
        Expr::All => f.write_str("*"),
        Expr::And(parts) => joined(f, parts, " ", |part| matches!(part, Expr::Or(_))),
        Expr::Or(parts) => joined(f, parts, " OR ", |_| false),
        Expr::Not(inner) => {
            f.write_str("-")?;
            print_in(f, inner, matches!(**inner, Expr::And(_) | Expr::Or(_)))
        }
        Expr::Field { path, test } => print_field(f, path, test),
        Expr::Text(Text::Phrase(text)) => f.write_str(&phrase(text)),
        Expr::Text(Text::Prefix(start)) => write!(f, "{}*", escaped(start)),
    }
}

fn joined(
    f: &mut fmt::Formatter<'_>,
    parts: &[Expr],
    between: &str,
    in_parentheses: impl Fn(&Expr) -> bool,
) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        print_in(f, part, in_parentheses(part))?;
    }
    Ok(())
}

fn print_in(f: &mut fmt::Formatter<'_>, expr: &Expr, parentheses: bool) -> fmt::Result {
    if !parentheses {
        return print(f, expr);
    }
    f.write_str("(")?;
    print(f, expr)?;
    f.write_str(")")
}

fn print_field(f: &mut fmt::Formatter<'_>, path: &str, test: &Test) -> fmt::Result {
    f.write_str(&name(path))?;
    match test {
        Test::Exists => f.write_str(":*"),
        Test::Is(text) => write!(f, ":{}", plain_or_quoted(text)),
        Test::Like(parts) => {
            let parts: Vec<_> = parts.iter().map(|part| escaped(part)).collect();
            write!(f, ":{}", parts.join("*"))
        }
        Test::Cidr(network) => write!(f, ":{network}"),
        Test::Range { from, to } => match (from, to) {
            (Some(from), None) => {
                f.write_str(if from.inclusive { ">=" } else { ">" })?;
                print_literal(f, &from.value)
            }
            (None, Some(to)) => {
                f.write_str(if to.inclusive { "<=" } else { "<" })?;
                print_literal(f, &to.value)
            }
            (from, to) => {
                let included = |bound: &Option<Bound>| bound.as_ref().is_none_or(|bound| bound.inclusive);
                f.write_str(if included(from) { ":[" } else { ":{" })?;
                print_end(f, from)?;
                f.write_str(" TO ")?;
                print_end(f, to)?;
                f.write_str(if included(to) { "]" } else { "}" })
            }
        },
    }
}

fn print_end(f: &mut fmt::Formatter<'_>, bound: &Option<Bound>) -> fmt::Result {
    match bound {
        Some(bound) => print_literal(f, &bound.value),
        None => f.write_str("*"),
    }
}

fn print_literal(f: &mut fmt::Formatter<'_>, literal: &Literal) -> fmt::Result {
    match literal {
        Literal::Number(n) => write!(f, "{n}"),
        Literal::Time(ns) => f.write_str(&time::format_ns(*ns)),
        Literal::Now(after) => print_relative(f, *after),
        Literal::Severity(code) => f.write_str(outcome::severity_name(*code).unwrap_or("other")),
        Literal::Text(text) => f.write_str(&quote(text)),
    }
}

/// The name of a field, quoted where a key of an open object has unusual characters.
fn name(path: &str) -> String {
    if path.chars().all(is_plain) { path.to_string() } else { quote(path) }
}

/// What can stand anywhere in a word without meaning something else.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '@' | '%' | '+')
}

fn plain_or_quoted(text: &str) -> String {
    let plain = !text.is_empty()
        && text.chars().all(is_plain)
        && !text.contains("..")
        && !matches!(text, "AND" | "OR" | "NOT");
    if plain { text.to_string() } else { quote(text) }
}

fn phrase(text: &str) -> String {
    // A sign would be taken for NOT, and small operators are refused.
    let bare = text.starts_with(char::is_alphanumeric) && !matches!(text, "and" | "or" | "not");
    if bare { plain_or_quoted(text) } else { quote(text) }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if !is_plain(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
