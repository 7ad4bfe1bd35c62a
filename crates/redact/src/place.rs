//! What stands at a place of an event: which fields may say who, which are free text, and what a policy says of a path.

use std::sync::LazyLock;

use event::field::{FIELDS, Shape};

use crate::note::Path;
use crate::policy::{Action, PathRule, PiiClass, PolicyError, wrong};

/// What is done with a field of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Nothing, if it is a time.
    Time,
    /// Secrets are taken out. Personal data stays: an audit log says who did what to whom.
    Exact,
    /// The same, and it is somebody's name.
    Person,
    /// Personal data is taken out too.
    Free,
    /// The same, and a stranger chose the names in it: some say that the value is a prompt.
    Open,
    /// In the leaf: what stands in it instead must fit there, and the event's core must follow.
    Core,
    /// The sender's own id: two that were masked alike would be taken for one event.
    SourceId,
    /// The class of retention: without one, the default holds.
    Retention,
    /// The sender's hash of a text or a key.
    Fingerprint,
    /// An address.
    Ip,
    /// Captured text, which is seen to first.
    Content,
    /// An object of the table.
    Block,
}

/// The table of fields as a tree.
pub(crate) struct Node {
    pub(crate) name: &'static str,
    pub(crate) role: Role,
    /// In order of name, as the members of an event are.
    pub(crate) children: Vec<Node>,
}

pub(crate) static ROOT: LazyLock<Node> = LazyLock::new(|| {
    let mut root = Node { name: "", role: Role::Block, children: Vec::new() };
    for field in FIELDS {
        let mut node = &mut root;
        for part in field.path.split('.') {
            let name = part.trim_end_matches("[]");
            let at = match node.children.binary_search_by(|child| child.name.cmp(name)) {
                Ok(at) => at,
                Err(at) => {
                    let role = role(field.path, field.shape);
                    node.children.insert(at, Node { name, role, children: Vec::new() });
                    at
                }
            };
            node = &mut node.children[at];
        }
    }
    root
});

/// Names of the fields that the leaf is made from.
const CORE: &[&str] = &["type", "time", "status", "severity", "producer", "producer_seq", "organisation"];

fn role(path: &str, shape: Shape) -> Role {
    match (path, shape) {
        (_, Shape::Time) => Role::Time,
        ("type" | "status" | "severity" | "producer" | "organisation", _) => Role::Core,
        ("id" | "source_id", _) => Role::SourceId,
        ("retention", _) => Role::Retention,
        ("actor.name" | "actor.claimed.name" | "actor.on_behalf_of[].name", _) => Role::Person,
        ("action" | "actor.user_agent" | "llm.documents[].name" | "redactions[].path", _) => Role::Free,
        (path, Shape::Any) if path.starts_with("content.") => Role::Content,
        (_, Shape::Fingerprint) => Role::Fingerprint,
        (_, Shape::Ip) => Role::Ip,
        (_, Shape::Block) => Role::Block,
        (_, Shape::Open) => Role::Open,
        (_, Shape::Any) => Role::Free,
        // Sentences, but not names for people such as `targets[].name`.
        (_, Shape::Text(512..)) => Role::Free,
        _ => Role::Exact,
    }
}

/// The exceptions of a policy, ready to be compared.
#[derive(Default)]
pub(crate) struct PathRules {
    rules: Vec<Compiled>,
    /// Whether any of them takes whole values.
    pub(crate) whole: bool,
}

struct Compiled {
    /// `None` stands for any name.
    parts: Vec<Option<String>>,
    /// And all below.
    deep: bool,
    class: Option<PiiClass>,
    action: Action,
}

