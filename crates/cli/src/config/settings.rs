//! The one table of settings. Parsing, `config check|show|schema`, the flags of `serve`, the reference and the example
//! are made from it.

use access::Role;

use crate::config::shape::{Choice, Held, Shape};

/// One setting.
pub(crate) struct Setting {
    /// Where it stands in the file: `server.listen` is `listen` in the table `[server]`.
    pub(crate) path: &'static str,
    /// What it may be.
    pub(crate) shape: Shape,
    /// What holds if nobody says otherwise, as it would be written in the environment.
    pub(crate) default: Option<&'static str>,
    /// What it is for, what goes wrong if it is wrong, and what holds if it has no default and is left out.
    pub(crate) about: &'static str,
    /// A value to begin with, as it would be written in the environment. The default if there is one.
    pub(crate) example: &'static str,
    /// Flag of `serve` and `config`, without the dashes. Any setting can be given with `--set`, too.
    pub(crate) flag: Option<&'static str>,
    /// A second, shorter name in the environment.
    pub(crate) short: Short,
}

/// A second name of a setting in the environment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Short {
    /// None.
    No,
    /// The variable holds what `INDELIBLE__…` would hold.
    Same(&'static str),
    /// The variable holds the secret itself, not a reference to it.
    Secret(&'static str),
}

impl Setting {
    const fn new(path: &'static str, shape: Shape, about: &'static str) -> Setting {
        Setting { path, shape, default: None, about, example: "", flag: None, short: Short::No }
    }

    /// With a default, which is the example, too.
    const fn or(mut self, default: &'static str) -> Setting {
        self.default = Some(default);
        self.example = default;
        self
    }

    const fn such_as(mut self, example: &'static str) -> Setting {
        self.example = example;
        self
    }

    const fn flag(mut self, flag: &'static str, variable: &'static str) -> Setting {
        self.flag = Some(flag);
        self.short = Short::Same(variable);
        self
    }

    const fn secret_in(mut self, variable: &'static str) -> Setting {
        self.short = Short::Secret(variable);
        self
    }

    /// Its default.
    pub(crate) fn default(&self) -> Option<Held> {
        self.default.map(|text| self.shape.read_text(text).expect("defaults can be read"))
    }

    /// Its example.
    pub(crate) fn example(&self) -> Held {
        self.shape.read_text(self.example).expect("examples can be read")
    }

    /// The table it stands in: `server.tls` of `server.tls.key`, nothing for `data`.
    pub(crate) fn table(&self) -> &'static str {
        self.path.rsplit_once('.').map_or("", |(table, _)| table)
    }

    /// Its name in that table.
    pub(crate) fn name(&self) -> &'static str {
        self.path.rsplit_once('.').map_or(self.path, |(_, name)| name)
    }

    /// Its name in the environment.
    pub(crate) fn variable(&self) -> String {
        format!("{PREFIX}{}", self.path.replace('.', "__").to_uppercase())
    }
}

/// With this begins the name of a setting in the environment; two underscores stand for each dot.
pub(crate) const PREFIX: &str = "INDELIBLE__";

/// The setting at a path.
pub(crate) fn find(path: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.path == path)
}

/// Whether a path names a table that settings stand in.
pub(crate) fn is_table(path: &str) -> bool {
    SETTINGS.iter().any(|setting| setting.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}

/// The words that may be chosen, unless the setting before this one has the same: they are told once.
pub(crate) fn choices_to_tell(at: usize) -> &'static [Choice] {
    let choices = |at: usize| match &SETTINGS[at].shape {
        Shape::Choice(choices) => *choices,
        _ => &[],
    };
    match at.checked_sub(1) {
        Some(before) if std::ptr::eq(choices(before), choices(at)) => &[],
        _ => choices(at),
    }
}

/// What somebody may have meant by a path that is no setting's: one that is a few letters away, or one of the same last
/// name in another table.
pub(crate) fn nearest(path: &str) -> Option<&'static str> {
    let name = path.rsplit('.').next().unwrap_or(path);
    let close = |setting: &'static Setting| {
        let far = distance(setting.path, path);
        (far * 4 <= setting.path.len().max(8)).then_some((far, setting.path))
    };
    let elsewhere = |setting: &'static Setting| {
        let far = distance(setting.name(), name);
        (far * 4 <= setting.name().len()).then_some((far, setting.path))
    };
    let near =
        SETTINGS.iter().filter_map(close).min().or_else(|| SETTINGS.iter().filter_map(elsewhere).min());
    near.map(|(_, path)| path)
}

