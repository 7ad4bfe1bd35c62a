//! How long one event takes on one core, step by step: `cargo run --release -p event --example speed`.
#![allow(clippy::print_stdout, clippy::disallowed_methods, missing_docs)]

use std::hint::black_box;
use std::time::Instant;

use event::{Event, Limits};

/// About as large as what a gateway sends for one call of a model.
const CALL: &str = r#"{"type":"llm.completion","time":"2026-11-02T10:30:45.123456Z","status":"success","source_id":"evt_01JBQ3W7Z8Y6N5M4K3J2H1G0F9","producer":"gateway-eu-1","producer_seq":184467,"action":"generate","project":"support-bot","environment":"production","app_version":"2.1.0","actor":{"type":"user","id":"user_4561","email":"alice.muster@company.example","ip":"203.0.113.42","user_agent":"openai-python/1.52.0","api_key_hash":"sha256:9f86d081884c7d659a2feaa0c55ad015","session_id":"sess_78912345"},"llm":{"provider":"openai","model":"gpt-4o-2024-08-06","operation":"chat","tokens_input":150,"tokens_output":280,"cost":"0.003175","latency_ms":1250.5,"prompt_fingerprint":"hmac:4bf92f3577b34da6a3ce929d0e0e4736","finish_reasons":["stop"],"documents":[{"id":"doc_123","score":0.87}]},"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7","attributes":{"team":"care","cached":false}}"#;

fn main() {
    let limits = Limits::default();
    let bytes = CALL.as_bytes();
    println!("one event of {} bytes, microseconds each, best of 15:", bytes.len());
    time("utf-8 check (floor)", || std::str::from_utf8(black_box(bytes)).unwrap().len());
    time("json::parse", || event::json::parse(black_box(bytes), &limits).unwrap().as_object().unwrap().len());
    time("Event::parse", || Event::parse(black_box(bytes), &limits).unwrap().tree().len());
    let event = Event::parse(bytes, &limits).unwrap();
    time("submitted", || black_box(&event).submitted().len());
    time("sections", || black_box(&event).sections().len());
    time("parse + submitted + sections", || {
        let event = Event::parse(black_box(bytes), &limits).unwrap();
        event.submitted().len() + event.sections().len()
    });
    time("serde_json::Value (for comparison)", || {
        serde_json::from_slice::<serde_json::Value>(black_box(bytes)).unwrap().as_object().unwrap().len()
    });
}

fn time(what: &str, mut work: impl FnMut() -> usize) {
    const ROUNDS: u32 = 20_000;
    let round = || {
        let start = Instant::now();
        for _ in 0..ROUNDS {
            black_box(work());
        }
        start.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS)
    };
    let best = std::iter::repeat_with(round).take(15).fold(f64::INFINITY, f64::min);
    println!("{best:8.3}  {what}");
}
