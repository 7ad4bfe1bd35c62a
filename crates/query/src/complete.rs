//! What may come next, for whoever is typing a filter.

use std::ops::Range;

use event::kind::KINDS;
use event::outcome::{SEVERITIES, STATUSES};

use crate::field::{FieldInfo, Kind, SEVERAL, blocks, fields, resolve};
use crate::scan::{Scanner, operator_follows};

/// A piece of text that could stand at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The text.
    pub insert: String,
    /// What it means, in a line.
    pub about: String,
    /// The bytes it replaces: the word that the cursor is in or behind.
    pub replace: Range<usize>,
}

/// More are not helpful.
const MAX: usize = 20;

/// Names of fields, operators, and the words of fields that have a list of them, for the word at the cursor (a byte offset),
/// best first. Inside of quotes and ranges there are none.
pub fn complete(text: &str, cursor: usize) -> Vec<Completion> {
    let cursor = text.floor_char_boundary(cursor);
    let Some((place, start)) = place(&text[..cursor]) else { return Vec::new() };
    let typed = text[start..cursor].to_lowercase();
    let mut whole = Scanner { text, at: start };
    whole.bare(match place {
        Place::Clause { .. } => operator_follows,
        Place::Name | Place::Value(_) => |_| false,
    });
    let replace = start..whole.at.max(cursor);

    let offers = match place {
        Place::Clause { follows } => clauses(&typed, follows),
        Place::Name => names(&typed),
        Place::Value(field) => values(&field, &typed),
    };
    let completion = |(insert, about): Offer| Completion { insert, about, replace: replace.clone() };
    offers.into_iter().take(MAX).map(completion).collect()
}

/// The fields whose value the cursor is in or behind, and the bytes of that value; `None` elsewhere, inside of quotes and
/// ranges, and for names that stand for no field. There are several if the name stands for them.
pub fn value_at(text: &str, cursor: usize) -> Option<(Vec<String>, Range<usize>)> {
    let cursor = text.floor_char_boundary(cursor);
    let (Place::Value(name), start) = place(&text[..cursor])? else { return None };
    let paths = resolve(&name)?.fields.into_iter().map(|(path, _)| path).collect();
    let mut whole = Scanner { text, at: start };
    whole.bare(|_| false);
    Some((paths, start..whole.at.max(cursor)))
}

/// What is inserted, and what it means.
type Offer = (String, String);

/// What the cursor is at.
enum Place {
    /// Where a clause may stand; after another one, an operator may too.
    Clause {
        /// There is a clause before it.
        follows: bool,
    },
    /// The name in `exists:name`.
    Name,
    /// A value of the field.
    Value(String),
}

/// The place at the end of `before`, and where the word begins that is being typed.
fn place(before: &str) -> Option<(Place, usize)> {
    let mut scan = Scanner::new(before);
    let mut groups: Vec<Option<String>> = Vec::new();
    let mut follows = false;
    let of_field = |field: String| if is_exists(&field) { Place::Name } else { Place::Value(field) };
    loop {
        scan.skip_space();
        let start = scan.at;
        let group = groups.last().cloned().flatten();
        match scan.peek() {
            Some('(') => {
                groups.push(group);
                scan.at += 1;
                follows = false;
                continue;
            }
            Some(')') => {
                groups.pop();
                scan.at += 1;
                follows = true;
                continue;
            }
            Some('-' | '!') if scan.rest().len() > 1 => {
                scan.at += 1;
                continue;
            }
            Some('"') => _ = scan.quoted().ok()?,
            _ if group.is_some() => _ = scan.bare(|_| false),
            _ => _ = scan.bare(operator_follows),
        }
        let word = &before[start..scan.at];
        if let Some(field) = group {
            if scan.rest().is_empty() && !word.starts_with('"') {
                return Some((of_field(field), start));
            }
            continue;
        }
        let colon = scan.take(":");
        if scan.take_comparison().is_none() && !colon {
            if scan.rest().is_empty() {
                return (!word.starts_with('"')).then_some((Place::Clause { follows }, start));
            }
            follows = !matches!(word, "AND" | "OR" | "NOT");
            continue;
        }
        let field = word.trim_matches('"').to_string();
        scan.skip_space();
        let value = scan.at;
        match scan.peek() {
            Some('(') => {
                groups.push(Some(field));
                scan.at += 1;
                follows = false;
                continue;
            }
            Some('[' | '{') => scan.at += scan.rest().find([']', '}'])? + 1,
            Some('"') => {
                scan.quoted().ok()?;
            }
            _ => {
                scan.bare(|_| false);
                if scan.rest().is_empty() {
                    return Some((of_field(field), value));
                }
            }
        }
        follows = true;
    }
}

