//! What a page asks, as its address says it. The address is the whole state: what is in somebody's ticket shows the same
//! to whoever opens it, and back and forward work.

use axum::extract::Query;
use axum::http::Uri;
use indelible::{Order, Question};
use query::{Expr, Filter, Literal, Test};

use crate::moment::{Period, show_minute};

/// What stands after the question mark. What nobody knows is passed over: the page says what it shows.
pub(crate) struct Pairs(Vec<(String, String)>);

impl Pairs {
    pub(crate) fn of(uri: &Uri) -> Pairs {
        Pairs(Query::try_from_uri(uri).map(|Query(pairs)| pairs).unwrap_or_default())
    }

    /// One of them, without spaces around it; empty is the same as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(other, _)| other == name).map(|(_, value)| value.trim());
        values.find(|value| !value.is_empty())
    }

    pub(crate) fn all<'p>(&'p self, name: &'static str) -> impl Iterator<Item = &'p str> {
        let values = self.0.iter().filter(move |(other, _)| other == name);
        values.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }
}

/// Text as a value in an address: all but RFC 3986's unreserved characters in percent-encoding.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => {
                out.push('%');
                for nibble in [byte >> 4, byte & 15] {
                    out.push(char::from(b"0123456789ABCDEF"[usize::from(nibble)]));
                }
            }
        }
    }
    out
}

/// Columns that may be chosen beside time, sentence, status and severity: field, heading.
pub(crate) const COLUMNS: &[(&str, &str)] = &[
    ("type", "Type"),
    ("actor.ip", "Address"),
    ("actor.id", "Actor id"),
    ("targets.id", "Target"),
    ("project", "Project"),
    ("environment", "Environment"),
    ("producer", "Producer"),
    ("llm.model", "Model"),
    ("llm.tokens_total", "Tokens"),
    ("llm.cost", "Cost"),
    ("llm.latency_ms", "Latency"),
    ("tool.name", "Tool"),
    ("actor.session_id", "Session"),
    ("trace_id", "Trace"),
    ("message", "Message"),
    ("position", "Position"),
];
const USUAL_COLUMNS: &[&str] = &["type", "actor.ip"];

/// Times to choose from: value, name.
pub(crate) const LATELY: &[(&str, &str)] = &[
    ("now-15m", "Last 15 minutes"),
    ("now-1h", "Last hour"),
    ("now-24h", "Last 24 hours"),
    ("now-7d", "Last 7 days"),
    ("now-30d", "Last 30 days"),
    ("now-90d", "Last 90 days"),
    ("all", "All time"),
];
const USUAL_FROM: &str = "now-7d";

/// Fields by which the bars over time may be split.
pub(crate) const SPLITS: &[(&str, &str)] = &[
    ("status", "status"),
    ("severity", "severity"),
    ("category", "category"),
    ("actor.id", "actor"),
    ("llm.model", "model"),
    ("llm.provider", "provider"),
    ("project", "project"),
    ("producer", "producer"),
    ("environment", "environment"),
];

/// Pages back that an address remembers.
const BACK: usize = 40;
/// Events of a page.
pub(crate) const PAGE: usize = 100;

/// What is asked on the search page.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ask {
    pub(crate) organisation: Option<String>,
    pub(crate) q: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) by: &'static str,
    pub(crate) columns: Vec<&'static str>,
    pub(crate) is_dense: bool,
    pub(crate) order: Order,
    pub(crate) is_exact: bool,
    pub(crate) cursor: Option<String>,
    /// The cursors of the pages before this one; the first page has none and is `-`.
    pub(crate) back: Vec<String>,
}

