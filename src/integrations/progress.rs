//! How far a call is, as the page of a run shows it. One [`Report`] a call keeps the progress and passes each change on.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::providers::patience::Wait;

/// How far a scan is; shown on the page while it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// The label of the [`Step`].
    pub step: Cow<'static, str>,
    /// Parts that were read, and how many there are: of a registry its repositories. While the inventory is saved: its
    /// items.
    pub done: u32,
    pub total: u32,
    pub items: u32,
    /// Parts that could not be read so far.
    pub gaps: u32,
    /// The scan waits until then, since the service limits requests.
    pub waits_until: Option<DateTime<Utc>>,
    /// The service asked for this pause; else Strongroom chose its length.
    pub waits_as_asked: bool,
}

/// Where a scan is, or where it failed. Each family has steps of its own beside these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// What people read while it goes on, and after it failed: `Listing tags`.
    pub label: &'static str,
    /// The same at the beginning of a sentence about one part of it: `Listing the tags`.
    pub doing: &'static str,
}

impl Step {
    pub const SIGNING_IN: Self = Self { label: "Signing in", doing: "Signing in" };
    /// The scan is over, and its inventory is written to the database.
    pub const SAVING: Self = Self { label: "Saving", doing: "Saving the inventory" };
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
        self.update(|progress| progress.step = step.label.into());
    }

    /// So many parts are to be read.
    pub fn parts(&self, step: Step, total: usize, gaps: usize) {
        self.update(|progress| {
            progress.step = step.label.into();
            (progress.total, progress.gaps) = (count(total), count(gaps));
        });
    }

    /// One more part was read; the items and gaps of all parts so far.
    pub fn part(&self, step: Step, items: usize, gaps: usize) {
        self.update(|progress| {
            progress.step = step.label.into();
            progress.done = progress.done.saturating_add(1);
            (progress.items, progress.gaps) = (count(items), count(gaps));
        });
    }

    /// Sets how many of all parts are done.
    pub fn reached(&self, step: Step, done: u32, total: u32) {
        self.update(|progress| {
            progress.step = step.label.into();
            (progress.done, progress.total) = (done, total);
        });
    }

    /// All tasks wait for the service; `None` when the wait is over.
    pub fn pause(&self, wait: Option<Wait>) {
        self.update(|progress| {
            progress.waits_until = wait.map(|wait| wait.until);
            progress.waits_as_asked = wait.is_some_and(|wait| wait.asked);
        });
    }

    fn update(&self, change: impl FnOnce(&mut Progress)) {
        let mut progress = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut progress);
        (self.receiver)(progress.clone());
    }
}

fn count(number: usize) -> u32 {
    number.try_into().unwrap_or(u32::MAX)
}
