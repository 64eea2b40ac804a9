//! How a search of the table of credentials finds its rows, at the same cost whatever the table's size: the database keeps
//! the words of each credential, so what begins with a text is one range of their index. Of several words the one with
//! few credentials leads, and the others are looked for in those. Where every word has many, they are read in the order
//! of the word that most of them have beside the others, page by page.

use std::collections::HashMap;

use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text, Uuid as SqlUuid};

use super::credential_query::{Key, MOST_COUNTED, PAGE, Place, Query, Row, conditions, holds, is_of};
use super::schema::{credential_words, credentials};
use super::{Conn, CredentialId, DbError};

/// Characters of a word that are kept; the migration cuts them.
const KEPT: usize = 60;
/// So many credentials of a word are all looked at.
const FEW: i64 = 500;
/// If every word has more than [`FEW`] credentials, the one leads that most of a sample of its own have the others beside.
/// The sample has so many credentials.
const SAMPLE: usize = 40;
/// Of words that are equal in that the rarest leads. Credentials are counted up to this number.
const MOST_COMPARED: i64 = 2_000;
/// So many words of a search are looked up; the others are looked for in what those have.
const MOST_LOOKED_UP: usize = 6;
/// Words that are read at once along the index.
const STRIDE: i64 = 250;
/// Strides for one page, however few of the credentials have the other words.
const MOST_STRIDES: usize = 40;
/// Whether the table is so small that every text in it is looked through in a few milliseconds; by Postgres' own
/// estimate.
const SMALL: &str = "(SELECT reltuples < 10000 FROM pg_class WHERE oid = 'credentials'::regclass)";

/// The way to what a search finds.
#[derive(Debug)]
pub(super) enum Way {
    /// Every row is looked at.
    All,
    /// Only these can match.
    Among(Vec<CredentialId>),
    /// What begins with this word, which many credentials have.
    Along(String),
    /// No word of a credential begins with any of them.
    Nowhere,
}

/// Chooses the way for words of which there is at least one.
pub(super) fn way(conn: &mut Conn, words: &[String]) -> Result<Way, DbError> {
    if diesel::select(sql::<Bool>(SMALL)).get_result::<bool>(conn)? {
        return Ok(Way::All);
    }
    // Long words have few credentials.
    let mut longest: Vec<&String> = words.iter().collect();
    longest.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
    longest.truncate(MOST_LOOKED_UP);
    let mut common: Vec<(&String, Vec<CredentialId>)> = Vec::new();
    for word in longest {
        let few = range(word).select(credential_words::credential_id).limit(FEW + 1);
        let ids: Vec<CredentialId> = few.load(conn)?;
        if ids.len() as i64 > FEW {
            common.push((word, ids));
        } else if !ids.is_empty() {
            return Ok(Way::Among(ids));
        }
    }
    Ok(leading(conn, words, &common)?.map_or(Way::Nowhere, Way::Along))
}

/// The word whose credentials are read in vain least often.
fn leading(
    conn: &mut Conn,
    words: &[String],
    common: &[(&String, Vec<CredentialId>)],
) -> Result<Option<String>, DbError> {
    if let [(only, _)] = common {
        return Ok(Some((*only).clone()));
    }
    let mut hits = Vec::new();
    for (word, ids) in common {
        hits.push((having(conn, &others(words, word), ids)?, *word));
    }
    let most = hits.iter().map(|(hits, _)| *hits).max();
    let mut best: Vec<&String> = hits.iter().filter(|(hits, _)| Some(*hits) == most).map(|(_, word)| *word).collect();
    if best.len() > 1 {
        let mut rarest = Vec::new();
        for word in best {
            rarest.push((counted(conn, word, MOST_COMPARED)?, word));
        }
        rarest.sort_by_key(|(many, _)| *many);
        best = rarest.into_iter().map(|(_, word)| word).collect();
    }
    Ok(best.first().map(|word| (*word).clone()))
}

/// How many credentials of a sample have the words.
fn having(conn: &mut Conn, words: &[String], ids: &[CredentialId]) -> Result<i64, DbError> {
    let sample = ids.iter().step_by((ids.len() / SAMPLE).max(1)).take(SAMPLE).copied().collect();
    let mut rows = credentials::table.into_boxed().filter(is_of(sample));
    for condition in holds(words) {
        rows = rows.filter(condition);
    }
    Ok(rows.count().get_result(conn)?)
}

