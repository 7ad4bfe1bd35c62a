//! What a change changed: the values before and after, side by side, by their places.

use event::Value;

use crate::row::short;
use crate::sentence::plain;

/// Places that are compared, at most; the event's JSON has all of them.
const PLACES: usize = 500;
/// Longest value that is shown.
const TEXT: usize = 600;

/// One place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) path: String,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
    /// `added`, `removed`, `changed` or `same`.
    pub(crate) kind: &'static str,
}

/// Every place of either, in the order of before, then what only after has.
pub(crate) fn diff(before: Option<&Value<'_>>, after: Option<&Value<'_>>) -> Vec<Line> {
    let (mut was, mut is) = (Vec::new(), Vec::new());
    before.into_iter().for_each(|value| leaves(value, &mut String::new(), &mut was));
    after.into_iter().for_each(|value| leaves(value, &mut String::new(), &mut is));
    let now: std::collections::HashMap<&str, &str> =
        is.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let then: std::collections::HashSet<&str> = was.iter().map(|(path, _)| path.as_str()).collect();
    let cut = |text: &str| Some(short(text, TEXT));
    let both = was.iter().map(|(path, text)| {
        let after = now.get(path.as_str());
        let kind = match after {
            None => "removed",
            Some(after) if *after == text => "same",
            Some(_) => "changed",
        };
        Line { path: path.clone(), before: cut(text), after: after.and_then(|text| cut(text)), kind }
    });
    let added = is.iter().filter(|(path, _)| !then.contains(path.as_str())).map(|(path, text)| Line {
        path: path.clone(),
        before: None,
        after: cut(text),
        kind: "added",
    });
    both.chain(added).collect()
}

fn leaves(value: &Value<'_>, path: &mut String, out: &mut Vec<(String, String)>) {
    if out.len() >= PLACES {
        return;
    }
    let length = path.len();
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, value) in members.iter() {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
                leaves(value, path, out);
                path.truncate(length);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (n, value) in items.iter().enumerate() {
                path.push_str(&format!("[{n}]"));
                leaves(value, path, out);
                path.truncate(length);
            }
        }
        // Texts in quotes, so that "1" and 1 are two things.
        Value::String(text) if !text.is_empty() && text.parse::<f64>().is_err() => {
            out.push((path.clone(), text.to_string()));
        }
        Value::String(text) => out.push((path.clone(), format!("\"{text}\""))),
        Value::Null => out.push((path.clone(), "null".to_owned())),
        other => out.push((path.clone(), plain(other))),
    }
}

#[cfg(test)]
mod tests {
    use event::{Limits, json};

    use super::*;

    #[test]
    fn places_are_compared() {
        let parse = |text: &'static str| json::parse(text.as_bytes(), &Limits::default()).unwrap();
        let before =
            parse(r#"{"budget":"60","limits":{"rpm":5,"models":["a","b"]},"gone":null,"same":true}"#);
        let after = parse(r#"{"budget":60,"limits":{"rpm":5,"models":["a","c","d"]},"same":true,"new":{}}"#);
        let told: Vec<String> = diff(Some(&before), Some(&after))
            .into_iter()
            .map(|line| {
                let text = |text: Option<String>| text.unwrap_or_else(|| "-".into());
                format!("{} {} {} {}", line.kind, line.path, text(line.before), text(line.after))
            })
            .collect();
        for line in [
            "changed budget \"60\" 60",
            "removed gone null -",
            "same limits.models[0] a a",
            "changed limits.models[1] b c",
            "added limits.models[2] - d",
            "same limits.rpm 5 5",
            "same same true true",
            "added new - {}",
        ] {
            assert!(told.contains(&line.to_owned()), "{line}: {told:?}");
        }
        assert_eq!(told.len(), 8);
        assert_eq!(diff(None, None), []);
        assert_eq!(diff(None, Some(&parse(r#""text""#)))[0].kind, "added");
    }
}
