//! Runs: the queue and the history in one table. A run is claimed under a lease that its replica keeps renewing; when
//! the replica dies the lease ends and another takes the run over.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

pub use super::due_runs::claim;
use super::lease::Lease;
use super::schema::{integrations, runs};
use super::text_enum::text_enum;
use super::times::{MaybeTime, Time};
use super::trust::{self, Doubt, Parts, Seen, Signed, signed_columns};
use super::{Conn, CredentialId, DbError, IntegrationId, ReplicaId, RunId};
use crate::vault::Vault;

/// The states of runs that left an inventory.
pub const READ: [RunState; 2] = [RunState::Succeeded, RunState::Partly];

/// A replica renews it every second.
pub(super) const LEASE: Lease =
    Lease { table: "runs", waiting: RunState::Queued.word(), working: RunState::Running.word(), seconds: 30 };
/// A run that took this many replicas down with it is not tried again.
const MOST_ATTEMPTS: i32 = 3;
/// An integration keeps this many runs whatever their age, and every run of this many days.
const KEEP_RUNS: i64 = 100;
const KEEP_DAYS: i32 = 90;
/// Runs and changes that one call of [`purge`] deletes at most.
const PURGE_RUNS: i64 = 100;
const PURGE_CHANGES: i64 = 10_000;

#[derive(Clone, Debug, Queryable, Selectable, Identifiable, QueryableByName)]
#[diesel(table_name = runs)]
pub struct Run {
    pub id: RunId,
    /// Its subject is an integration or a credential, never both.
    pub integration_id: Option<IntegrationId>,
    /// Scan: the places to read; `None` for all. Deployment: the user's answers to the preview and [`over`], as words.
    pub places: Option<Vec<String>>,
    pub credential_id: Option<CredentialId>,
    pub action: RunAction,
    pub state: RunState,
    pub cause: String,
    pub requested_by: String,
    #[diesel(deserialize_as = Time)]
    pub queued_at: DateTime<Utc>,
    #[diesel(deserialize_as = MaybeTime)]
    pub started_at: Option<DateTime<Utc>>,
    #[diesel(deserialize_as = MaybeTime)]
    pub ended_at: Option<DateTime<Utc>>,
    pub attempts: i32,
    pub stop_requested: bool,
    /// JSON of `integrations::progress::Progress`.
    pub progress: serde_json::Value,
    pub failed_step: Option<String>,
    pub error: Option<String>,
    /// Items.
    pub found: i32,
    pub added: i32,
    pub changed: i32,
    pub removed: i32,
    /// Parts that could not be read.
    pub gaps: i32,
    pub row_mac: Vec<u8>,
}

/// Covers what is to be done and for whom; what comes of it is not known yet when the run is queued.
impl Signed for Run {
    const TABLE: &'static str = "runs";

    fn subject(&self) -> Uuid {
        self.id.0
    }

    signed_columns!(unversioned);

    fn parts(&self) -> Parts {
        let parts = parts(self.id, self.integration_id, &self.cause, &self.requested_by);
        with_action(parts, self.credential_id, self.action, self.places.as_deref())
    }
}

/// Of a scan.
fn parts(id: RunId, integration: Option<IntegrationId>, cause: &str, by: &str) -> Parts {
    Parts::default().id(Some(id)).id(integration).text(cause).text(by)
}

/// What else than a scan of a whole integration is to be done comes last, so that the signatures of scans stay good.
fn with_action(parts: Parts, credential: Option<CredentialId>, action: RunAction, places: Option<&[String]>) -> Parts {
    match (credential, action, places) {
        (None, RunAction::Scan, None) => parts,
        (credential, action, places) => {
            let parts = parts.id(credential).text(action.word());
            places.into_iter().flatten().fold(parts, |parts, place| parts.text(place))
        }
    }
}

text_enum! {
    /// What a run does with its subject. A replica claims only what its release knows.
    pub enum RunAction {
        /// Reads an inventory.
        Scan => "scan",
        /// Reads some places of it.
        ScanPlaces => "scan_places",
        /// Applies the settings of a deployment to its cluster.
        Deploy => "deploy",
        /// Checks a deployment: status, nodes and drift.
        Observe => "observe",
        /// Removes a deployment from its cluster.
        Remove => "remove",
    }
}

text_enum! {
    /// Where a run stands.
    pub enum RunState {
        Queued => "queued",
        Running => "running",
        /// With an inventory and no gaps.
        Succeeded => "succeeded",
        /// With an inventory and gaps.
        Partly => "partly",
        Failed => "failed",
        Stopped => "stopped",
    }
}

