//! Who may ask: keys, users and organisations, changed only by events.
//!
//! Every change goes the same way: it is checked against what there is, recorded in the ledger it belongs to, and folded
//! into the state view before it is answered. So whoever changed something sees it, and nothing changes unrecorded.

use std::net::IpAddr;
use std::time::Duration;

use access::{
    AllowList, Credential, Environment, Grant, Malformed, Permission, Reach, Role, Scope, SecretHash, Viewer,
};
use event::{Value, time};
use ledger::{Error, Receipt};
use state::{ApiKey, Change, KeyHashes, Organisation, RoleGrant, User, View};

use crate::SYSTEM;
use crate::ask::AskError;
use crate::audit::{Asked, actor};
use crate::organisations::{Indelible, StartError, check_organisation};
use crate::record::RecordError;
use crate::secrets::secret_in;
use crate::show::document;

/// Name of the key that the environment gives at the first start.
const BOOTSTRAP: &str = "bootstrap";
/// Events folded in one transaction.
const FOLDED: usize = 1000;

/// Why somebody is not let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthError {
    /// It is no key of ours, or one that does not work. A word for the record, which the sender is not told.
    Refused(&'static str),
    /// The keys cannot be read now.
    Unavailable(String),
}

/// What a new key is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// Name for people.
    pub name: String,
    /// Where it holds.
    pub organisation: Reach,
    /// What it may.
    pub role: Role,
    /// What it may of that; everything if `None`.
    pub scopes: Option<Vec<Scope>>,
    /// The user it belongs to.
    pub user: Option<String>,
    /// From when it works no more, milliseconds since 1970.
    pub expires_ms: Option<u64>,
    /// Where it may be used from.
    pub ip_allow: AllowList,
}

impl Indelible {
    /// Who somebody with this token is. What is refused is recorded; floods are counted.
    pub fn authenticate(&self, token: &str, address: Option<IpAddr>) -> Result<Viewer, AuthError> {
        self.authenticate_key(token, address).map(|(viewer, ..)| viewer)
    }

    /// [`Indelible::authenticate`], with the key's id and its hash.
    pub(crate) fn authenticate_key(
        &self,
        token: &str,
        address: Option<IpAddr>,
    ) -> Result<(Viewer, String, SecretHash), AuthError> {
        let (key_id, bytes) = match Credential::parse(token) {
            Ok(parsed) => (parsed.key_id, parsed.bytes()),
            Err(Malformed::NotOurs) => (BOOTSTRAP, token.as_bytes()),
            Err(_) => return Err(self.refuse(address, "malformed", None)),
        };
        let hash = self.secret_hash(bytes).map_err(|e| AuthError::Unavailable(e.to_string()))?;
        let now_ms = self.io.wall_ms();
        match self.state.authenticate(key_id, &hash, address, now_ms) {
            Ok(viewer) => {
                self.state.touch(key_id, now_ms);
                Ok((viewer, key_id.to_owned(), hash))
            }
            Err(refused) => {
                Err(self.refuse(address, refused.name(), self.state.key(key_id).map(|key| key.key_id)))
            }
        }
    }

    fn refuse(&self, address: Option<IpAddr>, reason: &'static str, key_id: Option<String>) -> AuthError {
        let address = address.map_or_else(|| "unknown".to_owned(), |address| address.to_string());
        self.note_failed_login(&address, reason, key_id.as_deref());
        AuthError::Refused(reason)
    }

    fn secret_hash(&self, bytes: &[u8]) -> Result<SecretHash, Error> {
        Ok(SecretHash::new(self.credentials_key()?.tag("secret", bytes)))
    }

    /// What secrets of keys and names of sessions are hashed with.
    pub(crate) fn credentials_key(&self) -> Result<&ledger::Secret, Error> {
        if let Some(key) = self.credentials.get() {
            return Ok(key);
        }
        // The system's ledger holds the key, so that it survives a change of the key-encryption key.
        let key = self.create(SYSTEM)?.view_key("credentials");
        Ok(self.credentials.get_or_init(|| key))
    }

