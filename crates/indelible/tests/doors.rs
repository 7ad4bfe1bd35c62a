//! The two doors, without a network: what goes in, who sees what of it, and what is said about both.

// Views are deleted here, as an operator may.
#![allow(clippy::disallowed_methods)]

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use access::{AllowList, Permission, Reach, Role, Viewer};
use event::{Event, Limits, Value};
use indelible::{
    AskError, AuthError, Count, Indelible, Measure, NewKey, Order, Paging, Question, Sender, Settings,
};
use ledger::io::OsIo;
use query::Filter;
use state::{RoleGrant, User};

fn open(data: &Path, scan_below: u64) -> Arc<Indelible> {
    let settings = Settings { scan_below, ..Settings::new(data) };
    Arc::new(Indelible::open(Arc::new(OsIo::new()), settings).unwrap())
}

fn event(text: &str) -> Event<'static> {
    Event::parse(text.as_bytes(), &Limits::default()).unwrap().into_owned()
}

fn record(product: &Indelible, organisation: &str, texts: &[String]) {
    let events = texts.iter().map(|text| event(text)).collect();
    product.record(events, &Sender::local(organisation)).unwrap();
}

fn question(organisation: &str, filter: &str) -> Question {
    Question { organisation: organisation.into(), filter: Filter::parse(filter).unwrap(), consistent: true }
}

fn types(product: &Indelible, viewer: &Viewer, organisation: &str, filter: &str) -> Vec<String> {
    let paging = Paging { limit: 1000, ..Paging::default() };
    let page = product.search(viewer, &question(organisation, filter), &paging).unwrap();
    page.events.iter().map(|e| e.get("type").and_then(Value::as_str).unwrap().to_owned()).collect()
}

fn key(product: &Indelible, organisation: Reach, role: Role, user: Option<&str>) -> (String, String) {
    let new = NewKey {
        name: "test".into(),
        organisation,
        role,
        scopes: None,
        user: user.map(str::to_owned),
        expires_ms: None,
        ip_allow: AllowList::default(),
    };
    let (key, secret) = product.create_key(&Viewer::command("test"), new).unwrap();
    (key.key_id, secret)
}

/// Runs the thread that indexes while something is done.
fn indexing<T>(product: &Arc<Indelible>, work: impl FnOnce() -> T) -> T {
    use std::sync::atomic::{AtomicBool, Ordering};
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                if !product.index_step() {
                    std::thread::sleep(std::time::Duration::from_millis(2));
                }
                product.index_merge();
            }
        });
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        done.store(true, Ordering::Relaxed);
        outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

