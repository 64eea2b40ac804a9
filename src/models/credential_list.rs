//! The table of credentials: filtered, searched, sorted by any column, a page at a time. Paging is by key, so a deep
//! page costs what the first one does; each sort has its index in the migration. A search in no order of its own is
//! answered by `credential_search`.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Text, Timestamptz, Uuid as SqlUuid};

use super::credential_query::{Key, On, PAGE, Page, Place, Query, Row, Sort, conditions};
use super::schema::credentials;
use super::{Conn, CredentialId, DbError, credential_search, paging};

/// One row of the table, as it is now.
pub fn find(connection: &mut Conn, id: CredentialId) -> Result<(Row, DateTime<Utc>), DbError> {
    let columns = (Row::as_select(), sql::<Timestamptz>("now()"));
    Ok(credentials::table.find(id).select(columns).first(connection)?)
}

pub fn page(connection: &mut Conn, query: &Query) -> Result<Page, DbError> {
    if query.sort != Sort::Match {
        let found = sorted(connection, query, false)?;
        return paged(connection, query, found);
    }
    let page = credential_search::page(connection, query)?;
    if page.previous.is_some() || page.next.is_some() {
        return Ok(page);
    }
    // All that begins with the text is on this page. What else has it inside of a word is added where that costs
    // little; and nobody shall read "nothing found" of it.
    let anywhere = Query { sort: Sort::Name, from: None, ..query.clone() };
    let found = sorted(connection, &anywhere, !page.rows.is_empty())?;
    if found.is_empty() { Ok(page) } else { paged(connection, &anywhere, found) }
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

/// Up to one row more than a page. `in_few`: of a small table, else none.
fn sorted(connection: &mut Conn, query: &Query, in_few: bool) -> Result<Found, DbError> {
    let up = ascending(query, query.from.as_ref().is_some_and(|place| place.back));
    let mut rows = credentials::table.into_boxed();
    if in_few {
        rows = rows.filter(sql::<Bool>(credential_search::IN_FEW));
    }
    if !query.text().is_empty() {
        rows = rows
            .filter(sql::<Bool>("search LIKE ").bind::<Text, _>(format!("%{}%", super::escape_like(&query.text()))));
    }
    for condition in conditions(query) {
        rows = rows.filter(condition);
    }
    if let Some(place) = &query.from {
        rows = rows.filter(beyond(query.sort, place, up));
    }
    let columns = (Row::as_select(), sql::<Timestamptz>("now()"));
    Ok(rows.order(sql::<Text>(order(query.sort, up))).limit(PAGE as i64 + 1).select(columns).load(connection)?)
}

fn paged(connection: &mut Conn, query: &Query, found: Found) -> Result<Page, DbError> {
    let cut = paging::Page::cut(found, PAGE as i64, query.from.as_ref().map(|place| place.back));
    let paging::Page { rows: found, before, after } = cut;
    let now = match found.first() {
        Some((_, now)) => *now,
        None => super::clock(connection)?,
    };
    let rows: Vec<Row> = found.into_iter().map(|(row, _)| row).collect();
    let previous = rows.first().map(|row| row.place(query.sort, true)).filter(|_| before);
    let next = rows.last().map(|row| row.place(query.sort, false)).filter(|_| after);
    Ok(Page { rows, previous, next, now, sort: query.sort, beginnings: false })
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
    }
}

/// `(column, id) > (value, id)`: a row comparison, which walks the index from exactly there.
fn beyond<'a>(sort: Sort, place: &'a Place, up: bool) -> On<'a, credentials::table> {
    let sign = if up { ") > (" } else { ") < (" };
    let text = |column: &'static str, text: &'a str| -> On<'a, credentials::table> {
        let value = sql::<Bool>("(").sql(column).sql(", id").sql(sign).bind::<Text, _>(text);
        Box::new(value.sql(", ").bind::<SqlUuid, _>(place.id).sql(")"))
    };
    let time = |column: &'static str, micros: i64| -> On<'a, credentials::table> {
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