    /// Makes sure that there is an administrator: with the token given, or, if there is none at all, with a new one,
    /// which is returned to be shown once.
    pub fn bootstrap(&self, given: Option<&str>) -> Result<Option<String>, StartError> {
        let failed = |e: String| {
            StartError::new(format!("the administrator's key can't be recorded: {e}"), "see the cause")
        };
        let viewer = Viewer::command("first start");
        let admin = NewKey {
            name: "first administrator".into(),
            organisation: Reach::All,
            role: Role::Admin,
            scopes: None,
            user: None,
            expires_ms: None,
            ip_allow: AllowList::default(),
        };
        let Some(token) = given else {
            let keys = self.state.keys(None).map_err(|e| failed(e.to_string()))?;
            let now_ms = self.io.wall_ms();
            let works = |key: &ApiKey| {
                key.role == Role::Admin
                    && key.organisation == Reach::All
                    && key.scopes.is_none()
                    && self.state.viewer_of_key(key, now_ms).is_ok()
            };
            if keys.iter().any(works) {
                return Ok(None);
            }
            let (_, secret) = self.create_key(&viewer, admin).map_err(|e| failed(e.to_string()))?;
            return Ok(Some(secret));
        };
        if token.starts_with("ind_") {
            return Err(StartError::new(
                "the bootstrap token looks like one of our keys",
                "give another one: at least 32 random characters that do not begin with ind_",
            ));
        }
        let current = self.secret_hash(token.as_bytes()).map_err(|e| failed(e.to_string()))?;
        let hashes = KeyHashes { current, old: None };
        let before = self.state.key(BOOTSTRAP);
        let change = match (&before, self.state.key_hashes(BOOTSTRAP)) {
            (Some(key), _) if key.revoked_ms.is_some() => {
                return Err(StartError::new(
                    "the bootstrap key was revoked, for good",
                    "do not give INDELIBLE_BOOTSTRAP_TOKEN any more; `indelible keys create` makes another key",
                ));
            }
            (Some(_), Some(known)) if known == hashes => return Ok(None),
            (Some(key), _) => {
                Change::KeyRotated { before: Box::new(key.clone()), after: Box::new(key.clone()), hashes }
            }
            (None, _) => Change::KeyCreated {
                after: Box::new(self.key_record(&viewer, BOOTSTRAP.into(), BOOTSTRAP.into(), admin)),
                hashes,
            },
        };
        self.change(&viewer, change).map_err(|e| failed(e.to_string()))?;
        Ok(None)
    }

    fn key_record(&self, viewer: &Viewer, key_id: String, prefix: String, new: NewKey) -> ApiKey {
        ApiKey {
            key_id,
            prefix,
            name: new.name,
            organisation: new.organisation,
            role: new.role,
            scopes: new.scopes,
            user: new.user,
            starts_ms: None,
            expires_ms: new.expires_ms,
            old_expires_ms: None,
            ip_allow: new.ip_allow,
            created_by: viewer.id.clone(),
            created_ms: self.io.wall_ms(),
            revoked_ms: None,
        }
    }

    /// Creates a key, and gives its secret, which nobody can see again.
    pub fn create_key(&self, viewer: &Viewer, new: NewKey) -> Result<(ApiKey, String), AskError> {
        self.may_change(viewer, Permission::ManageKeys, &new.organisation)?;
        let grant = Grant { organisation: new.organisation.clone(), role: new.role };
        viewer.may_hand_out(&grant, new.scopes.as_deref()).map_err(AskError::Denied)?;
        if let Some(user) = &new.user {
            self.state.user(user).ok_or_else(|| AskError::Wrong("user: there is no such user".into()))?;
        }
        if let Reach::One(name) = &new.organisation {
            self.existing(name)?;
        }
        let mut random = [0; Credential::RANDOM];
        self.io.random(&mut random);
        let credential = Credential::generate(Environment::Live, random);
        let key =
            self.key_record(viewer, credential.key_id().to_owned(), credential.prefix().to_owned(), new);
        let current = self.secret_hash(credential.bytes())?;
        let change =
            Change::KeyCreated { after: Box::new(key.clone()), hashes: KeyHashes { current, old: None } };
        self.change(viewer, change)?;
        Ok((key, credential.reveal()))
    }

