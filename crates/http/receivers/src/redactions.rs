//! What was left out on the way, and why: the event's `redactions`.

use event::{Object, Value};

use crate::kept::is_nothing;

/// More places than this are counted in one last entry: their names come from strangers too.
const ENTRIES_MAX: usize = 128;
/// Longest name of a stranger's field that is written down.
const NAME_CHARS_MAX: usize = 64;

/// Why something was left out. The word goes into `redactions[].rule` with the sender's name before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// What the model was sent.
    Prompt,
    /// What the model answered.
    Response,
    /// Text of an error or a stack trace, which may quote the prompt.
    ErrorText,
    /// One of the four fields of a guardrail that quote the prompt, or who was alerted.
    GuardrailText,
    /// Arguments or result of a tool, or the definition of one.
    ToolText,
    /// The query of a retrieval, or what was found.
    RetrievalText,
    /// Headers of the request or the answer.
    Headers,
    /// Whatever the client attached.
    ClientMetadata,
    /// A parameter that is text or a structure.
    Parameter,
    /// A static table of prices.
    PriceTable,
    /// A hash without a key, from which a short prompt can be guessed.
    UnkeyedHash,
    /// A secret, by the look of its name or its value.
    Secret,
    /// Known, and of no use in an audit log.
    Noise,
    /// Not in our table of fields.
    UnknownField,
    /// Another kind of value than the field has.
    WrongType,
    /// The right kind of value, with a content that the field does not have.
    BadValue,
    /// Longer, more or deeper than we keep.
    TooLarge,
}

impl Why {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Why::Prompt => "prompt",
            Why::Response => "response",
            Why::ErrorText => "error_text",
            Why::GuardrailText => "guardrail_text",
            Why::ToolText => "tool_text",
            Why::RetrievalText => "retrieval_text",
            Why::Headers => "headers",
            Why::ClientMetadata => "client_metadata",
            Why::Parameter => "parameter",
            Why::PriceTable => "price_table",
            Why::UnkeyedHash => "unkeyed_hash",
            Why::Secret => "secret",
            Why::Noise => "noise",
            Why::UnknownField => "unknown_field",
            Why::WrongType => "wrong_type",
            Why::BadValue => "bad_value",
            Why::TooLarge => "too_large",
        }
    }
}

/// What was done with what was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    Dropped,
    /// Its keyed fingerprint is kept.
    Hashed,
    /// A part of it is kept.
    Masked,
}

impl Done {
    fn name(self) -> &'static str {
        match self {
            Done::Dropped => "drop",
            Done::Hashed => "hash",
            Done::Masked => "mask",
        }
    }
}

pub(crate) struct Redactions {
    /// Whose names the places have.
    sender: &'static str,
    entries: Vec<Entry>,
    /// Places that found no room.
    more: i64,
}

#[derive(Clone)]
struct Entry {
    path: String,
    why: Why,
    done: Done,
    size: usize,
}

impl Redactions {
    /// None yet, of what a sender of this name says.
    pub(crate) fn of(sender: &'static str) -> Redactions {
        Redactions { sender, entries: Vec::new(), more: 0 }
    }

    /// Nothing is written down about a value that says nothing, and of a place only the first word.
    pub(crate) fn dropped(&mut self, path: &str, why: Why, value: &Value<'_>) {
        self.note(path, why, Done::Dropped, value);
    }

    pub(crate) fn note(&mut self, path: &str, why: Why, done: Done, value: &Value<'_>) {
        if !is_nothing(value) {
            self.note_size(path, why, done, value.to_jcs().len());
        }
    }

    /// The same, if the size of the value's canonical bytes is known.
    pub(crate) fn note_size(&mut self, path: &str, why: Why, done: Done, size: usize) {
        if self.entries.iter().any(|entry| entry.path == path) {
            return;
        }
        if self.entries.len() == ENTRIES_MAX {
            self.more += 1;
            return;
        }
        // A power of two: enough to see what was left out, too little to guess a short text by.
        self.entries.push(Entry { path: path.to_owned(), why, done, size: size.next_power_of_two() });
    }

    /// The event's `redactions`; only those under a path, if one is given.
    pub(crate) fn to_value(&self, under: &str) -> Option<Value<'static>> {
        let mut entries: Vec<&Entry> = self.entries.iter().filter(|e| e.path.starts_with(under)).collect();
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        let mut items: Vec<Value<'static>> = entries
            .into_iter()
            .map(|entry| {
                let mut item = Object::new();
                item.insert("path", entry.path.clone());
                item.insert("rule", format!("{}.{}", self.sender, entry.why.name()));
                item.insert("action", entry.done.name());
                if let Some(size) = i64::try_from(entry.size).ok().and_then(Value::integer) {
                    item.insert("size", size);
                }
                Value::Object(item)
            })
            .collect();
        if self.more > 0 && under.is_empty() {
            let mut item = Object::new();
            item.insert("path", "");
            item.insert("rule", format!("{}.more", self.sender));
            item.insert("action", Done::Dropped.name());
            item.insert("count", Value::integer(self.more).unwrap_or(Value::Null));
            items.push(Value::Object(item));
        }
        (!items.is_empty()).then_some(Value::Array(items))
    }
}

/// A path with one more name, if the name looks like one; a stranger may have written anything into it, so else `*`.
pub(crate) fn join(path: &str, name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let is_name = name.len() <= NAME_CHARS_MAX
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(plain);
    format!("{path}/{}", if is_name { name } else { "*" })
}
