//! Reading what a person names on the command line: a file, or `-` for standard input.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use anyhow::Context;

/// Opens a file or standard input for reading lines, and says how long it is if that is known.
#[allow(clippy::disallowed_methods)]
pub(crate) fn open(path: &Path) -> anyhow::Result<(Box<dyn BufRead>, Option<u64>)> {
    if path == Path::new("-") {
        return Ok((Box::new(BufReader::with_capacity(1 << 20, std::io::stdin())), None));
    }
    let file = File::open(path).with_context(|| format!("couldn't open {}", path.display()))?;
    let len = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|m| m.len());
    Ok((Box::new(BufReader::with_capacity(1 << 20, file)), len))
}

/// A line without its end, at most `limit` bytes of it; what is longer is skipped and counted.
pub(crate) struct Line {
    /// The bytes.
    pub(crate) bytes: Vec<u8>,
    /// Length with the end, of the whole line.
    pub(crate) len: u64,
}

/// The next line, or `None` at the end. Never takes more memory than `limit`.
pub(crate) fn line(input: &mut dyn BufRead, limit: usize) -> std::io::Result<Option<Line>> {
    let mut bytes = Vec::new();
    let mut len = input.take(limit as u64 + 1).read_until(b'\n', &mut bytes)? as u64;
    if len == 0 {
        return Ok(None);
    }
    let mut ended = bytes.ends_with(b"\n");
    while !ended {
        let more = input.fill_buf()?;
        if more.is_empty() {
            break;
        }
        let end = more.iter().position(|b| *b == b'\n');
        let used = end.map_or(more.len(), |end| end + 1);
        ended = end.is_some();
        input.consume(used);
        len += used as u64;
    }
    while bytes.last().is_some_and(|b| matches!(b, b'\n' | b'\r')) {
        bytes.pop();
    }
    Ok(Some(Line { bytes, len }))
}

/// A whole file of at most `limit` bytes.
pub(crate) fn whole(path: &Path, limit: u64) -> anyhow::Result<Vec<u8>> {
    let (input, _) = open(path)?;
    let mut bytes = Vec::new();
    input
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("couldn't read {}", path.display()))?;
    anyhow::ensure!(bytes.len() as u64 <= limit, "{} has more than {limit} bytes", path.display());
    Ok(bytes)
}

/// Whether there is a file of that name.
pub(crate) fn is_there(path: &Path) -> bool {
    path.is_file()
}
