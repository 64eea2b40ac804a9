//! The lines of the integrations table, and of a credential's *Usages*: what is read from several tables to be shown. They
//! decide nothing. What the table can be asked for is in `integration_query`. Beside them, which names are free.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{Array, BigInt, Bool, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};

use super::integration_query::{NEVER, PAGE, Place, Query, Sort};
use super::paging::{Key, MOST_COUNTED, Page, Total};
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
    /// The name key of the credential that the table sorts by; empty without one.
    #[diesel(sql_type = Text)]
    pub credential_key: String,
    /// See [`Condition`](super::integration_query::Condition).
    #[diesel(sql_type = SmallInt)]
    pub rank: i16,
    #[diesel(sql_type = Text)]
    pub owner: String,
    #[diesel(sql_type = Array<Text>)]
    pub tags: Vec<String>,
}

impl Line {
    /// Where the line stands in a sort.
    pub fn place(&self, sort: Sort, back: bool) -> Place {
        let pair = |first: String| Key::Pair(first, self.name_key.clone());
        let key = match sort {
            Sort::Name => Key::Text(self.name_key.clone()),
            Sort::Kind => pair(self.version.clone()),
            Sort::Credential => pair(self.credential_key.clone()),
            Sort::State => pair(self.rank.to_string()),
            Sort::Last => pair(self.last_at.unwrap_or_default().to_rfc3339()),
            Sort::Next => pair(self.next_run_at.map_or(NEVER.to_owned(), |at| at.to_rfc3339())),
        };
        Place { key, id: self.id, back }
    }
}

/// `u` is the usage that a line is about.
const LINES: &str = "SELECT i.id, i.family, i.version, i.name, i.name_key, coalesce(u.role, 'main') AS role,
        coalesce(u.host, '') AS host, i.active, i.row_version, i.next_run_at, i.owner, i.tags,
        u.credential_id, c.name AS credential_name, l.credential_key, l.rank, nullif(l.state, '') AS last_state,
        nullif(l.last_at, timestamptz 'epoch') AS last_at, l.error AS last_error
    FROM integration_lines l JOIN integrations i ON i.id = l.integration_id
    LEFT JOIN usages u ON u.integration_id = i.id AND (u.role = 'main' OR $1)
    LEFT JOIN credentials c ON c.id = u.credential_id";

/// What is read for a line: the integration `i` and its line `l`, its usage `u` (`$1`: in any role), and its credential `c`.
pub(super) fn joined() -> &'static str {
    LINES.find("FROM integration_lines").map_or("", |from| &LINES[from..])
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

/// A page of integrations, and how many match.
pub struct Found {
    pub page: Page<Line>,
    pub total: Total,
}

/// A page in the order of the query.
pub fn page(conn: &mut Conn, query: &Query) -> Result<Found, DbError> {
    let rows = sorted(conn, query, PAGE as i64 + 1)?;
    let page = Page::cut(rows, PAGE as i64, query.from.as_ref().map(|place| place.back));
    let total = match (query.filters(), page.before || page.after) {
        (false, _) => Total::All,
        (true, false) => Total::Exactly(page.rows.len() as i64),
        (true, true) => Total::of(ids(conn, query, MOST_COUNTED)?.len() as i64),
    };
    Ok(Found { page, total })
}

/// The first rows that the query asks for, in its order and from its place on.
pub fn sorted(conn: &mut Conn, query: &Query, most: i64) -> Result<Vec<Line>, DbError> {
    let up = query.up();
    let beyond = if query.from.is_some() { query.sort.beyond(up) } else { "true".to_owned() };
    let (conditions, order) = (query.conditions(), query.sort.order(up));
    let (first, name) = query.start();
    let rows = format!("{LINES} WHERE {conditions} AND {beyond} ORDER BY {order} LIMIT $8");
    let rows = asked(rows, query).bind::<Text, _>(first).bind::<Text, _>(name).bind::<BigInt, _>(most);
    Ok(rows.load(conn)?)
}

/// The first `most` that the query asks for, by name, and one more where there are more.
pub fn ids(conn: &mut Conn, query: &Query, most: i64) -> Result<Vec<IntegrationId>, DbError> {
    #[derive(QueryableByName)]
    struct Id {
        #[diesel(sql_type = SqlUuid)]
        id: IntegrationId,
    }
    let conditions = query.conditions();
    let rows = format!(
        "SELECT i.id FROM integration_lines l JOIN integrations i ON i.id = l.integration_id
         WHERE {conditions} ORDER BY l.name_key LIMIT $6"
    );
    let found: Vec<Id> = asked(rows, query).bind::<BigInt, _>(most + 1).load(conn)?;
    Ok(found.into_iter().map(|row| row.id).collect())
}

/// Binds `$1` to `$5`.
fn asked(text: String, query: &Query) -> BoxedSqlQuery<'_, Pg, SqlQuery> {
    let query_of = diesel::sql_query(text).into_boxed::<Pg>().bind::<Bool, _>(false);
    let query_of = query_of.bind::<Array<Text>, _>(query.patterns()).bind::<Text, _>(&query.family);
    query_of.bind::<Text, _>(&query.tag).bind::<Text, _>(&query.owner)
}

/// Those of the ids that there are, by name.
pub fn of(conn: &mut Conn, ids: Vec<IntegrationId>) -> Result<Vec<Line>, DbError> {
    Ok(diesel::sql_query(format!("{LINES} WHERE i.id = ANY($2) ORDER BY i.name_key"))
        .bind::<Bool, _>(false)
        .bind::<Array<SqlUuid>, _>(ids)
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
