//! How a replica claims the next run of the queue.

use diesel::prelude::*;
use diesel::sql_types::Uuid as SqlUuid;
use uuid::Uuid;

use super::readable::Readable;
use super::runs::{LEASE_SECONDS, Run, RunAction};
use super::schema::runs;
use super::{Conn, DbError};

/// Claims the oldest run that waits or whose lease has ended. One that is [`Run::worn_out`] is only to be ended.
pub fn claim(conn: &mut Conn, replica: Uuid) -> Result<Option<Run>, DbError> {
    while let Some(taken) = take(conn, replica)? {
        match taken.run.0 {
            Some(run) => return Ok(Some(run)),
            None => give_up_unreadable(conn, taken.id)?,
        }
    }
    Ok(None)
}

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(embed)]
    run: Readable<Run>,
}

/// A run whose row holds what Strongroom never writes ends, so that the queue goes on.
fn give_up_unreadable(conn: &mut Conn, id: Uuid) -> Result<(), DbError> {
    tracing::error!(run = %id, "the row of a run holds a value that Strongroom never writes; the run is given up");
    let words = "The record of this run was changed in the database, outside Strongroom, and cannot be read.";
    diesel::update(runs::table.find(id))
        .set((
            runs::state.eq("failed"),
            runs::ended_at.eq(super::now()),
            runs::failed_step.eq("Reading the queue"),
            runs::error.eq(words),
        ))
        .execute(conn)?;
    Ok(())
}

fn take(conn: &mut Conn, replica: Uuid) -> Result<Option<Taken>, DbError> {
    Ok(diesel::sql_query(
        "UPDATE runs SET state = 'running', replica_id = $1, attempts = least(attempts, 999999) + 1,
             started_at = coalesce(started_at, now()), lease_until = now() + make_interval(secs => $2)
         WHERE id = (SELECT id FROM runs WHERE not_before <= now() AND action = ANY ($3)
             AND (state = 'queued' OR (state = 'running' AND lease_until < now()))
             ORDER BY queued_at LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING *",
    )
    .bind::<SqlUuid, _>(replica)
    .bind::<diesel::sql_types::Double, _>(f64::from(LEASE_SECONDS))
    .bind::<diesel::sql_types::Array<diesel::sql_types::Text>, _>(RunAction::ALL)
    .get_result(conn)
    .optional()?)
}
