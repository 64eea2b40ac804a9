//! The rows of the *Clients* table. For display only. Sorting and searching use no index, since an organisation has a few
//! thousand programs at most.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};

use super::paging::{self, Key, Page};
use super::times::{MaybeTime, Time};
use super::{ClientId, Conn, DbError};

pub const PAGE: i64 = 50;
/// Days ahead in which a login counts as ending.
pub const ENDING_DAYS: i32 = 30;
/// Most words of a search; further ones are ignored.
const MOST_WORDS: usize = 10;

/// The client after which a page starts or, going back, before which it ends.
pub type Place = paging::Place<ClientId>;

/// A row of the table.
#[derive(Clone, Debug, QueryableByName)]
pub struct Line {
    #[diesel(sql_type = SqlUuid)]
    pub id: ClientId,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub name_key: String,
    #[diesel(sql_type = Text)]
    pub description: String,
    #[diesel(sql_type = Bool)]
    pub active: bool,
    #[diesel(sql_type = Array<Text>)]
    pub networks: Vec<String>,
    /// Words of its methods, each once.
    #[diesel(sql_type = Array<Text>)]
    pub methods: Vec<String>,
    #[diesel(sql_type = BigInt)]
    pub rules: i64,
    /// How many of them let a stored value leave.
    #[diesel(sql_type = BigInt)]
    pub values: i64,
    /// The epoch: never.
    #[diesel(sql_type = Timestamptz)]
    #[diesel(deserialize_as = Time)]
    pub last_used_at: DateTime<Utc>,
    /// When the first of its logins ends that was not rotated.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    #[diesel(deserialize_as = MaybeTime)]
    pub ends_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    #[diesel(deserialize_as = Time)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub created_by: String,
    /// The value of the sorted column as text.
    #[diesel(sql_type = Text)]
    sorted: String,
}

impl Line {
    /// The position of a row in a sort order.
    pub fn place(&self, sort: Sort, back: bool) -> Place {
        let key = match sort {
            Sort::Name => Key::Text(self.name_key.clone()),
            _ => Key::Pair(self.sorted.clone(), self.name_key.clone()),
        };
        Place { key, id: self.id, back }
    }

    /// Whether it has never fetched anything.
    pub fn is_unused(&self) -> bool {
        self.last_used_at <= DateTime::UNIX_EPOCH
    }
}

/// The filters of one click.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Active,
    /// A login ends within [`ENDING_DAYS`], or has ended.
    Ending,
    Unused,
    Disabled,
}

impl State {
    pub const ALL: [Self; 4] = [Self::Active, Self::Ending, Self::Unused, Self::Disabled];

    fn condition(self) -> String {
        match self {
            Self::Active => "c.active".to_owned(),
            Self::Ending => format!("c.active AND c.ends_at < now() + interval '{ENDING_DAYS} days'"),
            Self::Unused => "c.active AND c.last_used_at <= 'epoch'".to_owned(),
            Self::Disabled => "NOT c.active".to_owned(),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Name,
    Rules,
    Used,
    Ends,
    Created,
}

impl Sort {
    /// The column that is sorted by before the name, and its SQL type.
    fn column(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Name => None,
            Self::Rules => Some(("line.rules", "bigint")),
            Self::Used => Some(("line.last_used_at", "timestamptz")),
            Self::Ends => Some(("coalesce(line.ends_at, timestamptz '9999-12-31 UTC')", "timestamptz")),
            Self::Created => Some(("line.created_at", "timestamptz")),
        }
    }
}

/// Whether a position fits the sort order. It comes from the address, which anyone can write.
pub fn is_of(sort: Sort, key: &Key) -> bool {
    match (sort, key) {
        (Sort::Name, Key::Text(_)) => true,
        (Sort::Rules, Key::Pair(count, _)) => count.parse::<i64>().is_ok(),
        (Sort::Used | Sort::Ends | Sort::Created, Key::Pair(at, _)) => DateTime::parse_from_rfc3339(at).is_ok(),
        _ => false,
    }
}

/// The filters and the sort order.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Each word has to occur in name or description.
    pub search: String,
    pub state: Option<State>,
    /// Word of a method; blank for all.
    pub method: String,
    pub sort: Sort,
    pub descending: bool,
    pub from: Option<Place>,
}

