//! Settings from their layers: defaults, then the file, then the environment, then flags. Each overrules those before it.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches};

use crate::config::file::{self, Member, What};
use crate::config::secret::Environment;
use crate::config::settings::{PREFIX, SETTINGS, Setting, Short, find, is_table, nearest};
use crate::config::shape::{Held, Reference, Wrong};
use crate::input;
use crate::output::{printable, short};

/// Read if no other file is named and it is there.
pub(crate) const FILE: &str = "indelible.toml";
/// Names the file.
pub(crate) const FILE_VARIABLE: &str = "INDELIBLE_CONFIG";
/// Nobody reads more.
const PROBLEMS_MOST: usize = 100;

/// What the command line says: the file, and settings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    /// `--config`.
    pub(crate) file: Option<PathBuf>,
    /// Flag as it was typed, path of the setting, text.
    pub(crate) flags: Vec<(String, String, String)>,
}

/// The settings in force, each with where it comes from.
pub(crate) struct Effective {
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
    /// In the order of [`SETTINGS`].
    entries: Vec<Entry>,
}

/// One setting in force.
pub(crate) struct Entry {
    pub(crate) setting: &'static Setting,
    /// `None`: it has no default, and nobody set it.
    pub(crate) held: Option<Held>,
    pub(crate) source: Source,
    /// Somebody tried to set it and was told what is wrong.
    broken: bool,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Default,
    /// A place in the file: `indelible.toml:12`.
    File(String),
    /// Name of a variable.
    Environment(String),
    /// The flag, with its dashes.
    Flag(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Default => f.write_str("default"),
            Source::File(text) | Source::Environment(text) | Source::Flag(text) => {
                f.write_str(&printable(text))
            }
        }
    }
}

/// Something that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Where it was said: `indelible.toml:12`, the name of a variable, a flag; nothing if nobody said it.
    pub(crate) place: String,
    /// The setting, or what was taken for one.
    pub(crate) path: String,
    /// What is wrong, and what to do.
    pub(crate) what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [&self.place, &self.path].into_iter().filter(|part| !part.is_empty()) {
            write!(f, "{}: ", printable(part))?;
        }
        f.write_str(&printable(&self.what))
    }
}

impl Effective {
    /// What holds of a setting.
    pub(crate) fn entry(&self, path: &str) -> &Entry {
        self.entries
            .iter()
            .find(|entry| entry.setting.path == path)
            .unwrap_or_else(|| panic!("{path} is no setting"))
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether nothing was wrong with any of these settings themselves.
    pub(crate) fn are_sound(&self, paths: &[&str]) -> bool {
        paths.iter().all(|path| !self.entry(path).broken)
    }

    /// Something wrong with a setting that could be read.
    pub(crate) fn problem(&self, path: &str, what: impl Into<String>) -> Problem {
        let place = match &self.entry(path).source {
            Source::Default => String::new(),
            source => source.to_string(),
        };
        Problem { place, path: path.to_owned(), what: what.into() }
    }

    fn entry_mut(&mut self, path: &str) -> &mut Entry {
        self.entries.iter_mut().find(|entry| entry.setting.path == path).expect("it was found before")
    }
}

/// Reads every layer. Also what could not be read is answered for: with what the layers before it say.
pub(crate) fn load(given: &Given, env: &Environment) -> (Effective, Vec<Problem>) {
    let entry = |setting: &'static Setting| Entry {
        setting,
        held: setting.default(),
        source: Source::Default,
        broken: false,
    };
    let mut layers = Layers {
        effective: Effective { file: None, entries: SETTINGS.iter().map(entry).collect() },
        problems: Vec::new(),
        env,
    };
    layers.file(given);
    layers.environment();
    layers.flags(given);
    (layers.effective, layers.problems)
}

struct Layers<'a> {
    effective: Effective,
    problems: Vec<Problem>,
    env: &'a Environment,
}

