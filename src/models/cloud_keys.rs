//! Long-term keys that scans found in cloud accounts, whichever integration found them: filtered, searched, a page at a
//! time, each beside the credential that holds it. They are [`items`](super::items) whose facts say `sort: key`.
//! Whether one is stored is never kept: it is looked up by key id when it is shown. Each order has its index in a
//! migration.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Text, Uuid as SqlUuid};

use super::cloud_key::{BY_AGE, HOLD, IS_KEY, lines_of};
pub use super::cloud_key::{Line, Place};
use super::provider_facts::{self, KEEP, OVER};
use super::schema::integrations;
use super::{Conn, CredentialId, DbError, IntegrationId, ItemId};

/// Days without a use after which a key counts as unused.
pub const UNUSED_DAYS: i32 = 90;
/// No more than these are looked at to count them.
pub const MOST_COUNTED: i64 = 2_000;
/// A search that finds no more than these looks at them alone; one that finds more finds enough for a page wherever it
/// looks.
const FEW: i64 = 2_000;

/// What a page of keys is narrowed to. Only active keys are old or unused: others open nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    All,
    /// Over the limit of age.
    Old,
    NeverUsed,
    /// For [`UNUSED_DAYS`]; also never since it was made, so long ago.
    Unused,
    NotStored,
    /// It never ends by itself.
    WithoutExpiry,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Query {
    pub filter: Filter,
    /// A part of a key id, of its owner's name, or of the account.
    pub search: String,
    /// Days after which a key counts as old; 0: none does.
    pub limit_days: i32,
    pub from: Option<Place>,
    pub size: i64,
}

/// One page, and whether there are keys before and after it.
#[derive(Clone, Debug)]
pub struct Page {
    pub lines: Vec<Line>,
    pub before: bool,
    pub after: bool,
}

/// How many keys there are of a sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub number: i64,
    /// There are more: no more than [`MOST_COUNTED`] were looked at.
    pub more: bool,
}

const BY_USE: &str = "coalesce((i.facts->>'used')::bigint, (i.facts->>'made')::bigint, 0)";
/// A key that two integrations see counts once.
const COUNTS: &str = "NOT EXISTS (SELECT FROM items twin
    WHERE twin.facts->>'sort' = 'key' AND twin.name = i.name AND twin.place = i.place AND twin.id < i.id)";
const ACTIVE: &str = "i.facts->>'active' = 'true'";
/// What is searched, in small letters.
const TEXT: &str = "lower(i.name || ' ' || coalesce(i.facts->>'owner', '') || ' ' || i.place)";
const NOT_STORED: &str = "i.facts->>'root' <> 'true' AND NOT EXISTS
    (SELECT FROM credentials c WHERE c.kind = i.facts->>'kind' AND c.key_id = coalesce(i.facts->>'held_as', i.name))";

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = SqlUuid)]
    id: ItemId,
}

#[derive(QueryableByName)]
struct Told {
    #[diesel(sql_type = SqlUuid)]
    credential_id: CredentialId,
}

impl Filter {
    fn order(self) -> &'static str {
        match self {
            Self::Unused => BY_USE,
            Self::All | Self::Old | Self::NeverUsed | Self::NotStored | Self::WithoutExpiry => BY_AGE,
        }
    }

    /// What an index knows of the keys; `$1` is the limit of age in days.
    pub(super) fn range(self) -> String {
        match self {
            Self::All | Self::NotStored => "true".to_owned(),
            Self::Old => format!("{ACTIVE} AND $1 > 0 AND {}", passed(BY_AGE, "$1")),
            Self::NeverUsed => format!("{ACTIVE} AND i.facts->>'never' = 'true'"),
            Self::Unused => format!("{ACTIVE} AND {}", passed(BY_USE, &UNUSED_DAYS.to_string())),
            Self::WithoutExpiry => format!("{ACTIVE} AND i.facts->>'expires' IS NULL"),
        }
    }

    /// What each key has to be looked at for. The id of a root key is known to nobody.
    fn rest(self) -> String {
        match self {
            Self::NotStored => format!("{COUNTS} AND {NOT_STORED}"),
            Self::All | Self::Old | Self::NeverUsed | Self::Unused | Self::WithoutExpiry => COUNTS.to_owned(),
        }
    }
}

