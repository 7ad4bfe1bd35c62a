//! What stands after the question mark. Names that nobody knows are refused: a filter with a typing error in its name
//! would otherwise find everything.

use access::{Organisations, Permission, Reach, Viewer};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Query};
use axum::http::{StatusCode, Uri};
use event::time;
use indelible::{
    AskError, Count, DEFAULT, Order, PAGE_MOST, Paging, Question, check_organisation, without_secrets,
};
use query::{Expr, Filter, Test};

use crate::problem::{Problem, whole};

pub(crate) struct Params(Vec<(String, String)>);

/// The parameters that [`Params::question`] reads.
pub(crate) const QUESTION: &[&str] =
    &["q", "type", "actor", "status", "from", "to", "consistent", "organisation"];

impl Params {
    /// Reads them; all must be among `known` or `also`, and each be there once.
    pub(crate) fn read_both(uri: &Uri, known: &[&str], also: &[&str]) -> Result<Params, Problem> {
        Params::read(uri, &[known, also].concat())
    }

    /// Reads them; all must be among `known`, and each be there once.
    pub(crate) fn read(uri: &Uri, known: &[&str]) -> Result<Params, Problem> {
        let wrong = |what: &str| {
            let known = match known {
                [] => "there are none here".to_owned(),
                known => format!("known here: {}", known.join(", ")),
            };
            Problem::bad("parameter", format!("{what}; {known}"))
        };
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| wrong("the query parameters can't be read"))?;
        for (n, (name, _)) in pairs.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                return Err(wrong("a query parameter is not known"));
            }
            if pairs[..n].iter().any(|(other, _)| other == name) {
                return Err(wrong(&format!("the query parameter {name} is there twice")));
            }
        }
        Ok(Params(pairs))
    }

    /// Reads whatever is there, for neighbours' tools, which send what they like. Of several with one name the last counts.
    pub(crate) fn read_any(uri: &Uri) -> Result<Params, Problem> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| Problem::bad("parameter", "the query parameters can't be read"))?;
        Ok(Params(pairs))
    }

    /// All of them, in their order.
    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// The same with one that decides.
    pub(crate) fn and(mut self, name: &str, value: &str) -> Params {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// One of them as it is, also an empty one.
    pub(crate) fn said(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// One of them; empty is the same as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.said(name).filter(|value| !value.is_empty())
    }

    /// Whose ledger is meant: the one that is named, else the only one in which the asker may do this, else `default`.
    pub(crate) fn organisation(&self, viewer: &Viewer, permission: Permission) -> Result<String, Problem> {
        if let Some(name) = self.get("organisation") {
            check_organisation(name).map_err(|why| Problem::bad("parameter", why))?;
            return Ok(name.to_owned());
        }
        Ok(match viewer.organisations_for(permission) {
            Organisations::These(names) if names.len() == 1 => names.into_iter().next().unwrap_or_default(),
            _ => DEFAULT.to_owned(),
        })
    }

    /// Where is meant: the organisation that is named, or `*`; else as for [`Params::organisation`].
    pub(crate) fn reach(&self, viewer: &Viewer, permission: Permission) -> Result<Reach, Problem> {
        match self.get("organisation") {
            Some("*") => Ok(Reach::All),
            _ => self.organisation(viewer, permission).map(Reach::One),
        }
    }

    /// Where nothing was ever recorded there is nothing, unless somebody names an organisation that is not there: a new
    /// server is empty, and not broken.
    pub(crate) fn or_nothing<T: Default>(&self, found: Result<T, AskError>) -> Result<T, AskError> {
        match found {
            Err(AskError::NotFound) if self.get("organisation").is_none() => Ok(T::default()),
            found => found,
        }
    }

    /// Which events are asked for, of which organisation.
    pub(crate) fn question(&self, viewer: &Viewer, permission: Permission) -> Result<Question, Problem> {
        let mut filter = match self.get("q") {
            Some(text) => Filter::parse(text).map_err(unreadable)?,
            None => Filter::all(),
        };
        let field = |path: &str, test: Test| Expr::Field { path: path.to_owned(), test };
        if let Some(kind) = self.get("type") {
            let test = match kind.strip_suffix('*') {
                Some(begin) => Test::Like(vec![query::fold(begin).into_owned(), String::new()]),
                None => Test::Is(kind.to_owned()),
            };
            filter = filter.and(field("type", test).into());
        }
        if let Some(actor) = self.get("actor") {
            let either = ["actor.id", "actor.email", "actor.name"];
            let either = either.map(|path| field(path, Test::Is(actor.to_owned())));
            filter = filter.and(Expr::Or(either.into()).into());
        }
        if let Some(status) = self.get("status") {
            let known = event::outcome::status_name(event::outcome::status_code(status));
            filter = filter.and(field("status", Test::Is(known.unwrap_or(status).to_owned())).into());
        }
        let (from, to) = (self.time("from")?, self.time("to")?);
        if let (Some(from), Some(to)) = (from, to)
            && from >= to
        {
            return Err(wrong("to", "not after `from`"));
        }
        if from.is_some() || to.is_some() {
            let bound = |time: i64, inclusive| query::Bound { value: query::Literal::Time(time), inclusive };
            let test = Test::Range { from: from.map(|t| bound(t, true)), to: to.map(|t| bound(t, false)) };
            filter = filter.and(field("time", test).into());
        }
        Ok(Question {
            organisation: self.organisation(viewer, permission)?,
            filter,
            consistent: self.flag("consistent")?,
        })
    }

    /// Which page of them.
    pub(crate) fn paging(&self) -> Result<Paging, Problem> {
        Ok(Paging {
            order: self.order()?,
            cursor: self.get("cursor").map(str::to_owned),
            limit: self.number("limit", 100, PAGE_MOST)?,
            count: match self.get("count") {
                None | Some("estimate") => Count::Estimate,
                Some("exact") => Count::Exact,
                Some("no") => Count::No,
                Some(_) => return Err(wrong("count", "expected `exact`, `estimate` or `no`")),
            },
        })
    }

    pub(crate) fn order(&self) -> Result<Order, Problem> {
        match self.get("sort") {
            None | Some("newest") => Ok(Order::Newest),
            Some("time") => Ok(Order::Time),
            Some(_) => Err(wrong("sort", "expected `newest` or `time`")),
        }
    }

    pub(crate) fn time(&self, name: &str) -> Result<Option<i64>, Problem> {
        match self.get(name) {
            Some(text) => time::parse(text).map(Some).map_err(|why| wrong(name, why)),
            None => Ok(None),
        }
    }

    /// A whole number from 1 to `most`.
    pub(crate) fn number(&self, name: &str, usual: usize, most: usize) -> Result<usize, Problem> {
        match self.get(name) {
            None => Ok(usual),
            Some(text) => match text.parse() {
                Ok(number) if (1..=most).contains(&number) => Ok(number),
                _ => Err(wrong(name, &format!("expected 1 to {most}"))),
            },
        }
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(wrong(name, "expected `true` or `false`")),
        }
    }
}

/// Why a filter can't be read, and where. It is quoted, so that one sees what was meant.
pub(crate) fn unreadable(error: query::Error) -> Problem {
    let problem = Problem::new(StatusCode::BAD_REQUEST, "filter", without_secrets(&error.message))
        .with("from", whole(error.span.start as u64))
        .with("to", whole(error.span.end as u64));
    match error.suggestion {
        Some(suggestion) => problem.with("suggestion", without_secrets(&suggestion)),
        None => problem,
    }
}

/// A part of the path.
pub(crate) fn readable(id: Result<Path<String>, PathRejection>) -> Result<String, Problem> {
    id.map(|Path(id)| id).map_err(|_| Problem::bad("path", "the id in the path is not UTF-8"))
}

pub(crate) fn wrong(name: &str, why: &str) -> Problem {
    Problem::bad("parameter", format!("{name}: {why}"))
}
