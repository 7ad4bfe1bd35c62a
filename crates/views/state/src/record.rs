//! What there is: plain data, and its JSON. The same JSON is in the events (`changes.before`, `changes.after`), in the file,
//! and fit to be shown: no record holds a secret or its hash.
//!
//! Times are milliseconds since 1970, RFC 3339 in JSON. What is not there is left out.

use std::fmt;

use access::{AllowList, Reach, Role, Scope, SecretHash};
use event::{Object, Value};

/// An organisation: one ledger.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Organisation {
    /// 1 to 63 of `a-z 0-9 - _`, beginning with a letter or digit. Also the name of its ledger.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// When it was created.
    pub created_ms: u64,
    /// Whether it was deleted. Its keys and grants hold no more; its ledger stays.
    pub deleted: bool,
}

/// One of our users.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct User {
    /// Stable id. Ids that differ only in upper and lower case are one to a filter, so do not mint those.
    pub id: String,
    /// Address.
    pub email: Option<String>,
    /// Name for people.
    pub name: String,
    /// Whether they are kept out, and their keys with them.
    pub disabled: bool,
    /// When they were created.
    pub created_ms: u64,
}

/// A role that a user has somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleGrant {
    /// The user's id.
    pub user: String,
    /// Where.
    pub organisation: Reach,
    /// What.
    pub role: Role,
}

/// An API key, without anything secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id, as in the credential.
    pub key_id: String,
    /// The part of the credential that may be shown.
    pub prefix: String,
    /// Name for people.
    pub name: String,
    /// Where it holds.
    pub organisation: Reach,
    /// What it may.
    pub role: Role,
    /// What it may of that; `None`: all of it.
    pub scopes: Option<Vec<Scope>>,
    /// The user it belongs to.
    pub user: Option<String>,
    /// From when it works.
    pub starts_ms: Option<u64>,
    /// From when it works no more.
    pub expires_ms: Option<u64>,
    /// From when the secret before the last rotation works no more; `None`: it does not work.
    pub old_expires_ms: Option<u64>,
    /// Where it may be used from.
    pub ip_allow: AllowList,
    /// Who created it: a viewer's id.
    pub created_by: String,
    /// When.
    pub created_ms: u64,
    /// When it was revoked, if it was. There is no way back.
    pub revoked_ms: Option<u64>,
}

/// Keyed hashes of a key's secrets: in the event's attributes and in the file, never shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyHashes {
    /// Of the credential that works.
    pub current: SecretHash,
    /// Of the one before, if it works on until `old_expires_ms`.
    pub old: Option<SecretHash>,
}

/// A saved question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Stable id.
    pub id: String,
    /// Whose it is: a user's or other viewer's id.
    pub owner: String,
    /// Where it is asked.
    pub organisation: Reach,
    /// Name for people.
    pub name: String,
    /// The filter's text.
    pub filter: String,
    /// Whether others in the organisation see it.
    pub shared: bool,
}

/// Which of the three kinds of settings one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Area {
    /// `config.settings_updated`
    Settings,
    /// `config.redaction_updated`
    Redaction,
    /// `config.retention_updated`
    Retention,
}

/// A setting.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Which kind.
    pub area: Area,
    /// Where it holds.
    pub organisation: Reach,
    /// Its name.
    pub key: String,
    /// Its value; `null` takes it away.
    pub value: Value<'static>,
}

/// A program that sends events, as the administration knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The producer's name.
    pub id: String,
    /// Where it sends to.
    pub organisation: Reach,
    /// Name for people.
    pub name: String,
    /// What it is: `litellm`, `otlp`, `sdk` and the like.
    pub kind: String,
}

/// Something in a record or event that is missing or is not what it should be. Never repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The field.
    pub field: &'static str,
    /// What it should have been.
    pub expected: &'static str,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}", self.field, self.expected)
    }
}

impl std::error::Error for Unreadable {}

