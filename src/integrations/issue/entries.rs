//! What was read of secret stores, in memory for as long as a rule allows. However many rules name one entry, it is read
//! once within that time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::integrations::stores::Entry;
use crate::providers::Failure;

/// An entry that could not be read is not asked for again for so long.
const PAUSE: TimeDelta = TimeDelta::seconds(10);

/// An entry, as a store reads it with the settings of this version.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub store: Uuid,
    pub store_version: i64,
    /// The credential of the store and the version of its secret.
    pub credential: Option<(Uuid, i32)>,
    pub entry: String,
}

/// How old what is given may be.
#[derive(Clone, Copy, Debug)]
pub struct Age {
    /// When it is asked for. All times are the database's.
    pub now: DateTime<Utc>,
    pub kept_for: Duration,
    /// What was asked for before this moment is too old, however short ago.
    pub not_before: DateTime<Utc>,
}

impl Age {
    fn allows(&self, held: &Held) -> bool {
        let kept = if held.outcome.is_ok() { TimeDelta::from_std(self.kept_for).unwrap_or_default() } else { PAUSE };
        held.asked_at >= self.not_before && held.asked_at >= self.now - kept
    }
}

/// What a store gave, and when it was asked.
#[derive(Clone)]
pub struct Read {
    pub entry: Arc<Entry>,
    pub asked_at: DateTime<Utc>,
}

struct Held {
    outcome: Result<Read, Failure>,
    asked_at: DateTime<Utc>,
    until: Instant,
}

/// Locked while the store is asked.
type Slot = Arc<tokio::sync::Mutex<Option<Held>>>;

/// Entries by key.
#[derive(Default)]
pub struct Entries(Mutex<HashMap<Key, Slot>>);

impl Entries {
    /// The entry, if it was read not too long ago, else what `read` says. However many ask at once, one reads.
    pub async fn get<F>(&self, key: Key, age: Age, read: impl FnOnce() -> F) -> Result<Read, Failure>
    where
        F: Future<Output = Result<Entry, Failure>>,
    {
        let slot = self.slot(key);
        let mut held = slot.lock().await;
        if let Some(held) = held.as_mut().filter(|held| age.allows(held)) {
            return held.outcome.clone();
        }
        *held = None;
        // From before it is asked, so that the time that the answer takes is not added.
        let asked = Instant::now();
        let outcome = read().await.map(|entry| Read { entry: Arc::new(entry), asked_at: age.now });
        let kept = if outcome.is_ok() { age.kept_for } else { PAUSE.to_std().unwrap_or_default() };
        if !kept.is_zero() {
            *held = Some(Held { outcome: outcome.clone(), asked_at: age.now, until: asked + kept });
        }
        outcome
    }

    /// Drops what is too old for every rule, so that no value stays longer than a rule allows.
    pub fn drop_old(&self) {
        self.slots().retain(|_, slot| match slot.try_lock() {
            Ok(held) => held.as_ref().is_some_and(|held| Instant::now() < held.until),
            Err(_) => true,
        });
    }

    fn slot(&self, key: Key) -> Slot {
        self.slots().entry(key).or_default().clone()
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<Key, Slot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::form::Values;
    use crate::providers::{ProviderError, finding};

    fn key(entry: usize) -> Key {
        Key { store: Uuid::nil(), store_version: 1, credential: None, entry: format!("team/{entry}") }
    }

    fn age(now: DateTime<Utc>, seconds: u64) -> Age {
        Age { now, kept_for: Duration::from_secs(seconds), not_before: DateTime::UNIX_EPOCH }
    }

    #[derive(Default)]
    struct Store {
        entries: Entries,
        reads: AtomicUsize,
    }

    impl Store {
        async fn read(&self, entry: usize, age: Age, fails: bool) -> Result<Read, Failure> {
            let read = || async {
                self.reads.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                match fails {
                    true => Err(finding(&ProviderError::Forbidden, "the store").into()),
                    false => Ok(Entry { keys: Values::default(), version: "1".to_owned() }),
                }
            };
            self.entries.get(key(entry), age, read).await
        }

        fn reads(&self) -> usize {
            self.reads.load(Ordering::SeqCst)
        }
    }

    #[tokio::test]
    async fn a_thousand_rules_on_a_hundred_entries_make_a_hundred_reads() {
        for fails in [false, true] {
            let (store, now) = (Store::default(), DateTime::UNIX_EPOCH + TimeDelta::days(1));
            let all = (0..1_000).map(|rule| store.read(rule % 100, age(now, 60), fails));
            let answers = futures_util::future::join_all(all).await;
            assert!(answers.iter().all(|answer| answer.is_err() == fails));
            assert_eq!(store.reads(), 100);
        }
    }

    #[tokio::test]
    async fn what_is_older_than_a_rule_allows_is_read_again() {
        let (store, now) = (Store::default(), DateTime::UNIX_EPOCH + TimeDelta::days(1));
        store.read(0, age(now, 60), false).await.unwrap();
        store.read(0, age(now + TimeDelta::seconds(60), 60), false).await.unwrap();
        assert_eq!(store.reads(), 1);
        store.read(0, age(now + TimeDelta::seconds(60), 10), false).await.unwrap();
        assert_eq!(store.reads(), 2, "another rule wants it younger");
        let asked = Age { not_before: now + TimeDelta::seconds(61), ..age(now + TimeDelta::seconds(61), 60) };
        store.read(0, asked, false).await.unwrap();
        assert_eq!(store.reads(), 3, "somebody asked for it anew");
        store.read(0, age(now + TimeDelta::seconds(61), 0), false).await.unwrap();
        store.read(0, age(now + TimeDelta::seconds(62), 0), false).await.unwrap();
        store.entries.drop_old();
        assert!(store.entries.slots().is_empty(), "what may not be kept is not kept");
    }
}
