//! Rules of the house, as tests: who may depend on whom, names, links, where disk and clock may be touched.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::program::{files, root};

/// Package, and which of ours it may use outside its tests. Nobody at all may use `cli`.
const ARROWS: &[(&str, &[&str])] = &[
    ("event", &[]),
    ("proof", &[]),
    ("ledger", &["proof"]),
    ("query", &["event"]),
    ("redact", &["event"]),
    ("access", &["event", "query"]),
    ("state", &["access", "event"]),
    ("index", &["event", "ledger", "query"]),
    ("indelible", &["access", "event", "index", "ledger", "proof", "query", "redact", "state"]),
    ("receivers", &["event", "indelible"]),
    ("compat", &["event", "query"]),
    ("api", &["access", "compat", "event", "indelible", "query", "receivers"]),
    ("oidc", &["access", "event"]),
    ("ui", &["access", "event", "indelible", "oidc", "query"]),
    ("cli", ALL),
    ("bench", ALL),
    ("fuzz", ALL),
    ("sim", ALL),
    ("tests", ALL),
];
const ALL: &[&str] = &[
    "event",
    "proof",
    "ledger",
    "query",
    "redact",
    "access",
    "state",
    "index",
    "indelible",
    "receivers",
    "compat",
    "api",
    "ui",
    "oidc",
    "bench",
    "sim",
];

/// No member of the workspace: what is built for a fuzzer is of use to nobody else.
const APART: &str = "fuzz";

/// Who may touch disk, clock and chance. Simulator, benchmark, fuzz targets and tests may, too.
const OWNERS: &[&str] = &["crates/ledger/src/io.rs", "crates/cli/src/input.rs"];
const TOUCHES: &[&str] = &[
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "std::fs",
    "tokio::fs",
    "fs::",
    "File::open",
    "File::create",
    "OpenOptions",
    "rand::",
    "getrandom",
    "SystemRandom",
    "OsRng",
];

const LINES_MOST: usize = 1200;

struct Source {
    /// From the root of the workspace, with slashes.
    path: String,
    text: String,
}

impl Source {
    fn is_free(&self) -> bool {
        ["bench/", "fuzz/", "sim/", "tests/"].iter().any(|dir| self.path.starts_with(dir))
            || ["/tests.rs", "/build.rs"].iter().any(|name| self.path.ends_with(name))
            || ["/tests/", "/examples/", "/benches/"].iter().any(|dir| self.path.contains(dir))
    }

    /// Lines of the program with their numbers: no comments, and nothing from the tests at the end on.
    fn program(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = self.text.lines().zip(self.text.lines().skip(1)).position(|(one, next)| {
            one.trim() == "#[cfg(test)]" && next.starts_with("mod ") && next.ends_with('{')
        });
        let lines = self.text.lines().take(end.unwrap_or(usize::MAX)).enumerate();
        lines.filter(|(_, line)| !line.trim_start().starts_with("//")).map(|(n, line)| (n + 1, line))
    }
}

/// Everything that belongs to the project and is text.
fn sources() -> Vec<Source> {
    let mut all = Vec::new();
    for entry in fs::read_dir(root()).unwrap() {
        let path = entry.unwrap().path();
        match path.file_name().unwrap().to_str().unwrap() {
            // Not ours: what cargo, git and a running server put here.
            "target" | ".git" | "data" => {}
            _ if path.is_dir() => all.extend(files(&path)),
            _ => all.push(path),
        }
    }
    let source = |path: &Path| {
        let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        Some(Source { path: name, text: String::from_utf8(fs::read(path).unwrap()).ok()? })
    };
    let all: Vec<Source> = all.iter().filter_map(|path| source(path)).collect();
    assert!(all.len() > 100, "the sources are not where they were");
    all
}

fn rust() -> Vec<Source> {
    sources().into_iter().filter(|source| source.path.ends_with(".rs")).collect()
}

fn markdown() -> Vec<Source> {
    sources().into_iter().filter(|source| source.path.ends_with(".md")).collect()
}

#[track_caller]
fn none(wrong: &[String], rule: &str) {
    assert!(wrong.is_empty(), "{rule}:\n{}", wrong.join("\n"));
}