    /// Gives a key a new secret. The old one works on for as long as `overlap` says.
    pub fn rotate_key(
        &self,
        viewer: &Viewer,
        key_id: &str,
        overlap: Option<Duration>,
    ) -> Result<(ApiKey, String), AskError> {
        let before = self.key_to_change(viewer, key_id)?;
        let mut random = [0; Credential::RANDOM_SECRET];
        self.io.random(&mut random);
        let credential = Credential::renew(Environment::Live, key_id, random)
            .ok_or_else(|| AskError::Wrong("this key has no secret of ours; create another".into()))?;
        let known = self.state.key_hashes(key_id).ok_or(AskError::NotFound)?;
        let overlap_ms = overlap.map(|overlap| u64::try_from(overlap.as_millis()).unwrap_or(u64::MAX));
        let old_expires_ms = overlap_ms.map(|ms| self.io.wall_ms().saturating_add(ms));
        let hashes = KeyHashes {
            current: self.secret_hash(credential.bytes())?,
            old: old_expires_ms.map(|_| known.current),
        };
        let after = ApiKey { old_expires_ms, ..before.clone() };
        let change = Change::KeyRotated { before: Box::new(before), after: Box::new(after.clone()), hashes };
        self.change(viewer, change)?;
        Ok((after, credential.reveal()))
    }

    /// Withdraws a key for good.
    pub fn revoke_key(&self, viewer: &Viewer, key_id: &str) -> Result<(), AskError> {
        let before = self.key_to_change(viewer, key_id)?;
        let revoked_ms = self.io.wall_ms();
        self.change(viewer, Change::KeyRevoked { before: Box::new(before), revoked_ms }).map(drop)
    }

    fn key_to_change(&self, viewer: &Viewer, key_id: &str) -> Result<ApiKey, AskError> {
        let key = self.state.key(key_id);
        // Somebody of another organisation gets the same answer as for a key that is not there.
        let reach = key.as_ref().map_or(Reach::All, |key| key.organisation.clone());
        match (self.may_change(viewer, Permission::ManageKeys, &reach), key) {
            (Err(AskError::Denied(_)), _)
                if viewer.organisations_for(Permission::ManageKeys)
                    != access::Organisations::These(Vec::new()) =>
            {
                Err(AskError::NotFound)
            }
            (Err(error), _) => Err(error),
            (Ok(()), None) => Err(AskError::NotFound),
            (Ok(()), Some(key)) if key.revoked_ms.is_some() => {
                Err(AskError::Wrong("this key was revoked, for good".into()))
            }
            (Ok(()), Some(key)) => Ok(key),
        }
    }

    /// The keys of an organisation, or those that hold everywhere for `*`, with when each was last used.
    pub fn keys(
        &self,
        viewer: &Viewer,
        organisation: &Reach,
    ) -> Result<Vec<(ApiKey, Option<u64>)>, AskError> {
        self.may_see(viewer, organisation, "keys")?;
        let keys = match organisation {
            Reach::All => self.state.keys(None),
            Reach::One(name) => self.state.keys(Some(name)),
        };
        let used = |key: ApiKey| {
            let used_ms = self.state.last_used(&key.key_id);
            (key, used_ms)
        };
        Ok(keys.map_err(no_state)?.into_iter().map(used).collect())
    }

