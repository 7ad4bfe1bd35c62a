//! The questions that every system is asked, with the answers that the data has.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use bench::data::Generator;
use event::{Limits, Value, json, time};

use crate::client::percent;
use crate::events::DataHash;
use crate::saved::{number, object};

pub(crate) struct Question {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
}

pub(crate) const QUESTIONS: &[Question] = &[
    Question { name: "rare_actor", about: "newest 100 of a rare person, with their number" },
    Question {
        name: "type_status",
        about: "failed calls of models in a third of the time, newest 100, exact number",
    },
    Question { name: "two_words", about: "two words in any text, newest 100, exact number" },
    Question { name: "network", about: "addresses in a /24, newest 100, exact number" },
    Question { name: "cost_by_actor", about: "the ten people with the highest cost" },
    Question { name: "histogram", about: "histogram by type, hourly" },
    Question { name: "by_id", about: "one event by its sender's id" },
    Question { name: "deep_page", about: "100 in the middle, by cursor" },
    Question { name: "newest", about: "newest 100 of everything" },
];

/// Pages for people, which nobody else has: asked by somebody who has signed in.
pub(crate) const PAGES: &[Question] = &[
    Question { name: "page_all", about: "search page: everything at any time, bars and values over all" },
    Question { name: "page_failed", about: "search page: failures at any time, bars and values over all" },
    Question { name: "page_person", about: "search page: a rare person at any time" },
    Question { name: "page_overview", about: "overview" },
];

/// Ids that are looked up.
const IDS: usize = 200;

/// What is asked for, chosen by how often the data has it, and how often that is.
pub(crate) struct Asked {
    pub(crate) events: usize,
    pub(crate) seed: u64,
    pub(crate) hash: u64,
    actor: String,
    actor_count: u64,
    from: String,
    to: String,
    failed_count: u64,
    words: [String; 2],
    words_count: u64,
    /// The first three numbers of addresses.
    network: String,
    network_count: u64,
    top_actor: String,
    /// Millionths of a dollar.
    top_cost: u64,
    ids: Vec<String>,
}

impl Asked {
    /// Reads the data twice: once to choose, and once to count.
    pub(crate) fn of(events: usize, seed: u64) -> Result<Asked> {
        let mut actors: HashMap<String, u64> = HashMap::new();
        let mut costs: HashMap<String, u64> = HashMap::new();
        let mut networks: HashMap<String, u64> = HashMap::new();
        let mut words: HashMap<String, u64> = HashMap::new();
        let (mut first, mut last) = (i64::MAX, i64::MIN);
        let mut ids = Vec::new();
        let mut n = 0;
        let hash = each(events, seed, |event| {
            *actors.entry(event.actor.to_owned()).or_default() += 1;
            *networks.entry(event.network().to_owned()).or_default() += 1;
            if event.cost > 0 {
                *costs.entry(event.actor.to_owned()).or_default() += event.cost;
            }
            let mut here: Vec<_> = event.words().collect();
            here.sort_unstable();
            here.dedup();
            here.into_iter().for_each(|word| *words.entry(word.to_owned()).or_default() += 1);
            (first, last) = (first.min(event.time), last.max(event.time));
            if n % events.div_ceil(IDS) == 0 {
                ids.push(event.id.to_owned());
            }
            n += 1;
        })?;
        let near = |counts: &HashMap<String, u64>, wanted: u64| -> Result<String> {
            let nearest = counts.iter().min_by_key(|(name, count)| (count.abs_diff(wanted), name.as_str()));
            Ok(nearest.context("there are too few events")?.0.clone())
        };
        let third = (last - first) / 3;
        let (top_actor, top_cost) = costs
            .iter()
            .max_by_key(|(name, cost)| (**cost, name.as_str()))
            .context("nothing costs anything")?;
        let mut asked = Asked {
            events,
            seed,
            hash,
            actor: near(&actors, 20)?,
            actor_count: 0,
            from: time::format_ns(first + third),
            to: time::format_ns(first + 2 * third),
            failed_count: 0,
            words: [near(&words, events as u64 / 60)?, near(&words, events as u64 / 150)?],
            words_count: 0,
            network: near(&networks, events as u64 / 2000)?,
            network_count: 0,
            top_actor: top_actor.clone(),
            top_cost: *top_cost,
            ids,
        };
        asked.actor_count = actors[&asked.actor];
        asked.network_count = networks[&asked.network];
        each(events, seed, |event| {
            let in_time = (first + third..first + 2 * third).contains(&event.time);
            asked.failed_count += u64::from(event.failed && event.kind == "llm.completion" && in_time);
            asked.words_count +=
                u64::from(asked.words.iter().all(|wanted| event.words().any(|word| word == wanted)));
        })?;
        Ok(asked)
    }

