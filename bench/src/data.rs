//! The stated data set: every figure we publish is measured on these events.
//!
//! Native events of about 880 bytes of JSON, the same bytes on every machine for a seed (integer arithmetic
//! only, no library's generator or floating point in between):
//!
//! * 13 types, weighted as in [`TYPES`]: half of the events are model completions; 59 actions.
//! * Users (50 000), addresses (20 000), keys (5 000) and words (20 000) follow Zipf with exponent 1. A user has a
//!   home address (60 % of events), a key (70 %), a client and roles.
//! * Unique: `source_id` (UUID v4) and `trace_id` of each event, `llm.prompt_fingerprint` and `request_id` of a call
//!   to a model, `llm.response_fingerprint` of 10 % of completions, `span_id` of tools, retrieval and guardrails.
//!   A session (UUID) lasts 8 events of its user.
//! * 5 % of events (budgets, configuration, roles) carry `changes` with before and after.
//! * Times rise by 0 to 20 ms from one event to the next. `producer_seq` counts from 1 for each of 4 producers.
//!
//! The first 1000 events of seed 1 have the FNV-1a hash that the test below pins.

use std::io::Write;

/// Type, weight in thousandths, severity, category of its details, actions.
type Type = (&'static str, u64, &'static str, Detail, &'static [&'static str]);

#[derive(Clone, Copy, PartialEq)]
enum Detail {
    Completion,
    Embedding,
    Tool,
    Retrieval,
    Guardrail,
    Auth,
    Change,
    Admin,
}

#[rustfmt::skip]
const TYPES: [Type; 13] = [
    ("llm.completion", 500, "info", Detail::Completion, &["chat.create", "chat.stream", "completion.create", "response.create", "response.stream", "message.create", "message.batch"]),
    ("llm.embedding", 70, "info", Detail::Embedding, &["embedding.create", "embedding.batch", "rerank.create"]),
    ("tool.call", 95, "info", Detail::Tool, &["search.web", "search.code", "file.read", "file.write", "shell.run", "browser.open", "ticket.create", "sql.query", "calendar.read", "mail.send"]),
    ("rag.retrieval", 70, "info", Detail::Retrieval, &["collection.query", "collection.hybrid", "document.fetch", "document.rank"]),
    ("guardrail.block", 30, "high", Detail::Guardrail, &["pii.block", "injection.block", "secret.block", "toxicity.block", "topic.block"]),
    ("auth.login", 75, "info", Detail::Auth, &["login.password", "login.sso", "login.token", "session.refresh"]),
    ("auth.failed_attempt", 30, "medium", Detail::Auth, &["login.password", "login.sso", "login.token", "mfa.verify", "key.verify"]),
    ("budget.updated", 20, "low", Detail::Change, &["budget.raise", "budget.lower", "budget.reset"]),
    ("routing.updated", 20, "medium", Detail::Change, &["route.update", "model.update", "limit.update", "cache.update", "guardrail.update", "alert.update"]),
    ("authz.role_changed", 10, "medium", Detail::Change, &["role.grant", "role.revoke", "team.add", "team.remove"]),
    ("key.created", 10, "medium", Detail::Admin, &["key.create", "key.rotate", "key.delete", "key.block"]),
    ("data.exported", 20, "medium", Detail::Admin, &["export.csv", "export.json", "report.create", "report.download"]),
    ("authz.model_access", 50, "low", Detail::Admin, &["model.list", "model.read", "usage.read"]),
];

const USERS: usize = 50_000;
const ADDRESSES: usize = 20_000;
const KEYS: usize = 5_000;
const WORDS: usize = 20_000;
const EVENTS_PER_SESSION: u32 = 8;
/// 2026-01-05T08:00:00Z.
const START_MS: u64 = 1_767_600_000_000;

