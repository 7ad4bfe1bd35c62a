//! A JSON value that can be written canonically: numbers are in range, keys are unique and already in order.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// The largest whole number that every JSON reader keeps exactly: 2^53 − 1.
pub const INTEGER_MAX: i64 = (1 << 53) - 1;

/// One JSON value, borrowing its strings from the input where they hold no escapes.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Value<'a> {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number in the range that readers agree about.
    Number(Number),
    /// A string, unescaped.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Value<'a>>),
    /// An object.
    Object(Object<'a>),
}

/// A finite number of at most 2^53 − 1 in size, as the double that RFC 8785 reads and writes; never −0.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Number(f64);

impl Number {
    /// `None` beyond ±(2^53 − 1).
    pub fn from_i64(n: i64) -> Option<Number> {
        (-INTEGER_MAX..=INTEGER_MAX).contains(&n).then_some(Number(n as f64))
    }

    /// `None` if it is not finite or beyond ±(2^53 − 1). Negative zero becomes zero.
    pub fn from_f64(n: f64) -> Option<Number> {
        // NaN fails the comparison too.
        (n.abs() <= INTEGER_MAX as f64).then_some(Number(n + 0.0))
    }

    /// The number as a double, which it is.
    pub fn as_f64(self) -> f64 {
        self.0
    }

    /// The number if it is whole.
    pub fn as_i64(self) -> Option<i64> {
        let whole = self.0 as i64;
        (whole as f64 == self.0).then_some(whole)
    }
}

/// The members of an object: keys unique, in the order of RFC 8785 (by UTF-16 code unit).
#[derive(Clone, PartialEq, Default)]
pub struct Object<'a>(Vec<Member<'a>>);

pub(super) type Member<'a> = (Cow<'a, str>, Value<'a>);

/// A key that is there twice.
#[derive(Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// The key.
    pub key: String,
    /// Where the later of the two lies in memory; the parser finds its byte offset by it.
    pub(super) address: Option<usize>,
}

impl fmt::Display for Duplicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the same key twice in one object")
    }
}

impl std::error::Error for Duplicate {}

impl<'a> Object<'a> {
    /// An object without members.
    pub fn new() -> Object<'a> {
        Object(Vec::new())
    }

    /// Sorts the members; refuses a key that is there twice.
    pub fn from_members<K: Into<Cow<'a, str>>>(
        members: impl IntoIterator<Item = (K, Value<'a>)>,
    ) -> Result<Object<'a>, Duplicate> {
        Object::from_vec(members.into_iter().map(|(k, v)| (k.into(), v)).collect())
    }

    pub(super) fn from_vec(mut members: Vec<Member<'a>>) -> Result<Object<'a>, Duplicate> {
        // Many senders sort their keys already (and what we wrote ourselves is sorted): one pass then does it all.
        let sorted = members.windows(2).all(|w| compare_keys(&w[0].0, &w[1].0).is_lt());
        if !sorted {
            // Stable, so that of two equal keys the second is the later one.
            members.sort_by(|a, b| compare_keys(&a.0, &b.0));
            if let Some(w) = members.windows(2).find(|w| w[0].0 == w[1].0) {
                let address = match &w[1].0 {
                    Cow::Borrowed(key) => Some(key.as_ptr() as usize),
                    Cow::Owned(_) => None,
                };
                return Err(Duplicate { key: w[1].0.to_string(), address });
            }
        }
        Ok(Object(members))
    }

    /// Sorts the members; of a key that is there more than once the last stays.
    pub(crate) fn from_members_last(mut members: Vec<Member<'a>>) -> Object<'a> {
        members.reverse();
        // Stable, so that of equal keys what was last is first.
        members.sort_by(|a, b| compare_keys(&a.0, &b.0));
        members.dedup_by(|later, first| later.0 == first.0);
        Object(members)
    }

    fn find(&self, key: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(k, _)| compare_keys(k, key))
    }

    /// Where a key is.
    fn position(&self, key: &str) -> Option<usize> {
        // In a short object comparing lengths is quicker than halving, in which every step is a guess.
        const SHORT: usize = 32;
        match self.0.len() {
            ..=SHORT => self.0.iter().position(|(k, _)| k == key),
            _ => self.find(key).ok(),
        }
    }

    /// The value under a key.
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.position(key).map(|at| &self.0[at].1)
    }

    /// The value under a key, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value<'a>> {
        self.position(key).map(|at| &mut self.0[at].1)
    }

    /// Puts a value under a key and hands back what was there.
    pub fn insert(&mut self, key: impl Into<Cow<'a, str>>, value: impl Into<Value<'a>>) -> Option<Value<'a>> {
        let (key, value) = (key.into(), value.into());
        match self.find(&key) {
            Ok(at) => Some(std::mem::replace(&mut self.0[at].1, value)),
            Err(at) => {
                self.0.insert(at, (key, value));
                None
            }
        }
    }

    /// Takes a value out.
    pub fn remove(&mut self, key: &str) -> Option<Value<'a>> {
        self.position(key).map(|at| self.0.remove(at).1)
    }

    /// Keeps the members for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &mut Value<'a>) -> bool) {
        self.0.retain_mut(|(k, v)| keep(k, v));
    }

    /// The members, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value<'a>)> {
        self.0.iter().map(|(k, v)| (k.as_ref(), v))
    }

    /// The members, in order, with values to change.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&str, &mut Value<'a>)> {
        self.0.iter_mut().map(|(k, v)| {
            let k: &Cow<'a, str> = k;
            (k.as_ref(), v)
        })
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same object without borrowing from the input.
    pub fn into_owned(self) -> Object<'static> {
        Object(self.0.into_iter().map(|(k, v)| (Cow::Owned(k.into_owned()), v.into_owned())).collect())
    }
}

