//! Walks an event and takes out what may not be kept.

use std::net::IpAddr;

use event::json::compare_keys;
use event::{Event, Limits, Object, Value, json, time};

use crate::names::{self, Name, Text};
use crate::note::{Done, Finding, Notes, Path};
use crate::place::{Node, PathRules, ROOT, Role};
use crate::policy::{Action, Content, Ip, PiiClass, Policy, PolicyError};
use crate::rules::Kind;
use crate::scan::{self, SCANNER, Span, What};
use crate::text::{self, Outcome};
use crate::unwrap;

/// Keyed fingerprints of the event's organisation.
pub trait Keys {
    /// A fingerprint such as `hmac-sha256:<64 hex>` of `bytes`. The same bytes for the same purpose always give the same one.
    /// Purposes: `text` for prompts, responses and the like, `key` for keys to services, `value` for anything else.
    fn text(&self, purpose: &str, bytes: &[u8]) -> String;
}

/// Who computed the fingerprints that an event brings along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A stranger: whatever stands in a fingerprint's place is hashed again, even if it looks like one of ours.
    Sender,
    /// Our own adapter, with our key: what looks like `hmac-sha256:<64 hex>` is left as it is.
    Adapter,
}

/// A policy, compiled. Cheap to make and to share.
pub struct Redactor {
    pub(crate) policy: Policy,
    pub(crate) rules: PathRules,
}

/// How a value is looked at.
#[derive(Clone, Copy)]
pub(crate) struct View {
    /// Free text: personal data is taken out unless the policy keeps it.
    pub(crate) free: bool,
    /// Names of members may say that the value is a prompt.
    texts: bool,
    /// What the name of the member says.
    named: Option<Named>,
    /// How many encodings lie around it.
    pub(crate) inside: u8,
}

#[derive(Clone, Copy)]
struct Named {
    what: What,
    fits: fn(&str) -> bool,
}

impl View {
    /// The same, in a text that was decoded.
    pub(crate) fn deeper(self) -> View {
        View { inside: self.inside + 1, ..self }
    }

    /// Whether all below is a secret anyway.
    fn is_secret(self) -> bool {
        self.named.is_some_and(|named| !matches!(named.what.kind, Kind::Pii(_)))
    }

    /// The same under a name that says something; what was secret before stays so.
    fn under(self, named: Option<Named>) -> View {
        if self.is_secret() || named.is_none() { self } else { View { named, ..self } }
    }
}

const EXACT: View = View { free: false, texts: false, named: None, inside: 0 };
const FREE: View = View { free: true, ..EXACT };
const OPEN: View = View { texts: true, ..FREE };

/// Whether a value stays where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Stays,
    Goes,
}

/// What is gathered on the way.
pub(crate) struct Walk<'k> {
    pub(crate) keys: Option<&'k dyn Keys>,
    origin: Origin,
    pub(crate) notes: Notes,
    core_changed: bool,
    /// Whether `input` and `output` are those of a tool.
    is_tool: bool,
    /// Fingerprints of prompt, response, arguments and result.
    texts: [Fingerprint; 4],
}

#[derive(Clone, Debug, Default, PartialEq)]
enum Fingerprint {
    #[default]
    None,
    /// The event came with one.
    There,
    Made(String),
}

/// Where the fingerprints of texts are kept, the member of `content`, and the rule's name.
const TEXTS: [(&str, &str, &str, &str); 4] = [
    ("llm", "prompt_fingerprint", "prompt", "prompt"),
    ("llm", "response_fingerprint", "response", "response"),
    ("tool", "arguments_fingerprint", "input", "arguments"),
    ("tool", "result_fingerprint", "output", "result"),
];

impl<'k> Walk<'k> {
    pub(crate) fn new(keys: Option<&'k dyn Keys>, origin: Origin) -> Walk<'k> {
        Walk {
            keys,
            origin,
            notes: Notes::default(),
            core_changed: false,
            is_tool: false,
            texts: Default::default(),
        }
    }

    /// The same, with nothing noted yet.
    pub(crate) fn aside(&self) -> Walk<'k> {
        Walk::new(self.keys, self.origin)
    }