    /// The users and their roles. Asked of the whole product: users belong to no one organisation.
    pub fn users(&self, viewer: &Viewer) -> Result<Vec<(User, Vec<RoleGrant>)>, AskError> {
        self.may_see(viewer, &Reach::All, "users")?;
        let users = self.state.users().map_err(no_state)?;
        let roles = |user: User| {
            let roles = self.state.grants_of(&user.id);
            (user, roles)
        };
        Ok(users.into_iter().map(roles).collect())
    }

    /// Creates a user.
    pub fn create_user(&self, viewer: &Viewer, user: User) -> Result<User, AskError> {
        self.may_change(viewer, Permission::ManageUsers, &Reach::All)?;
        let known = self.state.users().map_err(no_state)?;
        if known.iter().any(|other| query::fold(&other.id) == query::fold(&user.id)) {
            return Err(AskError::Wrong("id: there is a user of this id".into()));
        }
        let user = User { created_ms: self.io.wall_ms(), disabled: false, ..user };
        self.change(viewer, Change::UserCreated { after: user.clone() })?;
        Ok(user)
    }

    /// Changes a user's name, address, or whether they are let in.
    pub fn update_user(
        &self,
        viewer: &Viewer,
        id: &str,
        update: impl FnOnce(&mut User),
    ) -> Result<User, AskError> {
        self.may_change(viewer, Permission::ManageUsers, &Reach::All)?;
        let before = self.state.user(id).ok_or(AskError::NotFound)?;
        let mut after = before.clone();
        update(&mut after);
        let after = User { id: before.id.clone(), created_ms: before.created_ms, ..after };
        self.change(viewer, Change::UserUpdated { before, after: after.clone() })?;
        Ok(after)
    }

    /// Deletes a user, with their roles and keys.
    pub fn delete_user(&self, viewer: &Viewer, id: &str) -> Result<(), AskError> {
        self.may_change(viewer, Permission::ManageUsers, &Reach::All)?;
        let before = self.state.user(id).ok_or(AskError::NotFound)?;
        for change in self.state.revocations_for(id, self.io.wall_ms()).map_err(no_state)? {
            self.change(viewer, change)?;
        }
        self.change(viewer, Change::UserDeleted { before }).map(drop)
    }

    /// Gives a user a role.
    pub fn grant_role(&self, viewer: &Viewer, after: RoleGrant) -> Result<(), AskError> {
        self.may_change(viewer, Permission::ManageUsers, &after.organisation)?;
        let grant = Grant { organisation: after.organisation.clone(), role: after.role };
        viewer.may_hand_out(&grant, None).map_err(AskError::Denied)?;
        self.state.user(&after.user).ok_or(AskError::NotFound)?;
        if let Reach::One(name) = &after.organisation {
            self.existing(name)?;
        }
        self.change(viewer, Change::RoleGranted { after }).map(drop)
    }

    /// Takes a role from a user.
    pub fn revoke_role(&self, viewer: &Viewer, before: RoleGrant) -> Result<(), AskError> {
        self.may_change(viewer, Permission::ManageUsers, &before.organisation)?;
        let has = self.state.grants_of(&before.user);
        match has.contains(&before) {
            true => self.change(viewer, Change::RoleRevoked { before }).map(drop),
            false => Err(AskError::NotFound),
        }
    }

    /// Says in the system's ledger which configuration is in force from here on: the settings that somebody set, with no
    /// secret among them, and a hash of all of them by which two starts are compared.
    pub fn note_config(&self, hash: &str, settings: Value<'static>) -> Result<(), RecordError> {
        let attributes = vec![("hash", Value::from(hash.to_owned())), ("settings", settings)];
        let viewer = Viewer::command("serve");
        let value = self.own_event("config.in_force", "success", Some(&viewer), attributes);
        self.note(SYSTEM, value).map(drop)
    }

