//! Events say what their senders like. None of it becomes part of a page.

use event::field::{FIELDS, Shape};

use super::*;

const EVIL: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}\u{202e}<!--";

/// An event with hostile text in every field that takes text.
fn event() -> String {
    let mut event = event::Object::new();
    event.insert("type", "llm.completion");
    event.insert("status", EVIL);
    event.insert("severity", EVIL);
    for field in FIELDS
        .iter()
        .filter(|field| !["type", "status", "severity", "organisation", "id"].contains(&field.path))
    {
        let value = match field.shape {
            Shape::Text(_) | Shape::Id => event::Value::from(EVIL),
            Shape::Open => event::Value::object([(EVIL, event::Value::from(EVIL))]).unwrap(),
            Shape::Any => {
                event::Value::object([("k", event::Value::from(EVIL)), (EVIL, event::Value::from(1))])
                    .unwrap()
            }
            _ => continue,
        };
        put(&mut event, field.path, value);
    }
    let before = event::Value::object([("k", event::Value::from("1"))]).unwrap();
    put(&mut event, "changes.before", before);
    String::from_utf8(event::Value::Object(event).to_jcs()).unwrap()
}

fn put(object: &mut event::Object<'static>, path: &'static str, value: event::Value<'static>) {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let (name, is_list) = first.strip_suffix("[]").map_or((first, false), |name| (name, true));
    let Some(rest) = rest else {
        object.insert(name, if is_list { event::Value::from(vec![value]) } else { value });
        return;
    };
    if object.get(name).is_none() {
        let inner = event::Value::Object(event::Object::new());
        object.insert(name, if is_list { event::Value::from(vec![inner]) } else { inner });
    }
    let inner = match object.get_mut(name).unwrap() {
        event::Value::Array(items) => &mut items[0],
        inner => inner,
    };
    let event::Value::Object(inner) = inner else { panic!("{path}") };
    put(inner, rest, value);
}

/// Every tag and attribute is one that the templates have.
fn check(page: &str, what: &str) {
    const TAGS: &str = " !doctype a article aside b body br button caption circle code dd del details dialog div dl dt figcaption figure form h1 h2 h3 hr \
        head header html i input ins kbd label li link main mark meta nav noscript ol option p path pre progress rect script section select span \
        summary svg symbol table tbody td textarea th thead time title tr ul use ";
    const ATTRIBUTES: &str = " action aria-current aria-describedby aria-hidden aria-invalid aria-label aria-labelledby aria-live \
        aria-pressed autocapitalize autocomplete autofocus checked class colspan content cx cy d data-copy data-copy-as data-copy-from \
        data-from data-heading data-leaf data-level data-organisation data-place data-position data-proof data-running data-tail data-to data-verify datetime \
        download fill for height hidden href html http-equiv id inputmode lang max maxlength method min name open pattern placeholder preserveaspectratio r readonly rel \
        required role rows rx scope selected spellcheck src stroke stroke-dasharray stroke-linecap stroke-linejoin stroke-width tabindex \
        title type value viewbox width x xmlns y charset ";
    let mut seen = 0;
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let end = rest.find('>').unwrap_or_else(|| panic!("{what}: a tag does not end"));
        let (tag, after) = rest.split_at(end);
        rest = after;
        let is_end = tag.starts_with('/');
        let tag = tag.trim_start_matches('/').trim_end_matches('/').to_ascii_lowercase();
        let (name, mut attributes) = tag.split_once([' ', '\n']).unwrap_or((&tag, ""));
        assert!(TAGS.contains(&format!(" {name} ")), "{what}: <{tag}>");
        if name == "script" && !is_end {
            assert!(attributes.contains("src=\"/assets/"), "{what}: a script within the page");
        }
        while let Some(start) = attributes.find(|c: char| !c.is_whitespace()) {
            attributes = &attributes[start..];
            let end = attributes.find(['=', ' ', '\n']).unwrap_or(attributes.len());
            let (name, after) = attributes.split_at(end);
            assert!(ATTRIBUTES.contains(&format!(" {name} ")), "{what}: {name} in <{tag}>");
            attributes = match after.strip_prefix("=\"") {
                Some(value) => {
                    let end = value.find('"').unwrap_or_else(|| panic!("{what}: <{tag}>"));
                    let value_text = &value[..end];
                    assert!(!value_text.trim_start().starts_with("javascript:"), "{what}: {value_text}");
                    &value[end + 1..]
                }
                None => after,
            };
        }
        seen += 1;
    }
    assert!(seen > 5, "{what}: {page}");
    assert!(!page.contains("style=\""), "{what}: the policy forbids styles in the text");
}