fn passed(order: &str, days: &str) -> String {
    format!("{order} > 0 AND {order} < extract(epoch FROM now() - make_interval(days => {days}))::bigint")
}

/// Counts the first keys of a range in an order, so that it costs the same however many there are.
fn count((range, rest, order): (&str, &str, &str)) -> String {
    format!(
        "(SELECT ARRAY[count(*) FILTER (WHERE {rest}), count(*)] FROM
             (SELECT * FROM items i WHERE {IS_KEY} AND {range} ORDER BY {order}, i.id LIMIT {MOST_COUNTED} + 1) i)"
    )
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = Array<BigInt>)]
    counts: Vec<i64>,
}

/// Of each of these, in one statement.
fn counted<const N: usize>(conn: &mut Conn, queries: &[String; N], limit_days: i32) -> Result<[Count; N], DbError> {
    let query = format!("SELECT {} AS counts", queries.join(" || "));
    let found: Counted = diesel::sql_query(query).bind::<Integer, _>(limit_days).get_result(conn)?;
    let mut counts = [Count::default(); N];
    for (count, pair) in counts.iter_mut().zip(found.counts.chunks(2)) {
        if let [number, seen] = pair {
            *count = Count { number: *number, more: *seen > MOST_COUNTED };
        }
    }
    Ok(counts)
}

/// A page of the keys, the oldest first, of unused ones the longest unused.
pub fn page(conn: &mut Conn, query: &Query) -> Result<Page, DbError> {
    let back = query.from.is_some_and(|from| from.back);
    let (sign, direction) = if back { ("<", "DESC") } else { (">", "ASC") };
    let (order, range, rest) = (query.filter.order(), query.filter.range(), query.filter.rest());
    let beyond = if query.from.is_some() { format!("AND ({order}, i.id) {sign} ($2, $3)") } else { String::new() };
    let pattern = format!("%{}%", super::escape_like(&query.search.trim().to_lowercase()));
    let few = if query.search.trim().is_empty() { None } else { Some(few(conn, &pattern)?) };
    let (searched, ids) = match few {
        None => (String::new(), Vec::new()),
        Some(None) => (format!("AND {TEXT} LIKE $4"), Vec::new()),
        Some(Some(ids)) => ("AND i.id = ANY($6)".to_owned(), ids),
    };
    let keys = format!(
        "SELECT i.*, {order} AS at FROM items i WHERE {IS_KEY} AND {range} AND {rest} {beyond} {searched}
         ORDER BY {order} {direction}, i.id {direction} LIMIT $5"
    );
    let mut lines: Vec<Line> = diesel::sql_query(lines_of(&keys, direction))
        .bind::<Integer, _>(query.limit_days)
        .bind::<BigInt, _>(query.from.map_or(0, |from| from.at))
        .bind::<SqlUuid, _>(query.from.map_or(ItemId::default(), |from| from.id))
        .bind::<Text, _>(pattern)
        .bind::<BigInt, _>(query.size + 1)
        .bind::<Array<SqlUuid>, _>(ids)
        .load(conn)?;
    let more = i64::try_from(lines.len()).unwrap_or(i64::MAX) > query.size;
    lines.truncate(usize::try_from(query.size).unwrap_or(usize::MAX));
    if back {
        lines.reverse();
    }
    let (before, after) = if back { (more, true) } else { (query.from.is_some(), more) };
    Ok(Page { lines, before, after })
}