impl Layers<'_> {
    fn problem(&mut self, place: impl Into<String>, path: impl Into<String>, what: impl Into<String>) {
        if self.problems.len() < PROBLEMS_MOST {
            self.problems.push(Problem { place: place.into(), path: path.into(), what: what.into() });
        }
    }

    fn set(
        &mut self,
        setting: &'static Setting,
        source: Source,
        read: Result<Held, Vec<Wrong>>,
        place: impl Fn(&Wrong) -> String,
    ) {
        let entry = self.effective.entry_mut(setting.path);
        match read {
            Ok(held) => {
                entry.held = Some(held);
                entry.source = source;
            }
            Err(wrongs) => {
                entry.broken = true;
                for wrong in wrongs {
                    self.problem(place(&wrong), format!("{}{}", setting.path, wrong.within), wrong.what);
                }
            }
        }
    }

    fn unknown(&mut self, place: String, path: &str) {
        let hint = match nearest(path) {
            Some(near) => format!("; did you mean {near}?"),
            None => {
                "; `indelible config schema` and docs/reference/configuration.md have them all".to_owned()
            }
        };
        self.problem(place, short(path, 80), format!("unknown setting{hint}"));
    }

    fn file(&mut self, given: &Given) {
        let path = match (&given.file, self.env.has(FILE_VARIABLE)) {
            (Some(path), _) => path.clone(),
            (None, true) => match self.env.get(FILE_VARIABLE) {
                Ok(path) => path.into(),
                Err(what) => return self.problem(FILE_VARIABLE, "", what),
            },
            (None, false) if input::is_there(Path::new(FILE)) => FILE.into(),
            (None, false) => return,
        };
        let name = path.display().to_string();
        let members = match input::whole(&path, file::BYTES_MOST) {
            Err(error) => return self.problem("", "", format!("{error:#}")),
            Ok(bytes) if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("json")) => {
                file::json(&bytes)
            }
            Ok(bytes) => match std::str::from_utf8(&bytes) {
                Ok(text) => file::toml(text),
                Err(_) => return self.problem(name, "", "not UTF-8"),
            },
        };
        self.effective.file = Some(path);
        match members {
            Ok(members) => self.table("", members, &name),
            Err(faults) => {
                for fault in faults {
                    let place = fault.line.map_or_else(|| name.clone(), |line| format!("{name}:{line}"));
                    self.problem(place, "", fault.what);
                }
            }
        }
    }

    fn table(&mut self, table: &str, members: Vec<Member>, name: &str) {
        for Member { key, line, node } in members {
            if self.problems.len() >= PROBLEMS_MOST {
                return;
            }
            let place = format!("{name}:{line}");
            let path = if table.is_empty() { key.clone() } else { format!("{table}.{key}") };
            match find(&path) {
                _ if key.contains('.') => {
                    let what =
                        "a name with a dot in it; write tables, `[server]` and `listen` for server.listen";
                    self.problem(place, short(&path, 80), what);
                }
                Some(setting) => {
                    let read = setting.shape.read(&node);
                    self.set(setting, Source::File(place), read, |wrong| format!("{name}:{}", wrong.line));
                }
                None if is_table(&path) => match node.what {
                    What::Table(members) => self.table(&path, members, name),
                    other => self.problem(
                        place,
                        path,
                        format!("expected a table of settings, not {}", other.name()),
                    ),
                },
                None => self.unknown(place, &path),
            }
        }
    }

    fn environment(&mut self) {
        for setting in SETTINGS {
            let long = setting.variable();
            let short = match setting.short {
                Short::Same(name) | Short::Secret(name) => Some(name).filter(|name| self.env.has(name)),
                Short::No => None,
            };
            let name = match (self.env.has(&long), short) {
                (true, Some(short)) => {
                    let what = format!("{short} is set as well; keep one of them");
                    self.effective.entry_mut(setting.path).broken = true;
                    self.problem(long, setting.path, what);
                    continue;
                }
                (true, None) => long.as_str(),
                (false, Some(short)) => short,
                (false, None) => continue,
            };
            let read = match (setting.short, self.env.get(name)) {
                (_, Err(what)) => Err(vec![Wrong {
                    within: String::new(),
                    line: 1,
                    what: format!("{what}; unset it instead"),
                }]),
                (Short::Secret(secret), Ok(_)) if secret == name => {
                    Ok(Held::Reference(Reference::Env(name.to_owned())))
                }
                (_, Ok(text)) => setting.shape.read_text(text),
            };
            self.set(setting, Source::Environment(name.to_owned()), read, |_| name.to_owned());
        }
        let unknown = |name: &&str| SETTINGS.iter().all(|setting| setting.variable() != **name);
        let names: Vec<String> = self.env.names(PREFIX).filter(unknown).map(str::to_owned).collect();
        for name in names {
            let path = name[PREFIX.len()..].replace("__", ".").to_lowercase();
            let hint = match nearest(&path).and_then(find) {
                Some(near) => format!("; did you mean {}?", near.variable()),
                None => String::new(),
            };
            self.problem(short(&name, 80), "", format!("unknown setting{hint}"));
        }
    }

    fn flags(&mut self, given: &Given) {
        for (flag, path, text) in &given.flags {
            match find(path) {
                Some(setting) => {
                    let read = setting.shape.read_text(text);
                    self.set(setting, Source::Flag(flag.clone()), read, |_| flag.clone());
                }
                None => self.unknown(flag.clone(), path),
            }
        }
    }
}

/// The flags are made from the table, and work wherever `Given` is flattened into a command.
impl clap::Args for Given {
    fn augment_args(command: clap::Command) -> clap::Command {
        let file = Arg::new("config")
            .long("config")
            .value_name("FILE")
            .value_parser(clap::value_parser!(PathBuf))
            .help(format!(
                "Configuration, TOML or JSON [env: {FILE_VARIABLE}] [default: {FILE}, if it is there]"
            ));
        let set = Arg::new("set")
            .long("set")
            .value_name("NAME=VALUE")
            .action(ArgAction::Append)
            .help("Any other setting, such as --set log.level=debug");
        let flags = SETTINGS.iter().filter_map(|setting| {
            let flag = setting.flag?;
            let help = setting.about.split(". ").next().unwrap_or_default().trim_end_matches('.');
            let short = match setting.short {
                Short::Same(name) => format!(" [env: {name}]"),
                _ => String::new(),
            };
            let default = setting.default.map(|text| format!(" [default: {text}]")).unwrap_or_default();
            Some(Arg::new(flag).long(flag).value_name("VALUE").help(format!("{help}{short}{default}")))
        });
        command.arg(file).args(flags).arg(set)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Given::augment_args(command)
    }
}

impl clap::FromArgMatches for Given {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Given, clap::Error> {
        let mut given = Given { file: matches.get_one("config").cloned(), flags: Vec::new() };
        for setting in SETTINGS {
            let Some(flag) = setting.flag else { continue };
            if let Some(text) = matches.get_one::<String>(flag) {
                given.flags.push((format!("--{flag}"), setting.path.to_owned(), text.clone()));
            }
        }
        for pair in matches.get_many::<String>("set").into_iter().flatten() {
            let Some((path, text)) = pair.split_once('=') else {
                let what = "--set takes NAME=VALUE, such as --set log.level=debug\n";
                return Err(clap::Error::raw(clap::error::ErrorKind::InvalidValue, what));
            };
            given.flags.push((format!("--set {path}"), path.to_owned(), text.to_owned()));
        }
        Ok(given)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Given::from_arg_matches(matches)?;
        Ok(())
    }
}