    pub(crate) fn fingerprint(&self, purpose: &str, bytes: &[u8]) -> Option<String> {
        self.keys.map(|keys| keys.text(purpose, bytes))
    }
}

impl Redactor {
    /// Compiles a policy; refuses paths that mean nothing.
    pub fn new(policy: &Policy) -> Result<Redactor, PolicyError> {
        Ok(Redactor { rules: PathRules::new(&policy.rules)?, policy: policy.clone() })
    }

    /// Takes out of an event what may not be kept, and writes down in its `redactions` what that was.
    /// Take [`Event::submitted`] first: this changes it.
    ///
    /// If a secret stood in a field of the leaf, that field becomes `redacted.<rule>`, and the event's core follows.
    pub fn apply(&self, event: &mut Event<'_>, keys: &dyn Keys, origin: Origin) {
        self.walk(event, keys, origin).notes.write(event.tree_mut());
    }

    /// What [`Redactor::apply`] would take out of an event from a sender: places, rules and sizes, never a value.
    pub fn preview(&self, event: &Event<'_>) -> Vec<Finding> {
        struct Dry;
        impl Keys for Dry {
            fn text(&self, _: &str, _: &[u8]) -> String {
                format!("{OURS}{}", "0".repeat(64))
            }
        }
        let mut copy = event.clone();
        self.walk(&mut copy, &Dry, Origin::Sender).notes.into_findings()
    }

    /// Takes out of any text what may not be kept: a body that was refused, an error, a line of a log. Keys become markers
    /// here, as there is no organisation whose key they could be hashed with.
    pub fn text(&self, text: &str) -> (String, Vec<Finding>) {
        let mut walk = Walk::new(None, Origin::Sender);
        let text = match self.string(text, &Path::Root, FREE, &mut walk) {
            Outcome::Same => text.to_owned(),
            Outcome::Changed(text) => text,
            Outcome::Goes => text::marker("policy"),
        };
        (text, walk.notes.into_findings())
    }

    fn walk<'k>(&self, event: &mut Event<'_>, keys: &'k dyn Keys, origin: Origin) -> Walk<'k> {
        let mut walk = Walk::new(Some(keys), origin);
        let kind = event.type_said();
        walk.is_tool =
            kind.starts_with("tool.") || kind.starts_with("mcp.") || event.tree().get("tool").is_some();
        let tree = event.tree_mut();
        for (slot, (block, name, _, _)) in walk.texts.iter_mut().zip(TEXTS) {
            if tree.get(block).is_some_and(|block| block.get(name).is_some()) {
                *slot = Fingerprint::There;
            }
        }
        self.content(tree, &mut walk);
        self.block(&ROOT, tree, &Path::Root, &mut walk);
        put_fingerprints(tree, &walk.texts);
        if walk.core_changed {
            follow(event);
        }
        walk
    }

    /// Fingerprints what is in `content`, and drops it unless it may stay.
    fn content(&self, tree: &mut Object<'_>, walk: &mut Walk<'_>) {
        let Some(Value::Object(content)) = tree.get_mut("content") else { return };
        let path = Path::Name(&Path::Root, "content");
        for (nth, (_, _, member, _)) in TEXTS.iter().enumerate() {
            let Some(value) = content.get(member) else { continue };
            if self.fingerprint_text(nth, value, &Path::Name(&path, member), walk).is_some() {
                content.remove(member);
            }
        }
        if content.is_empty() {
            tree.remove("content");
        }
    }

