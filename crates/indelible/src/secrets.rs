//! Secrets in what people write about themselves: names, and what is quoted back to them. Personal data may stay: it is
//! theirs.

use std::sync::LazyLock;

use redact::{Action, Content, Pii, Policy, Redactor};

static SECRETS: LazyLock<Redactor> = LazyLock::new(|| {
    let keep = Action::Keep;
    let pii = Pii { email: keep, phone: keep, national_id: keep, person: keep, health: keep, account: keep };
    let policy = Policy { content: Content::Keep, pii, ..Policy::default() };
    Redactor::new(&policy).expect("a policy without paths")
});

/// The rule by which a text has a secret in it, if it has one.
pub(crate) fn secret_in(text: &str) -> Option<&'static str> {
    Some(SECRETS.text(text).1.first()?.rule)
}

/// A text to quote in an answer: with markers for the secrets in it. Answers are kept by clients, proxies and terminals.
pub fn without_secrets(text: &str) -> String {
    SECRETS.text(text).0
}
