//! What scans found in cloud accounts beside keys: registries, functions and clusters, whichever integration found them,
//! each beside the integrations that cover it. They are [`items`](super::items) whose facts name such a sort. Whether one
//! is covered is never kept with it: it is looked up in `coverage` when it is shown.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Jsonb, Nullable, Text, Uuid as SqlUuid};

use super::items::Start;
use super::paging::Page;
use super::{Conn, CredentialId, DbError, IntegrationId, ItemId};

/// No more than these are looked at for one page or to count them.
pub const MOST_LOOKED_AT: i64 = 5_000;
/// A search that finds no more than these looks at them alone; one that finds more finds enough for a page wherever it
/// looks.
const FEW: i64 = 2_000;

/// What a page is narrowed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    All,
    Registries,
    Functions,
    Clusters,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Query {
    pub sort: Sort,
    /// Only what an integration could cover and none does.
    pub not_covered: bool,
    /// A part of a title, an address, the account or its name.
    pub search: String,
    pub from: Option<Start>,
    pub size: i64,
}

/// A registry, the functions of a region or a cluster, as a scan found it.
#[derive(Clone, Debug, QueryableByName)]
pub struct Line {
    #[diesel(sql_type = SqlUuid)]
    pub id: ItemId,
    /// The account.
    #[diesel(sql_type = Text)]
    pub place: String,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Jsonb)]
    pub facts: serde_json::Value,
    /// The last scan could not read it.
    #[diesel(sql_type = Bool)]
    pub kept: bool,
    /// Which integration found it, with its settings and the credential that it signs in with.
    #[diesel(sql_type = SqlUuid)]
    pub integration_id: IntegrationId,
    #[diesel(sql_type = Text)]
    pub integration_name: String,
    #[diesel(sql_type = Text)]
    pub settings: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub credential_id: Option<CredentialId>,
    /// The integration that covers it: one that takes all of it before others, then the first by name.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub cover_id: Option<IntegrationId>,
    #[diesel(sql_type = Nullable<Text>)]
    pub cover_name: Option<String>,
    #[diesel(sql_type = Nullable<Bool>)]
    pub whole: Option<bool>,
    /// How many cover it.
    #[diesel(sql_type = BigInt)]
    pub covers: i64,
}

/// How many things there are of each sort, and how many of those that a scan could cover no scan covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, QueryableByName)]
pub struct Counts {
    #[diesel(sql_type = BigInt)]
    pub registries: i64,
    #[diesel(sql_type = BigInt)]
    pub functions: i64,
    #[diesel(sql_type = BigInt)]
    pub clusters: i64,
    #[diesel(sql_type = BigInt)]
    pub open_registries: i64,
    #[diesel(sql_type = BigInt)]
    pub open_functions: i64,
    /// There are more: no more than [`MOST_LOOKED_AT`] were looked at.
    #[diesel(sql_type = Bool)]
    pub more: bool,
}

/// As the indexes have it.
const IS_RESOURCE: &str = "i.facts->>'sort' IN ('registry', 'functions', 'cluster')";
/// A thing that two integrations see counts once.
const COUNTS: &str = "NOT EXISTS (SELECT FROM items twin
    WHERE twin.facts->>'sort' IN ('registry', 'functions', 'cluster')
        AND twin.place = i.place AND twin.name = i.name AND twin.id < i.id)";
/// A scan could cover it and none does.
const OPEN: &str = "i.facts->>'scope' <> '' AND NOT EXISTS
    (SELECT FROM coverage c JOIN integrations g ON g.id = c.integration_id AND g.active
     WHERE c.scope = i.facts->>'scope')";
/// What is searched, in small letters.
const TEXT: &str = "lower(i.name || ' ' || coalesce(i.facts->>'title', '') || ' ' || coalesce(i.facts->>'address', '')
    || ' ' || i.place || ' ' || coalesce(i.facts->>'account', ''))";

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    id: ItemId,
}

#[derive(QueryableByName)]
struct Last {
    #[diesel(sql_type = Text)]
    place: String,
    #[diesel(sql_type = Text)]
    name: String,
}

