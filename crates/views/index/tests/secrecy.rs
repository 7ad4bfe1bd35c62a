//! Nothing that an event says is on the disk in the clear, and what was erased is in no file that can be read.
#![allow(clippy::disallowed_methods)]

use std::path::Path;
use std::sync::Arc;

use event::Value;
use index::{Budget, Cache, Count, Index, Order, Question, Scope};
use ledger::io::OsIo;
use query::Filter;

fn event(position: u64, secret: Option<&str>) -> (u64, Value<'static>) {
    let mut members = vec![
        ("position", Value::integer(position as i64).unwrap()),
        ("type", Value::from("auth.login")),
        ("action", Value::from("ordinaryaction")),
        ("time", Value::from(event::time::format_ns(1_767_600_000_000_000_000 + position as i64))),
    ];
    if let Some(secret) = secret {
        let actor = [
            ("id", Value::from(format!("{secret}-id"))),
            ("email", Value::from(format!("{secret}@example.com"))),
            ("session_id", Value::from(format!("{secret}-session"))),
        ];
        members.push(("actor", Value::object(actor).unwrap()));
        members.push(("message", Value::from(format!("word {secret}word"))));
    }
    (position, Value::object(members).unwrap())
}

fn open(dir: &Path) -> Index {
    Index::open(Arc::new(OsIo::new()), dir, &[3; 32], Arc::new(Cache::new(1 << 20))).unwrap()
}

fn contains(dir: &Path, what: &str) -> bool {
    std::fs::read_dir(dir).unwrap().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        bytes.windows(what.len()).any(|w| w.eq_ignore_ascii_case(what.as_bytes()))
    })
}

fn count(index: &Index, text: &str) -> u64 {
    let filter = Filter::parse(text).unwrap();
    let scope = Scope { expr: filter.expr(), budget: Budget::default() };
    index.count(&scope, &|_| Err::<Value<'static>, _>(())).unwrap().value
}

#[test]
fn no_term_is_on_the_disk_in_the_clear() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    let events: Vec<_> = (0..3000).map(|position| event(position, Some("hiddensecret"))).collect();
    index.add(&events).unwrap();
    index.commit().unwrap();
    assert_eq!(count(&index, "hiddensecretword"), 3000);
    for text in ["hiddensecret", "ordinaryaction", "auth.login", "actor_id", "segment"] {
        assert!(!contains(dir.path(), text), "{text}");
    }
}

#[test]
fn what_was_erased_is_gone_and_the_rest_is_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    let secret = |position: u64| format!("person{}", position % 10);
    for batch in 0..20 {
        let events: Vec<_> =
            (batch * 50..(batch + 1) * 50).map(|position| event(position, Some(&secret(position)))).collect();
        index.add(&events).unwrap();
        index.commit().unwrap();
    }
    while index.merge_some().unwrap() {}
    assert!(index.stats().parts < 10);
    // Everything of person 3, all over the index.
    let erased: Vec<_> = (0..1000).filter(|p| p % 10 == 3).map(|position| event(position, None)).collect();
    index.rebuild_range(&erased).unwrap();
    let question = |text: &str| {
        let filter = Filter::parse(text).unwrap();
        let scope = Scope { expr: filter.expr(), budget: Budget::default() };
        let question = Question { scope, order: Order::Newest, after: None, limit: 2000, count: Count::No };
        index.search(&question, &|_| Err::<Value<'static>, _>(())).unwrap().positions
    };
    for text in
        ["person3word", "actor.id:person3-id", "person3@*", "session:person3-session", "\"person3-session\""]
    {
        let text = text.replace("person3@*", "actor.email:person3*");
        assert_eq!(question(&text), [0u64; 0], "{text}");
        assert_eq!(
            question(&text.replace('3', "4")),
            (0..1000).filter(|p| p % 10 == 4).rev().collect::<Vec<_>>()
        );
    }
    assert_eq!(count(&index, ""), 1000);
    assert_eq!(count(&index, "-exists:actor"), 100);
    let scope = Scope { expr: &query::Expr::All, budget: Budget::default() };
    let facet = index.facets(&scope, &["actor.id"], 20, &|_| Err::<Value<'static>, _>(())).unwrap().remove(0);
    assert_eq!((facet.values.len(), facet.missing), (9, 100));
    // The key to what was there before is gone with the manifest that had it: the same after opening again.
    drop(index);
    let index = open(dir.path());
    assert!(!index.rebuilt());
    assert_eq!(count(&index, "person3word"), 0);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), index.stats().parts + 1);
}