    /// Fingerprints a text. `Some` if it may not stay: then what may stand in its place, should its fingerprint not be the
    /// one that the event has a field for.
    fn fingerprint_text(
        &self,
        nth: usize,
        value: &Value<'_>,
        path: &Path<'_>,
        walk: &mut Walk<'_>,
    ) -> Option<Option<String>> {
        let jcs;
        let bytes = match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => return None,
            Value::String(text) if text.is_empty() => return None,
            Value::String(text) if text::is_fingerprint(text) && walk.origin == Origin::Adapter => {
                return None;
            }
            Value::String(text) => text.as_bytes(),
            value => {
                jcs = value.to_jcs();
                &jcs
            }
        };
        let made = walk.fingerprint("text", bytes);
        let spare = match &walk.texts[nth] {
            Fingerprint::None => {
                walk.texts[nth] = made.map_or(Fingerprint::None, Fingerprint::Made);
                None
            }
            Fingerprint::Made(first) if Some(first) == made.as_ref() => None,
            _ => made,
        };
        if self.policy.content == Content::Keep {
            return None;
        }
        walk.notes.add(path, TEXTS[nth].3, Done::Hash, bytes.len());
        Some(spare)
    }

    /// An object of the table of fields. Both sides are in order.
    fn block(&self, node: &Node, members: &mut Object<'_>, path: &Path<'_>, walk: &mut Walk<'_>) {
        let mut expected = node.children.iter();
        members.retain(|name, value| {
            let child = expected.as_slice().iter().position(|child| compare_keys(child.name, name).is_ge());
            if let Some(skipped) = child.filter(|n| *n > 0) {
                expected.nth(skipped - 1);
            }
            let child = expected.as_slice().first().filter(|child| child.name == name);
            let at = Path::Name(path, name);
            let fate = match child {
                Some(child) => self.field(child, value, &at, walk),
                None => self.value(value, &at, OPEN, walk),
            };
            fate == Fate::Stays
        });
    }

    fn field(&self, node: &Node, value: &mut Value<'_>, path: &Path<'_>, walk: &mut Walk<'_>) -> Fate {
        if self.rules.whole
            && let Some(action) = self.rules.of_whole(path)
        {
            return whole(value, action, path, walk);
        }
        let view = match node.role {
            Role::Time if value.as_str().is_some_and(|text| time::parse(text).is_ok()) => return Fate::Stays,
            Role::Block => match value {
                Value::Object(members) => {
                    self.block(node, members, path, walk);
                    return Fate::Stays;
                }
                Value::Array(items) => {
                    for (nth, item) in items.iter_mut().enumerate() {
                        let at = Path::Index(path, nth);
                        match item {
                            Value::Object(members) => self.block(node, members, &at, walk),
                            item => _ = self.value(item, &at, OPEN, walk),
                        }
                    }
                    return Fate::Stays;
                }
                _ => OPEN,
            },
            Role::Core | Role::Time | Role::SourceId | Role::Retention if value.as_str().is_some() => {
                return self.strict(node.role, value, path, walk);
            }
            Role::Core | Role::Time | Role::SourceId | Role::Retention => EXACT,
            Role::Fingerprint if value.as_str().is_some() => return rekey(value, path, walk),
            Role::Fingerprint => EXACT,
            Role::Ip => return self.address(value, path, walk),
            Role::Exact => EXACT,
            Role::Person => View { named: Some(PERSON), ..EXACT },
            Role::Free | Role::Content => FREE,
            Role::Open => OPEN,
        };
        self.value(value, path, view, walk)
    }

    /// Fields that have no room for a marker.
    fn strict(&self, role: Role, value: &mut Value<'_>, path: &Path<'_>, walk: &mut Walk<'_>) -> Fate {
        let Value::String(said) = value else { return Fate::Stays };
        let mut aside = walk.aside();
        if matches!(self.string(said, path, EXACT, &mut aside), Outcome::Same) {
            return Fate::Stays;
        }
        let rule = aside.notes.first_rule().unwrap_or("policy");
        let size = said.len();
        let (done, instead) = match role {
            Role::Retention | Role::Time => (Done::Drop, None),
            Role::SourceId => (Done::Hash, walk.fingerprint("value", said.as_bytes())),
            _ => (Done::Mask, Some(format!("redacted.{rule}"))),
        };
        walk.notes.add(path, rule, done, size);
        match instead {
            Some(text) => {
                *value = Value::from(text);
                walk.core_changed |= role == Role::Core;
                Fate::Stays
            }
            None => Fate::Goes,
        }
    }

    fn address(&self, value: &mut Value<'_>, path: &Path<'_>, walk: &mut Walk<'_>) -> Fate {
        let Some(ip) = value.as_str().and_then(|text| text.parse::<IpAddr>().ok()) else {
            // No address, whatever it is.
            return self.value(value, path, EXACT, walk);
        };
        match self.policy.ip {
            Ip::Keep => Fate::Stays,
            Ip::Truncate => {
                let network = text::network(ip).to_string();
                if value.as_str() != Some(&network) {
                    walk.notes.add(path, text::IP, Done::Truncate, network.len());
                    *value = Value::from(network);
                }
                Fate::Stays
            }
            Ip::Drop => {
                walk.notes.add(path, text::IP, Done::Drop, value.as_str().map_or(0, str::len));
                Fate::Goes
            }
        }
    }

    /// Any value that the table of fields does not describe further.
    pub(crate) fn value(
        &self,
        value: &mut Value<'_>,
        path: &Path<'_>,
        view: View,
        walk: &mut Walk<'_>,
    ) -> Fate {
        if self.rules.whole
            && let Some(action) = self.rules.of_whole(path)
            && view.inside == 0
        {
            return whole(value, action, path, walk);
        }
        match value {
            Value::Null | Value::Bool(_) => Fate::Stays,
            Value::Number(n) => {
                // A double shows at most 17 digits, and none but whole ones matter.
                let Some(n) = n.as_i64().filter(|n| view.named.is_some() || *n >= 10_000_000_000_000) else {
                    return Fate::Stays;
                };
                let digits = n.to_string();
                let outcome = match view.named {
                    Some(named) => self.named(&digits, named, path, view, walk),
                    None => self.string(&digits, path, View { free: false, ..view }, walk),
                };
                settle(value, outcome)
            }
            Value::String(text) => {
                let outcome = match view.named {
                    Some(named) => self.named(text, named, path, view, walk),
                    None => self.string(text, path, view, walk),
                };
                settle(value, outcome)
            }
            Value::Array(items) => {
                self.array(items, path, view, walk);
                Fate::Stays
            }
            Value::Object(members) => {
                self.object(members, path, view, walk);
                Fate::Stays
            }
        }
    }

    /// A text of which the name of its member already says what it is.
    fn named(&self, text: &str, named: Named, path: &Path<'_>, view: View, walk: &mut Walk<'_>) -> Outcome {
        let What { id, kind } = named.what;
        let spared = text::is_nothing(text) || !(named.fits)(text) || {
            // A password may well be a word such as these.
            id != "password_field" && names::is_state(text)
        };
        if spared {
            return self.string(text, path, View { named: None, ..view }, walk);
        }
        let action = match kind {
            Kind::Secret => Action::Mask,
            Kind::Key if text.len() >= text::KEY_MIN => Action::Hash,
            Kind::Key => Action::Mask,
            Kind::Pii(class) => self.action(class, path, view),
        };
        let (done, outcome) = match action {
            Action::Keep => return self.string(text, path, View { named: None, ..view }, walk),
            Action::Mask => (Done::Mask, Outcome::Changed(text::marker(id))),
            Action::Drop => (Done::Drop, Outcome::Goes),
            Action::Hash => {
                let purpose = if kind == Kind::Key { "key" } else { "value" };
                match walk.fingerprint(purpose, text.as_bytes()) {
                    Some(made) => (Done::Hash, Outcome::Changed(made)),
                    None => (Done::Mask, Outcome::Changed(text::marker(id))),
                }
            }
        };
        walk.notes.add(path, id, done, text.len());
        outcome
    }

    /// What becomes of personal data at a place.
    pub(crate) fn action(&self, class: PiiClass, path: &Path<'_>, view: View) -> Action {
        let by_place = if self.rules.is_empty() { None } else { self.rules.of_class(class, path) };
        by_place.unwrap_or(if view.free { self.policy.pii.of(class) } else { Action::Keep })
    }

    fn array(&self, items: &mut [Value<'_>], path: &Path<'_>, view: View, walk: &mut Walk<'_>) {
        if !view.is_secret() && items.len() > 1 {
            self.joined(items.iter_mut().collect(), path, view, walk);
        }
        let pairs = items.iter().all(|item| matches!(item, Value::Array(pair) if pair.len() == 2));
        for (nth, item) in items.iter_mut().enumerate() {
            let at = Path::Index(path, nth);
            match item {
                Value::Array(pair) if pairs => self.pair(pair, &at, view, walk),
                item => {
                    if self.value(item, &at, view, walk) == Fate::Goes {
                        *item = Value::Null;
                    }
                }
            }
        }
    }

    /// A header as some libraries write it: `["authorization", "Bearer …"]`.
    fn pair(&self, pair: &mut [Value<'_>], path: &Path<'_>, view: View, walk: &mut Walk<'_>) {
        let named = pair.first().and_then(Value::as_str).and_then(|name| named(names::of(name)));
        match (named, pair) {
            (Some(_), [_, value]) => {
                let view = view.under(named);
                if self.value(value, &Path::Index(path, 1), view, walk) == Fate::Goes {
                    *value = Value::Null;
                }
            }
            (_, pair) => self.array(pair, path, view, walk),
        }
    }

    fn object(&self, members: &mut Object<'_>, path: &Path<'_>, view: View, walk: &mut Walk<'_>) {
        // {"name": "authorization", "value": "Bearer …"}
        const NAMES: [&str; 5] = ["name", "key", "header", "field", "k"];
        const VALUES: [&str; 5] = ["value", "values", "val", "v", "content"];
        let said = NAMES.iter().find_map(|name| members.get(name).and_then(Value::as_str));
        let of_values = said.and_then(|name| named(names::of(name)));
        if !view.is_secret() && members.len() > 1 {
            self.numbered(members, path, view, walk);
        }
        let mut renamed: Vec<(String, String)> = Vec::new();
        members.retain(|name, value| {
            let shown = self.name(name, path, view, walk);
            let at = Path::Name(path, shown.as_deref().unwrap_or(name));
            let mut view = view;
            match names::of(name) {
                Name::Plain => {}
                Name::Text(text) if view.texts => {
                    if let Some(spare) = self.fingerprint_text(slot(text, walk), value, &at, walk) {
                        match spare {
                            Some(spare) => *value = Value::from(spare),
                            None => return false,
                        }
                    }
                }
                Name::Hash if view.texts => return rekey(value, &at, walk) == Fate::Stays,
                name => view = view.under(named(name)),
            }
            if VALUES.contains(&name) {
                view = view.under(of_values);
            }
            let fate = self.value(value, &at, view, walk);
            if let Some(shown) = shown
                && fate == Fate::Stays
            {
                renamed.push((name.to_owned(), shown));
            }
            fate == Fate::Stays
        });
        for (old, new) in renamed {
            if let Some(value) = members.remove(&old) {
                let mut free = new.clone();
                for nth in 2.. {
                    if members.get(&free).is_none() {
                        break;
                    }
                    free = format!("{new} {nth}");
                }
                members.insert(free, value);
            }
        }
    }

    /// What a name becomes if it holds what may not be kept. Nothing that a rule finds is shorter than an address.
    fn name(&self, name: &str, path: &Path<'_>, view: View, walk: &mut Walk<'_>) -> Option<String> {
        const SHORTEST: usize = 6;
        if name.len() < SHORTEST {
            return None;
        }
        let mut aside = walk.aside();
        let shown = match self.string(name, &Path::Root, view, &mut aside) {
            Outcome::Same => return None,
            Outcome::Changed(shown) => shown,
            Outcome::Goes => text::marker("policy"),
        };
        for finding in aside.notes.into_findings() {
            walk.notes.add(&Path::Name(path, &shown), finding.rule, finding.action, name.len());
        }
        Some(shown)
    }

    /// Values of members that are numbered, such as `part1` and `part2`, as if they were one.
    fn numbered(&self, members: &mut Object<'_>, path: &Path<'_>, view: View, walk: &mut Walk<'_>) {
        let number = |name: &str| {
            let front = name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
            name.get(front..).and_then(|digits| digits.parse::<u32>().ok())
        };
        if members.iter().filter(|(name, _)| name.ends_with(|c: char| c.is_ascii_digit())).take(2).count() < 2
        {
            return;
        }
        let mut parts: Vec<(u32, &mut Value<'_>)> =
            members.iter_mut().filter_map(|(name, value)| Some((number(name)?, value))).collect();
        parts.sort_by_key(|(number, _)| *number);
        self.joined(parts.into_iter().map(|(_, value)| value).collect(), path, view, walk);
    }

    /// Looks for secrets that lie across several values, and puts a marker in each of those.
    fn joined(&self, mut parts: Vec<&mut Value<'_>>, path: &Path<'_>, view: View, walk: &mut Walk<'_>) {
        const PARTS_MAX: usize = 64;
        const BYTES_MAX: usize = 8192;
        if parts.len() > PARTS_MAX {
            return;
        }
        let mut all = String::new();
        let mut cuts = Vec::with_capacity(parts.len());
        for part in &parts {
            match part {
                Value::String(text) => all.push_str(text),
                Value::Number(n) => match n.as_i64().filter(|n| *n >= 0) {
                    Some(n) => all.push_str(&n.to_string()),
                    None => return,
                },
                _ => return,
            }
            if all.len() > BYTES_MAX {
                return;
            }
            cuts.push(all.len());
        }
        for Span { start, end, what } in self.across(&all, &cuts, view, walk) {
            let first = cuts.partition_point(|cut| *cut <= start);
            let last = cuts.partition_point(|cut| *cut < end);
            if first >= last {
                continue;
            }
            for part in parts.iter_mut().take(last + 1).skip(first) {
                **part = Value::from(text::marker(what.id));
            }
            walk.notes.add(path, what.id, Done::Mask, end - start);
        }
    }

    fn across(&self, all: &str, cuts: &[usize], view: View, walk: &Walk<'_>) -> Vec<Span> {
        let mut spans = SCANNER.spans(all, false, cuts);
        spans.extend(SCANNER.cards_across(all, cuts));
        if all.len() >= unwrap::BASE64_MIN {
            spans.extend(self.encoded(all, view, walk));
        }
        scan::merged(spans)
    }
}

const PERSON: Named = Named {
    what: What { id: "person_field", kind: Kind::Pii(PiiClass::Person) },
    fits: |name| !name.is_empty(),
};

fn named(name: Name) -> Option<Named> {
    match name {
        Name::Secret(what) => Some(Named { what, fits: |_| true }),
        Name::Pii { what, fits } => Some(Named { what, fits }),
        _ => None,
    }
}

fn slot(text: Text, walk: &Walk<'_>) -> usize {
    match text {
        Text::Prompt => 0,
        Text::Response => 1,
        Text::Arguments => 2,
        Text::Result => 3,
        Text::Input => {
            if walk.is_tool {
                2
            } else {
                0
            }
        }
        Text::Output => {
            if walk.is_tool {
                3
            } else {
                1
            }
        }
    }
}

fn settle(value: &mut Value<'_>, outcome: Outcome) -> Fate {
    match outcome {
        Outcome::Same => Fate::Stays,
        Outcome::Changed(text) => {
            *value = Value::from(text);
            Fate::Stays
        }
        Outcome::Goes => Fate::Goes,
    }
}

/// A value that the policy names by its place.
fn whole(value: &mut Value<'_>, action: Action, path: &Path<'_>, walk: &mut Walk<'_>) -> Fate {
    const RULE: &str = "policy";
    let jcs;
    let bytes = match &*value {
        Value::Null => return Fate::Stays,
        Value::String(text) => text.as_bytes(),
        value => {
            jcs = value.to_jcs();
            &jcs
        }
    };
    let hashed = if action == Action::Hash { walk.fingerprint("value", bytes) } else { None };
    let done = match (action, &hashed) {
        (Action::Drop, _) => Done::Drop,
        (Action::Hash, Some(_)) => Done::Hash,
        _ => Done::Mask,
    };
    walk.notes.add(path, RULE, done, bytes.len());
    if done == Done::Drop {
        return Fate::Goes;
    }
    *value = Value::from(hashed.unwrap_or_else(|| text::marker(RULE)));
    Fate::Stays
}

/// What fingerprints of ours begin with.
const OURS: &str = "hmac-sha256:";

/// A sender's fingerprint, hashed with our key: an unkeyed hash of a short text can be guessed.
fn rekey(value: &mut Value<'_>, path: &Path<'_>, walk: &mut Walk<'_>) -> Fate {
    let Value::String(said) = value else { return Fate::Stays };
    if said.is_empty() || (walk.origin == Origin::Adapter && text::is_fingerprint(said)) {
        return Fate::Stays;
    }
    // A key where the hash of a key should be.
    let key = SCANNER.spans(said, false, &[]).first().map(|span| span.what.id);
    let (purpose, rule, done) = match key {
        Some(rule) => ("key", rule, Done::Hash),
        None => ("text", "unkeyed_hash", Done::Rekey),
    };
    let Some(made) = walk.fingerprint(purpose, said.as_bytes()) else { return Fate::Goes };
    walk.notes.add(path, rule, done, said.len());
    *value = Value::from(made);
    Fate::Stays
}

fn put_fingerprints(tree: &mut Object<'_>, texts: &[Fingerprint; 4]) {
    for (made, (block, name, _, _)) in texts.iter().zip(TEXTS) {
        let Fingerprint::Made(made) = made else { continue };
        if tree.get(block).is_none() {
            tree.insert(block, Value::Object(Object::new()));
        }
        if let Some(Value::Object(block)) = tree.get_mut(block)
            && block.get(name).is_none()
        {
            block.insert(name, made.clone());
        }
    }
}

/// Makes the event's core say what its tree says now.
fn follow(event: &mut Event<'_>) {
    const OF_CORE: [&str; 6] = ["type", "time", "status", "severity", "producer", "producer_seq"];
    let tree = event.tree();
    let members = OF_CORE.iter().filter_map(|name| Some((*name, tree.get(name)?.clone().into_owned())));
    // Names of the list are unique, and what stands in the fields was either there before or is made to fit.
    let Ok(value) = Value::object(members) else { return };
    let Ok(mut fresh) = Event::from_value(value, &Limits::default()) else { return };
    *fresh.tree_mut() = std::mem::take(event.tree_mut());
    *event = fresh;
}

/// JSON in a text is only read up to this size: its tree takes many times that.
const JSON_MAX: Limits = Limits { max_bytes: 1024 * 1024, max_depth: 64 };

impl Redactor {
    /// A text that is JSON, walked as if it were part of the event. `None` if it is none.
    pub(crate) fn json(
        &self,
        text: &str,
        path: &Path<'_>,
        view: View,
        walk: &mut Walk<'_>,
    ) -> Option<Outcome> {
        let mut value = json::parse(text.as_bytes(), &JSON_MAX).ok()?;
        let before = walk.notes.total;
        let fate = self.value(&mut value, &Path::Inside(path), view.deeper(), walk);
        Some(match fate {
            Fate::Goes => Outcome::Goes,
            Fate::Stays if walk.notes.total == before => Outcome::Same,
            Fate::Stays => Outcome::Changed(String::from_utf8_lossy(&value.to_jcs()).into_owned()),
        })
    }
}
