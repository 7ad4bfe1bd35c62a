//! Who is asking, and whether they may.

use std::fmt;

use crate::granted::{Granted, Rows};
use crate::rights::{Permission, Role};
use crate::scope::Scope;

/// Where a role holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// In every organisation, and in the ledger `system`.
    All,
    /// In this organisation.
    One(String),
}

/// A role, and where it holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grant {
    /// Where.
    pub organisation: Reach,
    /// What.
    pub role: Role,
}

/// How somebody came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewerKind {
    /// With an API key.
    ApiKey,
    /// Signed in as a user.
    User,
    /// With the administrator's token of the first start.
    Bootstrap,
    /// On the command line, next to the data.
    Command,
}

/// Who is asking, with everything that decides what they may. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// Stable id: the key's, the user's, or the name of the kind.
    pub id: String,
    /// How they came in.
    pub kind: ViewerKind,
    /// Name for people.
    pub name: String,
    /// The user's address, as our own list of users has it.
    pub email: Option<String>,
    /// The user, or whom the key belongs to.
    pub user: Option<String>,
    /// Their roles.
    pub grants: Vec<Grant>,
    /// What the key may do of what its roles may; `None`: everything.
    pub scopes: Option<Vec<Scope>>,
    /// The key they came in with.
    pub key_id: Option<String>,
}

/// Organisations that something may be done in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Organisations {
    /// Every one, `system` included.
    All,
    /// These, in order of name; perhaps none.
    These(Vec<String>),
}

/// A permission that somebody does not have. The message says what would be needed; it is the same whether or not the
/// organisation exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denied {
    /// What was asked for.
    pub permission: Permission,
    /// Why not.
    pub reason: Reason,
}

/// Why a permission is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No role in this organisation has it.
    Role,
    /// A role has it, and the key's scopes leave it out.
    Scope,
    /// A role has it for own events, and the key belongs to no user.
    NoUser,
    /// It was to be handed to somebody else by one who does not have all of it.
    NotTheirs,
}

impl Reach {
    /// From its text: `*`, or the name of an organisation.
    pub fn parse(text: &str) -> Reach {
        match text {
            "*" => Reach::All,
            name => Reach::One(name.to_owned()),
        }
    }

    /// Its text: `*`, or the name of an organisation.
    pub fn as_str(&self) -> &str {
        match self {
            Reach::All => "*",
            Reach::One(name) => name,
        }
    }

    /// Whether this is within the reach.
    pub fn covers(&self, organisation: &str) -> bool {
        match self {
            Reach::All => true,
            Reach::One(name) => name == organisation,
        }
    }

    fn covers_reach(&self, other: &Reach) -> bool {
        match other {
            Reach::All => *self == Reach::All,
            Reach::One(name) => self.covers(name),
        }
    }
}

impl Viewer {
    /// The administrator's token of the first start: an admin everywhere.
    pub fn bootstrap() -> Viewer {
        Viewer::unlimited(ViewerKind::Bootstrap, "bootstrap", "administrator's token")
    }

    /// Somebody at the command line, next to the data, whom the operating system let in: an admin everywhere.
    pub fn command(name: &str) -> Viewer {
        Viewer::unlimited(ViewerKind::Command, "command", name)
    }

    fn unlimited(kind: ViewerKind, id: &str, name: &str) -> Viewer {
        Viewer {
            id: id.to_owned(),
            kind,
            name: name.to_owned(),
            email: None,
            user: None,
            grants: vec![Grant { organisation: Reach::All, role: Role::Admin }],
            scopes: None,
            key_id: None,
        }
    }

    /// Whether they may, in an organisation (or the ledger `system`), and what they are then shown.
    pub fn check(&self, permission: Permission, organisation: &str) -> Result<Granted, Denied> {
        let covers = |reach: &Reach| reach.covers(organisation);
        let rows = self.rows(permission, covers)?;
        // Captured text is shown, and searched, only where that is allowed for the same rows.
        let as_wide = |other: Permission| match self.rows(other, covers) {
            Ok(Rows::All) => Ok(()),
            Ok(Rows::Own { .. }) if rows != Rows::All => Ok(()),
            Ok(Rows::Own { .. }) => Err(Denied { permission: other, reason: Reason::Role }),
            Err(denied) => Err(denied),
        };
        let content = as_wide(Permission::ReadContent);
        let text = as_wide(Permission::FindText);
        Ok(Granted::new(rows, content, text))
    }

