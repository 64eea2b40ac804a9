//! The rows of the *Clusters* table: every deployment, with the result of its last check. For display only. Sorting and
//! filtering use no index, since an organisation has a few thousand clusters at most.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};

use super::paging::{self, Key, Page};
use super::times::MaybeTime;
use super::{Conn, DbError, IntegrationId};

pub const PAGE: i64 = 50;
/// Most words of a search; further ones are ignored.
const MOST_WORDS: usize = 10;
/// Most values that a filter offers.
const MOST_VALUES: i64 = 200;

/// The deployment after which a page starts or, going back, before which it ends.
pub type Place = paging::Place<IntegrationId>;

/// A row of the table.
#[derive(Clone, Debug, QueryableByName)]
pub struct Line {
    #[diesel(sql_type = SqlUuid)]
    pub id: IntegrationId,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub name_key: String,
    /// Slug of the provider.
    #[diesel(sql_type = Text)]
    pub version: String,
    /// The cluster's address or name.
    #[diesel(sql_type = Text)]
    pub host: String,
    #[diesel(sql_type = Bool)]
    pub active: bool,
    #[diesel(sql_type = BigInt)]
    pub row_version: i64,
    #[diesel(sql_type = Text)]
    pub cluster_version: String,
    #[diesel(sql_type = Text)]
    pub image: String,
    #[diesel(sql_type = Integer)]
    pub desired: i32,
    #[diesel(sql_type = Integer)]
    pub ready: i32,
    /// Number of drifted fields.
    #[diesel(sql_type = BigInt)]
    pub drift: i64,
    /// The first sentence that says why it is not ready; may be empty.
    #[diesel(sql_type = Text)]
    pub trouble: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    #[diesel(deserialize_as = MaybeTime)]
    pub seen_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    #[diesel(deserialize_as = MaybeTime)]
    pub deployed_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = SmallInt)]
    rank: i16,
    /// The value of the sorted column as text.
    #[diesel(sql_type = Text)]
    sorted: String,
}

/// The state of a deployment; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    NotReady,
    Drifted,
    RollingOut,
    NotSeen,
    Ready,
    NotDeployed,
    Removed,
}

impl Standing {
    pub const ALL: [Self; 7] =
        [Self::NotReady, Self::Drifted, Self::RollingOut, Self::NotSeen, Self::Ready, Self::NotDeployed, Self::Removed];

    fn rank(self) -> i16 {
        Self::ALL.iter().position(|one| *one == self).and_then(|at| i16::try_from(at).ok()).unwrap_or_default()
    }
}

impl Line {
    pub fn standing(&self) -> Standing {
        let at = usize::try_from(self.rank).ok();
        at.and_then(|at| Standing::ALL.get(at)).copied().unwrap_or(Standing::NotSeen)
    }

    /// The position of a row in a sort order.
    pub fn place(&self, sort: Sort, back: bool) -> Place {
        let key = match sort {
            Sort::Name => Key::Text(self.name_key.clone()),
            _ => Key::Pair(self.sorted.clone(), self.name_key.clone()),
        };
        Place { key, id: self.id, back }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Name,
    State,
    /// By the share of nodes that are ready.
    Ready,
    /// 1.9 before 1.10.
    Version,
    Image,
    Seen,
}

impl Sort {
    /// The column that is sorted by before the name, and its SQL type.
    fn column(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Name => None,
            Self::State => Some(("line.rank", "smallint")),
            Self::Ready => Some(("CASE line.desired WHEN 0 THEN 0 ELSE line.ready * 1000 / line.desired END", "int")),
            Self::Version => Some((VERSION, "text")),
            Self::Image => Some(("line.image", "text")),
            Self::Seen => Some(("coalesce(line.seen_at, timestamptz 'epoch')", "timestamptz")),
        }
    }
}

