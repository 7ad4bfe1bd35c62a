//! The routes by which neighbours send: a part of the table of routes.

use access::Permission;
use axum::http::StatusCode;
use axum::routing::{get, options, post};

use crate::routes::{Answer, KEY, Needs, ORGANISATION, Parameter, Route, Sent, TEXT, answer, parameter};
use crate::{hec, litellm, mapping, record};

const HEC: &str = r#"{"properties":{"ackId":{"type":"integer"},"code":{"type":"integer"},"invalid-event-number":{"type":"integer"},"text":{"type":"string"}},"required":["text","code"],"type":"object"}"#;
const ACKS: &str = r#"{"properties":{"acks":{"additionalProperties":{"type":"boolean"},"type":"object"}},"required":["acks"],"type":"object"}"#;

const fn hec_says(status: u16, about: &'static str) -> Answer {
    Answer { status, media: &[("application/json", HEC)], about }
}

const HEC_TOKEN_REQUIRED: Answer = hec_says(401, "Code 2: no token. 3: an `Authorization` without one.");
const HEC_TOKEN_INVALID: Answer =
    hec_says(403, "Code 4: no key of ours, or one that does not work. 1: a key that may not record here.");
const HEC_BROKEN: Answer = hec_says(500, "Code 8: something broke.");
const HEC_BUSY: Answer = hec_says(503, "Code 9: not now; send it again after `Retry-After`.");

const HEC_COLLECTED: &[Answer] = &[
    hec_says(200, "Code 0: all of it is on the disk. `ackId` if there is a channel."),
    hec_says(
        400,
        "Codes 5, 6, 7, 11, 12, 13, 15, 16. `invalid-event-number` is the first that was refused; the others are recorded, \
         and known again if they are sent again.",
    ),
    HEC_TOKEN_REQUIRED,
    HEC_TOKEN_INVALID,
    hec_says(408, "Code 6: the body took too long."),
    hec_says(413, "Code 6: more than 32 MiB or 100 000 events; nothing was recorded."),
    hec_says(415, "Code 6: another encoding than gzip, zstd or deflate."),
    HEC_BROKEN,
    HEC_BUSY,
];
const HEC_ACKED: &[Answer] = &[
    answer(&[("application/json", ACKS)], "True for what is on the disk."),
    hec_says(400, "Codes 6, 10, 11, 16."),
    HEC_TOKEN_REQUIRED,
    HEC_TOKEN_INVALID,
    hec_says(408, "Code 6: the body took too long."),
    hec_says(413, "Code 6: more than 1 MiB."),
    hec_says(415, "Code 6: another encoding than gzip, zstd or deflate."),
    HEC_BROKEN,
    HEC_BUSY,
];
const HEC_HEALTH: &[Answer] = &[
    hec_says(200, "Code 17: events are taken."),
    hec_says(500, "Code 8: something broke."),
    hec_says(503, "Code 18: nothing can be recorded now. 23: the server is stopping. 9: asked too often."),
];

const HEC_CHANNEL: Parameter = parameter(
    "X-Splunk-Request-Channel",
    "header",
    r#"{"format":"uuid","type":"string"}"#,
    "the client's channel; with it, the answer has an `ackId`",
);
const HEC_EVENT_PARAMETERS: &[Parameter] =
    &[ORGANISATION, HEC_CHANNEL, parameter("channel", "query", TEXT, "the same as the header")];
const HEC_RAW_PARAMETERS: &[Parameter] = &[
    ORGANISATION,
    HEC_CHANNEL,
    parameter("channel", "query", TEXT, "the same as the header"),
    parameter("host", "query", TEXT, "where the lines come from"),
    parameter("source", "query", TEXT, "the file or input they come from"),
    parameter("sourcetype", "query", TEXT, "what they are"),
    parameter("index", "query", TEXT, "kept with them; it chooses nothing here"),
    parameter("time", "query", TEXT, "when they happened, in seconds since 1970"),
];

