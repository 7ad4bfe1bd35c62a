//! The one table of rights: what can be asked for, and which role may.

/// Something that can be asked of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// Send events to be kept.
    RecordEvents,
    /// Find and read events, count them, see what is near them.
    ReadEvents,
    /// See captured text: the field `content` of an event.
    ReadContent,
    /// Search free text, or ask for a field of `content`. Whoever may search a text can learn what it says.
    FindText,
    /// Follow events as they are recorded.
    Tail,
    /// Take many events out at once.
    Export,
    /// Proofs, checkpoints and verification.
    Proofs,
    /// Run and read reports.
    Reports,
    /// See users, grants, API keys (never their secrets), organisations, settings and sources.
    ReadState,
    /// Create, rotate and revoke API keys.
    ManageKeys,
    /// Create, change and delete users; grant and revoke roles.
    ManageUsers,
    /// Create, change and delete organisations. Asked of the `system` ledger.
    ManageOrganisations,
    /// Save and delete views of one's own.
    ManageViews,
    /// Change settings, redaction, retention and sources.
    ManageSettings,
    /// See what was refused at the door and put aside.
    ReadQuarantine,
    /// Mend, resend and drop what was put aside.
    Quarantine,
    /// Health, metrics, lag of the views, state of the sinks. Nothing of any event.
    Health,
}

/// What somebody is, in one organisation or in all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// May do everything.
    Admin,
    /// Sees their own activity only.
    Member,
    /// Sees nothing of the audit log.
    Viewer,
    /// Sees everything and changes nothing.
    Auditor,
    /// Records events and sees none.
    Writer,
    /// Keeps the service running and sees no event.
    Operator,
}

use Role::{Admin, Auditor, Member, Operator, Writer};

/// One permission: its name, what it is for, and who has it.
struct Right(Permission, &'static str, &'static str, &'static [Role]);

/// Every permission, in the order of the enum. Nobody else decides about rights.
const RIGHTS: &[Right] = {
    use Permission::*;
    &[
        Right(RecordEvents, "record events", "send events to be kept", &[Admin, Writer]),
        Right(ReadEvents, "read events", "find, read and count events", &[Admin, Member, Auditor]),
        Right(
            ReadContent,
            "read captured text",
            "see the field `content` of an event",
            &[Admin, Member, Auditor],
        ),
        Right(
            FindText,
            "search text",
            "search free text, or ask for a field of `content`",
            &[Admin, Member, Auditor],
        ),
        Right(Tail, "follow events", "follow events as they are recorded", &[Admin, Member, Auditor]),
        Right(Export, "export events", "take many events out at once", &[Admin, Member, Auditor]),
        Right(Proofs, "read proofs", "proofs, checkpoints and verification", &[Admin, Member, Auditor]),
        Right(Reports, "run reports", "run and read reports", &[Admin, Auditor]),
        Right(
            ReadState,
            "see the administration",
            "see users, grants, keys (never their secrets), organisations, settings and sources",
            &[Admin, Auditor],
        ),
        Right(ManageKeys, "manage keys", "create, rotate and revoke API keys", &[Admin]),
        Right(
            ManageUsers,
            "manage users",
            "create, change and delete users; grant and revoke roles",
            &[Admin],
        ),
        Right(
            ManageOrganisations,
            "manage organisations",
            "create, change and delete organisations; asked of the `system` ledger",
            &[Admin],
        ),
        Right(ManageViews, "save views", "save and delete views of one's own", &[Admin, Member]),
        Right(ManageSettings, "change settings", "settings, redaction, retention and sources", &[Admin]),
        Right(ReadQuarantine, "see the quarantine", "see what was put aside at the door", &[Admin, Auditor]),
        Right(Quarantine, "mend the quarantine", "mend, resend and drop what was put aside", &[Admin]),
        Right(
            Health,
            "see health",
            "health, metrics, lag and sinks; nothing of any event",
            &[Admin, Auditor, Operator],
        ),
    ]
};

impl Permission {
    /// Every permission there is, in the order of the documentation.
    pub const ALL: [Permission; RIGHTS.len()] = {
        let mut all = [Permission::RecordEvents; RIGHTS.len()];
        let mut at = 0;
        while at < all.len() {
            all[at] = RIGHTS[at].0;
            // The table is indexed by the enum.
            assert!(all[at] as usize == at);
            at += 1;
        }
        all
    };

    /// Its name, as a thing that somebody does: `read events`.
    pub fn name(self) -> &'static str {
        RIGHTS[self as usize].1
    }

    /// What it is for.
    pub fn about(self) -> &'static str {
        RIGHTS[self as usize].2
    }

    /// The roles that have it.
    pub fn roles(self) -> &'static [Role] {
        RIGHTS[self as usize].3
    }
}

impl Role {
    /// Every role there is, in the order of the documentation.
    pub const ALL: [Role; 6] = [Admin, Member, Role::Viewer, Auditor, Writer, Operator];

    /// Its name in requests, events and settings.
    pub const fn name(self) -> &'static str {
        match self {
            Admin => "admin",
            Member => "member",
            Role::Viewer => "viewer",
            Auditor => "auditor",
            Writer => "writer",
            Operator => "operator",
        }
    }

    /// The role of that name.
    pub fn named(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.name() == name)
    }

    /// What it is for.
    pub const fn about(self) -> &'static str {
        match self {
            Admin => "may do everything",
            Member => "sees their own activity only: events whose actor they are",
            Role::Viewer => "may sign in, and sees nothing of the audit log",
            Auditor => "sees everything, proofs and reports included, and changes nothing",
            Writer => "records events, and sees none",
            Operator => "keeps the service running: health, metrics and sinks, and no event",
        }
    }

    /// Whether this role may, as far as rows and scopes allow.
    pub fn may(self, permission: Permission) -> bool {
        permission.roles().contains(&self)
    }

    /// Whether this role is shown only events whose actor is the viewer.
    pub fn sees_own_only(self) -> bool {
        self == Member
    }
}
