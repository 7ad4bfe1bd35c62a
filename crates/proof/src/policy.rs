//! Whom a verifier trusts (C2SP tlog-policy): logs, witnesses, and how many of them are enough.

use crate::checkpoint::Checkpoint;
use crate::error::{Error, malformed, missing};
use crate::note::{KeyType, Note, VerifyingKey};
use crate::tile::decimal;

/// Most logs, witnesses and groups a policy can have, each.
pub const MAX_ENTRIES: usize = 256;

/// A policy that was read and makes sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    /// Each only has members from before it, so they can be counted in order.
    groups: Vec<Group>,
    quorum: Option<Member>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Log {
    key: VerifyingKey,
    url: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Witness {
    name: String,
    key: VerifyingKey,
    url: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    name: String,
    threshold: Threshold,
    members: Vec<Member>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Threshold {
    Any,
    All,
    AtLeast(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Member {
    Witness(usize),
    Group(usize),
}

/// How a checkpoint satisfied a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endorsed<'p> {
    /// The log's key that signed it.
    pub log: &'p VerifyingKey,
    /// The witnesses that cosigned it, inside the quorum or not: the policy's name for them, and
    /// when, in seconds since 1970.
    pub witnesses: Vec<(&'p str, u64)>,
}

impl Policy {
    /// Trusts one log without witnesses: `quorum none`. Refused if the key is not a log's (0x01).
    pub fn of_log(key: VerifyingKey) -> Result<Policy, Error> {
        check_type(&key, KeyType::Ed25519)?;
        Ok(Policy {
            logs: vec![Log { key, url: None }],
            witnesses: Vec::new(),
            groups: Vec::new(),
            quorum: None,
        })
    }

    /// Reads a policy. Refused: anything but UTF-8, control characters but tab and newline, a name
    /// used before it is defined, defined twice or a member twice, a key twice, a log key that is
    /// not of type 0x01 or a witness key that is not of type 0x04, not exactly one quorum.
    pub fn parse(bytes: impl AsRef<[u8]>) -> Result<Policy, Error> {
        let text =
            std::str::from_utf8(bytes.as_ref()).map_err(|_| malformed("a policy that is not UTF-8"))?;
        if text.bytes().any(|byte| byte < 0x20 && byte != b'\n' && byte != b'\t' || byte == 0x7f) {
            return Err(malformed("a policy with control characters"));
        }
        let mut draft = Draft::default();
        for (number, line) in text.split('\n').enumerate() {
            let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
            if words.first().is_none_or(|word| word.starts_with('#')) {
                continue;
            }
            draft.read(&words).map_err(|error| error.within(&format!("policy line {}", number + 1)))?;
        }
        let quorum = draft.quorum.ok_or_else(|| malformed("a policy without a quorum line"))?;
        Ok(Policy { logs: draft.logs, witnesses: draft.witnesses, groups: draft.groups, quorum })
    }

    /// The keys of the logs it trusts; their names are their origins.
    pub fn logs(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.logs.iter().map(|log| &log.key)
    }

    /// The key it trusts for the log with this origin.
    pub fn log(&self, origin: &str) -> Option<&VerifyingKey> {
        self.logs().find(|key| key.name() == origin)
    }

    /// Name, key and URL of each witness.
    pub fn witnesses(&self) -> impl Iterator<Item = (&str, &VerifyingKey, Option<&str>)> {
        self.witnesses.iter().map(|witness| (&*witness.name, &witness.key, witness.url.as_deref()))
    }

    /// Checks a checkpoint: the log with its origin must be trusted and have signed it, and the
    /// quorum must have cosigned it.
    ///
    /// [`Error::Contradicts`] if a line of a key in the policy does not hold; [`Error::Missing`] if
    /// a signature that is needed is not there.
    pub fn check(&self, note: &Note) -> Result<Endorsed<'_>, Error> {
        let origin = Checkpoint::parse(note.text())?.origin;
        let signed = note.verify(self.logs().chain(self.witnesses.iter().map(|witness| &witness.key)))?;
        let log = signed
            .iter()
            .find(|signed| signed.key.key_type() == KeyType::Ed25519 && signed.key.name() == origin)
            .ok_or_else(|| missing(format!("no log the policy trusts signed the checkpoint of {origin}")))?;
        let times: Vec<Option<u64>> = self
            .witnesses
            .iter()
            .map(|witness| signed.iter().find(|signed| *signed.key == witness.key)?.time_s)
            .collect();
        if !self.enough(&times) {
            let all = self.witnesses.len();
            let there = times.iter().flatten().count();
            return Err(missing(format!(
                "the policy's quorum is not met: {there} of {all} witnesses cosigned"
            )));
        }
        let named = self.witnesses.iter().zip(times);
        let witnesses = named.filter_map(|(witness, time_s)| Some((&*witness.name, time_s?))).collect();
        Ok(Endorsed { log: log.key, witnesses })
    }

    fn enough(&self, witnessed: &[Option<u64>]) -> bool {
        let mut groups: Vec<bool> = Vec::with_capacity(self.groups.len());
        let holds = |member: &Member, groups: &[bool]| match *member {
            Member::Witness(i) => witnessed.get(i).is_some_and(Option::is_some),
            Member::Group(i) => groups.get(i).copied().unwrap_or(false),
        };
        for group in &self.groups {
            let count = group.members.iter().filter(|member| holds(member, &groups)).count();
            groups.push(match group.threshold {
                Threshold::Any => count >= 1,
                Threshold::All => count == group.members.len(),
                Threshold::AtLeast(k) => count >= k,
            });
        }
        self.quorum.as_ref().is_none_or(|quorum| holds(quorum, &groups))
    }

    fn name(&self, member: Member) -> &str {
        match member {
            Member::Witness(i) => self.witnesses.get(i).map_or("", |witness| &witness.name),
            Member::Group(i) => self.groups.get(i).map_or("", |group| &group.name),
        }
    }
}

/// Writes the policy so that [`Policy::parse`] gives the same; comments are gone.
impl std::fmt::Display for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let url = |url: &Option<String>| url.as_ref().map(|url| format!(" {url}")).unwrap_or_default();
        for log in &self.logs {
            writeln!(f, "log {}{}", log.key, url(&log.url))?;
        }
        for witness in &self.witnesses {
            writeln!(f, "witness {} {}{}", witness.name, witness.key, url(&witness.url))?;
        }
        for group in &self.groups {
            write!(f, "group {} ", group.name)?;
            match group.threshold {
                Threshold::Any => f.write_str("any")?,
                Threshold::All => f.write_str("all")?,
                Threshold::AtLeast(k) => write!(f, "{k}")?,
            }
            group.members.iter().try_for_each(|member| write!(f, " {}", self.name(*member)))?;
            f.write_str("\n")?;
        }
        writeln!(f, "quorum {}", self.quorum.map_or("none", |member| self.name(member)))
    }
}

/// A policy that is being read.
#[derive(Default)]
struct Draft {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    /// Every name that was defined, and whether a group has it.
    names: Vec<(String, Member, bool)>,
    quorum: Option<Option<Member>>,
}

impl Draft {
    fn read(&mut self, words: &[&str]) -> Result<(), Error> {
        match words {
            ["log", vkey] => self.log(vkey, None),
            ["log", vkey, url] => self.log(vkey, Some(url)),
            ["witness", name, vkey] => self.witness(name, vkey, None),
            ["witness", name, vkey, url] => self.witness(name, vkey, Some(url)),
            ["group", name, threshold, members @ ..] if !members.is_empty() => {
                self.group(name, threshold, members)
            }
            ["quorum", name] => self.quorum(name),
            _ => Err(malformed("not a line of a policy")),
        }
    }

    fn log(&mut self, vkey: &str, url: Option<&str>) -> Result<(), Error> {
        let key = VerifyingKey::parse(vkey)?;
        check_type(&key, KeyType::Ed25519)?;
        if self.logs.iter().any(|log| log.key.public_key() == key.public_key()) {
            return Err(malformed("a log's key stands there twice"));
        }
        limit(self.logs.len())?;
        self.logs.push(Log { key, url: url.map(str::to_owned) });
        Ok(())
    }

    fn witness(&mut self, name: &str, vkey: &str, url: Option<&str>) -> Result<(), Error> {
        let key = VerifyingKey::parse(vkey)?;
        check_type(&key, KeyType::CosignatureV1)?;
        if self.witnesses.iter().any(|witness| witness.key.public_key() == key.public_key()) {
            return Err(malformed("a witness's key stands there twice"));
        }
        limit(self.witnesses.len())?;
        self.define(name, Member::Witness(self.witnesses.len()))?;
        self.witnesses.push(Witness { name: name.to_owned(), key, url: url.map(str::to_owned) });
        Ok(())
    }

    fn group(&mut self, name: &str, threshold: &str, names: &[&str]) -> Result<(), Error> {
        limit(self.groups.len())?;
        let threshold = match threshold {
            "any" => Threshold::Any,
            "all" => Threshold::All,
            k => decimal(k)
                .and_then(|k| usize::try_from(k).ok())
                .filter(|k| (1..=names.len()).contains(k))
                .map(Threshold::AtLeast)
                .ok_or_else(|| malformed("a group needs any, all, or a number from 1 to its members"))?,
        };
        let mut members = Vec::new();
        for name in names {
            let entry = self.names.iter_mut().find(|(own, ..)| own == name);
            let (_, member, taken) = entry.ok_or_else(|| malformed("a member is not defined above"))?;
            if std::mem::replace(taken, true) {
                return Err(malformed("a name is a member twice"));
            }
            members.push(*member);
        }
        self.define(name, Member::Group(self.groups.len()))?;
        self.groups.push(Group { name: name.to_owned(), threshold, members });
        Ok(())
    }

    fn quorum(&mut self, name: &str) -> Result<(), Error> {
        if self.quorum.is_some() {
            return Err(malformed("a second quorum"));
        }
        self.quorum = Some(match name {
            "none" => None,
            _ => {
                let entry = self.names.iter().find(|(own, ..)| own == name);
                Some(
                    entry
                        .map(|(_, member, _)| *member)
                        .ok_or_else(|| malformed("the quorum is not defined above"))?,
                )
            }
        });
        Ok(())
    }

    fn define(&mut self, name: &str, member: Member) -> Result<(), Error> {
        if name == "none" || self.names.iter().any(|(own, ..)| own == name) {
            return Err(malformed("a name is defined twice, or is `none`"));
        }
        self.names.push((name.to_owned(), member, false));
        Ok(())
    }
}

fn check_type(key: &VerifyingKey, needed: KeyType) -> Result<(), Error> {
    match key.key_type() == needed {
        true => Ok(()),
        false => Err(malformed("a log's key is of type 0x01, a witness's of type 0x04")),
    }
}

fn limit(len: usize) -> Result<(), Error> {
    if len < MAX_ENTRIES { Ok(()) } else { Err(malformed("more than 256 of a kind")) }
}
