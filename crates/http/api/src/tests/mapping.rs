//! `POST /ingest/{name}`: records that a mapping explains.

use super::*;

const TRAIL: &str = r#"{"Records":[
    {"eventTime":"2026-01-01T10:00:00Z","eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","eventID":"1","userIdentity":{"type":"IAMUser","userName":"alice"},"responseElements":{"ConsoleLogin":"Failure"},"sourceIPAddress":"203.0.113.42"},
    {"eventTime":"never","eventName":"X","eventSource":"a.b","eventID":"2"},
    {"eventTime":"2026-01-01T10:00:01Z","eventSource":"iam.amazonaws.com","eventName":"CreateUser","eventID":"3","userIdentity":{"type":"Root","arn":"r"}}
]}"#;

async fn count(server: &Server, filter: &str) -> i64 {
    let answer = server.get(&format!("/v1/events/count?q={filter}")).await;
    answer.json().pointer("/total/value").and_then(Value::as_i64).unwrap()
}

#[tokio::test]
async fn what_comes_with_us_is_there_without_configuration() {
    let server = Server::new();
    let answer = server.ask("POST", "/ingest/cloudtrail", TRAIL).await;
    assert_eq!(answer.told(), "200 2 0 1:bad_value@/eventTime");
    assert!(answer.text.contains("mapping cloudtrail, line "), "{}", answer.text);
    assert_eq!(
        server.ask("POST", "/ingest/cloudtrail", TRAIL).await.told(),
        "200 0 2 1:bad_value@/eventTime"
    );
    assert_eq!(count(&server, "type:auth.login%20status:failed%20actor.id:alice").await, 1);
    assert_eq!(count(&server, "producer:aws.cloudtrail").await, 2);
    // What was wrong is kept, to be mended.
    assert!(server.get("/v1/quarantine").await.text.contains("/eventTime"));
    let okta = "{\"uuid\":\"1\",\"published\":\"2026-01-01T00:00:00Z\",\"eventType\":\"user.session.start\"}\n{\"uuid\":2}\nnot json\n";
    let answer = server.ask("POST", "/ingest/okta", okta).await;
    assert_eq!(answer.told(), "200 1 0 1:missing@/published,2:syntax@");
}

#[tokio::test]
async fn a_mapping_of_the_configuration_takes_the_place_of_ours() {
    let text = "name = \"mine\"\nabout = \"a\"\nobserved = \"1\"\nproducer = \"mine\"\n[event]\ntype = \"okta.{kind}\"\n";
    let mapping = |text: &str| receivers::mapping::Mapping::parse(text).unwrap();
    let mappings = vec![("okta".to_owned(), mapping(text)), ("other".to_owned(), mapping(text))];
    let server = Server::serving(Serving { mappings: Arc::new(mappings), ..Serving::default() });
    for path in ["/ingest/okta", "/ingest/other"] {
        let request = with_token("POST", path).header("content-type", "application/xml");
        assert_eq!(
            server.send(request.body(Body::from(r#"{"kind":"a","b":1}"#)).unwrap()).await.told(),
            "200 1 0"
        );
    }
    assert_eq!(count(&server, "type:okta.a%20attributes.mine.b:1").await, 2);
    assert_eq!(server.ask("POST", "/ingest/nobody", "{}").await.problem(), "404 not_found");
    assert_eq!(server.ask("POST", "/ingest/other", " ").await.problem(), "400 syntax");
    assert_eq!(
        server.ask("POST", "/ingest/other?organisation=system", "{}").await.problem(),
        "400 parameter"
    );
}

#[tokio::test]
async fn more_values_than_there_is_memory_for_are_refused() {
    let server = Server::with(Limits { trees_bytes: 1 << 20, ..Limits::default() });
    let body = format!(r#"{{"Records":[{}0]}}"#, "0,".repeat(100_000));
    assert_eq!(server.ask("POST", "/ingest/cloudtrail", body).await.problem(), "413 too_large");
    server.broken.store(true, Ordering::Relaxed);
    let answer = server.ask("POST", "/ingest/cloudtrail", TRAIL).await;
    assert_eq!(answer.problem(), "503 busy");
}