    /// For the peers' programs.
    pub(crate) fn to_json(&self) -> Value<'static> {
        let text = |text: &str| Value::from(text.to_owned());
        let texts = |all: &[String]| Value::from(all.iter().map(|one| text(one)).collect::<Vec<_>>());
        let count = |count: u64| number(count as f64);
        object([
            ("events", number(self.events as f64)),
            ("seed", number(self.seed as f64)),
            ("hash", Value::from(format!("{:016x}", self.hash))),
            ("rare_actor", object([("actor", text(&self.actor)), ("count", count(self.actor_count))])),
            (
                "type_status",
                object([
                    ("from", text(&self.from)),
                    ("to", text(&self.to)),
                    ("count", count(self.failed_count)),
                ]),
            ),
            ("two_words", object([("words", texts(&self.words)), ("count", count(self.words_count))])),
            (
                "network",
                object([
                    ("network", Value::from(format!("{}.0/24", self.network))),
                    ("count", count(self.network_count)),
                ]),
            ),
            ("cost_by_actor", object([("actor", text(&self.top_actor)), ("micros", count(self.top_cost))])),
            ("by_id", object([("ids", texts(&self.ids))])),
        ])
    }

    /// What our server is asked, and the number it must find; the `run`th time.
    pub(crate) fn request(&self, question: &Question, run: usize, cursor: &str) -> (String, Option<u64>) {
        let events = |filter: &str, more: &str| format!("/v1/events?q={}&limit=100{more}", percent(filter));
        let page = |filter: &str| format!("/search?from=all&q={}", percent(filter));
        match question.name {
            "rare_actor" => {
                (events(&format!("actor.id:{}", self.actor), "&count=exact"), Some(self.actor_count))
            }
            "type_status" => {
                let filter =
                    format!("type:llm.completion status:failed time>=\"{}\" time<\"{}\"", self.from, self.to);
                (events(&filter, "&count=exact"), Some(self.failed_count))
            }
            "two_words" => (events(&self.words.join(" "), "&count=exact"), Some(self.words_count)),
            "network" => {
                (events(&format!("actor.ip:{}.0/24", self.network), "&count=exact"), Some(self.network_count))
            }
            "cost_by_actor" => ("/v1/events/top?group=actor.id&sum=llm.cost&n=10".to_owned(), None),
            "histogram" => ("/v1/events/histogram?interval=1h&by=type&n=20".to_owned(), None),
            "by_id" => (format!("/v1/events/{}", self.ids[run % self.ids.len()]), None),
            "deep_page" => (format!("/v1/events?limit=100&cursor={}", percent(cursor)), None),
            "newest" => ("/v1/events?limit=100".to_owned(), None),
            "page_all" => (page(""), None),
            "page_failed" => (page("status:failed"), None),
            "page_person" => (page(&format!("actor.id:{}", self.actor)), None),
            "page_overview" => ("/overview".to_owned(), None),
            other => unreachable!("{other} is no question"),
        }
    }

    /// What must stand in an answer that has no number.
    pub(crate) fn must_say(&self, question: &Question, run: usize) -> Option<&str> {
        match question.name {
            "cost_by_actor" => Some(&self.top_actor),
            "histogram" | "page_all" | "page_failed" => Some("llm.completion"),
            "page_person" => Some(&self.actor),
            "page_overview" => Some("Overview of "),
            "by_id" => Some(&self.ids[run % self.ids.len()]),
            _ => None,
        }
    }
}

/// What the questions are about.
struct Facts<'e> {
    id: &'e str,
    kind: &'e str,
    failed: bool,
    time: i64,
    actor: &'e str,
    address: &'e str,
    cost: u64,
    texts: Vec<&'e str>,
}

impl Facts<'_> {
    fn network(&self) -> &str {
        self.address.rsplit_once('.').map_or("", |(network, _)| network)
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().flat_map(|text| text.split(' '))
    }
}

