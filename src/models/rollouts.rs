//! Rollouts: upgrades of many deployments to one image, a few at a time, in order of their names. The deployments and
//! the image are signed; the progress of each step is not. `runs::rollouts` carries out the steps.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text, Uuid as SqlUuid};
use uuid::Uuid;

use super::events::{self, Action, Actor, NewEvent};
use super::schema::{rollout_steps, rollouts};
use super::text_enum::text_enum;
use super::times::{MaybeTime, Time};
use super::trust::{self, Parts, Seen, Signed, signed_columns};
use super::{Conn, DbError, IntegrationId, RolloutId, RunId};
use crate::vault::Vault;

/// Most deployments that are upgraded at the same time.
pub const MOST_AT_ONCE: i32 = 50;

text_enum! {
    /// The state of a rollout.
    pub enum RolloutState {
        Running => "running",
        /// All deployments are upgraded.
        Finished => "finished",
        /// One deployment failed, so no further one was started.
        Failed => "failed",
        /// Somebody pressed *Stop*.
        Stopped => "stopped",
    }
}

text_enum! {
    /// The progress of one deployment.
    pub enum StepState {
        Waiting => "waiting",
        Deploying => "deploying",
        Done => "done",
        Failed => "failed",
    }
}

#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
pub struct Rollout {
    pub id: RolloutId,
    pub image: String,
    pub at_once: i32,
    pub integrations: Vec<IntegrationId>,
    pub requested_by: String,
    pub state: RolloutState,
    #[diesel(deserialize_as = Time)]
    pub begun_at: DateTime<Utc>,
    #[diesel(deserialize_as = MaybeTime)]
    pub ended_at: Option<DateTime<Utc>>,
    pub row_mac: Vec<u8>,
}

impl Signed for Rollout {
    const TABLE: &'static str = "rollouts";

    fn subject(&self) -> Uuid {
        self.id.0
    }

    signed_columns!(unversioned);

    fn parts(&self) -> Parts {
        let parts = Parts::default().id(Some(self.id)).text(&self.image).text(&self.at_once.to_string());
        let parts = parts.text(&self.requested_by).time(self.begun_at);
        self.integrations.iter().fold(parts, |parts, id| parts.id(Some(*id)))
    }
}

/// One deployment of a rollout, with the name of its integration.
#[derive(Clone, Debug, QueryableByName)]
pub struct Step {
    #[diesel(sql_type = Integer)]
    pub position: i32,
    #[diesel(sql_type = SqlUuid)]
    pub integration_id: IntegrationId,
    #[diesel(sql_type = diesel::sql_types::Nullable<SqlUuid>)]
    pub run_id: Option<RunId>,
    #[diesel(sql_type = Text)]
    pub state: StepState,
    #[diesel(sql_type = Text)]
    pub detail: String,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub host: String,
}

/// Stores a new rollout. The rollouts job then starts its first steps.
pub fn begin(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    (image, at_once): (&str, i32),
    integrations: &[IntegrationId],
) -> Result<RolloutId, DbError> {
    let id = RolloutId::fresh();
    let row = trust::sign(
        vault,
        Rollout {
            id,
            image: image.to_owned(),
            at_once,
            integrations: integrations.to_vec(),
            requested_by: actor.name.clone(),
            state: RolloutState::Running,
            begun_at: super::clock(conn)?,
            ended_at: None,
            row_mac: Vec::new(),
        },
    );
    diesel::insert_into(rollouts::table).values((*row).clone()).execute(conn)?;
    let steps = integrations.iter().enumerate().map(|(at, integration)| {
        (
            rollout_steps::rollout_id.eq(id),
            rollout_steps::position.eq(i32::try_from(at).unwrap_or(i32::MAX)),
            rollout_steps::integration_id.eq(*integration),
            rollout_steps::state.eq(StepState::Waiting),
            rollout_steps::detail.eq(""),
        )
    });
    diesel::insert_into(rollout_steps::table).values(steps.collect::<Vec<_>>()).execute(conn)?;
    let detail = format!("{} deployments, {at_once} at once", integrations.len());
    record(conn, vault, actor, Action::RolloutBegun, (id, image), detail)?;
    Ok(id)
}

fn record(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    action: Action,
    (id, image): (RolloutId, &str),
    detail: String,
) -> Result<(), DbError> {
    let event = NewEvent { action, subject_kind: "rollout", subject_id: Some(id.0), subject_name: image, detail };
    events::record(conn, vault, actor, &event)
}

pub fn find(conn: &mut Conn, vault: &Vault, id: RolloutId) -> Result<Seen<Rollout>, DbError> {
    let row: Rollout = rollouts::table.find(id).select(Rollout::as_select()).first(conn)?;
    Ok(Seen::new(vault, (row, None), |row: &Rollout| row.id == id))
}

