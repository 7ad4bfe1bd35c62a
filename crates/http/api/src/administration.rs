//! The part of the table of routes by which the administration goes: keys, users, organisations, saved views, quarantine.

use access::Permission;
use axum::http::StatusCode;
use axum::routing::{MethodRouter, delete, get, patch, post};

use crate::door::Door;
use crate::routes::{Answer, Needs, ORGANISATION, Parameter, Route, Sent, TEXT, answer, parameter};
use crate::{keys, organisations, quarantine, users, views, whoami};

use std::sync::Arc;

const SMALL: &[u16] = &[400, 408, 413, 415];
const SMALL_BY_ID: &[u16] = &[400, 404, 408, 413, 415];

const fn id(about: &'static str) -> Parameter {
    parameter("id", "path", TEXT, about)
}

const ANYWHERE: Parameter = parameter(
    "organisation",
    "query",
    TEXT,
    "of which organisation, or `*` for what holds everywhere; as for events if it is not given",
);

const fn created(schema: &'static [(&'static str, &'static str)], about: &'static str) -> Answer {
    Answer { status: 201, media: schema, about }
}

const GONE: &[Answer] = &[Answer { status: 204, media: &[], about: "Done." }];

const KEY_SENT: Sent = Sent {
    media: &[("application/json", "NewKey")],
    about: "What the key is to be: at most 16 KiB.",
    example: r#"{"name":"gateway","organisation":"acme","role":"writer","ip_allow":["10.0.0.0/8"]}"#,
};
const ROTATE_SENT: Sent = Sent {
    media: &[(
        "application/json",
        r#"{"additionalProperties":false,"properties":{"overlap_seconds":{"default":0,"maximum":2592000,"minimum":0,"type":"integer"}},"type":"object"}"#,
    )],
    about: "For how long the secret before works on; it stops at once if nothing is sent.",
    example: r#"{"overlap_seconds":3600}"#,
};
const USER_SENT: Sent = Sent {
    media: &[("application/json", "NewUser")],
    about: "Who it is.",
    example: r#"{"id":"alice","name":"Alice","email":"alice@company.com"}"#,
};
const USER_CHANGED: Sent = Sent {
    media: &[("application/json", "UserChange")],
    about: "What changes; what is not there stays as it is.",
    example: r#"{"disabled":true}"#,
};
const ROLE_SENT: Sent = Sent {
    media: &[("application/json", "Role")],
    about: "Which role, and where.",
    example: r#"{"organisation":"acme","role":"auditor"}"#,
};
const ORGANISATION_SENT: Sent = Sent {
    media: &[("application/json", "NewOrganisation")],
    about: "Which one it is.",
    example: r#"{"id":"acme","name":"Acme Ltd"}"#,
};
const NAME_SENT: Sent = Sent {
    media: &[(
        "application/json",
        r#"{"additionalProperties":false,"properties":{"name":{"maxLength":256,"type":"string"}},"required":["name"],"type":"object"}"#,
    )],
    about: "What people call it.",
    example: r#"{"name":"Acme Limited"}"#,
};
const VIEW_SENT: Sent = Sent {
    media: &[("application/json", "NewView")],
    about: "The filter and its name; with `id`, what an earlier one is to become.",
    example: r#"{"name":"failed log-ins","filter":"type:auth.* status:failed","shared":true}"#,
};
const MENDED_SENT: Sent = Sent {
    media: &[("application/json", "Event")],
    about: "The event as it should have been: at most 256 KiB.",
    example: r#"{"type":"auth.login","status":"failed","source_id":"7f3c"}"#,
};

/// A route of it, with what most of them have.
const fn route(
    (method, path): (&'static str, &'static str),
    id: &'static str,
    tag: &'static str,
    needs: Needs,
    about: &'static str,
    handler: fn() -> MethodRouter<Arc<Door>>,
) -> Route {
    Route {
        method,
        path,
        id,
        tag,
        needs,
        about,
        parameters: &[],
        sent: None,
        answers: GONE,
        problems: &[400],
        too_often: StatusCode::TOO_MANY_REQUESTS,
        handler,
    }
}

use Needs::{Everywhere, Key, May};
use Permission::{
    ManageKeys, ManageOrganisations, ManageUsers, ManageViews, Quarantine, ReadEvents, ReadQuarantine,
    ReadState,
};

