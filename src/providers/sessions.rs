//! Sessions kept in memory until shortly before they end, so that many integrations on one credential make one call.
//! The cache is general: what a session is, and how one is got, is the provider's business; only AWS keeps its own, in
//! `aws/sessions.rs`. Never stored, never logged.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

/// A session is not used in its last five minutes, so that what begins with it can end.
pub const MARGIN: Duration = Duration::from_secs(5 * 60);
/// Beyond this many, those that have run out are dropped before another comes in.
const MANY: usize = 256;

/// What a provider's session depends on. Another version of the secret is another key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub credential: Uuid,
    pub secret_version: i32,
    /// What it is good for: an OAuth scope or a resource; empty where a provider knows neither.
    pub scope: String,
}

/// Sessions by key. One call at a time gets a session for a key; whoever waits for it shares its outcome, good or bad.
pub struct Cache<K, S, E>(Mutex<HashMap<K, Arc<Slot<S, E>>>>);

struct Slot<S, E> {
    /// Calls that have come to an end.
    ended: AtomicU64,
    last: tokio::sync::Mutex<Option<Result<Kept<S>, E>>>,
}

struct Kept<S> {
    session: S,
    until: Option<Instant>,
}

impl<S> Kept<S> {
    fn is_fresh(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() < until)
    }
}

impl<K, S, E> Default for Cache<K, S, E> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash + Clone, S: Clone, E: Clone> Cache<K, S, E> {
    /// The session of that key, from `open` if none is kept. `open` also says how long the session lives.
    pub async fn get<F>(&self, key: K, open: impl FnOnce() -> F) -> Result<S, E>
    where
        F: Future<Output = Result<(S, Duration), E>>,
    {
        let slot = self.slot(key);
        let before = slot.ended.load(Ordering::SeqCst);
        let mut last = slot.last.lock().await;
        // Someone else's call ended while this one waited for the lock: its outcome is as good as one's own.
        let shared = slot.ended.load(Ordering::SeqCst) > before;
        match &*last {
            Some(Ok(kept)) if shared || kept.is_fresh() => return Ok(kept.session.clone()),
            Some(Err(error)) if shared => return Err(error.clone()),
            _ => {}
        }
        let outcome = open().await.map(|(session, lifetime)| {
            let until = lifetime.checked_sub(MARGIN).and_then(|life| Instant::now().checked_add(life));
            Kept { session, until }
        });
        let answer = outcome.as_ref().map(|kept| kept.session.clone()).map_err(E::clone);
        *last = Some(outcome);
        slot.ended.fetch_add(1, Ordering::SeqCst);
        answer
    }

    /// Drops the sessions that are not wanted any more: of a credential that was edited or deleted. A call that is
    /// under way still serves those who wait for it, and is not kept.
    pub fn retain(&self, wanted: impl Fn(&K) -> bool) {
        self.slots().retain(|key, _| wanted(key));
    }

    fn slot(&self, key: K) -> Arc<Slot<S, E>> {
        let mut slots = self.slots();
        if slots.len() >= MANY && !slots.contains_key(&key) {
            // A locked slot has a call under way.
            slots.retain(|_, slot| {
                slot.last.try_lock().map_or(true, |last| matches!(&*last, Some(Ok(kept)) if kept.is_fresh()))
            });
        }
        let fresh = || Arc::new(Slot { ended: AtomicU64::new(0), last: tokio::sync::Mutex::new(None) });
        Arc::clone(slots.entry(key).or_insert_with(fresh))
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<K, Arc<Slot<S, E>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
