//! How each channel is doing: refusals and misses in a row, and until when everything for it waits. A row appears with
//! the first failure. The messages themselves are in `deliveries`.

use chrono::{DateTime, Utc};
use diesel::dsl::Eq;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Uuid as SqlUuid};
use uuid::Uuid;

use super::schema::channels;
use super::{Conn, DbError};

/// How a channel is doing.
#[derive(Clone, Debug, Default, Queryable, Selectable)]
#[diesel(table_name = channels)]
pub struct Health {
    pub refusals: i32,
    pub misses: i32,
    /// Since when nothing has got through.
    pub failing_since: Option<DateTime<Utc>>,
    pub not_before: DateTime<Utc>,
}

/// Nothing was ever wrong with a channel that has no row.
pub fn health(conn: &mut Conn, integration: Uuid) -> Result<Health, DbError> {
    Ok(channels::table.find(integration).select(Health::as_select()).first(conn).optional()?.unwrap_or_default())
}

/// Counts a refusal by the peer; returns how many there were in a row.
pub fn count_refusal(conn: &mut Conn, channel: Uuid) -> Result<i32, DbError> {
    let again = (channels::refusals.eq(channels::refusals + 1), reached());
    Ok(diesel::insert_into(channels::table)
        .values((channels::integration_id.eq(channel), channels::refusals.eq(1)))
        .on_conflict(channels::integration_id)
        .do_update()
        .set(again)
        .returning(channels::refusals)
        .get_result(conn)?)
}

type Reached = (Eq<channels::misses, i32>, Eq<channels::failing_since, Option<DateTime<Utc>>>);

/// The peer took something, or said a last word about it.
pub(super) fn reached() -> Reached {
    (channels::misses.eq(0), channels::failing_since.eq(None))
}

/// The peer answers, whatever it said of this one message.
pub fn note_answer(conn: &mut Conn, channel: Uuid) -> Result<(), DbError> {
    diesel::update(channels::table.find(channel)).set(reached()).execute(conn)?;
    Ok(())
}

/// Counts that a message did not get through, and lets everything for the channel wait `seconds`, if any; returns how
/// often in a row.
pub fn count_miss(conn: &mut Conn, channel: Uuid, seconds: Option<i32>) -> Result<i32, DbError> {
    let row: InARow = diesel::sql_query(
        "INSERT INTO channels (integration_id, misses, failing_since, not_before)
         VALUES ($1, 1, now(), now() + make_interval(secs => $2))
         ON CONFLICT (integration_id) DO UPDATE SET misses = channels.misses + 1,
            not_before = greatest(channels.not_before, excluded.not_before),
            failing_since = coalesce(channels.failing_since, now())
         RETURNING misses",
    )
    .bind::<SqlUuid, _>(channel)
    .bind::<diesel::sql_types::Double, _>(f64::from(seconds.unwrap_or(0)))
    .get_result(conn)?;
    Ok(row.misses)
}

#[derive(QueryableByName)]
struct InARow {
    #[diesel(sql_type = Integer)]
    misses: i32,
}

/// Forgets what was wrong with a channel: it was switched on or changed, or a test arrived.
pub fn start_anew(conn: &mut Conn, channel: Uuid) -> Result<(), DbError> {
    diesel::sql_query(
        "UPDATE channels SET refusals = 0, misses = 0, failing_since = NULL, not_before = now() WHERE integration_id = $1",
    )
    .bind::<SqlUuid, _>(channel)
    .execute(conn)?;
    Ok(())
}