    /// Where they may. A key's scopes, and a member without a user, count as in [`Viewer::check`].
    pub fn organisations_for(&self, permission: Permission) -> Organisations {
        let mut names = Vec::new();
        for grant in &self.grants {
            let within = self.rows(permission, |reach| *reach == grant.organisation);
            match &grant.organisation {
                _ if within.is_err() => {}
                Reach::All => return Organisations::All,
                Reach::One(name) => names.push(name.clone()),
            }
        }
        names.sort();
        names.dedup();
        Organisations::These(names)
    }

    /// Whether they may give a role to a user (`scopes` is `None` then) or to a new key: nobody hands out more than they
    /// have. Ask beside [`Permission::ManageKeys`] or [`Permission::ManageUsers`], not instead.
    pub fn may_hand_out(&self, grant: &Grant, scopes: Option<&[Scope]>) -> Result<(), Denied> {
        let handed = |permission: &Permission| grant.role.may(*permission) && allow(scopes, *permission);
        for permission in Permission::ALL.into_iter().filter(handed) {
            let theirs = self.rows(permission, |reach| reach.covers_reach(&grant.organisation));
            // Own events are their own: not even another member's may be handed out.
            if theirs != Ok(Rows::All) {
                return Err(Denied { permission, reason: Reason::NotTheirs });
            }
        }
        Ok(())
    }

    fn rows(&self, permission: Permission, covers: impl Fn(&Reach) -> bool) -> Result<Rows, Denied> {
        let denied = |reason| Denied { permission, reason };
        let may = |grant: &&Grant| covers(&grant.organisation) && grant.role.may(permission);
        let mut roles = self.grants.iter().filter(may).map(|grant| grant.role).peekable();
        if roles.peek().is_none() {
            return Err(denied(Reason::Role));
        }
        if !allow(self.scopes.as_deref(), permission) {
            return Err(denied(Reason::Scope));
        }
        if roles.any(|role| !role.sees_own_only()) {
            return Ok(Rows::All);
        }
        let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        match (said(&self.user), said(&self.email)) {
            (None, None) => Err(denied(Reason::NoUser)),
            (user, email) => Ok(Rows::Own { user, email }),
        }
    }
}

fn allow(scopes: Option<&[Scope]>, permission: Permission) -> bool {
    scopes.is_none_or(|scopes| scopes.iter().any(|scope| scope.permissions().contains(&permission)))
}

impl Organisations {
    /// Whether this is one of them.
    pub fn contains(&self, organisation: &str) -> bool {
        match self {
            Organisations::All => true,
            Organisations::These(names) => names.iter().any(|name| name == organisation),
        }
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.permission.name();
        match self.reason {
            Reason::Role => {
                let roles: Vec<_> = self.permission.roles().iter().map(|role| role.name()).collect();
                write!(f, "to {what} here needs the role {}", either(&roles))
            }
            Reason::Scope => {
                let fits = |scope: &Scope| scope.permissions().contains(&self.permission);
                let scopes: Vec<_> = Scope::ALL.into_iter().filter(fits).map(Scope::name).collect();
                write!(f, "to {what} needs a key with the scope {}", either(&scopes))
            }
            Reason::NoUser => {
                write!(
                    f,
                    "to {what} as a member needs a key that belongs to a user, whose own events it then sees"
                )
            }
            Reason::NotTheirs => {
                write!(f, "nobody hands out more than they have, and this would let others {what}")
            }
        }
    }
}

impl std::error::Error for Denied {}

fn either(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [word] => (*word).to_owned(),
        [words @ .., last] => format!("{} or {last}", words.join(", ")),
    }
}

#[cfg(test)]
mod tests;