impl Area {
    /// Every area.
    pub const ALL: [Area; 3] = [Area::Settings, Area::Redaction, Area::Retention];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Area::Settings => "settings",
            Area::Redaction => "redaction",
            Area::Retention => "retention",
        }
    }

    /// The area of that name.
    pub fn named(name: &str) -> Option<Area> {
        Area::ALL.into_iter().find(|area| area.name() == name)
    }
}

impl Organisation {
    /// Its JSON.
    pub fn to_value(&self) -> Value<'static> {
        let mut members = Members::new();
        members.text("id", &self.id).text("name", &self.name).time("created", Some(self.created_ms));
        members.flag("deleted", self.deleted).done()
    }

    /// From its JSON.
    pub fn from_value(value: &Value<'_>) -> Result<Organisation, Unreadable> {
        let read = Reader::of(value)?;
        Ok(Organisation {
            id: read.organisation_name("id")?,
            name: read.name("name")?,
            created_ms: read.time("created")?,
            deleted: read.flag("deleted")?,
        })
    }
}

impl User {
    /// Its JSON.
    pub fn to_value(&self) -> Value<'static> {
        let mut members = Members::new();
        members.text("id", &self.id).optional("email", self.email.as_deref()).text("name", &self.name);
        members.flag("disabled", self.disabled).time("created", Some(self.created_ms)).done()
    }

    /// From its JSON.
    pub fn from_value(value: &Value<'_>) -> Result<User, Unreadable> {
        let read = Reader::of(value)?;
        Ok(User {
            id: read.id("id")?,
            email: read.optional_id("email")?,
            name: read.name("name")?,
            disabled: read.flag("disabled")?,
            created_ms: read.time("created")?,
        })
    }
}

impl RoleGrant {
    /// Its JSON.
    pub fn to_value(&self) -> Value<'static> {
        let mut members = Members::new();
        members.text("user", &self.user).text("organisation", self.organisation.as_str());
        members.text("role", self.role.name()).done()
    }

    /// From its JSON.
    pub fn from_value(value: &Value<'_>) -> Result<RoleGrant, Unreadable> {
        let read = Reader::of(value)?;
        Ok(RoleGrant {
            user: read.id("user")?,
            organisation: read.reach("organisation")?,
            role: read.role("role")?,
        })
    }
}

impl ApiKey {
    /// Its JSON.
    pub fn to_value(&self) -> Value<'static> {
        let mut members = Members::new();
        members.text("key_id", &self.key_id).text("prefix", &self.prefix).text("name", &self.name);
        members.text("organisation", self.organisation.as_str()).text("role", self.role.name());
        if let Some(scopes) = &self.scopes {
            members.list("scopes", scopes.iter().map(|scope| scope.name().to_owned()));
        }
        if !self.ip_allow.is_empty() {
            members.list("ip_allow", self.ip_allow.entries());
        }
        members.optional("user", self.user.as_deref()).time("starts", self.starts_ms);
        members.time("expires", self.expires_ms).time("old_expires", self.old_expires_ms);
        members.text("created_by", &self.created_by).time("created", Some(self.created_ms));
        members.time("revoked", self.revoked_ms).done()
    }

    /// From its JSON. A role or scope that is not known is refused, and with it the key.
    pub fn from_value(value: &Value<'_>) -> Result<ApiKey, Unreadable> {
        const SCOPES: Unreadable = Unreadable { field: "scopes", expected: "a list of scopes" };
        const NETWORKS: Unreadable =
            Unreadable { field: "ip_allow", expected: "a list of at most 64 networks" };
        let read = Reader::of(value)?;
        let scopes = match read.list("scopes", Scope::ALL.len(), SCOPES)? {
            None => None,
            Some(names) => {
                let scopes = names.into_iter().map(|name| Scope::named(name).ok_or(SCOPES));
                Some(scopes.collect::<Result<_, _>>()?)
            }
        };
        let networks = read.list("ip_allow", AllowList::MOST, NETWORKS)?.unwrap_or_default();
        Ok(ApiKey {
            key_id: read.id("key_id")?,
            prefix: read.name("prefix")?,
            name: read.name("name")?,
            organisation: read.reach("organisation")?,
            role: read.role("role")?,
            scopes,
            user: read.optional_id("user")?,
            starts_ms: read.optional_time("starts")?,
            expires_ms: read.optional_time("expires")?,
            old_expires_ms: read.optional_time("old_expires")?,
            ip_allow: AllowList::parse(networks).map_err(|_| NETWORKS)?,
            created_by: read.name("created_by")?,
            created_ms: read.time("created")?,
            revoked_ms: read.optional_time("revoked")?,
        })
    }
}

