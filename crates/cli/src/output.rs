//! What people see: text that cannot take over their terminal, and tables.

use std::fmt::Display;
use std::io::Write;

use event::{Number, Object, Value};

/// Text from anywhere, with control characters made visible: an event may hold escape sequences.
/// Direction marks are made visible too, since they can make a line read as another.
pub(crate) fn printable(text: &str) -> String {
    let hostile = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(hostile) {
        return text.to_owned();
    }
    text.chars().map(|c| if hostile(c) { c.escape_unicode().to_string() } else { c.to_string() }).collect()
}

/// Prints a line. A reader that has seen enough, such as `head`, ends the program without a fuss.
pub(crate) fn line(text: impl Display) {
    print(format_args!("{text}\n"));
}

/// Prints text as it is.
pub(crate) fn print(text: impl Display) {
    if let Err(e) = write!(std::io::stdout(), "{text}") {
        let quiet = e.kind() == std::io::ErrorKind::BrokenPipe;
        if !quiet {
            eprintln!("indelible: couldn't print: {e}");
        }
        std::process::exit(i32::from(!quiet));
    }
}

/// Prints rows with aligned columns. The first row is the heading.
pub(crate) fn table(rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |text: &str| text.chars().count();
    let widths: Vec<usize> = (0..columns)
        .map(|n| rows.iter().filter_map(|row| row.get(n)).map(|cell| width(cell)).max().unwrap_or(0))
        .collect();
    for row in rows {
        let mut line = String::new();
        for (n, cell) in row.iter().enumerate() {
            line.push_str(cell);
            if n + 1 < row.len() {
                line.push_str(&" ".repeat(widths[n] - width(cell) + 2));
            }
        }
        self::line(line.trim_end());
    }
}

/// Cuts text that would make a table's line wrap.
pub(crate) fn short(text: &str, most: usize) -> String {
    let text = printable(text);
    match text.chars().count() > most {
        true => text.chars().take(most - 1).chain(['…']).collect(),
        false => text,
    }
}

/// Digits in groups of three.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// A JSON object.
pub(crate) fn object<'a>(members: Vec<(&'a str, Value<'a>)>) -> Value<'a> {
    Value::Object(Object::from_members(members).expect("our names are distinct"))
}

/// A count as a JSON number, or as text beyond what every reader keeps exact.
pub(crate) fn count(n: u64) -> Value<'static> {
    i64::try_from(n).ok().and_then(Number::from_i64).map_or_else(|| Value::from(n.to_string()), Value::from)
}

/// Text as a JSON string.
pub(crate) fn text(text: impl Into<String>) -> Value<'static> {
    Value::from(text.into())
}

/// Prints JSON on a line of its own.
pub(crate) fn json(value: &Value<'_>) {
    line(String::from_utf8_lossy(&value.to_jcs()));
}