    /// The organisations that somebody may see anything of.
    pub fn organisations_of(&self, viewer: &Viewer) -> Result<Vec<Organisation>, AskError> {
        let mut seen = self.state.organisations();
        let readable = viewer.organisations_for(Permission::ReadEvents);
        let writable = viewer.organisations_for(Permission::RecordEvents);
        seen.retain(|organisation| {
            readable.contains(&organisation.id) || writable.contains(&organisation.id)
        });
        Ok(seen)
    }

    /// Creates an organisation: its ledger, and what people call it.
    pub fn create_organisation(
        &self,
        viewer: &Viewer,
        id: &str,
        name: &str,
    ) -> Result<Organisation, AskError> {
        self.may_change(viewer, Permission::ManageOrganisations, &Reach::All)?;
        check_organisation(id).map_err(AskError::Wrong)?;
        if id == SYSTEM || self.state.organisation(id).is_some() {
            return Err(AskError::Wrong("id: there is an organisation of this id".into()));
        }
        no_secret("id", id)?;
        no_secret("name", name)?;
        self.create(id)?;
        let before = self.state.organisation(id).ok_or(AskError::NotFound)?;
        let after = Organisation { name: name.to_owned(), ..before.clone() };
        if after != before {
            self.change(viewer, Change::OrganisationUpdated { before, after: after.clone() })?;
        }
        Ok(after)
    }

    /// Changes what people call an organisation.
    pub fn rename_organisation(
        &self,
        viewer: &Viewer,
        id: &str,
        name: &str,
    ) -> Result<Organisation, AskError> {
        self.may_change(viewer, Permission::ManageOrganisations, &Reach::All)?;
        let before = self.state.organisation(id).filter(|found| !found.deleted).ok_or(AskError::NotFound)?;
        let after = Organisation { name: name.to_owned(), ..before.clone() };
        self.change(viewer, Change::OrganisationUpdated { before, after: after.clone() })?;
        Ok(after)
    }

    /// Deletes an organisation: its keys and roles hold no more, and its ledger stays.
    pub fn delete_organisation(&self, viewer: &Viewer, id: &str) -> Result<(), AskError> {
        self.may_change(viewer, Permission::ManageOrganisations, &Reach::All)?;
        let before = self.state.organisation(id).filter(|found| !found.deleted).ok_or(AskError::NotFound)?;
        self.change(viewer, Change::OrganisationDeleted { before }).map(drop)
    }

    /// The saved views that somebody sees in an organisation.
    pub fn views(&self, viewer: &Viewer, organisation: &str) -> Result<Vec<View>, AskError> {
        self.admit(
            viewer,
            &Asked { kind: "audit.read", permission: Permission::ReadEvents, organisation, text: "views" },
        )?;
        self.state.views(owner(viewer), organisation).map_err(no_state)
    }

    /// Saves a view of one's own; `id` of an earlier one to change it.
    pub fn save_view(
        &self,
        viewer: &Viewer,
        organisation: &str,
        id: Option<&str>,
        name: &str,
        filter: &str,
        shared: bool,
    ) -> Result<View, AskError> {
        let reach = Reach::One(organisation.to_owned());
        self.may_change(viewer, Permission::ManageViews, &reach)?;
        self.existing(organisation)?;
        let filter = query::Filter::parse(filter).map_err(|e| AskError::Wrong(format!("filter: {e}")))?;
        let before = match id {
            Some(id) => {
                let view = self.state.view(&reach, id).map_err(no_state)?;
                Some(view.filter(|view| view.owner == owner(viewer)).ok_or(AskError::NotFound)?)
            }
            None => None,
        };
        let mut random = [0; 8];
        self.io.random(&mut random);
        let fresh = || format!("view_{:016x}", u64::from_le_bytes(random));
        let after = View {
            id: before.as_ref().map_or_else(fresh, |view| view.id.clone()),
            owner: owner(viewer).to_owned(),
            organisation: reach,
            name: name.to_owned(),
            filter: filter.to_string(),
            shared,
        };
        self.change(viewer, Change::ViewSaved { before, after: after.clone() })?;
        Ok(after)
    }

