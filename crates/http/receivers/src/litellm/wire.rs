//! LiteLLM's bodies, times and money.
//!
//! The content type says nothing: it is `application/json` for NDJSON too. The first byte tells.

use event::json::{self, Limits};
use event::{Code, Refusal, Value, time};

/// One item of a body.
#[derive(Debug)]
pub struct Item<'a> {
    /// Its number, from 0; items that are `null` count.
    pub index: usize,
    /// What it says.
    pub value: Value<'a>,
}

/// An item of a body that was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemError {
    /// Its number, from 0; items that are `null` count.
    pub index: usize,
    /// Why. The pointer is a place in the item, the offset one in the body.
    pub refusal: Refusal,
}

/// Splits a body: a JSON array, NDJSON or one object. An item that is wrong costs only itself where its end can be found;
/// items that are `null` are passed over (the sender's queue can hold them). The limits are those of one item.
pub fn items<'a>(body: &'a [u8], limits: &Limits) -> Items<'a> {
    let rest = Rest { body, at: 0 }.skip_space();
    let form = match rest.peek() {
        None => Form::Done,
        Some(b'[') => Form::Array { needs_item: false },
        Some(b'{') if rest.is_one_value() => Form::One,
        Some(_) => Form::Lines,
    };
    let rest = if matches!(form, Form::Array { .. }) { rest.to(rest.at + 1) } else { rest };
    Items { rest, form, index: 0, limits: *limits }
}

/// The items of a body, read one at a time: see [`items`].
#[derive(Debug)]
pub struct Items<'a> {
    rest: Rest<'a>,
    form: Form,
    index: usize,
    limits: Limits,
}

#[derive(Debug)]
enum Form {
    /// Inside an array; after a comma there must be another item.
    Array {
        needs_item: bool,
    },
    Lines,
    One,
    /// The array was not ended.
    CutShort,
    /// Something stands after the array.
    Surplus,
    Done,
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<Item<'a>, ItemError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let was_cut_short = matches!(self.form, Form::CutShort);
            let (from, to) = self.next_extent()?;
            let index = self.index;
            self.index += 1;
            let read = match self.form {
                Form::Surplus if self.rest.at == from => {
                    self.form = Form::Done;
                    Err(syntax("something after the end of the array"))
                }
                Form::CutShort if was_cut_short => {
                    self.form = Form::Done;
                    Err(syntax("the array is not ended"))
                }
                _ => json::parse(&self.rest.body[from..to], &self.limits),
            };
            match read {
                Ok(Value::Null) => {}
                Ok(value) => return Some(Ok(Item { index, value })),
                Err(mut refusal) => {
                    // What is cut short is said once.
                    if matches!(self.form, Form::CutShort) {
                        self.form = Form::Done;
                    }
                    refusal.offset = Some(from + refusal.offset.unwrap_or(0));
                    return Some(Err(ItemError { index, refusal }));
                }
            }
        }
    }
}

impl Items<'_> {
    /// Where the next item begins and ends in the body.
    fn next_extent(&mut self) -> Option<(usize, usize)> {
        self.rest = self.rest.skip_space();
        let from = self.rest.at;
        let end = self.rest.body.len();
        match self.form {
            Form::Done => None,
            Form::One => {
                self.form = Form::Done;
                Some((from, end))
            }
            Form::CutShort => Some((end, end)),
            Form::Surplus => Some((from, end)),
            Form::Lines => {
                let line = self.rest.left().iter().position(|b| *b == b'\n').map_or(end, |n| from + n);
                self.rest = self.rest.to(line);
                (from < end).then_some((from, line))
            }
            Form::Array { needs_item: false } if self.rest.peek() == Some(b']') => {
                self.after_array(from + 1);
                self.next_extent()
            }
            Form::Array { .. } => {
                let to = from + extent(self.rest.left());
                match self.rest.body.get(to) {
                    Some(b',') => {
                        self.rest = self.rest.to(to + 1);
                        self.form = Form::Array { needs_item: true };
                    }
                    Some(_) => self.after_array(to + 1),
                    None => {
                        self.rest = self.rest.to(end);
                        self.form = Form::CutShort;
                    }
                }
                Some((from, to))
            }
        }
    }

    /// Whatever follows an array is one item more, and a wrong one.
    fn after_array(&mut self, at: usize) {
        self.rest = self.rest.to(at).skip_space();
        self.form = if self.rest.peek().is_none() { Form::Done } else { Form::Surplus };
    }
}