fn is_exists(name: &str) -> bool {
    matches!(name, "exists" | "has")
}

fn clauses(typed: &str, follows: bool) -> Vec<Offer> {
    let mut offers = Vec::new();
    // With its name complete, how it may be compared.
    for (path, kind) in resolve(typed).map(|named| named.fields).unwrap_or_default() {
        let ordered = matches!(kind, Kind::Number | Kind::Decimal | Kind::Time) || path == "severity";
        let comparisons: &[(&str, &str)] = match ordered {
            true => &[(":", "is"), (">=", "is at least"), ("<=", "is at most"), ("!=", "is not")],
            false => &[(":", "is"), (":*", "has any value"), ("!=", "is not")],
        };
        let offer = |(sign, about): &(&str, &str)| (format!("{path}{sign}"), format!("{path} {about}"));
        offers.extend(comparisons.iter().map(offer));
    }
    for (operator, about) in [
        ("AND", "both; the same as only a space"),
        ("OR", "either"),
        ("NOT", "what comes next does not hold; the same as -"),
        ("exists:", "a field has any value"),
    ] {
        let joins = matches!(operator, "AND" | "OR");
        let fits = operator.to_lowercase().starts_with(typed);
        if fits && (follows || !(joins || typed.is_empty())) {
            offers.push((operator.to_string(), about.to_string()));
        }
    }
    for (name, of) in SEVERAL.iter().filter(|(name, _)| name.starts_with(typed)) {
        offers.push((format!("{name}:"), format!("any of {}", of.join(", "))));
    }
    offers.extend(known(typed).map(|info| {
        let sign = if blocks().contains(&info.path) { '.' } else { ':' };
        (format!("{}{sign}", info.path), info.about.clone())
    }));
    let mut seen = std::collections::HashSet::new();
    offers.retain(|(insert, _)| seen.insert(insert.clone()));
    offers
}

fn names(typed: &str) -> Vec<Offer> {
    let is_open = |block: &str| fields().iter().any(|info| info.path == block);
    let blocks = blocks().iter().filter(|block| block.starts_with(typed) && !is_open(block));
    let blocks = blocks.map(|block| (block.clone(), format!("anything in {block}")));
    known(typed).map(|info| (info.path.clone(), info.about.clone())).chain(blocks).collect()
}

/// Fields that begin with what was typed, then those of which another name or a later part does.
fn known(typed: &str) -> impl Iterator<Item = &'static FieldInfo> {
    let rank = |info: &FieldInfo| {
        if info.path.starts_with(typed) {
            Some(0)
        } else if info.aliases.iter().any(|alias| alias.starts_with(typed)) {
            Some(1)
        } else {
            info.path.match_indices('.').any(|(dot, _)| info.path[dot + 1..].starts_with(typed)).then_some(2)
        }
    };
    let mut ranked: Vec<_> = fields().iter().filter_map(|info| Some((rank(info)?, info))).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, info)| info)
}

fn values(field: &str, typed: &str) -> Vec<Offer> {
    let path = match resolve(field).map(|named| named.fields).as_deref() {
        Some([(path, _)]) => path.clone(),
        _ => return Vec::new(),
    };
    let Some(info) = fields().iter().find(|info| info.path == path) else { return Vec::new() };
    let about = |value: &str| {
        let word = STATUSES.iter().chain(SEVERITIES).find(|word| word.name == value);
        let kind = KINDS.iter().find(|kind| kind.name == value);
        word.map(|word| word.about).or(kind.map(|kind| kind.about)).unwrap_or_default().to_string()
    };
    let mut offers: Vec<Offer> = info.values.iter().map(|value| (value.to_string(), about(value))).collect();
    match info.kind {
        Kind::Time => offers.extend(LATELY.iter().map(|(at, about)| (at.to_string(), about.to_string()))),
        _ if path == "type" => {
            let mut areas: Vec<_> = KINDS.iter().filter_map(|kind| kind.name.split_once('.')).collect();
            areas.dedup_by_key(|(area, _)| *area);
            let area = |(area, _): (&str, _)| (format!("{area}.*"), format!("everything about {area}"));
            offers.splice(0..0, areas.into_iter().map(area));
        }
        _ => {}
    }
    offers.retain(|(value, _)| value.starts_with(typed) || (!typed.is_empty() && value.contains(typed)));
    offers.sort_by_key(|(value, _)| !value.starts_with(typed));
    offers
}

