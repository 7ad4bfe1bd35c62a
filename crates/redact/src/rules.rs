//! The one table of rules for text: what a secret, a card or a telephone number looks like.
//!
//! A rule is data. A test runs every example of every row, and `docs/reference/redaction.md` is written from it.
//! Examples of keys are broken in two, so that nobody's scanner takes this file for a leak.

use crate::check;
use crate::policy::PiiClass;

/// One thing to look for in text.
pub struct Rule {
    /// Its name, in markers and in `redactions[].rule`.
    pub id: &'static str,
    /// What it finds, and so what becomes of it.
    pub kind: Kind,
    /// What a text must have before the pattern is tried.
    pub when: When,
    /// A regular expression; the first group that matched is what is taken out, or the whole if it has none. Empty for the
    /// two rules that are code, `card` and `iban`.
    pub pattern: &'static str,
    /// Whether a letter or digit on either side means that it is something else.
    pub edges: bool,
    /// The least entropy of what is taken out, in bits per byte.
    pub entropy: f32,
    /// What else must hold of it.
    pub(crate) check: fn(&str) -> bool,
    /// What it finds, in a few words.
    pub about: &'static str,
    /// Texts in which it must find something.
    pub finds: &'static [&'static str],
    /// Texts that look like it, in which it must find nothing.
    pub spares: &'static [&'static str],
}

/// What a rule finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Never kept; a marker stands in its place.
    Secret,
    /// A key to a service. Never kept; its keyed fingerprint stands in its place, so that its uses can be told apart.
    Key,
    /// Personal data: kept or not, as the policy says.
    Pii(PiiClass),
}

/// What a text must have before a rule's pattern is tried. One pass over the text finds all of these.
#[derive(Clone, Copy, Debug)]
pub enum When {
    /// One of these words, in upper or lower case.
    Words(&'static [&'static str]),
    /// So many digits with at most three marks or spaces between neighbours, and no letters.
    Digits(u32),
    /// So many digits anywhere.
    DigitsInAll(u32),
    /// Two capitals and two digits at the start of a word.
    CapitalsAndDigits,
}

/// The rule whose pattern is code: a card's digits may be grouped in ways that no expression tells from other numbers.
pub(crate) const CARD: &str = "card";
/// The other rule that is code: where an IBAN ends depends on its country.
pub(crate) const IBAN: &str = "iban";

const fn rule(id: &'static str, kind: Kind, when: When, pattern: &'static str, about: &'static str) -> Rule {
    Rule { id, kind, when, pattern, edges: true, entropy: 0.0, check: any, about, finds: &[], spares: &[] }
}

const fn key(
    id: &'static str,
    words: &'static [&'static str],
    pattern: &'static str,
    about: &'static str,
) -> Rule {
    let rule = rule(id, Kind::Key, When::Words(words), pattern, about);
    // Placeholders such as sk-xxxxxxxx are below, random keys far above.
    Rule { entropy: 2.5, ..rule }
}

const fn secret(
    id: &'static str,
    words: &'static [&'static str],
    pattern: &'static str,
    about: &'static str,
) -> Rule {
    rule(id, Kind::Secret, When::Words(words), pattern, about)
}

const fn pii(
    id: &'static str,
    class: PiiClass,
    when: When,
    pattern: &'static str,
    about: &'static str,
) -> Rule {
    rule(id, Kind::Pii(class), when, pattern, about)
}

fn any(_: &str) -> bool {
    true
}

impl Rule {
    const fn within_words(self) -> Rule {
        Rule { edges: false, ..self }
    }

    const fn checked(self, check: fn(&str) -> bool) -> Rule {
        Rule { check, ..self }
    }

    const fn entropy(self, entropy: f32) -> Rule {
        Rule { entropy, ..self }
    }

    const fn examples(self, finds: &'static [&'static str], spares: &'static [&'static str]) -> Rule {
        Rule { finds, spares, ..self }
    }
}

