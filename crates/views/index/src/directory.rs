//! What tantivy takes for a folder: the streams of one part's file.
//!
//! A part has one segment, so a stream is named by the ending of tantivy's file (`term`, `idx`, `fast`). What tantivy
//! replaces as a whole (`meta.json`, its list of files) is kept in memory while a part is written.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    AntiCallToken, DirectoryLock, FileHandle, Lock, OwnedBytes, TerminatingWrite, WatchCallback, WatchHandle,
    WritePtr,
};
use tantivy::{Directory, HasLen};

use crate::file::{Reader, Shared, StreamWriter};

const META: &str = "meta.json";
/// The one file that tantivy reads back while it writes a segment.
const FIELD_NORMS: &str = "fieldnorm";

fn stream_name(path: &Path) -> String {
    let name = path.to_string_lossy();
    if name == META {
        return name.into_owned();
    }
    name.split_once('.').map_or_else(|| name.to_string(), |(_, ending)| ending.to_owned())
}

fn not_found(path: &Path) -> OpenReadError {
    OpenReadError::FileDoesNotExist(path.to_owned())
}

/// A part that is being written.
#[derive(Clone)]
pub(crate) struct Target {
    to: Shared,
    whole: Arc<Mutex<HashMap<String, Vec<u8>>>>,
}

impl Target {
    pub(crate) fn new(to: Shared) -> Target {
        Target { to, whole: Arc::default() }
    }

    /// Puts what tantivy says about the segment among the streams.
    pub(crate) fn write_meta(&self) -> io::Result<()> {
        let meta = self.lock().remove(META).unwrap_or_default();
        let mut stream = self.to.stream(META);
        stream.write_all(&meta)?;
        stream.end()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Vec<u8>>> {
        self.whole.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Target")
    }
}

impl Directory for Target {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        let bytes = self.lock().get(&stream_name(path)).cloned().ok_or_else(|| not_found(path))?;
        Ok(Arc::new(OwnedBytes::new(bytes)))
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        self.lock().remove(&stream_name(path));
        Ok(())
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        Ok(self.lock().contains_key(&stream_name(path)))
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        let name = stream_name(path);
        let kept = (name == FIELD_NORMS).then(|| (self.clone(), Vec::new()));
        Ok(io::BufWriter::new(Box::new(Tee { stream: self.to.stream(&name), kept })))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        self.lock().get(&stream_name(path)).cloned().ok_or_else(|| not_found(path))
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        self.lock().insert(stream_name(path), data.to_owned());
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        // The manifest decides what counts; the file is synced before it is named there.
        Ok(())
    }

    fn acquire_lock(&self, _: &Lock) -> Result<DirectoryLock, LockError> {
        Ok(DirectoryLock::from(Box::new(())))
    }

    fn watch(&self, _: WatchCallback) -> tantivy::Result<WatchHandle> {
        Ok(WatchHandle::empty())
    }
}

struct Tee {
    stream: StreamWriter,
    kept: Option<(Target, Vec<u8>)>,
}

impl Write for Tee {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some((_, kept)) = &mut self.kept {
            kept.extend_from_slice(bytes);
        }
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TerminatingWrite for Tee {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        if let Some((target, kept)) = self.kept.take() {
            target.lock().insert(FIELD_NORMS.to_owned(), kept);
        }
        self.stream.end()
    }
}

/// A part that is whole.
#[derive(Clone, Debug)]
pub(crate) struct Source(pub(crate) Arc<Reader>);

impl Directory for Source {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        let (stream, len) = self.0.stream(&stream_name(path)).ok_or_else(|| not_found(path))?;
        Ok(Arc::new(Handle { reader: self.0.clone(), stream, len }))
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        Err(DeleteError::FileDoesNotExist(path.to_owned()))
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        Ok(self.0.stream(&stream_name(path)).is_some())
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        Err(OpenWriteError::FileAlreadyExists(path.to_owned()))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        let (stream, len) = self.0.stream(&stream_name(path)).ok_or_else(|| not_found(path))?;
        let bytes = self.0.read(stream, 0..len);
        bytes.map(|b| b.to_vec()).map_err(|e| OpenReadError::wrap_io_error(e, path.to_owned()))
    }

    fn atomic_write(&self, _: &Path, _: &[u8]) -> io::Result<()> {
        Err(io::Error::other("a part never changes"))
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }

    fn acquire_lock(&self, _: &Lock) -> Result<DirectoryLock, LockError> {
        Ok(DirectoryLock::from(Box::new(())))
    }

    fn watch(&self, _: WatchCallback) -> tantivy::Result<WatchHandle> {
        Ok(WatchHandle::empty())
    }
}

#[derive(Debug)]
struct Handle {
    reader: Arc<Reader>,
    stream: u32,
    len: usize,
}

impl HasLen for Handle {
    fn len(&self) -> usize {
        self.len
    }
}

impl FileHandle for Handle {
    fn read_bytes(&self, range: Range<usize>) -> io::Result<OwnedBytes> {
        self.reader.read(self.stream, range)
    }
}