    /// Deletes a view of one's own.
    pub fn delete_view(&self, viewer: &Viewer, organisation: &str, id: &str) -> Result<(), AskError> {
        let reach = Reach::One(organisation.to_owned());
        self.may_change(viewer, Permission::ManageViews, &reach)?;
        let view = self.state.view(&reach, id).map_err(no_state)?;
        let before = view.filter(|view| view.owner == owner(viewer)).ok_or(AskError::NotFound)?;
        self.change(viewer, Change::ViewDeleted { before }).map(drop)
    }

    fn existing(&self, organisation: &str) -> Result<(), AskError> {
        match self.state.organisation(organisation) {
            Some(found) if !found.deleted => Ok(()),
            _ => Err(AskError::Wrong("organisation: there is no such organisation; create it first".into())),
        }
    }

    fn may_see(&self, viewer: &Viewer, reach: &Reach, what: &str) -> Result<(), AskError> {
        let organisation = home(reach);
        self.create(SYSTEM)?;
        self.admit(
            viewer,
            &Asked { kind: "audit.read", permission: Permission::ReadState, organisation, text: what },
        )
        .map(drop)
    }

    /// Whether somebody may change something. The change itself is what is recorded, so only a refusal is recorded here.
    fn may_change(&self, viewer: &Viewer, permission: Permission, reach: &Reach) -> Result<(), AskError> {
        self.permit(viewer, permission, home(reach)).map(drop)
    }

    /// Records a change and folds it. When this returns, it holds, and everybody sees that it does.
    fn change(&self, viewer: &Viewer, change: Change) -> Result<Receipt, AskError> {
        change.check().map_err(|e| AskError::Wrong(e.to_string()))?;
        let mut value = change.to_event();
        for field in ["id", "name", "email", "filter"] {
            let text = value.pointer("/changes/after").and_then(|after| after.get(field)?.as_str());
            no_secret(field, text.unwrap_or_default())?;
        }
        let _one = self.changing.lock().expect("no panic while something is changed");
        if let Value::Object(members) = &mut value {
            members.insert("time", time::format_ms(self.io.wall_ms()));
            members.insert("actor", actor(viewer));
        }
        self.record_change(&change.ledger(), value).map_err(AskError::NotRecorded)
    }

    /// Records a `config.*` event of ours in a ledger, and folds what the ledger then holds. In order: what is folded later
    /// than its successor would be taken for folded already.
    pub(crate) fn record_change(&self, ledger: &str, value: Value<'static>) -> Result<Receipt, RecordError> {
        let busy = |e: String| RecordError::Busy { reason: e, retry_after_ms: 1000 };
        // Creating it records a change of its own, so not while the lock is held.
        self.create(ledger).map_err(|e| busy(e.to_string()))?;
        let mut marked = self.folding.lock().expect("no panic while something is folded");
        // Once for each ledger, and until the product is closed in order: the mark costs a sync.
        if !marked.contains_key(ledger) {
            self.state.mark_pending(ledger).map_err(|e| busy(e.to_string()))?;
            marked.insert(ledger.to_owned(), None);
        }
        let receipt = self.note(ledger, value)?;
        let from = marked.get(ledger).copied().flatten().unwrap_or(receipt.position);
        let folded = self.fold_from(ledger, from, receipt.position + 1);
        marked.insert(ledger.to_owned(), folded.as_ref().err().map(|_| from));
        match folded {
            Ok(()) => Ok(receipt),
            Err(error) => {
                // It is recorded and holds; the next change folds it too, or the next start.
                tracing::error!(ledger, %error, "a change could not be folded into the state view");
                Err(busy("the change is recorded; the state view can't be written now".into()))
            }
        }
    }

