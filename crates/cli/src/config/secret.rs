//! The environment, and the secrets that settings refer to.

use std::collections::BTreeMap;
use std::path::Path;

use indelible::KeySource;
use zeroize::Zeroizing;

use crate::config::shape::Reference;
use crate::input;

/// Largest file of a secret: certificate chains are the largest.
const BYTES_MOST: u64 = 256 << 10;
/// A token given by the operator must be as hard to guess as one of ours.
const SHORTEST_TOKEN: usize = 32;

/// Variables by name; `None` is a value that is not UTF-8. It holds secrets, so it has no `Debug`.
pub(crate) struct Environment(BTreeMap<String, Option<String>>);

impl Environment {
    /// The process's.
    pub(crate) fn of_the_process() -> Environment {
        let named = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()))
        };
        Environment(std::env::vars_os().filter_map(named).collect())
    }

    /// One made up of these.
    #[cfg(test)]
    pub(crate) fn of(variables: &[(&str, &str)]) -> Environment {
        Environment(variables.iter().map(|(name, value)| ((*name).into(), Some((*value).into()))).collect())
    }

    /// Whether a variable is there at all.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Value of a variable.
    pub(crate) fn get(&self, name: &str) -> Result<&str, String> {
        match self.0.get(name) {
            Some(Some(value)) if value.is_empty() => Err(format!("the environment variable {name} is empty")),
            Some(Some(value)) => Ok(value),
            Some(None) => Err(format!("the environment variable {name} is not UTF-8")),
            None => Err(format!("the environment variable {name} is not set")),
        }
    }

    /// Names that begin so.
    pub(crate) fn names(&self, prefix: &str) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str).filter(move |name| name.starts_with(prefix))
    }

    /// The secret that is referred to, without the end of its last line. What is told if there is none never holds it.
    pub(crate) fn secret(&self, reference: &Reference) -> Result<Zeroizing<String>, String> {
        let path = match reference {
            Reference::Env(name) => return self.get(name).map(|text| Zeroizing::new(text.to_owned())),
            Reference::File(path) => path,
        };
        let bytes = Zeroizing::new(input::whole(path, BYTES_MOST).map_err(|e| format!("{e:#}"))?);
        let text = std::str::from_utf8(&bytes).map_err(|_| format!("{} is not UTF-8", path.display()))?;
        match text.trim_end_matches(['\r', '\n']) {
            "" => Err(format!("{} is empty", path.display())),
            text => Ok(Zeroizing::new(text.to_owned())),
        }
    }

    /// Where the key-encryption key lies. A file may not be there yet: the first start makes it.
    pub(crate) fn key_source(&self, reference: &Reference) -> Result<KeySource, String> {
        match reference {
            Reference::File(path) if !input::is_there(path) => Ok(KeySource::File(path.clone())),
            Reference::File(path) => {
                let text = self.secret(reference)?;
                KeySource::given(&reference.to_string(), &text).map_err(|e| e.to_string())?;
                Ok(KeySource::File(path.clone()))
            }
            Reference::Env(name) => {
                KeySource::given(&format!("env.{name}"), &self.secret(reference)?).map_err(|e| e.to_string())
            }
        }
    }

    /// The key of tags: at least 32 bytes.
    pub(crate) fn mac_key(&self, reference: &Reference) -> Result<proof::MacKey, String> {
        proof::MacKey::new(self.secret(reference)?.as_bytes()).map_err(|e| e.what().to_owned())
    }

    /// Certificate and key, if they belong together.
    pub(crate) fn tls(&self, certificate: &Path, key: &Reference) -> Result<api::Tls, String> {
        let certificate = input::whole(certificate, BYTES_MOST).map_err(|e| format!("{e:#}"))?;
        let key = self.secret(key).map_err(|what| format!("server.tls.key: {what}"))?;
        api::Tls::new(&certificate, key.as_bytes()).map_err(|e| e.to_string())
    }

    /// Certificate and key for syslog, and whose signature its senders need.
    pub(crate) fn syslog_tls(
        &self,
        certificate: &Path,
        key: &Reference,
        authorities: Option<&Path>,
    ) -> anyhow::Result<api::Tls> {
        let certificate = input::whole(certificate, BYTES_MOST)?;
        let key = self.secret(key).map_err(|what| anyhow::anyhow!("server.tls.key: {what}"))?;
        let authorities = authorities.map(|path| input::whole(path, BYTES_MOST)).transpose()?;
        api::Tls::for_syslog(&certificate, key.as_bytes(), authorities.as_deref())
            .map_err(|error| anyhow::anyhow!("syslog over TLS: {error}"))
    }

    /// The first administrator's token.
    pub(crate) fn token(&self, reference: &Reference) -> Result<Zeroizing<String>, String> {
        let token = self.secret(reference)?;
        match token.len() {
            len if len < SHORTEST_TOKEN => {
                Err(format!("the token has {len} characters; use at least {SHORTEST_TOKEN} random ones"))
            }
            _ => Ok(token),
        }
    }
}
