//! A filter comes back from its text, and no text is too strange to be refused in an orderly way.

use proptest::prelude::*;
use query::{Filter, complete};

use crate::generate;

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, ..ProptestConfig::default() })]

    #[test]
    fn a_filter_comes_back_from_its_text(expr in generate::expr()) {
        let filter = Filter::from(expr);
        let text = filter.to_string();
        prop_assert_eq!(Filter::parse(&text), Ok(filter.clone()), "{}", text);
        prop_assert_eq!(Filter::from_url_query(&filter.to_url_query()), Ok(filter.clone()));
        prop_assert_eq!(Filter::from(filter.expr().clone()), filter, "canonical form is final");
    }

    #[test]
    fn both_filters_have_to_pass(a in generate::expr(), b in generate::expr(), event in generate::event()) {
        let (a, b) = (Filter::from(a), Filter::from(b));
        prop_assert_eq!(a.clone().and(b.clone()).matches(&event), a.matches(&event) && b.matches(&event));
    }
}

/// Numbers that are the same in every run (xorshift64*).
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n
    }
}

#[rustfmt::skip]
const PIECES: &[&str] = &[
    "status", "severity", "time", "actor.ip", "ip", "user", "attributes.a", "llm", "latency", "cost", "category", "message",
    "exists:", "has:", ":", ":", ":", ">", ">=", "<", "=", "!=", "(", ")", "[", "]", "{", "}", " TO ", " ", " ", " AND ", " OR ",
    " NOT ", "-", "!", "\"", "\"", "\\", "*", "..", "/", "5", "1.5s", "now-7d", "2026-11", "10.0.0.0/8", "::1", "failed", "high",
    "é", "\u{202e}", "\n", "\0", "İ", "😀",
];

/// 50 000 strings of random bytes and 50 000 of pieces of the language.
#[test]
fn nothing_panics_and_what_is_accepted_comes_back() {
    let mut chance = Chance(20_261_122);
    let mut accepted = 0;
    for turn in 0..100_000 {
        let text = if turn % 2 == 0 {
            let bytes: Vec<u8> = (0..chance.below(40)).map(|_| chance.below(256) as u8).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        } else {
            (0..chance.below(12)).map(|_| PIECES[chance.below(PIECES.len())]).collect()
        };
        match Filter::parse(&text) {
            Ok(filter) => {
                accepted += 1;
                assert_eq!(Filter::parse(&filter.to_string()).as_ref(), Ok(&filter), "{text:?}");
            }
            Err(error) => {
                assert!(text.get(error.span.clone()).is_some(), "{text:?} {error:?}");
                assert!(!error.message.is_empty() && !error.to_string().ends_with('.'), "{text:?} {error:?}");
            }
        }
        if turn % 9 > 0 {
            continue;
        }
        for offer in complete(&text, chance.below(text.len() + 2)) {
            assert!(text.get(offer.replace.clone()).is_some(), "{text:?} {offer:?}");
        }
    }
    assert!(accepted > 5_000, "{accepted}");
}

/// What would take long if anything were more than linear.
#[test]
fn long_texts_take_no_longer_than_they_must() {
    for text in [
        format!("x:{}", "(".repeat(4000)),
        "a:".repeat(2000),
        "\"".repeat(4096),
        "\\".repeat(4096),
        "-".repeat(4096),
        "type:*a".repeat(580),
        format!("type:{}", "*a".repeat(2000)),
        format!("\"{}\"", "a ".repeat(2000)),
        format!("{}:x", "a.".repeat(2000)),
        format!("attributes.{}:x", "a.".repeat(1900)),
    ] {
        if let Ok(filter) = Filter::parse(&text) {
            let words = "a ".repeat(50_000);
            let event =
                event::Value::object([("type", words.as_str().into()), ("message", words.as_str().into())]);
            filter.matches(&event.unwrap());
        }
        complete(&text, text.len());
    }
}
