//! What the administration is sent: one small JSON object, whose members are all known. A member with a typing error in its
//! name would otherwise give a key more than was meant.

use std::sync::Arc;
use std::time::Duration;

use access::{Reach, Role};
use axum::extract::Request;
use event::{Code, Object, Value, json, time};
use indelible::check_organisation;

use crate::body::receive;
use crate::door::Door;
use crate::media::{Form, unknown};
use crate::problem::Problem;

/// Most bytes of such a body.
const MOST: usize = 16 << 10;

/// The members of a body. `null` is the same as absent, but for [`Members::is_null`].
pub(crate) struct Members(Object<'static>);

impl Members {
    /// Reads the body of a request; nothing is the same as `{}`.
    pub(crate) async fn receive(
        door: &Arc<Door>,
        request: Request,
        known: &[&str],
    ) -> Result<Members, Problem> {
        Members::receive_at_most(door, request, known, MOST).await
    }

    pub(crate) async fn receive_at_most(
        door: &Arc<Door>,
        request: Request,
        known: &[&str],
        most: usize,
    ) -> Result<Members, Problem> {
        let body = receive(door, request, most).await?;
        match body.form {
            Form::Any => Members::read(&body.bytes, known, most),
            _ => Err(unknown("this content type is not taken here")),
        }
    }

    fn read(bytes: &[u8], known: &[&str], most: usize) -> Result<Members, Problem> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Members(Object::new()));
        }
        let limits = json::Limits { max_bytes: most, max_depth: 8 };
        let Value::Object(members) = json::parse(bytes, &limits).map_err(Problem::refused)? else {
            return Err(Problem::bad(Code::WrongType.as_str(), "send an object"));
        };
        if let Some((name, _)) = members.iter().find(|(name, _)| !known.contains(name)) {
            return Err(not_known(name, known));
        }
        Ok(Members(members.into_owned()))
    }

    pub(crate) fn is_null(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(Value::is_null)
    }

    fn get(&self, name: &str) -> Option<&Value<'static>> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&self, name: &'static str) -> Result<Option<&str>, Problem> {
        let text =
            |value| Value::as_str(value).ok_or_else(|| wrong(Code::WrongType, name, "expected a text"));
        self.get(name).map(text).transpose()
    }

    /// A text that must be there.
    pub(crate) fn needed(&self, name: &'static str) -> Result<&str, Problem> {
        self.text(name)?.ok_or_else(|| wrong(Code::Missing, name, "must be there"))
    }

    pub(crate) fn flag(&self, name: &'static str) -> Result<Option<bool>, Problem> {
        let flag = |value: &Value<'_>| {
            value.as_bool().ok_or_else(|| wrong(Code::WrongType, name, "expected true or false"))
        };
        self.get(name).map(flag).transpose()
    }

    pub(crate) fn list(&self, name: &'static str) -> Result<Option<Vec<&str>>, Problem> {
        let bad = || wrong(Code::WrongType, name, "expected a list of texts");
        let Some(value) = self.get(name) else { return Ok(None) };
        let items = value.as_array().ok_or_else(bad)?;
        items.iter().map(|item| item.as_str().ok_or_else(bad)).collect::<Result<_, _>>().map(Some)
    }

    /// A time, as milliseconds since 1970.
    pub(crate) fn time_ms(&self, name: &'static str) -> Result<Option<u64>, Problem> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let ns = time::parse(text).map_err(|why| wrong(Code::BadValue, name, why))?;
        let ms = u64::try_from(ns / 1_000_000).map_err(|_| wrong(Code::BadValue, name, "before 1970"))?;
        Ok(Some(ms))
    }

    /// A number of seconds, up to `most`.
    pub(crate) fn seconds(&self, name: &'static str, most: u32) -> Result<Option<Duration>, Problem> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match value.as_i64().and_then(|n| u32::try_from(n).ok()).filter(|n| *n <= most) {
            Some(seconds) => Ok(Some(Duration::from_secs(seconds.into()))),
            None => Err(wrong(Code::BadValue, name, &format!("expected 0 to {most} seconds"))),
        }
    }

    /// Where something holds: the name of an organisation, or `*`.
    pub(crate) fn reach(&self, name: &'static str) -> Result<Reach, Problem> {
        reach(self.needed(name)?).map_err(|why| Problem::bad(Code::BadValue.as_str(), why))
    }

    pub(crate) fn role(&self, name: &'static str) -> Result<Role, Problem> {
        Role::named(self.needed(name)?).ok_or_else(|| wrong(Code::BadValue, name, &roles()))
    }
}

/// Why a member is not what it should be. Never repeats it.
pub(crate) fn wrong(code: Code, name: &'static str, why: &str) -> Problem {
    Problem::bad(code.as_str(), format!("{name}: {why}")).with("pointer", format!("/{name}"))
}

/// The roles there are, as what is expected.
pub(crate) fn roles() -> String {
    let names: Vec<&str> = Role::ALL.iter().map(|role| role.name()).collect();
    format!("expected one of {}", names.join(", "))
}

/// Where something holds, from its text.
pub(crate) fn reach(text: &str) -> Result<Reach, String> {
    let reach = Reach::parse(text);
    match &reach {
        Reach::All => Ok(reach),
        Reach::One(name) => check_organisation(name).map(|()| reach),
    }
}

/// That a member is not known, with the one that may have been meant. Never repeats it.
fn not_known(name: &str, known: &[&str]) -> Problem {
    let known_here = known.join(", ");
    let refused = |detail| Problem::bad(Code::UnknownField.as_str(), detail);
    match nearest(name, known) {
        Some(near) => {
            refused(format!("a member is not known; did you mean `{near}`? known here: {known_here}"))
                .with("suggestion", near.to_owned())
        }
        None => refused(format!("a member is not known; known here: {known_here}")),
    }
}

/// The name that may have been meant, if one is a letter or two away.
fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let near = known.iter().map(|known| (distance(known, name), *known)).min()?;
    (near.0 <= 2 && near.0 < near.1.len()).then_some(near.1)
}

/// Edits from one name to the other: letters put in, taken out, changed. A name that is longer than any of ours is far.
fn distance(ours: &str, theirs: &str) -> usize {
    if theirs.len() > 40 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=theirs.len()).collect();
    for (i, a) in ours.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in theirs.bytes().enumerate() {
            let changed = diagonal + usize::from(!a.eq_ignore_ascii_case(&b));
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[theirs.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_that_was_meant_is_found() {
        let known = ["name", "organisation", "role", "scopes", "ip_allow"];
        for (name, meant) in [
            ("nam", Some("name")),
            ("organization", Some("organisation")),
            ("Scope", Some("scopes")),
            ("ipallow", Some("ip_allow")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, &known), meant, "{name}");
        }
        assert_eq!(nearest(&"n".repeat(10_000), &known), None);
    }
}
