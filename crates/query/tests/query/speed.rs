//! How long a filter takes over one event: `cargo test -p query --release -- --ignored --nocapture speed`.

use std::hint::black_box;
use std::time::Instant;

use event::{Limits, json};
use query::{Filter, visit};

const EVENT: &str = r#"{"action":"chat.create","actor":{"api_key_hash":"3f2a9c417be8d0653f2a9c417be8d065","auth_method":"api_key","email":"user4711@example.com","id":"user-4711","ip":"198.51.100.77","roles":["developer","viewer"],"session_id":"0d5fca32-90c5-4b52-8c3b-1c60a4e2f7aa","type":"user","user_agent":"openai-python/1.51.0"},"environment":"production","id":"0192f0c1-2b3c-7d4e-8f50-123456789abc","llm":{"cost":"0.00312","latency_ms":842.5,"model":"gpt-4o","operation":"chat","prompt_fingerprint":"hmac:9f86d081884c7d659a2feaa0c55ad015","provider":"openai","stream":true,"tokens_input":812,"tokens_output":311,"tokens_total":1123},"message":"model completion in project atlas for the support team","organisation":"default","position":123456,"producer":"gateway-1","producer_seq":123457,"project":"atlas","received":"2026-11-22T10:30:00.123Z","request_id":"req-5b2f0a9d71c94e33","severity":"info","source_id":"550e8400-e29b-41d4-a716-446655440000","status":"success","time":"2026-11-22T10:30:00Z","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","type":"llm.completion"}"#;

#[test]
#[ignore = "a measurement"]
#[allow(clippy::disallowed_methods, clippy::print_stdout)]
fn speed() {
    let event = json::parse(EVENT.as_bytes(), &Limits::default()).unwrap();
    let each = |name: &str, mut work: Box<dyn FnMut() + '_>| {
        let start = Instant::now();
        for _ in 0..200_000 {
            work();
        }
        println!("{:>7} ns  {name}", start.elapsed().as_nanos() / 200_000);
    };
    println!("{} bytes", EVENT.len());
    for text in [
        "type:llm.* status:success severity>=info actor.ip:198.51.100.0/24",
        "actor.email:user4711@example.com time>=2026-11-01 llm.cost>0.001 -status:failed",
        "user:nobody llm.tokens_total>1000 attributes.tenant.name:acme exists:agent",
        "type:llm.completion project:atlas support team",
        "\"no such words\"",
        "nosuch*",
    ] {
        let predicate = Filter::parse(text).unwrap().predicate();
        each(text, Box::new(|| _ = black_box(predicate.matches(black_box(&event)))));
    }
    each("visit", Box::new(|| visit(&event, &mut |leaf| _ = black_box(leaf))));
    let text = "type:llm.* status:success severity>=info actor.ip:198.51.100.0/24";
    each("parse", Box::new(|| _ = black_box(Filter::parse(black_box(text)))));
}
