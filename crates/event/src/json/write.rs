//! Canonical bytes: RFC 8785. Keys are in order already, so this is one walk without a sort.

use super::plain_run;
use super::value::{Number, Object, Value};

impl Value<'_> {
    /// The canonical bytes.
    pub fn to_jcs(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_jcs(&mut out);
        out
    }

    /// Appends the canonical bytes.
    pub fn write_jcs(&self, out: &mut Vec<u8>) {
        match self {
            Value::Null => out.extend_from_slice(b"null"),
            Value::Bool(true) => out.extend_from_slice(b"true"),
            Value::Bool(false) => out.extend_from_slice(b"false"),
            Value::Number(n) => write_number(*n, out),
            Value::String(text) => write_string(text, out),
            Value::Array(items) => {
                out.push(b'[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    item.write_jcs(out);
                }
                out.push(b']');
            }
            Value::Object(members) => members.write_jcs(out),
        }
    }
}

impl Object<'_> {
    /// Appends the canonical bytes.
    pub fn write_jcs(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        for (i, (key, value)) in self.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            write_string(key, out);
            out.push(b':');
            value.write_jcs(out);
        }
        out.push(b'}');
    }
}

pub(crate) fn write_string(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let run = plain_run(bytes);
    out.extend_from_slice(&bytes[..run]);
    if run < bytes.len() {
        write_escaped(&bytes[run..], out);
    }
    out.push(b'"');
}

/// What follows in a string from the first character on that cannot stand there as it is.
#[cold]
fn write_escaped(bytes: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x09 => out.extend_from_slice(b"\\t"),
            0x0a => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            0x0d => out.extend_from_slice(b"\\r"),
            _ => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 15)]);
            }
        }
        let run = plain_run(&bytes[at..]);
        out.extend_from_slice(&bytes[at..at + run]);
        at += run;
    }
}

fn write_number(number: Number, out: &mut Vec<u8>) {
    match number.as_i64() {
        Some(whole) => write_integer(whole, out),
        None => write_double(number.as_f64(), out),
    }
}

/// As ECMAScript writes it, which RFC 8785 prescribes.
pub(super) fn write_double(n: f64, out: &mut Vec<u8>) {
    out.extend_from_slice(ryu_js::Buffer::new().format_finite(n).as_bytes());
}

/// Most numbers in events are counts: they need none of the double's machinery.
fn write_integer(n: i64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = n.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if n < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}
