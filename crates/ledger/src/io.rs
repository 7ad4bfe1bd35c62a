//! Disk, clock and chance: the only module that touches them.
//!
//! Everything else takes an [`Io`], so that the simulator can stand in for the machine and fail
//! any call it likes. The trait is as small as the ledger's needs: positioned reads and writes,
//! an explicit sync for data and one for folders, and nothing that hides a write in a cache.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// For reading; it must exist.
    Read,
    /// For reading and writing; it must exist.
    Write,
    /// For reading and writing; whatever was there is emptied. Mode 0600.
    Create,
}

/// An open file. Offsets are in bytes.
#[allow(clippy::len_without_is_empty)]
pub trait File: Send + Sync {
    /// Reads up to `buf.len()` bytes at `offset`; 0 means the end of the file.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all of `buf` at `offset`. It is durable only after [`File::sync`] succeeds.
    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()>;
    /// `fdatasync`: what was written before is on the disk when this succeeds.
    /// After a failure nothing may be assumed about any of it.
    fn sync(&self) -> io::Result<()>;
    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Cuts or extends (with zeros) the file.
    fn set_len(&self, len: u64) -> io::Result<()>;
}

/// Holds an exclusive lock until dropped.
pub trait Lock: Send + Sync {}

/// The machine as the ledger sees it.
pub trait Io: Send + Sync {
    /// Opens a file.
    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn File>>;
    /// Names of the entries of a folder, sorted.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;
    /// Creates a folder and its parents, mode 0700. An existing one is fine.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;
    /// Renames over whatever is there. Durable after [`Io::sync_dir`].
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file. Durable after [`Io::sync_dir`].
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes creations, renames and removals in `dir` durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Takes the exclusive lock at `path`, or `None` if another process holds it.
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>>;
    /// Wall clock: milliseconds since 1970.
    fn wall_ms(&self) -> u64;
    /// A clock that never steps: milliseconds since some moment.
    fn monotonic_ms(&self) -> u64;
    /// Fills `out` with unpredictable bytes.
    fn random(&self, out: &mut [u8]);
    /// Waits, for a writer in another process to finish what it is at.
    fn pause(&self, ms: u64);
}

/// The real machine.
#[derive(Debug)]
pub struct OsIo {
    started: Instant,
}

impl OsIo {
    /// The machine this process runs on.
    #[allow(clippy::new_without_default, clippy::disallowed_methods)]
    pub fn new() -> OsIo {
        OsIo { started: Instant::now() }
    }
}

impl Io for OsIo {
    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn File>> {
        let mut options = fs::OpenOptions::new();
        options.read(true);
        match how {
            Open::Read => {}
            Open::Write => {
                options.write(true);
            }
            Open::Create => {
                options.write(true).create(true).truncate(true).mode(0o600);
            }
        }
        Ok(Box::new(OsFile(options.open(path)?)))
    }

    #[allow(clippy::disallowed_methods)]
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(dir)? {
            // A name that is not UTF-8 is none of ours.
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
    }

    #[allow(clippy::disallowed_methods)]
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    #[allow(clippy::disallowed_methods)]
    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    #[allow(clippy::disallowed_methods)]
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        fs::File::open(dir)?.sync_all()
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        let file = fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(OsLock(file)))),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(e)) => Err(e),
        }
    }

    #[allow(clippy::disallowed_methods)]
    fn wall_ms(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
    }

    fn monotonic_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    fn random(&self, out: &mut [u8]) {
        // The system's generator failing is not something a ledger can go on after.
        aws_lc_rs::rand::fill(out).expect("the system's random generator answers");
    }

    fn pause(&self, ms: u64) {
        std::thread::sleep(std::time::Duration::from_millis(ms));
    }
}

#[derive(Debug)]
struct OsFile(fs::File);

impl File for OsFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buf, offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(buf, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
}

/// The lock goes when the descriptor does, also when the process is killed.
#[derive(Debug)]
struct OsLock(#[allow(dead_code)] fs::File);

impl Lock for OsLock {}

/// Reads exactly `buf.len()` bytes, or says how many there were.
pub(crate) fn read_full(file: &dyn File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut done = 0;
    while done < buf.len() {
        match file.read_at(&mut buf[done..], offset + done as u64) {
            Ok(0) => break,
            Ok(n) => done += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(done)
}

/// Reads the whole of a small file, at most `limit` bytes.
pub fn read_all(io: &dyn Io, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = io.open(path, Open::Read)?;
    let len = file.len()?;
    if len > limit {
        return Err(io::Error::other(format!("{} bytes, expected at most {limit}", len)));
    }
    let mut buf = vec![0; len as usize];
    let got = read_full(&*file, &mut buf, 0)?;
    buf.truncate(got);
    Ok(buf)
}

/// Puts a whole file in place so that a crash leaves the old one or the new one, never a mixture.
/// The old contents are overwritten after the switch, as far as the disk lets us: they may hold a
/// key that must be gone.
pub fn replace(io: &dyn Io, dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let (path, fresh) = (dir.join(name), dir.join(format!("{name}.new")));
    let old = match io.open(&path, Open::Write) {
        Ok(file) => Some(file),
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => return Err(e),
    };
    let file = io.open(&fresh, Open::Create)?;
    file.write_at(bytes, 0)?;
    file.sync()?;
    drop(file);
    io.rename(&fresh, &path)?;
    io.sync_dir(dir)?;
    if let Some(old) = old {
        let len = old.len()?;
        old.write_at(&vec![0; len as usize], 0)?;
        old.sync()?;
    }
    Ok(())
}