impl View {
    /// Its JSON.
    pub fn to_value(&self) -> Value<'static> {
        let mut members = Members::new();
        members
            .text("id", &self.id)
            .text("owner", &self.owner)
            .text("organisation", self.organisation.as_str());
        members.text("name", &self.name).text("filter", &self.filter).flag("shared", self.shared).done()
    }

    /// From its JSON.
    pub fn from_value(value: &Value<'_>) -> Result<View, Unreadable> {
        let read = Reader::of(value)?;
        Ok(View {
            id: read.id("id")?,
            owner: read.id("owner")?,
            organisation: read.reach("organisation")?,
            name: read.name("name")?,
            filter: read.text("filter", 4096)?,
            shared: read.flag("shared")?,
        })
    }
}

impl Setting {
    /// Its JSON.
    pub fn to_value(&self) -> Value<'static> {
        let mut members = Members::new();
        members.text("area", self.area.name()).text("organisation", self.organisation.as_str());
        members.text("key", &self.key).any("value", self.value.clone()).done()
    }

    /// From its JSON.
    pub fn from_value(value: &Value<'_>) -> Result<Setting, Unreadable> {
        let read = Reader::of(value)?;
        let area = Area::named(&read.text("area", 64)?);
        Ok(Setting {
            area: area.ok_or(Unreadable { field: "area", expected: "settings, redaction or retention" })?,
            organisation: read.reach("organisation")?,
            key: read.id("key")?,
            value: value.get("value").cloned().unwrap_or_default().into_owned(),
        })
    }
}

impl Source {
    /// Its JSON.
    pub fn to_value(&self) -> Value<'static> {
        let mut members = Members::new();
        members.text("id", &self.id).text("organisation", self.organisation.as_str());
        members.text("name", &self.name).text("kind", &self.kind).done()
    }

    /// From its JSON.
    pub fn from_value(value: &Value<'_>) -> Result<Source, Unreadable> {
        let read = Reader::of(value)?;
        Ok(Source {
            id: read.id("id")?,
            organisation: read.reach("organisation")?,
            name: read.name("name")?,
            kind: read.name("kind")?,
        })
    }
}

/// The members of an object, one after the other.
pub(crate) struct Members(Object<'static>);

impl Members {
    pub(crate) fn new() -> Members {
        Members(Object::new())
    }

    pub(crate) fn any(&mut self, key: &'static str, value: Value<'static>) -> &mut Members {
        self.0.insert(key, value);
        self
    }

    pub(crate) fn maybe(&mut self, key: &'static str, value: Option<Value<'static>>) -> &mut Members {
        match value {
            Some(value) => self.any(key, value),
            None => self,
        }
    }

    pub(crate) fn text(&mut self, key: &'static str, text: &str) -> &mut Members {
        self.any(key, text.to_owned().into())
    }

    pub(crate) fn optional(&mut self, key: &'static str, text: Option<&str>) -> &mut Members {
        match text {
            Some(text) => self.text(key, text),
            None => self,
        }
    }

    pub(crate) fn time(&mut self, key: &'static str, ms: Option<u64>) -> &mut Members {
        self.optional(key, ms.map(event::time::format_ms).as_deref())
    }

    fn flag(&mut self, key: &'static str, flag: bool) -> &mut Members {
        self.any(key, flag.into())
    }

    fn list(&mut self, key: &'static str, items: impl Iterator<Item = String>) -> &mut Members {
        self.any(key, items.map(Value::from).collect::<Vec<_>>().into())
    }

    pub(crate) fn done(&mut self) -> Value<'static> {
        Value::Object(std::mem::take(&mut self.0))
    }
}

