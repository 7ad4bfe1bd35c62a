//! Figures of separate runs, kept as JSON in `bench/figures`, and the part of docs/performance.md that is made of them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use event::{Limits, Object, Value, json};

use crate::figures::{one, two, whole};
use crate::questions::{PAGES, QUESTIONS};
use crate::table::Table;

/// What was measured where, so that figures of different data are not put beside one another.
pub(crate) struct Source<'s> {
    pub(crate) machine: &'s str,
    pub(crate) events: usize,
    pub(crate) seed: u64,
    pub(crate) hash: u64,
}

impl Source<'_> {
    fn members(&self) -> [(&'static str, Value<'static>); 4] {
        [
            ("machine", Value::from(self.machine.to_owned())),
            ("events", number(self.events as f64)),
            ("seed", number(self.seed as f64)),
            ("hash", Value::from(format!("{:016x}", self.hash))),
        ]
    }
}

/// Tables that are shown as they are, and what our server is compared by, if that was measured.
pub(crate) fn write_tables(
    path: &Path,
    of: &Source<'_>,
    tables: &[Table],
    ingest: Option<Value<'static>>,
) -> Result<()> {
    let tables = tables.iter().map(|table| {
        let texts =
            |texts: &[String]| Value::from(texts.iter().cloned().map(Value::from).collect::<Vec<_>>());
        object([
            ("title", Value::from(table.title.clone())),
            ("about", Value::from(table.about.clone())),
            ("head", texts(&table.head)),
            ("rows", Value::from(table.rows.iter().map(|row| texts(row)).collect::<Vec<_>>())),
            ("after", texts(&table.after)),
        ])
    });
    let tables = Value::from(tables.collect::<Vec<_>>());
    let system = [("system", Value::from(OURS)), ("class", Value::from("D+"))];
    let ingest = ingest.map(|ingest| ("ingest", ingest));
    write(path, of.members().into_iter().chain(system).chain([("tables", tables)]).chain(ingest))
}

/// What a system answered to the questions.
pub(crate) fn write_answers(path: &Path, of: &Source<'_>, answers: Value<'static>) -> Result<()> {
    let system = [("system", Value::from(OURS)), ("class", Value::from("D+"))];
    write(path, of.members().into_iter().chain(system).chain([("queries", answers)]))
}

fn write(path: &Path, members: impl Iterator<Item = (&'static str, Value<'static>)>) -> Result<()> {
    let object = Object::from_members(members).expect("our names are distinct");
    let mut text = Value::Object(object).to_jcs();
    text.push(b'\n');
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text).with_context(|| format!("couldn't write {}", path.display()))
}

pub(crate) fn object<const N: usize>(members: [(&'static str, Value<'static>); N]) -> Value<'static> {
    Value::object(members).expect("our names are distinct")
}

pub(crate) fn number(figure: f64) -> Value<'static> {
    // Microseconds are exact enough, and short.
    Value::number((figure * 1e3).round() / 1e3).unwrap_or(Value::Null)
}

const OURS: &str = "Indelible";

/// Where figures are kept that documents show.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("figures")
}

/// Everything that was saved, as Markdown; empty if there is nothing.
pub(crate) fn markdown() -> Result<String> {
    let mut paths: Vec<PathBuf> = match fs::read_dir(folder()) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?,
        Err(_) => Vec::new(),
    };
    paths.retain(|path| path.extension().is_some_and(|end| end == "json"));
    paths.sort();
    let mut runs = Vec::new();
    for path in paths {
        let bytes = fs::read(&path)?;
        let run = json::parse(&bytes, &Limits { max_bytes: 8 << 20, ..Limits::default() })
            .map_err(|refusal| anyhow::anyhow!("{}: {}", path.display(), refusal.reason))?;
        runs.push(run.into_owned());
    }
    render(&runs)
}

fn render(runs: &[Value<'_>]) -> Result<String> {
    let mut out = String::new();
    for run in runs {
        for (n, table) in run.get("tables").and_then(Value::as_array).unwrap_or_default().iter().enumerate() {
            let mut table = read_table(table)?;
            if n == 0 {
                table.after(format!("{} On: {}", data(run), text(run, "machine")));
            }
            out += &table.markdown();
        }
    }
    let (compared, alone) = compared(runs);
    for run in alone {
        out += &answers_alone(run).markdown();
    }
    let systems = systems(&compared)?;
    if !systems.is_empty() {
        out += &ingest(&systems).markdown();
        out += &answers(&systems).markdown();
    }
    Ok(out)
}

/// Runs that stand beside those of others, and answers of ours about other data, of which there may be more.
fn compared<'r>(runs: &'r [Value<'r>]) -> (Vec<&'r Value<'r>>, Vec<&'r Value<'r>>) {
    let of_others = runs.iter().find(|run| run.get("queries").is_some() && text(run, "system") != OURS);
    let is_alone = |run: &&Value<'_>| {
        run.get("queries").is_some()
            && text(run, "system") == OURS
            && of_others.is_some_and(|other| text(other, "hash") != text(run, "hash"))
    };
    runs.iter().partition(|run| !is_alone(run))
}

