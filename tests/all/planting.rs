//! Somebody who sends secrets wherever something can be put, and keeps every answer.

#[path = "../../crates/redact/tests/planted/secrets.rs"]
mod planted;
#[path = "../../crates/redact/tests/planted/wrapped.rs"]
mod wrapped;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use event::field::{FIELDS, Shape};
use event::{Object, Value};
use wrapped::{FORMS, put};

pub(crate) use planted::SECRETS;
pub(crate) use wrapped::CONTROL;

use crate::client::{Client, Reply, encoded};
use crate::program::{TOKEN, parse, root, text};

const CAPTURES: &str = "tests/fixtures/litellm/litellm-1.105.3-generic_api.ndjson";
/// Events of a request: as many as are kept of what is refused in one.
const BATCH: usize = 100;
/// Fields by whose values events are counted: the values are told.
pub(crate) const COUNTED: &str =
    "type,status,action,environment,project,producer,actor.id,actor.email,llm.provider,llm.model,tool.name";

/// The text in the form that a place in a header takes.
fn on_a_line(text: &str) -> String {
    text.replace('\n', " ")
}

/// Sends, and keeps every answer.
pub(crate) struct Sender {
    address: SocketAddr,
    client: Client,
    /// Of the key that is used.
    pub(crate) token: String,
    pub(crate) answers: Vec<(String, String)>,
    pub(crate) counted: BTreeMap<u16, u32>,
}

impl Sender {
    pub(crate) fn new(address: SocketAddr) -> Sender {
        Sender {
            address,
            client: Client::new(address),
            token: TOKEN.to_owned(),
            answers: Vec::new(),
            counted: BTreeMap::new(),
        }
    }

