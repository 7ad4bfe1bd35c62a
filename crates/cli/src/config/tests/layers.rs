use std::time::Duration;

use clap::{Args, FromArgMatches};

use super::Case;
use crate::config::load::{Given, Source};
use crate::config::settings::SETTINGS;
use crate::config::shape::{Held, Reference};
use crate::config::typed::Config;

#[test]
fn nothing_needs_to_be_said() {
    let config = Case::new().config();
    assert_eq!(config.server.listen, "127.0.0.1:8080".parse().unwrap());
    assert_eq!(config.data.to_str(), Some("data"));
    assert_eq!((config.retention.days, config.quarantine.days, config.index.scan_below), (365, 7, 2000));
    assert_eq!(config.index.cache_bytes, 256 << 20);
    assert_eq!(config.index.commit, Duration::from_millis(500));
    assert!(config.recording.best_effort().unwrap().is_none());
    assert_eq!(config.redaction, redact::Policy::default());
    assert!(config.server.tls.is_none() && !config.server.insecure && !config.recording.keeps_content);
}

/// What is written twice must say the same twice.
#[test]
fn defaults_are_those_of_the_parts() {
    let case = Case::new();
    let config = case.config();
    assert_eq!(config.door(&case.env()).unwrap().limits, api::Limits::default());
    let (ours, theirs) = (config.settings(&case.env()).unwrap(), indelible::Settings::new("data"));
    assert_eq!(ours.data, theirs.data);
    assert_eq!(ours.redaction, theirs.redaction);
    assert_eq!(ours.quarantine, theirs.quarantine);
    assert_eq!((ours.scan_below, ours.index_cache_bytes), (theirs.scan_below, theirs.index_cache_bytes));
    assert!(ours.best_effort.is_none() && ours.key.is_none() && ours.hmac_key.is_none());
}

#[test]
fn each_layer_overrules_those_before_it() {
    let from = |case: &Case| {
        let (effective, problems) = case.load();
        assert_eq!(problems, []);
        let entry = effective.entry("server.limits.readers");
        (entry.held.clone().unwrap(), entry.source.clone())
    };
    let case = Case::new();
    assert_eq!(from(&case), (Held::Whole(16), Source::Default));
    let case = case.with_file("a.toml", "\n[server.limits]\nreaders = 17\n");
    let (held, source) = from(&case);
    assert_eq!(held, Held::Whole(17));
    assert!(matches!(source, Source::File(place) if place.ends_with("a.toml:3")));
    let case = case.variable("INDELIBLE__SERVER__LIMITS__READERS", "18");
    let name = "INDELIBLE__SERVER__LIMITS__READERS".to_owned();
    assert_eq!(from(&case), (Held::Whole(18), Source::Environment(name)));
    let case = case.flag("--set server.limits.readers", "server.limits.readers", "19");
    assert_eq!(from(&case), (Held::Whole(19), Source::Flag("--set server.limits.readers".into())));
}

#[test]
fn json_says_what_toml_says() {
    let toml = r#"
        data = "/srv/audit"
        [server]
        listen = "[::1]:9000"
        trusted_proxies = ["10.0.0.0/8", "fd00::/8"]
        [server.limits]
        body_time = "2m"
        bodies_bytes = 536870912
        [[retention.classes]]
        name = "payments"
        filter = "type:auth.*"
        days = 0
        [redaction]
        ip = "truncate"
        pii = { email = "hash" }
        rules = [{ path = "/attributes/x", class = "any", action = "drop" }]
        [recording]
        content = "keep"
    "#;
    let json = r#"{"data": "/srv/audit",
        "server": {"listen": "[::1]:9000", "trusted_proxies": ["10.0.0.0/8", "fd00::/8"],
            "limits": {"body_time": 120, "bodies_bytes": "512MiB"}},
        "retention": {"classes": [{"name": "payments", "filter": "type:auth.*", "days": 0}]},
        "redaction": {"ip": "truncate", "pii": {"email": "hash"},
            "rules": [{"path": "/attributes/x", "class": "any", "action": "drop"}]},
        "recording": {"content": "keep"}}"#;
    let config = Case::file(toml).config();
    assert_eq!(config, Case::new().with_file("settings.JSON", json).config());
    assert_eq!(config.server.limits.bodies_bytes, 512 << 20);
    assert_eq!(config.server.trusted_proxies.len(), 2);
    assert_eq!(config.redaction.ip, redact::Ip::Truncate);
    assert_eq!(config.redaction.content, redact::Content::Keep);
    assert_eq!(
        (config.redaction.pii.email, config.redaction.pii.phone),
        (redact::Action::Hash, redact::Action::Mask)
    );
    assert_eq!(config.redaction.rules.len(), 1);
}

/// Whatever a file can say, the environment and `--set` can.
#[test]
fn every_setting_can_be_given_in_every_layer() {
    for setting in SETTINGS {
        let example = setting.example();
        let (table, name) = (setting.table(), setting.name());
        let head = if table.is_empty() { String::new() } else { format!("[{table}]\n") };
        let cases = [
            Case::file(&format!("{head}{name} = {example}\n")),
            Case::new().variable(&setting.variable(), setting.example),
            Case::new().flag("--set x", setting.path, setting.example),
        ];
        for case in cases {
            let (effective, problems) = case.load();
            assert_eq!(problems, [], "{}", setting.path);
            let entry = effective.entry(setting.path);
            assert_eq!(entry.held.as_ref(), Some(&example), "{}", setting.path);
            assert_ne!(entry.source, Source::Default, "{}", setting.path);
            // What `show` writes can be read again.
            let again = Case::file(&format!("{head}{name} = {}\n", entry.held.as_ref().unwrap())).load().0;
            assert_eq!(again.entry(setting.path).held, entry.held, "{}", setting.path);
        }
    }
}

