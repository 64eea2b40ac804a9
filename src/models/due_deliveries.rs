//! What is due of the outbox, and how a replica claims it. What becomes of it is in `deliveries`.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Uuid as SqlUuid};

use super::deliveries::{Delivery, DeliveryState, LEASE};
use super::events::clock_timestamp;
use super::readable::Readable;
use super::schema::deliveries;
use super::{Conn, DbError, DeliveryId, IntegrationId, ReplicaId};
use crate::vault::Vault;

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    id: IntegrationId,
}

/// Whether the time of a row has come. One further away than any pause of Strongroom's was not set by it, and is not
/// waited for.
fn is_due(row: &str) -> String {
    format!("({row}.not_before <= now() OR {row}.not_before > now() + interval '2 hours')")
}

/// Channels that are on and have something due, the longest waiting first.
pub fn due(conn: &mut Conn, vault: &Vault) -> Result<Vec<IntegrationId>, DbError> {
    let waiting = super::channels::paused(conn, vault)?.waiting;
    let found: Vec<Id> = diesel::sql_query(format!(
        "SELECT i.id FROM integrations i
         CROSS JOIN LATERAL (SELECT not_before FROM deliveries d
            WHERE d.integration_id = i.id AND d.state = 'ready' AND {} ORDER BY not_before LIMIT 1) d
         WHERE i.active AND i.family = 'alert_profile' AND i.id <> ALL($1)
         ORDER BY d.not_before",
        is_due("d")
    ))
    .bind::<Array<SqlUuid>, _>(waiting)
    .load(conn)?;
    Ok(found.into_iter().map(|row| row.id).collect())
}

/// Takes what is due for a channel, the oldest first. With `ordered`, not before what was said earlier about the same
/// alert has been delivered.
pub fn claim(
    conn: &mut Conn,
    integration: IntegrationId,
    replica: ReplicaId,
    limit: i64,
    ordered: bool,
) -> Result<Claimed, DbError> {
    let found: Vec<Taken> = diesel::sql_query(format!(
        "UPDATE deliveries d SET {}
         FROM (SELECT id FROM deliveries w
            WHERE integration_id = $2 AND state = 'ready' AND {}
                AND (NOT $4 OR NOT EXISTS (
                    SELECT 1 FROM delivery_lines l JOIN notices n ON n.id = l.notice_id
                    JOIN notices m ON m.alert_id = n.alert_id AND m.number < n.number
                    JOIN delivery_lines k ON k.notice_id = m.id JOIN deliveries e ON e.id = k.delivery_id
                    WHERE l.delivery_id = w.id AND e.integration_id = $2 AND e.state IN ('ready', 'sending')))
            ORDER BY created_at, part LIMIT $3 FOR UPDATE SKIP LOCKED) AS due
         WHERE d.id = due.id RETURNING d.*",
        LEASE.claimed(),
        is_due("w")
    ))
    .bind::<SqlUuid, _>(replica)
    .bind::<SqlUuid, _>(integration)
    .bind::<BigInt, _>(limit)
    .bind::<Bool, _>(ordered)
    .load(conn)?;
    let unreadable: Vec<DeliveryId> =
        found.iter().filter(|taken| taken.part.0.is_none()).map(|taken| taken.id).collect();
    let mut parts: Vec<Part> = found.into_iter().filter_map(|taken| taken.part.0).collect();
    // Diesel orders nothing that an UPDATE returns.
    parts.sort_by_key(|row| (row.delivery.created_at, row.part));
    let deliveries = parts.into_iter().map(|row| row.delivery).collect();
    Ok(Claimed { deliveries, unreadable: park_unreadable(conn, &unreadable)? })
}

/// What was taken out of the outbox.
#[derive(Debug, Default)]
pub struct Claimed {
    pub deliveries: Vec<Delivery>,
    /// How many rows hold what Strongroom never writes: parked, so that the others get through.
    pub unreadable: usize,
}

pub const UNREADABLE: &str =
    "The record of a message was changed in the database, outside Strongroom, and cannot be read. It is not sent.";

fn park_unreadable(conn: &mut Conn, ids: &[DeliveryId]) -> Result<usize, DbError> {
    if ids.is_empty() {
        return Ok(0);
    }
    Ok(diesel::update(deliveries::table.filter(deliveries::id.eq_any(ids)))
        .set((
            deliveries::state.eq(DeliveryState::Parked),
            deliveries::ended_at.eq(clock_timestamp().nullable()),
            deliveries::error.eq(UNREADABLE),
        ))
        .execute(conn)?)
}

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = SqlUuid)]
    id: DeliveryId,
    #[diesel(embed)]
    part: Readable<Part>,
}

#[derive(QueryableByName)]
struct Part {
    #[diesel(sql_type = Integer)]
    part: i32,
    #[diesel(embed)]
    delivery: Delivery,
}