#[rustfmt::skip]
const MODELS: [(&str, &str, u64); 12] = [
    ("openai", "gpt-4o", 25), ("openai", "gpt-4o-mini", 6), ("anthropic", "claude-sonnet-4-5", 30),
    ("azure", "gpt-4.1", 20), ("anthropic", "claude-haiku-4-5", 10), ("vertex", "gemini-2.5-pro", 25),
    ("bedrock", "anthropic.claude-sonnet-4-v1:0", 30), ("mistral", "mistral-large-latest", 20),
    ("openai", "o4-mini", 11), ("vertex", "gemini-2.5-flash", 5), ("groq", "llama-3.3-70b", 6), ("cohere", "command-r-plus", 25),
];
const AGENTS: [&str; 10] = [
    "openai-python/1.99.6",
    "anthropic-sdk-python/0.64.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/139.0.0.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X) Safari/605.1.15",
    "litellm/1.75.2",
    "langchain/0.3.27 python/3.12.4",
    "node-fetch/3.3.2",
    "curl/8.5.0",
    "go-http-client/2.0",
    "okhttp/4.12.0",
];
#[rustfmt::skip]
const FIRST: [&str; 24] = ["anna", "ben", "chen", "dara", "elif", "femi", "gita", "hugo", "ines", "jonas", "kaori", "liam",
    "maria", "nils", "olga", "pedro", "quinn", "rosa", "samir", "tara", "umar", "vera", "wei", "yusuf"];
#[rustfmt::skip]
const LAST: [&str; 24] = ["almeida", "becker", "castro", "dubois", "eriksen", "ferrari", "garcia", "haddad", "ivanov", "jansen",
    "kowalski", "larsen", "moreau", "nakamura", "okafor", "petrov", "quist", "rossi", "schmidt", "tanaka", "ueda", "vargas",
    "weber", "zhang"];
#[rustfmt::skip]
const SYLLABLES: [&str; 32] = ["ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va",
    "we", "xi", "yo", "zu", "bra", "cle", "dri", "flo", "gru", "sta", "tre", "pli", "sno", "tha", "qua", "ment"];
const PROJECTS: [&str; 8] =
    ["assistant", "search", "support-bot", "analytics", "billing", "codegen", "legal-review", "sandbox"];
const ENVIRONMENTS: [&str; 4] = ["production", "production", "production", "staging"];
const VERSIONS: [&str; 5] = ["2.14.0", "2.14.1", "2.13.7", "3.0.0-rc.2", "2.12.9"];
const PRODUCERS: [&str; 4] = ["gateway-eu-1", "gateway-eu-2", "gateway-us-1", "console"];
const ROLES: [&str; 6] = ["developer", "viewer", "admin", "auditor", "billing", "operator"];
const REGIONS: [&str; 5] = ["eu-central-1", "eu-west-1", "us-east-1", "us-west-2", "ap-south-1"];

/// SplitMix64 (Steele, Lea and Flood, 2014): good enough for data, and ten lines.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}

fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf59_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Zipf with exponent 1: rank r (from 1) weighs 2^40 / r, rounded down, so that no floating point is involved.
struct Zipf(Vec<u64>);

impl Zipf {
    fn new(ranks: usize) -> Zipf {
        let sums = (1..=ranks as u64).scan(0, |sum, rank| {
            *sum += (1 << 40) / rank;
            Some(*sum)
        });
        Zipf(sums.collect())
    }

    /// A rank, from 0.
    fn draw(&self, random: &mut Random) -> usize {
        let point = random.below(*self.0.last().expect("ranks > 0"));
        self.0.partition_point(|sum| *sum <= point)
    }
}

/// Writes one event after another; the same seed gives the same bytes everywhere.
pub struct Generator {
    random: Random,
    users: Zipf,
    addresses: Zipf,
    keys: Zipf,
    words: Zipf,
    spelled: Vec<String>,
    /// Events so far by user: a session is a number of them.
    events: Vec<u32>,
    producer_seq: [u64; PRODUCERS.len()],
    time_ms: u64,
}

impl Generator {
    pub fn new(seed: u64) -> Generator {
        Generator {
            random: Random(seed),
            users: Zipf::new(USERS),
            addresses: Zipf::new(ADDRESSES),
            keys: Zipf::new(KEYS),
            words: Zipf::new(WORDS),
            spelled: (0..WORDS as u64).map(spell).collect(),
            events: vec![0; USERS],
            producer_seq: [0; PRODUCERS.len()],
            time_ms: START_MS,
        }
    }