/// Whether a position fits the sort order. It comes from the address, which anyone can write.
pub fn is_of(sort: Sort, key: &Key) -> bool {
    match (sort, key) {
        (Sort::Name, Key::Text(_)) | (Sort::Version | Sort::Image, Key::Pair(..)) => true,
        (Sort::State, Key::Pair(rank, _)) => rank.parse::<i16>().is_ok(),
        (Sort::Ready, Key::Pair(share, _)) => share.parse::<i32>().is_ok(),
        (Sort::Seen, Key::Pair(at, _)) => DateTime::parse_from_rfc3339(at).is_ok(),
        _ => false,
    }
}

/// The filters and the sort order.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// The slug of the family.
    pub family: &'static str,
    /// Each word has to occur in name, cluster, provider, owner or tags.
    pub search: String,
    pub standing: Option<Standing>,
    /// Kubernetes version and image; empty for all.
    pub version: String,
    pub image: String,
    pub sort: Sort,
    pub descending: bool,
    pub from: Option<Place>,
}

/// The version as numbers, so that 1.9 sorts before 1.10.
const VERSION: &str = "coalesce(lpad((regexp_match(line.cluster_version, '(\\d+)\\.\\d+'))[1], 6, '0')
    || lpad((regexp_match(line.cluster_version, '\\d+\\.(\\d+)'))[1], 6, '0'), '') || line.cluster_version";

/// All rows of the family `$1`. The last check decides the state, see [`Standing`].
const LINES: &str = "SELECT i.id, i.name, i.name_key, i.version, coalesce(u.host, '') AS host, i.active, i.row_version,
        l.searched, coalesce(d.cluster_version, '') AS cluster_version, coalesce(d.image, '') AS image,
        coalesce(d.desired, 0) AS desired, coalesce(d.ready, 0) AS ready, d.seen_at, d.deployed_at,
        CASE jsonb_typeof(d.state->'drift') WHEN 'array' THEN jsonb_array_length(d.state->'drift') ELSE 0 END::bigint
            AS drift,
        coalesce(d.state->'trouble'->>0, '') AS trouble,
        CASE WHEN d.integration_id IS NULL THEN 5 WHEN d.removed THEN 6 WHEN d.seen_at IS NULL THEN 3
            WHEN d.drifted THEN 1 WHEN d.finished THEN 4 WHEN coalesce(d.state->'trouble'->>0, '') <> '' THEN 0
            ELSE 2 END::smallint AS rank
    FROM integration_lines l JOIN integrations i ON i.id = l.integration_id
    LEFT JOIN deployments d ON d.integration_id = i.id
    LEFT JOIN usages u ON u.integration_id = i.id AND u.role = 'main'
    WHERE l.family = $1";

impl Query {
    fn patterns(&self) -> Vec<String> {
        let words = self.search.split_whitespace().take(MOST_WORDS);
        words.map(|word| format!("%{}%", super::escape_like(&word.to_lowercase()))).collect()
    }

    /// Whether any filter is set.
    pub fn filters(&self) -> bool {
        self.standing.is_some() || [&self.search, &self.version, &self.image].iter().any(|text| !text.trim().is_empty())
    }

    /// The filters as SQL; `$2` to `$4` are search patterns, version and image.
    fn conditions(&self) -> String {
        let rank = self.standing.map_or("true".to_owned(), |standing| format!("line.rank = {}", standing.rank()));
        format!(
            "line.searched LIKE ALL ($2) AND ($3 = '' OR line.cluster_version = $3) AND ($4 = '' OR line.image = $4) \
             AND {rank}"
        )
    }

    fn start(&self) -> (String, String) {
        match self.from.as_ref().map(|place| &place.key) {
            Some(Key::Text(name)) => (String::new(), name.clone()),
            Some(Key::Pair(first, name)) => (first.clone(), name.clone()),
            _ => (String::new(), String::new()),
        }
    }
}

/// A page of rows, and the number of all matches.
pub struct Found {
    pub page: Page<Line>,
    pub total: i64,
}