/// Sections of a manifest: name, and the lines in it.
fn manifest(text: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut sections: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut section = "";
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix('[') {
            Some(name) => section = name.trim_end_matches(']'),
            None => sections.entry(section).or_default().push(line),
        }
    }
    sections
}

/// Path of the manifest, and the manifest, by the name that others use for the package.
fn packages() -> BTreeMap<String, Source> {
    let mut packages = BTreeMap::new();
    for source in sources() {
        if let Some(dir) = source.path.strip_suffix("/Cargo.toml") {
            let name = dir.rsplit('/').next().unwrap().to_owned();
            assert!(packages.insert(name, source).is_none(), "two packages in folders of one name");
        }
    }
    packages
}

/// Names of our own packages among the dependencies in sections whose name `holds`.
fn dependencies(text: &str, holds: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let ours = |name: &str| ARROWS.iter().any(|(package, _)| *package == name);
    let mut used = BTreeSet::new();
    for (section, lines) in manifest(text) {
        // `[dependencies.name]` is another way to write it.
        let (section, named) = match section.split_once("dependencies.") {
            Some((before, name)) => (format!("{before}dependencies"), Some(name)),
            None => (section.to_owned(), None),
        };
        if !holds(section.rsplit('.').next().unwrap()) {
            continue;
        }
        let names = lines.iter().map(|line| line.split(['.', ' ', '=']).next().unwrap());
        for name in names.chain(named) {
            let name = name.trim_matches('"').trim_start_matches("indelible-");
            used.extend(Some(name.to_owned()).filter(|name| ours(name)));
        }
    }
    used
}

#[test]
fn arrows_between_packages_are_the_agreed_ones() {
    let mut wrong = Vec::new();
    let packages = packages();
    for (name, source) in &packages {
        let Some((_, allowed)) = ARROWS.iter().find(|(package, _)| package == name) else {
            wrong.push(format!("{}: a new package; say in tidy.rs what it may use", source.path));
            continue;
        };
        let used =
            dependencies(&source.text, |section| ["dependencies", "build-dependencies"].contains(&section));
        let refused = used.iter().filter(|used| !allowed.contains(&used.as_str()));
        wrong.extend(refused.map(|used| format!("{name} may not use {used}")));
        let in_tests = dependencies(&source.text, |section| section == "dev-dependencies");
        if in_tests.contains("cli") {
            wrong.push(format!("the tests of {name} may not use cli"));
        }
    }
    for (name, _) in ARROWS {
        assert!(packages.contains_key(*name), "{name} is gone; tidy.rs still speaks of it");
    }
    let indelible = dependencies(&packages["indelible"].text, |section| section == "dependencies");
    assert!(indelible.contains("ledger"), "manifests are not understood any more");
    none(&wrong, "arrows that are not allowed");
}

#[test]
fn every_package_is_a_member_and_takes_the_workspace_s_lints() {
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let mut wrong = Vec::new();
    for source in packages().values() {
        let dir = source.path.trim_end_matches("/Cargo.toml");
        if dir == APART {
            continue;
        }
        if !workspace.contains(&format!("    \"{dir}\",\n")) {
            wrong.push(format!("{dir} is no member of the workspace"));
        }
        let lints = manifest(&source.text).remove("lints").unwrap_or_default();
        if lints != ["workspace = true"] {
            wrong.push(format!("{} has no `[lints] workspace = true`", source.path));
        }
    }
    none(&wrong, "packages");
}

#[test]
fn no_name_says_nothing() {
    const EMPTY: &[&str] = &["util", "utils", "common", "shared", "helper", "helpers", "prelude", "misc"];
    let mut wrong = Vec::new();
    for source in rust() {
        for part in source.path.trim_end_matches(".rs").split('/').filter(|part| EMPTY.contains(part)) {
            wrong.push(format!("{}: {part}", source.path));
        }
        for (n, line) in source.program() {
            let name = line.trim_start().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
            let name = name.strip_prefix("mod ").map(|rest| rest.trim_end_matches([';', '{', ' ']));
            if name.is_some_and(|name| EMPTY.contains(&name)) {
                wrong.push(format!("{}:{n}: {line}", source.path));
            }
        }
    }
    none(&wrong, "a module is named after what it holds");
}

