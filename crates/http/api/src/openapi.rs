//! `GET /openapi.json`: the table of routes for programs, as OpenAPI 3.1.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use event::{Object, Value};

use crate::dialect::Dialect;
use crate::otlp;
use crate::problem::CODES;
use crate::routes::{Parameter, ROUTES, Route, Sent};
use crate::schema::{schemas, written};
use crate::tally::object;

/// What the tags are about, in the order in which people read them.
pub(crate) const TAGS: &[(&str, &str)] = &[
    ("record", "Events in."),
    ("splunk", "Events in, as Splunk's HTTP Event Collector takes them, with its answers and its codes."),
    ("read", "Events out."),
    ("check", "Proofs: that nothing was changed, removed or left out."),
    ("access", "Who may ask: keys, users and organisations. Every change is recorded."),
    ("views", "Saved filters."),
    ("quarantine", "What was refused, to be mended and sent again."),
    ("litellm", "As LiteLLM's audit log is asked; `x-litellm-api-key` is taken, too."),
    ("bifrost", "As Bifrost's audit log is asked; a key as the password of HTTP Basic is taken, too."),
    ("run", "For those who run the server."),
];

pub(crate) const ABOUT: &str = "The audit log for AI systems. Success is answered only when events are on the disk. \
    Every problem is an `application/problem+json` (RFC 9457) with a `code`. After a 429 or 503, try again when \
    `Retry-After` says; `RateLimit` says what is left until then.";

