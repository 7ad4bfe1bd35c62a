//! A filter made narrower or wider by a press: the text that somebody typed is kept as it is where that is possible.

use query::{Expr, Filter, Test};

/// The clause for a value of a field, as text; without a value, that there is none.
pub(crate) fn clause(path: &str, value: Option<&str>) -> String {
    let field = |test| Expr::Field { path: path.to_owned(), test };
    let expr = match value {
        Some(value) => field(Test::Is(value.to_owned())),
        None => Expr::Not(Box::new(field(Test::Exists))),
    };
    Filter::from(expr).to_string()
}

/// What must all hold.
fn parts(filter: &Filter) -> Vec<Expr> {
    match filter.expr() {
        Expr::All => Vec::new(),
        Expr::And(parts) => parts.clone(),
        other => vec![other.clone()],
    }
}

/// How a filter stands to a value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stand {
    Included,
    Excluded,
    Neither,
}

/// A filter, read once for many links.
pub(crate) struct Narrow {
    text: String,
    filter: Filter,
    parts: Vec<Expr>,
}

impl Narrow {
    /// Text that is no filter is taken for nothing.
    pub(crate) fn new(text: &str) -> Narrow {
        let filter = Filter::parse(text).unwrap_or_default();
        Narrow { text: text.trim().to_owned(), parts: parts(&filter), filter }
    }

    /// Whether a value is asked for, or left out.
    pub(crate) fn stand(&self, path: &str, value: Option<&str>) -> Stand {
        let Some(asked) = one(&clause(path, value)) else { return Stand::Neither };
        let not = Filter::from(Expr::Not(Box::new(asked.clone())));
        let holds = |part: &Expr| match part {
            Expr::Or(either) => either.contains(&asked) && either.iter().all(|part| is_of(part, path)),
            part => *part == asked,
        };
        match () {
            () if self.parts.iter().any(holds) => Stand::Included,
            () if self.parts.contains(not.expr()) => Stand::Excluded,
            () => Stand::Neither,
        }
    }

    /// With one more clause.
    pub(crate) fn and(&self, clause: &str) -> String {
        let both = format!("{} {clause}", self.text);
        let meant = one(clause).map(|clause| self.filter.clone().and(Filter::from(clause)));
        match self.filter.expr() {
            _ if one(clause).is_some_and(|clause| self.parts.contains(&clause)) => self.text.clone(),
            Expr::All => clause.to_owned(),
            // An OR at the top would take the clause for its own last part.
            _ if meant.is_some() && Filter::parse(&both).ok() == meant => both,
            _ => format!("({}) {clause}", self.text),
        }
    }

    /// Only events with this value; or, if there are such of another value of the field already, those with either.
    pub(crate) fn include(&self, path: &str, value: Option<&str>) -> String {
        let added = clause(path, value);
        let Some(asked) = one(&added) else { return self.text.clone() };
        let same = self.parts.iter().position(|part| match part {
            Expr::Or(either) => either.iter().all(|part| is_of(part, path)),
            part => is_of(part, path),
        });
        match same {
            Some(at) if self.stand(path, value) == Stand::Neither => {
                let mut parts = self.parts.clone();
                parts[at] = Expr::Or(vec![parts[at].clone(), asked]);
                Filter::from(Expr::And(parts)).to_string()
            }
            _ => self.and(&added),
        }
    }

    /// No events with this value.
    pub(crate) fn exclude(&self, path: &str, value: Option<&str>) -> String {
        let not = match value {
            Some(_) => format!("-{}", clause(path, value)),
            None => format!("exists:{path}"),
        };
        self.and(&not)
    }

    /// Whether with this value or without: the field's clause about it is gone.
    pub(crate) fn forget(&self, path: &str, value: Option<&str>) -> String {
        let Some(asked) = one(&clause(path, value)) else { return self.text.clone() };
        let not = Filter::from(Expr::Not(Box::new(asked.clone())));
        let mut parts = Vec::new();
        for part in &self.parts {
            match part {
                part if *part == asked || part == not.expr() => {}
                Expr::Or(either)
                    if either.contains(&asked) && either.iter().all(|part| is_of(part, path)) =>
                {
                    let mut either = either.clone();
                    either.retain(|part| *part != asked);
                    parts.push(Expr::Or(either));
                }
                part => parts.push(part.clone()),
            }
        }
        Filter::from(Expr::And(parts)).to_string()
    }

    /// Each clause, and the filter without it.
    pub(crate) fn without_each(&self) -> Vec<(String, String)> {
        let without = |at: usize| {
            let mut rest = self.parts.clone();
            let part = Filter::from(rest.remove(at)).to_string();
            (part, Filter::from(Expr::And(rest)).to_string())
        };
        (0..self.parts.len()).map(without).collect()
    }
}

fn one(clause: &str) -> Option<Expr> {
    Filter::parse(clause).ok().map(|filter| filter.expr().clone())
}

fn is_of(part: &Expr, path: &str) -> bool {
    matches!(part, Expr::Field { path: of, test: Test::Is(_) } if of == path)
}

/// What people fill in who do not type filters: name of the field in the form, label, clause before the value, hint.
pub(crate) const BUILDER: &[(&str, &str, &str, &str)] = &[
    ("user", "User", "user:", "e-mail, name or id"),
    ("action", "Action", "action:", "in the sender’s words"),
    ("type", "Type", "type:", "auth.* or key.rotated"),
    ("resource", "Resource", "target:", "name or id of what it was done to"),
    ("status", "Status", "status:", ""),
    ("severity", "Severity at least", "severity>=", ""),
    ("key", "API key", "key:", "its fingerprint, as events show it"),
    ("ip", "IP address", "ip:", "203.0.113.7 or 203.0.113.0/24"),
];

