//! What an organisation wants kept: plain data, read strictly.

use std::fmt;

use event::{Object, Value};

/// What may be kept. Secrets, cards and IBANs are no matter of policy: they are never kept.
///
/// As JSON or in a settings file (every key may be left out):
///
/// ```json
/// {"content": "fingerprint", "ip": "keep",
///  "pii": {"email": "mask", "phone": "mask", "national_id": "mask", "person": "mask", "health": "mask", "account": "mask"},
///  "rules": [{"path": "/attributes/customer/**", "class": "email", "action": "hash"}]}
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Prompts, responses, and arguments and results of tools.
    pub content: Content,
    /// Addresses: in `actor.ip`, and in free text.
    pub ip: Ip,
    /// Personal data in free text.
    pub pii: Pii,
    /// Exceptions by place; the first that matches decides.
    pub rules: Vec<PathRule>,
}

/// What becomes of prompts, responses, and arguments and results of tools.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Content {
    /// A keyed fingerprint is kept, the text is not.
    #[default]
    Fingerprint,
    /// The text is kept as well, without the secrets and personal data in it.
    Keep,
}

/// What becomes of addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ip {
    /// Kept.
    #[default]
    Keep,
    /// Cut to the network: /24 for IPv4, /48 for IPv6.
    Truncate,
    /// Taken out.
    Drop,
}

/// What becomes of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Action {
    /// It is kept.
    Keep,
    /// A marker such as `[redacted:email]` stands in its place.
    #[default]
    Mask,
    /// Its keyed fingerprint stands in its place.
    Hash,
    /// The whole value that holds it is taken out; an item of an array becomes `null`.
    Drop,
}

/// What becomes of personal data in free text, by class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pii {
    /// E-mail addresses.
    pub email: Action,
    /// Telephone numbers.
    pub phone: Action,
    /// Social security, tax and identity numbers.
    pub national_id: Action,
    /// Names, dates of birth and street addresses, in fields that are named so.
    pub person: Action,
    /// Numbers of patients and their doctors, and diagnoses.
    pub health: Action,
    /// Bank accounts, by context.
    pub account: Action,
}

/// A class of personal data, for rules by place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PiiClass {
    /// See [`Pii::email`].
    Email,
    /// See [`Pii::phone`].
    Phone,
    /// See [`Pii::national_id`].
    NationalId,
    /// See [`Pii::person`].
    Person,
    /// See [`Pii::health`].
    Health,
    /// See [`Pii::account`].
    Account,
}

impl PiiClass {
    /// All, in the order of [`Pii`].
    pub const ALL: &'static [PiiClass] = &[
        PiiClass::Email,
        PiiClass::Phone,
        PiiClass::NationalId,
        PiiClass::Person,
        PiiClass::Health,
        PiiClass::Account,
    ];

    /// Its name in a policy.
    pub const fn name(self) -> &'static str {
        match self {
            PiiClass::Email => "email",
            PiiClass::Phone => "phone",
            PiiClass::NationalId => "national_id",
            PiiClass::Person => "person",
            PiiClass::Health => "health",
            PiiClass::Account => "account",
        }
    }
}

impl Pii {
    /// The action for a class.
    pub fn of(&self, class: PiiClass) -> Action {
        match class {
            PiiClass::Email => self.email,
            PiiClass::Phone => self.phone,
            PiiClass::NationalId => self.national_id,
            PiiClass::Person => self.person,
            PiiClass::Health => self.health,
            PiiClass::Account => self.account,
        }
    }

    fn of_mut(&mut self, class: PiiClass) -> &mut Action {
        match class {
            PiiClass::Email => &mut self.email,
            PiiClass::Phone => &mut self.phone,
            PiiClass::NationalId => &mut self.national_id,
            PiiClass::Person => &mut self.person,
            PiiClass::Health => &mut self.health,
            PiiClass::Account => &mut self.account,
        }
    }
}

/// An exception for a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathRule {
    /// A JSON pointer in which `*` stands for one name and, at the end, `**` for this place and all below it.
    pub path: String,
    /// The class it speaks of; `None` (written `any`) for the whole value at that place, whatever it holds, save that
    /// `keep` only spares personal data.
    pub class: Option<PiiClass>,
    /// What becomes of it.
    pub action: Action,
}

/// Why a policy was not taken. It quotes names, never values that stand for something secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    /// Where in the policy, as a JSON pointer.
    pub pointer: String,
    /// Lower case, without a full stop.
    pub reason: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "policy" } else { &self.pointer };
        write!(f, "{place}: {}", self.reason)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, "; did you mean `{suggestion}`?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for PolicyError {}