#[test]
fn a_question_is_recorded_once_and_not_for_reading_about_it() {
    let data = tempfile::tempdir().unwrap();
    let product = open(data.path(), u64::MAX);
    record(&product, "acme", &[r#"{"type":"auth.login"}"#.into()]);
    let admin = Viewer::command("admin");
    for _ in 0..3 {
        types(&product, &admin, "acme", "type:auth.login");
        product.count(&admin, &question("acme", "type:auth.login")).unwrap();
    }
    assert_eq!(types(&product, &admin, "acme", "type:audit.*"), ["audit.read", "audit.read"]);
    assert_eq!(types(&product, &admin, "acme", "type:audit.*").len(), 2, "looking at them adds none");
}

#[test]
fn who_may_not_ask_is_told_so_and_it_is_recorded() {
    let data = tempfile::tempdir().unwrap();
    let product = open(data.path(), u64::MAX);
    record(&product, "acme", &[r#"{"type":"auth.login"}"#.into()]);
    record(&product, "other", &[r#"{"type":"auth.login"}"#.into()]);
    let (_, secret) = key(&product, Reach::One("acme".into()), Role::Writer, None);
    let writer = product.authenticate(&secret, None).unwrap();
    let ask = |organisation: &str| product.count(&writer, &question(organisation, "type:auth.login"));
    let told = |outcome: Result<_, AskError>| outcome.unwrap_err().to_string();
    assert!(matches!(ask("acme"), Err(AskError::Denied(_))));
    assert_eq!(told(ask("other")), told(ask("nowhere")), "nobody learns which organisations there are");
    let admin = Viewer::command("admin");
    assert_eq!(types(&product, &admin, "acme", "type:audit.denied").len(), 1);
    assert!(!product.organisations().contains(&"nowhere".to_owned()));
}

#[test]
fn a_member_sees_their_own_rows_in_every_answer() {
    for scan_below in [u64::MAX, 0] {
        let data = tempfile::tempdir().unwrap();
        let product = open(data.path(), scan_below);
        let mut texts = Vec::new();
        for n in 0..50 {
            texts.push(format!(
                r#"{{"type":"llm.completion","id":"e{n}","actor":{{"id":"user{}"}},"llm":{{"model":"m{}","cost":"0.1"}}}}"#,
                n % 5,
                n % 5
            ));
        }
        record(&product, "acme", &texts);
        let admin = Viewer::command("admin");
        product
            .create_user(&admin, User { id: "user1".into(), name: "One".into(), ..User::default() })
            .unwrap();
        let organisation = Reach::One("acme".into());
        product
            .grant_role(
                &admin,
                RoleGrant { user: "user1".into(), organisation: organisation.clone(), role: Role::Member },
            )
            .unwrap();
        let (_, secret) = key(&product, organisation, Role::Member, Some("user1"));
        let member = product.authenticate(&secret, None).unwrap();
        indexing(&product, || {
            let all = question("acme", "type:llm.*");
            let paging = Paging { limit: 100, count: Count::Exact, ..Paging::default() };
            let page = product.search(&member, &all, &paging).unwrap();
            assert_eq!(page.events.len(), 10);
            assert_eq!(page.total.unwrap().value, 10);
            let actors: BTreeSet<_> = page
                .events
                .iter()
                .map(|e| e.pointer("/actor/id").unwrap().as_str().unwrap().to_owned())
                .collect();
            assert_eq!(actors, BTreeSet::from(["user1".to_owned()]));
            assert_eq!(product.count(&member, &all).unwrap().value, 10);
            let facets = product.facets(&member, &all, &["llm.model".into()], 10).unwrap();
            assert_eq!(
                facets[0].groups.iter().map(|g| (g.key.clone(), g.count)).collect::<Vec<_>>(),
                [(Some("m1".into()), 10)]
            );
            let top = product.top(&member, &all, "actor.id", &Measure::Sum("llm.cost".into()), 10).unwrap();
            assert_eq!(top.groups.len(), 1);
            assert_eq!(top.groups[0].sum.as_deref(), Some("1"));
            assert!(matches!(
                product.find(&member, "acme", "e0", Permission::ReadEvents),
                Err(AskError::NotFound)
            ));
            assert!(product.find(&member, "acme", "e1", Permission::ReadEvents).is_ok());
            let exported = product.export(&member, &question("acme", ""), Order::Newest).unwrap();
            for event in exported {
                assert_eq!(event.unwrap().pointer("/actor/id").and_then(Value::as_str), Some("user1"));
            }
        });
    }
}

#[test]
fn pages_meet_and_time_order_differs_from_position() {
    for scan_below in [u64::MAX, 0] {
        let data = tempfile::tempdir().unwrap();
        let product = open(data.path(), scan_below);
        let texts: Vec<String> = (0..100)
            .map(|n| {
                format!(
                    r#"{{"type":"auth.login","id":"e{n}","time":"2026-01-01T00:{:02}:00Z"}}"#,
                    (n * 37) % 60
                )
            })
            .collect();
        record(&product, "acme", &texts);
        let admin = Viewer::command("admin");
        indexing(&product, || {
            for order in [Order::Newest, Order::Time, Order::Oldest] {
                let mut paging = Paging { limit: 7, order, count: Count::Exact, ..Paging::default() };
                let mut seen = Vec::new();
                loop {
                    let page = product.search(&admin, &question("acme", "type:auth.login"), &paging).unwrap();
                    assert_eq!(page.total.unwrap().value, 100);
                    seen.extend(page.events.iter().map(|e| {
                        (
                            e.get("time").unwrap().as_str().unwrap().to_owned(),
                            e.get("position").unwrap().as_i64().unwrap(),
                        )
                    }));
                    paging.cursor = page.next;
                    if paging.cursor.is_none() {
                        break;
                    }
                }
                assert_eq!(seen.len(), 100, "{order:?} {scan_below}");
                let mut sorted = seen.clone();
                match order {
                    Order::Newest => sorted.sort_by_key(|(_, position)| Reverse(*position)),
                    Order::Time => sorted.sort_by_key(|both| Reverse(both.clone())),
                    Order::Oldest => sorted.sort(),
                }
                assert_eq!(seen, sorted, "{order:?} {scan_below}");
            }
        });
    }
}

#[test]
fn administration_is_what_the_ledgers_say() {
    let data = tempfile::tempdir().unwrap();
    let secrets: Vec<(String, String)>;
    {
        let product = open(data.path(), u64::MAX);
        record(&product, "acme", &[r#"{"type":"auth.login"}"#.into()]);
        let first = key(&product, Reach::One("acme".into()), Role::Auditor, None);
        let second = key(&product, Reach::All, Role::Admin, None);
        let third = key(&product, Reach::One("acme".into()), Role::Writer, None);
        product.revoke_key(&Viewer::command("test"), &third.0).unwrap();
        assert_eq!(product.authenticate(&third.1, None), Err(AuthError::Refused("revoked")));
        secrets = vec![first, second, third];
        product.close().unwrap();
    }
    std::fs::remove_dir_all(data.path().join("views")).unwrap();
    let product = open(data.path(), u64::MAX);
    assert!(product.authenticate(&secrets[0].1, None).is_ok());
    assert!(product.authenticate(&secrets[1].1, None).is_ok());
    assert_eq!(product.authenticate(&secrets[2].1, None), Err(AuthError::Refused("revoked")));
    // A secret is in no event, and a rotated one works no more.
    let (_, fresh) = product.rotate_key(&Viewer::command("test"), &secrets[0].0, None).unwrap();
    assert!(product.authenticate(&fresh, None).is_ok());
    assert!(product.authenticate(&secrets[0].1, None).is_err());
}

#[test]
fn nobody_becomes_an_administrator_by_sending_an_event() {
    let data = tempfile::tempdir().unwrap();
    let product = open(data.path(), u64::MAX);
    let (key_id, _) = key(&product, Reach::All, Role::Admin, None);
    let admin = Viewer::command("admin");
    let page =
        product.search(&admin, &question("system", "type:config.key_created"), &Paging::default()).unwrap();
    let mut forged = page.events[0].clone();
    let Value::Object(members) = &mut forged else { panic!() };
    for name in ["id", "position", "received", "verification", "organisation"] {
        members.remove(name);
    }
    let forged = Event::from_value(forged, &Limits::default()).unwrap();
    let refused = product.record(vec![forged], &Sender::local("default")).unwrap_err().to_string();
    assert!(refused.contains("Indelible's own"), "{refused}");
    assert!(key_id.len() == 12);
}

#[test]
fn a_secret_is_no_name() {
    let data = tempfile::tempdir().unwrap();
    let product = open(data.path(), u64::MAX);
    let admin = Viewer::command("admin");
    let wrong = |outcome: Result<(), AskError>, field: &str| match outcome {
        Err(AskError::Wrong(why)) => {
            assert!(why.starts_with(field) && why.contains("looks like a secret"), "{why}");
            assert!(!why.contains("hunter2"), "{why}");
        }
        other => panic!("{field}: {other:?}"),
    };
    let secret = "password=hunter2-plum-Orchard";
    let user = |id: &str, name: &str, email: Option<&str>| User {
        id: id.into(),
        name: name.into(),
        email: email.map(str::to_owned),
        ..User::default()
    };
    product.create_user(&admin, user("ann", "Ann", Some("ann@example.com"))).unwrap();
    wrong(product.create_user(&admin, user(secret, "u", None)).map(drop), "id");
    wrong(product.create_user(&admin, user("bob", secret, None)).map(drop), "name");
    wrong(product.create_user(&admin, user("bob", "Bob", Some(secret))).map(drop), "email");
    wrong(product.update_user(&admin, "ann", |ann| ann.name = secret.into()).map(drop), "name");
    product.create_organisation(&admin, "acme", "Acme").unwrap();
    wrong(product.create_organisation(&admin, "4111111111111111", "Cards").map(drop), "id");
    wrong(product.create_organisation(&admin, "other", secret).map(drop), "name");
    wrong(product.rename_organisation(&admin, "acme", secret).map(drop), "name");
    wrong(product.save_view(&admin, "acme", None, secret, "type:a", true).map(drop), "name");
    let filter = format!("message:\"{secret}\"");
    wrong(product.save_view(&admin, "acme", None, "mine", &filter, true).map(drop), "filter");
    let new = NewKey {
        name: secret.into(),
        organisation: Reach::One("acme".into()),
        role: Role::Writer,
        scopes: None,
        user: None,
        expires_ms: None,
        ip_allow: AllowList::default(),
    };
    wrong(product.create_key(&admin, new).map(drop), "name");
    assert_eq!(product.organisations(), ["acme", "system"], "what is refused leaves nothing behind");
}

#[test]
fn a_conflict_is_recorded_without_what_may_not_be_kept() {
    let data = tempfile::tempdir().unwrap();
    let product = open(data.path(), u64::MAX);
    // Broken in two, or scanners of sources would take it for one.
    let key = concat!("sk-proj-", "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9");
    let event = |n: u32| {
        format!(r#"{{"type":"a.b","source_id":"password=hunter2-plum","producer":"{key}","message":"{n}"}}"#)
    };
    record(&product, "acme", &[event(1)]);
    record(&product, "acme", &[event(2)]);
    let all = product.search(&Viewer::command("test"), &question("acme", ""), &Paging::default()).unwrap();
    let text: String = all.events.iter().map(|e| String::from_utf8(e.to_jcs()).unwrap()).collect();
    assert!(text.contains("audit.conflict") && !text.contains("hunter2"), "{text}");
    assert!(!text.contains("aB3dE5fG7hJ9"), "{text}");
}

#[test]
fn prompts_are_found_by_their_text_and_kept_nowhere() {
    let data = tempfile::tempdir().unwrap();
    let product = open(data.path(), u64::MAX);
    record(
        &product,
        "acme",
        &[
            r#"{"type":"llm.completion","id":"a","content":{"prompt":"What is the PLANTEDPROMPT?"}}"#.into(),
            r#"{"type":"llm.completion","id":"b","content":{"prompt":"Another"},"message":"PLANTEDCONTROL"}"#
                .into(),
        ],
    );
    let admin = Viewer::command("admin");
    let filter = product.text_filter(&admin, "acme", "What is the PLANTEDPROMPT?").unwrap();
    let found = Question { organisation: "acme".into(), filter, consistent: true };
    let page = product.search(&admin, &found, &Paging::default()).unwrap();
    assert_eq!(page.events.len(), 1);
    assert_eq!(page.events[0].get("source_id").and_then(Value::as_str), Some("a"));
    let all = product.search(&admin, &question("acme", ""), &Paging::default()).unwrap();
    let text: String = all.events.iter().map(|e| String::from_utf8(e.to_jcs()).unwrap()).collect();
    assert!(!text.contains("PLANTEDPROMPT"));
    assert!(text.contains("PLANTEDCONTROL"));
}

#[test]
fn the_index_is_disposable_and_forgets_what_is_erased() {
    let data = tempfile::tempdir().unwrap();
    let texts: Vec<String> = (0..3000)
        .map(|n| format!(r#"{{"type":"auth.login","id":"e{n}","message":"word{} common"}}"#, n % 100))
        .collect();
    let admin = Viewer::command("admin");
    let count = |product: &Arc<Indelible>, filter: &str| {
        product.count(&admin, &question("acme", filter)).unwrap().value
    };
    {
        let product = open(data.path(), 0);
        record(&product, "acme", &texts);
        indexing(&product, || {
            assert_eq!(count(&product, "type:auth.login word7"), 30);
            let ledger = product.ledger("acme").unwrap();
            ledger.seal().unwrap();
            ledger
                .erase(&ledger::Erasure { first: 1, last: 1000, sections: vec![0], request: "r1".into() })
                .unwrap();
            assert_eq!(count(&product, "type:auth.login word7"), 20);
            assert_eq!(count(&product, "type:auth.login common"), 2000);
            assert_eq!(count(&product, "type:auth.login"), 3000);
        });
        product.close().unwrap();
    }
    std::fs::remove_dir_all(data.path().join("views")).unwrap();
    let product = open(data.path(), 0);
    indexing(&product, || {
        assert_eq!(count(&product, "type:auth.login word7"), 20);
        assert_eq!(count(&product, "type:auth.login"), 3000);
    });
}
