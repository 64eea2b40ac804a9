//! Tokens that are worth nothing any more before their end: session tokens that were revoked, and identity tokens that
//! were used, so that nobody uses them again. A row is kept until the token would have ended by itself.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::announcements::{self, Topic};
use super::schema::spent_tokens;
use super::{Conn, DbError};

/// Marks an identity token as used, by a hash or keyed check of it; `false` when it was used before.
pub fn spend(conn: &mut Conn, key: &[u8], until: DateTime<Utc>) -> Result<bool, DbError> {
    let row = (spent_tokens::token_hash.eq(key), spent_tokens::until.eq(until));
    let added = diesel::insert_into(spent_tokens::table).values(row).on_conflict_do_nothing().execute(conn)?;
    Ok(added > 0)
}

/// Revokes a session token by its id, on every replica.
pub fn revoke(conn: &mut Conn, key: &[u8], until: DateTime<Utc>) -> Result<(), DbError> {
    spend(conn, key, until)?;
    announcements::announce(conn, Topic::Clients)
}

pub fn is_spent(conn: &mut Conn, key: &[u8]) -> Result<bool, DbError> {
    Ok(diesel::select(diesel::dsl::exists(spent_tokens::table.find(key))).get_result(conn)?)
}

/// Forgets those that have ended by themselves; how many.
pub fn clean(conn: &mut Conn) -> Result<usize, DbError> {
    Ok(diesel::delete(spent_tokens::table.filter(spent_tokens::until.lt(diesel::dsl::now))).execute(conn)?)
}
