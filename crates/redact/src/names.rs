//! What the name of a member says about its value: `password`, `x-api-key`, `customerEmail`, `messages`.

use crate::check;
use crate::policy::PiiClass;
use crate::rules::Kind;
use crate::scan::What;

/// What a name says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Name {
    /// Nothing.
    Plain,
    /// The value is a secret, whatever it looks like.
    Secret(What),
    /// The value is personal data, if `fits` says so of its text.
    Pii { what: What, fits: fn(&str) -> bool },
    /// The value is a text that is fingerprinted.
    Text(Text),
    /// The value is the sender's own hash of such a text, or of a key.
    Hash,
}

/// The texts of which a fingerprint is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Text {
    Prompt,
    Response,
    Arguments,
    Result,
    /// `input`: arguments in the event of a tool call, else the prompt.
    Input,
    /// `output`: the result in the event of a tool call, else the response.
    Output,
}

const fn secret(id: &'static str) -> Name {
    Name::Secret(What { id, kind: Kind::Secret })
}

const fn key(id: &'static str) -> Name {
    Name::Secret(What { id, kind: Kind::Key })
}

const fn pii(id: &'static str, class: PiiClass, fits: fn(&str) -> bool) -> Name {
    Name::Pii { what: What { id, kind: Kind::Pii(class) }, fits }
}

fn any(text: &str) -> bool {
    !text.is_empty()
}

/// Rules that go by the name of a field, and what they are about; in `redactions[].rule` as the rules of text are.
pub const NAMED: &[(&str, &str)] = &[
    ("password_field", "passwords, PINs, one-time codes and the like"),
    ("key_field", "API keys and tokens"),
    ("credential_field", "cookies, authorization headers, private keys and credentials"),
    ("card_field", "card numbers and security codes"),
    ("person_field", "names, dates of birth and street addresses"),
    ("phone_field", "telephone numbers"),
    ("national_id_field", "social security, tax and identity numbers"),
    ("health_field", "numbers of patients, and diagnoses"),
    ("account_field", "bank accounts"),
    ("email_field", "e-mail addresses"),
];

/// Longer names are judged by their end.
const NAME_MAX: usize = 96;

/// What a member's name says about its value.
pub(crate) fn of(name: &str) -> Name {
    if name.len() < 2 {
        return Name::Plain;
    }
    let mut buffer = [0u8; 2 * NAME_MAX];
    let words = words(name, &mut buffer);
    let found = match of_text(words) {
        Name::Plain => of_value(without_tail(words)),
        text => return text,
    };
    match (found, words.strip_suffix('s')) {
        // `phones` and `emails`; several secrets have rows of their own, since `tokens` are mostly counted.
        (Name::Plain, Some(one)) => match of_value(one) {
            Name::Pii { what, fits } => Name::Pii { what, fits },
            _ => Name::Plain,
        },
        _ => found,
    }
}

/// The name in lower case, its words joined by `_`: `X-Api-Key`, `xApiKey` and `x.api_key` are one.
fn words<'b>(name: &str, buffer: &'b mut [u8; 2 * NAME_MAX]) -> &'b str {
    let bytes = name.as_bytes();
    let bytes = &bytes[bytes.len().saturating_sub(NAME_MAX)..];
    let mut length = 0;
    let mut push = |byte: u8| {
        buffer[length] = byte;
        length += 1;
    };
    let mut gap = true;
    for (at, byte) in bytes.iter().enumerate() {
        if !byte.is_ascii_alphanumeric() {
            if !gap {
                push(b'_');
            }
            gap = true;
            continue;
        }
        if byte.is_ascii_uppercase() && !gap {
            let before = bytes[at - 1];
            let after = bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
            if !before.is_ascii_uppercase() || after {
                push(b'_');
            }
        }
        push(byte.to_ascii_lowercase());
        gap = false;
    }
    std::str::from_utf8(&buffer[..length]).unwrap_or_default().trim_end_matches('_')
}

/// Without words at the end that do not change what the value is: `password_new`, `token_value`, `api_key_2`.
fn without_tail(words: &str) -> &str {
    const TAIL: &[&str] = &[
        "value",
        "raw",
        "plain",
        "plaintext",
        "string",
        "str",
        "old",
        "new",
        "current",
        "previous",
        "prev",
        "before",
        "after",
        "confirm",
        "confirmation",
        "again",
        "repeat",
        "base64",
        "b64",
        "encoded",
        "decoded",
        "header",
        "field",
        "param",
        "pem",
        "encrypted",
        "primary",
        "secondary",
    ];
    let mut words = words;
    loop {
        let shorter = words.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
        if shorter.is_empty() {
            return words;
        }
        match shorter.rsplit_once('_') {
            Some((before, last)) if TAIL.contains(&last) => words = before,
            _ => return shorter,
        }
    }
}

