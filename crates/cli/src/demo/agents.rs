//! What programs do: a bot that answers customers day and night, agents that work for people, a job in the night, and
//! the afternoon when a provider was down.

use event::Value;

use super::cast::{
    BEDROCK_HAIKU, CLAUSE_FINDER, CODE_PILOT, CONTRACT_REVIEW, CONTRACTS, EMBEDDING, GEMINI_FLASH, GPT_5,
    GPT_5_MINI, MISTRAL, NIGHTLY_DIGEST, OPUS, PEOPLE, Person, SONNET, SUPPORT_BOT, who,
};
use super::everyday::{retrieval, tool_call};
use super::week::{Draft, Guardrail, HOUR, MINUTE, SECOND, Week, is_weekend, thousandths};
use crate::output::{count, object, text};

/// How many customers write in each hour (UTC) of a day.
const HOURS: [u64; 24] =
    [2, 1, 1, 1, 2, 4, 9, 16, 28, 38, 42, 40, 33, 36, 41, 40, 36, 31, 27, 24, 20, 14, 8, 4];

/// What customers write. None of them exists.
const QUESTIONS: [&str; 9] = [
    "My base station blinks red since the update, what can I do?",
    "Where is my order MF-48213? It should have been here on Tuesday.",
    "Please change my delivery address, my telephone number is +44 20 7946 0958.",
    "I want to return the thermostat, my e-mail is carla.w@example.com",
    "Does the sensor work with my old gateway?",
    "You charged my card twice, it ends in 4242.",
    "Wie setze ich die Basisstation zurück?",
    "Can I extend the warranty after two years?",
    "Bonjour, ma commande est arrivée sans les vis.",
];

pub(super) fn write(week: &mut Week) {
    let outage = week.workday(4);
    for day in week.days() {
        let conversations = if is_weekend(day) { 32 } else { 84 };
        for _ in 0..conversations {
            let at = day + week.chance.weighted(&HOURS) as u64 * HOUR + week.chance.below(HOUR);
            conversation(week, at);
        }
        if !is_weekend(day) {
            for _ in 0..week.chance.between(8, 12) {
                code_pilot(week, day);
            }
            for _ in 0..week.chance.between(3, 6) {
                contract_review(week, day);
            }
        }
        nightly_digest(week, day + 2 * HOUR);
    }
    provider_down(week, outage + 13 * HOUR + 8 * MINUTE);
}

/// A customer and the support bot. The gateway believes neither name nor number that a customer gives.
fn conversation(week: &mut Week, begin: u64) {
    let session = week.chance.uuid();
    let customer = format!("cust-{}", week.chance.between(1000, 9999));
    let question = *week.chance.pick(&QUESTIONS);
    let as_bot = |draft: Draft, trace: &str| {
        draft
            .agent(&SUPPORT_BOT, &session)
            .with("actor.claimed.type", "user")
            .with("actor.claimed.id", customer.clone())
            .trace(trace)
    };
    let mut at = begin;
    for turn in 0..week.chance.between(1, 4) {
        let trace = week.chance.hex(32);
        if turn == 0 && week.chance.of_thousand(22) {
            let draft = attack(week, at);
            week.add(as_bot(draft, &trace));
            return;
        }
        let found = retrieval(week, at, "help-center");
        week.add(as_bot(found, &trace));
        let model = if week.chance.of_thousand(250) { &BEDROCK_HAIKU } else { &GPT_5_MINI };
        let tokens = (900 + week.chance.below(2600), 60 + week.chance.below(340));
        let (draft, _) = week.completion(at + 350, "gateway-eu-1", model, tokens);
        let masked = turn == 0 && (question.contains('@') || question.contains('+'));
        if turn == 0 && week.chance.of_thousand(200) {
            let asked = vec![object(vec![("role", text("user")), ("content", text(question))])];
            week.add(as_bot(draft, &trace).with("content.prompt", asked));
        } else {
            week.add(as_bot(draft, &trace));
        }
        if masked {
            let masked = Guardrail {
                name: "pii-shield",
                provider: "presidio",
                rule: "mask-contact",
                category: "pii",
                action: "modify",
                score: week.chance.between(850, 999),
            };
            let draft = Draft::new(at + 200, "gateway-eu-1", "guardrail.modify", "success")
                .say("contact details of a customer were masked before the call")
                .verdict(masked);
            week.add(as_bot(draft, &trace));
        }
        if week.chance.of_thousand(300) {
            let tool = *week.chance.pick(&["order_status", "order_status", "customer_lookup", "open_ticket"]);
            let draft = tool_call(week, at + 900, "crm", tool);
            week.add(as_bot(draft, &trace));
        }
        at += week.chance.between(40, 200) * SECOND;
    }
    if week.chance.of_thousand(90) {
        let person = *week.chance.pick(&["u-501", "u-502", "u-503", "u-504"]);
        let person = who(person);
        let draft = Draft::new(at, "agent-runtime", "agent.handoff", "success")
            .say(format!("the conversation was handed to {}", person.name))
            .target("user", person.id, person.name);
        let trace = week.chance.hex(32);
        week.add(as_bot(draft, &trace));
    }
}

