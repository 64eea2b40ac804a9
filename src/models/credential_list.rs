//! The table of credentials: filtered, searched, sorted by any column, a page at a time. Paging is by key, so a deep
//! page costs what the first one does; each sort has its index in the migration. Which rows a search looks at is chosen in
//! `credential_search`.

use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Text, Timestamptz, Uuid as SqlUuid};

use super::credential_query::{
    Key, MOST_COUNTED, On, PAGE, Page, Place, Query, Row, Searched, Sort, Total, conditions, holds, is_of,
};
use super::credential_search::{self, Walked, Way};
use super::schema::credentials;
use super::{Conn, CredentialId, DbError, paging};

/// Longest that looking within words may take: then a page says so, and beginnings of words are still found.
const PATIENCE: &str = "SET LOCAL statement_timeout = '1500ms'";

/// One row of the table, as it is now.
pub fn find(connection: &mut Conn, id: CredentialId) -> Result<(Row, DateTime<Utc>), DbError> {
    let columns = (Row::as_select(), sql::<Timestamptz>("now()"));
    Ok(credentials::table.find(id).select(columns).first(connection)?)
}

/// Those of the ids that there are, by name.
pub fn of(conn: &mut Conn, ids: Vec<CredentialId>) -> Result<Vec<Row>, DbError> {
    let rows = credentials::table.filter(credentials::id.eq_any(ids)).order(credentials::name_key);
    Ok(rows.select(Row::as_select()).load(conn)?)
}

pub fn page(conn: &mut Conn, query: &Query) -> Result<Page, DbError> {
    let words = query.words();
    if words.is_empty() {
        return rows_of(conn, query, &words, None);
    }
    let page = match credential_search::way(conn, &words)? {
        Way::All => return rows_of(conn, query, &words, None),
        Way::Among(ids) if !query.inside => {
            let page = rows_of(conn, query, &words, Some(ids))?;
            Page { searched: Searched::Beginnings, ..page }
        }
        Way::Along(lead) if !query.inside && query.sort == Sort::Match => along(conn, query, &words, &lead)?,
        _ => return patiently(conn, query, &words),
    };
    // Nobody shall read "nothing found" of what begins words alone.
    if page.rows.is_empty() && page.next.is_none() && query.from.is_none() {
        return patiently(conn, query, &words);
    }
    Ok(page)
}

/// The next rows by the sort of the query, for a file of all pages, and whether there are more.
pub fn chunk(conn: &mut Conn, query: &Query, size: i64) -> Result<(Vec<Row>, bool), DbError> {
    let words = query.words();
    let among = among(conn, query, &words)?;
    let found = sorted(conn, query, &words, among, size + 1)?;
    let more = found.len() as i64 > size;
    Ok((found.into_iter().map(|(row, _)| row).take(size as usize).collect(), more))
}

/// The first `most` that the query asks for, by name, and one more where there are more.
pub fn ids(conn: &mut Conn, query: &Query, most: i64) -> Result<Vec<CredentialId>, DbError> {
    let words = query.words();
    let among = among(conn, query, &words)?;
    let rows = wanted(query, &words, among);
    Ok(rows.order(credentials::name_key).limit(most + 1).select(credentials::id).load(conn)?)
}

/// Where a search finds few, those.
fn among(conn: &mut Conn, query: &Query, words: &[String]) -> Result<Option<Vec<CredentialId>>, DbError> {
    if words.is_empty() || query.inside {
        return Ok(None);
    }
    match credential_search::way(conn, words)? {
        Way::Among(ids) => Ok(Some(ids)),
        _ => Ok(None),
    }
}

/// A credential that may be one that somebody is about to add.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = credentials)]
pub struct Known {
    pub kind: String,
    pub name: String,
    pub name_key: String,
    pub identity: String,
}

/// Those that have one of these name keys or identities.
pub fn alike(connection: &mut Conn, keys: &[String], identities: &[String]) -> Result<Vec<Known>, DbError> {
    let identities: Vec<&String> = identities.iter().filter(|identity| !identity.is_empty()).collect();
    let same = credentials::name_key.eq_any(keys).or(credentials::identity.eq_any(identities));
    Ok(credentials::table.filter(same).select(Known::as_select()).load(connection)?)
}