#[test]
fn nothing_is_unsafe() {
    let words = ["{", "fn", "impl", "extern", "trait"].map(|what| format!("unsafe {what}"));
    let mut wrong = Vec::new();
    for source in rust().iter().filter(|source| source.path != "tests/all/tidy.rs") {
        for (n, line) in source.text.lines().enumerate() {
            if words.iter().any(|word| line.contains(word)) {
                wrong.push(format!("{}:{}: {line}", source.path, n + 1));
            }
        }
    }
    none(&wrong, "unsafe code");
}

#[test]
fn disk_clock_and_chance_have_one_owner() {
    let mut wrong = Vec::new();
    let mut owned = 0;
    for source in rust().iter().filter(|source| !source.is_free()) {
        for (n, line) in source.program() {
            if !TOUCHES.iter().any(|touch| line.contains(touch)) {
                continue;
            }
            match OWNERS.contains(&source.path.as_str()) {
                true => owned += 1,
                false => wrong.push(format!("{}:{n}: {}", source.path, line.trim())),
            }
        }
    }
    none(&wrong, "disk, clock and chance are touched in ledger::io, and the named input in cli::input");
    assert!(owned > 5, "the owners are not found any more");
}

#[test]
fn the_lint_that_guards_them_is_switched_off_only_there() {
    let mut wrong = Vec::new();
    for source in rust().iter().filter(|source| !source.is_free() && !OWNERS.contains(&source.path.as_str()))
    {
        for (n, line) in source.program() {
            if line.contains("allow(") && line.contains("disallowed_methods") {
                wrong.push(format!("{}:{n}: {line}", source.path));
            }
        }
    }
    none(&wrong, "disallowed_methods is allowed where it should not be");
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for source in markdown() {
        let dir = root().join(&source.path).parent().unwrap().to_owned();
        for (n, line) in prose(&source.text) {
            for link in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                let target = link.split(['#', ' ']).next().unwrap();
                if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                    continue;
                }
                seen += 1;
                if target.starts_with('/') || !dir.join(target).exists() {
                    wrong.push(format!("{}:{n}: {target}", source.path));
                }
            }
        }
    }
    none(&wrong, "dead links");
    assert!(seen > 2, "no links are found any more");
}

/// Lines of Markdown outside fenced blocks.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    let lines = text.lines().enumerate().filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    });
    lines.map(|(n, line)| (n + 1, line))
}

#[test]
fn documents_name_files_and_items_that_exist() {
    let mut wrong = Vec::new();
    let mut items = 0;
    for source in markdown().iter().filter(|source| source.path != "CHANGELOG.md") {
        for (n, line) in prose(&source.text) {
            let parts: Vec<&str> = line.split('`').collect();
            for (at, path) in parts.iter().enumerate().skip(1).step_by(2) {
                let ours = ["crates/", "sim/", "bench/", "fuzz/", "tests/", "docs/"]
                    .iter()
                    .any(|dir| path.starts_with(dir));
                // A pattern such as `tests/*.rs`, or a path with a placeholder, names no file.
                if !ours || path.contains(['*', '<', ' ', '{', '…']) {
                    continue;
                }
                let Ok(there) = fs::metadata(root().join(path)) else {
                    wrong.push(format!("{}:{n}: there is no {path}", source.path));
                    continue;
                };
                // `path` `item`: the item is in the file.
                let (Some(&" "), Some(item)) = (parts.get(at + 1), parts.get(at + 2)) else { continue };
                let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
                if !there.is_file() || item.is_empty() || !item.chars().all(word) {
                    continue;
                }
                items += 1;
                let text = fs::read_to_string(root().join(path)).unwrap();
                let kinds = ["fn", "struct", "enum", "trait", "const", "static", "type", "mod"];
                let defined = kinds.iter().any(|kind| {
                    let start = format!("{kind} {item}");
                    text.match_indices(&start).any(|(at, _)| !text[at + start.len()..].starts_with(word))
                });
                if !defined {
                    wrong.push(format!("{}:{n}: {path} defines no {item}", source.path));
                }
            }
        }
    }
    none(&wrong, "documents speak of what is not there");
    assert!(items > 10, "docs/architecture.md no longer says `file` `item`");
}

