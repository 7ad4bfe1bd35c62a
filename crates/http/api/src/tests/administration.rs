//! Keys, users, organisations, views and the quarantine, by way of the API.

use super::*;

impl Server {
    async fn send_as(&self, token: &str, method: &str, path: &str, body: &str) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("authorization", format!("Bearer {token}"));
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    async fn good(&self, method: &str, path: &str, body: &str, status: u16) -> Answer {
        let answer = self.ask(method, path, body.to_owned()).await;
        assert_eq!(answer.status, status, "{method} {path} {}", answer.text);
        answer
    }
}

fn text(answer: &Answer, pointer: &str) -> String {
    answer.json().pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn count(answer: &Answer, pointer: &str) -> usize {
    answer.json().pointer(pointer).and_then(Value::as_array).map_or(0, |items| items.len())
}

#[tokio::test]
async fn a_key_is_created_used_rotated_and_revoked() {
    let server = Server::new();
    server.good("POST", "/v1/organisations", r#"{"id":"acme","name":"Acme"}"#, 201).await;
    let body = r#"{"name":"audit","organisation":"acme","role":"auditor","scopes":["events:read"],"ip_allow":["0.0.0.0/0","::/0"]}"#;
    let made = server.good("POST", "/v1/keys", body, 201).await;
    let (id, secret) = (text(&made, "/key/key_id"), text(&made, "/secret"));
    assert!(secret.starts_with("ind_live_") && secret.contains(&id));
    assert_eq!(made.header("cache-control"), "no-store");

    let who = server.send_as(&secret, "GET", "/v1/whoami", "").await;
    assert_eq!(text(&who, "/roles/acme/0"), "auditor");
    assert_eq!(text(&who, "/scopes/0"), "events:read");
    assert!(who.text.contains("read events") && !who.text.contains("export events"), "{}", who.text);
    assert_eq!(server.send_as(&secret, "GET", "/v1/events", "").await.status, 200);
    assert_eq!(server.send_as(&secret, "GET", "/v1/events/export", "").await.problem(), "403 forbidden");

    let list = server.good("GET", "/v1/keys?organisation=acme", "", 200).await;
    assert_eq!((count(&list, "/keys"), text(&list, "/keys/0/key_id")), (1, id.clone()));
    assert!(!list.text.contains(&secret) && list.text.contains("last_used"), "{}", list.text);
    assert!(count(&server.good("GET", "/v1/keys?organisation=%2A", "", 200).await, "/keys") >= 1);

    let rotate = format!("/v1/keys/{id}/rotate");
    let fresh = text(&server.good("POST", &rotate, r#"{"overlap_seconds":600}"#, 200).await, "/secret");
    for works in [&secret, &fresh] {
        assert_eq!(server.send_as(works, "GET", "/v1/whoami", "").await.status, 200);
    }
    let newest = text(&server.good("POST", &rotate, "", 200).await, "/secret");
    for gone in [&secret, &fresh] {
        assert_eq!(server.send_as(gone, "GET", "/v1/whoami", "").await.problem(), "401 unauthorized");
    }
    server.good("DELETE", &format!("/v1/keys/{id}"), "", 204).await;
    assert_eq!(server.send_as(&newest, "GET", "/v1/whoami", "").await.problem(), "401 unauthorized");
    assert_eq!(server.ask("DELETE", "/v1/keys/nothing", "").await.problem(), "404 not_found");
}

#[tokio::test]
async fn what_is_sent_is_checked_member_by_member() {
    let server = Server::new();
    let check = async |path: &str, body: &str, expect: &str, says: &str| {
        let answer = server.ask("POST", path, body.to_owned()).await;
        assert_eq!(answer.problem(), expect, "{body}");
        assert!(answer.text.contains(says), "{body}: {}", answer.text);
        assert!(!answer.text.contains("hunter2"), "{}", answer.text);
    };
    check("/v1/keys", r#"{"nmae":"x"}"#, "400 unknown_field", "did you mean `name`").await;
    check("/v1/keys", r#"{"hunter2":"x"}"#, "400 unknown_field", "known here: name").await;
    check("/v1/keys", r#"{"name":"x"}"#, "400 missing", "organisation").await;
    check("/v1/keys", r#"{"name":7,"organisation":"a","role":"admin"}"#, "400 wrong_type", "/name").await;
    check("/v1/keys", r#"{"name":"x","organisation":"a","role":"hunter2"}"#, "400 bad_value", "auditor")
        .await;
    check("/v1/keys", r#"{"name":"x","organisation":"HUNTER","role":"admin"}"#, "400 bad_value", "a-z").await;
    let scopes = r#"{"name":"x","organisation":"*","role":"admin","scopes":["hunter2"]}"#;
    check("/v1/keys", scopes, "400 bad_value", "events:write").await;
    let networks = r#"{"name":"x","organisation":"*","role":"admin","ip_allow":["hunter2"]}"#;
    check("/v1/keys", networks, "400 bad_value", "ip_allow").await;
    let expires = r#"{"name":"x","organisation":"*","role":"admin","expires":"hunter2"}"#;
    check("/v1/keys", expires, "400 bad_value", "expires").await;
    check("/v1/keys", r#"{"name":"x","name":"y"}"#, "400 duplicate_key", "").await;
    check("/v1/keys", "[]", "400 wrong_type", "").await;
    check("/v1/keys", "{", "400 syntax", "").await;
    check("/v1/keys/x/rotate", r#"{"overlap_seconds":-1}"#, "400 bad_value", "").await;
    let large = format!(r#"{{"name":"{}"}}"#, "x".repeat(17 << 10));
    check("/v1/keys", &large, "413 too_large", "").await;
    assert_eq!(server.post(r#"{"type":"a.b"}"#).await.status, 200);
    check("/v1/views", r#"{"name":"x","filter":"type:("}"#, "400 wrong", "filter").await;
    let kind = with_token("POST", "/v1/keys").header("content-type", "application/x-ndjson");
    assert_eq!(server.send(kind.body(Body::from("{}")).unwrap()).await.problem(), "415 media_type");
}

#[tokio::test]
async fn users_organisations_and_views() {
    let server = Server::new();
    server.good("POST", "/v1/organisations", r#"{"id":"acme","name":"Acme"}"#, 201).await;
    let renamed = server.good("PATCH", "/v1/organisations/acme", r#"{"name":"Acme Ltd"}"#, 200).await;
    assert_eq!(text(&renamed, "/name"), "Acme Ltd");
    assert_eq!(
        server.ask("POST", "/v1/organisations", r#"{"id":"acme","name":"x"}"#).await.problem(),
        "400 wrong"
    );

    server.good("POST", "/v1/users", r#"{"id":"ann","name":"Ann","email":"ann@x.org"}"#, 201).await;
    server.good("POST", "/v1/users/ann/roles", r#"{"organisation":"acme","role":"auditor"}"#, 201).await;
    let users = server.good("GET", "/v1/users", "", 200).await;
    assert_eq!(text(&users, "/users/0/roles/0/role"), "auditor");
    let changed = server.good("PATCH", "/v1/users/ann", r#"{"email":null,"disabled":true}"#, 200).await;
    assert_eq!(text(&changed, "/name"), "Ann");
    assert!(changed.json().get("email").is_none(), "{}", changed.text);
    server.good("DELETE", "/v1/users/ann/roles?organisation=acme&role=auditor", "", 204).await;
    let again = server.ask("DELETE", "/v1/users/ann/roles?organisation=acme&role=auditor", "").await;
    assert_eq!(again.problem(), "404 not_found");
    server.good("DELETE", "/v1/users/ann", "", 204).await;
    assert_eq!(server.ask("PATCH", "/v1/users/ann", r#"{"name":"x"}"#).await.problem(), "404 not_found");

    let views = "/v1/views?organisation=acme";
    let saved = server.good("POST", views, r#"{"name":"mine","filter":"type:auth.*"}"#, 201).await;
    let id = text(&saved, "/id");
    let body = format!(r#"{{"id":"{id}","name":"ours","filter":"type:auth.*","shared":true}}"#);
    server.good("POST", views, &body, 200).await;
    let list = server.good("GET", views, "", 200).await;
    assert_eq!((count(&list, "/views"), text(&list, "/views/0/name")), (1, "ours".into()));
    server.good("DELETE", &format!("/v1/views/{id}?organisation=acme"), "", 204).await;
    assert_eq!(count(&server.good("GET", views, "", 200).await, "/views"), 0);

    server.good("DELETE", "/v1/organisations/acme", "", 204).await;
    let left = server.good("GET", "/v1/organisations", "", 200).await;
    assert!(!left.text.contains("acme"), "{}", left.text);
}

#[tokio::test]
async fn what_was_refused_is_mended_and_sent_again() {
    let server = Server::new();
    assert_eq!(
        server.post(r#"[{"typ":"a.b","message":"password=hunter2-plum"},{"type":"a.b","x":1}]"#).await.status,
        400
    );
    let list = server.good("GET", "/v1/quarantine", "", 200).await;
    assert_eq!(count(&list, "/entries"), 2);
    let ids = [text(&list, "/entries/0/id"), text(&list, "/entries/1/id")];
    let one = server.good("GET", &format!("/v1/quarantine/{}", ids[1]), "", 200).await;
    assert!(text(&one, "/body").contains("\"typ\":\"a.b\"") && !one.text.contains("hunter2"), "{}", one.text);
    let resend = format!("/v1/quarantine/{}/resend", ids[1]);
    assert_eq!(server.ask("POST", &resend, r#"{"typ":"a.b"}"#).await.told(), "400 0 0 0:unknown_field@/typ");
    assert_eq!(server.ask("POST", &resend, r#"{"type":"a.mended"}"#).await.told(), "200 1 0");
    assert_eq!(server.ask("POST", &resend, r#"{"type":"a.mended"}"#).await.problem(), "404 not_found");
    server.good("DELETE", &format!("/v1/quarantine/{}", ids[0]), "", 204).await;
    assert_eq!(count(&server.good("GET", "/v1/quarantine", "", 200).await, "/entries"), 0);
    let found = server.good("GET", "/v1/events/count?type=a.mended", "", 200).await;
    assert_eq!(found.json().pointer("/total/value").and_then(Value::as_i64), Some(1));

    // Of a secret of several lines no line is kept: by itself it looks like nothing.
    let lines = concat!("{\"typ\":\"a.b\"}\n-----BEGIN PRIVATE", " KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF\n");
    server.post(lines).await;
    let list = server.good("GET", "/v1/quarantine", "", 200).await;
    assert_eq!(count(&list, "/entries"), 3);
    for n in 0..3 {
        let id = text(&list, &format!("/entries/{n}/id"));
        let one = server.good("GET", &format!("/v1/quarantine/{id}"), "", 200).await;
        assert!(!one.text.contains("MIIEvQ"), "{}", one.text);
    }
    for id in ["x", "-1", "99999999999999999999"] {
        assert_eq!(server.get(&format!("/v1/quarantine/{id}")).await.problem(), "404 not_found");
    }
}

#[tokio::test]
async fn readiness_is_about_the_disk() {
    let server = Server::new();
    let open =
        async |path: &str| server.send(Request::builder().uri(path).body(Body::empty()).unwrap()).await;
    assert_eq!(open("/readyz").await.text, r#"{"searchable_lag":0,"status":"ready"}"#);
    let broken = Server::new();
    broken.broken.store(true, Ordering::Relaxed);
    let answer = broken.send(Request::builder().uri("/readyz").body(Body::empty()).unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (503, r#"{"status":"read_only"}"#));
    server.door.drain();
    assert_eq!(open("/readyz").await.text, r#"{"status":"draining"}"#);
}

#[tokio::test]
async fn sizes_and_lags_are_told() {
    let server = Server::new();
    assert_eq!(server.post(r#"{"type":"a.b"}"#).await.status, 200);
    let all = server.good("GET", "/v1/stats", "", 200).await;
    assert_eq!(text(&all, "/organisations/0/organisation"), "default");
    assert!(all.json().pointer("/organisations/0/size").and_then(Value::as_i64).unwrap() >= 1);
    assert_eq!(all.json().pointer("/unrecorded/refused").and_then(Value::as_i64), Some(0));
    let one = server.good("GET", "/v1/stats?organisation=default", "", 200).await;
    assert!(one.json().get("unrecorded").is_none());
    let metrics = server.get("/metrics").await.text;
    for name in [
        "indelible_ledger_leaves{organisation=\"default\"} ",
        "indelible_index_lag_events{organisation=\"default\"} 0\n",
        "indelible_index_cache_bytes ",
        "indelible_index_cache_hits_total ",
        "indelible_unrecorded_events{outcome=\"refused\"} 0\n",
    ] {
        assert!(metrics.contains(name), "{name}\n{metrics}");
    }
}
