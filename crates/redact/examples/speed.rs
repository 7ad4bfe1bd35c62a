//! How long redaction of one event takes on one core: `cargo run --release -p redact --example speed`.
#![allow(clippy::print_stdout, clippy::disallowed_methods, missing_docs)]

use std::hint::black_box;
use std::time::Instant;

use event::{Event, Limits};
use redact::{Keys, Origin, Policy, Redactor};

/// About as large as what a gateway sends for one call of a model: nothing in it is taken out, two hashes are hashed again.
const CALL: &str = r#"{"type":"llm.completion","time":"2026-11-02T10:30:45.123456Z","status":"success","source_id":"evt_01JBQ3W7Z8Y6N5M4K3J2H1G0F9","producer":"gateway-eu-1","producer_seq":184467,"action":"generate","project":"support-bot","environment":"production","app_version":"2.1.0","actor":{"type":"user","id":"user_4561","email":"alice.muster@company.example","ip":"203.0.113.42","user_agent":"openai-python/1.52.0","api_key_hash":"sha256:9f86d081884c7d659a2feaa0c55ad015","session_id":"sess_78912345"},"llm":{"provider":"openai","model":"gpt-4o-2024-08-06","operation":"chat","tokens_input":150,"tokens_output":280,"cost":"0.003175","latency_ms":1250.5,"prompt_fingerprint":"sha256:4bf92f3577b34da6a3ce929d0e0e4736","finish_reasons":["stop"],"documents":[{"id":"doc_123","score":0.87}]},"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7","attributes":{"team":"care","cached":false}}"#;

/// The floor: what hashing costs is not redaction's.
struct Free;

impl Keys for Free {
    fn text(&self, _: &str, _: &[u8]) -> String {
        "hmac-sha256:9f86d081884c7d659a2feaa0c55ad0159f86d081884c7d659a2feaa0c55ad015".to_owned()
    }
}

fn main() {
    let redactor = Redactor::new(&Policy::default()).unwrap();
    let event = Event::parse(CALL.as_bytes(), &Limits::default()).unwrap();
    println!("one event of {} bytes, microseconds each, best of 300 rounds:", CALL.len());
    let clone = time("clone of the event (taken off below)", || black_box(&event).clone().tree().len());
    let without = |what, origin| {
        let whole = time(what, || {
            let mut event = black_box(&event).clone();
            redactor.apply(&mut event, &Free, origin);
            event.tree().len()
        });
        println!("{:8.3}  of it redaction", whole - clone);
    };
    without("apply, two hashes hashed again", Origin::Sender);
    let plain = CALL.replace(r#""api_key_hash":"sha256:9f86d081884c7d659a2feaa0c55ad015","#, "");
    let plain = plain.replace(r#""prompt_fingerprint":"sha256:4bf92f3577b34da6a3ce929d0e0e4736","#, "");
    let event = Event::parse(plain.as_bytes(), &Limits::default()).unwrap();
    let clone = time("clone of the event without hashes (taken off below)", || {
        black_box(&event).clone().tree().len()
    });
    let whole = time("apply, nothing to do", || {
        let mut event = black_box(&event).clone();
        redactor.apply(&mut event, &Free, Origin::Sender);
        event.tree().len()
    });
    println!("{:8.3}  of it redaction", whole - clone);
    let prose = "The quarterly report was sent to the auditors on Tuesday, and nobody objected. ".repeat(800);
    let per_event = time("64 KiB of prose", || redactor.text(black_box(&prose)).0.len());
    println!("{:8.0}  MB/s", prose.len() as f64 / per_event);
}

fn time(what: &str, mut work: impl FnMut() -> usize) -> f64 {
    const ROUNDS: u32 = 200;
    let round = || {
        let start = Instant::now();
        for _ in 0..ROUNDS {
            black_box(work());
        }
        start.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS)
    };
    let best = std::iter::repeat_with(round).take(300).fold(f64::INFINITY, f64::min);
    println!("{best:8.3}  {what}");
    best
}
