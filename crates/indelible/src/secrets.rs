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

/// The same for a JSON pointer (RFC 6901), whose names are chosen by whoever wrote the JSON.
pub fn pointer_without_secrets(pointer: &str) -> String {
    in_pointer(pointer, without_secrets)
}

/// A pointer whose names were changed, each by itself and as it is written in the JSON.
pub(crate) fn in_pointer(pointer: &str, change: impl Fn(&str) -> String) -> String {
    let names = pointer.split('/').map(|name| {
        let plain = name.replace("~1", "/").replace("~0", "~");
        change(&plain).replace('~', "~0").replace('/', "~1")
    });
    names.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_keeps_its_names_but_for_secrets() {
        let check = |pointer: &str, expect: &str| assert_eq!(pointer_without_secrets(pointer), expect);
        check("", "");
        check("/actor/email", "/actor/email");
        check("/a~1b/~01/0", "/a~1b/~01/0");
        check(
            "/postgres:~1~1app:s3cr3t-Plum@db.internal~1prod/0",
            "/postgres:~1~1[redacted:url_userinfo]~1prod/0",
        );
        check("/4111111111111111", "/[redacted:card]");
        check("/alice@example.com", "/alice@example.com");
    }
}
