//! Integrations that are switched on and went wrong the last time, scans and channels alike, those with the same cause
//! together: the same error, whichever host it names. They are those that the table of integrations filters by.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};

use super::integration_list::joined;
use super::integration_query::Condition;
use super::times::MaybeTime;
use super::{Conn, DbError, IntegrationId};

/// Integrations with one cause.
#[derive(Clone, Debug, QueryableByName)]
pub struct Cause {
    /// The first of them by name.
    #[diesel(sql_type = SqlUuid)]
    pub id: IntegrationId,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub version: String,
    /// Nothing came of it, where others work in part: with gaps, or tried again.
    #[diesel(sql_type = Bool)]
    pub failed: bool,
    #[diesel(sql_type = Nullable<Text>)]
    pub error: Option<String>,
    /// When that last happened.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    #[diesel(deserialize_as = MaybeTime)]
    pub at: Option<DateTime<Utc>>,
    /// Integrations with this cause.
    #[diesel(sql_type = BigInt)]
    pub number: i64,
    /// Integrations that fail, or those that work in part, whatever the cause.
    #[diesel(sql_type = BigInt)]
    pub of_all: i64,
}

/// Integrations that failed the last time.
pub fn failing(causes: &[Cause]) -> i64 {
    causes.iter().find(|cause| cause.failed).map_or(0, |cause| cause.of_all)
}

/// The causes that most have: `each` of those that fail, then as many of those that work in part.
pub fn causes(conn: &mut Conn, each: i64) -> Result<Vec<Cause>, DbError> {
    let [failing, partly] = [Condition::Failing, Condition::Partly].map(Condition::rank);
    let joined = joined();
    Ok(diesel::sql_query(format!(
        "SELECT ids[1] AS id, names[1] AS name, versions[1] AS version, failed, errors[1] AS error, at, number, of_all
         FROM (SELECT failed, max(last_at) AS at, count(*) AS number,
                 array_agg(id ORDER BY name_key) AS ids, array_agg(name ORDER BY name_key) AS names,
                 array_agg(version ORDER BY name_key) AS versions, array_agg(last_error ORDER BY name_key) AS errors,
                 (sum(count(*)) OVER (PARTITION BY failed))::bigint AS of_all,
                 row_number() OVER (PARTITION BY failed ORDER BY count(*) DESC, max(last_at) DESC) AS place
             FROM (SELECT i.id, i.name, i.name_key, i.version, l.rank = {failing} AS failed, l.error AS last_error,
                     nullif(l.last_at, timestamptz 'epoch') AS last_at,
                     replace(l.error, regexp_replace(coalesce(u.host, ''), '^[a-z]+://', ''), '') AS cause
                 {joined} WHERE l.rank IN ({failing}, {partly})) unwell
             GROUP BY failed, cause) causes
         WHERE place <= $2 ORDER BY failed DESC, place"
    ))
    .bind::<Bool, _>(false)
    .bind::<BigInt, _>(each)
    .load(conn)?)
}