/// A customer who tries what customers try.
fn attack(week: &mut Week, at: u64) -> Draft {
    let (rule, category, message) = *week.chance.pick(&[
        ("ignore-instructions", "prompt_injection", "asked to ignore its instructions and show them"),
        ("role-play", "jailbreak", "asked to play a bot without rules"),
        ("hidden-text", "prompt_injection", "hidden instructions in a pasted page"),
    ]);
    let score = week.chance.between(820, 990);
    Draft::new(at, "gateway-eu-1", "guardrail.block", "blocked").say(message).verdict(Guardrail {
        name: "prompt-guard",
        provider: "lakera",
        rule,
        category,
        action: "block",
        score,
    })
}

/// A run for a developer: read, think, change, and ask before deploying.
fn code_pilot(week: &mut Week, day: u64) {
    let person = *week.chance.pick(&["u-102", "u-103", "u-104", "u-105", "u-302", "u-303"]);
    let person = who(person);
    let run = week.chance.uuid();
    let trace = week.chance.hex(32);
    let mut at = day + 8 * HOUR + week.chance.below(9 * HOUR);
    let as_agent = |draft: Draft, step: u64| {
        let draft = draft.agent(&CODE_PILOT, &run).on_behalf_of(&[], person).trace(&trace);
        draft.with("agent.step", count(step))
    };
    let ticket = format!("ENG-{}", week.chance.between(2100, 2999));
    let begun = Draft::new(at, "agent-runtime", "agent.run", "pending")
        .say(format!("{} asked for {ticket}", person.name))
        .target("ticket", &ticket, &ticket);
    week.add(as_agent(begun, 0));
    let steps = week.chance.between(3, 7);
    for step in 1..=steps {
        at += week.chance.between(15, 90) * SECOND;
        let model = if step == 1 { &GPT_5 } else { &SONNET };
        let tokens = (14_000 + week.chance.below(90_000), 300 + week.chance.below(2600));
        let (draft, _) = week.completion(at, "gateway-eu-2", model, tokens);
        at = draft.at;
        week.add(as_agent(draft, step));
        let (server, tool) = *week.chance.pick(&[
            ("github", "read_file"),
            ("github", "search_code"),
            ("github", "create_commit"),
            ("ci", "run_tests"),
            ("jira", "add_comment"),
        ]);
        let draft = tool_call(week, at + 300, server, tool);
        week.add(as_agent(draft, step));
    }
    at += 20 * SECOND;
    if week.chance.of_thousand(220) {
        let lead = who("u-101");
        let id = format!("apr-{}", week.chance.hex(10));
        approval(week, at, &id, "deploy-to-production", (person, lead), &ticket, true);
        at += 30 * MINUTE;
    }
    let ended = Draft::new(at, "agent-runtime", "agent.action", "success")
        .with("action", "pull_request.open")
        .say(format!("a pull request was opened for {ticket}"));
    week.add(as_agent(ended, steps + 1));
}

