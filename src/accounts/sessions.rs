//! Sessions read a moment ago, so that turning a page costs no query. Behind a pooler, where nobody hears of changes, each
//! session is looked up once a second.

use std::time::Duration;

use super::memory::{Believed, Memory};
use super::visitor::Visitor;
use crate::models::announcements::Topic;

/// By the hash of a session's token.
pub type Cache = Memory<Visitor>;

const BELIEVED: Believed = Believed { heard: Duration::from_secs(5), unheard: Duration::from_secs(1) };

impl Memory<Visitor> {
    pub fn of_sessions(direct_url: Option<String>) -> Self {
        Self::new(Topic::Sessions, direct_url, &BELIEVED)
    }
}
