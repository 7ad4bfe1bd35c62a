//! Two organisations on one server, and a member of one: nobody is ever shown a byte of what is not theirs.
//!
//! Everything of an organisation has its own word in it, in every kind of field. Thousands of questions are asked by way of
//! the router, among them those of the other organisation; the word must be in no body and no header.

use std::collections::BTreeMap;

use access::{Role, Viewer};
use indelible::User;

use super::malformed::Dice;
use super::matrix::{here, new_key, wide};
use super::*;

/// Events of an organisation that the member did, and that others did.
const OWN: usize = 12;
const OTHERS: usize = 24;

struct Asker {
    name: &'static str,
    token: String,
    organisation: &'static str,
    /// Words that must never be in an answer.
    foreign: Vec<String>,
    sees_own_only: bool,
}

/// What one organisation has that can be asked for by its name.
#[derive(Default)]
struct Things {
    ids: Vec<String>,
    /// The senders' own. Asked elsewhere, they would stand in the record of the question.
    named: Vec<String>,
    views: Vec<String>,
    keys: Vec<String>,
    quarantined: Vec<String>,
}

fn word(organisation: &str, whose: &str) -> String {
    format!("zq{organisation}{whose}")
}

/// An event whose every text says whose it is.
fn event(organisation: &str, whose: &str, n: usize) -> String {
    let word = word(organisation, whose);
    let actor = if whose == "own" { format!("mona-{organisation}") } else { format!("{word}-actor") };
    let (kind, status) = (["auth.login", "llm.call", "tool.call"][n % 3], ["success", "failed"][n % 2]);
    format!(
        r#"{{"type":"{kind}","status":"{status}","source_id":"{word}-{n}","message":"{word} said",
        "actor":{{"id":"{actor}","name":"{word} name","email":"{word}@x.org","user_agent":"{word} agent"}},
        "targets":[{{"type":"{word}","id":"{word}-t","name":"{word} target"}}],"action":"{word}-act",
        "project":"{word}-p","environment":"{word}-e","producer":"{word}-prod","request_id":"{word}-r",
        "llm":{{"provider":"{word}-prov","model":"{word}-model","cost":"1.5","tokens_input":7}},
        "tool":{{"name":"{word}-tool"}},"attributes":{{"{word}":"{word}"}},"content":{{"prompt":"{word}"}}}}"#
    )
}

