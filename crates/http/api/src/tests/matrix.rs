//! Who may ask what: every role, here and elsewhere, against every route of the table.

use access::{AllowList, Grant, Permission, Reach, Role, Viewer};
use event::{Code, Refusal};
use indelible::{NewKey, Refused, RoleGrant, Sender, User};

use super::*;
use crate::rates::Rate;
use crate::routes::{Needs, ROUTES, Route};

/// Limits that a test of many requests does not meet.
pub(super) fn wide() -> Limits {
    let much = Rate { quota: 10_000_000, window: Duration::from_secs(1) };
    Limits {
        key_rate: much,
        address_rate: much,
        login_rate: much,
        exports: 10_000,
        tails: 10_000,
        ..Limits::default()
    }
}

pub(super) fn new_key(name: &str, reach: Reach, role: Role, user: Option<&str>) -> NewKey {
    NewKey {
        name: name.to_owned(),
        organisation: reach,
        role,
        scopes: None,
        user: user.map(str::to_owned),
        expires_ms: None,
        ip_allow: AllowList::default(),
    }
}

pub(super) fn here(name: &str) -> Reach {
    Reach::One(name.to_owned())
}

/// Somebody, and what lets them in.
struct Actor {
    name: String,
    token: Option<String>,
    /// Nothing if they are not let in.
    grant: Option<Grant>,
}

/// Where a route is told which organisation is meant.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// Nowhere: it is about none, or about all.
    None,
    Query,
    Body,
    /// It is that of the key in the path.
    Key,
}

/// How a route is asked.
struct Call {
    place: Place,
    id: String,
    query: String,
    body: String,
    /// What it answers when all is well.
    good: u16,
}

struct World {
    server: Server,
    command: Viewer,
    made: std::cell::Cell<u32>,
}

impl World {
    fn name(&self, begin: &str) -> String {
        self.made.set(self.made.get() + 1);
        format!("{begin}{}", self.made.get())
    }

    fn key(&self, reach: Reach) -> String {
        let new = new_key("target", reach, Role::Viewer, None);
        self.server.product.create_key(&self.command, new).unwrap().0.key_id
    }

    fn user(&self) -> String {
        let user = User { id: self.name("user"), name: "A user".into(), ..User::default() };
        self.server.product.create_user(&self.command, user).unwrap().id
    }

    fn quarantined(&self, organisation: &str) -> String {
        let refusal = Refusal::new(Code::Missing, "/type", "must be there");
        let sender = Sender::local(organisation);
        self.server.product.quarantine(&sender, "test", &[Refused { bytes: b"{}", refusal: &refusal }]);
        let newest = self.server.product.quarantined(&self.command, organisation, 1).unwrap();
        newest[0].get("id").and_then(Value::as_str).unwrap().to_owned()
    }