pub fn page(conn: &mut Conn, query: &Query) -> Result<Found, DbError> {
    let rows = sorted(conn, query, PAGE + 1)?;
    let page = Page::cut(rows, PAGE, query.from.as_ref().map(|place| place.back));
    let number = format!("SELECT count(*) AS number FROM ({LINES}) line WHERE {}", query.conditions());
    let Number { number } = diesel::sql_query(number)
        .bind::<Text, _>(query.family)
        .bind::<Array<Text>, _>(query.patterns())
        .bind::<Text, _>(&query.version)
        .bind::<Text, _>(&query.image)
        .get_result(conn)?;
    Ok(Found { page, total: number })
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// The first rows of the query, in its order, from its position on.
pub fn sorted(conn: &mut Conn, query: &Query, most: i64) -> Result<Vec<Line>, DbError> {
    let up = query.descending == query.from.as_ref().is_some_and(|place| place.back);
    let (sign, down) = if up { (">", "") } else { ("<", " DESC") };
    let (column, kind) = query.sort.column().unwrap_or(("''", "text"));
    let beyond = match (&query.from, query.sort) {
        (None, _) => "true".to_owned(),
        (Some(_), Sort::Name) => format!("line.name_key {sign} $6 AND $5 = ''"),
        (Some(_), _) => format!("({column}, line.name_key) {sign} ($5::{kind}, $6)"),
    };
    let (text, order) = match query.sort {
        Sort::Name => ("''".to_owned(), format!("line.name_key{down}")),
        Sort::Seen => {
            (format!("to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"), String::new())
        }
        _ => (format!("({column})::text"), String::new()),
    };
    let order = if order.is_empty() { format!("{column}{down}, line.name_key{down}") } else { order };
    let rows = format!(
        "SELECT line.*, {text} AS sorted FROM ({LINES}) line WHERE {} AND {beyond} ORDER BY {order} LIMIT $7",
        query.conditions()
    );
    let (first, name) = query.start();
    // Without a position, $5 and $6 are not used.
    let first = if query.from.is_none() { String::new() } else { first };
    Ok(diesel::sql_query(rows)
        .bind::<Text, _>(query.family)
        .bind::<Array<Text>, _>(query.patterns())
        .bind::<Text, _>(&query.version)
        .bind::<Text, _>(&query.image)
        .bind::<Text, _>(first)
        .bind::<Text, _>(name)
        .bind::<BigInt, _>(most)
        .load(conn)?)
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = SmallInt)]
    rank: i16,
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// How many deployments are in each state, in the order of [`Standing::ALL`].
pub fn counts(conn: &mut Conn, family: &str) -> Result<[i64; 7], DbError> {
    let query = format!("SELECT rank, count(*) AS number FROM ({LINES}) line GROUP BY rank");
    let found: Vec<Counted> = diesel::sql_query(query).bind::<Text, _>(family).load(conn)?;
    let of = |standing: Standing| found.iter().find(|one| one.rank == standing.rank()).map_or(0, |one| one.number);
    Ok(Standing::ALL.map(of))
}

#[derive(QueryableByName)]
struct Value {
    #[diesel(sql_type = Text)]
    value: String,
}

/// The Kubernetes versions and the images to filter by.
pub fn values(conn: &mut Conn) -> Result<(Vec<String>, Vec<String>), DbError> {
    let mut of = |column: &str| {
        let query =
            format!("SELECT DISTINCT {column} AS value FROM deployments WHERE {column} <> '' ORDER BY 1 LIMIT $1");
        let found: Vec<Value> = diesel::sql_query(query).bind::<BigInt, _>(MOST_VALUES).load(conn)?;
        Ok::<_, DbError>(found.into_iter().map(|one| one.value).collect())
    };
    Ok((of("cluster_version")?, of("image")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_of_another_sort_is_none() {
        let pair = |first: &str| Key::Pair(first.to_owned(), "a".to_owned());
        assert!(is_of(Sort::State, &pair("3")) && !is_of(Sort::State, &pair("x")));
        assert!(is_of(Sort::Seen, &pair("2026-11-27T10:00:00.5Z")) && !is_of(Sort::Seen, &pair("infinity")));
        assert!(is_of(Sort::Name, &Key::Text("a".to_owned())) && !is_of(Sort::Name, &pair("a")));
        assert_eq!(Standing::Removed.rank(), 6);
    }
}
