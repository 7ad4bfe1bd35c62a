//! Against a provider of our own that says what a test wants it to say, right or wrong. The real one, certified, is asked in
//! `tests/`.

#![allow(clippy::disallowed_methods)]

mod provider;

use std::collections::BTreeMap;

use access::{Grant, Reach, Role};
use provider::{Fake, Signer};
use zeroize::Zeroizing;

use super::*;
use crate::base64url;

const NOW_MS: u64 = 1_800_000_000_000;
const NOW_S: u64 = NOW_MS / 1000;

fn settings(issuer: &str) -> Settings {
    Settings {
        issuer: issuer.to_owned(),
        client_id: "indelible".to_owned(),
        client_secret: Some(Zeroizing::new("s&cret".to_owned())),
        public_url: "http://127.0.0.1:7070".to_owned(),
        scopes: "openid profile groups".to_owned(),
        user_claim: "sub".to_owned(),
        groups_claim: "groups".to_owned(),
        mappings: vec![
            Mapping { group: "audit".into(), role: Role::Auditor, organisation: Reach::All },
            Mapping { group: "acme".into(), role: Role::Member, organisation: Reach::One("acme".into()) },
        ],
        trust_email: false,
        authorities: None,
    }
}

fn bound() -> Bound {
    Bound { state: "state".into(), nonce: "nonce".into(), verifier: Zeroizing::new("v".repeat(64)) }
}

fn returned() -> Returned {
    Returned { code: "code".into(), issuer: None }
}

/// Claims as JSON, by name.
type Claims = BTreeMap<&'static str, String>;

fn claims(fake: &Fake) -> Claims {
    [
        ("iss", format!("\"{}\"", fake.issuer())),
        ("aud", "\"indelible\"".to_owned()),
        ("sub", "\"u-1\"".to_owned()),
        ("nonce", "\"nonce\"".to_owned()),
        ("exp", (NOW_S + 300).to_string()),
        ("iat", NOW_S.to_string()),
        ("name", "\"Kim\"".to_owned()),
        ("email", "\"kim@acme.example\"".to_owned()),
        ("email_verified", "true".to_owned()),
        ("groups", "[\"audit\",\"other\"]".to_owned()),
    ]
    .into()
}

