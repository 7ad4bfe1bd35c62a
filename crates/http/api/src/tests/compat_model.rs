//! Pages, orders and filters of both look-alikes, compared with what the documentation says of them, worked out the long way
//! from the events themselves: 10 000 questions by a scan, and some by the index.

use access::Viewer;
use axum::http::Method;
use compat::bifrost::{cadf, seed};
use compat::litellm::{self as theirs};
use event::kind::category_of;
use event::time;

use super::malformed::Dice;
use super::matrix::wide;
use super::*;
use crate::auth::Caller;

const QUESTIONS: usize = 10_000;
const EVENTS: usize = 200;

const USERS: &[&str] = &["alice", "Bob", "carol", "007", "7", "u-1", "svc.bot"];
const KEYS: &[&str] = &["hmac-sha256:aa11", "hmac-sha256:bb22"];
const OBJECTS: &[&str] = &["team-7", "team-8", "k1", "K1", "doc", "1.0", "1"];
const ADDRESSES: &[&str] = &["203.0.113.9", "203.0.113.77", "198.51.100.4", "2001:db8::1"];
const KINDS: &[&str] = &[
    "key.created",
    "key.updated",
    "key.blocked",
    "team.created",
    "team.member_added",
    "team.deleted",
    "user.deleted",
    "settings.changed",
    "auth.login",
    "auth.logout",
    "auth.mfa_enabled",
    "authz.denied",
    "authz.role_changed",
    "guardrail.block",
    "security.jailbreak",
    "data.exported",
    "llm.completion",
    "tool.call",
    "agent.updated",
    "agent.run",
    "error.provider",
    "approval.granted",
    "authentication",
    "shop.order.created",
    "ledger",
    "Odd-Kind",
];
const STATUSES: &[&str] = &["success", "failed", "blocked", "error", "pending", "exploded"];
const SEVERITIES: &[&str] = &["info", "low", "medium", "high", "critical"];
const RESOURCES: &[&str] = &["key", "virtual_key", "team", "document", "settings", "llm"];
const TIMES: i64 = 12;

/// Time number `n`: several events share each.
fn at(n: i64) -> String {
    time::format_ns(1_767_225_600_000_000_000 + n * 21_600_000_000_000 + (n % 3) * 123_456_789)
}

