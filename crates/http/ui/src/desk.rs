//! What every page shares: the product, and how much of the machine pages may have.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indelible::Indelible;
use tokio::sync::Semaphore;

use crate::check::Checks;
use crate::fault::Fault;

/// Pages that are made at once; more wait. Each may ask several questions.
const READERS: usize = 8;

/// Pages that show events as they come, at once.
const TAILS: usize = 64;

/// A second way in, beside keys.
pub struct SignOn {
    /// Who vouches.
    pub provider: oidc::Provider,
    /// What people call it.
    pub name: String,
}

/// What every page shares.
pub struct Desk {
    product: Arc<Indelible>,
    sign_on: Option<SignOn>,
    stopping: Arc<AtomicBool>,
    readers: Semaphore,
    tails: Arc<Semaphore>,
    checks: Arc<Checks>,
}

impl Desk {
    /// A desk over a product, to which people come with keys, and by `sign_on` if there is one. `stopping` is set by the
    /// server when it begins to stop.
    pub fn new(product: Arc<Indelible>, sign_on: Option<SignOn>, stopping: Arc<AtomicBool>) -> Arc<Desk> {
        Arc::new(Desk {
            product,
            sign_on,
            stopping,
            readers: Semaphore::new(READERS),
            tails: Arc::new(Semaphore::new(TAILS)),
            checks: Arc::default(),
        })
    }

    pub(crate) fn product(&self) -> &Arc<Indelible> {
        &self.product
    }

    pub(crate) fn sign_on(&self) -> Option<&SignOn> {
        self.sign_on.as_ref()
    }

    pub(crate) fn tails(&self) -> &Arc<Semaphore> {
        &self.tails
    }

    pub(crate) fn checks(&self) -> &Arc<Checks> {
        &self.checks
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Does what blocks, on a thread that may, when it is its turn.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Indelible) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let _turn = self.readers.acquire().await.expect("never closed");
        let product = self.product.clone();
        match tokio::task::spawn_blocking(move || work(&product)).await {
            Ok(done) => done,
            Err(error) => {
                tracing::error!(%error, "a page panicked");
                Err(Fault::broken())
            }
        }
    }
}
