//! Where in a text are things that may not be kept? The rules, compiled.
//!
//! A glance counts digits and sees whether any three letters are those of a rule's word; if so, one pass of Aho-Corasick
//! says which words there are. Only rules that these call for are tried. Most strings of an event are short ids: the glance
//! is all they cost.

use std::sync::LazyLock;

use aho_corasick::automaton::Automaton;
use aho_corasick::dfa::DFA;
use aho_corasick::{Anchored, MatchKind};
use regex::Regex;

use crate::check;
use crate::rules::{CARD, IBAN, Kind, RULES, Rule, When};

/// A set of rules, one bit each.
type Set = u128;

pub(crate) struct Scanner {
    words: DFA,
    /// Three letters of each word of the rules for what is never kept, and of each word.
    glance_never: Glance,
    glance_all: Glance,
    /// By pattern of `words`: the rules it calls for.
    called: Vec<Set>,
    /// By rule.
    patterns: Vec<Regex>,
    by_digits: Vec<(u32, Set)>,
    by_digits_in_all: Vec<(u32, Set)>,
    by_capitals: Set,
    /// With fewer digits, no rule that goes by numbers can find anything.
    digits_never: u32,
    digits_all: u32,
    /// Rules for what is never kept.
    never: Set,
}

/// The rules are constants, and so is this. A test tries every rule, so that it cannot fail where it is used.
pub(crate) static SCANNER: LazyLock<Scanner> = LazyLock::new(Scanner::new);

/// A place in a text, and what was found there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) what: What,
}

/// What was found: a rule of text, or a name of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct What {
    pub(crate) id: &'static str,
    pub(crate) kind: Kind,
}

impl Scanner {
    fn new() -> Scanner {
        assert!(RULES.len() <= Set::BITS as usize, "more rules than bits");
        let mut words: Vec<&str> = Vec::new();
        let mut called: Vec<Set> = Vec::new();
        let (mut by_digits, mut by_digits_in_all, mut by_capitals, mut never) =
            (Vec::new(), Vec::new(), 0, 0);
        let (mut glance_never, mut glance_all) = (Glance::new(), Glance::new());
        let (mut digits_never, mut digits_all) = (u32::MAX, u32::MAX);
        for (i, rule) in RULES.iter().enumerate() {
            let bit: Set = 1 << i;
            let is_pii = matches!(rule.kind, Kind::Pii(_));
            match rule.when {
                When::Words(list) => {
                    for word in list {
                        glance_all.add(word);
                        if !is_pii {
                            glance_never.add(word);
                        }
                        match words.iter().position(|known| known == word) {
                            Some(at) => called[at] |= bit,
                            None => {
                                words.push(word);
                                called.push(bit);
                            }
                        }
                    }
                }
                When::Digits(least) => by_digits.push((least, bit)),
                When::DigitsInAll(least) => by_digits_in_all.push((least, bit)),
                When::CapitalsAndDigits => by_capitals |= bit,
            }
            let digits = match rule.when {
                When::Digits(least) => least,
                When::CapitalsAndDigits => IBAN_DIGITS_MIN,
                When::Words(_) | When::DigitsInAll(_) => u32::MAX,
            };
            digits_all = digits_all.min(digits);
            if !is_pii {
                digits_never = digits_never.min(digits);
                never |= bit;
            }
        }
        let words = DFA::builder()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .prefilter(false)
            .build(&words)
            .expect("a few hundred short words");
        let patterns = RULES.iter().map(|rule| Regex::new(rule.pattern).expect(rule.id)).collect();
        Scanner {
            words,
            glance_never,
            glance_all,
            called,
            patterns,
            by_digits,
            by_digits_in_all,
            by_capitals,
            digits_never,
            digits_all,
            never,
        }
    }

    /// What is found in a text, in order and without overlaps: places that overlap become one, which has the name of the
    /// earliest rule in the table. `pii` says whether personal data is looked for too. `cuts` are places that count as the
    /// edge of a word, in order.
    pub(crate) fn spans(&self, text: &str, pii: bool, cuts: &[usize]) -> Vec<Span> {
        let mut spans = Vec::new();
        let called = self.called(text, if pii { Set::MAX } else { self.never });
        let mut rest = called;
        while rest != 0 {
            let at = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            let rule = &RULES[at];
            self.find(at, rule, text, cuts, &mut spans);
        }
        merged(spans)
    }