/// The keys that a pattern finds, when they are few. The planner reads the index of the text where a pattern is rare,
/// and the table up to the limit where it is not: ordered at once, it would take the one for the other.
fn few(conn: &mut Conn, pattern: &str) -> Result<Option<Vec<ItemId>>, DbError> {
    let query = format!("SELECT i.id FROM items i WHERE i.facts->>'sort' = 'key' AND {TEXT} LIKE $1 LIMIT {FEW} + 1");
    let found: Vec<Found> = diesel::sql_query(query).bind::<Text, _>(pattern).load(conn)?;
    let is_few = i64::try_from(found.len()).is_ok_and(|number| number <= FEW);
    Ok(is_few.then(|| found.into_iter().map(|found| found.id).collect()))
}

/// Whether anything scans a cloud account.
pub fn is_scanned(conn: &mut Conn, family: &str) -> Result<bool, DbError> {
    let any = integrations::table.filter(integrations::family.eq(family));
    Ok(diesel::select(diesel::dsl::exists(any)).get_result(conn)?)
}

/// How many keys each of these filters has, without the search.
pub fn counts<const N: usize>(conn: &mut Conn, filters: [Filter; N], limit_days: i32) -> Result<[Count; N], DbError> {
    let queries = filters.map(|filter| count((&filter.range(), &filter.rest(), filter.order())));
    counted(conn, &queries, limit_days)
}

/// Ages of the active keys that are not stored here, by thirds of a limit in days: under a third, under two, under the
/// limit, over it. What nobody knows the age of is in none.
pub fn ages(conn: &mut Conn, limit_days: i32) -> Result<[Count; 4], DbError> {
    if limit_days <= 0 {
        return Ok([Count::default(); 4]);
    }
    let bound = |thirds: u8| format!("extract(epoch FROM now() - make_interval(days => $1) * {thirds} / 3)::bigint");
    let (third, two, whole) = (bound(1), bound(2), bound(3));
    let ranges = [
        format!("{BY_AGE} > {third}"),
        format!("{BY_AGE} <= {third} AND {BY_AGE} > {two}"),
        format!("{BY_AGE} <= {two} AND {BY_AGE} >= {whole}"),
        format!("{BY_AGE} > 0 AND {BY_AGE} < {whole}"),
    ];
    let rest = Filter::NotStored.rest();
    let queries = ranges.map(|range| count((&format!("{ACTIVE} AND {range}"), &rest, BY_AGE)));
    counted(conn, &queries, limit_days)
}

/// What a scan has just read of keys that are stored here: the provider's dates become theirs. Call inside the
/// transaction that saves the scan.
pub fn tell(conn: &mut Conn, integration: IntegrationId) -> Result<(), DbError> {
    tell_where(conn, "i.integration_id = $1 AND NOT i.kept", integration.0)
}

/// What scans have read of the key that a credential holds since now. Call inside the transaction that saves it.
pub(super) fn tell_one(conn: &mut Conn, credential: CredentialId) -> Result<(), DbError> {
    tell_where(conn, "c.id = $1", credential.0)
}

fn tell_where(conn: &mut Conn, condition: &str, id: uuid::Uuid) -> Result<(), DbError> {
    let told: Vec<Told> = diesel::sql_query(format!(
        "WITH held AS MATERIALIZED (SELECT c.id, c.secret_version, i.facts FROM items i JOIN credentials c ON {HOLD}
             WHERE {condition} AND i.facts->>'sort' = 'key' AND i.facts->>'perhaps' IS NULL
             ORDER BY c.id FOR NO KEY UPDATE OF c)
         {KEEP} SELECT DISTINCT ON (id) id, secret_version, to_timestamp((facts->>'made')::bigint),
             to_timestamp((facts->>'used')::bigint), facts->>'arn' FROM held ORDER BY id
         {OVER} RETURNING credential_id"
    ))
    .bind::<SqlUuid, _>(id)
    .load(conn)?;
    let ids: Vec<CredentialId> = told.into_iter().map(|told| told.credential_id).collect();
    provider_facts::date(conn, &ids)
}