/// Whether `words` is `end`, or ends in it after another word.
fn ends(words: &str, end: &str) -> bool {
    words.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with('_'))
}

/// These mean one thing even with another word stuck to their front, as in `dbpassword`.
const STUCK: &[(&str, Name)] = &[
    ("password", secret("password_field")),
    ("passwd", secret("password_field")),
    ("passphrase", secret("password_field")),
    ("passwort", secret("password_field")),
    ("kennwort", secret("password_field")),
    ("passcode", secret("password_field")),
    ("pwd", secret("password_field")),
    ("apikey", key("key_field")),
    ("secret", key("key_field")),
    ("secretkey", key("key_field")),
    ("accesskey", key("key_field")),
    ("accesstoken", key("key_field")),
    ("authtoken", key("key_field")),
    ("refreshtoken", key("key_field")),
    ("sessiontoken", key("key_field")),
    ("bearertoken", key("key_field")),
    ("apitoken", key("key_field")),
    ("idtoken", key("key_field")),
    ("csrftoken", key("key_field")),
    ("privatekey", secret("credential_field")),
    ("authorization", secret("credential_field")),
    ("credential", secret("credential_field")),
    ("credentials", secret("credential_field")),
    ("setcookie", secret("credential_field")),
];

/// These are whole words at the end of a name.
const SECRETS: &[(&str, Name)] = &[
    ("pass", secret("password_field")),
    ("passwords", secret("password_field")),
    ("password_hash", secret("password_field")),
    ("hashed_password", secret("password_field")),
    ("mot_de_passe", secret("password_field")),
    ("contrasena", secret("password_field")),
    ("senha", secret("password_field")),
    ("otp", secret("password_field")),
    ("totp_seed", secret("password_field")),
    ("mfa_code", secret("password_field")),
    ("otp_code", secret("password_field")),
    ("verification_code", secret("password_field")),
    ("recovery_code", secret("password_field")),
    ("recovery_codes", secret("password_field")),
    ("backup_codes", secret("password_field")),
    ("security_answer", secret("password_field")),
    ("pin", secret("password_field")),
    ("pin_code", secret("password_field")),
    ("api_key", key("key_field")),
    ("api_keys", key("key_field")),
    ("secret_key", key("key_field")),
    ("access_key", key("key_field")),
    ("account_key", key("key_field")),
    ("auth_key", key("key_field")),
    ("shared_key", key("key_field")),
    ("master_key", key("key_field")),
    ("virtual_key", key("key_field")),
    ("service_key", key("key_field")),
    ("subscription_key", key("key_field")),
    ("license_key", key("key_field")),
    ("signing_key", key("key_field")),
    ("encryption_key", key("key_field")),
    ("hmac_key", key("key_field")),
    ("webhook_key", key("key_field")),
    ("function_key", key("key_field")),
    ("secrets", key("key_field")),
    ("access_tokens", key("key_field")),
    ("refresh_tokens", key("key_field")),
    ("api_tokens", key("key_field")),
    ("bearer", key("key_field")),
    ("jwt", key("key_field")),
    ("sas", key("key_field")),
    ("private_key", secret("credential_field")),
    ("ssh_key", secret("credential_field")),
    ("creds", secret("credential_field")),
    ("cookie", secret("credential_field")),
    ("cookies", secret("credential_field")),
    ("card_number", secret("card_field")),
    ("cardnumber", secret("card_field")),
    ("credit_card", secret("card_field")),
    ("creditcard", secret("card_field")),
    ("debit_card", secret("card_field")),
    ("cvv", secret("card_field")),
    ("cvc", secret("card_field")),
    ("card_pan", secret("card_field")),
    ("security_code", secret("card_field")),
    ("iban", secret("card_field")),
];