    /// Appends the next event to `out`: one line of JSON, without the newline.
    pub fn next(&mut self, out: &mut Vec<u8>) {
        let (kind, _, severity, detail, actions) = self.kind();
        let action = self.random.pick(actions);
        let failed = kind == "auth.failed_attempt";
        let status = match detail {
            Detail::Guardrail => "blocked",
            _ if failed || self.random.percent(3) => "failure",
            _ => "success",
        };
        self.time_ms += self.random.below(21);
        let producer = self.random.below(PRODUCERS.len() as u64) as usize;
        self.producer_seq[producer] += 1;
        let user = self.users.draw(&mut self.random);
        let fixed = mix(user as u64); // What never changes about the user.

        put(out, format_args!("{{\"source_id\":\"{}\"", uuid(self.random.next(), self.random.next())));
        put(
            out,
            format_args!(
                ",\"time\":\"{}\",\"type\":\"{kind}\",\"action\":\"{action}\"",
                rfc3339(self.time_ms)
            ),
        );
        put(out, format_args!(",\"status\":\"{status}\",\"severity\":\"{severity}\""));
        if !matches!(detail, Detail::Completion | Detail::Embedding | Detail::Retrieval | Detail::Tool) {
            out.extend_from_slice(b",\"message\":\"");
            let words = 3 + self.random.below(7);
            self.text(words, out);
            out.push(b'"');
        }
        put(out, format_args!(",\"project\":\"{}\"", PROJECTS[(fixed >> 8) as usize % PROJECTS.len()]));
        put(out, format_args!(",\"environment\":\"{}\"", self.random.pick(&ENVIRONMENTS)));
        let version = VERSIONS[producer + usize::from(fixed.is_multiple_of(9))];
        put(out, format_args!(",\"app_version\":\"{version}\""));
        put(out, format_args!(",\"producer\":\"{}\"", PRODUCERS[producer]));
        put(out, format_args!(",\"producer_seq\":{}", self.producer_seq[producer]));
        self.actor(user, fixed, detail, out);
        self.targets(detail, out);
        if matches!(detail, Detail::Completion | Detail::Embedding | Detail::Guardrail) {
            self.model(detail, out);
        }
        if detail == Detail::Change {
            self.changes(kind, out);
        }
        put(out, format_args!(",\"trace_id\":\"{:016x}{:016x}\"", self.random.next(), self.random.next()));
        if matches!(detail, Detail::Tool | Detail::Retrieval | Detail::Guardrail) {
            put(out, format_args!(",\"span_id\":\"{:016x}\"", self.random.next()));
        }
        if matches!(detail, Detail::Completion | Detail::Embedding) {
            put(out, format_args!(",\"request_id\":\"req_{:016x}\"", self.random.next()));
        }
        self.attributes(detail, out);
        out.push(b'}');
    }

    fn kind(&mut self) -> Type {
        let mut point = self.random.below(1000);
        for kind in TYPES {
            match point.checked_sub(kind.1) {
                Some(rest) => point = rest,
                None => return kind,
            }
        }
        unreachable!("the weights add up to 1000")
    }

    fn actor(&mut self, user: usize, fixed: u64, detail: Detail, out: &mut Vec<u8>) {
        let first = FIRST[fixed as usize % FIRST.len()];
        let last = LAST[(fixed >> 16) as usize % LAST.len()];
        let service = fixed % 10 == 3;
        put(out, format_args!(",\"actor\":{{\"type\":\"{}\"", if service { "service" } else { "user" }));
        put(out, format_args!(",\"id\":\"usr_{:08x}\"", fixed >> 32));
        if !service {
            put(out, format_args!(",\"email\":\"{first}.{last}{user}@acme.io\",\"name\":\"{first} {last}\""));
        }
        let home = if self.random.percent(60) { Some(user * 7 % ADDRESSES) } else { None };
        let address = mix(home.unwrap_or_else(|| self.addresses.draw(&mut self.random)) as u64);
        put(
            out,
            format_args!(
                ",\"ip\":\"10.{}.{}.{}\"",
                address & 31,
                (address >> 8) & 255,
                (address >> 16) & 255
            ),
        );
        put(out, format_args!(",\"user_agent\":\"{}\"", AGENTS[(fixed >> 24) as usize % AGENTS.len()]));
        if matches!(detail, Detail::Completion | Detail::Embedding | Detail::Tool) {
            let own = if self.random.percent(70) { Some(user * 3 % KEYS) } else { None };
            let key = 1_000_000 + own.unwrap_or_else(|| self.keys.draw(&mut self.random)) as u64;
            put(out, format_args!(",\"api_key_hash\":\"{:016x}\"", mix(key)));
        }
        let session = 2_000_000 + user as u64 * 65_536 + u64::from(self.events[user] / EVENTS_PER_SESSION);
        self.events[user] += 1;
        put(out, format_args!(",\"session_id\":\"{}\",\"roles\":[", uuid(mix(session), mix(!session))));
        for index in 0..1 + (fixed >> 40) as usize % 2 {
            let comma = if index == 0 { "" } else { "," };
            put(out, format_args!("{comma}\"{}\"", ROLES[((fixed >> 44) as usize + index) % ROLES.len()]));
        }
        out.extend_from_slice(b"]}");
    }

