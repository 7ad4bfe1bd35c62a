//! A change of the administration, as an event.
//!
//! | part of the event | what it says |
//! |---|---|
//! | `type` | `config.user_created` and so on |
//! | `targets[0]` | `type`, `id` and `name` of what was changed |
//! | `changes.before`, `changes.after` | the whole records ([`crate::record`]) |
//! | `attributes.organisation` | where it holds: a name, or `*`; not for organisations and users themselves |
//! | `attributes.role` | the role given or taken |
//! | `attributes.secret_hash`, `attributes.old_secret_hash` | keyed hashes of a key's secrets, in hex |
//! | `attributes.revoked` | when a key was revoked |
//!
//! `targets` and `attributes` are in section `what`, the records in section `content`: what takes a right away can be folded
//! from `what` alone, so that nobody gets it back because a name was erased. Actor and time are the caller's to add.

use access::{AllowList, Reach, Role, SecretHash};
use event::{Object, Value};

use crate::record::{
    ApiKey, Area, KeyHashes, Members, Organisation, Reader, RoleGrant, Setting, Source, Unreadable, User,
    View,
};

/// One change. Of what takes something away, `before` is what there was; once erased, it is blank but for its identity.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Change {
    OrganisationCreated {
        after: Organisation,
    },
    OrganisationUpdated {
        before: Organisation,
        after: Organisation,
    },
    OrganisationDeleted {
        before: Organisation,
    },
    UserCreated {
        after: User,
    },
    UserUpdated {
        before: User,
        after: User,
    },
    /// Take their roles and keys first: [`State::revocations_for`](crate::State::revocations_for).
    UserDeleted {
        before: User,
    },
    RoleGranted {
        after: RoleGrant,
    },
    RoleRevoked {
        before: RoleGrant,
    },
    KeyCreated {
        after: Box<ApiKey>,
        hashes: KeyHashes,
    },
    /// A new secret. Other fields of the key may change with it; that it was revoked may not.
    KeyRotated {
        before: Box<ApiKey>,
        after: Box<ApiKey>,
        hashes: KeyHashes,
    },
    /// For good.
    KeyRevoked {
        before: Box<ApiKey>,
        revoked_ms: u64,
    },
    ViewSaved {
        before: Option<View>,
        after: View,
    },
    ViewDeleted {
        before: View,
    },
    /// A setting of any of the three areas. `null` takes it away.
    SettingUpdated {
        before: Option<Value<'static>>,
        after: Setting,
    },
    SourceCreated {
        after: Source,
    },
    SourceUpdated {
        before: Source,
        after: Source,
    },
    SourceDeleted {
        before: Source,
    },
}

/// What a change changes. The same identity is the key of the row in the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Identity {
    /// `api_key`, `user` and so on.
    pub(crate) entity: &'static str,
    pub(crate) organisation: Reach,
    pub(crate) id: String,
    /// Of a grant, which is one per user, organisation and role.
    pub(crate) role: Option<Role>,
}