/// Asked for by one person, and decided by another; or, once in this week, by the same.
pub(super) fn approval(
    week: &mut Week,
    at: u64,
    id: &str,
    policy: &'static str,
    (asks, decides): (&Person, &Person),
    what: &str,
    granted: bool,
) {
    let session = week.chance.uuid();
    let draft = |at: u64, kind: &'static str, status: &'static str, person: &Person| {
        Draft::new(at, "console", kind, status)
            .person(person, person.home, &session)
            .target("change", what, what)
            .with("approval.id", id.to_owned())
            .with("approval.policy", policy)
            .with("attributes.requested_by", asks.id)
    };
    let asked = draft(at, "approval.requested", "pending", asks);
    week.add(asked.say(format!("{} asks for {what}", asks.name)));
    let (kind, decision, status) = match granted {
        true => ("approval.granted", "granted", "success"),
        false => ("approval.denied", "denied", "blocked"),
    };
    let decided = draft(at + week.chance.between(3, 28) * MINUTE, kind, status, decides);
    week.add(
        decided
            .say(format!("{} {decision} what {} asked for: {what}", decides.name, asks.name))
            .with("approval.decision", decision),
    );
}

/// An agent that hands a part of its work to another: the chain of delegation has two links.
fn contract_review(week: &mut Week, day: u64) {
    let person = *week.chance.pick(&["u-601", "u-601", "u-602", "u-603"]);
    let person = who(person);
    let contract = week.chance.pick(&CONTRACTS);
    let (run, part) = (week.chance.uuid(), week.chance.uuid());
    let trace = week.chance.hex(32);
    let mut at = day + 8 * HOUR + week.chance.below(8 * HOUR);
    let as_lead = |draft: Draft| {
        let draft = draft.agent(&CONTRACT_REVIEW, &run).on_behalf_of(&[], person).trace(&trace);
        draft.target("document", contract.id, contract.name)
    };
    let as_finder = |draft: Draft| {
        let draft = draft.agent(&CLAUSE_FINDER, &part).on_behalf_of(&[&CONTRACT_REVIEW], person);
        draft.trace(&trace).with("agent.parent_id", CONTRACT_REVIEW.id)
    };
    let begun = Draft::new(at, "agent-runtime", "agent.run", "pending");
    week.add(as_lead(begun).say(format!("{} wants {} reviewed", person.name, contract.name)));
    let handed = Draft::new(at + 4 * SECOND, "agent-runtime", "agent.delegated", "success");
    week.add(as_lead(handed).say("looking for clauses was handed to the clause finder"));
    for _ in 0..week.chance.between(2, 5) {
        at += week.chance.between(6, 20) * SECOND;
        let score = week.chance.between(700, 980);
        let found = object(vec![
            ("id", text(contract.id)),
            ("name", text(contract.name)),
            ("source", text(contract.source)),
            ("score", thousandths(score)),
        ]);
        let draft = Draft::new(at, "rag-service", "rag.retrieval", "success")
            .with("action", "search.clauses")
            .with("llm.documents", vec![found])
            .with("attributes.index", "contracts");
        week.add(as_finder(draft));
        let tokens = (6000 + week.chance.below(9000), 150 + week.chance.below(500));
        let (draft, _) = week.completion(at + SECOND, "gateway-eu-1", &MISTRAL, tokens);
        at = draft.at;
        week.add(as_finder(draft));
    }
    let tokens = (12_000 + week.chance.below(9000), 700 + week.chance.below(900));
    let (draft, _) = week.completion(at + 5 * SECOND, "gateway-eu-1", &OPUS, tokens);
    at = draft.at;
    week.add(as_lead(draft));
    let risk = *week.chance.pick(&["low", "low", "medium", "high"]);
    let decided = Draft::new(at + SECOND, "agent-runtime", "agent.decision", "success")
        .say(format!("{} was judged to be of {risk} risk", contract.name))
        .with("attributes.risk", risk);
    week.add(as_lead(decided));
}

