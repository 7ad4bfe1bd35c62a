//! The filter language.

use event::{Limits, Value};
use query::{Filter, complete};

use crate::check;

const EVENT: &str = r#"{"type":"auth.login","time":"2026-03-01T10:00:00Z","status":"failed","severity":"high","message":"Größe of it","actor":{"id":"alice","ip":"203.0.113.7"},"targets":[{"id":"a"},{"id":"b"}],"llm":{"cost":"0.5","tokens_total":7},"attributes":{"a":{"b":[1,"x",true]}}}"#;

/// What a filter prints is the same filter, by its text and by what it finds.
pub fn filter(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let event = event::json::parse(EVENT.as_bytes(), &Limits::default()).expect("it is JSON");
    for completion in complete(text, text.len() / 2) {
        let replaced = text.get(completion.replace).expect("a piece of the text");
        assert!(replaced.len() <= text.len() && !completion.insert.is_empty());
    }
    let filter = match Filter::parse(text) {
        Ok(filter) => filter,
        Err(error) => {
            assert!(text.get(error.span.clone()).is_some(), "it is about a piece of the text: {error:?}");
            return;
        }
    };
    let printed = filter.to_string();
    let again =
        Filter::parse(&printed).unwrap_or_else(|error| panic!("{printed:?} can't be read: {error:?}"));
    assert_eq!(again, filter);
    assert_eq!(again.to_string(), printed);
    assert_eq!(Filter::from_url_query(&filter.to_url_query()).expect("our own encoding"), filter);
    let negated = Filter::from(query::Expr::Not(Box::new(filter.expr().clone())));
    assert_ne!(negated.matches(&event), filter.matches(&event), "{printed}");
    filter.matches(&Value::Null);
    filter.at(1_772_359_200_000_000_000).matches(&event);
}

pub fn filter_seeds() -> Vec<Vec<u8>> {
    check::texts(&[
        "actor.id:alice AND -status:success type:auth.* severity>=high actor.ip:203.0.113.0/24 \"free text\"",
        "time:[now-7d TO now] targets.id:(a OR b) NOT changes.path:budget exists:trace_id",
        "llm.cost>0.25 llm.tokens_total<=7 attributes.a.b:x OR (category:authentication -message:\"größe of\")",
        "type:*.login time>=2026-03-01T10:00:00Z {a",
    ])
}
