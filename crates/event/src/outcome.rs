//! How it went, and how much it matters: the frozen numbers of `docs/format.md` 1.3, and the words senders use for them.

/// The number for a word we do not know. The word itself is then kept in section `what`.
pub const OTHER: u8 = 255;
/// The number for a word that was not said.
pub const NOT_SAID: u8 = 0;

/// One word of a frozen table.
#[derive(Debug)]
pub struct Word {
    /// Its number in the leaf.
    pub code: u8,
    /// Its name.
    pub name: &'static str,
    /// Other words that mean the same, accepted at the door and forgotten there.
    pub synonyms: &'static [&'static str],
    /// What it says.
    pub about: &'static str,
}

/// Status: how it went.
pub static STATUSES: &[Word] = &[
    word(1, "success", &["succeeded", "ok", "allowed", "completed"], "it was done"),
    word(2, "failed", &["failure", "fail"], "it was tried and did not work, a wrong password for instance"),
    word(3, "blocked", &["denied", "rejected"], "a rule, a guardrail or a missing permission stopped it"),
    word(4, "error", &["errored"], "something broke"),
    word(5, "pending", &["in_progress", "started"], "it has begun, or waits for somebody"),
    word(6, "partial", &["partial_success"], "some of it was done"),
    word(7, "cancelled", &["canceled", "aborted"], "somebody stopped it"),
    word(8, "timeout", &["timed_out"], "it took too long"),
];

/// Severity: how much it matters, in order.
pub static SEVERITIES: &[Word] = &[
    word(1, "info", &["informational", "information", "notice"], "business as usual"),
    word(2, "low", &["minor"], "worth keeping"),
    word(3, "medium", &["moderate", "warning", "warn"], "worth a look"),
    word(4, "high", &["major"], "look at it today"),
    word(5, "critical", &["fatal", "emergency"], "look at it now"),
];

const fn word(code: u8, name: &'static str, synonyms: &'static [&'static str], about: &'static str) -> Word {
    Word { code, name, synonyms, about }
}

/// The number of a status word or of a synonym, in whatever case; [`OTHER`] for any other word.
pub fn status_code(word: &str) -> u8 {
    code(STATUSES, word)
}

/// The number of a severity word or of a synonym, in whatever case; [`OTHER`] for any other word.
pub fn severity_code(word: &str) -> u8 {
    code(SEVERITIES, word)
}

/// The status word of a number; `None` for [`NOT_SAID`], [`OTHER`] and numbers of later versions.
pub fn status_name(code: u8) -> Option<&'static str> {
    name(STATUSES, code)
}

/// The severity word of a number; `None` for [`NOT_SAID`], [`OTHER`] and numbers of later versions.
pub fn severity_name(code: u8) -> Option<&'static str> {
    name(SEVERITIES, code)
}

fn code(table: &[Word], said: &str) -> u8 {
    let known = table.iter().find(|w| w.name == said).or_else(|| {
        table.iter().find(|w| {
            w.name.eq_ignore_ascii_case(said) || w.synonyms.iter().any(|s| s.eq_ignore_ascii_case(said))
        })
    });
    known.map_or(OTHER, |w| w.code)
}

fn name(table: &'static [Word], code: u8) -> Option<&'static str> {
    table.iter().find(|w| w.code == code).map(|w| w.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_frozen() {
        let numbers = |table: &[Word]| {
            table.iter().map(|w| format!("{}={}", w.code, w.name)).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            numbers(STATUSES),
            "1=success 2=failed 3=blocked 4=error 5=pending 6=partial 7=cancelled 8=timeout"
        );
        assert_eq!(numbers(SEVERITIES), "1=info 2=low 3=medium 4=high 5=critical");
    }

    #[test]
    fn words_mean_one_thing() {
        for table in [STATUSES, SEVERITIES] {
            let mut all: Vec<_> = table.iter().flat_map(|w| w.synonyms.iter().chain([&w.name])).collect();
            all.sort();
            assert!(all.windows(2).all(|w| w[0] != w[1]));
            assert!(all.iter().all(|w| code(table, &w.to_uppercase()) == code(table, w)));
        }
        assert_eq!(status_code("Failure"), 2);
        assert_eq!(status_code("denied"), 3);
        assert_eq!(status_code("exploded"), OTHER);
        assert_eq!(severity_code("warning"), 3);
        assert_eq!(severity_code("debug"), OTHER);
        assert_eq!(status_name(3), Some("blocked"));
        assert_eq!(status_name(OTHER), None);
    }
}
