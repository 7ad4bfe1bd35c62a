use std::collections::{BTreeMap, HashSet};

use event::kind::{Category, Kind};

use super::*;

/// A Wednesday, 2026-11-18T15:30:00Z.
const END: u64 = 1_795_015_800_000;
const DAY: u64 = 86_400_000;

fn text<'v>(event: &'v Value<'_>, pointer: &str) -> &'v str {
    event.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn of_type<'v>(events: &'v [Value<'static>], kind: &str) -> Vec<&'v Value<'static>> {
    events.iter().filter(|event| text(event, "/type") == kind).collect()
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_gives_others() {
    let bytes = |seed| ndjson(&week(seed, END).collect::<Vec<_>>());
    let one = bytes(1);
    assert_eq!(one, bytes(1));
    assert_ne!(one, bytes(2));
    // What has happened stays as it is when the day goes on.
    let later = ndjson(&week(1, END + 3 * 3_600_000).collect::<Vec<_>>());
    assert!(later.starts_with(&one) && later.len() > one.len());
}

#[test]
fn the_door_takes_every_event_on_any_day_of_the_week() {
    for day in 0..7 {
        let end = END + day * DAY;
        let events: Vec<_> = week(day, end).collect();
        assert!((6000..=10_000).contains(&events.len()), "day {day}: {} events", events.len());
        for line in ndjson(&events).split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let event = Event::parse(line, &Limits::default())
                .unwrap_or_else(|refusal| panic!("{refusal:?}: {}", String::from_utf8_lossy(line)));
            let kind = event.kind().unwrap_or_else(|| panic!("{} is not in the table", event.type_said()));
            // These are ours to say.
            assert!(!matches!(kind.category, Category::Administration | Category::Audit), "{}", kind.name);
            assert!(event.core().status != 255 && event.core().severity != 255);
            assert!(event.core().time_ns.is_some_and(|time| time < end as i64 * 1_000_000));
        }
    }
}

#[test]
fn events_come_in_order_and_producers_count_them() {
    let events: Vec<_> = week(1, END).collect();
    let times: Vec<_> = events.iter().map(|event| text(event, "/time")).collect();
    assert!(times.is_sorted());
    assert!(times[0] >= "2026-11-11T00:00:00.000Z", "{}", times[0]);
    let mut next: BTreeMap<&str, i64> = BTreeMap::new();
    let mut ids = HashSet::new();
    for event in &events {
        let number = next.entry(text(event, "/producer")).or_insert(1);
        assert_eq!(event.get("producer_seq").and_then(Value::as_i64), Some(*number));
        *number += 1;
        assert!(ids.insert(text(event, "/source_id")));
    }
    assert_eq!(next.len(), 8, "{next:?}");
}

#[test]
fn the_week_has_what_an_organisation_has() {
    let events: Vec<_> = week(1, END).collect();
    let mut kinds: Vec<_> = events.iter().map(|event| text(event, "/type")).collect();
    kinds.sort();
    kinds.dedup();
    assert!(kinds.len() >= 80, "{} types", kinds.len());
    let categories: HashSet<_> = kinds.iter().map(|kind| Kind::find(kind).unwrap().category.name()).collect();
    for category in Category::ALL.iter().filter(|c| !matches!(c, Category::Administration | Category::Audit))
    {
        assert!(categories.contains(category.name()), "nothing of {}", category.name());
    }
    let distinct = |pointer: &str| events.iter().map(|event| text(event, pointer)).collect::<HashSet<_>>();
    assert!(cast::PEOPLE.iter().all(|person| distinct("/actor/id").contains(person.id)));
    assert!(distinct("/llm/model").len() >= 9 && distinct("/llm/provider").len() >= 5);
    // Agents that work for an agent that works for a person.
    let chain = events.iter().filter(|event| event.pointer("/actor/on_behalf_of/1/email").is_some()).count();
    assert!(chain > 50, "{chain} events with two links of delegation");
    let changed = events.iter().filter(|event| event.pointer("/changes/after").is_some()).count();
    assert!(changed > 30, "{changed} changes");
    // Nights and weekends are quieter than working hours.
    let at = |hours: &[&str]| events.iter().filter(|e| hours.contains(&&text(e, "/time")[11..13])).count();
    assert!(at(&["09", "10"]) > 4 * at(&["03", "04"]), "{} {}", at(&["09", "10"]), at(&["03", "04"]));
    let on = |day: &str| events.iter().filter(|event| text(event, "/time").starts_with(day)).count();
    assert!(on("2026-11-12") > 2 * on("2026-11-15"), "a Thursday and a Sunday");
    let self_approved = of_type(&events, "approval.granted")
        .into_iter()
        .filter(|event| text(event, "/actor/id") == text(event, "/attributes/requested_by"))
        .count();
    assert_eq!(self_approved, 1);
}

#[test]
fn the_incident_can_be_followed_from_the_key_to_the_review() {
    for (seed, end) in [(1, END), (7, END + 3 * DAY), (9, END + 5 * DAY)] {
        let events: Vec<_> = week(seed, end).collect();
        let key = cast::CONTRACTOR_KEY.hash();
        let stolen: Vec<_> = events
            .iter()
            .filter(|event| text(event, "/actor/api_key_hash") == key)
            .filter(|event| text(event, "/actor/ip").starts_with("203.0.113."))
            .collect();
        let count = |kind: &str| stolen.iter().filter(|event| text(event, "/type") == kind).count();
        assert!(count("llm.completion") > 300, "{} calls", count("llm.completion"));
        assert_eq!((count("guardrail.block"), count("data.exported")), (15, 1));
        assert!(count("authz.budget_exceeded") == 12 && count("auth.failed_attempt") == 23);
        // The burst costs more than everything else together.
        let cost = |events: &mut dyn Iterator<Item = &Value<'static>>| -> f64 {
            events.filter_map(|event| event.pointer("/llm/cost")?.as_str()?.parse::<f64>().ok()).sum()
        };
        let (theft, all) = (cost(&mut stolen.iter().copied()), cost(&mut events.iter()));
        assert!(
            theft > 300.0 && theft < 305.0 && all > theft + 50.0 && theft > all / 2.0,
            "{theft} of {all}"
        );
        // In the order of a story.
        let first = |kind: &str| {
            let found = events.iter().find(|event| {
                text(event, "/type") == kind && text(event, "/attributes/incident") == incident::NAME
            });
            text(found.unwrap_or_else(|| panic!("no {kind} in the incident")), "/time")
        };
        let theft_ends =
            stolen.iter().map(|event| text(event, "/time")).filter(|time| *time < first("key.blocked"));
        assert!(theft_ends.max().unwrap() < first("auth.login"));
        let story = ["auth.login", "key.blocked", "security.incident", "data.key_exposed", "key.deleted"];
        let review = ["security.breach", "data.report_generated", "policy.updated", "key.created"];
        let times: Vec<_> = story.iter().chain(&review).map(|kind| first(kind)).collect();
        assert!(times.is_sorted(), "{times:?}");
    }
}

#[test]
fn a_clock_that_was_never_set_makes_no_trouble() {
    for end in [0, 1, 3 * DAY, u64::MAX / 2_000_000] {
        let events: Vec<_> = week(1, end).collect();
        assert!(events.iter().all(|event| event.get("time").is_some()));
    }
}

#[test]
fn the_filters_of_the_summary_find_what_they_say() {
    let events: Vec<_> = week(1, END).collect();
    let found = filters().map(|(filter, _)| {
        let filter = query::Filter::parse(&filter).unwrap_or_else(|error| panic!("{filter}: {error}"));
        let predicate = filter.predicate();
        events.iter().filter(|event| predicate.matches(event)).count()
    });
    assert!(found[0] > 350 && (15..60).contains(&found[1]) && found[2] == 1, "{found:?}");
}
