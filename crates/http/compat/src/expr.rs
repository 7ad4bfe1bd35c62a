//! Filters, put together.

use query::{Bound, Expr, Literal, Test, fold};

pub(crate) fn field(path: &str, test: Test) -> Expr {
    Expr::Field { path: path.to_owned(), test }
}

/// A value at the path is this text, without regard to case. A number is compared as the text it is: `007` is not `7`.
pub(crate) fn is(path: &str, text: &str) -> Expr {
    match query::decimal(text) {
        Some(_) => {
            let bound = Some(Bound { value: Literal::Text(text.to_owned()), inclusive: true });
            field(path, Test::Range { from: bound.clone(), to: bound })
        }
        None => field(path, Test::Is(text.to_owned())),
    }
}

pub(crate) fn begins(path: &str, text: &str) -> Expr {
    like(path, &[text, ""])
}

pub(crate) fn ends(path: &str, text: &str) -> Expr {
    like(path, &["", text])
}

pub(crate) fn holds(path: &str, text: &str) -> Expr {
    like(path, &["", text, ""])
}

fn like(path: &str, parts: &[&str]) -> Expr {
    field(path, Test::Like(parts.iter().map(|part| fold(part).into_owned()).collect()))
}

pub(crate) fn exists(path: &str) -> Expr {
    field(path, Test::Exists)
}

pub(crate) fn not(expr: Expr) -> Expr {
    Expr::Not(Box::new(expr))
}

pub(crate) fn any(parts: impl IntoIterator<Item = Expr>) -> Expr {
    Expr::Or(parts.into_iter().collect())
}

pub(crate) fn all(parts: impl IntoIterator<Item = Expr>) -> Expr {
    Expr::And(parts.into_iter().collect())
}

pub(crate) fn nothing() -> Expr {
    not(Expr::All)
}

/// Types of an area: the name up to the first point, or the whole of it.
pub(crate) fn area(name: &str) -> Expr {
    match name.contains('.') {
        true => nothing(),
        false => any([begins("type", &format!("{name}.")), is("type", name)]),
    }
}

/// Types whose last word, after the last point, is this one.
pub(crate) fn verb(word: &str) -> Expr {
    match word.contains('.') {
        true => nothing(),
        false => any([ends("type", &format!(".{word}")), is("type", word)]),
    }
}
