//! The table of credentials: filtered, searched, sorted by any column, a page at a time. Paging is by key, so a deep
//! page costs what the first one does; each sort has its index in the migration.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

use super::provider_facts;
use super::schema::credentials;
use super::{Conn, DbError};

pub const PAGE: usize = 50;
/// Days ahead that count as *expiring*.
pub const EXPIRING_DAYS: i32 = 30;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Name,
    Kind,
    Identity,
    Age,
    Usages,
    Used,
    Expires,
    Editor,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Stale,
    Unused,
    Expiring,
}

/// What the visitor asked for; the URL holds it.
#[derive(Clone, Debug, Default)]
pub struct Query {
    pub search: String,
    pub kind: String,
    pub state: Option<State>,
    pub sort: Sort,
    pub descending: bool,
    pub from: Option<Place>,
    /// Days after which a secret is stale.
    pub stale_days: i32,
}

/// The row that a page starts after, or, going back, ends before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub key: Key,
    pub id: Uuid,
    pub back: bool,
}

/// The value of the sorted column there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    Text(String),
    Pair(String, String),
    Number(i32),
    /// Microseconds since 1970.
    Time(i64),
    /// After every time.
    Never,
}

#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = credentials)]
pub struct Row {
    pub id: Uuid,
    pub kind: String,
    pub name: String,
    pub name_key: String,
    pub identity: String,
    pub ages: bool,
    pub expires_at: Option<DateTime<Utc>>,
    pub shipped: bool,
    pub secret_version: i32,
    pub secret_set_at: DateTime<Utc>,
    pub usage_count: i32,
    pub last_used_at: DateTime<Utc>,
    pub integrity_failed_at: Option<DateTime<Utc>>,
    pub edited_at: DateTime<Utc>,
    pub edited_by: String,
    pub tested_at: Option<DateTime<Utc>>,
    pub test_verdict: Option<String>,
    pub test_sentence: Option<String>,
}

impl Row {
    /// Where this row stands in a sort.
    pub fn place(&self, sort: Sort, back: bool) -> Place {
        let key = match sort {
            Sort::Name => Key::Text(self.name_key.clone()),
            Sort::Kind => Key::Pair(self.kind.clone(), self.name_key.clone()),
            Sort::Identity => Key::Text(self.identity.clone()),
            Sort::Age => Key::Time(self.secret_set_at.timestamp_micros()),
            Sort::Usages => Key::Number(self.usage_count),
            Sort::Used => Key::Time(self.last_used_at.timestamp_micros()),
            Sort::Expires => self.expires_at.map_or(Key::Never, |at| Key::Time(at.timestamp_micros())),
            Sort::Editor => Key::Text(self.edited_by.clone()),
        };
        Place { key, id: self.id, back }
    }
}

/// One page, and whether there are rows before and after it.
#[derive(Clone, Debug)]
pub struct Page {
    pub rows: Vec<Row>,
    pub before: bool,
    pub after: bool,
    /// When the providers say that the keys were made, where they tell.
    pub made: HashMap<(Uuid, i32), DateTime<Utc>>,
    /// The database's clock, for ages.
    pub now: DateTime<Utc>,
}

/// One row of the table, as it is now.
pub fn find(connection: &mut Conn, id: Uuid) -> Result<(Row, DateTime<Utc>), DbError> {
    let columns = (Row::as_select(), sql::<Timestamptz>("now()"));
    Ok(credentials::table.find(id).select(columns).first(connection)?)
}

type Boxed<'a> = diesel::helper_types::IntoBoxed<'a, credentials::table, Pg>;

pub fn page(connection: &mut Conn, query: &Query) -> Result<Page, DbError> {
    let back = query.from.as_ref().is_some_and(|place| place.back);
    let up = ascending(query, back);
    let mut rows = filtered(query);
    if let Some(place) = &query.from {
        rows = rows.filter(beyond(query.sort, place, up));
    }
    let mut found: Vec<(Row, DateTime<Utc>)> = rows
        .order(sql::<Text>(order(query.sort, up)))
        .limit(PAGE as i64 + 1)
        .select((Row::as_select(), sql::<Timestamptz>("now()")))
        .load(connection)?;
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    if back {
        found.reverse();
    }
    let now = match found.first() {
        Some((_, now)) => *now,
        None => super::clock(connection)?,
    };
    let ids: Vec<Uuid> = found.iter().map(|(row, _)| row.id).collect();
    let made = provider_facts::made(connection, &ids)?;
    let started = query.from.is_some();
    let (before, after) = if back { (more, true) } else { (started, more) };
    Ok(Page { rows: found.into_iter().map(|(row, _)| row).collect(), before, after, made, now })
}

