//! Single sign-on and the administration, through the real binary and a real browser. The provider is one of our own that
//! lets in whoever a test says; the certified one is asked by `tests/interop/oidc.mjs`.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};

use crate::browser::{Browser, Look};
use crate::client::{Client, Reply, encoded};
use crate::program::{Place, Server, TOKEN};

/// What the provider knows.
#[derive(Default)]
struct Known {
    /// Who signs in next, and their groups as JSON.
    who: String,
    groups: String,
    /// Where browsers are sent back to.
    back: String,
    /// Nonces by code.
    nonces: HashMap<String, String>,
}

/// A provider: lets everybody in without a question.
struct Provider {
    issuer: String,
    known: Arc<Mutex<Known>>,
}

impl Provider {
    fn start() -> Provider {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        // Another site than the server's, for a browser.
        let issuer = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let known: Arc<Mutex<Known>> = Arc::default();
        let provider = Provider { issuer: issuer.clone(), known: known.clone() };
        std::thread::spawn(move || {
            let key = SigningKey::from_bytes(&[7; 32]);
            for stream in listener.incoming().flatten() {
                answer(stream, &issuer, &key, &known);
            }
        });
        provider
    }

    fn lets_in(&self, who: &str, groups: &str) {
        let mut known = self.known.lock().unwrap();
        (known.who, known.groups) = (who.to_owned(), groups.to_owned());
    }

    fn sends_back_to(&self, server: SocketAddr) {
        self.known.lock().unwrap().back = format!("http://{server}/login/oidc/return");
    }
}

fn answer(stream: TcpStream, issuer: &str, key: &SigningKey, known: &Mutex<Known>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let head_small = head.to_ascii_lowercase();
    let length = head_small.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    let place = head.split(' ').nth(1)?;
    let (path, query) = place.split_once('?').unwrap_or((place, ""));
    let form = String::from_utf8_lossy(&body).into_owned();
    let field = |text: &str, name: &str| -> Option<String> {
        text.split('&').find_map(|pair| Some(pair.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
    };
    let b64 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let mut known = known.lock().unwrap();
    let (status, kind, text) = match path {
        "/.well-known/openid-configuration" => (
            "200 OK".to_owned(),
            "application/json",
            format!(
                r#"{{"issuer":"{issuer}","authorization_endpoint":"{issuer}/authorize","token_endpoint":"{issuer}/token","jwks_uri":"{issuer}/keys","end_session_endpoint":"{issuer}/end"}}"#
            ),
        ),
        "/keys" => {
            let x = b64(key.verifying_key().as_bytes());
            let keys = format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"k","x":"{x}"}}]}}"#);
            ("200 OK".to_owned(), "application/json", keys)
        }
        "/authorize" => {
            let code = format!("code-{}", known.nonces.len());
            known.nonces.insert(code.clone(), field(query, "nonce")?);
            let back = format!("{}?code={code}&state={}", known.back, field(query, "state")?);
            (format!("303 See Other\r\nlocation: {back}"), "text/plain", String::new())
        }
        "/token" => {
            let nonce = known.nonces.remove(&field(&form, "code")?)?;
            assert_eq!(field(&form, "code_verifier").map(|verifier| verifier.len()), Some(64));
            let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
            let claims = format!(
                r#"{{"iss":"{issuer}","aud":"indelible","sub":"{who}","name":"{who} of Acme","email":"{who}@acme.example","email_verified":true,"nonce":"{nonce}","iat":{now},"exp":{},"groups":{}}}"#,
                now + 60,
                known.groups,
                who = known.who,
            );
            let signed = format!("{}.{}", b64(br#"{"alg":"EdDSA","kid":"k"}"#), b64(claims.as_bytes()));
            let signature = b64(&key.sign(signed.as_bytes()).to_bytes());
            let token = format!(r#"{{"token_type":"Bearer","id_token":"{signed}.{signature}"}}"#);
            ("200 OK".to_owned(), "application/json", token)
        }
        _ => (
            "200 OK".to_owned(),
            "text/html",
            "<!doctype html><title>out</title><h1>Signed out</h1>".to_owned(),
        ),
    };
    let reply = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{text}",
        text.len()
    );
    stream.get_mut().write_all(reply.as_bytes()).ok()
}

