//! A place in a record: names and numbers with dots between them, such as `userIdentity.arn` or `target.0.id`.

use std::fmt;

use event::Value;

/// Deepest place.
const STEPS_MOST: usize = 32;

/// A place in a record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Path(Vec<String>);

impl Path {
    /// Reads one. `\.` is a dot in a name. Alone, `.` is the record itself.
    pub(super) fn parse(text: &str) -> Result<Path, String> {
        if text == "." {
            return Ok(Path(Vec::new()));
        }
        let mut steps = vec![String::new()];
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match c {
                '.' => steps.push(String::new()),
                '\\' => match chars.next() {
                    Some(c @ ('.' | '\\')) => steps.last_mut().expect("never empty").push(c),
                    _ => return Err(format!("{text:?} is no path: a backslash stands before a dot only")),
                },
                c => steps.last_mut().expect("never empty").push(c),
            }
        }
        match steps.iter().any(String::is_empty) || steps.len() > STEPS_MOST {
            true => Err(format!("{text:?} is no path: names with dots between them, such as actor.id")),
            false => Ok(Path(steps)),
        }
    }

    /// What lies there. Of a list, a number is one of its items.
    pub(super) fn find<'v, 'a>(&self, value: &'v Value<'a>) -> Option<&'v Value<'a>> {
        self.0.iter().try_fold(value, |value, step| match value {
            Value::Object(members) => members.get(step),
            Value::Array(items) => items.get(step.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// The place as a JSON pointer, below another.
    pub(super) fn pointer(&self, below: &str) -> String {
        self.0.iter().fold(below.to_owned(), |pointer, step| {
            pointer + "/" + &step.replace('~', "~0").replace('/', "~1")
        })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.is_empty() {
            true => f.write_str("."),
            false => {
                let steps: Vec<String> =
                    self.0.iter().map(|step| step.replace('\\', "\\\\").replace('.', "\\.")).collect();
                f.write_str(&steps.join("."))
            }
        }
    }
}