type Found = Vec<(Row, DateTime<Utc>)>;

/// All rows that the query asks for, among those where some are given.
fn wanted<'a>(query: &'a Query, words: &[String], among: Option<Vec<CredentialId>>) -> credentials::BoxedQuery<'a, Pg> {
    let mut rows = credentials::table.into_boxed();
    let all: Vec<On<'a, credentials::table>> =
        among.map(is_of).into_iter().chain(holds(words)).chain(conditions(query)).collect();
    for condition in all {
        rows = rows.filter(condition);
    }
    rows
}

/// The next of them in the order of the query.
fn sorted(
    conn: &mut Conn,
    query: &Query,
    words: &[String],
    among: Option<Vec<CredentialId>>,
    most: i64,
) -> Result<Found, DbError> {
    let up = ascending(query, query.from.as_ref().is_some_and(|place| place.back));
    let mut rows = wanted(query, words, among);
    if let Some(place) = &query.from {
        rows = rows.filter(beyond(query.sort, place, up));
    }
    let columns = (Row::as_select(), sql::<Timestamptz>("now()"));
    Ok(rows.order(sql::<Text>(order(query.sort, up))).limit(most).select(columns).load(conn)?)
}

/// A page in the order of a column.
fn rows_of(
    conn: &mut Conn,
    query: &Query,
    words: &[String],
    among: Option<Vec<CredentialId>>,
) -> Result<Page, DbError> {
    let by_name = Query { sort: Sort::Name, descending: false, ..query.clone() };
    let query = if query.sort == Sort::Match { &by_name } else { query };
    let found = sorted(conn, query, words, among.clone(), PAGE as i64 + 1)?;
    let cut = paging::Page::cut(found, PAGE as i64, query.from.as_ref().map(|place| place.back));
    let paging::Page { rows: found, before, after } = cut;
    let now = match found.first() {
        Some((_, now)) => *now,
        None => super::clock(conn)?,
    };
    let rows: Vec<Row> = found.into_iter().map(|(row, _)| row).collect();
    let total = match (query.filters(), before || after) {
        (false, _) => Total::All,
        (true, false) => Total::Exactly(rows.len() as i64),
        (true, true) => {
            let counted = wanted(query, words, among).select(sql::<Integer>("1")).limit(MOST_COUNTED + 1);
            Total::of(counted.load::<i32>(conn)?.len() as i64)
        }
    };
    let previous = rows.first().map(|row| row.place(query.sort, true)).filter(|_| before);
    let next = rows.last().map(|row| row.place(query.sort, false)).filter(|_| after);
    Ok(Page { rows, previous, next, now, sort: query.sort, total, searched: Searched::Everywhere })
}

/// The same where every row may have to be looked at.
fn patiently(conn: &mut Conn, query: &Query, words: &[String]) -> Result<Page, DbError> {
    let looked = conn.transaction(|conn| {
        conn.batch_execute(PATIENCE)?;
        let page = rows_of(conn, query, words, None)?;
        conn.batch_execute("SET LOCAL statement_timeout = '5s'")?;
        Ok(page)
    });
    match looked {
        Err(DbError::Unavailable) => {
            let now = super::clock(conn)?;
            let (rows, total, searched) = (Vec::new(), Total::Unknown, Searched::TooMany);
            Ok(Page { rows, previous: None, next: None, now, sort: Sort::Name, total, searched })
        }
        looked => looked,
    }
}