impl RunAction {
    /// Actions that read an inventory.
    pub const SCANS: &[Self] = &[Self::Scan, Self::ScanPlaces];
    /// Actions of deployments. They mostly wait for a cluster.
    pub const DEPLOYMENTS: &[Self] = &[Self::Deploy, Self::Observe, Self::Remove];
}

/// A word for the version of the integration that the user saw, and the time of the request. It is signed with the run, so
/// that a run never deploys settings that nobody has seen, and an old run cannot be replayed.
pub fn over(row_version: i64, at: DateTime<Utc>) -> String {
    format!("{OVER}{row_version} {}", at.timestamp())
}

const OVER: &str = "over ";

impl Run {
    /// The user's answers to the preview, one word each.
    pub fn agreed(&self) -> impl Iterator<Item = &str> {
        self.places.iter().flatten().map(String::as_str).filter(|word| !word.starts_with(OVER))
    }

    /// The version and time that [`over`] wrote.
    pub fn asked_over(&self) -> Option<(i64, DateTime<Utc>)> {
        let word = self.places.iter().flatten().find_map(|word| word.strip_prefix(OVER))?;
        let (version, at) = word.split_once(' ')?;
        Some((version.parse().ok()?, DateTime::from_timestamp(at.parse().ok()?, 0)?))
    }

    pub fn unfinished(&self) -> bool {
        matches!(self.state, RunState::Queued | RunState::Running)
    }

    /// Whether it left an inventory.
    pub fn has_read(&self) -> bool {
        READ.contains(&self.state)
    }

    /// Whether it was tried so often that its replicas may have died of it.
    pub fn worn_out(&self) -> bool {
        self.attempts > MOST_ATTEMPTS
    }
}

/// Queues a scan; `None` when the integration has an unfinished run already.
pub fn queue(
    conn: &mut Conn,
    vault: &Vault,
    integration: IntegrationId,
    cause: &str,
    by: &str,
) -> Result<Option<RunId>, DbError> {
    queue_of(conn, vault, integration, None, (cause, by))
}

/// The same of some places alone; `None`: of all.
pub fn queue_of(
    conn: &mut Conn,
    vault: &Vault,
    integration: IntegrationId,
    places: Option<&[String]>,
    (cause, by): (&str, &str),
) -> Result<Option<RunId>, DbError> {
    let action = if places.is_some() { RunAction::ScanPlaces } else { RunAction::Scan };
    queue_action(conn, vault, (integration, action), places, (cause, by))
}

/// Queues a run of any action; for `places` see [`Run::places`].
pub fn queue_action(
    conn: &mut Conn,
    vault: &Vault,
    (integration, action): (IntegrationId, RunAction),
    places: Option<&[String]>,
    (cause, by): (&str, &str),
) -> Result<Option<RunId>, DbError> {
    let id = RunId::fresh();
    let parts = with_action(parts(id, Some(integration), cause, by), None, action, places);
    let row = (
        runs::row_mac.eq(trust::signature_of_parts::<Run>(vault, &parts)),
        runs::id.eq(id),
        runs::integration_id.eq(integration),
        runs::places.eq(places),
        runs::action.eq(action),
        runs::state.eq(RunState::Queued),
        runs::cause.eq(cause),
        runs::requested_by.eq(by),
    );
    let inserted = diesel::insert_into(runs::table).values(row).on_conflict_do_nothing().execute(conn)?;
    Ok((inserted == 1).then_some(id))
}

/// Whether the run is as it was queued: who asked for it is named in the audit trail.
pub fn judge(vault: &Vault, run: &Run) -> Option<Doubt> {
    Seen::new(vault, (run.clone(), None), |_| true).doubt()
}

/// Renews the lease and saves the progress. `None` when the run is no longer this replica's; else whether to stop.
pub fn heartbeat(
    conn: &mut Conn,
    id: RunId,
    replica: ReplicaId,
    progress: &serde_json::Value,
) -> Result<Option<bool>, DbError> {
    let lease = diesel::dsl::sql::<Nullable<Timestamptz>>(&LEASE.until());
    Ok(diesel::update(mine(id, replica))
        .set((runs::lease_until.eq(lease), runs::progress.eq(progress)))
        .returning(runs::stop_requested)
        .get_result(conn)
        .optional()?)
}

#[diesel::dsl::auto_type(no_type_alias)]
pub(super) fn mine(id: RunId, replica: ReplicaId) -> _ {
    let running: RunState = RunState::Running;
    let held = runs::replica_id.eq(replica).and(runs::state.eq(running));
    runs::table.find(id).filter(held)
}

/// Gives unfinished runs of a stopping replica back to the queue.
pub fn give_back(conn: &mut Conn, replica: ReplicaId) -> Result<usize, DbError> {
    LEASE.give_back(conn, replica, None)
}