#[derive(Clone, Copy, Debug)]
struct Rest<'a> {
    body: &'a [u8],
    at: usize,
}

impl<'a> Rest<'a> {
    fn to(self, at: usize) -> Rest<'a> {
        Rest { at, ..self }
    }

    fn left(self) -> &'a [u8] {
        &self.body[self.at..]
    }

    fn peek(self) -> Option<u8> {
        self.body.get(self.at).copied()
    }

    fn skip_space(self) -> Rest<'a> {
        let space = self.left().iter().take_while(|b| matches!(b, b' ' | b'\n' | b'\r' | b'\t')).count();
        self.to(self.at + space)
    }

    /// Whether all that is left is one object, over however many lines; else it is lines of them.
    fn is_one_value(self) -> bool {
        let mut scan = Scan::default();
        match self.left().iter().position(|b| scan.step(*b) && scan.depth == 0) {
            Some(end) => self.to(self.at + end + 1).skip_space().peek().is_none(),
            // Not closed anywhere. If it is a single line, either reading says the same.
            None => false,
        }
    }
}

/// Bytes up to the comma or bracket that ends an item of an array.
fn extent(bytes: &[u8]) -> usize {
    let mut scan = Scan::default();
    let ends = |b: &u8| {
        let outside = scan.depth == 0 && !scan.in_string;
        if outside && matches!(b, b',' | b']') {
            return true;
        }
        scan.step(*b);
        false
    };
    bytes.iter().position(ends).unwrap_or(bytes.len())
}

/// Just enough JSON to find where a value ends; whether it is JSON is the parser's to say.
#[derive(Default)]
struct Scan {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Scan {
    /// Whether the byte closed an array or object.
    fn step(&mut self, byte: u8) -> bool {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                // No string runs over the end of a line; one that does was cut off.
                b'"' | b'\n' => self.in_string = false,
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                return true;
            }
            _ => {}
        }
        false
    }
}

fn syntax(reason: &str) -> Refusal {
    Refusal::new(Code::Syntax, "", reason)
}

/// Seconds since 1970, as LiteLLM's clocks give them, as RFC 3339 with microseconds.
pub(super) fn time_from_seconds(seconds: f64) -> Result<String, &'static str> {
    const REASON: &str = "not a time in seconds since 1970";
    // A double holds today's seconds to a quarter of a microsecond, so the nearest microsecond is the one that was
    // meant; and formatting rounds its exact value.
    let text = format!("{seconds:.6}");
    let (whole, micros) = text.split_once('.').ok_or(REASON)?;
    let whole: i64 = whole.parse().map_err(|_| REASON)?;
    if whole < 0 || text.starts_with('-') {
        return Err(REASON);
    }
    let ns = whole.checked_mul(1_000_000_000).ok_or("not a time in seconds since 1970: milliseconds?")?;
    let date = time::format_ns(ns);
    time::parse(&date).map_err(|_| REASON)?;
    let date = date.strip_suffix('Z').ok_or(REASON)?;
    Ok(format!("{date}.{micros}Z"))
}

/// A time in a row of the audit log: ISO 8601, with a blank or without an offset (then it is UTC) if Python wrote it so.
pub(super) fn time_from_text(text: &str) -> Result<String, &'static str> {
    let mut said = text.trim().replacen(' ', "T", 1);
    let clock = said.split_once('T').map_or("", |(_, clock)| clock);
    if !clock.ends_with(['Z', 'z']) && !clock.contains(['+', '-']) {
        said.push('Z');
    }
    time::parse(&said).map(time::format_ns)
}