impl Ask {
    pub(crate) fn read(pairs: &Pairs) -> Ask {
        let known = |table: &[(&'static str, &'static str)], name: &str| {
            table.iter().find(|(field, _)| *field == name).map(|(field, _)| *field)
        };
        // In the order of the table, whatever the address says.
        let is_chosen = |(path, _): &&(&'static str, &str)| pairs.all("col").any(|name| name == *path);
        let columns = match pairs.get("col") {
            Some(_) => COLUMNS.iter().filter(is_chosen).map(|(path, _)| *path).collect(),
            None => USUAL_COLUMNS.to_vec(),
        };
        let time = |name: &str| pairs.get(name).map(with_zone).unwrap_or_default();
        let from = time("from");
        Ask {
            organisation: pairs.get("organisation").map(str::to_owned),
            q: pairs.get("q").unwrap_or_default().to_owned(),
            from: if from.is_empty() { USUAL_FROM.to_owned() } else { from },
            to: time("to"),
            by: pairs.get("by").and_then(|name| known(SPLITS, name)).unwrap_or("status"),
            columns,
            is_dense: pairs.get("rows") == Some("dense"),
            order: if pairs.get("sort") == Some("time") { Order::Time } else { Order::Newest },
            is_exact: pairs.get("count") == Some("exact"),
            cursor: pairs.get("cursor").map(str::to_owned),
            back: pairs.all("back").take(BACK).map(str::to_owned).collect(),
        }
    }

    /// Where the answer is.
    pub(crate) fn link(&self) -> String {
        let mut pairs = self.pairs();
        pairs.extend(self.is_exact.then(|| ("count", "exact".to_owned())));
        pairs.extend(self.cursor.iter().map(|cursor| ("cursor", cursor.clone())));
        pairs.extend(self.back.iter().map(|cursor| ("back", cursor.clone())));
        let pairs: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        match pairs.is_empty() {
            true => "/search".to_owned(),
            false => format!("/search?{}", pairs.join("&")),
        }
    }

    /// What is not usual about it, but for the page of the answer: for the hidden fields of forms.
    pub(crate) fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        let mut add = |name, value: &str, usual: &str| {
            if value != usual {
                pairs.push((name, value.to_owned()));
            }
        };
        add("organisation", self.organisation.as_deref().unwrap_or_default(), "");
        add("q", &self.q, "");
        add("from", &self.from, USUAL_FROM);
        add("to", &self.to, "");
        add("by", self.by, "status");
        if self.columns != USUAL_COLUMNS {
            match self.columns.is_empty() {
                true => add("col", "none", ""),
                false => self.columns.iter().for_each(|column| add("col", column, "")),
            }
        }
        add("rows", if self.is_dense { "dense" } else { "" }, "");
        add("sort", if self.order == Order::Time { "time" } else { "" }, "");
        pairs
    }

    /// The hidden fields of a form that says some of it anew.
    pub(crate) fn pairs_without(&self, said: &[&str]) -> Vec<(&'static str, String)> {
        let mut pairs = self.pairs();
        pairs.retain(|(name, _)| !said.contains(name));
        pairs
    }

    /// The same question from the first page on, changed a little.
    pub(crate) fn with(&self, change: impl FnOnce(&mut Ask)) -> Ask {
        let mut ask = Ask { cursor: None, back: Vec::new(), is_exact: false, ..self.clone() };
        change(&mut ask);
        ask
    }

    pub(crate) fn with_q(&self, q: impl Into<String>) -> Ask {
        self.with(|ask| ask.q = q.into())
    }

    /// The page after this one.
    pub(crate) fn older(&self, cursor: String) -> Ask {
        let mut ask = self.clone();
        ask.back.push(self.cursor.clone().unwrap_or_else(|| "-".to_owned()));
        if ask.back.len() > BACK {
            ask.back.remove(0);
        }
        ask.cursor = Some(cursor);
        ask
    }

    /// The page before this one; the first one, if that is not remembered.
    pub(crate) fn newer(&self) -> Option<Ask> {
        self.cursor.as_ref()?;
        let mut ask = self.clone();
        ask.cursor = ask.back.pop().filter(|cursor| cursor != "-");
        Some(ask)
    }

    /// When it asks about; or which of the two times can't be read, and why.
    pub(crate) fn period(&self, now_ns: i64) -> Result<Period, String> {
        let (from, to) = (self.from.as_str(), self.to.as_str());
        let bound = |text: &str, sign: &str, name: &str| -> Result<Option<(Filter, i64)>, String> {
            if text.is_empty() || text == "all" {
                return Ok(None);
            }
            let filter = Filter::parse(&format!("time{sign}{text}"))
                .map_err(|error| format!("{name}: {}", error.message))?;
            match bound_ns(&filter.at(now_ns)) {
                Some(ns) => Ok(Some((filter, ns))),
                None => Err(format!("{name}: that is not one moment")),
            }
        };
        let (start, end) = (bound(from, ">=", "from")?, bound(to, "<", "to")?);
        let (from_ns, to_ns) = (start.as_ref().map(|(_, ns)| *ns), end.as_ref().map(|(_, ns)| *ns));
        if from_ns.zip(to_ns).is_some_and(|(from, to)| from >= to) {
            return Err("the end is not after the beginning".to_owned());
        }
        let known = LATELY.iter().find(|(value, _)| *value == from && to.is_empty());
        let name = match (known, from_ns, to_ns) {
            (Some((_, name)), ..) => (*name).to_owned(),
            (None, Some(from), Some(to)) => format!("{} – {}", show_minute(from), show_minute(to)),
            (None, Some(from), None) => format!("Since {}", show_minute(from)),
            (None, None, Some(to)) => format!("Before {}", show_minute(to)),
            (None, None, None) => "All time".to_owned(),
        };
        let clauses = [start, end].into_iter().flatten().map(|(filter, _)| filter);
        let filter = clauses.fold(Filter::all(), Filter::and);
        Ok(Period { from_ns, to_ns, now_ns, name, filter })
    }