    /// Cards that lie across several values: where those are put together, they count as groups of digits.
    pub(crate) fn cards_across(&self, all: &str, cuts: &[usize]) -> Vec<Span> {
        let mut spans = Vec::new();
        if digits(all.as_bytes()) < 14 {
            return spans;
        }
        let mut spaced = String::with_capacity(all.len() + cuts.len());
        let mut from = 0;
        for cut in cuts {
            spaced.push_str(&all[from..*cut]);
            spaced.push(' ');
            from = *cut;
        }
        // Every cut before a place has put one space in front of it.
        let unspaced =
            |at: usize| at - cuts.iter().enumerate().take_while(|(nth, cut)| **cut + nth < at).count();
        let what = RULES.iter().find(|rule| rule.id == CARD).map(Rule::what);
        cards(&spaced, |start, end| {
            spans.extend(what.map(|what| Span { start: unspaced(start), end: unspaced(end), what }));
        });
        spans
    }

    fn find(&self, at: usize, rule: &Rule, text: &str, cuts: &[usize], spans: &mut Vec<Span>) {
        let found = |start, end| spans.push(Span { start, end, what: rule.what() });
        match rule.id {
            CARD => cards(text, found),
            IBAN => ibans(text, found),
            _ => matches(rule, &self.patterns[at], text, cuts, spans),
        }
    }

    /// The rules of `among` that a text calls for.
    fn called(&self, text: &str, among: Set) -> Set {
        let bytes = text.as_bytes();
        let (glance, digits_least) = if among == self.never {
            (&self.glance_never, self.digits_never)
        } else {
            (&self.glance_all, self.digits_all)
        };
        let mut called = 0;
        if glance.sees(bytes) {
            called = self.called_by_words(bytes);
        }
        let digits = digits(bytes);
        for (least, bit) in &self.by_digits_in_all {
            if digits >= *least {
                called |= bit;
            }
        }
        if digits >= digits_least {
            let numbers = Numbers::of(bytes);
            for (least, bit) in &self.by_digits {
                if numbers.longest >= *least {
                    called |= bit;
                }
            }
            if numbers.capitals {
                called |= self.by_capitals;
            }
        }
        called & among
    }

    fn called_by_words(&self, bytes: &[u8]) -> Set {
        let mut called = 0;
        let Ok(mut state) = self.words.start_state(Anchored::No) else { return Set::MAX };
        for byte in bytes {
            state = self.words.next_state(Anchored::No, state, *byte);
            // Without a prefilter only dead and match states are special, and the dead one is not met unanchored.
            if self.words.is_special(state) && self.words.is_match(state) {
                for i in 0..self.words.match_len(state) {
                    called |= self.called[self.words.match_pattern(state, i).as_usize()];
                }
            }
        }
        called
    }
}

/// Malta's have the fewest that are sure: two to check, and five for the branch. (Saint Lucia's may be letters but for two.)
const IBAN_DIGITS_MIN: u32 = 7;

/// Three letters of each of many words, one bit for each three: looking is one step for a byte, and needs no branch.
struct Glance {
    bits: [u64; 512],
    /// Whether one of the words is `@`, which is too short.
    at: bool,
}

impl Glance {
    fn new() -> Glance {
        Glance { bits: [0; 512], at: false }
    }

    fn add(&mut self, word: &str) {
        // The rarest three of a word, going by how often letters are used, so that little else has them.
        let rarity = |b: &u8| b" etaoinsrhldcumfpgwybvkxjqz".iter().position(|c| c == b).unwrap_or(30);
        match word.as_bytes().windows(3).max_by_key(|three| three.iter().map(rarity).sum::<usize>()) {
            Some(three) => {
                let bit = Glance::bit(three);
                self.bits[bit / 64] |= 1 << (bit % 64);
            }
            None => {
                assert_eq!(word, "@", "a word of a rule is too short");
                self.at = true;
            }
        }
    }

    /// Upper and lower case have the same five bits; so have some marks, which does no harm.
    fn bit(three: &[u8]) -> usize {
        let five = |n: usize| usize::from(three[n] & 31);
        five(0) << 10 | five(1) << 5 | five(2)
    }

    fn sees(&self, bytes: &[u8]) -> bool {
        let mut seen = 0;
        for three in bytes.windows(3) {
            let bit = Glance::bit(three);
            seen |= self.bits[bit / 64] >> (bit % 64);
        }
        if seen & 1 != 0 {
            return true;
        }
        self.at && memchr::memchr(b'@', bytes).is_some()
    }
}

impl Rule {
    fn what(&self) -> What {
        What { id: self.id, kind: self.kind }
    }
}