/// What somebody may have meant by a word, among a few.
pub(crate) fn nearest_of(word: &str, words: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    words
        .map(|ours| (distance(ours, word), ours))
        .filter(|(far, ours)| far * 3 <= ours.len())
        .min()
        .map(|(_, ours)| ours)
}

/// Edits from one name to another: letters put in, taken out, changed, or two of them swapped. What is longer than any name
/// of ours is far.
fn distance(ours: &str, theirs: &str) -> usize {
    if theirs.len() > 64 {
        return usize::MAX / 8;
    }
    let (a, b) = (ours.to_ascii_lowercase().into_bytes(), theirs.to_ascii_lowercase().into_bytes());
    // `rows[i][j]`: from the first i letters of one to the first j of the other.
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let changed = rows[i][j] + usize::from(x != y);
            let mut least = changed.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

/// Roles, as `access` has them.
const ROLES: [Choice; Role::ALL.len()] = {
    let mut all = [Choice("", ""); Role::ALL.len()];
    let mut at = 0;
    while at < all.len() {
        all[at] = Choice(Role::ALL[at].name(), Role::ALL[at].about());
        at += 1;
    }
    all
};

/// What a table of settings is about.
pub(crate) const TABLES: &[(&str, &str)] = &[
    ("server", "Where Indelible listens, and to whom."),
    ("server.tls", "TLS 1.2 and 1.3, served by Indelible itself. Both settings, or neither."),
    (
        "server.limits",
        "How much of the machine requests may have. The defaults suit a machine with 4 GiB; lower them on a smaller one.",
    ),
    (
        "server.rate",
        "How many requests in how much time. All may come at once; then they come back evenly. Beyond it the answer is 429.",
    ),
    ("ingest", "What other products send, beside what is understood anyway."),
    (
        "syslog",
        "Syslog over TCP and TLS. It has no keys: whoever may connect may write, and over TCP alone what was on its way \
         when a server dies is lost.",
    ),
    ("keys", "Keys that are kept outside the data folder."),
    ("ledger", "What the ledgers of all organisations have in common."),
    ("clock", "When the wall clock is not believed."),
    ("recording", "What is recorded of prompts and responses, and what happens when recording fails."),
    (
        "redaction",
        "What is taken out before anything is recorded. Passwords, tokens, keys and card numbers always are.",
    ),
    (
        "redaction.pii",
        "What is done with personal data in free text. Who acted is always kept: that is what an audit log says.",
    ),
    ("quarantine", "What is kept of events that could not be understood."),
    ("index", "How events are found. The index can be deleted at any time and is made anew."),
    ("retention", "How long events are kept."),
    ("auth", "How the first administrator gets in."),
    (
        "oidc",
        "Single sign-on for people, by OpenID Connect: the authorization code flow with PKCE. Register the address \
         `<public_url>/login/oidc/return` with the provider. `issuer`, `client_id` and `public_url` together, or none of them.",
    ),
    ("log", "Indelible's own diagnostics, on standard error. They hold no event."),
];

/// The line about a table.
pub(crate) fn table_about(table: &str) -> &'static str {
    TABLES
        .iter()
        .find(|(name, _)| *name == table)
        .map(|(_, about)| *about)
        .expect("every table has a line about it")
}

static ACTIONS: [Choice; 4] = [
    Choice("keep", "left as it is"),
    Choice("mask", "replaced by a marker such as `[redacted:email]`"),
    Choice("hash", "replaced by a keyed fingerprint: equal values stay equal"),
    Choice("drop", "the whole value that holds it is taken out"),
];

const CLASS: Shape = Shape::Name;

/// A place where syslog is taken.
static PLACE: [Setting; 3] = [
    Setting::new("address", Shape::Address, "Address and port.").such_as("127.0.0.1:5514"),
    Setting::new("organisation", CLASS, "In whose ledger the events are recorded.").or("default"),
    Setting::new("producer", Shape::Text(64), "The producer that events name.").or("syslog"),
];