#[test]
fn the_environment_names_the_file() {
    let case = Case::new();
    let path = case.put("other.toml", "[log]\nlevel = \"debug\"\n");
    let case = case.variable("INDELIBLE_CONFIG", path.to_str().unwrap());
    assert_eq!(case.config().log.level, "debug");
    // A flag is nearer.
    let case = case.with_file("nearer.toml", "[log]\nlevel = \"error\"\n");
    assert_eq!(case.config().log.level, "error");
}

#[test]
fn short_names_are_the_ones_that_serve_had() {
    let config = Case::new()
        .variable("INDELIBLE_DATA", "/srv/a")
        .variable("INDELIBLE_LISTEN", "127.0.0.1:1")
        .variable("INDELIBLE_KEY_FILE", "/srv/kek")
        .variable("INDELIBLE_HMAC_KEY", "env.H")
        .variable("H", "0123456789abcdef0123456789abcdef")
        .variable("INDELIBLE_HEADS_COPY", "/srv/heads")
        .variable("INDELIBLE_ORIGIN", "audit.example.com")
        .variable("INDELIBLE_BOOTSTRAP_TOKEN", "a-token-of-thirty-two-characters")
        .config();
    assert_eq!(config.data.to_str(), Some("/srv/a"));
    assert_eq!(config.keys.key_file, Some(Reference::File("/srv/kek".into())));
    assert_eq!(config.keys.hmac_key, Some(Reference::Env("H".into())));
    assert_eq!(config.auth.bootstrap_token, Some(Reference::Env("INDELIBLE_BOOTSTRAP_TOKEN".into())));
    assert_eq!(config.ledger.origin.as_deref(), Some("audit.example.com"));
}

#[test]
fn flags_come_from_the_table() {
    let parse = |arguments: &[&str]| {
        let command = Given::augment_args(clap::Command::new("x"));
        Given::from_arg_matches(&command.try_get_matches_from([&["x"], arguments].concat())?)
    };
    let given =
        parse(&["--config", "a.toml", "--listen", "[::1]:1", "--set", "log.level=debug", "--set", "x=a=b"])
            .unwrap();
    assert_eq!(given.file, Some("a.toml".into()));
    let flags: Vec<(&str, &str, &str)> =
        given.flags.iter().map(|(flag, path, text)| (flag.as_str(), path.as_str(), text.as_str())).collect();
    assert_eq!(
        flags,
        [
            ("--listen", "server.listen", "[::1]:1"),
            ("--set log.level", "log.level", "debug"),
            ("--set x", "x", "a=b")
        ]
    );
    assert!(parse(&["--set", "log.level"]).is_err());
    Given::augment_args(clap::Command::new("x")).debug_assert();
}

#[test]
fn secrets_are_looked_up_where_the_reference_says() {
    let case = Case::new();
    let key = case.put("hmac", "0123456789abcdef0123456789abcdef\n");
    let kek = case.put("kek", &"ab".repeat(32));
    let case = case
        .variable("INDELIBLE__KEYS__HMAC_KEY", &format!("file:{}", key.display()))
        .variable("INDELIBLE__KEYS__KEY_FILE", &format!("file:{}", kek.display()));
    let settings = case.config().settings(&case.env()).unwrap();
    assert!(settings.hmac_key.is_some());
    assert_eq!(settings.key, Some(indelible::KeySource::File(kek)));
    // The first start makes the key.
    let config = Case::new().variable("INDELIBLE_KEY_FILE", "/nowhere/kek").config();
    assert_eq!(config.keys.key_file, Some(Reference::File("/nowhere/kek".into())));
}

#[test]
fn the_first_class_that_fits_decides_whether_best_effort_is_enough() {
    let config = Case::file(
        r#"
        [recording]
        must_record = ["severity>=high"]
        [[recording.classes]]
        name = "tools"
        filter = "type:tool.*"
        [[recording.classes]]
        name = "calls"
        filter = "type:llm.* OR type:rag.*"
        on_failure = "accept"
        "#,
    )
    .config();
    let filter = config.recording.best_effort().unwrap().unwrap();
    let fits =
        |json: &str| filter.matches(&event::json::parse(json.as_bytes(), &event::Limits::default()).unwrap());
    assert!(fits(r#"{"type": "llm.completion", "severity": "low"}"#));
    assert!(!fits(r#"{"type": "llm.completion", "severity": "high"}"#));
    assert!(!fits(r#"{"type": "tool.call", "severity": "low"}"#));
    assert!(!fits(r#"{"type": "auth.login", "severity": "low"}"#));
}

/// A reader of `typed.rs` finds every setting of the table, and only those.
#[test]
fn the_program_takes_every_setting() {
    let typed = include_str!("../typed.rs");
    for setting in SETTINGS.iter().filter(|setting| !setting.path.starts_with("redaction.")) {
        assert!(typed.contains(&format!("\"{}\"", setting.path)), "{} is taken by nobody", setting.path);
    }
    // With every setting set, nothing is read as what it is not.
    let mut case = Case::new();
    for setting in SETTINGS {
        case = case.flag("--set", setting.path, setting.example);
    }
    let (effective, problems) = case.load();
    assert_eq!(problems, []);
    let config = Config::of(&effective);
    assert!(config.server.tls.is_some() && config.keys.hmac_key.is_some());
    assert_eq!(
        config.recording.classes.len() + config.retention.classes.len() + config.redaction.rules.len(),
        3
    );
}
