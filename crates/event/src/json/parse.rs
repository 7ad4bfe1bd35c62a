//! Reads strict JSON.
//!
//! One pass over the text, strings borrowed where they have no escapes. What JSON readers disagree about is refused with
//! the place: duplicate keys, whole numbers beyond ±(2^53 − 1), numbers that are not finite, halves of characters.

use std::borrow::Cow;

use super::plain_run;
use super::value::{INTEGER_MAX, Member, Number, Object, Value};
use crate::refusal::{Code, Fault, Refusal};

/// How much is read before anything is allocated for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of one document.
    pub max_bytes: usize,
    /// Most arrays and objects inside one another. Above 128 it counts as 128: the parser's own stack is bounded.
    pub max_depth: usize,
}

/// No matter what a caller asks for; some 200 bytes of stack per level.
const DEPTH_CEILING: usize = 128;

impl Default for Limits {
    fn default() -> Limits {
        Limits { max_bytes: 256 * 1024, max_depth: 64 }
    }
}

/// Reads one JSON document as [`parse`] does, for formats of others that allow more: a number beyond ±(2^53 − 1) comes as
/// text, as it was written, and half a character (a lone surrogate) as U+FFFD.
pub fn parse_loosely<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Value<'a>, Refusal> {
    read_as(bytes, limits, true).map_err(|fault| fault.into_refusal())
}

/// Reads one JSON document, strictly. The tree takes at most some 60 times the bytes of the input
/// (reckoned for the worst case, tiny arrays: 15 MiB at the default limit).
pub fn parse<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Value<'a>, Refusal> {
    read(bytes, limits).map_err(|fault| fault.into_refusal())
}

pub(crate) fn read<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Value<'a>, Box<Fault>> {
    read_as(bytes, limits, false)
}

fn read_as<'a>(bytes: &'a [u8], limits: &Limits, is_loose: bool) -> Result<Value<'a>, Box<Fault>> {
    if bytes.len() > limits.max_bytes {
        let reason = format!("{} bytes, the limit is {}", bytes.len(), limits.max_bytes);
        return Err(Fault::at(limits.max_bytes, Code::TooLarge, reason));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Err(not_utf8(bytes, error.valid_up_to(), limits, is_loose)),
    };
    document(text, limits, is_loose)
}

/// Reads up to the bad byte to learn where in the document it lies; something wrong before it is told instead.
#[cold]
fn not_utf8(bytes: &[u8], valid: usize, limits: &Limits, is_loose: bool) -> Box<Fault> {
    let text = std::str::from_utf8(&bytes[..valid]).expect("valid up to here");
    match document(text, limits, is_loose) {
        Err(fault) => fault.if_at(valid, Code::InvalidUtf8, "not UTF-8"),
        Ok(_) => Fault::at(valid, Code::InvalidUtf8, "not UTF-8"),
    }
}

fn document<'a>(text: &'a str, limits: &Limits, is_loose: bool) -> Result<Value<'a>, Box<Fault>> {
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        at: 0,
        depth_left: limits.max_depth.min(DEPTH_CEILING),
        // An event of ours, more or less.
        members: Vec::with_capacity(32),
        is_loose,
    };
    if text.starts_with('\u{feff}') {
        return Err(Fault::at(0, Code::Syntax, "a byte order mark before the JSON"));
    }
    reader.skip_space();
    let value = reader.value()?;
    reader.skip_space();
    if reader.at < text.len() {
        return Err(reader.fault("something after the end of the JSON"));
    }
    Ok(value)
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth_left: usize,
    /// Of the objects that are not ended yet, the innermost last: each then gets as much memory as it needs, once.
    members: Vec<Member<'a>>,
    /// What [`parse_loosely`] allows is allowed.
    is_loose: bool,
}