impl PathRules {
    pub(crate) fn new(rules: &[PathRule]) -> Result<PathRules, PolicyError> {
        let rules: Vec<Compiled> = rules.iter().enumerate().map(compile).collect::<Result<_, _>>()?;
        let whole = rules.iter().any(|rule| rule.class.is_none() && rule.action != Action::Keep);
        Ok(PathRules { rules, whole })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// What the first rule for a class at this place says.
    pub(crate) fn of_class(&self, class: PiiClass, path: &Path<'_>) -> Option<Action> {
        let speaks = |rule: &&Compiled| match rule.class {
            Some(of) => of == class,
            None => rule.action == Action::Keep,
        };
        self.rules.iter().filter(speaks).find(|rule| rule.is_for(path)).map(|rule| rule.action)
    }

    /// What the first rule for the whole value at this place says.
    pub(crate) fn of_whole(&self, path: &Path<'_>) -> Option<Action> {
        let first = self.rules.iter().filter(|rule| rule.class.is_none()).find(|rule| rule.is_for(path))?;
        (first.action != Action::Keep).then_some(first.action)
    }
}

impl Compiled {
    fn is_for(&self, path: &Path<'_>) -> bool {
        let place = path.outermost();
        let depth = place.upwards().count() - 1;
        if depth < self.parts.len() || (depth > self.parts.len() && !self.deep) {
            return false;
        }
        place.upwards().skip(depth - self.parts.len()).zip(self.parts.iter().rev()).all(|(at, part)| {
            match (at, part) {
                (_, None) => true,
                (Path::Name(_, name), Some(part)) => name == part,
                (Path::Index(_, index), Some(part)) => part.parse() == Ok(*index),
                _ => false,
            }
        })
    }
}

fn compile((nth, rule): (usize, &PathRule)) -> Result<Compiled, PolicyError> {
    let refuse = |reason| Err(wrong(format!("/rules/{nth}/path"), reason));
    let Some(path) = rule.path.strip_prefix('/') else {
        return refuse("a path begins with `/`, as a JSON pointer does");
    };
    let (path, deep) = match path.strip_suffix("**") {
        Some("") => ("", true),
        Some(before) if before.ends_with('/') => (&before[..before.len() - 1], true),
        Some(_) => return refuse("`**` stands alone at the end, as in `/attributes/**`"),
        None => (path, false),
    };
    let names = path.split('/').filter(|_| !path.is_empty() || !deep);
    let mut parts = Vec::new();
    for name in names {
        parts.push(match name {
            "*" => None,
            "" => return refuse("an empty name"),
            name if name.contains('*') => return refuse("`*` stands for a whole name"),
            name => Some(name.replace("~1", "/").replace("~0", "~")),
        });
    }
    let takes_whole = rule.class.is_none() && rule.action != Action::Keep;
    let core = match parts.first() {
        Some(Some(name)) => CORE.contains(&name.as_str()),
        _ => true,
    };
    if takes_whole && core {
        return refuse(
            "the leaf needs type, time, status, severity, producer and organisation; name another field",
        );
    }
    Ok(Compiled { parts, deep, class: rule.class, action: rule.action })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(paths: &[&str]) -> Result<PathRules, PolicyError> {
        let rule = |path: &&str| PathRule { path: path.to_string(), class: None, action: Action::Drop };
        PathRules::new(&paths.iter().map(rule).collect::<Vec<_>>())
    }

    #[test]
    fn paths_are_compared_name_by_name() {
        let root = Path::Root;
        let attributes = Path::Name(&root, "attributes");
        let list = Path::Name(&attributes, "a/b");
        let item = Path::Index(&list, 2);
        let leaf = Path::Name(&item, "x");
        let is_for = |pattern: &str, path: &Path<'_>| rules(&[pattern]).unwrap().of_whole(path).is_some();
        assert!(is_for("/attributes/a~1b/2", &item) && is_for("/attributes/*/*", &item));
        assert!(!is_for("/attributes/a~1b/2", &leaf) && is_for("/attributes/a~1b/**", &leaf));
        assert!(is_for("/attributes/**", &attributes) && !is_for("/attributes/b/**", &leaf));
        assert!(is_for("/attributes/**", &Path::Name(&Path::Inside(&item), "y")));
    }

    #[test]
    fn paths_that_mean_nothing_are_refused() {
        for (path, reason) in [
            ("attributes", "/rules/0/path: a path begins with `/`, as a JSON pointer does"),
            ("/a**", "/rules/0/path: `**` stands alone at the end, as in `/attributes/**`"),
            ("/a/b*", "/rules/0/path: `*` stands for a whole name"),
            ("/a//b", "/rules/0/path: an empty name"),
        ] {
            assert_eq!(rules(&[path]).err().unwrap().to_string(), reason);
        }
        for path in ["/type", "/**", "/*", "/producer", "/time"] {
            assert!(rules(&[path]).err().unwrap().reason.starts_with("the leaf needs"), "{path}");
        }
    }
}
