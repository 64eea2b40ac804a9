//! What is changed on a user, each thing with the sessions that must not outlive it, the row check and the trail.

use diesel::prelude::*;
use uuid::Uuid;

use super::events::{self, Action, Actor};
use super::schema::{recovery_codes, sessions, users};
use super::users::User;
use super::{Conn, DbError, altered};
use crate::vault::Vault;

/// What an administrator or the user changes; each ends sessions as it must and is audited.
#[derive(Clone, Debug)]
pub enum Change {
    Role(String),
    Disabled(bool),
    TotpRequired(bool),
    /// A PHC string.
    Password(String),
    /// One that somebody else has set, to be replaced at the next login.
    TemporaryPassword(String),
    /// A new authenticator's secret (raw bytes), once a first code has shown that the app has it.
    TotpAdded(Vec<u8>),
    TotpRemoved,
}

impl Change {
    fn event(&self) -> (Action, String) {
        match self {
            Self::Role(role) => (Action::UserRoleChanged, format!("now {role}")),
            Self::Disabled(true) => (Action::UserDisabled, String::new()),
            Self::Disabled(false) => (Action::UserEnabled, String::new()),
            Self::TotpRequired(true) => (Action::UserTwoStepRequired, String::new()),
            Self::TotpRequired(false) => (Action::UserTwoStepOptional, String::new()),
            Self::Password(_) => (Action::UserPasswordChanged, String::new()),
            Self::TemporaryPassword(_) => (Action::UserPasswordChanged, "temporary".to_owned()),
            Self::TotpAdded(_) => (Action::UserTwoStepOn, String::new()),
            Self::TotpRemoved => (Action::UserTwoStepOff, String::new()),
        }
    }

    /// Whether sessions made before must not outlive the change.
    fn ends_sessions(&self) -> bool {
        !matches!(self, Self::Disabled(false) | Self::TotpRequired(_))
    }
}

/// Applies one change; all sessions of the user but `keep` (a token hash) end with it where they must.
/// Refuses to leave no administrator who can log in: [`DbError::Check`] `users_last_administrator`.
pub fn change(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    id: Uuid,
    change: &Change,
    keep: Option<&[u8]>,
) -> Result<(), DbError> {
    let mut ledger = events::open(conn)?;
    // All administrators are locked, so that two of them cannot demote each other at once.
    let administrators: Vec<Uuid> = users::table
        .filter(users::role.eq("administrator").and(users::disabled.eq(false)))
        .order(users::id)
        .select(users::id)
        .for_update()
        .load(conn)?;
    let found: Option<User> = users::table.find(id).select(User::as_select()).for_update().first(conn).optional()?;
    let mut user = found.ok_or(DbError::NotFound)?;
    user.check(vault)?;
    match change {
        Change::Role(role) => user.role = role.clone(),
        Change::Disabled(disabled) => user.disabled = *disabled,
        Change::TotpRequired(required) => user.totp_required = *required,
        Change::Password(hash) | Change::TemporaryPassword(hash) => {
            user.password_set_at = ledger.now;
            user.password_temporary = matches!(change, Change::TemporaryPassword(_));
            user.seal_password(vault, ledger.active_kek, hash)?;
        }
        Change::TotpAdded(secret) => {
            user.totp_version += 1;
            user.totp_confirmed = true;
            let sealed = vault.seal(ledger.active_kek, &user.totp_context(), secret)?;
            user.totp_kek_id = Some(sealed.kek_id);
            user.totp_wrapped_dek = Some(sealed.wrapped_dek);
            user.totp_payload = Some(sealed.payload);
        }
        Change::TotpRemoved => {
            user.totp_confirmed = false;
            (user.totp_kek_id, user.totp_wrapped_dek, user.totp_payload) = (None, None, None);
            diesel::delete(recovery_codes::table.filter(recovery_codes::user_id.eq(id))).execute(conn)?;
        }
    }
    let still_one = user.role == "administrator" && !user.disabled || administrators.iter().any(|other| *other != id);
    if !still_one && administrators.contains(&id) {
        return Err(DbError::Check("users_last_administrator".to_owned()));
    }
    // A role that is given is newer than all that the trail tells of, also of a row that was put back; the rest is not.
    let newest = if matches!(change, Change::Role(_)) { events::told(conn, Some(id))? } else { 0 };
    user.row_version = user.row_version.max(newest) + 1;
    user.row_mac = user.mac_parts(|parts| vault.mac("users", parts));
    diesel::update(users::table.find(id)).set(&user).execute(conn)?;
    if change.ends_sessions() {
        let others = sessions::table.filter(sessions::user_id.eq(id));
        diesel::delete(others.filter(sessions::token_hash.ne(keep.unwrap_or_default()))).execute(conn)?;
    }
    let (action, detail) = change.event();
    ledger.record_version(conn, vault, actor, &user.event(action, detail), user.row_version)?;
    altered::settle(conn, id, user.row_version)
}
