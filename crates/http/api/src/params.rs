//! What stands after the question mark. Names that nobody knows are refused: a filter with a typing error in its name
//! would otherwise find everything.

use axum::extract::Query;
use axum::http::Uri;
use event::time;
use indelible::{DEFAULT, Question, SYSTEM, check_organisation};

use crate::problem::Problem;

const PAGE_MOST: usize = 1000;

pub(crate) struct Params(Vec<(String, String)>);

impl Params {
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

    /// One of them; empty is the same as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(other, _)| other == name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    /// Whose ledger is read.
    pub(crate) fn organisation(&self) -> Result<String, Problem> {
        let name = self.get("organisation").unwrap_or(DEFAULT);
        check_organisation(name).map_err(|why| Problem::bad("parameter", why))?;
        Ok(name.to_owned())
    }

    /// Whose ledger is written to.
    pub(crate) fn recording_organisation(&self) -> Result<String, Problem> {
        match self.organisation()? {
            name if name == SYSTEM => {
                Err(Problem::bad("parameter", "organisation: \"system\" is ours; name another"))
            }
            name => Ok(name),
        }
    }

    pub(crate) fn question(&self) -> Result<Question, Problem> {
        let text = |name: &str| self.get(name).map(str::to_owned);
        let time = |name: &str| match self.get(name) {
            Some(text) => time::parse(text).map(Some).map_err(|why| wrong(name, why)),
            None => Ok(None),
        };
        let question = Question {
            kind: text("type"),
            actor: text("actor"),
            status: text("status"),
            from_ns: time("from")?,
            to_ns: time("to")?,
            before: match self.get("cursor") {
                Some(text) => {
                    Some(text.parse().map_err(|_| wrong("cursor", "send `next` of the page before"))?)
                }
                None => None,
            },
            limit: match self.get("limit") {
                Some(text) => match text.parse() {
                    Ok(limit) if (1..=PAGE_MOST).contains(&limit) => Some(limit),
                    _ => return Err(wrong("limit", "expected 1 to 1000")),
                },
                None => None,
            },
        };
        match (question.from_ns, question.to_ns) {
            (Some(from), Some(to)) if from >= to => Err(wrong("to", "not after `from`")),
            _ => Ok(question),
        }
    }
}

fn wrong(name: &str, why: &str) -> Problem {
    Problem::bad("parameter", format!("{name}: {why}"))
}