impl Change {
    /// The type of its event.
    pub fn kind(&self) -> &'static str {
        match self {
            Change::OrganisationCreated { .. } => "config.organisation_created",
            Change::OrganisationUpdated { .. } => "config.organisation_updated",
            Change::OrganisationDeleted { .. } => "config.organisation_deleted",
            Change::UserCreated { .. } => "config.user_created",
            Change::UserUpdated { .. } => "config.user_updated",
            Change::UserDeleted { .. } => "config.user_deleted",
            Change::RoleGranted { .. } => "config.role_granted",
            Change::RoleRevoked { .. } => "config.role_revoked",
            Change::KeyCreated { .. } => "config.key_created",
            Change::KeyRotated { .. } => "config.key_rotated",
            Change::KeyRevoked { .. } => "config.key_revoked",
            Change::ViewSaved { .. } => "config.view_saved",
            Change::ViewDeleted { .. } => "config.view_deleted",
            Change::SettingUpdated { after, .. } => match after.area {
                Area::Settings => "config.settings_updated",
                Area::Redaction => "config.redaction_updated",
                Area::Retention => "config.retention_updated",
            },
            Change::SourceCreated { .. } => "config.source_created",
            Change::SourceUpdated { .. } => "config.source_updated",
            Change::SourceDeleted { .. } => "config.source_deleted",
        }
    }

    /// The ledger it has to be recorded in: the organisation's, or [`crate::SYSTEM`]. In any other it changes nothing.
    pub fn ledger(&self) -> String {
        match self.identity().organisation {
            Reach::All => crate::SYSTEM.to_owned(),
            Reach::One(name) => name,
        }
    }

    /// Whether what the ledger will hold says the same as this: every name in its limits, every time one that can be written.
    /// Ask before recording.
    pub fn check(&self) -> Result<(), Unreadable> {
        match Change::from_event(&self.to_event())? {
            Some(same) if same == *self => Ok(()),
            _ => Err(Unreadable { field: self.identity().entity, expected: "values that an event can hold" }),
        }
    }

    /// The event, without actor and time.
    pub fn to_event(&self) -> Value<'static> {
        let Identity { entity, organisation, id, role } = self.identity();
        let (before, after) = self.records();
        let mut target = Members::new();
        target
            .text("type", entity)
            .text("id", &id)
            .optional("name", self.name().filter(|name| !name.is_empty()));
        let mut changes = Members::new();
        changes.maybe("before", before).maybe("after", after);
        let mut attributes = Members::new();
        if !matches!(entity, "organisation" | "user") || role.is_some() {
            attributes.text("organisation", organisation.as_str());
        }
        attributes.optional("role", role.map(Role::name));
        match self {
            Change::KeyCreated { hashes, .. } | Change::KeyRotated { hashes, .. } => {
                attributes.text("secret_hash", &hashes.current.to_hex());
                attributes.optional("old_secret_hash", hashes.old.map(|old| old.to_hex()).as_deref());
            }
            Change::KeyRevoked { revoked_ms, .. } => {
                attributes.time("revoked", Some(*revoked_ms));
            }
            _ => {}
        }
        let mut event = Members::new();
        event.text("type", self.kind()).text("status", "success");
        event.any("targets", vec![target.done()].into()).any("changes", changes.done());
        event.any("attributes", attributes.done()).done()
    }

    /// Reads an event. `None` if it is of a type that is not folded here.
    pub fn from_event(event: &Value<'_>) -> Result<Option<Change>, Unreadable> {
        let kind = event.get("type").and_then(Value::as_str).unwrap_or_default();
        let Some((entity, verb)) = split(kind) else { return Ok(None) };
        let identity = Identity::of_event(entity, event)?;
        let blank = Value::Object(Object::new());
        let before = event.pointer("/changes/before");
        let after = event.pointer("/changes/after").unwrap_or(&blank);
        let read = read(entity, verb, &identity, event, before, after)?;
        if read.identity() == identity {
            Ok(Some(read))
        } else {
            Err(Unreadable { field: "targets", expected: "what the record says it is" })
        }
    }

    pub(crate) fn identity(&self) -> Identity {
        let identity = |entity, organisation: &Reach, id: &str, role| Identity {
            entity,
            organisation: organisation.clone(),
            id: id.to_owned(),
            role,
        };
        match self {
            Change::OrganisationCreated { after: record }
            | Change::OrganisationUpdated { after: record, .. }
            | Change::OrganisationDeleted { before: record } => {
                identity("organisation", &Reach::All, &record.id, None)
            }
            Change::UserCreated { after: record }
            | Change::UserUpdated { after: record, .. }
            | Change::UserDeleted { before: record } => identity("user", &Reach::All, &record.id, None),
            Change::RoleGranted { after: record } | Change::RoleRevoked { before: record } => {
                identity("user", &record.organisation, &record.user, Some(record.role))
            }
            Change::KeyCreated { after: record, .. }
            | Change::KeyRotated { after: record, .. }
            | Change::KeyRevoked { before: record, .. } => {
                identity("api_key", &record.organisation, &record.key_id, None)
            }
            Change::ViewSaved { after: record, .. } | Change::ViewDeleted { before: record } => {
                identity("view", &record.organisation, &record.id, None)
            }
            Change::SettingUpdated { after, .. } => {
                identity(after.area.name(), &after.organisation, &after.key, None)
            }
            Change::SourceCreated { after: record }
            | Change::SourceUpdated { after: record, .. }
            | Change::SourceDeleted { before: record } => {
                identity("source", &record.organisation, &record.id, None)
            }
        }
    }

    fn name(&self) -> Option<&str> {
        match self {
            Change::OrganisationCreated { after: record }
            | Change::OrganisationUpdated { after: record, .. }
            | Change::OrganisationDeleted { before: record } => Some(&record.name),
            Change::UserCreated { after: record }
            | Change::UserUpdated { after: record, .. }
            | Change::UserDeleted { before: record } => Some(&record.name),
            Change::RoleGranted { .. } | Change::RoleRevoked { .. } | Change::SettingUpdated { .. } => None,
            Change::KeyCreated { after: record, .. }
            | Change::KeyRotated { after: record, .. }
            | Change::KeyRevoked { before: record, .. } => Some(&record.name),
            Change::ViewSaved { after: record, .. } | Change::ViewDeleted { before: record } => {
                Some(&record.name)
            }
            Change::SourceCreated { after: record }
            | Change::SourceUpdated { after: record, .. }
            | Change::SourceDeleted { before: record } => Some(&record.name),
        }
    }

    fn records(&self) -> (Option<Value<'static>>, Option<Value<'static>>) {
        match self {
            Change::OrganisationCreated { after } => (None, Some(after.to_value())),
            Change::OrganisationUpdated { before, after } => {
                (Some(before.to_value()), Some(after.to_value()))
            }
            Change::OrganisationDeleted { before } => (Some(before.to_value()), None),
            Change::UserCreated { after } => (None, Some(after.to_value())),
            Change::UserUpdated { before, after } => (Some(before.to_value()), Some(after.to_value())),
            Change::UserDeleted { before } => (Some(before.to_value()), None),
            Change::RoleGranted { after } => (None, Some(after.to_value())),
            Change::RoleRevoked { before } => (Some(before.to_value()), None),
            Change::KeyCreated { after, .. } => (None, Some(after.to_value())),
            Change::KeyRotated { before, after, .. } => (Some(before.to_value()), Some(after.to_value())),
            Change::KeyRevoked { before, .. } => (Some(before.to_value()), None),
            Change::ViewSaved { before, after } => {
                (before.as_ref().map(View::to_value), Some(after.to_value()))
            }
            Change::ViewDeleted { before } => (Some(before.to_value()), None),
            Change::SettingUpdated { before, after } => {
                let before = before.clone().map(|value| Setting { value, ..after.clone() });
                (before.as_ref().map(Setting::to_value), Some(after.to_value()))
            }
            Change::SourceCreated { after } => (None, Some(after.to_value())),
            Change::SourceUpdated { before, after } => (Some(before.to_value()), Some(after.to_value())),
            Change::SourceDeleted { before } => (Some(before.to_value()), None),
        }
    }
}

