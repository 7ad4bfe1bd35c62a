//! How the product is: whether it can write, how large the ledgers are, how far their indexes are behind.

use access::{Permission, Reach, Viewer};
use ledger::Ledger;
use ledger::io::replace;

use crate::admin::home;
use crate::ask::AskError;
use crate::indexing::Lag;
use crate::organisations::{Indelible, check_organisation};

/// The disk is tried at most so often, however many ask.
const TRIED_MS: u64 = 5000;

impl Indelible {
    /// Whether the data folder can be written to, by writing to it.
    pub fn can_write(&self) -> bool {
        if self.read_only() {
            return false;
        }
        let now_ms = self.io.monotonic_ms();
        let mut tried = self.tried.lock().expect("no panic while the disk is tried");
        if let Some((at_ms, was_good)) = *tried
            && now_ms.saturating_sub(at_ms) < TRIED_MS
        {
            return was_good;
        }
        let views = self.settings.data.join("views");
        let done = replace(&*self.io, &views, "tried", &now_ms.to_le_bytes());
        if let Err(error) = &done {
            tracing::error!(%error, "the data folder can't be written to");
        }
        *tried = Some((now_ms, done.is_ok()));
        done.is_ok()
    }

    /// How one ledger and its index are, or all that are open now: thousands may be closed, and need nothing.
    pub fn stats(&self, viewer: &Viewer, reach: &Reach) -> Result<Vec<Lag>, AskError> {
        let organisation = home(reach);
        check_organisation(organisation).map_err(AskError::Wrong)?;
        self.permit(viewer, Permission::Health, organisation)?;
        match reach {
            Reach::All => Ok(self.lags()),
            Reach::One(name) => {
                let ledger = self.ledger(name)?;
                self.index_of(name, &ledger)?;
                Ok(vec![self.lag(name, &ledger)])
            }
        }
    }

    /// How the open ledgers are, by name.
    pub fn lags(&self) -> Vec<Lag> {
        let mut lags: Vec<Lag> =
            self.open_now().iter().map(|(organisation, ledger)| self.lag(organisation, ledger)).collect();
        lags.sort_by(|a, b| a.organisation.cmp(&b.organisation));
        lags
    }

    fn lag(&self, organisation: &str, ledger: &Ledger) -> Lag {
        let index = self.index_stats(organisation);
        // After the index, so that it is never ahead.
        let size = ledger.size();
        let organisation = organisation.to_owned();
        match index {
            Some(stats) => Lag { organisation, size, searchable: Some(stats.searchable), bytes: stats.bytes },
            None => {
                let is_scanned = size < self.settings.scan_below;
                Lag { organisation, size, searchable: is_scanned.then_some(size), bytes: 0 }
            }
        }
    }
}