    fn targets(&mut self, detail: Detail, out: &mut Vec<u8>) {
        let (kind, count) = match detail {
            Detail::Tool => ("tool", 1),
            Detail::Retrieval => ("collection", 1 + self.random.below(3)),
            Detail::Guardrail => ("policy", 1),
            Detail::Change | Detail::Admin => ("resource", 1),
            Detail::Completion | Detail::Embedding | Detail::Auth => return,
        };
        for index in 0..count {
            let word = self.words.draw(&mut self.random);
            let start = if index == 0 { ",\"targets\":[" } else { "," };
            put(out, format_args!("{start}{{\"type\":\"{kind}\",\"id\":\"{kind}-{word}\""));
            put(out, format_args!(",\"name\":\"{}\"}}", self.spelled[word]));
        }
        out.push(b']');
    }

    fn model(&mut self, detail: Detail, out: &mut Vec<u8>) {
        let (provider, model, micros) = self.random.pick(&MODELS);
        let operation = if detail == Detail::Embedding { "embeddings" } else { "chat" };
        put(out, format_args!(",\"llm\":{{\"provider\":\"{provider}\",\"model\":\"{model}\""));
        // The product of two draws leans to small values, as real prompts do.
        let input = 20 + self.random.below(90) * self.random.below(90);
        let output =
            if detail == Detail::Completion { 1 + self.random.below(40) * self.random.below(50) } else { 0 };
        let cost = (input + 4 * output) * micros / 10;
        put(
            out,
            format_args!(
                ",\"operation\":\"{operation}\",\"tokens_input\":{input},\"tokens_output\":{output}"
            ),
        );
        put(out, format_args!(",\"cost\":\"{}.{:06}\"", cost / 1_000_000, cost % 1_000_000));
        put(out, format_args!(",\"latency_ms\":{}", 40 + output * 3 + self.random.below(400)));
        let fingerprint = |random: &mut Random, name, out: &mut Vec<u8>| {
            put(out, format_args!(",\"{name}\":\"{:016x}{:016x}", random.next(), random.next()));
            put(out, format_args!("{:016x}{:016x}\"", random.next(), random.next()));
        };
        fingerprint(&mut self.random, "prompt_fingerprint", out);
        if detail == Detail::Completion {
            if self.random.percent(10) {
                fingerprint(&mut self.random, "response_fingerprint", out);
            }
            let reason = self.random.pick(&["stop", "stop", "stop", "stop", "length", "tool_calls"]);
            put(out, format_args!(",\"finish_reasons\":[\"{reason}\"]"));
        }
        out.push(b'}');
    }

    fn changes(&mut self, kind: &str, out: &mut Vec<u8>) {
        let (before, after) = (self.random.below(500) * 10, self.random.below(500) * 10);
        let (old, new) = (self.random.pick(&MODELS).1, self.random.pick(&MODELS).1);
        match kind {
            "budget.updated" => put(
                out,
                format_args!(
                    ",\"changes\":{{\"before\":{{\"max_budget\":\"{before}.00\",\"period\":\"monthly\"}},\
                     \"after\":{{\"max_budget\":\"{after}.00\",\"period\":\"monthly\"}}}}"
                ),
            ),
            "routing.updated" => put(
                out,
                format_args!(
                    ",\"changes\":{{\"before\":{{\"default_model\":\"{old}\",\"rpm_limit\":{before},\"cache\":true}},\
                     \"after\":{{\"default_model\":\"{new}\",\"rpm_limit\":{after},\"cache\":false}}}}"
                ),
            ),
            _ => put(
                out,
                format_args!(
                    ",\"changes\":{{\"before\":{{\"roles\":[\"{}\"]}},\"after\":{{\"roles\":[\"{}\",\"{}\"]}}}}",
                    ROLES[before as usize % 6],
                    ROLES[before as usize % 6],
                    ROLES[after as usize % 6]
                ),
            ),
        }
    }

