//! Changes as events, state as what they come to.

use access::{AllowList, Permission, Reach, Role, Scope, SecretHash};
use event::{Event, Limits, Object, Stored, Value};

use crate::record::*;
use crate::{Change, Error, Refused, SYSTEM, State};

mod events;
mod folding;
mod keys;

fn one(name: &str) -> Reach {
    Reach::One(name.into())
}

fn user(id: &str) -> User {
    User {
        id: id.into(),
        email: Some(format!("{id}@Company.com")),
        name: format!("The {id}"),
        disabled: false,
        created_ms: 1_700_000_000_000,
    }
}

fn key(id: &str, organisation: Reach, role: Role) -> ApiKey {
    ApiKey {
        key_id: id.into(),
        prefix: format!("ind_live_{id}"),
        name: "gateway".into(),
        organisation,
        role,
        scopes: None,
        user: None,
        starts_ms: None,
        expires_ms: None,
        old_expires_ms: None,
        ip_allow: AllowList::default(),
        created_by: "bootstrap".into(),
        created_ms: 1_700_000_000_123,
        revoked_ms: None,
    }
}

fn hash(byte: u8) -> SecretHash {
    SecretHash::new([byte; 32])
}

fn hashes(byte: u8) -> KeyHashes {
    KeyHashes { current: hash(byte), old: None }
}

fn created(key: &ApiKey, byte: u8) -> Change {
    Change::KeyCreated { after: Box::new(key.clone()), hashes: hashes(byte) }
}

fn organisation(id: &str) -> Organisation {
    Organisation { id: id.into(), name: id.to_uppercase(), created_ms: 1, deleted: false }
}

/// A state into which changes are folded, each at the next position of its ledger, as the ledger would hold it.
struct Folded(State);

impl Folded {
    fn of(changes: &[Change]) -> Folded {
        let folded = Folded(State::in_memory().unwrap());
        changes.iter().for_each(|change| folded.and(change));
        folded
    }

    fn and(&self, change: &Change) {
        let ledger = change.ledger();
        let position = self.0.folded(&ledger).unwrap().unwrap_or(0);
        change.check().unwrap_or_else(|why| panic!("{change:?}: {why}"));
        self.0.fold(&ledger, position, &change.to_event()).unwrap();
    }
}

/// One of each, with everything in it that may be.
fn one_of_each() -> Vec<Change> {
    let full = ApiKey {
        scopes: Some(vec![Scope::EventsRead, Scope::ProofsRead]),
        user: Some("alice".into()),
        starts_ms: Some(5),
        expires_ms: Some(1_900_000_000_000),
        old_expires_ms: Some(1_800_000_000_001),
        ip_allow: AllowList::parse(["10.0.0.0/8", "2001:db8::/32"]).unwrap(),
        ..key("AbCdEf123456", one("acme"), Role::Auditor)
    };
    let revoked = ApiKey { revoked_ms: Some(77), scopes: Some(vec![]), ..full.clone() };
    let view = View {
        id: "v1".into(),
        owner: "alice".into(),
        organisation: one("acme"),
        name: "failed \"log-ins\"".into(),
        filter: "type:auth.login AND\n-status:success".into(),
        shared: true,
    };
    let source = Source {
        id: "litellm/eu-1".into(),
        organisation: one("acme"),
        name: "".into(),
        kind: "litellm".into(),
    };
    let grant = |organisation| RoleGrant { user: "alice".into(), organisation, role: Role::Member };
    let setting =
        |area, value| Setting { area, organisation: Reach::All, key: "retention.days".into(), value };
    let nested = event::json::parse(br#"{"b":[1,null,{"x":"y"}],"a":null}"#, &Limits::default()).unwrap();
    let nobody = User { email: None, ..user("bob") };
    vec![
        Change::OrganisationCreated { after: organisation("acme") },
        Change::OrganisationUpdated { before: organisation("acme"), after: organisation("acme") },
        Change::OrganisationDeleted { before: organisation("acme") },
        Change::UserCreated { after: user("alice") },
        Change::UserUpdated { before: user("bob"), after: User { disabled: true, ..nobody.clone() } },
        Change::UserDeleted { before: nobody },
        Change::RoleGranted { after: grant(one("acme")) },
        Change::RoleRevoked { before: grant(Reach::All) },
        created(&full, 1),
        Change::KeyRotated {
            before: Box::new(full.clone()),
            after: Box::new(key("AbCdEf123456", one("acme"), Role::Writer)),
            hashes: KeyHashes { current: hash(2), old: Some(hash(1)) },
        },
        Change::KeyRotated {
            before: Box::new(full.clone()),
            after: Box::new(full.clone()),
            hashes: hashes(3),
        },
        Change::KeyRevoked { before: Box::new(revoked), revoked_ms: 1_750_000_000_999 },
        Change::ViewSaved { before: None, after: view.clone() },
        Change::ViewSaved { before: Some(View { shared: false, ..view.clone() }), after: view.clone() },
        Change::ViewDeleted { before: view },
        Change::SettingUpdated { before: None, after: setting(Area::Settings, Value::from("x")) },
        Change::SettingUpdated { before: Some(Value::from(true)), after: setting(Area::Redaction, nested) },
        Change::SettingUpdated { before: Some(Value::Null), after: setting(Area::Retention, Value::Null) },
        Change::SourceCreated { after: source.clone() },
        Change::SourceUpdated { before: source.clone(), after: source.clone() },
        Change::SourceDeleted { before: source },
    ]
}
