//! The consoles that run on this store, as they tell of themselves, and which master keys each holds.

use diesel::prelude::*;

use super::schema::replicas;
use super::{Conn, DbError, ReplicaId};

/// Replicas seen in the last 30 seconds that do not hold the key.
pub fn replicas_without(connection: &mut Conn, id: i32) -> Result<Vec<ReplicaId>, DbError> {
    let recent = diesel::dsl::sql::<diesel::sql_types::Bool>("last_seen_at > now() - interval '30 seconds'");
    let rows: Vec<(ReplicaId, Vec<i32>)> =
        replicas::table.filter(recent).select((replicas::id, replicas::kek_ids)).load(connection)?;
    Ok(rows.into_iter().filter(|(_, ids)| !ids.contains(&id)).map(|(replica, _)| replica).collect())
}

/// Tells the others that this replica lives and which keys it holds; forgets those that do not.
pub fn heartbeat(connection: &mut Conn, replica: ReplicaId, kek_ids: &[i32]) -> Result<(), DbError> {
    let row = (
        replicas::id.eq(replica),
        replicas::kek_ids.eq(kek_ids),
        replicas::version.eq(env!("CARGO_PKG_VERSION")),
        replicas::last_seen_at.eq(diesel::dsl::now),
    );
    diesel::insert_into(replicas::table)
        .values(row)
        .on_conflict(replicas::id)
        .do_update()
        .set(row)
        .execute(connection)?;
    let gone = diesel::dsl::sql::<diesel::sql_types::Bool>("last_seen_at < now() - interval '1 day'");
    diesel::delete(replicas::table.filter(gone)).execute(connection)?;
    Ok(())
}
