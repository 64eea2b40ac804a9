//! The search of the table of credentials, at the same cost whatever the table's size: the phrases that the database
//! keeps of each credential begin where its words do, so what begins with a text is one range of their index, read page
//! by page. Text inside of words, and other orders, are the business of `credential_list`.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text, Timestamptz, Uuid as SqlUuid};

use super::credential_query::{Key, PAGE, Page, Place, Query, Row, Sort, conditions};
use super::schema::{credential_phrases, credentials};
use super::{Conn, DbError, paging};

/// Characters of a phrase that are kept; the migration cuts them.
const KEPT: usize = 60;
/// Whether the table is so small that every text in it is looked through in a few milliseconds; by Postgres' own
/// estimate.
pub const IN_FEW: &str = "(SELECT reltuples < 10000 FROM pg_class WHERE oid = 'credentials'::regclass)";

/// Credentials of which a word begins with the text, or with its first word and goes on as it does. All on one page,
/// they are sorted by name; more are in the order of what follows the text, each once.
pub fn page(connection: &mut Conn, query: &Query) -> Result<Page, DbError> {
    let text = query.text();
    let start: String = text.chars().take(KEPT).collect();
    let length = i16::try_from(start.chars().count()).unwrap_or(i16::MAX);
    let back = query.from.as_ref().is_some_and(|place| place.back);
    let phrase = credential_phrases::phrase;
    let mut rows = credential_phrases::table
        .inner_join(credentials::table)
        .filter(phrase.ge(start.clone()))
        // The last of all characters: every phrase that goes on sorts before it.
        .filter(phrase.lt(format!("{start}\u{10FFFF}")))
        .filter(credential_phrases::shared.lt(length))
        .into_boxed();
    if length as usize == KEPT {
        rows = rows.filter(sql::<Bool>("search LIKE ").bind::<Text, _>(format!("%{}%", super::escape_like(&text))));
    }
    for condition in conditions(query) {
        rows = rows.filter(condition);
    }
    if let Some(Place { key: Key::Text(after), id, back }) = &query.from {
        let sign = if *back { ") < (" } else { ") > (" };
        let beyond = sql::<Bool>("(phrase, credential_id").sql(sign).bind::<Text, _>(after).sql(", ");
        rows = rows.filter(beyond.bind::<SqlUuid, _>(*id).sql(")"));
    }
    let order = if back { "phrase DESC, credential_id DESC" } else { "phrase, credential_id" };
    let found: Vec<(Row, String, DateTime<Utc>)> = rows
        .order(sql::<Text>(order))
        .limit(PAGE as i64 + 1)
        .select((Row::as_select(), phrase, sql::<Timestamptz>("now()")))
        .load(connection)?;
    let cut = paging::Page::cut(found, PAGE as i64, query.from.as_ref().map(|place| place.back));
    let paging::Page { rows: found, before, after } = cut;
    let now = match found.first() {
        Some((.., now)) => *now,
        None => super::clock(connection)?,
    };
    let place = |at: Option<&(Row, String, _)>, back| {
        at.map(|(row, phrase, _)| Place { key: Key::Text(phrase.clone()), id: row.id, back })
    };
    let previous = place(found.first(), true).filter(|_| before);
    let next = place(found.last(), false).filter(|_| after);
    let mut rows: Vec<Row> = found.into_iter().map(|(row, ..)| row).collect();
    let whole = previous.is_none() && next.is_none();
    if whole {
        rows.sort_by(|one, other| one.name_key.cmp(&other.name_key));
    }
    let sort = if whole { Sort::Name } else { Sort::Match };
    let beginnings = !rows.is_empty();
    Ok(Page { rows, previous, next, now, sort, beginnings })
}
