//! The links of account letters from both ends: asking for a password reset without a login, and choosing a password by a
//! link. Whoever asks learns nothing of what happens here; the audit trail does.

use super::account_letters::{self, AccountLetter, Purpose, queue};
use super::events::{self, Action, Actor, NewEvent};
use super::trust::{Seen, Trusted};
use super::users::{self, Change, User};
use super::{Conn, DbError, UserId, altered, logins};
use crate::names;
use crate::vault::Vault;

/// In the trail, a name or address that no user has: it may be a password in the wrong field.
const UNKNOWN: &str = "an unknown name";

/// Mails a reset to the user of that name or address, if there is one who may have it. [`DbError::NotFound`] while no
/// channel writes to users. Call inside a transaction.
pub fn request_reset(conn: &mut Conn, vault: &Vault, actor: &Actor, typed: &str) -> Result<(), DbError> {
    let channel = account_letters::channel(conn, vault)?.ok_or(DbError::NotFound)?;
    let mut ledger = events::open(conn)?;
    let (action, detail) = (Action::UserResetAsked, |why: &str| format!("nothing sent: {why}"));
    let user = match find(conn, vault, typed)?.map(Seen::judged) {
        Some(Ok(user)) => user,
        Some(Err((user, doubt))) if doubt.is_tampering() => {
            let what = format!("password reset refused: {}", doubt.words());
            return altered::refuse_user(conn, vault, actor, &user, &what);
        }
        Some(Err(_)) | None => {
            let (subject_kind, subject_name, detail) = ("user", UNKNOWN, detail("no such user"));
            let event = NewEvent { action, subject_kind, subject_id: None, subject_name, detail };
            return ledger.record(conn, vault, actor, &event);
        }
    };
    let said = match &user.email {
        _ if user.disabled => detail("the user is disabled"),
        _ if !user.may_reset() => detail("the user has not chosen a password yet"),
        None => detail("the user has no e-mail address"),
        Some(_) if !logins::may_mail_reset(conn, vault, user.id)? => detail("too many within an hour"),
        Some(address) => {
            let by = (actor.name.as_str(), ledger.now);
            queue(conn, vault, channel.id, (&user, address), Purpose::Reset, by)?;
            format!("sent to {address}")
        }
    };
    ledger.record(conn, vault, actor, &user.event(action, said))
}

/// By name, then by address; the row is locked, so that two at once do not both write. A deleted user is none.
fn find(conn: &mut Conn, vault: &Vault, typed: &str) -> Result<Option<Seen<User>>, DbError> {
    let by_name = users::find_by_key(conn, vault, &names::key(typed))?;
    let found = match by_name {
        None => users::find_by_email(conn, vault, typed.trim())?,
        found => found,
    };
    match found {
        // What was asked for is judged already; the lock only keeps it as it is.
        Some(seen) if seen.doubt().is_none() && seen.shown().deleted_at.is_none() => {
            users::lock(conn, vault, seen.shown().id).map(Some)
        }
        found => Ok(found.filter(|seen| seen.shown().deleted_at.is_none())),
    }
}

/// The letter for a link, with its user.
pub type OpenLink = (Trusted<AccountLetter>, Trusted<User>);

/// The letter of a link that can be followed now, with its user. `hash` is [`account_letters::token_hash`] of what the
/// link ends with.
pub fn open(conn: &mut Conn, vault: &Vault, hash: &[u8]) -> Result<Option<OpenLink>, DbError> {
    let Some(Ok(letter)) = account_letters::find_by_hash(conn, vault, hash)?.map(Seen::judged) else {
        return Ok(None);
    };
    let Ok(user) = users::find(conn, vault, letter.user_id)?.judged() else { return Ok(None) };
    let now = super::clock(conn)?;
    Ok(letter.is_open(&user, now).then_some((letter, user)))
}

/// Sets the password that a link asks for, a PHC string, and uses the link up; all sessions end. [`DbError::Stale`] when
/// the link is good no more, as for the second of two at once. Call inside a transaction.
pub fn follow(conn: &mut Conn, vault: &Vault, address: &str, hash: &[u8], phc: &str) -> Result<UserId, DbError> {
    let (letter, user) = open(conn, vault, hash)?.ok_or(DbError::Stale)?;
    let actor = Actor { name: user.name.clone(), address: address.to_owned() };
    users::change(conn, vault, &actor, user.id, &Change::PasswordByMail(phc.to_owned()), None)?;
    // Under the lock of the change: nothing else came between.
    let changed = users::find(conn, vault, user.id)?.trust()?;
    let between = (changed.password_version, changed.row_version) != (user.password_version + 1, user.next_version());
    if between {
        return Err(DbError::Stale);
    }
    if let (Some(Purpose::Reset), Some(channel)) = (letter.purpose(), account_letters::channel(conn, vault)?) {
        let by = (user.name.as_str(), super::clock(conn)?);
        queue(conn, vault, channel.id, (&changed, &letter.address), Purpose::PasswordNotice, by)?;
    }
    Ok(user.id)
}
