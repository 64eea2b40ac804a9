//! The latest versions of rows that this process has followed in the audit trail, kept in its own memory: events that
//! are hidden or rolled back in the database afterwards do not make an older row good again.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use uuid::Uuid;

/// Rows that were never changed cannot be put back, so only versions above 1 are kept: some 50 bytes a row.
#[derive(Debug, Default)]
pub struct Versions(RwLock<HashMap<Uuid, i64>>);

impl Versions {
    pub fn note(&self, versions: impl IntoIterator<Item = (Uuid, i64)>) {
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (subject, version) in versions.into_iter().filter(|(_, version)| *version > 1) {
            kept.entry(subject).and_modify(|kept| *kept = version.max(*kept)).or_insert(version);
        }
    }

    /// 0 for a row that was never changed, or that this process does not know.
    pub fn latest(&self, subject: Uuid) -> i64 {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&subject).copied().unwrap_or_default()
    }
}