type Read<T> = Result<T, Box<Fault>>;

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    #[cold]
    fn fault(&self, reason: &'static str) -> Box<Fault> {
        let reason = if self.at >= self.bytes.len() { "ends too early" } else { reason };
        Fault::at(self.at, Code::Syntax, reason)
    }

    /// The place is just after space was skipped.
    fn value(&mut self) -> Read<Value<'a>> {
        match self.peek() {
            Some(b'"') => Ok(Value::String(self.string()?)),
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal("true", Value::Bool(true)),
            Some(b'f') => self.literal("false", Value::Bool(false)),
            Some(b'n') => self.literal("null", Value::Null),
            _ => Err(self.fault("expected a JSON value")),
        }
    }

    fn literal(&mut self, word: &'static str, value: Value<'a>) -> Read<Value<'a>> {
        // A word cut short by the end of the input is an early end; anything else is a wrong word.
        let rest = &self.bytes[self.at..];
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(value);
        }
        if word.as_bytes().starts_with(rest) {
            self.at = self.bytes.len();
        }
        Err(self.fault("expected a JSON value"))
    }

    fn enter(&mut self) -> Read<()> {
        if self.depth_left == 0 {
            return Err(Fault::at(self.at, Code::TooDeep, "nested too deeply"));
        }
        self.depth_left -= 1;
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    fn array(&mut self) -> Read<Value<'a>> {
        self.enter()?;
        let mut items = Vec::new();
        if self.peek() != Some(b']') {
            loop {
                match self.value() {
                    Ok(item) => items.push(item),
                    Err(fault) => return Err(fault.under_index(items.len())),
                }
                self.skip_space();
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b']') => break,
                    _ => return Err(self.fault("expected a comma or the end of the array")),
                }
                self.skip_space();
            }
        }
        self.at += 1;
        self.depth_left += 1;
        Ok(Value::Array(items))
    }

    fn object(&mut self) -> Read<Value<'a>> {
        let start = self.at;
        self.enter()?;
        let first = self.members.len();
        if self.peek() != Some(b'}') {
            loop {
                if self.peek() != Some(b'"') {
                    return Err(self.fault("expected a key in quotes"));
                }
                let key = self.string()?;
                self.skip_space();
                if self.peek() != Some(b':') {
                    return Err(self.fault("expected a colon after the key").under(&key));
                }
                self.at += 1;
                self.skip_space();
                match self.value() {
                    Ok(value) => self.members.push((key, value)),
                    Err(fault) => return Err(fault.under(&key)),
                }
                self.skip_space();
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b'}') => break,
                    _ => return Err(self.fault("expected a comma or the end of the object")),
                }
                self.skip_space();
            }
        }
        self.at += 1;
        self.depth_left += 1;
        let members = match start {
            // The outermost: nothing else comes, and there is room for what is put into it later.
            0 => std::mem::take(&mut self.members),
            _ => self.members.split_off(first),
        };
        Object::from_vec(members).map(Value::Object).map_err(|duplicate| {
            let offset = duplicate.address.map_or(start, |address| address - self.bytes.as_ptr() as usize);
            Fault::at(offset, Code::DuplicateKey, "the same key twice in one object").under(&duplicate.key)
        })
    }

    /// The place is the opening quote.
    fn string(&mut self) -> Read<Cow<'a, str>> {
        self.at += 1;
        let start = self.at;
        self.at += plain_run(&self.bytes[start..]);
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(&self.text[start..self.at - 1]));
        }
        let mut unescaped = String::new();
        unescaped.push_str(&self.text[start..self.at]);
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => unescaped.push(self.escape()?),
                Some(_) => return Err(self.fault("a control character in a string, unescaped")),
                None => return Err(self.fault("")),
            }
            let from = self.at;
            self.at += plain_run(&self.bytes[from..]);
            unescaped.push_str(&self.text[from..self.at]);
        }
        self.at += 1;
        Ok(Cow::Owned(unescaped))
    }

    /// The place is the backslash.
    fn escape(&mut self) -> Read<char> {
        let start = self.at;
        self.at += 1;
        let c = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(start),
            _ => return Err(self.fault("an escape that JSON does not know")),
        };
        self.at += 1;
        Ok(c)
    }

    fn unicode_escape(&mut self, start: usize) -> Read<char> {
        let is_loose = self.is_loose;
        let lone = || match is_loose {
            true => Ok(char::REPLACEMENT_CHARACTER),
            false => Err(Fault::at(
                start,
                Code::LoneSurrogate,
                "a \\u escape of half a character (a lone surrogate)",
            )),
        };
        let first = self.hex4()?;
        let code = match first {
            0xd800..=0xdbff => {
                if self.bytes.get(self.at..self.at + 2) != Some(b"\\u") {
                    return lone();
                }
                let after_first = self.at;
                self.at += 1;
                match self.hex4()? {
                    second @ 0xdc00..=0xdfff => 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00),
                    _ => {
                        // Whatever the second one is, it is read again on its own.
                        self.at = after_first;
                        return lone();
                    }
                }
            }
            _ => first,
        };
        char::from_u32(code).map_or_else(lone, Ok)
    }

    /// The place is the `u`; reads it and four hexadecimal digits.
    fn hex4(&mut self) -> Read<u32> {
        let mut code = 0;
        for _ in 0..4 {
            self.at += 1;
            let digit = self.peek().and_then(|b| char::from(b).to_digit(16));
            code =
                code * 16 + digit.ok_or_else(|| self.fault("expected four hexadecimal digits after \\u"))?;
        }
        self.at += 1;
        Ok(code)
    }

    fn number(&mut self) -> Read<Value<'a>> {
        let start = self.at;
        let negative = self.peek() == Some(b'-');
        if negative {
            self.at += 1;
        }
        let digits = self.at;
        // Up to 16 digits fit without overflow, and 2^53 has 16; more are out of range whatever they are.
        let mut whole = 0u64;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            whole = whole.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        match self.at - digits {
            0 => return Err(self.fault("expected a digit")),
            1 => {}
            _ if self.bytes[digits] == b'0' => {
                return Err(Fault::at(digits, Code::Syntax, "a number with a leading zero"));
            }
            _ => {}
        }
        let number = if let Some(b'.' | b'e' | b'E') = self.peek() {
            self.fraction_and_exponent()?;
            let n: f64 = self.text[start..self.at].parse().expect("the grammar was checked");
            if !n.is_finite() && !self.is_loose {
                let reason = "a number too large to be finite";
                return Err(Fault::at(start, Code::NumberRange, reason));
            }
            Number::from_f64(n)
        } else if whole <= INTEGER_MAX as u64 {
            let whole = whole as i64;
            Number::from_i64(if negative { -whole } else { whole })
        } else {
            None
        };
        match number {
            Some(number) => Ok(Value::Number(number)),
            None if self.is_loose => Ok(Value::String(Cow::Borrowed(&self.text[start..self.at]))),
            None => {
                Err(Fault::at(start, Code::NumberRange, "a number beyond ±(2^53−1): send it as a string"))
            }
        }
    }

    /// The place is after the whole digits.
    fn fraction_and_exponent(&mut self) -> Read<()> {
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Read<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { Err(self.fault("expected a digit")) } else { Ok(()) }
    }
}
