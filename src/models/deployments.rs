//! Deployments, one row per integration: the settings that were deployed, the ones before them, and the result of the
//! last check of the cluster. The settings are signed, because *Undo* deploys them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Timestamptz, Uuid as SqlUuid};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::runs::{self, RunAction};
use super::schema::deployments;
use super::times::MaybeTime;
use super::trust::{self, Parts, Seen, Signed, signed_columns};
use super::{Conn, CredentialId, DbError, IntegrationId};
use crate::vault::Vault;

/// Most runs that one turn of the job queues.
const AT_ONCE: i64 = 100;

#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable, AsChangeset)]
#[diesel(table_name = deployments, primary_key(integration_id), treat_none_as_null = true)]
pub struct Deployed {
    pub integration_id: IntegrationId,
    /// Canonical JSON of the settings deployed last; blank before the first deployment.
    pub applied: String,
    /// The settings deployed before those, in the same form.
    pub before: String,
    /// By role, the credential that was written into the cluster and the version of its secret: `id:3`.
    pub handed_on: Value,
    /// JSON of `integrations::deployments::State`.
    pub state: Value,
    pub cluster_version: String,
    pub image: String,
    pub desired: i32,
    pub ready: i32,
    /// All pods that should run are ready and have the latest settings.
    pub finished: bool,
    pub drifted: bool,
    /// It was removed from the cluster.
    pub removed: bool,
    #[diesel(deserialize_as = MaybeTime)]
    pub seen_at: Option<DateTime<Utc>>,
    #[diesel(deserialize_as = MaybeTime)]
    pub deployed_at: Option<DateTime<Utc>>,
    #[diesel(deserialize_as = MaybeTime)]
    pub next_look_at: Option<DateTime<Utc>>,
    pub row_mac: Vec<u8>,
}

impl Signed for Deployed {
    const TABLE: &'static str = "deployments";

    fn subject(&self) -> Uuid {
        self.integration_id.0
    }

    signed_columns!(unversioned);

    fn parts(&self) -> Parts {
        Parts::default().id(Some(self.integration_id)).text(&self.applied).text(&self.before)
    }
}

/// The result of a check of the cluster.
#[derive(Clone, Debug, Default)]
pub struct Look {
    pub state: Value,
    pub cluster_version: String,
    pub image: String,
    pub desired: i32,
    pub ready: i32,
    pub finished: bool,
    pub drifted: bool,
    pub removed: bool,
}

/// `None` if nothing was ever deployed.
pub fn find(conn: &mut Conn, vault: &Vault, id: IntegrationId) -> Result<Option<Seen<Deployed>>, DbError> {
    let found = deployments::table.find(id).select(Deployed::as_select()).first(conn).optional()?;
    Ok(found.map(|row: Deployed| Seen::new(vault, (row, None), |row| row.integration_id == id)))
}

/// The result of the last check: JSON of `integrations::deployments::State`, null before the first. It is not signed:
/// an object is changed or deleted only if its label in the cluster says that it is ours, whatever is recorded here.
pub fn state(conn: &mut Conn, id: IntegrationId) -> Result<Value, DbError> {
    let found = deployments::table.find(id).select(deployments::state).first(conn).optional()?;
    Ok(found.unwrap_or_default())
}

/// Records what is about to be deployed, before anything is sent to the cluster: the settings and, by role, the
/// credentials that are written into the cluster, with the versions of their secrets.
pub fn begin(
    conn: &mut Conn,
    vault: &Vault,
    id: IntegrationId,
    settings: &str,
    handed_on: &[(&str, CredentialId, i32)],
) -> Result<(), DbError> {
    let former = find(conn, vault, id)?;
    let known = former.as_ref().filter(|seen| seen.doubt().is_none()).map(Seen::shown);
    let (applied, before) = match known {
        Some(row) if row.applied == settings => (row.applied.clone(), row.before.clone()),
        Some(row) => (settings.to_owned(), row.applied.clone()),
        None => (settings.to_owned(), String::new()),
    };
    let versions = handed_on.iter().map(|(role, id, version)| ((*role).to_owned(), format!("{id}:{version}").into()));
    let row = Deployed {
        integration_id: id,
        applied,
        before,
        handed_on: Value::Object(versions.collect::<Map<_, _>>()),
        row_mac: Vec::new(),
        removed: false,
        ..former.map_or_else(|| Deployed::never(id), Seen::into_shown)
    };
    let row = trust::sign(vault, row);
    diesel::insert_into(deployments::table)
        .values(&*row)
        .on_conflict(deployments::integration_id)
        .do_update()
        .set(&*row)
        .execute(conn)?;
    Ok(())
}