/// What a filter says in the words of the builder: the value of each of its fields, and whatever else there is as text.
pub(crate) fn take_apart(text: &str) -> (Vec<String>, String) {
    let mut rest = parts(&Filter::parse(text).unwrap_or_default());
    let values = BUILDER.iter().map(|(_, _, start, _)| {
        let found = rest.iter().enumerate().find_map(|(at, part)| {
            let value = value_in(part)?;
            let same = Filter::parse(&format!("{start}{}", quoted(&value)))
                .is_ok_and(|filter| filter.expr() == part);
            same.then_some((at, value))
        });
        found.map_or_else(String::new, |(at, value)| {
            rest.remove(at);
            value
        })
    });
    let values = values.collect();
    (values, Filter::from(Expr::And(rest)).to_string())
}

/// The filter that a filled-in builder means. The name of the field that can't be meant so, and why, if there is one.
pub(crate) fn put_together(
    values: &[(&'static str, String)],
    rest: &str,
) -> Result<String, (&'static str, String)> {
    let mut clauses: Vec<String> = Vec::new();
    for (name, value) in values.iter().filter(|(_, value)| !value.is_empty()) {
        let Some((_, label, start, _)) = BUILDER.iter().find(|(known, ..)| known == name) else { continue };
        let clause = format!("{start}{}", quoted(value));
        Filter::parse(&clause).map_err(|error| (*label, error.message))?;
        clauses.push(clause);
    }
    let before = Narrow::new(rest);
    if let Err(error) = Filter::parse(rest) {
        return Err(("Anything else", error.message));
    }
    Ok(match clauses.is_empty() {
        true => before.text,
        false => before.and(&clauses.join(" ")),
    })
}

/// The one value that a clause is about, as somebody would write it.
fn value_in(part: &Expr) -> Option<String> {
    match part {
        Expr::Or(either) => value_in(either.first()?),
        Expr::Field { test: Test::Is(value), .. } => Some(value.clone()),
        Expr::Field { path, test } => {
            let text = Filter::from(Expr::Field { path: path.clone(), test: test.clone() }).to_string();
            let value = text.strip_prefix(path.as_str())?;
            value.strip_prefix(':').or_else(|| value.strip_prefix(">=")).map(str::to_owned)
        }
        _ => None,
    }
}

/// In quotes if it needs them; an asterisk stays one that stands for anything.
fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-.@%+*:/".contains(c);
    match value.chars().all(plain) && !value.is_empty() {
        true => value.to_owned(),
        false => format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presses_make_a_filter_narrower_and_wider() {
        let of = Narrow::new;
        assert_eq!(of("").include("status", Some("failed")), "status:failed");
        assert_eq!(
            of("user:alice  \"x y\"").include("status", Some("failed")),
            "user:alice  \"x y\" status:failed"
        );
        assert_eq!(of("a OR b").include("type", Some("auth.login")), "(a OR b) type:auth.login");
        assert_eq!(
            of("status:failed x").include("status", Some("blocked")),
            "(status:failed OR status:blocked) x"
        );
        assert_eq!(of("status:failed").include("status", Some("failed")), "status:failed");
        assert_eq!(of("x").exclude("actor.id", Some("a b")), "x -actor.id:\"a b\"");
        assert_eq!(of("x").exclude("actor.id", None), "x exists:actor.id");
        assert_eq!(of("x").include("actor.id", None), "x -actor.id:*");
        assert_eq!(of("x status:failed").forget("status", Some("failed")), "x");
        assert_eq!(of("x -status:failed").forget("status", Some("failed")), "x");
        assert_eq!(of("status:(failed OR blocked)").forget("status", Some("failed")), "status:blocked");
        assert_eq!(of("status:(failed OR blocked)").stand("status", Some("blocked")), Stand::Included);
        assert_eq!(of("-status:failed").stand("status", Some("failed")), Stand::Excluded);
        assert_eq!(of("status:failed").stand("status", Some("blocked")), Stand::Neither);
        assert_eq!(of("a status:failed").without_each().len(), 2);
        assert_eq!(of("status:(").include("status", Some("failed")), "status:failed");
    }

    #[test]
    fn hostile_values_stay_values() {
        for value in
            ["a OR b", "\" OR *", "\\", "(x", "*", "a:b", "now-7d..", "<b>", "ü\u{202e}", "AND", "-x"]
        {
            let text = Narrow::new("status:failed").include("actor.id", Some(value));
            let filter = Filter::parse(&text).unwrap_or_else(|e| panic!("{text}: {e}"));
            let Expr::And(parts) = filter.expr() else { panic!("{text}") };
            assert_eq!(parts[1], Expr::Field { path: "actor.id".into(), test: Test::Is(value.into()) });
        }
    }

    #[test]
    fn a_builder_writes_what_it_reads() {
        let filled = [
            ("user", "alice@acme.example"),
            ("action", "delete all"),
            ("type", "auth.*"),
            ("resource", "k-1"),
            ("status", "failed"),
            ("severity", "high"),
            ("key", "hmac:ab12"),
            ("ip", "203.0.113.0/24"),
        ];
        let values: Vec<_> = filled.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let text = put_together(&values, "\"free words\"").unwrap();
        let (read, rest) = take_apart(&text);
        assert_eq!(read, filled.map(|(_, value)| value));
        assert_eq!(rest, "\"free words\"");
        assert_eq!(take_apart("a OR b").1, "a OR b");
        assert_eq!(put_together(&[("ip", "nonsense".into())], "").unwrap_err().0, "IP address");
        assert!(put_together(&[("user", "x\" OR *".into())], "").unwrap().starts_with("user:\"x"));
    }
}
