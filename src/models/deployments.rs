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
    /// The cluster, as settings and credential name it: `10.0.0.1:6443`.
    pub cluster: String,
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
        Parts::default().id(Some(self.integration_id)).text(&self.cluster).text(&self.applied).text(&self.before)
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
    (settings, cluster): (&str, &str),
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
        cluster: cluster.to_owned(),
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

/// Replaces the list of created objects in the state: JSON of `Vec<integrations::deployments::Made>`.
pub fn set_made(conn: &mut Conn, id: IntegrationId, made: &Value) -> Result<(), DbError> {
    diesel::sql_query("UPDATE deployments SET state = jsonb_set(state, '{made}', $2) WHERE integration_id = $1")
        .bind::<SqlUuid, _>(id)
        .bind::<diesel::sql_types::Jsonb, _>(made)
        .execute(conn)?;
    Ok(())
}

/// Marks the deployment as leaving: it is no longer deployed or checked automatically.
pub fn leave(conn: &mut Conn, id: IntegrationId) -> Result<(), DbError> {
    let none = None::<DateTime<Utc>>;
    diesel::update(deployments::table.find(id))
        .set((deployments::deployed_at.eq(none), deployments::next_look_at.eq(none)))
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
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    row_version: i64,
}

/// Queues a check of each deployment that is due, and a new deployment where a credential in the cluster has got a new
/// secret. Returns how many runs were queued. Call inside a transaction.
pub fn queue_due(conn: &mut Conn, vault: &Vault, by: &str) -> Result<usize, DbError> {
    let mut queued = 0;
    let now = super::clock(conn)?;
    for due in take_with_other_secrets(conn)? {
        let (subject, words) = ((due.id, RunAction::Deploy), [runs::over(due.row_version, now)]);
        queued += usize::from(runs::queue_action(conn, vault, subject, Some(&words), ("secret", by))?.is_some());
    }
    for due in take_due(conn)? {
        let subject = (due.id, RunAction::Observe);
        queued += usize::from(runs::queue_action(conn, vault, subject, None, ("schedule", by))?.is_some());
    }
    Ok(queued)
}

/// Moves the due time on at once, so that two replicas do not queue the same check; the run sets the real one.
fn take_due(conn: &mut Conn) -> Result<Vec<Due>, DbError> {
    Ok(diesel::sql_query(
        "UPDATE deployments SET next_look_at = now() + interval '1 hour' WHERE integration_id IN (
             SELECT d.integration_id FROM deployments d JOIN integrations i ON i.id = d.integration_id
             WHERE d.next_look_at <= now() AND i.active ORDER BY d.next_look_at LIMIT $1 FOR UPDATE OF d SKIP LOCKED)
         RETURNING integration_id AS id, 0::bigint AS row_version",
    )
    .bind::<diesel::sql_types::BigInt, _>(AT_ONCE)
    .load(conn)?)
}

/// Deployments that wrote an older version of a secret than the credential has now. The new version is recorded at once, so
/// that a run which fails or is stopped is not queued again and again.
fn take_with_other_secrets(conn: &mut Conn) -> Result<Vec<Due>, DbError> {
    Ok(diesel::sql_query(
        "UPDATE deployments d SET handed_on = (SELECT jsonb_object_agg(u.role, c.id || ':' || c.secret_version)
                 FROM usages u JOIN credentials c ON c.id = u.credential_id
                 WHERE u.integration_id = d.integration_id AND u.role <> 'main')
         FROM integrations i WHERE i.id = d.integration_id AND d.integration_id IN (
             SELECT d.integration_id FROM deployments d JOIN integrations i ON i.id = d.integration_id
             WHERE i.active AND NOT d.removed AND d.deployed_at IS NOT NULL AND EXISTS (
                 SELECT FROM usages u JOIN credentials c ON c.id = u.credential_id
                 WHERE u.integration_id = d.integration_id AND u.role <> 'main'
                     AND split_part(d.handed_on ->> u.role, ':', 1) = c.id::text
                     AND split_part(d.handed_on ->> u.role, ':', 2) <> c.secret_version::text)
                 AND NOT EXISTS (SELECT FROM runs r WHERE r.integration_id = i.id AND r.state IN ('queued', 'running'))
             ORDER BY d.integration_id LIMIT $1 FOR UPDATE OF d SKIP LOCKED)
         RETURNING d.integration_id AS id, i.row_version",
    )
    .bind::<diesel::sql_types::BigInt, _>(AT_ONCE)
    .load(conn)?)
}

/// The next rows by id, for walking through all of them.
pub fn page(conn: &mut Conn, vault: &Vault, after: Uuid, limit: i64) -> Result<Vec<Seen<Deployed>>, DbError> {
    let rows = deployments::table.filter(deployments::integration_id.gt(after)).order(deployments::integration_id);
    let rows: Vec<Deployed> = rows.limit(limit).select(Deployed::as_select()).load(conn)?;
    Ok(rows.into_iter().map(|row| Seen::new(vault, (row, None), |_| true)).collect())
}

impl Deployed {
    fn never(id: IntegrationId) -> Self {
        Self {
            integration_id: id,
            cluster: String::new(),
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