    /// How a route is asked about an organisation. What it takes away is made first, if it will be.
    fn call(&self, route: &Route, organisation: &str, actor: &Actor, will: bool) -> Call {
        let is_there = matches!(organisation, "acme" | "globex" | "default");
        let reach = Reach::parse(organisation);
        let make = |make: &dyn Fn() -> String| if will && is_there { make() } else { "1".to_owned() };
        let call = |place, id: String, query: &str, body: String, good| Call {
            place,
            id,
            query: query.to_owned(),
            body,
            good,
        };
        let text = |text: &str| text.to_owned();
        let none = String::new;
        use Place::{Body, Key, Query};
        match route.id {
            "recordEvents" | "recordLitellm" | "recordLitellmBudget" | "recordLitellmAlerts" => {
                call(Query, none(), "", text("[]"), 200)
            }
            "recordTraces" | "recordLogs" | "recordAudit" => call(Query, none(), "", text("{}"), 200),
            // A frame of gRPC around a message without fields.
            "callTraces" | "callLogs" => call(Query, none(), "", text("\0\0\0\0\0"), 200),
            "hecEvents" | "hecEventsEvent" | "hecEvents1" | "hecLines" | "hecLines1" => {
                call(Query, none(), "", text(r#"{"event":"x"}"#), 200)
            }
            "recordMapped" => {
                let body =
                    r#"{"uuid":"1","published":"2026-01-01T00:00:00Z","eventType":"user.session.start"}"#;
                call(Query, text("okta"), "", text(body), 200)
            }
            "hecAcks" => call(
                Query,
                none(),
                "channel=11111111-2222-3333-4444-555555555555",
                text(r#"{"acks":[1]}"#),
                200,
            ),
            "agreeDelivery" | "hecHealth" | "hecHealth1" => call(Place::None, none(), "", none(), 200),
            "findEvents" | "countEvents" | "countValues" | "countIntervals" | "exportEvents"
            | "followEvents" | "getCheckpoint" | "stats" | "listKeys" | "listViews" | "listQuarantine" => {
                call(Query, none(), "", none(), 200)
            }
            "litellmAudit"
            | "bifrostEvents"
            | "bifrostEnterpriseEvents"
            | "bifrostValues"
            | "bifrostEnterpriseValues"
            | "bifrostExport"
            | "bifrostEnterpriseExport" => call(Query, none(), "", none(), 200),
            "bifrostQuery" | "bifrostEnterpriseQuery" => call(Query, none(), "", text("{}"), 200),
            "litellmAuditRow"
            | "bifrostEvent"
            | "bifrostEnterpriseEvent"
            | "bifrostVerify"
            | "bifrostEnterpriseVerify" => call(Query, text("seed"), "", none(), 200),
            "bifrostReports" | "bifrostEnterpriseReports" => call(Place::None, none(), "", none(), 501),
            "rankValues" => call(Query, none(), "group=type", none(), 200),
            "findText" => call(Query, none(), "", text(r#"{"text":"x"}"#), 200),
            "getEvent" | "getProof" => call(Query, text("seed"), "", none(), 200),
            "explainFilter" => call(Place::None, none(), "q=type:a", none(), 200),
            "health" | "ready" | "openapi" | "docs" | "docsStyle" | "metrics" | "whoami"
            | "listOrganisations" | "listUsers" => call(Place::None, none(), "", none(), 200),
            "createKey" => {
                let body = format!(r#"{{"name":"k","organisation":"{organisation}","role":"viewer"}}"#);
                call(Body, none(), "", body, 201)
            }
            "rotateKey" | "revokeKey" => {
                let id = if is_there || reach == Reach::All { self.key(reach) } else { text("nokey") };
                call(Key, id, "", none(), if route.id == "rotateKey" { 200 } else { 204 })
            }
            "createUser" => {
                let body = format!(r#"{{"id":"{}","name":"N"}}"#, self.name("new"));
                call(Place::None, none(), "", body, 201)
            }
            "updateUser" => call(Place::None, self.user(), "", text(r#"{"name":"M"}"#), 200),
            "deleteUser" => call(Place::None, self.user(), "", none(), 204),
            "grantRole" => {
                let body = format!(r#"{{"organisation":"{organisation}","role":"viewer"}}"#);
                call(Body, text("mona"), "", body, 201)
            }
            "revokeRole" => {
                let id = make(&|| {
                    let user = self.user();
                    let grant =
                        RoleGrant { user: user.clone(), organisation: reach.clone(), role: Role::Viewer };
                    self.server.product.grant_role(&self.command, grant).unwrap();
                    user
                });
                call(Query, id, "role=viewer", none(), 204)
            }
            "createOrganisation" => {
                let body = format!(r#"{{"id":"{}","name":"N"}}"#, self.name("new"));
                call(Place::None, none(), "", body, 201)
            }
            "renameOrganisation" => call(Place::None, text("globex"), "", text(r#"{"name":"G"}"#), 200),
            "deleteOrganisation" => {
                let id = match will {
                    true => self.name("gone"),
                    false => text("globex"),
                };
                if will {
                    self.server.product.create_organisation(&self.command, &id, "Gone").unwrap();
                }
                call(Place::None, id, "", none(), 204)
            }
            "saveView" => call(Query, none(), "", text(r#"{"name":"v","filter":"type:a"}"#), 201),
            "deleteView" => {
                let id = make(&|| {
                    let product = &self.server.product;
                    let viewer = product.authenticate(actor.token.as_deref().unwrap(), None).unwrap();
                    product.save_view(&viewer, organisation, None, "v", "type:a", false).unwrap().id
                });
                call(Query, id, "", none(), 204)
            }
            "getQuarantined" => call(Query, make(&|| self.quarantined(organisation)), "", none(), 200),
            "resendQuarantined" => {
                let body = text(r#"{"type":"a.b"}"#);
                call(Query, make(&|| self.quarantined(organisation)), "", body, 200)
            }
            "discardQuarantined" => call(Query, make(&|| self.quarantined(organisation)), "", none(), 204),
            other => panic!("{other} is in the table of routes, and this test does not know how to ask it"),
        }
    }

    async fn ask(&self, route: &Route, call: &Call, named: Option<&str>, actor: &Actor) -> (u16, String) {
        let mut path = route.path.replace("{id}", &call.id);
        let mut query = call.query.clone();
        if let (Place::Query, Some(name)) = (call.place, named) {
            query += &format!("&organisation={}", name.replace('*', "%2A"));
        }
        if !query.is_empty() {
            path += &format!("?{}", query.trim_start_matches('&'));
        }
        let mut request = Request::builder().method(route.method).uri(path);
        if let Some(token) = &actor.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let media = match route.id {
            "callTraces" | "callLogs" => "application/grpc",
            _ => "application/json",
        };
        if !call.body.is_empty() {
            request = request.header("content-type", media);
        }
        let request = request.body(Body::from(call.body.clone())).unwrap();
        let response = self.server.router.clone().oneshot(request).await.unwrap();
        let mut status = response.status().as_u16();
        // gRPC says in a header of its own what went wrong.
        if let Some(code) = response.headers().get("grpc-status") {
            status = match code.to_str().unwrap() {
                "3" => 400,
                "7" => 403,
                "16" => 401,
                other => panic!("{} {other}", route.path),
            };
        }
        if route.id == "followEvents" && status == 200 {
            return (status, String::new());
        }
        let text = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8_lossy(&text).into_owned())
    }
}

/// Whether the table of rights lets somebody do it there.
fn may(grant: &Grant, permission: Permission, organisation: &str) -> bool {
    let organisation = if organisation == "*" { "system" } else { organisation };
    grant.organisation.covers(organisation) && grant.role.may(permission)
}

fn actors(server: &Server, command: &Viewer) -> Vec<Actor> {
    let product = &server.product;
    let mut actors = vec![
        Actor { name: "nobody".into(), token: None, grant: None },
        Actor { name: "malformed".into(), token: Some("ind_live_x".into()), grant: None },
        Actor { name: "wrong".into(), token: Some("not-a-key-of-anybody-0123456789".into()), grant: None },
    ];
    let mut add = |name: String, new: NewKey, works: bool| {
        let grant = Grant { organisation: new.organisation.clone(), role: new.role };
        let (key, secret) = product.create_key(command, new).unwrap();
        if name == "revoked" {
            product.revoke_key(command, &key.key_id).unwrap();
        }
        actors.push(Actor { name, token: Some(secret), grant: works.then_some(grant) });
    };
    for role in Role::ALL {
        for reach in [here("acme"), Reach::All] {
            let name = format!("{} of {reach}", role.name());
            add(name.clone(), new_key(&name, reach, role, Some("mona")), true);
        }
    }
    add("other admin".into(), new_key("other", here("globex"), Role::Admin, None), true);
    add("revoked".into(), new_key("revoked", Reach::All, Role::Admin, None), false);
    let expired = NewKey { expires_ms: Some(1000), ..new_key("expired", Reach::All, Role::Admin, None) };
    add("expired".into(), expired, false);
    actors
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_role_may_what_the_table_says_and_nothing_else() {
    let server = Server::with(wide());
    let command = Viewer::command("test");
    for name in ["acme", "globex", "default"] {
        server.product.create_organisation(&command, name, name).ok();
        let path = format!("/v1/events?organisation={name}");
        let event = r#"{"type":"a.b","source_id":"seed","actor":{"id":"mona"}}"#;
        assert_eq!(server.ask("POST", &path, event).await.status, 200, "{name}");
        server.product.ledger(name).unwrap().sign().unwrap();
    }
    server.product.ledger("system").unwrap().sign().unwrap();
    let mona = User { id: "mona".into(), name: "Mona".into(), ..User::default() };
    server.product.create_user(&command, mona).unwrap();
    let actors = actors(&server, &command);
    let world = World { server, command, made: Default::default() };

    let mut cells = 0;
    let mut wrong = Vec::new();
    for route in ROUTES {
        let place = world.call(route, "acme", &actors[0], false).place;
        // LiteLLM has one status for who is not known and who may not.
        let denied = if route.tag == "litellm" { 401 } else { 403 };
        let variants: &[Option<&str>] = match place {
            Place::None => &[None],
            Place::Query => &[Some("acme"), Some("globex"), Some("nobody"), Some("system"), None],
            Place::Body | Place::Key => &[Some("acme"), Some("globex"), Some("nobody"), Some("*")],
        };
        for actor in &actors {
            let mut denials: Vec<(Option<&str>, String)> = Vec::new();
            for named in variants {
                let permission = match route.needs {
                    Needs::May(permission) | Needs::Everywhere(permission) => Some(permission),
                    Needs::Nothing | Needs::Key => None,
                };
                // Whose it is if nobody says so: the only one in which they may.
                let meant = match (named, permission, &actor.grant) {
                    (Some(name), ..) => *name,
                    (None, Some(permission), Some(Grant { organisation: Reach::One(own), .. }))
                        if may(actor.grant.as_ref().unwrap(), permission, own) =>
                    {
                        own
                    }
                    (None, ..) if route.id == "stats" => "*",
                    (None, ..) => "default",
                };
                let allowed = match (route.needs, &actor.grant) {
                    (Needs::Nothing, _) => true,
                    (_, None) => false,
                    (Needs::Key, Some(_)) => true,
                    (Needs::May(permission), Some(grant)) => may(grant, permission, meant),
                    (Needs::Everywhere(permission), Some(grant)) => may(grant, permission, "system"),
                };
                let call = world.call(route, meant, actor, allowed);
                let (status, text) = world.ask(route, &call, *named, actor).await;
                let is_there =
                    matches!(meant, "acme" | "globex" | "default") || meant == "*" || place == Place::None;
                let creates = matches!(route.tag, "record" | "splunk");
                let good = match (allowed, &actor.grant) {
                    (true, _) if is_there || creates && meant != "system" => status == call.good,
                    // There is no such organisation, or it is not asked in this way.
                    (true, _) => matches!(status, 200..=204 | 400 | 404),
                    // Splunk tells who shows nothing from who shows something wrong.
                    (false, None) if route.tag == "splunk" && actor.token.is_some() => status == 403,
                    (false, None) => status == 401,
                    // Whoever manages keys somewhere is not told which there are elsewhere.
                    (false, Some(grant)) if place == Place::Key && grant.role.may(Permission::ManageKeys) => {
                        status == 404
                    }
                    (false, Some(_)) => status == denied,
                };
                cells += 1;
                if !good {
                    wrong.push(format!(
                        "{} {} {named:?} by {}: {status} {text}",
                        route.method, route.path, actor.name
                    ));
                }
                if status == denied {
                    denials.push((*named, text));
                }
            }
            // The answer does not tell whether an organisation is there.
            assert!(denials.windows(2).all(|pair| pair[0].1 == pair[1].1), "{} {denials:?}", route.path);
        }
    }
    assert!(wrong.is_empty(), "{} of {cells}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cells >= 1500, "{cells}");
}
