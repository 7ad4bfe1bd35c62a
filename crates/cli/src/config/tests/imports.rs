use clap::Parser;
use expect_test::{Expect, expect};

use super::Case;
use crate::config::import::{Import, Imported};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    import: Import,
}

fn import(case: &Case, arguments: &[&str]) -> anyhow::Result<Imported> {
    Line::try_parse_from([&["import"], arguments].concat()).unwrap().import.run(&case.env())
}

fn bifrost(json: &str) -> anyhow::Result<Imported> {
    let case = Case::new();
    let path = case.put("config.json", json);
    import(&case, &["--from", "bifrost", path.to_str().unwrap()])
}

#[track_caller]
fn check(imported: &Imported, refused: usize, expect: Expect) {
    expect.assert_eq(&imported.toml());
    assert_eq!(imported.refused.len(), refused, "{:?}", imported.refused);
}

/// The block of Bifrost's own documentation, with all that it can hold.
#[test]
fn bifrost_s_documented_block() {
    let imported = bifrost(
        r#"{"providers": {"openai": {"keys": []}}, "audit_logs": {
        "disabled": false, "hmac_key": "env.AUDIT_HMAC_KEY", "retention_days": 365,
        "siem_integration": {
            "splunk": {"enabled": true, "hec_endpoint": "https://splunk.company.com:8088/services/collector",
                "hec_token": "env.SPLUNK_HEC_TOKEN", "source_type": "bifrost:audit", "index": "security",
                "batch_size": 100, "flush_interval": "10s"},
            "datadog": {"enabled": false, "api_key": "dd-secret"}},
        "webhooks": {"enabled": true, "endpoints": [{"name": "security_incidents", "url": "https://x:y@z",
            "auth": {"type": "bearer", "token": "hook-secret"}, "retry": {"max_attempts": 3}}]}}}"#,
    )
    .unwrap();
    check(
        &imported,
        0,
        expect![[r#"
        # Imported by `indelible config import`. Whatever is not here has its default.
        #
        # audit_logs.disabled is false: nothing to set.
        #
        # audit_logs.siem_integration delivers to: splunk, datadog (not enabled). No setting does that: sinks are administration, which is recorded, and arrive with a command of their own.
        #
        # audit_logs.webhooks delivers to: security_incidents. No setting does that: sinks are administration, which is recorded, and arrive with a command of their own.

        [keys]
        hmac_key = "env.AUDIT_HMAC_KEY"

        [retention]
        days = 365
    "#]],
    );
    for secret in ["dd-secret", "hook-secret", "https:"] {
        assert!(!imported.toml().contains(secret));
    }
    // What is printed is a configuration.
    let case = Case::file(&imported.toml()).variable("AUDIT_HMAC_KEY", "0123456789abcdef0123456789abcdef");
    assert_eq!(case.config().retention.days, 365);
}

#[test]
fn a_bifrost_that_was_switched_off_is_not_imported_quietly() {
    let imported = bifrost(
        r#"{"audit_logs": {"disabled": true, "retention_days": 30, "hmac_key": "a-key-that-was-written-into-the-file"}}"#,
    )
    .unwrap();
    check(
        &imported,
        3,
        expect![[r#"
        # Imported by `indelible config import`. Whatever is not here has its default.
        #
        # REFUSED: audit_logs.disabled is true: Indelible is not switched off by a file. It is off when it is not started
        #
        # REFUSED: audit_logs.retention_days is 30: events are kept at least 90 days here. `config check` refuses the line below until you choose 90 or more, or 0 to keep them for good
        #
        # REFUSED: audit_logs.hmac_key is written out in the file, and is not copied from there. Put it into the variable AUDIT_HMAC_KEY, and consider a new one: a key in a file has been seen

        [keys]
        hmac_key = "env.AUDIT_HMAC_KEY"

        [retention]
        days = 30
    "#]],
    );
    assert!(!Case::file(&imported.toml()).problems().is_empty());
}

#[test]
fn bifrost_s_variables() {
    let case = Case::new()
        .variable("BIFROST_AUDIT_LOGS_ENABLED", "true")
        .variable("BIFROST_AUDIT_RETENTION_DAYS", "0")
        .variable("BIFROST_AUDIT_ARCHIVE_DAYS", "90")
        .variable("BIFROST_AUDIT_AUTH_EVENTS", "true")
        .variable("BIFROST_AUDIT_CONFIG_CHANGES", "1")
        .variable("BIFROST_AUDIT_SECURITY_EVENTS", "TRUE")
        .variable("BIFROST_AUDIT_IMMUTABLE", "true");
    let imported = import(&case, &["--from", "bifrost", "--env"]).unwrap();
    check(
        &imported,
        0,
        expect![[r#"
        # Imported by `indelible config import`. Whatever is not here has its default.
        #
        # BIFROST_AUDIT_ARCHIVE_DAYS is 90: archiving after some days has no counterpart yet.
        #
        # BIFROST_AUDIT_AUTH_EVENTS is true: nothing to set, it always is.
        #
        # BIFROST_AUDIT_CONFIG_CHANGES is true: nothing to set, it always is.
        #
        # BIFROST_AUDIT_IMMUTABLE is true: nothing to set, it always is.
        #
        # BIFROST_AUDIT_LOGS_ENABLED is true: nothing to set, it always is.
        #
        # BIFROST_AUDIT_SECURITY_EVENTS is true: nothing to set, it always is.

        [retention]
        days = 0
    "#]],
    );
    assert_eq!(Case::file(&imported.toml()).config().retention.days, 0);

    let case = Case::new()
        .variable("BIFROST_AUDIT_LOGS_ENABLED", "false")
        .variable("BIFROST_AUDIT_AUTH_EVENTS", "false")
        .variable("BIFROST_AUDIT_SECURITY_EVENTS", "maybe")
        .variable("BIFROST_AUDIT_RETENTION_DAYS", "1y")
        .variable("BIFROST_AUDIT_IMMUTABLE", "false")
        .variable("BIFROST_AUDIT_RETENTION_DAY", "7");
    let imported = import(&case, &["--from", "bifrost", "--env"]).unwrap();
    check(
        &imported,
        6,
        expect![[r#"
        # Imported by `indelible config import`. Whatever is not here has its default.
        #
        # REFUSED: BIFROST_AUDIT_AUTH_EVENTS is false: every event that is sent is recorded. To leave out authentication events, don't send them
        #
        # REFUSED: BIFROST_AUDIT_IMMUTABLE is false: what is recorded can't be changed, and that can't be switched off
        #
        # REFUSED: BIFROST_AUDIT_LOGS_ENABLED is false: Indelible is not switched off by a file. It is off when it is not started
        #
        # REFUSED: BIFROST_AUDIT_RETENTION_DAY is not known; did you mean BIFROST_AUDIT_RETENTION_DAYS?
        #
        # REFUSED: BIFROST_AUDIT_RETENTION_DAYS is "1y": a number of days is expected
        #
        # REFUSED: BIFROST_AUDIT_SECURITY_EVENTS is "maybe": true or false is expected
    "#]],
    );
}

#[test]
fn litellm_s_variable() {
    let import = |value: Option<&str>| {
        let case = Case::new();
        let case = match value {
            Some(value) => case.variable("LITELLM_STORE_AUDIT_LOGS", value),
            None => case,
        };
        import(&case, &["--from", "litellm", "--env"]).unwrap()
    };
    check(
        &import(Some("True")),
        0,
        expect![[r#"
        # Imported by `indelible config import`. Whatever is not here has its default.
        #
        # LITELLM_STORE_AUDIT_LOGS is true: nothing to set, whatever LiteLLM sends is recorded.
        #
        # Point LiteLLM's generic API callback at /ingest/litellm; the README has the lines for its config.yaml.
    "#]],
    );
    assert!(import(Some("false")).toml().contains("REFUSED: LITELLM_STORE_AUDIT_LOGS is false"));
    assert!(import(None).toml().contains("is not set"));
    Case::file(&import(None).toml()).config();
}

#[test]
fn what_is_not_understood_is_refused() {
    let wrong = |json: &str| format!("{:#}", bifrost(json).unwrap_err());
    assert!(wrong("{}").contains("has no audit_logs"));
    assert!(wrong("{\"audit_logs\": []}").contains("expected an object, not a list"));
    assert!(
        wrong("{\"audit_logs\": {\n\"retention_day\": 1}}")
            .contains("line 2: audit_logs.retention_day is not known; did you mean retention_days?")
    );
    assert!(wrong("{\"audit_logs\": {\"hmac_key\": 5}}").contains("audit_logs.hmac_key can't be a number"));
    assert!(wrong("{\"audit_logs\": {\"disabled\": \"no\"}}").contains("can't be text"));
    assert!(Line::try_parse_from(["import", "--from", "bifrost"]).is_err());
    assert!(Line::try_parse_from(["import", "--from", "bifrost", "--env", "x.json"]).is_err());
    assert!(import(&Case::new(), &["--from", "litellm", "x.json"]).is_err());
}