/// Asks for a run to stop; one that has not started ends at once.
pub fn request_stop(conn: &mut Conn, integration: IntegrationId) -> Result<bool, DbError> {
    let unfinished = runs::table.filter(runs::integration_id.eq(integration));
    let queued = diesel::update(unfinished.filter(runs::state.eq(RunState::Queued)))
        .set((runs::state.eq(RunState::Stopped), runs::ended_at.eq(super::now())))
        .execute(conn)?;
    let running = diesel::update(unfinished.filter(runs::state.eq(RunState::Running)))
        .set(runs::stop_requested.eq(true))
        .execute(conn)?;
    Ok(queued + running > 0)
}

pub fn find(conn: &mut Conn, id: RunId) -> Result<Run, DbError> {
    Ok(runs::table.find(id).select(Run::as_select()).first(conn)?)
}

/// The last runs of an integration, newest first.
pub fn of(conn: &mut Conn, integration: IntegrationId, limit: i64) -> Result<Vec<Run>, DbError> {
    let newest = runs::table.filter(runs::integration_id.eq(integration)).order(runs::queued_at.desc());
    Ok(newest.limit(limit).select(Run::as_select()).load(conn)?)
}

/// A run with its integration's id, name, family and version.
#[derive(Clone, Debug, Queryable)]
pub struct Recent {
    pub run: Run,
    pub integration: IntegrationId,
    pub name: String,
    pub family: String,
    pub version: String,
}

/// The last runs of all integrations, for the dashboard.
pub fn recent(conn: &mut Conn, limit: i64) -> Result<Vec<Recent>, DbError> {
    Ok(runs::table
        .inner_join(integrations::table)
        .order(runs::queued_at.desc())
        .limit(limit)
        .select((Run::as_select(), integrations::id, integrations::name, integrations::family, integrations::version))
        .load(conn)?)
}

/// Whether the last `count` scans of the whole that ended by themselves all failed.
pub fn failed_in_a_row(conn: &mut Conn, integration: IntegrationId, count: i32) -> Result<bool, DbError> {
    let ended: Vec<RunState> = runs::table
        .filter(runs::integration_id.eq(integration).and(runs::action.ne(RunAction::ScanPlaces)))
        .filter(runs::state.eq_any([RunState::Succeeded, RunState::Partly, RunState::Failed]))
        .order(runs::queued_at.desc())
        .limit(count.into())
        .select(runs::state)
        .load(conn)?;
    Ok(ended.len() as i64 == i64::from(count) && ended.iter().all(|state| *state == RunState::Failed))
}

/// Notes which credential, in which version of its secret, the run works with.
pub fn set_credential(
    conn: &mut Conn,
    id: RunId,
    credential: CredentialId,
    secret_version: i32,
) -> Result<(), DbError> {
    diesel::update(runs::table.find(id))
        .set((runs::used_credential_id.eq(credential), runs::used_secret_version.eq(secret_version)))
        .execute(conn)?;
    Ok(())
}

/// Deletes some of the runs that are older than 90 days and not among the last 100 of their integration; first their
/// changes, then they themselves. Returns how many rows were deleted: call it again until there are none.
pub fn purge(conn: &mut Conn) -> Result<usize, DbError> {
    #[derive(QueryableByName)]
    struct Old {
        #[diesel(sql_type = SqlUuid)]
        id: RunId,
    }
    let old: Vec<Old> = diesel::sql_query(
        "SELECT r.id FROM integrations i
         CROSS JOIN LATERAL (SELECT queued_at FROM runs WHERE integration_id = i.id
             ORDER BY queued_at DESC OFFSET $1 LIMIT 1) last_kept
         JOIN runs r ON r.integration_id = i.id AND r.queued_at < last_kept.queued_at
         WHERE r.queued_at < now() - make_interval(days => $2) AND r.state NOT IN ('queued', 'running') LIMIT $3",
    )
    .bind::<BigInt, _>(KEEP_RUNS - 1)
    .bind::<diesel::sql_types::Integer, _>(KEEP_DAYS)
    .bind::<BigInt, _>(PURGE_RUNS)
    .load(conn)?;
    let old: Vec<RunId> = old.into_iter().map(|run| run.id).collect();
    let changes = diesel::sql_query(
        "DELETE FROM item_changes WHERE ctid = ANY (ARRAY(
             SELECT ctid FROM item_changes WHERE run_id = ANY ($1) LIMIT $2 FOR UPDATE SKIP LOCKED))",
    )
    .bind::<diesel::sql_types::Array<SqlUuid>, _>(&old)
    .bind::<BigInt, _>(PURGE_CHANGES)
    .execute(conn)?;
    if changes > 0 {
        return Ok(changes);
    }
    Ok(diesel::delete(runs::table.filter(runs::id.eq_any(old))).execute(conn)?)
}
