//! The week while it is made up: drafts of events in any order, and the calendar that they are put into.

use std::collections::HashMap;

use event::{Limits, Object, Value, json, time};

use super::cast::{Agent, Key, Model, Person};
use super::chance::{Chance, mix};
use crate::output::{count, object, text};

pub(super) const SECOND: u64 = 1000;
pub(super) const MINUTE: u64 = 60 * SECOND;
pub(super) const HOUR: u64 = 60 * MINUTE;
pub(super) const DAY: u64 = 24 * HOUR;
/// Whole days before the one that has begun.
const DAYS: u64 = 7;

pub(super) struct Week {
    pub(super) chance: Chance,
    /// The midnight (UTC) before the end, in milliseconds since 1970.
    today: u64,
    drafts: Vec<Draft>,
}

impl Week {
    pub(super) fn new(seed: u64, end_ms: u64) -> Week {
        // No earlier than the calendar of events goes, whatever the clock says.
        let today = (end_ms - end_ms % DAY).max((DAYS + 7) * DAY);
        // The same day gives the same events up to now, so that a second run adds nothing but the time between.
        Week { chance: Chance::new(mix(seed) ^ today), today, drafts: Vec::new() }
    }

    /// Midnights (UTC) of the days, the one that has begun included.
    pub(super) fn days(&self) -> impl Iterator<Item = u64> + use<> {
        let first = self.today - DAYS * DAY;
        (0..=DAYS).map(move |n| first + n * DAY)
    }

    /// Midnight (UTC) of the `n`th working day before today; the first is the latest.
    pub(super) fn workday(&self, n: usize) -> u64 {
        let days = (1..=DAYS).map(|back| self.today - back * DAY);
        days.filter(|day| !is_weekend(*day)).nth(n - 1).expect("seven days have five working days")
    }

    pub(super) fn add(&mut self, draft: Draft) {
        let source_id = self.chance.uuid();
        self.drafts.push(draft.with("source_id", source_id));
    }

    /// The events that happened before `end_ms`, in order of time, each with its number in its producer's sequence.
    pub(super) fn events(mut self, end_ms: u64) -> Vec<Value<'static>> {
        self.drafts.sort_by_key(|draft| draft.at);
        let mut numbers: HashMap<&str, u64> = HashMap::new();
        let happened = self.drafts.into_iter().take_while(|draft| draft.at < end_ms);
        let events = happened.map(|draft| {
            let number = numbers.entry(draft.producer).or_default();
            *number += 1;
            let draft = draft.with("producer_seq", count(*number));
            Value::Object(draft.tree)
        });
        events.collect()
    }
}

/// Saturdays and Sundays; the first day of 1970 was a Thursday.
pub(super) fn is_weekend(at: u64) -> bool {
    matches!(at / DAY % 7, 2 | 3)
}

/// An event without its number.
pub(super) struct Draft {
    pub(super) at: u64,
    producer: &'static str,
    tree: Object<'static>,
}

impl Draft {
    pub(super) fn new(at: u64, producer: &'static str, kind: &'static str, status: &'static str) -> Draft {
        let draft = Draft { at, producer, tree: Object::new() };
        draft
            .with("time", time::format_ms(at))
            .with("type", kind)
            .with("status", status)
            .with("producer", producer)
            .with("environment", "production")
    }

    /// Sets a field, named as in the table of fields.
    pub(super) fn with(mut self, path: &str, value: impl Into<Value<'static>>) -> Draft {
        put(&mut self.tree, path, value.into());
        self
    }

    pub(super) fn say(self, message: impl Into<String>) -> Draft {
        self.with("message", message.into())
    }

    /// Who did it: a person, from an address.
    pub(super) fn person(self, person: &Person, address: &str, session: &str) -> Draft {
        let agents = [
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/26.0 Safari/605.1.15",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36",
            "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
        ];
        let number: usize = person.id[2..].parse().expect("ids end with a number");
        self.with("actor.type", "user")
            .with("actor.id", person.id)
            .with("actor.email", person.email())
            .with("actor.name", person.name)
            .with("actor.ip", address.to_owned())
            .with("actor.user_agent", agents[number % agents.len()])
            .with("actor.session_id", session.to_owned())
            .with("actor.auth_method", "sso")
            .with("actor.roles", vec![Value::from(person.role)])
            .with("attributes.team", person.team)
            .with("attributes.geo.country", person.country)
            .with("attributes.geo.city", person.city)
    }

    /// Who did it: a program with a key of its own.
    pub(super) fn agent(self, agent: &'static Agent, session: &str) -> Draft {
        let draft = self
            .with("actor.type", agent.kind)
            .with("actor.id", agent.id)
            .with("actor.name", agent.name)
            .with("actor.ip", agent.address)
            .with("actor.user_agent", format!("{}/{}", &agent.id[4..], agent.version))
            .with("actor.session_id", session.to_owned())
            .with("project", agent.project)
            .with("app_version", agent.version)
            .key(agent.key());
        match agent.kind {
            "agent" => draft
                .with("agent.id", agent.id)
                .with("agent.name", agent.name)
                .with("agent.version", agent.version)
                .with("agent.run_id", session.to_owned()),
            _ => draft,
        }
    }