fn filtered(query: &Query) -> Boxed<'_> {
    let mut rows = credentials::table.into_boxed();
    let search = query.search.trim().to_lowercase();
    let pattern = super::escape_like(&search);
    match search.chars().count() {
        0 => {}
        // A trigram index cannot help with one or two characters: they match the beginning of the name.
        1 | 2 => rows = rows.filter(credentials::name_key.like(format!("{pattern}%"))),
        _ => rows = rows.filter(credentials::search.like(format!("%{pattern}%"))),
    }
    if !query.kind.is_empty() {
        rows = rows.filter(credentials::kind.eq(&query.kind));
    }
    match query.state {
        None => rows,
        Some(State::Unused) => rows.filter(credentials::usage_count.eq(0).and(credentials::shipped.eq(false))),
        Some(State::Stale) => rows.filter(credentials::ages).filter(
            sql::<Bool>("secret_set_at < now() - make_interval(days => ").bind::<Integer, _>(query.stale_days).sql(")"),
        ),
        Some(State::Expiring) => rows.filter(
            sql::<Bool>("expires_at < now() + make_interval(days => ").bind::<Integer, _>(EXPIRING_DAYS).sql(")"),
        ),
    }
}

/// Age counts up while the moment of storing counts down.
fn ascending(query: &Query, back: bool) -> bool {
    let flipped = matches!(query.sort, Sort::Age);
    (query.descending == flipped) != back
}

fn order(sort: Sort, up: bool) -> &'static str {
    match (sort, up) {
        (Sort::Name, true) => "name_key",
        (Sort::Name, false) => "name_key DESC",
        (Sort::Kind, true) => "kind, name_key",
        (Sort::Kind, false) => "kind DESC, name_key DESC",
        (Sort::Identity, true) => "identity, id",
        (Sort::Identity, false) => "identity DESC, id DESC",
        (Sort::Age, true) => "secret_set_at, id",
        (Sort::Age, false) => "secret_set_at DESC, id DESC",
        (Sort::Usages, true) => "usage_count, id",
        (Sort::Usages, false) => "usage_count DESC, id DESC",
        (Sort::Used, true) => "last_used_at, id",
        (Sort::Used, false) => "last_used_at DESC, id DESC",
        (Sort::Expires, true) => "coalesce(expires_at, 'infinity'), id",
        (Sort::Expires, false) => "coalesce(expires_at, 'infinity') DESC, id DESC",
        (Sort::Editor, true) => "edited_by, id",
        (Sort::Editor, false) => "edited_by DESC, id DESC",
    }
}

type Condition<'a> = Box<dyn diesel::expression::BoxableExpression<credentials::table, Pg, SqlType = Bool> + 'a>;