impl fmt::Debug for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for Object<'a> {
    type Item = (Cow<'a, str>, Value<'a>);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> Value<'a> {
    /// A whole number; `None` beyond ±(2^53 − 1).
    pub fn integer(n: i64) -> Option<Value<'a>> {
        Number::from_i64(n).map(Value::Number)
    }

    /// A number; `None` if it is not finite or beyond ±(2^53 − 1).
    pub fn number(n: f64) -> Option<Value<'a>> {
        Number::from_f64(n).map(Value::Number)
    }

    /// An object; refuses a key that is there twice.
    pub fn object<K: Into<Cow<'a, str>>>(
        members: impl IntoIterator<Item = (K, Value<'a>)>,
    ) -> Result<Value<'a>, Duplicate> {
        Object::from_members(members).map(Value::Object)
    }

    /// The member under a key, if this is an object that has it.
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.as_object()?.get(key)
    }

    /// The value at a JSON pointer (RFC 6901).
    pub fn pointer(&self, pointer: &str) -> Option<&Value<'a>> {
        if pointer.is_empty() {
            return Some(self);
        }
        pointer.strip_prefix('/')?.split('/').try_fold(self, |value, part| match value {
            Value::Object(members) if part.contains('~') => {
                members.get(&part.replace("~1", "/").replace("~0", "~"))
            }
            Value::Object(members) => members.get(part),
            // RFC 6901 knows no leading zeros, nor does it know "+1".
            Value::Array(items) if part == "0" || !part.starts_with(['0', '+']) => {
                items.get(part.parse::<usize>().ok()?)
            }
            _ => None,
        })
    }

    /// The text, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The whole number, if this is one.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Number(n) => n.as_i64(),
            _ => None,
        }
    }

    /// The number, if this is one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Number(n) => Some(n.as_f64()),
            _ => None,
        }
    }

    /// The truth value, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// The items, if this is an array.
    pub fn as_array(&self) -> Option<&[Value<'a>]> {
        match self {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The members, if this is an object.
    pub fn as_object(&self) -> Option<&Object<'a>> {
        match self {
            Value::Object(members) => Some(members),
            _ => None,
        }
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// What JSON calls this, with an article.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        }
    }

    /// The same value without borrowing from the input.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(b) => Value::Bool(b),
            Value::Number(n) => Value::Number(n),
            Value::String(text) => Value::String(Cow::Owned(text.into_owned())),
            Value::Array(items) => Value::Array(items.into_iter().map(Value::into_owned).collect()),
            Value::Object(members) => Value::Object(members.into_owned()),
        }
    }
}

impl From<bool> for Value<'_> {
    fn from(b: bool) -> Self {
        Value::Bool(b)
    }
}

impl From<u32> for Value<'_> {
    fn from(n: u32) -> Self {
        Value::Number(Number(f64::from(n)))
    }
}

impl From<i32> for Value<'_> {
    fn from(n: i32) -> Self {
        Value::Number(Number(f64::from(n)))
    }
}

impl From<Number> for Value<'_> {
    fn from(n: Number) -> Self {
        Value::Number(n)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Value::String(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Value::String(Cow::Owned(text))
    }
}

impl<'a> From<Cow<'a, str>> for Value<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Value::String(text)
    }
}

impl<'a> From<Vec<Value<'a>>> for Value<'a> {
    fn from(items: Vec<Value<'a>>) -> Self {
        Value::Array(items)
    }
}

impl<'a> From<Object<'a>> for Value<'a> {
    fn from(members: Object<'a>) -> Self {
        Value::Object(members)
    }
}

/// How many arrays and objects are inside one another; `None` if more than `limit`.
pub(crate) fn depth(value: &Value<'_>, limit: usize) -> Option<usize> {
    fn inner<'v, 'a: 'v>(mut values: impl Iterator<Item = &'v Value<'a>>, limit: usize) -> Option<usize> {
        let below = limit.checked_sub(1)?;
        let deepest = values.try_fold(0, |deepest: usize, value| Some(deepest.max(depth(value, below)?)))?;
        Some(deepest + 1)
    }
    match value {
        Value::Array(items) => inner(items.iter(), limit),
        Value::Object(members) => inner(members.iter().map(|(_, value)| value), limit),
        _ => Some(0),
    }
}

/// The order of keys in RFC 8785: by UTF-16 code unit.
///
/// It is the order of the UTF-8 bytes, save that characters outside the basic plane (lead byte F0 and up) are written with
/// surrogates D800..DFFF and so come before U+E000..U+FFFF (lead bytes EE and EF).
#[inline]
pub fn compare_keys(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    // EE and EF are never continuation bytes, so where they meet another byte both begin a character.
    let rank = |byte: u8| if matches!(byte, 0xee | 0xef) { byte | 0x10 } else { byte };
    match (a, b) {
        // Most keys that are compared differ in the first letter.
        ([x, ..], [y, ..]) if x != y => rank(*x).cmp(&rank(*y)),
        _ => match a.iter().zip(b).find(|(x, y)| x != y) {
            None => a.len().cmp(&b.len()),
            Some((x, y)) => rank(*x).cmp(&rank(*y)),
        },
    }
}
