//! What each way of sending can tell, and what it cannot: read from the tables that the adapters themselves go by.

use event::kind::Kind;
use event::spec::{HOMES, Spec};

use crate::{cloudevents, guide, hec, litellm, mapping, syslog};

/// A way of sending.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name in tables.
    pub name: &'static str,
    /// Where it comes in.
    pub door: String,
    /// What it is, and the version it was written for.
    pub about: String,
    /// The event's fields that it fills, in order, and what with.
    pub fields: Vec<(String, String)>,
    /// The kinds of events that it gives by name; none if the sender names them.
    pub kinds: Vec<String>,
    /// What it can't tell, a sentence each.
    pub cannot: Vec<String>,
}

impl Source {
    fn new(
        name: &'static str,
        door: impl Into<String>,
        about: impl Into<String>,
        fields: Vec<(String, String)>,
        kinds: Vec<String>,
        cannot: &[&str],
    ) -> Source {
        let mut fields: Vec<(String, String)> = fields;
        fields.sort();
        fields.dedup();
        let mut kinds = kinds;
        kinds.sort();
        kinds.dedup();
        let cannot = cannot.iter().map(|text| (*text).to_owned()).collect();
        Source { name, door: door.into(), about: about.into(), fields, kinds, cannot }
    }

    /// Whether it fills a field of the table of fields, or something in it.
    pub fn fills(&self, path: &str) -> bool {
        self.fields.iter().any(|(ours, _)| {
            ours == path
                || ours.strip_prefix(path).is_some_and(|rest| rest.starts_with('.') || rest.starts_with('['))
        })
    }
}

/// Every way of sending that is not our own, and OpenTelemetry's.
pub fn sources() -> Vec<Source> {
    let mut all = vec![calls(), rows(), notices(), otlp(), entries(), collector(), syslog_messages()];
    for (name, _) in mapping::SHIPPED {
        let mapping = mapping::shipped(name).expect("it is one of those");
        let cannot: Vec<&str> = mapping.cannot.iter().map(String::as_str).collect();
        all.push(Source::new(
            name,
            format!("`POST /ingest/{name}`, `indelible import {name}`"),
            format!("{}; {}", mapping.about, mapping.observed),
            mapping.fields(),
            mapping.types().into_iter().filter(|kind| Kind::find(kind).is_some()).collect(),
            &cannot,
        ));
    }
    all.push(cloudevents::source());
    all
}

/// Pairs of theirs and ours, the other way round.
fn turned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(theirs, ours)| ((*ours).to_owned(), format!("`{theirs}`"))).collect()
}

fn homes(spec: Spec) -> Vec<(String, String)> {
    let homes = HOMES.iter().filter(|home| home.spec == spec);
    homes.map(|home| (home.ours.to_owned(), format!("`{}`", home.theirs))).collect()
}

fn calls() -> Source {
    Source::new(
        "litellm",
        "`POST /ingest/litellm`, `indelible import litellm`",
        "calls of a LiteLLM proxy, by its `generic_api` callback; observed 1.105.3",
        litellm::homes(),
        litellm::kinds(),
        &[
            "log-ins to its pages, SSO, SCIM, sessions and invitations: LiteLLM has no event for them",
            "changes of keys, teams, users and settings: they are rows of its audit log, which needs a licence (litellm_audit), \
             or alerts (litellm_notice)",
            "calls that it never sent: it drops a batch that it could not deliver, `max_retries` is 0 unless set, and nothing \
             counts its calls",
            "prompts and answers beyond their fingerprints, unless the policy keeps content",
            "calls that end while a batch is on its way: 1.105.3 forgets them when the batch is done (its `otel` callback doesn't)",
            "which of several retries of a call failed before the last",
        ],
    )
}

