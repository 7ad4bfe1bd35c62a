//! What there is.

use access::Reach;
use event::Value;
use rusqlite::params;

use crate::change::Change;
use crate::error::Error;
use crate::fold::fold_address;
use crate::record::{ApiKey, Area, KeyHashes, Organisation, RoleGrant, Setting, Source, User, View};
use crate::store::{State, records};

/// How often the last use of a key is stored at most.
const MINUTE_MS: u64 = 60_000;

impl State {
    /// The key of an id, revoked ones included. From memory.
    pub fn key(&self, key_id: &str) -> Option<ApiKey> {
        self.memory().keys.get(key_id).map(|known| known.key.clone())
    }

    /// The keyed hashes of a key's secrets, for its rotation.
    pub fn key_hashes(&self, key_id: &str) -> Option<KeyHashes> {
        self.memory().keys.get(key_id).map(|known| known.hashes.clone())
    }

    /// The keys of one organisation, or all keys; revoked ones included. Keys that hold everywhere (`*`) are only among all.
    pub fn keys(&self, organisation: Option<&str>) -> Result<Vec<ApiKey>, Error> {
        let file = self.file();
        match organisation {
            None => records(&file, "WHERE entity = 'api_key'", &[], ApiKey::from_value),
            Some(name) => {
                let condition = "WHERE entity = 'api_key' AND organisation = ?1";
                records(&file, condition, &[name], ApiKey::from_value)
            }
        }
    }

    /// The keys that belong to a user, revoked ones included.
    pub fn keys_of(&self, user: &str) -> Result<Vec<ApiKey>, Error> {
        records(
            &self.file(),
            "INDEXED BY records_by_owner WHERE entity = 'api_key' AND owner = ?1",
            &[user],
            ApiKey::from_value,
        )
    }

    /// The user of an id. From memory.
    pub fn user(&self, id: &str) -> Option<User> {
        self.memory().users.get(id).cloned()
    }

    /// All users, in order of id.
    pub fn users(&self) -> Result<Vec<User>, Error> {
        records(&self.file(), "WHERE entity = 'user'", &[], User::from_value)
    }

    /// The users with an address, in whichever case. If there are several, the address says nothing about who somebody is.
    pub fn users_by_email(&self, email: &str) -> Result<Vec<User>, Error> {
        if email.is_empty() {
            return Ok(Vec::new());
        }
        let address = fold_address(email);
        records(
            &self.file(),
            "INDEXED BY records_by_owner WHERE entity = 'user' AND owner = ?1",
            &[&address],
            User::from_value,
        )
    }

    /// The roles of a user, as they were granted, in order of organisation. From memory.
    pub fn grants_of(&self, user: &str) -> Vec<RoleGrant> {
        self.memory().grants.get(user).cloned().unwrap_or_default()
    }

    /// The roles that were granted in one organisation, or all of them.
    pub fn grants(&self, organisation: Option<&str>) -> Result<Vec<RoleGrant>, Error> {
        let file = self.file();
        match organisation {
            None => records(&file, "WHERE entity = 'grant'", &[], RoleGrant::from_value),
            Some(name) => {
                let condition = "WHERE entity = 'grant' AND organisation = ?1";
                records(&file, condition, &[name], RoleGrant::from_value)
            }
        }
    }

    /// What has to be recorded before a user is deleted, so that nothing of theirs is left for a later user of that id.
    pub fn revocations_for(&self, user: &str, now_ms: u64) -> Result<Vec<Change>, Error> {
        let grants = self.grants_of(user).into_iter().map(|before| Change::RoleRevoked { before });
        let keys = self.keys_of(user)?.into_iter().filter(|key| key.revoked_ms.is_none());
        let keys = keys.map(|before| Change::KeyRevoked { before: Box::new(before), revoked_ms: now_ms });
        Ok(grants.chain(keys).collect())
    }

    /// The saved views that somebody sees in an organisation: their own, those that hold everywhere, and what others share.
    pub fn views(&self, owner: &str, organisation: &str) -> Result<Vec<View>, Error> {
        let condition = "WHERE entity = 'view' AND organisation IN (?1, '*')";
        let mut views = records(&self.file(), condition, &[organisation], View::from_value)?;
        views.retain(|view| view.shared || view.owner == owner);
        Ok(views)
    }

    /// The saved view of an id, whoever's it is.
    pub fn view(&self, organisation: &Reach, id: &str) -> Result<Option<View>, Error> {
        let condition = "WHERE entity = 'view' AND organisation = ?1 AND id = ?2";
        let views = records(&self.file(), condition, &[organisation.as_str(), id], View::from_value)?;
        Ok(views.into_iter().next())
    }

    /// The organisations there are, in order of id; without those that were deleted. From memory.
    pub fn organisations(&self) -> Vec<Organisation> {
        let memory = self.memory();
        memory.organisations.values().filter(|organisation| !organisation.deleted).cloned().collect()
    }

    /// The organisation of an id, also if it was deleted. From memory.
    pub fn organisation(&self, id: &str) -> Option<Organisation> {
        self.memory().organisations.get(id).cloned()
    }

    /// The settings that hold exactly there, of all areas.
    pub fn settings(&self, organisation: &Reach) -> Result<Vec<Setting>, Error> {
        let condition = "WHERE entity IN ('settings', 'redaction', 'retention') AND organisation = ?1";
        let mut settings = records(&self.file(), condition, &[organisation.as_str()], Setting::from_value)?;
        settings.sort_by(|a, b| (a.area, &a.key).cmp(&(b.area, &b.key)));
        Ok(settings)
    }

    /// One setting, exactly there.
    pub fn setting(
        &self,
        area: Area,
        organisation: &Reach,
        key: &str,
    ) -> Result<Option<Value<'static>>, Error> {
        let condition = "WHERE entity = ?1 AND organisation = ?2 AND id = ?3";
        let values = [area.name(), organisation.as_str(), key];
        let found = records(&self.file(), condition, &values, Setting::from_value)?;
        Ok(found.into_iter().next().map(|setting| setting.value))
    }

    /// The sources of an organisation.
    pub fn sources(&self, organisation: &Reach) -> Result<Vec<Source>, Error> {
        let condition = "WHERE entity = 'source' AND organisation = ?1";
        records(&self.file(), condition, &[organisation.as_str()], Source::from_value)
    }

    /// Notes that a key was used. Stored at most once a minute, never waited for, and lost with the file.
    pub fn touch(&self, key_id: &str, now_ms: u64) {
        let minute = now_ms - now_ms % MINUTE_MS;
        {
            let memory = self.memory();
            // Strangers' ids are not remembered.
            if !memory.keys.contains_key(key_id) || memory.used.get(key_id).is_some_and(|at| *at >= minute) {
                return;
            }
        }
        // A request does not wait for a fold; the next one will store it.
        let Some(file) = self.file_if_free() else { return };
        self.memory_mut().used.insert(key_id.to_owned(), minute);
        let stored = file.execute(
            "INSERT INTO last_used VALUES (?1, ?2)
                ON CONFLICT DO UPDATE SET at_ms = max(at_ms, excluded.at_ms)",
            params![key_id, i64::try_from(minute).unwrap_or(i64::MAX)],
        );
        if let Err(error) = stored {
            tracing::debug!(%error, "couldn't store when a key was last used");
        }
    }

    /// When a key was last used, to the minute before it; `None`: never, or not known any more.
    pub fn last_used(&self, key_id: &str) -> Option<u64> {
        self.memory().used.get(key_id).copied()
    }
}
