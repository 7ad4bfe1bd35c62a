//! Others' ways of asking, as rows of the table of routes.

use access::Permission;
use axum::http::StatusCode;
use axum::routing::{get, post};

use crate::routes::{Needs, ORGANISATION, Parameter, Route, Sent, TEXT, answer, parameter};
use crate::{compat_bifrost, compat_litellm};

const INCLUDE: Parameter = parameter(
    "include",
    "query",
    r#"{"default":"audit","enum":["audit","all"],"type":"string"}"#,
    "`all`: also calls of models and tools, errors, and what Indelible records about itself",
);
const LITELLM_ID: Parameter = parameter("id", "path", TEXT, "`id` of a row, or our id of the event");

pub(crate) const COMPAT: &[Route] = &[
    Route {
        method: "GET",
        path: "/audit",
        id: "litellmAudit",
        tag: "litellm",
        needs: Needs::May(Permission::ReadEvents),
        about: "a page of events as rows of LiteLLM's audit log",
        parameters: &[
            parameter("page", "query", r#"{"default":1,"minimum":1,"type":"integer"}"#, "number of the page"),
            parameter(
                "page_size",
                "query",
                r#"{"default":10,"maximum":100,"minimum":1,"type":"integer"}"#,
                "rows of a page",
            ),
            parameter("changed_by", "query", TEXT, "only what this user did"),
            parameter(
                "changed_by_api_key",
                "query",
                TEXT,
                "only what was done with the key that has this hash",
            ),
            parameter(
                "action",
                "query",
                TEXT,
                "only this action; `create` and `created`, `update` and `updated` and so on are one",
            ),
            parameter("table_name", "query", TEXT, "only rows of this table"),
            parameter("object_id", "query", TEXT, "only what was done to the thing with this id"),
            parameter("object_team_id", "query", TEXT, "part of `team_id` in the values before or after"),
            parameter("object_key_hash", "query", TEXT, "part of the hash of the key that was changed"),
            parameter("search", "query", TEXT, "`id`, `changed_by`, `object_id` or `changed_by_api_key`"),
            parameter("start_date", "query", TEXT, "not before this time or day"),
            parameter("end_date", "query", TEXT, "not after this time or day"),
            parameter(
                "sort_by",
                "query",
                r#"{"default":"updated_at","enum":["id","updated_at","changed_by","changed_by_api_key","action","table_name","object_id"],"type":"string"}"#,
                "column by which rows are sorted; of other columns than `updated_at` at most 10 000 rows are",
            ),
            parameter(
                "sort_order",
                "query",
                r#"{"default":"desc","enum":["asc","desc"],"type":"string"}"#,
                "in which direction",
            ),
            INCLUDE,
            ORGANISATION,
        ],
        sent: None,
        answers: &[answer(&[("application/json", "LitellmPage")], "A page; one past the end is empty.")],
        problems: &[422],
        too_often: StatusCode::TOO_MANY_REQUESTS,
        handler: || get(compat_litellm::list),
    },
    Route {
        method: "GET",
        path: "/audit/{id}",
        id: "litellmAuditRow",
        tag: "litellm",
        needs: Needs::May(Permission::ReadEvents),
        about: "an event as a row of LiteLLM's audit log",
        parameters: &[LITELLM_ID, ORGANISATION],
        sent: None,
        answers: &[answer(&[("application/json", "LitellmRow")], "The row.")],
        problems: &[404, 422],
        too_often: StatusCode::TOO_MANY_REQUESTS,
        handler: || get(compat_litellm::one),
    },
    bifrost("/api/audit-logs", "bifrostEvents", LIST),
    bifrost("/api/enterprise/audit-logs", "bifrostEnterpriseEvents", LIST),
    bifrost("/api/audit-logs/query", "bifrostQuery", QUERY),
    bifrost("/api/enterprise/audit-logs/query", "bifrostEnterpriseQuery", QUERY),
    bifrost("/api/audit-logs/reports", "bifrostReports", REPORTS),
    bifrost("/api/enterprise/audit-logs/reports", "bifrostEnterpriseReports", REPORTS),
    bifrost("/api/audit-logs/filterdata", "bifrostValues", VALUES),
    bifrost("/api/enterprise/audit-logs/filterdata", "bifrostEnterpriseValues", VALUES),
    bifrost("/api/audit-logs/export", "bifrostExport", EXPORT),
    bifrost("/api/enterprise/audit-logs/export", "bifrostEnterpriseExport", EXPORT),
    bifrost("/api/audit-logs/{id}", "bifrostEvent", ONE),
    bifrost("/api/enterprise/audit-logs/{id}", "bifrostEnterpriseEvent", ONE),
    bifrost("/api/audit-logs/{id}/verify", "bifrostVerify", VERIFY),
    bifrost("/api/enterprise/audit-logs/{id}/verify", "bifrostEnterpriseVerify", VERIFY),
];

/// What Bifrost has under two paths.
const fn bifrost(path: &'static str, id: &'static str, route: Route) -> Route {
    Route { path, id, tag: "bifrost", ..route }
}

const START: Parameter = parameter("start_date", "query", TEXT, "not before this time or day");
const END: Parameter = parameter("end_date", "query", TEXT, "not after this time, or the end of this day");
const ACTION: Parameter = parameter(
    "action",
    "query",
    TEXT,
    "only this action, such as `access_denied`; with `profile=cadf` one of CADF's",
);
const EVENT_TYPE: Parameter = parameter(
    "event_type",
    "query",
    TEXT,
    "only what is about this, such as `authentication`; with `profile=cadf` `activity`, `monitor` or `control`",
);
const PROFILE: Parameter = parameter(
    "profile",
    "query",
    r#"{"enum":["seed","cadf"],"type":"string"}"#,
    "which contract: that of specification 002, or that of servers of today, which a parameter that only they have also chooses",
);
/// Those of today's servers, beside the dates, `action` and `event_type`.
const OUTCOME: Parameter =
    parameter("outcome", "query", TEXT, "only `success`, `failure`, `pending` or `unknown`");
const PERIOD: Parameter = parameter(
    "period",
    "query",
    r#"{"example":"24h","type":"string"}"#,
    "the last so many `m`, `h`, `d` or `w`",
);
const SEARCH: Parameter =
    parameter("search", "query", TEXT, "part of who, of what it was done to, of address or path");
const TAGS: Parameter = parameter("tags", "query", TEXT, "only with one of these tags: a JSON array");
const INITIATOR_ID: Parameter = parameter("initiator_id", "query", TEXT, "only what this one did");
const INITIATOR_TYPE: Parameter =
    parameter("initiator_type", "query", TEXT, "only what a `user`, an `api_key` or the `system` did");
const TARGET_ID: Parameter = parameter("target_id", "query", TEXT, "only what was done to this");
const TARGET_TYPE: Parameter = parameter("target_type", "query", TEXT, "only what was done to such a thing");
const METHOD: Parameter = parameter("request_method", "query", TEXT, "only requests with this method");
const PATH: Parameter = parameter("request_path", "query", TEXT, "only requests whose path begins so");
const IP: Parameter = parameter("request_ip", "query", TEXT, "only from this address or network");
const LIMIT: Parameter = parameter(
    "limit",
    "query",
    r#"{"default":100,"maximum":1000,"minimum":1,"type":"integer"}"#,
    "events of a page",
);
const PAGE: Parameter =
    parameter("page", "query", r#"{"default":1,"minimum":1,"type":"integer"}"#, "number of the page");
const ID: Parameter =
    parameter("id", "path", TEXT, "our id of an event, its position, or its sender's own id");

const LIST: Route = Route {
    method: "GET",
    path: "",
    id: "",
    tag: "",
    needs: Needs::May(Permission::ReadEvents),
    about: "a page of events, as specification 002 or servers of today show them",
    parameters: &[
        EVENT_TYPE,
        ACTION,
        START,
        END,
        LIMIT,
        PAGE,
        parameter("user_id", "query", TEXT, "only what this user did"),
        parameter("severity", "query", TEXT, "only this severity"),
        parameter("status", "query", TEXT, "only this status"),
        parameter(
            "resource_type",
            "query",
            TEXT,
            "only what was done to such a thing, such as `virtual_key`",
        ),
        parameter("ip_address", "query", TEXT, "only from this address or network; also `ip`"),
        parameter(
            "sort",
            "query",
            TEXT,
            "`timestamp`, or another member of a row by which at most 10 000 rows are sorted",
        ),
        parameter(
            "order",
            "query",
            r#"{"default":"desc","enum":["asc","desc"],"type":"string"}"#,
            "in which direction",
        ),
        parameter(
            "include_details",
            "query",
            r#"{"default":true,"type":"boolean"}"#,
            "whether rows have `details`",
        ),
        PROFILE,
        OUTCOME,
        PERIOD,
        SEARCH,
        TAGS,
        INITIATOR_ID,
        INITIATOR_TYPE,
        TARGET_ID,
        TARGET_TYPE,
        METHOD,
        PATH,
        IP,
        parameter("cursor", "query", TEXT, "`next_cursor` of the page before"),
        parameter(
            "sort_by",
            "query",
            TEXT,
            "`event_time`, or another by which at most 10 000 events are sorted",
        ),
        parameter(
            "sort_order",
            "query",
            r#"{"default":"desc","enum":["asc","desc"],"type":"string"}"#,
            "in which direction",
        ),
        INCLUDE,
        ORGANISATION,
    ],
    sent: None,
    answers: &[answer(
        &[(
            "application/json",
            r##"{"oneOf":[{"$ref":"#/components/schemas/BifrostPage"},{"$ref":"#/components/schemas/CadfPage"}]}"##,
        )],
        "A page; one past the end is empty.",
    )],
    problems: &[400, 404],
    too_often: StatusCode::TOO_MANY_REQUESTS,
    handler: || get(compat_bifrost::list),
};

const QUERY: Route = Route {
    method: "POST",
    about: "a page of events that a filter in the body holds for, as specification 002 shows them",
    parameters: &[ORGANISATION],
    sent: Some(&Sent {
        media: &[("application/json", r#"{"type":"object"}"#)],
        about: "Values of one list are alternatives; the lists are all met. Members that are not known are refused.",
        example: r#"{"filters":{"event_types":["authentication","authorization"],"date_range":{"start":"2024-01-01T00:00:00Z","end":"2024-01-31T23:59:59Z"},"actors":{"user_ids":["user-alice-001","user-bob-002"],"ip_addresses":["203.0.113.0/24"]},"status":["failed","blocked"],"severity":["medium","high","critical"]},"sort":{"field":"timestamp","order":"desc"},"limit":1000,"include_details":true}"#,
    }),
    answers: &[answer(
        &[("application/json", "BifrostPage")],
        "A page. `next_page` is a GET that asks for the next.",
    )],
    problems: &[400, 404, 408, 413, 415],
    handler: || post(compat_bifrost::query),
    ..LIST
};

const REPORTS: Route = Route {
    method: "POST",
    needs: Needs::Key,
    about: "reports, which can't be made yet",
    parameters: &[],
    answers: &[],
    problems: &[501],
    handler: || post(compat_bifrost::reports),
    ..LIST
};

const VALUES: Route = Route {
    about: "values that the newest 10 000 events have, for menus",
    parameters: &[
        parameter(
            "dimensions",
            "query",
            TEXT,
            "with commas between them: actions, outcomes, event_types, initiator_types, target_types, request_methods, \
             request_paths, request_ips, tags, initiators, targets; all if it is not given",
        ),
        parameter("q", "query", TEXT, "only values that hold this"),
        START,
        END,
        PERIOD,
        INCLUDE,
        ORGANISATION,
    ],
    answers: &[answer(&[("application/json", r#"{"type":"object"}"#)], "The values of each dimension.")],
    handler: || get(compat_bifrost::values),
    ..LIST
};

const EXPORT: Route = Route {
    needs: Needs::May(Permission::Export),
    about: "all events that fit, newest first, in the manner of CADF",
    parameters: &[
        parameter(
            "format",
            "query",
            r#"{"default":"json","enum":["json","jsonl","syslog"],"type":"string"}"#,
            "how they are written; any other word is the same as `json`",
        ),
        EVENT_TYPE,
        ACTION,
        OUTCOME,
        START,
        END,
        PERIOD,
        SEARCH,
        TAGS,
        INITIATOR_ID,
        INITIATOR_TYPE,
        TARGET_ID,
        TARGET_TYPE,
        METHOD,
        PATH,
        IP,
        INCLUDE,
        ORGANISATION,
    ],
    answers: &[answer(
        &[
            ("application/json", r##"{"items":{"$ref":"#/components/schemas/CadfEvent"},"type":"array"}"##),
            ("application/x-ndjson", r#"{"description":"one event a line","type":"string"}"#),
            ("text/plain", r#"{"description":"RFC 5424, one message a line","type":"string"}"#),
        ],
        "Written while it is read. An export that can't be finished breaks the connection off.",
    )],
    handler: || get(compat_bifrost::take_out),
    ..LIST
};

const ONE: Route = Route {
    about: "one event in the manner of CADF",
    parameters: &[ID, ORGANISATION],
    answers: &[answer(
        &[(
            "application/json",
            r##"{"properties":{"audit_log":{"$ref":"#/components/schemas/CadfEvent"}},"type":"object"}"##,
        )],
        "The event.",
    )],
    handler: || get(compat_bifrost::one),
    ..LIST
};

const VERIFY: Route = Route {
    needs: Needs::May(Permission::Proofs),
    about: "whether an event is what was recorded: its proof is made and checked",
    parameters: &[ID, ORGANISATION],
    answers: &[answer(&[("application/json", "CadfVerified")], "The verdict.")],
    handler: || get(compat_bifrost::verify),
    ..LIST
};