fn rows() -> Source {
    Source::new(
        "litellm_audit",
        "`POST /ingest/litellm`, `indelible import litellm`",
        "rows of LiteLLM's audit log, as `GET /audit` or `audit_log_callbacks` write them; read in 1.109.1, licensed only",
        [homes(Spec::Litellm), turned(&[("table_name and action", "type")])].concat(),
        litellm::row_kinds(),
        &[
            "authentication: no row is written for a log-in, a refused key, SSO, SCIM, a session or an invitation",
            "changes of organisations, customers, budgets, tags, access groups, guardrails, policies, prompts, MCP servers, \
             credentials, vector stores, search tools, pass-through endpoints, callbacks, fallbacks, router settings and JWT \
             mappings: LiteLLM writes no row for them",
            "reads of the audit log itself",
            "a bulk update of all users: its row is never written",
            "who did it, of team memberships and settings: `changed_by` is the proxy's administrator there",
            "where from: there is no address and no user agent in a row",
            "that a row is missing: writing one may fail without a word, and nothing counts them",
        ],
    )
}

fn notices() -> Source {
    let said = [
        ("event", "type"),
        ("event", "status"),
        ("event", "severity"),
        ("event", "action"),
        ("event_message", "message"),
        ("token, user_id, team_id, organization_id, customer_id", "targets[].id"),
        ("event_group", "targets[].type"),
        ("key_alias, user_email, team_alias", "targets[].name"),
        ("Alert type", "type"),
        ("Level", "severity"),
        ("created_by_user_id", "actor.claimed.id"),
        ("created_by_key_alias", "actor.claimed.name"),
        ("spend, max_budget, soft_budget, projected_spend", "attributes.litellm"),
    ];
    let budget = litellm::notice::BUDGET_EVENTS.iter().map(|(_, kind, ..)| *kind);
    let alerts = litellm::notice::ALERT_TYPES.iter().map(|(_, kind)| *kind);
    Source::new(
        "litellm_notice",
        "`POST /ingest/litellm/budget`, `POST /ingest/litellm/slack`",
        "LiteLLM's budget webhook and its alerts for Slack; alerts have low assurance (`attributes.litellm.assurance`)",
        turned(&said),
        budget.chain(alerts).map(str::to_owned).collect(),
        &[
            "when it happened: the webhook has no time, an alert a time of day without a date",
            "an id: what is sent twice is recorded twice",
            "that it was LiteLLM: anybody who knows the address and its key can write an alert",
            "every alert: equal ones are counted together by the sender, and management alerts are off unless turned on",
        ],
    )
}

fn otlp() -> Source {
    let names = event::otel::NAMES.iter().map(|name| (name.otel, name.ours));
    let record = [
        ("name of the span or event", "type"),
        ("start and end, or time of the record", "time"),
        ("start and end", "llm.latency_ms"),
        ("status", "status"),
        ("severityNumber", "severity"),
        ("body of the record", "message"),
        ("traceId", "trace_id"),
        ("spanId", "span_id"),
        ("parentSpanId", "parent_span_id"),
        ("traceId and spanId", "source_id"),
        ("messages, their keyed fingerprint", "llm.prompt_fingerprint"),
        ("messages, their keyed fingerprint", "llm.response_fingerprint"),
    ];
    Source::new(
        "otlp",
        "`POST /v1/traces`, `POST /v1/logs`, `POST /v1/audit`, and gRPC",
        "OpenTelemetry's GenAI conventions, OpenInference and OpenLLMetry, as SDKs and gateways emit them, Bifrost's and \
         LiteLLM's among them",
        turned(&names.chain(record).collect::<Vec<_>>()),
        Vec::new(),
        &[
            "what was sampled away: set `OTEL_TRACES_SAMPLER=always_on`, and no tail sampling on the way here",
            "what was lost on the way: the SDKs queue in memory, and a full queue, a crash, and retries that are given up \
             (Python after the exporter's `timeout`, JavaScript after five) lose spans without a trace; there is no sequence \
             number, so a gap can't be seen. Where that matters, send events with numbers through `POST /v1/events`",
            "who asked, unless the application says so (`user.id`, `enduser.id`, baggage), and nobody checked it; a gateway's \
             key hash is the gateway's word",
            "the whole request: prompts and answers are off in most instrumentations, or cut; the fingerprint is then that of \
             what was sent, or missing",
            "refusals: a call that a gateway refused before any model was asked often has no span of a model",
            "administration: the conventions have no names for log-ins, roles, keys or settings; send them as log records with \
             an event's name (`auth.login`, `key.created`)",
            "that a call was told twice, by a span and by a log record (`<trace>:<span>` and `<trace>:<span>:log`) or by two \
             instrumentations: turn one of them off",
            "of an SDK with the GenAI conventions, OpenInference or OpenLLMetry: administration; and, by the conventions, cost",
            "of LiteLLM's first dialect: who made a change, values before it, log-ins of its pages; of its second \
             (`LITELLM_OTEL_V2`): what a change was, only that a management route was used",
            "of Bifrost's open-source gateway: any change, log-in or look at a key, as its audit log is closed source and needs a \
             licence; denials, except as calls that failed. It tells calls with key, team, customer and cost",
        ],
    )
}