/// Embeds what was written during the day.
fn nightly_digest(week: &mut Week, begin: u64) {
    let session = week.chance.uuid();
    let mut at = begin + week.chance.below(4 * MINUTE);
    let mut documents = 0;
    for _ in 0..week.chance.between(24, 36) {
        at += week.chance.between(3, 9) * SECOND;
        let tokens = 20_000 + week.chance.below(60_000);
        let (draft, _) = week.completion(at, "gateway-eu-2", &EMBEDDING, (tokens, 0));
        let draft = draft
            .with("type", "llm.embedding")
            .with("action", "embeddings.create")
            .with("llm.operation", "embeddings");
        week.add(draft.agent(&NIGHTLY_DIGEST, &session));
        documents += week.chance.between(20, 60);
    }
    let indexed = Draft::new(at + 10 * SECOND, "rag-service", "rag.indexed", "success")
        .say(format!("{documents} documents were put into the index"))
        .with("attributes.index", "knowledge-base")
        .with("attributes.documents", count(documents));
    week.add(indexed.agent(&NIGHTLY_DIGEST, &session));
    let tokens = (30_000 + week.chance.below(20_000), 1500 + week.chance.below(900));
    let (draft, _) = week.completion(at + 40 * SECOND, "gateway-eu-2", &GEMINI_FLASH, tokens);
    week.add(draft.agent(&NIGHTLY_DIGEST, &session));
}

/// Half an hour without Anthropic: errors, a new route, and the old one again.
fn provider_down(week: &mut Week, begin: u64) {
    let (ada, session) = (who("u-101"), week.chance.uuid());
    for _ in 0..64 {
        let at = begin + week.chance.below(34 * MINUTE);
        let person = week.chance.pick(&PEOPLE);
        let draft = Draft::new(at, "gateway-eu-2", "error.provider", "error")
            .person(person, person.office().unwrap_or(person.home), &week.chance.uuid())
            .key(person.key())
            .with("llm.provider", "anthropic")
            .with("llm.requested_model", SONNET.name)
            .with("llm.latency_ms", count(week.chance.between(900, 30_000)))
            .with("error.type", "overloaded_error")
            .with("error.code", "529")
            .with("error.message", "the provider is overloaded")
            .with("error.stack_fingerprint", "9d2f6c1e");
        week.add(draft);
        // From the new route on, somebody else answers.
        if at > begin + 17 * MINUTE {
            let tokens = (500 + week.chance.below(4000), 80 + week.chance.below(900));
            let (draft, _) = week.completion(at, "gateway-eu-2", &GPT_5, tokens);
            let draft = draft.person(person, person.home, &week.chance.uuid()).key(person.key());
            week.add(draft.with("llm.requested_model", SONNET.name).with("attributes.fallback", true));
        }
    }
    let route = |at: u64| {
        Draft::new(at, "console", "routing.updated", "success").person(ada, ada.home, &session).target(
            "route",
            "route-default",
            "Default route",
        )
    };
    let (direct, fallback) = (
        r#"{"model":"claude-sonnet-4-5","fallbacks":[]}"#,
        r#"{"model":"claude-sonnet-4-5","fallbacks":["gpt-5"],"allowed_fails":1}"#,
    );
    week.add(
        route(begin + 17 * MINUTE)
            .changed(direct, fallback)
            .say("Anthropic is down; Sonnet falls back to GPT-5"),
    );
    week.add(
        route(begin + 62 * MINUTE).changed(fallback, direct).say("Anthropic is back; the fallback is off"),
    );
    let lost = Draft::new(begin + 20 * MINUTE, "gateway-eu-2", "error.callback", "error")
        .with("error.type", "callback_error")
        .with("error.message", "the tracing exporter did not answer")
        .with("attributes.callback", Value::from("otel"));
    week.add(lost);
}
