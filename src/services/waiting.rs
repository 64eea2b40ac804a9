//! Bounds of requests that wait for a change: how many there are, and how many of them ask the database at once, so that
//! a change which wakes all of them leaves the pages their connections.

use tokio::sync::{Semaphore, SemaphorePermit};

/// Most requests that wait in this process.
const MOST: usize = 10_000;
/// So many of them ask the database at once.
const AT_ONCE: usize = 4;

/// Requests that wait.
pub struct Waiting {
    places: Semaphore,
    looks: Semaphore,
}

impl Default for Waiting {
    fn default() -> Self {
        Self { places: Semaphore::new(MOST), looks: Semaphore::new(AT_ONCE) }
    }
}

impl Waiting {
    /// A place to wait at, until it is dropped; `None`: there are too many already.
    pub fn place(&self) -> Option<SemaphorePermit<'_>> {
        self.places.try_acquire().ok()
    }

    /// The turn to ask the database, until it is dropped.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.looks.acquire().await.ok()
    }
}
