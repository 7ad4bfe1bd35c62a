//! What people do on a day like any other: they log in, ask models, look things up, and go home.

use event::Value;

use super::cast::{CHAT, CHAT_WEIGHTS, HANDBOOK, Model, PEOPLE, Person, who};
use super::week::{DAY, Draft, Guardrail, HOUR, MINUTE, SECOND, Week, is_weekend, thousandths};
use crate::output::{object, text};

/// A person's day at work.
struct Shift<'p> {
    person: &'p Person,
    address: &'static str,
    session: String,
    begin: u64,
    end: u64,
    calls: u64,
}

pub(super) fn write(week: &mut Week) {
    for day in week.days() {
        for person in &PEOPLE {
            if is_weekend(day) || week.chance.of_thousand(70) {
                continue;
            }
            let at_office = week.chance.of_thousand(600);
            let address = person.office().filter(|_| at_office).unwrap_or(person.home);
            let begin = week.local(day, person, 8 * HOUR + 10 * MINUTE, 95 * MINUTE);
            let end = week.local(day, person, 16 * HOUR + 50 * MINUTE, 110 * MINUTE);
            let calls = week.chance.between(person.calls * 6 / 10, person.calls * 14 / 10 + 1);
            let session = week.chance.uuid();
            shift(week, &Shift { person, address, session, begin, end, calls });
        }
        odd_hours(week, day);
    }
}

/// One who works on Saturday nights, and one who is on call on Sundays.
fn odd_hours(week: &mut Week, day: u64) {
    let (person, hour, hours, calls) = match day / DAY % 7 {
        2 => (who("u-102"), 21, 4, 22),
        3 => (who("u-103"), 10, 2, 7),
        _ => return,
    };
    let begin = week.local(day, person, hour * HOUR, 30 * MINUTE);
    let session = week.chance.uuid();
    shift(week, &Shift { person, address: person.home, session, begin, end: begin + hours * HOUR, calls });
}

fn shift(week: &mut Week, shift: &Shift<'_>) {
    log_in(week, shift);
    for _ in 0..shift.calls {
        let at = week.chance.between(shift.begin + 5 * MINUTE, shift.end);
        // Most are at lunch then.
        let is_lunch = (at - shift.begin) / HOUR == 4;
        if !is_lunch || week.chance.of_thousand(300) {
            ask(week, shift, at);
        }
    }
    let left = if week.chance.of_thousand(450) {
        Draft::new(shift.end + week.chance.below(20 * MINUTE), "console", "auth.logout", "success")
    } else {
        Draft::new(shift.begin + 12 * HOUR, "console", "auth.session_expired", "success")
    };
    week.add(left.person(shift.person, shift.address, &shift.session));
}

fn log_in(week: &mut Week, shift: &Shift<'_>) {
    let trace = week.chance.hex(32);
    let step = |at: u64, producer: &'static str, kind: &'static str, status: &'static str| {
        Draft::new(at, producer, kind, status)
            .person(shift.person, shift.address, &shift.session)
            .trace(&trace)
            .with("attributes.identity_provider", "id.marlowfinch.example")
    };
    let mut at = shift.begin;
    week.add(step(at, "identity", "auth.sso_redirect", "success").with("action", "sso.start"));
    if week.chance.of_thousand(60) {
        at += week.chance.between(9, 25) * SECOND;
        let reason = *week.chance.pick(&["invalid_password", "mfa_declined", "mfa_timeout"]);
        week.add(
            step(at, "identity", "auth.failed_attempt", "failed")
                .with("action", "sso.authenticate")
                .with("attributes.failure_reason", reason)
                .with("attributes.attempts_count", 1),
        );
    }
    at += week.chance.between(7, 30) * SECOND;
    let factor = *week.chance.pick(&["passkey", "passkey", "totp", "push"]);
    week.add(step(at, "identity", "auth.mfa_verified", "success").with("attributes.factor", factor));
    at += week.chance.between(1, 4) * SECOND;
    week.add(step(at, "console", "auth.sso_login", "success").with("action", "sso.finish"));
    week.add(
        step(at + 120, "console", "auth.session_created", "success").with("attributes.lifetime_hours", 12),
    );
}

