use expect_test::{Expect, expect};

use super::Case;
use crate::config::load::Problem;
use crate::config::settings::{SETTINGS, Short};
use crate::config::shape::Shape;
use crate::config::typed::Config;

#[track_caller]
fn check(case: &Case, expect: Expect) {
    expect.assert_eq(&case.problems().iter().map(|line| format!("{line}\n")).collect::<String>());
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let file = r#"dta = "x"
retention = 5

[server]
lisen = "127.0.0.1:1"
listen = "localhost"
insecure = "yes"
trusted_proxies = ["10.0.0.1/8", 7]

[server.limits]
readers = 0
body_time = "2 minutes"
bodies_bytes = "32MB"
connections = 1.5

[recording]
content = "fingerprints"
must_record = ["type:auth.*", ""]
classes = [{ nam = "a", filter = "" }]

[listen]
"#;
    check(
        &Case::file(file)
            .variable("INDELIBLE__SERVER__LISEN", "x")
            .variable("INDELIBLE__INDEX__SCAN_BELOW", "")
            .variable("INDELIBLE__LOG__LEVEL", "loud")
            .flag("--set log.levl", "log.levl", "x"),
        expect![[r#"
            settings.toml:1: dta: unknown setting; did you mean data?
            settings.toml:2: retention: expected a table of settings, not a number
            settings.toml:5: server.lisen: unknown setting; did you mean server.listen?
            settings.toml:6: server.listen: "localhost" is no address and port; expected an address and a port, such as 127.0.0.1:8080 or [::1]:8080
            settings.toml:7: server.insecure: expected true or false, not text
            settings.toml:8: server.trusted_proxies[0]: 10.0.0.1/8 has bits beyond its length; write 10.0.0.0/8
            settings.toml:8: server.trusted_proxies[1]: expected a network, such as "10.0.0.0/8"
            settings.toml:11: server.limits.readers: 0 is out of range; expected a whole number from 1 to 1024
            settings.toml:12: server.limits.body_time: "2 minutes" is no whole number with one of the units ms, s, m, h, d
            settings.toml:13: server.limits.bodies_bytes: "32MB" is no whole number with one of the units B, KiB, MiB, GiB, TiB
            settings.toml:14: server.limits.connections: expected a whole number from 1 to 100000, not a number with a fraction
            settings.toml:17: recording.content: expected "fingerprint" or "keep", not "fingerprints"; did you mean "fingerprint"?
            settings.toml:18: recording.must_record[1]: is empty; a filter such as "type:auth.*" is expected
            settings.toml:19: recording.classes[0].nam: unknown setting; did you mean name?
            settings.toml:19: recording.classes[0].name: is missing
            settings.toml:19: recording.classes[0].filter: is empty; a filter such as "type:auth.*" is expected
            settings.toml:21: listen: unknown setting; did you mean server.listen?
            INDELIBLE__INDEX__SCAN_BELOW: index.scan_below: the environment variable INDELIBLE__INDEX__SCAN_BELOW is empty; unset it instead
            INDELIBLE__LOG__LEVEL: log.level: expected "error" or "warn" or "info" or "debug" or "trace", not "loud"
            INDELIBLE__SERVER__LISEN: unknown setting; did you mean INDELIBLE__SERVER__LISTEN?
            --set log.levl: log.levl: unknown setting; did you mean log.level?
        "#]],
    );
}

#[test]
fn json_has_lines_too() {
    let json = "{\n  \"server\": {\"listen\": \"127.0.0.1:1\",\n    \"limits\": {\"readers\":\n      \"many\"}},\n  \"server.listen\": 1,\n  \"log\": null}";
    check(
        &Case::new().with_file("a.json", json),
        expect![[r#"
            a.json:4: server.limits.readers: expected a whole number from 1 to 1024, not text
            a.json:5: server.listen: a name with a dot in it; write tables, `[server]` and `listen` for server.listen
            a.json:6: log: expected a table of settings, not null
        "#]],
    );
    check(
        &Case::new().with_file("a.json", "{\"log\": {},\n \"log\": {}}"),
        expect![[r#"
        a.json:2: not JSON: the same key twice in one object
    "#]],
    );
    check(
        &Case::new().with_file("a.json", "[]"),
        expect![[r#"
        a.json:1: expected an object, not a list
    "#]],
    );
}

#[test]
fn what_is_no_toml_is_told_with_its_lines() {
    check(
        &Case::file("data = \"a\"\ndata = \"b\"\n[server\nlisten = 1"),
        expect![[r#"
            settings.toml:2: not TOML: duplicate key
            settings.toml:3: not TOML: unclosed table, expected `]`
        "#]],
    );
    let mut case = Case::new();
    case.given.file = Some(case.dir.path().join("absent.toml"));
    check(
        &case,
        expect![[r#"
        couldn't open absent.toml: No such file or directory (os error 2)
    "#]],
    );
    check(
        &Case::new().variable("INDELIBLE_CONFIG", ""),
        expect![[r#"
        INDELIBLE_CONFIG: the environment variable INDELIBLE_CONFIG is empty
    "#]],
    );
}

#[test]
fn single_sign_on_is_whole_and_encrypted_or_not_there() {
    let file = |more: &str| {
        Case::file(&format!(
            "[oidc]\nissuer = \"http://127.0.0.1:9\"\nclient_id = \"indelible\"\npublic_url = \"https://audit.example.com\"\n{more}"
        ))
    };
    assert_eq!(file("").problems(), [""; 0]);
    check(
        &Case::file("[oidc]\nissuer = \"http://login.example.com\"\nclient_id = \"indelible\"\n"),
        expect![[r#"
            settings.toml:2: oidc.issuer: is set and oidc.public_url is not; set all three, or none
            settings.toml:2: oidc.issuer: http is taken only for an address of this machine; use https
            settings.toml:2: oidc.issuer: http is taken only for an address of this machine; use https
        "#]],
    );
    check(
        &file(r#"roles = [{ group = "g", role = "king", organisation = "*" }]"#),
        expect![[r#"
            settings.toml:5: oidc.roles[0].role: expected "admin" or "member" or "viewer" or "auditor" or "writer" or "operator", not "king"
        "#]],
    );
    assert_eq!(
        file(r#"roles = [{ group = "g", role = "member", organisation = "Not One" }]"#).problems().len(),
        1
    );
    let secret = file("client_secret = \"env.NOT_THERE\"").problems();
    assert!(
        secret.len() == 1
            && secret[0].contains("oidc.client_secret: the environment variable NOT_THERE is not set"),
        "{secret:?}"
    );
    let path = file("").config().oidc.is_some_and(|oidc| oidc.public_url == "https://audit.example.com");
    assert!(path && Case::new().config().oidc.is_none());
}

#[test]
fn plain_http_beyond_the_loopback_is_refused() {
    let listen = |address: &str| Case::new().variable("INDELIBLE_LISTEN", address);
    check(
        &listen("0.0.0.0:8080"),
        expect![[r#"
        INDELIBLE_LISTEN: server.listen: 0.0.0.0:8080 can be reached from other machines, over plain HTTP; set server.tls, or listen on 127.0.0.1, or say server.insecure = true if something in front ends TLS
    "#]],
    );
    for fine in ["127.0.0.1:80", "127.9.9.9:80", "[::1]:80"] {
        assert_eq!(listen(fine).problems(), [""; 0], "{fine}");
    }
    for open in ["[::]:80", "10.0.0.1:80", "[::ffff:127.0.0.1]:80"] {
        assert_eq!(listen(open).problems().len(), 1, "{open}");
        assert_eq!(
            listen(open).variable("INDELIBLE__SERVER__INSECURE", "true").problems(),
            [""; 0],
            "{open}"
        );
    }
    // An address that can't be read is told once.
    assert_eq!(listen("0.0.0.0").problems().len(), 1);
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    check(
        &Case::file(
            "[server.tls]\ncertificate = \"/nowhere.pem\"\n[server.limits]\nbodies_bytes = \"1MiB\"\n",
        ),
        expect![[r#"
            settings.toml:2: server.tls.certificate: is set and server.tls.key is not; set both, or neither
            server.limits.events_body_bytes: is more than server.limits.bodies_bytes, so that such a body would never be taken
            server.limits.litellm_body_bytes: is more than server.limits.bodies_bytes, so that such a body would never be taken
        "#]],
    );
    let class = "{ name = \"a\", filter = \"type:x\", days = 90 }";
    check(
        &Case::file(&format!("retention.classes = [{class}, {class}]")),
        expect![[r#"
        settings.toml:1: retention.classes: two classes of the name "a"
    "#]],
    );
    check(
        &Case::new().variable("INDELIBLE_DATA", "a").variable("INDELIBLE__DATA", "b"),
        expect![[r#"
            INDELIBLE__DATA: data: INDELIBLE_DATA is set as well; keep one of them
        "#]],
    );
}

#[test]
fn an_audit_log_keeps_at_least_ninety_days() {
    for (days, fits) in [("0", true), ("90", true), ("365", true), ("1", false), ("89", false), ("-1", false)]
    {
        let case = Case::file(&format!("[retention]\ndays = {days}"));
        assert_eq!(case.problems().is_empty(), fits, "{days}: {:?}", case.problems());
    }
}

#[test]
fn secrets_must_be_there_and_fit() {
    let case = Case::new();
    let short = case.put("short", "too short\n");
    let empty = case.put("empty", "\n");
    let case = case
        .variable("INDELIBLE_HMAC_KEY", &format!("file:{}", short.display()))
        .variable("INDELIBLE_KEY_FILE", "env.NOT_THERE")
        .variable("INDELIBLE__SERVER__TLS__KEY", &format!("file:{}", empty.display()))
        .variable("INDELIBLE_BOOTSTRAP_TOKEN", "guess-me");
    check(
        &case,
        expect![[r#"
            INDELIBLE__SERVER__TLS__KEY: server.tls.key: is set and server.tls.certificate is not; set both, or neither
            INDELIBLE_KEY_FILE: keys.key_file: the environment variable NOT_THERE is not set
            INDELIBLE_HMAC_KEY: keys.hmac_key: an hmac key needs at least 32 bytes
            INDELIBLE_BOOTSTRAP_TOKEN: auth.bootstrap_token: the token has 8 characters; use at least 32 random ones
        "#]],
    );
    let (_, problems) = Config::check(&case.given, &case.env(), false);
    assert_eq!(problems.len(), 1, "without looking at secrets, what contradicts itself is still told");
}

#[test]
fn certificate_and_key_must_belong_together() {
    let case = Case::new();
    let [one, other] =
        [(); 2].map(|()| rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap());
    let certificate = case.put("tls.crt", &one.cert.pem());
    let case = case.variable("INDELIBLE__SERVER__TLS__CERTIFICATE", certificate.to_str().unwrap());
    let case = case.variable("INDELIBLE_LISTEN", "0.0.0.0:8443");
    let key = case.dir.path().join("tls.key");
    let case = case.variable("INDELIBLE__SERVER__TLS__KEY", &format!("file:{}", key.display()));
    assert!(case.problems().concat().contains("couldn't open"));
    for wrong in [other.signing_key.serialize_pem().as_str(), "no key", &one.cert.pem()] {
        case.put("tls.key", wrong);
        let told = case.problems();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].starts_with("INDELIBLE__SERVER__TLS__CERTIFICATE: server.tls.certificate: "),
            "{told:?}"
        );
    }
    case.put("tls.key", &one.signing_key.serialize_pem());
    assert!(case.config().door(&case.env()).unwrap().tls.is_some());
}

#[test]
fn filters_are_read() {
    let told =
        Case::file("[recording]\nmust_record = [\"type:auth.*\",\n\"actor.idd:x\"]").problems().concat();
    assert!(
        told.starts_with("settings.toml:3: recording.must_record[1]: ") && told.contains("`actor.id`"),
        "{told}"
    );
    // What fits one by one can be too much together.
    let long = (0..60).map(|n| format!("type:a{n}")).collect::<Vec<_>>().join(" OR ");
    let class = |n: usize| format!("{{ name = \"c{n}\", filter = \"{long}\", on_failure = \"accept\" }}");
    let classes: Vec<String> = (0..9).map(class).collect();
    let told = Case::file(&format!("recording.classes = [{}]", classes.join(","))).problems().concat();
    assert!(
        told.contains("recording.classes: with recording.must_record, too much for one filter"),
        "{told}"
    );
    let rule = "{ path = \"/x\", class = \"emial\", action = \"drop\" }";
    let told = Case::file(&format!("redaction.rules = [{rule}]")).problems().concat();
    assert!(told.contains("redaction.rules[0].class") && told.ends_with("did you mean \"email\"?"), "{told}");
}

/// A secret that somebody writes where only a reference belongs is never repeated, whatever else is wrong.
#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    const PLANTED: &str = "5up3r-s3cr3t-5up3r-s3cr3t-5up3r-s3cr3t";
    let hex = "c0ffee".repeat(11)[..64].to_owned();
    let mut refused = 0;
    for setting in SETTINGS.iter().filter(|setting| matches!(setting.shape, Shape::Secret | Shape::KeyFile)) {
        for secret in [PLANTED, hex.as_str()] {
            if matches!(setting.shape, Shape::KeyFile) && secret == PLANTED {
                continue; // It could be the name of a file.
            }
            let toml = |value: String| Case::file(&format!("{} = {value}", setting.path));
            let cases = [
                toml(format!("\"{secret}\"")),
                toml(format!("\"env:{secret}\"")),
                toml(format!("[\"{secret}\"]")),
                toml(format!("{{ inner = \"{secret}\" }}")),
                toml(format!("\"{secret}")),
                toml(secret.to_owned()),
                Case::new().variable(&setting.variable(), secret),
                Case::new().flag("--set x", setting.path, secret),
            ];
            for case in cases {
                let (effective, problems) = case.load();
                assert!(!problems.is_empty(), "{} took a secret", setting.path);
                let told: String = problems.iter().map(Problem::to_string).collect();
                assert!(!told.contains(secret), "{}: {told}", setting.path);
                let shown = effective.entry(setting.path).held.as_ref().map(ToString::to_string);
                assert!(!shown.unwrap_or_default().contains(secret));
                refused += 1;
            }
        }
    }
    assert!(refused >= 50, "{refused}");
    // The one variable that holds a secret itself is shown as a reference.
    let case = Case::new().variable("INDELIBLE_BOOTSTRAP_TOKEN", PLANTED);
    let config = format!("{:?}", case.config());
    assert!(config.contains("INDELIBLE_BOOTSTRAP_TOKEN") && !config.contains(PLANTED));
}

/// Every name with a letter left out, twice, or wrong leads back to the name.
#[test]
fn every_setting_is_found_from_a_slip_of_the_pen() {
    let mut slips = 0;
    for setting in SETTINGS {
        let (before, name) =
            setting.path.rsplit_once('.').map_or(("", setting.path), |(table, name)| (table, name));
        for at in 0..name.len() {
            let (start, end) = (&name[..at], &name[at + 1..]);
            let letter = &name[at..=at];
            let swapped = match end.chars().next() {
                Some(next) => format!("{start}{next}{letter}{}", &end[1..]),
                None => format!("{start}{letter}s"),
            };
            let slips_of_it = [
                format!("{start}{end}"),
                format!("{start}{letter}{letter}{end}"),
                format!("{start}q{end}"),
                swapped,
            ];
            for slip in slips_of_it {
                let path = if before.is_empty() { slip.clone() } else { format!("{before}.{slip}") };
                if slip.is_empty() || SETTINGS.iter().any(|other| other.path == path) {
                    continue;
                }
                // Two names that differ by a letter may both be meant; then either may be named.
                let told = Case::new().flag("--set x", &path, "1").problems().concat();
                let meant =
                    told.strip_suffix('?').and_then(|told| told.rsplit(' ').next()).unwrap_or_default();
                assert_eq!(meant, setting.path, "{path}: {told}");
                slips += 1;
            }
        }
        let variable = format!("{}S", setting.variable());
        let told = Case::new().variable(&variable, "1").problems().concat();
        assert!(told.ends_with(&format!("did you mean {}?", setting.variable())), "{told}");
    }
    assert!(slips > 1000, "{slips}");
    for name in
        ["", "xyz", "server.", ".listen", "server..listen", &"a".repeat(100_000), "\u{1b}[2J", "ключ.ключ"]
    {
        let told = Case::new().flag("--set", name, "1").problems();
        assert_eq!(told.len(), 1);
        assert!(told[0].len() < 400 && !told[0].contains('\u{1b}'), "{told:?}");
    }
}

/// A file of nothing but mistakes is answered with as many as anybody reads, and soon.
#[test]
fn a_file_of_mistakes_is_answered() {
    let text: String = (0..50_000).map(|n| format!("setting_{n} = 1\n")).collect();
    assert_eq!(Case::file(&text).load().1.len(), 100);
    let large = "# x\n".repeat(400_000);
    assert!(Case::file(&large).problems()[0].contains("more than 1048576 bytes"));
}

/// No text makes the readers panic.
#[test]
fn no_file_is_too_odd_to_be_refused() {
    let example = crate::config::example::example();
    let opened: String =
        example.lines().map(|line| format!("{}\n", line.strip_prefix("# ").unwrap_or(line))).collect();
    let mut seed = 0x2545_f491_4f6c_dd1du64;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % below as u64).unwrap()
    };
    let mut refused = 0;
    let mut case = Case::new();
    for round in 0..2000 {
        let mut bytes = if round % 2 == 0 { example.clone() } else { opened.clone() }.into_bytes();
        for _ in 0..=random(4) {
            let at = random(bytes.len());
            match random(4) {
                0 => bytes.truncate(at),
                1 => bytes[at] = b"\"[]{}=.\n#\\0-'\x00\xff"[random(15)],
                2 => drop(bytes.remove(at)),
                _ => bytes.insert(at, b"\"[]{}=.\n#\\0-'\x00\xff"[random(15)]),
            }
            if bytes.is_empty() {
                bytes.push(b'\n');
            }
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        for name in ["a.toml", "a.json"] {
            case = case.with_file(name, &text);
            refused += usize::from(!case.problems().is_empty());
        }
    }
    assert!(refused > 2000, "{refused}");
    // Values of every shape, from text that nobody chose.
    for setting in SETTINGS {
        let odd = [
            "",
            " ",
            "[",
            "[]",
            "[[]]",
            "{}",
            "[{}]",
            "-1",
            "18446744073709551616",
            "1/0",
            "0/1s",
            "1/",
            "9d/9",
            "::",
            "env.",
            "env.1",
            "file:",
            "1KiB1",
            "99999999999999TiB",
            "\0",
            "é",
            "[1, 'a', {b = 2}]",
            "1e5",
            "0x10",
            "nan",
            "1979-05-27",
        ];
        for text in odd {
            let _ = setting.shape.read_text(text);
        }
        for depth in [10, 1000, 100_000] {
            let _ = setting.shape.read_text(&"[".repeat(depth));
        }
        assert!(!matches!(setting.short, Short::Same(name) if name.starts_with("INDELIBLE__")));
    }
    for depth in [10, 1000, 100_000] {
        assert!(!Case::new().with_file("a.json", &"{\"a\":".repeat(depth)).problems().is_empty());
        assert!(!Case::file(&format!("a = {}", "[".repeat(depth))).problems().is_empty());
        assert!(!Case::file(&format!("a{} = 1", ".a".repeat(depth))).problems().is_empty());
    }
}
