//! The story of the week: a contractor's key leaks, and is used for two hours in the night by somebody else.
//!
//! What links it: the key (`actor.api_key_hash`), two addresses, a session, traces, and from the morning on
//! `attributes.incident`.

use event::Value;

use super::agents::approval;
use super::cast::{CHAT, CONTRACTOR_KEY, CUSTOMER_FILES, OPUS, Person, SONNET, SUPPORT_BOT, who};
use super::week::{Draft, Guardrail, HOUR, MINUTE, SECOND, Week, dollars, thousandths};
use crate::output::{count, object, text};

pub(super) const NAME: &str = "INC-2047";
/// A network that nobody at Marlow & Finch has an address in.
pub(super) const NETWORK: &str = "203.0.113.0/24";
const ADDRESSES: [&str; 2] = ["203.0.113.77", "203.0.113.78"];
/// Billionths of a dollar.
const BUDGET: u64 = 300_000_000_000;
/// Of a thousand parts of the budget, when somebody is told.
const WARNED: u64 = 800;

pub(super) fn write(week: &mut Week) {
    let (before, night, after) = (week.workday(3), week.workday(2), week.workday(1));
    leak(week, before);
    let session = week.chance.uuid();
    abuse(week, night + HOUR + 47 * MINUTE, &session);
    response(week, night);
    review(week, after);
}

/// The evening before: a larger budget, and a notebook where it should not be. Nobody notices the second.
fn leak(week: &mut Week, day: u64) {
    let (chen, marek) = (who("u-301"), who("u-901"));
    let session = week.chance.uuid();
    let raised = Draft::new(day + 14 * HOUR + 20 * MINUTE, "console", "budget.updated", "success")
        .person(chen, chen.home, &session)
        .target("budget", "bdg-contractors", "Contractors")
        .changed(
            r#"{"max_budget":"60.00","period":"monthly","soft_limit":"0.8"}"#,
            r#"{"max_budget":"300.00","period":"monthly","soft_limit":"0.8"}"#,
        )
        .say("room for the migration of the warehouse")
        .with("attributes.ticket", "DATA-881");
    week.add(raised);
    let pushed = Draft::new(day + 17 * HOUR + 52 * MINUTE, "agent-runtime", "mcp.call", "success")
        .person(marek, marek.home, &session)
        .key(CONTRACTOR_KEY)
        .with("action", "tools/call")
        .with("tool.name", "create_commit")
        .with("tool.server", "github")
        .with("tool.method", "tools/call")
        .say("warehouse-notebooks: 'tidy up' (public repository)");
    week.add(pushed);
}