const CONTENT: &[(&str, Content)] = &[("fingerprint", Content::Fingerprint), ("keep", Content::Keep)];
const IP: &[(&str, Ip)] = &[("keep", Ip::Keep), ("truncate", Ip::Truncate), ("drop", Ip::Drop)];
const ACTION: &[(&str, Action)] =
    &[("keep", Action::Keep), ("mask", Action::Mask), ("hash", Action::Hash), ("drop", Action::Drop)];

impl Policy {
    /// Most exceptions that one policy may have: each is compared with the place of whatever is found.
    pub const RULES_MAX: usize = 256;

    /// Reads a policy. What is left out has its default; what is not known is refused, with the nearest name.
    pub fn from_value(value: &Value<'_>) -> Result<Policy, PolicyError> {
        let mut policy = Policy::default();
        for (name, value) in object(value, "")?.iter() {
            match name {
                "content" => policy.content = word(value, "/content", CONTENT)?,
                "ip" => policy.ip = word(value, "/ip", IP)?,
                "pii" => {
                    for (name, value) in object(value, "/pii")?.iter() {
                        let pointer = format!("/pii/{}", pointer_part(name));
                        let Some(class) = PiiClass::ALL.iter().find(|class| class.name() == name) else {
                            let names = PiiClass::ALL.iter().map(|class| class.name());
                            return Err(unknown(pointer, "no class of personal data", name, names));
                        };
                        *policy.pii.of_mut(*class) = word(value, &pointer, ACTION)?;
                    }
                }
                "rules" => policy.rules = rules(value)?,
                _ => {
                    let pointer = format!("/{}", pointer_part(name));
                    let names = ["content", "ip", "pii", "rules"].into_iter();
                    return Err(unknown(pointer, "not a setting of redaction", name, names));
                }
            }
        }
        Ok(policy)
    }

    /// The policy as JSON, every key written out.
    pub fn to_value(&self) -> Value<'static> {
        let mut pii = Object::new();
        for class in PiiClass::ALL {
            pii.insert(class.name(), name_of(self.pii.of(*class), ACTION));
        }
        let rules = self.rules.iter().map(|rule| {
            let mut out = Object::new();
            out.insert("path", rule.path.clone());
            out.insert("class", rule.class.map_or("any", PiiClass::name));
            out.insert("action", name_of(rule.action, ACTION));
            Value::Object(out)
        });
        let mut out = Object::new();
        out.insert("content", name_of(self.content, CONTENT));
        out.insert("ip", name_of(self.ip, IP));
        out.insert("rules", rules.collect::<Vec<_>>());
        out.insert("pii", Value::Object(pii));
        Value::Object(out)
    }
}

fn rules(value: &Value<'_>) -> Result<Vec<PathRule>, PolicyError> {
    let Some(items) = value.as_array() else {
        return Err(wrong("/rules", format!("expected an array, found {}", value.type_name())));
    };
    if items.len() > Policy::RULES_MAX {
        return Err(wrong("/rules", format!("{} rules, the most is {}", items.len(), Policy::RULES_MAX)));
    }
    items.iter().enumerate().map(|(i, item)| rule(item, &format!("/rules/{i}"))).collect()
}

fn rule(value: &Value<'_>, at: &str) -> Result<PathRule, PolicyError> {
    let (mut path, mut class, mut action) = (None, None, None);
    for (name, value) in object(value, at)?.iter() {
        let pointer = format!("{at}/{}", pointer_part(name));
        match name {
            "path" => match value.as_str() {
                Some(text) => path = Some(text.to_owned()),
                None => return Err(wrong(pointer, format!("expected text, found {}", value.type_name()))),
            },
            "class" => match value.as_str() {
                Some("any") => class = None,
                Some(said) => match PiiClass::ALL.iter().find(|class| class.name() == said) {
                    Some(found) => class = Some(*found),
                    None => {
                        let names = PiiClass::ALL.iter().map(|class| class.name()).chain(["any"]);
                        return Err(unknown(pointer, "no class of personal data", said, names));
                    }
                },
                None => return Err(wrong(pointer, format!("expected text, found {}", value.type_name()))),
            },
            "action" => action = Some(word(value, &pointer, ACTION)?),
            _ => {
                let names = ["path", "class", "action"].into_iter();
                return Err(unknown(pointer, "not a part of a rule", name, names));
            }
        }
    }
    match (path, action) {
        (Some(path), Some(action)) => Ok(PathRule { path, class, action }),
        (None, _) => Err(wrong(at, "a rule says its `path`")),
        (_, None) => Err(wrong(at, "a rule says its `action`")),
    }
}

fn object<'v, 'a>(value: &'v Value<'a>, pointer: &str) -> Result<&'v Object<'a>, PolicyError> {
    let found = || wrong(pointer, format!("expected an object, found {}", value.type_name()));
    value.as_object().ok_or_else(found)
}