    fn attributes(&mut self, detail: Detail, out: &mut Vec<u8>) {
        put(out, format_args!(",\"attributes\":{{\"region\":\"{}\"", self.random.pick(&REGIONS)));
        match detail {
            Detail::Completion | Detail::Embedding => {
                let stream = self.random.percent(50);
                put(out, format_args!(",\"stream\":{stream}"));
            }
            Detail::Tool => {
                out.extend_from_slice(b",\"subject\":\"");
                self.text(6, out);
                put(out, format_args!("\",\"duration_ms\":{}", self.random.below(3000)));
            }
            Detail::Retrieval => {
                out.extend_from_slice(b",\"query\":\"");
                self.text(7, out);
                put(out, format_args!("\",\"top_k\":{}", self.random.pick(&[5, 10, 20])));
            }
            Detail::Guardrail => {
                let rule = self.random.pick(&["email", "iban", "api-key", "jailbreak", "phone"]);
                put(out, format_args!(",\"rule\":\"{rule}\",\"score\":\"0.{}\"", 50 + self.random.below(50)));
            }
            Detail::Auth => {
                let (method, mfa) =
                    (self.random.pick(&["password", "oidc", "saml"]), self.random.percent(70));
                put(out, format_args!(",\"method\":\"{method}\",\"mfa\":{mfa}"));
            }
            Detail::Change | Detail::Admin => {
                put(out, format_args!(",\"ticket\":\"OPS-{}\"", 1000 + self.random.below(9000)));
            }
        }
        out.push(b'}');
    }

    fn text(&mut self, words: u64, out: &mut Vec<u8>) {
        for index in 0..words {
            if index > 0 {
                out.push(b' ');
            }
            let word = self.words.draw(&mut self.random);
            out.extend_from_slice(self.spelled[word].as_bytes());
        }
    }
}

fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a vector takes everything");
}

/// Two syllables for the 1024 most frequent words, three for the others. No word twice.
fn spell(rank: u64) -> String {
    let syllable = |n: u64| SYLLABLES[(n % 32) as usize];
    let first = syllable(rank / 32).to_owned() + syllable(rank);
    if rank < 1024 { first } else { first + syllable(rank / 1024) }
}

fn uuid(high: u64, low: u64) -> String {
    let (high, low) = (high & !0xf000 | 0x4000, low & !(3 << 62) | 2 << 62);
    let (a, b, c) = (high >> 32, (high >> 16) & 0xffff, high & 0xffff);
    format!("{a:08x}-{b:04x}-{c:04x}-{:04x}-{:012x}", low >> 48, low & 0xffff_ffff_ffff)
}

/// Only for times from 2026 until 2027, which is 365 million events.
fn rfc3339(time_ms: u64) -> String {
    let (mut day, ms) = ((time_ms - 1_767_225_600_000) / 86_400_000, time_ms % 86_400_000);
    let mut month = 1;
    for length in [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    format!("2026-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", day + 1, ms % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_stated_data_on_every_machine() {
        let (mut generator, mut all) = (Generator::new(1), Vec::new());
        for _ in 0..1000 {
            generator.next(&mut all);
        }
        let hash = all.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        assert_eq!((all.len(), format!("{hash:016x}").as_str()), (878_108, "98ca284f9cd2941e"));
    }

    #[test]
    fn is_accepted_at_the_door() {
        let (mut generator, mut line) = (Generator::new(2), Vec::new());
        for number in 0..5000 {
            line.clear();
            generator.next(&mut line);
            let event = event::Event::parse(&line, &event::Limits::default());
            let event = event.unwrap_or_else(|refusal| panic!("event {number}: {refusal:?}"));
            assert!(event.kind().is_some() && event.core().status != 255, "event {number}");
            let names: Vec<_> = event.sections().iter().map(|(name, _)| *name).collect();
            assert!(names.ends_with(&["what", "who"]), "event {number}: {names:?}");
        }
    }

    #[test]
    fn the_tables_say_what_the_documentation_says() {
        assert_eq!(TYPES.iter().map(|kind| kind.1).sum::<u64>(), 1000);
        let mut actions: Vec<_> = TYPES.iter().flat_map(|kind| kind.4).collect();
        actions.sort();
        actions.dedup();
        assert_eq!(actions.len(), 59);
        let mut words: Vec<_> = (0..WORDS as u64).map(spell).collect();
        words.sort();
        words.dedup();
        assert_eq!(words.len(), WORDS);
    }
}
