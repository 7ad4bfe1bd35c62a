//! Events in, state out.

use std::collections::BTreeSet;

use event::Value;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use crate::change::{Change, Identity};
use crate::error::Error;
use crate::record::{ApiKey, KeyHashes, Organisation, RoleGrant, User};
use crate::store::{KnownKey, State, known_key, next, records, set_next};

/// What of the memory a fold changed, as it is to be after the commit.
#[derive(Default)]
struct Refreshed {
    keys: Vec<(String, Option<KnownKey>)>,
    users: Vec<(String, Option<User>)>,
    grants: Vec<(String, Vec<RoleGrant>)>,
    organisations: Vec<(String, Option<Organisation>)>,
}

impl State {
    /// Applies one event as the ledger holds it, and notes that everything up to it is folded, in one transaction. An event
    /// that was folded before changes nothing.
    ///
    /// What can't be read changes nothing either (and is told in the diagnostics): a key of which something is not
    /// understood does not work. Nor does what is in the wrong ledger ([`Change::ledger`]): who may write to one
    /// organisation's ledger has no say about another's.
    pub fn fold(&self, ledger: &str, position: u64, event: &Value<'_>) -> Result<(), Error> {
        self.fold_many(ledger, std::iter::once((position, event)))
    }

    /// The same for many events, positions ascending, in one transaction: rebuilding is hundreds of times quicker so.
    pub fn fold_many<'e, 'v: 'e>(
        &self,
        ledger: &str,
        events: impl IntoIterator<Item = (u64, &'e Value<'v>)>,
    ) -> Result<(), Error> {
        let mut file = self.file();
        let transaction = file.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut from = next(&transaction, ledger)?.unwrap_or(0);
        let mut touched = BTreeSet::new();
        for (position, event) in events {
            if position < from {
                continue;
            }
            if let Some(change) = readable(ledger, position, event) {
                apply(&transaction, &change)?;
                touched.insert(change.identity());
            }
            from = position.saturating_add(1);
        }
        set_next(&transaction, ledger, from)?;
        // Read before the commit: were it to fail after it, the memory would stay behind for good.
        let refreshed = refreshed(&transaction, touched)?;
        transaction.commit()?;

        let mut memory = self.memory_mut();
        let memory = &mut *memory;
        for (id, key) in refreshed.keys {
            match key {
                Some(key) => drop(memory.keys.insert(id, key)),
                None => drop(memory.keys.remove(&id)),
            }
        }
        for (id, user) in refreshed.users {
            match user {
                Some(user) => drop(memory.users.insert(id, user)),
                None => drop(memory.users.remove(&id)),
            }
        }
        memory.grants.extend(refreshed.grants);
        for (id, organisation) in refreshed.organisations {
            match organisation {
                Some(organisation) => drop(memory.organisations.insert(id, organisation)),
                None => drop(memory.organisations.remove(&id)),
            }
        }
        Ok(())
    }

    /// Everything that was folded, as text: one line per row, in order. Two states that were folded from the same ledgers
    /// have the same, however often and in whichever order of ledgers. Holds keyed hashes; not to be shown.
    pub fn dump(&self) -> Result<String, Error> {
        let file = self.file();
        let mut out = String::new();
        for sql in [
            "SELECT entity || ' ' || organisation || ' ' || id || ' ' || owner || ' ' || record
                FROM records ORDER BY entity, organisation, id",
            "SELECT 'key_hash ' || organisation || ' ' || id || ' ' || hex(hash) || ' ' || coalesce(hex(old), '')
                FROM key_hashes ORDER BY organisation, id",
        ] {
            let mut query = file.prepare_cached(sql)?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                out.push_str(&row.get::<_, String>(0)?);
                out.push('\n');
            }
        }
        Ok(out)
    }
}

fn readable(ledger: &str, position: u64, event: &Value<'_>) -> Option<Change> {
    match Change::from_event(event) {
        Ok(change) => change.filter(|change| {
            let home = change.ledger();
            if home != ledger {
                tracing::warn!(ledger, position, home, "a change in the wrong ledger: it changes nothing");
            }
            home == ledger
        }),
        Err(why) => {
            tracing::warn!(ledger, position, %why, "a change that can't be read: it changes nothing");
            None
        }
    }
}