/// `(column, id) > (value, id)`: a row comparison, which walks the index from exactly there.
fn beyond<'a>(sort: Sort, place: &'a Place, up: bool) -> Condition<'a> {
    let sign = if up { ") > (" } else { ") < (" };
    let text = |column: &'static str, text: &'a str| -> Condition<'a> {
        let value = sql::<Bool>("(").sql(column).sql(", id").sql(sign).bind::<Text, _>(text);
        Box::new(value.sql(", ").bind::<SqlUuid, _>(place.id).sql(")"))
    };
    let time = |column: &'static str, micros: i64| -> Condition<'a> {
        let at = DateTime::<Utc>::from_timestamp_micros(micros).unwrap_or_default();
        let value = sql::<Bool>("(").sql(column).sql(", id").sql(sign).bind::<Timestamptz, _>(at);
        Box::new(value.sql(", ").bind::<SqlUuid, _>(place.id).sql(")"))
    };
    match (sort, &place.key) {
        (Sort::Name, Key::Text(name)) => Box::new(sql::<Bool>("(name_key").sql(sign).bind::<Text, _>(name).sql(")")),
        (Sort::Kind, Key::Pair(kind, name)) => Box::new(
            sql::<Bool>("(kind, name_key").sql(sign).bind::<Text, _>(kind).sql(", ").bind::<Text, _>(name).sql(")"),
        ),
        (Sort::Identity, Key::Text(value)) => text("identity", value),
        (Sort::Editor, Key::Text(value)) => text("edited_by", value),
        (Sort::Usages, Key::Number(count)) => Box::new(
            sql::<Bool>("(usage_count, id")
                .sql(sign)
                .bind::<Integer, _>(count)
                .sql(", ")
                .bind::<SqlUuid, _>(place.id)
                .sql(")"),
        ),
        (Sort::Age, Key::Time(at)) => time("secret_set_at", *at),
        (Sort::Used, Key::Time(at)) => time("last_used_at", *at),
        (Sort::Expires, Key::Time(at)) => time("coalesce(expires_at, 'infinity')", *at),
        (Sort::Expires, Key::Never) => Box::new(
            sql::<Bool>("(coalesce(expires_at, 'infinity'), id")
                .sql(sign)
                .sql("timestamptz 'infinity', ")
                .bind::<SqlUuid, _>(place.id)
                .sql(")"),
        ),
        // A place of another sort: start from the beginning.
        _ => Box::new(sql::<Bool>("true")),
    }
}

/// Numbers for the dashboard.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// (kind, how many), most first.
    pub kinds: Vec<(String, i64)>,
    /// Ages of the secrets that age, by thirds of the limit: under a third, under two, under the limit, over it.
    pub ages: [i64; 4],
    pub unused: i64,
    pub expiring: i64,
    pub failed_integrity: i64,
}

#[derive(QueryableByName)]
struct Counts {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = BigInt)]
    total: i64,
    #[diesel(sql_type = BigInt)]
    first: i64,
    #[diesel(sql_type = BigInt)]
    second: i64,
    #[diesel(sql_type = BigInt)]
    third: i64,
    #[diesel(sql_type = BigInt)]
    stale: i64,
    #[diesel(sql_type = BigInt)]
    unused: i64,
    #[diesel(sql_type = BigInt)]
    expiring: i64,
    #[diesel(sql_type = BigInt)]
    failed: i64,
}

pub fn summary(connection: &mut Conn, stale_days: i32) -> Result<Summary, DbError> {
    let counts: Vec<Counts> = diesel::sql_query(
        "SELECT kind, count(*) AS total,
            count(*) FILTER (WHERE ages AND now() - secret_set_at < make_interval(days => $1) / 3) AS first,
            count(*) FILTER (WHERE ages AND now() - secret_set_at >= make_interval(days => $1) / 3
                AND now() - secret_set_at < make_interval(days => $1) * 2 / 3) AS second,
            count(*) FILTER (WHERE ages AND now() - secret_set_at >= make_interval(days => $1) * 2 / 3
                AND now() - secret_set_at <= make_interval(days => $1)) AS third,
            count(*) FILTER (WHERE ages AND now() - secret_set_at > make_interval(days => $1)) AS stale,
            count(*) FILTER (WHERE usage_count = 0 AND NOT shipped) AS unused,
            count(*) FILTER (WHERE expires_at < now() + make_interval(days => $2)) AS expiring,
            count(*) FILTER (WHERE integrity_failed_at IS NOT NULL) AS failed
         FROM credentials GROUP BY kind ORDER BY total DESC, kind",
    )
    .bind::<Integer, _>(stale_days)
    .bind::<Integer, _>(EXPIRING_DAYS)
    .load(connection)?;
    let mut summary = Summary::default();
    for row in counts {
        summary.kinds.push((row.kind, row.total));
        for (sum, part) in summary.ages.iter_mut().zip([row.first, row.second, row.third, row.stale]) {
            *sum += part;
        }
        summary.unused += row.unused;
        summary.expiring += row.expiring;
        summary.failed_integrity += row.failed;
    }
    Ok(summary)
}

/// Credentials whose stored value was found altered, the latest find first.
pub fn altered(connection: &mut Conn, limit: i64) -> Result<Vec<Row>, DbError> {
    Ok(credentials::table
        .filter(credentials::integrity_failed_at.is_not_null())
        .order(credentials::integrity_failed_at.desc())
        .limit(limit)
        .select(Row::as_select())
        .load(connection)?)
}