/// Every setting there is, in the order of the reference and the example.
pub(crate) static SETTINGS: &[Setting] = &[
    Setting::new(
        "data",
        Shape::Path,
        "Folder of everything: ledgers, index, state. A relative path starts at the working folder. \
         A wrong one is an empty log: Indelible makes the folder if it is not there.",
    )
    .or("data")
    .flag("data", "INDELIBLE_DATA"),
    Setting::new(
        "server.listen",
        Shape::Address,
        "Address and port. Beyond the loopback it needs TLS, or `server.insecure`.",
    )
    .or("127.0.0.1:8080")
    .flag("listen", "INDELIBLE_LISTEN"),
    Setting::new(
        "server.insecure",
        Shape::Switch,
        "Serve plain HTTP on an address that other machines reach. Tokens and events then travel in clear: \
         only where something in front, on a network of its own, ends TLS.",
    )
    .or("false"),
    Setting::new(
        "server.trusted_proxies",
        Shape::Networks,
        "Networks of proxies whose `X-Forwarded-For` and `Forwarded` are believed. \
         Whoever sends from one of them can claim any client address.",
    )
    .or("")
    .such_as("10.0.0.0/8, fd00::/8"),
    Setting::new("server.tls.certificate", Shape::Path, "Certificate chain, PEM. Without it the server speaks plain HTTP.")
        .such_as("/etc/indelible/tls.crt"),
    Setting::new("server.tls.key", Shape::Secret, "Private key of the certificate, PEM.")
        .such_as("file:/etc/indelible/tls.key"),
    Setting::new(
        "server.limits.events_body_bytes",
        Shape::Bytes(1 << 10, 1 << 30),
        "Largest body of `POST /v1/events`, also after decompression.",
    )
    .or("32MiB"),
    Setting::new(
        "server.limits.litellm_body_bytes",
        Shape::Bytes(1 << 10, 1 << 30),
        "Largest body of `POST /ingest/litellm` and of OTLP, which hold whole prompts.",
    )
    .or("64MiB"),
    Setting::new(
        "server.limits.bodies_bytes",
        Shape::Bytes(1 << 10, 1 << 40),
        "Bytes of all bodies in memory at once. Beyond it the answer is 503; at least as much as the largest body.",
    )
    .or("256MiB"),
    Setting::new(
        "server.limits.trees_bytes",
        Shape::Bytes(1 << 20, 1 << 40),
        "Memory that events read from bodies may take at once, as estimated before reading them.",
    )
    .or("1GiB"),
    Setting::new(
        "server.limits.writers",
        Shape::Whole(1, 1024),
        "Requests whose events are recorded at once. More wait, and then the answer is 503.",
    )
    .or("16"),
    Setting::new("server.limits.readers", Shape::Whole(1, 1024), "Questions that are answered at once. More wait.").or("16"),
    Setting::new("server.limits.exports", Shape::Whole(1, 1024), "Exports that are written at once. Beyond it the answer is 503.")
        .or("4"),
    Setting::new(
        "server.limits.tails",
        Shape::Whole(1, 100_000),
        "Clients that follow a ledger at once. Beyond it the answer is 503.",
    )
    .or("64"),
    Setting::new(
        "server.limits.connections",
        Shape::Whole(1, 100_000),
        "Connections that are open at once. More wait in the system's queue.",
    )
    .or("512"),
    Setting::new("server.limits.handshake_time", Shape::Time(1, 600), "How long opening a TLS connection may take.").or("10s"),
    Setting::new(
        "server.limits.stall_time",
        Shape::Time(1, 3600),
        "How long a client may take nothing of an answer before the connection is broken off.",
    )
    .or("60s"),
    Setting::new(
        "server.limits.head_time",
        Shape::Time(1, 600),
        "How long the head of a request may take, and how long a kept-alive connection may be idle. \
         Longer than senders keep theirs, or their next batch meets a closed door.",
    )
    .or("75s"),
    Setting::new("server.limits.body_time", Shape::Time(1, 3600), "How long a body may take to arrive.").or("120s"),
    Setting::new(
        "server.limits.drain_time",
        Shape::Time(0, 600),
        "How long a stop waits for requests that have begun. Less than what systemd or Kubernetes allow for stopping.",
    )
    .or("10s"),
    Setting::new("server.rate.per_key", Shape::Rate, "Requests of one API key.").or("60000/1m"),
    Setting::new(
        "server.rate.per_address",
        Shape::Rate,
        "Requests from one client address, or one IPv6 network of 64 bits, whatever key they show. \
         Behind a proxy, set `server.trusted_proxies` first, or all clients are one.",
    )
    .or("60000/1m"),
    Setting::new(
        "server.rate.failed_logins",
        Shape::Rate,
        "Requests without a right key from one client address. It slows down guessing; whoever has a right key is let in.",
    )
    .or("60/1m"),
    Setting::new(
        "ingest.mappings",
        Shape::Rows(&[
            Setting::new("name", CLASS, "Its name in the address: small letters, digits, `_` and `-`.").such_as("vault"),
            Setting::new("file", Shape::Path, "The file.").such_as("/etc/indelible/vault.toml"),
        ]),
        "Mapping files for `POST /ingest/NAME`, beside `cloudtrail`, `github` and `okta`, which come with Indelible; \
         one of these names takes the place of ours.",
    )
    .or("")
    .such_as(r#"[{ name = "vault", file = "/etc/indelible/vault.toml" }]"#),
    Setting::new(
        "syslog.listen",
        Shape::Rows(&PLACE),
        "Where syslog over plain TCP is taken. Beyond the loopback it needs `server.insecure`: anybody between can read and \
         write messages.",
    )
    .or("")
    .such_as(r#"[{ address = "127.0.0.1:5514", organisation = "default", producer = "syslog" }]"#),
    Setting::new(
        "syslog.tls_listen",
        Shape::Rows(&PLACE),
        "Where syslog over TLS (RFC 5425) is taken, with the certificate of `server.tls`.",
    )
    .or("")
    .such_as(r#"[{ address = "0.0.0.0:6514", organisation = "default", producer = "syslog" }]"#),
    Setting::new(
        "syslog.client_ca",
        Shape::Path,
        "Certificates, PEM, one of which must have signed that of each sender over TLS. Left out, senders need none, and \
         `syslog.allow` alone says who may write.",
    )
    .such_as("/etc/indelible/syslog-ca.crt"),
    Setting::new("syslog.allow", Shape::Networks, "Networks from which connections are taken.")
        .or("127.0.0.0/8, ::1/128")
        .such_as("10.0.0.0/8, fd00::/8"),
    Setting::new("syslog.connections", Shape::Whole(1, 10_000), "Connections of each place that are open at once. More wait.").or("64"),
    Setting::new("syslog.idle", Shape::Time(1, 7 * 86_400), "How long a connection may say nothing.").or("1h"),
    Setting::new(
        "keys.key_file",
        Shape::KeyFile,
        "The key-encryption key: a file of 64 hex digits, or `env.NAME`. Left out, it is `kek` in the data folder: \
         then whoever copies the folder can read everything. Lost, nobody can read anything.",
    )
    .such_as("file:/etc/indelible/kek")
    .flag("key-file", "INDELIBLE_KEY_FILE"),
    Setting::new(
        "keys.hmac_key",
        Shape::Secret,
        "Tag every event with HMAC-SHA256 under this key of at least 32 bytes. Left out, there are no tags; \
         signatures, proofs and witnesses do not need them.",
    )
    .such_as("env.AUDIT_HMAC_KEY")
    .flag("hmac-key", "INDELIBLE_HMAC_KEY"),
    Setting::new(
        "ledger.heads_copy",
        Shape::Path,
        "Folder for a second copy of every signed head, best on another volume: a rollback of the data folder is then found. \
         Left out, there is no second copy.",
    )
    .such_as("/var/lib/indelible-heads")
    .flag("heads-copy", "INDELIBLE_HEADS_COPY"),
    Setting::new(
        "ledger.cache_bytes",
        Shape::Bytes(1 << 20, 1 << 40),
        "Memory for what was read from ledgers, of all organisations together.",
    )
    .or("64MiB"),
    Setting::new(
        "ledger.origin",
        Shape::Origin,
        "Names of new ledgers begin with this. Fixed for each ledger when it is made; left out, a random name.",
    )
    .such_as("audit.example.com")
    .flag("origin", "INDELIBLE_ORIGIN"),
    Setting::new(
        "clock.step",
        Shape::Time(60, 3600),
        "A step of the wall clock by more than this, against the monotonic clock, is held and recorded: \
         times of receipt go on by the monotonic clock until the wall clock is back.",
    )
    .or("5m"),
    Setting::new(
        "recording.content",
        Shape::Choice(&[
            Choice("fingerprint", "prompts, responses, arguments and results are not stored, only keyed fingerprints of them"),
            Choice("keep", "they are stored as well, encrypted, after redaction, in a section that can be erased"),
        ]),
        "What is recorded of prompts and responses.",
    )
    .or("fingerprint"),
    Setting::new(
        "recording.must_record",
        Shape::Filters,
        "Events that are refused when they cannot be recorded, whatever the classes below say. \
         A list of filters, such as `type:config.*`.",
    )
    .or("")
    .such_as(r#"["type:config.*", "type:auth.*", "severity>=high"]"#),
    Setting::new(
        "recording.classes",
        Shape::Rows(&[
            Setting::new("name", CLASS, "Name of the class, for people.").such_as("chat"),
            Setting::new("filter", Shape::Filter, "Which events. The first class that fits decides.").such_as("type:llm.*"),
            Setting::new(
                "on_failure",
                Shape::Choice(&[
                    Choice("refuse", "the sender is told to try again, or to stop (503)"),
                    Choice("accept", "the sender goes on; that events are missing, from when to when and how many, is recorded later"),
                ]),
                "What the sender is told when recording fails.",
            )
            .or("refuse")
            .such_as("accept"),
        ]),
        "What happens, by class of event, when recording fails. What is in no class is refused.",
    )
    .or("")
    .such_as(r#"[{ name = "chat", filter = "type:llm.*", on_failure = "accept" }]"#),
    Setting::new(
        "redaction.ip",
        Shape::Choice(&[
            Choice("keep", "as they were seen"),
            Choice("truncate", "to the network: /24 of IPv4, /48 of IPv6"),
            Choice("drop", "not at all"),
        ]),
        "How addresses of clients are recorded.",
    )
    .or("keep"),
    Setting::new(
        "redaction.rules",
        Shape::Rows(&[
            Setting::new(
                "path",
                Shape::Text(256),
                "Where: a JSON pointer in which `*` stands for one name and, at the end, `**` for this place and all below it.",
            )
            .such_as("/attributes/customer/**"),
            Setting::new(
                "class",
                Shape::Choice(&[
                    Choice("email", "as in `redaction.pii`"),
                    Choice("phone", "as in `redaction.pii`"),
                    Choice("national_id", "as in `redaction.pii`"),
                    Choice("person", "as in `redaction.pii`"),
                    Choice("health", "as in `redaction.pii`"),
                    Choice("account", "as in `redaction.pii`"),
                    Choice("any", "the whole value at that place, whatever it holds; `keep` spares personal data only"),
                ]),
                "What.",
            )
            .such_as("email"),
            Setting::new("action", Shape::Choice(&ACTIONS), "What is done with it.").such_as("hash"),
        ]),
        "Other actions at some paths. The first rule that fits decides.",
    )
    .or("")
    .such_as(r#"[{ path = "/attributes/customer/**", class = "email", action = "hash" }]"#),
    Setting::new("redaction.pii.email", Shape::Choice(&ACTIONS), "E-mail addresses.").or("mask"),
    Setting::new("redaction.pii.phone", Shape::Choice(&ACTIONS), "Telephone numbers.").or("mask"),
    Setting::new("redaction.pii.national_id", Shape::Choice(&ACTIONS), "Social security, tax and identity numbers.").or("mask"),
    Setting::new(
        "redaction.pii.person",
        Shape::Choice(&ACTIONS),
        "Names, dates of birth and street addresses, in fields that are named so.",
    )
    .or("mask"),
    Setting::new("redaction.pii.health", Shape::Choice(&ACTIONS), "Numbers of patients and their doctors, and diagnoses.").or("mask"),
    Setting::new("redaction.pii.account", Shape::Choice(&ACTIONS), "Bank accounts, by context.").or("mask"),
    Setting::new(
        "quarantine.keep_bodies",
        Shape::Switch,
        "Keep the redacted, encrypted text of what could not be understood, so that it can be mended and sent again. \
         Without it only reason, place, size and a keyed hash are kept.",
    )
    .or("true"),
    Setting::new("quarantine.days", Shape::Whole(1, 90), "Days until such a text is erased.").or("7"),
    Setting::new(
        "quarantine.max_bytes",
        Shape::Bytes(1 << 20, 1 << 40),
        "Such texts of one organisation take at most this much; then the oldest are erased.",
    )
    .or("64MiB"),
    Setting::new("index.cache_bytes", Shape::Bytes(8 << 20, 1 << 40), "Memory for what was read from indexes, of all organisations together.")
        .or("256MiB"),
    Setting::new(
        "index.scan_below",
        Shape::Whole(0, 1_000_000),
        "A ledger of fewer events has no index and is read through instead, which is faster for few.",
    )
    .or("2000"),
    Setting::new(
        "index.commit_ms",
        Shape::Whole(10, 60_000),
        "Milliseconds between a record and its being found, at most, under load. Smaller costs more writing.",
    )
    .or("500"),
    Setting::new(
        "retention.days",
        Shape::Days,
        "Days that an event is kept if no class below says otherwise: at least 90, or 0 to keep it for good. \
         It is fixed when the event is recorded; a shorter time spares what is stored.",
    )
    .or("365"),
    Setting::new(
        "retention.classes",
        Shape::Rows(&[
            Setting::new("name", CLASS, "Name of the class, kept with each event of it.").such_as("payments"),
            Setting::new("filter", Shape::Filter, "Which events. The first class that fits decides.")
                .such_as("attributes.system:payments"),
            Setting::new("days", Shape::Days, "Days: at least 90, or 0 to keep them for good.").such_as("2555"),
        ]),
        "Other times for some events.",
    )
    .or("")
    .such_as(r#"[{ name = "payments", filter = "attributes.system:payments", days = 2555 }]"#),
    Setting::new(
        "auth.bootstrap_token",
        Shape::Secret,
        "Token of the first administrator, at least 32 random characters. Left out, one is made at the first start and shown once.",
    )
    .such_as("env.INDELIBLE_BOOTSTRAP_TOKEN")
    .secret_in("INDELIBLE_BOOTSTRAP_TOKEN"),
    Setting::new(
        "oidc.issuer",
        Shape::Text(2048),
        "Who vouches, exactly as its tokens and its document under `/.well-known/openid-configuration` name it. With `https`, \
         unless it is on this machine. Without it people sign in with keys only.",
    )
    .such_as("https://login.example.com/realms/acme"),
    Setting::new("oidc.client_id", Shape::Text(256), "Under which name the provider knows this server.")
        .such_as("indelible"),
    Setting::new(
        "oidc.client_secret",
        Shape::Secret,
        "What this server proves that with. Left out, the provider knows it as a public client, by PKCE alone.",
    )
    .such_as("env.INDELIBLE_OIDC_CLIENT_SECRET")
    .secret_in("INDELIBLE_OIDC_CLIENT_SECRET"),
    Setting::new(
        "oidc.public_url",
        Shape::Text(2048),
        "Where browsers reach this server, without a path. If it is wrong, the provider refuses or leads people elsewhere.",
    )
    .such_as("https://audit.example.com"),
    Setting::new("oidc.name", Shape::Text(64), "What people call it, on the button of the sign-in page.")
        .or("single sign-on"),
    Setting::new("oidc.scopes", Shape::Text(512), "What is asked of the provider, with spaces between. Some need `groups` to tell them.")
        .or("openid profile email"),
    Setting::new(
        "oidc.user_claim",
        Shape::Text(256),
        "The claim that is the id of the user here. Whoever the provider says has it *is* that user, also if they were created \
         by hand: name one that people can't choose for themselves. `email` must be verified.",
    )
    .or("sub"),
    Setting::new(
        "oidc.groups_claim",
        Shape::Text(256),
        "The claim of the identity token that lists groups. Dots lead into objects: `realm_access.roles`.",
    )
    .or("groups"),
    Setting::new(
        "oidc.roles",
        Shape::Rows(&[
            Setting::new("group", Shape::Text(512), "A group, exactly as the claim has it.").such_as("audit-team"),
            Setting::new("role", Shape::Choice(&ROLES), "What its members are here.").such_as("auditor"),
            Setting::new("organisation", Shape::Text(63), "Where: an organisation, or `*` for everywhere.").such_as("*"),
        ]),
        "Which groups have which roles. If there are any, groups alone decide: at each sign-in somebody has exactly the roles \
         of their groups, is let in only with one, and becomes a user by it. Without any, users and roles are made by hand, \
         and only users are let in.",
    )
    .or("")
    .such_as(r#"[{ group = "audit-team", role = "auditor", organisation = "*" }]"#),
    Setting::new(
        "oidc.trust_email",
        Shape::Switch,
        "Believe addresses that the provider does not call verified. A member sees the events of their address, so only where \
         nobody can choose their own.",
    )
    .or("false"),
    Setting::new(
        "oidc.authorities",
        Shape::Path,
        "File with the certificates, PEM, of whoever may have signed the provider's. Left out, the list of this machine holds.",
    )
    .such_as("/etc/indelible/provider-ca.pem"),
    Setting::new(
        "log.level",
        Shape::Choice(&[
            Choice("error", "what needs somebody"),
            Choice("warn", "what may"),
            Choice("info", "starting, stopping, what was made anew"),
            Choice("debug", "each request"),
            Choice("trace", "everything"),
        ]),
        "How much is said.",
    )
    .or("info"),
    Setting::new(
        "log.format",
        Shape::Choice(&[Choice("text", "lines for people"), Choice("json", "an object a line, for collectors")]),
        "How it is said.",
    )
    .or("text"),
];
