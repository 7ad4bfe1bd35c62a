//! Tests of the configuration, by what people write and what they are told.

#![allow(clippy::disallowed_methods)]

mod generated;
mod imports;
mod layers;
mod problems;

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::load::{Effective, Given, Problem, load};
use super::rules;
use super::secret::Environment;
use super::typed::Config;

/// A folder, with a file of settings in it if that is wanted, and what the command line and the environment say.
struct Case {
    dir: TempDir,
    given: Given,
    variables: Vec<(String, String)>,
}

impl Case {
    fn new() -> Case {
        Case { dir: tempfile::tempdir().unwrap(), given: Given::default(), variables: Vec::new() }
    }

    fn file(text: &str) -> Case {
        Case::new().with_file("settings.toml", text)
    }

    fn with_file(mut self, name: &str, text: &str) -> Case {
        self.given.file = Some(self.put(name, text));
        self
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn variable(mut self, name: &str, value: &str) -> Case {
        self.variables.push((name.into(), value.into()));
        self
    }

    fn flag(mut self, flag: &str, path: &str, text: &str) -> Case {
        self.given.flags.push((flag.into(), path.into(), text.into()));
        self
    }

    fn env(&self) -> Environment {
        let variables: Vec<(&str, &str)> =
            self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Environment::of(&variables)
    }

    fn load(&self) -> (Effective, Vec<Problem>) {
        load(&self.given, &self.env())
    }

    /// Everything that is wrong, a line each, without the folder.
    fn problems(&self) -> Vec<String> {
        let (_, problems) = Config::check(&self.given, &self.env(), true);
        let folder = format!("{}/", self.dir.path().display());
        problems.iter().map(|problem| problem.to_string().replace(&folder, "")).collect()
    }

    #[track_caller]
    fn config(&self) -> Config {
        assert_eq!(self.problems(), Vec::<String>::new());
        let (effective, _) = self.load();
        assert_eq!(rules::between(&effective, &Config::of(&effective)), []);
        Config::load(&self.given, &self.env()).unwrap()
    }
}
