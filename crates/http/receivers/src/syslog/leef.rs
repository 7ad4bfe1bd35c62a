//! IBM QRadar's Log Event Extended Format: `LEEF:2.0|Vendor|Product|Version|EventID|^|key=value^…`.

use event::{Object, Value};

/// Most attributes.
const MEMBERS_MOST: usize = 512;

/// What is in one.
#[derive(Debug)]
pub(super) struct Leef {
    /// Vendor, product, version, event id.
    pub(super) head: [String; 4],
    pub(super) attributes: Object<'static>,
}

/// Reads one; nothing if it is none.
pub(super) fn read(text: &str) -> Option<Leef> {
    let start = text.find("LEEF:")?;
    let before = &text[..start];
    if before.len() > 256 || before.contains(['|', '\n']) {
        return None;
    }
    let (version, rest) = text[start + 5..].split_once('|')?;
    let mut parts = rest.splitn(5, '|');
    let mut part = || parts.next().map(str::to_owned);
    let head = [part()?, part()?, part()?, part()?];
    let rest = parts.next()?;
    let (delimiter, rest) = match version {
        "1.0" | "1" => ('\t', rest),
        "2.0" | "2" => match rest.split_once('|') {
            Some((said, after)) => (delimiter(said)?, after),
            None => ('\t', rest),
        },
        _ => return None,
    };
    let mut attributes = Object::new();
    for pair in rest.split(delimiter).take(MEMBERS_MOST) {
        let Some((key, value)) = pair.split_once('=') else { continue };
        let key = key.trim();
        if (1..=128).contains(&key.len()) && !value.is_empty() {
            attributes.insert(key.to_owned(), Value::from(value.trim_end().to_owned()));
        }
    }
    Some(Leef { head, attributes })
}

/// One character, or its number in hexadecimal digits: `^`, `x5E`, `0x5e`. Nothing said is a tab.
fn delimiter(said: &str) -> Option<char> {
    let digits =
        said.strip_prefix("0x").or_else(|| said.strip_prefix('x')).filter(|digits| !digits.is_empty());
    match (said, digits) {
        ("", _) => Some('\t'),
        (_, Some(digits)) => u32::from_str_radix(digits, 16).ok().and_then(char::from_u32),
        (said, None) => Some(said.chars().next()?).filter(|_| said.chars().count() == 1),
    }
}
