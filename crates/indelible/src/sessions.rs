//! People who signed in on a page: a session instead of a key with every request.
//!
//! A session is the right to come back as whoever a key is, for a while. It holds the key's hash and not the key, and is
//! looked up like the key itself each time: a key that is revoked, rotated or expired ends it, and so do an address that
//! the key may not be used from and a user who is disabled. Of somebody who came by single sign-on it holds the user's id,
//! and their roles are looked up each time, too. Sessions are in memory only; a restart signs everybody out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard};

use access::{SecretHash, Viewer};
use event::Value;
use ledger::Error;

use crate::SYSTEM;
use crate::admin::AuthError;
use crate::organisations::Indelible;

/// How long a session lasts that nobody uses: an hour.
const IDLE_MS: u64 = 3600 * 1000;
/// How long a session lasts at most: a working day.
const MOST_MS: u64 = 12 * 3600 * 1000;
/// Sessions that there are at once. Beyond it the one that was used longest ago ends.
const SESSIONS: usize = 10_000;
/// Longest name of a session that is looked at.
const NAME: usize = 100;

/// Whoever has signed in.
#[derive(Clone, Debug)]
pub struct Session {
    /// With everything that decides what they may, as it is now.
    pub viewer: Viewer,
    /// Stands in every form of theirs, so that no other page can send one.
    pub form_token: String,
}

/// By the keyed hash of their names: whoever reads the memory can't come back as anybody.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<[u8; 32], Open>>);

struct Open {
    who: Who,
    began_ms: u64,
    used_ms: u64,
}

/// Who comes back with a session.
#[derive(Clone)]
pub(crate) enum Who {
    /// Whoever a key is.
    Key(String, SecretHash),
    /// One of our users.
    User(String),
}

impl Open {
    fn is_over(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.used_ms) >= IDLE_MS || now_ms.saturating_sub(self.began_ms) >= MOST_MS
    }
}

impl Sessions {
    fn open(&self) -> MutexGuard<'_, HashMap<[u8; 32], Open>> {
        self.0.lock().expect("no panic while it is held")
    }

    fn insert(&self, name: [u8; 32], session: Open) {
        let (mut open, now_ms) = (self.open(), session.began_ms);
        if open.len() >= SESSIONS {
            open.retain(|_, session| !session.is_over(now_ms));
        }
        if open.len() >= SESSIONS
            && let Some(oldest) = open.iter().min_by_key(|(_, open)| open.used_ms).map(|(name, _)| *name)
        {
            open.remove(&oldest);
        }
        open.insert(name, session);
    }

    /// Whose it is, if it is not over; `touch` says that it is being used.
    fn who(&self, name: &[u8; 32], now_ms: u64, touch: bool) -> Option<Who> {
        let mut open = self.open();
        let session = open.get_mut(name)?;
        if session.is_over(now_ms) {
            open.remove(name);
            return None;
        }
        if touch {
            session.used_ms = now_ms;
        }
        Some(session.who.clone())
    }
}

impl Indelible {
    /// Begins a session for whoever has this key, and gives its name, which is as good as the key for as long as it lasts.
    /// That it began is on record when this returns.
    pub fn sign_in(&self, token: &str, address: Option<IpAddr>) -> Result<String, AuthError> {
        let (viewer, key_id, hash) = self.authenticate_key(token, address)?;
        let how = ("key_id", key_id.clone());
        self.begin_session(&viewer, Who::Key(key_id, hash), how, address)
    }

    /// Begins a session, and gives its name. `how` is put on record.
    pub(crate) fn begin_session(
        &self,
        viewer: &Viewer,
        who: Who,
        how: (&'static str, String),
        address: Option<IpAddr>,
    ) -> Result<String, AuthError> {
        let name = self.random_name();
        let now_ms = self.io.monotonic_ms();
        self.note_session("auth.login", viewer, Some(how), address)?;
        self.sessions.insert(self.session_key(&name)?, Open { who, began_ms: now_ms, used_ms: now_ms });
        Ok(name)
    }

    /// Who has the session of this name, if it goes on; it was used now.
    pub fn session(&self, name: &str, address: Option<IpAddr>) -> Result<Session, AuthError> {
        let viewer = self.session_viewer(name, address, true)?;
        Ok(Session { viewer, form_token: self.form_token(name)? })
    }

    /// Whether the session of this name goes on. Asking does not keep it.
    pub fn session_lasts(&self, name: &str, address: Option<IpAddr>) -> bool {
        self.session_viewer(name, address, false).is_ok()
    }

    /// Ends a session; one that is over already stays so.
    pub fn sign_out(&self, name: &str, address: Option<IpAddr>) -> Result<(), AuthError> {
        let Ok(viewer) = self.session_viewer(name, address, false) else { return Ok(()) };
        let key = self.session_key(name)?;
        self.sessions.open().remove(&key);
        self.note_session("auth.logout", &viewer, None, address)
    }

    /// A name that nobody can guess: of a session, or of somebody who has none yet.
    pub fn random_name(&self) -> String {
        let mut random = [0; 32];
        self.io.random(&mut random);
        hex(&random)
    }

    /// A secret of whoever has this name, for one purpose: nobody else can make it, and it tells nothing of the name.
    pub fn secret_for(&self, purpose: &str, name: &str) -> Result<String, AuthError> {
        Ok(hex(&self.session_secret(|secret| secret.tag(purpose, name.as_bytes()))?))
    }

    /// What stands in the forms of whoever has this name.
    pub fn form_token(&self, name: &str) -> Result<String, AuthError> {
        self.secret_for("form", name)
    }

    /// Whether this stood in a form of whoever has the name.
    pub fn is_form_token(&self, name: &str, given: &str) -> bool {
        let Ok(token) = self.form_token(name) else { return false };
        let differ = token.bytes().zip(given.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b));
        token.len() == given.len() && differ == 0
    }