fn apply(file: &Transaction<'_>, change: &Change) -> Result<(), Error> {
    let row = Row::of(change.identity());
    match change {
        Change::OrganisationCreated { after } | Change::OrganisationUpdated { after, .. } => {
            row.put(file, "", &after.to_value())
        }
        // The row stays, so that keys and grants of the organisation, which are in another ledger, are known to be void.
        Change::OrganisationDeleted { before } => {
            row.put(file, "", &Organisation { deleted: true, ..before.clone() }.to_value())
        }
        Change::UserCreated { after } | Change::UserUpdated { after, .. } => {
            row.put(file, &fold_address(after.email.as_deref().unwrap_or_default()), &after.to_value())
        }
        Change::RoleGranted { after } => row.put(file, &after.user, &after.to_value()),
        Change::KeyCreated { after, hashes } => {
            // An id is given once: a second key of it would bring a revoked one back.
            if row.key(file)?.is_none() {
                row.put(file, after.user.as_deref().unwrap_or_default(), &after.to_value())?;
                row.put_hashes(file, hashes)?;
            }
            Ok(())
        }
        Change::KeyRotated { after, hashes, .. } => {
            if let Some(held) = row.key(file)? {
                let after = ApiKey { revoked_ms: held.revoked_ms.or(after.revoked_ms), ..(**after).clone() };
                row.put(file, after.user.as_deref().unwrap_or_default(), &after.to_value())?;
                row.put_hashes(file, hashes)?;
            }
            Ok(())
        }
        Change::KeyRevoked { revoked_ms, .. } => {
            if let Some(held) = row.key(file)? {
                let held = ApiKey { revoked_ms: held.revoked_ms.or(Some(*revoked_ms)), ..held };
                row.put(file, held.user.as_deref().unwrap_or_default(), &held.to_value())?;
            }
            Ok(())
        }
        Change::ViewSaved { after, .. } => row.put(file, &after.owner, &after.to_value()),
        Change::SettingUpdated { after, .. } if after.value.is_null() => row.delete(file),
        Change::SettingUpdated { after, .. } => row.put(file, "", &after.to_value()),
        Change::SourceCreated { after } | Change::SourceUpdated { after, .. } => {
            row.put(file, "", &after.to_value())
        }
        Change::UserDeleted { .. }
        | Change::RoleRevoked { .. }
        | Change::ViewDeleted { .. }
        | Change::SourceDeleted { .. } => row.delete(file),
    }
}

/// Addresses are compared without regard to case.
pub(crate) fn fold_address(address: &str) -> String {
    address.to_lowercase()
}

/// The key of a row.
struct Row {
    entity: &'static str,
    organisation: String,
    id: String,
}

impl Row {
    fn of(identity: Identity) -> Row {
        let organisation = identity.organisation.as_str().to_owned();
        match identity.role {
            // No role's name holds a slash.
            Some(role) => {
                Row { entity: "grant", organisation, id: format!("{}/{}", role.name(), identity.id) }
            }
            None => Row { entity: identity.entity, organisation, id: identity.id },
        }
    }

    fn put(&self, file: &Connection, owner: &str, record: &Value<'_>) -> Result<(), Error> {
        let record = String::from_utf8(record.to_jcs()).expect("canonical JSON is UTF-8");
        let sql = "INSERT INTO records VALUES (?1, ?2, ?3, ?4, ?5)
                ON CONFLICT DO UPDATE SET owner = excluded.owner, record = excluded.record";
        file.prepare_cached(sql)?.execute(params![self.entity, self.organisation, self.id, owner, record])?;
        Ok(())
    }

    fn delete(&self, file: &Connection) -> Result<(), Error> {
        let sql = "DELETE FROM records WHERE entity = ?1 AND organisation = ?2 AND id = ?3";
        file.prepare_cached(sql)?.execute(params![self.entity, self.organisation, self.id])?;
        Ok(())
    }

    fn key(&self, file: &Connection) -> Result<Option<ApiKey>, Error> {
        let condition = "WHERE entity = 'api_key' AND organisation = ?1 AND id = ?2";
        let keys = records(file, condition, &[&self.organisation, &self.id], ApiKey::from_value)?;
        Ok(keys.into_iter().next())
    }

    fn put_hashes(&self, file: &Connection, hashes: &KeyHashes) -> Result<(), Error> {
        let old = hashes.old.map(|old| *old.bytes());
        let sql = "INSERT INTO key_hashes VALUES (?1, ?2, ?3, ?4)
                ON CONFLICT DO UPDATE SET hash = excluded.hash, old = excluded.old";
        file.prepare_cached(sql)?.execute(params![
            self.organisation,
            self.id,
            hashes.current.bytes(),
            old
        ])?;
        Ok(())
    }
}

fn refreshed(file: &Connection, touched: BTreeSet<Identity>) -> Result<Refreshed, Error> {
    let mut refreshed = Refreshed::default();
    for Identity { entity, id, role, .. } in touched {
        let condition = "INDEXED BY records_by_id WHERE entity = ?1 AND id = ?2";
        match entity {
            "api_key" => refreshed.keys.push((id.clone(), known_key(file, &id)?)),
            "user" if role.is_some() => {
                let condition = "INDEXED BY records_by_owner WHERE entity = 'grant' AND owner = ?1";
                let grants = records(file, condition, &[&id], RoleGrant::from_value)?;
                refreshed.grants.push((id, grants));
            }
            "user" => {
                let users = records(file, condition, &[entity, &id], User::from_value)?;
                refreshed.users.push((id, users.into_iter().next()));
            }
            "organisation" => {
                let found = records(file, condition, &[entity, &id], Organisation::from_value)?;
                refreshed.organisations.push((id, found.into_iter().next()));
            }
            _ => {}
        }
    }
    Ok(refreshed)
}
