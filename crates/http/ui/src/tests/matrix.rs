//! Who may see which page: every role, against every page of the table; and the headers of each.

use access::Grant;

use super::*;
use crate::answer::GUARDS;
use crate::routes::{Needs, ROUTES};

/// How a page is asked about an organisation: the address, and the fields of its form.
fn call(path: &str, organisation: &str) -> (String, Vec<(&'static str, String)>) {
    let own = organisation.to_owned();
    match path {
        "/events/{id}" => (format!("/events/seed?organisation={own}"), Vec::new()),
        "/timeline" => (format!("/timeline?by=actor&id=mona&organisation={own}"), Vec::new()),
        "/assets/{version}/{name}" => (format!("{}/app.css", crate::assets::prefix()), Vec::new()),
        "/views" => {
            let fields = [("organisation", own), ("name", "mine".into()), ("filter", "type:a".into())];
            (path.to_owned(), fields.into())
        }
        "/integrity/verify" => (path.to_owned(), [("organisation", own)].into()),
        "/admin/keys"
        | "/admin/users"
        | "/admin/users/roles"
        | "/admin/users/roles/revoke"
        | "/admin/organisations" => {
            // Nobody's user and no new organisation, so that what is allowed changes nothing that the next cell sees.
            let fields = [
                ("organisation", own.clone()),
                ("where", own),
                ("role", "viewer".into()),
                ("name", "n".into()),
                ("id", if path.starts_with("/admin/users/roles") { "nobody".into() } else { "acme".into() }),
            ];
            (format!("{path}?organisation={organisation}"), fields.into())
        }
        "/admin/quarantine/{id}" => (format!("/admin/quarantine/7?organisation={own}"), Vec::new()),
        _ if path.starts_with("/admin/") => {
            let fields = [
                ("organisation", own),
                ("id", "77".into()),
                ("name", "n".into()),
                ("event", r#"{"type":"a.b"}"#.into()),
            ];
            (format!("{path}?organisation={organisation}"), fields.into())
        }
        "/views/delete" => (path.to_owned(), [("organisation", own), ("id", "none".into())].into()),
        path => (format!("{path}?organisation={own}"), Vec::new()),
    }
}

#[tokio::test]
async fn every_role_sees_what_the_table_of_rights_says() {
    let site = Site::new();
    for name in ["acme", "globex"] {
        site.product.create_organisation(&site.command, name, name).unwrap();
        site.record(name, &[r#"{"type":"a.b","source_id":"seed","actor":{"id":"mona"}}"#]);
    }
    let mona = indelible::User { id: "mona".into(), name: "Mona".into(), ..Default::default() };
    site.product.create_user(&site.command, mona).unwrap();
    let mut cells = 0;
    let mut wrong = Vec::new();
    let mut somebody = vec![("nobody".to_owned(), None, None)];
    for role in Role::ALL {
        for reach in [Reach::One("acme".into()), Reach::All] {
            let secret = site.key(reach.clone(), role, Some("mona")).1;
            let name = format!("{} of {reach}", role.name());
            somebody.push((name, Some(secret), Some(Grant { organisation: reach, role })));
        }
    }
    for page in ROUTES {
        for (name, secret, grant) in &somebody {
            for organisation in ["acme", "globex"] {
                // A session each: one of the pages ends it.
                let browser = secret.as_ref().map(|secret| site.browser(secret)).unwrap_or_default();
                let (path, mut fields) = call(page.path, organisation);
                let answer = match page.method {
                    "GET" => site.get(&browser, &path).await,
                    _ => {
                        fields.push(("form", browser.form.clone()));
                        let fields: Vec<_> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
                        site.post(&browser, &path, &fields).await
                    }
                };
                let may = |permission| {
                    grant.as_ref().is_some_and(|grant: &Grant| {
                        grant.organisation.covers(organisation) && grant.role.may(permission)
                    })
                };
                let status = answer.status.as_u16();
                let good = match (page.needs, grant) {
                    // The door, for somebody who is in already, leads in; its form wants more than this test sends.
                    (Needs::Nothing, _) => {
                        let is_sign_on = page.path.starts_with("/login/oidc");
                        matches!((page.path, status), ("/login", 200 | 303) | (_, 200))
                            || (is_sign_on && status == 404)
                    }
                    (_, None) => status == 303 && answer.header("location").starts_with("/login"),
                    (Needs::Session, _) => matches!(status, 200 | 303),
                    (Needs::May(permission), _) if may(permission) => matches!(
                        (page.path, status),
                        ("/views", 303)
                            | ("/views/delete", 404)
                            | ("/admin/keys" | "/admin/organisations" | "/admin/quarantine", 200)
                            | ("/admin/quarantine/{id}", 404)
                            | ("/admin/keys/rotate" | "/admin/keys/revoke", 404)
                            | ("/admin/users/roles" | "/admin/users/roles/revoke", 404)
                            | ("/admin/quarantine/resend" | "/admin/quarantine/discard", 404)
                            | ("/integrity/verify", 303)
                            // A member sees their own only, and a range is everybody's.
                            | ("/integrity/evidence", 200 | 400)
                            | ("/overview" | "/search" | "/search/tail" | "/events/{id}" | "/integrity", 200)
                            | ("/timeline", 200)
                    ),
                    // Whoever manages keys elsewhere is not told whether there is such a key here.
                    (Needs::May(_), Some(grant))
                        if page.path.starts_with("/admin/keys/") && grant.role == Role::Admin =>
                    {
                        status == 404
                    }
                    (Needs::Everywhere(permission), Some(grant))
                        if grant.organisation == Reach::All && grant.role.may(permission) =>
                    {
                        // Of these ids there is one already, or none.
                        matches!(
                            (page.method, page.path, status),
                            ("GET", "/admin/users" | "/admin/configuration", 200)
                                | ("POST", "/admin/users" | "/admin/organisations", 303 | 400)
                                | ("POST", _, 404)
                        )
                    }
                    (Needs::Everywhere(_), _) => status == 403 && answer.text.contains("You may not "),
                    // A stream that may not be had is not asked for again.
                    (Needs::May(_), _) if page.path == "/search/tail" => status == 204,
                    (Needs::May(_), _) => status == 403 && answer.text.contains("You may not "),
                };
                for (header, value) in GUARDS.iter().filter(|(header, _)| *header != "cache-control") {
                    if answer.header(header) != *value {
                        wrong.push(format!(
                            "{} {path} by {name}: {header}: {}",
                            page.method,
                            answer.header(header)
                        ));
                    }
                }
                let cached = if page.path.starts_with("/assets") {
                    "public, max-age=31536000, immutable"
                } else {
                    "no-store"
                };
                if answer.header("cache-control") != cached || !good {
                    wrong.push(format!("{} {path} by {name}: {status} {:.300}", page.method, answer.text));
                }
                cells += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {cells}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cells >= 250, "{cells}");
}

#[tokio::test]
async fn no_form_is_taken_from_another_page() {
    let site = Site::new();
    let admin = site.somebody(Role::Admin);
    site.record("default", &[r#"{"type":"a.b"}"#]);
    let token = admin.form.clone();
    let save = [("organisation", "default"), ("name", "n"), ("filter", "type:a")];
    let before = site.product.keys(&site.command, &Reach::All).unwrap().len();
    for page in ROUTES.iter().filter(|page| page.method == "POST" && page.path != "/login") {
        let with = |token| [&save[..], &[("form", token)]].concat();
        let bad = admin.form.replace(&admin.form[..1], if admin.form.starts_with('0') { "1" } else { "0" });
        for (fields, headers) in [
            (with(""), [("sec-fetch-site", "same-origin")]),
            (with(&bad), [("sec-fetch-site", "same-origin")]),
            (with(&token), [("sec-fetch-site", "cross-site")]),
            (with(&token), [("sec-fetch-site", "same-site")]),
            (with(&token), [("sec-fetch-site", "none")]),
            (with(&token), [("origin", "https://evil.test")]),
            (with(&token), [("origin", "http://audit.test.evil.test")]),
            (with(&token), [("origin", "null")]),
        ] {
            let answer = site.post_with(&admin, page.path, &fields, &headers).await;
            assert_eq!(answer.status.as_u16(), 403, "{} {headers:?}", page.path);
        }
    }
    assert!(site.product.views(&site.command, "default").unwrap().is_empty());
    assert_eq!(site.product.keys(&site.command, &Reach::All).unwrap().len(), before);
    let answer = site
        .post(&admin, "/views", &[&save[..], &[("form", &token), ("back", "/search?q=x")]].concat())
        .await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/search?q=x"));
    let elsewhere = [&save[..], &[("form", &token), ("back", "//evil.test")]].concat();
    assert_eq!(site.post(&admin, "/views", &elsewhere).await.header("location"), "/search");
}
