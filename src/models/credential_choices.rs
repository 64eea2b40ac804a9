//! Credentials as the list of a form offers them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::schema::credentials;
use super::times::Time;
use super::{Conn, CredentialId, DbError};

/// So many are listed.
const MOST: i64 = 1_000;

/// One of the list: a name alone does not tell keys apart.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = credentials)]
pub struct Choice {
    pub id: CredentialId,
    pub name: String,
    pub identity: String,
    #[diesel(deserialize_as = Time)]
    pub aged_from: DateTime<Utc>,
}

/// One of the list with what decides where it fits.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = credentials)]
pub struct Candidate {
    pub id: CredentialId,
    pub kind: String,
    pub name: String,
    pub identity: String,
    pub facts: String,
    #[diesel(deserialize_as = Time)]
    pub aged_from: DateTime<Utc>,
}

/// The credentials of some kinds but one, by name.
pub fn candidates(conn: &mut Conn, kinds: &[&str], but: CredentialId) -> Result<Vec<Candidate>, DbError> {
    let fitting = credentials::table.filter(credentials::kind.eq_any(kinds)).filter(credentials::id.ne(but));
    Ok(fitting.order(credentials::name_key).limit(MOST).select(Candidate::as_select()).load(conn)?)
}

/// The credentials of some kinds, by name. The one that is chosen is among them even where the list is too long.
pub fn choices(conn: &mut Conn, kinds: &[&str], chosen: Option<CredentialId>) -> Result<Vec<Choice>, DbError> {
    let fitting = || credentials::table.filter(credentials::kind.eq_any(kinds)).select(Choice::as_select());
    let mut choices: Vec<Choice> = fitting().order(credentials::name_key).limit(MOST).load(conn)?;
    if let Some(id) = chosen.filter(|id| choices.iter().all(|known| known.id != *id)) {
        choices.extend(fitting().filter(credentials::id.eq(id)).first(conn).optional()?);
    }
    Ok(choices)
}

/// What a list says of a credential that it names.
#[derive(Clone, Debug, Default)]
pub struct Named {
    pub name: String,
    pub kind: String,
}

/// Names and kinds of these credentials.
pub fn named(conn: &mut Conn, ids: &[CredentialId]) -> Result<HashMap<CredentialId, Named>, DbError> {
    let rows = credentials::table.filter(credentials::id.eq_any(ids));
    let found: Vec<(CredentialId, String, String)> =
        rows.select((credentials::id, credentials::name, credentials::kind)).load(conn)?;
    Ok(found.into_iter().map(|(id, name, kind)| (id, Named { name, kind })).collect())
}
