//! What may be asked about: the event's fields with the brackets of lists left out, other names for them, and the words
//! that some of them hold.

use std::sync::LazyLock;

use event::field::{FIELDS, Shape};
use event::kind::{Category, KINDS};
use event::outcome::{SEVERITIES, STATUSES};

/// How the values at a path are compared, searched and indexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Unique ids and fingerprints: text that is only ever compared whole, and never read as a number.
    Id,
    /// Names, words from a list, `true` and `false`.
    Keyword,
    /// An IP address.
    Ip,
    /// A number.
    Number,
    /// A decimal as text: `llm.cost`.
    Decimal,
    /// A time as RFC 3339.
    Time,
    /// Sentences. Being equal to one means to occur in it as a phrase.
    Prose,
    /// Values of any type, in objects with any members.
    Open,
}

impl Kind {
    /// Its name, for documentation.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Id => "id",
            Kind::Keyword => "keyword",
            Kind::Ip => "address",
            Kind::Number => "number",
            Kind::Decimal => "decimal",
            Kind::Time => "time",
            Kind::Prose => "prose",
            Kind::Open => "open",
        }
    }
}

/// A field that may be asked about.
#[derive(Clone, Debug)]
pub struct FieldInfo {
    /// Canonical path: names joined by dots, without `[]`.
    pub path: String,
    /// How it is compared. Below the path of an open field any path may be asked about too.
    pub kind: Kind,
    /// What it says.
    pub about: String,
    /// Other names for it; they are printed back as the path.
    pub aliases: Vec<&'static str>,
    /// The words it holds, where there is a list of them. `type` and `status` may hold others.
    pub values: Vec<&'static str>,
}

/// Every field that may be asked about, in the order of `event::field::FIELDS`.
pub fn fields() -> &'static [FieldInfo] {
    &TABLE.fields
}

/// The kind of a path without `[]`; for paths that no event has yet it is [`Kind::Open`].
pub fn kind_of(path: &str) -> Kind {
    kind_at(Some(&TABLE.root).and_then(|root| root.below(path)))
}

/// Other names, and the fields they are names of.
pub(crate) static ALIASES: &[(&str, &str)] = &[
    ("agent", "agent.id"),
    ("api_key", "actor.api_key_hash"),
    ("app", "producer"),
    ("cost", "llm.cost"),
    ("email", "actor.email"),
    ("env", "environment"),
    ("event_id", "id"),
    ("event_type", "type"),
    ("ip", "actor.ip"),
    ("ip_address", "actor.ip"),
    ("key", "actor.api_key_hash"),
    ("latency", "llm.latency_ms"),
    ("model", "llm.model"),
    ("org", "organisation"),
    ("organization", "organisation"),
    ("outcome", "status"),
    ("prompt_hash", "llm.prompt_fingerprint"),
    ("provider", "llm.provider"),
    ("request", "request_id"),
    ("resource", "targets.id"),
    ("resource_type", "targets.type"),
    ("response_hash", "llm.response_fingerprint"),
    ("result", "status"),
    ("session", "actor.session_id"),
    ("timestamp", "time"),
    ("tokens", "llm.tokens_total"),
    ("tool", "tool.name"),
    ("trace", "trace_id"),
    ("ts", "time"),
    ("user_agent", "actor.user_agent"),
    ("user_id", "actor.id"),
];

/// Names that ask several fields at once: any of them.
pub(crate) static SEVERAL: &[(&str, &[&str])] = &[
    ("actor", &["actor.id", "actor.email", "actor.name"]),
    ("target", &["targets.id", "targets.name"]),
    ("user", &["actor.id", "actor.email", "actor.name"]),
];

/// What is shown with an event and is not of it; and `category`, which its type says.
pub(crate) const NOT_OF_THE_EVENT: [&str; 4] = ["leaf_hash", "state", "verification", "category"];

/// What a name stands for. Both may be there: `agent` is `agent.id`, and `exists:agent` asks for anything in the block.
#[derive(Debug, PartialEq)]
pub(crate) struct Named {
    /// The fields whose values it asks about: any of them.
    pub(crate) fields: Vec<(String, Kind)>,
    /// The block, of which only the existence can be asked.
    pub(crate) block: Option<String>,
}

