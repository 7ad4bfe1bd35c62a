//! ArcSight's Common Event Format: `CEF:0|Vendor|Product|Version|Signature|Name|Severity|extension`.

use event::{Object, Value};

/// Most members of an extension.
const MEMBERS_MOST: usize = 512;

/// What is in one.
#[derive(Debug)]
pub(super) struct Cef {
    /// Vendor, product, version, signature, name, severity.
    pub(super) head: [String; 6],
    /// Under the labels that it brings along, else under its keys.
    pub(super) extension: Object<'static>,
}

/// Reads one; nothing if it is none.
pub(super) fn read(text: &str) -> Option<Cef> {
    let start = text.find("CEF:")?;
    // Some senders put a host and a tag before it once more.
    let before = &text[..start];
    if before.len() > 256 || before.contains(['|', '\n']) {
        return None;
    }
    let rest = &text[start + 4..];
    let (version, mut rest) = rest.split_once('|')?;
    if version.is_empty() || !version.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    let mut head: [String; 6] = Default::default();
    for part in &mut head {
        (*part, rest) = header(rest)?;
    }
    Some(Cef { head, extension: extension(rest) })
}

/// A part of the header, up to its bar.
fn header(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '|' => return Some((out, &text[at + 1..])),
            '\\' => match chars.next() {
                Some((_, c @ ('|' | '\\'))) => out.push(c),
                Some((_, c)) => out.extend(['\\', c]),
                None => return None,
            },
            c => out.push(c),
        }
    }
    None
}

/// `key=value` after each other; a value ends where a blank, a key and an equals sign follow.
fn extension(text: &str) -> Object<'static> {
    let mut pairs: Vec<(&str, String)> = Vec::new();
    let mut rest = text.trim();
    while let Some((key, after)) = rest.split_once('=') {
        if pairs.len() >= MEMBERS_MOST || !is_key(key.trim()) {
            break;
        }
        let (value, next) = value(after);
        pairs.push((key.trim(), value));
        rest = next;
    }
    let label = |key: &str| {
        let label = pairs.iter().find(|(other, _)| other.strip_suffix("Label") == Some(key));
        label.map(|(_, label)| label.trim().to_owned()).filter(|label| (1..=128).contains(&label.len()))
    };
    let mut members = Object::new();
    for (key, value) in &pairs {
        let labelled =
            key.strip_suffix("Label").is_some_and(|key| pairs.iter().any(|(other, _)| *other == key));
        if labelled {
            continue;
        }
        let name =
            label(key).filter(|label| members.get(label).is_none()).unwrap_or_else(|| (*key).to_owned());
        members.insert(name, Value::from(value.clone()));
    }
    members
}

fn is_key(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'[' | b']'))
}

/// A value, and the key that comes after it.
fn value(text: &str) -> (String, &str) {
    // Up to the blank before the next key, which is what stands before an equals sign.
    let (mut escaped, mut blank, mut end, mut next) = (false, None, text.len(), "");
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ' ' => blank = Some(at),
            '=' => {
                if let Some(blank) = blank.filter(|blank| is_key(&text[blank + 1..at])) {
                    (end, next) = (blank, &text[blank + 1..]);
                    break;
                }
            }
            _ => {}
        }
    }
    let mut out = String::with_capacity(end);
    let mut chars = text[..end].chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some(c @ ('=' | '\\' | '|')) => out.push(c),
                Some(c) => out.extend(['\\', c]),
                None => out.push('\\'),
            },
            c => out.push(c),
        }
    }
    (out.trim_end().to_owned(), next)
}