    /// The whole question: the filter, in the time.
    pub(crate) fn question(&self, organisation: &str, filter: Filter, period: &Period) -> Question {
        let filter = filter.and(period.filter.clone());
        Question { organisation: organisation.to_owned(), filter, consistent: false }
    }
}

/// What a browser's field for a moment says has no zone; ours are all in UTC.
pub(crate) fn with_zone(text: &str) -> String {
    let is_local = text.len() >= 16 && text.as_bytes()[10] == b'T' && text.is_ascii();
    match (is_local, text.len()) {
        (true, 16) => format!("{text}:00Z"),
        (true, 19) => format!("{text}Z"),
        _ => text.to_owned(),
    }
}

/// The end of a range of times that is open on the other side.
fn bound_ns(filter: &Filter) -> Option<i64> {
    let Expr::Field { path, test: Test::Range { from, to } } = filter.expr() else { return None };
    match (path.as_str(), from, to) {
        ("time", Some(bound), None) | ("time", None, Some(bound)) => match bound.value {
            Literal::Time(ns) => Some(ns),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_000_000_000_000_000;

    fn ask(address: &str) -> Ask {
        Ask::read(&Pairs::of(&address.parse().unwrap()))
    }

    #[test]
    fn an_address_is_read_and_written_again() {
        for address in [
            "/search",
            "/search?q=type%3Aauth.%2A%20%22a%20b%22",
            "/search?organisation=acme&from=now-24h&by=llm.model&col=type&col=llm.cost&rows=dense&sort=time",
            "/search?from=2026-11-20T10%3A30%3A00Z&to=2026-11-21&count=exact&cursor=77&back=-&back=150",
            "/search?col=none",
            "/search?from=all",
        ] {
            assert_eq!(ask(address).link(), address);
        }
        assert_eq!(ask("/search?q=+&nonsense=1&by=secret&col=evil").link(), "/search?col=none");
        assert_eq!(ask("/search?from=2026-11-20T10:30").from, "2026-11-20T10:30:00Z");
    }

    #[test]
    fn pages_lead_on_and_back() {
        let first = ask("/search?q=a");
        assert_eq!(first.newer(), None);
        let third = first.older("900".into()).older("800".into());
        assert_eq!(third.link(), "/search?q=a&cursor=800&back=-&back=900");
        let second = third.newer().unwrap();
        assert_eq!(second.link(), "/search?q=a&cursor=900&back=-");
        assert_eq!(second.newer().unwrap(), first);
        assert_eq!(third.with_q("b").link(), "/search?q=b");
        let far = (0..100).fold(first, |ask, n| ask.older(n.to_string()));
        assert_eq!(far.back.len(), BACK);
    }

    #[test]
    fn times_are_read_as_filters_read_them_and_nothing_else_is() {
        let period = |from: &str, to: &str| {
            let ask = Ask { from: from.into(), to: to.into(), ..ask("/search") };
            ask.period(NOW).map(|period| (period.name.clone(), period.filter.to_string()))
        };
        assert_eq!(period("now-7d", ""), Ok(("Last 7 days".into(), "time>=now-7d".into())));
        assert_eq!(period("all", ""), Ok(("All time".into(), "".into())));
        let both = period("2026-11-20T10:30:00Z", "2026-11-21").unwrap();
        assert_eq!(both.1, "time>=2026-11-20T10:30:00Z time<2026-11-21T00:00:00Z");
        assert_eq!(both.0, "20 Nov 2026, 10:30 – 21 Nov 2026, 00:00");
        for (from, to) in [
            ("tomorrow", ""),
            ("now OR type:x", ""),
            ("now type:x", ""),
            ("*", ""),
            ("2026-11-21", "2026-11-20"),
            ("now-7d", "now-8d"),
        ] {
            assert!(period(from, to).is_err(), "{from} {to}");
        }
    }
}
