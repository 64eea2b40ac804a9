//! What refers to a secret store: rules of clients and items of syncs that pass on one of its entries. A store that
//! something refers to is not deleted.

use super::{Conn, DbError, IntegrationId, sync_entries};

/// A rule or an item that passes on an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Using {
    /// As the store's page lists it.
    pub entry: String,
    /// What passes it on, as people name it: `rule db of billing`.
    pub title: String,
    /// Its page.
    pub href: String,
}

/// Everything that refers to a store, by entry.
pub fn using(conn: &mut Conn, store: IntegrationId) -> Result<Vec<Using>, DbError> {
    sync_entries::using(conn, store)
}
