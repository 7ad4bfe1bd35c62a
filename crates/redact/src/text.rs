//! Takes out of one text what may not be kept, also where it is wrapped in JSON, base64 or percent-encoding.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::names;
use crate::note::{Done, Path};
use crate::policy::{Action, Ip};
use crate::redactor::{Redactor, View, Walk};
use crate::rules::{Kind, RULES};
use crate::scan::{SCANNER, Span, What};
use crate::unwrap;

/// What became of a text.
#[derive(Debug)]
pub(crate) enum Outcome {
    Same,
    Changed(String),
    /// The whole value is to go.
    Goes,
}

/// Encodings inside one another that are opened.
const INSIDE_MAX: u8 = 4;

/// Shorter keys are masked, not hashed: nobody tells them apart by their fingerprints anyway.
pub(crate) const KEY_MIN: usize = 8;

/// The rule for addresses.
pub(crate) const IP: &str = "ip";

impl Redactor {
    pub(crate) fn string(&self, text: &str, path: &Path<'_>, view: View, walk: &mut Walk<'_>) -> Outcome {
        let bytes = text.as_bytes();
        let opens = view.inside < INSIDE_MAX;
        let first = bytes.iter().find(|b| !b.is_ascii_whitespace());
        if opens
            && matches!(first, Some(b'{' | b'[' | b'"'))
            && !is_nothing(text)
            && let Some(outcome) = self.json(text, path, view, walk)
        {
            return outcome;
        }
        let mut spans = SCANNER.spans(text, view.free || !self.rules.is_empty(), &[]);
        if opens && bytes.len() >= unwrap::BASE64_MIN {
            let encoded = self.encoded(text, view, walk);
            if !encoded.is_empty() {
                spans.extend(encoded);
                spans = crate::scan::merged(spans);
            }
        }
        let mut outcome =
            if spans.is_empty() { Outcome::Same } else { self.replace(text, &spans, path, view, walk) };
        if opens && memchr::memchr(b'%', bytes).is_some() {
            outcome = self.percent(text, outcome, path, view, walk);
        }
        match self.policy.ip {
            Ip::Truncate | Ip::Drop if view.free => self.addresses(text, outcome, path, walk),
            _ => outcome,
        }
    }

    fn replace(
        &self,
        text: &str,
        spans: &[Span],
        path: &Path<'_>,
        view: View,
        walk: &mut Walk<'_>,
    ) -> Outcome {
        let mut out = String::new();
        let mut copied = 0;
        for Span { start, end, what } in spans {
            let found = &text[*start..*end];
            if is_marker_at(&text[*start..]) {
                continue;
            }
            let action = match what.kind {
                Kind::Secret => Action::Mask,
                Kind::Key => Action::Hash,
                Kind::Pii(class) => self.action(class, path, view),
            };
            let purpose = if what.kind == Kind::Key { "key" } else { "value" };
            let (done, instead) = match action {
                Action::Keep => continue,
                Action::Drop => {
                    walk.notes.add(path, what.id, Done::Drop, found.len());
                    return Outcome::Goes;
                }
                Action::Hash => match walk.fingerprint(purpose, found.as_bytes()) {
                    Some(made) => (Done::Hash, format!("[{made}]")),
                    None => (Done::Mask, marker(what.id)),
                },
                Action::Mask => (Done::Mask, marker(what.id)),
            };
            walk.notes.add(path, what.id, done, found.len());
            out.push_str(&text[copied..*start]);
            out.push_str(&instead);
            copied = *end;
        }
        if copied == 0 {
            return Outcome::Same;
        }
        out.push_str(&text[copied..]);
        Outcome::Changed(out)
    }

    /// Runs of base64 in which something is found.
    pub(crate) fn encoded(&self, text: &str, view: View, walk: &Walk<'_>) -> Vec<Span> {
        let mut spans = Vec::new();
        for (start, end) in unwrap::base64_runs(text.as_bytes()) {
            // Something that is no base64 may be stuck to its front by a letter of the alphabet.
            const STARTS_MAX: usize = 6;
            let run = &text.as_bytes()[start..end];
            let marks = run.iter().enumerate().filter(|(_, b)| unwrap::is_mark(**b));
            let starts = std::iter::once(0).chain(marks.map(|(at, _)| at + 1)).take(STARTS_MAX);
            for at in starts.take_while(|at| run.len() - at >= unwrap::BASE64_MIN) {
                if let Some(rule) =
                    unwrap::base64(&run[at..]).and_then(|inner| self.found_inside(&inner, view, walk))
                {
                    let what = What { id: rule, kind: Kind::Secret };
                    spans.push(Span { start: start + at, end, what });
                    break;
                }
            }
        }
        spans
    }

