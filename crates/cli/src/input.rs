//! Files that a person names on the command line, to read or to write; `-` is standard input and output.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use receivers::mapping::Mapping;

/// Opens a file or standard input for reading lines, and says how long it is if that is known.
#[allow(clippy::disallowed_methods)]
pub(crate) fn open(path: &Path) -> anyhow::Result<(Box<dyn BufRead>, Option<u64>)> {
    if path == Path::new("-") {
        return Ok((Box::new(BufReader::with_capacity(1 << 20, std::io::stdin())), None));
    }
    let file = File::open(path).with_context(|| format!("couldn't open {}", path.display()))?;
    let len = file.metadata().ok().filter(fs::Metadata::is_file).map(|m| m.len());
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

/// A mapping file; all that is wrong with it, a line each.
pub(crate) fn mapping(path: &Path) -> anyhow::Result<Mapping> {
    let bytes = whole(path, receivers::mapping::BYTES_MOST as u64)?;
    let text = std::str::from_utf8(&bytes).with_context(|| format!("{} is not UTF-8", path.display()))?;
    Mapping::parse(text).map_err(|wrong| {
        let lines: Vec<String> =
            wrong.iter().map(|wrong| format!("{}:{}: {}", path.display(), wrong.line, wrong.what)).collect();
        anyhow::anyhow!(lines.join("\n"))
    })
}

/// Whether there is a file of that name.
pub(crate) fn is_there(path: &Path) -> bool {
    path.is_file()
}

/// A file on its way: it has its name only once all of it is there, so that half of one never looks whole.
pub(crate) struct NewFile {
    file: BufWriter<File>,
    beside: PathBuf,
    name: PathBuf,
}

impl NewFile {
    /// Begins a file that only its owner may read. One that is there already is not overwritten.
    pub(crate) fn begin(name: &Path) -> anyhow::Result<NewFile> {
        anyhow::ensure!(!name.exists(), "{} is there already; name another file", name.display());
        let mut beside = name.as_os_str().to_owned();
        beside.push(".part");
        let beside = PathBuf::from(beside);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)
            .with_context(|| format!("couldn't create {}", beside.display()))?;
        Ok(NewFile { file: BufWriter::with_capacity(1 << 20, file), beside, name: name.to_owned() })
    }

    /// Gives it its name.
    #[allow(clippy::disallowed_methods)]
    pub(crate) fn finish(mut self) -> anyhow::Result<()> {
        let mut put = || {
            self.file.flush()?;
            self.file.get_ref().sync_all()?;
            fs::rename(&self.beside, &self.name)
        };
        put().with_context(|| format!("couldn't write {}", self.name.display()))
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}
