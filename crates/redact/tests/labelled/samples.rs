//! The labelled set: for every rule texts with something in them that must go, and texts in which nothing must.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::numbers::{self as n, Chance};

/// A text, and what must not be left of it.
pub(crate) struct Positive {
    pub(crate) text: String,
    pub(crate) secret: String,
}

/// What people write around a key that is known by its look.
fn around(c: &mut Chance, secret: &str) -> Positive {
    let text = match c.below(6) {
        0 => secret.to_owned(),
        1 => format!("please use {secret} for now"),
        2 => format!("\"{secret}\""),
        3 => format!("curl -H 'x: {secret}' https://api.example.com/v1"),
        4 => format!("error at line 3 ({secret}), giving up."),
        _ => format!("a={secret}&b=2"),
    };
    Positive { text, secret: secret.to_owned() }
}

fn after(c: &mut Chance, fronts: &[&str], secret: String) -> Positive {
    let front = c.pick(fronts);
    let text = match c.below(3) {
        0 => format!("{front}{secret}"),
        1 => format!("Note: {front}{secret}, thanks"),
        _ => format!("he said that {front}{secret}. Then he left"),
    };
    Positive { text, secret }
}

/// A positive of a rule; `None` if there is no such rule.
pub(crate) fn positive(rule: &str, c: &mut Chance) -> Option<Positive> {
    const HEX_UPPER: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let key = match rule {
        "private_key" => {
            let kind = c.pick(&["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "]);
            let body = c.alnum(64);
            let text = format!(
                "-----BEGIN {kind}PRIVATE KEY-----\n{body}\n{}\n-----END {kind}PRIVATE KEY-----",
                c.alnum(40)
            );
            return Some(Positive { text, secret: body });
        }
        "jwt" => {
            let header =
                format!(r#"{{"alg":"{}","typ":"JWT"}}"#, c.pick(&["HS256", "RS256", "ES256", "EdDSA"]));
            let claims = format!(r#"{{"sub":"{}","iat":17{}}}"#, c.alnum(8), c.digits(8));
            format!("{}.{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims), c.url64(43))
        }
        "anthropic_key" => format!("sk-ant-{}-{}AA", c.pick(&["api03", "admin01"]), c.url64(93)),
        "openai_key" => match c.below(2) {
            0 => format!("sk-{}-{}", c.pick(&["proj", "svcacct", "admin"]), c.url64(74) + "Z"),
            _ => format!("sk-{}T3BlbkFJ{}", c.alnum(20), c.alnum(20)),
        },
        "openrouter_key" => format!("sk-or-v1-{}", c.hex(64)),
        "bifrost_key" => format!("sk-bf-{}", c.uuid()),
        "langfuse_key" => format!("sk-lf-{}", c.uuid()),
        "sk_key" => match c.below(2) {
            0 => format!("sk-{}x", c.url64(21)),
            _ => format!("sk-{}", c.hex(32)),
        },
        "huggingface_token" => format!("hf_{}", c.alnum(34)),
        "groq_key" => format!("gsk_{}", c.alnum(52)),
        "xai_key" => format!("xai-{}", c.alnum(80)),
        "perplexity_key" => format!("pplx-{}", c.alnum(48)),
        "replicate_token" => format!("r8_{}", c.alnum(37)),
        "nvidia_key" => format!("nvapi-{}z", c.url64(63)),
        "cerebras_key" => format!("csk-{}", c.of("abcdefghijklmnopqrstuvwxyz0123456789", 48)),
        "langsmith_key" => format!("lsv2_{}_{}_{}", c.pick(&["pt", "sk"]), c.hex(32), c.hex(10)),
        "pinecone_key" => format!("pcsk_{}_{}", c.alnum(6), c.alnum(62)),
        "tavily_key" => format!("tvly-{}{}", c.pick(&["", "dev-"]), c.alnum(32)),
        "databricks_token" => format!("dapi{}", c.hex(32)),
        "google_api_key" => format!("AIza{}x", c.url64(34)),
        "google_oauth" => match c.below(2) {
            0 => format!("ya29.{}x", c.url64(120)),
            _ => format!("GOCSPX-{}x", c.url64(27)),
        },
        "aws_access_key" => {
            format!("{}{}", c.pick(&["AKIA", "ASIA"]), c.of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16))
        }
        "aws_secret_key" => {
            let secret = c.alnum(20) + "/" + &c.alnum(19);
            let front =
                c.pick(&["aws_secret_access_key = ", "AWS_SECRET_ACCESS_KEY=", "\"SecretAccessKey\": \""]);
            let end = c.pick(&["", "\n", "\"", " # prod"]);
            return Some(Positive { text: format!("{front}{secret}{end}"), secret });
        }
        "aws_bedrock_key" => format!("ABSK{}", c.alnum(128)),
        "azure_key" => match c.below(2) {
            0 => format!("{}JQQJ99{}", c.alnum(52), c.alnum(26)),
            _ => format!("{}8Q~{}x", c.alnum(3), c.alnum(33)),
        },
        "azure_storage_key" => {
            let secret = format!("{}==", c.alnum(86));
            let text =
                format!("DefaultEndpointsProtocol=https;AccountName=a;AccountKey={secret};EndpointSuffix=x");
            return Some(Positive { text, secret });
        }
        "github_token" => n::github(c),
        "github_pat" => format!("github_pat_{}_{}", c.alnum(22), c.alnum(59)),
        "gitlab_token" => format!("{}{}", c.pick(&["glpat-", "glrt-", "gldt-", "glptt-"]), c.alnum(20)),
        "slack_token" => {
            format!("{}{}-{}-{}", c.pick(&["xoxb-", "xoxp-"]), c.digits(12), c.digits(13), c.alnum(24))
        }
        "webhook_url" => {
            let secret = format!("T{}/B{}/{}", c.of(HEX_UPPER, 8), c.of(HEX_UPPER, 8), c.alnum(24));
            return Some(Positive {
                text: format!("post to https://hooks.slack.com/services/{secret}"),
                secret,
            });
        }
        "stripe_key" => format!("{}{}", c.pick(&["sk_live_", "sk_test_", "rk_live_", "whsec_"]), c.alnum(32)),
        "twilio_key" => format!("SK{}", c.hex(32)),
        "sendgrid_key" => format!("SG.{}.{}x", c.url64(22), c.url64(42)),
        "mailgun_key" => format!("key-{}", c.hex(32)),
        "npm_token" => format!("npm_{}", c.alnum(36)),
        "pypi_token" => format!("pypi-AgEIcHlwaS5vcmc{}x", c.url64(140)),
        "registry_token" => match c.below(3) {
            0 => format!("rubygems_{}", c.hex(48)),
            1 => format!("dckr_pat_{}x", c.url64(26)),
            _ => format!("cio{}", c.alnum(32)),
        },
        "vault_token" => format!("hvs.{}x", c.url64(90)),
        "cloud_token" => match c.below(4) {
            0 => format!("dop_v1_{}", c.hex(64)),
            1 => format!("glsa_{}_{}", c.alnum(32), c.hex(8)),
            2 => format!("pul-{}", c.hex(40)),
            _ => format!("NRAK-{}", c.of(HEX_UPPER, 27)),
        },
        "app_token" => match c.below(3) {
            0 => format!("shpat_{}", c.hex(32)),
            1 => format!("lin_api_{}", c.alnum(40)),
            _ => format!("ntn_{}", c.alnum(46)),
        },
        "telegram_token" => format!("1{}:AA{}x", c.digits(9), c.url64(32)),
        "indelible_key" => format!("ind_{}_{}_{}", c.pick(&["live", "test"]), c.alnum(12), c.alnum(49)),
        "url_userinfo" => {
            let secret = c.alnum(12);
            let scheme = c.pick(&["postgres", "mysql", "amqp", "redis", "https", "mongodb+srv"]);
            return Some(Positive {
                text: format!("{scheme}://app:{secret}@db.internal:5432/prod?a=b"),
                secret,
            });
        }
        "signed_url" => {
            let secret = c.hex(64);
            return Some(Positive {
                text: format!("https://b.s3.example.com/k?X-Amz-Date=1&X-Amz-Signature={secret}"),
                secret,
            });
        }
        "cookie" => {
            let secret = c.alnum(16);
            let front = c.pick(&["Cookie: ", "Set-Cookie: ", "cookie="]);
            return Some(Positive { text: format!("{front}sid={secret}; theme=dark"), secret });
        }
        "authorization" => {
            let secret = c.alnum(32);
            let scheme = c.pick(&["Bearer ", "Token ", "ApiKey ", ""]);
            return Some(Positive { text: format!("Authorization: {scheme}{secret}1"), secret });
        }
        "bearer" => {
            let secret = format!("{}7", c.alnum(30));
            return Some(after(c, &["Bearer ", "bearer "], secret));
        }
        "basic" => {
            let secret = STANDARD.encode(format!("{}:{}", c.alnum(6), c.alnum(12)));
            return Some(Positive { text: format!("sent Basic {secret}"), secret });
        }
        "password" => {
            let secret = match c.below(3) {
                0 => c.alnum(12),
                1 => format!("{}-{}", c.of("abcdefghij", 6), c.digits(2)),
                _ => c.of("bcdfgkmnprtvwz", 9),
            };
            let fronts = &[
                "password=",
                "Password: ",
                "db_password = ",
                "pwd=",
                "passwd:",
                "\"password\": \"",
                "--password ",
            ];
            let front = c.pick(fronts);
            let end = if front.ends_with('"') { "\"" } else { "" };
            return Some(Positive { text: format!("run with {front}{secret}{end} on host a"), secret });
        }
        "assigned_key" => {
            let secret = format!("{}4", c.alnum(23));
            let fronts =
                &["api_key=", "API key: ", "access_token=", "\"client_secret\": \"", "token = ", "--token "];
            let front = c.pick(fronts);
            let end = if front.ends_with('"') { "\"" } else { "" };
            return Some(Positive { text: format!("set {front}{secret}{end} now"), secret });
        }
        "provider_key" => {
            let secret = format!("{}5", c.alnum(39));
            return Some(after(
                c,
                &["cohere key ", "MISTRAL_API_KEY=", "together api key: ", "Deepgram token "],
                secret,
            ));
        }
        "card" => n::card(c),
        "iban" => n::iban(c),
        "email" => format!(
            "{}.{}@{}.example.{}",
            c.of("abcdefgh", 5),
            c.alnum(4),
            c.of("abcdefgh", 6),
            c.pick(&["com", "org", "co.uk", "de"])
        ),
        "us_ssn" => loop {
            let (area, group, serial) = (1 + c.below(898), 1 + c.below(99), 1 + c.below(9999));
            if area != 666 {
                break format!("{area:03}-{group:02}-{serial:04}");
            }
        },
        "us_ssn_context" => {
            let secret = format!("{:03}{:02}{:04}", 1 + c.below(600), 1 + c.below(99), 1 + c.below(9999));
            return Some(after(c, &["SSN ", "ssn: ", "social security number "], secret));
        }
        "national_id" => {
            let secret = format!("{}{}", c.upper(1), c.digits(8));
            return Some(after(
                c,
                &["passport number ", "passport no. ", "driver's license: ", "national ID "],
                secret,
            ));
        }
        "uk_nino" => {
            let secret = format!("{} {}", c.pick(&["AB", "JK", "SC", "NW"]), c.digits(6))
                + c.pick(&["A", "B", "C", "D"]);
            return Some(after(c, &["NI number: ", "national insurance number ", "NINO "], secret));
        }
        "it_codice_fiscale" => n::codice_fiscale(c),
        "br_cpf" => n::cpf(c),
        "es_dni" => return Some(Positive::of(c, &["DNI ", "DNI: ", "nif "], n::dni)),
        "fr_nir" => n::nir(c),
        "de_steuer_id" => {
            return Some(Positive::of(
                c,
                &["Steuer-ID: ", "Steueridentifikationsnummer ", "IdNr. "],
                n::steuer,
            ));
        }
        "in_aadhaar" => return Some(Positive::of(c, &["Aadhaar ", "aadhaar no: "], n::aadhaar)),
        "ca_sin" => return Some(Positive::of(c, &["SIN ", "social insurance number "], n::sin)),
        "nhs_number" => return Some(Positive::of(c, &["NHS number ", "NHS no: "], n::nhs)),
        "npi" => return Some(Positive::of(c, &["NPI ", "NPI: ", "national provider identifier "], n::npi)),
        "mrn" => {
            let secret = c.digits(8);
            return Some(after(c, &["MRN ", "MRN: ", "patient ID ", "medical record number "], secret));
        }
        "us_mbi" => {
            const L: &str = "ACDEFGHJKMNPQRTUVWXY";
            format!(
                "{}{}{}{}-{}{}{}-{}{}",
                1 + c.below(9),
                c.of(L, 1),
                c.of(L, 1),
                c.digits(1),
                c.of(L, 1),
                c.of(L, 1),
                c.digits(1),
                c.of(L, 2),
                c.digits(2)
            )
        }
        "dea_number" => return Some(Positive::of(c, &["DEA number ", "DEA: ", "DEA "], n::dea)),
        "icd_code" => {
            let secret = format!("{}{}.{}", c.of("ABCDEFGHIJ", 1), c.digits(2), c.digits(1));
            return Some(after(c, &["ICD-10 ", "diagnosis: ", "diagnosed with ", "dx: "], secret));
        }
        "bank_account" => {
            let secret = format!("1{}", c.digits(9));
            return Some(after(
                c,
                &["account number ", "account no. ", "bank account ", "Kontonummer "],
                secret,
            ));
        }
        "routing_number" => {
            return Some(Positive::of(c, &["routing number ", "ABA ", "routing no: "], n::routing));
        }
        "swift_bic" => {
            let secret = format!("{}{}{}", c.upper(4), c.pick(&["DE", "GB", "US"]), c.of(HEX_UPPER, 2));
            return Some(after(c, &["BIC ", "SWIFT code ", "BIC: "], secret));
        }
        "phone" => match c.below(4) {
            0 => format!("+1{}{}", 2 + c.below(8), c.digits(9)),
            1 => format!("+49 170 {}", c.digits(7)),
            2 => format!("+44 20 {} {}", c.digits(4), c.digits(4)),
            _ => format!("+1 ({}{}) 555-{}", 2 + c.below(8), c.pick(&["02", "23", "48"]), c.digits(4)),
        },
        "phone_nanp" => match c.below(3) {
            0 => format!("({}15) 555-{}", 2 + c.below(8), c.digits(4)),
            1 => format!("{}03-{}55-{}", 2 + c.below(8), 2 + c.below(8), c.digits(4)),
            _ => format!("1-{}28-{}67-{}", 2 + c.below(8), 2 + c.below(8), c.digits(4)),
        },
        "phone_context" => {
            let secret = format!("0{} {}", c.digits(3), 1_000_000 + c.below(8_999_999));
            return Some(after(c, &["phone ", "Tel. ", "mobile: ", "fax "], secret));
        }
        _ => return None,
    };
    Some(around(c, &key))
}

impl Positive {
    fn of(c: &mut Chance, fronts: &[&str], number: fn(&mut Chance) -> String) -> Positive {
        let secret = number(c);
        after(c, fronts, secret)
    }
}

type Make = fn(&mut Chance) -> String;

/// Kinds of text in which there is nothing to take out.
pub(crate) const NEGATIVES: &[(&str, Make)] = &[
    ("UUID", |c| c.uuid()),
    ("SHA-256", |c| format!("sha256:{}", c.hex(64))),
    ("Git commit", |c| format!("fixed in commit {}", c.hex(40))),
    ("trace id", |c| format!("00-{}-{}-01", c.hex(32), c.hex(16))),
    ("time of day", |c| {
        format!(
            "20{}-1{}-0{}T0{}:{}:{}.{}Z",
            20 + c.below(9),
            c.below(3),
            1 + c.below(9),
            c.below(10),
            10 + c.below(50),
            10 + c.below(50),
            c.digits(6)
        )
    }),
    ("time in a sentence", |c| {
        format!(
            "finished at 2026-11-0{} 1{}:{}:{} after {}.{} ms",
            1 + c.below(9),
            c.below(10),
            10 + c.below(50),
            10 + c.below(50),
            c.digits(4),
            c.digits(2)
        )
    }),
    ("Unix time in ms", |c| format!("17{}", c.digits(11))),
    ("Unix time in ns", |c| format!("17{}", c.digits(17))),
    ("order number", |c| format!("ORD-2026-{}", c.digits(9))),
    ("number of 16 digits", |c| format!("{}{}", 1 + c.below(9), c.digits(15))),
    ("snowflake id", |c| format!("1{}", c.digits(18))),
    ("ULID", |c| format!("evt_01{}", c.of("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 24))),
    ("version", |c| format!("v{}.{}.{}-rc.{}", c.below(20), c.below(100), c.below(100), c.below(9))),
    ("model", |c| {
        let models = &[
            "gpt-4o-2024-08-06",
            "claude-3-5-sonnet-20241022",
            "gemini-1.5-pro-002",
            "mistral-large-2411",
            "command-r-plus-08-2024",
            "llama-3.1-70b-versatile",
            "text-embedding-3-large",
        ];
        format!("{}/{}", c.pick(&["openai", "anthropic", "azure", "cohere"]), c.pick(models))
    }),
    ("base64 of an image", |c| {
        let bytes: Vec<u8> = (0..300).map(|_| c.next() as u8).collect();
        format!("data:image/png;base64,iVBORw0KGgoAAAANSUhEUg{}", STANDARD.encode(bytes))
    }),
    ("prose", |c| {
        let start =
            c.pick(&["The auditors", "Three engineers", "Nobody", "Our customers in Lyon", "The model"]);
        let verb = c.pick(&["asked for", "rotated", "approved", "forgot about", "reviewed", "signed off"]);
        let what = c.pick(&[
            "the token budget",
            "the password policy",
            "a secret santa list",
            "the api key rotation plan",
            "two cookies",
            "the authorization model",
            "bearer authentication",
            "the phone tree",
            "the account team",
        ]);
        format!("{start} {verb} {what} on Tuesday, {} times in {} weeks.", c.below(90), c.below(90))
    }),
    ("settings", |c| {
        format!(
            "max_tokens={} temperature=0.{} top_p=1 token_limit: {} timeout=30s retries: 3",
            c.below(9000),
            c.below(10),
            c.below(90_000)
        )
    }),
    ("user agent", |c| {
        format!(
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/1{}.0.{}.{} Safari/537.36",
            c.digits(2),
            1000 + c.below(9000),
            c.digits(2)
        )
    }),
    ("URL", |c| {
        format!(
            "https://api.example.com:8443/v{}/teams/{}/keys?page={}&sort=created_at",
            c.below(9),
            c.hex(12),
            c.below(99)
        )
    }),
    ("ARN", |c| {
        format!("arn:aws:bedrock:eu-west-1:{}:inference-profile/{}", c.digits(12), c.of("abcdefghij", 12))
    }),
    ("path", |c| format!("/var/lib/app/shards/{}/segment-{}.dat", c.hex(8), c.digits(10))),
    ("pod", |c| {
        format!(
            "gateway-{}-{}",
            c.of("bcdfghjklmnpqrstvwxz2456789", 10),
            c.of("bcdfghjklmnpqrstvwxz2456789", 5)
        )
    }),
    ("amounts", |c| {
        format!(
            "charged {}.{} EUR and {},{} JPY, balance {}",
            c.below(10_000),
            c.digits(2),
            c.below(1000),
            c.digits(3),
            c.below(1_000_000)
        )
    }),
    ("vector", |c| (0..12).map(|_| format!("0.{}", c.digits(8))).collect::<Vec<_>>().join(", ")),
    ("key id", |c| {
        format!("key {} (alias {}-prod) of team {}", c.hex(16), c.of("abcdefghij", 6), c.digits(4))
    }),
    ("code", |c| {
        format!("fn f{}(x: u64) -> u64 {{ x.wrapping_mul({}) ^ 0x{} }}", c.below(99), c.digits(9), c.hex(16))
    }),
];
