//! Where the key-encryption key comes from: a file, or a variable of the environment.

use std::path::{Path, PathBuf};

use ledger::Secret;
use ledger::io::{Io, Open, read_all, replace};

use crate::StartError;

/// Where the key-encryption key lies. Never the key itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// A file of 64 hex digits, mode 0600. Best on another volume than the data: whoever copies
    /// both has everything.
    File(PathBuf),
    /// 64 hex digits that the caller took out of the environment; the name is for messages.
    Given {
        /// Name of the variable.
        name: String,
        /// Its value.
        key: Secret,
    },
}

/// Loads the key. `create`: make the file if it is not there, because the data folder is new.
pub fn load_kek(io: &dyn Io, source: &KeySource, create: bool) -> Result<Secret, StartError> {
    let path = match source {
        KeySource::Given { key, .. } => return Ok(key.clone()),
        KeySource::File(path) => path,
    };
    match read_all(io, path, 4096) {
        Ok(bytes) => std::str::from_utf8(&bytes).ok().and_then(parse_key).ok_or_else(|| {
            StartError::new(format!("{} holds no key", path.display()), "expected 64 hex digits")
        }),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && create => create_key(io, path),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(StartError::new(
            format!("the key file {} is missing, and there are ledgers that need it", path.display()),
            "put it back, or name it with --key-file",
        )),
        Err(e) => Err(StartError::new(
            format!("couldn't read the key file {}: {e}", path.display()),
            "check who owns it and its mode",
        )),
    }
}

/// 32 bytes from 64 hex digits.
pub(crate) fn parse_key(text: &str) -> Option<Secret> {
    let text = text.trim().as_bytes();
    if text.len() != 64 {
        return None;
    }
    let mut key = [0; 32];
    for (byte, pair) in key.iter_mut().zip(text.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(Secret::new(key))
}

impl KeySource {
    /// A key given as text, for instance the value of a variable.
    pub fn given(name: &str, text: &str) -> Result<KeySource, StartError> {
        match parse_key(text) {
            Some(key) => Ok(KeySource::Given { name: name.to_owned(), key }),
            None => Err(StartError::new(format!("{name} holds no key"), "expected 64 hex digits")),
        }
    }
}

fn create_key(io: &dyn Io, path: &Path) -> Result<Secret, StartError> {
    let key = Secret::random(io);
    let text: String = key.bytes().iter().map(|b| format!("{b:02x}")).collect();
    let dir = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("kek");
    let put = || -> std::io::Result<()> {
        io.create_dir(dir)?;
        replace(io, dir, name, format!("{text}\n").as_bytes())?;
        io.open(path, Open::Read).map(drop)
    };
    put().map_err(|e| {
        StartError::new(format!("couldn't create the key file {}: {e}", path.display()), "check the folder")
    })?;
    Ok(key)
}