/// What is changed, as the row in the file and `targets[0].type` name it, and what is done to it.
fn split(kind: &str) -> Option<(&'static str, &'static str)> {
    Some(match kind {
        "config.organisation_created" => ("organisation", "created"),
        "config.organisation_updated" => ("organisation", "updated"),
        "config.organisation_deleted" => ("organisation", "deleted"),
        "config.user_created" => ("user", "created"),
        "config.user_updated" => ("user", "updated"),
        "config.user_deleted" => ("user", "deleted"),
        "config.role_granted" => ("user", "granted"),
        "config.role_revoked" => ("user", "revoked"),
        "config.key_created" => ("api_key", "created"),
        "config.key_rotated" => ("api_key", "rotated"),
        "config.key_revoked" => ("api_key", "revoked"),
        "config.view_saved" => ("view", "saved"),
        "config.view_deleted" => ("view", "deleted"),
        "config.settings_updated" => ("settings", "updated"),
        "config.redaction_updated" => ("redaction", "updated"),
        "config.retention_updated" => ("retention", "updated"),
        "config.source_created" => ("source", "created"),
        "config.source_updated" => ("source", "updated"),
        "config.source_deleted" => ("source", "deleted"),
        _ => return None,
    })
}

fn read(
    entity: &'static str,
    verb: &'static str,
    identity: &Identity,
    event: &Value<'_>,
    before: Option<&Value<'_>>,
    after: &Value<'_>,
) -> Result<Change, Unreadable> {
    let id = || identity.id.clone();
    let organisation = || identity.organisation.clone();
    Ok(match (entity, verb) {
        ("organisation", "created") => {
            Change::OrganisationCreated { after: Organisation::from_value(after)? }
        }
        ("organisation", "updated") => {
            let blank = || Organisation { id: id(), ..Organisation::default() };
            let before = was(before, Organisation::from_value).unwrap_or_else(blank);
            Change::OrganisationUpdated { before, after: Organisation::from_value(after)? }
        }
        ("organisation", "deleted") => {
            let blank = || Organisation { id: id(), ..Organisation::default() };
            let is_it = |record: &Organisation| record.id == identity.id;
            let before = was(before, Organisation::from_value).filter(is_it).unwrap_or_else(blank);
            Change::OrganisationDeleted { before }
        }
        ("user", "created") => Change::UserCreated { after: User::from_value(after)? },
        ("user", "updated") => {
            let before =
                was(before, User::from_value).unwrap_or_else(|| User { id: id(), ..User::default() });
            Change::UserUpdated { before, after: User::from_value(after)? }
        }
        ("user", "deleted") => {
            let before = was(before, User::from_value).filter(|record| record.id == identity.id);
            Change::UserDeleted { before: before.unwrap_or_else(|| User { id: id(), ..User::default() }) }
        }
        ("user", "granted") => Change::RoleGranted { after: RoleGrant::from_value(after)? },
        ("user", "revoked") => {
            let role = identity.role.ok_or(Unreadable { field: "attributes.role", expected: "a role" })?;
            Change::RoleRevoked { before: RoleGrant { user: id(), organisation: organisation(), role } }
        }
        ("api_key", "created") => {
            Change::KeyCreated { after: Box::new(ApiKey::from_value(after)?), hashes: hashes(event)? }
        }
        ("api_key", "rotated") => Change::KeyRotated {
            before: Box::new(was(before, ApiKey::from_value).unwrap_or_else(|| blank_key(identity))),
            after: Box::new(ApiKey::from_value(after)?),
            hashes: hashes(event)?,
        },
        ("api_key", "revoked") => {
            let is_it = |key: &ApiKey| key.key_id == identity.id && key.organisation == identity.organisation;
            let before = was(before, ApiKey::from_value).filter(is_it).unwrap_or_else(|| blank_key(identity));
            let attributes = event.get("attributes").map(Reader::of).transpose()?;
            // A revocation without a time is one all the same.
            let revoked_ms = attributes.and_then(|read| read.time("revoked").ok()).unwrap_or(0);
            Change::KeyRevoked { before: Box::new(before), revoked_ms }
        }
        ("view", "saved") => {
            Change::ViewSaved { before: was(before, View::from_value), after: View::from_value(after)? }
        }
        ("view", "deleted") => {
            let is_it = |view: &View| view.id == identity.id && view.organisation == identity.organisation;
            let blank = || View {
                id: id(),
                owner: String::new(),
                organisation: organisation(),
                name: String::new(),
                filter: String::new(),
                shared: false,
            };
            Change::ViewDeleted { before: was(before, View::from_value).filter(is_it).unwrap_or_else(blank) }
        }
        ("source", "created") => Change::SourceCreated { after: Source::from_value(after)? },
        ("source", "updated") => Change::SourceUpdated {
            before: was(before, Source::from_value).unwrap_or_else(|| blank_source(identity)),
            after: Source::from_value(after)?,
        },
        ("source", "deleted") => {
            let is_it = |s: &Source| s.id == identity.id && s.organisation == identity.organisation;
            let before = was(before, Source::from_value).filter(is_it);
            Change::SourceDeleted { before: before.unwrap_or_else(|| blank_source(identity)) }
        }
        // The three areas of settings.
        _ => {
            let before = was(before, Setting::from_value).map(|setting| setting.value);
            Change::SettingUpdated { before, after: Setting::from_value(after)? }
        }
    })
}