    /// Asks, with the token unless the headers say who asks.
    fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let bearer = format!("Bearer {}", self.token);
        let mut all = headers.to_vec();
        if !headers.iter().any(|(name, _)| *name == "authorization") {
            all.push(("authorization", &bearer));
        }
        if !headers.iter().any(|(name, _)| *name == "content-type") {
            all.push(("content-type", "application/json"));
        }
        let reply = self.client.ask_with(method, path, &all, body).unwrap_or_else(|_| {
            // After some refusals the connection is closed, and with it what was sent too early.
            self.client = Client::new(self.address);
            self.client.ask_with(method, path, &all, body).expect("the server answers")
        });
        assert!(reply.status < 500, "{method} {path}: {}", reply.text());
        *self.counted.entry(reply.status).or_default() += 1;
        let what = match path.split(['?', '/']).filter(|part| !part.is_empty()).nth(1) {
            _ if path == "/metrics" => "metrics",
            _ if reply.status >= 400 => "error answer",
            Some("events") if method == "POST" => "receipt",
            Some("events") => "event",
            Some("quarantine") => "quarantine",
            Some("keys") => "keys",
            _ => "other answer",
        };
        self.answers.push((what.to_owned(), format!("{}{}", reply.head, reply.text())));
        reply
    }

    fn post(&mut self, path: &str, body: &[u8]) -> Reply {
        self.ask("POST", path, &[], body)
    }

    pub(crate) fn get(&mut self, path: &str) -> Reply {
        self.ask("GET", path, &[], b"")
    }

    /// A new organisation, and a key with which one can only write there: what it sends as `organisation` names nothing.
    pub(crate) fn writer(&mut self, organisation: &str) -> String {
        let body = format!("{{\"id\":\"{organisation}\",\"name\":\"Planted\"}}");
        self.post("/v1/organisations", body.as_bytes()).is(201);
        let body =
            format!("{{\"name\":\"{CONTROL}\",\"organisation\":\"{organisation}\",\"role\":\"writer\"}}");
        let reply = self.post("/v1/keys", body.as_bytes()).is(201);
        // The one place in which a key is told.
        self.answers.pop();
        text(&reply.json(), "/secret")
    }

    /// The secret in every field, in one form each and plainly; and the control in the same places.
    pub(crate) fn events(&mut self, organisation: &str, nth: usize, secret: &str) {
        let fields = FIELDS.iter().filter(|field| field.shape != Shape::Block).map(|field| field.path);
        let fields: Vec<&str> =
            fields.chain(["attributes.note", "attributes.password", "llm.not_a_field"]).collect();
        let mut events = Vec::new();
        for (n, path) in fields.iter().enumerate() {
            // With as many forms as secrets or more, each field gets each secret, and each secret each form.
            assert!(FORMS.len() >= SECRETS.len() - 1, "a field would miss a secret");
            let (_, wrap) = FORMS[(n + nth) % FORMS.len()];
            events.extend([event_with(path, wrap(secret)), event_with(path, Value::from(secret.to_owned()))]);
            events.push(event_with(path, wrap(CONTROL)));
        }
        for (_, wrap) in FORMS {
            for path in
                ["attributes.note", "message", "content.prompt", "changes.after", "llm.parameters.stop"]
            {
                events.push(event_with(path, wrap(secret)));
            }
        }
        for batch in events.chunks(BATCH) {
            let path = format!("/v1/events?organisation={organisation}");
            self.post(&path, format!("[{}]", batch.join(",")).as_bytes()).is(200);
        }
        // One that is answered with what is said here: with a receipt that names the pointer.
        let control = Value::object([(CONTROL, Value::from(1))]).unwrap().to_jcs();
        let path = format!("/v1/events?organisation={organisation}");
        self.post(&path, &[b"[{\"type\":\"a.b\"},".as_slice(), &control, b"]"].concat()).is(200);
    }

    /// The secret in every leaf of what LiteLLM sends, and as a name.
    pub(crate) fn litellm(&mut self, organisation: &str, nth: usize, secret: &str) {
        let captures = fs::read_to_string(root().join(CAPTURES)).unwrap();
        let mut records = Vec::new();
        for line in captures.lines().filter(|line| !line.is_empty()) {
            let record = parse(line);
            let mut pointers = Vec::new();
            leaves(&record, String::new(), &mut pointers);
            for (n, pointer) in pointers.iter().enumerate() {
                let (_, wrap) = FORMS[(n + nth) % FORMS.len()];
                let mut record = record.clone();
                // Else it would be the same call again.
                replace(&mut record, "/id", Value::from(format!("call-{nth}-{n}-{}", line.len())));
                replace(&mut record, pointer, wrap(secret));
                records.push(String::from_utf8(record.to_jcs()).unwrap());
            }
            let Value::Object(mut members) = record else { panic!("a record is an object") };
            members.insert(secret.to_owned(), Value::from(secret.to_owned()));
            records.push(String::from_utf8(Value::Object(members).to_jcs()).unwrap());
        }
        assert!(records.len() > 400, "the capture has lost its leaves");
        for batch in records.chunks(BATCH) {
            let path = format!("/ingest/litellm?organisation={organisation}");
            self.post(&path, format!("[{}]", batch.join(",")).as_bytes());
        }
    }

    /// The same, sent in every way in which events are.
    pub(crate) fn malformed(&mut self, organisation: &str, secret: &str) {
        for body in &malformed(secret) {
            for path in ["/v1/events", "/v1/events?atomic=true", "/ingest/litellm"] {
                let sign = if path.contains('?') { '&' } else { '?' };
                let path = format!("{path}{sign}organisation={organisation}");
                self.post(&path, body);
                self.ask("POST", &path, &[("content-type", "application/x-ndjson")], body);
                self.ask("POST", &path, &[("content-type", "application/cloudevents+json")], body);
                self.ask("POST", &path, &[("content-encoding", "gzip")], body);
            }
        }
    }

    /// The secret in every header that means something to somebody, and as a token.
    pub(crate) fn headers(&mut self, organisation: &str, secret: &str) {
        let secret = &on_a_line(secret);
        let path = format!("/v1/events?organisation={organisation}");
        for name in [
            "user-agent",
            "idempotency-key",
            "x-api-key",
            "cookie",
            "referer",
            "origin",
            "x-request-id",
            "traceparent",
            "baggage",
            "x-forwarded-for",
            "forwarded",
            "x-real-ip",
            "from",
            "accept",
            "accept-encoding",
            "last-event-id",
            "content-type",
            "content-encoding",
            "if-none-match",
            "range",
            "prefer",
            "litellm-changed-by",
            "x-anything",
        ] {
            let body = format!("{{\"type\":\"header.{name}\"}}").replace('-', "_");
            self.ask("POST", &path, &[(name, secret)], body.as_bytes());
            self.ask("POST", &path.replace("v1/events", "ingest/litellm"), &[(name, secret)], b"[]");
            self.ask("GET", &format!("{path}&limit=1"), &[(name, secret)], b"");
        }
        let basic = STANDARD.encode(format!("admin:{secret}"));
        for token in [
            format!("Bearer {secret}"),
            secret.clone(),
            format!("Basic {basic}"),
            format!("Bearer ind_live_{secret}"),
        ] {
            for (method, path) in [("POST", "/v1/events"), ("POST", "/ingest/litellm"), ("GET", "/v1/keys")] {
                self.ask(method, path, &[("authorization", &token)], b"{\"type\":\"a.b\"}").is(401);
            }
        }
    }

    /// The secret in paths and in queries: in names and values, in filters as a word, a value and a path.
    pub(crate) fn questions(&mut self, organisation: &str, secret: &str, part: &str) {
        let parameters = [
            "q",
            "type",
            "actor",
            "status",
            "from",
            "to",
            "consistent",
            "limit",
            "cursor",
            "sort",
            "count",
            "field",
            "n",
            "by",
            "interval",
            "group",
            "sum",
            "at",
            "follow",
            "format",
            "wait",
            "atomic",
            "role",
            "organisation",
        ];
        let value = encoded(secret);
        for path in
            ["/v1/events", "/v1/events/count", "/v1/events/facets", "/v1/events/histogram", "/v1/events/top"]
        {
            for name in parameters {
                self.get(&format!("{path}?{name}={value}"));
            }
            self.get(&format!("{path}?{value}=1"));
        }
        let quoted = secret.replace('\\', "\\\\").replace('"', "\\\"");
        for filter in [
            format!("\"{quoted}\""),
            format!("message:\"{quoted}\""),
            format!("attributes.note:\"{quoted}\""),
            format!("attributes.password:\"{part}\""),
            format!("NOT (actor.id:\"{quoted}\" OR type:auth.*)"),
            format!("actor.email:(\"{quoted}\" OR x)"),
            format!("exists:\"attributes.{quoted}\""),
        ] {
            let asked = encoded(&filter);
            for path in ["/v1/events", "/v1/events/count"] {
                self.get(&format!("{path}?q={asked}&organisation={organisation}"));
            }
            // What a filter means is said in its own words, and to nobody else.
            self.get(&format!("/v1/filter?q={asked}"));
            self.answers.pop();
            let body = Value::object([("name", Value::from("v")), ("filter", Value::from(filter))])
                .unwrap()
                .to_jcs();
            self.post(&format!("/v1/views?organisation={organisation}"), &body);
        }
        for path in [
            format!("/v1/events/{value}"),
            format!("/v1/events/{value}/proof"),
            format!("/v1/quarantine/{value}"),
            format!("/v1/checkpoint?organisation={value}"),
            format!("/{value}"),
            format!("/v1/{value}?{value}={value}"),
        ] {
            self.get(&path);
        }
        for path in ["keys", "users", "organisations", "views", "quarantine"] {
            self.ask("DELETE", &format!("/v1/{path}/{value}"), &[], b"");
        }
        let body = Value::object([("text", Value::from(secret.to_owned()))]).unwrap().to_jcs();
        self.post(&format!("/v1/find-text?organisation={organisation}"), &body).is(200);
    }

    /// The secret where the administration takes a text.
    pub(crate) fn administration(&mut self, organisation: &str, secret: &str) {
        for body in malformed(secret) {
            for path in ["keys", "users", "organisations", "views", "quarantine/1/resend"] {
                self.post(&format!("/v1/{path}"), &body);
            }
        }
        let quoted = String::from_utf8(Value::from(secret.to_owned()).to_jcs()).unwrap();
        for (path, body) in [
            (
                "/v1/keys",
                format!("{{\"name\":{quoted},\"organisation\":\"{organisation}\",\"role\":\"writer\"}}"),
            ),
            ("/v1/keys", format!("{{\"name\":\"k\",\"organisation\":{quoted},\"role\":\"writer\"}}")),
            (
                "/v1/keys",
                format!("{{\"name\":\"k\",\"organisation\":\"*\",\"role\":{quoted},\"user\":{quoted}}}"),
            ),
            (
                "/v1/keys",
                format!(
                    "{{\"name\":\"k\",\"organisation\":\"*\",\"role\":\"writer\",\"scopes\":[{quoted}],\"ip_allow\":[{quoted}]}}"
                ),
            ),
            ("/v1/users", format!("{{\"id\":{quoted},\"name\":\"u\"}}")),
            ("/v1/users", format!("{{\"id\":\"named-{organisation}\",\"name\":{quoted}}}")),
            ("/v1/users", format!("{{\"id\":\"mailed-{organisation}\",\"name\":\"u\",\"email\":{quoted}}}")),
            (
                "/v1/users",
                format!("{{\"id\":\"user-{organisation}\",\"name\":\"u\",\"email\":\"u@example.com\"}}"),
            ),
            ("/v1/organisations", format!("{{\"id\":{quoted},\"name\":\"o\"}}")),
            ("/v1/organisations", format!("{{\"id\":\"named-{organisation}\",\"name\":{quoted}}}")),
            ("/v1/views", format!("{{\"name\":{quoted},\"filter\":\"type:a\"}}")),
            ("/v1/views", format!("{{\"name\":\"v\",\"filter\":{quoted}}}")),
        ] {
            self.post(path, body.as_bytes());
        }
        let user = format!("/v1/users/user-{organisation}");
        for body in [format!("{{\"name\":{quoted}}}"), format!("{{\"email\":{quoted}}}")] {
            self.ask("PATCH", &user, &[], body.as_bytes());
        }
        self.ask(
            "PATCH",
            &format!("/v1/organisations/{organisation}"),
            &[],
            format!("{{\"name\":{quoted}}}").as_bytes(),
        );
        self.post(
            &format!("{user}/roles"),
            format!("{{\"organisation\":{quoted},\"role\":{quoted}}}").as_bytes(),
        );
    }

    /// All that was recorded and refused, as people and programs read it.
    pub(crate) fn read_back(&mut self, organisation: &str) {
        let mut cursor = String::new();
        loop {
            let path = format!("/v1/events?limit=1000&consistent=true&organisation={organisation}{cursor}");
            let page = self.get(&path).is(200).json();
            match text(&page, "/next").as_str() {
                "" => break,
                next => cursor = format!("&cursor={next}"),
            }
        }
        let organisation_too = |path: &str| format!("{path}&organisation={organisation}");
        self.get(&organisation_too(&format!("/v1/events/facets?n=1000&field={COUNTED}")));
        self.get(&organisation_too("/v1/events/top?group=actor.id&n=1000"));
        self.get(&organisation_too("/v1/events/histogram?by=type"));
        let list = self.get(&organisation_too("/v1/quarantine?limit=1000")).is(200).json();
        let entries = list.pointer("/entries").and_then(Value::as_array).unwrap().to_vec();
        assert!(entries.len() < 1000, "more are in quarantine than are looked at");
        for entry in entries {
            self.get(&format!("/v1/quarantine/{}?organisation={organisation}", text(&entry, "/id"))).is(200);
        }
    }
}

