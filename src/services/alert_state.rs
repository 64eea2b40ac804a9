//! What pages show of alerts at every visit. A job keeps it up to date, so that no visit asks the database.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::models::alert_settings::AlertSettings;
use crate::models::store_health::Verified;

/// As of a few seconds ago.
#[derive(Default)]
pub struct AlertState {
    open: AtomicI64,
    settings: RwLock<Arc<AlertSettings>>,
    verified: RwLock<Option<Verified>>,
    /// Since when this process has seen that the verification is late.
    late_since: RwLock<Option<Instant>>,
}

impl AlertState {
    /// Raised alerts that are not closed, as of a few seconds ago.
    pub fn open(&self) -> i64 {
        self.open.load(Ordering::Relaxed)
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

    pub fn set_verified(&self, verified: Verified) {
        let mut since = self.late_since.write().unwrap_or_else(PoisonError::into_inner);
        *since = if verified.is_late() { since.or_else(|| Some(Instant::now())) } else { None };
        *self.verified.write().unwrap_or_else(PoisonError::into_inner) = Some(verified);
    }

    pub fn settings(&self) -> Arc<AlertSettings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn set(&self, settings: AlertSettings, open: i64) {
        self.open.store(open, Ordering::Relaxed);
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }
}
