//! Integrations that are switched on and whose newest ended scan went wrong, those with the same cause together: the same
//! error, whichever host it names.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};

use super::runs::RunState;
use super::times::MaybeTime;
use super::{Conn, DbError, IntegrationId};

/// Integrations of one state with one cause.
#[derive(Clone, Debug, QueryableByName)]
pub struct Cause {
    /// The first of them by name.
    #[diesel(sql_type = SqlUuid)]
    pub id: IntegrationId,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub version: String,
    /// Failed or partly.
    #[diesel(sql_type = Text)]
    pub state: RunState,
    #[diesel(sql_type = Nullable<Text>)]
    pub error: Option<String>,
    /// When the newest of these scans ended.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    #[diesel(deserialize_as = MaybeTime)]
    pub at: Option<DateTime<Utc>>,
    /// Integrations with this cause.
    #[diesel(sql_type = BigInt)]
    pub number: i64,
    /// Integrations of this state, whatever the cause.
    #[diesel(sql_type = BigInt)]
    pub of_state: i64,
}

/// The newest ended scan `r` of an integration `i`, where there is one, and whether the integration counts here. Lists of
/// the same integrations ask by these as well.
pub const NEWEST: &str = "CROSS JOIN LATERAL (SELECT state, error, ended_at FROM runs
    WHERE integration_id = i.id AND state NOT IN ('queued', 'running') ORDER BY queued_at DESC LIMIT 1) r";
pub const COUNTS: &str = "i.active AND r.state IN ('failed', 'partly')";

/// The causes that most have, of failed scans and of those with gaps `each` at most.
pub fn causes(conn: &mut Conn, each: i64) -> Result<Vec<Cause>, DbError> {
    Ok(diesel::sql_query(format!(
        "SELECT ids[1] AS id, names[1] AS name, versions[1] AS version, state, errors[1] AS error, at,
             number, of_state
         FROM (SELECT state, max(ended_at) AS at, count(*) AS number,
                 array_agg(id ORDER BY name_key) AS ids, array_agg(name ORDER BY name_key) AS names,
                 array_agg(version ORDER BY name_key) AS versions, array_agg(error ORDER BY name_key) AS errors,
                 (sum(count(*)) OVER (PARTITION BY state))::bigint AS of_state,
                 row_number() OVER (PARTITION BY state ORDER BY count(*) DESC, max(ended_at) DESC) AS place
             FROM (SELECT i.id, i.name, i.name_key, i.version, r.state, r.error, r.ended_at,
                     replace(r.error, regexp_replace(coalesce(u.host, ''), '^[a-z]+://', ''), '') AS cause
                 FROM integrations i {NEWEST} LEFT JOIN usages u ON u.integration_id = i.id AND u.role = 'main'
                 WHERE {COUNTS}) unwell
             GROUP BY state, cause) causes
         WHERE place <= $1 ORDER BY state, place"
    ))
    .bind::<BigInt, _>(each)
    .load(conn)?)
}