fn entries() -> Source {
    let mut fields = homes(Spec::Guide);
    fields.extend(guide::homes().map(|(theirs, ours)| (ours, format!("`{theirs}`"))));
    fields.dedup_by(|a, b| a.0 == b.0);
    Source::new(
        "guide",
        "`POST /v1/events`",
        "entries as the guide to audit logs for LLM applications prints them (specification 001)",
        fields,
        Vec::new(),
        &["changes before and after, and approvals: the guide's entries have no place for them"],
    )
}

fn collector() -> Source {
    Source::new(
        "hec",
        "`POST /services/collector/event`, `/raw`",
        "clients of Splunk's HTTP Event Collector, 8.x to 10.x",
        turned(hec::FIELDS),
        vec![hec::TYPE.to_owned()],
        &[
            "who did it and how it went, unless the `event` is one of ours or of LiteLLM's: the rest is text",
            "a gap: there is no counter",
            "that it was sent twice, of what has no `time`",
        ],
    )
}

fn syslog_messages() -> Source {
    let mut fields = turned(syslog::FIELDS);
    fields.extend(
        syslog::CEF_HOMES.iter().map(|(theirs, ours)| ((*ours).to_owned(), format!("CEF `{theirs}`"))),
    );
    fields.extend(
        syslog::LEEF_HOMES.iter().map(|(theirs, ours)| ((*ours).to_owned(), format!("LEEF `{theirs}`"))),
    );
    Source::new(
        "syslog",
        "TCP and TLS, `syslog.listen` and `syslog.tls_listen`",
        "RFC 5424 and RFC 3164, with CEF, LEEF or JSON in them",
        fields,
        vec![syslog::TYPE.to_owned()],
        &[
            "what was on its way when a connection broke: syslog has no acknowledgements",
            "the year and the zone of an RFC 3164 time, so it is kept as text and the time is that of receipt",
            "that it was sent twice, of what has no fraction of a second in its time",
            "who sent it, beyond the peer's address and, if `syslog.client_ca` is set, that it had a certificate",
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_and_kind_is_one_of_ours() {
        let all = sources();
        assert!(all.len() >= 10);
        for source in all {
            assert!(!source.fields.is_empty() && !source.cannot.is_empty(), "{}", source.name);
            for (ours, theirs) in &source.fields {
                assert!(event::field::find(ours).is_some(), "{}: {ours} from {theirs}", source.name);
            }
            for kind in &source.kinds {
                let known = Kind::find(kind).is_some()
                    || [hec::TYPE, litellm::notice::ALERT].contains(&kind.as_str());
                assert!(known, "{}: {kind}", source.name);
            }
            assert!(source.fills("type") || !source.kinds.is_empty(), "{}", source.name);
        }
    }
}
