//! The lines of the integrations table, and of a credential's *Usages*: what is read from several tables to be shown. They
//! decide nothing. Beside them, which names are free.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};

use super::paging::Page;
use super::schema::integrations;
use super::times::MaybeTime;
use super::{Conn, CredentialId, DbError, IntegrationId};
use crate::names;

/// The highest number that [`free_name`] puts behind a name.
const MOST_ALIKE: usize = 100;

/// A line of the integrations table, and of a credential's *Usages*.
#[derive(Clone, Debug, QueryableByName)]
pub struct Line {
    #[diesel(sql_type = SqlUuid)]
    pub id: IntegrationId,
    #[diesel(sql_type = Text)]
    pub family: String,
    #[diesel(sql_type = Text)]
    pub version: String,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub host: String,
    #[diesel(sql_type = Bool)]
    pub active: bool,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub credential_id: Option<CredentialId>,
    #[diesel(sql_type = Nullable<Text>)]
    pub credential_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub last_state: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    #[diesel(deserialize_as = MaybeTime)]
    pub last_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub last_error: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    #[diesel(deserialize_as = MaybeTime)]
    pub next_run_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Text)]
    pub name_key: String,
}

/// `u` is the usage that a line is about.
const LINES: &str =
    "SELECT i.id, i.family, i.version, i.name, i.name_key, coalesce(u.host, '') AS host, i.active, i.next_run_at,
        u.credential_id, c.name AS credential_name, r.state AS last_state,
        coalesce(r.ended_at, r.started_at) AS last_at, r.error AS last_error
    FROM integrations i LEFT JOIN usages u ON u.integration_id = i.id AND (u.role = 'main' OR $1)
    LEFT JOIN credentials c ON c.id = u.credential_id
    LEFT JOIN LATERAL (
        (SELECT 1 AS rank, state, started_at, ended_at, error FROM runs
            WHERE integration_id = i.id ORDER BY queued_at DESC LIMIT 1)
        UNION ALL
        (SELECT 1, state, NULL, ended_at, error FROM deliveries
            WHERE integration_id = i.id AND state IN ('sent', 'parked') ORDER BY created_at DESC LIMIT 1)
        UNION ALL
        (SELECT 2, CASE WHEN attempts > 0 THEN 'retrying' ELSE 'waiting' END, NULL, NULL, error FROM deliveries
            WHERE integration_id = i.id AND state IN ('ready', 'sending') ORDER BY created_at DESC LIMIT 1)
        ORDER BY rank LIMIT 1
    ) r ON true";

/// Everywhere a credential is used, in any role, enabled or not. `limit` keeps a page readable; the count is on the
/// credential.
pub fn usages(conn: &mut Conn, credential: CredentialId, limit: i64) -> Result<Vec<Line>, DbError> {
    Ok(diesel::sql_query(format!("{LINES} WHERE u.credential_id = $2 ORDER BY i.name_key LIMIT $3"))
        .bind::<Bool, _>(true)
        .bind::<SqlUuid, _>(credential)
        .bind::<BigInt, _>(limit)
        .load(conn)?)
}

/// A page of the integrations whose name or host contains `search`, by name. `from` is the name key that it starts
/// after, or, with `true`, ends before.
pub fn list(conn: &mut Conn, search: &str, from: Option<(&str, bool)>, size: i64) -> Result<Page<Line>, DbError> {
    let pattern = format!("%{}%", super::escape_like(&search.trim().to_lowercase()));
    let back = from.is_some_and(|(_, back)| back);
    let (sign, order) = if back { ("<", "DESC") } else { (">", "ASC") };
    let wanted = format!("(i.name_key LIKE $2 OR u.host LIKE $2) AND i.name_key {sign} $3");
    let rows: Vec<Line> = diesel::sql_query(format!("{LINES} WHERE {wanted} ORDER BY i.name_key {order} LIMIT $4"))
        .bind::<Bool, _>(false)
        .bind::<Text, _>(pattern)
        .bind::<Text, _>(from.map_or("", |(key, _)| key))
        .bind::<BigInt, _>(size + 1)
        .load(conn)?;
    Ok(Page::cut(rows, size, from.map(|(_, back)| back)))
}

/// A name that no integration has: the wanted one, or the same with a number behind it.
pub fn free_name(conn: &mut Conn, wanted: &str) -> Result<String, DbError> {
    let numbered = (2..=MOST_ALIKE).map(|number| format!("{wanted} {number}"));
    let names: Vec<String> = std::iter::once(wanted.to_owned()).chain(numbered).collect();
    let keys: Vec<String> = names.iter().map(|name| names::key(name)).collect();
    let taken: Vec<String> =
        integrations::table.filter(integrations::name_key.eq_any(&keys)).select(integrations::name_key).load(conn)?;
    let free = keys.iter().position(|key| !taken.contains(key)).unwrap_or_default();
    Ok(names.into_iter().nth(free).unwrap_or_default())
}
