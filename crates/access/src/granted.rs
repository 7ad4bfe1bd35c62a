//! What somebody who may ask is then shown.

use query::{Bound, Expr, Literal, Test};

use crate::viewer::Denied;

/// A permission that was given, and what comes with it. Whoever answers must use all three: [`Granted::filter`] on every
/// row, count and facet, [`Granted::may_ask`] on the question, [`Granted::hides`] on the answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Granted {
    rows: Rows,
    content: Result<(), Denied>,
    text: Result<(), Denied>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Rows {
    All,
    /// Events whose actor is this user; at least one of the two is there, and neither is empty.
    Own {
        user: Option<String>,
        email: Option<String>,
    },
}

impl Granted {
    pub(crate) fn new(rows: Rows, content: Result<(), Denied>, text: Result<(), Denied>) -> Granted {
        Granted { rows, content, text }
    }

    /// The rows they may see, to be ANDed with whatever they ask.
    ///
    /// A member's are those whose actor they are: only by the fields that say who was authenticated, never by
    /// `actor.claimed` or `actor.on_behalf_of`, which anybody may fill in. So of `config.*` and `audit.*` they see what
    /// they did themselves, and not what was done to them.
    pub fn filter(&self) -> Expr {
        let Rows::Own { user, email } = &self.rows else { return Expr::All };
        let by = |path, text: &Option<String>| text.as_deref().map(|text| is_exactly(path, text));
        let mut either: Vec<Expr> =
            [by("actor.id", user), by("actor.email", email)].into_iter().flatten().collect();
        match (either.pop(), either.is_empty()) {
            (Some(one), true) => one,
            (Some(last), false) => {
                either.push(last);
                Expr::Or(either)
            }
            (None, _) => Expr::Not(Box::new(Expr::All)),
        }
    }

    /// Whether [`Granted::filter`] lets every row through.
    pub fn sees_every_row(&self) -> bool {
        self.rows == Rows::All
    }

    /// Top-level members of an event that must be taken out before it is shown.
    pub fn hides(&self) -> &'static [&'static str] {
        match self.content {
            Ok(()) => &[],
            Err(_) => &["content"],
        }
    }

    /// Whether the question looks at nothing that is hidden: matching a filter tells what a text says, even if it is not
    /// shown. Ask it of the viewer's own filter, its sort and its facets (a path as [`Expr::Field`]).
    pub fn may_ask(&self, question: &Expr) -> Result<(), Denied> {
        let Err(denied) = self.text else { return Ok(()) };
        let mut left = vec![question];
        while let Some(expr) = left.pop() {
            match expr {
                Expr::All => {}
                Expr::And(parts) | Expr::Or(parts) => left.extend(parts),
                Expr::Not(part) => left.push(part),
                Expr::Field { path, .. } if path == "content" || path.starts_with("content.") => {
                    return Err(denied);
                }
                Expr::Field { .. } => {}
                Expr::Text(_) => return Err(denied),
            }
        }
        Ok(())
    }
}

/// `Is` reads a text that is a number by its value, for the convenience of whoever types a filter. For a person's id this
/// would be a leak: `007` is not `7`.
fn is_exactly(path: &str, text: &str) -> Expr {
    let test = match text.trim().parse::<f64>() {
        Ok(_) => {
            let bound = Some(Bound { value: Literal::Text(text.to_owned()), inclusive: true });
            Test::Range { from: bound.clone(), to: bound }
        }
        Err(_) => Test::Is(text.to_owned()),
    };
    Expr::Field { path: path.to_owned(), test }
}