/// Each credential once of which a word begins with the text.
fn range(word: &str) -> credential_words::BoxedQuery<'static, Pg> {
    let start: String = word.chars().take(KEPT).collect();
    let length = i16::try_from(start.chars().count()).unwrap_or(i16::MAX);
    // The last of all characters: every word that goes on sorts before it.
    let end = format!("{start}\u{10FFFF}");
    let begins = credential_words::word.ge(start).and(credential_words::word.lt(end));
    credential_words::table.filter(begins.and(credential_words::shared.lt(length))).into_boxed()
}

/// How many credentials have the word, counted up to one more than [`MOST_COUNTED`].
pub(super) fn count(conn: &mut Conn, word: &str) -> Result<i64, DbError> {
    Ok(counted(conn, word, MOST_COUNTED + 1)? as i64)
}

fn counted(conn: &mut Conn, word: &str, most: i64) -> Result<usize, DbError> {
    let found: Vec<i16> = range(word).select(credential_words::shared).limit(most).load(conn)?;
    Ok(found.len())
}

/// What a page of [`Way::Along`] is cut from.
pub(super) struct Walked {
    /// Up to one more than a page, each with the word that it was found by.
    pub rows: Vec<(Row, String)>,
    /// Where the walk was given up before it was through.
    pub stopped: Option<Place>,
}

/// The other words than the leading one, and that one too where the index has only its beginning.
pub(super) fn others(words: &[String], lead: &str) -> Vec<String> {
    words.iter().filter(|word| *word != lead || word.chars().count() > KEPT).cloned().collect()
}

/// From the place of the query on in the order of what follows the word.
pub(super) fn walk(conn: &mut Conn, query: &Query, words: &[String], lead: &str) -> Result<Walked, DbError> {
    let back = query.from.as_ref().is_some_and(|place| place.back);
    let mut at = match &query.from {
        Some(Place { key: Key::Text(word), id, .. }) => Some((word.clone(), *id)),
        _ => None,
    };
    let others = others(words, lead);
    let mut rows = Vec::new();
    for number in 0..MOST_STRIDES {
        // The first stride reads one page: enough if nearly all of these rows have the other words as well.
        let length = if number == 0 { PAGE as i64 + 1 } else { STRIDE };
        let steps = stride(conn, lead, (at.as_ref(), back), length)?;
        let ended = (steps.len() as i64) < length;
        let ids = steps.iter().map(|(_, id)| *id).collect();
        let mut found = matching(conn, query, &others, ids)?;
        rows.extend(steps.iter().filter_map(|(word, id)| Some((found.remove(id)?, word.clone()))));
        if ended || rows.len() > PAGE {
            rows.truncate(PAGE + 1);
            return Ok(Walked { rows, stopped: None });
        }
        at = steps.into_iter().next_back();
    }
    let stopped = at.map(|(word, id)| Place { key: Key::Text(word), id, back });
    Ok(Walked { rows, stopped })
}

/// The next words and whose they are.
fn stride(
    conn: &mut Conn,
    lead: &str,
    (at, back): (Option<&(String, CredentialId)>, bool),
    length: i64,
) -> Result<Vec<(String, CredentialId)>, DbError> {
    let (sign, order) =
        if back { (") < (", "word DESC, credential_id DESC") } else { (") > (", "word, credential_id") };
    let mut steps = range(lead);
    if let Some((word, id)) = at {
        let beyond = sql::<Bool>("(word, credential_id").sql(sign).bind::<Text, _>(word.clone()).sql(", ");
        steps = steps.filter(beyond.bind::<SqlUuid, _>(*id).sql(")"));
    }
    let columns = (credential_words::word, credential_words::credential_id);
    Ok(steps.order(sql::<Text>(order)).limit(length).select(columns).load(conn)?)
}

fn matching(
    conn: &mut Conn,
    query: &Query,
    words: &[String],
    ids: Vec<CredentialId>,
) -> Result<HashMap<CredentialId, Row>, DbError> {
    let mut rows = credentials::table.into_boxed().filter(is_of(ids));
    for condition in holds(words).into_iter().chain(conditions(query)) {
        rows = rows.filter(condition);
    }
    let found: Vec<Row> = rows.select(Row::as_select()).load(conn)?;
    Ok(found.into_iter().map(|row| (row.id, row)).collect())
}
