//! Everything an event says, in groups that answer who, what, where and when. What has no place of its own is in the last
//! one; nothing is left out.

use event::Value;

use crate::narrow::clause;
use crate::row::short;
use crate::sentence::plain;

/// Values of one event, at most, and their length; the event's JSON has all of it.
const FACTS: usize = 600;
const TEXT: usize = 4000;

/// Values under a heading.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) facts: Vec<Fact>,
}

/// A value.
pub(crate) struct Fact {
    pub(crate) label: String,
    /// As filters name it.
    pub(crate) path: String,
    pub(crate) text: String,
    /// Events with it, and without it.
    pub(crate) only: Option<String>,
    pub(crate) not: Option<String>,
    /// An id or a hash.
    pub(crate) is_code: bool,
    /// Several lines, or long.
    pub(crate) is_long: bool,
}

/// Headings, and the beginnings of the paths below each. The first that fits.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "Where",
        &[
            "actor.ip",
            "actor.user_agent",
            "environment",
            "producer",
            "producer_seq",
            "app_version",
            "project",
            "attributes.geo",
        ],
    ),
    ("Who", &["actor.on_behalf_of", "actor.claimed", "actor"]),
    ("What", &["type", "action", "targets", "error"]),
    ("Model call", &["llm"]),
    ("Tool", &["tool"]),
    ("Agent", &["agent"]),
    ("Approval", &["approval"]),
    ("When", &["time", "received", "position"]),
    ("Ids", &["id", "source_id", "request_id", "trace_id", "span_id", "parent_span_id", "retention"]),
    ("Captured text", &["content"]),
    ("Attributes", &["attributes"]),
];
/// In which they are shown.
const ORDER: &[&str] = &[
    "Who",
    "What",
    "Where",
    "When",
    "Model call",
    "Tool",
    "Agent",
    "Approval",
    "Captured text",
    "Attributes",
    "Ids",
    "Else",
];
/// Said elsewhere on the page.
const ELSEWHERE: &[&str] = &[
    "changes",
    "redactions",
    "erased",
    "hidden",
    "verification",
    "message",
    "status",
    "severity",
    "organisation",
];
/// Labels that the last part of the path does not say well.
const LABELS: &[(&str, &str)] = &[
    ("actor.ip", "IP address"),
    ("actor.user_agent", "Client"),
    ("actor.api_key_hash", "API key"),
    ("actor.session_id", "Session"),
    ("actor.auth_method", "Signed in with"),
    ("actor.email", "E-mail"),
    ("actor.id", "Id"),
    ("id", "Event"),
    ("source_id", "Sender’s id"),
    ("time", "Happened (sender’s clock)"),
    ("received", "Received (our clock)"),
    ("position", "Position in the ledger"),
    ("producer_seq", "Producer’s number"),
    ("targets.id", "Target id"),
    ("targets.name", "Target"),
    ("targets.type", "Target type"),
    ("llm.requested_model", "Asked for"),
];

/// What comes first in its group; the rest is in the order of names.
const FIRST: &[&str] = &[
    "actor.email",
    "actor.name",
    "actor.id",
    "type",
    "action",
    "targets.name",
    "targets.id",
    "actor.ip",
    "time",
    "received",
    "llm.model",
    "llm.provider",
    "id",
];