fn serve(place: &Place, provider: &Provider, more: &[&str]) -> Server {
    let roles = r#"[{ group = "audit", role = "auditor", organisation = "*" }, { group = "staff", role = "member", organisation = "default" }]"#;
    let settings = [
        ("INDELIBLE_BOOTSTRAP_TOKEN", TOKEN),
        ("INDELIBLE__OIDC__ISSUER", provider.issuer.as_str()),
        ("INDELIBLE__OIDC__CLIENT_ID", "indelible"),
        ("INDELIBLE_OIDC_CLIENT_SECRET", "the client's secret"),
        ("INDELIBLE__OIDC__PUBLIC_URL", "http://127.0.0.1:1"),
        ("INDELIBLE__OIDC__NAME", "Acme's account"),
        ("INDELIBLE__OIDC__ROLES", roles),
    ];
    let server = Server::start_with(place, more, &settings);
    provider.sends_back_to(server.address);
    server
}

/// What a browser sends: cookies.
fn ask(server: &Server, path: &str, cookies: &str) -> Reply {
    let headers = [("cookie", cookies), ("accept", "text/html")];
    Client::new(server.address).ask_with("GET", path, &headers, b"").unwrap()
}

fn header<'r>(reply: &'r Reply, name: &str) -> &'r str {
    let begin = format!("{name}: ");
    reply.head.lines().find_map(|line| line.strip_prefix(&begin)).unwrap_or_default()
}

/// The cookie of this name that is set, as it is sent back.
fn cookie(reply: &Reply, name: &str) -> String {
    let begin = format!("set-cookie: {name}=");
    let set = reply.head.lines().find_map(|line| line.strip_prefix(&begin)).unwrap_or_default();
    format!("{name}={}", set.split(';').next().unwrap_or_default())
}

/// Goes to the provider, and gives the cookie and the path that leads back.
fn begin(server: &Server, provider: &Provider, next: &str) -> (String, String) {
    let out = ask(server, &format!("/login/oidc?next={}", encoded(next)), "").is(303);
    assert!(header(&out, "location").starts_with(&format!("{}/authorize?", provider.issuer)), "{}", out.head);
    let port = provider.issuer.rsplit(':').next().unwrap().parse().unwrap();
    let place = header(&out, "location").strip_prefix(&provider.issuer).unwrap();
    // The provider says where to go, and closes.
    let mut stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
    stream.write_all(format!("GET {place} HTTP/1.1\r\nhost: p\r\n\r\n").as_bytes()).unwrap();
    let mut back = String::new();
    stream.read_to_string(&mut back).unwrap();
    let back = back.lines().find_map(|line| line.strip_prefix("location: ")).unwrap().to_owned();
    let path = back.split_once("/login").map(|(_, path)| format!("/login{path}")).unwrap();
    (cookie(&out, "indelible_oidc"), path)
}

