//! Looking after the ledgers: the open ones often, the others in turn.

use std::collections::{HashMap, VecDeque};

use ledger::Error;

use crate::organisations::Indelible;

/// A ledger that nobody uses is opened this often, to sign what a crash left unsigned, to say that
/// it is quiet, and to change its seal key.
const VISIT_MS: u64 = 24 * 3600 * 1000;

/// Whose turn it is.
#[derive(Default)]
pub(crate) struct Rota {
    waiting: VecDeque<String>,
    visited: HashMap<String, u64>,
}

impl Indelible {
    /// One round. To be called about four times a second; it takes as long as signing and sealing do.
    pub fn tend(&self) {
        let now_ms = self.io.monotonic_ms();
        for (organisation, ledger) in self.open_now() {
            match ledger.tend() {
                Ok(done) => {
                    if done.sealed > 0 || done.epoch_ended.is_some() {
                        tracing::info!(organisation, ?done, "tended");
                    }
                }
                Err(Error::Closed(_)) => self.forget(&organisation),
                Err(e) => tracing::error!(organisation, error = %e, "couldn't tend the ledger"),
            }
            self.rota.lock().expect("no panic while the rota is held").visited.insert(organisation, now_ms);
        }
        if let Some(organisation) = self.next_visit(now_ms)
            // Opening recovers and signs; the next round tends it, until others need its place.
            && let Err(e) = self.ledger(&organisation)
        {
            tracing::error!(organisation, error = %e, "the ledger can't be opened");
        }
    }

    fn next_visit(&self, now_ms: u64) -> Option<String> {
        let mut rota = self.rota.lock().expect("no panic while the rota is held");
        if rota.waiting.is_empty() {
            rota.waiting = self.organisations().into();
        }
        let name = rota.waiting.pop_front()?;
        let due = rota.visited.get(&name).is_none_or(|at| now_ms.saturating_sub(*at) >= VISIT_MS);
        if due {
            rota.visited.insert(name.clone(), now_ms);
        }
        due.then_some(name)
    }
}
