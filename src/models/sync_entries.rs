//! Which entries of secret stores the items of Secret Syncs pass on. The rows keep a store from being deleted; what a sync
//! writes is decided by its signed settings.

use diesel::prelude::*;
use diesel::sql_types::{Text, Uuid as SqlUuid};

use super::schema::sync_entries;
use super::stores::Using;
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

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    entry: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = SqlUuid)]
    sync: IntegrationId,
}

/// The syncs that pass on an entry of the store, by entry.
pub fn using(conn: &mut Conn, store: IntegrationId) -> Result<Vec<Using>, DbError> {
    let query = diesel::sql_query(
        "SELECT e.entry, i.name, i.id AS sync FROM sync_entries e JOIN integrations i ON i.id = e.integration_id
         WHERE e.store_id = $1 ORDER BY e.entry, i.name_key",
    );
    let rows: Vec<Row> = query.bind::<SqlUuid, _>(store).load(conn)?;
    let using = |Row { entry, name, sync }| Using {
        entry,
        title: format!("Secret Sync {name}"),
        href: format!("/integrations/{sync}"),
    };
    Ok(rows.into_iter().map(using).collect())
}