/// The document. It is also committed, as `docs/reference/openapi.json`.
pub fn openapi() -> Value<'static> {
    let mut paths = Object::new();
    for route in ROUTES {
        let method = route.method.to_ascii_lowercase();
        match paths.get_mut(route.path) {
            Some(Value::Object(path)) => drop(path.insert(method, operation(route))),
            _ => {
                let mut path = Object::new();
                path.insert(method, operation(route));
                paths.insert(route.path, path);
            }
        }
    }
    let tag = |(name, about): &(&'static str, &'static str)| {
        Value::Object(object([("name", Value::from(*name)), ("description", Value::from(*about))]))
    };
    Value::Object(object([
        ("openapi", Value::from("3.1.0")),
        (
            "info",
            Value::Object(object([
                ("title", Value::from("Indelible")),
                ("version", Value::from(env!("CARGO_PKG_VERSION"))),
                ("description", Value::from(ABOUT)),
                ("license", written(r#"{"name":"Apache-2.0","identifier":"Apache-2.0"}"#)),
            ])),
        ),
        ("servers", written(r#"[{"url":"/"}]"#)),
        ("tags", Value::Array(TAGS.iter().map(tag).collect())),
        ("paths", Value::Object(paths)),
        (
            "components",
            Value::Object(object([
                ("schemas", Value::Object(schemas())),
                ("responses", Value::Object(problems())),
                ("securitySchemes", written(r#"{"token":{"type":"http","scheme":"bearer"}}"#)),
            ])),
        ),
    ]))
}

/// The statuses of problems that a route may answer.
pub(crate) fn statuses(route: &Route) -> Vec<u16> {
    let every: &[u16] = if route.needs.key() { &[401, 403, 429, 500, 503] } else { &[429] };
    let too_often = route.too_often.as_u16();
    let all = every.iter().chain(route.problems).copied();
    let mut all: Vec<u16> = all.filter(|status| *status != 429 || too_often == 429).collect();
    all.retain(|status| *status != 403 || Dialect::of(Some(route)) != Dialect::Litellm);
    all.retain(|status| route.answers.iter().all(|answer| answer.status != *status));
    // Load balancers may ask as often as they like.
    all.retain(|status| *status != 429 || route.path != "/healthz");
    all.sort();
    all
}

fn operation(route: &Route) -> Value<'static> {
    let mut operation = object([
        ("operationId", Value::from(route.id)),
        ("summary", Value::from(route.about)),
        ("tags", Value::Array(vec![Value::from(route.tag)])),
        ("responses", Value::Object(responses(route))),
    ]);
    let security = match route.needs.key() {
        true => {
            operation.insert("description", format!("Needs: {}.", route.needs.name()));
            let scope = Value::Array(vec![Value::from(route.needs.name().into_owned())]);
            vec![Value::Object(object([("token", scope)]))]
        }
        false => Vec::new(),
    };
    operation.insert("security", Value::Array(security));
    if !route.parameters.is_empty() {
        operation.insert("parameters", Value::Array(route.parameters.iter().map(parameter).collect()));
    }
    if let Some(sent) = route.sent {
        operation.insert("requestBody", body(sent));
    }
    Value::Object(operation)
}

fn parameter(parameter: &Parameter) -> Value<'static> {
    let mut members = object([
        ("name", Value::from(parameter.name)),
        ("in", Value::from(parameter.place)),
        ("description", Value::from(parameter.about)),
        ("schema", written(parameter.schema)),
    ]);
    if parameter.place == "path" {
        members.insert("required", true);
    }
    Value::Object(members)
}

fn body(sent: &Sent) -> Value<'static> {
    let mut content = media(sent.media);
    if let Some(Value::Object(first)) = sent.media.first().and_then(|(name, _)| content.get_mut(name)) {
        first.insert("example", written(sent.example));
    }
    Value::Object(object([
        ("description", Value::from(sent.about)),
        ("required", Value::from(true)),
        ("content", Value::Object(content)),
    ]))
}

fn media(media: &'static [(&'static str, &'static str)]) -> Object<'static> {
    let mut content = Object::new();
    for (name, schema) in media {
        let schema = match schema.starts_with('{') {
            true => written(schema),
            false => reference("schemas", schema),
        };
        content.insert(*name, object([("schema", schema)]));
    }
    content
}

fn responses(route: &Route) -> Object<'static> {
    let mut responses = Object::new();
    for answer in route.answers {
        let members = object([
            ("description", Value::from(answer.about)),
            ("content", Value::Object(media(answer.media))),
        ]);
        responses.insert(answer.status.to_string(), members);
    }
    for status in statuses(route) {
        let said = match Dialect::of(Some(route)) {
            Dialect::Litellm => theirs(status, "LitellmError"),
            // What can't be done yet is said in our own words.
            Dialect::Bifrost if status != 501 => theirs(status, "BifrostError"),
            _ if otlp::SENT_TO.contains(&route.path) => encoded(status),
            _ => reference("responses", &format!("Problem{status}")),
        };
        responses.insert(status.to_string(), said);
    }
    responses
}

/// A problem in a neighbour's words.
fn theirs(status: u16, schema: &str) -> Value<'static> {
    let content = object([("application/json", media_of(schema))]);
    let members = object([("description", Value::from(reason(status))), ("content", Value::Object(content))]);
    Value::Object(members)
}

fn reason(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default()
}

/// A problem in the encoding in which the request came (OTLP 1.11, "Failures"); in our own words if that was none.
fn encoded(status: u16) -> Value<'static> {
    const BINARY: &str = r#"{"type":"string","format":"binary"}"#;
    const STATUS: &str = r#"{"type":"object","properties":{"code":{"type":"integer"},"message":{"type":"string"}},"required":["message"]}"#;
    let content = object([
        ("application/json", Value::Object(object([("schema", written(STATUS))]))),
        ("application/x-protobuf", Value::Object(object([("schema", written(BINARY))]))),
        ("application/problem+json", media_of("Problem")),
    ]);
    let members = object([("description", Value::from(reason(status))), ("content", Value::Object(content))]);
    Value::Object(members)
}

/// A response for each status that a problem can have.
fn problems() -> Object<'static> {
    let mut statuses: Vec<u16> = CODES.iter().map(|known| known.status).collect();
    statuses.dedup();
    let mut responses = Object::new();
    for status in statuses {
        let codes = CODES.iter().filter(|known| known.status == status);
        let mut about: Vec<String> =
            codes.map(|known| format!("`{}`: {}.", known.code, known.about)).collect();
        if status == 400 {
            about.push("Or one of the codes of refused events.".to_owned());
        }
        let content = object([("application/problem+json", media_of("Problem"))]);
        let mut members =
            object([("description", Value::from(about.join(" "))), ("content", Value::Object(content))]);
        if matches!(status, 429 | 503) {
            members.insert("headers", written(RETRY_HEADERS));
        }
        responses.insert(format!("Problem{status}"), members);
    }
    responses
}

