//! Verifying a ledger while people look: it goes on in a thread of its own, and pages say how far it is.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use access::Viewer;
use indelible::{Checked, Indelible};

use crate::fault::sentence;

/// Ledgers whose last check is remembered.
const REMEMBERED: usize = 200;

/// What is being verified, and what was.
#[derive(Default)]
pub(crate) struct Checks(Mutex<HashMap<String, Arc<Check>>>);

/// One check.
pub(crate) struct Check {
    /// When it began, milliseconds since 1970.
    pub(crate) began_ms: u64,
    done: AtomicU64,
    total: AtomicU64,
    outcome: Mutex<Option<Outcome>>,
}

/// What came of a check.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// When it ended, milliseconds since 1970.
    pub(crate) ended_ms: u64,
    /// What was found; or why it could not be done, as a sentence.
    pub(crate) checked: Result<Checked, String>,
}

/// Why a check is not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Busy {
    /// This ledger is being verified.
    Here,
    /// Another one is.
    Elsewhere,
    /// It has just been done: checking takes half of the time at most.
    Lately,
}

impl Check {
    /// Leaves that are done, and how many there are.
    pub(crate) fn progress(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }

    /// What came of it; nothing while it goes on.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        self.outcome.lock().expect("no panic while it is held").clone()
    }

    fn end(&self, outcome: Outcome) {
        self.outcome.lock().expect("no panic while it is held").get_or_insert(outcome);
    }
}

impl Checks {
    fn held(&self) -> MutexGuard<'_, HashMap<String, Arc<Check>>> {
        self.0.lock().expect("no panic while it is held")
    }

    /// The last check of an organisation's ledger since the server started.
    pub(crate) fn last(&self, organisation: &str) -> Option<Arc<Check>> {
        self.held().get(organisation).cloned()
    }

    /// Takes the place of the one check there may be at a time.
    fn reserve(&self, organisation: &str, now_ms: u64) -> Result<Arc<Check>, Busy> {
        let mut held = self.held();
        for (other, check) in held.iter() {
            match check.outcome() {
                None if other == organisation => return Err(Busy::Here),
                None => return Err(Busy::Elsewhere),
                Some(Outcome { ended_ms, .. }) => {
                    let took_ms = ended_ms.saturating_sub(check.began_ms);
                    if other == organisation && now_ms < ended_ms.saturating_add(took_ms) {
                        return Err(Busy::Lately);
                    }
                }
            }
        }
        if held.len() >= REMEMBERED && !held.contains_key(organisation) {
            let oldest = held.iter().min_by_key(|(_, check)| check.began_ms).map(|(name, _)| name.clone());
            oldest.map(|name| held.remove(&name));
        }
        let check = Arc::new(Check {
            began_ms: now_ms,
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
            outcome: Mutex::default(),
        });
        held.insert(organisation.to_owned(), check.clone());
        Ok(check)
    }

    /// Begins to verify an organisation's ledger, for somebody who may.
    pub(crate) fn begin(
        &self,
        product: &Arc<Indelible>,
        viewer: Arc<Viewer>,
        organisation: &str,
    ) -> Result<(), Busy> {
        let check = self.reserve(organisation, product.now_ms())?;
        let ending = Ending { check: check.clone(), product: product.clone() };
        let (product, organisation) = (product.clone(), organisation.to_owned());
        // Not one of the runtime's threads, whose end a stopping server waits for.
        let thread = std::thread::Builder::new().name("verify".to_owned()).spawn(move || {
            let mut progress = |done, total| {
                check.done.store(done, Ordering::Relaxed);
                check.total.store(total, Ordering::Relaxed);
            };
            let checked = product.verify_now(&viewer, &organisation, &mut progress);
            let checked = checked.map_err(|error| sentence(&error.to_string()));
            ending.check.end(Outcome { ended_ms: product.now_ms(), checked });
        });
        if let Err(error) = thread {
            tracing::error!(%error, "no thread for a verification");
        }
        Ok(())
    }
}

/// Says that a check is over, also if it broke off.
struct Ending {
    check: Arc<Check>,
    product: Arc<Indelible>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        let checked = Err("It broke off; the server’s own log says why.".to_owned());
        self.check.end(Outcome { ended_ms: self.product.now_ms(), checked });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_verified_at_a_time_and_not_all_the_time() {
        let checks = Checks::default();
        let first = checks.reserve("acme", 1000).unwrap();
        assert_eq!(checks.reserve("acme", 1001).err(), Some(Busy::Here));
        assert_eq!(checks.reserve("globex", 1001).err(), Some(Busy::Elsewhere));
        first.end(Outcome { ended_ms: 3000, checked: Err("x".into()) });
        first.end(Outcome { ended_ms: 9000, checked: Err("y".into()) });
        assert_eq!(first.outcome().unwrap().ended_ms, 3000, "the first end counts");
        assert_eq!(checks.reserve("acme", 4999).err(), Some(Busy::Lately));
        checks.reserve("globex", 4000).unwrap().end(Outcome { ended_ms: 4000, checked: Err("z".into()) });
        checks.reserve("acme", 5000).unwrap();
    }

    #[test]
    fn few_are_remembered() {
        let checks = Checks::default();
        for n in 0..2 * REMEMBERED as u64 {
            let check = checks.reserve(&n.to_string(), n).unwrap();
            check.end(Outcome { ended_ms: n, checked: Err(String::new()) });
        }
        assert_eq!(checks.held().len(), REMEMBERED);
        assert!(checks.last("0").is_none() && checks.last(&(2 * REMEMBERED - 1).to_string()).is_some());
    }
}