/// What is no JSON, or not JSON that is taken, with the secret in it.
fn malformed(secret: &str) -> Vec<Vec<u8>> {
    let quoted = String::from_utf8(Value::from(secret.to_owned()).to_jcs()).unwrap();
    vec![
        secret.as_bytes().to_vec(),
        quoted.clone().into_bytes(),
        format!("{{\"type\":\"a.b\", {secret}").into_bytes(),
        format!("{{\"type\":\"a.b\",\"message\":{quoted}").into_bytes(),
        format!("{{\"type\":\"a.b\",{quoted}:1,{quoted}:2}}").into_bytes(),
        format!("{{\"type\":{quoted},\"type\":{quoted}}}").into_bytes(),
        format!("{{{quoted}:9007199254740993}}").into_bytes(),
        format!("{{\"type\":\"a.b\"}}\n{{\"type\":{quoted},}}\n{quoted}\n{secret}\n").into_bytes(),
        [b"{\"type\":\"a.b\",\"message\":\"\xff".as_slice(), secret.as_bytes(), b"\"}"].concat(),
        format!("{{\"type\":\"a.b\",\"time\":{quoted},\"actor\":{quoted},\"attributes\":{quoted}}}")
            .into_bytes(),
        format!("{{\"specversion\":\"1.0\",\"id\":{quoted},\"type\":{quoted},\"source\":{quoted}}}")
            .into_bytes(),
        format!("{}{quoted}{}", "{\"a\":".repeat(70), "}".repeat(70)).into_bytes(),
    ]
}