fn native(dice: &mut Dice) -> String {
    let mut said = vec![
        format!(r#""type":"{}""#, dice.pick(KINDS)),
        format!(r#""time":"{}""#, at(dice.below(TIMES as usize) as i64)),
    ];
    let mut maybe = |dice: &mut Dice, of: usize, text: String| {
        if dice.below(10) < of {
            said.push(text);
        }
    };
    let status = dice.pick(STATUSES);
    maybe(dice, 8, format!(r#""status":"{status}""#));
    let severity = dice.pick(SEVERITIES);
    maybe(dice, 5, format!(r#""severity":"{severity}""#));
    let action = dice.pick(&["user_login", "created", "access_denied", "generate"]);
    maybe(dice, 3, format!(r#""action":"{action}""#));
    let mut actor = Vec::new();
    for (name, from, of) in [
        ("id", USERS, 7),
        ("email", &["alice@x.org", "bob@x.org"][..], 5),
        ("ip", ADDRESSES, 6),
        ("api_key_hash", KEYS, 3),
        ("type", &["user", "api_key", "service"][..], 5),
        ("name", &["Alice A.", "Bob"][..], 3),
    ] {
        if dice.below(10) < of {
            actor.push(format!(r#""{name}":"{}""#, dice.pick(from)));
        }
    }
    maybe(dice, 9, format!(r#""actor":{{{}}}"#, actor.join(",")));
    let targets: Vec<String> = (0..dice.below(3))
        .map(|_| match dice.below(4) {
            0 => format!(r#"{{"id":"{}"}}"#, dice.pick(OBJECTS)),
            1 => format!(r#"{{"type":"{}"}}"#, dice.pick(RESOURCES)),
            _ => format!(r#"{{"type":"{}","id":"{}","name":"N"}}"#, dice.pick(RESOURCES), dice.pick(OBJECTS)),
        })
        .collect();
    maybe(dice, 9, format!(r#""targets":[{}]"#, targets.join(",")));
    let team = dice.pick(&["team-7", "team-77", "x"]);
    maybe(
        dice,
        3,
        format!(r#""changes":{{"before":{{"team_id":"{team}"}},"after":{{"a":1,"token":"aa11bb"}}}}"#),
    );
    let path = dice.pick(&["/v1/keys", "/v1/keys/7", "/health"]);
    maybe(
        dice,
        3,
        format!(
            r#""attributes":{{"request_method":"PUT","request_path":"{path}","tags":["nightly","blue"]}}"#
        ),
    );
    maybe(dice, 2, r#""llm":{"model":"gpt-5.2","latency_ms":12.5}"#.to_owned());
    format!("{{{}}}", said.join(","))
}

fn row(dice: &mut Dice, n: usize) -> String {
    let action =
        dice.pick(&["created", "updated", "deleted", "create", "blocked", "rotated", "kill_switch_fired"]);
    let table = dice.pick(&[
        "LiteLLM_TeamTable",
        "LiteLLM_VerificationToken",
        "LiteLLM_Config",
        "LiteLLM_AgentsTable",
        "LiteLLM_CacheConfig",
    ]);
    let (user, object, team) = (dice.pick(USERS), dice.pick(OBJECTS), dice.pick(&["team-7", "team-77"]));
    format!(
        r#"{{"id":"row-{n}","updated_at":"{}","changed_by":"{user}","changed_by_api_key":"","action":"{action}","table_name":"{table}","object_id":"{object}","before_value":{{"team_id":"{team}"}},"updated_values":{{}}}}"#,
        at(dice.below(TIMES as usize) as i64)
    )
}

async fn fill(server: &Server, dice: &mut Dice) {
    for n in 0..EVENTS {
        let told = match dice.below(4) {
            0 => server.ask("POST", "/ingest/litellm", row(dice, n)).await.told(),
            _ => server.post(native(dice)).await.told(),
        };
        assert_eq!(told, "200 1 0");
    }
}

/// An event, and how the look-alikes show it.
struct Known {
    event: Value<'static>,
    position: u64,
    time: i64,
    /// The hash of a key as it was sent. When it was recorded it was hashed again.
    key: Option<&'static str>,
    /// Bifrost's words for the types of all targets; for the area of the type, if no target has one.
    target_types: Vec<String>,
    litellm: Value<'static>,
    seed: Value<'static>,
    cadf: Value<'static>,
}

impl Known {
    fn of(event: Value<'static>, ledger: &indelible::Ledger) -> Known {
        let hash = text(&event, "/actor/api_key_hash").to_owned();
        let key = KEYS.iter().find(|key| ledger.text_fingerprint(key.as_bytes()) == hash).copied();
        Known {
            key,
            target_types: target_types(&event),
            position: event.get("position").and_then(Value::as_i64).unwrap() as u64,
            time: time::parse(text(&event, "/time")).unwrap(),
            litellm: theirs::row(&event),
            seed: seed::row(&event, true),
            cadf: cadf::event(&event),
            event,
        }
    }

    fn kind(&self) -> &str {
        self.event.get("type").and_then(Value::as_str).unwrap()
    }

    fn is_from_litellm(&self) -> bool {
        self.event.pointer("/attributes/litellm/table_name").is_some()
    }

    /// What a gateway's audit log is about, as the documentation has it.
    fn is_audited(&self) -> bool {
        let changes = ["agent.created", "agent.updated", "agent.deleted", "tool.registered"];
        let traffic = ["llm", "retrieval", "tool", "agent", "error", "audit"];
        changes.contains(&self.kind()) || !traffic.contains(&category_of(self.kind()).name())
    }

    fn any_target(&self, name: &str, fits: impl Fn(&str) -> bool) -> bool {
        let targets = self.event.get("targets").and_then(Value::as_array).unwrap_or_default();
        targets.iter().filter_map(|target| target.get(name)?.as_str()).any(fits)
    }

    fn has_target(&self, name: &str) -> bool {
        self.any_target(name, |_| true)
    }
}

fn target_types(event: &Value<'static>) -> Vec<String> {
    let shown = |event: &Value<'_>| text(&cadf::event(event), "/target/typeURI").to_owned();
    let targets = event.get("targets").and_then(Value::as_array).unwrap_or_default();
    let with_one = |kind: &str| {
        let target = Value::object([("type", Value::from(kind.to_owned()))]).unwrap();
        let mut members = event.as_object().unwrap().clone();
        members.insert("targets", vec![target]);
        shown(&Value::Object(members))
    };
    let types: Vec<String> =
        targets.iter().filter_map(|target| target.get("type")?.as_str()).map(with_one).collect();
    if types.is_empty() { vec![shown(event)] } else { types }
}

fn text<'v>(value: &'v Value<'_>, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn alike(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

fn part_of(part: &str, text: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}

/// Parameters of a question.
#[derive(Default)]
struct Pairs(Vec<(&'static str, String)>);

impl Pairs {
    fn maybe(&mut self, dice: &mut Dice, of: usize, name: &'static str, from: &[&str]) {
        if dice.below(100) < of {
            self.0.push((name, (*dice.pick(from)).to_owned()));
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str())
    }

    fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(other, _)| *other == name).map(|(_, value)| value.as_str()).collect()
    }

    fn number(&self, name: &str, usual: usize) -> usize {
        self.get(name).map_or(usual, |text| text.parse().unwrap())
    }

    fn url(&self, path: &str) -> String {
        let encoded = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
        let pairs: Vec<String> =
            self.0.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        format!("{path}?{}", pairs.join("&"))
    }

    /// Whether an event happened in the time that is asked about.
    fn is_in_time(&self, known: &Known, start: &str, end: &str) -> bool {
        let bound = |text: &str, is_end: bool| match (text.len(), is_end) {
            (10, false) => time::parse(&format!("{text}T00:00:00Z")).unwrap(),
            (10, true) => time::parse(&format!("{text}T23:59:59.999999999Z")).unwrap(),
            _ => time::parse(text).unwrap(),
        };
        self.get(start).is_none_or(|from| known.time >= bound(from, false))
            && self.get(end).is_none_or(|to| known.time <= bound(to, true))
    }
}

fn times(dice: &mut Dice, pairs: &mut Pairs, of: usize) {
    let times: Vec<String> = (0..TIMES).flat_map(|n| [at(n), at(n)[..10].to_owned()]).collect();
    let times: Vec<&str> = times.iter().map(String::as_str).collect();
    pairs.maybe(dice, of, "start_date", &times);
    pairs.maybe(dice, of, "end_date", &times);
}

/// The rows of a page, of those that fit, in an order.
fn page(
    mut fitting: Vec<&Known>,
    key: impl Fn(&Known) -> String,
    by_time: bool,
    descending: bool,
    skip: usize,
    limit: usize,
) -> Vec<&Known> {
    match by_time {
        true => fitting.sort_by_key(|known| (known.time, known.position)),
        false => fitting.sort_by_cached_key(|known| (key(known), known.position)),
    }
    if descending {
        fitting.reverse();
    }
    fitting.into_iter().skip(skip).take(limit).collect()
}

fn litellm_question(dice: &mut Dice) -> Pairs {
    let mut pairs = Pairs::default();
    pairs.maybe(dice, 70, "page", &["1", "1", "2", "3", "40"]);
    pairs.maybe(dice, 70, "page_size", &["1", "2", "7", "25", "100"]);
    pairs.maybe(dice, 20, "changed_by", &[USERS, &["ALICE", "alice@x.org", "nobody", "7.0"]].concat());
    pairs.maybe(dice, 10, "changed_by_api_key", &[KEYS, &["hmac-sha256:cc"]].concat());
    let actions = [
        "create",
        "created",
        "update",
        "updated",
        "changed",
        "delete",
        "blocked",
        "rotate",
        "login",
        "exported",
        "member_added",
        "kill_switch_fired",
        "Odd-Kind",
        "order.created",
    ];
    pairs.maybe(dice, 25, "action", &actions);
    let tables = [
        "LiteLLM_TeamTable",
        "litellm_teamtable",
        "LiteLLM_VerificationToken",
        "LiteLLM_Config",
        "LiteLLM_CacheConfig",
        "LiteLLM_AgentsTable",
        "key",
        "auth",
        "llm",
        "shop",
        "authentication",
        "x.y",
    ];
    pairs.maybe(dice, 25, "table_name", &tables);
    pairs.maybe(dice, 15, "object_id", &[OBJECTS, &["team"]].concat());
    pairs.maybe(dice, 10, "object_team_id", &["team-7", "TEAM", "77", "z"]);
    pairs.maybe(dice, 8, "object_key_hash", &["aa11", "k1", "zz"]);
    pairs.maybe(dice, 8, "search", &["alice", "team-7", "row-3", "row-10", "hmac-sha256:aa11", "x", "0"]);
    times(dice, &mut pairs, 15);
    pairs.maybe(dice, 50, "sort_by", &theirs::Column::ALL.map(|(name, _)| name));
    pairs.maybe(dice, 50, "sort_order", &["asc", "desc"]);
    pairs.maybe(dice, 50, "include", &["audit", "all"]);
    pairs
}

const SAME: [&[&str]; 6] = [
    &["create", "created"],
    &["update", "updated", "changed"],
    &["delete", "deleted"],
    &["block", "blocked"],
    &["unblock", "unblocked"],
    &["rotate", "rotated", "regenerated"],
];

fn litellm_fits(pairs: &Pairs, known: &Known) -> bool {
    let row = &known.litellm;
    let cell = |name: &str| row.get(name).and_then(Value::as_str).unwrap();
    let is = |name: &str| pairs.get(name).is_none_or(|said| alike(said, cell(name)));
    let in_scope = pairs.get("include") == Some("all")
        || pairs.get("table_name").is_some()
        || known.is_from_litellm()
        || known.is_audited();
    let action = pairs.get("action").is_none_or(|said| match SAME.iter().find(|same| same.contains(&said)) {
        Some(same) => same.contains(&cell("action")),
        None => alike(said, cell("action")),
    });
    let team = pairs.get("object_team_id").is_none_or(|said| {
        ["before_value", "updated_values"].iter().any(|side| {
            known.event.get("changes").is_some()
                && part_of(said, text(row, &format!("/{side}/team_id")))
                && row.pointer(&format!("/{side}/team_id")).is_some()
        })
    });
    let key = pairs.get("object_key_hash").is_none_or(|said| {
        ["/changes/before/token", "/changes/after/token"]
            .iter()
            .any(|place| known.event.pointer(place).is_some() && part_of(said, text(&known.event, place)))
            || known.kind().starts_with("key.") && known.any_target("id", |id| part_of(said, id))
    });
    let search = pairs.get("search").is_none_or(|said| {
        ["id", "changed_by", "changed_by_api_key"].iter().any(|name| alike(said, cell(name)))
            || known.key == Some(said)
            || alike(said, text(&known.event, "/id"))
            || alike(said, text(&known.event, "/source_id"))
            || known.any_target("id", |id| alike(id, said))
    });
    let object = pairs.get("object_id").is_none_or(|said| known.any_target("id", |id| alike(id, said)));
    in_scope
        && ["changed_by", "table_name"].iter().all(|name| is(name))
        && (is("changed_by_api_key") || known.key.is_some() && known.key == pairs.get("changed_by_api_key"))
        && [action, team, key, search, object].into_iter().all(|fits| fits)
        && pairs.is_in_time(known, "start_date", "end_date")
}

fn litellm_answer<'k>(pairs: &Pairs, all: &'k [Known]) -> Answered<'k> {
    let fitting: Vec<&Known> = all.iter().filter(|known| litellm_fits(pairs, known)).collect();
    let (number, size, total) = (pairs.number("page", 1), pairs.number("page_size", 10), fitting.len());
    let column = pairs.get("sort_by").unwrap_or("updated_at").to_owned();
    let key = |known: &Known| text(&known.litellm, &format!("/{column}")).to_owned();
    let descending = pairs.get("sort_order") != Some("asc");
    let rows = page(fitting, key, column == "updated_at", descending, (number - 1) * size, size);
    let numbers =
        [("total", total), ("page", number), ("page_size", size), ("total_pages", total.div_ceil(size))];
    Answered { numbers: numbers.to_vec(), more: None, rows, shown: |known, _| known.litellm.clone() }
}

fn seed_question(dice: &mut Dice) -> Pairs {
    let mut pairs = Pairs::default();
    pairs.maybe(dice, 60, "page", &["1", "2", "3", "1000"]);
    pairs.maybe(dice, 95, "limit", &["1", "2", "5", "9", "20", "1000"]);
    let types = [
        "authentication",
        "authorization",
        "configuration_change",
        "data_access",
        "security_incident",
        "llm",
        "tool",
        "agent",
        "other",
        "error",
        "audit",
        "auth.login",
        "Odd-Kind",
        "nothing",
    ];
    let actions = [
        "user_login",
        "access_denied",
        "created",
        "key.created",
        "auth.login",
        "user_logout",
        "settings.changed",
        "nothing",
    ];
    let resources = ["key", "virtual_key", "team", "document", "settings", "llm", "auth", "nothing"];
    let addresses =
        [ADDRESSES, &["203.0.113.0/24", "2001:db8::/32", "0.0.0.0/0", "::ffff:203.0.113.9", "2001:DB8:0::1"]]
            .concat();
    for _ in 0..2 {
        pairs.maybe(dice, 20, "event_type", &types);
        pairs.maybe(dice, 15, "user_id", &[USERS, &["nobody"]].concat());
        pairs.maybe(dice, 12, "action", &actions);
        pairs.maybe(dice, 12, "status", &[STATUSES, &["unknown"]].concat());
        pairs.maybe(dice, 12, "severity", SEVERITIES);
        pairs.maybe(dice, 10, "resource_type", &resources);
        pairs.maybe(dice, 8, "ip_address", &addresses);
    }
    times(dice, &mut pairs, 12);
    pairs.maybe(dice, 50, "sort", &seed::Sort::ALL.map(|(name, _)| name));
    pairs.maybe(dice, 50, "order", &["asc", "desc"]);
    pairs.maybe(dice, 30, "include_details", &["true", "false"]);
    pairs.maybe(dice, 50, "include", &["audit", "all"]);
    pairs
}

fn is_from(address: &str, said: &str) -> bool {
    let Ok(address) = address.parse::<std::net::IpAddr>() else { return false };
    match said.contains('/') {
        true => said.parse::<ipnet::IpNet>().unwrap().contains(&address),
        false => said.parse::<std::net::IpAddr>().unwrap().to_canonical() == address,
    }
}

fn area(kind: &str) -> &str {
    kind.split('.').next().unwrap()
}

fn seed_fits(pairs: &Pairs, known: &Known) -> bool {
    let row = &known.seed;
    let among = |name: &str, fits: &dyn Fn(&str) -> bool| {
        let said = pairs.all(name);
        said.is_empty() || said.into_iter().any(fits)
    };
    let is = |name: &str| among(name, &|said| alike(said, text(row, &format!("/{name}"))));
    let in_scope = pairs.get("include") == Some("all")
        || pairs.get("event_type").is_some()
        || known.is_audited()
        || ["audit", "alert"].contains(&area(known.kind()));
    let is_of_resource = |said: &str| {
        let words: &[&str] =
            if ["key", "virtual_key"].contains(&said) { &["key", "virtual_key"] } else { &[said] };
        match known.has_target("type") {
            true => known.any_target("type", |kind| words.contains(&kind)),
            false => words.contains(&area(known.kind())),
        }
    };
    in_scope
        && ["action", "status", "severity"].iter().all(|name| is(name))
        && among("event_type", &|said| alike(said, text(row, "/event_type")) || alike(said, known.kind()))
        && among("user_id", &|said| alike(said, text(row, "/actor/user_id")))
        && among("ip_address", &|said| is_from(text(row, "/actor/ip_address"), said))
        && among("resource_type", &is_of_resource)
        && pairs.is_in_time(known, "start_date", "end_date")
}

fn seed_answer<'k>(pairs: &Pairs, all: &'k [Known]) -> Answered<'k> {
    let fitting: Vec<&Known> = all.iter().filter(|known| seed_fits(pairs, known)).collect();
    let (number, size, total) = (pairs.number("page", 1), pairs.number("limit", 100), fitting.len());
    let sort = pairs.get("sort").unwrap_or("timestamp").to_owned();
    let key = |known: &Known| match sort.as_str() {
        "severity" => {
            let place = SEVERITIES.iter().position(|word| *word == text(&known.seed, "/severity"));
            format!("{place:?}")
        }
        "user_id" => text(&known.seed, "/actor/user_id").to_owned(),
        name => text(&known.seed, &format!("/{name}")).to_owned(),
    };
    let descending = pairs.get("order") != Some("asc");
    let rows = page(fitting, key, sort == "timestamp", descending, (number - 1) * size, size);
    let numbers = [("total_count", total), ("returned_count", rows.len()), ("page", number)];
    let shown = |known: &Known, pairs: &Pairs| match pairs.get("include_details") {
        Some("false") => seed::row(&known.event, false),
        _ => known.seed.clone(),
    };
    Answered { numbers: numbers.to_vec(), more: Some(number * size < total), rows, shown }
}

fn cadf_question(dice: &mut Dice) -> Pairs {
    let mut pairs = Pairs(vec![("profile", "cadf".to_owned())]);
    pairs.maybe(dice, 60, "page", &["1", "2", "3", "1000"]);
    pairs.maybe(dice, 95, "limit", &["1", "2", "5", "9", "20", "1000"]);
    let actions = [
        "create",
        "read",
        "update",
        "delete",
        "authenticate",
        "authorize",
        "access",
        "enable",
        "disable",
        "export",
    ];
    let types = [
        "user",
        "api_key",
        "system",
        "virtual_key",
        "team",
        "config",
        "session",
        "inference",
        "permission",
        "guardrail",
        "bifrost/virtual_key",
    ];
    pairs.maybe(dice, 20, "action", &actions);
    pairs.maybe(dice, 10, "actions", &[r#"["create","delete"]"#, r#"["access"]"#, "[]"]);
    pairs.maybe(dice, 15, "outcome", &["success", "failure", "pending", "unknown"]);
    pairs.maybe(dice, 15, "event_type", &["activity", "monitor", "control"]);
    pairs.maybe(dice, 15, "initiator_id", &[USERS, &["alice@x.org", "hmac-sha256:aa11", "unknown"]].concat());
    pairs.maybe(dice, 15, "initiator_type", &types[..3]);
    pairs.maybe(dice, 15, "target_id", &[OBJECTS, &["gpt-5.2", "auth", "settings"]].concat());
    pairs.maybe(dice, 15, "target_type", &types);
    pairs.maybe(dice, 5, "request_method", &["put", "GET"]);
    pairs.maybe(dice, 5, "request_path", &["/v1/keys", "/V1", "/x"]);
    pairs.maybe(dice, 5, "request_ip", ADDRESSES);
    pairs.maybe(dice, 8, "tags", &[r#"["nightly"]"#, r#"["authentication","blue"]"#, r#"["none"]"#]);
    pairs.maybe(dice, 8, "search", &["ALI", "203.0", "team", "keys/", "zz"]);
    times(dice, &mut pairs, 12);
    pairs.maybe(dice, 50, "sort_by", &cadf::Sort::ALL.map(|(name, _)| name));
    pairs.maybe(dice, 50, "sort_order", &["asc", "desc"]);
    pairs.maybe(dice, 50, "include", &["audit", "all"]);
    pairs
}

fn cadf_fits(pairs: &Pairs, known: &Known) -> bool {
    let log = &known.cadf;
    let is = |name: &str, place: &str| pairs.get(name).is_none_or(|said| alike(said, text(log, place)));
    let in_scope = pairs.get("include") == Some("all")
        || known.is_audited()
        || ["audit", "alert"].contains(&area(known.kind()));
    let list = |text: &str| -> Vec<String> {
        let value = json::parse(text.as_bytes(), &json::Limits::default()).unwrap();
        value.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
    };
    let action = match pairs.get("actions").map(list) {
        Some(said) => said.is_empty() || said.iter().any(|said| said == text(log, "/action")),
        None => is("action", "/action"),
    };
    let type_is = |name: &str, place: &str| {
        pairs.get(name).is_none_or(|said| {
            let said = said.trim_start_matches("bifrost/");
            text(log, place).trim_start_matches("bifrost/") == said
        })
    };
    // Of several targets the first is shown, and any is found.
    let target = pairs.get("target_id").is_none_or(|said| match known.has_target("id") {
        true => known.any_target("id", |id| alike(id, said)),
        false => alike(said, text(log, "/target/id")),
    });
    let target_type = pairs.get("target_type").is_none_or(|said| {
        let said = format!("bifrost/{}", said.trim_start_matches("bifrost/"));
        match said.as_str() {
            "bifrost/system" => known.target_types.iter().all(|kind| *kind == said),
            _ => known.target_types.contains(&said),
        }
    });
    let tags = pairs.get("tags").map(list).is_none_or(|said| {
        let tags = log.get("tags").and_then(Value::as_array).unwrap();
        said.iter().any(|said| tags.iter().any(|tag| tag.as_str() == Some(said)))
    });
    let path = text(log, "/requestPath");
    let search = pairs.get("search").is_none_or(|said| {
        let actor = ["/actor/id", "/actor/email", "/actor/name", "/actor/ip"];
        actor.iter().any(|place| part_of(said, text(&known.event, place)))
            || ["id", "name"].iter().any(|name| known.any_target(name, |text| part_of(said, text)))
            || part_of(said, path)
    });
    in_scope
        && action
        && is("outcome", "/outcome")
        && is("event_type", "/eventType")
        && is("initiator_id", "/initiator/id")
        && type_is("initiator_type", "/initiator/typeURI")
        && [target, target_type, tags, search].into_iter().all(|fits| fits)
        && is("request_method", "/requestMethod")
        && pairs.get("request_path").is_none_or(|said| path.to_lowercase().starts_with(&said.to_lowercase()))
        && pairs.get("request_ip").is_none_or(|said| is_from(text(log, "/requestIP"), said))
        && pairs.is_in_time(known, "start_date", "end_date")
}

fn cadf_answer<'k>(pairs: &Pairs, all: &'k [Known]) -> Answered<'k> {
    let fitting: Vec<&Known> = all.iter().filter(|known| cadf_fits(pairs, known)).collect();
    let (number, size, total) = (pairs.number("page", 1), pairs.number("limit", 100), fitting.len());
    let sort = pairs.get("sort_by").unwrap_or("event_time").to_owned();
    let key = |known: &Known| {
        let place = match sort.as_str() {
            "created_at" => "/createdAt",
            "event_type" => "/eventType",
            "initiator_id" => "/initiator/id",
            "target_id" => "/target/id",
            "action" => "/action",
            _ => "/outcome",
        };
        text(&known.cadf, place).to_owned()
    };
    let descending = pairs.get("sort_order") != Some("asc");
    let rows = page(fitting, key, sort == "event_time", descending, (number - 1) * size, size);
    let numbers =
        [("total", total), ("page", number), ("limit", size), ("total_pages", total.div_ceil(size))];
    let more = Some(number * size < total);
    Answered { numbers: numbers.to_vec(), more, rows, shown: |known, _| known.cadf.clone() }
}

/// What should be answered.
struct Answered<'k> {
    numbers: Vec<(&'static str, usize)>,
    /// Whether there is another page, where it is said.
    more: Option<bool>,
    rows: Vec<&'k Known>,
    shown: fn(&Known, &Pairs) -> Value<'static>,
}

type Model = (&'static str, fn(&mut Dice) -> Pairs, for<'k> fn(&Pairs, &'k [Known]) -> Answered<'k>);
const MODELS: [Model; 3] = [
    ("/audit", litellm_question, litellm_answer),
    ("/api/audit-logs", seed_question, seed_answer),
    ("/api/enterprise/audit-logs", cadf_question, cadf_answer),
];

/// The routes without a door before them, asked by somebody who may everything.
struct Asked {
    router: Router,
    caller: Caller,
}

impl Asked {
    fn of(product: Arc<Indelible>) -> Asked {
        let door =
            Door::new(product, Serving { limits: wide(), ..Serving::default() }, Arc::new(|| Duration::ZERO));
        let theirs = crate::ROUTES.iter().filter(|route| matches!(route.tag, "litellm" | "bifrost"));
        let router = theirs.fold(Router::new(), |router, route| router.route(route.path, (route.handler)()));
        let caller = Caller { viewer: Arc::new(Viewer::command("test")), key: [0; 32] };
        Asked { router: router.with_state(door), caller }
    }

    async fn get(&self, url: &str) -> Value<'static> {
        let request = Request::builder().method(Method::GET).uri(url);
        let request = request.extension(self.caller.clone()).body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let limits = json::Limits { max_bytes: 64 << 20, max_depth: 128 };
        json::parse(&bytes, &limits).unwrap().into_owned()
    }
}

/// A row without what changes by itself: whether the event is proved yet.
fn settled(row: Value<'static>) -> Value<'static> {
    match row {
        Value::Object(mut members) => {
            members.remove("verification");
            let settle = members.into_iter().map(|(name, value)| (name, settled(value)));
            Value::Object(event::Object::from_members(settle).unwrap())
        }
        other => other,
    }
}

fn known(product: &Indelible, from: u64) -> Vec<Known> {
    let ledger = product.ledger("default").unwrap();
    let shown = (from..ledger.size())
        .map(|at| indelible::show(&ledger, "default", &ledger.record(at).unwrap()).unwrap());
    shown.map(|event| Known::of(event, &ledger)).collect()
}

/// Asks, and says whether the answer had rows in it. The rows are compared by their ids, and as a whole if `wholly`.
async fn compare(asked: &Asked, model: &Model, pairs: &Pairs, all: &[Known], wholly: bool) -> bool {
    let (path, _, answer) = model;
    let told = asked.get(&pairs.url(path)).await;
    let expect = answer(pairs, all);
    let rows = told.get("audit_logs").and_then(Value::as_array).unwrap_or_else(|| panic!("{told:?}"));
    for (name, number) in &expect.numbers {
        let said = told.get(name).and_then(Value::as_i64);
        assert_eq!(said, Some(*number as i64), "{path} {:?}: {name}", pairs.0);
    }
    if let Some(more) = expect.more {
        let link = told.get("next_page").or(told.get("next_cursor"));
        assert_eq!(link.is_some_and(|link| !link.is_null()), more, "{path} {:?}", pairs.0);
    }
    let id =
        |row: &Value<'_>| row.get("id").or(row.get("event_id")).and_then(Value::as_str).unwrap().to_owned();
    let shown: Vec<Value<'static>> = match wholly {
        true => expect.rows.iter().map(|known| (expect.shown)(known, pairs)).collect(),
        false => Vec::new(),
    };
    let ids: Vec<&str> = expect
        .rows
        .iter()
        .map(|known| if *path == "/audit" { text(&known.litellm, "/id") } else { text(&known.event, "/id") })
        .collect();
    let told_ids: Vec<String> = rows.iter().map(id).collect();
    assert_eq!(told_ids, ids, "{path} {:?}", pairs.0);
    for (told, expect) in rows.iter().zip(shown) {
        assert_eq!(settled(told.clone()), settled(expect), "{path} {:?}", pairs.0);
    }
    !rows.is_empty()
}

/// Asks every model's questions in turn.
async fn many(product: Arc<Indelible>, seed: u64, questions: usize) -> usize {
    let all = known(&product, 0);
    let asked = Asked::of(product);
    let (mut dice, mut with_rows) = (Dice(seed), 0);
    for n in 0..questions {
        let model = &MODELS[n % MODELS.len()];
        let pairs = model.1(&mut dice);
        with_rows += usize::from(compare(&asked, model, &pairs, &all, n % 10 == 0).await);
    }
    with_rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_questions_are_answered_as_the_documentation_says() {
    let server = Server::with(wide());
    fill(&server, &mut Dice(0x5EED_0001)).await;
    server.product.ledger("default").unwrap().sign().unwrap();
    let Server { dir, product, door, router, .. } = server;
    product.close().unwrap();
    drop((product, door, router));
    // Nobody's questions are recorded in a folder that is only read, so that the ledger stays what it is.
    let settings = Settings::new(dir.path().join("data"));
    let reader = Arc::new(Indelible::open_read_only(Arc::new(OsIo::new()), settings).unwrap());
    let halves =
        [0x0DD_5EED_u64, 0xE7E4_5EED].map(|seed| tokio::spawn(many(reader.clone(), seed, QUESTIONS / 2)));
    let mut with_rows = 0;
    for half in halves {
        with_rows += half.await.unwrap();
    }
    assert!(with_rows > QUESTIONS / 3, "{with_rows}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_index_answers_as_the_scan_does() {
    let dir = TempDir::new().unwrap();
    let settings = Settings { scan_below: 0, ..Settings::new(dir.path().join("data")) };
    let product = Arc::new(Indelible::open(Arc::new(OsIo::new()), settings).unwrap());
    let server = Server::over(dir, product, Serving { limits: wide(), ..Serving::default() }, Arc::default());
    let _indexing = server.indexing();
    fill(&server, &mut Dice(0x5EED_0002)).await;
    let asked = Asked::of(server.product.clone());
    let mut all = Vec::new();
    let (mut dice, mut with_rows) = (Dice(0xABCD_EF01), 0);
    for n in 0..150 {
        let model = &MODELS[n % MODELS.len()];
        let pairs = model.1(&mut dice);
        // The first time it is asked it is recorded, which the second answer may show.
        asked.get(&pairs.url(model.0)).await;
        all.extend(known(&server.product, all.len() as u64));
        with_rows += usize::from(compare(&asked, model, &pairs, &all, n % 10 == 0).await);
    }
    assert!(with_rows > 50, "{with_rows}");
}