/// The same for personal data.
const PERSONAL: &[(&str, Name)] = &[
    ("first_name", pii("person_field", PiiClass::Person, any)),
    ("firstname", pii("person_field", PiiClass::Person, any)),
    ("last_name", pii("person_field", PiiClass::Person, any)),
    ("lastname", pii("person_field", PiiClass::Person, any)),
    ("full_name", pii("person_field", PiiClass::Person, any)),
    ("fullname", pii("person_field", PiiClass::Person, any)),
    ("middle_name", pii("person_field", PiiClass::Person, any)),
    ("maiden_name", pii("person_field", PiiClass::Person, any)),
    ("given_name", pii("person_field", PiiClass::Person, any)),
    ("family_name", pii("person_field", PiiClass::Person, any)),
    ("surname", pii("person_field", PiiClass::Person, any)),
    ("patient_name", pii("person_field", PiiClass::Person, any)),
    ("customer_name", pii("person_field", PiiClass::Person, any)),
    ("employee_name", pii("person_field", PiiClass::Person, any)),
    ("contact_name", pii("person_field", PiiClass::Person, any)),
    ("legal_name", pii("person_field", PiiClass::Person, any)),
    ("cardholder", pii("person_field", PiiClass::Person, any)),
    ("cardholder_name", pii("person_field", PiiClass::Person, any)),
    ("account_holder", pii("person_field", PiiClass::Person, any)),
    ("next_of_kin", pii("person_field", PiiClass::Person, any)),
    ("date_of_birth", pii("person_field", PiiClass::Person, any)),
    ("birth_date", pii("person_field", PiiClass::Person, any)),
    ("birthdate", pii("person_field", PiiClass::Person, any)),
    ("birthday", pii("person_field", PiiClass::Person, any)),
    ("dob", pii("person_field", PiiClass::Person, any)),
    ("street", pii("person_field", PiiClass::Person, any)),
    ("street_address", pii("person_field", PiiClass::Person, any)),
    ("home_address", pii("person_field", PiiClass::Person, any)),
    ("postal_address", pii("person_field", PiiClass::Person, any)),
    ("mailing_address", pii("person_field", PiiClass::Person, any)),
    ("billing_address", pii("person_field", PiiClass::Person, any)),
    ("shipping_address", pii("person_field", PiiClass::Person, any)),
    ("address_line", pii("person_field", PiiClass::Person, any)),
    ("phone", pii("phone_field", PiiClass::Phone, check::phone)),
    ("phone_number", pii("phone_field", PiiClass::Phone, check::phone)),
    ("phonenumber", pii("phone_field", PiiClass::Phone, check::phone)),
    ("telephone", pii("phone_field", PiiClass::Phone, check::phone)),
    ("tel", pii("phone_field", PiiClass::Phone, check::phone)),
    ("mobile", pii("phone_field", PiiClass::Phone, check::phone)),
    ("cell", pii("phone_field", PiiClass::Phone, check::phone)),
    ("fax", pii("phone_field", PiiClass::Phone, check::phone)),
    ("ssn", pii("national_id_field", PiiClass::NationalId, check::some_digits)),
    ("social_security", pii("national_id_field", PiiClass::NationalId, check::some_digits)),
    ("social_security_number", pii("national_id_field", PiiClass::NationalId, check::some_digits)),
    ("national_id", pii("national_id_field", PiiClass::NationalId, check::some_digits)),
    ("tax_id", pii("national_id_field", PiiClass::NationalId, check::some_digits)),
    ("passport", pii("national_id_field", PiiClass::NationalId, check::some_digits)),
    ("passport_number", pii("national_id_field", PiiClass::NationalId, check::some_digits)),
    ("driver_license", pii("national_id_field", PiiClass::NationalId, check::some_digits)),
    ("drivers_license", pii("national_id_field", PiiClass::NationalId, check::some_digits)),
    ("license_number", pii("national_id_field", PiiClass::NationalId, check::some_digits)),
    ("nino", pii("national_id_field", PiiClass::NationalId, check::some_digits)),
    ("aadhaar", pii("national_id_field", PiiClass::NationalId, check::some_digits)),
    ("cpf", pii("national_id_field", PiiClass::NationalId, check::some_digits)),
    ("dni", pii("national_id_field", PiiClass::NationalId, check::some_digits)),
    ("steuer_id", pii("national_id_field", PiiClass::NationalId, check::some_digits)),
    ("mrn", pii("health_field", PiiClass::Health, any)),
    ("medical_record_number", pii("health_field", PiiClass::Health, any)),
    ("patient_id", pii("health_field", PiiClass::Health, any)),
    ("patient_number", pii("health_field", PiiClass::Health, any)),
    ("nhs_number", pii("health_field", PiiClass::Health, any)),
    ("npi", pii("health_field", PiiClass::Health, check::some_digits)),
    ("diagnosis", pii("health_field", PiiClass::Health, any)),
    ("diagnoses", pii("health_field", PiiClass::Health, any)),
    ("icd_code", pii("health_field", PiiClass::Health, any)),
    ("health_plan_id", pii("health_field", PiiClass::Health, any)),
    ("account_number", pii("account_field", PiiClass::Account, check::some_digits)),
    ("bank_account", pii("account_field", PiiClass::Account, check::some_digits)),
    ("routing_number", pii("account_field", PiiClass::Account, check::some_digits)),
    ("sort_code", pii("account_field", PiiClass::Account, check::some_digits)),
    ("swift_code", pii("account_field", PiiClass::Account, any)),
    ("bic", pii("account_field", PiiClass::Account, any)),
    ("email", pii("email_field", PiiClass::Email, has_at)),
    ("email_address", pii("email_field", PiiClass::Email, has_at)),
];