/// What a name in a filter stands for; `None` if for nothing. Known names are compared without regard to case, the keys
/// inside of open fields are not.
pub(crate) fn resolve(name: &str) -> Option<Named> {
    let small = name.to_ascii_lowercase();
    let field = |path: &str| (path.to_string(), kind_of(path));
    let mut named = Named { fields: Vec::new(), block: None };
    if TABLE.blocks.contains(&small) {
        named.block = Some(small.clone());
    }
    let holds_values = named.block.is_none();
    if holds_values && TABLE.fields.iter().any(|info| info.path == small) {
        named.fields.push(field(&small));
    } else if let Some((_, path)) = ALIASES.iter().find(|(alias, _)| *alias == small) {
        named.fields.push(field(path));
    } else if let Some((_, paths)) = SEVERAL.iter().find(|(several, _)| *several == small) {
        named.fields.extend(paths.iter().map(|path| field(path)));
    } else if let Some(open) = open_above(&small) {
        named.fields.push((format!("{open}{}", &name[open.len()..]), Kind::Open));
    }
    (!named.fields.is_empty() || named.block.is_some()).then_some(named)
}

/// The open field that a path lies below, with a name of at least one character.
fn open_above(small: &str) -> Option<&'static str> {
    let below = |path: &str| small.strip_prefix(path).and_then(|rest| rest.strip_prefix('.'));
    let mut open = TABLE.fields.iter().filter(|info| info.kind == Kind::Open);
    open.find(|info| below(&info.path).is_some_and(|rest| !rest.is_empty())).map(|info| info.path.as_str())
}

/// Fields in a block, for advice.
pub(crate) fn inside<'a>(block: &'a str) -> impl Iterator<Item = &'static str> + 'a {
    let of_it = move |path: &str| path.strip_prefix(block).is_some_and(|rest| rest.starts_with('.'));
    TABLE.fields.iter().map(|info| info.path.as_str()).filter(move |path| of_it(path))
}

/// Blocks, of which only the existence can be asked: `llm`, `targets`, and `attributes` with its like.
pub(crate) fn blocks() -> &'static [String] {
    &TABLE.blocks
}

/// Whether a field holds `true` or `false`.
pub(crate) fn is_bool(path: &str) -> bool {
    TABLE.fields.iter().any(|info| info.path == path && info.values == TRUE_FALSE)
}

const TRUE_FALSE: [&str; 2] = ["true", "false"];

/// The field name that somebody may have meant.
pub(crate) fn nearest(name: &str) -> Option<String> {
    let small = name.to_ascii_lowercase();
    let paths = TABLE.fields.iter().map(|info| info.path.as_str());
    let whole = paths.clone().map(|path| (path, path));
    let last = paths.filter_map(|path| path.rsplit_once('.').map(|(_, last)| (last, path)));
    let aliases = ALIASES.iter().map(|(alias, _)| (*alias, *alias));
    let several = SEVERAL.iter().map(|(several, _)| (*several, *several));
    closest(&small, whole.chain(aliases).chain(several).chain(last)).map(str::to_string)
}

/// The word out of a list that somebody may have meant.
pub(crate) fn nearest_word(said: &str, words: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    closest(&said.to_ascii_lowercase(), words.map(|word| (word, word)))
}

