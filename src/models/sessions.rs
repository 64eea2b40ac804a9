//! Sessions as rows: the cookie holds a random token, the table its SHA-256. Whose session it is, and whether a code is still
//! asked for, is under a keyed check: a row that was put in or moved beside Strongroom opens nothing. All times are the
//! database's.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Double, Integer};
use uuid::Uuid;

use super::schema::{sessions, users};
use super::users::User;
use super::{Conn, DbError};
use crate::vault::{IntegrityError, Vault};

#[derive(Clone, Debug, Queryable, Selectable)]
pub struct Session {
    pub token_hash: Vec<u8>,
    pub id: Uuid,
    pub user_id: Uuid,
    pub awaits_code: bool,
    pub created_at: DateTime<Utc>,
    pub last_seen_at: DateTime<Utc>,
    pub authenticated_at: DateTime<Utc>,
    pub address: String,
    pub agent: String,
    pub row_mac: Vec<u8>,
}

impl Session {
    /// Holds when Strongroom has made the session for this user.
    pub fn check(&self, vault: &Vault) -> Result<(), IntegrityError> {
        let flag = [u8::from(self.awaits_code)];
        vault.check_mac("sessions", &[&self.token_hash, self.user_id.as_bytes(), &flag], &self.row_mac)
    }
}

fn row_mac(vault: &Vault, hash: &[u8], user: Uuid, awaits_code: bool) -> Vec<u8> {
    vault.mac("sessions", &[hash, user.as_bytes(), &[u8::from(awaits_code)]])
}

/// How long sessions live.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub idle_minutes: i32,
    pub hours: i32,
}

/// A session that still holds, with its user and how many seconds ago the password was given.
pub struct Valid {
    pub session: Session,
    pub user: User,
    pub seconds_since_password: f64,
    pub idle_seconds: f64,
}

pub fn create(
    conn: &mut Conn,
    vault: &Vault,
    hash: &[u8],
    user: Uuid,
    awaits_code: bool,
    address: &str,
    agent: &str,
) -> Result<(), DbError> {
    diesel::insert_into(sessions::table)
        .values((
            sessions::token_hash.eq(hash),
            sessions::id.eq(Uuid::new_v4()),
            sessions::user_id.eq(user),
            sessions::awaits_code.eq(awaits_code),
            sessions::address.eq(address),
            sessions::agent.eq(agent),
            sessions::row_mac.eq(row_mac(vault, hash, user, awaits_code)),
        ))
        .execute(conn)?;
    Ok(())
}

fn alive(limits: Limits) -> diesel::expression::SqlLiteral<Bool> {
    // The limits are the operator's numbers, so they may stand in the text.
    sql(&format!(
        "sessions.last_seen_at > now() - interval '{} minutes' AND sessions.created_at > now() - interval '{} hours'
         AND (NOT sessions.awaits_code OR sessions.created_at > now() - interval '10 minutes')",
        limits.idle_minutes, limits.hours
    ))
}

/// The session of a token, when it is alive and its user may come in.
pub fn find(conn: &mut Conn, hash: &[u8], limits: Limits) -> Result<Option<Valid>, DbError> {
    let since = sql::<Double>("extract(epoch FROM now() - sessions.authenticated_at)::float8");
    let idle = sql::<Double>("extract(epoch FROM now() - sessions.last_seen_at)::float8");
    let found: Option<(Session, User, f64, f64)> = sessions::table
        .inner_join(users::table)
        .filter(sessions::token_hash.eq(hash).and(users::disabled.eq(false)).and(alive(limits)))
        .select((Session::as_select(), User::as_select(), since, idle))
        .first(conn)
        .optional()?;
    Ok(found.map(|(session, user, seconds_since_password, idle_seconds)| Valid {
        session,
        user,
        seconds_since_password,
        idle_seconds,
    }))
}

/// Notes activity, at most once a minute a session.
pub fn touch(conn: &mut Conn, hash: &[u8]) -> Result<(), DbError> {
    let old = sql::<Bool>("last_seen_at < now() - interval '1 minute'");
    diesel::update(sessions::table.find(hash).filter(old))
        .set(sessions::last_seen_at.eq(diesel::dsl::now))
        .execute(conn)?;
    Ok(())
}

/// Gives a session a new token after its password was asked for again; the old one is worth nothing from then on. The
/// absolute limit stays where it was. `false`: the session has ended meanwhile.
pub fn renew(conn: &mut Conn, vault: &Vault, user: Uuid, old: &[u8], new: &[u8]) -> Result<bool, DbError> {
    let now = diesel::dsl::now;
    let own = sessions::user_id.eq(user).and(sessions::awaits_code.eq(false));
    let renewed = diesel::update(sessions::table.find(old).filter(own)).set((
        sessions::token_hash.eq(new),
        sessions::row_mac.eq(row_mac(vault, new, user, false)),
        sessions::authenticated_at.eq(now),
        sessions::last_seen_at.eq(now),
    ));
    Ok(renewed.execute(conn)? == 1)
}

pub fn end(conn: &mut Conn, hash: &[u8]) -> Result<(), DbError> {
    diesel::delete(sessions::table.find(hash)).execute(conn)?;
    Ok(())
}

/// Ends one session of a user by its public id.
pub fn end_one(conn: &mut Conn, user: Uuid, id: Uuid) -> Result<bool, DbError> {
    let one = sessions::table.filter(sessions::user_id.eq(user).and(sessions::id.eq(id)));
    Ok(diesel::delete(one).execute(conn)? == 1)
}

/// Ends all sessions of a user but the one with this token hash.
pub fn end_others(conn: &mut Conn, user: Uuid, keep: &[u8]) -> Result<usize, DbError> {
    let others = sessions::table.filter(sessions::user_id.eq(user).and(sessions::token_hash.ne(keep)));
    Ok(diesel::delete(others).execute(conn)?)
}

/// The live sessions of a user, latest activity first.
pub fn of(conn: &mut Conn, user: Uuid, limits: Limits) -> Result<Vec<Session>, DbError> {
    Ok(sessions::table
        .filter(sessions::user_id.eq(user).and(sessions::awaits_code.eq(false)).and(alive(limits)))
        .order(sessions::last_seen_at.desc())
        .select(Session::as_select())
        .load(conn)?)
}

/// Forgets sessions past their absolute limit.
pub fn purge(conn: &mut Conn, limits: Limits) -> Result<usize, DbError> {
    let over = sql::<Bool>("created_at < now() - make_interval(hours => ").bind::<Integer, _>(limits.hours).sql(")");
    Ok(diesel::delete(sessions::table.filter(over)).execute(conn)?)
}