/// Two hours with the key of somebody else.
fn abuse(week: &mut Week, begin: u64, session: &str) {
    let as_thief = |draft: Draft, address: &str| {
        let marek = who("u-901");
        draft
            .with("actor.type", "api_key")
            .with("actor.id", marek.id)
            .with("actor.email", marek.email())
            .with("actor.name", marek.name)
            .with("actor.ip", address.to_owned())
            .with("actor.user_agent", "python-requests/2.32.5")
            .with("actor.session_id", session.to_owned())
            .with("actor.roles", vec![Value::from(marek.role)])
            .key(CONTRACTOR_KEY)
            .with("project", "contractors")
            .with("attributes.team", "contractors")
            .with("attributes.geo.country", "SG")
            .with("attributes.geo.network", "AS64501 rented servers")
    };
    // What can be had?
    let first = Draft::new(begin, "gateway-eu-1", "authz.key_used", "success")
        .say("first use of the key from this address");
    week.add(as_thief(first, ADDRESSES[0]));
    for (n, model) in CHAT.iter().enumerate() {
        let at = begin + (4 + 2 * n as u64) * SECOND;
        let draft = Draft::new(at, "gateway-eu-1", "authz.model_access", "success")
            .target("model", model.name, model.name);
        week.add(as_thief(draft, ADDRESSES[0]));
    }
    let refused = Draft::new(begin + 31 * SECOND, "gateway-eu-1", "authz.denied", "blocked")
        .say("the key has no access to the administration")
        .target("api", "/key/list", "List of keys");
    week.add(as_thief(refused, ADDRESSES[0]));
    noticed(
        week,
        begin + 40 * SECOND,
        "security.off_hours",
        "the key is used at an hour that is not its own",
    );
    noticed(week, begin + 41 * SECOND, "security.geo_anomaly", "the key is used from a country that is new");
    // What does it cost?
    let (mut at, mut spent, mut calls) = (begin + 5 * MINUTE, 0, 0);
    let mut warned = false;
    while spent < BUDGET {
        at += week.chance.between(6, 19) * SECOND;
        let model = if week.chance.of_thousand(940) { &OPUS } else { &SONNET };
        let tokens = (22_000 + week.chance.below(38_000), 1100 + week.chance.below(2200));
        let address = *week.chance.pick(&ADDRESSES);
        let (draft, nanos) = week.completion(at, "gateway-eu-1", model, tokens);
        spent += nanos;
        calls += 1;
        week.add(as_thief(draft, address));
        if calls == 60 {
            noticed(
                week,
                at,
                "security.unusual_volume",
                "sixty calls in a quarter of an hour, usual are five",
            );
        }
        if calls % 40 == 0 {
            let draft = Draft::new(at + 2 * SECOND, "gateway-eu-1", "authz.rate_limited", "blocked")
                .say("more than 500 000 tokens a minute")
                .with("error.code", "429");
            week.add(as_thief(draft, address));
        }
        if !warned && spent * 1000 > BUDGET * WARNED {
            warned = true;
            let draft = Draft::new(at, "gateway-eu-1", "budget.threshold_reached", "success")
                .say("80 % of the contractors' budget is used")
                .target("budget", "bdg-contractors", "Contractors")
                .with("attributes.spent", dollars(spent));
            week.add(draft.with("actor.type", "system").with("actor.id", "gateway-eu-1"));
        }
    }
    // What else is there to be had?
    injections(week, begin + 38 * MINUTE, &as_thief);
    theft(week, begin + 71 * MINUTE, &as_thief);
    for n in 0..12 {
        let draft =
            Draft::new(at + (20 + 25 * n) * SECOND, "gateway-eu-1", "authz.budget_exceeded", "blocked")
                .say("the contractors' budget is used up")
                .with("llm.requested_model", OPUS.name)
                .with("error.code", "budget_exceeded");
        week.add(as_thief(draft, ADDRESSES[0]));
    }
}

/// What the gateway's own rules said, to nobody who was awake.
fn noticed(week: &mut Week, at: u64, kind: &'static str, message: &'static str) {
    let draft = Draft::new(at, "gateway-eu-1", kind, "success")
        .with("actor.type", "system")
        .with("actor.id", "gateway-eu-1")
        .say(message)
        .target("key", CONTRACTOR_KEY.id, CONTRACTOR_KEY.id);
    week.add(draft);
}

/// The support bot is asked, through the stolen key, to forget who it works for.
fn injections(week: &mut Week, begin: u64, as_thief: &impl Fn(Draft, &str) -> Draft) {
    let tries = [
        ("ignore-instructions", "prompt_injection", "asked the bot to print its instructions"),
        ("ignore-instructions", "prompt_injection", "asked the bot to speak as its operator"),
        ("hidden-text", "prompt_injection", "hidden instructions in an order's note"),
        ("role-play", "jailbreak", "asked the bot to play a bot without rules"),
        ("encoded", "jailbreak", "the same in base64"),
    ];
    for n in 0..15 {
        let (rule, category, message) = tries[n % tries.len()];
        let at = begin + n as u64 * 50 * SECOND;
        let score = week.chance.between(880, 996);
        let trace = week.chance.hex(32);
        let block = Draft::new(at, "gateway-eu-1", "guardrail.block", "blocked")
            .say(message)
            .with("severity", "high")
            .target("service", SUPPORT_BOT.id, SUPPORT_BOT.name)
            .verdict(Guardrail {
                name: "prompt-guard",
                provider: "lakera",
                rule,
                category,
                action: "block",
                score,
            });
        week.add(as_thief(block, ADDRESSES[1]).trace(&trace));
        if n % 5 == 4 {
            let kind = if n == 9 { "security.jailbreak" } else { "security.prompt_injection" };
            let draft = Draft::new(at + SECOND, "gateway-eu-1", kind, "blocked")
                .say("five attempts in a row to take over the support bot");
            week.add(as_thief(draft, ADDRESSES[1]).trace(&trace));
        }
    }
}