const HEC_EVENTS_SENT: Sent = Sent {
    media: &[("application/json", r#"{"type":"object"}"#)],
    about: "Envelopes of Splunk's HTTP Event Collector, one after another, whatever `Content-Type` says: at most 100 000 \
            and 32 MiB. An `event` that is one of ours, or LiteLLM's, is taken as such.",
    example: r#"{"time":1767225600.5,"host":"gw-1","sourcetype":"gateway","event":{"type":"auth.login","actor":{"id":"alice"}}}"#,
};
const HEC_LINES_SENT: Sent = Sent {
    media: &[("text/plain", TEXT)],
    about: "Lines, each an event: at most 100 000 and 32 MiB.",
    example: r#""alice logged in from 203.0.113.42\n""#,
};
const HEC_ACKS_SENT: Sent = Sent {
    media: &[(
        "application/json",
        r#"{"properties":{"acks":{"items":{"type":"integer"},"type":"array"}},"required":["acks"],"type":"object"}"#,
    )],
    about: "Ids that earlier answers gave as `ackId`, at most 10 000.",
    example: r#"{"acks":[1,2]}"#,
};

const RECORDED: &[Answer] =
    &[answer(&[("application/json", "Recorded")], "What was good is on the disk. There are no receipts.")];

const NOTICE_SENT: Sent = Sent {
    media: &[("application/json", r#"{"type":"object"}"#)],
    about: "What LiteLLM sends by `WEBHOOK_URL` or `SLACK_WEBHOOK_URL`. These hold nothing but an address: put `x:KEY@` \
            before the host in it, which is sent as `Authorization: Basic`.",
    example: r#"{"event":"budget_crossed","event_group":"key","event_message":"Key Budget: Budget Crossed","spend":1.5,"max_budget":1.0,"user_id":"alice"}"#,
};

const fn litellm_notice(path: &'static str, id: &'static str, about: &'static str) -> Route {
    Route {
        method: "POST",
        path,
        id,
        tag: "record",
        needs: Needs::May(Permission::RecordEvents),
        about,
        parameters: &[ORGANISATION, KEY],
        sent: Some(&NOTICE_SENT),
        answers: RECORDED,
        problems: &[400, 408, 409, 413, 415, 422],
        too_often: StatusCode::SERVICE_UNAVAILABLE,
        handler: || post(litellm::ingest),
    }
}

const MAPPED_SENT: Sent = Sent {
    media: &[("application/json", r#"{"type":"object"}"#)],
    about: "A document of the source, an array of them, or one a line, whatever `Content-Type` says: at most 64 MiB.",
    example: r#"{"Records":[{"eventVersion":"1.11","eventTime":"2026-01-01T00:00:00Z","eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","awsRegion":"eu-central-1","sourceIPAddress":"203.0.113.42","userIdentity":{"type":"IAMUser","userName":"alice"},"responseElements":{"ConsoleLogin":"Success"},"eventID":"b7d0a5f2-7c1c-4b92-a4a3-6b1f0f2a1c11"}]}"#,
};

const fn hec_event(path: &'static str, id: &'static str) -> Route {
    Route {
        method: "POST",
        path,
        id,
        tag: "splunk",
        needs: Needs::May(Permission::RecordEvents),
        about: "records events as Splunk's HTTP Event Collector takes them",
        parameters: HEC_EVENT_PARAMETERS,
        sent: Some(&HEC_EVENTS_SENT),
        answers: HEC_COLLECTED,
        problems: &[],
        too_often: StatusCode::SERVICE_UNAVAILABLE,
        handler: || post(hec::event),
    }
}

const fn hec_raw(path: &'static str, id: &'static str) -> Route {
    Route {
        about: "records lines of text as Splunk's HTTP Event Collector takes them",
        parameters: HEC_RAW_PARAMETERS,
        sent: Some(&HEC_LINES_SENT),
        handler: || post(hec::raw),
        ..hec_event(path, id)
    }
}

const fn hec_health(path: &'static str, id: &'static str) -> Route {
    Route {
        method: "GET",
        needs: Needs::Nothing,
        about: "whether events are taken, for clients of Splunk",
        parameters: &[],
        sent: None,
        answers: HEC_HEALTH,
        handler: || get(hec::health),
        ..hec_event(path, id)
    }
}

/// The doors of neighbours.
pub(crate) const COLLECT: &[Route] = &[
    Route {
        method: "OPTIONS",
        path: "/v1/events",
        id: "agreeDelivery",
        tag: "record",
        needs: Needs::Nothing,
        about: "tells a broker that delivers CloudEvents whether, and how often, it may",
        parameters: &[parameter(
            "WebHook-Request-Origin",
            "header",
            TEXT,
            "who will deliver; answered with `WebHook-Allowed-Origin` and `WebHook-Allowed-Rate`",
        )],
        sent: None,
        answers: &[answer(
            &[("application/json", r#"{"type":"object"}"#)],
            "The rate, in requests a minute.",
        )],
        problems: &[],
        too_often: StatusCode::TOO_MANY_REQUESTS,
        handler: || options(record::agree),
    },
    litellm_notice(
        "/ingest/litellm/budget",
        "recordLitellmBudget",
        "records what LiteLLM's budget webhook tells",
    ),
    litellm_notice(
        "/ingest/litellm/slack",
        "recordLitellmAlerts",
        "records alerts that LiteLLM sends in the shape of Slack's; they have low assurance",
    ),
    Route {
        method: "POST",
        path: "/ingest/{id}",
        id: "recordMapped",
        tag: "record",
        needs: Needs::May(Permission::RecordEvents),
        about: "records what a mapping makes of a source's own records",
        parameters: &[
            parameter(
                "id",
                "path",
                TEXT,
                "name of a mapping: `cloudtrail`, `github`, `okta`, or one of `ingest.mappings`",
            ),
            ORGANISATION,
            KEY,
        ],
        sent: Some(&MAPPED_SENT),
        answers: RECORDED,
        problems: &[400, 404, 408, 409, 413, 415, 422],
        too_often: StatusCode::TOO_MANY_REQUESTS,
        handler: || post(mapping::ingest),
    },
    hec_event("/services/collector", "hecEvents"),
    hec_event("/services/collector/event", "hecEventsEvent"),
    hec_event("/services/collector/event/1.0", "hecEvents1"),
    hec_raw("/services/collector/raw", "hecLines"),
    hec_raw("/services/collector/raw/1.0", "hecLines1"),
    Route {
        about: "whether what was sent is on the disk",
        parameters: HEC_EVENT_PARAMETERS,
        sent: Some(&HEC_ACKS_SENT),
        answers: HEC_ACKED,
        handler: || post(hec::ack),
        ..hec_event("/services/collector/ack", "hecAcks")
    },
    hec_health("/services/collector/health", "hecHealth"),
    hec_health("/services/collector/health/1.0", "hecHealth1"),
];
