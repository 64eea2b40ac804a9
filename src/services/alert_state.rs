//! What pages show of alerts and of the store at every visit. A job keeps it up to date, so that no visit asks the
//! database, and nobody silences it there.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::models::DbError;
use crate::models::alert_settings::AlertSettings;
use crate::models::cloud_keys::Count;
use crate::models::store_health::{Findings, Verified};

const UNREADABLE: &str = "The rows on which the store rests cannot be read: one holds a value that Strongroom never \
                          writes. The command “strongroom verify” names it.";

/// As of a few seconds ago.
#[derive(Default)]
pub struct AlertState {
    open: AtomicI64,
    settings: RwLock<Arc<AlertSettings>>,
    verified: RwLock<Option<Verified>>,
    /// What the last look at the store found, in sentences.
    tampered: RwLock<Vec<String>>,
    /// Whether an alert about it could not be saved.
    silenced: AtomicBool,
    /// Since when this process has seen that the verification is late.
    late_since: RwLock<Option<Instant>>,
}

impl AlertState {
    /// Alerts that are open, as of a few seconds ago: see [`State::Open`](crate::models::alert_list::State).
    /// More than `alert_list::MOST_COUNTED` stand for more than that.
    pub fn open(&self) -> i64 {
        self.open.load(Ordering::Relaxed)
    }

    /// As they were counted for a page: its sidebar then says the same.
    pub fn set_open(&self, open: Count) {
        self.open.store(open.number + i64::from(open.more), Ordering::Relaxed);
    }

    /// When the store was last verified, as of a few seconds ago.
    pub fn verified(&self) -> Option<Verified> {
        *self.verified.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long this process has seen that the verification is late.
    pub fn late_for(&self) -> Duration {
        let since = *self.late_since.read().unwrap_or_else(PoisonError::into_inner);
        since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// What this process itself has seen to be wrong with the store, in sentences, whatever alerts the database has.
    pub fn troubles(&self) -> Vec<String> {
        let mut sentences = self.tampered.read().unwrap_or_else(PoisonError::into_inner).clone();
        if self.silenced.load(Ordering::Relaxed) {
            sentences.push("An alert about the store could not be saved in the database.".to_owned());
        }
        sentences
    }

    /// What a look at the store found. A database that is away for a moment says nothing of the store.
    pub fn set_found(&self, examined: &Result<Findings, DbError>) {
        let sentences = match examined {
            Ok(found) => {
                self.set_verified(found.verified);
                found.sentences()
            }
            Err(DbError::Unavailable | DbError::TryAgain) => return,
            Err(_) => vec![UNREADABLE.to_owned()],
        };
        *self.tampered.write().unwrap_or_else(PoisonError::into_inner) = sentences;
    }

    /// Whether what was found could be said by alerts.
    pub fn set_silenced(&self, saved: &Result<(), DbError>) {
        if !matches!(saved, Err(DbError::Unavailable | DbError::TryAgain | DbError::OutcomeUnknown)) {
            self.silenced.store(saved.is_err(), Ordering::Relaxed);
        }
    }

    fn set_verified(&self, verified: Verified) {
        let mut since = self.late_since.write().unwrap_or_else(PoisonError::into_inner);
        *since = if verified.is_late() { since.or_else(|| Some(Instant::now())) } else { None };
        *self.verified.write().unwrap_or_else(PoisonError::into_inner) = Some(verified);
    }

    pub fn settings(&self) -> Arc<AlertSettings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn set(&self, settings: AlertSettings, open: Count) {
        self.set_open(open);
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }
}