fn written(claims: &Claims) -> String {
    let members: Vec<String> = claims.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

/// A token that this key signs, as its header says.
fn token(header: &str, claims: &str, signer: &Signer) -> String {
    let signed = format!("{}.{}", base64url::encode(header.as_bytes()), base64url::encode(claims.as_bytes()));
    format!("{signed}.{}", base64url::encode(&signer.sign(signed.as_bytes())))
}

fn header(signer: &Signer) -> String {
    format!(r#"{{"alg":"{}","kid":"{}"}}"#, signer.algorithm, signer.id)
}

/// What is made of a token.
async fn identify(fake: &Fake, provider: &Provider, token: String) -> Result<Identity, Failure> {
    fake.give(token);
    provider.identify(&returned(), &bound(), NOW_MS).await
}

#[track_caller]
fn refused(found: Result<Identity, Failure>, why: &str) {
    match found {
        Err(Failure::Refused(said)) => assert!(said.contains(why), "{said}; expected {why}"),
        other => panic!("{other:?}; expected {why}"),
    }
}

#[tokio::test]
async fn somebody_is_who_the_provider_says() {
    for signer in [Signer::es256("k"), Signer::ed25519("k"), Signer::rs256("k"), Signer::ps256("k")] {
        let fake = Fake::start(&[&signer]).await;
        let provider = Provider::new(settings(&fake.issuer())).unwrap();
        let asked = provider.authorization(&bound(), NOW_MS).await.unwrap();
        assert!(
            asked
                .starts_with(&format!("{}/authorize?response_type=code&client_id=indelible&", fake.issuer()))
        );
        for part in [
            "redirect_uri=http%3A%2F%2F127.0.0.1%3A7070%2Flogin%2Foidc%2Freturn",
            "scope=openid%20profile%20groups",
            "state=state&nonce=nonce",
            // BASE64URL(SHA256("v" * 64)), by another program.
            "code_challenge=w1TpKUdYE9hUAcNSeeSRFioHDxfUxuHho_JHAfZ_vDM&code_challenge_method=S256",
        ] {
            assert!(asked.contains(part), "{part}: {asked}");
        }
        let found =
            identify(&fake, &provider, token(&header(&signer), &written(&claims(&fake)), &signer)).await;
        let kim = Identity {
            user: "u-1".into(),
            name: "Kim".into(),
            email: Some("kim@acme.example".into()),
            grants: Some(vec![Grant { organisation: Reach::All, role: Role::Auditor }]),
        };
        assert_eq!(found, Ok(kim), "{}", signer.algorithm);
        let sent = fake.requests();
        let asked_token = sent.iter().find(|request| request.path == "/token").unwrap();
        assert!(asked_token.body.contains("grant_type=authorization_code&code=code&redirect_uri=http%3A%2F%2F127.0.0.1%3A7070%2Flogin%2Foidc%2Freturn&code_verifier=vvvv"), "{}", asked_token.body);
        // `indelible:s%26cret` in Base64.
        assert!(asked_token.headers.contains("Basic aW5kZWxpYmxlOnMlMjZjcmV0"), "{}", asked_token.headers);
        assert!(!asked_token.body.contains("cret"), "a secret is said once");
    }
}

#[tokio::test]
async fn a_token_of_which_anything_is_wrong_is_not_believed() {
    let signer = Signer::es256("k");
    let fake = Fake::start(&[&signer]).await;
    let provider = Provider::new(settings(&fake.issuer())).unwrap();
    for (name, value, why) in [
        ("iss", "\"https://evil.example\"", "another issuer"),
        ("iss", "null", "another issuer"),
        ("aud", "\"somebody-else\"", "another client"),
        ("aud", "[\"somebody-else\"]", "another client"),
        ("aud", "[\"indelible\",\"somebody-else\"]", "given to another client"),
        ("aud", "{}", "another client"),
        ("azp", "\"somebody-else\"", "given to another client"),
        ("nonce", "\"other\"", "another sign-in"),
        ("nonce", "\"\"", "another sign-in"),
        ("nonce", "7", "another sign-in"),
        ("exp", &(NOW_S - 61).to_string(), "expired"),
        ("exp", "\"never\"", "does not say when it expires"),
        ("exp", "-1", "expired"),
        ("iat", &(NOW_S + 61).to_string(), "from the future"),
        ("iat", &(NOW_S - 601).to_string(), "is old"),
        ("iat", "null", "does not say when it was made"),
        ("nbf", &(NOW_S + 61).to_string(), "not valid yet"),
        ("sub", "\"\"", "no claim sub"),
        ("sub", "\"a\\nb\"", "no claim sub"),
        ("sub", "[\"u-1\"]", "no claim sub"),
    ] {
        let mut claims = claims(&fake);
        claims.insert(name, value.to_owned());
        let found = identify(&fake, &provider, token(&header(&signer), &written(&claims), &signer)).await;
        refused(found, why);
    }
    let twice = format!("{{\"sub\":\"root\",{}", &written(&claims(&fake))[1..]);
    refused(
        identify(&fake, &provider, token(&header(&signer), &twice, &signer)).await,
        "claims of the identity token can't be read",
    );
    // Within a minute of skew.
    for (name, value) in [("exp", NOW_S - 59), ("iat", NOW_S + 59), ("nbf", NOW_S + 59)] {
        let mut claims = claims(&fake);
        claims.insert(name, value.to_string());
        assert!(
            identify(&fake, &provider, token(&header(&signer), &written(&claims), &signer)).await.is_ok(),
            "{name}"
        );
    }
    let mut both = claims(&fake);
    both.insert("aud", "[\"indelible\",\"api\"]".into());
    both.insert("azp", "\"indelible\"".into());
    assert!(identify(&fake, &provider, token(&header(&signer), &written(&both), &signer)).await.is_ok());
}

#[tokio::test]
async fn only_the_provider_s_own_signature_counts() {
    let (signer, other) = (Signer::es256("k"), Signer::es256("k"));
    let rsa = Signer::rs256("r");
    let fake = Fake::start(&[&signer, &rsa]).await;
    let provider = Provider::new(settings(&fake.issuer())).unwrap();
    let claims = written(&claims(&fake));
    let good = token(&header(&signer), &claims, &signer);
    let (signed, _) = good.rsplit_once('.').unwrap();
    let unsigned = |header: &str| {
        format!("{}.{}.", base64url::encode(header.as_bytes()), base64url::encode(claims.as_bytes()))
    };
    for (token, why) in [
        (unsigned(r#"{"alg":"none"}"#), "a way that is not taken"),
        (unsigned(r#"{"alg":"None"}"#), "a way that is not taken"),
        (unsigned(r#"{"alg":"ES256","kid":"k"}"#), "not signed by the provider"),
        (unsigned(r#"{"kid":"k"}"#), "a way that is not taken"),
        // With the public key as the secret of a MAC.
        (token(r#"{"alg":"HS256","kid":"r"}"#, &claims, &rsa.as_mac()), "a way that is not taken"),
        (token(r#"{"alg":"ES256","kid":"k"}"#, &claims, &other), "not signed by the provider"),
        // A key for one way, used in another.
        (token(r#"{"alg":"ES256","kid":"r"}"#, &claims, &signer), "not signed by the provider"),
        (token(r#"{"alg":"RS256","kid":"k"}"#, &claims, &rsa), "not signed by the provider"),
        (token(r#"{"alg":"PS256","kid":"r"}"#, &claims, &rsa), "not signed by the provider"),
        (token(r#"{"alg":"ES256","kid":"k","crit":["exp"]}"#, &claims, &signer), "an extension"),
        // Of another header, with the signature of a good one.
        (format!("{signed}.{}", base64url::encode(&[0; 64])), "not signed by the provider"),
        (good.replace('.', ".."), "can't be read"),
        (format!("{good}="), "can't be read"),
        ("a.b".into(), "is none"),
        (String::new(), "is none"),
        ("x".repeat(70_000), "too long"),
    ] {
        refused(identify(&fake, &provider, token).await, why);
    }
    assert!(identify(&fake, &provider, good).await.is_ok());
}

#[tokio::test]
async fn keys_are_rotated_and_withdrawn() {
    let (old, new) = (Signer::es256("2025"), Signer::ed25519("2026"));
    let fake = Fake::start(&[&old]).await;
    let provider = Provider::new(settings(&fake.issuer())).unwrap();
    let claims = |now_ms: u64| {
        let mut claims = claims(&fake);
        claims.insert("exp", (now_ms / 1000 + 300).to_string());
        claims.insert("iat", (now_ms / 1000).to_string());
        written(&claims)
    };
    let at = async |signer: &Signer, now_ms: u64| {
        fake.give(token(&header(signer), &claims(now_ms), signer));
        provider.identify(&returned(), &bound(), now_ms).await
    };
    assert!(at(&old, NOW_MS).await.is_ok());
    fake.publish(&[&new]);
    refused(at(&new, NOW_MS + 59_000).await, "not signed by the provider");
    assert!(at(&new, NOW_MS + 61_000).await.is_ok(), "an unknown key is asked for");
    refused(at(&old, NOW_MS + 62_000).await, "not signed by the provider");
    let asked = || fake.requests().iter().filter(|request| request.path == "/keys").count();
    assert_eq!(asked(), 2);
    for n in 0..20 {
        refused(at(&old, NOW_MS + 63_000 + n).await, "not signed by the provider");
    }
    assert_eq!(asked(), 2, "whoever brings strange tokens makes nobody ask all the time");
    fake.publish(&[]);
    assert!(at(&new, NOW_MS + 300_000).await.is_ok(), "kept for an hour");
    refused(at(&new, NOW_MS + 61_000 + 3_600_000).await, "not signed by the provider");
}

#[tokio::test]
async fn roles_and_addresses_come_from_claims() {
    let signer = Signer::es256("k");
    let fake = Fake::start(&[&signer]).await;
    let check = async |settings: Settings, edits: &[(&'static str, &str)]| {
        let provider = Provider::new(settings).unwrap();
        let mut claims = claims(&fake);
        edits.iter().for_each(|(name, value)| drop(claims.insert(name, (*value).to_owned())));
        identify(&fake, &provider, token(&header(&signer), &written(&claims), &signer)).await
    };
    let usual = || settings(&fake.issuer());
    let roles = async |settings: Settings, edits: &[(&'static str, &str)]| {
        check(settings, edits).await.unwrap().grants
    };
    assert_eq!(roles(usual(), &[("groups", "[]")]).await, Some(Vec::new()));
    assert_eq!(roles(usual(), &[("groups", "7")]).await, Some(Vec::new()));
    assert_eq!(roles(usual(), &[("groups", "\"acme\"")]).await.unwrap()[0].role, Role::Member);
    assert_eq!(roles(usual(), &[("groups", "[\"AUDIT\",\"audit \"]")]).await, Some(Vec::new()), "exactly");
    assert_eq!(roles(usual(), &[("groups", "[\"acme\",\"audit\",\"acme\"]")]).await.unwrap().len(), 2);
    let nested = Settings { groups_claim: "realm_access.roles".into(), ..usual() };
    assert_eq!(roles(nested, &[("realm_access", r#"{"roles":["audit"]}"#)]).await.unwrap().len(), 1);
    let named = Settings { groups_claim: "https://acme.example/groups".into(), ..usual() };
    assert_eq!(roles(named, &[("https://acme.example/groups", r#"["audit"]"#)]).await.unwrap().len(), 1);
    assert_eq!(roles(Settings { mappings: Vec::new(), ..usual() }, &[]).await, None);

    let email = async |settings: Settings, verified: &str| {
        check(settings, &[("email_verified", verified)]).await.unwrap().email
    };
    let kim = Some("kim@acme.example".to_owned());
    assert_eq!(email(usual(), "false").await, None);
    assert_eq!(email(usual(), "\"true\"").await, kim);
    assert_eq!(email(usual(), "1").await, None);
    assert_eq!(email(Settings { trust_email: true, ..usual() }, "false").await, kim);
    let by_email = || Settings { user_claim: "email".into(), ..usual() };
    assert_eq!(check(by_email(), &[]).await.unwrap().user, "kim@acme.example");
    refused(check(by_email(), &[("email_verified", "false")]).await, "has not verified it");
}

#[tokio::test]
async fn a_provider_that_answers_badly_keeps_nobody_waiting_and_lets_nobody_in() {
    let signer = Signer::es256("k");
    for (path, answer, why) in [
        ("/.well-known/openid-configuration", "404", "answered 404"),
        ("/.well-known/openid-configuration", "302", "answered 302"),
        ("/.well-known/openid-configuration", "huge", "larger than"),
        ("/.well-known/openid-configuration", "cut", "broke off"),
        ("/.well-known/openid-configuration", "<html>", "no JSON"),
        ("/.well-known/openid-configuration", r#"{"issuer":"https://evil.example"}"#, "another issuer"),
        ("/.well-known/openid-configuration", "{}", "names no issuer"),
        ("/keys", "[]", "no set of keys"),
        ("/keys", "500", "answered 500"),
        ("/keys", "huge", "larger than"),
        ("/token", "500", "500, no reason"),
        ("/token", "{}", "no identity token"),
        ("/token", "huge", "larger than"),
        ("/token", "closed", "the exchange failed"),
    ] {
        let fake = Fake::start(&[&signer]).await;
        fake.give(token(&header(&signer), &written(&claims(&fake)), &signer));
        fake.answer(path, answer);
        let provider = Provider::new(settings(&fake.issuer())).unwrap();
        match provider.identify(&returned(), &bound(), NOW_MS).await {
            Err(Failure::Unreachable(said)) => assert!(said.contains(why), "{path} {answer}: {said}"),
            other => panic!("{path} {answer}: {other:?}"),
        }
        let before = fake.requests().len();
        let again = provider.identify(&returned(), &bound(), NOW_MS + 1000).await;
        assert!(again.is_err());
        if path != "/token" {
            let asked = fake.requests().iter().skip(before).filter(|request| request.path == path).count();
            assert_eq!(asked, 0, "left alone for some seconds: {path} {answer}");
        }
    }
    let fake = Fake::start(&[&signer]).await;
    fake.answer("/token", "400");
    let provider = Provider::new(settings(&fake.issuer())).unwrap();
    refused(provider.identify(&returned(), &bound(), NOW_MS).await, "400, invalid_grant");
}

#[tokio::test]
async fn a_slow_provider_is_not_waited_for() {
    let signer = Signer::es256("k");
    let fake = Fake::start(&[&signer]).await;
    let provider = Provider::new(settings(&fake.issuer())).unwrap();
    let good = token(&header(&signer), &written(&claims(&fake)), &signer);
    assert!(identify(&fake, &provider, good).await.is_ok());
    fake.answer("/token", "slow");
    // From here on time passes as soon as everybody waits.
    tokio::time::pause();
    let found = provider.identify(&returned(), &bound(), NOW_MS).await;
    assert!(
        matches!(&found, Err(Failure::Unreachable(why)) if why.contains("no answer within 10 s")),
        "{found:?}"
    );
}

#[tokio::test]
async fn answers_name_who_they_are_from() {
    let signer = Signer::es256("k");
    let fake = Fake::start(&[&signer]).await;
    let provider = Provider::new(settings(&fake.issuer())).unwrap();
    fake.give(token(&header(&signer), &written(&claims(&fake)), &signer));
    let from = async |issuer: Option<&str>| {
        let returned = Returned { issuer: issuer.map(str::to_owned), ..returned() };
        provider.identify(&returned, &bound(), NOW_MS).await
    };
    assert!(from(Some(&fake.issuer())).await.is_ok());
    refused(from(Some("https://evil.example")).await, "another issuer answered");
    fake.answer("/.well-known/openid-configuration", "says-issuer");
    let provider = Provider::new(settings(&fake.issuer())).unwrap();
    refused(provider.identify(&returned(), &bound(), NOW_MS).await, "does not say who it is from");
}

#[tokio::test]
async fn an_encrypted_provider_is_believed_if_a_known_authority_signed_its_certificate() {
    let signer = Signer::es256("k");
    let (fake, certificate) = Fake::start_encrypted(&[&signer]).await;
    let good = token(&header(&signer), &written(&claims(&fake)), &signer);
    let knows = Settings { authorities: Some(certificate.into_bytes()), ..settings(&fake.issuer()) };
    let provider = Provider::new(knows).unwrap();
    assert!(identify(&fake, &provider, good.clone()).await.is_ok());
    let stranger = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem();
    let knows_not = Settings { authorities: Some(stranger.into_bytes()), ..settings(&fake.issuer()) };
    let provider = Provider::new(knows_not).unwrap();
    let found = identify(&fake, &provider, good).await;
    assert!(
        matches!(&found, Err(Failure::Unreachable(why)) if why.contains("no encrypted connection")),
        "{found:?}"
    );
}

#[test]
fn settings_that_do_not_fit_are_refused() {
    for (edit, setting) in [
        (Settings { issuer: "http://login.example.com".into(), ..settings("") }, "issuer"),
        (Settings { issuer: "https://login.example.com?x=1".into(), ..settings("") }, "issuer"),
        (
            Settings { public_url: "https://audit.example.com/path".into(), ..settings("http://localhost/") },
            "public_url",
        ),
        (Settings { public_url: "audit.example.com".into(), ..settings("http://localhost/") }, "public_url"),
        (Settings { client_id: String::new(), ..settings("http://localhost/") }, "client_id"),
        (Settings { authorities: Some(b"nothing".to_vec()), ..settings("http://localhost/") }, "authorities"),
    ] {
        assert_eq!(Provider::new(edit).unwrap_err().setting, setting);
    }
    let shown = format!("{:?}", Provider::new(settings("http://localhost/")).unwrap());
    assert!(!shown.contains("s&cret"), "{shown}");
}
