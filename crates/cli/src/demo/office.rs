//! What administrators, auditors and a stranger at the door do in the week: changes with their values before and after,
//! people who join and leave, exports, requests of data subjects, approvals.

use super::agents::approval;
use super::cast::{PEOPLE, who};
use super::week::{Draft, HOUR, MINUTE, SECOND, Week};
use crate::output::count;

/// Working day before today, hour and minute (UTC), who, type, target, before and after, what is said about it.
type Change = (
    usize,
    (u64, u64),
    &'static str,
    &'static str,
    (&'static str, &'static str, &'static str),
    (&'static str, &'static str),
    &'static str,
);

#[rustfmt::skip]
const CHANGES: [Change; 30] = [
    (5, (8, 42), "u-101", "team.created", ("team", "team-installers", "Installers"), ("null", r#"{"members":[],"models":["gpt-5-mini"],"max_budget":"100.00"}"#), "a team for the installers' app"),
    (5, (8, 49), "u-101", "key.created", ("key", "vk-installers", "Installers, app"), ("null", r#"{"team":"team-installers","models":["gpt-5-mini"],"max_budget":"100.00","rpm_limit":60}"#), ""),
    (5, (8, 51), "u-101", "team.member_added", ("team", "team-installers", "Installers"), (r#"{"members":[]}"#, r#"{"members":["u-403"]}"#), ""),
    (5, (9, 30), "u-202", "guardrail_config.created", ("guardrail", "gr-prompt-guard", "Prompt guard"), ("null", r#"{"provider":"lakera","mode":"pre_call","threshold":0.82,"action":"block"}"#), "prompt injection and jailbreaks are blocked"),
    (5, (10, 5), "u-404", "budget.updated", ("budget", "bdg-product", "Product"), (r#"{"max_budget":"400.00","period":"monthly"}"#, r#"{"max_budget":"600.00","period":"monthly"}"#), "interviews of the autumn"),
    (5, (13, 15), "u-101", "model.created", ("model", "gemini-2.5-flash", "Gemini 2.5 Flash"), ("null", r#"{"provider":"gcp.vertex_ai","input_cents":30,"output_cents":250,"region":"europe-west4"}"#), ""),
    (5, (15, 22), "u-103", "mcp_server.created", ("mcp_server", "mcp-grafana", "Grafana"), ("null", r#"{"url":"https://grafana.marlowfinch.example/mcp","tools":["query_range","list_dashboards"],"auth":"oauth"}"#), "read only"),
    (5, (15, 24), "u-103", "tool.registered", ("tool", "grafana.query_range", "query_range"), ("null", r#"{"server":"mcp-grafana","writes":false}"#), ""),
    (4, (8, 20), "u-201", "authz.role_changed", ("user", "u-404", "Rosa Almeida"), (r#"{"roles":["member"]}"#, r#"{"roles":["team_admin"]}"#), "Rosa leads the product team from today"),
    (4, (8, 55), "u-502", "prompt.updated", ("prompt", "prompt-support-bot", "Support bot"), (r#"{"version":30,"temperature":0.7}"#, r#"{"version":31,"temperature":0.2}"#), "shorter answers"),
    (4, (9, 12), "u-102", "auth.api_token_created", ("token", "tok-ci-deploy", "CI, deploy"), ("null", r#"{"scopes":["models:read","keys:read"],"expires_days":90}"#), ""),
    (4, (10, 40), "u-301", "vector_store.created", ("vector_store", "vs-warehouse", "Warehouse schema"), ("null", r#"{"model":"text-embedding-3-large","dimensions":1024}"#), ""),
    (4, (11, 2), "u-202", "guardrail_config.updated", ("guardrail", "gr-pii-shield", "PII shield"), (r#"{"entities":["email","phone"],"action":"mask"}"#, r#"{"entities":["email","phone","card_number"],"action":"mask"}"#), "card numbers as well"),
    (4, (16, 44), "u-602", "data.exported", ("report", "rep-costs-month", "Costs of the month"), ("", ""), "costs by team, as every month"),
    (3, (7, 50), "u-201", "user.created", ("user", "u-106", "Ivo Brandt"), ("null", r#"{"email":"ivo.brandt@marlowfinch.example","roles":["developer"]}"#), "starts on Monday"),
    (3, (7, 53), "u-101", "team.member_added", ("team", "platform", "Platform"), (r#"{"members":5}"#, r#"{"members":6}"#), ""),
    (3, (9, 18), "u-103", "rate_limit.updated", ("rate_limit", "rl-support-bot", "Support bot"), (r#"{"rpm":300,"tpm":400000}"#, r#"{"rpm":450,"tpm":600000}"#), "Mondays are busy"),
    (3, (10, 31), "u-203", "retention.updated", ("retention", "ret-prompts", "Captured prompts"), (r#"{"days":180}"#, r#"{"days":90}"#), "as agreed with the works council"),
    (3, (12, 6), "u-402", "integration.configured", ("integration", "int-slack", "Slack"), (r##"{"channels":["#ai-help"]}"##, r##"{"channels":["#ai-help","#ai-costs"]}"##), ""),
    (3, (15, 37), "u-602", "budget.created", ("budget", "bdg-installers", "Installers"), ("null", r#"{"max_budget":"100.00","period":"monthly","soft_limit":"0.8"}"#), ""),
    (2, (9, 44), "u-101", "model.parameters_updated", ("model", "claude-opus-4-1", "Claude Opus 4.1"), (r#"{"max_tokens":32000,"teams":["*"]}"#, r#"{"max_tokens":8000,"teams":["platform","legal"]}"#), "after last night"),
    (2, (10, 20), "u-202", "rate_limit.updated", ("rate_limit", "rl-default", "All keys"), (r#"{"tpm":500000}"#, r#"{"tpm":200000}"#), "after last night"),
    (2, (11, 30), "u-901", "auth.password_reset", ("user", "u-901", "Marek Dvořák"), ("", ""), ""),
    (2, (11, 34), "u-901", "auth.mfa_enabled", ("user", "u-901", "Marek Dvořák"), (r#"{"factors":["totp"]}"#, r#"{"factors":["totp","passkey"]}"#), ""),
    (2, (14, 3), "u-104", "settings.changed", ("settings", "gateway", "Gateway"), (r#"{"store_prompts":true,"log_level":"debug"}"#, r#"{"store_prompts":false,"log_level":"info"}"#), "debugging is over"),
    (1, (8, 35), "u-101", "key.rotated", ("key", "vk-code-pilot", "Code pilot"), (r#"{"generation":4}"#, r#"{"generation":5}"#), "all keys of agents are rotated this week"),
    (1, (8, 37), "u-101", "key.rotated", ("key", "vk-contract-review", "Contract review"), (r#"{"generation":2}"#, r#"{"generation":3}"#), ""),
    (1, (9, 2), "u-201", "user.deprovisioned", ("user", "u-107", "Lena Vogt"), (r#"{"active":true,"roles":["developer"]}"#, r#"{"active":false,"roles":[]}"#), "left the company"),
    (1, (13, 48), "u-105", "mcp_server.updated", ("mcp_server", "mcp-github", "GitHub"), (r#"{"tools":["*"]}"#, r#"{"tools":["search_code","read_file","get_pull_request","create_commit","run_tests"]}"#), "only what is used"),
    (1, (16, 12), "u-203", "data.report_generated", ("report", "rep-access", "Access review of the quarter"), ("", ""), ""),
];

pub(super) fn write(week: &mut Week) {
    for (day, (hour, minute), person, kind, target, values, said) in CHANGES {
        let person = who(person);
        let at = week.workday(day) + hour * HOUR + minute * MINUTE + week.chance.below(MINUTE);
        let (session, trace) = (week.chance.uuid(), week.chance.hex(32));
        let mut draft = Draft::new(at, "console", kind, "success")
            .person(person, person.office().unwrap_or(person.home), &session)
            .target(target.0, target.1, target.2)
            .trace(&trace)
            .with("request_id", format!("req_{}", week.chance.hex(20)));
        if !values.0.is_empty() {
            draft = draft.changed(values.0, values.1);
        }
        if !said.is_empty() {
            draft = draft.say(said);
        }
        week.add(draft);
    }
    approvals(week);
    privacy(week);
    spraying(week);
    abroad(week);
    upgrade(week);
    refusals(week);
    evaluations(week);
}

/// One of them is what a rule of two people is there to prevent.
fn approvals(week: &mut Week) {
    let (tomas, ada, hugo, rosa) = (who("u-102"), who("u-101"), who("u-401"), who("u-404"));
    let mut id = || format!("apr-{}", week.chance.hex(10));
    let ids = [id(), id(), id()];
    let [one, two, three] = &ids;
    let at =
        |week: &Week, day: usize, hour: u64, minute: u64| week.workday(day) + hour * HOUR + minute * MINUTE;
    let self_approved = at(week, 3, 19, 41);
    approval(week, self_approved, one, "deploy-to-production", (tomas, tomas), "gateway 3.8.0", true);
    let refused = at(week, 4, 12, 20);
    approval(week, refused, two, "model-access", (hugo, rosa), "claude-opus-4-1 for summaries", false);
    let granted = at(week, 1, 11, 15);
    approval(
        week,
        granted,
        three,
        "export-of-customers",
        (who("u-502"), ada),
        "complaints of the month",
        true,
    );
    let session = week.chance.uuid();
    let export = Draft::new(granted + 40 * MINUTE, "crm", "data.exported", "success")
        .person(who("u-502"), who("u-502").home, &session)
        .target("dataset", "crm-9013", "Complaints, last twelve months")
        .say("213 complaints, as CSV")
        .with("approval.id", three.clone())
        .with("attributes.rows", 213);
    week.add(export);
}

/// What data subjects ask for.
fn privacy(week: &mut Week) {
    let olivia = who("u-203");
    let session = week.chance.uuid();
    let steps: [(usize, u64, &str, &str); 6] = [
        (5, 9, "data.subject_request", "cust-3381 asks what is known about them"),
        (5, 14, "data.accessed", "conversations of cust-3381 were gathered"),
        (4, 10, "data.subject_request", "cust-7710 asks to be forgotten"),
        (4, 15, "data.deleted", "conversations of cust-7710 were deleted"),
        (3, 9, "data.consent_withdrawn", "cust-2219 no longer wants answers by a bot"),
        (1, 10, "data.consent_recorded", "cust-2219 wants answers by a bot after all"),
    ];
    for (day, hour, kind, said) in steps {
        let at = week.workday(day) + hour * HOUR + week.chance.below(50 * MINUTE);
        let customer = said.split(' ').find(|word| word.starts_with("cust-")).expect("each names a customer");
        let draft = Draft::new(at, "console", kind, "success")
            .person(olivia, olivia.home, &session)
            .target("customer", customer, customer)
            .say(said);
        week.add(draft);
    }
}

/// A stranger tries a few passwords on many accounts. One is locked.
fn spraying(week: &mut Week) {
    let mut at = week.workday(5) + 22 * HOUR + 14 * MINUTE;
    for round in 1..=3 {
        for person in PEOPLE.iter().step_by(3) {
            at += week.chance.between(2, 7) * SECOND;
            let draft = Draft::new(at, "identity", "auth.failed_attempt", "failed")
                .with("action", "password.authenticate")
                .with("actor.type", "anonymous")
                .with("actor.ip", "203.0.113.200")
                .with("actor.user_agent", "Go-http-client/2.0")
                .with("actor.auth_method", "password")
                .with("actor.claimed.type", "user")
                .with("actor.claimed.email", person.email())
                .with("attributes.failure_reason", "invalid_password")
                .with("attributes.attempts_count", count(round));
            week.add(draft);
        }
    }
    let by_identity = |at: u64, kind: &'static str| {
        Draft::new(at, "identity", kind, "blocked").with("actor.type", "system").with("actor.id", "identity")
    };
    let locked = by_identity(at + 2 * SECOND, "auth.lockout").target("user", "u-304", "Femi Okafor");
    week.add(locked.say("locked after three failures in two minutes"));
    let many = by_identity(at + 3 * SECOND, "security.repeated_failures")
        .say("27 failures on nine accounts from one address")
        .with("attributes.address", "203.0.113.200");
    week.add(many);
    let (samir, session) = (who("u-202"), week.chance.uuid());
    let opened = Draft::new(week.workday(4) + 7 * HOUR + 20 * MINUTE, "identity", "auth.unlocked", "success");
    week.add(opened.person(samir, samir.home, &session).target("user", "u-304", "Femi Okafor"));
}

/// Somebody travels, which looks like a theft until it is asked about.
fn abroad(week: &mut Week) {
    let (hugo, samir, session) = (who("u-401"), who("u-202"), week.chance.uuid());
    let at = week.workday(4) + 15 * HOUR + 5 * MINUTE;
    let from_hotel = |draft: Draft| {
        draft
            .person(hugo, "203.0.113.140", &session)
            .with("attributes.geo.country", "US")
            .with("attributes.geo.city", "Chicago")
    };
    week.add(from_hotel(Draft::new(at, "console", "auth.login", "success").with("action", "login")));
    let noticed = Draft::new(at + 2 * SECOND, "identity", "security.geo_anomaly", "success")
        .say("Paris at noon, Chicago at three");
    week.add(from_hotel(noticed));
    let session = week.chance.uuid();
    let checked = Draft::new(at + 31 * MINUTE, "console", "data.log_queried", "success")
        .person(samir, samir.home, &session)
        .with("attributes.filter", "actor.id:u-401, today")
        .say("asked Hugo: he is at the trade fair");
    week.add(checked);
}

/// One gateway after the other gets a new version.
fn upgrade(week: &mut Week) {
    let begin = week.workday(3) + 20 * HOUR + 5 * MINUTE;
    for (n, gateway) in ["gateway-eu-1", "gateway-eu-2", "gateway-us-1"].into_iter().enumerate() {
        let at = begin + n as u64 * 9 * MINUTE;
        let steps: [(u64, &'static str); 3] =
            [(0, "system.stopped"), (34, "system.upgraded"), (41, "system.started")];
        for (second, kind) in steps {
            let version = if second == 0 { "3.7.4" } else { "3.8.0" };
            let draft = Draft::new(at + second * SECOND, gateway, kind, "success")
                .with("actor.type", "system")
                .with("actor.id", gateway)
                .with("app_version", version);
            week.add(draft);
        }
    }
}

/// What people tried and may not.
fn refusals(week: &mut Week) {
    let tried: [(usize, u64, &str, &str, &str, &str); 6] = [
        (5, 11, "u-403", "authz.denied", "settings", "the settings of the gateway"),
        (4, 9, "u-405", "authz.model_access", "model", "claude-opus-4-1"),
        (4, 14, "u-503", "authz.denied", "report", "costs of all teams"),
        (3, 13, "u-901", "authz.denied", "dataset", "the personnel files"),
        (2, 15, "u-603", "authz.budget_exceeded", "budget", "the month's budget of legal"),
        (1, 12, "u-401", "authz.model_access", "model", "claude-opus-4-1"),
    ];
    for (day, hour, person, kind, target, name) in tried {
        let (person, session) = (who(person), week.chance.uuid());
        let at = week.workday(day) + hour * HOUR + week.chance.below(55 * MINUTE);
        let draft = Draft::new(at, "gateway-eu-2", kind, "blocked")
            .person(person, person.home, &session)
            .target(target, name, name)
            .say(format!("{} tried {name}", person.name));
        week.add(draft);
    }
    // The second factor is taken off an account, and put back the day after.
    let (ines, session) = (who("u-201"), week.chance.uuid());
    let off =
        Draft::new(week.workday(5) + 17 * HOUR + 8 * MINUTE, "identity", "auth.mfa_disabled", "success");
    week.add(
        off.person(ines, ines.home, &session)
            .target("user", "u-504", "Vera Novák")
            .say("her telephone is lost"),
    );
    let on = Draft::new(week.workday(4) + 9 * HOUR + 33 * MINUTE, "identity", "auth.mfa_enabled", "success");
    let vera = who("u-504");
    week.add(on.person(vera, vera.home, &session).target("user", vera.id, vera.name));
}

/// Samples of the bot's answers are judged each working day.
fn evaluations(week: &mut Week) {
    for day in 1..=5 {
        let at = week.workday(day) + 6 * HOUR + 30 * MINUTE;
        let session = week.chance.uuid();
        for n in 0..6 {
            let score = week.chance.between(610, 990);
            let draft = Draft::new(at + n * 20 * SECOND, "agent-runtime", "agent.evaluation", "success")
                .agent(&super::cast::SUPPORT_BOT, &session)
                .with("attributes.criterion", *week.chance.pick(&["helpful", "grounded", "polite"]))
                .with("attributes.score", super::week::thousandths(score));
            week.add(draft);
        }
    }
}
