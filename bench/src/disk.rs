//! A ledger in a folder of its own, tended as the server would.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};
use ledger::io::Io;
use ledger::{Ledger, Options, Secret};

pub(crate) const ORGANISATION: &str = "acme";
const TEND_EVERY: Duration = Duration::from_millis(200);

pub(crate) fn kek() -> Secret {
    Secret::new([7; 32])
}

pub(crate) fn options() -> Options {
    Options::new(ORGANISATION, kek())
}

/// A folder that is removed when this is dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(parent: &Path, name: &str) -> Result<Folder> {
        let path = parent.join(format!("indelible-bench-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).with_context(|| format!("couldn't create {}", path.display()))?;
        Ok(Folder(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// A copy of what is in `from`: the folder as a crash at this moment leaves it, with the lock gone.
    pub(crate) fn copy(parent: &Path, name: &str, from: &Path) -> Result<Folder> {
        let folder = Folder::new(parent, name)?;
        for entry in std::fs::read_dir(from)? {
            let entry = entry?;
            if entry.file_name() != "lock" {
                std::fs::copy(entry.path(), folder.0.join(entry.file_name()))?;
            }
        }
        // Else writing the copy back to the disk would be measured.
        std::fs::File::open(folder.path())?.sync_all()?;
        for entry in std::fs::read_dir(folder.path())? {
            std::fs::File::open(entry?.path())?.sync_all()?;
        }
        Ok(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn create(io: &Arc<dyn Io>, folder: &Folder) -> Result<Ledger> {
    Ok(Ledger::create(io.clone(), folder.path(), options())?)
}

pub(crate) fn open(io: &Arc<dyn Io>, folder: &Folder) -> Result<Ledger> {
    Ok(Ledger::open(io.clone(), folder.path(), options())?)
}

/// Signs each second and seals, in a thread of its own.
pub(crate) struct Tender {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<(), ledger::Error>>,
}

impl Tender {
    pub(crate) fn start(ledger: &Ledger) -> Tender {
        let (ledger, stop) = (ledger.clone(), Arc::new(AtomicBool::new(false)));
        let stopped = stop.clone();
        let thread = thread::Builder::new().name("tend".into()).spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                thread::sleep(TEND_EVERY);
                ledger.tend()?;
            }
            Ok(())
        });
        Tender { stop, thread: thread.expect("a thread can be started") }
    }

    pub(crate) fn stop(self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        Ok(self.thread.join().expect("tending does not panic")?)
    }
}