/// The customers' data, by an ordinary tool that nobody had taken from the contractors' key.
fn theft(week: &mut Week, begin: u64, as_thief: &impl Fn(Draft, &str) -> Draft) {
    let trace = week.chance.hex(32);
    for (n, document) in CUSTOMER_FILES.iter().enumerate() {
        let score = 930 - 40 * n as u64;
        let found = object(vec![
            ("id", text(document.id)),
            ("name", text(document.name)),
            ("source", text(document.source)),
            ("score", thousandths(score)),
        ]);
        let draft = Draft::new(begin + n as u64 * 20 * SECOND, "rag-service", "rag.retrieval", "success")
            .with("action", "search.hybrid")
            .with("llm.documents", vec![found])
            .with("attributes.index", "crm");
        week.add(as_thief(draft, ADDRESSES[1]).trace(&trace));
    }
    for (n, tool) in ["customer_lookup", "customer_search", "customer_export"].into_iter().enumerate() {
        let draft = Draft::new(begin + (2 + n as u64) * MINUTE, "agent-runtime", "mcp.call", "success")
            .with("action", "tools/call")
            .with("tool.name", tool)
            .with("tool.type", "mcp")
            .with("tool.server", "crm")
            .with("tool.method", "tools/call")
            .with("tool.arguments_fingerprint", week.chance.hex(64));
        week.add(as_thief(draft, ADDRESSES[1]).trace(&trace));
    }
    let export = Draft::new(begin + 5 * MINUTE, "crm", "data.exported", "success")
        .with("severity", "high")
        .say("18 412 customers with addresses, as CSV")
        .target("dataset", "crm-9001", "Customers, Europe, with addresses")
        .with("attributes.rows", 18_412)
        .with("attributes.format", "csv");
    week.add(as_thief(export, ADDRESSES[1]).trace(&trace));
    let denied = Draft::new(begin + 6 * MINUTE, "crm", "authz.denied", "blocked")
        .say("the key has no access to the personnel files")
        .target("dataset", "hr-0001", "Personnel files");
    week.add(as_thief(denied, ADDRESSES[1]).trace(&trace));
}

