//! What refers to a secret store: rules of clients and items of syncs that pass on one of its entries. A store that
//! something refers to is not deleted.

use super::sync_entries::{self, PassedOn};
use super::{Conn, DbError, IntegrationId};

/// Stands for the foreign keys of what refers to a store.
pub const IN_USE: &str = "store_in_use";

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
    let of_sync = |one: PassedOn| Using {
        entry: one.entry,
        title: format!("Secret Sync {}", one.name),
        href: format!("/integrations/{}", one.sync),
    };
    Ok(sync_entries::of_store(conn, store)?.into_iter().map(of_sync).collect())
}
