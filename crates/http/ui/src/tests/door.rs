//! Coming in and going out.

use super::*;

/// What the door's page gives: the cookie, and the token in its form.
async fn door(site: &Site, https: bool) -> (String, String) {
    let request = Request::get("/login");
    let request = if https { request.header("x-test-https", "1") } else { request };
    let answer = site.send(request.body(Body::empty()).unwrap()).await;
    let name = if https { "__Host-indelible_form" } else { "indelible_form" };
    let cookie = answer.cookie(name).unwrap();
    let token =
        answer.text.split("name=\"form\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    (format!("{name}={}", cookie.split(';').next().unwrap()), token)
}

async fn enter(site: &Site, cookie: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
    let encode = crate::question::encode;
    let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    let mut request = Request::post("/login")
        .header("host", "audit.test")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("cookie", cookie);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    site.send(request.body(Body::from(body.join("&"))).unwrap()).await
}

#[tokio::test]
async fn a_key_opens_the_door_and_nothing_else_does() {
    let site = Site::new();
    let (_, secret) = site.key(Reach::All, Role::Auditor, None);
    let (cookie, token) = door(&site, false).await;
    let right = [("form", token.as_str()), ("key", secret.as_str()), ("next", "/search?q=x")];
    let answer = enter(&site, &cookie, &right, &[("sec-fetch-site", "same-origin")]).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/search?q=x"));
    let set = answer.cookie("indelible").unwrap();
    for attribute in ["; Path=/", "; HttpOnly", "; SameSite=Strict"] {
        assert!(set.contains(attribute), "{set}");
    }
    assert!(!set.contains("Secure"), "plain http would not send it again: {set}");
    let browser = Browser { session: set.split(';').next().unwrap().to_owned(), form: String::new() };
    assert!(!browser.session.contains(&secret[10..]), "the key is not in the cookie");
    assert_eq!(site.get(&browser, "/search").await.status, StatusCode::OK);

    for (key, why) in [("", "empty"), ("ind_live_nonsense", "malformed"), ("x".repeat(5000).as_str(), "long")]
    {
        let answer = enter(&site, &cookie, &[("form", &token), ("key", key)], &[]).await;
        assert_eq!(answer.status.as_u16(), 401, "{why}");
        assert!(
            answer.cookie("indelible").is_none() && answer.text.contains("does not open this door"),
            "{why}"
        );
        assert!(key.is_empty() || !answer.text.contains(key), "what was tried is not shown");
    }
    // Not from elsewhere, and not without having seen the door.
    for headers in
        [[("sec-fetch-site", "cross-site")], [("origin", "http://evil.test")], [("origin", "null")]]
    {
        assert_eq!(enter(&site, &cookie, &right, &headers).await.status.as_u16(), 403, "{headers:?}");
    }
    assert_eq!(enter(&site, &cookie, &right, &[("origin", "http://audit.test")]).await.status.as_u16(), 303);
    for (cookie, token) in
        [("", token.as_str()), ("indelible_form=abc", &token), (&cookie, ""), (&cookie, "abc")]
    {
        let answer = enter(&site, cookie, &[("form", token), ("key", &secret)], &[]).await;
        assert!(
            answer.cookie("indelible").is_none() && answer.text.contains("once more"),
            "{cookie} {token}"
        );
    }
}

#[tokio::test]
async fn over_https_cookies_are_bound_to_it() {
    let site = Site::new();
    let (_, secret) = site.key(Reach::All, Role::Auditor, None);
    let (cookie, token) = door(&site, true).await;
    let fields = [("form", token.as_str()), ("key", secret.as_str()), ("next", "//evil.test")];
    let answer = enter(&site, &cookie, &fields, &[("x-test-https", "1")]).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/overview"), "nobody is led away");
    let set = answer.cookie("__Host-indelible").unwrap();
    assert!(set.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure"), "{set}");
}

#[tokio::test]
async fn whoever_has_no_session_is_led_to_the_door() {
    let site = Site::new();
    let none = Browser::default();
    let answer = site.get(&none, "/events/7?organisation=acme&x=%22").await;
    let place = "/login?next=%2Fevents%2F7%3Forganisation%3Dacme%26x%3D%2522";
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, place));
    assert_eq!(site.get(&none, "/").await.header("location"), "/login");
    let wrong = Browser { session: "0".repeat(64), ..none.clone() };
    assert_eq!(site.get(&wrong, "/search").await.header("location"), "/login?next=%2Fsearch");
    // A link in somebody's ticket: the browser keeps a strict cookie back, and sends it when the page asks again.
    let request = |site: &str| {
        Request::get("/search?q=x").header("sec-fetch-site", site).header("sec-fetch-mode", "navigate")
    };
    let answer = site.send(request("cross-site").body(Body::empty()).unwrap()).await;
    assert!(answer.status == StatusCode::OK && answer.text.contains("http-equiv=\"refresh\" content=\"0\""));
    let answer = site.send(request("same-origin").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status.as_u16(), 303, "and no circle");
}

#[tokio::test]
async fn a_session_ends_with_its_key_and_by_signing_out() {
    let site = Site::new();
    let (id, secret) = site.key(Reach::All, Role::Auditor, None);
    let (one, two) = (site.browser(&secret), site.browser(&secret));
    assert_eq!(site.get(&one, "/").await.header("location"), "/overview");
    assert_eq!(
        site.post(&one, "/logout", &[("form", &two.form)]).await.status.as_u16(),
        403,
        "each its own token"
    );
    assert_eq!(site.get(&one, "/").await.header("location"), "/overview");
    let answer = site.post(&one, "/logout", &[("form", &one.form)]).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/login"));
    assert!(answer.cookie("indelible").unwrap().starts_with("; Path=/; Max-Age=0"));
    assert_eq!(site.get(&one, "/").await.header("location"), "/login");
    assert_eq!(site.get(&two, "/").await.header("location"), "/overview", "the other browser stays");
    let (_, renewed) = site.product.rotate_key(&site.command, &id, None).unwrap();
    assert_eq!(site.get(&two, "/").await.header("location"), "/login", "the secret it came with is old");
    let three = site.browser(&renewed);
    assert_eq!(site.get(&three, "/").await.header("location"), "/overview");
    site.product.revoke_key(&site.command, &id).unwrap();
    assert_eq!(site.get(&three, "/").await.header("location"), "/login");
    // Coming and going are on record.
    let mut kinds = Vec::new();
    let system = site.product.ledger("system").unwrap();
    for position in 0..system.size() {
        kinds.push(system.record(position).unwrap().kind().to_owned());
    }
    assert_eq!(kinds.iter().filter(|kind| *kind == "auth.login").count(), 3);
    assert_eq!(kinds.iter().filter(|kind| *kind == "auth.logout").count(), 1);
}