/// Of names and what to say for them, the first of those with the fewest edits: at most one in three characters.
fn closest<'a>(said: &str, names: impl Iterator<Item = (&'a str, &'a str)>) -> Option<&'a str> {
    let said: Vec<char> = said.chars().take(65).collect();
    if said.len() > 64 {
        return None;
    }
    let limit = (said.len() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for (name, say) in names.filter(|(name, _)| name.len().abs_diff(said.len()) <= limit) {
        let edits = edits(&said, name);
        if edits <= limit && best.is_none_or(|(fewest, _)| edits < fewest) {
            best = Some((edits, say));
        }
    }
    best.map(|(_, say)| say)
}

/// Insertions, deletions, replacements and swaps of neighbours that make one of the other (optimal string alignment).
fn edits(a: &[char], b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let (mut before, mut above) = (vec![0; b.len() + 1], (0..=b.len()).collect::<Vec<_>>());
    for i in 0..a.len() {
        let mut row = vec![i + 1; b.len() + 1];
        for j in 0..b.len() {
            let replaced = above[j] + usize::from(a[i] != b[j]);
            row[j + 1] = replaced.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

/// The fields as a tree, which [`crate::visit`] walks along with the event.
pub(crate) struct Node {
    name: &'static str,
    /// `None` for a block.
    kind: Option<Kind>,
    /// Which of [`fields`] it is.
    field: Option<usize>,
    /// In order of name.
    children: Vec<Node>,
    /// Where the children begin whose names begin with a letter.
    from: [u8; 128],
}

impl Node {
    /// What a key of an object leads to; `None` for whatever is not in the table, and below open fields. A key with dots
    /// joins into the path like any other.
    pub(crate) fn below(&self, path: &str) -> Option<&Node> {
        self.child(path).or_else(|| {
            let (first, rest) = path.split_once('.')?;
            self.child(first)?.below(rest)
        })
    }

    /// Looked up for every value of every event: the first letter leads to one of a few names.
    fn child(&self, name: &str) -> Option<&Node> {
        let letter = *name.as_bytes().first()?;
        let from = usize::from(*self.from.get(usize::from(letter))?);
        let mut alike = self.children[from..].iter().take_while(|child| child.name.as_bytes()[0] == letter);
        alike.find(|child| child.name == name)
    }

    /// The child of this name, made if there is none.
    fn child_mut(&mut self, name: &'static str, kind: Option<Kind>) -> &mut Node {
        let at = self.children.binary_search_by(|child| child.name.cmp(name)).unwrap_or_else(|at| {
            self.children.insert(at, Node { kind, ..Node::new(name) });
            let letter = usize::from(name.as_bytes()[0]);
            self.from[letter + 1..].iter_mut().for_each(|from| *from += 1);
            at
        });
        &mut self.children[at]
    }

    const fn new(name: &'static str) -> Node {
        Node { name, kind: None, field: None, children: Vec::new(), from: [0; 128] }
    }
}

pub(crate) fn kind_at(node: Option<&Node>) -> Kind {
    node.and_then(|node| node.kind).unwrap_or(Kind::Open)
}

pub(crate) fn field_at(node: Option<&Node>) -> Option<usize> {
    node.and_then(|node| node.field)
}

pub(crate) fn root() -> &'static Node {
    &TABLE.root
}

struct Table {
    fields: Vec<FieldInfo>,
    blocks: Vec<String>,
    root: Node,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table { fields: Vec::new(), blocks: Vec::new(), root: Node::new("") };
    for (path, kind, about) in OURS {
        table.add(path, Some(*kind), (*about).to_string());
    }
    for field in FIELDS.iter().filter(|field| field.path != "id") {
        let path = field.path;
        let about = match path.rsplit_once('.') {
            Some((above, name)) if field.about.is_empty() => {
                let of = FIELDS.iter().find(|field| field.path == above).map_or("", |field| field.about);
                format!("its {name}; {above}: {of}").replace("[]", "")
            }
            _ => field.about.to_string(),
        };
        table.add(path, kind_of_shape(path, field.shape), about);
    }
    table
});

/// Fields that an event has without its sender saying them, besides those of the table.
const OURS: &[(&str, Kind, &str)] = &[
    ("id", Kind::Id, "the event's id, which Indelible gave it"),
    ("position", Kind::Number, "its place in the ledger, counting from 0"),
    ("received", Kind::Time, "when Indelible took it"),
    ("category", Kind::Keyword, "what it is about, as its type says"),
    ("erased[]", Kind::Keyword, "sections of it that are gone"),
];

impl Table {
    fn add(&mut self, listed: &'static str, kind: Option<Kind>, about: String) {
        let mut node = &mut self.root;
        for part in listed.split('.') {
            let name = part.strip_suffix("[]").unwrap_or(part);
            node = node.child_mut(name, kind);
        }
        let path = listed.replace("[]", "");
        let Some(kind) = kind else {
            self.blocks.push(path);
            return;
        };
        node.field = Some(self.fields.len());
        if event::field::find(listed).is_some_and(|field| field.shape == Shape::Open) {
            self.blocks.push(path.clone());
        }
        let aliases = ALIASES.iter().filter(|(_, of)| *of == path).map(|(alias, _)| *alias).collect();
        let values = match path.as_str() {
            "type" => KINDS.iter().map(|kind| kind.name).collect(),
            "status" => STATUSES.iter().map(|word| word.name).collect(),
            "severity" => SEVERITIES.iter().map(|word| word.name).collect(),
            "category" => Category::ALL.iter().map(|category| category.name()).collect(),
            _ if event::field::find(listed).is_some_and(|field| field.shape == Shape::Bool) => {
                TRUE_FALSE.to_vec()
            }
            _ => Vec::new(),
        };
        self.fields.push(FieldInfo { path, kind, about, aliases, values });
    }
}

/// Names whose values are given out once, or nearly.
const IDS: &[&str] = &[
    "source_id",
    "request_id",
    "trace_id",
    "span_id",
    "parent_span_id",
    "actor.session_id",
    "llm.response_id",
    "llm.tools[].id",
    "tool.call_id",
    "agent.run_id",
    "approval.id",
];

fn kind_of_shape(path: &str, shape: Shape) -> Option<Kind> {
    Some(match shape {
        Shape::Block => return None,
        _ if IDS.contains(&path) => Kind::Id,
        Shape::Fingerprint => Kind::Id,
        Shape::Id | Shape::Bool | Shape::Producer | Shape::Class => Kind::Keyword,
        // JSON pointers, which are names however long they may be.
        Shape::Text(_) if path == "redactions[].path" => Kind::Keyword,
        Shape::Text(max) if max <= 256 => Kind::Keyword,
        Shape::Text(_) => Kind::Prose,
        Shape::Count | Shape::Ordinal | Shape::Number => Kind::Number,
        Shape::Decimal => Kind::Decimal,
        Shape::Time => Kind::Time,
        Shape::Ip => Kind::Ip,
        Shape::Open | Shape::Any => Kind::Open,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_names_lead_to_fields_and_are_not_fields() {
        let known = |path: &str| fields().iter().any(|info| info.path == path);
        for (alias, path) in ALIASES {
            assert!(known(path) && !known(alias), "{alias} {path}");
        }
        for (name, paths) in SEVERAL {
            assert!(paths.iter().all(|path| known(path)) && !known(name), "{name}");
        }
        for id in IDS {
            assert!(event::field::find(id).is_some(), "{id}");
        }
        for info in fields() {
            assert_eq!(kind_of(&info.path), info.kind, "{}", info.path);
            assert!(!info.about.is_empty() && !info.path.contains('['), "{}", info.path);
        }
    }

    #[test]
    fn names_are_resolved() {
        let check = |name: &str, expect: &str| {
            let named = resolve(name).map_or("nothing".to_string(), |named| {
                let fields = named.fields.iter().map(|(path, kind)| format!("{path} {}", kind.name()));
                let block = named.block.iter().map(|block| format!("{block} block"));
                fields.chain(block).collect::<Vec<_>>().join(", ")
            });
            assert_eq!(named, expect, "{name}");
        };
        check("Actor.Email", "actor.email keyword");
        check("IP", "actor.ip address");
        check("agent", "agent.id keyword, agent block");
        check("actor", "actor.id keyword, actor.email keyword, actor.name keyword, actor block");
        check("llm.documents.id", "llm.documents.id keyword");
        check("Attributes.Tenant.Name", "attributes.Tenant.Name open");
        check("attributes", "attributes block");
        check("content.prompt", "content.prompt open");
        check("changes.before.Budget", "changes.before.Budget open");
        check("changes", "changes block");
        check("attributes.", "nothing");
        check("changes.budget", "nothing");
        check("https", "nothing");
    }

    #[test]
    fn near_names_are_suggested() {
        let check = |name: &str, expect: Option<&str>| assert_eq!(nearest(name).as_deref(), expect, "{name}");
        check("actor.emial", Some("actor.email"));
        check("sevrity", Some("severity"));
        check("user_agnt", Some("user_agent"));
        check("tokens_input", Some("llm.tokens_input"));
        check("llm.modle", Some("llm.model"));
        check("catgory", Some("category"));
        check("https", None);
        check("x", None);
        check(&"a".repeat(5000), None);
    }
}