/// One question to a model, with what belongs to it.
fn ask(week: &mut Week, shift: &Shift<'_>, at: u64) {
    let person = shift.person;
    let trace = week.chance.hex(32);
    let gateway = gateway(person);
    let model: &Model = CHAT[week.chance.weighted(&CHAT_WEIGHTS)];
    let as_person = |draft: Draft| {
        draft
            .person(person, shift.address, &shift.session)
            .key(person.key())
            .trace(&trace)
            .with("project", person.team)
    };
    if let Some((guardrail, message)) = caught(week) {
        let blocked = guardrail.action == "block";
        let (kind, status) =
            if blocked { ("guardrail.block", "blocked") } else { ("guardrail.modify", "success") };
        let draft = Draft::new(at, gateway, kind, status).say(message).verdict(guardrail);
        week.add(as_person(draft).with("llm.requested_model", model.name));
        if blocked {
            return;
        }
    }
    let looks_up = matches!(person.team, "product" | "legal" | "support") && week.chance.of_thousand(300);
    let mut after = at;
    if looks_up {
        after += 300;
        let draft = retrieval(week, after, "knowledge-base");
        week.add(as_person(draft));
    }
    if week.chance.of_thousand(15) {
        let (kind, code, message) = *week.chance.pick(&[
            ("error.timeout", "504", "the provider did not answer within 60 s"),
            ("error.provider", "429", "the provider's own rate limit was reached"),
            ("error.validation", "400", "the prompt is longer than the model's context"),
        ]);
        let draft = Draft::new(after + 900, gateway, kind, "error")
            .with("llm.provider", model.provider)
            .with("llm.requested_model", model.name)
            .with("error.type", kind.trim_start_matches("error."))
            .with("error.code", code)
            .with("error.message", message)
            .with("error.stack_fingerprint", format!("{:016x}", 0x51ab_u64 * message.len() as u64));
        week.add(as_person(draft));
        return;
    }
    let tokens = (
        120 + week.chance.below(80) * week.chance.below(95),
        30 + week.chance.below(36) * week.chance.below(40),
    );
    let (draft, _) = week.completion(after, gateway, model, tokens);
    let answered = draft.at;
    week.add(as_person(draft));
    if matches!(person.team, "platform" | "data") && week.chance.of_thousand(140) {
        let (server, tool) = *week.chance.pick(&[
            ("github", "search_code"),
            ("github", "get_pull_request"),
            ("warehouse", "run_query"),
            ("jira", "get_issue"),
            ("grafana", "query_range"),
        ]);
        let draft = tool_call(week, answered + 200, server, tool);
        week.add(as_person(draft));
    }
}

/// What a guardrail says now and then about what people write.
fn caught(week: &mut Week) -> Option<(Guardrail, &'static str)> {
    let score = week.chance.between(780, 999);
    let (name, provider, rule, category, action, message) = match week.chance.below(1000) {
        0..28 => ("pii-shield", "presidio", "mask-email", "pii", "modify", "an e-mail address was masked"),
        28..38 => ("pii-shield", "presidio", "mask-phone", "pii", "modify", "a telephone number was masked"),
        38..43 => {
            ("pii-shield", "presidio", "block-card-number", "pii", "block", "a card number was in the prompt")
        }
        43..47 => ("secret-scan", "built-in", "aws-key", "secret", "block", "a cloud key was in the prompt"),
        _ => return None,
    };
    Some((Guardrail { name, provider, rule, category, action, score }, message))
}

pub(super) fn gateway(person: &Person) -> &'static str {
    match person.country {
        "US" => "gateway-us-1",
        _ if person.id.ends_with(['1', '3']) => "gateway-eu-1",
        _ => "gateway-eu-2",
    }
}

/// Documents with their scores: customers get those that were written for them.
pub(super) fn retrieval(week: &mut Week, at: u64, index: &'static str) -> Draft {
    let for_customers = index == "help-center";
    let of_index: Vec<_> =
        HANDBOOK.iter().filter(|document| !for_customers || document.source == index).collect();
    let first = week.chance.below(of_index.len() as u64) as usize;
    let found = week.chance.between(2, 5) as usize;
    let mut score = week.chance.between(800, 960);
    let mut documents = Vec::new();
    for document in of_index.iter().cycle().skip(first).take(found) {
        documents.push(object(vec![
            ("id", text(document.id)),
            ("name", text(document.name)),
            ("source", text(document.source)),
            ("score", thousandths(score)),
        ]));
        score -= week.chance.between(20, 140);
    }
    Draft::new(at, "rag-service", "rag.retrieval", "success")
        .with("action", "search.hybrid")
        .with("span_id", week.chance.hex(16))
        .with("llm.documents", Value::Array(documents))
        .with("attributes.index", index)
        .with("attributes.top_k", 5)
}

pub(super) fn tool_call(week: &mut Week, at: u64, server: &'static str, tool: &'static str) -> Draft {
    let failed = week.chance.of_thousand(30);
    let draft = Draft::new(at, "agent-runtime", "mcp.call", if failed { "error" } else { "success" })
        .with("action", "tools/call")
        .with("span_id", week.chance.hex(16))
        .with("tool.name", tool)
        .with("tool.type", "mcp")
        .with("tool.server", server)
        .with("tool.method", "tools/call")
        .with("tool.call_id", format!("call_{}", week.chance.hex(18)))
        .with("tool.arguments_fingerprint", week.chance.hex(64))
        .with("tool.latency_ms", thousandths(1000 * week.chance.between(40, 2600)));
    if failed {
        draft.with("error.type", "tool_error").with("error.message", "the tool gave up")
    } else {
        draft
    }
}

impl Week {
    /// A moment by the person's own clock, late by up to `spread`.
    fn local(&mut self, day: u64, person: &Person, time_of_day: u64, spread: u64) -> u64 {
        let ahead = person.ahead * MINUTE as i64;
        (day + time_of_day + self.chance.below(spread)).saturating_add_signed(-ahead)
    }
}