const LATELY: [(&str, &str); 4] = [
    ("-1h", "the last hour"),
    ("-24h", "the last 24 hours"),
    ("-7d", "the last 7 days"),
    ("-30d", "the last 30 days"),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// `|` is the cursor. At most four are shown, with what they replace.
    fn check(marked: &str, expect: &str) {
        let cursor = marked.find('|').unwrap();
        let text = marked.replace('|', "");
        let offers = complete(&text, cursor);
        let shown: Vec<_> = offers.iter().take(4).map(|offer| offer.insert.as_str()).collect();
        let replaced = offers.first().map_or("", |offer| &text[offer.replace.clone()]);
        assert_eq!(format!("{replaced}: {}", shown.join(" ")), expect, "{marked}");
    }

    #[test]
    fn what_may_come_next() {
        check("sever|", "sever: severity:");
        check("severity|", "severity: severity: severity>= severity<= severity!=");
        check("-emai|", "emai: actor.email: actor.claimed.email: actor.on_behalf_of.email:");
        check("toke|n", "token: llm.tokens_total: llm.tokens_input: llm.tokens_output: llm.tokens_cached:");
        check("status:fai|", "fai: failed");
        check("status:(failed OR bl|)", "bl: blocked");
        check("severity>=h|", "h: high");
        check("severity:>=|", ": info low medium high");
        check("type:auth|", "auth: auth.* authz.* auth.api_token_created auth.api_token_revoked");
        check("type:mfa| status:failed", "mfa: auth.mfa_disabled auth.mfa_enabled auth.mfa_verified");
        check("time>=|", ": -1h -24h -7d -30d");
        check("llm.stream:t|", "t: true");
        check("outcome:|", ": success failed blocked error");
        check("status:failed O|", "O: OR organisation: status: actor.on_behalf_of.type:");
        check("status:failed |", ": AND OR NOT exists:");
        check("exists:trac|", "trac: trace_id");
        check("exists:llm|", "llm: llm.provider llm.model llm.requested_model llm.model_version");
        check("attrib|", "attrib: attributes. targets.attributes.");
        check("message:\"half a quo|", ": ");
        check("time:[now-7d TO n|", ": ");
        check("nothing_like_it|", ": ");
        check("status:failed AND cat|", "cat: category: llm.guardrails.categories:");
    }

    #[test]
    fn the_field_whose_value_is_typed_is_known() {
        let check = |marked: &str, expect: Option<(&str, &str)>| {
            let text = marked.replace('|', "");
            let found = value_at(&text, marked.find('|').unwrap());
            let found = found.map(|(paths, place)| (paths.join(" "), &text[place]));
            assert_eq!(found, expect.map(|(paths, typed)| (paths.to_string(), typed)), "{marked}");
        };
        check("model:gp|t x", Some(("llm.model", "gpt")));
        check("a user:|", Some(("actor.id actor.email actor.name", "")));
        check("status:(failed OR bl|)", Some(("status", "bl")));
        check("mod|", None);
        check("nothing_like_it:x|", None);
        check("message:\"half a quo|", None);
    }

    #[test]
    fn every_cursor_in_any_text_is_fine() {
        for text in ["é:(\"é é\" [ü TO) -!x", "((a:((", "\\", "a:\"", "exists:(x OR", "-", "a>=(b:c)"] {
            for cursor in 0..=text.len() + 1 {
                assert!(value_at(text, cursor).is_none_or(|(_, place)| text.get(place).is_some()));
                for offer in complete(text, cursor) {
                    assert!(text.get(offer.replace.clone()).is_some(), "{text} {cursor}");
                }
            }
        }
    }
}