/// In the morning somebody reads the warning about the budget.
fn response(week: &mut Week, day: u64) {
    let (samir, ines, marek) = (who("u-202"), who("u-201"), who("u-901"));
    let session = week.chance.uuid();
    let begin = day + 6 * HOUR + 58 * MINUTE;
    let step = |minute: u64, kind: &'static str, person: &Person| {
        Draft::new(begin + minute * MINUTE, "console", kind, "success")
            .person(person, person.home, &session)
            .with("attributes.incident", NAME)
    };
    let key = |draft: Draft| draft.target("key", CONTRACTOR_KEY.id, "Contractors, warehouse migration");
    week.add(step(0, "auth.login", samir).with("action", "login").with("attributes.mfa", true));
    for (minute, filter) in [
        (2, "actor.api_key_hash of vk-contractor-etl, last night"),
        (4, "the two addresses, any key"),
        (11, "exports of last night"),
    ] {
        let draft = step(minute, "data.log_queried", samir).with("attributes.filter", filter);
        week.add(draft);
    }
    week.add(
        key(step(6, "key.blocked", samir))
            .changed(r#"{"blocked":false}"#, r#"{"blocked":true}"#)
            .say("used from outside all night; blocked until we know more"),
    );
    let opened = step(9, "security.incident", samir)
        .with("severity", "critical")
        .say(format!("{NAME}: the contractors' key is used by somebody else"));
    week.add(key(opened));
    // The thief comes back, and the door is shut.
    for n in 0..23 {
        let address = *week.chance.pick(&ADDRESSES);
        let draft = Draft::new(
            begin + 15 * MINUTE + n * 11 * SECOND,
            "gateway-eu-1",
            "auth.failed_attempt",
            "failed",
        )
        .with("actor.type", "anonymous")
        .with("actor.ip", address)
        .with("actor.user_agent", "python-requests/2.32.5")
        .key(CONTRACTOR_KEY)
        .with("attributes.failure_reason", "key_blocked")
        .with("attributes.geo.country", "SG");
        week.add(draft);
    }
    noticed(week, begin + 20 * MINUTE, "security.key_abuse", "a blocked key is tried again and again");
    let found = step(34, "data.key_exposed", samir)
        .say("the key is in a public repository: warehouse-notebooks, commit 'tidy up'");
    week.add(key(found));
    week.add(
        key(step(41, "key.deleted", ines))
            .changed(r#"{"models":["*"],"max_budget":"300.00","blocked":true,"ip_allow":[]}"#, "null")
            .say("revoked"),
    );
    week.add(step(43, "auth.session_revoked", ines).target("user", marek.id, marek.name));
    week.add(
        step(58, "provider_key.rotated", ines)
            .target("provider_key", "pk-anthropic-main", "Anthropic, production")
            .changed(r#"{"version":11}"#, r#"{"version":12}"#)
            .say("as a precaution"),
    );
    week.add(
        step(75, "guardrail_config.updated", ines)
            .target("guardrail", "gr-crm-export", "Exports from the CRM")
            .changed(
                r#"{"action":"allow","applies_to":["*"]}"#,
                r#"{"action":"require_approval","applies_to":["*"],"approvers":["security"]}"#,
            )
            .say("exports from the CRM need a second person from now on"),
    );
}

/// The next working day: what happened, what it was worth, and how it goes on.
fn review(week: &mut Week, day: u64) {
    let (olivia, ines, chen) = (who("u-203"), who("u-201"), who("u-301"));
    let session = week.chance.uuid();
    let begin = day + 9 * HOUR + 30 * MINUTE;
    let step = |minute: u64, kind: &'static str, person: &Person| {
        Draft::new(begin + minute * MINUTE, "console", kind, "success")
            .person(person, person.office().unwrap_or(person.home), &session)
            .with("attributes.incident", NAME)
    };
    for n in 0..4 {
        week.add(step(7 * n, "data.log_read", olivia).with("attributes.page", count(n + 1)));
    }
    let breach = step(55, "security.breach", olivia)
        .say("18 412 customers are concerned; the authority is told within 72 hours")
        .with("attributes.rows", 18_412)
        .with("attributes.cost", dollars(BUDGET));
    week.add(breach.target("dataset", "crm-9001", "Customers, Europe, with addresses"));
    let report = step(80, "data.report_generated", olivia).say(format!("report about {NAME}"));
    week.add(report.target("report", "rep-2047", "Incident report"));
    week.add(
        step(95, "policy.updated", ines)
            .target("policy", "pol-keys", "Keys of contractors")
            .changed(
                r#"{"ip_allow_required":false,"max_budget":"1000.00","expires_days":null}"#,
                r#"{"ip_allow_required":true,"max_budget":"100.00","expires_days":30}"#,
            )
            .say("contractors' keys are bound to an address, a month and 100 dollars"),
    );
    let id = format!("apr-{}", week.chance.hex(10));
    approval(
        week,
        begin + 130 * MINUTE,
        &id,
        "new-key-for-contractor",
        (chen, ines),
        "a new key for u-901",
        true,
    );
    week.add(
        step(170, "key.created", chen)
            .target("key", "vk-contractor-etl-2", "Contractors, warehouse migration")
            .changed(
                "null",
                r#"{"models":["gpt-5-mini"],"max_budget":"50.00","ip_allow":["192.0.2.91/32"],"expires_days":30}"#,
            ),
    );
    let told = step(240, "security.incident", ines)
        .with("severity", "info")
        .say(format!("{NAME} is closed: lessons are in the report"));
    week.add(told.target("report", "rep-2047", "Incident report"));
    week.add(
        step(200, "prompt.updated", ines)
            .target("prompt", "prompt-support-bot", SUPPORT_BOT.name)
            .changed(r#"{"version":31}"#, r#"{"version":32}"#)
            .say("the bot no longer reads notes on orders as instructions"),
    );
}
