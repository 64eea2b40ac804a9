//! The old keys of one cloud account that an alert is about: active, over the limit of age, held by no credential, and
//! not snoozed.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text, Uuid as SqlUuid};

use super::cloud_key::{BY_AGE, HOLD, IS_KEY, Line, OF_KEY_ALONE, OF_OWNER, lines_of};
use super::cloud_keys::Filter;
use super::{Conn, DbError, IntegrationId};

/// How many there are, and the worst of them.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct OldKeys {
    #[diesel(sql_type = BigInt)]
    pub number: i64,
    /// Who has the oldest, and its age in days.
    #[diesel(sql_type = Nullable<Text>)]
    pub owner: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub days: Option<i32>,
}

/// `$1` is the limit of age in days, `$2` the integration. The two sorts of snoozes are looked up apart, so that each
/// can be read once and hashed.
fn members() -> String {
    let range = Filter::Old.range();
    format!(
        "items i WHERE i.integration_id = $2 AND {IS_KEY} AND {range}
             AND NOT EXISTS (SELECT FROM credentials c WHERE {HOLD})
             AND NOT EXISTS (SELECT FROM snoozed_keys s WHERE {OF_KEY_ALONE})
             AND NOT EXISTS (SELECT FROM snoozed_keys s WHERE {OF_OWNER})"
    )
}

/// Those of an integration; none where `limit_days` is 0.
pub fn count(conn: &mut Conn, integration: IntegrationId, limit_days: i32) -> Result<OldKeys, DbError> {
    let members = members();
    Ok(diesel::sql_query(format!(
        "SELECT count(*) AS number, (array_agg(i.facts->>'owner' ORDER BY {BY_AGE}))[1] AS owner,
             ((extract(epoch FROM now()) - min({BY_AGE})) / 86400)::int AS days
         FROM {members}"
    ))
    .bind::<Integer, _>(limit_days)
    .bind::<SqlUuid, _>(integration)
    .get_result(conn)?)
}

/// The first of them, the oldest first.
pub fn worst(conn: &mut Conn, integration: IntegrationId, limit_days: i32, most: i64) -> Result<Vec<Line>, DbError> {
    let keys = format!("SELECT i.*, {BY_AGE} AS at FROM {} ORDER BY {BY_AGE}, i.id LIMIT $3", members());
    Ok(diesel::sql_query(lines_of(&keys, "ASC"))
        .bind::<Integer, _>(limit_days)
        .bind::<SqlUuid, _>(integration)
        .bind::<BigInt, _>(most)
        .load(conn)?)
}
