//! What was taken out, and where: never the value. These become the event's `redactions`.

use event::{Object, Value};

/// What was done with what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// A marker stands in its place.
    Mask,
    /// Its keyed fingerprint stands in its place.
    Hash,
    /// It is gone.
    Drop,
    /// An address was cut to its network.
    Truncate,
    /// The sender's own hash was hashed again, with our key.
    Rekey,
}

impl Done {
    /// The word in `redactions[].action`.
    pub fn name(self) -> &'static str {
        match self {
            Done::Mask => "mask",
            Done::Hash => "hash",
            Done::Drop => "drop",
            Done::Truncate => "truncate",
            Done::Rekey => "rekey",
        }
    }
}

/// Something that was found, and what was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// JSON pointer of the value that held it; empty for a text by itself. Names that were secret themselves are markers
    /// in it.
    pub path: String,
    /// The rule that found it.
    pub rule: &'static str,
    /// What was done.
    pub action: Done,
    /// How often, in that place.
    pub count: u64,
    /// Bytes that were taken out, each time rounded up to a power of two: enough to see what was left out, too little to
    /// guess a short text by.
    pub size_class: u64,
}

/// Where a value is, without a string being built for it.
pub(crate) enum Path<'p> {
    Root,
    Name(&'p Path<'p>, &'p str),
    Index(&'p Path<'p>, usize),
    /// In a text that was decoded: a pointer ends at the text.
    Inside(&'p Path<'p>),
}

/// As in `event`: pointers are shown to people, and names come from strangers.
const POINTER_CHARS_MAX: usize = 1024;
const NAME_CHARS_MAX: usize = 128;

impl Path<'_> {
    fn parent(&self) -> Option<&Path<'_>> {
        match self {
            Path::Root => None,
            Path::Name(parent, _) | Path::Index(parent, _) | Path::Inside(parent) => Some(parent),
        }
    }

    /// From here up to the root.
    pub(crate) fn upwards(&self) -> impl Iterator<Item = &Path<'_>> {
        std::iter::successors(Some(self), |path| path.parent())
    }

    /// The text that is decoded outermost, or else the value itself.
    pub(crate) fn outermost(&self) -> &Path<'_> {
        self.upwards()
            .filter(|path| matches!(path, Path::Inside(_)))
            .last()
            .and_then(Path::parent)
            .unwrap_or(self)
    }

    fn pointer(&self) -> String {
        let mut pointer = String::with_capacity(64);
        self.outermost().write(&mut pointer);
        if pointer.len() > POINTER_CHARS_MAX
            && let Some((at, _)) = pointer.char_indices().nth(POINTER_CHARS_MAX - 1)
        {
            pointer.truncate(at);
            pointer.push('…');
        }
        pointer
    }
}

impl Path<'_> {
    /// Paths are as deep as events may be.
    fn write(&self, pointer: &mut String) {
        if let Some(parent) = self.parent() {
            parent.write(pointer);
        }
        match self {
            Path::Name(_, name) => push_name(pointer, name),
            Path::Index(_, index) => {
                pointer.push('/');
                pointer.push_str(&index.to_string());
            }
            Path::Root | Path::Inside(_) => {}
        }
    }
}

fn push_name(pointer: &mut String, name: &str) {
    pointer.push('/');
    if name.len() <= NAME_CHARS_MAX && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return pointer.push_str(name);
    }
    for (count, c) in name.chars().enumerate() {
        if count == NAME_CHARS_MAX {
            pointer.push('…');
            break;
        }
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c if c.is_control() => pointer.push('\u{fffd}'),
            c => pointer.push(c),
        }
    }
}

/// More places than this are counted in one last row: they come from strangers too.
pub(crate) const ROWS_MAX: usize = 256;

#[derive(Default)]
pub(crate) struct Notes {
    findings: Vec<Finding>,
    /// Findings that found no room.
    more: u64,
    /// How often anything was noted.
    pub(crate) total: u64,
}

impl Notes {
    pub(crate) fn add(&mut self, path: &Path<'_>, rule: &'static str, action: Done, bytes: usize) {
        // The same place is noted several times in a row, so older ones need no comparing.
        const RECENT: usize = 8;
        self.total += 1;
        if self.findings.len() == ROWS_MAX {
            self.more += 1;
            return;
        }
        let path = path.pointer();
        let size_class = bytes.next_power_of_two() as u64;
        let same = |f: &&mut Finding| f.rule == rule && f.action == action && f.path == path;
        match self.findings.iter_mut().rev().take(RECENT).find(same) {
            Some(known) => {
                known.count += 1;
                known.size_class += size_class;
            }
            None => self.findings.push(Finding { path, rule, action, count: 1, size_class }),
        }
    }

    pub(crate) fn first_rule(&self) -> Option<&'static str> {
        self.findings.first().map(|finding| finding.rule)
    }

    pub(crate) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    /// Puts the findings behind the rows that are there already; one that is there already is counted in its row.
    pub(crate) fn write(self, tree: &mut Object<'_>) {
        let there = tree.get("redactions").and_then(Value::as_array).map_or(0, <[_]>::len);
        if self.findings.is_empty() && there <= ROWS_MAX {
            return;
        }
        let mut rows = match tree.remove("redactions") {
            Some(Value::Array(rows)) => rows,
            _ => Vec::with_capacity(self.findings.len()),
        };
        let mut more = self.more;
        for finding in self.findings {
            match rows[..there].iter_mut().find(|row| is_row_of(row, &finding)) {
                Some(Value::Object(row)) => add_to(row, &finding),
                _ => rows.push(row(finding)),
            }
        }
        if rows.len() > ROWS_MAX {
            let spare = rows.split_off(ROWS_MAX);
            let counts = spare.iter().map(|row| row.get("count").and_then(Value::as_i64).unwrap_or(1));
            more += counts.fold(0u64, |sum, count| sum.saturating_add(count.unsigned_abs()));
        }
        if more > 0 {
            let mut last = Object::new();
            last.insert("path", "");
            last.insert("rule", "more");
            last.insert("action", Done::Mask.name());
            last.insert("count", whole(more));
            rows.push(Value::Object(last));
        }
        tree.insert("redactions", rows);
    }
}

fn is_row_of(row: &Value<'_>, finding: &Finding) -> bool {
    let said = |name: &str| row.get(name).and_then(Value::as_str);
    said("rule") == Some(finding.rule)
        && said("action") == Some(finding.action.name())
        && said("path") == Some(&finding.path)
}

fn add_to(row: &mut Object<'_>, finding: &Finding) {
    for (name, more) in [("count", finding.count), ("size", finding.size_class)] {
        let there = row.get(name).and_then(Value::as_i64).map_or(0, i64::unsigned_abs);
        row.insert(name, whole(there.saturating_add(more)));
    }
}

fn row(finding: Finding) -> Value<'static> {
    // In order already.
    Value::object([
        ("action", Value::from(finding.action.name())),
        ("count", whole(finding.count)),
        ("path", Value::from(finding.path)),
        ("rule", Value::from(finding.rule)),
        ("size", whole(finding.size_class)),
    ])
    .unwrap_or_default()
}

fn whole(n: u64) -> Value<'static> {
    let n = i64::try_from(n).unwrap_or(i64::MAX).min(event::json::INTEGER_MAX);
    Value::integer(n).unwrap_or_default()
}