    /// Says that everything is folded, at the end.
    pub(crate) fn all_is_folded(&self) {
        for (ledger, unfolded) in self.folding.lock().expect("no panic while something is folded").drain() {
            if unfolded.is_some() {
                continue;
            }
            if let Err(error) = self.state.clear_pending(&ledger) {
                tracing::warn!(ledger, %error, "the next start looks at this ledger once more");
            }
        }
    }

    /// Folds what a crash left unfolded; everything if the state view is new.
    pub(crate) fn fold_what_is_missing(&self) -> Result<(), StartError> {
        let failed =
            |e: String| StartError::new(format!("the state view can't be made: {e}"), "see the cause");
        let is_new = self.state.folded(SYSTEM).map_err(|e| failed(e.to_string()))?.is_none();
        let names = match is_new {
            true => self.organisations(),
            false => self.state.pending().map_err(|e| failed(e.to_string()))?,
        };
        for (n, name) in names.iter().enumerate() {
            let ledger = match self.ledger(name) {
                Ok(ledger) => ledger,
                Err(Error::NotFound(_)) => continue,
                // Its administration is not known, so none of its keys works; the other ledgers are not held up.
                Err(error) => {
                    tracing::error!(organisation = name, %error, "a ledger can't be opened; what it says about keys and roles is not known");
                    continue;
                }
            };
            let from = match is_new {
                true => 0,
                false => self.state.folded(name).map_err(|e| failed(e.to_string()))?.unwrap_or(0),
            };
            if is_new && n % 100 == 0 {
                tracing::info!(done = n, of = names.len(), "making the state view from the ledgers");
            }
            self.fold_from(name, from, ledger.size()).map_err(|e| failed(e.to_string()))?;
            self.state.clear_pending(name).map_err(|e| failed(e.to_string()))?;
        }
        Ok(())
    }

    /// Folds the changes among the positions of a ledger.
    fn fold_from(&self, name: &str, from: u64, to: u64) -> Result<(), Error> {
        let ledger = self.ledger(name)?;
        let folding = |e: state::Error| Error::Io(e.to_string());
        let mut changes = Vec::new();
        let mut at = from;
        while at < to {
            let block = ledger.block_in_passing(at)?;
            let end = block.positions().end.min(to);
            for position in at..end {
                let record = block.unchecked(position)?;
                // What a sender says about our administration is only what a sender says.
                if record.kind().starts_with("config.") && record.sender_auth() == crate::record::AUTH_SELF {
                    let record = block.record(position)?;
                    changes.push((position, document(name, &record)?.into_owned()));
                }
            }
            at = end;
            if changes.len() >= FOLDED {
                self.state
                    .fold_many(name, changes.iter().map(|(at, event)| (*at, event)))
                    .map_err(folding)?;
                changes.clear();
            }
        }
        self.state.fold_many(name, changes.iter().map(|(at, event)| (*at, event))).map_err(folding)?;
        self.state.set_folded(name, to).map_err(folding)
    }
}

/// A name is kept as it is written and shown to many, so one with a secret in it is refused. Masked it would be another name
/// than the one that was given.
fn no_secret(field: &str, text: &str) -> Result<(), AskError> {
    match secret_in(text) {
        Some(rule) => Err(AskError::Wrong(format!(
            "{field}: this looks like a secret ({rule}); what is written here is kept and shown"
        ))),
        None => Ok(()),
    }
}

/// Whose views are whose.
fn owner(viewer: &Viewer) -> &str {
    viewer.user.as_deref().unwrap_or(&viewer.id)
}

/// The ledger that a change of this reach is recorded in.
pub(crate) fn home(reach: &Reach) -> &str {
    match reach {
        Reach::All => SYSTEM,
        Reach::One(name) => name,
    }
}

fn no_state(error: state::Error) -> AskError {
    AskError::Ledger(Error::Io(error.to_string()))
}
