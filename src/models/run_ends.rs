//! How a run ends: its outcome and what it could not read, written to its row. The queue is in [`super::runs`].

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::runs::{READ, Run, RunState, mine};
use super::schema::runs;
use super::{Conn, DbError, IntegrationId, ReplicaId};

/// Gaps of a run that are stored with their names; the others are counted.
pub const NAMED_GAPS: usize = 1_000;

/// What a run could not read, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// `team/app`, `team/app:1.0`; empty for the registry as a whole.
    pub at: String,
    /// A sentence for people.
    pub reason: String,
}

/// How many items a run found, how many of them were different, and how many stay from before.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub found: i32,
    pub added: i32,
    pub changed: i32,
    pub removed: i32,
    pub kept: i32,
    pub gaps: i32,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// With an inventory; *partly* where there are gaps.
    Read {
        counts: Counts,
        /// The first [`NAMED_GAPS`] of them.
        named: Vec<Gap>,
        /// A sentence about the gaps; `None` without any.
        error: Option<String>,
    },
    /// The step's name and a sentence for people.
    Failed {
        step: String,
        error: String,
    },
    Stopped,
}

/// Ends a run; `false` when it is no longer this replica's, and nothing was changed.
pub fn end(conn: &mut Conn, run: &Run, replica: ReplicaId, outcome: &Outcome) -> Result<bool, DbError> {
    let ended = runs::ended_at.eq(super::now());
    let count = match outcome {
        Outcome::Read { counts, named, error } => diesel::update(mine(run.id, replica))
            .set((
                ended,
                runs::state.eq(if counts.gaps > 0 { RunState::Partly } else { RunState::Succeeded }),
                runs::found.eq(counts.found),
                runs::kept.eq(counts.kept),
                runs::added.eq(counts.added),
                runs::changed.eq(counts.changed),
                runs::removed.eq(counts.removed),
                runs::gaps.eq(counts.gaps),
                runs::named_gaps.eq(serde_json::to_value(named).unwrap_or_default()),
                runs::error.eq(error),
            ))
            .execute(conn)?,
        Outcome::Failed { step, error } => diesel::update(mine(run.id, replica))
            .set((ended, runs::state.eq(RunState::Failed), runs::failed_step.eq(step), runs::error.eq(error)))
            .execute(conn)?,
        Outcome::Stopped => {
            diesel::update(mine(run.id, replica)).set((ended, runs::state.eq(RunState::Stopped))).execute(conn)?
        }
    };
    Ok(count == 1)
}

/// What the newest run that left an inventory could not read: how many parts, those that are named, and a sentence.
pub fn last_gaps(conn: &mut Conn, integration: IntegrationId) -> Result<(i32, Vec<Gap>, Option<String>), DbError> {
    let read = runs::integration_id.eq(integration).and(runs::state.eq_any(READ));
    let newest = runs::table.filter(read).order(runs::queued_at.desc());
    let found: Option<(i32, serde_json::Value, Option<String>)> =
        newest.select((runs::gaps, runs::named_gaps, runs::error)).first(conn).optional()?;
    let Some((count, named, error)) = found else { return Ok((0, Vec::new(), None)) };
    Ok((count, serde_json::from_value(named).unwrap_or_default(), error))
}

/// The named gaps of the newest run that left an inventory, in the order of their places.
pub fn gaps_of_inventory(conn: &mut Conn, integration: IntegrationId) -> Result<Vec<Gap>, DbError> {
    Ok(last_gaps(conn, integration)?.1)
}