/// Reads members, with the same limits that hold for the fields of an event.
pub(crate) struct Reader<'v>(&'v Object<'v>);

impl<'v> Reader<'v> {
    pub(crate) fn of(value: &'v Value<'v>) -> Result<Reader<'v>, Unreadable> {
        value.as_object().map(Reader).ok_or(Unreadable { field: "record", expected: "an object" })
    }

    fn get(&self, field: &'static str) -> Option<&'v Value<'v>> {
        self.0.get(field).filter(|value| !value.is_null())
    }

    fn text(&self, field: &'static str, most: usize) -> Result<String, Unreadable> {
        let text = self.get(field).and_then(Value::as_str).filter(|text| text.chars().count() <= most);
        text.map(str::to_owned).ok_or(Unreadable { field, expected: "a text that is not too long" })
    }

    fn name(&self, field: &'static str) -> Result<String, Unreadable> {
        let expected = "a name of at most 256 characters, no control characters";
        let name = self.text(field, 256).map_err(|_| Unreadable { field, expected })?;
        if name.chars().any(char::is_control) { Err(Unreadable { field, expected }) } else { Ok(name) }
    }

    pub(crate) fn id(&self, field: &'static str) -> Result<String, Unreadable> {
        let expected = "an id of 1 to 256 characters, no control characters";
        self.name(field).ok().filter(|id| !id.is_empty()).ok_or(Unreadable { field, expected })
    }

    fn optional_id(&self, field: &'static str) -> Result<Option<String>, Unreadable> {
        self.get(field).map(|_| self.id(field)).transpose()
    }

    fn flag(&self, field: &'static str) -> Result<bool, Unreadable> {
        let flag = self.get(field).and_then(Value::as_bool);
        flag.ok_or(Unreadable { field, expected: "true or false" })
    }

    pub(crate) fn time(&self, field: &'static str) -> Result<u64, Unreadable> {
        let ns = self.get(field).and_then(Value::as_str).and_then(|text| event::time::parse(text).ok());
        let ms = ns.and_then(|ns| u64::try_from(ns / 1_000_000).ok());
        ms.ok_or(Unreadable { field, expected: "a time from 1970 to 2261" })
    }

    fn optional_time(&self, field: &'static str) -> Result<Option<u64>, Unreadable> {
        self.get(field).map(|_| self.time(field)).transpose()
    }

    pub(crate) fn role(&self, field: &'static str) -> Result<Role, Unreadable> {
        let role = self.get(field).and_then(Value::as_str).and_then(Role::named);
        role.ok_or(Unreadable { field, expected: "admin, member, viewer, auditor, writer or operator" })
    }

    fn organisation_name(&self, field: &'static str) -> Result<String, Unreadable> {
        let good = |name: &str| {
            (1..=63).contains(&name.len())
                && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
                && name.as_bytes()[0].is_ascii_alphanumeric()
        };
        let name = self.get(field).and_then(Value::as_str).filter(|name| good(name));
        let expected = "1 to 63 of a-z, 0-9, '-' and '_', beginning with a letter or digit";
        name.map(str::to_owned).ok_or(Unreadable { field, expected })
    }

    pub(crate) fn reach(&self, field: &'static str) -> Result<Reach, Unreadable> {
        match self.get(field).and_then(Value::as_str) {
            Some("*") => Ok(Reach::All),
            _ => self.organisation_name(field).map(Reach::One),
        }
    }

    fn list(
        &self,
        field: &'static str,
        most: usize,
        wrong: Unreadable,
    ) -> Result<Option<Vec<&'v str>>, Unreadable> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let items = value.as_array().filter(|items| items.len() <= most).ok_or(wrong)?;
        items.iter().map(|item| item.as_str().ok_or(wrong)).collect::<Result<_, _>>().map(Some)
    }
}