    /// For whom it was done, nearest first.
    pub(super) fn on_behalf_of(self, agents: &[&Agent], person: &Person) -> Draft {
        let agents = agents.iter().map(|agent| {
            object(vec![("type", text(agent.kind)), ("id", text(agent.id)), ("name", text(agent.name))])
        });
        let person = object(vec![
            ("type", text("user")),
            ("id", text(person.id)),
            ("email", text(person.email())),
            ("name", text(person.name)),
        ]);
        self.with("actor.on_behalf_of", agents.chain([person]).collect::<Vec<_>>())
    }

    pub(super) fn key(self, key: &Key) -> Draft {
        self.with("actor.api_key_hash", key.hash()).with("actor.auth_method", "api_key")
    }

    pub(super) fn target(self, kind: &str, id: &str, name: &str) -> Draft {
        let target = object(vec![("type", text(kind)), ("id", text(id)), ("name", text(name))]);
        self.with("targets", vec![target])
    }

    /// The values before and after, as JSON.
    pub(super) fn changed(self, before: &'static str, after: &'static str) -> Draft {
        self.with("changes.before", read(before)).with("changes.after", read(after))
    }

    pub(super) fn trace(self, trace: &str) -> Draft {
        self.with("trace_id", trace.to_owned())
    }

    /// What a guardrail found, and did about it.
    pub(super) fn verdict(self, guardrail: Guardrail) -> Draft {
        let verdict = if guardrail.action == "block" { "deny" } else { guardrail.action };
        let found = object(vec![
            ("name", text(guardrail.name)),
            ("provider", text(guardrail.provider)),
            ("mode", text("pre_call")),
            ("verdict", text(verdict)),
            ("action", text(guardrail.action)),
            ("rule", text(guardrail.rule)),
            ("score", thousandths(guardrail.score)),
            ("categories", Value::from(vec![text(guardrail.category)])),
        ]);
        self.with("llm.guardrails", vec![found])
    }
}

pub(super) struct Guardrail {
    pub(super) name: &'static str,
    pub(super) provider: &'static str,
    pub(super) rule: &'static str,
    pub(super) category: &'static str,
    /// allow, modify or block
    pub(super) action: &'static str,
    /// Thousandths.
    pub(super) score: u64,
}

impl Week {
    /// A chat completion that was answered. What it cost is returned in billionths of a dollar.
    pub(super) fn completion(
        &mut self,
        at: u64,
        gateway: &'static str,
        model: &Model,
        tokens: (u64, u64),
    ) -> (Draft, u64) {
        let chance = &mut self.chance;
        let (input, output) = tokens;
        let cached = if chance.of_thousand(250) { input / 100 * chance.between(30, 90) } else { 0 };
        // A cent for a million tokens is ten billionths of a dollar for one.
        let nanos = 10 * (input * model.cents.0 + output * model.cents.1);
        let first = 180 + chance.below(500) + input / 60;
        let latency = first + output * model.pace / 100;
        let reason = chance.weighted(&[92, 3, 5]);
        let draft = Draft::new(at + latency, gateway, "llm.completion", "success")
            .with("action", "chat.completions")
            .with("request_id", format!("req_{}", chance.hex(20)))
            .with("llm.provider", model.provider)
            .with("llm.model", model.name)
            .with("llm.operation", "chat")
            .with("llm.tokens_input", count(input))
            .with("llm.tokens_output", count(output))
            .with("llm.tokens_total", count(input + output))
            .with("llm.tokens_cached", count(cached))
            .with("llm.cost", dollars(nanos))
            .with("llm.latency_ms", count(latency))
            .with("llm.time_to_first_token_ms", count(first))
            .with("llm.stream", chance.of_thousand(700))
            .with("llm.response_id", format!("resp_{}", chance.hex(24)))
            .with("llm.prompt_fingerprint", chance.hex(64))
            .with("llm.finish_reasons", vec![Value::from(["stop", "length", "tool_calls"][reason])])
            .with("llm.parameters.temperature", thousandths(*chance.pick(&[0, 200, 700, 1000])));
        (draft, nanos)
    }
}

/// Billionths of a dollar as a decimal.
pub(super) fn dollars(nanos: u64) -> String {
    let text = format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

pub(super) fn thousandths(n: u64) -> Value<'static> {
    Value::number(n as f64 / 1000.0).expect("small numbers are finite")
}

fn read(text: &'static str) -> Value<'static> {
    json::parse(text.as_bytes(), &Limits::default()).expect("the JSON is ours")
}

fn put(object: &mut Object<'static>, path: &str, value: Value<'static>) {
    match path.split_once('.') {
        None => drop(object.insert(path.to_owned(), value)),
        Some((block, rest)) => {
            if object.get(block).is_none() {
                object.insert(block.to_owned(), Object::new());
            }
            match object.get_mut(block) {
                Some(Value::Object(inner)) => put(inner, rest, value),
                _ => unreachable!("{block} is a block"),
            }
        }
    }
}