/// The running rollouts, locked until the transaction ends. Those that another replica has locked are skipped.
pub fn lock_running(conn: &mut Conn, vault: &Vault) -> Result<Vec<(RolloutId, Seen<Rollout>)>, DbError> {
    let deploys = rollout_steps::table
        .filter(rollout_steps::rollout_id.eq(rollouts::id).and(rollout_steps::state.eq(StepState::Deploying)));
    let open = rollouts::state.eq(RolloutState::Running).or(diesel::dsl::exists(deploys));
    let running = rollouts::table.filter(open).order(rollouts::begun_at);
    let rows: Vec<Rollout> = running.select(Rollout::as_select()).for_update().skip_locked().load(conn)?;
    Ok(rows.into_iter().map(|row| (row.id, Seen::new(vault, (row, None), |_| true))).collect())
}

/// Deletes rollouts that ended more than `days` days ago.
pub fn purge(conn: &mut Conn, days: i32) -> Result<usize, DbError> {
    let old = diesel::sql_query("DELETE FROM rollouts WHERE ended_at < now() - make_interval(days => $1)");
    Ok(old.bind::<Integer, _>(days).execute(conn)?)
}

/// The next rows by id, for the walk through all of them.
pub fn page(conn: &mut Conn, vault: &Vault, after: Uuid, limit: i64) -> Result<Vec<Seen<Rollout>>, DbError> {
    let rows = rollouts::table.filter(rollouts::id.gt(after)).order(rollouts::id).limit(limit);
    let rows: Vec<Rollout> = rows.select(Rollout::as_select()).load(conn)?;
    Ok(rows.into_iter().map(|row| Seen::new(vault, (row, None), |_| true)).collect())
}

/// The steps in order. A deleted integration has no step.
pub fn steps(conn: &mut Conn, id: RolloutId) -> Result<Vec<Step>, DbError> {
    Ok(diesel::sql_query(
        "SELECT s.position, s.integration_id, s.run_id, s.state, s.detail, i.name, coalesce(u.host, '') AS host
         FROM rollout_steps s JOIN integrations i ON i.id = s.integration_id
         LEFT JOIN usages u ON u.integration_id = i.id AND u.role = 'main'
         WHERE s.rollout_id = $1 ORDER BY s.position",
    )
    .bind::<SqlUuid, _>(id)
    .load(conn)?)
}

/// Saves the progress of a step.
pub fn set_step(
    conn: &mut Conn,
    id: RolloutId,
    position: i32,
    (state, run, detail): (StepState, Option<RunId>, &str),
) -> Result<(), DbError> {
    diesel::update(rollout_steps::table.find((id, position)))
        .set((rollout_steps::state.eq(state), rollout_steps::run_id.eq(run), rollout_steps::detail.eq(detail)))
        .execute(conn)?;
    Ok(())
}

/// Ends a rollout; `false` if it has already ended.
pub fn end(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    (id, image): (RolloutId, &str),
    state: RolloutState,
) -> Result<bool, DbError> {
    let running = rollouts::table.find(id).filter(rollouts::state.eq(RolloutState::Running));
    let ended =
        diesel::update(running).set((rollouts::state.eq(state), rollouts::ended_at.eq(super::now()))).execute(conn)?;
    if ended == 1 {
        let action = match state {
            RolloutState::Stopped => Action::RolloutStopped,
            RolloutState::Failed => Action::RolloutFailed,
            RolloutState::Finished | RolloutState::Running => Action::RolloutFinished,
        };
        record(conn, vault, actor, action, (id, image), String::new())?;
    }
    Ok(ended == 1)
}

/// A rollout in a list, with the number of upgraded deployments.
#[derive(Clone, Debug, QueryableByName)]
pub struct Listed {
    #[diesel(sql_type = SqlUuid)]
    pub id: RolloutId,
    #[diesel(sql_type = Text)]
    pub image: String,
    #[diesel(sql_type = Text)]
    pub state: RolloutState,
    #[diesel(sql_type = BigInt)]
    pub done: i64,
    #[diesel(sql_type = BigInt)]
    pub all: i64,
}

/// The running rollouts, and those that started within the last day; newest first.
pub fn recent(conn: &mut Conn, limit: i64) -> Result<Vec<Listed>, DbError> {
    Ok(diesel::sql_query(
        "SELECT r.id, r.image, r.state, s.done, s.all FROM rollouts r CROSS JOIN LATERAL (
             SELECT count(*) FILTER (WHERE state = 'done') AS done, count(*) AS all FROM rollout_steps
             WHERE rollout_id = r.id) s
         WHERE r.state = 'running' OR r.begun_at > now() - interval '1 day' ORDER BY r.begun_at DESC LIMIT $1",
    )
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}
