//! One record by a mapping.

use std::collections::HashSet;

use event::json::Limits;
use event::{Code, Event, Object, Refusal, Value};

use super::Mapping;
use super::file::{Block, Member};
use super::value::{Expression, Said};
use crate::litellm::Fingerprint;

/// Most blocks of one list that are taken from a record.
const ITEMS_MOST: usize = 256;
/// Values of a record that may not fit their fields, as each takes another look at all of it.
const UNFIT_MOST: usize = 32;

/// A step on the way to a field: a name, or a block of a list by a number of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step<'m> {
    Name(&'m str),
    /// Number of the block, counted over all.
    Block(usize),
}

/// What a record says of one field.
struct Filled<'m> {
    steps: Vec<Step<'m>>,
    expression: &'m Expression,
    value: Value<'static>,
    /// Pointer of the place in the record, if all that stands there is in the value.
    whole: Option<String>,
}

struct Filling<'m, 'r> {
    fingerprint: &'r Fingerprint<'r>,
    filled: Vec<Filled<'m>>,
    blocks: usize,
}

impl Mapping {
    /// One record as an event. The pointer of a refusal is a place in the record, its reason names the mapping's line.
    ///
    /// A value that does not fit its field stays where what has no home goes; only without a type, or without what is
    /// required, there is no event.
    pub fn map(&self, record: &Value<'_>, fingerprint: &Fingerprint<'_>) -> Result<Event<'static>, Refusal> {
        if !matches!(record, Value::Object(_)) {
            let reason = format!("expected an object, found {}", record.type_name());
            return Err(Refusal::new(Code::WrongType, "", reason));
        }
        let mut filling = Filling { fingerprint, filled: Vec::new(), blocks: 0 };
        filling.block(self, &self.event, record, "", &[])?;
        let mut filled = filling.filled;
        let mut unfit = 0;
        loop {
            let (tree, places) = self.build(&filled, record);
            let refusal = match Event::from_value(Value::Object(tree), &Limits::default()) {
                Ok(event) => return Ok(event),
                Err(refusal) => refusal,
            };
            let at = places.iter().position(|place| is_below(&refusal.pointer, place));
            match at.map(|at| (at, filled[at].expression)) {
                // What does not fit is not this field's; it is kept with what has no home.
                Some((at, expression)) if !expression.required && unfit < UNFIT_MOST => {
                    filled.remove(at);
                    unfit += 1;
                }
                Some((_, expression)) => {
                    return Err(self.refusal(refusal.code, record, expression, &refusal.reason));
                }
                None => {
                    let reason = format!("mapping {}: {}", self.name, refusal.reason);
                    return Err(Refusal::new(refusal.code, "", reason));
                }
            }
        }
    }

    /// Why there is no event: the place that a line of the mapping looks at.
    fn refusal(&self, code: Code, record: &Value<'_>, expression: &Expression, why: &str) -> Refusal {
        let paths = expression.paths();
        let said = paths.iter().find(|path| path.find(record).is_some()).or(paths.first());
        let pointer = said.map(|path| path.pointer("")).unwrap_or_default();
        Refusal::new(code, pointer, format!("mapping {}, line {}: {why}", self.name, expression.line))
    }

    /// The event's tree, and the pointer of each field in it.
    fn build(&self, filled: &[Filled<'_>], record: &Value<'_>) -> (Object<'static>, Vec<String>) {
        let mut tree = Value::Object(Object::new());
        let mut places = Vec::with_capacity(filled.len());
        // The number of a block, and its place in its list.
        let mut blocks: Vec<(usize, usize)> = Vec::new();
        for one in filled {
            let (mut node, mut pointer) = (&mut tree, String::new());
            for step in &one.steps {
                match step {
                    Step::Name(name) => {
                        pointer += &format!("/{}", name.replace('~', "~0").replace('/', "~1"));
                        node = member(node, name);
                    }
                    Step::Block(number) => {
                        if !matches!(node, Value::Array(_)) {
                            *node = Value::Array(Vec::new());
                        }
                        let Value::Array(items) = node else { unreachable!("it was made one") };
                        let known = blocks.iter().find(|(known, _)| known == number).map(|(_, at)| *at);
                        let at = known.unwrap_or_else(|| {
                            items.push(Value::Object(Object::new()));
                            blocks.push((*number, items.len() - 1));
                            items.len() - 1
                        });
                        pointer += &format!("/{at}");
                        node = &mut items[at];
                    }
                }
            }
            *node = one.value.clone();
            places.push(pointer);
        }
        let Value::Object(mut tree) = tree else { unreachable!("it began as one") };
        tree.insert("producer", self.producer.clone());
        let mut redactions = Vec::new();
        for path in &self.drop {
            if let Some(value) = path.find(record).filter(|value| !value.is_null()) {
                redactions.push(redaction(&path.pointer(""), "drop", value));
            }
        }
        if self.keeps_rest {
            let used = filled.iter().filter_map(|one| one.whole.clone());
            let used: HashSet<String> = used.chain(self.drop.iter().map(|path| path.pointer(""))).collect();
            if let Some(rest) = rest(record, &mut String::new(), &used) {
                let attributes = tree.remove("attributes");
                let mut attributes = match attributes {
                    Some(Value::Object(members)) => members,
                    _ => Object::new(),
                };
                attributes.insert(self.name.clone(), rest);
                tree.insert("attributes", attributes);
            }
        }
        if !redactions.is_empty() {
            tree.insert("redactions", redactions);
        }
        (tree, places)
    }
}