async fn fill(server: &Server, organisation: &'static str) -> (Things, Vec<Asker>) {
    let (product, command) = (&server.product, Viewer::command("test"));
    product.create_organisation(&command, organisation, &word(organisation, "name")).unwrap();
    let user = format!("mona-{organisation}");
    let email = Some(format!("{}@x.org", word(organisation, "mona")));
    product
        .create_user(&command, User { id: user.clone(), name: "Mona".into(), email, ..User::default() })
        .unwrap();
    let mut things = Things::default();
    let other = if organisation == "alpha" { "beta" } else { "alpha" };
    let mut askers = Vec::new();
    for (name, role) in [("admin", Role::Admin), ("auditor", Role::Auditor), ("member", Role::Member)] {
        let key_name = word(organisation, "others");
        let new = new_key(
            &key_name,
            here(organisation),
            role,
            Some(&user).filter(|_| role == Role::Member).map(|user| user.as_str()),
        );
        let (key, token) = product.create_key(&command, new).unwrap();
        things.keys.push(key.key_id);
        let mut foreign = vec![format!("zq{other}"), format!("mona-{other}")];
        let sees_own_only = role == Role::Member;
        askers.push(Asker { name, token, organisation, foreign, sees_own_only });
        if sees_own_only {
            foreign = askers.last().unwrap().foreign.clone();
            // Its own key's name and views that others share are for it to see; events of others are not.
            foreign.push(format!("{}-", word(organisation, "others")));
            askers.last_mut().unwrap().foreign = foreign;
        }
    }
    let path = format!("/v1/events?organisation={organisation}");
    for (whose, most) in [("own", OWN), ("others", OTHERS)] {
        for n in 0..most {
            let answer = server.ask("POST", &path, event(organisation, whose, n)).await;
            assert_eq!(answer.told(), "200 1 0", "{}", answer.text);
            things
                .ids
                .push(answer.json().pointer("/receipts/0/id").and_then(Value::as_str).unwrap().to_owned());
            things.named.push(format!("{}-{n}", word(organisation, whose)));
        }
    }
    let bad = format!(r#"{{"type":"a.b","{0}":"{0}"}}"#, word(organisation, "refused"));
    assert_eq!(server.ask("POST", &path, bad).await.status, 400);
    let admin = product.authenticate(&askers[0].token, None).unwrap();
    for entry in product.quarantined(&admin, organisation, 10).unwrap() {
        things.quarantined.push(entry.get("id").and_then(Value::as_str).unwrap().to_owned());
    }
    for shared in [false, true] {
        let (name, filter) = (word(organisation, "view"), format!("message:{}", word(organisation, "view")));
        let view = product.save_view(&admin, organisation, None, &name, &filter, shared).unwrap();
        things.views.push(view.id);
    }
    product.ledger(organisation).unwrap().sign().unwrap();
    (things, askers)
}

/// A question: mostly one that makes sense, of one's own organisation, of the other, or without a name.
fn question(dice: &mut Dice, asker: &Asker, things: &[Things; 2]) -> (&'static str, String, String) {
    let named = *dice.pick(&[
        "",
        "",
        "organisation=alpha",
        "organisation=beta",
        "organisation=system",
        "organisation=nobody",
    ]);
    let filters = [
        "",
        "q=type:auth.*",
        "q=status:failed",
        "q=zq*",
        "q=message:zqb*",
        "q=message:zqa*",
        "q=actor.id:mona*",
        "q=NOT%20actor.id:x",
        "q=organisation:beta",
        "q=organisation:alpha",
        "q=attributes.x:*",
        "q=content.prompt:zq*",
        "q=position:1",
        "type=llm.call",
        "type=auth.*",
        "status=success",
        "actor=mona",
        "from=2020-01-01T00:00:00Z",
        "q=llm.cost%3E1",
        "q=source_id:zqb*%20OR%20source_id:zqa*",
        "q=((",
    ];
    let filter = *dice.pick(&filters);
    let any = &things[dice.below(2)];
    let own = &things[usize::from(asker.organisation == "beta")];
    let fields =
        ["type", "actor.id", "llm.model", "producer", "project", "actor.email", "tool.name", "nothing"];
    let field = *dice.pick(&fields);
    let (path, more) = match dice.below(46) {
        0..=7 => ("/v1/events".into(), format!("limit={}&count=exact", [1, 7, 100, 1000][dice.below(4)])),
        8..=10 => (
            "/v1/events".into(),
            format!("cursor={}&sort={}", dice.below(60), dice.pick(&["newest", "time"])),
        ),
        11..=15 => ("/v1/events/count".into(), String::new()),
        16..=18 => ("/v1/events/facets".into(), format!("field={field}&n=50")),
        19..=21 => ("/v1/events/histogram".into(), format!("interval=1d&by={field}")),
        22..=24 => ("/v1/events/top".into(), format!("group={field}&sum=llm.cost&n=50")),
        25..=27 => (format!("/v1/events/{}", dice.pick(&any.ids)), String::new()),
        28 if dice.below(2) == 0 => (format!("/v1/events/{}", dice.below(60)), String::new()),
        28 => (
            format!(
                "/v1/events/{}",
                dice.pick(&own.named[..if asker.sees_own_only { OWN } else { OWN + OTHERS }])
            ),
            String::new(),
        ),
        29 => (format!("/v1/events/{}/proof", dice.pick(&any.ids)), String::new()),
        30 => ("/v1/events/export".into(), format!("format={}", dice.pick(&["ndjson", "json", "csv"]))),
        31 => ("/v1/events/tail".into(), "at=0".into()),
        32 => ("/v1/views".into(), String::new()),
        33 => ("/v1/keys".into(), String::new()),
        34 => ("/v1/quarantine".into(), String::new()),
        35 => (format!("/v1/quarantine/{}", dice.pick(&any.quarantined)), String::new()),
        36 => {
            let path = *dice.pick(&[
                "/v1/whoami",
                "/v1/organisations",
                "/v1/users",
                "/metrics",
                "/v1/stats",
                "/nowhere",
                "/openapi.json",
            ]);
            return ("GET", path.to_owned(), String::new());
        }
        37 => {
            return (
                "GET",
                format!("/v1/filter?q={}", dice.pick(&["actor.", "type:a", "((", "producer:"])),
                String::new(),
            );
        }
        38 => {
            let path = format!("/v1/find-text?{named}");
            return ("POST", path, r#"{"text":"zq"}"#.to_owned());
        }
        39 => ("/audit".into(), format!("page_size=100&sort_by={}", dice.pick(&["updated_at", "object_id"]))),
        40 => (format!("/audit/{}", dice.pick(&any.ids)), String::new()),
        41 => (
            "/api/audit-logs".into(),
            format!("include=all&limit=1000&profile={}", dice.pick(&["seed", "cadf"])),
        ),
        42 => {
            (format!("/api/audit-logs/{}{}", dice.pick(&any.ids), dice.pick(&["", "/verify"])), String::new())
        }
        43 => ("/api/audit-logs/filterdata".into(), "include=all".into()),
        44 => (
            "/api/audit-logs/export".into(),
            format!("include=all&format={}", dice.pick(&["json", "jsonl", "syslog"])),
        ),
        _ => match dice.below(4) {
            // What is not theirs cannot be changed either, and the refusal tells nothing.
            0 => {
                return (
                    "DELETE",
                    format!("/v1/views/{}?organisation={}", any.views[0], asker.organisation),
                    String::new(),
                );
            }
            1 => ("/v1/checkpoint".into(), String::new()),
            2 => return ("POST", format!("/v1/keys/{}/rotate", other(asker, things).keys[0]), String::new()),
            _ => return ("DELETE", format!("/v1/keys/{}", other(asker, things).keys[1]), String::new()),
        },
    };
    let is_question = path.starts_with("/v1/events")
        && !path.contains("zq")
        && path.matches('/').count() < 4
        && [
            "/v1/events",
            "/v1/events/count",
            "/v1/events/facets",
            "/v1/events/histogram",
            "/v1/events/top",
            "/v1/events/export",
            "/v1/events/tail",
        ]
        .contains(&path.as_str());
    let parts = [named, if is_question { filter } else { "" }, &more];
    let query = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("&");
    ("GET", format!("{path}?{query}"), String::new())
}

fn other<'t>(asker: &Asker, things: &'t [Things; 2]) -> &'t Things {
    &things[usize::from(asker.organisation == "alpha")]
}