/// A page in the order of what follows a word.
fn along(conn: &mut Conn, query: &Query, words: &[String], lead: &str) -> Result<Page, DbError> {
    let Walked { rows, stopped } = credential_search::walk(conn, query, words, lead)?;
    let back = query.from.as_ref().is_some_and(|place| place.back);
    let cut = paging::Page::cut(rows, PAGE as i64, query.from.as_ref().map(|place| place.back));
    let paging::Page { rows, before, after } = cut;
    let place = |row: Option<&(Row, String)>, back| {
        row.map(|(row, word)| Place { key: Key::Text(word.clone()), id: row.id, back })
    };
    let mut previous = place(rows.first(), true).filter(|_| before);
    let mut next = place(rows.last(), false).filter(|_| after);
    let whole = stopped.is_none() && !before && !after;
    if stopped.is_some() {
        *(if back { &mut previous } else { &mut next }) = stopped;
    }
    let plain = credential_search::others(words, lead).is_empty() && query.kind.is_empty();
    let plain = plain && query.tag.is_empty() && query.owner.is_empty() && query.state.is_none();
    let total = match (whole, plain) {
        (true, _) => Total::Exactly(rows.len() as i64),
        (false, true) => Total::of(credential_search::count(conn, lead)?),
        (false, false) => Total::Unknown,
    };
    let (now, searched) = (super::clock(conn)?, Searched::Beginnings);
    let rows = rows.into_iter().map(|(row, _)| row).collect();
    Ok(Page { rows, previous, next, now, sort: Sort::Match, total, searched })
}

/// Age counts up while the moment from which it counts goes down.
fn ascending(query: &Query, back: bool) -> bool {
    let flipped = matches!(query.sort, Sort::Age);
    (query.descending == flipped) != back
}

fn order(sort: Sort, up: bool) -> &'static str {
    match (sort, up) {
        (Sort::Name | Sort::Match, true) => "name_key",
        (Sort::Name | Sort::Match, false) => "name_key DESC",
        (Sort::Kind, true) => "kind, name_key",
        (Sort::Kind, false) => "kind DESC, name_key DESC",
        (Sort::Identity, true) => "identity, id",
        (Sort::Identity, false) => "identity DESC, id DESC",
        (Sort::Age, true) => "aged_from, id",
        (Sort::Age, false) => "aged_from DESC, id DESC",
        (Sort::Usages, true) => "usage_count, id",
        (Sort::Usages, false) => "usage_count DESC, id DESC",
        (Sort::Used, true) => "last_used_at, id",
        (Sort::Used, false) => "last_used_at DESC, id DESC",
        (Sort::Expires, true) => "coalesce(expires_at, 'infinity'), id",
        (Sort::Expires, false) => "coalesce(expires_at, 'infinity') DESC, id DESC",
        (Sort::Editor, true) => "edited_by, id",
        (Sort::Editor, false) => "edited_by DESC, id DESC",
        (Sort::Owner, true) => "owner, name_key",
        (Sort::Owner, false) => "owner DESC, name_key DESC",
    }
}

/// `(column, id) > (value, id)`: a row comparison, which walks the index from exactly there.
fn beyond<'a>(sort: Sort, place: &'a Place, up: bool) -> On<'a, credentials::table> {
    let sign = if up { ") > (" } else { ") < (" };
    let text = |column: &'static str, text: &'a str| -> On<'a, credentials::table> {
        let value = sql::<Bool>("(").sql(column).sql(", id").sql(sign).bind::<Text, _>(text);
        Box::new(value.sql(", ").bind::<SqlUuid, _>(place.id).sql(")"))
    };
    let pair = |columns: &'static str, first: &'a str, name: &'a str| -> On<'a, credentials::table> {
        let value = sql::<Bool>(columns).sql(sign).bind::<Text, _>(first).sql(", ");
        Box::new(value.bind::<Text, _>(name).sql(")"))
    };
    let time = |column: &'static str, micros: i64| -> On<'a, credentials::table> {
        let at = DateTime::<Utc>::from_timestamp_micros(micros).unwrap_or_default();
        let value = sql::<Bool>("(").sql(column).sql(", id").sql(sign).bind::<Timestamptz, _>(at);
        Box::new(value.sql(", ").bind::<SqlUuid, _>(place.id).sql(")"))
    };
    match (sort, &place.key) {
        (Sort::Name, Key::Text(name)) => Box::new(sql::<Bool>("(name_key").sql(sign).bind::<Text, _>(name).sql(")")),
        (Sort::Kind, Key::Pair(kind, name)) => pair("(kind, name_key", kind, name),
        (Sort::Owner, Key::Pair(owner, name)) => pair("(owner, name_key", owner, name),
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
        (Sort::Age, Key::Time(at)) => time("aged_from", *at),
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