/// One bit for each last three letters of the tables above: most names end in others, and need no more looking at.
static ENDINGS: [u64; 512] = {
    let mut bits = [0; 512];
    let tables = [STUCK, SECRETS, PERSONAL, &[("token", Name::Plain)]];
    let mut t = 0;
    while t < tables.len() {
        let mut i = 0;
        while i < tables[t].len() {
            let bit = ending(tables[t][i].0.as_bytes());
            bits[bit / 64] |= 1 << (bit % 64);
            i += 1;
        }
        t += 1;
    }
    bits
};

const fn ending(name: &[u8]) -> usize {
    let end = name.len();
    ((name[end - 1] & 31) as usize) << 10
        | ((name[end - 2] & 31) as usize) << 5
        | (name[end - 3] & 31) as usize
}

fn of_value(words: &str) -> Name {
    if words.len() < 3 {
        return Name::Plain;
    }
    let bit = ending(words.as_bytes());
    if ENDINGS[bit / 64] & 1 << (bit % 64) == 0 {
        return Name::Plain;
    }
    // Tokens that are no secrets: those of a model's alphabet, and those that turn pages.
    const NOT: &[&str] = &[
        "next",
        "page",
        "continuation",
        "pagination",
        "eos",
        "bos",
        "pad",
        "unk",
        "stop",
        "first",
        "last",
        "per",
        "mask",
        "sep",
        "cls",
        "eot",
        "start",
        "end",
        "max",
        "min",
        "input",
        "output",
    ];
    if ends(words, "token") {
        let before = words.strip_suffix("_token").unwrap_or_default();
        let before = before.rsplit('_').next().unwrap_or_default();
        return if NOT.contains(&before) { Name::Plain } else { key("key_field") };
    }
    let stuck = STUCK.iter().find(|(end, _)| words.ends_with(end));
    let found = stuck.or_else(|| SECRETS.iter().chain(PERSONAL).find(|(end, _)| ends(words, end)));
    found.map_or(Name::Plain, |(_, name)| *name)
}

/// An address at a host without a dot, or in quotes, which the rule of text does not know.
fn has_at(text: &str) -> bool {
    text.contains('@')
}

/// Names of whole texts, and of hashes of them. Prefixes are those under which tracing libraries number the messages.
fn of_text(words: &str) -> Name {
    let text = match words {
        "prompt"
        | "prompts"
        | "system_prompt"
        | "user_prompt"
        | "messages"
        | "input_messages"
        | "chat_history"
        | "system_instruction"
        | "system_instructions"
        | "gen_ai_input_messages"
        | "gen_ai_prompt"
        | "gen_ai_system_instructions"
        | "llm_prompts"
        | "llm_input_messages"
        | "prompt_text" => Text::Prompt,
        "completion"
        | "completions"
        | "response"
        | "responses"
        | "response_text"
        | "output_messages"
        | "choices"
        | "gen_ai_output_messages"
        | "gen_ai_completion"
        | "llm_completions"
        | "llm_output_messages"
        | "answer"
        | "generated_text" => Text::Response,
        "arguments"
        | "tool_arguments"
        | "tool_input"
        | "tool_args"
        | "function_arguments"
        | "retrieval_query"
        | "gen_ai_tool_call_arguments"
        | "gen_ai_retrieval_query_text" => Text::Arguments,
        "tool_result" | "tool_output" | "tool_response" | "gen_ai_tool_call_result" => Text::Result,
        "input" | "inputs" | "input_text" | "input_value" | "traceloop_entity_input" => Text::Input,
        "output" | "outputs" | "output_text" | "output_value" | "traceloop_entity_output" => Text::Output,
        _ => {
            const NUMBERED: &[(&str, Text)] = &[
                ("gen_ai_prompt_", Text::Prompt),
                ("gen_ai_completion_", Text::Response),
                ("llm_prompts_", Text::Prompt),
                ("llm_completions_", Text::Response),
                ("llm_input_messages_", Text::Prompt),
                ("llm_output_messages_", Text::Response),
            ];
            let is_text =
                |words: &str| ends(words, "content") || ends(words, "arguments") || ends(words, "text");
            let numbered = NUMBERED.iter().find(|(front, _)| words.starts_with(front));
            return match numbered {
                Some((_, text)) if is_text(words) => Name::Text(*text),
                _ if is_hash(words) => Name::Hash,
                _ => Name::Plain,
            };
        }
    };
    Name::Text(text)
}