fn matches(rule: &Rule, pattern: &Regex, text: &str, cuts: &[usize], spans: &mut Vec<Span>) {
    let bytes = text.as_bytes();
    let joined = |at: usize| {
        at > 0
            && at < bytes.len()
            && bytes[at - 1].is_ascii_alphanumeric()
            && bytes[at].is_ascii_alphanumeric()
            && cuts.binary_search(&at).is_err()
    };
    let mut groups = pattern.capture_locations();
    let mut from = 0;
    while let Some(whole) = pattern.captures_read_at(&mut groups, text, from) {
        from = whole.end().max(whole.start() + 1);
        while !text.is_char_boundary(from) {
            from += 1;
        }
        let group = (1..groups.len()).find_map(|i| groups.get(i));
        let (start, end) = group.unwrap_or((whole.start(), whole.end()));
        let value = &text[start..end];
        let fits = !(rule.edges && (joined(whole.start()) || joined(whole.end())))
            && (rule.check)(value)
            && (rule.entropy == 0.0 || check::entropy(value) >= rule.entropy);
        if fits {
            spans.push(Span { start, end, what: rule.what() });
        }
        if from > text.len() {
            break;
        }
    }
}

/// Sorts, and makes one of those that overlap.
pub(crate) fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    if spans.len() < 2 {
        return spans;
    }
    let rank = |what: &What| RULES.iter().position(|rule| rule.id == what.id).unwrap_or(RULES.len());
    spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end), rank(&span.what)));
    let mut out: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match out.last_mut() {
            Some(last) if span.start < last.end => {
                last.end = last.end.max(span.end);
                let weaker =
                    matches!(last.what.kind, Kind::Pii(_)) && !matches!(span.what.kind, Kind::Pii(_));
                if weaker || rank(&span.what) < rank(&last.what) && last.what.kind == span.what.kind {
                    last.what = span.what;
                }
            }
            _ => out.push(span),
        }
    }
    out
}

/// How many digits there are. Written so that the compiler can take many bytes at once.
fn digits(bytes: &[u8]) -> u32 {
    bytes
        .chunks(128)
        .map(|chunk| u32::from(chunk.iter().map(|b| u8::from(b.is_ascii_digit())).sum::<u8>()))
        .sum()
}

/// Marks that people write between the groups of a number.
fn is_mark(byte: u8) -> bool {
    // Beyond ASCII: dashes and spaces that are not broken, and also letters, which cost no more than a pattern tried.
    matches!(byte, b' ' | b'-' | b'.' | b'(' | b')' | b'/') || byte >= 0x80
}

/// A look into a table is quicker than three comparisons, and ids are long.
static ALPHANUMERIC: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < table.len() {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    table
};

/// What a text's numbers look like.
struct Numbers {
    /// Most digits in a chain of numbers with only marks between them.
    longest: u32,
    /// Whether a word begins with two capitals and two digits.
    capitals: bool,
}

impl Numbers {
    fn of(bytes: &[u8]) -> Numbers {
        const MARKS_MAX: u32 = 4;
        let mut found = Numbers { longest: 0, capitals: false };
        let (mut chain, mut word, mut marks) = (0, 0, 0);
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            at += 1;
            match byte {
                b'0'..=b'9' => {
                    if marks > MARKS_MAX {
                        chain = 0;
                    }
                    marks = 0;
                    word += 1;
                    found.longest = found.longest.max(chain + word);
                }
                b'A'..=b'Z' | b'a'..=b'z' => {
                    if word == 0 && byte.is_ascii_uppercase() {
                        found.capitals |= bytes.get(at..at + 3).is_some_and(|h| {
                            h[0].is_ascii_uppercase() && h[1].is_ascii_digit() && h[2].is_ascii_digit()
                        });
                    }
                    (chain, word, marks) = (0, 0, 0);
                    // Digits behind a letter belong to its word, and most of these are ids and hashes.
                    at += bytes[at..].iter().take_while(|b| ALPHANUMERIC[usize::from(**b)]).count();
                }
                byte if is_mark(*byte) => {
                    chain += word;
                    word = 0;
                    marks += 1;
                }
                _ => (chain, word, marks) = (0, 0, 0),
            }
        }
        found
    }
}

/// Cards: a number by itself, in the groups that cards are written in, or a whole chain of groups.
fn cards(text: &str, mut found: impl FnMut(usize, usize)) {
    let bytes = text.as_bytes();
    let mut groups: Vec<(usize, usize)> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_alphanumeric() {
            at += 1;
            continue;
        }
        let end = bytes[at..].iter().position(|b| !b.is_ascii_alphanumeric()).map_or(bytes.len(), |n| at + n);
        let number = bytes[at..end].iter().all(u8::is_ascii_digit);
        let follows = groups.last().is_some_and(|(_, last)| is_one_mark(&text[*last..at]));
        if !number || !follows {
            in_groups(bytes, &groups, &mut found);
            groups.clear();
        }
        if number {
            groups.push((at, end));
        }
        at = end;
    }
    in_groups(bytes, &groups, &mut found);
}

