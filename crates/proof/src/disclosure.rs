//! What is shown of an event beside its proof: its leaf, and bodies with the salts that open their
//! commitments (docs/format.md 1.8 and 1.9).

use crate::b64;
use crate::error::{Error, contradicts, malformed};
use crate::json::{Value, push_string};
use crate::leaf::{LeafRef, commitment};
use crate::tile::decimal;
use std::collections::BTreeMap;

/// One section that is shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Disclosed {
    /// The exact stored bytes: JCS JSON, never re-serialised.
    pub body: String,
    /// What opens the commitment.
    pub salt: [u8; 16],
}

/// The sections of one event that are shown, by name.
pub type Disclosure = BTreeMap<String, Disclosed>;

/// Bodies may be about people, so only their length is shown.
impl std::fmt::Debug for Disclosed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Disclosed({} bytes)", self.body.len())
    }
}

/// Checks that each section shown is one the leaf names and opens its commitment.
/// [`Error::Contradicts`] otherwise.
pub fn check(disclosure: &Disclosure, leaf: &LeafRef<'_>) -> Result<(), Error> {
    for (name, shown) in disclosure {
        match leaf.sections.get(name) {
            None => return Err(contradicts("a section is shown that the leaf does not name")),
            Some(named) if named != commitment(&shown.salt, name, shown.body.as_bytes()) => {
                return Err(contradicts(format!("section `{name}` is not the one the leaf commits to")));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// The `extra` of a `.tlog-proof`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extra {
    /// Proof of the genesis leaf, then the handovers of epochs 1, 2, …, each a tlog-proof's text.
    /// Empty if it does not come along.
    pub keychain: Vec<String>,
    /// The leaf's bytes.
    pub leaf: Vec<u8>,
    /// What is shown.
    pub sections: Disclosure,
}

impl Extra {
    /// JCS JSON, for [`TlogProof::extra`](crate::tlog_proof::TlogProof::extra).
    pub fn encode(&self) -> Vec<u8> {
        let mut out = String::from("{");
        if !self.keychain.is_empty() {
            out.push_str("\"keychain\":[");
            for (i, proof) in self.keychain.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                push_string(&mut out, proof);
            }
            out.push_str("],");
        }
        out.push_str("\"leaf\":");
        push_string(&mut out, &b64::encode(&self.leaf));
        out.push(',');
        push_sections(&mut out, &self.sections);
        out.push('}');
        out.into_bytes()
    }

    /// Reads what [`Extra::encode`] writes; the order of members does not matter. Members it does
    /// not know are refused, for they could not be checked.
    pub fn decode(bytes: &[u8]) -> Result<Extra, Error> {
        let text = std::str::from_utf8(bytes).map_err(|_| malformed("a proof's extra is not UTF-8"))?;
        let (mut keychain, mut leaf, mut sections) = (Vec::new(), None, None);
        for (name, value) in Value::parse(text)?.into_object("a proof's extra")? {
            match (name.as_str(), value) {
                ("keychain", Value::Array(items)) => {
                    keychain = items
                        .into_iter()
                        .map(|item| item.into_string("a handover"))
                        .collect::<Result<_, _>>()?;
                }
                ("leaf", Value::String(text)) => {
                    leaf = Some(b64::decode(&text).ok_or_else(|| malformed("a leaf is not base64"))?);
                }
                ("sections", value) => sections = Some(parse_sections(value)?),
                _ => return Err(malformed("a proof's extra has a member that is not known")),
            }
        }
        let leaf = leaf.ok_or_else(|| malformed("a proof without a leaf"))?;
        let sections = sections.ok_or_else(|| malformed("a proof without sections"))?;
        Ok(Extra { keychain, leaf, sections })
    }
}

/// One line of `disclosures.jsonl`, without its newline: JCS JSON.
pub fn encode_line(position: u64, sections: &Disclosure) -> String {
    let mut out = format!("{{\"position\":\"{position}\",");
    push_sections(&mut out, sections);
    out.push('}');
    out
}

/// Reads what [`encode_line`] writes.
pub fn decode_line(line: &str) -> Result<(u64, Disclosure), Error> {
    let (mut position, mut sections) = (None, None);
    for (name, value) in Value::parse(line)?.into_object("a disclosure")? {
        match name.as_str() {
            "position" => position = decimal(&value.into_string("a position")?),
            "sections" => sections = Some(parse_sections(value)?),
            _ => return Err(malformed("a disclosure has a member that is not known")),
        }
    }
    position.zip(sections).ok_or_else(|| malformed("a disclosure needs position and sections"))
}

/// `"sections":{"<name>":{"body":"…","salt":"…"},…}`
fn push_sections(out: &mut String, sections: &Disclosure) {
    out.push_str("\"sections\":{");
    for (i, (name, shown)) in sections.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        push_string(out, name);
        out.push_str(":{\"body\":");
        push_string(out, &shown.body);
        out.push_str(",\"salt\":");
        push_string(out, &b64::encode(shown.salt));
        out.push('}');
    }
    out.push('}');
}

fn parse_sections(value: Value) -> Result<Disclosure, Error> {
    let mut sections = Disclosure::new();
    for (name, value) in value.into_object("sections")? {
        let (mut body, mut salt) = (None, None);
        for (member, value) in value.into_object("a section")? {
            let text = value.into_string("a section's member")?;
            match member.as_str() {
                "body" => body = Some(text),
                "salt" => salt = b64::decode(&text).and_then(|bytes| bytes.try_into().ok()),
                _ => return Err(malformed("a section has a member that is not known")),
            }
        }
        let (body, salt) =
            body.zip(salt).ok_or_else(|| malformed("a section needs a body and a salt of 16 bytes"))?;
        sections.insert(name, Disclosed { body, salt });
    }
    Ok(sections)
}
