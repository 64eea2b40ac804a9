//! Which entries of secret stores the items of Secret Syncs pass on. The rows keep a store from being deleted; what a sync
//! writes is decided by its signed settings.

use diesel::prelude::*;
use diesel::sql_types::{Text, Uuid as SqlUuid};

use super::schema::sync_entries;
use super::{Conn, DbError, IntegrationId};

/// Replaces the rows of a sync: item, store and entry each. Call in the transaction that saves its settings.
pub fn set(conn: &mut Conn, sync: IntegrationId, entries: &[(&str, IntegrationId, &str)]) -> Result<(), DbError> {
    diesel::delete(sync_entries::table.filter(sync_entries::integration_id.eq(sync))).execute(conn)?;
    let row = |(item, store, entry): &(&str, IntegrationId, &str)| {
        (
            sync_entries::integration_id.eq(sync),
            sync_entries::item.eq((*item).to_owned()),
            sync_entries::store_id.eq(*store),
            sync_entries::entry.eq((*entry).to_owned()),
        )
    };
    let rows: Vec<_> = entries.iter().map(row).collect();
    diesel::insert_into(sync_entries::table).values(rows).execute(conn)?;
    Ok(())
}

/// A sync that passes on an entry.
#[derive(QueryableByName)]
pub struct PassedOn {
    #[diesel(sql_type = Text)]
    pub entry: String,
    /// Of the sync.
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = SqlUuid)]
    pub sync: IntegrationId,
}

/// The syncs that pass on an entry of the store, by entry.
pub fn of_store(conn: &mut Conn, store: IntegrationId) -> Result<Vec<PassedOn>, DbError> {
    let query = diesel::sql_query(
        "SELECT e.entry, i.name, i.id AS sync FROM sync_entries e JOIN integrations i ON i.id = e.integration_id
         WHERE e.store_id = $1 ORDER BY e.entry, i.name_key",
    );
    Ok(query.bind::<SqlUuid, _>(store).load(conn)?)
}
