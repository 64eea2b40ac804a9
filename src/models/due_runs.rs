//! How a replica claims the next run of the queue.

use diesel::prelude::*;
use diesel::sql_types::Uuid as SqlUuid;

use super::readable::Readable;
use super::runs::{LEASE, Run, RunAction, RunState};
use super::schema::runs;
use super::{Conn, DbError, ReplicaId, RunId};

/// Claims the oldest run of these actions that is waiting or whose lease has expired. End a [`Run::worn_out`] one.
pub fn claim(conn: &mut Conn, replica: ReplicaId, actions: &[RunAction]) -> Result<Option<Run>, DbError> {
    while let Some(taken) = take(conn, replica, actions)? {
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
    id: RunId,
    #[diesel(embed)]
    run: Readable<Run>,
}

/// A run whose row holds what Strongroom never writes ends, so that the queue goes on.
fn give_up_unreadable(conn: &mut Conn, id: RunId) -> Result<(), DbError> {
    tracing::error!(run = %id, "the row of a run holds a value that Strongroom never writes; the run is given up");
    let words = "The record of this run was changed in the database, outside Strongroom, and cannot be read.";
    diesel::update(runs::table.find(id))
        .set((
            runs::state.eq(RunState::Failed),
            runs::ended_at.eq(super::now()),
            runs::failed_step.eq("Reading the queue"),
            runs::error.eq(words),
        ))
        .execute(conn)?;
    Ok(())
}

fn take(conn: &mut Conn, replica: ReplicaId, actions: &[RunAction]) -> Result<Option<Taken>, DbError> {
    Ok(diesel::sql_query(format!(
        "UPDATE runs SET {}, started_at = coalesce(started_at, now())
         WHERE id = (SELECT id FROM runs WHERE not_before <= now() AND action = ANY ($2)
             AND (state = 'queued' OR ({}))
             ORDER BY queued_at LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING *",
        LEASE.claimed(),
        LEASE.has_ended()
    ))
    .bind::<SqlUuid, _>(replica)
    .bind::<diesel::sql_types::Array<diesel::sql_types::Text>, _>(actions)
    .get_result(conn)
    .optional()?)
}