const RETRY_HEADERS: &str = r#"{
    "Retry-After":{"description":"seconds after which trying again makes sense","schema":{"type":"integer"}},
    "RateLimit":{"description":"what is left of the quota (draft-ietf-httpapi-ratelimit-headers)","schema":{"type":"string"}},
    "RateLimit-Policy":{"description":"the quota","schema":{"type":"string"}}}"#;

fn media_of(schema: &str) -> Value<'static> {
    Value::Object(object([("schema", reference("schemas", schema))]))
}

fn reference(kind: &str, name: &str) -> Value<'static> {
    Value::Object(object([("$ref", Value::from(format!("#/components/{kind}/{name}")))]))
}

/// JSON with line ends, for people and for comparing versions: what fits a line of so many bytes stays on it.
pub(crate) fn pretty(value: &Value<'_>, width: usize) -> String {
    let mut out = String::new();
    write_pretty(value, width, 0, 0, &mut out);
    out.push('\n');
    out
}

/// `before` bytes stand on the line already, beside the two for each level of `depth`.
fn write_pretty(value: &Value<'_>, width: usize, depth: usize, before: usize, out: &mut String) {
    let canonical = |value: &Value<'_>| String::from_utf8(value.to_jcs()).unwrap_or_default();
    let line = canonical(value);
    let items: Vec<(String, &Value<'_>)> = match value {
        _ if 2 * depth + before + line.len() < width => return out.push_str(&line),
        Value::Array(items) => items.iter().map(|item| (String::new(), item)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, member)| (canonical(&Value::from(name)) + ": ", member)).collect()
        }
        _ => return out.push_str(&line),
    };
    let (open, close) = if matches!(value, Value::Array(_)) { ('[', ']') } else { ('{', '}') };
    out.push(open);
    for (n, (name, item)) in items.into_iter().enumerate() {
        out.push_str(if n > 0 { ",\n" } else { "\n" });
        out.push_str(&"  ".repeat(depth + 1));
        out.push_str(&name);
        write_pretty(item, width, depth + 1, name.len(), out);
    }
    out.push('\n');
    out.push_str(&"  ".repeat(depth));
    out.push(close);
}

/// `GET /openapi.json`
pub(crate) async fn document() -> Response {
    let mut response = Response::new(Body::from(openapi().to_jcs()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use event::json;

    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods)]
    fn the_committed_document_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/reference/openapi.json");
        let document = pretty(&openapi(), 160);
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(path, &document).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == document, "{path} is stale: run UPDATE_EXPECT=1 cargo test -p api");
    }

    #[test]
    fn every_route_is_in_it_once() {
        let document = openapi();
        let mut ids = Vec::new();
        for route in ROUTES {
            let pointer =
                format!("/paths/{}/{}", route.path.replace('/', "~1"), route.method.to_ascii_lowercase());
            let operation = document.pointer(&pointer).unwrap_or_else(|| panic!("{pointer}"));
            ids.push(operation.get("operationId").and_then(Value::as_str).unwrap().to_owned());
            assert!(TAGS.iter().any(|(name, _)| *name == route.tag), "{}", route.path);
            let in_path: Vec<&str> =
                route.parameters.iter().filter(|one| one.place == "path").map(|one| one.name).collect();
            for name in &in_path {
                assert!(route.path.contains(&format!("{{{name}}}")), "{} {name}", route.path);
            }
            assert_eq!(route.path.matches('{').count(), in_path.len(), "{}", route.path);
            for status in statuses(route) {
                assert!(CODES.iter().any(|known| known.status == status), "{} {status}", route.path);
            }
        }
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), ROUTES.len());
    }

    #[test]
    fn pretty_json_is_the_same_json() {
        let document = openapi();
        let text = pretty(&document, 160);
        let limits = json::Limits { max_bytes: 4 << 20, max_depth: 64 };
        assert_eq!(json::parse(text.as_bytes(), &limits).unwrap(), document);
        assert_eq!(
            pretty(&written(r#"{"b":[],"a":{"x":[1,"q\""]}}"#), 40),
            "{\"a\":{\"x\":[1,\"q\\\"\"]},\"b\":[]}\n"
        );
        let long = Value::from("x".repeat(40));
        let nested = Value::Array(vec![long.clone(), Value::Object(object([("a", long)]))]);
        let x = "x".repeat(40);
        assert_eq!(pretty(&nested, 40), format!("[\n  \"{x}\",\n  {{\n    \"a\": \"{x}\"\n  }}\n]\n"));
    }
}