fn word<T: Copy>(value: &Value<'_>, pointer: &str, words: &[(&'static str, T)]) -> Result<T, PolicyError> {
    let names = || words.iter().map(|(name, _)| *name);
    let Some(said) = value.as_str() else {
        return Err(wrong(pointer, format!("expected text, found {}", value.type_name())));
    };
    match words.iter().find(|(name, _)| *name == said) {
        Some((_, word)) => Ok(*word),
        None => {
            let reason = format!("not one of {}", names().collect::<Vec<_>>().join(", "));
            Err(unknown(pointer.to_owned(), &reason, said, names()))
        }
    }
}

fn name_of<T: PartialEq>(word: T, words: &[(&'static str, T)]) -> &'static str {
    words.iter().find(|(_, other)| *other == word).map_or("", |(name, _)| name)
}

pub(crate) fn wrong(pointer: impl Into<String>, reason: impl Into<String>) -> PolicyError {
    PolicyError { pointer: pointer.into(), reason: reason.into(), suggestion: None }
}

/// What people call a class who do not know our name for it.
const SYNONYMS: &[(&str, &str)] = &[
    ("ssn", "national_id"),
    ("tax_id", "national_id"),
    ("passport", "national_id"),
    ("mail", "email"),
    ("name", "person"),
    ("address", "person"),
    ("mrn", "health"),
    ("medical", "health"),
    ("bank", "account"),
    ("remove", "drop"),
    ("delete", "drop"),
    ("redact", "mask"),
    ("allow", "keep"),
    ("fingerprint", "hash"),
    ("prompts", "content"),
];

fn unknown(
    pointer: String,
    reason: &str,
    said: &str,
    names: impl Iterator<Item = &'static str> + Clone,
) -> PolicyError {
    let meant = SYNONYMS.iter().find(|(theirs, _)| said.eq_ignore_ascii_case(theirs)).map(|(_, ours)| *ours);
    let near = || names.clone().map(|name| (distance(name, said), name)).min().filter(|(far, _)| *far <= 3);
    let suggestion =
        meant.filter(|ours| names.clone().any(|name| name == *ours)).or_else(|| near().map(|n| n.1));
    PolicyError { pointer, reason: reason.to_owned(), suggestion: suggestion.map(str::to_owned) }
}

/// Edits from one name to the other: letters put in, taken out, changed.
fn distance(ours: &str, theirs: &str) -> usize {
    if theirs.len() > 32 {
        return usize::MAX;
    }
    let (a, b) = (ours.as_bytes(), theirs.as_bytes());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(!x.eq_ignore_ascii_case(y));
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

fn pointer_part(name: &str) -> String {
    let shown: String = name.chars().take(64).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    shown.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::{Limits, json};

    fn read(text: &str) -> Result<Policy, PolicyError> {
        Policy::from_value(&json::parse(text.as_bytes(), &Limits::default()).unwrap())
    }

    #[track_caller]
    fn refused(text: &str, message: &str) {
        assert_eq!(read(text).unwrap_err().to_string(), message);
    }

    #[test]
    fn what_is_left_out_is_safe() {
        let policy = read("{}").unwrap();
        assert_eq!(policy, Policy::default());
        assert_eq!(policy.content, Content::Fingerprint);
        for class in PiiClass::ALL {
            assert_eq!(policy.pii.of(*class), Action::Mask);
        }
    }

    #[test]
    fn a_policy_survives_its_way_through_json() {
        let text = r#"{"content":"keep","ip":"truncate","pii":{"email":"hash","health":"drop","person":"keep"},
            "rules":[{"path":"/attributes/**","class":"phone","action":"keep"},{"path":"/actor/name","action":"hash"}]}"#;
        let policy = read(text).unwrap();
        assert_eq!(policy.pii.health, Action::Drop);
        assert_eq!(policy.rules[1].class, None);
        assert_eq!(Policy::from_value(&policy.to_value()), Ok(policy));
    }

    #[test]
    fn what_is_not_known_is_refused_with_the_nearest_name() {
        refused(r#"{"contnet":"keep"}"#, "/contnet: not a setting of redaction; did you mean `content`?");
        refused(
            r#"{"pii":{"ssn":"drop"}}"#,
            "/pii/ssn: no class of personal data; did you mean `national_id`?",
        );
        refused(r#"{"ip":"anonymise"}"#, "/ip: not one of keep, truncate, drop");
        refused(r#"{"ip":"dropp"}"#, "/ip: not one of keep, truncate, drop; did you mean `drop`?");
        refused(r#"{"ip":true}"#, "/ip: expected text, found a boolean");
        refused(r#"{"rules":[{"path":"/a"}]}"#, "/rules/0: a rule says its `action`");
        refused(
            r#"{"rules":[{"path":"/a","clas":"any","action":"keep"}]}"#,
            "/rules/0/clas: not a part of a rule; did you mean `class`?",
        );
        refused("[]", "policy: expected an object, found an array");
    }
}