/// One space, dash or point, also those beyond ASCII.
fn is_one_mark(between: &str) -> bool {
    let mut chars = between.chars();
    let mark = |c| {
        matches!(
            c,
            ' ' | '-' | '.' | '\u{a0}' | '\u{2007}' | '\u{202f}' | '\u{2009}' | '\u{2010}'..='\u{2015}'
        )
    };
    chars.next().is_some_and(mark) && chars.next().is_none()
}

fn in_groups(bytes: &[u8], groups: &[(usize, usize)], found: &mut impl FnMut(usize, usize)) {
    const DIGITS_MAX: usize = 19;
    let mut first = 0;
    while first < groups.len() {
        let mut digits = [0u8; DIGITS_MAX];
        let mut sizes = [0usize; DIGITS_MAX];
        let (mut count, mut next) = (0, first + 1);
        for (nth, (start, end)) in groups[first..].iter().take(DIGITS_MAX).enumerate() {
            let size = end - start;
            if count + size > DIGITS_MAX {
                break;
            }
            digits[count..count + size].copy_from_slice(&bytes[*start..*end]);
            sizes[nth] = size;
            count += size;
            let last = first + nth;
            let as_written = match &sizes[..=nth] {
                [_] | [4, 4, 4, 4] | [4, 4, 4, 4, 1..=3] | [4, 6, 4 | 5] | [4, 4, 4, 2 | 3] => true,
                _ => first == 0 && last + 1 == groups.len(),
            };
            if as_written && check::card(&digits[..count]) {
                found(groups[first].0, *end);
                next = last + 1;
                break;
            }
        }
        first = next;
    }
}

/// IBANs: as many letters and digits as the country's have, with at most one mark between two of them.
fn ibans(text: &str, mut found: impl FnMut(usize, usize)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at + check::IBAN_MIN <= bytes.len() {
        let begins = (at == 0 || !bytes[at - 1].is_ascii_alphanumeric())
            && bytes[at].is_ascii_uppercase()
            && bytes[at + 1].is_ascii_uppercase()
            && bytes[at + 2].is_ascii_digit();
        let end = if begins { iban_end(&bytes[at..]).map(|length| at + length) } else { None };
        match end {
            Some(end) if check::iban(&bytes[at..end]) => {
                found(at, end);
                at = end;
            }
            _ => at += 1,
        }
    }
}

fn iban_end(bytes: &[u8]) -> Option<usize> {
    let mut left = check::iban_length(&bytes[..2])?;
    let mut mark = false;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            byte if byte.is_ascii_alphanumeric() => {
                mark = false;
                left -= 1;
            }
            b' ' | b'-' | b'.' if !mark => mark = true,
            _ => return None,
        }
        if left == 0 {
            let ends = bytes.get(at + 1).is_none_or(|next| !next.is_ascii_alphanumeric());
            return ends.then_some(at + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_of_every_rule() {
        let scanner = &*SCANNER;
        // Other rules may find something in it too, and then give it their name; each is asked alone.
        let alone = |nth: usize, text: &str| {
            let mut spans = Vec::new();
            if scanner.called(text, 1 << nth) == 0 {
                return false;
            }
            scanner.find(nth, &RULES[nth], text, &[], &mut spans);
            !spans.is_empty()
        };
        let mut wrong = Vec::new();
        for (nth, rule) in RULES.iter().enumerate() {
            wrong.extend(
                rule.finds.iter().filter(|text| !alone(nth, text)).map(|text| (rule.id, "missed", text)),
            );
            wrong.extend(
                rule.spares.iter().filter(|text| alone(nth, text)).map(|text| (rule.id, "found", text)),
            );
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn overlapping_places_become_one() {
        let scanner = &*SCANNER;
        let text = "https://user:pass@example.com/a";
        let spans = scanner.spans(text, true, &[]);
        assert_eq!(spans.len(), 1);
        assert_eq!(spans[0].what.id, "url_userinfo");
        assert_eq!(&text[spans[0].start..spans[0].end], "user:pass@example.com");
    }

    #[test]
    fn cards_are_found_in_the_groups_that_people_write() {
        let found = |text: &str| {
            let mut all = Vec::new();
            cards(text, |start, end| all.push(text[start..end].to_owned()));
            all
        };
        assert_eq!(found("4111 1111 1111 1111 123"), ["4111 1111 1111 1111"]);
        assert_eq!(
            found("a 4111-1111-1111-1111, b 378282246310005"),
            ["4111-1111-1111-1111", "378282246310005"]
        );
        assert_eq!(found("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"), ["4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"]);
        assert_eq!(found("4111\u{a0}1111\u{2013}1111 1111"), ["4111\u{a0}1111\u{2013}1111 1111"]);
        assert_eq!(found("x4111111111111111 41111111111111111111"), Vec::<String>::new());
    }
}