    fn session_viewer(&self, name: &str, address: Option<IpAddr>, touch: bool) -> Result<Viewer, AuthError> {
        if name.is_empty() || name.len() > NAME {
            return Err(AuthError::Refused("session"));
        }
        let key = self.session_key(name)?;
        let found = self.sessions.who(&key, self.io.monotonic_ms(), touch);
        let viewer = match found.ok_or(AuthError::Refused("session"))? {
            Who::Key(key_id, hash) => self.state.authenticate(&key_id, &hash, address, self.io.wall_ms()),
            Who::User(id) => self.state.viewer_of_user(&id),
        };
        viewer.map_err(|refused| {
            // From another address, which the key may not be used from, it is not the session's end.
            if refused != state::Refused::Address {
                self.sessions.open().remove(&key);
            }
            AuthError::Refused(refused.name())
        })
    }

    fn session_key(&self, name: &str) -> Result<[u8; 32], AuthError> {
        self.session_secret(|secret| secret.tag("session", name.as_bytes()))
    }

    fn session_secret(&self, tag: impl FnOnce(&ledger::Secret) -> [u8; 32]) -> Result<[u8; 32], AuthError> {
        let unavailable = |error: Error| AuthError::Unavailable(error.to_string());
        Ok(tag(self.credentials_key().map_err(unavailable)?))
    }

    fn note_session(
        &self,
        kind: &'static str,
        viewer: &Viewer,
        how: Option<(&'static str, String)>,
        address: Option<IpAddr>,
    ) -> Result<(), AuthError> {
        let mut attributes = vec![("door", Value::from("pages"))];
        if let Some((name, said)) = how {
            attributes.push((name, Value::from(said)));
        }
        if let Some(address) = address {
            attributes.push(("address", Value::from(address.to_string())));
        }
        let value = self.own_event(kind, "success", Some(viewer), attributes);
        let noted = self.note(SYSTEM, value).map(drop);
        noted.map_err(|error| AuthError::Unavailable(format!("{kind} could not be recorded: {error}")))
    }
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(now_ms: u64) -> Open {
        Open { who: Who::Key("k".into(), SecretHash::new([0; 32])), began_ms: now_ms, used_ms: now_ms }
    }

    #[test]
    fn sessions_end_when_nobody_uses_them_and_after_a_day() {
        let sessions = Sessions::default();
        sessions.insert([1; 32], session(0));
        assert!(sessions.who(&[1; 32], IDLE_MS - 1, false).is_some());
        assert!(sessions.who(&[1; 32], IDLE_MS, false).is_none(), "looking does not keep it");
        sessions.insert([2; 32], session(0));
        let mut now_ms = 0;
        while sessions.who(&[2; 32], now_ms, true).is_some() {
            now_ms += IDLE_MS / 2;
        }
        assert_eq!(now_ms, MOST_MS, "used all the time, it ends all the same");
        assert!(sessions.open().is_empty());
    }

    #[test]
    fn too_many_sessions_cost_the_one_used_longest_ago() {
        let sessions = Sessions::default();
        let name = |n: usize| {
            let mut name = [0; 32];
            name[..8].copy_from_slice(&n.to_be_bytes());
            name
        };
        (0..SESSIONS).for_each(|n| sessions.insert(name(n), session(n as u64)));
        assert!(sessions.who(&name(0), SESSIONS as u64, true).is_some());
        sessions.insert(name(SESSIONS), session(SESSIONS as u64));
        assert_eq!(sessions.open().len(), SESSIONS);
        assert!(sessions.who(&name(1), SESSIONS as u64, false).is_none());
        assert!(sessions.who(&name(0), SESSIONS as u64, false).is_some());
    }
}