    fn found_inside(&self, inner: &str, view: View, walk: &Walk<'_>) -> Option<&'static str> {
        let mut aside = walk.aside();
        match self.string(inner, &Path::Inside(&Path::Root), view.deeper(), &mut aside) {
            Outcome::Same => None,
            _ => aside.notes.first_rule(),
        }
    }

    /// If more is found once the text is decoded, it is kept decoded.
    fn percent(
        &self,
        text: &str,
        outcome: Outcome,
        path: &Path<'_>,
        view: View,
        walk: &mut Walk<'_>,
    ) -> Outcome {
        let now = match &outcome {
            Outcome::Same => text,
            Outcome::Changed(text) => text,
            Outcome::Goes => return outcome,
        };
        let Some(inner) = unwrap::percent(now) else { return outcome };
        match self.string(&inner, &Path::Inside(path), view.deeper(), walk) {
            Outcome::Same => outcome,
            more => more,
        }
    }

    fn addresses(&self, text: &str, outcome: Outcome, path: &Path<'_>, walk: &mut Walk<'_>) -> Outcome {
        let now = match &outcome {
            Outcome::Same => text,
            Outcome::Changed(text) => text,
            Outcome::Goes => return outcome,
        };
        let mut out = String::new();
        let mut copied = 0;
        for (start, end, ip) in addresses(now) {
            let (done, instead) = match self.policy.ip {
                Ip::Truncate => (Done::Truncate, network(ip).to_string()),
                _ => (Done::Mask, marker(IP)),
            };
            if now[start..end] == instead {
                continue;
            }
            walk.notes.add(path, IP, done, end - start);
            out.push_str(&now[copied..start]);
            out.push_str(&instead);
            copied = end;
        }
        if copied == 0 {
            return outcome;
        }
        out.push_str(&now[copied..]);
        Outcome::Changed(out)
    }
}

/// Addresses in a text: where, and which. A port after an IPv4 address is no part of it, and a version is no address.
fn addresses(text: &str) -> impl Iterator<Item = (usize, usize, IpAddr)> {
    const LONGEST: usize = 45;
    let bytes = text.as_bytes();
    let of_address = |b: &u8| b.is_ascii_hexdigit() || matches!(b, b'.' | b':');
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            if !of_address(&bytes[at]) {
                at += 1;
                continue;
            }
            let start = at;
            at = bytes[at..].iter().position(|b| !of_address(b)).map_or(bytes.len(), |n| at + n);
            let stuck = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
            let run = text[start..at].trim_end_matches(['.', ':']);
            let before = if start == 0 { None } else { bytes.get(start - 1) };
            if run.len() > LONGEST || stuck(before) || stuck(bytes.get(at)) {
                continue;
            }
            let ip = match run.split_once(':') {
                Some((host, port)) if host.contains('.') && port.bytes().all(|b| b.is_ascii_digit()) => {
                    host.parse::<Ipv4Addr>().ok().map(|ip| (host.len(), IpAddr::V4(ip)))
                }
                // Two hexadecimal numbers with a colon are the time of day.
                Some(_) if run.matches(':').count() < 2 => None,
                _ => run.parse::<IpAddr>().ok().map(|ip| (run.len(), ip)),
            };
            if let Some((length, ip)) = ip {
                return Some((start, start + length, ip));
            }
        }
        None
    })
}

/// The network that an address belongs to: /24 for IPv4, /48 for IPv6.
pub(crate) fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, c, 0))
        }
        IpAddr::V6(ip) => {
            let [a, b, c, ..] = ip.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

/// What stands in the place of what a rule found.
pub(crate) fn marker(rule: &str) -> String {
    format!("[redacted:{rule}]")
}

/// Nothing is taken out of what says nothing: an empty text, stars, a marker of ours.
pub(crate) fn is_nothing(text: &str) -> bool {
    text.chars().all(|c| matches!(c, '*' | '•' | ' '))
        || marker_length(text) == Some(text.len())
        || is_fingerprint(text)
}

/// `hmac-sha256:` and 64 hexadecimal digits.
pub(crate) fn is_fingerprint(text: &str) -> bool {
    let digits = text.strip_prefix("hmac-sha256:").unwrap_or_default();
    digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
}

/// Whether a marker of ours begins here: what a rule found behind `password=` was taken out before.
fn is_marker_at(text: &str) -> bool {
    text.starts_with('[') && marker_length(text).is_some()
}

/// The length of the marker at the start of a text. Only rules that there are make markers: nobody hides a secret in one.
fn marker_length(text: &str) -> Option<usize> {
    let (inner, _) = text.strip_prefix('[')?.split_once(']')?;
    let known = match inner.strip_prefix("redacted:") {
        Some(rule) => {
            let mut rules = RULES.iter().map(|rule| rule.id).chain(names::NAMED.iter().map(|(id, _)| *id));
            rules.any(|id| id == rule) || rule == IP || rule == "policy"
        }
        None => is_fingerprint(inner),
    };
    known.then_some(inner.len() + 2)
}