/// Every rule. Where two find the same place, the earlier one gives its name to it.
pub static RULES: &[Rule] = &[
    secret(
        "private_key",
        &["private key", "putty-user-key-file", "age-secret-key-"],
        r"(?i)-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----(?s:.*?)(?:-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----|\z)|PuTTY-User-Key-File-\d(?s:.*)|AGE-SECRET-KEY-1[0-9A-Z]{50,}",
        "PEM, PGP, PuTTY and age private keys",
    )
    .within_words()
    .examples(
        &[
            concat!("-----BEGIN RSA PRIVATE", " KEY-----\nMIIEpAIBAAKCAQEA7\n-----END RSA PRIVATE KEY-----"),
            concat!("key: -----BEGIN PRIVATE", " KEY-----\\nMIIEvQIBADAN"),
            concat!("-----BEGIN PGP PRIVATE KEY", " BLOCK-----\n\nlQdGBF\n-----END PGP PRIVATE KEY BLOCK-----"),
            concat!("AGE-SECRET-", "KEY-1QL3Z7HJY54PW3HYWW5AYYFG7ZQGVC7W3J2ELW8ZMRJ2KG5SFN9AQMCAC8P"),
        ],
        &["-----BEGIN PUBLIC KEY-----\nMIIBIjANBg\n-----END PUBLIC KEY-----", "the private key was rotated"],
    ),
    secret(
        "jwt",
        &["eyj"],
        r"eyJ[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]*){2,4}",
        "JSON web tokens, signed or encrypted",
    )
    .checked(check::jwt)
    .examples(
        &[concat!(
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.",
            "eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
        )],
        &["eyJhbGciOiJIUzI1NiJ9", "eyJub3RoaW5nIjoxfQ.abc.def"],
    ),
    // Keys to services, those with a prefix of their own. Providers of models first, and generic `sk-` last of these.
    key(
        "anthropic_key",
        &["sk-ant-"],
        r"sk-ant-[a-z0-9]{2,12}-[A-Za-z0-9_-]{20,}",
        "Anthropic, API and admin keys",
    )
    .examples(
        &[concat!("sk-ant-api03-", "Zk3vQ9tYpL1xWc8RbN5mHs2JdF7gUaE4oKiTqXyVnC6wDlMzSr0hBePjAuGfIkO_-3vQ9tYpL1xWc8RbN5mHs2AA")],
        &["sk-ant-api03-", "sk-ant-xxxxxxxxxx-xxxxxxxxxxxxxxxxxxxxxxxxxx"],
    ),
    key(
        "openai_key",
        &["sk-proj-", "sk-svcacct-", "sk-admin-", "sk-none-", "t3blbkfj"],
        r"sk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{20,}|sk-[A-Za-z0-9]{16,32}T3BlbkFJ[A-Za-z0-9]{16,32}",
        "OpenAI, project, service, admin and older keys",
    )
    .examples(
        &[
            concat!("sk-proj-", "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9fG1hJ3kL5mN7pQ"),
            concat!("sk-aB3dE5fG7hJ9kL1mN3pQ", "T3BlbkFJ5rS7tU9vW1xY3zA5bC7d"),
        ],
        &["sk-proj-short", "T3BlbkFJ"],
    ),
    key(
        "openrouter_key",
        &["sk-or-"],
        r"sk-or-(?:v1-)?[0-9a-fA-F]{32,}",
        "OpenRouter",
    )
    .examples(
        &[concat!("sk-or-v1-", "0e6f44a47a05f1dad2ad7e88c4c1d6b77688157716fb1a5271146f7464951c96")],
        &["sk-or-v1-notahexstring"],
    ),
    key(
        "bifrost_key",
        &["sk-bf-"],
        r"sk-bf-[A-Za-z0-9_-]{16,}",
        "Bifrost, virtual keys",
    )
    .examples(&[concat!("sk-bf-", "6f1c2b7e-93d4-4e0a-8a51-0c7de9b42f36")], &["sk-bf-short"]),
    key(
        "langfuse_key",
        &["sk-lf-"],
        r"sk-lf-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "Langfuse, secret keys",
    )
    .examples(&[concat!("sk-lf-", "6f1c2b7e-93d4-4e0a-8a51-0c7de9b42f36")], &["pk-lf-6f1c2b7e-93d4-4e0a-8a51-0c7de9b42f36"]),
    key(
        "sk_key",
        &["sk-"],
        r"sk-[A-Za-z0-9_-]{16,}",
        "LiteLLM's virtual keys, and everybody else's `sk-`",
    )
    .checked(check::mixed)
    .examples(
        &[concat!("sk-", "Tz0qE9yBfR3vWn5LkXc2Ag"), concat!("sk-", "8f0c1d2e3b4a59687786a5b4c3d2e1f0")],
        &["sk-learn-pipeline-configuration", "task-20261102103045123456", "sk-1234"],
    ),
    key("huggingface_token", &["hf_", "api_org_"], r"(?:hf|api_org)_[A-Za-z0-9]{30,}", "Hugging Face")
        .examples(&[concat!("hf_", "aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH")], &["hf_transfer", "hf_hub_download"]),
    key("groq_key", &["gsk_"], r"gsk_[A-Za-z0-9]{40,}", "Groq").examples(
        &[concat!("gsk_", "aB3dE5fG7hJ9kL1mN3pQWGdyb3FY5rS7tU9vW1xY3zA5bC7dE9fG")],
        &["gsk_short"],
    ),
    key("xai_key", &["xai-"], r"xai-[A-Za-z0-9]{40,}", "xAI").examples(
        &[concat!("xai-", "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9fG1hJ3kL5mN7pQ9rS1tU3vW5xY7zA9bC1dE3f")],
        &["xai-grok-2-latest"],
    ),
    key("perplexity_key", &["pplx-"], r"pplx-[A-Za-z0-9]{40,}", "Perplexity").examples(
        &[concat!("pplx-", "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9fG1hJ3")],
        &["pplx-7b-online"],
    ),
    key("replicate_token", &["r8_"], r"r8_[A-Za-z0-9]{37,40}", "Replicate")
        .examples(&[concat!("r8_", "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5b")], &["r8_short"]),
    key("nvidia_key", &["nvapi-"], r"nvapi-[A-Za-z0-9_-]{50,}", "NVIDIA").examples(
        &[concat!("nvapi-", "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9fG1hJ3kL5mN7pQ9rS1tU3v")],
        &["nvapi-short"],
    ),
    key("cerebras_key", &["csk-"], r"csk-[a-z0-9]{40,}", "Cerebras")
        .examples(&[concat!("csk-", "a3d5f7h9k1m3p5r7t9v1x3z5b7d9f1h3k5m7p9r1t3v5x7z9")], &["disk-usage"]),
    key("langsmith_key", &["lsv2_"], r"lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}", "LangSmith")
        .examples(&[concat!("lsv2_pt_", "8f0c1d2e3b4a59687786a5b4c3d2e1f0_1a2b3c4d5e")], &["lsv2_pt_short"]),
    key("pinecone_key", &["pcsk_"], r"pcsk_[A-Za-z0-9_]{40,}", "Pinecone").examples(
        &[concat!("pcsk_", "aB3dE_5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9fG1hJ3kL5mN7pQ9rS1tU3vW5xY7z")],
        &["pcsk_short"],
    ),
    key("tavily_key", &["tvly-"], r"tvly-(?:dev-|prod-)?[A-Za-z0-9]{20,}", "Tavily")
        .examples(&[concat!("tvly-", "dev-aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY")], &["tvly-short"]),
    key("databricks_token", &["dapi"], r"dapi[0-9a-f]{32}(?:-\d)?", "Databricks")
        .examples(&[concat!("dapi", "8f0c1d2e3b4a59687786a5b4c3d2e1f0")], &["dapinotatoken"]),
    key("google_api_key", &["aiza"], r"AIza[0-9A-Za-z_-]{35}", "Google, API keys (Gemini, Maps and others)")
        .examples(&[concat!("AIza", "SyD3fG5hJ7kL9mN1pQ3rS5tU7vW9xY1zA3b")], &["AIzaShort"]),
    key(
        "google_oauth",
        &["ya29.", "gocspx-", "1//0"],
        r"ya29\.[0-9A-Za-z_-]{20,}|GOCSPX-[0-9A-Za-z_-]{24,40}|1//0[0-9A-Za-z_-]{30,}",
        "Google, OAuth tokens and client secrets",
    )
    .examples(
        &[
            concat!("ya29.", "a0AfH6SMBx3vQ9tYpL1xWc8RbN5mHs2JdF7gUaE4oKiT"),
            concat!("GOCSPX-", "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9v"),
        ],
        &["ya29.short"],
    ),
    key(
        "aws_access_key",
        &["akia", "asia", "abia", "acca"],
        r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}",
        "AWS, access key ids",
    )
    .examples(&[concat!("AKIA", "IOSFODNN7EXAMPLE"), concat!("ASIA", "Y34FZKBOKMUTVV7A")], &["ASIAPACIFICREGIONNORTH", "ASIA"]),
    key(
        "aws_secret_key",
        &["secret_access_key", "secretaccesskey", "aws_secret", "aws secret", "secret access key"],
        r#"(?i)(?:secret[_ ]?access[_ ]?key|aws[_ ]secret(?:[_ ]key)?)["']?[ \t]{0,4}(?:=>|=|:|is)?[ \t]{0,4}["']?([A-Za-z0-9/+]{40})(?:$|[^A-Za-z0-9/+=])"#,
        "AWS, secret access keys",
    )
    .within_words()
    .entropy(3.5)
    .examples(
        &[concat!("aws_secret_access_key = ", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")],
        &["aws_secret_access_key = ****************************************"],
    ),
    key("aws_bedrock_key", &["absk"], r"ABSK[A-Za-z0-9+/]{80,}={0,2}", "AWS Bedrock, API keys").examples(
        &[concat!(
            "ABSK",
            "QmVkcm9ja0FQSUtleS1hYmNkLWF0LTEyMzQ1Njc4OTAxMjpaazN2UTl0WXBMMXhXYzhSYk41bUhzMkpkRjdnVWFFNG9LaVRxWHlWbkM2"
        )],
        &["ABSKshort"],
    ),
    key(
        "azure_key",
        &["jqqj99", "8q~", "7q~", "6q~", "5q~", "4q~", "3q~", "2q~", "1q~", "0q~", "9q~"],
        r"[A-Za-z0-9]{20,}JQQJ99[A-Za-z0-9]{10,40}|[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{31,34}",
        "Azure, AI service keys and Entra client secrets",
    )
    .examples(
        &[
            concat!("aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9fG1hJ3kL5m", "JQQJ99BAACYeBjFXJ3w3AAABACOGaB3d"),
            concat!("aB3", "8Q~dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5b"),
        ],
        &["JQQJ99"],
    ),
    key(
        "azure_storage_key",
        &["accountkey", "sharedaccesskey"],
        r"(?i)(?:Account|SharedAccess)Key[ ]?=[ ]?([A-Za-z0-9+/]{40,}={1,2})",
        "Azure, storage and service bus keys in connection strings",
    )
    .within_words()
    .examples(
        &[concat!(
            "AccountName=a;AccountKey=",
            "Zk3vQ9tYpL1xWc8RbN5mHs2JdF7gUaE4oKiTqXyVnC6wDlMzSr0hBePjAuGfIkOZk3vQ9tYpL1xWc8RbN5mHsA==;"
        )],
        &["AccountKey=;"],
    ),
    key(
        "github_token",
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        r"gh[pousr]_[A-Za-z0-9]{36,}",
        "GitHub, with its checksum",
    )
    .entropy(0.0)
    .checked(check::github)
    .examples(
        &[concat!("ghp_", "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17")],
        &["ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "ghp_short"],
    ),
    key("github_pat", &["github_pat_"], r"github_pat_[A-Za-z0-9_]{60,}", "GitHub, fine-grained").examples(
        &[concat!("github_pat_", "11ABCDEFG0aB3dE5fG7hJ9_kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9fG1hJ3kL5mN7pQ9rS1tU3vW5xY7z")],
        &["github_pat_short"],
    ),
    key(
        "gitlab_token",
        &["glpat-", "gldt-", "glrt-", "glptt-", "glsoat-", "glcbt-", "glimt-", "glagent-", "glft-", "gloas-", "glffct-"],
        r"gl(?:pat|dt|rt|ptt|soat|cbt|imt|agent|ft|oas|ffct)-[A-Za-z0-9_=.-]{20,}",
        "GitLab",
    )
    .examples(&[concat!("glpat-", "aB3dE5fG7hJ9kL1mN3pQ")], &["glpat-short"]),
    key(
        "slack_token",
        &["xoxa-", "xoxb-", "xoxc-", "xoxd-", "xoxe-", "xoxe.", "xoxo-", "xoxp-", "xoxr-", "xoxs-", "xapp-"],
        r"xox[abcdeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{10,}|xapp-\d-[A-Z0-9]{6,20}-\d{6,20}-[0-9a-f]{20,}",
        "Slack, tokens",
    )
    .examples(&[concat!("xoxb-", "123456789012-1234567890123-aB3dE5fG7hJ9kL1mN3pQ5rS7")], &["xoxb-", "xoxo-xoxo"]),
    key(
        "webhook_url",
        &["hooks.slack.com/", "/api/webhooks/", "webhook.office.com/"],
        r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9+/_-]{20,})|discord(?:app)?\.com/api/webhooks/(\d{15,25}/[A-Za-z0-9_-]{40,})|webhook\.office\.com/webhookb2/([A-Za-z0-9@/-]{60,})",
        "Slack, Discord and Teams, incoming webhooks",
    )
    .within_words()
    .examples(
        &[concat!("https://hooks.slack.com/services/", "T0AB3DE5F/B0G7HJ9KL/aB3dE5fG7hJ9kL1mN3pQ5rS7")],
        &["https://hooks.slack.com/services/"],
    ),
    key(
        "stripe_key",
        &["sk_live_", "sk_test_", "rk_live_", "rk_test_", "sk_prod_", "rk_prod_", "whsec_"],
        r"(?:sk|rk)_(?:live|test|prod)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{24,}",
        "Stripe, secret and restricted keys, webhook secrets",
    )
    .examples(&[concat!("sk_live_", "51aB3dE5fG7hJ9kL1mN3pQ5r")], &["pk_live_51aB3dE5fG7hJ9kL1mN3pQ5r", "sk_test_"]),
    key(
        "twilio_key",
        &["sk0", "sk1", "sk2", "sk3", "sk4", "sk5", "sk6", "sk7", "sk8", "sk9", "ska", "skb", "skc", "skd", "ske", "skf"],
        r"SK[0-9a-f]{32}",
        "Twilio, API keys",
    )
    .examples(&[concat!("SK", "8f0c1d2e3b4a59687786a5b4c3d2e1f0")], &["SKU8f0c1d2e3b4a", "skeleton"]),
    key("sendgrid_key", &["sg."], r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,}", "SendGrid").examples(
        &[concat!("SG.", "aB3dE5fG7hJ9kL1mN3pQ5r.S7tU9vW1xY3zA5bC7dE9fG1hJ3kL5mN7pQ9rS1tU3vW")],
        &["SG.com.example"],
    ),
    key("mailgun_key", &["key-"], r"key-[0-9a-f]{32}", "Mailgun")
        .examples(&[concat!("key-", "8f0c1d2e3b4a59687786a5b4c3d2e1f0")], &["key-value"]),
    key("npm_token", &["npm_"], r"npm_[A-Za-z0-9]{36}", "npm")
        .examples(&[concat!("npm_", "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5")], &["npm_config_registry"]),
    key("pypi_token", &["pypi-ageic"], r"pypi-AgEIc[A-Za-z0-9_-]{50,}", "PyPI").examples(
        &[concat!("pypi-AgEIc", "HlwaS5vcmcCJGFiM2RlNWZnLTdoajktNGtMMS1tTjNwLVE1clM3dFU5dlcxeFkzekE1YkM3ZEU5Zg")],
        &["pypi-server"],
    ),
    key(
        "registry_token",
        &["rubygems_", "dckr_pat_", "dckr_oat_", "cio"],
        r"rubygems_[0-9a-f]{48}|dckr_(?:pat|oat)_[A-Za-z0-9_-]{24,40}|cio[A-Za-z0-9]{32}",
        "RubyGems, Docker Hub and crates.io",
    )
    .entropy(3.5)
    .examples(&[concat!("dckr_pat_", "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9")], &["precious", "cio"]),
    key("vault_token", &["hvs.", "hvb.", "hvr."], r"hv[sbr]\.[A-Za-z0-9_-]{24,}", "HashiCorp Vault")
        .examples(&[concat!("hvs.", "CAESIJaB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3z")], &["hvs.short"]),
    key(
        "cloud_token",
        &["dop_v1_", "doo_v1_", "dor_v1_", "dp.pt.", "dp.st.", "pul-", "glsa_", "glc_", "nrak-", "sntrys_", "sntryu_"],
        r"do[opr]_v1_[0-9a-f]{64}|dp\.[ps]t\.[A-Za-z0-9._-]{40,}|pul-[0-9a-f]{40}|glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}|glc_[A-Za-z0-9+/=]{32,}|NRAK-[A-Z0-9]{27}|sntry[su]_[A-Za-z0-9+/=_-]{40,}",
        "DigitalOcean, Doppler, Pulumi, Grafana, New Relic and Sentry",
    )
    .examples(&[concat!("glsa_", "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY_8f0c1d2e")], &["glc_short", "pulse"]),
    key(
        "app_token",
        &["shpat_", "shpss_", "shpca_", "shppa_", "lin_api_", "ntn_", "atatt3", "figd_", "phx_", "sq0"],
        r"shp(?:at|ss|ca|pa)_[0-9a-fA-F]{32}|lin_api_[A-Za-z0-9]{40}|ntn_[A-Za-z0-9]{40,}|ATATT3[A-Za-z0-9_=-]{100,}|figd_[A-Za-z0-9_-]{38,}|phx_[A-Za-z0-9]{40,}|sq0(?:atp|csp)-[0-9A-Za-z_-]{22,50}",
        "Shopify, Linear, Notion, Atlassian, Figma, PostHog and Square",
    )
    .examples(&[concat!("shpat_", "8f0c1d2e3b4a59687786a5b4c3d2e1f0")], &["ntn_short", "shpat_"]),
    key("telegram_token", &[":aa"], r"\d{8,10}:AA[A-Za-z0-9_-]{32,35}", "Telegram, bots")
        .examples(&[concat!("123456789:AA", "HdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1")], &["10:AA", "12345678:AABB"]),
    key(
        "indelible_key",
        &["ind_live_", "ind_test_"],
        r"ind_(?:live|test)_[0-9A-Za-z]{12}_[0-9A-Za-z]{40,}",
        "Indelible's own keys",
    )
    .examples(
        &[concat!("ind_live_", "aB3dE5fG7hJ9_kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9fG1hJ3kL5mN7pQ9rS1tU3")],
        &["ind_live_"],
    ),
    // Secrets by what stands around them.
    secret(
        "url_userinfo",
        &["://"],
        r#"[A-Za-z][A-Za-z0-9+.-]{1,30}://([^\s/?#"'<>@:]*:[^\s/"'<>]+)@"#,
        "user and password in a URL or connection string",
    )
    .within_words()
    .checked(check::userinfo)
    .examples(
        &["postgres://app:hunter2@db.internal:5432/prod", "https://user:p%40ss@example.com/", "redis://:s3cret@cache:6379/0"],
        &["https://example.com:8080/a@b", "ssh://git@github.com/a/b", "https://user:****@example.com/"],
    ),
    secret(
        "signed_url",
        &["x-amz-signature=", "x-goog-signature=", "sig=", "x-amz-security-token="],
        r"(?i)[?&;](?:X-Amz-Signature|X-Goog-Signature|X-Amz-Security-Token|sig)=([A-Za-z0-9%+/=_-]{32,})",
        "signatures of pre-signed URLs",
    )
    .within_words()
    .examples(
        &["https://a.blob.core.windows.net/c?sv=2024&sig=Zk3vQ9tYpL1xWc8RbN5mHs2JdF7gUaE4oKiTqXyVnC6%3D"],
        &["https://example.com/?sig=short"],
    ),
    secret(
        "cookie",
        &["cookie"],
        r#"(?i)(?:set-)?cookie2?\\?["']?[ \t]{0,4}[:=][ \t]{0,4}\\?["']?([^\r\n"\\]{3,})"#,
        "Cookie and Set-Cookie headers",
    )
    .within_words()
    .checked(check::cookie)
    .examples(&["Cookie: sid=abc123; theme=dark", "Set-Cookie: session=9f8e7d; HttpOnly"], &["cookie: accepted", "a cookie a day"]),
    secret(
        "authorization",
        &["authorization"],
        r#"(?i)authorization\\?["']?[ \t]{0,4}[:=][ \t]{0,4}\\?["']?((?:(?:bearer|basic|token|digest|apikey|api-key|negotiate|aws4-hmac-sha256)[ \t]{1,4})?[^\s"',\\]{6,})"#,
        "Authorization headers",
    )
    .within_words()
    .checked(check::authorization)
    .examples(
        &["Authorization: Bearer abcdef1234567890", "proxy-authorization: Basic dXNlcjpwYXNz", r#"{\"authorization\":\"Token 9944b09199c62bcf\"}"#],
        &["authorization: required", "the authorization was denied"],
    ),
    secret(
        "bearer",
        &["bearer"],
        r#"(?i)bearer\\?["']?[ \t:=]{1,4}["']?([A-Za-z0-9._~+/=-]{12,})"#,
        "bearer tokens",
    )
    .checked(check::mixed)
    .examples(&["sent Bearer 9f86d081884c7d659a2f"], &["bearer authentication", "Bearer token required"]),
    secret(
        "basic",
        &["basic "],
        r"(?i)basic[ \t]{1,4}([A-Za-z0-9+/_-]{8,}={0,2})",
        "basic credentials",
    )
    .checked(check::basic)
    .examples(&["Basic dXNlcjpwYXNzd29yZA=="], &["basic authentication", "basic understanding"]),
    secret(
        "password",
        &["passw", "passphrase", "passcode", "pwd", "passwd", "kennwort"],
        r#"(?i)(?:pass(?:word|wd|wort|phrase|code)|pwd|kennwort)[0-9]{0,2}\\?["']?[ \t]{0,4}(?:=>|:=|==|=|:)[ \t]{0,4}(?:\\?"([^"\\]+)|'([^']+)|([^\s"'\\,;&)\]}]+))|--?(?:[a-z-]{0,24}-)?(?:password|passwd|passphrase)[ \t]{1,4}["']?([^\s"'-][^\s"']*)"#,
        "passwords in text: `password=…`, `\"pwd\": \"…\"`, `--password …`",
    )
    .within_words()
    .checked(check::password)
    .examples(
        &[
            "password=hunter2",
            "user=app Password: swordfish",
            r#"{"db_password": "correct horse"}"#,
            "mysql --password hunter2 -h db",
            "Server=a;User Id=b;Pwd=c0ffee;",
        ],
        &["password: required", "Invalid password: must be longer", "password=********", "password=${DB_PASSWORD}"],
    ),
    key(
        "assigned_key",
        &["secret", "token", "api_key", "apikey", "api-key", "api key", "access_key", "accesskey", "access-key", "credential", "jwt"],
        r#"(?i)(?:secret|token|api[_ -]?key|access[_-]?key|credential|jwt)(?:[_-]?(?:key|id|value|access_key))?\\?["']?[ \t]{0,4}(?:=>|:=|==|=|:|is)[ \t]{0,4}\\?["']?([A-Za-z0-9_./+~-]{8,}={0,2})|--(?:[a-z-]{0,24}-)?(?:token|secret|api-?key)[ \t]{1,4}["']?([A-Za-z0-9_./+~-]{8,}={0,2})"#,
        "keys and tokens in text: `api_key=…`, `token: …`, `--token …`",
    )
    .within_words()
    .checked(check::assigned)
    .entropy(2.5)
    .examples(
        &["api_key=9f86d081884c7d65", r#"{"access_token": "mF_9.B5f-4.1JqM"}"#, "client_secret: 7Fjfp0ZBr1KtDRbnfVdmIw", "--api-key a1b2c3d4e5f6"],
        &["max_tokens=4096", "token: expired", "tokens: 12345678", "secret = <your-secret>"],
    ),
    key(
        "provider_key",
        &["cohere", "mistral", "together", "ai21", "deepgram", "elevenlabs", "assemblyai", "stability", "voyage", "jina", "azure", "fireworks", "anyscale"],
        r#"(?i)(?:cohere|mistral(?:ai)?|together(?:ai)?|ai21|deepgram|elevenlabs|assemblyai|stability|voyage(?:ai)?|jina|azure|fireworks|anyscale)[a-z0-9_. -]{0,24}(?:key|token|secret)["']?[ \t]{0,4}(?:=>|=|:|is)?[ \t]{0,4}["']?([A-Za-z0-9_-]{24,})"#,
        "keys without a prefix, after the name of who gave them",
    )
    .within_words()
    .checked(check::letters_and_digits)
    .entropy(3.0)
    .examples(
        &["my cohere key aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7d", "MISTRAL_API_KEY=aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY"],
        &["cohere-command-r-plus-08-2024", "mistral key rotation was completed yesterday"],
    ),
    // Money.
    rule(CARD, Kind::Secret, When::Digits(14), "", "payment cards: issuer's range, length and Luhn check")
        .examples(
            &["4111 1111 1111 1111", "paid with 5555-5555-5555-4444.", "378282246310005"],
            &["4111 1111 1111 1112", "1234567812345670", "550e8400-e29b-41d4-a716-446655440000"],
        ),
    rule(
        IBAN,
        Kind::Secret,
        When::CapitalsAndDigits,
        "",
        "international bank account numbers: length of the country and modulo 97",
    )
    .examples(&["DE89 3704 0044 0532 0130 00", "to GB82WEST12345698765432 today"], &["DE89 3704 0044 0532 0130 01", "AB12CD34EF56GH78"]),
    // Personal data.
    pii(
        "email",
        PiiClass::Email,
        When::Words(&["@"]),
        r"[A-Za-z0-9._%+'-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}",
        "e-mail addresses",
    )
    .within_words()
    .checked(check::email)
    .examples(&["write to alice.muster+x@mail.example.com."], &["git@github.com:a/b", "icon@2x.png", "@scope/package", "user@host"]),
    pii(
        "us_ssn",
        PiiClass::NationalId,
        When::Digits(9),
        r"\d{3}-\d{2}-\d{4}|\d{3} \d{2} \d{4}",
        "United States, social security numbers",
    )
    .checked(check::ssn)
    .examples(&["SSN 123-45-6789"], &["666-12-3456", "123-45-67890", "000-12-3456"]),
    pii(
        "us_ssn_context",
        PiiClass::NationalId,
        When::Words(&["ssn", "social security"]),
        r#"(?i)(?:ssn|social security(?: number| no\.?)?)["']?[ \t:=#]{1,5}["']?(?:is )?(\d{9})"#,
        "the same without dashes, after a word for it",
    )
    .checked(check::ssn)
    .examples(&["ssn: 123456789"], &["ssn: 000456789", "ssns 3"]),
    pii(
        "national_id",
        PiiClass::NationalId,
        When::Words(&["passport", "national id", "national_id", "driver", "tax id", "tax_id", "personal id", "pesel", "identity card"]),
        r#"(?i)(?:passport|national[_ ]id|driver'?s?[_ ]licen[cs]e|tax[_ ]id|personal id|pesel|identity card)(?:[_ ](?:number|no\.?|nr\.?|#))?["']?[ \t:=#]{1,5}["']?(?:is )?([A-Z0-9][A-Z0-9-]{5,19})"#,
        "passports, licences, tax and identity numbers after a word for them",
    )
    .within_words()
    .checked(check::some_digits)
    .examples(&["passport number: C01X00T47", "Tax ID 12-3456789"], &["passport: expired", "driver version 12"]),
    pii(
        "uk_nino",
        PiiClass::NationalId,
        When::Words(&["nino", "national insurance", "ni number", "ni no"]),
        r#"(?i)(?:nino|national insurance|ni n)(?:umber|o)?[a-z ]{0,8}["']?[ \t:=#]{1,5}["']?(?:is )?([A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D])"#,
        "United Kingdom, national insurance numbers",
    )
    .within_words()
    .examples(&["NI number: AB 12 34 56 C", "NINO AB123456C"], &["nino DQ123456C", "AB123456C"]),
    pii(
        "it_codice_fiscale",
        PiiClass::NationalId,
        When::DigitsInAll(7),
        r"[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z]",
        "Italy, fiscal code with its check letter",
    )
    .checked(check::codice_fiscale)
    .examples(&["CF RSSMRA85T10A562S"], &["RSSMRA85T10A562T"]),
    pii(
        "br_cpf",
        PiiClass::NationalId,
        When::Digits(11),
        r"\d{3}\.\d{3}\.\d{3}-\d{2}",
        "Brazil, CPF with its two check digits",
    )
    .checked(check::cpf)
    .examples(&["CPF 529.982.247-25"], &["529.982.247-26"]),
    pii(
        "es_dni",
        PiiClass::NationalId,
        When::Words(&["dni", "nie", "nif"]),
        r#"(?i)(?:dni|nie|nif)["']?[ \t:=#]{1,5}["']?([0-9XYZ]\d{7}-?[A-Z])"#,
        "Spain, DNI and NIE with their check letter",
    )
    .checked(check::dni)
    .examples(&["DNI: 12345678Z", "nie X1234567L"], &["DNI: 12345678A"]),
    pii(
        "fr_nir",
        PiiClass::NationalId,
        When::Digits(15),
        r"[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?\d{2} ?\d{3} ?\d{3} ?\d{2}",
        "France, NIR with its key",
    )
    .checked(check::nir)
    .examples(&["NIR 2 55 08 14 168 025 38"], &["2 55 08 14 168 025 39"]),
    pii(
        "de_steuer_id",
        PiiClass::NationalId,
        When::Words(&["steuer", "idnr", "tin"]),
        r"(?i)(?:steuer-?(?:id(?:entifikationsnummer)?|nummer)|idnr|tin)[.:=# ]{1,5}(\d{2} ?\d{3} ?\d{3} ?\d{3})",
        "Germany, tax id with its check digit",
    )
    .checked(check::steuer_id)
    .examples(&["Steuer-ID: 86 095 742 719"], &["Steuer-ID: 86095742718"]),
    pii(
        "in_aadhaar",
        PiiClass::NationalId,
        When::Words(&["aadhaar", "aadhar", "uidai"]),
        r"(?i)(?:aadhaa?r|uidai)[a-z .:=#]{0,12}[ .:=#](\d{4}[ -]?\d{4}[ -]?\d{4})",
        "India, Aadhaar with its check digit",
    )
    .checked(check::aadhaar)
    .examples(&["Aadhaar no: 2341 2341 2346"], &["Aadhaar no: 2341 2341 2347"]),
    pii(
        "ca_sin",
        PiiClass::NationalId,
        When::Words(&["sin", "social insurance"]),
        r"(?i)(?:sin|social insurance(?: number)?)[.:=# ]{1,5}(\d{3}[ -]?\d{3}[ -]?\d{3})",
        "Canada, social insurance numbers with their check digit",
    )
    .checked(check::sin)
    .examples(&["SIN: 130 692 544"], &["SIN: 130 692 545", "using 130 692 544"]),
    pii(
        "nhs_number",
        PiiClass::Health,
        When::Words(&["nhs"]),
        r"(?i)nhs[a-z .:=#_-]{0,16}[ .:=#](\d{3}[ -]?\d{3}[ -]?\d{4})",
        "England, NHS numbers with their check digit",
    )
    .checked(check::nhs)
    .examples(&["NHS number: 943 476 5919", "NHS 9434765919"], &["NHS number: 943 476 5918"]),
    pii(
        "npi",
        PiiClass::Health,
        When::Words(&["npi", "national provider"]),
        r#"(?i)(?:npi|national provider identifier)(?: number| no\.?)?["']?[ \t:=#]{1,5}["']?([12]\d{9})"#,
        "United States, national provider identifiers with their check digit",
    )
    .checked(check::npi)
    .examples(&["NPI: 1234567893"], &["NPI: 1234567890"]),
    pii(
        "mrn",
        PiiClass::Health,
        When::Words(&["mrn", "medical record", "patient id", "patient number", "patient no", "chart number"]),
        r#"(?i)(?:mrn|medical record(?: number| no\.?)?|patient (?:id|number|no\.?)|chart number)["']?[ \t:=#]{1,5}["']?(?:is )?([A-Z]{0,4}-?\d[A-Z0-9-]{3,18})"#,
        "medical record and patient numbers after a word for them",
    )
    .checked(check::some_digits)
    .examples(&["MRN: 00482913", "patient ID MG-4829130"], &["MRN: pending"]),
    pii(
        "us_mbi",
        PiiClass::Health,
        When::DigitsInAll(5),
        r"[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d-[AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d-[AC-HJKMNP-RT-Y]{2}\d{2}",
        "United States, Medicare beneficiary identifiers",
    )
    .examples(&["1EG4-TE5-MK73"], &["1EG4-TE5-MK7", "1AB2-CD3-EF45X"]),
    pii(
        "dea_number",
        PiiClass::Health,
        When::Words(&["dea"]),
        r"(?i)dea(?: number| no\.?| registration)?[.:=# ]{1,5}([A-Z][A-Z9]\d{7})",
        "United States, DEA numbers with their check digit",
    )
    .checked(check::dea)
    .examples(&["DEA number: AB1234563"], &["DEA number: AB1234564", "idea AB1234563"]),
    pii(
        "icd_code",
        PiiClass::Health,
        When::Words(&["icd", "diagnos", "dx ", "dx:"]),
        r"(?i)(?:icd(?:-?(?:9|10|11))?(?:-cm)?(?: code)?|diagnos(?:is|ed with|es)(?: code)?|dx)[ \t:=#]{1,5}(?:is )?([A-TV-Z]\d[0-9AB](?:\.[0-9A-Z]{1,4})?)",
        "ICD codes of diagnoses after a word for them",
    )
    .examples(&["ICD-10: E11.9", "diagnosis F32.1"], &["diagnosis pending", "E11.9"]),
    pii(
        "bank_account",
        PiiClass::Account,
        When::Words(&["account", "acct", "a/c", "konto", "sort code"]),
        r#"(?i)(?:(?:bank[ _]?)?(?:account|acct)\.?[ _]?(?:number|num|no\.?|nr\.?|#)|bank[ _]account|a/c(?: no\.?)?|kontonummer|konto(?:-?nr\.?)?)["']?[ \t:=#]{1,5}["']?(?:is )?(\d[\d -]{4,24}\d)|sort code[ \t:=#]{1,5}(\d\d-\d\d-\d\d)"#,
        "bank accounts after a word for them",
    )
    .within_words()
    .examples(&["account number: 000123456789", "Kontonummer 532013000", "sort code 20-00-00"], &["account id 12345678", "account number: pending"]),
    pii(
        "routing_number",
        PiiClass::Account,
        When::Words(&["routing", "aba", "rtn"]),
        r"(?i)(?:routing(?: number| no\.?)?|aba|rtn)[ \t:=#]{1,5}(\d{9})",
        "United States, routing numbers with their check digit",
    )
    .checked(check::routing)
    .examples(&["routing number: 021000021"], &["routing number: 021000022", "routing 123"]),
    pii(
        "swift_bic",
        PiiClass::Account,
        When::Words(&["swift", "bic"]),
        r"(?:(?i:swift|bic)(?i:/bic| code)?)[ \t:=#]{1,5}([A-Z]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?)",
        "SWIFT/BIC codes after a word for them",
    )
    .examples(&["BIC: DEUTDEFF500", "SWIFT code CHASUS33"], &["swift response", "BIC: unknown"]),
    pii(
        "phone",
        PiiClass::Phone,
        When::Digits(7),
        r"\+[1-9]\d{0,2}(?:[ .()/-]{0,3}\d){6,13}",
        "telephone numbers with a country code (E.164 and as people write it)",
    )
    .within_words()
    .checked(check::phone)
    .examples(&["call +49 170 1234567", "+1 (415) 555-2671", "+442079460958"], &["2026-11-02 10:30:45", "+5 points"]),
    pii(
        "phone_nanp",
        PiiClass::Phone,
        When::Digits(10),
        r"(?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4}",
        "North American telephone numbers",
    )
    .checked(check::nanp)
    .examples(&["(415) 555-2671", "415-555-2671", "1-415-555-2671"], &["415-511-2671", "123-456-7890", "415-555-26712"]),
    pii(
        "phone_context",
        PiiClass::Phone,
        When::Words(&["phone", "tel", "mobile", "cell", "fax", "whatsapp", "sms"]),
        r#"(?i)(?:phone|tel|telephone|mobile|cell|fax|whatsapp|sms)(?: number| no\.?| to)?\.?["']?[ \t:=#]{1,5}["']?(?:is )?(\(?0?\d[\d ()/.-]{5,18}\d)"#,
        "telephone numbers after a word for them",
    )
    .checked(check::phone)
    .examples(&["Tel. 0170 1234567", "phone: 020 7946 0958"], &["hotel 1234567890", "phone: none"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_fit_in_a_marker() {
        for (i, rule) in RULES.iter().enumerate() {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            assert!(rule.id.bytes().all(plain) && rule.id.len() <= 32, "{}", rule.id);
            assert!(RULES[..i].iter().all(|other| other.id != rule.id), "{}", rule.id);
            assert!(!rule.finds.is_empty() && !rule.spares.is_empty(), "{} has no examples", rule.id);
        }
    }
}
