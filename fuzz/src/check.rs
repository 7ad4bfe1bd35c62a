//! What holds of every event, whoever sent it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::OnceLock;

use event::{Event, Limits, Value};
use redact::{Keys, Origin, Policy, Redactor};

/// A secret as the redactor knows it; seeds have it everywhere. In two parts, so that no scanner takes this file for a leak.
pub const SECRET: &str = concat!("ghp_", "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17");
/// What a model was told; it is put where that stands.
pub const PROMPT: &str = "qzx what nobody may read qzx";

/// A fingerprint in the form that the product's have. It is not keyed: here it must only not be the text.
pub fn fingerprint(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("hmac-sha256:{}", format!("{:016x}", hasher.finish()).repeat(4))
}

struct Fixed;

impl Keys for Fixed {
    fn text(&self, _: &str, bytes: &[u8]) -> String {
        fingerprint(bytes)
    }
}

/// An event that a decoder gave is one by our own rules; and when all that may not be kept is taken out, it is still JSON, and
/// neither a secret is in it that stood in the input as a word, nor what stood where prompts do.
pub fn event(input: &[u8], event: &Event<'_>, origin: Origin) {
    static REDACTOR: OnceLock<Redactor> = OnceLock::new();
    let redactor =
        REDACTOR.get_or_init(|| Redactor::new(&Policy::default()).expect("the usual policy is right"));
    let bytes = Value::Object(event.tree().clone()).to_jcs();
    let again = Event::parse(&bytes, &Limits::default());
    let again = again.unwrap_or_else(|refusal| panic!("what was accepted is refused: {refusal:?}"));
    assert_eq!(again.tree(), event.tree(), "the canonical bytes are another event");
    assert_eq!(again.core(), event.core());
    let mut kept = event.clone();
    redactor.apply(&mut kept, &Fixed, origin);
    let bytes = Value::Object(kept.tree().clone()).to_jcs();
    let text = std::str::from_utf8(&bytes).expect("JSON is UTF-8");
    // The fuzzer sees what is compared with what, and writes it anywhere.
    let is_sent = input.windows(PROMPT.len()).any(|part| part == PROMPT.as_bytes());
    assert!(is_sent || !text.contains(PROMPT), "a prompt is kept");
    if is_word_everywhere(input) {
        assert!(!text.contains(SECRET), "a secret is kept");
    }
    // What stands in the place of a secret may be longer than it, and than what its field may hold.
    let roomy = Limits { max_bytes: 4 << 20, max_depth: 70 };
    for body in kept.sections().iter().map(|(_, body)| body).chain([&bytes]) {
        event::json::parse(body, &roomy)
            .unwrap_or_else(|refusal| panic!("what is kept is not JSON: {refusal:?}"));
    }
}

/// Whether the secret, wherever it stands in the input, is a word of its own: in the middle of other letters it is none.
fn is_word_everywhere(input: &[u8]) -> bool {
    let of_word = |b: u8| {
        b.is_ascii_alphanumeric() || b >= 0x80 || matches!(b, b'_' | b'\\' | b'%' | b'-' | b'+' | b'/' | b'=')
    };
    let secret = SECRET.as_bytes();
    let mut from = 0;
    while let Some(at) = input[from..].windows(secret.len()).position(|part| part == secret) {
        let (begin, end) = (from + at, from + at + secret.len());
        let before = begin.checked_sub(1).map(|at| input[at]);
        if before.into_iter().chain(input.get(end).copied()).any(of_word) {
            return false;
        }
        from = end;
    }
    true
}

/// Puts [`PROMPT`] wherever one of these names stands.
pub fn put_prompts(value: &mut Value<'_>, names: &[&str]) {
    match value {
        Value::Object(members) => members.iter_mut().for_each(|(name, value)| match names.contains(&name) {
            true => *value = Value::from(PROMPT),
            false => put_prompts(value, names),
        }),
        Value::Array(items) => items.iter_mut().for_each(|item| put_prompts(item, names)),
        _ => {}
    }
}

/// Texts as seeds, in which `SECRET` stands for the secret.
pub fn texts(all: &[&str]) -> Vec<Vec<u8>> {
    all.iter().map(|text| text.replace("SECRET", SECRET).into_bytes()).collect()
}
