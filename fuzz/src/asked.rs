//! Questions in others' ways: their parameters, and the body of Bifrost's advanced filter.

use compat::bifrost::{self, cadf, seed};
use compat::litellm as like;
use event::{Limits, Value};
use query::{Expr, Filter};

use crate::check;

/// Events to be asked about.
const EVENTS: &str = r#"[{"type":"auth.login","id":"01890a5d-ac96-774b-bcce-b302099a8057","time":"2026-03-01T10:00:00Z","status":"failed","severity":"high","category":"authentication","actor":{"id":"alice","ip":"203.0.113.7"},"targets":[{"type":"key","id":"k"}],"position":1},
    {"type":"key.updated","id":"01890a5d-ac96-774b-bcce-b302099a8058","time":"2026-03-01T11:00:00Z","action":"updated","source_id":"litellm-audit:9f","changes":{"before":{"team_id":"t"},"after":{"team_id":"u"}},"attributes":{"table_name":"LiteLLM_VerificationToken"},"position":2}]"#;

fn events() -> Vec<Value<'static>> {
    let events = event::json::parse(EVENTS.as_bytes(), &Limits::default()).expect("it is JSON");
    events.into_owned().as_array().expect("it is a list").to_vec()
}

/// What was asked can be asked of events, and says the same when its text is read again.
fn asked(filter: &Expr) {
    let filter = Filter::from(filter.clone());
    let predicate = filter.predicate();
    let again = Filter::parse(&filter.to_string());
    for event in events() {
        let is_found = predicate.matches(&event);
        // A text of so many clauses is more than people may ask.
        if let Ok(again) = &again {
            assert_eq!(again.matches(&event), is_found, "{filter}");
        }
    }
}

/// Lines `name=value`.
fn pairs(bytes: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(bytes);
    text.split('\n')
        .filter_map(|line| line.split_once('='))
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .collect()
}

pub fn litellm(bytes: &[u8]) {
    let pairs = pairs(bytes);
    let get = |name: &str| pairs.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    match like::Asked::read(&get, &|key| Some(check::fingerprint(key.as_bytes()))) {
        Ok(question) => {
            asked(&question.filter);
            like::page(events().iter().map(like::row).collect(), u64::MAX, &question);
        }
        Err(wrong) => {
            assert!(!wrong.is_empty());
            like::invalid(&wrong);
        }
    }
}

pub fn litellm_seeds() -> Vec<Vec<u8>> {
    check::texts(&[
        "page=2\npage_size=100\nsort_by=updated_at\nsort_order=asc\nchanged_by=alice\naction=update\ntable_name=LiteLLM_TeamTable",
        "start_date=2026-01-01T00:00:00Z\nend_date=2026-12-31 23:59:59.5+02:00\nobject_id=k\nchanged_by_api_key=88dc\nobject_team_id=t\nobject_key_hash=ab\nsearch=x\ninclude=all",
        "page=0\npage_size=101\nsort_by=what\nstart_date=noon",
    ])
}

pub fn bifrost(bytes: &[u8]) {
    let pairs = pairs(bytes);
    let Ok(is_cadf) = bifrost::is_cadf(&pairs) else { return };
    match is_cadf {
        true => {
            if let Ok(question) = cadf::Asked::read(&pairs) {
                asked(&question.filter);
                question.skip();
                question.below();
                cadf::page(&events(), u64::MAX, &question, 7);
            }
            cadf::format(&pairs);
        }
        false => {
            if let Ok(question) = seed::Asked::read(&pairs) {
                again(&question);
            }
        }
    }
}

pub fn bifrost_seeds() -> Vec<Vec<u8>> {
    check::texts(&[
        "event_type=authentication,configuration_change\nuser_id=alice\naction=access_denied\nseverity=high\nstatus=failed\nresource_type=virtual_key\nip=203.0.113.0/24\nstart_date=2024-01-01\nend_date=2024-01-31\nlimit=100\npage=2\nsort=timestamp\norder=asc\ninclude_details=true",
        "profile=cadf\nperiod=24h\nsearch=x\nsort_by=timestamp\nsort_order=desc\nactions=update,read\noutcomes=success\ninitiator_ids=a\ntarget_types=key\nrequest_ips=203.0.113.7\nlimit=50\ncursor=9.50\nstart_date=2026-01-01T00:00:00Z\nformat=syslog",
        "event_types=a\ntags=x\nrequest_method=POST\nrequest_path=/v1\noutcome=failure",
    ])
}

/// The advanced filter.
pub fn bifrost_body(bytes: &[u8]) {
    if let Ok(body) = event::json::parse(bytes, &Limits::default())
        && let Ok(question) = seed::Asked::read_body(&body)
    {
        again(&question);
    }
}

/// A question, and the one that its next page is asked for with: they ask the same.
fn again(question: &seed::Asked) {
    asked(&question.filter);
    // There are never more.
    let page = question.page(&events(), 1 << 40, Some("acme"));
    let Some(next) = page.get("next_page").and_then(Value::as_str) else { return };
    let (_, query) = next.split_once('?').expect("it has parameters");
    let pairs: Vec<(String, String)> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), decoded(value)))
        .collect();
    let next = seed::Asked::read(&pairs)
        .unwrap_or_else(|wrong| panic!("the next page can't be asked for: {wrong:?}"));
    assert_eq!(next.filter, question.filter);
    assert_eq!((next.page, next.limit), (question.page + 1, question.limit));
    assert_eq!(
        (next.sort, next.descending, next.details),
        (question.sort, question.descending, question.details)
    );
}

fn decoded(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit =
                    || char::from(bytes.next().expect("two digits")).to_digit(16).expect("two digits");
                (digit() << 4 | digit()) as u8
            }
            byte => byte,
        });
    }
    String::from_utf8(out).expect("UTF-8")
}

pub fn bifrost_body_seeds() -> Vec<Vec<u8>> {
    check::texts(&[
        r#"{"filters":{"event_types":["authentication","authorization"],"date_range":{"start":"2024-01-01T00:00:00Z","end":"2024-01-31T23:59:59Z"},"actors":{"user_ids":["user-alice-001","user-bob-002"],"ip_addresses":["203.0.113.0/24"]},"status":["failed","blocked"],"severity":["medium","high","critical"]},"sort":{"field":"timestamp","order":"desc"},"limit":1000,"include_details":true}"#,
        r#"{"filters":{"actions":["a,b"],"resource_types":["virtual_key"]},"page":3,"limit":1,"include":"all"}"#,
        "{}",
    ])
}
