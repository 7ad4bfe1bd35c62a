//! The head of a message: RFC 5424, or what is commonly called RFC 3164.

use event::{Object, Value};

use crate::epoch;

/// Most elements of structured data, and parameters of one.
const ELEMENTS_MOST: usize = 64;

/// What the head says, and what comes after it.
#[derive(Debug, Default)]
pub(super) struct Message<'m> {
    pub(super) priority: Option<u8>,
    /// RFC 3339.
    pub(super) time: Option<String>,
    /// Whether the time has a fraction of a second, so that two messages hardly share it.
    pub(super) is_fine: bool,
    /// A time without a year.
    pub(super) time_said: Option<&'m str>,
    pub(super) host: Option<&'m str>,
    pub(super) app: Option<&'m str>,
    pub(super) process: Option<&'m str>,
    pub(super) id: Option<&'m str>,
    pub(super) data: Object<'static>,
    pub(super) body: &'m str,
}

const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6",
    "local7",
];

impl Message<'_> {
    pub(super) fn facility(&self) -> Option<&'static str> {
        Some(FACILITIES[usize::from(self.priority?) / 8])
    }

    /// Our word for the severity.
    pub(super) fn severity(&self) -> Option<&'static str> {
        Some(match self.priority? % 8 {
            0..=2 => "critical",
            3 => "high",
            4 => "medium",
            5 => "low",
            _ => "info",
        })
    }
}

/// Reads a head. What is none of the two forms is all body.
pub(super) fn read(text: &str) -> Message<'_> {
    let (priority, rest) = priority(text);
    let mut message = match rest.strip_prefix("1 ").and_then(modern) {
        Some(message) if priority.is_some() => message,
        _ => old(rest),
    };
    message.priority = priority;
    message.body = message.body.strip_prefix('\u{feff}').unwrap_or(message.body);
    message
}

/// `<165>` at the beginning.
fn priority(text: &str) -> (Option<u8>, &str) {
    let read = || {
        let (digits, rest) = text.strip_prefix('<')?.split_once('>')?;
        let is_number = (1..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        let number: u8 = digits.parse().ok().filter(|n| is_number && *n < 192)?;
        Some((Some(number), rest))
    };
    read().unwrap_or((None, text))
}

/// The head of RFC 5424 behind its version.
fn modern(rest: &str) -> Option<Message<'_>> {
    let mut words = rest.splitn(6, ' ');
    let mut word = || words.next().map(|word| Some(word).filter(|word| *word != "-" && !word.is_empty()));
    let (time, host, app, process, id) = (word()?, word()?, word()?, word()?, word()?);
    let rest = words.next()?;
    let (data, body) = structured(rest)?;
    let read = time.map(epoch::iso).transpose().ok()?;
    Some(Message {
        is_fine: time.is_some_and(|time| time.contains('.')),
        time: read,
        host,
        app,
        process,
        id,
        data,
        body,
        ..Message::default()
    })
}

/// Structured data, and what comes after it.
fn structured(text: &str) -> Option<(Object<'static>, &str)> {
    let mut data = Object::new();
    if let Some(rest) = text.strip_prefix('-') {
        return Some((data, rest.strip_prefix(' ').unwrap_or(rest)));
    }
    let mut rest = text;
    while let Some(inner) = rest.strip_prefix('[') {
        let end = inner.find([' ', ']'])?;
        let (name, mut inner) = inner.split_at(end);
        let mut element = Object::new();
        while let Some(parameter) = inner.strip_prefix(' ') {
            let parameter = parameter.trim_start_matches(' ');
            let (key, after) = parameter.split_once("=\"")?;
            let (value, after) = quoted(after)?;
            if key.is_empty() || key.contains([']', '"', ' ']) || element.len() >= ELEMENTS_MOST {
                return None;
            }
            // The same name may stand twice; then it is a list.
            match element.remove(key) {
                None => drop(element.insert(key.to_owned(), value)),
                Some(Value::Array(mut values)) => {
                    values.push(Value::from(value));
                    element.insert(key.to_owned(), values);
                }
                Some(first) => drop(element.insert(key.to_owned(), vec![first, Value::from(value)])),
            }
            inner = after;
        }
        rest = inner.strip_prefix(']')?;
        if name.is_empty() || data.len() >= ELEMENTS_MOST {
            return None;
        }
        data.insert(name.to_owned(), element);
    }
    // It must have been one.
    (!data.is_empty()).then_some((data, rest.strip_prefix(' ').unwrap_or(rest)))
}

/// A value up to its quote, with `\"`, `\\` and `\]` undone.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                c @ ('"' | '\\' | ']') => value.push(c),
                c => value.extend(['\\', c]),
            },
            c => value.push(c),
        }
    }
    None
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `Oct 11 22:14:15 host tag[7]: body`, or with a time of RFC 3339 as rsyslog forwards it.
fn old(text: &str) -> Message<'_> {
    let all_body = Message { body: text, ..Message::default() };
    let (time, said, rest) = match text.split_once(' ') {
        Some((first, rest)) if first.len() >= 19 && epoch::iso(first).is_ok() => {
            (epoch::iso(first).ok(), first, rest)
        }
        _ => match stamp(text) {
            Some((said, rest)) => (None, said, rest),
            None => return all_body,
        },
    };
    let is_record = |text: &str| text.starts_with("CEF:") || text.starts_with("LEEF:");
    let (host, rest) = match rest.split_once(' ') {
        _ if is_record(rest) => (None, rest),
        // A word with a colon at its end is the tag of a message without a host.
        Some((host, after)) if !host.is_empty() && !host.ends_with(':') && !host.contains('[') => {
            (Some(host), after)
        }
        _ => (None, rest),
    };
    let is_tag = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    let end = rest.find(|c| !is_tag(c)).unwrap_or(rest.len());
    let (tag, after) = rest.split_at(end);
    let (process, after) = match after.strip_prefix('[').and_then(|after| after.split_once(']')) {
        Some((process, after)) if process.len() <= 128 => (Some(process), after),
        _ => (None, after),
    };
    let (app, process, body) = match after.strip_prefix(':') {
        Some(body) if (1..=64).contains(&tag.len()) && !is_record(rest) => {
            (Some(tag), process, body.strip_prefix(' ').unwrap_or(body))
        }
        _ => (None, None, rest),
    };
    Message {
        is_fine: time.is_some() && said.contains('.'),
        time_said: time.is_none().then_some(said),
        time,
        host,
        app,
        process,
        body,
        ..Message::default()
    }
}

/// `Oct 11 22:14:15`: without a year and a zone it is no time.
fn stamp(text: &str) -> Option<(&str, &str)> {
    let (said, rest) = (text.get(..15)?, text.get(15..)?.strip_prefix(' ')?);
    let b = said.as_bytes();
    let is_digit = |at: usize| b[at].is_ascii_digit();
    let fits = said.is_ascii()
        && MONTHS.contains(&&said[..3])
        && b[3] == b' '
        && (b[4] == b' ' || is_digit(4))
        && b[6] == b' '
        && [5, 7, 8, 10, 11, 13, 14].into_iter().all(is_digit)
        && b[9] == b':'
        && b[12] == b':';
    fits.then_some((said, rest))
}
