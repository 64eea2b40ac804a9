//! Alerts about single items of an inventory: opened and closed in the transaction that saves the inventory. Those of
//! items that are gone are closed by the clock, in `due_alerts`.

use super::alerts::RAISED;
use super::{Conn, DbError, IntegrationId};
use diesel::prelude::*;
use diesel::sql_types::{Array, SmallInt, Text, Uuid as SqlUuid};

/// An item that needs attention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    pub place: String,
    pub name: String,
    /// As people name it in one line.
    pub title: String,
    /// Why, without a secret.
    pub words: String,
}

/// Opens an alert about each of these items of an integration, unless it is open already.
pub fn raise(conn: &mut Conn, trigger: &str, integration: IntegrationId, due: &[Due]) -> Result<usize, DbError> {
    let column = |of: fn(&Due) -> &str| due.iter().map(of).collect::<Vec<_>>();
    Ok(diesel::sql_query(
        "WITH due AS (
            SELECT i.id, d.title, d.words FROM unnest($3, $4, $5, $6) AS d (place, name, title, words)
            JOIN items i ON i.integration_id = $2 AND i.place = d.place AND i.name = d.name),
         opened AS (
            INSERT INTO alerts (id, trigger, subject_kind, subject_id, subject_name, stage, words)
            SELECT gen_random_uuid(), $1, 'item', id, title, $7, words FROM due
            ON CONFLICT (trigger, subject_id) WHERE closed_at IS NULL DO NOTHING RETURNING id, subject_id)
         INSERT INTO notices (id, alert_id, number, event, words)
         SELECT gen_random_uuid(), o.id, 1, 'raised', due.words FROM opened o JOIN due ON due.id = o.subject_id",
    )
    .bind::<Text, _>(trigger)
    .bind::<SqlUuid, _>(integration)
    .bind::<Array<Text>, _>(column(|due| &due.place))
    .bind::<Array<Text>, _>(column(|due| &due.name))
    .bind::<Array<Text>, _>(column(|due| &due.title))
    .bind::<Array<Text>, _>(column(|due| &due.words))
    .bind::<SmallInt, _>(RAISED)
    .execute(conn)?)
}

/// Closes the open alerts about other items of the integration, but for those that the last scan could not read. `why`
/// ends a sentence.
pub fn close_others(
    conn: &mut Conn,
    trigger: &str,
    integration: IntegrationId,
    due: &[Due],
    why: &str,
) -> Result<usize, DbError> {
    let column = |of: fn(&Due) -> &str| due.iter().map(of).collect::<Vec<_>>();
    Ok(diesel::sql_query(
        "WITH closed AS (
            UPDATE alerts a SET closed_at = clock_timestamp(), closed_why = $5, notices = least(notices, 999999) + 1
            FROM items i
            WHERE a.trigger = $1 AND a.closed_at IS NULL AND a.subject_kind = 'item' AND i.id = a.subject_id
                AND i.integration_id = $2 AND NOT i.kept
                AND (i.place, i.name) NOT IN (SELECT * FROM unnest($3, $4))
            RETURNING a.id, a.notices)
         INSERT INTO notices (id, alert_id, number, event, words)
         SELECT gen_random_uuid(), id, notices, 'closed', $5 FROM closed
         ON CONFLICT DO NOTHING",
    )
    .bind::<Text, _>(trigger)
    .bind::<SqlUuid, _>(integration)
    .bind::<Array<Text>, _>(column(|due| &due.place))
    .bind::<Array<Text>, _>(column(|due| &due.name))
    .bind::<Text, _>(why)
    .execute(conn)?)
}
