//! Secrets planted in every field, wrapped in every way: none is left. A harmless text planted likewise is left alone.

mod secrets;
mod wrapped;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use event::field::{FIELDS, Shape};
use event::{Event, Limits, Value};
use redact::{Keys, Origin, Policy, Redactor};

use secrets::SECRETS;
use wrapped::{CONTROL, FORMS, pieces, put};

struct Fixed;

impl Keys for Fixed {
    fn text(&self, _: &str, _: &[u8]) -> String {
        format!("hmac-sha256:{}", "a".repeat(64))
    }
}

/// The pieces of a text that have anything of its secret part.
fn pieces_of(text: &str, part: &str) -> Vec<String> {
    let start = text.find(part).unwrap();
    let mut at = 0;
    let mut pieces = pieces(text);
    pieces.retain(|piece| {
        at += piece.len();
        at > start && at - piece.len() < start + part.len()
    });
    pieces
}

/// An event with `value` at a path of the table, past the door's checks of shape: an adapter may put anything there.
fn planted(path: &str, value: Value<'static>) -> Event<'static> {
    let mut event = Event::parse(br#"{"type":"x","producer":"p"}"#, &Limits::default()).unwrap().into_owned();
    let mut tree = std::mem::take(event.tree_mut());
    put(&mut tree, path, value);
    *event.tree_mut() = tree;
    event
}

fn redacted(mut event: Event<'static>, policy: &Policy) -> (String, bool) {
    Redactor::new(policy).unwrap().apply(&mut event, &Fixed, Origin::Sender);
    let noted = event.tree().get("redactions").is_some();
    (String::from_utf8(event.submitted()).unwrap(), noted)
}

fn fields() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().filter(|field| field.shape != Shape::Block).map(|field| field.path)
}

#[test]
fn no_secret_is_left_in_any_field_or_wrapping() {
    let keep = Policy { content: redact::Content::Keep, ..Policy::default() };
    let mut left = Vec::new();
    let mut tried = 0;
    for path in fields() {
        for (form, wrap) in FORMS {
            for (secret, part) in SECRETS {
                for policy in [&Policy::default(), &keep] {
                    tried += 1;
                    let (text, noted) = redacted(planted(path, wrap(secret)), policy);
                    let encoded = STANDARD.encode(part);
                    let whole = text.contains(part) || text.contains(&encoded[2..encoded.len() - 4]);
                    let in_pieces = matches!(*form, "split" | "numbered")
                        && pieces_of(secret, part).iter().any(|piece| text.contains(&format!("\"{piece}\"")));
                    if whole || in_pieces || !noted {
                        left.push(format!("{path} {form}: {} -> {text}", &secret[..8]));
                    }
                }
            }
        }
    }
    assert!(tried > 30_000, "only {tried} planted");
    assert!(left.is_empty(), "{} of {tried} left:\n{}", left.len(), left[..left.len().min(20)].join("\n"));
}

#[test]
fn a_harmless_text_is_left_alone() {
    for path in fields().filter(|path| !path.starts_with("content.") && !path.ends_with("fingerprint")) {
        // What stands for a hash is hashed again.
        if path == "actor.api_key_hash" {
            continue;
        }
        for (form, wrap) in FORMS {
            let event = planted(path, wrap(CONTROL));
            let before = String::from_utf8(event.submitted()).unwrap();
            let (after, _) = redacted(event, &Policy::default());
            assert_eq!(after, before, "{path} {form}");
        }
    }
}