fn each(events: usize, seed: u64, mut look: impl FnMut(&Facts<'_>)) -> Result<u64> {
    let (mut generator, mut line, mut hash) = (Generator::new(seed), Vec::new(), DataHash::new());
    for _ in 0..events {
        line.clear();
        generator.next(&mut line);
        hash.add(&line);
        let event = json::parse(&line, &Limits::default())
            .map_err(|refusal| anyhow::anyhow!("{}", refusal.reason))?;
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
        let mut texts: Vec<&str> =
            ["/message", "/attributes/subject", "/attributes/query"].iter().filter_map(|p| text(p)).collect();
        let targets = event.get("targets").and_then(Value::as_array).unwrap_or_default();
        texts.extend(targets.iter().filter_map(|target| target.get("name")?.as_str()));
        // Always six digits after the point.
        let cost = text("/llm/cost").map_or(Ok(0), |cost| cost.replace('.', "").parse())?;
        look(&Facts {
            id: text("/source_id").context("an event has an id")?,
            kind: text("/type").context("an event has a type")?,
            failed: text("/status") == Some("failure"),
            time: time::parse(text("/time").unwrap_or_default()).map_err(anyhow::Error::msg)?,
            actor: text("/actor/id").unwrap_or_default(),
            address: text("/actor/ip").unwrap_or_default(),
            cost,
            texts,
        });
    }
    ensure!(events > 0, "there are no events");
    Ok(hash.0)
}

/// The questions with their answers, as JSON.
pub(crate) fn print(events: usize, seed: u64) -> Result<()> {
    println!("{}", String::from_utf8_lossy(&Asked::of(events, seed)?.to_json().to_jcs()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_questions_are_about_something() {
        let asked = Asked::of(20_000, 1).unwrap();
        assert!((10..40).contains(&asked.actor_count), "{}", asked.actor_count);
        assert!(asked.failed_count > 50 && asked.words_count > 2 && asked.network_count > 5);
        assert!(asked.from < asked.to && asked.top_cost > 0 && asked.ids.len() == IDS);
        let all = QUESTIONS.iter().chain(PAGES);
        let names: BTreeMap<_, _> = all.map(|q| (q.name, asked.request(q, 0, "c"))).collect();
        assert_eq!(names.len(), QUESTIONS.len() + PAGES.len());
        assert!(names["two_words"].0.starts_with("/v1/events?q="));
        // The same data, so the same questions for everybody.
        let json = String::from_utf8(asked.to_json().to_jcs()).unwrap();
        assert_eq!(json, String::from_utf8(Asked::of(20_000, 1).unwrap().to_json().to_jcs()).unwrap());
    }

    /// The language, the data and our counts agree, so that a server that counts otherwise is wrong.
    #[test]
    fn the_filters_find_as_many_events_as_there_are() {
        const EVENTS: usize = 6000;
        let asked = Asked::of(EVENTS, 1).unwrap();
        let filters: Vec<_> = ["rare_actor", "type_status", "two_words", "network"]
            .into_iter()
            .map(|name| {
                let question = QUESTIONS.iter().find(|question| question.name == name).unwrap();
                let (path, expected) = asked.request(question, 0, "");
                let text = path.split_once("q=").unwrap().1.split_once('&').unwrap().0;
                let filter =
                    query::Filter::parse(&decoded(text)).unwrap_or_else(|error| panic!("{text}: {error}"));
                (name, filter.predicate(), expected.unwrap())
            })
            .collect();
        let mut found = [0; 4];
        let (mut generator, mut line) = (Generator::new(1), Vec::new());
        for _ in 0..EVENTS {
            line.clear();
            generator.next(&mut line);
            let Ok(Value::Object(mut event)) = json::parse(&line, &Limits::default()) else {
                panic!("no event")
            };
            // As it is stored.
            if event.get("status").and_then(Value::as_str) == Some("failure") {
                event.insert("status", "failed");
            }
            let event = Value::Object(event);
            for (found, (_, predicate, _)) in found.iter_mut().zip(&filters) {
                *found += u64::from(predicate.matches(&event));
            }
        }
        for (found, (name, _, expected)) in found.iter().zip(&filters) {
            assert!(*found > 0 && found == expected, "{name}: {found} found, {expected} expected");
        }
    }

    fn decoded(text: &str) -> String {
        let mut parts = text.split('%');
        let mut bytes = parts.next().unwrap().as_bytes().to_vec();
        for part in parts {
            bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
            bytes.extend_from_slice(&part.as_bytes()[2..]);
        }
        String::from_utf8(bytes).unwrap()
    }
}