/// What an event says. `search` gives the address of a filter's answer.
pub(crate) fn groups(event: &Value<'_>, search: impl Fn(&str) -> String) -> Vec<Group> {
    let mut found: Vec<Group> = ORDER.iter().map(|name| Group { name, facts: Vec::new() }).collect();
    let mut left = FACTS;
    walk(event, &mut String::new(), &mut String::new(), &mut |path, shown, value| {
        let begins = |start: &str| {
            path.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        if left == 0 || ELSEWHERE.iter().any(|start| begins(start)) {
            return;
        }
        left -= 1;
        let group = GROUPS.iter().find(|(_, starts)| starts.iter().any(|start| begins(start)));
        let (name, start) = match group {
            Some((name, starts)) => {
                (*name, starts.iter().find(|start| begins(start)).copied().unwrap_or_default())
            }
            None => ("Else", ""),
        };
        let fact = fact(path, shown, start, value, &search);
        if let Some(group) = found.iter_mut().find(|group| group.name == name) {
            group.facts.push(fact);
        }
    });
    found.retain(|group| !group.facts.is_empty());
    for group in &mut found {
        group
            .facts
            .sort_by_key(|fact| FIRST.iter().position(|path| *path == fact.path).unwrap_or(FIRST.len()));
    }
    found
}

fn fact(path: &str, shown: &str, start: &str, value: &Value<'_>, search: impl Fn(&str) -> String) -> Fact {
    let text = plain(value);
    let known = LABELS.iter().find(|(known, _)| *known == path).map(|(_, label)| (*label).to_owned());
    let label = known.unwrap_or_else(|| {
        // Of several targets each is told apart from the event itself.
        let start = if start == "targets" { "" } else { start };
        let rest = shown.strip_prefix(start).map_or(shown, |rest| rest.trim_start_matches('.'));
        let rest = if rest.is_empty() { shown } else { rest };
        humane(rest)
    });
    let is_long = text.chars().count() > 160 || text.contains('\n');
    let is_said = !text.is_empty() && !is_long && !matches!(path, "time" | "received" | "position");
    let link = |not: &str| is_said.then(|| search(&format!("{not}{}", clause(path, Some(&text)))));
    let is_code = ["id", "hash", "_id", "fingerprint", "ip", "type"].iter().any(|end| path.ends_with(end));
    Fact {
        label,
        only: link(""),
        not: link("-"),
        is_code,
        is_long,
        text: if is_long { cut(&text) } else { short(&text, TEXT) },
        path: path.to_owned(),
    }
}

fn cut(text: &str) -> String {
    let end = text.floor_char_boundary(TEXT);
    if end < text.len() { format!("{}…", &text[..end]) } else { text.to_owned() }
}

/// `tokens_input` as people write it.
fn humane(name: &str) -> String {
    let text = name.replace(['_', '.'], " ");
    let mut letters = text.chars();
    letters.next().map(|c| c.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default()
}

/// Every value that is no list and no object, with its path as filters have it and as people see it.
fn walk(
    value: &Value<'_>,
    path: &mut String,
    shown: &mut String,
    found: &mut impl FnMut(&str, &str, &Value<'_>),
) {
    let (path_length, shown_length) = (path.len(), shown.len());
    match value {
        Value::Object(members) => {
            for (name, value) in members.iter() {
                for text in [&mut *path, &mut *shown] {
                    if !text.is_empty() {
                        text.push('.');
                    }
                    text.push_str(name);
                }
                walk(value, path, shown, found);
                path.truncate(path_length);
                shown.truncate(shown_length);
            }
        }
        Value::Array(items) => {
            for (n, value) in items.iter().enumerate() {
                if items.len() > 1 {
                    shown.push_str(&format!(" {}", n + 1));
                }
                walk(value, path, shown, found);
                shown.truncate(shown_length);
            }
        }
        value => found(path, shown, value),
    }
}

#[cfg(test)]
mod tests {
    use event::{Limits, json};

    use super::*;

    #[test]
    fn everything_has_a_place() {
        let event = json::parse(
            br#"{"type":"a.b","time":"2026-01-01T00:00:00Z","actor":{"id":"u","ip":"192.0.2.1","roles":["a","b"],
                 "on_behalf_of":[{"id":"x"}]},"llm":{"model":"m","documents":[{"id":"1"},{"id":"2"}]},
                 "attributes":{"geo":{"country":"SE"},"n":{"deep":[{"x":1}]}},"odd":"?","message":"elsewhere"}"#,
            &Limits::default(),
        )
        .unwrap();
        let told: Vec<String> = groups(&event, |q| q.to_owned())
            .into_iter()
            .flat_map(|group| group.facts.into_iter().map(move |fact| (group.name, fact)))
            .map(|(group, fact)| {
                format!("{group}/{}: {} [{}]", fact.label, fact.text, fact.only.unwrap_or_default())
            })
            .collect();
        for line in [
            "Who/Id: u [actor.id:u]",
            "Who/Roles 2: b [actor.roles:b]",
            "Who/Id: x [actor.on_behalf_of.id:x]",
            "Where/IP address: 192.0.2.1 [actor.ip:192.0.2.1]",
            "Where/Country: SE [attributes.geo.country:SE]",
            "Model call/Documents 2 id: 2 [llm.documents.id:2]",
            "Attributes/N deep x: 1 [attributes.n.deep.x:1]",
            "When/Happened (sender’s clock): 2026-01-01T00:00:00Z []",
            "Else/Odd: ? [odd:\"?\"]",
        ] {
            assert!(told.iter().any(|told| told == line), "{line}\n{}", told.join("\n"));
        }
        assert!(!told.iter().any(|line| line.contains("elsewhere")));
    }
}
