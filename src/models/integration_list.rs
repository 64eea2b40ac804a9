//! The lines of the integrations table, and of a credential's *Usages*: what is read from several tables to be shown. They
//! decide nothing. Beside them, which names are free.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};

use super::paging::Page;
use super::schema::{integrations, usages};
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
    /// Of the usage that the line is about.
    #[diesel(sql_type = Text)]
    pub role: String,
    #[diesel(sql_type = Text)]
    pub host: String,
    #[diesel(sql_type = Bool)]
    pub active: bool,
    #[diesel(sql_type = BigInt)]
    pub row_version: i64,
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

/// Words of a search that are looked at.
const MOST_WORDS: usize = 10;

/// What a search looks through.
const SEARCHED: &str = "concat_ws(' ', i.name_key, u.host, i.version, lower(c.name))";

/// `u` is the usage that a line is about.
const LINES: &str = "SELECT i.id, i.family, i.version, i.name, i.name_key, coalesce(u.role, 'main') AS role,
        coalesce(u.host, '') AS host, i.active, i.row_version,
        i.next_run_at,
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

/// What is read for a line: the integration `i`, its usage `u` (`$1`: in any role), its credential `c`, and `r`, how it went
/// the last time.
pub(super) fn joined() -> &'static str {
    LINES.find("FROM integrations").map_or("", |from| &LINES[from..])
}

/// Everywhere a credential is used, in any role, enabled or not. `limit` keeps a page readable; the count is on the
/// credential.
pub fn usages(conn: &mut Conn, credential: CredentialId, limit: i64) -> Result<Vec<Line>, DbError> {
    Ok(diesel::sql_query(format!("{LINES} WHERE u.credential_id = $2 ORDER BY i.name_key LIMIT $3"))
        .bind::<Bool, _>(true)
        .bind::<SqlUuid, _>(credential)
        .bind::<BigInt, _>(limit)
        .load(conn)?)
}

/// How often a credential is used, in any role.
pub fn count(conn: &mut Conn, credential: CredentialId) -> Result<i64, DbError> {
    Ok(usages::table.filter(usages::credential_id.eq(credential)).count().get_result(conn)?)
}

/// Which integrations a page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The last scan or delivery failed.
    Failing,
    /// The last scan left gaps, or a message waits to be tried again.
    Partly,
    Off,
}

impl Condition {
    /// On what [`joined`] reads.
    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::Failing => "i.active AND r.state IN ('failed', 'parked')",
            Self::Partly => "i.active AND r.state IN ('partly', 'retrying')",
            Self::Off => "NOT i.active",
        }
    }
}

/// What a visitor asks for.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Each word has to be somewhere in name, host, provider or the credential's name.
    pub search: String,
    /// The slug of a family; empty for all.
    pub family: String,
    pub condition: Option<Condition>,
    /// The name key that the page starts after, or, with `true`, ends before.
    pub from: Option<(String, bool)>,
}

impl Query {
    /// One pattern a word.
    fn patterns(&self) -> Vec<String> {
        let words = self.search.split_whitespace().take(MOST_WORDS);
        words.map(|word| format!("%{}%", super::escape_like(&word.to_lowercase()))).collect()
    }
}

/// A page of integrations, by name.
pub fn list(conn: &mut Conn, query: &Query, size: i64) -> Result<Page<Line>, DbError> {
    let back = query.from.as_ref().is_some_and(|(_, back)| *back);
    let (sign, order) = if back { ("<", "DESC") } else { (">", "ASC") };
    let condition = query.condition.map_or("true", Condition::sql);
    let rows: Vec<Line> = diesel::sql_query(format!(
        "{LINES} WHERE {SEARCHED} LIKE ALL ($2) AND i.name_key {sign} $3 AND ($4 = '' OR i.family = $4) AND {condition}
         ORDER BY i.name_key {order} LIMIT $5"
    ))
    .bind::<Bool, _>(false)
    .bind::<Array<Text>, _>(query.patterns())
    .bind::<Text, _>(query.from.as_ref().map_or("", |(key, _)| key.as_str()))
    .bind::<Text, _>(&query.family)
    .bind::<BigInt, _>(size + 1)
    .load(conn)?;
    Ok(Page::cut(rows, size, query.from.as_ref().map(|(_, back)| *back)))
}

/// How many integrations of a family there are, and in which condition.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Counts {
    #[diesel(sql_type = Text)]
    pub family: String,
    #[diesel(sql_type = BigInt)]
    pub total: i64,
    #[diesel(sql_type = BigInt)]
    pub failing: i64,
    #[diesel(sql_type = BigInt)]
    pub partly: i64,
    #[diesel(sql_type = BigInt)]
    pub off: i64,
    /// How many of them the query's filters and search leave.
    #[diesel(sql_type = BigInt)]
    pub matching: i64,
}

/// By family; a family without integrations has no line.
pub fn counts(conn: &mut Conn, query: &Query) -> Result<Vec<Counts>, DbError> {
    let count = |condition: Condition| format!("count(*) FILTER (WHERE {})", condition.sql());
    let condition = query.condition.map_or("true", Condition::sql);
    Ok(diesel::sql_query(format!(
        "SELECT i.family, count(*) AS total, {} AS failing, {} AS partly, {} AS off,
             count(*) FILTER (WHERE {SEARCHED} LIKE ALL ($2) AND ($3 = '' OR i.family = $3) AND {condition}) AS matching
         {} GROUP BY i.family",
        count(Condition::Failing),
        count(Condition::Partly),
        count(Condition::Off),
        joined()
    ))
    .bind::<Bool, _>(false)
    .bind::<Array<Text>, _>(query.patterns())
    .bind::<Text, _>(&query.family)
    .load(conn)?)
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
