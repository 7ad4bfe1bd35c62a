//! The provider: what is known of it, and for how long.

use std::fmt;

use tokio::sync::{Mutex, MutexGuard};
use tracing::warn;

use crate::client::{Call, Client};
use crate::keys::Key;
use crate::metadata::Metadata;
use crate::place::Place;
use crate::settings::{Settings, Unfit};

/// How long its document and keys are believed without asking again.
const KEPT_MS: u64 = 3600 * 1000;
/// How soon its keys may be asked for again because one is not known.
const AGAIN_MS: u64 = 60 * 1000;
/// How long it is left alone when it did not answer: whoever waits behind is not made to wait as long again.
const ALONE_MS: u64 = 5 * 1000;

/// Why nobody is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The provider does not answer, or not as the standard says. It may do so later. For our own diagnostics.
    Unreachable(String),
    /// What came back is not believed. For our own diagnostics; it holds nothing secret.
    Refused(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Failure::Unreachable(why) | Failure::Refused(why)) = self;
        f.write_str(why)
    }
}

impl std::error::Error for Failure {}

/// A provider of identities.
#[derive(Debug)]
pub struct Provider {
    pub(crate) settings: Settings,
    pub(crate) client: Client,
    document: Place,
    known: Mutex<Known>,
}

/// What was fetched, and when, in milliseconds of the clock that is handed in.
#[derive(Debug, Default)]
struct Known {
    metadata: Option<(u64, Metadata)>,
    keys: Option<(u64, Vec<Key>)>,
    failed: Option<(u64, String)>,
}

impl Provider {
    /// Over settings that fit. Nothing is fetched yet: a provider that is down keeps nobody else out.
    pub fn new(settings: Settings) -> Result<Provider, Unfit> {
        let issuer = Place::parse(&settings.issuer).map_err(|why| Unfit::new("issuer", why))?;
        let public = Place::parse(&settings.public_url).map_err(|why| Unfit::new("public_url", why))?;
        if issuer.text.contains('?') {
            return Err(Unfit::new("issuer", "an issuer has no query"));
        }
        if public.path != "/" {
            return Err(Unfit::new("public_url", "the pages are at the root of a host; leave the path out"));
        }
        for (setting, text) in [
            ("client_id", &settings.client_id),
            ("user_claim", &settings.user_claim),
            ("groups_claim", &settings.groups_claim),
        ] {
            if text.is_empty() {
                return Err(Unfit::new(setting, "must not be empty"));
            }
        }
        let document = format!("{}/.well-known/openid-configuration", settings.issuer.trim_end_matches('/'));
        let document = Place::parse(&document).map_err(|why| Unfit::new("issuer", why))?;
        let client = Client::new(settings.authorities.as_deref(), issuer.is_encrypted)?;
        Ok(Provider { settings, client, document, known: Mutex::default() })
    }

    /// Who vouches.
    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    pub(crate) async fn metadata(&self, now_ms: u64) -> Result<Metadata, Failure> {
        let mut known = self.known.lock().await;
        if let Some((at, metadata)) = &known.metadata
            && is_within(*at, now_ms, KEPT_MS)
        {
            return Ok(metadata.clone());
        }
        let read = |body: &[u8]| Metadata::read(body, &self.settings.issuer);
        let metadata = self.fetch(&mut known, &self.document, now_ms, read).await?;
        known.metadata = Some((now_ms, metadata.clone()));
        Ok(metadata)
    }

    /// The provider's keys, if `fits` says that they will do; otherwise fetched again, unless that was just done.
    pub(crate) async fn keys(
        &self,
        place: &Place,
        now_ms: u64,
        fits: impl Fn(&[Key]) -> bool,
    ) -> Result<Vec<Key>, Failure> {
        let mut known = self.known.lock().await;
        if let Some((at, keys)) = &known.keys
            && (is_within(*at, now_ms, AGAIN_MS) || (is_within(*at, now_ms, KEPT_MS) && fits(keys)))
        {
            return Ok(keys.clone());
        }
        let keys = self.fetch(&mut known, place, now_ms, Key::read_set).await?;
        known.keys = Some((now_ms, keys.clone()));
        Ok(keys)
    }

    async fn fetch<T>(
        &self,
        known: &mut MutexGuard<'_, Known>,
        place: &Place,
        now_ms: u64,
        read: impl FnOnce(&[u8]) -> Result<T, String>,
    ) -> Result<T, Failure> {
        if let Some((at, why)) = &known.failed
            && is_within(*at, now_ms, ALONE_MS)
        {
            return Err(Failure::Unreachable(why.clone()));
        }
        let fetched = match self.client.send(Call { place, form: None, authorization: None }).await {
            Ok(answer) if answer.status.is_success() => read(&answer.body),
            Ok(answer) => Err(format!("{} answered {}", place.text, answer.status.as_u16())),
            Err(why) => Err(why),
        };
        known.failed = fetched.as_ref().err().map(|why| (now_ms, why.clone()));
        fetched.map_err(|why| {
            warn!(issuer = self.settings.issuer, why, "the identity provider could not be asked");
            Failure::Unreachable(why)
        })
    }
}

/// A clock that was set back makes everything old.
fn is_within(at_ms: u64, now_ms: u64, length_ms: u64) -> bool {
    now_ms.checked_sub(at_ms).is_some_and(|age| age < length_ms)
}
