//! Credentials by name, as the API lists and finds them: what may be shown, and no more. It decides nothing.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;

use super::schema::credentials;
use super::times::Time;
use super::{Conn, CredentialId, DbError};
use crate::names;

/// A credential as it is listed.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = credentials)]
pub struct Listed {
    pub id: CredentialId,
    pub kind: String,
    pub name: String,
    pub name_key: String,
    pub note: String,
    /// See `draft::Shown`.
    pub facts: String,
    pub secret_version: i32,
    #[diesel(deserialize_as = Time)]
    pub created_at: DateTime<Utc>,
    pub created_by: String,
    #[diesel(deserialize_as = Time)]
    pub edited_at: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Name,
    Kind,
    Created,
    Edited,
}

/// Which credentials are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Slugs of their kinds.
    pub kinds: Vec<&'static str>,
    /// Only these, if there are any.
    pub names: Vec<String>,
    pub sort: Sort,
    pub descending: bool,
}

fn wanted(asked: &Asked) -> credentials::BoxedQuery<'_, Pg> {
    let rows = credentials::table.filter(credentials::kind.eq_any(&asked.kinds)).into_boxed();
    if asked.names.is_empty() {
        return rows;
    }
    let keys: Vec<String> = asked.names.iter().map(|name| names::key(name)).collect();
    rows.filter(credentials::name_key.eq_any(keys))
}

/// The next by name after a name key, for walking through all of them.
pub fn after(conn: &mut Conn, asked: &Asked, key: &str, most: i64) -> Result<Vec<Listed>, DbError> {
    let rows = wanted(asked).filter(credentials::name_key.gt(key)).order(credentials::name_key).limit(most);
    Ok(rows.select(Listed::as_select()).load(conn)?)
}

/// So many from a place in the order that is asked for.
pub fn page(conn: &mut Conn, asked: &Asked, (offset, limit): (i64, i64)) -> Result<Vec<Listed>, DbError> {
    let rows = wanted(asked).offset(offset).limit(limit);
    let (name, id) = (credentials::name_key, credentials::id);
    let rows = match (asked.sort, asked.descending) {
        (Sort::Name, false) => rows.order(name),
        (Sort::Name, true) => rows.order(name.desc()),
        (Sort::Kind, false) => rows.order((credentials::kind, name)),
        (Sort::Kind, true) => rows.order((credentials::kind.desc(), name.desc())),
        (Sort::Created, false) => rows.order((credentials::created_at, id)),
        (Sort::Created, true) => rows.order((credentials::created_at.desc(), id.desc())),
        (Sort::Edited, false) => rows.order((credentials::edited_at, id)),
        (Sort::Edited, true) => rows.order((credentials::edited_at.desc(), id.desc())),
    };
    Ok(rows.select(Listed::as_select()).load(conn)?)
}

/// How many there are.
pub fn count(conn: &mut Conn, asked: &Asked) -> Result<i64, DbError> {
    Ok(wanted(asked).count().get_result(conn)?)
}

/// The credential of that name, and the slug of its kind.
pub fn find(conn: &mut Conn, name: &str) -> Result<Option<(CredentialId, String)>, DbError> {
    let named = credentials::table.filter(credentials::name_key.eq(names::key(name)));
    Ok(named.select((credentials::id, credentials::kind)).first(conn).optional()?)
}
