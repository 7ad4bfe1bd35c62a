//! The administration by its pages: what is done is done as by the API, is on record, and is told; secrets once.

use super::*;

fn token<'b>(browser: &'b Browser, fields: &[(&'b str, &'b str)]) -> Vec<(&'b str, &'b str)> {
    [fields, &[("form", browser.form.as_str()), ("organisation", "default")]].concat()
}

impl Site {
    async fn send_form(&self, browser: &Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
        let fields = [fields, &[("form", browser.form.as_str()), ("organisation", "default")]].concat();
        self.post(browser, path, &fields).await
    }

    fn on_record(&self, kind: &str) -> usize {
        let filter = query::Filter::parse(&format!("type:{kind}")).unwrap();
        let count = |organisation: &str| {
            let question = indelible::Question {
                organisation: organisation.into(),
                filter: filter.clone(),
                consistent: true,
            };
            self.product.count(&self.command, &question).map_or(0, |total| total.value as usize)
        };
        count("default") + count("system")
    }
}

#[tokio::test]
async fn a_key_is_created_shown_once_rotated_and_revoked() {
    let site = Site::new();
    site.record("default", &[r#"{"type":"a.b"}"#]);
    let admin = site.somebody(Role::Admin);
    let new = [
        ("name", "gateway"),
        ("where", "default"),
        ("role", "auditor"),
        ("scope", "events:read"),
        ("scope", "proofs:read"),
        ("networks", "192.0.2.0/24"),
        ("expires", "2199-12-01T10:00"),
    ];
    let page = site.send_form(&admin, "/admin/keys", &new).await;
    assert_eq!((page.status, page.header("cache-control")), (StatusCode::OK, "no-store"));
    let secret = page.text.split("tabindex=\"0\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert!(secret.starts_with("ind_live_") && secret.len() == 71, "{secret}");
    let viewer = site.product.authenticate(&secret, Some(IpAddr::from([192, 0, 2, 7]))).unwrap();
    assert_eq!(viewer.scopes.as_ref().map(Vec::len), Some(2));
    assert!(site.product.authenticate(&secret, Some(IpAddr::from([198, 51, 100, 7]))).is_err());
    let id = viewer.key_id.unwrap();
    let list = site.get(&admin, "/admin/keys?organisation=default").await.text;
    assert!(
        list.contains("gateway")
            && list.contains("only events:read, proofs:read")
            && list.contains("until 1 Dec 2199, 10:00"),
        "{list}"
    );
    assert!(!list.contains(&secret), "a secret is shown once");

    let page = site.send_form(&admin, "/admin/keys/rotate", &[("id", &id), ("overlap", "0")]).await;
    let fresh = page.text.split("tabindex=\"0\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let from = Some(IpAddr::from([192, 0, 2, 7]));
    assert!(
        site.product.authenticate(&fresh, from).is_ok() && site.product.authenticate(&secret, from).is_err()
    );
    let answer = site.send_form(&admin, "/admin/keys/revoke", &[("id", &id)]).await;
    assert_eq!(answer.header("location"), "/admin/keys?organisation=default&done=key-revoked");
    assert!(site.product.authenticate(&fresh, from).is_err());
    let list = site.get(&admin, answer.header("location")).await.text;
    assert!(
        list.contains("The key was revoked. It opens nothing any more.") && list.contains("revoked "),
        "{list}"
    );
    for kind in ["config.key_created", "config.key_rotated", "config.key_revoked"] {
        assert!(site.on_record(kind) >= 1, "{kind}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_and_what_was_written_stays_in_the_form() {
    let site = Site::new();
    site.record("default", &[r#"{"type":"a.b"}"#]);
    let admin = site.somebody(Role::Admin);
    let keys = site.product.keys(&site.command, &Reach::One("default".into())).unwrap().len();
    for (field, value, says) in [
        ("role", "king", "Role: choose one."),
        ("name", "", "Name: this is needed."),
        ("networks", "not a network", "Where it may be used from: entry 0"),
        ("expires", "tomorrow", "Expires: that is no time."),
        ("user", "nobody", "User: there is no such user."),
        ("where", "nowhere", "there is no such organisation"),
        ("scope", "everything", "Scopes: there is no such scope."),
        (
            "name",
            "token ind_live_xkEgOGusQGwp_3oDH4mEVFvp7u7ED6UzpF5eHPrBI5AHumY7UBpOQIJz459rpA",
            "looks like a secret",
        ),
    ] {
        let mut new = vec![("name", "my gateway"), ("where", "default"), ("role", "writer")];
        new.retain(|(name, _)| *name != field);
        new.push((field, value));
        let page = site.send_form(&admin, "/admin/keys", &new).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{field}");
        assert!(
            page.text.contains(says) && page.text.contains("Nothing was changed."),
            "{field}: {}",
            page.text
        );
        assert!(field == "name" || page.text.contains("value=\"my gateway\""), "{field}");
    }
    assert_eq!(site.product.keys(&site.command, &Reach::One("default".into())).unwrap().len(), keys);
}

#[tokio::test]
async fn users_get_roles_and_lose_them_and_organisations_come_and_go() {
    let site = Site::new();
    site.record("default", &[r#"{"type":"a.b"}"#]);
    let admin = site.somebody(Role::Admin);
    let done = |answer: Answer, word: &str| {
        assert!(
            answer.header("location").ends_with(&format!("&done={word}")),
            "{word}: {} {}",
            answer.status,
            answer.text
        )
    };
    done(
        site.send_form(
            &admin,
            "/admin/users",
            &[("id", "kim"), ("name", "Kim"), ("email", "kim@acme.example")],
        )
        .await,
        "user-created",
    );
    done(
        site.send_form(
            &admin,
            "/admin/users/roles",
            &[("id", "kim"), ("role", "auditor"), ("where", "default")],
        )
        .await,
        "role-granted",
    );
    done(
        site.send_form(
            &admin,
            "/admin/users/update",
            &[("id", "kim"), ("name", "Kim Park"), ("email", ""), ("disabled", "yes")],
        )
        .await,
        "user-updated",
    );
    let (kim, roles) = site.product.users(&site.command).unwrap().remove(0);
    assert_eq!((kim.name.as_str(), kim.email, kim.disabled, roles.len()), ("Kim Park", None, true, 1));
    let page = site.get(&admin, "/admin/users").await.text;
    assert!(
        page.contains("Kim Park") && page.contains("<b>auditor</b> in default") && page.contains("kept out"),
        "{page}"
    );
    done(
        site.send_form(
            &admin,
            "/admin/users/roles/revoke",
            &[("id", "kim"), ("role", "auditor"), ("where", "default")],
        )
        .await,
        "role-revoked",
    );
    done(site.send_form(&admin, "/admin/users/delete", &[("id", "kim")]).await, "user-deleted");
    assert!(site.product.users(&site.command).unwrap().is_empty());

    done(
        site.send_form(&admin, "/admin/organisations", &[("id", "acme"), ("name", "")]).await,
        "organisation-created",
    );
    done(
        site.send_form(&admin, "/admin/organisations/rename", &[("id", "acme"), ("name", "Acme & Sons")])
            .await,
        "organisation-renamed",
    );
    let page = site.get(&admin, "/admin/organisations").await.text;
    assert!(page.contains("Acme &#38; Sons"), "{page}");
    done(
        site.send_form(&admin, "/admin/organisations/delete", &[("id", "acme")]).await,
        "organisation-deleted",
    );
    let twice = site.send_form(&admin, "/admin/organisations", &[("id", "Not An Id")]).await;
    assert!(twice.status == StatusCode::BAD_REQUEST && twice.text.contains("value=\"Not An Id\""));
    for kind in [
        "config.user_created",
        "config.role_granted",
        "config.role_revoked",
        "config.user_deleted",
        "config.organisation_deleted",
    ] {
        assert_eq!(site.on_record(kind), 1, "{kind}");
    }
}

#[tokio::test]
async fn a_refused_event_is_mended_and_recorded() {
    let site = Site::new();
    let bytes =
        br#"{"type":"auth.login","status":"success","actor":{"emial":"kim@acme.example"},"source_id":"q-1"}"#;
    let refusal = Event::parse(bytes, &Limits::default()).expect_err("a field that nobody knows");
    let refused = [indelible::Refused { bytes, refusal: &refusal }];
    site.product.quarantine(&Sender::local("default"), "test", &refused);
    let admin = site.somebody(Role::Admin);
    let list = site.get(&admin, "/admin/quarantine?organisation=default").await.text;
    let place = list
        .split("href=\"/admin/quarantine/")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .replace("&#38;", "&");
    let id = place.split('?').next().unwrap().to_owned();
    let page = site.get(&admin, &format!("/admin/quarantine/{place}")).await.text;
    assert!(page.contains("emial") && page.contains("<textarea"), "{page}");

    let still = site
        .send_form(
            &admin,
            "/admin/quarantine/resend",
            &[("id", &id), ("event", r#"{"type":"auth.login","acter":{}}"#)],
        )
        .await;
    assert_eq!(still.status, StatusCode::BAD_REQUEST);
    assert!(still.text.contains("acter") && still.text.contains("Nothing was changed."), "{}", still.text);
    let auditor = site.somebody(Role::Auditor);
    assert!(!site.get(&auditor, &format!("/admin/quarantine/{place}")).await.text.contains("<textarea"));
    assert_eq!(
        site.send_form(&auditor, "/admin/quarantine/resend", &[("id", &id), ("event", "{}")]).await.status,
        StatusCode::FORBIDDEN
    );

    // Larger than other forms may be, and within what an event may be.
    let long = "x".repeat(100 << 10);
    let mended = format!(
        r#"{{"type":"auth.login","status":"success","source_id":"q-1","attributes":{{"note":"{long}"}}}}"#
    );
    let answer = site.send_form(&admin, "/admin/quarantine/resend", &[("id", &id), ("event", &mended)]).await;
    assert_eq!(
        answer.header("location"),
        "/admin/quarantine?organisation=default&done=resent",
        "{}",
        answer.text
    );
    assert!(site.product.find(&site.command, "default", "q-1", access::Permission::ReadEvents).is_ok());
    assert!(
        site.get(&admin, "/admin/quarantine?organisation=default").await.text.contains("Nothing was refused")
    );
}

#[tokio::test]
async fn the_configuration_in_force_and_its_changes_are_told() {
    let site = Site::new();
    let settings = |days: &'static str, listen: &str| {
        event::Value::object([
            ("retention.days", event::Value::from(days)),
            ("server.listen", event::Value::from(listen.to_owned())),
            ("auth.bootstrap_token", event::Value::from("env.TOKEN")),
        ])
        .unwrap()
    };
    site.record("default", &[r#"{"type":"a.b"}"#]);
    site.product.note_config("sha256:aa", settings("365", "127.0.0.1:7171")).unwrap();
    site.product.note_config("sha256:bb", settings("400", "127.0.0.1:7272")).unwrap();
    let auditor = site.somebody(Role::Auditor);
    let page = site.get(&auditor, "/admin/configuration").await.text;
    for part in [
        "sha256:bb",
        "127.0.0.1:7272",
        "env.TOKEN",
        "How long events are kept",
        "400",
        "deletes nothing by them",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    let local = site.browser(&site.key(Reach::One("default".into()), Role::Admin, None).1);
    let page = site.get(&local, "/admin/configuration?organisation=default").await;
    assert!(
        page.status == StatusCode::FORBIDDEN && page.text.contains("of the whole server"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn whoever_only_looks_has_no_forms_and_others_are_told_why() {
    let site = Site::new();
    site.record("default", &[r#"{"type":"a.b"}"#]);
    let auditor = site.somebody(Role::Auditor);
    let forms = |page: &str| page.matches("<form").count();
    for path in ["keys", "users", "organisations", "quarantine", "configuration"] {
        let page = site.get(&auditor, &format!("/admin/{path}?organisation=default")).await;
        assert_eq!((page.status, forms(&page.text)), (StatusCode::OK, 1), "only the one to sign out: {path}");
        assert!(path == "configuration" || page.text.contains("You may look, and change nothing"), "{path}");
    }
    for role in [Role::Viewer, Role::Operator, Role::Writer] {
        let page = site.get(&site.somebody(role), "/admin/keys?organisation=default").await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        assert!(
            page.text.contains("needs the role admin or auditor") && page.text.contains(role.name()),
            "{}",
            page.text
        );
        assert!(!page.text.contains(">Administration</a>"), "no entry that leads nowhere");
    }
}

#[tokio::test]
async fn an_address_says_nothing_of_its_own() {
    let site = Site::new();
    let admin = site.somebody(Role::Admin);
    let page = site.get(&admin, "/admin/keys?done=%3Cb%3EYour+account+is+locked").await.text;
    assert!(!page.contains("Your account"), "{page}");
    let fields = token(&admin, &[("id", "77"), ("back", "//evil.test")]);
    let answer = site.post(&admin, "/admin/users/delete", &fields).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let evil =
        [("form", admin.form.as_str()), ("organisation", "//evil.test/&x="), ("id", "o"), ("name", "o")];
    let answer = site.post(&admin, "/admin/organisations", &evil).await;
    assert_eq!(
        answer.header("location"),
        "/admin/organisations?organisation=%2F%2Fevil.test%2F%26x%3D&done=organisation-created"
    );
}