impl Sort {
    fn range(self) -> String {
        let of = |sort: &str| format!("{IS_RESOURCE} AND i.facts->>'sort' = '{sort}'");
        match self {
            Self::All => IS_RESOURCE.to_owned(),
            Self::Registries => of("registry"),
            Self::Functions => of("functions"),
            Self::Clusters => of("cluster"),
        }
    }
}

/// One page.
#[derive(Clone, Debug)]
pub struct Found {
    pub lines: Vec<Line>,
    /// Where the pages before and after it begin, if there are any.
    pub previous: Option<Start>,
    pub next: Option<Start>,
}

/// A page of the things, by account and name. It looks at [`MOST_LOOKED_AT`] things: where few of them are wanted, it is
/// short, and the next one goes on where it stopped.
pub fn page(conn: &mut Conn, query: &Query) -> Result<Found, DbError> {
    let asked = Asked::new(conn, query)?;
    let back = query.from.as_ref().is_some_and(|from| from.back);
    let direction = if back { "DESC" } else { "ASC" };
    let order = format!("i.place {direction}, i.name {direction}, i.id {direction}");
    let looked_at = format!("{} ORDER BY {order} LIMIT {MOST_LOOKED_AT}", asked.sql);
    // What each thing has to be looked at for stands outside of the bound: the index alone finds what is inside.
    let wanted = if query.not_covered { OPEN } else { "true" };
    let shown = format!("SELECT * FROM ({looked_at}) i WHERE {COUNTS} AND {wanted} ORDER BY {order} LIMIT $4");
    let rows: Vec<Line> = asked.load(conn, &format!("{LINES} FROM ({shown}) i {BESIDE} ORDER BY {order}"))?;
    let full = i64::try_from(rows.len()).is_ok_and(|rows| rows > query.size);
    // Whether the last thing that was looked at may not be the last of all.
    let last = format!("SELECT i.place, i.name FROM ({looked_at}) i ORDER BY {order} OFFSET {MOST_LOOKED_AT} - 1");
    let last: Option<Last> = if full { None } else { asked.load(conn, &last)?.pop() };
    let page = Page::cut(rows, query.size, query.from.as_ref().map(|from| from.back));
    let start = |line: &Line, back| Start { place: line.place.clone(), name: line.name.clone(), back };
    let on = |at_back: bool| {
        let last = last.as_ref().filter(|_| at_back == back);
        last.map(|last| Start { place: last.place.clone(), name: last.name.clone(), back })
    };
    let previous = page.rows.first().filter(|_| page.before).map(|line| start(line, true));
    let next = page.rows.last().filter(|_| page.after).map(|line| start(line, false));
    Ok(Found { previous: on(true).or(previous), next: on(false).or(next), lines: page.rows })
}

/// What a line tells of a thing `i`, and what is beside it: the integration that found it, and those that cover it.
const LINES: &str = "SELECT i.id, i.place, i.name, i.facts, i.kept, i.integration_id, g.name AS integration_name,
    g.settings, (SELECT credential_id FROM usages u WHERE u.integration_id = g.id AND u.role = 'main') AS credential_id,
    held.ids[1] AS cover_id, held.names[1] AS cover_name, held.wholes[1] AS whole, held.number AS covers";
const BESIDE: &str = "JOIN integrations g ON g.id = i.integration_id
    CROSS JOIN LATERAL (SELECT array_agg(c.integration_id ORDER BY c.whole DESC, h.name_key) AS ids,
        array_agg(h.name ORDER BY c.whole DESC, h.name_key) AS names,
        array_agg(c.whole ORDER BY c.whole DESC, h.name_key) AS wholes, count(*) AS number
        FROM coverage c JOIN integrations h ON h.id = c.integration_id AND h.active
        WHERE c.scope = i.facts->>'scope' AND c.scope <> '') held";

/// The things that a query is about, and what its statement is bound to.
struct Asked<'a> {
    query: &'a Query,
    sql: String,
    pattern: String,
    few: Vec<ItemId>,
}