/// An event with a value at a path of the table, whatever belongs there.
fn event_with(path: &str, value: Value<'static>) -> String {
    let mut members = Object::new();
    put(&mut members, path, value);
    if members.get("type").is_none() {
        members.insert("type", "planted.here");
    }
    String::from_utf8(Value::Object(members).to_jcs()).unwrap()
}

/// Pointers of what is no object and no list.
fn leaves(value: &Value<'_>, at: String, all: &mut Vec<String>) {
    let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| leaves(value, format!("{at}/{}", escaped(name)), all));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| leaves(item, format!("{at}/{n}"), all));
        }
        _ => all.push(at),
    }
}

fn replace(value: &mut Value<'static>, pointer: &str, new: Value<'static>) {
    let Some((name, rest)) = pointer.strip_prefix('/').map(|path| path.split_once('/').unwrap_or((path, "")))
    else {
        *value = new;
        return;
    };
    let rest = if rest.is_empty() { String::new() } else { format!("/{rest}") };
    match value {
        Value::Object(members) => {
            let name = name.replace("~1", "/").replace("~0", "~");
            replace(members.get_mut(&name).expect("the pointer was found here"), &rest, new);
        }
        Value::Array(items) => replace(&mut items[name.parse::<usize>().unwrap()], &rest, new),
        _ => panic!("nothing is below a leaf"),
    }
}
