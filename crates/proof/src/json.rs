//! As much JSON as proofs and control leaves are made of: objects, arrays, strings and integers,
//! without white space. Everything else is refused.
//!
//! What is written is JCS (RFC 8785) as long as members are given in order.

use crate::error::{Error, malformed};

/// Deepest nesting that is read.
const MAX_DEPTH: u32 = 8;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Object(Vec<(String, Value)>),
    Array(Vec<Value>),
    String(String),
    /// Within ±(2^53 − 1).
    Integer(i64),
}

impl Value {
    pub(crate) fn parse(text: &str) -> Result<Value, Error> {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(0)?;
        if reader.at != text.len() {
            return Err(reader.bad());
        }
        Ok(value)
    }

    pub(crate) fn into_object(self, what: &str) -> Result<Vec<(String, Value)>, Error> {
        match self {
            Value::Object(members) => Ok(members),
            _ => Err(malformed(format!("{what} is not an object"))),
        }
    }

    pub(crate) fn into_string(self, what: &str) -> Result<String, Error> {
        match self {
            Value::String(text) => Ok(text),
            _ => Err(malformed(format!("{what} is not a string"))),
        }
    }

    /// A member of an object that is a string.
    pub(crate) fn string(&self, name: &str) -> Result<&str, Error> {
        match self.member(name) {
            Some(Value::String(text)) => Ok(text),
            _ => Err(malformed(format!("`{name}` is not a string"))),
        }
    }

    /// A member of an object that is an integer from 0.
    pub(crate) fn count(&self, name: &str) -> Result<u64, Error> {
        match self.member(name) {
            Some(Value::Integer(number)) => u64::try_from(*number).ok(),
            _ => None,
        }
        .ok_or_else(|| malformed(format!("`{name}` is not a number from 0")))
    }

    fn member(&self, name: &str) -> Option<&Value> {
        match self {
            Value::Object(members) => members.iter().find(|(own, _)| own == name).map(|(_, value)| value),
            _ => None,
        }
    }
}

/// Appends a string literal as RFC 8785, section 3.2.2.2 has it.
pub(crate) fn push_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\0'..='\u{1f}' => out.push_str(&format!("\\u{:04x}", c as u32)),
            _ => out.push(c),
        }
    }
    out.push('"');
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn value(&mut self, depth: u32) -> Result<Value, Error> {
        if depth > MAX_DEPTH {
            return Err(malformed("json is nested too deeply"));
        }
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.integer(),
            _ => Err(self.bad()),
        }
    }

    fn object(&mut self, depth: u32) -> Result<Value, Error> {
        let mut members: Vec<(String, Value)> = Vec::new();
        let mut names = std::collections::BTreeSet::new();
        self.expect(b'{')?;
        if self.skip(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            let name = self.string()?;
            if !names.insert(name.clone()) {
                return Err(malformed("json has a member twice"));
            }
            self.expect(b':')?;
            members.push((name, self.value(depth + 1)?));
            if !self.skip(b',') {
                self.expect(b'}')?;
                return Ok(Value::Object(members));
            }
        }
    }

    fn array(&mut self, depth: u32) -> Result<Value, Error> {
        let mut items = Vec::new();
        self.expect(b'[')?;
        if self.skip(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if !self.skip(b',') {
                self.expect(b']')?;
                return Ok(Value::Array(items));
            }
        }
    }

    fn integer(&mut self) -> Result<Value, Error> {
        let start = self.at;
        self.skip(b'-');
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        let digits = &self.text[start..self.at];
        let number: i64 = digits.parse().map_err(|_| self.bad())?;
        // `-0`, `007` and what a double cannot hold have no canonical form.
        if number.to_string() != digits || number.unsigned_abs() >= 1 << 53 {
            return Err(self.bad());
        }
        Ok(Value::Integer(number))
    }

    fn string(&mut self) -> Result<String, Error> {
        self.expect(b'"')?;
        let mut text = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest
                .find(|c: char| c == '"' || c == '\\' || c.is_ascii_control() && c != '\u{7f}')
                .ok_or_else(|| self.bad())?;
            text.push_str(&rest[..plain]);
            self.at += plain;
            if self.skip(b'"') {
                return Ok(text);
            }
            self.expect(b'\\')?;
            text.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Result<char, Error> {
        let letter = self.peek().ok_or_else(|| self.bad())?;
        let c = match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b't' => '\t',
            b'n' => '\n',
            b'f' => '\u{c}',
            b'r' => '\r',
            b'u' => {
                self.at += 1;
                return self.unicode_escape();
            }
            _ => return Err(self.bad()),
        };
        self.at += 1;
        Ok(c)
    }

    /// After `\u`: four hex digits, or twice that for a character outside the basic plane.
    fn unicode_escape(&mut self) -> Result<char, Error> {
        let mut units = vec![self.hex4()?];
        if matches!(units[0], 0xd800..=0xdbff) {
            self.expect(b'\\')?;
            self.expect(b'u')?;
            units.push(self.hex4()?);
        }
        match char::decode_utf16(units).next() {
            Some(Ok(c)) => Ok(c),
            _ => Err(self.bad()),
        }
    }

    fn hex4(&mut self) -> Result<u16, Error> {
        let digits = self.text.get(self.at..self.at + 4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let unit =
            digits.and_then(|digits| u16::from_str_radix(digits, 16).ok()).ok_or_else(|| self.bad())?;
        self.at += 4;
        Ok(unit)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), Error> {
        if self.skip(byte) { Ok(()) } else { Err(self.bad()) }
    }

    fn bad(&self) -> Error {
        malformed(format!("json cannot be read at byte {}", self.at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let text: String = (0..0x250u32).filter_map(char::from_u32).chain("€𝄞\u{2028}".chars()).collect();
        let mut json = String::new();
        push_string(&mut json, &text);
        assert!(json.contains(r#"\b\t\n\u000b\f\r"#) && json.contains("\u{7f}"));
        assert_eq!(Value::parse(&json), Ok(Value::String(text)));
    }

    #[test]
    fn escapes() {
        let parsed = Value::parse(r#""\u0041\/\"\\\ud834\udd1e\u20AC""#);
        assert_eq!(parsed, Ok(Value::String("A/\"\\𝄞€".into())));
        for bad in [
            r#""\ud834""#,
            r#""\udd1e""#,
            r#""\ud834\ud834""#,
            r#""\u00g0""#,
            r#""\x""#,
            "\"\n\"",
            "\"",
            r#""\u12"#,
            r#""\u00€""#,
        ] {
            assert!(Value::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn refuses_what_is_not_ours() {
        for bad in [
            "",
            " {}",
            "{} ",
            "{",
            "[1,]",
            "{\"a\":1,\"a\":2}",
            "null",
            "true",
            "1.0",
            "1e3",
            "01",
            "-0",
            "9007199254740992",
            "{\"a\" :1}",
            "[[[[[[[[[[]]]]]]]]]]",
            "{a:1}",
            "99999999999999999999",
            "-",
        ] {
            assert!(Value::parse(bad).is_err(), "{bad}");
        }
        assert!(Value::parse(&"[".repeat(100_000)).is_err());
        let value = Value::parse(r#"{"a":[1,-2,{}],"b":"c","n":9007199254740991}"#).unwrap();
        assert_eq!(value.string("b"), Ok("c"));
        assert_eq!(value.count("n"), Ok((1 << 53) - 1));
        assert!(value.count("b").is_err() && value.string("z").is_err());
    }
}