#[tokio::test]
async fn nothing_that_the_administration_holds_becomes_part_of_a_page() {
    let site = Site::new();
    let evil = crate::question::encode(EVIL);
    site.record("default", &[&event()]);
    let user = indelible::User {
        id: EVIL.into(),
        name: EVIL.into(),
        email: Some(EVIL.into()),
        ..Default::default()
    };
    site.product.create_user(&site.command, user).unwrap();
    let grant = indelible::RoleGrant { user: EVIL.into(), organisation: Reach::All, role: Role::Member };
    site.product.grant_role(&site.command, grant).unwrap();
    site.product.create_organisation(&site.command, "acme", EVIL).unwrap();
    let new = NewKey {
        name: EVIL.into(),
        organisation: Reach::One("default".into()),
        role: Role::Writer,
        scopes: None,
        user: Some(EVIL.into()),
        expires_ms: None,
        ip_allow: AllowList::default(),
    };
    let (key, _) = site.product.create_key(&site.command, new).unwrap();
    let bytes = format!(r#"{{"type":"a.b","{}":"</textarea><script>"}}"#, EVIL.replace('"', "\\\""));
    let refusal = Event::parse(bytes.as_bytes(), &Limits::default()).expect_err("no such field");
    let refused = [indelible::Refused { bytes: bytes.as_bytes(), refusal: &refusal }];
    site.product.quarantine(&Sender::local("default"), EVIL, &refused);
    let settings =
        event::Value::object([(EVIL, event::Value::from(EVIL)), ("retention.x", event::Value::from(EVIL))]);
    site.product.note_config(EVIL, settings.unwrap()).unwrap();

    let admin = site.somebody(Role::Admin);
    let list = site.get(&admin, "/admin/quarantine?organisation=default").await.text;
    let entry = list.split("href=\"/admin/quarantine/").nth(1).unwrap().split('?').next().unwrap().to_owned();
    let mut paths: Vec<String> = ["keys", "users", "organisations", "quarantine", "configuration"]
        .map(|page| format!("/admin/{page}?organisation=default"))
        .into();
    paths.push(format!("/admin/keys?organisation={evil}&done={evil}"));
    paths.push(format!("/admin/quarantine/{evil}?organisation=default"));
    paths.push(format!("/admin/quarantine/{entry}?organisation=default"));
    for by in ["actor", "target", "session", "trace", "run"] {
        paths.push(format!("/timeline?by={by}&id={evil}&from=all"));
    }
    paths.push(format!("/timeline?by={evil}&id={evil}&from={evil}&to={evil}&cursor={evil}&back={evil}"));
    for path in paths {
        let answer = site.get(&admin, &path).await;
        assert!(answer.status.as_u16() != 500, "{path}: {}", answer.text);
        check(&answer.text, &path);
    }
    for (path, fields) in [
        ("/admin/keys", &[("name", EVIL), ("where", EVIL), ("role", EVIL), ("user", EVIL)][..]),
        ("/admin/keys", &[("name", EVIL), ("where", "default"), ("role", "writer")]),
        ("/admin/keys/rotate", &[("id", key.key_id.as_str()), ("overlap", EVIL)]),
        ("/admin/keys/rotate", &[("id", key.key_id.as_str())]),
        ("/admin/keys/revoke", &[("id", EVIL)]),
        ("/admin/users", &[("id", EVIL), ("name", EVIL), ("email", EVIL)]),
        ("/admin/users/roles", &[("id", EVIL), ("role", EVIL), ("where", EVIL)]),
        ("/admin/users/update", &[("id", EVIL), ("name", EVIL), ("email", EVIL)]),
        ("/admin/organisations", &[("id", EVIL), ("name", EVIL)]),
        ("/admin/organisations/rename", &[("id", "acme"), ("name", EVIL)]),
        ("/admin/quarantine/resend", &[("id", entry.as_str()), ("event", EVIL)]),
        (
            "/admin/quarantine/resend",
            &[("id", entry.as_str()), ("event", "</textarea><script>alert(1)</script>")],
        ),
    ] {
        let fields = [fields, &[("form", admin.form.as_str()), ("organisation", "default")]].concat();
        let answer = site.post(&admin, path, &fields).await;
        assert!(answer.status.as_u16() != 500, "{path}: {}", answer.text);
        match answer.status.as_u16() {
            303 => assert!(answer.header("location").starts_with("/admin/"), "{path}"),
            _ => check(&answer.text, path),
        }
    }
}

#[tokio::test]
async fn nothing_that_an_event_says_becomes_part_of_a_page() {
    let site = Site::new();
    let event = event();
    let simple = r#"{"type":"auth.login","status":"failed","actor":{"email":"<b>x</b>"},"source_id":"<i>"}"#;
    let twice = [
        r#"{"type":"a.b","source_id":"same","producer":"p"}"#,
        r#"{"type":"a.b","source_id":"same","producer":"q"}"#,
    ];
    site.record("default", &[&event, simple, twice[0], twice[1]]);
    let viewer = &site.command;
    site.product.save_view(viewer, "default", None, EVIL, "type:a", true).unwrap();
    let browser = site.somebody(Role::Admin);
    let columns: String = crate::question::COLUMNS.iter().map(|(path, _)| format!("&col={path}")).collect();
    let evil = crate::question::encode(EVIL);
    for path in [
        format!("/search?from=all{columns}"),
        format!(
            "/search?from=all&by=llm.model&q={}",
            crate::question::encode(&crate::narrow::clause("llm.model", Some(EVIL)))
        ),
        format!("/search?from=all&q={evil}"),
        format!("/search?from={evil}&to={evil}&cursor={evil}&by={evil}&col={evil}"),
        format!("/search?organisation={evil}"),
        "/search?q=nothing_like_it_at_all".to_owned(),
        "/overview".to_owned(),
        format!("/overview?from={evil}&to={evil}"),
        format!("/overview?organisation={evil}"),
        "/integrity".to_owned(),
        format!("/integrity/evidence?first={evil}&last={evil}&organisation={evil}"),
        "/integrity?part=check&busy=lately".to_owned(),
        format!("/integrity?organisation={evil}&busy={evil}"),
        "/events/same".to_owned(),
        "/events/%3Ci%3E".to_owned(),
        format!("/events/{evil}"),
        "/events/0".to_owned(),
        "/events/1".to_owned(),
        "/events/1?part=body".to_owned(),
        format!("/search/build?ip={evil}"),
        format!("/login?next={evil}"),
    ] {
        let answer = site.get(&browser, &path).await;
        assert!(answer.status.as_u16() != 500, "{path}: {}", answer.text);
        if answer.status.as_u16() != 303 {
            check(&answer.text, &path);
        }
    }
    let page = site.get(&browser, "/events/1").await.text;
    assert!(page.matches("&#60;script&#62;").count() > 40, "the text itself is shown");
    let built = site.get(&browser, &format!("/search/build?user={evil}&rest={evil}")).await;
    assert!(
        built.status.as_u16() == 400 || built.header("location").starts_with("/search?"),
        "{}",
        built.status
    );
    // Rows that come live are the same rows.
    let ask = crate::question::Ask::read(&crate::question::Pairs::of(
        &format!("/search?x=1{columns}").parse().unwrap(),
    ));
    let rows = crate::row::Rows { ask: &ask, narrow: crate::narrow::Narrow::new(""), organisation: EVIL };
    let value = json::parse(event.as_bytes(), &Limits::default()).unwrap();
    check(&askama::Template::render(&rows.row(&value)).unwrap(), "a row");
}
