//! What was left out on the way, and why: the event's `redactions`.

use event::{Object, Value};

use super::is_nothing;

/// More places than this are counted in one last entry: their names come from strangers too.
const ENTRIES_MAX: usize = 128;
/// Longest name of a stranger's field that is written down.
const NAME_CHARS_MAX: usize = 64;

/// Why something was left out. The word goes into `redactions[].rule` with `litellm.` before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
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
    /// LiteLLM's static table of prices.
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
    pub(super) const fn name(self) -> &'static str {
        match self {
            Why::Prompt => "litellm.prompt",
            Why::Response => "litellm.response",
            Why::ErrorText => "litellm.error_text",
            Why::GuardrailText => "litellm.guardrail_text",
            Why::ToolText => "litellm.tool_text",
            Why::RetrievalText => "litellm.retrieval_text",
            Why::Headers => "litellm.headers",
            Why::ClientMetadata => "litellm.client_metadata",
            Why::Parameter => "litellm.parameter",
            Why::PriceTable => "litellm.price_table",
            Why::UnkeyedHash => "litellm.unkeyed_hash",
            Why::Secret => "litellm.secret",
            Why::Noise => "litellm.noise",
            Why::UnknownField => "litellm.unknown_field",
            Why::WrongType => "litellm.wrong_type",
            Why::BadValue => "litellm.bad_value",
            Why::TooLarge => "litellm.too_large",
        }
    }
}

/// What was done with what was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
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

#[derive(Default)]
pub(super) struct Redactions {
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
    /// Nothing is written down about a value that says nothing, and of a place only the first word.
    pub(super) fn dropped(&mut self, path: &str, why: Why, value: &Value<'_>) {
        self.note(path, why, Done::Dropped, value);
    }

    pub(super) fn note(&mut self, path: &str, why: Why, done: Done, value: &Value<'_>) {
        if !is_nothing(value) {
            self.note_size(path, why, done, value.to_jcs().len());
        }
    }

    /// The same, if the size of the value's canonical bytes is known.
    pub(super) fn note_size(&mut self, path: &str, why: Why, done: Done, size: usize) {
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
    pub(super) fn to_value(&self, under: &str) -> Option<Value<'static>> {
        let mut entries: Vec<&Entry> = self.entries.iter().filter(|e| e.path.starts_with(under)).collect();
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        let mut items: Vec<Value<'static>> = entries
            .into_iter()
            .map(|entry| {
                let mut item = Object::new();
                item.insert("path", entry.path.clone());
                item.insert("rule", entry.why.name());
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
            item.insert("rule", "litellm.more");
            item.insert("action", Done::Dropped.name());
            item.insert("count", Value::integer(self.more).unwrap_or(Value::Null));
            items.push(Value::Object(item));
        }
        (!items.is_empty()).then_some(Value::Array(items))
    }
}

/// A path with one more name, if the name looks like one; a stranger may have written anything into it, so else `*`.
pub(super) fn join(path: &str, name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let is_name = name.len() <= NAME_CHARS_MAX
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(plain);
    format!("{path}/{}", if is_name { name } else { "*" })
}
