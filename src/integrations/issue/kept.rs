//! What was issued and is kept in memory: one for each rule, version of its secret and settings, for half of its life.
//! So a program always gets something with half of its life before it, however many ask, and the provider is asked
//! rarely. A stored value is not kept here.

use std::time::Duration;

use uuid::Uuid;

use super::form::Issued;
use crate::providers::Failure;
use crate::providers::sessions::{Cache, MARGIN};

/// What is issued depends on. `rule_version` changes with every edit of the rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub credential: Uuid,
    pub secret_version: i32,
    pub rule: Uuid,
    pub rule_version: i64,
}

/// Whatever was issued and is still good.
#[derive(Default)]
pub struct Kept(Cache<Key, Issued, Failure>);

impl Kept {
    /// What is kept under that key, else what `issue` gets. However many ask at once, one call is made.
    pub async fn get<F>(&self, key: Key, issue: impl FnOnce() -> F) -> Result<Issued, Failure>
    where
        F: Future<Output = Result<Issued, Failure>>,
    {
        self.0.retain(|other| other.rule != key.rule || *other == key);
        let call = issue();
        let issued = || async {
            let issued = call.await?;
            let half = issued.left().unwrap_or_default() / 2;
            // The cache takes its margin off.
            Ok((issued, half + MARGIN))
        };
        self.0.get(key, issued).await
    }
}

impl Issued {
    /// How long it is still good; `None` for a stored value.
    pub fn left(&self) -> Option<Duration> {
        self.expires_at.map(crate::providers::calls::left)
    }
}
