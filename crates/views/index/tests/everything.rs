//! What is known of a whole part, or of a block of a column, without looking at its documents is what they say.
//!
//! Events come nearly in order of time, as they do in life, and are more than a block holds: then facets, bars and
//! ranges of time take ways that the small worlds of `agreement` do not.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use event::{Object, Value, time};
use index::{Budget, Cache, Facet, Histogram, Index, Measure, Relation, Scope};
use ledger::io::OsIo;
use query::Filter;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

const SECOND: i64 = 1_000_000_000;
const BEGIN: i64 = 1_767_600_000 * SECOND;
/// Of several parts, each of several blocks.
const EVENTS: u64 = 24_000;
const FIELDS: &[&str] = &["type", "status", "actor.id", "tool.name"];
const N: usize = 4;

/// One a second, give or take half a minute; some without a time, some fields only in some.
fn event(r: &mut Random, position: u64) -> Value<'static> {
    let mut event = Object::new();
    event.insert("id", format!("019a0000-0000-7000-8000-{position:012x}"));
    event.insert("position", Value::integer(position as i64).unwrap());
    event.insert("type", ["auth.login", "llm.completion", "tool.call"][r.below(3) as usize]);
    if r.below(500) > 0 || position < EVENTS / 2 {
        let late = if r.below(5000) == 0 { 7200 } else { r.below(30) as i64 };
        event.insert("time", time::format_ns(BEGIN + (position as i64 - late) * SECOND));
    }
    if r.below(3) > 0 {
        event.insert("status", ["success", "failed", "blocked"][r.below(3) as usize]);
    }
    if r.below(4) > 0 {
        let actor = Value::object([("id", Value::from(format!("user-{}", r.below(r.0 % 300 + 1))))]);
        event.insert("actor", actor.unwrap());
    }
    Value::Object(event)
}

struct World {
    events: Vec<Value<'static>>,
    index: Index,
    _dir: tempfile::TempDir,
}

fn world(r: &mut Random, cache: usize) -> World {
    let dir = tempfile::tempdir().unwrap();
    let cache = Arc::new(Cache::new(cache));
    let index = Index::open(Arc::new(OsIo::new()), dir.path(), &[1; 32], cache).unwrap();
    let events: Vec<_> = (0..EVENTS).map(|position| event(r, position)).collect();
    while index.next() < EVENTS {
        let from = index.next();
        let to = (from + 1 + r.below(EVENTS / 4)).min(EVENTS);
        let batch: Vec<_> = (from..to).map(|p| (p, events[p as usize].clone())).collect();
        index.add(&batch).unwrap();
        index.commit().unwrap();
    }
    World { events, index, _dir: dir }
}

fn text<'e>(event: &'e Value<'_>, path: &str) -> Option<&'e str> {
    event.pointer(&format!("/{}", path.replace('.', "/")))?.as_str()
}

fn time_of(event: &Value<'_>) -> Option<i64> {
    time::parse(text(event, "time")?).ok()
}

/// Most frequent first, as facets have them.
fn counted<'e>(events: &[&'e Value<'e>], field: &str) -> Vec<(String, u64)> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    events.iter().filter_map(|event| text(event, field)).for_each(|v| *counts.entry(v).or_default() += 1);
    let mut counts: Vec<_> = counts.into_iter().map(|(value, count)| (value.to_owned(), count)).collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts
}