/// What there was before is for people to read; if it can't be read, the change holds all the same.
fn was<T>(before: Option<&Value<'_>>, read: impl FnOnce(&Value<'_>) -> Result<T, Unreadable>) -> Option<T> {
    before.and_then(|record| read(record).ok())
}

fn hashes(event: &Value<'_>) -> Result<KeyHashes, Unreadable> {
    let hash =
        |field: &'static str| match event.get("attributes").and_then(|attributes| attributes.get(field)) {
            None => Ok(None),
            Some(value) => {
                let hash = value.as_str().and_then(SecretHash::from_hex);
                hash.map(Some).ok_or(Unreadable { field, expected: "64 hex digits" })
            }
        };
    let current = hash("secret_hash")?;
    Ok(KeyHashes {
        current: current.ok_or(Unreadable { field: "secret_hash", expected: "64 hex digits" })?,
        old: hash("old_secret_hash")?,
    })
}

fn blank_key(identity: &Identity) -> ApiKey {
    ApiKey {
        key_id: identity.id.clone(),
        prefix: String::new(),
        name: String::new(),
        organisation: identity.organisation.clone(),
        role: Role::Viewer,
        scopes: None,
        user: None,
        starts_ms: None,
        expires_ms: None,
        old_expires_ms: None,
        ip_allow: AllowList::default(),
        created_by: String::new(),
        created_ms: 0,
        revoked_ms: None,
    }
}

fn blank_source(identity: &Identity) -> Source {
    Source {
        id: identity.id.clone(),
        organisation: identity.organisation.clone(),
        name: String::new(),
        kind: String::new(),
    }
}

impl Identity {
    fn of_event(entity: &'static str, event: &Value<'_>) -> Result<Identity, Unreadable> {
        let missing = Unreadable { field: "targets", expected: "what was changed" };
        let target = Reader::of(event.pointer("/targets/0").ok_or(missing)?)?;
        let blank = Value::Object(Object::new());
        let attributes = Reader::of(event.get("attributes").unwrap_or(&blank))?;
        let kind = event.get("type").and_then(Value::as_str).unwrap_or_default();
        let role = kind.starts_with("config.role_").then(|| attributes.role("role")).transpose()?;
        let organisation = match entity {
            "organisation" => Reach::All,
            "user" if role.is_none() => Reach::All,
            _ => attributes.reach("organisation")?,
        };
        Ok(Identity { entity, organisation, id: target.id("id")?, role })
    }
}
