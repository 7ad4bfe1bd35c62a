//! Events of ours, and entries as the specifications print them.

use event::{Event, Limits};
use redact::Origin;

use crate::check;

pub fn event(bytes: &[u8]) {
    if let Ok(event) = Event::parse(bytes, &Limits::default()) {
        check::event(bytes, &event, Origin::Sender);
    }
}

pub fn event_seeds() -> Vec<Vec<u8>> {
    check::texts(&[
        r#"{"type":"auth.login"}"#,
        r#"{"type":"key.updated","time":"2026-03-01T10:00:00.123456789Z","source_id":"a-1","producer":"gateway","producer_seq":7,"status":"success","severity":"low","action":"update","message":"changed SECRET","actor":{"id":"alice","email":"a@example.com","ip":"203.0.113.7","api_key_hash":"SECRET"},"on_behalf_of":{"id":"bob"},"targets":[{"type":"key","id":"k1","name":"SECRET"}],"changes":{"before":{"max_budget":10.5,"token":"SECRET"},"after":{"max_budget":20}},"attributes":{"a":[1,-2.5e3,true,null,"x"],"note":"SECRET"}}"#,
        r#"{"type":"llm.completion","llm":{"provider":"openai","model":"gpt-4o","tokens_total":12,"cost":"0.0125","guardrails":[{"name":"pii","action":"block"}],"documents":[{"id":"d"}],"tools":[{"name":"t"}]},"content":{"prompt":"what? SECRET","response":"that"},"trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331"}"#,
        r#"{"type":"tool.call","tool":{"name":"SECRET"},"error":{"message":"Größe \u00e9\ud83d\ude00 \"q\" SECRET"},"organisation":"default","environment":"prod","retention":"standard"}"#,
    ])
}

pub fn guide(bytes: &[u8]) {
    if let Some(Ok(event)) = receivers::guide::read(bytes, &Limits::default(), &check::fingerprint) {
        check::event(bytes, &event, Origin::Sender);
    }
}

pub fn guide_seeds() -> Vec<Vec<u8>> {
    check::texts(&[
        r#"{"timestamp":"2026-01-26T10:00:00Z","event_id":"e1","event_type":"llm_request","user_id":"u1","session_id":"s","ip_address":"203.0.113.7","user_agent":"curl","model":"gpt-4","model_version":"1","provider":"openai","prompt_hash":"sha256:abc","response_hash":"SECRET","tokens_input":5,"tokens_output":7,"latency_ms":12.5,"rag_documents":["d1",{"id":"d2"}],"tools_called":["search"],"guardrails_triggered":["pii"],"status":"success","extra":"SECRET"}"#,
        r#"{"event_type":"guardrail_triggered","rule_triggered":"r","content_hash":"x","severity":"high","action":"blocked"}"#,
        r#"{"id":"9f","updated_at":"2026-01-01T00:00:00Z","changed_by":"alice","changed_by_api_key":"88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b","action":"updated","table_name":"LiteLLM_TeamTable","object_id":"team-1","before_value":{"max_budget":10},"updated_values":{"max_budget":20,"note":"SECRET"}}"#,
    ])
}
