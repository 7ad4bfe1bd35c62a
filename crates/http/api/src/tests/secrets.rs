//! Secrets that come in events, good and refused ones: none comes out again.

use access::{Role, Viewer};
use event::field::{FIELDS, Shape};

use super::matrix::{here, new_key, wide};
use super::*;

#[path = "../../../../redact/tests/planted/secrets.rs"]
mod planted_secrets;
use planted_secrets::SECRETS;

/// An event with a text at a path of the table, whatever belongs there.
fn planted(path: &str, text: &str) -> String {
    let value = path.rsplit('.').fold(Value::from(text.to_owned()), |value, name| {
        let (name, value) = match name.strip_suffix("[]") {
            Some(name) => (name, Value::Array(vec![value])),
            None => (name, value),
        };
        Value::object([(name.to_owned(), value)]).unwrap()
    });
    let Value::Object(mut members) = value else { unreachable!() };
    if members.get("type").is_none() {
        members.insert("type", "planted.here");
    }
    String::from_utf8(Value::Object(members).to_jcs()).unwrap()
}

#[tokio::test]
async fn no_secret_comes_out_again() {
    let server = Server::with(wide());
    let (product, command) = (&server.product, Viewer::command("test"));
    let fields = FIELDS.iter().filter(|field| field.shape != Shape::Block).map(|field| field.path);
    let fields: Vec<&str> = fields.chain(["attributes.note", "llm.not_a_field"]).collect();
    let (mut accepted, mut refused) = (0, 0);
    let mut leaks = Vec::new();
    let mut check = |what: &str, answer: &Answer| {
        let heads =
            answer.headers.values().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let all = heads.chain([answer.text.clone()]).collect::<Vec<_>>().join("\n");
        for (_, part) in SECRETS {
            if let Some(at) = all.find(part) {
                let from = all.floor_char_boundary(at.saturating_sub(200));
                leaks.push(format!("{what}: {}", &all[from..at + part.len()]));
            }
        }
    };
    for (n, (secret, _)) in SECRETS.iter().enumerate() {
        let organisation = format!("o{n}");
        product.create_organisation(&command, &organisation, "Planted").unwrap();
        // By a key of this organisation: one that writes everywhere may name organisations as it likes, which is no secret.
        let new = new_key("writer", here(&organisation), Role::Writer, None);
        let (_, token) = product.create_key(&command, new).unwrap();
        let send = async |path: &str, body: String| {
            let request = Request::builder().method("POST").uri(path);
            let request = request.header("authorization", format!("Bearer {token}"));
            server.send(request.body(Body::from(body)).unwrap()).await
        };
        // Fewer at once than are kept of what is refused.
        for part in fields.chunks(90) {
            let events: Vec<String> = part.iter().map(|path| planted(path, secret)).collect();
            let path = format!("/v1/events?organisation={organisation}");
            let answer = send(&path, format!("[{}]", events.join(","))).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            accepted += answer.json().get("accepted").and_then(Value::as_i64).unwrap();
            refused += answer.json().get("rejected").and_then(Value::as_array).unwrap().len();
            check("receipts", &answer);
        }
        // Bytes that are no JSON at all, and a name that nobody knows.
        let named = Value::object([((*secret).to_owned(), Value::from(1))]).unwrap().to_jcs();
        let path = format!("/v1/events?organisation={organisation}");
        send(&path, format!("{{\"type\":\"a.b\", {secret}")).await;
        send(&path, String::from_utf8(named).unwrap()).await;
        let mut paths = vec![
            "/v1/events?limit=1000".to_owned(),
            "/v1/events/export?format=ndjson".into(),
            "/v1/events/export?format=csv".into(),
            "/v1/events/facets?n=1000&field=type,status,action,environment,project,producer,actor.id,actor.email,llm.provider,llm.model,tool.name".into(),
            "/v1/events/histogram?by=type&n=100".into(),
            "/v1/events/top?group=actor.id&n=1000".into(),
            "/v1/quarantine?limit=1000".into(),
        ];
        let list = server.get(&format!("/v1/quarantine?limit=1000&organisation={organisation}")).await;
        let list = list.json();
        for entry in list.get("entries").and_then(Value::as_array).unwrap() {
            paths.push(format!("/v1/quarantine/{}", entry.get("id").and_then(Value::as_str).unwrap()));
        }
        for path in paths {
            let sign = if path.contains('?') { '&' } else { '?' };
            let answer = server.get(&format!("{path}{sign}organisation={organisation}")).await;
            assert_eq!(answer.status, 200, "{path} {}", answer.text);
            check(&path, &answer);
        }
    }
    for path in ["/metrics", "/v1/stats", "/v1/organisations", "/v1/events?organisation=system&limit=1000"] {
        check(path, &server.get(path).await);
    }
    leaks.sort();
    leaks.dedup();
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
    assert!(accepted > 300 && refused > 100, "{accepted} {refused}");
}