#[test]
fn an_answer_opens_the_door_for_the_browser_that_asked_and_for_no_other() {
    let (place, provider) = (Place::new(), Provider::start());
    let server = serve(&place, &provider, &[]);
    Client::new(server.address).post("/v1/events", br#"{"type":"a.b"}"#).is(200);
    provider.lets_in("kim", r#"["audit"]"#);
    assert!(ask(&server, "/login", "").is(200).text().contains("Sign in with Acme&#39;s account"));
    let out = ask(&server, "/login/oidc", "").is(303);
    for part in ["HttpOnly", "SameSite=Lax", "Max-Age=600"] {
        assert!(header(&out, "set-cookie").contains(part), "{}", out.head);
    }
    assert!(!out.head.contains("secret"), "{}", out.head);

    let (mine, back) = begin(&server, &provider, "/search?q=type:a");
    let (theirs, _) = begin(&server, &provider, "");
    let state = back.rsplit("state=").next().unwrap().to_owned();
    let twice = format!("{mine}; {mine}");
    for (path, cookies) in [
        (back.clone(), ""),
        (back.clone(), theirs.as_str()),
        (back.clone(), "indelible_oidc=."),
        (back.clone(), twice.as_str()),
        (back.replace(&state, &"0".repeat(64)), mine.as_str()),
        (back.replace(&format!("&state={state}"), ""), mine.as_str()),
        ("/login/oidc/return".to_owned(), mine.as_str()),
    ] {
        let refused = ask(&server, &path, cookies).is(400);
        assert!(!refused.head.contains("set-cookie: indelible="), "{path} {cookies}");
        assert!(refused.text().contains("in another browser"));
    }
    // What an address says is not said on.
    let told = ask(
        &server,
        &format!(
            "/login/oidc/return?error=access_denied&error_description=%3Cscript%3Ecall+555&state={state}"
        ),
        &mine,
    )
    .is(401);
    assert!(told.text().contains("did not let you in") && !told.text().contains("555"), "{}", told.text());
    for name in ["content-security-policy", "x-frame-options", "referrer-policy"] {
        assert!(!header(&told, name).is_empty(), "{name}");
    }
    let wrong = ask(&server, &format!("/login/oidc/return?code=made-up&state={state}"), &mine);
    assert_eq!(wrong.status, 503, "the provider hangs up: {}", wrong.text());

    let entered = ask(&server, &back, &mine).is(200);
    assert!(entered.text().contains("url=/search?q=type:a\""), "{}", entered.text());
    let session = cookie(&entered, "indelible");
    assert!(
        entered.head.contains("SameSite=Strict") && cookie(&entered, "indelible_oidc") == "indelible_oidc="
    );
    let page = ask(&server, "/search", &session).is(200).text();
    assert!(page.contains("kim@acme.example") && page.contains("auditor everywhere"), "{page}");
    for next in
        ["//evil.example/", "/\\evil.example", "https://evil.example/", "/login", "javascript:alert(1)"]
    {
        let (mine, back) = begin(&server, &provider, next);
        let text = ask(&server, &back, &mine).is(200).text();
        assert!(text.contains("url=/overview\"") && !text.contains("evil"), "{next}: {text}");
    }

    // Whoever is kept out is out at once, and so is whoever has no group.
    let mut client = Client::new(server.address);
    client.ask("PATCH", "/v1/users/kim", br#"{"disabled":true}"#).unwrap().is(200);
    assert_eq!(ask(&server, "/search", &session).status, 303);
    let (mine, back) = begin(&server, &provider, "");
    assert!(ask(&server, &back, &mine).is(403).text().contains("You are kept out here"));
    provider.lets_in("eve", r#"["audit-not","Audit"]"#);
    let (mine, back) = begin(&server, &provider, "");
    assert!(ask(&server, &back, &mine).is(403).text().contains("none of your groups has a role here"));
    let reasons =
        client.get("/v1/events?organisation=system&consistent=true&q=type:auth.login_failed").is(200).text();
    assert!(
        reasons.contains("user_disabled") && reasons.contains("no_role") && !reasons.contains("code-"),
        "{reasons}"
    );
}

#[test]
fn a_person_signs_in_by_the_provider_and_sees_what_their_groups_may() {
    let (place, provider) = (Place::new(), Provider::start());
    let server = serve(&place, &provider, &["--demo"]);
    let browser = Browser::start();
    let go = |path: &str| browser.go(&format!("http://{}{path}", server.address));
    provider.lets_in("kim", r#"["audit"]"#);
    go("/timeline?by=actor&id=u-601");
    browser.press("a.primary");
    // By way of another site, and on to where they wanted to go, with a cookie that only our own pages bring.
    browser.wait("location.pathname === '/timeline' && document.querySelector('#list a.open')");
    assert!(browser.text("h1").ends_with("@marlowfinch.example"));
    browser.keys("body", "j");
    browser.keys("tr.at a.open", "\u{e007}");
    browser.wait("document.querySelector('#drawer article .proof')");
    go("/admin/keys");
    assert!(browser.text("main").contains("You may look, and change nothing"));
    go("/admin/users");
    assert!(browser.text(".things").contains("kim of Acme"));
    for (name, path) in [
        ("timeline", "/timeline?by=actor&id=u-601"),
        ("keys", "/admin/keys"),
        ("users", "/admin/users"),
        ("organisations", "/admin/organisations"),
        ("quarantine", "/admin/quarantine"),
        ("configuration", "/admin/configuration"),
    ] {
        for width in [390, 1280, 2560] {
            for is_dark in [false, true] {
                browser.look(Look { width, height: if width == 390 { 844 } else { 1200 }, is_dark });
                go(path);
                browser.wait("document.readyState === 'complete'");
                browser.picture(&format!("{name}-{width}-{}", if is_dark { "dark" } else { "light" }));
                let over =
                    "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
                let over = browser.run(over).as_i64().unwrap();
                assert!(over <= 0, "{name} at {width}: {over} px wider than the window");
            }
        }
    }
    browser.look(Look { width: 1280, height: 1200, is_dark: false });
    go("/overview");
    browser.press(".top details:last-of-type summary");
    browser.press(".top form button");
    browser.wait("location.pathname === '/login'");
    assert!(browser.text("main").contains("sign out there, too"));
    browser.press(".notice a");
    browser.wait("document.title === 'out'");

    provider.lets_in("lee", r#"["staff"]"#);
    go("/admin/users");
    browser.press("a.primary");
    browser.wait("document.querySelector('h1')?.textContent === 'Not for you'");
    assert!(browser.text("main").contains("member of default"), "{}", browser.text("main"));
    assert_eq!(browser.complaints().iter().filter(|line| !line.contains("403")).count(), 0);
}

#[test]
fn an_administrator_makes_a_key_by_a_form_without_a_script() {
    let place = Place::new();
    let server = Server::start_with(&place, &[], &[("INDELIBLE_BOOTSTRAP_TOKEN", TOKEN)]);
    let mut client = Client::new(server.address);
    client.post("/v1/events", br#"{"type":"a.b"}"#).is(200);
    client.post("/v1/events", br#"{"type":"auth.login","actor":{"emial":"kim"}}"#).is(400);
    let browser = Browser::start();
    browser.scripts(false);
    let go = |path: &str| browser.go(&format!("http://{}{path}", server.address));
    go("/admin/keys");
    browser.keys("#key", TOKEN);
    browser.press("form .primary");
    browser.press(".fold-form > summary");
    browser.keys("#name", "gateway");
    browser.keys("#role", "w");
    browser.press(".fold-form .primary");
    let secret = browser.text(".secret-text");
    assert!(secret.starts_with("ind_live_"), "{secret}");
    Client::with_token(server.address, &secret).post("/v1/events", br#"{"type":"c.d"}"#).is(200);
    Client::with_token(server.address, &secret).get("/v1/events").is(403);
    browser.press("a.button[href^='/admin/keys']");
    browser.press(".things .acts summary");
    browser.press(".things .danger");
    assert!(browser.text("[role=status]").contains("It opens nothing any more"));
    Client::with_token(server.address, &secret).post("/v1/events", br#"{"type":"c.d"}"#).is(401);

    go("/admin/quarantine");
    browser.press(".things a.button");
    assert!(browser.text("main").contains("/actor/emial"), "{}", browser.text("main"));
    browser.run(
        "document.querySelector('textarea').value = '{\"type\":\"auth.login\",\"source_id\":\"mended\"}'",
    );
    browser.press("form .primary");
    assert!(browser.text("[role=status]").contains("is out of quarantine"));
    client.get("/v1/events/mended").is(200);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
