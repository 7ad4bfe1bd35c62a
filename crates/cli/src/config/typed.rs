//! The settings in force, as the program takes them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use access::{Reach, Role};
use api::{Limits, Rate, SyslogLimits};
use event::{Object, Value};
use indelible::{QuarantinePolicy, Settings};
use ipnet::IpNet;
use query::Filter;
use receivers::mapping::Mapping;

use crate::config::load::{Effective, Given, Problem, load};
use crate::config::oidc::Oidc;
use crate::config::rules;
use crate::config::secret::Environment;
use crate::config::shape::{Held, Reference, Row};
use crate::input;

/// Every setting. What each is for stands in the table (`settings.rs`) and in docs/reference/configuration.md.
/// There is no secret in it, only where secrets are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config {
    pub(crate) data: PathBuf,
    pub(crate) server: Server,
    pub(crate) ingest: Ingest,
    pub(crate) syslog: Syslog,
    pub(crate) keys: Keys,
    pub(crate) ledger: Ledger,
    pub(crate) clock: Clock,
    pub(crate) recording: Recording,
    /// With `recording.content` in it.
    pub(crate) redaction: redact::Policy,
    pub(crate) quarantine: QuarantinePolicy,
    pub(crate) index: Index,
    pub(crate) retention: Retention,
    pub(crate) oidc: Option<Oidc>,
    pub(crate) auth: Auth,
    pub(crate) log: Log,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Server {
    pub(crate) listen: SocketAddr,
    pub(crate) insecure: bool,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) tls: Option<Tls>,
    /// `server.limits` and `server.rate`.
    pub(crate) limits: Limits,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tls {
    pub(crate) certificate: PathBuf,
    pub(crate) key: Reference,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ingest {
    pub(crate) mappings: Vec<MappingFile>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MappingFile {
    /// In the address.
    pub(crate) name: String,
    pub(crate) file: PathBuf,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Syslog {
    pub(crate) listen: Vec<SyslogPlace>,
    pub(crate) tls_listen: Vec<SyslogPlace>,
    pub(crate) client_ca: Option<PathBuf>,
    pub(crate) limits: SyslogLimits,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SyslogPlace {
    pub(crate) address: SocketAddr,
    pub(crate) organisation: String,
    pub(crate) producer: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Keys {
    pub(crate) key_file: Option<Reference>,
    pub(crate) hmac_key: Option<Reference>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ledger {
    pub(crate) heads_copy: Option<PathBuf>,
    pub(crate) origin: Option<String>,
    pub(crate) cache_bytes: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Clock {
    pub(crate) step: Duration,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Recording {
    /// Whether prompts and responses are kept, not only fingerprinted.
    pub(crate) keeps_content: bool,
    /// Filters.
    pub(crate) must_record: Vec<String>,
    pub(crate) classes: Vec<RecordingClass>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RecordingClass {
    pub(crate) name: String,
    pub(crate) filter: String,
    /// `on_failure = "accept"`.
    pub(crate) is_best_effort: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Index {
    pub(crate) cache_bytes: usize,
    pub(crate) scan_below: u64,
    pub(crate) commit: Duration,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Retention {
    /// 0 is for good.
    pub(crate) days: u64,
    pub(crate) classes: Vec<RetentionClass>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RetentionClass {
    pub(crate) name: String,
    pub(crate) filter: String,
    /// 0 is for good.
    pub(crate) days: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Auth {
    pub(crate) bootstrap_token: Option<Reference>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Log {
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub(crate) level: &'static str,
    pub(crate) is_json: bool,
}

impl Config {
    /// The settings in force, or all that is wrong with them, a line each. Secrets are looked for, too.
    pub(crate) fn load(given: &Given, env: &Environment) -> anyhow::Result<Config> {
        usable(Config::check(given, env, true))
    }

    /// The same for a command beside the server, which may well not have the server's certificate and tokens.
    pub(crate) fn of_command(given: &Given, env: &Environment) -> anyhow::Result<Config> {
        usable(Config::check(given, env, false))
    }

    /// What every layer says, and all that is wrong with it.
    pub(crate) fn check(given: &Given, env: &Environment, with_secrets: bool) -> (Effective, Vec<Problem>) {
        let (effective, mut problems) = load(given, env);
        let config = Config::of(&effective);
        problems.extend(rules::between(&effective, &config));
        if with_secrets {
            problems.extend(rules::secrets(&effective, &config, env));
        }
        (effective, problems)
    }

    /// What the product is opened with. Reads the secrets it needs.
    pub(crate) fn settings(&self, env: &Environment) -> anyhow::Result<Settings> {
        let mut settings = Settings::new(&self.data);
        let key = self.keys.key_file.as_ref().map(|key| env.key_source(key)).transpose();
        settings.key = key.map_err(|what| anyhow::anyhow!("keys.key_file: {what}"))?;
        let hmac = self.keys.hmac_key.as_ref().map(|key| env.mac_key(key)).transpose();
        settings.hmac_key = hmac.map_err(|what| anyhow::anyhow!("keys.hmac_key: {what}"))?.map(Arc::new);
        settings.heads_copy.clone_from(&self.ledger.heads_copy);
        settings.origin.clone_from(&self.ledger.origin);
        settings.redaction = self.redaction.clone();
        settings.best_effort =
            self.recording.best_effort().map_err(|what| anyhow::anyhow!("recording.classes: {what}"))?;
        settings.quarantine = self.quarantine.clone();
        settings.scan_below = self.index.scan_below;
        settings.index_cache_bytes = self.index.cache_bytes;
        settings.index_commit_ms = self.index.commit.as_millis() as u64;
        settings.clock_step_ms = self.clock.step.as_millis() as u64;
        settings.blocks_bytes = self.ledger.cache_bytes;
        Ok(settings)
    }

    /// What it is served with. Reads certificate and key.
    pub(crate) fn door(&self, env: &Environment) -> anyhow::Result<api::Settings> {
        let tls = self.server.tls.as_ref().map(|tls| env.tls(&tls.certificate, &tls.key)).transpose();
        Ok(api::Settings {
            limits: self.server.limits.clone(),
            trusted_proxies: self.server.trusted_proxies.clone(),
            tls: tls.map_err(|what| anyhow::anyhow!("server.tls: {what}"))?,
            mappings: Arc::new(self.ingest.read()?),
            syslog_limits: self.syslog.limits.clone(),
            ..api::Settings::default()
        })
    }

    /// Takes what was read. Every setting of the table is taken here; a test looks.
    pub(crate) fn of(settings: &Effective) -> Config {
        let whole = |path| match held(settings, path) {
            Held::Whole(n) => *n,
            other => unreachable!("{path} is {other:?}"),
        };
        let count = |path| usize::try_from(whole(path)).unwrap_or(usize::MAX);
        let rate = |path| match held(settings, path) {
            Held::Rate(quota, window) => Rate { quota: *quota, window: *window },
            other => unreachable!("{path} is {other:?}"),
        };
        let bytes = |path| match held(settings, path) {
            Held::Bytes(n) => usize::try_from(*n).unwrap_or(usize::MAX),
            other => unreachable!("{path} is {other:?}"),
        };
        let time = |path| match held(settings, path) {
            Held::Time(time) => *time,
            other => unreachable!("{path} is {other:?}"),
        };
        let switch = |path| match held(settings, path) {
            Held::Switch(on) => *on,
            other => unreachable!("{path} is {other:?}"),
        };
        let word = |path| match held(settings, path) {
            Held::Word(word) => *word,
            other => unreachable!("{path} is {other:?}"),
        };
        let rows = |path| match held(settings, path) {
            Held::Rows(rows) => rows.as_slice(),
            other => unreachable!("{path} is {other:?}"),
        };
        let text = |path| match &settings.entry(path).held {
            Some(Held::Text(text)) => Some(text.clone()),
            Some(other) => unreachable!("{path} is {other:?}"),
            None => None,
        };
        let reference = |path| match &settings.entry(path).held {
            Some(Held::Reference(reference)) => Some(reference.clone()),
            Some(other) => unreachable!("{path} is {other:?}"),
            None => None,
        };
        let certificate = text("server.tls.certificate").map(PathBuf::from);
        let key = reference("server.tls.key");
        Config {
            data: text("data").expect("has a default").into(),
            server: Server {
                listen: match held(settings, "server.listen") {
                    Held::Address(address) => *address,
                    other => unreachable!("server.listen is {other:?}"),
                },
                insecure: switch("server.insecure"),
                trusted_proxies: match held(settings, "server.trusted_proxies") {
                    Held::Networks(networks) => networks.clone(),
                    other => unreachable!("server.trusted_proxies is {other:?}"),
                },
                tls: certificate.zip(key).map(|(certificate, key)| Tls { certificate, key }),
                limits: Limits {
                    events_body_bytes: bytes("server.limits.events_body_bytes"),
                    litellm_body_bytes: bytes("server.limits.litellm_body_bytes"),
                    bodies_bytes: bytes("server.limits.bodies_bytes"),
                    trees_bytes: bytes("server.limits.trees_bytes"),
                    writers: count("server.limits.writers"),
                    readers: count("server.limits.readers"),
                    exports: count("server.limits.exports"),
                    tails: count("server.limits.tails"),
                    connections: count("server.limits.connections"),
                    key_rate: rate("server.rate.per_key"),
                    address_rate: rate("server.rate.per_address"),
                    login_rate: rate("server.rate.failed_logins"),
                    handshake_time: time("server.limits.handshake_time"),
                    stall_time: time("server.limits.stall_time"),
                    head_time: time("server.limits.head_time"),
                    body_time: time("server.limits.body_time"),
                    drain_time: time("server.limits.drain_time"),
                },
            },
            ingest: Ingest {
                mappings: rows("ingest.mappings")
                    .iter()
                    .map(|row| MappingFile {
                        name: row_text(row, "name"),
                        file: row_text(row, "file").into(),
                    })
                    .collect(),
            },
            syslog: Syslog {
                listen: rows("syslog.listen").iter().map(place).collect(),
                tls_listen: rows("syslog.tls_listen").iter().map(place).collect(),
                client_ca: text("syslog.client_ca").map(PathBuf::from),
                limits: SyslogLimits {
                    allow: match held(settings, "syslog.allow") {
                        Held::Networks(networks) => networks.clone(),
                        other => unreachable!("syslog.allow is {other:?}"),
                    },
                    connections: count("syslog.connections"),
                    idle: time("syslog.idle"),
                },
            },
            keys: Keys { key_file: reference("keys.key_file"), hmac_key: reference("keys.hmac_key") },
            ledger: Ledger {
                heads_copy: text("ledger.heads_copy").map(PathBuf::from),
                origin: text("ledger.origin"),
                cache_bytes: bytes("ledger.cache_bytes"),
            },
            clock: Clock { step: time("clock.step") },
            recording: Recording {
                keeps_content: word("recording.content") == "keep",
                must_record: match held(settings, "recording.must_record") {
                    Held::Texts(filters) => filters.clone(),
                    other => unreachable!("recording.must_record is {other:?}"),
                },
                classes: rows("recording.classes")
                    .iter()
                    .map(|row| RecordingClass {
                        name: row_text(row, "name"),
                        filter: row_text(row, "filter"),
                        is_best_effort: *cell(row, "on_failure") == Held::Word("accept"),
                    })
                    .collect(),
            },
            // What is wrong with it is told by `rules`, and then nothing starts.
            redaction: redaction(settings).unwrap_or_default(),
            quarantine: QuarantinePolicy {
                keep_bodies: switch("quarantine.keep_bodies"),
                days: u32::try_from(whole("quarantine.days")).unwrap_or(u32::MAX),
                max_bytes: bytes("quarantine.max_bytes") as u64,
            },
            index: Index {
                cache_bytes: bytes("index.cache_bytes"),
                scan_below: whole("index.scan_below"),
                commit: Duration::from_millis(whole("index.commit_ms")),
            },
            retention: Retention {
                days: whole("retention.days"),
                classes: rows("retention.classes")
                    .iter()
                    .map(|row| RetentionClass {
                        name: row_text(row, "name"),
                        filter: row_text(row, "filter"),
                        days: match cell(row, "days") {
                            Held::Whole(days) => *days,
                            other => unreachable!("days is {other:?}"),
                        },
                    })
                    .collect(),
            },
            oidc: Oidc {
                issuer: text("oidc.issuer").unwrap_or_default(),
                client_id: text("oidc.client_id").unwrap_or_default(),
                client_secret: reference("oidc.client_secret"),
                public_url: text("oidc.public_url").unwrap_or_default(),
                name: text("oidc.name").unwrap_or_default(),
                scopes: text("oidc.scopes").unwrap_or_default(),
                user_claim: text("oidc.user_claim").unwrap_or_default(),
                groups_claim: text("oidc.groups_claim").unwrap_or_default(),
                roles: rows("oidc.roles").iter().map(group).collect(),
                trust_email: switch("oidc.trust_email"),
                authorities: text("oidc.authorities").map(PathBuf::from),
            }
            .if_given(),
            auth: Auth { bootstrap_token: reference("auth.bootstrap_token") },
            log: Log { level: word("log.level"), is_json: word("log.format") == "json" },
        }
    }
}

fn group(row: &Row) -> ::oidc::Mapping {
    let role = match cell(row, "role") {
        Held::Word(word) => Role::named(word),
        _ => None,
    };
    ::oidc::Mapping {
        group: row_text(row, "group"),
        role: role.unwrap_or_else(|| unreachable!("the words are the names of roles")),
        organisation: Reach::parse(&row_text(row, "organisation")),
    }
}

fn place(row: &Row) -> SyslogPlace {
    SyslogPlace {
        address: match cell(row, "address") {
            Held::Address(address) => *address,
            other => unreachable!("address is {other:?}"),
        },
        organisation: row_text(row, "organisation"),
        producer: row_text(row, "producer"),
    }
}

impl Ingest {
    /// Reads the mapping files: all that is wrong with them, a line each.
    pub(crate) fn read(&self) -> anyhow::Result<Vec<(String, Mapping)>> {
        let mut wrong = Vec::new();
        let mut mappings = Vec::new();
        for MappingFile { name, file } in &self.mappings {
            match input::mapping(file) {
                Ok(mapping) => mappings.push((name.clone(), mapping)),
                Err(error) => wrong.push(format!("{error:#}")),
            }
        }
        anyhow::ensure!(wrong.is_empty(), "ingest.mappings: {}", wrong.join("\n"));
        Ok(mappings)
    }
}

fn usable((effective, problems): (Effective, Vec<Problem>)) -> anyhow::Result<Config> {
    anyhow::ensure!(
        problems.is_empty(),
        "the configuration can't be used:\n{}",
        problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
    );
    Ok(Config::of(&effective))
}

impl Recording {
    /// The filter of events for which best effort is enough, or `None` if every event must be recorded. The first class
    /// that fits an event decides, and `must_record` comes before all classes. Fails if all of them together are too long.
    pub(crate) fn best_effort(&self) -> Result<Option<Filter>, query::Error> {
        let mut strict: Vec<&str> = self.must_record.iter().map(String::as_str).collect();
        let mut enough = Vec::new();
        for class in &self.classes {
            match class.is_best_effort {
                false => strict.push(&class.filter),
                true => {
                    let but: String = strict.iter().map(|filter| format!(" AND NOT ({filter})")).collect();
                    enough.push(format!("(({}){but})", class.filter));
                }
            }
        }
        (!enough.is_empty()).then(|| Filter::parse(&enough.join(" OR "))).transpose()
    }
}

fn held<'a>(settings: &'a Effective, path: &str) -> &'a Held {
    settings.entry(path).held.as_ref().unwrap_or_else(|| panic!("{path} has no default"))
}

fn cell<'a>(row: &'a Row, column: &str) -> &'a Held {
    row.iter()
        .find(|(name, _)| *name == column)
        .map(|(_, held)| held)
        .unwrap_or_else(|| panic!("no column {column}"))
}

fn row_text(row: &Row, column: &str) -> String {
    match cell(row, column) {
        Held::Text(text) => text.clone(),
        other => unreachable!("{column} is {other:?}"),
    }
}

/// What stands under `[redaction]`, with `recording.content`, as crates/redact reads it.
pub(crate) fn redaction(settings: &Effective) -> Result<redact::Policy, redact::PolicyError> {
    let (mut policy, mut pii) = (Object::new(), Object::new());
    policy.insert("content", held(settings, "recording.content").value());
    for entry in settings.entries() {
        let Some(path) = entry.setting.path.strip_prefix("redaction.") else { continue };
        let Some(held) = &entry.held else { continue };
        match path.strip_prefix("pii.") {
            Some(class) => pii.insert(class, held.value()),
            None => policy.insert(path, held.value()),
        };
    }
    policy.insert("pii", Value::Object(pii));
    redact::Policy::from_value(&Value::Object(policy))
}