/// Records the result of a check. The next one is due after `minutes`; `None`: never. `deployed`: a deployment ended.
pub fn saw(
    conn: &mut Conn,
    id: IntegrationId,
    look: &Look,
    minutes: Option<i32>,
    deployed: bool,
) -> Result<(), DbError> {
    let minutes = minutes.filter(|_| !look.removed);
    let deployed_at = match deployed {
        true => "now()",
        false => "deployed_at",
    };
    diesel::update(deployments::table.find(id))
        .set((
            deployments::state.eq(&look.state),
            deployments::cluster_version.eq(&look.cluster_version),
            deployments::image.eq(&look.image),
            deployments::desired.eq(look.desired),
            deployments::ready.eq(look.ready),
            deployments::finished.eq(look.finished),
            deployments::drifted.eq(look.drifted),
            deployments::removed.eq(look.removed),
            deployments::seen_at.eq(super::now()),
            deployments::deployed_at.eq(diesel::dsl::sql::<Nullable<Timestamptz>>(deployed_at)),
            deployments::next_look_at.eq(in_minutes(minutes)),
        ))
        .execute(conn)?;
    Ok(())
}

fn in_minutes(minutes: Option<i32>) -> diesel::expression::SqlLiteral<Nullable<Timestamptz>> {
    diesel::dsl::sql(&match minutes {
        Some(minutes) => format!("now() + make_interval(mins => {minutes})"),
        None => "NULL".to_owned(),
    })
}

/// Sets the next check to be due after `minutes`; `None`: never.
pub fn look_again(conn: &mut Conn, id: IntegrationId, minutes: Option<i32>) -> Result<(), DbError> {
    diesel::update(deployments::table.find(id).filter(deployments::removed.eq(false)))
        .set(deployments::next_look_at.eq(in_minutes(minutes)))
        .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Due {
    #[diesel(sql_type = SqlUuid)]
    id: IntegrationId,
}

/// Queues a check of each deployment that is due, and a new deployment where a credential in the cluster has got a new
/// secret. Returns how many runs were queued. Call inside a transaction.
pub fn queue_due(conn: &mut Conn, vault: &Vault, by: &str) -> Result<usize, DbError> {
    let mut queued = 0;
    for id in with_other_secrets(conn)? {
        queued +=
            usize::from(runs::queue_action(conn, vault, (id, RunAction::Deploy), None, ("secret", by))?.is_some());
    }
    for id in take_due(conn)? {
        queued +=
            usize::from(runs::queue_action(conn, vault, (id, RunAction::Observe), None, ("schedule", by))?.is_some());
    }
    Ok(queued)
}

/// Moves the due time on at once, so that two replicas do not queue the same check; the run sets the real one.
fn take_due(conn: &mut Conn) -> Result<Vec<IntegrationId>, DbError> {
    let due: Vec<Due> = diesel::sql_query(
        "UPDATE deployments SET next_look_at = now() + interval '1 day' WHERE integration_id IN (
             SELECT d.integration_id FROM deployments d JOIN integrations i ON i.id = d.integration_id
             WHERE d.next_look_at <= now() AND i.active LIMIT $1 FOR UPDATE OF d SKIP LOCKED)
         RETURNING integration_id AS id",
    )
    .bind::<diesel::sql_types::BigInt, _>(AT_ONCE)
    .load(conn)?;
    Ok(due.into_iter().map(|due| due.id).collect())
}

/// Deployments that wrote an older version of a secret than the credential has now. A deployment records the version
/// before it begins, so that one that fails is not retried forever.
fn with_other_secrets(conn: &mut Conn) -> Result<Vec<IntegrationId>, DbError> {
    let due: Vec<Due> = diesel::sql_query(
        "SELECT d.integration_id AS id FROM deployments d JOIN integrations i ON i.id = d.integration_id
         WHERE i.active AND NOT d.removed AND d.deployed_at IS NOT NULL AND EXISTS (
             SELECT FROM usages u JOIN credentials c ON c.id = u.credential_id
             WHERE u.integration_id = d.integration_id AND u.role <> 'main'
                 AND split_part(d.handed_on ->> u.role, ':', 1) = c.id::text
                 AND split_part(d.handed_on ->> u.role, ':', 2) <> c.secret_version::text)
             AND NOT EXISTS (SELECT FROM runs r WHERE r.integration_id = i.id AND r.state IN ('queued', 'running'))
         LIMIT $1",
    )
    .bind::<diesel::sql_types::BigInt, _>(AT_ONCE)
    .load(conn)?;
    Ok(due.into_iter().map(|due| due.id).collect())
}

impl Deployed {
    fn never(id: IntegrationId) -> Self {
        Self {
            integration_id: id,
            applied: String::new(),
            before: String::new(),
            handed_on: Value::Object(Map::new()),
            state: Value::Object(Map::new()),
            cluster_version: String::new(),
            image: String::new(),
            desired: 0,
            ready: 0,
            finished: false,
            drifted: false,
            removed: false,
            seen_at: None,
            deployed_at: None,
            next_look_at: None,
            row_mac: Vec::new(),
        }
    }
}
