//! Waiting for conditions, never for a time.

use std::time::{Duration, Instant};

/// Asks again and again, up to `patience`; returns how long it took.
pub async fn wait_for(what: &str, patience: Duration, mut holds: impl AsyncFnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < patience, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    start.elapsed()
}

/// Looks until there is something, and returns that.
pub async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let patience = Instant::now() + Duration::from_secs(60);
    let mut beat = tokio::time::interval(Duration::from_millis(50));
    loop {
        beat.tick().await;
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < patience, "waited in vain: {what}");
    }
}
