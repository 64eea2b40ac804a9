//! How far a call is, as the page of a run shows it. One [`Report`] a call keeps the progress and passes each change on.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::providers::patience::Wait;

/// How far a scan is; shown on the page while it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    pub step: Step,
    pub repositories_done: u32,
    pub repositories_total: u32,
    pub images: u32,
    /// How many of the images are in the database, while they are saved.
    #[serde(default)]
    pub saved: u32,
    /// Parts that could not be read so far.
    #[serde(default)]
    pub gaps: u32,
    /// The scan waits until then, since the registry limits requests.
    #[serde(default)]
    pub waits_until: Option<DateTime<Utc>>,
    /// The registry asked for this pause; else Strongroom chose its length.
    #[serde(default)]
    pub waits_as_asked: bool,
}

/// Where a scan is, or where it failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    #[default]
    SigningIn,
    ListingRepositories,
    ListingTags,
    ReadingManifests,
    /// The scan is over, and its inventory is written to the database.
    Saving,
}

impl Step {
    /// What people read while it goes on, and after it failed.
    pub fn label(self) -> &'static str {
        match self {
            Self::SigningIn => "Signing in",
            Self::ListingRepositories => "Listing repositories",
            Self::ListingTags => "Listing tags",
            Self::ReadingManifests => "Reading manifests",
            Self::Saving => "Saving",
        }
    }
}

/// Keeps the progress of one call and passes each change of it on. Cheap to clone; clones share the progress.
#[derive(Clone)]
pub struct Report {
    now: Arc<Mutex<Progress>>,
    receiver: Arc<dyn Fn(Progress) + Send + Sync>,
}

impl Report {
    /// Passes each change to `receiver`.
    pub fn to(receiver: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self { now: Arc::default(), receiver: Arc::new(receiver) }
    }

    /// For a call whose progress nobody follows.
    pub fn unread() -> Self {
        Self::to(drop)
    }

    pub fn step(&self, step: Step) {
        self.update(|progress| progress.step = step);
    }

    /// All tasks wait for the service; `None` when the wait is over.
    pub fn pause(&self, wait: Option<Wait>) {
        self.update(|progress| {
            progress.waits_until = wait.map(|wait| wait.until);
            progress.waits_as_asked = wait.is_some_and(|wait| wait.asked);
        });
    }

    pub fn update(&self, change: impl FnOnce(&mut Progress)) {
        let mut progress = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut progress);
        (self.receiver)(progress.clone());
    }
}