fn answers_alone(run: &Value<'_>) -> Table {
    let mut table = Table::new(
        format!(
            "Answers over HTTP, {} events",
            whole(run.get("events").and_then(Value::as_f64).unwrap_or_default())
        ),
        "Milliseconds, by `bench queries`. Each event shown was read from the ledger, decrypted, hashed and compared \
         with the tree. A page is asked for by somebody who has signed in, and is read to its end. Cold is the first \
         question after a start, the page cache dropped.",
        &["question", "cold", "p50", "p99", "number found"],
    );
    for question in QUESTIONS.iter().chain(PAGES) {
        let figure = |key: &str, write: fn(f64) -> String| {
            let figure = run.get("queries").and_then(|all| all.get(question.name)?.get(key)?.as_f64());
            figure.map_or_else(|| "–".to_owned(), write)
        };
        let figures =
            [figure("cold_ms", two), figure("p50_ms", two), figure("p99_ms", two), figure("answer", whole)];
        table.row([question.about.to_owned()].into_iter().chain(figures));
    }
    table.after(format!("{} On: {}", data(run), text(run, "machine")));
    table
}

/// Runs of one system on the same data, the ones with most events first. Only these are put beside one another.
fn systems<'r>(runs: &[&'r Value<'r>]) -> Result<Vec<(String, Vec<&'r Value<'r>>)>> {
    let of = |run: &Value<'_>| text(run, "hash").to_owned();
    let asked: Vec<_> = runs.iter().filter(|run| run.get("queries").is_some()).collect();
    let Some(first) = asked.first() else { return Ok(Vec::new()) };
    ensure!(
        asked.iter().all(|run| of(run) == of(first)),
        "the saved answers are about different data; measure again with the same --events and --seed"
    );
    let mut systems: Vec<(String, Vec<&Value<'_>>)> = Vec::new();
    for run in runs.iter().copied().filter(|run| of(run) == of(first)) {
        let name = format!("{}, {}", text(run, "system"), text(run, "class"));
        match systems.iter_mut().find(|(other, _)| *other == name) {
            Some((_, all)) => all.push(run),
            None => systems.push((name, vec![run])),
        }
    }
    systems.sort_by_key(|(name, _)| !name.starts_with(OURS));
    Ok(systems)
}