#[test]
fn files_can_be_read_in_a_sitting() {
    let long = |source: &Source| {
        let lines = source.text.lines().count();
        let made = ["Cargo.lock", "fuzz/Cargo.lock", "docs/reference/openapi.json"]
            .contains(&source.path.as_str())
            || source.path.starts_with("tests/fixtures/");
        (lines > LINES_MOST && !made).then(|| format!("{}: {lines} lines", source.path))
    };
    none(&sources().iter().filter_map(long).collect::<Vec<_>>(), "files that grew too long");
}

#[test]
fn the_verifier_in_python_is_short_and_needs_nothing() {
    let text = fs::read_to_string(root().join("tests/verify.py")).unwrap();
    let lines = text.lines().count();
    assert!(lines <= 250, "tests/verify.py has {lines} lines; 250 were promised");
    let standard = [
        "argparse",
        "base64",
        "binascii",
        "collections",
        "hashlib",
        "hmac",
        "json",
        "os",
        "re",
        "struct",
        "sys",
    ];
    for line in text.lines().filter(|line| line.starts_with("import ") || line.starts_with("from ")) {
        let names = line.split('#').next().unwrap();
        let names = match names.strip_prefix("from ") {
            Some(rest) => rest.split(' ').next().unwrap(),
            None => names.trim_start_matches("import "),
        };
        for name in names.split(',').map(str::trim) {
            assert!(standard.contains(&name), "{name} is not in the list of what Python brings along");
        }
    }
}

#[test]
fn nothing_of_one_machine_is_in_the_tree() {
    // In two halves, so that this file does not hold them.
    let places =
        [["/wo", "rk/"], ["/ro", "ot/"], ["/ho", "me/"], ["/Us", "ers/"]].map(|halves| halves.concat());
    let registry = "https://github.com/rust-lang/crates.io-index";
    let mut wrong = Vec::new();
    for source in sources() {
        for (n, line) in source.text.lines().enumerate() {
            if places.iter().any(|place| line.contains(place)) {
                wrong.push(format!("{}:{}: {}", source.path, n + 1, line.trim()));
            }
            let foreign = line.starts_with("source = ") && !line.contains(registry);
            if source.path.ends_with("Cargo.lock") && foreign {
                wrong.push(format!("{}:{}: {line}", source.path, n + 1));
            }
        }
        if source.path.contains(".cargo/")
            || source.path.ends_with(".npmrc")
            || source.path.ends_with("pip.conf")
        {
            wrong.push(format!("{}: settings of a package manager", source.path));
        }
    }
    none(&wrong, "paths or registries of one machine");
}

#[test]
fn nothing_is_left_for_later() {
    let marks = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"], ["HA", "CK"]].map(|halves| halves.concat());
    let holes = [["unimplemen", "ted!"], ["to", "do!("], ["#[igno", "re"], ["dbg", "!("]]
        .map(|halves| halves.concat());
    let mut wrong = Vec::new();
    for source in
        sources().iter().filter(|s| !s.path.ends_with("Cargo.lock") && !s.path.starts_with("tests/fixtures/"))
    {
        for (n, line) in source.text.lines().enumerate() {
            let mut words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let marked = words.any(|word| marks.iter().any(|mark| mark == word));
            let hole = source.path.ends_with(".rs") && holes.iter().any(|hole| line.contains(hole));
            if marked || hole {
                wrong.push(format!("{}:{}: {}", source.path, n + 1, line.trim()));
            }
        }
    }
    none(&wrong, "left for later");
}

#[test]
fn the_changelog_has_a_place_for_what_is_next() {
    let text = fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    let first = text.lines().find(|line| line.starts_with("## "));
    assert_eq!(first, Some("## Unreleased"), "the newest changes come first");
    assert!(text.contains("On-disk format: "), "the version of the format is stated apart");
}

#[test]
fn the_commands_of_the_house_can_be_started() {
    use std::os::unix::fs::PermissionsExt;
    for name in ["run", "test", ".ci/run", "fuzz/run"] {
        let path = root().join(name);
        let mode = fs::metadata(&path).unwrap_or_else(|e| panic!("{name}: {e}")).permissions().mode();
        assert!(mode & 0o111 != 0, "{name} is not executable");
    }
}
