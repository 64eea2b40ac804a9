//! The ends of sessions, each with its event, so that a row that is put back is worth nothing.

use diesel::prelude::*;

use super::events::{self, Action, Actor, Ledger};
use super::schema::{sessions, users};
use super::sessions::{Session, lock};
use super::trust::{Seen, latest_version};
use super::users::User;
use super::{Conn, DbError, SessionId, UserId};
use crate::vault::Vault;

/// Ends a session and writes that into the audit trail, so that its row is worth nothing when it is put back. Nothing
/// happens without such a session. Call inside a transaction.
pub fn end(conn: &mut Conn, vault: &Vault, actor: &Actor, hash: &[u8], action: Action) -> Result<(), DbError> {
    let mut ledger = events::open(conn)?;
    let Some(session) = lock(conn, vault, hash)? else { return Ok(()) };
    let name = users::table.find(session.shown().user_id).select(users::name).first::<String>(conn)?;
    end_seen(conn, vault, actor, &mut ledger, session, (action, &name))
}

/// Ends the session of somebody who logs out, in their own name. Call inside a transaction.
pub fn log_out(conn: &mut Conn, vault: &Vault, address: &str, hash: &[u8]) -> Result<(), DbError> {
    let owner = sessions::table.inner_join(users::table).filter(sessions::token_hash.eq(hash));
    let Some(name) = owner.select(users::name).first::<String>(conn).optional()? else { return Ok(()) };
    end(conn, vault, &Actor { name, address: address.to_owned() }, hash, Action::LoginEnded)
}

fn end_seen(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    ledger: &mut Ledger,
    session: Seen<Session>,
    (action, user): (Action, &str),
) -> Result<(), DbError> {
    let (next, session) = (session.next_version(), session.into_shown());
    diesel::delete(sessions::table.find(&session.token_hash)).execute(conn)?;
    if session.awaits_code {
        return Ok(());
    }
    ledger.record_version(conn, vault, actor, &session.event(action, user), next)
}

/// Which sessions of a user are to end.
pub enum Which<'a> {
    /// By its public id.
    One(SessionId),
    /// All but the one with this token hash.
    Others(&'a [u8]),
}

/// Ends sessions of a user, each with its event; returns how many. Call inside a transaction.
pub fn end_of(conn: &mut Conn, vault: &Vault, actor: &Actor, user: &User, which: &Which) -> Result<usize, DbError> {
    let mut ledger = events::open(conn)?;
    let rows = sessions::table.filter(sessions::user_id.eq(user.id)).order(sessions::id).for_update();
    let found: Vec<(Session, Option<i64>)> =
        rows.select((Session::as_select(), latest_version!(sessions::id))).load(conn)?;
    let mut ended = 0;
    for row in found {
        let wanted = match which {
            Which::One(id) => row.0.id == *id,
            Which::Others(keep) => row.0.token_hash != *keep,
        };
        if wanted {
            let seen = Seen::new(vault, row, |_| true);
            end_seen(conn, vault, actor, &mut ledger, seen, (Action::SessionEnded, &user.name))?;
            ended += 1;
        }
    }
    Ok(ended)
}

/// Forgets rows that do not count, without a word in the audit trail: a row that was put in never was a session.
pub fn forget(conn: &mut Conn, hash: &[u8]) -> Result<(), DbError> {
    diesel::delete(sessions::table.find(hash)).execute(conn)?;
    Ok(())
}

/// Forgets all sessions of a user whose row does not count.
pub fn forget_all(conn: &mut Conn, user: UserId) -> Result<(), DbError> {
    diesel::delete(sessions::table.filter(sessions::user_id.eq(user))).execute(conn)?;
    Ok(())
}