fn ingest(systems: &[(String, Vec<&Value<'_>>)]) -> Table {
    let mut table = Table::new(
        "Beside others: taking events in",
        format!(
            "The same events on the same machine, one system after the other. **D+** is synced and tamper-evident, **D** \
             synced, **V** volatile: figures of different classes are not comparable. Processor time is the server's, \
             where it is a process of its own. {}",
            systems.first().and_then(|(_, runs)| runs.first()).map_or_else(String::new, |run| data(run))
        ),
        &["system, class", "how", "events/s", "CPU seconds a million", "bytes/event"],
    );
    for (name, runs) in systems {
        let Some(ingest) = runs.iter().find_map(|run| run.get("ingest")) else { continue };
        let figure = |key: &str, write: fn(f64) -> String| {
            ingest.get(key).and_then(Value::as_f64).map_or_else(|| "–".to_owned(), write)
        };
        table.row([
            name.clone(),
            text(ingest, "how").to_owned(),
            figure("events_per_second", whole),
            figure("cpu_seconds_per_million", one),
            figure("bytes_per_event", whole),
        ]);
    }
    table
}

fn answers(systems: &[(String, Vec<&Value<'_>>)]) -> Table {
    let asked: Vec<_> = systems
        .iter()
        .filter_map(|(name, runs)| Some((name, runs.iter().find_map(|run| run.get("queries"))?)))
        .collect();
    let mut head = vec!["question"];
    head.extend(asked.iter().map(|(name, _)| name.as_str()));
    let mut table = Table::new(
        "Beside others: answers",
        "Milliseconds: cold (the first time after a start, the page cache dropped where that is allowed), then warm, \
         median and 99th percentile. Ours is over HTTP, and each event shown was read from the ledger, decrypted, hashed \
         and compared with the tree; the others are asked by their own client, PostgreSQL over a local socket, the other \
         two in process. A page is asked for by somebody who has signed in, and is read to its end.",
        &head,
    );
    for question in QUESTIONS.iter().chain(PAGES) {
        let mut row = vec![question.about.to_owned()];
        for (_, queries) in &asked {
            let figure = |key: &str| queries.get(question.name)?.get(key)?.as_f64();
            row.push(match (figure("cold_ms"), figure("p50_ms"), figure("p99_ms")) {
                (cold, Some(middle), Some(late)) => {
                    format!("{}; {} ({})", cold.map_or_else(|| "–".to_owned(), two), two(middle), two(late))
                }
                _ => "–".to_owned(),
            });
        }
        table.row(row);
    }
    let differing = QUESTIONS.iter().filter(|question| {
        let mut counts =
            asked.iter().filter_map(|(_, queries)| queries.get(question.name)?.get("answer")?.as_i64());
        counts.next().is_some_and(|first| counts.any(|count| count != first))
    });
    let differing: Vec<_> = differing.map(|question| question.about).collect();
    table.after(match differing.is_empty() {
        true => "All give the same counts.".to_owned(),
        false => format!("They do not agree about: {}.", differing.join("; ")),
    });
    table
}

fn read_table(value: &Value<'_>) -> Result<Table> {
    let texts = |value: Option<&Value<'_>>| -> Vec<String> {
        let texts = value.and_then(Value::as_array).unwrap_or_default().iter().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    };
    let mut table = Table::new(text(value, "title"), text(value, "about"), &[]);
    table.head = texts(value.get("head"));
    let rows = value.get("rows").and_then(Value::as_array).context("a table has no rows")?;
    table.rows = rows.iter().map(|row| texts(Some(row))).collect();
    table.after = texts(value.get("after"));
    Ok(table)
}

fn text<'v>(value: &'v Value<'_>, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn data(run: &Value<'_>) -> String {
    let figure = |name: &str| run.get(name).and_then(Value::as_f64).unwrap_or_default();
    let hash = text(run, "hash");
    format!("Data: {} events of seed {}, FNV-1a {hash}.", whole(figure("events")), figure("seed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str) -> Value<'static> {
        json::parse(text.as_bytes(), &Limits::default()).unwrap().into_owned()
    }

    #[test]
    fn systems_stand_beside_one_another_by_the_questions() {
        let ours = run(
            r#"{"system":"Indelible","class":"D+","events":1000,"seed":1,"hash":"ab","queries":{"rare_actor":{"cold_ms":4,"p50_ms":0.5,"p99_ms":1.25,"answer":18}}}"#,
        );
        let http = run(
            r#"{"system":"Indelible","class":"D+","events":1000,"seed":1,"hash":"ab","machine":"m","tables":[{"title":"Over HTTP","about":"a","head":["what","figure"],"rows":[["x","1"]],"after":[]}],"ingest":{"how":"HTTP","events_per_second":41234.4,"bytes_per_event":300}}"#,
        );
        let peer = run(
            r#"{"system":"SQLite 3","class":"D","events":1000,"seed":1,"hash":"ab","ingest":{"events_per_second":9000},"queries":{"rare_actor":{"p50_ms":2,"p99_ms":3,"answer":19}}}"#,
        );
        let text = render(&[http, ours, peer.clone()]).unwrap();
        assert!(text.starts_with("## Over HTTP\n"), "{text}");
        assert!(text.contains("| Indelible, D+ | HTTP | 41\u{a0}234 | – | 300 |"), "{text}");
        assert!(text.contains("| 4.00; 0.50 (1.25) | –; 2.00 (3.00) |"), "{text}");
        assert!(text.contains("They do not agree about: newest 100 of a rare person"), "{text}");
        let other = run(r#"{"system":"X","class":"V","hash":"cd","queries":{}}"#);
        assert!(render(&[peer.clone(), other]).is_err(), "other data");
        let more = run(
            r#"{"system":"Indelible","class":"D+","events":90000,"seed":1,"hash":"ef","queries":{"rare_actor":{"p50_ms":0.7}}}"#,
        );
        let text = render(&[more, peer]).unwrap();
        assert!(text.starts_with("## Answers over HTTP, 90\u{a0}000 events\n"), "{text}");
    }
}