impl<'a> Asked<'a> {
    fn new(conn: &mut Conn, query: &'a Query) -> Result<Self, DbError> {
        let search = query.search.trim().to_lowercase();
        let pattern = format!("%{}%", super::escape_like(&search));
        let few = if search.is_empty() { None } else { Some(few(conn, &pattern)?) };
        let (searched, few) = match few {
            None => (String::new(), Vec::new()),
            Some(None) => (format!("AND {TEXT} LIKE $3"), Vec::new()),
            Some(Some(ids)) => ("AND i.id = ANY($5)".to_owned(), ids),
        };
        let beyond = match &query.from {
            None => "",
            Some(from) if from.back => "AND (i.place, i.name) < ($1, $2)",
            Some(_) => "AND (i.place, i.name) > ($1, $2)",
        };
        let sql = format!("SELECT i.* FROM items i WHERE {} {beyond} {searched}", query.sort.range());
        Ok(Self { query, sql, pattern, few })
    }

    fn load<T: QueryableByName<Pg> + 'static>(&self, conn: &mut Conn, sql: &str) -> Result<Vec<T>, DbError> {
        let from = self.query.from.as_ref();
        Ok(diesel::sql_query(sql)
            .bind::<Text, _>(from.map_or("", |from| from.place.as_str()))
            .bind::<Text, _>(from.map_or("", |from| from.name.as_str()))
            .bind::<Text, _>(&self.pattern)
            .bind::<BigInt, _>(self.query.size + 1)
            .bind::<Array<SqlUuid>, _>(&self.few)
            .load(conn)?)
    }
}

/// The things that a pattern finds, when they are few: as of cloud keys, the planner reads the index of the text where a
/// pattern is rare, and the things in order where it is not.
fn few(conn: &mut Conn, pattern: &str) -> Result<Option<Vec<ItemId>>, DbError> {
    let query = format!("SELECT i.id FROM items i WHERE {IS_RESOURCE} AND {TEXT} LIKE $1 LIMIT {FEW} + 1");
    let found: Vec<Id> = diesel::sql_query(query).bind::<Text, _>(pattern).load(conn)?;
    let is_few = i64::try_from(found.len()).is_ok_and(|number| number <= FEW);
    Ok(is_few.then(|| found.into_iter().map(|found| found.id).collect()))
}

/// An integration by id and name.
#[derive(Clone, Debug, QueryableByName)]
pub struct Named {
    #[diesel(sql_type = SqlUuid)]
    pub id: IntegrationId,
    #[diesel(sql_type = Text)]
    pub name: String,
}

/// Integrations of a family whose last run left something unread, by name, no more than `limit`.
pub fn unread(conn: &mut Conn, family: &str, limit: i64) -> Result<Vec<Named>, DbError> {
    Ok(diesel::sql_query(
        "SELECT g.id, g.name FROM integrations g CROSS JOIN LATERAL (SELECT state FROM runs r
             WHERE r.integration_id = g.id AND r.ended_at IS NOT NULL ORDER BY r.queued_at DESC LIMIT 1) last
         WHERE g.family = $1 AND g.active AND last.state IN ('partly', 'failed') ORDER BY g.name_key LIMIT $2",
    )
    .bind::<Text, _>(family)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

/// How many there are, without the search.
pub fn counts(conn: &mut Conn) -> Result<Counts, DbError> {
    let of = |sort: &str, name: &str| format!("count(*) FILTER (WHERE sort = '{sort}') AS {name}");
    let open = |sort: &str, name: &str| format!("count(*) FILTER (WHERE sort = '{sort}' AND open) AS {name}");
    Ok(diesel::sql_query(format!(
        "WITH looked_at AS MATERIALIZED (SELECT i.id, i.place, i.name, i.facts FROM items i WHERE {IS_RESOURCE}
             ORDER BY i.place, i.name, i.id LIMIT {MOST_LOOKED_AT} + 1)
         SELECT {}, {}, {}, {}, {}, (SELECT count(*) FROM looked_at) > {MOST_LOOKED_AT} AS more
         FROM (SELECT i.facts->>'sort' AS sort, {OPEN} AS open
             FROM (SELECT * FROM looked_at LIMIT {MOST_LOOKED_AT}) i WHERE {COUNTS}) i",
        of("registry", "registries"),
        of("functions", "functions"),
        of("cluster", "clusters"),
        open("registry", "open_registries"),
        open("functions", "open_functions"),
    ))
    .get_result(conn)?)
}