async fn asked(server: &Server, asker: &Asker, method: &str, path: &str, body: String) -> (u16, String) {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("authorization", format!("Bearer {}", asker.token));
    let response = server.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    let (head, mut body) = response.into_parts();
    let mut text: String = head
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    if text.contains("text/event-stream") {
        // The first of it, as much as is there.
        while let Ok(Some(Ok(frame))) = tokio::time::timeout(Duration::from_millis(30), body.frame()).await {
            text += &String::from_utf8_lossy(frame.data_ref().unwrap());
        }
    } else {
        text += &String::from_utf8_lossy(&body.collect().await.unwrap().to_bytes());
    }
    (head.status.as_u16(), text)
}

/// Totals are those of the own ledger, and of the member's own events.
async fn totals(server: &Server, asker: &Asker) {
    let counted = if asker.sees_own_only { OWN } else { OWN + OTHERS };
    let thirds = |n: usize| if asker.sees_own_only { OWN.div_ceil(3) * n } else { (OWN + OTHERS) / 3 * n };
    for (query, expect) in [
        ("q=source_id:zq*", counted),
        ("q=source_id:zq*%20type:auth.login", thirds(1)),
        ("q=source_id:zq*&type=llm.*", thirds(1)),
        ("q=source_id:zq*&status=failed", counted / 2),
        ("q=source_id:zqalph*", if asker.organisation == "alpha" { counted } else { 0 }),
        ("q=source_id:zqbet*", if asker.organisation == "beta" { counted } else { 0 }),
    ] {
        let path = format!("/v1/events/count?{query}&consistent=true");
        let (status, text) = asked(server, asker, "GET", &path, String::new()).await;
        assert_eq!(status, 200, "{text}");
        let told = format!(r#""value":{expect}}}"#);
        assert!(text.contains(&told), "{} of {}: {query}: {text}", asker.name, asker.organisation);
    }
}

async fn isolated(scan_below: u64, seed: u64, operations: usize) {
    let dir = TempDir::new().unwrap();
    let settings = Settings { scan_below, ..Settings::new(dir.path().join("data")) };
    let product = Arc::new(Indelible::open(Arc::new(OsIo::new()), settings).unwrap());
    let server = Server::over(dir, product, Serving { limits: wide(), ..Serving::default() }, Arc::default());
    let _indexing = server.indexing();
    let (alpha, mut askers) = fill(&server, "alpha").await;
    let (beta, more) = fill(&server, "beta").await;
    askers.extend(more);
    let things = [alpha, beta];
    for asker in &askers {
        totals(&server, asker).await;
    }
    let mut dice = Dice(seed);
    let mut statuses = BTreeMap::<u16, usize>::new();
    for _ in 0..operations {
        let asker = dice.pick(&askers);
        let (method, path, body) = question(&mut dice, asker, &things);
        let (status, text) = asked(&server, asker, method, &path, body).await;
        *statuses.entry(status).or_default() += 1;
        for foreign in &asker.foreign {
            if let Some(at) = text.find(foreign.as_str()) {
                let from = text.floor_char_boundary(at.saturating_sub(300));
                panic!(
                    "{} of {} {method} {path}: {status}: {}",
                    asker.name,
                    asker.organisation,
                    &text[from..at + foreign.len()]
                );
            }
        }
        assert!(status < 500, "{method} {path}: {status} {text}");
    }
    for asker in &askers {
        totals(&server, asker).await;
    }
    assert!(statuses[&200] > operations / 4 && statuses[&403] > operations / 20, "{statuses:?}");
}

/// 1 000 each by default, so that it takes seconds; 10 000 each with `INDELIBLE_LONG`.
fn operations() -> usize {
    if std::env::var_os("INDELIBLE_LONG").is_some() { 10_000 } else { 1000 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_shown_what_is_not_theirs_by_a_scan() {
    isolated(u64::MAX, 0x9E37_79B9_7F4A_7C15, operations()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_shown_what_is_not_theirs_by_the_index() {
    isolated(0, 0xD1B5_4A32_D192_ED03, operations()).await;
}
