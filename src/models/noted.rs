//! When this thread began to read the database, and what its transaction has written into the audit trail. The process
//! remembers what was written once it is committed ([`crate::trail`]), before anybody else can take it back.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Instant;

use uuid::Uuid;

use crate::trail::{End, Trail};

/// One event of a transaction that is not committed yet.
pub(super) struct Written {
    pub trail: Arc<Trail>,
    pub lane: i16,
    pub end: End,
    /// The row that was changed, and its version.
    pub version: Option<(Uuid, i64)>,
}

thread_local! {
    static WRITTEN: RefCell<Vec<Written>> = const { RefCell::new(Vec::new()) };
    static BEGAN: Cell<Option<Instant>> = const { Cell::new(None) };
}

pub(super) fn add(event: Written) {
    WRITTEN.with_borrow_mut(|written| written.push(event));
}

/// A row of this version was read, whole and current: none that is read later may be older. A transaction that has
/// written may read what it takes back, so only its commit counts.
pub(super) fn saw(trail: &Trail, subject: Uuid, version: i64) {
    if WRITTEN.with_borrow(Vec::is_empty) {
        trail.note_versions([(subject, version)]);
    }
}

/// After a commit that the server has confirmed. One whose outcome is not known is read in the trail, if it is there.
pub(super) fn keep() {
    for event in WRITTEN.take() {
        event.trail.note_end(event.lane, event.end);
        event.trail.note_versions(event.version);
    }
}

/// Before a transaction, and after one that was not committed.
pub(super) fn forget() {
    drop(WRITTEN.take());
}

/// When what is being read began to be read: rows must be as new as what was known then. A statement that began before
/// a change would else take its own row for one that was put back.
pub(super) fn began() -> Instant {
    BEGAN.get().unwrap_or_else(Instant::now)
}

/// While it lives, this thread reads as of the moment at which it was made.
pub(super) struct Reading(Option<Instant>);

impl Reading {
    pub fn begin() -> Self {
        Self(BEGAN.replace(Some(Instant::now())))
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        BEGAN.set(self.0);
    }
}