/// `prompt_hash`, `response_sha256`, `api_key_hash` and the like: made without our key, so a short text can be guessed.
fn is_hash(words: &str) -> bool {
    const OF: &[&str] = &[
        "prompt",
        "response",
        "completion",
        "input",
        "output",
        "arguments",
        "result",
        "api_key",
        "messages",
        "query",
    ];
    const HASHES: &[&str] = &["hash", "sha256", "sha1", "md5", "digest", "fingerprint", "hashed"];
    let last = |words: &str, list: &[&str]| list.iter().any(|end| ends(words, end));
    match words.rsplit_once('_') {
        Some((of, hash)) => HASHES.contains(&hash) && last(of, OF),
        None => false,
    }
}

/// Words that stand in fields named after secrets, and say something about them.
pub(crate) fn is_state(text: &str) -> bool {
    const STATES: &[&str] = &[
        "true",
        "false",
        "yes",
        "no",
        "none",
        "null",
        "required",
        "optional",
        "granted",
        "denied",
        "allowed",
        "enabled",
        "disabled",
        "present",
        "missing",
        "set",
        "unset",
        "valid",
        "invalid",
        "expired",
        "revoked",
        "rotated",
        "created",
        "deleted",
        "updated",
        "active",
        "inactive",
        "changed",
        "unchanged",
    ];
    STATES.contains(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(names: &[&str], expected: fn(&Name) -> bool) {
        for name in names {
            let found = of(name);
            assert!(expected(&found), "{name}: {found:?}");
        }
    }

    #[test]
    fn secrets_are_known_by_name_however_it_is_written() {
        check(
            &[
                "password",
                "Password",
                "userPassword",
                "db.password",
                "DBPassword",
                "password_1",
                "passwordConfirmation",
                "pwd",
                "x-api-key",
                "X-Api-Key",
                "apiKey",
                "APIKey",
                "OPENAI_API_KEY",
                "clientSecret",
                "client-secret",
                "accessToken",
                "access_token",
                "id_token",
                "token",
                "Authorization",
                "proxy-authorization",
                "cookie",
                "Set-Cookie",
                "privateKey",
                "private_key_pem",
                "credentials",
                "aws_secret_access_key",
                "dbpassword",
                "card_number",
                "cvv",
                "token_value",
                "api_key_2",
                "password_hash",
                "GITHUB_TOKEN",
                "master_key",
            ],
            |name| matches!(name, Name::Secret(_)),
        );
    }

    #[test]
    fn names_that_only_speak_of_secrets_are_plain() {
        check(
            &[
                "tokens_input",
                "max_tokens",
                "token_count",
                "token_type",
                "tokenizer",
                "total_tokens",
                "prompt_tokens",
                "api_key_id",
                "api_key_alias",
                "key_name",
                "password_policy",
                "password_changed_at",
                "secret_name",
                "next_page_token",
                "eos_token",
                "auth_method",
                "authorized",
                "cookie_consent",
                "bypass",
                "compass",
                "passed",
                "keyboard",
                "monkey",
                "pinned",
                "spin",
                "secretary",
                "tokens",
                "key",
                "name",
                "id",
                "",
                "_",
                "password_required",
                "passes",
                "description",
                "team",
                "cached",
                "email_verified",
                "phone_model",
                "street_view_enabled",
            ],
            |name| matches!(name, Name::Plain),
        );
    }

    #[test]
    fn texts_hashes_and_personal_data_are_known_by_name() {
        check(
            &[
                "prompt",
                "messages",
                "gen_ai.prompt",
                "gen_ai.prompt.0.content",
                "llm.input_messages.0.message.content",
            ],
            |name| matches!(name, Name::Text(Text::Prompt)),
        );
        check(&["gen_ai.prompt.0.role", "prompt_version", "response_ms", "input_cost"], |name| {
            matches!(name, Name::Plain)
        });
        check(&["prompt_hash", "response_sha256", "api_key_hash", "user_prompt_fingerprint"], |name| {
            matches!(name, Name::Hash)
        });
        check(
            &[
                "firstName",
                "patient_name",
                "ssn",
                "customer_phone",
                "date_of_birth",
                "bank_account",
                "address_line1",
            ],
            |name| matches!(name, Name::Pii { .. }),
        );
    }
}