impl<'m> Filling<'m, '_> {
    /// Fills a block from a record, or from an item of a list of it that lies at `below`.
    fn block(
        &mut self,
        mapping: &Mapping,
        block: &'m Block,
        record: &Value<'_>,
        below: &str,
        steps: &[Step<'m>],
    ) -> Result<(), Refusal> {
        for (name, member) in &block.members {
            let steps = [steps, &[Step::Name(name)]].concat();
            match member {
                Member::One(expression) => self.one(mapping, expression, record, below, steps)?,
                Member::Block(block) => self.block(mapping, block, record, below, &steps)?,
                Member::List(items) => {
                    for item in items {
                        let found = match &item.each {
                            None => vec![(below.to_owned(), record)],
                            Some(path) => {
                                let below = path.pointer(below);
                                match path.find(record) {
                                    Some(Value::Array(items)) => {
                                        let items = items.iter().take(ITEMS_MOST).enumerate();
                                        items.map(|(at, item)| (format!("{below}/{at}"), item)).collect()
                                    }
                                    Some(one @ Value::Object(_)) => vec![(below, one)],
                                    _ => Vec::new(),
                                }
                            }
                        };
                        for (below, record) in found {
                            let steps = [&steps[..], &[Step::Block(self.blocks)]].concat();
                            self.blocks += 1;
                            self.block(mapping, &item.block, record, &below, &steps)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn one(
        &mut self,
        mapping: &Mapping,
        expression: &'m Expression,
        record: &Value<'_>,
        below: &str,
        steps: Vec<Step<'m>>,
    ) -> Result<(), Refusal> {
        let said = match expression.say(record, self.fingerprint) {
            Ok(said) => said,
            Err((path, why)) if expression.required => {
                let why = format!("mapping {}, line {}: {why}", mapping.name, expression.line);
                return Err(Refusal::new(Code::BadValue, path.pointer(below), why));
            }
            Err(_) => None,
        };
        match said {
            Some(Said { value, whole }) => {
                let whole = whole.map(|path| path.pointer(below));
                self.filled.push(Filled { steps, expression, value, whole });
                Ok(())
            }
            None if expression.required => {
                Err(mapping.refusal(Code::Missing, record, expression, "the record says nothing there"))
            }
            None => Ok(()),
        }
    }
}

/// The member of an object; the value becomes one if it is none.
fn member<'v>(value: &'v mut Value<'static>, name: &str) -> &'v mut Value<'static> {
    if !matches!(value, Value::Object(_)) {
        *value = Value::Object(Object::new());
    }
    let Value::Object(members) = value else { unreachable!("it was made one") };
    if members.get(name).is_none() {
        members.insert(name.to_owned(), Value::Null);
    }
    members.get_mut(name).expect("it was put there")
}

/// Whether a pointer leads to a place, or into it.
fn is_below(pointer: &str, place: &str) -> bool {
    pointer.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What of a record has no home: all but the places that were used up, and what says nothing.
fn rest(value: &Value<'_>, pointer: &mut String, used: &HashSet<String>) -> Option<Value<'static>> {
    if used.contains(pointer.as_str()) || super::template::says_nothing(value) {
        return None;
    }
    let len = pointer.len();
    Some(match value {
        Value::Object(members) => {
            let mut kept = Object::new();
            for (name, member) in members.iter() {
                pointer.push('/');
                pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
                if let Some(member) = rest(member, pointer, used) {
                    kept.insert(name.to_owned(), member);
                }
                pointer.truncate(len);
            }
            return (!kept.is_empty()).then_some(Value::Object(kept));
        }
        Value::Array(items) => {
            let mut kept = Vec::with_capacity(items.len());
            for (at, item) in items.iter().enumerate() {
                pointer.push_str(&format!("/{at}"));
                kept.extend(rest(item, pointer, used));
                pointer.truncate(len);
            }
            return (!kept.is_empty()).then_some(Value::Array(kept));
        }
        other => other.clone().into_owned(),
    })
}

fn redaction(path: &str, action: &'static str, value: &Value<'_>) -> Value<'static> {
    let mut entry = Object::new();
    // A path of the mapping's; its author knows how long it is.
    entry.insert("path", path.chars().take(1024).collect::<String>());
    entry.insert("rule", "mapping.drop");
    entry.insert("action", action);
    if let Some(size) = i64::try_from(value.to_jcs().len()).ok().and_then(Value::integer) {
        entry.insert("size", size);
    }
    Value::Object(entry)
}