impl World {
    /// Facets, number, bars and top list of a filter are those of the events that its predicate passes.
    fn check(&self, text_of_filter: &str, r: &mut Random) -> usize {
        let filter = Filter::parse(text_of_filter).unwrap();
        let predicate = filter.predicate();
        let matching: Vec<&Value<'_>> = self.events.iter().filter(|event| predicate.matches(event)).collect();
        let scope = Scope { expr: filter.expr(), budget: Budget::default() };
        let confirm = |position: u64| Ok::<_, ()>(self.events[position as usize].clone());

        let count = self.index.count(&scope, &confirm).unwrap();
        assert_eq!((count.value, count.relation), (matching.len() as u64, Relation::Exact), "{filter}");
        for found in self.index.facets(&scope, FIELDS, N, &confirm).unwrap() {
            let mut values = counted(&matching, &found.field);
            let all: u64 = values.iter().map(|(_, count)| count).sum();
            values.truncate(N);
            let other = all - values.iter().map(|(_, count)| count).sum::<u64>();
            let missing = matching.len() as u64 - all;
            let (field, relation) = (found.field.clone(), Relation::Exact);
            assert_eq!(found, Facet { field, values, other, missing, relation }, "{filter}");
        }
        let top = self.index.top(&scope, "actor.id", Measure::Count, N, &confirm).unwrap();
        let groups: Vec<_> = top.groups.into_iter().map(|group| (group.value, group.events)).collect();
        assert_eq!(groups, counted(&matching, "actor.id")[..groups.len()], "{filter}");
        assert_eq!(top.total.of, matching.len() as u64, "{filter}");
        for step in [1, 60, 3600, 100_000] {
            let from = BEGIN + (r.below(EVENTS) as i64 - 3000) * SECOND;
            let to = from + r.below(30_000) as i64 * SECOND;
            for split in [None, Some(("status", 2)), Some(("actor.id", 3))] {
                let chart = Histogram { from, to, step: step * SECOND, split };
                let drawn = self.index.histogram(&scope, &chart, &confirm).unwrap();
                let within: Vec<&Value<'_>> = (matching.iter().copied())
                    .filter(|event| time_of(event).is_some_and(|time| (from..to).contains(&time)))
                    .collect();
                let bars = |wanted: &dyn Fn(&Value<'_>) -> bool| {
                    let mut bars = vec![0; drawn.total.len()];
                    let wanted =
                        within.iter().filter(|event| wanted(event)).filter_map(|event| time_of(event));
                    wanted.for_each(|time| bars[((time - from) / drawn.step) as usize] += 1);
                    bars
                };
                assert_eq!(drawn.total, bars(&|_| true), "{filter}, {chart:?}");
                let Some((field, n)) = split else {
                    assert_eq!(drawn.other, drawn.total);
                    continue;
                };
                let apart: Vec<_> =
                    counted(&within, field).into_iter().take(n).map(|(value, _)| value).collect();
                let names: Vec<_> = drawn.series.iter().map(|(value, _)| value.clone()).collect();
                assert_eq!(names, apart, "{filter}, {chart:?}");
                for (value, row) in &drawn.series {
                    assert_eq!(*row, bars(&|event| text(event, field) == Some(value)), "{filter}, {chart:?}");
                }
                let is_apart =
                    |event: &Value<'_>| text(event, field).is_some_and(|v| names.iter().any(|n| n == v));
                assert_eq!(drawn.other, bars(&|event| !is_apart(event)), "{filter}, {chart:?}");
            }
        }
        matching.len()
    }

    fn check_all(&self, r: &mut Random) {
        let at = |second: i64| time::format_ns(BEGIN + second * SECOND);
        let third = EVENTS as i64 / 3;
        assert_eq!(self.check("", r), EVENTS as usize);
        // Everything that has a time; all of some parts, and some of others; nothing.
        assert!(self.check(&format!("time>=\"{}\" time<\"{}\"", at(-9000), at(90_000)), r) < EVENTS as usize);
        let some = self.check(&format!("time>=\"{}\" time<\"{}\"", at(third), at(2 * third)), r);
        assert!((EVENTS as usize / 4..EVENTS as usize / 2).contains(&some), "{some}");
        self.check(&format!("time>=\"{}\"", at(r.below(EVENTS) as i64)), r);
        self.check(&format!("-time>\"{}\"", at(r.below(EVENTS) as i64)), r);
        assert_eq!(self.check(&format!("time>\"{}\"", at(90_000)), r), 0);
        // What somebody who may see only some of it asks.
        self.check("actor.id:user-1 OR type:auth.*", r);
        self.check(&format!("status:failed time>=\"{}\"", at(third + 77)), r);
        self.check("-attributes.nothing:here", r);
    }
}

#[test]
fn what_is_known_of_a_part_is_what_its_documents_say() {
    // With room for everything, and with room for next to nothing.
    for (seed, cache) in [(1, 64 << 20), (2, 8 << 10)] {
        let r = &mut Random(seed);
        let mut world = world(r, cache);
        world.check_all(r);
        // Again, from what was kept.
        world.check_all(r);
        // Who did it was erased, for a part of a part and for a whole one.
        let mut changed = Vec::new();
        let gone: HashSet<u64> = (0..EVENTS).filter(|at| *at < EVENTS / 3 || at % 7 == 0).collect();
        for position in gone {
            let Value::Object(event) = &mut world.events[position as usize] else { unreachable!() };
            event.remove("actor");
            changed.push((position, world.events[position as usize].clone()));
        }
        changed.sort_by_key(|(position, _)| *position);
        world.index.rebuild_range(&changed).unwrap();
        world.check_all(r);
        // Parts that became one have other counts.
        while world.index.merge_some().unwrap() {}
        world.check_all(r);
    }
}