const LINES: &str = "SELECT c.id, c.name, c.name_key, c.description, c.active, c.networks, c.last_used_at, c.ends_at,
        c.created_at, c.created_by,
        ARRAY(SELECT DISTINCT l.method FROM client_logins l WHERE l.client_id = c.id ORDER BY 1) AS methods,
        (SELECT count(*) FROM client_rules r WHERE r.client_id = c.id) AS rules,
        (SELECT count(*) FROM client_rules r WHERE r.client_id = c.id AND r.form = 'value') AS values
    FROM clients c WHERE lower(c.name || ' ' || c.description) LIKE ALL ($1)
        AND ($2 = '' OR EXISTS (SELECT FROM client_logins l WHERE l.client_id = c.id AND l.method = $2))";

impl Query {
    fn patterns(&self) -> Vec<String> {
        let words = self.search.split_whitespace().take(MOST_WORDS);
        words.map(|word| format!("%{}%", super::escape_like(&word.to_lowercase()))).collect()
    }

    /// Whether any filter is set.
    pub fn filters(&self) -> bool {
        self.state.is_some() || !self.method.is_empty() || !self.search.trim().is_empty()
    }

    fn state(&self) -> String {
        self.state.map_or("true".to_owned(), State::condition)
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

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

pub fn page(conn: &mut Conn, query: &Query) -> Result<Found, DbError> {
    let rows = sorted(conn, query, PAGE + 1)?;
    let page = Page::cut(rows, PAGE, query.from.as_ref().map(|place| place.back));
    let number = format!("SELECT count(*) AS number FROM ({LINES} AND {}) line", query.state());
    let counted = diesel::sql_query(number).bind::<Array<Text>, _>(query.patterns()).bind::<Text, _>(&query.method);
    let Number { number } = counted.get_result(conn)?;
    Ok(Found { page, total: number })
}

/// The first rows that the query asks for, in its order and from its place on.
pub fn sorted(conn: &mut Conn, query: &Query, most: i64) -> Result<Vec<Line>, DbError> {
    let back = query.from.as_ref().is_some_and(|place| place.back);
    let up = query.descending == back;
    let (sign, way) = if up { (">", "ASC") } else { ("<", "DESC") };
    let (sorted, beyond, order) = match query.sort.column() {
        None => ("''".to_owned(), format!("line.name_key {sign} $4"), format!("line.name_key {way}")),
        Some((column, kind)) => (
            // Times as RFC 3339, which is what comes back in the address.
            match kind {
                "timestamptz" => {
                    format!("to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
                }
                _ => format!("({column})::text"),
            },
            format!("({column}, line.name_key) {sign} (nullif($3, '')::{kind}, $4)"),
            format!("{column} {way}, line.name_key {way}"),
        ),
    };
    // Without a position, $3 and $4 are not used.
    let beyond = if query.from.is_some() { beyond } else { "true".to_owned() };
    let (first, name) = query.start();
    let text = format!(
        "SELECT line.*, {sorted} AS sorted FROM ({LINES} AND {}) line WHERE ({beyond}) ORDER BY {order} LIMIT $5",
        query.state()
    );
    Ok(diesel::sql_query(text)
        .bind::<Array<Text>, _>(query.patterns())
        .bind::<Text, _>(&query.method)
        .bind::<Text, _>(first)
        .bind::<Text, _>(name)
        .bind::<BigInt, _>(most)
        .load(conn)?)
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = Array<Integer>)]
    counts: Vec<i32>,
}

/// How many clients there are, and of each state how many.
pub fn counts(conn: &mut Conn) -> Result<(i64, [i64; 4]), DbError> {
    let each = State::ALL.map(|state| format!("(count(*) FILTER (WHERE {}))::int", state.condition()));
    let text = format!("SELECT ARRAY[count(*)::int, {}] AS counts FROM clients c", each.join(", "));
    let Counted { counts } = diesel::sql_query(text).get_result(conn)?;
    let at = |at: usize| counts.get(at).copied().map_or(0, i64::from);
    Ok((at(0), [at(1), at(2), at(3), at(4)]))
}

/// A client that a search has found.
#[derive(Clone, Debug, QueryableByName)]
pub struct Hit {
    #[diesel(sql_type = SqlUuid)]
    pub id: ClientId,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub description: String,
    #[diesel(sql_type = Bool)]
    pub active: bool,
}

/// The first clients that have every word of a search.
pub fn search(conn: &mut Conn, text: &str, most: i64) -> Result<Vec<Hit>, DbError> {
    let query = Query { search: text.to_owned(), ..Query::default() };
    let found = diesel::sql_query(
        "SELECT c.id, c.name, c.description, c.active FROM clients c
         WHERE lower(c.name || ' ' || c.description) LIKE ALL ($1) ORDER BY c.name_key LIMIT $2",
    );
    Ok(found.bind::<Array<Text>, _>(query.patterns()).bind::<BigInt, _>(most).load(conn)?)
}