/// Every route of the administration.
pub(crate) const ADMINISTRATION: &[Route] = &[
    Route {
        answers: &[answer(&[("application/json", "Whoami")], "Its roles, scopes and permissions.")],
        ..route(
            ("GET", "/v1/whoami"),
            "whoami",
            "access",
            Key,
            "who this key is, and what it may where",
            || get(whoami::whoami),
        )
    },
    Route {
        parameters: &[ANYWHERE],
        answers: &[answer(&[("application/json", "Keys")], "The keys, never their secrets.")],
        problems: &[400, 404],
        ..route(
            ("GET", "/v1/keys"),
            "listKeys",
            "access",
            May(ReadState),
            "the keys of an organisation",
            || get(keys::list),
        )
    },
    Route {
        sent: Some(&KEY_SENT),
        answers: &[created(
            &[("application/json", "SecretKey")],
            "The key, and its secret, which is never told again.",
        )],
        problems: SMALL,
        ..route(("POST", "/v1/keys"), "createKey", "access", May(ManageKeys), "creates a key", || {
            post(keys::create)
        })
    },
    Route {
        parameters: &[id("the key's id")],
        sent: Some(&ROTATE_SENT),
        answers: &[answer(
            &[("application/json", "SecretKey")],
            "The key, and its new secret, which is never told again.",
        )],
        problems: SMALL_BY_ID,
        ..route(
            ("POST", "/v1/keys/{id}/rotate"),
            "rotateKey",
            "access",
            May(ManageKeys),
            "gives a key a new secret",
            || post(keys::rotate),
        )
    },
    Route {
        parameters: &[id("the key's id")],
        problems: &[400, 404],
        ..route(
            ("DELETE", "/v1/keys/{id}"),
            "revokeKey",
            "access",
            May(ManageKeys),
            "withdraws a key, for good",
            || delete(keys::revoke),
        )
    },
    Route {
        answers: &[answer(&[("application/json", "Users")], "The users and their roles.")],
        ..route(("GET", "/v1/users"), "listUsers", "access", Everywhere(ReadState), "the users", || {
            get(users::list)
        })
    },
    Route {
        sent: Some(&USER_SENT),
        answers: &[created(&[("application/json", "User")], "The user.")],
        problems: SMALL,
        ..route(
            ("POST", "/v1/users"),
            "createUser",
            "access",
            Everywhere(ManageUsers),
            "creates a user",
            || post(users::create),
        )
    },
    Route {
        parameters: &[id("the user's id")],
        sent: Some(&USER_CHANGED),
        answers: &[answer(&[("application/json", "User")], "The user as it is now.")],
        problems: SMALL_BY_ID,
        ..route(
            ("PATCH", "/v1/users/{id}"),
            "updateUser",
            "access",
            Everywhere(ManageUsers),
            "changes a user, or keeps one out",
            || patch(users::update),
        )
    },
    Route {
        parameters: &[id("the user's id")],
        problems: &[400, 404],
        ..route(
            ("DELETE", "/v1/users/{id}"),
            "deleteUser",
            "access",
            Everywhere(ManageUsers),
            "deletes a user, with their roles and keys",
            || delete(users::delete),
        )
    },
    Route {
        parameters: &[id("the user's id")],
        sent: Some(&ROLE_SENT),
        answers: &[created(&[("application/json", "RoleGrant")], "The role.")],
        problems: SMALL_BY_ID,
        ..route(
            ("POST", "/v1/users/{id}/roles"),
            "grantRole",
            "access",
            May(ManageUsers),
            "gives a user a role in an organisation, or everywhere",
            || post(users::grant),
        )
    },
    Route {
        parameters: &[
            id("the user's id"),
            ANYWHERE,
            parameter(
                "role",
                "query",
                r#"{"enum":["admin","member","viewer","auditor","writer","operator"],"type":"string"}"#,
                "which role",
            ),
        ],
        problems: &[400, 404],
        ..route(
            ("DELETE", "/v1/users/{id}/roles"),
            "revokeRole",
            "access",
            May(ManageUsers),
            "takes a role from a user",
            || delete(users::revoke),
        )
    },
    Route {
        answers: &[answer(
            &[("application/json", "Organisations")],
            "Those of which the key may read or record events.",
        )],
        ..route(("GET", "/v1/organisations"), "listOrganisations", "access", Key, "the organisations", || {
            get(organisations::list)
        })
    },
    Route {
        sent: Some(&ORGANISATION_SENT),
        answers: &[created(
            &[("application/json", "Organisation")],
            "The organisation; it has a ledger now.",
        )],
        problems: SMALL,
        ..route(
            ("POST", "/v1/organisations"),
            "createOrganisation",
            "access",
            Everywhere(ManageOrganisations),
            "creates an organisation",
            || post(organisations::create),
        )
    },
    Route {
        parameters: &[id("the organisation's id")],
        sent: Some(&NAME_SENT),
        answers: &[answer(&[("application/json", "Organisation")], "The organisation as it is now.")],
        problems: SMALL_BY_ID,
        ..route(
            ("PATCH", "/v1/organisations/{id}"),
            "renameOrganisation",
            "access",
            Everywhere(ManageOrganisations),
            "changes what people call an organisation",
            || patch(organisations::rename),
        )
    },
    Route {
        parameters: &[id("the organisation's id")],
        problems: &[400, 404],
        ..route(
            ("DELETE", "/v1/organisations/{id}"),
            "deleteOrganisation",
            "access",
            Everywhere(ManageOrganisations),
            "deletes an organisation: its keys and roles hold no more, its ledger stays",
            || delete(organisations::delete),
        )
    },
    Route {
        parameters: &[ORGANISATION],
        answers: &[answer(&[("application/json", "Views")], "One's own, and those that others share.")],
        problems: &[400, 404],
        ..route(
            ("GET", "/v1/views"),
            "listViews",
            "views",
            May(ReadEvents),
            "the saved views of an organisation",
            || get(views::list),
        )
    },
    Route {
        parameters: &[ORGANISATION],
        sent: Some(&VIEW_SENT),
        answers: &[
            created(&[("application/json", "View")], "The new view."),
            answer(&[("application/json", "View")], "The view that was changed."),
        ],
        problems: SMALL_BY_ID,
        ..route(
            ("POST", "/v1/views"),
            "saveView",
            "views",
            May(ManageViews),
            "saves a view of one's own",
            || post(views::save),
        )
    },
    Route {
        parameters: &[id("the view's id"), ORGANISATION],
        problems: &[400, 404],
        ..route(
            ("DELETE", "/v1/views/{id}"),
            "deleteView",
            "views",
            May(ManageViews),
            "deletes a view of one's own",
            || delete(views::delete),
        )
    },
    Route {
        parameters: &[
            ORGANISATION,
            parameter(
                "limit",
                "query",
                r#"{"default":100,"maximum":1000,"minimum":1,"type":"integer"}"#,
                "entries of the answer",
            ),
        ],
        answers: &[answer(
            &[("application/json", "Quarantine")],
            "The entries, newest first, without bodies.",
        )],
        problems: &[400, 404],
        ..route(
            ("GET", "/v1/quarantine"),
            "listQuarantine",
            "quarantine",
            May(ReadQuarantine),
            "what was refused",
            || get(quarantine::list),
        )
    },
    Route {
        parameters: &[id("the entry's id"), ORGANISATION],
        answers: &[answer(
            &[("application/json", "Quarantined")],
            "The entry, with its body as far as it is kept.",
        )],
        problems: &[400, 404],
        ..route(
            ("GET", "/v1/quarantine/{id}"),
            "getQuarantined",
            "quarantine",
            May(ReadQuarantine),
            "one refused event",
            || get(quarantine::one),
        )
    },
    Route {
        parameters: &[id("the entry's id"), ORGANISATION],
        sent: Some(&MENDED_SENT),
        answers: &[answer(&[("application/json", "Recorded")], "It is recorded, and no entry any more.")],
        problems: &[400, 404, 408, 409, 413, 415],
        ..route(
            ("POST", "/v1/quarantine/{id}/resend"),
            "resendQuarantined",
            "quarantine",
            May(Quarantine),
            "records what a refused event should have been",
            || post(quarantine::resend),
        )
    },
    Route {
        parameters: &[id("the entry's id"), ORGANISATION],
        problems: &[400, 404],
        ..route(
            ("DELETE", "/v1/quarantine/{id}"),
            "discardQuarantined",
            "quarantine",
            May(Quarantine),
            "throws an entry away",
            || delete(quarantine::discard),
        )
    },
];
