//! What an API key may do of what its role may.

use crate::rights::Permission;

/// A part of what a role may do. A key with scopes may do what its role *and* one of its scopes allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Everything the role may.
    Admin,
    /// Record events.
    EventsWrite,
    /// Read and follow events, without captured text.
    EventsRead,
    /// Export events.
    EventsExport,
    /// See and search captured text.
    ContentRead,
    /// Proofs, checkpoints, verification.
    ProofsRead,
    /// Run reports.
    ReportsRun,
    /// See users, keys, organisations, settings.
    StateRead,
    /// Manage API keys.
    KeysWrite,
    /// Manage users and their roles.
    UsersWrite,
    /// Manage organisations.
    OrganisationsWrite,
    /// Save views.
    ViewsWrite,
    /// Change settings.
    SettingsWrite,
    /// See the quarantine.
    QuarantineRead,
    /// Mend the quarantine.
    QuarantineWrite,
    /// Health and metrics.
    HealthRead,
}

impl Scope {
    /// Every scope there is, in the order of the documentation.
    pub const ALL: [Scope; 16] = [
        Scope::Admin,
        Scope::EventsWrite,
        Scope::EventsRead,
        Scope::EventsExport,
        Scope::ContentRead,
        Scope::ProofsRead,
        Scope::ReportsRun,
        Scope::StateRead,
        Scope::KeysWrite,
        Scope::UsersWrite,
        Scope::OrganisationsWrite,
        Scope::ViewsWrite,
        Scope::SettingsWrite,
        Scope::QuarantineRead,
        Scope::QuarantineWrite,
        Scope::HealthRead,
    ];

    /// Its name in requests and events: what it is about, a colon, and what may be done.
    pub fn name(self) -> &'static str {
        match self {
            Scope::Admin => "admin",
            Scope::EventsWrite => "events:write",
            Scope::EventsRead => "events:read",
            Scope::EventsExport => "events:export",
            Scope::ContentRead => "content:read",
            Scope::ProofsRead => "proofs:read",
            Scope::ReportsRun => "reports:run",
            Scope::StateRead => "state:read",
            Scope::KeysWrite => "keys:write",
            Scope::UsersWrite => "users:write",
            Scope::OrganisationsWrite => "organisations:write",
            Scope::ViewsWrite => "views:write",
            Scope::SettingsWrite => "settings:write",
            Scope::QuarantineRead => "quarantine:read",
            Scope::QuarantineWrite => "quarantine:write",
            Scope::HealthRead => "health:read",
        }
    }

    /// The scope of that name.
    pub fn named(name: &str) -> Option<Scope> {
        Scope::ALL.into_iter().find(|scope| scope.name() == name)
    }

    /// What it lets through.
    pub fn permissions(self) -> &'static [Permission] {
        use Permission::*;
        match self {
            Scope::Admin => &Permission::ALL,
            Scope::EventsWrite => &[RecordEvents],
            Scope::EventsRead => &[ReadEvents, Tail],
            Scope::EventsExport => &[Export],
            Scope::ContentRead => &[ReadContent, FindText],
            Scope::ProofsRead => &[Proofs],
            Scope::ReportsRun => &[Reports],
            Scope::StateRead => &[ReadState],
            Scope::KeysWrite => &[ManageKeys],
            Scope::UsersWrite => &[ManageUsers],
            Scope::OrganisationsWrite => &[ManageOrganisations],
            Scope::ViewsWrite => &[ManageViews],
            Scope::SettingsWrite => &[ManageSettings],
            Scope::QuarantineRead => &[ReadQuarantine],
            Scope::QuarantineWrite => &[ReadQuarantine, Quarantine],
            Scope::HealthRead => &[Health],
        }
    }
}
